"""A student's module into the released notebook, and out of it again; a student's work into a newer notebook.

Nothing is lost on the way: `unpack(pack(module))` is the module, byte for byte. What is no exercise stands in the cell
of the exercise that follows it, or in the `imports` cell; exercises stand in the order in which the module has them.
"""

from __future__ import annotations

import ast
import itertools
import re
import tokenize
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from io import BytesIO
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell

from grader import catalogue
from grader import cells as code_cells
from grader.exercise import Chapter
from grader.nbgrader_bridge import pieces
from grader.nbgrader_bridge.notebook import MARKS, TEXT
from grader.nbgrader_bridge.pieces import IMPORTS, Piece, usual_gaps
from grader.nbgrader_bridge.relative import as_before, spelled_out
from grader.problem import Problem
from grader.result import write_bytes_atomically
from grader.submission import Module, is_stub
from grader.syntax import SyntaxProblem, parsed

GAPS = ("before", "after")  # in our metadata: the empty lines around a piece, where they are not the usual ones
NEWLINES = ("\r", "\r\n")  # the unusual ones
_NEWLINES = re.compile(r"\r\n?|\n")
_ENCODING = re.compile(r"\A((?:[ \t\f]*(?:#.*)?\r?\n)?[ \t\f]*#.*?coding[:=][ \t]*)[-\w.]+")  # as PEP 263 has it


def read(path: Path) -> NotebookNode:
    """A notebook from a file; raises Problem where it is none."""
    try:
        return _sound(nbformat.read(path, as_version=4))
    except OSError as error:
        raise Problem(f"{path} cannot be read ({error.strerror}).", "Check the path.") from None
    except Exception:  # whatever is wrong with it, nbformat has an error of its own for it
        raise Problem(f"{path} is not a readable notebook.", "Save it from Jupyter again (format 4).") from None


def _sound(notebook: NotebookNode) -> NotebookNode:
    """The notebook without metadata of a form that neither nbgrader nor we have written."""
    for holder in (notebook, *notebook.cells):
        for marks in (MARKS, "nbgrader"):
            if not isinstance(holder.metadata.get(marks, {}), dict):
                del holder.metadata[marks]
    return notebook


def write(notebook: NotebookNode, path: Path) -> None:
    """Write a notebook in one step; raises Problem where the folder cannot be written."""
    write_bytes_atomically(path, (nbformat.writes(notebook) + "\n").encode())


def chapter_of(notebook: NotebookNode, shown: str) -> Chapter:
    """The chapter that a notebook was made of; raises Problem where it was not made by this kit."""
    chapter = catalogue.chapter_called(notebook.metadata.get(MARKS, {}).get("module", ""))
    if chapter is None:
        raise Problem(f"{shown} is no notebook of this kit.", "Give the one that was released for the chapter.")
    return chapter


def pack(content: bytes, notebook: NotebookNode, shown: str) -> NotebookNode:
    """A released notebook with a module's text in its cells.

    Raises
    ------
    Problem : a module that Python cannot read, or a notebook without cells to write in
    """
    packed = nbformat.from_dict(notebook)
    chapter = chapter_of(packed, "The notebook")
    targets = {name: cell for cell in packed.cells if (name := solution_of(cell))}
    if not targets:
        raise Problem("The notebook has no cells for solutions.", "Hand in the module itself, beside the notebook.")
    text, facts = _decoded(content, shown)
    text, imports = spelled_out(chapter.module, text)
    try:
        parts = pieces.cut(Module(shown, text), {exercise.name for exercise in chapter.exercises})
    except ValueError as error:
        raise Problem(f"{shown} cannot be read by Python ({error}).", "Mend that line, then pack it.") from None
    for cell in targets.values():
        cell.source = ""
    first = True
    for part in parts:
        if part.name not in targets:
            raise Problem(f"The notebook has no cell for {part.name}.", "Give the one that was released last.")
        _fill(targets[part.name], part, first)
        first = first and not part.text
    packed.metadata[MARKS] = {"module": chapter.module, **facts, **({"imports": imports} if imports else {})}
    packed.cells = _in_order(packed.cells, [part.name for part in parts[1:]])
    return packed


def unpack(notebook: NotebookNode, shown: str) -> bytes:
    """The module that a notebook's cells come to; what was only tried out in cells of one's own becomes comments."""
    chapter = chapter_of(notebook, shown)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    wanted = {exercise.name for exercise in chapter.exercises}
    plain = code_cells.read([cell.source for cell in code], wanted).cells
    text = ""
    for cell, lines in zip(code, plain, strict=True):
        if solution_of(cell) or is_added(cell) or _has_code(lines):
            text += _placed(cell, lines, first=not text)
    facts = notebook.metadata[MARKS]
    imports, newline = facts.get("imports"), facts.get("newline")
    text = as_before(text, imports if isinstance(imports, dict) else {})
    return _encoded(text.replace("\n", newline if newline in NEWLINES else "\n"), str(facts.get("encoding", "utf-8")))


def update(student: NotebookNode, released: NotebookNode, shown: str) -> NotebookNode:
    """A newer release of a notebook, with the student's work of the older one.

    Written functions stay as they are, untouched stubs become the new ones; cells that the student added stay where
    they were, and so does what was written for an exercise that is no longer asked for, in a cell of checks, or in the
    earlier of two cells for the same exercise.
    """
    if chapter_of(student, shown) is not chapter_of(released, "The released notebook"):
        raise Problem(f"{shown} and the released notebook are of different chapters.", "Give two of the same chapter.")
    updated = nbformat.from_dict(released)
    theirs = {name: cell for cell in student.cells if (name := solution_of(cell))}
    known = {name: cell for cell in updated.cells if (name := solution_of(cell))}
    for name, cell in known.items():
        if name in theirs:
            cell.source = _merged(name, theirs[name].source, cell.source)
            cell.metadata[MARKS] = {**cell.metadata.get(MARKS, {}), **theirs[name].metadata.get(MARKS, {})}
    updated.metadata[MARKS] = {**student.metadata[MARKS], **released.metadata[MARKS]}

    old = [one for cell in student.cells for one in _kept(cell, theirs, known)]
    updated.cells = with_added(updated.cells, old, is_added)
    return updated


def solution_of(cell: NotebookNode) -> str:
    """The grade_id of a cell that students write in, "" for any other."""
    marks = cell.metadata.get("nbgrader", {})
    return str(marks.get("grade_id", "")) if marks.get("solution") else ""


def grade_id(cell: NotebookNode) -> str:
    """What nbgrader calls a cell, "" where it does not know it."""
    return str(cell.metadata.get("nbgrader", {}).get("grade_id", ""))


def is_added(cell: NotebookNode) -> bool:
    """Whether it is none of the released cells."""
    return not grade_id(cell)


def with_added(
    cells: Sequence[NotebookNode], old: Iterable[NotebookNode], stays: Callable[[NotebookNode], bool]
) -> list[NotebookNode]:
    """The cells, and those of an older notebook that are to stay, each behind the one that it stood behind."""
    names = {grade_id(cell) for cell in cells}
    behind: dict[str, list[NotebookNode]] = {}
    place = ""
    for cell in old:
        if stays(cell):
            behind.setdefault(place, []).append(cell)
        elif grade_id(cell) in names:
            place = grade_id(cell)
    return [*behind.get("", []), *(one for cell in cells for one in (cell, *behind.get(grade_id(cell), [])))]


def replaced(path: Path, beside: Path | None = None) -> Path:
    """Keep a file that is about to be written over, and tell where: in a folder beside it, or in another one."""
    folder = (beside or path.parent) / ".deepkata" / "replaced"
    names = (folder / f"{path.stem}-{number}{path.suffix}" for number in itertools.count(1))
    kept = next(name for name in names if not name.exists())
    write_bytes_atomically(kept, path.read_bytes())
    return kept


def _decoded(content: bytes, shown: str) -> tuple[str, dict[str, str]]:
    """A module's text with plain line ends, and what its bytes had that is not usual."""
    try:
        encoding, _ = tokenize.detect_encoding(BytesIO(content).readline)
        text = content.decode(encoding)
    except (SyntaxError, UnicodeDecodeError, LookupError):
        raise Problem(f"{shown} is not UTF-8 text.", "Save it as UTF-8.") from None
    newlines = set(_NEWLINES.findall(text))
    newline = newlines.pop() if len(newlines) == 1 else "\n"
    facts = {"encoding": encoding} if encoding != "utf-8" else {}
    if newline != "\n":
        facts["newline"], text = newline, text.replace(newline, "\n")
    return text, facts


def _encoded(text: str, encoding: str) -> bytes:
    """A module's bytes; in UTF-8, and saying so, where its own encoding does not have what was written since."""
    try:
        return text.encode(encoding)
    except (LookupError, UnicodeError):
        return _ENCODING.sub(r"\g<1>utf-8", text, count=1).encode()


def _fill(cell: NotebookNode, part: Piece, first: bool) -> None:
    """A piece into its cell; unusual empty lines around it are noted."""
    cell.source = part.source
    marks = {name: value for name, value in cell.metadata.get(MARKS, {}).items() if name not in GAPS}
    if (part.before, part.after) != usual_gaps(part.source, first):
        marks |= dict(zip(GAPS, (part.before, part.after), strict=True))
    cell.metadata[MARKS] = marks
    cell.outputs, cell.execution_count = [], None


def _placed(cell: NotebookNode, plain: str, first: bool) -> str:
    """A cell's text with the lines around it; magics become comments, and so does what an added cell only tries out."""
    if solution_of(cell):
        plain = cell.source if isinstance(parsed(cell.source), ast.Module) else code_cells.without_magics(cell.source)
    usual = usual_gaps(plain, first)
    before, after = (cell.metadata.get(MARKS, {}).get(gap, lines) for gap, lines in zip(GAPS, usual, strict=True))
    return f"{before}{plain}{after}"


def _in_order(cells: Sequence[NotebookNode], wanted: Sequence[str]) -> list[NotebookNode]:
    """The cells of each exercise, in this order; those of exercises that are not there come last."""
    groups: dict[str, list[NotebookNode]] = {"": []}
    current = ""
    for cell in cells:
        if grade_id(cell).endswith(TEXT):
            current = grade_id(cell).removesuffix(TEXT)
        groups.setdefault(current, []).append(cell)
    there = [name for name in groups if name in wanted]
    order = list(groups) if there == list(wanted) else ["", *wanted, *groups]
    return [cell for name in dict.fromkeys(order) for cell in groups[name]]


def _has_code(lines: str) -> bool:
    """Whether anything but comments is left of a cell."""
    return any(line and not line.startswith("#") for line in lines.split("\n"))


def _kept(cell: NotebookNode, theirs: Mapping[str, NotebookNode], known: Container[str]) -> Iterator[NotebookNode]:
    """A cell of the student's, for its place in the newer release, and its work as far as that has no cell there."""
    name = solution_of(cell)
    if name and (theirs[name] is not cell or _is_orphan(cell, known)):
        yield _freed(cell)
        return
    yield cell
    locked = cell.cell_type == "code" and not name and not is_added(cell)
    if locked and code_cells.bound_in(cell.source) - {"Check", "check"}:
        yield _freed(cell)


def _is_orphan(cell: NotebookNode, known: Container[str]) -> bool:
    """Whether it holds work for an exercise that is no longer asked for."""
    name = solution_of(cell)
    return bool(name) and name not in known and not _untouched(cell.source, "")


def _freed(cell: NotebookNode) -> NotebookNode:
    """A cell as if the student had added it."""
    return new_code_cell(cell.source) if cell.cell_type == "code" else new_markdown_cell(cell.source)


def _merged(name: str, theirs: str, new: str) -> str:
    """A student's cell in a newer release."""
    if _untouched(theirs, new):
        return new
    if name != IMPORTS:
        return theirs
    missing = [text for text in _statements(theirs) if text not in _statements(new)]
    kept_all = set(_statements(new)) <= set(_statements(theirs))
    return theirs if kept_all else "\n\n".join([new, *missing]).strip("\n")


def _untouched(source: str, new: str) -> bool:
    """Whether a cell holds nothing but stubs, and what the newer release has as well."""
    tree = parsed(source)
    if isinstance(tree, SyntaxProblem):
        return False
    known = set(_statements(new))
    return all(
        (isinstance(node, ast.FunctionDef) and is_stub(node)) or ast.unparse(node) in known for node in tree.body
    )


def _statements(source: str) -> list[str]:
    """The statements of a text; the text itself where Python cannot read it."""
    tree = parsed(source)
    return [source] if isinstance(tree, SyntaxProblem) else [ast.unparse(node) for node in tree.body]

"""A course for nbgrader, made from the solutions: notebooks, configuration, and a page for whoever runs it.

Only source/, nbgrader_config.py, README.md (KATA.md where the instructor has a README.md of their own) and the seed
file are ever written. Cells that the instructor has added to a notebook or taken out of it, points that they have
changed, and their own lines in the configuration survive a second build; a notebook that is replaced is kept.
"""

from __future__ import annotations

import json
import os
import re
import secrets
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import jinja2
import nbformat
from nbformat import NotebookNode

from grader import catalogue, kit, stubs
from grader.exercise import Chapter
from grader.nbgrader_bridge import pack, pieces
from grader.nbgrader_bridge.identity import POINTS, assignment_of
from grader.nbgrader_bridge.notebook import MARKS, TEXT, notebook_of
from grader.problem import Problem
from grader.result import write_atomically
from grader.submission import Module, Submission

CONFIG, SEED, SOURCE, GRADEBOOK = "nbgrader_config.py", "seed.txt", "source", "gradebook.db"
PAGES = ("README.md", "KATA.md")  # the second where the first is the instructor's own
OUR_PAGE = "<!-- kata nbgrader build -->"  # in its first line
TEMPLATES = Path(__file__).parent / "templates"
OURS = "# --- kata nbgrader build: what stands from here to the next such line is made anew ---"
YOURS = "# --- yours: what stands below is kept ---"
_BLOCK = re.compile(rf"{re.escape(OURS)}\n.*?{re.escape(YOURS)}\n", re.DOTALL)
_SEED_FILE = re.compile(r"seed_file=(\"(?:[^\"\\]|\\.)*\")")


@dataclass(frozen=True)
class Wish:
    """What a course is to be.

    Parameters
    ----------
    folder : the course's own
    chapters : an assignment for each
    given : chapters that students get solved, where others build on them
    style : "cells" or "modules"; "" leaves an assignment as it is, a new one gets cells
    seed_file : the course's secret; None keeps the one that the course has, a new course gets a new one
    """

    folder: Path
    chapters: Sequence[Chapter]
    given: Sequence[Chapter] = ()
    style: str = ""
    seed_file: Path | None = None


@dataclass
class Change:
    """What became of an assignment; the lists hold names of exercises, `points` how they were and are.

    Parameters
    ----------
    left_out : exercises that the instructor has taken out, and that stay out
    kept : where the notebook is that was replaced
    """

    assignment: str
    exercises: int
    total: float
    new: bool = False
    added: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    points: list[str] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)
    kept: Path | None = None

    def __str__(self) -> str:
        if self.new:
            return f"new, {self.exercises} exercises, {self.total:g} points"
        told = [
            f"{what}: {', '.join(names)}"
            for what in ("added", "removed", "changed", "points")
            if (names := getattr(self, what))
        ]
        return "; ".join(told) or "unchanged"


def build(wish: Wish) -> Iterator[Change]:
    """Make or renew the course, and tell what became of each assignment.

    Raises
    ------
    Problem : the folder is no course, or cannot be written; no solutions here
    """
    if not kit.SOLUTIONS.is_dir():
        raise Problem(f"There are no solutions at {kit.SOLUTIONS}.", "Courses are built in the authors' repository.")
    _refuse_strangers(wish.folder)
    seed = _seed(wish)
    write_if_new(wish.folder / CONFIG, configuration(wish.folder, seed))  # so that a build can go on that was stopped
    for chapter in wish.chapters:
        yield _build_assignment(wish, chapter)
    write_if_new(wish.folder / CONFIG, configuration(wish.folder, seed))
    write_if_new(page_of(wish.folder), page(wish.folder, seed))


def assignments(folder: Path) -> list[str]:
    """The kit's assignments in a course, in teaching order."""
    names = map(assignment_of, catalogue.chapters())
    return [name for name in names if (folder / SOURCE / name / f"{name}.ipynb").is_file()]


def configuration(folder: Path, seed: str) -> str:
    """The text of nbgrader_config.py: our block made anew, and what else stood there."""
    modules = {name: [f"{name}.py"] for name in assignments(folder) if (folder / SOURCE / name / f"{name}.py").exists()}
    lines = [
        *(OURS, "from grader.nbgrader_bridge import config", "", "c = get_config()  # noqa: F821 (nbgrader gives it)"),
        f"c.CourseDirectory.course_id = {json.dumps(folder.resolve().name)}",
        f"config.apply(c, seed_file={json.dumps(seed)})",
    ]
    if modules:  # students write in these, so that autograding must not put the released ones in their place
        lines.append(f"c.Autograde.exclude_overwriting = {json.dumps(modules)}")
    block = "\n".join([*lines, YOURS]) + "\n"
    old = _text(folder / CONFIG)
    return _BLOCK.sub(lambda _: block, old, count=1) if _BLOCK.search(old) else block + old


def page_of(folder: Path) -> Path:
    """Where the course's page stands: never in the place of one that we have not written."""
    readme, other = (folder / name for name in PAGES)
    return other if readme.exists() and not _is_ours(readme) else readme


def page(folder: Path, seed: str) -> str:
    """The text of the course's page."""
    template = jinja2.Template((TEMPLATES / "course.md").read_text(encoding="utf-8"), keep_trailing_newline=True)
    names = assignments(folder)
    told = template.render(course=folder.resolve().name, first=names[0], assignments=names, seed=seed)
    return f"{OUR_PAGE}\n{told}"


def _is_ours(path: Path) -> bool:
    return _text(path).startswith(OUR_PAGE)


def _refuse_strangers(folder: Path) -> None:
    try:
        found = sorted(path.name for path in folder.iterdir()) if folder.exists() else []
    except OSError as error:
        raise Problem(f"{folder} is no folder that can be read ({error.strerror}).", "Name another one.") from None
    if found and not {CONFIG, GRADEBOOK} & set(found) and not any(_is_ours(folder / name) for name in PAGES):
        raise Problem(
            f"{folder} is no nbgrader course: it holds {found[0]}, and neither {CONFIG} nor {GRADEBOOK}.",
            "Give a course's folder, or a new one.",
        )


def _seed(wish: Wish) -> str:
    """Where the course's secret lies, seen from the course; a new course gets a secret of its own."""
    known = _SEED_FILE.search(_text(wish.folder / CONFIG))
    if wish.seed_file is None and known:
        return str(json.loads(known[1]))
    path = wish.seed_file or wish.folder / SEED
    inside = path.resolve().is_relative_to(wish.folder.resolve())
    shown = path.resolve().relative_to(wish.folder.resolve()).as_posix() if inside else str(path.resolve())
    if shown.split("/")[0] in (SOURCE, "release"):
        raise Problem(f"The seed file {path} lies where students get it.", "Put it outside source/ and release/.")
    if wish.seed_file is None and not path.exists():
        write_atomically(path, secrets.token_urlsafe(32) + "\n")
        os.chmod(path, 0o600)
    kit.secret(path)  # told now rather than when a class is graded
    return shown


def _build_assignment(wish: Wish, chapter: Chapter) -> Change:
    name = assignment_of(chapter)
    folder = wish.folder / SOURCE / name
    path, module = folder / f"{name}.ipynb", folder / f"{name}.py"
    old = pack.read(path) if path.exists() else None
    in_cells = wish.style == "cells" or (wish.style == "" and not module.exists())
    notebook = notebook_of(chapter, in_cells)
    if old is not None:
        _take_over(notebook, old)
    text = nbformat.writes(notebook) + "\n"
    before = contents(old, _text(module), chapter) if old else {}
    stub = "" if in_cells else stubs.wanted()[kit.EXERCISES / (chapter.module.replace(".", "/") + ".py")]
    after = contents(notebook, stub, chapter)
    kept = pack.replaced(path, wish.folder) if old is not None and _text(path) != text else None
    write_if_new(path, text)
    if stub:
        write_if_new(module, stub)
    else:
        module.unlink(missing_ok=True)
    for given in given_to(chapter, [*wish.given, *_given_before(folder)]):
        write_if_new(folder / f"{assignment_of(given)}.py", solved(given))
    left_out = [exercise.name for exercise in chapter.exercises if exercise.name not in after]
    return replace(_compared(name, old is None, before, after), left_out=left_out, kept=kept)


def given_to(chapter: Chapter, given: Iterable[Chapter]) -> list[Chapter]:
    """The given chapters that this one builds on, directly or by way of another."""
    given = [one for one in given if one is not chapter]
    if not given:
        return []
    solutions = {one.module: Module(one.module, _solution(one)) for one in catalogue.chapters()}
    needed = Submission("", solutions).imported_from(chapter.module)
    return list({one.module: one for one in given if one.module in needed}.values())


def solved(chapter: Chapter) -> str:
    """A chapter's solution as students may see it, without the marks."""
    return re.sub(rf"^[ ]*(?:{stubs.BEGIN}|{stubs.END})\n", "", _solution(chapter), flags=re.MULTILINE)


def contents(notebook: NotebookNode, module: str, chapter: Chapter) -> dict[str, tuple[float, str]]:
    """Each exercise's points, and all that stands about it in the notebook and in the module beside it."""
    names = {exercise.name for exercise in chapter.exercises}
    found = {}
    told = {pack.grade_id(cell): cell.source for cell in notebook.cells}
    functions = {piece.name: piece.source for piece in pieces.cut(Module("", module), names)} if module else {}
    for cell in notebook.cells:
        if pack.grade_id(cell).endswith(POINTS) and "points" in cell.metadata.nbgrader:
            name = pack.grade_id(cell).removesuffix(POINTS)
            texts = [told.get(name + TEXT, ""), told.get(name, ""), functions.get(name, "")]
            found[name] = (float(cell.metadata.nbgrader.points), "\0".join(texts))
    return found


def write_if_new(path: Path, text: str) -> None:
    """Write a file that whoever the instructor lets can read, unless it holds just that."""
    if _text(path) != text:
        mode = path.stat().st_mode if path.exists() else 0o666 & ~_umask()
        write_atomically(path, text)
        os.chmod(path, mode)


def _umask() -> int:
    mask = os.umask(0o077)  # there is no other way to read it
    os.umask(mask)
    return mask


def _take_over(notebook: NotebookNode, old: NotebookNode) -> None:
    """What the instructor has done to the notebook: cells of their own, cells taken out, other points and kernel."""
    gone = set(old.metadata.get(MARKS, {}).get("cells", [])) - {pack.grade_id(cell) for cell in old.cells}
    notebook.cells = [cell for cell in notebook.cells if pack.grade_id(cell) not in gone]
    notebook.metadata.kernelspec = old.metadata.get("kernelspec", notebook.metadata.kernelspec)
    notebook.cells = pack.with_added(notebook.cells, old.cells, lambda cell: MARKS not in cell.metadata)
    theirs = {pack.grade_id(cell): cell.metadata for cell in old.cells if MARKS in cell.metadata}
    for cell in notebook.cells:
        facts = theirs.get(pack.grade_id(cell))
        if MARKS in cell.metadata and facts and facts.nbgrader.get("points") != facts[MARKS].get("points"):
            cell.metadata.nbgrader.points = facts.nbgrader.points


def _given_before(folder: Path) -> list[Chapter]:
    """The chapters that an earlier build has given."""
    return [one for one in catalogue.chapters() if (folder / f"{assignment_of(one)}.py").exists()]


def _compared(
    assignment: str, new: bool, before: dict[str, tuple[float, str]], after: dict[str, tuple[float, str]]
) -> Change:
    both = [name for name in after if name in before]
    return Change(
        assignment,
        len(after),
        sum(points for points, _ in after.values()),
        new,
        added=[name for name in after if name not in before],
        removed=[name for name in before if name not in after],
        changed=[name for name in both if before[name][1] != after[name][1]],
        points=[
            f"{name} {before[name][0]:g} → {after[name][0]:g}" for name in both if before[name][0] != after[name][0]
        ],
    )


def _solution(chapter: Chapter) -> str:
    return (kit.SOLUTIONS / (chapter.module.replace(".", "/") + ".py")).read_text(encoding="utf-8")


def _text(path: Path) -> str:
    """A file's text, "" where there is none."""
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return ""
    except (OSError, UnicodeDecodeError) as error:
        raise Problem(f"{path} cannot be read ({error}).", "Mend it, or move it away.") from None

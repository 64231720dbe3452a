"""The code cells of a notebook as the text of a module.

People try things out in a notebook: they draw, they time, they call what they have just written. None of that belongs
to a module, which is run whenever it is imported. So a statement counts only if an exercise needs what it binds,
directly or by way of another; all others become comments, and so do magics, shell lines, and cells that Python cannot
read. Lines keep their numbers.
"""

from __future__ import annotations

import ast
import functools
import itertools
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from grader.syntax import SyntaxProblem, bound_by, global_names, parsed, root

PYTHON_CELLS = ("%%time", "%%timeit", "%%capture", "%%prun")  # cell magics over ordinary code
_UNREADABLE = re.compile(r"[\x00\ud800-\udfff]")
_NEWLINE = re.compile(r"\r\n?")
_DEFINITION = re.compile(r"^[ \t]*def[ \t]+(\w+)", re.MULTILINE)


@dataclass(frozen=True)
class Code:
    """What a notebook's code cells come to.

    Parameters
    ----------
    cells : each cell's lines, with what does not count as comments
    broken : the functions that stand in cells which Python cannot read, with the line where it gave up
    """

    cells: list[str]
    broken: dict[str, SyntaxProblem] = field(default_factory=dict)

    @property
    def text(self) -> str:
        """The cells as one text."""
        return "\n".join(self.cells) + "\n"

    @property
    def starts(self) -> tuple[int, ...]:
        """The line of the text in which each cell begins."""
        return tuple(itertools.accumulate((cell.count("\n") + 1 for cell in self.cells[:-1]), initial=1))


def read(cells: Sequence[str], wanted: Iterable[str]) -> Code:
    """The code of these cells, as far as the functions called `wanted` need it."""
    plain = [without_magics(cell) for cell in cells]
    trees = [parsed(text) for text in plain]
    statements = [node for tree in trees if isinstance(tree, ast.Module) for node in tree.body]
    kept = {id(statement) for statement in _legal(statements, _needed(statements, wanted))}
    code = Code([])
    lines = 0
    for text, tree in zip(plain, trees, strict=True):
        if isinstance(tree, SyntaxProblem):
            problem = SyntaxProblem(lines + tree.line, tree.message, readable(tree.source))
            code.broken.update(dict.fromkeys(defined_in(text), problem))
            code.cells.append("\n".join(f"# {line}" for line in readable(text).split("\n")))
        else:
            code.cells.append(_kept_lines(text, tree, kept))
        lines += text.count("\n") + 1
    for name in {name for statement in statements for name in bound_by(statement)}:
        code.broken.pop(name, None)  # it can be read in another cell
    return code


def without_magics(cell: str) -> str:
    """A cell with what only IPython understands as comments."""
    text = _NEWLINE.sub("\n", cell).removesuffix("\n")
    if isinstance(parsed(text), ast.Module):
        return text  # also where a line happens to begin with the operator %
    kind = text.split(maxsplit=1)[0] if text.strip() else ""
    foreign = kind.startswith("%%") and kind not in PYTHON_CELLS
    return "\n".join(f"# {line}" if foreign or _is_magic(line) else line for line in text.split("\n"))


def readable(text: str) -> str:
    """The text with a sign for what JSON can hold and no source file can: halves of characters, and NUL."""
    return _UNREADABLE.sub("\ufffd", text)


def defined_in(text: str) -> list[str]:
    """The functions that a text seems to define, whether Python can read it or not."""
    return _DEFINITION.findall(text)


@functools.lru_cache(maxsize=4096)  # a kernel's every cell is asked for again at each check
def bound_in(cell: str) -> frozenset[str]:
    """The names that a cell gives a value, as far as that can be read."""
    text = without_magics(cell)
    tree = parsed(text)
    if isinstance(tree, SyntaxProblem):
        return frozenset(defined_in(text))
    return frozenset(name for statement in tree.body for name in bound_by(statement))


def _is_magic(line: str) -> bool:
    return line.lstrip().startswith(("%", "!", "?")) or line.rstrip().endswith("?")


def _needed(statements: Sequence[ast.stmt], wanted: Iterable[str]) -> list[ast.stmt]:
    """The statements that bind one of these names, or a name that such a statement uses, and so on."""
    binders: dict[str, list[ast.stmt]] = {}
    made = {name for node in statements if isinstance(node, (ast.Assign, ast.AnnAssign)) for name in bound_by(node)}
    for statement in statements:
        for name in bound_by(statement) | _changed_by(statement) & made:
            binders.setdefault(name, []).append(statement)
    found: dict[int, ast.stmt] = {}
    names = list(wanted)
    waiting = [node for node in statements if _binds_unseen(node)]
    while waiting or names:
        if names:
            waiting += binders.pop(names.pop(), [])
        else:
            statement = waiting.pop()
            if id(statement) not in found:
                found[id(statement)] = statement
                names += global_names(statement)
    return list(found.values())


def _legal(statements: Sequence[ast.stmt], needed: Sequence[ast.stmt]) -> list[ast.stmt]:
    """Those that are needed, in order; Python has a `from __future__ import` only where a module begins."""
    chosen = {id(statement) for statement in needed}
    ordered = [statement for statement in statements if id(statement) in chosen]
    first = list(itertools.takewhile(_is_future, ordered))
    return first + [statement for statement in ordered[len(first) :] if not _is_future(statement)]


def _is_future(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.ImportFrom) and statement.module == "__future__"


def _binds_unseen(statement: ast.stmt) -> bool:
    """Whether a statement binds names that cannot be read in it, or says how all the others are read."""
    starred = isinstance(statement, ast.ImportFrom) and any(alias.name == "*" for alias in statement.names)
    return starred or _is_future(statement)


def _changed_by(statement: ast.stmt) -> set[str]:
    """What a call like `table.append(3)`, which binds nothing, may change."""
    match statement:
        case ast.Expr(value=ast.Call(func=ast.Attribute() as method)):
            return {root(method)}
    return set()


def _kept_lines(text: str, tree: ast.Module, kept: set[int]) -> str:
    """The text with each line commented out that stands in a statement, and in none that is kept or shares a line."""
    spans = [range(_first_line(statement), (statement.end_lineno or 0) + 1) for statement in tree.body]
    stays = {line for statement, span in zip(tree.body, spans, strict=True) if id(statement) in kept for line in span}
    for span in (*spans, *reversed(spans)):  # a line is kept whole, and so is each statement that it is a part of
        if not stays.isdisjoint(span):
            stays.update(span)
    dropped = {line for span in spans for line in span} - stays
    lines = text.split("\n")
    return "\n".join(f"# {line}" if number in dropped else line for number, line in enumerate(lines, 1))


def _first_line(statement: ast.stmt) -> int:
    decorators = getattr(statement, "decorator_list", [])
    return min([statement.lineno, *(decorator.lineno for decorator in decorators)])

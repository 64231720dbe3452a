"""A module cut into pieces, one for each exercise, and put together again: the same text comes back.

What stands before the first exercise is a piece of its own. Helpers belong to the exercise that follows them, but those
that follow the one which uses them stay with it.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from grader.submission import Module, Submission
from grader.syntax import SyntaxProblem

IMPORTS = "imports"  # the piece before the first exercise
_BLANK = r"[ \t\f]*\n"
_PIECE = re.compile(rf"(?P<before>(?:{_BLANK})*)(?P<source>.*?)(?P<after>\n?(?:{_BLANK})*[ \t\f]*)\Z", re.DOTALL)


@dataclass(frozen=True)
class Piece:
    """A part of a module.

    Parameters
    ----------
    name : the exercise, or `IMPORTS`
    source : its text, without the empty lines around it
    before, after : these
    """

    name: str
    source: str
    before: str
    after: str

    @property
    def text(self) -> str:
        """All of it."""
        return self.before + self.source + self.after


def usual_gaps(source: str, first: bool) -> tuple[str, str]:
    """The empty lines before a piece, and the end of the line after it, where a formatter has been at work."""
    if not source:
        return "", ""
    return "" if first else "\n\n", "\n"


def cut(module: Module, exercises: Collection[str]) -> list[Piece]:
    """A module's pieces, in their order there; of a function that is defined twice the last definition counts.

    Raises
    ------
    ValueError : Python cannot read the module
    """
    tree = module.tree
    if isinstance(tree, SyntaxProblem):
        raise ValueError(f"line {tree.line}: {tree.message}")
    lines = re.split(r"(?<=\n)", module.text)
    pieces, start = [], 0
    for name, last in _ends(tree.body, module, exercises):
        end = _past_comments(lines, last)
        pieces.append(_piece(name, "".join(lines[start:end])))
        start = end
    rest = "".join(lines[start:])
    return [*pieces[:-1], _with_rest(pieces[-1], rest)]


def _piece(name: str, text: str) -> Piece:
    found = _PIECE.match(text)
    assert found is not None  # each of its parts may be empty
    return Piece(name, found["source"], found["before"], found["after"])


def _with_rest(piece: Piece, rest: str) -> Piece:
    return _piece(piece.name, piece.text + rest)


def _ends(body: Sequence[ast.stmt], module: Module, exercises: Collection[str]) -> list[tuple[str, int]]:
    """Each piece with the last line of its code: that of the exercise, or of the helpers behind it that it uses."""
    ends = [(IMPORTS, 0)]
    submission = Submission("", {"": module})
    own: set[str] | None = None  # what the exercise before this statement uses, as long as nothing else came between
    for node in body:
        last = node.end_lineno or 0
        if isinstance(node, ast.FunctionDef) and _is_exercise(node, module, exercises):
            ends.append((node.name, last))
            own = {name for _, name in submission.closure("", node.name)}
        elif len(ends) == 1 or (isinstance(node, ast.FunctionDef) and own and node.name in own):
            ends[-1] = (ends[-1][0], last)
        else:
            own = None
    return ends


def _past_comments(lines: Sequence[str], last: int) -> int:
    """The last line of a block, with the comments in it that come after all of its code."""
    for number in range(last, len(lines)):
        if lines[number].strip() and not lines[number].startswith((" ", "\t")):
            break
        if lines[number].strip():
            last = number + 1
    return last


def _is_exercise(node: ast.stmt, module: Module, exercises: Collection[str]) -> bool:
    return isinstance(node, ast.FunctionDef) and node.name in exercises and module.functions[node.name] is node

"""Relative imports, which a notebook cannot have: spelled out there, and as they were in the module again."""

from __future__ import annotations

import ast
import itertools
import re
from collections.abc import Iterator, Mapping

from grader.submission import PACKAGE, Module, source_of

_GAP = r"(?:\s|\\\n)*"
_HEAD = re.compile(rf"from{_GAP}\.(?:{_GAP}\.)*(?:{_GAP}(?!import\b)[^\W\d][\w.]*)?")


def spelled_out(name: str, text: str) -> tuple[str, dict[str, str]]:
    """A module's text with `from .ch03_activations` as `from exercises.ch03_activations`, and what each was before.

    Parameters
    ----------
    name : the module, on which it depends what the dots mean
    """
    before: dict[str, str] = {}
    pieces, done = [], 0
    for start, head, whole in _relative_heads(name, text):
        while f"{whole} import" in text:  # it is written like that, too: another space keeps the two apart
            whole = whole.replace("from ", "from  ", 1)
        before.setdefault(whole, head)
        pieces += [text[done:start], whole]
        done = start + len(head)
    return "".join([*pieces, text[done:]]), before


def as_before(text: str, before: Mapping[str, str]) -> str:
    """The text with these heads of imports as they were."""

    def head(found: re.Match[str]) -> str:
        return before[found[0]]

    heads = "|".join(re.escape(whole) for whole in sorted(before, key=len, reverse=True))
    return re.sub(rf"\b(?:{heads})(?=[\s\\]+import\b)", head, text) if before else text


def _relative_heads(name: str, text: str) -> Iterator[tuple[int, str, str]]:
    """Where each relative import begins, its head as it is written, and as it is spelled out."""
    lines = re.split(r"(?<=\n)", text)
    starts = [0, *itertools.accumulate(len(line) for line in lines)]
    nodes = [node for node in Module("", text).imports if isinstance(node, ast.ImportFrom) and node.level]
    for node in sorted(nodes, key=lambda node: (node.lineno, node.col_offset)):
        indent = lines[node.lineno - 1].encode()[: node.col_offset].decode()
        head = _HEAD.match(text, starts[node.lineno - 1] + len(indent))
        source = source_of(name, node)
        if head is not None and source is not None:
            yield head.start(), head[0], f"from {PACKAGE}{source}".rstrip(".")

"""A chapter as a notebook, made from its solution: text, the student's cells, and the cells that carry the points."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from typing import Any

from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from grader import kit
from grader.exercise import Chapter, Exercise
from grader.nbgrader_bridge import pieces
from grader.nbgrader_bridge.identity import assignment_of, points_id, solution_id
from grader.nbgrader_bridge.pieces import IMPORTS, Piece
from grader.nbgrader_bridge.relative import spelled_out
from grader.submission import Module

ABOUT, CHECK, TEXT = "about", "-check", "-text"  # grade_ids, and what ends them
MARKS = "deepkata"  # our own metadata, beside nbgrader's
SCHEMA = 3  # of nbgrader's metadata
KERNEL = {"display_name": "Python 3", "language": "python", "name": "python3"}
_SECTION = re.compile(r"^(Approach|Example|Trap|Lecture):", re.MULTILINE)
ADVICE = "\n\nApproach: "  # where a docstring's advice begins; before it stands the contract
IN_CELLS = "Replace each `raise NotImplementedError` by your code and run the cell, then the one below it"
IN_MODULE = "Write the functions in `{module}.py`, beside this notebook, save it, and run the cell below each text"
IT_SAYS = "it says what is right, and what is wrong and why. Hidden cases are checked when you hand in."


def notebook_of(chapter: Chapter, with_cells: bool = True) -> NotebookNode:
    """A chapter's notebook, with the solutions between their marks.

    Parameters
    ----------
    with_cells : whether students write in its cells; else it has text and checks only, beside a module
    """
    parts = pieces_of(chapter)
    how = IN_CELLS if with_cells else IN_MODULE.format(module=assignment_of(chapter))
    title, _, text = _docstring(parts[0].source).partition("\n\n")
    about = f"# {title.removesuffix('.')}\n\n{text}\n\n---\n\n{how}: {IT_SAYS}"
    cells = [text_cell(ABOUT, about), check_cell(chapter)]
    if with_cells:
        cells.append(solution_cell(IMPORTS, _without_docstring(parts[0].source)))
    known = {exercise.name: exercise for exercise in chapter.exercises}
    for part in parts[1:]:
        exercise = known[part.name]
        cells.append(text_cell(exercise.name + TEXT, explanation(exercise, _docstring(part.source, exercise.name))))
        if with_cells:
            cells.append(solution_cell(solution_id(exercise), _without_advice(part.source, exercise.name)))
        cells.append(points_cell(exercise))
    language = {"name": "python", "file_extension": ".py", "mimetype": "text/x-python"}
    marks = {"module": chapter.module, "cells": [cell.id for cell in cells]}  # to see what an instructor takes out
    metadata = {"kernelspec": KERNEL, "language_info": language, MARKS: marks}
    return new_notebook(cells=cells, metadata=metadata)


def pieces_of(chapter: Chapter) -> list[Piece]:
    """The chapter's solution, cut, with its imports as a notebook can have them."""
    path = kit.SOLUTIONS / (chapter.module.replace(".", "/") + ".py")
    text, _ = spelled_out(chapter.module, path.read_text(encoding="utf-8"))
    return pieces.cut(Module(path.name, text), {exercise.name for exercise in chapter.exercises})


def explanation(exercise: Exercise, docstring: str) -> str:
    """The text above an exercise: what it is about, how to go about it, what to beware of."""
    summary = docstring.partition("\n\n")[0]
    advice = _SECTION.sub(r"\n**\1:**", docstring[docstring.index(ADVICE) :]).strip()
    points = f"{exercise.points:g} point{'' if exercise.points == 1 else 's'}"
    return f"## {exercise.name} · {points}\n\n{summary}\n\n{advice}"


def text_cell(name: str, source: str) -> NotebookNode:
    """A text that students cannot change."""
    return _cell(new_markdown_cell(source), name, locked=True)


def check_cell(chapter: Chapter) -> NotebookNode:
    """The cell that brings `check`."""
    name = assignment_of(chapter)
    return _cell(
        new_code_cell(f'from grader.notebook import Check\n\ncheck = Check("{name}")'), name + CHECK, locked=True
    )


def solution_cell(name: str, source: str) -> NotebookNode:
    """A cell for the student to write in."""
    return _cell(new_code_cell(source), name, solution=True)


def points_cell(exercise: Exercise) -> NotebookNode:
    """The cell that carries an exercise's points: students check there, and the grader puts its verdict there."""
    points = int(exercise.points) if exercise.points == int(exercise.points) else exercise.points
    source = f'check("{exercise.name}")'
    cell = _cell(new_code_cell(source), points_id(exercise), grade=True, locked=True, points=points)
    cell.metadata[MARKS]["points"] = points  # so that one sees where an instructor has changed them
    return cell


def _cell(cell: NotebookNode, name: str, **facts: Any) -> NotebookNode:
    """The cell with nbgrader's metadata, and an id that is the same whenever it is built."""
    plain: Mapping[str, Any] = {"schema_version": SCHEMA, "grade": False, "solution": False, "locked": False}
    cell.metadata["nbgrader"] = {**plain, "task": False, "grade_id": name, **facts}
    cell.metadata[MARKS] = {"cell": name}
    cell.id = name
    return cell


def _docstring(source: str, function: str = "") -> str:
    """The docstring of a module, or of one of its functions."""
    return ast.get_docstring(_function(source, function) if function else ast.parse(source)) or ""


def _function(source: str, name: str) -> ast.FunctionDef:
    (node,) = [node for node in ast.parse(source).body if isinstance(node, ast.FunctionDef) and node.name == name]
    return node


def _without_advice(source: str, function: str) -> str:
    """A function's text without the part of its docstring that stands above it in the notebook."""
    docstring = _function(source, function).body[0]
    lines = source.split("\n")
    last = (docstring.end_lineno or 0) - 1  # the closing quotes, in a line of their own
    first = next(n for n in range(docstring.lineno, last) if lines[n].lstrip().startswith(ADVICE.strip()))
    return "\n".join(lines[: first - 1] + lines[last:])


def _without_docstring(source: str) -> str:
    """A module's text below its docstring."""
    first = ast.parse(source).body[0]
    return "\n".join(source.split("\n")[first.end_lineno :]).strip("\n")

"""What to read for an exercise: the Lecture line of its docstring."""

from __future__ import annotations

import ast
import functools
import re

from grader import kit, submission
from grader.problem import Problem
from grader.reports.outline import module_of, name_of
from grader.submission import Module

_LECTURE = re.compile(r"^Lecture:\s*(.+?)(?:\n\s*\n|\Z)", re.DOTALL | re.MULTILINE)


def lecture_of(exercise_id: str) -> str:
    """Where the lectures treat it; empty where this kit does not say."""
    module = _taught().get(module_of(exercise_id))
    function = module.functions.get(name_of(exercise_id)) if module else None
    found = _LECTURE.search(ast.get_docstring(function) or "") if function else None
    return " ".join(found[1].split()) if found else ""


@functools.cache
def _taught() -> dict[str, Module]:
    """The solutions, or, in a student's kit, which has none, the stubs: their docstrings are the same."""
    try:
        return submission.read(kit.SOLUTIONS if kit.SOLUTIONS.is_dir() else kit.EXERCISES).modules
    except Problem:
        return {}

"""The same exercises for other graders: nbgrader's course and otter's autograder, made of the kit's own cases.

Each function becomes a solution cell in a notebook and a test that compares its answers to the same public and hidden
cases with the same expected values; the student's notebook has the function's source in it.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from grader.exercise import Exercise
from grader.oracle import Oracle

IMPORTS = "import numpy as np\nfrom numba import njit\n"
KERNEL = {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}}


class Contestant(Protocol):
    """Grades a class."""

    name: str

    def prepare(self, folder: Path, answers: Sequence[dict[str, str]]) -> None:
        """Lay a class out in an empty folder: per student, function name -> source."""
        ...

    def grade(self) -> None:
        """Grade all of it; this is what is timed."""
        ...

    def scores(self) -> list[float]:
        """What each student got, as a share of what there is to get."""
        ...


def check_source(exercise: Exercise, oracle: Oracle, secret: str) -> str:
    """A function `check_<name>()` that asserts every case of an exercise."""
    cases = exercise.public_cases() + exercise.hidden_cases(secret)
    lines = [f"def check_{exercise.name}():"]
    for case, (value, _) in zip(cases, oracle.expected(exercise, cases), strict=True):
        arguments = ", ".join(f"{name}={literal(item)}" for name, item in case.arguments.items())
        lines.append(f"    actual = {exercise.name}({arguments})")
        lines.append(f"    np.testing.assert_allclose(actual, {literal(value)}, rtol=1e-5, atol=1e-6)")
    return "\n".join([*lines, "    return True"]) + "\n"


def literal(value: Any) -> str:
    """A value as Python source."""
    if isinstance(value, np.ndarray):
        shape = f".reshape({value.shape})" if value.ndim != 1 else ""
        numbers = ", ".join(
            f"float('{item!r}')" if not np.isfinite(item) else repr(item) for item in value.ravel().tolist()
        )
        return f"np.array([{numbers}], np.{value.dtype}){shape}"
    if isinstance(value, np.generic):
        return f"np.{value.dtype}({value.item()!r})"
    return repr(value)


def notebook(path: Path, cells: Sequence[dict[str, Any]]) -> None:
    """Write a notebook of code cells."""
    path.parent.mkdir(parents=True, exist_ok=True)
    made = {"cells": list(cells), "metadata": KERNEL, "nbformat": 4, "nbformat_minor": 5}
    path.write_text(json.dumps(made), encoding="utf-8")


def cell(identifier: str, source: str, **metadata: Any) -> dict[str, Any]:
    """A code cell."""
    common: dict[str, Any] = {"cell_type": "code", "execution_count": None, "outputs": []}
    return common | {"id": identifier, "source": source, "metadata": metadata}


def run(*command: object, cwd: Path) -> None:
    """Run a command with its own environment first on the path."""
    program = Path(str(command[0]))
    path = f"{program.parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        [str(word) for word in command], cwd=cwd, env=os.environ | {"PATH": path}, capture_output=True, text=True
    )
    if done.returncode:
        raise RuntimeError(f"{' '.join(map(str, command))} failed:\n{done.stdout[-3000:]}{done.stderr[-3000:]}")


class Nbgrader:
    """`nbgrader autograde`: a kernel per notebook, one after the other."""

    name = "nbgrader autograde"
    assignment, stem = "ps1", "p"
    # A cell that compiles may take longer than nbgrader's 30 seconds where the machine is busy.
    config = "c = get_config()\nc.CourseDirectory.course_id = 'c'\nc.Execute.timeout = 600\n"

    def __init__(self, program: Path, exercises: Sequence[Exercise], checks: Sequence[str]):
        self.program, self.exercises, self.checks = program, exercises, checks
        self.folder = Path()

    def prepare(self, folder: Path, answers: Sequence[dict[str, str]]) -> None:
        self.folder = folder
        source = {
            exercise.name: f"def {exercise.name}({', '.join(exercise.parameters)}):\n    ..."
            for exercise in self.exercises
        }
        path = Path(self.assignment) / f"{self.stem}.ipynb"
        notebook(folder / "source" / path, self.cells(source))
        (folder / "nbgrader_config.py").write_text(self.config)
        run(self.program, "generate_assignment", self.assignment, cwd=folder)
        for number, functions in enumerate(answers):
            notebook(folder / "submitted" / f"s{number}" / path, self.cells(functions))

    def cells(self, functions: dict[str, str]) -> list[dict[str, Any]]:
        """The notebook's cells, with these functions in the student's."""
        cells = [cell("imports", IMPORTS)]
        for exercise, check in zip(self.exercises, self.checks, strict=True):
            name = exercise.name
            cells.append(cell(f"f-{name}", functions[name], nbgrader=marks(f"f-{name}", solution=True)))
            graded = marks(f"t-{name}", grade=True, locked=True) | {"points": exercise.points}
            cells.append(cell(f"t-{name}", f"{check}check_{name}()\n", nbgrader=graded))
        return cells

    def grade(self) -> None:
        run(self.program, "autograde", self.assignment, cwd=self.folder)

    def scores(self) -> list[float]:
        run(self.program, "export", "--to", "grades.csv", cwd=self.folder)
        header, *rows = [line.split(",") for line in (self.folder / "grades.csv").read_text().splitlines()]
        score, most = header.index("score"), header.index("max_score")
        return [float(row[score]) / float(row[most]) for row in rows]


def marks(identifier: str, **chosen: bool) -> dict[str, Any]:
    """nbgrader's metadata of a cell."""
    kind = {"grade": False, "locked": False, "solution": False, "task": False} | chosen
    return kind | {"grade_id": identifier, "schema_version": 3}


class Otter:
    """`otter run`: without the containers of `otter grade`, which need Docker; a process and a kernel per notebook."""

    name = "otter run"

    def __init__(self, program: Path, exercises: Sequence[Exercise], checks: Sequence[str]):
        self.program, self.exercises, self.checks = program, exercises, checks
        self.folder = Path()
        self.notebooks: list[Path] = []

    def prepare(self, folder: Path, answers: Sequence[dict[str, str]]) -> None:
        self.folder, self.notebooks = folder, []
        (folder / "tests").mkdir()
        for exercise, check in zip(self.exercises, self.checks, strict=True):
            code = "".join(
                f">>> {line}\n" if not line.startswith(" ") else f"... {line}\n" for line in check.splitlines()
            )
            suite = {"cases": [{"code": f"{code}>>> check_{exercise.name}()\nTrue"}], "scored": True, "type": "doctest"}
            test = {"name": exercise.name, "points": exercise.points, "suites": [suite]}
            (folder / "tests" / f"{exercise.name}.py").write_text(f"OK_FORMAT = True\n\ntest = {test!r}\n")
        run(self.program, "generate", "-t", "tests", "-o", "autograder.zip", "--no-environment", cwd=folder)
        for number, functions in enumerate(answers):
            path = folder / f"s{number}" / "p.ipynb"
            notebook(path, [cell("imports", IMPORTS), *(cell(f"f-{name}", text) for name, text in functions.items())])
            self.notebooks.append(path)

    def grade(self) -> None:
        for path in self.notebooks:
            run(self.program, "run", path, "-a", "autograder.zip", "-o", path.parent, "--no-logo", cwd=self.folder)

    def scores(self) -> list[float]:
        told = [json.loads((path.parent / "results.json").read_text()) for path in self.notebooks]
        tests = [[test for test in one["tests"] if "max_score" in test] for one in told]
        return [sum(t["score"] for t in one) / sum(t["max_score"] for t in one) for one in tests]


def clean(folder: Path) -> Path:
    """An empty folder of that name."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder

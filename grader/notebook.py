"""`check("relu")` in a student's notebook: what `kata check` says, about what this kernel has run.

The code is judged in a worker, like any other submission, with the public cases only. Nothing here may end a Run All:
whatever goes wrong is told in words.
"""

from __future__ import annotations

import atexit
import contextlib
import importlib
import os
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from grader import catalogue, kernel
from grader.check import Checker
from grader.exercise import Chapter, Exercise
from grader.judge import static_problem
from grader.problem import Problem
from grader.reports import terminal
from grader.result import PASSED, TODO, ExerciseResult
from grader.submission import PACKAGE, Module

WIDTH = 100  # of a notebook's output
EXECUTION = "NBGRADER_EXECUTION"  # set by nbgrader while it runs a notebook: "autograde" or "validate"


class Check:
    """Checks the exercises of one chapter: `check = Check("ch03_activations")`, then `check("relu")`.

    Functions of earlier chapters are taken from the student's own, where these lie beside this one's folder.
    """

    def __init__(self, chapter: str):
        self._name = chapter
        self._checker: Checker | None = None
        with contextlib.suppress(Exception):  # it is told when something is checked
            offer(kernel.beside(self._chapter, Path.cwd()))

    def __call__(self, exercise: str) -> None:
        """Print what is right or wrong about an exercise.

        Raises
        ------
        RuntimeError : a notebook of this kit is autograded without its judge, which must not give any points
        AssertionError : where nbgrader validates the notebook, and the exercise is not passed
        """
        if os.environ.get(EXECUTION) == "autograde":
            raise RuntimeError("The kit's judge is not in nbgrader_config.py. Run `kata nbgrader build` on the course.")
        passed, told = self._verdict(exercise)
        if os.environ.get(EXECUTION) == "validate" and not passed:
            raise AssertionError(told)
        print(told)

    @property
    def _chapter(self) -> Chapter:
        chapter = catalogue.chapter_called(self._name)
        if chapter is None:
            raise Problem(f"This kit has no chapter {self._name!r}.", "Update the kit: git pull.")
        return chapter

    def _verdict(self, name: str) -> tuple[bool, str]:
        """Whether an exercise is passed, and what is to be told."""
        try:
            result = self._result(_exercise(self._chapter, name))
        except Problem as problem:
            return False, f"{problem.defect} {problem.action}"
        except KeyboardInterrupt:
            self._close()
            return False, "Stopped."
        except Exception as fault:
            self._close()
            return False, f"The check itself has failed ({type(fault).__name__}: {fault}). Tell your instructor."
        return result.status == PASSED, _told(result)

    def _result(self, exercise: Exercise) -> ExerciseResult:
        handed_in = kernel.submission_now(self._chapter, Path.cwd(), _run_so_far())
        missing = kernel.missing(handed_in, self._chapter)
        if missing and static_problem(handed_in, exercise) is None:
            names = [module.rpartition(".")[2] for module in missing]
            raise Problem(
                f"{exercise.name}: this chapter builds on {', '.join(names)}, and finds nothing of yours there.",
                f"Do {names[0]} first: in ../{names[0]}/{names[0]}.ipynb, or in the kit's exercises/.",
            )
        if self._checker is None:
            self._checker = Checker(Path.cwd())
            atexit.register(self._close)
        (result,) = self._checker.results(handed_in, [exercise])
        return result

    def _close(self) -> None:
        if self._checker is not None:
            self._checker.__exit__()
            self._checker = None


def offer(modules: Mapping[str, Module]) -> None:
    """Let `from exercises.ch03_activations import relu` find these in this kernel, before the kit's own stubs."""
    folder = Path(tempfile.mkdtemp(prefix="deepkata-notebook-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    for name, module in modules.items():
        path = folder / (name.replace(".", "/") + ".py")
        path.parent.mkdir(exist_ok=True)
        path.write_text(module.text, encoding="utf-8")
    for package in (PACKAGE.rstrip("."), f"{PACKAGE}projects"):
        below = package.replace(".", "/").removeprefix(PACKAGE.rstrip(".")).strip("/")
        importlib.import_module(package).__path__.insert(0, str(folder / below))


def _run_so_far() -> Sequence[str]:
    """The cells that this kernel has run, in the order of time."""
    with contextlib.suppress(ImportError):
        from IPython import get_ipython

        shell = get_ipython()
        if shell is not None:
            return [cell for cell in shell.history_manager.input_hist_raw if cell.strip()]
    raise Problem("This is no notebook.", "Run `kata check` in a terminal.")


def _exercise(chapter: Chapter, name: str) -> Exercise:
    for exercise in chapter.exercises:
        if exercise.name == name:
            return exercise
    names = ", ".join(exercise.name for exercise in chapter.exercises)
    raise Problem(f"{chapter.module} has no exercise {name!r}.", f"It has {names}.")


def _told(result: ExerciseResult) -> str:
    lines = terminal.as_text(terminal.result_lines(result), width=WIDTH)
    if result.status == TODO and not result.message:
        return f"{lines}\n      Not written yet: replace `raise NotImplementedError`, run that cell, then this one."
    if result.status == PASSED:
        return f"{lines}\n      Public cases passed; hidden cases are checked when you hand in."
    return lines

"""Where a network's functions come from: the solutions, or the student's own; and what is said when those fail."""

from __future__ import annotations

import functools
import importlib
import os
import shutil
import sys
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

from experiments.brake import interrupted
from grader import catalogue, kit, submission, words
from grader.exercise import Exercise
from grader.judge import static_problem
from grader.problem import Problem
from grader.result import ERROR, PASSED, TODO
from grader.worker.answer import Frame, Raised

Place = tuple[str, str]  # a module ("projects.imdb") and the name of a function there


class Source:
    """One folder of modules.

    Parameters
    ----------
    yours : true for the student's `exercises/`, false for `solutions/`

    Raises
    ------
    Problem : there is no such folder
    """

    def __init__(self, yours: bool = False):
        self.yours = yours
        self.folder = kit.EXERCISES if yours else kit.SOLUTIONS
        if not self.folder.is_dir():
            action = "Restore it from the kit." if yours else "Train your own network: `kata train … --yours`."
            raise Problem(f"There is no folder {self.folder}.", action)
        self.content = submission.read(self.folder)
        if self.folder.name not in sys.modules:
            compile_into(self.folder / ".deepkata" / "compiled", self.content.digest)

    def functions(self, name: str) -> Any:
        """A module's functions; a student's tell in a sentence what goes wrong inside."""
        try:
            module = importlib.import_module(f"{self.folder.name}.{name}")
        except Exception as error:
            if not self.yours:
                raise
            raise self._problem(error, "load", Exercise(name, name.rpartition(".")[2])) from None
        return Told(self, name, module) if self.yours else module

    def require(self, places: Sequence[Place]) -> None:
        """See that these functions are there, and all that they call.

        Raises
        ------
        Problem : one is still a stub, or cannot work, which shows without running it
        """
        reached = {place for start in places for place in (start, *self.content.closure(*start))}
        needed = [e for e in catalogue.exercises().values() if (e.module, e.name) in reached]
        unwritten = []
        for exercise in needed:
            status, message, advice = static_problem(self.content, exercise) or (PASSED, "", "")
            if status == ERROR:  # what else is wrong is the judge's business, and can be trained all the same
                raise Problem(message, advice)
            if status == TODO:
                unwritten.append(exercise)
        if unwritten:
            raise self._not_written(unwritten)

    def call(self, exercise: Exercise, function: Callable[..., Any], *arguments: Any) -> Any:
        """What a student's function returns; where it fails, a Problem that names the line."""
        try:
            return function(*arguments)
        except Exception as error:
            if interrupted(error):
                raise KeyboardInterrupt from None
            raise self._problem(error, "call", exercise) from None

    def _problem(self, error: Exception, step: str, called: Exercise) -> Problem:
        frames = frames_of(error, self.folder)
        exercise = self._innermost(frames) or called
        if isinstance(error, NotImplementedError):
            named = [e for e in catalogue.exercises().values() if e.name == str(error)]
            return self._not_written(named[:1] or [exercise])
        kinds = tuple(kind.__name__ for kind in type(error).__mro__)
        if "NumbaError" in kinds:
            step = "compile"
        _, message, advice = words.explain(exercise, Raised(step, type(error).__name__, str(error), kinds, frames))
        return Problem(message.rstrip(".") + ".", advice or f"`kata check {exercise.name}` tells more.")

    def _innermost(self, frames: Sequence[Frame]) -> Exercise | None:
        """The exercise that failed, of all that called each other."""
        modules = {module.path: name for name, module in self.content.modules.items()}
        ids = [f"{modules.get(frame.path)}.{frame.function}" for frame in reversed(frames)]
        return next((catalogue.exercises()[one] for one in ids if one in catalogue.exercises()), None)

    def _not_written(self, stubs: Sequence[Exercise]) -> Problem:
        first, more = stubs[0], len(stubs) - 1
        path = self.content.modules[first.module].path
        others = f", nor {'is one more' if more == 1 else f'are {more} more'} that it takes" if more else ""
        return Problem(
            f"{first.name} is not written yet{others}.", f"Write it in {path}, then `kata check {first.name}`."
        )


class Told:
    """A student's module, whose functions raise nothing but a Problem."""

    def __init__(self, source: Source, name: str, module: ModuleType):
        self._source, self._name, self._module = source, name, module

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._module, name)
        exercise = catalogue.exercises().get(f"{self._name}.{name}")
        return functools.partial(self._source.call, exercise, found) if exercise else found


def frames_of(error: BaseException, folder: Path) -> tuple[Frame, ...]:
    """The lines of this folder in a traceback, outermost first, with paths as messages show them."""
    if isinstance(error, SyntaxError):
        where = [(error.filename or "", error.lineno, "", (error.text or "").strip())]
    else:
        where = [(f.filename, f.lineno, f.name, f.line or "") for f in traceback.extract_tb(error.__traceback__)]
    return tuple(
        Frame(Path(path).relative_to(folder.parent).as_posix(), line or 0, function, source)
        for path, line, function, source in where
        if Path(path).is_relative_to(folder)
    )


def compile_into(folder: Path, digest: str) -> None:
    """Have numba keep what it compiles in a place of its own for exactly these sources.

    Its own place, beside the module, knows when that module has changed, but not when another one has that it calls.
    """
    import numba

    own = folder / digest[:16]
    for old in folder.glob("*") if not own.exists() else ():
        shutil.rmtree(old, ignore_errors=True)
    os.environ["NUMBA_CACHE_DIR"] = str(own)
    numba.config.reload_config()

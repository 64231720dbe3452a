"""Builders for the tests of kernels: an exercise from a NumPy function, a submission from a few lines, one verdict."""

from __future__ import annotations

import atexit
import functools
from collections.abc import Callable, Sequence
from typing import Any

import build
import numpy as np

from grader import levels
from grader.exercise import Case, Exercise, Launch
from grader.judge import Judge
from grader.oracle import Oracle
from grader.result import COMPILED, DEVICE, SIMULATED, ExerciseResult
from grader.submission import Module, Submission
from grader.worker.host import Worker

MODULE = "ch99_kernels"
HEAD = "import math\nimport numpy as np\nfrom numba import cuda, float32, int32, njit\n\n"
SIMULATED_ONLY = levels.Tools({SIMULATED: "", COMPILED: "no compiler in this test", DEVICE: "no device"}, {})


@functools.cache
def simulating() -> Worker:
    """A worker whose kernels are simulated and nothing else, which is most of what there is to test."""
    worker = Worker()
    worker.remembered["tools"] = SIMULATED_ONLY
    atexit.register(worker.close)
    return worker


class Told(Oracle):
    """Expected values from a NumPy function that works in place, as known mistakes do."""

    def __init__(self, right: Callable[..., Any]):
        super().__init__(simulating())
        self.right = right

    def expected(self, exercise: Exercise, cases: Sequence[Case]) -> list[Any]:
        answers = []
        for case in cases:
            arguments = {
                name: value.copy() if isinstance(value, np.ndarray) else value for name, value in case.arguments.items()
            }
            returned = self.right(**arguments)
            answers.append((returned, {name: arguments[name] for name in exercise.changes}))
        return answers


def judged(
    source: str,
    right: Callable[..., Any],
    *cases: Case,
    name: str = "kernel",
    worker: Worker | None = None,
    **facts: Any,
) -> ExerciseResult:
    """The verdict on a kernel (or what launches some) of this source, beside a NumPy function."""
    facts = {"changes": ("out",), "returns": (), "cuda": "kernel", "compiled": False, **facts}
    exercise = Exercise(MODULE, name, **facts)
    exercise.make_cases = lambda draw: cases
    submission = Submission("student", {MODULE: Module(f"{MODULE}.py", HEAD + source)})
    with Judge(submission, worker or simulating(), Told(right), limits=build.BRISK) as judge:
        result = judge.result(exercise)
        assert not judge.faults, judge.faults
        return result


def line(blocks: int, threads: int, shared: int = 0) -> Launch:
    """A launch in one direction."""
    return Launch((blocks,), (threads,), shared)


def poison(*shape: int) -> np.ndarray:
    """Memory as a kernel finds it."""
    return np.full(shape, np.nan, np.float32)


def numbers(*shape: int) -> np.ndarray:
    """Different numbers, the same ones every time."""
    return np.random.default_rng(7).standard_normal(shape).astype(np.float32)

"""Builders for the tests: submissions from a few lines of source, and results through one engine for all tests."""

from __future__ import annotations

import ast
import atexit
import functools
from collections.abc import Iterable, Mapping

from grader import catalogue
from grader.exercise import Case, Exercise
from grader.judge import Judge
from grader.oracle import Oracle, solutions
from grader.result import ExerciseResult
from grader.submission import Module, Submission
from grader.worker.host import Limits, Worker

# What a test's own functions need is far below what students get, so that the hanging ones end soon.
BRISK = Limits(load=20, compile=60, call=1.0)
HEAD = "import math\nimport os\nimport sys\n\nimport numpy as np\nfrom numba import njit, prange\n\n"
SECRET = "the tests' own"


@functools.cache
def worker() -> Worker:
    """One worker for all tests: importing numba once costs a second, importing it per test costs minutes."""
    shared = Worker()
    atexit.register(shared.close)
    return shared


@functools.cache
def oracle() -> Oracle:
    """One oracle for all tests; it remembers in memory, so that no test depends on what an earlier run left."""
    shared = Oracle(worker())
    atexit.register(shared.close)  # runs before the worker's own end: last registered, first called
    return shared


def submission(name: str = "student", /, **modules: str | Mapping[str, str]) -> Submission:
    """A submission of the named modules ("projects__mnist_mlp" stands for "projects.mnist_mlp").

    A module is its source text, or a function name -> source mapping: these functions, written over the solution's.
    """
    built = {}
    for key, content in modules.items():
        module = key.replace("__", ".")
        text = content if isinstance(content, str) else solved(module, content)
        built[module] = Module(f"{key}.py", text)
    return Submission(name, built)


def solved(module: str, replaced: Mapping[str, str] = {}) -> str:
    """The text of a solution module, with some of its functions replaced (an empty text deletes one)."""
    text = solutions().modules[module].text
    for name, source in replaced.items():
        node = Module(module, text).functions[name]
        first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
        lines = text.splitlines(keepends=True)
        text = "".join([*lines[: first - 1], source.strip("\n") + "\n", *lines[node.end_lineno :]])
    # `os`, `sys` and `math` are for what students should not do; they go below the docstring and __future__ imports.
    body = ast.parse(text).body
    start = 1 if ast.get_docstring(ast.parse(text)) is not None else 0
    line = body[start].lineno - 1
    lines = text.splitlines(keepends=True)
    return "".join([*lines[:line], "import math\nimport os\nimport sys\n", *lines[line:]])


def exercise(name: str) -> Exercise:
    """The exercise of that name or id."""
    (found,) = catalogue.select([name])
    return found


def judge_exercises(
    handed_in: Submission, *names: str, secret: str | None = None, limits: Limits = BRISK
) -> list[ExerciseResult]:
    """The results of these exercises, judged in this order through the shared engine."""
    with Judge(handed_in, worker(), oracle(), secret, limits) as judge:
        return list(judge.results(exercise(name) for name in names))


def judge_one(handed_in: Submission, name: str, **options: object) -> ExerciseResult:
    """The result of one exercise."""
    (result,) = judge_exercises(handed_in, name, **options)  # type: ignore[arg-type]
    return result


def judge_relu(source: str, **options: object) -> ExerciseResult:
    """The result of a relu written like this, in an otherwise right chapter."""
    return judge_one(submission(ch03_activations={"relu": source}), "relu", **options)


def statuses(results: Iterable[ExerciseResult]) -> dict[str, str]:
    """Exercise name -> status."""
    return {result.id.rpartition(".")[2]: result.status for result in results}


def small_cases(asked: Exercise) -> list[Case]:
    """All cases, public and hidden, that plain Python can compute soon and that have no recorded answer."""
    cases = asked.public_cases() + asked.hidden_cases(SECRET)
    return [case for case in cases if not case.large and case.expected is None]

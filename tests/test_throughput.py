"""The throughput benchmark gives everybody the same work: the same answers, held against the same cases."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from build import SECRET, oracle, solved

from grader import catalogue, kit
from grader.submission import Module, is_stub

sys.path.insert(0, str(kit.ROOT))  # the benchmarks run from the repository, they are not installed

from benchmarks.rivals import check_source, literal
from benchmarks.throughput import CHAPTER, answers_of, assignment, module_with

THREE = assignment(3)


def check(name: str, answer: str) -> bool:
    """Whether an answer passes the check that nbgrader and otter are given, in plain Python."""
    (exercise,) = catalogue.select([name])
    space = {"np": np, "njit": lambda function=None, **options: function or (lambda real: real)}
    exec(answer, space)
    exec(check_source(exercise, oracle(), SECRET), space)
    try:
        return space[f"check_{name}"]()
    except AssertionError:
        return False


@pytest.mark.parametrize("exercise", THREE, ids=lambda exercise: exercise.name)
def test_the_others_check_what_kata_checks(exercise):
    (answers,) = answers_of([exercise], 1)
    assert check(exercise.name, answers[exercise.name])
    assert not check(exercise.name, f"def {exercise.name}(x):\n    return x")


def test_a_value_survives_as_source():
    for value in (
        np.array([[1.5, -0.0], [np.inf, np.nan]], np.float32),
        np.zeros((0, 3), np.int64),
        np.float64(0.1),
        7,
    ):
        again = eval(literal(value), {"np": np})
        assert np.array_equal(again, value, equal_nan=True)
        assert np.asarray(again).dtype == np.asarray(value).dtype


def test_every_student_writes_the_same_in_a_text_of_their_own():
    one, other = (Module("", module_with(answers)) for answers in answers_of(THREE, 2))
    assert one.text != other.text
    written = {name for name, node in one.functions.items() if not is_stub(node)}
    assert written == {exercise.name for exercise in THREE}
    theirs = Module("", solved(CHAPTER)).functions
    assert [len(one.functions[name].body) for name in written] == [len(theirs[name].body) for name in written]
    assert "cache" not in "".join(answers_of(THREE, 1)[0].values()).partition("def")[0]

"""The numeric gradient: it agrees with every solution, and says which factor is missing."""

from __future__ import annotations

import numpy as np
import pytest
from build import exercise, oracle, small_cases

from grader import catalogue
from grader.exercise import Case, Exercise
from grader.gradient import MAX_ELEMENTS, check_gradient, numeric_gradients
from grader.verdict import _returned_parts

WITH_OBJECTIVE = [name for name, asked in catalogue.exercises().items() if asked.make_objective is not None]


@pytest.mark.parametrize("name", WITH_OBJECTIVE)
def test_the_solution_has_the_numeric_gradient(name):
    asked = exercise(name)
    cases = small_cases(asked)
    walked = 0
    for case, (value, _) in zip(cases, oracle().expected(asked, cases), strict=True):
        numeric = numeric_gradients(asked, case)
        walked += sum(int(np.isfinite(gradient).sum()) for gradient in numeric.values())
        assert check_gradient(case, _returned_parts(asked, value), numeric) is None, case.rationale
    assert walked > 0, "no element of any case was checked"


def squares(**facts: object) -> Exercise:
    """An exercise whose objective is the sum of squares, so that its gradient is 2 * x."""
    asked = Exercise("toy", "square_backward", returns=("dx",), **facts)
    asked.objective(lambda x, y_true=None: (lambda x: np.sum(x**2), {"dx": x}))
    return asked


def verdict_on(case: Case, dx: np.ndarray) -> str | None:
    asked = squares()
    difference = check_gradient(case, {"dx": dx}, numeric_gradients(asked, case))
    return None if difference is None else f"{difference.text} {difference.advice}"


X = np.array([[1.0, -2.0, 3.0], [0.5, 4.0, -1.5], [2.5, -0.25, 7.0], [5.0, 6.0, 8.0]], np.float32)


def test_the_right_gradient_passes():
    assert verdict_on(Case("x", x=X), 2 * X) is None


@pytest.mark.parametrize(
    ("factor", "words"),
    [
        (4.0, "4 times the numeric gradient everywhere. The batch has 4 samples"),
        (0.25, "0.25 times the numeric gradient everywhere. The batch has 4 samples"),
        (12.0, "12 times the numeric gradient everywhere. There are 12 elements"),
        (0.5, "derivative of the square"),
        (-1.0, "sign is reversed"),
        (1.7, "1.7 times the numeric gradient everywhere. A constant factor"),
    ],
)
def test_a_constant_factor_is_told(factor, words):
    assert words in verdict_on(Case("x", x=X), np.float32(factor) * 2 * X)


def test_one_wrong_element_is_told_with_its_place():
    dx = 2 * X
    dx[2, 1] += 1
    assert "dx[2, 1] should be -0.5 (numeric gradient), yours is 0.5." in verdict_on(Case("x", x=X), dx)


def test_a_kink_is_left_to_the_reference():
    asked = Exercise("toy", "abs_backward", returns=("dx",))
    asked.objective(lambda x: (lambda x: np.sum(np.abs(x)), {"dx": x}))
    case = Case("at zero", x=np.array([-1.0, 0.0, 2.0], np.float32))
    (numeric,) = numeric_gradients(asked, case).values()
    np.testing.assert_array_equal(np.isnan(numeric), [False, True, False])
    for slope in (-1, 0, 1):
        dx = np.array([-1, slope, 1], np.float32)
        assert check_gradient(case, {"dx": dx}, {"dx": numeric}) is None


def test_nan_does_not_pass_for_a_number():
    dx = 2 * X
    dx[0, 0] = np.nan
    assert verdict_on(Case("x", x=X), dx) is not None


def test_a_case_too_large_to_be_walked_is_left_to_the_reference():
    assert numeric_gradients(squares(), Case("large", x=np.zeros(MAX_ELEMENTS + 1, np.float32))) == {}


def test_another_shape_or_dtype_is_left_to_the_comparison():
    case = Case("x", x=X)
    for dx in (2 * X.T, (2 * X).astype(np.int64), None, "2 * x"):
        assert verdict_on(case, dx) is None

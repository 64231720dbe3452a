"""Expected against actual: nothing wrong passes, nothing right fails, and the message says where and how."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays_of

from grader.compare import close, compare
from grader.goal import AtLeast, Follows
from grader.tolerance import EXACT, FLOAT32, Tolerance

F = np.float32
X = np.array([[1, 2, 3], [4, 5, 6]], F)
BAND = Follows(np.array([3.0, 2.0, 1.0]), np.array([0.1, 0.2, 0.3]), "the loss")
SQUARE = np.array([[1, 2], [3, 4]], F)


def changed(array, index, value):
    copy = array.copy()
    copy[index] = value
    return copy


MESSAGES = {
    "the worst element is told, not the first": (
        X,
        X + np.array([[0.5, 0, 0], [0, 0, -2]], F),
        "value",
        "y[1, 2] should be 6.0, yours is 4.0 (2 of 6 elements are off).",
    ),
    "a single element needs no count": (
        np.array([2.0], F),
        np.array([3.0], F),
        "value",
        "y[0] should be 2.0, yours is 3.0.",
    ),
    "a constant factor": (X, 4 * X, "value", "Every element is 4.0 times what it should be."),
    "a constant fraction": (X, X / 4, "value", "Every element is 0.25 times what it should be."),
    "the sign": (X, -X, "value", "Every element has the opposite sign."),
    "all zeros": (X, 0 * X, "value", "Yours is all zeros"),
    "a square transposed": (SQUARE, SQUARE.T, "value", "Yours is the transpose of the right answer."),
    "rows and columns exchanged": (X, X.T, "shape", "rows and columns are exchanged: transpose it."),
    "flattened": (X, X.ravel(), "shape", "The numbers are right: only the shape is not."),
    "another shape": (X, np.ones((2, 2), F), "shape", "y should have shape (2, 3), yours has (2, 2)."),
    "nan": (X, changed(X, (0, 1), np.nan), "nan", "y[0, 1] should be 2.0, yours is nan"),
    "infinity": (X, changed(X, (1, 0), np.inf), "nan", "overflowed"),
    "a number where infinity belongs": (changed(X, (1, 0), np.inf), X, "value", "y[1, 0] should be inf, yours is 4.0"),
    "infinity of the other sign": (
        np.array([np.inf], F),
        np.array([-np.inf], F),
        "value",
        "should be inf, yours is -inf",
    ),
    "float64": (X, X.astype(np.float64), "width", "y is float64, and float32 is asked for. The numbers are right."),
    "integers for floats": (X, X.astype(np.int64), "dtype", "y should be float32, yours is int64."),
    "floats for integers": (np.arange(3), np.arange(3.0), "dtype", "y should be int64, yours is float64."),
    "numbers for truth values": (np.array([True]), np.array([1]), "dtype", "y should be bool, yours is int64."),
    "nothing for an array": (X, None, "type", "y should be an array, yours is None."),
    "a list for an array": (X, [1.0, 2.0], "type", "y should be an array, yours is a list of 2."),
    "a text for an array": (X, "X", "type", "y should be an array, yours is 'X'."),
    "an array for a number": (2.0, X, "type", "y should be a number, yours is an array of shape (2, 3)."),
    "an array of one number for a number": (2.0, np.array([2.0]), "type", "yours is an array of shape (1,)."),
    "nothing for a number": (2.0, None, "type", "y should be a number, yours is None."),
    "a truth value for a number": (1.0, True, "type", "y should be a number"),
    "another number": (2.0, 3.7, "value", "y should be 2.0, yours is 3.7."),
    "twice the number": (2.0, 4.0, "value", "It is 2.0 times what it should be."),
    "minus the number": (2.0, -2.0, "value", "opposite sign"),
    "no number at all": (2.0, float("nan"), "nan", "logarithm of 0"),
    "a float for an integer": (3, 3.0, "type", "y should be an integer, yours is 3.0 (float)."),
    "a number for a truth value": (True, 1, "value", "y should be True, yours is 1."),
    "another text": ("adam", "sgd", "value", "y should be 'adam', yours is 'sgd'."),
    "too few values": ((X, X), (X,), "count", "y should be 2 values, yours are 1."),
    "one array for two": ((X, X), X, "count", "y should be 2 values, yours is an array of shape (2, 3)."),
    "a part of a tuple": ((X, 1.0), (X, 3.5), "value", "y[1] should be 1.0, yours is 3.5."),
    "a part of a dict": ({"w": X}, {"w": -X}, "value", "y['w'][1, 2] should be 6.0"),
    "other keys": ({"w": X}, {"v": X}, "type", "y should be a dict with ['w']"),
    "below the goal": (AtLeast(0.97, "accuracy"), 0.5, "goal", "accuracy should be at least 0.97, yours is 0.5."),
    "nan for a goal": (AtLeast(0.97, "accuracy"), float("nan"), "goal", "accuracy should be at least 0.97"),
    "a text for a goal": (
        AtLeast(0.97, "accuracy"),
        "0.99",
        "goal",
        "y should be a number or an array, yours is '0.99'.",
    ),
    "a curve that leaves its band": (BAND, np.array([3.0, 2.5, 1.0]), "goal", "goes astray at point 1"),
    "a curve with nan": (BAND, np.array([3.0, 2.0, np.nan]), "goal", "goes astray at point 2"),
    "a curve that is too short": (BAND, np.array([3.0, 2.0]), "goal", "the loss should have 3 points"),
    "nothing for a curve": (BAND, None, "goal", "yours is None. Nothing was returned"),
}


@pytest.mark.parametrize(("expected", "actual", "kind", "words"), MESSAGES.values(), ids=MESSAGES.keys())
def test_a_difference_is_told_in_words(expected, actual, kind, words):
    difference = compare("y", expected, actual, FLOAT32)
    assert difference is not None
    assert difference.kind == kind
    assert words in f"{difference.text} {difference.advice}"


RIGHT = {
    "itself": (X, X),
    "an empty array": (np.zeros((0, 3), F), np.zeros((0, 3), F)),
    "nan where nan belongs": (np.array([np.nan, np.inf], F), np.array([np.nan, np.inf], F)),
    "zeros of both signs": (np.array([0.0], F), np.array([-0.0], F)),
    "a numpy scalar for a number": (2.0, F(2.0)),
    "an array without dimensions for a number": (F(2.0), np.array(2.0)),
    "int32 for int64": (np.arange(3), np.arange(3, dtype=np.int32)),
    "a list for a tuple": ((1, 2), [1, 2]),
    "numpy's truth value": (True, np.bool_(True)),
    "a curve within its band": (BAND, np.array([3.05, 1.85, 1.25])),
    "more than the goal": (AtLeast(0.97, "accuracy"), F(0.98)),
}


@pytest.mark.parametrize(("expected", "actual"), RIGHT.values(), ids=RIGHT.keys())
def test_right_answers_may_come_in_another_form(expected, actual):
    assert compare("y", expected, actual, FLOAT32) is None


def test_float64_is_no_fault_where_the_dtype_is_not_asked_for():
    assert compare("y", X, X.astype(np.float64), FLOAT32, check_dtype=False) is None


@pytest.mark.parametrize(
    ("tolerance", "expected"),
    [
        (Tolerance(relative=0, absolute=0.5, scaled=0), [10.0, 1000.0]),
        (Tolerance(relative=0.01, absolute=0, scaled=0), [10.0, 1000.0]),
        (Tolerance(relative=0, absolute=0, scaled=0.01), [10.0, 1000.0]),
    ],
    ids=["absolute", "relative", "scaled"],
)
def test_a_tolerance_ends_where_it_says(tolerance, expected):
    want = np.array(expected)
    allowance = tolerance.absolute + tolerance.relative * want + tolerance.scaled * want.max()
    for sign in (-1, 1):
        assert close(want, want + sign * 0.999 * allowance, tolerance).all()
        assert not close(want, want + sign * 1.001 * allowance, tolerance).any()


def test_an_infinity_does_not_widen_the_tolerance():
    want = np.array([np.inf, 1.0])
    np.testing.assert_array_equal(close(want, np.array([np.inf, 1.1]), FLOAT32), [True, False])


numbers = st.floats(width=32, allow_nan=True, allow_infinity=True)
whatever = st.one_of(
    arrays_of.arrays(F, arrays_of.array_shapes(min_dims=0, min_side=0, max_side=4), elements=numbers),
    arrays_of.arrays(np.int64, arrays_of.array_shapes(max_side=4)),
    arrays_of.arrays(np.bool_, arrays_of.array_shapes(max_side=4)),
    st.floats(),
    st.integers(-(2**62), 2**62),
    st.booleans(),
    st.text(max_size=5),
    st.none(),
)


@settings(deadline=None, max_examples=200)
@given(st.one_of(whatever, st.tuples(whatever, whatever), st.dictionaries(st.text(max_size=3), whatever, max_size=3)))
def test_everything_equals_itself(value):
    assert compare("y", value, value, FLOAT32) is None
    assert compare("y", value, value, EXACT) is None


@settings(deadline=None, max_examples=200)
@given(
    expected=arrays_of.arrays(
        F,
        arrays_of.array_shapes(max_dims=3, max_side=5),
        elements=st.floats(-1e6, 1e6, width=32),
    ),
    where=st.integers(0, 1000),
    sign=st.sampled_from([-1, 1]),
)
def test_a_step_over_the_tolerance_is_always_found(expected, where, sign):
    index = np.unravel_index(where % expected.size, expected.shape)
    allowed = FLOAT32.absolute + FLOAT32.relative * abs(expected[index]) + FLOAT32.scaled * np.abs(expected).max()
    actual = expected.astype(np.float64)
    actual[index] += sign * 1.01 * float(allowed)
    difference = compare("y", expected, actual, FLOAT32)
    assert difference is not None
    assert f"y[{', '.join(map(str, index))}]" in difference.text
    actual[index] = expected[index] + sign * 0.98 * float(allowed)
    assert compare("y", expected, actual, FLOAT32, check_dtype=False) is None


@settings(deadline=None, max_examples=200)
@given(expected=whatever, actual=st.one_of(whatever, st.lists(whatever, max_size=3)))
def test_no_answer_however_odd_breaks_the_comparison(expected, actual):
    difference = compare("y", expected, actual, FLOAT32)
    assert difference is None or difference.text


@settings(deadline=None, max_examples=100)
@given(actual=st.recursive(whatever, lambda inner: st.lists(inner, max_size=3), max_leaves=6))
def test_no_answer_however_odd_reaches_a_goal_by_accident(actual):
    for goal in (AtLeast(np.inf, "accuracy"), BAND):
        difference = compare("accuracy", goal, actual, FLOAT32)
        assert difference is None or difference.kind == "goal"

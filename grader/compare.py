"""Expected against actual: where they differ, in words."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from grader.goal import Goal
from grader.tolerance import Tolerance


@dataclass(frozen=True)
class Difference:
    """Where an answer is wrong, in words.

    `kind` is type, count, shape, dtype, value, nan, ratio or unchanged where the answer is another one; width (float64
    for float32, the numbers right), spoiled or goal where something else is wrong.
    """

    kind: str
    text: str
    advice: str = ""


def compare(name: str, expected: Any, actual: Any, tolerance: Tolerance, check_dtype: bool = True) -> Difference | None:
    """The difference between two values, or None where the actual one is right.

    Parameters
    ----------
    name : what the student calls the value, e.g. "dx"
    expected : array, scalar, text, None, tuple of these, or a goal
    check_dtype : whether float64 for float32 counts as wrong; values are compared first, so that the message can say
        that they are right
    """
    if isinstance(expected, Goal):
        if not isinstance(actual, (int, float, np.generic, np.ndarray)):
            found = _describe(actual)
            return Difference("goal", f"{name} should be a number or an array, yours is {found}.", _none_advice(actual))
        return None if expected.reached(actual) else Difference("goal", expected.miss(actual))
    if isinstance(expected, np.ndarray) and expected.ndim > 0:
        return _compare_arrays(name, expected, actual, tolerance, check_dtype)
    if isinstance(expected, (tuple, list)):
        return _compare_sequences(name, expected, actual, tolerance, check_dtype)
    if isinstance(expected, dict):
        return _compare_dicts(name, expected, actual, tolerance, check_dtype)
    if expected is None or isinstance(expected, (str, bool, np.bool_)):
        same = isinstance(actual, type(expected)) and bool(actual == expected)
        if isinstance(expected, (bool, np.bool_)):
            same = isinstance(actual, (bool, np.bool_)) and bool(actual) == bool(expected)
        return None if same else Difference("value", f"{name} should be {_show(expected)}, yours is {_show(actual)}.")
    return _compare_numbers(name, expected, actual, tolerance)


def _compare_numbers(name: str, expected: Any, actual: Any, tolerance: Tolerance) -> Difference | None:
    if not _is_number(actual):
        return Difference("type", f"{name} should be a number, yours is {_describe(actual)}.", _none_advice(actual))
    if isinstance(expected, (int, np.integer)) and not isinstance(actual, (int, np.integer, bool, np.bool_)):
        advice = "/ always gives a float: // divides whole numbers." if isinstance(actual, (float, np.floating)) else ""
        return Difference("type", f"{name} should be an integer, yours is {_describe(actual)}.", advice)
    if close(np.asarray(expected), np.asarray(actual), tolerance).all():
        return None
    return Difference(
        "value" if not math.isnan(actual) else "nan",
        f"{name} should be {_show(expected)}, yours is {_show(actual)}.",
        "" if isinstance(expected, (int, np.integer)) else _number_advice(float(expected), float(actual)),
    )


def _compare_sequences(
    name: str, expected: Sequence[Any], actual: Any, tolerance: Tolerance, check_dtype: bool
) -> Difference | None:
    if not isinstance(actual, (tuple, list)):
        return Difference(
            "count", f"{name} should be {_values(expected)}, yours is {_describe(actual)}.", _none_advice(actual)
        )
    if len(actual) != len(expected):
        return Difference("count", f"{name} should be {_values(expected)}, yours are {len(actual)}.")
    for index, (want, got) in enumerate(zip(expected, actual, strict=True)):
        difference = compare(f"{name}[{index}]", want, got, tolerance, check_dtype)
        if difference:
            return difference
    return None


def _values(expected: Sequence[Any]) -> str:
    return "1 value in a tuple" if len(expected) == 1 else f"{len(expected)} values"


def _compare_dicts(
    name: str, expected: dict[str, Any], actual: Any, tolerance: Tolerance, check_dtype: bool
) -> Difference | None:
    if not isinstance(actual, dict) or set(actual) != set(expected):
        return Difference("type", f"{name} should be a dict with {sorted(expected)}, yours is {_describe(actual)}.")
    for key, want in expected.items():
        difference = compare(f"{name}[{key!r}]", want, actual[key], tolerance, check_dtype)
        if difference:
            return difference
    return None


def _compare_arrays(
    name: str, expected: np.ndarray, actual: Any, tolerance: Tolerance, check_dtype: bool
) -> Difference | None:
    if not isinstance(actual, np.ndarray):
        advice = _none_advice(actual) or "Make it a NumPy array: np.array(…)."
        if _is_number(actual):
            advice = f"It has shape {expected.shape}: did you sum over an axis too many?"
        return Difference("type", f"{name} should be an array, yours is {_describe(actual)}.", advice)
    if actual.shape != expected.shape:
        return _shape_difference(name, expected, actual, tolerance)
    if actual.dtype.kind not in _kinds(expected.dtype.kind):
        return Difference(
            "dtype",
            f"{name} should be {expected.dtype}, yours is {actual.dtype}.",
            f"Create it with that dtype, e.g. np.zeros(shape, np.{expected.dtype}).",
        )
    right = close(expected, actual, tolerance)
    if not right.all():
        return _value_difference(name, expected, actual, right)
    if check_dtype and expected.dtype.kind == "f" and actual.dtype != expected.dtype:
        return Difference(
            "width",
            f"{name} is {actual.dtype}, and {expected.dtype} is asked for. The numbers are right.",
            f"np.zeros(shape) is float64 unless you say np.zeros(shape, np.{expected.dtype}), and numba widens "
            "float32 with a Python float: write np.float32(1).",
        )
    return None


def close(expected: np.ndarray, actual: np.ndarray, tolerance: Tolerance) -> np.ndarray:
    """Element by element, whether `actual` is within the tolerance; infinities and NaN must be the same.

    Whole numbers are counted, not measured: they have no tolerance.
    """
    if expected.dtype.kind in "iub":
        return np.asarray(expected == actual)
    want, got = np.asarray(expected, np.float64), np.asarray(actual, np.float64)
    with np.errstate(invalid="ignore"):  # infinity minus infinity is settled by `want == got`
        near = np.abs(got - want) <= _allowance(want, tolerance)
    return near | (want == got) | (np.isnan(want) & np.isnan(got))


def _allowance(want: np.ndarray, tolerance: Tolerance) -> np.ndarray:
    finite = np.abs(want[np.isfinite(want)])
    largest = float(finite.max()) if finite.size else 0.0
    size = np.where(np.isfinite(want), np.abs(want), 0.0)
    return np.asarray(tolerance.absolute + tolerance.scaled * largest + tolerance.relative * size)


def _shape_difference(name: str, expected: np.ndarray, actual: np.ndarray, tolerance: Tolerance) -> Difference:
    text = f"{name} should have shape {expected.shape}, yours has {actual.shape}."
    if actual.shape == expected.shape[::-1] and close(expected, actual.T, tolerance).all():
        return Difference("shape", text, "The numbers are right, rows and columns are exchanged: transpose it.")
    if actual.size == expected.size and close(expected.ravel(), actual.ravel(), tolerance).all():
        return Difference("shape", text, "The numbers are right: only the shape is not.")
    return Difference("shape", text, _shape_advice(expected.shape, actual.shape))


def _shape_advice(want: tuple[int, ...], got: tuple[int, ...]) -> str:
    if len(want) != len(got):
        return "Check which axis is which, and over which one you sum."
    if sorted(want) == sorted(got):
        return "The sides are there, in another order: which axis is which?"
    if sum(one != other for one, other in zip(want, got, strict=True)) == 1:
        return "Count along that axis: where do your loop, slice or selection begin and end?"
    return "Check which axis is which, and where your loops or slices end."


def _value_difference(name: str, expected: np.ndarray, actual: np.ndarray, right: np.ndarray) -> Difference:
    want, got = np.asarray(expected, np.float64), np.asarray(actual, np.float64)
    bad = ~np.isfinite(got) & np.isfinite(want)
    off = np.where(right, -1.0, np.abs(np.where(np.isfinite(got), got, 0) - np.where(np.isfinite(want), want, 0)))
    index = np.unravel_index(int(np.argmax(bad) if bad.any() else np.argmax(off)), want.shape)
    where = f"{name}[{', '.join(str(int(i)) for i in index)}]"
    text = f"{where} should be {_show(expected[index])}, yours is {_show(actual[index])}"
    wrong = int((~right).sum())
    text += f" ({wrong} of {right.size} elements are off)." if right.size > 1 else "."
    if bad.any():
        advice = "Something overflowed, or 0/0 was computed: look at the largest and smallest inputs."
        return Difference("nan", text, advice)
    return Difference("value", text, _pattern_advice(want, got))


def _pattern_advice(want: np.ndarray, got: np.ndarray) -> str:
    """A simple relation between the two arrays, where there is one."""
    if want.ndim == 2 and want.shape[0] == want.shape[1] and np.allclose(want.T, got, 1e-4, 1e-7):
        return "Yours is the transpose of the right answer."
    if not np.any(got):
        return "Yours is all zeros: was the result written into the array that you return?"
    ratio = constant_ratio(want, got)
    if ratio is None:
        return ""
    if ratio == -1:
        return "Every element has the opposite sign."
    return f"Every element is {_show(ratio)} times what it should be."


def _number_advice(want: float, got: float) -> str:
    if math.isnan(got) or math.isinf(got):
        return "Something overflowed, or a logarithm of 0 or 0/0 was computed."
    ratio = constant_ratio(np.array([want]), np.array([got]))
    if ratio == -1:
        return "It has the opposite sign."
    return f"It is {_show(ratio)} times what it should be." if ratio is not None else ""


def constant_ratio(want: np.ndarray, got: np.ndarray) -> float | None:
    """`got / want` where that is the same number everywhere and no accident, else None.

    Two elements that agree are no accident; of a single one only -1, a whole number or one over a whole number is told.
    """
    usable = np.isfinite(want) & np.isfinite(got)
    want, got = want[usable], got[usable]
    clear = np.abs(want) > 1e-6 * max(1e-30, float(np.abs(want).max(initial=0.0)))
    if not clear.any() or np.any(np.abs(got[~clear]) > 1e-5 * max(1e-30, float(np.abs(got).max(initial=0.0)))):
        return None
    with np.errstate(all="ignore"):
        ratios = got[clear] / want[clear]
        ratio = float(np.median(ratios))
        if not 1e-6 < abs(ratio) < 1e6 or not np.all(np.abs(ratios - ratio) <= 1e-3 * abs(ratio)):
            return None
    nearest = float(round(ratio)) if abs(ratio) >= 1 else 1 / round(1 / ratio)
    if abs(nearest - ratio) < 2e-3 * abs(ratio):
        return nearest
    return ratio if ratios.size > 1 else None


def _kinds(kind: str) -> str:
    """The dtype kinds that may stand for one: floats for floats, integers for integers, truth values alone."""
    return {"f": "f", "i": "iu", "u": "iu", "b": "b"}.get(kind, kind)


def _is_number(value: Any) -> bool:
    if isinstance(value, np.ndarray):
        return value.ndim == 0 and value.dtype.kind in "fiu"
    return isinstance(value, (int, float, np.integer, np.floating)) and not isinstance(value, bool)


def _none_advice(value: Any) -> str:
    return "Nothing was returned: is a `return` missing, perhaps on one path only?" if value is None else ""


def _describe(value: Any) -> str:
    if value is None:
        return "None"
    if isinstance(value, np.ndarray):
        return f"an array of shape {value.shape}"
    if isinstance(value, (tuple, list)):
        return f"a {type(value).__name__} of {len(value)}"
    if isinstance(value, (int, float, np.generic)):
        return f"{_show(value)} ({type(value).__name__})"
    return f"{_show(value)}" if isinstance(value, str) else f"a {type(value).__name__}"


def _show(value: Any) -> str:
    """A value as a message shows it: four to six digits, no numpy type names."""
    if isinstance(value, (bool, np.bool_)):
        return str(bool(value))
    if isinstance(value, (int, np.integer)):
        return str(int(value))
    if isinstance(value, (float, np.floating)) or (isinstance(value, np.ndarray) and value.ndim == 0):
        number = float(value)
        text = f"{number:.6g}"
        return text + ".0" if text.lstrip("-").isdigit() else text
    if isinstance(value, str):
        return repr(value[:80])
    return repr(value)[:80]

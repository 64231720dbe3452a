"""The numeric gradient: what a gradient must be, without any reference solution.

Central differences in float64, every element: dL/dw_i = (L(w + h e_i) - L(w - h e_i)) / 2h with an error of order h².
A kink (ReLU at 0, a clip's edge) has no derivative; it shows as two one-sided differences that disagree, and such an
element is left to the reference.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from grader.compare import Difference, close, constant_ratio
from grader.exercise import Case, Exercise
from grader.tolerance import Tolerance

MAX_ELEMENTS = 400
STEP = 1e-5
# Rounding of the student's float32 on top of the differences' own error (about 1e-9 relative).
NUMERIC = Tolerance(relative=2e-3, absolute=1e-6, scaled=1e-4)


@functools.cache
def numeric_gradients(exercise: Exercise, case: Case) -> dict[str, np.ndarray]:
    """The gradients of the exercise's objective at this case, by output name; NaN where the objective has a kink.

    Empty where the exercise declares no objective, or the case is too large to be walked element by element.
    """
    if exercise.make_objective is None or _size(case) > MAX_ELEMENTS:
        return {}
    arguments = {name: _widen(value) for name, value in case.arguments.items()}
    with np.errstate(all="ignore"):
        function, points = exercise.make_objective(**arguments)
        values = [np.array(point, np.float64) for point in points.values()]
        return {name: _central(function, values, position) for position, name in enumerate(points)}


def check_gradient(case: Case, parts: dict[str, Any], numeric: dict[str, np.ndarray]) -> Difference | None:
    """Compare the returned gradients with the numeric ones, every element; None where all agree."""
    for name, gradient in numeric.items():
        actual = parts.get(name)
        if not isinstance(actual, np.ndarray) or actual.shape != gradient.shape or actual.dtype.kind != "f":
            continue  # the comparison with the reference says so in better words
        smooth = np.isfinite(gradient)
        right = close(np.where(smooth, gradient, 0), np.where(smooth, actual, 0), NUMERIC)
        if not right.all():
            return _describe(name, gradient, actual, right, case)
    return None


def _describe(name: str, gradient: np.ndarray, actual: np.ndarray, right: np.ndarray, case: Case) -> Difference:
    smooth = np.isfinite(gradient)
    ratio = constant_ratio(gradient[smooth], np.asarray(actual, np.float64)[smooth])
    if ratio is not None and ratio not in (0, 1) and np.count_nonzero(gradient[smooth]) > 1:
        text = f"{name} is {ratio:.4g} times the numeric gradient everywhere."
        return Difference("ratio", text, _ratio_advice(ratio, case))
    off = np.where(right, -1.0, np.abs(np.where(smooth, actual - gradient, 0)))
    index = np.unravel_index(int(np.argmax(off)), gradient.shape)
    where = ", ".join(str(int(i)) for i in index)
    text = f"{name}[{where}] should be {gradient[index]:.6g} (numeric gradient), yours is {actual[index]:.6g}."
    return Difference("value", text)


def _ratio_advice(ratio: float, case: Case) -> str:
    if ratio == -1:
        return "The sign is reversed."
    factor = ratio if abs(ratio) > 1 else 1 / ratio
    sizes = [value for value in case.arguments.values() if isinstance(value, np.ndarray) and value.ndim]
    if sizes and abs(factor) == sizes[0].shape[0]:
        return f"The batch has {sizes[0].shape[0]} samples: a mean over the batch is missing or doubled."
    if sizes and abs(factor) == sizes[0].size:
        return f"There are {sizes[0].size} elements: a mean over all of them is missing or doubled."
    if abs(factor) == 2:
        return "A factor of 2: what is the derivative of the square?"
    return "A constant factor is missing or too much."


def _central(function: Callable[..., float], points: list[np.ndarray], position: int) -> np.ndarray:
    point = points[position]
    gradient = np.empty_like(point)
    middle = float(function(*points))
    for index in np.ndindex(point.shape):
        kept = point[index]
        step = STEP * max(1.0, float(abs(kept)))
        point[index] = kept + step
        above = float(function(*points))
        point[index] = kept - step
        below = float(function(*points))
        point[index] = kept
        right, left = (above - middle) / step, (middle - below) / step
        # The two sides of a smooth function differ by h * L'' only; those of a kink by the jump of its slope.
        noise = 1e-2 * max(abs(right), abs(left)) + 1e-4
        gradient[index] = (above - below) / (2 * step) if abs(right - left) <= noise else np.nan
    return gradient


def _size(case: Case) -> int:
    return sum(value.size for value in case.arguments.values() if isinstance(value, np.ndarray))


def _widen(value: Any) -> Any:
    if isinstance(value, np.ndarray) and value.dtype.kind == "f":
        return value.astype(np.float64)
    if isinstance(value, tuple):
        return tuple(_widen(part) for part in value)
    return value

"""Python's `math` as a device has it: float32 gives float32, and what overflows is infinite instead of an error."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

# What NumPy calls otherwise than `math`.
RENAMED = {
    **{"acos": "arccos", "asin": "arcsin", "atan": "arctan", "atan2": "arctan2", "pow": "power"},
    **{"acosh": "arccosh", "asinh": "arcsinh", "atanh": "arctanh"},
}
SAME = (
    *("exp", "expm1", "log", "log1p", "log2", "log10", "sqrt", "fabs", "fmod", "hypot", "copysign", "ldexp"),
    *("sin", "cos", "tan", "sinh", "cosh", "tanh", "isnan", "isinf", "isfinite"),
)
CAST = ("erf", "erfc", "gamma", "lgamma")  # NumPy has none of these


class Arithmetic:
    """In the place of the module `math` while a kernel runs."""

    def __getattr__(self, name: str) -> Any:
        return getattr(math, name)


def _like_numpy(function: Any) -> Callable[..., Any]:
    """NumPy's, for numbers of whatever kind; Python's own are float64, which takes the other operand's precision."""

    def compute(*numbers: Any) -> Any:
        result = function(*(float(number) if isinstance(number, (int, np.integer)) else number for number in numbers))
        precise = isinstance(result, np.float64) and not any(isinstance(number, np.float64) for number in numbers)
        return float(result) if precise else result

    return compute


def _cast(function: Callable[[float], float]) -> Callable[[Any], Any]:
    def compute(number: Any) -> Any:
        result = function(float(number))
        return number.dtype.type(result) if isinstance(number, np.floating) else result

    return compute


arithmetic = Arithmetic()
FUNCTIONS: dict[str, Callable[..., Any]] = {
    **{name: _like_numpy(getattr(np, name)) for name in SAME},
    **{name: _like_numpy(getattr(np, other)) for name, other in RENAMED.items()},
    **{name: _cast(getattr(math, name)) for name in CAST},
}
for _name, _function in FUNCTIONS.items():
    setattr(arithmetic, _name, _function)
# For `from math import exp`: the function itself stands among a module's names.
BY_FUNCTION = {id(getattr(math, name)): function for name, function in FUNCTIONS.items()}

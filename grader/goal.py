"""Answers that are judged by what they achieve, not by what they are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np


class Goal:
    """An expected answer that is a demand."""

    def reached(self, answer: Any) -> bool:
        """Whether the answer meets it."""
        raise NotImplementedError

    def miss(self, answer: Any) -> str:
        """In words, by what a wrong answer missed it."""
        raise NotImplementedError


@dataclass(frozen=True)
class AtLeast(Goal):
    """An expected answer that is a floor: any number that reaches it is right.

    Parameters
    ----------
    value : the floor
    what : what the number is, as messages call it, e.g. "test accuracy"
    """

    value: float
    what: str

    def reached(self, answer: Any) -> bool:
        """Whether the answer is one real number that is not below the floor; nan never is."""
        number = np.asarray(answer)
        return number.size == 1 and number.dtype.kind in "fiu" and bool(number.reshape(()) >= self.value)

    def miss(self, answer: Any) -> str:
        number = np.asarray(answer)
        if number.size != 1 or number.dtype.kind not in "fiu":
            return f"{self.what} should be a number of at least {self.value:.4g}."
        return f"{self.what} should be at least {self.value:.4g}, yours is {float(number.reshape(())):.4g}."


@dataclass(frozen=True, eq=False)
class Follows(Goal):
    """An expected curve that an answer stays close to, point by point.

    Parameters
    ----------
    curve : the recorded values
    allowance : how far off each of them may be
    what : what the curve is, as messages call it, e.g. "the loss curve"
    """

    curve: np.ndarray
    allowance: np.ndarray
    what: str

    def reached(self, answer: Any) -> bool:
        """Whether every point is within its allowance; nan never is."""
        points = np.asarray(answer)
        if points.shape != self.curve.shape or points.dtype.kind not in "fiu":
            return False
        return bool(np.all(np.abs(points.astype(np.float64) - self.curve) <= self.allowance))

    def miss(self, answer: Any) -> str:
        points = np.asarray(answer)
        if points.shape != self.curve.shape or points.dtype.kind not in "fiu":
            return f"{self.what} should have {self.curve.size} points, yours has shape {points.shape}."
        off = ~(np.abs(points.astype(np.float64) - self.curve) <= self.allowance)
        first = int(np.argmax(off))
        return (
            f"{self.what} goes astray at point {first}, which should be {self.curve[first]:.4g} "
            f"(give or take {self.allowance[first]:.1g}), yours is {points[first]:.4g} "
            f"({int(off.sum())} of {off.size} points are off)."
        )

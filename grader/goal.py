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
        number = _number(answer)
        return number is not None and number >= self.value

    def miss(self, answer: Any) -> str:
        return _miss(self.what, f"at least {self.value:.4g}", answer)


@dataclass(frozen=True)
class AtMost(Goal):
    """An expected answer that is a ceiling: any number that stays below it, or meets it, is right.

    Parameters
    ----------
    value : the ceiling
    what : what the number is, as messages call it, e.g. "test MAE"
    """

    value: float
    what: str

    def reached(self, answer: Any) -> bool:
        """Whether the answer is one real number that is not above the ceiling; nan never is."""
        number = _number(answer)
        return number is not None and number <= self.value

    def miss(self, answer: Any) -> str:
        return _miss(self.what, f"at most {self.value:.4g}", answer)


def _number(answer: Any) -> float | None:
    """The answer, if it is one real number."""
    number = np.asarray(answer)
    return float(number.reshape(())) if number.size == 1 and number.dtype.kind in "fiu" else None


def _miss(what: str, demand: str, answer: Any) -> str:
    number = _number(answer)
    if number is None:
        return f"{what} should be a number of {demand}."
    return f"{what} should be {demand}, yours is {number:.4g}."


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

"""Answers that are judged by what they achieve, not by what they are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class AtLeast:
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
        """In words, what a wrong answer missed."""
        number = np.asarray(answer)
        if number.size != 1 or number.dtype.kind not in "fiu":
            return f"{self.what} should be a number of at least {self.value:.4g}."
        return f"{self.what} should be at least {self.value:.4g}, yours is {float(number.reshape(())):.4g}."

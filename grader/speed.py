"""What speed is worth: points of a right answer that grow with how fast it is, as a ratio and never in seconds."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from grader.draw import Draw

if TYPE_CHECKING:
    from grader.exercise import Case

RIGHT_SHARE = 0.25  # of the points, for a right answer however slow
FULL = 0.75  # the ratio from which on all the points are earned; below 1, because a clock is never exact


@dataclass(frozen=True)
class Speed:
    """How the points of an exercise grow with its speed.

    The ratio is the solution's time over the student's, measured on the same calls in the same minute: 2 is twice as
    fast as the solution. Every doubling between `floor` and `full` is worth the same.

    Parameters
    ----------
    make_case : one fresh, large case for each timed call
    floor : the ratio up to which only `RIGHT_SHARE` of the points is earned
    full : the ratio from which on all of them are
    """

    make_case: Callable[[Draw], Case]
    floor: float
    full: float = FULL

    def share(self, ratio: float) -> float:
        """Which share of the points a ratio earns."""
        if ratio <= self.floor:
            return RIGHT_SHARE
        climbed = math.log(ratio / self.floor) / math.log(self.full / self.floor)
        return min(1.0, RIGHT_SHARE + (1 - RIGHT_SHARE) * climbed)

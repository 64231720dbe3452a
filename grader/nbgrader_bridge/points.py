"""From a verdict to the number in nbgrader's gradebook."""

from __future__ import annotations

import math

from grader.result import ExerciseResult


def points_of(result: ExerciseResult, worth: float) -> float:
    """What a result earns in a cell that is worth so much: the instructor may have changed the points.

    Whatever the result says, it is a finite float from 0 to `worth`: nbgrader takes anything else for full marks.
    """
    share = result.score / result.points if result.points else 0.0
    earned = float(result.score) if worth == result.points else share * worth
    return min(max(earned, 0.0), float(worth)) if math.isfinite(earned) else 0.0

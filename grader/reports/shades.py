"""How a result looks in one cell: a sign that needs no colour, and the class that colours it."""

from __future__ import annotations

from dataclasses import dataclass

from grader.result import BLOCKED, FAILED, PASSED, TODO, VIOLATION, ExerciseResult

LEVELS = 5


@dataclass(frozen=True)
class Shade:
    """A kind of result: `letter` is its class in the style sheet."""

    letter: str
    sign: str
    meaning: str


RIGHT = Shade("p", "✓", "passed")
SLOW = Shade("s", "~", "right, but not worth all points yet")
OPEN = Shade("t", "", "not written yet")
WAITING = Shade("b", "↑", "fails with one that it calls")
WRONG = Shade("f", "✗", "wrong")
BROKEN = Shade("e", "!", "does not compile, raises, crashes or hangs")
REFUSED = Shade("v", "§", "breaks a rule")
SHADES = (RIGHT, SLOW, OPEN, WAITING, WRONG, BROKEN, REFUSED)
_BY_STATUS = {PASSED: RIGHT, TODO: OPEN, BLOCKED: WAITING, FAILED: WRONG, VIOLATION: REFUSED}


def shade_of(result: ExerciseResult) -> Shade:
    """The shade of a result."""
    if result.status == PASSED and result.score < result.points:
        return SLOW
    return _BY_STATUS.get(result.status, BROKEN)


def level_of(share: float) -> str:
    """The class of a share of the points, from l0 (few) to l4 (nearly all)."""
    return f"l{min(int(share * LEVELS), LEVELS - 1)}"

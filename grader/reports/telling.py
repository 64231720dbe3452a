"""What of a result is told to its student, whatever it is shown on."""

from __future__ import annotations

from collections.abc import Iterable

from grader.reports.lectures import lecture_of
from grader.result import ERROR, PASSED, TODO, CaseResult, ExerciseResult, Record
from grader.text import one_line


def repeats(result: ExerciseResult, earlier: Iterable[ExerciseResult]) -> bool:
    """Whether another exercise has said the same already: one broken line fails all that is in its file."""
    said = result.message.partition(": ")[2]
    return result.status == ERROR and any(said == other.message.partition(": ")[2] for other in earlier)


def failing_case(result: ExerciseResult) -> CaseResult | None:
    """The first case that fails, of those that a student may see."""
    return next((case for case in result.cases if case.status != PASSED and not case.hidden), None)


def feedback(result: ExerciseResult) -> list[str]:
    """What is told of a result where there are only lines: the defect, the action, what to read."""
    lecture = lecture_of(result.id) if result.status not in (PASSED, TODO) else ""
    lines = [one_line(result.message), one_line(result.help), f"Read: {lecture}" if lecture else ""]
    return [line for line in lines if line]


def points(value: float) -> str:
    """Points as a gradebook has them: two decimals at most, none where there are none."""
    return f"{round(value, 2):.10g}"


def headline(record: Record) -> str:
    """How much of it is right, in a sentence."""
    tried = len(record.exercises) - record.count(TODO)
    return f"{record.count(PASSED)} of {len(record.exercises)} exercises passed, {tried} tried."

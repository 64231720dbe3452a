"""A class at a glance: what its records have in common, counted. No score is made here, only read."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from grader.reports import outline
from grader.result import BLOCKED, PASSED, TODO, ExerciseResult, Record

TENTHS = 10
FEW_POINTS = 0.5  # of the class's median, for being at risk
BEGUN_BY = 0.75  # of the class, for a chapter that one should have begun
CHAPTERS_BEHIND = 2
HARMLESS = (PASSED, TODO)


@dataclass(frozen=True)
class Figures:
    """The final scores of a class: median, mean, quartiles, ends."""

    count: int
    median: float
    mean: float
    lower: float
    upper: float
    lowest: float
    highest: float


@dataclass(frozen=True)
class Bin:
    """How many have a share of the points of at least `low` and below `high`; the last bin has its upper end too."""

    low: float
    high: float
    count: int


@dataclass(frozen=True)
class MistakeCount:
    """A known mistake: who made it, of those who tried the exercise."""

    exercise: str
    name: str
    belief: str
    made: int
    tried: int


@dataclass(frozen=True)
class ExerciseCount:
    """An exercise: how many tried it, how many passed, what share of its points the class has."""

    exercise: str
    points: float
    asked: int
    tried: int
    passed: int
    share: float
    commonest: str


@dataclass(frozen=True)
class AtRisk:
    """A student who may need help, and why."""

    record: Record
    reasons: tuple[str, ...]


def share_of(record: Record) -> float:
    """Which share of all points was reached in the end."""
    return record.final_score / record.max_score if record.max_score else 0.0


def figures(records: Sequence[Record]) -> Figures:
    """Median, mean, quartiles and ends of the final scores."""
    scores = sorted(record.final_score for record in records) or [0.0]
    lower, median, upper = statistics.quantiles(scores, method="inclusive") if len(scores) > 1 else scores * 3
    return Figures(len(records), median, statistics.fmean(scores), lower, upper, scores[0], scores[-1])


def distribution(records: Iterable[Record]) -> list[Bin]:
    """How many students reached which tenth of the points."""
    counts = Counter(min(int(share_of(record) * TENTHS + 1e-9), TENTHS - 1) for record in records)
    return [Bin(tenth / TENTHS, (tenth + 1) / TENTHS, counts[tenth]) for tenth in range(TENTHS)]


def exercise_counts(records: Sequence[Record]) -> dict[str, ExerciseCount]:
    """The exercises by id, with what became of them."""
    groups = _by_exercise(records)
    return {
        exercise: ExerciseCount(
            exercise,
            max(result.points for result in results),
            len(results),
            sum(result.status != TODO for result in results),
            sum(result.status == PASSED for result in results),
            _share(results),
            _commonest(results),
        )
        for exercise, results in groups.items()
    }


def mistakes(records: Sequence[Record]) -> list[MistakeCount]:
    """The known mistakes that were made, the most frequent first."""
    found = []
    for exercise, results in _by_exercise(records).items():
        tried = sum(result.status != TODO for result in results)
        for name, made in Counter(result.mistake for result in results if result.mistake).items():
            known = outline.mistake_of(exercise, name)
            told = next(result.help for result in results if result.mistake == name)
            found.append(MistakeCount(exercise, name, known.belief if known else told, made, tried))
    return sorted(found, key=lambda count: -count.made)


def chapter_shares(record: Record) -> dict[str, float]:
    """The share of the points by module."""
    groups: dict[str, list[ExerciseResult]] = {}
    for result in record.exercises:
        groups.setdefault(outline.module_of(result.id), []).append(result)
    return {module: _share(results) for module, results in groups.items()}


def slowest(records: Iterable[Record], count: int = 10) -> list[tuple[Record, ExerciseResult]]:
    """The submissions that took longest to judge, each with its slowest exercise."""
    timed = sorted((record for record in records if record.seconds > 0), key=lambda record: -record.seconds)
    return [(record, max(record.exercises, key=lambda r: r.seconds)) for record in timed[:count] if record.exercises]


def at_risk(records: Sequence[Record]) -> list[AtRisk]:
    """Who is far below the class, has fallen behind it, or tries and does not succeed; those with the least first."""
    median = figures(records).median
    begun = _begun(records)
    found = []
    for record in sorted(records, key=lambda record: record.final_score):
        reasons = tuple(_reasons(record, median, begun))
        if reasons:
            found.append(AtRisk(record, reasons))
    return found


def _reasons(record: Record, median: float, begun: Sequence[str]) -> Iterable[str]:
    tried = [result for result in record.exercises if result.status != TODO]
    passed = record.count(PASSED)
    if not tried:
        yield "nothing written yet"
        return
    if record.final_score < FEW_POINTS * median:
        yield f"{record.final_score:g} points, half of the class has {median:g} and more"
    if passed < len(tried) / 2 and len(tried) - passed > 1:
        yield f"{len(tried) - passed} of {len(tried)} exercises that were tried do not pass"
    own = {outline.module_of(result.id) for result in tried}
    asked = {outline.module_of(result.id) for result in record.exercises}
    missing = [module for module in begun if module in asked and module not in own]
    if len(missing) >= CHAPTERS_BEHIND:
        yield f"not begun, as most have: {', '.join(outline.name_of(module) for module in missing)}"


def _begun(records: Sequence[Record]) -> list[str]:
    """The modules in which most of the class have written something, in the order of teaching."""
    counts: Counter[str] = Counter()
    for record in records:
        counts.update({outline.module_of(result.id) for result in record.exercises if result.status != TODO})
    modules = [chapter.module for chapter, _ in outline.exercises_asked(records)]
    return [module for module in modules if counts[module] > BEGUN_BY * len(records)]


def _by_exercise(records: Iterable[Record]) -> dict[str, list[ExerciseResult]]:
    groups: dict[str, list[ExerciseResult]] = {}
    for record in records:
        for result in record.exercises:
            groups.setdefault(result.id, []).append(result)
    return groups


def _share(results: Sequence[ExerciseResult]) -> float:
    points = sum(result.points for result in results)
    return sum(result.score for result in results) / points if points else 0.0


def _commonest(results: Iterable[ExerciseResult]) -> str:
    """What most of those who failed ran into: a known mistake, or the kind of failure; a blocked one has no own."""
    failures = (r.mistake or r.status for r in results if r.status not in (*HARMLESS, BLOCKED))
    counted = Counter(failures).most_common(1)
    return counted[0][0] if counted else ""

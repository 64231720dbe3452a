"""What records are about, chapter by chapter, in the order in which it is taught."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from grader import catalogue
from grader.exercise import Chapter, Mistake
from grader.result import ExerciseResult, Record


def module_of(exercise_id: str) -> str:
    """ "ch05_dense" of "ch05_dense.dense_forward"."""
    return exercise_id.rpartition(".")[0]


def name_of(exercise_or_module_id: str) -> str:
    """The last part of an id: "dense_forward", or "mnist_mlp" of "projects.mnist_mlp"."""
    return exercise_or_module_id.rpartition(".")[2]


def by_chapter(results: Iterable[ExerciseResult]) -> list[tuple[Chapter, list[ExerciseResult]]]:
    """The results of each chapter that has some; what the catalogue does not know comes last."""
    groups: dict[str, list[ExerciseResult]] = {}
    for result in results:
        groups.setdefault(module_of(result.id), []).append(result)
    return [(chapter, groups[chapter.module]) for chapter in _chapters(groups)]


def exercises_asked(records: Sequence[Record]) -> list[tuple[Chapter, list[str]]]:
    """The exercises of any of the records, by chapter."""
    seen = {result.id: None for record in records for result in record.exercises}
    known = [exercise for exercise in catalogue.exercises() if exercise in seen]
    ordered = [*known, *(exercise for exercise in seen if exercise not in catalogue.exercises())]
    groups: dict[str, list[str]] = {}
    for exercise in ordered:
        groups.setdefault(module_of(exercise), []).append(exercise)
    return [(chapter, groups[chapter.module]) for chapter in _chapters(groups)]


def mistake_of(exercise_id: str, name: str) -> Mistake | None:
    """A known mistake by its name, if this kit knows it."""
    exercise = catalogue.exercises().get(exercise_id)
    return next((mistake for mistake in exercise.mistakes if mistake.name == name), None) if exercise else None


def _chapters(modules: Iterable[str]) -> list[Chapter]:
    known = {chapter.module: chapter for chapter in catalogue.chapters()}
    return [chapter for module, chapter in known.items() if module in modules] + [
        Chapter(module, "") for module in modules if module not in known
    ]

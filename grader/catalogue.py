"""Every exercise there is, in the order in which they are taught."""

from __future__ import annotations

import functools
import importlib
from collections.abc import Iterable, Sequence

from grader.exercise import Chapter, Exercise
from grader.problem import Problem

MODULES = (
    "chapters.ch01_tensors",
    "chapters.ch02_preprocessing",
    "chapters.ch03_activations",
    "chapters.ch04_losses",
    "chapters.ch05_dense",
    "chapters.ch06_optimizers",
    "chapters.ch07_training",
    "chapters.ch08_evaluation",
    "chapters.ch09_regularization",
    "chapters.ch10_shapes",
    "chapters.ch11_convolution",
    "chapters.ch12_cuda_basics",
    "chapters.ch13_cuda_layers",
    "chapters.ch14_cuda_training",
    "chapters.ch15_augmentation",
    "chapters.ch20_speed",
    "projects.mnist_mlp",
    "projects.boston",
    "projects.imdb",
    "projects.reuters",
    "projects.mnist_convnet",
    "projects.cats_vs_dogs",
    "projects.cats_vs_dogs_transfer",
)


@functools.cache
def chapters() -> tuple[Chapter, ...]:
    """All chapters, then all projects."""
    return tuple(importlib.import_module(f"grader.{module}").chapter for module in MODULES)


def last_part(chapter: Chapter) -> str:
    """What files and assignments of a chapter are called: "mnist_mlp" for `projects.mnist_mlp`."""
    return chapter.module.rpartition(".")[2]


def chapter_called(name: str) -> Chapter | None:
    """The chapter of that module ("projects.mnist_mlp"), or of that last part of it ("mnist_mlp")."""
    return next((chapter for chapter in chapters() if name in (chapter.module, last_part(chapter))), None)


def chapters_in(stem: str) -> list[Chapter]:
    """The chapters that a file is named after: "ada_ch03_activations"."""
    return [chapter for chapter in chapters() if stem.endswith(last_part(chapter))]


@functools.cache
def exercises() -> dict[str, Exercise]:
    """All exercises by id."""
    return {exercise.id: exercise for chapter in chapters() for exercise in chapter.exercises}


def select(names: Sequence[str]) -> list[Exercise]:
    """The exercises that `names` mean, in teaching order; all of them for no names.

    A name is an exercise ("relu", "ch03_activations.relu"), a chapter ("ch03_activations", "ch03", "mnist_mlp") or a
    path to a module ("exercises/ch03_activations.py").

    Raises
    ------
    Problem : a name means nothing here
    """
    if not names:
        return list(exercises().values())
    wanted = {exercise.id for name in names for exercise in _meant_by(name)}
    return [exercise for exercise in exercises().values() if exercise.id in wanted]


def _meant_by(name: str) -> Iterable[Exercise]:
    plain = name.removesuffix(".py").replace("\\", "/").rpartition("/")[2]
    for chapter in chapters():
        stem = last_part(chapter)
        if plain in (chapter.module, stem, stem.partition("_")[0]):
            return chapter.exercises
    found = [exercise for exercise in exercises().values() if plain in (exercise.id, exercise.name)]
    if not found:
        raise Problem(f"There is no exercise or chapter called {name!r}.{_similar(plain)}", "Run `kata` for a list.")
    return found


def _similar(name: str) -> str:
    import difflib

    known = [chapter.module for chapter in chapters()] + [exercise.name for exercise in exercises().values()]
    close = difflib.get_close_matches(name, known, n=1)
    return f" Did you mean {close[0]}?" if close else ""

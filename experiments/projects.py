"""What can be trained: the projects, with what the training loop has to know of each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from datasets.error import DataError
from datasets.model import load_model
from datasets.recipes import recipe
from datasets.recipes.recipe import Recipe
from experiments import predictions
from experiments.houses import Houses
from experiments.images import Images
from experiments.learner import LOSSES, Learner
from experiments.photos import Photos, Transfer
from experiments.source import Place
from experiments.texts import Texts
from grader.problem import Problem

if TYPE_CHECKING:
    from datasets.dataset import Dataset


@dataclass(frozen=True)
class Project:
    """One project.

    Parameters
    ----------
    name : of its module and of its recipe
    learner : what kind of network it is
    epochs : how long it is watched: until it overfits, where it does so soon
    held_out : which part of the training samples is for validation: the first ones, as the lectures have it
    lecture : the test metric of the lectures, as they say it; empty where they give none
    show : makes a table of what the network answers to some test samples
    also : functions that are needed besides train_epoch, predict and the loss
    by_class : whether the samples come class by class: then they are shuffled before the first ones are held out
    smoothing : the factor of ch07's smooth_curve, for curves with too much noise to read; 0 for none
    """

    name: str
    learner: type[Learner]
    epochs: int
    held_out: float
    lecture: str
    show: predictions.Show
    also: tuple[Place, ...] = ()
    by_class: bool = False
    smoothing: float = 0.0

    @property
    def recipe(self) -> Recipe:
        return recipe(self.name)

    def places(self) -> list[Place]:
        """The functions that the loop calls."""
        module, loss = f"projects.{self.name}", self.recipe.loss
        return [(module, "train_epoch"), (module, "predict"), ("ch04_losses", LOSSES.get(loss, loss)), *self.also]

    def load(self, sample: bool) -> Dataset:
        """Its data.

        Raises
        ------
        Problem : the data is damaged
        """
        try:
            return self.recipe.load(sample)
        except DataError as error:
            raise Problem(str(error), "") from None

    def record(self, data: Dataset) -> dict[str, Any]:
        """What Keras reached on this data, and how.

        Raises
        ------
        Problem : there is no record, or it is damaged
        """
        try:
            return load_model(self.name, data.origin).facts
        except DataError as error:
            raise Problem(str(error), "") from None

    def split(self, n: int) -> tuple[np.ndarray, np.ndarray]:
        """Numbers of the samples to train on, and of those to validate on."""
        order = np.random.default_rng(n).permutation(n) if self.by_class else np.arange(n)
        validation, rows = np.split(order, [max(1, round(self.held_out * n))])
        return rows, validation


WORDS: Place = ("projects.imdb", "distinct_words")
PROJECTS = (
    Project("mnist_mlp", Images, 10, 1 / 6, "0.9777", predictions.digits),
    Project("mnist_convnet", Images, 6, 1 / 6, "about 0.99", predictions.digits),
    Project("imdb", Texts, 20, 2 / 5, "about 0.88", predictions.reviews, also=(WORDS,)),
    Project("reuters", Texts, 20, 1 / 9, "", predictions.newswires, also=(WORDS,)),
    Project(
        "boston",
        Houses,
        200,
        1 / 5,
        "about 2.5",
        predictions.houses,
        also=(("projects.boston", "prepare"), ("ch07_training", "smooth_curve")),
        smoothing=0.9,
    ),
    Project("cats_vs_dogs", Photos, 30, 1 / 5, "", predictions.photos, by_class=True),
    Project(
        "cats_vs_dogs_transfer",
        Transfer,
        30,
        1 / 5,
        "",
        predictions.photos,
        also=(
            ("projects.cats_vs_dogs_transfer", "extract_features"),
            ("projects.cats_vs_dogs_transfer", "head_forward"),
        ),
        by_class=True,
    ),
)


def title(data: Dataset) -> str:
    """The data as titles of pictures and tables call it."""
    return f"{data.name}, {'the real data' if data.origin == 'real' else 'the bundled sample'}"


def find(name: str) -> Project:
    """The project of that name.

    Raises
    ------
    Problem : there is none
    """
    for project in PROJECTS:
        if project.name == name:
            return project
    known = ", ".join(project.name for project in PROJECTS)
    raise Problem(f"There is no project {name!r} to train.", f"These are there: {known}.")

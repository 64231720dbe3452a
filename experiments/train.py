"""`kata train`: a network trained before one's eyes, as the lectures do it.

First some of the training samples are held out, and the network is watched on them, long enough to see it overfit. This
tells how many epochs are enough. Then a fresh network learns for so many epochs from all training samples, and the
test samples are looked at, once.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from rich.console import Console
from rich.table import Table

import datasets
from experiments import curves, pictures, projects
from experiments.display import Display, epoch_table, figures
from experiments.learner import Learner
from experiments.projects import Project
from experiments.reading import overfitting, smoothed
from experiments.source import Source
from experiments.training import Training, lowest, train

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class Wish:
    """What was asked for on the command line.

    Parameters
    ----------
    yours : the student's network instead of the solution's
    epochs : how long to watch; None for the project's own number
    seed : of everything that is drawn; None for the seed of Keras's recorded run
    sample : the bundled sample, though the real data is here
    out : the folder for pictures
    """

    project: str
    yours: bool = False
    epochs: int | None = None
    seed: int | None = None
    sample: bool = False
    out: Path = Path("pictures")


def run(wish: Wish, console: Console) -> bool:
    """Train, and show what came of it; False when Ctrl-C stopped it.

    Raises
    ------
    Problem : no such project, damaged data, a folder that cannot be written, or a student's function that fails
    """
    project = projects.find(wish.project)
    source = Source(wish.yours)
    source.require(project.places())
    data = project.load(wish.sample)
    console.print(data.note, markup=False)
    pictures.make_folder(wish.out)
    seed = project.recipe.seed if wish.seed is None else wish.seed
    lesson = Lesson(project, source, data, seed, console)

    training = lesson.watch(wish.epochs or project.epochs)
    if not training.epochs:
        console.print("Stopped before the first epoch was over: there is nothing to show yet.")
        return False
    pictures.show(console, lambda: lesson.curves(training), wish.out / f"{project.name}.png")
    for sentence in lesson.reading(training):
        console.print(sentence, markup=False)
    learner, final, best = lesson.learner, training, lesson.best(training)
    if best is not None and not training.stopped:
        learner, final = lesson.finish(best)
    answers = learner.predict(final.params, "test", np.arange(len(data.y_test)))
    console.print(lesson.verdict(learner, final, answers))
    shown = project.show(learner, answers)
    console.print(f"{shown.title}:", markup=False)
    console.print(shown.table)
    if shown.draw is not None:
        pictures.show(console, shown.draw, wish.out / f"{project.name}_answers.png")
    return not final.stopped


class Lesson:
    """One project on one data set."""

    def __init__(self, project: Project, source: Source, data: datasets.Dataset, seed: int, console: Console):
        self.project, self.source, self.data, self.seed, self.console = project, source, data, seed, console
        self.recipe, self.recorded = project.recipe, project.record(data)
        self.rows, self.validation = project.split(len(data.y_train))
        self.learner = project.learner(source, self.recipe, data, self.rows)

    def watch(self, epochs: int) -> Training:
        """Train on one part of the training samples, and validate on the other."""
        n, m = len(self.rows), len(self.validation)
        self.console.print(f"Training on {n:,} samples, validating on {m:,}: how many epochs are enough?")
        with Display(self.console, self.recipe.metric) as display:
            rng = np.random.default_rng(self.seed)
            training = train(self.learner, self.rows, self.validation, rng, epochs, display)
            if training.epochs:
                display.show(epoch_table(training, self.recipe.metric, self.best(training)))
        return training

    def finish(self, epochs: int) -> tuple[Learner, Training]:
        """A fresh network, trained on all training samples."""
        rows = np.arange(len(self.data.y_train))
        count = "one epoch" if epochs == 1 else f"{epochs} epochs"
        self.console.print(f"The final network, on all {len(rows):,} training samples, for {count}:")
        learner = self.learner.on(rows)
        with Display(self.console) as display:
            return learner, train(learner, rows, rows[:0], np.random.default_rng(self.seed), epochs, display)

    def best(self, training: Training) -> int | None:
        """After how many epochs the validation loss is lowest; of a noisy curve, when smoothed."""
        return lowest(self._smooth(training.curve("val_loss")))

    def reading(self, training: Training) -> list[str]:
        """What the curves say."""
        values, best = self._smooth(training.curve("val_loss")), self.best(training)
        told = ["You stopped it: these are the epochs that were finished."] if training.stopped else []
        if best is None:
            return [*told, "The loss is not a number (NaN): the weights have grown without bounds."]
        return [*told, overfitting(values, "smoothed validation loss" if self.project.smoothing else "validation loss")]

    def curves(self, training: Training) -> Figure:
        """The picture of the watched training."""
        smooth = self._smooth if self.project.smoothing else None
        title = f"{self.recipe.network} on {projects.title(self.data)}"
        return curves.training_picture(training, title, self.recipe.metric, smooth)

    def verdict(self, learner: Learner, training: Training, answers: np.ndarray) -> Table:
        """The metric of the answers to the test samples, beside that of Keras and of the lectures."""
        reached = self.recipe.measure(answers, learner.y["test"])
        table = figures("network", "training samples", "epochs", f"test {self.recipe.metric}")
        whose = "yours" if self.source.yours else "the solution's"
        name = f"{whose}, stopped" if training.stopped else whose
        table.add_row(name, f"{len(learner.rows):,}", str(len(training.epochs)), f"{reached:.4f}")
        theirs = (f"{self.recorded['data']['train']:,}", str(self.recorded["epochs"]))
        table.add_row("Keras's, recorded on this data", *theirs, f"{self.recorded['test_metric']:.4f}")
        if self.project.lecture:
            table.add_row("the lecture's, on the real data", "", "", self.project.lecture)
        return table

    def _smooth(self, values: np.ndarray) -> np.ndarray:
        if not self.project.smoothing:
            return values
        return smoothed(self.source.functions("ch07_training").smooth_curve, values, self.project.smoothing)

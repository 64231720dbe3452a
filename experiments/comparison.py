"""Several networks trained side by side on the same samples, and what their validation losses say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from rich.console import Console
from rich.table import Table

from experiments.display import Display, figure, figures
from experiments.learner import Learner
from experiments.training import Training, lowest, train


@dataclass(frozen=True, eq=False)
class Variant:
    """One of the networks.

    Parameters
    ----------
    label : what tables and legends call it
    """

    label: str
    learner: Learner


@dataclass(frozen=True, eq=False)
class Compared:
    """A variant and its training; at least one epoch of it was finished."""

    label: str
    learner: Learner
    training: Training

    @property
    def val_loss(self) -> np.ndarray:
        """After each epoch."""
        return self.training.curve("val_loss")

    @property
    def best(self) -> int | None:
        """After how many epochs the validation loss is lowest."""
        return lowest(self.val_loss)

    @property
    def rise(self) -> float:
        """By how much the validation loss ends above its lowest value."""
        return float(self.val_loss[-1] - np.nanmin(self.val_loss))


def compare(
    variants: Sequence[Variant], validation: np.ndarray, epochs: int, seed: int, console: Console
) -> tuple[list[Compared], bool]:
    """Train one after the other from the same seed; second, whether Ctrl-C ended it before the last one."""
    done: list[Compared] = []
    with Display(console) as display:
        for variant in variants:
            display.title = variant.label
            rng = np.random.default_rng(seed)
            training = train(variant.learner, variant.learner.rows, validation, rng, epochs, display)
            if training.epochs:
                done.append(Compared(variant.label, variant.learner, training))
            if training.stopped:
                return done, True
    return done, False


def losses_table(done: Sequence[Compared]) -> Table:
    """For each network where its validation loss is lowest, what became of it, and its best validation metric."""
    metric = done[0].learner.recipe.metric
    columns = ("lowest validation loss", "after epoch", "after the last", "training loss", f"best validation {metric}")
    table = figures("network", "parameters", *columns)
    for one in done:
        values, best = one.val_loss, one.best
        least = (figure(values[best - 1]), str(best)) if best else ("–", "–")
        ends = (figure(values[-1]), figure(one.training.epochs[-1].loss))
        reached = figure(float(np.nanmax(one.training.curve("val_metric"))))
        table.add_row(one.label, f"{parameters(one.training):,}", *least, *ends, reached)
    return table


def parameters(training: Training) -> int:
    """How many numbers the network has learned."""
    return sum(param.size for param in training.params)

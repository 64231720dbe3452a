"""The loop: epoch by epoch, training against validation, until the end or Ctrl-C."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from experiments.brake import Brake
from experiments.learner import Learner, Params

PIECES = 20  # of an epoch: so often the progress is told


@dataclass(frozen=True)
class Epoch:
    """What was measured in one epoch; not a number where nothing was held out for validation.

    Parameters
    ----------
    loss : the mean over the epoch's batches, each before its step, as Keras tells it
    metric : after the epoch, on as many training samples as there are validation samples
    val_loss, val_metric : after the epoch, on the validation samples
    """

    loss: float
    metric: float = math.nan
    val_loss: float = math.nan
    val_metric: float = math.nan


@dataclass(eq=False)
class Training:
    """One training, as far as it got.

    Parameters
    ----------
    params : as they are now
    epochs : the finished ones
    stopped : whether Ctrl-C ended it
    """

    params: Params
    epochs: list[Epoch] = field(default_factory=list)
    stopped: bool = False

    def curve(self, name: str) -> np.ndarray:
        """One figure of every finished epoch, float32 (epochs,): "loss", "metric", "val_loss" or "val_metric"."""
        return np.array([getattr(epoch, name) for epoch in self.epochs], np.float32)


class Watcher(Protocol):
    """Who is told how the training goes."""

    def begin(self, epochs: int, samples: int) -> None: ...

    def piece(self, samples: int, loss: float) -> None: ...

    def epoch(self, training: Training) -> None: ...


def train(
    learner: Learner,
    rows: np.ndarray,
    validation: np.ndarray,
    rng: np.random.Generator,
    epochs: int,
    watcher: Watcher,
) -> Training:
    """Train a network from scratch, and keep what was learned when Ctrl-C stops it.

    Parameters
    ----------
    rows : int64 (n,); the numbers of the samples to train on
    validation : int64 (m,); the numbers of those to validate on, none of them in `rows`; may be empty
    rng : draws the initial parameters, then each epoch's order, as the projects' own `train` does
    """
    params, slots = learner.begin(rng)
    training = Training(params)
    watcher.begin(epochs, len(rows))
    try:
        with Brake() as brake:
            for _ in range(epochs):
                loss = one_epoch(learner, params, slots, rng.permutation(rows), watcher, brake)
                training.epochs.append(measured(learner, params, loss, rows, validation))
                watcher.epoch(training)
    except KeyboardInterrupt:
        training.stopped = True
    return training


def one_epoch(
    learner: Learner, params: Params, slots: object, order: np.ndarray, watcher: Watcher, brake: Brake
) -> float:
    """One pass over the samples in this order, told piece by piece; the mean loss."""
    batch_size = learner.recipe.batch_size
    batches = math.ceil(len(order) / batch_size)
    step = math.ceil(batches / PIECES) * batch_size
    total, done = 0.0, 0
    for start in range(0, len(order), step):
        piece = order[start : start + step]
        losses = learner.epoch(params, slots, piece)
        sizes = np.diff([*range(0, len(piece), batch_size), len(piece)])
        total += float(losses @ sizes)
        done += len(piece)
        watcher.piece(done, total / done)
        brake.check()
    return total / done


def measured(learner: Learner, params: Params, loss: float, rows: np.ndarray, validation: np.ndarray) -> Epoch:
    """The figures of an epoch that has just ended."""
    if not len(validation):
        return Epoch(loss)
    _, metric = learner.score(params, "train", rows[: len(validation)])
    return Epoch(loss, metric, *learner.score(params, "train", validation))


def lowest(values: np.ndarray) -> int | None:
    """The epoch with the smallest value, counted from 1; None where no value is a number."""
    return None if np.isnan(values).all() else int(np.nanargmin(values)) + 1

"""Curves over the epochs: training against validation, and several networks against each other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from experiments.comparison import Compared
from experiments.pictures import MARKERS, canvas, style
from experiments.training import Training, lowest

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Smooth = Callable[[np.ndarray], np.ndarray]
RINGED = "lowest validation loss"
RING: dict[str, Any] = {"marker": "o", "markersize": 11, "color": "none", "markeredgecolor": "black"}
FEW = 30  # epochs, up to which each has a mark of its own


def training_picture(training: Training, title: str, metric: str, smooth: Smooth | None = None) -> Figure:
    """Loss and metric per epoch, training against validation, and where the validation loss is lowest.

    Parameters
    ----------
    metric : what its axis is called
    smooth : for noisy curves: what is drawn over the points, and whose lowest point is marked; where it is NaN nothing
        is drawn
    """
    figure, fields = canvas(11, 4.2, title, columns=2)
    for field, name, label in zip(fields, ("loss", "metric"), ("loss", metric), strict=True):
        draw_pair(field, training.curve(name), training.curve(f"val_{name}"), smooth)
        label_epochs(field, label)
    smoothed = training.curve("val_loss") if smooth is None else smooth(training.curve("val_loss"))
    for field in fields:
        mark_epoch(field, lowest(smoothed), RINGED)
        field.legend()
    return figure


def draw_pair(field: Axes, training: np.ndarray, validation: np.ndarray, smooth: Smooth | None) -> None:
    """A training curve and its validation curve; the points of a smoothed one stay visible behind it."""
    epochs = np.arange(1, len(training) + 1)
    for number, (label, values) in enumerate((("training", training), ("validation", validation))):
        look = style(1 - number)
        if smooth is None:
            field.plot(epochs, values, label=label, marker=marker(number, len(epochs)), **look)
        else:
            smoothed = smooth(values)
            points = np.where(np.isnan(smoothed), np.nan, values)
            field.plot(epochs, points, color=look["color"], alpha=0.4, linewidth=0.8)
            field.plot(epochs, smoothed, label=f"{label}, smoothed", **look)


def compared_picture(done: Sequence[Compared], title: str) -> Figure:
    """Validation loss and metric of several networks; a ring where the loss is lowest."""
    metric = done[0].learner.recipe.metric
    figure, fields = canvas(12, 4.8, title, columns=2)
    for field, name, label in zip(fields, ("val_loss", "val_metric"), ("loss", metric), strict=True):
        for number, one in enumerate(done):
            draw_curve(field, number, one.label, one.training.curve(name), one.best)
        label_epochs(field, f"validation {label}")
        field.legend()
    return figure


def draw_curve(field: Axes, number: int, label: str, values: np.ndarray, ringed: int | None = None) -> None:
    """The n-th curve of a field over the epochs, with a ring around the one where the validation loss is lowest."""
    epochs = np.arange(1, len(values) + 1)
    field.plot(epochs, values, label=label, marker=marker(number, len(values)), markersize=4, **style(number))
    if ringed is not None:
        told = RINGED if number == 0 else None  # once in the legend
        field.plot([ringed], [values[ringed - 1]], label=told, **RING)


def mark_epoch(field: Axes, epoch: int | None, what: str) -> None:
    """A dotted line at an epoch, named in the legend."""
    if epoch is not None:
        field.axvline(epoch, color="black", linestyle=":", linewidth=1.2, label=f"{what}: epoch {epoch}")


def label_epochs(field: Axes, label: str, below: str = "epoch") -> None:
    """Names for the axes, and whole numbers below."""
    from matplotlib.ticker import MaxNLocator

    field.set_xlabel(below)
    field.set_ylabel(label)
    field.xaxis.set_major_locator(MaxNLocator(integer=True))
    field.grid(alpha=0.25)


def marker(number: int, epochs: int) -> str:
    """A mark per epoch, as long as these are few."""
    return MARKERS[number % len(MARKERS)] if epochs <= FEW else ""

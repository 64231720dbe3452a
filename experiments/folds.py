"""Boston's network, validated on one part of the rows after the other: what the experiments on few data share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from rich.progress import track

from experiments import projects
from experiments.brake import Brake
from experiments.curves import label_epochs, mark_epoch
from experiments.experiment import Request
from experiments.pictures import canvas, style
from experiments.reading import SKIPPED, smoothed
from experiments.source import Source

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Cuts = Sequence[tuple[np.ndarray, np.ndarray]]
K = 4  # folds, as in the lecture
MAE = "MAE (thousands of dollars)"
NEAR = 0.01  # an error that is so little above the lowest one is as good
THIN: dict[str, Any] = {"color": "#9aa3ad", "linewidth": 0.8}


class Study:
    """The project boston on the data that is here, with the solution's functions."""

    def __init__(self, request: Request):
        self.request = request
        self.project = projects.find("boston")
        self.recipe = self.project.recipe
        self.data = self.project.load(request.sample)
        request.console.print(self.data.note, markup=False)
        source = Source()
        self.network, self.evaluation = source.functions("projects.boston"), source.functions("ch08_evaluation")
        self.smooth_curve = source.functions("ch07_training").smooth_curve
        self.x, self.targets = self.data.x_train, self.data.y_train.astype(np.float32)
        self.units = self.recipe.params[0][1][1]

    @property
    def title(self) -> str:
        """The data as titles call it."""
        return projects.title(self.data)

    def smooth(self, mean: np.ndarray) -> np.ndarray:
        """A mean curve without its noise."""
        return smoothed(self.smooth_curve, mean, self.project.smoothing)

    def validate(
        self, cuts: Cuts, rng: np.random.Generator, units: int, told: str, epochs: int | None = None
    ) -> tuple[np.ndarray, bool]:
        """The MAE (networks, epochs) of one network per cut, and whether Ctrl-C left some out."""
        curves: list[np.ndarray] = []
        wanted = epochs or self.request.epochs
        rest = units, wanted, self.recipe.batch_size
        try:
            with Brake() as brake:
                for cut in track(cuts, told, console=self.request.console):
                    curves.append(self.network.cross_validate(self.x, self.targets, [cut], rng, *rest)[0])
                    brake.check()
        except KeyboardInterrupt:
            return np.array(curves, np.float32).reshape(-1, wanted), True
        return np.array(curves, np.float32), False

    def final(self, epochs: int, units: int) -> str:
        """How good a network is that learned from all training rows, in a sentence."""
        x, x_test = self.network.prepare(self.x, self.data.x_test)
        rng = np.random.default_rng(self.request.seed)
        params = self.network.train(x, self.targets, rng, units, epochs, self.recipe.batch_size)
        reached = self.network.evaluate(x_test, self.data.y_test.astype(np.float32), params)
        facts = self.project.record(self.data)
        return (
            f"Trained on all {len(x)} rows for {epochs} epochs, the network has a test MAE of {reached:.2f}; Keras's, "
            f"recorded on this data after {facts['epochs']} epochs, has {facts['test_metric']:.2f}; the lecture has "
            f"{self.project.lecture} on the real data."
        )


def settling(smooth: np.ndarray) -> str:
    """When a smoothed curve has as good as reached its lowest point, in a sentence."""
    near = int(np.argmax(smooth <= (1 + NEAR) * np.nanmin(smooth))) + 1
    return f"Smoothed, the mean comes within {NEAR:.0%} of its lowest value in epoch {near}."


def mean_picture(title: str, curves: np.ndarray, each: str, mean: np.ndarray, smooth: np.ndarray, best: int) -> Figure:
    """Thin curves, their mean, the same smoothed, and where the mean is lowest.

    Parameters
    ----------
    curves : (several, epochs)
    each : what one of the thin curves is
    """
    figure, (field,) = canvas(9, 5, title)
    epochs = np.arange(1, len(mean) + 1)
    begin = len(mean) // SKIPPED  # before, the errors are so large that they would hide the rest
    for number, curve in enumerate(curves):
        field.plot(epochs[begin:], curve[begin:], label=each if number == 0 else None, **THIN)
    field.plot(epochs[begin:], mean[begin:], label=f"mean of {len(curves)}", **style(0))
    field.plot(epochs[begin:], smooth[begin:], label="mean, smoothed", **style(1))
    mark_epoch(field, best, "lowest mean")
    label_epochs(field, f"validation {MAE}")
    field.legend()
    return figure

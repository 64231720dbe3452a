"""Two hyperparameters at once: how many hidden units, for how many epochs? Every combination is tried by K-fold."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

import numpy as np

from experiments.display import figures
from experiments.experiment import Experiment, Outcome, Request
from experiments.folds import MAE, K, Study
from experiments.pictures import canvas

if TYPE_CHECKING:
    from matplotlib.figure import Figure

UNITS = (8, 16, 32, 64, 128)
SHARES = (8, 4, 2, 1)  # of the epochs asked for: an eighth, a quarter, half, all of them


class Interrupted(Exception):
    """Ctrl-C, in the middle of the grid."""


def make(request: Request) -> Outcome:
    study = Study(request)
    epochs = tuple(sorted({max(1, request.epochs // share) for share in SHARES}))

    @functools.cache
    def curve(units: int) -> np.ndarray:
        """The mean MAE after each epoch: one training serves all numbers of epochs."""
        cuts = study.evaluation.kfold_indices(len(study.x), K)
        rng = np.random.default_rng(request.seed)
        curves, stopped = study.validate(cuts, rng, units, f"{units} units", max(epochs))
        if stopped:
            raise Interrupted
        mean: np.ndarray = curves.mean(axis=0)
        return mean

    def score(units: int, epochs: int) -> float:
        return -float(curve(units)[epochs - 1])

    try:
        best, tried = study.evaluation.grid_search(score, {"units": UNITS, "epochs": epochs})
    except Interrupted:
        return Outcome(stopped=True)
    errors = np.array([-value for _, value in tried]).reshape(len(UNITS), len(epochs))

    table = figures("units", *(f"{count} epochs" for count in epochs), title=f"mean {MAE} of {K} folds")
    for units, row in zip(UNITS, errors, strict=True):
        table.add_row(str(units), *(f"{error:.2f}" for error in row))
    sentences = [
        f"Best of {errors.size} combinations: {best['units']} units and {best['epochs']} epochs, with "
        f"{errors.min():.2f}; the worst has {errors.max():.2f}.",
        "It was chosen for being low, so it flatters: what it is worth, the test rows say. "
        + study.final(best["epochs"], best["units"]),
    ]
    title = f"Grid search by {K}-fold validation ({study.title})"
    return Outcome([table], sentences, lambda: grid_picture(errors, epochs, title))


def grid_picture(errors: np.ndarray, epochs: tuple[int, ...], title: str) -> Figure:
    """The errors as a chart of grey cells with their numbers, the lowest framed."""
    figure, (field,) = canvas(7, 4.8, title)
    cells = field.imshow(errors, cmap="Greys", aspect="auto")
    figure.colorbar(cells, label=f"mean validation {MAE}")
    field.set_xticks(range(len(epochs)), [str(count) for count in epochs])
    field.set_yticks(range(len(UNITS)), [str(units) for units in UNITS])
    field.set(xlabel="epochs", ylabel="units of each hidden layer")
    middle = (errors.min() + errors.max()) / 2
    best = np.unravel_index(errors.argmin(), errors.shape)
    for (row, column), error in np.ndenumerate(errors):
        frame = {"boxstyle": "round", "facecolor": "none", "edgecolor": "black"} if (row, column) == best else None
        color = "white" if error > middle else "black"
        field.text(column, row, f"{error:.2f}", ha="center", va="center", color=color, bbox=frame)
    return figure


experiment = Experiment("grid_search", "Grid search: how many units, for how many epochs?", 200, make)

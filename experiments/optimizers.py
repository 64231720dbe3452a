"""The optimizers of ch06 side by side: the same network, the same first weights, the same batches."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from experiments.comparison import Compared
from experiments.curves import draw_curve, label_epochs
from experiments.display import figure, figures
from experiments.experiment import Experiment, Outcome, Request
from experiments.pictures import canvas
from experiments.small import Optimizer, trained

if TYPE_CHECKING:
    from matplotlib.figure import Figure

EPSILON = 1e-7
# Rates are Keras's defaults, but for Adagrad and Adadelta: Keras's 0.001 is far below what their authors used.
OPTIMIZERS = (
    Optimizer("SGD (0.01)", (), lambda ch06, w, g, _: ch06.sgd_step(w, g, 0.01)),
    Optimizer("momentum (0.01)", (0,), lambda ch06, w, g, v, _: ch06.momentum_step(w, g, v, 0.01, 0.9)),
    Optimizer("Nesterov (0.01)", (0,), lambda ch06, w, g, v, _: ch06.nesterov_step(w, g, v, 0.01, 0.9)),
    Optimizer("Adagrad (0.01)", (0.1,), lambda ch06, w, g, acc, _: ch06.adagrad_step(w, g, acc, 0.01, EPSILON)),
    Optimizer(
        "Adadelta (1)", (0, 0), lambda ch06, w, g, acc, delta, _: ch06.adadelta_step(w, g, acc, delta, 1, 0.95, EPSILON)
    ),
    Optimizer("RMSprop (0.001)", (0,), lambda ch06, w, g, acc, _: ch06.rmsprop_step(w, g, acc, 0.001, 0.9, EPSILON)),
    Optimizer(
        "Adam (0.001)", (0, 0), lambda ch06, w, g, m, v, t: ch06.adam_step(w, g, m, v, t, 0.001, 0.9, 0.999, EPSILON)
    ),
)


def make(request: Request) -> Outcome:
    done, title, stopped = trained(request, OPTIMIZERS)
    if not done:
        return Outcome(stopped=stopped)
    table = figures("optimizer (rate)", "loss, epoch 1", "loss, last epoch", "validation loss", "validation accuracy")
    for one in done:
        first, last = one.training.epochs[0], one.training.epochs[-1]
        table.add_row(one.label, *map(figure, (first.loss, last.loss, last.val_loss, last.val_metric)))
    return Outcome([table], read(done), lambda: losses_picture(done, f"{experiment.title} ({title})"), stopped)


def read(done: Sequence[Compared]) -> list[str]:
    """Who was fast and who was slow; and how long the fastest took to get where the slowest ended."""
    if len(done) < 2:
        return []
    last = sorted(done, key=lambda one: float(np.nan_to_num(one.training.curve("loss")[-1], nan=np.inf)))
    fastest, slowest = last[0], last[-1]
    loss, goal = fastest.training.curve("loss"), slowest.training.curve("loss")[-1]
    reached = int(np.argmax(loss <= goal)) + 1
    return [
        f"{fastest.label} ends with the lowest training loss ({loss[-1]:.4f}), {slowest.label} with the highest "
        f"({goal:.4f}), which {fastest.label} had reached after epoch {reached} of {len(loss)}."
    ]


def losses_picture(done: Sequence[Compared], title: str) -> Figure:
    """The training losses, on a scale of powers of ten."""
    from matplotlib.ticker import LogLocator, NullFormatter

    drawing, (field,) = canvas(9, 5, title)
    for number, one in enumerate(done):
        draw_curve(field, number, one.label, one.training.curve("loss"))
    field.set_yscale("log")
    field.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    field.yaxis.set_major_formatter("{x:g}")
    field.yaxis.set_minor_formatter(NullFormatter())
    label_epochs(field, "training loss")
    field.legend(title="optimizer (rate)")
    return drawing


experiment = Experiment("optimizers", "Optimizers: who gets down fastest?", 10, make)

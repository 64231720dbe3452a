"""Steps that are too small, right, and too large: down a parabola, and with a small network on digits."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from rich.table import Table

from experiments.comparison import Compared
from experiments.curves import draw_curve, label_epochs
from experiments.display import figure, figures
from experiments.experiment import Experiment, Outcome, Request
from experiments.pictures import canvas, style
from experiments.small import Optimizer, trained
from experiments.source import Source

if TYPE_CHECKING:
    from matplotlib.figure import Figure

START, STEPS = 0.0, 20
PARABOLA_RATES = (0.01, 0.25, 0.9, 1.1)
RATES = (0.0001, 0.1, 10.0)
NEAR, FAR = 0.01, 0.5  # hardly any of the way is left; more than half of it is


def make(request: Request) -> Outcome:
    """Plain gradient descent, so that the rate alone decides."""
    descent_path = Source().functions("ch06_optimizers").descent_path
    paths = {rate: descent_path(START, rate, STEPS) for rate in PARABOLA_RATES}
    optimizers = [Optimizer(f"rate {rate:g}", (), stepping(rate)) for rate in RATES]
    done, title, stopped = trained(request, optimizers)
    tables = [parabola_table(paths), *([network_table(done, title)] if done else [])]
    sentences = [
        *(f"Rate {rate:g} on the parabola: {judged_path(path)}." for rate, path in paths.items()),
        *(f"{one.label.capitalize()} on the digits: {judged_losses(one.training.curve('loss'))}." for one in done),
    ]
    return Outcome(tables, sentences, lambda: rates_picture(paths, done, title), stopped)


def stepping(rate: float) -> Callable[..., None]:
    """Plain gradient descent with this rate."""

    def step(ch06: Any, w: np.ndarray, g: np.ndarray, _: int) -> None:
        ch06.sgd_step(w, g, rate)

    return step


def parabola(x: np.ndarray) -> np.ndarray:
    """The loss of ch06's descent_path."""
    values: np.ndarray = (x - 3) ** 2 + 1
    return values


def judged_path(path: np.ndarray) -> str:
    """What became of the distance to the lowest point."""
    before, after = abs(path[0] - 3), abs(path[-1] - 3)
    if after > before:
        return f"too large: the distance to the lowest point grows from {before:.3g} to {after:.3g}"
    if after > FAR * before:
        return f"too small: after {len(path) - 1} steps {after / before:.0%} of the way are still ahead"
    there = "it arrives" if after < NEAR * before else "it gets closer"
    crosses = "from side to side" if (np.sign(path[1:] - 3) != np.sign(path[:-1] - 3)).any() else "straight"
    return f"stable: {there}, {crosses}, {after:.2g} from the lowest point"


def judged_losses(losses: np.ndarray) -> str:
    """What became of the training loss, against that of guessing."""
    guess, last = float(np.log(10)), float(losses[-1])
    if last <= FAR * guess:
        return f"stable: the loss falls from {losses[0]:.3g} to {last:.3g}"
    if np.isfinite(losses).all() and (np.diff(losses) < 0).all():
        return (
            f"too small: the loss falls, but is still {last:.3g} after {len(losses)} epochs; guessing has {guess:.3g}"
        )
    return f"too large: the loss does not settle, and ends at {last:.3g}; guessing has {guess:.3g}"


def parabola_table(paths: dict[float, np.ndarray]) -> Table:
    """Where each path is after some steps."""
    shown = (0, 1, 2, 5, 10, STEPS)
    table = figures("rate", *(f"step {k}" for k in shown), title="x on L(x) = (x - 3)² + 1")
    for rate, path in paths.items():
        table.add_row(f"{rate:g}", *(f"{path[k]:.3f}" for k in shown))
    return table


def network_table(done: Sequence[Compared], title: str) -> Table:
    """The losses of the networks."""
    table = figures("rate", "loss, epoch 1", "loss, last epoch", "validation accuracy", title=title)
    for one in done:
        losses = one.training.curve("loss")
        table.add_row(one.label, figure(losses[0]), figure(losses[-1]), figure(one.training.epochs[-1].val_metric))
    return table


def rates_picture(paths: dict[float, np.ndarray], done: Sequence[Compared], title: str) -> Figure:
    """The loss along each path, on a scale of powers of ten, and the training losses of the networks."""
    drawing, (left, right) = canvas(12, 4.8, "Learning rates: too small, stable, too large", columns=2)
    for number, (rate, path) in enumerate(paths.items()):
        left.plot(parabola(path), label=f"rate {rate:g}", marker="o", markersize=3, **style(number))
    left.set(title="gradient descent on L(x) = (x - 3)² + 1", yscale="log")
    label_epochs(left, "loss", "step")
    left.legend()
    for number, one in enumerate(done):
        draw_curve(right, number, one.label, one.training.curve("loss"))
    right.set_title(title)
    label_epochs(right, "training loss")
    if done:
        right.legend()
    return drawing


experiment = Experiment("learning_rates", "Learning rates: too small, stable, too large", 10, make)

"""One epoch of Boston's house prices, batches of 16, RMSprop: the reference network of the project against Keras.

python -m benchmarks.boston_epoch [--repeats N]

All train the same 13-64-64-1 network on the same 404 rows, ten epochs per call, so that what `fit` does once weighs as
little as it does in a real training. Each contestant has a process of its own; they take turns, and a call that does
not count (compiling, first allocations) comes before every measured one. Memory is the peak of the whole process.
"""

from __future__ import annotations

import os
import resource
import statistics
import sys
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

import numpy as np

from benchmarks import machine
from benchmarks.turns import Prepared, Side

FEATURES, UNITS, BATCH, EPOCHS = 13, 64, 16, 10


def main() -> None:
    options = machine.arguments(__doc__, repeats=5).parse_args()
    before = machine.load()
    x, targets, origin = data()
    with ExitStack() as stack:
        sides = {form: stack.enter_context(Side("benchmarks.boston_epoch")) for form in FORMS}
        answers = {form: side.prepare(form, x, targets) for form, side in sides.items()}
        seconds: dict[str, list[float]] = {form: [] for form in FORMS}
        for _ in range(options.repeats):
            for form, side in sides.items():
                seconds[form].append(side.turn(form) / EPOCHS)
    show(seconds, answers, f"One epoch on {origin} ({before})")


def data() -> tuple[np.ndarray, np.ndarray, str]:
    """The training rows, standardized, and what they are."""
    import datasets
    from datasets.recipes import recipe

    boston = datasets.load("boston")
    prepared = recipe("boston").prepare(boston)
    return np.asarray(prepared.x_train), prepared.y_train, boston.note


def ours(epoch: str) -> Callable[..., Prepared]:
    """The project's own epoch, by the name of its function."""

    def prepare(x: np.ndarray, targets: np.ndarray) -> Prepared:
        from solutions.projects import boston

        rng = np.random.default_rng(1)
        params = boston.initial_params(rng, FEATURES, UNITS)
        slots = tuple(np.zeros_like(param) for param in params)
        train, constants = getattr(boston, epoch), (boston.LEARNING_RATE, boston.RHO, boston.EPSILON)

        def run() -> float:
            losses = [
                train(x, targets, params, slots, rng.permutation(len(x)), BATCH, *constants) for _ in range(EPOCHS)
            ]
            return float(losses[-1].mean())

        return run, report

    return prepare


def keras_fit(jit_compile: bool | str) -> Callable[..., Prepared]:
    """Keras with its own defaults and all its threads; nothing is switched off that could slow it down."""

    def prepare(x: np.ndarray, targets: np.ndarray) -> Prepared:
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
        import keras

        layers = [
            keras.Input((FEATURES,)),
            keras.layers.Dense(UNITS, activation="relu"),
            keras.layers.Dense(UNITS, activation="relu"),
            keras.layers.Dense(1),
        ]
        model = keras.Sequential(layers)
        model.compile(keras.optimizers.RMSprop(), "mean_squared_error", jit_compile=jit_compile)

        def run() -> float:
            return float(model.fit(x, targets, batch_size=BATCH, epochs=EPOCHS, verbose=0).history["loss"][-1])

        return run, report

    return prepare


def report(loss: float) -> tuple[float, float]:
    """The loss of the last epoch, and the process's peak memory in MB."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return loss, peak / (2**20 if sys.platform == "darwin" else 2**10)


FORMS: dict[str, Callable[..., Prepared]] = {
    "ours, fast_epoch": ours("fast_epoch"),
    "ours, train_epoch": ours("train_epoch"),
    "Keras fit, as it comes": keras_fit("auto"),
    "Keras fit, jit_compile=False": keras_fit(False),
}


def show(seconds: dict[str, list[float]], answers: dict[str, Any], title: str) -> None:
    """Times and memory, and each time against the faster Keras, all from this run."""
    medians = {form: statistics.median(times) for form, times in seconds.items()}
    keras = min(value for form, value in medians.items() if form.startswith("Keras"))
    made = machine.table(
        title, "epoch", "median, ms", "Keras's faster one takes", "peak memory, MB", "loss, tenth epoch"
    )
    for form, times in seconds.items():
        loss, peak = answers[form]
        middle = f"{1e3 * medians[form]:.2f}\n{1e3 * min(times):.2f} … {1e3 * max(times):.2f}"
        made.add_row(form, middle, f"{keras / medians[form]:.1f} times as long", f"{peak:.0f}", f"{loss:.1f}")
    machine.show(made)


if __name__ == "__main__":
    main()

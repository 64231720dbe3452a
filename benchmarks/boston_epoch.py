"""One epoch of Boston's house prices, batches of 16, RMSprop: the reference network of the project against Keras.

python -m benchmarks.boston_epoch [--repeats N]

All train the same 13-64-64-1 network on the same 404 rows, ten epochs per call, so that what `fit` does once weighs as
little as it does in a real training. Each has a process of its own; they take turns. See `epoch` for what is shared.
"""

from __future__ import annotations

import numpy as np

from benchmarks import epoch, machine
from benchmarks.epoch import PEAK, Arrays, Contestant
from benchmarks.turns import Prepared

EPOCHS = 10  # per call


def main() -> None:
    options = machine.arguments(__doc__, repeats=5).parse_args()
    before = machine.load()
    arrays, origin = data()
    measured = epoch.measure("benchmarks.boston_epoch", "boston", list(CONTESTANTS), arrays, options.repeats, EPOCHS)
    machine.show([epoch.table(f"One epoch on {origin} ({before})", measured)])


def data() -> tuple[Arrays, str]:
    """The training rows, standardized, and what they are."""
    from datasets.recipes import recipe

    boston = recipe("boston").load()
    prepared = recipe("boston").prepare(boston)
    return {"x": np.asarray(prepared.x_train), "targets": prepared.y_train}, boston.note


def ours(name: str) -> Contestant:
    """The project's own epoch, by the name of its function."""

    def prepare(project: str, folder: str) -> Prepared:
        from solutions.projects import boston

        recipe, params, slots, rng = epoch.start(project)
        x, targets = samples(epoch.load(folder))
        train = getattr(boston, name)
        rates = (recipe.batch_size, recipe.lr, recipe.rho, recipe.eps)

        def run() -> list[np.ndarray]:
            return [train(x, targets, params, slots, rng.permutation(len(x)), *rates) for _ in range(EPOCHS)]

        return run, lambda losses: losses[-1].mean()

    return prepare


def samples(arrays: Arrays) -> tuple[np.ndarray, np.ndarray]:
    return arrays["x"], arrays["targets"]


CONTESTANTS = {
    "ours, fast_epoch": ours("fast_epoch"),
    "ours, train_epoch": ours("train_epoch"),
    **epoch.keras_forms(samples, EPOCHS),
}
FORMS = {**CONTESTANTS, PEAK: epoch.peak_memory}


if __name__ == "__main__":
    main()

"""One epoch of MNIST, batches of 128, RMSprop: the reference network of the project against Keras.

python -m benchmarks.mnist_epoch [--repeats N]

All train the same 784-512-10 network on the same 60,000 images, in turn, each in a process of its own; see `epoch`.
Ours reads bytes and scales them inside the epoch; Keras gets prepared floats.
"""

from __future__ import annotations

import numpy as np

from benchmarks import epoch, machine
from benchmarks.epoch import PEAK, Arrays
from benchmarks.turns import Prepared

IMAGES = 60_000


def main() -> None:
    options = machine.arguments(__doc__, repeats=5).parse_args()
    before = machine.load()
    arrays, origin = epoch.digits(IMAGES)
    measured = epoch.measure("benchmarks.mnist_epoch", "mnist_mlp", list(CONTESTANTS), arrays, options.repeats)
    machine.show([epoch.table(f"One epoch of {IMAGES:,} images of {origin} ({before})", measured)])


def ours(project: str, folder: str) -> Prepared:
    """The project's own epoch."""
    from solutions.projects import mnist_mlp

    recipe, params, slots, rng = epoch.start(project)
    arrays = epoch.load(folder)
    images, labels = arrays["images"], arrays["labels"]
    rates = (recipe.batch_size, recipe.lr, recipe.rho, recipe.eps)

    def train() -> np.ndarray:
        return mnist_mlp.train_epoch(images, labels, params, slots, rng.permutation(len(images)), *rates)

    return train, np.mean


def ours_by_functions(project: str, folder: str) -> Prepared:
    """The same from the plain step, which calls one function of the chapters after the other."""
    from solutions.projects import mnist_mlp

    recipe, params, slots, rng = epoch.start(project)
    arrays = epoch.load(folder)
    images, labels = arrays["images"], arrays["labels"]

    def step(batch: np.ndarray) -> float:
        x = mnist_mlp.prepare(images[batch])
        return mnist_mlp.train_step(x, labels[batch], params, slots, recipe.lr, recipe.rho, recipe.eps)

    return lambda: epoch.by_batches(rng.permutation(len(images)), recipe.batch_size, step), np.mean


def rows(arrays: Arrays) -> tuple[np.ndarray, np.ndarray]:
    """The images as Keras takes them, and their labels."""
    from datasets.recipes.mnist_mlp import rows_of

    return rows_of(arrays["images"]), arrays["labels"]


CONTESTANTS = {
    "ours, train_epoch": ours,
    "ours, function by function": ours_by_functions,
    **epoch.keras_forms(rows),
}
FORMS = {**CONTESTANTS, PEAK: epoch.peak_memory}


if __name__ == "__main__":
    main()

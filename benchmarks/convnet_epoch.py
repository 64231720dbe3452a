"""A convolutional network on MNIST, batches of 64, RMSprop: the reference network of the project against Keras.

python -m benchmarks.convnet_epoch [--repeats N] [--images N] [--plain]

All train the same network of 93,322 parameters on the same images, in turn, each in a process of its own; see `epoch`.
A call trains on the first 12,000 images, a fifth of an epoch: at fewer, what `fit` does once per call begins to weigh.
Ours reads bytes and scales them inside the epoch; the others get prepared floats. PyTorch takes part where it is
installed.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks import epoch, machine
from benchmarks.epoch import PEAK, Arrays, Contestant
from benchmarks.turns import Prepared

EPOCH, IMAGES = 60_000, 12_000
PLAIN = "ours, function by function"


def main() -> None:
    parser = machine.arguments(__doc__, repeats=5)
    parser.add_argument("--images", type=int, default=IMAGES, help=f"images per call ({IMAGES})")
    parser.add_argument("--plain", action="store_true", help="our plain step as well, which takes minutes")
    options = parser.parse_args()
    before = machine.load()
    forms = [form for form in epoch.present(CONTESTANTS) if form != PLAIN or options.plain]
    arrays, origin = epoch.digits(options.images)
    share = options.images / EPOCH
    measured = epoch.measure("benchmarks.convnet_epoch", "mnist_convnet", forms, arrays, options.repeats, share)
    title = f"One epoch of {EPOCH:,} images, from {options.images:,} of {origin} ({before})"
    machine.show([epoch.table(title, measured)])


def ours(name: str) -> Contestant:
    """The project's own epoch, with the step of this name."""

    def prepare(project: str, folder: str) -> Prepared:
        from solutions.projects import mnist_convnet

        recipe, params, slots, rng = epoch.start(project)
        arrays = epoch.load(folder)
        images, labels = arrays["images"], arrays["labels"]
        train, rates = getattr(mnist_convnet, name), (recipe.lr, recipe.rho, recipe.eps)

        def step(batch: np.ndarray) -> float:
            return train(mnist_convnet.prepare(images[batch]), labels[batch], params, slots, *rates)

        return lambda: epoch.by_batches(rng.permutation(len(images)), recipe.batch_size, step), np.mean

    return prepare


def maps(arrays: Arrays) -> tuple[np.ndarray, np.ndarray]:
    """The images as Keras and PyTorch take them, and their labels."""
    from datasets.recipes.mnist_convnet import maps_of

    return maps_of(arrays["images"]), arrays["labels"]


def in_torch(torch: Any) -> Any:
    """The same network, but for the weights it begins with."""
    from datasets.recipes.mnist_convnet import FEATURES, FILTERS, HIDDEN

    nn = torch.nn
    return nn.Sequential(
        *(nn.Conv2d(1, FILTERS[0], 3), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Conv2d(FILTERS[0], FILTERS[1], 3), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Conv2d(FILTERS[1], FILTERS[2], 3), nn.ReLU(), nn.Flatten()),
        *(nn.Linear(FEATURES, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, 10)),
    )


CONTESTANTS = {
    "ours, fast_step": ours("fast_step"),
    PLAIN: ours("train_step"),
    **epoch.keras_forms(maps),
    **epoch.torch_forms(in_torch, "CrossEntropyLoss", maps),
}
FORMS = {**CONTESTANTS, PEAK: epoch.peak_memory}


if __name__ == "__main__":
    main()

"""A convolutional network on photos, batches of 32, RMSprop: the reference network of the project against Keras.

python -m benchmarks.cats_vs_dogs_epoch [--repeats N] [--plain]

All train the same network of 683,329 parameters on the same 2,000 photos of 64 x 64 pixels, in turn, each in a process
of its own; see `epoch`. Ours reads pixels of 0 … 255 and scales them inside the epoch, once more with augmentation; the
others get prepared photos. PyTorch takes part where it is installed.
"""

from __future__ import annotations

import importlib
import importlib.util
from typing import Any

import numpy as np

from benchmarks import epoch, machine
from benchmarks.epoch import PEAK, Arrays, Contestant
from benchmarks.turns import Prepared

PROJECT = "cats_vs_dogs"
PLAIN = "ours, function by function"
TORCH = "PyTorch"


def main() -> None:
    parser = machine.arguments(__doc__, repeats=5)
    parser.add_argument("--plain", action="store_true", help="our plain step as well, which takes a minute")
    options = parser.parse_args()
    before = machine.load()
    forms = [form for form in CONTESTANTS if form != PLAIN or options.plain]
    if importlib.util.find_spec("torch") is None:
        forms = [form for form in forms if not form.startswith(TORCH)]
    arrays, origin = photos()
    measured = epoch.measure("benchmarks.cats_vs_dogs_epoch", PROJECT, forms, arrays, options.repeats)
    title = f"One epoch of {len(arrays['images']):,} photos: {origin} ({before})"
    machine.show([epoch.table(title, measured)])


def photos() -> tuple[Arrays, str]:
    """The training photos and their labels."""
    from datasets.recipes import recipe

    data = recipe(PROJECT).load()
    return {"images": data.x_train, "labels": data.y_train.astype(np.int64)}, data.note


def ours(name: str, augmented: bool = False) -> Contestant:
    """The project's own epoch, with the step of this name."""

    def prepare(project: str, folder: str) -> Prepared:
        from solutions.ch15_augmentation import augment_batch
        from solutions.projects import cats_vs_dogs

        recipe, params, slots, rng = epoch.start(project)
        arrays = epoch.load(folder)
        images, labels = arrays["images"], arrays["labels"]
        train, rates = getattr(cats_vs_dogs, name), (recipe.lr, recipe.rho, recipe.eps)

        def step(batch: np.ndarray) -> float:
            x = cats_vs_dogs.prepare(images[batch])
            if augmented:
                x = augment_batch(x, cats_vs_dogs.AUGMENTATION, rng)
            return train(x, labels[batch], params, slots, *rates)

        return lambda: epoch.by_batches(rng.permutation(len(images)), recipe.batch_size, step), np.mean

    return prepare


def prepared(arrays: Arrays) -> tuple[np.ndarray, np.ndarray]:
    """The photos as Keras takes them, and their labels."""
    from datasets.recipes.cats_vs_dogs import scaled

    return scaled(arrays["images"]), arrays["labels"]


def pytorch(channels_last: bool) -> Contestant:
    """PyTorch's eager loop, in its own memory layout or in Keras's."""

    def prepare(project: str, folder: str) -> Prepared:
        torch: Any = importlib.import_module("torch")
        recipe, *_ = epoch.start(project)
        layout = torch.channels_last if channels_last else torch.contiguous_format
        network = in_torch(torch).to(memory_format=layout)
        optimizer = torch.optim.RMSprop(network.parameters(), recipe.lr, recipe.rho, recipe.eps)
        crossentropy = torch.nn.BCEWithLogitsLoss()
        x, labels = prepared(epoch.load(folder))
        images = torch.from_numpy(x).permute(0, 3, 1, 2).contiguous(memory_format=layout)
        y = torch.from_numpy(labels.astype(np.float32))[:, None]

        def step(batch: np.ndarray) -> float:
            optimizer.zero_grad()
            loss = crossentropy(network(images[batch]), y[batch])
            loss.backward()
            optimizer.step()
            return loss.item()

        return lambda: epoch.by_batches(torch.randperm(len(y)), recipe.batch_size, step), np.mean

    return prepare


def in_torch(torch: Any) -> Any:
    """The same network, but for the weights it begins with."""
    from datasets.recipes.cats_vs_dogs import FEATURES, FILTERS, HIDDEN

    nn = torch.nn
    layers = []
    for c_in, c_out in zip((3, *FILTERS[:-1]), FILTERS, strict=True):
        layers += [nn.Conv2d(c_in, c_out, 3), nn.ReLU(), nn.MaxPool2d(2)]
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(FEATURES, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, 1))


CONTESTANTS = {
    "ours, fast_step": ours("fast_step"),
    "ours, fast_step, augmented": ours("fast_step", augmented=True),
    PLAIN: ours("train_step"),
    **epoch.keras_forms(prepared),
    TORCH: pytorch(channels_last=False),
    f"{TORCH}, channels_last": pytorch(channels_last=True),
}
FORMS = {**CONTESTANTS, PEAK: epoch.peak_memory}


if __name__ == "__main__":
    main()

"""A convolutional network on MNIST, batches of 64, RMSprop: the reference network of the project against Keras.

python -m benchmarks.convnet_epoch [--repeats N] [--images N] [--plain]

All train the same network of 93,322 parameters on the same images. Each contestant has a process of its own; they take
turns, and a call that does not count (compiling, first allocations) comes before every measured one. A call trains on
the first 12,000 images, a fifth of an epoch: at fewer, what `fit` does once per call begins to weigh. Ours reads bytes
and scales them inside the epoch; the others get prepared floats. PyTorch takes part where it is installed. Memory is
the peak of the whole process.
"""

from __future__ import annotations

import importlib
import importlib.util
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

EPOCH, BATCH, IMAGES, FILTERS, HIDDEN = 60_000, 64, 12_000, (32, 64, 64), 64
PLAIN = "ours, function by function"


def main() -> None:
    parser = machine.arguments(__doc__, repeats=5)
    parser.add_argument("--images", type=int, default=IMAGES, help=f"images per call ({IMAGES})")
    parser.add_argument("--plain", action="store_true", help="our plain step as well, which takes minutes")
    options = parser.parse_args()
    before = machine.load()
    images, labels, origin = data(options.images)
    forms = [form for form in FORMS if form != PLAIN or options.plain]
    if importlib.util.find_spec("torch") is None:
        forms = [form for form in forms if not form.startswith("PyTorch")]
    with ExitStack() as stack:
        sides = {form: stack.enter_context(Side("benchmarks.convnet_epoch")) for form in forms}
        answers = {form: side.prepare(form, images, labels) for form, side in sides.items()}
        seconds: dict[str, list[float]] = {form: [] for form in forms}
        for _ in range(options.repeats):
            for form, side in sides.items():
                seconds[form].append(side.turn(form) * EPOCH / len(images))
    show(seconds, answers, f"One epoch of 60,000 images, from {len(images):,} of {origin} ({before})")


def data(count: int) -> tuple[np.ndarray, np.ndarray, str]:
    """Training images, the bundled sample's over and over where MNIST is not, their labels, and what they are."""
    import datasets

    mnist = datasets.load("mnist")
    chosen = np.arange(count) % len(mnist.x_train)
    return mnist.x_train[chosen], mnist.y_train[chosen].astype(np.int64), mnist.note


def ours(step: str) -> Callable[..., Prepared]:
    """The project's own epoch, with the step of this name."""

    def prepare(images: np.ndarray, labels: np.ndarray) -> Prepared:
        from solutions.projects import mnist_convnet

        rng = np.random.default_rng(1)
        params = mnist_convnet.initial_params(rng, images.shape[1:], FILTERS, HIDDEN)
        slots = tuple(np.zeros_like(param) for param in params)
        train = getattr(mnist_convnet, step)
        constants = (mnist_convnet.LEARNING_RATE, mnist_convnet.RHO, mnist_convnet.EPSILON)

        def run() -> float:
            order = rng.permutation(len(images))
            losses = []
            for start in range(0, len(order), BATCH):
                batch = order[start : start + BATCH]
                losses.append(train(mnist_convnet.prepare(images[batch]), labels[batch], params, slots, *constants))
            return float(np.mean(losses))

        return run, report

    return prepare


def keras_fit(jit_compile: bool | str) -> Callable[..., Prepared]:
    """Keras with its own defaults and all its threads; nothing is switched off that could slow it down."""

    def prepare(images: np.ndarray, labels: np.ndarray) -> Prepared:
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
        import keras

        from datasets.recipes import mnist_convnet

        x = mnist_convnet.maps_of(images)
        model = keras.Sequential(mnist_convnet.layers(keras))
        model.compile(keras.optimizers.RMSprop(), "sparse_categorical_crossentropy", jit_compile=jit_compile)

        def run() -> float:
            return float(model.fit(x, labels, batch_size=BATCH, epochs=1, verbose=0).history["loss"][0])

        return run, report

    return prepare


def pytorch(channels_last: bool) -> Callable[..., Prepared]:
    """PyTorch's eager loop, in its own memory layout or in Keras's."""

    def prepare(images: np.ndarray, labels: np.ndarray) -> Prepared:
        torch: Any = importlib.import_module("torch")
        nn = torch.nn
        layout = torch.channels_last if channels_last else torch.contiguous_format
        network = nn.Sequential(
            *(nn.Conv2d(1, FILTERS[0], 3), nn.ReLU(), nn.MaxPool2d(2)),
            *(nn.Conv2d(FILTERS[0], FILTERS[1], 3), nn.ReLU(), nn.MaxPool2d(2)),
            *(nn.Conv2d(FILTERS[1], FILTERS[2], 3), nn.ReLU(), nn.Flatten()),
            *(nn.Linear(9 * FILTERS[2], HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, 10)),
        ).to(memory_format=layout)
        optimizer = torch.optim.RMSprop(network.parameters(), lr=1e-3, alpha=0.9, eps=1e-7)
        crossentropy = nn.CrossEntropyLoss()
        x = torch.from_numpy(images.astype(np.float32) / np.float32(255))[:, None].to(memory_format=layout)
        y = torch.from_numpy(labels)

        def run() -> float:
            order = torch.randperm(len(x))
            losses = []
            for start in range(0, len(order), BATCH):
                batch = order[start : start + BATCH]
                optimizer.zero_grad()
                loss = crossentropy(network(x[batch]), y[batch])
                loss.backward()
                optimizer.step()
                losses.append(loss.item())
            return float(np.mean(losses))

        return run, report

    return prepare


def report(loss: float) -> tuple[float, float]:
    """The mean loss of a call's batches, and the process's peak memory in MB."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return loss, peak / (2**20 if sys.platform == "darwin" else 2**10)


FORMS: dict[str, Callable[..., Prepared]] = {
    "ours, fast_step": ours("fast_step"),
    PLAIN: ours("train_step"),
    "Keras fit, as it comes": keras_fit("auto"),
    "Keras fit, jit_compile=False": keras_fit(False),
    "PyTorch": pytorch(channels_last=False),
    "PyTorch, channels_last": pytorch(channels_last=True),
}


def show(seconds: dict[str, list[float]], answers: dict[str, Any], title: str) -> None:
    """Times and memory, and each time against the faster Keras, all from this run."""
    medians = {form: statistics.median(times) for form, times in seconds.items()}
    keras = min(value for form, value in medians.items() if form.startswith("Keras"))
    made = machine.table(title, "epoch", "median", "Keras's faster one takes", "peak memory, MB", "loss, first call")
    for form, times in seconds.items():
        loss, peak = answers[form]
        made.add_row(
            form, machine.median(times), f"{keras / medians[form]:.2f} times as long", f"{peak:.0f}", f"{loss:.3f}"
        )
    machine.show(made)


if __name__ == "__main__":
    main()

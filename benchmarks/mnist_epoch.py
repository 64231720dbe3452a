"""One epoch of MNIST, batches of 128, RMSprop: the reference network of the project against Keras.

python -m benchmarks.mnist_epoch [--repeats N]

All train the same 784-512-10 network on the same 60,000 images, in turn in one process, after an epoch each that does
not count (compiling, first allocations). Ours reads bytes and scales them inside the epoch; Keras gets prepared floats.
"""

from __future__ import annotations

import gc
import os
import statistics
import time
from collections.abc import Callable

import numpy as np

from benchmarks import machine

IMAGES, PIXELS, UNITS, CLASSES, BATCH = 60_000, 784, 512, 10, 128
Contestant = Callable[[], float]  # trains an epoch, returns the mean loss of its batches


def main() -> None:
    options = machine.arguments(__doc__, repeats=5).parse_args()
    before = machine.load()
    images, labels, origin = data()
    contestants = {
        "ours, train_epoch": ours(images, labels),
        "ours, function by function": ours_by_functions(images, labels),
        "Keras fit, as it comes": keras_fit(images, labels, "auto"),
        "Keras fit, jit_compile=False": keras_fit(images, labels, False),
    }
    for train in contestants.values():
        train()
    seconds: dict[str, list[float]] = {name: [] for name in contestants}
    losses: dict[str, float] = {}
    for _ in range(options.repeats):
        for name, train in contestants.items():
            gc.collect()
            started = time.perf_counter()
            losses[name] = train()
            seconds[name].append(time.perf_counter() - started)
    show(seconds, losses, f"One epoch on {origin} ({before})")


def data() -> tuple[np.ndarray, np.ndarray, str]:
    """The real training images where they are, else random ones as dark, and what they are."""
    import datasets

    try:
        mnist = datasets.load("mnist")
        if mnist.origin == "real":
            return mnist.x_train, mnist.y_train.astype(np.int64), "the real MNIST"
    except datasets.DataError as error:
        print(error)
    rng = np.random.default_rng(0)
    images = rng.integers(1, 256, (IMAGES, 28, 28), np.uint8)
    images[rng.random(images.shape) < 0.81] = 0  # black as often as in MNIST: ours skips black pixels
    return images, rng.integers(0, CLASSES, IMAGES), "RANDOM data of MNIST's shape, not the real MNIST"


def ours(images: np.ndarray, labels: np.ndarray) -> Contestant:
    """The project's own epoch."""
    from solutions.projects import mnist_mlp

    params, slots, rng = begin()

    def train() -> float:
        order = rng.permutation(len(images))
        constants = (mnist_mlp.LEARNING_RATE, mnist_mlp.RHO, mnist_mlp.EPSILON)
        return float(mnist_mlp.train_epoch(images, labels, params, slots, order, BATCH, *constants).mean())

    return train


def ours_by_functions(images: np.ndarray, labels: np.ndarray) -> Contestant:
    """The same from the plain step, which calls one function of the chapters after the other."""
    from solutions.projects import mnist_mlp

    params, slots, rng = begin()

    def train() -> float:
        order = rng.permutation(len(images))
        constants = (mnist_mlp.LEARNING_RATE, mnist_mlp.RHO, mnist_mlp.EPSILON)
        losses = []
        for start in range(0, len(order), BATCH):
            batch = order[start : start + BATCH]
            x = mnist_mlp.prepare(images[batch])
            losses.append(mnist_mlp.train_step(x, labels[batch], params, slots, *constants))
        return float(np.mean(losses))

    return train


def begin() -> tuple[tuple[np.ndarray, ...], tuple[np.ndarray, ...], np.random.Generator]:
    """Fresh parameters, as Keras initializes them, their slots, and the generator of the orders."""
    from solutions.ch05_dense import glorot_uniform

    rng = np.random.default_rng(1)
    w1, w2 = glorot_uniform(rng, PIXELS, UNITS), glorot_uniform(rng, UNITS, CLASSES)
    params = (w1, np.zeros(UNITS, np.float32), w2, np.zeros(CLASSES, np.float32))
    return params, tuple(np.zeros_like(param) for param in params), rng


def keras_fit(images: np.ndarray, labels: np.ndarray, jit_compile: bool | str) -> Contestant:
    """Keras with its own defaults and all its threads; nothing is switched off that could slow it down."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    import keras

    x = images.reshape(len(images), PIXELS).astype(np.float32) / np.float32(255)
    layers = [
        keras.layers.Input((PIXELS,)),
        keras.layers.Dense(UNITS, activation="relu"),
        keras.layers.Dense(CLASSES, activation="softmax"),
    ]
    model = keras.Sequential(layers)
    model.compile(keras.optimizers.RMSprop(), "sparse_categorical_crossentropy", jit_compile=jit_compile)

    def train() -> float:
        return float(model.fit(x, labels, batch_size=BATCH, epochs=1, verbose=0).history["loss"][0])

    return train


def show(seconds: dict[str, list[float]], losses: dict[str, float], title: str) -> None:
    """Times, and each against the faster Keras, both from this run."""
    medians = {name: statistics.median(times) for name, times in seconds.items()}
    keras = min(value for name, value in medians.items() if name.startswith("Keras"))
    made = machine.table(title, "epoch", "median", "of the faster Keras", "loss of the last epoch")
    for name, times in seconds.items():
        made.add_row(name, machine.median(times), f"{medians[name] / keras:.2f}", f"{losses[name]:.4f}")
    machine.show(made)


if __name__ == "__main__":
    main()

"""A network that learns digits without leaving the device: losses beside NumPy's, accuracy, seconds per epoch."""

from __future__ import annotations

import importlib.util
import statistics
import time
from collections.abc import Iterator
from typing import Any

import numpy as np

import datasets
from grader.projects.mnist_mlp import training
from solutions.ch12_cuda_basics import grid_for
from solutions.ch13_cuda_layers import TILE, dense_forward_kernel
from solutions.ch14_cuda_training import mlp_train_epoch

LEARNING_RATE, RHO, EPSILON = 1e-3, 0.9, 1e-7
HIDDEN, CLASSES, BATCH, EPOCHS, COMPARED = 512, 10, 128, 5, 40
GOAL = 0.977
PIXELS = slice(403, 412)  # in the middle of an image, of which a simulated network sees no more


class Digits:
    """The data as the network wants it, and where it comes from."""

    def __init__(self, simulated: bool):
        data = datasets.load("mnist")
        self.real = data.origin == "real"
        self.x_train, self.x_test = (rows(images) for images in (data.x_train, data.x_test))
        self.y_train, self.y_test = (labels.astype(np.int64) for labels in (data.y_train, data.y_test))
        self.hidden, self.batch, self.epochs = (HIDDEN, BATCH, EPOCHS) if not simulated else (5, 4, 1)
        if simulated:
            self.x_train, self.y_train = np.ascontiguousarray(self.x_train[:12, PIXELS]), self.y_train[:12]
            self.x_test, self.y_test = np.ascontiguousarray(self.x_test[:8, PIXELS]), self.y_test[:8]

    def start(self) -> tuple[Any, ...]:
        """Initial weights, always the same."""
        rng = np.random.default_rng(1)
        parts = []
        for d_in, units in ((self.x_train.shape[1], self.hidden), (self.hidden, CLASSES)):
            limit = np.sqrt(6 / (d_in + units))
            parts += [rng.uniform(-limit, limit, (d_in, units)).astype(np.float32), np.zeros(units, np.float32)]
        return tuple(parts)


def rows(images: Any) -> Any:
    return images.reshape(len(images), -1).astype(np.float32) / np.float32(255)


def report(place: Any, torch: Any, simulated: bool) -> Iterator[tuple[str, bool]]:
    """Lines to print, and whether what they tell is as it should be."""
    digits = Digits(simulated)
    found, losses, seconds = train(place, digits)
    far = far_from_numpy(digits, losses)
    count = min(COMPARED, losses.size)
    yield f"the first {count} batches' losses are at most {far:.1e} off NumPy's", far < 1e-3
    told = "MNIST" if digits.real else "the bundled sample of MNIST"
    whole = digits.real and not simulated
    goal = f", goal {GOAL}" if whole else ""
    yield f"{told}: test accuracy {found:.4f} after {digits.epochs} epochs{goal}", found >= GOAL or not whole
    if place.timed:
        yield f"seconds per epoch: {seconds:.3f} ours{rivals(digits, torch)}", True


def train(place: Any, digits: Digits) -> tuple[float, Any, float]:
    """Accuracy on the test data, the first epoch's losses, and the median seconds of the later epochs."""
    rng = np.random.default_rng(2)
    x, labels = place.put(digits.x_train), place.put(digits.y_train)
    params = tuple(place.put(param) for param in digits.start())
    slots = tuple(place.put(np.zeros_like(param)) for param in digits.start())
    count = -(-len(digits.y_train) // digits.batch)
    first, seconds = None, []
    for _ in range(digits.epochs):
        place.cuda.synchronize()
        started = time.perf_counter()
        order, losses = place.put(rng.permutation(len(digits.y_train))), place.put(np.zeros(count, np.float32))
        mlp_train_epoch(x, labels, params, slots, order, digits.batch, losses, LEARNING_RATE, RHO, EPSILON)
        found = losses.copy_to_host()  # waits for the device
        seconds.append(time.perf_counter() - started)
        first = found if first is None else first
    scores = forward(place, digits, params)
    return float((scores.argmax(axis=1) == digits.y_test).mean()), first, statistics.median(seconds[1:] or seconds)


def forward(place: Any, digits: Digits, params: tuple[Any, ...]) -> Any:
    """The test data's scores."""
    w1, b1, w2, b2 = params
    tile = (TILE, TILE)
    n = len(digits.y_test)
    hidden, scores = (place.put(np.zeros((n, units), np.float32)) for units in (digits.hidden, CLASSES))
    dense_forward_kernel[grid_for(hidden.shape, tile), tile](place.put(digits.x_test), w1, b1, True, hidden)
    dense_forward_kernel[grid_for(scores.shape, tile), tile](hidden, w2, b2, False, scores)
    return scores.copy_to_host()


def far_from_numpy(digits: Digits, losses: Any) -> float:
    """How far the first losses are from those of the same batches in NumPy."""
    order = np.random.default_rng(2).permutation(len(digits.y_train))
    params = digits.start()
    slots = tuple(np.zeros_like(param) for param in params)
    far = 0.0
    for number, loss in enumerate(losses[:COMPARED]):
        batch = order[number * digits.batch : (number + 1) * digits.batch]
        mine = training.step(digits.x_train[batch], digits.y_train[batch], params, slots, LEARNING_RATE, RHO, EPSILON)
        far = max(far, abs(float(loss) - float(mine)))
    return far


def rivals(digits: Digits, torch: Any) -> str:
    """The same epoch by PyTorch, eagerly, and by Keras, where they are."""
    told = f", {torch_epoch(torch, digits):.3f} PyTorch (eager)" if torch is not None else ""
    if importlib.util.find_spec("keras") is not None:
        try:
            told += f", {keras_epoch(digits):.3f} Keras"
        except Exception as error:  # no backend, or one without this device: ours is what is measured here
            told += f", no Keras ({type(error).__name__})"
    return told


def torch_epoch(torch: Any, digits: Digits) -> float:
    """Median seconds of an epoch after the first one, all data on the device."""
    x, labels = torch.from_numpy(digits.x_train).cuda(), torch.from_numpy(digits.y_train).cuda()
    sizes = (x.shape[1], digits.hidden, CLASSES)
    network = torch.nn.Sequential(
        torch.nn.Linear(sizes[0], sizes[1]), torch.nn.ReLU(), torch.nn.Linear(sizes[1], sizes[2])
    ).cuda()
    optimizer = torch.optim.RMSprop(network.parameters(), LEARNING_RATE, RHO, EPSILON)
    seconds = []
    with torch.enable_grad():
        for _ in range(3):
            torch.cuda.synchronize()
            started = time.perf_counter()
            for batch in torch.randperm(len(labels), device="cuda").split(digits.batch):
                optimizer.zero_grad()
                torch.nn.functional.cross_entropy(network(x[batch]), labels[batch]).backward()
                optimizer.step()
            torch.cuda.synchronize()
            seconds.append(time.perf_counter() - started)
    return statistics.median(seconds[1:])


def keras_epoch(digits: Digits) -> float:
    """Seconds of the second and third epoch of `fit`."""
    import keras

    layers = keras.layers
    network = keras.Sequential([layers.Dense(digits.hidden, "relu"), layers.Dense(CLASSES, "softmax")])
    network.compile(keras.optimizers.RMSprop(LEARNING_RATE, RHO, epsilon=EPSILON), "sparse_categorical_crossentropy")
    network.fit(digits.x_train, digits.y_train, digits.batch, 1, verbose=0)
    started = time.perf_counter()
    network.fit(digits.x_train, digits.y_train, digits.batch, 2, verbose=0)
    return (time.perf_counter() - started) / 2

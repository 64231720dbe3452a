"""The lectures' first convolutional network: three convolutions and two dense layers on handwritten digits."""

from __future__ import annotations

from typing import Any

import numpy as np

from datasets.dataset import Dataset
from datasets.recipes.recipe import ACCURACY, Prepared, Recipe

SHAPE, FILTERS, HIDDEN, CLASSES = (28, 28, 1), (32, 64, 64), 64, 10
FEATURES = 3 * 3 * FILTERS[2]  # 28 - 26 - 13 - 11 - 5 - 3 pixels along each side


def maps_of(images: np.ndarray) -> np.ndarray:
    """Pixels 0 … 255 as float32 in [0, 1], with an axis for the one channel."""
    return images[..., None].astype(np.float32) / np.float32(255)


def prepare(data: Dataset) -> Prepared:
    return Prepared(maps_of(data.x_train), data.y_train, maps_of(data.x_test), data.y_test)


def layers(keras: Any) -> list[Any]:
    return [
        keras.Input(SHAPE),
        keras.layers.Conv2D(FILTERS[0], 3, activation="relu"),
        keras.layers.MaxPooling2D(2),
        keras.layers.Conv2D(FILTERS[1], 3, activation="relu"),
        keras.layers.MaxPooling2D(2),
        keras.layers.Conv2D(FILTERS[2], 3, activation="relu"),
        keras.layers.Flatten(),
        keras.layers.Dense(HIDDEN, activation="relu"),
        keras.layers.Dense(CLASSES, activation="softmax"),
    ]


recipe = Recipe(
    name="mnist_convnet",
    dataset="mnist",
    network="conv 32 relu - maxpool - conv 64 relu - maxpool - conv 64 relu - 576 - 64 relu - 10 softmax",
    preparation="float32(pixel) / float32(255), 28 x 28 x 1",
    params=(
        ("k1", (3, 3, 1, FILTERS[0])),
        ("b1", (FILTERS[0],)),
        ("k2", (3, 3, FILTERS[0], FILTERS[1])),
        ("b2", (FILTERS[1],)),
        ("k3", (3, 3, FILTERS[1], FILTERS[2])),
        ("b3", (FILTERS[2],)),
        ("w4", (FEATURES, HIDDEN)),
        ("b4", (HIDDEN,)),
        ("w5", (HIDDEN, CLASSES)),
        ("b5", (CLASSES,)),
    ),
    layers=layers,
    prepare=prepare,
    loss="sparse_categorical_crossentropy",
    metric=ACCURACY,
    epochs=5,
    batch_size=64,
    seed=576,
)

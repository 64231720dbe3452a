"""The lectures' convolutional network for photographs: three convolutions and two dense layers, cat or dog."""

from __future__ import annotations

from typing import Any

import numpy as np

from datasets.dataset import Dataset
from datasets.recipes.recipe import BINARY_ACCURACY, Prepared, Recipe

SIDE = 64
SHAPE, FILTERS, HIDDEN = (SIDE, SIDE, 3), (32, 64, 128), 128
FEATURES = 6 * 6 * FILTERS[2]  # 64 - 62 - 31 - 29 - 14 - 12 - 6 pixels along each side


def scaled(images: np.ndarray) -> np.ndarray:
    """Pixels 0 … 255 as numbers in [0, 1]."""
    return images * np.float32(1 / 255)


def prepare(data: Dataset) -> Prepared:
    return Prepared(scaled(data.x_train), data.y_train, scaled(data.x_test), data.y_test)


def layers(keras: Any) -> list[Any]:
    convolutions = [
        layer
        for filters in FILTERS
        for layer in (keras.layers.Conv2D(filters, 3, activation="relu"), keras.layers.MaxPooling2D(2))
    ]
    return [
        keras.Input(SHAPE),
        *convolutions,
        keras.layers.Flatten(),
        keras.layers.Dense(HIDDEN, activation="relu"),
        keras.layers.Dense(1, activation="sigmoid"),
    ]


recipe = Recipe(
    name="cats_vs_dogs",
    dataset="cats_and_dogs",
    network="conv 32 relu - maxpool - conv 64 relu - maxpool - conv 128 relu - maxpool - 4608 - 128 relu - 1 sigmoid",
    preparation="float32(pixel) * float32(1 / 255), 64 x 64 x 3",
    params=(
        ("k1", (3, 3, 3, FILTERS[0])),
        ("b1", (FILTERS[0],)),
        ("k2", (3, 3, FILTERS[0], FILTERS[1])),
        ("b2", (FILTERS[1],)),
        ("k3", (3, 3, FILTERS[1], FILTERS[2])),
        ("b3", (FILTERS[2],)),
        ("w4", (FEATURES, HIDDEN)),
        ("b4", (HIDDEN,)),
        ("w5", (HIDDEN, 1)),
        ("b5", (1,)),
    ),
    layers=layers,
    prepare=prepare,
    loss="binary_crossentropy",
    metric=BINARY_ACCURACY,
    epochs=16,
    batch_size=32,
    seed=4608,
    lr=3e-4,
    options={"image_size": (SIDE, SIDE)},
)

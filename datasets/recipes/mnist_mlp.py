"""The lectures' first network: a dense network 784 - 512 (relu) - 10 (softmax) on handwritten digits."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from datasets.dataset import Dataset
from datasets.recipes.recipe import ACCURACY, Prepared, Recipe

INPUTS, HIDDEN, CLASSES = 784, 512, 10


def rows_of(images: np.ndarray) -> np.ndarray:
    """Pixels 0 … 255 as float32 rows in [0, 1]."""
    return images.reshape(len(images), math.prod(images.shape[1:])).astype(np.float32) / np.float32(255)


def prepare(data: Dataset) -> Prepared:
    return Prepared(rows_of(data.x_train), data.y_train, rows_of(data.x_test), data.y_test)


def layers(keras: Any) -> list[Any]:
    return [
        keras.Input((INPUTS,)),
        keras.layers.Dense(HIDDEN, activation="relu"),
        keras.layers.Dense(CLASSES, activation="softmax"),
    ]


recipe = Recipe(
    name="mnist_mlp",
    dataset="mnist",
    network="784 - 512 relu - 10 softmax",
    preparation="float32(pixel) / float32(255), rows of 784",
    params=(("w1", (INPUTS, HIDDEN)), ("b1", (HIDDEN,)), ("w2", (HIDDEN, CLASSES)), ("b2", (CLASSES,))),
    layers=layers,
    prepare=prepare,
    loss="sparse_categorical_crossentropy",
    metric=ACCURACY,
    epochs=5,
    batch_size=128,
    seed=512,
)

"""The lectures' regression: a dense network 13 - 64 (relu) - 64 (relu) - 1 on the house prices of Boston's suburbs."""

from __future__ import annotations

from typing import Any

import numpy as np

from datasets.dataset import Dataset
from datasets.recipes.recipe import MAE, Prepared, Recipe

HIDDEN = 64


def standardized(train: np.ndarray, test: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Both as float32, less the mean of the training rows and divided by their standard deviation."""
    mean, std = train.mean(axis=0, dtype=np.float64), train.std(axis=0, dtype=np.float64)
    return ((train - mean) / std).astype(np.float32), ((test - mean) / std).astype(np.float32)


def regression(name: str, inputs: int, target_unit: float, epochs: int, batch_size: int, seed: int) -> Recipe:
    """The recipe of a network of two hidden layers that predicts prices from a table.

    Parameters
    ----------
    name : of the network, and of the data set
    inputs : features
    target_unit : what the targets are divided by, so that they are no larger than about 50
    epochs, batch_size, seed : of the training
    """

    def prepare(data: Dataset) -> Prepared:
        x_train, x_test = standardized(data.x_train, data.x_test)
        y_train, y_test = ((y / target_unit).astype(np.float32) for y in (data.y_train, data.y_test))
        return Prepared(x_train, y_train, x_test, y_test)

    def layers(keras: Any) -> list[Any]:
        return [
            keras.Input((inputs,)),
            keras.layers.Dense(HIDDEN, activation="relu"),
            keras.layers.Dense(HIDDEN, activation="relu"),
            keras.layers.Dense(1),
        ]

    return Recipe(
        name=name,
        dataset=name,
        network=f"{inputs} - {HIDDEN} relu - {HIDDEN} relu - 1",
        preparation=f"(x - mean) / std of the training rows, float32; targets / {target_unit:g}",
        params=(
            ("w1", (inputs, HIDDEN)),
            ("b1", (HIDDEN,)),
            ("w2", (HIDDEN, HIDDEN)),
            ("b2", (HIDDEN,)),
            ("w3", (HIDDEN, 1)),
            ("b3", (1,)),
        ),
        layers=layers,
        prepare=prepare,
        loss="mean_squared_error",
        metric=MAE,
        epochs=epochs,
        batch_size=batch_size,
        seed=seed,
    )


recipe = regression("boston", inputs=13, target_unit=1, epochs=130, batch_size=16, seed=404)

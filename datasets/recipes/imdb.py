"""The lectures' network for film reviews, 10,000 words - 16 (relu) - 16 (relu) - 1 (sigmoid), and its like."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from datasets.dataset import Dataset
from datasets.ragged import Ragged
from datasets.recipes.recipe import BINARY_ACCURACY, Prepared, Recipe

WORDS = 10_000


@dataclass(frozen=True, eq=False)
class MultiHot:
    """Texts as rows that tell which words occur; only the rows that are asked for are ever made.

    Parameters
    ----------
    texts : ids from 0 to words - 1
    words : columns of a row
    """

    texts: Ragged
    words: int = WORDS

    def __len__(self) -> int:
        return len(self.texts)

    def __getitem__(self, indices: Any) -> np.ndarray:
        chosen = self.texts.take(np.arange(len(self))[indices])
        rows = np.zeros((len(chosen), self.words), np.float32)
        rows[np.repeat(np.arange(len(chosen)), np.diff(chosen.offsets)), chosen.ids] = 1
        return rows


def prepare(data: Dataset) -> Prepared:
    return Prepared(MultiHot(data.x_train), data.y_train, MultiHot(data.x_test), data.y_test)


def classification(
    name: str, units: int, outputs: int, last: str, loss: str, metric: str, epochs: int, seed: int
) -> Recipe:
    """The recipe of a network of two hidden layers that judges texts by their words, on multi-hot rows.

    Parameters
    ----------
    name : of the network, and of the data set
    units : of each hidden layer
    outputs, last : units and activation of the last layer
    loss, metric, epochs, seed : as `Recipe` has them
    """

    def layers(keras: Any) -> list[Any]:
        return [
            keras.Input((WORDS,)),
            keras.layers.Dense(units, activation="relu"),
            keras.layers.Dense(units, activation="relu"),
            keras.layers.Dense(outputs, activation=last),
        ]

    return Recipe(
        name=name,
        dataset=name,
        options={"num_words": WORDS},
        network=f"{WORDS:,} - {units} relu - {units} relu - {outputs} {last}",
        preparation=f"multi-hot: 1 at each word that occurs, however often, of the {WORDS:,} commonest",
        params=(
            ("w1", (WORDS, units)),
            ("b1", (units,)),
            ("w2", (units, units)),
            ("b2", (units,)),
            ("w3", (units, outputs)),
            ("b3", (outputs,)),
        ),
        layers=layers,
        prepare=prepare,
        loss=loss,
        metric=metric,
        epochs=epochs,
        batch_size=512,
        seed=seed,
    )


recipe = classification(
    "imdb",
    units=16,
    outputs=1,
    last="sigmoid",
    loss="binary_crossentropy",
    metric=BINARY_ACCURACY,
    epochs=4,
    seed=16,
)

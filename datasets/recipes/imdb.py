"""The lectures' network for film reviews: 10,000 words - 16 (relu) - 16 (relu) - 1 (sigmoid) on multi-hot rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from datasets.dataset import Dataset
from datasets.ragged import Ragged
from datasets.recipes.recipe import BINARY_ACCURACY, Prepared, Recipe

WORDS, UNITS = 10_000, 16


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


def layers(keras: Any) -> list[Any]:
    return [
        keras.Input((WORDS,)),
        keras.layers.Dense(UNITS, activation="relu"),
        keras.layers.Dense(UNITS, activation="relu"),
        keras.layers.Dense(1, activation="sigmoid"),
    ]


recipe = Recipe(
    name="imdb",
    dataset="imdb",
    options={"num_words": WORDS},
    network="10,000 - 16 relu - 16 relu - 1 sigmoid",
    preparation="multi-hot: 1 at each word that occurs, however often, of the 10,000 commonest",
    params=(
        ("w1", (WORDS, UNITS)),
        ("b1", (UNITS,)),
        ("w2", (UNITS, UNITS)),
        ("b2", (UNITS,)),
        ("w3", (UNITS, 1)),
        ("b3", (1,)),
    ),
    layers=layers,
    prepare=prepare,
    loss="binary_crossentropy",
    metric=BINARY_ACCURACY,
    epochs=4,
    batch_size=512,
    seed=16,
)

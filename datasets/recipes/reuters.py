"""The lectures' network for newswires: 10,000 words - 64 (relu) - 64 (relu) - 46 topics (softmax), multi-hot rows."""

from __future__ import annotations

from typing import Any

from datasets.recipes.imdb import WORDS, prepare
from datasets.recipes.recipe import ACCURACY, Recipe

UNITS, TOPICS = 64, 46


def layers(keras: Any) -> list[Any]:
    return [
        keras.Input((WORDS,)),
        keras.layers.Dense(UNITS, activation="relu"),
        keras.layers.Dense(UNITS, activation="relu"),
        keras.layers.Dense(TOPICS, activation="softmax"),
    ]


recipe = Recipe(
    name="reuters",
    dataset="reuters",
    options={"num_words": WORDS},
    network="10,000 - 64 relu - 64 relu - 46 softmax",
    preparation="multi-hot: 1 at each word that occurs, however often, of the 10,000 commonest",
    params=(
        ("w1", (WORDS, UNITS)),
        ("b1", (UNITS,)),
        ("w2", (UNITS, UNITS)),
        ("b2", (UNITS,)),
        ("w3", (UNITS, TOPICS)),
        ("b3", (TOPICS,)),
    ),
    layers=layers,
    prepare=prepare,
    loss="sparse_categorical_crossentropy",
    metric=ACCURACY,
    epochs=9,
    batch_size=512,
    seed=64,
)

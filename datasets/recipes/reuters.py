"""The lectures' network for newswires: 10,000 words - 64 (relu) - 64 (relu) - 46 topics (softmax), multi-hot rows."""

from __future__ import annotations

from datasets.recipes.imdb import classification
from datasets.recipes.recipe import ACCURACY

recipe = classification(
    "reuters",
    units=64,
    outputs=46,
    last="softmax",
    loss="sparse_categorical_crossentropy",
    metric=ACCURACY,
    epochs=9,
    seed=64,
)

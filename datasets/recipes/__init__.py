"""How Keras trained the reference networks: one recipe per network, and `kata models train NAME` to repeat it."""

from __future__ import annotations

import importlib

from datasets.error import DataError
from datasets.recipes.recipe import Recipe

NAMES = (
    "mnist_mlp",
    "imdb",
    "reuters",
    "boston",
    "california",
    "mnist_convnet",
    "cats_vs_dogs",
    "cats_vs_dogs_transfer",
)


def recipe(name: str) -> Recipe:
    """The recipe of a network.

    Raises
    ------
    DataError : there is none of that name
    """
    if name not in NAMES:
        raise DataError(f"There is no model called {name!r}. These are known: {', '.join(NAMES)}.")
    found: Recipe = importlib.import_module(f"datasets.recipes.{name}").recipe
    return found

"""Networks on photographs of cats and dogs: trained from scratch, and by a head on a frozen base."""

from __future__ import annotations

from typing import Any

import numpy as np

from datasets.dataset import Dataset
from datasets.recipes.recipe import Recipe
from experiments.images import Images
from experiments.learner import Learner, Params, Part
from experiments.source import Source

AT_A_TIME = 50  # photos in the frozen base


class Photos(Images):
    """The convolutional network, on the photos as they are."""

    def pass_over(self, params: Params, slots: Any, order: np.ndarray) -> Any:
        batch_size, *rates = self.rates
        plain = None, np.random.default_rng(0)  # no augmentation, so nothing is drawn
        images, labels = self.data.x_train, self.y["train"]
        return self.network.train_epoch(images, labels, params, slots, order, batch_size, *plain, *rates)


class Transfer(Learner):
    """A head on the features of a frozen base, which are extracted once."""

    def __init__(self, source: Source, recipe: Recipe, data: Dataset, rows: np.ndarray):
        from datasets.recipes.cats_vs_dogs_transfer import base_for

        super().__init__(source, recipe, data, rows)
        layers = base_for(data.origin).layers
        self.features: dict[Part, np.ndarray] = {
            "train": self.network.extract_features(layers, data.x_train, AT_A_TIME),
            "test": self.network.extract_features(layers, data.x_test, AT_A_TIME),
        }

    def pass_over(self, params: Params, slots: Any, order: np.ndarray) -> Any:
        return self.network.train_epoch(self.features["train"], self.y["train"], params, slots, order, *self.rates)

    def answers(self, params: Params, part: Part, rows: np.ndarray) -> Any:
        return self.network.head_forward(self.features[part][rows], params)

"""The network on house prices."""

from __future__ import annotations

from typing import Any

import numpy as np

from datasets.dataset import Dataset
from datasets.recipes.recipe import Recipe
from experiments.learner import Learner, Params, Part
from experiments.source import Source


class Houses(Learner):
    """Rows of a table, standardized by what the rows to train on say."""

    def __init__(self, source: Source, recipe: Recipe, data: Dataset, rows: np.ndarray):
        super().__init__(source, recipe, data, rows)
        seen = data.x_train[rows]
        self.x: dict[Part, np.ndarray] = {
            "train": self.network.prepare(seen, data.x_train)[1],
            "test": self.network.prepare(seen, data.x_test)[1],
        }

    def on(self, rows: np.ndarray) -> Houses:
        return Houses(self.source, self.recipe, self.data, rows)

    def pass_over(self, params: Params, slots: Any, order: np.ndarray) -> Any:
        # The network is so small that waking threads takes longer than a step: fast_epoch needs none. A student may not
        # have got to it yet.
        train_epoch = self.network.train_epoch if self.source.yours else self.network.fast_epoch
        return train_epoch(self.x["train"], self.y["train"], params, slots, order, *self.rates)

    def answers(self, params: Params, part: Part, rows: np.ndarray) -> Any:
        return self.network.predict(self.x[part][rows], params)

"""Networks on words: film reviews and newswires."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from datasets.dataset import Dataset
from datasets.recipes.recipe import Recipe
from experiments.learner import Learner, Params, Part
from experiments.source import Source

Step = Callable[..., Any]  # (words, bounds, labels, params, slots, lr, rho, eps) -> loss


class Texts(Learner):
    """Ragged texts, of which the network gets every word once.

    Parameters
    ----------
    step : another step than the one that `train_epoch` makes, e.g. with a penalty on large weights
    """

    def __init__(self, source: Source, recipe: Recipe, data: Dataset, rows: np.ndarray, step: Step | None = None):
        super().__init__(source, recipe, data, rows)
        self.step = step
        self.reviews = source.functions("projects.imdb")  # where what all texts need was written
        dimension = recipe.params[0][1][0]
        self.words, self.bounds = self.reviews.distinct_words(data.x_train.ids, data.x_train.offsets, dimension)

    def pass_over(self, params: Params, slots: Any, order: np.ndarray) -> Any:
        labels = self.y["train"]
        if self.step is None:
            return self.network.train_epoch(self.words, self.bounds, labels, params, slots, order, *self.rates)
        batch_size, *rates = self.rates
        losses = []
        for start in range(0, len(order), batch_size):
            batch = order[start : start + batch_size]
            words, bounds = self.reviews.take_texts(self.words, self.bounds, batch)
            losses.append(self.step(words, bounds, labels[batch], params, slots, *rates))
        return np.array(losses, np.float32)

    def answers(self, params: Params, part: Part, rows: np.ndarray) -> Any:
        texts = (self.data.x_train if part == "train" else self.data.x_test).take(rows)
        return self.network.predict(texts.ids, texts.offsets, params)

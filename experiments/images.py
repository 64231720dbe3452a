"""Networks on images, which prepare them themselves."""

from __future__ import annotations

from typing import Any

import numpy as np

from experiments.learner import Learner, Params, Part


class Images(Learner):
    """The digits, by the dense or by the convolutional network."""

    def pass_over(self, params: Params, slots: Any, order: np.ndarray) -> Any:
        return self.network.train_epoch(self.data.x_train, self.y["train"], params, slots, order, *self.rates)

    def answers(self, params: Params, part: Part, rows: np.ndarray) -> Any:
        images = self.data.x_train if part == "train" else self.data.x_test
        return self.network.predict(images[rows], params)

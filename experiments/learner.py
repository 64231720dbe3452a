"""A network with its data, as the training loop sees it."""

from __future__ import annotations

import copy
from typing import Any, Literal, Self

import numpy as np

from datasets.dataset import Dataset
from datasets.recipes.recipe import MAE, Recipe
from experiments.source import Source
from grader.problem import Problem

Params = tuple[np.ndarray, ...]
Part = Literal["train", "test"]

LOSSES = {"mean_squared_error": "mse"}  # Keras's names of those that ch04_losses calls otherwise


class Learner:
    """What a loop needs: where the parameters begin, one pass over some samples, answers, and how good these are.

    Samples are named by their row numbers, so that nothing is copied to hold some of them out.

    Parameters
    ----------
    source : whose functions are used
    recipe : the network, how Keras trains it, and what is measured
    data : training and test samples
    rows : int64 (n,); the training samples; what else there is may not be looked at in advance
    """

    def __init__(self, source: Source, recipe: Recipe, data: Dataset, rows: np.ndarray):
        self.source, self.recipe, self.data, self.rows = source, recipe, data, rows
        self.network = source.functions(f"projects.{recipe.name}")
        self.losses = source.functions("ch04_losses")
        kind = np.float32 if recipe.metric == MAE else np.int64
        self.y: dict[Part, np.ndarray] = {"train": data.y_train.astype(kind), "test": data.y_test.astype(kind)}

    def on(self, rows: np.ndarray) -> Self:
        """The same, to be trained on other rows."""
        other = copy.copy(self)
        other.rows = rows
        return other

    @property
    def rates(self) -> tuple[int, float, float, float]:
        """The last arguments of every `train_epoch`."""
        return self.recipe.batch_size, self.recipe.lr, self.recipe.rho, self.recipe.eps

    def begin(self, rng: np.random.Generator) -> tuple[Params, Any]:
        """The parameters before training, and what the optimizer remembers."""
        params = self.recipe.initial_params(rng)
        return params, tuple(np.zeros_like(param) for param in params)

    def pass_over(self, params: Params, slots: Any, order: np.ndarray) -> Any:
        """One step per batch of these training samples, in this order; the loss of each."""
        raise NotImplementedError

    def answers(self, params: Params, part: Part, rows: np.ndarray) -> Any:
        """What the network says to these samples."""
        raise NotImplementedError

    def epoch(self, params: Params, slots: Any, order: np.ndarray) -> np.ndarray:
        """`pass_over`, with a look at what came back."""
        batches = -(-len(order) // self.recipe.batch_size)
        return checked("train_epoch", self.pass_over(params, slots, order), (batches,), "the loss of each batch")

    def predict(self, params: Params, part: Part, rows: np.ndarray) -> np.ndarray:
        """`answers`, with a look at what came back."""
        outputs = self.recipe.params[-1][1][0]
        return checked("predict", self.answers(params, part, rows), (len(rows), outputs), "a row per sample")

    def score(self, params: Params, part: Part, rows: np.ndarray) -> tuple[float, float]:
        """Mean loss and metric on these samples."""
        predictions, wanted = self.predict(params, part, rows), self.y[part][rows]
        loss = getattr(self.losses, LOSSES.get(self.recipe.loss, self.recipe.loss))
        if predictions.shape[1] == 1:  # a probability or a price: the loss compares it element by element
            value = loss(wanted.astype(np.float32), predictions.reshape(-1))
        else:
            value = loss(wanted, predictions)
        return float(value), self.recipe.measure(predictions, wanted)


def checked(function: str, answer: Any, shape: tuple[int, ...], what: str) -> np.ndarray:
    """The answer as an array.

    Raises
    ------
    Problem : it is no array of floats of this shape
    """
    try:
        found = np.asarray(answer)
    except ValueError:  # a list of lists of different lengths
        found = np.asarray(None)
    if found.shape == shape and found.dtype.kind == "f":
        return found
    shown = f"{found.dtype} of shape {found.shape}" if found.ndim else f"a {type(answer).__name__}"
    raise Problem(
        f"{function}: it returned {shown}; asked for are floats of shape {shape}, {what}.",
        f"`kata check {function}` tells more.",
    )

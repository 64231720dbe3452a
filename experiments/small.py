"""A small network on some digits, and every optimizer of ch06: what the experiments on learning share."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from datasets.dataset import Dataset
from datasets.recipes.recipe import Recipe
from experiments import projects
from experiments.comparison import Compared, Variant, compare
from experiments.experiment import Request
from experiments.learner import Learner, Params, Part
from experiments.source import Source

IMAGES, HELD_OUT, HIDDEN = 10_000, 1 / 5, 64


@dataclasses.dataclass(frozen=True)
class Optimizer:
    """One way to make a step.

    Parameters
    ----------
    label : what tables and legends call it
    begin : what the step remembers of each weight begins with these values
    step : (ch06_optimizers, w, g, what it remembers …, number of the step), in place
    """

    label: str
    begin: tuple[float, ...]
    step: Callable[..., None]


class SmallNetwork(Learner):
    """Dense - ReLU - dense - softmax, the network of ch07, with any optimizer of ch06."""

    def __init__(self, source: Source, recipe: Recipe, data: Dataset, rows: np.ndarray, optimizer: Optimizer):
        super().__init__(source, recipe, data, rows)
        self.optimizer = optimizer
        self.steps = source.functions("ch06_optimizers")
        self.mlp = source.functions("ch07_training")
        self.x: dict[Part, np.ndarray] = {"train": self.network.prepare(data.x_train)}

    def begin(self, rng: np.random.Generator) -> tuple[Params, Any]:
        params, _ = super().begin(rng)
        slots = [[np.full_like(param, value) for value in self.optimizer.begin] for param in params]
        return params, (slots, itertools.count(1))

    def pass_over(self, params: Params, slots: Any, order: np.ndarray) -> Any:
        remembered, counter = slots
        batch_size = self.recipe.batch_size
        losses = []
        for start in range(0, len(order), batch_size):
            batch = order[start : start + batch_size]
            x, labels = self.x["train"][batch], self.y["train"][batch]
            probabilities, hidden = self.mlp.mlp_forward(x, params)
            losses.append(self.losses.sparse_categorical_crossentropy(labels, probabilities))
            gradients = self.mlp.mlp_backward(labels, x, hidden, probabilities, params)
            number = next(counter)
            for param, gradient, own in zip(params, gradients, remembered, strict=True):
                self.optimizer.step(self.steps, param, gradient, *own, number)
        return np.array(losses, np.float32)

    def answers(self, params: Params, part: Part, rows: np.ndarray) -> Any:
        return self.mlp.mlp_forward(self.x[part][rows], params)[0]


def trained(request: Request, optimizers: Sequence[Optimizer]) -> tuple[list[Compared], str, bool]:
    """One network per optimizer, all from the same weights and in the same orders.

    Returns
    -------
    the trainings, a title, and whether Ctrl-C ended them
    """
    found = projects.find("mnist_mlp")
    data, source = found.load(request.sample), Source()
    request.console.print(data.note, markup=False)
    count = min(IMAGES, len(data.y_train))
    validation, rows = np.split(np.arange(count), [round(HELD_OUT * count)])
    recipe = narrowed(found.recipe, HIDDEN)
    variants = [
        Variant(optimizer.label, SmallNetwork(source, recipe, data, rows, optimizer)) for optimizer in optimizers
    ]
    done, stopped = compare(variants, validation, request.epochs, request.seed, request.console)
    return done, f"784-{HIDDEN}-10, {len(rows):,} images of {projects.title(data)}", stopped


def narrowed(recipe: Recipe, hidden: int) -> Recipe:
    """The recipe of a network of two layers with another number of hidden units."""
    (inputs, _), (_, classes) = recipe.params[0][1], recipe.params[2][1]
    shapes = ((inputs, hidden), (hidden,), (hidden, classes), (classes,))
    names = [name for name, _ in recipe.params]
    return dataclasses.replace(recipe, params=tuple(zip(names, shapes, strict=True)))

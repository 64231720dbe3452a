"""The run of Keras that a project is held against: on the data that is here, real or sample."""

from __future__ import annotations

import functools
from typing import Any, NamedTuple

import numpy as np

import datasets
from datasets.recipes import recipe
from datasets.recipes.recipe import Prepared, Recipe
from grader.problem import Problem


class Run(NamedTuple):
    """What Keras did with which data, from which parameters and in which order."""

    recipe: Recipe
    data: datasets.Dataset
    model: datasets.Model
    params: tuple[np.ndarray, ...]
    order: np.ndarray

    @property
    def prepared(self) -> Prepared:
        return prepared(self.recipe.name)

    @property
    def batch_size(self) -> int:
        return self.recipe.batch_size

    @property
    def first_batch(self) -> np.ndarray:
        return self.order[: self.batch_size]

    @property
    def rates(self) -> dict[str, float]:
        """RMSprop's, as arguments of a step."""
        return {name: self.model.facts["optimizer"][name] for name in ("lr", "rho", "eps")}

    def slots(self) -> tuple[np.ndarray, ...]:
        """RMSprop's running means before the first step."""
        return no_slots(self.params)

    def after_one_step(self) -> dict[str, Any]:
        """Keras's first loss, and its parameters and slots after the first step, at the probes."""
        squares = (np.float32(1 - self.rates["rho"]) * gradient**2 for gradient in self.model.gradients)
        return self._named(self.model.losses[0], self.model.updated, squares)

    def at_probes(self, answer: Any) -> dict[str, Any]:
        """The same elements of an answer (loss, params, slots)."""
        loss, params, slots = answer
        return self._named(loss, self._pick(params), self._pick(slots))

    def has_shapes(self, params: Any) -> bool:
        """Whether these could be the network's parameters."""
        return tuple(np.shape(param) for param in params) == tuple(param.shape for param in self.params)

    def _pick(self, arrays: Any) -> list[np.ndarray]:
        return [np.asarray(array).reshape(-1)[at] for array, at in zip(arrays, self.model.probes, strict=True)]

    def _named(self, loss: Any, params: Any, slots: Any) -> dict[str, Any]:
        names = [name for name, _ in self.recipe.params]
        parts = {f"params: {name} at the probes": part for name, part in zip(names, params, strict=True)}
        parts |= {f"slots: {name} at the probes": part for name, part in zip(names, slots, strict=True)}
        return {"loss": float(loss), **parts}


@functools.cache
def run(name: str) -> Run:
    """The run of a project.

    Raises
    ------
    Problem : the data or the record of the run is damaged
    """
    try:
        found = recipe(name)
        data = found.load()
        model = datasets.load_model(name, data.origin)
        return Run(found, data, model, *found.first_epoch(model))
    except datasets.DataError as error:
        raise Problem(str(error), "") from None


@functools.cache
def prepared(name: str) -> Prepared:
    """The data of a project, ready for its network."""
    return run(name).recipe.prepare(run(name).data)


def no_slots(params: Any) -> tuple[np.ndarray, ...]:
    """RMSprop's running means before the first step."""
    return tuple(np.zeros_like(param) for param in params)


def select_losses(answer: Any) -> Any:
    """Of an answer (losses, params, slots), the losses."""
    return answer[0]

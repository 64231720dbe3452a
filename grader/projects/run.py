"""The run of Keras that a project is held against: on the data that is here, real or sample."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

import datasets
from datasets.recipes import recipe
from datasets.recipes.recipe import Prepared, Recipe
from grader.draw import Generator
from grader.exercise import Case
from grader.goal import Goal
from grader.problem import Problem

PIECE = 100  # test samples that go through a network at once: with more, its layers fit into no cache


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
    def labels(self) -> np.ndarray:
        """The training samples' classes, as exercises take them."""
        return self.data.y_train.astype(np.int64)

    @property
    def batch_size(self) -> int:
        return self.recipe.batch_size

    @property
    def first_batch(self) -> np.ndarray:
        return self.order[: self.batch_size]

    @property
    def rates(self) -> dict[str, Any]:
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

    def metric(self, forward: Callable[..., Any], params: Any) -> float:
        """What a network with these parameters reaches on the test data; computed by the grader.

        Parameters
        ----------
        forward : of prepared samples and parameters, the answers and whatever else
        """
        if tuple(np.shape(param) for param in params) != tuple(param.shape for param in self.params):
            raise ValueError("parameters of other shapes than the network's")
        params = tuple(np.asarray(param, np.float32) for param in params)
        rows = self.prepared.x_test
        answers = [forward(rows[begin : begin + PIECE], params)[0] for begin in range(0, len(rows), PIECE)]
        return self.recipe.measure(np.concatenate(answers), self.prepared.y_test)

    # What a project asks for beside its small cases; `samples` are the exercise's first arguments.

    def prediction_case(self, answers: str, **samples: Any) -> Case:
        """The trained weights; `answers` says of what Keras's are."""
        return Case(
            f"the weights that Keras trained, and Keras's {answers}",
            large=True,
            expected=self.model.predictions,
            seconds=120,
            **samples,
            params=self.model.params,
        )

    def step_case(self, **samples: Any) -> Case:
        """The first step, on the samples of the first batch."""
        return Case(
            "Keras's initial weights and first batch, and Keras's weights after the step",
            large=True,
            expected=self.after_one_step(),
            select=self.at_probes,
            seconds=120,
            **samples,
            params=self.params,
            slots=self.slots(),
            **self.rates,
        )

    def steady_case(self, batches: int, **samples: Any) -> Case:
        """The first epoch's first batches, compared as sharply as a single step."""
        return self.epoch_case(
            f"the first {batches} batches of Keras's first epoch, and Keras's losses",
            self.model.losses[:batches],
            batches,
            seconds=120,
            **samples,
        )

    def epoch_case(
        self,
        rationale: str,
        expected: Any,
        batches: int | None = None,
        select: Callable[[Any], Any] | None = None,
        seconds: float = 600,
        **samples: Any,
    ) -> Case:
        """The first epoch, or so many batches of it; what is compared are the losses, or what is selected."""
        return Case(
            rationale,
            large=True,
            expected=expected,
            select=select or select_losses,
            seconds=seconds,
            **samples,
            params=self.params,
            slots=self.slots(),
            order=self.order if batches is None else self.order[: batches * self.batch_size],
            batch_size=self.batch_size,
            **self.rates,
        )

    def training_case(
        self,
        task: str,
        goal: Goal,
        metric: Callable[[Any], float],
        samples: dict[str, Any],
        sizes: dict[str, Any],
        seconds: float = 600,
    ) -> Case:
        """The whole training from Keras's seed; `task` says what comes then, `sizes` are the network's."""
        epochs = self.model.facts["epochs"]
        return Case(
            f"from scratch: {epochs} epochs, then {task}",
            large=True,
            expected=goal,
            select=metric,
            seconds=seconds,
            **samples,
            rng=Generator(self.model.facts["seed"]),
            **sizes,
            epochs=epochs,
            batch_size=self.batch_size,
        )

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

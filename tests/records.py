"""What Keras recorded of a project's network, and the checks of a reference network against it that projects share."""

from __future__ import annotations

import os
from dataclasses import dataclass

import numpy as np
import pytest
from build import BRISK, judge_exercises

import datasets
from datasets.recipes import recipe as recipe_of
from datasets.recipes.recipe import Prepared, Recipe
from grader.catalogue import chapters
from grader.oracle import solutions
from grader.worker.host import Limits

ORIGINS = ("real", "sample")
origins = pytest.mark.parametrize("origin", ORIGINS)
long = pytest.mark.skipif(not os.environ.get("DEEPKATA_LONG"), reason="takes minutes: run it with DEEPKATA_LONG=1")
on_sample_unless_long = pytest.mark.parametrize("origin", [pytest.param("real", marks=long), "sample"])


@dataclass
class Record:
    """Keras's run from its beginning: parameters and slots, which steps change, and the order of the first epoch."""

    recipe: Recipe
    data: datasets.Dataset
    model: datasets.Model
    params: tuple[np.ndarray, ...]
    slots: tuple[np.ndarray, ...]
    order: np.ndarray

    @property
    def where(self) -> str:
        return f"{self.recipe.name}, {self.data.origin}"

    @property
    def prepared(self) -> Prepared:
        return self.recipe.prepare(self.data)

    @property
    def labels(self) -> np.ndarray:
        return self.data.y_train.astype(np.int64)

    @property
    def facts(self) -> dict:
        return self.model.facts

    @property
    def batch(self) -> np.ndarray:
        """The first batch."""
        return self.order[: self.recipe.batch_size]

    @property
    def rates(self) -> tuple[float, float, float]:
        return self.recipe.lr, self.recipe.rho, self.recipe.eps

    def metric(self, answers: np.ndarray) -> float:
        """What these answers to the test data are worth."""
        return self.recipe.measure(answers, self.data.y_test)


def record_of(name: str, origin: str) -> Record:
    """The run on this data; skips where the real data is not here."""
    recipe = recipe_of(name)
    data = recipe.load(sample=origin == "sample")
    if data.origin != origin:
        pytest.skip(
            f"needs the real {recipe.dataset}: run `kata data fetch {recipe.dataset}`, or let DEEPKATA_DATA name its "
            "folder"
        )
    model = datasets.load_model(name, origin)
    params, order = recipe.first_epoch(model)
    return Record(recipe, data, model, params, tuple(np.zeros_like(param) for param in params), order)


def check_predictions(record: Record, answers: np.ndarray, columns: int, within: float = 5e-6) -> None:
    """The stored weights make of the whole test set what they made in Keras."""
    difference = float(np.abs(answers - record.model.predictions).max())
    print(f"{record.where}: largest difference from Keras over {len(answers):,} test samples: {difference:.2g}")
    assert answers.shape == (len(record.data.x_test), columns)
    assert difference < within


def check_recorded_metric(record: Record, answers: np.ndarray) -> None:
    """Not one answer of the test set falls to the other side."""
    assert record.metric(answers) == record.facts["test_metric_of_stored_weights"]


def check_record(record: Record, samples: int, batches: int, atol: float = 2e-6, rtol: float = 0) -> None:
    """Keras answers to the first test samples, and loses in the first batches, what was recorded."""
    pytest.importorskip("keras", reason="needs Keras: pip install 'deepkata[keras]'")
    prepared, model = record.prepared, record.model
    trained = record.recipe.build(model.params)
    predictions = trained.predict(prepared.x_test[:samples], batch_size=samples, verbose=0)
    np.testing.assert_allclose(predictions, model.predictions[:samples], atol=atol, rtol=rtol)

    fresh, size = record.recipe.build(record.params), record.recipe.batch_size
    for batch in range(batches):
        chosen = record.order[batch * size : (batch + 1) * size]
        fresh.reset_metrics()
        loss = fresh.train_on_batch(prepared.x_train[chosen], prepared.y_train[chosen])
        assert loss == pytest.approx(model.losses[batch], rel=2e-4)


def check_step(record: Record, loss: float, atol: float = 1e-9) -> None:
    """The loss, and what the step has made of parameters and slots, are Keras's; `atol` is of the slots."""
    model = record.model
    assert loss == pytest.approx(model.losses[0], rel=1e-5)
    for param, slot, probes, gradient, updated in zip(
        record.params, record.slots, model.probes, model.gradients, model.updated, strict=True
    ):
        np.testing.assert_allclose(param.reshape(-1)[probes], updated, rtol=1e-4, atol=1e-6)
        np.testing.assert_allclose(slot.reshape(-1)[probes], 0.1 * gradient**2, rtol=1e-3, atol=atol)


def check_losses(record: Record, losses: np.ndarray, within: float) -> None:
    """All losses of the first epoch are Keras's, but for a share of them."""
    assert losses.shape == record.model.losses.shape
    difference = float(np.max(np.abs(losses / record.model.losses - 1)))
    print(f"{record.where}: largest relative difference of {len(losses)} losses: {difference:.2g}")
    assert difference < within


def check_reached(record: Record, reached: float, floor: float) -> None:
    """Trained from scratch the network is worth this at least."""
    print(f"{record.where}: test {record.recipe.metric} {reached:.4f}, Keras {record.facts['test_metric']:.4f}")
    assert reached >= floor


def check_solutions_pass(name: str, limits: Limits = BRISK) -> None:
    """The solutions pass every exercise of the project, with hidden cases."""
    project = next(chapter for chapter in chapters() if chapter.module == f"projects.{name}")
    names = [exercise.id for exercise in project.exercises]
    results = judge_exercises(solutions(), *names, secret="four ways", limits=limits)
    assert [(result.id, result.status) for result in results] == [(name, "passed") for name in names]

"""The project reuters against Keras: the records are honest, and the reference network does what Keras does."""

from __future__ import annotations

import numpy as np
import pytest
from build import judge_exercises

import datasets
from datasets.recipes.imdb import WORDS
from datasets.recipes.reuters import recipe
from grader.catalogue import chapters
from grader.oracle import solutions
from solutions.projects import reuters as network
from solutions.projects.imdb import distinct_words

ORIGINS = ("real", "sample")


def data_of(origin: str) -> datasets.Dataset:
    """The data a model was trained on; skips where the real Reuters is not here."""
    data = recipe.load(sample=origin == "sample")
    if data.origin != origin:
        pytest.skip("needs the real Reuters: run `kata data fetch reuters`, or let DEEPKATA_DATA name its folder")
    return data


def accuracy(data: datasets.Dataset, params: tuple[np.ndarray, ...]) -> float:
    return recipe.measure(network.predict(data.x_test.ids, data.x_test.offsets, params), data.y_test)


@pytest.mark.parametrize("origin", ORIGINS)
def test_keras_weights_in_the_reference_network_give_keras_predictions(origin, record_property):
    data, model = data_of(origin), datasets.load_model("reuters", origin)
    probabilities = network.predict(data.x_test.ids, data.x_test.offsets, model.params)
    difference = float(np.abs(probabilities - model.predictions).max())
    record_property("largest difference", difference)
    print(f"{origin}: largest difference from Keras over {len(data.x_test):,} newswires: {difference:.2g}")
    assert probabilities.shape == (len(data.x_test), 46)
    assert difference < 5e-6
    assert recipe.measure(probabilities, data.y_test) == model.facts["test_metric_of_stored_weights"]


@pytest.mark.parametrize("origin", ORIGINS)
def test_the_records_are_what_keras_answers_here_and_now(origin):
    pytest.importorskip("keras", reason="needs Keras: pip install 'deepkata[keras]'")
    data, model = data_of(origin), datasets.load_model("reuters", origin)
    rows = recipe.prepare(data)
    predictions = recipe.build(model.params).predict(rows.x_test[:500], batch_size=500, verbose=0)
    np.testing.assert_allclose(predictions, model.predictions[:500], atol=3e-6)

    params, order = recipe.first_epoch(model)
    fresh, size = recipe.build(params), model.facts["batch_size"]
    for batch in range(4):
        chosen = order[batch * size : (batch + 1) * size]
        fresh.reset_metrics()
        loss = fresh.train_on_batch(rows.x_train[chosen], rows.y_train[chosen])
        assert loss == pytest.approx(model.losses[batch], rel=2e-4)


@pytest.mark.parametrize("origin", ORIGINS)
def test_one_step_from_keras_weights_gives_keras_gradients_and_weights(origin):
    data, model = data_of(origin), datasets.load_model("reuters", origin)
    params, order = recipe.first_epoch(model)
    slots = tuple(np.zeros_like(param) for param in params)
    batch, rates = order[: model.facts["batch_size"]], model.facts["optimizer"]
    texts = data.x_train.take(batch)
    given = (*distinct_words(texts.ids, texts.offsets, WORDS), data.y_train[batch], params, slots)
    loss = network.train_step(*given, rates["lr"], rates["rho"], rates["eps"])
    assert loss == pytest.approx(model.losses[0], rel=1e-5)
    for param, slot, probes, gradient, updated in zip(
        params, slots, model.probes, model.gradients, model.updated, strict=True
    ):
        np.testing.assert_allclose(param.reshape(-1)[probes], updated, rtol=1e-4, atol=1e-6)
        np.testing.assert_allclose(slot.reshape(-1)[probes], 0.1 * gradient**2, rtol=1e-3, atol=1e-9)


@pytest.mark.parametrize("origin", ORIGINS)
def test_the_loss_follows_keras_through_the_first_epoch(origin):
    data, model = data_of(origin), datasets.load_model("reuters", origin)
    params, order = recipe.first_epoch(model)
    slots = tuple(np.zeros_like(param) for param in params)
    words, bounds = distinct_words(data.x_train.ids, data.x_train.offsets, WORDS)
    rates = (recipe.batch_size, recipe.lr, recipe.rho, recipe.eps)
    losses = network.train_epoch(words, bounds, data.y_train, params, slots, order, *rates)
    difference = float(np.max(np.abs(losses / model.losses - 1)))
    print(f"{origin}: largest relative difference of {len(losses)} losses: {difference:.2g}")
    assert difference < 1e-5


@pytest.mark.parametrize("origin", ORIGINS)
def test_trained_from_scratch_the_reference_reaches_keras_accuracy(origin):
    data, facts = data_of(origin), datasets.load_model("reuters", origin).facts
    rng = np.random.default_rng(facts["seed"])
    given = (data.x_train.ids, data.x_train.offsets, data.y_train, rng)
    reached = accuracy(data, network.train(*given, WORDS, (64, 64), facts["epochs"], facts["batch_size"]))
    print(f"{origin}: test accuracy {reached:.4f}, Keras {facts['test_metric']:.4f}")
    assert reached >= facts["test_metric"] - 0.005


def test_a_bottleneck_of_four_units_costs_accuracy():
    data = data_of("sample")
    texts = (data.x_train.ids, data.x_train.offsets, data.y_train)
    wide, narrow = (
        accuracy(data, network.train(*texts, np.random.default_rng(4), WORDS, (64, units), 8, 128)) for units in (64, 4)
    )
    assert narrow < wide - 0.05


def test_the_solutions_pass_the_project_in_all_four_ways():
    project = next(chapter for chapter in chapters() if chapter.module == "projects.reuters")
    results = judge_exercises(solutions(), *(exercise.id for exercise in project.exercises), secret="four ways")
    assert [(result.id, result.status) for result in results] == [(e.id, "passed") for e in project.exercises]

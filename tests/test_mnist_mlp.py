"""The project mnist_mlp against Keras: the records are honest, and the reference network does what Keras does."""

from __future__ import annotations

import numpy as np
import pytest
from build import judge_exercises

import datasets
from datasets.recipes.mnist_mlp import recipe
from grader.catalogue import chapters
from grader.oracle import solutions
from solutions.projects import mnist_mlp as network

ORIGINS = ("real", "sample")


def data_of(origin: str) -> datasets.Dataset:
    """The data a model was trained on; skips where the real MNIST is not here."""
    data = datasets.load("mnist", sample=origin == "sample")
    if data.origin != origin:
        pytest.skip("needs the real MNIST: run `kata data fetch mnist`, or let DEEPKATA_DATA name its folder")
    return data


@pytest.mark.parametrize("origin", ORIGINS)
def test_keras_weights_in_the_reference_network_give_keras_predictions(origin, record_property):
    data, model = data_of(origin), datasets.load_model("mnist_mlp", origin)
    probabilities = network.predict(data.x_test, model.params)
    difference = float(np.abs(probabilities - model.predictions).max())
    record_property("largest difference", difference)
    print(f"{origin}: largest difference from Keras over {len(data.x_test):,} images: {difference:.2g}")
    assert probabilities.shape == (len(data.x_test), 10)
    assert difference < 5e-6
    assert np.mean(probabilities.argmax(axis=1) == data.y_test) == model.facts["test_metric_of_stored_weights"]


@pytest.mark.parametrize("origin", ORIGINS)
def test_the_records_are_what_keras_answers_here_and_now(origin):
    pytest.importorskip("keras", reason="needs Keras: pip install 'deepkata[keras]'")
    data, model = data_of(origin), datasets.load_model("mnist_mlp", origin)
    trained = recipe.build(model.params)
    predictions = trained.predict(recipe.prepare(data).x_test, batch_size=1000, verbose=0)
    np.testing.assert_allclose(predictions, model.predictions, atol=2e-6)

    params, order = recipe.first_epoch(model)
    fresh, size = recipe.build(params), model.facts["batch_size"]
    x, labels = recipe.prepare(data).x_train, data.y_train
    for batch in range(8):
        chosen = order[batch * size : (batch + 1) * size]
        fresh.reset_metrics()
        assert fresh.train_on_batch(x[chosen], labels[chosen]) == pytest.approx(model.losses[batch], rel=2e-4)


@pytest.mark.parametrize("origin", ORIGINS)
def test_one_step_from_keras_weights_gives_keras_gradients_and_weights(origin):
    data, model = data_of(origin), datasets.load_model("mnist_mlp", origin)
    params, order = recipe.first_epoch(model)
    slots = tuple(np.zeros_like(param) for param in params)
    batch, rates = order[: model.facts["batch_size"]], model.facts["optimizer"]
    x, labels = recipe.prepare(data).x_train[batch], data.y_train[batch].astype(np.int64)
    loss = network.train_step(x, labels, params, slots, rates["lr"], rates["rho"], rates["eps"])
    assert loss == pytest.approx(model.losses[0], rel=1e-5)
    for param, slot, probes, gradient, updated in zip(
        params, slots, model.probes, model.gradients, model.updated, strict=True
    ):
        np.testing.assert_allclose(param.reshape(-1)[probes], updated, rtol=1e-4, atol=1e-6)
        np.testing.assert_allclose(slot.reshape(-1)[probes], 0.1 * gradient**2, rtol=1e-3, atol=1e-9)


@pytest.mark.parametrize("origin", ORIGINS)
def test_trained_from_scratch_the_reference_reaches_keras_accuracy(origin):
    data, model = data_of(origin), datasets.load_model("mnist_mlp", origin)
    facts = model.facts
    params = network.train(
        data.x_train,
        data.y_train.astype(np.int64),
        np.random.default_rng(facts["seed"]),
        512,
        facts["epochs"],
        facts["batch_size"],
    )
    accuracy = float(np.mean(network.predict(data.x_test, params).argmax(axis=1) == data.y_test))
    print(f"{origin}: test accuracy {accuracy:.4f}, Keras {facts['test_metric']:.4f}")
    assert accuracy >= {"real": 0.977, "sample": 0.90}[origin]


def test_the_solutions_pass_the_project_in_all_four_ways():
    project = next(chapter for chapter in chapters() if chapter.module == "projects.mnist_mlp")
    results = judge_exercises(solutions(), *(exercise.id for exercise in project.exercises), secret="four ways")
    assert [(result.id, result.status) for result in results] == [(e.id, "passed") for e in project.exercises]

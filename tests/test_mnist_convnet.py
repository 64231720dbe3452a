"""The project mnist_convnet against Keras: the records are honest, and the reference network does what Keras does."""

from __future__ import annotations

import os

import numpy as np
import pytest
from build import judge_exercises

import datasets
from datasets.recipes.mnist_convnet import recipe
from grader.catalogue import chapters
from grader.oracle import solutions
from grader.projects.mnist_convnet import DRIFT, STEADY_BATCHES, mean_losses
from grader.worker.host import Limits
from solutions.projects import mnist_convnet as network

ORIGINS = ("real", "sample")
LONG = pytest.mark.skipif(not os.environ.get("DEEPKATA_LONG"), reason="takes two minutes: run it with DEEPKATA_LONG=1")
FILTERS, HIDDEN = (32, 64, 64), 64
RATES = (network.LEARNING_RATE, network.RHO, network.EPSILON)
origins = pytest.mark.parametrize("origin", ORIGINS)


def data_of(origin: str) -> datasets.Dataset:
    """The data a model was trained on; skips where the real MNIST is not here."""
    data = datasets.load("mnist", sample=origin == "sample")
    if data.origin != origin:
        pytest.skip("needs the real MNIST: run `kata data fetch mnist`, or let DEEPKATA_DATA name its folder")
    return data


def begin(origin: str):
    """Keras's run from its beginning: data, record, parameters, slots and first order."""
    data, model = data_of(origin), datasets.load_model("mnist_convnet", origin)
    params, order = recipe.first_epoch(model)
    return data, model, params, tuple(np.zeros_like(param) for param in params), order


def accuracy(data: datasets.Dataset, params) -> float:
    return float(np.mean(network.predict(data.x_test, params).argmax(axis=1) == data.y_test))


@origins
def test_keras_weights_in_the_reference_network_give_keras_predictions(origin, record_property):
    data, model, *_ = begin(origin)
    probabilities = network.predict(data.x_test, model.params)
    difference = float(np.abs(probabilities - model.predictions).max())
    record_property("largest difference", difference)
    print(f"{origin}: largest difference from Keras over {len(data.x_test):,} images: {difference:.2g}")
    assert probabilities.shape == (len(data.x_test), 10)
    assert difference < 5e-6
    assert np.mean(probabilities.argmax(axis=1) == data.y_test) == model.facts["test_metric_of_stored_weights"]


@origins
def test_the_records_are_what_keras_answers_here_and_now(origin):
    pytest.importorskip("keras", reason="needs Keras: pip install 'deepkata[keras]'")
    data, model, params, _, order = begin(origin)
    prepared = recipe.prepare(data)
    trained = recipe.build(model.params)
    predictions = trained.predict(prepared.x_test[:500], batch_size=500, verbose=0)
    np.testing.assert_allclose(predictions, model.predictions[:500], atol=2e-6)

    fresh, size = recipe.build(params), model.facts["batch_size"]
    for batch in range(STEADY_BATCHES):
        chosen = order[batch * size : (batch + 1) * size]
        fresh.reset_metrics()
        loss = fresh.train_on_batch(prepared.x_train[chosen], prepared.y_train[chosen])
        assert loss == pytest.approx(model.losses[batch], rel=2e-4)


@origins
@pytest.mark.parametrize("step", [network.train_step, network.fast_step], ids=lambda step: step.__name__)
def test_one_step_from_keras_weights_gives_keras_gradients_and_weights(origin, step):
    data, model, params, slots, order = begin(origin)
    batch = order[: model.facts["batch_size"]]
    x, labels = network.prepare(data.x_train[batch]), data.y_train[batch].astype(np.int64)
    loss = step(x, labels, params, slots, *RATES)
    assert loss == pytest.approx(model.losses[0], rel=1e-5)
    for param, slot, probes, gradient, updated in zip(
        params, slots, model.probes, model.gradients, model.updated, strict=True
    ):
        np.testing.assert_allclose(param.reshape(-1)[probes], updated, rtol=1e-4, atol=1e-6)
        np.testing.assert_allclose(slot.reshape(-1)[probes], 0.1 * gradient**2, rtol=1e-3, atol=1e-9)


@origins
def test_the_first_batches_follow_keras(origin):
    data, model, params, slots, order = begin(origin)
    size, expected = model.facts["batch_size"], model.losses[:24]
    labels = data.y_train.astype(np.int64)
    losses = network.train_epoch(data.x_train, labels, params, slots, order[: 24 * size], size, *RATES)
    print(f"{origin}: largest difference of the first 24 losses: {np.abs(losses - expected).max():.2g}")
    np.testing.assert_allclose(losses[:STEADY_BATCHES], expected[:STEADY_BATCHES], rtol=1e-5)
    np.testing.assert_allclose(mean_losses((losses,)), mean_losses((expected,)), atol=DRIFT)


@origins
def test_trained_from_scratch_the_reference_reaches_keras_accuracy(origin):
    if origin == "real" and not os.environ.get("DEEPKATA_LONG"):
        pytest.skip("takes a minute: run it with DEEPKATA_LONG=1")
    data, model, *_ = begin(origin)
    facts, labels = model.facts, data.y_train.astype(np.int64)
    rng = np.random.default_rng(facts["seed"])
    params = network.train(data.x_train, labels, rng, FILTERS, HIDDEN, facts["epochs"], facts["batch_size"])
    reached = accuracy(data, params)
    print(f"{origin}: test accuracy {reached:.4f}, Keras {facts['test_metric']:.4f}")
    assert reached >= {"real": 0.985, "sample": 0.8}[origin]


def test_the_fast_step_is_the_step():
    """Sizes that fill no vector, a pooling rest, and slots in the middle of a training."""
    rng = np.random.default_rng(7)
    images, labels = rng.integers(0, 256, (9, 19, 23)).astype(np.uint8), rng.integers(0, 10, 9)
    params = network.initial_params(rng, (19, 23), (17, 33, 20), 7)
    slots = tuple(np.full_like(param, 0.01) for param in params)
    changed = []
    for step in (network.train_step, network.fast_step):
        arrays = tuple(param.copy() for param in params), tuple(slot.copy() for slot in slots)
        loss = step(network.prepare(images), labels, *arrays, 0.01, 0.9, 1e-7)
        changed.append((np.array(loss, np.float32), *arrays[0], *arrays[1]))
    for plain, fast in zip(*changed, strict=True):
        np.testing.assert_allclose(fast, plain, rtol=1e-5, atol=1e-7)


def test_prediction_goes_through_the_images_in_pieces():
    """The last piece is short, and every image gets its own answer."""
    rng = np.random.default_rng(8)
    images = rng.integers(0, 256, (network.IMAGES_AT_A_TIME + 3, 18, 18)).astype(np.uint8)
    params = network.initial_params(rng, (18, 18), (2, 2, 2), 3)
    alone = network.predict(images[-2:], params)
    np.testing.assert_allclose(network.predict(images, params)[-2:], alone, atol=1e-6)


@LONG
def test_the_solutions_pass_the_project_in_all_four_ways():
    project = next(chapter for chapter in chapters() if chapter.module == "projects.mnist_convnet")
    names = [exercise.id for exercise in project.exercises]
    results = judge_exercises(solutions(), *names, secret="four ways", limits=Limits())
    assert [(result.id, result.status) for result in results] == [(name, "passed") for name in names]

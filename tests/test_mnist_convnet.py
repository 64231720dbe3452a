"""The project mnist_convnet against Keras: the records are honest, and the reference network does what Keras does."""

from __future__ import annotations

import numpy as np
import pytest
from records import (
    check_predictions,
    check_reached,
    check_record,
    check_recorded_metric,
    check_solutions_pass,
    check_step,
    long,
    on_sample_unless_long,
    origins,
    record_of,
)

from grader.projects.mnist_convnet import DRIFT, STEADY_BATCHES, mean_losses
from grader.worker.host import Limits
from solutions.projects import mnist_convnet as network

FILTERS, HIDDEN = (32, 64, 64), 64


@origins
def test_keras_weights_in_the_reference_network_give_keras_predictions(origin):
    record = record_of("mnist_convnet", origin)
    probabilities = network.predict(record.data.x_test, record.model.params)
    check_predictions(record, probabilities, columns=10)
    check_recorded_metric(record, probabilities)


@on_sample_unless_long
def test_the_records_are_what_keras_answers_here_and_now(origin):
    check_record(record_of("mnist_convnet", origin), samples=500, batches=STEADY_BATCHES)


@origins
@pytest.mark.parametrize("step", [network.train_step, network.fast_step], ids=lambda step: step.__name__)
def test_one_step_from_keras_weights_gives_keras_gradients_and_weights(origin, step):
    record = record_of("mnist_convnet", origin)
    x, labels = network.prepare(record.data.x_train[record.batch]), record.labels[record.batch]
    check_step(record, step(x, labels, record.params, record.slots, *record.rates))


@origins
def test_the_first_batches_follow_keras(origin):
    record = record_of("mnist_convnet", origin)
    size, expected = record.recipe.batch_size, record.model.losses[:24]
    given = (record.data.x_train, record.labels, record.params, record.slots, record.order[: 24 * size], size)
    losses = network.train_epoch(*given, *record.rates)
    print(f"{origin}: largest difference of the first 24 losses: {np.abs(losses - expected).max():.2g}")
    np.testing.assert_allclose(losses[:STEADY_BATCHES], expected[:STEADY_BATCHES], rtol=1e-5)
    np.testing.assert_allclose(mean_losses((losses,)), mean_losses((expected,)), atol=DRIFT)


@on_sample_unless_long
def test_trained_from_scratch_the_reference_reaches_keras_accuracy(origin):
    record = record_of("mnist_convnet", origin)
    data, facts = record.data, record.facts
    rng = np.random.default_rng(facts["seed"])
    params = network.train(data.x_train, record.labels, rng, FILTERS, HIDDEN, facts["epochs"], facts["batch_size"])
    reached = record.metric(network.predict(data.x_test, params))
    check_reached(record, reached, {"real": 0.985, "sample": 0.8}[origin])


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


@long
def test_the_solutions_pass_the_project_in_all_four_ways():
    check_solutions_pass("mnist_convnet", Limits())

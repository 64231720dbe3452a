"""The project cats_vs_dogs against Keras: the records are honest, and the reference network does what Keras does."""

from __future__ import annotations

import dataclasses
import functools

import numpy as np
import pytest
from records import (
    Record,
    check_predictions,
    check_reached,
    check_record,
    check_recorded_metric,
    check_solutions_pass,
    long,
    on_sample_unless_long,
    origins,
    record_of,
)

from datasets.recipes.cats_vs_dogs import FILTERS, HIDDEN
from grader.projects.cats_vs_dogs import BATCHES, DRIFT, SLOT_DRIFT, STEADY_BATCHES, STEP_DRIFT, mean_losses
from grader.worker.host import Limits
from solutions.ch15_augmentation import augment_batch
from solutions.projects import cats_vs_dogs as network


def record(origin: str) -> Record:
    """The run on this data, from its beginning; the photos are read from their files once."""
    kept = kept_record(origin)
    return dataclasses.replace(kept, params=copies(kept.params), slots=copies(kept.slots))


@functools.cache
def kept_record(origin: str) -> Record:
    return record_of("cats_vs_dogs", origin)


def copies(arrays):
    return tuple(array.copy() for array in arrays)


def trained(run: Record, epochs: int) -> float:
    """The test accuracy of the reference network, trained from scratch."""
    data, rng = run.data, np.random.default_rng(run.recipe.seed)
    given = (data.x_train, run.labels, rng, FILTERS, HIDDEN, epochs, run.recipe.batch_size, None)
    return run.metric(network.predict(data.x_test, network.train(*given)))


@origins
def test_keras_weights_in_the_reference_network_give_keras_predictions(origin):
    run = record(origin)
    probabilities = network.predict(run.data.x_test, run.model.params)
    check_predictions(run, probabilities, columns=1)
    check_recorded_metric(run, probabilities)


@on_sample_unless_long
def test_the_records_are_what_keras_answers_here_and_now(origin):
    check_record(record(origin), samples=200, batches=STEADY_BATCHES)


@origins
@pytest.mark.parametrize("step", [network.train_step, network.fast_step], ids=lambda step: step.__name__)
def test_one_step_from_keras_weights_gives_keras_gradients_and_weights(origin, step):
    run = record(origin)
    x, labels = network.prepare(run.data.x_train[run.batch]), run.labels[run.batch]
    loss = step(x, labels, run.params, run.slots, *run.rates)
    assert loss == pytest.approx(run.model.losses[0], rel=1e-5)
    model, differences = run.model, []
    for param, slot, probes, gradient, updated in zip(
        run.params, run.slots, model.probes, model.gradients, model.updated, strict=True
    ):
        squares = np.float32(1 - run.recipe.rho) * gradient**2
        np.testing.assert_allclose(param.reshape(-1)[probes], updated, rtol=0, atol=STEP_DRIFT)
        np.testing.assert_allclose(slot.reshape(-1)[probes], squares, rtol=0, atol=SLOT_DRIFT * squares.max())
        differences.append(np.abs(param.reshape(-1)[probes] - updated).max())
    print(f"{run.where}, {step.__name__}: largest difference of a parameter: {max(differences):.2g}")


@origins
def test_the_first_batches_follow_keras(origin):
    run = record(origin)
    size, expected = run.recipe.batch_size, run.model.losses[:BATCHES]
    given = (run.data.x_train, run.labels, run.params, run.slots, run.order[: BATCHES * size], size, None, None)
    losses = network.train_epoch(*given, *run.rates)
    off = np.abs(losses / expected - 1)
    print(f"{run.where}: largest relative difference of {STEADY_BATCHES} losses: {off[:STEADY_BATCHES].max():.2g}")
    print(f"{run.where}: largest relative difference of {len(losses)} losses: {off.max():.2g}")
    np.testing.assert_allclose(losses[:STEADY_BATCHES], expected[:STEADY_BATCHES], rtol=1e-4)
    np.testing.assert_allclose(mean_losses((losses,)), mean_losses((expected,)), atol=DRIFT)


@origins
@long
def test_trained_from_scratch_the_reference_comes_near_keras_accuracy(origin):
    run = record(origin)
    # Keras's own accuracy moves five points from one epoch to the next.
    check_reached(run, trained(run, run.recipe.epochs), run.facts["test_metric"] - 0.06)


def test_the_fast_step_is_the_step():
    """Sizes that fill no vector, a pooling rest, and slots in the middle of a training."""
    rng = np.random.default_rng(7)
    images, labels = rng.integers(0, 256, (9, 27, 31, 3)).astype(np.float32), rng.integers(0, 2, 9)
    params = network.initial_params(rng, (27, 31), (17, 33, 20), 7)
    slots = tuple(np.full_like(param, 0.01) for param in params)
    changed = []
    for step in (network.train_step, network.fast_step):
        arrays = copies(params), copies(slots)
        loss = step(network.prepare(images), labels, *arrays, 0.01, 0.9, 1e-7)
        changed.append((np.array(loss, np.float32), *arrays[0], *arrays[1]))
    for plain, fast in zip(*changed, strict=True):
        np.testing.assert_allclose(fast, plain, rtol=1e-5, atol=1e-7)


def test_prediction_goes_through_the_photos_in_pieces():
    """The last piece is short, and every photo gets its own answer."""
    rng = np.random.default_rng(8)
    images = rng.integers(0, 256, (network.IMAGES_AT_A_TIME + 3, 22, 22, 3)).astype(np.float32)
    params = network.initial_params(rng, (22, 22), (2, 2, 2), 3)
    alone = network.predict(images[-2:], params)
    np.testing.assert_allclose(network.predict(images, params)[-2:], alone, atol=1e-6)


def test_no_photo_comes_twice_in_the_same_variant():
    """Neither within a batch nor from one epoch to the next."""
    rng = np.random.default_rng(9)
    photo = rng.random((1, 24, 20, 3)).astype(np.float32)
    variants = [augment_batch(np.repeat(photo, 3, axis=0), network.AUGMENTATION, rng) for _ in range(2)]
    flat = np.concatenate(variants).reshape(6, -1)
    assert len(np.unique(flat, axis=0)) == 6


@long
def test_the_solutions_pass_the_project_in_all_four_ways():
    check_solutions_pass("cats_vs_dogs", Limits())

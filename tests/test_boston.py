"""The project boston against Keras: the records are honest, and the reference network does what Keras does.

Where a test says "california", the same functions do it with eight features: nothing in them knows Boston.
"""

from __future__ import annotations

import numpy as np
import pytest
from records import (
    check_losses,
    check_predictions,
    check_record,
    check_solutions_pass,
    check_step,
    record_of,
)

from grader.goal import AtMost
from solutions.projects import boston as network

RUNS = (("boston", "real"), ("boston", "sample"), ("california", "sample"))
LECTURE_MAE = 2.5
runs = pytest.mark.parametrize(("name", "origin"), RUNS)


@runs
def test_prepared_rows_are_those_that_keras_got(name, origin):
    record = record_of(name, origin)
    data, prepared = record.data, record.prepared
    for ours, theirs in zip(
        network.prepare(data.x_train, data.x_test), (prepared.x_train, prepared.x_test), strict=True
    ):
        assert ours.dtype == np.float32
        np.testing.assert_allclose(ours, theirs, atol=1e-5)


@runs
def test_keras_weights_in_the_reference_network_give_keras_prices(name, origin):
    record = record_of(name, origin)
    prepared, params = record.prepared, record.model.params
    check_predictions(record, network.predict(prepared.x_test, params), columns=1, within=2e-5)
    error = network.evaluate(prepared.x_test, prepared.y_test, params)
    assert error == pytest.approx(record.facts["test_metric_of_stored_weights"], rel=1e-5)


@runs
def test_the_records_are_what_keras_answers_here_and_now(name, origin):
    record = record_of(name, origin)
    check_record(record, samples=len(record.data.x_test), batches=8, atol=1e-5, rtol=1e-5)


@runs
def test_one_step_from_keras_weights_gives_keras_gradients_and_weights(name, origin):
    record = record_of(name, origin)
    x, targets = record.prepared.x_train[record.batch], record.prepared.y_train[record.batch]
    check_step(record, network.train_step(x, targets, record.params, record.slots, *record.rates), atol=1e-6)


@runs
@pytest.mark.parametrize("epoch", [network.train_epoch, network.fast_epoch], ids=lambda epoch: epoch.__name__)
def test_the_first_epoch_follows_keras(name, origin, epoch):
    record = record_of(name, origin)
    rows = record.prepared
    given = (rows.x_train, rows.y_train, record.params, record.slots, record.order, record.recipe.batch_size)
    check_losses(record, epoch(*given, *record.rates), within=1e-3)


@runs
def test_trained_from_scratch_the_reference_is_as_good_as_keras(name, origin):
    record = record_of(name, origin)
    prepared, facts, margin = record.prepared, record.facts, {"boston": 0.15, "california": 0.02}[name]
    rng = np.random.default_rng(facts["seed"])
    params = network.train(prepared.x_train, prepared.y_train, rng, 64, facts["epochs"], facts["batch_size"])
    error = network.evaluate(prepared.x_test, prepared.y_test, params)
    print(f"{name}, {origin}: test MAE {error:.4f}, Keras {facts['test_metric']:.4f}")
    assert abs(error - facts["test_metric"]) < margin


def test_five_seeds_on_the_real_table_are_as_good_as_the_lecture():
    prepared = record_of("boston", "real").prepared
    errors = []
    for seed in range(1, 6):
        params = network.train(prepared.x_train, prepared.y_train, np.random.default_rng(seed), 64, 130, 16)
        errors.append(network.evaluate(prepared.x_test, prepared.y_test, params))
    print(f"test MAE over five seeds: {np.mean(errors):.3f}, spread {np.std(errors, ddof=1):.3f}")
    assert abs(np.mean(errors) - LECTURE_MAE) < 0.15


def test_kfold_finds_a_number_of_epochs_on_the_real_table():
    data = record_of("boston", "real").data
    targets = data.y_train.astype(np.float32)
    scores = network.kfold_scores(data.x_train, targets, 4, np.random.default_rng(0), 64, 100, 16)
    epochs, curve = network.best_epoch(scores), scores.mean(axis=0)
    print(f"4-fold: lowest mean MAE {curve.min():.3f} after {epochs} epochs; folds {scores[:, epochs - 1].round(2)}")
    assert scores.shape == (4, 100)
    assert 10 < epochs <= 100
    assert curve[epochs - 1] == curve.min() < 2.8


def test_validation_rows_have_no_say_in_their_network():
    """Dearer validation prices make the error larger by exactly that much: nothing was learned from them."""
    rng = np.random.default_rng(3)
    x, targets = rng.normal(50, 20, (12, 5)), rng.normal(20, 5, 12).astype(np.float32)
    folds = ((np.arange(4, 12), np.arange(4)),)
    errors = []
    for dearer in (1000, 2000):
        shifted = targets.copy()
        shifted[:4] += dearer
        errors.append(network.cross_validate(x, shifted, folds, np.random.default_rng(7), 6, 3, 4))
    np.testing.assert_allclose(errors[1] - errors[0], 1000, rtol=1e-5)


def test_validation_rows_have_no_say_in_the_standardization():
    """A row's price does not depend on which rows it is validated with."""
    rng = np.random.default_rng(4)
    x, targets = rng.normal(50, 20, (12, 5)), rng.normal(20, 5, 12).astype(np.float32)
    train = np.arange(4, 12)

    def error(rows):
        return network.cross_validate(x, targets, ((train, np.array(rows)),), np.random.default_rng(7), 6, 3, 4)

    np.testing.assert_allclose(error([0, 1, 2, 3]), (error([0]) + error([1, 2, 3]) * 3) / 4, rtol=1e-5)


def test_iterated_kfold_once_is_kfold_of_shuffled_rows():
    rng = np.random.default_rng(5)
    x, targets = rng.normal(50, 20, (11, 4)), rng.normal(20, 5, 11).astype(np.float32)
    iterated = network.iterated_kfold_scores(x, targets, 3, 1, np.random.default_rng(8), 5, 2, 4)
    draws = np.random.default_rng(8)
    order = draws.permutation(11)
    np.testing.assert_allclose(iterated, network.kfold_scores(x[order], targets[order], 3, draws, 5, 2, 4), rtol=1e-4)


def test_a_learning_curve_ends_where_training_does():
    rng = np.random.default_rng(6)
    x, targets = rng.normal(0, 1, (9, 3)).astype(np.float32), rng.normal(20, 5, 9).astype(np.float32)
    curve = network.learning_curve(x, targets, x, targets, np.random.default_rng(9), 5, 4, 2)
    params = network.train(x, targets, np.random.default_rng(9), 5, 4, 2)
    assert curve[-1] == pytest.approx(network.evaluate(x, targets, params))


@pytest.mark.parametrize(("answer", "reached"), [(2.5, True), (2.49, True), (2.51, False), (float("nan"), False)])
def test_a_ceiling_is_met_from_below(answer, reached):
    ceiling = AtMost(2.5, "test MAE")
    assert ceiling.reached(answer) == reached
    assert ceiling.miss(3.0) == "test MAE should be at most 2.5, yours is 3."
    assert ceiling.miss("2") == "test MAE should be a number of at most 2.5."


def test_the_solutions_pass_the_project_in_all_four_ways():
    check_solutions_pass("boston")

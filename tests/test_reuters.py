"""The project reuters against Keras: the records are honest, and the reference network does what Keras does."""

from __future__ import annotations

import numpy as np
import pytest
from records import (
    Record,
    check_losses,
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

from datasets.recipes.imdb import WORDS
from solutions.projects import reuters as network
from solutions.projects.imdb import distinct_words


def answers(record: Record, params: tuple[np.ndarray, ...]) -> np.ndarray:
    return network.predict(record.data.x_test.ids, record.data.x_test.offsets, params)


@origins
def test_keras_weights_in_the_reference_network_give_keras_predictions(origin):
    record = record_of("reuters", origin)
    probabilities = answers(record, record.model.params)
    check_predictions(record, probabilities, columns=46)
    check_recorded_metric(record, probabilities)


@on_sample_unless_long
def test_the_records_are_what_keras_answers_here_and_now(origin):
    check_record(record_of("reuters", origin), samples=500, batches=4, atol=3e-6)


@origins
@pytest.mark.parametrize("step", [network.train_step, network.fast_step], ids=lambda step: step.__name__)
def test_one_step_from_keras_weights_gives_keras_gradients_and_weights(step, origin):
    record = record_of("reuters", origin)
    texts = record.data.x_train.take(record.batch)
    given = (*distinct_words(texts.ids, texts.offsets, WORDS), record.data.y_train[record.batch])
    check_step(record, step(*given, record.params, record.slots, *record.rates))


@origins
def test_the_loss_follows_keras_through_the_first_epoch(origin):
    record = record_of("reuters", origin)
    texts = distinct_words(record.data.x_train.ids, record.data.x_train.offsets, WORDS)
    given = (record.data.y_train, record.params, record.slots, record.order, record.recipe.batch_size)
    check_losses(record, network.train_epoch(*texts, *given, *record.rates), within=1e-5)


@origins
def test_trained_from_scratch_the_reference_reaches_keras_accuracy(origin):
    record = record_of("reuters", origin)
    data, facts = record.data, record.facts
    rng = np.random.default_rng(facts["seed"])
    given = (data.x_train.ids, data.x_train.offsets, data.y_train, rng)
    params = network.train(*given, WORDS, (64, 64), facts["epochs"], facts["batch_size"])
    check_reached(record, record.metric(answers(record, params)), facts["test_metric"] - 0.005)


def test_a_bottleneck_of_four_units_costs_accuracy():
    record = record_of("reuters", "sample")
    texts = (record.data.x_train.ids, record.data.x_train.offsets, record.data.y_train)
    trained = (network.train(*texts, np.random.default_rng(4), WORDS, (64, units), 8, 128) for units in (64, 4))
    wide, narrow = (record.metric(answers(record, params)) for params in trained)
    assert narrow < wide - 0.05


@long
def test_the_solutions_pass_the_project_in_all_four_ways():
    check_solutions_pass("reuters")

"""The project imdb against Keras: the records are honest, and both versions of the network do what Keras does."""

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

import datasets
from datasets.recipes.imdb import WORDS, MultiHot
from solutions.projects import imdb as network


def answers(record: Record, params: tuple[np.ndarray, ...]) -> np.ndarray:
    return network.predict(record.data.x_test.ids, record.data.x_test.offsets, params)


@origins
def test_keras_weights_in_the_reference_network_give_keras_predictions(origin):
    record = record_of("imdb", origin)
    probabilities = answers(record, record.model.params)
    check_predictions(record, probabilities, columns=1)
    check_recorded_metric(record, probabilities)


@on_sample_unless_long
def test_the_records_are_what_keras_answers_here_and_now(origin):
    check_record(record_of("imdb", origin), samples=1000, batches=5)


def test_a_multi_hot_row_has_a_one_for_each_word_however_often_it_occurs():
    texts = datasets.Ragged.from_lists([[3, 1, 3], [], [0]])
    rows = MultiHot(texts, words=5)
    np.testing.assert_array_equal(rows[:], [[0, 1, 0, 1, 0], [0] * 5, [1, 0, 0, 0, 0]])
    np.testing.assert_array_equal(rows[np.array([2, 0])], rows[:][[2, 0]])
    np.testing.assert_array_equal(rows[:], network.prepare(texts.ids, texts.offsets, 5))


@origins
@pytest.mark.parametrize("version", ["multi-hot", "sparse"])
def test_one_step_from_keras_weights_gives_keras_gradients_and_weights(origin, version):
    record = record_of("imdb", origin)
    given = (record.data.y_train[record.batch], record.params, record.slots, *record.rates)
    if version == "sparse":
        texts = record.data.x_train.take(record.batch)
        loss = network.sparse_step(*network.distinct_words(texts.ids, texts.offsets, WORDS), *given)
    else:
        loss = network.train_step(record.prepared.x_train[record.batch], *given)
    check_step(record, loss)


@origins
def test_the_loss_follows_keras_through_the_first_epoch(origin):
    record = record_of("imdb", origin)
    texts = network.distinct_words(record.data.x_train.ids, record.data.x_train.offsets, WORDS)
    given = (record.data.y_train, record.params, record.slots, record.order, record.recipe.batch_size)
    check_losses(record, network.train_epoch(*texts, *given, *record.rates), within=1e-5)


@origins
def test_trained_from_scratch_the_reference_reaches_keras_accuracy(origin):
    record = record_of("imdb", origin)
    data, facts = record.data, record.facts
    rng = np.random.default_rng(facts["seed"])
    given = (data.x_train.ids, data.x_train.offsets, data.y_train, rng)
    params = network.train(*given, WORDS, (16, 16), facts["epochs"], facts["batch_size"])
    check_reached(record, record.metric(answers(record, params)), facts["test_metric"] - 0.005)


def test_the_smaller_network_is_the_same_code():
    record = record_of("imdb", "sample")
    data = record.data
    given = (data.x_train.ids, data.x_train.offsets, data.y_train, np.random.default_rng(4))
    params = network.train(*given, WORDS, (4, 4), 8, 128)
    assert [param.shape for param in params] == [(WORDS, 4), (4,), (4, 4), (4,), (4, 1), (1,)]
    assert record.metric(answers(record, params)) > 0.75


def test_l2_and_dropout_train_too():
    record = record_of("imdb", "sample")
    data = record.data
    words, bounds = network.distinct_words(data.x_train.ids, data.x_train.offsets, WORDS)
    for variant in ("l2", "dropout"):
        rng = np.random.default_rng(1)
        params = network.train(words, bounds, data.y_train, rng, WORDS, (16, 16), 0, 128)
        slots = tuple(np.zeros_like(param) for param in params)
        for _ in range(4):
            order = rng.permutation(len(data.y_train))
            for start in range(0, len(order), 128):
                batch = order[start : start + 128]
                given = (*network.take_texts(words, bounds, batch), data.y_train[batch], params, slots, 1e-3, 0.9, 1e-7)
                if variant == "l2":
                    network.l2_step(*given, 0.001)
                else:
                    uniforms = tuple(rng.random((len(batch), 16), np.float32) for _ in range(2))
                    network.dropout_step(*given, 0.5, uniforms)
        assert record.metric(answers(record, params)) > 0.75, variant


@long
def test_the_solutions_pass_the_project_in_all_four_ways():
    check_solutions_pass("imdb")

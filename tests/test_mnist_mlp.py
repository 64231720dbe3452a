"""The project mnist_mlp against Keras: the records are honest, and the reference network does what Keras does."""

from __future__ import annotations

import numpy as np
from records import (
    check_predictions,
    check_reached,
    check_record,
    check_recorded_metric,
    check_solutions_pass,
    check_step,
    on_sample_unless_long,
    origins,
    record_of,
)

from solutions.projects import mnist_mlp as network


@origins
def test_keras_weights_in_the_reference_network_give_keras_predictions(origin):
    record = record_of("mnist_mlp", origin)
    probabilities = network.predict(record.data.x_test, record.model.params)
    check_predictions(record, probabilities, columns=10)
    check_recorded_metric(record, probabilities)


@on_sample_unless_long
def test_the_records_are_what_keras_answers_here_and_now(origin):
    record = record_of("mnist_mlp", origin)
    check_record(record, samples=len(record.data.x_test), batches=8)


@origins
def test_one_step_from_keras_weights_gives_keras_gradients_and_weights(origin):
    record = record_of("mnist_mlp", origin)
    x, labels = record.prepared.x_train[record.batch], record.labels[record.batch]
    check_step(record, network.train_step(x, labels, record.params, record.slots, *record.rates))


@on_sample_unless_long
def test_trained_from_scratch_the_reference_reaches_keras_accuracy(origin):
    record = record_of("mnist_mlp", origin)
    data, facts = record.data, record.facts
    rng = np.random.default_rng(facts["seed"])
    params = network.train(data.x_train, record.labels, rng, 512, facts["epochs"], facts["batch_size"])
    reached = record.metric(network.predict(data.x_test, params))
    check_reached(record, reached, {"real": 0.977, "sample": 0.90}[origin])


def test_the_solutions_pass_the_project_in_all_four_ways():
    check_solutions_pass("mnist_mlp")

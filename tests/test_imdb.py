"""The project imdb against Keras: the records are honest, and both versions of the network do what Keras does."""

from __future__ import annotations

import numpy as np
import pytest
from build import judge_exercises

import datasets
from datasets.recipes.imdb import WORDS, MultiHot, recipe
from grader.catalogue import chapters
from grader.oracle import solutions
from solutions.projects import imdb as network

ORIGINS = ("real", "sample")


def data_of(origin: str) -> datasets.Dataset:
    """The data a model was trained on; skips where the real IMDB is not here."""
    data = recipe.load(sample=origin == "sample")
    if data.origin != origin:
        pytest.skip("needs the real IMDB: run `kata data fetch imdb`, or let DEEPKATA_DATA name its folder")
    return data


def accuracy(data: datasets.Dataset, params: tuple[np.ndarray, ...]) -> float:
    return recipe.measure(network.predict(data.x_test.ids, data.x_test.offsets, params), data.y_test)


@pytest.mark.parametrize("origin", ORIGINS)
def test_keras_weights_in_the_reference_network_give_keras_predictions(origin, record_property):
    data, model = data_of(origin), datasets.load_model("imdb", origin)
    probabilities = network.predict(data.x_test.ids, data.x_test.offsets, model.params)
    difference = float(np.abs(probabilities - model.predictions).max())
    record_property("largest difference", difference)
    print(f"{origin}: largest difference from Keras over {len(data.x_test):,} reviews: {difference:.2g}")
    assert probabilities.shape == (len(data.x_test), 1)
    assert difference < 5e-6
    assert recipe.measure(probabilities, data.y_test) == model.facts["test_metric_of_stored_weights"]


@pytest.mark.parametrize("origin", ORIGINS)
def test_the_records_are_what_keras_answers_here_and_now(origin):
    pytest.importorskip("keras", reason="needs Keras: pip install 'deepkata[keras]'")
    data, model = data_of(origin), datasets.load_model("imdb", origin)
    rows = recipe.prepare(data)
    predictions = recipe.build(model.params).predict(rows.x_test[:1000], batch_size=1000, verbose=0)
    np.testing.assert_allclose(predictions, model.predictions[:1000], atol=2e-6)

    params, order = recipe.first_epoch(model)
    fresh, size = recipe.build(params), model.facts["batch_size"]
    for batch in range(5):
        chosen = order[batch * size : (batch + 1) * size]
        fresh.reset_metrics()
        loss = fresh.train_on_batch(rows.x_train[chosen], rows.y_train[chosen])
        assert loss == pytest.approx(model.losses[batch], rel=2e-4)


def test_a_multi_hot_row_has_a_one_for_each_word_however_often_it_occurs():
    texts = datasets.Ragged.from_lists([[3, 1, 3], [], [0]])
    rows = MultiHot(texts, words=5)
    np.testing.assert_array_equal(rows[:], [[0, 1, 0, 1, 0], [0] * 5, [1, 0, 0, 0, 0]])
    np.testing.assert_array_equal(rows[np.array([2, 0])], rows[:][[2, 0]])
    np.testing.assert_array_equal(rows[:], network.prepare(texts.ids, texts.offsets, 5))


@pytest.mark.parametrize("origin", ORIGINS)
@pytest.mark.parametrize("version", ["multi-hot", "sparse"])
def test_one_step_from_keras_weights_gives_keras_gradients_and_weights(origin, version):
    data, model = data_of(origin), datasets.load_model("imdb", origin)
    params, order = recipe.first_epoch(model)
    slots = tuple(np.zeros_like(param) for param in params)
    batch, rates = order[: model.facts["batch_size"]], model.facts["optimizer"]
    given = (data.y_train[batch], params, slots, rates["lr"], rates["rho"], rates["eps"])
    if version == "sparse":
        texts = data.x_train.take(batch)
        loss = network.sparse_step(*network.distinct_words(texts.ids, texts.offsets, WORDS), *given)
    else:
        loss = network.train_step(recipe.prepare(data).x_train[batch], *given)
    assert loss == pytest.approx(model.losses[0], rel=1e-5)
    for param, slot, probes, gradient, updated in zip(
        params, slots, model.probes, model.gradients, model.updated, strict=True
    ):
        np.testing.assert_allclose(param.reshape(-1)[probes], updated, rtol=1e-4, atol=1e-6)
        np.testing.assert_allclose(slot.reshape(-1)[probes], 0.1 * gradient**2, rtol=1e-3, atol=1e-9)


@pytest.mark.parametrize("origin", ORIGINS)
def test_the_loss_follows_keras_through_the_first_epoch(origin):
    data, model = data_of(origin), datasets.load_model("imdb", origin)
    params, order = recipe.first_epoch(model)
    slots = tuple(np.zeros_like(param) for param in params)
    words, bounds = network.distinct_words(data.x_train.ids, data.x_train.offsets, WORDS)
    rates = (recipe.batch_size, recipe.lr, recipe.rho, recipe.eps)
    losses = network.train_epoch(words, bounds, data.y_train, params, slots, order, *rates)
    difference = float(np.max(np.abs(losses / model.losses - 1)))
    print(f"{origin}: largest relative difference of {len(losses)} losses: {difference:.2g}")
    assert difference < 1e-5


@pytest.mark.parametrize("origin", ORIGINS)
def test_trained_from_scratch_the_reference_reaches_keras_accuracy(origin):
    data, facts = data_of(origin), datasets.load_model("imdb", origin).facts
    rng = np.random.default_rng(facts["seed"])
    given = (data.x_train.ids, data.x_train.offsets, data.y_train, rng)
    params = network.train(*given, WORDS, (16, 16), facts["epochs"], facts["batch_size"])
    reached = accuracy(data, params)
    print(f"{origin}: test accuracy {reached:.4f}, Keras {facts['test_metric']:.4f}")
    assert reached >= facts["test_metric"] - 0.005


def test_the_smaller_network_is_the_same_code():
    data = data_of("sample")
    given = (data.x_train.ids, data.x_train.offsets, data.y_train, np.random.default_rng(4))
    params = network.train(*given, WORDS, (4, 4), 8, 128)
    assert [param.shape for param in params] == [(WORDS, 4), (4,), (4, 4), (4,), (4, 1), (1,)]
    assert accuracy(data, params) > 0.75


def test_l2_and_dropout_train_too():
    data = data_of("sample")
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
        assert accuracy(data, params) > 0.75, variant


def test_the_solutions_pass_the_project_in_all_four_ways():
    project = next(chapter for chapter in chapters() if chapter.module == "projects.imdb")
    results = judge_exercises(solutions(), *(exercise.id for exercise in project.exercises), secret="four ways")
    assert [(result.id, result.status) for result in results] == [(e.id, "passed") for e in project.exercises]

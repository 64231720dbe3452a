"""The project cats_vs_dogs_transfer against Keras: the base is Keras's, the records are honest, the head learns."""

from __future__ import annotations

import functools
import shutil
import sys
from types import SimpleNamespace

import numpy as np
import pytest
from build import judge_exercises
from data import REAL, empty_folder, refusal_of
from records import long, on_sample_unless_long, origins

import datasets
from datasets import base, photos, shapes
from datasets.catalogue import CATS_AND_DOGS
from datasets.checksums import LIST, listing
from datasets.recipes import cats_vs_dogs_transfer as transfer
from datasets.recipes.cats_vs_dogs_transfer import recipe
from grader.catalogue import chapters
from grader.oracle import solutions
from grader.worker.host import Limits
from solutions.projects import cats_vs_dogs_transfer as network

RATES = (network.LEARNING_RATE, network.RHO, network.EPSILON)
SEEDS = range(5)
needs_weights = pytest.mark.skipif(
    not (REAL / "weights" / base.FILE).exists(), reason="DEEPKATA_DATA names no folder with weights/" + base.FILE
)


@functools.cache
def data_of(origin: str) -> datasets.Dataset:
    """The photos a model was trained on; skips where they, or MobileNet, are not here."""
    data = recipe.load(sample=origin == "sample")
    if data.origin != origin:
        pytest.skip(f"needs the photos and MobileNet: {transfer.what_is_missing()}")
    return data


def begin(origin: str):
    """Keras's run from its beginning: features, record, parameters, slots and first order."""
    data, model = data_of(origin), datasets.load_model(recipe.name, origin)
    params, order = recipe.first_epoch(model)
    return recipe.prepare(data), model, params, tuple(np.zeros_like(param) for param in params), order


def accuracy(prepared, params) -> float:
    probabilities = network.head_forward(prepared.x_test, params)
    return float(np.mean((probabilities.ravel() > 0.5) == (prepared.y_test == 1)))


# --- the base -------------------------------------------------------------------------------------------------------


@origins
def test_a_base_is_kerass_mobilenet(origin):
    """The same features for the same photos, and the same number of parameters, all of them frozen."""
    pytest.importorskip("keras", reason="needs Keras: pip install 'deepkata[keras]'")
    images, layers = data_of(origin).x_test[:40], transfer.base_for(origin).layers
    theirs = base.build(layers, transfer.SIZES[origin])
    expected = transfer.features_in_keras(theirs, images)
    np.testing.assert_allclose(network.extract_features(layers, images, 16), expected, rtol=1e-4, atol=2e-5)
    head = np.zeros((expected.shape[1], 1), np.float32), np.zeros(1, np.float32)
    assert network.count_params(layers, head) == (expected.shape[1] + 1, theirs.count_params())
    assert theirs.trainable_weights == []


@needs_weights
def test_keras_reads_the_same_weights_from_the_file():
    keras = pytest.importorskip("keras", reason="needs Keras: pip install 'deepkata[keras]'")
    path = REAL / "weights" / base.FILE
    size = transfer.SIZES["sample"]
    whole = keras.applications.MobileNet((size, size, 3), alpha=0.25, include_top=False, pooling="avg", weights=path)
    ours = base.build(base.load_base().layers, size)
    images = data_of("sample").x_test[:5]
    expected = transfer.features_in_keras(whole, images)
    np.testing.assert_array_equal(transfer.features_in_keras(ours, images), expected)


@needs_weights
@pytest.mark.parametrize("damage", ["rubbish", "another number"])
def test_a_damaged_file_is_refused(damage, tmp_path, monkeypatch):
    h5py = pytest.importorskip("h5py", reason="needs h5py, which comes with Keras")
    path = empty_folder(tmp_path, monkeypatch) / "weights" / base.FILE
    path.parent.mkdir()
    shutil.copyfile(REAL / "weights" / base.FILE, path)
    path.chmod(0o644)
    if damage == "rubbish":
        path.write_bytes(b"rubbish")
    else:
        with h5py.File(path, "a") as archive:
            archive["conv_dw_3_bn/conv_dw_3_bn/gamma:0"][0] = 7.0
    assert f"kata data fetch {base.NAME}" in refusal_of(datasets.load_base)
    assert base.status().defect


def test_a_file_without_h5py_says_what_to_install(tmp_path, monkeypatch):
    path = empty_folder(tmp_path, monkeypatch) / "weights" / base.FILE
    path.parent.mkdir()
    path.write_bytes(b"anything")
    monkeypatch.setitem(sys.modules, "h5py", None)
    assert "pip install h5py" in refusal_of(datasets.load_base)


def test_without_the_file_the_bundled_base_is_served_and_says_so(tmp_path, monkeypatch):
    empty_folder(tmp_path, monkeypatch)
    found = datasets.load_base()
    assert found.origin == "sample"
    assert f"kata data fetch {base.NAME}" in found.note
    assert (base.status().origin, base.status().path, base.status().defect) == ("sample", base.BUNDLED, "")


@needs_weights
def test_the_file_is_fetched_to_where_keras_looks(tmp_path, monkeypatch):
    empty_folder(tmp_path, monkeypatch)

    def get_file(name, url, cache_dir, cache_subdir):
        assert url.endswith(name)
        path = tmp_path / "keras" / cache_subdir / name
        assert str(path).startswith(cache_dir)
        path.parent.mkdir(parents=True)
        shutil.copyfile(REAL / "weights" / base.FILE, path)
        return str(path)

    monkeypatch.setitem(sys.modules, "keras", SimpleNamespace(utils=SimpleNamespace(get_file=get_file)))
    assert datasets.fetch(base.NAME) == tmp_path / "keras" / "models" / base.FILE
    assert datasets.load_base().origin == "real"


def test_the_bundled_base_is_small_and_has_a_card():
    assert base.BUNDLED.stat().st_size < 300_000
    card = base.BUNDLED.with_suffix(".md").read_text(encoding="utf-8")
    for word in ("licence", base.BUNDLED.name, "seed", base.FILE):
        assert word in card


def test_shapes_are_drawn_alike_from_a_seed_and_differ_in_kind():
    first, again = ([shapes.shape(np.random.default_rng(3), kind) for kind in range(10)] for _ in range(2))
    assert len(shapes.KINDS) == 10
    assert all(np.array_equal(one, other) for one, other in zip(first, again, strict=True))
    assert len({one.tobytes() for one in first}) == 10


# --- the photos and the base belong together ------------------------------------------------------------------------


def test_photos_without_mobilenet_are_no_run_and_the_note_says_why(monkeypatch):
    data_of("real")
    monkeypatch.setattr(base, "find", lambda: None)
    assert "kata data fetch mobilenet" in transfer.what_is_missing()


def test_other_photos_are_no_run(tmp_path, monkeypatch):
    """The drawings, as a tree that somebody vouches for."""
    folder = empty_folder(tmp_path, monkeypatch) / CATS_AND_DOGS.path
    pictures = photos.read_zip(CATS_AND_DOGS.sample.read_bytes(), CATS_AND_DOGS.sample, CATS_AND_DOGS.classes)
    for name, content in pictures.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    (folder / LIST).write_text(listing(pictures), encoding="utf-8")
    assert datasets.load("cats_and_dogs", image_size=(8, 8)).origin == "real"
    assert "others than those whose features are recorded" in transfer.what_is_missing()
    data = recipe.load()
    assert data.origin == "sample"
    assert data.note.startswith(transfer.what_is_missing())


def test_without_photos_the_sample_is_served(tmp_path, monkeypatch):
    empty_folder(tmp_path, monkeypatch)
    assert "not here" in transfer.what_is_missing()


def test_lost_features_are_told(tmp_path, monkeypatch):
    monkeypatch.setattr(transfer, "MODELS", tmp_path)
    assert "restore it from the kit" in refusal_of(transfer.prepare, data_of("sample"))


# --- the four ways --------------------------------------------------------------------------------------------------


@origins
def test_keras_head_on_the_reference_base_gives_keras_predictions(origin, record_property):
    data, model = data_of(origin), datasets.load_model(recipe.name, origin)
    probabilities = network.predict(data.x_test, transfer.base_for(origin).layers, model.params, 50)
    difference = float(np.abs(probabilities - model.predictions).max())
    record_property("largest difference", difference)
    print(f"{origin}: largest difference from Keras over {len(data.x_test):,} photos: {difference:.2g}")
    assert probabilities.shape == (len(data.x_test), 1)
    assert difference < 5e-5  # 27 layers in float32, and a head that adds up 256 features
    assert np.mean((probabilities.ravel() > 0.5) == data.y_test) == model.facts["test_metric_of_stored_weights"]


@on_sample_unless_long
def test_the_records_are_what_keras_answers_here_and_now(origin):
    pytest.importorskip("keras", reason="needs Keras: pip install 'deepkata[keras]'")
    data, (prepared, model, params, _, order) = data_of(origin), begin(origin)
    layers = transfer.base_for(origin).layers
    assert model.facts["base"]["sha256"] == base.checksum_of(layers)
    theirs = base.build(layers, transfer.SIZES[origin])
    some = np.arange(0, len(data.x_train), 10)
    now = transfer.features_in_keras(theirs, data.x_train[some])
    np.testing.assert_allclose(prepared.x_train[some], now, rtol=6e-4, atol=1e-6)
    now = transfer.features_in_keras(theirs, data.x_test[:100])
    np.testing.assert_allclose(prepared.x_test[:100], now, rtol=1e-4, atol=1e-6)

    trained = recipe.build(model.params)
    np.testing.assert_allclose(trained.predict_on_batch(prepared.x_test), model.predictions, atol=2e-6)
    fresh, size = recipe.build(params), model.facts["batch_size"]
    for batch in range(5):
        chosen = order[batch * size : (batch + 1) * size]
        fresh.reset_metrics()
        loss = fresh.train_on_batch(prepared.x_train[chosen], prepared.y_train[chosen])
        assert loss == pytest.approx(model.losses[batch], rel=2e-5)


@origins
def test_one_step_from_keras_weights_gives_keras_gradients_and_weights(origin):
    prepared, model, params, slots, order = begin(origin)
    batch = order[: model.facts["batch_size"]]
    labels = prepared.y_train.astype(np.int64)
    loss = network.train_step(prepared.x_train[batch], labels[batch], params, slots, *RATES)
    assert loss == pytest.approx(model.losses[0], rel=1e-5)
    for param, slot, probes, gradient, updated in zip(
        params, slots, model.probes, model.gradients, model.updated, strict=True
    ):
        np.testing.assert_allclose(param.reshape(-1)[probes], updated, rtol=1e-4, atol=1e-6)
        np.testing.assert_allclose(slot.reshape(-1)[probes], 0.1 * gradient**2, rtol=1e-3, atol=1e-9)


@origins
def test_the_first_epoch_follows_keras(origin):
    prepared, model, params, slots, order = begin(origin)
    labels = prepared.y_train.astype(np.int64)
    losses = network.train_epoch(prepared.x_train, labels, params, slots, order, model.facts["batch_size"], *RATES)
    print(f"{origin}: largest relative difference of the losses: {np.abs(losses / model.losses - 1).max():.2g}")
    np.testing.assert_allclose(losses, model.losses, rtol=1e-4)


@origins
def test_trained_from_scratch_the_head_reaches_keras_accuracy(origin):
    prepared, model, *_ = begin(origin)
    facts, labels = model.facts, prepared.y_train.astype(np.int64)
    rng = np.random.default_rng(facts["seed"])
    reached = accuracy(
        prepared, network.train_head(prepared.x_train, labels, rng, facts["epochs"], facts["batch_size"])
    )
    print(f"{origin}: test accuracy {reached:.4f}, Keras {facts['test_metric']:.4f}")
    assert abs(reached - facts["test_metric"]) < 0.01


@on_sample_unless_long
def test_five_seeds_reach_about_the_same(origin):
    """From photos to a trained head, without anything recorded but the labels."""
    data, facts = data_of(origin), datasets.load_model(recipe.name, origin).facts
    layers, labels = transfer.base_for(origin).layers, data.y_train.astype(np.int64)
    features = network.extract_features(layers, data.x_train, 50)
    unseen = SimpleNamespace(x_test=network.extract_features(layers, data.x_test, 50), y_test=data.y_test)
    reached = []
    for seed in SEEDS:
        rng = np.random.default_rng(seed)
        reached.append(
            accuracy(unseen, network.train_head(features, labels, rng, facts["epochs"], facts["batch_size"]))
        )
    print(f"{origin}: five seeds {np.mean(reached):.4f}, spread {np.std(reached):.4f}: {reached}")
    assert abs(np.mean(reached) - facts["test_metric"]) < 0.015


def test_features_are_the_same_in_any_batch():
    """A frozen base sees every photo by itself."""
    images, layers = data_of("sample").x_test[:7], datasets.load_base(sample=True).layers
    together, alone = network.extract_features(layers, images, 7), network.extract_features(layers, images, 2)
    np.testing.assert_allclose(together, alone, rtol=1e-5, atol=1e-6)


@long
def test_the_solutions_pass_the_project_in_all_four_ways():
    project = next(chapter for chapter in chapters() if chapter.module == f"projects.{recipe.name}")
    names = [exercise.id for exercise in project.exercises]
    results = judge_exercises(solutions(), *names, secret="four ways", limits=Limits())
    assert [(result.id, result.status) for result in results] == [(name, "passed") for name in names]

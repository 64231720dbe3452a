"""Data is what its name says, or it is refused; and nobody needs Keras or a network for the sample."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

import datasets
from datasets import model as records
from datasets.catalogue import ENTRIES
from datasets.checksums import checksum
from datasets.images import ARRAYS
from datasets.recipes import recipe
from datasets.recipes.mnist_mlp import rows_of
from tests.data import REAL, empty_folder, needs_real, refusal_of

MNIST = ENTRIES["mnist"]
(FILE,) = MNIST.files
FASHION = ENTRIES["fashion_mnist"]
ROOT = Path(__file__).parent.parent

needs_mnist = needs_real("mnist")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    return empty_folder(tmp_path, monkeypatch)


# --- the sample -----------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("folder")
def test_without_a_file_the_sample_is_served_and_says_so():
    data = datasets.load("mnist")
    assert data.origin == "sample"
    assert "sample" in data.note
    assert "kata data fetch mnist" in data.note
    assert data.card.is_file()


def test_loading_imports_neither_keras_nor_scikit_learn():
    script = (
        "import sys, datasets, datasets.make_samples, datasets.recipes.mnist_mlp; datasets.load('mnist', sample=True); "
        "datasets.load_model('mnist_mlp', 'sample'); "
        "print(sorted({'keras', 'tensorflow', 'sklearn'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


# --- files that are refused -----------------------------------------------------------------------------------------


def test_an_unknown_name_is_refused():
    assert "mnist" in refusal_of(datasets.load, "minst")


def test_a_swapped_file_is_refused(folder):
    """The sample is a valid .npz with the right arrays: only its content gives it away."""
    content = MNIST.sample.read_bytes()
    (folder / MNIST.path).write_bytes(content + bytes(FILE.size - len(content)))
    assert "another file" in refusal_of(datasets.load, "mnist")


def test_a_short_file_is_refused(folder):
    (folder / MNIST.path).write_bytes(b"PK" + bytes(1000))
    assert "cut short" in refusal_of(datasets.load, "mnist")


@pytest.mark.usefixtures("folder")
def test_a_bad_file_in_keras_cache_is_refused(tmp_path):
    cache = tmp_path / "keras" / "datasets"
    cache.mkdir(parents=True)
    (cache / MNIST.path).write_bytes(b"<html>404</html>")
    sentence = refusal_of(datasets.load, "mnist")
    assert str(cache / MNIST.path) in sentence
    assert "kata data fetch mnist" in sentence


def test_a_folder_in_place_of_the_file_is_refused(folder):
    (folder / MNIST.path).mkdir()
    assert "cannot be read" in refusal_of(datasets.load, "mnist")


def test_a_file_that_is_missing_beside_the_others_is_refused(folder):
    path = folder / FASHION.files[0].name
    path.parent.mkdir()
    path.write_bytes(b"rubbish")
    assert "cut short" in refusal_of(datasets.load, "fashion_mnist")
    path.rename(folder / FASHION.files[1].name)
    sentence = refusal_of(datasets.load, "fashion_mnist")
    assert f"{path} is missing" in sentence
    assert "kata data fetch fashion_mnist" in sentence


def test_an_empty_folder_counts_for_nothing(folder):
    """Keras makes the folder before it downloads, and leaves it when the download fails."""
    (folder / FASHION.path).mkdir()
    assert datasets.load("fashion_mnist").origin == "sample"


def test_a_data_folder_that_does_not_exist_is_refused(folder, monkeypatch):
    monkeypatch.setenv("DEEPKATA_DATA", str(folder / "nowhere"))
    assert "no folder" in refusal_of(datasets.load, "mnist")


def test_a_bad_file_does_not_keep_the_sample_from_being_asked_for(folder):
    (folder / MNIST.path).write_bytes(b"rubbish")
    assert datasets.load("mnist", sample=True).origin == "sample"


def test_a_pickle_is_never_loaded(folder, monkeypatch):
    """Even a file that matched its checksum would not be unpickled."""
    path = folder / MNIST.path
    np.savez(path, **dict.fromkeys(ARRAYS, np.array([{"a": 1}], dtype=object)))
    content = path.read_bytes()
    entry = replace(MNIST, files=(replace(FILE, size=len(content), sha256=checksum(content)),))
    monkeypatch.setitem(ENTRIES, "mnist", entry)
    assert "not a readable .npz" in refusal_of(datasets.load, "mnist")


# --- where the real one is ------------------------------------------------------------------------------------------


@needs_mnist
def test_the_real_one_is_served_where_it_is():
    data = datasets.load("mnist")
    assert data.origin == "real"
    assert (data.x_train.shape, data.x_test.shape) == ((60000, 28, 28), (10000, 28, 28))
    assert np.bincount(data.y_test).tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]


@needs_mnist
def test_keras_cache_is_asked_too(tmp_path, monkeypatch):
    cache = tmp_path / "datasets"
    cache.mkdir()
    (cache / MNIST.path).symlink_to(REAL.resolve() / MNIST.path)
    monkeypatch.delenv("DEEPKATA_DATA")
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    assert datasets.load("mnist").path == cache / MNIST.path


@needs_mnist
@pytest.mark.parametrize("position", [0, FILE.size // 2, FILE.size - 1])
def test_one_flipped_bit_is_refused(folder, position):
    content = bytearray((REAL / MNIST.path).read_bytes())
    content[position] ^= 1
    (folder / MNIST.path).write_bytes(content)
    assert "damaged" in refusal_of(datasets.load, "mnist")


@needs_mnist
def test_one_missing_byte_is_refused(folder):
    (folder / MNIST.path).write_bytes((REAL / MNIST.path).read_bytes()[:-1])
    assert "cut short" in refusal_of(datasets.load, "mnist")


# --- status and fetch -----------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("folder")
def test_status_tells_of_the_sample():
    (status,) = (status for status in datasets.status() if status.name == "mnist")
    assert (status.origin, status.path, status.defect) == ("sample", MNIST.sample, "")


def test_status_tells_of_a_damaged_file_without_failing(folder):
    (folder / MNIST.path).write_bytes(b"rubbish")
    (status,) = (status for status in datasets.status() if status.name == "mnist")
    assert (status.origin, status.path) == ("real", folder / MNIST.path)
    assert "cut short" in status.defect


def loader(monkeypatch, get_file):
    """Put a stand-in where Keras would be imported from."""
    monkeypatch.setitem(sys.modules, "keras", SimpleNamespace(utils=SimpleNamespace(get_file=get_file)))


@pytest.mark.usefixtures("folder")
def test_fetching_without_keras_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "keras", None)
    assert "pip install" in refusal_of(datasets.fetch, "mnist")


@pytest.mark.usefixtures("folder")
def test_fetching_without_a_network_says_so(monkeypatch):
    def get_file(*_, **__):
        raise Exception("URL fetch failure on https://…: None -- no route\nto host")

    loader(monkeypatch, get_file)
    assert "could not be downloaded" in refusal_of(datasets.fetch, "mnist")


@pytest.mark.usefixtures("folder")
def test_a_download_is_checked_again(tmp_path, monkeypatch):
    def get_file(name, url, file_hash, cache_dir, cache_subdir):
        assert (url, file_hash, cache_dir) == (FILE.url, FILE.sha256, str(tmp_path / "keras"))
        path = Path(cache_dir) / cache_subdir / name
        path.parent.mkdir()
        path.write_bytes(b"rubbish")
        return str(path)

    loader(monkeypatch, get_file)
    assert "cut short" in refusal_of(datasets.fetch, "mnist")


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("name", ["fashion_mnist", "imdb"])
def test_every_file_is_fetched_to_where_keras_looks(name, tmp_path, monkeypatch):
    """Those of Fashion-MNIST in a folder of their own, a word index beside the texts."""
    entry = ENTRIES[name]
    contents = {file.name: file.name.encode() for file in (*entry.files, entry.word_index) if file}
    pinned = {file.name: replace(file, sha256=checksum(contents[file.name])) for file in entry.files}
    words = entry.word_index and replace(entry.word_index, sha256=checksum(contents[entry.word_index.name]))
    monkeypatch.setitem(ENTRIES, name, replace(entry, files=tuple(pinned.values()), word_index=words))
    cache = tmp_path / "keras" / "datasets"

    def get_file(base, url, file_hash, cache_dir, cache_subdir):
        assert url.endswith(base)
        assert file_hash
        path = Path(cache_dir) / cache_subdir / base
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(contents[path.relative_to(cache).as_posix()])
        return str(path)

    loader(monkeypatch, get_file)
    assert datasets.fetch(name) == cache / entry.path
    assert {path.relative_to(cache).as_posix() for path in cache.rglob("*.*")} == set(contents)


# --- the recorded models --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("origin", ["real", "sample"])
def test_a_record_begins_where_its_seed_begins(origin):
    model = datasets.load_model("mnist_mlp", origin)
    params, order = recipe("mnist_mlp").first_epoch(model)
    assert sum(param.size for param in params) == 407_050
    assert sorted(order) == list(range(model.facts["data"]["train"]))
    for param, probes, updated in zip(params, model.probes, model.updated, strict=True):
        moved = np.abs(updated - param.reshape(-1)[probes])
        assert 0 < moved.max() <= 1.01 * 1e-3 / np.sqrt(0.1)  # the longest first step that RMSprop can make


@needs_mnist
def test_the_recorded_predictions_are_those_of_the_recorded_weights():
    check_predictions("real")


def test_the_recorded_predictions_on_the_sample_are_those_of_the_recorded_weights():
    check_predictions("sample")


def check_predictions(origin):
    model, data = datasets.load_model("mnist_mlp", origin), datasets.load("mnist", sample=origin == "sample")
    w1, b1, w2, b2 = model.params
    scores = np.maximum(rows_of(data.x_test) @ w1 + b1, 0) @ w2 + b2
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    np.testing.assert_allclose(powers / powers.sum(axis=1, keepdims=True), model.predictions, rtol=1e-4, atol=2e-6)
    reached = np.mean(model.predictions.argmax(axis=1) == data.y_test)
    assert reached == pytest.approx(model.facts["test_metric_of_stored_weights"])


def test_the_model_trained_on_mnist_is_as_good_as_the_lectures():
    assert datasets.load_model("mnist_mlp", "real").facts["test_metric"] >= 0.977


def test_a_record_that_is_not_there_is_refused():
    refusal_of(datasets.load_model, "mnist_mlq", "real")


def test_a_weight_is_stored_as_it_was_recorded(tmp_path, monkeypatch):
    monkeypatch.setattr(records, "MODELS", tmp_path)
    tiny = datasets.Model(
        "tiny",
        "sample",
        params=(np.float32([[0.25, -0.5]]),),
        predictions=np.float32([[1]]),
        losses=np.float32([2]),
        probes=(np.int32([1]),),
        gradients=(np.float32([3]),),
        updated=(np.float32([4]),),
        facts={"params": ["w (1, 2)"]},
    )
    records.save_model(tiny)
    again = records.load_model("tiny", "sample")
    for kind in ("params", "probes", "gradients", "updated"):
        np.testing.assert_array_equal(getattr(again, kind)[0], getattr(tiny, kind)[0])
    assert again.facts == tiny.facts

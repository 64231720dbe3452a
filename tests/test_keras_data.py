"""What we load is what `keras.datasets` loads from the very same files: ids, labels, dtypes, splits and order."""

from __future__ import annotations

import numpy as np
import pytest

import datasets
from datasets.catalogue import ENTRIES
from datasets.ragged import Ragged
from tests.data import REAL, needs_real, with_real

MODULES = {
    "mnist": "mnist",
    "fashion_mnist": "fashion_mnist",
    "imdb": "imdb",
    "reuters": "reuters",
    "boston": "boston_housing",
    "california": "california_housing",
}


@pytest.fixture
def keras_data(tmp_path, monkeypatch):
    """Keras's own loaders by our names, reading from the folder of real data and nowhere else."""
    keras = pytest.importorskip("keras", reason="Keras is not installed: its loaders are not compared")
    (tmp_path / "datasets").symlink_to(REAL.resolve())
    monkeypatch.setattr(keras.src.utils.file_utils.config, "keras_home", lambda: str(tmp_path))
    return {name: getattr(keras.datasets, module) for name, module in MODULES.items()}


@pytest.mark.parametrize("name", with_real("mnist", "fashion_mnist", "boston", "california"))
def test_arrays_are_those_of_keras(name, keras_data):
    data = datasets.load(name)
    ours = ((data.x_train, data.y_train), (data.x_test, data.y_test))
    for our_part, their_part in zip(ours, keras_data[name].load_data(), strict=True):
        for our, their in zip(our_part, their_part, strict=True):
            assert our.dtype == their.dtype
            np.testing.assert_array_equal(our, their)


@pytest.mark.parametrize("num_words", [None, 10_000])
@pytest.mark.parametrize("name", with_real("imdb", "reuters"))
def test_texts_are_those_of_keras(name, num_words, keras_data):
    data = datasets.load(name, num_words=num_words)
    ours = ((data.x_train, data.y_train), (data.x_test, data.y_test))
    for (texts, labels), (their_texts, their_labels) in zip(
        ours, keras_data[name].load_data(num_words=num_words), strict=True
    ):
        theirs = Ragged.from_lists(their_texts)
        np.testing.assert_array_equal(texts.ids, theirs.ids)
        np.testing.assert_array_equal(texts.offsets, theirs.offsets)
        np.testing.assert_array_equal(labels, their_labels)
        assert (texts.ids.dtype, labels.dtype) == (np.int64, their_labels.dtype)


@pytest.mark.parametrize("name", with_real("imdb", "reuters"))
def test_words_are_those_of_keras(name, keras_data):
    words = datasets.load_words(name)
    index = keras_data[name].get_word_index()
    assert len(words) == len(index) + 4
    assert all(words[rank + 3] == word for word, rank in index.items())


@needs_real("imdb")
def test_the_first_review_is_the_one_that_the_books_print():
    data, words = datasets.load("imdb"), datasets.load_words("imdb")
    review = " ".join(words[i] for i in data.x_train[0])
    assert review.startswith("[START] this film was just brilliant casting location scenery story direction")
    assert data.classes[data.y_train[0]] == "positive"


def test_the_topics_are_those_of_keras():
    keras = pytest.importorskip("keras", reason="Keras is not installed: its topics are not compared")
    assert ENTRIES["reuters"].classes == tuple(keras.datasets.reuters.get_label_names())


@pytest.mark.parametrize("name", sorted(MODULES))
def test_the_checksums_are_those_that_keras_pins(name, monkeypatch, tmp_path):
    """Keras asks for each file with the checksum that it knows; Fashion-MNIST it asks for without."""
    keras = pytest.importorskip("keras", reason="Keras is not installed: its checksums are not compared")
    module = getattr(keras.src.datasets, MODULES[name])
    asked = {}

    def get_file(*_, origin=None, file_hash=None, **__):
        asked[origin] = file_hash
        if len(asked) == len(ENTRIES[name].files):
            raise StopIteration
        return str(tmp_path)

    monkeypatch.setattr(module, "get_file", get_file)
    with pytest.raises(StopIteration):
        module.load_data()
    pinned = {file.url: file.sha256 for file in ENTRIES[name].files}
    assert asked == (dict.fromkeys(pinned) if name == "fashion_mnist" else pinned)


@pytest.mark.parametrize("name", with_real("fashion_mnist", "imdb", "reuters", "boston"))
@pytest.mark.parametrize("damage", ["flip", "truncate", "swap"])
def test_a_damaged_real_file_is_refused(name, damage, tmp_path, monkeypatch):
    files = ENTRIES[name].files
    for file in files:
        (tmp_path / file.name).parent.mkdir(exist_ok=True)
        (tmp_path / file.name).symlink_to(REAL.resolve() / file.name)
    monkeypatch.setenv("DEEPKATA_DATA", str(tmp_path))
    victim = tmp_path / files[-1].name
    content = bytearray(victim.read_bytes())
    victim.unlink()
    if damage == "flip":
        content[len(content) // 2] ^= 1
        victim.write_bytes(content)
    elif damage == "truncate":
        victim.write_bytes(content[:-1])
    else:
        other = files[0].name if len(files) > 1 else "imdb_word_index.json"
        victim.symlink_to(REAL.resolve() / other)
    with pytest.raises(datasets.DataError, match=f"{files[-1].name}.*kata data fetch {name}"):
        datasets.load(name)


@pytest.mark.parametrize("name", with_real("imdb", "reuters"))
def test_texts_load_without_their_words_and_the_words_say_what_is_missing(name, tmp_path, monkeypatch):
    file = ENTRIES[name].files[0].name
    (tmp_path / file).symlink_to(REAL.resolve() / file)
    monkeypatch.setenv("DEEPKATA_DATA", str(tmp_path))
    assert datasets.load(name).origin == "real"
    with pytest.raises(datasets.DataError, match=f"word_index.json is missing: run `kata data fetch {name}`"):
        datasets.load_words(name)


@pytest.mark.parametrize("name", ["boston", "california"])
def test_a_table_is_split_as_keras_splits_it(name, monkeypatch):
    """The sample has the published file's layout, so Keras's own loader can be given it."""
    keras = pytest.importorskip("keras", reason="Keras is not installed: its split is not compared")
    module = getattr(keras.src.datasets, MODULES[name])
    monkeypatch.setattr(module, "get_file", lambda *_, **__: ENTRIES[name].sample)
    data = datasets.load(name, sample=True)
    (x_train, y_train), (x_test, y_test) = module.load_data()
    for our, their in ((data.x_train, x_train), (data.y_train, y_train), (data.x_test, x_test), (data.y_test, y_test)):
        assert our.dtype == their.dtype
        np.testing.assert_array_equal(our, their)

"""Every data set has a bundled sample: small, free, like the real one, and made by committed code."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import datasets
from datasets import catalogue, files, make_samples, photos
from datasets.catalogue import ENTRIES, SAMPLES
from datasets.checksums import LIST, listing, parse
from datasets.ragged import Ragged
from tests.data import empty_folder, needs_real, refusal_of, with_real

LIMIT = 5_000_000  # bytes, all together
NAMES = sorted(ENTRIES)
TEXTS = ("imdb", "reuters")
FROM_REAL_DATA = ("fashion_mnist", "imdb", "reuters", "boston")
BUNDLED = [path.name for path in sorted(SAMPLES.iterdir()) if path.suffix in (".npz", ".zip", ".json")]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    return empty_folder(tmp_path, monkeypatch)


def sample_of(name):
    return datasets.load(name, sample=True, image_size=(48, 48))


def rows_of(inputs):
    """What tells one input from another."""
    return [row.tobytes() for row in inputs]


@pytest.mark.parametrize("name", NAMES)
def test_a_sample_says_what_it_is_and_has_a_card(name):
    data = sample_of(name)
    assert data.origin == "sample"
    assert "not the real" in data.note.lower()
    assert f"kata data fetch {name}" in data.note
    card = data.card.read_text(encoding="utf-8")
    for word in ("licence", data.path.name, "seed"):
        assert word in card


@pytest.mark.parametrize("name", NAMES)
def test_a_sample_has_the_dtypes_of_the_real_one(name):
    data = sample_of(name)
    for part in ("train", "test"):
        inputs, labels = getattr(data, f"x_{part}"), getattr(data, f"y_{part}")
        numbers = inputs.ids if isinstance(inputs, Ragged) else inputs
        assert numbers.dtype == ENTRIES[name].dtype
        assert len(inputs) == len(labels) > 0
        if data.classes:
            assert set(labels) <= set(range(len(data.classes)))
            assert len(set(labels)) >= 0.5 * len(data.classes)


@pytest.mark.parametrize("name", NAMES)
def test_nothing_of_a_sample_is_in_two_parts(name):
    data = sample_of(name)
    assert not set(rows_of(data.x_train)) & set(rows_of(data.x_test))
    if data.x_validation is not None:
        assert not set(rows_of(data.x_validation)) & (set(rows_of(data.x_train)) | set(rows_of(data.x_test)))


def test_mnists_sample_looks_like_mnist():
    data = sample_of("mnist")
    for images, labels in ((data.x_train, data.y_train), (data.x_test, data.y_test)):
        assert images.shape == (len(labels), 28, 28)
        assert set(labels) == set(range(10))
        assert images.max() == 255
        assert not images[:, :4].any()
    assert (len(data.x_train), len(data.x_test)) == (1500, 297)


@pytest.mark.parametrize("name", TEXTS)
def test_a_text_of_the_sample_reads_as_words(name):
    data, words = sample_of(name), datasets.load_words(name, sample=True)
    assert len(words) == 2004
    assert words[:4] == ("[PAD]", "[START]", "[OOV]", "[UNUSED]")
    for text in data.x_train:
        assert text[0] == 1
        assert text[1:].min() >= 2
        assert len([words[i] for i in text]) == len(text)


def test_fewer_words_may_be_asked_for():
    everything, some = datasets.load("imdb", sample=True), datasets.load("imdb", sample=True, num_words=100)
    assert some.x_train.ids.max() == 99
    kept = some.x_train.ids != 2
    np.testing.assert_array_equal(some.x_train.ids[kept], everything.x_train.ids[kept])
    assert everything.x_train.ids[~kept].min() in (2, 100)


def test_fewer_than_no_words_are_refused():
    assert "num_words" in refusal_of(datasets.load, "imdb", sample=True, num_words=-1)


def test_photos_are_given_in_the_size_that_is_asked_for():
    data = datasets.load("cats_and_dogs", sample=True, image_size=(20, 30))
    assert data.x_train.shape == (300, 20, 30, 3)
    assert data.x_validation.shape == data.x_test.shape == (200, 20, 30, 3)
    assert 0 <= data.x_train.min() < 50 < 200 < data.x_train.max() <= 255
    assert np.bincount(data.y_validation).tolist() == [100, 100]
    assert "image_size" in refusal_of(datasets.load, "cats_and_dogs", sample=True, image_size=(0, 30))


# --- what is bundled ------------------------------------------------------------------------------------------------


def test_the_samples_are_small():
    assert sum(path.stat().st_size for path in SAMPLES.iterdir()) < LIMIT


def test_the_checksums_are_those_of_the_bundled_files():
    contents = {name: (SAMPLES / name).read_bytes() for name in BUNDLED}
    assert (SAMPLES / LIST).read_text(encoding="utf-8") == listing(contents)


@pytest.fixture
def copy(tmp_path, monkeypatch):
    """A copy of the samples that may be damaged."""
    shutil.copytree(SAMPLES, tmp_path / "samples")
    for module in (catalogue, files):
        monkeypatch.setattr(module, "SAMPLES", tmp_path / "samples")
    return tmp_path / "samples"


def open_sample(path):
    """Load what the bundled file belongs to."""
    if path.suffix == ".json":
        return datasets.load_words(path.name.removesuffix("_word_index.json"), sample=True)
    return sample_of(path.stem)


def flip(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def truncate(path):
    path.write_bytes(path.read_bytes()[:-1])


def swap(path):
    other = next(name for name in BUNDLED if name != path.name)
    path.write_bytes((path.parent / other).read_bytes())


@pytest.mark.parametrize("name", BUNDLED)
@pytest.mark.parametrize("damage", [flip, truncate, swap])
def test_a_damaged_sample_is_refused(copy, name, damage):
    damage(copy / name)
    sentence = refusal_of(open_sample, copy / name)
    assert name in sentence
    assert "restore it from the kit" in sentence


@pytest.mark.parametrize("name", [*BUNDLED, LIST])
def test_a_missing_sample_is_refused(copy, name):
    (copy / name).unlink()
    path = copy / (BUNDLED[0] if name == LIST else name)
    assert "restore it from the kit" in refusal_of(open_sample, path)


@pytest.mark.usefixtures("folder")
def test_status_tells_of_a_damaged_sample(copy):
    flip(copy / "imdb_word_index.json")
    assert [status.name for status in datasets.status() if status.defect] == ["imdb"]


def test_words_of_what_is_no_text_are_refused():
    assert "no words" in refusal_of(datasets.load_words, "mnist")


# --- the code that made them ----------------------------------------------------------------------------------------


def made_again(name):
    """What the generator makes, against what is in the bundled file."""
    with np.load(ENTRIES[name].sample, allow_pickle=False) as bundled:
        made = make_samples.ARRAYS[name]()
        assert set(made) == set(bundled.files)
        for key, array in made.items():
            assert array.dtype == bundled[key].dtype
            np.testing.assert_array_equal(array, bundled[key])


def test_mnists_sample_is_what_the_committed_code_makes():
    pytest.importorskip("sklearn", reason="scikit-learn is not installed: the sample cannot be made again")
    made_again("mnist")


def test_californias_sample_is_what_the_committed_code_makes():
    made_again("california")


@pytest.mark.parametrize("name", with_real(*FROM_REAL_DATA))
def test_a_sample_made_from_real_data_is_what_the_committed_code_makes(name):
    made_again(name)


@pytest.mark.parametrize("name", with_real(*TEXTS))
def test_the_words_of_a_sample_are_the_commonest_real_ones(name):
    made = make_samples.word_index(ENTRIES[name])
    assert made == json.loads(ENTRIES[name].sample_word_index.read_text(encoding="utf-8"))


def test_the_bundled_faces_are_those_that_the_committed_code_draws():
    """JPEG keeps a drawing but for a few levels; how many depends on the library that writes it."""
    faces = make_samples.faces()
    bundled = photos.read_zip(ENTRIES["cats_and_dogs"].sample.read_bytes(), SAMPLES, ("cat", "dog"))
    assert set(bundled) == set(faces)
    for name, face in faces.items():
        kept = photos.decode(bundled[name], name)
        assert kept.shape == face.shape
        assert np.abs(kept - face.astype(float)).mean() < 12


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("name", FROM_REAL_DATA)
def test_without_the_real_data_no_sample_is_made_from_a_sample(name):
    assert f"kata data fetch {name}" in refusal_of(make_samples.ARRAYS[name])


def test_a_sample_is_written_the_same_every_time(tmp_path):
    for name in ("one", "two"):
        make_samples.write_arrays(tmp_path / f"{name}.npz", {"x_train": np.arange(6, dtype=np.uint8)})
        make_samples.write_pictures(tmp_path / f"{name}.zip", {"a.jpg": np.zeros((8, 8, 3), np.uint8)})
    for suffix in (".npz", ".zip"):
        assert (tmp_path / f"one{suffix}").read_bytes() == (tmp_path / f"two{suffix}").read_bytes()


@needs_real("boston")
def test_no_real_suburb_is_in_the_sample():
    real, made = datasets.load("boston"), sample_of("boston")
    assert not set(rows_of(real.x_train)) & set(rows_of(np.concatenate([made.x_train, made.x_test])))
    for feature, values in zip(made.x_train.T, np.concatenate([real.x_train, real.x_test]).T, strict=True):
        assert set(feature) <= set(values)


# --- sequences ------------------------------------------------------------------------------------------------------


@given(st.lists(st.lists(st.integers(0, 9), max_size=4), max_size=6), st.data())
def test_ragged_is_a_list_of_lists(lists, data):
    ragged = Ragged.from_lists(lists)
    assert ragged.ids.dtype == ragged.offsets.dtype == np.int64
    assert [text.tolist() for text in ragged] == lists
    order = data.draw(st.lists(st.sampled_from(range(len(lists))), max_size=8) if lists else st.just([]))
    assert [text.tolist() for text in ragged.take(np.array(order, np.int64))] == [lists[i] for i in order]


def test_a_sequence_that_is_not_there_is_an_index_error():
    ragged = Ragged.from_lists([[4, 7], [], [9]])
    assert ragged[-1].tolist() == [9]
    for index in (3, -4):
        with pytest.raises(IndexError):
            ragged[index]


def test_a_list_of_checksums_is_read_as_it_was_written():
    assert parse(listing({"b c.jpg": b"2", "a.jpg": b"1"})) == parse(
        "6b86b273ff34fce19d6b804eff5a3f5747ada4eaa22f1d49c01e52ddb7875b4b  a.jpg\n"
        "d4735e3a265e16eee03f59718b9b5d03019c07d8b6c51f90da3a666eec13ab35 *b c.jpg\n\n"
    )

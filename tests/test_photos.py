"""Photos come as Keras's own loader gives them, from a tree that somebody vouches for."""

from __future__ import annotations

import io
import sys
import zipfile
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

import datasets
from datasets import download, photos
from datasets.catalogue import CATS_AND_DOGS
from datasets.checksums import LIST, checksum, listing
from tests.data import REAL, empty_folder, needs_real, refusal_of

SMALL = (24, 32)
needs_photos = needs_real("cats_and_dogs")


def encoded(pixels, kind="JPEG"):
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, kind)
    return buffer.getvalue()


def noise(seed, height=40, width=30):
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3)).astype(np.uint8)


def tree_of(per_class=2):
    """A few pictures for each class of each split, by their names."""
    names = [
        f"{split}/{label}/{label}.{number}.jpg"
        for split in photos.SPLITS
        for label in CATS_AND_DOGS.classes
        for number in range(per_class)
    ]
    return {name: encoded(noise(seed)) for seed, name in enumerate(names)}


def write(folder, tree, vouched=True):
    for name, content in tree.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    if vouched:
        (folder / LIST).write_text(listing(tree), encoding="utf-8")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    return empty_folder(tmp_path, monkeypatch)


@pytest.fixture
def tree(folder):
    """A tree of noise, vouched for."""
    write(folder / CATS_AND_DOGS.path, tree_of())
    return folder / CATS_AND_DOGS.path


def load():
    return datasets.load("cats_and_dogs", image_size=SMALL)


# --- what is given --------------------------------------------------------------------------------------------------


def test_a_tree_that_is_vouched_for_is_served(tree):
    data = load()
    assert (data.origin, data.path) == ("real", tree)
    for part in photos.SPLITS:
        assert getattr(data, f"x_{part}").shape == (4, *SMALL, 3)
        assert getattr(data, f"x_{part}").dtype == np.float32
        assert getattr(data, f"y_{part}").tolist() == [0, 0, 1, 1]
    assert data.classes == ("cat", "dog")


@pytest.mark.parametrize("size", [(24, 32), (40, 30), (97, 11), (1, 1)])
def test_resizing_is_keras_own(size):
    tf = pytest.importorskip("tensorflow", reason="TensorFlow is not installed: resizing is not compared")
    for shape in ((40, 30), (31, 53), (1, 7)):
        image = noise(3, *shape)
        theirs = tf.image.resize(image, size, method="bilinear").numpy()
        np.testing.assert_allclose(photos.resize(image, size), theirs, rtol=0, atol=1e-4)


@pytest.mark.parametrize("kind", ["PNG", "BMP"])
def test_pictures_without_loss_are_those_of_keras_loader(folder, kind):
    keras = pytest.importorskip("keras", reason="Keras is not installed: its loader is not compared")
    tree = tree_of()
    tree = {name.replace("jpg", kind.lower()): encoded(noise(i), kind) for i, name in enumerate(tree)}
    write(folder / CATS_AND_DOGS.path, tree)
    data = load()
    for split in photos.SPLITS:
        images, labels = of_keras(keras, folder / CATS_AND_DOGS.path / split)
        np.testing.assert_allclose(getattr(data, f"x_{split}"), images, rtol=0, atol=1e-4)
        np.testing.assert_array_equal(getattr(data, f"y_{split}"), labels)


def of_keras(keras, folder):
    batches = keras.utils.image_dataset_from_directory(folder, shuffle=False, image_size=SMALL, verbose=False)
    pairs = [(images.numpy(), labels.numpy()) for images, labels in batches]
    return (np.concatenate(column) for column in zip(*pairs, strict=True))


@needs_photos
def test_real_photos_are_those_of_keras_loader():
    """But for the decoder: TensorFlow's default trades up to seven levels of 255 for speed, one on average."""
    keras = pytest.importorskip("keras", reason="Keras is not installed: its loader is not compared")
    data = load()
    for split, count in {"train": 2000, "validation": 1000, "test": 1000}.items():
        images, labels = of_keras(keras, REAL / CATS_AND_DOGS.path / split)
        ours = getattr(data, f"x_{split}")
        assert ours.shape == images.shape == (count, *SMALL, 3)
        assert ours.dtype == images.dtype
        np.testing.assert_array_equal(getattr(data, f"y_{split}"), labels)
        assert np.abs(ours - images).max() < 8
        assert np.abs(ours - images).mean() < 1.5


@needs_photos
def test_real_photos_are_exactly_keras_with_the_accurate_decoder():
    tf = pytest.importorskip("tensorflow", reason="TensorFlow is not installed: decoding is not compared")
    for path in sorted((REAL / CATS_AND_DOGS.path / "train").glob("*/*.jpg"))[::100]:
        content = path.read_bytes()
        pixels = tf.io.decode_jpeg(content, channels=3, dct_method="INTEGER_ACCURATE")
        np.testing.assert_array_equal(photos.decode(content, path.name), pixels.numpy())
        theirs = tf.image.resize(pixels, (150, 150), method="bilinear").numpy()
        np.testing.assert_allclose(photos.resize(pixels.numpy(), (150, 150)), theirs, rtol=0, atol=1e-4)


# --- what is refused ------------------------------------------------------------------------------------------------


def flip(tree):
    content = bytearray((tree / "test/dog/dog.1.jpg").read_bytes())
    content[-1] ^= 1
    (tree / "test/dog/dog.1.jpg").write_bytes(content)


def truncate(tree):
    path = tree / "test/dog/dog.1.jpg"
    path.write_bytes(path.read_bytes()[:-20])


def swap(tree):
    """A cat among the dogs: both are right pictures, each in the other's place."""
    one, other = tree / "test/cat/cat.1.jpg", tree / "test/dog/dog.1.jpg"
    content = one.read_bytes()
    one.write_bytes(other.read_bytes())
    other.write_bytes(content)


def remove(tree):
    (tree / "test/dog/dog.1.jpg").unlink()


def add(tree):
    (tree / "test/dog/stray.jpg").write_bytes(encoded(noise(99)))


@pytest.mark.parametrize("damage", [flip, truncate, swap, remove, add])
def test_a_damaged_tree_is_refused_and_the_picture_named(tree, damage):
    damage(tree)
    sentence = refusal_of(load)
    assert LIST in sentence
    assert f"{tree}/test/" in sentence
    assert "kata data fetch cats_and_dogs" in sentence
    (status,) = (status for status in datasets.status() if status.name == "cats_and_dogs")
    assert status.defect == sentence


def test_a_tree_that_nobody_vouches_for_is_refused(tree):
    (tree / LIST).unlink()
    sentence = refusal_of(load)
    assert "not the tree" in sentence
    assert f"sha256sum */*/*.jpg > {LIST}" in sentence


@pytest.mark.parametrize("damage", [flip, swap, remove, add])
def test_the_known_tree_is_refused_when_it_is_damaged(folder, monkeypatch, damage):
    tree = folder / CATS_AND_DOGS.path
    write(tree, tree_of(), vouched=False)
    monkeypatch.setattr(photos, "KNOWN_TREE", checksum(listing(tree_of()).encode()))
    assert load().origin == "real"
    damage(tree)
    assert "not the tree" in refusal_of(load)


def test_a_class_without_pictures_is_refused(tree):
    for path in (tree / "validation/dog").iterdir():
        path.unlink()
    assert "validation/dog holds no picture" in refusal_of(load)


def test_a_vouched_file_that_is_no_picture_is_refused(folder):
    write(folder / CATS_AND_DOGS.path, tree_of() | {"train/cat/cat.0.jpg": b"<html>404</html>"})
    sentence = refusal_of(load)
    assert "train/cat/cat.0.jpg is no picture" in sentence


def test_a_file_in_place_of_the_folder_is_refused(folder):
    (folder / CATS_AND_DOGS.path).write_bytes(b"rubbish")
    assert "holds no picture" in refusal_of(load)


def test_other_files_in_the_tree_do_not_matter(tree):
    (tree / "README.txt").write_text("mine")
    (tree / "train/cat/.DS_Store").write_bytes(b"\0")
    assert len(load().x_train) == 4


def test_without_pillow_photos_say_what_to_install(tree, monkeypatch):
    monkeypatch.setitem(sys.modules, "PIL", None)
    assert tree.is_dir()
    assert "pip install pillow" in refusal_of(load)


# --- fetching -------------------------------------------------------------------------------------------------------


def archive_of(per_class, broken):
    """Like Microsoft's, in no order, with one picture of each class that is none, and files that are no pictures."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for shift, label in enumerate(("Dog", "Cat")):
            for number in reversed(range(per_class)):
                content = b"" if number == broken else encoded(noise(2 * number + shift))
                archive.writestr(f"PetImages/{label}/{number}.jpg", content)
        archive.writestr("PetImages/Dog/Thumbs.db", b"rubbish")
        archive.writestr("PetImages/Cat/1.jpg.txt", b"rubbish")
    return buffer.getvalue()


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """Keras's cache, and in Keras's place a stand-in that downloads a small archive with broken third pictures."""
    empty_folder(tmp_path, monkeypatch)
    archive = archive_of(12, broken=2)
    monkeypatch.setattr(download, "PHOTOS", replace(download.PHOTOS, sha256=checksum(archive)))
    monkeypatch.setattr(download, "PER_CLASS", {"train": 3, "validation": 2, "test": 1})

    def get_file(name, url, file_hash, cache_dir, cache_subdir):
        assert (url, file_hash) == (download.PHOTOS.url, checksum(archive))
        path = Path(cache_dir) / cache_subdir / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(archive)
        return str(path)

    monkeypatch.setitem(sys.modules, "keras", SimpleNamespace(utils=SimpleNamespace(get_file=get_file)))
    return tmp_path / "keras" / "datasets"


def test_fetching_makes_a_tree_of_the_first_readable_photos(cache):
    assert datasets.fetch("cats_and_dogs") == cache / CATS_AND_DOGS.path
    cats = sorted(path.relative_to(cache).as_posix() for path in cache.rglob("cat.*.jpg"))
    assert cats == [
        "cats_and_dogs/test/cat/cat.6.jpg",
        "cats_and_dogs/train/cat/cat.0.jpg",
        "cats_and_dogs/train/cat/cat.1.jpg",
        "cats_and_dogs/train/cat/cat.3.jpg",
        "cats_and_dogs/validation/cat/cat.4.jpg",
        "cats_and_dogs/validation/cat/cat.5.jpg",
    ]
    data = load()
    assert (data.origin, len(data.x_train), len(data.x_test)) == ("real", 6, 2)


def test_a_tree_that_is_there_is_kept(cache):
    write(cache / CATS_AND_DOGS.path, tree_of())
    assert datasets.fetch("cats_and_dogs") == cache / CATS_AND_DOGS.path
    assert len(load().x_train) == 4


def test_a_damaged_tree_is_not_overwritten(cache):
    """It may hold pictures of one's own."""
    write(cache / CATS_AND_DOGS.path, tree_of())
    flip(cache / CATS_AND_DOGS.path)
    assert "delete it" in refusal_of(datasets.fetch, "cats_and_dogs")


def test_an_interrupted_unpacking_leaves_no_tree_and_can_be_repeated(cache, monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(Path, "rename", interrupted)
        with pytest.raises(KeyboardInterrupt):
            datasets.fetch("cats_and_dogs")
    assert datasets.load("cats_and_dogs", image_size=SMALL).origin == "sample"
    assert datasets.fetch("cats_and_dogs") == cache / CATS_AND_DOGS.path

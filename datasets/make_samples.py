"""Write the bundled samples: `python -m datasets.make_samples [NAME …]`, all of them without a name.

Needs scikit-learn, and DEEPKATA_DATA for those that are made from real data. The same code gives the same arrays on
every machine; tests hold the bundled files against them.
"""

from __future__ import annotations

import argparse
import io
import json
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np

from datasets import drawings, files, houses, texts
from datasets.babble import WORDS, babble
from datasets.catalogue import BOSTON, CATS_AND_DOGS, ENTRIES, FASHION_MNIST, IMDB, REUTERS, SAMPLES, Entry
from datasets.checksums import LIST, listing
from datasets.dataset import load, load_words
from datasets.error import DataError

Arrays = dict[str, np.ndarray]

SEEDS = {
    "mnist": 1797,
    "fashion_mnist": 2017,
    "imdb": 2011,
    "reuters": 1987,
    "boston": 1978,
    "california": 1990,
    "cats_and_dogs": 2007,
}
MNIST_TEST = 297
DIGIT = 20  # MNIST puts a digit of 20x20 pixels into the middle of 28x28
BORDER = 4
FASHION_PER_CLASS = {"train": 150, "test": 30}
REVIEWS = {"train": 3000, "test": 1000}
NEWSWIRES = 3000
DISTRICTS = 3000
FACES_PER_CLASS = {"train": 150, "validation": 100, "test": 100}
JPEG_QUALITY = 85


def generator(name: str) -> np.random.Generator:
    return np.random.default_rng(SEEDS[name])


def mnist() -> Arrays:
    """scikit-learn's 8x8 digits with 17 grey levels, in MNIST's size, range and layout."""
    from sklearn.datasets import load_digits  # a developer's tool, not the kit's

    digits = load_digits()
    images = np.stack([enlarge(image) for image in digits.images])
    labels = digits.target.astype(np.uint8)
    order = generator("mnist").permutation(len(images))
    test, train = order[:MNIST_TEST], order[MNIST_TEST:]
    return {"x_train": images[train], "y_train": labels[train], "x_test": images[test], "y_test": labels[test]}


def enlarge(image: np.ndarray) -> np.ndarray:
    """An 8x8 image of values 0 … 16 as 28x28 of 0 … 255: bilinear to 20x20, then a black border."""
    weights = bilinear(len(image), DIGIT)
    large = weights @ (image * (255 / 16)) @ weights.T
    return np.pad(np.rint(large).astype(np.uint8), BORDER)


def bilinear(n: int, m: int) -> np.ndarray:
    """The (m, n) matrix that resamples n pixels to m; pixel centres are aligned, the edge pixels continue."""
    position = np.clip((np.arange(m) + 0.5) * n / m - 0.5, 0, n - 1)
    left = np.minimum(position.astype(int), n - 2)
    weights = np.zeros((m, n))
    weights[np.arange(m), left] = 1 - (position - left)
    weights[np.arange(m), left + 1] = position - left
    return weights


def fashion_mnist() -> Arrays:
    """Some of its images, as many of each class."""
    demand_real(FASHION_MNIST)
    data = load("fashion_mnist")
    rng = generator("fashion_mnist")
    arrays: Arrays = {}
    for part, count in FASHION_PER_CLASS.items():
        images, labels = getattr(data, f"x_{part}"), getattr(data, f"y_{part}")
        rows = [rng.choice(np.flatnonzero(labels == label), count, replace=False) for label in range(10)]
        order = rng.permutation(np.concatenate(rows))
        arrays |= {f"x_{part}": images[order], f"y_{part}": labels[order]}
    return arrays


def imdb() -> Arrays:
    """Word salad like the training reviews, unshuffled and unnumbered as in the published file."""
    raw = texts.from_published(real_content(IMDB))
    rng = generator("imdb")
    arrays: Arrays = {}
    for part, count in REVIEWS.items():
        salad, labels = babble(rng, raw["x_train"], raw["y_train"], count)
        arrays |= {f"ids_{part}": salad.ids, f"offsets_{part}": salad.offsets, f"y_{part}": labels}
    return arrays


def reuters() -> Arrays:
    """Word salad like the newswires."""
    raw = texts.from_published(real_content(REUTERS))
    salad, labels = babble(generator("reuters"), raw["x"], raw["y"], NEWSWIRES)
    return {"ids": salad.ids, "offsets": salad.offsets, "y": labels}


def boston() -> Arrays:
    """As many made-up suburbs as there are real ones."""
    with np.load(io.BytesIO(real_content(BOSTON)), allow_pickle=False) as real:
        table = np.column_stack([real["x"], real["y"]])
    made = houses.boston(generator("boston"), table)
    return {"x": made[:, :-1], "y": made[:, -1]}


def california() -> Arrays:
    """Made-up districts, from the published summary alone."""
    made = houses.california(generator("california"), DISTRICTS).astype(np.float32)
    return {"x": made[:, :-1], "y": made[:, -1]}


def faces() -> dict[str, np.ndarray]:
    """Drawn cats and dogs, uint8 (height, width, 3), by their names in the tree."""
    rng = generator("cats_and_dogs")
    draw = {"cat": drawings.cat, "dog": drawings.dog}
    return {
        f"{split}/{label}/{label}.{number:03}.jpg": draw[label](rng)
        for split, count in FACES_PER_CLASS.items()
        for label in CATS_AND_DOGS.classes
        for number in range(count)
    }


def word_index(entry: Entry) -> dict[str, int]:
    """The rank of each word that the salad is made of."""
    demand_real(entry)
    first = texts.INDEX_FROM + 1
    return {word: rank for rank, word in enumerate(load_words(entry.name)[first : first + WORDS], 1)}


def real_content(entry: Entry) -> bytes:
    demand_real(entry)
    (content,) = files.read_all(entry, files.find(entry) or Path()).values()
    return content


def demand_real(entry: Entry) -> None:
    if files.find(entry) is None:
        raise DataError(f"The sample of {entry.title} is made from the real data: run `kata data fetch {entry.name}`.")


def write_arrays(path: Path, arrays: Mapping[str, np.ndarray]) -> None:
    np.savez_compressed(path, allow_pickle=False, **arrays)


def write_pictures(path: Path, pictures: Mapping[str, np.ndarray]) -> None:
    """A zipped tree of JPEGs."""
    from PIL import Image  # see photos.decode

    with zipfile.ZipFile(path, "w") as archive:
        for name, pixels in pictures.items():
            encoded = io.BytesIO()
            Image.fromarray(pixels).save(encoded, "JPEG", quality=JPEG_QUALITY)
            archive.writestr(zipfile.ZipInfo(name), encoded.getvalue())  # ZipInfo alone has no date


ARRAYS: dict[str, Callable[[], Arrays]] = {
    "mnist": mnist,
    "fashion_mnist": fashion_mnist,
    "imdb": imdb,
    "reuters": reuters,
    "boston": boston,
    "california": california,
}


def write(name: str) -> None:
    """One sample, with its word index if it has one."""
    entry = ENTRIES[name]
    if entry.kind == "photos":
        write_pictures(entry.sample, faces())
    else:
        write_arrays(entry.sample, ARRAYS[name]())
    if entry.word_index:
        content = json.dumps(word_index(entry), ensure_ascii=False, indent=0)
        entry.sample_word_index.write_text(content + "\n", encoding="utf-8")


def write_checksums() -> None:
    """Of everything bundled; what does not match is not read."""
    contents = {path.name: path.read_bytes() for path in SAMPLES.iterdir() if path.suffix in (".npz", ".json", ".zip")}
    (SAMPLES / LIST).write_text(listing(contents), encoding="utf-8")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Write the bundled samples.")
    parser.add_argument("names", nargs="*", help=f"which: {', '.join(ENTRIES)}; all without a name")
    for name in parser.parse_args().names or ENTRIES:
        write(name)
        print(f"{ENTRIES[name].sample.name}: {ENTRIES[name].sample.stat().st_size:,} bytes")
    write_checksums()

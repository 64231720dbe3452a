"""Loading a data set: the real one where it is, else the bundled sample, and it always says which."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from datasets import files, images, photos, table, texts
from datasets.catalogue import ENTRIES, Entry, entry_of
from datasets.error import DataError

Origin = Literal["real", "sample"]

PHOTO_SIZE = (150, 150)  # of the lectures


@dataclass(frozen=True, eq=False)
class Dataset:
    """Inputs with their labels or targets, split into training and test data as Keras splits them.

    Parameters
    ----------
    name : its name in the catalogue
    x_train, x_test : images or rows as an array, texts as a `Ragged`; of the dtypes that Keras gives
    y_train, y_test : labels or targets, one per input
    origin : "real" for the published data, "sample" for the small one bundled with the kit
    path : the file or folder it was read from
    card : the text that tells where the data comes from and under which licence
    note : one sentence that says what this is, for the user to read
    classes : what the labels 0, 1, 2 … mean; none for a regression
    columns : what the columns of a table mean
    x_validation, y_validation : where the publisher split these off too, else None
    """

    name: str
    x_train: Any
    y_train: np.ndarray
    x_test: Any
    y_test: np.ndarray
    origin: Origin
    path: Path
    card: Path
    note: str
    classes: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    x_validation: np.ndarray | None = None
    y_validation: np.ndarray | None = None

    def __repr__(self) -> str:
        return f"Dataset({self.name!r}, {self.origin}, {len(self.x_train):,} + {len(self.x_test):,})"


@dataclass(frozen=True)
class Status:
    """What of one data set is where; `defect` is empty when all is well."""

    name: str
    origin: Origin
    path: Path
    defect: str = ""


def load(
    name: str, sample: bool = False, num_words: int | None = None, image_size: tuple[int, int] = PHOTO_SIZE
) -> Dataset:
    """A data set by its name: from $DEEPKATA_DATA, from Keras's cache, or the bundled sample.

    Parameters
    ----------
    name : e.g. "mnist"
    sample : true for the bundled sample even where the real data is
    num_words : of texts, how many numbers to keep, the lowest stand for the commonest words; None for all
    image_size : of photos, the height and width to which they are resized

    Raises
    ------
    DataError : the name is unknown, or what was found is not what was published
    """
    entry = entry_of(name)
    path = None if sample else files.find(entry)
    split = _parse(entry, path, _read(entry, path), num_words, image_size)
    return Dataset(
        entry.name,
        **split,
        origin="sample" if path is None else "real",
        path=path or entry.sample,
        card=entry.card,
        note=_note(entry, path),
        classes=entry.classes,
        columns=entry.columns,
    )


def load_words(name: str, sample: bool = False) -> tuple[str, ...]:
    """The word of each number, so that `" ".join(words[i] for i in data.x_train[0])` is the first text.

    Parameters
    ----------
    name : "imdb" or "reuters"
    sample : true for the words of the bundled sample

    Raises
    ------
    DataError : the data set has no words, or their file is missing or damaged
    """
    entry = entry_of(name)
    if entry.word_index is None:
        raise DataError(f"{entry.title} has no words: choose a data set of texts, e.g. imdb.")
    path = None if sample else files.find(entry)
    if path is None:
        return texts.words(files.read_sample(entry.sample_word_index))
    return texts.words(files.read_pinned(entry, entry.word_index, path.parent))


def status() -> list[Status]:
    """What is where, in the catalogue's order: what `load` would serve, or why it would refuse."""
    return [_status_of(entry) for entry in ENTRIES.values()]


def _status_of(entry: Entry) -> Status:
    path = None
    try:
        path = files.find(entry)
        _read(entry, path)
        if entry.word_index:
            load_words(entry.name)
        return Status(entry.name, "real" if path else "sample", path or entry.sample)
    except DataError as error:
        return Status(entry.name, "real" if path else "sample", path or entry.sample, str(error))


def _read(entry: Entry, path: Path | None) -> dict[str, bytes]:
    """The checked content of everything that belongs to a data set, by name; the sample's where the path is None."""
    if path is None:
        return {entry.sample.name: files.read_sample(entry.sample)}
    return photos.read_tree(entry, path) if entry.kind == "photos" else files.read_all(entry, path)


def _parse(
    entry: Entry, path: Path | None, contents: dict[str, bytes], num_words: int | None, image_size: tuple[int, int]
) -> dict[str, Any]:
    """The arrays, already split; everything that Keras's loader would have done is done."""
    where = path or entry.sample
    first = next(iter(contents.values()))
    match entry.kind:
        case "images":
            return images.read(contents, where)
        case "table":
            return table.read(first, where, entry.dtype, len(entry.columns))
        case "reviews":
            raw = texts.from_published(first) if path else texts.from_sample(first, where, ("_train", "_test"))
            return texts.reviews(raw, num_words)
        case "newswires":
            raw = texts.from_published(first) if path else texts.from_sample(first, where, ("",))
            return texts.newswires(raw, num_words)
        case "photos":
            tree = contents if path else photos.read_zip(first, where, entry.classes)
            return photos.read(tree, entry.classes, image_size)


def _note(entry: Entry, path: Path | None) -> str:
    if path:
        return f"The real {entry.title}, from {path}."
    return (
        f"Not the real {entry.title} but the bundled sample: {entry.sample_title}. "
        f"`kata data fetch {entry.name}` gets the real one."
    )

"""Loading a data set: the real one where it is, else the bundled sample, and it always says which."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from datasets import files
from datasets.catalogue import ENTRIES, Entry, entry_of
from datasets.error import DataError

Origin = Literal["real", "sample"]


@dataclass(frozen=True, eq=False)
class Dataset:
    """Images or sequences with their labels, split into training and test data.

    Parameters
    ----------
    name : its name in the catalogue
    x_train, y_train, x_test, y_test : the arrays, of the dtypes that Keras gives
    origin : "real" for the file that Keras pins, "sample" for the small one bundled with the kit
    path : the file it was read from
    card : the text that tells where the data comes from and under which licence
    note : one sentence that says what this is, for the user to read
    """

    name: str
    x_train: np.ndarray
    y_train: np.ndarray
    x_test: np.ndarray
    y_test: np.ndarray
    origin: Origin
    path: Path
    card: Path
    note: str

    def __repr__(self) -> str:
        return f"Dataset({self.name!r}, {self.origin}, {len(self.x_train):,} + {len(self.x_test):,})"


@dataclass(frozen=True)
class Status:
    """What of one data set is where; `defect` is empty when all is well."""

    name: str
    origin: Origin
    path: Path
    defect: str = ""


def load(name: str, sample: bool = False) -> Dataset:
    """A data set by its name: from $DEEPKATA_DATA, from Keras's cache, or the bundled sample.

    Parameters
    ----------
    name : e.g. "mnist"
    sample : true for the bundled sample even where the real data is

    Raises
    ------
    DataError : the name is unknown, or the file found is not the one that Keras publishes
    """
    entry = entry_of(name)
    path = None if sample else files.find(entry)
    return _load_sample(entry) if path is None else _load_real(entry, path)


def fetch(name: str) -> Path:
    """Download a data set into Keras's cache with Keras's own loader; returns the checked file.

    A right file that is already there is kept; a damaged one is replaced.
    """
    entry = entry_of(name)
    home = files.keras_home()
    try:
        home.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DataError(f"{home} cannot be made ({error.strerror}): let KERAS_HOME name another folder.") from error
    # Keras would quietly download to a temporary folder, where nobody looks for it.
    if not os.access(home, os.W_OK):
        raise DataError(f"{home} cannot be written to: mend its permissions, or let KERAS_HOME name another folder.")
    get_file = _keras_get_file(entry)
    try:
        path = Path(get_file(entry.file, entry.url, file_hash=entry.sha256, cache_dir=str(home)))
    except Exception as error:  # Keras raises a bare Exception when a download fails
        reason = " ".join(str(error).split())
        raise DataError(
            f"{entry.title} could not be downloaded ({reason}): check the network and try again, or put {entry.file} "
            f"into a folder of your own and let {files.FOLDER_VARIABLE} name it."
        ) from error
    files.read_pinned(entry, path)
    return path


def status() -> list[Status]:
    """What is where, in the catalogue's order: what `load` would serve, or why it would refuse."""
    return [_status_of(entry) for entry in ENTRIES.values()]


def _status_of(entry: Entry) -> Status:
    path = None
    try:
        path = files.find(entry)
        if path is not None:
            files.read_pinned(entry, path)
            return Status(entry.name, "real", path)
        _load_sample(entry)
        return Status(entry.name, "sample", entry.sample)
    except DataError as error:
        return Status(entry.name, "real" if path else "sample", path or entry.sample, str(error))


def _load_real(entry: Entry, path: Path) -> Dataset:
    arrays = files.read_arrays(files.read_pinned(entry, path), path, entry.arrays)
    return _dataset(entry, arrays, "real", path, f"The real {entry.title}, from {path}.")


def _load_sample(entry: Entry) -> Dataset:
    try:
        content = entry.sample.read_bytes()
    except OSError as error:
        raise DataError(f"{entry.sample} cannot be read ({error.strerror}): restore it from the kit.") from error
    note = (
        f"Not the real {entry.title} but the bundled sample: {entry.sample_title}. "
        f"`kata data fetch {entry.name}` gets the real one."
    )
    return _dataset(entry, files.read_arrays(content, entry.sample, entry.arrays), "sample", entry.sample, note)


def _dataset(entry: Entry, arrays: dict[str, np.ndarray], origin: Origin, path: Path, note: str) -> Dataset:
    return Dataset(entry.name, **arrays, origin=origin, path=path, card=entry.card, note=note)


def _keras_get_file(entry: Entry) -> Any:
    try:
        import keras  # heavy and optional: only whoever asks for a download needs it
    except ImportError as error:
        raise DataError(
            f"{entry.title} is downloaded by Keras, which is not installed here: run `pip install tensorflow`, "
            f"or put {entry.file} into a folder of your own and let {files.FOLDER_VARIABLE} name it."
        ) from error
    return keras.utils.get_file

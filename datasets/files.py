"""Where data files lie, and whether they are what they claim to be."""

from __future__ import annotations

import hashlib
import io
import os
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from datasets.catalogue import Entry
from datasets.error import DataError

FOLDER_VARIABLE = "DEEPKATA_DATA"


def keras_home() -> Path:
    """Keras's own folder, found without importing Keras."""
    return Path(os.environ.get("KERAS_HOME") or Path.home() / ".keras").expanduser()


def keras_cache() -> Path:
    return keras_home() / "datasets"


def folders() -> Iterator[Path]:
    """The folders that may hold real data, in the order in which they are asked."""
    named = os.environ.get(FOLDER_VARIABLE)
    if named:
        folder = Path(named).expanduser()
        if not folder.is_dir():
            raise DataError(
                f"{FOLDER_VARIABLE} names {folder}, which is no folder: let it name the folder that holds "
                "your data files, or unset it."
            )
        yield folder
    yield keras_cache()


def find(entry: Entry) -> Path | None:
    """The first file of that name, checked or not; None if no folder has one."""
    return next((folder / entry.file for folder in folders() if (folder / entry.file).exists()), None)


def read_pinned(entry: Entry, path: Path) -> bytes:
    """The file's content, if it is byte for byte the one that Keras pins.

    What was checked is what is parsed: the bytes are read once, so the file cannot change in between.
    """
    mend = f"delete it and run `kata data fetch {entry.name}`"
    try:
        content = path.read_bytes()
    except OSError as error:
        raise DataError(f"{path} cannot be read ({error.strerror}): mend its permissions, or {mend}.") from error
    if hashlib.sha256(content).hexdigest() == entry.sha256:
        return content
    if len(content) < entry.size:
        raise DataError(f"{path} is cut short ({len(content):,} of {entry.size:,} bytes): {mend}.")
    raise DataError(
        f"{path} is damaged or another file, its SHA-256 is not the one that Keras pins for {entry.title}: {mend}."
    )


def read_arrays(content: bytes, path: Path, wanted: dict[str, tuple[str, tuple[int, ...]]]) -> dict[str, np.ndarray]:
    """The arrays of an .npz, each of the promised dtype and item shape; never unpickles anything."""
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in wanted}
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise DataError(f"{path} is not a readable .npz with {', '.join(wanted)}: restore it from the kit.") from error
    for name, (dtype, item) in wanted.items():
        if arrays[name].dtype != dtype or arrays[name].shape[1:] != item:
            found = f"{arrays[name].dtype} of shape {arrays[name].shape}"
            raise DataError(f"{path} holds {name} as {found}, not as {dtype} (n, …): restore it from the kit.")
    return arrays

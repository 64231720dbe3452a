"""Where data files lie, and whether they are what they claim to be."""

from __future__ import annotations

import io
import os
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from datasets.catalogue import SAMPLES, Entry, File
from datasets.checksums import LIST, checksum, parse
from datasets.error import DataError

FOLDER_VARIABLE = "DEEPKATA_DATA"

Wanted = dict[str, tuple[str, tuple[int, ...]]]


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
    """The first file or folder of that name, checked or not; None if no data folder has one.

    A folder without any of the files, which a failed download leaves behind, counts for nothing.
    """
    for folder in folders():
        path = folder / entry.path
        if any((folder / file.name).exists() for file in entry.files) or (not entry.files and path.exists()):
            return path
    return None


def mend(entry: Entry) -> str:
    return f"delete it and run `kata data fetch {entry.name}`"


def read_all(entry: Entry, path: Path) -> dict[str, bytes]:
    """The content of each of the files, by its name, as `find` found them; refused if one is missing or damaged."""
    return {file.name: read_pinned(entry, file, path.parent) for file in entry.files}


def read_pinned(entry: Entry, file: File, folder: Path) -> bytes:
    """The file's content, if it is byte for byte the published one.

    What was checked is what is parsed: the bytes are read once, so the file cannot change in between.
    """
    path = folder / file.name
    try:
        content = path.read_bytes()
    except FileNotFoundError as error:
        raise DataError(f"{path} is missing: run `kata data fetch {entry.name}`, or put it there.") from error
    except OSError as error:
        raise DataError(f"{path} cannot be read ({error.strerror}): mend its permissions, or {mend(entry)}.") from error
    if checksum(content) == file.sha256:
        return content
    if len(content) < file.size:
        raise DataError(f"{path} is cut short ({len(content):,} of {file.size:,} bytes): {mend(entry)}.")
    raise DataError(
        f"{path} is damaged or another file, its SHA-256 is not that of the published {entry.title}: {mend(entry)}."
    )


def read_sample(path: Path) -> bytes:
    """The content of a bundled file, if it is the one that the kit came with."""
    try:
        content = path.read_bytes()
        sums = parse((SAMPLES / LIST).read_text(encoding="utf-8"))
    except OSError as error:
        raise DataError(f"{error.filename} cannot be read ({error.strerror}): restore it from the kit.") from error
    if checksum(content) != sums.get(path.name):
        raise DataError(f"{path} is damaged, its SHA-256 is not the one in {LIST}: restore it from the kit.")
    return content


def read_arrays(content: bytes, path: Path, wanted: Wanted) -> dict[str, np.ndarray]:
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

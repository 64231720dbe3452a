"""Getting the published data, with Keras's own loader, into Keras's own cache."""

from __future__ import annotations

import itertools
import os
import re
import shutil
import zipfile
from pathlib import Path
from typing import Any

from datasets import base, files, photos
from datasets.catalogue import Entry, File, entry_of
from datasets.checksums import LIST, listing
from datasets.error import DataError

# Microsoft's own copy of the pictures of Kaggle's "Dogs vs. Cats"; the checksum is TensorFlow Datasets'.
PHOTOS = File(
    "kagglecatsanddogs_5340.zip",
    "https://download.microsoft.com/download/3/E/1/3E1C3F21-ECDB-4869-8368-6DEBA77B919F/kagglecatsanddogs_5340.zip",
    824_887_076,
    "b7974bd00a84a99921f36ee4403f089853777b5ae8d151c76a86e64900334af9",
)
PER_CLASS = {"train": 1000, "validation": 500, "test": 500}  # Chollet's sizes
ZIPPED_PHOTO = re.compile(r"PetImages/(Cat|Dog)/(\d+)\.jpg")


def fetch(name: str) -> Path:
    """Download a data set, or a pretrained base, into Keras's cache with Keras's own loader; returns what was checked.

    Right files that are already there are kept; damaged ones are replaced, but for a folder of photos, which may hold
    pictures of your own.
    """
    if name == base.NAME:
        return _fetch_base()
    entry = entry_of(name)
    _prepare_home()
    if entry.kind == "photos":
        return _fetch_photos(entry)
    wanted = (*entry.files, entry.word_index) if entry.word_index else entry.files
    for file in wanted:
        _download(entry, file)
        files.read_pinned(entry, file, files.keras_cache())
    return files.keras_cache() / entry.path


def _prepare_home() -> None:
    home = files.keras_home()
    try:
        home.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DataError(f"{home} cannot be made ({error.strerror}): let KERAS_HOME name another folder.") from error
    # Keras would quietly download to a temporary folder, where nobody looks for it.
    if not os.access(home, os.W_OK):
        raise DataError(f"{home} cannot be written to: mend its permissions, or let KERAS_HOME name another folder.")


def _download(entry: Entry, file: File) -> Path:
    """One file, now in Keras's cache; Keras has checked it."""
    folder, _, name = f"datasets/{file.name}".rpartition("/")
    return _get(entry.title, entry.path, name, file.url, file_hash=file.sha256, cache_subdir=folder)


def _get(title: str, place: str, name: str, url: str, **how: str) -> Path:
    """What Keras's `get_file` gets; a failure names the place where one could put the file by hand."""
    get_file = _keras_get_file(title, place)
    try:
        return Path(get_file(name, url, cache_dir=str(files.keras_home()), **how))
    except Exception as error:  # Keras raises a bare Exception when a download fails
        reason = " ".join(str(error).split())
        raise DataError(
            f"{title} could not be downloaded ({reason}): check the network and try again, or put {place} "
            f"into a folder of your own and let {files.FOLDER_VARIABLE} name it."
        ) from error


def _fetch_base() -> Path:
    """MobileNet's weights, where `keras.applications` looks for them."""
    _prepare_home()
    path = _get(base.TITLE, f"weights/{base.FILE}", base.FILE, base.URL, cache_subdir="models")
    base.read_published(path)
    return path


def _fetch_photos(entry: Entry) -> Path:
    """The tree of the first readable photos of each class, made from the archive and listed with their checksums."""
    folder = files.keras_cache() / entry.path
    if folder.exists():
        photos.read_tree(entry, folder)
        return folder
    with zipfile.ZipFile(_download(entry, PHOTOS)) as archive:
        tree = choose(archive, entry.classes)
    try:
        _write_tree(tree, folder)
    except OSError as error:
        raise DataError(f"{folder} cannot be written ({error.strerror}): make room there and try again.") from error
    return folder


def _write_tree(tree: dict[str, bytes], folder: Path) -> None:
    """All of it or nothing: an interruption leaves only a folder of another name."""
    unfinished = folder.with_name(f"{folder.name}.part")
    shutil.rmtree(unfinished, ignore_errors=True)
    for name, content in tree.items():
        path = unfinished / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    (unfinished / LIST).write_text(listing(tree), encoding="utf-8")
    unfinished.rename(folder)


def choose(archive: zipfile.ZipFile, classes: tuple[str, ...]) -> dict[str, bytes]:
    """By their number, the first readable photos of each class: the next of them for each split; some are broken."""
    matches = filter(None, map(ZIPPED_PHOTO.fullmatch, archive.namelist()))
    numbered = sorted((match[1].lower(), int(match[2]), match[0]) for match in matches)
    tree: dict[str, bytes] = {}
    for label in classes:
        photos_of_label = ((number, archive.read(name)) for found, number, name in numbered if found == label)
        readable = ((number, content) for number, content in photos_of_label if _is_readable(content))
        for split, count in PER_CLASS.items():
            for number, content in itertools.islice(readable, count):
                tree[f"{split}/{label}/{label}.{number}.jpg"] = content
    return tree


def _is_readable(content: bytes) -> bool:
    try:
        photos.decode(content, "a photo")
    except DataError:
        return False
    return True


def _keras_get_file(title: str, place: str) -> Any:
    try:
        import keras  # heavy and optional: only whoever asks for a download needs it
    except ImportError as error:
        raise DataError(
            f"{title} is downloaded by Keras, which is not installed here: run `pip install tensorflow`, "
            f"or put {place} into a folder of your own and let {files.FOLDER_VARIABLE} name it."
        ) from error
    return keras.utils.get_file

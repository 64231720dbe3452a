"""Photographs in folders named by their class, as Keras's `image_dataset_from_directory` reads them.

The tree is <split>/<class>/<name>.jpg. Who made it lists its checksums in SHA256SUMS beside the splits; one tree,
the kit's own subset of 4,000 photos, is known by the checksum of that list, and needs no list beside it.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path, PurePosixPath

import numpy as np

from datasets.catalogue import Entry
from datasets.checksums import LIST, checksum, listing, parse
from datasets.error import DataError
from datasets.files import mend

SPLITS = ("train", "validation", "test")
SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp")
KNOWN_TREE = "b9da7332b3dfa81737a17706172f578244b7ee35da1661e19c4dc6a0f17f4a41"  # of 4,000 photos, at most 180 px
CHANNELS = 3


def read(contents: Mapping[str, bytes], classes: tuple[str, ...], size: tuple[int, int]) -> dict[str, np.ndarray]:
    """Images float32 (n, height, width, 3) of 0 … 255 and labels int32 (n,) per split.

    They come in the order of Keras's loader with `shuffle=False`, class by class: shuffle them before training.
    """
    if min(size) < 1:
        raise DataError(f"image_size is {size}: give the height and the width in pixels, e.g. (150, 150).")
    arrays: dict[str, np.ndarray] = {}
    for split in SPLITS:
        names = [name for name in sorted(contents) if PurePosixPath(name).parts[0] == split]
        images = np.empty((len(names), *size, CHANNELS), np.float32)
        for image, name in zip(images, names, strict=True):
            image[...] = resize(decode(contents[name], name), size)
        arrays[f"x_{split}"] = images
        arrays[f"y_{split}"] = np.array([classes.index(PurePosixPath(name).parts[1]) for name in names], np.int32)
    return arrays


def read_tree(entry: Entry, folder: Path) -> dict[str, bytes]:
    """Every picture of the tree by its name below the folder, if it is the tree that its list vouches for."""
    try:
        paths = {path.relative_to(folder).as_posix(): path for path in folder.glob("*/*/*")}
        contents = {name: paths[name].read_bytes() for name in pictures(paths, entry.classes)}
        vouched = (folder / LIST).read_text(encoding="utf-8") if (folder / LIST).exists() else ""
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{folder} cannot be read ({error}): mend its permissions, or {mend(entry)}.") from error
    for split in SPLITS:
        for label in entry.classes:
            if not any(name.startswith(f"{split}/{label}/") for name in contents):
                raise DataError(f"{folder / split / label} holds no picture: {mend(entry)}.")
    check(entry, folder, contents, vouched)
    return contents


def check(entry: Entry, folder: Path, contents: Mapping[str, bytes], vouched: str) -> None:
    """Refuse a tree that differs from its list, or has none and is not the known one."""
    if not vouched:
        if checksum(listing(contents).encode()) == KNOWN_TREE:
            return
        raise DataError(
            f"{folder} is not the tree that the kit knows, a picture in it may be damaged or swapped: {mend(entry)}. "
            f"If the pictures are your own, vouch for them: run `sha256sum */*/*.jpg > {LIST}` in that folder."
        )
    found, wanted = parse(listing(contents)), parse(vouched)
    for name in sorted(found.keys() | set(pictures(wanted, entry.classes))):
        if found.get(name) != wanted.get(name):
            what = (
                "is missing" if name not in found else "is damaged or swapped" if name in wanted else "is no part of it"
            )
            raise DataError(f"{folder / name} {what}, says {LIST}: put the right file there, or {mend(entry)}.")


def read_zip(content: bytes, path: Path, classes: tuple[str, ...]) -> dict[str, bytes]:
    """The pictures of a tree that was zipped."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            return {name: archive.read(name) for name in pictures(archive.namelist(), classes)}
    except zipfile.BadZipFile as error:
        raise DataError(f"{path} is not a readable .zip: restore it from the kit.") from error


def pictures(names: Iterable[str], classes: tuple[str, ...]) -> list[str]:
    """Those of the names that are <split>/<class>/<picture>."""
    parts = ((name, PurePosixPath(name)) for name in names)
    return [
        name
        for name, path in parts
        if len(path.parts) == 3
        and path.parts[0] in SPLITS
        and path.parts[1] in classes
        and path.suffix.lower() in SUFFIXES
    ]


def decode(content: bytes, name: str) -> np.ndarray:
    """A picture as uint8 (height, width, 3)."""
    try:
        from PIL import Image  # only photos need it, and a machine with numba and pytest alone has none
    except ImportError as error:
        raise DataError(
            "Pictures are read by Pillow, which is not installed here: run `pip install pillow`."
        ) from error
    try:
        with Image.open(io.BytesIO(content)) as image:
            return np.asarray(image.convert("RGB"))
    except (OSError, ValueError, SyntaxError) as error:  # Pillow raises all three
        raise DataError(f"{name} is no picture that can be read ({error}): put the right file there.") from error


def resize(image: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Bilinear, as Keras's loader does it: pixel centres aligned, edges continued, every step in float32.

    Nothing is averaged beforehand, so a picture made much smaller is sampled, not smoothed.
    """
    pixels = image.astype(np.float32)
    for axis in (1, 0):
        lower, upper, share = neighbours(image.shape[axis], size[axis])
        first, second = pixels.take(lower, axis), pixels.take(upper, axis)
        pixels = first + (second - first) * share.reshape(-1, *[1] * (2 - axis))
    return pixels


def neighbours(n: int, m: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """For each of m pixels: the two of n between which it lies, and how far it is from the first to the second."""
    half = np.float32(0.5)
    position = (np.arange(m, dtype=np.float32) + half) * (np.float32(n) / np.float32(m)) - half
    below = np.floor(position)
    lower = np.maximum(below, 0).astype(np.int64)
    upper = np.minimum(np.ceil(position), n - 1).astype(np.int64)
    return lower, upper, position - below

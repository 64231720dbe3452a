"""A pretrained convolutional base: Keras's MobileNet where its file is, else a small one bundled with the kit.

Whoever has used `keras.applications.MobileNet` has its file in Keras's cache. It is refused unless its numbers are the
published ones.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from datasets import checksums, files
from datasets.dataset import Origin, Status
from datasets.error import DataError

NAME = "mobilenet"
TITLE = "MobileNet"
FILE = "mobilenet_2_5_224_tf_no_top.h5"
URL = f"https://storage.googleapis.com/tensorflow/keras-applications/mobilenet/{FILE}"
# Of the numbers, not of the file: Keras pins no checksum, and a file may hold the same numbers in more than one way.
SHA256 = "bc1512519fe1802d8ffa90b80acd0969b26e9dda42f96f4c34dc1947c5a13185"
BLOCKS = 13
BUNDLED = Path(__file__).parent / "models" / "shapes_base.npz"
PARTS = ("kernel", "gamma", "beta", "moving_mean", "moving_variance")

Layer = tuple[np.ndarray, ...]  # the five parts of one convolution and the batch normalization after it


@dataclass(frozen=True, eq=False)
class Base:
    """The convolutional part of a trained network.

    Parameters
    ----------
    layers : one per convolution: kernel, gamma, beta, moving_mean, moving_var, float32. The first kernel and those of
        pointwise convolutions are (kh, kw, c_in, filters), those of depthwise convolutions (kh, kw, c)
    origin : "real" for the published MobileNet, "sample" for the bundled base
    path : the file it was read from
    note : one sentence that says what this is
    """

    layers: tuple[Layer, ...]
    origin: Origin
    path: Path
    note: str


def load_base(sample: bool = False) -> Base:
    """MobileNet at a quarter of its width, trained on ImageNet, or the bundled base where its file is not here.

    Parameters
    ----------
    sample : true for the bundled base even where the file is

    Raises
    ------
    DataError : the file is damaged or another one, or h5py is not here to read it
    """
    path = None if sample else find()
    if path:
        return Base(read_published(path), "real", path, f"{TITLE} trained on ImageNet, from {path}.")
    note = f"Not {TITLE} but the bundled base, trained on drawn shapes. `kata data fetch {NAME}` gets {TITLE}."
    return Base(read_bundled(), "sample", BUNDLED, note)


def status() -> Status:
    """What `load_base` would serve, or why it would refuse."""
    path = None
    try:
        path = find()
        found = load_base()
        return Status(NAME, found.origin, found.path)
    except DataError as error:
        return Status(NAME, "real" if path else "sample", path or BUNDLED, str(error))


def find() -> Path | None:
    """The first file of that name, checked or not: in `weights` of a data folder, then in Keras's cache."""
    folders = (*(folder / "weights" for folder in files.folders()), cache())
    return next((folder / FILE for folder in folders if (folder / FILE).exists()), None)


def cache() -> Path:
    """Where `keras.applications` keeps its files."""
    return files.keras_home() / "models"


def mend() -> str:
    return f"delete it and run `kata data fetch {NAME}`"


def read_published(path: Path) -> tuple[Layer, ...]:
    """The layers of Keras's file, if they hold the published numbers."""
    try:
        import h5py  # comes with Keras, and nothing else needs it
    except ImportError as error:
        raise DataError(f"{path} is read by h5py, which is not installed here: run `pip install h5py`.") from error
    try:
        with h5py.File(io.BytesIO(path.read_bytes()), "r") as archive:
            layers = tuple(layer_of(arrays_in(archive[name]) | arrays_in(archive[f"{name}_bn"])) for name in names())
    except (OSError, KeyError, ValueError) as error:  # h5py raises all three
        reason = " ".join(str(error).split())
        raise DataError(f"{path} cannot be read as {TITLE}'s weights ({reason}): {mend()}.") from error
    if checksum_of(layers) != SHA256:
        raise DataError(f"{path} holds other numbers than the published {TITLE}: {mend()}.")
    return layers


def names() -> list[str]:
    """What Keras calls the convolutions, in the network's order."""
    return ["conv1", *(f"conv_{kind}_{number}" for number in range(1, BLOCKS + 1) for kind in ("dw", "pw"))]


def arrays_in(group: Any) -> dict[str, np.ndarray]:
    """The arrays below an HDF5 group by the last part of their names, which is "gamma:0" or the like."""
    found: dict[str, np.ndarray] = {}

    def keep(name: str, item: Any) -> None:
        if hasattr(item, "dtype"):
            found[name.rpartition("/")[2].partition(":")[0]] = item[()]

    group.visititems(keep)
    return found


def layer_of(arrays: dict[str, np.ndarray]) -> Layer:
    """The five parts; a depthwise kernel loses its last axis, along which Keras keeps several filters per channel."""
    if "depthwise_kernel" in arrays:
        arrays = {**arrays, "kernel": arrays["depthwise_kernel"][..., 0]}
    return tuple(np.ascontiguousarray(arrays[part], np.float32) for part in PARTS)


def checksum_of(layers: Iterable[Layer]) -> str:
    """SHA-256 of the numbers, layer by layer and part by part."""
    return checksums.checksum(b"".join(array.tobytes() for layer in layers for array in layer))


def read_bundled() -> tuple[Layer, ...]:
    """The layers of the base that the kit came with; stored as float16, which is what its training ended with."""
    try:
        with np.load(BUNDLED, allow_pickle=False) as archive:
            count = len(archive.files) // len(PARTS)
            return tuple(
                tuple(archive[f"{part}_{number}"].astype(np.float32) for part in PARTS) for number in range(count)
            )
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise DataError(f"{BUNDLED} is missing or damaged: restore it from the kit.") from error


def write_bundled(layers: Iterable[Layer]) -> None:
    """Store a base as the bundled one; its numbers must be exact in float16."""
    arrays = {
        f"{part}_{number}": array.astype(np.float16)
        for number, layer in enumerate(layers)
        for part, array in zip(PARTS, layer, strict=True)
    }
    np.savez_compressed(BUNDLED, allow_pickle=False, **arrays)


def build(layers: tuple[Layer, ...], size: int) -> Any:
    """The same base in Keras: its own MobileNet with these weights, cut after the last block, and its mean per channel.

    Parameters
    ----------
    layers : as in `Base`; their number says how many blocks there are, their shapes how wide they are
    size : rows and columns of an image
    """
    network = keras_network(len(layers) // 2, layers[0][0].shape[-1], size)
    network.set_weights([array[..., None] if array.ndim == 3 else array for layer in layers for array in layer])
    network.trainable = False
    return network


def keras_network(blocks: int, filters: int, size: int) -> Any:
    """Keras's MobileNet as it is before any training, cut after so many blocks; `filters` of the first convolution."""
    import keras

    whole = keras.applications.MobileNet((size, size, 3), alpha=filters / 32, include_top=False, weights=None)
    maps = whole.get_layer(f"conv_pw_{blocks}_relu").output
    return keras.Model(whole.input, keras.layers.GlobalAveragePooling2D()(maps))

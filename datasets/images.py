"""Grey images of 28x28, as MNIST and Fashion-MNIST publish them: one .npz, or four gzipped IDX files."""

from __future__ import annotations

import gzip
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from datasets.files import Wanted, read_arrays

SIZE = (28, 28)
ARRAYS: Wanted = {
    "x_train": ("uint8", SIZE),
    "y_train": ("uint8", ()),
    "x_test": ("uint8", SIZE),
    "y_test": ("uint8", ()),
}
IMAGES_HEADER, LABELS_HEADER = 16, 8  # bytes of an IDX file before its numbers


def read(contents: Mapping[str, bytes], path: Path) -> dict[str, np.ndarray]:
    """The arrays of one .npz, or of IDX files named as Zalando and Yann LeCun name them."""
    if len(contents) == 1:
        (content,) = contents.values()
        return read_arrays(content, path, ARRAYS)
    by_name = {Path(name).name: content for name, content in contents.items()}
    return {
        "x_train": idx(by_name["train-images-idx3-ubyte.gz"], IMAGES_HEADER).reshape(-1, *SIZE),
        "y_train": idx(by_name["train-labels-idx1-ubyte.gz"], LABELS_HEADER),
        "x_test": idx(by_name["t10k-images-idx3-ubyte.gz"], IMAGES_HEADER).reshape(-1, *SIZE),
        "y_test": idx(by_name["t10k-labels-idx1-ubyte.gz"], LABELS_HEADER),
    }


def idx(content: bytes, header: int) -> np.ndarray:
    """The bytes behind the header, in an array that may be written to."""
    return np.frombuffer(gzip.decompress(content), np.uint8, offset=header).copy()

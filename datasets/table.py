"""Tables: one row per sample, one column per feature, and a target; split as Keras splits them."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from datasets.files import read_arrays

SEED = 113  # Keras's defaults
TEST_SPLIT = 0.2


def read(content: bytes, path: Path, dtype: str, columns: int) -> dict[str, np.ndarray]:
    """An .npz with x (n, columns) and y (n,), shuffled and cut into training and test data."""
    arrays = read_arrays(content, path, {"x": (dtype, (columns,)), "y": (dtype, ())})
    n = len(arrays["y"])
    order = np.random.RandomState(SEED).permutation(n)
    train, test = np.split(order, [int(n * (1 - TEST_SPLIT))])
    return {f"{name}_{part}": arrays[name][rows] for part, rows in (("train", train), ("test", test)) for name in "xy"}

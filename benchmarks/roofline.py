"""The machine's own speed, as contestants among the others: the ideal that a layer is held against.

    ideal = max(bytes / copy bandwidth, FLOPs / product rate)        share = ideal / our time

`copy` moves as many bytes as the layer has to, by the fastest plain copy with all cores: arrays that fit in a cache are
held against the cache. `product` is NumPy's product of two 1024 x 1024 matrices, with all cores.
"""

from __future__ import annotations

import numpy as np
from numba import njit, prange

from benchmarks.turns import Prepared

COPY, PRODUCT = "copy", "product"
SIDE = 1024
PRODUCT_FLOPS = 2 * SIDE**3
PIECE = 4096  # numbers that a thread copies at a time


@njit(parallel=True)
def copy(source: np.ndarray, target: np.ndarray) -> None:
    """Copy one long row into another, shared out among the cores."""
    for piece in prange((source.size + PIECE - 1) // PIECE):
        first = piece * PIECE
        target[first : first + PIECE] = source[first : first + PIECE]


def prepare_copy(size: int) -> Prepared:
    """A call that reads `size` / 2 bytes and writes as many."""
    numbers = max(1, size // 8)
    source, target = np.ones(numbers, np.float32), np.empty(numbers, np.float32)
    return lambda: copy(source, target), lambda _: None


def prepare_product() -> Prepared:
    """A call that multiplies two square matrices."""
    a, b = np.ones((SIDE, SIDE), np.float32), np.ones((SIDE, SIDE), np.float32)
    c = np.empty_like(a)
    return lambda: np.matmul(a, b, out=c), lambda _: None


def share(ours: float, copy: float, product: float, flops: int) -> float:
    """How much of the ideal our seconds reach.

    Parameters
    ----------
    ours : seconds of the layer
    copy : seconds of a copy of the layer's bytes
    product : seconds of the product of PRODUCT_FLOPS
    flops : those of the layer's products; 0 where only the bytes count
    """
    return max(copy, flops / PRODUCT_FLOPS * product) / ours


FORMS = {COPY: prepare_copy, PRODUCT: prepare_product}

"""Compiles a few small kernels, so that children forked from here inherit numba's own overloads.

Serial kernels only: a child forked after a parallel region deadlocks or dies in most threading layers. None of these
is an exercise's answer; they only touch the operations that answers are made of.
"""

from __future__ import annotations

from typing import Any

import numba
import numpy as np
from numba import njit


def warm() -> None:
    """Compile for float32 in one, two and four dimensions, the way that checked sessions do; takes seconds."""
    config: Any = numba.config
    optimization, boundscheck = config.OPT, config.BOUNDSCHECK
    config.OPT, config.BOUNDSCHECK = type(config.OPT)(0), 1
    for shape in ((4,), (2, 3), (2, 2, 2, 2)):
        for kernel in (_elements, _expressions):
            kernel(np.ones(shape, np.float32), 0.5)
    _rows(np.ones((2, 3), np.float32), np.zeros(2, np.int64))
    _pair(np.ones((2, 3), np.float32), np.ones(3, np.float32))
    config.OPT, config.BOUNDSCHECK = optimization, boundscheck


@njit
def _elements(x, scale):  # type: ignore[no-untyped-def]
    out = np.empty_like(x)
    other = np.zeros_like(x)
    for i in range(x.size):
        value = x.flat[i]
        out.flat[i] = max(value, np.float32(0)) * scale
        other.flat[i] = np.exp(-abs(value)) + np.sqrt(abs(value)) + np.log(abs(value) + np.float32(1))
    return out, other, min(1.0, scale) ** 2


@njit
def _expressions(x, scale):  # type: ignore[no-untyped-def]
    y = x * x + np.float32(scale) - x
    return np.tanh(y), np.where(x > 0, x, y), np.maximum(x, np.float32(0)), x.sum(), x.max(), y.mean()


@njit
def _rows(x, labels):  # type: ignore[no-untyped-def]
    total = np.float32(0)
    sums = np.zeros(x.shape[1], np.float32)
    for i in range(x.shape[0]):
        largest = x[i].max()
        for j in range(x.shape[1]):
            sums[j] += x[i, j] - largest
        total -= np.log(x[i, labels[i]])
    return total / x.shape[0], sums, np.ascontiguousarray(x.T), np.zeros((2, 2), np.float32)


@njit
def _pair(x, b):  # type: ignore[no-untyped-def]
    return x + b, x.copy(), x[:, 0], np.sum(x, axis=0)

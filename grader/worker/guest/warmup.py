"""Compiles a few small kernels, so that children forked from here inherit numba's own overloads.

Serial kernels only: a child forked after a parallel region deadlocks or dies in most threading layers. None of these
is an exercise's answer; they only touch the operations that answers are made of.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numba
import numpy as np
from numba import njit


def steps(count: int) -> Iterator[None]:
    """Compile for float32 in two, one and four dimensions, with the settings there are, a kernel at a time.

    A step takes up to three seconds, all of them a quarter of a minute, and nobody should wait for it: see `Parent`.
    """
    for kernel, *arguments in jobs()[:count]:
        kernel.compile(tuple(numba.typeof(argument) for argument in arguments))
        yield


def jobs() -> list[tuple[Any, ...]]:
    """A kernel and its arguments each, the most useful first."""
    table, row, images = (np.ones(shape, np.float32) for shape in ((2, 3), (3,), (2, 2, 2, 2)))
    each = [job for x in (table, row, images) for job in ((_elements, x, 0.5), (_arithmetic, x), (_reductions, x))]
    tables = [(_rows, table, np.zeros(2, np.int64)), (_columns, table, row), (_sums, table), (_choices, table)]
    return [*each, *tables, (_choices, row)]


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
def _arithmetic(x):  # type: ignore[no-untyped-def]
    return x * x + np.float32(0.5) - x, np.tanh(x), np.maximum(x, np.float32(0))


@njit
def _reductions(x):  # type: ignore[no-untyped-def]
    return x.sum(), x.max(), x.mean()


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
def _columns(x, b):  # type: ignore[no-untyped-def]
    return x + b, x.copy(), x[:, 0]


@njit
def _sums(x):  # type: ignore[no-untyped-def]
    return x.sum(axis=0), np.sum(x, axis=0)


@njit
def _choices(x):  # type: ignore[no-untyped-def]
    return np.where(x > 0, x, x)

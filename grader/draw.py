"""Seeded inputs for the cases: the same seed draws the same numbers on every machine."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

import numpy as np

Float32 = np.ndarray[Any, np.dtype[np.float32]]
Int64 = np.ndarray[Any, np.dtype[np.int64]]


@dataclass(frozen=True)
class Generator:
    """An argument that is a random generator: each side builds its own `numpy.random.default_rng(seed)`."""

    seed: int

    def build(self) -> np.random.Generator:
        return np.random.default_rng(self.seed)


@dataclass(frozen=True)
class Function:
    """An argument that is a function: each side builds its own from the source, which may use `np` only."""

    name: str
    source: str

    def build(self) -> Any:
        namespace: dict[str, Any] = {"np": np}
        exec(compile(self.source, f"<{self.name}>", "exec"), namespace)
        return namespace[self.name]


class Draw:
    """Arrays for cases; float32 and C-contiguous unless the name says otherwise."""

    def __init__(self, seed: str):
        digest = hashlib.sha256(seed.encode()).digest()
        self._random = np.random.default_rng(np.frombuffer(digest, np.uint64))

    def array(self, values: Any) -> Float32:
        """These very values."""
        return np.ascontiguousarray(values, np.float32)

    def normal(self, *shape: int, scale: float = 1.0) -> Float32:
        return (self._random.standard_normal(shape) * scale).astype(np.float32)

    def uniform(self, low: float, high: float, *shape: int) -> Float32:
        return self._random.uniform(low, high, shape).astype(np.float32)

    def integers(self, low: int, high: int, *shape: int) -> Int64:
        """int64 in [low, high)."""
        return self._random.integers(low, high, shape)

    def number(self, low: float, high: float) -> float:
        """One Python float in [low, high), rounded so that it reads well in a message."""
        return round(float(self._random.uniform(low, high)), 4)

    def labels(self, n: int, num_classes: int) -> Int64:
        """n class ids; every class occurs where n allows it."""
        ids = np.concatenate([np.arange(num_classes), self._random.integers(0, num_classes, max(0, n - num_classes))])
        return self._random.permutation(ids[:n]).astype(np.int64)

    def one_hot(self, n: int, num_classes: int) -> Float32:
        return np.eye(num_classes, dtype=np.float32)[self.labels(n, num_classes)]

    def probabilities(self, n: int, num_classes: int) -> Float32:
        """Rows that are positive and sum to one, away from 0 and 1."""
        raw = self._random.uniform(0.05, 1.0, (n, num_classes))
        return np.ascontiguousarray(raw / raw.sum(axis=1, keepdims=True), np.float32)

    def order(self, n: int) -> Int64:
        """A permutation of 0 … n-1."""
        return self._random.permutation(n).astype(np.int64)

    def seed(self) -> int:
        return int(self._random.integers(0, 2**31))

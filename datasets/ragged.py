"""Sequences of different lengths in two arrays: all ids in a row, and where each sequence begins."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class Ragged:
    """n sequences of ids.

    Parameters
    ----------
    ids : int64 (total,), one sequence after the other
    offsets : int64 (n + 1,): sequence i is ids[offsets[i] : offsets[i + 1]]

    Example: [[4, 7], [], [9]] has ids [4, 7, 9] and offsets [0, 2, 2, 3].
    """

    ids: np.ndarray
    offsets: np.ndarray

    @classmethod
    def from_lists(cls, lists: Sequence[Sequence[int]]) -> Ragged:
        offsets = from_lengths(np.fromiter(map(len, lists), np.int64, len(lists)))
        return cls(np.fromiter(itertools.chain.from_iterable(lists), np.int64, offsets[-1]), offsets)

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __getitem__(self, index: int) -> np.ndarray:
        """The ids of one sequence."""
        if not -len(self) <= index < len(self):
            raise IndexError(f"there are {len(self)} sequences, so none has the index {index}")
        index %= len(self)
        return self.ids[self.offsets[index] : self.offsets[index + 1]]

    def __iter__(self) -> Iterator[np.ndarray]:
        return (self[index] for index in range(len(self)))

    def take(self, order: np.ndarray) -> Ragged:
        """The sequences of these indices, in this order."""
        offsets = from_lengths(np.diff(self.offsets)[order])
        shifts = self.offsets[:-1][order] - offsets[:-1]
        return Ragged(self.ids[np.arange(offsets[-1]) + np.repeat(shifts, np.diff(offsets))], offsets)


def from_lengths(lengths: np.ndarray) -> np.ndarray:
    """Offsets of sequences of these lengths."""
    return np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)

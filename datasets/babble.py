"""Word salad: texts whose words are drawn one by one, each class of text having frequencies of its own.

Of the real texts nothing is left but statistics: how often each of the commonest words occurs in texts of a class, how
long texts are, and how many there are of each class. No sentence can be read from them.
"""

from __future__ import annotations

import numpy as np

from datasets.ragged import Ragged, from_lengths

WORDS = 2000  # the commonest; the others are left out
SHORTENING = 2  # half as long as real texts
SHORTEST = 10


def babble(rng: np.random.Generator, texts: Ragged, labels: np.ndarray, n: int) -> tuple[Ragged, np.ndarray]:
    """n texts with their labels, as like the given ones as independent words can be."""
    chosen = rng.choice(labels, n)
    lengths = np.maximum(rng.choice(np.diff(texts.offsets), n) // SHORTENING, SHORTEST)
    offsets = from_lengths(lengths)
    frequencies = cumulative_frequencies(texts, labels)
    ids = np.empty(offsets[-1], np.int64)
    for label, start, stop in zip(chosen, offsets[:-1], offsets[1:], strict=True):
        ids[start:stop] = np.searchsorted(frequencies[label], rng.random(stop - start), side="right") + 1
    return Ragged(ids, offsets), chosen.astype(np.int64)


def cumulative_frequencies(texts: Ragged, labels: np.ndarray) -> np.ndarray:
    """(classes, WORDS): the share of the words of rank 1 … k among the common words of a class."""
    label_of_id = np.repeat(labels, np.diff(texts.offsets))
    common = texts.ids <= WORDS
    cells = label_of_id[common] * WORDS + texts.ids[common] - 1
    counts = np.bincount(cells, minlength=(labels.max() + 1) * WORDS).reshape(-1, WORDS)
    return np.cumsum(counts, axis=1) / counts.sum(axis=1, keepdims=True)

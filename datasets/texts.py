"""Reviews and newswires: sequences of word numbers, encoded by Keras's defaults.

A word's number is its rank by frequency, 1 for the commonest, plus 3. Of the numbers below, 0 pads, 1 starts every
text, 2 stands for a word that was left out, and 3 for nothing: the commonest word is 4.
"""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import numpy as np

from datasets.error import DataError
from datasets.files import Wanted, read_arrays
from datasets.ragged import Ragged

START, UNKNOWN, INDEX_FROM = 1, 2, 3  # Keras's start_char, oov_char and index_from
MARKS = ("[PAD]", "[START]", "[OOV]", "[UNUSED]")
SEED = 113  # Keras's defaults
TEST_SPLIT = 0.2


def reviews(raw: dict[str, Any], num_words: int | None) -> dict[str, Any]:
    """IMDB as `keras.datasets.imdb.load_data(num_words=num_words)` gives it; each part is shuffled by itself."""
    rng = np.random.RandomState(SEED)
    split = {}
    for part in ("train", "test"):
        order = rng.permutation(len(raw[f"y_{part}"]))
        split[f"x_{part}"] = begin(raw[f"x_{part}"].take(order))
        split[f"y_{part}"] = raw[f"y_{part}"][order]
    everything = max(split["x_train"].ids.max(), split["x_test"].ids.max())
    limit = everything if num_words is None else num_words
    return split | {name: keep(split[name], limit) for name in ("x_train", "x_test")}


def newswires(raw: dict[str, Any], num_words: int | None) -> dict[str, Any]:
    """Reuters as `keras.datasets.reuters.load_data(num_words=num_words)` gives it: shuffled, then cut in two."""
    n = len(raw["y"])
    texts = begin(raw["x"])
    texts = keep(texts, texts.ids.max() if num_words is None else num_words)
    train, test = np.split(np.random.RandomState(SEED).permutation(n), [int(n * (1 - TEST_SPLIT))])
    return {
        "x_train": texts.take(train),
        "y_train": raw["y"][train],
        "x_test": texts.take(test),
        "y_test": raw["y"][test],
    }


def begin(texts: Ragged) -> Ragged:
    """Every text starts with START, and its words are counted from INDEX_FROM."""
    return Ragged(
        np.insert(texts.ids + INDEX_FROM, texts.offsets[:-1], START), texts.offsets + np.arange(len(texts) + 1)
    )


def keep(texts: Ragged, num_words: int) -> Ragged:
    """UNKNOWN in place of every number from num_words up.

    Without a limit Keras takes the largest number itself for it, so that the rarest word of all is left out.
    """
    if num_words < 1:
        raise DataError(f"num_words is {num_words}: give the number of words to keep, e.g. 10000, or None for all.")
    return Ragged(np.where(texts.ids < num_words, texts.ids, UNKNOWN), texts.offsets)


def from_published(content: bytes) -> dict[str, Any]:
    """The arrays of Keras's .npz, in which each text is a pickled list: only for content whose checksum is right."""
    with np.load(io.BytesIO(content), allow_pickle=True) as archive:
        arrays = {name: archive[name] for name in archive.files}
    return {name: Ragged.from_lists(array) if name[0] == "x" else array for name, array in arrays.items()}


def from_sample(content: bytes, path: Path, parts: tuple[str, ...]) -> dict[str, Any]:
    """The same from a bundled .npz, in which the texts of a part are two arrays; parts are "_train" or just ""."""
    wanted: Wanted = {f"{name}{part}": ("int64", ()) for part in parts for name in ("ids", "offsets", "y")}
    arrays = read_arrays(content, path, wanted)
    texts = {f"x{part}": Ragged(arrays[f"ids{part}"], arrays[f"offsets{part}"]) for part in parts}
    return texts | {f"y{part}": arrays[f"y{part}"] for part in parts}


def words(word_index: bytes) -> tuple[str, ...]:
    """The word of each number, from the JSON that gives the rank of each word."""
    ranks = json.loads(word_index)
    return MARKS + tuple(sorted(ranks, key=ranks.__getitem__))

"""Ragged texts, and networks of three layers on their words, in plain NumPy.

The cases and the known mistakes of the projects on words are made of these.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from datasets.ragged import Ragged, from_lengths
from grader.draw import Draw
from grader.projects.run import no_slots
from grader.projects.training import glorot

Texts = tuple[np.ndarray, np.ndarray]  # ids and offsets
Params = tuple[np.ndarray, ...]


def split(ids: np.ndarray, offsets: np.ndarray) -> list[np.ndarray]:
    """The texts one by one."""
    return [ids[start:stop] for start, stop in itertools.pairwise(offsets)]


def join(texts: Iterable[Sequence[int] | np.ndarray]) -> Texts:
    """Texts as ids and offsets."""
    ragged = Ragged.from_lists([list(text) for text in texts])
    return ragged.ids, ragged.offsets


def multi_hot(ids: np.ndarray, offsets: np.ndarray, dimension: int) -> np.ndarray:
    """A row per text: 1 at each of its words."""
    rows = np.zeros((len(offsets) - 1, dimension), np.float32)
    for row, words in zip(rows, split(ids, offsets), strict=True):
        row[words] = 1
    return rows


def word_counts(ids: np.ndarray, offsets: np.ndarray, dimension: int) -> np.ndarray:
    """A row per text: how often each word stands in it."""
    rows = [np.bincount(words, minlength=dimension) for words in split(ids, offsets)]
    return np.array(rows, np.float32).reshape(len(offsets) - 1, dimension)


def distinct(ids: np.ndarray, offsets: np.ndarray) -> Texts:
    """Every word of a text once, where it comes first."""
    n = len(offsets) - 1
    owners, words = np.repeat(np.arange(n), np.diff(offsets)), ids[offsets[0] : offsets[-1]]
    first = np.sort(np.unique(owners * (words.max(initial=0) + 1) + words, return_index=True)[1])
    return words[first].astype(np.int64), from_lengths(np.bincount(owners[first], minlength=n))


# --- what cases are made of -----------------------------------------------------------------------------------------


def draw_texts(draw: Draw, lengths: Sequence[int], dimension: int) -> Texts:
    """Texts of these lengths; words repeat."""
    return join(draw.integers(0, dimension, length) for length in lengths)


def draw_distinct(draw: Draw, lengths: Sequence[int], dimension: int) -> Texts:
    """Texts of these lengths; none has a word twice."""
    return join(draw.order(dimension)[:length] for length in lengths)


def middle(texts: Texts, begin: int) -> Texts:
    """A collection without its first texts and its last one: there are ids before and behind what the offsets name."""
    ids, offsets = texts
    return ids, offsets[begin:-1]


def as_arguments(texts: Texts) -> dict[str, np.ndarray]:
    """As arguments of a case."""
    return {"ids": texts[0], "offsets": texts[1]}


def draw_layers(draw: Draw, *sizes: int) -> Params:
    """Weights and biases of dense layers between layers of these sizes."""
    # Not too large: of a probability near 1 float32 knows the distance to 1, and so the loss, to few digits only.
    shapes = itertools.pairwise(sizes)
    return tuple(
        part for shape in shapes for part in (draw.normal(*shape, scale=0.7), draw.normal(shape[1], scale=0.7))
    )


def draw_slots(draw: Draw, params: Params) -> Params:
    """As they are in the middle of a training: not zero."""
    return tuple(draw.uniform(0.0, 0.02, *param.shape) for param in params)


# --- the network ----------------------------------------------------------------------------------------------------


def lower(x: np.ndarray, params: Params) -> np.ndarray:
    """The first layer, after its ReLU."""
    return np.maximum(x @ params[0] + params[1], 0)


def upper(first: np.ndarray, params: Params) -> tuple[np.ndarray, np.ndarray]:
    """The last layer's scores, before what makes probabilities of them, and the second layer."""
    _, _, w2, b2, w3, b3 = params
    second = np.maximum(first @ w2 + b2, 0)
    return second @ w3 + b3, second


def backward(
    dlogits: np.ndarray, first: np.ndarray, second: np.ndarray, params: Params, masks: tuple[bool, bool] = (True, True)
) -> Params:
    """From the last layer's scores to the first layer's; a mask that is False lets all of the gradient through.

    Returns
    -------
    the gradients of the first layer's scores, w2, b2, w3, b3
    """
    _, _, w2, _, w3, _ = params
    dsecond = dlogits @ w3.T
    if masks[1]:
        dsecond = dsecond * (second > 0)
    dscores = dsecond @ w2.T
    if masks[0]:
        dscores = dscores * (first > 0)
    return dscores, first.T @ dsecond, dsecond.sum(axis=0), second.T @ dlogits, dlogits.sum(axis=0)


def start(rng: np.random.Generator, *sizes: int) -> tuple[Params, Params]:
    """Parameters and slots before a training."""
    params = with_zero_biases(*[glorot(rng, *shape) for shape in itertools.pairwise(sizes)])
    return params, no_slots(params)


def with_zero_biases(*weights: np.ndarray) -> Params:
    return tuple(part for w in weights for part in (w, np.zeros(w.shape[1], np.float32)))


def apply_in_keras(
    keras: Any, params: Params, gradients: Params, slots: Params, lr: float, rho: float, eps: float
) -> tuple[Params, Params]:
    """What Keras's RMSprop makes of parameters and slots."""
    optimizer = keras.optimizers.RMSprop(learning_rate=lr, rho=rho, epsilon=eps)
    variables = [keras.module.Variable(param.copy()) for param in params]
    optimizer.build(variables)
    means = optimizer.variables[2:]  # the first two are the iterations and the learning rate
    for mean, slot in zip(means, slots, strict=True):
        mean.assign(slot)
    optimizer.apply([keras.ops.convert_to_tensor(gradient) for gradient in gradients], variables)
    return tuple(variable.numpy() for variable in variables), tuple(mean.numpy() for mean in means)

"""Ragged texts, and networks of three layers on their words, in plain NumPy.

The cases and the known mistakes of the projects on words are made of these.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from datasets.ragged import Ragged, from_lengths
from grader.draw import Draw
from grader.exercise import Case
from grader.goal import AtLeast
from grader.projects.cases import DrawParams, Params, draw_slots
from grader.projects.run import Run, no_slots, run
from grader.projects.training import Mistakes, Training, start

Texts = tuple[np.ndarray, np.ndarray]  # ids and offsets

WORDS, UNITS = 9, (5, 4)  # of the small cases
SCALE = 0.7  # of weights: of a probability near 1 float32 knows the distance to 1, and so the loss, to few digits only


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


def as_arguments(texts: Texts) -> dict[str, Any]:
    """As arguments of a case."""
    return {"ids": texts[0], "offsets": texts[1]}


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


# --- cases of both projects -----------------------------------------------------------------------------------------


def small_predictions(draw: Draw, noun: str, draw_params: Callable[..., Params], *classes: int) -> Iterator[Case]:
    """A few texts; `classes` are those of the network with other sizes."""
    yield Case(f"a few {noun}s", **as_arguments(draw_texts(draw, (6, 3, 9, 12, 1), WORDS)), params=draw_params(draw))
    part = middle(draw_texts(draw, (4, 7, 5, 9, 6), WORDS), 2)
    yield Case("a part of a collection", **as_arguments(part), params=draw_params(draw))
    other = draw_params(draw, WORDS + 4, (2, 6), *classes)
    yield Case("another network", hidden=True, **as_arguments(draw_texts(draw, (8, 5, 11), WORDS + 4)), params=other)


def small_steps(draw: Draw, noun: str, draw_params: DrawParams, classes: int) -> Iterator[Case]:
    """Small steps: the first of a training and a later one, with other rates, with an empty text, on a batch of one."""
    for rationale, lengths, lr, rho, eps, hidden in (
        ("a first step: the slots are zero", (4, 2, 7, 3, 5), 0.01, 0.9, 1e-7, False),
        ("in the middle of a training", (3, 6, 1, 4), 0.01, 0.9, 1e-7, False),
        ("another rate, another memory, a large epsilon", (5, 5, 2, 3, 4, 6), 0.5, 0.6, 0.01, False),
        (f"an empty {noun} among others", (2, 0, 4), 0.03, 0.8, 1e-5, False),
        (f"one {noun} alone", (4,), 0.002, 0.99, 1e-3, True),
    ):
        params = draw_params(draw)
        slots = no_slots(params) if "first" in rationale else draw_slots(draw, params)
        labels = draw.labels(len(lengths), classes)
        texts = as_arguments(draw_distinct(draw, lengths, WORDS))
        given = {**texts, "labels": labels, "params": params, "slots": slots}
        yield Case(rationale, hidden=hidden, **given, lr=lr, rho=rho, eps=eps)


def draw_labelled(draw: Draw, n: int, classes: int) -> dict[str, Any]:
    """Texts of distinct words and their labels, as arguments of a case."""
    texts = draw_distinct(draw, draw.integers(1, WORDS, n).tolist(), WORDS)
    return {**as_arguments(texts), "labels": draw.labels(n, classes)}


def draw_labelled_texts(draw: Draw, n: int, classes: int) -> dict[str, Any]:
    """Texts in which words repeat, and their labels, as arguments of a case."""
    texts = draw_texts(draw, draw.integers(1, 2 * WORDS, n).tolist(), WORDS)
    return {**as_arguments(texts), "labels": draw.labels(n, classes)}


def recorded_step(keras: Run) -> Case:
    texts = keras.data.x_train.take(keras.first_batch)
    words = as_arguments(distinct(texts.ids, texts.offsets))
    return keras.step_case(**words, labels=keras.labels[keras.first_batch])


def recorded_epoch(keras: Run) -> Case:
    losses, words = keras.model.losses, as_arguments(distinct_texts(keras.recipe.name))
    rationale = f"Keras's whole first epoch, {len(losses)} batches, and Keras's losses"
    return keras.epoch_case(rationale, losses, **words, labels=keras.labels)


@functools.cache
def distinct_texts(name: str) -> Texts:
    """The texts that a project's network is trained on, every word of each once."""
    texts = run(name).data.x_train
    return distinct(texts.ids, texts.offsets)


def recorded_training(keras: Run, task: str, margin: float, metric: Callable[[Any], float]) -> Case:
    """The whole training; the test accuracy may be less than Keras's by the margin."""
    goal = AtLeast(round(keras.model.facts["test_metric"] - margin, 4), "test accuracy")
    texts, (w1, b1, _, b2, *_) = keras.data.x_train, keras.params
    samples = {"ids": texts.ids, "offsets": texts.offsets, "labels": keras.labels}
    return keras.training_case(task, goal, metric, samples, {"dimension": len(w1), "units": (len(b1), len(b2))})


# --- mistakes of both projects --------------------------------------------------------------------------------------


class TextTraining(Training):
    """How a network on words learns, on multi-hot rows; gives wrong functions the signatures of the exercises.

    Parameters
    ----------
    last : makes probabilities of the last layer's scores
    loss_of : (labels, probabilities) -> mean loss
    slopes : (labels, probabilities, n) -> its gradient at the scores; `n` divides instead of the batch size
    outputs : units of the last layer
    """

    def __init__(
        self,
        last: Callable[..., np.ndarray],
        loss_of: Callable[..., float],
        slopes: Callable[..., np.ndarray],
        outputs: int,
    ):
        super().__init__(self._gradients)
        self.last, self.loss_of, self.slopes, self.outputs = last, loss_of, slopes, outputs

    def forward(self, x: np.ndarray, params: Params) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The probabilities and both hidden layers."""
        first = lower(x, params)
        scores, second = upper(first, params)
        return self.last(scores), first, second

    def _gradients(self, x, labels, params, n=None, mask=True):
        probabilities, first, second = self.forward(x, params)
        dlogits = self.slopes(labels, probabilities, n)
        dscores, *above = backward(dlogits, first, second, params, (mask, mask))
        return self.loss_of(labels, probabilities), (x.T @ dscores, dscores.sum(axis=0), *above)

    def upper_case(
        self, rationale: str, labels: np.ndarray, first: np.ndarray, params: Params, hidden: bool = False
    ) -> Case:
        """The way back through the upper layers."""
        scores, second = upper(first, params)
        return Case(
            rationale,
            hidden=hidden,
            labels=labels,
            first=first,
            second=second,
            probabilities=self.last(scores),
            params=params,
        )

    def upper_mistake(self, wrong):
        def mistake(labels, first, second, probabilities, params):
            return wrong(self.slopes, labels, first, second, probabilities, params)

        return mistake

    def step_mistake(self, wrong):
        def mistake(ids, offsets, labels, params, slots, lr, rho, eps):
            x = multi_hot(ids, offsets, len(params[0]))
            return wrong(self, x, labels, params, slots, lr, rho, eps)

        return mistake

    def epoch_mistake(self, wrong):
        def mistake(ids, offsets, labels, params, slots, order, batch_size, lr, rho, eps):
            x = multi_hot(ids, offsets, len(params[0]))
            return wrong(self, x, labels, params, slots, order, batch_size, lr, rho, eps)

        return mistake

    def train_mistake(self, wrong):
        def mistake(ids, offsets, labels, rng, dimension, units, epochs, batch_size):
            def begin(rng):
                return start(rng, dimension, *units, self.outputs)

            return wrong(self, begin, multi_hot(ids, offsets, dimension), labels, rng, epochs, batch_size)

        return mistake


def averages_the_words(training, x, labels, params, slots, lr, rho, eps):
    return training.step(x / np.maximum(x.sum(axis=1, keepdims=True), 1), labels, params, slots, lr, rho, eps)


# Of the way back through the upper layers; a wrong function takes the project's `slopes` first.


def sums_over_the_batch(slopes, labels, first, second, probabilities, params):
    return backward(slopes(labels, probabilities, n=1), first, second, params)


def forgets_the_first_mask(slopes, labels, first, second, probabilities, params):
    return backward(slopes(labels, probabilities), first, second, params, (False, True))


def forgets_the_second_mask(slopes, labels, first, second, probabilities, params):
    return backward(slopes(labels, probabilities), first, second, params, (True, False))


def forgets_both_masks(slopes, labels, first, second, probabilities, params):
    return backward(slopes(labels, probabilities), first, second, params, (False, False))


UPPER_MISTAKES: Mistakes = (
    (
        "Your gradients are sums over the batch. The loss is a mean, and so is its gradient: divide by n.",
        sums_over_the_batch,
    ),
    (
        "You let the gradient through where the first layer was off. dscores lies before its ReLU: mask it by "
        "first > 0.",
        forgets_the_first_mask,
    ),
    ("You let the gradient through where the second layer was off. Mask it by second > 0.", forgets_the_second_mask),
    ("You let the gradient through wherever it came. Both ReLUs have a mask: where they were on.", forgets_both_masks),
)


# --- Keras ----------------------------------------------------------------------------------------------------------


def before_relu(first: np.ndarray) -> np.ndarray:
    """Scores that a ReLU makes `first` of."""
    return np.where(first > 0, first, -1).astype(first.dtype)


def step_in_keras(
    keras: Any, loss: Callable[..., Any], params: Params, slots: Params, lr: float, rho: float, eps: float
) -> tuple[float, Params, Params]:
    """One step of Keras's RMSprop down a loss of all parameters: the loss before it, parameters and slots."""
    before = float(loss(*map(keras.ops.convert_to_tensor, params)))
    return before, *apply_in_keras(keras, params, keras.gradient(loss, None, *params), slots, lr, rho, eps)


def epoch_in_keras(step, keras, ids, offsets, labels, params, slots, order, batch_size, *rates):
    """The losses of Keras's steps in this order, the parameters and the slots; `step` makes one on rows."""
    x, losses = multi_hot(ids, offsets, len(params[0])), []
    for begin in range(0, len(order), batch_size):
        batch = order[begin : begin + batch_size]
        loss, params, slots = step(keras, x[batch], labels[batch], params, slots, *rates)
        losses.append(loss)
    return np.array(losses, np.float32), params, slots


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

"""Training with RMSprop in plain NumPy, right and wrong: what the projects' known mistakes are made of.

A wrong function takes the `Training` of its project first, then what the exercise takes, with prepared samples `x`.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable
from typing import Any

import numpy as np

from grader.exercise import Exercise
from grader.projects.run import no_slots

Params = tuple[np.ndarray, ...]
Mistakes = tuple[tuple[str, Callable[..., Any]], ...]  # what is believed, and the wrong function

DEFAULTS = (1e-3, 0.9, 1e-7)  # Keras's RMSprop: lr, rho, eps


def rmsprop(param, gradient, slot, lr, rho, eps):
    slot *= np.float32(rho)
    slot += np.float32(1 - rho) * gradient * gradient
    param -= np.float32(lr) * gradient / np.sqrt(slot + np.float32(eps))


def glorot(rng, fan_in, fan_out):
    limit = np.sqrt(6 / (fan_in + fan_out))
    return rng.uniform(-limit, limit, (fan_in, fan_out)).astype(np.float32)


def with_zero_biases(*weights: np.ndarray) -> Params:
    """Each with its biases; the last axis is the layer's units or filters."""
    return tuple(part for array in weights for part in (array, np.zeros(array.shape[-1], np.float32)))


def start(rng: np.random.Generator, *sizes: int, from_the_top: bool = False) -> tuple[Params, Params]:
    """Parameters of dense layers between layers of these sizes, and their slots, before a training.

    Wrongly drawn `from_the_top`, the last layer has the generator's first numbers.
    """
    shapes, step = list(itertools.pairwise(sizes)), -1 if from_the_top else 1
    weights = [glorot(rng, *shape) for shape in shapes[::step]][::step]
    params = with_zero_biases(*weights)
    return params, no_slots(params)


def share(mistakes: Mistakes, fit: Callable[..., Any], *exercises: Exercise) -> None:
    """Make known mistakes of exercises; `fit` gives a wrong function their signature."""
    for belief, wrong in mistakes:
        for exercise in exercises:
            exercise.mistake(belief)(functools.wraps(wrong)(fit(wrong)))


class Training:
    """How one network learns.

    Parameters
    ----------
    gradients : (x, y, params, n=None, mask=True) -> (mean loss, gradients); `n` divides instead of the batch size, and
        without `mask` the gradient passes where a ReLU was off
    rates : (lr, rho, eps), with which it is trained from scratch
    """

    def __init__(self, gradients: Callable[..., Any], rates: tuple[float, float, float] = DEFAULTS):
        self.gradients = gradients
        self.rates = rates

    def step(self, x, y, params, slots, lr, rho, eps, update=rmsprop, **how):
        """One right step, or one with another update or another backward pass; the loss before it."""
        loss, gradients = self.gradients(x, y, params, **how)
        for part in zip(params, gradients, slots, strict=True):
            update(*part, lr, rho, eps)
        return loss

    def epoch(self, x, y, params, slots, order, batch_size, lr, rho, eps, **how):
        """One pass in the given order; the loss of each batch."""
        batches = [order[start : start + batch_size] for start in range(0, len(order), batch_size)]
        losses = [self.step(x[batch], y[batch], params, slots, lr, rho, eps, **how) for batch in batches]
        return np.array(losses, np.float32)

    def train(self, x, y, params, slots, rng, epochs, batch_size, order=None):
        """Epoch after epoch, each in an order of its own, or in that of `order`, given how many; the parameters."""
        for _ in range(epochs):
            chosen = (order or rng.permutation)(len(y))
            self.epoch(x, y, params, slots, chosen, batch_size, *self.rates)
        return params


# --- wrong steps ----------------------------------------------------------------------------------------------------


def returns_the_loss_after(training, x, y, params, slots, lr, rho, eps):
    training.step(x, y, params, slots, lr, rho, eps)
    return training.gradients(x, y, params)[0]


def sums_the_loss(training, x, y, params, slots, lr, rho, eps):
    return training.step(x, y, params, slots, lr, rho, eps) * len(y)


def sums_the_gradient(training, x, y, params, slots, lr, rho, eps):
    return training.step(x, y, params, slots, lr, rho, eps, n=1)


def forgets_the_mask(training, x, y, params, slots, lr, rho, eps):
    return training.step(x, y, params, slots, lr, rho, eps, mask=False)


def steps_with_momentum(training, x, y, params, slots, lr, rho, eps):
    def momentum(param, gradient, slot, lr, rho, eps):
        slot[...] = np.float32(rho) * slot + gradient
        param -= np.float32(lr) * slot

    return training.step(x, y, params, slots, lr, rho, eps, update=momentum)


def steps_plainly(training, x, y, params, slots, lr, rho, eps):
    def plain(param, gradient, slot, lr, rho, eps):
        param -= np.float32(lr) * gradient

    return training.step(x, y, params, slots, lr, rho, eps, update=plain)


def climbs(training, x, y, params, slots, lr, rho, eps):
    return training.step(x, y, params, slots, -lr, rho, eps)


def forgets_the_slots(training, x, y, params, slots, lr, rho, eps):
    return training.step(x, y, params, tuple(slot.copy() for slot in slots), lr, rho, eps)


def starts_slots_anew(training, x, y, params, slots, lr, rho, eps):
    for slot in slots:
        slot[...] = 0
    return training.step(x, y, params, slots, lr, rho, eps)


def swaps_rho(training, x, y, params, slots, lr, rho, eps):
    return training.step(x, y, params, slots, lr, 1 - rho, eps)


def shares_one_slot(training, x, y, params, slots, lr, rho, eps):
    loss, gradients = training.gradients(x, y, params)
    shared = np.float32(np.mean([slot.mean() for slot in slots]))
    for param, gradient, slot in zip(params, gradients, slots, strict=True):
        shared = np.float32(rho) * shared + np.float32(1 - rho) * np.mean(gradient * gradient)
        slot[...] = shared
        param -= np.float32(lr) * gradient / np.sqrt(shared + np.float32(eps))
    return loss


def updates_layer_by_layer(training, x, y, params, slots, lr, rho, eps):
    loss = training.gradients(x, y, params)[0]
    for first in range(len(params) - 2, -1, -2):  # a layer has weights and biases
        gradients = training.gradients(x, y, params)[1]
        for at in (first, first + 1):
            rmsprop(params[at], gradients[at], slots[at], lr, rho, eps)
    return loss


def leaves_the_biases(training, x, y, params, slots, lr, rho, eps):
    biases = [(array, array.copy()) for array in (*params[1::2], *slots[1::2])]
    loss = training.step(x, y, params, slots, lr, rho, eps)
    for array, before in biases:
        array[...] = before
    return loss


STEP_MISTAKES: Mistakes = (
    (
        "You returned the loss after the step. It belongs to the forward pass that made the gradients: before it.",
        returns_the_loss_after,
    ),
    ("You summed the loss over the batch. It is the mean: divide by the number of samples.", sums_the_loss),
    (
        "Your gradients are sums over the batch. The loss is a mean, and so is its gradient: divide by n, once.",
        sums_the_gradient,
    ),
    (
        "You let the gradient through where the ReLU was off. Mask it: dhidden counts only where hidden > 0.",
        forgets_the_mask,
    ),
    (
        "You stepped with momentum. RMSprop's slot keeps the mean of the squared gradients, and divides by its root.",
        steps_with_momentum,
    ),
    ("You stepped with lr * gradient: plain gradient descent. RMSprop divides by the root of its slot.", steps_plainly),
    ("You went up the slope. Subtract the step: the gradient points to a higher loss.", climbs),
    (
        "You updated copies of the slots. They must change in place, or the next step has forgotten this one.",
        forgets_the_slots,
    ),
    ("You began with fresh slots. They come as an argument because they remember the steps before.", starts_slots_anew),
    (
        "You exchanged rho and 1 - rho. rho is the share that is kept: slot = rho * slot + (1 - rho) * gradient².",
        swaps_rho,
    ),
    (
        "All your parameters share one running mean. RMSprop has a slot for every single weight: that is its point.",
        shares_one_slot,
    ),
    (
        "You updated a layer before the one below it had its gradient. All gradients first, then all steps.",
        updates_layer_by_layer,
    ),
    ("Your biases stay as they were. They are parameters too: every array takes its step.", leaves_the_biases),
)


# --- wrong epochs ---------------------------------------------------------------------------------------------------


def drops_the_last_batch(training, x, y, params, slots, order, batch_size, lr, rho, eps):
    full = order[: len(order) // batch_size * batch_size]
    return training.epoch(x, y, params, slots, full, batch_size, lr, rho, eps)


def ignores_the_order(training, x, y, params, slots, order, batch_size, lr, rho, eps):
    return training.epoch(x, y, params, slots, np.arange(len(order)), batch_size, lr, rho, eps)


def leaves_labels_behind(training, x, y, params, slots, order, batch_size, lr, rho, eps):
    return training.epoch(x[order], y, params, slots, np.arange(len(order)), batch_size, lr, rho, eps)


def averages_so_far(training, x, y, params, slots, order, batch_size, lr, rho, eps):
    losses = training.epoch(x, y, params, slots, order, batch_size, lr, rho, eps)
    return np.cumsum(losses, dtype=np.float32) / np.arange(1, len(losses) + 1, dtype=np.float32)


def divides_by_batch_size(training, x, y, params, slots, order, batch_size, lr, rho, eps):
    return training.epoch(x, y, params, slots, order, batch_size, lr, rho, eps, n=batch_size)


def starts_slots_with_every_batch(training, x, y, params, slots, order, batch_size, lr, rho, eps):
    def update(param, gradient, slot, lr, rho, eps):
        slot[...] = 0
        rmsprop(param, gradient, slot, lr, rho, eps)

    return training.epoch(x, y, params, slots, order, batch_size, lr, rho, eps, update=update)


def reads_the_order_backwards(training, x, y, params, slots, order, batch_size, lr, rho, eps):
    return training.epoch(x, y, params, slots, order[::-1], batch_size, lr, rho, eps)


EPOCH_MISTAKES: Mistakes = (
    ("You dropped the last, short batch. It is a batch too: its samples want to be learned.", drops_the_last_batch),
    ("You went through the samples as they lie, and not in the order that was given.", ignores_the_order),
    (
        "You reordered the samples but not their labels, so they belong to others. Pick both by the same indices.",
        leaves_labels_behind,
    ),
    (
        "You returned the mean of all losses so far, which is what Keras's progress bar shows. One loss per batch.",
        averages_so_far,
    ),
    (
        "You divided the last batch's gradient by batch_size. The mean is over the samples that it has.",
        divides_by_batch_size,
    ),
    ("Every batch began with fresh slots. They live as long as the training.", starts_slots_with_every_batch),
    ("You read the order backwards. The first batch is order[:batch_size].", reads_the_order_backwards),
)


# --- wrong trainings ------------------------------------------------------------------------------------------------
# `begin` draws (params, slots) from the generator, as the exercise's own start does.


def starts_slots_with_every_epoch(training, begin, x, y, rng, epochs, batch_size):
    params, slots = begin(rng)
    for _ in range(epochs):
        training.train(x, y, params, no_slots(slots), rng, 1, batch_size)
    return params


def draws_one_order(training, begin, x, y, rng, epochs, batch_size):
    params, slots = begin(rng)
    order = rng.permutation(len(y))
    return training.train(x, y, params, slots, rng, epochs, batch_size, order=lambda n: order)


def never_shuffles(training, begin, x, y, rng, epochs, batch_size):
    return training.train(x, y, *begin(rng), rng, epochs, batch_size, order=np.arange)


def shuffles_labels_apart(training, begin, x, y, rng, epochs, batch_size):
    params, slots = begin(rng)
    for _ in range(epochs):
        order, other = rng.permutation(len(y)), rng.permutation(len(y))
        training.train(x[order], y[other], params, slots, rng, 1, batch_size, order=np.arange)
    return params


def trains_one_epoch(training, begin, x, y, rng, epochs, batch_size):
    return training.train(x, y, *begin(rng), rng, min(epochs, 1), batch_size)


def starts_from_zero(training, begin, x, y, rng, epochs, batch_size):
    params, slots = begin(rng)
    for param in params:
        param[...] = 0
    return training.train(x, y, params, slots, rng, epochs, batch_size)


def starts_again_with_every_epoch(training, begin, x, y, rng, epochs, batch_size):
    params, slots = begin(rng)
    for number in range(epochs):
        if number > 0:
            params, slots = begin(rng)
        training.train(x, y, params, slots, rng, 1, batch_size)
    return params


TRAIN_MISTAKES: Mistakes = (
    (
        "You began every epoch with fresh slots. They live as long as the training.",
        starts_slots_with_every_epoch,
    ),
    ("You drew one order and used it in every epoch. Draw a new one each time.", draws_one_order),
    ("You went through the samples as they lie. Shuffle them before every epoch.", never_shuffles),
    (
        "You shuffled the samples and the labels each in its own order. One order must serve both.",
        shuffles_labels_apart,
    ),
    (
        "You stopped after the first epoch. One pass over the data is rarely enough: repeat it `epochs` times.",
        trains_one_epoch,
    ),
    (
        "You began with weights of zero. Then all hidden units are the same unit for ever: draw them.",
        starts_from_zero,
    ),
    ("You drew the weights again before every epoch, and threw away what was learned.", starts_again_with_every_epoch),
)

"""What the projects on images share: convolutions in NumPy, and the known mistakes of a network of convolutions.

Not fast, but short enough to be seen to be right. A project's own `forward` takes what it is made of as keywords
(convolution, pooling, activation, flatten, last), its `backward` likewise (n, mask, unpooling), so that a wrong network
is the right one with one wrong part. The lists of mistakes are for `training.share`.
"""

from __future__ import annotations

import functools
import math
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from grader.projects.run import select_losses
from grader.projects.training import Mistakes


def windows_of(x, kernel):
    """(n, rows, columns, c_in, kh, kw)"""
    return sliding_window_view(x, kernel.shape[:2], axis=(1, 2))


def convolve(x, kernel, bias):
    return np.tensordot(windows_of(x, kernel), kernel, axes=((4, 5, 3), (0, 1, 2))) + bias


def convolve_backward(dy, x, kernel):
    dkernel = np.tensordot(windows_of(x, kernel), dy, axes=((0, 1, 2), (0, 1, 2))).transpose(1, 2, 0, 3)
    dx = np.zeros_like(x)
    for a in range(kernel.shape[0]):
        for b in range(kernel.shape[1]):
            dx[:, a : a + dy.shape[1], b : b + dy.shape[2]] += dy @ kernel[a, b].T
    return dx, np.ascontiguousarray(dkernel), dy.sum(axis=(0, 1, 2))


def fours(maps):
    """(n, rows, columns, 4, c): what lies under each pooled pixel, row by row; an odd rest is left out."""
    n, h, w, c = maps.shape
    cut = maps[:, : h // 2 * 2, : w // 2 * 2].reshape(n, h // 2, 2, w // 2, 2, c)
    return cut.transpose(0, 1, 3, 2, 4, 5).reshape(n, h // 2, w // 2, 4, c)


def pool(maps):
    """The largest of each square, and where it was, as row * w + column of the maps."""
    squares = fours(maps)
    _, rows, columns, _, _ = squares.shape
    where = squares.argmax(axis=3)
    row = 2 * np.arange(rows)[:, None, None] + where // 2
    column = 2 * np.arange(columns)[:, None] + where % 2
    return squares.max(axis=3), row * maps.shape[2] + column


def unpool(dy, argmax, shape):
    n, h, w, c = shape
    dx = np.zeros((n, h * w, c), dy.dtype)
    np.put_along_axis(dx, argmax.reshape(n, -1, c), dy.reshape(n, -1, c), axis=1)
    return dx.reshape(shape)


def rectify(x):
    return np.maximum(x, 0)


def flat(maps):
    return maps.reshape(len(maps), math.prod(maps.shape[1:]))


def largest(maps):
    """Of each square; where it was, only the way back would ask, and a network that is tested has none."""
    return fours(maps).max(axis=3), None


# --- wrong parts ----------------------------------------------------------------------------------------------------


def turned(x, kernel, bias):
    return convolve(x, kernel[::-1, ::-1], bias)


def unbiased(x, kernel, bias):
    return convolve(x, kernel, np.zeros_like(bias))


def averages(maps):
    return fours(maps).mean(axis=3), pool(maps)[1]


def counts_within_the_square(maps):
    squares = fours(maps)
    return squares.max(axis=3), squares.argmax(axis=3)


def channels_first(maps):
    return flat(np.ascontiguousarray(maps.transpose(0, 3, 1, 2)))


def over_the_squares(dy, shape):
    dx = np.zeros(shape, dy.dtype)
    rows, columns = dy.shape[1:3]
    dx[:, : 2 * rows, : 2 * columns] = dy.repeat(2, axis=1).repeat(2, axis=2)
    return dx


# --- mistakes of forward(x, params) ---------------------------------------------------------------------------------


def turns_the_kernel(forward, x, params):
    return forward(x, params, convolution=turned)


def forgets_the_biases(forward, x, params):
    return forward(x, params, convolution=unbiased)


def averages_squares(forward, x, params):
    return forward(x, params, pooling=averages)


def forgets_relu(forward, x, params):
    return forward(x, params, activation=lambda values: values)


def flattens_channel_by_channel(forward, x, params):
    return forward(x, params, flatten=channels_first)


def returns_scores(forward, x, params):
    return forward(x, params, last=lambda scores: scores)


def keeps_the_place_in_the_square(forward, x, params):
    return forward(x, params, pooling=counts_within_the_square)


FORWARD_MISTAKES: Mistakes = (
    ("You turned the kernel. Deep learning uses it as it lies: first weight, first pixel.", turns_the_kernel),
    ("You left out the biases of the convolutions. Each filter adds its own at every place.", forgets_the_biases),
    ("You took the mean of each square. Max pooling takes the largest.", averages_squares),
    ("There is no ReLU in your network. It comes after every layer but the last.", forgets_relu),
    (
        "You flattened one channel after the other. The order is row by row, column by column, channel by channel.",
        flattens_channel_by_channel,
    ),
    ("You returned the scores of the last layer. Its activation makes probabilities of them.", returns_scores),
    (
        "Your argmax counts within each square, from 0 to 3. It counts over the whole map: row * width + column.",
        keeps_the_place_in_the_square,
    ),
)


# --- mistakes of backward(labels, x, cache, params) -----------------------------------------------------------------


def sums_over_the_batch(backward, labels, x, cache, params):
    return backward(labels, x, cache, params, n=1)


def forgets_the_masks(backward, labels, x, cache, params):
    return backward(labels, x, cache, params, mask=False)


def shares_out_the_square(backward, labels, x, cache, params):
    return backward(labels, x, cache, params, unpooling=lambda dy, argmax, shape: over_the_squares(dy / 4, shape))


def repeats_over_the_square(backward, labels, x, cache, params):
    return backward(labels, x, cache, params, unpooling=lambda dy, argmax, shape: over_the_squares(dy, shape))


def reverses_the_sign(backward, labels, x, cache, params):
    return tuple(-gradient for gradient in backward(labels, x, cache, params))


BACKWARD_MISTAKES: Mistakes = (
    ("Your gradients are sums over the batch. The loss is a mean: divide dlogits by n, once.", sums_over_the_batch),
    ("You let the gradient through where a ReLU was off. Every ReLU masks what comes back.", forgets_the_masks),
    (
        "You shared out the gradient over the square. The largest pixel alone had a say: it gets all.",
        shares_out_the_square,
    ),
    (
        "Each pixel of a square got the whole gradient. Only the largest gets it, the others nothing.",
        repeats_over_the_square,
    ),
    (
        "All your gradients have the wrong sign. dlogits is what the network said minus what is right, over n.",
        reverses_the_sign,
    ),
)


# --- mistakes of initial_params(rng, shape, filters, hidden_units) --------------------------------------------------


def kernel_of(rng, c_in, c_out, places=9):
    limit = np.sqrt(6 / (places * (c_in + c_out)))
    return rng.uniform(-limit, limit, (3, 3, c_in, c_out)).astype(np.float32)


def normal_kernel(rng, c_in, c_out):
    return (rng.standard_normal((3, 3, c_in, c_out)) * np.sqrt(2 / (9 * (c_in + c_out)))).astype(np.float32)


def he_kernel(rng, c_in, c_out):
    limit = np.sqrt(6 / (9 * c_in))
    return rng.uniform(-limit, limit, (3, 3, c_in, c_out)).astype(np.float32)


def forgets_the_window(start, *given):
    return start(*given, functools.partial(kernel_of, places=1))


def draws_normal_weights(start, *given):
    return start(*given, normal_kernel)


def takes_he_limit(start, *given):
    return start(*given, he_kernel)


def starts_biases_at_one(start, *given):
    return tuple(param + 1 if param.ndim == 1 else param for param in start(*given))


INITIAL_MISTAKES: Mistakes = (
    (
        "Your kernels' limit knows nothing of the window. fan_in and fan_out are the channels times the 9 places.",
        forgets_the_window,
    ),
    ("You drew from a normal distribution. Draw uniformly: rng.uniform(-limit, limit, shape).", draws_normal_weights),
    ("Your limit has only fan_in in it, as He's has. Glorot's is sqrt(6 / (fan_in + fan_out)).", takes_he_limit),
    ("Your biases begin at 1. They begin at 0: the weights break the symmetry.", starts_biases_at_one),
)


def forward_mistake(forward):
    """How a wrong network becomes a mistake of `forward`; likewise the next two."""

    def fit(wrong):
        return lambda x, params: wrong(forward, x, params)

    return fit


def backward_mistake(backward):
    def fit(wrong):
        return lambda labels, x, cache, params: wrong(backward, labels, x, cache, params)

    return fit


def initial_mistake(start):
    def fit(wrong):
        return lambda rng, shape, filters, hidden_units: wrong(start, rng, shape, filters, hidden_units)

    return fit


# --- the loss curve -------------------------------------------------------------------------------------------------


def mean_losses(answer: Any, stretch: int) -> np.ndarray:
    """Of an answer (losses, params, slots), the means of every `stretch` losses."""
    losses = np.asarray(select_losses(answer))
    whole = losses[: len(losses) // stretch * stretch]
    return whole.reshape(-1, stretch).mean(axis=1)

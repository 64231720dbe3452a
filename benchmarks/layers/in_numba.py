"""The kit's own solutions, called as a student's network calls them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.layers.constants import BETA1, BETA2, EPSILON, LEARNING_RATE, MOMENTUM, NORM_EPSILON, RATE, RHO, SLOPE
from benchmarks.layers.rows import BOTH, STEP, Row, arrays
from benchmarks.turns import Prepared
from solutions import ch03_activations as ch03
from solutions import ch04_losses as ch04
from solutions import ch05_dense as ch05
from solutions import ch06_optimizers as ch06
from solutions import ch09_regularization as ch09
from solutions import ch11_convolution as ch11
from solutions import ch20_speed as ch20

ONE, TWO = (1, 1), (2, 2)


def prepare(row: Row, which: str) -> Prepared:
    """One pass of a row's layer."""
    inputs: list[Any] = list(row.inputs().values())
    if which == STEP:
        return STEPS[row.layer](*inputs), arrays
    function = (BOTH_PASSES if which == BOTH else FORWARD)[row.layer]
    if which == BOTH and row.upstream is not None:
        inputs.insert(0, row.dy())
    return lambda: function(*inputs), arrays


def _batchnorm(x: np.ndarray, gamma: np.ndarray, beta: np.ndarray) -> tuple[np.ndarray, ...]:
    features = len(gamma)
    moving = np.zeros(features, np.float32), np.ones(features, np.float32)
    return ch09.batchnorm_train(x.reshape(-1, features), gamma, beta, *moving, MOMENTUM, NORM_EPSILON)


def _batchnorm_both(dy: np.ndarray, x: np.ndarray, gamma: np.ndarray, beta: np.ndarray) -> tuple[np.ndarray, ...]:
    y, x_hat, inv_std, _, _ = _batchnorm(x, gamma, beta)
    dx, dgamma, dbeta = ch09.batchnorm_backward(dy.reshape(y.shape), x_hat, inv_std, gamma)
    return y.reshape(x.shape), dx.reshape(x.shape), dgamma, dbeta


def _batchnorm_inference(x: np.ndarray, gamma: np.ndarray, beta: np.ndarray) -> np.ndarray:
    features = len(gamma)
    moving = np.zeros(features, np.float32), np.ones(features, np.float32)
    return ch09.batchnorm_inference(x.reshape(-1, features), gamma, beta, *moving, NORM_EPSILON).reshape(x.shape)


def _dropout_both(dy: np.ndarray, x: np.ndarray, uniforms: np.ndarray) -> tuple[np.ndarray, ...]:
    y, mask = ch09.dropout_forward(x, RATE, uniforms)
    return y, ch09.dropout_backward(dy, mask, RATE)


def _maxpool_both(dy: np.ndarray, x: np.ndarray) -> tuple[np.ndarray, ...]:
    y, argmax = ch11.maxpool2d_forward(x, TWO, TWO, "valid")
    return y, ch11.maxpool2d_backward(dy, argmax, x.shape)


def _avgpool_both(dy: np.ndarray, x: np.ndarray) -> tuple[np.ndarray, ...]:
    y = ch11.avgpool2d_forward(x, TWO, TWO, "valid")
    return y, ch11.avgpool2d_backward(dy, x.shape, TWO, TWO, "valid")


def _conv2d_fused_both(dy: np.ndarray, x: np.ndarray, kernel: np.ndarray, bias: np.ndarray) -> tuple[np.ndarray, ...]:
    y, argmax = ch20.conv2d_fused(x, kernel, bias)
    return y, *ch20.conv2d_fused_backward(dy, argmax, x, kernel)


def _by_output(forward: Callable[..., Any], backward: Callable[..., Any]) -> Callable[..., Any]:
    """Both passes of an activation whose derivative is expressed by its output."""

    def both(dy: np.ndarray, x: np.ndarray) -> tuple[np.ndarray, ...]:
        y = forward(x)
        return y, backward(dy, y)

    return both


def _sgd(w: np.ndarray, g: np.ndarray) -> Callable[[], np.ndarray]:
    def step() -> np.ndarray:
        ch06.sgd_step(w, g, LEARNING_RATE)
        return w

    return step


def _rmsprop(w: np.ndarray, g: np.ndarray) -> Callable[[], np.ndarray]:
    acc = np.zeros_like(w)

    def step() -> np.ndarray:
        ch06.rmsprop_step(w, g, acc, LEARNING_RATE, RHO, EPSILON)
        return w

    return step


def _adam(w: np.ndarray, g: np.ndarray) -> Callable[[], np.ndarray]:
    m, v = np.zeros_like(w), np.zeros_like(w)
    t = 0

    def step() -> np.ndarray:
        nonlocal t
        t += 1
        ch06.adam_step(w, g, m, v, t, LEARNING_RATE, BETA1, BETA2, EPSILON)
        return w

    return step


def _dense_step(w: np.ndarray, b: np.ndarray, x: np.ndarray, dy: np.ndarray) -> Callable[[], tuple[np.ndarray, ...]]:
    acc_w, acc_b = np.zeros_like(w), np.zeros_like(b)

    def step() -> tuple[np.ndarray, ...]:
        dx = ch20.dense_step_fused(dy, x, w, b, acc_w, acc_b, LEARNING_RATE, RHO, EPSILON)
        return dx, w, b

    return step


FORWARD: dict[str, Callable[..., Any]] = {
    "relu": ch03.relu,
    "leaky_relu": lambda x: ch03.leaky_relu(x, SLOPE),
    "sigmoid": ch03.sigmoid,
    "tanh": ch03.tanh,
    "softmax": ch03.softmax,
    "mse": lambda y_pred, y_true: ch04.mse(y_true, y_pred),
    "binary_crossentropy": lambda y_pred, y_true: ch04.binary_crossentropy(y_true, y_pred),
    "categorical_crossentropy": lambda y_pred, y_true: ch04.categorical_crossentropy(y_true, y_pred),
    "matmul": ch05.matmul,
    "dense": ch05.dense_forward,
    "dropout": lambda x, uniforms: ch09.dropout_forward(x, RATE, uniforms)[0],
    "batchnorm_train": lambda x, gamma, beta: _batchnorm(x, gamma, beta)[0].reshape(x.shape),
    "batchnorm_inference": _batchnorm_inference,
    "conv2d": lambda x, kernel, bias: ch11.conv2d_forward(x, kernel, bias, ONE, "valid"),
    "im2col": lambda x: ch11.im2col(x, (3, 3), ONE, "valid"),
    "maxpool2d": lambda x: ch11.maxpool2d_forward(x, TWO, TWO, "valid")[0],
    "avgpool2d": lambda x: ch11.avgpool2d_forward(x, TWO, TWO, "valid"),
    "global_average_pool": ch11.global_average_pool_forward,
    "matmul_microkernel": ch20.matmul_microkernel,
    "dense_relu_fused": ch20.dense_relu_fused,
    "conv2d_fused": lambda x, kernel, bias: ch20.conv2d_fused(x, kernel, bias)[0],
}
BOTH_PASSES: dict[str, Callable[..., Any]] = {
    "relu": lambda dy, x: (ch03.relu(x), ch03.relu_backward(dy, x)),
    "leaky_relu": lambda dy, x: (ch03.leaky_relu(x, SLOPE), ch03.leaky_relu_backward(dy, x, SLOPE)),
    "sigmoid": _by_output(ch03.sigmoid, ch03.sigmoid_backward),
    "tanh": _by_output(ch03.tanh, ch03.tanh_backward),
    "softmax": _by_output(ch03.softmax, ch03.softmax_backward),
    "mse": lambda y_pred, y_true: (ch04.mse(y_true, y_pred), ch04.mse_backward(y_true, y_pred)),
    "binary_crossentropy": lambda y_pred, y_true: (
        ch04.binary_crossentropy(y_true, y_pred),
        ch04.binary_crossentropy_backward(y_true, y_pred),
    ),
    "categorical_crossentropy": lambda y_pred, y_true: (
        ch04.categorical_crossentropy(y_true, y_pred),
        ch04.categorical_crossentropy_backward(y_true, y_pred),
    ),
    "softmax_crossentropy": ch04.softmax_crossentropy,
    "dense": lambda dy, x, w, b: (ch05.dense_forward(x, w, b), *ch05.dense_backward(dy, x, w)),
    "dropout": _dropout_both,
    "batchnorm_train": _batchnorm_both,
    "conv2d": lambda dy, x, kernel, bias: (
        ch11.conv2d_forward(x, kernel, bias, ONE, "valid"),
        *ch11.conv2d_backward(dy, x, kernel, ONE, "valid"),
    ),
    "maxpool2d": _maxpool_both,
    "avgpool2d": _avgpool_both,
    "global_average_pool": lambda dy, x: (
        ch11.global_average_pool_forward(x),
        ch11.global_average_pool_backward(dy, x.shape),
    ),
    "conv2d_fused": _conv2d_fused_both,
}
STEPS: dict[str, Callable[..., Callable[[], Any]]] = {
    "sgd": _sgd,
    "rmsprop": _rmsprop,
    "adam": _adam,
    "dense_step_fused": _dense_step,
}
FORMS = {"numba": prepare}

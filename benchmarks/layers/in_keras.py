"""Keras on TensorFlow: keras.ops, losses, layers and optimizers inside a tf.function, as a graph and compiled by XLA.

Backward passes are a GradientTape inside the same function, so that forward and backward are one graph.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Callable
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import tensorflow as tf
from keras import ops

from benchmarks.layers import constants
from benchmarks.layers.rows import BOTH, MAPS, STEP, Row, arrays
from benchmarks.turns import Prepared


def prepare(jit_compile: bool, row: Row, which: str) -> Prepared:
    """One pass of a row's layer, traced (and compiled) at its first call."""
    inputs = [tf.constant(array) for array in row.inputs().values()]
    if which == STEP:
        return STEPS[row.layer](jit_compile, *inputs), arrays
    function = FORWARD[row.layer]
    if which == BOTH:
        function = _with_gradients(function, row.gradients)
        dy = row.dy()
        inputs.insert(0, None if dy is None else tf.constant(dy))
    compiled = tf.function(function, jit_compile=jit_compile)
    return lambda: compiled(*inputs), arrays


def _with_gradients(forward: Callable[..., Any], gradients: int) -> Callable[..., Any]:
    def both(dy: Any, *inputs: Any) -> tuple[Any, ...]:
        sources = inputs[:gradients]
        with tf.GradientTape() as tape:
            tape.watch(sources)
            y = forward(*inputs)
        return y, *tape.gradient(y, sources, output_gradients=dy)

    return both


def _batchnorm(training: bool) -> Callable[..., Any]:
    layer = keras.layers.BatchNormalization(momentum=constants.MOMENTUM, epsilon=constants.NORM_EPSILON)
    layer.build(MAPS)

    def forward(x: Any, gamma: Any, beta: Any) -> Any:
        moving = [ops.zeros_like(gamma), ops.ones_like(gamma)]
        return layer.stateless_call([gamma, beta], moving, x, training=training)[0]

    return forward


def _categorical(y_pred: Any, y_true: Any) -> Any:
    """Keras's own divides every row by its sum once more, which changes the gradient."""
    return -ops.sum(y_true * ops.log(ops.clip(y_pred, constants.CLIP, 1 - constants.CLIP))) / y_true.shape[0]


def _optimizer(make: Callable[[], Any]) -> Callable[..., Callable[[], Any]]:
    def prepare_step(jit_compile: bool, w: Any, g: Any) -> Callable[[], Any]:
        optimizer, weights = make(), keras.Variable(w)
        optimizer.build([weights])

        @tf.function(jit_compile=jit_compile)
        def apply() -> None:
            optimizer.apply([g], [weights])

        def step() -> Any:
            apply()
            return weights.value

        return step

    return prepare_step


def _dense_step(jit_compile: bool, w: Any, b: Any, x: Any, dy: Any) -> Callable[[], Any]:
    """The backward pass of a dense layer as a tape has it, with its RMSprop step."""
    optimizer, weights, bias = _rmsprop(), keras.Variable(w), keras.Variable(b)
    optimizer.build([weights, bias])

    @tf.function(jit_compile=jit_compile)
    def backward() -> Any:
        dx = tf.matmul(dy, weights.value, transpose_b=True)
        dw, db = tf.matmul(x, dy, transpose_a=True), ops.sum(dy, 0)
        optimizer.apply([dw, db], [weights, bias])
        return dx

    return lambda: (backward(), weights.value, bias.value)


def _rmsprop() -> keras.optimizers.Optimizer:
    return keras.optimizers.RMSprop(constants.LEARNING_RATE, constants.RHO, epsilon=constants.EPSILON)


def _conv2d(x: Any, kernel: Any, bias: Any) -> Any:
    return ops.conv(x, kernel, 1, "valid") + bias


FORWARD: dict[str, Callable[..., Any]] = {
    "relu": ops.relu,
    "leaky_relu": lambda x: ops.leaky_relu(x, constants.SLOPE),
    "sigmoid": ops.sigmoid,
    "tanh": ops.tanh,
    "softmax": ops.softmax,
    "mse": lambda y_pred, y_true: ops.mean(keras.losses.mean_squared_error(y_true, y_pred)),
    "binary_crossentropy": lambda y_pred, y_true: ops.mean(keras.losses.binary_crossentropy(y_true, y_pred)),
    "categorical_crossentropy": _categorical,
    "softmax_crossentropy": lambda logits, labels: ops.mean(
        keras.losses.sparse_categorical_crossentropy(labels, logits, from_logits=True)
    ),
    "matmul": ops.matmul,
    "dense": lambda x, w, b: ops.matmul(x, w) + b,
    "dropout": lambda x, uniforms: ops.where(uniforms >= constants.RATE, x / (1 - constants.RATE), 0.0),
    "batchnorm_train": _batchnorm(training=True),
    "batchnorm_inference": _batchnorm(training=False),
    "conv2d": _conv2d,
    "im2col": lambda x: ops.image.extract_patches(x, 3, 1, padding="valid"),
    "maxpool2d": lambda x: ops.max_pool(x, 2),
    "avgpool2d": lambda x: ops.average_pool(x, 2),
    "global_average_pool": lambda x: ops.mean(x, (1, 2)),
    "matmul_microkernel": ops.matmul,
    "dense_relu_fused": lambda x, w, b: ops.relu(ops.matmul(x, w) + b),
    "conv2d_fused": lambda x, kernel, bias: ops.max_pool(ops.relu(_conv2d(x, kernel, bias)), 2),
}
STEPS = {
    "sgd": _optimizer(lambda: keras.optimizers.SGD(constants.LEARNING_RATE)),
    "rmsprop": _optimizer(_rmsprop),
    "adam": _optimizer(
        lambda: keras.optimizers.Adam(constants.LEARNING_RATE, constants.BETA1, constants.BETA2, constants.EPSILON)
    ),
    "dense_step_fused": _dense_step,
}
FORMS = {"graph": functools.partial(prepare, False), "XLA": functools.partial(prepare, True)}

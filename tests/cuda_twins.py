"""What each CUDA kernel should leave in the arrays that it changes: said by its CPU twin from the chapters before.

Where no chapter has a twin, NumPy says it. Every function takes the case's arguments (and the launch where the answer
depends on it) and returns the changed arrays by name.
"""

from __future__ import annotations

import functools

import numpy as np
from build import oracle

from grader import catalogue
from grader.chapters import ch11_convolution as windows
from grader.exercise import Case

TWINS = {}


class Solved:
    """The solutions of one module, run where the expected answers of a check come from."""

    def __init__(self, module):
        self.module = module

    def __getattr__(self, name):
        return functools.partial(self.answer, catalogue.exercises()[f"{self.module}.{name}"])

    @staticmethod
    def answer(exercise, *arguments):
        """What it returns; of what works in place, the changed arguments."""
        case = Case("a twin's", **dict(zip(exercise.parameters, arguments, strict=True)))
        ((returned, changed),) = oracle().expected(exercise, [case])
        if not exercise.changes:
            return returned
        return tuple(changed.values()) if returned is None else (returned, *changed.values())


ch03_activations, ch04_losses, ch05_dense = map(Solved, ("ch03_activations", "ch04_losses", "ch05_dense"))
ch06_optimizers, ch09_regularization = map(Solved, ("ch06_optimizers", "ch09_regularization"))
ch11_convolution, mnist_mlp = map(Solved, ("ch11_convolution", "projects.mnist_mlp"))


def twin_of(name):
    """Decorator: this function is the twin of that kernel."""

    def keep(function):
        TWINS[name] = function
        return function

    return keep


@twin_of("relu_kernel")
@twin_of("relu_items_kernel")
def relu(x, out):
    return {"out": ch03_activations.relu(x)}


@twin_of("axpy_kernel")
def axpy(alpha, x, y):
    (weights,) = ch06_optimizers.sgd_step(y, x, -alpha)
    return {"y": weights}


@twin_of("add_bias_kernel")
def add_bias(x, b, out):
    return {"out": ch05_dense.dense_forward(x, np.eye(b.size, dtype=np.float32), b)}


@twin_of("sigmoid_kernel")
def sigmoid(x, out):
    return {"out": ch03_activations.sigmoid(x)}


@twin_of("block_sum_kernel")
def block_sum(x, out, launch):
    owner = np.arange(x.size) % (launch.grid[0] * launch.block[0]) // launch.block[0]
    return {"out": np.bincount(owner, x, launch.grid[0]).astype(np.float32)}


@twin_of("dot_kernel")
def dot(x, y, out):
    return {"out": out + ch05_dense.matmul(x[np.newaxis], y[:, np.newaxis])[0]}


@twin_of("softmax_kernel")
def softmax(x, out):
    return {"out": ch03_activations.softmax(x)}


@twin_of("histogram_kernel")
def histogram(pixels, counts):
    return {"counts": (counts + np.bincount(pixels, minlength=counts.size)).astype(np.int32)}


@twin_of("transpose_kernel")
def transpose(x, out):
    return {"out": np.ascontiguousarray(x.T)}


@twin_of("matmul_kernel")
@twin_of("matmul_registers_kernel")
def matmul(a, b, c):
    return {"c": ch05_dense.matmul(a, b)}


@twin_of("dense_forward_kernel")
def dense_forward(x, w, b, relu, y):
    scores = ch05_dense.dense_forward(x, w, b)
    return {"y": ch03_activations.relu(scores) if relu else scores}


def dense_backward(dy, x, w):
    return dict(zip(("dx", "dw", "db"), ch05_dense.dense_backward(dy, x, w), strict=True))


@twin_of("dense_dx_kernel")
def dense_dx(dy, w, dx):
    return {"dx": dense_backward(dy, np.zeros_like(dx), w)["dx"]}


@twin_of("dense_dw_kernel")
def dense_dw(dy, x, dw):
    return {"dw": dense_backward(dy, x, np.zeros_like(dw))["dw"]}


@twin_of("column_sum_kernel")
def column_sum(x, sums):
    nothing = np.zeros((len(x), 1), np.float32), np.zeros((1, sums.size), np.float32)
    return {"sums": sums + dense_backward(x, *nothing)["db"]}


@twin_of("relu_backward_kernel")
def relu_backward(dy, y, dx):
    return {"dx": ch03_activations.relu_backward(dy, y)}


def padding_of(before, x_shape, window, strides, y_shape):
    """Which of ch11's two words makes this padding and this output."""
    for padding in ("valid", "same"):
        around = windows.pads(x_shape, window, strides, padding)
        size = windows.output_shape(x_shape, window, strides, padding)
        if (tuple(first for first, _ in around), size) == (before, y_shape[1:3]):
            return padding
    raise AssertionError("a case with a padding that no chapter has")


@twin_of("conv2d_forward_kernel")
def conv2d_forward(x, kernel, bias, strides, before, y):
    padding = padding_of(before, x.shape, kernel.shape[:2], strides, y.shape)
    return {"y": ch11_convolution.conv2d_forward(x, kernel, bias, strides, padding)}


def conv2d_backward(dy, x, kernel, strides, before):
    padding = padding_of(before, x.shape, kernel.shape[:2], strides, dy.shape)
    gradients = ch11_convolution.conv2d_backward(dy, x, kernel, strides, padding)
    return dict(zip(("dx", "dkernel", "dbias"), gradients, strict=True))


@twin_of("conv2d_dx_kernel")
def conv2d_dx(dy, kernel, strides, before, dx):
    return {"dx": conv2d_backward(dy, np.zeros_like(dx), kernel, strides, before)["dx"]}


@twin_of("conv2d_dkernel_kernel")
def conv2d_dkernel(dy, x, strides, before, dkernel):
    return {"dkernel": dkernel + conv2d_backward(dy, x, np.zeros_like(dkernel), strides, before)["dkernel"]}


@twin_of("maxpool_forward_kernel")
def maxpool_forward(x, pool_size, strides, before, y, argmax):
    padding = padding_of(before, x.shape, pool_size, strides, y.shape)
    parts = ch11_convolution.maxpool2d_forward(x, pool_size, strides, padding)
    return dict(zip(("y", "argmax"), parts, strict=True))


@twin_of("maxpool_backward_kernel")
def maxpool_backward(dy, argmax, dx):
    return {"dx": dx + ch11_convolution.maxpool2d_backward(dy, argmax, dx.shape)}


@twin_of("softmax_crossentropy_kernel")
def softmax_crossentropy(logits, labels, loss, dlogits):
    mean, slopes = ch04_losses.softmax_crossentropy(logits, labels)
    return {"loss": (loss + mean).astype(np.float32), "dlogits": slopes}


def uniforms(seed, size):
    """The first numbers of the generator "squares", in arithmetic of unlimited length."""
    whole = 2**64
    key = (2 * seed + 1) * 0x9E3779B97F4A7C15 % whole
    numbers = []
    for counter in range(size):
        y = counter * key % whole
        x = y
        for term in (y, y + key, y):
            x = (x * x + term) % whole
            x = (x >> 32) | (x << 32) % whole
        numbers.append(((x * x + y + key) % whole >> 40) * 2.0**-24)
    return np.array(numbers, np.float32)


@twin_of("dropout_kernel")
def dropout(x, rate, seed, y):
    return {"y": ch09_regularization.dropout_forward(x, rate, uniforms(seed, x.size))[0]}


@twin_of("batchnorm_forward_kernel")
def batchnorm_forward(x, gamma, beta, moving_mean, moving_var, momentum, eps, y, x_hat, inv_std):
    answer = ch09_regularization.batchnorm_train(x, gamma, beta, moving_mean, moving_var, momentum, eps)
    return dict(zip(("y", "x_hat", "inv_std", "moving_mean", "moving_var"), answer, strict=True))


@twin_of("batchnorm_backward_kernel")
def batchnorm_backward(dy, x_hat, inv_std, gamma, dx, dgamma, dbeta):
    answer = ch09_regularization.batchnorm_backward(dy, x_hat, inv_std, gamma)
    return dict(zip(("dx", "dgamma", "dbeta"), answer, strict=True))


@twin_of("sgd_kernel")
def sgd(w, g, lr):
    return dict(zip(("w",), ch06_optimizers.sgd_step(w, g, lr), strict=True))


@twin_of("momentum_kernel")
def momentum_step(w, g, v, lr, momentum):
    return dict(zip(("w", "v"), ch06_optimizers.momentum_step(w, g, v, lr, momentum), strict=True))


@twin_of("rmsprop_kernel")
def rmsprop(w, g, acc, lr, rho, eps):
    return dict(zip(("w", "acc"), ch06_optimizers.rmsprop_step(w, g, acc, lr, rho, eps), strict=True))


@twin_of("adam_kernel")
def adam(w, g, m, v, t, lr, beta1, beta2, eps):
    left = ch06_optimizers.adam_step(w, g, m, v, t, lr, beta1, beta2, eps)
    return dict(zip(("w", "m", "v"), left, strict=True))


@twin_of("gather_kernel")
def gather(x, labels, order, first, batch, batch_labels):
    chosen = order[first : first + len(batch)]
    return {"batch": x[chosen], "batch_labels": labels[chosen]}


@twin_of("mlp_train_step")
def mlp_train_step(x, labels, params, slots, loss, lr, rho, eps):
    mean, params, slots = mnist_mlp.train_step(x, labels, params, slots, lr, rho, eps)
    return {"params": params, "slots": slots, "loss": (loss + mean).astype(np.float32)}


@twin_of("mlp_train_epoch")
def mlp_train_epoch(x, labels, params, slots, order, batch_size, losses, lr, rho, eps):
    found = []
    for first in range(0, order.size, batch_size):
        batch = order[first : first + batch_size]
        mean, params, slots = mnist_mlp.train_step(x[batch], labels[batch], params, slots, lr, rho, eps)
        found.append(mean)
    return {"params": params, "slots": slots, "losses": np.array(found, np.float32)}

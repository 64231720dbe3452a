"""Dense layers: cases, known mistakes and Keras twins."""

from __future__ import annotations

import numpy as np

from grader.draw import Generator
from grader.exercise import MATRIX_PRODUCTS, Case, Chapter

chapter = Chapter("ch05_dense", "Dense layers")

ACTIVATIONS = ("linear", "step", "relu", "sigmoid", "tanh")


# --- perceptron -----------------------------------------------------------------------------------------------------

perceptron = chapter.exercise("perceptron", points=1, returns="y")


@perceptron.cases
def perceptron_cases(draw):
    for code, name in enumerate(ACTIVATIONS):
        yield Case(f"two inputs, {name}", x=draw.array([1, 2]), w=draw.array([0.5, -1]), b=0.5, activation=code)
    for code, name in enumerate(ACTIVATIONS):
        x, w = draw.uniform(0.2, 1.0, 7), draw.uniform(0.1, 0.4, 7)
        yield Case(f"a positive sum of seven, {name}", x=x, w=w, b=draw.number(0.1, 0.3), activation=code)
    for code, name in enumerate(ACTIVATIONS):
        x, w = draw.uniform(-0.9, -0.2, 5), draw.uniform(0.1, 0.4, 5)
        yield Case(f"a negative sum of five, {name}", x=x, w=w, b=draw.number(-0.3, -0.1), activation=code)
    yield Case("a sum of exactly zero", x=draw.array([1, 2]), w=draw.array([2, 1.5]), b=-5.0, activation=1)
    yield Case("a sum of a half", x=draw.array([1, 2]), w=draw.array([2, 1.5]), b=-4.5, activation=1)
    yield Case("a half, squeezed", x=draw.array([1, 2]), w=draw.array([2, 1.5]), b=-4.5, activation=3)
    yield Case("the bias alone switches it on", x=draw.array([0, 0]), w=draw.array([2, 3]), b=0.25, activation=1)
    yield Case("z = 100: nothing may overflow", x=draw.array([10, 3]), w=draw.array([10, 0]), b=0.0, activation=3)
    yield Case("z = -100", x=draw.array([10, 3]), w=draw.array([-10, 0]), b=0.0, activation=3, hidden=True)
    yield Case("z = 100 for tanh", x=draw.array([10, 3]), w=draw.array([10, 0]), b=0.0, activation=4, hidden=True)
    yield Case("the bias decides the sign", x=draw.array([1]), w=draw.array([1]), b=-1.5, activation=2, hidden=True)
    yield Case("a sigmoid at zero", x=draw.array([1, 1]), w=draw.array([1, -1]), b=0.0, activation=3, hidden=True)


def activate(z, activation):
    """The activations as a formula; the overflow of a sigmoid far out does no harm to its value."""
    choices = (z, np.where(z > 0, 1, 0), np.maximum(z, 0), 1 / (1 + np.exp(-z)), np.tanh(z))
    return np.float32(choices[activation])


@perceptron.mistake("You left out the bias. A unit computes activation(sum of x * w, plus b).")
def forgets_the_bias_of_a_unit(x, w, b, activation):
    return activate(np.dot(x, w), activation)


@perceptron.mistake(
    "You activated the sum and then added the bias. The bias is added first, then comes the activation."
)
def adds_the_bias_afterwards(x, w, b, activation):
    return activate(np.dot(x, w), activation) + np.float32(b)


@perceptron.mistake("You applied the activation to every product. It is applied once, to the sum with the bias in it.")
def activates_every_product(x, w, b, activation):
    return np.float32(sum(activate(z, activation) for z in x * w) + b)


@perceptron.mistake("Your step is 1 at z = 0. The unit fires only above the threshold: 1 where z > 0, else 0.")
def steps_at_zero(x, w, b, activation):
    z = np.dot(x, w) + np.float32(b)
    return np.float32(z >= 0) if activation == 1 else activate(z, activation)


@perceptron.mistake("Your step returns -1 for negative sums: that is the sign function. The step is 0 there.")
def takes_the_sign(x, w, b, activation):
    z = np.dot(x, w) + np.float32(b)
    return np.sign(z) if activation == 1 else activate(z, activation)


@perceptron.mistake("You mixed up two codes: 3 is the sigmoid, 4 is tanh.")
def swaps_sigmoid_and_tanh(x, w, b, activation):
    return activate(np.dot(x, w) + np.float32(b), (0, 1, 2, 4, 3)[activation])


@perceptron.mistake("You counted the codes from 1. 0 is linear, 1 step, 2 relu, 3 sigmoid, 4 tanh.")
def counts_codes_from_one(x, w, b, activation):
    return activate(np.dot(x, w) + np.float32(b), max(0, activation - 1))


@perceptron.mistake("exp(z) overflowed: exp(z) / (1 + exp(z)) is inf / inf for large z. Use 1 / (1 + exp(-z)) there.")
def overflows_in_the_sigmoid(x, w, b, activation):
    z = np.dot(x, w) + np.float32(b)
    return np.exp(z) / (1 + np.exp(z)) if activation == 3 else activate(z, activation)


@perceptron.mistake("You averaged the products over the inputs. A unit adds them up.")
def averages_the_products(x, w, b, activation):
    return activate(np.mean(x * w) + np.float32(b), activation)


@perceptron.keras_twin
def perceptron_in_keras(keras, x, w, b, activation):
    functions = (None, lambda z: keras.ops.cast(z > 0, "float32"), "relu", "sigmoid", "tanh")
    unit = keras.layers.Dense(1, activation=functions[activation])
    unit.build((None, x.size))
    unit.set_weights([w[:, np.newaxis], np.array([b], np.float32)])
    return unit(x[np.newaxis])[0, 0]


# --- glorot uniform -------------------------------------------------------------------------------------------------

glorot_uniform = chapter.exercise("glorot_uniform", points=1, returns="w", compiled=False)


@glorot_uniform.cases
def glorot_uniform_cases(draw):
    yield Case("two inputs, four units: the limit is 1", rng=Generator(5), fan_in=2, fan_out=4)
    yield Case("more inputs than units", rng=Generator(draw.seed()), fan_in=30, fan_out=7)
    yield Case("more units than inputs", rng=Generator(draw.seed()), fan_in=3, fan_out=50)
    yield Case("one unit", rng=Generator(draw.seed()), fan_in=11, fan_out=1, hidden=True)
    yield Case("a hidden layer for MNIST, cut down", rng=Generator(draw.seed()), fan_in=196, fan_out=32, hidden=True)


@glorot_uniform.mistake("You forgot the square root: the limit is sqrt(6 / (fan_in + fan_out)).")
def forgets_the_root(rng, fan_in, fan_out):
    limit = 6 / (fan_in + fan_out)
    return rng.uniform(-limit, limit, (fan_in, fan_out)).astype(np.float32)


@glorot_uniform.mistake(
    "sqrt(2 / (fan_in + fan_out)) is the standard deviation. A uniform range of it needs sqrt(6 / …)."
)
def takes_the_deviation_as_limit(rng, fan_in, fan_out):
    limit = np.sqrt(2 / (fan_in + fan_out))
    return rng.uniform(-limit, limit, (fan_in, fan_out)).astype(np.float32)


@glorot_uniform.mistake(
    "You drew Glorot's normal distribution. The uniform one has the limit sqrt(6 / (fan_in + fan_out))."
)
def draws_a_normal(rng, fan_in, fan_out):
    return rng.normal(0, np.sqrt(2 / (fan_in + fan_out)), (fan_in, fan_out)).astype(np.float32)


@glorot_uniform.mistake("sqrt(6 / fan_in) is He's limit. Glorot's looks both ways: sqrt(6 / (fan_in + fan_out)).")
def takes_he_limit(rng, fan_in, fan_out):
    limit = np.sqrt(6 / fan_in)
    return rng.uniform(-limit, limit, (fan_in, fan_out)).astype(np.float32)


@glorot_uniform.mistake("You drew positive weights only. The range runs from -limit to limit.")
def draws_positive_weights(rng, fan_in, fan_out):
    return rng.uniform(0, np.sqrt(6 / (fan_in + fan_out)), (fan_in, fan_out)).astype(np.float32)


@glorot_uniform.mistake("You drew the shape (fan_out, fan_in). Here, as in Keras, weights are (fan_in, fan_out).")
def draws_the_transposed_shape(rng, fan_in, fan_out):
    limit = np.sqrt(6 / (fan_in + fan_out))
    return rng.uniform(-limit, limit, (fan_out, fan_in)).astype(np.float32)


@glorot_uniform.mistake(
    "You drew one weight for all units. Equal units stay equal for ever: draw (fan_in, fan_out) numbers."
)
def repeats_one_unit(rng, fan_in, fan_out):
    limit = np.sqrt(6 / (fan_in + fan_out))
    return np.repeat(rng.uniform(-limit, limit, (fan_in, 1)), fan_out, axis=1).astype(np.float32)


@glorot_uniform.mistake(
    "You returned zeros. Units that start equal get equal gradients and stay equal: draw them at random."
)
def starts_at_zero(rng, fan_in, fan_out):
    return np.zeros((fan_in, fan_out), np.float32)


# --- matmul ---------------------------------------------------------------------------------------------------------

matmul = chapter.exercise("matmul", points=3, returns="c", forbids=MATRIX_PRODUCTS)


@matmul.cases
def matmul_cases(draw):
    yield Case("one row, two columns", a=draw.array([[1, 2, 3]]), b=draw.array([[1, 10], [2, 20], [3, 30]]))
    yield Case("two square matrices", a=draw.array([[1, 2], [3, 4]]), b=draw.array([[5, 6], [7, 8]]))
    yield Case("no side like another", a=draw.normal(3, 5), b=draw.normal(5, 4))
    yield Case("a row times a column", a=draw.normal(1, 9), b=draw.normal(9, 1))
    yield Case("a column times a row", a=draw.normal(7, 1), b=draw.normal(1, 6))
    yield Case("more rows than a block, and some left over", a=draw.normal(70, 3), b=draw.normal(3, 5))
    yield Case("deeper than a block, and some left over", a=draw.normal(3, 133), b=draw.normal(133, 5))
    yield Case("wider than a block, and some left over", a=draw.normal(2, 3), b=draw.normal(3, 517))
    yield Case("many blocks of rows", a=draw.normal(290, 2), b=draw.normal(2, 3), hidden=True)
    yield Case("whole blocks", a=draw.normal(16, 64), b=draw.normal(64, 3), hidden=True)
    yield Case("no rows", a=draw.array(np.zeros((0, 3))), b=draw.normal(3, 4), hidden=True)
    yield Case(
        "nothing to add up: all zeros", a=draw.array(np.zeros((3, 0))), b=draw.array(np.zeros((0, 4))), hidden=True
    )
    yield Case(
        "zeros among the numbers", a=draw.array([[0, 2], [3, 0]]), b=draw.array([[0, 1, 0], [4, 0, 6]]), hidden=True
    )
    yield Case("large enough for threads to collide", a=draw.normal(131, 150), b=draw.normal(150, 70), large=True)
    yield Case("blocks in all directions", a=draw.normal(99, 201), b=draw.normal(201, 1100), large=True, hidden=True)


@matmul.mistake("You read b as b[j, k]. The sum runs down a column of b: a[i, k] * b[k, j].")
def reads_b_transposed(a, b):
    return a @ b.T.reshape(b.shape)


@matmul.mistake("You kept only the last product: `=` where `+=` belongs. An element of the result is a sum over k.")
def keeps_the_last_product(a, b):
    return np.outer(a[:, -1], b[-1]) if b.size else np.zeros((a.shape[0], b.shape[1]), np.float32)


@matmul.mistake("You started the sum anew for each block of k. All the blocks add to the same result.")
def restarts_in_each_block(a, b):
    first = max(0, a.shape[1] - 1) // 64 * 64
    return a[:, first:] @ b[first:]


@matmul.mistake("The last, shorter block of k is missing. Let the last block end at the inner size.")
def drops_the_rest_of_k(a, b):
    depth = a.shape[1] // 64 * 64
    return a[:, :depth] @ b[:depth]


@matmul.mistake(
    "The last, shorter block of rows is missing: there are (n + block - 1) // block blocks, not n // block."
)
def drops_the_rest_of_the_rows(a, b):
    c = a @ b
    c[a.shape[0] // 16 * 16 :] = 0
    return c


@matmul.mistake("The last, shorter block of columns is missing. Let the last block end at the width of b.")
def drops_the_rest_of_the_columns(a, b):
    c = a @ b
    c[:, b.shape[1] // 512 * 512 :] = 0
    return c


@matmul.mistake("You stopped one k too early: range(stop) already leaves out stop, do not subtract one more.")
def drops_the_last_k(a, b):
    return a[:, :-1] @ b[: max(0, a.shape[1] - 1)]


@matmul.mistake("You multiplied the sums: (sum of row i) * (sum of column j). Multiply first, then add up.")
def multiplies_the_sums(a, b):
    return np.outer(a.sum(axis=1), b.sum(axis=0))


@matmul.mistake("You returned the product's transpose: c[j, i]. Row i of a makes row i of the result.")
def returns_the_transpose(a, b):
    return (a @ b).T


@matmul.keras_twin
def matmul_in_keras(keras, a, b):
    return keras.ops.matmul(a, b)


# --- dense layer ----------------------------------------------------------------------------------------------------

dense_forward = chapter.exercise("dense_forward", points=1, returns="y", requires=("matmul",))


def layer(draw, n, d_in, d_out):
    return {"x": draw.normal(n, d_in), "w": draw.normal(d_in, d_out), "b": draw.normal(d_out)}


@dense_forward.cases
def dense_forward_cases(draw):
    x, w, b = draw.array([[1, 2]]), draw.array([[1, 0, -1], [3, 1, 0]]), draw.array([10, 20, 30])
    yield Case("one sample, three units", x=x, w=w, b=b)
    yield Case("a batch of 4", **layer(draw, 4, 6, 3))
    yield Case("as many samples as units", **layer(draw, 5, 7, 5))
    yield Case("all sides equal", **layer(draw, 3, 3, 3))
    yield Case("one unit", **layer(draw, 6, 9, 1))
    yield Case("one input", **layer(draw, 4, 1, 7), hidden=True)
    yield Case("more samples than a block", **layer(draw, 37, 5, 3), hidden=True)
    yield Case("an empty batch", **layer(draw, 0, 5, 3), hidden=True)
    yield Case("a hidden layer of 65 units", **layer(draw, 129, 150, 65), large=True)


@dense_forward.mistake("You left out the bias. A dense layer is x @ w + b.")
def forgets_the_bias(x, w, b):
    return x @ w


@dense_forward.mistake("You subtracted the bias. A dense layer is x @ w + b.")
def subtracts_the_bias(x, w, b):
    return x @ w - b


@dense_forward.mistake("You added the bias inside the sum over the inputs, d_in times. Add it once per unit.")
def adds_the_bias_in_the_sum(x, w, b):
    return x @ w + np.float32(x.shape[1]) * b


@dense_forward.mistake("You gave every sample its own bias. b has one number per unit: it is added along the rows.")
def adds_the_bias_per_sample(x, w, b):
    return x @ w + np.resize(b, x.shape[0])[:, np.newaxis]


@dense_forward.mistake("You read w as (units, inputs). Here, as in Keras, w is (d_in, d_out): one unit per column.")
def reads_w_transposed(x, w, b):
    return x @ w.T.reshape(w.shape) + b


@dense_forward.mistake("You applied a ReLU. This layer has no activation of its own: x @ w + b may be negative.")
def activates_the_layer(x, w, b):
    return np.maximum(x @ w + b, 0)


@dense_forward.mistake("You added up all the biases. Every unit has its own.")
def adds_all_biases(x, w, b):
    return x @ w + b.sum()


@dense_forward.keras_twin
def dense_in_keras(keras, x, w, b):
    dense = keras.layers.Dense(b.size)
    dense.build((None, w.shape[0]))
    dense.set_weights([w, b])
    return dense(x)


dense_backward = chapter.exercise("dense_backward", points=2, returns=("dx", "dw", "db"), requires=("matmul",))


def layer_gradient(draw, n, d_in, d_out):
    return {"dy": draw.normal(n, d_out), "x": draw.normal(n, d_in), "w": draw.normal(d_in, d_out)}


@dense_backward.cases
def dense_backward_cases(draw):
    dy, x, w = draw.array([[1], [2]]), draw.array([[1, 2], [3, 4]]), draw.array([[1], [10]])
    yield Case("two samples, one unit", dy=dy, x=x, w=w)
    yield Case("a batch of 4", **layer_gradient(draw, 4, 6, 3))
    yield Case("as many samples as units", **layer_gradient(draw, 5, 7, 5))
    yield Case("all sides equal: shapes give no hint", **layer_gradient(draw, 3, 3, 3))
    yield Case("one sample", **layer_gradient(draw, 1, 4, 6))
    yield Case("one input", **layer_gradient(draw, 6, 1, 3), hidden=True)
    yield Case("more samples than a block", **layer_gradient(draw, 37, 5, 3), hidden=True)
    yield Case("an empty batch: nothing to learn from", **layer_gradient(draw, 0, 5, 3), hidden=True)
    yield Case("a hidden layer of 65 units", **layer_gradient(draw, 129, 150, 65), large=True)


@dense_backward.mistake("You averaged db over the batch. The mean belongs to the loss and is in dy already: sum.")
def averages_db(dy, x, w):
    return dy @ w.T, x.T @ dy, dy.mean(axis=0)


@dense_backward.mistake(
    "You divided dw by the batch size. The mean belongs to the loss and is in dy already: dw = x.T @ dy."
)
def averages_dw(dy, x, w):
    return dy @ w.T, x.T @ dy / np.float32(len(x)), dy.sum(axis=0)


@dense_backward.mistake("You divided dw and db by the batch size. The mean belongs to the loss and is in dy already.")
def averages_dw_and_db(dy, x, w):
    return dy @ w.T, x.T @ dy / np.float32(len(x)), dy.mean(axis=0)


@dense_backward.mistake(
    "You returned dy.T @ x, the transpose of dw. A gradient has the shape of its weights: x.T @ dy."
)
def transposes_dw(dy, x, w):
    return dy @ w.T, dy.T @ x, dy.sum(axis=0)


@dense_backward.mistake("You multiplied dy by w itself. Backwards the roles change: dx = dy @ w.T.")
def forgets_to_transpose_w(dy, x, w):
    return dy @ w.reshape(w.shape[::-1]), x.T @ dy, dy.sum(axis=0)


@dense_backward.mistake(
    "You reshaped x instead of transposing it, which leaves the numbers in their old order. Use x.T."
)
def reshapes_x(dy, x, w):
    return dy @ w.T, x.reshape(x.shape[::-1]) @ dy, dy.sum(axis=0)


@dense_backward.mistake("You summed db over the units. Every sample used the bias: sum over the samples, axis 0.")
def sums_db_over_the_units(dy, x, w):
    return dy @ w.T, x.T @ dy, dy.sum(axis=1)


@dense_backward.mistake("You did not sum db: dy has one row per sample, db has one number per unit.")
def does_not_sum_db(dy, x, w):
    return dy @ w.T, x.T @ dy, dy


@dense_backward.mistake("You left the upstream gradient out of dw. The chain rule brings it in: dw = x.T @ dy.")
def forgets_upstream_of_dw(dy, x, w):
    return dy @ w.T, np.repeat(x.sum(axis=0)[:, np.newaxis], w.shape[1], axis=1), dy.sum(axis=0)


@dense_backward.mistake(
    "You returned the gradients in another order. It is that of the forward's arguments: dx, dw, db."
)
def returns_dw_first(dy, x, w):
    return x.T @ dy, dy @ w.T, dy.sum(axis=0)


@dense_backward.objective
def dense_objective(dy, x, w):
    points = {"dx": x, "dw": w, "db": np.zeros(w.shape[1])}
    return lambda x, w, b: np.sum(dy * (x @ w + b)), points


@dense_backward.keras_twin
def dense_gradient_in_keras(keras, dy, x, w):
    bias = np.zeros(w.shape[1], np.float32)
    return keras.gradient(lambda x, w, b: keras.ops.matmul(x, w) + b, dy, x, w, bias)

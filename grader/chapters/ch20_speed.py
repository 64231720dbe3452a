"""The speed ladder: cases, known mistakes, what is timed, and Keras twins."""

from __future__ import annotations

from typing import Any

import numpy as np

from grader.exercise import MATRIX_PRODUCTS, Case, Chapter

chapter = Chapter("ch20_speed", "The speed ladder")

# The ratio to the solution's time up to which speed earns nothing: about that of the rungs below. Timed cases are so
# large that carrying the arrays to the guest and back, some milliseconds, does not drown the call.
LOW_FLOOR, FLOOR = 0.05, 0.15


def coarse(draw, *shape):
    """Multiples of 1/8: sums of products are exact in any order, so that no rounding says which of four is largest."""
    return np.round(8 * draw.normal(*shape)) / np.float32(8)


def without_rest(c, height, width):
    """The result without the rows and columns that are left over after whole blocks."""
    whole = np.zeros_like(c)
    rows, columns = c.shape[0] // height * height, c.shape[1] // width * width
    whole[:rows, :columns] = c[:rows, :columns]
    return whole


# --- the matrix product ---------------------------------------------------------------------------------------------

matmul_ijk = chapter.exercise("matmul_ijk", points=1, returns="c", forbids=MATRIX_PRODUCTS)
matmul_ikj = chapter.exercise("matmul_ikj", points=2, returns="c", forbids=MATRIX_PRODUCTS)
matmul_blocked = chapter.exercise("matmul_blocked", points=3, returns="c", forbids=MATRIX_PRODUCTS)
matmul_microkernel = chapter.exercise("matmul_microkernel", points=6, returns="c", forbids=MATRIX_PRODUCTS)
PRODUCTS = (matmul_ijk, matmul_ikj, matmul_blocked, matmul_microkernel)


def pair(draw, n, inner, m):
    """Two matrices that can be multiplied."""
    return {"a": draw.normal(n, inner), "b": draw.normal(inner, m)}


def product_cases(draw):
    yield Case("one row, two columns", a=draw.array([[1, 2, 3]]), b=draw.array([[1, 10], [2, 20], [3, 30]]))
    yield Case("two square matrices", a=draw.array([[1, 2], [3, 4]]), b=draw.array([[5, 6], [7, 8]]))
    yield Case("no side like another", **pair(draw, 3, 5, 4))
    yield Case("a row times a column", **pair(draw, 1, 9, 1))
    yield Case("a column times a row", **pair(draw, 7, 1, 6))
    yield Case("more rows than a tile, more columns than two of them", **pair(draw, 8, 3, 35))
    yield Case("whole tiles", **pair(draw, 12, 4, 32))
    yield Case("a single tile", **pair(draw, 6, 3, 16))
    yield Case("one number more than whole tiles", **pair(draw, 13, 2, 33), hidden=True)
    yield Case("more rows than a block, and some left over", **pair(draw, 581, 2, 3))
    yield Case("deeper than a block, and some left over", **pair(draw, 3, 134, 5))
    yield Case("wider than a block, and some left over", **pair(draw, 2, 3, 517))
    yield Case("many rows, two strips of columns", **pair(draw, 590, 1, 34), hidden=True)
    yield Case("whole blocks", **pair(draw, 16, 64, 3), hidden=True)
    yield Case("no rows", **pair(draw, 0, 3, 4), hidden=True)
    yield Case("no columns", **pair(draw, 3, 2, 0), hidden=True)
    yield Case("nothing to add up: all zeros", **pair(draw, 3, 0, 4), hidden=True)
    infinite = draw.array([[1, np.inf], [-1, -np.inf]])
    yield Case("infinity stays, and infinity - infinity is nan", a=draw.array([[1, 1], [2, -0.5]]), b=infinite)
    undefined = draw.normal(2, 3)
    undefined[1, 1] = np.nan
    yield Case("nan stays where it belongs", a=draw.normal(3, 2), b=undefined, hidden=True)
    yield Case("large enough for threads to collide", **pair(draw, 131, 150, 70), large=True)
    yield Case("blocks in all directions", **pair(draw, 613, 67, 518), large=True, hidden=True)


def timed_product(draw):
    return Case("a hidden layer for MNIST: 1024 x 784 times 784 x 512", **pair(draw, 1024, 784, 512))


for exercise in PRODUCTS:
    exercise.cases(product_cases)
matmul_ikj.timed(LOW_FLOOR)(timed_product)
matmul_blocked.timed(LOW_FLOOR)(timed_product)
matmul_microkernel.timed(FLOOR)(timed_product)


def known_in(*exercises, belief):
    """Decorator: the same mistake on several rungs."""

    def keep(function):
        for exercise in exercises:
            exercise.mistake(belief)(function)
        return function

    return keep


@known_in(*PRODUCTS, belief="You read b as b[j, k]. The sum runs down a column of b: a[i, k] * b[k, j].")
def reads_b_transposed(a, b):
    return a @ b.T.reshape(b.shape)


@known_in(
    *PRODUCTS,
    belief="You kept only the last product: `=` where `+=` belongs. An element of the result is a sum over k.",
)
def keeps_the_last_product(a, b):
    return np.outer(a[:, -1], b[-1]) if b.size else np.zeros((a.shape[0], b.shape[1]), np.float32)


@known_in(*PRODUCTS, belief="You stopped one k too early: range(stop) already leaves out stop, do not subtract one.")
def drops_the_last_k(a, b):
    return a[:, :-1] @ b[: max(0, a.shape[1] - 1)]


@known_in(*PRODUCTS, belief="You returned the product's transpose: c[j, i]. Row i of a makes row i of the result.")
def returns_the_transpose(a, b):
    return (a @ b).T


@matmul_blocked.mistake("You started the sum anew for each block of k. All the blocks add to the same result.")
def restarts_in_each_block(a, b):
    first = max(0, a.shape[1] - 1) // 64 * 64
    return a[:, first:] @ b[first:]


@matmul_blocked.mistake("The last, shorter block of k is missing. Let the last block end at the inner size.")
def drops_the_last_block_of_k(a, b):
    depth = a.shape[1] // 64 * 64
    return a[:, :depth] @ b[:depth]


@matmul_blocked.mistake("You took k in steps of four and left out the rest. After the steps of four, do it one by one.")
def drops_the_rest_of_four(a, b):
    depth = a.shape[1] // 4 * 4
    return a[:, :depth] @ b[:depth]


@matmul_blocked.mistake(
    "The last, shorter block of rows is missing: there are (n + block - 1) // block blocks, not n // block."
)
def drops_the_last_block_of_rows(a, b):
    return without_rest(a @ b, 16, 1)


@matmul_blocked.mistake("The last, shorter block of columns is missing. Let the last block end at the width of b.")
def drops_the_last_block_of_columns(a, b):
    return without_rest(a @ b, 1, 512)


DROPS_ROWS = "The rows of the last, shorter tile are missing: there are (n + 5) // 6 tiles, and the last is cut off."
DROPS_COLUMNS = (
    "The columns of the last, narrower strip are missing. Fill the strip with zeros up to two vectors, multiply it "
    "like the others, and copy the columns that are there."
)


@matmul_microkernel.mistake(DROPS_ROWS)
def drops_the_last_tile(a, b):
    return without_rest(a @ b, 6, 1)


@matmul_microkernel.mistake(DROPS_COLUMNS)
def drops_the_rest_of_16_columns(a, b):
    return without_rest(a @ b, 1, 16)


@matmul_microkernel.mistake(DROPS_COLUMNS)
def drops_the_rest_of_32_columns(a, b):
    return without_rest(a @ b, 1, 32)


@matmul_microkernel.mistake(
    "Only whole tiles are computed: the last rows and the last columns are missing. Compute tiles that stick out on "
    "zeros, in memory of your own, and copy what lies inside the result."
)
def computes_whole_tiles_only(a, b):
    return without_rest(a @ b, 6, 16)


@matmul_microkernel.mistake(
    "You packed only the first strip of b. Column j of the result needs the strip that j is in."
)
def reuses_the_first_strip(a, b):
    strip = b[:, np.arange(b.shape[1]) % 16] if b.shape[1] else b
    return a @ strip


@matmul_microkernel.mistake(
    "Each strip starts from the sums of the strip before. Set the sums to zero before every piece of the result."
)
def keeps_the_sums_of_the_strip_before(a, b):
    c = a @ b
    for j in range(16, b.shape[1], 16):
        end = min(b.shape[1], j + 16)
        c[:, j:end] += c[:, j - 16 : end - 16]
    return c


@matmul_microkernel.mistake("You multiplied the first six rows again and again. Tile r begins with row 6 * r of a.")
def repeats_the_first_tile(a, b):
    return a[np.arange(len(a)) % 6] @ b if len(a) else a @ b


for exercise in PRODUCTS:

    @exercise.keras_twin
    def product_in_keras(keras, a, b):
        return keras.ops.matmul(a, b)


# --- the dense layer ------------------------------------------------------------------------------------------------

dense_relu_fused = chapter.exercise("dense_relu_fused", points=3, returns="y", forbids=MATRIX_PRODUCTS)


def layer(draw, n, d_in, d_out):
    return {"x": draw.normal(n, d_in), "w": draw.normal(d_in, d_out), "b": draw.normal(d_out)}


@dense_relu_fused.cases
def dense_relu_cases(draw):
    x, w, b = draw.array([[1, 2]]), draw.array([[1, 0, -1], [3, 1, 0]]), draw.array([10, -20, 0.5])
    yield Case("one sample, three units", x=x, w=w, b=b)
    yield Case("a batch of 4", **layer(draw, 4, 6, 3))
    yield Case("as many samples as units", **layer(draw, 5, 7, 5))
    yield Case("all sides equal", **layer(draw, 3, 3, 3))
    yield Case("more units than a strip has columns", **layer(draw, 8, 2, 37))
    yield Case("whole tiles", **layer(draw, 6, 3, 32))
    yield Case("many samples, two strips of units", **layer(draw, 590, 2, 34))
    yield Case("many strips of units", **layer(draw, 2, 1, 1030))
    yield Case("one unit", **layer(draw, 7, 9, 1), hidden=True)
    yield Case("one input", **layer(draw, 13, 1, 7), hidden=True)
    yield Case("no inputs: the bias alone", **layer(draw, 3, 0, 5), hidden=True)
    yield Case("an empty batch", **layer(draw, 0, 5, 3), hidden=True)
    undefined = layer(draw, 3, 2, 2)
    undefined["x"][1, 0] = np.nan
    yield Case("nan is no reason to answer 0", **undefined, hidden=True)
    yield Case("a hidden layer of 65 units", **layer(draw, 729, 150, 65), large=True)


@dense_relu_fused.timed(FLOOR)
def timed_layer(draw):
    return Case("a hidden layer for MNIST: 1024 samples, 784 inputs, 512 units", **layer(draw, 1024, 784, 512))


@dense_relu_fused.mistake("You left out the bias. The layer is max(x @ w + b, 0).")
def forgets_the_bias_of_the_layer(x, w, b):
    return np.maximum(x @ w, 0)


@dense_relu_fused.mistake("You left out the ReLU. The layer is max(x @ w + b, 0).")
def forgets_the_activation(x, w, b):
    return x @ w + b


@dense_relu_fused.mistake("You applied the ReLU first and added the bias to it. The bias belongs to the sum.")
def adds_the_bias_after_the_activation(x, w, b):
    return np.maximum(x @ w, 0) + b


@dense_relu_fused.mistake("You applied the ReLU to every product. It is applied once, to the sum with the bias in it.")
def activates_the_products(x, w, b):
    return np.maximum(np.maximum(x[:, :, np.newaxis] * w, 0).sum(axis=1) + b, 0)


@dense_relu_fused.mistake("Only the first tile starts from the bias: the rows below it had zeros to start from.")
def gives_the_bias_to_the_first_tile(x, w, b):
    return np.maximum(x @ w + b * (np.arange(len(x)) < 6)[:, np.newaxis].astype(np.float32), 0)


@dense_relu_fused.mistake("Every strip of units starts from the first units' bias. Unit j starts from b[j].")
def repeats_the_first_biases(x, w, b):
    return np.maximum(x @ w + b[np.arange(b.size) % 16], 0)


@dense_relu_fused.mistake(DROPS_ROWS)
def drops_the_last_tile_of_samples(x, w, b):
    return without_rest(np.maximum(x @ w + b, 0), 6, 1)


@dense_relu_fused.mistake(DROPS_COLUMNS)
def drops_the_last_strip_of_units(x, w, b):
    return without_rest(np.maximum(x @ w + b, 0), 1, 16)


@dense_relu_fused.keras_twin
def dense_relu_in_keras(keras, x, w, b):
    return keras.ops.relu(keras.ops.matmul(x, w) + b)


dense_step_fused = chapter.exercise(
    "dense_step_fused", points=4, returns="dx", changes=("w", "b", "acc_w", "acc_b"), forbids=MATRIX_PRODUCTS
)


def step_case(draw, n, d_in, d_out, lr=0.1, rho=0.9, eps=1e-7):
    return {
        "dy": draw.normal(n, d_out),
        "x": draw.normal(n, d_in),
        "w": draw.normal(d_in, d_out, scale=0.1),
        "b": draw.normal(d_out, scale=0.1),
        "acc_w": draw.uniform(0.1, 3, d_in, d_out),
        "acc_b": draw.uniform(0.1, 3, d_out),
        "lr": lr,
        "rho": rho,
        "eps": eps,
    }


@dense_step_fused.cases
def dense_step_cases(draw):
    yield Case(
        "two samples, one unit, no past",
        dy=draw.array([[1], [2]]),
        x=draw.array([[1, 2], [3, 4]]),
        w=draw.array([[1], [10]]),
        b=draw.array([0]),
        acc_w=draw.array([[0], [0]]),
        acc_b=draw.array([0]),
        lr=0.1,
        rho=0.75,
        eps=0.0,
    )
    yield Case("a batch of 4", **step_case(draw, 4, 6, 3, 0.5, 0.6, 0.5))
    yield Case("as many samples as units", **step_case(draw, 5, 7, 5, 0.05, 0.99, 0.01))
    yield Case("all sides equal: shapes give no hint", **step_case(draw, 3, 3, 3))
    small = step_case(draw, 3, 2, 4, eps=1e-7)
    for name in ("dy", "acc_w", "acc_b"):
        small[name] = small[name] * np.float32(1e-4 if name == "dy" else 0)
    yield Case("gradients of 1e-4, no past: the place of eps decides", **small)
    yield Case("more inputs than a piece, more units than a strip", **step_case(draw, 3, 101, 19))
    yield Case("more samples than a tile", **step_case(draw, 14, 18, 35))
    yield Case("one sample", **step_case(draw, 1, 4, 6), hidden=True)
    yield Case("one input", **step_case(draw, 6, 1, 3, eps=0.1), hidden=True)
    yield Case("whole tiles", **step_case(draw, 6, 96, 32), hidden=True)
    yield Case("an empty batch: the past fades", **step_case(draw, 0, 5, 3, rho=0.8), hidden=True)
    yield Case("a hidden layer of 65 units", **step_case(draw, 129, 150, 65), large=True)


@dense_step_fused.timed(FLOOR)
def timed_step(draw):
    return Case("a hidden layer for MNIST: 512 samples, 784 inputs, 512 units", **step_case(draw, 512, 784, 512, 0.001))


def step(w, g, acc, lr, rho, eps):
    """One step of RMSprop, in place."""
    acc[...] = np.float32(rho) * acc + np.float32(1 - rho) * g * g
    w -= np.float32(lr) * g / np.sqrt(acc + np.float32(eps))


@dense_step_fused.mistake("Your dx uses the new weights. Compute dx of a row of w before you update it.")
def updates_w_before_dx(dy, x, w, b, acc_w, acc_b, lr, rho, eps):
    step(w, x.T @ dy, acc_w, lr, rho, eps)
    step(b, dy.sum(axis=0), acc_b, lr, rho, eps)
    return dy @ w.T


@dense_step_fused.mistake("You put eps outside the root. Keras's RMSprop has it inside: sqrt(acc + eps).")
def puts_eps_outside_the_root(dy, x, w, b, acc_w, acc_b, lr, rho, eps):
    dx = dy @ w.T
    for p, g, acc in ((w, x.T @ dy, acc_w), (b, dy.sum(axis=0), acc_b)):
        step(p, g, acc, 0, rho, eps)
        p -= np.float32(lr) * g / (np.sqrt(acc) + np.float32(eps))
    return dx


@dense_step_fused.mistake("You added d² in full to rho * acc. An average takes the share 1 - rho of it.")
def forgets_the_share(dy, x, w, b, acc_w, acc_b, lr, rho, eps):
    dx = dy @ w.T
    for p, g, acc in ((w, x.T @ dy, acc_w), (b, dy.sum(axis=0), acc_b)):
        acc[...] = np.float32(rho) * acc + g * g
        p -= np.float32(lr) * g / np.sqrt(acc + np.float32(eps))
    return dx


@dense_step_fused.mistake("You swapped rho and 1 - rho. rho is the share of the past, 1 - rho that of the new square.")
def swaps_rho(dy, x, w, b, acc_w, acc_b, lr, rho, eps):
    dx = dy @ w.T
    step(w, x.T @ dy, acc_w, lr, 1 - rho, eps)
    step(b, dy.sum(axis=0), acc_b, lr, 1 - rho, eps)
    return dx


@dense_step_fused.mistake(
    "You divided the gradients by the batch size. The mean belongs to the loss and is in dy already."
)
def averages_over_the_batch(dy, x, w, b, acc_w, acc_b, lr, rho, eps):
    dx, n = dy @ w.T, np.float32(max(1, len(x)))
    step(w, x.T @ dy / n, acc_w, lr, rho, eps)
    step(b, dy.sum(axis=0) / n, acc_b, lr, rho, eps)
    return dx


@dense_step_fused.mistake("You divided by the old average and updated it afterwards. Update acc first, then divide.")
def divides_by_the_old_average(dy, x, w, b, acc_w, acc_b, lr, rho, eps):
    dx = dy @ w.T
    for p, g, acc in ((w, x.T @ dy, acc_w), (b, dy.sum(axis=0), acc_b)):
        p -= np.float32(lr) * g / np.sqrt(acc + np.float32(eps))
        step(p, g, acc, 0, rho, eps)
    return dx


@dense_step_fused.mistake("The biases are as they were. They make their step too, with db = the sum of dy.")
def forgets_the_biases(dy, x, w, b, acc_w, acc_b, lr, rho, eps):
    dx = dy @ w.T
    step(w, x.T @ dy, acc_w, lr, rho, eps)
    return dx


@dense_step_fused.mistake("You made a step for each sample. Add up dw over the batch first, then make one step.")
def steps_for_each_sample(dy, x, w, b, acc_w, acc_b, lr, rho, eps):
    dx = dy @ w.T
    for i in range(len(x)):
        step(w, np.outer(x[i], dy[i]), acc_w, lr, rho, eps)
        step(b, dy[i], acc_b, lr, rho, eps)
    return dx


@dense_step_fused.mistake("You climbed: the step was added. The gradient points uphill: subtract.")
def climbs(dy, x, w, b, acc_w, acc_b, lr, rho, eps):
    dx = dy @ w.T
    step(w, x.T @ dy, acc_w, -lr, rho, eps)
    step(b, dy.sum(axis=0), acc_b, -lr, rho, eps)
    return dx


@dense_step_fused.mistake("The last inputs make no step: the piece of w that is left over is missing.")
def drops_the_last_piece(dy, x, w, b, acc_w, acc_b, lr, rho, eps):
    dx, whole = dy @ w.T, x.shape[1] // 6 * 6
    step(w[:whole], (x.T @ dy)[:whole], acc_w[:whole], lr, rho, eps)
    step(b, dy.sum(axis=0), acc_b, lr, rho, eps)
    return dx


@dense_step_fused.objective
def dense_step_objective(dy, x, w, b, acc_w, acc_b, lr, rho, eps):
    return lambda x: np.sum(dy * (x @ w + b)), {"dx": x}


@dense_step_fused.keras_twin
def dense_step_in_keras(keras, dy, x, w, b, acc_w, acc_b, lr, rho, eps):
    dx, dw, db = keras.gradient(lambda x, w, b: keras.ops.matmul(x, w) + b, dy, x, w, b)
    weights = [keras.module.Variable(values.copy()) for values in (w, b)]
    optimizer = keras.optimizers.RMSprop(learning_rate=lr, rho=rho, epsilon=eps)
    optimizer.build(weights)
    averages = optimizer.variables[2:]  # the first two are the iterations and the learning rate
    for average, values in zip(averages, (acc_w, acc_b), strict=True):
        average.assign(values)
    optimizer.apply([keras.ops.convert_to_tensor(gradient) for gradient in (dw, db)], weights)
    return dx, *(variable.numpy() for variable in (*weights, *averages))


# --- the convolution ------------------------------------------------------------------------------------------------

conv2d_naive = chapter.exercise("conv2d_naive", points=1, returns="y", forbids=MATRIX_PRODUCTS)
conv2d_blocked = chapter.exercise("conv2d_blocked", points=3, returns="y", forbids=MATRIX_PRODUCTS)
conv2d_im2col = chapter.exercise(
    "conv2d_im2col", points=4, returns="y", requires=("matmul_microkernel",), forbids=MATRIX_PRODUCTS
)
CONVOLUTIONS = (conv2d_naive, conv2d_blocked, conv2d_im2col)

# What the images look like: rationale, (samples, rows, columns), window, input channels, filters, flags.
LAYOUTS: tuple[Any, ...] = (
    ("all sides different", (2, 5, 6), (3, 2), 2, 3, {}),
    ("all sides equal: shapes give no hint", (3, 3, 3), (2, 2), 2, 2, {}),
    ("a window of one pixel", (2, 3, 4), (1, 1), 3, 5, {}),
    ("more filters than a strip has columns", (1, 4, 5), (2, 3), 1, 37, {}),
    ("an odd row and an odd column", (2, 4, 6), (2, 4), 3, 4, {}),
    ("more samples than parts", (11, 4, 3), (2, 2), 1, 2, {}),
    ("more pixels than a piece", (3, 10, 11), (2, 1), 1, 2, {"hidden": True}),
    ("one filter on a color image", (2, 4, 5), (3, 3), 3, 1, {"hidden": True}),
    ("a window wider than high", (2, 3, 7), (1, 4), 2, 3, {"hidden": True}),
    ("an empty batch", (0, 4, 5), (2, 3), 2, 3, {"hidden": True}),
    ("a batch large enough for threads to collide", (67, 9, 8), (3, 3), 5, 19, {"large": True}),
)


def images(draw, shape, window, c_in, filters):
    """Images, a kernel and its bias."""
    return {
        "x": coarse(draw, *shape, c_in),
        "kernel": coarse(draw, *window, c_in, filters),
        "bias": coarse(draw, filters),
    }


def tiny(draw):
    """One channel, one filter."""
    x, kernel = np.arange(1, 10).reshape(1, 3, 3, 1), np.array([[1, 0], [0, -2]]).reshape(2, 2, 1, 1)
    return {"x": draw.array(x), "kernel": draw.array(kernel)}


def convolution_cases(draw):
    yield Case("one channel, one filter: the kernel is not turned", **tiny(draw), bias=draw.array([10]))
    for rationale, shape, window, c_in, filters, flags in LAYOUTS:
        yield Case(rationale, **images(draw, shape, window, c_in, filters), **flags)
    yield Case("a window as large as the image", **images(draw, (2, 4, 3), (4, 3), 2, 3), hidden=True)


def timed_convolution(draw):
    return Case("the second layer of a network for MNIST, 64 samples", **images(draw, (64, 13, 13), (3, 3), 32, 64))


for exercise in CONVOLUTIONS:
    exercise.cases(convolution_cases)
conv2d_blocked.timed(LOW_FLOOR)(timed_convolution)
conv2d_im2col.timed(FLOOR)(timed_convolution)


def windows_of(x, kernel):
    """All windows of the images: (n, rows, columns, kh, kw, c)."""
    views = np.lib.stride_tricks.sliding_window_view(x, kernel.shape[:2], axis=(1, 2))
    return views.transpose(0, 1, 2, 4, 5, 3)


def convolve(x, kernel):
    """The convolution without its bias."""
    return np.tensordot(windows_of(x, kernel), kernel, 3)


def filters_first(kernel):
    """The kernel's numbers read as (kh, kw, filters, c_in)."""
    return kernel.reshape(*kernel.shape[:2], *kernel.shape[:1:-1]).transpose(0, 1, 3, 2)


@known_in(
    *CONVOLUTIONS,
    belief="Your output equals a true convolution, which turns the kernel by 180 degrees. Keras (and every "
    "deep-learning library) does not flip the kernel: pair x[i + a, j + b] with kernel[a, b].",
)
def turns_the_kernel(x, kernel, bias):
    return convolve(x, kernel[::-1, ::-1]) + bias


@known_in(*CONVOLUTIONS, belief="You left out the bias. Every filter adds its own to each of its output pixels.")
def forgets_the_bias(x, kernel, bias):
    return convolve(x, kernel)


@known_in(*CONVOLUTIONS, belief="You added the bias once per input channel. An output pixel starts from it, once.")
def adds_the_bias_per_channel(x, kernel, bias):
    return convolve(x, kernel) + np.float32(x.shape[3]) * bias


@known_in(
    *CONVOLUTIONS, belief="You kept the last input channel only: `=` where `+=` belongs. A filter adds up all channels."
)
def keeps_the_last_channel(x, kernel, bias):
    return convolve(x[..., -1:], kernel[:, :, -1:]) + bias


@known_in(*CONVOLUTIONS, belief="You forgot the + 1: h - kh counts the steps, and there is one window more than steps.")
def counts_the_steps(x, kernel, bias):
    return convolve(x, kernel)[:, :-1, :-1] + bias


@known_in(*CONVOLUTIONS, belief="You read the kernel as (kh, kw, filters, c_in). Here the input channels come first.")
def reads_filters_first(x, kernel, bias):
    return convolve(x, filters_first(kernel)) + bias


def multiplied(windows, kernel):
    """The windows' numbers in the order in which they lie there, times the kernel's."""
    depth = kernel[..., 0].size
    return windows.reshape(*windows.shape[:3], depth) @ kernel.reshape(depth, kernel.shape[3])


@conv2d_im2col.mistake(
    "The order within a window does not fit the kernel: you put the channels first. Kernel and window both run over "
    "kh, kw, then c_in."
)
def orders_windows_by_channel(x, kernel, bias):
    windows = windows_of(x, kernel).transpose(0, 1, 2, 5, 3, 4)
    return multiplied(windows, kernel) + bias


@conv2d_im2col.mistake(
    "The order within a window does not fit the kernel: you went down the columns first. Both run over kh, kw, c_in."
)
def orders_windows_by_column(x, kernel, bias):
    windows = windows_of(x, kernel).transpose(0, 1, 2, 4, 3, 5)
    return multiplied(windows, kernel) + bias


for exercise in CONVOLUTIONS:

    @exercise.keras_twin
    def convolution_in_keras(keras, x, kernel, bias):
        x = keras.ops.convert_to_tensor(x)
        return keras.ops.conv(x, kernel, 1, "valid", data_format="channels_last") + bias


# --- the convolution with bias, ReLU and pooling --------------------------------------------------------------------

conv2d_fused = chapter.exercise("conv2d_fused", points=6, returns=("y", "argmax"), forbids=MATRIX_PRODUCTS)
NOWHERE = 4  # argmax where the ReLU has cut off all four


@conv2d_fused.cases
def conv2d_fused_cases(draw):
    yield Case("one window of four, and the ReLU lets it through", **tiny(draw), bias=draw.array([10]))
    yield Case("none is above 0", **tiny(draw), bias=draw.array([8]))
    yield Case("the largest is exactly 0", **tiny(draw), bias=draw.array([9]))
    for rationale, shape, window, c_in, filters, flags in LAYOUTS:
        yield Case(rationale, **images(draw, shape, window, c_in, filters), **flags)
    flat = images(draw, (2, 5, 6), (2, 3), 2, 4)
    flat["x"] = np.ones_like(flat["x"])
    yield Case("an even image: the first of four equals", **flat)
    dark = images(draw, (2, 5, 5), (2, 2), 3, 4)
    dark["bias"] = dark["bias"] - np.float32(6)
    yield Case("a bias that silences most", **dark, hidden=True)
    yield Case("nothing left to pool", **images(draw, (2, 4, 3), (4, 2), 2, 3), hidden=True)


@conv2d_fused.timed(FLOOR)
def timed_fused(draw):
    return Case("the second layer of a network for MNIST, 64 samples", **images(draw, (64, 13, 13), (3, 3), 32, 64))


def fours(z):
    """The 2 x 2 squares of a map: (n, rows, columns, filters, 4); an odd row or column is left out."""
    n, rows, columns, filters = z.shape
    squares = z[:, : rows // 2 * 2, : columns // 2 * 2].reshape(n, rows // 2, 2, columns // 2, 2, filters)
    return squares.transpose(0, 1, 3, 5, 2, 4).reshape(n, rows // 2, columns // 2, filters, 4)


def pooled(squares):
    """The ReLU of the largest of four, and where it was."""
    largest = np.maximum(squares.max(axis=-1), 0)
    return largest, np.where(largest > 0, squares.argmax(axis=-1), NOWHERE).astype(np.uint8)


@conv2d_fused.mistake("You added the bias after the ReLU. It belongs to the convolution: the ReLU comes last.")
def adds_the_bias_after_the_relu(x, kernel, bias):
    y, argmax = pooled(fours(convolve(x, kernel)))
    return y + bias, argmax


@conv2d_fused.mistake("You left out the bias. y is the largest of max(convolution + bias, 0).")
def forgets_the_bias_before_pooling(x, kernel, bias):
    return pooled(fours(convolve(x, kernel)))


@conv2d_fused.mistake("You left out the ReLU. y is the largest of max(convolution + bias, 0).")
def forgets_the_relu(x, kernel, bias):
    squares = fours(convolve(x, kernel) + bias)
    return squares.max(axis=-1), squares.argmax(axis=-1).astype(np.uint8)


@conv2d_fused.mistake("argmax is never 4. Where the ReLU cuts off all four, no gradient may flow back: write 4 there.")
def forgets_nowhere(x, kernel, bias):
    squares = fours(convolve(x, kernel) + bias)
    return np.maximum(squares.max(axis=-1), 0), squares.argmax(axis=-1).astype(np.uint8)


@conv2d_fused.mistake("Where the largest is exactly 0, argmax is 4 too: the ReLU's slope at 0 is 0.")
def counts_zero_as_on(x, kernel, bias):
    squares = fours(convolve(x, kernel) + bias)
    where = np.where(squares.max(axis=-1) >= 0, squares.argmax(axis=-1), NOWHERE)
    return np.maximum(squares.max(axis=-1), 0), where.astype(np.uint8)


@conv2d_fused.mistake("Of several equal ones you took the last. The first one wins: replace it by larger ones only.")
def takes_the_last_of_equals(x, kernel, bias):
    y, argmax = pooled(fours(convolve(x, kernel) + bias))
    last = 3 - fours(convolve(x, kernel) + bias)[..., ::-1].argmax(axis=-1)
    return y, np.where(argmax < NOWHERE, last, NOWHERE).astype(np.uint8)


@conv2d_fused.mistake("You exchanged 1 and 2 in argmax. It runs along the row first: 1 is right above, 2 left below.")
def counts_down_first(x, kernel, bias):
    y, argmax = pooled(fours(convolve(x, kernel) + bias))
    return y, np.array([0, 2, 1, 3, NOWHERE], np.uint8)[argmax]


@conv2d_fused.mistake("You averaged the four. Max pooling keeps the largest.")
def averages_the_four(x, kernel, bias):
    squares = fours(np.maximum(convolve(x, kernel) + bias, 0))
    return squares.mean(axis=-1), pooled(squares)[1]


@conv2d_fused.mistake('You kept the odd row or column. Pooling is "valid": what makes no whole square is left out.')
def pools_the_odd_rest(x, kernel, bias):
    z = convolve(x, kernel) + bias
    odd = [(0, size % 2) for size in z.shape[1:3]]
    return pooled(fours(np.pad(z, ((0, 0), *odd, (0, 0)), constant_values=-np.inf)))


@conv2d_fused.mistake("You turned the kernel. Keras does not: pair x[i + a, j + b] with kernel[a, b].")
def turns_the_kernel_before_pooling(x, kernel, bias):
    return pooled(fours(convolve(x, kernel[::-1, ::-1]) + bias))


@conv2d_fused.mistake("You pooled with stride 1. The squares do not overlap: the strides are 2, like the square.")
def pools_with_stride_one(x, kernel, bias):
    z = convolve(x, kernel) + bias
    return pooled(np.stack([z[:, :-1, :-1], z[:, :-1, 1:], z[:, 1:, :-1], z[:, 1:, 1:]], axis=-1))


@conv2d_fused.keras_twin
def conv2d_fused_in_keras(keras, x, kernel, bias):
    ops = keras.ops
    z = ops.conv(ops.convert_to_tensor(x), kernel, 1, "valid", data_format="channels_last") + bias
    n, rows, columns, filters = z.shape
    squares = ops.reshape(z[:, : rows // 2 * 2, : columns // 2 * 2], (n, rows // 2, 2, columns // 2, 2, filters))
    squares = ops.reshape(ops.transpose(squares, (0, 1, 3, 5, 2, 4)), (n, rows // 2, columns // 2, filters, 4))
    activated = ops.relu(z)
    if rows < 2 or columns < 2:
        y = ops.zeros((n, rows // 2, columns // 2, filters))
    else:
        y = ops.max_pool(activated, 2, 2, "valid", data_format="channels_last")
    return y, ops.cast(ops.where(y > 0, ops.argmax(squares, axis=-1), NOWHERE), "uint8")


conv2d_fused_backward = chapter.exercise(
    "conv2d_fused_backward", points=6, returns=("dx", "dkernel", "dbias"), forbids=MATRIX_PRODUCTS
)


def backward_case(draw, shape, window, c_in, filters):
    """What the forward pass has left behind, and a random gradient from above."""
    given = images(draw, shape, window, c_in, filters)
    _, argmax = pooled(fours(convolve(given["x"], given["kernel"]) + given["bias"]))
    return {"dy": draw.normal(*argmax.shape), "argmax": argmax, "x": given["x"], "kernel": given["kernel"]}


@conv2d_fused_backward.cases
def conv2d_fused_backward_cases(draw):
    for rationale, where in (("one window of four", 3), ("another one", 1), ("none: nothing flows back", NOWHERE)):
        argmax = np.full((1, 1, 1, 1), where, np.uint8)
        yield Case(rationale, dy=draw.array([10]).reshape(1, 1, 1, 1), argmax=argmax, **tiny(draw))
    for rationale, shape, window, c_in, filters, flags in LAYOUTS:
        yield Case(rationale, **backward_case(draw, shape, window, c_in, filters), **flags)
    yield Case("nothing was left to pool", **backward_case(draw, (2, 4, 3), (4, 2), 2, 3), hidden=True)


@conv2d_fused_backward.timed(FLOOR)
def timed_fused_backward(draw):
    arguments = backward_case(draw, (64, 13, 13), (3, 3), 32, 64)
    return Case("the second layer of a network for MNIST, 64 samples", **arguments)


def unpooled(dy, argmax):
    """The gradient of the convolution's output, as far as the pooling has seen it."""
    n, rows, columns, filters = dy.shape
    squares = dy[..., np.newaxis] * (argmax[..., np.newaxis] == np.arange(4))
    squares = squares.reshape(n, rows, columns, filters, 2, 2).transpose(0, 1, 4, 2, 5, 3)
    return squares.reshape(n, 2 * rows, 2 * columns, filters)


def spread(dz, x, kernel, add=True):
    """dx: what every window hands to the pixels that it saw."""
    dx = np.zeros_like(x)
    parts = np.tensordot(dz, kernel, ((3,), (3,)))
    for i in range(dz.shape[1]):
        for j in range(dz.shape[2]):
            seen = dx[:, i : i + kernel.shape[0], j : j + kernel.shape[1]]
            seen[...] = seen + parts[:, i, j] if add else parts[:, i, j]
    return dx


def gather(dz, x, kernel):
    """dkernel: what every place of the kernel has seen, times dz."""
    seen = windows_of(x, kernel)[:, : dz.shape[1], : dz.shape[2]]
    return np.tensordot(seen, dz, ((0, 1, 2), (0, 1, 2)))


def gradients(dz, x, kernel):
    """dx, dkernel, dbias from the gradient of the convolution's output."""
    return spread(dz, x, kernel), gather(dz, x, kernel), dz.sum(axis=(0, 1, 2))


@conv2d_fused_backward.mistake("You let dy flow back where argmax is 4. There the ReLU has cut off all four.")
def lets_the_silent_ones_through(dy, argmax, x, kernel):
    return gradients(unpooled(dy, argmax % NOWHERE), x, kernel)


@conv2d_fused_backward.mistake("Your dbias counts every dy. Where argmax is 4, the bias has changed nothing.")
def sums_all_of_dy(dy, argmax, x, kernel):
    dx, dkernel, _ = gradients(unpooled(dy, argmax), x, kernel)
    return dx, dkernel, dy.sum(axis=(0, 1, 2))


@conv2d_fused_backward.mistake("You handed dy to all four windows of a square. Only the largest one gets it.")
def hands_dy_to_all_four(dy, argmax, x, kernel):
    on = np.where(argmax < NOWHERE, dy, np.float32(0))
    return gradients(on.repeat(2, axis=1).repeat(2, axis=2), x, kernel)


@conv2d_fused_backward.mistake("You exchanged 1 and 2 of argmax. It runs along the row first: 1 is right above.")
def reads_argmax_down_first(dy, argmax, x, kernel):
    return gradients(unpooled(dy, np.array([0, 2, 1, 3, NOWHERE], np.uint8)[argmax]), x, kernel)


@conv2d_fused_backward.mistake("Your windows overwrite each other's dx. A pixel adds up what they all hand back.")
def overwrites_dx(dy, argmax, x, kernel):
    _, dkernel, dbias = gradients(unpooled(dy, argmax), x, kernel)
    return spread(unpooled(dy, argmax), x, kernel, add=False), dkernel, dbias


@conv2d_fused_backward.mistake(
    "Your dx used the kernel turned the wrong way. A window hands dz * kernel[a, b] back to the pixel that it read "
    "with kernel[a, b]."
)
def turns_the_kernel_of_dx(dy, argmax, x, kernel):
    _, dkernel, dbias = gradients(unpooled(dy, argmax), x, kernel)
    return spread(unpooled(dy, argmax), x, kernel[::-1, ::-1]), dkernel, dbias


@conv2d_fused_backward.mistake("You kept one part's dkernel and dbias. All samples used the same weights: add them up.")
def keeps_the_last_part(dy, argmax, x, kernel):
    last = np.arange(len(x)) == len(x) - 1
    dx = spread(unpooled(dy, argmax), x, kernel)
    return dx, *gradients(unpooled(dy[last], argmax[last]), x[last], kernel)[1:]


@conv2d_fused_backward.mistake("You divided by the batch size. The mean belongs to the loss and is in dy already.")
def averages_the_samples(dy, argmax, x, kernel):
    dx, dkernel, dbias = gradients(unpooled(dy, argmax), x, kernel)
    n = np.float32(max(1, len(x)))
    return dx, dkernel / n, dbias / n


@conv2d_fused_backward.objective
def conv2d_fused_objective(dy, argmax, x, kernel):
    chosen = dy[..., np.newaxis] * (argmax[..., np.newaxis] == np.arange(4))
    points = {"dx": x, "dkernel": kernel, "dbias": np.zeros(kernel.shape[3])}
    return lambda x, kernel, bias: np.sum(chosen * fours(convolve(x, kernel) + bias)), points


@conv2d_fused_backward.keras_twin
def conv2d_fused_gradient_in_keras(keras, dy, argmax, x, kernel):
    dz = unpooled(dy, argmax)

    def convolution(x, kernel, bias):
        z = keras.ops.conv(x, kernel, 1, "valid", data_format="channels_last") + bias
        return z[:, : dz.shape[1], : dz.shape[2]]

    return keras.gradient(convolution, dz, x, kernel, np.zeros(kernel.shape[3], np.float32))

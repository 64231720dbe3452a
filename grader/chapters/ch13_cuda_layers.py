"""Layers on the GPU: cases with their launches, known mistakes, budgets of global memory."""

from __future__ import annotations

import math

import numpy as np

from grader.chapters.ch11_convolution import (
    convolve,
    last_best,
    max_pool,
    output_shape,
    pads,
    send_back,
    spread,
    windows_of,
)
from grader.chapters.ch12_cuda_basics import line, poison
from grader.exercise import MATRIX_PRODUCTS, Case, Chapter, Launch

chapter = Chapter("ch13_cuda_layers", "CUDA: layers")

TILE = 8
SIDE, SPAN, DEPTH = 8, 64, 8
WARP = 32


def zeros(*shape):
    return np.zeros(shape, np.float32)


def pieces(size, length):
    """How many pieces of a length cover a size, 1 at least."""
    return max(1, math.ceil(size / length))


def tiles(rows, columns):
    """The launch of a block of (TILE, TILE) threads for each tile of a matrix."""
    return Launch((pieces(columns, TILE), pieces(rows, TILE)), (TILE, TILE))


def coalesced(matrix):
    """A budget of sectors for tiles that are read row by row; of rows that fill no sector, some are read twice."""
    return 1.2 if matrix.shape[1] % TILE == 0 else 3.5


# --- the matrix product ---------------------------------------------------------------------------------------------

PRODUCTS = (
    # rationale, n, inner, m, hidden
    ("a product that fills one tile", 8, 8, 8, False),
    ("three steps along the inner axis, the last one cut off", 3, 19, 5, False),
    ("two tiles in each direction, cut off", 10, 5, 13, False),
    ("more rows than columns", 19, 4, 3, True),
    ("one row times one column", 1, 17, 1, True),
    ("one column times one row", 9, 1, 10, True),
    ("an inner axis of 0: all sums are empty", 4, 0, 6, True),
    ("no rows", 0, 5, 7, True),
)

matmul_kernel = chapter.kernel(
    "matmul_kernel",
    points=4,
    changes="c",
    reads={"a": lambda a, b, c: pieces(b.shape[1], TILE), "b": lambda a, b, c: pieces(len(a), TILE)},
    writes={"c": 1},
    forbids=MATRIX_PRODUCTS,
)


@matmul_kernel.cases
def matmul_kernel_cases(draw):
    a, b = draw.array([[1, 2, 3]]), draw.array([[1, 10], [2, 20], [3, 30]])
    yield Case("one row, two columns", launch=tiles(1, 2), a=a, b=b, c=poison(1, 2))
    for rationale, n, inner, m, hidden in PRODUCTS:
        a, b = draw.normal(n, inner), draw.normal(inner, m)
        yield Case(rationale, launch=tiles(n, m), a=a, b=b, c=poison(n, m), hidden=hidden)


def product_along(a, b, inner):
    """The product with a part of the inner axis only."""
    return a[:, inner] @ b[inner]


@matmul_kernel.mistake(
    "Only the last step along the inner axis is left. Set the sum to zero once, before the loop over the tiles."
)
def keeps_the_last_step(a, b, c):
    inner = a.shape[1]
    c[...] = product_along(a, b, slice(max(0, pieces(inner, TILE) - 1) * TILE, inner))


@matmul_kernel.mistake(
    "You did only the first step along the inner axis. Go on tile by tile, to the end of the rows of a."
)
def keeps_the_first_step(a, b, c):
    c[...] = product_along(a, b, slice(0, TILE))


@matmul_kernel.mistake(
    "You rounded the number of steps down: the part of the inner axis that fills no tile is missing."
)
def forgets_the_part_of_a_tile(a, b, c):
    c[...] = product_along(a, b, slice(0, a.shape[1] // TILE * TILE))


@matmul_kernel.mistake("You added to what c held. Nobody has cleared it: write the sum.")
def adds_to_what_was_there(a, b, c):
    c += a @ b


@matmul_kernel.mistake("Only the first tile of c is there: row and column come from cuda.grid(2), not from threadIdx.")
def multiplies_the_first_tile(a, b, c):
    c[:TILE, :TILE] = (a @ b)[:TILE, :TILE]


@matmul_kernel.mistake("You divided the sums by the inner axis. A product is no mean.")
def averages_the_products(a, b, c):
    c[...] = a @ b / np.float32(max(1, a.shape[1]))


@matmul_kernel.mistake("You left out the last product of each tile. k runs from 0 to TILE - 1.")
def leaves_out_the_last_of_a_tile(a, b, c):
    kept = np.arange(a.shape[1]) % TILE < TILE - 1
    c[...] = a[:, kept] @ b[kept]


matmul_registers_kernel = chapter.kernel(
    "matmul_registers_kernel",
    points=6,
    changes="c",
    reads={"a": lambda a, b, c: pieces(b.shape[1], SPAN), "b": lambda a, b, c: pieces(len(a), SPAN)},
    writes={"c": 1},
    forbids=MATRIX_PRODUCTS,
)


def spans(n, m):
    """The launch of a block of (SIDE, SIDE) threads for each SPAN * SPAN elements."""
    return Launch((pieces(m, SPAN), pieces(n, SPAN)), (SIDE, SIDE))


@matmul_registers_kernel.cases
def matmul_registers_kernel_cases(draw):
    a, b = draw.array([[1, 2, 3]]), draw.array([[1, 10], [2, 20], [3, 30]])
    yield Case("one row, two columns", launch=spans(1, 2), a=a, b=b, c=poison(1, 2))
    for rationale, n, inner, m, hidden in (
        ("not all of the block's elements", 33, 19, 50, False),
        ("two blocks side by side", 11, 9, 70, False),
        ("two blocks, one above the other", 67, 8, 5, True),
        ("an inner axis of 0: all sums are empty", 4, 0, 6, True),
        ("no rows", 0, 5, 7, True),
    ):
        a, b = draw.normal(n, inner), draw.normal(inner, m)
        yield Case(rationale, launch=spans(n, m), a=a, b=b, c=poison(n, m), hidden=hidden)


@matmul_registers_kernel.mistake(
    "Only the last step along the inner axis is left. Clear the sums once, before the loop."
)
def keeps_the_last_of_the_steps(a, b, c):
    inner = a.shape[1]
    c[...] = product_along(a, b, slice(max(0, pieces(inner, DEPTH) - 1) * DEPTH, inner))


@matmul_registers_kernel.mistake("Only the first step along the inner axis is done. Go on in steps of DEPTH.")
def keeps_the_first_of_the_steps(a, b, c):
    c[...] = product_along(a, b, slice(0, DEPTH))


@matmul_registers_kernel.mistake(
    "Each thread wrote one of its sums only. It has ITEMS * ITEMS of them, SIDE rows and SIDE columns apart."
)
def writes_one_sum_each(a, b, c):
    rows, columns = np.arange(len(a)) % SPAN < SIDE, np.arange(b.shape[1]) % SPAN < SIDE
    c[np.ix_(rows, columns)] = (a @ b)[np.ix_(rows, columns)]


@matmul_registers_kernel.mistake("Only the first block's elements are there: blockIdx says where a block begins.")
def multiplies_the_first_block(a, b, c):
    c[:SPAN, :SPAN] = (a @ b)[:SPAN, :SPAN]


@matmul_registers_kernel.mistake("You added to what c held. Nobody has cleared it: write the sums.")
def adds_registers_to_what_was_there(a, b, c):
    c += a @ b


# --- dense layers ---------------------------------------------------------------------------------------------------

dense_forward_kernel = chapter.kernel(
    "dense_forward_kernel",
    points=2,
    changes="y",
    reads={
        "x": lambda x, w, b, relu, y: pieces(w.shape[1], TILE),
        "w": lambda x, w, b, relu, y: pieces(len(x), TILE),
        "b": lambda x, w, b, relu, y: len(x),
    },
    writes={"y": 1},
    forbids=MATRIX_PRODUCTS,
)


@dense_forward_kernel.cases
def dense_forward_kernel_cases(draw):
    example = {"x": draw.array([[1, 2]]), "w": draw.array([[1, 0, -1], [3, 1, 0]]), "b": draw.array([10, 20, -30])}
    yield Case("one sample, no ReLU", launch=tiles(1, 3), **example, relu=False, y=poison(1, 3))
    yield Case("one sample, with the ReLU", launch=tiles(1, 3), **example, relu=True, y=poison(1, 3))
    for number, (rationale, n, d_in, d_out, hidden) in enumerate(PRODUCTS):
        layer = {"x": draw.normal(n, d_in), "w": draw.normal(d_in, d_out), "b": draw.normal(d_out)}
        relu = number % 2 == 0
        yield Case(rationale, launch=tiles(n, d_out), **layer, relu=relu, y=poison(n, d_out), hidden=hidden)


def activated(scores, relu):
    """The layer's output."""
    return np.maximum(scores, 0) if relu else scores


@dense_forward_kernel.mistake("You forgot the bias: it is added to the sum before the ReLU.")
def forgets_the_bias_of_the_layer(x, w, b, relu, y):
    y[...] = activated(x @ w, relu)


@dense_forward_kernel.mistake("You never apply the ReLU. Where relu is true, negative results become 0.")
def never_activates(x, w, b, relu, y):
    y[...] = x @ w + b


@dense_forward_kernel.mistake("You always apply the ReLU. Where relu is false, the scores stay as they are.")
def always_activates(x, w, b, relu, y):
    y[...] = np.maximum(x @ w + b, 0)


@dense_forward_kernel.mistake("You added the bias after the ReLU. The unit fires if the sum with its bias is positive.")
def activates_before_the_bias(x, w, b, relu, y):
    y[...] = activated(x @ w, relu) + b


@dense_forward_kernel.mistake("The bias came once for each step along the inner axis. It is added once, at the end.")
def adds_the_bias_in_every_step(x, w, b, relu, y):
    y[...] = activated(x @ w + np.float32(math.ceil(x.shape[1] / TILE)) * b, relu)


@dense_forward_kernel.mistake("Only the first step along the inner axis is done. Go on tile by tile to the end.")
def multiplies_the_first_step(x, w, b, relu, y):
    y[...] = activated(product_along(x, w, slice(0, TILE)) + b, relu)


dense_dx_kernel = chapter.kernel(
    "dense_dx_kernel",
    points=2,
    changes="dx",
    reads={"dy": lambda dy, w, dx: pieces(len(w), TILE), "w": lambda dy, w, dx: pieces(len(dy), TILE)},
    writes={"dx": 1},
    sectors={"w": lambda dy, w, dx: coalesced(w)},
    forbids=MATRIX_PRODUCTS,
)


@dense_dx_kernel.cases
def dense_dx_kernel_cases(draw):
    dy, w = draw.array([[1], [2]]), draw.array([[1], [10]])
    yield Case("two samples, one unit", launch=tiles(2, 2), dy=dy, w=w, dx=poison(2, 2))
    yield Case(
        "as many inputs as units", launch=tiles(3, 6), dy=draw.normal(3, 6), w=draw.normal(6, 6), dx=poison(3, 6)
    )
    for rationale, n, d_out, d_in, hidden in PRODUCTS:
        dy, w = draw.normal(n, d_out), draw.normal(d_in, d_out)
        yield Case(rationale, launch=tiles(n, d_in), dy=dy, w=w, dx=poison(n, d_in), hidden=hidden)


@dense_dx_kernel.mistake("You divided by n. The mean over the batch belongs to the loss and is in dy already.")
def averages_dx(dy, w, dx):
    dx[...] = dy @ w.T / np.float32(max(1, len(dy)))


@dense_dx_kernel.mistake(
    "Only the first step along the units is done. Go on tile by tile to the end of the rows of dy."
)
def goes_back_through_the_first_units(dy, w, dx):
    dx[...] = dy[:, :TILE] @ w[:, :TILE].T


@dense_dx_kernel.mistake("You added to what dx held. Nobody has cleared it: write the sum.")
def adds_to_dx(dy, w, dx):
    dx += dy @ w.T


@dense_dx_kernel.mistake("The tiles of w are in their places, but not turned inside: the sum runs over tile[tx, k].")
def turns_only_the_places(dy, w, dx):
    d_in, d_out = w.shape
    wide = zeros(pieces(d_in, TILE) * TILE, pieces(d_out, TILE) * TILE)
    wide[:d_in, :d_out] = w
    across, down = (range(0, size, TILE) for size in wide.shape)
    turned = np.block([[wide[i : i + TILE, k : k + TILE] for i in across] for k in down])
    dx[...] = np.pad(dy, ((0, 0), (0, len(turned) - d_out))) @ turned[:, :d_in]


dense_dw_kernel = chapter.kernel(
    "dense_dw_kernel",
    points=2,
    changes="dw",
    reads={"dy": lambda dy, x, dw: pieces(x.shape[1], TILE), "x": lambda dy, x, dw: pieces(dy.shape[1], TILE)},
    writes={"dw": 1},
    sectors={"x": lambda dy, x, dw: coalesced(x)},
    forbids=MATRIX_PRODUCTS,
)


@dense_dw_kernel.cases
def dense_dw_kernel_cases(draw):
    dy, x = draw.array([[1], [2]]), draw.array([[1, 2], [3, 4]])
    yield Case("two samples, one unit", launch=tiles(2, 1), dy=dy, x=x, dw=poison(2, 1))
    square = {"dy": draw.normal(6, 6), "x": draw.normal(6, 6)}
    yield Case("all sides equal: shapes give no hint", launch=tiles(6, 6), **square, dw=poison(6, 6))
    for rationale, d_in, n, d_out, hidden in PRODUCTS:
        dy, x = draw.normal(n, d_out), draw.normal(n, d_in)
        yield Case(rationale, launch=tiles(d_in, d_out), dy=dy, x=x, dw=poison(d_in, d_out), hidden=hidden)


@dense_dw_kernel.mistake("You divided by n. The mean over the batch belongs to the loss and is in dy already.")
def averages_dw(dy, x, dw):
    dw[...] = x.T @ dy / np.float32(max(1, len(x)))


@dense_dw_kernel.mistake("You turned the result: dw has the shape of w, (d_in, d_out), so it is x.T @ dy.")
def turns_dw(dy, x, dw):
    dw[...] = (dy.T @ x).reshape(dw.shape)


@dense_dw_kernel.mistake("Only the first samples count: go on tile by tile, to the last sample.")
def counts_the_first_samples(dy, x, dw):
    dw[...] = x[:TILE].T @ dy[:TILE]


@dense_dw_kernel.mistake("You added to what dw held. Nobody has cleared it: write the sum.")
def adds_to_dw(dy, x, dw):
    dw += x.T @ dy


column_sum_kernel = chapter.kernel("column_sum_kernel", points=2, changes="sums", reads={"x": 1}, sectors={"x": 3})


@column_sum_kernel.cases
def column_sum_kernel_cases(draw):
    x, sums = draw.array([[1, 2], [3, 4], [5, 6]]), draw.array([0, 100])
    yield Case("three rows, two columns", launch=Launch((1, 1), (32, 4)), x=x, sums=sums)
    for rationale, n, columns, blocks, threads, hidden in (
        ("more rows than threads", 29, 10, 1, (16, 4), False),
        ("blocks that share the rows out", 37, 6, 3, (8, 4), False),
        ("more columns than a block has", 7, 50, 2, (32, 2), False),
        ("one thread in y", 12, 5, 1, (8, 1), True),
        ("more threads than rows", 3, 9, 2, (4, 8), True),
        ("the most threads there can be", 40, 32, 1, (32, 32), True),
        ("no rows: the sums stay", 0, 6, 2, (8, 4), True),
    ):
        launch = Launch((pieces(columns, threads[0]), blocks), threads)
        yield Case(rationale, launch=launch, x=draw.normal(n, columns), sums=draw.normal(columns), hidden=hidden)


@column_sum_kernel.mistake("You overwrote the sums. What x has is added to what they hold.")
def overwrites_the_sums(x, sums):
    sums[...] = x.sum(axis=0)


@column_sum_kernel.mistake("You took the mean. It is the sum over the rows that is asked for.")
def averages_the_columns(x, sums):
    sums += x.sum(axis=0) / np.float32(max(1, len(x)))


@column_sum_kernel.mistake(
    "Each thread added one row. Where there are fewer threads than rows, go on in steps of the grid."
)
def adds_one_row_each(x, sums, launch):
    sums += x[: launch.grid[1] * launch.block[1]].sum(axis=0)


@column_sum_kernel.mistake(
    "Every block of a column added all the rows. The blocks share them out: step by the whole grid."
)
def adds_all_rows_in_every_block(x, sums, launch):
    for block in range(launch.grid[1]):
        sums += x[block * launch.block[1] :].sum(axis=0)


@column_sum_kernel.mistake(
    "Every thread of a column added the block's sum, so that it counts many times. Let those with threadIdx.y = 0 do "
    "it."
)
def adds_for_every_row_of_threads(x, sums, launch):
    sums += np.float32(launch.block[1]) * x.sum(axis=0)


@column_sum_kernel.mistake("Only the threads with threadIdx.y = 0 count. sum_in_y adds up the block's column first.")
def adds_the_first_row_of_threads(x, sums, launch):
    first = np.arange(len(x)) % launch.block[1] == 0
    sums += x[first].sum(axis=0)


relu_backward_kernel = chapter.kernel(
    "relu_backward_kernel", points=1, changes="dx", reads={"dy": 1, "y": 1}, writes={"dx": 1}
)


@relu_backward_kernel.cases
def relu_backward_kernel_cases(draw):
    example = {"dy": draw.array([1, 1, 1]), "y": draw.array([0, 0, 3])}
    yield Case("three elements, 32 threads", launch=line(1, 32), **example, dx=poison(3))
    for rationale, size, blocks, threads, hidden in (
        ("fewer threads than elements", 150, 2, 32, False),
        ("more threads than elements", 70, 3, 32, False),
        ("blocks of an odd size", 40, 3, 7, True),
        ("one thread", 9, 1, 1, True),
        ("no elements", 0, 1, 32, True),
    ):
        y = np.maximum(draw.normal(size), 0)
        yield Case(rationale, launch=line(blocks, threads), dy=draw.normal(size), y=y, dx=poison(size), hidden=hidden)


@relu_backward_kernel.mistake("You took the mask from dy. A unit was on where y > 0: look at y, not at dy.")
def masks_by_dy(dy, y, dx):
    dx[...] = np.where(dy > 0, dy, 0)


@relu_backward_kernel.mistake("You applied the ReLU to dy times y. The slope is 1 where y > 0: dy itself goes through.")
def multiplies_by_y(dy, y, dx):
    dx[...] = dy * y


@relu_backward_kernel.mistake("You let everything through. Where the unit was off, y = 0, the gradient is 0.")
def lets_everything_through(dy, y, dx):
    dx[...] = dy


@relu_backward_kernel.mistake("You turned the mask round: dy goes through where y > 0.")
def turns_the_mask_round(dy, y, dx):
    dx[...] = np.where(y > 0, 0, dy)


@relu_backward_kernel.mistake(
    "Each thread did one element. Where there are fewer threads than elements, go on in grid steps."
)
def masks_one_element_each(dy, y, dx, launch):
    reached = launch.grid[0] * launch.block[0]
    dx[:reached] = np.where(y > 0, dy, 0)[:reached]


# --- convolution and pooling ----------------------------------------------------------------------------------------

WINDOWS = (
    # rationale, (n, h, w), window, strides, padding, (blocks, threads), hidden
    ("every window stays inside", (2, 5, 4), (3, 2), (1, 1), "valid", (2, 32), False),
    ("padding all around", (1, 4, 3), (3, 3), (1, 1), "same", (1, 32), False),
    ("strides 2 and 3: something is left over", (1, 6, 7), (3, 2), (2, 3), "valid", (3, 16), False),
    ("an even window: the odd row and column of padding go after", (1, 4, 5), (2, 4), (1, 1), "same", (1, 64), False),
    ("strides and padding, more threads than elements", (2, 5, 4), (3, 3), (2, 2), "same", (5, 32), True),
    ("strides that leave gaps between the windows", (1, 7, 6), (2, 1), (3, 2), "valid", (1, 7), True),
    ("the window is larger than the image", (1, 3, 2), (5, 4), (1, 1), "same", (1, 16), True),
    ("an empty batch", (0, 4, 5), (2, 3), (1, 1), "same", (1, 32), True),
)


def before_of(shape, window, strides, padding):
    """The rows of padding above an image and the columns left of it."""
    return tuple(both[0] for both in pads((*shape, 1), window, strides, padding))


def around_of(x_shape, window, strides, before, y_shape):
    """The padding on all sides, as the windows of an output need it."""
    facts = zip(x_shape[1:3], window, strides, before, y_shape[1:3], strict=True)
    return tuple(
        (first, max(0, (count - 1) * step + length - size - first)) for size, length, step, first, count in facts
    )


conv2d_forward_kernel = chapter.kernel(
    "conv2d_forward_kernel", points=3, changes="y", writes={"y": 1}, forbids=MATRIX_PRODUCTS
)


@conv2d_forward_kernel.cases
def conv2d_forward_kernel_cases(draw):
    yield Case(
        "one channel, one filter: the kernel is not turned",
        launch=line(1, 32),
        x=draw.array(np.arange(1, 10).reshape(1, 3, 3, 1)),
        kernel=draw.array([[1, 0], [0, -2]]).reshape(2, 2, 1, 1),
        bias=draw.array([10]),
        strides=(1, 1),
        before=(0, 0),
        y=poison(1, 2, 2, 1),
    )
    for rationale, shape, window, strides, padding, launch, hidden in WINDOWS:
        yield Case(
            rationale,
            launch=line(*launch),
            x=draw.normal(*shape, 2),
            kernel=draw.normal(*window, 2, 3),
            bias=draw.normal(3),
            strides=strides,
            before=before_of(shape, window, strides, padding),
            y=poison(shape[0], *output_shape((*shape, 2), window, strides, padding), 3),
            hidden=hidden,
        )


def convolved(x, kernel, strides, before, y):
    """The convolution without its bias, cut to the output."""
    around = around_of(x.shape, kernel.shape[:2], strides, before, y.shape)
    return convolve(x, kernel, strides, around)[:, : y.shape[1], : y.shape[2]]


@conv2d_forward_kernel.mistake(
    "Your output equals a true convolution, which turns the kernel by 180 degrees. Keras (and every deep-learning "
    "library) does not: pair x[row + a, column + b] with kernel[a, b]."
)
def turns_the_kernel_on_the_device(x, kernel, bias, strides, before, y):
    y[...] = convolved(x, kernel[::-1, ::-1], strides, before, y) + bias


@conv2d_forward_kernel.mistake("You forgot the bias: each sum begins with bias[f].")
def forgets_the_bias_of_the_filters(x, kernel, bias, strides, before, y):
    y[...] = convolved(x, kernel, strides, before, y)


@conv2d_forward_kernel.mistake("You ignored the padding: the first window begins at -before[0], -before[1], not at 0.")
def begins_inside(x, kernel, bias, strides, before, y):
    y[...] = convolved(x, kernel, strides, (0, 0), y) + bias


@conv2d_forward_kernel.mistake("You ignored the strides. Window (i, j) begins at i * strides[0], j * strides[1].")
def steps_by_one(x, kernel, bias, strides, before, y):
    y[...] = convolved(x, kernel, (1, 1), before, y) + bias


@conv2d_forward_kernel.mistake(
    "You exchanged the strides: strides[0] is the step down the rows, strides[1] along the columns."
)
def exchanges_the_steps(x, kernel, bias, strides, before, y):
    y[...] = convolved(x, kernel, strides[::-1], before, y) + bias


@conv2d_forward_kernel.mistake("You kept the last input channel's share only. The sum runs over all channels.")
def sums_the_last_channel(x, kernel, bias, strides, before, y):
    y[...] = convolved(x[..., -1:], kernel[:, :, -1:], strides, before, y) + bias


@conv2d_forward_kernel.mistake(
    "Each thread did one element. Where there are fewer threads than elements, go on in grid steps."
)
def convolves_one_element_each(x, kernel, bias, strides, before, y, launch):
    right = (convolved(x, kernel, strides, before, y) + bias).reshape(-1)
    reached = launch.grid[0] * launch.block[0]
    y.reshape(-1)[:reached] = right[:reached]


conv2d_dx_kernel = chapter.kernel("conv2d_dx_kernel", points=4, changes="dx", writes={"dx": 1}, forbids=MATRIX_PRODUCTS)


@conv2d_dx_kernel.cases
def conv2d_dx_kernel_cases(draw):
    yield Case(
        "two windows, one above the other",
        launch=line(1, 32),
        dy=draw.array([1, 10]).reshape(1, 2, 1, 1),
        kernel=draw.array([5, 6]).reshape(1, 2, 1, 1),
        strides=(1, 1),
        before=(0, 0),
        dx=poison(1, 2, 2, 1),
    )
    for rationale, shape, window, strides, padding, launch, hidden in WINDOWS:
        yield Case(
            rationale,
            launch=line(*launch),
            dy=draw.normal(shape[0], *output_shape((*shape, 2), window, strides, padding), 3),
            kernel=draw.normal(*window, 2, 3),
            strides=strides,
            before=before_of(shape, window, strides, padding),
            dx=poison(*shape, 2),
            hidden=hidden,
        )


def spread_back(dy, kernel, strides, before, dx, add=True):
    """What every window hands to the pixels that it saw."""
    around = around_of(dx.shape, kernel.shape[:2], strides, before, dy.shape)
    return spread(dy, dx, kernel, strides, around, add)


@conv2d_dx_kernel.mistake(
    "You turned the kernel. A window hands dy * kernel[a, b] back to the pixel that it read with kernel[a, b]."
)
def turns_the_kernel_on_the_way_back(dy, kernel, strides, before, dx):
    dx[...] = spread_back(dy, kernel[::-1, ::-1], strides, before, dx)


@conv2d_dx_kernel.mistake(
    "You ignored the padding: row = i * strides[0] - before[0] + a, so i comes from row + before[0] - a."
)
def goes_back_without_padding(dy, kernel, strides, before, dx):
    dx[...] = spread_back(dy, kernel, strides, (0, 0), dx)


@conv2d_dx_kernel.mistake("You ignored the strides. Window (i, j) began at i * strides[0], j * strides[1].")
def goes_back_by_one(dy, kernel, strides, before, dx):
    dx[...] = spread_back(dy, kernel, (1, 1), before, dx)


@conv2d_dx_kernel.mistake(
    "You exchanged the strides: strides[0] is the step down the rows, strides[1] along the columns."
)
def goes_back_by_exchanged_steps(dy, kernel, strides, before, dx):
    dx[...] = spread_back(dy, kernel, strides[::-1], before, dx)


@conv2d_dx_kernel.mistake(
    "Your windows overwrite each other. A pixel adds up what all the windows that saw it hand back."
)
def keeps_the_last_windows_share(dy, kernel, strides, before, dx):
    dx[...] = spread_back(dy, kernel, strides, before, dx, add=False)


@conv2d_dx_kernel.mistake("You added to what dx held. Nobody has cleared it: collect in a register, then write.")
def adds_to_what_dx_held(dy, kernel, strides, before, dx):
    dx += spread_back(dy, kernel, strides, before, dx)


conv2d_dkernel_kernel = chapter.kernel("conv2d_dkernel_kernel", points=4, changes="dkernel", forbids=MATRIX_PRODUCTS)


@conv2d_dkernel_kernel.cases
def conv2d_dkernel_kernel_cases(draw):
    yield Case(
        "two windows, one above the other",
        launch=Launch((2, 1, 1), (32, 1)),
        dy=draw.array([1, 10]).reshape(1, 2, 1, 1),
        x=draw.array([[1, 2], [3, 4]]).reshape(1, 2, 2, 1),
        strides=(1, 1),
        before=(0, 0),
        dkernel=draw.array([100, 0]).reshape(1, 2, 1, 1),
    )
    for rationale, shape, window, strides, padding, (slices, _), hidden in WINDOWS:
        channels, filters, threads = (1, 33, (32, 2)) if shape == (1, 4, 3) else (2, 3, (4, 3))
        yield Case(
            rationale,
            launch=Launch((math.prod(window) * channels, pieces(filters, threads[0]), slices), threads),
            dy=draw.normal(shape[0], *output_shape((*shape, channels), window, strides, padding), filters),
            x=draw.normal(*shape, channels),
            strides=strides,
            before=before_of(shape, window, strides, padding),
            dkernel=draw.normal(*window, channels, filters),
            hidden=hidden,
        )


def gathered(dy, x, strides, before, dkernel):
    """What every place of the kernel has seen, times dy."""
    around = around_of(x.shape, dkernel.shape[:2], strides, before, dy.shape)
    windows = windows_of(x, dkernel.shape[:2], strides, around)[:, : dy.shape[1], : dy.shape[2]]
    return np.tensordot(windows, dy, ((0, 1, 2), (0, 1, 2)))


@conv2d_dkernel_kernel.mistake("You overwrote what dkernel held. The sum is added to it: other blocks add theirs too.")
def overwrites_dkernel(dy, x, strides, before, dkernel):
    dkernel[...] = gathered(dy, x, strides, before, dkernel)


@conv2d_dkernel_kernel.mistake(
    "Your dkernel is turned by 180 degrees: [a, b] adds up the pixels that kernel[a, b] met."
)
def turns_dkernel_on_the_device(dy, x, strides, before, dkernel):
    dkernel += gathered(dy, x, strides, before, dkernel)[::-1, ::-1]


@conv2d_dkernel_kernel.mistake("You ignored the padding: the first window begins at -before[0], -before[1].")
def gathers_without_padding(dy, x, strides, before, dkernel):
    dkernel += gathered(dy, x, strides, (0, 0), dkernel)


@conv2d_dkernel_kernel.mistake("You ignored the strides. Window (i, j) begins at i * strides[0], j * strides[1].")
def gathers_by_one(dy, x, strides, before, dkernel):
    dkernel += gathered(dy, x, (1, 1), before, dkernel)


@conv2d_dkernel_kernel.mistake("You divided by the batch size. The mean belongs to the loss and is in dy already.")
def averages_dkernel(dy, x, strides, before, dkernel):
    dkernel += gathered(dy, x, strides, before, dkernel) / np.float32(max(1, len(x)))


@conv2d_dkernel_kernel.mistake(
    "Every slice of the grid added all the windows. The slices share them out: step by gridDim.z * blockDim.y."
)
def gathers_all_in_every_slice(dy, x, strides, before, dkernel, launch):
    n, rows, columns, filters = dy.shape
    sums = np.zeros_like(dkernel)
    for z in range(launch.grid[2]):
        later = dy.reshape(n * rows * columns, filters).copy()
        later[: z * launch.block[1]] = 0
        sums += gathered(later.reshape(dy.shape), x, strides, before, dkernel)
    dkernel += sums


@conv2d_dkernel_kernel.mistake(
    "Every thread of a filter added the block's sum, so that it counts many times. Let those with threadIdx.y = 0 do "
    "it."
)
def gathers_for_every_row_of_threads(dy, x, strides, before, dkernel, launch):
    dkernel += np.float32(launch.block[1]) * gathered(dy, x, strides, before, dkernel)


maxpool_forward_kernel = chapter.kernel(
    "maxpool_forward_kernel", points=2, changes=("y", "argmax"), writes={"y": 1, "argmax": 1}
)


@maxpool_forward_kernel.cases
def maxpool_forward_kernel_cases(draw):
    def case(rationale, x, window, strides, padding, launch, hidden=False):
        y = poison(len(x), *output_shape(x.shape, window, strides, padding), x.shape[3])
        return Case(
            rationale,
            launch=line(*launch),
            x=x,
            pool_size=window,
            strides=strides,
            before=before_of(x.shape[:3], window, strides, padding),
            y=y,
            argmax=np.full(y.shape, -1, np.int64),
            hidden=hidden,
        )

    ties = draw.array([[1, 5, 2], [7, 3, 7]]).reshape(1, 2, 3, 1)
    yield case("two windows of one channel: 7 occurs twice", ties, (2, 2), (1, 1), "valid", (1, 32))
    for rationale, shape, window, strides, padding, launch, hidden in WINDOWS:
        yield case(rationale, draw.normal(*shape, 3), window, strides, padding, launch, hidden)
    negative = draw.uniform(-9, -1, 2, 4, 5, 2)
    yield case("all values negative: padding never wins", negative, (3, 3), (1, 2), "same", (2, 32))
    few = draw.integers(-1, 2, 2, 5, 6, 2).astype(np.float32)
    yield case("many equal values: the first one wins", few, (3, 2), (2, 2), "valid", (1, 16))


def pooled(x, pool_size, strides, before, y, choose=np.argmax):
    """y, argmax, and the winners' rows and columns."""
    around = around_of(x.shape, pool_size, strides, before, y.shape)
    return tuple(part[:, : y.shape[1], : y.shape[2]] for part in max_pool(x, pool_size, strides, around, choose))


@maxpool_forward_kernel.mistake(
    "Your maximum starts from 0. Where all the values are negative, none of them ever wins."
)
def starts_the_pooling_from_zero(x, pool_size, strides, before, y, argmax):
    largest, where, _, _ = pooled(x, pool_size, strides, before, y)
    rows = np.maximum(np.arange(y.shape[1]) * strides[0] - before[0], 0)[:, np.newaxis]
    columns = np.maximum(np.arange(y.shape[2]) * strides[1] - before[1], 0)
    first = (rows * x.shape[2] + columns)[:, :, np.newaxis]
    y[...], argmax[...] = np.maximum(largest, 0), np.where(largest > 0, where, first)


@maxpool_forward_kernel.mistake("Of several equal values your last one wins. The first one does: replace on > only.")
def lets_the_last_of_equals_win(x, pool_size, strides, before, y, argmax):
    y[...], argmax[...], _, _ = pooled(x, pool_size, strides, before, y, last_best)


@maxpool_forward_kernel.mistake(
    "Your argmax is column * h + row. The image lies in memory row by row: row * w + column."
)
def counts_down_the_columns(x, pool_size, strides, before, y, argmax):
    y[...], _, row, column = pooled(x, pool_size, strides, before, y)
    argmax[...] = column * x.shape[1] + row


@maxpool_forward_kernel.mistake(
    "Your argmax multiplies the row by the height. A row is w pixels long: row * w + column."
)
def counts_rows_by_the_height(x, pool_size, strides, before, y, argmax):
    y[...], _, row, column = pooled(x, pool_size, strides, before, y)
    argmax[...] = row * x.shape[1] + column


@maxpool_forward_kernel.mistake(
    "Your argmax counts within the window. It says where the pixel lies in x: row * w + column."
)
def counts_in_the_window(x, pool_size, strides, before, y, argmax):
    y[...], _, row, column = pooled(x, pool_size, strides, before, y)
    row = row + before[0] - np.arange(y.shape[1])[:, np.newaxis, np.newaxis] * strides[0]
    column = column + before[1] - np.arange(y.shape[2])[:, np.newaxis] * strides[1]
    argmax[...] = row * pool_size[1] + column


@maxpool_forward_kernel.mistake("You ignored the padding: the first window begins at -before[0], -before[1], not at 0.")
def pools_without_padding(x, pool_size, strides, before, y, argmax):
    y[...], argmax[...], _, _ = pooled(x, pool_size, strides, (0, 0), y)


@maxpool_forward_kernel.mistake(
    "You stepped by the window's size. That is only the usual choice: the steps are the strides."
)
def steps_by_the_window(x, pool_size, strides, before, y, argmax):
    y[...], argmax[...], _, _ = pooled(x, pool_size, pool_size, before, y)


@maxpool_forward_kernel.mistake("You took the smallest value of each window. Max pooling keeps the largest.")
def keeps_the_smallest(x, pool_size, strides, before, y, argmax):
    largest, argmax[...], _, _ = pooled(-x, pool_size, strides, before, y)
    y[...] = -largest


maxpool_backward_kernel = chapter.kernel(
    "maxpool_backward_kernel", points=2, changes="dx", reads={"dy": 1, "argmax": 1}
)


@maxpool_backward_kernel.cases
def maxpool_backward_kernel_cases(draw):
    yield Case(
        "one pixel wins two of three windows",
        launch=line(1, 32),
        dy=draw.array([10, 1, 4]).reshape(1, 1, 3, 1),
        argmax=np.array([5, 5, 3]).reshape(1, 1, 3, 1),
        dx=zeros(1, 2, 4, 1),
    )
    for rationale, shape, window, strides, padding, launch, hidden in WINDOWS:
        x = draw.normal(*shape, 3)
        argmax = max_pool(x, window, strides, pads(x.shape, window, strides, padding))[1]
        dy = draw.normal(*argmax.shape)
        yield Case(rationale, launch=line(*launch), dy=dy, argmax=argmax, dx=zeros(*x.shape), hidden=hidden)
    winners = np.full((2, 3, 2, 2), 5)
    started = draw.normal(2, 2, 4, 2)
    dy = draw.normal(*winners.shape)
    yield Case(
        "one pixel wins everywhere, in an image that holds something",
        launch=line(2, 16),
        dy=dy,
        argmax=winners,
        dx=started,
    )


@maxpool_backward_kernel.mistake(
    "Your windows overwrite each other. A pixel that wins several windows adds up their dy."
)
def keeps_one_window_of_the_winner(dy, argmax, dx):
    won = send_back(np.ones_like(dy), argmax, dx.shape) > 0
    dx[won] = send_back(dy, argmax, dx.shape, add=False)[won]


@maxpool_backward_kernel.mistake("You wrote a 1 where the winner was. The winner gets its window's dy.")
def adds_one_to_the_winner(dy, argmax, dx):
    dx += send_back(np.ones_like(dy), argmax, dx.shape)


@maxpool_backward_kernel.mistake("You overwrote what dx held. The gradients are added to it.")
def forgets_what_dx_held(dy, argmax, dx):
    dx[...] = send_back(dy, argmax, dx.shape)


@maxpool_backward_kernel.mistake("You split argmax by the height. A row is w pixels long: argmax // w and argmax % w.")
def splits_argmax_by_the_height(dy, argmax, dx):
    _, h, w, _ = dx.shape
    dx += send_back(dy, np.minimum(argmax // h, h - 1) * w + np.minimum(argmax % h, w - 1), dx.shape)


@maxpool_backward_kernel.mistake(
    "You gave every channel the winner of channel 0. Each channel has a maximum of its own."
)
def takes_the_winner_of_channel_0(dy, argmax, dx):
    dx += send_back(dy, np.repeat(argmax[..., :1], dx.shape[3], axis=3), dx.shape)


@maxpool_backward_kernel.mistake(
    "Each thread sent one element back. Where there are fewer threads, go on in grid steps."
)
def sends_one_element_each(dy, argmax, dx, launch):
    reached = (np.arange(dy.size) < launch.grid[0] * launch.block[0]).reshape(dy.shape)
    dx += send_back(dy * reached, argmax, dx.shape)


# --- loss and regularization ----------------------------------------------------------------------------------------

softmax_crossentropy_kernel = chapter.kernel(
    "softmax_crossentropy_kernel", points=3, changes=("loss", "dlogits"), writes={"dlogits": 1}
)


@softmax_crossentropy_kernel.cases
def softmax_crossentropy_kernel_cases(draw):
    def case(rationale, logits, labels, blocks, threads, start=0.0, hidden=False):
        return Case(
            rationale,
            launch=line(blocks, threads),
            logits=logits,
            labels=np.asarray(labels, np.int64),
            loss=draw.array([start]),
            dlogits=poison(*logits.shape),
            hidden=hidden,
        )

    yield case("two samples, one warp each", draw.array([[1, 2, 3], [0, 0, 0]]), [2, 0], 2, 32)
    yield case("several warps in a block, one without a sample", draw.normal(5, 10), draw.labels(5, 10), 2, 96)
    yield case("more classes than lanes", draw.normal(3, 46), draw.labels(3, 46), 1, 128)
    far = draw.array([[200, 0, -50], [-300, -301, -299]])
    yield case("certain and wrong: the loss is 200", far, [1, 0], 1, 64)
    yield case("a loss is there already", draw.normal(4, 10), draw.labels(4, 10), 2, 64, start=1.5)
    yield case("two classes", draw.normal(7, 2), draw.labels(7, 2), 1, 256, hidden=True)
    yield case("one class: nothing to lose", draw.normal(3, 1), draw.labels(3, 1), 3, 32, hidden=True)
    yield case("all scores negative", draw.uniform(-30, -20, 2, 33), draw.labels(2, 33), 2, 32, hidden=True)
    yield case("more warps than samples", draw.normal(1, 5), draw.labels(1, 5), 3, 64, hidden=True)


def softmaxed(logits):
    """The rows' probabilities, in float64."""
    e = np.exp(logits.astype(np.float64) - logits.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def costs(logits, labels):
    """The loss of each sample."""
    shifted = logits.astype(np.float64) - logits.max(axis=1, keepdims=True)
    return np.log(np.exp(shifted).sum(axis=1)) - shifted[np.arange(len(labels)), labels]


def slopes_of(logits, labels):
    """The right gradient."""
    return (softmaxed(logits) - np.eye(logits.shape[1])[labels]) / len(labels)


@softmax_crossentropy_kernel.mistake(
    "Your loss is the sum over the batch. It is the mean: each sample adds its share / n."
)
def sums_the_losses(logits, labels, loss, dlogits):
    loss += costs(logits, labels).sum()
    dlogits[...] = slopes_of(logits, labels)


@softmax_crossentropy_kernel.mistake("You forgot to divide the gradient by n. The loss is a mean over the batch.")
def forgets_n_in_the_gradient(logits, labels, loss, dlogits):
    loss += costs(logits, labels).mean()
    dlogits[...] = slopes_of(logits, labels) * len(labels)


@softmax_crossentropy_kernel.mistake("You wrote the probabilities. The gradient is (probability - truth) / n.")
def writes_the_probabilities(logits, labels, loss, dlogits):
    loss += costs(logits, labels).mean()
    dlogits[...] = softmaxed(logits)


@softmax_crossentropy_kernel.mistake("Your gradient has the wrong sign: it is (probability - truth) / n.")
def turns_the_sign(logits, labels, loss, dlogits):
    loss += costs(logits, labels).mean()
    dlogits[...] = -slopes_of(logits, labels)


@softmax_crossentropy_kernel.mistake("You overwrote the loss. The mean over the batch is added to what is there.")
def overwrites_the_loss(logits, labels, loss, dlogits):
    loss[...] = costs(logits, labels).mean()
    dlogits[...] = slopes_of(logits, labels)


@softmax_crossentropy_kernel.mistake(
    "Every lane of the warp added the loss, so that it counts 32 times. Let one lane do it."
)
def adds_the_loss_for_every_lane(logits, labels, loss, dlogits):
    loss += WARP * costs(logits, labels).mean()
    dlogits[...] = slopes_of(logits, labels)


@softmax_crossentropy_kernel.mistake(
    "You took a logarithm of the probability, which is 0 where the right class scores 200 less than the best one. The "
    "loss is log(sum) - (score - largest)."
)
def takes_the_logarithm_of_zero(logits, labels, loss, dlogits):
    probabilities = softmaxed(logits).astype(np.float32)[np.arange(len(labels)), labels]
    loss += -np.log(probabilities).mean()
    dlogits[...] = slopes_of(logits, labels)


@softmax_crossentropy_kernel.mistake(
    "Idle lanes counted as classes: exp(0) = 1 of a lane without a class is no class's."
)
def counts_idle_lanes(logits, labels, loss, dlogits):
    classes = logits.shape[1]
    idle = pieces(classes, WARP) * WARP - classes
    padded = np.concatenate([logits, np.repeat(logits.max(axis=1, keepdims=True), idle, axis=1)], axis=1)
    loss += costs(padded, labels).mean()
    dlogits[...] = slopes_of(padded, labels)[:, :classes]


dropout_kernel = chapter.kernel("dropout_kernel", points=2, changes="y", reads={"x": 1}, writes={"y": 1})


@dropout_kernel.cases
def dropout_kernel_cases(draw):
    def case(rationale, x, rate, seed, blocks, threads, hidden=False):
        return Case(rationale, launch=line(blocks, threads), x=x, rate=rate, seed=seed, y=poison(x.size), hidden=hidden)

    yield case("four elements, half of them dropped", draw.array([1, 2, 3, 4]), 0.5, 2, 1, 32)
    yield case("fewer threads than elements", draw.normal(150), 0.3, draw.seed(), 2, 32)
    yield case("more threads than elements", draw.normal(40), 0.8, draw.seed(), 2, 32)
    yield case("nothing is dropped", draw.normal(20), 0.0, draw.seed(), 1, 16)
    yield case("blocks of an odd size", draw.normal(100), 0.25, draw.seed(), 3, 7, hidden=True)
    yield case("another seed", draw.normal(64), 0.5, 0, 2, 32, hidden=True)
    yield case("no elements", draw.normal(0), 0.5, 1, 1, 32, hidden=True)


def uniforms(seed, size):
    """The first random numbers of a sequence, as `uniform_at` has them."""
    key = np.uint64((2 * seed + 1) * 0x9E3779B97F4A7C15 % 2**64)
    y = np.arange(size, dtype=np.uint64) * key
    z = y + key
    x = y
    for term in (y, z, y):
        x = x * x + term
        x = (x >> np.uint64(32)) | (x << np.uint64(32))
    return ((x * x + z) >> np.uint64(40)).astype(np.float32) * np.float32(2.0**-24)


@dropout_kernel.mistake(
    "You did not scale up what is kept: x / (1 - rate), so that the layers above get as much as ever."
)
def forgets_the_scale(x, rate, seed, y):
    y[...] = np.where(uniforms(seed, x.size) >= np.float32(rate), x, 0)


@dropout_kernel.mistake(
    "You kept what was to be dropped: an element is kept where its random number is at least the rate."
)
def drops_the_others(x, rate, seed, y):
    y[...] = np.where(uniforms(seed, x.size) < np.float32(rate), x * np.float32(1 / (1 - rate)), 0)


@dropout_kernel.mistake("You divided by the rate. What is kept is scaled by 1 / (1 - rate).")
def divides_by_the_rate(x, rate, seed, y):
    y[...] = np.where(uniforms(seed, x.size) >= np.float32(rate), x / np.float32(rate), 0)


@dropout_kernel.mistake("You scaled down by 1 - rate. While training, what is kept is scaled up: x / (1 - rate).")
def scales_down(x, rate, seed, y):
    y[...] = np.where(uniforms(seed, x.size) >= np.float32(rate), x * np.float32(1 - rate), 0)


@dropout_kernel.mistake(
    "You took the thread's number for the random number, so that threads repeat theirs. Take the element's."
)
def repeats_the_threads_number(x, rate, seed, y, launch):
    threads = launch.grid[0] * launch.block[0]
    numbers = uniforms(seed, threads)[np.arange(x.size) % threads]
    y[...] = np.where(numbers >= np.float32(rate), x * np.float32(1 / (1 - rate)), 0)


@dropout_kernel.mistake("Your random numbers do not depend on the seed: every batch would drop the same elements.")
def ignores_the_seed(x, rate, seed, y):
    y[...] = np.where(uniforms(0, x.size) >= np.float32(rate), x * np.float32(1 / (1 - rate)), 0)


batchnorm_forward_kernel = chapter.kernel(
    "batchnorm_forward_kernel",
    points=3,
    changes=("moving_mean", "moving_var", "y", "x_hat", "inv_std"),
    reads={"x": 3},
    writes={"y": 1, "x_hat": 1, "inv_std": 1, "moving_mean": 1, "moving_var": 1},
)

BATCHES = (
    # rationale, n, d, threads, hidden
    ("more samples than threads", 11, 5, (8, 4), False),
    ("more features than a block has", 6, 40, (32, 2), False),
    ("more threads than samples", 3, 7, (4, 8), True),
    ("one thread in y", 9, 4, (4, 1), True),
    ("the most threads there can be", 35, 3, (32, 32), True),
    ("one sample", 1, 6, (8, 4), True),
)


def over_features(d, threads):
    """The launch of blocks for the features."""
    return Launch((pieces(d, threads[0]),), threads)


@batchnorm_forward_kernel.cases
def batchnorm_forward_kernel_cases(draw):
    def case(rationale, x, threads, momentum, eps, hidden=False, **layer):
        d = x.shape[1]
        layer = layer or {
            "gamma": draw.normal(d),
            "beta": draw.normal(d),
            "moving_mean": draw.normal(d),
            "moving_var": draw.uniform(0.5, 2, d),
        }
        outputs = {"y": poison(*x.shape), "x_hat": poison(*x.shape), "inv_std": poison(d)}
        launch = over_features(d, threads)
        return Case(rationale, launch=launch, x=x, **layer, momentum=momentum, eps=eps, **outputs, hidden=hidden)

    layer = {"gamma": [2, 1], "beta": [0, 5], "moving_mean": [0, 0], "moving_var": [1, 1]}
    layer = {name: draw.array(values) for name, values in layer.items()}
    yield case("two samples, two features", draw.array([[1, 10], [3, 30]]), (32, 2), 0.9, 0.0, **layer)
    for rationale, n, d, threads, hidden in BATCHES:
        yield case(rationale, draw.normal(n, d, scale=2), threads, draw.number(0.5, 0.99), 1e-3, hidden)
    near = draw.array(1000 + draw.integers(-4, 5, 8, 3) / 4)  # sums of quarters are exact, in any order
    yield case("around 1000: squares would drown", near, (4, 4), 0.9, 1e-3)


def statistics(x):
    """Mean and biased variance of each feature, in float64."""
    wide = x.astype(np.float64)
    return wide.mean(axis=0), wide.var(axis=0)


def normalize(x, gamma, beta, eps, y, x_hat, inv_std, mean, var):
    """What is left in the three outputs."""
    inv_std[...] = 1 / np.sqrt(var + eps)
    x_hat[...] = (x - mean) / np.sqrt(var + eps)
    y[...] = gamma * x_hat + beta


def remember(moving_mean, moving_var, momentum, mean, var):
    """What is left in the moving averages."""
    moving_mean[...] = momentum * moving_mean + (1 - momentum) * mean
    moving_var[...] = momentum * moving_var + (1 - momentum) * var


@batchnorm_forward_kernel.mistake(
    "You divided the variance by n - 1. Batch normalization takes the mean of (x - mean)²."
)
def divides_by_one_less(x, gamma, beta, moving_mean, moving_var, momentum, eps, y, x_hat, inv_std):
    mean, var = statistics(x)
    var = var * len(x) / (len(x) - 1)
    normalize(x, gamma, beta, eps, y, x_hat, inv_std, mean, var)
    remember(moving_mean, moving_var, momentum, mean, var)


@batchnorm_forward_kernel.mistake("You exchanged momentum and 1 - momentum: momentum is what stays of the old average.")
def exchanges_the_shares(x, gamma, beta, moving_mean, moving_var, momentum, eps, y, x_hat, inv_std):
    mean, var = statistics(x)
    normalize(x, gamma, beta, eps, y, x_hat, inv_std, mean, var)
    remember(moving_mean, moving_var, 1 - momentum, mean, var)


@batchnorm_forward_kernel.mistake("You left the moving averages as they were. Training is when they are made.")
def forgets_to_remember(x, gamma, beta, moving_mean, moving_var, momentum, eps, y, x_hat, inv_std):
    normalize(x, gamma, beta, eps, y, x_hat, inv_std, *statistics(x))


@batchnorm_forward_kernel.mistake("You normalized by the moving averages. While training, the batch's own count.")
def normalizes_by_what_was(x, gamma, beta, moving_mean, moving_var, momentum, eps, y, x_hat, inv_std):
    normalize(x, gamma, beta, eps, y, x_hat, inv_std, moving_mean, moving_var)
    remember(moving_mean, moving_var, momentum, *statistics(x))


@batchnorm_forward_kernel.mistake("You added eps outside of the root. It is 1 / sqrt(var + eps).")
def adds_eps_outside(x, gamma, beta, moving_mean, moving_var, momentum, eps, y, x_hat, inv_std):
    mean, var = statistics(x)
    normalize(x, gamma, beta, 0, y, x_hat, inv_std, mean, (np.sqrt(var) + eps) ** 2)
    remember(moving_mean, moving_var, momentum, mean, var)


@batchnorm_forward_kernel.mistake("You forgot gamma and beta: y = gamma * x_hat + beta.")
def forgets_scale_and_offset(x, gamma, beta, moving_mean, moving_var, momentum, eps, y, x_hat, inv_std):
    mean, var = statistics(x)
    normalize(x, 1, 0, eps, y, x_hat, inv_std, mean, var)
    remember(moving_mean, moving_var, momentum, mean, var)


@batchnorm_forward_kernel.mistake("You forgot to subtract the mean: x_hat = (x - mean) * inv_std.")
def forgets_the_mean(x, gamma, beta, moving_mean, moving_var, momentum, eps, y, x_hat, inv_std):
    mean, var = statistics(x)
    normalize(x, gamma, beta, eps, y, x_hat, inv_std, 0, var)
    remember(moving_mean, moving_var, momentum, mean, var)


batchnorm_backward_kernel = chapter.kernel(
    "batchnorm_backward_kernel",
    points=3,
    changes=("dx", "dgamma", "dbeta"),
    reads={"dy": 3, "x_hat": 2},
    writes={"dx": 1, "dgamma": 1, "dbeta": 1},
)


@batchnorm_backward_kernel.cases
def batchnorm_backward_kernel_cases(draw):
    def case(rationale, dy, x_hat, inv_std, gamma, threads, hidden=False):
        d = dy.shape[1]
        outputs = {"dx": poison(*dy.shape), "dgamma": poison(d), "dbeta": poison(d)}
        given = {"dy": dy, "x_hat": x_hat, "inv_std": inv_std, "gamma": gamma}
        return Case(rationale, launch=over_features(d, threads), **given, **outputs, hidden=hidden)

    dy, x_hat = draw.array([[4], [0], [0], [0]]), draw.array([[-1], [-1], [1], [1]])
    yield case("four samples, one feature", dy, x_hat, draw.array([1]), draw.array([2]), (32, 2))
    for rationale, n, d, threads, hidden in BATCHES:
        dy, x_hat = draw.normal(n, d), draw.normal(n, d)
        yield case(rationale, dy, x_hat, draw.uniform(0.5, 2, d), draw.normal(d), threads, hidden)


def normalized_gradients(dy, x_hat, inv_std, gamma, dx, dgamma, dbeta, through_mean=1, through_var=1):
    """Fill the outputs; the two ways through the statistics can be left out."""
    dgamma[...], dbeta[...] = (dy * x_hat).sum(axis=0), dy.sum(axis=0)
    inner = dy - through_mean * dbeta / len(dy) - through_var * x_hat * dgamma / len(dy)
    dx[...] = gamma * inv_std * inner


@batchnorm_backward_kernel.mistake(
    "The way through the mean is missing: subtract dbeta / n. The columns of dx sum to zero."
)
def forgets_the_way_through_the_mean(dy, x_hat, inv_std, gamma, dx, dgamma, dbeta):
    normalized_gradients(dy, x_hat, inv_std, gamma, dx, dgamma, dbeta, through_mean=0)


@batchnorm_backward_kernel.mistake("The way through the variance is missing: subtract x_hat * dgamma / n.")
def forgets_the_way_through_the_variance(dy, x_hat, inv_std, gamma, dx, dgamma, dbeta):
    normalized_gradients(dy, x_hat, inv_std, gamma, dx, dgamma, dbeta, through_var=0)


@batchnorm_backward_kernel.mistake(
    "You took mean and variance for constants. They are made of x: two parts are missing in dx."
)
def takes_the_statistics_for_constants(dy, x_hat, inv_std, gamma, dx, dgamma, dbeta):
    normalized_gradients(dy, x_hat, inv_std, gamma, dx, dgamma, dbeta, through_mean=0, through_var=0)


@batchnorm_backward_kernel.mistake("You forgot to divide the two sums by n in dx.")
def forgets_n_in_dx(dy, x_hat, inv_std, gamma, dx, dgamma, dbeta):
    n = len(dy)
    normalized_gradients(dy, x_hat, inv_std, gamma, dx, dgamma, dbeta, through_mean=n, through_var=n)


@batchnorm_backward_kernel.mistake("You divided dgamma and dbeta by n. They are sums: the mean is in dy already.")
def averages_the_sums(dy, x_hat, inv_std, gamma, dx, dgamma, dbeta):
    normalized_gradients(dy, x_hat, inv_std, gamma, dx, dgamma, dbeta)
    dgamma /= len(dy)
    dbeta /= len(dy)


@batchnorm_backward_kernel.mistake("You exchanged dgamma and dbeta: dgamma sums dy * x_hat, dbeta sums dy.")
def exchanges_the_sums(dy, x_hat, inv_std, gamma, dx, dgamma, dbeta):
    normalized_gradients(dy, x_hat, inv_std, gamma, dx, dgamma, dbeta)
    dgamma[...], dbeta[...] = dbeta.copy(), dgamma.copy()


@batchnorm_backward_kernel.mistake("You forgot gamma: dx comes times gamma * inv_std.")
def forgets_gamma(dy, x_hat, inv_std, gamma, dx, dgamma, dbeta):
    normalized_gradients(dy, x_hat, inv_std, np.ones_like(gamma), dx, dgamma, dbeta)

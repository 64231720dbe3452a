"""The first kernels: cases with their launches, known mistakes, budgets of global memory.

What a kernel writes is poisoned with NaN before, so that an element nobody wrote is seen. Launches have more threads
than elements, or fewer where a loop is asked for; blocks of an odd size, and always a case with several of them.
"""

from __future__ import annotations

import math

import numpy as np

from grader.exercise import Case, Chapter, Launch

chapter = Chapter("ch12_cuda_basics", "CUDA: the first kernels")

TILE = 32
ITEMS = 4
BINS = 256


def poison(*shape):
    """Memory as a kernel finds it: nothing that can be taken for an answer."""
    return np.full(shape, np.nan, np.float32)


def line(blocks, threads, shared=0):
    """A launch in one direction."""
    return Launch((blocks,), (threads,), shared)


def threads_of(launch):
    """How many threads a launch in one direction has."""
    return launch.grid[0] * launch.block[0]


# --- how many threads -----------------------------------------------------------------------------------------------

blocks_for = chapter.exercise("blocks_for", points=0.5, returns="blocks", compiled=False)


@blocks_for.cases
def blocks_for_cases(draw):
    for size, threads in ((1000, 256), (1024, 256), (1025, 256), (1, 128), (0, 64)):
        yield Case(f"{size} elements, blocks of {threads}", size=size, threads=threads)
    for size, threads in ((63, 64), (64, 64), (97, 32), (2**31, 1024), (0, 1), (7, 1)):
        yield Case(f"{size} elements, blocks of {threads}", size=size, threads=threads, hidden=True)


@blocks_for.mistake("You rounded down. The elements left over need a block too: (size + threads - 1) // threads.")
def rounds_the_blocks_down(size, threads):
    return max(1, size // threads)


@blocks_for.mistake("You always added a block. Where the blocks fit exactly, it has nothing to do.")
def always_adds_a_block(size, threads):
    return size // threads + 1


@blocks_for.mistake("You start no block where there are no elements. CUDA refuses an empty grid: 1 at least.")
def starts_no_block(size, threads):
    return math.ceil(size / threads)


@blocks_for.mistake("You returned threads. A launch asks for blocks of that many threads: divide.")
def returns_the_threads(size, threads):
    return max(1, math.ceil(size / threads)) * threads


grid_for = chapter.exercise("grid_for", points=0.5, returns="grid", compiled=False, requires=("blocks_for",))


@grid_for.cases
def grid_for_cases(draw):
    for shape, block in (((100, 70), (32, 8)), ((64, 64), (16, 16)), ((3, 200), (32, 4)), ((0, 5), (8, 8))):
        yield Case(f"a matrix of shape {shape}, blocks of {block}", shape=shape, block=block)
    for shape, block in (((33, 32), (32, 32)), ((1, 1), (16, 2)), ((500, 7), (64, 1)), ((9, 0), (4, 2))):
        yield Case(f"a matrix of shape {shape}, blocks of {block}", shape=shape, block=block, hidden=True)


def blocks_up(size, threads):
    """The right number of blocks."""
    return max(1, math.ceil(size / threads))


@grid_for.mistake("You put the rows into x. A launch says x first, and x runs along the columns.")
def puts_the_rows_first(shape, block):
    return blocks_up(shape[0], block[1]), blocks_up(shape[1], block[0])


@grid_for.mistake("You divided the rows by the block's x. x goes along the columns, y along the rows.")
def divides_rows_by_x(shape, block):
    return blocks_up(shape[0], block[0]), blocks_up(shape[1], block[1])


@grid_for.mistake("You divided the columns by the block's y. x goes along the columns, y along the rows.")
def exchanges_the_directions_of_the_block(shape, block):
    return blocks_up(shape[1], block[1]), blocks_up(shape[0], block[0])


@grid_for.mistake("You rounded down. The rows and columns left over need blocks too.")
def rounds_the_grid_down(shape, block):
    return max(1, shape[1] // block[0]), max(1, shape[0] // block[1])


# --- one thread, one element ----------------------------------------------------------------------------------------


def vectors(draw):
    """Vectors and launches for a thread per element: sizes, and (blocks, threads) enough for them."""
    yield "three elements, one block of 64 threads", draw.array([-2.0, 0.0, 3.0]), line(1, 64), {}
    yield "several blocks, the last one half empty", draw.normal(150), line(5, 32), {}
    yield "as many threads as elements", draw.normal(96), line(2, 48), {}
    yield "blocks of an odd size", draw.normal(40), line(6, 7), {"hidden": True}
    yield "blocks with nothing to do at all", draw.normal(33), line(4, 32), {"hidden": True}
    yield "one element more than the threads of a block", draw.normal(65), line(2, 64), {"hidden": True}
    yield "no elements", draw.normal(0), line(1, 32), {"hidden": True}


relu_kernel = chapter.kernel("relu_kernel", points=1, changes="out", reads={"x": 1}, writes={"out": 1})


@relu_kernel.cases
def relu_kernel_cases(draw):
    for rationale, x, launch, flags in vectors(draw):
        yield Case(rationale, launch=launch, x=x, out=poison(x.size), **flags)


@relu_kernel.mistake("You kept the negative values. ReLU keeps the positive ones: max(x, 0).")
def keeps_the_negative(x, out):
    out[...] = np.minimum(x, 0)


@relu_kernel.mistake("You took the absolute value. ReLU cuts negative values to zero.")
def mirrors_negatives_on_the_device(x, out):
    out[...] = np.abs(x)


@relu_kernel.mistake("You wrote the mask, 1 where x is positive. ReLU keeps the value itself.")
def writes_the_mask(x, out):
    out[...] = x > 0


@relu_kernel.mistake(
    "You copied x only where it is positive and wrote nothing elsewhere. What was there stays there: write the zeros "
    "too."
)
def writes_the_positive_only(x, out):
    out[x > 0] = x[x > 0]


@relu_kernel.mistake(
    "Every block computed the first block's elements. threadIdx.x counts within the block; cuda.grid(1) in the grid."
)
def maps_the_first_block_only(x, out, launch):
    out[: launch.block[0]] = np.maximum(x[: launch.block[0]], 0)


@relu_kernel.mistake("You used the block's number as the element's. One block has many elements: cuda.grid(1).")
def maps_one_element_of_a_block(x, out, launch):
    out[: launch.grid[0]] = np.maximum(x[: launch.grid[0]], 0)


@relu_kernel.mistake("Your guard leaves out the last element. Numbers go up to x.size - 1, so the guard is i < x.size.")
def leaves_out_the_last(x, out):
    out[:-1] = np.maximum(x[:-1], 0)


@relu_kernel.mistake("You overwrote x and left out as it was. Write into out.")
def leaves_out_as_it_was(x, out):
    x[...] = np.maximum(x, 0)


axpy_kernel = chapter.kernel("axpy_kernel", points=1, changes="y", reads={"x": 1, "y": 1}, writes={"y": 1})


@axpy_kernel.cases
def axpy_kernel_cases(draw):
    yield Case(
        "three elements, 32 threads",
        launch=line(1, 32),
        alpha=2.0,
        x=draw.array([1, 2, 3]),
        y=draw.array([10, 20, 30]),
    )
    for rationale, x, launch, flags in list(vectors(draw))[1:]:
        alpha = draw.number(-2, -0.5)
        yield Case(rationale, launch=launch, alpha=alpha, x=x, y=draw.normal(x.size), **flags)


@axpy_kernel.mistake("You forgot y: alpha * x is added to what y holds.")
def forgets_y(alpha, x, y):
    y[...] = np.float32(alpha) * x


@axpy_kernel.mistake("You added x as it is. It comes times alpha: alpha * x + y.")
def forgets_alpha(alpha, x, y):
    y += x


@axpy_kernel.mistake("You scaled y as well. Only x comes times alpha: alpha * x + y.")
def scales_both(alpha, x, y):
    y[...] = np.float32(alpha) * (x + y)


@axpy_kernel.mistake("You scaled y and added x. It is the other way round: alpha * x + y.")
def scales_y(alpha, x, y):
    y[...] = np.float32(alpha) * y + x


@axpy_kernel.mistake("You subtracted. It is alpha * x + y; a step downhill has a negative alpha.")
def subtracts(alpha, x, y):
    y -= np.float32(alpha) * x


@axpy_kernel.mistake(
    "Every block worked on the first block's elements. threadIdx.x counts within the block; cuda.grid(1) in the grid."
)
def adds_for_the_first_block_only(alpha, x, y, launch):
    for _ in range(launch.grid[0]):
        y[: launch.block[0]] += np.float32(alpha) * x[: launch.block[0]]


add_bias_kernel = chapter.kernel(
    "add_bias_kernel", points=1, changes="out", reads={"x": 1, "b": lambda x, b, out: len(x)}, writes={"out": 1}
)


@add_bias_kernel.cases
def add_bias_kernel_cases(draw):
    two = Launch((1, 1), (8, 4))
    yield Case(
        "two rows, one block", launch=two, x=draw.array([[1, 2], [3, 4]]), b=draw.array([10, 20]), out=poison(2, 2)
    )
    for rationale, shape, launch, hidden in (
        ("more columns than rows", (5, 70), Launch((3, 2), (32, 4)), False),
        ("more rows than columns", (37, 6), Launch((1, 5), (16, 8)), False),
        ("as many rows as columns", (24, 24), Launch((3, 3), (8, 8)), False),
        ("a row of its own", (1, 33), Launch((2, 1), (32, 2)), True),
        ("one column", (19, 1), Launch((1, 3), (4, 8)), True),
        ("blocks of an odd shape, some with nothing to do", (10, 11), Launch((4, 4), (5, 3)), True),
        ("no rows", (0, 5), Launch((1, 1), (8, 8)), True),
    ):
        n, units = shape
        yield Case(
            rationale, launch=launch, x=draw.normal(n, units), b=draw.normal(units), out=poison(n, units), hidden=hidden
        )


@add_bias_kernel.mistake("You forgot the bias: every element of column j gets b[j].")
def copies_only(x, b, out):
    out[...] = x


@add_bias_kernel.mistake("You wrote the bias alone. It is added to x.")
def writes_the_bias_only(x, b, out):
    out[...] = b


@add_bias_kernel.mistake("You multiplied by the bias. It is added.")
def multiplies_by_the_bias(x, b, out):
    out[...] = x * b


@add_bias_kernel.mistake(
    "Only the first row got its bias. Every row does: row comes from cuda.grid(2), as column does."
)
def adds_to_the_first_row(x, b, out):
    out[...] = x
    out[:1] += b


@add_bias_kernel.mistake("All columns got the first bias. b has one number for each column: b[column].")
def adds_the_first_bias(x, b, out):
    out[...] = x + b[0]


@add_bias_kernel.mistake(
    "You called what cuda.grid(2) gives row, column. It gives x first, and x goes along the columns: column, row."
)
def exchanges_the_axes(x, b, out, launch):
    rows, columns = (blocks * threads for blocks, threads in zip(launch.grid, launch.block, strict=True))
    out[:rows, :columns] = (x + b)[:rows, :columns]


@add_bias_kernel.mistake(
    "Every block worked on the first block's elements. threadIdx counts within the block; cuda.grid(2) in the grid."
)
def adds_in_the_first_block_only(x, b, out, launch):
    columns, rows = launch.block
    out[:rows, :columns] = (x + b)[:rows, :columns]


# --- one thread, many elements --------------------------------------------------------------------------------------


def walks(draw):
    """Vectors and launches for the grid-stride loop: fewer threads than elements, and more."""
    yield "three elements, one thread", draw.array([0.0, 2.0, -2.0]), line(1, 1), {}
    yield "one block, four elements for each thread", draw.normal(128, scale=3), line(1, 32), {}
    yield "three blocks, a bit more than two elements each", draw.normal(203, scale=3), line(3, 32), {}
    yield "more threads than elements", draw.normal(20), line(2, 32), {}
    yield "blocks of an odd size", draw.normal(101), line(4, 7), {"hidden": True}
    yield "as many threads as elements", draw.normal(64), line(2, 32), {"hidden": True}
    yield "one thread in each block", draw.normal(13), line(5, 1), {"hidden": True}
    yield "no elements", draw.normal(0), line(2, 16), {"hidden": True}


sigmoid_kernel = chapter.kernel("sigmoid_kernel", points=1, changes="out", reads={"x": 1}, writes={"out": 1})


@sigmoid_kernel.cases
def sigmoid_kernel_cases(draw):
    for rationale, x, launch, flags in walks(draw):
        yield Case(rationale, launch=launch, x=x, out=poison(x.size), **flags)
    far = draw.array([-100, 100, -90, 90, 0, -0.0, 20, -20])
    yield Case("far from zero", launch=line(1, 3), x=far, out=poison(8))


@sigmoid_kernel.mistake("Your sign is wrong: 1 / (1 + exp(x)) falls from 1 to 0. It is exp(-x).")
def falls(x, out):
    out[...] = 1 / (1 + np.exp(x.astype(np.float64)))


@sigmoid_kernel.mistake("You forgot the division: 1 + exp(-x) is its lower part.")
def forgets_to_divide_by_it(x, out):
    out[...] = 1 + np.exp(-x.astype(np.float64))


@sigmoid_kernel.mistake("You took the wrong branch for negative x: there it is exp(x) / (1 + exp(x)).")
def takes_one_branch(x, out):
    out[...] = 1 / (1 + np.exp(-np.abs(x)))


@sigmoid_kernel.mistake(
    "Each thread did one element. Where there are fewer threads than elements, each goes on in steps of "
    "cuda.gridsize(1)."
)
def does_one_element_each(x, out, launch):
    reached = x[: threads_of(launch)].astype(np.float64)
    out[: reached.size] = 1 / (1 + np.exp(-reached))


@sigmoid_kernel.mistake("Every block walked from 0: begin at cuda.grid(1), your number in the grid.")
def walks_from_the_thread(x, out, launch):
    for i in range(x.size):
        if i % threads_of(launch) < launch.block[0]:
            out[i] = 1 / (1 + np.exp(-np.float64(x[i])))


relu_items_kernel = chapter.kernel(
    "relu_items_kernel", points=2, changes="out", reads={"x": 1}, writes={"out": 1}, sectors={"x": 2, "out": 2}
)


@relu_items_kernel.cases
def relu_items_kernel_cases(draw):
    yield Case("three elements, blocks of 2 threads", launch=line(1, 2), x=draw.array([-2, 0, 3]), out=poison(3))
    for rationale, size, blocks, threads, hidden in (
        ("two full blocks", 256, 2, 32, False),
        ("the last block ends early", 300, 3, 32, False),
        ("larger blocks", 500, 2, 64, False),
        ("fewer elements than threads", 20, 1, 64, True),
        ("the last thread has one element less than the others", 4 * 24 * 2 - 1, 2, 24, True),
        ("one block more than needed", 100, 2, 32, True),
        ("no elements", 0, 1, 32, True),
    ):
        yield Case(rationale, launch=line(blocks, threads), x=draw.normal(size), out=poison(size), hidden=hidden)


@relu_items_kernel.mistake("Each thread did one element only. It has ITEMS of them, blockDim.x apart.")
def does_the_first_item_only(x, out, launch):
    for i in range(x.size):
        if i % (launch.block[0] * ITEMS) < launch.block[0]:
            out[i] = max(x[i], 0)


@relu_items_kernel.mistake(
    "The blocks' pieces overlap: cuda.grid(1) counts one element for each thread. A block's piece begins at "
    "blockIdx.x * blockDim.x * ITEMS."
)
def overlaps_the_pieces(x, out, launch):
    reached = (launch.grid[0] - 1 + ITEMS) * launch.block[0]
    out[:reached] = np.maximum(x[:reached], 0)


@relu_items_kernel.mistake(
    "You stored the values as they were loaded. The ReLU between loading and storing is missing."
)
def only_copies(x, out):
    out[...] = x


@relu_items_kernel.mistake("You kept the negative values. ReLU keeps the positive ones: max(x, 0).")
def keeps_the_negative_items(x, out):
    out[...] = np.minimum(x, 0)


@relu_items_kernel.mistake(
    "You stored the first item ITEMS times. Each item needs a place of its own until it is stored."
)
def repeats_the_first_item(x, out, launch):
    piece = launch.block[0] * ITEMS
    for i in range(x.size):
        out[i] = max(x[i // piece * piece + i % launch.block[0]], 0)


# --- many threads, one number ---------------------------------------------------------------------------------------

block_sum_kernel = chapter.kernel("block_sum_kernel", points=3, changes="out", reads={"x": 1}, writes={"out": 1})


@block_sum_kernel.cases
def block_sum_kernel_cases(draw):
    yield Case("two blocks of two threads", launch=line(2, 2), x=draw.array([1, 2, 3, 4, 5]), out=poison(2))
    for rationale, size, blocks, threads, hidden in (
        ("one block, one element each", 64, 1, 64, False),
        ("three blocks, more elements than threads", 333, 3, 32, False),
        ("blocks of 96: no power of two", 500, 2, 96, False),
        ("blocks of 5 threads", 47, 3, 5, False),
        ("more threads than elements: some blocks meet none", 20, 3, 32, True),
        ("blocks of one thread", 9, 4, 1, True),
        ("the most threads there can be", 700, 2, 256, True),
        ("blocks of 7 threads", 100, 4, 7, True),
        ("no elements", 0, 2, 16, True),
    ):
        x = draw.uniform(0.5, 2, size)
        yield Case(rationale, launch=line(blocks, threads), x=x, out=poison(blocks), hidden=hidden)


def shares(x, launch, step=None):
    """What each block meets on its walk, one row for each of its threads."""
    threads, step = launch.block[0], step or threads_of(launch)
    return [[x[b * threads + t :: step] for t in range(threads)] for b in range(launch.grid[0])]


def thread_sums(x, launch, step=None):
    """One sum for each thread of each block."""
    return np.array([[part.sum(dtype=np.float64) for part in block] for block in shares(x, launch, step)])


@block_sum_kernel.mistake("You divided by the number of elements. It is the sum that is asked for.")
def averages_the_block(x, out, launch):
    counts = [sum(part.size for part in block) for block in shares(x, launch)]
    out[...] = thread_sums(x, launch).sum(axis=1) / np.maximum(counts, 1)


@block_sum_kernel.mistake("Every block has the sum of all elements. Each one adds up what its own threads meet.")
def sums_everything_in_each_block(x, out):
    out[...] = x.sum(dtype=np.float64)


@block_sum_kernel.mistake(
    "Your threads took one element each. Where there are fewer threads than elements, each goes on in steps of the "
    "grid."
)
def sums_one_element_each(x, out, launch):
    out[...] = thread_sums(x[: threads_of(launch)], launch).sum(axis=1)


@block_sum_kernel.mistake(
    "You walked in steps of one block, so that the blocks meet the same elements. The step is cuda.gridsize(1)."
)
def sums_in_steps_of_a_block(x, out, launch):
    out[...] = thread_sums(x, launch, launch.block[0]).sum(axis=1)


@block_sum_kernel.mistake(
    "You cut x into one piece for each block. The walk is grid-stride: element i belongs to thread i % "
    "cuda.gridsize(1)."
)
def cuts_into_pieces(x, out, launch):
    piece = math.ceil(x.size / launch.grid[0])
    out[...] = [x[b * piece : (b + 1) * piece].sum(dtype=np.float64) for b in range(launch.grid[0])]


@block_sum_kernel.mistake(
    "Your tree loses a thread where an odd number is left. Take half = (active + 1) // 2 and add only if t + half < "
    "active."
)
def loses_the_odd_one(x, out, launch):
    sums = thread_sums(x, launch)
    active = launch.block[0]
    while active > 1:
        active //= 2
        sums[:, :active] += sums[:, active : 2 * active]
    out[...] = sums[:, 0]


@block_sum_kernel.mistake("You wrote the first thread's sum. The other threads' sums belong to the block's.")
def writes_the_first_thread(x, out, launch):
    out[...] = thread_sums(x, launch)[:, 0]


dot_kernel = chapter.kernel("dot_kernel", points=3, changes="out", reads={"x": 1, "y": 1})


@dot_kernel.cases
def dot_kernel_cases(draw):
    small = {"x": draw.array([1, 2, 3]), "y": draw.array([4, 5, 6])}
    yield Case("three elements, one warp", launch=line(1, 32), **small, out=draw.array([10]))
    for rationale, size, blocks, threads, hidden in (
        ("several warps", 90, 1, 96, False),
        ("several blocks: all of them add to one number", 300, 3, 64, False),
        ("more elements than threads", 500, 2, 32, False),
        ("a block that meets no element", 33, 3, 32, True),
        ("the most threads there can be", 600, 2, 256, True),
        ("one element", 1, 1, 64, True),
        ("no elements: out stays", 0, 1, 32, True),
    ):
        x, y = draw.uniform(0.5, 2, size), draw.uniform(-2, 1, size)
        yield Case(rationale, launch=line(blocks, threads), x=x, y=y, out=draw.normal(1), hidden=hidden)


def product_sums(x, y, launch, step=None):
    """The dot product's share of each thread of each block."""
    return thread_sums(x.astype(np.float64) * y, launch, step)


@dot_kernel.mistake("You overwrote what out held. The sum is added to it.")
def overwrites_out(x, y, out):
    out[0] = np.dot(x.astype(np.float64), y)


@dot_kernel.mistake("You added up x alone. It is the sum of x * y.")
def sums_x(x, y, out):
    out += x.sum(dtype=np.float64)


@dot_kernel.mistake("You multiplied x by itself. It is the sum of x * y.")
def squares_x(x, y, out):
    out += np.dot(x.astype(np.float64), x)


@dot_kernel.mistake("Only the first warp of each block counts. The block has blockDim.x // WARP of them.")
def adds_the_first_warp(x, y, out, launch):
    out += product_sums(x, y, launch)[:, :32].sum()


@dot_kernel.mistake("Only the first thread of each warp counts. Let warp_sum add up the lanes first.")
def adds_the_first_lanes(x, y, out, launch):
    out += product_sums(x, y, launch)[:, ::32].sum()


@dot_kernel.mistake(
    "Every lane of the warp adds the warp's sum, so that it counts 32 times. Let one lane of each warp do it."
)
def adds_for_every_lane(x, y, out, launch):
    out += 32 * product_sums(x, y, launch).sum()


@dot_kernel.mistake(
    "Every thread adds the block's sum, so that it counts many times. Let the first thread of the block do it."
)
def adds_for_every_thread(x, y, out, launch):
    out += launch.block[0] * product_sums(x, y, launch).sum()


@dot_kernel.mistake(
    "Only one block's sum has arrived: another one has overwritten it, or read before it was there. "
    "cuda.atomic.add(out, 0, …) is one step that nobody can come between."
)
def keeps_the_last_block(x, y, out, launch):
    out += product_sums(x, y, launch)[-1].sum()


@dot_kernel.mistake("Each thread took one element. Where there are fewer threads than elements, go on in grid steps.")
def multiplies_one_element_each(x, y, out, launch):
    reached = threads_of(launch)
    out += np.dot(x[:reached].astype(np.float64), y[:reached])


@dot_kernel.mistake(
    "You walked in steps of one block, so that the blocks meet the same elements. The step is cuda.gridsize(1)."
)
def multiplies_in_steps_of_a_block(x, y, out, launch):
    out += product_sums(x, y, launch, launch.block[0]).sum()


softmax_kernel = chapter.kernel("softmax_kernel", points=4, changes="out", reads={"x": 1}, writes={"out": 1})


@softmax_kernel.cases
def softmax_kernel_cases(draw):
    def case(rationale, x, blocks, threads, hidden=False):
        launch = line(blocks, threads, x.shape[1] * 4)
        return Case(rationale, launch=launch, x=x, out=poison(*x.shape), hidden=hidden)

    yield case("two rows, one warp each", draw.array([[1, 2, 3], [0, 0, 0]]), 2, 32)
    yield case("rows longer than the block", draw.normal(3, 75), 3, 32)
    yield case("several warps agree on a row", draw.normal(2, 90), 2, 64)
    yield case("large scores: exp would overflow", draw.array([[1000, 999, 0], [-1000, -1000, -1001]]), 2, 32)
    yield case("fewer blocks than rows", draw.normal(5, 70, scale=3), 2, 64)
    yield case("the most threads there can be", draw.normal(2, 300), 1, 256, hidden=True)
    yield case("all scores negative", draw.uniform(-9, -5, 3, 40), 2, 96, hidden=True)
    yield case("one class: probability one", draw.normal(4, 1), 4, 32, hidden=True)
    yield case("more blocks than rows", draw.normal(1, 33), 3, 32, hidden=True)
    yield case("one block for all the rows", draw.normal(4, 33), 1, 64, hidden=True)
    yield case("no rows", draw.normal(0, 7), 1, 32, hidden=True)


def exponentials(x):
    """The upper parts of the softmax, in float64."""
    x = x.astype(np.float64)
    return np.exp(x - x.max(axis=1, keepdims=True, initial=-np.inf))


@softmax_kernel.mistake(
    "You did not subtract the row's maximum: exp(1000) is infinite, and infinity / infinity is nan."
)
def forgets_the_shift(x, out):
    e = np.exp(x)
    out[...] = e / e.sum(axis=1, keepdims=True)


@softmax_kernel.mistake("You did not divide by the sum of the exponentials. The rows must sum to one.")
def forgets_the_sum(x, out):
    out[...] = exponentials(x)


@softmax_kernel.mistake("You divided by the sum over all rows. Every row sums to one by itself.")
def divides_by_the_sum_of_all(x, out):
    e = exponentials(x)
    out[...] = e / e.sum()


@softmax_kernel.mistake(
    "Your maximum starts from 0. Where all scores are negative it must not win: start from -infinity."
)
def starts_the_maximum_from_zero(x, out):
    wide = x.astype(np.float64)
    e = np.exp(wide - np.maximum(wide.max(axis=1, keepdims=True, initial=-np.inf), 0)).astype(np.float32)
    out[...] = e / e.sum(axis=1, keepdims=True)


@softmax_kernel.mistake("You wrote the logarithms of the probabilities. The softmax is exp(x - m) / sum.")
def writes_the_logarithms(x, out):
    e = exponentials(x)
    out[...] = np.log(e / e.sum(axis=1, keepdims=True))


@softmax_kernel.mistake("Each block did one row. Where there are fewer blocks than rows, go on with row + gridDim.x.")
def does_one_row_for_each_block(x, out, launch):
    e = exponentials(x)
    out[: launch.grid[0]] = (e / e.sum(axis=1, keepdims=True))[: launch.grid[0]]


@softmax_kernel.mistake("Each thread divided by its own sum. The block's threads must add up theirs first.")
def divides_by_its_own_sum(x, out, launch):
    e, threads = exponentials(x), launch.block[0]
    for t in range(min(threads, x.shape[1])):
        out[:, t::threads] = e[:, t::threads] / e[:, t::threads].sum(axis=1, keepdims=True)


@softmax_kernel.mistake("Each warp divided by its own sum. After a barrier, add up the sums of all warps of the block.")
def divides_by_the_sum_of_its_warp(x, out, launch):
    e, warps = exponentials(x), np.arange(x.shape[1]) % launch.block[0] // 32
    for warp in np.unique(warps):
        out[:, warps == warp] = e[:, warps == warp] / e[:, warps == warp].sum(axis=1, keepdims=True)


@softmax_kernel.mistake(
    "Each thread did one column. Where the row is longer than the block, go on in steps of blockDim.x."
)
def does_one_column_for_each_thread(x, out, launch):
    reached = launch.block[0]
    e = exponentials(x[:, :reached])
    out[:, :reached] = e / e.sum(axis=1, keepdims=True)


histogram_kernel = chapter.kernel("histogram_kernel", points=3, changes="counts", reads={"pixels": 1})


@histogram_kernel.cases
def histogram_kernel_cases(draw):
    def case(rationale, pixels, blocks, threads, hidden=False, start=None):
        counts = np.zeros(BINS, np.int32) if start is None else start
        pixels = np.asarray(pixels, np.uint8)
        return Case(rationale, launch=line(blocks, threads), pixels=pixels, counts=counts, hidden=hidden)

    yield case("three pixels, one warp", [0, 255, 0], 1, 32)
    yield case("several blocks", draw.integers(0, 256, 200), 3, 64)
    yield case("a dark image: nearly all threads count the same", draw.integers(0, 3, 150), 2, 64)
    started = draw.integers(1, 90, BINS).astype(np.int32)
    yield case("counted on from an image before", draw.integers(0, 256, 100), 2, 32, start=started)
    yield case("as many threads as grey levels", draw.integers(100, 256, 300), 1, 256, hidden=True)
    yield case("blocks of an odd size", draw.integers(0, 256, 100), 4, 7, hidden=True)
    yield case("no pixels", draw.integers(0, 256, 0), 2, 32, hidden=True, start=started + 1)


def occurrences(pixels):
    """The right counts."""
    return np.bincount(pixels, minlength=BINS)


@histogram_kernel.mistake("You overwrote the counts. What this image has is added to what is there.")
def overwrites_the_counts(pixels, counts):
    counts[...] = occurrences(pixels)


@histogram_kernel.mistake("You noted whether a level occurs, not how often. Every pixel adds one.")
def notes_whether_it_occurs(pixels, counts):
    counts += occurrences(pixels) > 0


@histogram_kernel.mistake(
    "The levels above the block's size are missing: there are more bins than threads. Walk over them in steps of "
    "blockDim.x."
)
def adds_the_first_levels_only(pixels, counts, launch):
    counts[: launch.block[0]] += occurrences(pixels)[: launch.block[0]].astype(np.int32)


@histogram_kernel.mistake(
    "Each thread counted one pixel. Where there are fewer threads than pixels, go on in grid steps."
)
def counts_one_pixel_each(pixels, counts, launch):
    counts += occurrences(pixels[: threads_of(launch)]).astype(np.int32)


@histogram_kernel.mistake("You added the grey levels up. A pixel of level 7 adds one to counts[7].")
def adds_the_levels(pixels, counts):
    counts += (occurrences(pixels) * np.arange(BINS)).astype(np.int32)


@histogram_kernel.mistake(
    "Every block counted all the pixels. The walk goes in steps of the grid, so that each pixel is met once."
)
def counts_in_every_block(pixels, counts, launch):
    counts += launch.grid[0] * occurrences(pixels).astype(np.int32)


# --- order ----------------------------------------------------------------------------------------------------------

transpose_kernel = chapter.kernel(
    "transpose_kernel",
    points=3,
    changes="out",
    reads={"x": 1},
    writes={"out": 1},
    sectors={"x": 2.5, "out": 2.5},
)


@transpose_kernel.cases
def transpose_kernel_cases(draw):
    def case(rationale, x, threads, hidden=False):
        rows, columns = x.shape
        grid = (max(1, math.ceil(columns / TILE)), max(1, math.ceil(rows / TILE)))
        out = poison(columns, rows)
        return Case(rationale, launch=Launch(grid, (TILE, threads)), x=x, out=out, hidden=hidden)

    yield case("two rows, three columns", draw.array([[1, 2, 3], [4, 5, 6]]), 8)
    yield case("one full tile", draw.normal(32, 32), 8)
    yield case("more columns than rows", draw.normal(20, 70), 4)
    yield case("two tiles in each direction, cut off", draw.normal(45, 40), 8)
    yield case("more rows than columns", draw.normal(66, 9), 2, hidden=True)
    yield case("a thread for each element of the tile", draw.normal(33, 31), 32, hidden=True)
    yield case("one row", draw.normal(1, 40), 8, hidden=True)
    yield case("blocks of three rows of threads: the last rows need a guard", draw.normal(32, 40), 3, hidden=True)
    yield case("no rows", draw.normal(0, 6), 4, hidden=True)


@transpose_kernel.mistake(
    "You only copied: out has another shape, but the same order as x. out[column, row] = x[row, column]."
)
def copies_without_turning(x, out):
    out[...] = x.reshape(out.shape)


@transpose_kernel.mistake(
    "The tiles are in their places, but not turned inside. Read the tile the other way round: tile[tx, r]."
)
def leaves_the_tiles_unturned(x, out):
    rows, columns = x.shape
    wide = poison(math.ceil(rows / TILE) * TILE, math.ceil(columns / TILE) * TILE)
    wide[:rows, :columns] = x
    for top in range(0, rows, TILE):
        for left in range(0, columns, TILE):
            part = out[left : left + TILE, top : top + TILE]
            part[...] = wide[top : top + TILE, left : left + TILE][: part.shape[0], : part.shape[1]]


@transpose_kernel.mistake(
    "Only some rows of each tile have arrived. A block has fewer threads in y than a tile has rows: each takes several."
)
def takes_one_row_for_each_thread(x, out, launch):
    for column, row in np.ndindex(out.shape):
        if max(column % TILE, row % TILE) < launch.block[1]:
            out[column, row] = x[row, column]


@transpose_kernel.mistake("You turned the matrix and mirrored it too: that is a rotation. Row i becomes column i.")
def rotates(x, out):
    out[...] = np.rot90(x)


@transpose_kernel.mistake("Only the first tile has arrived. Every block has its own: blockIdx says where it begins.")
def turns_the_first_tile_only(x, out):
    out[:TILE, :TILE] = x.T[:TILE, :TILE]

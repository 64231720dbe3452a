"""The first kernels: thousands of threads, each of which does one small thing.

A GPU is a processor for doing the same to many numbers. A *kernel* is a function that is run by very many threads at
once. It has no return value; it writes into arrays that the caller made. There is no loop over the elements: each
thread asks who it is, and takes the elements that are its own.

    thread      one run of the kernel; `cuda.threadIdx.x` is its number within its block
    warp        32 threads that run in step and read memory together
    block       the threads that share a piece of fast memory and can wait for each other; `cuda.blockIdx.x` is its
                number, `cuda.blockDim.x` how many threads it has, 1024 at most
    grid        all blocks of one launch; `cuda.gridDim.x` is how many

`cuda.grid(1)` = blockIdx.x * blockDim.x + threadIdx.x is the thread's number in the whole grid, `cuda.gridsize(1)` how
many threads there are. `kernel[grid, block](x, out)` launches: that many blocks of that many threads. Here the grader
launches, and each case says how.

**The guard.** Blocks are whole, data is not: 1000 elements and blocks of 256 make 4 blocks, 1024 threads, and 24 of
them have nothing to do. A thread without an element must not touch memory: nobody raises an IndexError on a GPU, it
writes over whatever lies there.

**Memory.** All threads see the arrays in *global memory*. It is large, and far away: 32 threads of a warp that read 32
neighbours get them in one 128-byte transaction (*coalesced*), 32 threads that read down a column need 32 of them. So
let threadIdx.x run along the last axis. Each block has some 48 KiB of *shared memory*, as fast as a cache, to pass
numbers between its threads; after `cuda.syncthreads()` everyone sees what everyone wrote before it. Every thread of the
block must come to that barrier. Blocks cannot wait for each other: they run in any order, many of them not before
others have ended.

**Races.** `total[0] += x[i]` is three steps: read, add, write. Two threads that do it at the same time both read the
old number, and one addition is lost. `cuda.atomic.add(total, 0, x[i])` is one step that nobody can come between; where
all threads do it to the same place, they wait in line. So first add up within the thread, then within the block, and
only then between the blocks.

**float32.** A GPU has 2 to 64 times as many units for float32 as for float64. `0.0` and `1.0` are float64 in a kernel,
as everywhere in numba, and drag their neighbours along: write `np.float32(0)`.

Without a GPU the same kernels run in a simulator, thread by thread. It takes a thousand times as long, and it tells
what a GPU keeps to itself: an index that leads out of the array, a race, a barrier that some never reach.
Follows no lecture: the mathematics is that of the chapters on activations and tensors, in another machine.
"""

import math

import numpy as np
from numba import cuda, float32, int32

WARP = 32
EVERY_LANE = 0xFFFFFFFF  # one bit for each thread of a warp: who takes part in a shuffle
THREADS = 256  # the most threads that a block has here
ITEMS = 4  # elements of one thread in `relu_items_kernel`
BINS = 256  # grey levels
TILE = 32  # rows and columns of a tile in `transpose_kernel`
PADDED = TILE + 1  # numba wants a name or a number for the size of a shared array, no sum


# --- how many threads -----------------------------------------------------------------------------------------------


def blocks_for(size, threads):
    """How many blocks a launch needs, so that every element has a thread of its own.

    Parameters
    ----------
    size : int; how many elements there are, 0 or more
    threads : int; how many threads a block has

    Returns
    -------
    blocks : int; the smallest number of blocks whose threads are enough, and 1 at least: CUDA refuses an empty grid

    Approach: divide and round up. In whole numbers that is (size + threads - 1) // threads.
    Example: blocks_for(1000, 256) is 4, blocks_for(1024, 256) is 4 too, and blocks_for(1025, 256) is 5.
    Trap: size // threads rounds down: the last 232 of 1000 elements would have no thread, and keep whatever lay there.
    Lecture: none; the launch of every kernel of this chapter.
    """
    ### BEGIN SOLUTION
    return max(1, (size + threads - 1) // threads)
    ### END SOLUTION


def grid_for(shape, block):
    """The same for a matrix: a grid of blocks, each of which covers a rectangle.

    Parameters
    ----------
    shape : (int, int); rows and columns of the matrix
    block : (int, int); threads of a block in the directions x and y

    Returns
    -------
    grid : (int, int); blocks in the directions x and y, 1 at least in each

    x is the direction in which a warp's threads are neighbours, so x goes along the columns of the matrix: the elements
    of a row lie side by side in memory, and the warp gets them in one transaction.

    Approach: blocks_for twice: the columns with the block's x, the rows with its y.
    Example: grid_for((100, 70), (32, 8)) is (3, 13): 3 * 32 threads for 70 columns, 13 * 8 threads for 100 rows.
    Trap: a shape says rows first, a launch says x first, and x are the columns.
    Lecture: none; the launch of every kernel on matrices.
    """
    ### BEGIN SOLUTION
    rows, columns = shape
    return blocks_for(columns, block[0]), blocks_for(rows, block[1])
    ### END SOLUTION


# --- one thread, one element ----------------------------------------------------------------------------------------


@cuda.jit
def relu_kernel(x, out):
    """Map: each thread applies the ReLU to one element.

    Parameters
    ----------
    x : float32 (n,)
    out : float32 (n,); becomes max(x, 0)

    Launch: blocks in one direction, at least as many threads as elements.

    Approach: ask `cuda.grid(1)` which element is yours; if there is one of that number, compute it.
    Example: x = [-2, 0, 3] leaves out = [0, 0, 3], whether there are 3 threads or 64.
    Trap: without the guard `i < x.size`, the threads behind the end write into somebody else's memory.
    Lecture: Deep Neural Networks, activation functions (`relu` of ch03_activations).
    """
    ### BEGIN SOLUTION
    i = cuda.grid(1)
    if i < x.size:
        out[i] = max(x[i], np.float32(0))
    ### END SOLUTION


@cuda.jit
def axpy_kernel(alpha, x, y):
    """Zip: each thread joins two elements, a times x plus y, in place.

    Parameters
    ----------
    alpha : float; how much of x is added
    x : float32 (n,)
    y : float32 (n,); becomes alpha * x + y

    Launch: blocks in one direction, at least as many threads as elements.

    Approach: as relu_kernel. alpha arrives as a float64: make a float32 of it, and the arithmetic stays float32.
    Example: alpha = 2, x = [1, 2, 3], y = [10, 20, 30] leaves y = [12, 24, 36].
    Trap: threadIdx.x alone is the number within the block: the second block would do the first one's work once more.
    Lecture: Deep Neural Networks, gradient descent: with alpha = -lr it is a step of it.
    """
    ### BEGIN SOLUTION
    i = cuda.grid(1)
    if i < x.size:
        y[i] += np.float32(alpha) * x[i]
    ### END SOLUTION


@cuda.jit
def add_bias_kernel(x, b, out):
    """A grid in two directions: each thread adds the bias to one element of a matrix.

    Parameters
    ----------
    x : float32 (n, units)
    b : float32 (units,)
    out : float32 (n, units); becomes x[row, column] + b[column]

    Launch: blocks in two directions; together at least units threads in x and n threads in y.

    Approach: `column, row = cuda.grid(2)`, and a guard in both directions.
    Example: x = [[1, 2], [3, 4]], b = [10, 20] leaves out = [[11, 22], [13, 24]].
    Trap: cuda.grid(2) gives x first. Whoever calls it `row, column` reads the matrix down its columns: right as long as
    there are enough threads, and up to eight times slower, because each thread of a warp fetches a piece of its own.
    Lecture: Deep Neural Networks, layers.
    """
    ### BEGIN SOLUTION
    column, row = cuda.grid(2)
    if row < x.shape[0] and column < x.shape[1]:
        out[row, column] = x[row, column] + b[column]
    ### END SOLUTION


# --- one thread, many elements --------------------------------------------------------------------------------------


@cuda.jit
def sigmoid_kernel(x, out):
    """The grid-stride loop: any number of threads does the work of any number of elements.

    Parameters
    ----------
    x : float32 (n,)
    out : float32 (n,); becomes 1 / (1 + exp(-x)), exact to float32 also at |x| = 100

    Launch: blocks in one direction, more threads than elements or fewer.

    Approach: begin at your number in the grid and go on in steps of as many threads as the grid has. `range(first,
    stop, step)` is the guard as well: who begins behind the end does nothing. For the formula see `sigmoid` of ch03:
    with exp(-|x|) no exponent is positive.
    Example: x = [0, 2, -2] leaves out = [0.5, 0.8808, 0.1192], also where one thread does all of it.
    Trap: the step is the whole grid, `cuda.gridsize(1)`. In steps of one block, two blocks do the same elements; in
    steps of 1 every thread does all that follow.
    Lecture: Deep Neural Networks, activation functions.
    """
    ### BEGIN SOLUTION
    one = np.float32(1)
    for i in range(cuda.grid(1), x.size, cuda.gridsize(1)):
        value = x[i]
        e = math.exp(-abs(value))
        out[i] = one / (one + e) if value >= 0 else e / (one + e)
    ### END SOLUTION


@cuda.jit
def relu_items_kernel(x, out):
    """Bytes in flight: each thread asks for ITEMS elements before it waits for the first of them.

    Global memory answers after some 600 cycles. Meanwhile other threads run, and ask in their turn; but an SM has room
    for 2048 threads only, 8 KiB of float32 numbers if each asked for one. A large GPU needs three times as many bytes
    under way to keep its memory busy. So let each thread ask for several numbers at once.

    Parameters
    ----------
    x : float32 (n,)
    out : float32 (n,); becomes max(x, 0)

    Launch: blocks in one direction, at least as many threads as n / ITEMS, rounded up to whole blocks.

    Approach: a block takes a piece of ITEMS * blockDim.x elements. Thread t has the elements first + t, first + t +
    blockDim.x, …: side by side with those of its neighbours, so that each of the loads is coalesced. One loop loads all
    of them into a `cuda.local.array`, which becomes registers, a second one stores. (In one loop, the next load would
    have to wait for the store before it: x and out might be the same memory, for all that the compiler knows.)
    Example: x = [-2, 0, 3] leaves out = [0, 0, 3]; with blocks of 2 threads, thread 0 has the elements 0 and 2.
    Trap: ITEMS neighbours for each thread, first + t * ITEMS + item, is the order of a loop on a CPU. Here a warp would
    touch four times as many pieces of memory with each of its loads.
    Lecture: Deep Neural Networks, activation functions.
    """
    ### BEGIN SOLUTION
    values = cuda.local.array(ITEMS, float32)
    first = cuda.blockIdx.x * cuda.blockDim.x * ITEMS + cuda.threadIdx.x
    for item in range(ITEMS):
        i = first + item * cuda.blockDim.x
        if i < x.size:
            values[item] = x[i]
    for item in range(ITEMS):
        i = first + item * cuda.blockDim.x
        if i < x.size:
            out[i] = max(values[item], np.float32(0))
    ### END SOLUTION


# --- many threads, one number ---------------------------------------------------------------------------------------


@cuda.jit
def block_sum_kernel(x, out):
    """A sum by blocks: the threads of each block add up what they met, in shared memory.

    Parameters
    ----------
    x : float32 (n,)
    out : float32 (blocks of the grid,); out[b] becomes the sum of all elements that the threads of block b meet on
        their grid-stride walk

    Launch: blocks in one direction, of any size up to THREADS, a power of two or not; more threads than elements or
    fewer. The sum of `out` is the sum of x, which a second launch with one block gives.

    Approach: a grid-stride loop into a variable of the thread; into shared memory with it, one place per thread; a
    barrier. Then a tree: the upper half of the threads' numbers is added to the lower half, again and again, with a
    barrier after each step. Where `active` is odd, half = (active + 1) // 2 leaves the middle one alone.
    Example: x = [1, 2, 3, 4, 5] with 2 blocks of 2 threads: block 0 meets 1, 2 and 5, block 1 meets 3 and 4, so that
    out = [8, 7].
    Trap: a barrier inside `if t < half` is one that half of the block never reaches. The `if` is for the addition
    alone.
    Lecture: none; the sum in every mean, every norm, every softmax.
    """
    ### BEGIN SOLUTION
    sums = cuda.shared.array(THREADS, float32)
    t = cuda.threadIdx.x
    total = np.float32(0)
    for i in range(cuda.grid(1), x.size, cuda.gridsize(1)):
        total += x[i]
    sums[t] = total
    cuda.syncthreads()
    active = cuda.blockDim.x
    while active > 1:
        half = (active + 1) // 2
        if t + half < active:
            sums[t] += sums[t + half]
        cuda.syncthreads()
        active = half
    if t == 0:
        out[cuda.blockIdx.x] = sums[0]
    ### END SOLUTION


@cuda.jit(device=True)
def warp_sum(value):
    """The sum of one number from each thread of a warp, told to all of them. Given, not asked.

    The threads of a warp can look into each other's registers, without shared memory and without a barrier:
    `cuda.shfl_xor_sync(EVERY_LANE, value, offset)` gives each lane the `value` of the lane whose number differs in the
    bit `offset`. After offsets 16, 8, 4, 2, 1 everyone has added up everyone. All 32 lanes must take part.

    Parameters
    ----------
    value : float32; this thread's own

    Returns
    -------
    float32: the sum over the warp, the same for all of its threads
    """
    offset = WARP // 2
    while offset > 0:
        value += cuda.shfl_xor_sync(EVERY_LANE, value, offset)
        offset //= 2
    return value


@cuda.jit(device=True)
def warp_max(value):
    """The largest of one number from each thread of a warp, told to all of them. Given, not asked.

    Parameters
    ----------
    value : float32; this thread's own

    Returns
    -------
    float32: the maximum over the warp, the same for all of its threads
    """
    offset = WARP // 2
    while offset > 0:
        value = max(value, cuda.shfl_xor_sync(EVERY_LANE, value, offset))
        offset //= 2
    return value


@cuda.jit
def dot_kernel(x, y, out):
    """The inner product of two vectors, in one launch: registers, then warps, then blocks, then one atomic each.

    Parameters
    ----------
    x : float32 (n,)
    y : float32 (n,)
    out : float32 (1,); the sum of x * y is added to what it holds

    Launch: blocks in one direction, of whole warps, up to THREADS threads; more threads than elements or fewer.

    Approach: each thread adds up its products on a grid-stride walk. `warp_sum` makes one number of each warp, whose
    first lane writes it to shared memory; after a barrier the first thread adds up the few numbers of the block's
    warps, and adds them to out with `cuda.atomic.add(out, 0, …)`: blocks run at the same time, and all of them write to
    out[0]. (To leave the sums in memory for the block that finishes last is not accepted: the race detector knows no
    order between blocks.)
    Example: x = [1, 2, 3], y = [4, 5, 6], out = [10] leaves out = [42].
    Trap: out[0] += … loses the sums of blocks that come at the same time. And warp_sum is for whole warps: call it
    outside of any `if` that only some of the lanes enter.
    Lecture: Deep Neural Networks, the perceptron: the sum that every unit computes.
    """
    ### BEGIN SOLUTION
    sums = cuda.shared.array(WARP, float32)
    t = cuda.threadIdx.x
    total = np.float32(0)
    for i in range(cuda.grid(1), x.size, cuda.gridsize(1)):
        total += x[i] * y[i]
    total = warp_sum(total)
    if t % WARP == 0:
        sums[t // WARP] = total
    cuda.syncthreads()
    if t == 0:
        for warp in range(1, cuda.blockDim.x // WARP):
            total += sums[warp]
        cuda.atomic.add(out, 0, total)
    ### END SOLUTION


@cuda.jit
def softmax_kernel(x, out):
    """Row softmax: one block for each row, which it reads from global memory once.

    Parameters
    ----------
    x : float32 (n, classes), classes >= 1
    out : float32 (n, classes); row i becomes exp(x[i] - m) / sum of exp(x[i] - m), m the row's largest element

    Launch: blocks in one direction, one for each row or fewer, of whole warps, up to THREADS threads; classes * 4 bytes
    of dynamic shared memory, which `cuda.shared.array(0, float32)` hands out as one row.

    Approach: the threads walk along the row in steps of a block. First walk: copy the row into shared memory and keep
    the largest; second walk: the exponentials, in shared memory, and their sum; third walk: divide and write. Between
    them the block agrees on its maximum and its sum: `warp_max` or `warp_sum`, one number for each warp in shared
    memory, a barrier, and every thread looks at all of them. Where there are fewer blocks than rows, a block goes on
    with the row that lies gridDim.x further.
    Example: x = [[1, 2, 3], [0, 0, 0]] leaves out = [[0.0900, 0.2447, 0.6652], [0.3333, 0.3333, 0.3333]].
    Trap: the small array with one number for each warp is used twice in each row. A fast warp must not write its sum
    while a slow one still reads the maxima: between reading and the next writing belongs a barrier, or another array.
    Lecture: Deep Neural Networks, the table of last layers (`softmax` of ch03_activations).
    """
    ### BEGIN SOLUTION
    row = cuda.shared.array(0, float32)
    maxima = cuda.shared.array(WARP, float32)
    sums = cuda.shared.array(WARP, float32)
    t, step = cuda.threadIdx.x, cuda.blockDim.x
    classes = x.shape[1]
    for i in range(cuda.blockIdx.x, x.shape[0], cuda.gridDim.x):
        largest = np.float32(-math.inf)
        for j in range(t, classes, step):
            row[j] = x[i, j]
            largest = max(largest, row[j])
        largest = warp_max(largest)
        if t % WARP == 0:
            maxima[t // WARP] = largest
        cuda.syncthreads()
        for warp in range(step // WARP):
            largest = max(largest, maxima[warp])
        total = np.float32(0)
        for j in range(t, classes, step):
            row[j] = math.exp(row[j] - largest)
            total += row[j]
        total = warp_sum(total)
        if t % WARP == 0:
            sums[t // WARP] = total
        cuda.syncthreads()
        total = np.float32(0)
        for warp in range(step // WARP):
            total += sums[warp]
        for j in range(t, classes, step):
            out[i, j] = row[j] / total
    ### END SOLUTION


@cuda.jit
def histogram_kernel(pixels, counts):
    """How often each grey level occurs: threads that write to the same places, in an order that nobody knows.

    Parameters
    ----------
    pixels : uint8 (n,); grey levels 0 … 255
    counts : int32 (BINS,); how often each level occurs is added to what it holds

    Launch: blocks in one direction, of any size up to THREADS; more threads than pixels or fewer.

    Approach: an atomic on global memory for each pixel would be right, and slow: a dark image's threads all wait for
    counts[0]. Let each block count in a shared array of its own first. Four steps: set it to zero, all threads
    together; barrier; count the pixels of the grid-stride walk with `cuda.atomic.add` on the shared array; barrier; add
    the block's counts to the global ones, again with atomics, since other blocks do the same.
    Example: pixels = [0, 255, 0] leaves counts[0] two larger, counts[255] one larger and the others as they were.
    Trap: shared memory holds what the last block left there. And blocks may have fewer threads than there are bins:
    each thread clears and adds up more than one.
    Lecture: none; `np.bincount`.
    """
    ### BEGIN SOLUTION
    mine = cuda.shared.array(BINS, int32)
    t = cuda.threadIdx.x
    for level in range(t, BINS, cuda.blockDim.x):
        mine[level] = 0
    cuda.syncthreads()
    for i in range(cuda.grid(1), pixels.size, cuda.gridsize(1)):
        cuda.atomic.add(mine, pixels[i], 1)
    cuda.syncthreads()
    for level in range(t, BINS, cuda.blockDim.x):
        cuda.atomic.add(counts, level, mine[level])
    ### END SOLUTION


# --- order ----------------------------------------------------------------------------------------------------------


@cuda.jit
def transpose_kernel(x, out):
    """A transpose that reads rows and writes rows: the turn happens in shared memory.

    A thread that copies x[row, column] to out[column, row] has neighbours that read side by side and write far apart,
    or the other way round; one of the two is never coalesced. Through a tile in shared memory both are.

    Parameters
    ----------
    x : float32 (rows, columns)
    out : float32 (columns, rows); becomes the transpose of x

    Launch: blocks of TILE threads in x and any number up to TILE in y; one block for each tile of TILE * TILE elements:
    along the columns of x in x, along its rows in y.

    Approach: read the tile row by row, threadIdx.x along the row of x; if the block has fewer than TILE threads in y,
    each of them takes several rows, blockDim.y apart. Barrier. Then write the rows of the *turned* tile, whose place in
    out is (blockIdx.x, blockIdx.y): threadIdx.x again along the row, now of out. The guards are those of x the first
    time and those of out the second time. Shared memory comes in 32 banks, one number of each at a time; number k lies
    in bank k % 32. With rows of 32 numbers a column lies in a single bank, and 32 threads that read it wait in line.
    With rows of PADDED numbers it lies in 32.
    Example: x = [[1, 2, 3], [4, 5, 6]] leaves out = [[1, 4], [2, 5], [3, 6]].
    Trap: the thread that writes an element is not the one that read it. Without the barrier it writes what is not there
    yet.
    Lecture: none; the w.T of every backward pass.
    """
    ### BEGIN SOLUTION
    tile = cuda.shared.array((TILE, PADDED), float32)
    rows, columns = x.shape
    tx, ty = cuda.threadIdx.x, cuda.threadIdx.y
    left, top = cuda.blockIdx.x * TILE, cuda.blockIdx.y * TILE
    for r in range(ty, TILE, cuda.blockDim.y):
        if top + r < rows and left + tx < columns:
            tile[r, tx] = x[top + r, left + tx]
    cuda.syncthreads()
    for r in range(ty, TILE, cuda.blockDim.y):
        if left + r < columns and top + tx < rows:
            out[left + r, top + tx] = tile[tx, r]
    ### END SOLUTION

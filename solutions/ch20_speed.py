"""The speed ladder: the result is right already, now make it fast.

Every function here computes what an earlier chapter computed, and the same number of multiplications is done on every
rung. What changes is what the processor waits for. Three numbers say nearly all of it, for one core of an ordinary
processor with vectors of 8 float32 numbers ("AVX2"):

    arithmetic    2 instructions per cycle that multiply and add 8 numbers each: 2 * 8 * 2 = 32 FLOP per cycle, which
                  is 100 GFLOP/s at 3.1 GHz. One number at a time, each waiting 4 cycles for the one before: half a one.
    registers     16 vectors of 32 bytes. What is in a register costs nothing to use; the first cache (32 KiB, "L1")
                  hands out 2 vectors per cycle, the second (512 KiB, "L2") one, the third less than half of one.
    lines         memory comes in lines of 64 bytes. Who needs 4 bytes of one has paid for 16 numbers.

The *arithmetic intensity* of a loop is its FLOP per byte that it loads or stores. Take the hidden layer of the MNIST
network, 128 x 784 times 784 x 512: 2 * 128 * 784 * 512 = 103 million FLOP on 0.4 + 1.6 + 0.3 = 2.3 MB. If every number
travelled once, that would be 45 FLOP per byte. The rungs differ in how near they come:

    matmul_ijk            2 FLOP for 8 bytes of which 4 drag a whole line along, one sum that waits for itself
    matmul_ikj            16 FLOP for 3 vectors of 32 bytes: 1/6 FLOP per byte, but whole vectors and whole lines
    matmul_blocked        the same loop on pieces that stay in the cache, on all cores
    matmul_microkernel    192 FLOP for 88 bytes: 2.2 FLOP per byte, because 96 sums stay in registers

A convolution is a matrix product in disguise, and climbs the same ladder: naive, filters innermost, im2col and the
fast product, and at last the fast product that reads the image in place. The top rungs are *fused*: what would be
written to memory by one function and read again by the next stays in a register or in L1 between the two.

The key to the top rungs is one function, `tile`, which multiplies 6 rows by 2 vectors of columns. It finds the element
in row r and column k of its left matrix at rows[r] + columns[k], in two tables that the caller makes. So the "matrix"
may be a matrix, its transpose, or all windows of an image, none of which is ever copied. Everything is float32 and lies
in memory without gaps.
Follows the lectures on Deep Neural Networks and convolutional networks; the ladder itself is no lecture's.
"""

import numpy as np
from numba import njit, prange

from .simd import LANES, broadcast, fma, load, maximum, store, zeros

# The one promise that the compiler gets: it may round x * y + z once, as the instruction for it does, instead of twice.
CONTRACT = {"contract"}

# What `matmul_blocked` works on at a time: 64 x 512 float32 numbers of b are 128 KiB and stay in L2.
BLOCK_ROWS = 16
BLOCK_DEPTH = 64
BLOCK_WIDTH = 512

# The tile: 6 rows times 2 vectors are 12 sums. With 2 vectors of b and 2 of a that fills the 16 registers.
HEIGHT = 6
WIDTH = 2 * LANES

# What one thread takes at a time, multiples of HEIGHT: rows of a product, columns of x, pooled pixels.
ROWS = 576
INPUTS = 3 * WIDTH
POOLS = 48
PARTS = 8


# --- the matrix product ---------------------------------------------------------------------------------------------


@njit(cache=True)
def matmul_ijk(a, b):
    """Matrix product, first rung: the definition. Three loops, the sum innermost.

    Parameters
    ----------
    a : float32 (n, inner)
    b : float32 (inner, m)

    Returns
    -------
    float32 (n, m): the sum over k of a[i, k] * b[k, j]; zeros where inner is 0

    Why it is slow: the innermost loop walks down a column of b. From b[k, j] to b[k + 1, j] it is 4 * m bytes, 2 KiB
    for m = 512, so each number comes from another cache line: 64 bytes are fetched, 4 are used. A column of 784 such
    lines is 49 KiB, more than L1 holds, and so the line is gone again when its neighbour is wanted: 103 million FLOP
    move 3.3 GB. And all products go into one sum, where each addition waits 4 cycles for the one before.

    Approach: for i, for j: a sum in float32, for k.
    Example: [[1, 2, 3]] @ [[1, 10], [2, 20], [3, 30]] gives [[14, 140]].
    Trap: start the sum with np.float32(0). A plain 0.0 is a float64 in numba, and so is every sum that begins with it.
    Lecture: Deep Neural Networks, a layer as a matrix product.
    """
    ### BEGIN SOLUTION
    n, inner = a.shape
    m = b.shape[1]
    c = np.empty((n, m), np.float32)
    for i in range(n):
        for j in range(m):
            total = np.float32(0)
            for k in range(inner):
                total += a[i, k] * b[k, j]
            c[i, j] = total
    return c
    ### END SOLUTION


@njit(cache=True)
def matmul_ikj(a, b):
    """Matrix product, second rung: the same three loops in another order.

    Parameters
    ----------
    a : float32 (n, inner)
    b : float32 (inner, m)

    Returns
    -------
    float32 (n, m): the sum over k of a[i, k] * b[k, j]; zeros where inner is 0

    Why it is faster: with j innermost, the loop adds a multiple of one row of b to one row of the result. Both lie side
    by side in memory, so that every line is used to its last byte, and no addition waits for another. The compiler
    makes vector instructions of it: 8 products and sums at once. Why it is not the end: for these 16 FLOP it loads a
    vector of b, loads one of c and stores it again, 96 bytes. A core that can do 2 multiplications a cycle gets its
    vectors for less than one of them. And each row of a reads all of b, 1.6 MB, which is more than L2 holds.

    Approach: zeros for the result; for i, for k: take a[i, k] once and slice the two rows, then for j.
    Example: [[1, 2, 3]] @ [[1, 10], [2, 20], [3, 30]] gives [[14, 140]].
    Trap: the result is added to from the start, so it has to begin with zeros: np.empty holds whatever lay there.
    Lecture: Deep Neural Networks, a layer as a matrix product.
    """
    ### BEGIN SOLUTION
    n, inner = a.shape
    m = b.shape[1]
    c = np.zeros((n, m), np.float32)
    for i in range(n):
        c_row = c[i]
        for k in range(inner):
            a_ik = a[i, k]
            b_row = b[k]
            for j in range(m):
                c_row[j] += a_ik * b_row[j]
    return c
    ### END SOLUTION


@njit(cache=True, parallel=True)
def matmul_blocked(a, b):
    """Matrix product, third rung: pieces that stay in the cache, and all cores.

    Parameters
    ----------
    a : float32 (n, inner)
    b : float32 (inner, m)

    Returns
    -------
    float32 (n, m): the sum over k of a[i, k] * b[k, j]; zeros where inner is 0

    Why it is faster: i-k-j fetches all of b again for each row of a, 128 * 1.6 MB = 205 MB from the third cache. A
    block of b of 64 x 512 numbers is 128 KiB and stays in L2 while BLOCK_ROWS rows of a use it: 16 times less to
    fetch. Inside the block, four rows of b at a time: they are added to a piece of c that is loaded and stored once
    instead of four times, 6 vectors moved for 4 multiplications instead of 12. And the rows of the result have nothing
    to do with each other, so every core takes its own.

    Approach: prange over blocks of BLOCK_ROWS rows; inside, blocks of BLOCK_DEPTH values of k and of BLOCK_WIDTH
    columns; inside those i, k in steps of four, j. Slice the rows before the innermost loop.
    Example: [[1, 2, 3]] @ [[1, 10], [2, 20], [3, 30]] gives [[14, 140]].
    Trap: nothing need be a multiple of anything. The last block is shorter in each direction, and what is left of k
    after the steps of four wants a loop of its own.
    Lecture: Deep Neural Networks, a layer as a matrix product.
    """
    ### BEGIN SOLUTION
    n, inner = a.shape
    m = b.shape[1]
    c = np.zeros((n, m), np.float32)
    for block in prange((n + BLOCK_ROWS - 1) // BLOCK_ROWS):
        first = block * BLOCK_ROWS
        for k0 in range(0, inner, BLOCK_DEPTH):
            k1 = min(inner, k0 + BLOCK_DEPTH)
            for j0 in range(0, m, BLOCK_WIDTH):
                for i in range(first, min(n, first + BLOCK_ROWS)):
                    add_rows(a[i], b, k0, k1, j0, c[i, j0 : j0 + BLOCK_WIDTH])
    return c
    ### END SOLUTION


@njit(cache=True, fastmath=CONTRACT)
def add_rows(factors, b, first, last, column, total):
    """Part of matmul_blocked: add to `total` pieces of some rows of b, each times its factor, four rows at a time.

    Parameters
    ----------
    factors : float32 (inner,); one for each row of b
    b : float32 (inner, m)
    first, last : int; the rows from first to last - 1
    column : int; where the pieces begin
    total : float32 (width,); changed in place
    """
    ### BEGIN SOLUTION
    width = total.size
    fours = last - (last - first) % 4
    for k in range(first, fours, 4):
        f0, f1, f2, f3 = factors[k], factors[k + 1], factors[k + 2], factors[k + 3]
        b0, b1 = b[k, column : column + width], b[k + 1, column : column + width]
        b2, b3 = b[k + 2, column : column + width], b[k + 3, column : column + width]
        for j in range(width):
            total[j] = total[j] + f0 * b0[j] + f1 * b1[j] + f2 * b2[j] + f3 * b3[j]
    for k in range(fours, last):
        factor, row = factors[k], b[k, column : column + width]
        for j in range(width):
            total[j] += factor * row[j]
    ### END SOLUTION


@njit(cache=True)
def tile(a, rows, first, columns, panel, sums, at, stride):
    """The heart of the fast functions: HEIGHT rows times WIDTH columns, with all the sums in registers.

        sums[at + r * stride + j] += sum over k of a[rows[first + r] + columns[k]] * panel[k * WIDTH + j]
        for r in 0 … HEIGHT - 1 and j in 0 … WIDTH - 1

    Parameters
    ----------
    a : float32, one axis; holds the left matrix
    rows : int64, one axis; where the rows begin in a; there are HEIGHT of them from `first` on
    first : int; the first of the rows to take
    columns : int64 (depth,); where the columns lie, counted from the row's beginning
    panel : float32 (depth * WIDTH,) or longer; a strip of the right matrix, as `pack` lays it out
    sums : float32, one axis; changed in place
    at, stride : int; where the result's first row lies in sums, and how far it is from one row to the next

    For each k there are 2 vectors of the panel to load and 6 single numbers of a, 64 + 24 = 88 bytes, and 12
    multiplications and additions of vectors to do, 192 FLOP. The processor starts two of these per cycle and has the
    result 4 cycles later: it takes 8 sums that do not wait for each other to keep it busy, and here are 12.

    Approach: load the 12 vectors of sums that are there, go over k once, then store all 12. Six rows written out by
    hand look clumsy; but a list of vectors would lie in memory, and the point is that they do not.
    """
    ### BEGIN SOLUTION
    row0, row1, row2 = rows[first], rows[first + 1], rows[first + 2]
    row3, row4, row5 = rows[first + 3], rows[first + 4], rows[first + 5]
    at1, at2, at3, at4, at5 = at + stride, at + 2 * stride, at + 3 * stride, at + 4 * stride, at + 5 * stride
    left0, right0 = load(sums, at), load(sums, at + LANES)
    left1, right1 = load(sums, at1), load(sums, at1 + LANES)
    left2, right2 = load(sums, at2), load(sums, at2 + LANES)
    left3, right3 = load(sums, at3), load(sums, at3 + LANES)
    left4, right4 = load(sums, at4), load(sums, at4 + LANES)
    left5, right5 = load(sums, at5), load(sums, at5 + LANES)
    for k in range(columns.size):
        column = columns[k]
        left, right = load(panel, k * WIDTH), load(panel, k * WIDTH + LANES)
        value = broadcast(a, row0 + column)
        left0, right0 = fma(value, left, left0), fma(value, right, right0)
        value = broadcast(a, row1 + column)
        left1, right1 = fma(value, left, left1), fma(value, right, right1)
        value = broadcast(a, row2 + column)
        left2, right2 = fma(value, left, left2), fma(value, right, right2)
        value = broadcast(a, row3 + column)
        left3, right3 = fma(value, left, left3), fma(value, right, right3)
        value = broadcast(a, row4 + column)
        left4, right4 = fma(value, left, left4), fma(value, right, right4)
        value = broadcast(a, row5 + column)
        left5, right5 = fma(value, left, left5), fma(value, right, right5)
    store(sums, at, left0)
    store(sums, at + LANES, right0)
    store(sums, at1, left1)
    store(sums, at1 + LANES, right1)
    store(sums, at2, left2)
    store(sums, at2 + LANES, right2)
    store(sums, at3, left3)
    store(sums, at3 + LANES, right3)
    store(sums, at4, left4)
    store(sums, at4 + LANES, right4)
    store(sums, at5, left5)
    store(sums, at5 + LANES, right5)
    ### END SOLUTION


@njit(cache=True)
def pack(b, first, down, across, width, panel):
    """Copy a strip of a matrix so that `tile` reads it from the first number to the last without a jump.

    Parameters
    ----------
    b : float32, one axis; holds the right matrix
    first : int; where the strip begins in b
    down, across : int; how far it is in b from one row to the next, and from one column to the next
    width : int; the strip's columns, at most WIDTH
    panel : float32 (depth * WIDTH,); filled in place, row after row, WIDTH numbers each: 0 where the strip is narrower

    Exchange `down` and `across`, and the strip is one of the transposed matrix.
    """
    ### BEGIN SOLUTION
    if across == 1 and width == WIDTH:
        for k in range(panel.size // WIDTH):
            store(panel, k * WIDTH, load(b, first + k * down))
            store(panel, k * WIDTH + LANES, load(b, first + k * down + LANES))
    else:
        for j in range(WIDTH):
            for k in range(panel.size // WIDTH):
                panel[k * WIDTH + j] = b[first + k * down + j * across] if j < width else np.float32(0)
    ### END SOLUTION


@njit(cache=True)
def packed(b, first, down, across, depth, width):
    """All strips of a matrix, packed one after the other: the one that begins with column j at j * depth.

    Parameters
    ----------
    b : float32, one axis; holds the matrix
    first : int; where the matrix begins in b
    down, across : int; how far it is in b from one row to the next, and from one column to the next
    depth, width : int; the rows and columns

    Returns
    -------
    float32, one axis: depth * WIDTH numbers for each strip
    """
    ### BEGIN SOLUTION
    panels = np.empty((width + WIDTH - 1) // WIDTH * WIDTH * depth, np.float32)
    for j in range(0, width, WIDTH):
        pack(b, first + j * across, down, across, min(WIDTH, width - j), panels[j * depth : (j + WIDTH) * depth])
    return panels
    ### END SOLUTION


@njit(cache=True)
def steps(first, count, step):
    """A table for `tile`: first, first + step, …; count of them, and then 0 up to a multiple of HEIGHT.

    The zeros stand for rows that are not there. `tile` computes them like the others, and nobody reads the result.
    """
    table = np.zeros((count + HEIGHT - 1) // HEIGHT * HEIGHT, np.int64)
    for i in range(count):
        table[i] = first + i * step
    return table


@njit(cache=True)
def packed_columns(count, depth):
    """A table for `tile`: where the columns of a matrix begin in what `packed` made of it, then 0 up to a multiple of
    HEIGHT. Its elements lie WIDTH apart: with this table for the rows, `tile` reads the packed matrix transposed.
    """
    ### BEGIN SOLUTION
    table = steps(0, count, 0)
    for j in range(count):
        table[j] = j // WIDTH * depth * WIDTH + j % WIDTH
    return table
    ### END SOLUTION


@njit(cache=True)
def multiply(a, rows, columns, panel, sums):
    """All the tiles that stand on one panel: row r of the product is added to sums[r * WIDTH : (r + 1) * WIDTH]."""
    ### BEGIN SOLUTION
    for first in range(0, rows.size, HEIGHT):
        tile(a, rows, first, columns, panel, sums, first * WIDTH, WIDTH)
    ### END SOLUTION


@njit(cache=True, parallel=True)
def matmul_microkernel(a, b):
    """Matrix product, fourth rung: the sums stay in registers.

    Parameters
    ----------
    a : float32 (n, inner)
    b : float32 (inner, m)

    Returns
    -------
    float32 (n, m): the sum over k of a[i, k] * b[k, j]; zeros where inner is 0

    Why it is faster: the rungs below load and store c all the time. Here a tile of c, 6 rows and 2 vectors of columns,
    is computed from the first k to the last while its 12 vectors of sums stay in registers. A vector of b, once
    loaded, serves 6 rows, a number of a serves 16 columns: 192 FLOP for 88 bytes, 13 times the intensity of i-k-j. Now
    it is the multiplications that the processor waits for, and no rung can be much higher. The strip of b that a tile
    reads is copied first ("packed"): 784 * 64 bytes in one piece, instead of 784 pieces 2 KiB apart. The copy pays,
    because all the rows use it.

    Approach: write `tile` and `pack`. prange over pieces of the result of ROWS rows and WIDTH columns, each with its
    own packed panel and its own zeros to add up in; copy what lies inside the result at the end.
    Example: [[1, 2, 3]] @ [[1, 10], [2, 20], [3, 30]] gives [[14, 140]].
    Trap: the edges. The last panel has fewer columns and the last tile fewer rows; compute them all the same, on zeros
    and in memory of your own, and copy only what is there.
    Lecture: Deep Neural Networks, a layer as a matrix product.
    """
    ### BEGIN SOLUTION
    n, inner = a.shape
    m = b.shape[1]
    c = np.empty((n, m), np.float32)
    a_flat, b_flat = a.reshape(-1), b.reshape(-1)
    columns = steps(0, inner, 1)[:inner]
    blocks = (n + ROWS - 1) // ROWS
    panels = (m + WIDTH - 1) // WIDTH
    for piece in prange(panels * blocks):
        i, j = piece % blocks * ROWS, piece // blocks * WIDTH
        height, width = min(ROWS, n - i), min(WIDTH, m - j)
        rows = steps(i * inner, height, inner)
        panel, sums = np.empty(inner * WIDTH, np.float32), np.zeros(rows.size * WIDTH, np.float32)
        pack(b_flat, j, m, 1, width, panel)
        multiply(a_flat, rows, columns, panel, sums)
        copy_block(sums, c[i : i + height, j : j + width])
    return c
    ### END SOLUTION


@njit(cache=True)
def copy_block(sums, c):
    """What `multiply` has added up, as far as it lies inside the result.

    Parameters
    ----------
    sums : float32, one axis; rows of WIDTH numbers
    c : float32 (height, width), width at most WIDTH; changed in place
    """
    ### BEGIN SOLUTION
    height, width = c.shape
    for i in range(height):
        row = sums[i * WIDTH : i * WIDTH + width]
        for j in range(width):
            c[i, j] = row[j]
    ### END SOLUTION


# --- the dense layer ------------------------------------------------------------------------------------------------


@njit(cache=True, parallel=True)
def dense_relu_fused(x, w, b):
    """A dense layer with its ReLU in one pass.

    Parameters
    ----------
    x : float32 (n, d_in)
    w : float32 (d_in, d_out)
    b : float32 (d_out,)

    Returns
    -------
    float32 (n, d_out): max(x @ w + b, 0)

    Why it is faster: written one after the other, the product stores n * d_out numbers, the bias loads and stores them,
    the ReLU loads and stores them: 5 * 4 bytes for each, of which 4 are the result. None of this costs anything while
    the number is in L1 anyway: start the sums from the bias instead of zeros, and cut them off at 0 before they are
    copied into the result.

    Approach: matmul_microkernel with two more lines. A piece has WIDTH columns, so its bias is two vectors.
    Example: x = [[1, 2]], w = [[1, 0, -1], [3, 1, 0]], b = [10, -20, 0.5] gives [[17, 0, 0]].
    Trap: the bias belongs to the sum. max(x @ w, 0) + b is another function.
    Lecture: Deep Neural Networks, layers.
    """
    ### BEGIN SOLUTION
    n, d_in = x.shape
    d_out = w.shape[1]
    y = np.empty((n, d_out), np.float32)
    x_flat, w_flat = x.reshape(-1), w.reshape(-1)
    columns = steps(0, d_in, 1)[:d_in]
    blocks = (n + ROWS - 1) // ROWS
    panels = (d_out + WIDTH - 1) // WIDTH
    for piece in prange(panels * blocks):
        i, j = piece % blocks * ROWS, piece // blocks * WIDTH
        height, width = min(ROWS, n - i), min(WIDTH, d_out - j)
        rows = steps(i * d_in, height, d_in)
        panel, sums = np.empty(d_in * WIDTH, np.float32), np.empty(rows.size * WIDTH, np.float32)
        pack(w_flat, j, d_out, 1, width, panel)
        pack(b, j, 0, 1, width, sums)
        multiply(x_flat, rows, columns, panel, sums)
        for k in range(0, sums.size, LANES):
            store(sums, k, maximum(load(sums, k), zeros()))
        copy_block(sums, y[i : i + height, j : j + width])
    return y
    ### END SOLUTION


@njit(cache=True)
def add(addend, total):
    """total += addend, in place: float32, one axis each."""
    for i in range(total.size):
        total[i] += addend[i]


@njit(cache=True)
def sum_rows(dy):
    """The sum over the samples: float32 (n, d_out) gives float32 (d_out,)."""
    ### BEGIN SOLUTION
    total = np.zeros(dy.shape[1], np.float32)
    for i in range(dy.shape[0]):
        add(dy[i], total)
    return total
    ### END SOLUTION


@njit(cache=True, error_model="numpy")
def rmsprop_row(w, g, acc, lr, rho, eps):
    """Part of dense_step_fused: the arithmetic of rmsprop_step on one piece of a row, in place.

    Parameters
    ----------
    w, acc : float32 (width,); the weights and the decaying average of their squared gradients
    g : float32 (width,) or longer; their gradients
    lr, rho, eps : float
    """
    ### BEGIN SOLUTION
    rate, floor, keep, blend = np.float32(lr), np.float32(eps), np.float32(rho), np.float32(1.0 - rho)
    for j in range(w.size):
        average = keep * acc[j] + blend * g[j] * g[j]
        acc[j] = average
        w[j] -= rate * g[j] / np.sqrt(average + floor)
    ### END SOLUTION


@njit(cache=True, parallel=True)
def dense_step_fused(dy, x, w, b, acc_w, acc_b, lr, rho, eps):
    """The backward pass of a dense layer and its RMSprop step in one go; the gradient of w is never in memory.

    Parameters
    ----------
    dy : float32 (n, d_out); the upstream gradient
    x : float32 (n, d_in); the forward pass's input
    w : float32 (d_in, d_out); the weights, updated in place
    b : float32 (d_out,); the biases, updated in place
    acc_w : float32, the shape of w; RMSprop's decaying average of dw², updated in place
    acc_b : float32, the shape of b; that of db², updated in place
    lr : float; the learning rate
    rho : float in [0, 1); the share of the averages that is kept
    eps : float; keeps the root away from zero

    Returns
    -------
    float32 (n, d_in): dx = dy @ w.T, with the weights as they were before the step

    With dw = x.T @ dy and db = the sum of dy over the samples, acc becomes rho * acc + (1 - rho) * d² and then w
    becomes w - lr * d / sqrt(acc + eps), as in rmsprop_step.

    Why it is faster: for 784 x 512 weights, dw is 1.6 MB, more than L2 holds. Storing it, and loading it again for the
    step, moves as many bytes as w itself. But RMSprop looks at one weight at a time: as soon as 6 rows of dw are done,
    these 6 inputs' weights can make their step, while the rows are still in L1. And dx of one input needs one row of
    w: the thread that takes some rows of w computes their dx first and then updates them. No row has to be kept twice,
    and w comes from memory once for both.

    Approach: prange over pieces of INPUTS rows of w. For each, dx: a product of dy with a packed strip of w.T. Then dw,
    HEIGHT rows at a time: pack this piece's columns of x and let `tile` read them transposed; its panels are strips of
    dy, packed once for all. Update these rows of w at once. The biases at the end.
    Example: dy = [[1], [2]], x = [[1, 2], [3, 4]], w = [[1], [10]] with lr = 0.1, rho = 0.75, eps = 0, b = [0] and all
    averages 0: dx = [[1, 10], [2, 20]]; dw = [[7], [10]] makes acc_w = [[12.25], [25]] and w = [[0.8], [9.8]]; db = [3]
    makes acc_b = [2.25] and b = [-0.2].
    Trap: dx wants the old weights. And do not divide by n: the loss has done that in dy already.
    Lecture: Deep Neural Networks, backpropagation; optimizers.
    """
    ### BEGIN SOLUTION
    n, d_out = dy.shape
    d_in = x.shape[1]
    dx = np.empty((n, d_in), np.float32)
    dy_flat, x_flat, w_flat = dy.reshape(-1), x.reshape(-1), w.reshape(-1)
    dy_rows, units, samples = steps(0, n, d_out), steps(0, d_out, 1)[:d_out], steps(0, n, WIDTH)[:n]
    panels, wide = packed(dy_flat, 0, d_out, 1, n, d_out), (d_out + WIDTH - 1) // WIDTH * WIDTH
    for piece in prange((d_in + INPUTS - 1) // INPUTS):
        first = piece * INPUTS
        last = min(d_in, first + INPUTS)
        for i in range(first, last, WIDTH):
            width = min(WIDTH, last - i)
            panel, sums = np.empty(d_out * WIDTH, np.float32), np.zeros(dy_rows.size * WIDTH, np.float32)
            pack(w_flat, i * d_out, 1, d_out, width, panel)
            multiply(dy_flat, dy_rows, units, panel, sums)
            copy_block(sums, dx[:, i : i + width])
        inputs, x_panels = packed_columns(last - first, n), packed(x_flat, first, d_in, 1, n, last - first)
        for i in range(first, last, HEIGHT):
            dw = np.zeros((HEIGHT, wide), np.float32)
            for j in range(0, wide, WIDTH):
                panel = panels[j * n : (j + WIDTH) * n]
                tile(x_panels, inputs, i - first, samples, panel, dw.reshape(-1), j, wide)
            for row in range(i, min(last, i + HEIGHT)):
                rmsprop_row(w[row], dw[row - i], acc_w[row], lr, rho, eps)
    rmsprop_row(b, sum_rows(dy), acc_b, lr, rho, eps)
    return dx
    ### END SOLUTION


# --- the convolution ------------------------------------------------------------------------------------------------


@njit(cache=True)
def conv2d_naive(x, kernel, bias):
    """A convolution, first rung: the definition, one output number after the other. "valid", stride 1.

    Parameters
    ----------
    x : float32 (n, h, w, c_in)
    kernel : float32 (kh, kw, c_in, filters)
    bias : float32 (filters,)

    Returns
    -------
    float32 (n, h - kh + 1, w - kw + 1, filters): bias[f] + the sum over a, b, c of
    x[s, i + a, j + b, c] * kernel[a, b, c, f]

    Why it is slow: for one filter after the other the loop reads the whole window again, and of each line of the
    kernel, 16 filters side by side, it uses one number. One sum at a time, no vectors.

    Approach: seven loops, a sum in float32 that starts from the bias.
    Example: x = [[1, 2, 3], [4, 5, 6], [7, 8, 9]] and kernel = [[1, 0], [0, -2]], one channel and one filter, bias 10,
    gives [[1, 0], [-2, -3]].
    Trap: the kernel is not turned: x[i + a, j + b] meets kernel[a, b].
    Lecture: convolutional networks, the convolution.
    """
    ### BEGIN SOLUTION
    n, h, w, c_in = x.shape
    kh, kw, _, filters = kernel.shape
    y = np.empty((n, h - kh + 1, w - kw + 1, filters), np.float32)
    for s in range(n):
        for i in range(h - kh + 1):
            for j in range(w - kw + 1):
                for f in range(filters):
                    total = bias[f]
                    for a in range(kh):
                        for b in range(kw):
                            for c in range(c_in):
                                total += x[s, i + a, j + b, c] * kernel[a, b, c, f]
                    y[s, i, j, f] = total
    return y
    ### END SOLUTION


@njit(cache=True, parallel=True, fastmath=CONTRACT)
def conv2d_blocked(x, kernel, bias):
    """A convolution, second rung: filters innermost, a row of output pixels at a time, all cores. "valid", stride 1.

    Parameters
    ----------
    x : float32 (n, h, w, c_in)
    kernel : float32 (kh, kw, c_in, filters)
    bias : float32 (filters,)

    Returns
    -------
    float32 (n, h - kh + 1, w - kw + 1, filters), as conv2d_naive has it

    Why it is faster: the filters lie side by side in the kernel and in the output, so with f innermost the loop adds a
    multiple of one row of weights to one output pixel, in vectors. The second gain is the order outside: a kernel of
    3 x 3 x 32 x 64 numbers is 72 KiB, more than L1 holds. Pixel by pixel, all of it is fetched again for each. With the
    loop over the columns inside those over the kernel, one row of 64 weights is fetched once and serves a whole row of
    output pixels, which is small enough to stay in L1.

    Approach: prange over all rows of all samples' outputs. Fill the row with the bias; then for a, b, c, for each
    output pixel of the row, for f.
    Example: x = [[1, 2, 3], [4, 5, 6], [7, 8, 9]] and kernel = [[1, 0], [0, -2]], one channel and one filter, bias 10,
    gives [[1, 0], [-2, -3]].
    Trap: every thread must have output rows of its own. Threads that share out the channels add to the same pixel.
    Lecture: convolutional networks, the convolution.
    """
    ### BEGIN SOLUTION
    n, h, w, c_in = x.shape
    kh, kw, _, filters = kernel.shape
    rows, columns = h - kh + 1, w - kw + 1
    y = np.empty((n, rows, columns, filters), np.float32)
    for row in prange(n * rows):
        s, i = row // rows, row % rows
        pixels = y[s, i]
        for j in range(columns):
            for f in range(filters):
                pixels[j, f] = bias[f]
        for a in range(kh):
            for b in range(kw):
                seen = x[s, i + a, b : b + columns]
                for c in range(c_in):
                    weights = kernel[a, b, c]
                    for j in range(columns):
                        value, pixel = seen[j, c], pixels[j]
                        for f in range(filters):
                            pixel[f] += value * weights[f]
    return y
    ### END SOLUTION


@njit(cache=True, parallel=True)
def conv2d_im2col(x, kernel, bias):
    """A convolution, third rung: write out the windows, then call the fast product. "valid", stride 1.

    Parameters
    ----------
    x : float32 (n, h, w, c_in)
    kernel : float32 (kh, kw, c_in, filters)
    bias : float32 (filters,)

    Returns
    -------
    float32 (n, h - kh + 1, w - kw + 1, filters), as conv2d_naive has it

    Why it is faster: one row per window, and the convolution is a matrix product, for which there is a fast function.
    What it costs: with a 3 x 3 kernel every pixel is written nine times and read nine times. For 64 maps of
    13 x 13 x 32 these are 8.9 MB instead of 1.4. The product does 2 * 64 FLOP per number of it, so that the detour is
    cheap here; with 4 filters it would not be.

    Approach: a row of a window, kw pixels with all their channels, lies in memory in one piece: copy kw * c_in numbers
    at a time, kh times per window, the samples shared out. Then matmul_microkernel with the kernel reshaped to
    (kh * kw * c_in, filters), and the bias.
    Example: x = [[1, 2, 3], [4, 5, 6], [7, 8, 9]] and kernel = [[1, 0], [0, -2]], one channel and one filter, bias 10,
    gives [[1, 0], [-2, -3]].
    Trap: the order within a row must be that of the kernel's axes: kh, kw, then c_in.
    Lecture: convolutional networks, the convolution as a matrix product.
    """
    ### BEGIN SOLUTION
    n, h, w, c_in = x.shape
    kh, kw, _, filters = kernel.shape
    rows, columns = h - kh + 1, w - kw + 1
    piece = kw * c_in
    windows = np.empty((n * rows * columns, kh * piece), np.float32)
    images = x.reshape(n * h, w * c_in)
    for s in prange(n):
        for i in range(rows):
            for j in range(columns):
                window = windows[(s * rows + i) * columns + j]
                for a in range(kh):
                    pixels = images[s * h + i + a, j * c_in : j * c_in + piece]
                    for k in range(piece):
                        window[a * piece + k] = pixels[k]
    y = matmul_microkernel(windows, kernel.reshape(kh * piece, filters))
    for pixel in prange(y.shape[0]):
        add(bias, y[pixel])
    return y.reshape(n, rows, columns, filters)
    ### END SOLUTION


@njit(cache=True)
def window_offsets(kh, kw, w, c_in):
    """A table for `tile`: where the numbers of a window lie, counted from its first, in the order of the kernel.

    Number (a, b, c) of a window lies at (a * w + b) * c_in + c, in an image whose rows are w pixels long. The table
    has kh * kw * c_in entries, and then 0 up to a multiple of HEIGHT.
    """
    ### BEGIN SOLUTION
    table = steps(0, kh * kw * c_in, 1)
    for a in range(kh):
        for k in range(kw * c_in):
            table[a * kw * c_in + k] = a * w * c_in + k
    return table
    ### END SOLUTION


@njit(cache=True)
def window_starts(first, count, rows, columns, h, w, c_in):
    """A table for `tile`: where the windows begin that lie under some pooled pixels, four for each of them.

    Parameters
    ----------
    first : int; the first pooled pixel, counted over all samples, rows and columns
    count : int; how many pooled pixels
    rows, columns : int; how many pooled pixels a sample has, down and across
    h, w, c_in : int; the image

    Returns
    -------
    int64: 4 * count entries, and then 0 up to a multiple of HEIGHT. The four windows under one pooled pixel come one
    after the other: left above, right above, left below, right below.
    """
    ### BEGIN SOLUTION
    table = steps(0, 4 * count, 0)
    for k in range(count):
        row = (first + k) // columns
        s, j = row // rows, first + k - row * columns
        start = ((s * h + 2 * (row - s * rows)) * w + 2 * j) * c_in
        table[4 * k] = start
        table[4 * k + 1] = start + c_in
        table[4 * k + 2] = start + w * c_in
        table[4 * k + 3] = start + (w + 1) * c_in
    return table
    ### END SOLUTION


@njit(cache=True, parallel=True)
def conv2d_fused(x, kernel, bias):
    """A convolution, fourth rung: with its bias, its ReLU and a 2 x 2 max pooling in one pass. "valid", stride 1.

    Parameters
    ----------
    x : float32 (n, h, w, c_in)
    kernel : float32 (kh, kw, c_in, filters)
    bias : float32 (filters,)

    Returns
    -------
    y : float32 (n, rows, columns, filters) with rows = (h - kh + 1) // 2, columns = (w - kw + 1) // 2: the largest of
        each 2 x 2 square of max(convolution + bias, 0); a last odd row or column of the convolution is left out
    argmax : uint8, the shape of y: which of the four it was, 0 left above, 1 right above, 2 left below, 3 right below,
        the first one where several are equal; 4 where none is above 0, so that no gradient flows back

    Why it is faster: im2col writes 8.9 MB that hold nothing new. `tile` does not need them: its rows may begin
    anywhere, so let row r begin where window r begins in the image itself. They overlap, and it does not matter. Then
    the pooling: of the 64 x 26 x 26 x 32 numbers of a first layer on MNIST, 5.5 MB that would be stored, loaded for the
    bias, for the ReLU and for the pooling, one in four remains. Take the windows in fours, as the pooling will, and
    the four numbers lie in L1 next to each other when it comes to choosing the largest. What the pooling leaves out is
    not even computed. And since the largest of four stays the largest when the same bias is added to all and when all
    are cut off at 0, the ReLU has one number to look at instead of four.

    Approach: pack the kernel, a matrix of kh * kw * c_in rows, once. prange over pieces of POOLS pooled pixels: make
    the table of their windows; for each panel start the sums from the bias, `multiply`, then `pool` the sums.
    Example: x = [[1, 2, 3], [4, 5, 6], [7, 8, 9]] and kernel = [[1, 0], [0, -2]], one channel and one filter: with bias
    10 the convolution is [[1, 0], [-2, -3]], so y = [[1]] and argmax = [[0]]. With bias 8, y = [[0]], argmax = [[4]].
    Trap: 4 also where the largest is exactly 0: there the ReLU's slope is 0.
    Lecture: convolutional networks, the convolution; pooling.
    """
    ### BEGIN SOLUTION
    n, h, w, c_in = x.shape
    kh, kw, _, filters = kernel.shape
    rows, columns = (h - kh + 1) // 2, (w - kw + 1) // 2
    depth, pools = kh * kw * c_in, n * rows * columns
    y, argmax = np.empty((pools, filters), np.float32), np.empty((pools, filters), np.uint8)
    x_flat, panels = x.reshape(-1), packed(kernel.reshape(-1), 0, filters, 1, depth, filters)
    window = window_offsets(kh, kw, w, c_in)[:depth]
    for piece in prange((pools + POOLS - 1) // POOLS):
        first = piece * POOLS
        last = min(pools, first + POOLS)
        starts = window_starts(first, last - first, rows, columns, h, w, c_in)
        for f in range(0, filters, WIDTH):
            width = min(WIDTH, filters - f)
            sums = np.empty(starts.size * WIDTH, np.float32)
            pack(bias, f, 0, 1, width, sums)
            multiply(x_flat, starts, window, panels[f * depth : (f + WIDTH) * depth], sums)
            pool(sums, y[first:last, f : f + width], argmax[first:last, f : f + width])
    return y.reshape(n, rows, columns, filters), argmax.reshape(n, rows, columns, filters)
    ### END SOLUTION


@njit(cache=True)
def pool(sums, y, argmax):
    """Part of conv2d_fused: the ReLU of the largest of four, and which one it was.

    Parameters
    ----------
    sums : float32, one axis; rows of WIDTH numbers, four for each pooled pixel
    y : float32 (count, width), width at most WIDTH; changed in place
    argmax : uint8 (count, width); changed in place

    Approach: write each choice as an expression, `a if a > b else b`, and numbers that do not depend on it before: a
    loop without jumps becomes vector instructions.
    """
    ### BEGIN SOLUTION
    count, width = y.shape
    zero = np.float32(0)
    for i in range(count):
        four = sums[4 * i * WIDTH : 4 * (i + 1) * WIDTH]
        v0, v1 = four[:width], four[WIDTH : WIDTH + width]
        v2, v3 = four[2 * WIDTH : 2 * WIDTH + width], four[3 * WIDTH : 3 * WIDTH + width]
        largest_of_each, where_of_each = y[i], argmax[i]
        for j in range(width):
            largest, where = v0[j], np.int32(0)
            where = np.int32(1) if v1[j] > largest else where
            largest = v1[j] if v1[j] > largest else largest
            where = np.int32(2) if v2[j] > largest else where
            largest = v2[j] if v2[j] > largest else largest
            where = np.int32(3) if v3[j] > largest else where
            largest = v3[j] if v3[j] > largest else largest
            largest_of_each[j] = zero if largest <= zero else largest
            where_of_each[j] = np.int32(4) if largest <= zero else where
    ### END SOLUTION


@njit(cache=True, parallel=True)
def conv2d_fused_backward(dy, argmax, x, kernel):
    """The backward pass of conv2d_fused.

    Parameters
    ----------
    dy : float32 (n, rows, columns, filters); the upstream gradient
    argmax : uint8, the shape of dy; from the forward pass: which of the four was the largest, 4 for none
    x : float32 (n, h, w, c_in); the forward pass's input
    kernel : float32 (kh, kw, c_in, filters)

    Returns
    -------
    dx : float32, the shape of x
    dkernel : float32, the shape of kernel
    dbias : float32 (filters,): the sum of dy over samples, rows and columns, where argmax is below 4

    Why it is faster: one function after the other would write the gradient of the convolution's output, 5.5 MB for a
    first layer on MNIST, three quarters of it zeros, and a matrix of windows' gradients nine times as large as x. Here
    both exist for POOLS pooled pixels at a time, in L1 and L2. And both are products for the same `tile`:

        dkernel = windows.T @ slopes      rows: the numbers of a window; columns: where the windows begin
        dwindows = slopes @ kernel.T      to be added to dx where the windows lie

    which is why `tile` takes tables: exchange them, and the matrix is transposed.

    Approach: share out the samples, in at most PARTS parts. Each part has its own zeros for dkernel and dbias, which
    are added together at the end, always in the same order: the result does not depend on which thread was first. In
    a part, for POOLS pooled pixels at a time: `unpool` into packed panels of slopes, then the two products.
    Example: x = [[1, 2, 3], [4, 5, 6], [7, 8, 9]], kernel = [[1, 0], [0, -2]], dy = [[10]] and argmax = [[3]] give
    dx = [[0, 0, 0], [0, 10, 0], [0, 0, -20]], dkernel = [[50, 60], [80, 90]] and dbias = [10].
    Trap: windows overlap: add to dx. The rows and columns of x that only left out windows saw have gradient 0.
    Lecture: convolutional networks, pooling; Deep Neural Networks, backpropagation.
    """
    ### BEGIN SOLUTION
    n, _, _, c_in = x.shape
    kh, kw, _, filters = kernel.shape
    depth, parts = kh * kw * c_in, max(1, min(PARTS, n))
    panels = packed(kernel.reshape(-1), 0, 1, filters, filters, depth)
    strips = (filters + WIDTH - 1) // WIDTH
    dx = np.empty_like(x)
    dkernels = np.empty((parts, steps(0, depth, 1).size, strips * WIDTH), np.float32)
    dbiases = np.empty((parts, filters), np.float32)
    for part in prange(parts):
        samples = slice(part * n // parts, (part + 1) * n // parts)
        given = dy[samples], argmax[samples], x[samples], kernel.shape, panels
        compute_gradients(*given, dx[samples], dkernels[part], dbiases[part])
    for part in range(1, parts):
        add(dkernels[part].reshape(-1), dkernels[0].reshape(-1))
        add(dbiases[part], dbiases[0])
    return dx, dkernels[0, :depth, :filters].copy().reshape(kernel.shape), dbiases[0]
    ### END SOLUTION


@njit(cache=True)
def compute_gradients(dy, argmax, x, kernel_shape, panels, dx, dkernel, dbias):
    """Part of conv2d_fused_backward: the gradients of some samples, written into dx, dkernel and dbias.

    Parameters
    ----------
    dy, argmax, x, dx : as in conv2d_fused_backward, these samples only
    kernel_shape : (int, int, int, int)
    panels : float32, one axis; kernel.T, a matrix of (filters, kh * kw * c_in), from `packed`
    dkernel : float32 (kh * kw * c_in and up to a multiple of HEIGHT, filters and up to a multiple of WIDTH)
    dbias : float32 (filters,)
    """
    ### BEGIN SOLUTION
    n, h, w, c_in = x.shape
    kh, kw, _, filters = kernel_shape
    _, rows, columns, _ = dy.shape
    pools = n * rows * columns
    dy_flat, argmax_flat = dy.reshape(pools, filters), argmax.reshape(pools, filters)
    x_flat, dx_flat, window = x.reshape(-1), dx.reshape(-1), window_offsets(kh, kw, w, c_in)
    dx.fill(0)
    dkernel.fill(0)
    dbias.fill(0)
    for first in range(0, pools, POOLS):
        last = min(pools, first + POOLS)
        starts = window_starts(first, last - first, rows, columns, h, w, c_in)
        slopes = unpool(dy_flat[first:last], argmax_flat[first:last], dbias)
        add_dkernel(x_flat, window, starts, slopes, dkernel)
        add_dx(slopes, starts, 4 * (last - first), panels, kernel_shape, w, dx_flat)
    ### END SOLUTION


@njit(cache=True)
def unpool(dy, argmax, dbias):
    """Part of conv2d_fused_backward: hand each dy to the window that was the largest.

    Parameters
    ----------
    dy : float32 (count, filters); the upstream gradient of some pooled pixels
    argmax : uint8 (count, filters); which of the four was the largest, 4 for none
    dbias : float32 (filters,); what is handed on is added to it, in place

    Returns
    -------
    float32 (strips, size, WIDTH): the gradient of the windows' sums, four for each pooled pixel, and then 0 up to a
    multiple of HEIGHT; a panel for each strip of WIDTH filters
    """
    ### BEGIN SOLUTION
    count, filters = dy.shape
    size = (4 * count + HEIGHT - 1) // HEIGHT * HEIGHT
    slopes = np.zeros(((filters + WIDTH - 1) // WIDTH, size, WIDTH), np.float32)
    zero = np.float32(0)
    for i in range(count):
        for f in range(0, filters, WIDTH):
            upstream, where, total = dy[i, f : f + WIDTH], argmax[i, f : f + WIDTH], dbias[f : f + WIDTH]
            for q in range(4):
                handed_on = slopes[f // WIDTH, 4 * i + q]
                for j in range(upstream.size):
                    handed_on[j] = upstream[j] if where[j] == q else zero
            for j in range(upstream.size):
                total[j] += upstream[j] if where[j] < 4 else zero
    return slopes
    ### END SOLUTION


@njit(cache=True)
def add_dkernel(x, window, starts, slopes, dkernel):
    """Part of conv2d_fused_backward: dkernel += windows.T @ slopes.

    Parameters
    ----------
    x : float32, one axis; the images
    window : int64; from window_offsets: the rows
    starts : int64; from window_starts: the columns
    slopes : float32 (strips, size, WIDTH); from `unpool`
    dkernel : float32 (size of window, strips * WIDTH); changed in place
    """
    ### BEGIN SOLUTION
    stride = dkernel.shape[1]
    sums = dkernel.reshape(-1)
    for strip in range(slopes.shape[0]):
        panel = slopes[strip].reshape(-1)
        for first in range(0, window.size, HEIGHT):
            tile(x, window, first, starts, panel, sums, first * stride + strip * WIDTH, stride)
    ### END SOLUTION


@njit(cache=True)
def add_dx(slopes, starts, count, panels, kernel_shape, w, dx):
    """Part of conv2d_fused_backward: dwindows = slopes @ kernel.T, added to dx where the windows lie.

    Parameters
    ----------
    slopes : float32 (strips, size, WIDTH); from `unpool`
    starts : int64; from window_starts
    count : int; how many windows there are
    panels : float32, one axis; kernel.T, a matrix of (filters, kh * kw * c_in), from packed
    kernel_shape : (int, int, int, int)
    w : int; the pixels in a row of an image
    dx : float32, one axis; changed in place
    """
    ### BEGIN SOLUTION
    kh, kw, c_in, filters = kernel_shape
    piece, wide = kw * c_in, panels.size // filters
    slopes_flat, size = slopes.reshape(-1), slopes.shape[1]
    rows, columns = steps(0, size, WIDTH), packed_columns(filters, size)[:filters]
    for first in range(0, count, HEIGHT):
        dwindows = np.zeros(HEIGHT * wide, np.float32)
        for k in range(0, wide, WIDTH):
            panel = panels[k * filters : (k + WIDTH) * filters]
            tile(slopes_flat, rows, first, columns, panel, dwindows, k, wide)
        for r in range(min(HEIGHT, count - first)):
            for a in range(kh):
                here, there = r * wide + a * piece, starts[first + r] + a * w * c_in
                add(dwindows[here : here + piece], dx[there : there + piece])
    ### END SOLUTION

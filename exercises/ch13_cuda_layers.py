"""Layers on the GPU: products, convolutions, pooling, losses and normalization as kernels.

The mathematics is that of the chapters before, and so are the numbers. What is new is the question who does what, and
where the numbers lie meanwhile. A GPU multiplies some 15 times in the time in which it loads one number, so whatever is
loaded should be used often:

    global memory        read by everyone, slow: each element should come from there as few times as possible
    shared memory        read by the block: what its threads have in common is loaded once, by all of them together
    registers            read by one thread: what it uses again and again stays there, and sums live there

**Gather, do not scatter.** Give each *output* element to one thread, which collects what belongs to it: nobody else
writes there, and no atomics are needed. A backward pass that follows the forward loops scatters: many windows add to
one pixel. Turned round, one pixel asks which windows saw it. Only where that question has no cheap answer (max pooling:
which windows did I win?) scatter with `cuda.atomic.add`, into an array that the caller has set to zero.

**Sums over the batch** belong to no single thread: weights, biases, means. Then the threads of a block share the sum
out, each adds up a part of it, and shared memory or an atomic puts the parts together. The order of additions is not
that of a CPU, so the last digits differ, and with atomics they differ from run to run.

Arrays are those of the CPU chapters: images (n, h, w, channels), kernels (kh, kw, c_in, filters), labels int64. Their
last axis lies side by side in memory, so neighbouring threads take neighbouring elements of it.
Follows the lectures on Deep Neural Networks and convolutional networks; the kernels are no lecture's.
"""

import math

import numpy as np
from numba import cuda, float32

from .ch12_cuda_basics import WARP, warp_max, warp_sum

TILE = 8  # rows and columns of a tile in shared memory, and of the block's threads
PADDED = TILE + 1  # numba wants a name or a number for the size of a shared array, no sum

# `matmul_registers_kernel`: SIDE * SIDE threads with ITEMS * ITEMS sums each make SPAN * SPAN elements of the product.
SIDE = 8
ITEMS = 8
SPAN = SIDE * ITEMS
DEPTH = 8
PADDED_SPAN = SPAN + 4

ROWS = 32  # the most threads that a block has in y where it adds up columns


# --- the matrix product ---------------------------------------------------------------------------------------------


@cuda.jit
def matmul_kernel(a, b, c):
    """The matrix product through tiles in shared memory.

    A thread that computes one element of c alone reads a whole row of a and a whole column of b. The 8 * 8 threads of a
    block need only 8 rows and 8 columns between them, and each number 8 times. So the block fetches a tile of each
    together, every thread one number of both, uses them, and goes on along the inner axis to the next pair of tiles.
    Global memory is read 8 times less. (With 16 or 32 it would be even less; 8 keeps the simulator fast.)

    Parameters
    ----------
    a : float32 (n, inner)
    b : float32 (inner, m)
    c : float32 (n, m); becomes a @ b, zeros where inner is 0

    Launch: blocks of (TILE, TILE) threads; one for each tile of c, along its columns in x, along its rows in y.

    Approach: `column, row = cuda.grid(2)` is this thread's element of c, and the place in the tiles is (threadIdx.y,
    threadIdx.x). For each step along the inner axis: load one number of a (of your row) and one of b (of your column),
    or 0 where the tile sticks out; barrier; add up TILE products from shared memory; barrier. At the end the guard, and
    the sum goes to c.
    Example: [[1, 2, 3]] @ [[1, 10], [2, 20], [3, 30]] gives [[14, 140]].
    Trap: there are two barriers. Without the second one, a fast thread loads the next tile while a slow one still adds.
    And a thread without an element of c loads all the same: its neighbours need what it fetches.
    Lecture: Deep Neural Networks, a layer as a matrix product.
    """
    raise NotImplementedError("matmul_kernel")


@cuda.jit
def matmul_registers_kernel(a, b, c):
    """The matrix product, top rung: each thread keeps ITEMS * ITEMS sums in registers.

    In `matmul_kernel` every product needs two numbers from shared memory, which can hand out one number for each thread
    while the arithmetic could take eight. A thread with 8 * 8 sums loads 8 numbers of each tile, and multiplies all
    with all: 64 products for 16 loads. It is the tile's idea once more, one floor higher.

    Parameters
    ----------
    a : float32 (n, inner)
    b : float32 (inner, m)
    c : float32 (n, m); becomes a @ b, zeros where inner is 0

    Launch: blocks of (SIDE, SIDE) threads; one for each SPAN * SPAN elements of c, along its columns in x, along its
    rows in y.

    Approach: the block's tiles are SPAN rows of a times DEPTH, and DEPTH times SPAN columns of b: 512 numbers each, so
    that every one of the 64 threads loads 8 of both. Count the threads through, t = ty * SIDE + tx, and let the
    places t, t + 64, … of a tile be yours. Keep the tile of a turned, (DEPTH, SPAN): the inner loop reads down its
    column. The sums are a `cuda.local.array`: with constant loop bounds the compiler makes registers of it. Thread (tx,
    ty) has the rows ty, ty + SIDE, … and the columns tx, tx + SIDE, … of the block: so neighbours read neighbours.
    Example: [[1, 2, 3]] @ [[1, 10], [2, 20], [3, 30]] gives [[14, 140]].
    Trap: ITEMS columns side by side for each thread, tx * ITEMS + j, put the warp's reads into the same banks of shared
    memory, where they wait in line. And the rows of the turned tile are 4 numbers longer than needed for the same
    reason: the threads that store a column of it would meet in one bank.
    Lecture: Deep Neural Networks, a layer as a matrix product (`matmul_microkernel` of ch20_speed is its twin).
    """
    raise NotImplementedError("matmul_registers_kernel")


# --- dense layers ---------------------------------------------------------------------------------------------------


@cuda.jit
def dense_forward_kernel(x, w, b, relu, y):
    """A dense layer in one launch: the product, the bias and, where it is asked for, the ReLU.

    Three kernels would write the product to memory, read it, write it with its bias, read it again. Fused, the sum is
    in a register when the bias and the ReLU come, and goes to memory once.

    Parameters
    ----------
    x : float32 (n, d_in)
    w : float32 (d_in, d_out)
    b : float32 (d_out,)
    relu : bool; whether negative results become 0
    y : float32 (n, d_out); becomes x @ w + b, or max(x @ w + b, 0)

    Launch: blocks of (TILE, TILE) threads; one for each tile of y, along its columns in x, along its rows in y.

    Approach: matmul_kernel; what comes after the last barrier changes.
    Example: x = [[1, 2]], w = [[1, 0, -1], [3, 1, 0]], b = [10, 20, -30] leaves y = [[17, 22, -31]], and with the ReLU
    [[17, 22, 0]].
    Trap: a thread outside of y must not read b[column] either. Guard first.
    Lecture: Deep Neural Networks, layers (`dense_forward` of ch05_dense).
    """
    raise NotImplementedError("dense_forward_kernel")


@cuda.jit
def dense_dx_kernel(dy, w, dx):
    """The way back through a dense layer: dx = dy @ w.T, without a transposed copy of w.

    Parameters
    ----------
    dy : float32 (n, d_out); the upstream gradient
    w : float32 (d_in, d_out)
    dx : float32 (n, d_in); becomes dy @ w.T

    Launch: blocks of (TILE, TILE) threads; one for each tile of dx, along its columns in x, along its rows in y.

    Approach: matmul_kernel with d_out as the inner axis. The second factor's tile belongs to the rows of w that are
    this block's columns of dx. Load it as it lies in memory, threadIdx.x along a row of w, and read it turned: the
    column of the product is a row of the tile. Give the tile rows of PADDED numbers, so that threads that read down a
    column find it in different banks.
    Example: dy = [[1], [2]], w = [[1], [10]] leaves dx = [[1, 10], [2, 20]].
    Trap: w[column, first + ty] is right as a number and wrong as an order: neighbours read a whole row apart.
    Lecture: Deep Neural Networks, backpropagation (`dense_backward` of ch05_dense).
    """
    raise NotImplementedError("dense_dx_kernel")


@cuda.jit
def dense_dw_kernel(dy, x, dw):
    """The gradient of a dense layer's weights: dw = x.T @ dy, without a transposed copy of x.

    Parameters
    ----------
    dy : float32 (n, d_out); the upstream gradient
    x : float32 (n, d_in); the forward pass's input
    dw : float32 (d_in, d_out); becomes x.T @ dy

    Launch: blocks of (TILE, TILE) threads; one for each tile of dw, along its columns in x, along its rows in y.

    Approach: matmul_kernel with the samples as the inner axis. Both tiles have samples as rows: load both as they lie
    in memory, and let the sum run down the columns of both.
    Example: dy = [[1], [2]], x = [[1, 2], [3, 4]] leaves dw = [[7], [10]].
    Trap: do not divide by n. The mean over the batch belongs to the loss, whose gradient has already divided dy by n.
    Lecture: Deep Neural Networks, backpropagation (`dense_backward` of ch05_dense).
    """
    raise NotImplementedError("dense_dw_kernel")


@cuda.jit(device=True)
def sum_in_y(value, parts):
    """The sum of one number from each of the block's threads with the same threadIdx.x, told to all of them. Given.

    Parameters
    ----------
    value : float32; this thread's own
    parts : float32 (ROWS, WARP), shared memory; may be used again at once for the next sum

    Returns
    -------
    float32: the sum over threadIdx.y
    """
    cuda.syncthreads()  # whoever still reads what parts held before may finish
    parts[cuda.threadIdx.y, cuda.threadIdx.x] = value
    cuda.syncthreads()
    total = np.float32(0)
    for y in range(cuda.blockDim.y):
        total += parts[y, cuda.threadIdx.x]
    return total


@cuda.jit
def column_sum_kernel(x, sums):
    """The sum of every column: the gradient of a bias, in a dense layer and (with one row per pixel) in a convolution.

    Parameters
    ----------
    x : float32 (n, columns)
    sums : float32 (columns,); the sum of each column is added to what it holds

    Launch: blocks of up to WARP threads in x and up to ROWS in y; in x enough blocks for the columns, in y any number:
    they share the rows out.

    Approach: a column for each threadIdx.x, so that neighbours read neighbours. Down the rows it is a grid-stride walk
    in y: begin at your number in the grid, go on in steps of gridDim.y * blockDim.y, and add up in a register.
    `sum_in_y` then makes one number of the block's column, which one thread adds to sums with an atomic: other blocks
    have other rows of the same column.
    Example: x = [[1, 2], [3, 4], [5, 6]], sums = [0, 100] leaves sums = [9, 112].
    Trap: sum_in_y holds barriers, so that every thread of the block must call it. Those without a column bring a 0.
    Lecture: Deep Neural Networks, backpropagation (db of `dense_backward`).
    """
    raise NotImplementedError("column_sum_kernel")


@cuda.jit
def relu_backward_kernel(dy, y, dx):
    """The way back through a ReLU, given what came out of it.

    Parameters
    ----------
    dy : float32 (n,); the upstream gradient, as one long row
    y : float32 (n,); the forward pass's output, 0 where the unit was off
    dx : float32 (n,); becomes dy where y > 0, else 0; may be dy itself

    Launch: blocks in one direction, more threads than elements or fewer.

    Approach: a grid-stride walk. y > 0 exactly where the ReLU's input was, so that the input need not be kept.
    Example: dy = [1, 1, 1], y = [0, 0, 3] leaves dx = [0, 0, 1].
    Trap: the mask comes from y, not from dy.
    Lecture: Deep Neural Networks, backpropagation (`relu_backward` of ch03_activations).
    """
    raise NotImplementedError("relu_backward_kernel")


# --- convolution and pooling ----------------------------------------------------------------------------------------


@cuda.jit
def conv2d_forward_kernel(x, kernel, bias, strides, before, y):
    """A convolution: one thread for each output pixel and filter.

    Parameters
    ----------
    x : float32 (n, h, w, c_in)
    kernel : float32 (kh, kw, c_in, filters)
    bias : float32 (filters,)
    strides : (int, int); the step down the rows and the step along the columns
    before : (int, int); the rows of padding above the image and the columns left of it
    y : float32 (n, rows, columns, filters); becomes bias[f] + the sum over a, b, c of
        x[s, i * strides[0] - before[0] + a, j * strides[1] - before[1] + b, c] * kernel[a, b, c, f]; what lies outside
        x counts as 0

    Launch: blocks in one direction, more threads than elements of y or fewer.

    Approach: count the elements of y as they lie in memory: in element number i, the filter is i % filters, what is
    left of i is the pixel, and so on with columns and rows up to the sample. Neighbouring threads then have
    neighbouring filters of one pixel: they read the same pixels of x, and neighbours of the kernel. The rest is
    `conv2d_forward` of ch11 for one element: begin with the bias, walk over the part of the window inside the image,
    add in a register.
    Example: x = [[1, 2, 3], [4, 5, 6], [7, 8, 9]] and kernel = [[1, 0], [0, -2]], one channel and one filter, bias 10,
    stride 1, no padding leaves y = [[1, 0], [-2, -3]].
    Trap: the padding is no memory. A window that sticks out must not be read there: no error on a GPU, only nonsense.
    Lecture: convolutional networks, the convolution; padding and strides.
    """
    raise NotImplementedError("conv2d_forward_kernel")


@cuda.jit
def conv2d_dx_kernel(dy, kernel, strides, before, dx):
    """The way back through a convolution, gathered: one thread for each element of dx asks which windows saw it.

    Parameters
    ----------
    dy : float32 (n, rows, columns, filters); the upstream gradient
    kernel : float32 (kh, kw, c_in, filters)
    strides : (int, int); the step down the rows and the step along the columns
    before : (int, int); the rows of padding above the image and the columns left of it
    dx : float32 (n, h, w, c_in); becomes the sum of dy[s, i, j, f] * kernel[a, b, c, f] over all windows (i, j) that
    saw
        the pixel, at their place (a, b)

    Launch: blocks in one direction, more threads than elements of dx or fewer.

    Approach: the forward pass has row = i * strides[0] - before[0] + a. For a given row and each a that leaves
    i = (row + before[0] - a) / strides[0], if that comes out even and lies within 0 … rows - 1. The columns go alike,
    and the filters are summed.
    Example: kernel = [[5, 6]], stride 1, no padding, dy = [[1], [10]] (two rows, one column) leaves
    dx = [[5, 6], [50, 60]].
    Trap: scattering as on the CPU, `dx[…] += …` for each window, is a race: windows overlap. And -1 // 2 is -1, but -1
    % 2 is 1: look whether row + before[0] - a is negative before you divide.
    Lecture: convolutional networks, the convolution; Deep Neural Networks, backpropagation.
    """
    raise NotImplementedError("conv2d_dx_kernel")


@cuda.jit
def conv2d_dkernel_kernel(dy, x, strides, before, dkernel):
    """The gradient of a convolution's weights: a sum over all windows of all images for each of few weights.

    There are a million windows and perhaps a thousand weights: a thread for each weight would leave the GPU idle. So
    the windows of one weight are shared out among the threads of a block, and among blocks.

    Parameters
    ----------
    dy : float32 (n, rows, columns, filters); the upstream gradient
    x : float32 (n, h, w, c_in); the forward pass's input
    strides : (int, int); the step down the rows and the step along the columns
    before : (int, int); the rows of padding above the image and the columns left of it
    dkernel : float32 (kh, kw, c_in, filters); the sum of x[s, row, column, c] * dy[s, i, j, f] over all windows is
    added
        to what it holds

    Launch: blocks of up to WARP threads in x and up to ROWS in y. In x one block for each place (a, b, c) of the
    kernel, kh * kw * c_in of them; in y enough for the filters; in z any number: they share the windows out.

    Approach: blockIdx.x tells a, b and c as the kernel's first three axes lie in memory; the filter goes along x. The
    windows are counted from 0 to n * rows * columns: begin at blockIdx.z * blockDim.y + threadIdx.y, go on in steps of
    gridDim.z * blockDim.y, and leave out those whose place (a, b) lies in the padding. `sum_in_y` and one atomic for
    each filter end it. (The bias's gradient is `column_sum_kernel` of dy, with one row for each window.)
    Example: x = [[1, 2], [3, 4]], a kernel of one row and two columns, stride 1, no padding, dy = [[1], [10]] adds
    [[31, 42]].
    Trap: `return` for threads without a filter looks harmless, but the barriers in sum_in_y wait for all of the block.
    Lecture: convolutional networks, the convolution; Deep Neural Networks, backpropagation.
    """
    raise NotImplementedError("conv2d_dkernel_kernel")


@cuda.jit
def maxpool_forward_kernel(x, pool_size, strides, before, y, argmax):
    """Max pooling: one thread for each window and channel.

    Parameters
    ----------
    x : float32 (n, h, w, channels)
    pool_size : (int, int); the rows and columns of a window
    strides : (int, int); the step down the rows and the step along the columns
    before : (int, int); the rows of padding above the image and the columns left of it
    y : float32 (n, rows, columns, channels); becomes the largest value of each window
    argmax : int64, the shape of y; becomes where it was, as row * w + column of x; the first one where several are
    equal

    Launch: blocks in one direction, more threads than elements of y or fewer.

    Approach: count the elements of y as in conv2d_forward_kernel. Begin with the first pixel of the window that lies
    inside the image, and let another take its place only when it is larger.
    Example: x = [[1, 5, 2], [7, 3, 7]], one channel, pool_size (2, 2), stride 1, no padding leaves y = [[7, 7]] and
    argmax = [[3, 5]].
    Trap: padding must never win. A maximum that starts from 0 is wrong where all the values are negative.
    Lecture: convolutional networks, pooling (`maxpool2d_forward` of ch11_convolution).
    """
    raise NotImplementedError("maxpool_forward_kernel")


@cuda.jit
def maxpool_backward_kernel(dy, argmax, dx):
    """The way back through a max pooling, scattered: the winner of each window gets its gradient.

    Parameters
    ----------
    dy : float32 (n, rows, columns, channels); the upstream gradient
    argmax : int64, the shape of dy; where each window's largest value was, as row * w + column
    dx : float32 (n, h, w, channels); to the winner of each window the window's dy is added

    Launch: blocks in one direction, more threads than elements of dy or fewer.

    Approach: one thread for each element of dy; argmax tells the pixel. Windows overlap where the stride is smaller
    than the window: two threads can meet at one winner, so add with `cuda.atomic.add`.
    Example: dy = [[10, 1]], argmax = [[3, 3]], an image of two rows and three columns of zeros leaves
    dx = [[0, 0, 0], [11, 0, 0]].
    Trap: the place counts with the width of dx, not with that of dy.
    Lecture: convolutional networks, pooling; Deep Neural Networks, backpropagation.
    """
    raise NotImplementedError("maxpool_backward_kernel")


# --- loss and regularization ----------------------------------------------------------------------------------------


@cuda.jit
def softmax_crossentropy_kernel(logits, labels, loss, dlogits):
    """Softmax, crossentropy and gradient in one launch: a warp for each sample.

    Parameters
    ----------
    logits : float32 (n, classes), classes >= 1; the scores before the softmax
    labels : int64 (n,); the right class of each sample
    loss : float32 (1,); the mean over the samples of -log(softmax(logits)[i, labels[i]]) is added to what it holds
    dlogits : float32 (n, classes); becomes (softmax(logits) - one_hot(labels)) / n

    Launch: blocks in one direction, of whole warps; at least n warps.

    Approach: the sample is the number of the warp in the grid, cuda.grid(1) // WARP; the lane walks along the row in
    steps of WARP. With m the largest score, the loss of a sample is log(sum of exp(z - m)) - (z[label] - m). `warp_max`
    and `warp_sum` need no barrier, so a warp without a sample may simply return. One lane adds the sample's share of
    the mean to loss, with an atomic.
    Example: logits = [[1, 2, 3], [0, 0, 0]], labels = [2, 0], loss = [0] leaves loss = [0.7531] and
    dlogits = [[0.0450, 0.1224, -0.1674], [-0.3333, 0.1667, 0.1667]].
    Trap: a class beyond the last one takes part in no sum: exp(0) = 1 of an idle lane would be counted as a class.
    Lecture: Deep Neural Networks, the table of last layers (`softmax_crossentropy` of ch04_losses).
    """
    raise NotImplementedError("softmax_crossentropy_kernel")


@cuda.jit(device=True)
def uniform_at(seed, number):
    """Random number `number` of the sequence `seed`, computed from nothing but the two. Given, not asked.

    A generator with a state hands its numbers out one after the other; a million threads would have to wait in line, or
    to keep a million states (as `numba.cuda.random` does). A *counter-based* generator is a function: it stirs the
    number until nothing of it can be recognized. Any thread can ask for any number, in any order, twice if need be, and
    the CPU gets the same bits. This one is "squares" (Widynski 2020): four times square, add, and exchange the halves.

    Parameters
    ----------
    seed : int, 0 or more; which sequence
    number : int, 0 or more; which number of it

    Returns
    -------
    float32 from [0, 1), a multiple of 2^-24
    """
    half = np.uint64(32)
    key = (np.uint64(2) * np.uint64(seed) + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
    y = np.uint64(number) * key
    z = y + key
    x = y * y + y
    x = (x >> half) | (x << half)
    x = x * x + z
    x = (x >> half) | (x << half)
    x = x * x + y
    x = (x >> half) | (x << half)
    x = x * x + z
    return np.float32(x >> np.uint64(40)) * np.float32(2.0**-24)


@cuda.jit
def dropout_kernel(x, rate, seed, y):
    """Dropout without a mask: the random numbers can be asked again.

    Parameters
    ----------
    x : float32 (n,); the outputs of a layer, as one long row
    rate : float, 0 <= rate < 1; the probability that an output is dropped
    seed : int; another one for each batch and layer
    y : float32 (n,); becomes x[i] / (1 - rate) where uniform_at(seed, i) >= rate, else 0

    Launch: blocks in one direction, more threads than elements or fewer.

    The backward pass is this same kernel with dy in the place of x: the same seed drops the same elements. No mask is
    kept, which would cost as much memory traffic as the layer itself.

    Approach: a grid-stride walk; the element's number is the random number's.
    Example: x = [1, 2, 3, 4], rate = 0.5, seed = 2 leaves y = [2, 4, 0, 0]: the random numbers are 0.5081, 0.6964,
    0.4836 and 0.0509.
    Trap: the number must be the element's, not the thread's: with fewer threads, another part of x would be dropped.
    Lecture: Deep Neural Networks, dropout (`dropout_forward` of ch09_regularization).
    """
    raise NotImplementedError("dropout_kernel")


@cuda.jit
def batchnorm_forward_kernel(x, gamma, beta, moving_mean, moving_var, momentum, eps, y, x_hat, inv_std):
    """Batch normalization while training: each block normalizes up to WARP features, from the first sample to the last.

    Parameters
    ----------
    x : float32 (n, d), n >= 1; one sample per row (of images, one pixel per row)
    gamma : float32 (d,); the learned scale of each feature
    beta : float32 (d,); the learned offset of each feature
    moving_mean : float32 (d,); becomes momentum * moving_mean + (1 - momentum) * mean
    moving_var : float32 (d,); becomes momentum * moving_var + (1 - momentum) * var
    momentum : float; how much of the moving averages stays
    eps : float; keeps the root away from 0
    y : float32 (n, d); becomes gamma * x_hat + beta
    x_hat : float32 (n, d); becomes (x - mean) * inv_std
    inv_std : float32 (d,); becomes 1 / sqrt(var + eps)

    Launch: blocks of up to WARP threads in x and up to ROWS in y; in x enough blocks for the features.

    Approach: mean and variance belong to a feature, so nothing has to leave the block: a feature for each threadIdx.x,
    the samples shared out along y. Three walks down the rows: the sum, then the sum of (x - mean)², each made one
    number by `sum_in_y`, which tells it to all threads; then the result. One thread for each feature writes what
    belongs to the feature.
    Example: x = [[1, 10], [3, 30]], gamma = [2, 1], beta = [0, 5], moving_mean = [0, 0], moving_var = [1, 1],
    momentum = 0.9, eps = 0 leaves y = [[-2, 4], [2, 6]], inv_std = [1, 0.1], moving_mean = [0.2, 2] and
    moving_var = [1, 10.9].
    Trap: if every thread of a column updates the moving mean, it is decayed once for each of them.
    Lecture: Deep Neural Networks, batch normalization (`batchnorm_train` of ch09_regularization).
    """
    raise NotImplementedError("batchnorm_forward_kernel")


@cuda.jit
def batchnorm_backward_kernel(dy, x_hat, inv_std, gamma, dx, dgamma, dbeta):
    """The way back through a batch normalization: two sums for each feature, then every element.

    Parameters
    ----------
    dy : float32 (n, d), n >= 1; the upstream gradient
    x_hat : float32 (n, d); the forward pass's normalized input
    inv_std : float32 (d,); the forward pass's 1 / sqrt(var + eps)
    gamma : float32 (d,); the learned scale of each feature
    dx : float32 (n, d); becomes gamma * inv_std * (dy - dbeta / n - x_hat * dgamma / n)
    dgamma : float32 (d,); becomes the sum of dy * x_hat over the samples
    dbeta : float32 (d,); becomes the sum of dy over the samples

    Launch: blocks of up to WARP threads in x and up to ROWS in y; in x enough blocks for the features.

    Approach: one walk down the rows for both sums, `sum_in_y` for each, a second walk for dx. One thread for each
    feature writes dgamma and dbeta.
    Example: dy = [[4], [0], [0], [0]], x_hat = [[-1], [-1], [1], [1]], inv_std = [1], gamma = [2] leaves
    dx = [[4], [-4], [0], [0]], dgamma = [-4], dbeta = [4].
    Trap: mean and variance are made of x: the column sums of dx are zero. If yours are not, a part is missing.
    Lecture: Deep Neural Networks, batch normalization (`batchnorm_backward` of ch09_regularization).
    """
    raise NotImplementedError("batchnorm_backward_kernel")

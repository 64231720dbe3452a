"""The dense layer: every output looks at every input.

One unit, the *perceptron*, weighs its inputs, adds a bias and applies an activation. A dense layer is many units side
by side: the weights of unit j are column j of a matrix, and the whole layer for a whole batch is one matrix product.

    unit        y = activation(sum_i x_i * w_i + b)
    layer       y = x @ w + b            x (n, d_in), w (d_in, d_out), b (d_out,), y (n, d_out)

Backwards, the same three actors meet in two more matrix products. Write the sum out for one weight, y[i, j] =
sum_k x[i, k] * w[k, j] + b[j], take the derivative, and the indices say which matrix has to be transposed:

    dx = dy @ w.T        (n, d_in)       every input reached every unit: sum over the units
    dw = x.T @ dy        (d_in, d_out)   every sample used the weight: sum over the samples
    db = sum of dy       (d_out,)        every sample used the bias: sum over the samples

Nearly all the time of training such a network is spent in these products, so this chapter also writes one that is
fast: the order of three loops decides whether the processor computes or waits for memory.
Follows the lecture "Deep Neural Networks" (the artificial neuron, layers, initialization, backpropagation).
"""

import numpy as np
from numba import njit, prange

# What `matmul` works on at a time: a block of b of 64 x 512 float32 numbers is 128 KiB and stays in the level-2 cache.
# One thread takes 16 rows of the result: few enough that a batch of 128 keeps 8 threads busy.
BLOCK_ROWS = 16
BLOCK_DEPTH = 64
BLOCK_WIDTH = 512


@njit(cache=True)
def perceptron(x, w, b, activation):
    """One unit: the weighted sum of the inputs, plus a bias, through an activation.

    Parameters
    ----------
    x : float32 (d,); the inputs
    w : float32 (d,); one weight per input
    b : float; the bias
    activation : int; 0 linear, 1 step, 2 relu, 3 sigmoid, 4 tanh

    Returns
    -------
    float: activation(z), where z = sum over i of x[i] * w[i], plus b

    linear z · step 1 where z > 0, else 0 · relu max(z, 0) · sigmoid 1 / (1 + exp(-z)), stable · tanh tanh(z)

    Approach: add up the products in float32, add the bias, then choose the activation by its code.
    Example: x = [1, 2], w = [0.5, -1], b = 0.5 has z = -1: linear -1, step 0, relu 0, sigmoid 0.2689, tanh -0.7616.
    Trap: the activation is applied once, to the whole sum with the bias in it; and the step is 0 at z = 0.
    Lecture: Deep Neural Networks, the artificial neuron.
    """
    ### BEGIN SOLUTION
    zero, one = np.float32(0), np.float32(1)
    z = np.float32(b)
    for i in range(x.size):
        z += x[i] * w[i]
    if activation == 0:
        return z
    if activation == 1:
        return one if z > 0 else zero
    if activation == 2:
        return max(z, zero)
    if activation == 3:
        e = np.exp(-abs(z))  # in (0, 1]: cannot overflow
        return one / (one + e) if z >= 0 else e / (one + e)
    return np.tanh(z)
    ### END SOLUTION


def glorot_uniform(rng, fan_in, fan_out):
    """First weights of a dense layer, as Keras draws them: random, but neither too large nor too small.

    With weights that are too large the signals grow from layer to layer, with weights that are too small they fade
    away. Glorot's limit keeps their variance about the same in both directions: forwards a unit sums fan_in terms,
    backwards an input collects fan_out terms.

    Parameters
    ----------
    rng : numpy.random.Generator; the only source of randomness
    fan_in : int; inputs of the layer
    fan_out : int; units of the layer

    Returns
    -------
    float32 (fan_in, fan_out), uniform in [-limit, limit) with limit = sqrt(6 / (fan_in + fan_out))

    Approach: one call of rng.uniform(-limit, limit, (fan_in, fan_out)), then float32. One call, so that the same seed
    gives everybody the same weights.
    Example: fan_in = 2, fan_out = 4 has limit = sqrt(6 / 6) = 1: a (2, 4) matrix of numbers between -1 and 1.
    Trap: rng.uniform returns float64; a network that mixes the two types is slow.
    Lecture: Deep Neural Networks, weight initialization.
    """
    ### BEGIN SOLUTION
    limit = np.sqrt(6 / (fan_in + fan_out))
    return rng.uniform(-limit, limit, (fan_in, fan_out)).astype(np.float32)
    ### END SOLUTION


@njit(cache=True, parallel=True)
def matmul(a, b):
    """Matrix product, fast: i-k-j loops inside cache-sized blocks, the rows shared out among the processor's cores.

    Parameters
    ----------
    a : float32 (n, inner)
    b : float32 (inner, m)

    Returns
    -------
    float32 (n, m): the sum over k of a[i, k] * b[k, j]; all zeros where inner is 0

    The definition is three loops, i, j and inside them k. In that order the innermost loop walks down a column of b,
    and every number comes from another cache line. It also adds everything to one sum, so each addition waits for the
    one before. In the order i, k, j the innermost loop adds a multiple of one row of b to one row of the result:

        for i: for k: for j:    c[i, j] += a[i, k] * b[k, j]

    Both rows lie in memory side by side and no addition waits for another, so the compiler turns the loop into vector
    instructions that do 8 or 16 numbers at once. The blocks go one step further: every row of a needs all of b, and a
    b that does not fit into the cache would be fetched from main memory again for each of them. A block of b that does
    fit serves all the rows of a block of a before the next one is fetched.

    Approach: start from zeros; prange over blocks of BLOCK_ROWS rows; inside, blocks of BLOCK_DEPTH values of k and
    BLOCK_WIDTH columns; inside those, i, k, j. Slice the two rows before the innermost loop, so that it runs over two
    plain vectors. A slice that would run over the end of a row simply stops there.
    Example: [[1, 2, 3]] @ [[1, 10], [2, 20], [3, 30]] gives [[14, 140]].
    Trap: the last block is shorter in each of the three directions. And only the rows may be shared out: threads that
    share the values of k would add to the same element of the result, and lose some of the additions.
    Lecture: Deep Neural Networks, a layer as a matrix product.
    """
    ### BEGIN SOLUTION
    n, inner = a.shape
    m = b.shape[1]
    c = np.zeros((n, m), np.float32)
    for block in prange((n + BLOCK_ROWS - 1) // BLOCK_ROWS):  # no two threads ever write to the same row
        first = block * BLOCK_ROWS
        for k0 in range(0, inner, BLOCK_DEPTH):
            for j0 in range(0, m, BLOCK_WIDTH):
                for i in range(first, min(n, first + BLOCK_ROWS)):
                    c_row = c[i, j0 : j0 + BLOCK_WIDTH]
                    for k in range(k0, min(inner, k0 + BLOCK_DEPTH)):
                        a_ik = a[i, k]
                        b_row = b[k, j0 : j0 + BLOCK_WIDTH]
                        for j in range(c_row.size):
                            c_row[j] += a_ik * b_row[j]
    return c
    ### END SOLUTION


@njit(cache=True)
def dense_forward(x, w, b):
    """A dense layer without its activation.

    Parameters
    ----------
    x : float32 (n, d_in); one sample per row
    w : float32 (d_in, d_out); one unit per column
    b : float32 (d_out,); one bias per unit

    Returns
    -------
    float32 (n, d_out): x @ w + b

    Approach: your matmul, then add b to every row.
    Example: x = [[1, 2]], w = [[1, 0, -1], [3, 1, 0]], b = [10, 20, 30] gives [[17, 22, 29]].
    Trap: b has one number per unit, not per sample: it is added along the rows.
    Lecture: Deep Neural Networks, layers.
    """
    ### BEGIN SOLUTION
    return matmul(x, w) + b
    ### END SOLUTION


@njit(cache=True)
def dense_backward(dy, x, w):
    """Gradients of the loss with respect to everything that went into a dense layer.

    Parameters
    ----------
    dy : float32 (n, d_out); the upstream gradient
    x : float32 (n, d_in); the forward pass's input
    w : float32 (d_in, d_out)

    Returns
    -------
    dx : float32 (n, d_in) = dy @ w.T
    dw : float32 (d_in, d_out) = x.T @ dy
    db : float32 (d_out,) = the sum of dy over the samples

    Approach: two products with your matmul and one sum. `w.T` is only another way of reading w; np.ascontiguousarray
    copies it into rows, which is what matmul is fast on.
    Example: dy = [[1], [2]], x = [[1, 2], [3, 4]], w = [[1], [10]] gives dx = [[1, 10], [2, 20]], dw = [[7], [10]],
    db = [3].
    Trap: do not divide by n. The mean over the batch belongs to the loss, whose gradient has already divided dy by n.
    Lecture: Deep Neural Networks, backpropagation.
    """
    ### BEGIN SOLUTION
    dx = matmul(dy, np.ascontiguousarray(w.T))
    dw = matmul(np.ascontiguousarray(x.T), dy)
    db = dy.sum(axis=0)
    return dx, dw, db
    ### END SOLUTION

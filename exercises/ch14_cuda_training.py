"""Training on the GPU: data and weights go there once, and stay.

Between the computer's memory and the GPU's lies a cable. It carries some 50 GB in a second, the GPU's own memory a
hundred times as much, and each copy makes one side wait for the other. A training step that fetches its loss, or its
gradients, or a batch, spends its time there. So everything a step needs is on the device before, and stays there after:

    x, labels       all of the training data, copied once
    params, slots   the weights and the optimizer's state, updated in place
    order           which sample comes when, copied once for each epoch
    losses          one number for each batch, written by the device, fetched once when the epoch is over

What is left for Python is to launch kernels, one after the other. A launch does not wait for the kernel: it joins a
queue, and Python goes on. Kernels in the queue run in their order, each after the one before has ended, so that no
kernel needs a barrier against the others. The end of a kernel is the only barrier for the whole grid that there is.

**Fused.** An optimizer step reads w, g and its state and writes w and the state: that is all the traffic it needs. Made
of single operations (a square, a product, a root, …) each of them would read and write all of memory again. One kernel
keeps what lies between in registers.

Launching costs some microseconds, whatever the kernel does. A network as small as this one has some fifteen launches in
each step, each of which computes for no longer than that: that is what a GPU at its worst looks like. Larger batches,
or larger layers, cost next to nothing more.
Follows Episode 1 (the training loop) and the lecture "Deep Neural Networks" (optimizers, batches and epochs).
"""

import math

import numpy as np
from numba import cuda

from .ch12_cuda_basics import WARP, blocks_for, grid_for
from .ch13_cuda_layers import (
    TILE,
    column_sum_kernel,
    dense_dw_kernel,
    dense_dx_kernel,
    dense_forward_kernel,
    relu_backward_kernel,
    softmax_crossentropy_kernel,
)

THREADS = 64  # of a block, in one direction; few, so that the simulator stays fast
LINES = 4  # threads in y of the launches that walk down the rows of a matrix


# --- optimizers -----------------------------------------------------------------------------------------------------


@cuda.jit
def sgd_kernel(w, g, lr):
    """One step of gradient descent, in place.

    Parameters
    ----------
    w : float32 (n,); the weights, as one long row; becomes w - lr * g
    g : float32 (n,); the gradient
    lr : float; the learning rate

    Launch: blocks in one direction, more threads than weights or fewer.

    Approach: a grid-stride walk; lr becomes a float32 once, before the loop.
    Example: w = [1, -2], g = [10, 4], lr = 0.1 leaves w = [0, -2.4].
    Trap: the gradient points uphill: subtract it.
    Lecture: Deep Neural Networks, gradient descent (`sgd_step` of ch06_optimizers).
    """
    raise NotImplementedError("sgd_kernel")


@cuda.jit
def momentum_kernel(w, g, v, lr, momentum):
    """One step of gradient descent with momentum, in place.

    Parameters
    ----------
    w : float32 (n,); the weights; becomes w + v, with the new v
    g : float32 (n,); the gradient
    v : float32 (n,); the velocity; becomes momentum * v - lr * g
    lr : float; the learning rate
    momentum : float in [0, 1]; the share of the velocity that is kept

    Launch: blocks in one direction, more threads than weights or fewer.

    Approach: the new velocity goes into a register, and from there to v and into w.
    Example: w = [1], g = [2], v = [0.5], lr = 0.1, momentum = 0.9 leaves v = [0.25] and w = [1.25].
    Trap: reading v[i] again after it was written is a second trip to memory.
    Lecture: Deep Neural Networks, optimizers (`momentum_step` of ch06_optimizers).
    """
    raise NotImplementedError("momentum_kernel")


@cuda.jit
def rmsprop_kernel(w, g, acc, lr, rho, eps):
    """One step of RMSprop, in place.

    Parameters
    ----------
    w : float32 (n,); the weights; becomes w - lr * g / sqrt(acc + eps), with the new acc
    g : float32 (n,); the gradient
    acc : float32 (n,); the decaying average of g²; becomes rho * acc + (1 - rho) * g²
    lr : float; the learning rate
    rho : float in [0, 1); the share of the average that is kept
    eps : float; keeps the root away from zero

    Launch: blocks in one direction, more threads than weights or fewer.

    Approach: each number is read once and written once; what lies between stays in registers. 1 - rho is computed in
    float64, before the loop, and made a float32 then.
    Example: w = [1], g = [2], acc = [0], lr = 0.1, rho = 0.75, eps = 1e-7 leaves acc = [1] and w = [0.8].
    Trap: eps stands inside the root, as Keras has it.
    Lecture: Deep Neural Networks, optimizers (`rmsprop_step` of ch06_optimizers).
    """
    raise NotImplementedError("rmsprop_kernel")


@cuda.jit
def adam_kernel(w, g, m, v, t, lr, beta1, beta2, eps):
    """One step of Adam, in place.

    Parameters
    ----------
    w : float32 (n,); the weights; becomes w - alpha * m / (sqrt(v) + eps), with the new m and v and
        alpha = lr * sqrt(1 - beta2^t) / (1 - beta1^t)
    g : float32 (n,); the gradient
    m : float32 (n,); the decaying average of g; becomes m + (1 - beta1) * (g - m)
    v : float32 (n,); the decaying average of g²; becomes v + (1 - beta2) * (g² - v)
    t : int; the number of this step, 1 for the first
    lr : float; the learning rate
    beta1 : float in [0, 1); the share of m that is kept
    beta2 : float in [0, 1); the share of v that is kept
    eps : float; keeps the quotient finite

    Launch: blocks in one direction, more threads than weights or fewer.

    Approach: alpha is the same for all weights: each thread computes it once, before its walk, in float32: the powers
    of float64 numbers take a GPU as long as all the rest.
    Example: w = [1], g = [0.5], m = v = [0], t = 1, lr = 0.1, beta1 = 0.9, beta2 = 0.999, eps = 1e-7 leaves m = [0.05],
    v = [0.00025] and w = [0.9].
    Trap: eps is added to the root of the uncorrected v.
    Lecture: Deep Neural Networks, optimizers (`adam_step` of ch06_optimizers).
    """
    raise NotImplementedError("adam_kernel")


# --- batches --------------------------------------------------------------------------------------------------------


@cuda.jit
def gather_kernel(x, labels, order, first, batch, batch_labels):
    """Collect a batch on the device: its samples lie scattered over all of the data.

    Parameters
    ----------
    x : float32 (n, features); all samples
    labels : int64 (n,)
    order : int64 (m,); which sample comes when
    first : int; where in the order the batch begins
    batch : float32 (size, features); row i becomes x[order[first + i]]
    batch_labels : int64 (size,); becomes the labels of these samples

    Launch: blocks in two directions, more threads than elements of the batch or fewer, in each of them.

    Approach: a grid-stride walk in each direction, `for row in range(…)` around `for column in range(…)`: threads in x
    along the row, so that they read neighbours, however far apart the rows lie. The threads of the first column also
    copy the label.
    Example: order = [3, 0, 4, 1], first = 2 and a batch of two rows get the samples 4 and 1.
    Trap: images and labels must be picked by the same indices.
    Lecture: Episode 1, the training loop: batches and epochs.
    """
    raise NotImplementedError("gather_kernel")


@cuda.jit
def clear_kernel(x):
    """Set x to zero, on the device. Given, not asked.

    Parameters
    ----------
    x : float32 (n,)

    Launch: blocks in one direction, more threads than elements or fewer.
    """
    for i in range(cuda.grid(1), x.size, cuda.gridsize(1)):
        x[i] = np.float32(0)


# --- the network ----------------------------------------------------------------------------------------------------

SCRATCH = {}  # name, shape and dtype -> what `scratch` gave for them


def scratch(name, shape, dtype=np.float32):
    """Device memory for what lives within one step only: the same array whenever the same is asked for. Given.

    To allocate memory on a GPU takes longer than to launch a kernel, so what every step needs anew is kept. It holds
    what the step before left in it.

    Parameters
    ----------
    name : str; what it is for
    shape : tuple of int
    dtype : NumPy's dtype

    Returns
    -------
    a device array of that shape and dtype
    """
    key = name, shape, dtype
    if key not in SCRATCH:
        SCRATCH[key] = cuda.device_array(shape, dtype)
    return SCRATCH[key]


def mlp_train_step(x, labels, params, slots, loss, lr, rho, eps):
    """One batch, one step of a network of two layers (dense, ReLU, dense, softmax), all of it on the device.

    A plain Python function: it launches kernels. No number comes back to the host, not even the loss.

    Parameters
    ----------
    x : float32 (n, features) on the device; one batch
    labels : int64 (n,) on the device
    params : (w1, b1, w2, b2), float32 on the device: (features, units), (units,), (units, classes), (classes,); changed
        in place
    slots : four float32 arrays on the device, of the shapes of params; RMSprop's running mean squares, changed in place
    loss : float32 (1,) on the device; the mean loss of the batch, with the weights before the step, is added to it
    lr, rho, eps : float; RMSprop's learning rate, decay and epsilon

    Returns
    -------
    nothing

    Approach: the kernels of ch13 in the order of `mlp_forward` and `mlp_backward`: two dense layers; loss and dlogits;
    dw2 and db2; the way back through w2 and the ReLU; dw1 and db1. Then rmsprop_kernel for each parameter, which gets
    them as one long row: `w.reshape(w.size)` is the same memory. `scratch` has room for what lies between. Launches:
    grid_for(shape of the result, (TILE, TILE)) for the products; for column_sum_kernel blocks of (WARP, LINES) and as
    many in y as you like; one warp for each sample in the loss; blocks_for(size, THREADS) for the rest.
    Example: x = [[1]], labels = [0], w1 = [[1]], w2 (1, 10) and both biases zero: log(10) = 2.3026 is added to loss.
    With lr = 0.1, rho = 0.9, eps = 1e-7 and zero slots, w2 becomes [[0.316, -0.316, …]] and its slot [[0.081, 0.001,
    …]].
    Trap: column_sum_kernel adds to what is there, and scratch memory holds the last step's sums: clear_kernel first.
    And no parameter may move before the backward pass has gone through all of them.
    Lecture: Episode 1, the training loop (`train_step` of projects/mnist_mlp).
    """
    raise NotImplementedError("mlp_train_step")


def mlp_train_epoch(x, labels, params, slots, order, batch_size, losses, lr, rho, eps):
    """One pass over the training data, batch by batch, without a look at the device in between.

    Parameters
    ----------
    x : float32 (n, features) on the device; all samples
    labels : int64 (n,) on the device
    params, slots : four float32 arrays each on the device, changed in place, as in mlp_train_step
    order : int64 (m,) on the device; which sample comes when; the first batch is order[:batch_size]
    batch_size : int; the last batch may be shorter
    losses : float32 (number of batches,) on the device; becomes the mean loss of each batch, before its step
    lr, rho, eps : float; RMSprop's learning rate, decay and epsilon

    Returns
    -------
    nothing

    Approach: clear the losses. For each batch gather_kernel collects its samples in scratch memory; mlp_train_step gets
    them, and `losses[number : number + 1]`, which is the same memory as the batch's place in losses.
    Example: 300 samples in batches of 128 are three steps, with 128, 128 and 44 samples.
    Trap: printing the loss of each batch fetches it, and fetching waits for all that is in the queue. Fetch the losses
    once, when the epoch is over.
    Lecture: Episode 1, the training loop: batches and epochs (`train_epoch` of projects/mnist_mlp).
    """
    raise NotImplementedError("mlp_train_epoch")

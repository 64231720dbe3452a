"""A network that looks before it decides: handwritten digits with three convolutions, from pixels to 99 of 100 right.

The dense network of the first project gets every pixel as a number of its own, and cannot know that neighbours belong
together. This one slides small windows over the image, first for strokes, then for pieces made of strokes:

                                             numbers per image      parameters
    image                                     28 x 28 x  1
    convolution 3 x 3, 32 filters, ReLU       26 x 26 x 32                 320
    max pooling 2 x 2                         13 x 13 x 32
    convolution 3 x 3, 64 filters, ReLU       11 x 11 x 64              18,496
    max pooling 2 x 2                          5 x  5 x 64
    convolution 3 x 3, 64 filters, ReLU        3 x  3 x 64              36,928
    flatten                                         576
    dense, ReLU                                      64                 36,928
    dense, softmax                                   10                    650

93,322 parameters, less than a quarter of the dense network's, and half as many errors. The price is arithmetic: one
step with 64 images takes half a billion multiplications and as many additions, eight tenths of them in the second
convolution.

    prepare          pixels 0 … 255 become maps with one channel, in [0, 1]
    forward          image to probabilities, keeping what the way back will need
    backward         probabilities to ten gradients
    predict          probabilities for images as they come, some of them at a time
    train_step       forward, loss, backward, update: one batch
    fast_step        the same step again, made for speed
    train_epoch      one step per batch, in a given order
    initial_params   Glorot's weights, zero biases
    train            initial parameters, then epoch after epoch

The network's ten parameter arrays stand in Keras's order everywhere, and nothing but `initial_params` knows how many
filters there are or how large their windows: the other functions read it off the arrays' shapes.

    params = k1, b1, k2, b2, k3, b3, w4, b4, w5, b5

Follows the lectures on convolutional networks, "A first convolutional network"; the lecture reaches about 0.99.
"""

import numpy as np
from numba import njit, prange

from ..ch01_tensors import flatten_images
from ..ch03_activations import relu, relu_backward, softmax
from ..ch04_losses import sparse_categorical_crossentropy
from ..ch05_dense import dense_backward, dense_forward, glorot_uniform
from ..ch06_optimizers import rmsprop_step
from ..ch11_convolution import (
    conv2d_backward,
    conv2d_forward,
    flatten,
    im2col,
    maxpool2d_backward,
    maxpool2d_forward,
    unflatten,
)
from ..ch20_speed import (
    PARTS,
    WIDTH,
    add,
    add_dkernel,
    conv2d_fused,
    conv2d_fused_backward,
    dense_relu_fused,
    dense_step_fused,
    rmsprop_row,
    unpool,
    window_offsets,
    window_starts,
)

CLASSES = 10
WINDOW = 3  # rows and columns of every kernel
LEARNING_RATE, RHO, EPSILON = 1e-3, 0.9, 1e-7
ONE_BY_ONE, TWO_BY_TWO = (1, 1), (2, 2)
IMAGES_AT_A_TIME = 500  # in predict


@njit(cache=True)
def prepare(images):
    """Make images ready for the network: maps of numbers in [0, 1], with an axis for their one channel.

    Parameters
    ----------
    images : uint8 (n, height, width); grey levels 0 … 255

    Returns
    -------
    float32 (n, height, width, 1): the pixels, divided by 255

    Approach: `flatten_images` of the first chapter divides them; then give them back their rows and columns.
    Example: an image [[0, 255], [51, 102]] gives [[[0], [1]], [[0.2], [0.4]]].
    Trap: the channel is an axis even if there is only one, and it is the last one.
    Lecture: A first convolutional network, preparing the images.
    """
    ### BEGIN SOLUTION
    n, height, width = images.shape
    return flatten_images(images).reshape(n, height, width, 1)
    ### END SOLUTION


def forward(x, params):
    """From images to probabilities, and everything on the way that the backward pass will ask for.

    Parameters
    ----------
    x : float32 (n, height, width, 1); prepared images
    params : (k1, b1, k2, b2, k3, b3, w4, b4, w5, b5), all float32: kernels (kh, kw, c_in, filters), weights
        (d_in, d_out), and one bias per filter or unit

    Returns
    -------
    probabilities : float32 (n, 10); every row sums to one
    cache : (maps1, pooled1, argmax1, maps2, pooled2, argmax2, maps3, hidden, probabilities): the maps and the hidden
        layer after their ReLU; argmax as maxpool2d_forward has it

    Approach: conv2d_forward and relu, maxpool2d_forward, the same once more, conv2d_forward and relu, flatten, a dense
    layer and relu, a dense layer and softmax. All convolutions are "valid" with stride 1, all poolings 2 x 2 with
    stride 2.
    Example: a 28 x 28 image has maps1 of 26 x 26, pooled1 of 13 x 13, maps2 of 11 x 11, pooled2 of 5 x 5 (the eleventh
    row and column fall to no window), maps3 of 3 x 3.
    Trap: keep the maps after their ReLU, as the next layer saw them. They are above 0 exactly where the ReLU let
    something through, and so they make its mask on the way back.
    Lecture: A first convolutional network, the layers and their output shapes.
    """
    ### BEGIN SOLUTION
    k1, b1, k2, b2, k3, b3, w4, b4, w5, b5 = params
    maps1 = relu(conv2d_forward(x, k1, b1, ONE_BY_ONE, "valid"))
    pooled1, argmax1 = maxpool2d_forward(maps1, TWO_BY_TWO, TWO_BY_TWO, "valid")
    maps2 = relu(conv2d_forward(pooled1, k2, b2, ONE_BY_ONE, "valid"))
    pooled2, argmax2 = maxpool2d_forward(maps2, TWO_BY_TWO, TWO_BY_TWO, "valid")
    maps3 = relu(conv2d_forward(pooled2, k3, b3, ONE_BY_ONE, "valid"))
    hidden = relu(dense_forward(flatten(maps3), w4, b4))
    probabilities = softmax(dense_forward(hidden, w5, b5))
    return probabilities, (maps1, pooled1, argmax1, maps2, pooled2, argmax2, maps3, hidden, probabilities)
    ### END SOLUTION


def backward(labels, x, cache, params):
    """Backpropagation through all layers, last to first.

    Parameters
    ----------
    labels : int64 (n,); the right class of each image
    x : float32 (n, height, width, 1); the forward pass's input
    cache : what the forward pass kept
    params : ten arrays, as in forward

    Returns
    -------
    dk1, db1, dk2, db2, dk3, db3, dw4, db4, dw5, db5 : float32, each of the shape of its parameter: the gradient of the
    mean sparse categorical crossentropy over the batch

    Approach: dlogits = (probabilities - one_hot(labels)) / n, for softmax and crossentropy together. Then read forward
    from its last line to its first, and call each function's backward with what went into it.
    Example: the probabilities [[0.7, 0.2, 0.1]] and labels = [1] give dlogits = db5 = [0.7, -0.8, 0.1].
    Trap: the cache belongs to the caller: copy the probabilities before you subtract from them. And every ReLU has its
    mask, the one behind the dense layer too.
    Lecture: Deep Neural Networks, backpropagation; A first convolutional network.
    """
    ### BEGIN SOLUTION
    k1, _, k2, _, k3, _, w4, _, w5, _ = params
    maps1, pooled1, argmax1, maps2, pooled2, argmax2, maps3, hidden, probabilities = cache
    dlogits = probabilities.copy()
    dlogits[np.arange(labels.size), labels] -= np.float32(1)
    dlogits /= np.float32(labels.size)
    dhidden, dw5, db5 = dense_backward(dlogits, hidden, w5)
    dfeatures, dw4, db4 = dense_backward(relu_backward(dhidden, hidden), flatten(maps3), w4)
    dmaps3 = relu_backward(unflatten(dfeatures, maps3.shape), maps3)
    dpooled2, dk3, db3 = conv2d_backward(dmaps3, pooled2, k3, ONE_BY_ONE, "valid")
    dmaps2 = relu_backward(maxpool2d_backward(dpooled2, argmax2, maps2.shape), maps2)
    dpooled1, dk2, db2 = conv2d_backward(dmaps2, pooled1, k2, ONE_BY_ONE, "valid")
    dmaps1 = relu_backward(maxpool2d_backward(dpooled1, argmax1, maps1.shape), maps1)
    _, dk1, db1 = conv2d_backward(dmaps1, x, k1, ONE_BY_ONE, "valid")  # nobody asks for the gradient of the image
    return dk1, db1, dk2, db2, dk3, db3, dw4, db4, dw5, db5
    ### END SOLUTION


def predict(images, params):
    """Probabilities of the ten classes for images that nobody has prepared yet.

    Parameters
    ----------
    images : uint8 (n, height, width)
    params : ten arrays, as in forward

    Returns
    -------
    float32 (n, 10): every row sums to one; the largest entry is the network's answer

    Approach: prepare some images, forward, keep the probabilities and drop the cache; then the next ones, each batch
    writing to its own rows.
    Example: with all weights and biases zero every class gets probability 0.1.
    Trap: memory. The forward pass keeps 200 KB per MNIST image: 2 GB for ten thousand of them at once, 100 MB for
    IMAGES_AT_A_TIME, and these are free again for the next ones.
    Lecture: A first convolutional network, evaluating it on the test images.
    """
    ### BEGIN SOLUTION
    probabilities = np.empty((len(images), params[-1].size), np.float32)
    for start in range(0, len(images), IMAGES_AT_A_TIME):
        batch = slice(start, start + IMAGES_AT_A_TIME)
        probabilities[batch], _ = forward(prepare(images[batch]), params)
    return probabilities
    ### END SOLUTION


def train_step(x, labels, params, slots, lr, rho, eps):
    """One batch, one step: every parameter moves a little against its gradient, in place.

    Parameters
    ----------
    x : float32 (n, height, width, 1); one batch of prepared images
    labels : int64 (n,); their classes
    params : ten float32 arrays, as in forward; changed in place
    slots : ten float32 arrays of the shapes of params; RMSprop's running mean squares, changed in place
    lr, rho, eps : float; RMSprop's learning rate, decay and epsilon

    Returns
    -------
    float: the mean loss of the batch, with the weights as they were *before* the step

    Approach: forward; sparse_categorical_crossentropy from the probabilities; backward; rmsprop_step for each parameter
    with its own gradient and its own slot.
    Example: with all parameters zero the loss is log(10) = 2.3026. All gradients but db5 are zero then, and b5 alone
    takes a step.
    Trap: all ten gradients belong to the same weights. If a layer moves before the backward pass has gone through it,
    they do not.
    Lecture: Episode 1, the training loop.
    """
    ### BEGIN SOLUTION
    probabilities, cache = forward(x, params)
    loss = sparse_categorical_crossentropy(labels, probabilities)
    for param, gradient, slot in zip(params, backward(labels, x, cache, params), slots, strict=True):
        rmsprop_step(param, gradient, slot, lr, rho, eps)
    return loss
    ### END SOLUTION


# --- the same step, made for speed ----------------------------------------------------------------------------------


def fast_step(x, labels, params, slots, lr, rho, eps):
    """train_step once more, for speed: the same arguments, the same answer, from the top of the speed ladder.

    Parameters
    ----------
    x : float32 (n, height, width, 1); one batch of prepared images
    labels : int64 (n,); their classes
    params : ten float32 arrays, as in forward; changed in place
    slots : ten float32 arrays of the shapes of params; RMSprop's running mean squares, changed in place
    lr, rho, eps : float; RMSprop's learning rate, decay and epsilon

    Returns
    -------
    float: the mean loss of the batch, with the weights as they were before the step

    The functions of the speed ladder fit the layers one to one, but for three places:

    - The third convolution has no pooling behind it. Without one, a convolution with its ReLU is a dense layer with its
      ReLU, on windows: im2col, then the functions of the dense layers. The maps are small by now, and so are the
      windows; only the way back of im2col is missing, `add_windows`.
    - Nobody asks for the gradient of the images, and conv2d_fused_backward spends more time on it than on the first
      layer's kernel: `kernel_gradients` computes that alone.
    - rmsprop_step takes the 18,432 weights of a kernel one after the other; `rmsprop_row` of the ladder takes them as
      vectors.

    Approach: conv2d_fused twice, im2col, dense_relu_fused on windows, dense_relu_fused on features, dense_forward (ten
    units are too few for a tile to pay) and softmax: loss. Back: dense_step_fused for the last three layers, which
    makes their steps as well; then the gradients of the second and the first convolution, and when both are known,
    their steps.
    Example: that of train_step: it is the same function.
    Trap: a dense layer that makes its own step must have handed on its dx before. dense_step_fused does that; where you
    step yourself, keep the order.
    Lecture: A first convolutional network; the chapter on speed.
    """
    ### BEGIN SOLUTION
    k1, b1, k2, b2, k3, b3, w4, b4, w5, b5 = params
    slot_k3, slot_b3, slot_w4, slot_b4, slot_w5, slot_b5 = slots[4:]
    pooled1, argmax1 = conv2d_fused(x, k1, b1)
    pooled2, argmax2 = conv2d_fused(pooled1, k2, b2)
    (n, height, width, _), (kh, kw, c_in, filters) = pooled2.shape, k3.shape
    rows, columns, depth = height - kh + 1, width - kw + 1, kh * kw * c_in
    windows = im2col(pooled2, (kh, kw), ONE_BY_ONE, "valid")
    pixels3 = dense_relu_fused(windows, k3.reshape(depth, filters), b3)
    features = pixels3.reshape(n, rows * columns * filters)
    hidden = dense_relu_fused(features, w4, b4)
    probabilities = softmax(dense_forward(hidden, w5, b5))
    loss = sparse_categorical_crossentropy(labels, probabilities)

    dlogits = probabilities
    dlogits[np.arange(n), labels] -= np.float32(1)
    dlogits /= np.float32(n)
    rates = lr, rho, eps
    dhidden = dense_step_fused(dlogits, hidden, w5, b5, slot_w5, slot_b5, *rates)
    dfeatures = dense_step_fused(relu_backward(dhidden, hidden), features, w4, b4, slot_w4, slot_b4, *rates)
    dpixels3 = relu_backward(dfeatures.reshape(pixels3.shape), pixels3)
    matrix, slot = k3.reshape(depth, filters), slot_k3.reshape(depth, filters)
    dwindows = dense_step_fused(dpixels3, windows, matrix, b3, slot, slot_b3, *rates)
    dpooled2 = np.zeros_like(pooled2)
    add_windows(dwindows.reshape(n, rows, columns, kh, kw, c_in), dpooled2)
    dpooled1, dk2, db2 = conv2d_fused_backward(dpooled2, argmax2, pooled1, k2)
    dk1, db1 = kernel_gradients(dpooled1, argmax1, x, k1)
    for param, gradient, slot in zip(params[:4], (dk1, db1, dk2, db2), slots[:4], strict=True):
        rmsprop_row(param.reshape(-1), gradient.reshape(-1), slot.reshape(-1), *rates)
    return loss
    ### END SOLUTION


@njit(cache=True, parallel=True)
def add_windows(dwindows, dx):
    """The way back of im2col for windows with stride 1: every window adds its gradient to the pixels that it saw.

    Parameters
    ----------
    dwindows : float32 (n, rows, columns, kh, kw, c)
    dx : float32 (n, rows + kh - 1, columns + kw - 1, c); changed in place

    Approach: share out the samples; a window's row of pixels is one piece in both arrays.
    """
    ### BEGIN SOLUTION
    n, rows, columns, kh, kw, _ = dwindows.shape
    for s in prange(n):
        for i in range(rows):
            for j in range(columns):
                for a in range(kh):
                    add(dwindows[s, i, j, a].reshape(-1), dx[s, i + a, j : j + kw].reshape(-1))
    ### END SOLUTION


@njit(cache=True, parallel=True)
def kernel_gradients(dy, argmax, x, kernel):
    """The backward pass of conv2d_fused, without dx: for a first layer, whose input is no layer's output.

    Parameters
    ----------
    dy : float32 (n, rows, columns, filters); the upstream gradient
    argmax : uint8, the shape of dy; from conv2d_fused
    x : float32 (n, h, w, c_in); the forward pass's input
    kernel : float32 (kh, kw, c_in, filters)

    Returns
    -------
    dkernel : float32, the shape of kernel
    dbias : float32 (filters,)

    Approach: conv2d_fused_backward again; one sample at a time, whose slopes stay in the cache.
    """
    ### BEGIN SOLUTION
    n, h, w, c_in = x.shape
    kh, kw, _, filters = kernel.shape
    _, rows, columns, _ = dy.shape
    pools, parts = rows * columns, max(1, min(PARTS, n))
    window, strips = window_offsets(kh, kw, w, c_in), (filters + WIDTH - 1) // WIDTH
    starts = window_starts(0, pools, rows, columns, h, w, c_in)
    dkernels = np.zeros((parts, window.size, strips * WIDTH), np.float32)
    dbiases = np.zeros((parts, filters), np.float32)
    for part in prange(parts):
        for s in range(part * n // parts, (part + 1) * n // parts):
            slopes = unpool(dy[s].reshape(pools, filters), argmax[s].reshape(pools, filters), dbiases[part])
            add_dkernel(x[s].reshape(-1), window, starts, slopes, dkernels[part])
    for part in range(1, parts):
        add(dkernels[part].reshape(-1), dkernels[0].reshape(-1))
        add(dbiases[part], dbiases[0])
    return dkernels[0, : kh * kw * c_in, :filters].copy().reshape(kernel.shape), dbiases[0]
    ### END SOLUTION


# --- training -------------------------------------------------------------------------------------------------------


def train_epoch(images, labels, params, slots, order, batch_size, lr, rho, eps):
    """One pass over the training data, batch by batch, in a given order.

    Parameters
    ----------
    images : uint8 (n, height, width)
    labels : int64 (n,)
    params, slots : ten float32 arrays each, changed in place, as in train_step
    order : int64 (m,); which image comes when; the first batch is order[:batch_size]
    batch_size : int
    lr, rho, eps : float

    Returns
    -------
    float32 (number of batches,): the loss of each batch, before its step

    Approach: for each batch take its indices from the order, prepare these images, make one step with these labels.
    Example: 300 images in batches of 64 are five steps, the last of them with 44 images.
    Trap: images and labels must be picked by the same indices: a network trained on shuffled images with unshuffled
    labels learns nothing, and says so only by its loss, which stays at log(10) = 2.3.
    Lecture: Episode 1, the training loop: batches and epochs.
    """
    ### BEGIN SOLUTION
    losses = []
    for start in range(0, len(order), batch_size):
        batch = order[start : start + batch_size]
        losses.append(fast_step(prepare(images[batch]), labels[batch], params, slots, lr, rho, eps))
    return np.array(losses, np.float32)
    ### END SOLUTION


def initial_params(rng, shape, filters, hidden_units):
    """The parameters of a network that has not learned anything yet.

    Parameters
    ----------
    rng : numpy.random.Generator; draws the weights layer by layer, the first one's first
    shape : (int, int); the rows and columns of an image
    filters : (int, int, int); of the three convolutions
    hidden_units : int; of the dense layer before the last

    Returns
    -------
    (k1, b1, k2, b2, k3, b3, w4, b4, w5, b5) : float32; kernels (WINDOW, WINDOW, c_in, filters), weights
    (d_in, hidden_units) and (hidden_units, CLASSES), biases zero

    Approach: one output pixel of a convolution sees WINDOW * WINDOW * c_in numbers, so that is its fan_in, and one of
    its input numbers goes to WINDOW * WINDOW * filters: fan_out. One call of rng.uniform(-limit, limit, shape of the
    kernel), then float32; for the dense layers your glorot_uniform. d_in follows from the image: each convolution takes
    WINDOW - 1 rows and columns, each pooling leaves half of them, rounded down.
    Example: shape (28, 28), filters (32, 64, 64), hidden_units = 64 make d_in = 3 * 3 * 64 = 576 and 93,322 parameters.
    The first kernel's limit is sqrt(6 / (9 + 288)) = 0.142.
    Trap: glorot_uniform(rng, c_in, filters) is right in shape for one place of the window and nine times too generous:
    the nine places add up.
    Lecture: Deep Neural Networks, weight initialization; A first convolutional network, counting parameters.
    """
    ### BEGIN SOLUTION
    params, c_in, places = [], 1, WINDOW * WINDOW
    for c_out in filters:
        limit = np.sqrt(6 / (places * (c_in + c_out)))
        params.append(rng.uniform(-limit, limit, (WINDOW, WINDOW, c_in, c_out)).astype(np.float32))
        params.append(np.zeros(c_out, np.float32))
        c_in = c_out
    lost = WINDOW - 1
    rows, columns = (((size - lost) // 2 - lost) // 2 - lost for size in shape)
    w4 = glorot_uniform(rng, rows * columns * c_in, hidden_units)
    w5 = glorot_uniform(rng, hidden_units, CLASSES)
    return *params, w4, np.zeros(hidden_units, np.float32), w5, np.zeros(CLASSES, np.float32)
    ### END SOLUTION


def train(images, labels, rng, filters, hidden_units, epochs, batch_size):
    """Train the network from scratch, with RMSprop as Keras has it (LEARNING_RATE, RHO, EPSILON above).

    Parameters
    ----------
    images : uint8 (n, height, width); at least 18 rows and columns, so that the third convolution has some left
    labels : int64 (n,); classes 0 … 9
    rng : numpy.random.Generator; draws the initial parameters, then each epoch's order
    filters : (int, int, int); of the three convolutions
    hidden_units : int; of the dense layer before the last
    epochs : int
    batch_size : int

    Returns
    -------
    (k1, b1, k2, b2, k3, b3, w4, b4, w5, b5) : the trained parameters, as in forward

    Approach: initial_params, zero slots of the same shapes; before each epoch `rng.permutation(n)` draws its order.
    Example: with epochs = 0 the initial parameters come back.
    Trap: the slots live as long as the training. Fresh ones in every epoch forget how large the gradients were, and the
    first steps of each epoch are three times too long.
    Lecture: A first convolutional network, "fit".
    """
    ### BEGIN SOLUTION
    params = initial_params(rng, images.shape[1:], filters, hidden_units)
    slots = tuple(np.zeros_like(param) for param in params)
    for _ in range(epochs):
        order = rng.permutation(len(images))
        train_epoch(images, labels, params, slots, order, batch_size, LEARNING_RATE, RHO, EPSILON)
    return params
    ### END SOLUTION

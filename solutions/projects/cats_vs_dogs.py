"""Cat or dog? Photographs from scratch: a network that could learn them all by heart, and how to keep it from that.

Digits are drawn in ink on nothing. A photo has colours, light, sofas and people, and the animal is anywhere in it, at
any size. 2,000 photos are few for that, and 64 x 64 pixels are not many; for the rest this is the network of the digits
with one more pooling and one answer:

                                             numbers per photo      parameters
    photo                                     64 x 64 x  3
    convolution 3 x 3, 32 filters, ReLU       62 x 62 x 32                 896
    max pooling 2 x 2                         31 x 31 x 32
    convolution 3 x 3, 64 filters, ReLU       29 x 29 x 64              18,496
    max pooling 2 x 2                         14 x 14 x 64
    convolution 3 x 3, 128 filters, ReLU      12 x 12 x 128             73,856
    max pooling 2 x 2                          6 x  6 x 128
    flatten                                     4,608
    dense, ReLU                                   128                  589,952
    dense, sigmoid                                  1                      129

683,329 parameters: 342 for each of the photos. Left alone, such a network learns them one by one, and that is of no
use with any other. Augmentation, from the chapter of that name, shows it other variants in every epoch.

    prepare          pixels 0 … 255 become numbers in [0, 1]
    forward          photo to the probability that it shows a dog, keeping what the way back will need
    backward         probability to ten gradients
    predict          probabilities for photos as they come, some of them at a time
    train_step       forward, loss, backward, update: one batch
    fast_step        the same step again, made for speed
    train_epoch      one step per batch, in a given order; with ranges, every photo in a new variant
    initial_params   Glorot's weights, zero biases
    train            initial parameters, then epoch after epoch

The network's ten parameter arrays stand in Keras's order everywhere, and nothing but `initial_params` knows how many
filters there are or how large their windows: the other functions read it off the arrays' shapes.

    params = k1, b1, k2, b2, k3, b3, w4, b4, w5, b5

Photos come in their folders' order, all cats before all dogs. Who trains on them as they lie shows the network nothing
but cats for half an epoch, so each epoch has a shuffled order.
Follows the lectures on convolutional networks, "Training a convnet from scratch on a small dataset" and "Data
augmentation".
"""

import numpy as np
from numba import njit

from ..ch03_activations import relu, relu_backward, sigmoid
from ..ch04_losses import binary_crossentropy
from ..ch05_dense import dense_backward, dense_forward, glorot_uniform
from ..ch06_optimizers import rmsprop_step
from ..ch11_convolution import (
    conv2d_backward,
    conv2d_forward,
    flatten,
    maxpool2d_backward,
    maxpool2d_forward,
    unflatten,
)
from ..ch15_augmentation import augment_batch, rescale
from ..ch20_speed import conv2d_fused, conv2d_fused_backward, dense_relu_fused, dense_step_fused

CHANNELS = 3
WINDOW = 3  # rows and columns of every kernel
LEARNING_RATE, RHO, EPSILON = 3e-4, 0.9, 1e-7
ONE_BY_ONE, TWO_BY_TWO = (1, 1), (2, 2)
IMAGES_AT_A_TIME = 100  # in predict
AUGMENTATION = (0.5, 0.05, 0.1, 0.15, 0.1, 0.1)  # flip, rotation, shear, zoom, height, width


@njit(cache=True)
def prepare(images):
    """Make photos ready for the network: numbers in [0, 1].

    Parameters
    ----------
    images : float32 (n, height, width, 3); pixels 0 … 255 of red, green and blue

    Returns
    -------
    float32, the shape of images: the pixels times 1 / 255

    Approach: `rescale` of the chapter on augmentation does it.
    Example: a pixel (0, 255, 51) becomes (0, 1, 0.2).
    Trap: the network that has learned from numbers up to 1 is lost with numbers up to 255, and says so by nothing but
    its answers, which are all 0 or 1. Training and test photos need the same.
    Lecture: Training a convnet from scratch, preparing the images: rescale=1./255.
    """
    ### BEGIN SOLUTION
    return rescale(images, 1 / 255, 0.0)
    ### END SOLUTION


def forward(x, params):
    """From photos to probabilities, and everything on the way that the backward pass will ask for.

    Parameters
    ----------
    x : float32 (n, height, width, 3); prepared photos
    params : (k1, b1, k2, b2, k3, b3, w4, b4, w5, b5), all float32: kernels (kh, kw, c_in, filters), weights
        (d_in, d_out), and one bias per filter or unit

    Returns
    -------
    probabilities : float32 (n, 1); that the photo shows a dog
    cache : (maps1, pooled1, argmax1, maps2, pooled2, argmax2, maps3, pooled3, argmax3, hidden, probabilities): the maps
        and the hidden layer after their ReLU; argmax as maxpool2d_forward has it

    Approach: three times conv2d_forward, relu and maxpool2d_forward; flatten; a dense layer and relu; a dense layer and
    sigmoid. All convolutions are "valid" with stride 1, all poolings 2 x 2 with stride 2.
    Example: a 64 x 64 photo has maps1 of 62 x 62, pooled1 of 31 x 31, maps2 of 29 x 29, pooled2 of 14 x 14, maps3 of
    12 x 12, pooled3 of 6 x 6. With all parameters zero every probability is 0.5.
    Trap: no ReLU before the sigmoid: a score below zero is what says "a cat". With it, no probability is below 0.5.
    Lecture: Training a convnet from scratch, building the network.
    """
    ### BEGIN SOLUTION
    k1, b1, k2, b2, k3, b3, w4, b4, w5, b5 = params
    maps1 = relu(conv2d_forward(x, k1, b1, ONE_BY_ONE, "valid"))
    pooled1, argmax1 = maxpool2d_forward(maps1, TWO_BY_TWO, TWO_BY_TWO, "valid")
    maps2 = relu(conv2d_forward(pooled1, k2, b2, ONE_BY_ONE, "valid"))
    pooled2, argmax2 = maxpool2d_forward(maps2, TWO_BY_TWO, TWO_BY_TWO, "valid")
    maps3 = relu(conv2d_forward(pooled2, k3, b3, ONE_BY_ONE, "valid"))
    pooled3, argmax3 = maxpool2d_forward(maps3, TWO_BY_TWO, TWO_BY_TWO, "valid")
    hidden = relu(dense_forward(flatten(pooled3), w4, b4))
    probabilities = sigmoid(dense_forward(hidden, w5, b5))
    cache = maps1, pooled1, argmax1, maps2, pooled2, argmax2, maps3, pooled3, argmax3, hidden, probabilities
    return probabilities, cache
    ### END SOLUTION


def backward(labels, x, cache, params):
    """Backpropagation through all layers, last to first.

    Parameters
    ----------
    labels : int64 (n,); 1 for a dog, 0 for a cat
    x : float32 (n, height, width, 3); the forward pass's input
    cache : what the forward pass kept
    params : ten arrays, as in forward

    Returns
    -------
    dk1, db1, dk2, db2, dk3, db3, dw4, db4, dw5, db5 : float32, each of the shape of its parameter: the gradient of the
    mean binary crossentropy over the batch

    Approach: begin with dlogits = (probabilities - labels) / n, the gradient of sigmoid and crossentropy together. Then
    read forward from its last line to its first, and call each function's backward with what went into it.
    Example: the probabilities [[0.7], [0.4]] and labels = [1, 0] give dlogits = [[-0.15], [0.2]] and db5 = [0.05].
    Trap: labels (n,) minus probabilities (n, 1) is no column but a whole (n, n) table: make a column of the labels
    first, and float32 numbers.
    Lecture: Deep Neural Networks, backpropagation; Training a convnet from scratch.
    """
    ### BEGIN SOLUTION
    k1, _, k2, _, k3, _, w4, _, w5, _ = params
    maps1, pooled1, argmax1, maps2, pooled2, argmax2, maps3, pooled3, argmax3, hidden, probabilities = cache
    targets = labels.astype(np.float32).reshape(-1, 1)
    dlogits = (probabilities - targets) / np.float32(labels.size)
    dhidden, dw5, db5 = dense_backward(dlogits, hidden, w5)
    dfeatures, dw4, db4 = dense_backward(relu_backward(dhidden, hidden), flatten(pooled3), w4)
    dpooled3 = unflatten(dfeatures, pooled3.shape)
    dmaps3 = relu_backward(maxpool2d_backward(dpooled3, argmax3, maps3.shape), maps3)
    dpooled2, dk3, db3 = conv2d_backward(dmaps3, pooled2, k3, ONE_BY_ONE, "valid")
    dmaps2 = relu_backward(maxpool2d_backward(dpooled2, argmax2, maps2.shape), maps2)
    dpooled1, dk2, db2 = conv2d_backward(dmaps2, pooled1, k2, ONE_BY_ONE, "valid")
    dmaps1 = relu_backward(maxpool2d_backward(dpooled1, argmax1, maps1.shape), maps1)
    _, dk1, db1 = conv2d_backward(dmaps1, x, k1, ONE_BY_ONE, "valid")  # nobody asks for the gradient of the photo
    return dk1, db1, dk2, db2, dk3, db3, dw4, db4, dw5, db5
    ### END SOLUTION


def predict(images, params):
    """The probability of a dog for photos that nobody has prepared yet.

    Parameters
    ----------
    images : float32 (n, height, width, 3); pixels 0 … 255
    params : ten arrays, as in forward

    Returns
    -------
    float32 (n, 1): above 0.5 the network's answer is "dog", else "cat"

    Approach: prepare some photos, forward, keep the probabilities and drop the cache; then the next ones, each batch
    writing to its own rows.
    Example: with all weights and biases zero every photo gets 0.5.
    Trap: no augmentation here. It makes learning harder so that the network learns more; the exam has plain questions.
    And memory: the forward pass keeps 1.3 MB per photo, 130 MB for IMAGES_AT_A_TIME.
    Lecture: Training a convnet from scratch, evaluating it; "the validation data should not be augmented".
    """
    ### BEGIN SOLUTION
    probabilities = np.empty((len(images), 1), np.float32)
    for start in range(0, len(images), IMAGES_AT_A_TIME):
        batch = slice(start, start + IMAGES_AT_A_TIME)
        probabilities[batch], _ = forward(prepare(images[batch]), params)
    return probabilities
    ### END SOLUTION


def train_step(x, labels, params, slots, lr, rho, eps):
    """One batch, one step: every parameter moves a little against its gradient, in place.

    Parameters
    ----------
    x : float32 (n, height, width, 3); one batch of prepared photos
    labels : int64 (n,); 1 for a dog, 0 for a cat
    params : ten float32 arrays, as in forward; changed in place
    slots : ten float32 arrays of the shapes of params; RMSprop's running mean squares, changed in place
    lr, rho, eps : float; RMSprop's learning rate, decay and epsilon

    Returns
    -------
    float: the mean loss of the batch, with the weights as they were *before* the step

    Approach: forward; binary_crossentropy of labels and probabilities, both as one row of float32 numbers; backward;
    rmsprop_step for each parameter with its own gradient and its own slot.
    Example: with all parameters zero the loss is log(2) = 0.6931. All gradients but db5 are zero then, and b5 alone
    takes a step.
    Trap: all ten gradients belong to the same weights. If a layer moves before the backward pass has gone through it,
    they do not.
    Lecture: Training a convnet from scratch: compile(loss="binary_crossentropy", optimizer="rmsprop") and fit.
    """
    ### BEGIN SOLUTION
    probabilities, cache = forward(x, params)
    loss = binary_crossentropy(labels.astype(np.float32), probabilities.ravel())
    for param, gradient, slot in zip(params, backward(labels, x, cache, params), slots, strict=True):
        rmsprop_step(param, gradient, slot, lr, rho, eps)
    return loss
    ### END SOLUTION


def fast_step(x, labels, params, slots, lr, rho, eps):
    """train_step once more, for speed: the same arguments, the same answer, from the top of the speed ladder.

    Parameters
    ----------
    x : float32 (n, height, width, 3); one batch of prepared photos
    labels : int64 (n,); 1 for a dog, 0 for a cat
    params : ten float32 arrays, as in forward; changed in place
    slots : ten float32 arrays of the shapes of params; RMSprop's running mean squares, changed in place
    lr, rho, eps : float; RMSprop's learning rate, decay and epsilon

    Returns
    -------
    float: the mean loss of the batch, with the weights as they were before the step

    Every layer has its fast function here: convolution, ReLU and pooling always come together, as conv2d_fused has
    them. Forwards a batch of 32 photos takes two billion multiplications, half of them in the second convolution, and
    no numbers are kept but those behind a pooling.

    Approach: conv2d_fused three times, flatten, dense_relu_fused, dense_forward and sigmoid: loss. Back:
    dense_step_fused for both dense layers, which makes their steps as well, with relu_backward between them; unflatten;
    conv2d_fused_backward three times; and when the gradients of all kernels are known, their steps.
    Example: that of train_step: it is the same function.
    Trap: argmax goes with its own layer, and so does what went *into* that layer. The pooled maps of one convolution
    are the x of the next.
    Lecture: Training a convnet from scratch; the chapter on speed.
    """
    ### BEGIN SOLUTION
    k1, b1, k2, b2, k3, b3, w4, b4, w5, b5 = params
    slot_w4, slot_b4, slot_w5, slot_b5 = slots[6:]
    pooled1, argmax1 = conv2d_fused(x, k1, b1)
    pooled2, argmax2 = conv2d_fused(pooled1, k2, b2)
    pooled3, argmax3 = conv2d_fused(pooled2, k3, b3)
    features = flatten(pooled3)
    hidden = dense_relu_fused(features, w4, b4)
    probabilities = sigmoid(dense_forward(hidden, w5, b5))
    targets = labels.astype(np.float32)
    loss = binary_crossentropy(targets, probabilities.ravel())

    rates = lr, rho, eps
    dlogits = (probabilities - targets.reshape(-1, 1)) / np.float32(labels.size)
    dhidden = dense_step_fused(dlogits, hidden, w5, b5, slot_w5, slot_b5, *rates)
    dfeatures = dense_step_fused(relu_backward(dhidden, hidden), features, w4, b4, slot_w4, slot_b4, *rates)
    dpooled3 = unflatten(dfeatures, pooled3.shape)
    dpooled2, dk3, db3 = conv2d_fused_backward(dpooled3, argmax3, pooled2, k3)
    dpooled1, dk2, db2 = conv2d_fused_backward(dpooled2, argmax2, pooled1, k2)
    _, dk1, db1 = conv2d_fused_backward(dpooled1, argmax1, x, k1)
    for param, gradient, slot in zip(params[:6], (dk1, db1, dk2, db2, dk3, db3), slots[:6], strict=True):
        rmsprop_step(param, gradient, slot, *rates)
    return loss
    ### END SOLUTION


# --- training -------------------------------------------------------------------------------------------------------


def train_epoch(images, labels, params, slots, order, batch_size, ranges, rng, lr, rho, eps):
    """One pass over the training data, batch by batch, in a given order; with augmentation or without.

    Parameters
    ----------
    images : float32 (n, height, width, 3); pixels 0 … 255
    labels : int64 (n,); 1 for a dog, 0 for a cat
    params, slots : ten float32 arrays each, changed in place, as in train_step
    order : int64 (m,); which photo comes when; the first batch is order[:batch_size]
    batch_size : int
    ranges : those of augment_batch, e.g. AUGMENTATION; or None: the photos as they are
    rng : numpy.random.Generator; draws the augmentation
    lr, rho, eps : float

    Returns
    -------
    float32 (number of batches,): the loss of each batch, before its step

    Approach: for each batch take its indices from the order and prepare these photos. Augment what you prepared, if
    there are ranges: a new copy, which nobody needs after this step. Then one step with these labels.
    Example: 2,000 photos in batches of 32 are 63 steps, the last of them with 16 photos.
    Trap: augment each batch when its turn comes. Who augments all photos before the first epoch has other photos, but
    no more of them. And no batch gets labels of its own: a tilted cat is a cat.
    Lecture: Data augmentation; Episode 1, the training loop: batches and epochs.
    """
    ### BEGIN SOLUTION
    losses = []
    for start in range(0, len(order), batch_size):
        batch = order[start : start + batch_size]
        x = prepare(images[batch])
        if ranges is not None:
            x = augment_batch(x, ranges, rng)
        losses.append(fast_step(x, labels[batch], params, slots, lr, rho, eps))
    return np.array(losses, np.float32)
    ### END SOLUTION


def initial_params(rng, shape, filters, hidden_units):
    """The parameters of a network that has not learned anything yet.

    Parameters
    ----------
    rng : numpy.random.Generator; draws the weights layer by layer, the first one's first
    shape : (int, int); the rows and columns of a photo
    filters : (int, int, int); of the three convolutions
    hidden_units : int; of the dense layer before the last

    Returns
    -------
    (k1, b1, k2, b2, k3, b3, w4, b4, w5, b5) : float32; kernels (WINDOW, WINDOW, c_in, filters), weights
    (d_in, hidden_units) and (hidden_units, 1), biases zero

    Approach: as in the network of the digits. A kernel's fan_in is WINDOW * WINDOW * c_in, its fan_out
    WINDOW * WINDOW * filters; one call of rng.uniform(-limit, limit, shape of the kernel), then float32. For the dense
    layers your glorot_uniform. d_in follows from the photo: each convolution takes WINDOW - 1 rows and columns, and
    each pooling leaves half of them, rounded down.
    Example: shape (64, 64), filters (32, 64, 128), hidden_units = 128 make d_in = 6 * 6 * 128 = 4,608 and 683,329
    parameters. The first kernel's limit is sqrt(6 / (27 + 288)) = 0.138.
    Trap: the first convolution looks at three colours at once: its c_in is CHANNELS, not 1.
    Lecture: Deep Neural Networks, weight initialization; Training a convnet from scratch, the model's summary.
    """
    ### BEGIN SOLUTION
    params, c_in, places = [], CHANNELS, WINDOW * WINDOW
    rows, columns = shape
    for c_out in filters:
        limit = np.sqrt(6 / (places * (c_in + c_out)))
        params.append(rng.uniform(-limit, limit, (WINDOW, WINDOW, c_in, c_out)).astype(np.float32))
        params.append(np.zeros(c_out, np.float32))
        c_in, rows, columns = c_out, (rows - WINDOW + 1) // 2, (columns - WINDOW + 1) // 2
    w4 = glorot_uniform(rng, rows * columns * c_in, hidden_units)
    w5 = glorot_uniform(rng, hidden_units, 1)
    return *params, w4, np.zeros(hidden_units, np.float32), w5, np.zeros(1, np.float32)
    ### END SOLUTION


def train(images, labels, rng, filters, hidden_units, epochs, batch_size, ranges):
    """Train the network from scratch, with RMSprop (LEARNING_RATE, RHO, EPSILON above).

    Parameters
    ----------
    images : float32 (n, height, width, 3); pixels 0 … 255; at least 22 rows and columns, so that the third pooling has
        some left
    labels : int64 (n,); 1 for a dog, 0 for a cat
    rng : numpy.random.Generator; draws the initial parameters, then each epoch's order and its augmentation
    filters : (int, int, int); of the three convolutions
    hidden_units : int; of the dense layer before the last
    epochs : int
    batch_size : int
    ranges : those of augment_batch, or None for no augmentation

    Returns
    -------
    (k1, b1, k2, b2, k3, b3, w4, b4, w5, b5) : the trained parameters, as in forward

    Approach: initial_params, zero slots of the same shapes; before each epoch `rng.permutation(n)` draws its order.
    Example: with epochs = 0 the initial parameters come back.
    Trap: with augmentation the loss falls more slowly, and a dozen epochs show nothing yet. It pays where the network
    without it has stopped to learn: look at photos that it has not seen.
    Lecture: Training a convnet from scratch, "fit"; Data augmentation.
    """
    ### BEGIN SOLUTION
    params = initial_params(rng, images.shape[1:3], filters, hidden_units)
    slots = tuple(np.zeros_like(param) for param in params)
    rates = LEARNING_RATE, RHO, EPSILON
    for _ in range(epochs):
        order = rng.permutation(len(images))
        train_epoch(images, labels, params, slots, order, batch_size, ranges, rng, *rates)
    return params
    ### END SOLUTION

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
    raise NotImplementedError("prepare")


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
    raise NotImplementedError("forward")


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
    raise NotImplementedError("backward")


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
    raise NotImplementedError("predict")


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
    raise NotImplementedError("train_step")


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
    raise NotImplementedError("fast_step")


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
    raise NotImplementedError("train_epoch")


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
    raise NotImplementedError("initial_params")


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
    raise NotImplementedError("train")

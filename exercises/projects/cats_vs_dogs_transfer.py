"""Cats and dogs with borrowed eyes: a network that others trained on a million photos, and one new layer on top of it.

Two thousand photos are few. A convnet that starts from nothing spends them on learning what an edge is, and then what
fur is. But edges and fur are the same everywhere: a network that has learned to tell a thousand things apart knows them
already. *Feature extraction* keeps the layers of such a network, its convolutional *base*, and throws away its
classifier, which knows the thousand names. What the base says about a photo, its *features*, goes to a new classifier,
the *head*, and only the head is trained.

The base here is MobileNet, made for telephones, at a quarter of its width: 218,544 parameters, *frozen*, which means
that training leaves them as they are. The head is one unit with 257. Where MobileNet's file is not at hand, a small
base stands in for it: its first blocks, trained on drawn shapes. The code does not know which of the two it has.

    preprocess          pixels 0 … 255 become numbers in [-1, 1], as the base has learned them
    relu6               a ReLU that ends at 6
    depthwise_conv2d    a convolution that leaves the channels apart
    pointwise_conv2d    a convolution with windows of one pixel, which mixes the channels
    fold_batchnorm      at rest a batch normalization is a part of the convolution before it
    block               depthwise and pointwise, each with its normalization and relu6
    base_forward        images to features
    extract_features    the same for many images, some of them at a time, and once for all
    count_params        what is trained, what is frozen
    head_forward        features to a probability
    train_step          one batch of features, one step of the head
    train_epoch         one step per batch, in a given order
    train_head          Glorot's weights, then epoch after epoch
    predict             photos to probabilities: base and head together

A frozen base always says the same of a photo. So its features are computed once, and a training of 30 epochs, which
would send 60,000 photos through 27 convolutions, sends 2,000. What is left of an epoch takes milliseconds. One unit on
these features knows nine of ten animals; a convnet that starts from nothing knows seven or eight.

A base is a tuple of layers, one per convolution: the first convolution of all, then a depthwise and a pointwise one for
each block. A layer is the five arrays that Keras keeps for it:

    layer = kernel, gamma, beta, moving_mean, moving_var

The kernel is (kh, kw, c_in, filters), that of a depthwise convolution (kh, kw, c); the other four have one number for
each channel that the convolution puts out. Nothing but the arrays' shapes says how wide the base is, and nothing but
their number how deep.
Follows the lectures on convolutional networks, "Using a pretrained convnet": feature extraction. Fine-tuning, which
lets the base move a little in the end, has a chapter of its own.
"""

import numpy as np
from numba import njit, prange

from ..ch03_activations import sigmoid
from ..ch04_losses import binary_crossentropy
from ..ch05_dense import dense_backward, dense_forward, glorot_uniform
from ..ch06_optimizers import rmsprop_step
from ..ch11_convolution import conv2d_forward, global_average_pool_forward, windows_along

STRIDES = (1, 2, 1, 2, 1, 2, 1, 1, 1, 1, 1, 2, 1)  # of MobileNet's 13 blocks; the convolution before them has 2
BATCHNORM_EPSILON = 1e-3  # Keras's
LEARNING_RATE, RHO, EPSILON = 1e-3, 0.9, 1e-7


# --- the base -------------------------------------------------------------------------------------------------------


@njit(cache=True)
def preprocess(images):
    """Bring photos into the range in which the base has learned to see.

    Parameters
    ----------
    images : float32 (n, height, width, 3); colours 0 … 255

    Returns
    -------
    float32, the shape of images: pixel / 127.5 - 1, so that black is -1 and white is 1

    Approach: one multiplication or division and one subtraction, with float32 numbers.
    Example: [0, 51, 255] gives [-1, -0.6, 1].
    Trap: every pretrained network has its own range, and MobileNet's is not [0, 1]. Nothing fails with another one: the
    base sees pictures in fog, and the features are worse.
    Lecture: Using a pretrained convnet, preprocess_input.
    """
    raise NotImplementedError("preprocess")


@njit(cache=True)
def relu6(x):
    """A ReLU with a ceiling: MobileNet's activation.

    Parameters
    ----------
    x : float32, any shape

    Returns
    -------
    float32, the shape of x: 0 where x < 0, 6 where x > 6, else x

    A number that never exceeds 6 can be kept in eight bits, which is what telephones do. To a network it makes hardly
    any difference, but one that was trained with the ceiling must be used with it.

    Approach: make an output of the shape of x; reshape(-1) shows both as long rows, without a copy; visit every element
    once.
    Example: [-2, 0, 3, 7] gives [0, 0, 3, 6].
    Trap: the input must stay as it was: write into a new array.
    Lecture: Deep Neural Networks, activation functions; Using a pretrained convnet.
    """
    raise NotImplementedError("relu6")


@njit(cache=True, parallel=True)
def depthwise_conv2d(x, kernel, bias, strides):
    """A convolution that leaves the channels apart: every channel has one pattern of its own, and only looks for that.

    Parameters
    ----------
    x : float32 (n, h, w, c)
    kernel : float32 (kh, kw, c); one pattern per channel
    bias : float32 (c,)
    strides : (int, int); the step down the rows and the step along the columns

    Returns
    -------
    float32 (n, rows, columns, c): bias[ch] + the sum over a, b of
    x[s, i * strides[0] - top + a, j * strides[1] - left + b, ch] * kernel[a, b, ch]; the padding is "same": what lies
    outside x counts as 0, and top and left are as windows_along has them

    An ordinary 3 x 3 convolution with c channels and c filters takes 9 * c * c multiplications per pixel. This one
    takes 9 * c, and the pointwise convolution after it c * c: together an eighth or a ninth.

    Approach: conv2d_forward without its loop over the input channels. For each output pixel start from the bias, walk
    over the part of the window that lies inside the image, and add pixel times kernel, all channels at once: they lie
    side by side in memory. Slice the output pixel, the input pixel and the weights before the innermost loop.
    Example: x = [[1, 2, 3], [4, 5, 6], [7, 8, 9]], one channel, a kernel of 3 x 3 ones, bias 0 and strides (2, 2) give
    [[12, 16], [24, 28]]. With strides (2, 2) an image of 4 x 4 ones gives [[9, 6], [6, 4]]: its windows begin at the
    first pixel, and the only row and column of padding come after the last one.
    Trap: an odd row of padding goes after the image, and with stride 2 and an even height there is one row in all.
    PyTorch puts one on each side: with Keras's weights every map then shifts by a pixel.
    Lecture: convolutional networks, padding and strides; Using a pretrained convnet.
    """
    raise NotImplementedError("depthwise_conv2d")


@njit(cache=True)
def pointwise_conv2d(x, kernel, bias):
    """A convolution whose windows are one pixel large: it sees no neighbours, and mixes the channels.

    Parameters
    ----------
    x : float32 (n, h, w, c_in)
    kernel : float32 (1, 1, c_in, filters)
    bias : float32 (filters,)

    Returns
    -------
    float32 (n, h, w, filters): bias[f] + the sum over c of x[s, i, j, c] * kernel[0, 0, c, f]

    Approach: to every pixel the same dense layer is applied. So make one row of each pixel, n * h * w rows in all, call
    your dense_forward, and give the answer its rows and columns back.
    Example: the pixel [1, 2], the kernel [[[[1, 0, -1], [3, 1, 0]]]] and bias [10, 20, 30] give [17, 22, 29].
    Trap: reshape keeps the order in memory, and the channels lie last: no transposing.
    Lecture: convolutional networks, the convolution as a matrix product.
    """
    raise NotImplementedError("pointwise_conv2d")


@njit(cache=True)
def fold_batchnorm(kernel, gamma, beta, moving_mean, moving_var, eps):
    """Make one convolution of a convolution without bias and the batch normalization after it.

    Parameters
    ----------
    kernel : float32 (kh, kw, c_in, filters), or (kh, kw, filters) of a depthwise convolution
    gamma, beta : float32 (filters,); the learned scale and offset
    moving_mean, moving_var : float32 (filters,); the statistics that were remembered from training
    eps : float; the same as in training

    Returns
    -------
    folded : float32, the shape of kernel: kernel * scale, with scale = gamma / sqrt(moving_var + eps)
    bias : float32 (filters,): beta - moving_mean * scale

    At rest a batch normalization computes gamma * (y - moving_mean) / sqrt(moving_var + eps) + beta: it multiplies
    every channel by one number and adds another. The convolution before it can do that itself, for it is linear.

    Approach: the scale first; the filters are the kernel's last axis, so a product with it goes to the right places.
    Example: the kernel [[[[3]]]], gamma = [2], beta = [5], moving_mean = [10], moving_var = [4], eps = 0 give
    [[[[3]]]] and [-5]: 2 * (3 * x - 10) / 2 + 5 is 3 * x - 5.
    Trap: a frozen layer normalizes by what it remembers, also while the head is trained. With the statistics of the
    batch at hand the features of a photo would depend on its neighbours.
    Lecture: Deep Neural Networks, batch normalization; Using a pretrained convnet, freezing.
    """
    raise NotImplementedError("fold_batchnorm")


def block(x, depthwise, pointwise, strides):
    """One block of MobileNet: look at the neighbourhood channel by channel, then mix the channels pixel by pixel.

    Parameters
    ----------
    x : float32 (n, h, w, c)
    depthwise : (kernel, gamma, beta, moving_mean, moving_var) of the depthwise convolution, kernel (kh, kw, c)
    pointwise : the same of the pointwise convolution, kernel (1, 1, c, filters)
    strides : (int, int); of the depthwise convolution

    Returns
    -------
    float32 (n, rows, columns, filters): all numbers from 0 to 6

    Approach: fold_batchnorm with BATCHNORM_EPSILON, depthwise_conv2d, relu6; fold_batchnorm, pointwise_conv2d, relu6.
    Example: an image of ones, 4 x 4 with one channel, a depthwise kernel of 3 x 3 ones, a pointwise kernel of 1,
    normalizations that change nothing (gamma 1, beta 0, moving_mean 0, moving_var 0.999) and strides (2, 2) give
    [[6, 6], [6, 4]]: the sums 9, 6, 6 and 4, cut off at 6.
    Trap: there is an activation between the two convolutions. Without it they would be one ordinary convolution, and a
    poor one.
    Lecture: Using a pretrained convnet.
    """
    raise NotImplementedError("block")


def base_forward(x, base):
    """What the base says about images: one feature per channel of its last block.

    Parameters
    ----------
    x : float32 (n, height, width, 3); preprocessed images. Their sides are multiples of 32: for such sizes Keras's
        MobileNet pads as "same" does
    base : tuple of layers, as above: 1 + 2 * the number of blocks, of which there are at most 13

    Returns
    -------
    float32 (n, c): the mean of each channel over the image, from 0 to 6

    Approach: the first layer is an ordinary convolution: fold_batchnorm, conv2d_forward with strides (2, 2) and "same",
    relu6. Then block after block, each with the next two layers and with the next number of STRIDES for both of its
    strides; at last global_average_pool_forward.
    Example: a base of 27 layers makes of a photo of 128 x 128 pixels maps of 64 x 64, 32 x 32, 16 x 16, 8 x 8 and
    4 x 4, and of these 256 features.
    Trap: block number 2 is the first with stride 2. Later blocks have the same shapes as their neighbours, and with the
    strides in another order the answers still have the right shape.
    Lecture: Using a pretrained convnet, feature extraction.
    """
    raise NotImplementedError("base_forward")


def extract_features(base, images, batch_size):
    """The features of many photos, computed once, to be kept and used in every epoch.

    Parameters
    ----------
    base : tuple of layers, as in base_forward
    images : float32 (n, height, width, 3); colours 0 … 255, as they come
    batch_size : int; how many of them are in the works at a time

    Returns
    -------
    float32 (n, c): features[i] belongs to images[i]; c is the number of channels that the base puts out

    Approach: an empty array for all features first; the last layer's beta knows c. Then batch by batch: preprocess,
    base_forward, and into the batch's own rows.
    Example: 2,000 photos of 128 x 128 pixels are 393 MB and have 256 features each: 2 MB.
    Trap: the order. The labels stay where they are, so every photo's features must come to its own row; and the last
    batch, which may be short, counts as well.
    Lecture: Using a pretrained convnet, fast feature extraction without data augmentation.
    """
    raise NotImplementedError("extract_features")


# --- the head -------------------------------------------------------------------------------------------------------


def count_params(base, params):
    """How many numbers the network consists of, and how few of them are trained.

    Parameters
    ----------
    base : tuple of layers, as in base_forward
    params : (w, b); the head's arrays

    Returns
    -------
    trainable : int; those that a step of the training moves
    frozen : int; those that it leaves as they are

    Approach: add up the sizes of the arrays. All the arrays of the base are frozen, whatever they are good for.
    Example: MobileNet at a quarter of its width under a head for 256 features has 257 trainable parameters and 218,544
    frozen ones.
    Trap: a batch normalization has four arrays. Two of them were never trained by gradients, but they are parameters.
    Lecture: Using a pretrained convnet, conv_base.trainable = False and the summary's last three lines.
    """
    raise NotImplementedError("count_params")


def head_forward(features, params):
    """From features to the probability of a dog.

    Parameters
    ----------
    features : float32 (n, c)
    params : (w, b), float32 (c, 1) and (1,)

    Returns
    -------
    float32 (n, 1): probabilities

    Approach: a dense layer of one unit, and its sigmoid.
    Example: features = [[1, 2]], w = [[1], [-1]], b = [1] gives sigmoid(0) = 0.5.
    Trap: one yes-no question has one unit with a sigmoid. A softmax over a single unit is always 1.
    Lecture: Using a pretrained convnet, the densely connected classifier.
    """
    raise NotImplementedError("head_forward")


def train_step(features, labels, params, slots, lr, rho, eps):
    """One batch, one step of the head, in place. The base takes no part in it.

    Parameters
    ----------
    features : float32 (n, c); what the base says about one batch of photos
    labels : int64 (n,); 0 for a cat, 1 for a dog
    params : (w, b), float32 (c, 1) and (1,); changed in place
    slots : two float32 arrays of the shapes of params; RMSprop's running mean squares, changed in place
    lr, rho, eps : float; RMSprop's learning rate, decay and epsilon

    Returns
    -------
    float: the mean binary crossentropy of the batch, with the weights as they were *before* the step

    Approach: head_forward; binary_crossentropy of float32 labels and the probabilities as one row; dlogits =
    (probabilities - labels) / n, for sigmoid and crossentropy together; dense_backward; rmsprop_step for w and for b.
    Example: with w and b zero the loss is log(2) = 0.6931. The features [[1, 0], [0, 3]] with labels = [1, 0] then have
    dlogits = [[-0.25], [0.25]] and dw = [[-0.25], [0.75]], db = [0].
    Trap: labels are (n,) and probabilities (n, 1). Their difference is (n, n) without an error message: give the labels
    a second axis. dense_backward also returns the gradient of the features, which would go down into the base; the base
    is frozen, so nobody wants it.
    Lecture: Using a pretrained convnet, training the classifier.
    """
    raise NotImplementedError("train_step")


def train_epoch(features, labels, params, slots, order, batch_size, lr, rho, eps):
    """One pass over the features, batch by batch, in a given order.

    Parameters
    ----------
    features : float32 (n, c)
    labels : int64 (n,)
    params, slots : two float32 arrays each, changed in place, as in train_step
    order : int64 (m,); which photo comes when; the first batch is order[:batch_size]
    batch_size : int
    lr, rho, eps : float

    Returns
    -------
    float32 (number of batches,): the loss of each batch, before its step

    Approach: for each batch take its indices from the order, the features and labels by them, and make one step.
    Example: 2,000 photos in batches of 20 are 100 steps.
    Trap: photos come class by class, all cats before the first dog. Without an order of its own the head would hear of
    dogs only when it has learned that everything is a cat.
    Lecture: Using a pretrained convnet, training the classifier.
    """
    raise NotImplementedError("train_epoch")


def train_head(features, labels, rng, epochs, batch_size):
    """Train a new head from scratch, with RMSprop as Keras has it (LEARNING_RATE, RHO, EPSILON above).

    Parameters
    ----------
    features : float32 (n, c); what the frozen base says about the training photos
    labels : int64 (n,); 0 for a cat, 1 for a dog
    rng : numpy.random.Generator; draws w, then each epoch's order
    epochs : int
    batch_size : int

    Returns
    -------
    (w, b) : the trained parameters, float32 (c, 1) and (1,)

    Approach: glorot_uniform weights, a zero bias, zero slots of the same shapes; before each epoch `rng.permutation(n)`
    draws its order.
    Example: with epochs = 0 w comes back as it was drawn, and b as [0].
    Trap: the slots live as long as the training. Fresh ones in every epoch forget how large the gradients were.
    Lecture: Using a pretrained convnet, training the classifier.
    """
    raise NotImplementedError("train_head")


def predict(images, base, params, batch_size):
    """The probability of a dog for photos that the network has never seen: base and head together.

    Parameters
    ----------
    images : float32 (n, height, width, 3); colours 0 … 255
    base : tuple of layers, as in base_forward
    params : (w, b); the head's arrays, as in head_forward
    batch_size : int; how many photos are in the works at a time

    Returns
    -------
    float32 (n, 1): above 0.5 the network takes the photo for a dog's

    Approach: two functions, one after the other.
    Example: with w and b zero every photo gets 0.5.
    Trap: what was done to the training photos must be done to these, the same preprocessing and the same statistics.
    Lecture: Using a pretrained convnet, evaluating on the test photos.
    """
    raise NotImplementedError("predict")

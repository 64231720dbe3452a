"""The first whole network: handwritten digits, from pixels to an answer, with nothing but your own functions.

The network of the first lectures is dense - relu - dense - softmax: 784 pixels, 512 hidden units, 10 classes,
407,050 parameters. Every part of it was an exercise before. Here they are put together:

    prepare      pixels 0 … 255 become rows of numbers in [0, 1]
    predict      one forward pass: probabilities for the ten digits
    train_step   forward, loss, backward, update: one batch, one step of every parameter
    fast_step    the same step again, made for speed
    train_epoch  one step per batch, over all images in a given order
    train        initial weights, then epoch after epoch, in a new order each time

An *epoch* is one pass over the training data. With 60,000 images and batches of 128 it has 469 steps, the last of them
with the 96 images that are left over. The loops over batches are plain Python: 469 turns cost nothing, the time is
spent in the compiled functions they call.

Keras's record of the same network says whether it is right: with Keras's trained weights it must give Keras's
answers; one step from Keras's initial weights must give Keras's new weights; the loss must fall along Keras's curve;
and trained from scratch it must recognise as many digits (0.98 of MNIST's test images; the lecture has 0.9777).
Follows Episode 1, "A first look at a neural network".
"""

import numpy as np
from numba import njit, prange

from ..ch01_tensors import flatten_images
from ..ch03_activations import softmax
from ..ch04_losses import sparse_categorical_crossentropy
from ..ch05_dense import glorot_uniform
from ..ch06_optimizers import rmsprop_step
from ..ch07_training import mlp_backward, mlp_forward

CLASSES = 10
LEARNING_RATE, RHO, EPSILON = 1e-3, 0.9, 1e-7


@njit(cache=True)
def prepare(images):
    """Make images ready for the network: one row of numbers in [0, 1] per image.

    Parameters
    ----------
    images : uint8 (n, height, width); grey levels 0 … 255

    Returns
    -------
    float32 (n, height * width): the pixels, row by row, divided by 255

    Approach: you have written this: `flatten_images` of the first chapter.
    Example: an image [[0, 255], [51, 102]] gives the row [0, 1, 0.2, 0.4].
    Trap: unscaled pixels make the first scores about 255 times too large; the softmax saturates at once.
    Lecture: Episode 1, preparing the image data.
    """
    raise NotImplementedError("prepare")


def predict(images, params):
    """Probabilities of the ten classes for images that nobody has prepared yet.

    Parameters
    ----------
    images : uint8 (n, height, width)
    params : (w1, b1, w2, b2), float32 (height * width, hidden), (hidden,), (hidden, 10), (10,)

    Returns
    -------
    float32 (n, 10): every row sums to one; the largest entry is the network's answer

    Approach: prepare the images, run one forward pass, keep its probabilities and drop the hidden activations.
    Example: with all weights and biases zero every class gets probability 0.1.
    Trap: mlp_forward ends with a softmax already. A second one flattens the row: 0.99 and nine times 0.001 become
    0.23 and nine times 0.086.
    Lecture: Episode 1, using the trained network to make predictions.
    """
    raise NotImplementedError("predict")


def train_step(x, labels, params, slots, lr, rho, eps):
    """One batch, one step: every parameter moves a little against its gradient, in place.

    Parameters
    ----------
    x : float32 (n, features); one batch of prepared images
    labels : int64 (n,); their classes
    params : (w1, b1, w2, b2); float32, changed in place
    slots : four float32 arrays of the shapes of params; RMSprop's running mean squares, changed in place
    lr, rho, eps : float; RMSprop's learning rate, decay and epsilon

    Returns
    -------
    float: the mean loss of the batch, with the weights as they were *before* the step

    Approach: forward; loss from the probabilities; backward to four gradients; rmsprop_step for each parameter with its
    own gradient and its own slot.
    Example: x = [[1]], labels = [0], w1 = [[1]], w2 (1, 10) and both biases zero: the loss is log(10) = 2.3026, and dw2
    is [[-0.9, 0.1, …, 0.1]]. With lr = 0.1, rho = 0.9, eps = 1e-7 and zero slots, w2 becomes [[0.316, -0.316, …]] and
    its slot [[0.081, 0.001, …]].
    Trap: all four gradients belong to the same weights. If the second layer moves before the backward pass has gone
    through it, they do not.
    Lecture: Episode 1, the training loop.
    """
    raise NotImplementedError("train_step")


@njit(cache=True, parallel=True, fastmath={"reassoc", "contract"})
def fast_step(x, labels, params, slots, lr, rho, eps):
    """train_step once more, for speed: the same arguments, the same answer, in one compiled function.

    train_step asks for four matrix products of full size and writes a gradient of 400,000 numbers to memory, only to
    read it again. Three observations make it faster:

    - Four of five pixels are black, and so is every term they take part in. `x[i, k] == 0` means that row k of w1 adds
      nothing to the scores of image i, and that image i adds nothing to row k of the gradient: skip it.
    - One image needs nothing from the others until the gradients are summed: forward pass, loss and the way back to
      its hidden layer are one sweep over the images.
    - One row of w1 needs nothing from the other rows: as soon as its gradient is summed, while it is still in the
      cache, its RMSprop step can be made. The gradient as a whole never exists.

    Parameters
    ----------
    x : float32 (n, features); one batch of prepared images
    labels : int64 (n,); their classes
    params : (w1, b1, w2, b2); float32, changed in place
    slots : four float32 arrays of the shapes of params; RMSprop's running mean squares, changed in place
    lr, rho, eps : float; RMSprop's learning rate, decay and epsilon

    Returns
    -------
    float: the mean loss of the batch, with the weights as they were before the step

    Approach: first sweep, prange over the images: hidden row, probabilities, loss, dlogits row, dhidden row, each image
    writing to its own rows. Second sweep, prange over the rows of w1: gradient row, step. w2 and the biases are small:
    `rmsprop_step` takes them. Ten columns are too few for vector instructions, so turn w2 first, and let the innermost
    loop always run over the hidden units. A sum becomes vector instructions only if the compiler may add in any order:
    that is fastmath's "reassoc".
    Example: that of train_step: it is the same function.
    Trap: a sum over the images inside a prange over the images is a race: two threads add to one number at the same
    time, and one of the additions is lost. Let each image write its own loss, and add them up afterwards.
    Lecture: Episode 1, the training loop; the chapter on speed.
    """
    raise NotImplementedError("fast_step")


def train_epoch(images, labels, params, slots, order, batch_size, lr, rho, eps):
    """One pass over the training data, batch by batch, in a given order.

    Parameters
    ----------
    images : uint8 (n, height, width)
    labels : int64 (n,)
    params, slots : four float32 arrays each, changed in place, as in train_step
    order : int64 (m,); which image comes when; the first batch is order[:batch_size]
    batch_size : int
    lr, rho, eps : float

    Returns
    -------
    float32 (number of batches,): the loss of each batch, before its step

    Approach: for each batch take its indices from the order, prepare these images, make one step with these labels.
    Example: 300 images in batches of 128 are three steps, with 128, 128 and 44 images.
    Trap: images and labels must be picked by the same indices: a network trained on shuffled images with unshuffled
    labels learns nothing, and says so only by its loss, which stays at log(10) = 2.3.
    Lecture: Episode 1, the training loop: batches and epochs.
    """
    raise NotImplementedError("train_epoch")


def train(images, labels, rng, hidden_units, epochs, batch_size):
    """Train the network from scratch, with RMSprop as Keras has it (LEARNING_RATE, RHO, EPSILON above).

    Parameters
    ----------
    images : uint8 (n, height, width)
    labels : int64 (n,); classes 0 … 9
    rng : numpy.random.Generator; draws the weights of the first layer, those of the second, then each epoch's order
    hidden_units : int; units of the hidden layer
    epochs : int
    batch_size : int

    Returns
    -------
    (w1, b1, w2, b2) : the trained parameters, float32 (height * width, hidden_units), (hidden_units,),
    (hidden_units, 10), (10,)

    Approach: glorot_uniform weights, zero biases, zero slots of the same shapes; before each epoch
    `rng.permutation(n)` draws its order.
    Example: with epochs = 0 the weights come back as they were drawn, the biases as zeros.
    Trap: the slots live as long as the training. Fresh ones in every epoch forget how large the gradients were, and the
    first steps of each epoch are three times too long.
    Lecture: Episode 1, "fit".
    """
    raise NotImplementedError("train")

"""Training: from a gradient you can trust to a network that learns.

One round of training asks four questions, and every one has its function by now:

    forward     what does the network say?         hidden = relu(x @ w1 + b1)
                                                   probabilities = softmax(hidden @ w2 + b2)
    loss        how wrong is that?                 mean of -log(probability of the right class)
    backward    which weight is to blame?          the chain rule, layer by layer, from the loss to the input
    update      how do we do better?               w <- w - lr * dw

Backpropagation is the chain rule read from right to left. Every layer gets dL/d(its output), hands dL/d(its input) to
the layer before it, and picks up dL/d(its own weights) on the way. Softmax and crossentropy together make it begin
with something very simple: for the mean loss over n samples,

    dL/dlogits = (probabilities - one_hot(labels)) / n

A gradient that is wrong often trains too, only worse, so it pays to check it. The naive way, which needs no chain
rule at all, is to nudge one weight at a time and to see how the loss moves. It is hopelessly slow for training (two
forward passes per weight), and it is the best test there is.

An *epoch* is one visit to every sample, batch by batch. Two small tools help to read many epochs: early stopping ends
a training that no longer gets better, and smoothing shows the trend in a noisy curve.
Follows Episode 1 and the lecture "Deep Neural Networks" (backpropagation, batches and epochs, overfitting).
"""

import numpy as np
from numba import njit

from .ch03_activations import relu, relu_backward, softmax
from .ch04_losses import sparse_categorical_crossentropy
from .ch05_dense import dense_backward, dense_forward
from .ch06_optimizers import sgd_step


def numerical_gradient(f, w, eps):
    """The gradient of any function, by trying it out: central differences.

    Parameters
    ----------
    f : function of one array that returns a float
    w : float32, any shape; where the gradient is wanted
    eps : float; how far to go to either side, e.g. 1e-5

    Returns
    -------
    float32, the shape of w: (f(w + eps at i) - f(w - eps at i)) / (2 * eps), for every element i

    Approach: copy w in float64. For every element: set it to w[i] + eps and ask f, set it to w[i] - eps and ask f,
    put w[i] back, then divide the difference by the distance of the two points.
    Example: f(w) = sum of w², w = [3, -1] gives [6, -2].
    Trap: float32 holds about seven digits. Around w = 3 a step of 1e-7 disappears altogether, and the difference of
    two nearly equal losses is mostly rounding error. Hence the float64 copy. It also leaves w itself unchanged.
    Lecture: Episode 1, the naive way to a gradient.
    """
    raise NotImplementedError("numerical_gradient")


@njit(cache=True)
def relative_error(a, b):
    """How far two gradients disagree, in parts of their size: the worst element counts.

    Parameters
    ----------
    a : float32, any shape
    b : float32, the shape of a

    Returns
    -------
    float: the maximum over all elements of |a - b| / max(|a| + |b|, 1e-8); 0 for empty arrays

    0 means equal, 1 means that somewhere the signs differ or one of the two is zero. For a gradient check in float32,
    1e-3 and less is fine.

    Approach: visit the elements in pairs, keep the largest quotient.
    Example: a = [1, 2], b = [1, 3] gives 1 / 5 = 0.2.
    Trap: two zeros agree: the floor of 1e-8 makes 0 of them, not 0 / 0. And every comparison with NaN is false, so a
    gradient full of NaN can pass for a perfect one: if any quotient is NaN, the answer is NaN.
    Lecture: Deep Neural Networks, checking a gradient.
    """
    raise NotImplementedError("relative_error")


@njit(cache=True)
def mlp_forward(x, params):
    """A network of two layers, a multi-layer perceptron: dense, ReLU, dense, softmax.

    Parameters
    ----------
    x : float32 (n, d_in); one sample per row
    params : (w1, b1, w2, b2), all float32: w1 (d_in, units), b1 (units,), w2 (units, num_classes), b2 (num_classes,)

    Returns
    -------
    probabilities : float32 (n, num_classes): softmax(hidden @ w2 + b2)
    hidden : float32 (n, units): relu(x @ w1 + b1); the backward pass needs it

    Approach: put together your dense_forward, relu and softmax.
    Example: x = [[1, 2]], w1 = [[1, -1], [1, 0]], b1 = [0, 0], w2 = [[1, 0], [0, 5]], b2 = [0, 2]
    gives hidden = [[3, 0]] and probabilities = [[0.7311, 0.2689]].
    Trap: no ReLU before the softmax: a score may well be negative.
    Lecture: Deep Neural Networks, layers; the table of last layers.
    """
    raise NotImplementedError("mlp_forward")


@njit(cache=True)
def mlp_backward(labels, x, hidden, probabilities, params):
    """Backpropagation through the network of mlp_forward.

    Parameters
    ----------
    labels : int64 (n,); the right class of each sample
    x : float32 (n, d_in); the forward pass's input
    hidden : float32 (n, units); the forward pass's hidden layer, after the ReLU
    probabilities : float32 (n, num_classes); the forward pass's output
    params : (w1, b1, w2, b2), as in mlp_forward

    Returns
    -------
    dw1, db1, dw2, db2 : float32, each of the shape of its parameter: the gradient of the mean sparse categorical
    crossentropy over the batch

    Approach: start with dlogits = (probabilities - one_hot(labels)) / n, the gradient of softmax and crossentropy
    together. Your dense_backward takes it through the second layer, relu_backward through the ReLU, dense_backward
    through the first. hidden > 0 exactly where the ReLU's input was, so it makes the same mask.
    Example: the network and the sample of mlp_forward's example with labels = [1] has dlogits = [[0.7311, -0.7311]], so
    db2 = [0.7311, -0.7311], dw2 = [[2.1932, -2.1932], [0, 0]], db1 = [0.7311, 0], dw1 = [[0.7311, 0], [1.4621, 0]].
    Trap: divide by n once, in dlogits; everything behind it inherits the factor. And do not write into probabilities.
    Lecture: Deep Neural Networks, backpropagation.
    """
    raise NotImplementedError("mlp_backward")


@njit(cache=True)
def train_epoch(x, labels, params, order, batch_size, lr):
    """One epoch of stochastic gradient descent: visit every sample once, one step per batch.

    Parameters
    ----------
    x : float32 (n, d_in)
    labels : int64 (n,)
    params : (w1, b1, w2, b2), as in mlp_forward; updated in place
    order : int64 (n,); the samples' numbers in the order in which they are visited
    batch_size : int; samples per batch, the last batch may be short
    lr : float; the learning rate

    Returns
    -------
    float32 (number of batches,): the mean loss of each batch, before that batch's update

    Approach: cut `order` into batches. For each one collect its rows of x and its labels; forward, loss, backward;
    then one sgd_step per parameter.
    Example: order = [3, 0, 4, 1, 2] and batch_size = 2 make three batches, the samples 3 and 0, 4 and 1, and 2 alone:
    three losses, three updates.
    Trap: the short last batch is a batch too: its loss and its gradient are means over the samples that it really has.
    Lecture: Deep Neural Networks, batches and epochs.
    """
    raise NotImplementedError("train_epoch")


@njit(cache=True)
def early_stopping_epoch(val_losses, patience):
    """After which epoch early stopping ends the training, as Keras's EarlyStopping(monitor="val_loss") does.

    The loss on the training data goes on falling while the network learns that data by heart. The loss on the
    validation data tells: when it has not got better for `patience` epochs in a row, stop.

    Parameters
    ----------
    val_losses : float32 (epochs,), at least one; the validation loss after each epoch
    patience : int; how many epochs in a row without a new best are too many (0 acts as 1)

    Returns
    -------
    int: the last epoch that runs, counted from 0; epochs - 1 if the training never stops early

    Approach: remember the best loss so far and how many epochs ago it was. Only a loss below the best is an
    improvement: an equal one is not, and NaN is not.
    Example: val_losses = [1.0, 0.8, 0.9, 0.8, 0.7], patience = 2 gives 3: the best was epoch 1, and neither epoch 2 nor
    epoch 3 beat it. That epoch 4 would have is something the training never gets to see.
    Trap: compare with the best loss, not with the epoch before.
    Lecture: Deep Neural Networks, overfitting.
    """
    raise NotImplementedError("early_stopping_epoch")


@njit(cache=True)
def smooth_curve(points, factor):
    """Exponential moving average of a curve: the trend without the noise.

    Parameters
    ----------
    points : float32 (n,); e.g. the validation loss of each epoch
    factor : float from 0 to 1; how much of the curve so far each point keeps, e.g. 0.9; 0 changes nothing

    Returns
    -------
    float32 (n,): the first point as it is, then smoothed[i] = smoothed[i - 1] * factor + points[i] * (1 - factor)

    Approach: one loop; every point needs the smoothed point before it.
    Example: points = [1, 2, 3], factor = 0.5 gives [1, 1.5, 2.25].
    Trap: build on the last *smoothed* point. With the last raw point it is only an average of two neighbours.
    Lecture: Episode 1 and Fundamentals, reading the curves of a K-fold validation.
    """
    raise NotImplementedError("smooth_curve")

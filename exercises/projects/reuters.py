"""Newswires: which of 46 topics? The network of the film reviews, with a wider middle and another end.

    imdb      10,000 words - 16 relu - 16 relu -  1 sigmoid     one question: praise or not?
    reuters   10,000 words - 64 relu - 64 relu - 46 softmax     one choice among 46 topics

What is new lies at the top: 46 probabilities that sum to one, labels that are numbers of topics, and sparse categorical
crossentropy. What lies below, the first layer on ragged words, you have written; it comes from the project imdb.

    upper_backward   from the loss back to the first layer's scores
    train_step       one batch, one step
    fast_step        the same step again, made for speed
    predict          probabilities of the topics
    train_epoch      one step per batch
    train            from the first weights on

*The bottleneck.* Every layer can only pass on what the one below it has let through. With 64 units in the middle the
network is right in 0.79 of the test newswires. With 4 units, 46 topics have to squeeze through four numbers: trained as
in the lecture, 20 epochs in batches of 128, it is right in 0.66 to 0.71, depending on its first weights. `train` takes
the sizes of both hidden layers, (64, 64) or (64, 4), so you can try it.

Of the newswires 35 of 100 are about *earn*, the commonest topic, 16 in the whole collection about the rarest one.
Always saying "earn" is right in 0.36 of the test data; a network has to be better than that.
Follows Fundamentals, "Classifying newswires".
"""

import numpy as np
from numba import njit

from ..ch03_activations import relu, relu_backward
from ..ch04_losses import softmax_crossentropy, sparse_categorical_crossentropy
from ..ch05_dense import dense_backward, glorot_uniform
from ..ch06_optimizers import rmsprop_step
from ..ch07_training import mlp_forward
from ..ch20_speed import dense_relu_fused, dense_step_fused, matmul_microkernel
from .imdb import distinct_words, first_layer_step, sparse_forward, take_texts

TOPICS = 46
LEARNING_RATE, RHO, EPSILON = 1e-3, 0.9, 1e-7


@njit(cache=True)
def upper_backward(labels, first, second, probabilities, params):
    """Backpropagation from the loss down to the first layer's scores.

    Parameters
    ----------
    labels : int64 (n,); the number of the right topic of each newswire
    first : float32 (n, units); the first layer's output, after its ReLU
    second : float32 (n, units 2); the second layer's output, after its ReLU
    probabilities : float32 (n, topics); the network's output, every row sums to one
    params : (w1, b1, w2, b2, w3, b3), float32

    Returns
    -------
    dscores : float32 (n, units); the gradient at the first layer's scores, those *before* its ReLU
    dw2, db2, dw3, db3 : float32, each of the shape of its parameter; all of the mean sparse categorical crossentropy

    Approach: that of imdb, but for the beginning: dlogits = (probabilities - one_hot(labels)) / n, without the one-hot
    rows: subtract 1 at the right topic of each row.
    Example: first = [[1, 2]], w2 = [[1, -1], [1, 0]], b2 = [0, 0] has second = [[3, 0]]; with w3 = b3 = 0 and two
    topics both get 0.5. labels = [1] gives db3 = [0.5, -0.5], dw3 = [[1.5, -1.5], [0, 0]], and zeros for the rest.
    Trap: the probabilities are an input: make a copy before you subtract.
    Lecture: Fundamentals, classifying newswires; Deep Neural Networks, backpropagation.
    """
    raise NotImplementedError("upper_backward")


def train_step(ids, offsets, labels, params, slots, lr, rho, eps):
    """One batch of newswires, one step of all six parameters, in place.

    Parameters
    ----------
    ids : int64 (total,); the words of all newswires, none of them twice in one newswire
    offsets : int64 (n + 1,); newswire i is ids[offsets[i] : offsets[i + 1]]
    labels : int64 (n,); the number of the right topic of each newswire
    params : (w1, b1, w2, b2, w3, b3), float32 (words, units), (units,), (units, units 2), (units 2,),
        (units 2, topics), (topics,); changed in place
    slots : six float32 arrays of the shapes of params; RMSprop's running mean squares, changed in place
    lr, rho, eps : float; RMSprop's learning rate, decay and epsilon

    Returns
    -------
    float: the mean sparse categorical crossentropy of the batch, with the weights as they were before the step

    Approach: the first layer with imdb's sparse_forward and relu. The rest is the network of mlp_forward, with the
    first layer's output for its x: mlp_forward(first, params[2:]). Then the loss, upper_backward, first_layer_step for
    w1, rmsprop_step for the others.
    Example: one newswire of one word, ids = [0], labels = [0], w1 = w2 = [[1]], w3 (1, 46) and all biases zero: the
    loss is log(46) = 3.8286, and dw3 is [[-0.9783, 0.0217, …, 0.0217]].
    Trap: first_layer_step changes w1 at once. Whatever still needs the old w1 must be computed before.
    Lecture: Fundamentals, classifying newswires: sparse_categorical_crossentropy, and fit.
    """
    raise NotImplementedError("train_step")


def fast_step(ids, offsets, labels, params, slots, lr, rho, eps):
    """train_step once more, for speed: the same arguments, the same answer, from the top of the speed ladder.

    Parameters
    ----------
    ids : int64 (total,); the words of all newswires, none of them twice in one newswire
    offsets : int64 (n + 1,); newswire i is ids[offsets[i] : offsets[i + 1]]
    labels : int64 (n,); the number of the right topic of each newswire
    params : six float32 arrays, as in train_step; changed in place
    slots : six float32 arrays of the shapes of params; RMSprop's running mean squares, changed in place
    lr, rho, eps : float; RMSprop's learning rate, decay and epsilon

    Returns
    -------
    float: the mean loss of the batch, with the weights as they were before the step

    The first layer costs little, its words are few; with 64 units in the middle, two thirds of the other work are
    matrix products. They have fast functions, and with softmax and crossentropy in one, no probabilities are made.

    Approach: the first layer as in train_step, dense_relu_fused, matmul_microkernel and the bias: scores.
    softmax_crossentropy gives the loss and the gradient at the scores. Back: dense_step_fused for both upper layers,
    which makes their steps as well, with relu_backward between them; relu_backward, first_layer_step, and b1's step.
    Example: that of train_step: it is the same function.
    Trap: dense_step_fused hands on the gradient and changes the weights. Call it once for each layer, from the top.
    Lecture: Fundamentals, classifying newswires; the chapter on speed.
    """
    raise NotImplementedError("fast_step")


def predict(ids, offsets, params):
    """Probabilities of the topics for newswires as they come, repeated words and all.

    Parameters
    ----------
    ids : int64 (total,); the words of all newswires, one newswire after the other
    offsets : int64 (n + 1,); newswire i is ids[offsets[i] : offsets[i + 1]]
    params : (w1, b1, w2, b2, w3, b3), float32

    Returns
    -------
    float32 (n, topics): every row sums to one; the largest entry is the network's answer

    Approach: distinct_words, sparse_forward, relu, mlp_forward of what is above; of its two answers the first.
    Example: with all weights and biases zero every topic gets 1 / 46 = 0.0217.
    Trap: mlp_forward ends with a softmax already. A second one makes all topics nearly equal.
    Lecture: Fundamentals, classifying newswires: generating predictions on new data.
    """
    raise NotImplementedError("predict")


def train_epoch(ids, offsets, labels, params, slots, order, batch_size, lr, rho, eps):
    """One pass over the training data, batch by batch, in a given order.

    Parameters
    ----------
    ids : int64 (total,); the words of all newswires, none of them twice in one newswire
    offsets : int64 (n + 1,); newswire i is ids[offsets[i] : offsets[i + 1]]
    labels : int64 (n,)
    params, slots : six float32 arrays each, changed in place, as in train_step
    order : int64 (m,); which newswire comes when; the first batch is order[:batch_size]
    batch_size : int
    lr, rho, eps : float

    Returns
    -------
    float32 (number of batches,): the loss of each batch, before its step

    Approach: as in imdb: take_texts, the labels by the same indices, one fast_step.
    Example: 8,982 newswires in batches of 512 are 18 steps, the last of them with 278 newswires.
    Trap: newswires and labels must be picked by the same indices. Otherwise the network only learns how common each
    topic is.
    Lecture: Fundamentals, classifying newswires: fit with batch_size=512.
    """
    raise NotImplementedError("train_epoch")


def train(ids, offsets, labels, rng, dimension, units, epochs, batch_size):
    """Train the network from scratch, with RMSprop as Keras has it (LEARNING_RATE, RHO, EPSILON above).

    Parameters
    ----------
    ids : int64 (total,); the words of all newswires as they come, repeated ones too
    offsets : int64 (n + 1,); newswire i is ids[offsets[i] : offsets[i + 1]]
    labels : int64 (n,); topics 0 … 45
    rng : numpy.random.Generator; draws w1, then w2, then w3, then each epoch's order
    dimension : int; how many words there are
    units : (int, int); units of the first and of the second hidden layer: (64, 64), or (64, 4) for the bottleneck
    epochs : int
    batch_size : int

    Returns
    -------
    (w1, b1, w2, b2, w3, b3) : the trained parameters, float32 (dimension, units[0]), (units[0],), (units[0], units[1]),
    (units[1],), (units[1], 46), (46,)

    Approach: as in imdb, with TOPICS units at the end.
    Example: with epochs = 0 the weights come back as they were drawn, the biases as zeros.
    Trap: nine epochs are enough here; from then on the network learns its newswires by heart.
    Lecture: Fundamentals, classifying newswires: fit for 9 epochs; the importance of sufficiently large layers.
    """
    raise NotImplementedError("train")

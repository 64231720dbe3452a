"""Film reviews: is it praise or a slating? A network on words, first as a table of ones and zeros, then without it.

The network of the lectures is dense 16 - relu - dense 16 - relu - dense 1 - sigmoid: 10,000 words, 160,305 parameters,
one probability, that the review is positive. A review becomes a *multi-hot* row: 10,000 numbers, 1 where a word occurs,
however often, and 0 elsewhere.

All 25,000 reviews would be 250 million numbers, a gigabyte, and 99 of 100 are zero: a review has 132 different words
on average. So the network is written twice. The first version makes the rows, as the lecture does, a batch at a time:

    prepare            multi-hot rows
    upper_forward      from the first hidden layer to the probability
    upper_backward     from the loss back to the first layer's scores
    train_step         one batch of rows, one step

The second never makes one. In `x @ w1` a 1 picks a row of w1 and a 0 picks nothing, so the first layer's scores are a
sum of 132 rows of w1. Backwards a word's row is moved by the reviews that have the word, and by no others:

    distinct_words     each word of a review once
    add_rows           the heart of it: a sum of some rows of a table
    sparse_forward     the first layer: sums of rows of w1
    inverted_index     for each word the reviews that have it, as a search engine keeps it
    first_layer_step   the first layer's gradient and its step, word by word
    sparse_step        train_step again: the same numbers, without the rows
    predict            probabilities for reviews as they come

Then a whole training, and the lecture's two remedies against overfitting, which begins here after few epochs:

    take_texts         a batch of reviews, in any order
    train_epoch        one step per batch
    train              from the first weights on; units (16, 16), or (4, 4) for the lecture's smaller network
    l2_step            sparse_step with a price on large weights
    dropout_step       sparse_step with units switched off at random

Reviews are *ragged*: all word numbers one after the other in `ids`, and review i is ids[offsets[i] : offsets[i + 1]].
Keras's record of the same network says whether yours is right. It reaches 0.88 of the test reviews, as the lecture
does; always the same answer reaches 0.5.
Follows Fundamentals, "Classifying movie reviews", and its part on overfitting: network size, L2, dropout.
"""

import numpy as np
from numba import njit, prange

from ..ch01_tensors import vectorize_sequences
from ..ch03_activations import relu, relu_backward, sigmoid
from ..ch04_losses import binary_crossentropy
from ..ch05_dense import dense_backward, dense_forward, glorot_uniform
from ..ch06_optimizers import rmsprop_step
from ..ch09_regularization import dropout_backward, dropout_forward, l2_gradient, l2_penalty

LEARNING_RATE, RHO, EPSILON = 1e-3, 0.9, 1e-7
PARTS = 64  # into so many parts `first_layer_step` deals the words


# --- with multi-hot rows --------------------------------------------------------------------------------------------


@njit(cache=True)
def prepare(ids, offsets, dimension):
    """Make reviews ready for a dense layer: one multi-hot row each.

    Parameters
    ----------
    ids : int64 (total,); the words of all reviews, one review after the other
    offsets : int64 (n + 1,); review i is ids[offsets[i] : offsets[i + 1]]
    dimension : int; how many words there are; ids are from 0 to dimension - 1

    Returns
    -------
    float32 (n, dimension): 1 at [i, word] where review i has the word, 0 elsewhere

    Approach: you have written this: `vectorize_sequences` of the first chapter.
    Example: ids = [3, 1, 3, 0], offsets = [0, 3, 3, 4], dimension = 5 gives
    [[0, 1, 0, 1, 0], [0, 0, 0, 0, 0], [1, 0, 0, 0, 0]].
    Trap: word 3 stands twice in the first review and still is a 1. Counts would be another network's food: Keras's
    weights, which you will put into yours, have learned from ones.
    Lecture: Fundamentals, classifying movie reviews: preparing the data.
    """
    raise NotImplementedError("prepare")


@njit(cache=True)
def upper_forward(first, params):
    """The network above its first layer: from the first hidden units to the probability of praise.

    Both versions of the network share this part, so it is written once.

    Parameters
    ----------
    first : float32 (n, units); the first layer's output, after its ReLU
    params : (w1, b1, w2, b2, w3, b3), float32; the first two are not needed here

    Returns
    -------
    probabilities : float32 (n, 1) = sigmoid(second @ w3 + b3)
    second : float32 (n, units 2) = relu(first @ w2 + b2); the backward pass needs it

    Approach: put together your dense_forward, relu and sigmoid.
    Example: first = [[1, 2]], w2 = [[1, -1], [1, 0]], b2 = [0, 0], w3 = [[0.5], [1]], b3 = [-1] gives
    second = [[3, 0]] and probabilities = [[0.6225]].
    Trap: no ReLU before the sigmoid: a score below zero is what says "a slating". With it, no probability is below 0.5.
    Lecture: Fundamentals, classifying movie reviews: the architecture.
    """
    raise NotImplementedError("upper_forward")


@njit(cache=True)
def upper_backward(labels, first, second, probabilities, params):
    """Backpropagation from the loss down to the first layer's scores.

    Parameters
    ----------
    labels : int64 (n,); 1 for praise, 0 for a slating
    first : float32 (n, units); the first layer's output, after its ReLU
    second : float32 (n, units 2); the second layer's output, after its ReLU
    probabilities : float32 (n, 1); the network's output
    params : (w1, b1, w2, b2, w3, b3), float32

    Returns
    -------
    dscores : float32 (n, units); the gradient at the first layer's scores, those *before* its ReLU
    dw2, db2, dw3, db3 : float32, each of the shape of its parameter; all of the mean binary crossentropy over the batch

    Approach: begin with dlogits = (probabilities - labels) / n, the gradient of sigmoid and crossentropy together. Then
    dense_backward and relu_backward, twice. `first > 0` exactly where the scores were, so it makes the same mask.
    Example: the network of upper_forward's example with labels = [1] has dlogits = [[-0.3775]], so db3 = [-0.3775],
    dw3 = [[-1.1326], [0]], db2 = [-0.1888, 0], dw2 = [[-0.1888, 0], [-0.3775, 0]] and dscores = [[-0.1888, -0.1888]].
    Trap: labels (n,) minus probabilities (n, 1) is no column but a whole (n, n) table: NumPy fits the shapes together,
    and says nothing. And int64 beside float32 makes float64.
    Lecture: Fundamentals, classifying movie reviews; Deep Neural Networks, backpropagation.
    """
    raise NotImplementedError("upper_backward")


def train_step(x, labels, params, slots, lr, rho, eps):
    """One batch of multi-hot rows, one step of all six parameters, in place.

    Parameters
    ----------
    x : float32 (n, words); multi-hot rows
    labels : int64 (n,); 1 for praise, 0 for a slating
    params : (w1, b1, w2, b2, w3, b3), float32 (words, units), (units,), (units, units 2), (units 2,), (units 2, 1),
        (1,); changed in place
    slots : six float32 arrays of the shapes of params; RMSprop's running mean squares, changed in place
    lr, rho, eps : float; RMSprop's learning rate, decay and epsilon

    Returns
    -------
    float: the mean binary crossentropy of the batch, with the weights as they were *before* the step

    Approach: the first layer with dense_forward and relu, then your upper_forward; the loss; upper_backward, and
    dense_backward once more for w1 and b1; rmsprop_step for each parameter with its own gradient and its own slot.
    Example: x = [[1]], labels = [1], all three weights 1 and all biases 0: the logit is 1, the loss -log(0.7311) =
    0.3133, and every gradient -0.2689. With lr = 0.1, rho = 0.9, eps = 1e-7 and zero slots every parameter grows by
    0.3162, and every slot becomes 0.0072.
    Trap: all gradients belong to the same weights. If w2 moves before the backward pass has gone through it, they do
    not.
    Lecture: Fundamentals, classifying movie reviews: compile(optimizer="rmsprop", loss="binary_crossentropy") and fit.
    """
    raise NotImplementedError("train_step")


# --- without them ---------------------------------------------------------------------------------------------------


@njit(cache=True)
def distinct_words(ids, offsets, dimension):
    """Each review again, but every word of it only once, where it comes first.

    What prepare does for the first version this does for the second: a multi-hot row cannot count either.

    Parameters
    ----------
    ids : int64 (total,); the words of all reviews, one review after the other
    offsets : int64 (n + 1,); review i is ids[offsets[i] : offsets[i + 1]]
    dimension : int; how many words there are; ids are from 0 to dimension - 1

    Returns
    -------
    words : int64 (total 2,); the words that are left
    bounds : int64 (n + 1,); review i is words[bounds[i] : bounds[i + 1]], and bounds[0] is 0

    Approach: remember for each word the last review in which you met it. A word that you met in this review already is
    left out. One array of `dimension` numbers serves all reviews and need never be cleared.
    Example: ids = [3, 1, 3, 0], offsets = [0, 3, 3, 4], dimension = 5 gives words = [3, 1, 0], bounds = [0, 2, 2, 3].
    Trap: "met before" means in *this* review. A mark that only says yes or no keeps each word for the first review that
    has it, and takes it from all the others. And the offsets need not begin at 0: those of a part, offsets[8:17], begin
    where review 8 does.
    Lecture: Fundamentals, classifying movie reviews: preparing the data.
    """
    raise NotImplementedError("distinct_words")


@njit(cache=True)
def add_rows(table, rows, total):
    """Add some rows of a table to a total, in place.

    Both ways through the first layer are this. Forwards the rows of w1 of a review's words make its scores; backwards
    the gradients of the reviews that have a word make the gradient of its row of w1.

    Parameters
    ----------
    table : float32 (m, width)
    rows : int64 (k,); which rows of the table; one may be named twice and then counts twice
    total : float32 (width,); changed in place

    Returns
    -------
    nothing; total becomes total + table[rows[0]] + table[rows[1]] + …

    Approach: four rows at a time: total[j] += (a[j] + b[j]) + (c[j] + d[j]). One row at a time every number of the
    total would be loaded and stored for a single addition, and each addition would wait for the one before; this way it
    is loaded and stored once for four, and half of the additions need not wait. Then the one, two or three rows that
    are left.
    Example: table = [[1, 2], [10, 20], [100, 200]], rows = [2, 0, 2], total = [5, 5] leaves total = [206, 407].
    Trap: how many rows there are is seldom a multiple of four. Never read rows[k + 3] without knowing that it is there.
    Lecture: Fundamentals, classifying movie reviews; the chapter on speed.
    """
    raise NotImplementedError("add_rows")


@njit(cache=True, parallel=True)
def sparse_forward(ids, offsets, w, b):
    """The scores of a dense layer on multi-hot rows that nobody has made.

    Parameters
    ----------
    ids : int64 (total,); the words of all reviews, none of them twice in one review
    offsets : int64 (n + 1,); review i is ids[offsets[i] : offsets[i + 1]]
    w : float32 (words, units)
    b : float32 (units,)

    Returns
    -------
    float32 (n, units): dense_forward of the multi-hot rows: b plus the sum of the rows of w of the review's words

    In x @ w a multi-hot row multiplies 132 rows of w by one, and 9,868 by zero. Here nobody does the latter: 76 times
    less work, and 20 MB less memory per batch.

    Approach: prange over the reviews, each writes to its own row: begin with b, then add_rows.
    Example: ids = [2, 0], offsets = [0, 1, 1, 2], w = [[1, 2], [10, 20], [100, 200]], b = [5, 5] gives
    [[105, 205], [5, 5], [6, 7]]: the second review is empty.
    Trap: a word that stands twice would be added twice; that is why the words are distinct here.
    Lecture: Fundamentals, classifying movie reviews. Later, as an embedding, the same idea has a layer of its own.
    """
    raise NotImplementedError("sparse_forward")


@njit(cache=True)
def inverted_index(ids, offsets, dimension):
    """For each word the reviews that have it: the same collection, seen from the other side.

    Search engines live on it. Here it makes the backward pass safe: when every word knows its reviews, the words can be
    shared out among the processor's cores, and no two of them ever write to the same row of w1.

    Parameters
    ----------
    ids : int64 (total,); the words of all reviews, none of them twice in one review
    offsets : int64 (n + 1,); review i is ids[offsets[i] : offsets[i + 1]]
    dimension : int; how many words there are; ids are from 0 to dimension - 1

    Returns
    -------
    texts : int64 (total,); numbers of reviews, those of word 0 first, then those of word 1, …, in ascending order each
    starts : int64 (dimension + 1,); word w is in the reviews texts[starts[w] : starts[w + 1]]

    Approach: three walks. Count how many reviews each word has, into starts[word + 1]. Add up, so that the counts
    become where each word's reviews begin. Then go through the reviews once more and write each number to the next free
    place of its word; a copy of starts tells where that is.
    Example: ids = [3, 1, 0, 3], offsets = [0, 2, 2, 4], dimension = 5 gives texts = [2, 0, 0, 2], starts = [0, 1, 2, 2,
    4, 4]: word 3 is in the reviews 0 and 2, the words 2 and 4 are in none.
    Trap: the third walk moves the marks that it writes by. Let it move a copy, or nobody knows where the words begin.
    Lecture: none; every textbook on search has a chapter on it.
    """
    raise NotImplementedError("inverted_index")


@njit(cache=True, parallel=True, error_model="numpy")
def first_layer_step(dscores, ids, offsets, w, slot, lr, rho, eps, l2):
    """The first layer's gradient and its RMSprop step in one, word by word, in place.

    The gradient of w1 has 160,000 numbers, of which a batch fills three quarters. Written out, it goes to memory only
    to be read again. But the row of one word needs nothing from the others: as soon as it is summed, while it is still
    in the cache, its step can be made. The gradient as a whole never exists.

    Parameters
    ----------
    dscores : float32 (n, units); the gradient at the first layer's scores
    ids : int64 (total,); the words of all reviews, none of them twice in one review
    offsets : int64 (n + 1,); review i is ids[offsets[i] : offsets[i + 1]]
    w : float32 (words, units); changed in place
    slot : float32 (words, units); RMSprop's running mean squares of w, changed in place
    lr, rho, eps : float; RMSprop's learning rate, decay and epsilon
    l2 : float; the strength of an L2 penalty on w, 0 for none

    Returns
    -------
    nothing; with g = x.T @ dscores + 2 * l2 * w, x the multi-hot rows: slot becomes rho * slot + (1 - rho) * g², then w
    becomes w - lr * g / sqrt(slot + eps)

    Approach: inverted_index, then every word: begin its gradient with the penalty's share, add_rows of dscores, make
    the step. The commonest words have the lowest numbers and nearly all the work, so deal the words like cards: prange
    over PARTS, and part p takes the words p, p + PARTS, p + 2 * PARTS, … with one row for the gradient that it uses
    again.
    Example: one review, ids = [1], dscores = [[2]], w = [[1], [1]], slot = [[0.4], [0]], lr = 0.1, rho = 0.75, eps =
    1e-7, l2 = 0 leaves w = [[1], [0.8]], slot = [[0.3], [1]].
    Trap: a word that no review has is not done with. Its gradient is zero, so its weights stay, but its slot shrinks to
    rho times what it was; and an L2 penalty pulls at it all the same.
    Lecture: Fundamentals, classifying movie reviews; the chapter on speed.
    """
    raise NotImplementedError("first_layer_step")


def sparse_step(ids, offsets, labels, params, slots, lr, rho, eps):
    """train_step once more, from the reviews themselves: the same numbers, and no multi-hot row.

    Parameters
    ----------
    ids : int64 (total,); the words of all reviews, none of them twice in one review
    offsets : int64 (n + 1,); review i is ids[offsets[i] : offsets[i + 1]]
    labels : int64 (n,); 1 for praise, 0 for a slating
    params : (w1, b1, w2, b2, w3, b3), float32 (words, units), (units,), (units, units 2), (units 2,), (units 2, 1),
        (1,); changed in place
    slots : six float32 arrays of the shapes of params; RMSprop's running mean squares, changed in place
    lr, rho, eps : float; RMSprop's learning rate, decay and epsilon

    Returns
    -------
    float: the mean binary crossentropy of the batch, with the weights as they were before the step

    Approach: sparse_forward in place of dense_forward, first_layer_step in place of w1's gradient and step, with l2 =
    0.0. b1 was used by every review: its gradient is the sum of dscores over them.
    Example: one review, ids = [0], with the network of train_step's example: it is the same function.
    Trap: first_layer_step changes w1 at once. Whatever still needs the old w1 must be computed before.
    Lecture: Fundamentals, classifying movie reviews: fit.
    """
    raise NotImplementedError("sparse_step")


def predict(ids, offsets, params):
    """The probability of praise for reviews as they come, repeated words and all.

    Parameters
    ----------
    ids : int64 (total,); the words of all reviews, one review after the other
    offsets : int64 (n + 1,); review i is ids[offsets[i] : offsets[i + 1]]
    params : (w1, b1, w2, b2, w3, b3), float32

    Returns
    -------
    float32 (n, 1): above 0.5 the network takes the review for praise

    Approach: distinct_words, the first layer with sparse_forward and relu, then upper_forward; of its two answers the
    first. w1 has a row for each word, so it knows the dimension.
    Example: with all weights and biases zero every review gets 0.5.
    Trap: without distinct_words a word that stands ten times counts ten times. No error comes of it, only other
    answers.
    Lecture: Fundamentals, classifying movie reviews: model.predict(x_test).
    """
    raise NotImplementedError("predict")


# --- training -------------------------------------------------------------------------------------------------------


@njit(cache=True)
def take_texts(ids, offsets, chosen):
    """Some reviews of a collection, in any order, as a collection of their own.

    Parameters
    ----------
    ids : int64 (total,); the words of all reviews, one review after the other
    offsets : int64 (n + 1,); review i is ids[offsets[i] : offsets[i + 1]]
    chosen : int64 (m,); which reviews, in which order; one may be named twice

    Returns
    -------
    words : int64 (total of the chosen,)
    bounds : int64 (m + 1,); review chosen[k] is words[bounds[k] : bounds[k + 1]], and bounds[0] is 0

    What x[chosen] is for the rows of a matrix. Here the rows have different lengths.

    Approach: first the bounds, by adding up the lengths of the chosen reviews; the last bound is how much room all
    need. Then copy them one by one.
    Example: ids = [5, 8, 2, 7, 3, 3], offsets = [0, 3, 4, 6], chosen = [2, 0] gives words = [3, 3, 5, 8, 2],
    bounds = [0, 2, 5].
    Trap: bounds are not offsets[chosen]. The reviews move together, and where each begins depends on those before it.
    Lecture: Fundamentals, classifying movie reviews: batches.
    """
    raise NotImplementedError("take_texts")


def train_epoch(ids, offsets, labels, params, slots, order, batch_size, lr, rho, eps):
    """One pass over the training data, batch by batch, in a given order.

    Parameters
    ----------
    ids : int64 (total,); the words of all reviews, none of them twice in one review
    offsets : int64 (n + 1,); review i is ids[offsets[i] : offsets[i + 1]]
    labels : int64 (n,)
    params, slots : six float32 arrays each, changed in place, as in sparse_step
    order : int64 (m,); which review comes when; the first batch is order[:batch_size]
    batch_size : int
    lr, rho, eps : float

    Returns
    -------
    float32 (number of batches,): the loss of each batch, before its step

    Approach: for each batch take_texts by its part of the order, the labels by the same, then one sparse_step.
    Example: 25,000 reviews in batches of 512 are 49 steps, the last of them with 424 reviews.
    Trap: reviews and labels must be picked by the same indices. Shuffled reviews with unshuffled labels leave nothing
    to learn: the loss stays near log(2) = 0.693.
    Lecture: Fundamentals, classifying movie reviews: fit with batch_size=512.
    """
    raise NotImplementedError("train_epoch")


def train(ids, offsets, labels, rng, dimension, units, epochs, batch_size):
    """Train the network from scratch, with RMSprop as Keras has it (LEARNING_RATE, RHO, EPSILON above).

    Parameters
    ----------
    ids : int64 (total,); the words of all reviews as they come, repeated ones too
    offsets : int64 (n + 1,); review i is ids[offsets[i] : offsets[i + 1]]
    labels : int64 (n,); 1 for praise, 0 for a slating
    rng : numpy.random.Generator; draws w1, then w2, then w3, then each epoch's order
    dimension : int; how many words there are
    units : (int, int); units of the first and of the second hidden layer, e.g. (16, 16)
    epochs : int
    batch_size : int

    Returns
    -------
    (w1, b1, w2, b2, w3, b3) : the trained parameters, float32 (dimension, units[0]), (units[0],), (units[0], units[1]),
    (units[1],), (units[1], 1), (1,)

    Approach: glorot_uniform weights, zero biases, zero slots of the same shapes; distinct_words once, before the first
    epoch; before each epoch `rng.permutation(n)` draws its order.
    Example: with epochs = 0 the weights come back as they were drawn, the biases as zeros.
    Trap: more epochs are not better. The training loss falls for ever, but after about the fourth epoch the network
    learns its reviews by heart, and the test accuracy goes down again.
    Lecture: Fundamentals, classifying movie reviews: fit for 4 epochs; overfitting: 4 units instead of 16.
    """
    raise NotImplementedError("train")


# --- against overfitting --------------------------------------------------------------------------------------------


def l2_step(ids, offsets, labels, params, slots, lr, rho, eps, l2):
    """sparse_step with weight decay: large weights of the two hidden layers cost something.

    Parameters
    ----------
    ids : int64 (total,); the words of all reviews, none of them twice in one review
    offsets : int64 (n + 1,); review i is ids[offsets[i] : offsets[i + 1]]
    labels : int64 (n,); 1 for praise, 0 for a slating
    params : (w1, b1, w2, b2, w3, b3), float32 (words, units), (units,), (units, units 2), (units 2,), (units 2, 1),
        (1,); changed in place
    slots : six float32 arrays of the shapes of params; RMSprop's running mean squares, changed in place
    lr, rho, eps : float; RMSprop's learning rate, decay and epsilon
    l2 : float; the strength, 0.001 in the lecture

    Returns
    -------
    float: the loss of the batch before the step: the mean binary crossentropy, plus l2 * the sum of w1² + l2 * the sum
    of w2²

    Approach: sparse_step with three additions: l2_penalty of w1 and of w2 to the loss, l2_gradient of w2 to dw2, and
    for w1 first_layer_step has an argument.
    Example: train_step's example with l2 = 0.1: the loss is 0.3133 + 0.1 + 0.1 = 0.5133, the gradients of w1 and w2 are
    -0.2689 + 0.2 = -0.0689, and their slots become 0.0005.
    Trap: a kernel_regularizer is for the kernel. The biases pay nothing, and in the lecture's network neither does the
    last layer, which was built without it.
    Lecture: Fundamentals, overfitting: kernel_regularizer=regularizers.l2(0.001).
    """
    raise NotImplementedError("l2_step")


def dropout_step(ids, offsets, labels, params, slots, lr, rho, eps, rate, uniforms):
    """sparse_step with dropout after each of the two hidden layers.

    Parameters
    ----------
    ids : int64 (total,); the words of all reviews, none of them twice in one review
    offsets : int64 (n + 1,); review i is ids[offsets[i] : offsets[i + 1]]
    labels : int64 (n,); 1 for praise, 0 for a slating
    params : (w1, b1, w2, b2, w3, b3), float32 (words, units), (units,), (units, units 2), (units 2,), (units 2, 1),
        (1,); changed in place
    slots : six float32 arrays of the shapes of params; RMSprop's running mean squares, changed in place
    lr, rho, eps : float; RMSprop's learning rate, decay and epsilon
    rate : float, 0 <= rate < 1; the probability that an output is dropped, 0.5 in the lecture
    uniforms : two float32 arrays (n, units) and (n, units 2); random numbers from [0, 1) for the first and the second
        layer

    Returns
    -------
    float: the mean binary crossentropy of the batch before the step, with these outputs dropped

    Approach: forwards dense (the first one sparse), relu, dropout_forward, twice, then the last layer. Backwards the
    same way in reverse: dense_backward, dropout_backward, relu_backward. Each layer works on what the dropout before it
    has left, so dense_backward gets that too.
    Example: train_step's example with rate = 0.5 and both random numbers 0.7: nothing is dropped, the first hidden unit
    becomes 2, the second 4, the loss -log(0.9820) = 0.0181.
    Trap: this is for training only. Predictions come from upper_forward as it is: nothing is dropped there, and nothing
    scaled.
    Lecture: Fundamentals, overfitting: layers.Dropout(0.5) after each hidden layer.
    """
    raise NotImplementedError("dropout_step")

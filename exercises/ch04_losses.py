"""Losses: one number that says how wrong the network is, and the gradient that says how to be less wrong.

Training is the search for weights that make a loss small. So a loss must be a single number (a mean over the batch),
and its gradient must exist: dL/dprediction is the first upstream gradient of backpropagation, the one that every layer
of the network passes on. Here t is the truth (`y_true`), p the prediction (`y_pred`) and N the number of elements of
the mean.

    mean squared error          mean((p - t)²)                              gradient  2 (p - t) / N
    mean absolute error         mean(|p - t|)                               gradient  sign(p - t) / N
    binary crossentropy         -mean(t log p + (1 - t) log(1 - p))         gradient  (p - t) / (p (1 - p)) / N
    categorical crossentropy    -mean over samples of sum over classes of t log p        gradient  -t / p / n

The first three average over *every element*. In the categorical losses one sample is one row of probabilities: they sum
over its classes and average over the n samples. The sparse form is the same loss, told the number of the right class
instead of a one-hot row.

**The logarithm of 0.** A network that is certain and wrong has p = 0 where t = 1, and log 0 is -infinity: one such
sample would make the loss useless. So, as Keras has it, a probability is clipped to [1e-7, 1 - 1e-7] before a
logarithm; `clip_probability` below is given. The clip is flat outside that interval, so the gradient is 0 there: a unit
that is certain and wrong does not learn.

**Fused losses.** That is one reason to give a loss the scores before the sigmoid or softmax (the *logits*) and to let
it do both steps at once. The exponential and the logarithm cancel, nothing overflows, nothing needs a clip, and the
gradient becomes simply `(probability - truth) / N`.

Which loss goes with which last layer is the lecture's table, `last_layer_for`. Follows the lecture "Deep Neural
Networks" (loss functions; the table of last layers).
"""

import numpy as np
from numba import njit

ONE = np.float32(1)
EPSILON = np.float32(1e-7)  # a float32 beside float32 stays one; a plain 1e-7 or 1 may turn the arithmetic into float64


@njit(cache=True)
def clip_probability(p):
    """Move one probability into [1e-7, 1 - 1e-7], so that its logarithm is finite. Given, not asked.

    Parameters
    ----------
    p : float32, one number

    Returns
    -------
    float32: p itself, or the end of the interval that it lies beyond

    Example: 0.3 gives 0.3; 0 gives 1e-7; 1 gives 0.9999999.
    Hint: the clip leaves p alone exactly where its slope is 1: `clip_probability(p) == p`.
    """
    return min(max(p, EPSILON), ONE - EPSILON)


@njit(cache=True)
def mse(y_true, y_pred):
    """Mean squared error: the loss of regression.

    Parameters
    ----------
    y_true : float32, any shape; the values to be predicted
    y_pred : float32, the shape of y_true; the network's output

    Returns
    -------
    float: the mean over all elements of (y_pred - y_true)²

    Approach: add up the squared differences of all elements, then divide once by how many there are (`y_true.size`).
    Example: y_true = [1, 2, 3], y_pred = [1, 4, 0] gives (0 + 4 + 9) / 3 = 4.3333.
    Trap: the mean is over every element: for shape (4, 3) divide by 12, not by 4.
    Lecture: Deep Neural Networks, loss functions.
    """
    raise NotImplementedError("mse")


@njit(cache=True)
def mse_backward(y_true, y_pred):
    """Gradient of the mean squared error with respect to the prediction.

    Parameters
    ----------
    y_true : float32, any shape; the values to be predicted
    y_pred : float32, the shape of y_true; the network's output

    Returns
    -------
    float32, the shape of y_pred: 2 * (y_pred - y_true) / N, N the number of elements

    Approach: each prediction occurs in one term of the sum only: its derivative is 2 * (p - t). The mean divides by N.
    Example: y_true = [1, 2, 3], y_pred = [1, 4, 0] gives [0, 1.3333, -2].
    Trap: in numba, a Python float times a float32 array is float64; make the factor a float32.
    Lecture: Deep Neural Networks, backpropagation.
    """
    raise NotImplementedError("mse_backward")


@njit(cache=True)
def mae(y_true, y_pred):
    """Mean absolute error: how far off the predictions are on average, in the units of the target.

    Parameters
    ----------
    y_true : float32, any shape; the values to be predicted
    y_pred : float32, the shape of y_true; the network's output

    Returns
    -------
    float: the mean over all elements of |y_pred - y_true|

    Approach: as mse, with the absolute value in place of the square.
    Example: y_true = [1, 2, 3], y_pred = [1, 4, 0] gives (0 + 2 + 3) / 3 = 1.6667.
    Trap: take the absolute value of every difference, before the sum: errors of opposite sign must not cancel.
    Lecture: Deep Neural Networks, loss functions.
    """
    raise NotImplementedError("mae")


@njit(cache=True)
def mae_backward(y_true, y_pred):
    """Gradient of the mean absolute error with respect to the prediction.

    Parameters
    ----------
    y_true : float32, any shape; the values to be predicted
    y_pred : float32, the shape of y_true; the network's output

    Returns
    -------
    float32, the shape of y_pred: sign(y_pred - y_true) / N, and 0 where the two are equal, as Keras has it

    Approach: |x| has slope 1 right of zero, -1 left of it and none at zero: `np.sign` says all three.
    Example: y_true = [1, 2, 3], y_pred = [1, 4, 0] gives [0, 0.3333, -0.3333].
    Trap: the size of an error does not matter, only its side; and a perfect prediction must not be pushed away.
    Lecture: Deep Neural Networks, backpropagation.
    """
    raise NotImplementedError("mae_backward")


@njit(cache=True)
def binary_crossentropy(y_true, y_pred):
    """Crossentropy of yes-no questions: the loss after a sigmoid.

    Parameters
    ----------
    y_true : float32, any shape; 1 for yes, 0 for no (values between them, soft labels, are allowed)
    y_pred : float32, the shape of y_true; the predicted probability of yes

    Returns
    -------
    float: the mean over all elements of -(t * log(p) + (1 - t) * log(1 - p)), p clipped to [1e-7, 1 - 1e-7]

    Approach: per element clip p with `clip_probability`, then add up both logarithms, each weighted by its label.
    Example: y_true = [1, 0, 1], y_pred = [0.9, 0.2, 0.6] gives (0.1054 + 0.2231 + 0.5108) / 3 = 0.2798.
    Trap: without the clip, t = 1 and p = 1 (a perfect answer!) computes 0 * log(0), which is nan.
    Lecture: Deep Neural Networks, loss functions.
    """
    raise NotImplementedError("binary_crossentropy")


@njit(cache=True)
def binary_crossentropy_backward(y_true, y_pred):
    """Gradient of the binary crossentropy with respect to the predicted probability.

    Parameters
    ----------
    y_true : float32, any shape; 1 for yes, 0 for no, or between
    y_pred : float32, the shape of y_true; the predicted probability of yes

    Returns
    -------
    float32, the shape of y_pred: (p - t) / (p * (1 - p)) / N, and 0 where p lies outside [1e-7, 1 - 1e-7]

    Approach: the derivative of log(p) is 1 / p and that of log(1 - p) is -1 / (1 - p); on a common denominator the two
    terms are (p - t) / (p * (1 - p)). Outside the interval the loss no longer depends on p: leave 0 there.
    Example: y_true = [1, 0, 1], y_pred = [0.5, 0.2, 0] gives [-0.6667, 0.4167, 0].
    Trap: (p - t) / N is the gradient with respect to the *logit*, before the sigmoid (see sigmoid_crossentropy).
    Lecture: Deep Neural Networks, backpropagation.
    """
    raise NotImplementedError("binary_crossentropy_backward")


@njit(cache=True)
def categorical_crossentropy(y_true, y_pred):
    """Crossentropy of one choice among several classes: the loss after a softmax, for one-hot labels.

    Parameters
    ----------
    y_true : float32 (n, num_classes); a one-hot row per sample (or soft labels that sum to one)
    y_pred : float32 (n, num_classes); predicted probabilities, every row sums to one

    Returns
    -------
    float: the mean over the n samples of -sum over k of y_true[i, k] * log(y_pred[i, k]), y_pred clipped to [1e-7, 1 -
    1e-7]

    Approach: one sum over all samples and classes, divided once, by the number of samples.
    Example: y_true = [[0, 1, 0], [1, 0, 0]], y_pred = [[0.2, 0.7, 0.1], [0.5, 0.25, 0.25]] gives
    (0.3567 + 0.6931) / 2 = 0.5249.
    Trap: divide by n, not by n * num_classes: the loss of one sample is a sum over its classes.
    Lecture: Deep Neural Networks, loss functions.
    """
    raise NotImplementedError("categorical_crossentropy")


@njit(cache=True)
def categorical_crossentropy_backward(y_true, y_pred):
    """Gradient of the categorical crossentropy with respect to the predicted probabilities.

    Parameters
    ----------
    y_true : float32 (n, num_classes); a one-hot row per sample, or soft labels
    y_pred : float32 (n, num_classes); predicted probabilities

    Returns
    -------
    float32 (n, num_classes): -y_true / y_pred / n, and 0 where y_pred lies outside [1e-7, 1 - 1e-7]

    Approach: the derivative of -t * log(p) is -t / p. A class with t = 0 has no part in the loss, nor in the gradient.
    Example: y_true = [[0, 1, 0], [1, 0, 0]], y_pred = [[0.2, 0.8, 0], [0.5, 0.25, 0.25]] gives
    [[0, -0.625, 0], [-1, 0, 0]].
    Trap: (p - t) / n is the gradient with respect to the *logits*, before the softmax (see softmax_crossentropy).
    Lecture: Deep Neural Networks, backpropagation.
    """
    raise NotImplementedError("categorical_crossentropy_backward")


@njit(cache=True)
def sparse_categorical_crossentropy(y_true, y_pred):
    """Categorical crossentropy for integer labels: the same loss without the one-hot rows.

    Parameters
    ----------
    y_true : int64 (n,); the number of the right class of each sample, counted from 0
    y_pred : float32 (n, num_classes); predicted probabilities, every row sums to one

    Returns
    -------
    float: the mean over the n samples of -log(y_pred[i, y_true[i]]), y_pred clipped to [1e-7, 1 - 1e-7]

    Approach: a one-hot row is 1 at one class only, so only that class's logarithm is left of the sum: look it up.
    Example: y_true = [1, 0], y_pred = [[0.2, 0.7, 0.1], [0.5, 0.25, 0.25]] gives (0.3567 + 0.6931) / 2 = 0.5249.
    Trap: a label is an index, not a quantity: never multiply by it.
    Lecture: Deep Neural Networks, loss functions.
    """
    raise NotImplementedError("sparse_categorical_crossentropy")


@njit(cache=True)
def sparse_categorical_crossentropy_backward(y_true, y_pred):
    """Gradient of the sparse categorical crossentropy with respect to the predicted probabilities.

    Parameters
    ----------
    y_true : int64 (n,); the number of the right class of each sample
    y_pred : float32 (n, num_classes); predicted probabilities

    Returns
    -------
    float32 (n, num_classes): -1 / y_pred[i, y_true[i]] / n at each sample's right class, 0 everywhere else, and 0 where
    that probability lies outside [1e-7, 1 - 1e-7]

    Approach: start from zeros; one element per row gets a value.
    Example: y_true = [1, 0], y_pred = [[0.2, 0.8, 0], [0.5, 0.25, 0.25]] gives [[0, -0.625, 0], [-1, 0, 0]].
    Trap: the gradient has the shape of y_pred, not of the labels.
    Lecture: Deep Neural Networks, backpropagation.
    """
    raise NotImplementedError("sparse_categorical_crossentropy_backward")


@njit(cache=True)
def softmax_crossentropy(logits, labels):
    """Softmax and crossentropy in one step, with the gradient: stable, and simpler than its two parts.

    Parameters
    ----------
    logits : float32 (n, num_classes); the scores *before* the softmax
    labels : int64 (n,); the number of the right class of each sample

    Returns
    -------
    loss : float; the mean over the n samples of -log(softmax(logits)[i, labels[i]]), with no clip
    dlogits : float32 (n, num_classes); (softmax(logits) - one_hot(labels)) / n

    Approach: with m the row's largest score, -log softmax_y = log(sum_k exp(z_k - m)) - (z_y - m). No exponent is
    positive, the sum is at least 1, and so neither exp nor log can fail. The exponentials, divided by their sum, are
    the probabilities of the gradient; take 1 from the right class.
    Example: logits = [[1, 2, 3], [0, 0, 0]], labels = [2, 0] gives the loss (0.4076 + 1.0986) / 2 = 0.7531 and
    dlogits = [[0.0450, 0.1224, -0.1674], [-0.3333, 0.1667, 0.1667]].
    Trap: log(softmax(z)) is log(0) when the right class scores 200 less than the best one. The true loss is 200.
    Lecture: Deep Neural Networks, the table of last layers.
    """
    raise NotImplementedError("softmax_crossentropy")


@njit(cache=True)
def sigmoid_crossentropy(logits, targets):
    """Sigmoid and binary crossentropy in one step, with the gradient.

    Parameters
    ----------
    logits : float32, any shape; the scores *before* the sigmoid
    targets : float32, the shape of logits; 1 for yes, 0 for no, or between

    Returns
    -------
    loss : float; the mean over all elements of the binary crossentropy of sigmoid(logits), with no clip
    dlogits : float32, the shape of logits; (sigmoid(logits) - targets) / N, N the number of elements

    Approach: one element costs z - z * t + log(1 + exp(-z)) for z >= 0, -z * t + log(1 + exp(z)) for z < 0. Both are
    max(z, 0) - z * t + log1p(exp(-|z|)), whose exponent is never positive. The same exponential gives the sigmoid.
    Example: logits = [0, 2, -1], targets = [1, 1, 0] gives the loss (0.6931 + 0.1269 + 0.3133) / 3 = 0.3778 and
    dlogits = [-0.1667, -0.0397, 0.0896].
    Trap: exp(100) overflows float32, and a clipped probability leaves a certain and wrong unit without a gradient.
    Lecture: Deep Neural Networks, the table of last layers.
    """
    raise NotImplementedError("sigmoid_crossentropy")


def last_layer_for(problem):
    """The last layer's activation and the loss for a type of problem: the table to know by heart.

    Parameters
    ----------
    problem : str, one of
        "binary classification"
        "multiclass, single-label classification"
        "multiclass, multilabel classification"
        "regression to arbitrary values"
        "regression to values between 0 and 1"

    Returns
    -------
    activation : str or None; "sigmoid", "softmax", or None where the last layer has no activation
    loss : str; "binary_crossentropy", "categorical_crossentropy" or "mse"

    Raises
    ------
    ValueError : for any other problem

    Approach: ask what the outputs are. One probability per yes-no question: sigmoid. Probabilities that share one
    choice among them: softmax. A free number: no activation at all. For values between 0 and 1 the lecture allows mse
    and binary_crossentropy; answer "mse" here.
    Example: "binary classification" gives ("sigmoid", "binary_crossentropy").
    Trap: in a multilabel problem several labels may be true at once, so the outputs must not compete: no softmax.
    Lecture: Deep Neural Networks, the table of last layers.
    """
    raise NotImplementedError("last_layer_for")

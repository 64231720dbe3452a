"""Regularization: make it hard for a network to learn its training data by heart.

A network with many weights can memorize: the loss on the training data falls and falls, the loss on new data rises.
The best cure is more data. The next best is to let the network have what it needs, and no more. This chapter has the
three ways of the lecture, and batch normalization, which began as a way to train faster and regularizes a little too.

**Penalties.** Large weights make sharp bends. Let them cost something: add a penalty to the loss, and its gradient to
the gradient of the weights. That happens while training only; what is reported as the test loss has no penalty in it.

    L1      l1 * sum of |w|                  gradient  l1 * sign(w)     a constant pull: small weights end at zero
    L2      l2 * sum of w²                   gradient  2 * l2 * w       a pull like a spring's: large weights shrink
    both    the sum of the two               gradient  the sum of the two

They are Keras's: sums, not means, and no factor 1/2 before the squares. Only the weight matrices are penalized. A bias
bends nothing, it shifts, so it is left alone.

**Max-norm** does not pull, it forbids: after each update, a unit whose weights have become too long is cut back.

**Dropout.** While training, every output of a layer is set to zero with probability `rate`, drawn anew for each batch.
No unit can rely on one certain other unit, so each has to be useful by itself. There are two ways of making up for the
outputs that are missing:

                                while training                   at test time
    the original paper's        y = x where kept, else 0         y = x * (1 - rate)
    inverted, as Keras has it   y = x / (1 - rate) where kept    y = x

Either way the next layer gets, on average, the same sum at both times. A slide that says that dropout is "scaled down
at test time" tells the first one. Keras, like every library of today, does the second: it scales up by 1 / (1 - rate)
while training, and does nothing at all at test time. Mixing them up, doing both or neither, is the classic mistake.

**Batch normalization** gives every feature mean 0 and variance 1 over the batch, and then lets the network choose the
mean and spread it likes: beta and gamma are learned. At test time a prediction must not depend on which other samples
happen to be in the batch, so the layer keeps moving averages of mean and variance for then.

    training    x_hat = (x - mean) / sqrt(var + eps)          y = gamma * x_hat + beta
    inference   y = gamma * (x - moving_mean) / sqrt(moving_var + eps) + beta

The mean of the batch depends on every sample, and so does the variance. Backwards, a sample's gradient therefore has
three parts: straight through, through the mean, and through the variance.

    dx = gamma / sqrt(var + eps) * (dy - mean of dy - x_hat * mean of (dy * x_hat))

Follows the lecture "Deep Neural Networks" (overfitting, regularization, dropout, batch normalization).
"""

import numpy as np
from numba import njit


@njit(cache=True)
def l1_penalty(w, l1):
    """What L1 regularization adds to the loss: the sizes of the weights.

    Parameters
    ----------
    w : float32, any shape; the weights of one layer, without its bias
    l1 : float; the strength, e.g. 0.001

    Returns
    -------
    float: l1 * the sum over all weights of |w|; 0 where there are none

    Approach: add up the absolute values, then multiply once by the strength. `w.reshape(-1)` is w as one long row.
    Example: w = [[1, -2], [0, 3]], l1 = 0.1 gives 0.1 * 6 = 0.6.
    Trap: it is a sum, not a mean: a layer with more weights pays more.
    Lecture: Deep Neural Networks, regularization.
    """
    ### BEGIN SOLUTION
    total = np.float64(0)  # a layer has a million weights, and float32 loses count of numbers so small
    for weight in w.reshape(-1):
        total += abs(weight)
    return l1 * total
    ### END SOLUTION


@njit(cache=True)
def l1_gradient(w, l1):
    """Gradient of the L1 penalty: every weight is pulled to zero with the same force.

    A small weight is pulled as hard as a large one, all the way to zero (to within one step of it, to be exact). So L1
    makes sparse networks: the weights that the loss does not insist on vanish.

    Parameters
    ----------
    w : float32, any shape; the weights
    l1 : float; the strength

    Returns
    -------
    float32, the shape of w: l1 * sign(w), with sign(0) = 0 as Keras has it

    Approach: np.sign gives -1, 0 or 1. Make l1 a float32 first, so that the arithmetic stays float32.
    Example: w = [[1, -2], [0, 3]], l1 = 0.1 gives [[0.1, -0.1], [0, 0.1]].
    Trap: |w| has a kink at 0 and no slope there. Take 0: a weight that is zero should stay zero.
    Lecture: Deep Neural Networks, regularization.
    """
    ### BEGIN SOLUTION
    return np.float32(l1) * np.sign(w)
    ### END SOLUTION


@njit(cache=True)
def l2_penalty(w, l2):
    """What L2 regularization (weight decay) adds to the loss: the squares of the weights.

    Parameters
    ----------
    w : float32, any shape; the weights of one layer, without its bias
    l2 : float; the strength, e.g. 0.001

    Returns
    -------
    float: l2 * the sum over all weights of w²; 0 where there are none

    Approach: add up the squares, then multiply once by the strength.
    Example: w = [[1, -2], [0, 3]], l2 = 0.1 gives 0.1 * 14 = 1.4.
    Trap: many books write l2 / 2, so that the gradient has no 2. Keras does not halve.
    Lecture: Deep Neural Networks, regularization.
    """
    ### BEGIN SOLUTION
    total = np.float64(0)
    for weight in w.reshape(-1):
        total += weight * weight
    return l2 * total
    ### END SOLUTION


@njit(cache=True)
def l2_gradient(w, l2):
    """Gradient of the L2 penalty: every weight is pulled to zero in proportion to its size.

    Parameters
    ----------
    w : float32, any shape; the weights
    l2 : float; the strength

    Returns
    -------
    float32, the shape of w: 2 * l2 * w

    Approach: one multiplication by a float32 number. A step of gradient descent with it multiplies each weight by
    1 - 2 * lr * l2, a little less than one: that is why it is called weight decay.
    Example: w = [[1, -2], [0, 3]], l2 = 0.1 gives [[0.2, -0.4], [0, 0.6]].
    Trap: the derivative of w² is 2 * w.
    Lecture: Deep Neural Networks, regularization.
    """
    ### BEGIN SOLUTION
    return np.float32(2 * l2) * w
    ### END SOLUTION


@njit(cache=True)
def l1_l2_penalty(w, l1, l2):
    """Both penalties at once, each with its own strength.

    Parameters
    ----------
    w : float32, any shape; the weights of one layer, without its bias
    l1 : float; the strength of the L1 part
    l2 : float; the strength of the L2 part

    Returns
    -------
    float: l1 * the sum of |w|, plus l2 * the sum of w²

    Approach: add what your two penalties say.
    Example: w = [[1, -2], [0, 3]], l1 = 0.1, l2 = 0.01 gives 0.6 + 0.14 = 0.74.
    Trap: the order of the strengths: l1 belongs to the absolute values.
    Lecture: Deep Neural Networks, regularization.
    """
    ### BEGIN SOLUTION
    return l1_penalty(w, l1) + l2_penalty(w, l2)
    ### END SOLUTION


@njit(cache=True)
def l1_l2_gradient(w, l1, l2):
    """Gradient of both penalties together.

    Parameters
    ----------
    w : float32, any shape; the weights
    l1 : float; the strength of the L1 part
    l2 : float; the strength of the L2 part

    Returns
    -------
    float32, the shape of w: l1 * sign(w) + 2 * l2 * w

    Approach: the gradient of a sum is the sum of the gradients.
    Example: w = [[1, -2], [0, 3]], l1 = 0.1, l2 = 0.01 gives [[0.12, -0.14], [0, 0.16]].
    Trap: the factor 2 belongs to the L2 part alone.
    Lecture: Deep Neural Networks, regularization.
    """
    ### BEGIN SOLUTION
    return l1_gradient(w, l1) + l2_gradient(w, l2)
    ### END SOLUTION


@njit(cache=True)
def max_norm(w, limit):
    """Cut back the units whose weights have become too long; often used together with dropout.

    Parameters
    ----------
    w : float32 (d_in, units); the weights of a dense layer, one unit per column
    limit : float, above 0; how long a unit's weights may be, e.g. 3

    Returns
    -------
    float32 (d_in, units): each column whose length sqrt(sum of w²) is above the limit scaled down to that length, the
    other columns as they are

    Approach: the length of every column first, then a factor for each: limit / length where that is below 1, else 1.
    Example: w = [[3, 0.3], [4, 0.4]], limit = 1 gives [[0.6, 0.3], [0.8, 0.4]]: the lengths were 5 and 0.5.
    Trap: it is an upper limit. A short column is not stretched, and one of zeros has no direction to be stretched in.
    Lecture: Deep Neural Networks, regularization.
    """
    ### BEGIN SOLUTION
    d_in, units = w.shape
    factors = np.ones(units, np.float32)
    for unit in range(units):
        squares = np.float32(0)
        for i in range(d_in):
            squares += w[i, unit] * w[i, unit]
        length = np.sqrt(squares)
        if length > limit:
            factors[unit] = limit / length
    return w * factors
    ### END SOLUTION


@njit(cache=True)
def dropout_forward(x, rate, uniforms):
    """Dropout while training: switch outputs off at random, scale up what is left.

    The random numbers come as an argument, so that the same ones can be used twice: in a test, or by Keras.

    Parameters
    ----------
    x : float32, any shape; the outputs of a layer
    rate : float, 0 <= rate < 1; the probability that an output is dropped, e.g. 0.5
    uniforms : float32, the shape of x; random numbers from [0, 1), one for each element

    Returns
    -------
    y : float32, the shape of x: x / (1 - rate) where the element is kept, else 0
    mask : bool, the shape of x: True where the element is kept, which is where uniforms >= rate

    1 - rate is the *keep probability*. Of 10 outputs dropout with rate 0.2 keeps about 8; each of them times 1 / 0.8
    makes about the sum of all 10. So the layers above get what they are used to at test time, when nothing is dropped.

    Approach: visit every element once; one comparison makes the mask, and the mask chooses between the scaled value and
    0. reshape(-1) shows an array of any shape as one long row, without a copy.
    Example: x = [1, 2, 3, 4], rate = 0.5, uniforms = [0.1, 0.5, 0.7, 0.4] gives y = [0, 4, 6, 0] and
    mask = [False, True, True, False].
    Trap: the lecture's "scaled down at test time" is the form of the original paper, which leaves the kept values as
    they are while training. Keras scales up by 1 / (1 - rate) while training, and does nothing at test time. Do one of
    the two, never both.
    Lecture: Deep Neural Networks, dropout.
    """
    ### BEGIN SOLUTION
    scale, limit = np.float32(1 / (1 - rate)), np.float32(rate)
    y, mask = np.empty_like(x), np.empty(x.shape, np.bool_)
    source, numbers = x.reshape(-1), uniforms.reshape(-1)  # the same memory, as one long row
    target, kept = y.reshape(-1), mask.reshape(-1)
    for i in range(x.size):
        kept[i] = numbers[i] >= limit
        target[i] = source[i] * scale if kept[i] else np.float32(0)
    return y, mask
    ### END SOLUTION


@njit(cache=True)
def dropout_backward(dy, mask, rate):
    """Gradient of the loss with respect to what went into the dropout.

    Parameters
    ----------
    dy : float32, any shape; the upstream gradient
    mask : bool, the shape of dy; the forward pass's mask, True where the element was kept
    rate : float; the forward pass's rate

    Returns
    -------
    float32, the shape of dy: dy / (1 - rate) where the element was kept, else 0

    Approach: forwards each element was multiplied by 1 / (1 - rate) or by 0. Multiply the gradient by the same.
    Example: dy = [1, 2, 3, 4], mask = [False, True, True, False], rate = 0.5 gives [0, 4, 6, 0].
    Trap: use the mask of the forward pass. With new random numbers the blame goes to units that were not there.
    Lecture: Deep Neural Networks, dropout.
    """
    ### BEGIN SOLUTION
    scale = np.float32(1 / (1 - rate))
    dx = np.empty_like(dy)
    kept, source, target = mask.reshape(-1), dy.reshape(-1), dx.reshape(-1)
    for i in range(dy.size):
        target[i] = source[i] * scale if kept[i] else np.float32(0)
    return dx
    ### END SOLUTION


@njit(cache=True)
def dropout_scale_at_test(x, rate):
    """Dropout at test time as the original paper, and the lecture, have it: nothing is dropped, all is scaled down.

    This belongs to a training that drops outputs and leaves the kept ones as they are. With all the units back at test
    time the sums would be too large, so every output is multiplied by the probability with which it was there.

    **Not what Keras does.** Keras scales up by 1 / (1 - rate) while training (`dropout_forward`) and does nothing at
    test time. After that kind of training, scaling down here would be once too often.

    Parameters
    ----------
    x : float32, any shape; the outputs of a layer that was trained with unscaled dropout
    rate : float, 0 <= rate < 1; the probability with which an output was dropped in training

    Returns
    -------
    float32, the shape of x: x * (1 - rate)

    Approach: one multiplication by the keep probability, made a float32 first.
    Example: x = [1, 2, 4], rate = 0.25 gives [0.75, 1.5, 3].
    Trap: where one reads "scaled down by the dropout rate", the keep probability is meant. With rate = 0.5, the usual
    example, both are the same number, and nobody notices.
    Lecture: Deep Neural Networks, dropout ("scaled down at test time").
    """
    ### BEGIN SOLUTION
    return x * np.float32(1 - rate)
    ### END SOLUTION


@njit(cache=True)
def batchnorm_train(x, gamma, beta, moving_mean, moving_var, momentum, eps):
    """Batch normalization while training: normalize by this batch, and remember its statistics for later.

    Images are passed as (n * h * w, c): a channel is one feature, and every pixel of every image is a sample of it.

    Parameters
    ----------
    x : float32 (n, d), n >= 1; one sample per row
    gamma : float32 (d,); the learned scale of each feature
    beta : float32 (d,); the learned offset of each feature
    moving_mean : float32 (d,); the moving average of the batches' means so far
    moving_var : float32 (d,); the moving average of the batches' variances so far
    momentum : float; how much of the moving averages stays, e.g. 0.99
    eps : float; keeps the root away from 0, e.g. 1e-3

    Returns
    -------
    y : float32 (n, d) = gamma * x_hat + beta
    x_hat : float32 (n, d) = (x - mean) * inv_std; the backward pass needs it
    inv_std : float32 (d,) = 1 / sqrt(var + eps); the backward pass needs it
    new_moving_mean : float32 (d,) = momentum * moving_mean + (1 - momentum) * mean
    new_moving_var : float32 (d,) = momentum * moving_var + (1 - momentum) * var

    mean and var are those of each feature over the batch; var is the biased variance, the mean of (x - mean)², divided
    by n and not by n - 1.

    Approach: three walks over x: one for the mean of each column, one for the mean of (x - mean)², one for the result.
    Example: x = [[1, 10], [3, 30]], gamma = [2, 1], beta = [0, 5], moving_mean = [0, 0], moving_var = [1, 1],
    momentum = 0.9, eps = 0 gives y = [[-2, 4], [2, 6]], x_hat = [[-1, -1], [1, 1]], inv_std = [1, 0.1],
    new_moving_mean = [0.2, 2], new_moving_var = [1, 10.9].
    Trap: mean(x²) - mean(x)² is the same on paper and needs only one pass, but it is the difference of two large
    numbers. Around x = 1000 float32 knows their squares to 0.06 only, and a small variance drowns in that.
    Lecture: Deep Neural Networks, batch normalization.
    """
    ### BEGIN SOLUTION
    n, d = x.shape
    mean, var = np.zeros(d, np.float32), np.zeros(d, np.float32)
    for i in range(n):  # row by row, as x lies in memory
        for j in range(d):
            mean[j] += x[i, j]
    mean /= np.float32(n)
    for i in range(n):
        for j in range(d):
            difference = x[i, j] - mean[j]
            var[j] += difference * difference
    var /= np.float32(n)
    inv_std = np.float32(1) / np.sqrt(var + np.float32(eps))
    y, x_hat = np.empty_like(x), np.empty_like(x)
    for i in range(n):
        for j in range(d):
            x_hat[i, j] = (x[i, j] - mean[j]) * inv_std[j]
            y[i, j] = gamma[j] * x_hat[i, j] + beta[j]
    keep, add = np.float32(momentum), np.float32(1 - momentum)
    return y, x_hat, inv_std, keep * moving_mean + add * mean, keep * moving_var + add * var
    ### END SOLUTION


@njit(cache=True)
def batchnorm_inference(x, gamma, beta, moving_mean, moving_var, eps):
    """Batch normalization at test time: normalize by what was remembered, not by the batch at hand.

    Parameters
    ----------
    x : float32 (n, d); one sample per row
    gamma : float32 (d,); the learned scale of each feature
    beta : float32 (d,); the learned offset of each feature
    moving_mean : float32 (d,); the moving average of the means, from training
    moving_var : float32 (d,); the moving average of the variances, from training
    eps : float; the same as in training

    Returns
    -------
    float32 (n, d): gamma * (x - moving_mean) / sqrt(moving_var + eps) + beta

    Approach: gamma / sqrt(moving_var + eps) is one factor per feature. Compute it once, not once per sample.
    Example: x = [[4, 10]], gamma = [2, 1], beta = [0, 5], moving_mean = [2, 20], moving_var = [4, 100], eps = 0
    gives [[2, 4]].
    Trap: a single sample must get the same answer alone and in a batch. With the batch's own mean it would be its own
    mean, and every answer beta.
    Lecture: Deep Neural Networks, batch normalization.
    """
    ### BEGIN SOLUTION
    scale = gamma / np.sqrt(moving_var + np.float32(eps))
    return (x - moving_mean) * scale + beta
    ### END SOLUTION


@njit(cache=True)
def batchnorm_backward(dy, x_hat, inv_std, gamma):
    """Gradients of the loss with respect to everything that went into the batch normalization while training.

    Parameters
    ----------
    dy : float32 (n, d); the upstream gradient
    x_hat : float32 (n, d); the forward pass's normalized input
    inv_std : float32 (d,); the forward pass's 1 / sqrt(var + eps)
    gamma : float32 (d,); the learned scale of each feature

    Returns
    -------
    dx : float32 (n, d) = gamma * inv_std * (dy - dbeta / n - x_hat * dgamma / n)
    dgamma : float32 (d,) = the sum of dy * x_hat over the samples
    dbeta : float32 (d,) = the sum of dy over the samples

    Approach: dbeta and dgamma first, for dx is made of them. What is subtracted from dy is its mean (because the mean
    of x was subtracted) and its part along x_hat (because the spread of x was divided out): a change of x in either of
    these two directions never reached the loss.
    Example: dy = [[4], [0], [0], [0]], x_hat = [[-1], [-1], [1], [1]], inv_std = [1], gamma = [2] gives
    dx = [[4], [-4], [0], [0]], dgamma = [-4], dbeta = [4].
    Trap: mean and variance are no constants, they are made of x. The column sums of dx are zero: if yours are not, the
    way through the mean is missing.
    Lecture: Deep Neural Networks, batch normalization.
    """
    ### BEGIN SOLUTION
    n, d = dy.shape
    dgamma, dbeta = np.zeros(d, np.float32), np.zeros(d, np.float32)
    for i in range(n):
        for j in range(d):
            dgamma[j] += dy[i, j] * x_hat[i, j]
            dbeta[j] += dy[i, j]
    factor = gamma * inv_std
    through_var, through_mean = dgamma / np.float32(n), dbeta / np.float32(n)
    dx = np.empty_like(dy)
    for i in range(n):
        for j in range(d):
            dx[i, j] = factor[j] * (dy[i, j] - through_mean[j] - x_hat[i, j] * through_var[j])
    return dx, dgamma, dbeta
    ### END SOLUTION

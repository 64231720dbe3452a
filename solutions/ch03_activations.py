"""Activation functions: what makes a stack of layers more than one big matrix.

A dense layer computes `x @ w + b`. Two of them in a row are still one matrix product, so a network of dense layers
alone can only draw straight lines. A non-linear function after each layer, applied to every element, lets the network
bend them. This chapter has the four that the lectures use, and softmax for the last layer.

Every forward pass has a backward pass. It receives the *upstream gradient* `dy` = dL/dy, how the loss changes with
the layer's output, and returns dL/dx by the chain rule: dL/dx = dy * dy/dx, element by element.

    relu        y = max(x, 0)                        dy/dx = 1 where x > 0, else 0
    leaky relu  y = x where x > 0, else alpha * x    dy/dx = 1 where x > 0, else alpha
    sigmoid     y = 1 / (1 + exp(-x))                dy/dx = y * (1 - y)
    tanh        y = tanh(x)                          dy/dx = 1 - y * y
    softmax     y_i = exp(x_i) / sum_j exp(x_j)      dx = y * (dy - sum_j dy_j * y_j), per row

Sigmoid, tanh and softmax express their derivative by the *output* y, so that is what their backward pass is given.
Follows the lecture "Deep Neural Networks" (activation functions; the table of last layers).
"""

import numpy as np
from numba import njit


@njit(cache=True)
def relu(x):
    """Rectified linear unit: cut negative values to zero.

    Parameters
    ----------
    x : float32, any shape

    Returns
    -------
    float32, the shape of x: max(x, 0)

    Approach: make an output of the shape of x, visit every element once (`.flat` walks any shape), keep the positive.
    Example: [-2, 0, 3] gives [0, 0, 3].
    Trap: the input must stay as it was: write into a new array.
    Lecture: Deep Neural Networks, activation functions.
    """
    ### BEGIN SOLUTION
    y = np.empty_like(x)
    for i in range(x.size):
        y.flat[i] = max(x.flat[i], np.float32(0))
    return y
    ### END SOLUTION


@njit(cache=True)
def relu_backward(dy, x):
    """Gradient of the loss with respect to the input of a ReLU.

    Parameters
    ----------
    dy : float32, any shape; the upstream gradient dL/dy
    x : float32, the shape of dy; the forward pass's input

    Returns
    -------
    float32, the shape of x: dy where x > 0, else 0 (0 at x = 0, as Keras has it)

    Approach: visit every element once; let the upstream gradient through where the unit was on.
    Example: dy = [1, 1, 1], x = [-2, 0, 3] gives [0, 0, 1].
    Trap: the mask comes from x, not from dy.
    Lecture: Deep Neural Networks, backpropagation.
    """
    ### BEGIN SOLUTION
    dx = np.zeros_like(x)
    for i in range(x.size):
        if x.flat[i] > 0:
            dx.flat[i] = dy.flat[i]
    return dx
    ### END SOLUTION


@njit(cache=True)
def leaky_relu(x, alpha):
    """ReLU with a small slope for negative inputs, so that a unit that is off still learns.

    Parameters
    ----------
    x : float32, any shape
    alpha : float; the slope for negative x, e.g. 0.2

    Returns
    -------
    float32, the shape of x: x where x > 0, else alpha * x

    Approach: as relu, but scale instead of cutting.
    Example: x = [-2, 0, 3], alpha = 0.1 gives [-0.2, 0, 3].
    Trap: max(x, alpha * x) is wrong when alpha is larger than 1.
    Lecture: Deep Neural Networks, activation functions.
    """
    ### BEGIN SOLUTION
    y = np.empty_like(x)
    for i in range(x.size):
        value = x.flat[i]
        y.flat[i] = value if value > 0 else alpha * value
    return y
    ### END SOLUTION


@njit(cache=True)
def leaky_relu_backward(dy, x, alpha):
    """Gradient of the loss with respect to the input of a leaky ReLU.

    Parameters
    ----------
    dy : float32, any shape; the upstream gradient
    x : float32, the shape of dy; the forward pass's input
    alpha : float; the slope for negative x

    Returns
    -------
    float32, the shape of x: dy where x > 0, else alpha * dy (alpha * dy at x = 0, as Keras has it)

    Approach: the slope is 1 on the right of zero and alpha on the left; multiply the upstream gradient by it.
    Example: dy = [1, 1, 5], x = [-2, 0, 3], alpha = 0.1 gives [0.1, 0.1, 5].
    Trap: the slope multiplies dy, not x.
    Lecture: Deep Neural Networks, backpropagation.
    """
    ### BEGIN SOLUTION
    dx = np.empty_like(x)
    for i in range(x.size):
        dx.flat[i] = dy.flat[i] if x.flat[i] > 0 else alpha * dy.flat[i]
    return dx
    ### END SOLUTION


@njit(cache=True)
def sigmoid(x):
    """The logistic function: squeezes any number into (0, 1), to be read as a probability.

    Parameters
    ----------
    x : float32, any shape

    Returns
    -------
    float32, the shape of x: 1 / (1 + exp(-x)), exact to float32 also at |x| = 100

    Approach: exp(-x) overflows for very negative x. There use the same formula multiplied by exp(x) above and below,
    exp(x) / (1 + exp(x)): the exponent is then never positive.
    Example: [0, 2, -2] gives [0.5, 0.8808, 0.1192].
    Trap: exp(100) is more than float32 can hold.
    Lecture: Deep Neural Networks, activation functions.
    """
    ### BEGIN SOLUTION
    y = np.empty_like(x)
    one = np.float32(1)
    for i in range(x.size):
        value = x.flat[i]
        e = np.exp(-abs(value))  # in (0, 1]: cannot overflow
        y.flat[i] = one / (one + e) if value >= 0 else e / (one + e)
    return y
    ### END SOLUTION


@njit(cache=True)
def sigmoid_backward(dy, y):
    """Gradient of the loss with respect to the input of a sigmoid.

    Parameters
    ----------
    dy : float32, any shape; the upstream gradient
    y : float32, the shape of dy; the forward pass's *output*

    Returns
    -------
    float32, the shape of y: dy * y * (1 - y)

    Approach: the derivative of the sigmoid is y * (1 - y); no exponential is needed a second time.
    Example: dy = [1, 2], y = [0.5, 0.9] gives [0.25, 0.18].
    Trap: y is already the output: do not apply the sigmoid again.
    Lecture: Deep Neural Networks, backpropagation.
    """
    ### BEGIN SOLUTION
    return dy * y * (np.float32(1) - y)
    ### END SOLUTION


@njit(cache=True)
def tanh(x):
    """Hyperbolic tangent: like the sigmoid, but from -1 to 1 and centred on zero.

    Parameters
    ----------
    x : float32, any shape

    Returns
    -------
    float32, the shape of x: (exp(x) - exp(-x)) / (exp(x) + exp(-x))

    Approach: the formula overflows for large |x|; `np.tanh` does not.
    Example: [0, 1, -1] gives [0, 0.7616, -0.7616].
    Trap: the textbook quotient is inf / inf = nan at x = 100.
    Lecture: Deep Neural Networks, activation functions.
    """
    ### BEGIN SOLUTION
    return np.tanh(x)
    ### END SOLUTION


@njit(cache=True)
def tanh_backward(dy, y):
    """Gradient of the loss with respect to the input of a tanh.

    Parameters
    ----------
    dy : float32, any shape; the upstream gradient
    y : float32, the shape of dy; the forward pass's *output*

    Returns
    -------
    float32, the shape of y: dy * (1 - y * y)

    Approach: the derivative of tanh is 1 - tanh(x)², and tanh(x) is y.
    Example: dy = [1, 2], y = [0, 0.5] gives [1, 1.5].
    Trap: y is already the output: do not apply tanh again.
    Lecture: Deep Neural Networks, backpropagation.
    """
    ### BEGIN SOLUTION
    return dy * (np.float32(1) - y * y)
    ### END SOLUTION


@njit(cache=True)
def softmax(x):
    """Turn each row of scores into probabilities that sum to one.

    Parameters
    ----------
    x : float32 (n, num_classes); one row of scores (logits) per sample

    Returns
    -------
    float32 (n, num_classes): exp(x[i, j]) / sum over k of exp(x[i, k])

    Approach: per row, subtract the largest score first. That multiplies numerator and denominator by the same number,
    so the result is unchanged, and no exponent is positive.
    Example: [[1, 2, 3]] gives [[0.0900, 0.2447, 0.6652]]; so does [[1001, 1002, 1003]].
    Trap: the sum runs over the classes of one sample, never over the batch.
    Lecture: Deep Neural Networks, the table of last layers.
    """
    ### BEGIN SOLUTION
    n, num_classes = x.shape
    y = np.empty_like(x)
    for i in range(n):
        largest = x[i].max()
        total = np.float32(0)
        for j in range(num_classes):
            y[i, j] = np.exp(x[i, j] - largest)
            total += y[i, j]
        for j in range(num_classes):
            y[i, j] /= total
    return y
    ### END SOLUTION


@njit(cache=True)
def softmax_backward(dy, y):
    """Gradient of the loss with respect to the scores that went into a softmax.

    Parameters
    ----------
    dy : float32 (n, num_classes); the upstream gradient
    y : float32 (n, num_classes); the forward pass's *output*

    Returns
    -------
    float32 (n, num_classes): y * (dy - sum over k of dy[i, k] * y[i, k]), row by row

    Approach: every output of a row depends on every score of that row: dy_j/dx_i = y_j * ((i == j) - y_i). Summing
    dy_j over j leaves one dot product per row.
    Example: dy = [[1, 0]], y = [[0.25, 0.75]] gives [[0.1875, -0.1875]].
    Trap: y * (1 - y) is only the diagonal of the Jacobian.
    Lecture: Deep Neural Networks, backpropagation.
    """
    ### BEGIN SOLUTION
    n, num_classes = y.shape
    dx = np.empty_like(y)
    for i in range(n):
        weighted = np.float32(0)
        for j in range(num_classes):
            weighted += dy[i, j] * y[i, j]
        for j in range(num_classes):
            dx[i, j] = y[i, j] * (dy[i, j] - weighted)
    return dx
    ### END SOLUTION

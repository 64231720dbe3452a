"""Optimizers: how a gradient becomes a better set of weights.

Backpropagation answers one question: if this weight grew a little, how would the loss change? The answer is the
gradient `g`. An optimizer decides what to do with it. All of them walk downhill, against the gradient; they differ in
what they remember from earlier steps.

    sgd         w <- w - lr * g                                  remembers nothing
    momentum    v <- momentum * v - lr * g                       a ball that rolls: the velocity of the last steps
                w <- w + v
    nesterov    v as above; w <- w + momentum * v - lr * g       the ball looks where it is rolling to
    adagrad     acc <- acc + g²                                  every weight gets its own rate, which only shrinks
                w <- w - lr * g / sqrt(acc + eps)
    adadelta    acc <- rho * acc + (1 - rho) * g²                as RMSprop, and steps in the weights' own unit
                delta = -sqrt(acc_delta + eps) / sqrt(acc + eps) * g
                acc_delta <- rho * acc_delta + (1 - rho) * delta²
                w <- w + lr * delta
    rmsprop     acc <- rho * acc + (1 - rho) * g²                as Adagrad, but old gradients are forgotten
                w <- w - lr * g / sqrt(acc + eps)
    adam        m <- m + (1 - beta1) * (g - m)                   momentum and RMSprop together, both corrected
                v <- v + (1 - beta2) * (g² - v)                  for having started from zero
                w <- w - lr * sqrt(1 - beta2^t) / (1 - beta1^t) * m / (sqrt(v) + eps)

Everything happens element by element: a weight never looks at its neighbour, so the shape of `w` does not matter.
The steps work *in place*: they overwrite `w` and the state that they are given, and return nothing. A network has
millions of weights, and a new array for each of them at every step would cost more time than the arithmetic. For the
same reason each step is one *fused* pass, one loop that updates state and weight together: every number is fetched
from memory once. (`w = w - lr * g` is neither: it makes two new arrays, and the caller's weights stay as they were.)

Steps that divide say `error_model="numpy"`: a division by zero then gives infinity, as it does in NumPy. Python's way,
an exception, means a look at every divisor, and with one in it the compiler cannot make vector instructions, which do
several numbers at once, of the loop.

The formulas are those of Keras 3, down to the place of `eps`: inside the root for Adagrad, Adadelta and RMSprop,
outside for Adam. With gradients of 1e-6 that place decides how far you go.

Follows the lecture "Deep Neural Networks" (gradient descent, the learning rate, optimizers).
"""

import numpy as np
from numba import njit


@njit(cache=True)
def sgd_step(w, g, lr):
    """One step of plain (stochastic) gradient descent, in place.

    Stochastic means that `g` comes from one batch, not from all the data: it is noisy, but a hundred rough steps get
    further than one exact step.

    Parameters
    ----------
    w : float32, any shape; the weights, updated in place
    g : float32, the shape of w; the gradient of the loss with respect to w
    lr : float; the learning rate, how far to go

    Returns
    -------
    nothing; w becomes w - lr * g

    Approach: the gradient points uphill, so subtract it. Visit every element once (`.flat` walks any shape).
    A Python float is a float64: convert lr to float32 once, before the loop, and all the arithmetic stays float32.
    Example: w = [1, -2], g = [10, 4], lr = 0.1 leaves w = [0, -2.4].
    Trap: `w = w - lr * g` only gives a new array the old name; the caller's weights never move.
    Lecture: Deep Neural Networks, gradient descent.
    """
    raise NotImplementedError("sgd_step")


@njit(cache=True)
def momentum_step(w, g, v, lr, momentum):
    """One step of gradient descent with momentum, in place.

    Think of a ball that rolls down the loss. It does not stop at every point to ask for the steepest way: it keeps
    most of its velocity, and the gradient only pushes it. Pushes that agree add up (with momentum 0.9, to ten times
    the step); pushes to and fro across a narrow valley cancel; and a ball with speed rolls through a small dip
    in which plain gradient descent would stay for ever.

    Parameters
    ----------
    w : float32, any shape; the weights, updated in place
    g : float32, the shape of w; the gradient
    v : float32, the shape of w; the velocity, updated in place (all zero before the first step)
    lr : float; the learning rate
    momentum : float in [0, 1]; the share of the velocity that is kept, usually 0.9

    Returns
    -------
    nothing; first v becomes momentum * v - lr * g, then w becomes w + v

    Approach: in Keras the velocity is a step downhill, with the learning rate already in it. Update the velocity
    first, then move by the new one.
    Example: w = [1], g = [2], v = [0.5], lr = 0.1, momentum = 0.9 leaves v = [0.25] and w = [1.25]: the gradient
    brakes, but the ball still rolls on.
    Trap: other libraries keep v = momentum * v + g and subtract lr * v. That is another velocity, and another path as
    soon as lr changes.
    Lecture: Deep Neural Networks, optimizers.
    """
    raise NotImplementedError("momentum_step")


@njit(cache=True)
def nesterov_step(w, g, v, lr, momentum):
    """One step of gradient descent with Nesterov momentum, in place.

    A ball with momentum brakes too late: it feels the slope where it is, not where its speed is about to carry it.
    Nesterov's idea is to roll first and to ask for the gradient there. Written as here (and in Keras), the weights are
    kept at that point ahead, so that the gradient you are given was already taken there; after the push the step
    includes the next roll.

    Parameters
    ----------
    w : float32, any shape; the weights, updated in place
    g : float32, the shape of w; the gradient
    v : float32, the shape of w; the velocity, updated in place (all zero before the first step)
    lr : float; the learning rate
    momentum : float in [0, 1]; the share of the velocity that is kept

    Returns
    -------
    nothing; first v becomes momentum * v - lr * g, then w becomes w + momentum * v - lr * g, with the new v

    Approach: the velocity is that of momentum_step. Then apply the same formula once more, this time to the new
    velocity: that is the step of the weights.
    Example: w = [1], g = [2], v = [0.5], lr = 0.1, momentum = 0.9 leaves v = [0.25] and w = [1.025], since
    0.9 * 0.25 - 0.1 * 2 = 0.025.
    Trap: momentum * v - lr * g with the *old* v is the new velocity itself, and you are back at plain momentum.
    Lecture: Deep Neural Networks, optimizers.
    """
    raise NotImplementedError("nesterov_step")


@njit(cache=True, error_model="numpy")
def adagrad_step(w, g, acc, lr, eps):
    """One step of Adagrad, in place: every weight gets its own learning rate.

    A weight behind a rare word sees a gradient once in a thousand samples, one behind a common word at every step. One
    rate cannot suit both. Adagrad adds up each weight's squared gradients and divides by the root of the sum: who has
    moved a lot moves less, who has hardly moved moves more. The sum never shrinks, so in the end every step does.

    Parameters
    ----------
    w : float32, any shape; the weights, updated in place
    g : float32, the shape of w; the gradient
    acc : float32, the shape of w; the sum of the squared gradients, updated in place (Keras starts it at 0.1)
    lr : float; the learning rate
    eps : float; keeps the root away from zero, e.g. 1e-7

    Returns
    -------
    nothing; first acc becomes acc + g², then w becomes w - lr * g / sqrt(acc + eps)

    Approach: add this gradient's square first, then divide by the root that includes it.
    Example: w = [1, 1], g = [3, 0.3], acc = [16, 0], lr = 0.1, eps = 1e-7 leaves acc = [25, 0.09] and w = [0.94, 0.9]:
    the smaller gradient makes the larger step.
    Trap: eps stands inside the root. sqrt(1e-7) is 3e-4, a far larger floor than 1e-7.
    Lecture: Deep Neural Networks, optimizers.
    """
    raise NotImplementedError("adagrad_step")


@njit(cache=True, error_model="numpy")
def adadelta_step(w, g, acc, acc_delta, lr, rho, eps):
    """One step of Adadelta, in place: the size of the last steps sets the size of the next.

    Adagrad's rate dies out, and lr * g / sqrt(acc) has no unit: the gradient's cancels, and nothing brings in that of
    the weights. Adadelta mends both. It forgets old gradients (a decaying average instead of a sum), and it multiplies
    by the root of the average of its own squared steps, so that a step is measured in the unit of the weights and needs
    no learning rate. Keras multiplies by one all the same; lr = 1 is the original.

    Parameters
    ----------
    w : float32, any shape; the weights, updated in place
    g : float32, the shape of w; the gradient
    acc : float32, the shape of w; the decaying average of g², updated in place (zero at first)
    acc_delta : float32, the shape of w; the decaying average of delta², updated in place (zero at first)
    lr : float; the learning rate, 1 in the original
    rho : float in [0, 1); the share of the averages that is kept, e.g. 0.95
    eps : float; keeps the roots away from zero and gets the first step going, e.g. 1e-7

    Returns
    -------
    nothing; in this order
        acc becomes rho * acc + (1 - rho) * g²
        delta = -sqrt(acc_delta + eps) * g / sqrt(acc + eps)
        acc_delta becomes rho * acc_delta + (1 - rho) * delta²
        w becomes w + lr * delta

    Approach: acc is updated before it is used, acc_delta after: this step's delta cannot be part of its own average.
    Example: w = [1], g = [2], acc = [0], acc_delta = [0.03], lr = 0.5, rho = 0.75, eps = 0.01 leaves acc = [1]; delta
    is -0.2 * 2 / sqrt(1.01) = -0.3980, so acc_delta = [0.0621] and w = [0.8010].
    Trap: acc_delta averages delta², without the learning rate.
    Lecture: Deep Neural Networks, optimizers.
    """
    raise NotImplementedError("adadelta_step")


@njit(cache=True, error_model="numpy")
def rmsprop_step(w, g, acc, lr, rho, eps):
    """One step of RMSprop, in place: Adagrad that forgets.

    Adagrad remembers every gradient since the first, and its steps shrink until learning stops. RMSprop keeps a
    decaying average instead: with rho = 0.9 a squared gradient counts a tenth when it comes and has lost two thirds of
    that ten steps later. Dividing by the root makes the step about lr long, however steep the loss is.

    Parameters
    ----------
    w : float32, any shape; the weights, updated in place
    g : float32, the shape of w; the gradient
    acc : float32, the shape of w; the decaying average of g², updated in place (zero before the first step)
    lr : float; the learning rate
    rho : float in [0, 1); the share of the average that is kept, e.g. 0.9
    eps : float; keeps the root away from zero, e.g. 1e-7

    Returns
    -------
    nothing; first acc becomes rho * acc + (1 - rho) * g², then w becomes w - lr * g / sqrt(acc + eps)

    Approach: rho belongs to the past, 1 - rho to this gradient. Update the average first, then divide by its root.
    Example: w = [1], g = [2], acc = [0], lr = 0.1, rho = 0.75, eps = 1e-7 leaves acc = [1] and w = [0.8].
    Trap: eps stands inside the root, as Keras has it; some books add it outside.
    Lecture: Deep Neural Networks, optimizers.
    """
    raise NotImplementedError("rmsprop_step")


@njit(cache=True, error_model="numpy")
def adam_step(w, g, m, v, t, lr, beta1, beta2, eps):
    """One step of Adam, in place: momentum for the direction, RMSprop for the length.

    m is a decaying average of the gradients (where to), v one of their squares (how steep). Both start at zero, so the
    first averages are far too small: after one step m is only (1 - beta1) * g, a tenth of the gradient, and v a
    thousandth of its square. The *bias correction* divides by the share of the average that is filled so far,
    1 - beta1^t and 1 - beta2^t. After many steps both shares are 1 and the correction is gone.

    Parameters
    ----------
    w : float32, any shape; the weights, updated in place
    g : float32, the shape of w; the gradient
    m : float32, the shape of w; the decaying average of g, updated in place (zero before the first step)
    v : float32, the shape of w; the decaying average of g², updated in place (zero before the first step)
    t : int; the number of this step, 1 for the first
    lr : float; the learning rate, e.g. 0.001
    beta1 : float in [0, 1); the share of m that is kept, e.g. 0.9
    beta2 : float in [0, 1); the share of v that is kept, e.g. 0.999
    eps : float; keeps the quotient finite, e.g. 1e-7

    Returns
    -------
    nothing; in this order
        m becomes m + (1 - beta1) * (g - m)
        v becomes v + (1 - beta2) * (g² - v)
        alpha = lr * sqrt(1 - beta2^t) / (1 - beta1^t)
        w becomes w - alpha * m / (sqrt(v) + eps)

    Approach: both corrections are the same for every weight: put them into one number, alpha, before the loop. The
    state keeps the uncorrected averages.
    Example: w = [1], g = [0.5], m = v = [0], t = 1, lr = 0.1, beta1 = 0.9, beta2 = 0.999, eps = 1e-7 leaves m = [0.05],
    v = [0.00025] and w = [0.9]: whatever its gradient, a weight's first step is lr long.
    Trap: eps is added to the root of the *uncorrected* v (the paper's "epsilon hat", and Keras's). Correcting m and v
    first and adding eps then is the paper's other form: the same for common gradients, another answer for tiny ones.
    Lecture: Deep Neural Networks, optimizers.
    """
    raise NotImplementedError("adam_step")


@njit(cache=True)
def descent_path(x0, lr, steps):
    """The points that gradient descent visits on the loss L(x) = (x - 3)² + 1.

    The lowest point is x = 3. Here one can watch what the learning rate does, since every step multiplies the distance
    to 3 by 1 - 2 * lr:

        lr = 0.001   0.998: the right way, but a thousand steps are not enough     too small
        lr = 0.25    0.5: half of the way at every step                            stable
        lr = 0.5     0: there in a single step
        lr = 0.9     -0.8: beyond the lowest point and back, closer every time     stable
        lr = 1       -1: to and fro for ever
        lr = 1.1     -1.2: beyond it and further away every time                   diverging

    Parameters
    ----------
    x0 : float; where to start
    lr : float; the learning rate
    steps : int; how many steps to take, 0 or more

    Returns
    -------
    float32 (steps + 1,): the points visited, x0 first

    Approach: write x0 into the first element; each further point is the one before it minus lr times the slope there.
    Find the slope dL/dx with pencil and paper first.
    Example: x0 = 0, lr = 0.25, steps = 3 gives [0, 1.5, 2.25, 2.625].
    Trap: the start counts as a point: steps + 1 of them.
    Lecture: Deep Neural Networks, the learning rate.
    """
    raise NotImplementedError("descent_path")

"""Activation functions: cases, known mistakes and Keras twins."""

from __future__ import annotations

import numpy as np

from grader.exercise import Case, Chapter

chapter = Chapter("ch03_activations", "Activation functions")

SHAPES = ((5,), (3, 4), (2, 5, 7, 3))


def element_cases(draw):
    """Inputs for a function of one element: what every activation must survive."""
    yield Case("negatives, zero, positives", x=draw.array([-2.0, 0.0, 3.0]))
    for shape in SHAPES:
        yield Case(f"an array of shape {shape}", hidden=len(shape) > 2, x=draw.normal(*shape, scale=2.0))
    yield Case("an empty batch", x=draw.array(np.zeros((0, 4))), hidden=True)


def gradient_cases(draw):
    """An upstream gradient and the forward pass's input, with values at and on both sides of zero."""
    yield Case("one, everywhere", dy=draw.array([1, 1, 1, 1]), x=draw.array([-2.0, 0.0, 3.0, 0.5]))
    for shape in SHAPES:
        yield Case(f"an array of shape {shape}", hidden=len(shape) > 2, dy=draw.normal(*shape), x=draw.normal(*shape))
    yield Case("zeros of both signs", dy=draw.array([2, 3, 4]), x=draw.array([-0.0, 0.0, 1e-30]), hidden=True)


# --- relu -----------------------------------------------------------------------------------------------------------

relu = chapter.exercise("relu", points=1, returns="y")


@relu.cases
def relu_cases(draw):
    yield from element_cases(draw)
    yield Case("extremes", x=draw.array([-1e30, -0.0, 1e30, 1e-30, 0.4]), hidden=True)


@relu.mistake("You mirrored the negative values. ReLU cuts them to zero.")
def mirrors_negatives(x):
    return np.abs(x)


@relu.mistake("You returned 1 where x is positive: that is ReLU's derivative. ReLU keeps the value x itself.")
def returns_the_derivative(x):
    return (x > 0).astype(np.float32)


@relu.mistake("You kept the negative values and cut the positive ones. ReLU is max(x, 0), not min(x, 0).")
def takes_the_minimum(x):
    return np.minimum(x, 0)


@relu.mistake("You cut at 1 as well. Plain ReLU has no upper bound (that one is called ReLU1 or a hard sigmoid).")
def clips_at_one(x):
    return np.clip(x, 0, 1)


@relu.keras_twin
def relu_in_keras(keras, x):
    return keras.ops.relu(x)


relu_backward = chapter.exercise("relu_backward", points=1, returns="dx")
relu_backward.cases(gradient_cases)


@relu_backward.mistake("You let the gradient through where dy > 0. The mask comes from the forward input: x > 0.")
def masks_by_upstream(dy, x):
    return np.where(dy > 0, dy, 0)


@relu_backward.mistake("You returned the mask alone. The chain rule multiplies it by the upstream gradient dy.")
def forgets_upstream(dy, x):
    return (x > 0).astype(np.float32)


@relu_backward.mistake("You let the gradient through at x = 0. Keras takes 0 there: the mask is x > 0, not x >= 0.")
def passes_at_zero(dy, x):
    return np.where(x >= 0, dy, 0)


@relu_backward.mistake("You multiplied by relu(x). The derivative of ReLU is 1 where x > 0, not x.")
def multiplies_by_activation(dy, x):
    return dy * np.maximum(x, 0)


@relu_backward.mistake("You let the gradient through where x < 0. It is the other way round: the unit was off there.")
def inverts_the_mask(dy, x):
    return np.where(x > 0, 0, dy)


@relu_backward.objective
def relu_objective(dy, x):
    return lambda x: np.sum(dy * np.maximum(x, 0)), {"dx": x}


@relu_backward.keras_twin
def relu_gradient_in_keras(keras, dy, x):
    return keras.gradient(keras.ops.relu, dy, x)


# --- leaky relu -----------------------------------------------------------------------------------------------------

leaky_relu = chapter.exercise("leaky_relu", points=1, returns="y")


@leaky_relu.cases
def leaky_relu_cases(draw):
    for case in element_cases(draw):
        yield Case(case.rationale, hidden=case.hidden, **case.arguments, alpha=0.2)
    yield Case("another slope", x=draw.normal(4, 3), alpha=0.01)
    yield Case("no slope at all: plain ReLU", x=draw.normal(6), alpha=0.0)
    yield Case("a slope above one", x=draw.normal(6), alpha=1.5, hidden=True)


@leaky_relu.mistake("You cut negative values to zero: that is ReLU. Leaky ReLU multiplies them by alpha.")
def cuts_negatives(x, alpha):
    return np.maximum(x, 0)


@leaky_relu.mistake("You added alpha to negative values. Alpha is a slope: multiply.")
def shifts_negatives(x, alpha):
    return np.where(x > 0, x, x + np.float32(alpha))


@leaky_relu.mistake(
    "You scaled the positive side by alpha. Positive values pass unchanged; alpha is for negative ones."
)
def scales_positives(x, alpha):
    return np.where(x > 0, np.float32(alpha) * x, x)


@leaky_relu.mistake("You wrote max(x, alpha * x), which picks the wrong side when alpha > 1. Decide by the sign of x.")
def takes_the_maximum(x, alpha):
    return np.maximum(x, np.float32(alpha) * x)


@leaky_relu.mistake(
    "You used alpha * (exp(x) - 1) for negative values: that is the ELU. Leaky ReLU is alpha * x there."
)
def computes_elu(x, alpha):
    return np.where(x > 0, x, np.float32(alpha) * np.expm1(np.minimum(x, 0)))


@leaky_relu.keras_twin
def leaky_relu_in_keras(keras, x, alpha):
    return keras.ops.leaky_relu(x, negative_slope=alpha)


leaky_relu_backward = chapter.exercise("leaky_relu_backward", points=1, returns="dx")


@leaky_relu_backward.cases
def leaky_relu_backward_cases(draw):
    for case in gradient_cases(draw):
        yield Case(case.rationale, hidden=case.hidden, **case.arguments, alpha=0.2)
    yield Case("another slope", dy=draw.normal(4, 3), x=draw.normal(4, 3), alpha=0.01)


@leaky_relu_backward.mistake("You blocked the gradient where x < 0, as plain ReLU does. Leaky ReLU passes alpha * dy.")
def blocks_negatives(dy, x, alpha):
    return np.where(x > 0, dy, 0)


@leaky_relu_backward.mistake("You took the sign from dy. The slope depends on the forward input x.")
def takes_sign_from_upstream(dy, x, alpha):
    return np.where(dy > 0, dy, np.float32(alpha) * dy)


@leaky_relu_backward.mistake("You scaled x instead of the upstream gradient. On the left the gradient is alpha * dy.")
def scales_the_input(dy, x, alpha):
    return np.where(x > 0, dy, np.float32(alpha) * x)


@leaky_relu_backward.mistake("At x = 0 the slope is alpha, as Keras has it: test x > 0, not x >= 0.")
def full_slope_at_zero(dy, x, alpha):
    return np.where(x >= 0, dy, np.float32(alpha) * dy)


@leaky_relu_backward.objective
def leaky_relu_objective(dy, x, alpha):
    return lambda x: np.sum(dy * np.where(x > 0, x, alpha * x)), {"dx": x}


@leaky_relu_backward.keras_twin
def leaky_relu_gradient_in_keras(keras, dy, x, alpha):
    return keras.gradient(lambda x: keras.ops.leaky_relu(x, negative_slope=alpha), dy, x)


# --- sigmoid --------------------------------------------------------------------------------------------------------

sigmoid = chapter.exercise("sigmoid", points=1, returns="y")


@sigmoid.cases
def sigmoid_cases(draw):
    yield from element_cases(draw)
    yield Case("|x| = 100: nothing may overflow", x=draw.array([-100.0, 100.0, -80.0, 80.0]))
    yield Case("far out", x=draw.array([-1e30, 1e30, -40.0]), hidden=True)


@sigmoid.mistake("exp(x) / (1 + exp(x)) is inf / inf for large x. For x >= 0 use 1 / (1 + exp(-x)).")
def divides_infinite_exponentials(x):
    e = np.exp(x)
    return e / (1 + e)


@sigmoid.mistake("You have the sign of the exponent wrong: 1 / (1 + exp(x)) falls, the sigmoid rises.")
def flips_the_sign(x):
    return 1 / (1 + np.exp(x))


@sigmoid.mistake("You computed tanh, which runs from -1 to 1. The sigmoid runs from 0 to 1.")
def computes_tanh(x):
    return np.tanh(x)


@sigmoid.mistake("You returned the derivative y * (1 - y). The forward pass returns y itself.")
def returns_sigmoid_derivative(x):
    y = 0.5 * (1 + np.tanh(0.5 * x))
    return y * (1 - y)


@sigmoid.mistake("You forgot the 1 in the denominator: 1 / exp(-x) is just exp(x).")
def forgets_the_one(x):
    return np.exp(x)


@sigmoid.keras_twin
def sigmoid_in_keras(keras, x):
    return keras.ops.sigmoid(x)


sigmoid_backward = chapter.exercise("sigmoid_backward", points=1, returns="dx")


@sigmoid_backward.cases
def sigmoid_backward_cases(draw):
    yield Case("one, everywhere", dy=draw.array([1, 1, 1]), y=draw.array([0.5, 0.9, 0.1]))
    for shape in SHAPES:
        yield Case(
            f"an array of shape {shape}",
            hidden=len(shape) > 2,
            dy=draw.normal(*shape),
            y=draw.uniform(0.02, 0.98, *shape),
        )
    yield Case("saturated units", dy=draw.array([3, 4, 5]), y=draw.array([0.0, 1.0, 0.999]), hidden=True)


@sigmoid_backward.mistake("You applied the sigmoid to y again. y already is the output: the derivative is y * (1 - y).")
def applies_sigmoid_again(dy, y):
    again = 1 / (1 + np.exp(-y))
    return dy * again * (1 - again)


@sigmoid_backward.mistake("You left out the upstream gradient. The chain rule multiplies y * (1 - y) by dy.")
def forgets_upstream_of_sigmoid(dy, y):
    return y * (1 - y)


@sigmoid_backward.mistake("You used tanh's derivative, 1 - y². The sigmoid's is y * (1 - y).")
def uses_tanh_derivative(dy, y):
    return dy * (1 - y * y)


@sigmoid_backward.mistake("You left out a factor y: the derivative is y * (1 - y), not 1 - y.")
def forgets_a_factor(dy, y):
    return dy * (1 - y)


@sigmoid_backward.objective
def sigmoid_objective(dy, y):
    inside = np.clip(y, 1e-12, 1 - 1e-12)
    return lambda x: np.sum(dy / (1 + np.exp(-x))), {"dx": np.log(inside / (1 - inside))}


@sigmoid_backward.keras_twin
def sigmoid_gradient_in_keras(keras, dy, y):
    return dy * y * (1 - y) if saturated(y) else keras.gradient(keras.ops.sigmoid, dy, np.log(y / (1 - y)))


def saturated(y):
    """Whether an output has no finite input, so that Keras cannot be asked for the gradient there."""
    return bool(np.any((y <= 0) | (y >= 1)))


# --- tanh -----------------------------------------------------------------------------------------------------------

tanh = chapter.exercise("tanh", points=1, returns="y")


@tanh.cases
def tanh_cases(draw):
    yield from element_cases(draw)
    yield Case("|x| = 100: nothing may overflow", x=draw.array([-100.0, 100.0, -50.0, 50.0]))
    yield Case("far out", x=draw.array([-1e30, 1e30]), hidden=True)


@tanh.mistake("The quotient of exponentials overflowed to inf / inf. np.tanh does not overflow.")
def divides_infinities(x):
    up, down = np.exp(x), np.exp(-x)
    return (up - down) / (up + down)


@tanh.mistake("You computed the sigmoid, which runs from 0 to 1. tanh runs from -1 to 1.")
def computes_sigmoid(x):
    return 1 / (1 + np.exp(-x))


@tanh.mistake("2 * sigmoid(x) - 1 is tanh(x / 2). tanh(x) is 2 * sigmoid(2x) - 1.")
def forgets_to_double(x):
    return np.tanh(x / 2)


@tanh.mistake("You returned the derivative 1 - y². The forward pass returns y itself.")
def returns_tanh_derivative(x):
    return 1 - np.tanh(x) ** 2


@tanh.keras_twin
def tanh_in_keras(keras, x):
    return keras.ops.tanh(x)


tanh_backward = chapter.exercise("tanh_backward", points=1, returns="dx")


@tanh_backward.cases
def tanh_backward_cases(draw):
    yield Case("one, everywhere", dy=draw.array([1, 1, 1]), y=draw.array([0.0, 0.5, -0.5]))
    for shape in SHAPES:
        yield Case(
            f"an array of shape {shape}",
            hidden=len(shape) > 2,
            dy=draw.normal(*shape),
            y=draw.uniform(-0.95, 0.95, *shape),
        )
    yield Case("saturated units", dy=draw.array([3, 4, 5]), y=draw.array([-1.0, 1.0, 0.999]), hidden=True)


@tanh_backward.mistake("You applied tanh to y again. y already is the output: the derivative is 1 - y².")
def applies_tanh_again(dy, y):
    return dy * (1 - np.tanh(y) ** 2)


@tanh_backward.mistake("You left out the upstream gradient. The chain rule multiplies 1 - y² by dy.")
def forgets_upstream_of_tanh(dy, y):
    return 1 - y * y


@tanh_backward.mistake("You used the sigmoid's derivative, y * (1 - y). tanh's is 1 - y².")
def uses_sigmoid_derivative(dy, y):
    return dy * y * (1 - y)


@tanh_backward.mistake("You forgot the square: the derivative is 1 - y², not 1 - y.")
def forgets_the_square(dy, y):
    return dy * (1 - y)


@tanh_backward.objective
def tanh_objective(dy, y):
    return lambda x: np.sum(dy * np.tanh(x)), {"dx": np.arctanh(np.clip(y, -1 + 1e-12, 1 - 1e-12))}


@tanh_backward.keras_twin
def tanh_gradient_in_keras(keras, dy, y):
    return dy * (1 - y * y) if np.any(np.abs(y) >= 1) else keras.gradient(keras.ops.tanh, dy, np.arctanh(y))


# --- softmax --------------------------------------------------------------------------------------------------------

softmax = chapter.exercise("softmax", points=2, returns="y")


@softmax.cases
def softmax_cases(draw):
    yield Case("one sample", x=draw.array([[1.0, 2.0, 3.0]]))
    yield Case("a batch of 4 with 10 classes", x=draw.normal(4, 10, scale=3.0))
    yield Case("more samples than classes", x=draw.normal(7, 3))
    yield Case("scores around 1000: nothing may overflow", x=draw.array([[1001, 1002, 1003], [-1001, -1000, 0]]))
    yield Case("all scores equal", x=draw.array([[5, 5, 5, 5]]), hidden=True)
    yield Case("a single class", x=draw.normal(3, 1), hidden=True)
    yield Case("very different rows", x=draw.array([[1e4, -1e4], [-3, 2], [0, 1e30]]), hidden=True)


@softmax.mistake("exp overflowed. Subtract each row's largest score first; the result is the same.")
def forgets_the_shift(x):
    e = np.exp(x)
    return e / e.sum(axis=1, keepdims=True)


@softmax.mistake("You normalized over the whole batch. Every row (sample) must sum to one by itself.")
def normalizes_the_batch(x):
    e = np.exp(x - x.max())
    return e / e.sum()


@softmax.mistake("You normalized over the columns, that is over the samples. Sum over the classes: axis 1.")
def normalizes_columns(x):
    e = np.exp(x - x.max(axis=0, keepdims=True))
    return e / e.sum(axis=0, keepdims=True)


@softmax.mistake(
    "You subtracted the largest score of the whole batch. A row far below it underflows to 0 / 0: use its own."
)
def shifts_by_the_batch(x):
    e = np.exp(x - x.max())
    return e / e.sum(axis=1, keepdims=True)


@softmax.mistake("You divided the scores by their sum. Softmax takes exp of the scores first.")
def forgets_exp(x):
    return x / x.sum(axis=1, keepdims=True)


@softmax.mistake("You did not divide by the row's sum: the probabilities of a row must add up to one.")
def forgets_to_normalize(x):
    return np.exp(x - x.max(axis=1, keepdims=True))


@softmax.keras_twin
def softmax_in_keras(keras, x):
    return keras.ops.softmax(x, axis=-1)


softmax_backward = chapter.exercise("softmax_backward", points=2, returns="dx")


@softmax_backward.cases
def softmax_backward_cases(draw):
    yield Case("one sample", dy=draw.array([[1.0, 0.0]]), y=draw.array([[0.25, 0.75]]))
    yield Case("a batch of 4 with 10 classes", dy=draw.normal(4, 10), y=draw.probabilities(4, 10))
    yield Case("more samples than classes", dy=draw.normal(7, 3), y=draw.probabilities(7, 3))
    yield Case("a certain network", dy=draw.normal(2, 3), y=draw.array([[1, 0, 0], [0, 0, 1]]), hidden=True)


@softmax_backward.mistake("You used only the diagonal y * (1 - y). Each output also depends on the row's other scores.")
def takes_the_diagonal(dy, y):
    return dy * y * (1 - y)


@softmax_backward.mistake("You summed dy * y over the whole batch. The sum belongs to one row.")
def sums_over_the_batch(dy, y):
    return y * (dy - np.sum(dy * y))


@softmax_backward.mistake("You subtracted the plain sum of dy. It must be weighted by y: sum of dy * y.")
def forgets_the_weights(dy, y):
    return y * (dy - dy.sum(axis=1, keepdims=True))


@softmax_backward.mistake("You forgot the factor y in front: dx = y * (dy - sum(dy * y)).")
def forgets_the_factor(dy, y):
    return dy - np.sum(dy * y, axis=1, keepdims=True)


@softmax_backward.mistake("You returned y - dy, which is the gradient of softmax and cross-entropy together.")
def fuses_crossentropy(dy, y):
    return y - dy


@softmax_backward.objective
def softmax_objective(dy, y):
    def weighted_outputs(x):
        e = np.exp(x - x.max(axis=1, keepdims=True))
        return np.sum(dy * e / e.sum(axis=1, keepdims=True))

    return weighted_outputs, {"dx": np.log(np.maximum(y, 1e-300))}


@softmax_backward.keras_twin
def softmax_gradient_in_keras(keras, dy, y):
    return keras.gradient(keras.ops.softmax, dy, np.log(np.maximum(y, 1e-30)))

"""Losses: cases, known mistakes and Keras twins."""

from __future__ import annotations

import numpy as np

from grader.exercise import Case, Chapter

chapter = Chapter("ch04_losses", "Losses")

SHAPES = ((5,), (4, 3), (2, 3, 5, 2))


def regression_cases(draw):
    """Targets and predictions of a regression, for every loss that looks at one element at a time."""
    yield Case("three predictions, one of them perfect", y_true=draw.array([1, 2, 3]), y_pred=draw.array([1, 4, 0]))
    for shape in SHAPES:
        yield Case(f"an array of shape {shape}", y_true=draw.normal(*shape), y_pred=draw.normal(*shape))
    yield Case(
        "whole numbers, many predictions equal to the target",
        y_true=draw.integers(-2, 3, 6, 7).astype(np.float32),
        y_pred=draw.integers(-2, 3, 6, 7).astype(np.float32),
    )
    yield Case("one sample", y_true=draw.normal(1, 3), y_pred=draw.normal(1, 3), hidden=True)
    yield Case("one element", y_true=draw.array([[0.5]]), y_pred=draw.array([[-3]]), hidden=True)
    yield Case("large errors", y_true=draw.uniform(5, 50, 11, 1), y_pred=draw.normal(11, 1, scale=900), hidden=True)


def binary_cases(draw):
    """Labels and probabilities of yes-no questions. The clip to [1e-7, 1 - 1e-7] shows at both ends.

    float32 cannot hold 1 - 1e-7: log(1 - p) at the upper end is -15.94 in float32 and -16.12 in float64. Both are
    right, so no case has t = 0 and p = 1; a nearly certain label is enough to see whether p was clipped there.
    """
    yield Case("three questions", y_true=draw.array([1, 0, 1]), y_pred=draw.array([0.9, 0.2, 0.6]))
    for shape in SHAPES:
        labels = draw.integers(0, 2, *shape).astype(np.float32)
        yield Case(f"an array of shape {shape}", y_true=labels, y_pred=draw.uniform(0.02, 0.98, *shape))
    yield Case("soft labels", y_true=draw.uniform(0, 1, 3, 4), y_pred=draw.uniform(0.02, 0.98, 3, 4))
    yield Case(
        "certain and right (p is 0 or 1): no 0 * log(0)",
        y_true=draw.array([[1, 0], [1, 0]]),
        y_pred=draw.array([[1, 0], [0.7, 0.4]]),
    )
    yield Case("certain and wrong", y_true=draw.array([1, 1, 0, 1]), y_pred=draw.array([0, 0.5, 0.25, 0.75]))
    yield Case(
        "a certain prediction of a nearly certain label",
        y_true=draw.array([0.9999, 0.25, 1]),
        y_pred=draw.array([1, 0.75, 0.125]),
        hidden=True,
    )
    yield Case(
        "a last layer without sigmoid: predictions below 0 and above 1",
        y_true=draw.array([1, 1, 0, 0]),
        y_pred=draw.array([-0.5, 1.5, -2, 0.3]),
        hidden=True,
    )
    yield Case(
        "just inside and just outside the clip",
        y_true=draw.array([1, 1, 0, 1, 0.5]),
        y_pred=draw.array([5e-8, 2e-7, 3e-8, 1 - 3e-7, 1e-7]),
        hidden=True,
    )
    yield Case("one question", y_true=draw.array([[0]]), y_pred=draw.array([[0.8]]), hidden=True)


# Rows of probabilities that end outside the clip, on its edge, and just inside; every row sums to one.
EDGES = ([1, 0, 0], [1, 0, 0], [2e-7, 0.25, 0.75], [5e-8, 0.25, 0.75], [0.5, 0.5, 1e-7], [0, 1, 0])
EDGE_LABELS = (0, 1, 0, 0, 2, 2)


def categorical_cases(draw):
    """One-hot rows and rows of probabilities that sum to one: Keras divides by that sum, our formula does not."""
    yield Case(
        "two samples",
        y_true=draw.array([[0, 1, 0], [1, 0, 0]]),
        y_pred=draw.array([[0.2, 0.7, 0.1], [0.5, 0.25, 0.25]]),
    )
    yield Case("a batch of 4 with 10 classes", y_true=draw.one_hot(4, 10), y_pred=draw.probabilities(4, 10))
    yield Case("more samples than classes", y_true=draw.one_hot(7, 3), y_pred=draw.probabilities(7, 3))
    yield Case("soft labels", y_true=draw.probabilities(5, 4), y_pred=draw.probabilities(5, 4))
    yield Case(
        "certain: one right, one wrong",
        y_true=draw.array([[0, 0, 1], [1, 0, 0], [0, 1, 0]]),
        y_pred=draw.array([[0, 0, 1], [0, 1, 0], [0.25, 0.625, 0.125]]),
    )
    yield Case("one sample", y_true=draw.one_hot(1, 5), y_pred=draw.probabilities(1, 5), hidden=True)
    yield Case(
        "inside and outside the clip",
        y_true=draw.array(np.eye(3)[list(EDGE_LABELS)]),
        y_pred=draw.array(EDGES),
        hidden=True,
    )


def sparse_cases(draw):
    """The same, with the number of the right class in place of its one-hot row."""
    yield Case(
        "two samples",
        y_true=np.array([1, 0]),
        y_pred=draw.array([[0.2, 0.7, 0.1], [0.5, 0.25, 0.25]]),
    )
    yield Case("a batch of 4 with 10 classes", y_true=draw.labels(4, 10), y_pred=draw.probabilities(4, 10))
    yield Case("more samples than classes", y_true=draw.labels(7, 3), y_pred=draw.probabilities(7, 3))
    yield Case(
        "certain: one right, one wrong",
        y_true=np.array([2, 0, 1]),
        y_pred=draw.array([[0, 0, 1], [0, 1, 0], [0.25, 0.625, 0.125]]),
    )
    yield Case("one sample", y_true=np.array([3]), y_pred=draw.probabilities(1, 5), hidden=True)
    yield Case("inside and outside the clip", y_true=np.array(EDGE_LABELS), y_pred=draw.array(EDGES), hidden=True)


def clip(p):
    """Probabilities whose logarithm is finite."""
    return np.clip(p, np.float32(1e-7), np.float32(1 - 1e-7))


def inside(p):
    """1 where the clip leaves p alone, so that a gradient passes; else 0."""
    return (clip(p) == p).astype(np.float32)


def one_hot(labels, like):
    """Rows of 0 and 1, in shape and dtype as `like`."""
    return np.eye(like.shape[1], dtype=like.dtype)[labels]


# --- mean squared error ---------------------------------------------------------------------------------------------

mse = chapter.exercise("mse", points=1, returns="loss")
mse.cases(regression_cases)


@mse.mistake("You returned the sum of the squares. A mean squared error divides by the number of elements.")
def sums_squares(y_true, y_pred):
    return np.sum((y_pred - y_true) ** 2)


@mse.mistake(
    "You summed over the outputs of a sample and divided by the batch only. Divide by every element: y_true.size."
)
def divides_squares_by_batch(y_true, y_pred):
    return np.sum((y_pred - y_true) ** 2) / len(y_true)


@mse.mistake("You halved the mean. Textbooks write 1/2 to cancel the 2 of the derivative; Keras's mse has no 1/2.")
def halves_the_squares(y_true, y_pred):
    return np.mean((y_pred - y_true) ** 2) / 2


@mse.mistake("You took the root at the end: that is the RMSE. The mean squared error stays squared.")
def takes_the_root(y_true, y_pred):
    return np.sqrt(np.mean((y_pred - y_true) ** 2))


@mse.mistake("You averaged absolute differences: that is the MAE. Square each difference instead.")
def averages_absolutes(y_true, y_pred):
    return np.mean(np.abs(y_pred - y_true))


@mse.mistake("You squared the mean of the differences, in which errors cancel. Square every difference, then average.")
def squares_the_mean(y_true, y_pred):
    return np.mean(y_pred - y_true) ** 2


@mse.mistake(
    "You averaged the differences without squaring them, so that errors cancel. Square every difference first."
)
def averages_signed_differences(y_true, y_pred):
    return np.mean(y_pred - y_true)


@mse.mistake("You subtracted squares: p² - t² is not (p - t)². Take the difference first, then square it.")
def subtracts_squares(y_true, y_pred):
    return np.mean(y_pred**2 - y_true**2)


@mse.keras_twin
def mse_in_keras(keras, y_true, y_pred):
    return keras.ops.mean(keras.losses.mean_squared_error(y_true, y_pred))


mse_backward = chapter.exercise("mse_backward", points=1, returns="gradient")
mse_backward.cases(regression_cases)


@mse_backward.mistake("You forgot the 1/N of the mean. The gradient is 2 * (p - t) / N, N the number of elements.")
def forgets_mean_of_squares(y_true, y_pred):
    return 2 * (y_pred - y_true)


@mse_backward.mistake("You divided by the batch only. The mean runs over every element: divide by y_pred.size.")
def divides_square_gradient_by_batch(y_true, y_pred):
    return 2 * (y_pred - y_true) / len(y_pred)


@mse_backward.mistake(
    "You lost the 2 of the square's derivative. Keras's mse has no 1/2 to cancel it: 2 * (p - t) / N."
)
def forgets_the_two(y_true, y_pred):
    return (y_pred - y_true) / y_pred.size


@mse_backward.mistake(
    "You returned p - t, without the 2 and without the 1/N. The gradient of the mean is 2 * (p - t) / N."
)
def returns_the_difference(y_true, y_pred):
    return y_pred - y_true


@mse_backward.mistake(
    "Your sign is turned: that is the gradient with respect to y_true. The one for y_pred is 2 * (p - t) / N."
)
def differentiates_squares_by_truth(y_true, y_pred):
    return 2 * (y_true - y_pred) / y_pred.size


@mse_backward.mistake(
    "You returned sign(p - t) / N, the gradient of the absolute error. The square's grows with the error."
)
def takes_sign_of_square(y_true, y_pred):
    return np.sign(y_pred - y_true) / y_pred.size


@mse_backward.mistake(
    "You returned each element's squared error. That is the loss before its sum: differentiate it, 2 * (p - t) / N."
)
def returns_the_squares(y_true, y_pred):
    return (y_pred - y_true) ** 2 / y_pred.size


@mse_backward.objective
def mse_objective(y_true, y_pred):
    return lambda y_pred: np.mean((y_pred - y_true) ** 2), {"gradient": y_pred}


@mse_backward.keras_twin
def mse_gradient_in_keras(keras, y_true, y_pred):
    return keras.gradient(lambda p: mse_in_keras(keras, y_true, p), None, y_pred)


# --- mean absolute error --------------------------------------------------------------------------------------------

mae = chapter.exercise("mae", points=1, returns="loss")
mae.cases(regression_cases)


@mae.mistake("You added the differences with their signs, so that errors cancel. Take the absolute value of each one.")
def forgets_the_absolute(y_true, y_pred):
    return np.mean(y_pred - y_true)


@mae.mistake(
    "You took the absolute value of the mean, when errors have cancelled already. Take it of every difference."
)
def takes_absolute_last(y_true, y_pred):
    return np.abs(np.mean(y_pred - y_true))


@mae.mistake("You returned the sum. A mean absolute error divides by the number of elements.")
def sums_absolutes(y_true, y_pred):
    return np.sum(np.abs(y_pred - y_true))


@mae.mistake("You divided by the batch only. The mean runs over every element: divide by y_true.size.")
def divides_absolutes_by_batch(y_true, y_pred):
    return np.sum(np.abs(y_pred - y_true)) / len(y_true)


@mae.mistake("You squared the differences: that is the MSE. Take their absolute values.")
def squares_instead(y_true, y_pred):
    return np.mean((y_pred - y_true) ** 2)


@mae.mistake("You took the median of the errors. The M of MAE is the mean.")
def takes_the_median(y_true, y_pred):
    return np.median(np.abs(y_pred - y_true))


@mae.mistake("You divided by the target: that is a percentage error (MAPE). The MAE stays in the units of the target.")
def divides_by_the_target(y_true, y_pred):
    return np.mean(np.abs(y_pred - y_true) / np.maximum(np.abs(y_true), np.float32(1e-7)))


@mae.keras_twin
def mae_in_keras(keras, y_true, y_pred):
    return keras.ops.mean(keras.losses.mean_absolute_error(y_true, y_pred))


mae_backward = chapter.exercise("mae_backward", points=1, returns="gradient")
mae_backward.cases(regression_cases)


@mae_backward.mistake("You forgot the 1/N of the mean. The gradient is sign(p - t) / N, N the number of elements.")
def forgets_mean_of_absolutes(y_true, y_pred):
    return np.sign(y_pred - y_true)


@mae_backward.mistake("You divided by the batch only. The mean runs over every element: divide by y_pred.size.")
def divides_sign_by_batch(y_true, y_pred):
    return np.sign(y_pred - y_true) / len(y_pred)


@mae_backward.mistake(
    "Your sign is turned: that is the gradient with respect to y_true. A prediction too high gets +1/N."
)
def differentiates_absolutes_by_truth(y_true, y_pred):
    return np.sign(y_true - y_pred) / y_pred.size


@mae_backward.mistake(
    "You gave a perfect prediction the slope +1. Where p equals t the gradient is 0, as Keras has it."
)
def pushes_ties_down(y_true, y_pred):
    return np.where(y_pred >= y_true, np.float32(1), np.float32(-1)) / y_pred.size


@mae_backward.mistake(
    "You gave a perfect prediction the slope -1. Where p equals t the gradient is 0, as Keras has it."
)
def pushes_ties_up(y_true, y_pred):
    return np.where(y_pred > y_true, np.float32(1), np.float32(-1)) / y_pred.size


@mae_backward.mistake(
    "You let the gradient grow with the error, as the square does. The slope of |x| is 1 or -1 everywhere."
)
def keeps_the_size(y_true, y_pred):
    return (y_pred - y_true) / y_pred.size


@mae_backward.mistake(
    "You returned the full gradient of the squared error. The absolute value has slope 1 or -1: sign(p - t) / N."
)
def uses_square_gradient(y_true, y_pred):
    return 2 * (y_pred - y_true) / y_pred.size


@mae_backward.mistake("You took 1/N on both sides of the target. Left of it |p - t| falls: the slope is -1/N there.")
def forgets_the_left_side(y_true, y_pred):
    return np.abs(np.sign(y_pred - y_true)) / y_pred.size


@mae_backward.objective
def mae_objective(y_true, y_pred):
    return lambda y_pred: np.mean(np.abs(y_pred - y_true)), {"gradient": y_pred}


@mae_backward.keras_twin
def mae_gradient_in_keras(keras, y_true, y_pred):
    return keras.gradient(lambda p: mae_in_keras(keras, y_true, p), None, y_pred)


# --- binary crossentropy --------------------------------------------------------------------------------------------

binary_crossentropy = chapter.exercise("binary_crossentropy", points=1, returns="loss")
binary_crossentropy.cases(binary_cases)


@binary_crossentropy.mistake("You took the logarithm of 0. Clip the probability to [1e-7, 1 - 1e-7] first.")
def takes_log_of_zero(y_true, y_pred):
    return -np.mean(y_true * np.log(y_pred) + (1 - y_true) * np.log(1 - y_pred))


@binary_crossentropy.mistake(
    "You clipped at 1e-15. In float32, 1 - 1e-15 is 1: clip to [1e-7, 1 - 1e-7], as Keras does."
)
def clips_too_narrowly(y_true, y_pred):
    p = np.clip(y_pred, np.float32(1e-15), np.float32(1 - 1e-15))
    return -np.mean(y_true * np.log(p) + (1 - y_true) * np.log(1 - p))


@binary_crossentropy.mistake("You forgot the minus sign. A logarithm of a probability is negative, a loss is not.")
def forgets_minus_of_binary(y_true, y_pred):
    return np.mean(y_true * np.log(clip(y_pred)) + (1 - y_true) * np.log(1 - clip(y_pred)))


@binary_crossentropy.mistake(
    "You left out the second half, (1 - t) * log(1 - p). Without it a wrong yes costs nothing."
)
def ignores_negatives(y_true, y_pred):
    return -np.mean(y_true * np.log(clip(y_pred)))


@binary_crossentropy.mistake(
    "You gave the labels' halves the wrong logarithms. t goes with log(p), 1 - t with log(1 - p)."
)
def exchanges_the_halves(y_true, y_pred):
    return -np.mean((1 - y_true) * np.log(clip(y_pred)) + y_true * np.log(1 - clip(y_pred)))


@binary_crossentropy.mistake(
    "You exchanged the arguments. The logarithm is taken of the prediction, weighted by the label."
)
def takes_log_of_the_label(y_true, y_pred):
    return -np.mean(y_pred * np.log(clip(y_true)) + (1 - y_pred) * np.log(1 - clip(y_true)))


@binary_crossentropy.mistake("You returned the sum. Divide by the number of elements.")
def sums_binary(y_true, y_pred):
    return -np.sum(y_true * np.log(clip(y_pred)) + (1 - y_true) * np.log(1 - clip(y_pred)))


@binary_crossentropy.mistake(
    "You summed over the outputs of a sample. Binary crossentropy is the mean over every element."
)
def divides_binary_by_batch(y_true, y_pred):
    return sums_binary(y_true, y_pred) / len(y_true)


@binary_crossentropy.mistake("You used log2 (bits). The loss uses the natural logarithm, np.log.")
def counts_binary_in_bits(y_true, y_pred):
    return -np.mean(y_true * np.log2(clip(y_pred)) + (1 - y_true) * np.log2(1 - clip(y_pred)))


@binary_crossentropy.mistake(
    "You applied a sigmoid to y_pred. It is a probability already; logits have a loss of their own."
)
def applies_sigmoid_first(y_true, y_pred):
    p = 1 / (1 + np.exp(-y_pred))
    return -np.mean(y_true * np.log(p) + (1 - y_true) * np.log(1 - p))


@binary_crossentropy.keras_twin
def binary_crossentropy_in_keras(keras, y_true, y_pred):
    return keras.ops.mean(keras.losses.binary_crossentropy(y_true, y_pred))


binary_crossentropy_backward = chapter.exercise("binary_crossentropy_backward", points=1, returns="gradient")
binary_crossentropy_backward.cases(binary_cases)


def slope_of_binary(y_true, p):
    """The derivative of one element's crossentropy with respect to its probability."""
    return (1 - y_true) / (1 - p) - y_true / p


@binary_crossentropy_backward.mistake("You forgot the 1/N of the mean: divide by the number of elements.")
def forgets_mean_of_binary(y_true, y_pred):
    return inside(y_pred) * slope_of_binary(y_true, clip(y_pred))


@binary_crossentropy_backward.mistake("You divided by the batch only. The mean runs over every element: y_pred.size.")
def divides_binary_gradient_by_batch(y_true, y_pred):
    return inside(y_pred) * slope_of_binary(y_true, clip(y_pred)) / len(y_pred)


@binary_crossentropy_backward.mistake("Your sign is turned. A yes (t = 1) pulls p up, so its gradient is negative.")
def turns_binary_gradient(y_true, y_pred):
    return -inside(y_pred) * slope_of_binary(y_true, clip(y_pred)) / y_pred.size


@binary_crossentropy_backward.mistake(
    "You returned (p - t) / N: the gradient with respect to the logit. For the probability divide by p * (1 - p)."
)
def differentiates_by_the_logit(y_true, y_pred):
    return inside(y_pred) * (y_pred - y_true) / y_pred.size


@binary_crossentropy_backward.mistake(
    "You left out the second half. The derivative of (1 - t) * log(1 - p) counts too."
)
def ignores_negatives_gradient(y_true, y_pred):
    return -inside(y_pred) * y_true / clip(y_pred) / y_pred.size


@binary_crossentropy_backward.mistake("The derivative of log(1 - p) is -1 / (1 - p): you lost its inner minus sign.")
def forgets_inner_minus(y_true, y_pred):
    p = clip(y_pred)
    return inside(y_pred) * (-y_true / p - (1 - y_true) / (1 - p)) / y_pred.size


@binary_crossentropy_backward.mistake(
    "You divided by p = 0 or 1 - p = 0. Outside [1e-7, 1 - 1e-7] the clip is flat: 0 there."
)
def divides_by_zero_probability(y_true, y_pred):
    return slope_of_binary(y_true, y_pred) / y_pred.size


@binary_crossentropy_backward.mistake(
    "You let a gradient through the clip. Outside [1e-7, 1 - 1e-7] the clip is flat: 0 there."
)
def passes_the_clip(y_true, y_pred):
    return slope_of_binary(y_true, clip(y_pred)) / y_pred.size


@binary_crossentropy_backward.mistake("You differentiated with respect to y_true. The gradient is asked for y_pred.")
def differentiates_binary_by_truth(y_true, y_pred):
    return (np.log(1 - clip(y_pred)) - np.log(clip(y_pred))) / y_pred.size


@binary_crossentropy_backward.objective
def binary_objective(y_true, y_pred):
    def loss(y_pred):
        p = np.clip(y_pred, 1e-7, 1 - 1e-7)
        return -np.mean(y_true * np.log(p) + (1 - y_true) * np.log(1 - p))

    return loss, {"gradient": y_pred}


@binary_crossentropy_backward.keras_twin
def binary_gradient_in_keras(keras, y_true, y_pred):
    return keras.gradient(lambda p: binary_crossentropy_in_keras(keras, y_true, p), None, y_pred)


# --- categorical crossentropy ---------------------------------------------------------------------------------------

categorical_crossentropy = chapter.exercise("categorical_crossentropy", points=1, returns="loss")
categorical_crossentropy.cases(categorical_cases)


@categorical_crossentropy.mistake(
    "You averaged over the classes too. Sum over the classes of a sample, average over samples."
)
def averages_over_classes(y_true, y_pred):
    return -np.mean(y_true * np.log(clip(y_pred)))


@categorical_crossentropy.mistake(
    "You divided by the number of classes. Divide by the number of samples, the first axis."
)
def divides_by_classes(y_true, y_pred):
    return -np.sum(y_true * np.log(clip(y_pred))) / y_true.shape[1]


@categorical_crossentropy.mistake("You returned the sum over the batch. Divide by the number of samples.")
def sums_categorical(y_true, y_pred):
    return -np.sum(y_true * np.log(clip(y_pred)))


@categorical_crossentropy.mistake("You forgot the minus sign. A logarithm of a probability is negative, a loss is not.")
def forgets_minus_of_categorical(y_true, y_pred):
    return np.sum(y_true * np.log(clip(y_pred))) / len(y_true)


@categorical_crossentropy.mistake("You took the logarithm of 0. Clip the probability to [1e-7, 1 - 1e-7] first.")
def takes_categorical_log_of_zero(y_true, y_pred):
    return -np.sum(y_true * np.log(y_pred)) / len(y_true)


@categorical_crossentropy.mistake("You used log2 (bits). The loss uses the natural logarithm, np.log.")
def counts_categorical_in_bits(y_true, y_pred):
    return -np.sum(y_true * np.log2(clip(y_pred))) / len(y_true)


@categorical_crossentropy.mistake(
    "You exchanged the arguments. The logarithm is taken of the prediction, weighted by the label."
)
def takes_log_of_the_one_hot(y_true, y_pred):
    return -np.sum(y_pred * np.log(clip(y_true))) / len(y_true)


@categorical_crossentropy.mistake(
    "You scored the class that the network prefers. The loss looks at the class that is right."
)
def scores_the_preferred_class(y_true, y_pred):
    return -np.mean(np.log(clip(y_pred.max(axis=1))))


@categorical_crossentropy.mistake(
    "You kept only the largest label of a row. Soft labels have several: sum t * log(p) over all."
)
def hardens_soft_labels(y_true, y_pred):
    return -np.sum(one_hot(y_true.argmax(axis=1), y_pred) * np.log(clip(y_pred))) / len(y_true)


@categorical_crossentropy.mistake(
    "You added (1 - t) * log(1 - p): that is the binary crossentropy. One choice among classes needs t * log(p) only."
)
def adds_the_binary_half(y_true, y_pred):
    p = clip(y_pred)
    return -np.sum(y_true * np.log(p) + (1 - y_true) * np.log(1 - p)) / len(y_true)


@categorical_crossentropy.mistake(
    "You applied a softmax to y_pred. It holds probabilities already: take their logarithm."
)
def applies_softmax_to_probabilities(y_true, y_pred):
    e = np.exp(y_pred)
    return -np.sum(y_true * np.log(e / e.sum(axis=1, keepdims=True))) / len(y_true)


@categorical_crossentropy.keras_twin
def categorical_crossentropy_in_keras(keras, y_true, y_pred):
    return keras.ops.mean(keras.losses.categorical_crossentropy(y_true, y_pred))


categorical_crossentropy_backward = chapter.exercise("categorical_crossentropy_backward", points=1, returns="gradient")
categorical_crossentropy_backward.cases(categorical_cases)


@categorical_crossentropy_backward.mistake("You forgot the 1/n of the mean: divide by the number of samples.")
def forgets_mean_of_categorical(y_true, y_pred):
    return -inside(y_pred) * y_true / clip(y_pred)


@categorical_crossentropy_backward.mistake(
    "You divided by every element. The loss is a mean over samples: divide by n only."
)
def divides_gradient_by_elements(y_true, y_pred):
    return -inside(y_pred) * y_true / clip(y_pred) / y_pred.size


@categorical_crossentropy_backward.mistake("Your sign is turned. More probability for the right class lowers the loss.")
def turns_categorical_gradient(y_true, y_pred):
    return inside(y_pred) * y_true / clip(y_pred) / len(y_pred)


@categorical_crossentropy_backward.mistake(
    "You returned (p - t) / n: the gradient with respect to the logits. For the probabilities it is -t / p / n."
)
def differentiates_by_the_logits(y_true, y_pred):
    return (y_pred - y_true) / len(y_pred)


@categorical_crossentropy_backward.mistake(
    "You forgot the labels. A class with t = 0 has no part in the loss: -t / p / n."
)
def forgets_the_labels(y_true, y_pred):
    return -inside(y_pred) / clip(y_pred) / len(y_pred)


@categorical_crossentropy_backward.mistake("You divided by p = 0. Outside [1e-7, 1 - 1e-7] the clip is flat: 0 there.")
def divides_by_zero_class(y_true, y_pred):
    return -y_true / y_pred / len(y_pred)


@categorical_crossentropy_backward.mistake(
    "You let a gradient through the clip. Outside [1e-7, 1 - 1e-7] it is flat: 0 there."
)
def passes_the_categorical_clip(y_true, y_pred):
    return -y_true / clip(y_pred) / len(y_pred)


@categorical_crossentropy_backward.mistake(
    "You used the binary loss's gradient. Here only t * log(p) is differentiated: -t / p / n."
)
def differentiates_the_binary_loss(y_true, y_pred):
    return inside(y_pred) * slope_of_binary(y_true, clip(y_pred)) / len(y_pred)


@categorical_crossentropy_backward.mistake(
    "You differentiated with respect to y_true. The gradient is asked for y_pred: -t / p / n."
)
def differentiates_categorical_by_truth(y_true, y_pred):
    return -np.log(clip(y_pred)) / len(y_pred)


@categorical_crossentropy_backward.objective
def categorical_objective(y_true, y_pred):
    def loss(y_pred):
        return -np.sum(y_true * np.log(np.clip(y_pred, 1e-7, 1 - 1e-7))) / len(y_pred)

    return loss, {"gradient": y_pred}


def plain_crossentropy(keras, y_true, y_pred):
    """The formula of the exercise in Keras's operations.

    keras.losses.categorical_crossentropy divides each row by its sum first. On rows that sum to one the loss is the
    same, but the gradient is not: that division's own derivative is subtracted from every element.
    """
    clipped = keras.ops.clip(y_pred, 1e-7, 1 - 1e-7)
    return -keras.ops.mean(keras.ops.sum(y_true * keras.ops.log(clipped), axis=-1))


@categorical_crossentropy_backward.keras_twin
def categorical_gradient_in_keras(keras, y_true, y_pred):
    return keras.gradient(lambda p: plain_crossentropy(keras, y_true, p), None, y_pred)


# --- sparse categorical crossentropy --------------------------------------------------------------------------------

sparse_categorical_crossentropy = chapter.exercise("sparse_categorical_crossentropy", points=1, returns="loss")
sparse_categorical_crossentropy.cases(sparse_cases)


def chosen(y_true, y_pred):
    """Every sample's probability of its right class."""
    return y_pred[np.arange(len(y_true)), y_true]


@sparse_categorical_crossentropy.mistake("You counted the classes from 1. Label 0 is the first column.")
def counts_from_one(y_true, y_pred):
    return -np.mean(np.log(clip(chosen(y_true - 1, y_pred))))


@sparse_categorical_crossentropy.mistake("You multiplied by the label. It is an index: look up y_pred[i, y_true[i]].")
def weighs_by_the_label(y_true, y_pred):
    return -np.mean(y_true.astype(np.float32) * np.log(clip(chosen(y_true, y_pred))))


@sparse_categorical_crossentropy.mistake(
    "You used the labels as if they were one-hot: each number times a whole row. They are indices."
)
def takes_labels_for_one_hot(y_true, y_pred):
    return -np.sum(y_true.astype(np.float32)[:, None] * np.log(clip(y_pred))) / len(y_true)


@sparse_categorical_crossentropy.mistake("You looked the labels up in the wrong row: sample i belongs to row i.")
def looks_in_the_first_row(y_true, y_pred):
    return -np.mean(np.log(clip(y_pred[0, y_true])))


@sparse_categorical_crossentropy.mistake("You returned the sum over the batch. Divide by the number of samples.")
def sums_sparse(y_true, y_pred):
    return -np.sum(np.log(clip(chosen(y_true, y_pred))))


@sparse_categorical_crossentropy.mistake(
    "You divided by the number of classes too. One sample gives one term: divide by n."
)
def divides_sparse_by_elements(y_true, y_pred):
    return -np.sum(np.log(clip(chosen(y_true, y_pred)))) / y_pred.size


@sparse_categorical_crossentropy.mistake(
    "You forgot the minus sign. A logarithm of a probability is negative, a loss is not."
)
def forgets_minus_of_sparse(y_true, y_pred):
    return np.mean(np.log(clip(chosen(y_true, y_pred))))


@sparse_categorical_crossentropy.mistake("You took the logarithm of 0. Clip the probability to [1e-7, 1 - 1e-7] first.")
def takes_sparse_log_of_zero(y_true, y_pred):
    return -np.mean(np.log(chosen(y_true, y_pred)))


@sparse_categorical_crossentropy.mistake("You used log2 (bits). The loss uses the natural logarithm, np.log.")
def counts_sparse_in_bits(y_true, y_pred):
    return -np.mean(np.log2(clip(chosen(y_true, y_pred))))


@sparse_categorical_crossentropy.mistake(
    "You scored the class that the network prefers. The loss looks at the class that is right."
)
def scores_the_winner(y_true, y_pred):
    return -np.mean(np.log(clip(y_pred.max(axis=1))))


@sparse_categorical_crossentropy.mistake(
    "You averaged the probabilities, then took the logarithm. Every sample has a logarithm of its own."
)
def takes_log_of_the_mean(y_true, y_pred):
    return -np.log(clip(np.mean(chosen(y_true, y_pred))))


@sparse_categorical_crossentropy.mistake(
    "You forgot the logarithm: 1 - p hardly punishes a certain error. The loss is -log(p)."
)
def forgets_the_logarithm(y_true, y_pred):
    return np.mean(1 - chosen(y_true, y_pred))


@sparse_categorical_crossentropy.keras_twin
def sparse_crossentropy_in_keras(keras, y_true, y_pred):
    return keras.ops.mean(keras.losses.sparse_categorical_crossentropy(y_true, y_pred))


sparse_categorical_crossentropy_backward = chapter.exercise(
    "sparse_categorical_crossentropy_backward", points=1, returns="gradient"
)
sparse_categorical_crossentropy_backward.cases(sparse_cases)


@sparse_categorical_crossentropy_backward.mistake("You forgot the 1/n of the mean: divide by the number of samples.")
def forgets_mean_of_sparse(y_true, y_pred):
    return -inside(y_pred) * one_hot(y_true, y_pred) / clip(y_pred)


@sparse_categorical_crossentropy_backward.mistake(
    "You divided by every element. The loss is a mean over samples: divide by n only."
)
def divides_sparse_gradient_by_elements(y_true, y_pred):
    return -inside(y_pred) * one_hot(y_true, y_pred) / clip(y_pred) / y_pred.size


@sparse_categorical_crossentropy_backward.mistake(
    "Your sign is turned. More probability for the right class lowers the loss."
)
def turns_sparse_gradient(y_true, y_pred):
    return inside(y_pred) * one_hot(y_true, y_pred) / clip(y_pred) / len(y_pred)


@sparse_categorical_crossentropy_backward.mistake(
    "You returned (p - one-hot) / n: the gradient with respect to the logits. For the probabilities it is -1 / p / n."
)
def differentiates_sparse_by_the_logits(y_true, y_pred):
    return (y_pred - one_hot(y_true, y_pred)) / len(y_pred)


@sparse_categorical_crossentropy_backward.mistake(
    "You filled the whole row. Only the right class has a part in the loss; the rest is 0."
)
def fills_the_row(y_true, y_pred):
    return -inside(y_pred) / clip(y_pred) / len(y_pred)


@sparse_categorical_crossentropy_backward.mistake("You counted the classes from 1. Label 0 is the first column.")
def counts_gradient_from_one(y_true, y_pred):
    return -inside(y_pred) * one_hot(y_true - 1, y_pred) / clip(y_pred) / len(y_pred)


@sparse_categorical_crossentropy_backward.mistake(
    "You multiplied by the label. It is an index: the right class gets -1 / p / n."
)
def weighs_gradient_by_the_label(y_true, y_pred):
    weights = one_hot(y_true, y_pred) * y_true.astype(np.float32)[:, None]
    return -inside(y_pred) * weights / clip(y_pred) / len(y_pred)


@sparse_categorical_crossentropy_backward.mistake(
    "You divided by p = 0. Outside [1e-7, 1 - 1e-7] the clip is flat: 0 there."
)
def divides_by_zero_choice(y_true, y_pred):
    gradient = np.zeros_like(y_pred)
    gradient[np.arange(len(y_true)), y_true] = -1 / chosen(y_true, y_pred) / len(y_true)
    return gradient


@sparse_categorical_crossentropy_backward.mistake(
    "You let a gradient through the clip. Outside [1e-7, 1 - 1e-7] it is flat: 0 there."
)
def passes_the_sparse_clip(y_true, y_pred):
    return -one_hot(y_true, y_pred) / clip(y_pred) / len(y_pred)


@sparse_categorical_crossentropy_backward.mistake(
    "You differentiated -p instead of -log(p). The derivative of the logarithm is 1 / p."
)
def forgets_the_reciprocal(y_true, y_pred):
    return -one_hot(y_true, y_pred) / len(y_pred)


@sparse_categorical_crossentropy_backward.objective
def sparse_objective(y_true, y_pred):
    def loss(y_pred):
        return -np.mean(np.log(np.clip(y_pred[np.arange(len(y_true)), y_true], 1e-7, 1 - 1e-7)))

    return loss, {"gradient": y_pred}


@sparse_categorical_crossentropy_backward.keras_twin
def sparse_gradient_in_keras(keras, y_true, y_pred):
    return categorical_gradient_in_keras(keras, one_hot(y_true, y_pred), y_pred)


# --- softmax and crossentropy, fused --------------------------------------------------------------------------------

softmax_crossentropy = chapter.exercise("softmax_crossentropy", points=2, returns=("loss", "dlogits"))


@softmax_crossentropy.cases
def softmax_crossentropy_cases(draw):
    yield Case("two samples", logits=draw.array([[1, 2, 3], [0, 0, 0]]), labels=np.array([2, 0]))
    yield Case("a batch of 4 with 10 classes", logits=draw.normal(4, 10, scale=2.0), labels=draw.labels(4, 10))
    yield Case("more samples than classes", logits=draw.normal(7, 3), labels=draw.labels(7, 3))
    yield Case(
        "scores around 1000: nothing may overflow",
        logits=draw.array([[1001, 1002, 1003], [-1001, -1000, -1002]]),
        labels=np.array([1, 2]),
    )
    yield Case(
        "certain and wrong: the loss is the distance of the scores",
        logits=draw.array([[200, 0, -100], [0.5, -1, 0.25]]),
        labels=np.array([2, 0]),
    )
    yield Case("all scores equal", logits=draw.array(np.full((3, 5), 4)), labels=np.array([4, 0, 2]), hidden=True)
    yield Case("a single class", logits=draw.normal(3, 1), labels=np.array([0, 0, 0]), hidden=True)
    yield Case("one sample", logits=draw.normal(1, 6), labels=np.array([4]), hidden=True)
    yield Case(
        "very different rows",
        logits=draw.array([[1e4, -1e4], [-3, 2], [0, 1e30]]),
        labels=np.array([0, 0, 1]),
        hidden=True,
    )


def softmax(logits):
    """Each row's probabilities."""
    e = np.exp(logits - logits.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def loss_of_scores(logits, labels):
    """Every sample's crossentropy, from its scores."""
    shifted = logits - logits.max(axis=1, keepdims=True)
    return np.log(np.exp(shifted).sum(axis=1)) - chosen(labels, shifted)


def gradient_of_scores(logits, labels):
    """Every sample's own gradient, not yet divided by the batch."""
    return softmax(logits) - one_hot(labels, logits)


@softmax_crossentropy.mistake(
    "exp overflowed. Subtract each row's largest score first; loss and gradient stay the same."
)
def forgets_the_shift(logits, labels):
    e = np.exp(logits)
    p = e / e.sum(axis=1, keepdims=True)
    return np.mean(np.log(e.sum(axis=1)) - chosen(labels, logits)), (p - one_hot(labels, logits)) / len(labels)


@softmax_crossentropy.mistake(
    "You shifted by the largest score of the whole batch. A row far below it underflows: use its own."
)
def shifts_by_the_batch(logits, labels):
    shifted = logits - logits.max()
    e = np.exp(shifted)
    total = e.sum(axis=1)
    return np.mean(np.log(total) - chosen(labels, shifted)), (e / total[:, None] - one_hot(labels, logits)) / len(
        labels
    )


@softmax_crossentropy.mistake(
    "You took the log of the finished softmax, which may be 0. Use log(sum of exp(z - m)) - (z_y - m)."
)
def takes_log_of_softmax(logits, labels):
    return -np.mean(np.log(chosen(labels, softmax(logits)))), gradient_of_scores(logits, labels) / len(labels)


@softmax_crossentropy.mistake(
    "You clipped the softmax before the log. From scores no clip is needed, and the loss may exceed 16."
)
def clips_the_softmax(logits, labels):
    return -np.mean(np.log(clip(chosen(labels, softmax(logits))))), gradient_of_scores(logits, labels) / len(labels)


@softmax_crossentropy.mistake(
    "You shifted the exponentials, but not the right class's score. Shift both, or add the maximum back."
)
def shifts_one_side(logits, labels):
    total = np.exp(logits - logits.max(axis=1, keepdims=True)).sum(axis=1)
    return np.mean(np.log(total) - chosen(labels, logits)), gradient_of_scores(logits, labels) / len(labels)


@softmax_crossentropy.mistake("Your gradient lacks the 1/n of the mean: divide dlogits by the number of samples.")
def forgets_mean_of_dlogits(logits, labels):
    return np.mean(loss_of_scores(logits, labels)), gradient_of_scores(logits, labels)


@softmax_crossentropy.mistake(
    "You summed over the batch, in the loss and in the gradient. Divide both by the number of samples."
)
def sums_the_batch(logits, labels):
    return np.sum(loss_of_scores(logits, labels)), gradient_of_scores(logits, labels)


@softmax_crossentropy.mistake(
    "Your loss is a sum over the batch, though dlogits belongs to the mean. Divide the loss by n as well."
)
def sums_the_loss_only(logits, labels):
    return np.sum(loss_of_scores(logits, labels)), gradient_of_scores(logits, labels) / len(labels)


@softmax_crossentropy.mistake(
    "You divided by every element. The loss is a mean over the samples: divide loss and dlogits by n only."
)
def divides_scores_by_elements(logits, labels):
    return np.sum(loss_of_scores(logits, labels)) / logits.size, gradient_of_scores(logits, labels) / logits.size


@softmax_crossentropy.mistake("You returned the probabilities as gradient. Subtract 1 at the right class of every row.")
def forgets_the_one(logits, labels):
    return np.mean(loss_of_scores(logits, labels)), softmax(logits) / len(labels)


@softmax_crossentropy.mistake(
    "The sign of dlogits is turned. It is (probability - one-hot) / n: the right class gets the minus."
)
def turns_dlogits(logits, labels):
    return np.mean(loss_of_scores(logits, labels)), -gradient_of_scores(logits, labels) / len(labels)


@softmax_crossentropy.mistake("You applied softmax twice. The logits go through it once.")
def applies_softmax_twice(logits, labels):
    p = softmax(logits)
    return np.mean(loss_of_scores(p, labels)), gradient_of_scores(p, labels) / len(labels)


@softmax_crossentropy.mistake(
    "Your dlogits stops at the probabilities: -1 / p. Carry it on through the softmax: (p - one-hot) / n."
)
def stops_at_the_probabilities(logits, labels):
    gradient = -one_hot(labels, logits) / clip(softmax(logits)) / len(labels)
    return np.mean(loss_of_scores(logits, labels)), gradient


@softmax_crossentropy.mistake(
    "You normalized over the batch axis. Softmax sums over the classes of one sample: axis 1."
)
def normalizes_columns(logits, labels):
    shifted = logits - logits.max(axis=0, keepdims=True)
    total = np.exp(shifted).sum(axis=0, keepdims=True)
    gradient = (np.exp(shifted) / total - one_hot(labels, logits)) / len(labels)
    return np.mean(chosen(labels, np.log(total) - shifted)), gradient


@softmax_crossentropy.mistake("You counted the classes from 1. Label 0 is the first column.")
def counts_scores_from_one(logits, labels):
    return np.mean(loss_of_scores(logits, labels - 1)), gradient_of_scores(logits, labels - 1) / len(labels)


@softmax_crossentropy.objective
def softmax_crossentropy_objective(logits, labels):
    return lambda logits: np.mean(loss_of_scores(logits, labels)), {"dlogits": logits}


@softmax_crossentropy.keras_twin
def softmax_crossentropy_in_keras(keras, logits, labels):
    def loss(logits):
        return keras.ops.mean(keras.losses.sparse_categorical_crossentropy(labels, logits, from_logits=True))

    return loss(logits), keras.gradient(loss, None, logits)


# --- sigmoid and binary crossentropy, fused -------------------------------------------------------------------------

sigmoid_crossentropy = chapter.exercise("sigmoid_crossentropy", points=2, returns=("loss", "dlogits"))


@sigmoid_crossentropy.cases
def sigmoid_crossentropy_cases(draw):
    yield Case("three questions", logits=draw.array([0, 2, -1]), targets=draw.array([1, 1, 0]))
    for shape in SHAPES:
        labels = draw.integers(0, 2, *shape).astype(np.float32)
        yield Case(f"an array of shape {shape}", logits=draw.normal(*shape, scale=2.0), targets=labels)
    yield Case("soft targets", logits=draw.normal(3, 4), targets=draw.uniform(0, 1, 3, 4))
    yield Case(
        "|z| = 100: nothing may overflow",
        logits=draw.array([[100, -100], [-100, 100], [-0.5, 3]]),
        targets=draw.array([[1, 0], [1, 0], [1, 0]]),
    )
    yield Case("certain and wrong", logits=draw.array([-40, 30, 0]), targets=draw.array([1, 0, 0]))
    yield Case("one question", logits=draw.array([[-1.5]]), targets=draw.array([[1]]), hidden=True)
    yield Case("far out", logits=draw.array([1e30, -1e30, 1e4]), targets=draw.array([1, 0, 0.5]), hidden=True)


def sigmoid(z):
    """The probability of yes, for any score."""
    e = np.exp(-np.abs(z))
    return np.where(z >= 0, 1 / (1 + e), e / (1 + e))


def loss_of_logits(logits, targets):
    """Every element's binary crossentropy, from its score."""
    return np.maximum(logits, 0) - logits * targets + np.log1p(np.exp(-np.abs(logits)))


def gradient_of_logits(logits, targets):
    """Every element's own gradient, not yet divided by their number."""
    return sigmoid(logits) - targets


@sigmoid_crossentropy.mistake("exp overflowed. Let it see -|z| only: max(z, 0) - z * t + log1p(exp(-|z|)).")
def overflows(logits, targets):
    e = np.exp(-logits)
    loss = np.mean(targets * np.log(1 + e) + (1 - targets) * (logits + np.log(1 + e)))
    return loss, (1 / (1 + e) - targets) / logits.size


@sigmoid_crossentropy.mistake(
    "You took the log of the finished sigmoid, which may be 0 or 1. Compute the loss from the logit."
)
def takes_log_of_sigmoid(logits, targets):
    p = sigmoid(logits)
    loss = -np.mean(targets * np.log(p) + (1 - targets) * np.log(1 - p))
    return loss, gradient_of_logits(logits, targets) / logits.size


@sigmoid_crossentropy.mistake(
    "You clipped the sigmoid before the log. From logits no clip is needed, and the loss may exceed 16."
)
def clips_the_sigmoid(logits, targets):
    p = clip(sigmoid(logits))
    loss = -np.mean(targets * np.log(p) + (1 - targets) * np.log(1 - p))
    return loss, gradient_of_logits(logits, targets) / logits.size


@sigmoid_crossentropy.mistake(
    "You wrote |z| where the formula has max(z, 0). A right and certain no must cost nothing."
)
def takes_the_absolute_logit(logits, targets):
    loss = np.mean(np.abs(logits) - logits * targets + np.log1p(np.exp(-np.abs(logits))))
    return loss, gradient_of_logits(logits, targets) / logits.size


@sigmoid_crossentropy.mistake("You left out - z * t: without it every answer is treated as a no.")
def ignores_the_targets_in_the_loss(logits, targets):
    loss = np.mean(loss_of_logits(logits, np.zeros_like(targets)))
    return loss, gradient_of_logits(logits, targets) / logits.size


@sigmoid_crossentropy.mistake("Your gradient lacks the 1/N of the mean: divide dlogits by the number of elements.")
def forgets_mean_of_sigmoid(logits, targets):
    return np.mean(loss_of_logits(logits, targets)), gradient_of_logits(logits, targets)


@sigmoid_crossentropy.mistake("You returned the sum and its gradient. Divide both by the number of elements.")
def sums_the_elements(logits, targets):
    return np.sum(loss_of_logits(logits, targets)), gradient_of_logits(logits, targets)


@sigmoid_crossentropy.mistake(
    "You divided by the batch only. The mean runs over every element, in loss and gradient: logits.size."
)
def divides_logits_by_batch(logits, targets):
    n = len(logits)
    return np.sum(loss_of_logits(logits, targets)) / n, gradient_of_logits(logits, targets) / n


@sigmoid_crossentropy.mistake(
    "Your loss is right, but dlogits is divided by the batch only. Divide by every element: logits.size."
)
def divides_dlogits_by_batch(logits, targets):
    return np.mean(loss_of_logits(logits, targets)), gradient_of_logits(logits, targets) / len(logits)


@sigmoid_crossentropy.mistake(
    "You multiplied by the sigmoid's derivative again. It has cancelled: (sigmoid(z) - t) / N is all."
)
def multiplies_by_the_derivative(logits, targets):
    p = sigmoid(logits)
    return np.mean(loss_of_logits(logits, targets)), (p - targets) * p * (1 - p) / logits.size


@sigmoid_crossentropy.mistake(
    "You subtracted the target from the logit. The gradient is the *probability* minus the target."
)
def forgets_the_sigmoid(logits, targets):
    return np.mean(loss_of_logits(logits, targets)), (logits - targets) / logits.size


@sigmoid_crossentropy.mistake("The sign of dlogits is turned. It is (sigmoid(z) - t) / N: a yes pulls the logit up.")
def turns_sigmoid_gradient(logits, targets):
    return np.mean(loss_of_logits(logits, targets)), -gradient_of_logits(logits, targets) / logits.size


@sigmoid_crossentropy.mistake("You applied the sigmoid twice. The logits go through it once.")
def applies_sigmoid_twice(logits, targets):
    p = sigmoid(logits)
    return np.mean(loss_of_logits(p, targets)), gradient_of_logits(p, targets) / logits.size


@sigmoid_crossentropy.objective
def sigmoid_crossentropy_objective(logits, targets):
    return lambda logits: np.mean(loss_of_logits(logits, targets)), {"dlogits": logits}


@sigmoid_crossentropy.keras_twin
def sigmoid_crossentropy_in_keras(keras, logits, targets):
    def loss(logits):
        return keras.ops.mean(keras.losses.binary_crossentropy(targets, logits, from_logits=True))

    return loss(logits), keras.gradient(loss, None, logits)


# --- the table of last layers ---------------------------------------------------------------------------------------

last_layer_for = chapter.exercise("last_layer_for", points=1, returns=("activation", "loss"), compiled=False)

LAST_LAYERS = {
    "binary classification": ("sigmoid", "binary_crossentropy"),
    "multiclass, single-label classification": ("softmax", "categorical_crossentropy"),
    "multiclass, multilabel classification": ("sigmoid", "binary_crossentropy"),
    "regression to arbitrary values": (None, "mse"),
    "regression to values between 0 and 1": ("sigmoid", "mse"),
}


def table_with(problem, **wrong):
    """The right answer but where `wrong` has another one, by the kind of problem."""
    kinds = dict(zip(("binary", "single", "multilabel", "arbitrary", "unit"), LAST_LAYERS, strict=True))
    return (LAST_LAYERS | {kinds[kind]: answer for kind, answer in wrong.items()})[problem]


@last_layer_for.cases
def last_layer_cases(draw):
    yield Case("spam or not", problem="binary classification")
    yield Case("one digit per image", problem="multiclass, single-label classification")
    yield Case("several topics per article", problem="multiclass, multilabel classification")
    yield Case("house prices", problem="regression to arbitrary values")
    yield Case("a share or a probability", problem="regression to values between 0 and 1", hidden=True)


@last_layer_for.mistake(
    "You gave the multilabel problem a softmax. Its labels do not exclude one another: one sigmoid each."
)
def lets_labels_compete(problem):
    return table_with(problem, multilabel=("softmax", "categorical_crossentropy"))


@last_layer_for.mistake(
    "You gave the multilabel problem a categorical loss. Every label is a yes-no question: binary_crossentropy."
)
def scores_labels_as_one_choice(problem):
    return table_with(problem, multilabel=("sigmoid", "categorical_crossentropy"))


@last_layer_for.mistake("You gave binary classification a softmax. One unit with a sigmoid says it all.")
def doubles_the_binary_unit(problem):
    return table_with(problem, binary=("softmax", "categorical_crossentropy"))


@last_layer_for.mistake("You gave the single choice one sigmoid per class. Its probabilities must sum to one: softmax.")
def asks_each_class_alone(problem):
    return table_with(problem, single=("sigmoid", "binary_crossentropy"))


@last_layer_for.mistake(
    "You put a ReLU on the last layer of a regression: it could never answer below 0. Use no activation: None."
)
def cuts_the_regression(problem):
    return table_with(problem, arbitrary=("relu", "mse"))


@last_layer_for.mistake("You squeezed arbitrary values through a sigmoid, which ends at 1. Use no activation: None.")
def squeezes_the_regression(problem):
    return table_with(problem, arbitrary=("sigmoid", "mse"))


@last_layer_for.mistake(
    "Keras calls it linear, but here no activation is None: the last layer's output is used as it is."
)
def names_the_identity(problem):
    return table_with(problem, arbitrary=("linear", "mse"))


@last_layer_for.mistake("You left values between 0 and 1 without an activation. A sigmoid keeps the answers inside.")
def leaves_the_interval(problem):
    return table_with(problem, unit=(None, "mse"))


@last_layer_for.mistake(
    "For values between 0 and 1 the lecture allows binary_crossentropy too, but here the answer is mse."
)
def takes_the_other_loss(problem):
    return table_with(problem, unit=("sigmoid", "binary_crossentropy"))


@last_layer_for.mistake(
    "You trained with the MAE. It is a good number to watch; the lecture's loss for regression is mse."
)
def trains_on_the_metric(problem):
    return table_with(problem, arbitrary=(None, "mae"), unit=("sigmoid", "mae"))


@last_layer_for.mistake("You returned (loss, activation). The activation comes first.")
def exchanges_the_pair(problem):
    return LAST_LAYERS[problem][::-1]

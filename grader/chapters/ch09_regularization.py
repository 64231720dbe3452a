"""Regularization: cases, known mistakes and Keras twins."""

from __future__ import annotations

import numpy as np

from grader.exercise import Case, Chapter

chapter = Chapter("ch09_regularization", "Regularization")


# --- penalties ------------------------------------------------------------------------------------------------------

TINY = ((1, -2), (0, 3))


def weights(draw, *shape):
    """Random weights, some of them zero as after L1."""
    w = draw.normal(*shape)
    w[draw.uniform(0, 1, *shape) < 0.2] = 0
    return w


def penalty_cases(draw, *strengths):
    """Weights of dense and convolutional layers, with a small, a usual and a large value of each named strength."""

    def strong(*values):
        return dict(zip(strengths, values, strict=False))

    yield Case("four weights, one of them zero", w=draw.array(TINY), **strong(0.1, 0.01))
    yield Case("a layer of 3 units", w=weights(draw, 5, 3), **strong(0.01, 0.02))
    yield Case("large weights, and a strength above one", w=draw.normal(4, 6, scale=30.0), **strong(2.5, 1.5))
    yield Case("no regularization", w=weights(draw, 3, 4), **strong(0.0, 0.0))
    yield Case("small weights", w=draw.normal(7, 2, scale=0.01), **strong(0.001, 0.5), hidden=True)
    yield Case("the kernels of a convolution", w=weights(draw, 3, 2, 4, 5), **strong(0.3, 0.004), hidden=True)
    yield Case("all weights negative", w=-draw.uniform(0.1, 2.0, 3, 5), **strong(0.7, 0.2), hidden=True)
    yield Case("zeros of both signs", w=draw.array([[0.0, -0.0, 0.5]]), **strong(0.2, 0.3), hidden=True)
    yield Case("no weights", w=draw.array(np.zeros((0, 3))), **strong(0.1, 0.1), hidden=True)


l1_penalty = chapter.exercise("l1_penalty", points=1, returns="penalty")


@l1_penalty.cases
def l1_penalty_cases(draw):
    yield from penalty_cases(draw, "l1")


@l1_penalty.mistake("You forgot the strength: multiply the sum of |w| by l1.")
def forgets_the_strength(w, l1):
    return np.float32(np.sum(np.abs(w)))


@l1_penalty.mistake("You added up the weights with their signs, so that they cancel. L1 adds up their sizes, |w|.")
def forgets_the_absolute_value(w, l1):
    return np.float32(l1 * np.sum(w))


@l1_penalty.mistake("You took |sum of w|. Each weight has a size of its own: the sum of |w|.")
def takes_the_size_of_the_sum(w, l1):
    return np.float32(l1 * np.abs(np.sum(w)))


@l1_penalty.mistake("You averaged over the weights. The penalty is a sum: more weights cost more.")
def averages_over_the_weights(w, l1):
    return np.float32(l1 * np.sum(np.abs(w)) / max(1, w.size))


@l1_penalty.mistake("You added up squares: that is the L2 penalty. L1 adds up |w|.")
def squares_in_l1(w, l1):
    return np.float32(l1 * np.sum(w * w))


@l1_penalty.mistake("You subtracted the penalty. It makes the loss larger: + l1 * sum of |w|.")
def rewards_the_weights(w, l1):
    return np.float32(-l1 * np.sum(np.abs(w)))


@l1_penalty.mistake("You took the largest |w|. Every weight pays: add them all up.")
def takes_the_largest(w, l1):
    return np.float32(l1 * np.max(np.abs(w), initial=0))


@l1_penalty.keras_twin
def l1_penalty_in_keras(keras, w, l1):
    return keras.module.regularizers.L1(l1)(w)


l1_gradient = chapter.exercise("l1_gradient", points=1, returns="dw")


@l1_gradient.cases
def l1_gradient_cases(draw):
    yield from penalty_cases(draw, "l1")


@l1_gradient.mistake("You took |w| for its own gradient. The slope of |w| is sign(w): the size does not matter.")
def takes_the_size(w, l1):
    return np.float32(l1) * np.abs(w)


@l1_gradient.mistake("You wrote w / |w|, which is 0 / 0 for a weight of zero. np.sign(w) is 0 there.")
def divides_by_the_size(w, l1):
    return np.float32(l1) * w / np.abs(w)


@l1_gradient.mistake("You forgot the strength: the gradient is l1 * sign(w).")
def forgets_the_strength_of_the_pull(w, l1):
    return np.sign(w)


@l1_gradient.mistake("You took 1 for the sign of 0. A weight that is zero is not pulled: sign(0) = 0.")
def pulls_zeros_down(w, l1):
    return np.float32(l1) * np.where(w >= 0, np.float32(1), np.float32(-1))


@l1_gradient.mistake("You took -1 for the sign of 0. A weight that is zero is not pulled: sign(0) = 0.")
def pulls_zeros_up(w, l1):
    return np.float32(l1) * np.where(w > 0, np.float32(1), np.float32(-1))


@l1_gradient.mistake("You left out the sign: l1 for every weight would push the negative ones away from zero.")
def pulls_all_the_same_way(w, l1):
    return np.full_like(w, l1)


@l1_gradient.mistake("You pulled the positive weights only, as in a ReLU. The slope of |w| is -1 where w < 0.")
def forgets_the_negative_side(w, l1):
    return np.float32(l1) * (w > 0).astype(np.float32)


@l1_gradient.mistake("You multiplied by w: that is L2's kind of pull. L1's is the same for all sizes, l1 * sign(w).")
def pulls_by_size(w, l1):
    return np.float32(l1) * w


@l1_gradient.mistake("You turned the sign. The gradient points uphill; it is the optimizer's step that subtracts it.")
def turns_the_sign(w, l1):
    return np.float32(-l1) * np.sign(w)


@l1_gradient.mistake("You divided by the number of weights. The penalty is a sum, so its gradient is l1 * sign(w).")
def averages_the_pull(w, l1):
    return np.float32(l1 / max(1, w.size)) * np.sign(w)


@l1_gradient.objective
def l1_objective(w, l1):
    return lambda w: l1 * np.sum(np.abs(w)), {"dw": w}


@l1_gradient.keras_twin
def l1_gradient_in_keras(keras, w, l1):
    return keras.gradient(keras.module.regularizers.L1(l1), None, w)


l2_penalty = chapter.exercise("l2_penalty", points=1, returns="penalty")


@l2_penalty.cases
def l2_penalty_cases(draw):
    yield from penalty_cases(draw, "l2")


@l2_penalty.mistake("You forgot the strength: multiply the sum of w² by l2.")
def forgets_the_strength_of_l2(w, l2):
    return np.float32(np.sum(w * w))


@l2_penalty.mistake("You halved the sum. Some books do, for a tidier gradient; Keras's penalty is l2 * sum of w².")
def halves_the_squares(w, l2):
    return np.float32(l2 / 2 * np.sum(w * w))


@l2_penalty.mistake("You took the root of the sum: that is the length of w. The penalty is the sum of the squares.")
def takes_the_length(w, l2):
    return np.float32(l2 * np.sqrt(np.sum(w * w)))


@l2_penalty.mistake("You averaged over the weights. The penalty is a sum: more weights cost more.")
def averages_the_squares(w, l2):
    return np.float32(l2 * np.sum(w * w) / max(1, w.size))


@l2_penalty.mistake("You squared the sum. Square every weight by itself, then add up.")
def squares_the_sum(w, l2):
    return np.float32(l2 * np.sum(w) ** 2)


@l2_penalty.mistake("You added up |w|: that is the L1 penalty. L2 adds up w².")
def takes_sizes_in_l2(w, l2):
    return np.float32(l2 * np.sum(np.abs(w)))


@l2_penalty.mistake("You squared the strength as well: l2 * w² is not (l2 * w)².")
def squares_the_strength(w, l2):
    return np.float32(np.sum((np.float32(l2) * w) ** 2))


@l2_penalty.mistake("You subtracted the penalty. It makes the loss larger: + l2 * sum of w².")
def rewards_the_squares(w, l2):
    return np.float32(-l2 * np.sum(w * w))


@l2_penalty.keras_twin
def l2_penalty_in_keras(keras, w, l2):
    return keras.module.regularizers.L2(l2)(w)


l2_gradient = chapter.exercise("l2_gradient", points=1, returns="dw")


@l2_gradient.cases
def l2_gradient_cases(draw):
    yield from penalty_cases(draw, "l2")


@l2_gradient.mistake("The factor 2 is missing. Keras's penalty is l2 * w², without a half: its slope is 2 * l2 * w.")
def forgets_the_two(w, l2):
    return np.float32(l2) * w


@l2_gradient.mistake("You forgot the strength: the gradient is 2 * l2 * w.")
def forgets_the_strength_of_the_spring(w, l2):
    return 2 * w


@l2_gradient.mistake("You took w² for its own gradient. The slope of w² is 2 * w, and it keeps the sign of w.")
def keeps_the_square(w, l2):
    return np.float32(l2) * w * w


@l2_gradient.mistake("You took |w|. The pull goes towards zero from both sides: 2 * l2 * w, with the sign of w.")
def loses_the_sign(w, l2):
    return np.float32(2 * l2) * np.abs(w)


@l2_gradient.mistake("You took the sign of w: that is L1's pull. L2's grows with the weight, 2 * l2 * w.")
def takes_the_sign_in_l2(w, l2):
    return np.float32(l2) * np.sign(w)


@l2_gradient.mistake(
    "You turned the sign. The gradient of the penalty points uphill; it is the optimizer's step that subtracts it."
)
def turns_the_sign_of_l2(w, l2):
    return np.float32(-2 * l2) * w


@l2_gradient.mistake("You divided by the number of weights. The penalty is a sum, so its gradient is 2 * l2 * w.")
def averages_the_spring(w, l2):
    return np.float32(2 * l2 / max(1, w.size)) * w


@l2_gradient.mistake("You returned the weights after the decay. The gradient alone is asked for: 2 * l2 * w.")
def decays_the_weights(w, l2):
    return w - np.float32(2 * l2) * w


@l2_gradient.objective
def l2_objective(w, l2):
    return lambda w: l2 * np.sum(w * w), {"dw": w}


@l2_gradient.keras_twin
def l2_gradient_in_keras(keras, w, l2):
    return keras.gradient(keras.module.regularizers.L2(l2), None, w)


def both_cases(draw):
    """The cases of one penalty, and those in which only one of the two is switched on."""
    yield from penalty_cases(draw, "l1", "l2")
    yield Case("L1 alone", w=weights(draw, 4, 3), l1=0.2, l2=0.0)
    yield Case("L2 alone", w=weights(draw, 4, 3), l1=0.0, l2=0.3)


l1_l2_penalty = chapter.exercise("l1_l2_penalty", points=1, returns="penalty", requires=("l1_penalty", "l2_penalty"))
l1_l2_penalty.cases(both_cases)


@l1_l2_penalty.mistake("You exchanged the strengths. l1 belongs to the sum of |w|, l2 to the sum of w².")
def exchanges_the_strengths(w, l1, l2):
    return np.float32(l2 * np.sum(np.abs(w)) + l1 * np.sum(w * w))


@l1_l2_penalty.mistake("You left out the L1 part. The penalty has two: l1 * sum of |w| and l2 * sum of w².")
def forgets_l1(w, l1, l2):
    return np.float32(l2 * np.sum(w * w))


@l1_l2_penalty.mistake("You left out the L2 part. The penalty has two: l1 * sum of |w| and l2 * sum of w².")
def forgets_l2(w, l1, l2):
    return np.float32(l1 * np.sum(np.abs(w)))


@l1_l2_penalty.mistake("You used l1 for both parts. The squares have a strength of their own, l2.")
def uses_one_strength(w, l1, l2):
    return np.float32(l1 * np.sum(np.abs(w)) + l1 * np.sum(w * w))


@l1_l2_penalty.mistake("You halved the L2 part, as the elastic net of statistics does. Keras's is l2 * sum of w².")
def halves_the_l2_part(w, l1, l2):
    return np.float32(l1 * np.sum(np.abs(w)) + l2 / 2 * np.sum(w * w))


@l1_l2_penalty.mistake("You averaged the two penalties. They are added: each has its own strength already.")
def averages_the_two(w, l1, l2):
    return np.float32((l1 * np.sum(np.abs(w)) + l2 * np.sum(w * w)) / 2)


@l1_l2_penalty.mistake("You multiplied the two penalties. They are added: with l2 = 0 the L1 part must remain.")
def multiplies_the_two(w, l1, l2):
    return np.float32(l1 * np.sum(np.abs(w)) * l2 * np.sum(w * w))


@l1_l2_penalty.keras_twin
def l1_l2_penalty_in_keras(keras, w, l1, l2):
    return keras.module.regularizers.L1L2(l1=l1, l2=l2)(w)


l1_l2_gradient = chapter.exercise("l1_l2_gradient", points=1, returns="dw", requires=("l1_gradient", "l2_gradient"))
l1_l2_gradient.cases(both_cases)


@l1_l2_gradient.mistake("You exchanged the strengths. The gradient is l1 * sign(w) + 2 * l2 * w.")
def exchanges_the_pulls(w, l1, l2):
    return np.float32(l2) * np.sign(w) + np.float32(2 * l1) * w


@l1_l2_gradient.mistake("The factor 2 of the L2 part is missing: the slope of l2 * w² is 2 * l2 * w.")
def forgets_the_two_of_l2(w, l1, l2):
    return np.float32(l1) * np.sign(w) + np.float32(l2) * w


@l1_l2_gradient.mistake("You doubled the L1 part as well. The 2 comes from the square: l1 * sign(w) + 2 * l2 * w.")
def doubles_both(w, l1, l2):
    return np.float32(2 * l1) * np.sign(w) + np.float32(2 * l2) * w


@l1_l2_gradient.mistake("You took |w| in the L1 part. The slope of |w| is sign(w): l1 * sign(w) + 2 * l2 * w.")
def takes_the_size_in_both(w, l1, l2):
    return np.float32(l1) * np.abs(w) + np.float32(2 * l2) * w


@l1_l2_gradient.mistake("You left out the L1 part. The gradient is l1 * sign(w) + 2 * l2 * w.")
def forgets_the_pull_of_l1(w, l1, l2):
    return np.float32(2 * l2) * w


@l1_l2_gradient.mistake("You left out the L2 part. The gradient is l1 * sign(w) + 2 * l2 * w.")
def forgets_the_pull_of_l2(w, l1, l2):
    return np.float32(l1) * np.sign(w)


@l1_l2_gradient.mistake("You took 1 for the sign of 0. A weight that is zero is not pulled: sign(0) = 0.")
def pulls_zeros_in_both(w, l1, l2):
    return np.float32(l1) * np.where(w >= 0, np.float32(1), np.float32(-1)) + np.float32(2 * l2) * w


@l1_l2_gradient.objective
def l1_l2_objective(w, l1, l2):
    return lambda w: l1 * np.sum(np.abs(w)) + l2 * np.sum(w * w), {"dw": w}


@l1_l2_gradient.keras_twin
def l1_l2_gradient_in_keras(keras, w, l1, l2):
    return keras.gradient(keras.module.regularizers.L1L2(l1=l1, l2=l2), None, w)


# --- max-norm -------------------------------------------------------------------------------------------------------

max_norm = chapter.exercise("max_norm", points=1, returns="w")


@max_norm.cases
def max_norm_cases(draw):
    yield Case("one long unit, one short", w=draw.array([[3, 0.3], [4, 0.4]]), limit=1.0)
    yield Case("some units are too long", w=draw.normal(6, 5), limit=2.4)
    yield Case("as many inputs as units", w=draw.normal(4, 4), limit=1.5)
    yield Case("a limit below one", w=draw.normal(3, 7), limit=0.5)
    yield Case("a unit of zeros", w=draw.array([[0, 6, -1], [0, -8, 1]]), limit=3.0)
    yield Case("no unit is too long", w=draw.uniform(-0.1, 0.1, 5, 3), limit=2.0, hidden=True)
    yield Case("a unit exactly at the limit", w=draw.array([[3, -5], [-4, 12]]), limit=5.0, hidden=True)
    yield Case("one input", w=draw.array([[-4, 2, 0.5]]), limit=1.0, hidden=True)


def column_lengths(w):
    return np.sqrt(np.sum(w * w, axis=0))


def shortened(w, lengths, limit):
    """w times limit / lengths where a length is above the limit."""
    return w * np.where(lengths > limit, np.float32(limit) / lengths, np.float32(1)).astype(np.float32)


@max_norm.mistake("You stretched the short units too. The limit is an upper one: leave shorter columns as they are.")
def stretches_the_short(w, limit):
    return w * (np.float32(limit) / (column_lengths(w) + np.float32(1e-7)))


@max_norm.mistake("You measured the rows. A unit is a column of w: its length runs over the inputs, axis 0.")
def measures_the_rows(w, limit):
    return shortened(w, np.sqrt(np.sum(w * w, axis=1, keepdims=True)), limit)


@max_norm.mistake("You measured the whole matrix. Every unit, that is every column, has its own length.")
def measures_the_matrix(w, limit):
    return shortened(w, np.sqrt(np.sum(w * w)), limit)


@max_norm.mistake("You cut off each weight by itself, which turns the unit's direction. Scale the whole column.")
def clips_every_weight(w, limit):
    return np.clip(w, np.float32(-limit), np.float32(limit))


@max_norm.mistake("You forgot the root: the length of a column is the square root of the sum of the squares.")
def forgets_the_root_of_the_length(w, limit):
    return shortened(w, np.sum(w * w, axis=0), limit)


@max_norm.mistake("You added up |w| for the length. The length of a column is sqrt(sum of w²).")
def adds_up_the_sizes(w, limit):
    return shortened(w, np.sum(np.abs(w), axis=0), limit)


@max_norm.mistake("You scaled the long units to length 1. They are cut back to the limit: w * limit / length.")
def scales_to_one(w, limit):
    lengths = column_lengths(w)
    return w * np.where(lengths > limit, 1 / lengths, 1).astype(np.float32)


@max_norm.keras_twin
def max_norm_in_keras(keras, w, limit):
    return keras.module.constraints.MaxNorm(limit, axis=0)(w)


# --- dropout --------------------------------------------------------------------------------------------------------


def kept(x, mask, factor):
    """x times the factor where the mask is true, else 0."""
    return np.where(mask, x * np.float32(factor), np.float32(0))


def scale_in_keras(keras, rate):
    """What Keras multiplies the kept values by while training, read off its own layer."""
    return keras.ops.max(keras.layers.Dropout(rate)(np.ones(4096, np.float32), training=True))


dropout_forward = chapter.exercise("dropout_forward", points=2, returns=("y", "mask"))


def dropped(draw, *shape, rate):
    return {"x": draw.normal(*shape), "rate": rate, "uniforms": draw.uniform(0, 1, *shape)}


@dropout_forward.cases
def dropout_forward_cases(draw):
    uniforms = draw.array([[0.1, 0.5, 0.7, 0.4]])
    yield Case("half of four values", x=draw.array([[1, 2, 3, 4]]), rate=0.5, uniforms=uniforms)
    yield Case("a rate of 0.2: most are kept", **dropped(draw, 6, 5, rate=0.2))
    yield Case("a rate of 0.5", **dropped(draw, 4, 7, rate=0.5))
    yield Case("a high rate: few are kept", **dropped(draw, 12, 9, rate=0.9))
    x = draw.normal(2, 5)
    uniforms = draw.array([[0.25, 0.0, 0.24, 0.75, 0.26], [0.74, 0.76, 0.25, 0.99, 0.1]])
    yield Case("random numbers that equal the rate", x=x, rate=0.25, uniforms=uniforms)
    yield Case("a rate of 0 keeps all", x=draw.normal(2, 3), rate=0.0, uniforms=draw.array([[0, 0.5, 0.9], [0, 0, 1]]))
    yield Case("the feature maps of a convolution", **dropped(draw, 2, 5, 3, 4, rate=0.3), hidden=True)
    yield Case("one sample in many is left", **dropped(draw, 40, 11, rate=0.98), hidden=True)
    yield Case("an empty batch", **dropped(draw, 0, 4, rate=0.4), hidden=True)


@dropout_forward.mistake(
    "You dropped values and left the kept ones as they were. That is the original paper's form (the lecture's too), "
    "which scales down at test time. Keras scales up by 1 / (1 - rate) while training and does nothing at test time."
)
def leaves_the_kept_unscaled(x, rate, uniforms):
    mask = uniforms >= np.float32(rate)
    return kept(x, mask, 1), mask


@dropout_forward.mistake(
    "You scaled the kept values down. Some are missing, so the rest has to make up for them: divide by 1 - rate."
)
def scales_down_while_training(x, rate, uniforms):
    mask = uniforms >= np.float32(rate)
    return kept(x, mask, 1 - rate), mask


@dropout_forward.mistake("You divided by the rate. Divide by the probability of being kept, 1 - rate.")
def divides_by_the_rate(x, rate, uniforms):
    mask = uniforms >= np.float32(rate)
    return kept(x, mask, np.divide(1.0, rate)), mask


@dropout_forward.mistake("You kept what should go. The rate is the share that is dropped: kept where uniforms >= rate.")
def keeps_what_should_go(x, rate, uniforms):
    mask = uniforms < np.float32(rate)
    return kept(x, mask, 1 / (1 - rate)), mask


@dropout_forward.mistake(
    "You kept where uniforms > 1 - rate: a share of `rate`. The share that is kept is 1 - rate, where uniforms >= rate."
)
def keeps_the_share_of_the_rate(x, rate, uniforms):
    mask = uniforms > np.float32(1 - rate)
    return kept(x, mask, 1 / (1 - rate)), mask


@dropout_forward.mistake(
    "You kept where uniforms < 1 - rate. That is as likely, but other elements: the rule is uniforms >= rate, as Keras."
)
def keeps_the_small_numbers(x, rate, uniforms):
    mask = uniforms < np.float32(1 - rate)
    return kept(x, mask, 1 / (1 - rate)), mask


@dropout_forward.mistake("You dropped where the random number equals the rate. Kept is uniforms >= rate, not >.")
def drops_at_the_rate(x, rate, uniforms):
    mask = uniforms > np.float32(rate)
    return kept(x, mask, 1 / (1 - rate)), mask


@dropout_forward.mistake("You dropped the same units for all samples. Every element has its own random number.")
def drops_the_same_for_all(x, rate, uniforms):
    mask = np.broadcast_to(uniforms[:1] >= np.float32(rate), x.shape) if len(x) else uniforms >= 0
    return kept(x, mask, 1 / (1 - rate)), mask


@dropout_forward.mistake("Your y is right, but your mask tells what was dropped. It is True where a value is kept.")
def masks_the_dropped(x, rate, uniforms):
    mask = uniforms >= np.float32(rate)
    return kept(x, mask, 1 / (1 - rate)), ~mask


@dropout_forward.mistake("You put the scale into the mask. It is a mask of bool: True where a value is kept.")
def scales_the_mask(x, rate, uniforms):
    mask = (uniforms >= np.float32(rate)) * np.float32(1 / (1 - rate))
    return x * mask, mask


@dropout_forward.mistake("You returned (mask, y). The order is y, mask.")
def returns_the_mask_first(x, rate, uniforms):
    mask = uniforms >= np.float32(rate)
    return mask, kept(x, mask, 1 / (1 - rate))


@dropout_forward.keras_twin
def dropout_in_keras(keras, x, rate, uniforms):
    mask = keras.ops.greater_equal(uniforms, rate)
    return keras.ops.where(mask, x * scale_in_keras(keras, rate), 0.0), mask


dropout_backward = chapter.exercise("dropout_backward", points=1, returns="dx")


def dropped_gradient(draw, *shape, rate):
    return {"dy": draw.normal(*shape), "mask": draw.uniform(0, 1, *shape) >= rate, "rate": rate}


@dropout_backward.cases
def dropout_backward_cases(draw):
    mask = np.array([[False, True, True, False]])
    yield Case("two of four values were kept", dy=draw.array([[1, 2, 3, 4]]), mask=mask, rate=0.5)
    yield Case("a rate of 0.2", **dropped_gradient(draw, 6, 5, rate=0.2))
    yield Case("a rate of 0.5", **dropped_gradient(draw, 4, 7, rate=0.5))
    yield Case("a high rate", **dropped_gradient(draw, 12, 9, rate=0.9))
    yield Case("a rate of 0: everything was kept", **dropped_gradient(draw, 3, 4, rate=0.0))
    mask = np.array([[True, True, True], [False, False, False]])
    yield Case("by chance one sample was dropped whole", dy=draw.normal(2, 3), mask=mask, rate=0.4)
    yield Case("the feature maps of a convolution", **dropped_gradient(draw, 2, 5, 3, 4, rate=0.3), hidden=True)
    yield Case("one sample in many is left", **dropped_gradient(draw, 40, 11, rate=0.98), hidden=True)
    yield Case("an empty batch", **dropped_gradient(draw, 0, 4, rate=0.4), hidden=True)


@dropout_backward.mistake(
    "You forgot the scale. Forwards the kept values were divided by 1 - rate: so is the gradient."
)
def forgets_to_rescale(dy, mask, rate):
    return kept(dy, mask, 1)


@dropout_backward.mistake("You scaled the gradient and forgot the mask. A unit that was dropped gets no gradient.")
def forgets_the_mask(dy, mask, rate):
    return dy / np.float32(1 - rate)


@dropout_backward.mistake("You passed dy on as it is. Dropout has a slope: 1 / (1 - rate) where kept, else 0.")
def passes_everything(dy, mask, rate):
    return dy.copy()


@dropout_backward.mistake("You multiplied by 1 - rate. The forward pass divides by it, and so does the backward pass.")
def scales_the_gradient_down(dy, mask, rate):
    return kept(dy, mask, 1 - rate)


@dropout_backward.mistake("You divided by the rate. Divide by the probability of being kept, 1 - rate.")
def divides_the_gradient_by_the_rate(dy, mask, rate):
    return kept(dy, mask, np.divide(1.0, rate))


@dropout_backward.mistake(
    "You let the gradient through where the unit was dropped. The mask is True where it was kept."
)
def inverts_the_mask(dy, mask, rate):
    return kept(dy, ~mask, 1 / (1 - rate))


@dropout_backward.mistake("You scaled twice: dy / (1 - rate)². Once forwards makes once backwards.")
def scales_twice(dy, mask, rate):
    return kept(dy, mask, 1 / (1 - rate) ** 2)


@dropout_backward.objective
def dropout_objective(dy, mask, rate):
    return lambda x: np.sum(dy * np.where(mask, x / (1 - rate), 0)), {"dx": np.zeros(dy.shape)}


@dropout_backward.keras_twin
def dropout_gradient_in_keras(keras, dy, mask, rate):
    scale = scale_in_keras(keras, rate)
    return keras.gradient(lambda x: keras.ops.where(mask, x * scale, 0.0), dy, np.zeros_like(dy))


dropout_scale_at_test = chapter.exercise("dropout_scale_at_test", points=1, returns="y")


@dropout_scale_at_test.cases
def dropout_scale_at_test_cases(draw):
    yield Case("a quarter was dropped", x=draw.array([[1, 2, 4]]), rate=0.25)
    yield Case("a rate of 0.5", x=draw.normal(4, 3), rate=0.5)
    yield Case("a low rate", x=draw.normal(3, 5), rate=0.1)
    yield Case("a high rate", x=draw.normal(5, 2), rate=0.9)
    yield Case("a rate of 0: nothing was dropped", x=draw.normal(2, 3), rate=0.0)
    yield Case("the feature maps of a convolution", x=draw.normal(2, 5, 3, 4), rate=0.3, hidden=True)
    yield Case("an empty batch", x=draw.array(np.zeros((0, 4))), rate=0.4, hidden=True)


@dropout_scale_at_test.mistake(
    'You multiplied by the rate, as "scaled down by the dropout rate" says. What is meant is the keep probability: an '
    "output was there with probability 1 - rate. Only for a rate of 0.5 are the two the same."
)
def scales_by_the_rate(x, rate):
    return x * np.float32(rate)


@dropout_scale_at_test.mistake(
    "You did nothing at test time. That is right in Keras, which scales up by 1 / (1 - rate) while training. Here the "
    "training was the original paper's, unscaled, so at test time multiply by 1 - rate."
)
def does_nothing_as_keras(x, rate):
    return x.copy()


@dropout_scale_at_test.mistake(
    "You divided by 1 - rate. That is what Keras does while training; the original paper's form scales down at test "
    "time: x * (1 - rate)."
)
def scales_up_at_test(x, rate):
    return x / np.float32(1 - rate)


@dropout_scale_at_test.mistake("You divided by the rate. Multiply by the probability of being kept, 1 - rate.")
def divides_by_the_rate_at_test(x, rate):
    return x / np.float32(rate)


@dropout_scale_at_test.mistake("You set a share of the outputs to zero. At test time all units are there: only scale.")
def drops_at_test(x, rate):
    dropped_share = x.copy().reshape(-1)
    dropped_share[: int(rate * x.size)] = 0
    return dropped_share.reshape(x.shape)


@dropout_scale_at_test.keras_twin
def dropout_at_test_undoes_the_scale_of_keras(keras, x, rate):
    return x / scale_in_keras(keras, rate)


# --- batch normalization --------------------------------------------------------------------------------------------


def moments(x):
    """Mean and biased variance of every feature."""
    mean = x.mean(axis=0)
    return mean, np.mean((x - mean) ** 2, axis=0)


def moved(moving, batch, momentum):
    """The moving average after one more batch."""
    return np.float32(momentum) * moving + np.float32(1 - momentum) * batch


def inverse_root(var, eps):
    return 1 / np.sqrt(var + np.float32(eps))


batchnorm_train = chapter.exercise(
    "batchnorm_train", points=3, returns=("y", "x_hat", "inv_std", "new_moving_mean", "new_moving_var")
)


def learned(draw, d):
    """Scales, offsets and moving averages of d features; none of them as they are at the start."""
    return {
        "gamma": draw.normal(d),
        "beta": draw.normal(d),
        "moving_mean": draw.normal(d),
        "moving_var": draw.uniform(0.5, 3.0, d),
    }


def far_from_zero(draw):
    """Features at 4096, -4096 and 0, whose means and variances are exact in float32 in whichever order one adds.

    A variance in one pass loses all of theirs: near 4096² = 2^24, float32 knows nothing below 1.
    """
    spread = np.array([-0.5, -0.5, -0.25, -0.25, 0.25, 0.25, 0.5, 0.5])
    columns = [4096 + spread[draw.order(8)], -4096 + spread[draw.order(8)], 2 * spread[draw.order(8)]]
    facts = {"gamma": draw.array([2, -0.5, 1.5]), "beta": draw.array([-1, 0.5, 3])}
    return {"x": draw.array(np.transpose(columns)), **facts}


@batchnorm_train.cases
def batchnorm_train_cases(draw):
    gamma, beta, zeros, ones = draw.array([2, 1]), draw.array([0, 5]), draw.array([0, 0]), draw.array([1, 1])
    yield Case(
        "two samples, two features",
        x=draw.array([[1, 10], [3, 30]]),
        gamma=gamma,
        beta=beta,
        moving_mean=zeros,
        moving_var=ones,
        momentum=0.9,
        eps=0.0,
    )
    yield Case("a batch of 5", x=draw.normal(5, 3, scale=2.0) + 1, **learned(draw, 3), momentum=0.99, eps=1e-3)
    yield Case("as many samples as features", x=draw.normal(4, 4) - 2, **learned(draw, 4), momentum=0.9, eps=1e-3)
    yield Case("a large eps", x=draw.normal(6, 2), **learned(draw, 2), momentum=0.5, eps=0.5)
    yield Case("one sample: no variance at all", x=draw.normal(1, 4), **learned(draw, 4), momentum=0.8, eps=1e-3)
    x = draw.normal(5, 3)
    x[:, 1] = 0.5
    yield Case("a feature that is the same in all samples", x=x, **learned(draw, 3), momentum=0.7, eps=1e-5)
    facts = {"moving_mean": draw.array([4000, -4100, 1]), "moving_var": draw.array([1, 0.5, 2])}
    yield Case("a large mean, a small variance", **far_from_zero(draw), **facts, momentum=0.75, eps=0.09375)
    yield Case("nothing of the old averages stays", x=draw.normal(7, 2), **learned(draw, 2), momentum=0.0, eps=1e-3)
    yield Case("one feature", x=draw.normal(9, 1), **learned(draw, 1), momentum=0.9, eps=1e-2, hidden=True)
    yield Case("the old averages stay", x=draw.normal(4, 3), **learned(draw, 3), momentum=1.0, eps=1e-3, hidden=True)
    yield Case(
        "small numbers", x=draw.normal(6, 5, scale=0.01), **learned(draw, 5), momentum=0.95, eps=1e-3, hidden=True
    )
    yield Case("65 features", x=draw.normal(129, 65), **learned(draw, 65), momentum=0.9, eps=1e-3, large=True)


def trained(x, facts, momentum, eps, mean=None, var=None, inv_std=None):
    """What batchnorm_train returns, with another mean, variance or root where one is given."""
    gamma, beta, moving_mean, moving_var = facts
    mean = moments(x)[0] if mean is None else mean
    var = moments(x)[1] if var is None else var
    inv_std = inverse_root(var, eps) if inv_std is None else inv_std
    x_hat = (x - mean) * inv_std
    new_mean, new_var = moved(moving_mean, mean, momentum), moved(moving_var, var, momentum)
    return gamma * x_hat + beta, x_hat, inv_std, new_mean, new_var


@batchnorm_train.mistake(
    "You divided the variance by n - 1. Keras uses the biased one, divided by n, for the batch and for the average."
)
def takes_the_unbiased_variance(x, gamma, beta, moving_mean, moving_var, momentum, eps):
    var = moments(x)[1] * np.float32(len(x)) / np.float32(len(x) - 1)
    return trained(x, (gamma, beta, moving_mean, moving_var), momentum, eps, var=var)


@batchnorm_train.mistake(
    "You fed the unbiased variance, divided by n - 1, to the moving average. PyTorch does so; Keras divides by n."
)
def moves_the_unbiased_variance(x, gamma, beta, moving_mean, moving_var, momentum, eps):
    answer = trained(x, (gamma, beta, moving_mean, moving_var), momentum, eps)
    var = moments(x)[1] * np.float32(len(x)) / np.float32(len(x) - 1)
    return (*answer[:4], moved(moving_var, var, momentum))


@batchnorm_train.mistake(
    "You exchanged momentum and 1 - momentum. In Keras momentum is what stays: momentum * old + (1 - momentum) * batch."
)
def exchanges_the_momentum(x, gamma, beta, moving_mean, moving_var, momentum, eps):
    return trained(x, (gamma, beta, moving_mean, moving_var), 1 - momentum, eps)


@batchnorm_train.mistake("You returned the moving averages as they came. Move them towards this batch's statistics.")
def forgets_to_move(x, gamma, beta, moving_mean, moving_var, momentum, eps):
    return trained(x, (gamma, beta, moving_mean, moving_var), 1.0, eps)


@batchnorm_train.mistake(
    "You returned the batch's statistics. Moving averages remember: momentum * old + (1 - momentum) * batch."
)
def forgets_the_old_averages(x, gamma, beta, moving_mean, moving_var, momentum, eps):
    return trained(x, (gamma, beta, moving_mean, moving_var), 0.0, eps)


@batchnorm_train.mistake(
    "You normalized by the moving averages. They are for inference; while training the batch's own statistics count."
)
def normalizes_by_the_moving_averages(x, gamma, beta, moving_mean, moving_var, momentum, eps):
    answer = trained(x, (gamma, beta, moving_mean, moving_var), momentum, eps)
    inv_std = inverse_root(moving_var, eps)
    x_hat = (x - moving_mean) * inv_std
    return gamma * x_hat + beta, x_hat, inv_std, *answer[3:]


@batchnorm_train.mistake(
    "You moved the averages and normalized by them. While training the batch's own statistics count."
)
def normalizes_by_the_new_averages(x, gamma, beta, moving_mean, moving_var, momentum, eps):
    new_mean, new_var = trained(x, (gamma, beta, moving_mean, moving_var), momentum, eps)[3:]
    inv_std = inverse_root(new_var, eps)
    x_hat = (x - new_mean) * inv_std
    return gamma * x_hat + beta, x_hat, inv_std, new_mean, new_var


@batchnorm_train.mistake(
    "You returned the moving averages before x_hat and inv_std. The order is y, x_hat, inv_std, new_moving_mean, "
    "new_moving_var."
)
def returns_the_averages_first(x, gamma, beta, moving_mean, moving_var, momentum, eps):
    y, x_hat, inv_std, *averages = trained(x, (gamma, beta, moving_mean, moving_var), momentum, eps)
    return y, *averages, x_hat, inv_std


@batchnorm_train.mistake("You returned x_hat as y. The layer's output is gamma * x_hat + beta.")
def forgets_gamma_and_beta(x, gamma, beta, moving_mean, moving_var, momentum, eps):
    answer = trained(x, (gamma, beta, moving_mean, moving_var), momentum, eps)
    return answer[1], *answer[1:]


@batchnorm_train.mistake("You exchanged gamma and beta. gamma scales, beta shifts: gamma * x_hat + beta.")
def exchanges_gamma_and_beta(x, gamma, beta, moving_mean, moving_var, momentum, eps):
    return trained(x, (beta, gamma, moving_mean, moving_var), momentum, eps)


@batchnorm_train.mistake("You added eps outside the root. It belongs inside: 1 / sqrt(var + eps).")
def adds_eps_outside(x, gamma, beta, moving_mean, moving_var, momentum, eps):
    inv_std = 1 / (np.sqrt(moments(x)[1]) + np.float32(eps))
    return trained(x, (gamma, beta, moving_mean, moving_var), momentum, eps, inv_std=inv_std)


@batchnorm_train.mistake("You left out eps. A feature that does not vary is then divided by zero: sqrt(var + eps).")
def forgets_eps(x, gamma, beta, moving_mean, moving_var, momentum, eps):
    return trained(x, (gamma, beta, moving_mean, moving_var), momentum, 0.0)


@batchnorm_train.mistake("You put eps into the moving variance too. It only guards the root: average var itself.")
def moves_eps_too(x, gamma, beta, moving_mean, moving_var, momentum, eps):
    var = moments(x)[1] + np.float32(eps)
    return trained(x, (gamma, beta, moving_mean, moving_var), momentum, 0.0, var=var)


@batchnorm_train.mistake("You divided by the variance. Divide by its root, the standard deviation: sqrt(var + eps).")
def forgets_the_root_of_the_variance(x, gamma, beta, moving_mean, moving_var, momentum, eps):
    inv_std = 1 / (moments(x)[1] + np.float32(eps))
    return trained(x, (gamma, beta, moving_mean, moving_var), momentum, eps, inv_std=inv_std)


@batchnorm_train.mistake("Your inv_std is the standard deviation. Asked for is one divided by it: 1 / sqrt(var + eps).")
def returns_the_deviation(x, gamma, beta, moving_mean, moving_var, momentum, eps):
    answer = trained(x, (gamma, beta, moving_mean, moving_var), momentum, eps)
    return *answer[:2], 1 / answer[2], *answer[3:]


@batchnorm_train.mistake("You averaged the standard deviation. The moving average is one of the variance: no root.")
def moves_the_deviation(x, gamma, beta, moving_mean, moving_var, momentum, eps):
    answer = trained(x, (gamma, beta, moving_mean, moving_var), momentum, eps)
    return *answer[:4], moved(moving_var, np.sqrt(moments(x)[1]), momentum)


@batchnorm_train.mistake(
    "You took the statistics of each sample: that is layer normalization. Batch normalization takes those of each "
    "feature, over the samples: axis 0."
)
def normalizes_each_sample(x, gamma, beta, moving_mean, moving_var, momentum, eps):
    mean = x.mean(axis=1, keepdims=True)
    var = np.mean((x - mean) ** 2, axis=1, keepdims=True)
    return trained(x, (gamma, beta, moving_mean, moving_var), momentum, eps, mean=mean, var=var)


@batchnorm_train.mistake("You took one mean and one variance over everything. Every feature has its own: axis 0.")
def normalizes_everything(x, gamma, beta, moving_mean, moving_var, momentum, eps):
    mean = np.full_like(gamma, x.mean())
    var = np.full_like(gamma, np.mean((x - x.mean()) ** 2))
    return trained(x, (gamma, beta, moving_mean, moving_var), momentum, eps, mean=mean, var=var)


@batchnorm_train.mistake(
    "Your variance is mean(x²) - mean(x)². In float32 a large mean swallows it: subtract the mean first, then average "
    "the squares."
)
def takes_the_variance_in_one_pass(x, gamma, beta, moving_mean, moving_var, momentum, eps):
    var = np.mean(x * x, axis=0) - moments(x)[0] ** 2
    return trained(x, (gamma, beta, moving_mean, moving_var), momentum, eps, var=var)


@batchnorm_train.mistake("You forgot to subtract the mean: x_hat = (x - mean) / sqrt(var + eps).")
def forgets_to_centre(x, gamma, beta, moving_mean, moving_var, momentum, eps):
    answer = trained(x, (gamma, beta, moving_mean, moving_var), momentum, eps)
    x_hat = x * answer[2]
    return gamma * x_hat + beta, x_hat, *answer[2:]


@batchnorm_train.keras_twin
def batchnorm_train_in_keras(keras, x, gamma, beta, moving_mean, moving_var, momentum, eps):
    layer = keras.layers.BatchNormalization(momentum=momentum, epsilon=eps)
    layer.build(x.shape)
    layer.set_weights([gamma, beta, moving_mean, moving_var])
    y = layer(x, training=True)
    # Without scale and offset the layer gives x_hat. Its moving variance, with a momentum of 0, is that of the batch:
    # at test time, with a mean of 0, the layer is then nothing but the factor inv_std.
    plain = keras.layers.BatchNormalization(momentum=0.0, epsilon=eps, scale=False, center=False)
    x_hat = plain(x, training=True)
    plain.moving_mean.assign(np.zeros_like(moving_mean))
    inv_std = plain(np.ones((1, x.shape[1]), np.float32), training=False)[0]
    return y, x_hat, inv_std, layer.moving_mean, layer.moving_variance


batchnorm_inference = chapter.exercise("batchnorm_inference", points=1, returns="y")


@batchnorm_inference.cases
def batchnorm_inference_cases(draw):
    yield Case(
        "one sample, two features",
        x=draw.array([[4, 10]]),
        gamma=draw.array([2, 1]),
        beta=draw.array([0, 5]),
        moving_mean=draw.array([2, 20]),
        moving_var=draw.array([4, 100]),
        eps=0.0,
    )
    yield Case("a batch of 5", x=draw.normal(5, 3, scale=2.0) + 1, **learned(draw, 3), eps=1e-3)
    yield Case("as many samples as features", x=draw.normal(4, 4) - 2, **learned(draw, 4), eps=1e-3)
    yield Case("a large eps", x=draw.normal(6, 2), **learned(draw, 2), eps=0.5)
    yield Case(
        "small variances",
        x=draw.normal(3, 5),
        **{**learned(draw, 5), "moving_var": draw.uniform(0.01, 0.1, 5)},
        eps=1e-2,
    )
    facts = {**learned(draw, 3), "moving_var": draw.array([0.5, 0, 2])}
    yield Case("a feature that never varied", x=draw.normal(4, 3), **facts, eps=1e-3)
    yield Case("one feature", x=draw.normal(7, 1), **learned(draw, 1), eps=1e-5, hidden=True)
    yield Case("an empty batch", x=draw.normal(0, 3), **learned(draw, 3), eps=1e-3, hidden=True)


@batchnorm_inference.mistake(
    "You normalized by the batch's own mean and variance. At test time an answer must not depend on the other samples: "
    "use moving_mean and moving_var."
)
def normalizes_by_the_batch(x, gamma, beta, moving_mean, moving_var, eps):
    mean, var = moments(x)
    return gamma * (x - mean) * inverse_root(var, eps) + beta


@batchnorm_inference.mistake("You used the batch's own mean. At test time both statistics are the remembered ones.")
def centres_by_the_batch(x, gamma, beta, moving_mean, moving_var, eps):
    return gamma * (x - x.mean(axis=0)) * inverse_root(moving_var, eps) + beta


@batchnorm_inference.mistake("You added eps outside the root. It belongs inside: sqrt(moving_var + eps).")
def adds_eps_outside_at_test(x, gamma, beta, moving_mean, moving_var, eps):
    return gamma * (x - moving_mean) / (np.sqrt(moving_var) + np.float32(eps)) + beta


@batchnorm_inference.mistake("You left out eps. Training had it in the root, so inference needs it too.")
def forgets_eps_at_test(x, gamma, beta, moving_mean, moving_var, eps):
    return gamma * (x - moving_mean) / np.sqrt(moving_var) + beta


@batchnorm_inference.mistake("You divided by the variance. moving_var needs its root: sqrt(moving_var + eps).")
def forgets_the_root_at_test(x, gamma, beta, moving_mean, moving_var, eps):
    return gamma * (x - moving_mean) / (moving_var + np.float32(eps)) + beta


@batchnorm_inference.mistake("You stopped at the normalized value. The layer's output is gamma times it, plus beta.")
def forgets_gamma_and_beta_at_test(x, gamma, beta, moving_mean, moving_var, eps):
    return (x - moving_mean) * inverse_root(moving_var, eps)


@batchnorm_inference.mistake("You exchanged gamma and beta. gamma scales, beta shifts.")
def exchanges_gamma_and_beta_at_test(x, gamma, beta, moving_mean, moving_var, eps):
    return beta * (x - moving_mean) * inverse_root(moving_var, eps) + gamma


@batchnorm_inference.mistake("You scaled beta as well. It is added last: gamma * normalized + beta.")
def scales_beta(x, gamma, beta, moving_mean, moving_var, eps):
    return gamma * ((x - moving_mean) * inverse_root(moving_var, eps) + beta)


@batchnorm_inference.mistake("You forgot to subtract the moving mean.")
def forgets_the_moving_mean(x, gamma, beta, moving_mean, moving_var, eps):
    return gamma * x * inverse_root(moving_var, eps) + beta


@batchnorm_inference.mistake("You did nothing at test time: that is dropout. This layer always normalizes.")
def passes_x_through(x, gamma, beta, moving_mean, moving_var, eps):
    return x.copy()


@batchnorm_inference.keras_twin
def batchnorm_inference_in_keras(keras, x, gamma, beta, moving_mean, moving_var, eps):
    layer = keras.layers.BatchNormalization(epsilon=eps)
    layer.build(x.shape)
    layer.set_weights([gamma, beta, moving_mean, moving_var])
    return layer(x, training=False)


batchnorm_backward = chapter.exercise("batchnorm_backward", points=3, returns=("dx", "dgamma", "dbeta"))


def normalized_gradient(draw, x, eps):
    """An upstream gradient, and what the forward pass of x leaves behind."""
    x = x.astype(np.float64)
    inv_std = 1 / np.sqrt(x.var(axis=0) + eps)
    x_hat = draw.array((x - x.mean(axis=0)) * inv_std)
    return {
        "dy": draw.normal(*x.shape),
        "x_hat": x_hat,
        "inv_std": draw.array(inv_std),
        "gamma": draw.normal(x.shape[1]),
    }


@batchnorm_backward.cases
def batchnorm_backward_cases(draw):
    yield Case(
        "four samples of one feature",
        dy=draw.array([[4], [0], [0], [0]]),
        x_hat=draw.array([[-1], [-1], [1], [1]]),
        inv_std=draw.array([1]),
        gamma=draw.array([2]),
    )
    yield Case("a batch of 5", **normalized_gradient(draw, draw.normal(5, 3, scale=2.0), 1e-3))
    yield Case("as many samples as features", **normalized_gradient(draw, draw.normal(4, 4), 1e-3))
    yield Case("a large eps", **normalized_gradient(draw, draw.normal(6, 2), 0.5))
    yield Case("one sample: nothing that x does is seen", **normalized_gradient(draw, draw.normal(1, 4), 1e-3))
    x = draw.normal(5, 3)
    x[:, 1] = 0.5
    yield Case("a feature that is the same in all samples", **normalized_gradient(draw, x, 1e-2))
    yield Case(
        "an upstream gradient that is the same for all samples",
        dy=draw.array([[1, -3], [1, -3], [1, -3], [1, -3]]),
        x_hat=draw.array([[-1, 1], [1, -1], [1, 1], [-1, -1]]),
        inv_std=draw.array([2, 0.5]),
        gamma=draw.normal(2),
    )
    yield Case("small numbers", **normalized_gradient(draw, draw.normal(6, 5, scale=0.05), 1e-3), hidden=True)
    yield Case("more features than samples", **normalized_gradient(draw, draw.normal(3, 8), 1e-2), hidden=True)
    yield Case("65 features", **normalized_gradient(draw, draw.normal(129, 65), 1e-3), large=True)


def sums(dy, x_hat):
    """dgamma and dbeta."""
    return np.sum(dy * x_hat, axis=0), dy.sum(axis=0)


def input_gradient(dy, x_hat, inv_std, gamma):
    return gamma * inv_std * (dy - dy.mean(axis=0) - x_hat * np.mean(dy * x_hat, axis=0))


@batchnorm_backward.mistake(
    "You treated mean and variance as constants. They are made of x: subtract the mean of dy, and x_hat times the mean "
    "of dy * x_hat."
)
def treats_the_statistics_as_constants(dy, x_hat, inv_std, gamma):
    return gamma * inv_std * dy, *sums(dy, x_hat)


@batchnorm_backward.mistake(
    "You treated the variance as a constant. It is made of x: subtract x_hat * dgamma / n as well."
)
def treats_the_variance_as_constant(dy, x_hat, inv_std, gamma):
    return gamma * inv_std * (dy - dy.mean(axis=0)), *sums(dy, x_hat)


@batchnorm_backward.mistake("You treated the mean as a constant. It is made of x: subtract dbeta / n as well.")
def treats_the_mean_as_constant(dy, x_hat, inv_std, gamma):
    return gamma * inv_std * (dy - x_hat * np.mean(dy * x_hat, axis=0)), *sums(dy, x_hat)


@batchnorm_backward.mistake(
    "You left x_hat out of dx: every sample has its own share in the variance. Subtract x_hat * dgamma / n."
)
def forgets_x_hat_in_dx(dy, x_hat, inv_std, gamma):
    dgamma, dbeta = sums(dy, x_hat)
    return gamma * inv_std * (dy - dbeta / len(dy) - dgamma / len(dy)), dgamma, dbeta


@batchnorm_backward.mistake("You subtracted sums in dx. Divide them by n: dy - dbeta / n - x_hat * dgamma / n.")
def forgets_to_divide_by_n(dy, x_hat, inv_std, gamma):
    dgamma, dbeta = sums(dy, x_hat)
    return gamma * inv_std * (dy - dbeta - x_hat * dgamma), dgamma, dbeta


@batchnorm_backward.mistake("You left gamma out of dx. The chain rule goes through gamma * x_hat first.")
def forgets_gamma(dy, x_hat, inv_std, gamma):
    return input_gradient(dy, x_hat, inv_std, np.ones_like(gamma)), *sums(dy, x_hat)


@batchnorm_backward.mistake("You left inv_std out of dx. x was divided by its deviation, and so is its gradient.")
def forgets_inv_std(dy, x_hat, inv_std, gamma):
    return input_gradient(dy, x_hat, np.ones_like(inv_std), gamma), *sums(dy, x_hat)


@batchnorm_backward.mistake("You divided by inv_std. It is one divided by the deviation already: multiply.")
def divides_by_inv_std(dy, x_hat, inv_std, gamma):
    return input_gradient(dy, x_hat, 1 / inv_std, gamma), *sums(dy, x_hat)


@batchnorm_backward.mistake("You took dgamma with x - mean. gamma multiplies x_hat: dgamma is the sum of dy * x_hat.")
def takes_dgamma_with_x(dy, x_hat, inv_std, gamma):
    dbeta = dy.sum(axis=0)
    return input_gradient(dy, x_hat, inv_std, gamma), np.sum(dy * (x_hat / inv_std), axis=0), dbeta


@batchnorm_backward.mistake("You left x_hat out of dgamma, which makes it dbeta. dgamma is the sum of dy * x_hat.")
def forgets_x_hat_in_dgamma(dy, x_hat, inv_std, gamma):
    dbeta = dy.sum(axis=0)
    return input_gradient(dy, x_hat, inv_std, gamma), dbeta, dbeta


@batchnorm_backward.mistake(
    "You averaged dgamma and dbeta over the batch. They are sums: the mean over the batch is in dy already."
)
def averages_dgamma_and_dbeta(dy, x_hat, inv_std, gamma):
    return input_gradient(dy, x_hat, inv_std, gamma), np.mean(dy * x_hat, axis=0), dy.mean(axis=0)


@batchnorm_backward.mistake("You summed over the features. Every sample used gamma and beta: sum over axis 0.")
def sums_over_the_features(dy, x_hat, inv_std, gamma):
    return input_gradient(dy, x_hat, inv_std, gamma), np.sum(dy * x_hat, axis=1), dy.sum(axis=1)


@batchnorm_backward.mistake("You did not sum dgamma and dbeta over the samples. They have one number per feature.")
def does_not_sum(dy, x_hat, inv_std, gamma):
    return input_gradient(dy, x_hat, inv_std, gamma), dy * x_hat, dy.copy()


@batchnorm_backward.mistake("You returned dbeta before dgamma. The order is that of the forward: dx, dgamma, dbeta.")
def returns_dbeta_first(dy, x_hat, inv_std, gamma):
    dgamma, dbeta = sums(dy, x_hat)
    return input_gradient(dy, x_hat, inv_std, gamma), dbeta, dgamma


def input_behind(x_hat, inv_std):
    """An input and an eps per feature that lead to just this x_hat and inv_std."""
    x = x_hat.astype(np.float64) / inv_std
    return x, 1 / inv_std.astype(np.float64) ** 2 - x.var(axis=0)


@batchnorm_backward.objective
def batchnorm_objective(dy, x_hat, inv_std, gamma):
    x, eps = input_behind(x_hat, inv_std)

    def value(x, gamma, beta):
        return np.sum(dy * (gamma * (x - x.mean(axis=0)) / np.sqrt(x.var(axis=0) + eps) + beta))

    return value, {"dx": x, "dgamma": gamma, "dbeta": np.zeros(gamma.shape)}


@batchnorm_backward.keras_twin
def batchnorm_gradient_in_keras(keras, dy, x_hat, inv_std, gamma):
    x, eps = input_behind(x_hat, inv_std)
    # All features had the same eps; the one that varies least still knows it best.
    layer = keras.layers.BatchNormalization(epsilon=float(eps[np.argmax(inv_std)]))
    layer.build(x.shape)
    moving = layer.non_trainable_variables

    def forward(x, gamma, beta):
        return layer.stateless_call([gamma, beta], moving, x, training=True)[0]

    return keras.gradient(forward, dy, x.astype(np.float32), gamma, np.zeros_like(gamma))

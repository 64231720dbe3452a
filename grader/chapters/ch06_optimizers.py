"""Optimizers: cases, known mistakes and Keras twins.

A step is judged by what it leaves in the weights and in the state. The weights of the cases are small or the rates
large, so that a wrong step is not lost beside the weight it moves.
"""

from __future__ import annotations

import numpy as np

from grader.exercise import Case, Chapter

chapter = Chapter("ch06_optimizers", "Optimizers")

SHAPES = ((7,), (3, 5), (2, 3, 5, 2))


def zeros(*shape):
    return np.zeros(shape, np.float32)


def given(**arguments):
    """Some of a case's arguments."""
    return arguments


def after_one_step(keras, optimizer, w, g, *state, t=1):
    """What Keras's optimizer makes of the weights and its slot variables in step number t."""
    weights = keras.module.Variable(w.copy())
    optimizer.build([weights])
    slots = optimizer.variables[2:]  # the first two are the iterations and the learning rate
    for slot, values in zip(slots, state, strict=True):
        slot.assign(values)
    optimizer.iterations.assign(t - 1)
    optimizer.apply([keras.ops.convert_to_tensor(g.copy())], [weights])
    return tuple(variable.numpy() for variable in (weights, *slots))


# --- plain gradient descent -----------------------------------------------------------------------------------------

sgd_step = chapter.exercise("sgd_step", points=1, returns=(), changes="w")


@sgd_step.cases
def sgd_cases(draw):
    yield Case("two weights", w=draw.array([1.0, -2.0]), g=draw.array([10.0, 4.0]), lr=0.1)
    for shape, lr in zip(SHAPES, (0.1, 0.5, 0.01), strict=True):
        yield Case(
            f"an array of shape {shape}",
            hidden=len(shape) > 2,
            w=draw.normal(*shape, scale=0.1),
            g=draw.normal(*shape),
            lr=lr,
        )
    yield Case("no slope, no step", w=draw.normal(4), g=zeros(4), lr=0.3)
    yield Case("a rate above one", w=draw.normal(2, 4), g=draw.normal(2, 4), lr=2.5, hidden=True)
    yield Case("large gradients", w=draw.array([1, -1e20, 0]), g=draw.array([1e25, -3e25, 2e24]), lr=0.01, hidden=True)
    yield Case("tiny gradients", w=zeros(3), g=draw.array([1e-3, -2e-4, 5e-5]), lr=0.5, hidden=True)
    yield Case("a single weight", w=draw.normal(1, 1), g=draw.normal(1, 1), lr=0.2, hidden=True)
    yield Case("no weights at all", w=zeros(4, 0), g=zeros(4, 0), lr=0.1, hidden=True)
    yield Case("a large layer", w=draw.normal(65, 67, scale=0.1), g=draw.normal(65, 67), lr=0.2, large=True)


@sgd_step.mistake("You added the gradient, and climbed. The gradient points uphill: subtract it.")
def sgd_climbs(w, g, lr):
    w += lr * g


@sgd_step.mistake("You subtracted the whole gradient. The learning rate says how much of it: lr * g.")
def sgd_forgets_the_rate(w, g, lr):
    w -= g


@sgd_step.mistake("w is as it was: w = w - lr * g makes a new array. Write into the old one, element by element.")
def sgd_rebinds_w(w, g, lr):
    w = w - lr * g


@sgd_step.mistake("You replaced the weights by the step. The step is added to where they are: w - lr * g.")
def sgd_replaces_w(w, g, lr):
    w[...] = -lr * g


@sgd_step.mistake(
    "You divided the step by the number of weights. The mean over the batch is already in g: just lr * g."
)
def sgd_averages(w, g, lr):
    w -= lr * g / max(w.size, 1)


@sgd_step.mistake("You divided by the learning rate. A small rate means small steps: multiply.")
def sgd_divides_by_the_rate(w, g, lr):
    w -= g / lr


@sgd_step.mistake("You kept only the sign of the gradient. A steep slope makes a long step: lr * g.")
def sgd_takes_the_sign(w, g, lr):
    w -= lr * np.sign(g)


@sgd_step.mistake("You scaled the weights as well: (w - g) * lr. Only the gradient is multiplied by lr: w - lr * g.")
def sgd_scales_the_weights(w, g, lr):
    w[...] = lr * (w - g)


@sgd_step.keras_twin
def sgd_in_keras(keras, w, g, lr):
    return after_one_step(keras, keras.optimizers.SGD(learning_rate=lr), w, g)


# --- momentum -------------------------------------------------------------------------------------------------------


def velocity_cases(draw):
    """Weights with a gradient and a velocity, for both kinds of momentum."""
    first = given(w=draw.array([1.0, 0.0]), g=draw.array([2.0, 1.0]), v=draw.array([0.5, 0.0]))
    yield Case("one ball that rolls, one at rest", **first, lr=0.1, momentum=0.9)
    for shape, lr, momentum in zip(SHAPES, (0.1, 0.5, 0.3), (0.9, 0.5, 0.99), strict=True):
        rolling = given(w=draw.normal(*shape, scale=0.1), g=draw.normal(*shape), v=draw.normal(*shape))
        yield Case(f"an array of shape {shape}", hidden=len(shape) > 2, **rolling, lr=lr, momentum=momentum)
    yield Case("no velocity yet", w=draw.normal(5), g=draw.normal(5), v=zeros(5), lr=0.2, momentum=0.8)
    yield Case("no slope: it rolls on", w=zeros(5), g=zeros(5), v=draw.normal(5), lr=0.2, momentum=0.7)
    yield Case(
        "no friction", w=zeros(2, 3), g=draw.normal(2, 3), v=draw.normal(2, 3), lr=1.5, momentum=1.0, hidden=True
    )
    fast = given(g=draw.array([1e20, -3e20, 1e19]), v=draw.array([-2e19, 1e19, 5e19]))
    yield Case("large gradients", w=draw.array([1, -2, 3]), **fast, lr=0.1, momentum=0.6, hidden=True)
    slow = given(g=draw.array([1e-3, -2e-4, 5e-5]), v=draw.array([1e-4, 3e-4, 0]))
    yield Case("tiny gradients", w=zeros(3), **slow, lr=0.5, momentum=0.9, hidden=True)
    yield Case("no weights at all", w=zeros(4, 0), g=zeros(4, 0), v=zeros(4, 0), lr=0.1, momentum=0.9, hidden=True)
    big = given(w=draw.normal(65, 67, scale=0.1), g=draw.normal(65, 67), v=draw.normal(65, 67))
    yield Case("a large layer", **big, lr=0.2, momentum=0.9, large=True)


momentum_step = chapter.exercise("momentum_step", points=1, returns=(), changes=("w", "v"))
momentum_step.cases(velocity_cases)


@momentum_step.mistake("Your ball is pushed uphill. The gradient points up: v = momentum * v - lr * g, w = w + v.")
def momentum_climbs(w, g, v, lr, momentum):
    v[...] = momentum * v + lr * g
    w += v


@momentum_step.mistake(
    "You kept v = momentum * v + lr * g and subtracted it. Keras's velocity points downhill: "
    "v = momentum * v - lr * g, and w + v."
)
def momentum_without_the_sign(w, g, v, lr, momentum):
    v[...] = momentum * v + lr * g
    w -= v


@momentum_step.mistake("You left the learning rate out of the velocity. The push is lr * g: v = momentum * v - lr * g.")
def momentum_forgets_the_rate(w, g, v, lr, momentum):
    v[...] = momentum * v - g
    w += v


@momentum_step.mistake(
    "You kept the rate out of the velocity and took it at the step, w - lr * v. In Keras it is in v: "
    "v = momentum * v - lr * g, then w + v."
)
def momentum_takes_the_rate_late(w, g, v, lr, momentum):
    v[...] = momentum * v + g
    w -= lr * v


@momentum_step.mistake("You took (1 - momentum) of the push, as in an average. The push counts in full: - lr * g.")
def momentum_averages(w, g, v, lr, momentum):
    v[...] = momentum * v - (1 - momentum) * lr * g
    w += v


@momentum_step.mistake(
    "You made Nesterov's step, w + momentum * v - lr * g. Plain momentum moves by the velocity alone: w + v."
)
def momentum_looks_ahead(w, g, v, lr, momentum):
    v[...] = momentum * v - lr * g
    w += momentum * v - lr * g


@momentum_step.mistake(
    "The weights moved, but v is as it was: v = … makes a new array, and the ball forgets its speed. Write into v."
)
def momentum_keeps_the_old_velocity(w, g, v, lr, momentum):
    v = momentum * v - lr * g
    w += v


@momentum_step.mistake(
    "You moved by the old velocity and updated it afterwards. Update v first, then move by the new v."
)
def momentum_moves_first(w, g, v, lr, momentum):
    w += v
    v[...] = momentum * v - lr * g


@momentum_step.mistake("v is right, but w is as it was: w = w + v makes a new array. Write into the old one.")
def momentum_rebinds_w(w, g, v, lr, momentum):
    v[...] = momentum * v - lr * g


@momentum_step.mistake("You updated the velocity and then took a plain step. The weights move by the velocity: w + v.")
def momentum_ignores_the_velocity(w, g, v, lr, momentum):
    v[...] = momentum * v - lr * g
    w -= lr * g


@momentum_step.mistake("Your ball has no friction. Only the share `momentum` of the old velocity is kept.")
def momentum_without_friction(w, g, v, lr, momentum):
    v -= lr * g
    w += v


@momentum_step.mistake(
    "You multiplied the push by momentum as well. Friction acts on the old v only: momentum * v - lr * g."
)
def momentum_brakes_the_push(w, g, v, lr, momentum):
    v[...] = momentum * (v - lr * g)
    w += v


@momentum_step.keras_twin
def momentum_in_keras(keras, w, g, v, lr, momentum):
    return after_one_step(keras, keras.optimizers.SGD(learning_rate=lr, momentum=momentum), w, g, v)


nesterov_step = chapter.exercise("nesterov_step", points=2, returns=(), changes=("w", "v"))
nesterov_step.cases(velocity_cases)


@nesterov_step.mistake(
    "You made a plain momentum step, w + v (the old velocity in the look-ahead gives the same). Nesterov looks ahead "
    "with the new one: w + momentum * v - lr * g."
)
def nesterov_is_plain_momentum(w, g, v, lr, momentum):
    v[...] = momentum * v - lr * g
    w += v


@nesterov_step.mistake(
    "You moved by v and then by momentum * v on top. The step is momentum * v - lr * g: the old roll is already in w."
)
def nesterov_rolls_twice(w, g, v, lr, momentum):
    v[...] = momentum * v - lr * g
    w += v + momentum * v


@nesterov_step.mistake("You rolled by momentum * v without the push. The gradient acts on the weights too: - lr * g.")
def nesterov_forgets_the_push(w, g, v, lr, momentum):
    v[...] = momentum * v - lr * g
    w += momentum * v


@nesterov_step.mistake(
    "You moved by v - lr * g. The look-ahead is one more share of the velocity: momentum * v - lr * g."
)
def nesterov_forgets_the_momentum(w, g, v, lr, momentum):
    v[...] = momentum * v - lr * g
    w += v - lr * g


@nesterov_step.mistake(
    "You wrote v = momentum * v + lr * g, a slip of some printed listings: the ball is pushed uphill. "
    "It is - lr * g in both formulas."
)
def nesterov_as_misprinted(w, g, v, lr, momentum):
    v[...] = momentum * v + lr * g
    w += momentum * v - lr * g


@nesterov_step.mistake(
    "You kept v = momentum * v + lr * g and subtracted the step. Keras's velocity points downhill: - lr * g, then add."
)
def nesterov_without_the_sign(w, g, v, lr, momentum):
    v[...] = momentum * v + lr * g
    w -= momentum * v + lr * g


@nesterov_step.mistake(
    "You left the learning rate out of the velocity. It is momentum * v - lr * g, as for the weights."
)
def nesterov_forgets_the_rate(w, g, v, lr, momentum):
    v[...] = momentum * v - g
    w += momentum * v - lr * g


@nesterov_step.mistake(
    "You kept the rate out of the velocity and took it at the step. In Keras it is in v: v = momentum * v - lr * g, "
    "then w + momentum * v - lr * g."
)
def nesterov_takes_the_rate_late(w, g, v, lr, momentum):
    v[...] = momentum * v + g
    w -= lr * (momentum * v + g)


@nesterov_step.mistake("Your weights climb: after the look-ahead you added lr * g. Subtract it.")
def nesterov_climbs(w, g, v, lr, momentum):
    v[...] = momentum * v - lr * g
    w += momentum * v + lr * g


@nesterov_step.mistake(
    "The weights moved, but v is as it was: v = … makes a new array, and the ball forgets its speed. Write into v."
)
def nesterov_keeps_the_old_velocity(w, g, v, lr, momentum):
    v = momentum * v - lr * g
    w += momentum * v - lr * g


@nesterov_step.mistake("You stored the weights' step in v. v stays momentum * v - lr * g; the look-ahead only moves w.")
def nesterov_stores_the_lookahead(w, g, v, lr, momentum):
    v[...] = momentum * (momentum * v - lr * g) - lr * g
    w += v


@nesterov_step.mistake("v is right, but w is as it was: w = w + … makes a new array. Write into the old one.")
def nesterov_rebinds_w(w, g, v, lr, momentum):
    v[...] = momentum * v - lr * g


@nesterov_step.keras_twin
def nesterov_in_keras(keras, w, g, v, lr, momentum):
    optimizer = keras.optimizers.SGD(learning_rate=lr, momentum=momentum, nesterov=True)
    return after_one_step(keras, optimizer, w, g, v)


# --- adagrad --------------------------------------------------------------------------------------------------------

adagrad_step = chapter.exercise("adagrad_step", points=1, returns=(), changes=("w", "acc"))


@adagrad_step.cases
def adagrad_cases(draw):
    first = given(w=draw.array([1.0, 1.0]), g=draw.array([3.0, -0.3]), acc=draw.array([16.0, 0.0]))
    yield Case("one weight with a past, one without", **first, lr=0.1, eps=1e-7)
    for shape, lr, eps in zip(SHAPES, (0.1, 0.5, 0.05), (1e-7, 0.5, 0.01), strict=True):
        arrays = given(w=draw.normal(*shape, scale=0.1), g=draw.normal(*shape), acc=draw.uniform(0.1, 3, *shape))
        yield Case(f"an array of shape {shape}", hidden=len(shape) > 2, **arrays, lr=lr, eps=eps)
    yield Case("Keras's fresh state", w=zeros(6), g=draw.normal(6), acc=draw.array([0.1] * 6), lr=0.2, eps=1e-7)
    small = draw.array([1e-6, -1e-6, 3e-6, 1e-4])
    yield Case("gradients of 1e-6: the place of eps decides", w=zeros(4), g=small, acc=zeros(4), lr=0.1, eps=1e-7)
    yield Case("nothing but zeros", w=zeros(3), g=zeros(3), acc=zeros(3), lr=0.1, eps=1e-7, hidden=True)
    large = given(g=draw.array([1e15, -1e16, 1e14]), acc=draw.array([0, 1e30, 2e28]))
    yield Case("large gradients", w=zeros(3), **large, lr=0.3, eps=1e-3, hidden=True)
    yield Case("tiny gradients, another eps", w=zeros(4), g=10 * small, acc=zeros(4), lr=1.0, eps=1e-5, hidden=True)
    yield Case("no weights at all", w=zeros(4, 0), g=zeros(4, 0), acc=zeros(4, 0), lr=0.1, eps=1e-7, hidden=True)
    big = given(w=draw.normal(65, 67, scale=0.1), g=draw.normal(65, 67), acc=draw.uniform(0, 2, 65, 67))
    yield Case("a large layer", **big, lr=0.2, eps=1e-4, large=True)


@adagrad_step.mistake("You climbed: the step was added. The gradient points uphill: subtract.")
def adagrad_climbs(w, g, acc, lr, eps):
    acc += g * g
    w += lr * g / np.sqrt(acc + np.float32(eps))


@adagrad_step.mistake("You added up g instead of g². Gradients of both signs would cancel: square them.")
def adagrad_forgets_the_square(w, g, acc, lr, eps):
    acc += g
    w -= lr * g / np.sqrt(acc + np.float32(eps))


@adagrad_step.mistake("You added up |g|. The sum is one of squares, g²: only then has its root the size of a gradient.")
def adagrad_takes_absolutes(w, g, acc, lr, eps):
    acc += np.abs(g)
    w -= lr * g / np.sqrt(acc + np.float32(eps))


@adagrad_step.mistake("You divided by acc itself. A sum of squares needs a root: sqrt(acc + eps).")
def adagrad_forgets_the_root(w, g, acc, lr, eps):
    acc += g * g
    w -= lr * g / (acc + np.float32(eps))


@adagrad_step.mistake("You added eps outside the root. Keras has it inside: sqrt(acc + eps).")
def adagrad_puts_eps_outside(w, g, acc, lr, eps):
    acc += g * g
    w -= lr * g / (np.sqrt(acc) + np.float32(eps))


@adagrad_step.mistake("You left eps out. With a small sum the step is far too long, and 0 / 0 is nan: sqrt(acc + eps).")
def adagrad_forgets_eps(w, g, acc, lr, eps):
    acc += g * g
    w -= lr * g / np.sqrt(acc)


@adagrad_step.mistake("You stored eps in acc, and it adds up step by step. Add it to a copy, under the root only.")
def adagrad_stores_eps(w, g, acc, lr, eps):
    acc += g * g + np.float32(eps)
    w -= lr * g / np.sqrt(acc)


@adagrad_step.mistake("The weights moved, but acc is as it was: acc = … makes a new array. Write the sum into acc.")
def adagrad_keeps_the_old_state(w, g, acc, lr, eps):
    w -= lr * g / np.sqrt(acc + g * g + np.float32(eps))


@adagrad_step.mistake("You divided by the old sum and updated it afterwards. Add g² to acc first, then divide.")
def adagrad_updates_late(w, g, acc, lr, eps):
    w -= lr * g / np.sqrt(acc + np.float32(eps))
    acc += g * g


@adagrad_step.mistake("You replaced acc by g². Adagrad adds it to all the squares before: acc + g².")
def adagrad_forgets_the_past(w, g, acc, lr, eps):
    acc[...] = g * g
    w -= lr * g / np.sqrt(acc + np.float32(eps))


@adagrad_step.mistake(
    "You forgot the learning rate. Adagrad adapts it, but does not replace it: lr * g / sqrt(acc + eps)."
)
def adagrad_forgets_the_rate(w, g, acc, lr, eps):
    acc += g * g
    w -= g / np.sqrt(acc + np.float32(eps))


@adagrad_step.mistake("You forgot g: lr / sqrt(acc + eps) is only this weight's rate. Multiply by the gradient.")
def adagrad_forgets_the_gradient(w, g, acc, lr, eps):
    acc += g * g
    w -= lr / np.sqrt(acc + np.float32(eps))


@adagrad_step.mistake("acc is right, but w is as it was: w = w - … makes a new array. Write into the old one.")
def adagrad_rebinds_w(w, g, acc, lr, eps):
    acc += g * g


@adagrad_step.mistake("You divided by the root of the sum over all weights. Every weight divides by its own acc.")
def adagrad_sums_over_weights(w, g, acc, lr, eps):
    acc += g * g
    w -= lr * g / np.sqrt(acc.sum() + np.float32(eps))


@adagrad_step.keras_twin
def adagrad_in_keras(keras, w, g, acc, lr, eps):
    return after_one_step(keras, keras.optimizers.Adagrad(learning_rate=lr, epsilon=eps), w, g, acc)


# --- adadelta -------------------------------------------------------------------------------------------------------

adadelta_step = chapter.exercise("adadelta_step", points=2, returns=(), changes=("w", "acc", "acc_delta"))


@adadelta_step.cases
def adadelta_cases(draw):
    first = given(w=draw.array([1.0, 0.0]), g=draw.array([2.0, -1.0]))
    past = given(acc=draw.array([0.0, 3.0]), acc_delta=draw.array([0.03, 0.0]))
    yield Case("two weights", **first, **past, lr=0.5, rho=0.75, eps=0.01)
    rates, shares, floors = (1.0, 0.5, 0.2), (0.95, 0.6, 0.8), (0.01, 0.3, 1e-4)
    for shape, lr, rho, eps in zip(SHAPES, rates, shares, floors, strict=True):
        arrays = given(w=draw.normal(*shape, scale=0.1), g=draw.normal(*shape))
        past = given(acc=draw.uniform(0.1, 3, *shape), acc_delta=draw.uniform(0.1, 2, *shape))
        yield Case(f"an array of shape {shape}", hidden=len(shape) > 2, **arrays, **past, lr=lr, rho=rho, eps=eps)
    fresh = given(acc=zeros(5), acc_delta=zeros(5))
    yield Case("a fresh start: eps gets it going", w=zeros(5), g=draw.normal(5), **fresh, lr=1.0, rho=0.95, eps=1e-3)
    small = given(w=zeros(4), g=draw.array([1e-6, -1e-6, 3e-6, 1e-4]), acc=zeros(4))
    past = given(acc_delta=draw.uniform(0.5, 2, 4))
    yield Case("gradients of 1e-6: the place of eps decides", **small, **past, lr=2.0, rho=0.9, eps=1e-7)
    yield Case("no slope, no step", w=zeros(3), g=zeros(3), acc=zeros(3), acc_delta=zeros(3), lr=1.0, rho=0.9, eps=1e-7)
    large = given(g=draw.array([1e15, -1e16, 1e14]), acc=draw.array([0, 1e30, 2e28]))
    past = given(acc_delta=draw.array([0.5, 0, 2]))
    yield Case("large gradients", w=zeros(3), **large, **past, lr=1.5, rho=0.7, eps=0.2, hidden=True)
    short = given(w=zeros(4), g=draw.normal(4), acc=draw.uniform(1, 2, 4), acc_delta=zeros(4))
    yield Case("steps that were short so far", **short, lr=3.0, rho=0.5, eps=1e-4, hidden=True)
    none = given(w=zeros(4, 0), g=zeros(4, 0), acc=zeros(4, 0), acc_delta=zeros(4, 0))
    yield Case("no weights at all", **none, lr=1.0, rho=0.95, eps=1e-7, hidden=True)
    big = given(w=draw.normal(65, 67, scale=0.1), g=draw.normal(65, 67))
    past = given(acc=draw.uniform(0, 2, 65, 67), acc_delta=draw.uniform(0, 1, 65, 67))
    yield Case("a large layer", **big, **past, lr=0.8, rho=0.9, eps=1e-3, large=True)


def decay(average, x, rho):
    """The decaying average of x² after x, as Adadelta and RMSprop keep it."""
    return np.float32(rho) * average + np.float32(1 - rho) * x * x


def rms(x, eps):
    return np.sqrt(x + np.float32(eps))


@adadelta_step.mistake("You climbed: delta lost its minus sign. Against the gradient: delta = -rms(…) / rms(…) * g.")
def adadelta_climbs(w, g, acc, acc_delta, lr, rho, eps):
    acc[...] = decay(acc, g, rho)
    delta = rms(acc_delta, eps) / rms(acc, eps) * g
    acc_delta[...] = decay(acc_delta, delta, rho)
    w += lr * delta


@adadelta_step.mistake("You swapped rho and 1 - rho. rho is the share of the past, 1 - rho that of the new square.")
def adadelta_swaps_rho(w, g, acc, acc_delta, lr, rho, eps):
    acc[...] = decay(acc, g, 1 - rho)
    delta = -rms(acc_delta, eps) / rms(acc, eps) * g
    acc_delta[...] = decay(acc_delta, delta, 1 - rho)
    w += lr * delta


@adadelta_step.mistake("You turned the quotient over. The root of the steps goes above, that of the gradients below.")
def adadelta_turns_the_quotient_over(w, g, acc, acc_delta, lr, rho, eps):
    acc[...] = decay(acc, g, rho)
    delta = -rms(acc, eps) / rms(acc_delta, eps) * g
    acc_delta[...] = decay(acc_delta, delta, rho)
    w += lr * delta


@adadelta_step.mistake("You left out the root of acc_delta: that is RMSprop. delta = -rms(acc_delta) / rms(acc) * g.")
def adadelta_is_rmsprop(w, g, acc, acc_delta, lr, rho, eps):
    acc[...] = decay(acc, g, rho)
    delta = -g / rms(acc, eps)
    acc_delta[...] = decay(acc_delta, delta, rho)
    w += lr * delta


@adadelta_step.mistake("You averaged the square of lr * delta. acc_delta takes delta², before the learning rate.")
def adadelta_averages_the_scaled_step(w, g, acc, acc_delta, lr, rho, eps):
    acc[...] = decay(acc, g, rho)
    delta = -rms(acc_delta, eps) / rms(acc, eps) * g
    acc_delta[...] = decay(acc_delta, lr * delta, rho)
    w += lr * delta


@adadelta_step.mistake("You left the learning rate out. The original has none, but Keras multiplies: w + lr * delta.")
def adadelta_forgets_the_rate(w, g, acc, acc_delta, lr, rho, eps):
    acc[...] = decay(acc, g, rho)
    delta = -rms(acc_delta, eps) / rms(acc, eps) * g
    acc_delta[...] = decay(acc_delta, delta, rho)
    w += delta


@adadelta_step.mistake("You added eps outside the roots. Keras has it inside both: sqrt(acc + eps).")
def adadelta_puts_eps_outside(w, g, acc, acc_delta, lr, rho, eps):
    acc[...] = decay(acc, g, rho)
    delta = -(np.sqrt(acc_delta) + np.float32(eps)) / (np.sqrt(acc) + np.float32(eps)) * g
    acc_delta[...] = decay(acc_delta, delta, rho)
    w += lr * delta


@adadelta_step.mistake(
    "You have eps below the line only. Above it too: with acc_delta = 0 the first step would be 0, and all others."
)
def adadelta_never_starts(w, g, acc, acc_delta, lr, rho, eps):
    acc[...] = decay(acc, g, rho)
    delta = -np.sqrt(acc_delta) / rms(acc, eps) * g
    acc_delta[...] = decay(acc_delta, delta, rho)
    w += lr * delta


@adadelta_step.mistake(
    "You divided the averages without their roots. They are of squares: sqrt(… + eps), above and below."
)
def adadelta_forgets_the_roots(w, g, acc, acc_delta, lr, rho, eps):
    acc[...] = decay(acc, g, rho)
    delta = -(acc_delta + np.float32(eps)) / (acc + np.float32(eps)) * g
    acc_delta[...] = decay(acc_delta, delta, rho)
    w += lr * delta


@adadelta_step.mistake("You divided by the old acc and updated it afterwards. This gradient counts already: acc first.")
def adadelta_updates_acc_late(w, g, acc, acc_delta, lr, rho, eps):
    delta = -rms(acc_delta, eps) / rms(acc, eps) * g
    acc[...] = decay(acc, g, rho)
    acc_delta[...] = decay(acc_delta, delta, rho)
    w += lr * delta


@adadelta_step.mistake(
    "You updated acc_delta first and took its new root for the step. Compute delta once, from the old."
)
def adadelta_updates_acc_delta_early(w, g, acc, acc_delta, lr, rho, eps):
    acc[...] = decay(acc, g, rho)
    acc_delta[...] = decay(acc_delta, rms(acc_delta, eps) / rms(acc, eps) * g, rho)
    w -= lr * rms(acc_delta, eps) / rms(acc, eps) * g


@adadelta_step.mistake("You averaged g² in acc_delta as well. acc_delta is the average of the squared steps, delta².")
def adadelta_averages_gradients_twice(w, g, acc, acc_delta, lr, rho, eps):
    acc[...] = decay(acc, g, rho)
    delta = -rms(acc_delta, eps) / rms(acc, eps) * g
    acc_delta[...] = decay(acc_delta, g, rho)
    w += lr * delta


@adadelta_step.mistake("You averaged g instead of g². Gradients of both signs would cancel: square them.")
def adadelta_forgets_the_square(w, g, acc, acc_delta, lr, rho, eps):
    acc[...] = np.float32(rho) * acc + np.float32(1 - rho) * g
    delta = -rms(acc_delta, eps) / rms(acc, eps) * g
    acc_delta[...] = decay(acc_delta, delta, rho)
    w += lr * delta


@adadelta_step.mistake("You summed the squares as Adagrad does. Adadelta forgets: rho * acc + (1 - rho) * g².")
def adadelta_never_forgets(w, g, acc, acc_delta, lr, rho, eps):
    acc += g * g
    delta = -rms(acc_delta, eps) / rms(acc, eps) * g
    acc_delta += delta * delta
    w += lr * delta


@adadelta_step.mistake(
    "acc_delta is as it was. Each step ends with it: rho * acc_delta + (1 - rho) * delta², in place."
)
def adadelta_keeps_the_old_acc_delta(w, g, acc, acc_delta, lr, rho, eps):
    acc[...] = decay(acc, g, rho)
    w -= lr * rms(acc_delta, eps) / rms(acc, eps) * g


@adadelta_step.mistake("acc is as it was: acc = … makes a new array. Write the average into the old one.")
def adadelta_keeps_the_old_acc(w, g, acc, acc_delta, lr, rho, eps):
    delta = -rms(acc_delta, eps) / rms(decay(acc, g, rho), eps) * g
    acc_delta[...] = decay(acc_delta, delta, rho)
    w += lr * delta


@adadelta_step.mistake(
    "acc and acc_delta are as they were: a name on the left makes a new array. Write into the old ones."
)
def adadelta_keeps_the_old_state(w, g, acc, acc_delta, lr, rho, eps):
    w -= lr * rms(acc_delta, eps) / rms(decay(acc, g, rho), eps) * g


@adadelta_step.mistake("The state is right, but w is as it was: w = w + … makes a new array. Write into the old one.")
def adadelta_rebinds_w(w, g, acc, acc_delta, lr, rho, eps):
    acc[...] = decay(acc, g, rho)
    delta = -rms(acc_delta, eps) / rms(acc, eps) * g
    acc_delta[...] = decay(acc_delta, delta, rho)


@adadelta_step.keras_twin
def adadelta_in_keras(keras, w, g, acc, acc_delta, lr, rho, eps):
    optimizer = keras.optimizers.Adadelta(learning_rate=lr, rho=rho, epsilon=eps)
    return after_one_step(keras, optimizer, w, g, acc, acc_delta)


# --- rmsprop --------------------------------------------------------------------------------------------------------

rmsprop_step = chapter.exercise("rmsprop_step", points=1, returns=(), changes=("w", "acc"))


@rmsprop_step.cases
def rmsprop_cases(draw):
    first = given(w=draw.array([1.0, 1.0]), g=draw.array([2.0, -1.0]), acc=draw.array([0.0, 5.0]))
    yield Case("one weight without a past, one with", **first, lr=0.1, rho=0.75, eps=1e-7)
    for shape, lr, rho, eps in zip(SHAPES, (0.1, 0.5, 0.05), (0.9, 0.6, 0.99), (1e-7, 0.5, 0.01), strict=True):
        arrays = given(w=draw.normal(*shape, scale=0.1), g=draw.normal(*shape), acc=draw.uniform(0.1, 3, *shape))
        yield Case(f"an array of shape {shape}", hidden=len(shape) > 2, **arrays, lr=lr, rho=rho, eps=eps)
    yield Case("a fresh start", w=zeros(6), g=draw.normal(6), acc=zeros(6), lr=0.2, rho=0.9, eps=1e-7)
    small = draw.array([1e-6, -1e-6, 3e-6, 1e-4])
    tiny = given(w=zeros(4), g=small, acc=zeros(4))
    yield Case("gradients of 1e-6: the place of eps decides", **tiny, lr=0.1, rho=0.9, eps=1e-7)
    yield Case("no slope: the past fades", w=zeros(3), g=zeros(3), acc=draw.array([0, 1, 2]), lr=0.1, rho=0.8, eps=1e-7)
    large = given(g=draw.array([1e15, -1e16, 1e14]), acc=draw.array([0, 1e30, 2e28]))
    yield Case("large gradients", w=zeros(3), **large, lr=0.3, rho=0.5, eps=1e-3, hidden=True)
    tiny = given(w=zeros(4), g=10 * small, acc=zeros(4))
    yield Case("tiny gradients, another eps", **tiny, lr=1.0, rho=0.3, eps=1e-5, hidden=True)
    none = given(w=zeros(4, 0), g=zeros(4, 0), acc=zeros(4, 0))
    yield Case("no weights at all", **none, lr=0.1, rho=0.9, eps=1e-7, hidden=True)
    big = given(w=draw.normal(65, 67, scale=0.1), g=draw.normal(65, 67), acc=draw.uniform(0, 2, 65, 67))
    yield Case("a large layer", **big, lr=0.2, rho=0.9, eps=1e-4, large=True)


@rmsprop_step.mistake("You climbed: the step was added. The gradient points uphill: subtract.")
def rmsprop_climbs(w, g, acc, lr, rho, eps):
    acc[...] = decay(acc, g, rho)
    w += lr * g / rms(acc, eps)


@rmsprop_step.mistake("You swapped rho and 1 - rho. rho is the share of the past, 1 - rho that of the new square.")
def rmsprop_swaps_rho(w, g, acc, lr, rho, eps):
    acc[...] = decay(acc, g, 1 - rho)
    w -= lr * g / rms(acc, eps)


@rmsprop_step.mistake("You added up g² as Adagrad does. RMSprop forgets: rho * acc + (1 - rho) * g².")
def rmsprop_is_adagrad(w, g, acc, lr, rho, eps):
    acc += g * g
    w -= lr * g / rms(acc, eps)


@rmsprop_step.mistake("You added g² in full to rho * acc. An average takes the share 1 - rho of it.")
def rmsprop_forgets_the_share(w, g, acc, lr, rho, eps):
    acc[...] = np.float32(rho) * acc + g * g
    w -= lr * g / rms(acc, eps)


@rmsprop_step.mistake("You added (1 - rho) * g² to the whole past. Only the share rho of it is kept: rho * acc.")
def rmsprop_keeps_the_whole_past(w, g, acc, lr, rho, eps):
    acc += np.float32(1 - rho) * g * g
    w -= lr * g / rms(acc, eps)


@rmsprop_step.mistake("You averaged g instead of g². Gradients of both signs would cancel: square them.")
def rmsprop_forgets_the_square(w, g, acc, lr, rho, eps):
    acc[...] = np.float32(rho) * acc + np.float32(1 - rho) * g
    w -= lr * g / rms(acc, eps)


@rmsprop_step.mistake("You squared the share too: ((1 - rho) * g)². Only the gradient is squared: (1 - rho) * g².")
def rmsprop_squares_the_share(w, g, acc, lr, rho, eps):
    acc[...] = np.float32(rho) * acc + (np.float32(1 - rho) * g) ** 2
    w -= lr * g / rms(acc, eps)


@rmsprop_step.mistake("You divided by acc itself. An average of squares needs a root: sqrt(acc + eps).")
def rmsprop_forgets_the_root(w, g, acc, lr, rho, eps):
    acc[...] = decay(acc, g, rho)
    w -= lr * g / (acc + np.float32(eps))


@rmsprop_step.mistake("You added eps outside the root. Keras's RMSprop has it inside: sqrt(acc + eps).")
def rmsprop_puts_eps_outside(w, g, acc, lr, rho, eps):
    acc[...] = decay(acc, g, rho)
    w -= lr * g / (np.sqrt(acc) + np.float32(eps))


@rmsprop_step.mistake(
    "You left eps out. With a small average the step is far too long, and 0 / 0 is nan: sqrt(acc + eps)."
)
def rmsprop_forgets_eps(w, g, acc, lr, rho, eps):
    acc[...] = decay(acc, g, rho)
    w -= lr * g / np.sqrt(acc)


@rmsprop_step.mistake("The weights moved, but acc is as it was: acc = … makes a new array. Write the average into acc.")
def rmsprop_keeps_the_old_state(w, g, acc, lr, rho, eps):
    w -= lr * g / rms(decay(acc, g, rho), eps)


@rmsprop_step.mistake("You divided by the old average and updated it afterwards. Update acc first, then divide.")
def rmsprop_updates_late(w, g, acc, lr, rho, eps):
    w -= lr * g / rms(acc, eps)
    acc[...] = decay(acc, g, rho)


@rmsprop_step.mistake("You forgot the learning rate. The root only evens out the steps: lr * g / sqrt(acc + eps).")
def rmsprop_forgets_the_rate(w, g, acc, lr, rho, eps):
    acc[...] = decay(acc, g, rho)
    w -= g / rms(acc, eps)


@rmsprop_step.mistake("acc is right, but w is as it was: w = w - … makes a new array. Write into the old one.")
def rmsprop_rebinds_w(w, g, acc, lr, rho, eps):
    acc[...] = decay(acc, g, rho)


@rmsprop_step.keras_twin
def rmsprop_in_keras(keras, w, g, acc, lr, rho, eps):
    return after_one_step(keras, keras.optimizers.RMSprop(learning_rate=lr, rho=rho, epsilon=eps), w, g, acc)


# --- adam -----------------------------------------------------------------------------------------------------------

adam_step = chapter.exercise("adam_step", points=3, returns=(), changes=("w", "m", "v"))


@adam_step.cases
def adam_cases(draw):
    usual = given(beta1=0.9, beta2=0.999, eps=1e-7)
    fresh = given(m=zeros(2), v=zeros(2))
    yield Case("the very first step", w=draw.array([1, 0]), g=draw.array([0.5, -2]), **fresh, t=1, lr=0.1, **usual)
    others = (
        given(t=1, lr=0.1, **usual),
        given(t=2, lr=0.5, beta1=0.8, beta2=0.95, eps=0.5),
        given(t=1000, lr=0.05, beta1=0.6, beta2=0.999, eps=0.01),
    )
    for shape, numbers in zip(SHAPES, others, strict=True):
        arrays = given(w=draw.normal(*shape, scale=0.1), g=draw.normal(*shape))
        past = given(m=draw.normal(*shape), v=draw.uniform(0.1, 3, *shape))
        yield Case(
            f"an array of shape {shape}, step {numbers['t']}", hidden=len(shape) > 2, **arrays, **past, **numbers
        )
    arrays = given(w=zeros(6), g=draw.normal(6), m=draw.normal(6, scale=0.1), v=draw.uniform(0, 1e-3, 6))
    yield Case("the second step", **arrays, t=2, lr=0.3, **usual)
    small = given(w=zeros(4), g=draw.array([1e-6, -1e-6, 3e-6, 1e-4]))
    yield Case("gradients of 1e-6: the place of eps decides", **small, m=zeros(4), v=zeros(4), t=1, lr=0.1, **usual)
    arrays = given(w=zeros(5), g=zeros(5), m=draw.normal(5), v=draw.uniform(0, 2, 5))
    yield Case("no slope: the past moves on", **arrays, t=7, lr=0.2, beta1=0.7, beta2=0.9, eps=1e-3)
    large = given(g=draw.array([1e15, -1e16, 1e14]), m=draw.array([0, 3e15, -1e14]), v=draw.array([0, 1e30, 2e28]))
    yield Case("large gradients", w=zeros(3), **large, t=3, lr=0.3, beta1=0.5, beta2=0.8, eps=1e-7, hidden=True)
    past = given(m=draw.array([2e-6, 1e-6, 0, 1e-5]), v=draw.array([1e-12, 0, 4e-12, 1e-10]))
    yield Case("tiny gradients late", **small, **past, t=1000, lr=1.0, beta1=0.9, beta2=0.99, eps=1e-5, hidden=True)
    arrays = given(w=zeros(2, 4), g=draw.normal(2, 4), m=draw.normal(2, 4), v=draw.uniform(0, 1, 2, 4))
    yield Case("a forgetful m", **arrays, t=2, lr=0.2, beta1=0.1, beta2=0.4, eps=1e-3, hidden=True)
    still = given(w=zeros(3), g=zeros(3), m=zeros(3), v=zeros(3))
    yield Case("nothing but zeros", **still, t=1, lr=0.1, **usual, hidden=True)
    none = given(w=zeros(4, 0), g=zeros(4, 0), m=zeros(4, 0), v=zeros(4, 0))
    yield Case("no weights at all", **none, t=1, lr=0.1, **usual, hidden=True)
    big = given(w=draw.normal(65, 67, scale=0.1), g=draw.normal(65, 67))
    past = given(m=draw.normal(65, 67), v=draw.uniform(0.1, 2, 65, 67))
    yield Case("a large layer", **big, **past, t=10, lr=0.2, **usual, large=True)


def blend(average, x, beta):
    """The decaying average after x, as Adam keeps it."""
    return average + np.float32(1 - beta) * (x - average)


def adam_alpha(t, lr, beta1, beta2):
    """The learning rate with both bias corrections in it."""
    return np.float32(lr) * np.sqrt(np.float32(1 - beta2**t)) / np.float32(1 - beta1**t)


def adam_descend(w, m, v, alpha, eps):
    w -= alpha * m / (np.sqrt(v) + np.float32(eps))


@adam_step.mistake("You climbed: the step was added. The gradient points uphill: subtract.")
def adam_climbs(w, g, m, v, t, lr, beta1, beta2, eps):
    m[...] = blend(m, g, beta1)
    v[...] = blend(v, g * g, beta2)
    adam_descend(w, m, v, -adam_alpha(t, lr, beta1, beta2), eps)


@adam_step.mistake(
    "You left out the bias correction. m and v start from zero and are too small at first: multiply lr by "
    "sqrt(1 - beta2^t) / (1 - beta1^t)."
)
def adam_forgets_the_correction(w, g, m, v, t, lr, beta1, beta2, eps):
    m[...] = blend(m, g, beta1)
    v[...] = blend(v, g * g, beta2)
    adam_descend(w, m, v, np.float32(lr), eps)


@adam_step.mistake("You corrected the bias of m only. v starts from zero too: multiply by sqrt(1 - beta2^t).")
def adam_corrects_only_m(w, g, m, v, t, lr, beta1, beta2, eps):
    m[...] = blend(m, g, beta1)
    v[...] = blend(v, g * g, beta2)
    adam_descend(w, m, v, lr / np.float32(1 - beta1**t), eps)


@adam_step.mistake("You corrected the bias of v only. m starts from zero too: divide by 1 - beta1^t.")
def adam_corrects_only_v(w, g, m, v, t, lr, beta1, beta2, eps):
    m[...] = blend(m, g, beta1)
    v[...] = blend(v, g * g, beta2)
    adam_descend(w, m, v, lr * np.sqrt(np.float32(1 - beta2**t)), eps)


@adam_step.mistake(
    "You corrected with 1 - beta2^t. v stands under a root, so its correction does too: sqrt(1 - beta2^t)."
)
def adam_corrects_without_the_root(w, g, m, v, t, lr, beta1, beta2, eps):
    m[...] = blend(m, g, beta1)
    v[...] = blend(v, g * g, beta2)
    adam_descend(w, m, v, np.float32(lr) * np.float32(1 - beta2**t) / np.float32(1 - beta1**t), eps)


@adam_step.mistake("You turned the correction over. m is too small, so it is divided by 1 - beta1^t.")
def adam_turns_the_correction_over(w, g, m, v, t, lr, beta1, beta2, eps):
    m[...] = blend(m, g, beta1)
    v[...] = blend(v, g * g, beta2)
    adam_descend(w, m, v, np.float32(lr) * np.float32(1 - beta1**t) / np.sqrt(np.float32(1 - beta2**t)), eps)


@adam_step.mistake("You corrected with beta * t. The share still missing after t steps is a power: beta^t.")
def adam_multiplies_by_t(w, g, m, v, t, lr, beta1, beta2, eps):
    m[...] = blend(m, g, beta1)
    v[...] = blend(v, g * g, beta2)
    alpha = np.float32(lr) * np.sqrt(np.float32(1 - beta2 * t)) / np.float32(1 - beta1 * t)
    adam_descend(w, m, v, alpha, eps)


@adam_step.mistake(
    "You corrected for step t + 1. Keras counts its iterations from 0 and adds one; t is already 1 at first."
)
def adam_counts_one_too_many(w, g, m, v, t, lr, beta1, beta2, eps):
    m[...] = blend(m, g, beta1)
    v[...] = blend(v, g * g, beta2)
    adam_descend(w, m, v, adam_alpha(t + 1, lr, beta1, beta2), eps)


@adam_step.mistake("You corrected for step t - 1, which is 0 / 0 in the first step. t is 1 there: use beta^t as it is.")
def adam_counts_one_too_few(w, g, m, v, t, lr, beta1, beta2, eps):
    m[...] = blend(m, g, beta1)
    v[...] = blend(v, g * g, beta2)
    adam_descend(w, m, v, adam_alpha(t - 1, lr, beta1, beta2), eps)


@adam_step.mistake("You corrected as if every step were the first: 1 - beta instead of 1 - beta^t.")
def adam_forgets_t(w, g, m, v, t, lr, beta1, beta2, eps):
    m[...] = blend(m, g, beta1)
    v[...] = blend(v, g * g, beta2)
    adam_descend(w, m, v, adam_alpha(1, lr, beta1, beta2), eps)


@adam_step.mistake("You swapped beta1 and beta2. beta1 belongs to m, the average of g; beta2 to v, that of g².")
def adam_swaps_the_betas(w, g, m, v, t, lr, beta1, beta2, eps):
    m[...] = blend(m, g, beta2)
    v[...] = blend(v, g * g, beta1)
    adam_descend(w, m, v, adam_alpha(t, lr, beta2, beta1), eps)


@adam_step.mistake("You swapped beta1 and beta2 in the correction. It is sqrt(1 - beta2^t) / (1 - beta1^t).")
def adam_swaps_the_corrections(w, g, m, v, t, lr, beta1, beta2, eps):
    m[...] = blend(m, g, beta1)
    v[...] = blend(v, g * g, beta2)
    adam_descend(w, m, v, adam_alpha(t, lr, beta2, beta1), eps)


@adam_step.mistake("You swapped beta and 1 - beta. beta is the share of the past, 1 - beta that of this gradient.")
def adam_swaps_the_shares(w, g, m, v, t, lr, beta1, beta2, eps):
    m[...] = blend(m, g, 1 - beta1)
    v[...] = blend(v, g * g, 1 - beta2)
    adam_descend(w, m, v, adam_alpha(t, lr, beta1, beta2), eps)


@adam_step.mistake("You averaged g in v. v is the average of the squares: g².")
def adam_forgets_the_square(w, g, m, v, t, lr, beta1, beta2, eps):
    m[...] = blend(m, g, beta1)
    v[...] = blend(v, g, beta2)
    adam_descend(w, m, v, adam_alpha(t, lr, beta1, beta2), eps)


@adam_step.mistake("You averaged m² in v. v follows the gradient's own square: g².")
def adam_squares_the_momentum(w, g, m, v, t, lr, beta1, beta2, eps):
    m[...] = blend(m, g, beta1)
    v[...] = blend(v, m * m, beta2)
    adam_descend(w, m, v, adam_alpha(t, lr, beta1, beta2), eps)


@adam_step.mistake("You divided by v itself. An average of squares needs a root: sqrt(v) + eps.")
def adam_forgets_the_root(w, g, m, v, t, lr, beta1, beta2, eps):
    m[...] = blend(m, g, beta1)
    v[...] = blend(v, g * g, beta2)
    w -= adam_alpha(t, lr, beta1, beta2) * m / (v + np.float32(eps))


@adam_step.mistake("You put eps inside the root. Keras's Adam (unlike its RMSprop) adds it outside: sqrt(v) + eps.")
def adam_puts_eps_inside(w, g, m, v, t, lr, beta1, beta2, eps):
    m[...] = blend(m, g, beta1)
    v[...] = blend(v, g * g, beta2)
    w -= adam_alpha(t, lr, beta1, beta2) * m / rms(v, eps)


@adam_step.mistake(
    "You corrected m and v first and added eps after that, the paper's other form. Keras adds eps to the root of the "
    "uncorrected v: alpha * m / (sqrt(v) + eps)."
)
def adam_adds_eps_after_correcting(w, g, m, v, t, lr, beta1, beta2, eps):
    m[...] = blend(m, g, beta1)
    v[...] = blend(v, g * g, beta2)
    adam_descend(w, m / np.float32(1 - beta1**t), v / np.float32(1 - beta2**t), np.float32(lr), eps)


@adam_step.mistake("You left eps out: 0 / 0 is nan, and tiny gradients make full steps. Divide by sqrt(v) + eps.")
def adam_forgets_eps(w, g, m, v, t, lr, beta1, beta2, eps):
    m[...] = blend(m, g, beta1)
    v[...] = blend(v, g * g, beta2)
    adam_descend(w, m, v, adam_alpha(t, lr, beta1, beta2), 0.0)


@adam_step.mistake("You stepped by g. The direction is the average m; only the length comes from v.")
def adam_is_rmsprop(w, g, m, v, t, lr, beta1, beta2, eps):
    m[...] = blend(m, g, beta1)
    v[...] = blend(v, g * g, beta2)
    adam_descend(w, g, v, adam_alpha(t, lr, beta1, beta2), eps)


@adam_step.mistake(
    "You stored the corrected averages in m and v, and would correct them again. The state stays uncorrected."
)
def adam_stores_the_correction(w, g, m, v, t, lr, beta1, beta2, eps):
    m[...] = blend(m, g, beta1)
    v[...] = blend(v, g * g, beta2)
    adam_descend(w, m, v, adam_alpha(t, lr, beta1, beta2), eps)
    m /= np.float32(1 - beta1**t)
    v /= np.float32(1 - beta2**t)


@adam_step.mistake("You stepped by the old m and v and updated them afterwards. Update both first.")
def adam_updates_late(w, g, m, v, t, lr, beta1, beta2, eps):
    adam_descend(w, m, v, adam_alpha(t, lr, beta1, beta2), eps)
    m[...] = blend(m, g, beta1)
    v[...] = blend(v, g * g, beta2)


@adam_step.mistake("The weights moved, but m and v are as they were: m = … makes a new array. Write into the old ones.")
def adam_keeps_the_old_state(w, g, m, v, t, lr, beta1, beta2, eps):
    adam_descend(w, blend(m, g, beta1), blend(v, g * g, beta2), adam_alpha(t, lr, beta1, beta2), eps)


@adam_step.mistake("m and v are right, but w is as it was: w = w - … makes a new array. Write into the old one.")
def adam_rebinds_w(w, g, m, v, t, lr, beta1, beta2, eps):
    m[...] = blend(m, g, beta1)
    v[...] = blend(v, g * g, beta2)


@adam_step.keras_twin
def adam_in_keras(keras, w, g, m, v, t, lr, beta1, beta2, eps):
    optimizer = keras.optimizers.Adam(learning_rate=lr, beta_1=beta1, beta_2=beta2, epsilon=eps)
    return after_one_step(keras, optimizer, w, g, m, v, t=t)


# --- the learning rate ----------------------------------------------------------------------------------------------

descent_path = chapter.exercise("descent_path", points=1, returns="path")


@descent_path.cases
def descent_path_cases(draw):
    yield Case("half of the way at every step", x0=0.0, lr=0.25, steps=3)
    yield Case("too small: the right way, but hardly any", x0=5.0, lr=0.001, steps=20)
    yield Case("stable, from the other side", x0=draw.number(4.0, 9.0), lr=0.1, steps=12)
    yield Case("stable, to and fro", x0=draw.number(-6.0, -1.0), lr=0.9, steps=15)
    yield Case("there in one step", x0=-2.5, lr=0.5, steps=4)
    yield Case("lr = 1: to and fro for ever", x0=1.0, lr=1.0, steps=5)
    yield Case("diverging", x0=2.5, lr=1.1, steps=15)
    yield Case("no step at all", x0=draw.number(-5.0, 5.0), lr=0.3, steps=0, hidden=True)
    yield Case("a single step", x0=draw.number(-5.0, 0.0), lr=0.2, steps=1, hidden=True)
    yield Case("it starts at the lowest point and stays", x0=3.0, lr=2.0, steps=6, hidden=True)
    yield Case("diverging fast", x0=draw.number(3.5, 9.0), lr=3.0, steps=9, hidden=True)


def walk(x0, steps, step):
    """The points from x0 on, each made from the one before."""
    path = [np.float32(x0)]
    for _ in range(steps):
        path.append(step(path[-1]))
    return np.array(path, np.float32)


@descent_path.mistake("You climbed: you added lr times the slope. The slope points uphill: subtract it.")
def path_climbs(x0, lr, steps):
    return walk(x0, steps, lambda x: x + lr * 2 * (x - 3))


@descent_path.mistake("Your slope lacks the factor 2. The derivative of (x - 3)² is 2 * (x - 3).")
def path_forgets_the_two(x0, lr, steps):
    return walk(x0, steps, lambda x: x - lr * (x - 3))


@descent_path.mistake("Your slope is 2 * x, that of x². The derivative of (x - 3)² is 2 * (x - 3).")
def path_forgets_the_shift(x0, lr, steps):
    return walk(x0, steps, lambda x: x - lr * 2 * x)


@descent_path.mistake("You kept the + 1 in the slope. A constant has no slope: dL/dx = 2 * (x - 3).")
def path_keeps_the_constant(x0, lr, steps):
    return walk(x0, steps, lambda x: x - lr * (2 * (x - 3) + 1))


@descent_path.mistake("You stepped by the loss itself. The step is lr times its slope, 2 * (x - 3).")
def path_steps_by_the_loss(x0, lr, steps):
    return walk(x0, steps, lambda x: x - lr * ((x - 3) ** 2 + 1))


@descent_path.mistake("You took the slope at x0 for every step. It changes: take it at the point where you are.")
def path_keeps_the_first_slope(x0, lr, steps):
    return walk(x0, steps, lambda x: x - lr * 2 * (x0 - 3))


@descent_path.mistake("You left the learning rate out. The step is lr times the slope.")
def path_forgets_the_rate(x0, lr, steps):
    return walk(x0, steps, lambda x: x - 2 * (x - 3))


@descent_path.mistake("You left the start out. It is the first of the steps + 1 points.")
def path_forgets_the_start(x0, lr, steps):
    return walk(x0, steps, lambda x: x - lr * 2 * (x - 3))[1:]


@descent_path.mistake("The last point is missing. The start and one point per step are steps + 1 points.")
def path_stops_early(x0, lr, steps):
    return walk(x0, steps, lambda x: x - lr * 2 * (x - 3))[: max(steps, 1)]


@descent_path.mistake("You returned the losses. The points x themselves are asked.")
def path_returns_the_losses(x0, lr, steps):
    return (walk(x0, steps, lambda x: x - lr * 2 * (x - 3)) - 3) ** 2 + 1


@descent_path.keras_twin
def path_in_keras(keras, x0, lr, steps):
    x = keras.module.Variable(np.array([x0], np.float32))
    optimizer = keras.optimizers.SGD(learning_rate=lr)
    path = [x0]
    for _ in range(steps):
        here = x.numpy()
        slope = keras.gradient(lambda x: keras.ops.sum((x - 3) ** 2 + 1), None, here)
        optimizer.apply([keras.ops.convert_to_tensor(slope)], [x])
        path.append(float(x.numpy()[0]))
    return np.array(path, np.float32)

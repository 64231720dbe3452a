"""Backpropagation and the training loop: cases, known mistakes and Keras twins."""

from __future__ import annotations

import numpy as np

from grader.draw import Function
from grader.exercise import Case, Chapter

chapter = Chapter("ch07_training", "Backpropagation and the training loop")


# --- numerical gradient ---------------------------------------------------------------------------------------------

numerical_gradient = chapter.exercise("numerical_gradient", points=2, returns="gradient", compiled=False)

SQUARES = Function("squares", "def squares(w):\n    return float(np.sum(w * w))\n")
CUBES = Function("cubes", "def cubes(w):\n    return float(np.sum(w**3))\n")
DISTANCES = Function("distances", "def distances(w):\n    return float(np.sum(np.abs(w)))\n")
PRODUCT = Function("product", "def product(w):\n    return float(np.prod(w))\n")
WAVES = Function(
    "waves",
    "def waves(w):\n    return float(np.sum(np.arange(1, w.size + 1).reshape(w.shape) * np.sin(w)))\n",
)
LAYER = Function(
    "layer",
    "def layer(w):\n"
    "    x = np.array([[1.0, 2.0, -1.0], [0.5, -1.5, 2.0]])\n"
    "    target = np.array([[1.0, -1.0], [0.0, 2.0]])\n"
    "    return float(np.mean((np.tanh(x @ w) - target) ** 2))\n",
)


@numerical_gradient.cases
def numerical_gradient_cases(draw):
    yield Case("a sum of squares", f=SQUARES, w=draw.array([3.0, -1.0]), eps=1e-3)
    yield Case("every element has its own slope", f=WAVES, w=draw.normal(5), eps=1e-4)
    yield Case("a step that float32 cannot take", f=SQUARES, w=draw.uniform(2.0, 3.0, 4), eps=1e-6)
    yield Case("elements that depend on each other", f=PRODUCT, w=draw.uniform(0.5, 2.0, 2, 3), eps=1e-3)
    yield Case("the weights of a layer, as a matrix", f=LAYER, w=draw.normal(3, 2), eps=1e-5)
    yield Case("a large step, which bends the result a little", f=CUBES, w=draw.normal(2, 3), eps=0.5)
    yield Case("a kink: both sides cancel", f=DISTANCES, w=draw.array([[0.0, -2.0], [0.5, 0.0]]), eps=1e-3, hidden=True)
    yield Case("a block of three axes", f=WAVES, w=draw.normal(2, 3, 4), eps=0.01, hidden=True)
    yield Case("no weights", f=SQUARES, w=draw.array(np.zeros((0, 3))), eps=1e-3, hidden=True)


def differences(f, w, eps, ahead, behind, distance):
    """(f(w + ahead) - f(w - behind)) / distance for every element, in w's own type."""
    gradient = np.zeros(w.shape, np.float32)
    for i in range(w.size):
        above, below = w.copy(), w.copy()
        above.flat[i] += ahead
        below.flat[i] -= behind
        gradient.flat[i] = (f(above) - f(below)) / distance
    return gradient


@numerical_gradient.mistake(
    "You looked to one side only: (f(w + eps) - f(w)) / eps. Central differences are more exact."
)
def looks_ahead_only(f, w, eps):
    return differences(f, w.astype(np.float64), eps, eps, 0, eps)


@numerical_gradient.mistake("You looked back only: (f(w) - f(w - eps)) / eps. Central differences take both sides.")
def looks_back_only(f, w, eps):
    return differences(f, w.astype(np.float64), eps, 0, eps, eps)


@numerical_gradient.mistake("You divided by eps. The two points are 2 * eps apart.")
def forgets_the_two(f, w, eps):
    return differences(f, w.astype(np.float64), eps, eps, eps, eps)


@numerical_gradient.mistake("You wrote … / 2 * eps, which multiplies by eps. Put brackets around (2 * eps).")
def forgets_the_brackets(f, w, eps):
    return differences(f, w.astype(np.float64), eps, eps, eps, 2 / eps)


@numerical_gradient.mistake("You did not divide by the distance. A slope is the difference divided by 2 * eps.")
def forgets_to_divide(f, w, eps):
    return differences(f, w.astype(np.float64), eps, eps, eps, 1)


@numerical_gradient.mistake("You nudged w in float32, where a small step is mostly rounding. Work on a float64 copy.")
def nudges_in_float32(f, w, eps):
    gradient = np.zeros(w.shape, np.float32)
    for i in range(w.size):
        above, below = w.copy(), w.copy()
        above.flat[i] += np.float32(eps)
        below.flat[i] -= np.float32(eps)
        gradient.flat[i] = (f(above) - f(below)) / (2 * eps)
    return gradient


@numerical_gradient.mistake("You have the difference the wrong way round: f(w + eps) - f(w - eps), not the reverse.")
def swaps_the_sides(f, w, eps):
    return -differences(f, w.astype(np.float64), eps, eps, eps, 2 * eps)


@numerical_gradient.mistake("You nudged all the elements at once. A gradient asks about one element at a time.")
def nudges_everything(f, w, eps):
    point = w.astype(np.float64)
    return np.full(w.shape, (f(point + eps) - f(point - eps)) / (2 * eps), np.float32)


@numerical_gradient.mistake("You left each element nudged and went on to the next one. Put its value back first.")
def leaves_elements_nudged(f, w, eps):
    point = w.astype(np.float64)
    gradient = np.zeros(w.shape, np.float32)
    for i in range(w.size):
        point.flat[i] += eps
        above = f(point)
        point.flat[i] -= 2 * eps
        gradient.flat[i] = (above - f(point)) / (2 * eps)
    return gradient


# --- relative error -------------------------------------------------------------------------------------------------

relative_error = chapter.exercise("relative_error", points=1, returns="error")


@relative_error.cases
def relative_error_cases(draw):
    yield Case("one of two agrees", a=draw.array([1, 2]), b=draw.array([1, 3]))
    yield Case("equal arrays", a=draw.array([1.5, -2, 0]), b=draw.array([1.5, -2, 0]))
    yield Case("a matrix", a=draw.normal(3, 4), b=draw.normal(3, 4))
    a = draw.uniform(0.5, 2.0, 2, 3, 4)
    yield Case("close together", a=a, b=a * draw.uniform(1.0, 1.2, 2, 3, 4))
    yield Case("close together and negative", a=-a, b=-a * draw.uniform(0.8, 1.0, 2, 3, 4))
    yield Case("two zeros agree", a=draw.array([0, 4]), b=draw.array([0, 5]))
    yield Case("the worst comes first, and the second is larger", a=draw.array([0.1, 10]), b=draw.array([0.2, 11]))
    yield Case("so small that the floor counts", a=draw.array([2e-9, 1e-9]), b=draw.array([1e-9, -2e-9]))
    yield Case("opposite signs", a=draw.array([3, -1]), b=draw.array([-3, -1]), hidden=True)
    yield Case("one of the two is zero", a=draw.array([0.0, 1.0]), b=draw.array([0.5, 1.0]), hidden=True)
    yield Case("no elements", a=draw.array(np.zeros((0, 3))), b=draw.array(np.zeros((0, 3))), hidden=True)
    yield Case("NaN is no agreement", a=draw.array([1, np.nan, 2]), b=draw.array([1, 3, 3]))


def quotients(a, b):
    return np.abs(a - b) / np.maximum(np.abs(a) + np.abs(b), np.float32(1e-8))


@relative_error.mistake("You divided by |b| alone. Divide by |a| + |b|: neither of the two is the right one for sure.")
def divides_by_the_second(a, b):
    return np.float32(np.max(np.abs(a - b) / np.maximum(np.abs(b), np.float32(1e-8)), initial=0))


@relative_error.mistake("You divided by the larger of |a| and |b|. Divide by their sum.")
def divides_by_the_larger(a, b):
    size = np.maximum(np.maximum(np.abs(a), np.abs(b)), np.float32(1e-8))
    return np.float32(np.max(np.abs(a - b) / size, initial=0))


@relative_error.mistake("You averaged. One wrong element hides in a mean: take the maximum.")
def averages_the_errors(a, b):
    return np.float32(np.mean(quotients(a, b))) if a.size else np.float32(0)


@relative_error.mistake("You added up the errors. The worst element counts: take the maximum.")
def adds_the_errors(a, b):
    return np.float32(np.sum(quotients(a, b)))


@relative_error.mistake("You did not divide: that is the absolute error. Divide by |a| + |b|.")
def returns_the_absolute_error(a, b):
    return np.float32(np.max(np.abs(a - b), initial=0))


@relative_error.mistake("You left out the floor: two zeros give 0 / 0. Divide by max(|a| + |b|, 1e-8).")
def forgets_the_floor(a, b):
    return np.float32(np.max(np.abs(a - b) / (np.abs(a) + np.abs(b)), initial=0))


@relative_error.mistake("You added 1e-8 instead of using it as a floor: max(|a| + |b|, 1e-8).")
def adds_the_floor(a, b):
    return np.float32(np.max(np.abs(a - b) / (np.abs(a) + np.abs(b) + np.float32(1e-8)), initial=0))


@relative_error.mistake("You forgot the absolute value: where a is below b, the error is not negative.")
def forgets_the_absolute_value(a, b):
    return np.float32(np.max((a - b) / np.maximum(np.abs(a) + np.abs(b), np.float32(1e-8)), initial=0))


@relative_error.mistake("You divided |a - b| by |a + b|, where opposite signs cancel. Take |a| + |b|.")
def divides_by_the_cancelled_sum(a, b):
    return np.float32(np.max(np.abs(a - b) / np.maximum(np.abs(a + b), np.float32(1e-8)), initial=0))


@relative_error.mistake(
    "You divided the largest difference by the largest size. Each element has a quotient of its own."
)
def divides_the_maxima(a, b):
    largest = np.max(np.abs(a) + np.abs(b), initial=1e-8)
    return np.float32(np.max(np.abs(a - b), initial=0) / largest)


@relative_error.mistake("You compared the arrays' norms. A norm hides one wrong element: take the worst quotient.")
def compares_the_norms(a, b):
    size = np.linalg.norm(a) + np.linalg.norm(b)
    return np.float32(np.linalg.norm(a - b) / max(size, 1e-8))


@relative_error.mistake("A comparison with NaN is false, so you skipped the NaN. If any quotient is NaN, return NaN.")
def skips_nan(a, b):
    errors = quotients(a, b)
    return np.float32(np.max(errors[~np.isnan(errors)], initial=0))


# --- the network ----------------------------------------------------------------------------------------------------


def draw_params(draw, d_in, units, num_classes):
    """Weights and biases of a dense-relu-dense-softmax network; no bias is zero, so that none can be forgotten."""
    w1, b1 = draw.normal(d_in, units, scale=d_in**-0.5), draw.normal(units, scale=0.5)
    return w1, b1, draw.normal(units, num_classes, scale=units**-0.5), draw.normal(num_classes, scale=0.5)


def tiny_network(draw):
    """A sample and a network whose second unit is off."""
    w1, w2 = draw.array([[1, -1], [1, 0]]), draw.array([[1, 0], [0, 5]])
    return draw.array([[1, 2]]), (w1, draw.array([0, 0]), w2, draw.array([0, 2]))


def soften(logits):
    e = np.exp(logits - logits.max(axis=1, keepdims=True, initial=-np.inf))
    return e / e.sum(axis=1, keepdims=True)


def forward(x, params):
    w1, b1, w2, b2 = params
    hidden = np.maximum(x @ w1 + b1, 0)
    return soften(hidden @ w2 + b2), hidden


def one_hot_like(probabilities, labels):
    return np.eye(probabilities.shape[1], dtype=probabilities.dtype)[labels]


def mean_loss(labels, probabilities):
    return -np.mean(np.log(probabilities[np.arange(len(labels)), labels]))


def propagate(dlogits, x, hidden, params):
    """The gradients of all parameters, from the gradient of the scores."""
    dhidden = np.where(hidden > 0, dlogits @ params[2].T, 0)
    return x.T @ dhidden, dhidden.sum(axis=0), hidden.T @ dlogits, dlogits.sum(axis=0)


def scores_gradient(labels, probabilities):
    return (probabilities - one_hot_like(probabilities, labels)) / np.float32(len(labels))


mlp_forward = chapter.exercise(
    "mlp_forward",
    points=2,
    returns=("probabilities", "hidden"),
    requires=("ch05_dense.dense_forward", "ch03_activations.relu", "ch03_activations.softmax"),
)


@mlp_forward.cases
def mlp_forward_cases(draw):
    x, params = tiny_network(draw)
    yield Case("one sample, one unit is off", x=x, params=params)
    yield Case("a batch of 4", x=draw.normal(4, 6), params=draw_params(draw, 6, 5, 3))
    yield Case("all sides equal", x=draw.normal(3, 3), params=draw_params(draw, 3, 3, 3))
    yield Case("more classes than units", x=draw.normal(7, 2), params=draw_params(draw, 2, 3, 8))
    yield Case("scores around 1000", x=draw.normal(3, 4, scale=1000.0), params=draw_params(draw, 4, 6, 3))
    yield Case("one unit, one input", x=draw.normal(5, 1), params=draw_params(draw, 1, 1, 2), hidden=True)
    yield Case("an empty batch", x=draw.normal(0, 4), params=draw_params(draw, 4, 5, 3), hidden=True)
    yield Case("65 units", x=draw.normal(129, 70), params=draw_params(draw, 70, 65, 10), large=True)


@mlp_forward.mistake("You left out the ReLU. Two dense layers without one are still a single straight layer.")
def forgets_the_relu(x, params):
    w1, b1, w2, b2 = params
    hidden = x @ w1 + b1
    return soften(hidden @ w2 + b2), hidden


@mlp_forward.mistake("Your probabilities are right, but hidden is the ReLU's input. Return what comes out of the ReLU.")
def returns_hidden_before_relu(x, params):
    return forward(x, params)[0], x @ params[0] + params[1]


@mlp_forward.mistake("You returned the scores. The last layer's activation is a softmax.")
def forgets_the_softmax(x, params):
    hidden = forward(x, params)[1]
    return hidden @ params[2] + params[3], hidden


@mlp_forward.mistake("You put a ReLU before the softmax. A score may be negative: that is an unlikely class.")
def cuts_the_scores(x, params):
    hidden = forward(x, params)[1]
    return soften(np.maximum(hidden @ params[2] + params[3], 0)), hidden


@mlp_forward.mistake("You applied the softmax twice. The second one makes nearly equal probabilities of any others.")
def softens_twice(x, params):
    probabilities, hidden = forward(x, params)
    return soften(probabilities), hidden


@mlp_forward.mistake("You used sigmoids in the last layer. Exactly one class is right here: that calls for a softmax.")
def ends_with_sigmoids(x, params):
    hidden = forward(x, params)[1]
    return 1 / (1 + np.exp(-(hidden @ params[2] + params[3]))), hidden


@mlp_forward.mistake("You left out the biases. Each dense layer adds its own: b1 and b2.")
def forgets_both_biases(x, params):
    w1, _, w2, _ = params
    hidden = np.maximum(x @ w1, 0)
    return soften(hidden @ w2), hidden


@mlp_forward.mistake("You added b1 after the ReLU. The bias belongs to the dense layer: relu(x @ w1 + b1).")
def adds_b1_after_relu(x, params):
    w1, b1, w2, b2 = params
    hidden = np.maximum(x @ w1, 0) + b1
    return soften(hidden @ w2 + b2), hidden


@mlp_forward.mistake("You returned (hidden, probabilities). The order is probabilities, hidden.")
def returns_hidden_first(x, params):
    return forward(x, params)[::-1]


@mlp_forward.mistake("exp overflowed in the softmax. Subtract each row's largest score first.")
def overflows_in_the_softmax(x, params):
    hidden = forward(x, params)[1]
    e = np.exp(hidden @ params[2] + params[3])
    return e / e.sum(axis=1, keepdims=True), hidden


def sequential(keras, params):
    """The same network as a Keras model, with these very weights."""
    units, num_classes = params[2].shape
    layers = [keras.layers.Dense(units, activation="relu"), keras.layers.Dense(num_classes, activation="softmax")]
    model = keras.module.Sequential(layers)
    model.build((None, params[0].shape[0]))
    model.set_weights(list(params))
    return model


@mlp_forward.keras_twin
def mlp_forward_in_keras(keras, x, params):
    model = sequential(keras, params)
    return model(x), model.layers[0](x)


mlp_backward = chapter.exercise(
    "mlp_backward",
    points=3,
    returns=("dw1", "db1", "dw2", "db2"),
    requires=("ch05_dense.dense_backward", "ch03_activations.relu_backward"),
)


def backward_case(rationale, labels, x, params, **facts):
    """A case whose hidden layer and probabilities are what the forward pass leaves behind."""
    probabilities, hidden = (np.ascontiguousarray(part, np.float32) for part in forward(x, params))
    case = Case(rationale, **facts)
    # set afterwards: the argument `hidden` has the name of the case's own flag
    case.arguments = {"labels": labels, "x": x, "hidden": hidden, "probabilities": probabilities, "params": params}
    return case


@mlp_backward.cases
def mlp_backward_cases(draw):
    yield backward_case("one sample, one unit is off", np.array([1]), *tiny_network(draw))
    for n, d_in, units, num_classes in ((4, 6, 5, 3), (7, 2, 3, 8), (3, 3, 3, 3)):
        rationale = f"{n} samples, {d_in} inputs, {units} units, {num_classes} classes"
        params = draw_params(draw, d_in, units, num_classes)
        yield backward_case(rationale, draw.labels(n, num_classes), draw.normal(n, d_in), params)
    x, (w1, b1, w2, b2) = draw.normal(6, 5), draw_params(draw, 5, 4, 3)
    yield backward_case("every sample of the same class", np.full(6, 2), x, (w1, b1, w2, b2), hidden=True)
    yield backward_case("all units are off", draw.labels(6, 3), x, (w1, b1 - 100, w2, b2), hidden=True)
    x, params = draw.normal(129, 70), draw_params(draw, 70, 65, 10)
    yield backward_case("65 units", draw.labels(129, 10), x, params, large=True)


@mlp_backward.mistake("You did not average: the loss is a mean over the batch, so dlogits is divided by n.")
def forgets_the_mean(labels, x, hidden, probabilities, params):
    return propagate(probabilities - one_hot_like(probabilities, labels), x, hidden, params)


@mlp_backward.mistake("You divided by n twice. Once in dlogits is enough: the gradients of the layers are sums.")
def averages_twice(labels, x, hidden, probabilities, params):
    return propagate(scores_gradient(labels, probabilities) / np.float32(len(labels)), x, hidden, params)


@mlp_backward.mistake("You averaged over the classes too. The loss is a mean over the n samples only.")
def averages_over_the_classes(labels, x, hidden, probabilities, params):
    dlogits = scores_gradient(labels, probabilities) / np.float32(probabilities.shape[1])
    return propagate(dlogits, x, hidden, params)


@mlp_backward.mistake(
    "The gradients of the biases are means in your code. They are sums over the batch: n is in dlogits already."
)
def averages_the_bias_gradients(labels, x, hidden, probabilities, params):
    dw1, db1, dw2, db2 = propagate(scores_gradient(labels, probabilities), x, hidden, params)
    n = np.float32(len(labels))
    return dw1, db1 / n, dw2, db2 / n


@mlp_backward.mistake(
    "You left out the ReLU on the way back. Where hidden is 0, the unit was off and gets no gradient."
)
def forgets_the_mask(labels, x, hidden, probabilities, params):
    dlogits = scores_gradient(labels, probabilities)
    dhidden = dlogits @ params[2].T
    return x.T @ dhidden, dhidden.sum(axis=0), hidden.T @ dlogits, dlogits.sum(axis=0)


@mlp_backward.mistake(
    "You masked by the gradient's sign. The ReLU lets through where hidden > 0, whatever the gradient is."
)
def masks_by_the_gradient(labels, x, hidden, probabilities, params):
    dlogits = scores_gradient(labels, probabilities)
    dhidden = np.maximum(dlogits @ params[2].T, 0)
    return x.T @ dhidden, dhidden.sum(axis=0), hidden.T @ dlogits, dlogits.sum(axis=0)


@mlp_backward.mistake("You multiplied by hidden instead of its mask. The derivative of a ReLU is 1 where it was on.")
def multiplies_by_hidden(labels, x, hidden, probabilities, params):
    dlogits = scores_gradient(labels, probabilities)
    dhidden = (dlogits @ params[2].T) * hidden
    return x.T @ dhidden, dhidden.sum(axis=0), hidden.T @ dlogits, dlogits.sum(axis=0)


@mlp_backward.mistake("You subtracted the wrong way round. dlogits = probabilities - one_hot: yours walks uphill.")
def flips_the_gradient(labels, x, hidden, probabilities, params):
    return propagate(-scores_gradient(labels, probabilities), x, hidden, params)


@mlp_backward.mistake(
    "You did not subtract the one-hot labels. The right class's score has the gradient probability - 1."
)
def forgets_the_labels(labels, x, hidden, probabilities, params):
    return propagate(probabilities / np.float32(len(labels)), x, hidden, params)


@mlp_backward.mistake(
    "You went through the softmax twice: probabilities - one_hot is its gradient already, loss included."
)
def passes_softmax_again(labels, x, hidden, probabilities, params):
    upstream = scores_gradient(labels, probabilities)
    weighted = np.sum(upstream * probabilities, axis=1, keepdims=True)
    return propagate(probabilities * (upstream - weighted), x, hidden, params)


@mlp_backward.mistake(
    "You reshaped w2 instead of transposing it. Reshaping leaves the numbers in their old order: w2.T."
)
def reshapes_w2(labels, x, hidden, probabilities, params):
    dlogits = scores_gradient(labels, probabilities)
    dhidden = np.where(hidden > 0, dlogits @ params[2].reshape(params[2].shape[::-1]), 0)
    return x.T @ dhidden, dhidden.sum(axis=0), hidden.T @ dlogits, dlogits.sum(axis=0)


@mlp_backward.mistake("You returned the second layer first. The order is that of params: dw1, db1, dw2, db2.")
def returns_the_second_layer_first(labels, x, hidden, probabilities, params):
    dw1, db1, dw2, db2 = propagate(scores_gradient(labels, probabilities), x, hidden, params)
    return dw2, db2, dw1, db1


@mlp_backward.objective
def mlp_objective(labels, x, hidden, probabilities, params):
    points = dict(zip(("dw1", "db1", "dw2", "db2"), params, strict=True))
    return lambda *params: mean_loss(labels, forward(x, params)[0]), points


@mlp_backward.keras_twin
def mlp_gradient_in_keras(keras, labels, x, hidden, probabilities, params):
    crossentropy = keras.losses.SparseCategoricalCrossentropy(from_logits=True)

    def loss(w1, b1, w2, b2):
        logits = keras.ops.matmul(keras.ops.relu(keras.ops.matmul(x, w1) + b1), w2) + b2
        return crossentropy(labels, logits)

    return keras.gradient(loss, None, *params)


# --- one epoch ------------------------------------------------------------------------------------------------------

train_epoch = chapter.exercise(
    "train_epoch",
    points=3,
    returns="losses",
    changes="params",
    requires=(
        "mlp_forward",
        "mlp_backward",
        "ch04_losses.sparse_categorical_crossentropy",
        "ch06_optimizers.sgd_step",
    ),
)


def task(draw, n, d_in, units, num_classes):
    """Samples, labels, a network, and an order to visit the samples in."""
    return {
        "x": draw.normal(n, d_in),
        "labels": draw.labels(n, num_classes),
        "params": draw_params(draw, d_in, units, num_classes),
        "order": draw.order(n),
    }


@train_epoch.cases
def train_epoch_cases(draw):
    _, params = tiny_network(draw)
    x, labels = draw.array([[1, 2], [-1, 0], [0, 1]]), np.array([1, 0, 1])
    yield Case(
        "three samples, one batch", x=x, labels=labels, params=params, order=np.array([2, 0, 1]), batch_size=3, lr=0.1
    )
    data = task(draw, 7, 4, 5, 3)
    yield Case("a short last batch", **data, batch_size=3, lr=0.5)
    yield Case("the same data in their own order", **{**data, "order": np.arange(7)}, batch_size=3, lr=0.5)
    yield Case("batches that fit exactly", **task(draw, 8, 3, 4, 2), batch_size=4, lr=0.1)
    yield Case("one sample at a time", **task(draw, 5, 3, 4, 3), batch_size=1, lr=0.2)
    yield Case("a batch size larger than the data", **task(draw, 4, 2, 3, 4), batch_size=9, lr=1.0, hidden=True)
    yield Case("no learning rate, no change", **task(draw, 6, 3, 4, 3), batch_size=4, lr=0.0, hidden=True)
    yield Case("one sample left over", **task(draw, 9, 5, 4, 3), batch_size=4, lr=0.3, hidden=True)
    yield Case("200 samples, 65 units", **task(draw, 200, 70, 65, 10), batch_size=64, lr=0.1, large=True)


def cut(order, batch_size):
    return [order[start : start + batch_size] for start in range(0, len(order), batch_size)]


def descend(params, gradients, lr):
    for w, dw in zip(params, gradients, strict=True):
        w -= np.float32(lr) * dw


def epoch(x, labels, params, batches, lr, scale=lambda rows: 1.0):
    """A right epoch over these batches, but for a factor on each batch's gradient; the losses before the updates."""
    losses = []
    for rows in batches:
        probabilities, hidden = forward(x[rows], params)
        losses.append(mean_loss(labels[rows], probabilities))
        gradients = propagate(scores_gradient(labels[rows], probabilities), x[rows], hidden, params)
        descend(params, gradients, lr * scale(rows))
    return np.array(losses, np.float32)


@train_epoch.mistake(
    "You took the samples as they lie. Visit them in the given order: x[order[…]] and labels[order[…]]."
)
def ignores_the_order(x, labels, params, order, batch_size, lr):
    return epoch(x, labels, params, cut(np.arange(len(order)), batch_size), lr)


@train_epoch.mistake("You put x into the given order, but not the labels. A sample and its label move together.")
def orders_only_x(x, labels, params, order, batch_size, lr):
    return epoch(x[order], labels, params, cut(np.arange(len(order)), batch_size), lr)


@train_epoch.mistake("You dropped the short last batch. Every sample is visited once: round the number of batches up.")
def drops_the_last_batch(x, labels, params, order, batch_size, lr):
    return epoch(x, labels, params, cut(order, batch_size)[: len(order) // batch_size], lr)


@train_epoch.mistake("You divided the short batch's gradient by batch_size. Divide by the samples that it really has.")
def averages_over_the_full_size(x, labels, params, order, batch_size, lr):
    return epoch(x, labels, params, cut(order, batch_size), lr, scale=lambda rows: len(rows) / batch_size)


@train_epoch.mistake(
    "You divided the short batch's loss by batch_size. It is a mean over the samples that it really has."
)
def averages_the_loss_over_the_full_size(x, labels, params, order, batch_size, lr):
    batches = cut(order, batch_size)
    shares = np.array([len(rows) / batch_size for rows in batches], np.float32)
    return epoch(x, labels, params, batches, lr) * shares


@train_epoch.mistake("You walked with the sum of the batch's gradients. The loss is a mean, and so is its gradient.")
def sums_the_gradients(x, labels, params, order, batch_size, lr):
    return epoch(x, labels, params, cut(order, batch_size), lr, scale=len)


@train_epoch.mistake(
    "You divided by the batch size once more in the update. The gradient is a mean already: w - lr * dw."
)
def averages_again_in_the_update(x, labels, params, order, batch_size, lr):
    return epoch(x, labels, params, cut(order, batch_size), lr, scale=lambda rows: 1 / len(rows))


@train_epoch.mistake("You walked uphill. The gradient points to a larger loss: subtract lr * dw.")
def adds_the_gradient(x, labels, params, order, batch_size, lr):
    return epoch(x, labels, params, cut(order, batch_size), lr, scale=lambda rows: -1.0)


@train_epoch.mistake("You left out the learning rate. The step is lr * dw, not dw.")
def forgets_the_learning_rate(x, labels, params, order, batch_size, lr):
    return epoch(x, labels, params, cut(order, batch_size), 1.0)


@train_epoch.mistake("You measured each batch's loss after its update. It is the loss that led to the update: before.")
def measures_after_the_update(x, labels, params, order, batch_size, lr):
    losses = []
    for rows in cut(order, batch_size):
        epoch(x, labels, params, [rows], lr)
        losses.append(mean_loss(labels[rows], forward(x[rows], params)[0]))
    return np.array(losses, np.float32)


@train_epoch.mistake(
    "You returned the mean of the losses so far, as Keras's progress bar shows it. Return each batch's own."
)
def returns_running_means(x, labels, params, order, batch_size, lr):
    losses = epoch(x, labels, params, cut(order, batch_size), lr)
    return (np.cumsum(losses) / np.arange(1, len(losses) + 1)).astype(np.float32)


@train_epoch.mistake(
    "You updated copies: `w = w - lr * dw` makes a new array. Write into the old one, as sgd_step does."
)
def updates_copies(x, labels, params, order, batch_size, lr):
    return epoch(x, labels, tuple(w.copy() for w in params), cut(order, batch_size), lr)


@train_epoch.mistake("You never updated the weights. After every batch each parameter takes one sgd_step.")
def never_updates(x, labels, params, order, batch_size, lr):
    return epoch(x, labels, params, cut(order, batch_size), 0.0)


@train_epoch.mistake("You updated the weights, but not the biases. All four parameters learn.")
def forgets_to_update_the_biases(x, labels, params, order, batch_size, lr):
    losses = []
    for rows in cut(order, batch_size):
        b1, b2 = params[1].copy(), params[3].copy()
        losses.append(epoch(x, labels, params, [rows], lr)[0])
        params[1][:], params[3][:] = b1, b2
    return np.array(losses, np.float32)


@train_epoch.mistake(
    "You updated only once, after the last batch. Stochastic gradient descent steps after every batch."
)
def updates_once_per_epoch(x, labels, params, order, batch_size, lr):
    start = tuple(w.copy() for w in params)
    losses = []
    for rows in cut(order, batch_size):
        probabilities, hidden = forward(x[rows], start)
        losses.append(mean_loss(labels[rows], probabilities))
        descend(params, propagate(scores_gradient(labels[rows], probabilities), x[rows], hidden, start), lr)
    return np.array(losses, np.float32)


@train_epoch.mistake("You updated w2 before the gradient had passed through it. Compute all four gradients first.")
def updates_w2_too_early(x, labels, params, order, batch_size, lr):
    losses = []
    for rows in cut(order, batch_size):
        probabilities, hidden = forward(x[rows], params)
        losses.append(mean_loss(labels[rows], probabilities))
        dlogits = scores_gradient(labels[rows], probabilities)
        descend(params[2:], propagate(dlogits, x[rows], hidden, params)[2:], lr)
        descend(params[:2], propagate(dlogits, x[rows], hidden, params)[:2], lr)
    return np.array(losses, np.float32)


@train_epoch.keras_twin
def train_epoch_in_keras(keras, x, labels, params, order, batch_size, lr):
    model = sequential(keras, params)
    model.compile(keras.optimizers.SGD(lr), "sparse_categorical_crossentropy", run_eagerly=True)
    losses = []
    for rows in cut(order, batch_size):
        losses.append(float(model.evaluate(x[rows], labels[rows], batch_size=len(rows), verbose=0)))
        model.train_on_batch(x[rows], labels[rows])
    return np.array(losses, np.float32), tuple(model.get_weights())


# --- early stopping -------------------------------------------------------------------------------------------------

early_stopping_epoch = chapter.exercise("early_stopping_epoch", points=2, returns="epoch")


@early_stopping_epoch.cases
def early_stopping_cases(draw):
    def losses(*values):
        return draw.array(values)

    yield Case("better again, but too late", val_losses=losses(1.0, 0.8, 0.9, 0.8, 0.7), patience=2)
    yield Case("it falls all the time", val_losses=losses(1.0, 0.8, 0.6, 0.5), patience=1)
    yield Case("better again, just in time", val_losses=losses(1.0, 0.9, 0.8, 0.7, 0.9, 0.8, 0.6, 0.9), patience=3)
    yield Case(
        "below the epoch before, not below the best", val_losses=losses(0.5, 0.9, 0.8, 0.7, 0.6, 0.4), patience=3
    )
    yield Case("two bad spells with a record in between", val_losses=losses(9, 8, 9, 7, 8, 8, 8, 8, 1), patience=3)
    yield Case("no patience", val_losses=losses(1.0, 0.9, 0.95, 0.5), patience=1)
    yield Case("patience ends with the last epoch", val_losses=losses(0.9, 0.7, 0.8, 0.8), patience=2)
    yield Case("patience outlasts the epochs", val_losses=losses(0.9, 0.7, 0.8, 0.8), patience=3)
    yield Case("an equal loss is no improvement", val_losses=losses(0.5, 0.5, 0.5, 0.5, 0.5), patience=2, hidden=True)
    for patience in (2, 4):
        curve = np.linspace(1.0, 0.6, 20, dtype=np.float32) + draw.normal(20, scale=0.1)
        yield Case(f"a noisy curve, patience {patience}", val_losses=curve, patience=patience, hidden=True)
    yield Case("a single epoch", val_losses=losses(0.7), patience=1, hidden=True)
    yield Case("the first epoch was the best", val_losses=losses(0.1, 0.5, 0.4, 0.3, 0.2), patience=3, hidden=True)
    yield Case(
        "NaN is no improvement", val_losses=losses(0.9, np.nan, 0.8, np.nan, np.nan, 0.1), patience=2, hidden=True
    )
    yield Case("patience 0 is that of 1", val_losses=losses(0.9, 0.7, 0.8, 0.6, 0.9), patience=0, hidden=True)
    yield Case("NaN from the start", val_losses=losses(np.nan, 0.5, 0.4, 0.3, 0.2), patience=3, hidden=True)


def stop(val_losses, patience, improves=np.less, first_wait=0):
    """Early stopping with another idea of what an improvement is, or of how long to wait."""
    best, waited = val_losses[0], first_wait
    for epoch in range(1, len(val_losses)):
        if improves(val_losses[epoch], best):
            best, waited = val_losses[epoch], first_wait
        else:
            waited += 1
            if waited >= patience:
                return epoch
    return len(val_losses) - 1


@early_stopping_epoch.mistake(
    "You stopped one epoch too late: stop as soon as `patience` epochs in a row were no better."
)
def stops_one_late(val_losses, patience):
    return stop(val_losses, patience + 1)


@early_stopping_epoch.mistake("You stopped one epoch too early: the best epoch itself does not count as waiting.")
def stops_one_early(val_losses, patience):
    return stop(val_losses, patience, first_wait=1)


@early_stopping_epoch.mistake(
    "You stopped at the first epoch that was no better. Wait for `patience` of them in a row."
)
def ignores_patience(val_losses, patience):
    return stop(val_losses, 1)


@early_stopping_epoch.mistake("You counted an equal loss as an improvement. Keras wants it to be below the best.")
def accepts_an_equal_loss(val_losses, patience):
    return stop(val_losses, patience, improves=np.less_equal)


@early_stopping_epoch.mistake(
    "You waited for the loss to rise: that is for an accuracy. A loss gets better by falling."
)
def waits_for_a_rise(val_losses, patience):
    return stop(val_losses, patience, improves=np.greater)


@early_stopping_epoch.mistake("You compared with the epoch before. Compare with the best loss so far.")
def compares_with_the_epoch_before(val_losses, patience):
    waited = 0
    for epoch in range(1, len(val_losses)):
        waited = 0 if val_losses[epoch] < val_losses[epoch - 1] else waited + 1
        if waited >= patience:
            return epoch
    return len(val_losses) - 1


@early_stopping_epoch.mistake("You never reset the counter. A new best starts the waiting anew.")
def never_resets(val_losses, patience):
    best, waited = val_losses[0], 0
    for epoch in range(1, len(val_losses)):
        if val_losses[epoch] < best:
            best = val_losses[epoch]
        else:
            waited += 1
            if waited >= patience:
                return epoch
    return len(val_losses) - 1


@early_stopping_epoch.mistake("You reset the counter, but did not remember the new best loss. Do both.")
def never_remembers_the_best(val_losses, patience):
    waited = 0
    for epoch in range(1, len(val_losses)):
        waited = 0 if val_losses[epoch] < val_losses[0] else waited + 1
        if waited >= patience:
            return epoch
    return len(val_losses) - 1


@early_stopping_epoch.mistake("You counted the epochs from 1. The first epoch has the number 0.")
def counts_epochs_from_one(val_losses, patience):
    return stop(val_losses, patience) + 1


@early_stopping_epoch.mistake("You returned the best epoch. Asked is the epoch after which the training stops.")
def returns_the_best_epoch(val_losses, patience):
    return int(np.argmin(val_losses[: stop(val_losses, patience) + 1]))


@early_stopping_epoch.mistake(
    "A training that never stops early ends with its last epoch, number epochs - 1, not epochs."
)
def ends_after_the_last_epoch(val_losses, patience):
    last = stop(val_losses, patience)
    never = last == len(val_losses) - 1 and stop(np.append(val_losses, np.float32(np.inf)), patience) != last
    return last + 1 if never else last


@early_stopping_epoch.keras_twin
def early_stopping_in_keras(keras, val_losses, patience):
    model = keras.module.Sequential()
    model.stop_training = False
    stopping = keras.callbacks.EarlyStopping(monitor="val_loss", mode="min", patience=patience)
    stopping.set_model(model)
    stopping.on_train_begin()
    for epoch, loss in enumerate(val_losses):
        stopping.on_epoch_end(epoch, {"val_loss": loss})
        if model.stop_training:
            return epoch
    return len(val_losses) - 1


# --- smoothing ------------------------------------------------------------------------------------------------------

smooth_curve = chapter.exercise("smooth_curve", points=1, returns="smoothed")


@smooth_curve.cases
def smooth_curve_cases(draw):
    yield Case("three points, half and half", points=draw.array([1, 2, 3]), factor=0.5)
    yield Case("Chollet's factor of 0.9", points=draw.uniform(0.5, 1.5, 12), factor=0.9)
    yield Case("a curve with negative values", points=draw.normal(9), factor=0.3)
    yield Case("factor 0 changes nothing", points=draw.normal(5), factor=0.0)
    yield Case("a single point", points=draw.array([4]), factor=0.8)
    yield Case("factor 1 never leaves the first point", points=draw.normal(5), factor=1.0, hidden=True)
    yield Case("no points", points=draw.array([]), factor=0.9, hidden=True)
    yield Case("80 epochs", points=draw.uniform(2.0, 3.0, 80), factor=draw.number(0.6, 0.95), hidden=True)


def average(points, keep, add, start=None):
    """The recursion smoothed = keep * smoothed + add * point; from `start`, or from the first point as it is."""
    smoothed = []
    for point in points:
        if smoothed:
            smoothed.append(keep * smoothed[-1] + add * point)
        else:
            smoothed.append(point if start is None else keep * start + add * point)
    return np.array(smoothed, np.float32)


@smooth_curve.mistake("You swapped the two factors: the curve so far keeps `factor`, the new point adds 1 - factor.")
def swaps_the_factors(points, factor):
    return average(points, 1 - factor, factor)


@smooth_curve.mistake(
    "You let the average start from 0, which pulls the first points down. The first point stays as it is."
)
def starts_from_zero(points, factor):
    return average(points, factor, 1 - factor, start=0.0)


@smooth_curve.mistake("You forgot 1 - factor: the weights of old and new must add up to one, or the curve grows.")
def forgets_the_complement(points, factor):
    return average(points, factor, 1.0)


@smooth_curve.mistake("You built on the last raw point. Build on the last smoothed one: that carries the whole past.")
def builds_on_raw_points(points, factor):
    smoothed = points.copy()
    smoothed[1:] = points[:-1] * factor + points[1:] * (1 - factor)
    return smoothed


@smooth_curve.mistake(
    "You corrected for a start from zero, as Adam does. This average starts from the first point instead."
)
def corrects_the_start(points, factor):
    steps = np.arange(1, len(points) + 1)
    weight = 1 - factor**steps if factor < 1 else np.ones(len(points))
    return (average(points, factor, 1 - factor, start=0.0) / weight).astype(np.float32)


@smooth_curve.mistake(
    "You averaged all points so far. Here old points count less and less: previous * factor + point * (1 - factor)."
)
def averages_everything(points, factor):
    return (np.cumsum(points) / np.arange(1, len(points) + 1)).astype(np.float32)


@smooth_curve.mistake("You left out the first point. The smoothed curve has as many points as the raw one.")
def drops_the_first_point(points, factor):
    return average(points, factor, 1 - factor)[1:]


@smooth_curve.mistake("You returned the points as they are. Each one keeps `factor` of the smoothed point before it.")
def smooths_nothing(points, factor):
    return points.copy()

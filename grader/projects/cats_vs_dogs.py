"""The convolutional network on photographs of cats and dogs: held against a run of Keras, four ways.

1. `predict` with the weights that Keras trained gives Keras's answers to the whole test set.
2. `train_step` and `fast_step` from Keras's initial weights, on Keras's first batch, give Keras's squared gradients and
   new weights.
3. `train_epoch` in Keras's order follows Keras's loss from batch to batch.
4. `train` from scratch judges as many photos rightly as it should after a few epochs, without augmentation. With it a
   training that pays takes minutes: it is for the tests, and the small cases ask for it.

Which run of Keras it is follows from the data that is here: the photos, or the bundled sample. Beside the recorded
cases every exercise has small ones, on which a mistake is cheap to recognise. Their kernels are smaller than 3 x 3
where that is possible, and so are their images.
"""

from __future__ import annotations

import functools

import numpy as np

from datasets.recipes.cats_vs_dogs import FILTERS, HIDDEN, recipe, scaled
from grader.chapters.ch15_augmentation import all_changes, changed, draw_changes
from grader.draw import Generator
from grader.exercise import Case, Chapter
from grader.goal import AtLeast, Follows
from grader.projects import convolutions
from grader.projects.cases import EXAMPLE, RATES, draw_slots, small_epochs
from grader.projects.convolutions import (
    BACKWARD_MISTAKES,
    FORWARD_MISTAKES,
    INITIAL_MISTAKES,
    backward_mistake,
    convolve,
    convolve_backward,
    flat,
    forward_mistake,
    initial_mistake,
    kernel_of,
    pool,
    rectify,
    unpool,
)
from grader.projects.run import no_slots, run
from grader.projects.training import (
    EPOCH_MISTAKES,
    STEP_MISTAKES,
    TRAIN_MISTAKES,
    Training,
    glorot,
    share,
    with_zero_biases,
)

NAME = "cats_vs_dogs"
chapter = Chapter(f"projects.{NAME}", "Project: cats and dogs from scratch")

COMPILING = 120  # seconds for a first call: the fast functions take 40 to compile on an idle machine
PIECE = 50  # photos that go through the grader's own network at once
GRADIENTS = ("dk1", "db1", "dk2", "db2", "dk3", "db3", "dw4", "db4", "dw5", "db5")
PARAMS = ("k1", "b1", "k2", "b2", "k3", "b3", "w4", "b4", "w5", "b5")

# Two right implementations add in different orders, and where a photo is nearly flat, rounding decides which of four
# pixels is the largest, and its gradient goes another way. With 200,000 units per photo that always happens somewhere.
# On the sample, whose drawings have many flat places, the first gradients of the kernels differ by up to 1.5e-3 of
# their largest element: Keras's from float64's, and the solution's as much. RMSprop turns that into up to 1.1e-5 of a
# parameter, where a step is 1e-3. The dense layers and the loss know nothing of it, and are compared sharply.
KERNELS = ("k1", "b1", "k2", "b2", "k3", "b3")
STEP_DRIFT = 5e-5  # allowed to their parameters
SLOT_DRIFT = 1e-2  # allowed to their slots, as a share of the largest one

# RMSprop makes whole steps of small differences, most of all in its first batches. The solution's losses, from Keras's
# initial parameters and from those moved by 1e-7 of themselves, were off by up to 3e-5 of themselves after three
# batches, 7e-4 after five and 1e-2 after ten; the means of five batches by up to 0.0055 within the first 40. The curve
# is nearly flat there, so what a wrong step does to it is seen best at its sharp beginning.
STEADY_BATCHES = 2  # so long the curve is compared as sharply as a single step
BATCHES = 40
STRETCH = 5  # batches of one mean
DRIFT = 0.025  # allowed to such a mean

# A whole training takes minutes, and which photos are judged rightly is chance as long as the loss still falls: from
# one epoch to the next Keras's test accuracy moves by up to five points, on the sample by twenty. At these epochs the
# solution had 0.687 and Keras 0.686 of the photos, two seeds of the solution 0.90 of the sample. The floors lie below
# that, and further above the 0.5 of a network that has learned nothing than chance goes with 1,000 photos or 200 faces.
EPOCHS = {"real": 8, "sample": 20}
FLOOR = {"real": 0.6, "sample": 0.7}


mean_losses = functools.partial(convolutions.mean_losses, stretch=STRETCH)


# --- what the known mistakes are made of ----------------------------------------------------------------------------


def sigmoid(scores):
    return (1 / (1 + np.exp(-scores))).astype(np.float32)


def forward(x, params, convolution=convolve, pooling=pool, activation=rectify, flatten=flat, last=sigmoid):
    k1, b1, k2, b2, k3, b3, w4, b4, w5, b5 = params
    maps1 = activation(convolution(x, k1, b1))
    pooled1, argmax1 = pooling(maps1)
    maps2 = activation(convolution(pooled1, k2, b2))
    pooled2, argmax2 = pooling(maps2)
    maps3 = activation(convolution(pooled2, k3, b3))
    pooled3, argmax3 = pooling(maps3)
    hidden = activation(flatten(pooled3) @ w4 + b4)
    probabilities = last(hidden @ w5 + b5)
    cache = maps1, pooled1, argmax1, maps2, pooled2, argmax2, maps3, pooled3, argmax3, hidden, probabilities
    return probabilities, cache


def loss_of(labels, probabilities):
    p = np.clip(probabilities.reshape(-1), 1e-7, 1 - 1e-7).astype(np.float64)
    return float(np.mean(-np.where(labels == 1, np.log(p), np.log(1 - p))))


def slopes(labels, probabilities, n=None):
    """The gradient of the loss at the scores; `n` divides instead of the batch size."""
    return (probabilities - labels[:, None].astype(np.float32)) / np.float32(n or len(labels))


def backward(labels, x, cache, params, n=None, mask=True, unpooling=unpool, dscores=slopes):
    k1, _, k2, _, k3, _, w4, _, w5, _ = params
    maps1, pooled1, argmax1, maps2, pooled2, argmax2, maps3, pooled3, argmax3, hidden, probabilities = cache

    def masked(dy, y):
        return dy * (y > 0) if mask else dy

    dlogits = dscores(labels, probabilities, n)
    dhidden = masked(dlogits @ w5.T, hidden)
    dpooled3 = (dhidden @ w4.T).reshape(pooled3.shape)
    dmaps3 = masked(unpooling(dpooled3, argmax3, maps3.shape), maps3)
    dpooled2, dk3, db3 = convolve_backward(dmaps3, pooled2, k3)
    dmaps2 = masked(unpooling(dpooled2, argmax2, maps2.shape), maps2)
    dpooled1, dk2, db2 = convolve_backward(dmaps2, pooled1, k2)
    dmaps1 = masked(unpooling(dpooled1, argmax1, maps1.shape), maps1)
    _, dk1, db1 = convolve_backward(dmaps1, x, k1)
    dense = flat(pooled3).T @ dhidden, dhidden.sum(axis=0), hidden.T @ dlogits, dlogits.sum(axis=0)
    return dk1, db1, dk2, db2, dk3, db3, *dense


def gradients(x, labels, params, **how):
    probabilities, cache = forward(x, params)
    return loss_of(labels, probabilities), backward(labels, x, cache, params, **how)


training = Training(gradients, (recipe.lr, recipe.rho, recipe.eps))


class Variants:
    """Prepared photos that are augmented whenever they are picked; without ranges, as they are."""

    def __init__(self, images, ranges, rng, prepare=scaled, augment=None):
        self.x = prepare(images)
        self.augment = augment or augmented
        self.drawn_from = ranges, rng

    def __len__(self):
        return len(self.x)

    def __getitem__(self, chosen):
        picked, (ranges, rng) = self.x[chosen], self.drawn_from
        return picked if ranges is None else self.augment(picked, ranges, rng)


def augmented(x, ranges, rng):
    return changed(x, all_changes(x, ranges, rng))


# --- what the small cases are made of -------------------------------------------------------------------------------

# A photo, the windows of the three convolutions, their filters, the hidden layer. Each photo is as large as its layers
# need, or a little larger: (13, 14) becomes 11 x 13, 5 x 6, 4 x 4, 2 x 2, 2 x 2 and 1 x 1.
TINY = ((8, 8), ((1, 1), (1, 1), (1, 1)), (1, 1, 1), 1)
SMALL = ((13, 14), ((3, 2), (2, 3), (1, 1)), (2, 3, 2), 3)
ODD = ((19, 25), ((3, 2), (2, 1), (1, 2)), (2, 3, 4), 5)  # 17 x 24, 8 x 12, 7 x 12, 3 x 6, 3 x 5 and 1 x 2
WIDE = ((22, 31), ((3, 3), (3, 3), (3, 3)), (3, 2, 2), 4)  # 20 x 29, 10 x 14, 8 x 12, 4 x 6, 2 x 4 and 1 x 2
EVERYTHING = (0.5, 0.1, 0.2, 0.2, 0.2, 0.1)


def draw_images(draw, n, shape):
    """Photos that differ: each is lit in its own way, and many of its pixels are black."""
    pixels = draw.integers(0, 256, n, *shape, 3) * (draw.integers(0, 3, n, *shape, 1) > 0)
    return np.rint(pixels * draw.uniform(0.2, 1.0, n, 1, 1, 3)).astype(np.float32)


def draw_params(draw, sizes, scale=0.6):
    """Kernels, weights and biases. Most biases are positive, so that in so small a network something stays awake."""
    shape, windows, filters, hidden = sizes

    def biases(units):
        return draw.uniform(-0.1, 0.7, units)

    params, c_in = [], 3
    for (kh, kw), c_out in zip(windows, filters, strict=True):
        params += [draw.normal(kh, kw, c_in, c_out, scale=scale), biases(c_out)]
        c_in = c_out
    features = np.prod(features_of(shape, windows)) * c_in
    params += [draw.normal(features, hidden, scale=scale), biases(hidden)]
    return *params, draw.normal(hidden, 1), draw.normal(1, scale=scale)


def features_of(shape, windows):
    """Rows and columns behind the third pooling."""
    rows, columns = shape
    for kh, kw in windows:
        rows, columns = (rows - kh + 1) // 2, (columns - kw + 1) // 2
    return rows, columns


def tiny_params(draw):
    """A network to follow by hand: how red the photo's reddest spot is, and nothing else."""
    red = draw.array([[1], [-1], [0]]).reshape(1, 1, 3, 1)
    one, zero = draw.array([[[[1]]]]), draw.array([0])
    return red, zero, one, zero, 2 * one, draw.array([-0.5]), draw.array([[1]]), zero, draw.array([[2]]), -one[0, 0, 0]


def red_spot():
    """8 x 8 grey pixels, one of them red."""
    photo = np.full((1, 8, 8, 3), 51, np.float32)
    photo[0, 2, 5] = (255, 51, 0)
    return photo


def draw_small_params(draw):
    return draw_params(draw, SMALL)


def draw_small_photos(draw, n):
    return {"images": draw_images(draw, n, SMALL[0]), "labels": draw.labels(n, 2)}


# --- prepare --------------------------------------------------------------------------------------------------------

prepare = chapter.exercise("prepare", points=0.5, returns="x", requires=("ch15_augmentation.rescale",), whole=True)


@prepare.cases
def prepare_cases(draw):
    yield Case("one pixel", images=draw.array([[[[0, 255, 51]]]]))
    yield Case("three photos that are not square", images=draw_images(draw, 3, (4, 5)))
    yield Case("a dark photo", images=draw.array(draw.integers(0, 20, 1, 3, 3, 3)))
    yield Case("shades between whole numbers, as resizing leaves them", images=draw.uniform(0, 255, 2, 3, 4, 3))
    yield Case("no photo at all", images=np.zeros((0, 3, 2, 3), np.float32), hidden=True)


@prepare.mistake("You kept the pixels at 0 … 255. The network wants them in [0, 1]: times 1 / 255.")
def keeps_bytes(images):
    return images.copy()


@prepare.mistake("You divided by 256. White is 255 and must become 1: divide by 255.")
def divides_by_256(images):
    return images / np.float32(256)


@prepare.mistake("You stretched each photo by its own brightest pixel. All photos are divided by the same 255.")
def stretches_each_photo(images):
    return images / np.maximum(images.max(axis=(1, 2, 3), keepdims=True, initial=0), 1)


@prepare.mistake("You brought the pixels to [-1, 1]. This network has learned from [0, 1]: no offset.")
def centres_the_pixels(images):
    return scaled(images) * 2 - 1


@prepare.mistake("You exchanged red and blue. The channels keep their order: only the numbers are divided.")
def exchanges_red_and_blue(images):
    return scaled(images)[..., ::-1].copy()


# --- forward --------------------------------------------------------------------------------------------------------

forward_pass = chapter.exercise(
    "forward",
    points=3,
    returns=("probabilities", "cache"),
    compiled=False,
    requires=(
        "ch03_activations.relu",
        "ch03_activations.sigmoid",
        "ch05_dense.dense_forward",
        "ch11_convolution.conv2d_forward",
        "ch11_convolution.flatten",
        "ch11_convolution.maxpool2d_forward",
    ),
    whole=True,
)


@forward_pass.cases
def forward_cases(draw):
    yield Case("a red spot on grey", x=scaled(red_spot()), params=tiny_params(draw))
    for rationale, n, sizes, hidden in (
        ("three photos, windows of several sizes", 3, SMALL, False),
        ("rows and columns that no pooling window covers", 2, ODD, False),
        ("3 x 3 windows throughout", 2, WIDE, True),
    ):
        yield Case(rationale, hidden=hidden, x=scaled(draw_images(draw, n, sizes[0])), params=draw_params(draw, sizes))


share(FORWARD_MISTAKES, forward_mistake(forward), forward_pass)


@forward_pass.mistake("You put a ReLU before the sigmoid. A score below zero is what says a cat: leave it as it is.")
def rectifies_the_score(x, params):
    return forward(x, params, last=lambda scores: sigmoid(rectify(scores)))


@forward_pass.mistake("You took the sigmoid twice. The second one leaves nothing below 0.5: all photos show dogs.")
def applies_sigmoid_twice(x, params):
    return forward(x, params, last=lambda scores: sigmoid(sigmoid(scores)))


@forward_pass.mistake("You took the softmax of one unit, which is always 1. One unit wants a sigmoid.")
def applies_softmax_to_one_unit(x, params):
    return forward(x, params, last=np.ones_like)


@forward_pass.mistake("You kept the maps as they were before the ReLU. The cache has them as the next layer saw them.")
def keeps_maps_before_relu(x, params):
    k1, b1, k2, b2, k3, b3 = params[:6]
    probabilities, cache = forward(x, params)
    _, pooled1, argmax1, _, pooled2, argmax2, _, *last = cache
    maps = convolve(x, k1, b1), convolve(pooled1, k2, b2), convolve(pooled2, k3, b3)
    return probabilities, (maps[0], pooled1, argmax1, maps[1], pooled2, argmax2, maps[2], *last)


# --- backward -------------------------------------------------------------------------------------------------------

backward_pass = chapter.exercise(
    "backward",
    points=4,
    returns=GRADIENTS,
    compiled=False,
    requires=(
        "ch03_activations.relu_backward",
        "ch05_dense.dense_backward",
        "ch11_convolution.conv2d_backward",
        "ch11_convolution.flatten",
        "ch11_convolution.maxpool2d_backward",
        "ch11_convolution.unflatten",
    ),
    whole=True,
)


def backward_case(rationale, labels, images, params, hidden=False):
    x = scaled(images)
    return Case(rationale, hidden=hidden, labels=labels, x=x, cache=forward(x, params)[1], params=params)


@backward_pass.cases
def backward_cases(draw):
    yield backward_case("a red spot on grey", np.array([1]), red_spot(), tiny_params(draw))
    for rationale, n, sizes, hidden in (
        ("three photos, windows of several sizes", 3, SMALL, False),
        ("rows and columns that no pooling window covers", 2, ODD, False),
        ("3 x 3 windows throughout", 2, WIDE, True),
        ("one photo alone", 1, SMALL, True),
    ):
        images, labels = draw_images(draw, n, sizes[0]), draw.labels(n, 2)
        yield backward_case(rationale, labels, images, draw_params(draw, sizes), hidden)


@backward_pass.objective
def backward_objective(labels, x, cache, params):
    points = dict(zip(GRADIENTS, params, strict=True))

    def loss(*params):
        return loss_of(labels, forward(x, params, last=exactly)[0])

    return loss, points


def exactly(scores):
    """The sigmoid in the scores' own precision, for the numeric gradient."""
    return 1 / (1 + np.exp(-scores))


@backward_pass.keras_twin
def backward_in_keras(keras, labels, x, cache, params):
    def loss(k1, b1, k2, b2, k3, b3, w4, b4, w5, b5):
        ops, maps = keras.ops, x
        for kernel, bias in ((k1, b1), (k2, b2), (k3, b3)):
            maps = ops.relu(ops.conv(maps, kernel, strides=1, padding="valid") + bias)
            maps = ops.max_pool(maps, 2, 2, padding="valid")
        hidden = ops.relu(ops.matmul(ops.reshape(maps, (len(labels), -1)), w4) + b4)
        logits = ops.matmul(hidden, w5) + b5
        return keras.losses.BinaryCrossentropy(from_logits=True)(labels[:, None], logits)

    return keras.gradient(loss, None, *params)


share(BACKWARD_MISTAKES, backward_mistake(backward), backward_pass)


@backward_pass.mistake("You forgot the labels. dlogits is probabilities - labels, divided by n.")
def forgets_the_labels(labels, x, cache, params):
    return backward(np.zeros_like(labels), x, cache, params)


@backward_pass.mistake(
    "You multiplied by the sigmoid's slope as well. probabilities - labels is the gradient of both together."
)
def takes_the_sigmoid_twice(labels, x, cache, params):
    def steeper(labels, probabilities, n):
        return slopes(labels, probabilities, n) * probabilities * (1 - probabilities)

    return backward(labels, x, cache, params, dscores=steeper)


# --- predict --------------------------------------------------------------------------------------------------------

predict = chapter.exercise(
    "predict", points=2, returns="probabilities", compiled=False, requires=("prepare", "forward"), whole=True
)


@predict.cases
def predict_cases(draw):
    yield Case("a red spot on grey", images=red_spot(), params=tiny_params(draw))
    yield Case("a few photos", images=draw_images(draw, 4, SMALL[0]), params=draw_params(draw, SMALL))
    yield Case("wide photos", images=draw_images(draw, 2, WIDE[0]), params=draw_params(draw, WIDE), hidden=True)
    nothing = np.zeros((0, *SMALL[0], 3), np.float32)
    yield Case("no photo at all", images=nothing, params=draw_params(draw, SMALL), hidden=True)
    yield Case(
        "203 photos: more than fit into the memory at once, if they were larger",
        large=True,
        hidden=True,
        images=draw_images(draw, 203, SMALL[0]),
        params=draw_params(draw, SMALL),
    )
    keras = run(NAME)
    yield keras.prediction_case(f"answers to {len(keras.data.x_test):,} photos", images=keras.data.x_test)


@predict.mistake(
    "You gave the network raw pixels 0 … 255. It was trained on pixels in [0, 1]: prepare the photos first."
)
def predicts_from_bytes(images, params):
    with np.errstate(over="ignore"):
        return forward(images, params)[0]


@predict.mistake("You mirrored the photos. Augmentation is for training: judge test photos as they are.")
def mirrors_the_test(images, params):
    return forward(scaled(images)[:, :, ::-1], params)[0]


@predict.mistake("You took the sigmoid of probabilities. forward has done it already; after a second one all are dogs.")
def squeezes_probabilities(images, params):
    return sigmoid(forward(scaled(images), params)[0])


@predict.mistake("You returned the hidden layer. forward returns the probabilities first, then its cache.")
def returns_hidden(images, params):
    return forward(scaled(images), params)[1][-2]


@predict.mistake("You returned yes or no. Return the probabilities; the caller decides where a dog begins.")
def returns_answers(images, params):
    return (forward(scaled(images), params)[0] > 0.5).astype(np.float32)


@predict.mistake("You returned the probability of a cat. The network's unit answers for class 1, the dog.")
def predicts_cats(images, params):
    return 1 - forward(scaled(images), params)[0]


# --- train_step and fast_step ---------------------------------------------------------------------------------------


def step_cases(draw):
    params = tiny_params(draw)
    yield Case(
        "a red spot on grey",
        x=scaled(red_spot()),
        labels=np.array([1]),
        params=params,
        slots=no_slots(params),
        seconds=COMPILING,
        **EXAMPLE,
    )
    for rationale, n, sizes, lr, rho, eps, fresh, hidden in (
        ("a first step: the slots are zero", 3, SMALL, 0.01, 0.9, 1e-7, True, False),
        ("in the middle of a training: the slots are not zero", 4, SMALL, 0.01, 0.9, 1e-7, False, False),
        ("another rate, another memory, a large epsilon", 2, ODD, 0.5, 0.6, 0.01, False, False),
        ("one photo alone", 1, WIDE, 0.002, 0.99, 1e-3, False, True),
    ):
        params = draw_params(draw, sizes)
        yield Case(
            rationale,
            hidden=hidden,
            seconds=COMPILING,
            x=scaled(draw_images(draw, n, sizes[0])),
            labels=draw.labels(n, 2),
            params=params,
            slots=no_slots(params) if fresh else draw_slots(draw, params),
            lr=lr,
            rho=rho,
            eps=eps,
        )
    yield recorded_step()


def recorded_step():
    keras = run(NAME)
    batch = keras.first_batch
    case = keras.step_case(x=scaled(keras.data.x_train[batch]), labels=keras.labels[batch])
    case.expected = {name: allow(name, value) for name, value in case.expected.items()}
    return case


def allow(name, value):
    """Of the kernels, something close to Keras's value will do."""
    kind, _, array = name.partition(": ")
    if not array.startswith(KERNELS):
        return value
    drift = STEP_DRIFT if kind == "params" else SLOT_DRIFT * value.max()
    return Follows(value, np.full(value.shape, drift), name)


train_step = chapter.exercise(
    "train_step",
    points=3,
    returns="loss",
    changes=("params", "slots"),
    compiled=False,
    requires=(
        "forward",
        "backward",
        "ch04_losses.binary_crossentropy",
        "ch06_optimizers.rmsprop_step",
    ),
    whole=True,
)
train_step.cases(step_cases)

fast_step = chapter.exercise(
    "fast_step",
    points=5,
    returns="loss",
    changes=("params", "slots"),
    compiled=False,
    requires=(
        "ch03_activations.relu_backward",
        "ch03_activations.sigmoid",
        "ch04_losses.binary_crossentropy",
        "ch05_dense.dense_forward",
        "ch06_optimizers.rmsprop_step",
        "ch11_convolution.flatten",
        "ch11_convolution.unflatten",
        "ch20_speed.conv2d_fused",
        "ch20_speed.conv2d_fused_backward",
        "ch20_speed.dense_relu_fused",
        "ch20_speed.dense_step_fused",
    ),
    whole=True,
)


@fast_step.cases
def fast_step_cases(draw):
    yield from step_cases(draw)
    sizes = ((30, 29), ((3, 3), (3, 3), (3, 3)), (17, 33, 35), 37)
    params = draw_params(draw, sizes, scale=0.1)
    yield Case(
        "more filters than one vector holds, more photos than one thread takes",
        large=True,
        hidden=True,
        x=scaled(draw_images(draw, 70, sizes[0])),
        labels=draw.labels(70, 2),
        params=params,
        slots=draw_slots(draw, params),
        **RATES,
    )


def step_mistake(wrong):
    def mistake(x, labels, params, slots, lr, rho, eps):
        return wrong(training, x, labels, params, slots, lr, rho, eps)

    return mistake


share(STEP_MISTAKES, step_mistake, train_step, fast_step)


# --- train_epoch ----------------------------------------------------------------------------------------------------

train_epoch = chapter.exercise(
    "train_epoch",
    points=3,
    returns="losses",
    changes=("params", "slots"),
    compiled=False,
    requires=("prepare", "fast_step", "ch15_augmentation.augment_batch"),
    whole=True,
)


def with_augmentation(case, ranges, rng):
    """The same epoch; the ranges and the generator stand before the rates."""
    given = case.arguments
    rates = {name: given.pop(name) for name in ("lr", "rho", "eps")}
    case.arguments = {**given, "ranges": ranges, "rng": rng, **rates}
    return case


@train_epoch.cases
def train_epoch_cases(draw):
    params = draw_params(draw, TINY)
    plain = Case(
        "three photos in batches of two",
        images=draw_images(draw, 3, TINY[0]),
        labels=np.array([0, 1, 1]),
        params=params,
        slots=no_slots(params),
        order=np.array([2, 0, 1]),
        batch_size=2,
        seconds=COMPILING,
        **EXAMPLE,
    )
    yield with_augmentation(plain, None, Generator(draw.seed()))
    epochs = small_epochs(draw, "photo", draw_small_params, draw_small_photos, short=(7, 3), single=(5, 2))
    for ranges, case in zip((None, EVERYTHING, EVERYTHING, None, EVERYTHING), epochs, strict=True):
        case.rationale += ", augmented" if ranges else ""
        yield with_augmentation(case, ranges, Generator(draw.seed()))
    yield from recorded_epochs()


def recorded_epochs():
    """The beginning of Keras's first epoch: sharply where rounding has not grown yet, and then with an allowance."""
    keras = run(NAME)
    given, losses = {"images": keras.data.x_train, "labels": keras.labels}, keras.model.losses[:BATCHES]
    means = mean_losses((losses,))
    for case in (
        keras.steady_case(STEADY_BATCHES, **given),
        keras.epoch_case(
            f"{len(losses)} batches of Keras's first epoch, and Keras's mean losses of every {STRETCH}",
            Follows(means, np.full(len(means), DRIFT), "the curve of mean losses"),
            len(losses),
            mean_losses,
            seconds=300,
            **given,
        ),
    ):
        yield with_augmentation(case, None, Generator(keras.recipe.seed))


def epoch_mistake(wrong, **how):
    def mistake(images, labels, params, slots, order, batch_size, ranges, rng, lr, rho, eps):
        x = Variants(images, ranges, rng, **how)
        return wrong(training, x, labels, params, slots, order, batch_size, lr, rho, eps)

    return mistake


share(EPOCH_MISTAKES, epoch_mistake, train_epoch)


def right_epoch(training, x, labels, params, slots, order, batch_size, lr, rho, eps):
    return training.epoch(x, labels, params, slots, order, batch_size, lr, rho, eps)


def augment_alike(x, ranges, rng):
    """The whole batch by one draw."""
    changes = draw_changes(rng, ranges)
    return changed(x, [changes for _ in x])


def augment_and_keep_the_place(x, ranges, rng):
    """Drawn as it should be, then only mirrored."""
    return changed(x, [(mirrored, 0.0, 0.0, 0.0, 0.0, 0.0) for mirrored, *_ in all_changes(x, ranges, rng)])


for name, belief, how in (
    (
        "trains_on_bytes",
        "You trained on raw pixels 0 … 255. Prepare each batch first.",
        {"prepare": lambda images: images},
    ),
    (
        "never_augments",
        "You ignored the ranges. Where there are some, augment_batch changes each batch before its step.",
        {"augment": lambda x, ranges, rng: x},
    ),
    (
        "augments_batches_alike",
        "You changed all photos of a batch in one way. Each is to have its own variant: let augment_batch draw.",
        {"augment": augment_alike},
    ),
    (
        "only_mirrors",
        "You mirrored the photos and left it at that. The other ranges turn, shear, zoom and shift them.",
        {"augment": augment_and_keep_the_place},
    ),
):
    wrong = epoch_mistake(right_epoch, **how)
    wrong.__name__ = name
    train_epoch.mistake(belief)(wrong)


@train_epoch.mistake(
    "You augmented all photos before the epoch, and so drew for those that are not in the order, or out of turn. "
    "Augment each batch when its turn comes."
)
def augments_beforehand(images, labels, params, slots, order, batch_size, ranges, rng, lr, rho, eps):
    x = Variants(images, ranges, rng)[np.arange(len(images))]
    return training.epoch(x, labels, params, slots, order, batch_size, lr, rho, eps)


# --- initial_params -------------------------------------------------------------------------------------------------

initial_params = chapter.exercise(
    "initial_params",
    points=2,
    returns=PARAMS,
    compiled=False,
    requires=("ch05_dense.glorot_uniform",),
    whole=True,
)


@initial_params.cases
def initial_params_cases(draw):
    for rationale, shape, filters, hidden_units, secret in (
        ("22 x 22 pixels: one is left of them", (22, 22), (1, 2, 1), 2, False),
        ("photos that are not square, with rests that fall to no pooling window", (23, 31), (2, 3, 4), 5, False),
        ("the network of the project", (64, 64), FILTERS, HIDDEN, False),
        ("another network", (41, 26), (4, 2, 3), 7, True),
    ):
        yield Case(
            rationale,
            hidden=secret,
            rng=Generator(draw.seed()),
            shape=shape,
            filters=filters,
            hidden_units=hidden_units,
        )


def start(rng, shape, filters, hidden_units, kernel=kernel_of):
    channels = (3, *filters)
    kernels = [kernel(rng, c_in, c_out) for c_in, c_out in zip(channels[:-1], filters, strict=True)]
    w4 = glorot(rng, features(shape, filters), hidden_units)
    return with_zero_biases(*kernels, w4, glorot(rng, hidden_units, 1))


def features(shape, filters):
    rows, columns = features_of(shape, ((3, 3),) * 3)
    return rows * columns * filters[2]


share(INITIAL_MISTAKES, initial_mistake(start), initial_params)


@initial_params.mistake("Your first convolution sees one channel. A photo has three: red, green and blue.")
def sees_one_channel(rng, shape, filters, hidden_units):
    def kernel(rng, c_in, c_out):
        return kernel_of(rng, 1 if c_in == 3 else c_in, c_out)

    return start(rng, shape, filters, hidden_units, kernel)


@initial_params.mistake("You drew the last layer first. The generator draws layer by layer from the photo on.")
def draws_the_last_layer_first(rng, shape, filters, hidden_units):
    w5 = glorot(rng, hidden_units, 1)
    w4 = glorot(rng, features(shape, filters), hidden_units)
    k3, k2, k1 = (kernel_of(rng, c_in, c_out) for c_in, c_out in zip((*filters[1::-1], 3), filters[::-1], strict=True))
    return with_zero_biases(k1, k2, k3, w4, w5)


# --- train ----------------------------------------------------------------------------------------------------------

train = chapter.exercise(
    "train",
    points=4,
    returns=PARAMS,
    compiled=False,
    requires=("train_epoch", "initial_params"),
    whole=True,
)


@train.cases
def train_cases(draw):
    for rationale, n, shape, filters, hidden_units, epochs, batch_size, ranges, secret in (
        ("three photos, two epochs", 3, (22, 22), (1, 1, 1), 2, 2, 2, None, False),
        ("no epoch: the weights as they were drawn", 3, (22, 23), (2, 1, 3), 4, 0, 2, None, False),
        ("two epochs with augmentation", 3, (22, 22), (2, 1, 1), 3, 2, 2, EVERYTHING, False),
        ("three epochs, the last batch of each is short", 4, (22, 22), (2, 1, 2), 3, 3, 3, None, True),
        ("another seed, another size, augmented", 5, (22, 26), (1, 2, 1), 3, 2, 4, EVERYTHING, True),
    ):
        yield Case(
            rationale,
            hidden=secret,
            large=secret,  # in plain Python it would take seconds
            seconds=COMPILING,
            images=draw_images(draw, n, shape),
            labels=draw.labels(n, 2),
            rng=Generator(draw.seed()),
            filters=filters,
            hidden_units=hidden_units,
            epochs=epochs,
            batch_size=batch_size,
            ranges=ranges,
        )
    yield recorded_training()


def recorded_training():
    """From scratch, a few epochs without augmentation."""
    keras = run(NAME)
    data, epochs = keras.data, EPOCHS[keras.data.origin]
    return Case(
        f"from scratch: {epochs} epochs, then {len(data.x_test):,} photos to judge",
        large=True,
        expected=AtLeast(FLOOR[data.origin], "test accuracy"),
        select=test_accuracy,
        seconds=600,
        images=data.x_train,
        labels=keras.labels,
        rng=Generator(keras.recipe.seed),
        filters=FILTERS,
        hidden_units=HIDDEN,
        epochs=epochs,
        batch_size=keras.batch_size,
        ranges=None,
    )


def test_accuracy(params):
    """The share of the test photos that a network with these parameters judges rightly."""
    return run(NAME).metric(judged, params)


def judged(x, params):
    """The answers alone, some photos at a time: forward keeps megabytes for each."""
    parts = [forward(x[begin : begin + PIECE], params)[0] for begin in range(0, len(x), PIECE)]
    return (np.concatenate(parts),)


@train.mistake("You drew the kernels as if they had no window. Their fans are the channels times the 9 places of it.")
def trains_from_wide_kernels(images, labels, rng, filters, hidden_units, epochs, batch_size, ranges):
    params = start(rng, images.shape[1:3], filters, hidden_units, functools.partial(kernel_of, places=1))
    x = Variants(images, ranges, rng)
    return training.train(x, labels, params, no_slots(params), rng, epochs, batch_size)


@train.mistake("You ignored the ranges. Where there are some, every epoch shows new variants of the photos.")
def trains_without_augmentation(images, labels, rng, filters, hidden_units, epochs, batch_size, ranges):
    params = start(rng, images.shape[1:3], filters, hidden_units)
    return training.train(scaled(images), labels, params, no_slots(params), rng, epochs, batch_size)


@train.mistake(
    "You augmented the photos once and trained on these. The point is that no epoch shows the same ones again."
)
def augments_once(images, labels, rng, filters, hidden_units, epochs, batch_size, ranges):
    params = start(rng, images.shape[1:3], filters, hidden_units)
    x = Variants(images, ranges, rng)[np.arange(len(images))]
    return training.train(x, labels, params, no_slots(params), rng, epochs, batch_size)


def train_mistake(wrong):
    def mistake(images, labels, rng, filters, hidden_units, epochs, batch_size, ranges):
        def begin(rng):
            params = start(rng, images.shape[1:3], filters, hidden_units)
            return params, no_slots(params)

        return wrong(training, begin, Variants(images, ranges, rng), labels, rng, epochs, batch_size)

    return mistake


share(TRAIN_MISTAKES, train_mistake, train)

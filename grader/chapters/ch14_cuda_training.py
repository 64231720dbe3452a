"""Training on the GPU: cases with their launches, known mistakes, budgets of memory and copies.

The optimizers' cases and mistakes are those of ch06, the network's those of the project mnist_mlp: a step is a step.
"""

from __future__ import annotations

import itertools

import numpy as np

from grader.chapters import ch06_optimizers
from grader.chapters.ch12_cuda_basics import line, poison, threads_of
from grader.exercise import Case, Chapter, Launch
from grader.projects.cases import EXAMPLE, draw_layers, small_epochs, small_steps
from grader.projects.mnist_mlp import training
from grader.projects.run import no_slots
from grader.projects.training import EPOCH_MISTAKES, STEP_MISTAKES, share

chapter = Chapter("ch14_cuda_training", "CUDA: training")

# More threads than weights and fewer, several blocks, blocks of an odd size.
LAUNCHES = (line(1, 32), line(2, 3), line(3, 7), line(1, 1), line(2, 32), line(4, 2))
LOOP = "Each thread did one weight. Where there are fewer threads than weights, go on in steps of the whole grid."


# --- optimizers -----------------------------------------------------------------------------------------------------


def step_kernel(name, twin, points):
    """An optimizer's kernel: the cases and known mistakes of its CPU twin, every array as one long row."""
    once = dict.fromkeys(twin.changes, 1)
    kernel = chapter.kernel(name, points=points, changes=twin.changes, reads={**once, "g": 1}, writes=once)
    kernel.mistakes.extend(twin.mistakes)

    @kernel.cases
    def cases(draw):
        for case, launch in zip(twin.make_cases(draw), itertools.cycle(LAUNCHES)):
            if not case.large:
                rows = {key: as_long_row(value) for key, value in case.arguments.items()}
                yield Case(case.rationale, launch=launch, hidden=case.hidden, **rows)

    return kernel


def as_long_row(value):
    """An array as kernels get it; a number as it is."""
    return value.reshape(-1) if isinstance(value, np.ndarray) else value


sgd_kernel = step_kernel("sgd_kernel", ch06_optimizers.sgd_step, points=1)
momentum_kernel = step_kernel("momentum_kernel", ch06_optimizers.momentum_step, points=1)
rmsprop_kernel = step_kernel("rmsprop_kernel", ch06_optimizers.rmsprop_step, points=2)
adam_kernel = step_kernel("adam_kernel", ch06_optimizers.adam_step, points=2)


@sgd_kernel.mistake(LOOP)
def sgd_of_one_weight_each(w, g, lr, launch):
    reached = threads_of(launch)
    w[:reached] -= np.float32(lr) * g[:reached]


@momentum_kernel.mistake(LOOP)
def momentum_of_one_weight_each(w, g, v, lr, momentum, launch):
    reached = threads_of(launch)
    v[:reached] = momentum * v[:reached] - lr * g[:reached]
    w[:reached] += v[:reached]


@rmsprop_kernel.mistake(LOOP)
def rmsprop_of_one_weight_each(w, g, acc, lr, rho, eps, launch):
    reached = threads_of(launch)
    acc[:reached] = rho * acc[:reached] + (1 - rho) * g[:reached] ** 2
    w[:reached] -= lr * g[:reached] / np.sqrt(acc[:reached] + eps)


@adam_kernel.mistake(LOOP)
def adam_of_one_weight_each(w, g, m, v, t, lr, beta1, beta2, eps, launch):
    reached = threads_of(launch)
    m[:reached] += (1 - beta1) * (g[:reached] - m[:reached])
    v[:reached] += (1 - beta2) * (g[:reached] ** 2 - v[:reached])
    alpha = lr * np.sqrt(1 - beta2**t) / (1 - beta1**t)
    w[:reached] -= alpha * m[:reached] / (np.sqrt(v[:reached]) + eps)


# --- batches --------------------------------------------------------------------------------------------------------

gather_kernel = chapter.kernel(
    "gather_kernel", points=1, changes=("batch", "batch_labels"), writes={"batch": 1, "batch_labels": 1}
)


@gather_kernel.cases
def gather_kernel_cases(draw):
    for rationale, (n, features), order, first, size, launch, hidden in (
        ("two samples of five", (5, 3), [3, 0, 4, 1, 2], 2, 2, Launch((1, 1), (32, 4)), False),
        ("more features than threads in x", (6, 70), draw.order(6), 1, 4, Launch((1, 2), (32, 4)), False),
        ("more samples than threads in y", (20, 9), draw.order(20), 5, 13, Launch((1, 1), (16, 2)), False),
        ("blocks of an odd shape", (12, 11), draw.order(12), 0, 7, Launch((2, 2), (5, 3)), False),
        ("a short last batch", (9, 5), draw.order(9), 8, 1, Launch((1, 1), (8, 4)), True),
        ("the whole order as one batch", (7, 33), draw.order(7), 0, 7, Launch((2, 4), (32, 2)), True),
        ("an order that takes a sample twice", (4, 6), [2, 2, 1], 0, 3, Launch((1, 3), (32, 1)), True),
        ("one thread does it all", (5, 4), draw.order(5), 3, 2, Launch((1, 1), (1, 1)), True),
    ):
        yield Case(
            rationale,
            launch=launch,
            x=draw.normal(n, features),
            labels=draw.integers(0, 10, n) * 7 + np.arange(n),
            order=np.asarray(order, np.int64),
            first=first,
            batch=poison(size, features),
            batch_labels=np.full(size, -1, np.int64),
            hidden=hidden,
        )


def collect(x, labels, batch, batch_labels, samples, of_labels=None):
    """Fill the batch with these samples, and, by mistake, with the labels of others."""
    batch[...] = x[samples]
    batch_labels[...] = labels[samples if of_labels is None else of_labels]


@gather_kernel.mistake("You took the samples as they lie. The order says which sample comes when: order[first + row].")
def gathers_as_they_lie(x, labels, order, first, batch, batch_labels):
    collect(x, labels, batch, batch_labels, np.arange(first, first + len(batch)))


@gather_kernel.mistake("You began the batch at the start of the order. It begins at first.")
def gathers_from_the_start(x, labels, order, first, batch, batch_labels):
    collect(x, labels, batch, batch_labels, order[: len(batch)])


@gather_kernel.mistake("You picked the samples by the order, but not their labels. Pick both by the same index.")
def gathers_the_labels_of_others(x, labels, order, first, batch, batch_labels):
    samples = order[first : first + len(batch)]
    collect(x, labels, batch, batch_labels, samples, np.arange(first, first + len(batch)))


@gather_kernel.mistake("You left the labels behind. The threads of the first column copy them.")
def leaves_the_labels_behind(x, labels, order, first, batch, batch_labels):
    batch[...] = x[order[first : first + len(batch)]]


@gather_kernel.mistake(
    "Each thread did one element. Where there are fewer threads in a direction, go on in grid steps."
)
def gathers_one_element_each(x, labels, order, first, batch, batch_labels, launch):
    columns, rows = (blocks * threads for blocks, threads in zip(launch.grid, launch.block, strict=True))
    samples = order[first : first + len(batch)]
    batch[:rows, :columns] = x[samples][:rows, :columns]
    batch_labels[:rows] = labels[samples][:rows]


# --- the network ----------------------------------------------------------------------------------------------------

SIZES = (6, 5, 4)  # of the small cases: features, hidden units, classes
STEP_KERNELS = (
    "ch13_cuda_layers.dense_forward_kernel",
    "ch13_cuda_layers.dense_dx_kernel",
    "ch13_cuda_layers.dense_dw_kernel",
    "ch13_cuda_layers.relu_backward_kernel",
    "ch13_cuda_layers.column_sum_kernel",
    "ch13_cuda_layers.softmax_crossentropy_kernel",
    "ch12_cuda_basics.blocks_for",
    "ch12_cuda_basics.grid_for",
)


def draw_params(draw):
    return draw_layers(draw, *SIZES)


def draw_samples(draw, n):
    return {"x": draw.uniform(0, 1, n, SIZES[0]), "labels": draw.labels(n, SIZES[2])}


mlp_train_step = chapter.exercise(
    "mlp_train_step",
    points=5,
    cuda="host",
    returns=(),
    changes=("params", "slots", "loss"),
    compiled=False,
    requires=("rmsprop_kernel", *STEP_KERNELS),
)


@mlp_train_step.cases
def mlp_train_step_cases(draw):
    def case(rationale, x, labels, params, slots, start=0.0, hidden=False, **rates):
        given = {"x": x, "labels": labels, "params": params, "slots": slots, "loss": draw.array([start])}
        return Case(rationale, hidden=hidden, **given, **rates)

    params = (draw.array([[1, -1]]), draw.array([0, 2]), draw.array([[1, 0], [0, 0.5]]), draw.array([0, 0]))
    yield case("one sample of one feature", draw.array([[1]]), np.array([0]), params, no_slots(params), **EXAMPLE)
    for small in small_steps(draw, "sample", draw_params, draw_samples):
        yield case(small.rationale, hidden=small.hidden, **small.arguments)
    params = draw_layers(draw, 11, 10, 3, scale=0.3)
    samples = {"x": draw.uniform(0, 1, 9, 11), "labels": draw.labels(9, 3)}
    yield case("more than one tile in each direction", **samples, params=params, slots=no_slots(params), **EXAMPLE)
    for rationale, n, units in (("many samples, few units", 41, 3), ("few samples, many units", 5, 41)):
        params = draw_layers(draw, 2, units, 2)
        samples = {"x": draw.uniform(0, 1, n, 2), "labels": draw.labels(n, 2)}
        yield case(rationale, **samples, params=params, slots=no_slots(params), **EXAMPLE, hidden=True)
    yield case(
        "a loss is there already",
        **draw_samples(draw, 3),
        params=draw_params(draw),
        slots=draw_params_squared(draw),
        start=2.0,
        **EXAMPLE,
        hidden=True,
    )


def draw_params_squared(draw):
    """Slots that are larger than those of a training: no step is long."""
    return tuple(param * param for param in draw_params(draw))


def step_mistake(wrong):
    def mistake(x, labels, params, slots, loss, lr, rho, eps):
        loss += wrong(training, x, labels, params, slots, lr, rho, eps)

    return mistake


share(STEP_MISTAKES, step_mistake, mlp_train_step)


@mlp_train_step.mistake("You overwrote the loss. The batch's mean is added to it: the kernel does so by itself.")
def overwrites_what_loss_held(x, labels, params, slots, loss, lr, rho, eps):
    loss[...] = training.step(x, labels, params, slots, lr, rho, eps)


mlp_train_epoch = chapter.exercise(
    "mlp_train_epoch",
    points=3,
    cuda="host",
    returns=(),
    changes=("params", "slots", "losses"),
    compiled=False,
    requires=("gather_kernel", "mlp_train_step", "ch12_cuda_basics.blocks_for", "ch12_cuda_basics.grid_for"),
)


@mlp_train_epoch.cases
def mlp_train_epoch_cases(draw):
    for small in small_epochs(draw, "sample", draw_params, draw_samples, short=(7, 4), single=(5, 2)):
        given = dict(small.arguments)
        rates = {name: given.pop(name) for name in ("lr", "rho", "eps")}
        losses = poison(-(-len(given["order"]) // given["batch_size"]))
        yield Case(small.rationale, hidden=small.hidden, **given, losses=losses, **rates)


def epoch_mistake(wrong):
    def mistake(x, labels, params, slots, order, batch_size, losses, lr, rho, eps):
        found = wrong(training, x, labels, params, slots, order, batch_size, lr, rho, eps)
        losses[...] = 0
        losses[: len(found)] = found

    return mistake


share(EPOCH_MISTAKES, epoch_mistake, mlp_train_epoch)


@mlp_train_epoch.mistake("You did not clear the losses: the kernel adds to what they hold. clear_kernel first.")
def adds_to_the_losses(x, labels, params, slots, order, batch_size, losses, lr, rho, eps):
    losses += training.epoch(x, labels, params, slots, order, batch_size, lr, rho, eps)

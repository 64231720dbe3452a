"""Optimizer steps: over many steps they go where Keras goes, and they touch nothing but what they are given."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays_of

from solutions import ch06_optimizers as chapter

STEPS = 20
SHAPE = (4, 3)


class Optimizer:
    """One optimizer of the chapter: its hyperparameters, what its state starts from, and its twin's name in Keras."""

    def __init__(self, step, keras_name, *, state=(), counts=False, keras_arguments=None, **hyperparameters):
        self.step = step
        self.keras_name = keras_name
        self.initial_state = state
        self.counts = counts
        self.hyperparameters = hyperparameters
        self.keras_arguments = keras_arguments or {}

    def __repr__(self):
        return self.step.__name__

    def state(self, shape):
        return [np.full(shape, start, np.float32) for start in self.initial_state]

    def run(self, w, g, state, t, step=None):
        number = (t,) if self.counts else ()
        return (step or self.step)(w, g, *state, *number, *self.hyperparameters.values())

    def interpreted(self, w, g, state, t):
        return self.run(w, g, state, t, getattr(self.step, "py_func", self.step))

    def in_keras(self, keras):
        return getattr(keras.optimizers, self.keras_name)(**self.keras_arguments)


OPTIMIZERS = (
    Optimizer(chapter.sgd_step, "SGD", lr=0.1, keras_arguments={"learning_rate": 0.1}),
    Optimizer(
        chapter.momentum_step,
        "SGD",
        state=(0.0,),
        lr=0.1,
        momentum=0.9,
        keras_arguments={"learning_rate": 0.1, "momentum": 0.9},
    ),
    Optimizer(
        chapter.nesterov_step,
        "SGD",
        state=(0.0,),
        lr=0.1,
        momentum=0.9,
        keras_arguments={"learning_rate": 0.1, "momentum": 0.9, "nesterov": True},
    ),
    Optimizer(
        chapter.adagrad_step,
        "Adagrad",
        state=(0.1,),
        lr=0.5,
        eps=1e-7,
        keras_arguments={"learning_rate": 0.5, "epsilon": 1e-7},
    ),
    Optimizer(
        chapter.adadelta_step,
        "Adadelta",
        state=(0.0, 0.0),
        lr=1.0,
        rho=0.95,
        eps=1e-4,
        keras_arguments={"learning_rate": 1.0, "rho": 0.95, "epsilon": 1e-4},
    ),
    Optimizer(
        chapter.rmsprop_step,
        "RMSprop",
        state=(0.0,),
        lr=0.05,
        rho=0.9,
        eps=1e-7,
        keras_arguments={"learning_rate": 0.05, "rho": 0.9, "epsilon": 1e-7},
    ),
    Optimizer(
        chapter.adam_step,
        "Adam",
        state=(0.0, 0.0),
        counts=True,
        lr=0.05,
        beta1=0.9,
        beta2=0.999,
        eps=1e-7,
        keras_arguments={"learning_rate": 0.05, "beta_1": 0.9, "beta_2": 0.999, "epsilon": 1e-7},
    ),
)

every_optimizer = pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=repr)


def weights_and_gradients():
    random = np.random.default_rng(6)
    return random.standard_normal(SHAPE, np.float32), random.standard_normal((STEPS, *SHAPE), np.float32)


@every_optimizer
def test_twenty_steps_go_where_keras_goes(optimizer):
    keras = pytest.importorskip("keras", reason="needs Keras: pip install 'deepkata[keras]'")
    w, gradients = weights_and_gradients()
    state = optimizer.state(SHAPE)
    theirs, native = keras.Variable(w.copy()), optimizer.in_keras(keras)

    for t, g in enumerate(gradients, start=1):
        optimizer.run(w, g, state, t)
        native.apply([keras.ops.convert_to_tensor(g)], [theirs])
        np.testing.assert_allclose(w, theirs.numpy(), rtol=1e-5, atol=2e-6, err_msg=f"step {t}")

    slots = native.variables[2:]  # the first two are the iterations and the learning rate
    assert len(slots) == len(state)
    for mine, slot in zip(state, slots, strict=True):
        np.testing.assert_allclose(mine, slot.numpy(), rtol=2e-5, atol=1e-7)


@every_optimizer
def test_compiled_steps_equal_interpreted_ones(optimizer):
    w, gradients = weights_and_gradients()
    state = optimizer.state(SHAPE)
    w_interpreted, state_interpreted = w.copy(), optimizer.state(SHAPE)

    for t, g in enumerate(gradients, start=1):
        optimizer.run(w, g, state, t)
        optimizer.interpreted(w_interpreted, g, state_interpreted, t)

    for compiled, interpreted in zip([w, *state], [w_interpreted, *state_interpreted], strict=True):
        assert compiled.dtype == interpreted.dtype == np.float32
        np.testing.assert_allclose(compiled, interpreted, rtol=1e-5, atol=1e-6)


class Fenced:
    """An array in the middle of a larger one: whoever reads beside it gets nan, whoever writes there is seen."""

    FENCE = 16

    def __init__(self, values):
        self.whole = np.full(values.size + 2 * self.FENCE, np.nan, np.float32)
        inside = self.whole[self.FENCE : self.FENCE + values.size]
        inside[:] = values.ravel()
        self.array = inside.reshape(values.shape)

    def stands(self):
        beside = np.concatenate([self.whole[: self.FENCE], self.whole[self.FENCE + self.array.size :]])
        return bool(np.isnan(beside).all())


shapes = arrays_of.array_shapes(min_dims=0, max_dims=5, min_side=0, max_side=4)


@every_optimizer
@settings(deadline=None, max_examples=40)
@given(shape=shapes, seed=st.integers(0, 2**32 - 1), t=st.integers(1, 2000))
def test_a_step_stays_inside_arrays_of_any_shape(optimizer, shape, seed, t):
    random = np.random.default_rng(seed)
    w, g = (Fenced(random.standard_normal(shape).astype(np.float32)) for _ in range(2))
    state = [Fenced(random.uniform(0, 2, shape).astype(np.float32)) for _ in optimizer.initial_state]
    gradient_before = g.array.copy()
    line = [fenced.array.flatten() for fenced in (w, g, *state)]

    returned = optimizer.interpreted(w.array, g.array, [slot.array for slot in state], t)

    assert returned is None
    assert all(fenced.stands() for fenced in (w, g, *state))
    np.testing.assert_array_equal(g.array, gradient_before)
    # A weight does not look at its neighbours: one at a time, in a row, they end up where the whole array did.
    for i in range(line[0].size):
        w_alone, g_alone, *state_alone = (values[i : i + 1] for values in line)
        optimizer.interpreted(w_alone, g_alone, state_alone, t)
    for fenced, values in zip((w, *state), (line[0], *line[2:]), strict=True):
        assert np.isfinite(fenced.array).all()
        np.testing.assert_array_equal(fenced.array.ravel(), values)


@every_optimizer
def test_a_step_walks_downhill(optimizer):
    w = np.array([2.0, -3.0, 0.5], np.float32)
    start, state = w.copy(), optimizer.state(w.shape)
    for t in range(1, STEPS + 1):
        optimizer.interpreted(w, 0.1 * w, state, t)  # the slope of 0.05 * w²
    assert (np.abs(w) < np.abs(start)).all()


@pytest.mark.parametrize(
    ("lr", "verdict"),
    [(0.001, "too small"), (0.3, "stable"), (0.9, "stable"), (1.1, "diverging")],
)
def test_the_learning_rate_decides_where_a_descent_ends(lr, verdict):
    path = chapter.descent_path(0.0, lr, 60)
    distance = np.abs(path - 3)
    assert path.shape == (61,)
    assert path[0] == 0
    if verdict == "diverging":
        assert (np.diff(distance) > 0).all()
    else:
        assert (np.diff(distance) <= 0).all()
        assert (distance[-1] < 0.01) == (verdict == "stable")

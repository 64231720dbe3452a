"""Keras, as the twins of the exercises use it. The only place where the kit imports it, and only when asked.

Runs on TensorFlow, on the CPU, without its start-up chatter, and the same numbers come out every time.
"""

from __future__ import annotations

import contextlib
import functools
import os
import warnings
from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np

from grader.exercise import Case, Exercise
from grader.problem import Problem
from grader.verdict import answer_of
from grader.worker.answer import Returned

SEED = 1


class Keras:
    """What a twin needs of Keras, under Keras's own names, and `gradient`; `module` is Keras itself."""

    def __init__(self) -> None:
        self.module, self._tensorflow = _import_quietly()
        self.ops = self.module.ops
        self.losses = self.module.losses
        self.optimizers = self.module.optimizers
        self.layers = self.module.layers
        self.initializers = self.module.initializers
        self.callbacks = self.module.callbacks

    def gradient(self, function: Callable[..., Any], upstream: Any, *arrays: Any) -> Any:
        """The gradient of sum(upstream * function(*arrays)) by TensorFlow's own tape.

        Parameters
        ----------
        function : of as many tensors as there are arrays
        upstream : the gradient that comes from above, of the shape of the function's value; None for a scalar function
        arrays : where the gradient is taken

        Returns
        -------
        one numpy array for one array, else a tuple; zeros for an array that the function does not use
        """
        tf = self._tensorflow
        tensors = [tf.convert_to_tensor(array) for array in arrays]
        with tf.GradientTape() as tape:
            for tensor in tensors:
                tape.watch(tensor)
            value = function(*tensors)
            total = value if upstream is None else tf.reduce_sum(tf.cast(upstream, value.dtype) * value)
        gradients = tape.gradient(total, tensors, unconnected_gradients=tf.UnconnectedGradients.ZERO)
        found = tuple(gradient.numpy() for gradient in gradients)
        return found[0] if len(found) == 1 else found

    def answer(self, exercise: Exercise, case: Case) -> Any:
        """What the exercise's twin answers to a case, as numpy arrays and plain numbers.

        Raises
        ------
        Problem : the exercise has no twin
        """
        twin = exercise.twin
        if twin is None:
            raise Problem(f"{exercise.id} has no Keras twin.", f"Declare one under @{exercise.name}.keras_twin.")
        self.module.utils.set_random_seed(SEED)
        returned = answer_of(exercise, functools.partial(twin, self), case)
        assert isinstance(returned, Returned)
        return plain(returned.value)


def plain(value: Any) -> Any:
    """Tensors and variables as numpy arrays, inside tuples too; everything else as it is."""
    if isinstance(value, tuple):
        return tuple(plain(part) for part in value)
    return np.asarray(value) if hasattr(value, "numpy") else value


def _import_quietly() -> tuple[ModuleType, ModuleType]:
    """Import TensorFlow and Keras on it."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")  # its kernels sum in an order that varies between machines
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import keras
            import tensorflow as tf
    except ImportError as error:
        raise Problem(f"Keras cannot be imported ({error}).", "Install it: pip install 'deepkata[keras]'") from None
    if keras.backend.backend() != "tensorflow":
        raise Problem(
            f"Keras runs on {keras.backend.backend()} here, and the twins need TensorFlow.",
            "Set KERAS_BACKEND=tensorflow, or leave it unset.",
        )
    tf.get_logger().setLevel("ERROR")
    with contextlib.suppress(RuntimeError):  # TensorFlow has already begun: then it stays where it is
        tf.config.set_visible_devices([], "GPU")
    tf.config.experimental.enable_op_determinism()
    return keras, tf

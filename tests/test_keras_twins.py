"""The solutions say what Keras says: every exercise with a twin, on every case, hidden ones too."""

from __future__ import annotations

import functools

import numpy as np
import pytest
from build import oracle, small_cases

from grader import catalogue
from grader.compare import compare
from grader.keras_twin import Keras
from grader.problem import Problem
from grader.verdict import flat_answer

EXERCISES = catalogue.exercises()
WITH_TWIN = [name for name, exercise in EXERCISES.items() if exercise.twin is not None]
WITHOUT_TWIN = {
    "ch01_tensors.tensor_kind": "the lecture's names for ranks; Keras has none such",
    "ch04_losses.last_layer_for": "a table to look up, not a computation",
    "ch05_dense.glorot_uniform": "Keras draws from a random generator of its own; the values are those of the formula",
    "ch07_training.numerical_gradient": "Keras has no numeric gradient",
    "ch07_training.relative_error": "a measure of the lecture's; Keras has none such",
    "ch07_training.smooth_curve": "a helper for plots in the lecture; Keras has none such",
    "ch08_evaluation.holdout_split": "a permutation, cut; nothing to compare it with",
    "ch08_evaluation.kfold_data": "the rows of kfold_indices; tested in test_splits_and_metrics",
    "ch08_evaluation.stratified_split": "scikit-learn draws from a generator of its own; see test_splits_and_metrics",
    "ch08_evaluation.temporal_split": "neither library keeps equal times together; see test_splits_and_metrics",
    "ch08_evaluation.grid_search": "held against scikit-learn's ParameterGrid in test_splits_and_metrics",
    "ch10_shapes.classic_network": "the lectures' networks by name; test_shapes builds each of them in Keras",
    **{
        f"projects.mnist_mlp.{name}": "its last case holds what Keras answered when the weights were trained"
        for name in ("predict", "train_step", "fast_step", "train_epoch", "train")
    },
    **{
        f"projects.boston.{name}": "its last case holds what Keras answered or was given when the weights were trained"
        for name in ("prepare", "predict", "evaluate", "train_step", "train_epoch", "fast_epoch", "train")
    },
    "projects.boston.initial_params": "Keras draws from a random generator of its own",
    "projects.mnist_convnet.initial_params": "Keras draws from a random generator of its own",
    **{
        f"projects.mnist_convnet.{name}": "its last case holds what Keras answered when the weights were trained"
        for name in ("predict", "train_step", "fast_step", "train_epoch", "train")
    },
    "projects.mnist_convnet.prepare": "it divides by 255, which Keras leaves to the user",
    "projects.mnist_convnet.forward": "predict is held against Keras's answers; the cache is the project's own",
    "ch15_augmentation.transform_matrix": "translate, rotate, shear and zoom, which are made of it, have theirs",
    "ch15_augmentation.augment_batch": "Keras draws from a random generator of its own",
    "projects.cats_vs_dogs.initial_params": "Keras draws from a random generator of its own",
    "projects.cats_vs_dogs.prepare": "it is rescale, which has one",
    "projects.cats_vs_dogs.forward": "predict is held against Keras's answers; the cache is the project's own",
    **{
        f"projects.cats_vs_dogs.{name}": "its last case holds what Keras answered when the weights were trained"
        for name in ("predict", "train_step", "fast_step", "train_epoch", "train")
    },
    "projects.cats_vs_dogs_transfer.count_params": "a sum; the project's own test holds it against Keras's count",
    **{
        f"projects.cats_vs_dogs_transfer.{name}": "its last case holds what Keras answered when the head was trained"
        for name in ("train_step", "train_epoch", "train_head")
    },
    "projects.imdb.prepare": "vectorize_sequences by another name, which has a twin",
    **{
        f"projects.imdb.{name}": "bookkeeping of ragged texts; Keras has none such"
        for name in ("distinct_words", "inverted_index", "take_texts")
    },
    **{
        f"projects.{name}.train": "its last case holds what Keras reached when the weights were trained"
        for name in ("imdb", "reuters")
    },
    **{
        f"projects.boston.{name}": "Keras has no cross-validation; its properties are in test_boston"
        for name in ("learning_curve", "cross_validate", "kfold_scores", "iterated_kfold_scores", "best_epoch")
    },
    "projects.mnist_mlp.prepare": "it divides by 255, which Keras leaves to the user",
    "ch12_cuda_basics.blocks_for": "how a kernel is launched; Keras has none such",
    "ch12_cuda_basics.grid_for": "how a kernel is launched; Keras has none such",
    **{
        name: "held in test_cuda_content against its twin on the CPU, which has a Keras twin, or against NumPy"
        for name, exercise in EXERCISES.items()
        if exercise.cuda
    },
}


@functools.cache
def keras() -> Keras:
    pytest.importorskip("keras", reason="needs Keras: pip install 'deepkata[keras]'")
    pytest.importorskip("tensorflow", reason="needs TensorFlow: pip install 'deepkata[keras]'")
    return Keras()


@pytest.mark.parametrize("name", WITH_TWIN)
def test_the_solution_equals_keras(name):
    exercise = EXERCISES[name]
    cases = small_cases(exercise)
    for case, right in zip(cases, oracle().expected(exercise, cases), strict=True):
        theirs = keras().answer(exercise, case)
        difference = compare(exercise.name, flat_answer(*right), theirs, exercise.tolerance, check_dtype=False)
        assert difference is None, f"{case.rationale}: Keras has another number: {difference.text}"


def test_an_exercise_without_a_twin_has_a_reason():
    without = {name for name, exercise in EXERCISES.items() if exercise.twin is None}
    assert without == WITHOUT_TWIN.keys() & EXERCISES.keys(), "add the reason to WITHOUT_TWIN, or take it out"
    assert all(len(reason) > 10 for reason in WITHOUT_TWIN.values())


def test_a_gradient_is_weighted_by_the_upstream_one():
    x, dy = np.array([1.0, -2.0], np.float32), np.array([10.0, 100.0], np.float32)
    np.testing.assert_allclose(keras().gradient(lambda x: x * x, dy, x), [20, -400])


def test_the_gradient_of_a_scalar_needs_no_upstream():
    x = np.array([1.0, -2.0], np.float32)
    np.testing.assert_allclose(keras().gradient(lambda x: keras().ops.sum(x * x), None, x), [2, -4])


def test_an_argument_that_does_not_matter_has_gradient_zero():
    x, unused = np.ones(2, np.float32), np.ones(3, np.float32)
    dx, dunused = keras().gradient(lambda x, unused: 3 * x, np.ones(2, np.float32), x, unused)
    np.testing.assert_array_equal(dx, [3, 3])
    np.testing.assert_array_equal(dunused, np.zeros(3))


def test_missing_keras_is_told_with_the_command_that_installs_it(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "keras", None)
    with pytest.raises(Problem, match=r"pip install 'deepkata\[keras\]'"):
        Keras()

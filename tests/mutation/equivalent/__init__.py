"""Mutants that no case can tell from the solution, each with the reason.

A mutant is listed here when it gives the same answer for every input, when the difference drowns in rounding, or when
no case can ask for the difference. An entry whose mutant is gone, or is noticed after all, is stale: the test says so.

One file per chapter.
"""

from __future__ import annotations

from . import (
    boston,
    cats_vs_dogs,
    cats_vs_dogs_transfer,
    ch02_preprocessing,
    ch03_activations,
    ch04_losses,
    ch05_dense,
    ch06_optimizers,
    ch07_training,
    ch08_evaluation,
    ch09_regularization,
    ch10_shapes,
    ch11_convolution,
    ch12_cuda_basics,
    ch13_cuda_layers,
    ch14_cuda_training,
    ch15_augmentation,
    ch20_speed,
    imdb,
    mnist_convnet,
    mnist_mlp,
    reuters,
)

EQUIVALENT: dict[str, str] = {
    **ch02_preprocessing.EQUIVALENT,
    **ch03_activations.EQUIVALENT,
    **ch04_losses.EQUIVALENT,
    **ch05_dense.EQUIVALENT,
    **ch06_optimizers.EQUIVALENT,
    **ch07_training.EQUIVALENT,
    **ch08_evaluation.EQUIVALENT,
    **ch09_regularization.EQUIVALENT,
    **ch10_shapes.EQUIVALENT,
    **ch11_convolution.EQUIVALENT,
    **ch12_cuda_basics.EQUIVALENT,
    **ch13_cuda_layers.EQUIVALENT,
    **ch14_cuda_training.EQUIVALENT,
    **ch15_augmentation.EQUIVALENT,
    **ch20_speed.EQUIVALENT,
    **mnist_mlp.EQUIVALENT,
    **boston.EQUIVALENT,
    **imdb.EQUIVALENT,
    **reuters.EQUIVALENT,
    **mnist_convnet.EQUIVALENT,
    **cats_vs_dogs.EQUIVALENT,
    **cats_vs_dogs_transfer.EQUIVALENT,
}

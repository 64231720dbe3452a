"""What is measured: one row per layer, with its inputs, and what it may be asked to reach.

A row's inputs have the layout of the exercises and of Keras: images (n, h, w, channels), kernels (kh, kw, c_in,
filters). Every library draws them for itself, from the same seed. The first `gradients` of them are those that the
backward pass differentiates by; what it is called with besides is `dy`, the upstream gradient.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

FORWARD, BOTH, STEP = "forward", "forward + backward", "step"
ELEMENTWISE, POOLING, CORE, TOP = "elementwise", "pooling", "core", "top rung"
TARGETS = {ELEMENTWISE: 1.0, POOLING: 1.0, CORE: 4.0, TOP: 1.0}  # our time, in times of the faster library's
SEED = 1

MAPS = (64, 26, 26, 32)  # a batch of the convnet after its first convolution
SCORES = (10_000, 10)  # MNIST's test set after the last layer
DENSE = (128, 784, 512)  # samples, inputs, units: the first layer of the project network
CONVOLUTIONS = {"28×28×1 → 32": (28, 1, 32), "13×13×32 → 64": (13, 32, 64), "5×5×64 → 64": (5, 64, 64)}
BATCH, WINDOW = 64, 3

Inputs = dict[str, np.ndarray]


@dataclass(frozen=True)
class Row:
    """One layer at one size.

    Parameters
    ----------
    layer : the name that the libraries' modules have it under
    size : what it works on, for people
    kind : which of TARGETS holds
    draw : makes the inputs from a generator
    upstream : the shape of dy; None for a scalar loss
    gradients : how many of the inputs, counted from the first, get a gradient
    passes : FORWARD, BOTH or STEP
    flops : multiplications and additions of a matrix product or convolution, forwards; 0 for the other layers
    state : how many arrays of the first input's size a step keeps for itself, reads and writes
    """

    layer: str
    size: str
    kind: str
    draw: Callable[[np.random.Generator], Inputs]
    upstream: tuple[int, ...] | None = None
    gradients: int = 1
    passes: tuple[str, ...] = (FORWARD, BOTH)
    flops: int = 0
    state: int = 0

    def inputs(self) -> Inputs:
        return self.draw(np.random.default_rng(SEED))

    def dy(self) -> np.ndarray | None:
        """The upstream gradient, float32; small enough that the sums over a batch stay near 1."""
        if self.upstream is None:
            return None
        return np.random.default_rng(SEED + 1).standard_normal(self.upstream, np.float32) / np.float32(100)

    def work(self, which: str) -> int:
        """FLOPs of a pass: the gradients by input and by weights are a product each, as large as the forward one."""
        return self.flops * (3 if which == BOTH else 1)

    def bytes(self, which: str, results: list[np.ndarray]) -> int:
        """What a pass has to move at least: everything that goes in or comes out, once."""
        arrays = list(self.inputs().values())
        arrays += 2 * self.state * arrays[:1]
        if which == BOTH and self.upstream is not None:
            arrays.append(np.empty(self.upstream, np.float32))
        return sum(array.nbytes for array in (*arrays, *results))


def arrays(result: Any) -> list[np.ndarray]:
    """What a library returned, the output and then the gradients, as numpy arrays."""
    return [np.asarray(one) for one in (result if isinstance(result, tuple) else (result,))]


def rows() -> list[Row]:
    """All of them, in the order of the chapters."""
    return [*_activations(), *_losses(), *_dense(), *_optimizers(), *_regularization(), *_convolution(), *_speed()]


def _activations() -> list[Row]:
    made = [Row(name, _size(MAPS), ELEMENTWISE, _normal(x=MAPS), MAPS) for name in ("relu", "leaky_relu")]
    made += [Row(name, _size(MAPS), ELEMENTWISE, _normal(x=MAPS), MAPS) for name in ("sigmoid", "tanh")]
    return [*made, Row("softmax", _size(SCORES), CORE, _normal(x=SCORES), SCORES)]


def _losses() -> list[Row]:
    return [
        Row("mse", _size(SCORES), ELEMENTWISE, _normal(y_pred=SCORES, y_true=SCORES)),
        Row("binary_crossentropy", _size(SCORES), CORE, _probabilities),
        Row("categorical_crossentropy", _size(SCORES), CORE, _probabilities),
        Row("softmax_crossentropy", _size(SCORES), CORE, _logits, passes=(BOTH,)),
    ]


def _dense() -> list[Row]:
    n, d_in, d_out = DENSE
    flops = 2 * n * d_in * d_out
    product = _normal(a=(n, d_in), b=(d_in, d_out))
    layer = _normal(x=(n, d_in), w=(d_in, d_out), b=(d_out,))
    return [
        Row("matmul", _size(DENSE), CORE, product, passes=(FORWARD,), flops=flops),
        Row("dense", _size(DENSE), CORE, layer, (n, d_out), gradients=3, flops=flops),
    ]


def _optimizers() -> list[Row]:
    shape = DENSE[1:]
    draw = _normal(w=shape, g=shape)
    states = {"sgd": 0, "rmsprop": 1, "adam": 2}
    return [Row(name, _size(shape), ELEMENTWISE, draw, passes=(STEP,), state=state) for name, state in states.items()]


def _regularization() -> list[Row]:
    channels = MAPS[-1:]
    normalized = _normal(x=MAPS, gamma=channels, beta=channels)
    return [
        Row("dropout", _size(MAPS), ELEMENTWISE, _dropped, MAPS),
        Row("batchnorm_train", _size(MAPS), CORE, normalized, MAPS, gradients=3),
        Row("batchnorm_inference", _size(MAPS), CORE, normalized, passes=(FORWARD,)),
    ]


def _convolution() -> list[Row]:
    n, h, w, c = MAPS
    halved = (n, h // 2, w // 2, c)
    small = (BATCH, 13, 13, 32)
    return [
        *(_conv2d("conv2d", CORE, name) for name in CONVOLUTIONS),
        Row("im2col", _size(small), CORE, _normal(x=small), passes=(FORWARD,)),
        Row("maxpool2d", f"{_size(MAPS)}, 2×2", POOLING, _normal(x=MAPS), halved),
        Row("avgpool2d", f"{_size(MAPS)}, 2×2", POOLING, _normal(x=MAPS), halved),
        Row("global_average_pool", _size(MAPS), POOLING, _normal(x=MAPS), (n, c)),
    ]


def _speed() -> list[Row]:
    n, d_in, d_out = DENSE
    flops = 2 * n * d_in * d_out
    layer = _normal(x=(n, d_in), w=(d_in, d_out), b=(d_out,))
    return [
        Row("matmul_microkernel", _size(DENSE), TOP, _normal(a=DENSE[:2], b=DENSE[1:]), passes=(FORWARD,), flops=flops),
        Row("dense_relu_fused", _size(DENSE), TOP, layer, passes=(FORWARD,), flops=flops),
        Row("dense_step_fused", _size(DENSE), TOP, _step, passes=(STEP,), flops=2 * flops, state=1),
        *(_conv2d("conv2d_fused", TOP, name, pooled=True) for name in CONVOLUTIONS),
    ]


def _conv2d(layer: str, kind: str, name: str, pooled: bool = False) -> Row:
    """A valid convolution with stride 1, followed by a 2 x 2 pooling where pooled."""
    side, c_in, filters = CONVOLUTIONS[name]
    out = side - WINDOW + 1
    kept = out // 2 if pooled else out
    shapes = {"x": (BATCH, side, side, c_in), "kernel": (WINDOW, WINDOW, c_in, filters), "bias": (filters,)}
    flops = 2 * BATCH * out * out * WINDOW * WINDOW * c_in * filters
    return Row(layer, f"{BATCH} × {name}", kind, _normal(**shapes), (BATCH, kept, kept, filters), 3, flops=flops)


def _size(shape: tuple[int, ...]) -> str:
    return "×".join(map(str, shape))


def _normal(**shapes: tuple[int, ...]) -> Callable[[np.random.Generator], Inputs]:
    """Makes normally distributed float32 arrays of these shapes."""
    return functools.partial(_draw_normal, shapes)


def _draw_normal(shapes: dict[str, tuple[int, ...]], rng: np.random.Generator) -> Inputs:
    """Weights are small, as those of a network are."""
    scale = {"w": np.float32(0.05), "kernel": np.float32(0.05)}
    return {name: rng.standard_normal(shape, np.float32) * scale.get(name, 1) for name, shape in shapes.items()}


def _dropped(rng: np.random.Generator) -> Inputs:
    return {"x": rng.standard_normal(MAPS, np.float32), "uniforms": rng.random(MAPS, np.float32)}


def _logits(rng: np.random.Generator) -> Inputs:
    n, classes = SCORES
    return {"logits": rng.standard_normal(SCORES, np.float32), "labels": rng.integers(0, classes, n)}


def _probabilities(rng: np.random.Generator) -> Inputs:
    """Predictions and one-hot labels."""
    scores = np.exp(rng.standard_normal(SCORES, np.float32))
    labels = np.eye(SCORES[1], dtype=np.float32)[rng.integers(0, SCORES[1], SCORES[0])]
    return {"y_pred": scores / scores.sum(axis=1, keepdims=True), "y_true": labels}


def _step(rng: np.random.Generator) -> Inputs:
    """What a backward pass of a dense layer with its step is given, besides the optimizer's averages."""
    n, d_in, d_out = DENSE
    return _draw_normal({"w": (d_in, d_out), "b": (d_out,), "x": (n, d_in), "dy": (n, d_out)}, rng)

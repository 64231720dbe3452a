"""PyTorch on the CPU, eager, in its own layout: images (n, channels, h, w), turned round before the clock runs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812 (PyTorch's own name for it)

from benchmarks.layers import constants
from benchmarks.layers.rows import BOTH, STEP, WINDOW, Row
from benchmarks.turns import Prepared

TO_TORCH = {"kernel": (3, 2, 0, 1)}  # (kh, kw, c_in, filters) -> (filters, c_in, kh, kw)
FROM_TORCH = {"kernel": (2, 3, 1, 0)}
IMAGES_TO_TORCH, IMAGES_FROM_TORCH = (0, 3, 1, 2), (0, 2, 3, 1)


def prepare(row: Row, which: str) -> Prepared:
    """One pass of a row's layer."""
    inputs = [_tensor(name, array) for name, array in row.inputs().items()]
    if which == STEP:
        return STEPS[row.layer](*inputs), _reader(row)
    forward = FORWARD[row.layer]
    if which != BOTH:
        return lambda: forward(*inputs), _reader(row)
    sources = inputs[: row.gradients]
    for source in sources:
        source.requires_grad_()
    upstream = row.dy()
    dy = None if upstream is None else _tensor("dy", upstream)

    def both() -> tuple[torch.Tensor, ...]:
        y = forward(*inputs)
        return y, *torch.autograd.grad(y, sources, dy)

    return both, _reader(row)


def _reader(row: Row) -> Callable[[Any], list[np.ndarray]]:
    """Turns a result's arrays round to our layout: the output, then the gradients."""

    def read(result: Any) -> list[np.ndarray]:
        if row.layer == "im2col":
            n, *_, channels = row.inputs()["x"].shape
            return [result.reshape(n, channels, WINDOW * WINDOW, -1).permute(0, 3, 2, 1).numpy()]
        results = result if isinstance(result, tuple) else (result,)
        return [_array(name, one) for name, one in zip(("y", *row.inputs()), results, strict=False)]

    return read


def _tensor(name: str, array: np.ndarray) -> torch.Tensor:
    tensor = torch.from_numpy(array)
    if tensor.ndim != 4:
        return tensor
    return tensor.permute(TO_TORCH.get(name, IMAGES_TO_TORCH)).contiguous()


def _array(name: str, tensor: torch.Tensor) -> np.ndarray:
    if tensor.ndim == 4:
        tensor = tensor.permute(FROM_TORCH.get(name, IMAGES_FROM_TORCH))
    return tensor.detach().numpy()


def _batchnorm(training: bool) -> Callable[..., torch.Tensor]:
    def forward(x: torch.Tensor, gamma: torch.Tensor, beta: torch.Tensor) -> torch.Tensor:
        moving = torch.zeros(len(gamma)), torch.ones(len(gamma))
        return F.batch_norm(x, *moving, gamma, beta, training, 1 - constants.MOMENTUM, constants.NORM_EPSILON)

    return forward


def _categorical(y_pred: torch.Tensor, y_true: torch.Tensor) -> torch.Tensor:
    return -(y_true * y_pred.clamp(constants.CLIP, 1 - constants.CLIP).log()).sum() / len(y_true)


def _optimizer(make: Callable[..., torch.optim.Optimizer]) -> Callable[..., Callable[[], torch.Tensor]]:
    def prepare_step(w: torch.Tensor, g: torch.Tensor) -> Callable[[], torch.Tensor]:
        w.grad = g
        optimizer = make([w])

        def step() -> torch.Tensor:
            optimizer.step()
            return w

        return step

    return prepare_step


def _dense_step(
    w: torch.Tensor, b: torch.Tensor, x: torch.Tensor, dy: torch.Tensor
) -> Callable[[], tuple[torch.Tensor, ...]]:
    """The backward pass of a dense layer as autograd has it, with its RMSprop step."""
    optimizer = _rmsprop([w, b])

    def step() -> tuple[torch.Tensor, ...]:
        dx = dy @ w.T
        w.grad, b.grad = x.T @ dy, dy.sum(0)
        optimizer.step()
        return dx, w, b

    return step


def _rmsprop(weights: list[torch.Tensor]) -> torch.optim.Optimizer:
    return torch.optim.RMSprop(weights, constants.LEARNING_RATE, constants.RHO, constants.EPSILON)


FORWARD: dict[str, Callable[..., torch.Tensor]] = {
    "relu": F.relu,
    "leaky_relu": lambda x: F.leaky_relu(x, constants.SLOPE),
    "sigmoid": torch.sigmoid,
    "tanh": torch.tanh,
    "softmax": lambda x: F.softmax(x, 1),
    "mse": F.mse_loss,
    "binary_crossentropy": F.binary_cross_entropy,
    "categorical_crossentropy": _categorical,
    "softmax_crossentropy": F.cross_entropy,
    "matmul": torch.mm,
    "dense": lambda x, w, b: torch.addmm(b, x, w),
    "dropout": lambda x, uniforms: torch.where(uniforms >= constants.RATE, x / (1 - constants.RATE), 0.0),
    "batchnorm_train": _batchnorm(training=True),
    "batchnorm_inference": _batchnorm(training=False),
    "conv2d": F.conv2d,
    "im2col": lambda x: F.unfold(x, WINDOW),
    "maxpool2d": lambda x: F.max_pool2d(x, 2),
    "avgpool2d": lambda x: F.avg_pool2d(x, 2),
    "global_average_pool": lambda x: x.mean((2, 3)),
    "matmul_microkernel": torch.mm,
    "dense_relu_fused": lambda x, w, b: torch.addmm(b, x, w).relu(),
    "conv2d_fused": lambda x, kernel, bias: F.max_pool2d(F.conv2d(x, kernel, bias).relu(), 2),
}
STEPS: dict[str, Callable[..., Callable[[], Any]]] = {
    "sgd": _optimizer(lambda weights: torch.optim.SGD(weights, constants.LEARNING_RATE)),
    "rmsprop": _optimizer(_rmsprop),
    "adam": _optimizer(
        lambda weights: torch.optim.Adam(
            weights, constants.LEARNING_RATE, (constants.BETA1, constants.BETA2), constants.EPSILON
        )
    ),
    "dense_step_fused": _dense_step,
}
FORMS = {"eager": prepare}

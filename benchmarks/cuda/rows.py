"""What is measured: each kernel with large inputs, its launch, NumPy's answer, and the same work in PyTorch.

`SIZES` says how large; the small ones are for the simulator, where only the answers count.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from solutions import ch12_cuda_basics as basics
from solutions import ch13_cuda_layers as layers
from solutions import ch14_cuda_training as training

Arrays = dict[str, Any]


@dataclass(frozen=True)
class Sizes:
    """How large the inputs are.

    Parameters
    ----------
    elements : of a long vector; its arrays should not fit in the device's cache
    rows, columns : of a matrix whose rows are added up, normalized, turned
    inner : the sides of a matrix product
    images : (n, h, w, channels, filters) of a convolution; of pooling, which is bound by memory, four times as many
    blocks : how many blocks a grid-stride launch has
    """

    elements: int
    rows: int
    columns: int
    inner: int
    images: tuple[int, int, int, int, int]
    blocks: int


LARGEST = 1 << 27  # elements: long enough on the fastest devices that launching takes no part of it
ARRAYS = 16  # of a row at once, with PyTorch's copies and some room
SMALL = Sizes(300, 9, 70, 20, (2, 5, 6, 3, 4), 3)


def full(free: int) -> Sizes:
    """The largest inputs that fit into so many bytes of a device."""
    elements = min(LARGEST, 1 << (free // (4 * ARRAYS)).bit_length() - 1)
    return Sizes(elements, 1 << 14, 1 << 12, 4096, (64, 56, 56, 64, 64), 2048)


@dataclass(frozen=True)
class Row:
    """One kernel and all there is to know about it.

    Parameters
    ----------
    kernel : the solution
    grid, block, shared : its launch
    arguments : by name, on the host
    changes : what it writes
    right : what the changed arrays should hold
    in_place : those of `changes` that it reads too
    flops : of products and convolutions; what has none is measured by the bytes that it must move
    rival : given torch and the arguments as its tensors, a function that does the same work
    """

    kernel: Any
    grid: tuple[int, ...]
    block: tuple[int, ...]
    arguments: Arrays
    changes: tuple[str, ...]
    right: Callable[[], Mapping[str, Any]]
    shared: int = 0
    in_place: tuple[str, ...] = ()
    flops: int = 0
    rival: Callable[[Any, Any], Callable[[], Any]] | None = None
    name: str = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "name", self.kernel.__name__)

    @property
    def bytes(self) -> int:
        """What has to go between memory and processor at least: each array once, and twice what is updated."""
        sizes = {name: value.nbytes for name, value in self.arguments.items() if isinstance(value, np.ndarray)}
        return sum(sizes.values()) + sum(sizes[name] for name in self.in_place)


def every(sizes: Sizes) -> Iterator[Callable[[], Row]]:
    """The rows, each made when its turn comes."""
    for make in (*VECTORS, *MATRICES, *PRODUCTS, *IMAGES, *STEPS):
        yield lambda make=make: make(sizes, np.random.default_rng(12))


def name_of(make: Callable[[], Row]) -> str:
    """Which kernel a row is about, without making it."""
    maker: Any = make.__defaults__[0]  # type: ignore[attr-defined]
    return f"{maker.__name__}_kernel"


def normal(rng: np.random.Generator, *shape: int) -> Any:
    return rng.standard_normal(shape, np.float32)


def empty(*shape: int) -> Any:
    """Poisoned, so that what is not written is seen."""
    return np.full(shape, np.nan, np.float32)


def strided(sizes: Sizes) -> tuple[tuple[int], tuple[int]]:
    """A launch for the grid-stride loop."""
    return (sizes.blocks,), (256,)


def exact(size: int) -> tuple[tuple[int], tuple[int]]:
    """A launch with a thread for each element."""
    return (basics.blocks_for(size, 256),), (256,)


# --- vectors --------------------------------------------------------------------------------------------------------


def relu(sizes: Sizes, rng: np.random.Generator) -> Row:
    x = normal(rng, sizes.elements)
    return Row(
        basics.relu_kernel,
        *exact(x.size),
        {"x": x, "out": empty(x.size)},
        ("out",),
        lambda: {"out": np.maximum(x, 0)},
        rival=lambda torch, t: lambda: torch.clamp_min(t.x, 0, out=t.out),
    )


def relu_items(sizes: Sizes, rng: np.random.Generator) -> Row:
    x = normal(rng, sizes.elements)
    return Row(
        basics.relu_items_kernel,
        (basics.blocks_for(x.size, 256 * basics.ITEMS),),
        (256,),
        {"x": x, "out": empty(x.size)},
        ("out",),
        lambda: {"out": np.maximum(x, 0)},
        rival=lambda torch, t: lambda: torch.clamp_min(t.x, 0, out=t.out),
    )


def axpy(sizes: Sizes, rng: np.random.Generator) -> Row:
    x, y = normal(rng, sizes.elements), normal(rng, sizes.elements)
    return Row(
        basics.axpy_kernel,
        *exact(x.size),
        {"alpha": 0.5, "x": x, "y": y},
        ("y",),
        lambda: {"y": y + np.float32(0.5) * x},
        in_place=("y",),
        rival=lambda torch, t: lambda: t.y.add_(t.x, alpha=0.5),
    )


def sigmoid(sizes: Sizes, rng: np.random.Generator) -> Row:
    x = normal(rng, sizes.elements)
    return Row(
        basics.sigmoid_kernel,
        *strided(sizes),
        {"x": x, "out": empty(x.size)},
        ("out",),
        lambda: {"out": 1 / (1 + np.exp(-x))},
        rival=lambda torch, t: lambda: torch.sigmoid(t.x, out=t.out),
    )


def block_sum(sizes: Sizes, rng: np.random.Generator) -> Row:
    x = rng.random(sizes.elements, np.float32)
    step = sizes.blocks * 256
    owner = np.arange(step) // 256

    def right() -> Mapping[str, Any]:
        padded = np.concatenate([x, np.zeros(-x.size % step, np.float32)]).reshape(-1, step)
        return {"out": np.bincount(owner, padded.sum(axis=0, dtype=np.float64), sizes.blocks)}

    return Row(
        basics.block_sum_kernel,
        *strided(sizes),
        {"x": x, "out": empty(sizes.blocks)},
        ("out",),
        right,
        rival=lambda torch, t: lambda: torch.sum(t.x),
    )


def dot(sizes: Sizes, rng: np.random.Generator) -> Row:
    x, y = rng.random(sizes.elements, np.float32), rng.random(sizes.elements, np.float32)
    return Row(
        basics.dot_kernel,
        *strided(sizes),
        {"x": x, "y": y, "out": np.zeros(1, np.float32)},
        ("out",),
        lambda: {"out": np.array([np.einsum("i,i", x, y, dtype=np.float64)])},
        rival=lambda torch, t: lambda: torch.dot(t.x, t.y),
    )


def histogram(sizes: Sizes, rng: np.random.Generator) -> Row:
    pixels = rng.integers(0, 256, 2 * sizes.elements, np.uint8)  # a byte each: more, to fill no cache
    return Row(
        basics.histogram_kernel,
        *strided(sizes),
        {"pixels": pixels, "counts": np.zeros(basics.BINS, np.int32)},
        ("counts",),
        lambda: {"counts": np.bincount(pixels, minlength=basics.BINS)},
    )


def relu_backward(sizes: Sizes, rng: np.random.Generator) -> Row:
    dy, y = normal(rng, sizes.elements), np.maximum(normal(rng, sizes.elements), 0)
    return Row(
        layers.relu_backward_kernel,
        *strided(sizes),
        {"dy": dy, "y": y, "dx": empty(y.size)},
        ("dx",),
        lambda: {"dx": np.where(y > 0, dy, 0)},
        rival=lambda torch, t: lambda: torch.ops.aten.threshold_backward(t.dy, t.y, 0),
    )


def dropout(sizes: Sizes, rng: np.random.Generator) -> Row:
    x = normal(rng, sizes.elements)

    def right() -> Mapping[str, Any]:
        from grader.chapters.ch13_cuda_layers import uniforms

        with np.errstate(over="ignore"):
            return {"y": np.where(uniforms(7, x.size) >= np.float32(0.5), 2 * x, 0)}

    return Row(
        layers.dropout_kernel,
        *strided(sizes),
        {"x": x, "rate": 0.5, "seed": 7, "y": empty(x.size)},
        ("y",),
        right,
        rival=lambda torch, t: lambda: torch.nn.functional.dropout(t.x, 0.5),
    )


VECTORS = (relu, relu_items, axpy, sigmoid, block_sum, dot, histogram, relu_backward, dropout)


# --- matrices -------------------------------------------------------------------------------------------------------


def add_bias(sizes: Sizes, rng: np.random.Generator) -> Row:
    x, b = normal(rng, sizes.rows, sizes.columns), normal(rng, sizes.columns)
    block = (32, 8)
    return Row(
        basics.add_bias_kernel,
        basics.grid_for(x.shape, block),
        block,
        {"x": x, "b": b, "out": empty(*x.shape)},
        ("out",),
        lambda: {"out": x + b},
        rival=lambda torch, t: lambda: torch.add(t.x, t.b, out=t.out),
    )


def softmax(sizes: Sizes, rng: np.random.Generator) -> Row:
    x = normal(rng, sizes.rows, sizes.columns)
    return Row(
        basics.softmax_kernel,
        (sizes.rows,),
        (256,),
        {"x": x, "out": empty(*x.shape)},
        ("out",),
        lambda: {"out": softmax_of(x)},
        shared=4 * sizes.columns,
        rival=lambda torch, t: lambda: torch.softmax(t.x, 1, out=t.out),
    )


def softmax_of(x: Any) -> Any:
    e = np.exp(x - x.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def transpose(sizes: Sizes, rng: np.random.Generator) -> Row:
    x = normal(rng, sizes.rows, sizes.columns)
    return Row(
        basics.transpose_kernel,
        (basics.blocks_for(sizes.columns, basics.TILE), basics.blocks_for(sizes.rows, basics.TILE)),
        (basics.TILE, 8),
        {"x": x, "out": empty(*x.shape[::-1])},
        ("out",),
        lambda: {"out": x.T},
        rival=lambda torch, t: lambda: t.out.copy_(t.x.T),
    )


def column_sum(sizes: Sizes, rng: np.random.Generator) -> Row:
    x = rng.random((sizes.rows, sizes.columns), np.float32)
    block = (32, 16)
    return Row(
        layers.column_sum_kernel,
        (basics.blocks_for(sizes.columns, block[0]), min(16, basics.blocks_for(sizes.rows, block[1]))),
        block,
        {"x": x, "sums": np.zeros(sizes.columns, np.float32)},
        ("sums",),
        lambda: {"sums": x.sum(axis=0, dtype=np.float64)},
        rival=lambda torch, t: lambda: torch.sum(t.x, 0, out=t.sums),
    )


def softmax_crossentropy(sizes: Sizes, rng: np.random.Generator) -> Row:
    logits = normal(rng, sizes.rows, sizes.columns)
    labels = rng.integers(0, sizes.columns, sizes.rows)

    def right() -> Mapping[str, Any]:
        chosen = np.arange(sizes.rows), labels
        probabilities = softmax_of(logits.astype(np.float64))
        loss = -np.log(probabilities[chosen]).mean()
        probabilities[chosen] -= 1
        return {"loss": np.array([loss]), "dlogits": probabilities / sizes.rows}

    return Row(
        layers.softmax_crossentropy_kernel,
        (basics.blocks_for(sizes.rows * basics.WARP, 256),),
        (256,),
        {"logits": logits, "labels": labels, "loss": np.zeros(1, np.float32), "dlogits": empty(*logits.shape)},
        ("loss", "dlogits"),
        right,
    )


def batchnorm_forward(sizes: Sizes, rng: np.random.Generator) -> Row:
    x = normal(rng, sizes.rows, sizes.columns)
    d = sizes.columns
    outputs = {"y": empty(*x.shape), "x_hat": empty(*x.shape), "inv_std": empty(d)}
    learned = {"gamma": normal(rng, d), "beta": normal(rng, d)}
    moving = {"moving_mean": np.zeros(d, np.float32), "moving_var": np.ones(d, np.float32)}

    def right() -> Mapping[str, Any]:
        mean, var = x.mean(axis=0, dtype=np.float64), x.var(axis=0, dtype=np.float64)
        x_hat = (x - mean) / np.sqrt(var + 1e-3)
        return {
            "moving_mean": 0.1 * mean,
            "moving_var": 0.9 + 0.1 * var,
            "y": learned["gamma"] * x_hat + learned["beta"],
            "x_hat": x_hat,
            "inv_std": 1 / np.sqrt(var + 1e-3),
        }

    return Row(
        layers.batchnorm_forward_kernel,
        (basics.blocks_for(d, basics.WARP),),
        (basics.WARP, layers.ROWS),
        {"x": x, **learned, **moving, "momentum": 0.9, "eps": 1e-3, **outputs},
        ("moving_mean", "moving_var", "y", "x_hat", "inv_std"),
        right,
        in_place=tuple(moving),
        rival=lambda torch, t: lambda: torch.nn.functional.batch_norm(t.x, None, None, t.gamma, t.beta, True),
    )


def batchnorm_backward(sizes: Sizes, rng: np.random.Generator) -> Row:
    dy, x_hat = normal(rng, sizes.rows, sizes.columns), normal(rng, sizes.rows, sizes.columns)
    d = sizes.columns
    inv_std, gamma = rng.random(d, np.float32) + 1, normal(rng, d)

    def right() -> Mapping[str, Any]:
        dgamma, dbeta = (dy * x_hat).sum(axis=0, dtype=np.float64), dy.sum(axis=0, dtype=np.float64)
        inner = dy - dbeta / len(dy) - x_hat * dgamma / len(dy)
        return {"dx": gamma * inv_std * inner, "dgamma": dgamma, "dbeta": dbeta}

    return Row(
        layers.batchnorm_backward_kernel,
        (basics.blocks_for(d, basics.WARP),),
        (basics.WARP, layers.ROWS),
        {
            **{"dy": dy, "x_hat": x_hat, "inv_std": inv_std, "gamma": gamma},
            **{"dx": empty(*dy.shape), "dgamma": empty(d), "dbeta": empty(d)},
        },
        ("dx", "dgamma", "dbeta"),
        right,
    )


def gather(sizes: Sizes, rng: np.random.Generator) -> Row:
    x, labels = normal(rng, sizes.rows, sizes.columns), rng.integers(0, 10, sizes.rows)
    order = rng.permutation(sizes.rows)
    block = (32, 8)
    return Row(
        training.gather_kernel,
        basics.grid_for(x.shape, block),
        block,
        {
            **{"x": x, "labels": labels, "order": order, "first": 0},
            **{"batch": empty(*x.shape), "batch_labels": np.full(sizes.rows, -1)},
        },
        ("batch", "batch_labels"),
        lambda: {"batch": x[order], "batch_labels": labels[order]},
        rival=lambda torch, t: lambda: torch.index_select(t.x, 0, t.order, out=t.batch),
    )


MATRICES = (
    *(add_bias, softmax, transpose, column_sum, softmax_crossentropy),
    *(batchnorm_forward, batchnorm_backward, gather),
)


# --- products -------------------------------------------------------------------------------------------------------


def matmul(sizes: Sizes, rng: np.random.Generator) -> Row:
    tile = (layers.TILE, layers.TILE)
    return product(layers.matmul_kernel, sizes.inner, tile, layers.TILE, rng)


def matmul_registers(sizes: Sizes, rng: np.random.Generator) -> Row:
    return product(layers.matmul_registers_kernel, sizes.inner, (layers.SIDE, layers.SIDE), layers.SPAN, rng)


def product(kernel: Any, side: int, block: tuple[int, int], span: int, rng: np.random.Generator) -> Row:
    """A square matrix product; a block makes span * span elements."""
    a, b = normal(rng, side, side), normal(rng, side, side)
    return Row(
        kernel,
        (basics.blocks_for(side, span),) * 2,
        block,
        {"a": a, "b": b, "c": empty(side, side)},
        ("c",),
        lambda: {"c": a @ b},
        flops=2 * side**3,
        rival=lambda torch, t: lambda: torch.matmul(t.a, t.b, out=t.c),
    )


def dense_forward(sizes: Sizes, rng: np.random.Generator) -> Row:
    side = sizes.inner
    x, w, b = normal(rng, side, side), normal(rng, side, side), normal(rng, side)
    return Row(
        layers.dense_forward_kernel,
        (basics.blocks_for(side, layers.TILE),) * 2,
        (layers.TILE, layers.TILE),
        {"x": x, "w": w, "b": b, "relu": True, "y": empty(side, side)},
        ("y",),
        lambda: {"y": np.maximum(x @ w + b, 0)},
        flops=2 * side**3,
        rival=lambda torch, t: lambda: torch.relu_(torch.addmm(t.b, t.x, t.w, out=t.y)),
    )


def dense_dx(sizes: Sizes, rng: np.random.Generator) -> Row:
    side = sizes.inner
    dy, w = normal(rng, side, side), normal(rng, side, side)
    return Row(
        layers.dense_dx_kernel,
        (basics.blocks_for(side, layers.TILE),) * 2,
        (layers.TILE, layers.TILE),
        {"dy": dy, "w": w, "dx": empty(side, side)},
        ("dx",),
        lambda: {"dx": dy @ w.T},
        flops=2 * side**3,
        rival=lambda torch, t: lambda: torch.matmul(t.dy, t.w.T, out=t.dx),
    )


def dense_dw(sizes: Sizes, rng: np.random.Generator) -> Row:
    side = sizes.inner
    dy, x = normal(rng, side, side), normal(rng, side, side)
    return Row(
        layers.dense_dw_kernel,
        (basics.blocks_for(side, layers.TILE),) * 2,
        (layers.TILE, layers.TILE),
        {"dy": dy, "x": x, "dw": empty(side, side)},
        ("dw",),
        lambda: {"dw": x.T @ dy},
        flops=2 * side**3,
        rival=lambda torch, t: lambda: torch.matmul(t.x.T, t.dy, out=t.dw),
    )


PRODUCTS = (matmul, matmul_registers, dense_forward, dense_dx, dense_dw)


# --- images ---------------------------------------------------------------------------------------------------------

WINDOW, STEP, MARGIN = (3, 3), (1, 1), (1, 1)  # 3 x 3, stride 1, one pixel of padding all around: "same"


def convolution_flops(sizes: Sizes) -> int:
    n, h, w, channels, filters = sizes.images
    return 2 * n * h * w * math.prod(WINDOW) * channels * filters


def windows_of(x: Any) -> Any:
    """(n, h, w, channels, 3, 3): a view of the padded images."""
    padded = np.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)))
    return np.lib.stride_tricks.sliding_window_view(padded, WINDOW, axis=(1, 2))


def turned(tensor: Any) -> Any:
    """PyTorch's order of the axes, channels second, over the same memory."""
    return tensor.permute(0, 3, 1, 2)


def conv2d_forward(sizes: Sizes, rng: np.random.Generator) -> Row:
    n, h, w, channels, filters = sizes.images
    x, kernel, bias = normal(rng, n, h, w, channels), normal(rng, *WINDOW, channels, filters), normal(rng, filters)

    def right() -> Mapping[str, Any]:
        return {"y": np.tensordot(windows_of(x), kernel, ((4, 5, 3), (0, 1, 2))) + bias}

    def rival(torch: Any, t: Any) -> Callable[[], Any]:
        images, weights = turned(t.x), t.kernel.permute(3, 2, 0, 1).contiguous(memory_format=torch.channels_last)
        return lambda: torch.nn.functional.conv2d(images, weights, t.bias, padding=1)

    return Row(
        layers.conv2d_forward_kernel,
        *exact(n * h * w * filters),
        {
            **{"x": x, "kernel": kernel, "bias": bias, "strides": STEP, "before": MARGIN},
            **{"y": empty(n, h, w, filters)},
        },
        ("y",),
        right,
        flops=convolution_flops(sizes),
        rival=rival,
    )


def conv2d_dx(sizes: Sizes, rng: np.random.Generator) -> Row:
    n, h, w, channels, filters = sizes.images
    dy, kernel = normal(rng, n, h, w, filters), normal(rng, *WINDOW, channels, filters)

    def right() -> Mapping[str, Any]:
        return {"dx": np.tensordot(windows_of(dy), kernel[::-1, ::-1], ((4, 5, 3), (0, 1, 3)))}

    def rival(torch: Any, t: Any) -> Callable[[], Any]:
        upstream, weights = turned(t.dy), t.kernel.permute(3, 2, 0, 1).contiguous(memory_format=torch.channels_last)
        return lambda: torch.nn.grad.conv2d_input((n, channels, h, w), weights, upstream, padding=1)

    return Row(
        layers.conv2d_dx_kernel,
        *exact(n * h * w * channels),
        {"dy": dy, "kernel": kernel, "strides": STEP, "before": MARGIN, "dx": empty(n, h, w, channels)},
        ("dx",),
        right,
        flops=convolution_flops(sizes),
        rival=rival,
    )


def conv2d_dkernel(sizes: Sizes, rng: np.random.Generator) -> Row:
    n, h, w, channels, filters = sizes.images
    dy, x = normal(rng, n, h, w, filters), normal(rng, n, h, w, channels)
    block = (basics.WARP, 8)

    def right() -> Mapping[str, Any]:
        return {"dkernel": np.tensordot(windows_of(x), dy, ((0, 1, 2), (0, 1, 2))).transpose(1, 2, 0, 3)}

    def rival(torch: Any, t: Any) -> Callable[[], Any]:
        images, upstream = turned(t.x), turned(t.dy)
        return lambda: torch.nn.grad.conv2d_weight(images, (filters, channels, *WINDOW), upstream, padding=1)

    return Row(
        layers.conv2d_dkernel_kernel,
        (math.prod(WINDOW) * channels, basics.blocks_for(filters, block[0]), 4),
        block,
        {
            **{"dy": dy, "x": x, "strides": STEP, "before": MARGIN},
            **{"dkernel": np.zeros((*WINDOW, channels, filters), np.float32)},
        },
        ("dkernel",),
        right,
        flops=convolution_flops(sizes),
        rival=rival,
    )


def maxpool_forward(sizes: Sizes, rng: np.random.Generator) -> Row:
    n, h, w, channels = pooling(sizes)
    x = normal(rng, n, h, w, channels)
    y = empty(n, h // 2, w // 2, channels)

    def right() -> Mapping[str, Any]:
        largest, where = pooled(x)
        return {"y": largest, "argmax": where}

    def rival(torch: Any, t: Any) -> Callable[[], Any]:
        images = turned(t.x)
        return lambda: torch.nn.functional.max_pool2d(images, 2, return_indices=True)

    return Row(
        layers.maxpool_forward_kernel,
        *exact(y.size),
        {
            **{"x": x, "pool_size": (2, 2), "strides": (2, 2), "before": (0, 0)},
            **{"y": y, "argmax": np.full(y.shape, -1)},
        },
        ("y", "argmax"),
        right,
        rival=rival,
    )


def pooling(sizes: Sizes) -> tuple[int, int, int, int]:
    n, h, w, channels, _ = sizes.images
    return 4 * n, h, w, channels


def pooled(x: Any) -> tuple[Any, Any]:
    """Windows of two by two pixels side by side: the largest of each, and where it was."""
    n, h, w, channels = x.shape
    rows, columns = h // 2, w // 2
    windows = x[:, : 2 * rows, : 2 * columns].reshape(n, rows, 2, columns, 2, channels)
    windows = windows.transpose(0, 1, 3, 2, 4, 5).reshape(n, rows, columns, 4, channels)
    local = windows.argmax(axis=3)
    row = 2 * np.arange(rows)[:, np.newaxis, np.newaxis] + local // 2
    return windows.max(axis=3), row * w + 2 * np.arange(columns)[:, np.newaxis] + local % 2


def maxpool_backward(sizes: Sizes, rng: np.random.Generator) -> Row:
    n, h, w, channels = pooling(sizes)
    _, argmax = pooled(normal(rng, n, h, w, channels))
    dy = normal(rng, *argmax.shape)

    def right() -> Mapping[str, Any]:
        dx = np.zeros((n, h * w, channels), np.float32)
        samples, _, _, channel = np.indices(dy.shape)
        dx[samples, argmax, channel] = dy  # windows side by side: each pixel wins one at most
        return {"dx": dx.reshape(n, h, w, channels)}

    return Row(
        layers.maxpool_backward_kernel,
        *exact(dy.size),
        {"dy": dy, "argmax": argmax, "dx": np.zeros((n, h, w, channels), np.float32)},
        ("dx",),
        right,
    )


IMAGES = (conv2d_forward, conv2d_dx, conv2d_dkernel, maxpool_forward, maxpool_backward)


# --- optimizers -----------------------------------------------------------------------------------------------------


def step(
    kernel: Any, sizes: Sizes, state: tuple[str, ...], right: Callable[..., Any], rates: Arrays, **more: Any
) -> Row:
    """An optimizer's step on a long row of weights."""
    rng = np.random.default_rng(3)
    arrays = {name: normal(rng, sizes.elements) for name in ("w", "g")}
    arrays |= {name: rng.random(sizes.elements, np.float32) for name in state}
    changes = ("w", *state)
    return Row(
        kernel,
        *strided(sizes),
        {**arrays, **rates},
        changes,
        lambda: dict(zip(changes, right(**arrays), strict=True)),
        in_place=changes,
        **more,
    )


def sgd(sizes: Sizes, _rng: np.random.Generator) -> Row:
    def right(w: Any, g: Any) -> tuple[Any]:
        return (w - np.float32(1e-3) * g,)

    return step(
        training.sgd_kernel,
        sizes,
        (),
        right,
        {"lr": 1e-3},
        rival=lambda torch, t: lambda: t.w.add_(t.g, alpha=-1e-3),
    )


def momentum(sizes: Sizes, _rng: np.random.Generator) -> Row:
    def right(w: Any, g: Any, v: Any) -> tuple[Any, Any]:
        velocity = np.float32(0.9) * v - np.float32(1e-3) * g
        return w + velocity, velocity

    return step(training.momentum_kernel, sizes, ("v",), right, {"lr": 1e-3, "momentum": 0.9})


def rmsprop(sizes: Sizes, _rng: np.random.Generator) -> Row:
    def right(w: Any, g: Any, acc: Any) -> tuple[Any, Any]:
        average = np.float32(0.9) * acc + np.float32(0.1) * g * g
        return w - np.float32(1e-3) * g / np.sqrt(average + np.float32(1e-7)), average

    def rival(torch: Any, t: Any) -> Callable[[], Any]:
        return optimizer(t, lambda weights: torch.optim.RMSprop(weights, 1e-3, 0.9, 1e-7, foreach=True))

    return step(training.rmsprop_kernel, sizes, ("acc",), right, {"lr": 1e-3, "rho": 0.9, "eps": 1e-7}, rival=rival)


def adam(sizes: Sizes, _rng: np.random.Generator) -> Row:
    def right(w: Any, g: Any, m: Any, v: Any) -> tuple[Any, Any, Any]:
        m, v = m + np.float32(0.1) * (g - m), v + np.float32(1e-3) * (g * g - v)
        alpha = np.float32(1e-3 * math.sqrt(1 - 0.999**2) / (1 - 0.9**2))
        return w - alpha * m / (np.sqrt(v) + np.float32(1e-7)), m, v

    def rival(torch: Any, t: Any) -> Callable[[], Any]:
        return optimizer(t, lambda weights: torch.optim.Adam(weights, 1e-3, fused=True))

    rates = {"t": 2, "lr": 1e-3, "beta1": 0.9, "beta2": 0.999, "eps": 1e-7}
    return step(training.adam_kernel, sizes, ("m", "v"), right, rates, rival=rival)


def optimizer(t: Any, make: Callable[[list[Any]], Any]) -> Callable[[], Any]:
    """A step of one of PyTorch's optimizers, its fastest form."""
    t.w.grad = t.g
    return make([t.w]).step  # type: ignore[no-any-return]


STEPS = (sgd, momentum, rmsprop, adam)

"""Convolution and pooling: cases, known mistakes and Keras twins."""

from __future__ import annotations

import math

import numpy as np

from grader.exercise import Case, Chapter

chapter = Chapter("ch11_convolution", "Convolution and pooling")

# What the windows of every exercise look like: rationale, (samples, rows, columns), window, strides, padding.
SHOWN = (
    ("valid: every window stays inside", (2, 5, 4), (3, 2), (1, 1), "valid"),
    ("same: the output is as large as the image", (2, 4, 3), (3, 3), (1, 1), "same"),
    ("same with an even window: the odd row and column go after", (1, 4, 5), (2, 4), (1, 1), "same"),
    ("valid with strides 2 and 3: something is left over", (2, 6, 6), (3, 2), (2, 3), "valid"),
    ("same with stride 2: an even side needs less padding", (1, 6, 5), (3, 3), (2, 2), "same"),
    ("a window of one pixel", (2, 3, 4), (1, 1), (1, 1), "valid"),
)
HIDDEN = (
    ("a window as large as the image", (2, 4, 3), (4, 3), (1, 1), "valid"),
    ("same with strides 3 and 1", (1, 7, 3), (3, 4), (3, 1), "same"),
    ("same with strides 1 and 2", (1, 3, 6), (2, 5), (1, 2), "same"),
    ("strides that leave gaps between the windows", (1, 8, 7), (2, 1), (3, 2), "valid"),
    ("same with gaps", (2, 5, 6), (1, 2), (3, 3), "same"),
    ("windows side by side", (3, 4, 6), (2, 3), (2, 3), "valid"),
    ("same, and the window is larger than the image", (1, 3, 2), (5, 4), (1, 1), "same"),
    ("an empty batch", (0, 4, 5), (2, 3), (1, 1), "same"),
)
LARGE = (
    ("a batch large enough for threads to collide", (67, 9, 8), (3, 3), (1, 2), "same"),
    ("large images", (2, 65, 70), (5, 4), (2, 1), "valid"),
)
LAYOUTS = tuple(
    (*layout, {"hidden": hidden, "large": large})
    for layouts, hidden, large in ((SHOWN, False, False), (HIDDEN, True, False), (LARGE, False, True))
    for layout in layouts
)


# --- windows, as the known mistakes and the numeric gradients see them ----------------------------------------------


def pads_along(size, window, stride, padding):
    """The padding before and after one axis."""
    missing = max(0, (math.ceil(size / stride) - 1) * stride + window - size) if padding == "same" else 0
    return missing // 2, missing - missing // 2


def pads(x_shape, window, strides, padding):
    """The padding before and after the rows, and before and after the columns."""
    return tuple(pads_along(*facts, padding) for facts in zip(x_shape[1:3], window, strides, strict=True))


def turned(both):
    """The padding with before and after exchanged."""
    return tuple((after, before) for before, after in both)


def behind(both):
    """All of the padding after the image."""
    return tuple((0, before + after) for before, after in both)


def alike(window, padding):
    """Half a window of padding on every side."""
    return tuple((size // 2, size // 2) if padding == "same" else (0, 0) for size in window)


def windows_of(x, window, strides, around, **mode):
    """All windows of the padded images: (n, rows, columns, kh, kw, c)."""
    padded = np.pad(x, ((0, 0), *around, (0, 0)), **mode)
    views = np.lib.stride_tricks.sliding_window_view(padded, window, axis=(1, 2))
    return views[:, :: strides[0], :: strides[1]].transpose(0, 1, 2, 4, 5, 3)


def put_back(parts, x_shape, strides, around, add=True):
    """Every window's part added to (or, by mistake, written over) the pixels that the window saw."""
    n, h, w, c = x_shape
    (top, bottom), (left, right) = around
    _, rows, columns, kh, kw, _ = parts.shape
    # A stride that a mistake makes larger must not lead out of the array.
    height = max(top + h + bottom, (rows - 1) * strides[0] + kh)
    width = max(left + w + right, (columns - 1) * strides[1] + kw)
    padded = np.zeros((n, height, width, c), parts.dtype)
    for i in range(rows):
        for j in range(columns):
            seen = padded[:, i * strides[0] : i * strides[0] + kh, j * strides[1] : j * strides[1] + kw]
            seen[...] = seen + parts[:, i, j] if add else parts[:, i, j]
    return padded[:, top : top + h, left : left + w]


def output_shape(x_shape, window, strides, padding):
    """Rows and columns of the output."""
    around = pads(x_shape, window, strides, padding)
    facts = zip(x_shape[1:3], window, strides, around, strict=True)
    return tuple((size + sum(both) - length) // stride + 1 for size, length, stride, both in facts)


# --- convolution, forwards ------------------------------------------------------------------------------------------

conv2d_forward = chapter.exercise("conv2d_forward", points=3, returns="y")


@conv2d_forward.cases
def conv2d_forward_cases(draw):
    yield Case(
        "one channel, one filter: the kernel is not turned",
        x=draw.array(np.arange(1, 10).reshape(1, 3, 3, 1)),
        kernel=draw.array([[1, 0], [0, -2]]).reshape(2, 2, 1, 1),
        bias=draw.array([10]),
        strides=(1, 1),
        padding="valid",
    )
    for rationale, (n, h, w), window, strides, padding, flags in LAYOUTS:
        yield Case(
            rationale,
            x=draw.normal(n, h, w, 2),
            kernel=draw.normal(*window, 2, 3),
            bias=draw.normal(3),
            strides=strides,
            padding=padding,
            **flags,
        )
    yield Case(
        "a color image, five filters",
        x=draw.normal(1, 5, 5, 3),
        kernel=draw.normal(3, 3, 3, 5),
        bias=draw.normal(5),
        strides=(2, 1),
        padding="same",
        hidden=True,
    )


def convolve(x, kernel, strides, around, **mode):
    """The convolution without its bias."""
    return np.tensordot(windows_of(x, kernel.shape[:2], strides, around, **mode), kernel, 3)


def kernel_pads(x, kernel, strides, padding):
    """The padding that a kernel needs."""
    return pads(x.shape, kernel.shape[:2], strides, padding)


@conv2d_forward.mistake(
    "Your output equals a true convolution, which turns the kernel by 180 degrees. Keras (and every deep-learning "
    "library) does not flip the kernel: pair x[row + a, column + b] with kernel[a, b]."
)
def turns_the_kernel(x, kernel, bias, strides, padding):
    return convolve(x, kernel[::-1, ::-1], strides, kernel_pads(x, kernel, strides, padding)) + bias


@conv2d_forward.mistake(
    "You put the odd row or column of padding before the image. In Keras it goes after: before is missing // 2."
)
def pads_before(x, kernel, bias, strides, padding):
    return convolve(x, kernel, strides, turned(kernel_pads(x, kernel, strides, padding))) + bias


@conv2d_forward.mistake(
    "You put all the padding after the image. Half of it lies before: the first window begins at -top, not at 0."
)
def pads_after_only(x, kernel, bias, strides, padding):
    return convolve(x, kernel, strides, behind(kernel_pads(x, kernel, strides, padding))) + bias


@conv2d_forward.mistake(
    'You padded kernel // 2 on both sides. That fits odd kernels and stride 1 only; "same" needs just enough padding '
    "for ceil(h / stride) windows, and an odd row or column goes after."
)
def pads_both_sides_alike(x, kernel, bias, strides, padding):
    return convolve(x, kernel, strides, alike(kernel.shape[:2], padding)) + bias


@conv2d_forward.mistake(
    'You computed the padding of "same" for stride 1. With a larger stride fewer windows have to fit: what is missing '
    "is (count - 1) * stride + kernel - size."
)
def pads_for_stride_one(x, kernel, bias, strides, padding):
    return convolve(x, kernel, strides, kernel_pads(x, kernel, (1, 1), padding)) + bias


@conv2d_forward.mistake('You never padded. With "same" the output is ceil(h / stride) rows high, and 0 lies around x.')
def never_pads(x, kernel, bias, strides, padding):
    larger = [(0, max(0, length - size)) for size, length in zip(x.shape[1:3], kernel.shape[:2], strict=True)]
    return convolve(x, kernel, strides, larger) + bias


@conv2d_forward.mistake('You padded a "valid" convolution. There every window lies inside the image.')
def always_pads(x, kernel, bias, strides, padding):
    return convolve(x, kernel, strides, kernel_pads(x, kernel, strides, "same")) + bias


@conv2d_forward.mistake("You repeated the edge of the image in the padding. What lies outside counts as 0.")
def repeats_the_edge(x, kernel, bias, strides, padding):
    return convolve(x, kernel, strides, kernel_pads(x, kernel, strides, padding), mode="edge") + bias


@conv2d_forward.mistake("You ignored the strides. Window (i, j) begins at i * strides[0], j * strides[1].")
def ignores_the_strides(x, kernel, bias, strides, padding):
    return convolve(x, kernel, (1, 1), kernel_pads(x, kernel, (1, 1), padding)) + bias


@conv2d_forward.mistake(
    "You exchanged the strides: strides[0] is the step down the rows, strides[1] along the columns."
)
def exchanges_the_strides(x, kernel, bias, strides, padding):
    return convolve(x, kernel, strides[::-1], kernel_pads(x, kernel, strides[::-1], padding)) + bias


@conv2d_forward.mistake("You took the step down the rows for both directions. The columns have strides[1].")
def takes_one_stride(x, kernel, bias, strides, padding):
    strides = strides[:1] * 2
    return convolve(x, kernel, strides, kernel_pads(x, kernel, strides, padding)) + bias


@conv2d_forward.mistake("You exchanged rows and columns of the kernel. It is (kh, kw, c_in, filters): rows come first.")
def exchanges_the_kernel_axes(x, kernel, bias, strides, padding):
    transposed = kernel.transpose(1, 0, 2, 3)
    if padding == "valid":  # the transposed kernel may be larger than the image
        transposed = transposed[: x.shape[1], : x.shape[2]]
    return convolve(x, transposed, strides, kernel_pads(x, transposed, strides, padding)) + bias


@conv2d_forward.mistake(
    "You read the kernel as (kh, kw, filters, c_in). Here, as in Keras, the input channels come first."
)
def reads_filters_first(x, kernel, bias, strides, padding):
    read = kernel.reshape(*kernel.shape[:2], *kernel.shape[:1:-1]).transpose(0, 1, 3, 2)
    return convolve(x, read, strides, kernel_pads(x, kernel, strides, padding)) + bias


@conv2d_forward.mistake("You left out the bias. Every filter adds its own to each of its output pixels.")
def forgets_the_bias(x, kernel, bias, strides, padding):
    return convolve(x, kernel, strides, kernel_pads(x, kernel, strides, padding))


@conv2d_forward.mistake("You added the bias once per input channel. An output pixel starts from it, once.")
def adds_the_bias_per_channel(x, kernel, bias, strides, padding):
    return convolve(x, kernel, strides, kernel_pads(x, kernel, strides, padding)) + x.shape[3] * bias


@conv2d_forward.mistake("You kept the last input channel only: `=` where `+=` belongs. A filter adds up all channels.")
def keeps_the_last_channel(x, kernel, bias, strides, padding):
    around = kernel_pads(x, kernel, strides, padding)
    return convolve(x[..., -1:], kernel[:, :, -1:], strides, around) + bias


@conv2d_forward.mistake("You averaged over the window. A convolution adds the products up.")
def averages_the_window(x, kernel, bias, strides, padding):
    around = kernel_pads(x, kernel, strides, padding)
    return convolve(x, kernel, strides, around) / np.float32(kernel[..., 0].size) + bias


@conv2d_forward.mistake("You applied a ReLU. This layer has no activation of its own: its output may be negative.")
def activates_the_layer(x, kernel, bias, strides, padding):
    return np.maximum(convolve(x, kernel, strides, kernel_pads(x, kernel, strides, padding)) + bias, 0)


@conv2d_forward.mistake(
    "The last row or column of windows is missing. A slide writes (ceil(N - f + 1) / s; the ceiling belongs around the "
    "whole quotient: ceil((N - f + 1) / s) = floor((N - f) / s) + 1."
)
def rounds_the_count_down(x, kernel, bias, strides, padding):
    y = convolve(x, kernel, strides, kernel_pads(x, kernel, strides, padding)) + bias
    if padding == "same":
        return y
    return y[:, : (x.shape[1] - kernel.shape[0] + 1) // strides[0], : (x.shape[2] - kernel.shape[1] + 1) // strides[1]]


@conv2d_forward.mistake("You forgot the + 1: (N - f) // s counts the steps, and there is one window more than steps.")
def counts_the_steps(x, kernel, bias, strides, padding):
    y = convolve(x, kernel, strides, kernel_pads(x, kernel, strides, padding)) + bias
    return y if padding == "same" else y[:, :-1, :-1]


def as_tensor(keras, x):
    """Keras convolves an empty batch only when it is a tensor of its own."""
    return keras.ops.convert_to_tensor(x)


@conv2d_forward.keras_twin
def conv2d_in_keras(keras, x, kernel, bias, strides, padding):
    return keras.ops.conv(as_tensor(keras, x), kernel, strides, padding, data_format="channels_last") + bias


# --- convolution, backwards -----------------------------------------------------------------------------------------

conv2d_backward = chapter.exercise("conv2d_backward", points=4, returns=("dx", "dkernel", "dbias"))


@conv2d_backward.cases
def conv2d_backward_cases(draw):
    yield Case(
        "two windows, one above the other",
        dy=draw.array([1, 10]).reshape(1, 2, 1, 1),
        x=draw.array([[1, 2], [3, 4]]).reshape(1, 2, 2, 1),
        kernel=draw.array([5, 6]).reshape(1, 2, 1, 1),
        strides=(1, 1),
        padding="valid",
    )
    for rationale, (n, h, w), window, strides, padding, flags in LAYOUTS:
        yield Case(
            rationale,
            dy=draw.normal(n, *output_shape((n, h, w), window, strides, padding), 3),
            x=draw.normal(n, h, w, 2),
            kernel=draw.normal(*window, 2, 3),
            strides=strides,
            padding=padding,
            **flags,
        )
    yield Case(
        "a color image, two filters",
        dy=draw.normal(1, 3, 5, 2),
        x=draw.normal(1, 5, 5, 3),
        kernel=draw.normal(3, 3, 3, 2),
        strides=(2, 1),
        padding="same",
        hidden=True,
    )


def spread(dy, x, kernel, strides, around, add=True):
    """dx: what every window hands to the pixels that it saw."""
    return put_back(np.tensordot(dy, kernel, ((3,), (3,))), x.shape, strides, around, add)


def gather(dy, x, kernel, strides, around):
    """dkernel: what every place of the kernel has seen, times dy."""
    return np.tensordot(windows_of(x, kernel.shape[:2], strides, around), dy, ((0, 1, 2), (0, 1, 2)))


def right_gradients(dy, x, kernel, strides, padding):
    """dx, dkernel, dbias, for mistakes that spoil one of them."""
    around = kernel_pads(x, kernel, strides, padding)
    return spread(dy, x, kernel, strides, around), gather(dy, x, kernel, strides, around), dy.sum(axis=(0, 1, 2))


@conv2d_backward.mistake(
    "Your dx used the kernel turned the wrong way. A window hands dy * kernel[a, b] back to the pixel that it read "
    "with kernel[a, b]; only who slides a window over dy itself has to turn the kernel by 180 degrees."
)
def turns_the_kernel_of_dx(dy, x, kernel, strides, padding):
    dx, _, _ = right_gradients(dy, x, kernel[::-1, ::-1], strides, padding)
    return dx, *right_gradients(dy, x, kernel, strides, padding)[1:]


@conv2d_backward.mistake(
    "Your dkernel is turned by 180 degrees. dkernel[a, b] adds up the pixels that kernel[a, b] met."
)
def turns_dkernel(dy, x, kernel, strides, padding):
    dx, dkernel, dbias = right_gradients(dy, x, kernel, strides, padding)
    return dx, dkernel[::-1, ::-1], dbias


@conv2d_backward.mistake("Both dx and dkernel are turned by 180 degrees. The forward pass does not turn the kernel.")
def turns_both(dy, x, kernel, strides, padding):
    dx, dkernel, dbias = right_gradients(dy, x, kernel[::-1, ::-1], strides, padding)
    return dx, dkernel[::-1, ::-1], dbias


@conv2d_backward.mistake("Your windows overwrite each other's dx. A pixel adds up what all its windows hand back.")
def overwrites_dx(dy, x, kernel, strides, padding):
    _, dkernel, dbias = right_gradients(dy, x, kernel, strides, padding)
    return spread(dy, x, kernel, strides, kernel_pads(x, kernel, strides, padding), add=False), dkernel, dbias


@conv2d_backward.mistake(
    "You kept the last sample's dkernel and dbias. Every sample used the same weights: add them up."
)
def keeps_the_last_sample(dy, x, kernel, strides, padding):
    dx = right_gradients(dy, x, kernel, strides, padding)[0]
    return dx, *right_gradients(dy[-1:], x[-1:], kernel, strides, padding)[1:]


@conv2d_backward.mistake(
    "You assigned to dkernel, so what the last window asked for is left. Every window used the same weights: add, +=."
)
def keeps_the_last_window(dy, x, kernel, strides, padding):
    dx, _, dbias = right_gradients(dy, x, kernel, strides, padding)
    around = kernel_pads(x, kernel, strides, padding)
    windows = windows_of(x, kernel.shape[:2], strides, around)
    inside = windows_of(np.ones_like(x[..., :1]), kernel.shape[:2], strides, around)[..., 0] > 0
    dkernel = np.zeros_like(kernel)
    for place in np.ndindex(dy.shape[:3]):
        asked = windows[place][..., np.newaxis] * dy[place]
        dkernel[inside[place]] = asked[inside[place]]
    return dx, dkernel, dbias


@conv2d_backward.mistake("You ignored the strides in dx. Window (i, j) began at i * strides[0], j * strides[1].")
def ignores_the_strides_of_dx(dy, x, kernel, strides, padding):
    _, dkernel, dbias = right_gradients(dy, x, kernel, strides, padding)
    return spread(dy, x, kernel, (1, 1), kernel_pads(x, kernel, strides, padding)), dkernel, dbias


@conv2d_backward.mistake(
    "You exchanged the strides: strides[0] is the step down the rows, strides[1] along the columns."
)
def exchanges_the_strides_of_dx(dy, x, kernel, strides, padding):
    _, dkernel, dbias = right_gradients(dy, x, kernel, strides, padding)
    return spread(dy, x, kernel, strides[::-1], kernel_pads(x, kernel, strides, padding)), dkernel, dbias


@conv2d_backward.mistake(
    "You forgot where the padding puts the first window: it begins at -top, -left. Shift the windows as the forward "
    "pass does."
)
def forgets_the_offset(dy, x, kernel, strides, padding):
    around = behind(kernel_pads(x, kernel, strides, padding))
    return spread(dy, x, kernel, strides, around), gather(dy, x, kernel, strides, around), dy.sum(axis=(0, 1, 2))


@conv2d_backward.mistake(
    "You put the odd row or column of padding before the image. In Keras it goes after: before is missing // 2."
)
def pads_the_gradient_before(dy, x, kernel, strides, padding):
    around = turned(kernel_pads(x, kernel, strides, padding))
    return spread(dy, x, kernel, strides, around), gather(dy, x, kernel, strides, around), dy.sum(axis=(0, 1, 2))


@conv2d_backward.mistake(
    'You computed the padding of "same" for stride 1. With a larger stride fewer windows have to fit.'
)
def pads_the_gradient_for_stride_one(dy, x, kernel, strides, padding):
    around = kernel_pads(x, kernel, (1, 1), padding)
    return spread(dy, x, kernel, strides, around), gather(dy, x, kernel, strides, around), dy.sum(axis=(0, 1, 2))


@conv2d_backward.mistake("You returned the gradient of the padded image. dx has the shape of x: cut the padding off.")
def keeps_the_padding(dy, x, kernel, strides, padding):
    _, dkernel, dbias = right_gradients(dy, x, kernel, strides, padding)
    (top, bottom), (left, right) = kernel_pads(x, kernel, strides, padding)
    n, h, w, c = x.shape
    padded = np.zeros((n, h + top + bottom, w + left + right, c), np.float32)
    return spread(dy, padded, kernel, strides, ((0, 0), (0, 0))), dkernel, dbias


@conv2d_backward.mistake("You averaged dbias. Every output pixel used the bias: add up dy, divide by nothing.")
def averages_dbias(dy, x, kernel, strides, padding):
    dx, dkernel, _ = right_gradients(dy, x, kernel, strides, padding)
    return dx, dkernel, dy.mean(axis=(0, 1, 2))


@conv2d_backward.mistake("You divided dkernel and dbias by the batch size. The mean is in the loss, and so in dy: sum.")
def averages_over_the_batch(dy, x, kernel, strides, padding):
    dx, dkernel, dbias = right_gradients(dy, x, kernel, strides, padding)
    return dx, dkernel / np.float32(len(x)), dbias / np.float32(len(x))


@conv2d_backward.mistake("You divided dkernel by the number of windows. A weight adds up what all its uses ask of it.")
def averages_over_the_windows(dy, x, kernel, strides, padding):
    dx, dkernel, dbias = right_gradients(dy, x, kernel, strides, padding)
    return dx, dkernel / np.float32(dy.shape[1] * dy.shape[2]), dbias


@conv2d_backward.mistake(
    "You summed dbias over the samples only. A filter's bias was added to every pixel: sum those too."
)
def sums_dbias_over_samples_only(dy, x, kernel, strides, padding):
    dx, dkernel, _ = right_gradients(dy, x, kernel, strides, padding)
    return dx, dkernel, dy.sum(axis=0)


@conv2d_backward.mistake("You left the upstream gradient out of dkernel. The chain rule multiplies each pixel by dy.")
def forgets_upstream_of_dkernel(dy, x, kernel, strides, padding):
    dx, _, dbias = right_gradients(dy, x, kernel, strides, padding)
    return dx, right_gradients(np.ones_like(dy), x, kernel, strides, padding)[1], dbias


@conv2d_backward.mistake("You read the kernel as (kh, kw, filters, c_in) in dx. It is (kh, kw, c_in, filters).")
def reads_filters_first_in_dx(dy, x, kernel, strides, padding):
    read = kernel.reshape(*kernel.shape[:2], *kernel.shape[:1:-1]).transpose(0, 1, 3, 2)
    return right_gradients(dy, x, read, strides, padding)[0], *right_gradients(dy, x, kernel, strides, padding)[1:]


@conv2d_backward.mistake(
    "You returned the gradients in another order. It is that of the forward's arguments: dx, dkernel, dbias."
)
def returns_dkernel_first(dy, x, kernel, strides, padding):
    dx, dkernel, dbias = right_gradients(dy, x, kernel, strides, padding)
    return dkernel, dx, dbias


@conv2d_backward.objective
def conv2d_objective(dy, x, kernel, strides, padding):
    around = kernel_pads(x, kernel, strides, padding)
    points = {"dx": x, "dkernel": kernel, "dbias": np.zeros(kernel.shape[3])}
    return lambda x, kernel, bias: np.sum(dy * (convolve(x, kernel, strides, around) + bias)), points


@conv2d_backward.keras_twin
def conv2d_gradient_in_keras(keras, dy, x, kernel, strides, padding):
    def forward(x, kernel, bias):
        return conv2d_in_keras(keras, x, kernel, bias, strides, padding)

    return keras.gradient(forward, dy, x, kernel, np.zeros(kernel.shape[3], np.float32))


# --- im2col ---------------------------------------------------------------------------------------------------------

im2col = chapter.exercise("im2col", points=2, returns="patches")


@im2col.cases
def im2col_cases(draw):
    yield Case(
        "two windows of one channel",
        x=draw.array([[1, 2, 3], [4, 5, 6]]).reshape(1, 2, 3, 1),
        kernel_size=(2, 2),
        strides=(1, 1),
        padding="valid",
    )
    for rationale, (n, h, w), window, strides, padding, flags in LAYOUTS:
        yield Case(rationale, x=draw.normal(n, h, w, 3), kernel_size=window, strides=strides, padding=padding, **flags)


def as_rows(windows, axes=(0, 1, 2, 3, 4, 5)):
    """Windows (n, rows, columns, kh, kw, c) as a matrix with one of them per row, the axes in another order."""
    height = math.prod(windows.shape[:3])
    return windows.transpose(axes).reshape(height, math.prod(windows.shape[3:]))


def pad_and_cut(x, kernel_size, strides, padding):
    """The right windows."""
    return windows_of(x, kernel_size, strides, pads(x.shape, kernel_size, strides, padding))


@im2col.mistake(
    "You laid the windows out channel by channel. The order is that of the kernel's axes, (kh, kw, c): the channels of "
    "a pixel stay together."
)
def puts_channels_first(x, kernel_size, strides, padding):
    return as_rows(pad_and_cut(x, kernel_size, strides, padding), (0, 1, 2, 5, 3, 4))


@im2col.mistake("You walked down the columns of a window. Go row by row: the order is (kh, kw, c).")
def walks_down_the_columns(x, kernel_size, strides, padding):
    return as_rows(pad_and_cut(x, kernel_size, strides, padding), (0, 1, 2, 4, 3, 5))


@im2col.mistake(
    "Your windows come column by column. Sample by sample, row by row, then along the columns is asked for."
)
def orders_windows_by_column(x, kernel_size, strides, padding):
    return as_rows(pad_and_cut(x, kernel_size, strides, padding), (0, 2, 1, 3, 4, 5))


@im2col.mistake("You mixed the samples: all the windows of the first image come first, then those of the second.")
def orders_windows_by_place(x, kernel_size, strides, padding):
    return as_rows(pad_and_cut(x, kernel_size, strides, padding), (1, 2, 0, 3, 4, 5))


@im2col.mistake("You forgot the + 1: (h - kh) // s counts the steps, and there is one window more than steps.")
def counts_the_steps_of_windows(x, kernel_size, strides, padding):
    windows = pad_and_cut(x, kernel_size, strides, padding)
    return as_rows(windows if padding == "same" else windows[:, :-1, :-1])


@im2col.mistake(
    "You moved on in the row only for pixels inside the image. The padding has its places there too: leave zeros."
)
def closes_up_the_padding(x, kernel_size, strides, padding):
    patches = as_rows(pad_and_cut(x, kernel_size, strides, padding))
    inside = as_rows(pad_and_cut(np.ones_like(x), kernel_size, strides, padding)) > 0
    closed = np.zeros_like(patches)
    for row, seen, kept in zip(closed, patches, inside, strict=True):
        row[: kept.sum()] = seen[kept]
    return closed


@im2col.mistake("You put one window in each column. Here a window is a row, so that patches @ kernel works.")
def puts_windows_in_columns(x, kernel_size, strides, padding):
    return as_rows(pad_and_cut(x, kernel_size, strides, padding)).T


@im2col.mistake("Your windows are turned by 180 degrees. The kernel is used as it is, so copy the pixels as they lie.")
def turns_the_windows(x, kernel_size, strides, padding):
    return as_rows(pad_and_cut(x, kernel_size, strides, padding)[:, :, :, ::-1, ::-1])


@im2col.mistake(
    "You put the odd row or column of padding before the image. In Keras it goes after: before is missing // 2."
)
def pads_the_windows_before(x, kernel_size, strides, padding):
    around = turned(pads(x.shape, kernel_size, strides, padding))
    return as_rows(windows_of(x, kernel_size, strides, around))


@im2col.mistake(
    "You put all the padding after the image. Half of it lies before: the first window begins at -top, not at 0."
)
def pads_the_windows_after_only(x, kernel_size, strides, padding):
    around = behind(pads(x.shape, kernel_size, strides, padding))
    return as_rows(windows_of(x, kernel_size, strides, around))


@im2col.mistake('You computed the padding of "same" for stride 1. With a larger stride fewer windows have to fit.')
def pads_the_windows_for_stride_one(x, kernel_size, strides, padding):
    return as_rows(windows_of(x, kernel_size, strides, pads(x.shape, kernel_size, (1, 1), padding)))


@im2col.mistake('You padded window // 2 on both sides. "same" needs no more than ceil(h / stride) windows do.')
def pads_the_windows_alike(x, kernel_size, strides, padding):
    return as_rows(windows_of(x, kernel_size, strides, alike(kernel_size, padding)))


@im2col.mistake("You repeated the edge of the image in the padding. What lies outside is 0.")
def repeats_the_edge_in_windows(x, kernel_size, strides, padding):
    return as_rows(windows_of(x, kernel_size, strides, pads(x.shape, kernel_size, strides, padding), mode="edge"))


@im2col.mistake("You ignored the strides. Window (i, j) begins at i * strides[0], j * strides[1].")
def cuts_without_strides(x, kernel_size, strides, padding):
    return as_rows(pad_and_cut(x, kernel_size, (1, 1), padding))


@im2col.mistake("You exchanged the strides: strides[0] is the step down the rows, strides[1] along the columns.")
def exchanges_the_strides_of_windows(x, kernel_size, strides, padding):
    return as_rows(pad_and_cut(x, kernel_size, strides[::-1], padding))


@im2col.keras_twin
def im2col_in_keras(keras, x, kernel_size, strides, padding):
    """One-hot kernels pick the pixels of a window one by one."""
    width = math.prod(kernel_size) * x.shape[3]
    picks = np.eye(width, dtype=np.float32).reshape(*kernel_size, x.shape[3], width)
    windows = keras.ops.conv(as_tensor(keras, x), picks, strides, padding, data_format="channels_last")
    return keras.ops.reshape(windows, (math.prod(windows.shape[:3]), width))


# --- max pooling ----------------------------------------------------------------------------------------------------

maxpool2d_forward = chapter.exercise("maxpool2d_forward", points=2, returns=("y", "argmax"))


def pooling(draw, layout):
    """The arguments of a pooling."""
    _, (n, h, w), window, strides, padding, _ = layout
    return {"x": draw.normal(n, h, w, 3), "pool_size": window, "strides": strides, "padding": padding}


@maxpool2d_forward.cases
def maxpool2d_forward_cases(draw):
    yield Case(
        "two windows of one channel: 7 occurs twice",
        x=draw.array([[1, 5, 2], [7, 3, 7]]).reshape(1, 2, 3, 1),
        pool_size=(2, 2),
        strides=(1, 1),
        padding="valid",
    )
    for layout in LAYOUTS:
        yield Case(layout[0], **pooling(draw, layout), **layout[-1])
    few = draw.integers(-1, 2, 2, 5, 6, 2).astype(np.float32)
    yield Case("many equal values: the first one wins", x=few, pool_size=(3, 2), strides=(2, 2), padding="valid")
    negative = draw.uniform(-9, -1, 2, 4, 5, 2)
    yield Case("all values negative: padding never wins", x=negative, pool_size=(3, 3), strides=(1, 2), padding="same")
    yield Case(
        "all values equal",
        x=draw.array(np.full((1, 4, 4, 2), -0.5)),
        pool_size=(3, 2),
        strides=(1, 1),
        padding="same",
        hidden=True,
    )
    far = draw.uniform(-3e38, -1e36, 1, 4, 5, 2)
    yield Case("values far below zero", x=far, pool_size=(2, 2), strides=(2, 1), padding="same", hidden=True)


def max_pool(x, pool_size, strides, around, choose=np.argmax):
    """y, argmax, and the winners' rows and columns in x; `choose` picks one pixel of each window."""
    windows = windows_of(x, pool_size, strides, around, constant_values=-np.inf)
    n, rows, columns, kh, kw, c = windows.shape
    pixels = windows.reshape(n, rows, columns, kh * kw, c)
    local = choose(pixels, axis=3)
    row = np.arange(rows)[:, np.newaxis, np.newaxis] * strides[0] - around[0][0] + local // kw
    column = np.arange(columns)[:, np.newaxis] * strides[1] - around[1][0] + local % kw
    y = np.take_along_axis(pixels, local[:, :, :, np.newaxis], axis=3)[:, :, :, 0]
    return y, row * x.shape[2] + column, row, column


def pool_pads(x, pool_size, strides, padding):
    """The padding that a pooling needs."""
    return pads(x.shape, pool_size, strides, padding)


def last_best(values, axis):
    """The last of the largest."""
    return values.shape[axis] - 1 - np.argmax(np.flip(values, axis), axis=axis)


@maxpool2d_forward.mistake(
    "Your padding won: zeros lie around the image, and all the real values are smaller. Only pixels inside the image "
    "take part."
)
def lets_padding_win(x, pool_size, strides, padding):
    around = pool_pads(x, pool_size, strides, padding)
    argmax = max_pool(x, pool_size, strides, around)[1]
    return windows_of(x, pool_size, strides, around).max(axis=(3, 4)), argmax


@maxpool2d_forward.mistake("Your maximum starts from 0. Where all the values are negative, none of them ever wins.")
def starts_from_zero(x, pool_size, strides, padding):
    y, argmax, _, _ = max_pool(x, pool_size, strides, pool_pads(x, pool_size, strides, padding))
    return np.maximum(y, 0), np.where(y > 0, argmax, 0)


@maxpool2d_forward.mistake(
    "Of several equal values your last one wins. The first one does: replace on > only, not on >=."
)
def lets_the_last_win(x, pool_size, strides, padding):
    return max_pool(x, pool_size, strides, pool_pads(x, pool_size, strides, padding), last_best)[:2]


@maxpool2d_forward.mistake(
    "Your argmax counts within the window. It must say where the pixel lies in x: row * w + column."
)
def counts_within_the_window(x, pool_size, strides, padding):
    around = pool_pads(x, pool_size, strides, padding)
    y, _, row, column = max_pool(x, pool_size, strides, around)
    rows, columns = y.shape[1:3]
    row = row + around[0][0] - np.arange(rows)[:, np.newaxis, np.newaxis] * strides[0]
    column = column + around[1][0] - np.arange(columns)[:, np.newaxis] * strides[1]
    return y, row * pool_size[1] + column


@maxpool2d_forward.mistake("Your argmax counts in the padded image. It must count in x itself: row * w + column.")
def counts_the_padding(x, pool_size, strides, padding):
    around = pool_pads(x, pool_size, strides, padding)
    y, _, row, column = max_pool(x, pool_size, strides, around)
    return y, (row + around[0][0]) * (x.shape[2] + sum(around[1])) + column + around[1][0]


@maxpool2d_forward.mistake("Your argmax is column * h + row. The image lies in memory row by row: row * w + column.")
def counts_column_by_column(x, pool_size, strides, padding):
    y, _, row, column = max_pool(x, pool_size, strides, pool_pads(x, pool_size, strides, padding))
    return y, column * x.shape[1] + row


@maxpool2d_forward.mistake("Your argmax multiplies the row by the height. A row is w pixels long: row * w + column.")
def multiplies_by_the_height(x, pool_size, strides, padding):
    y, _, row, column = max_pool(x, pool_size, strides, pool_pads(x, pool_size, strides, padding))
    return y, row * x.shape[1] + column


@maxpool2d_forward.mistake(
    "Your argmax counts the channels too. It counts pixels of one h * w plane: row * w + column."
)
def counts_the_channels(x, pool_size, strides, padding):
    y, argmax, _, _ = max_pool(x, pool_size, strides, pool_pads(x, pool_size, strides, padding))
    return y, argmax * x.shape[3] + np.arange(x.shape[3])


@maxpool2d_forward.mistake("Your argmax goes on counting from sample to sample. It begins at 0 in every image.")
def counts_the_samples(x, pool_size, strides, padding):
    y, argmax, _, _ = max_pool(x, pool_size, strides, pool_pads(x, pool_size, strides, padding))
    return y, argmax + np.arange(len(x))[:, np.newaxis, np.newaxis, np.newaxis] * (x.shape[1] * x.shape[2])


@maxpool2d_forward.mistake("You took the smallest value of each window. Max pooling keeps the largest.")
def takes_the_smallest(x, pool_size, strides, padding):
    y, argmax, _, _ = max_pool(-x, pool_size, strides, pool_pads(x, pool_size, strides, padding))
    return -y, argmax


@maxpool2d_forward.mistake("You kept the value farthest from 0. A large negative number is small: compare without abs.")
def takes_the_farthest_from_zero(x, pool_size, strides, padding):
    _, argmax, _, _ = max_pool(np.abs(x), pool_size, strides, pool_pads(x, pool_size, strides, padding))
    flat = x.reshape(len(x), x.shape[1] * x.shape[2], x.shape[3])
    places = argmax.reshape(len(x), argmax.shape[1] * argmax.shape[2], x.shape[3])
    return np.take_along_axis(flat, places, 1).reshape(argmax.shape), argmax


@maxpool2d_forward.mistake("You took the mean of each window. Max pooling keeps the largest value.")
def takes_the_mean(x, pool_size, strides, padding):
    around = pool_pads(x, pool_size, strides, padding)
    sums, counts = window_sums(x, pool_size, strides, around), window_counts(x.shape, pool_size, strides, around)
    return sums / counts, max_pool(x, pool_size, strides, around)[1]


@maxpool2d_forward.mistake(
    "You stepped by the window's size. That is only the usual choice: the steps are the strides."
)
def steps_by_the_window(x, pool_size, strides, padding):
    return max_pool(x, pool_size, pool_size, pool_pads(x, pool_size, pool_size, padding))[:2]


@maxpool2d_forward.mistake("You ignored the strides. Window (i, j) begins at i * strides[0], j * strides[1].")
def pools_without_strides(x, pool_size, strides, padding):
    return max_pool(x, pool_size, (1, 1), pool_pads(x, pool_size, (1, 1), padding))[:2]


@maxpool2d_forward.mistake(
    "You exchanged the strides: strides[0] is the step down the rows, strides[1] along the columns."
)
def exchanges_the_strides_of_the_pooling(x, pool_size, strides, padding):
    return max_pool(x, pool_size, strides[::-1], pool_pads(x, pool_size, strides[::-1], padding))[:2]


@maxpool2d_forward.mistake(
    "You put the odd row or column of padding before the image. In Keras it goes after: before is missing // 2."
)
def pads_the_pooling_before(x, pool_size, strides, padding):
    return max_pool(x, pool_size, strides, turned(pool_pads(x, pool_size, strides, padding)))[:2]


@maxpool2d_forward.mistake(
    'You computed the padding of "same" for stride 1. With a larger stride fewer windows have to fit.'
)
def pads_the_pooling_for_stride_one(x, pool_size, strides, padding):
    return max_pool(x, pool_size, strides, pool_pads(x, pool_size, (1, 1), padding))[:2]


@maxpool2d_forward.mistake(
    'You kept windows that stick out of the image. With "valid" what is left over at the edge is dropped.'
)
def keeps_what_is_left_over(x, pool_size, strides, padding):
    around = pool_pads(x, pool_size, strides, padding)
    if padding == "valid":
        facts = zip(x.shape[1:3], pool_size, strides, strict=True)
        around = tuple((0, -(size - length) % stride) for size, length, stride in facts)
    return max_pool(x, pool_size, strides, around)[:2]


@maxpool2d_forward.keras_twin
def maxpool2d_in_keras(keras, x, pool_size, strides, padding):
    """y is Keras's. It has no argmax for its users, so the winner is looked for among the windows' pixels.

    One-hot kernels pick those pixels (see im2col). A second image holds every pixel's own number, from 1, so that 0
    marks the padding; the ranks of the values, also from 1, keep sums of huge ones out of the convolution.
    """
    ops = keras.ops
    y = ops.max_pool(x, pool_size, strides, padding, data_format="channels_last")
    _, h, w, c = x.shape
    places = math.prod(pool_size)
    picks = np.eye(places, dtype=np.float32).reshape(*pool_size, 1, places)

    def windows(images):
        return ops.conv(as_tensor(keras, images), picks, strides, padding, data_format="channels_last")

    ranks = np.unique(x, return_inverse=True)[1].reshape(x.shape).astype(np.float32) + 1
    numbers = windows(np.arange(1, h * w + 1, dtype=np.float32).reshape(1, h, w, 1))
    winners = []
    for channel in range(c):
        first = ops.argmax(windows(ranks[..., channel : channel + 1]), axis=-1)
        chosen = ops.one_hot(first, places) * numbers
        winners.append(ops.cast(ops.sum(chosen, axis=-1), "int64") - 1)
    return y, ops.stack(winners, axis=-1)


maxpool2d_backward = chapter.exercise("maxpool2d_backward", points=2, returns="dx")


@maxpool2d_backward.cases
def maxpool2d_backward_cases(draw):
    yield Case(
        "one pixel wins two of three windows",
        dy=draw.array([10, 1, 4]).reshape(1, 1, 3, 1),
        argmax=np.array([5, 5, 3]).reshape(1, 1, 3, 1),
        x_shape=(1, 2, 4, 1),
    )
    for rationale, (n, h, w), window, strides, padding, flags in LAYOUTS:
        x = draw.normal(n, h, w, 3)
        argmax = max_pool(x, window, strides, pads(x.shape, window, strides, padding))[1]
        yield Case(rationale, dy=draw.normal(*argmax.shape), argmax=argmax, x_shape=x.shape, **flags)
    yield Case(
        "the first pixel wins everywhere",
        dy=draw.normal(2, 3, 2, 2),
        argmax=np.zeros((2, 3, 2, 2), np.int64),
        x_shape=(2, 4, 3, 2),
        hidden=True,
    )


def send_back(dy, argmax, x_shape, add=True):
    """dy added (or, by mistake, written) where argmax points to."""
    n, h, w, c = x_shape
    dx = np.zeros((n, h * w, c), np.float32)
    samples, _, _, channels = np.indices(dy.shape)
    if add:
        np.add.at(dx, (samples, argmax, channels), dy)
    else:
        dx[samples, argmax, channels] = dy
    return dx.reshape(x_shape)


@maxpool2d_backward.mistake(
    "Your windows overwrite each other; dx[argmax] += dy with all the indices at once does so too. A pixel that wins "
    "several windows adds up their dy: go through them one by one."
)
def overwrites_the_winner(dy, argmax, x_shape):
    return send_back(dy, argmax, x_shape, add=False)


@maxpool2d_backward.mistake("You divided by the batch size. The mean belongs to the loss and is in dy already.")
def averages_the_winners_over_the_batch(dy, argmax, x_shape):
    return send_back(dy, argmax, x_shape) / np.float32(max(1, len(dy)))


@maxpool2d_backward.mistake(
    "You split argmax by the height. A row is w pixels long: row = argmax // w, column = argmax % w."
)
def splits_by_the_height(dy, argmax, x_shape):
    _, h, w, _ = x_shape
    return send_back(dy, np.minimum(argmax // h, h - 1) * w + np.minimum(argmax % h, w - 1), x_shape)


@maxpool2d_backward.mistake("You exchanged row and column: argmax // w is the row, argmax % w the column.")
def exchanges_row_and_column(dy, argmax, x_shape):
    _, h, w, _ = x_shape
    return send_back(dy, argmax % w % h * w + argmax // w % w, x_shape)


@maxpool2d_backward.mistake("You wrote a 1 where the winner was. The winner gets its window's dy.")
def marks_the_winner(dy, argmax, x_shape):
    return send_back(np.ones_like(dy), argmax, x_shape)


@maxpool2d_backward.mistake("You gave every channel the winner of channel 0. Each channel has a maximum of its own.")
def uses_one_winner_for_all_channels(dy, argmax, x_shape):
    return send_back(dy, np.repeat(argmax[..., :1], x_shape[3], axis=3), x_shape)


@maxpool2d_backward.mistake("You put all the channels' gradients into channel 0. The channels stay apart.")
def puts_everything_in_one_channel(dy, argmax, x_shape):
    dx = np.zeros(x_shape, np.float32)
    dx[..., 0] = send_back(dy, argmax, x_shape).sum(axis=3)
    return dx


@maxpool2d_backward.mistake("You counted argmax through the channels too. It counts pixels: dx.reshape(n, h * w, c).")
def counts_through_the_channels(dy, argmax, x_shape):
    n, h, w, c = x_shape
    dx = np.zeros((n, h * w * c), np.float32)
    np.add.at(dx, (np.indices(dy.shape)[0], argmax), dy)
    return dx.reshape(x_shape)


@maxpool2d_backward.mistake("All the samples' gradients landed in the first one. argmax begins at 0 in every image.")
def puts_everything_in_one_sample(dy, argmax, x_shape):
    dx = np.zeros(x_shape, np.float32)
    dx[:1] = send_back(dy, argmax, x_shape).sum(axis=0)
    return dx


@maxpool2d_backward.mistake(
    "You spread dy over the whole plane. Only the winner moved the maximum: it takes all of it."
)
def spreads_over_the_plane(dy, argmax, x_shape):
    _, h, w, _ = x_shape
    return np.broadcast_to(dy.sum(axis=(1, 2), keepdims=True) / np.float32(h * w), x_shape).copy()


def winners_of(planes, argmax):
    """The pixels that argmax points to; `planes` is (n, h * w, c)."""
    n, rows, columns, c = argmax.shape
    places = argmax.reshape(n, rows * columns, c)
    return np.take_along_axis(planes, places, 1).reshape(argmax.shape)


@maxpool2d_backward.objective
def maxpool2d_objective(dy, argmax, x_shape):
    n, h, w, c = x_shape
    return lambda x: np.sum(dy * winners_of(x.reshape(n, h * w, c), argmax)), {"dx": np.zeros(x_shape)}


@maxpool2d_backward.keras_twin
def maxpool2d_gradient_in_keras(keras, dy, argmax, x_shape):
    """The gradient of picking the winners, for the windows are not given."""
    n, h, w, c = x_shape
    places = argmax.reshape(n, math.prod(argmax.shape[1:3]), c)

    def pick(x):
        return keras.ops.take_along_axis(keras.ops.reshape(x, (n, h * w, c)), places, axis=1)

    return keras.gradient(pick, dy.reshape(places.shape), np.zeros(x_shape, np.float32))


# --- sum and average pooling ----------------------------------------------------------------------------------------

sumpool2d_forward = chapter.exercise("sumpool2d_forward", points=1, returns="y")
sumpool2d_backward = chapter.exercise("sumpool2d_backward", points=1, returns="dx")
avgpool2d_forward = chapter.exercise("avgpool2d_forward", points=1, returns="y", requires=("sumpool2d_forward",))
avgpool2d_backward = chapter.exercise(
    "avgpool2d_backward", points=1, returns="dx", requires=("sumpool2d_forward", "sumpool2d_backward")
)


@sumpool2d_forward.cases
@avgpool2d_forward.cases
def mean_and_sum_cases(draw):
    for padding in ("valid", "same"):
        yield Case(
            f"two rows of one channel, {padding}",
            x=draw.array([[1, 5, 2], [7, 3, 7]]).reshape(1, 2, 3, 1),
            pool_size=(2, 2),
            strides=(1, 1),
            padding=padding,
        )
    for layout in LAYOUTS:
        yield Case(layout[0], **pooling(draw, layout), **layout[-1])


@sumpool2d_backward.cases
@avgpool2d_backward.cases
def mean_and_sum_gradient_cases(draw):
    yield Case(
        "two windows overlap",
        dy=draw.array([4, 40]).reshape(1, 1, 2, 1),
        x_shape=(1, 2, 3, 1),
        pool_size=(2, 2),
        strides=(1, 1),
        padding="valid",
    )
    for rationale, (n, h, w), window, strides, padding, flags in LAYOUTS:
        yield Case(
            rationale,
            dy=draw.normal(n, *output_shape((n, h, w), window, strides, padding), 3),
            x_shape=(n, h, w, 3),
            pool_size=window,
            strides=strides,
            padding=padding,
            **flags,
        )


def window_sums(x, pool_size, strides, around):
    """The sum of each window."""
    return windows_of(x, pool_size, strides, around).sum(axis=(3, 4))


def window_counts(x_shape, pool_size, strides, around):
    """How many pixels of each window lie inside the image: (1, rows, columns, 1)."""
    return window_sums(np.ones((1, *x_shape[1:3], 1), np.float32), pool_size, strides, around)


def share_out(dy, x_shape, pool_size, strides, around, add=True):
    """dy added (or, by mistake, written) to all pixels of its window."""
    parts = np.broadcast_to(dy[:, :, :, np.newaxis, np.newaxis], (*dy.shape[:3], *pool_size, dy.shape[3]))
    return put_back(parts, x_shape, strides, around, add)


@sumpool2d_forward.mistake("You divided by the number of pixels: that is average pooling. A sum is a sum.")
def divides_the_sum(x, pool_size, strides, padding):
    around = pool_pads(x, pool_size, strides, padding)
    return window_sums(x, pool_size, strides, around) / window_counts(x.shape, pool_size, strides, around)


@sumpool2d_forward.mistake("You kept the largest value: that is max pooling. Here all the pixels are added up.")
def sums_by_the_maximum(x, pool_size, strides, padding):
    return max_pool(x, pool_size, strides, pool_pads(x, pool_size, strides, padding))[0]


@sumpool2d_forward.mistake("You summed over the channels as well. Every channel is pooled by itself.")
def sums_the_channels(x, pool_size, strides, padding):
    sums = window_sums(x, pool_size, strides, pool_pads(x, pool_size, strides, padding))
    return np.broadcast_to(sums.sum(axis=3, keepdims=True), sums.shape).copy()


@sumpool2d_forward.mistake(
    "You stepped by the window's size. That is only the usual choice: the steps are the strides."
)
def sums_by_the_window(x, pool_size, strides, padding):
    return window_sums(x, pool_size, pool_size, pool_pads(x, pool_size, pool_size, padding))


@sumpool2d_forward.mistake(
    "You exchanged the strides: strides[0] is the step down the rows, strides[1] along the columns."
)
def sums_with_exchanged_strides(x, pool_size, strides, padding):
    return window_sums(x, pool_size, strides[::-1], pool_pads(x, pool_size, strides[::-1], padding))


@sumpool2d_forward.mistake(
    "Your slice begins at a negative row or column, which Python counts from the end of the image. Begin it at "
    "max(0, …): what sticks out adds nothing."
)
def slices_from_the_end(x, pool_size, strides, padding):
    (top, _), (left, _) = around = pads(x.shape, pool_size, strides, padding)
    y = np.zeros_like(window_sums(x, pool_size, strides, around))
    for i, j in np.ndindex(y.shape[1:3]):
        row, column = i * strides[0] - top, j * strides[1] - left
        y[:, i, j] = x[:, row : row + pool_size[0], column : column + pool_size[1]].sum(axis=(1, 2))
    return y


@sumpool2d_forward.mistake("You kept one row of each window: `=` where `+=` belongs. Rows and columns are added up.")
def keeps_the_last_row(x, pool_size, strides, padding):
    windows = windows_of(x, pool_size, strides, pool_pads(x, pool_size, strides, padding))
    return windows[:, :, :, -1].sum(axis=3)


@sumpool2d_forward.mistake(
    "You put the odd row or column of padding before the image. In Keras it goes after: before is missing // 2."
)
def pads_the_sum_before(x, pool_size, strides, padding):
    return window_sums(x, pool_size, strides, turned(pool_pads(x, pool_size, strides, padding)))


@sumpool2d_forward.mistake(
    'You computed the padding of "same" for stride 1. With a larger stride fewer windows have to fit.'
)
def pads_the_sum_for_stride_one(x, pool_size, strides, padding):
    return window_sums(x, pool_size, strides, pool_pads(x, pool_size, (1, 1), padding))


@sumpool2d_forward.mistake(
    'You let all the windows begin inside the image. With "same" the first begins at -top, -left.'
)
def sums_without_the_offset(x, pool_size, strides, padding):
    return window_sums(x, pool_size, strides, behind(pool_pads(x, pool_size, strides, padding)))


@sumpool2d_forward.keras_twin
def sumpool2d_in_keras(keras, x, pool_size, strides, padding):
    """A convolution with ones, every channel with itself alone."""
    c = x.shape[3]
    ones = np.ones((*pool_size, 1, 1), np.float32) * np.eye(c, dtype=np.float32)
    return keras.ops.conv(as_tensor(keras, x), ones, strides, padding, data_format="channels_last")


@sumpool2d_backward.mistake("Your windows overwrite each other. A pixel adds up the dy of all the windows that saw it.")
def overwrites_the_shares(dy, x_shape, pool_size, strides, padding):
    return share_out(dy, x_shape, pool_size, strides, pads(x_shape, pool_size, strides, padding), add=False)


@sumpool2d_backward.mistake("You divided by the number of pixels: that is average pooling's. A sum's factor is 1.")
def divides_the_shares(dy, x_shape, pool_size, strides, padding):
    around = pads(x_shape, pool_size, strides, padding)
    return share_out(dy / window_counts(x_shape, pool_size, strides, around), x_shape, pool_size, strides, around)


@sumpool2d_backward.mistake("You divided by the batch size. The mean belongs to the loss and is in dy already.")
def averages_the_sum_over_the_batch(dy, x_shape, pool_size, strides, padding):
    around = pads(x_shape, pool_size, strides, padding)
    return share_out(dy, x_shape, pool_size, strides, around) / np.float32(max(1, len(dy)))


@sumpool2d_backward.mistake("You gave dy to the window's first pixel only. Every pixel of the window was added up.")
def feeds_the_first_pixel(dy, x_shape, pool_size, strides, padding):
    return share_out(dy, x_shape, (1, 1), strides, pads(x_shape, pool_size, strides, padding))


@sumpool2d_backward.mistake("You ignored the strides. Window (i, j) began at i * strides[0], j * strides[1].")
def shares_without_strides(dy, x_shape, pool_size, strides, padding):
    return share_out(dy, x_shape, pool_size, (1, 1), pads(x_shape, pool_size, strides, padding))


@sumpool2d_backward.mistake(
    "You exchanged the strides: strides[0] is the step down the rows, strides[1] along the columns."
)
def shares_with_exchanged_strides(dy, x_shape, pool_size, strides, padding):
    return share_out(dy, x_shape, pool_size, strides[::-1], pads(x_shape, pool_size, strides, padding))


@sumpool2d_backward.mistake(
    "You put the odd row or column of padding before the image. In Keras it goes after: before is missing // 2."
)
def pads_the_shares_before(dy, x_shape, pool_size, strides, padding):
    return share_out(dy, x_shape, pool_size, strides, turned(pads(x_shape, pool_size, strides, padding)))


@sumpool2d_backward.mistake("You forgot where the padding puts the first window: it begins at -top, -left.")
def shares_without_the_offset(dy, x_shape, pool_size, strides, padding):
    return share_out(dy, x_shape, pool_size, strides, behind(pads(x_shape, pool_size, strides, padding)))


@sumpool2d_backward.mistake("You counted the windows that saw a pixel. Add up their dy instead of ones.")
def counts_the_windows(dy, x_shape, pool_size, strides, padding):
    return share_out(np.ones_like(dy), x_shape, pool_size, strides, pads(x_shape, pool_size, strides, padding))


@sumpool2d_backward.objective
def sumpool2d_objective(dy, x_shape, pool_size, strides, padding):
    around = pads(x_shape, pool_size, strides, padding)
    return lambda x: np.sum(dy * window_sums(x, pool_size, strides, around)), {"dx": np.zeros(x_shape)}


@sumpool2d_backward.keras_twin
def sumpool2d_gradient_in_keras(keras, dy, x_shape, pool_size, strides, padding):
    x = np.zeros(x_shape, np.float32)
    return keras.gradient(lambda x: sumpool2d_in_keras(keras, x, pool_size, strides, padding), dy, x)


def mean_pool(x, pool_size, strides, around):
    """Average pooling with a given padding."""
    return window_sums(x, pool_size, strides, around) / window_counts(x.shape, pool_size, strides, around)


@avgpool2d_forward.mistake(
    "You divided by the whole window, padding and all. The padding never counts: divide by the pixels inside the image."
)
def counts_the_padding_in_the_mean(x, pool_size, strides, padding):
    sums = window_sums(x, pool_size, strides, pool_pads(x, pool_size, strides, padding))
    return sums / np.float32(math.prod(pool_size))


@avgpool2d_forward.mistake("You did not divide: that is sum pooling. A mean divides by the number of pixels.")
def forgets_to_divide(x, pool_size, strides, padding):
    return window_sums(x, pool_size, strides, pool_pads(x, pool_size, strides, padding))


@avgpool2d_forward.mistake("You kept the largest value: that is max pooling. Here the pixels are averaged.")
def averages_by_the_maximum(x, pool_size, strides, padding):
    return max_pool(x, pool_size, strides, pool_pads(x, pool_size, strides, padding))[0]


@avgpool2d_forward.mistake("You divided by the number of rows only. A window has rows times columns pixels.")
def divides_by_the_rows(x, pool_size, strides, padding):
    sums = window_sums(x, pool_size, strides, pool_pads(x, pool_size, strides, padding))
    rows = window_counts(x.shape, (pool_size[0], 1), strides, pool_pads(x, pool_size, strides, padding))
    return sums / np.maximum(1, rows[:, :, : sums.shape[2]].max(axis=2, keepdims=True))


@avgpool2d_forward.mistake("You divided by the strides. They say how far the window moves, not how much it holds.")
def divides_by_the_strides(x, pool_size, strides, padding):
    sums = window_sums(x, pool_size, strides, pool_pads(x, pool_size, strides, padding))
    return sums / np.float32(math.prod(strides))


@avgpool2d_forward.mistake("You averaged the channels together. Every channel is pooled by itself.")
def averages_the_channels(x, pool_size, strides, padding):
    means = mean_pool(x, pool_size, strides, pool_pads(x, pool_size, strides, padding))
    return np.broadcast_to(means.mean(axis=3, keepdims=True), means.shape).copy()


@avgpool2d_forward.mistake(
    "You stepped by the window's size. That is only the usual choice: the steps are the strides."
)
def averages_by_the_window(x, pool_size, strides, padding):
    return mean_pool(x, pool_size, pool_size, pool_pads(x, pool_size, pool_size, padding))


@avgpool2d_forward.mistake(
    "You exchanged the strides: strides[0] is the step down the rows, strides[1] along the columns."
)
def averages_with_exchanged_strides(x, pool_size, strides, padding):
    return mean_pool(x, pool_size, strides[::-1], pool_pads(x, pool_size, strides[::-1], padding))


@avgpool2d_forward.mistake(
    "You put the odd row or column of padding before the image. In Keras it goes after: before is missing // 2."
)
def pads_the_mean_before(x, pool_size, strides, padding):
    return mean_pool(x, pool_size, strides, turned(pool_pads(x, pool_size, strides, padding)))


@avgpool2d_forward.keras_twin
def avgpool2d_in_keras(keras, x, pool_size, strides, padding):
    return keras.ops.average_pool(x, pool_size, strides, padding, data_format="channels_last")


@avgpool2d_backward.mistake(
    "You divided by the whole window, padding and all. The padding never counts: each pixel inside gets a larger share."
)
def counts_the_padding_in_the_shares(dy, x_shape, pool_size, strides, padding):
    around = pads(x_shape, pool_size, strides, padding)
    return share_out(dy / np.float32(math.prod(pool_size)), x_shape, pool_size, strides, around)


@avgpool2d_backward.mistake("You did not divide: that is sum pooling's. Every pixel had the factor 1 / count.")
def forgets_to_divide_the_shares(dy, x_shape, pool_size, strides, padding):
    return share_out(dy, x_shape, pool_size, strides, pads(x_shape, pool_size, strides, padding))


def mean_shares(dy, x_shape, pool_size, strides, around, add=True):
    """The backward pass of average pooling with a given padding."""
    counts = window_counts(x_shape, pool_size, strides, around)
    return share_out(dy / counts, x_shape, pool_size, strides, around, add)


@avgpool2d_backward.mistake("Your windows overwrite each other. A pixel adds up its shares of all the windows.")
def overwrites_the_mean_shares(dy, x_shape, pool_size, strides, padding):
    return mean_shares(dy, x_shape, pool_size, strides, pads(x_shape, pool_size, strides, padding), add=False)


@avgpool2d_backward.mistake("You divided by the batch size. The mean over the batch is in dy already.")
def averages_the_mean_over_the_batch(dy, x_shape, pool_size, strides, padding):
    around = pads(x_shape, pool_size, strides, padding)
    return mean_shares(dy, x_shape, pool_size, strides, around) / np.float32(max(1, len(dy)))


@avgpool2d_backward.mistake("You averaged what the windows hand back. Each window gives dy / its count, then add.")
def averages_over_the_windows_of_a_pixel(dy, x_shape, pool_size, strides, padding):
    around = pads(x_shape, pool_size, strides, padding)
    seen = share_out(np.ones((1, *dy.shape[1:3], 1), np.float32), (1, *x_shape[1:3], 1), pool_size, strides, around)
    sums = share_out(dy, x_shape, pool_size, strides, around)
    return sums / np.maximum(seen, 1)


@avgpool2d_backward.mistake("You gave the whole dy to the window's first pixel. Every pixel gets an equal share.")
def feeds_the_first_pixel_of_the_mean(dy, x_shape, pool_size, strides, padding):
    return share_out(dy, x_shape, (1, 1), strides, pads(x_shape, pool_size, strides, padding))


@avgpool2d_backward.mistake("You multiplied by the number of pixels. The mean divided by it, and so does its gradient.")
def multiplies_the_shares(dy, x_shape, pool_size, strides, padding):
    around = pads(x_shape, pool_size, strides, padding)
    counts = window_counts(x_shape, pool_size, strides, around)
    return share_out(dy * counts, x_shape, pool_size, strides, around)


@avgpool2d_backward.mistake(
    "You put the odd row or column of padding before the image. In Keras it goes after: before is missing // 2."
)
def pads_the_mean_shares_before(dy, x_shape, pool_size, strides, padding):
    return mean_shares(dy, x_shape, pool_size, strides, turned(pads(x_shape, pool_size, strides, padding)))


@avgpool2d_backward.objective
def avgpool2d_objective(dy, x_shape, pool_size, strides, padding):
    around = pads(x_shape, pool_size, strides, padding)
    return lambda x: np.sum(dy * mean_pool(x, pool_size, strides, around)), {"dx": np.zeros(x_shape)}


@avgpool2d_backward.keras_twin
def avgpool2d_gradient_in_keras(keras, dy, x_shape, pool_size, strides, padding):
    x = np.zeros(x_shape, np.float32)
    return keras.gradient(lambda x: avgpool2d_in_keras(keras, x, pool_size, strides, padding), dy, x)


# --- from maps to a classifier --------------------------------------------------------------------------------------

global_average_pool_forward = chapter.exercise("global_average_pool_forward", points=1, returns="y")


def map_cases(draw):
    """Maps of images, for what works on all of them at once."""
    yield Case("two pixels, two channels", x=draw.array([[[[1, 10], [3, 30]]]]))
    yield Case("a batch of 4", x=draw.normal(4, 3, 5, 2))
    yield Case("all sides equal: shapes give no hint", x=draw.normal(3, 3, 3, 3))
    yield Case("one channel", x=draw.normal(2, 4, 3, 1))
    yield Case("one sample", x=draw.normal(1, 2, 6, 5), hidden=True)
    yield Case("one pixel", x=draw.normal(3, 1, 1, 4), hidden=True)
    yield Case("all values negative", x=draw.uniform(-3, -1, 2, 5, 2, 3), hidden=True)
    yield Case("an empty batch", x=draw.normal(0, 3, 2, 4), hidden=True)
    yield Case("a batch of 65", x=draw.normal(65, 7, 5, 8), large=True)


global_average_pool_forward.cases(map_cases)


@global_average_pool_forward.mistake("You did not divide. The mean is the sum divided by h * w.")
def sums_the_map(x):
    return x.sum(axis=(1, 2))


@global_average_pool_forward.mistake("You kept the largest value: that is global max pooling. Take the mean.")
def takes_the_largest_of_the_map(x):
    return x.max(axis=(1, 2))


@global_average_pool_forward.mistake("You averaged over the batch too. Every sample keeps its own row.")
def averages_the_samples(x):
    return x.mean(axis=(0, 1, 2))


@global_average_pool_forward.mistake("You averaged over the channels as well. Every channel keeps its own number.")
def averages_all_channels(x):
    return x.mean(axis=(1, 2, 3))


@global_average_pool_forward.mistake("You averaged the channels of each pixel. Average the pixels of each channel.")
def averages_each_pixel(x):
    return x.mean(axis=3)


@global_average_pool_forward.mistake("You kept the axes of rows and columns with size 1. The result is (n, c).")
def keeps_the_axes(x):
    return x.mean(axis=(1, 2), keepdims=True)


@global_average_pool_forward.mistake("You divided by h * w * c. One channel has h * w pixels.")
def divides_by_the_channels_too(x):
    return x.sum(axis=(1, 2)) / np.float32(x[0].size if len(x) else 1)


@global_average_pool_forward.mistake("You divided by the height only. A map has h * w pixels.")
def divides_by_the_height(x):
    return x.sum(axis=(1, 2)) / np.float32(x.shape[1])


@global_average_pool_forward.keras_twin
def global_average_pool_in_keras(keras, x):
    return keras.layers.GlobalAveragePooling2D(data_format="channels_last")(x)


global_average_pool_backward = chapter.exercise("global_average_pool_backward", points=1, returns="dx")


@global_average_pool_backward.cases
def global_average_pool_backward_cases(draw):
    yield Case("two pixels, two channels", dy=draw.array([[2, 20]]), x_shape=(1, 1, 2, 2))
    yield Case("a batch of 4", dy=draw.normal(4, 2), x_shape=(4, 3, 5, 2))
    yield Case("all sides equal: shapes give no hint", dy=draw.normal(3, 3), x_shape=(3, 3, 3, 3))
    yield Case("one channel", dy=draw.normal(2, 1), x_shape=(2, 4, 3, 1))
    yield Case("one sample", dy=draw.normal(1, 5), x_shape=(1, 2, 6, 5), hidden=True)
    yield Case("one pixel", dy=draw.normal(3, 4), x_shape=(3, 1, 1, 4), hidden=True)
    yield Case("an empty batch", dy=draw.normal(0, 4), x_shape=(0, 3, 2, 4), hidden=True)
    yield Case("a batch of 65", dy=draw.normal(65, 8), x_shape=(65, 7, 5, 8), large=True)


def over_the_map(shares, x_shape):
    """The same share at every pixel."""
    return np.broadcast_to(shares[:, np.newaxis, np.newaxis], x_shape).copy()


@global_average_pool_backward.mistake("You did not divide. Every pixel had the factor 1 / (h * w) in the mean.")
def copies_dy_to_every_pixel(dy, x_shape):
    return over_the_map(dy, x_shape)


@global_average_pool_backward.mistake("You divided by the batch size too. That mean is in dy already.")
def divides_by_the_samples_too(dy, x_shape):
    return over_the_map(dy / np.float32(max(1, math.prod(x_shape[:3]))), x_shape)


@global_average_pool_backward.mistake("You divided by h * w * c. The mean of a channel has h * w pixels.")
def divides_the_share_by_the_channels(dy, x_shape):
    return over_the_map(dy / np.float32(math.prod(x_shape[1:])), x_shape)


@global_average_pool_backward.mistake("You divided by the height only. A map has h * w pixels.")
def divides_the_share_by_the_height(dy, x_shape):
    return over_the_map(dy / np.float32(x_shape[1]), x_shape)


@global_average_pool_backward.mistake("You divided by the width only. A map has h * w pixels.")
def divides_the_share_by_the_width(dy, x_shape):
    return over_the_map(dy / np.float32(x_shape[2]), x_shape)


@global_average_pool_backward.mistake("You gave all of dy to the first pixel. Every pixel of the map gets a share.")
def feeds_one_pixel_of_the_map(dy, x_shape):
    dx = np.zeros(x_shape, np.float32)
    dx[:, 0, 0] = dy
    return dx


@global_average_pool_backward.mistake("You summed dy over the channels. Each channel's pixels share their own dy.")
def mixes_the_channels(dy, x_shape):
    total = dy.sum(axis=1, keepdims=True) / np.float32(x_shape[1] * x_shape[2])
    return over_the_map(np.repeat(total, x_shape[3], axis=1), x_shape)


@global_average_pool_backward.objective
def global_average_pool_objective(dy, x_shape):
    return lambda x: np.sum(dy * x.mean(axis=(1, 2))), {"dx": np.zeros(x_shape)}


@global_average_pool_backward.keras_twin
def global_average_pool_gradient_in_keras(keras, dy, x_shape):
    x = np.zeros(x_shape, np.float32)
    return keras.gradient(lambda x: global_average_pool_in_keras(keras, x), dy, x)


flatten = chapter.exercise("flatten", points=0.5, returns="y")
flatten.cases(map_cases)


def shape_of_rows(x):
    """(n, h * w * c), also for an empty batch."""
    return len(x), math.prod(x.shape[1:])


@flatten.mistake(
    "You put the channels first. Here, as in Keras, the order is rows, columns, channels: a plain reshape."
)
def flattens_channels_first(x):
    return x.transpose(0, 3, 1, 2).reshape(shape_of_rows(x))


@flatten.mistake("You went down the columns first. The order is rows, columns, channels: a plain reshape.")
def flattens_columns_first(x):
    return x.transpose(0, 2, 1, 3).reshape(shape_of_rows(x))


@flatten.mistake("You flattened the batch as well. The first axis stays: one row per sample.")
def flattens_the_batch(x):
    return x.reshape(-1)


@flatten.mistake("You made a row of every pixel, (n * h * w, c). Every sample becomes one row.")
def makes_rows_of_pixels(x):
    return x.reshape(math.prod(x.shape[:3]), x.shape[3])


@flatten.mistake("You kept the channels as an axis of their own. The result has two axes: (n, h * w * c).")
def keeps_the_channels_apart(x):
    return x.reshape(len(x), x.shape[1] * x.shape[2], x.shape[3])


@flatten.mistake("You put the samples into columns. Here, as everywhere, a sample is a row.")
def flattens_into_columns(x):
    return x.reshape(shape_of_rows(x)).T


@flatten.keras_twin
def flatten_in_keras(keras, x):
    return keras.layers.Flatten(data_format="channels_last")(x)


unflatten = chapter.exercise("unflatten", points=0.5, returns="dx")


@unflatten.cases
def unflatten_cases(draw):
    yield Case("two pixels, two channels", dy=draw.array([[1, 2, 3, 4]]), x_shape=(1, 2, 1, 2))
    for case in list(map_cases(draw))[1:]:
        x = case.arguments["x"]
        flags = {"hidden": case.hidden, "large": case.large}
        yield Case(case.rationale, dy=x.reshape(shape_of_rows(x)), x_shape=x.shape, **flags)


@unflatten.mistake("You read the row channel by channel. flatten laid it out as rows, columns, channels.")
def unflattens_channels_first(dy, x_shape):
    n, h, w, c = x_shape
    return dy.reshape(n, c, h, w).transpose(0, 2, 3, 1)


@unflatten.mistake("You read the row column by column. flatten laid it out as rows, columns, channels.")
def unflattens_columns_first(dy, x_shape):
    n, h, w, c = x_shape
    return dy.reshape(n, w, h, c).transpose(0, 2, 1, 3)


@unflatten.mistake("You exchanged rows and columns of the shape: it is (n, h, w, c), as x_shape says.")
def exchanges_height_and_width(dy, x_shape):
    n, h, w, c = x_shape
    return dy.reshape(n, w, h, c)


@unflatten.mistake("You returned the channels as the second axis. Here, as in Keras, they are the last.")
def returns_channels_first(dy, x_shape):
    n, h, w, c = x_shape
    return dy.reshape(n, c, h, w)


@unflatten.mistake("You divided by the number of pixels. flatten only moved numbers, so every gradient stays as it is.")
def divides_by_the_pixels(dy, x_shape):
    return dy.reshape(x_shape) / np.float32(x_shape[1] * x_shape[2])


@unflatten.mistake("You returned dy as it was. The gradient has the shape of what went into flatten, (n, h, w, c).")
def returns_dy_as_it_was(dy, x_shape):
    return dy


@unflatten.objective
def unflatten_objective(dy, x_shape):
    return lambda x: np.sum(dy * x.reshape(dy.shape)), {"dx": np.zeros(x_shape)}


@unflatten.keras_twin
def unflatten_in_keras(keras, dy, x_shape):
    return keras.gradient(lambda x: keras.ops.reshape(x, dy.shape), dy, np.zeros(x_shape, np.float32))

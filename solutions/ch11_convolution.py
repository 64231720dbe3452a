"""Convolution and pooling: networks that look at an image piece by piece.

A dense layer gives every pixel of an image a weight of its own, and what it learns about a cat in the left corner it
has to learn again for the right one. A convolution looks through a small *window*, uses the same few weights at every
place, and so finds its pattern wherever it is. Pooling then makes the map of what was found smaller.

Images are (n, h, w, channels), kernels (kh, kw, c_in, filters). One picture explains the whole chapter: a window of
kh * kw pixels that slides over the image in steps of `strides`. The window of output pixel (i, j) begins at

    first_row = i * strides[0] - top        first_column = j * strides[1] - left

where top and left say how much padding lies before the image: none for "valid", where every window stays inside, and
as much for "same" as makes the output ceil(h / stride) rows high. Padding is no more than a way of counting: the part
of a window that sticks out holds zeros, which add nothing, so a loop over the part that lies inside is enough.

    convolution     y[i, j, f] = bias[f] + sum of x[row, column, c] * kernel[a, b, c, f]
                    with a = row - first_row, b = column - first_column: the place within the window
    max pooling     y[i, j, c] = the largest x[row, column, c] of the window
    sum pooling     y[i, j, c] = the sum of them            average pooling: their mean

Backwards, the window's picture stays and the arrows turn round. Wherever the forward pass read x[row, column] to
make y[i, j], the backward pass adds to dx[row, column] what came down to dy[i, j], times the factor that stood there:
the kernel's weight, 1 for the maximum and 0 for the others, 1 for a sum, 1 / count for a mean. Windows overlap, so a
pixel collects from all the windows that saw it.
Follows the lectures on convolutional networks (convolution, padding and strides, pooling, from maps to a classifier).
"""

import numpy as np
from numba import njit, prange


@njit(cache=True)
def windows_along(size, window, stride, padding):
    """How the windows lie along one axis. Call it twice, for the rows and for the columns.

    Parameters
    ----------
    size : int; how long the axis is
    window : int; how much of it one window covers
    stride : int; the step from one window to the next
    padding : "valid" or "same"

    Returns
    -------
    count : int; the number of windows, which is the output's size along this axis
    before : int; how many elements of padding lie before the axis. An odd one goes after, as in Keras.

    Example: windows_along(5, 2, 1, "valid") is (4, 0), windows_along(5, 4, 1, "same") is (5, 1), and
    windows_along(6, 3, 2, "same") is (3, 0): the only element of padding lies after the axis.
    """
    if len(padding) == len("same"):  # numba takes seconds to compile a comparison of texts; their lengths differ too
        count = (size + stride - 1) // stride
        missing = max(0, (count - 1) * stride + window - size)
        return count, missing // 2
    return (size - window) // stride + 1, 0


@njit(cache=True, parallel=True)
def conv2d_forward(x, kernel, bias, strides, padding):
    """A convolution: every filter slides over the image and tells how well each place fits its pattern.

    Parameters
    ----------
    x : float32 (n, h, w, c_in)
    kernel : float32 (kh, kw, c_in, filters); one pattern per filter
    bias : float32 (filters,)
    strides : (int, int); the step down the rows and the step along the columns
    padding : "valid" or "same"

    Returns
    -------
    float32 (n, rows, columns, filters): bias[f] + the sum over a, b, c of
    x[s, i * strides[0] - top + a, j * strides[1] - left + b, c] * kernel[a, b, c, f]; what lies outside x counts as 0

    Approach: let windows_along tell how many windows there are and where they begin. For each output pixel start from
    the bias, walk over the part of the window that lies inside the image, and add each input channel times its row of
    weights. That order leaves the filters for the innermost loop, where they lie side by side in memory: slice the
    output pixel and the row of weights before it, and the compiler makes vector instructions of it.
    Example: x = [[1, 2, 3], [4, 5, 6], [7, 8, 9]] and kernel = [[1, 0], [0, -2]], one channel and one filter, bias 10,
    stride 1, "valid" gives [[1, 0], [-2, -3]]: the first one is 1 * 1 + 5 * -2 + 10.
    Trap: mathematics turns the kernel by 180 degrees first. Keras does not, and nobody needs it: the network learns
    the kernel the way it is used. (The unturned one is properly called a cross-correlation.)
    Lecture: convolutional networks, the convolution; padding and strides.
    """
    ### BEGIN SOLUTION
    n, h, w, c_in = x.shape
    kh, kw, _, filters = kernel.shape
    rows, top = windows_along(h, kh, strides[0], padding)
    columns, left = windows_along(w, kw, strides[1], padding)
    y = np.empty((n, rows, columns, filters), np.float32)
    for s in prange(n):
        for i in range(rows):
            first_row = i * strides[0] - top  # negative where the window begins in the padding
            for j in range(columns):
                first_column = j * strides[1] - left
                pixel = y[s, i, j]
                pixel[:] = bias
                for row in range(max(0, first_row), min(h, first_row + kh)):
                    for column in range(max(0, first_column), min(w, first_column + kw)):
                        weights = kernel[row - first_row, column - first_column]
                        for c in range(c_in):
                            value = x[s, row, column, c]
                            weights_of_channel = weights[c]
                            for f in range(filters):
                                pixel[f] += value * weights_of_channel[f]
    return y
    ### END SOLUTION


@njit(cache=True, parallel=True, fastmath={"reassoc", "contract", "nsz"})
def conv2d_backward(dy, x, kernel, strides, padding):
    """Gradients of the loss with respect to everything that went into a convolution.

    Parameters
    ----------
    dy : float32 (n, rows, columns, filters); the upstream gradient
    x : float32 (n, h, w, c_in); the forward pass's input
    kernel : float32 (kh, kw, c_in, filters)
    strides : (int, int); the step down the rows and the step along the columns
    padding : "valid" or "same"

    Returns
    -------
    dx : float32, the shape of x: every window adds dy[s, i, j, f] * kernel[a, b, c, f] to the pixels that it saw
    dkernel : float32, the shape of kernel: the sum of x[s, row, column, c] * dy[s, i, j, f] over all windows
    dbias : float32 (filters,): the sum of dy over samples, rows and columns

    Approach: the forward pass has one multiplication, y += x * kernel. Walk over the same windows once more; at that
    place dx += dy * kernel and dkernel += x * dy. Two threads must never add to the same element, so write two loops:
    for dx share out the samples, for dkernel share out the kh * kw places of the kernel, each of which is a c_in x
    filters matrix of its own. The innermost loop runs over the filters, which lie side by side in memory: for dx it
    adds up dy times the weights of one input channel, for dkernel it adds a multiple of dy to a row of dkernel. The
    fastmath flags allow the compiler to add up in another order, and so eight numbers at once; NaN and infinity stay
    what they are.
    Example: x = [[1, 2], [3, 4]], kernel = [[5, 6]], stride 1, "valid" (so y has two rows and one column) and
    dy = [[1], [10]] give dx = [[5, 6], [50, 60]], dkernel = [[31, 42]] and dbias = [11].
    Trap: add, never assign. Windows overlap and a weight is used at every place of every image. The mean over the batch
    belongs to the loss, whose gradient has already divided dy by n.
    Lecture: convolutional networks, the convolution; Deep Neural Networks, backpropagation.
    """
    ### BEGIN SOLUTION
    n, h, w, c_in = x.shape
    kh, kw, _, filters = kernel.shape
    rows, top = windows_along(h, kh, strides[0], padding)
    columns, left = windows_along(w, kw, strides[1], padding)
    dx = np.zeros_like(x)
    for s in prange(n):
        for i in range(rows):
            first_row = i * strides[0] - top
            for j in range(columns):
                first_column = j * strides[1] - left
                upstreams = dy[s, i, j]
                for row in range(max(0, first_row), min(h, first_row + kh)):
                    for column in range(max(0, first_column), min(w, first_column + kw)):
                        weights = kernel[row - first_row, column - first_column]
                        for c in range(c_in):
                            weights_of_channel = weights[c]
                            slope = np.float32(0)
                            for f in range(filters):
                                slope += upstreams[f] * weights_of_channel[f]
                            dx[s, row, column, c] += slope
    dkernel = np.zeros_like(kernel)
    for place in prange(kh * kw):
        a, b = place // kw, place % kw
        for s in range(n):
            for i in range(rows):
                row = i * strides[0] - top + a
                if row < 0 or row >= h:  # this place of the window lies in the padding
                    continue
                for j in range(columns):
                    column = j * strides[1] - left + b
                    if column < 0 or column >= w:
                        continue
                    upstreams = dy[s, i, j]
                    for c in range(c_in):
                        value = x[s, row, column, c]
                        slopes_of_channel = dkernel[a, b, c]
                        for f in range(filters):
                            slopes_of_channel[f] += value * upstreams[f]
    dbias = np.zeros(filters, np.float32)
    for s in range(n):
        for i in range(rows):
            for j in range(columns):
                for f in range(filters):
                    dbias[f] += dy[s, i, j, f]
    return dx, dkernel, dbias
    ### END SOLUTION


@njit(cache=True)
def im2col(x, kernel_size, strides, padding):
    """Write every window of the images into a row of a matrix, so that a convolution becomes one matrix product.

        conv2d_forward(x, kernel, bias, …) = im2col(x, (kh, kw), …) @ kernel.reshape(kh * kw * c_in, filters) + bias

    Matrix products are the fastest thing that a computer does. The price is memory: with a 3 x 3 kernel and stride 1
    every pixel is written nine times.

    Parameters
    ----------
    x : float32 (n, h, w, c)
    kernel_size : (int, int); the rows and columns of a window, kh and kw
    strides : (int, int); the step down the rows and the step along the columns
    padding : "valid" or "same"

    Returns
    -------
    float32 (n * rows * columns, kh * kw * c): one window per row, sample by sample, row by row; within a window row by
    row, column by column, channel by channel; what lies outside x is 0

    Approach: an array of zeros with six axes, (n, rows, columns, kh, kw, c), has a place for everything under its own
    name. Copy the pixels that lie inside the image, then reshape: the last axis is already the fastest.
    Example: x = [[1, 2, 3], [4, 5, 6]], one channel, kernel_size (2, 2), stride 1, "valid" gives
    [[1, 2, 4, 5], [2, 3, 5, 6]].
    Trap: the order within a row must be that of the kernel's axes: kh, kw, then c.
    Lecture: convolutional networks, the convolution as a matrix product.
    """
    ### BEGIN SOLUTION
    n, h, w, c = x.shape
    kh, kw = kernel_size
    rows, top = windows_along(h, kh, strides[0], padding)
    columns, left = windows_along(w, kw, strides[1], padding)
    windows = np.zeros((n, rows, columns, kh, kw, c), np.float32)
    for s in range(n):
        for i in range(rows):
            first_row = i * strides[0] - top
            for j in range(columns):
                first_column = j * strides[1] - left
                for row in range(max(0, first_row), min(h, first_row + kh)):
                    for column in range(max(0, first_column), min(w, first_column + kw)):
                        windows[s, i, j, row - first_row, column - first_column] = x[s, row, column]
    return windows.reshape(n * rows * columns, kh * kw * c)
    ### END SOLUTION


@njit(cache=True, parallel=True)
def maxpool2d_forward(x, pool_size, strides, padding):
    """Max pooling: of every window only the largest value stays, and where it was.

    A map of what a filter found says more precisely than needed where it was. Max pooling keeps the strongest answer
    of a neighbourhood: fewer numbers for the next layer, and a pattern that moves by a pixel changes little.

    Parameters
    ----------
    x : float32 (n, h, w, c)
    pool_size : (int, int); the rows and columns of a window
    strides : (int, int); the step down the rows and the step along the columns
    padding : "valid" or "same"

    Returns
    -------
    y : float32 (n, rows, columns, c): the largest value of each window, channel by channel
    argmax : int64 (n, rows, columns, c): where it was, as row * w + column of x; the first one where several are equal

    Approach: begin with the first pixel of the window that lies inside the image, and let another one take its place
    only when it is larger. Row by row and column by column, the first of several equal ones then stays by itself.
    Choose with `a if larger else b` and the compiler makes vector instructions of the loop over the channels; with two
    assignments under an `if` it does not.
    Example: x = [[1, 5, 2], [7, 3, 7]], one channel, pool_size (2, 2), stride 1, "valid" gives y = [[7, 7]] and
    argmax = [[3, 5]].
    Trap: padding must never win. A maximum that starts from 0 is wrong where all the values are negative.
    Lecture: convolutional networks, pooling.
    """
    ### BEGIN SOLUTION
    n, h, w, channels = x.shape
    ph, pw = pool_size
    rows, top = windows_along(h, ph, strides[0], padding)
    columns, left = windows_along(w, pw, strides[1], padding)
    y = np.empty((n, rows, columns, channels), np.float32)
    argmax = np.empty((n, rows, columns, channels), np.int64)
    for s in prange(n):
        for i in range(rows):
            first_row = i * strides[0] - top
            for j in range(columns):
                first_column = j * strides[1] - left
                inside_row, inside_column = max(0, first_row), max(0, first_column)
                largest, where = y[s, i, j], argmax[s, i, j]
                largest[:] = x[s, inside_row, inside_column]
                where[:] = inside_row * w + inside_column
                for row in range(inside_row, min(h, first_row + ph)):
                    for column in range(inside_column, min(w, first_column + pw)):
                        pixel, place = x[s, row, column], row * w + column
                        for c in range(channels):
                            value, value_before, place_before = pixel[c], largest[c], where[c]
                            larger = value > value_before
                            largest[c] = value if larger else value_before
                            where[c] = place if larger else place_before
    return y, argmax
    ### END SOLUTION


@njit(cache=True)
def maxpool2d_backward(dy, argmax, x_shape):
    """Gradient of the loss with respect to the input of a max pooling: the winner takes it all.

    Parameters
    ----------
    dy : float32 (n, rows, columns, c); the upstream gradient
    argmax : int64 (n, rows, columns, c); from the forward pass: row * w + column of each window's largest value
    x_shape : (int, int, int, int); the shape of the forward pass's input, (n, h, w, c)

    Returns
    -------
    float32 (n, h, w, c): the sum of dy over all windows that the pixel won, 0 where it won none

    Approach: zeros of x's shape, reshaped to (n, h * w, c), have the axis that argmax counts along. Walk over dy and
    add each element where its argmax points. (The reshaped array is the same memory under another name.)
    Example: dy = [[10, 1]], argmax = [[3, 3]], x_shape = (1, 2, 3, 1) gives [[0, 0, 0], [11, 0, 0]].
    Trap: with overlapping windows one pixel can win several of them. Add.
    Lecture: convolutional networks, pooling; Deep Neural Networks, backpropagation.
    """
    ### BEGIN SOLUTION
    n, h, w, channels = x_shape
    _, rows, columns, _ = dy.shape
    dx = np.zeros((n, h * w, channels), np.float32)
    for s in range(n):
        for i in range(rows):
            for j in range(columns):
                for c in range(channels):
                    dx[s, argmax[s, i, j, c], c] += dy[s, i, j, c]
    return dx.reshape(n, h, w, channels)
    ### END SOLUTION


@njit(cache=True)
def sumpool2d_forward(x, pool_size, strides, padding):
    """Sum pooling: the sum of every window, channel by channel.

    Parameters
    ----------
    x : float32 (n, h, w, c)
    pool_size : (int, int); the rows and columns of a window
    strides : (int, int); the step down the rows and the step along the columns
    padding : "valid" or "same"

    Returns
    -------
    float32 (n, rows, columns, c): the sum of each window's pixels that lie inside the image

    Approach: the loops of a convolution without kernel and bias; the channels stay apart.
    Example: x = [[1, 5, 2], [7, 3, 7]], one channel, pool_size (2, 2), stride 1, "valid" gives [[16, 17]].
    Trap: "same" begins before the image; a window that sticks out has fewer pixels to add.
    Lecture: convolutional networks, pooling.
    """
    ### BEGIN SOLUTION
    n, h, w, channels = x.shape
    ph, pw = pool_size
    rows, top = windows_along(h, ph, strides[0], padding)
    columns, left = windows_along(w, pw, strides[1], padding)
    y = np.zeros((n, rows, columns, channels), np.float32)
    for s in range(n):
        for i in range(rows):
            first_row = i * strides[0] - top
            for j in range(columns):
                first_column = j * strides[1] - left
                total = y[s, i, j]
                for row in range(max(0, first_row), min(h, first_row + ph)):
                    for column in range(max(0, first_column), min(w, first_column + pw)):
                        pixel = x[s, row, column]
                        for c in range(channels):
                            total[c] += pixel[c]
    return y
    ### END SOLUTION


@njit(cache=True)
def sumpool2d_backward(dy, x_shape, pool_size, strides, padding):
    """Gradient of the loss with respect to the input of a sum pooling.

    Parameters
    ----------
    dy : float32 (n, rows, columns, c); the upstream gradient
    x_shape : (int, int, int, int); the shape of the forward pass's input, (n, h, w, c)
    pool_size : (int, int); the rows and columns of a window
    strides : (int, int); the step down the rows and the step along the columns
    padding : "valid" or "same"

    Returns
    -------
    float32 (n, h, w, c): every pixel gets the sum of dy over all the windows that saw it

    Approach: the forward pass's loops; where it read a pixel, add the window's dy to the pixel's gradient.
    Example: dy = [[1, 10]], x_shape = (1, 2, 3, 1), pool_size (2, 2), stride 1, "valid" gives
    [[1, 11, 10], [1, 11, 10]].
    Trap: windows overlap where the stride is smaller than the window: add, do not assign.
    Lecture: convolutional networks, pooling; Deep Neural Networks, backpropagation.
    """
    ### BEGIN SOLUTION
    n, h, w, channels = x_shape
    ph, pw = pool_size
    rows, top = windows_along(h, ph, strides[0], padding)
    columns, left = windows_along(w, pw, strides[1], padding)
    dx = np.zeros((n, h, w, channels), np.float32)
    for s in range(n):
        for i in range(rows):
            first_row = i * strides[0] - top
            for j in range(columns):
                first_column = j * strides[1] - left
                upstream = dy[s, i, j]
                for row in range(max(0, first_row), min(h, first_row + ph)):
                    for column in range(max(0, first_column), min(w, first_column + pw)):
                        slopes = dx[s, row, column]
                        for c in range(channels):
                            slopes[c] += upstream[c]
    return dx
    ### END SOLUTION


@njit(cache=True)
def avgpool2d_forward(x, pool_size, strides, padding):
    """Average pooling: the mean of every window, channel by channel.

    Parameters
    ----------
    x : float32 (n, h, w, c)
    pool_size : (int, int); the rows and columns of a window
    strides : (int, int); the step down the rows and the step along the columns
    padding : "valid" or "same"

    Returns
    -------
    float32 (n, rows, columns, c): the mean of each window's pixels that lie inside the image

    Approach: a mean is a sum divided by a count, and the count of a window is the sum pooling of an image of ones.
    Every sample and channel has the same counts, so one image of shape (1, h, w, 1) is enough.
    Example: x = [[1, 5, 2], [7, 3, 7]], one channel, pool_size (2, 2), stride 1 gives [[4, 4.25]] for "valid" and
    [[4, 4.25, 4.5], [5, 5, 7]] for "same", whose last windows hold two pixels, two pixels and one.
    Trap: the padding never counts. Dividing by ph * pw makes the edges of the image darker than they are.
    Lecture: convolutional networks, pooling.
    """
    ### BEGIN SOLUTION
    n, h, w, _ = x.shape
    counts = sumpool2d_forward(np.ones((1, h, w, 1), np.float32), pool_size, strides, padding)
    y = sumpool2d_forward(x, pool_size, strides, padding)
    _, rows, columns, _ = y.shape
    for s in range(n):
        for i in range(rows):
            for j in range(columns):
                y[s, i, j] /= counts[0, i, j, 0]
    return y
    ### END SOLUTION


@njit(cache=True)
def avgpool2d_backward(dy, x_shape, pool_size, strides, padding):
    """Gradient of the loss with respect to the input of an average pooling.

    Parameters
    ----------
    dy : float32 (n, rows, columns, c); the upstream gradient
    x_shape : (int, int, int, int); the shape of the forward pass's input, (n, h, w, c)
    pool_size : (int, int); the rows and columns of a window
    strides : (int, int); the step down the rows and the step along the columns
    padding : "valid" or "same"

    Returns
    -------
    float32 (n, h, w, c): every window shares its dy out equally among its pixels that lie inside the image

    Approach: divide dy by the windows' counts, then it is the backward pass of a sum pooling.
    Example: dy = [[4, 40]], x_shape = (1, 2, 3, 1), pool_size (2, 2), stride 1, "valid" gives
    [[1, 11, 10], [1, 11, 10]].
    Trap: at the edge of a "same" pooling a window has fewer pixels, and each of them gets a larger share.
    Lecture: convolutional networks, pooling; Deep Neural Networks, backpropagation.
    """
    ### BEGIN SOLUTION
    _, h, w, _ = x_shape
    counts = sumpool2d_forward(np.ones((1, h, w, 1), np.float32), pool_size, strides, padding)
    n, rows, columns, _ = dy.shape
    shares = np.empty_like(dy)
    for s in range(n):
        for i in range(rows):
            for j in range(columns):
                shares[s, i, j] = dy[s, i, j] / counts[0, i, j, 0]
    return sumpool2d_backward(shares, x_shape, pool_size, strides, padding)
    ### END SOLUTION


@njit(cache=True)
def global_average_pool_forward(x):
    """The mean of every channel over the whole image: one number per filter, whatever the image's size.

    It leads from maps to a classifier without a single weight, where flattening hands the next dense layer h * w times
    as many inputs.

    Parameters
    ----------
    x : float32 (n, h, w, c)

    Returns
    -------
    float32 (n, c): the mean of x[s, :, :, c]

    Approach: add up the pixels of a sample, all channels at once, and divide by h * w at the end.
    Example: x of shape (1, 1, 2, 2) = [[[1, 10], [3, 30]]] gives [[2, 20]].
    Trap: the mean is taken per sample and per channel; only rows and columns disappear.
    Lecture: convolutional networks, from maps to a classifier.
    """
    ### BEGIN SOLUTION
    n, h, w, channels = x.shape
    y = np.zeros((n, channels), np.float32)
    for s in range(n):
        for row in range(h):
            for column in range(w):
                for c in range(channels):
                    y[s, c] += x[s, row, column, c]
    return y / np.float32(h * w)
    ### END SOLUTION


@njit(cache=True)
def global_average_pool_backward(dy, x_shape):
    """Gradient of the loss with respect to the input of a global average pooling.

    Parameters
    ----------
    dy : float32 (n, c); the upstream gradient
    x_shape : (int, int, int, int); the shape of the forward pass's input, (n, h, w, c)

    Returns
    -------
    float32 (n, h, w, c): dy[s, c] / (h * w), the same at every pixel of the channel

    Approach: every pixel had the factor 1 / (h * w) in the mean, so every pixel gets that share of dy.
    Example: dy = [[2, 20]], x_shape = (1, 1, 2, 2) gives [[[1, 10], [1, 10]]].
    Trap: the share is 1 / (h * w); the number of samples and of channels has nothing to do with it.
    Lecture: convolutional networks, from maps to a classifier; Deep Neural Networks, backpropagation.
    """
    ### BEGIN SOLUTION
    n, h, w, channels = x_shape
    shares = dy / np.float32(h * w)
    dx = np.empty((n, h, w, channels), np.float32)
    for s in range(n):
        for row in range(h):
            for column in range(w):
                for c in range(channels):
                    dx[s, row, column, c] = shares[s, c]
    return dx
    ### END SOLUTION


@njit(cache=True)
def flatten(x):
    """Lay out every sample's maps in one row, for a dense layer to work on.

    Parameters
    ----------
    x : float32 (n, h, w, c)

    Returns
    -------
    float32 (n, h * w * c): row by row, column by column, channel by channel

    Approach: that is the order in which x lies in memory already. A reshape moves no number.
    Example: x of shape (1, 2, 1, 2) = [[[1, 2]], [[3, 4]]] gives [[1, 2, 3, 4]].
    Trap: the samples stay apart: the first axis is not flattened.
    Lecture: convolutional networks, from maps to a classifier.
    """
    ### BEGIN SOLUTION
    n, h, w, c = x.shape
    return x.reshape(n, h * w * c)
    ### END SOLUTION


@njit(cache=True)
def unflatten(dy, x_shape):
    """The backward pass of flatten: give the gradient the shape of the maps again.

    Parameters
    ----------
    dy : float32 (n, h * w * c); the upstream gradient
    x_shape : (int, int, int, int); the shape of the forward pass's input, (n, h, w, c)

    Returns
    -------
    float32 (n, h, w, c): the numbers of dy, each where flatten took it from

    Approach: flatten moved no number, so neither does its way back.
    Example: dy = [[1, 2, 3, 4]], x_shape = (1, 2, 1, 2) gives [[[1, 2]], [[3, 4]]].
    Trap: the axes come back in the order in which they were laid out: rows, columns, channels.
    Lecture: convolutional networks, from maps to a classifier; Deep Neural Networks, backpropagation.
    """
    ### BEGIN SOLUTION
    return dy.reshape(x_shape)
    ### END SOLUTION

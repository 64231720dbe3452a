"""Shapes and parameters: cases, known mistakes and Keras twins."""

from __future__ import annotations

import itertools
import math

import numpy as np

from grader.exercise import Case, Chapter
from grader.tolerance import EXACT

chapter = Chapter("ch10_shapes", "Shapes and parameters")


def calculator(name, **facts):
    """An exercise whose answers are whole numbers: a parameter too many in 138 million is one too many."""
    return chapter.exercise(name, **{"points": 1, "compiled": False, "tolerance": EXACT, **facts})


def some(draw, low, high):
    """One Python int in [low, high)."""
    return int(draw.integers(low, high, 1)[0])


# --- places of a window ---------------------------------------------------------------------------------------------

conv_output_size = calculator("conv_output_size", returns="places")


@conv_output_size.cases
def conv_output_size_cases(draw):
    yield Case("seven pixels, a window of three, every second place", n=7, f=3, p=0, s=2)
    yield Case("MNIST's first convolution", n=28, f=3, p=0, s=1)
    yield Case("a step that does not fit as a whole", n=8, f=3, p=0, s=2)
    yield Case("padding at both ends", n=32, f=5, p=2, s=1)
    yield Case("padding and a stride of three", n=10, f=4, p=1, s=3)
    yield Case("the first layer of ResNet: 224, 7, 3, 2", n=224, f=7, p=3, s=2)
    f = some(draw, 2, 8)
    yield Case("any numbers", n=some(draw, 20, 60), f=f, p=some(draw, 1, f), s=some(draw, 2, 5))
    yield Case("a window as wide as the image", n=5, f=5, p=0, s=3, hidden=True)
    yield Case("a window wider than the image, but not than its padding", n=3, f=6, p=2, s=1, hidden=True)
    yield Case("a stride larger than the window", n=29, f=2, p=0, s=9, hidden=True)


@conv_output_size.mistake(
    "(ceil(N-f+1)/s stands on the slide with its brackets misplaced, and gives a half where the stride does not fit. "
    "The ceiling goes around the whole quotient: ceil((n - f + 2p + 1) / s), which is floor((n - f + 2p) / s) + 1."
)
def rounds_before_dividing(n, f, p, s):
    return math.ceil(n - f + 2 * p + 1) / s


@conv_output_size.mistake(
    "You rounded (n - f + 2p + 1) / s down. That quotient is rounded up: the 1 belongs behind the floor, "
    "floor((n - f + 2p) / s) + 1, as the first place counts whatever the stride is."
)
def divides_the_one_too(n, f, p, s):
    return (n - f + 2 * p + 1) // s


@conv_output_size.mistake("You rounded up. A step that does not fit as a whole is not made: floor, then + 1.")
def rounds_up(n, f, p, s):
    return -(-(n - f + 2 * p) // s) + 1


@conv_output_size.mistake(
    "You rounded to the nearest number. A step that does not fit as a whole is not made: down, which is // here."
)
def rounds_to_the_nearest(n, f, p, s):
    return round((n - f + 2 * p) / s) + 1


@conv_output_size.mistake("You did not round. A window has a whole number of places: floor, which is // here.")
def does_not_round(n, f, p, s):
    return (n - f + 2 * p) / s + 1


@conv_output_size.mistake("You counted the steps. There is one more place than there are steps: the first. Add 1.")
def forgets_the_first_place(n, f, p, s):
    return (n - f + 2 * p) // s


@conv_output_size.mistake("You added the padding once. It is put at both ends: 2 * p.")
def pads_once(n, f, p, s):
    return (n - f + p) // s + 1


@conv_output_size.mistake("You left out the padding. It gives the window 2 * p more pixels to walk over.")
def forgets_the_padding(n, f, p, s):
    return (n - f) // s + 1


@conv_output_size.mistake("You left out the stride. The window walks in steps of s: divide by it.")
def forgets_the_stride(n, f, p, s):
    return n - f + 2 * p + 1


@conv_output_size.mistake("You left out the window. It must end inside, so only n - f + 2p pixels are left to walk.")
def forgets_the_window(n, f, p, s):
    return (n + 2 * p) // s + 1


@conv_output_size.mistake('You divided n by s. That is the size for "same" padding; here the padding is given.')
def takes_the_size_of_same(n, f, p, s):
    return -(-n // s)


@conv_output_size.keras_twin
def conv_output_size_in_keras(keras, n, f, p, s):
    image = keras.ops.pad(keras.ops.zeros((1, n, 1)), ((0, 0), (p, p), (0, 0)))
    return int(keras.ops.conv(image, keras.ops.zeros((f, 1, 1)), strides=s, padding="valid").shape[1])


same_padding = calculator("same_padding", returns=("before", "after"))


@same_padding.cases
def same_padding_cases(draw):
    yield Case("a window of three, every second place", n=5, f=3, s=2)
    yield Case("an odd pixel is left over", n=6, f=3, s=2)
    yield Case("MNIST with a window of three", n=28, f=3, s=1)
    yield Case("an even window", n=10, f=4, s=1)
    yield Case("windows side by side that do not come out even", n=11, f=4, s=4)
    yield Case("windows side by side that do", n=12, f=4, s=4)
    yield Case("a stride larger than the window: nothing to pad", n=8, f=1, s=2)
    yield Case("any numbers", n=some(draw, 9, 40), f=some(draw, 5, 9), s=some(draw, 2, 4))
    yield Case("a window wider than the image", n=3, f=8, s=1, hidden=True)
    yield Case("one pixel", n=1, f=6, s=3, hidden=True)
    yield Case("a stride larger than the window, and pixels left over", n=10, f=2, s=3, hidden=True)


def pad_to(total):
    return total // 2, total - total // 2


def missing_pixels(n, f, s):
    return (-(-n // s) - 1) * s + f - n


@same_padding.mistake("You put the odd pixel before. In Keras and TensorFlow it goes after.")
def pads_before_first(n, f, s):
    return pad_to(max(0, missing_pixels(n, f, s)))[::-1]


@same_padding.mistake(
    "You left out the stride: f - 1 in all is right for stride 1 only. Ask where the last place ends."
)
def pads_for_stride_one(n, f, s):
    return pad_to(f - 1)


@same_padding.mistake(
    "f // 2 on either side is right for stride 1 and odd windows only. Ask where the last place ends."
)
def pads_half_a_window(n, f, s):
    return f // 2, f // 2


@same_padding.mistake(
    "You padded by f - s. That is right only where s divides n: ask where the last of the ceil(n / s) places ends."
)
def forgets_what_is_left_of_the_side(n, f, s):
    return pad_to(max(0, f - s))


@same_padding.mistake("You returned less than no padding. Where nothing is missing it is 0: use max(…, 0).")
def pads_less_than_nothing(n, f, s):
    return pad_to(missing_pixels(n, f, s))


@same_padding.mistake("You made room for n places. With a stride there are only ceil(n / s) of them.")
def keeps_the_size_whatever_the_stride(n, f, s):
    return pad_to(max(0, (n - 1) * s + f - n))


@same_padding.mistake("You put all of the padding after. Half of it goes before, rounded down.")
def pads_after_only(n, f, s):
    return 0, max(0, missing_pixels(n, f, s))


@same_padding.mistake("You put the whole padding on each side. It is the sum of both: half of it before.")
def pads_twice(n, f, s):
    total = max(0, missing_pixels(n, f, s))
    return total, total


@same_padding.mistake("You dropped the odd pixel. What is left of the padding after halving goes after.")
def drops_the_odd_pixel(n, f, s):
    half = max(0, missing_pixels(n, f, s)) // 2
    return half, half


@same_padding.mistake("You rounded n / s down. There are ceil(n / s) places: (n + s - 1) // s.")
def counts_whole_strides_only(n, f, s):
    return pad_to(max(0, (n // s - 1) * s + f - n))


@same_padding.keras_twin
def same_padding_in_keras(keras, n, f, s):
    """What each tap of the window sees at the first and at the last place: the padding is where it sees no image."""
    taps = np.eye(f, dtype=np.float32)[:, np.newaxis, :]
    seen = np.asarray(keras.ops.conv(np.ones((1, n, 1), np.float32), taps, strides=s, padding="same"))[0] > 0
    return int(np.argmax(seen[0])), int(np.argmax(seen[-1, ::-1]))


window_output_size = calculator("window_output_size", returns="places", requires=("conv_output_size",))


@window_output_size.cases
def window_output_size_cases(draw):
    yield Case("MNIST, no padding", n=28, f=3, s=1, padding="valid")
    yield Case("MNIST, padding keeps the size", n=28, f=3, s=1, padding="same")
    yield Case("every second place, no padding", n=28, f=3, s=2, padding="valid")
    yield Case("every second place, with padding", n=28, f=3, s=2, padding="same")
    yield Case("an odd side is rounded up with padding", n=11, f=2, s=2, padding="same")
    yield Case("an odd side loses a pixel without", n=11, f=2, s=2, padding="valid")
    for padding in ("valid", "same"):
        n, f, s = some(draw, 20, 60), some(draw, 4, 8), some(draw, 3, 6)
        yield Case(f"any numbers, {padding}", n=n, f=f, s=s, padding=padding)
    yield Case("a window as wide as the image", n=5, f=5, s=2, padding="valid", hidden=True)
    yield Case("a window wider than the image", n=3, f=7, s=1, padding="same", hidden=True)
    yield Case("a stride larger than the window, valid", n=30, f=2, s=7, padding="valid", hidden=True)
    yield Case("a stride larger than the window, same", n=30, f=2, s=7, padding="same", hidden=True)


def places(n, f, s, padding):
    return -(-n // s) if padding == "same" else (n - f) // s + 1


@window_output_size.mistake(
    'You took n for "same" whatever the stride is. It keeps the size for stride 1 only: ceil(n / s).'
)
def keeps_n_for_same(n, f, s, padding):
    return n if padding == "same" else places(n, f, s, padding)


@window_output_size.mistake('You rounded n / s down for "same". Its padding makes the last, partial step fit: up.')
def rounds_same_down(n, f, s, padding):
    return n // s if padding == "same" else places(n, f, s, padding)


@window_output_size.mistake(
    "(ceil(N-f+1)/s stands on the slide with its brackets misplaced. The ceiling goes around the whole quotient: "
    "ceil((n - f + 1) / s), which is floor((n - f) / s) + 1."
)
def rounds_before_dividing_when_valid(n, f, s, padding):
    return places(n, f, s, padding) if padding == "same" else math.ceil(n - f + 1) / s


@window_output_size.mistake(
    'You rounded (n - f + 1) / s down for "valid". Round it up; or round (n - f) / s down and then add 1.'
)
def divides_the_one_too_when_valid(n, f, s, padding):
    return places(n, f, s, padding) if padding == "same" else (n - f + 1) // s


@window_output_size.mistake('You rounded up for "valid". A step that does not fit as a whole is not made: floor.')
def rounds_valid_up(n, f, s, padding):
    return places(n, f, s, padding) if padding == "same" else -(-(n - f) // s) + 1


@window_output_size.mistake("You left out the stride. The window walks in steps of s, with either padding.")
def forgets_the_stride_of_a_window(n, f, s, padding):
    return places(n, f, 1, padding)


@window_output_size.mistake('You left out the padding: for "same" the size does not depend on the window, ceil(n / s).')
def treats_same_as_valid(n, f, s, padding):
    return places(n, f, s, "valid")


@window_output_size.mistake('You padded although it says "valid". That means no padding: floor((n - f) / s) + 1.')
def treats_valid_as_same(n, f, s, padding):
    return places(n, f, s, "same")


@window_output_size.mistake(
    'You put f // 2 pixels at both ends for "same". For an even window that is a pixel too many: ceil(n / s).'
)
def pads_half_a_window_for_same(n, f, s, padding):
    return (n - f + 2 * (f // 2)) // s + 1 if padding == "same" else places(n, f, s, padding)


@window_output_size.keras_twin
def window_output_size_in_keras(keras, n, f, s, padding):
    return keras.layers.Conv1D(1, f, strides=s, padding=padding).compute_output_shape((None, n, 1))[1]


# --- shapes ---------------------------------------------------------------------------------------------------------

conv2d_output_shape = calculator("conv2d_output_shape", returns="shape", requires=("window_output_size",))


def image(draw):
    """The shape of an image that is not square."""
    height = some(draw, 12, 30)
    return height, height + some(draw, 3, 9), some(draw, 2, 6)


@conv2d_output_shape.cases
def conv2d_output_shape_cases(draw):
    def case(rationale, input_shape, kernel_size, filters, strides=(1, 1), padding="valid", **flags):
        arguments = {"input_shape": input_shape, "kernel_size": kernel_size, "filters": filters}
        return Case(rationale, **flags, **arguments, strides=strides, padding=padding)

    yield case("MNIST, 32 filters", (28, 28, 1), (3, 3), 32)
    yield case("the same with padding", (28, 28, 1), (3, 3), 32, padding="same")
    yield case("32 channels go in, 64 come out", (13, 13, 32), (3, 3), 64)
    yield case("an image that is not square", (20, 31, 3), (5, 5), 8)
    yield case("a kernel that is not square", (20, 31, 3), (2, 7), 8, (2, 2))
    yield case("other steps down than across, no padding", (20, 31, 3), (3, 3), 5, (2, 3))
    yield case("other steps down than across, with padding", (21, 31, 3), (3, 3), 5, (2, 3), "same")
    yield case("any image", image(draw), (3, 4), some(draw, 9, 30), (2, 3))
    yield case("any image, with padding", image(draw), (3, 4), some(draw, 9, 30), (3, 2), "same", hidden=True)
    yield case("a kernel as large as the image", (5, 7, 4), (5, 7), 6, (1, 2), hidden=True)
    yield case("1 * 1 kernels change the channels only", (9, 12, 256), (1, 1), 64, hidden=True)


@conv2d_output_shape.mistake("You kept the input's channels. Every filter makes one channel: filters of them come out.")
def keeps_the_channels(input_shape, kernel_size, filters, strides, padding):
    return (*convolved(input_shape, kernel_size, filters, strides, padding)[:2], input_shape[2])


@conv2d_output_shape.mistake(
    "You gave each filter its own output per channel. A filter adds up all channels of the input: filters come out."
)
def multiplies_the_channels(input_shape, kernel_size, filters, strides, padding):
    return (*convolved(input_shape, kernel_size, filters, strides, padding)[:2], input_shape[2] * filters)


@conv2d_output_shape.mistake("You put the channels first. Keras's images are (height, width, channels).")
def puts_channels_first(input_shape, kernel_size, filters, strides, padding):
    height, width, channels = convolved(input_shape, kernel_size, filters, strides, padding)
    return channels, height, width


@conv2d_output_shape.mistake("You swapped height and width. The first side is the height, the rows.")
def swaps_height_and_width(input_shape, kernel_size, filters, strides, padding):
    height, width, channels = convolved(input_shape, kernel_size, filters, strides, padding)
    return width, height, channels


@conv2d_output_shape.mistake("You used the kernel's rows for both sides. kernel_size is (rows, columns).")
def takes_the_kernel_for_square(input_shape, kernel_size, filters, strides, padding):
    return convolved(input_shape, (kernel_size[0],) * 2, filters, strides, padding)


@conv2d_output_shape.mistake("You used one stride for both sides. strides is (rows, columns).")
def takes_one_stride(input_shape, kernel_size, filters, strides, padding):
    return convolved(input_shape, kernel_size, filters, (strides[0],) * 2, padding)


@conv2d_output_shape.mistake("You used the height for both sides. Images need not be square.")
def takes_the_image_for_square(input_shape, kernel_size, filters, strides, padding):
    return convolved((input_shape[0], *input_shape[::2]), kernel_size, filters, strides, padding)


@conv2d_output_shape.mistake("You left out the strides. A window that makes every second step has half the places.")
def ignores_the_strides(input_shape, kernel_size, filters, strides, padding):
    return convolved(input_shape, kernel_size, filters, (1, 1), padding)


@conv2d_output_shape.mistake('You left out the padding. With "same" there are ceil(n / s) places.')
def ignores_the_padding(input_shape, kernel_size, filters, strides, padding):
    return convolved(input_shape, kernel_size, filters, strides, "valid")


@conv2d_output_shape.mistake('You kept height and width. "valid" loses f - 1 of them, and strides divide the rest.')
def keeps_the_sides(input_shape, kernel_size, filters, strides, padding):
    return (*input_shape[:2], filters)


def convolved(input_shape, kernel_size, filters, strides, padding):
    """The right shape."""
    height, width, _ = input_shape
    rows, columns = (
        places(height, kernel_size[0], strides[0], padding),
        places(width, kernel_size[1], strides[1], padding),
    )
    return rows, columns, filters


@conv2d_output_shape.keras_twin
def conv2d_output_shape_in_keras(keras, input_shape, kernel_size, filters, strides, padding):
    layer = keras.layers.Conv2D(filters, kernel_size, strides=strides, padding=padding)
    return layer.compute_output_shape((None, *input_shape))[1:]


pool2d_output_shape = calculator("pool2d_output_shape", returns="shape", requires=("window_output_size",))


@pool2d_output_shape.cases
def pool2d_output_shape_cases(draw):
    def case(rationale, input_shape, pool_size, strides, padding="valid", **flags):
        return Case(rationale, **flags, input_shape=input_shape, pool_size=pool_size, strides=strides, padding=padding)

    yield case("halved", (26, 26, 32), (2, 2), (2, 2))
    yield case("an odd side loses a row and a column", (11, 11, 64), (2, 2), (2, 2))
    yield case("an odd side with padding", (11, 11, 64), (2, 2), (2, 2), "same")
    yield case("windows that overlap", (20, 31, 5), (3, 3), (2, 2))
    yield case("a window that is not square", (20, 32, 5), (2, 4), (3, 3))
    yield case("other steps down than across", (20, 31, 5), (3, 3), (2, 4))
    yield case("other steps down than across, with padding", (20, 31, 5), (3, 3), (2, 4), "same")
    yield case("any image", image(draw), (2, 3), (2, 3))
    yield case("any image, with padding", image(draw), (3, 2), (3, 2), "same", hidden=True)
    yield case("step by step", (9, 12, 3), (2, 3), (1, 1), hidden=True)
    yield case("a window as large as the image", (6, 9, 7), (6, 9), (6, 9), hidden=True)


def pooled(input_shape, pool_size, strides, padding):
    """The right shape."""
    return convolved(input_shape, pool_size, input_shape[2], strides, padding)


@pool2d_output_shape.mistake("You pooled the channels too. Each channel is pooled on its own: their number stays.")
def halves_the_channels(input_shape, pool_size, strides, padding):
    height, width, channels = pooled(input_shape, pool_size, strides, padding)
    return height, width, channels // pool_size[0]


@pool2d_output_shape.mistake("You merged the channels into one. Each is pooled on its own: their number stays.")
def merges_the_channels(input_shape, pool_size, strides, padding):
    return (*pooled(input_shape, pool_size, strides, padding)[:2], 1)


@pool2d_output_shape.mistake("You divided by the pool size. What divides is the stride; the window only has to fit.")
def divides_by_the_pool_size(input_shape, pool_size, strides, padding):
    return pooled(input_shape, pool_size, pool_size, padding)


@pool2d_output_shape.mistake("You moved the window one pixel at a time. Here the strides say how far it moves.")
def pools_with_stride_one(input_shape, pool_size, strides, padding):
    return pooled(input_shape, pool_size, (1, 1), padding)


@pool2d_output_shape.mistake('You rounded up. With "valid" a window that would stick out has no place: floor.')
def rounds_pooling_up(input_shape, pool_size, strides, padding):
    sides = zip(input_shape[:2], pool_size, strides, strict=True)
    valid = tuple(-(-(n - f) // s) + 1 for n, f, s in sides)
    return (*valid, input_shape[2]) if padding == "valid" else pooled(input_shape, pool_size, strides, padding)


@pool2d_output_shape.mistake('You left out the padding. With "same" there are ceil(n / s) places.')
def pools_without_padding(input_shape, pool_size, strides, padding):
    return pooled(input_shape, pool_size, strides, "valid")


@pool2d_output_shape.mistake("You used the window's rows for both sides. pool_size is (rows, columns).")
def takes_the_pool_for_square(input_shape, pool_size, strides, padding):
    return pooled(input_shape, (pool_size[0],) * 2, strides, padding)


@pool2d_output_shape.mistake("You used one stride for both sides. strides is (rows, columns).")
def pools_with_one_stride(input_shape, pool_size, strides, padding):
    return pooled(input_shape, pool_size, (strides[0],) * 2, padding)


@pool2d_output_shape.mistake("You used the height for both sides. Images need not be square.")
def pools_a_square(input_shape, pool_size, strides, padding):
    return pooled((input_shape[0], *input_shape[::2]), pool_size, strides, padding)


@pool2d_output_shape.mistake("You swapped height and width. The first side is the height, the rows.")
def swaps_the_pooled_sides(input_shape, pool_size, strides, padding):
    height, width, channels = pooled(input_shape, pool_size, strides, padding)
    return width, height, channels


@pool2d_output_shape.keras_twin
def pool2d_output_shape_in_keras(keras, input_shape, pool_size, strides, padding):
    layer = keras.layers.MaxPooling2D(pool_size, strides=strides, padding=padding)
    return layer.compute_output_shape((None, *input_shape))[1:]


activation_size = calculator("activation_size", returns="size")


@activation_size.cases
def activation_size_cases(draw):
    yield Case("MNIST", shape=(28, 28, 1))
    yield Case("32 maps", shape=(26, 26, 32))
    yield Case("a dense layer of 120 units", shape=(120,))
    yield Case("the same as a column", shape=(120, 1))
    yield Case("no two sides equal", shape=(5, 7, 3))
    yield Case("a text of 80 words, 16 numbers each", shape=(80, 16))
    yield Case("any maps", shape=image(draw))
    yield Case("a film", shape=(16, 9, 12, 3), hidden=True)
    yield Case("a single number", shape=(), hidden=True)


@activation_size.mistake(
    "You gave the vector a second side of 0, as one slide does: (120, 0) would hold nothing. A column is (120, 1), and "
    "Keras's (120,) holds 120 numbers as well."
)
def writes_the_column_as_zero(shape):
    return 0 if len(shape) == 1 else math.prod(shape)


@activation_size.mistake("You added the sides up. Every row has as many numbers as there are columns: multiply.")
def adds_the_sides(shape):
    return sum(shape)


@activation_size.mistake("You left out the channels. Each of them is a whole map: multiply by their number too.")
def leaves_out_the_channels(shape):
    return math.prod(shape[:2])


@activation_size.mistake("You took the first side for the batch. The shape is that of one sample: all sides count.")
def leaves_out_the_first_side(shape):
    return math.prod(shape[1:])


@activation_size.mistake("You squared the height. Shapes need not be square: multiply the sides as they are.")
def squares_the_height(shape):
    return shape[0] ** 2 * math.prod(shape[2:]) if len(shape) > 2 else math.prod(shape)


@activation_size.mistake(
    "Your product is always 0, as one of its factors is. Begin with 1, and multiply by the sides, not by their places."
)
def multiplies_by_zero(shape):
    return 0


@activation_size.mistake("You counted the sides. Their product says how many numbers there are.")
def counts_the_sides(shape):
    return len(shape)


@activation_size.keras_twin
def activation_size_in_keras(keras, shape):
    return int(keras.ops.size(keras.ops.zeros(shape)))


flatten_size = calculator("flatten_size", returns="features", requires=("activation_size",))


@flatten_size.cases
def flatten_size_cases(draw):
    yield Case("the last maps of the MNIST convnet", shape=(3, 3, 64))
    yield Case("as Keras prints them", shape=(None, 3, 3, 64))
    yield Case("the same convnet without pooling", shape=(22, 22, 64))
    yield Case("no two sides equal", shape=(4, 5, 7))
    yield Case("a vector is flat already", shape=(120,))
    yield Case("any maps", shape=image(draw))
    yield Case("VGG16, as Keras prints it", shape=(None, 7, 7, 512), hidden=True)
    yield Case("a sequence", shape=(None, 80, 16), hidden=True)
    yield Case("a single number per sample", shape=(None,), hidden=True)
    yield Case("a single number", shape=(), hidden=True)


def without_batch(shape):
    return shape[1:] if shape[:1] == (None,) else shape


@flatten_size.mistake(
    "You multiplied 3 * 3 * 36, as one slide does. The last convolution has 64 filters: 3 * 3 * 64 = 576."
)
def believes_the_slide(shape):
    return 324 if without_batch(shape) == (3, 3, 64) else math.prod(without_batch(shape))


@flatten_size.mistake(
    "You took the first side for the batch where there is no None. (3, 3, 64) is one sample: all sides count."
)
def always_drops_the_first_side(shape):
    return math.prod(shape[1:])


@flatten_size.mistake("You left out the channels. Flatten lays all maps in one row: height * width * channels.")
def flattens_one_map(shape):
    return math.prod(without_batch(shape)[:2])


@flatten_size.mistake("You kept the channels only. That is global pooling; Flatten keeps every number of every map.")
def keeps_one_number_per_map(shape):
    return without_batch(shape)[-1] if without_batch(shape) else 1


@flatten_size.mistake("You added the sides up. Flatten keeps every number: multiply the sides.")
def adds_up_the_sides(shape):
    return sum(without_batch(shape))


@flatten_size.mistake("You flattened the batch too and left its size open: None. Every sample keeps a row of its own.")
def flattens_the_batch(shape):
    return None if shape[:1] == (None,) else math.prod(shape)


@flatten_size.keras_twin
def flatten_size_in_keras(keras, shape):
    return keras.layers.Flatten().compute_output_shape((None, *without_batch(shape)))[1]


# --- parameters -----------------------------------------------------------------------------------------------------


def built(layer, *input_shape):
    """How many parameters a Keras layer has once it knows its input."""
    layer.build((None, *input_shape))
    return layer.count_params()


dense_params = calculator("dense_params", returns="parameters")


@dense_params.cases
def dense_params_cases(draw):
    yield Case("MNIST's hidden layer", d_in=784, units=512)
    yield Case("MNIST's last layer", d_in=512, units=10)
    yield Case("the convnet without pooling", d_in=30976, units=512)
    yield Case("more units than inputs", d_in=13, units=64)
    yield Case("any layer", d_in=some(draw, 3, 50), units=some(draw, 60, 90))
    yield Case("one unit: a perceptron", d_in=16, units=1, hidden=True)
    yield Case("one input", d_in=1, units=7, hidden=True)
    yield Case("as many units as inputs", d_in=64, units=64, hidden=True)


@dense_params.mistake("You left out the biases. Every unit has one: d_in * units + units.")
def forgets_the_biases(d_in, units):
    return d_in * units


@dense_params.mistake(
    "You gave every input a bias: d_in * (units + 1), as one slide does with 30,976 * (512 + 1). A bias belongs to a "
    "unit: 30,976 * 512 + 512 = 15,860,224."
)
def counts_a_bias_per_input(d_in, units):
    return d_in * (units + 1)


@dense_params.mistake("You gave every weight a bias. There is one per unit: d_in * units + units.")
def counts_a_bias_per_weight(d_in, units):
    return 2 * d_in * units


@dense_params.mistake("You counted one bias for the whole layer. Every unit has its own: d_in * units + units.")
def counts_one_bias(d_in, units):
    return d_in * units + 1


@dense_params.mistake("You added inputs and units. Every unit has a weight for every input: multiply.")
def adds_inputs_and_units(d_in, units):
    return d_in + units


@dense_params.mistake("You counted the biases of the inputs. They belong to the units: d_in * units + units.")
def counts_biases_on_both_sides(d_in, units):
    return (d_in + 1) * (units + 1)


@dense_params.mistake(
    "36928 * 512 takes the parameters of the convolution before for its outputs. What goes into the dense layer are "
    "its 22 * 22 * 64 = 30,976 activations: 30,976 * 512 + 512 = 15,860,224."
)
def believes_the_other_slide(d_in, units):
    return 36928 * 512 if (d_in, units) == (30976, 512) else d_in * units + units


@dense_params.keras_twin
def dense_params_in_keras(keras, d_in, units):
    return built(keras.layers.Dense(units, kernel_initializer="zeros"), d_in)


conv2d_params = calculator("conv2d_params", returns="parameters")


@conv2d_params.cases
def conv2d_params_cases(draw):
    yield Case("MNIST's first convolution", kh=3, kw=3, c_in=1, filters=32)
    yield Case("its second", kh=3, kw=3, c_in=32, filters=64)
    yield Case("its third", kh=3, kw=3, c_in=64, filters=64)
    yield Case("the first of the exercise on 32 * 32 * 3", kh=5, kw=5, c_in=3, filters=8)
    yield Case("a kernel that is not square", kh=2, kw=7, c_in=3, filters=5)
    yield Case("any convolution", kh=some(draw, 2, 5), kw=some(draw, 5, 9), c_in=some(draw, 10, 20), filters=6)
    yield Case("1 * 1 kernels", kh=1, kw=1, c_in=256, filters=64, hidden=True)
    yield Case("one filter", kh=3, kw=5, c_in=7, filters=1, hidden=True)


@conv2d_params.mistake("You left out the biases. Every filter has one: (kh * kw * c_in + 1) * filters.")
def forgets_the_filters_biases(kh, kw, c_in, filters):
    return kh * kw * c_in * filters


@conv2d_params.mistake("You left out the channels. A filter is as deep as its input: kh * kw * c_in weights.")
def forgets_the_depth(kh, kw, c_in, filters):
    return (kh * kw + 1) * filters


@conv2d_params.mistake("You gave a filter a bias per channel. It has a single one: (kh * kw * c_in + 1) * filters.")
def counts_a_bias_per_channel(kh, kw, c_in, filters):
    return (kh * kw + 1) * c_in * filters


@conv2d_params.mistake("You gave every weight a bias. There is one per filter: (kh * kw * c_in + 1) * filters.")
def counts_a_bias_per_kernel_weight(kh, kw, c_in, filters):
    return 2 * kh * kw * c_in * filters


@conv2d_params.mistake("You counted one bias for the whole layer. Every filter has its own.")
def counts_one_bias_for_all_filters(kh, kw, c_in, filters):
    return kh * kw * c_in * filters + 1


@conv2d_params.mistake("You counted a bias per input channel. There is one per filter, per channel that comes out.")
def counts_biases_of_the_input(kh, kw, c_in, filters):
    return kh * kw * c_in * filters + c_in


@conv2d_params.mistake("You counted a single filter. There are `filters` of them.")
def counts_a_single_filter(kh, kw, c_in, filters):
    return kh * kw * c_in + 1


@conv2d_params.mistake("You took the kernel for square. It has kh * kw pixels.")
def squares_the_kernel(kh, kw, c_in, filters):
    return (kh * kh * c_in + 1) * filters


@conv2d_params.mistake("You added the kernel's sides. It has kh * kw pixels.")
def adds_the_kernels_sides(kh, kw, c_in, filters):
    return ((kh + kw) * c_in + 1) * filters


@conv2d_params.keras_twin
def conv2d_params_in_keras(keras, kh, kw, c_in, filters):
    return built(keras.layers.Conv2D(filters, (kh, kw)), 32, 32, c_in)


batchnorm_params = calculator("batchnorm_params", returns="parameters")


@batchnorm_params.cases
def batchnorm_params_cases(draw):
    yield Case("64 channels", c=64)
    yield Case("one feature", c=1)
    yield Case("any number of channels", c=some(draw, 5, 500))
    yield Case("a dense layer of 10 units", c=10, hidden=True)


@batchnorm_params.mistake(
    "You counted what learns: gamma and beta. The moving mean and variance are stored too: 4 * c."
)
def counts_the_trainable_only(c):
    return 2 * c


@batchnorm_params.mistake("You counted one number of each kind for the whole layer. Every channel has its own four.")
def counts_one_of_each(c):
    return 4


@batchnorm_params.mistake("You left out one of the four: gamma, beta, moving mean, moving variance.")
def counts_three(c):
    return 3 * c


@batchnorm_params.mistake(
    "You counted nothing. It is no mere rescaling: gamma and beta learn, two statistics are kept."
)
def counts_no_parameters(c):
    return 0


@batchnorm_params.mistake("You counted it as a dense layer. No channel looks at another: four numbers for each.")
def counts_a_dense_layer(c):
    return c * c + c


@batchnorm_params.keras_twin
def batchnorm_params_in_keras(keras, c):
    return built(keras.layers.BatchNormalization(), 5, c)


embedding_params = calculator("embedding_params", returns="parameters")


@embedding_params.cases
def embedding_params_cases(draw):
    yield Case("10000 words, 16 numbers each", vocabulary=10000, d=16)
    yield Case("a small one", vocabulary=7, d=3)
    yield Case("any vocabulary", vocabulary=some(draw, 500, 5000), d=some(draw, 4, 300))
    yield Case("one number per word", vocabulary=50, d=1, hidden=True)


@embedding_params.mistake(
    "You added d numbers: biases, or a row for the padding. An embedding is a table to look up without a bias, and the "
    "padding's id is one of the vocabulary's: vocabulary * d."
)
def adds_biases(vocabulary, d):
    return vocabulary * d + d


@embedding_params.mistake("You gave every word a bias. An embedding is a table to look up: vocabulary * d.")
def adds_a_bias_per_word(vocabulary, d):
    return vocabulary * (d + 1)


@embedding_params.mistake("You added the sides. Every word has d numbers of its own: multiply.")
def adds_vocabulary_and_d(vocabulary, d):
    return vocabulary + d


@embedding_params.mistake("You counted one row. Every word of the vocabulary has its own.")
def counts_one_word(vocabulary, d):
    return d


@embedding_params.keras_twin
def embedding_params_in_keras(keras, vocabulary, d):
    return built(keras.layers.Embedding(vocabulary, d), 80)


simple_rnn_params = calculator("simple_rnn_params", returns="parameters")


def recurrent_cases(draw):
    yield Case("32 features, 16 units", d_in=32, units=16)
    yield Case("more units than features", d_in=3, units=10)
    yield Case("as many units as features", d_in=32, units=32)
    yield Case("any layer", d_in=some(draw, 5, 30), units=some(draw, 40, 90))
    yield Case("one unit", d_in=9, units=1, hidden=True)
    yield Case("one feature", d_in=1, units=6, hidden=True)


simple_rnn_params.cases(recurrent_cases)


@simple_rnn_params.mistake(
    "You counted a dense layer. A unit also looks at the last state: units * units more weights."
)
def forgets_the_state(d_in, units):
    return d_in * units + units


@simple_rnn_params.mistake("You let each unit see its own last state only. It sees all of them: units * units weights.")
def lets_units_see_themselves_only(d_in, units):
    return d_in * units + units + units


@simple_rnn_params.mistake("You left out the biases. Every unit has one.")
def forgets_the_recurrent_biases(d_in, units):
    return units * (d_in + units)


@simple_rnn_params.mistake("You counted a bias for the state too, as for a GRU. A simple RNN has one per unit.")
def counts_two_biases(d_in, units):
    return units * (d_in + units + 2)


@simple_rnn_params.mistake(
    "You made the state as large as the input. It has one number per unit: units * units weights."
)
def makes_the_state_as_large_as_the_input(d_in, units):
    return 2 * d_in * units + units


@simple_rnn_params.mistake("You left out the input's weights. A unit looks at the input and at the last state.")
def forgets_the_input(d_in, units):
    return units * units + units


@simple_rnn_params.keras_twin
def simple_rnn_params_in_keras(keras, d_in, units):
    return built(keras.layers.SimpleRNN(units), 5, d_in)


lstm_params = calculator("lstm_params", returns="parameters", requires=("simple_rnn_params",))
lstm_params.cases(recurrent_cases)


def gates(number, d_in, units, biases=1):
    return number * (units * (d_in + units) + biases * units)


@lstm_params.mistake("You counted one gate. An LSTM has three, and the new content: four times a simple RNN.")
def counts_one_gate(d_in, units):
    return gates(1, d_in, units)


@lstm_params.mistake("You counted the three gates. The new content of the cell has weights as well: four.")
def counts_the_gates_only(d_in, units):
    return gates(3, d_in, units)


@lstm_params.mistake("You left out the biases. Each of the four has one per unit.")
def forgets_the_gates_biases(d_in, units):
    return gates(4, d_in, units, biases=0)


@lstm_params.mistake("You counted one bias for all four. Each of them has its own.")
def shares_one_bias(d_in, units):
    return gates(4, d_in, units, biases=0) + units


@lstm_params.mistake("You counted two biases, as some libraries have it. Keras's LSTM has one per unit and gate.")
def counts_two_biases_per_gate(d_in, units):
    return gates(4, d_in, units, biases=2)


@lstm_params.mistake("You left out the state. Each of the four looks at the input and at the last state.")
def gates_see_the_input_only(d_in, units):
    return 4 * (d_in * units + units)


@lstm_params.mistake("You let the gates see the cell too. In Keras they see the input and the last state only.")
def lets_gates_see_the_cell(d_in, units):
    return gates(4, d_in, units) + 3 * units


@lstm_params.keras_twin
def lstm_params_in_keras(keras, d_in, units):
    return built(keras.layers.LSTM(units), 5, d_in)


gru_params = calculator("gru_params", returns="parameters", requires=("simple_rnn_params",))
gru_params.cases(recurrent_cases)


@gru_params.mistake("You left out the second bias. Keras's GRU (reset_after=True) has one for the state's product too.")
def forgets_the_second_bias(d_in, units):
    return gates(3, d_in, units)


@gru_params.mistake("You left out the biases. Keras's GRU has two per unit, for each of the three.")
def forgets_both_biases(d_in, units):
    return gates(3, d_in, units, biases=0)


@gru_params.mistake("You counted an LSTM's four. A GRU has two gates and the new content: three.")
def counts_four(d_in, units):
    return gates(4, d_in, units, biases=2)


@gru_params.mistake("You counted the two gates. The new content has weights as well: three.")
def counts_two(d_in, units):
    return gates(2, d_in, units, biases=2)


@gru_params.mistake("You counted the second bias once. Each of the three has its own.")
def counts_the_second_bias_once(d_in, units):
    return gates(3, d_in, units) + units


@gru_params.mistake("You left out the state. Each of the three looks at the input and at the last state.")
def three_see_the_input_only(d_in, units):
    return 3 * (d_in * units + 2 * units)


@gru_params.mistake("You counted one gate. A GRU has two, and the new content: three times.")
def counts_one_of_three(d_in, units):
    return gates(1, d_in, units, biases=2)


@gru_params.keras_twin
def gru_params_in_keras(keras, d_in, units):
    return built(keras.layers.GRU(units), 5, d_in)


# --- one layer ------------------------------------------------------------------------------------------------------

KERAS_NAMES = {
    "conv2d": "Conv2D",
    "max_pooling2d": "MaxPooling2D",
    "average_pooling2d": "AveragePooling2D",
    "global_average_pooling2d": "GlobalAveragePooling2D",
    "flatten": "Flatten",
    "dense": "Dense",
    "embedding": "Embedding",
    "simple_rnn": "SimpleRNN",
    "lstm": "LSTM",
    "gru": "GRU",
    "batch_normalization": "BatchNormalization",
    "dropout": "Dropout",
    "activation": "Activation",
}
RECURRENT = ("simple_rnn", "lstm", "gru")


def in_keras(keras, layer):
    """The Keras layer; a large one would only lose time with drawing weights."""
    kind, settings = layer
    quick = {"kernel_initializer": "zeros"} if kind in ("conv2d", "dense") else {}
    return getattr(keras.layers, KERAS_NAMES[kind])(**settings, **quick)


def conv(filters, side, **settings):
    return ("conv2d", {"filters": filters, "kernel_size": (side, side), **settings})


def pool(side=2, **settings):
    return ("max_pooling2d", {"pool_size": (side, side), **settings})


def dense(units, **settings):
    return ("dense", {"units": units, **settings})


def plain(kind, **settings):
    return (kind, settings)


def layer_cases(draw):
    """A layer of each kind, with and without its optional settings, on shapes of which no two sides are equal."""

    def case(rationale, input_shape, layer, **flags):
        return Case(rationale, **flags, input_shape=input_shape, layer=layer)

    yield case("a convolution", (28, 28, 1), conv(32, 3))
    yield case("a convolution that keeps the size", (14, 20, 8), conv(16, 5, padding="same", activation="relu"))
    ragged = {"filters": 7, "kernel_size": (2, 5), "strides": (3, 2)}
    yield case("kernels and steps that are not square", (21, 34, 3), ("conv2d", ragged))
    yield case("max-pooling", (11, 11, 64), pool())
    yield case("max-pooling with steps of its own, padded", (12, 17, 4), pool(3, strides=(1, 2), padding="same"))
    yield case("average pooling", (13, 22, 5), ("average_pooling2d", {"pool_size": (2, 3)}))
    yield case("global average pooling", (7, 9, 512), plain("global_average_pooling2d"))
    yield case("flatten", (3, 3, 64), plain("flatten"))
    yield case("a dense layer", (576,), dense(64, activation="relu"))
    yield case("a dense layer on every step of a sequence", (12, 8), dense(5))
    yield case("an embedding", (80,), plain("embedding", input_dim=1000, output_dim=16))
    yield case("a simple RNN: its last state", (80, 32), plain("simple_rnn", units=16))
    yield case("an LSTM: all of its states", (80, 16), plain("lstm", units=24, return_sequences=True))
    yield case("a GRU: its last state, spelled out", (30, 12), plain("gru", units=9, return_sequences=False))
    yield case("batch normalization of an image", (13, 15, 32), plain("batch_normalization"))
    yield case("dropout", (6, 64), plain("dropout", rate=0.5))
    yield case("an activation of its own", (6, 4, 10), plain("activation", activation="relu"))
    wanted = {"filters": some(draw, 10, 20), "kernel_size": (4, 3), "strides": (2, 2), "padding": "same"}
    yield case("any convolution", image(draw), ("conv2d", wanted))
    yield case("any dense layer", (some(draw, 20, 40),), dense(some(draw, 50, 70)))
    yield case("average pooling, padded", (13, 22, 5), ("average_pooling2d", {"pool_size": (2, 3), "padding": "same"}))
    yield case("batch normalization of a vector", (48,), plain("batch_normalization"), hidden=True)
    yield case(
        "a simple RNN: all of its states", (7, 3), plain("simple_rnn", units=4, return_sequences=True), hidden=True
    )
    yield case("an LSTM: its last state", (7, 3), plain("lstm", units=4), hidden=True)
    yield case("a GRU: all of its states", (7, 3), plain("gru", units=4, return_sequences=True), hidden=True)
    yield case("dropout of a vector", (9,), plain("dropout", rate=0.2), hidden=True)
    yield case("flatten a sequence", (9, 4), plain("flatten"), hidden=True)


def shape_after(input_shape, layer, **wrong):
    """The right shape; `wrong` has a function of (input_shape, settings) for the kinds that are to go wrong."""
    kind, settings = layer
    right = {
        "conv2d": lambda shape, settings: convolved(
            shape, settings["kernel_size"], settings["filters"], settings.get("strides", (1, 1)), padding_of(settings)
        ),
        "max_pooling2d": pool_after,
        "average_pooling2d": pool_after,
        "global_average_pooling2d": lambda shape, settings: shape[2:],
        "flatten": lambda shape, settings: (math.prod(shape),),
        "dense": lambda shape, settings: (*shape[:-1], settings["units"]),
        "embedding": lambda shape, settings: (*shape, settings["output_dim"]),
        **dict.fromkeys(RECURRENT, recurrent_after),
    }
    return (right | wrong).get(kind, lambda shape, settings: shape)(input_shape, settings)


def padding_of(settings):
    return settings.get("padding", "valid")


def pool_after(shape, settings, default=None):
    strides = settings.get("strides", default or settings["pool_size"])
    return pooled(shape, settings["pool_size"], strides, padding_of(settings))


def recurrent_after(shape, settings):
    return (*shape[:1], settings["units"]) if settings.get("return_sequences") else (settings["units"],)


layer_output_shape = calculator(
    "layer_output_shape",
    points=2,
    returns="shape",
    requires=("conv2d_output_shape", "pool2d_output_shape", "flatten_size"),
)
layer_output_shape.cases(layer_cases)


@layer_output_shape.mistake("You pooled with stride 1 by default. Without strides the windows lie side by side.")
def pools_step_by_step(input_shape, layer):
    def step_by_step(shape, settings):
        return pool_after(shape, settings, default=(1, 1))

    return shape_after(input_shape, layer, max_pooling2d=step_by_step, average_pooling2d=step_by_step)


@layer_output_shape.mistake("You returned a number for flatten. A shape is a tuple, also with one side: (576,).")
def forgets_the_comma(input_shape, layer):
    return shape_after(input_shape, layer, flatten=lambda shape, settings: math.prod(shape))


@layer_output_shape.mistake(
    "You wrote a dense layer's shape as (120, 0), as one slide does: that holds nothing. It is (120,), or (120, 1) as "
    "a column."
)
def adds_a_side_of_zero(input_shape, layer):
    return shape_after(input_shape, layer, dense=lambda shape, settings: (settings["units"], 0))


@layer_output_shape.mistake(
    "You wrote a dense layer's shape as a column, (120, 1). Keras's vectors have one side: (120,)."
)
def writes_a_column(input_shape, layer):
    return shape_after(input_shape, layer, dense=lambda shape, settings: (settings["units"], 1))


@layer_output_shape.mistake("You let the dense layer swallow the sequence. It replaces the last side: (steps, units).")
def flattens_before_dense(input_shape, layer):
    return shape_after(input_shape, layer, dense=lambda shape, settings: (settings["units"],))


@layer_output_shape.mistake("You returned all states always. Only return_sequences=True does; the default is the last.")
def always_returns_sequences(input_shape, layer):
    whole = {kind: lambda shape, settings: (shape[0], settings["units"]) for kind in RECURRENT}
    return shape_after(input_shape, layer, **whole)


@layer_output_shape.mistake(
    "You left out return_sequences. With it the layer puts out a state per step: (steps, units)."
)
def never_returns_sequences(input_shape, layer):
    return shape_after(input_shape, layer, **{kind: lambda shape, settings: (settings["units"],) for kind in RECURRENT})


@layer_output_shape.mistake("You replaced the text by one vector. Every word gets its own: (steps, output_dim).")
def embeds_the_text_as_one(input_shape, layer):
    return shape_after(input_shape, layer, embedding=lambda shape, settings: (settings["output_dim"],))


@layer_output_shape.mistake("You took input_dim, the vocabulary, for the vectors' size. That is output_dim.")
def embeds_into_the_vocabulary(input_shape, layer):
    return shape_after(input_shape, layer, embedding=lambda shape, settings: (*shape, settings["input_dim"]))


@layer_output_shape.mistake("You kept sides of 1 for global pooling. It leaves one number per channel: (c,).")
def keeps_sides_of_one(input_shape, layer):
    return shape_after(
        input_shape, layer, global_average_pooling2d=lambda shape, settings: (*(1 for _ in shape[:-1]), shape[-1])
    )


@layer_output_shape.mistake("You let dropout shrink the layer. It only sets numbers to zero: the shape stays.")
def shrinks_by_dropout(input_shape, layer):
    return shape_after(
        input_shape,
        layer,
        dropout=lambda shape, settings: (*shape[:-1], int(shape[-1] * (1 - settings["rate"]))),
    )


@layer_output_shape.mistake(
    "You kept the channels of the convolution's input. Every filter makes one: filters come out."
)
def keeps_the_inputs_channels(input_shape, layer):
    if layer[0] != "conv2d":
        return shape_after(input_shape, layer)
    return (*shape_after(input_shape, layer)[:2], input_shape[2])


@layer_output_shape.mistake('You left out the padding setting. "same" keeps ceil(n / s) places.')
def ignores_the_padding_setting(input_shape, layer):
    kind, settings = layer
    return shape_after(input_shape, (kind, {**settings, "padding": "valid"}))


@layer_output_shape.mistake("You left out the strides setting. Where it is given, it says how far the window moves.")
def ignores_the_strides_setting(input_shape, layer):
    kind, settings = layer
    return shape_after(input_shape, (kind, {key: value for key, value in settings.items() if key != "strides"}))


@layer_output_shape.mistake("You put the batch in front. Here shapes are those of one sample, without Keras's None.")
def puts_the_batch_in_front(input_shape, layer):
    return (None, *shape_after(input_shape, layer))


@layer_output_shape.keras_twin
def layer_output_shape_in_keras(keras, input_shape, layer):
    sample = keras.module.KerasTensor((None, *input_shape))
    return tuple(in_keras(keras, layer)(sample).shape[1:])


layer_params = calculator(
    "layer_params",
    points=2,
    returns="parameters",
    requires=(
        "embedding_params",
        "conv2d_params",
        "dense_params",
        "batchnorm_params",
        "simple_rnn_params",
        "lstm_params",
        "gru_params",
    ),
)
layer_params.cases(layer_cases)


def params_of(input_shape, layer, **wrong):
    """The right number; `wrong` has a function of (input_shape, settings) for the kinds that are to go wrong."""
    kind, settings = layer
    right = {
        "conv2d": lambda shape, settings: (math.prod(settings["kernel_size"]) * shape[-1] + 1) * settings["filters"],
        "dense": lambda shape, settings: (shape[-1] + 1) * settings["units"],
        "embedding": lambda shape, settings: settings["input_dim"] * settings["output_dim"],
        "batch_normalization": lambda shape, settings: 4 * shape[-1],
        "simple_rnn": lambda shape, settings: gates(1, shape[-1], settings["units"]),
        "lstm": lambda shape, settings: gates(4, shape[-1], settings["units"]),
        "gru": lambda shape, settings: gates(3, shape[-1], settings["units"], biases=2),
    }
    return (right | wrong).get(kind, lambda shape, settings: 0)(input_shape, settings)


@layer_params.mistake("You gave pooling parameters. It takes a maximum or a mean: nothing to learn, 0.")
def gives_pooling_parameters(input_shape, layer):
    def window(shape, settings):
        return (math.prod(settings["pool_size"]) + 1) * shape[-1]

    return params_of(input_shape, layer, max_pooling2d=window, average_pooling2d=window)


@layer_params.mistake("You gave flatten parameters. It only lays the numbers in a row: 0.")
def gives_flatten_parameters(input_shape, layer):
    return params_of(input_shape, layer, flatten=lambda shape, settings: math.prod(shape))


@layer_params.mistake("You counted a convolution's weights once per place. All places share the filters.")
def counts_every_place(input_shape, layer):
    if layer[0] != "conv2d":
        return params_of(input_shape, layer)
    return params_of(input_shape, layer) * math.prod(shape_after(input_shape, layer)[:2])


@layer_params.mistake("You connected a dense layer with the whole sequence. It treats each step alike: d inputs.")
def connects_the_whole_sequence(input_shape, layer):
    return params_of(input_shape, layer, dense=lambda shape, settings: (math.prod(shape) + 1) * settings["units"])


@layer_params.mistake("You took the first side for the inputs. Features and channels are the last side.")
def looks_at_the_first_side(input_shape, layer):
    return params_of(input_shape[::-1], layer)


@layer_params.mistake("You counted gamma and beta only. The moving statistics are parameters too: 4 per channel.")
def leaves_out_moving_statistics(input_shape, layer):
    return params_of(input_shape, layer, batch_normalization=lambda shape, settings: 2 * shape[-1])


@layer_params.mistake("You counted batch normalization per pixel. All pixels of a channel share its four numbers.")
def normalizes_every_pixel(input_shape, layer):
    return params_of(input_shape, layer, batch_normalization=lambda shape, settings: 4 * math.prod(shape))


@layer_params.mistake("You gave every position of the text its own table. All words are looked up in the same one.")
def embeds_every_position(input_shape, layer):
    return params_of(
        input_shape,
        layer,
        embedding=lambda shape, settings: shape[0] * settings["input_dim"] * settings["output_dim"],
    )


@layer_params.mistake("You gave every time step its own weights. All steps share them.")
def unrolls_the_weights(input_shape, layer):
    return params_of(input_shape, layer) * (input_shape[0] if layer[0] in RECURRENT else 1)


@layer_params.mistake(
    "You counted all recurrent layers as simple RNNs. An LSTM has 4 of them, a GRU 3 and more biases."
)
def counts_all_as_simple(input_shape, layer):
    simple = {kind: lambda shape, settings: gates(1, shape[-1], settings["units"]) for kind in RECURRENT}
    return params_of(input_shape, layer, **simple)


@layer_params.mistake("You let dropout delete weights. It only sets activations to zero while training: 0 parameters.")
def counts_dropout_as_negative(input_shape, layer):
    return params_of(input_shape, layer, dropout=lambda shape, settings: -int(math.prod(shape) * settings["rate"]))


@layer_params.mistake("You left the convolution's channels out. A filter is as deep as its input.")
def leaves_out_the_depth(input_shape, layer):
    return params_of(
        input_shape,
        layer,
        conv2d=lambda shape, settings: (math.prod(settings["kernel_size"]) + 1) * settings["filters"],
    )


@layer_params.keras_twin
def layer_params_in_keras(keras, input_shape, layer):
    native = in_keras(keras, layer)
    native(keras.module.KerasTensor((None, *input_shape)))
    return native.count_params()


# --- whole networks -------------------------------------------------------------------------------------------------

network_summary = calculator(
    "network_summary",
    points=3,
    returns=("rows", "total", "trainable"),
    requires=("layer_output_shape", "layer_params", "activation_size"),
)

FLATTEN = plain("flatten")
UNPOOLED = (conv(32, 3), conv(64, 3), conv(64, 3))
TABLE = (pool(), conv(16, 5), pool(), FLATTEN, dense(120), dense(84), dense(10))
VGG16_BASE = tuple(
    layer
    for filters, convolutions in ((64, 2), (128, 2), (256, 3), (512, 3), (512, 3))
    for layer in (*(conv(filters, 3, padding="same") for _ in range(convolutions)), pool())
)


def frozen(layers):
    return tuple((kind, {**settings, "trainable": False}) for kind, settings in layers)


@network_summary.cases
def network_summary_cases(draw):
    def case(rationale, input_shape, *layers, **flags):
        return Case(rationale, **flags, input_shape=input_shape, layers=layers)

    yield case("two dense layers, the second one frozen", (4,), dense(3), dense(2, trainable=False))
    yield case("MNIST with dense layers: 407,050", (784,), dense(512), dense(10))
    yield case("the lecture's table for 28 * 28 * 1: 62,430", (28, 28, 1), conv(8, 3, padding="same"), *TABLE)
    yield case("the exercise's table for 32 * 32 * 3: 62,958", (32, 32, 3), conv(8, 5), *TABLE)
    first, second, third = UNPOOLED
    yield case(
        "the MNIST convnet: 93,322", (28, 28, 1), first, pool(), second, pool(), third, FLATTEN, dense(64), dense(10)
    )
    yield case("a dense layer without pooling before it", (28, 28, 1), *UNPOOLED, FLATTEN, dense(512))
    yield case("VGG16 as a frozen base", (150, 150, 3), *frozen(VGG16_BASE), FLATTEN, dense(256), dense(1))
    normalization = plain("batch_normalization")
    yield case(
        "batch normalization, global pooling and dropout",
        (17, 23, 3),
        conv(6, 3, strides=(2, 2)),
        normalization,
        plain("activation", activation="relu"),
        conv(9, 3, trainable=False),
        plain("batch_normalization", trainable=False),
        plain("average_pooling2d", pool_size=(2, 2)),
        plain("global_average_pooling2d"),
        plain("dropout", rate=0.5),
        dense(5, trainable=True),
    )
    yield case(
        "words through an embedding and an LSTM",
        (80,),
        plain("embedding", input_dim=1000, output_dim=16),
        plain("lstm", units=24, return_sequences=True),
        plain("gru", units=10),
        dense(1, activation="sigmoid"),
    )
    units = some(draw, 5, 9), some(draw, 10, 14)
    yield case("any network", image(draw), conv(units[0], 3), pool(), normalization, FLATTEN, dense(units[1]), dense(2))
    yield case("no layers at all", (5, 3), hidden=True)
    yield case("all of it frozen", (6,), *frozen((dense(4), normalization, dense(2))), hidden=True)
    yield case(
        "a simple RNN, its steps flattened",
        (12, 7),
        plain("simple_rnn", units=5, return_sequences=True),
        dense(3),
        FLATTEN,
        dense(2),
        hidden=True,
    )


def names_of(layers):
    kinds = [kind for kind, _ in layers]
    earlier = [kinds[:i].count(kind) for i, kind in enumerate(kinds)]
    return [f"{kind}_{number}" if number else kind for kind, number in zip(kinds, earlier, strict=True)]


def walk(input_shape, layers, params=params_of, shape=shape_after, learns=None):
    """(rows, total, trainable), by other ideas of a layer's parameters, its shape, or of what learns."""
    rows, learning = [("input", input_shape, math.prod(input_shape), 0)], 0
    current = input_shape
    for name, layer in zip(names_of(layers), layers, strict=True):
        count = params(current, layer)
        learning += (learns or learning_params)(layer, count)
        current = shape(current, layer)
        rows.append((name, current, math.prod(current), count))
    return rows, sum(row[3] for row in rows), learning


def learning_params(layer, count):
    kind, settings = layer
    if not settings.get("trainable", True):
        return 0
    return count // 2 if kind == "batch_normalization" else count


@network_summary.mistake("You counted frozen layers as trainable. No gradient changes them: leave them out there.")
def trains_the_frozen(input_shape, layers):
    return walk(input_shape, layers, learns=lambda layer, count: learning_params((layer[0], {}), count))


@network_summary.mistake("You left frozen layers out of the total. Freezing makes a network no smaller.")
def leaves_the_frozen_out(input_shape, layers):
    rows, _, _ = walk(input_shape, layers)
    total = sum(row[3] for row, layer in zip(rows[1:], layers, strict=True) if layer[1].get("trainable", True))
    return rows, total, walk(input_shape, layers)[2]


@network_summary.mistake(
    "You counted all four numbers of a batch normalization as trainable. The moving mean and variance are not: half."
)
def trains_moving_statistics(input_shape, layers):
    return walk(input_shape, layers, learns=lambda layer, count: count if layer[1].get("trainable", True) else 0)


@network_summary.mistake(
    "You counted everything as trainable. Frozen layers are not, and of a batch normalization only half is."
)
def trains_everything(input_shape, layers):
    rows, total, _ = walk(input_shape, layers)
    return rows, total, total


@network_summary.mistake('You froze all layers behind a frozen one. "trainable": False holds for its own layer only.')
def freezes_what_follows(input_shape, layers):
    first = next((i for i, (_, settings) in enumerate(layers) if not settings.get("trainable", True)), len(layers))
    return walk(input_shape, (*layers[:first], *frozen(layers[first:])))


@network_summary.mistake(
    "You took the parameters of the layer before for its outputs: 36928 * 512, as one slide does. A dense layer has a "
    "weight for each activation that goes in: 22 * 22 * 64 = 30,976 of them, so 30,976 * 512 + 512 = 15,860,224."
)
def feeds_parameters_to_dense(input_shape, layers):
    before = [0]

    def params(shape, layer):
        right = params_of(shape, layer)
        if layer[0] == "dense" and before[-1]:
            right = before[-1] * layer[1]["units"]
        if right:
            before.append(right)
        return right

    return walk(input_shape, layers, params=params)


@network_summary.mistake(
    "You gave every input of a dense layer a bias: 30,976 * (512 + 1), as one slide does. There is one per unit: "
    "30,976 * 512 + 512 = 15,860,224."
)
def biases_the_inputs(input_shape, layers):
    def per_input(shape, settings):
        return shape[-1] * (settings["units"] + 1)

    return walk(input_shape, layers, params=lambda shape, layer: params_of(shape, layer, dense=per_input))


@network_summary.mistake(
    "You gave dense layers the shape (120, 0), as one slide does: its size would be 0. It is (120, 1), and in Keras "
    "(120,): 120 numbers."
)
def leaves_dense_layers_empty(input_shape, layers):
    rows, total, trainable = walk(input_shape, layers)
    kinds = ["input", *(kind for kind, _ in layers)]
    slide = [
        (name, (shape[-1], 0), 0, params) if kind == "dense" else (name, shape, size, params)
        for kind, (name, shape, size, params) in zip(kinds, rows, strict=True)
    ]
    return slide, total, trainable


@network_summary.mistake("You showed the shape that goes into a layer. A row tells what comes out of it.")
def shows_what_goes_in(input_shape, layers):
    rows, total, trainable = walk(input_shape, layers)
    shifted = [(row[0], *before[1:3], row[3]) for before, row in itertools.pairwise(rows)]
    return [rows[0], *shifted], total, trainable


@network_summary.mistake("You counted with the shape that comes out. A layer's weights look at what goes in.")
def counts_with_the_outputs(input_shape, layers):
    return walk(input_shape, layers, params=lambda shape, layer: params_of(shape_after(shape, layer), layer))


@network_summary.mistake('You left out the input\'s row. The table begins with ("input", input_shape, its size, 0).')
def leaves_the_input_out(input_shape, layers):
    rows, total, trainable = walk(input_shape, layers)
    return rows[1:], total, trainable


@network_summary.mistake("You added the activations to the total. Only parameters are counted there.")
def adds_the_activations(input_shape, layers):
    rows, total, trainable = walk(input_shape, layers)
    return rows, total + sum(row[2] for row in rows), trainable


@network_summary.mistake("You returned trainable before total. It is rows, total, trainable.")
def swaps_the_totals(input_shape, layers):
    rows, total, trainable = walk(input_shape, layers)
    return rows, trainable, total


@network_summary.mistake("You returned what is frozen. The third answer is what can be trained.")
def returns_the_frozen(input_shape, layers):
    rows, total, trainable = walk(input_shape, layers)
    return rows, total, total - trainable


@network_summary.mistake("You called layers by their kind alone. layer_names numbers those that occur again.")
def does_not_number_the_layers(input_shape, layers):
    rows, total, trainable = walk(input_shape, layers)
    kinds = ["input", *(kind for kind, _ in layers)]
    return [(kind, *row[1:]) for kind, row in zip(kinds, rows, strict=True)], total, trainable


@network_summary.mistake("You put the batch in front of the shapes. Here they are those of one sample, without None.")
def shows_the_batch(input_shape, layers):
    rows, total, trainable = walk(input_shape, layers)
    return [(name, (None, *shape), size, params) for name, shape, size, params in rows], total, trainable


@network_summary.keras_twin
def network_summary_in_keras(keras, input_shape, layers):
    keras.module.utils.clear_session(free_memory=False)  # its layers' names begin without numbers again
    native = [in_keras(keras, layer) for layer in layers]
    batch = (None, *input_shape)
    rows = [("input", input_shape, math.prod(input_shape), 0)]
    for layer in native:
        layer.build(batch)
        batch = layer.compute_output_shape(batch)
        rows.append((layer.name, batch[1:], math.prod(batch[1:]), layer.count_params()))
    learning = sum(math.prod(weight.shape) for layer in native for weight in layer.trainable_weights)
    return tuple(rows), sum(layer.count_params() for layer in native), learning


classic_network = calculator("classic_network", points=2, returns="network")


def spelled_out(network):
    """A network with all of its defaults: whether a layer says (1, 1) for its strides or nothing is the same to us."""
    if not isinstance(network, (tuple, list)) or len(network) != 2:
        return network  # as it is: comparing tells what it should be
    input_shape, layers = network
    return input_shape, [spell_out(layer) for layer in layers]


def spell_out(layer):
    if not isinstance(layer, (tuple, list)) or len(layer) != 2 or not isinstance(layer[1], dict):
        return layer
    kind, settings = layer
    defaults = {"trainable": True}
    if kind == "conv2d":
        defaults |= {"strides": (1, 1), "padding": "valid"}
    if kind == "max_pooling2d":
        defaults |= {"strides": settings.get("pool_size"), "padding": "valid"}
    return kind, {**defaults, **{key: value for key, value in settings.items() if key not in ("activation", "name")}}


@classic_network.cases
def classic_network_cases(draw):
    for name in CLASSICS:
        hidden = name in ("boston", "vgg16_with_head", "vgg16")
        yield Case(f"the network {name}", hidden=hidden, select=spelled_out, name=name)


HEAD = (FLATTEN, dense(256), dense(1))
BIG_HEAD = (FLATTEN, dense(4096), dense(4096), dense(1000))
SMALL_HEAD = (FLATTEN, dense(64), dense(10))
POOLED = (conv(32, 3), pool(), conv(64, 3), pool(), conv(64, 3))

CLASSICS = {
    "mnist_dense": ((784,), (dense(512), dense(10))),
    "imdb": ((10000,), (dense(16), dense(16), dense(1))),
    "boston": ((13,), (dense(64), dense(64), dense(1))),
    "reuters": ((10000,), (dense(64), dense(64), dense(46))),
    "mnist_convnet_without_pooling": ((28, 28, 1), UNPOOLED),
    "mnist_convnet": ((28, 28, 1), POOLED + SMALL_HEAD),
    "lenet_table": ((28, 28, 1), (conv(8, 3, padding="same"), *TABLE)),
    "exercise_32x32x3": ((32, 32, 3), (conv(8, 5), *TABLE)),
    "vgg16_base": ((150, 150, 3), VGG16_BASE),
    "vgg16_with_head": ((150, 150, 3), VGG16_BASE + HEAD),
    "vgg16_with_head_frozen": ((150, 150, 3), frozen(VGG16_BASE) + HEAD),
    "vgg16": ((224, 224, 3), VGG16_BASE + BIG_HEAD),
}


def classics_with(name, **wrong):
    """The right network but where `wrong` has another one."""
    return (CLASSICS | wrong)[name]


def relayered(name, names, change):
    """The right network, but its layers changed where its name is among `names`."""
    input_shape, layers = CLASSICS[name]
    return (input_shape, tuple(change(layers))) if name in names else (input_shape, layers)


MNIST_CONVNETS = ("mnist_convnet", "mnist_convnet_without_pooling")
VGGS = tuple(name for name in CLASSICS if name.startswith("vgg16"))


@classic_network.mistake(
    "Your MNIST convnet ends in 36 maps, as one slide's 3 * 3 * 36 says. They are 64: 3 * 3 * 64 = 576 features."
)
def ends_in_36_maps(name):
    def change(layers):
        return [conv(36, 3) if layer is layers[4] else layer for layer in layers]

    return relayered(name, ("mnist_convnet",), change)


@classic_network.mistake(
    "You gave the convnet without pooling a dense head. Here it is its three convolutions: 55,744."
)
def gives_the_unpooled_a_head(name):
    return relayered(name, ("mnist_convnet_without_pooling",), lambda layers: layers + SMALL_HEAD)


@classic_network.mistake(
    "You gave the convnet without pooling its huge dense layer. Here it is its three convolutions: 55,744; with the "
    "dense layer of 30,976 * 512 + 512 = 15,860,224 parameters it would be 15,915,968."
)
def gives_the_unpooled_a_huge_layer(name):
    return relayered(name, ("mnist_convnet_without_pooling",), lambda layers: (*layers, FLATTEN, dense(512)))


@classic_network.mistake("You left the pooling out of the MNIST convnet. It comes after the first two convolutions.")
def leaves_pooling_out(name):
    return relayered(name, ("mnist_convnet",), lambda layers: UNPOOLED + SMALL_HEAD)


@classic_network.mistake("You wrote (784), which is the number 784. A shape with one side needs its comma: (784,).")
def forgets_the_comma_of_the_input(name):
    input_shape, layers = CLASSICS[name]
    return (input_shape if len(input_shape) > 1 else input_shape[0]), layers


@classic_network.mistake("You pooled after the last convolution of the MNIST convnet too. There are two poolings.")
def pools_once_more(name):
    return relayered(name, ("mnist_convnet",), lambda layers: (*POOLED, pool(), *SMALL_HEAD))


@classic_network.mistake(
    'The first convolution for 28 * 28 * 1 has the padding "same". Without it 4 * 4 * 16 = 256 features are left.'
)
def leaves_the_padding_out(name):
    return classics_with(name, lenet_table=((28, 28, 1), (conv(8, 3), *TABLE)))


@classic_network.mistake("The first convolution for 28 * 28 * 1 is 3 * 3. It is 5 * 5 in the exercise on 32 * 32 * 3.")
def takes_five_by_five(name):
    return classics_with(name, lenet_table=((28, 28, 1), (conv(8, 5, padding="same"), *TABLE)))


@classic_network.mistake("You took the exercise's image for a grey one. It has 3 channels: 608 parameters, not 208.")
def takes_the_colours_away(name):
    return classics_with(name, exercise_32x32x3=((32, 32, 1), (conv(8, 5), *TABLE)))


@classic_network.mistake("You wrote the number of samples into the shape. It is that of one sample: (13,).")
def counts_the_samples_in(name):
    input_shape, layers = CLASSICS[name]
    samples = {"boston": 404, "mnist_dense": 60000, "imdb": 25000, "reuters": 8982}
    return ((samples[name], *input_shape) if name in samples else input_shape), layers


@classic_network.mistake("You let the images into the dense network as (28, 28). Its pixels come in one row: (784,).")
def lets_the_image_in(name):
    return classics_with(name, mnist_dense=((28, 28), CLASSICS["mnist_dense"][1]))


@classic_network.mistake("You gave Reuters a last layer of 10. It has 46 topics, and one unit for each.")
def gives_reuters_ten_topics(name):
    return relayered(name, ("reuters",), lambda layers: (*layers[:2], dense(10)))


@classic_network.mistake("You gave IMDB two last units. A yes-no question needs one, with a sigmoid.")
def doubles_the_last_unit(name):
    return relayered(name, ("imdb",), lambda layers: (*layers[:2], dense(2)))


@classic_network.mistake('You froze nothing. Every layer of the base needs "trainable": False; 2,097,665 are left.')
def freezes_nothing(name):
    return CLASSICS[name.removesuffix("_frozen")]


@classic_network.mistake("You froze the head too. Then nothing is left to learn: only the base is frozen.")
def freezes_the_head(name):
    return relayered(name, ("vgg16_with_head_frozen",), frozen)


@classic_network.mistake("You froze the base for good. Only vgg16_with_head_frozen has a frozen one.")
def freezes_every_base(name):
    return relayered(name, VGGS, lambda layers: frozen(VGG16_BASE) + tuple(layers[len(VGG16_BASE) :]))


@classic_network.mistake("That is VGG13: two convolutions in each block. VGG16 has three in the last three blocks.")
def builds_vgg13(name):
    def change(layers):
        dropped = (8, 12, 16)
        return [layer for i, layer in enumerate(layers) if i not in dropped]

    return relayered(name, VGGS, change)


@classic_network.mistake('You left out the padding of VGG16\'s convolutions. They are "same": only pooling halves.')
def builds_vgg16_valid(name):
    def change(layers):
        return [(kind, {k: v for k, v in settings.items() if k != "padding"}) for kind, settings in layers]

    return relayered(name, VGGS, change)


@classic_network.mistake("You left out VGG16's last pooling. Every one of the five blocks ends with one.")
def drops_the_last_pooling(name):
    def change(layers):
        last = len(VGG16_BASE) - 1
        return [layer for i, layer in enumerate(layers) if i != last]

    return relayered(name, VGGS, change)


@classic_network.mistake("You gave all of VGG16 images of 224 * 224. The lecture's base sees 150 * 150: 4 * 4 * 512.")
def enlarges_the_images(name):
    input_shape, layers = CLASSICS[name]
    return ((224, 224, 3) if name in VGGS else input_shape), layers


@classic_network.mistake("You left out Flatten. A dense layer would look at the channels of each place alone.")
def leaves_flatten_out(name):
    input_shape, layers = CLASSICS[name]
    return input_shape, tuple(layer for layer in layers if layer[0] != "flatten")

"""Augmentation: cases, known mistakes and Keras twins."""

from __future__ import annotations

from typing import Any

import numpy as np

from grader.draw import Generator
from grader.exercise import Case, Chapter
from grader.tolerance import Tolerance

chapter = Chapter("ch15_augmentation", "Augmentation")

# A float32 place of reading is known to about 1e-5 of a pixel in an image of 70 pixels, and Keras computes places in
# float32. Where neighbours differ by a few times the largest value, a few times that goes into the answer.
PLACES = Tolerance(scaled=5e-5)


# --- images and how the known mistakes move them --------------------------------------------------------------------

NEITHER = (0.0, 0.0)


def pixels_of(images, rows, columns, fill_mode, fill_value):
    """The pixels at these rows and columns, (n, height, width) each, inside or outside."""
    n, height, width, _ = images.shape
    inside_rows, inside_columns = rows.clip(0, height - 1), columns.clip(0, width - 1)
    picked = images[np.arange(n)[:, None, None], inside_rows, inside_columns]
    if fill_mode == "nearest":
        return picked
    inside = (rows == inside_rows) & (columns == inside_columns)
    return np.where(inside[..., None], picked, np.float32(fill_value))


def places_of(images, matrices):
    """Where each pixel is read: x and y, (n, height, width) each."""
    i, j = np.mgrid[: images.shape[1], : images.shape[2]]
    m = np.asarray(matrices, np.float64)[..., None, None]
    return m[:, 0, 0] * j + m[:, 0, 1] * i + m[:, 0, 2], m[:, 1, 0] * j + m[:, 1, 1] * i + m[:, 1, 2]


def read(images, x, y, fill_mode, fill_value, lower=np.floor, pixels=pixels_of, exchanged=False):
    """Bilinear interpolation at these places; by mistake with another lower neighbour, or with exchanged shares."""
    left, top = lower(x).astype(np.int64), lower(y).astype(np.int64)
    right, down = ((place - first).astype(np.float32)[..., None] for place, first in ((x, left), (y, top)))
    if exchanged:
        right, down = down, right
    corners = ((top, left), (top, left + 1), (top + 1, left), (top + 1, left + 1))
    first, second, third, fourth = (pixels(images, *corner, fill_mode, fill_value) for corner in corners)
    upper, under = first + right * (second - first), third + right * (fourth - third)
    return upper + down * (under - upper)


def move(images, matrices, fill_mode, fill_value, **how):
    """What `affine` does."""
    return read(images, *places_of(images, matrices), fill_mode, fill_value, **how)


def move_alike(images, matrix, fill_mode, fill_value, **how):
    """The same for all images."""
    matrices = np.broadcast_to(matrix, (len(images), *np.shape(matrix)))
    return move(images, matrices, fill_mode, fill_value, **how)


def turned(rotation):
    angle = 2 * np.pi * rotation
    return np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])


def sheared(shear):
    return np.array([[1, shear[0]], [shear[1], 1]])


def zoomed(zoom):
    return np.diag([1 + zoom[1], 1 + zoom[0]])


def pixels_to_move(height, width, shift):
    """Right and down, counted in pixels."""
    return np.array([shift[1] * width, shift[0] * height])


def centre_of(height, width):
    return np.array([(width - 1) / 2, (height - 1) / 2])


def about(centre, linear, moved=NEITHER):
    """The matrix that leaves the centre where it is, and then moves the picture."""
    return np.column_stack([linear, centre - linear @ (centre + moved)]).astype(np.float32)


def matrix_of(height, width, rotation=0.0, shear=NEITHER, zoom=NEITHER, shift=NEITHER):
    linear = turned(rotation) @ sheared(shear) @ zoomed(zoom)
    return about(centre_of(height, width), linear, pixels_to_move(height, width, shift))


def moved_by(images, fill_mode, fill_value, **factors):
    """All images changed alike, about their centre."""
    return move_alike(images, matrix_of(*images.shape[1:3], **factors), fill_mode, fill_value)


def moved_about_the_corner(images, linear, fill_mode, fill_value):
    return move_alike(images, about(np.zeros(2), linear), fill_mode, fill_value)


# --- flips ----------------------------------------------------------------------------------------------------------


def flip_cases(draw):
    yield Case("two rows of three pixels", images=draw.array([[1, 2, 3], [4, 5, 6]]).reshape(1, 2, 3, 1))
    yield Case("two images in colour", images=draw.normal(2, 4, 5, 3))
    yield Case("all sides equal: shapes give no hint", images=draw.normal(3, 3, 3, 3))
    yield Case("one row", images=draw.normal(2, 1, 4, 2), hidden=True)
    yield Case("one column", images=draw.normal(2, 4, 1, 2), hidden=True)
    yield Case("an empty batch", images=draw.normal(0, 3, 4, 2), hidden=True)
    yield Case("a batch of 65", images=draw.normal(65, 7, 6, 3), large=True)


def left_and_right(images):
    return images[:, :, ::-1].copy()


def up_and_down(images):
    return images[:, ::-1].copy()


horizontal_flip = chapter.exercise("horizontal_flip", points=0.5, returns="flipped")
horizontal_flip.cases(flip_cases)


@horizontal_flip.mistake(
    "You turned the images upside down. A horizontal flip moves pixels horizontally: reverse the columns, axis 2."
)
def reverses_the_rows(images):
    return up_and_down(images)


@horizontal_flip.mistake("You reversed the channels: red and blue have changed places. Reverse the columns, axis 2.")
def reverses_the_channels(images):
    return images[..., ::-1].copy()


@horizontal_flip.mistake("You turned the images by 180 degrees. A mirror leaves the rows where they are.")
def turns_by_half(images):
    return images[:, ::-1, ::-1].copy()


@horizontal_flip.mistake("You reversed the order of the images. Each image is mirrored in itself: axis 2, not axis 0.")
def reverses_the_batch(images):
    return images[::-1].copy()


@horizontal_flip.mistake("You exchanged rows and columns. A mirror leaves every pixel in its row.")
def transposes_the_images(images):
    return images.transpose(0, 2, 1, 3).copy()


@horizontal_flip.keras_twin
def horizontal_flip_in_keras(keras, images):
    return keras.ops.flip(images, axis=2)


vertical_flip = chapter.exercise("vertical_flip", points=0.5, returns="flipped")
vertical_flip.cases(flip_cases)


@vertical_flip.mistake(
    "You mirrored left and right. A vertical flip moves pixels vertically: reverse the rows, axis 1."
)
def reverses_the_columns(images):
    return left_and_right(images)


@vertical_flip.mistake("You turned the images by 180 degrees. A vertical flip leaves left on the left.")
def turns_upside_down(images):
    return images[:, ::-1, ::-1].copy()


@vertical_flip.mistake("You reversed the order of the images. Each image is flipped in itself: axis 1, not axis 0.")
def reverses_the_samples(images):
    return images[::-1].copy()


@vertical_flip.mistake("You reversed the channels: red and blue have changed places. Reverse the rows, axis 1.")
def reverses_the_colours(images):
    return images[..., ::-1].copy()


@vertical_flip.keras_twin
def vertical_flip_in_keras(keras, images):
    return keras.ops.flip(images, axis=1)


# --- rescale --------------------------------------------------------------------------------------------------------

rescale = chapter.exercise("rescale", points=0.5, returns="rescaled")


@rescale.cases
def rescale_cases(draw):
    four = draw.array([[0, 255], [51, 102]]).reshape(1, 2, 2, 1)
    yield Case("four pixels, to [0, 1]", images=four, scale=1 / 255, offset=0.0)
    yield Case("four pixels, to [-1, 1]", images=four, scale=2 / 255, offset=-1.0)
    yield Case("a colour image, a scale above one", images=draw.normal(2, 3, 5, 3), scale=3.5, offset=0.25)
    yield Case("a negative scale: dark becomes light", images=draw.uniform(0, 1, 2, 4, 3, 1), scale=-1.0, offset=1.0)
    yield Case("another offset", images=draw.normal(1, 4, 4, 2), scale=0.5, offset=-7.0, hidden=True)
    yield Case("an empty batch", images=draw.normal(0, 4, 3, 2), scale=0.1, offset=0.5, hidden=True)


@rescale.mistake("You forgot the offset. It is added to every pixel after the multiplication.")
def forgets_the_offset(images, scale, offset):
    return images * np.float32(scale)


@rescale.mistake("You added the offset before you multiplied. The scale comes first: images * scale + offset.")
def adds_before_scaling(images, scale, offset):
    return (images + np.float32(offset)) * np.float32(scale)


@rescale.mistake("You divided by the scale. It is a factor: 1 / 255 makes 255 a 1.")
def divides_by_the_scale(images, scale, offset):
    return images / np.float32(scale) + np.float32(offset)


@rescale.mistake("You cut the result off at 0 and 1. Rescaling keeps whatever comes out.")
def cuts_off(images, scale, offset):
    return np.clip(images * np.float32(scale) + np.float32(offset), 0, 1)


@rescale.mistake("You subtracted the offset. It is added: images * scale + offset.")
def subtracts_the_offset(images, scale, offset):
    return images * np.float32(scale) - np.float32(offset)


@rescale.keras_twin
def rescale_in_keras(keras, images, scale, offset):
    return keras.layers.Rescaling(scale, offset)(images)


# --- affine ---------------------------------------------------------------------------------------------------------

affine = chapter.exercise("affine", points=4, returns="moved", tolerance=PLACES)


def draw_matrices(draw, n, height, width):
    """Turns and zooms about the centre, and shifts: some places lie outside."""
    linear = np.eye(2) + draw.uniform(-0.5, 0.5, n, 2, 2)
    moved = draw.uniform(-1.5, 1.5, n, 2)
    pairs = zip(linear, moved, strict=True)
    matrices = [about(centre_of(height, width), *pair) for pair in pairs]
    return np.array(matrices, np.float32).reshape(n, 2, 3)


@affine.cases
def affine_cases(draw):
    row, shifted = draw.array([10, 20, 40]).reshape(1, 1, 3, 1), draw.array([[[1, 0, -0.5], [0, 1, 0]]])
    for rationale, fill_mode in (("the edge goes on", "nearest"), ("black outside", "constant")):
        rationale = f"one row, half a pixel to the right, {rationale}"
        yield Case(rationale, images=row, matrices=shifted, fill_mode=fill_mode, fill_value=0.0)
    for rationale, (n, h, w, c), fill_mode, fill_value, flags in (
        ("three images, three matrices, the edge goes on", (3, 4, 6, 2), "nearest", 0.0, {}),
        ("high images in colour, black outside", (2, 7, 4, 3), "constant", 0.0, {}),
        ("all sides equal: shapes give no hint", (3, 3, 3, 3), "constant", 1.5, {}),
        ("one pixel", (2, 1, 1, 3), "constant", 0.5, {"hidden": True}),
        ("one column", (2, 6, 1, 1), "nearest", 0.5, {"hidden": True}),
        ("an empty batch", (0, 4, 3, 2), "nearest", 0.0, {"hidden": True}),
        ("a batch of 67", (67, 9, 8, 3), "nearest", 0.0, {"large": True}),
        ("a batch of 66 with a border", (66, 8, 11, 2), "constant", -1.0, {"large": True}),
    ):
        matrices = draw_matrices(draw, n, h, w)
        images = draw.normal(n, h, w, c)
        yield Case(rationale, images=images, matrices=matrices, fill_mode=fill_mode, fill_value=fill_value, **flags)
    images = draw.normal(4, 5, 6, 2)
    odd_ones = draw.array(
        [
            [[1, 0, 0], [0, 1, 0]],
            [[0, 0, 2.25], [0, 0, 1.5]],
            [[1, 0, -90], [0, 1, 0]],
            [[1, 0, 0.5], [0, 1, 77]],
        ]
    )
    for fill_mode in ("nearest", "constant"):
        rationale = f"nothing moves, one place for all, far to the left, far below: {fill_mode}"
        yield Case(rationale, images=images, matrices=odd_ones, fill_mode=fill_mode, fill_value=-2.0, hidden=True)


@affine.mistake("You took the nearest pixel. Bilinear means: mix the four around the place, each by how near it is.")
def takes_the_nearest_pixel(images, matrices, fill_mode, fill_value):
    x, y = places_of(images, matrices)
    columns, rows = (np.rint(place).astype(np.int64) for place in (x, y))
    return pixels_of(images, rows, columns, fill_mode, fill_value)


@affine.mistake("You exchanged x and y. x counts columns, y counts rows, and the array wants the row first.")
def exchanges_x_and_y(images, matrices, fill_mode, fill_value):
    x, y = places_of(images, matrices)
    return read(images, y, x, fill_mode, fill_value)


@affine.mistake(
    "You moved each pixel to the place that the matrix names. It names the place where the new pixel is read."
)
def moves_forwards(images, matrices, fill_mode, fill_value):
    whole = np.concatenate([matrices, np.broadcast_to(np.float32([0, 0, 1]), (len(matrices), 1, 3))], axis=1)
    return move(images, np.linalg.pinv(whole.astype(np.float64))[:, :2], fill_mode, fill_value)


@affine.mistake("You cut the place off towards zero: int(-0.5) is 0. The pixel before it is floor(-0.5) = -1.")
def cuts_towards_zero(images, matrices, fill_mode, fill_value):
    return move(images, matrices, fill_mode, fill_value, lower=np.trunc)


@affine.mistake("You exchanged the shares. The one of x mixes left and right, the one of y mixes upper and lower.")
def exchanges_the_shares(images, matrices, fill_mode, fill_value):
    return move(images, matrices, fill_mode, fill_value, exchanged=True)


@affine.mistake(
    "You gave up every place that is not wholly inside. At the border the pixels inside are mixed with fill_value."
)
def gives_up_the_border(images, matrices, fill_mode, fill_value):
    x, y = places_of(images, matrices)
    height, width = images.shape[1:3]
    inside = (x >= 0) & (x <= width - 1) & (y >= 0) & (y <= height - 1)
    moved = read(images, x, y, "nearest", fill_value)
    return moved if fill_mode == "nearest" else np.where(inside[..., None], moved, np.float32(fill_value))


@affine.mistake('You ignored fill_mode: with "constant" everything outside of the image is fill_value.')
def always_repeats_the_edge(images, matrices, fill_mode, fill_value):
    return move(images, matrices, "nearest", fill_value)


@affine.mistake('You ignored fill_mode: with "nearest" the image\'s edge goes on outside of it.')
def always_fills(images, matrices, fill_mode, fill_value):
    return move(images, matrices, "constant", fill_value)


@affine.mistake("You filled with 0. Outside of the image everything is fill_value.")
def fills_with_black(images, matrices, fill_mode, fill_value):
    return move(images, matrices, fill_mode, 0.0)


@affine.mistake("You moved the whole batch by the first matrix. Every image has its own.")
def takes_one_matrix_for_all(images, matrices, fill_mode, fill_value):
    return move(images, np.broadcast_to(matrices[:1], matrices.shape), fill_mode, fill_value)


@affine.mistake("Your images come round again: index -1 is the last row or column. Ask first whether it is inside.")
def comes_round(images, matrices, fill_mode, fill_value):
    def around(images, rows, columns, fill_mode, fill_value):
        n, height, width, _ = images.shape
        return images[np.arange(n)[:, None, None], rows % height, columns % width]

    return move(images, matrices, fill_mode, fill_value, pixels=around)


@affine.keras_twin
def affine_in_keras(keras, images, matrices, fill_mode, fill_value):
    transforms = np.concatenate([matrices.reshape(-1, 6), np.zeros((len(matrices), 2), np.float32)], axis=1)
    return keras.ops.image.affine_transform(
        images, transforms, "bilinear", fill_mode, fill_value, data_format="channels_last"
    )


# --- transform_matrix -----------------------------------------------------------------------------------------------

transform_matrix = chapter.exercise("transform_matrix", points=3, returns="matrix")


@transform_matrix.cases
def transform_matrix_cases(draw):
    for rationale, (height, width), rotation, shear, zoom, shift, hidden in (
        ("a quarter turn", (3, 5), 0.25, NEITHER, NEITHER, NEITHER, False),
        ("a shift to the right", (3, 5), 0.0, NEITHER, NEITHER, (0.0, 0.2), False),
        ("a shift up", (6, 5), 0.0, NEITHER, NEITHER, (-0.25, 0.0), False),
        ("a shear in both directions", (4, 7), 0.0, (0.5, -0.25), NEITHER, NEITHER, False),
        ("twice as high, half as wide", (4, 7), 0.0, NEITHER, (-0.5, 1.0), NEITHER, False),
        ("all of it", (8, 5), 0.1, (0.3, -0.2), (0.25, -0.125), (0.15, -0.3), False),
        ("nothing at all", (6, 6), 0.0, NEITHER, NEITHER, NEITHER, True),
        ("all of it, another way round", (3, 9), -0.3, (-0.4, 0.1), (-0.3, 0.6), (-0.2, 0.1), True),
        ("one pixel", (1, 1), 0.4, (0.1, 0.2), (0.3, 0.4), (1.0, 2.0), True),
    ):
        given = {"rotation": rotation, "shear": shear, "zoom": zoom, "shift": shift}
        yield Case(rationale, hidden=hidden, height=height, width=width, **given)
    yield Case(
        "a photo, and numbers as augmentation draws them",
        hidden=True,
        height=64,
        width=48,
        rotation=draw.number(-0.1, 0.1),
        shear=(draw.number(-0.2, 0.2), 0.0),
        zoom=(draw.number(-0.2, 0.2), draw.number(-0.2, 0.2)),
        shift=(draw.number(-0.2, 0.2), draw.number(-0.2, 0.2)),
    )


@transform_matrix.mistake("You turned clockwise. A positive rotation is counter-clockwise, and y counts downwards.")
def turns_clockwise(height, width, rotation, shear, zoom, shift):
    return matrix_of(height, width, -rotation, shear, zoom, shift)


@transform_matrix.mistake("You took the rotation for degrees. It is a fraction of a whole turn, 2 * pi.")
def turns_by_degrees(height, width, rotation, shear, zoom, shift):
    return matrix_of(height, width, rotation / 360, shear, zoom, shift)


@transform_matrix.mistake("You took the rotation for an angle. It is a fraction of a whole turn: times 2 * pi.")
def turns_by_radians(height, width, rotation, shear, zoom, shift):
    return matrix_of(height, width, rotation / (2 * np.pi), shear, zoom, shift)


@transform_matrix.mistake(
    "Your matrix leaves the upper left corner where it is. It is the centre that stays: c = x0 - a * x0 - b * y0."
)
def keeps_the_corner(height, width, rotation, shear, zoom, shift):
    linear = turned(rotation) @ sheared(shear) @ zoomed(zoom)
    return about(np.zeros(2), linear, pixels_to_move(height, width, shift))


@transform_matrix.mistake("Your centre is width / 2. From 0 to width - 1 the middle is (width - 1) / 2.")
def misses_the_centre(height, width, rotation, shear, zoom, shift):
    linear = turned(rotation) @ sheared(shear) @ zoomed(zoom)
    return about(np.array([width / 2, height / 2]), linear, pixels_to_move(height, width, shift))


@transform_matrix.mistake(
    "Your picture moves the other way. To move it to the right, read further to the left: x - x0 - right."
)
def shifts_backwards(height, width, rotation, shear, zoom, shift):
    return matrix_of(height, width, rotation, shear, zoom, (-shift[0], -shift[1]))


@transform_matrix.mistake("You shifted by pixels. The shift is a fraction: times the height, and times the width.")
def shifts_by_pixels(height, width, rotation, shear, zoom, shift):
    return matrix_of(height, width, rotation, shear, zoom, (shift[0] / height, shift[1] / width))


@transform_matrix.mistake("You exchanged the two shifts. The first is down, the second to the right.")
def exchanges_the_shifts(height, width, rotation, shear, zoom, shift):
    return matrix_of(height, width, rotation, shear, zoom, shift[::-1])


@transform_matrix.mistake("You exchanged the two zooms. The first is that of the height.")
def exchanges_the_zooms(height, width, rotation, shear, zoom, shift):
    return matrix_of(height, width, rotation, shear, zoom[::-1], shift)


@transform_matrix.mistake("You exchanged the two shears. The first is along x: columns per row.")
def exchanges_the_shears(height, width, rotation, shear, zoom, shift):
    return matrix_of(height, width, rotation, shear[::-1], zoom, shift)


@transform_matrix.mistake(
    "Your zoom goes the other way. A positive one makes the picture smaller: places of reading move apart."
)
def zooms_backwards(height, width, rotation, shear, zoom, shift):
    return matrix_of(height, width, rotation, shear, tuple(1 / (1 + part) - 1 for part in zoom), shift)


@transform_matrix.mistake("You multiplied by the zoom itself. The factor is 1 + zoom: with 0 nothing changes.")
def forgets_the_one(height, width, rotation, shear, zoom, shift):
    return matrix_of(height, width, rotation, shear, tuple(part - 1 for part in zoom), shift)


@transform_matrix.mistake(
    "You multiplied in the other order. Matrices do not commute: rotation @ shear @ zoom, as the docstring has it."
)
def multiplies_backwards(height, width, rotation, shear, zoom, shift):
    linear = zoomed(zoom) @ sheared(shear) @ turned(rotation)
    return about(centre_of(height, width), linear, pixels_to_move(height, width, shift))


@transform_matrix.mistake("Your matrix has y above x. The first row makes x, the column; the second makes y.")
def puts_rows_first(height, width, rotation, shear, zoom, shift):
    (a, b, c), (d, e, f) = matrix_of(height, width, rotation, shear, zoom, shift)
    return np.array([[e, d, f], [b, a, c]], np.float32)


# --- one change alone -----------------------------------------------------------------------------------------------

# What is moved: rationale, shape, fill_mode, fill_value, and the sign of the factors.
VIEWS: tuple[tuple[Any, ...], ...] = (
    ("wide images, the edge goes on", (2, 4, 6, 3), "nearest", 0.0, 1, {}),
    ("high images, black outside", (2, 7, 4, 1), "constant", 0.0, 1, {}),
    ("all sides equal, the other way", (3, 3, 3, 3), "constant", 1.0, -1, {}),
    ("another colour outside", (3, 3, 8, 2), "constant", -2.5, -1, {"hidden": True}),
    ("one pixel", (2, 1, 1, 3), "constant", 0.5, 1, {"hidden": True}),
    ("an empty batch", (0, 4, 3, 2), "nearest", 0.0, 1, {"hidden": True}),
    ("a batch of 67", (67, 9, 8, 3), "nearest", 0.0, 1, {"large": True}),
)


def moving_cases(draw, images, example, **factors):
    """The docstring's example, then images of all shapes, with factors drawn from these ranges."""
    yield Case(
        "the example of the docstring",
        images=draw.array(images)[None, :, :, None],
        **dict(zip(factors, example, strict=True)),
        fill_mode="constant",
        fill_value=0.0,
    )
    for rationale, shape, fill_mode, fill_value, sign, flags in VIEWS:
        drawn = {name: sign * draw.number(*limits) for name, limits in factors.items()}
        yield Case(rationale, images=draw.normal(*shape), **drawn, fill_mode=fill_mode, fill_value=fill_value, **flags)


def moving_exercise(name):
    return chapter.exercise(name, points=1, returns="moved", requires=("affine", "transform_matrix"), tolerance=PLACES)


translate = moving_exercise("translate")


@translate.cases
def translate_cases(draw):
    limits = {"height_factor": (0.2, 0.4), "width_factor": (-0.3, -0.15)}
    yield from moving_cases(draw, [[1, 2, 3, 4]], (0.0, 0.25), **limits)


@translate.mistake("You moved the images the other way. Positive factors move them down and to the right.")
def moves_up_and_left(images, height_factor, width_factor, fill_mode, fill_value):
    return moved_by(images, fill_mode, fill_value, shift=(-height_factor, -width_factor))


@translate.mistake("You exchanged the two factors: height_factor moves down, width_factor to the right.")
def moves_by_the_other_factor(images, height_factor, width_factor, fill_mode, fill_value):
    return moved_by(images, fill_mode, fill_value, shift=(width_factor, height_factor))


@translate.mistake("You moved by pixels. The factors are fractions of the height and of the width.")
def moves_by_pixels(images, height_factor, width_factor, fill_mode, fill_value):
    height, width = images.shape[1:3]
    return moved_by(images, fill_mode, fill_value, shift=(height_factor / height, width_factor / width))


@translate.mistake("You rounded to whole pixels. A shift by a part of one mixes neighbours.")
def moves_by_whole_pixels(images, height_factor, width_factor, fill_mode, fill_value):
    height, width = images.shape[1:3]
    shift = round(height_factor * height) / height, round(width_factor * width) / width
    return moved_by(images, fill_mode, fill_value, shift=shift)


@translate.keras_twin
def translate_in_keras(keras, images, height_factor, width_factor, fill_mode, fill_value):
    layer = keras.layers.RandomTranslation(
        *((factor, factor) for factor in (height_factor, width_factor)), fill_mode, fill_value=fill_value
    )
    return layer(images, training=True)


rotate = moving_exercise("rotate")


@rotate.cases
def rotate_cases(draw):
    yield from moving_cases(draw, [[1, 2], [3, 4]], (0.25,), factor=(0.05, 0.2))


@rotate.mistake("You turned clockwise. A positive factor is counter-clockwise, and y counts downwards.")
def rotates_clockwise(images, factor, fill_mode, fill_value):
    return moved_by(images, fill_mode, fill_value, rotation=-factor)


@rotate.mistake("You took the factor for degrees. It is a fraction of a whole turn: 0.25 is 90 degrees.")
def rotates_by_degrees(images, factor, fill_mode, fill_value):
    return moved_by(images, fill_mode, fill_value, rotation=factor / 360)


@rotate.mistake("You took the factor for radians. It is a fraction of a whole turn: times 2 * pi.")
def rotates_by_radians(images, factor, fill_mode, fill_value):
    return moved_by(images, fill_mode, fill_value, rotation=factor / (2 * np.pi))


@rotate.mistake("You turned about the upper left corner. The centre stays where it is.")
def rotates_about_the_corner(images, factor, fill_mode, fill_value):
    return moved_about_the_corner(images, turned(factor), fill_mode, fill_value)


@rotate.keras_twin
def rotate_in_keras(keras, images, factor, fill_mode, fill_value):
    layer = keras.layers.RandomRotation((factor, factor), fill_mode, fill_value=fill_value)
    return layer(images, training=True)


shear = moving_exercise("shear")


@shear.cases
def shear_cases(draw):
    limits = {"x_factor": (0.3, 0.6), "y_factor": (-0.4, -0.2)}
    yield from moving_cases(draw, [[1, 2, 3], [4, 5, 6], [7, 8, 9]], (1.0, 0.0), **limits)


@shear.mistake("You exchanged the two factors: x_factor moves columns, further with every row.")
def shears_by_the_other_factor(images, x_factor, y_factor, fill_mode, fill_value):
    return moved_by(images, fill_mode, fill_value, shear=(y_factor, x_factor))


@shear.mistake("Your shear leans the other way. The factor moves the place of reading, not the picture.")
def shears_the_other_way(images, x_factor, y_factor, fill_mode, fill_value):
    return moved_by(images, fill_mode, fill_value, shear=(-x_factor, -y_factor))


@shear.mistake("Your shear leaves the upper left corner where it is, as Keras's does. Here the centre stays.")
def shears_about_the_corner(images, x_factor, y_factor, fill_mode, fill_value):
    return moved_about_the_corner(images, sheared((x_factor, y_factor)), fill_mode, fill_value)


@shear.mistake("You sheared along x alone. y_factor moves rows, further with every column.")
def shears_along_x_alone(images, x_factor, y_factor, fill_mode, fill_value):
    return moved_by(images, fill_mode, fill_value, shear=(x_factor, 0.0))


@shear.keras_twin
def shear_in_keras(keras, images, x_factor, y_factor, fill_mode, fill_value):
    height, width = images.shape[1:3]
    back = -x_factor * (height - 1) / 2, -y_factor * (width - 1) / 2  # RandomShear keeps the corner
    transform = np.array([1, x_factor, back[0], y_factor, 1, back[1], 0, 0], np.float32)
    return keras.ops.image.affine_transform(
        images, transform, "bilinear", fill_mode, fill_value, data_format="channels_last"
    )


zoom = moving_exercise("zoom")


@zoom.cases
def zoom_cases(draw):
    limits = {"height_factor": (0.2, 0.5), "width_factor": (-0.4, -0.2)}
    yield from moving_cases(draw, [[1, 2, 3, 4, 5]], (0.0, 1.0), **limits)


@zoom.mistake("Your zoom goes the other way. A positive factor makes the picture smaller, as in Keras.")
def enlarges_instead(images, height_factor, width_factor, fill_mode, fill_value):
    back = tuple(1 / (1 + factor) - 1 for factor in (height_factor, width_factor))
    return moved_by(images, fill_mode, fill_value, zoom=back)


@zoom.mistake("You exchanged the two factors: the first is that of the height.")
def zooms_by_the_other_factor(images, height_factor, width_factor, fill_mode, fill_value):
    return moved_by(images, fill_mode, fill_value, zoom=(width_factor, height_factor))


@zoom.mistake("You zoomed about the upper left corner. The centre stays where it is.")
def zooms_about_the_corner(images, height_factor, width_factor, fill_mode, fill_value):
    return moved_about_the_corner(images, zoomed((height_factor, width_factor)), fill_mode, fill_value)


@zoom.mistake("You multiplied by the factor itself. 0 changes nothing: multiply by 1 + factor.")
def zooms_without_the_one(images, height_factor, width_factor, fill_mode, fill_value):
    return moved_by(images, fill_mode, fill_value, zoom=(height_factor - 1, width_factor - 1))


@zoom.keras_twin
def zoom_in_keras(keras, images, height_factor, width_factor, fill_mode, fill_value):
    layer = keras.layers.RandomZoom(
        *((factor, factor) for factor in (height_factor, width_factor)), fill_mode, fill_value=fill_value
    )
    return layer(images, training=True)


# --- augment_batch --------------------------------------------------------------------------------------------------

augment_batch = chapter.exercise(
    "augment_batch", points=3, returns="augmented", requires=("affine", "transform_matrix"), tolerance=PLACES
)


@augment_batch.cases
def augment_batch_cases(draw):
    everything = (0.5, 0.1, 0.2, 0.2, 0.2, 0.1)
    for rationale, shape, ranges, flags in (
        ("every image is mirrored, and nothing else", (2, 3, 4, 3), (1.0, 0.0, 0.0, 0.0, 0.0, 0.0), {}),
        ("some images are mirrored", (8, 3, 3, 1), (0.5, 0.0, 0.0, 0.0, 0.0, 0.0), {}),
        ("turns only", (3, 5, 6, 1), (0.0, 0.2, 0.0, 0.0, 0.0, 0.0), {}),
        ("everything at once", (5, 6, 5, 3), everything, {}),
        ("everything at once, all sides equal", (3, 3, 3, 3), everything, {}),
        ("nothing at all", (3, 4, 5, 2), (0.0, 0.0, 0.0, 0.0, 0.0, 0.0), {"hidden": True}),
        ("zooms and shifts", (4, 5, 7, 2), (0.0, 0.0, 0.0, 0.4, 0.3, 0.2), {"hidden": True}),
        ("shears, mostly mirrored", (6, 6, 4, 1), (0.9, 0.0, 0.5, 0.0, 0.0, 0.0), {"hidden": True}),
        ("an empty batch", (0, 4, 4, 3), everything, {"hidden": True}),
        ("a batch of 66 photos", (66, 11, 9, 3), everything, {"large": True}),
    ):
        yield Case(rationale, images=draw.normal(*shape), ranges=ranges, rng=Generator(draw.seed()), **flags)


def draw_changes(rng, ranges, both_ways=True):
    """Of one image: whether it is mirrored, its rotation, shear, zoom, and its shift down and to the right."""
    flip, *widths = ranges
    mirrored = rng.random() < flip
    return mirrored, *(rng.uniform(-width if both_ways else 0.0, width) for width in widths)


def changed(images, changes, mirror=left_and_right, fill_mode="nearest"):
    """Each image with its own changes."""
    moved = np.empty_like(images)
    for s, (mirrored, rotation, shear_x, factor, *shift) in enumerate(changes):
        image = mirror(images[s : s + 1]) if mirrored else images[s : s + 1]
        factors = {"rotation": rotation, "shear": (shear_x, 0.0), "zoom": (factor, factor), "shift": shift}
        moved[s] = moved_by(image, fill_mode, 0.0, **factors)[0]
    return moved


def all_changes(images, ranges, rng, **how):
    return [draw_changes(rng, ranges, **how) for _ in images]


@augment_batch.mistake("You changed the whole batch in one way. Draw for each image anew, inside the loop.")
def changes_all_alike(images, ranges, rng):
    changes = draw_changes(rng, ranges)
    return changed(images, [changes for _ in images])


@augment_batch.mistake("You turned images upside down. The flip is horizontal: reverse the columns, not the rows.")
def flips_the_rows(images, ranges, rng):
    return changed(images, all_changes(images, ranges, rng), mirror=up_and_down)


@augment_batch.mistake("You reversed the channels: red and blue have changed places. Reverse the columns.")
def flips_the_channels(images, ranges, rng):
    return changed(images, all_changes(images, ranges, rng), mirror=lambda image: image[..., ::-1])


@augment_batch.mistake("No image of yours is mirrored. Each is, where its first random number is below flip.")
def never_flips(images, ranges, rng):
    return changed(images, all_changes(images, ranges, rng), mirror=lambda image: image)


@augment_batch.mistake("You mirrored the images that should stay, and no others: rng.random() < flip means mirrored.")
def flips_the_others(images, ranges, rng):
    changes = [(not mirrored, *others) for mirrored, *others in all_changes(images, ranges, rng)]
    return changed(images, changes)


@augment_batch.mistake("You changed images in one direction only. Draw from -range to range.")
def changes_one_way(images, ranges, rng):
    return changed(images, all_changes(images, ranges, rng, both_ways=False))


@augment_batch.mistake('You filled what lies outside with black. Here the edge goes on: "nearest".')
def leaves_black_corners(images, ranges, rng):
    return changed(images, all_changes(images, ranges, rng), fill_mode="constant")


@augment_batch.mistake(
    "You read the images anew for every single change, and each reading blurs. Make one matrix of all, then read once."
)
def reads_again_and_again(images, ranges, rng):
    moved = images
    changes = all_changes(images, ranges, rng)
    for place in range(6):
        alone = [tuple(part if at == place else 0.0 for at, part in enumerate(one)) for one in changes]
        moved = changed(moved, alone)
    return moved


@augment_batch.mistake("You drew the mirror last. The first number of each image decides about its mirror.")
def draws_the_flip_last(images, ranges, rng):
    changes = []
    for _ in images:
        others = [rng.uniform(-width, width) for width in ranges[1:]]
        changes.append((rng.random() < ranges[0], *others))
    return changed(images, changes)


@augment_batch.mistake(
    "You drew all flips first, then all turns, and so on. Draw all six numbers of an image, then the next."
)
def draws_change_by_change(images, ranges, rng):
    n = len(images)
    mirrored = rng.random(n) < ranges[0]
    others = [rng.uniform(-width, width, n) for width in ranges[1:]]
    return changed(images, zip(mirrored, *others, strict=True))

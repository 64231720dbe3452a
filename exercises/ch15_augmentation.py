"""Augmentation: more pictures from the same pictures.

A network with half a million weights learns two thousand photos by heart, and then knows two thousand photos. But a cat
in a mirror is a cat, and so is one a little to the left, a little smaller, a little tilted. *Augmentation* shows the
network such a variant each time, and never the same one twice: it has to look for what they have in common. Test images
stay as they are, since nobody asks about a tilted one.

Some changes move whole pixels or change their values: flips, rescaling. All others here are *affine*: shifts, turns,
shears, zooms, and any sequence of them. They share one idea, which is to go backwards. Do not ask where a pixel of the
old image goes, for between the places where the old pixels land there would be holes. Ask of each pixel (x, y) of the
new image where in the old one it is *read*:

    x_read = a * x + b * y + c          matrix = [[a, b, c],
    y_read = d * x + e * y + f                    [d, e, f]]

x counts columns to the right and y counts rows downwards, both from 0, as Keras has it. The place seldom falls on a
pixel; then the four pixels around it are mixed, each by how near it is: *bilinear* interpolation. Every interpolation
blurs a little, so a shift after a zoom after a turn is made one matrix first, and the image is read once.

Images are float32 (n, height, width, channels), in any range. All functions return new images and leave the old ones.
Follows the lectures on convolutional networks, "Data augmentation".
"""

import numpy as np
from numba import njit, prange

NEITHER = (0.0, 0.0)  # as shear, zoom or shift: in neither direction


# --- pixels where they are ------------------------------------------------------------------------------------------


@njit(cache=True)
def horizontal_flip(images):
    """Mirror images so that left becomes right.

    Parameters
    ----------
    images : float32 (n, height, width, channels)

    Returns
    -------
    float32, the shape of images: pixel [s, i, j] is the old pixel [s, i, width - 1 - j]

    Approach: a slice with step -1 runs backwards; a copy of it is the answer.
    Example: one image of one channel, [[1, 2, 3], [4, 5, 6]], gives [[3, 2, 1], [6, 5, 4]].
    Trap: horizontal is the direction in which things move, along the columns: axis 2. The channels stay, or red and
    blue change places.
    Lecture: convolutional networks, data augmentation.
    """
    raise NotImplementedError("horizontal_flip")


@njit(cache=True)
def vertical_flip(images):
    """Turn images upside down, as a mirror on the floor does.

    Parameters
    ----------
    images : float32 (n, height, width, channels)

    Returns
    -------
    float32, the shape of images: pixel [s, i, j] is the old pixel [s, height - 1 - i, j]

    Approach: as horizontal_flip, along the rows.
    Example: one image of one channel, [[1, 2, 3], [4, 5, 6]], gives [[4, 5, 6], [1, 2, 3]].
    Trap: it is not a turn by 180 degrees: left stays left. And ask whether it may happen: photos of cats are seldom
    upside down, and a 6 becomes no 9 by it, but no digit either.
    Lecture: convolutional networks, data augmentation.
    """
    raise NotImplementedError("vertical_flip")


@njit(cache=True)
def rescale(images, scale, offset):
    """Bring pixels into another range, as keras.layers.Rescaling does.

    Parameters
    ----------
    images : float32 (n, height, width, channels)
    scale : float; e.g. 1 / 255 for pixels of 0 … 255
    offset : float; added afterwards

    Returns
    -------
    float32, the shape of images: images * scale + offset

    Approach: one line. Make both numbers float32 first: a Python float is a float64 in numba.
    Example: [[0, 255], [51, 102]] with scale = 1 / 255, offset = 0 gives [[0, 1], [0.2, 0.4]]; with scale = 2 / 255,
    offset = -1 it gives [[-1, 1], [-0.6, -0.2]].
    Trap: rescaling is no random change. Whatever is done to the training images here, test images need the same.
    Lecture: convolutional networks, preparing the images: ImageDataGenerator(rescale=1./255).
    """
    raise NotImplementedError("rescale")


# --- pixels from other places ---------------------------------------------------------------------------------------


@njit(cache=True)
def repeats_the_edge(fill_mode):
    """Whether what lies outside an image is its edge continued ("nearest"), rather than one value ("constant")."""
    return len(fill_mode) == len("nearest")  # numba takes seconds to compile a comparison of texts


@njit(cache=True, parallel=True)
def affine(images, matrices, fill_mode, fill_value):
    """Read each image anew, every pixel from the place that the image's own matrix names.

    Parameters
    ----------
    images : float32 (n, height, width, channels)
    matrices : float32 (n, 2, 3); one for each image: pixel (x, y) of the answer is read at
        (a * x + b * y + c, d * x + e * y + f) of the image, where [[a, b, c], [d, e, f]] is its matrix
    fill_mode : "nearest": the image's edge goes on for ever; or "constant": outside of it everything is fill_value
    fill_value : float; not used by "nearest"

    Returns
    -------
    float32, the shape of images: the bilinear mixture of the four pixels around the place

    Approach: prange over the images. left = floor(x), top = floor(y) name the pixel to the upper left of the place, and
    what is left over tells how far the place is on the way to the next column and row. Mix the upper two pixels, the
    lower two, then the results: mixture = first + share * (second - first). Let one small function fetch a pixel
    wherever it is asked for, inside or outside.
    Example: one image of one row, [[10, 20, 40]], with [[1, 0, -0.5], [0, 1, 0]] is read at x = -0.5, 0.5, 1.5. With
    "nearest" it gives [[10, 15, 30]], with "constant" and fill_value 0 it gives [[5, 15, 30]].
    Trap: x is the column and y is the row, and an array wants the row first. And int() cuts towards zero:
    int(-0.5) is 0, floor(-0.5) is -1.
    Lecture: convolutional networks, data augmentation: fill_mode="nearest".
    """
    raise NotImplementedError("affine")


@njit(cache=True)
def pixel_at(image, row, column, nearest, outside):
    """Part of affine: a pixel of an image, or what stands for it where there is none.

    Parameters
    ----------
    image : float32 (height, width, channels)
    row, column : int; any
    nearest : bool; whether the edge goes on for ever
    outside : float32 (channels,); what lies outside otherwise

    Returns
    -------
    float32 (channels,)
    """
    raise NotImplementedError("pixel_at")


@njit(cache=True)
def transform_matrix(height, width, rotation, shear, zoom, shift):
    """The matrix of a picture that is turned, sheared and zoomed about its centre, and then shifted.

    Parameters
    ----------
    height, width : int; of the image
    rotation : float; counter-clockwise, as a fraction of a whole turn: 0.25 is 90 degrees
    shear : (float, float); along x and along y: the place of reading moves by so many columns per row, and by so many
        rows per column
    zoom : (float, float); of height and width: a positive number makes the picture smaller, a negative one larger.
        With 0.5 it shows one and a half times as much, with -0.5 half as much.
    shift : (float, float); down by this fraction of the height, and to the right by this fraction of the width

    Returns
    -------
    float32 (2, 3): for affine: the place (x_read, y_read) of the pixel (x, y)

    All of it happens about the centre x0 = (width - 1) / 2, y0 = (height - 1) / 2. With angle = 2 * pi * rotation,

        [x_read - x0]   [cos(angle)  -sin(angle)]   [1        shear x]   [zoom x  0     ]   [x - x0 - right]
        [y_read - y0] = [sin(angle)   cos(angle)] @ [shear y  1      ] @ [0       zoom y] @ [y - y0 - down ]

    where zoom x = 1 + zoom of the width, zoom y = 1 + zoom of the height, and right and down are counted in pixels.

    Approach: multiply the three 2 x 2 matrices on paper, or in code, to [[a, b], [d, e]]. What is left is
    c = x0 - a * (x0 + right) - b * (y0 + down), and f likewise.
    Example: height = 3, width = 5, a quarter turn (0.25) and nothing else gives [[0, -1, 3], [1, 0, -1]]: the upper
    left pixel of the answer is read at x = 3, y = -1. Shift (0, 0.2) alone gives [[1, 0, -1], [0, 1, 0]].
    Trap: everything is backwards. A picture that moves to the right is read further to the left, and one that shrinks
    is read from places further apart. And without the centre, an image turns about its upper left corner, out of sight.
    Lecture: convolutional networks, data augmentation: rotation_range, shear_range, zoom_range, shift ranges.
    """
    raise NotImplementedError("transform_matrix")


@njit(cache=True)
def one_for_all(matrix, n):
    """The same matrix for each of n images: float32 (n, 2, 3)."""
    matrices = np.empty((n, 2, 3), np.float32)
    matrices[:] = matrix
    return matrices


@njit(cache=True)
def translate(images, height_factor, width_factor, fill_mode, fill_value):
    """Shift images, as keras.layers.RandomTranslation does, but by a given amount.

    Parameters
    ----------
    images : float32 (n, height, width, channels)
    height_factor : float; downwards, as a fraction of the height; a negative one is upwards
    width_factor : float; to the right, as a fraction of the width; a negative one is to the left
    fill_mode : "nearest" or "constant", as in affine
    fill_value : float

    Returns
    -------
    float32, the shape of images

    Approach: transform_matrix with only a shift, one_for_all, affine.
    Example: one image of one row, [[1, 2, 3, 4]], width_factor = 0.25 and "constant" with fill_value 0 gives
    [[0, 1, 2, 3]].
    Trap: fractions, not pixels: 0.25 of four columns is one column.
    Lecture: convolutional networks, data augmentation: width_shift_range, height_shift_range.
    """
    raise NotImplementedError("translate")


@njit(cache=True)
def rotate(images, factor, fill_mode, fill_value):
    """Turn images about their centre, as keras.layers.RandomRotation does, but by a given angle.

    Parameters
    ----------
    images : float32 (n, height, width, channels)
    factor : float; counter-clockwise, as a fraction of a whole turn; a negative one is clockwise
    fill_mode : "nearest" or "constant", as in affine
    fill_value : float

    Returns
    -------
    float32, the shape of images

    Approach: transform_matrix with only a rotation, one_for_all, affine.
    Example: one image of one channel, [[1, 2], [3, 4]], with factor = 0.25 gives [[2, 4], [1, 3]].
    Trap: 40 degrees, as the lecture has them, are 40 / 360 = 0.11 of a turn.
    Lecture: convolutional networks, data augmentation: rotation_range=40.
    """
    raise NotImplementedError("rotate")


@njit(cache=True)
def shear(images, x_factor, y_factor, fill_mode, fill_value):
    """Shear images about their centre: a square becomes a rhomboid, an upright letter an italic one.

    Parameters
    ----------
    images : float32 (n, height, width, channels)
    x_factor : float; each row is read so many columns further to the right than the row above it
    y_factor : float; each column is read so many rows further down than the column before it
    fill_mode : "nearest" or "constant", as in affine
    fill_value : float

    Returns
    -------
    float32, the shape of images

    Approach: transform_matrix with only a shear, one_for_all, affine.
    Example: one image of one channel, [[1, 2, 3], [4, 5, 6], [7, 8, 9]], with x_factor = 1, y_factor = 0, "constant"
    and fill_value 0 gives [[0, 1, 2], [4, 5, 6], [8, 9, 0]].
    Trap: keras.layers.RandomShear leaves the upper left corner where it is, so that the picture also moves aside. Here
    the centre stays.
    Lecture: convolutional networks, data augmentation: shear_range.
    """
    raise NotImplementedError("shear")


@njit(cache=True)
def zoom(images, height_factor, width_factor, fill_mode, fill_value):
    """Shrink or enlarge what images show, as keras.layers.RandomZoom does, but by given factors.

    Parameters
    ----------
    images : float32 (n, height, width, channels)
    height_factor : float; positive: smaller, negative: larger. With 0.5 one and a half times the height is to be seen.
    width_factor : float; the same for the width
    fill_mode : "nearest" or "constant", as in affine
    fill_value : float

    Returns
    -------
    float32, the shape of images

    Approach: transform_matrix with only a zoom, one_for_all, affine.
    Example: one image of one row, [[1, 2, 3, 4, 5]], width_factor = 1 and "constant" with fill_value 0 gives
    [[0, 1, 3, 5, 0]]; width_factor = -0.5 gives [[2, 2.5, 3, 3.5, 4]].
    Trap: a positive factor makes the picture smaller, as in Keras: it is what is to be seen that grows.
    Lecture: convolutional networks, data augmentation: zoom_range.
    """
    raise NotImplementedError("zoom")


# --- at random ------------------------------------------------------------------------------------------------------


@njit(cache=True)
def augment_batch(images, ranges, rng):
    """Change every image of a batch at random, each in its own way.

    Parameters
    ----------
    images : float32 (n, height, width, channels)
    ranges : (flip, rotation, shear, zoom, height, width), floats: how likely an image is mirrored, and how far it may
        be turned, sheared along x, zoomed (height and width alike) and shifted, down and to the right, both ways
    rng : numpy.random.Generator; the only source of randomness

    Returns
    -------
    float32, the shape of images: each mirrored or not, then moved by affine, with "nearest"

    Approach: for each image in turn draw rng.random() first: it is mirrored where that is below flip. Then draw
    rng.uniform(-range, range) five times, in the order of the ranges, and make one transform_matrix of them. Affine
    moves all images at the end.
    Example: with ranges = (1, 0, 0, 0, 0, 0) every image is mirrored and stays in its place; with (0, 0, 0, 0, 0, 0)
    the images come back as they were, and the generator has moved on by six numbers for each.
    Trap: numbers that are drawn once, outside the loop, change the whole batch in one way. And every range is drawn
    from, also one that is 0, so that the same seed means the same images.
    Lecture: convolutional networks, data augmentation: ImageDataGenerator.
    """
    raise NotImplementedError("augment_batch")

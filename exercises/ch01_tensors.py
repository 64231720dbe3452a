"""Tensors: everything a network reads is an array of numbers, and its axes have meanings.

A tensor is an array. Three facts describe it: its *rank* (how many axes it has, NumPy's `ndim`), its *shape* (how long
each axis is) and its *dtype* (what each number is stored as). The first axis counts the samples, and the rank mostly
says what kind of data it is:

    rank  kind           axes                                         an example
    0     scalar         none                                         one loss
    1     vector         features                                     one house: 13 numbers
    2     vector data    samples, features                            404 houses: (404, 13)
    3     sequence data  samples, timesteps, features                 250 days of stock prices: (250, 390, 3)
    4     images         samples, height, width, channels             128 colour photographs: (128, 256, 256, 3)
    5     video          samples, frames, height, width, channels     4 clips: (4, 240, 144, 256, 3)

A network wants small float32 numbers, a batch of samples at a time. Images come as whole numbers from 0 to 255: they
are scaled. Class labels are names, not amounts (class 4 is not twice class 2), so each becomes a row with a single 1.
Texts are lists of word numbers, each of its own length. Such a *ragged* collection is kept in two flat arrays: all the
words one after the other, and where each text begins.

    ids      5 8 2 | 7 | 3 3 9 6        text i is ids[offsets[i] : offsets[i + 1]]
    offsets  0       3   4         8    n texts have n + 1 offsets: the last one is where the last text ends

A network cannot read it like that. Either every text becomes a row that tells which words occur (multi-hot), or all are
brought to one length by padding and cutting.
Follows Episode 1 (the first network; what a tensor is) and Fundamentals 4.1 (tensors, texts as tensors).
"""

import numpy as np
from numba import njit


def describe(x):
    """The three facts about a tensor: how many axes, how long each, and of what type.

    Parameters
    ----------
    x : array of any dtype and any shape

    Returns
    -------
    rank : int; the number of axes
    shape : tuple of ints, one per axis; () for a scalar
    dtype : str; the name of the dtype, e.g. "float32"

    Approach: an array knows all three: `ndim`, `shape`, and `dtype`, which has a `name`.
    Example: the MNIST training images give (3, (60000, 28, 28), "uint8").
    Trap: "5-dimensional" means two things. A vector of five numbers has five *entries* along one axis: it has rank 1.
    Lecture: Episode 1 and Fundamentals 4.1, the key attributes of a tensor.
    """
    raise NotImplementedError("describe")


def tensor_kind(shape):
    """What kind of data a tensor of this shape usually holds, going by its number of axes.

    Parameters
    ----------
    shape : tuple of ints, the samples' axis among them

    Returns
    -------
    str: "scalar", "vector", "vector data", "sequence data", "images" or "video" for 0, 1, 2, 3, 4 or 5 axes;
    "tensor" for more, which have no name of their own

    Approach: only the number of axes counts, not how long they are: look it up in a row of names.
    Example: (404, 13) is "vector data", (60000, 28, 28, 1) is "images", () is "scalar".
    Trap: the samples' axis counts too. One colour image has three axes, a batch of them (even a batch of one) has four;
    that is why MNIST as it comes, (60000, 28, 28), has the rank of sequence data until it gets its axis of channels.
    Lecture: Fundamentals 4.1, real-world examples of tensors.
    """
    raise NotImplementedError("tensor_kind")


@njit(cache=True)
def batch_bounds(n, batch_size):
    """Where the batches of one epoch begin and end, as Keras cuts them.

    Parameters
    ----------
    n : int; how many samples there are, 0 or more
    batch_size : int; how many samples a batch holds, at least 1

    Returns
    -------
    int64 (m, 2): batch b is x[bounds[b, 0] : bounds[b, 1]]; there are m = ceil(n / batch_size) batches

    Approach: m is (n + batch_size - 1) // batch_size, a division that rounds up. Batch b starts at b * batch_size and
    stops one batch later, but not behind the end.
    Example: n = 10, batch_size = 4 gives [[0, 4], [4, 8], [8, 10]].
    Trap: the last batch may be short. n // batch_size loses it, n // batch_size + 1 adds an empty one where n divides.
    Lecture: Episode 1, batches: 60,000 images in batches of 128 are 469, the last of them with 96.
    """
    raise NotImplementedError("batch_bounds")


@njit(cache=True)
def flatten_images(images):
    """Make vector data of images: one row of numbers from 0 to 1 per image.

    Parameters
    ----------
    images : uint8 (n, height, width) or (n, height, width, channels); every number is from 0 to 255

    Returns
    -------
    float32 (n, height * width) or (n, height * width * channels): each image row by row, divided by 255

    Approach: the length of a row is the product of all sides but the first. Reshape to rows of it, then divide: uint8
    by np.float32 makes float32, uint8 by a plain 255 makes float64.
    Example: one image [[0, 255], [51, 102]] gives [[0, 1, 0.2, 0.4]].
    Trap: the brightest pixel is 255, not 256. And // divides whole numbers: in uint8 nothing is between 0 and 1.
    Lecture: Episode 1, preparing the image data: reshape((60000, 28 * 28)), astype("float32") / 255.
    """
    raise NotImplementedError("flatten_images")


@njit(cache=True)
def to_categorical(labels, num_classes):
    """One-hot encoding: each class label becomes a row with a single 1, at the place of its class.

    Parameters
    ----------
    labels : int64 (n,); classes from 0 to num_classes - 1
    num_classes : int

    Returns
    -------
    float32 (n, num_classes): 1 at [i, labels[i]], 0 elsewhere

    Approach: begin with zeros, set one element per row.
    Example: labels = [2, 0], num_classes = 4 gives [[0, 0, 1, 0], [1, 0, 0, 0]].
    Trap: the largest label of a batch does not tell how many classes there are: the last class may be missing there.
    Lecture: Episode 1, preparing the labels; Fundamentals 4.1, the newswires' 46 topics.
    """
    raise NotImplementedError("to_categorical")


@njit(cache=True)
def keep_top_words(ids, num_words, oov):
    """Keep the frequent words of a collection of texts; all rarer ones become the same "unknown" word.

    Words are numbered by how often they occur: the smaller the number, the more frequent the word. As in Keras's data
    sets num_words counts all numbers, its three reserved ones (0 padding, 1 start, 2 unknown) among them.

    Parameters
    ----------
    ids : int64 (total,); word numbers, of all texts one after the other
    num_words : int; words from this number on are rare
    oov : int; the number that stands for a word "out of vocabulary", 2 in Keras's data sets

    Returns
    -------
    int64 (total,): ids, with oov in place of every number >= num_words

    Approach: copy, then replace. The texts keep their lengths, so their offsets stay right.
    Example: ids = [1, 14, 22, 973, 9, 22], num_words = 22, oov = 2 gives [1, 14, 2, 2, 9, 2].
    Trap: num_words itself is out: numbers 0 to num_words - 1 are num_words numbers.
    Lecture: Fundamentals 4.1, imdb.load_data(num_words=10000): no number is above 9,999.
    """
    raise NotImplementedError("keep_top_words")


@njit(cache=True)
def vectorize_sequences(ids, offsets, dimension):
    """Multi-hot encoding: each text becomes a row that tells which words occur in it.

    Parameters
    ----------
    ids : int64 (total,); word numbers from 0 to dimension - 1, of all texts one after the other
    offsets : int64 (n + 1,); text i is ids[offsets[i] : offsets[i + 1]]
    dimension : int; how many words there are

    Returns
    -------
    float32 (n, dimension): 1 at [i, word] where text i has the word, 0 elsewhere

    Approach: begin with zeros; for each text set the element of each of its words. How often a word occurs, and where,
    is lost.
    Example: ids = [3, 1, 3, 0], offsets = [0, 3, 3, 4], dimension = 5 gives
    [[0, 1, 0, 1, 0], [0, 0, 0, 0, 0], [1, 0, 0, 0, 0]]: text 1 is empty.
    Trap: set the element to 1, do not add 1: word 3 stands twice in text 0. And the offsets need not begin at 0: those
    of a batch from the middle, offsets[8:17], begin where text 8 does.
    Lecture: Fundamentals 4.1, vectorize_sequences. All 25,000 reviews with 10,000 words make 1 GB of float32.
    """
    raise NotImplementedError("vectorize_sequences")


@njit(cache=True)
def pad_sequences(ids, offsets, maxlen):
    """Bring all texts to one length: short ones are filled up with zeros in front, long ones lose their beginning.

    Parameters
    ----------
    ids : int64 (total,); word numbers, of all texts one after the other
    offsets : int64 (n + 1,); text i is ids[offsets[i] : offsets[i + 1]]
    maxlen : int; the length of all rows, at least 1

    Returns
    -------
    int64 (n, maxlen): the last maxlen words of each text, at the end of its row; zeros before them where it is shorter

    Approach: begin with zeros. A text keeps min(maxlen, its length) words, its last ones; they go to the row's end.
    Example: ids = [5, 8, 2, 7, 3, 3, 9, 6], offsets = [0, 3, 4, 8], maxlen = 3 gives
    [[5, 8, 2], [0, 0, 7], [3, 9, 6]].
    Trap: both happen in front, as Keras has it by default. A recurrent network reads from left to right: it should end
    on words, not on zeros.
    Lecture: Fundamentals 4.1, pad your lists so that they all have the same length.
    """
    raise NotImplementedError("pad_sequences")

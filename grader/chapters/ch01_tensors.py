"""Tensors: cases, known mistakes and Keras twins."""

from __future__ import annotations

import itertools
import math

import numpy as np

from grader.exercise import Case, Chapter

chapter = Chapter("ch01_tensors", "Tensors")


# --- describe -------------------------------------------------------------------------------------------------------

describe = chapter.exercise("describe", points=1, returns=("rank", "shape", "dtype"), compiled=False)


@describe.cases
def describe_cases(draw):
    yield Case("two samples with three features", x=draw.array([[1, 2, 3], [4, 5, 6]]))
    yield Case("a vector of five numbers", x=draw.normal(5))
    yield Case("a scalar", x=np.array(3.5, np.float32))
    yield Case("class labels", x=draw.labels(7, 4))
    yield Case("grey images", x=draw.integers(0, 256, 4, 6, 5).astype(np.uint8))
    yield Case("colour images", x=draw.uniform(0, 1, 2, 4, 5, 3))
    yield Case("a mask", x=draw.normal(3, 2) > 0)
    yield Case("a column", x=draw.normal(6, 1).astype(np.float64), hidden=True)
    yield Case("no samples at all", x=draw.array(np.zeros((0, 4, 3))), hidden=True)
    yield Case("video", x=draw.integers(0, 256, 2, 3, 4, 5, 1).astype(np.uint8), hidden=True)


@describe.mistake("You took the number of entries for the rank. The rank counts the axes: x.ndim, not x.size.")
def counts_the_entries(x):
    return x.size, x.shape, x.dtype.name


@describe.mistake(
    "You took the length of the first axis for the rank. A vector of five numbers has one axis: rank 1, not 5."
)
def takes_the_length_for_the_rank(x):
    return len(x) if x.ndim else 0, x.shape, x.dtype.name


@describe.mistake("You did not count the samples' axis. It is an axis like the others: rank and shape have it too.")
def leaves_out_the_samples(x):
    return max(0, x.ndim - 1), x.shape[1:], x.dtype.name


@describe.mistake("Your shape lacks the first axis. The shape has one length for every axis, the samples' first.")
def shows_one_sample(x):
    return x.ndim, x.shape[1:], x.dtype.name


@describe.mistake("You turned the shape round. It begins with the outermost axis, the samples: (rows, columns).")
def turns_the_shape_round(x):
    return x.ndim, x.shape[::-1], x.dtype.name


@describe.mistake('You gave the name of the Python type. The dtype is what the numbers are stored as: "float32".')
def names_the_python_type(x):
    return x.ndim, x.shape, type(x.flat[0].item()).__name__ if x.size else "float"


@describe.mistake("You gave the type of the container. Every array is an ndarray; its dtype has the name asked for.")
def names_the_container(x):
    return x.ndim, x.shape, type(x).__name__


@describe.mistake('You gave the dtype\'s code, as "<f4". Its name is asked for: x.dtype.name, "float32".')
def gives_the_code(x):
    return x.ndim, x.shape, x.dtype.str


@describe.mistake("You have the shape first. The order is rank, shape, name of the dtype.")
def gives_the_shape_first(x):
    return x.shape, x.ndim, x.dtype.name


@describe.keras_twin
def describe_in_keras(keras, x):
    tensor = keras.ops.convert_to_tensor(x)
    shape = tuple(keras.ops.shape(tensor))
    return keras.ops.ndim(tensor), shape, keras.module.backend.standardize_dtype(tensor.dtype)


# --- tensor kind ----------------------------------------------------------------------------------------------------

tensor_kind = chapter.exercise("tensor_kind", points=1, returns="kind", compiled=False)


@tensor_kind.cases
def tensor_kind_cases(draw):
    yield Case("houses with 13 features", shape=(404, 13))
    yield Case("one loss", shape=())
    yield Case("one house", shape=(13,))
    yield Case("days of stock prices", shape=(250, 390, 3))
    yield Case("MNIST with its channel", shape=(60000, 28, 28, 1))
    yield Case("clips of 240 frames", shape=(4, 240, 144, 256, 3))
    yield Case("more axes than any name", shape=(2, 3, 4, 5, 6, 7))
    yield Case("a single sample", shape=(1, 13))
    yield Case("a batch of one image", shape=(1, 224, 224, 3))
    yield Case("seven axes", shape=(2, 2, 2, 2, 2, 2, 2), hidden=True)
    yield Case("no samples", shape=(0, 20, 8), hidden=True)
    yield Case("one number in an array", shape=(1,), hidden=True)
    yield Case("one tiny clip", shape=(1, 1, 1, 1, 1), hidden=True)


KINDS = ("scalar", "vector", "vector data", "sequence data", "images", "video", "tensor")


def kind_of_rank(rank):
    return KINDS[max(0, min(rank, 6))]


@tensor_kind.mistake(
    "You did not count the samples' axis. Images have four axes, (samples, height, width, channels), not three."
)
def forgets_the_samples(shape):
    return kind_of_rank(len(shape) + 1 if shape else 0)


@tensor_kind.mistake("You are one axis too low: a scalar has no axis at all, a vector has one.")
def calls_a_vector_scalar(shape):
    return kind_of_rank(len(shape) - 1)


@tensor_kind.mistake("You left out the axes of length 1. An axis is an axis, however short: a batch of one has it too.")
def squeezes_the_shape(shape):
    return kind_of_rank(len([side for side in shape if side != 1]))


@tensor_kind.mistake("You exchanged sequences and images. Three axes are a sequence, four are images.")
def exchanges_sequences_and_images(shape):
    return {3: "images", 4: "sequence data"}.get(len(shape), kind_of_rank(len(shape)))


@tensor_kind.mistake('You called a single vector "vector data". Vector data is a table: (samples, features), two axes.')
def calls_a_vector_a_table(shape):
    return "vector data" if len(shape) == 1 else kind_of_rank(len(shape))


@tensor_kind.mistake('You called everything with more than five axes "video". Only five axes have that name.')
def calls_the_rest_video(shape):
    return kind_of_rank(min(len(shape), 5))


# --- batches --------------------------------------------------------------------------------------------------------

batch_bounds = chapter.exercise("batch_bounds", points=1, returns="bounds")


@batch_bounds.cases
def batch_bounds_cases(draw):
    yield Case("a short last batch", n=10, batch_size=4)
    yield Case("batches that fit exactly", n=12, batch_size=3)
    yield Case("one sample per batch", n=5, batch_size=1)
    yield Case("fewer samples than a batch holds", n=3, batch_size=8)
    yield Case("one batch, exactly full", n=7, batch_size=7)
    yield Case("one sample in the last batch", n=16, batch_size=5)
    yield Case("any number", n=draw.seed() % 90 + 10, batch_size=draw.seed() % 7 + 2)
    yield Case("no samples", n=0, batch_size=4, hidden=True)
    yield Case("one sample", n=1, batch_size=1, hidden=True)


def bounds_of(starts, stops):
    return np.stack([np.asarray(starts), np.asarray(stops)], axis=1).astype(np.int64)


@batch_bounds.mistake("You left out the short last batch. The rest is a batch too: divide and round up.")
def loses_the_rest(n, batch_size):
    starts = np.arange(n // batch_size) * batch_size
    return bounds_of(starts, starts + batch_size)


@batch_bounds.mistake("Your last batch ends behind the last sample. Cut its stop off at n.")
def runs_over_the_end(n, batch_size):
    starts = np.arange(0, n, batch_size)
    return bounds_of(starts, starts + batch_size)


@batch_bounds.mistake("You made n // batch_size + 1 batches: where n divides exactly, the last one is empty. Round up.")
def adds_an_empty_batch(n, batch_size):
    starts = np.arange(n // batch_size + 1) * batch_size
    return bounds_of(starts, np.minimum(starts + batch_size, n))


@batch_bounds.mistake("Your stops name the last sample of the batch. A slice's stop is the place behind it: one more.")
def stops_at_the_last_sample(n, batch_size):
    starts = np.arange(0, n, batch_size)
    return bounds_of(starts, np.minimum(starts + batch_size, n) - 1)


@batch_bounds.mistake("You counted the samples from 1. The first one is number 0.")
def counts_samples_from_one(n, batch_size):
    starts = np.arange(0, n, batch_size)
    return bounds_of(starts + 1, np.minimum(starts + batch_size, n) + 1)


@batch_bounds.mistake("Your second column holds the lengths of the batches. It should hold where each one stops.")
def returns_lengths(n, batch_size):
    starts = np.arange(0, n, batch_size)
    return bounds_of(starts, np.minimum(batch_size, n - starts))


@batch_bounds.mistake(
    "You moved the last batch back to make it full, so that samples are used twice. It is simply shorter."
)
def moves_the_last_batch_back(n, batch_size):
    stops = np.minimum(np.arange(0, n, batch_size) + batch_size, n)
    return bounds_of(np.maximum(stops - batch_size, 0), stops)


@batch_bounds.mistake("You made all batches about equal. Every batch is full but the last one.")
def shares_evenly(n, batch_size):
    edges = np.linspace(0, n, -(-n // batch_size) + 1).astype(np.int64)
    return bounds_of(edges[:-1], edges[1:])


@batch_bounds.mistake("You took batch_size for the number of batches. It is the number of samples in one batch.")
def takes_size_for_count(n, batch_size):
    size = max(1, -(-n // batch_size))
    starts = np.arange(0, n, size)
    return bounds_of(starts, np.minimum(starts + size, n))


@batch_bounds.mistake("You have a row of starts and a row of stops. Each batch is a row: (start, stop).")
def returns_two_rows(n, batch_size):
    starts = np.arange(0, n, batch_size)
    return np.ascontiguousarray(bounds_of(starts, np.minimum(starts + batch_size, n)).T)


@batch_bounds.keras_twin
def batch_bounds_in_keras(keras, n, batch_size):
    """Let Keras predict the samples' own numbers, and note which of them come together."""
    bounds = []

    class Note(keras.module.Model):
        def predict_step(self, data):
            x, _, _ = keras.module.utils.unpack_x_y_sample_weight(data)
            numbers = np.asarray(x).ravel()
            bounds.append((numbers[0], numbers[-1] + 1))
            return x

    if n > 0:
        model = Note()
        model.compile(run_eagerly=True)
        model.predict(np.arange(n), batch_size=batch_size, verbose=0)
    return np.array(bounds, np.int64).reshape(-1, 2)


# --- images ---------------------------------------------------------------------------------------------------------

flatten_images = chapter.exercise("flatten_images", points=1, returns="rows")


def draw_images(draw, *shape):
    return draw.integers(0, 256, *shape).astype(np.uint8)


@flatten_images.cases
def flatten_images_cases(draw):
    yield Case("one image of two by two", images=np.array([[[0, 255], [51, 102]]], np.uint8))
    yield Case("three grey images, higher than wide", images=draw_images(draw, 3, 5, 4))
    yield Case("two colour images", images=draw_images(draw, 2, 3, 5, 3))
    yield Case("dark images: nothing above 40", images=draw.integers(0, 41, 4, 2, 3).astype(np.uint8))
    yield Case("grey images with their channel", images=draw_images(draw, 3, 4, 2, 1))
    yield Case("one image", images=draw_images(draw, 1, 6, 7), hidden=True)
    yield Case("no images", images=np.zeros((0, 4, 3), np.uint8), hidden=True)


def rows_of(images):
    return images.reshape(len(images), math.prod(images.shape[1:])).astype(np.float32)


@flatten_images.mistake("You did not divide: the pixels are still 0 … 255. Divide by 255.")
def forgets_to_scale(images):
    return rows_of(images)


@flatten_images.mistake("You divided by 256. The brightest pixel is 255, and it should become 1.")
def divides_by_256(images):
    return rows_of(images) / np.float32(256)


@flatten_images.mistake("You divided whole numbers, which leaves 0 and 1. Convert to float32 first.")
def divides_whole_numbers(images):
    return rows_of(images // 255)


@flatten_images.mistake("You divided by the largest pixel there is in the batch. The scale is fixed: 255 becomes 1.")
def divides_by_the_brightest(images):
    return rows_of(images) / np.float32(images.max(initial=1))


@flatten_images.mistake("You divided each image by its own largest pixel. The scale is the same for all: 255.")
def divides_each_by_its_brightest(images):
    rows = rows_of(images)
    return rows / np.maximum(rows.max(axis=1, keepdims=True), 1)


@flatten_images.mistake("You scaled to [-1, 1]. Zero to one is asked for: pixel / 255.")
def scales_to_both_sides(images):
    return rows_of(images) / np.float32(127.5) - 1


@flatten_images.mistake("You flattened column by column. Go through an image row by row, as reshape does.")
def flattens_columns_first(images):
    return rows_of(np.swapaxes(images, 1, 2)) / np.float32(255)


@flatten_images.mistake("You mixed the pixels of different images. Each row must hold one image: reshape to (n, …).")
def mixes_the_images(images):
    rows = rows_of(images)
    return np.ascontiguousarray(rows.reshape(rows.shape[::-1]).T) / np.float32(255)


@flatten_images.mistake("You made one long vector. The samples keep their axis: one row per image.")
def flattens_the_batch_too(images):
    return images.reshape(-1).astype(np.float32) / np.float32(255)


@flatten_images.mistake("You have a column for each image. Samples are rows: the shape is (n, height * width).")
def makes_a_column_per_image(images):
    return np.ascontiguousarray(rows_of(images).T) / np.float32(255)


@flatten_images.mistake("You scaled the images but kept their shape. Reshape: one row of numbers per image.")
def keeps_the_shape(images):
    return images.astype(np.float32) / np.float32(255)


@flatten_images.keras_twin
def flatten_images_in_keras(keras, images):
    return keras.layers.Flatten()(keras.layers.Rescaling(1 / 255)(images))


# --- labels ---------------------------------------------------------------------------------------------------------

to_categorical = chapter.exercise("to_categorical", points=1, returns="encoded")


@to_categorical.cases
def to_categorical_cases(draw):
    yield Case("two labels, four classes", labels=np.array([2, 0]), num_classes=4)
    yield Case("every class occurs", labels=draw.labels(9, 5), num_classes=5)
    yield Case("as many labels as classes", labels=draw.order(6), num_classes=6)
    yield Case("the last classes do not occur", labels=draw.labels(7, 3), num_classes=6)
    yield Case("two classes", labels=np.array([1, 0, 1, 1, 0]), num_classes=2)
    yield Case("the same label again and again", labels=np.array([3, 3, 3]), num_classes=5, hidden=True)
    yield Case("one label of the last class", labels=np.array([6]), num_classes=7, hidden=True)
    yield Case("no labels", labels=np.zeros(0, np.int64), num_classes=3, hidden=True)


def one_hot(labels, num_classes):
    return np.eye(num_classes, dtype=np.float32)[labels]


@to_categorical.mistake("You counted the classes from 1. Class 0 is the first column.")
def counts_classes_from_one(labels, num_classes):
    return one_hot(labels - 1, num_classes)


@to_categorical.mistake("You wrote the label into its column. One-hot means a 1 there, whatever the label is.")
def writes_the_label(labels, num_classes):
    return one_hot(labels, num_classes) * labels[:, np.newaxis].astype(np.float32)


@to_categorical.mistake(
    "You made as many columns as the largest label needs. The last classes may be missing: use num_classes."
)
def guesses_the_classes(labels, num_classes):
    return one_hot(labels, int(labels.max(initial=-1)) + 1)


@to_categorical.mistake("You have a row per class. Samples are rows: the shape is (n, num_classes).")
def makes_a_row_per_class(labels, num_classes):
    return np.ascontiguousarray(one_hot(labels, num_classes).T)


@to_categorical.mistake("You exchanged 0 and 1: a single 1 marks the class, all the others are 0.")
def marks_the_other_classes(labels, num_classes):
    return 1 - one_hot(labels, num_classes)


@to_categorical.mistake("You set every column up to the label. Classes have no order: a single 1 marks the class.")
def fills_up_to_the_label(labels, num_classes):
    return (np.arange(num_classes) <= labels[:, np.newaxis]).astype(np.float32)


@to_categorical.mistake("You wrote -1 for the other classes. A one-hot row is a probability: 0 for them.")
def writes_minus_one(labels, num_classes):
    return 2 * one_hot(labels, num_classes) - 1


@to_categorical.mistake("You divided the label by the number of classes. A label is a name, no amount: one-hot it.")
def scales_the_label(labels, num_classes):
    return (labels[:, np.newaxis] / np.full((1, num_classes), num_classes)).astype(np.float32)


@to_categorical.keras_twin
def to_categorical_in_keras(keras, labels, num_classes):
    return keras.module.utils.to_categorical(labels, num_classes)


# --- frequent words -------------------------------------------------------------------------------------------------

keep_top_words = chapter.exercise("keep_top_words", points=1, returns="kept")


@keep_top_words.cases
def keep_top_words_cases(draw):
    yield Case("two words are too rare", ids=np.array([1, 14, 22, 973, 9, 22]), num_words=22, oov=2)
    yield Case("a review", ids=draw.integers(1, 40, 25), num_words=20, oov=2)
    yield Case("all words are frequent", ids=draw.integers(0, 10, 8), num_words=10, oov=2)
    yield Case("all words are rare", ids=draw.integers(10, 30, 6), num_words=10, oov=2)
    yield Case("around the limit", ids=np.array([9, 10, 11, 12, 13, 14]), num_words=10, oov=2)
    yield Case("another number for unknown words", ids=draw.integers(0, 12, 15), num_words=6, oov=5)
    yield Case("unknown is 0, and the limit is low", ids=draw.integers(0, 6, 12), num_words=3, oov=0, hidden=True)
    yield Case("unknown lies beyond the limit", ids=draw.integers(0, 9, 12), num_words=5, oov=7, hidden=True)
    yield Case("no words", ids=np.zeros(0, np.int64), num_words=10, oov=2, hidden=True)


@keep_top_words.mistake("You kept the number num_words itself. There are num_words numbers below it: 0 is one of them.")
def keeps_one_too_many(ids, num_words, oov):
    return np.where(ids > num_words, oov, ids)


@keep_top_words.mistake("You replaced num_words - 1 as well. It is the last number that is kept: replace >= num_words.")
def keeps_one_too_few(ids, num_words, oov):
    return np.where(ids >= num_words - 1, oov, ids)


@keep_top_words.mistake("You took the rare words out. Then the offsets of all later texts are wrong: replace them.")
def takes_rare_words_out(ids, num_words, oov):
    return ids[ids < num_words]


@keep_top_words.mistake("You replaced rare words by num_words - 1, which is a word of its own. Replace them by oov.")
def clips_the_numbers(ids, num_words, oov):
    return np.minimum(ids, num_words - 1)


@keep_top_words.mistake("You wrote 0 for rare words. 0 is the padding; an unknown word is oov.")
def writes_padding(ids, num_words, oov):
    return np.where(ids >= num_words, 0, ids)


@keep_top_words.mistake("You wrote 2 for rare words whatever oov is. Keras's data sets use 2; the argument may differ.")
def always_writes_two(ids, num_words, oov):
    return np.where(ids >= num_words, 2, ids)


@keep_top_words.mistake("You replaced the frequent words. Small numbers are the frequent ones: replace the large ones.")
def replaces_frequent_words(ids, num_words, oov):
    return np.where(ids < num_words, oov, ids)


@keep_top_words.mistake(
    "You allowed three numbers more, for padding, start and unknown. Keras counts those three in num_words."
)
def allows_the_reserved_three(ids, num_words, oov):
    return np.where(ids >= num_words + 3, oov, ids)


@keep_top_words.mistake("You took the rest of a division. Rare words then pass for frequent ones: replace them by oov.")
def wraps_around(ids, num_words, oov):
    return ids % num_words


@keep_top_words.keras_twin
def keep_top_words_in_keras(keras, ids, num_words, oov):
    return keras.ops.where(ids < num_words, ids, oov)


# --- texts ----------------------------------------------------------------------------------------------------------


def texts(draw, lengths, low, high):
    """Texts of these lengths: word numbers in [low, high), and where each text begins."""
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    return {"ids": draw.integers(low, high, int(offsets[-1])), "offsets": offsets}


def middle(draw, low, high):
    """A batch of three texts from the middle of a collection of six."""
    collection = texts(draw, (3, 4, 2, 6, 3, 5), low, high)
    return {"ids": collection["ids"], "offsets": collection["offsets"][2:6].copy()}


def split(ids, offsets):
    return [ids[start:stop] for start, stop in itertools.pairwise(offsets)]


vectorize_sequences = chapter.exercise("vectorize_sequences", points=2, returns="hot")


@vectorize_sequences.cases
def vectorize_sequences_cases(draw):
    tiny = {"ids": np.array([3, 1, 3, 0]), "offsets": np.array([0, 3, 3, 4])}
    yield Case("a repeated word, an empty text", **tiny, dimension=5)
    yield Case("texts of different lengths", **texts(draw, (4, 1, 7, 3), 0, 12), dimension=12)
    yield Case("many repetitions", **texts(draw, (9, 12), 1, 5), dimension=6)
    yield Case("the last words do not occur", **texts(draw, (3, 5, 2), 0, 6), dimension=11)
    yield Case("a batch from the middle of a collection", **middle(draw, 0, 9), dimension=9)
    yield Case("one text with every word", ids=draw.order(8), offsets=np.array([0, 8]), dimension=8, hidden=True)
    yield Case("empty texts at both ends", **texts(draw, (0, 4, 0), 0, 7), dimension=7, hidden=True)
    yield Case("no texts", **texts(draw, (), 0, 7), dimension=7, hidden=True)


def multi_hot(sequences, dimension):
    hot = np.zeros((len(sequences), dimension), np.float32)
    for row, words in zip(hot, sequences, strict=True):
        row[words] = 1
    return hot


def word_counts(ids, offsets, dimension):
    rows = [np.bincount(words, minlength=dimension) for words in split(ids, offsets)]
    return np.array(rows, np.float32).reshape(len(offsets) - 1, dimension)


@vectorize_sequences.mistake("You counted the words. Multi-hot only tells whether a word occurs: set 1, do not add 1.")
def counts_the_words(ids, offsets, dimension):
    return word_counts(ids, offsets, dimension)


@vectorize_sequences.mistake("You divided each word's count by the length of its text. Multi-hot is 1 or 0.")
def computes_frequencies(ids, offsets, dimension):
    counts = word_counts(ids, offsets, dimension)
    return counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)


@vectorize_sequences.mistake("You began every row with the texts before it. Text i starts at offsets[i].")
def starts_at_the_beginning(ids, offsets, dimension):
    return multi_hot([ids[offsets[0] : stop] for stop in offsets[1:]], dimension)


@vectorize_sequences.mistake(
    "You took the first word of the next text along. offsets[i + 1] is where text i stops, and is not part of it."
)
def takes_the_next_word_along(ids, offsets, dimension):
    return multi_hot([ids[a : b + 1] for a, b in itertools.pairwise(offsets)], dimension)


@vectorize_sequences.mistake("You lost the last word of each text. A slice leaves its stop out already.")
def loses_the_last_word(ids, offsets, dimension):
    return multi_hot([words[:-1] for words in split(ids, offsets)], dimension)


@vectorize_sequences.mistake("You assumed that the first text begins at 0. It begins at offsets[0].")
def assumes_a_start_at_zero(ids, offsets, dimension):
    return multi_hot(split(ids, offsets - offsets[0]), dimension)


@vectorize_sequences.mistake("You counted the words from 1. Word 0 belongs to column 0.")
def counts_words_from_one(ids, offsets, dimension):
    return multi_hot(split(ids - 1, offsets), dimension)


@vectorize_sequences.mistake("You exchanged 0 and 1: the words that occur are the ones.")
def marks_the_absent_words(ids, offsets, dimension):
    return 1 - multi_hot(split(ids, offsets), dimension)


@vectorize_sequences.mistake("You set only one word per text. Every word of the text becomes a 1.")
def keeps_one_word_per_text(ids, offsets, dimension):
    return multi_hot([words[-1:] for words in split(ids, offsets)], dimension)


@vectorize_sequences.mistake("You made a row per word. One row per text is asked for, with all of its words in it.")
def makes_a_row_per_word(ids, offsets, dimension):
    return one_hot(ids[offsets[0] : offsets[-1]], dimension)


@vectorize_sequences.keras_twin
def vectorize_sequences_in_keras(keras, ids, offsets, dimension):
    layer = keras.layers.CategoryEncoding(num_tokens=dimension, output_mode="multi_hot")
    rows = [np.asarray(layer(words)) if words.size else np.zeros(dimension) for words in split(ids, offsets)]
    return np.array(rows, np.float32).reshape(-1, dimension)


pad_sequences = chapter.exercise("pad_sequences", points=2, returns="padded")


@pad_sequences.cases
def pad_sequences_cases(draw):
    tiny = {"ids": np.array([5, 8, 2, 7, 3, 3, 9, 6]), "offsets": np.array([0, 3, 4, 8])}
    yield Case("just right, short, and long", **tiny, maxlen=3)
    yield Case("all texts are short", **texts(draw, (2, 4, 1, 3), 1, 20), maxlen=6)
    yield Case("all texts are long", **texts(draw, (6, 9, 5), 1, 20), maxlen=4)
    yield Case("some are short, some are long", **texts(draw, (2, 8, 5, 4, 7), 1, 50), maxlen=5)
    yield Case("a batch from the middle of a collection", **middle(draw, 1, 30), maxlen=4)
    yield Case("an empty text", **texts(draw, (3, 0, 2), 1, 9), maxlen=3)
    yield Case("only the last word", **texts(draw, (3, 1, 4), 1, 9), maxlen=1, hidden=True)
    yield Case("empty texts at both ends", **texts(draw, (0, 5, 0), 1, 9), maxlen=4, hidden=True)
    yield Case("no texts", **texts(draw, (), 1, 9), maxlen=4, hidden=True)


def padded_rows(sequences, maxlen, behind=False, filler=0):
    padded = np.full((len(sequences), maxlen), filler, np.int64)
    for row, words in zip(padded, sequences, strict=True):
        row[slice(0, len(words)) if behind else slice(maxlen - len(words), maxlen)] = words
    return padded


def last_words(ids, offsets, maxlen):
    return [words[-maxlen:] for words in split(ids, offsets)]


@pad_sequences.mistake("You put the zeros behind. Keras pads in front by default: the words stand at the row's end.")
def pads_behind(ids, offsets, maxlen):
    return padded_rows(last_words(ids, offsets, maxlen), maxlen, behind=True)


@pad_sequences.mistake("You cut off the end of long texts. Keras cuts their beginning: keep the last maxlen words.")
def cuts_the_end(ids, offsets, maxlen):
    return padded_rows([words[:maxlen] for words in split(ids, offsets)], maxlen)


@pad_sequences.mistake("You padded behind and cut off the end. Keras does both in front, at the beginning of the text.")
def works_at_the_back(ids, offsets, maxlen):
    return padded_rows([words[:maxlen] for words in split(ids, offsets)], maxlen, behind=True)


@pad_sequences.mistake("You wrote the words backwards. They keep their order.")
def turns_the_words_round(ids, offsets, maxlen):
    return padded_rows([words[::-1] for words in last_words(ids, offsets, maxlen)], maxlen)


@pad_sequences.mistake("You padded with 2, the number of an unknown word. Padding is 0.")
def pads_with_unknown(ids, offsets, maxlen):
    return padded_rows(last_words(ids, offsets, maxlen), maxlen, filler=2)


@pad_sequences.mistake("You brought the texts to the length of the longest one. Every row has maxlen columns.")
def pads_to_the_longest(ids, offsets, maxlen):
    sequences = split(ids, offsets)
    return padded_rows(sequences, max([len(words) for words in sequences], default=0))


@pad_sequences.mistake("You assumed that the first text begins at 0. It begins at offsets[0].")
def assumes_texts_from_zero(ids, offsets, maxlen):
    return padded_rows(last_words(ids, offsets - offsets[0], maxlen), maxlen)


@pad_sequences.mistake("You filled up short texts with the words before them. They belong to another text: pad with 0.")
def reaches_into_the_text_before(ids, offsets, maxlen):
    return padded_rows([ids[max(0, stop - maxlen) : stop] for stop in offsets[1:]], maxlen)


@pad_sequences.mistake("You lost the last word of each text. A slice leaves its stop out already.")
def loses_each_last_word(ids, offsets, maxlen):
    return padded_rows([words[:-1][-maxlen:] for words in split(ids, offsets)], maxlen)


@pad_sequences.keras_twin
def pad_sequences_in_keras(keras, ids, offsets, maxlen):
    return keras.module.utils.pad_sequences(split(ids, offsets), maxlen=maxlen)

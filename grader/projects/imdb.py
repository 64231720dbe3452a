"""Film reviews: the network on words, held against a run of Keras, four ways.

1. `predict` with the weights that Keras trained gives Keras's answers to the whole test set.
2. `train_step` and `sparse_step` from Keras's initial weights, on Keras's first batch, give Keras's squared gradients
   and new weights.
3. `train_epoch` in Keras's order follows Keras's loss from batch to batch.
4. `train` from scratch judges as many reviews rightly as Keras's network, but for a margin.

Which run of Keras it is follows from the data that is here: IMDB, or the bundled sample. Beside the recorded cases
every exercise has small ones, on which a mistake is cheap to recognise.
"""

from __future__ import annotations

import numpy as np

from grader.exercise import Case, Chapter
from grader.projects.cases import EXAMPLE, draw_layers, small_epochs, small_trainings
from grader.projects.run import no_slots, run
from grader.projects.texts import (
    SCALE,
    UNITS,
    UPPER_MISTAKES,
    WORDS,
    TextTraining,
    apply_in_keras,
    as_arguments,
    averages_the_words,
    backward,
    before_relu,
    distinct,
    draw_distinct,
    draw_labelled,
    draw_labelled_texts,
    draw_texts,
    epoch_in_keras,
    join,
    lower,
    middle,
    multi_hot,
    recorded_epoch,
    recorded_step,
    recorded_training,
    small_predictions,
    small_steps,
    split,
    step_in_keras,
    upper,
    word_counts,
)
from grader.projects.training import (
    EPOCH_MISTAKES,
    STEP_MISTAKES,
    TRAIN_MISTAKES,
    Mistakes,
    rmsprop,
    share,
    start,
    with_zero_biases,
)
from grader.tolerance import EXACT

NAME = "imdb"
chapter = Chapter(f"projects.{NAME}", "Project: film reviews, praise or slating")

# The whole epoch is compared as sharply as a single step. Two right implementations add in different orders and differ
# by 1e-7, and here that does not grow: with 32 hidden units hardly one is ever so near to zero that it matters. The
# solution is off by 6e-8 after 49 batches, in float64 by 7e-8, and by no more when all initial weights are moved by
# their last bit.

# The seed is Keras's, so a right training ends where Keras's did. Initial weights moved by their last bit gave 0.88364
# and 0.88368 where Keras has 0.88368, and on the sample the same 0.845 eight times out of eight. Half a point is room
# enough. Seeds alone move it more: 0.861 to 0.888 in twelve trainings, on the sample 0.79 to 0.86.
MARGIN = 0.005


# --- what the known mistakes are made of ----------------------------------------------------------------------------


def sigmoid(scores):
    return (1 / (1 + np.exp(-scores))).astype(np.float32)


def loss_of(labels, probabilities):
    p = np.clip(probabilities.reshape(-1), 1e-7, 1 - 1e-7).astype(np.float64)
    return float(np.mean(-np.where(labels == 1, np.log(p), np.log(1 - p))))


def slopes(labels, probabilities, n=None):
    """The gradient at the last layer's scores; `n` divides instead of the batch size."""
    return (probabilities - labels[:, None].astype(np.float32)) / np.float32(n or len(labels))


training = TextTraining(sigmoid, loss_of, slopes, outputs=1)
forward = training.forward


# --- what the small cases are made of -------------------------------------------------------------------------------


def draw_params(draw, dimension=WORDS, units=UNITS):
    return draw_layers(draw, dimension, *units, 1, scale=SCALE)


def all_ones(draw):
    """The network of the examples: one word, one unit in each layer, weights of one."""
    return tuple(draw.array(value) for value in ([[1]], [0], [[1]], [0], [[1]], [0]))


# --- prepare --------------------------------------------------------------------------------------------------------

prepare = chapter.exercise("prepare", points=1, returns="x", requires=("ch01_tensors.vectorize_sequences",))


@prepare.cases
def prepare_cases(draw):
    tiny = {"ids": np.array([3, 1, 3, 0]), "offsets": np.array([0, 3, 3, 4])}
    yield Case("a repeated word, an empty review", **tiny, dimension=5)
    yield Case("reviews of different lengths", **as_arguments(draw_texts(draw, (4, 1, 6), WORDS)), dimension=WORDS)
    part = middle(draw_texts(draw, (3, 5, 2, 4, 6), WORDS), 1)
    yield Case("a part of a collection, more columns than words", **as_arguments(part), dimension=WORDS + 3)
    yield Case("no reviews", **as_arguments(join([])), dimension=4, hidden=True)


@prepare.mistake("You counted the words. A multi-hot row is 1 where a word occurs, however often: set 1, do not add.")
def counts_words(ids, offsets, dimension):
    return word_counts(ids, offsets, dimension)


@prepare.mistake("You divided by the length of the review. Keras's network has learned from ones.")
def makes_frequencies(ids, offsets, dimension):
    rows = word_counts(ids, offsets, dimension)
    return rows / np.maximum(rows.sum(axis=1, keepdims=True), 1)


@prepare.mistake("You left out word 0, or began the columns at 1. Word 0 belongs to column 0.")
def begins_at_one(ids, offsets, dimension):
    rows = np.zeros((len(offsets) - 1, dimension), np.float32)
    for row, words in zip(rows, split(ids, offsets), strict=True):
        row[words[words > 0] - 1] = 1
    return rows


@prepare.mistake("You assumed that the first review begins at 0. It begins at offsets[0].")
def assumes_a_start_at_zero(ids, offsets, dimension):
    return multi_hot(ids, offsets - offsets[0], dimension)


# --- upper_forward --------------------------------------------------------------------------------------------------

upper_forward = chapter.exercise(
    "upper_forward",
    points=2,
    returns=("probabilities", "second"),
    requires=("ch03_activations.relu", "ch03_activations.sigmoid", "ch05_dense.dense_forward"),
)


def example(draw):
    """The network of the examples in the stubs; its first layer is not used."""
    values = ([[1, 0]], [0, 0], [[1, -1], [1, 0]], [0, 0], [[0.5], [1]], [-1])
    return tuple(draw.array(value) for value in values)


@upper_forward.cases
def upper_forward_cases(draw):
    yield Case("one review, two units", first=draw.array([[1, 2]]), params=example(draw))
    for rationale, n, units, secret in (
        ("a few reviews", 6, UNITS, False),
        ("more units above than below", 4, (2, 7), False),
        ("one unit in each layer", 5, (1, 1), True),
        ("no reviews", 0, (3, 2), True),
    ):
        first = np.maximum(draw.normal(n, units[0]), 0)
        yield Case(rationale, hidden=secret, first=first, params=draw_params(draw, units=units))


@upper_forward.mistake("You returned the last layer's scores. Sigmoid makes probabilities of them.")
def returns_scores(first, params):
    return upper(first, params)


@upper_forward.mistake(
    "You put a ReLU before the sigmoid. A score below zero is what says a slating: leave it as it is."
)
def cuts_the_scores(first, params):
    scores, second = upper(first, params)
    return sigmoid(np.maximum(scores, 0)), second


@upper_forward.mistake(
    "You took a softmax. Over a single unit it is always 1: one unit that says yes or no has a sigmoid."
)
def takes_softmax(first, params):
    scores, second = upper(first, params)
    return np.ones_like(scores), second


@upper_forward.mistake("You applied the sigmoid twice. Then every probability lies between 0.5 and 0.73.")
def applies_sigmoid_twice(first, params):
    scores, second = upper(first, params)
    return sigmoid(sigmoid(scores)), second


@upper_forward.mistake("There is no ReLU after your second layer, so the last two layers are as good as one.")
def forgets_relu(first, params):
    _, _, w2, b2, w3, b3 = params
    second = first @ w2 + b2
    return sigmoid(second @ w3 + b3), second


@upper_forward.mistake("You left out the biases. Each layer adds its own to every row.")
def forgets_biases(first, params):
    w1, _, w2, _, w3, _ = params
    scores, second = upper(first, with_zero_biases(w1, w2, w3))
    return sigmoid(scores), second


@upper_forward.mistake("You gave the last layer the first layer's ReLU twice: `second` is relu(first @ w2 + b2).")
def returns_second_before_relu(first, params):
    _, _, w2, b2, _, _ = params
    return sigmoid(upper(first, params)[0]), first @ w2 + b2


@upper_forward.keras_twin
def upper_forward_in_keras(keras, first, params):
    _, _, w2, b2, w3, b3 = params
    second = keras.ops.relu(keras.ops.matmul(first, w2) + b2)
    return keras.ops.sigmoid(keras.ops.matmul(second, w3) + b3), second


# --- upper_backward -------------------------------------------------------------------------------------------------

upper_backward = chapter.exercise(
    "upper_backward",
    points=3,
    returns=("dscores", "dw2", "db2", "dw3", "db3"),
    requires=("ch03_activations.relu_backward", "ch05_dense.dense_backward"),
)


@upper_backward.cases
def upper_backward_cases(draw):
    first = draw.array([[1, 2]])
    yield training.upper_case("one review, two units", np.array([1]), first, example(draw))
    for rationale, n, units, hidden in (
        ("a few reviews", 6, UNITS, False),
        ("more units above than below", 4, (2, 7), False),
        ("three reviews", 3, (4, 3), False),
        ("one unit in each layer", 5, (1, 1), True),
        ("one review alone", 1, (3, 6), True),
    ):
        first = np.maximum(draw.normal(n, units[0]), 0)
        yield training.upper_case(rationale, draw.labels(n, 2), first, draw_params(draw, units=units), hidden)


share(UPPER_MISTAKES, training.upper_mistake, upper_backward)


@upper_backward.mistake(
    "You subtracted the wrong way round. The gradient at the scores is (probabilities - labels) / n."
)
def turns_the_sign(labels, first, second, probabilities, params):
    return backward(-slopes(labels, probabilities), first, second, params)


@upper_backward.mistake(
    "You multiplied by p * (1 - p). (probabilities - labels) / n has gone through the sigmoid already."
)
def goes_through_the_sigmoid_twice(labels, first, second, probabilities, params):
    dlogits = slopes(labels, probabilities) * probabilities * (1 - probabilities)
    return backward(dlogits, first, second, params)


@upper_backward.mistake("You took the probabilities for the gradient. Subtract the labels first.")
def forgets_the_labels(labels, first, second, probabilities, params):
    return backward(slopes(0 * labels, probabilities), first, second, params)


@upper_backward.mistake("You averaged the biases' gradients over the batch once more: dlogits has done that already.")
def averages_biases_again(labels, first, second, probabilities, params):
    dscores, dw2, db2, dw3, db3 = backward(slopes(labels, probabilities), first, second, params)
    n = np.float32(len(labels))
    return dscores, dw2, db2 / n, dw3, db3 / n


@upper_backward.objective
def upper_objective(labels, first, second, probabilities, params):
    _, _, *above = params
    points = dict(zip(("dscores", "dw2", "db2", "dw3", "db3"), (before_relu(first), *above), strict=True))

    def loss(scores, *above):
        probabilities = 1 / (1 + np.exp(-upper(np.maximum(scores, 0), (None, None, *above))[0]))
        return loss_of(labels, probabilities)

    return loss, points


@upper_backward.keras_twin
def upper_backward_in_keras(keras, labels, first, second, probabilities, params):
    def loss(scores, *above):
        answer, _ = upper_forward_in_keras(keras, keras.ops.relu(scores), (None, None, *above))
        return crossentropy_in_keras(keras, labels, answer)

    return keras.gradient(loss, None, before_relu(first), *params[2:])


def crossentropy_in_keras(keras, labels, probabilities):
    return keras.ops.mean(keras.losses.binary_crossentropy(labels[:, None].astype(np.float32), probabilities))


# --- train_step and sparse_step -------------------------------------------------------------------------------------

train_step = chapter.exercise(
    "train_step",
    points=3,
    returns="loss",
    changes=("params", "slots"),
    compiled=False,
    requires=("upper_forward", "upper_backward", "ch04_losses.binary_crossentropy", "ch06_optimizers.rmsprop_step"),
    whole=True,
)


def steps(draw):
    """Small batches for every kind of step, as ids and offsets."""
    ones = all_ones(draw)
    given = {"labels": np.array([1]), "params": ones, "slots": no_slots(ones)}
    yield Case("one review of one word", **as_arguments(join([[0]])), **given, **EXAMPLE)
    yield from small_steps(draw, "review", draw_params, 2)


@train_step.cases
def train_step_cases(draw):
    for case in steps(draw):
        given = dict(case.arguments)
        x = multi_hot(given.pop("ids"), given.pop("offsets"), len(given["params"][0]))
        yield Case(case.rationale, hidden=case.hidden, x=x, **given)
    keras = run(NAME)
    batch = keras.first_batch
    yield keras.step_case(x=keras.prepared.x_train[batch], labels=keras.labels[batch])


sparse_step = chapter.exercise(
    "sparse_step",
    points=3,
    returns="loss",
    changes=("params", "slots"),
    compiled=False,
    requires=(
        "sparse_forward",
        "first_layer_step",
        "upper_forward",
        "upper_backward",
        "ch04_losses.binary_crossentropy",
        "ch06_optimizers.rmsprop_step",
    ),
    whole=True,
)


@sparse_step.cases
def sparse_step_cases(draw):
    yield from steps(draw)
    yield recorded_step(run(NAME))


def goes_back_through_the_sigmoid(training, x, labels, params, slots, lr, rho, eps):
    probabilities, first, second = forward(x, params)
    dlogits = slopes(labels, probabilities) * probabilities * (1 - probabilities)
    dscores, *above = backward(dlogits, first, second, params)
    for part in zip(params, (x.T @ dscores, dscores.sum(axis=0), *above), slots, strict=True):
        rmsprop(*part, lr, rho, eps)
    return loss_of(labels, probabilities)


def keeps_labels_turned(training, x, labels, params, slots, lr, rho, eps):
    return training.step(x, 1 - labels, params, slots, lr, rho, eps)


OWN_STEP_MISTAKES: Mistakes = (
    (
        "You multiplied the gradient by p * (1 - p). (probabilities - labels) / n has been through the sigmoid.",
        goes_back_through_the_sigmoid,
    ),
    (
        "You exchanged praise and slating. Label 1 is praise, and the network's answer is its probability.",
        keeps_labels_turned,
    ),
    (
        "You divided by the number of words. The first layer's score is a sum over the review's words.",
        averages_the_words,
    ),
)


def dense_mistake(wrong):
    def mistake(x, labels, params, slots, lr, rho, eps):
        return wrong(training, x, labels, params, slots, lr, rho, eps)

    return mistake


share((*STEP_MISTAKES, *OWN_STEP_MISTAKES), dense_mistake, train_step)
share((*STEP_MISTAKES, *OWN_STEP_MISTAKES), training.step_mistake, sparse_step)


@sparse_step.mistake("You moved only the words of the batch. The slots of the others shrink all the same: times rho.")
def leaves_absent_words(ids, offsets, labels, params, slots, lr, rho, eps):
    x = multi_hot(ids, offsets, len(params[0]))
    absent = ~x.any(axis=0)
    before = slots[0][absent]
    loss = training.step(x, labels, params, slots, lr, rho, eps)
    slots[0][absent] = before
    return loss


@train_step.keras_twin
def train_step_in_keras(keras, x, labels, params, slots, lr, rho, eps):
    return step_down(keras, x, labels, params, slots, lr, rho, eps)


@sparse_step.keras_twin
def sparse_step_in_keras(keras, ids, offsets, labels, params, slots, lr, rho, eps):
    return step_down(keras, multi_hot(ids, offsets, len(params[0])), labels, params, slots, lr, rho, eps)


def step_down(keras, x, labels, params, slots, lr, rho, eps, penalty=None, drop=None):
    """One step of Keras's RMSprop with the gradients of Keras's loss: the loss before it, parameters and slots.

    Parameters
    ----------
    penalty : of the parameters, added to the loss
    drop : of a hidden layer's number and output, what is left of it
    """

    def layer(number, inputs, w, b):
        outputs = keras.ops.relu(keras.ops.matmul(inputs, w) + b)
        return drop(number, outputs) if drop else outputs

    def loss(w1, b1, w2, b2, w3, b3):
        second = layer(1, layer(0, x, w1, b1), w2, b2)
        mean = crossentropy_in_keras(keras, labels, keras.ops.sigmoid(keras.ops.matmul(second, w3) + b3))
        return mean + penalty(w1, w2) if penalty else mean

    return step_in_keras(keras, loss, params, slots, lr, rho, eps)


# --- distinct_words -------------------------------------------------------------------------------------------------

distinct_words = chapter.exercise("distinct_words", points=2, returns=("words", "bounds"), tolerance=EXACT)


@distinct_words.cases
def distinct_words_cases(draw):
    tiny = {"ids": np.array([3, 1, 3, 0]), "offsets": np.array([0, 3, 3, 4])}
    yield Case("a repeated word, an empty review", **tiny, dimension=5)
    yield Case("reviews that share words", **as_arguments(join([[4, 2, 4], [2, 4], [4, 0, 2, 2]])), dimension=5)
    yield Case("many repetitions", **as_arguments(draw_texts(draw, (9, 12, 6), 4)), dimension=4)
    part = middle(draw_texts(draw, (5, 8, 0, 7, 3, 4), WORDS), 2)
    yield Case("a part of a collection", **as_arguments(part), dimension=WORDS)
    yield Case("all words are distinct", **as_arguments(draw_distinct(draw, (4, 7, 2), WORDS)), dimension=WORDS)
    yield Case("the same word again and again", **as_arguments(join([[2] * 5, [2], []])), dimension=3, hidden=True)
    yield Case(
        "a word that closes one review and opens the next",
        **as_arguments(join([[1, 0], [0, 1]])),
        dimension=2,
        hidden=True,
    )
    yield Case("no reviews", **as_arguments(join([])), dimension=3, hidden=True)


def once(words):
    """The words in the order in which they come first."""
    return list(dict.fromkeys(words.tolist()))


@distinct_words.mistake("You left out words that an *earlier* review has. Each review keeps each of its words once.")
def keeps_words_for_the_first_review(ids, offsets, dimension):
    seen = set()
    texts = []
    for words in split(ids, offsets):
        texts.append([word for word in once(words) if word not in seen])
        seen |= set(words.tolist())
    return join(texts)


@distinct_words.mistake("You sorted the words. They stay in the order in which they come first.")
def sorts_the_words(ids, offsets, dimension):
    return join([np.unique(words) for words in split(ids, offsets)])


@distinct_words.mistake("You only left out a word that follows itself. It may come again later in the review.")
def compares_with_the_word_before(ids, offsets, dimension):
    return join([[a for k, a in enumerate(words) if k == 0 or a != words[k - 1]] for words in split(ids, offsets)])


@distinct_words.mistake("You kept each word where it comes last. It is asked for where it comes first.")
def keeps_the_last_place(ids, offsets, dimension):
    return join([once(words[::-1])[::-1] for words in split(ids, offsets)])


@distinct_words.mistake("You left out every word that stands twice. Once it stays.")
def drops_repeated_words(ids, offsets, dimension):
    return join([[a for a in words if (words == a).sum() == 1] for words in split(ids, offsets)])


@distinct_words.mistake(
    "You returned the old offsets. The reviews are shorter now: bounds tell where they are in words."
)
def keeps_the_offsets(ids, offsets, dimension):
    return distinct(ids, offsets)[0], offsets.copy()


@distinct_words.mistake("You assumed that the first review begins at 0. It begins at offsets[0].")
def takes_the_whole_collection(ids, offsets, dimension):
    return distinct(ids, offsets - offsets[0])


@distinct_words.mistake("You returned all words as they were. A word that stands twice in a review is left out.")
def keeps_everything(ids, offsets, dimension):
    return join(split(ids, offsets))


# --- add_rows -------------------------------------------------------------------------------------------------------

add_rows = chapter.exercise("add_rows", points=2, returns=(), changes="total")


@add_rows.cases
def add_rows_cases(draw):
    tiny = {
        "table": draw.array([[1, 2], [10, 20], [100, 200]]),
        "rows": np.array([2, 0, 2]),
        "total": draw.array([5, 5]),
    }
    yield Case("three rows, one of them twice", **tiny)
    for count, width, secret in (
        (4, 3, False),
        (0, 3, False),
        (5, 2, False),
        (6, 5, False),
        (7, 4, True),
        (1, 1, True),
        (9, 6, True),
    ):
        given = {"table": draw.normal(8, width), "rows": draw.integers(0, 8, count), "total": draw.normal(width)}
        yield Case(f"{count} rows, {width} wide", hidden=secret, **given)
    given = {"table": draw.normal(13, 3), "rows": draw.order(13), "total": draw.normal(3)}
    yield Case("every row once, in another order", **given)


@add_rows.mistake("You went by fours and lost what was left over. One, two or three rows may remain: add them too.")
def loses_the_rest(table, rows, total):
    total += table[rows[: len(rows) // 4 * 4]].sum(axis=0)


@add_rows.mistake("You began the total anew. Add to what is there already.")
def begins_anew(table, rows, total):
    total[...] = table[rows].sum(axis=0)


@add_rows.mistake("You added the first rows of the table. `rows` tells which ones: table[rows[k]].")
def ignores_which_rows(table, rows, total):
    total += table[np.arange(len(rows)) % len(table)].sum(axis=0)


@add_rows.mistake("You added every row once. One that is named twice counts twice.")
def adds_each_once(table, rows, total):
    total += table[np.unique(rows)].sum(axis=0)


@add_rows.mistake("You added the mean of the rows. It is their sum.")
def adds_the_mean(table, rows, total):
    total += table[rows].sum(axis=0) / np.float32(max(len(rows), 1))


@add_rows.mistake("You changed a copy, and the total is what it was. Write into the array itself: total[j] += row[j].")
def changes_a_copy(table, rows, total):
    total = total + table[rows].sum(axis=0)


@add_rows.mistake("You skipped the first row of the list. It begins at rows[0].")
def skips_the_first(table, rows, total):
    total += table[rows[1:]].sum(axis=0)


@add_rows.keras_twin
def add_rows_in_keras(keras, table, rows, total):
    return (keras.ops.sum(keras.ops.take(table, rows, axis=0), axis=0) + total,)


# --- sparse_forward -------------------------------------------------------------------------------------------------

sparse_forward = chapter.exercise("sparse_forward", points=2, returns="scores", requires=("add_rows",))


@sparse_forward.cases
def sparse_forward_cases(draw):
    w = draw.array([[1, 2], [10, 20], [100, 200]])
    yield Case("two words, an empty review", **as_arguments(join([[2], [], [0]])), w=w, b=draw.array([5, 5]))
    for rationale, lengths, units, secret in (
        ("reviews of different lengths", (4, 1, 7, 3), 5, False),
        ("one unit", (2, 6), 1, False),
        ("more units than words", (5, 9, 2), 11, True),
        ("no reviews", (), 3, True),
    ):
        texts = draw_distinct(draw, lengths, WORDS)
        yield Case(rationale, hidden=secret, **as_arguments(texts), w=draw.normal(WORDS, units), b=draw.normal(units))
    part = middle(draw_distinct(draw, (3, 5, 2, 8, 4), WORDS), 2)
    yield Case("a part of a collection", **as_arguments(part), w=draw.normal(WORDS, 4), b=draw.normal(4))
    many = draw_distinct(draw, draw.integers(0, 60, 100).tolist(), 80)
    yield Case("a hundred reviews", large=True, **as_arguments(many), w=draw.normal(80, 16), b=draw.normal(16))


@sparse_forward.mistake("You left out the bias. Every score begins with its unit's.")
def forgets_the_bias(ids, offsets, w, b):
    return multi_hot(ids, offsets, len(w)) @ w


@sparse_forward.mistake("You took the mean over the words. A multi-hot row times w is their sum.")
def takes_the_mean(ids, offsets, w, b):
    rows = multi_hot(ids, offsets, len(w))
    return (rows / np.maximum(rows.sum(axis=1, keepdims=True), 1)) @ w + b


@sparse_forward.mistake("You cut the scores at zero. The ReLU comes after this layer: return what it will be given.")
def applies_relu(ids, offsets, w, b):
    return np.maximum(multi_hot(ids, offsets, len(w)) @ w + b, 0)


@sparse_forward.mistake("You assumed that the first review begins at 0. It begins at offsets[0].")
def sums_from_zero(ids, offsets, w, b):
    return multi_hot(ids, offsets - offsets[0], len(w)) @ w + b


@sparse_forward.mistake("You added the bias once per word. It belongs to the score once.")
def adds_the_bias_per_word(ids, offsets, w, b):
    rows = multi_hot(ids, offsets, len(w))
    return rows @ w + b * rows.sum(axis=1, keepdims=True)


@sparse_forward.mistake("You went on adding to the review before. Every review begins with the bias alone.")
def runs_on(ids, offsets, w, b):
    return np.cumsum(multi_hot(ids, offsets, len(w)) @ w, axis=0, dtype=np.float32) + b


@sparse_forward.keras_twin
def sparse_forward_in_keras(keras, ids, offsets, w, b):
    return keras.ops.matmul(multi_hot(ids, offsets, len(w)), w) + b


# --- inverted_index -------------------------------------------------------------------------------------------------

inverted_index = chapter.exercise("inverted_index", points=3, returns=("texts", "starts"), tolerance=EXACT)


@inverted_index.cases
def inverted_index_cases(draw):
    yield Case("three reviews, one of them empty", **as_arguments(join([[3, 1], [], [0, 3]])), dimension=5)
    yield Case("reviews that share words", **as_arguments(draw_distinct(draw, (6, 4, 8, 5), WORDS)), dimension=WORDS)
    part = middle(draw_distinct(draw, (4, 7, 3, 5, 2, 6), WORDS), 2)
    yield Case("a part of a collection", **as_arguments(part), dimension=WORDS)
    yield Case("the last words do not occur", **as_arguments(draw_distinct(draw, (3, 5, 4), 6)), dimension=8)
    yield Case(
        "every review has every word", **as_arguments(draw_distinct(draw, (4, 4, 4), 4)), dimension=4, hidden=True
    )
    yield Case("no reviews", **as_arguments(join([])), dimension=3, hidden=True)


def index_of(ids, offsets, dimension):
    rows = multi_hot(ids, offsets, dimension)
    return [np.flatnonzero(column) for column in rows.T]


@inverted_index.mistake(
    "Your third walk moved starts itself, so that it tells where each word's reviews end. Let it move a copy."
)
def moves_the_starts(ids, offsets, dimension):
    texts, starts = join(index_of(ids, offsets, dimension))
    return texts, np.append(starts[1:], starts[-1])


@inverted_index.mistake("The reviews of a word come in descending order. Go through the collection from its beginning.")
def walks_backwards(ids, offsets, dimension):
    return join([texts[::-1] for texts in index_of(ids, offsets, dimension)])


@inverted_index.mistake(
    "You noted places in ids. Note the number of the review: i, where ids[offsets[i] : …] has the word."
)
def notes_places(ids, offsets, dimension):
    return join([offsets[0] + np.flatnonzero(ids[offsets[0] : offsets[-1]] == word) for word in range(dimension)])


@inverted_index.mistake("You counted the reviews from 1. The first one has the number 0.")
def counts_from_one(ids, offsets, dimension):
    return join([texts + 1 for texts in index_of(ids, offsets, dimension)])


@inverted_index.mistake("You forgot to add up: starts holds how many reviews each word has, not where they begin.")
def returns_counts(ids, offsets, dimension):
    texts, starts = join(index_of(ids, offsets, dimension))
    return texts, np.append(0, np.diff(starts))


@inverted_index.mistake("You assumed that the first review begins at 0. It begins at offsets[0].")
def indexes_the_beginning(ids, offsets, dimension):
    return join(index_of(ids, offsets - offsets[0], dimension))


@inverted_index.mistake("You left out word 0, or the last one. Every word from 0 to dimension - 1 has its place.")
def leaves_out_word_zero(ids, offsets, dimension):
    words = index_of(ids, offsets, dimension)
    return join([[], *words[1:]])


# --- first_layer_step -----------------------------------------------------------------------------------------------

first_layer_step = chapter.exercise(
    "first_layer_step", points=4, returns=(), changes=("w", "slot"), requires=("inverted_index", "add_rows")
)


@first_layer_step.cases
def first_layer_step_cases(draw):
    tiny = {"dscores": draw.array([[2]]), **as_arguments(join([[1]])), "w": draw.array([[1], [1]])}
    yield Case("one review, two words", **tiny, slot=draw.array([[0.4], [0]]), lr=0.1, rho=0.75, eps=1e-7, l2=0.0)
    for rationale, lengths, units, lr, rho, eps, l2, secret in (
        ("no penalty", (4, 1, 7, 3), 5, 0.01, 0.9, 1e-7, 0.0, False),
        ("a penalty, and words that no review has", (2, 4), 3, 0.01, 0.9, 1e-7, 0.05, False),
        ("another rate, another memory, a large epsilon", (5, 2, 6, 3, 4), 4, 0.5, 0.6, 0.01, 0.3, False),
        ("one unit, an empty review", (3, 0, 5), 1, 0.2, 0.8, 1e-4, 0.01, True),
        ("a penalty alone: no reviews", (), 2, 0.1, 0.5, 1e-7, 0.2, True),
    ):
        texts = as_arguments(draw_distinct(draw, lengths, WORDS))
        yield layer_case(draw, rationale, texts, units, lr=lr, rho=rho, eps=eps, l2=l2, hidden=secret)
    part = as_arguments(middle(draw_distinct(draw, (3, 5, 2, 8, 4), WORDS), 2))
    yield layer_case(draw, "a part of a collection", part, 4, lr=0.05, rho=0.7, eps=1e-6, l2=0.0)
    some = as_arguments(draw_distinct(draw, (40, 25), 150))
    yield layer_case(draw, "more words than parts", some, 2, 150, lr=0.02, rho=0.8, eps=1e-5, l2=0.03)
    many = as_arguments(draw_distinct(draw, draw.integers(0, 60, 100).tolist(), 150))
    yield layer_case(draw, "a hundred reviews", many, 16, 150, lr=0.01, rho=0.9, eps=1e-7, l2=0.01, large=True)


def layer_case(draw, rationale, texts, units, words=WORDS, lr=0.01, rho=0.9, eps=1e-7, l2=0.0, **flags):
    given = {"dscores": draw.normal(len(texts["offsets"]) - 1, units, scale=0.3), **texts}
    given |= {"w": draw.normal(words, units), "slot": draw.uniform(0.0, 0.02, words, units)}
    return Case(rationale, **flags, **given, lr=lr, rho=rho, eps=eps, l2=l2)


def layer_gradient(dscores, ids, offsets, w, l2):
    return multi_hot(ids, offsets, len(w)).T @ dscores + np.float32(2 * l2) * w


@first_layer_step.mistake(
    "You moved only the words that occur. The slots of the others shrink, and a penalty pulls at them."
)
def leaves_words_that_no_review_has(dscores, ids, offsets, w, slot, lr, rho, eps, l2):
    absent = ~multi_hot(ids, offsets, len(w)).any(axis=0)
    before = w[absent], slot[absent]
    rmsprop(w, layer_gradient(dscores, ids, offsets, w, l2), slot, lr, rho, eps)
    w[absent], slot[absent] = before


@first_layer_step.mistake("The penalty pulls only at your words that occur. It is a price on all weights of the layer.")
def pulls_at_words_that_occur(dscores, ids, offsets, w, slot, lr, rho, eps, l2):
    present = multi_hot(ids, offsets, len(w)).any(axis=0)
    gradient = layer_gradient(dscores, ids, offsets, w, 0.0)
    gradient[present] += np.float32(2 * l2) * w[present]
    rmsprop(w, gradient, slot, lr, rho, eps)


@first_layer_step.mistake("You left out the penalty. Its gradient, 2 * l2 * w, belongs to the gradient of w.")
def forgets_the_penalty(dscores, ids, offsets, w, slot, lr, rho, eps, l2):
    rmsprop(w, layer_gradient(dscores, ids, offsets, w, 0.0), slot, lr, rho, eps)


@first_layer_step.mistake("The factor 2 of the penalty is missing: the slope of l2 * w² is 2 * l2 * w.")
def forgets_the_two(dscores, ids, offsets, w, slot, lr, rho, eps, l2):
    rmsprop(w, layer_gradient(dscores, ids, offsets, w, l2 / 2), slot, lr, rho, eps)


@first_layer_step.mistake(
    "You took the penalty off the weights directly. It belongs to the gradient, and into the slot."
)
def decays_the_weights_apart(dscores, ids, offsets, w, slot, lr, rho, eps, l2):
    pull = np.float32(lr * 2 * l2) * w
    rmsprop(w, layer_gradient(dscores, ids, offsets, w, 0.0), slot, lr, rho, eps)
    w -= pull


@first_layer_step.mistake("You divided by the number of reviews. dscores comes from a mean already.")
def averages_again(dscores, ids, offsets, w, slot, lr, rho, eps, l2):
    n = np.float32(max(len(dscores), 1))
    rmsprop(w, layer_gradient(dscores / n, ids, offsets, w, l2), slot, lr, rho, eps)


@first_layer_step.mistake(
    "Only the last review of each word counts with you. A word's gradient is the sum over its reviews."
)
def keeps_the_last_review(dscores, ids, offsets, w, slot, lr, rho, eps, l2):
    gradient = np.zeros_like(w)
    for upstream, words in zip(dscores, split(ids, offsets), strict=True):
        gradient[words] = upstream
    rmsprop(w, gradient + np.float32(2 * l2) * w, slot, lr, rho, eps)


@first_layer_step.mistake(
    "You stepped once for every review that has the word. Sum its gradient first, then make one step."
)
def steps_once_per_review(dscores, ids, offsets, w, slot, lr, rho, eps, l2):
    for upstream, words in zip(dscores, split(ids, offsets), strict=True):
        gradient = np.zeros_like(w)
        gradient[words] = upstream
        rmsprop(w, gradient + np.float32(2 * l2) * w, slot, lr, rho, eps)


@first_layer_step.mistake(
    "You updated a copy of the slot. It must change in place, or the next step has forgotten this one."
)
def forgets_the_slot(dscores, ids, offsets, w, slot, lr, rho, eps, l2):
    rmsprop(w, layer_gradient(dscores, ids, offsets, w, l2), slot.copy(), lr, rho, eps)


@first_layer_step.mistake(
    "You stepped with lr * gradient: plain gradient descent. RMSprop divides by the root of its slot."
)
def steps_plainly(dscores, ids, offsets, w, slot, lr, rho, eps, l2):
    gradient = layer_gradient(dscores, ids, offsets, w, l2)
    slot *= np.float32(rho)
    slot += np.float32(1 - rho) * gradient * gradient
    w -= np.float32(lr) * gradient


@first_layer_step.mistake("You exchanged rho and 1 - rho. rho is the share of the slot that is kept.")
def swaps_rho(dscores, ids, offsets, w, slot, lr, rho, eps, l2):
    rmsprop(w, layer_gradient(dscores, ids, offsets, w, l2), slot, lr, 1 - rho, eps)


@first_layer_step.mistake("You added eps after the root. In Keras it stands inside: sqrt(slot + eps).")
def adds_epsilon_outside(dscores, ids, offsets, w, slot, lr, rho, eps, l2):
    gradient = layer_gradient(dscores, ids, offsets, w, l2)
    slot *= np.float32(rho)
    slot += np.float32(1 - rho) * gradient * gradient
    w -= np.float32(lr) * gradient / (np.sqrt(slot) + np.float32(eps))


@first_layer_step.keras_twin
def first_layer_step_in_keras(keras, dscores, ids, offsets, w, slot, lr, rho, eps, l2):
    penalty = keras.gradient(keras.module.regularizers.L2(l2), None, w)
    gradient = keras.ops.matmul(multi_hot(ids, offsets, len(w)).T, dscores) + penalty
    (w,), (slot,) = apply_in_keras(keras, (w,), (gradient,), (slot,), lr, rho, eps)
    return w, slot


# --- predict --------------------------------------------------------------------------------------------------------

predict = chapter.exercise(
    "predict",
    points=2,
    returns="probabilities",
    compiled=False,
    requires=("distinct_words", "sparse_forward", "upper_forward"),
    whole=True,
)


@predict.cases
def predict_cases(draw):
    tiny = (draw.array([[1], [-2], [3]]), *all_ones(draw)[1:])
    yield Case("three reviews, one repeats a word", **as_arguments(join([[0, 0], [1, 2], []])), params=tiny)
    yield from small_predictions(draw, "review", draw_params)
    keras = run(NAME)
    reviews = keras.data.x_test
    yield keras.prediction_case(f"answers to {len(reviews):,} reviews", ids=reviews.ids, offsets=reviews.offsets)


@predict.mistake("You counted the words. A word that stands twice is still one word: distinct_words first.")
def predicts_from_counts(ids, offsets, params):
    return forward(word_counts(ids, offsets, len(params[0])), params)[0]


@predict.mistake("You returned the scores before the sigmoid. Probabilities are asked for.")
def predicts_scores(ids, offsets, params):
    return upper(lower(multi_hot(ids, offsets, len(params[0])), params), params)[0]


@predict.mistake("You returned yes or no. The probability is asked for; whoever wants an answer compares it with 0.5.")
def rounds_the_answer(ids, offsets, params):
    return (forward(multi_hot(ids, offsets, len(params[0])), params)[0] > 0.5).astype(np.float32)


@predict.mistake("You applied the sigmoid to probabilities. upper_forward has done it already.")
def predicts_through_two_sigmoids(ids, offsets, params):
    return sigmoid(forward(multi_hot(ids, offsets, len(params[0])), params)[0])


@predict.mistake("There is no ReLU after your first layer. sparse_forward returns the scores before it.")
def predicts_without_relu(ids, offsets, params):
    scores = multi_hot(ids, offsets, len(params[0])) @ params[0] + params[1]
    return sigmoid(upper(scores, params)[0])


@predict.mistake("You switched half of the units off, or scaled by a half, as if in training. At test time all are on.")
def scales_at_test_time(ids, offsets, params):
    first = lower(multi_hot(ids, offsets, len(params[0])), params) * np.float32(0.5)
    _, _, w2, b2, w3, b3 = params
    second = np.maximum(first @ w2 + b2, 0) * np.float32(0.5)
    return sigmoid(second @ w3 + b3)


@predict.mistake("You returned the second layer's units. upper_forward returns the probabilities first, then those.")
def returns_the_second_layer(ids, offsets, params):
    return forward(multi_hot(ids, offsets, len(params[0])), params)[2]


@predict.mistake("You returned the probability of a slating. Label 1 is praise, and so is a probability of 1.")
def turns_the_answer(ids, offsets, params):
    return 1 - forward(multi_hot(ids, offsets, len(params[0])), params)[0]


@predict.keras_twin
def predict_in_keras(keras, ids, offsets, params):
    scores = sparse_forward_in_keras(keras, ids, offsets, *params[:2])
    return upper_forward_in_keras(keras, keras.ops.relu(scores), params)[0]


# --- take_texts -----------------------------------------------------------------------------------------------------

take_texts = chapter.exercise("take_texts", points=2, returns=("words", "bounds"), tolerance=EXACT)


@take_texts.cases
def take_texts_cases(draw):
    tiny = {"ids": np.array([5, 8, 2, 7, 3, 3]), "offsets": np.array([0, 3, 4, 6]), "chosen": np.array([2, 0])}
    yield Case("the last review, then the first", **tiny)
    yield Case("all, in another order", **as_arguments(draw_texts(draw, (4, 1, 6, 3), 20)), chosen=draw.order(4))
    yield Case(
        "a few, one of them twice", **as_arguments(draw_texts(draw, (2, 5, 3, 4), 20)), chosen=np.array([3, 1, 3])
    )
    part = middle(draw_texts(draw, (3, 6, 2, 5, 4), 20), 1)
    yield Case("of a part of a collection", **as_arguments(part), chosen=np.array([2, 0]))
    yield Case(
        "empty reviews", **as_arguments(draw_texts(draw, (0, 4, 0, 2), 9)), chosen=np.array([0, 3, 2, 1]), hidden=True
    )
    yield Case("none", **as_arguments(draw_texts(draw, (3, 2), 9)), chosen=np.zeros(0, np.int64), hidden=True)


@take_texts.mistake("You took the reviews in the order of the collection. `chosen` tells the order too.")
def sorts_the_chosen(ids, offsets, chosen):
    return join([split(ids, offsets)[i] for i in np.sort(chosen)])


@take_texts.mistake("You took as many reviews from the beginning. `chosen` tells which ones.")
def takes_the_first(ids, offsets, chosen):
    return join([split(ids, offsets)[i] for i in range(len(chosen))])


@take_texts.mistake(
    "Your bounds are those of the old collection. The reviews have moved together: add up their lengths."
)
def keeps_old_bounds(ids, offsets, chosen):
    texts = [split(ids, offsets)[i] for i in chosen]
    return join(texts)[0], np.append(offsets[chosen], sum(map(len, texts)))


@take_texts.mistake(
    "Your bounds are the lengths of the reviews. Add them up: each begins where the one before it ends."
)
def returns_lengths(ids, offsets, chosen):
    texts = [split(ids, offsets)[i] for i in chosen]
    return join(texts)[0], np.array([0, *map(len, texts)])


@take_texts.mistake("You took every review once. One that is chosen twice comes twice.")
def takes_each_once(ids, offsets, chosen):
    return join([split(ids, offsets)[i] for i in dict.fromkeys(chosen.tolist())])


@take_texts.mistake("You assumed that the collection begins at 0. It begins at offsets[0].")
def takes_from_zero(ids, offsets, chosen):
    return join([split(ids, offsets - offsets[0])[i] for i in chosen])


# --- train_epoch ----------------------------------------------------------------------------------------------------

train_epoch = chapter.exercise(
    "train_epoch",
    points=3,
    returns="losses",
    changes=("params", "slots"),
    compiled=False,
    requires=("take_texts", "sparse_step"),
    whole=True,
)


@train_epoch.cases
def train_epoch_cases(draw):
    params = draw_params(draw, 3, (2, 2))
    given = {"labels": np.array([0, 1, 1]), "params": params, "slots": no_slots(params), "order": np.array([2, 0, 1])}
    tiny = {**as_arguments(join([[0], [1, 2], [2]])), **given}
    yield Case("three reviews in batches of two", **tiny, batch_size=2, **EXAMPLE)
    yield from small_epochs(draw, "review", draw_params, draw_reviews)
    yield recorded_epoch(run(NAME))


def draw_reviews(draw, n):
    return draw_labelled(draw, n, 2)


share(EPOCH_MISTAKES, training.epoch_mistake, train_epoch)


@train_epoch.keras_twin
def train_epoch_in_keras(keras, ids, offsets, labels, params, slots, order, batch_size, lr, rho, eps):
    return epoch_in_keras(step_down, keras, ids, offsets, labels, params, slots, order, batch_size, lr, rho, eps)


# --- train ----------------------------------------------------------------------------------------------------------

train = chapter.exercise(
    "train",
    points=4,
    returns=("w1", "b1", "w2", "b2", "w3", "b3"),
    compiled=False,
    requires=("distinct_words", "train_epoch", "ch05_dense.glorot_uniform"),
    whole=True,
)


@train.cases
def train_cases(draw):
    networks = [{"dimension": WORDS, "units": units} for units in ((2, 3), (4, 2), UNITS, (3, 6))]
    yield from small_trainings(draw, "review", draw_reviews_with_repetitions, networks)
    keras = run(NAME)
    yield recorded_training(keras, f"{len(keras.data.x_test):,} reviews to judge", MARGIN, test_accuracy)


def draw_reviews_with_repetitions(draw, n):
    return draw_labelled_texts(draw, n, 2)


def test_accuracy(params):
    """The share of the test reviews that a network with these parameters judges rightly."""
    return run(NAME).metric(forward, params)


@train.mistake("You drew the upper layers' weights before the first one's. Then the same seed gives another network.")
def draws_from_the_top(ids, offsets, labels, rng, dimension, units, epochs, batch_size):
    params, slots = start(rng, dimension, *units, 1, from_the_top=True)
    return training.train(multi_hot(ids, offsets, dimension), labels, params, slots, rng, epochs, batch_size)


@train.mistake("You trained on reviews that repeat words. A repeated word counts once: distinct_words comes first.")
def trains_on_counts(ids, offsets, labels, rng, dimension, units, epochs, batch_size):
    params, slots = start(rng, dimension, *units, 1)
    return training.train(word_counts(ids, offsets, dimension), labels, params, slots, rng, epochs, batch_size)


share(TRAIN_MISTAKES, training.train_mistake, train)


# --- l2_step --------------------------------------------------------------------------------------------------------

l2_step = chapter.exercise(
    "l2_step",
    points=2,
    returns="loss",
    changes=("params", "slots"),
    compiled=False,
    requires=(
        "sparse_forward",
        "first_layer_step",
        "upper_forward",
        "upper_backward",
        "ch04_losses.binary_crossentropy",
        "ch06_optimizers.rmsprop_step",
        "ch09_regularization.l2_penalty",
        "ch09_regularization.l2_gradient",
    ),
    whole=True,
)


@l2_step.cases
def l2_step_cases(draw):
    strengths = (0.1, 0.01, 0.001, 0.05, 0.02, 0.2)
    for case, l2 in zip(steps(draw), strengths, strict=True):
        yield Case(case.rationale, hidden=case.hidden, **case.arguments, l2=l2)


def penalized(x, labels, params, slots, lr, rho, eps, l2, paid=(0, 2), in_loss=True, in_gradient=True):
    """A step with a price on the parameters `paid`."""
    loss, (*found,) = training.gradients(x, labels, params)
    for at in paid:
        loss += l2 * float(np.sum(params[at].astype(np.float64) ** 2)) if in_loss else 0
        found[at] = found[at] + np.float32(2 * l2) * params[at] if in_gradient else found[at]
    for part in zip(params, found, slots, strict=True):
        rmsprop(*part, lr, rho, eps)
    return loss


def l2_mistake(wrong):
    def mistake(ids, offsets, labels, params, slots, lr, rho, eps, l2):
        return wrong(multi_hot(ids, offsets, len(params[0])), labels, params, slots, lr, rho, eps, l2)

    return mistake


def reports_without_the_penalty(*step):
    return penalized(*step, in_loss=False)


def penalizes_the_report_only(*step):
    return penalized(*step, in_gradient=False)


def leaves_out_the_penalty(*step):
    return penalized(*step, paid=())


def halves_the_penalty(*step):
    return penalized(*step[:-1], step[-1] / 2)


def penalizes_the_biases(*step):
    return penalized(*step, paid=(0, 1, 2, 3))


def penalizes_the_last_layer(*step):
    return penalized(*step, paid=(0, 2, 4))


def penalizes_one_layer(*step):
    return penalized(*step, paid=(0,))


def averages_the_penalty(*step):
    return penalized(*step[:-1], step[-1] / len(step[1]))


def reports_the_penalty_after(x, labels, params, slots, lr, rho, eps, l2):
    loss = penalized(x, labels, params, slots, lr, rho, eps, l2, in_loss=False)
    return loss + l2 * float(np.sum(params[0] ** 2) + np.sum(params[2] ** 2))


L2_MISTAKES: Mistakes = (
    ("You pulled at the weights but reported the bare loss. The penalty is part of it.", reports_without_the_penalty),
    (
        "You added the penalty to the loss only. The weights feel it through their gradient: 2 * l2 * w.",
        penalizes_the_report_only,
    ),
    (
        "You left out the penalty. It belongs to the loss, and its gradient to the gradients of w1 and w2.",
        leaves_out_the_penalty,
    ),
    ("You halved the penalty. Keras's is l2 * the sum of w², without a half.", halves_the_penalty),
    ("You penalized the biases too. A kernel_regularizer is for the weights alone.", penalizes_the_biases),
    ("You penalized the last layer too. The lecture's has no regularizer: w1 and w2 pay.", penalizes_the_last_layer),
    ("You penalized the first layer only. w2 pays as well.", penalizes_one_layer),
    (
        "You divided the penalty by the number of reviews. It is a sum over weights, whatever the batch.",
        averages_the_penalty,
    ),
    (
        "You took the penalty of the weights after the step. The loss belongs to the weights before it.",
        reports_the_penalty_after,
    ),
)

share(L2_MISTAKES, l2_mistake, l2_step)


@l2_step.keras_twin
def l2_step_in_keras(keras, ids, offsets, labels, params, slots, lr, rho, eps, l2):
    regularizer = keras.module.regularizers.L2(l2)
    x = multi_hot(ids, offsets, len(params[0]))
    return step_down(
        keras, x, labels, params, slots, lr, rho, eps, penalty=lambda w1, w2: regularizer(w1) + regularizer(w2)
    )


# --- dropout_step ---------------------------------------------------------------------------------------------------

dropout_step = chapter.exercise(
    "dropout_step",
    points=3,
    returns="loss",
    changes=("params", "slots"),
    compiled=False,
    requires=(
        "sparse_forward",
        "first_layer_step",
        "ch03_activations.relu",
        "ch03_activations.sigmoid",
        "ch03_activations.relu_backward",
        "ch04_losses.binary_crossentropy",
        "ch05_dense.dense_forward",
        "ch05_dense.dense_backward",
        "ch06_optimizers.rmsprop_step",
        "ch09_regularization.dropout_forward",
        "ch09_regularization.dropout_backward",
    ),
    whole=True,
)


@dropout_step.cases
def dropout_step_cases(draw):
    rates = (0.5, 0.3, 0.25, 0.5, 0.0, 0.4)
    for case, rate in zip(steps(draw), rates, strict=True):
        given = case.arguments
        n, widths = len(given["labels"]), (given["params"][1].size, given["params"][3].size)
        uniforms = tuple(draw.uniform(0.0, 1.0, n, width) for width in widths)
        if n == 1 and widths == (1, 1):
            uniforms = (draw.array([[0.7]]), draw.array([[0.7]]))
        yield Case(case.rationale, hidden=case.hidden, **given, rate=rate, uniforms=uniforms)


def dropped(x, labels, params, slots, lr, rho, eps, factors, back=None, left=True):
    """A step in which the two hidden layers are multiplied by `factors`, on the way back by `back`.

    Without `left` the gradients of w2 and w3 are made of the layers as they were before that.
    """
    _, _, w2, b2, w3, b3 = params
    back = factors if back is None else back
    first = lower(x, params)
    kept_first = first * factors[0]
    second = np.maximum(kept_first @ w2 + b2, 0)
    kept_second = second * factors[1]
    probabilities = sigmoid(kept_second @ w3 + b3)
    dlogits = slopes(labels, probabilities)
    dsecond = (dlogits @ w3.T) * back[1] * (second > 0)
    dfirst = (dsecond @ w2.T) * back[0] * (first > 0)
    seen_first, seen_second = (kept_first, kept_second) if left else (first, second)
    found = (x.T @ dfirst, dfirst.sum(axis=0), seen_first.T @ dsecond, dsecond.sum(axis=0))
    for part in zip(params, (*found, seen_second.T @ dlogits, dlogits.sum(axis=0)), slots, strict=True):
        rmsprop(*part, lr, rho, eps)
    return loss_of(labels, probabilities)


def scales(rate, uniforms):
    """What inverted dropout multiplies each layer by."""
    return tuple((layer >= rate) / np.float32(1 - rate) for layer in uniforms)


def dropout_mistake(wrong):
    def mistake(ids, offsets, labels, params, slots, lr, rho, eps, rate, uniforms):
        step = (multi_hot(ids, offsets, len(params[0])), labels, params, slots, lr, rho, eps)
        return wrong(step, np.float32(rate), uniforms)

    return mistake


def drops_nothing(step, rate, uniforms):
    return dropped(*step, tuple(np.ones_like(layer) for layer in uniforms))


def does_not_scale_up(step, rate, uniforms):
    return dropped(*step, tuple((layer >= rate).astype(np.float32) for layer in uniforms))


def scales_by_the_rate(step, rate, uniforms):
    return dropped(*step, tuple((layer >= rate) * np.float32(1 - rate) for layer in uniforms))


def keeps_what_should_go(step, rate, uniforms):
    return dropped(*step, tuple((layer < rate) / np.float32(1 - rate) for layer in uniforms))


def drops_in_the_first_layer_only(step, rate, uniforms):
    first, second = scales(rate, uniforms)
    return dropped(*step, (first, np.ones_like(second)))


def drops_in_the_second_layer_only(step, rate, uniforms):
    first, second = scales(rate, uniforms)
    return dropped(*step, (np.ones_like(first), second))


def goes_back_through_all_units(step, rate, uniforms):
    return dropped(*step, scales(rate, uniforms), tuple(np.ones_like(layer) for layer in uniforms))


def does_not_scale_on_the_way_back(step, rate, uniforms):
    return dropped(*step, scales(rate, uniforms), tuple(layer >= rate for layer in uniforms))


def learns_from_dropped_units(step, rate, uniforms):
    return dropped(*step, scales(rate, uniforms), left=False)


DROPOUT_MISTAKES: Mistakes = (
    ("You dropped nothing. This is a step of the training: units are off where uniforms < rate.", drops_nothing),
    ("You did not scale up what is left. Inverted dropout divides it by 1 - rate.", does_not_scale_up),
    (
        "You multiplied what is left by 1 - rate. That was for test time, and for the other form of dropout: divide.",
        scales_by_the_rate,
    ),
    (
        "You kept what should go, and dropped the rest. A unit is kept where its random number is at least the rate.",
        keeps_what_should_go,
    ),
    (
        "You dropped units of the first layer only. The lecture's network has a Dropout after each hidden layer.",
        drops_in_the_first_layer_only,
    ),
    (
        "You dropped units of the second layer only. The lecture's network has a Dropout after each hidden layer.",
        drops_in_the_second_layer_only,
    ),
    (
        "Your gradient goes back through units that were off. dropout_backward takes the mask of the way forward.",
        goes_back_through_all_units,
    ),
    (
        "You did not scale on the way back. What was divided by 1 - rate forwards is so backwards.",
        does_not_scale_on_the_way_back,
    ),
    (
        "You gave dense_backward the layers before the dropout. The weights saw what was left after it.",
        learns_from_dropped_units,
    ),
)

share(DROPOUT_MISTAKES, dropout_mistake, dropout_step)


@dropout_step.keras_twin
def dropout_step_in_keras(keras, ids, offsets, labels, params, slots, lr, rho, eps, rate, uniforms):
    factors = scales(np.float32(rate), uniforms)
    x = multi_hot(ids, offsets, len(params[0]))
    return step_down(keras, x, labels, params, slots, lr, rho, eps, drop=lambda number, layer: layer * factors[number])

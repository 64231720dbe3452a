"""Evaluation: cases, known mistakes, and scikit-learn where Keras has no twin."""

from __future__ import annotations

import numpy as np

from grader.draw import Function, Generator
from grader.exercise import Case, Chapter

chapter = Chapter("ch08_evaluation", "Evaluation")


# --- hold-out -------------------------------------------------------------------------------------------------------

holdout_split = chapter.exercise("holdout_split", points=1, returns=("train", "val", "test"), compiled=False)


@holdout_split.cases
def holdout_cases(draw):
    yield Case("six samples", n=6, n_val=1, n_test=2, rng=Generator(3))
    yield Case("more to test than to train", n=11, n_val=3, n_test=6, rng=Generator(draw.seed()))
    yield Case("no test set", n=7, n_val=2, n_test=0, rng=Generator(draw.seed()))
    yield Case("no validation set", n=8, n_val=0, n_test=3, rng=Generator(draw.seed()))
    yield Case("nothing left to train", n=5, n_val=2, n_test=3, rng=Generator(draw.seed()), hidden=True)
    yield Case("a hundred samples", n=100, n_val=17, n_test=20, rng=Generator(draw.seed()), hidden=True)
    yield Case("no samples", n=0, n_val=0, n_test=0, rng=Generator(draw.seed()), hidden=True)


def cut_in_three(order, n_val, n_test):
    """(train, val, test) of an order, as they are asked for."""
    return order[n_test + n_val :], order[n_test : n_test + n_val], order[:n_test]


@holdout_split.mistake("You did not shuffle. Data are often stored class by class: draw rng.permutation(n), then cut.")
def cuts_without_shuffling(n, n_val, n_test, rng):
    return cut_in_three(np.arange(n), n_val, n_test)


@holdout_split.mistake(
    "The test set leaked into the validation set: both begin at the front. The validation set starts at n_test."
)
def validates_on_test_samples(n, n_val, n_test, rng):
    order = rng.permutation(n)
    return order[n_test + n_val :], order[:n_val], order[:n_test]


@holdout_split.mistake(
    "The validation set leaked into the training set. Train on what is in neither of the other two: order[n_test + "
    "n_val:]."
)
def trains_on_validation_samples(n, n_val, n_test, rng):
    order = rng.permutation(n)
    return order[n_test:], order[n_test : n_test + n_val], order[:n_test]


@holdout_split.mistake(
    "You drew a new permutation for every set, so they overlap. One permutation is cut into all three."
)
def shuffles_for_every_set(n, n_val, n_test, rng):
    test = rng.permutation(n)[:n_test]
    val = rng.permutation(n)[n_test : n_test + n_val]
    return rng.permutation(n)[n_test + n_val :], val, test


@holdout_split.mistake(
    "You took the training set from the front. That is as good a split, but the convention here is: first the test "
    "set, then validation, then training."
)
def trains_on_the_front(n, n_val, n_test, rng):
    order = rng.permutation(n)
    n_train = n - n_val - n_test
    return order[:n_train], order[n_train : n_train + n_val], order[n_train + n_val :]


@holdout_split.mistake(
    "You took the validation set from the front. The convention here is: first the test set, then validation."
)
def validates_on_the_front(n, n_val, n_test, rng):
    order = rng.permutation(n)
    return order[n_val + n_test :], order[:n_val], order[n_val : n_val + n_test]


@holdout_split.mistake("You returned (test, val, train). The order is train, val, test.")
def returns_test_first(n, n_val, n_test, rng):
    return cut_in_three(rng.permutation(n), n_val, n_test)[::-1]


@holdout_split.mistake("You returned (train, test, val). The order is train, val, test.")
def returns_test_before_val(n, n_val, n_test, rng):
    train, val, test = cut_in_three(rng.permutation(n), n_val, n_test)
    return train, test, val


@holdout_split.mistake(
    "You counted from the end: order[-0:] is everything, not nothing. Count from the front: order[n_test + n_val:]."
)
def counts_from_the_end(n, n_val, n_test, rng):
    order = rng.permutation(n)
    return order[-(n - n_val - n_test) :], order[n_test : n_test + n_val], order[:n_test]


# --- K-fold ---------------------------------------------------------------------------------------------------------


def bounds_of(n, k):
    """(start, stop) of every fold: as even as can be, the larger ones first."""
    stops = np.cumsum([n // k + (fold < n % k) for fold in range(k)])
    return [(int(stop) - n // k - (fold < n % k), int(stop)) for fold, stop in enumerate(stops)]


def joined(before, after):
    return np.concatenate((before, after))


def added(before, after):
    """What + makes of two arrays. Where their lengths do not fit NumPy raises an error, and nothing is compared."""
    try:
        return before + after
    except ValueError:
        return before


def cut_out(rows, bounds, join=joined):
    """(train, val) of one fold."""
    start, stop = bounds
    return join(rows[:start], rows[stop:]), rows[start:stop]


PLUS_ADDS = (
    "You joined the two parts with +, as the lecture's code does. That joins lists, but it adds arrays, element by "
    "element (or fails, where their lengths differ). Join arrays with np.concatenate((before, after))."
)

kfold_data = chapter.exercise("kfold_data", points=1, returns=("train_data", "val_data"), compiled=False)


@kfold_data.cases
def kfold_data_cases(draw):
    yield Case("the middle one of three folds", data=draw.array([[1, 10], [2, 20], [4, 40]]), k=3, fold=1)
    yield Case("the first fold", data=draw.normal(6, 2), k=3, fold=0)
    yield Case("the last fold", data=draw.normal(6, 2), k=3, fold=2)
    for fold in range(4):
        yield Case(f"11 samples in 4 folds, fold {fold}", data=draw.normal(11, 3), k=4, fold=fold)
    yield Case("the middle of 9", data=draw.normal(9, 2), k=3, fold=1, hidden=True)
    yield Case("every sample its own fold", data=draw.normal(5, 1), k=5, fold=3, hidden=True)
    yield Case("one sample more than folds", data=draw.normal(6, 2), k=5, fold=4, hidden=True)


@kfold_data.mistake(PLUS_ADDS)
def adds_the_parts(data, k, fold):
    return cut_out(data, bounds_of(len(data), k)[fold], join=added)


@kfold_data.mistake(
    "You wrote the lecture's code as it stands. Its + joins lists, but it adds arrays (or fails, where their lengths "
    "differ): np.concatenate joins them. And with n // k rows in every fold the n % k rows at the end are never "
    "validated."
)
def copies_the_lecture(data, k, fold):
    size = len(data) // k
    return cut_out(data, (fold * size, (fold + 1) * size), join=added)


@kfold_data.mistake(
    "You cut folds of n // k rows, so the n % k rows at the end are never validated. The first n % k folds have one "
    "more."
)
def forgets_the_left_over(data, k, fold):
    size = len(data) // k
    return cut_out(data, (fold * size, (fold + 1) * size))


@kfold_data.mistake(
    "You gave all the left-over rows to the last fold. The first n % k folds take one each, so that they are even."
)
def gives_the_last_fold_the_rest(data, k, fold):
    size = len(data) // k
    return cut_out(data, (fold * size, len(data) if fold == k - 1 else (fold + 1) * size))


@kfold_data.mistake("The validation rows leaked into the training data: you trained on everything. Leave the fold out.")
def trains_on_everything(data, k, fold):
    return data, cut_out(data, bounds_of(len(data), k)[fold])[1]


@kfold_data.mistake("You trained on the rows before the fold only. The rows after it are training data too.")
def trains_on_the_front_rows(data, k, fold):
    start, stop = bounds_of(len(data), k)[fold]
    return data[:start], data[start:stop]


@kfold_data.mistake("You trained on the rows after the fold only. The rows before it are training data too.")
def trains_on_the_back_rows(data, k, fold):
    start, stop = bounds_of(len(data), k)[fold]
    return data[stop:], data[start:stop]


@kfold_data.mistake("You returned (val_data, train_data). The order is train_data, val_data.")
def returns_validation_data_first(data, k, fold):
    return cut_out(data, bounds_of(len(data), k)[fold])[::-1]


@kfold_data.mistake("You counted the folds from 1. The first fold has the number 0.")
def counts_folds_from_one(data, k, fold):
    start, stop = bounds_of(len(data), k)[fold - 1] if fold else (0, 0)
    return cut_out(data, (start, stop))


@kfold_data.mistake(
    "You joined the parts side by side, as columns or in one long row. Rows go below each other: axis 0, the default."
)
def flattens_the_parts(data, k, fold):
    train, val = cut_out(data, bounds_of(len(data), k)[fold])
    return train.ravel(), val


@kfold_data.mistake("You took every k-th row. A fold here is a block of neighbouring rows.")
def takes_every_kth_row(data, k, fold):
    chosen = np.arange(len(data)) % k == fold
    return data[~chosen], data[chosen]


kfold_indices = chapter.exercise("kfold_indices", points=2, returns="folds", compiled=False)


@kfold_indices.cases
def kfold_cases(draw):
    yield Case("two samples, two folds", n=2, k=2)
    yield Case("five samples, two folds", n=5, k=2)
    yield Case("even folds", n=12, k=4)
    yield Case("two samples left over", n=17, k=5)
    yield Case("every sample its own fold", n=6, k=6)
    yield Case("one sample less than would be even", n=23, k=4, hidden=True)
    yield Case("Boston's training data in four folds", n=404, k=4, hidden=True)
    yield Case("ten folds", n=107, k=10, hidden=True)


def every_fold(n, bounds, join=joined):
    return tuple(cut_out(np.arange(n), pair, join) for pair in bounds)


@kfold_indices.mistake(PLUS_ADDS)
def adds_the_indices(n, k):
    return every_fold(n, bounds_of(n, k), join=added)


@kfold_indices.mistake(
    "You made folds of n // k samples, so the last n % k are never validated. The first n % k folds have one more."
)
def drops_the_left_over(n, k):
    size = n // k
    return every_fold(n, [(fold * size, (fold + 1) * size) for fold in range(k)])


@kfold_indices.mistake(
    "You dropped the n % k samples that are left over from training and validation. The first n % k folds take one "
    "each."
)
def forgets_the_left_over_altogether(n, k):
    size = n // k
    return every_fold(size * k, [(fold * size, (fold + 1) * size) for fold in range(k)])


@kfold_indices.mistake(
    "You gave all the left-over samples to the last fold. The first n % k folds take one each, so that they are even."
)
def fills_the_last_fold(n, k):
    size = n // k
    return every_fold(n, [(fold * size, n if fold == k - 1 else (fold + 1) * size) for fold in range(k)])


@kfold_indices.mistake(
    "You made the last n % k folds larger. As in scikit-learn, the first ones take the extra sample."
)
def enlarges_the_last_folds(n, k):
    stops = [n - start for start, _ in bounds_of(n, k)][::-1]
    return every_fold(n, zip([0, *stops[:-1]], stops, strict=True))


@kfold_indices.mistake(
    "You rounded the fold's size up, so the last folds are too small. n // k each, and one more for the first n % k."
)
def rounds_the_size_up(n, k):
    size = -(-n // k)
    return every_fold(n, [(fold * size, min(n, (fold + 1) * size)) for fold in range(k)])


@kfold_indices.mistake("The validation fold leaked into the training set: you trained on everything. Leave it out.")
def trains_on_all_folds(n, k):
    return tuple((np.arange(n), np.arange(start, stop)) for start, stop in bounds_of(n, k))


@kfold_indices.mistake("You trained on what comes before the fold only. What comes after it is training data too.")
def trains_before_the_fold(n, k):
    return tuple((np.arange(start), np.arange(start, stop)) for start, stop in bounds_of(n, k))


@kfold_indices.mistake("You trained on what comes after the fold only. What comes before it is training data too.")
def trains_after_the_fold(n, k):
    return tuple((np.arange(stop, n), np.arange(start, stop)) for start, stop in bounds_of(n, k))


@kfold_indices.mistake("You returned pairs (val, train). The order is train, val.")
def returns_validation_first(n, k):
    return tuple((val, train) for train, val in every_fold(n, bounds_of(n, k)))


@kfold_indices.mistake(
    "You took every k-th sample. A fold here is a block of neighbours; shuffling is a step of its own."
)
def takes_every_kth(n, k):
    return tuple((np.flatnonzero(np.arange(n) % k != fold), np.arange(fold, n, k)) for fold in range(k))


@kfold_indices.mistake("You returned where the folds start and stop. Asked are all the sample numbers, (train, val).")
def returns_the_bounds(n, k):
    return tuple(bounds_of(n, k))


@kfold_indices.keras_twin
def kfold_in_sklearn(keras, n, k):
    from sklearn.model_selection import KFold

    return tuple(KFold(k).split(np.zeros(n)))


iterated_kfold_indices = chapter.exercise(
    "iterated_kfold_indices", points=2, returns="folds", compiled=False, requires=("kfold_indices",)
)


@iterated_kfold_indices.cases
def iterated_kfold_cases(draw):
    yield Case("once", n=4, k=2, p=1, rng=Generator(3))
    yield Case("twice", n=7, k=3, p=2, rng=Generator(draw.seed()))
    yield Case("as many repetitions as folds", n=9, k=3, p=3, rng=Generator(draw.seed()))
    yield Case("more repetitions than folds", n=10, k=2, p=4, rng=Generator(draw.seed()))
    yield Case("every sample its own fold", n=5, k=5, p=2, rng=Generator(draw.seed()), hidden=True)
    yield Case("fifty samples", n=50, k=4, p=3, rng=Generator(draw.seed()), hidden=True)
    yield Case("no repetition at all", n=6, k=2, p=0, rng=Generator(draw.seed()), hidden=True)


def reordered(order, k):
    return tuple((order[train], order[val]) for train, val in every_fold(len(order), bounds_of(len(order), k)))


@iterated_kfold_indices.mistake(
    "You did not shuffle: every repetition makes the same folds. Draw rng.permutation(n) for each."
)
def repeats_without_shuffling(n, k, p, rng):
    return every_fold(n, bounds_of(n, k)) * p


@iterated_kfold_indices.mistake(
    "You shuffled once for all repetitions, so all have the same folds. Shuffle for each one anew."
)
def shuffles_once(n, k, p, rng):
    return reordered(rng.permutation(n), k) * p


@iterated_kfold_indices.mistake(
    "You shuffled for every fold anew: the folds overlap, and some samples are never validated. Shuffle once per "
    "repetition."
)
def shuffles_for_every_fold(n, k, p, rng):
    return tuple(reordered(rng.permutation(n), k)[fold] for _ in range(p) for fold in range(k))


@iterated_kfold_indices.mistake("You exchanged k and p: it is p repetitions of k folds.")
def exchanges_k_and_p(n, k, p, rng):
    folds = []
    for _ in range(k):
        order = rng.permutation(n)
        folds += reordered(order, p) if p else ()
    return tuple(folds)


@iterated_kfold_indices.mistake(
    "You shuffled the validation samples, but train has the places, not the samples: it overlaps. Both are read from "
    "the order: order[train], order[val]."
)
def maps_validation_only(n, k, p, rng):
    plain = every_fold(n, bounds_of(n, k))
    orders = [rng.permutation(n) for _ in range(p)]
    return tuple((train, order[val]) for order in orders for train, val in plain)


@iterated_kfold_indices.mistake(
    "You shuffled the last repetition's order again. That is random too, but asked is rng.permutation(n) each time."
)
def shuffles_the_shuffled(n, k, p, rng):
    order, folds = np.arange(n), []
    for _ in range(p):
        order = rng.permutation(order)
        folds += reordered(order, k)
    return tuple(folds)


@iterated_kfold_indices.mistake("You returned one tuple per repetition. Asked is one tuple of all p * k pairs.")
def nests_the_repetitions(n, k, p, rng):
    return tuple(reordered(rng.permutation(n), k) for _ in range(p))


@iterated_kfold_indices.mistake(
    "You added the pairs to the list with +=, which takes each of them apart. Append (train, val) as one element."
)
def takes_the_pairs_apart(n, k, p, rng):
    orders = [rng.permutation(n) for _ in range(p)]
    return tuple(part for order in orders for pair in reordered(order, k) for part in pair)


@iterated_kfold_indices.mistake("You returned the last repetition only. All p * k pairs are asked for.")
def keeps_the_last_repetition(n, k, p, rng):
    orders = [rng.permutation(n) for _ in range(p)]
    return reordered(orders[-1], k) if orders else ()


@iterated_kfold_indices.mistake("You returned pairs (val, train). The order is train, val.")
def returns_validation_before_training(n, k, p, rng):
    orders = [rng.permutation(n) for _ in range(p)]
    return tuple((val, train) for order in orders for train, val in reordered(order, k))


@iterated_kfold_indices.keras_twin
def iterated_kfold_in_sklearn(keras, n, k, p, rng):
    from sklearn.model_selection import KFold

    orders = [rng.permutation(n) for _ in range(p)]
    return tuple((order[train], order[val]) for order in orders for train, val in KFold(k).split(order))


# --- stratified and temporal ----------------------------------------------------------------------------------------

stratified_split = chapter.exercise("stratified_split", points=2, returns=("train", "test"), compiled=False)


@stratified_split.cases
def stratified_cases(draw):
    def labels(*counts):
        ids = np.repeat(np.arange(len(counts)), counts)
        return ids[draw.order(len(ids))]

    def case(rationale, counts, test_fraction, **flags):
        rng = Generator(draw.seed())
        return Case(rationale, labels=labels(*counts), test_fraction=test_fraction, rng=rng, **flags)

    first = np.array([0, 0, 0, 0, 1, 1])
    yield Case("four zeros, two ones", labels=first, test_fraction=0.5, rng=Generator(3))
    yield case("a rare class", (30, 4), 0.25)
    yield case("counts that do not divide evenly", (7, 11, 5), 0.3)
    yield case("halves are rounded up", (5, 3, 1, 9), 0.5)
    spread = np.array([7, -2, 40])[labels(8, 6, 5)]
    yield Case("any numbers as classes", labels=spread, test_fraction=0.4, rng=Generator(draw.seed()))
    yield case("one class only", (9,), 0.2, hidden=True)
    yield case("nothing to test", (4, 3), 0.0, hidden=True)
    yield case("nothing to train", (4, 3), 1.0, hidden=True)
    yield case("a class too rare to be tested", (20, 1), 0.2, hidden=True)
    yield case("many samples", (61, 12, 27), 0.15, hidden=True)


def distribute(labels, order, places):
    """(train, test): in the given order, every class fills its places in the test set first."""
    places, train, test = dict(places), [], []
    for i in order:
        chosen = places[labels[i]] > 0
        places[labels[i]] -= chosen
        (test if chosen else train).append(i)
    return np.array(train, np.int64), np.array(test, np.int64)


def places_of(labels, rounding):
    """How many of each class to test."""
    return {label: rounding(np.sum(labels == label)) for label in np.unique(labels)}


def half_up(number):
    return int(number + 0.5)


@stratified_split.mistake(
    "You cut the shuffled samples without a look at their classes: a rare one may be missing. Each class is cut by "
    "itself."
)
def ignores_the_classes(labels, test_fraction, rng):
    order = rng.permutation(len(labels))
    n_test = half_up(test_fraction * len(labels))
    return order[n_test:], order[:n_test]


@stratified_split.mistake(
    "You did not shuffle: the first samples of each class are always tested. Walk through rng.permutation(n)."
)
def distributes_without_shuffling(labels, test_fraction, rng):
    return distribute(labels, np.arange(len(labels)), places_of(labels, lambda count: half_up(test_fraction * count)))


@stratified_split.mistake(
    "You rounded down. Round to the nearest: int(test_fraction * c + 0.5) of a class of c samples."
)
def rounds_down(labels, test_fraction, rng):
    return distribute(labels, rng.permutation(len(labels)), places_of(labels, lambda count: int(test_fraction * count)))


@stratified_split.mistake("You rounded up. Round to the nearest: int(test_fraction * c + 0.5) of a class of c samples.")
def rounds_up(labels, test_fraction, rng):
    places = places_of(labels, lambda count: int(np.ceil(test_fraction * count)))
    return distribute(labels, rng.permutation(len(labels)), places)


@stratified_split.mistake(
    "You used round(), which takes 2.5 to the even number 2. Halves go up here: int(test_fraction * c + 0.5)."
)
def rounds_to_even(labels, test_fraction, rng):
    places = places_of(labels, lambda count: round(float(test_fraction * count)))
    return distribute(labels, rng.permutation(len(labels)), places)


@stratified_split.mistake(
    "You tested the same number of every class. Every class keeps its share: test_fraction of its samples."
)
def tests_equal_numbers(labels, test_fraction, rng):
    classes = np.unique(labels)
    places = dict.fromkeys(classes, half_up(test_fraction * len(labels) / len(classes)))
    return distribute(labels, rng.permutation(len(labels)), places)


@stratified_split.mistake("You returned (test, train). The order is train, test.")
def returns_the_test_set_first(labels, test_fraction, rng):
    places = places_of(labels, lambda count: half_up(test_fraction * count))
    return distribute(labels, rng.permutation(len(labels)), places)[::-1]


@stratified_split.mistake(
    "You filled the training set first. In the shuffled order a class's first samples are for the test."
)
def fills_training_first(labels, test_fraction, rng):
    places = places_of(labels, lambda count: count - half_up(test_fraction * count))
    return distribute(labels, rng.permutation(len(labels)), places)[::-1]


@stratified_split.mistake(
    "You shuffled class by class. That is stratified too, but asked is one rng.permutation(n) for all, so that the "
    "classes come mixed and the same seed gives everybody the same split."
)
def shuffles_class_by_class(labels, test_fraction, rng):
    train, test = [], []
    for label in np.unique(labels):
        members = rng.permutation(np.flatnonzero(labels == label))
        n_test = half_up(test_fraction * len(members))
        test.extend(members[:n_test])
        train.extend(members[n_test:])
    return np.array(train, np.int64), np.array(test, np.int64)


@stratified_split.mistake("You returned the labels of the two sets. Asked are the numbers of the samples.")
def returns_the_labels(labels, test_fraction, rng):
    places = places_of(labels, lambda count: half_up(test_fraction * count))
    train, test = distribute(labels, rng.permutation(len(labels)), places)
    return labels[train], labels[test]


@stratified_split.mistake("You sorted the two sets. Leave them in the shuffled order, the classes are mixed there.")
def sorts_the_sets(labels, test_fraction, rng):
    places = places_of(labels, lambda count: half_up(test_fraction * count))
    train, test = distribute(labels, rng.permutation(len(labels)), places)
    return np.sort(train), np.sort(test)


temporal_split = chapter.exercise("temporal_split", points=2, returns=("train", "test"), compiled=False)


@temporal_split.cases
def temporal_cases(draw):
    yield Case("stored in any order", timestamps=np.array([30, 10, 40, 20]), test_fraction=0.5)
    yield Case("the cut would go through equal times", timestamps=np.array([30, 10, 40, 20, 20]), test_fraction=0.6)
    yield Case("no two times are equal", timestamps=3 * draw.order(13), test_fraction=0.3)
    yield Case("many equal times", timestamps=draw.integers(0, 5, 20), test_fraction=0.25)
    yield Case("the latest are all equal", timestamps=np.array([5, 9, 9, 1, 9, 3, 7]), test_fraction=0.4)
    yield Case("a half is rounded up", timestamps=draw.order(7), test_fraction=0.5)
    seconds = 1_700_000_000 + draw.order(30)
    yield Case("seconds since 1970", timestamps=seconds, test_fraction=0.2)
    yield Case("one day, two samples", timestamps=np.array([8, 3]), test_fraction=0.5, hidden=True)
    yield Case("all at the same time", timestamps=np.full(6, 4), test_fraction=0.5, hidden=True)
    yield Case("nothing to test", timestamps=draw.order(6), test_fraction=0.0, hidden=True)
    yield Case("nothing to train", timestamps=draw.integers(0, 4, 6), test_fraction=1.0, hidden=True)
    yield Case("times before zero", timestamps=draw.integers(-20, 20, 25), test_fraction=0.4, hidden=True)
    yield Case("no samples", timestamps=np.zeros(0, np.int64), test_fraction=0.5, hidden=True)


def training_size(timestamps, test_fraction):
    return len(timestamps) - half_up(test_fraction * len(timestamps))


def split_after(timestamps, n_train):
    """(train, test): the n_train earliest, and what is level with the last of them, against the rest."""
    if n_train == 0:
        return np.arange(0), np.arange(len(timestamps))
    late = timestamps > np.sort(timestamps)[n_train - 1]
    return np.flatnonzero(~late), np.flatnonzero(late)


@temporal_split.mistake(
    "You shuffled. Then the network trains on the future of what it is tested on, and the score is a lie: sort by time."
)
def shuffles_the_times(timestamps, test_fraction):
    order = np.random.default_rng(0).permutation(len(timestamps))
    n_train = training_size(timestamps, test_fraction)
    return np.sort(order[:n_train]), np.sort(order[n_train:])


@temporal_split.mistake(
    "You cut the samples as they are stored. They may be stored in any order: sort the times first."
)
def trusts_the_stored_order(timestamps, test_fraction):
    n_train = training_size(timestamps, test_fraction)
    return np.arange(n_train), np.arange(n_train, len(timestamps))


@temporal_split.mistake("You tested on the past and trained on the future. The latest samples are for the test.")
def tests_on_the_past(timestamps, test_fraction):
    return split_after(-timestamps, training_size(timestamps, test_fraction))


@temporal_split.mistake(
    "Samples of the same time are on both sides of your cut, but the test must be strictly later. All of them train."
)
def cuts_through_equal_times(timestamps, test_fraction):
    order = np.argsort(timestamps, kind="stable")
    n_train = training_size(timestamps, test_fraction)
    return np.sort(order[:n_train]), np.sort(order[n_train:])


@temporal_split.mistake(
    "You put the samples level with the cut into the test set. The convention here is: all of them train."
)
def tests_the_level_ones(timestamps, test_fraction):
    n_train = training_size(timestamps, test_fraction)
    if n_train in (0, len(timestamps)):
        return split_after(timestamps, n_train)
    late = timestamps >= np.sort(timestamps)[n_train]
    return np.flatnonzero(~late), np.flatnonzero(late)


@temporal_split.mistake("You trained on test_fraction of the samples. That is the share of the test set.")
def trains_on_the_test_fraction(timestamps, test_fraction):
    return split_after(timestamps, half_up(test_fraction * len(timestamps)))


@temporal_split.mistake(
    "You rounded down. Round to the nearest: int(test_fraction * n + 0.5) samples are for the test."
)
def rounds_the_test_set_down(timestamps, test_fraction):
    return split_after(timestamps, len(timestamps) - int(test_fraction * len(timestamps)))


@temporal_split.mistake(
    "You cut the span of time, not the samples. test_fraction is a share of the samples, wherever they lie in time."
)
def cuts_the_span(timestamps, test_fraction):
    if not len(timestamps):
        return np.arange(0), np.arange(0)
    late = timestamps > timestamps.max() - test_fraction * np.ptp(timestamps)
    return np.flatnonzero(~late), np.flatnonzero(late)


@temporal_split.mistake("You returned the two sets in order of time. Asked are the samples' numbers, ascending.")
def returns_them_by_time(timestamps, test_fraction):
    train, test = split_after(timestamps, training_size(timestamps, test_fraction))
    return train[np.argsort(timestamps[train], kind="stable")], test[np.argsort(timestamps[test], kind="stable")]


@temporal_split.mistake("You returned the times. Asked are the numbers of the samples.")
def returns_the_times(timestamps, test_fraction):
    train, test = split_after(timestamps, training_size(timestamps, test_fraction))
    return timestamps[train], timestamps[test]


@temporal_split.mistake(
    "You made the times float32, which knows seven digits: seconds since 1970 melt together. Leave them int64."
)
def melts_the_seconds(timestamps, test_fraction):
    return split_after(timestamps.astype(np.float32), training_size(timestamps, test_fraction))


@temporal_split.mistake("You returned (test, train). The order is train, test.")
def returns_the_future_first(timestamps, test_fraction):
    return split_after(timestamps, training_size(timestamps, test_fraction))[::-1]


# --- labels and accuracy --------------------------------------------------------------------------------------------

predicted_labels = chapter.exercise("predicted_labels", points=1, returns="labels")


@predicted_labels.cases
def predicted_labels_cases(draw):
    yield Case("below, at and above", scores=draw.array([0.2, 0.5, 0.9]), threshold=0.5)
    yield Case("a careful threshold", scores=draw.uniform(0, 1, 12), threshold=0.8)
    yield Case("at a low threshold", scores=draw.array([0.25, 0.125, 0.3, 0.6, 0.0]), threshold=0.25)
    yield Case("logits: the threshold is 0", scores=draw.normal(9), threshold=0.0)
    yield Case("a negative threshold", scores=draw.array([-0.75, -0.5, -0.25, 0.0, 2.0]), threshold=-0.5, hidden=True)
    yield Case("all are above", scores=draw.uniform(0.7, 1, 5), threshold=0.6, hidden=True)
    yield Case("no scores", scores=draw.array([]), threshold=0.5, hidden=True)


@predicted_labels.mistake(
    "You counted a score right at the threshold as positive. As in Keras it must be above: >, not >=."
)
def accepts_the_threshold_itself(scores, threshold):
    return (scores >= threshold).astype(np.int64)


@predicted_labels.mistake(
    "You always cut at 0.5. The threshold is an argument: a careful one is higher, logits have 0."
)
def cuts_at_one_half(scores, threshold):
    return (scores > 0.5).astype(np.int64)


@predicted_labels.mistake("You have it the wrong way round: scores above the threshold are the positive ones.")
def inverts_the_labels(scores, threshold):
    return (scores < threshold).astype(np.int64)


@predicted_labels.mistake("You returned True and False. Labels are the numbers 0 and 1: make the array of np.int64.")
def returns_truth_values(scores, threshold):
    return scores > threshold


@predicted_labels.mistake("You kept the scores above the threshold. Asked is the decision: 1 for each of them.")
def keeps_the_scores(scores, threshold):
    return np.where(scores > threshold, scores, np.float32(0))


@predicted_labels.mistake("You returned which samples are above the threshold. Asked is a 0 or a 1 for every sample.")
def returns_their_numbers(scores, threshold):
    return np.flatnonzero(scores > threshold)


@predicted_labels.mistake("You compared |score| with the threshold. A negative score is low, however large it is.")
def compares_the_size(scores, threshold):
    return (np.abs(scores) > threshold).astype(np.int64)


@predicted_labels.keras_twin
def predicted_labels_in_keras(keras, scores, threshold):
    ones = np.ones((len(scores), 1), np.float32)
    right = keras.module.metrics.binary_accuracy(ones, scores.reshape(-1, 1), threshold=threshold)
    return np.asarray(right).astype(np.int64).ravel()


def label_cases(draw):
    """True and predicted classes: several of them, two, unequal ones, and none."""

    def case(rationale, y_true, y_pred, **flags):
        return Case(rationale, y_true=np.array(y_true, np.int64), y_pred=np.array(y_pred, np.int64), **flags)

    yield case("one of four is wrong", [0, 1, 2, 1], [0, 2, 2, 1])
    yield case("two classes", draw.labels(11, 2), draw.labels(11, 2))
    yield case("five classes", draw.labels(23, 5), draw.labels(23, 5))
    rare = np.array([0] * 12 + [1] * 2)
    yield case("always the frequent class", rare, np.zeros(14))
    yield case("everything is right", draw.order(5), np.arange(5), hidden=True)
    yield case("everything is wrong", [0, 1, 2, 0, 1], [1, 2, 0, 2, 0], hidden=True)
    yield case("a single sample", [3], [3], hidden=True)
    yield case("a class that is never predicted", draw.labels(17, 4), draw.labels(17, 3), hidden=True)


accuracy = chapter.exercise("accuracy", points=1, returns="score")


@accuracy.cases
def accuracy_cases(draw):
    yield from label_cases(draw)
    yield Case("no samples", y_true=np.zeros(0, np.int64), y_pred=np.zeros(0, np.int64), hidden=True)


def mean_or_nan(values):
    return float(np.mean(values)) if len(values) else np.nan


@accuracy.mistake("You counted the errors: that is 1 - accuracy. Accuracy is the share of right answers.")
def counts_the_errors(y_true, y_pred):
    return mean_or_nan(y_true != y_pred)


@accuracy.mistake("You returned how many are right. The accuracy is their share: divide by n.")
def counts_the_right_ones(y_true, y_pred):
    return float(np.sum(y_true == y_pred)) if len(y_true) else np.nan


@accuracy.mistake("You returned percent. An accuracy lies between 0 and 1.")
def returns_percent(y_true, y_pred):
    return 100 * mean_or_nan(y_true == y_pred)


@accuracy.mistake("You rounded the quotient down to a whole number: // is not /.")
def divides_without_rest(y_true, y_pred):
    return int(np.sum(y_true == y_pred)) // len(y_true) if len(y_true) else np.nan


@accuracy.mistake(
    "You averaged over the classes: that is the balanced accuracy (a good idea, but another one). Every sample counts "
    "once."
)
def balances_the_classes(y_true, y_pred):
    return mean_or_nan([np.mean(y_pred[y_true == label] == label) for label in np.unique(y_true)])


@accuracy.mistake(
    "You counted only samples where both are 1. A right 0 (or 2, or 3) is right as well: y_true == y_pred."
)
def counts_common_ones(y_true, y_pred):
    return mean_or_nan((y_true == 1) & (y_pred == 1))


@accuracy.mistake("You took the distance of the class numbers. Classes have no distance: an answer is right or wrong.")
def measures_the_distance(y_true, y_pred):
    return 1 - mean_or_nan(np.abs(y_true - y_pred))


@accuracy.mistake("You returned 0 for no samples. Nothing was measured there: the answer is NaN.")
def gives_nothing_a_zero(y_true, y_pred):
    return float(np.mean(y_true == y_pred)) if len(y_true) else 0.0


@accuracy.keras_twin
def accuracy_in_sklearn(keras, y_true, y_pred):
    from sklearn.metrics import accuracy_score

    return accuracy_score(y_true, y_pred) if len(y_true) else np.nan


baseline_score = chapter.exercise("baseline_score", points=1, returns="score")


@baseline_score.cases
def baseline_cases(draw):
    yield Case("2 is the most frequent", labels=np.array([2, 0, 2, 1]))
    yield Case("the last label is rare", labels=np.array([0, 0, 0, 1, 2, 2, 1]))
    yield Case("six classes", labels=draw.labels(31, 6))
    yield Case("a tie", labels=np.array([1, 0, 1, 0]))
    yield Case("one class only", labels=np.array([3, 3, 3]), hidden=True)
    yield Case("numbers that do not occur", labels=np.array([7, 2, 7, 7, 2]), hidden=True)
    yield Case("zero is frequent", labels=np.array([0] * 18 + [1, 2, 1]), hidden=True)
    yield Case("a single sample", labels=np.array([0]), hidden=True)
    yield Case("no samples", labels=np.zeros(0, np.int64), hidden=True)


def shares(labels):
    """How frequent each class is; NaN for none."""
    return np.bincount(labels) / len(labels) if len(labels) else np.array([np.nan])


@baseline_score.mistake("You took 1 / number of classes. That holds only where all are equally frequent: count them.")
def assumes_equal_classes(labels):
    return 1 / len(np.unique(labels)) if len(labels) else np.nan


@baseline_score.mistake(
    "You added up the squared shares: the score of answering at random, with the right frequencies (the lecture "
    "shuffles the labels for it). Always answering the most frequent class scores more."
)
def guesses_in_proportion(labels):
    return float(np.sum(shares(labels) ** 2))


@baseline_score.mistake("You returned the most frequent class itself. Asked is the accuracy of always answering it.")
def returns_the_class(labels):
    return int(np.argmax(shares(labels))) if len(labels) else np.nan


@baseline_score.mistake("You returned how often the class occurs. Divide by the number of samples.")
def returns_the_count(labels):
    return int(np.bincount(labels).max()) if len(labels) else np.nan


@baseline_score.mistake("You took the share of class 1. The most frequent class may be any: look at all of them.")
def takes_class_one(labels):
    return mean_or_nan(labels == 1)


@baseline_score.mistake("You took the share of class 0. The most frequent class may be any: look at all of them.")
def takes_class_zero(labels):
    return mean_or_nan(labels == 0)


@baseline_score.mistake("You took the rarest class. Always answering the most frequent one scores best.")
def takes_the_rarest(labels):
    share = shares(labels)
    return float(share[share != 0].min())


@baseline_score.mistake("You averaged the labels. They are names of classes, not amounts: count how often each occurs.")
def averages_the_labels(labels):
    return mean_or_nan(labels)


@baseline_score.mistake("You returned 0 for no samples. Nothing was measured there: the answer is NaN.")
def gives_no_samples_a_zero(labels):
    return float(shares(labels).max()) if len(labels) else 0.0


@baseline_score.keras_twin
def baseline_in_sklearn(keras, labels):
    from sklearn.dummy import DummyClassifier

    return DummyClassifier().fit(labels, labels).score(labels, labels) if len(labels) else np.nan


# --- mean absolute error --------------------------------------------------------------------------------------------

mae_metric = chapter.exercise("mae_metric", points=1, returns="error")


@mae_metric.cases
def mae_cases(draw):
    def case(rationale, y_true, y_pred, **flags):
        return Case(rationale, y_true=draw.array(y_true), y_pred=draw.array(y_pred), **flags)

    yield case("three prices", [20, 30, 10], [22, 27, 10])
    yield case("too high and too low", draw.normal(9), draw.normal(9))
    yield case("prices", draw.uniform(10, 50, 30), draw.uniform(10, 50, 30))
    yield case("always too low", draw.uniform(5, 6, 8), draw.uniform(3, 4, 8))
    yield case("a large error and small ones", [1, 2, 3, 4], [1.5, 2.5, 2.5, 104], hidden=True)
    yield case("a perfect prediction", [3, -1, 2], [3, -1, 2], hidden=True)
    yield case("one sample", [2.5], [-4], hidden=True)
    yield case("no samples", [], [], hidden=True)


@mae_metric.mistake("You squared the errors: that is the MSE. Take absolute values.")
def squares_the_errors(y_true, y_pred):
    return mean_or_nan((y_pred - y_true) ** 2)


@mae_metric.mistake("You took the root of the mean square: that is the RMSE, and large errors weigh more there.")
def takes_the_root(y_true, y_pred):
    return float(np.sqrt(mean_or_nan((y_pred - y_true) ** 2)))


@mae_metric.mistake("You forgot the absolute values: errors to both sides cancel.")
def lets_errors_cancel(y_true, y_pred):
    return mean_or_nan(y_pred - y_true)


@mae_metric.mistake(
    "You took the absolute value after averaging, when the errors had cancelled already. Take it first."
)
def takes_the_absolute_value_last(y_true, y_pred):
    return abs(mean_or_nan(y_pred - y_true))


@mae_metric.mistake("You added up the errors. The mean is asked for: divide by n.")
def adds_up_the_errors(y_true, y_pred):
    return float(np.sum(np.abs(y_pred - y_true))) if len(y_true) else np.nan


@mae_metric.mistake(
    "You returned from inside the loop, after the first error. The `return` belongs behind the loop: indent it less."
)
def returns_from_inside_the_loop(y_true, y_pred):
    return float(abs(y_pred[0] - y_true[0])) / len(y_true) if len(y_true) else np.nan


@mae_metric.mistake("You took the median of the errors. The mean is asked for.")
def takes_the_median(y_true, y_pred):
    return float(np.median(np.abs(y_pred - y_true))) if len(y_true) else np.nan


@mae_metric.mistake("You divided the errors by the true values: that is a share. The MAE has the target's own unit.")
def takes_relative_errors(y_true, y_pred):
    return mean_or_nan(np.abs(y_pred - y_true) / np.abs(y_true))


@mae_metric.mistake(
    "You compared every prediction with every target: (n, 1) minus (n,) is a matrix (n, n). Both must have the shape "
    "(n,)."
)
def compares_all_with_all(y_true, y_pred):
    return mean_or_nan(np.abs(y_pred[:, None] - y_true).ravel())


@mae_metric.mistake("You returned 0 for no samples. Nothing was measured there: the answer is NaN.")
def gives_no_errors_a_zero(y_true, y_pred):
    return float(np.mean(np.abs(y_pred - y_true))) if len(y_true) else 0.0


@mae_metric.keras_twin
def mae_in_keras(keras, y_true, y_pred):
    return float(keras.losses.mean_absolute_error(y_true, y_pred)) if len(y_true) else np.nan


# --- confusion matrix -----------------------------------------------------------------------------------------------

confusion_matrix = chapter.exercise("confusion_matrix", points=1, returns="matrix")


@confusion_matrix.cases
def confusion_cases(draw):
    for case in label_cases(draw):
        num_classes = int(max(case.arguments["y_true"].max(), case.arguments["y_pred"].max())) + 1
        yield Case(case.rationale, hidden=case.hidden, **case.arguments, num_classes=num_classes)
    y_true, y_pred = draw.labels(9, 3), draw.labels(9, 3)
    yield Case("more classes than occur", y_true=y_true, y_pred=y_pred, num_classes=5)
    nothing = np.zeros(0, np.int64)
    yield Case("no samples", y_true=nothing, y_pred=nothing, num_classes=3, hidden=True)


def counted(y_true, y_pred, num_classes):
    matrix = np.zeros((num_classes, num_classes), np.int64)
    np.add.at(matrix, (y_true, y_pred), 1)
    return matrix


@confusion_matrix.mistake(
    "Your rows are the predictions. As in scikit-learn, rows are the truth and columns the prediction: yours is "
    "transposed."
)
def transposes_the_matrix(y_true, y_pred, num_classes):
    return counted(y_pred, y_true, num_classes)


@confusion_matrix.mistake(
    "You counted the right answers only. The errors, off the diagonal, are the point of the matrix."
)
def keeps_the_diagonal(y_true, y_pred, num_classes):
    right = y_true == y_pred
    return counted(y_true[right], y_pred[right], num_classes)


@confusion_matrix.mistake("You counted the errors only. Right answers belong on the diagonal.")
def leaves_the_diagonal_empty(y_true, y_pred, num_classes):
    wrong = y_true != y_pred
    return counted(y_true[wrong], y_pred[wrong], num_classes)


@confusion_matrix.mistake(
    "All your rows are one and the same list: [[0] * k] * k repeats it, and counting in one row counts in all. "
    "np.zeros((k, k), np.int64) has rows of its own."
)
def repeats_one_row(y_true, y_pred, num_classes):
    return np.tile(counted(y_true, y_pred, num_classes).sum(axis=0), (num_classes, 1))


@confusion_matrix.mistake("You wrote 1 instead of adding 1. Pairs that occur again count again: +=, not =.")
def writes_ones(y_true, y_pred, num_classes):
    return (counted(y_true, y_pred, num_classes) > 0).astype(np.int64)


@confusion_matrix.mistake("You divided each row by its sum. Asked are the counts.")
def normalizes_the_rows(y_true, y_pred, num_classes):
    matrix = counted(y_true, y_pred, num_classes)
    return matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)


@confusion_matrix.mistake(
    "You wrote matrix[y_true, y_pred] += 1 with whole arrays, which counts a pair once however often it occurs, and "
    "left out the classes that do not occur. Loop over the samples, and make the matrix num_classes wide."
)
def leaves_out_absent_classes(y_true, y_pred, num_classes):
    found = np.unique(np.concatenate((y_true, y_pred)))
    return (counted(y_true, y_pred, num_classes) > 0).astype(np.int64)[np.ix_(found, found)]


@confusion_matrix.mistake(
    "You left out the classes that do not occur. The matrix is always num_classes by num_classes."
)
def drops_absent_classes(y_true, y_pred, num_classes):
    found = np.unique(np.concatenate((y_true, y_pred)))
    return counted(y_true, y_pred, num_classes)[np.ix_(found, found)]


@confusion_matrix.keras_twin
def confusion_in_sklearn(keras, y_true, y_pred, num_classes):
    from sklearn.metrics import confusion_matrix as confusion

    labels = np.arange(num_classes)
    return confusion(y_true, y_pred, labels=labels) if len(y_true) else np.zeros((num_classes, num_classes), np.int64)


# --- precision and recall -------------------------------------------------------------------------------------------


def binary_cases(draw):
    """True and predicted 0 and 1: no two of the four counts equal, and each of them zero somewhere."""

    def case(rationale, tp, fp, fn, tn, **flags):
        order = draw.order(tp + fp + fn + tn)
        y_true = np.repeat([1, 0, 1, 0], (tp, fp, fn, tn))[order]
        y_pred = np.repeat([1, 1, 0, 0], (tp, fp, fn, tn))[order]
        return Case(rationale, y_true=y_true.astype(np.int64), y_pred=y_pred.astype(np.int64), **flags)

    yield Case("five samples", y_true=np.array([1, 0, 1, 1, 0]), y_pred=np.array([1, 0, 0, 1, 0]))
    yield case("errors of both kinds", 5, 2, 4, 7)
    yield case("more false alarms than misses", 3, 8, 1, 6)
    yield case("few positives among many", 2, 3, 1, 40)
    yield case("nothing is called positive", 0, 0, 3, 5)
    yield case("there are no positives", 0, 2, 0, 4)
    yield case("neither called nor there", 0, 0, 0, 6, hidden=True)
    yield case("everything is called positive", 4, 9, 0, 0, hidden=True)
    yield case("all right", 3, 0, 0, 5, hidden=True)
    yield case("all wrong", 0, 4, 3, 0, hidden=True)
    yield case("one is called, and it is", 1, 0, 6, 2, hidden=True)
    yield case("one is there, and it is found", 1, 7, 0, 2, hidden=True)
    yield case("no samples", 0, 0, 0, 0, hidden=True)


def four_counts(y_true, y_pred):
    """tp, fp, fn, tn"""
    return tuple(int(np.sum((y_true == truth) & (y_pred == said))) for said, truth in ((1, 1), (1, 0), (0, 1), (0, 0)))


def quotient(part, whole, undefined=0.0):
    return part / whole if whole else undefined


precision = chapter.exercise("precision", points=1, returns="score")
precision.cases(binary_cases)


@precision.mistake(
    "You divided by the positives that there are: that is the recall. Precision divides by those *called* so."
)
def computes_the_recall(y_true, y_pred):
    tp, _, fn, _ = four_counts(y_true, y_pred)
    return quotient(tp, tp + fn)


@precision.mistake(
    "You divided by all the samples. Precision looks at those that were called positive: tp / (tp + fp)."
)
def divides_hits_by_all(y_true, y_pred):
    return quotient(four_counts(y_true, y_pred)[0], len(y_true))


@precision.mistake(
    "You computed the accuracy. Precision looks at those that were called positive only: tp / (tp + fp)."
)
def computes_the_accuracy(y_true, y_pred):
    tp, _, _, tn = four_counts(y_true, y_pred)
    return quotient(tp + tn, len(y_true))


@precision.mistake("You rounded the quotient down to a whole number: // is not /.")
def divides_precision_without_rest(y_true, y_pred):
    tp, fp, _, _ = four_counts(y_true, y_pred)
    return tp // max(tp + fp, 1)


@precision.mistake("You took 0 for the positive class. 1 is the positive one.")
def takes_zero_for_positive(y_true, y_pred):
    _, _, fn, tn = four_counts(y_true, y_pred)
    return quotient(tn, tn + fn)


@precision.mistake("You divided false by true positives. All that were called positive are below the line: tp + fp.")
def divides_by_the_true_ones(y_true, y_pred):
    tp, fp, _, _ = four_counts(y_true, y_pred)
    return quotient(tp, fp)


@precision.mistake("You computed the share of false alarms, 1 - precision. Above the line are the true positives.")
def computes_the_false_alarms(y_true, y_pred):
    tp, fp, _, _ = four_counts(y_true, y_pred)
    return quotient(fp, tp + fp)


@precision.mistake("You computed the F1 score, which mixes precision and recall. Asked is tp / (tp + fp).")
def computes_f1(y_true, y_pred):
    tp, fp, fn, _ = four_counts(y_true, y_pred)
    return quotient(2 * tp, 2 * tp + fp + fn)


@precision.mistake("Where nothing is called positive, 0 / 0 gave NaN. By convention the precision is 0 there.")
def leaves_precision_undefined(y_true, y_pred):
    tp, fp, _, _ = four_counts(y_true, y_pred)
    return quotient(tp, tp + fp, np.nan)


@precision.mistake(
    "Where nothing is called positive you gave 1. By convention (scikit-learn's) the precision is 0 there."
)
def calls_silence_precise(y_true, y_pred):
    tp, fp, _, _ = four_counts(y_true, y_pred)
    return quotient(tp, tp + fp, 1.0)


@precision.keras_twin
def precision_in_sklearn(keras, y_true, y_pred):
    from sklearn.metrics import precision_score

    return precision_score(y_true, y_pred, zero_division=0) if len(y_true) else 0.0


recall = chapter.exercise("recall", points=1, returns="score")
recall.cases(binary_cases)


@recall.mistake(
    "You divided by those that were called positive: that is the precision. Recall divides by those that *are*."
)
def computes_the_precision(y_true, y_pred):
    tp, fp, _, _ = four_counts(y_true, y_pred)
    return quotient(tp, tp + fp)


@recall.mistake("You rounded the quotient down to a whole number: // is not /.")
def divides_recall_without_rest(y_true, y_pred):
    tp, _, fn, _ = four_counts(y_true, y_pred)
    return tp // max(tp + fn, 1)


@recall.mistake("You divided by all the samples. Recall looks at those that are positive: tp / (tp + fn).")
def divides_finds_by_all(y_true, y_pred):
    return quotient(four_counts(y_true, y_pred)[0], len(y_true))


@recall.mistake("You computed the accuracy. Recall looks at those that are positive only: tp / (tp + fn).")
def computes_the_share_of_right_answers(y_true, y_pred):
    tp, _, _, tn = four_counts(y_true, y_pred)
    return quotient(tp + tn, len(y_true))


@recall.mistake("You took 0 for the positive class: that is the specificity. 1 is the positive one.")
def computes_the_specificity(y_true, y_pred):
    _, fp, _, tn = four_counts(y_true, y_pred)
    return quotient(tn, tn + fp)


@recall.mistake("You divided the found by the missed. All the positives are below the line: tp + fn.")
def divides_by_the_missed(y_true, y_pred):
    tp, _, fn, _ = four_counts(y_true, y_pred)
    return quotient(tp, fn)


@recall.mistake("You computed the share of the missed, 1 - recall. Above the line are those that were found.")
def computes_the_missed(y_true, y_pred):
    tp, _, fn, _ = four_counts(y_true, y_pred)
    return quotient(fn, tp + fn)


@recall.mistake("You computed the F1 score, which mixes precision and recall. Asked is tp / (tp + fn).")
def mixes_in_the_precision(y_true, y_pred):
    tp, fp, fn, _ = four_counts(y_true, y_pred)
    return quotient(2 * tp, 2 * tp + fp + fn)


@recall.mistake("Where there are no positives, 0 / 0 gave NaN. By convention the recall is 0 there.")
def leaves_recall_undefined(y_true, y_pred):
    tp, _, fn, _ = four_counts(y_true, y_pred)
    return quotient(tp, tp + fn, np.nan)


@recall.mistake("Where there are no positives you gave 1. By convention (scikit-learn's) the recall is 0 there.")
def finds_all_of_none(y_true, y_pred):
    tp, _, fn, _ = four_counts(y_true, y_pred)
    return quotient(tp, tp + fn, 1.0)


@recall.keras_twin
def recall_in_sklearn(keras, y_true, y_pred):
    from sklearn.metrics import recall_score

    return recall_score(y_true, y_pred, zero_division=0) if len(y_true) else 0.0


# --- ranking --------------------------------------------------------------------------------------------------------


def steps_of(draw, n, levels):
    """Scores with ties: n of so many values between 0 and 1."""
    return draw.array(draw.integers(0, levels, n) / levels)


def ranking_cases(draw):
    """Truth and scores: with ties inside a class and across, one class only, and none."""

    def case(rationale, y_true, y_score, **flags):
        return Case(rationale, y_true=np.array(y_true, np.int64), y_score=draw.array(y_score), **flags)

    yield case("no two scores are equal", [1, 0, 1, 0], [0.9, 0.8, 0.7, 0.1])
    yield case("a tie across the classes", [0, 1, 0, 1], [0.1, 0.4, 0.4, 0.8])
    yield case("scores of a network", draw.labels(25, 2), draw.uniform(0, 1, 25))
    yield case("many ties", draw.labels(30, 2), steps_of(draw, 30, 4))
    yield case("everything is level", [1, 0, 0, 1, 0], [0.5] * 5)
    yield case("few positives, logits", [0] * 14 + [1] * 3 + [0] * 6, draw.normal(23, scale=3.0))
    yield case("positives only", [1, 1, 1], [0.2, 0.9, 0.2])
    yield case("negatives only", [0, 0, 0, 0], [0.2, 0.9, 0.9, 0.1])
    yield case("a perfect ranking", [1, 0, 1, 0, 0], [3, -1, 2, 1, 0], hidden=True)
    yield case("the worst ranking", [1, 0, 1, 0, 0, 0], [0, 3, 1, 4, 2, 5], hidden=True)
    yield case("ties inside the classes only", [1, 1, 0, 0, 1, 0], [0.7, 0.7, 0.3, 0.3, 0.1, 0.9], hidden=True)
    yield case("ties, the other way round in memory", [1, 0, 1, 0], [0.4, 0.4, 0.8, 0.1], hidden=True)
    yield case("forty samples", draw.labels(40, 2), steps_of(draw, 40, 11), hidden=True)
    yield case("a single pair", [0, 1], [0.3, 0.8], hidden=True)
    yield case("one sample", [1], [0.3], hidden=True)
    yield case("no samples", [], [], hidden=True)


roc_auc = chapter.exercise("roc_auc", points=3, returns="area")
roc_auc.cases(ranking_cases)


def pairs_won(y_true, y_score, level=0.5):
    """For every pair (positive, negative) 1 where the positive is ahead, `level` in a tie."""
    positive, negative = y_score[y_true == 1][:, None], y_score[y_true == 0]
    return np.where(positive > negative, 1.0, np.where(positive == negative, level, 0.0))


def share_won(y_true, y_score, level=0.5, undefined=np.nan):
    won = pairs_won(y_true, y_score, level)
    return float(won.mean()) if won.size else undefined


@roc_auc.mistake("You ignored ties: they counted as lost. A pair with equal scores counts one half.")
def counts_ties_as_lost(y_true, y_score):
    return share_won(y_true, y_score, level=0.0)


@roc_auc.mistake("You counted ties as won (>= for >). A pair with equal scores counts one half.")
def counts_ties_as_won(y_true, y_score):
    return share_won(y_true, y_score, level=1.0)


@roc_auc.mistake(
    "You let the order in memory decide ties (argsort, one sample at a time). A pair with equal scores counts one half."
)
def breaks_ties_by_order(y_true, y_score):
    # argsort's default kind, as students call it: on one machine it orders equal scores the same way every time
    return ranks_by_order(y_true, np.argsort(y_score))


@roc_auc.mistake(
    "You let the order in memory decide ties (from the highest score down). A pair with equal scores counts one half."
)
def breaks_ties_by_order_downwards(y_true, y_score):
    return ranks_by_order(y_true, np.argsort(-y_score)[::-1])


def ranks_by_order(y_true, order):
    ranks = np.empty(len(y_true))
    ranks[order] = np.arange(len(y_true))
    return share_won(y_true, ranks)


@roc_auc.mistake("You have the area upside down, 1 - AUC: the positive should have the *higher* score.")
def ranks_upside_down(y_true, y_score):
    return share_won(y_true, -y_score)


@roc_auc.mistake("You left ties out altogether. A pair with equal scores is a pair: it counts one half.")
def leaves_ties_out(y_true, y_score):
    won = pairs_won(y_true, y_score, np.nan)
    return float(np.nanmean(won)) if won.size else np.nan


@roc_auc.mistake("You cut the scores at 0.5 first. The area is over all thresholds: use the scores as they are.")
def cuts_the_scores_first(y_true, y_score):
    return share_won(y_true, (y_score > 0.5).astype(np.float32))


@roc_auc.mistake("You counted the pairs that are in order. The area is their share: divide by positives * negatives.")
def counts_the_pairs(y_true, y_score):
    won = pairs_won(y_true, y_score)
    return float(won.sum()) if won.size else np.nan


@roc_auc.mistake("You divided by n * n. There are positives * negatives pairs of one each.")
def divides_by_all_pairs(y_true, y_score):
    won = pairs_won(y_true, y_score)
    return float(won.sum()) / len(y_true) ** 2 if won.size else np.nan


@roc_auc.mistake("With one class only you gave 0. There are no pairs to compare: the area is not defined, NaN.")
def gives_one_class_a_zero(y_true, y_score):
    return share_won(y_true, y_score, undefined=0.0)


@roc_auc.mistake("With one class only you gave 0.5. There are no pairs to compare: the area is not defined, NaN.")
def gives_one_class_a_half(y_true, y_score):
    return share_won(y_true, y_score, undefined=0.5)


@roc_auc.keras_twin
def roc_auc_in_sklearn(keras, y_true, y_score):
    from sklearn.metrics import roc_auc_score

    return float(roc_auc_score(y_true, y_score)) if len(y_true) else np.nan


average_precision = chapter.exercise("average_precision", points=3, returns="score")
average_precision.cases(ranking_cases)


def precisions(y_true, y_score):
    """(threshold, precision, recall) at every different score, from the highest down."""
    rows = []
    for threshold in np.unique(y_score)[::-1]:
        called = y_score >= threshold
        right = np.sum(y_true[called] == 1)
        rows.append((threshold, right / np.sum(called), right / np.sum(y_true == 1)))
    return rows


def purity(y_true, y_score):
    """The average precision as it is asked for."""
    at = {threshold: value for threshold, value, _ in precisions(y_true, y_score)}
    return mean_or_zero([at[score] for score in y_score[y_true == 1]])


def mean_or_zero(values):
    return float(np.mean(values)) if len(values) else 0.0


def purity_by_order(y_true, order):
    truth = y_true[order] == 1
    return mean_or_zero((np.cumsum(truth) / np.arange(1, len(truth) + 1))[truth])


@average_precision.mistake(
    "You ignored ties and let the order in memory decide. Samples with the same score come in together."
)
def takes_ties_one_by_one(y_true, y_score):
    return purity_by_order(y_true, np.argsort(-y_score))


@average_precision.mistake(
    "You ignored ties and took them in reverse order of memory (argsort, reversed). Equal scores come in together."
)
def takes_ties_backwards(y_true, y_score):
    return purity_by_order(y_true, np.argsort(y_score)[::-1])


@average_precision.mistake(
    "You called positive what is above the threshold, without the sample itself. Use score >= s."
)
def leaves_the_sample_out(y_true, y_score):
    values = []
    for s in y_score[y_true == 1]:
        values.append(quotient(int(np.sum(y_true[y_score > s] == 1)), int(np.sum(y_score > s))))
    return mean_or_zero(values)


@average_precision.mistake("You ranked the lowest score first. The highest one is the surest positive.")
def ranks_the_lowest_first(y_true, y_score):
    return purity(y_true, -y_score)


@average_precision.mistake("You averaged the precision over all samples. Only at the positives does the recall grow.")
def averages_over_everyone(y_true, y_score):
    at = {threshold: value for threshold, value, _ in precisions(y_true, y_score)}
    return mean_or_zero([at[score] for score in y_score])


@average_precision.mistake("You divided by all the samples. The mean is over the positives.")
def divides_by_everyone(y_true, y_score):
    return quotient(purity(y_true, y_score) * np.sum(y_true == 1), len(y_true))


@average_precision.mistake(
    "You averaged the precision over the thresholds. Each one weighs as much as the recall grows there."
)
def averages_over_thresholds(y_true, y_score):
    if not np.any(y_true == 1):
        return 0.0
    return mean_or_zero([value for _, value, _ in precisions(y_true, y_score)])


@average_precision.mistake(
    "You joined the curve's points by straight lines (trapezoids), which is too kind. Each step counts at its "
    "precision."
)
def connects_by_straight_lines(y_true, y_score):
    if not np.any(y_true == 1):
        return 0.0
    area, before, reached = 0.0, 1.0, 0.0
    for _, value, recalled in precisions(y_true, y_score):
        area += (recalled - reached) * (value + before) / 2
        before, reached = value, recalled
    return float(area)


@average_precision.mistake(
    "You took the best precision at this recall or beyond, as some contests do. Asked is the precision at the sample "
    "itself."
)
def interpolates_the_curve(y_true, y_score):
    at = precisions(y_true, y_score)
    best = {s: max(value for other, value, _ in at if other <= s) for s, _, _ in at}
    return mean_or_zero([best[score] for score in y_score[y_true == 1]])


@average_precision.mistake(
    "You computed the precision of the labels at a threshold of 0.5. Average it over the ranking."
)
def computes_one_precision(y_true, y_score):
    return mean_or_zero(y_true[y_score > 0.5] == 1)


@average_precision.mistake("Without a positive you gave NaN. By convention (scikit-learn's) the answer is 0 there.")
def leaves_it_undefined(y_true, y_score):
    return purity(y_true, y_score) if np.any(y_true == 1) else np.nan


@average_precision.keras_twin
def average_precision_in_sklearn(keras, y_true, y_score):
    from sklearn.metrics import average_precision_score

    return float(average_precision_score(y_true, y_score)) if len(y_true) else 0.0


mean_average_precision = chapter.exercise(
    "mean_average_precision", points=2, returns="score", requires=("average_precision",)
)


@mean_average_precision.cases
def mean_average_precision_cases(draw):
    def truth(n, positives):
        """A column per number in `positives`, with so many ones."""
        columns = [np.isin(draw.order(n), np.arange(count)) for count in positives]
        return np.ascontiguousarray(np.array(columns).T, np.int64)

    def case(rationale, n, positives, levels=1000, **flags):
        y_score = steps_of(draw, n * len(positives), levels).reshape(n, -1)
        return Case(rationale, y_true=truth(n, positives), y_score=y_score, **flags)

    y_true = np.array([[1, 0, 0], [0, 0, 1], [1, 0, 0]])
    yield Case(
        "the label in the middle never occurs",
        y_true=y_true,
        y_score=draw.array([[0.9, 0.5, 0.7], [0.8, 0.6, 0.1], [0.7, 0.2, 0.3]]),
    )
    yield case("two labels", 9, (4, 3))
    yield case("a rare label counts as much as a frequent one", 20, (14, 1, 5))
    yield case("ties", 15, (3, 7, 4, 2), levels=4)
    yield case("as many labels as samples", 5, (2, 1, 0, 5, 3))
    yield case("one label", 12, (5,), hidden=True)
    yield case("no label has a positive", 4, (0, 0, 0), hidden=True)
    yield case("every sample has every label", 4, (4, 4), hidden=True)
    yield case("only the last label occurs", 7, (0, 0, 3), hidden=True)
    yield Case("no samples", y_true=np.zeros((0, 3), np.int64), y_score=draw.array(np.zeros((0, 3))), hidden=True)


def column_scores(y_true, y_score):
    return np.array([purity(truth, score) for truth, score in zip(y_true.T, y_score.T, strict=True)])


def with_positives(y_true):
    return y_true.sum(axis=0) > 0


@mean_average_precision.mistake(
    "You counted columns without a positive as 0. Nothing can be ranked there: leave them out of the mean."
)
def counts_columns_without_positives(y_true, y_score):
    return mean_or_zero(column_scores(y_true, y_score))


@mean_average_precision.mistake("You went through the rows, the samples. A label is a column.")
def goes_through_the_rows(y_true, y_score):
    return mean_or_zero(column_scores(y_true.T, y_score.T)[with_positives(y_true.T)])


@mean_average_precision.mistake(
    "You put all the columns into one long list (micro). Each label has a ranking of its own."
)
def ranks_all_in_one(y_true, y_score):
    return purity(y_true.ravel(), y_score.ravel())


@mean_average_precision.mistake(
    "You weighted the labels by how often they occur. In the mean all the labels count the same."
)
def weights_by_frequency(y_true, y_score):
    counts = y_true.sum(axis=0)
    return quotient(float(np.sum(column_scores(y_true, y_score) * counts)), int(counts.sum()))


@mean_average_precision.mistake("You added up the labels. Divide by the number of those that have a positive.")
def adds_up_the_labels(y_true, y_score):
    return float(column_scores(y_true, y_score).sum())


@mean_average_precision.mistake("You returned the first label's average precision. Go through all the columns.")
def returns_the_first_label(y_true, y_score):
    scores = column_scores(y_true, y_score)[with_positives(y_true)]
    return float(scores[0]) if len(scores) else 0.0


@mean_average_precision.mistake("Where no label has a positive you gave NaN. As for one label the answer is 0 there.")
def leaves_the_mean_undefined(y_true, y_score):
    return mean_or_nan(column_scores(y_true, y_score)[with_positives(y_true)])


@mean_average_precision.mistake(
    "You averaged the areas under the ROC curves. Asked is the average precision of each label."
)
def averages_the_areas(y_true, y_score):
    areas = [share_won(truth, score) for truth, score in zip(y_true.T, y_score.T, strict=True)]
    return mean_or_zero([area for area in areas if not np.isnan(area)])


@mean_average_precision.keras_twin
def mean_average_precision_in_sklearn(keras, y_true, y_score):
    from sklearn.metrics import average_precision_score

    occurs = with_positives(y_true)
    return float(average_precision_score(y_true[:, occurs], y_score[:, occurs])) if occurs.any() else 0.0


# --- grid search ----------------------------------------------------------------------------------------------------

grid_search = chapter.exercise("grid_search", points=2, returns=("best", "table"), compiled=False)

DIFFERENCE = Function("score", "def score(lr, units):\n    return float(units - lr)\n")
PEAK = Function(
    "score", "def score(units, rate, lr):\n    return 1 - (units - 32) ** 2 / 1000 - (rate - 0.3) ** 2 + units * lr\n"
)
LEVEL = Function("score", "def score(a, b):\n    return 0.5\n")
VALLEY = Function("score", "def score(depth):\n    return -abs(depth - 3.0)\n")
CHOICE = Function(
    "score",
    "def score(activation, shuffle):\n"
    "    return {'relu': 0.7, 'tanh': 0.8, 'sigmoid': 0.6}[activation] + (0.05 if shuffle else 0.0)\n",
)
DIVERGING = Function("score", "def score(lr):\n    return float('nan') if lr > 0.5 else lr\n")
DIVERGED = Function("score", "def score(lr, units):\n    return float('nan')\n")
CROSSED = Function(
    "score", "def score(a, b):\n    return {(0, 0): 0.3, (0, 1): 0.2, (1, 0): 0.1, (1, 1): 0.9}[a, b] - 1\n"
)
BOTTOMLESS = Function("score", "def score(a):\n    return [-np.inf, -5.0, -np.inf, -7.0][a]\n")


@grid_search.cases
def grid_search_cases(draw):
    yield Case("two by two", score=DIFFERENCE, grid={"lr": (1, 2), "units": (8, 16)})
    yield Case("three by two, named in another order", score=DIFFERENCE, grid={"units": (4, 9, 7), "lr": (0.5, 0.1)})
    peaks = {"units": (16, 32, 64), "rate": (0.2, 0.5), "lr": (0.01, 0.001, 0.1)}
    yield Case("three hyperparameters", score=PEAK, grid=peaks)
    yield Case("the best pair is not the best one by one", score=CROSSED, grid={"a": (0, 1), "b": (0, 1)})
    yield Case("all are equal: the first wins", score=LEVEL, grid={"b": (1, 2), "a": (3, 4)})
    yield Case("scores below zero", score=VALLEY, grid={"depth": (1, 2, 4, 5)})
    yield Case("a training that blew up", score=DIVERGING, grid={"lr": (0.9, 0.1, 0.3, 0.7)})
    yield Case("another that blew up in between", score=DIVERGING, grid={"lr": (0.1, 0.9, 0.3)})
    choices = {"activation": ("relu", "tanh", "sigmoid"), "shuffle": (False, True)}
    yield Case("values that are no numbers", score=CHOICE, grid=choices, hidden=True)
    yield Case("every training blew up", score=DIVERGED, grid={"lr": (0.9, 0.1), "units": (4, 8)}, hidden=True)
    yield Case("one value each", score=DIFFERENCE, grid={"lr": (0.1,), "units": (8,)}, hidden=True)
    yield Case("infinitely bad", score=BOTTOMLESS, grid={"a": (0, 1, 2, 3)}, hidden=True)
    yield Case("the last is the best", score=DIFFERENCE, grid={"lr": (3, 2, 1), "units": (1, 2)}, hidden=True)


def combinations(grid):
    points = [{}]
    for name, values in grid.items():
        points = [{**point, name: value} for point in points for value in values]
    return points


def searched(score, points, better=lambda new, old: new > old):
    """(best, table) with another idea of what to try, or of what is better; NaN is the worst."""
    table = [(point, score(**point)) for point in points]
    best = 0
    for row, (_, value) in enumerate(table):
        if better(value, table[best][1]) or (np.isnan(table[best][1]) and not np.isnan(value)):
            best = row
    return points[best], table


@grid_search.mistake("You kept the lowest score. Higher is better here: an accuracy, not a loss.")
def keeps_the_lowest(score, grid):
    return searched(score, combinations(grid), lambda new, old: new < old)


@grid_search.mistake("You kept the last one of equal scores (>= for >). The first one wins.")
def keeps_the_last_of_equals(score, grid):
    return searched(score, combinations(grid), lambda new, old: new >= old)


@grid_search.mistake(
    "You tried the first values together, then the second ones, and so on (zip). Asked is every combination."
)
def pairs_the_values(score, grid):
    rows = zip(*grid.values(), strict=False)
    return searched(score, [dict(zip(grid, row, strict=True)) for row in rows])


@grid_search.mistake(
    "You changed one hyperparameter at a time and left the others at their first value. The best pair may be one of "
    "those that you never tried: asked is every combination."
)
def changes_one_at_a_time(score, grid):
    first = {name: values[0] for name, values in grid.items()}
    points = [first] + [{**first, name: value} for name, values in grid.items() for value in values[1:]]
    return searched(score, points)


@grid_search.mistake("In your table the first name changes fastest. The last name should.")
def lets_the_first_change_fastest(score, grid):
    points = combinations(dict(reversed(grid.items())))
    return searched(score, [{name: point[name] for name in grid} for point in points])


@grid_search.mistake(
    "All rows of your table, and the best one, are one and the same dict, which you went on changing. Make a new dict "
    "for every combination: {**point, name: value}."
)
def changes_one_dict(score, grid):
    points = combinations(grid)
    return points[-1], [(points[-1], score(**point)) for point in points]


@grid_search.mistake("You sorted the table by the score. Leave it in the order in which the combinations were tried.")
def sorts_the_table(score, grid):
    best, table = searched(score, combinations(grid))
    return best, sorted(table, key=lambda row: -row[1])


@grid_search.mistake(
    "np.argmax takes a NaN for the largest, so a training that blew up won. NaN is worse than any number."
)
def lets_nan_win(score, grid):
    _, table = searched(score, combinations(grid))
    return table[int(np.argmax([value for _, value in table]))][0], table


@grid_search.mistake(
    "You compared with a NaN that came first: nothing is larger than NaN, so it stayed. Begin with -inf as the highest."
)
def never_leaves_the_first_nan(score, grid):
    table = [(point, score(**point)) for point in combinations(grid)]
    best, highest = table[0]
    for point, value in table:
        if value > highest:
            best, highest = point, value
    return best, table


@grid_search.mistake("You began with 0 as the highest score. Scores may be negative: begin with -inf.")
def begins_with_zero(score, grid):
    table = [(point, score(**point)) for point in combinations(grid)]
    best, highest = table[0][0], 0.0
    for point, value in table:
        if value > highest:
            best, highest = point, value
    return best, table


@grid_search.mistake("You returned the highest score. Asked is the combination that has it.")
def returns_the_highest_score(score, grid):
    best, table = searched(score, combinations(grid))
    return next(value for point, value in table if point == best), table


@grid_search.mistake("You returned the best combination with its score. `best` is the dict alone.")
def returns_the_best_row(score, grid):
    best, table = searched(score, combinations(grid))
    return next(row for row in table if row[0] == best), table


@grid_search.mistake("Your table has the scores only. Each row is a pair: the combination and its score.")
def lists_the_scores_only(score, grid):
    best, table = searched(score, combinations(grid))
    return best, [value for _, value in table]

"""Evaluation: splits never leak, and scores are scikit-learn's, whatever the data."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from solutions import ch08_evaluation as chapter

metrics = pytest.importorskip("sklearn.metrics", reason="needs scikit-learn: pip install 'deepkata[dev]'")
model_selection = pytest.importorskip("sklearn.model_selection")

seeds = st.integers(0, 2**32 - 1)
fractions = st.floats(0, 1, allow_nan=False).map(lambda fraction: round(fraction, 3))
relaxed = settings(deadline=None, max_examples=100)


@st.composite
def folds(draw):
    """(n, k) with 2 <= k <= n"""
    n = draw(st.integers(2, 60))
    return n, draw(st.integers(2, min(n, 12)))


@st.composite
def answers(draw, num_classes=5):
    """(y_true, y_pred): at least one sample, classes that may be missing."""
    n = draw(st.integers(1, 40))
    random = np.random.default_rng(draw(seeds))
    top = draw(st.integers(1, num_classes))
    return random.integers(0, top, n), random.integers(0, top, n)


@st.composite
def rankings(draw, columns=None):
    """(y_true, y_score) with many ties, or few."""
    n = draw(st.integers(1, 40))
    random = np.random.default_rng(draw(seeds))
    shape = n if columns is None else (n, columns)
    y_true = (random.uniform(size=shape) < draw(st.sampled_from([0.05, 0.5, 0.9]))).astype(np.int64)
    levels = draw(st.sampled_from([1, 3, 10, 10**6]))
    return y_true, (random.integers(0, levels + 1, shape) / levels).astype(np.float32)


def assert_partition(n, *parts):
    """Every sample is in exactly one of the parts, and they are sample numbers."""
    assert all(part.dtype == np.int64 for part in parts)
    np.testing.assert_array_equal(np.sort(np.concatenate(parts)), np.arange(n))


# --- splits ---------------------------------------------------------------------------------------------------------


@relaxed
@given(seed=seeds, sizes=st.tuples(*[st.integers(0, 30)] * 3))
def test_holdout_sets_are_disjoint_and_complete(seed, sizes):
    n = sum(sizes)
    train, val, test = chapter.holdout_split(n, sizes[1], sizes[2], np.random.default_rng(seed))
    assert (len(train), len(val), len(test)) == sizes
    assert_partition(n, train, val, test)


def test_holdout_shuffles_with_the_generator_it_is_given():
    first, again, other = (chapter.holdout_split(50, 10, 10, np.random.default_rng(seed)) for seed in (1, 1, 2))
    np.testing.assert_array_equal(np.concatenate(first), np.concatenate(again))
    assert (np.concatenate(first) != np.concatenate(other)).any()
    assert (np.concatenate(first) != np.arange(50)).any()


@relaxed
@given(shape=folds())
def test_folds_are_those_of_scikit_learn(shape):
    n, k = shape
    ours = chapter.kfold_indices(n, k)
    theirs = list(model_selection.KFold(k).split(np.zeros(n)))
    assert len(ours) == len(theirs) == k
    for (train, val), (their_train, their_val) in zip(ours, theirs, strict=True):
        np.testing.assert_array_equal(train, their_train)
        np.testing.assert_array_equal(val, their_val)


@relaxed
@given(shape=folds())
def test_every_sample_is_validated_once_and_never_trained_on_then(shape):
    n, k = shape
    ours = chapter.kfold_indices(n, k)
    for train, val in ours:
        assert_partition(n, train, val)
    assert_partition(n, *(val for _, val in ours))
    sizes = [len(val) for _, val in ours]
    assert max(sizes) - min(sizes) <= 1
    assert sizes == sorted(sizes, reverse=True)


@relaxed
@given(shape=folds(), seed=seeds)
def test_the_rows_of_a_fold_are_those_of_its_indices(shape, seed):
    n, k = shape
    data = np.random.default_rng(seed).standard_normal((n, 3)).astype(np.float32)
    for fold, (train, val) in enumerate(chapter.kfold_indices(n, k)):
        train_data, val_data = chapter.kfold_data(data, k, fold)
        np.testing.assert_array_equal(train_data, data[train])
        np.testing.assert_array_equal(val_data, data[val])


def test_the_lectures_plus_is_silent_in_the_middle_fold_and_wrong():
    data = np.arange(12, dtype=np.float32).reshape(6, 2)
    train_data, _ = chapter.kfold_data(data, 3, 1)
    slip = data[:2] + data[4:]
    np.testing.assert_array_equal(train_data, [[0, 1], [2, 3], [8, 9], [10, 11]])
    np.testing.assert_array_equal(slip, [[8, 10], [12, 14]])


@relaxed
@given(shape=folds(), p=st.integers(0, 4), seed=seeds)
def test_every_repetition_validates_every_sample_once(shape, p, seed):
    n, k = shape
    ours = chapter.iterated_kfold_indices(n, k, p, np.random.default_rng(seed))
    assert len(ours) == p * k
    for train, val in ours:
        assert_partition(n, train, val)
    for repetition in range(p):
        assert_partition(n, *(val for _, val in ours[repetition * k : (repetition + 1) * k]))


def test_repetitions_differ():
    ours = chapter.iterated_kfold_indices(40, 2, 3, np.random.default_rng(5))
    validated = {tuple(sorted(val)) for _, val in ours}
    assert len(validated) == 6


@relaxed
@given(labels=st.lists(st.integers(-3, 6), max_size=60), test_fraction=fractions, seed=seeds)
def test_every_class_keeps_its_share(labels, test_fraction, seed):
    labels = np.array(labels, np.int64)
    train, test = chapter.stratified_split(labels, test_fraction, np.random.default_rng(seed))
    assert_partition(len(labels), train, test)
    for label in np.unique(labels):
        tested = np.sum(labels[test] == label)
        assert abs(tested - test_fraction * np.sum(labels == label)) <= 0.5 + 1e-9


@relaxed
@given(counts=st.lists(st.integers(4, 30), min_size=2, max_size=5), seed=seeds)
def test_shares_are_those_of_scikit_learn_within_one(counts, seed):
    labels = np.repeat(np.arange(len(counts)), counts)
    _, test = chapter.stratified_split(labels, 0.3, np.random.default_rng(seed))
    split = model_selection.StratifiedShuffleSplit(1, test_size=0.3, random_state=seed)
    _, theirs = next(split.split(labels, labels))
    ours_and_theirs = (np.bincount(labels[part], minlength=len(counts)) for part in (test, theirs))
    assert np.abs(np.subtract(*ours_and_theirs)).max() <= 1


@relaxed
@given(times=st.lists(st.integers(-10, 10) | st.integers(-(2**60), 2**60), max_size=40), test_fraction=fractions)
def test_the_test_set_is_strictly_later(times, test_fraction):
    times = np.array(times, np.int64)
    train, test = chapter.temporal_split(times, test_fraction)
    assert_partition(len(times), train, test)
    if len(train) and len(test):
        assert times[test].min() > times[train].max()


@relaxed
@given(times=st.lists(st.integers(0, 12), min_size=1, max_size=40), test_fraction=fractions)
def test_the_test_set_is_as_large_as_ties_allow(times, test_fraction):
    times = np.array(times, np.int64)
    train, test = chapter.temporal_split(times, test_fraction)
    asked = int(test_fraction * len(times) + 0.5)
    assert len(test) <= asked
    if len(test) < asked:
        level = np.sum(times[train] == times[train].max())
        assert len(test) + level > asked, "the latest of the training samples would have had room in the test set"


# --- what all the splits promise ------------------------------------------------------------------------------------

LABELS = np.repeat([4, 0, 7], [30, 12, 3])
RANDOM_SPLITS = {
    "holdout_split": lambda rng: chapter.holdout_split(45, 9, 12, rng),
    "iterated_kfold_indices": lambda rng: sum(chapter.iterated_kfold_indices(45, 4, 3, rng), ()),
    "stratified_split": lambda rng: chapter.stratified_split(LABELS, 0.3, rng),
}


def assert_same_parts(one, other):
    for ours, theirs in zip(one, other, strict=True):
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("name", RANDOM_SPLITS)
@relaxed
@given(seed=seeds)
def test_the_same_seed_gives_the_same_split_and_another_seed_another(name, seed):
    split = RANDOM_SPLITS[name]
    first, again, other = (split(np.random.default_rng(number)) for number in (seed, seed, seed + 1))
    assert_same_parts(first, again)
    assert any(not np.array_equal(ours, theirs) for ours, theirs in zip(first, other, strict=True))


@pytest.mark.parametrize("name", RANDOM_SPLITS)
def test_chance_comes_from_the_generator_alone(name):
    """Neither the global generator's state nor another call before it makes a difference."""
    np.random.seed(3)
    before = np.random.get_state()[1].copy()
    first = RANDOM_SPLITS[name](np.random.default_rng(1))
    np.testing.assert_array_equal(np.random.get_state()[1], before)
    np.random.seed(4)
    assert_same_parts(first, RANDOM_SPLITS[name](np.random.default_rng(1)))


def test_a_split_leaves_what_it_is_given_as_it_was():
    rng = np.random.default_rng(2)
    labels, times, data = rng.integers(0, 3, 20), rng.integers(0, 9, 20), rng.standard_normal((20, 2))
    copies = labels.copy(), times.copy(), data.copy()
    chapter.stratified_split(labels, 0.4, rng)
    chapter.temporal_split(times, 0.4)
    chapter.kfold_data(data, 3, 1)
    assert_same_parts((labels, times, data), copies)


@relaxed
@given(n=st.integers(0, 40), test_fraction=fractions, seed=seeds)
def test_the_order_in_which_samples_are_stored_does_not_move_the_cut_in_time(n, test_fraction, seed):
    random = np.random.default_rng(seed)
    times, order = random.integers(0, 15, n), random.permutation(n)
    for part, shuffled in zip(
        chapter.temporal_split(times, test_fraction), chapter.temporal_split(times[order], test_fraction), strict=True
    ):
        np.testing.assert_array_equal(part, np.sort(order[shuffled]))


# --- scores ---------------------------------------------------------------------------------------------------------


@relaxed
@given(pair=answers())
def test_accuracy_is_that_of_scikit_learn_and_the_diagonals_share(pair):
    assert chapter.accuracy(*pair) == pytest.approx(metrics.accuracy_score(*pair))
    assert chapter.accuracy(*pair) == np.trace(chapter.confusion_matrix(*pair, 5)) / len(pair[0])


@relaxed
@given(pair=answers())
def test_the_confusion_matrix_is_that_of_scikit_learn(pair):
    matrix = chapter.confusion_matrix(*pair, 6)
    np.testing.assert_array_equal(matrix, metrics.confusion_matrix(*pair, labels=range(6)))
    np.testing.assert_array_equal(matrix.sum(axis=1), np.bincount(pair[0], minlength=6))
    np.testing.assert_array_equal(matrix.T, chapter.confusion_matrix(*pair[::-1], 6))


@relaxed
@given(pair=answers(num_classes=2))
def test_precision_and_recall_are_those_of_scikit_learn(pair):
    assert chapter.precision(*pair) == pytest.approx(metrics.precision_score(*pair, zero_division=0))
    assert chapter.recall(*pair) == pytest.approx(metrics.recall_score(*pair, zero_division=0))
    assert chapter.precision(*pair) == chapter.recall(*pair[::-1])


@relaxed
@given(labels=st.lists(st.integers(0, 6), min_size=1, max_size=40))
def test_the_baseline_is_the_best_constant_answer(labels):
    labels = np.array(labels, np.int64)
    constants = [chapter.accuracy(labels, np.full_like(labels, label)) for label in range(7)]
    assert chapter.baseline_score(labels) == max(constants) >= 1 / len(np.unique(labels))


@relaxed
@given(n=st.integers(1, 40), seed=seeds)
def test_the_mean_absolute_error_is_that_of_scikit_learn(n, seed):
    y_true, y_pred = np.random.default_rng(seed).normal(20, 10, (2, n)).astype(np.float32)
    assert chapter.mae_metric(y_true, y_pred) == pytest.approx(metrics.mean_absolute_error(y_true, y_pred), rel=1e-5)


@relaxed
@given(ranking=rankings(), threshold=st.sampled_from([0.0, 0.25, 0.5, 1.0]))
def test_a_lower_threshold_never_finds_less(ranking, threshold):
    y_true, y_score = ranking
    labels, more = (chapter.predicted_labels(y_score, cut) for cut in (threshold, threshold - 0.2))
    np.testing.assert_array_equal(labels, y_score > threshold)
    assert labels.dtype == np.int64
    assert chapter.recall(y_true, more) >= chapter.recall(y_true, labels)


@relaxed
@given(ranking=rankings())
def test_the_area_is_that_of_scikit_learn(ranking):
    y_true, y_score = ranking
    area = chapter.roc_auc(y_true, y_score)
    if len(np.unique(y_true)) == 1:
        assert math.isnan(area)
    else:
        assert area == pytest.approx(metrics.roc_auc_score(y_true, y_score))
        assert area == pytest.approx(1 - chapter.roc_auc(y_true, -y_score))
        assert area == pytest.approx(1 - chapter.roc_auc(1 - y_true, y_score))


@relaxed
@given(ranking=rankings())
def test_the_average_precision_is_that_of_scikit_learn(ranking):
    y_true, y_score = ranking
    ours = chapter.average_precision(y_true, y_score)
    if y_true.any():
        assert ours == pytest.approx(metrics.average_precision_score(y_true, y_score))
        assert ours >= y_true.sum() / len(y_true) ** 2 > 0
    else:
        assert ours == 0


@relaxed
@given(ranking=rankings(), seed=seeds)
@pytest.mark.parametrize("score", [chapter.roc_auc, chapter.average_precision], ids=lambda score: score.__name__)
def test_a_ranking_depends_on_neither_storage_nor_scale(score, ranking, seed):
    y_true, y_score = ranking
    assume(y_true.any())
    assume(not y_true.all())
    order = np.random.default_rng(seed).permutation(len(y_true))
    assert score(y_true[order], y_score[order]) == pytest.approx(score(y_true, y_score))
    assert score(y_true, 8 * y_score - 3) == pytest.approx(score(y_true, y_score))


@relaxed
@given(ranking=rankings(columns=4))
def test_the_mean_average_precision_leaves_out_what_never_occurs(ranking):
    y_true, y_score = ranking
    occurs = y_true.any(axis=0)
    ours = chapter.mean_average_precision(y_true, y_score)
    if occurs.any():
        theirs = metrics.average_precision_score(y_true[:, occurs], y_score[:, occurs], average="macro")
        assert ours == pytest.approx(theirs)
    else:
        assert ours == 0


SCORES_IN_SKLEARN = {
    chapter.roc_auc: metrics.roc_auc_score,
    chapter.average_precision: metrics.average_precision_score,
}
LABELS_IN_SKLEARN = {
    chapter.accuracy: metrics.accuracy_score,
    chapter.precision: metrics.precision_score,
    chapter.recall: metrics.recall_score,
}
RAMP = np.linspace(0, 1, 9, dtype=np.float32)
RARE = (np.arange(1000) == 700).astype(np.int64)
EDGES = {  # (y_true, y_score); a score above 0.5 is called positive
    "one class only: all are positive": (np.ones(9, np.int64), RAMP),
    "one class only: all are negative": (np.zeros(9, np.int64), RAMP),
    "nothing is called positive": (np.array([0, 1, 0, 1, 1]), np.full(5, 0.25, np.float32)),
    "everything is called positive": (np.array([0, 1, 0, 1, 1]), np.full(5, 0.75, np.float32)),
    "nothing is positive, nothing is called so": (np.zeros(4, np.int64), np.zeros(4, np.float32)),
    "all that is called positive is wrong": (np.array([1, 0, 1, 0]), np.array([0.1, 0.9, 0.2, 0.8], np.float32)),
    "ties within and across the classes": (np.array([0, 1, 1, 0, 1, 0]), np.float32([0.2, 0.2, 0.9, 0.9, 0.9, 0.1])),
    "one sample, positive": (np.ones(1, np.int64), np.ones(1, np.float32)),
    "one sample, negative": (np.zeros(1, np.int64), np.ones(1, np.float32)),
    "one of a thousand, found": (RARE, RARE.astype(np.float32)),
    "one of a thousand, missed": (RARE, np.zeros(1000, np.float32)),
    "one of a thousand, ranked in the middle": (RARE, np.linspace(1, 0, 1000, dtype=np.float32)),
    "all but one of a thousand": (1 - RARE, np.linspace(1, 0, 1000, dtype=np.float32)),
}


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.UndefinedMetricWarning", "ignore:No positive class found")
@pytest.mark.parametrize("edge", EDGES)
def test_at_the_edges_a_score_is_that_of_scikit_learn(edge):
    y_true, y_score = EDGES[edge]
    for ours, theirs in SCORES_IN_SKLEARN.items():
        assert ours(y_true, y_score) == pytest.approx(theirs(y_true, y_score), nan_ok=True), ours.__name__
    y_pred = chapter.predicted_labels(y_score, 0.5)
    for ours, theirs in LABELS_IN_SKLEARN.items():
        assert ours(y_true, y_pred) == pytest.approx(theirs(y_true, y_pred)), ours.__name__
    np.testing.assert_array_equal(
        chapter.confusion_matrix(y_true, y_pred, 2), metrics.confusion_matrix(y_true, y_pred, labels=[0, 1])
    )


def test_accuracy_flatters_where_positives_are_rare_and_the_others_do_not():
    always_no = np.zeros(1000, np.int64)
    assert chapter.accuracy(RARE, always_no) == chapter.baseline_score(RARE) == 0.999
    assert chapter.precision(RARE, always_no) == chapter.recall(RARE, always_no) == 0
    level = np.full(1000, 0.1, np.float32)
    assert chapter.roc_auc(RARE, level) == 0.5
    assert chapter.average_precision(RARE, level) == 1 / 1000


def test_no_samples_have_a_defined_score():
    """scikit-learn refuses them; a share of nothing is NaN here, and 0 where it has 0 for an undefined one."""
    labels, scores = np.zeros(0, np.int64), np.zeros(0, np.float32)
    assert math.isnan(chapter.accuracy(labels, labels))
    assert math.isnan(chapter.baseline_score(labels))
    assert math.isnan(chapter.mae_metric(scores, scores))
    assert math.isnan(chapter.roc_auc(labels, scores))
    assert chapter.precision(labels, labels) == chapter.recall(labels, labels) == 0
    assert chapter.average_precision(labels, scores) == 0
    assert not chapter.confusion_matrix(labels, labels, 3).any()


# --- grid search ----------------------------------------------------------------------------------------------------

hyperparameters = st.dictionaries(
    st.sampled_from(["lr", "units", "rate", "momentum"]),
    st.lists(st.integers(0, 9), min_size=1, max_size=4, unique=True).map(tuple),
    max_size=3,
)


@relaxed
@given(grid=hyperparameters, seed=seeds)
def test_a_grid_search_tries_every_combination_once_and_keeps_the_best(grid, seed):
    random = np.random.default_rng(seed)
    tried = []

    def score(**point):
        tried.append(point)
        return float(random.choice([math.nan, *range(-3, 4)]))

    best, table = chapter.grid_search(score, grid)
    combinations = list(model_selection.ParameterGrid(grid))
    assert tried == [point for point, _ in table]
    assert len(tried) == len(combinations)
    assert all(point in tried for point in combinations)
    values = np.nan_to_num([value for _, value in table], nan=-math.inf)
    assert best == table[int(np.argmax(values))][0]  # argmax takes the first one of equals

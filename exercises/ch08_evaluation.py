"""Evaluation: how good is the network on data that it has never seen?

The loss on the training data answers another question: how well the network remembers. What counts is
*generalization*, and it is measured on data kept aside. Three sets have three jobs:

    training set      the weights are fitted to it
    validation set    the choices are made on it: how many layers, which learning rate, when to stop
    test set          looked at once, at the very end

Every choice made on the validation set lets a little of it leak into the model. Hence the third set: whoever makes
choices on the test set has no test set any more. There are several ways to cut, and the data decide which one is fit:

    hold-out           shuffle, cut off a part: simple, and enough where there is plenty of data
    K-fold             k cuts, every sample is validated once, the score is the mean: for few samples
    iterated K-fold    the whole K-fold p times, shuffled anew: for very few samples; trains p * k networks
    stratified         every class in its own proportion in both parts: for rare classes
    temporal           the past trains, the future tests: never shuffle what comes in an order

The second half of the chapter is about the score itself. Accuracy is the share of right answers, and it flatters:
where 99 of 100 samples are negative, "always no" reaches 0.99. So first ask what the most trivial answer would score
(`baseline_score`), then look at the *kinds* of error, and with scores rather than labels at every threshold at once:

    precision = tp / (tp + fp)    how many of those that we called positive are?    tp: positive, and called positive
    recall    = tp / (tp + fn)    how many of the positives did we find?            fp: negative, but called positive
    ROC AUC                       does a positive rank above a negative?            fn: positive, but called negative
    average precision             how pure is the list above each positive?

Where nothing can be measured the answer is NaN, or 0 where scikit-learn has it so: each function says which.
Follows the lecture "Fundamentals" (evaluating a model, measures of success, a baseline, tuning) and, for classes of
unequal size, Episode 2.
"""

import numpy as np
from numba import njit


def holdout_split(n, n_val, n_test, rng):
    """Hold-out validation: shuffle the samples once, and cut them into training, validation and test set.

    Parameters
    ----------
    n : int; number of samples
    n_val : int; how many of them to validate on
    n_test : int; how many of them to test on; n_val + n_test <= n
    rng : numpy.random.Generator; the only source of randomness

    Returns
    -------
    train : int64 (n - n_val - n_test,); the numbers of the samples to train on
    val : int64 (n_val,)
    test : int64 (n_test,)

    Approach: order = rng.permutation(n), one call, so that the same seed gives everybody the same sets. The first
    n_test of the order are the test set, the next n_val the validation set, all that is left is the training set.
    Example: n = 6, n_val = 1, n_test = 2, and the permutation [5, 0, 3, 2, 1, 4] gives train = [2, 1, 4], val = [3],
    test = [5, 0].
    Trap: one permutation for all three. With a new one for every set a sample is in two of them, and the score says
    nothing. And counted from the end, order[-n_test:] is everything when n_test is 0.
    Lecture: Fundamentals, evaluating a model: hold-out validation.
    """
    raise NotImplementedError("holdout_split")


def kfold_data(data, k, fold):
    """One cut of a K-fold validation: the lecture's code, for arrays.

    Parameters
    ----------
    data : float32 (n, d); one sample per row
    k : int; number of folds, 2 <= k <= n
    fold : int; which fold validates, 0 to k - 1

    Returns
    -------
    train_data : float32; the rows of all the other folds, in their order
    val_data : float32; the rows of the fold

    The folds are neighbouring rows, as even as can be: each has n // k, and the first n % k have one more.

    Approach: the folds before this one take fold * (n // k) rows and one more each, min(fold, n % k) in all: that is
    where it starts. Slice out the validation rows, and join the rows before and after them.
    Example: data = [[0], [10], [20], [30], [40]], k = 3, fold = 1: the folds have 2, 2 and 1 rows, so
    train_data = [[0], [10], [40]] and val_data = [[20], [30]].
    Trap: the lecture writes data[:start] + data[stop:]. That joins lists, but it *adds* arrays: in the middle fold of
    three equal ones without any error, and the network then trains on sums of samples. Arrays are joined by
    np.concatenate.
    Lecture: Fundamentals, evaluating a model: K-fold validation.
    """
    raise NotImplementedError("kfold_data")


def kfold_indices(n, k):
    """K-fold validation: k cuts, and every sample is in the validation set of exactly one of them.

    Parameters
    ----------
    n : int; number of samples
    k : int; number of folds, 2 <= k <= n

    Returns
    -------
    tuple of k pairs (train, val), both int64: the numbers of the samples to train and to validate on, ascending

    The folds are those of scikit-learn's KFold without a shuffle: neighbours, each of n // k samples, and the first
    n % k folds have one more. Numbers are better than rows: the same cut then serves the data and the labels.

    Approach: walk from fold to fold; each one starts where the last one stopped.
    Example: n = 5, k = 2 gives (([3, 4], [0, 1, 2]), ([0, 1, 2], [3, 4])).
    Trap: with n // k samples in every fold, the last n % k samples are never validated. And train is all the rest, on
    both sides of the fold, joined by np.concatenate: + adds arrays.
    Lecture: Fundamentals, evaluating a model: K-fold validation.
    """
    raise NotImplementedError("kfold_indices")


def iterated_kfold_indices(n, k, p, rng):
    """Iterated K-fold validation with shuffling: the whole K-fold p times, each time in another order.

    Parameters
    ----------
    n : int; number of samples
    k : int; number of folds, 2 <= k <= n
    p : int; number of repetitions
    rng : numpy.random.Generator; the only source of randomness

    Returns
    -------
    tuple of p * k pairs (train, val), both int64; the k pairs of the first repetition come first

    Approach: for every repetition draw order = rng.permutation(n), once. The folds of your kfold_indices are places in
    that order, so the samples are order[train] and order[val].
    Example: n = 4, k = 2, p = 1, and the permutation [2, 0, 1, 3] gives (([1, 3], [2, 0]), ([2, 0], [1, 3])).
    Trap: shuffle once per repetition, not once per fold: the folds of one repetition must not overlap. With one
    shuffle for all repetitions the same numbers would be computed p times.
    Lecture: Fundamentals, evaluating a model: iterated K-fold validation with shuffling.
    """
    raise NotImplementedError("iterated_kfold_indices")


def stratified_split(labels, test_fraction, rng):
    """A shuffled split in which every class keeps its share.

    By chance alone a rare class may be missing from the test set, or worse, from the training set.

    Parameters
    ----------
    labels : int64 (n,); the class of each sample
    test_fraction : float from 0 to 1; the share to test on
    rng : numpy.random.Generator; the only source of randomness

    Returns
    -------
    train : int64; the numbers of the samples to train on, in shuffled order
    test : int64; the same for the test

    Of a class with c samples, test_fraction * c are tested, rounded to the nearest integer, and up at one half:
    int(test_fraction * c + 0.5). So no class is ever more than half a sample off.

    Approach: compute how many of each class to test. Draw order = rng.permutation(n), one call, and walk through it:
    a sample is for the test as long as its class still has places there, else it is for training.
    Example: labels = [0, 0, 0, 0, 1, 1], test_fraction = 0.5, and the permutation [3, 5, 1, 0, 4, 2] gives
    train = [0, 4, 2], test = [3, 5, 1]: two of the four zeros, one of the two ones.
    Trap: Python's round(2.5) is 2, and round(3.5) is 4: it rounds to the even number. And the labels need not be
    0, 1, 2 …: np.unique tells which ones there are.
    Lecture: Fundamentals, evaluating a model: data that represent the whole; Episode 2.
    """
    raise NotImplementedError("stratified_split")


def temporal_split(timestamps, test_fraction):
    """A split along the arrow of time: train on the past, test on the future.

    Parameters
    ----------
    timestamps : int64 (n,); when each sample was taken, in any order, e.g. in seconds
    test_fraction : float from 0 to 1; the share to test on

    Returns
    -------
    train : int64; the numbers of the samples to train on, ascending
    test : int64; the same for the test: every one of them is strictly later than all of train

    int(test_fraction * n + 0.5) samples are for the test, the latest ones. Where the cut would go through samples of
    the very same time, all of these are for training, so the test set gets smaller, if need be to nothing.

    Approach: sort the times. The last one that is still for training is the cutoff: every sample up to and with it is
    for training, every later one for the test. If none is for training, all are for the test.
    Example: timestamps = [30, 10, 40, 20, 20], test_fraction = 0.6 asks for 3 in the test, and the cut would go through
    the two 20s. Both are for training: train = [1, 3, 4], test = [0, 2].
    Trap: no shuffling. A network that has seen tomorrow has no difficulty in predicting today, and the score is a lie.
    And the samples need not be stored in order of time: sort first.
    Lecture: Fundamentals, evaluating a model: the arrow of time.
    """
    raise NotImplementedError("temporal_split")


@njit(cache=True)
def predicted_labels(scores, threshold):
    """From scores to a decision: 1 where the score is above the threshold.

    Parameters
    ----------
    scores : float32 (n,); e.g. the probabilities that a sigmoid gives
    threshold : float; 0.5 unless one kind of error is worse than the other

    Returns
    -------
    int64 (n,): 1 where scores > threshold, else 0 (0 at the threshold, as Keras has it)

    A lower threshold finds more of the positives (recall) and is wrong more often about them (precision).

    Approach: make the threshold a float32 like the scores, then compare one by one.
    Example: scores = [0.2, 0.5, 0.9], threshold = 0.5 gives [0, 0, 1].
    Trap: a score right at the threshold is not above it. And labels are the numbers 0 and 1, not False and True.
    Lecture: Fundamentals, measures of success.
    """
    raise NotImplementedError("predicted_labels")


@njit(cache=True)
def accuracy(y_true, y_pred):
    """The share of right answers.

    Parameters
    ----------
    y_true : int64 (n,); the right classes
    y_pred : int64 (n,); the predicted ones

    Returns
    -------
    float: how many are equal, divided by n; NaN for no samples

    Approach: count, then divide once.
    Example: y_true = [0, 1, 2, 1], y_pred = [0, 2, 2, 1] gives 3 / 4 = 0.75.
    Trap: a high accuracy may mean nothing where one class is frequent: compare it with baseline_score.
    Lecture: Fundamentals, measures of success: classes of equal size.
    """
    raise NotImplementedError("accuracy")


@njit(cache=True)
def baseline_score(labels):
    """The score to beat: the accuracy of always answering the most frequent class.

    Parameters
    ----------
    labels : int64 (n,); class numbers from 0

    Returns
    -------
    float: how often the most frequent class occurs, divided by n; NaN for no samples

    A network that does not beat this has learned nothing, or the data do not hold the answer.

    Approach: find out how many classes there are, then one counter for each; keep the highest count.
    Example: [2, 0, 2, 1] gives 0.5: always "2" is right two times of four.
    Trap: it is not 1 / number of classes, unless all the classes are equally frequent.
    Lecture: Fundamentals, a model that beats a baseline.
    """
    raise NotImplementedError("baseline_score")


@njit(cache=True)
def mae_metric(y_true, y_pred):
    """Mean absolute error: by how much a regression is off, in the target's own unit.

    Parameters
    ----------
    y_true : float32 (n,); e.g. prices in thousands of dollars
    y_pred : float32 (n,)

    Returns
    -------
    float: the mean of |y_pred - y_true|; NaN for no samples

    Approach: add up the absolute differences in float64, then divide by n.
    Example: y_true = [20, 30, 10], y_pred = [22, 27, 10] gives 5 / 3 = 1.6667: off by 1,667 dollars on average.
    Trap: a network's prediction has the shape (n, 1). In NumPy (n, 1) minus (n,) is a matrix (n, n) of every prediction
    against every target, and its mean is wrong without any error: reshape the prediction first.
    Lecture: Fundamentals, measures of success; Boston housing prices.
    """
    raise NotImplementedError("mae_metric")


@njit(cache=True)
def confusion_matrix(y_true, y_pred, num_classes):
    """Which class is taken for which: all the answers in one table.

    Parameters
    ----------
    y_true : int64 (n,); the right classes, from 0 to num_classes - 1
    y_pred : int64 (n,); the predicted ones
    num_classes : int

    Returns
    -------
    int64 (num_classes, num_classes): how many samples of the class of the row were taken for that of the column

    The diagonal holds the right answers, a row adds up to the samples of its class.

    Approach: start from zeros, and for every sample add one in the row of the truth, in the column of the prediction.
    Example: y_true = [0, 1, 2, 1], y_pred = [0, 2, 2, 1], num_classes = 3 gives [[1, 0, 0], [0, 1, 1], [0, 0, 1]].
    Trap: rows are the truth, as in scikit-learn. And a class that never occurs has its row and column all the same.
    Lecture: Fundamentals, measures of success: classes of unequal size.
    """
    raise NotImplementedError("confusion_matrix")


@njit(cache=True)
def precision(y_true, y_pred):
    """How many of those that were called positive are positive.

    Parameters
    ----------
    y_true : int64 (n,); 1 for a positive sample, 0 for a negative one
    y_pred : int64 (n,); the same, as predicted

    Returns
    -------
    float: tp / (tp + fp); 0 where nothing was called positive

    Approach: visit the samples that were called positive; count them, and those among them that are.
    Example: y_true = [1, 0, 1, 1, 0], y_pred = [1, 1, 0, 1, 0] gives 2 / 3: three were called positive, two are.
    Trap: divide by the number of *predicted* positives, tp + fp. Divided by the real ones it is the recall.
    Lecture: Fundamentals, measures of success: classes of unequal size.
    """
    raise NotImplementedError("precision")


@njit(cache=True)
def recall(y_true, y_pred):
    """How many of the positives were found.

    Parameters
    ----------
    y_true : int64 (n,); 1 for a positive sample, 0 for a negative one
    y_pred : int64 (n,); the same, as predicted

    Returns
    -------
    float: tp / (tp + fn); 0 where there are no positives

    Approach: visit the samples that are positive; count them, and those among them that were called so.
    Example: y_true = [1, 0, 1, 1, 0], y_pred = [1, 1, 0, 1, 0] gives 2 / 3: three are positive, two were found.
    Trap: calling everything positive has a recall of 1: it takes the precision beside it to say something.
    Lecture: Fundamentals, measures of success: classes of unequal size.
    """
    raise NotImplementedError("recall")


@njit(cache=True)
def roc_auc(y_true, y_score):
    """Area under the ROC curve: the chance that a positive sample has a higher score than a negative one.

    The ROC curve shows for every threshold how many positives are found against how many negatives are called
    positive. The area under it needs no curve: it is the share of pairs (one positive, one negative) that are in the
    right order. 1 is perfect, 0.5 is guessing. No threshold, and no share of the classes, plays a part.

    Parameters
    ----------
    y_true : int64 (n,); 1 for a positive sample, 0 for a negative one
    y_score : float32 (n,); the higher, the more positive

    Returns
    -------
    float: the share of pairs in which the positive has the higher score, a tie counts half; NaN if one of the two
    classes does not occur

    Approach: two loops compare every positive with every negative. Count the pairs, and what they win: 1 or one half.
    That is n * n steps at most, a blink for ten thousand samples; with sorted scores it would be about n * log(n).
    Example: y_true = [0, 1, 0, 1], y_score = [0.1, 0.4, 0.4, 0.8]: of the four pairs three are in order and one is
    level, 3.5 / 4 = 0.875.
    Trap: ties. A network that answers 0.5 to everything ranks nothing: its area is 0.5, neither 0 nor 1.
    Lecture: Fundamentals, measures of success: ROC AUC.
    """
    raise NotImplementedError("roc_auc")


@njit(cache=True)
def average_precision(y_true, y_score):
    """Average precision: how pure is the ranked list above each of the positives?

    Parameters
    ----------
    y_true : int64 (n,); 1 for a positive sample, 0 for a negative one
    y_score : float32 (n,); the higher, the more positive

    Returns
    -------
    float: the mean, over the positive samples, of the precision at the threshold that just lets the sample in;
    0 if there are none

    With the score s of the sample as the threshold, everything with a score >= s is called positive, ties included:
    precision = (positives with a score >= s) / (samples with a score >= s). That is scikit-learn's sum over all
    thresholds of (recall gained) * precision. Unlike the ROC AUC it suffers when the positives are rare.

    Approach: for every positive sample one loop over all the samples: count those that are called positive at its
    score, and the positives among them.
    Example: y_true = [1, 0, 1, 0], y_score = [0.9, 0.8, 0.7, 0.1]: the positives have the precisions 1 / 1 and 2 / 3,
    the mean is 0.8333.
    Trap: samples with the same score come in together. Who counts them one by one gets a result that depends on how
    the data happen to be stored.
    Lecture: Fundamentals, measures of success: ranking.
    """
    raise NotImplementedError("average_precision")


@njit(cache=True)
def mean_average_precision(y_true, y_score):
    """Mean average precision: the average precision of every label, averaged.

    Parameters
    ----------
    y_true : int64 (n, labels); 1 where the sample has the label; any number of labels per sample
    y_score : float32 (n, labels)

    Returns
    -------
    float: the mean of average_precision over those columns that have a positive; 0 if none has

    Approach: one column at a time; skip the columns without a positive, they cannot be ranked right or wrong.
    Example: y_true = [[1, 0, 0], [0, 0, 1], [1, 0, 0]], y_score = [[0.9, 0.5, 0.7], [0.8, 0.6, 0.1], [0.7, 0.2, 0.3]]:
    the columns have 0.8333, no positive, and 0.3333; the mean of the two is 0.5833.
    Trap: every label counts the same, however rare it is: no weights, and not all the columns in one long list.
    Lecture: Fundamentals, measures of success: ranking and multilabel classification.
    """
    raise NotImplementedError("mean_average_precision")


def grid_search(score, grid):
    """Try every combination of some hyperparameters, and keep the best.

    Parameters
    ----------
    score : function with the hyperparameters as keywords that returns a float, higher is better; e.g. the mean
        validation accuracy of a K-fold
    grid : dict from a hyperparameter's name to the tuple of its values; no tuple is empty

    Returns
    -------
    best : dict from name to value, the combination with the highest score; the first one of equals
    table : list of pairs (dict from name to value, score), one per combination; the last name changes fastest

    A NaN, from a training that blew up, is worse than any number.

    Approach: begin with a list of one empty combination, and go through the names: every combination so far continues
    once with each of the values. Then score them all, and keep the best.
    Example: score(lr, units) = units - lr, grid = {"lr": (1, 2), "units": (8, 16)} tries (1, 8), (1, 16), (2, 8),
    (2, 16) and gets 7, 15, 6, 14: the best is {"lr": 1, "units": 16}.
    Trap: np.argmax takes a NaN for the largest. And the score of the best combination is too good: it was chosen for
    it. What it is worth, the test set tells.
    Lecture: Fundamentals, tuning the hyperparameters.
    """
    raise NotImplementedError("grid_search")

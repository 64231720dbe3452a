"""Preprocessing: making data fit for a network, without looking at the test set.

A table has a row per sample and a column per feature. Four things are commonly wrong with it:

    features of different sizes   a crime rate of 0.1 beside a tax of 666: the large one drowns the small one
    missing values                NaN; one of them is enough to turn every weight of the network into NaN
    copies                        the same row twice: harmless in training, fatal when one copy is in the test set
    outliers, rare classes        a few values far from all others; 990 samples of one class and 10 of the other

Feature by feature, standardizing makes the mean 0 and the standard deviation 1, min-max scaling makes a given range:

    standardize   (x - mean) / std,  std = sqrt(mean of (x - mean)²)
    min-max       lo + (hi - lo) * (x - smallest) / (largest - smallest)

One rule stands above all of them: whatever is *estimated* from data (a mean, a standard deviation, a value to fill
holes with) is estimated from the training set only, and then used on all sets alike. The test set stands for the
future. A mean that has seen it has seen the future, and the test score is better than what will come true. That is why
`fit_standardizer` gets the training set, and `standardize` gets the numbers it found.
Follows Episode 2, Fundamentals 7.3 (data preprocessing), and "Deep Neural Networks" (problems with data).
"""

import numpy as np
from numba import njit


@njit(cache=True)
def fit_standardizer(train):
    """Mean and standard deviation of every feature of the training set.

    Parameters
    ----------
    train : float32 (n, features), n at least 1, without NaN; the training set and nothing else

    Returns
    -------
    mean : float32 (features,): sum over i of train[i, j] / n
    std : float32 (features,): sqrt(sum over i of (train[i, j] - mean[j])² / n); 0 for a constant feature

    Approach: per feature two passes: first the mean, then the squared distances from it. Add up in np.float64.
    Example: train = [[1, 10], [3, 10]] gives mean = [2, 10] and std = [1, 0].
    Trap: divide by n, as Keras and scikit-learn do, not by n - 1. One pass, mean(x²) - mean(x)², is shorter, and in
    float32 it is wrong: squares around 25 million come in steps of 2. Sums in float32 have a snare as well: the mean of
    seven times 0.1 is then not quite 0.1, and a constant feature gets a std that is tiny instead of 0.
    Lecture: Episode 2, preparing the data; Fundamentals 7.3, value normalization.
    """
    ### BEGIN SOLUTION
    n, features = train.shape
    mean = np.empty(features, np.float32)
    std = np.empty(features, np.float32)
    for j in range(features):
        total = np.float64(0)
        for i in range(n):
            total += train[i, j]
        center = total / n
        squares = np.float64(0)
        for i in range(n):
            squares += (train[i, j] - center) ** 2
        mean[j] = center
        std[j] = np.sqrt(squares / n)
    return mean, std
    ### END SOLUTION


@njit(cache=True)
def standardize(x, mean, std):
    """Bring every feature to mean 0 and standard deviation 1, by the training set's numbers.

    Parameters
    ----------
    x : float32 (n, features); any set: training, validation or test
    mean : float32 (features,); of the training set
    std : float32 (features,); of the training set

    Returns
    -------
    float32 (n, features): (x - mean) / std; 0 where a feature's std is 0

    Approach: begin with zeros; compute the features whose std is not 0. A feature that never changes in training
    teaches nothing, so it may as well be 0 everywhere, also where a new sample is the first with another value.
    Example: x = [[4, 10], [1, 12]], mean = [2, 10], std = [1, 0] gives [[2, 0], [-1, 0]].
    Trap: the mean of a standardized *test* set is not exactly 0, and that is right: its own mean is not to be used. And
    0 / 0 is NaN in NumPy, a ZeroDivisionError in compiled code.
    Lecture: Episode 2: the quantities used for the test data are computed using the training data.
    """
    ### BEGIN SOLUTION
    n, features = x.shape
    z = np.zeros_like(x)
    for i in range(n):
        for j in range(features):
            if std[j] > 0:
                z[i, j] = (x[i, j] - mean[j]) / std[j]
    return z
    ### END SOLUTION


@njit(cache=True)
def min_max_scale(x, lo, hi):
    """Stretch every feature to a given range: its smallest value becomes lo, its largest hi.

    Parameters
    ----------
    x : float32 (n, features), n at least 1, without NaN
    lo : float; where the smallest value of each feature goes, e.g. 0
    hi : float; where the largest value of each feature goes, e.g. 1

    Returns
    -------
    float32 (n, features): lo + (hi - lo) * (x - smallest) / (largest - smallest), with each feature's own smallest and
    largest value; lo everywhere for a constant feature

    Approach: per feature find both ends, then move and stretch. (x - smallest) / (largest - smallest) is from 0 to 1.
    Example: x = [[1, 5], [3, 5], [2, 5]], lo = -1, hi = 1 gives [[-1, -1], [1, -1], [0, -1]].
    Trap: one outlier squeezes all other values together. And the two ends are x's own: apply it to one whole set whose
    scale is a matter of taste, as a picture to be shown. Training and test set scaled each by its own ends no longer
    fit together, and both by their common ends lets the test set leak: for those take fit_standardizer.
    Lecture: Fundamentals 7.3, value normalization: small values, roughly the same range for all features.
    """
    ### BEGIN SOLUTION
    n, features = x.shape
    scaled = np.full(x.shape, np.float32(lo))
    span = np.float32(hi - lo)
    for j in range(features):
        smallest = largest = x[0, j]
        for i in range(n):
            smallest = min(smallest, x[i, j])
            largest = max(largest, x[i, j])
        if largest > smallest:
            for i in range(n):
                scaled[i, j] += span * ((x[i, j] - smallest) / (largest - smallest))
    return scaled
    ### END SOLUTION


@njit(cache=True)
def impute_missing(x, fill):
    """Fill the holes of a table: every NaN becomes its feature's fill value.

    Parameters
    ----------
    x : float32 (n, features); a missing value is NaN
    fill : float32 (features,); what to put in, e.g. the mean or the median of each feature in the training set, or 0

    Returns
    -------
    float32 (n, features): fill[j] where x[i, j] is NaN, x[i, j] elsewhere

    Approach: copy, then replace. `np.isnan` finds the holes.
    Example: x = [[1, nan], [nan, 4]], fill = [7, 9] gives [[1, 9], [7, 4]].
    Trap: x == np.nan is never true: NaN equals nothing, not even itself.
    Lecture: Fundamentals 7.3, handling missing values: 0 is safe where it does not mean anything else.
    """
    ### BEGIN SOLUTION
    n, features = x.shape
    filled = x.copy()
    for i in range(n):
        for j in range(features):
            if np.isnan(x[i, j]):
                filled[i, j] = fill[j]
    return filled
    ### END SOLUTION


@njit(cache=True)
def drop_incomplete(x):
    """Leave out every sample that has a missing value.

    Parameters
    ----------
    x : float32 (n, features); a missing value is NaN

    Returns
    -------
    float32 (m, features): the rows of x without any NaN, in their order; m may be 0

    Approach: find out for each row whether it is complete, then select: x[mask] keeps the rows whose mask is true.
    Example: [[1, 2], [nan, 4], [5, 6]] gives [[1, 2], [5, 6]].
    Trap: with many features hardly a row may be left. If new samples will have holes too, the network has to see some
    in training: impute then. (Labels must be dropped along with their rows.)
    Lecture: Deep Neural Networks, problems with data; Fundamentals 7.3.
    """
    ### BEGIN SOLUTION
    n = len(x)
    complete = np.empty(n, np.bool_)
    for i in range(n):
        complete[i] = not np.isnan(x[i]).any()
    return x[complete]
    ### END SOLUTION


@njit(cache=True)
def duplicate_rows(x):
    """Find the samples that stand in the table once more, further up.

    Parameters
    ----------
    x : float32 (n, features)

    Returns
    -------
    bool (n,): true where an earlier row is equal in every feature; the first of equal rows is not marked

    Approach: compare every row with all rows before it. x[~duplicate_rows(x)] is then the table without copies.
    Example: [[1, 2], [3, 4], [1, 2], [1, 2]] gives [False, False, True, True].
    Trap: copies need not be neighbours. And NaN equals nothing, so a row with a hole counts as no row's copy.
    Lecture: Deep Neural Networks, problems with data.
    """
    ### BEGIN SOLUTION
    n = len(x)
    copies = np.zeros(n, np.bool_)
    for i in range(n):
        for j in range(i):
            if np.all(x[i] == x[j]):
                copies[i] = True
    return copies
    ### END SOLUTION


@njit(cache=True)
def leaked_rows(train, test):
    """Find the test samples that the network has already seen in training.

    Parameters
    ----------
    train : float32 (n, features)
    test : float32 (m, features)

    Returns
    -------
    bool (m,): true where a row of train is equal in every feature

    Approach: compare every test row with every training row.
    Example: train = [[1, 2], [3, 4]], test = [[3, 4], [1, 4]] gives [True, False].
    Trap: [1, 4] is made of values that all occur in train, but no row of train is [1, 4]. And two equal rows within the
    test set are no leak.
    Lecture: Deep Neural Networks, problems with data.
    """
    ### BEGIN SOLUTION
    n, m = len(train), len(test)
    leaked = np.zeros(m, np.bool_)
    for i in range(m):
        for j in range(n):
            if np.all(test[i] == train[j]):
                leaked[i] = True
    return leaked
    ### END SOLUTION


@njit(cache=True)
def outlier_mask(x, k):
    """Find the values that lie far outside the middle half of their feature (Tukey's fences).

    A quartile q lies at place q * (n - 1) of the sorted values, counted from 0. Where that is between two places, the
    line between the two values is followed (`np.percentile` does the same): at place 2.25 a quarter of the way.

    Parameters
    ----------
    x : float32 (n, features), n at least 1, without NaN
    k : float; how many times the inter-quartile range a value may be outside, usually 1.5

    Returns
    -------
    bool (n, features): true where x < q1 - k * (q3 - q1) or x > q3 + k * (q3 - q1), with the quartiles q1 (0.25) and q3
    (0.75) of its feature

    Approach: per feature sort a copy, find both quartiles, then compare every value with the two fences.
    Example: the feature [1, 2, 3, 4, 30] has q1 = 2, q3 = 4, and with k = 1.5 the fences -1 and 7: only 30 is outside.
    Trap: a rule by mean and standard deviation is fooled by what it looks for: an outlier makes the deviation large.
    In this example 30 is less than two standard deviations from the mean. And being far out is no crime: look first.
    Lecture: Deep Neural Networks, problems with data.
    """
    ### BEGIN SOLUTION
    n, features = x.shape
    mask = np.empty((n, features), np.bool_)
    quartiles = np.empty(2, np.float32)
    for j in range(features):
        ordered = x[:, j].copy()
        ordered.sort()
        for q in range(2):
            place = (0.25 + 0.5 * q) * (n - 1)
            below = int(place)
            above = min(below + 1, n - 1)  # the last value has no neighbour above, and needs none
            step = ordered[above] - ordered[below]
            quartiles[q] = ordered[below] + np.float32(place - below) * step
        reach = np.float32(k) * (quartiles[1] - quartiles[0])
        for i in range(n):
            mask[i, j] = x[i, j] < quartiles[0] - reach or x[i, j] > quartiles[1] + reach
    return mask
    ### END SOLUTION


@njit(cache=True)
def class_weights(labels, num_classes):
    """How much a sample of each class should count in the loss, so that all classes together count the same.

    Parameters
    ----------
    labels : int64 (n,); the class of every training sample
    num_classes : int

    Returns
    -------
    float32 (num_classes,): n / (num_classes * how often the class occurs), as scikit-learn's "balanced"; 0 for a class
    that does not occur

    Approach: count, then divide. With equally frequent classes every weight is 1.
    Example: labels = [0, 0, 0, 1], num_classes = 2 gives [0.6667, 2]: three times 0.6667 and once 2 both make 2.
    Trap: a rare class gets a *large* weight. Weights that add up to 1 would scale the loss, and with it every step.
    Lecture: Deep Neural Networks, problems with data: class imbalance.
    """
    ### BEGIN SOLUTION
    counts = np.zeros(num_classes, np.int64)
    for label in labels:
        counts[label] += 1
    weights = np.zeros(num_classes, np.float32)
    for c in range(num_classes):
        if counts[c] > 0:
            weights[c] = labels.size / (num_classes * counts[c])
    return weights
    ### END SOLUTION

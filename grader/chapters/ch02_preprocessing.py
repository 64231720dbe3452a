"""Preprocessing: cases, known mistakes, and twins from Keras and scikit-learn."""

from __future__ import annotations

import numpy as np

from grader.exercise import Case, Chapter

chapter = Chapter("ch02_preprocessing", "Preprocessing")

NAN = np.nan


def features(draw, n, *scales):
    """A table whose features have means and sizes of their own."""
    columns = [draw.normal(n, scale=scale) + np.float32(3 * scale * (-1) ** j) for j, scale in enumerate(scales)]
    return np.ascontiguousarray(np.stack(columns, axis=1))


# --- standardize ----------------------------------------------------------------------------------------------------

fit_standardizer = chapter.exercise("fit_standardizer", points=2, returns=("mean", "std"))


@fit_standardizer.cases
def fit_standardizer_cases(draw):
    yield Case("two samples, one constant feature", train=draw.array([[1, 10], [3, 10]]))
    yield Case("features of different sizes", train=features(draw, 7, 0.1, 4.0, 60.0))
    yield Case("more features than samples", train=draw.normal(3, 5))
    yield Case("as many samples as features", train=draw.normal(4, 4))
    yield Case("far from zero", train=draw.normal(9, 2) + np.float32(5000))
    yield Case("a constant feature", train=draw.array([[0.1, 2], [0.1, 4], [0.1, 9], [0.1, 2], [0.1, 1], [0.1, 0]]))
    yield Case("one sample", train=draw.normal(1, 3), hidden=True)
    yield Case("one feature", train=draw.normal(11, 1, scale=5.0), hidden=True)
    yield Case("negative values", train=-draw.uniform(1, 9, 6, 3), hidden=True)


@fit_standardizer.mistake("You computed one mean and one std for the whole table. Every feature has its own: axis 0.")
def fits_the_whole_table(train):
    ones = np.ones(train.shape[1], np.float32)
    return train.mean() * ones, train.std() * ones


@fit_standardizer.mistake("You averaged over the features of a sample. Average over the samples: axis 0.")
def fits_the_samples(train):
    return train.mean(axis=1), train.std(axis=1)


@fit_standardizer.mistake(
    "You divided by n - 1, the sample's standard deviation. Keras and scikit-learn divide by n here."
)
def divides_by_n_minus_one(train):
    return train.mean(axis=0), train.std(axis=0, ddof=1)


@fit_standardizer.mistake("You returned the variance. The standard deviation is its square root.")
def returns_the_variance(train):
    return train.mean(axis=0), train.var(axis=0)


@fit_standardizer.mistake("You did not subtract the mean before squaring: that is the root mean square of the values.")
def forgets_to_center(train):
    return train.mean(axis=0), np.sqrt(np.mean(train * train, axis=0))


@fit_standardizer.mistake("You averaged the absolute distances. std squares them, then takes the root of the mean.")
def averages_the_distances(train):
    mean = train.mean(axis=0)
    return mean, np.abs(train - mean).mean(axis=0)


@fit_standardizer.mistake("You forgot to divide by n before the root: std is the root of the *mean* square distance.")
def forgets_to_average(train):
    mean = train.mean(axis=0)
    return mean, np.sqrt(np.sum((train - mean) ** 2, axis=0))


@fit_standardizer.mistake("You returned std first. The order is mean, std.")
def returns_std_first(train):
    return train.std(axis=0), train.mean(axis=0)


@fit_standardizer.mistake("You took the median. Standardizing uses the mean.")
def takes_the_median_for_the_mean(train):
    return np.median(train, axis=0), train.std(axis=0)


@fit_standardizer.mistake(
    "You wrote 1 for the std of a constant feature. It is 0; what to do about that is standardize's affair."
)
def writes_one_for_constants(train):
    std = train.std(axis=0, dtype=np.float64).astype(np.float32)
    return train.mean(axis=0), np.where(std > 0, std, np.float32(1))


@fit_standardizer.mistake(
    "You computed mean(x²) - mean(x)². Far from zero the digits cancel: subtract the mean first, then square."
)
def cancels_the_digits(train):
    mean = train.mean(axis=0)
    return mean, np.sqrt(np.maximum(np.mean(train * train, axis=0) - mean * mean, 0))


@fit_standardizer.keras_twin
def fit_standardizer_in_keras(keras, train):
    layer = keras.layers.Normalization(axis=-1)
    layer.adapt(train)
    return keras.ops.reshape(layer.mean, -1), keras.ops.sqrt(keras.ops.reshape(layer.variance, -1))


standardize = chapter.exercise("standardize", points=1, returns="z")


def fitted(train):
    """The training set's numbers, in float64 on the way, so that a constant feature's std is 0."""
    wide = train.astype(np.float64)
    return {"mean": wide.mean(axis=0).astype(np.float32), "std": wide.std(axis=0).astype(np.float32)}


@standardize.cases
def standardize_cases(draw):
    yield Case(
        "a constant feature, and a new value of it",
        x=draw.array([[4, 10], [1, 12]]),
        mean=draw.array([2, 10]),
        std=draw.array([1, 0]),
    )
    train = features(draw, 8, 0.1, 4.0, 60.0)
    yield Case("the training set itself", x=train, **fitted(train))
    yield Case("a test set", x=features(draw, 5, 0.12, 3.0, 70.0), **fitted(train))
    train = draw.normal(6, 3) * draw.array([1, 0, 5]) + draw.array([0, 0.25, 2])
    yield Case("a constant feature in training and in test", x=train[:4].copy(), **fitted(train))
    yield Case("as many samples as features", x=draw.normal(3, 3), **fitted(draw.normal(7, 3, scale=3.0)))
    yield Case("one sample", x=draw.normal(1, 4), **fitted(draw.normal(5, 4, scale=0.2)), hidden=True)
    yield Case("far from zero", x=draw.normal(4, 2) + np.float32(900), **fitted(draw.normal(9, 2) + 901), hidden=True)
    zeros = {"mean": draw.array([0, 0]), "std": draw.array([0, 0])}
    yield Case("every feature was constant", x=draw.normal(3, 2), **zeros, hidden=True)
    yield Case("no samples", x=draw.array(np.zeros((0, 2))), **fitted(draw.normal(5, 2)), hidden=True)


def quotient(difference, std):
    """difference / std, and 0 where std is 0."""
    return np.where(std > 0, difference / np.where(std > 0, std, 1), 0).astype(np.float32)


@standardize.mistake("You divided by a std of 0, which gives NaN or infinity. A constant feature becomes 0.")
def divides_by_zero(x, mean, std):
    return (x - mean) / std


@standardize.mistake(
    "You computed mean and std anew from x. A test set's own numbers may not be used: take the given ones."
)
def fits_anew(x, mean, std):
    if len(x) == 0:
        return x
    return quotient(x - x.mean(axis=0), x.std(axis=0))


@standardize.mistake("You did not divide by std. Subtract the mean, then divide.")
def only_centers(x, mean, std):
    return np.where(std > 0, x - mean, 0).astype(np.float32)


@standardize.mistake("You did not subtract the mean. Subtract it, then divide.")
def only_scales(x, mean, std):
    return quotient(x, std)


@standardize.mistake("You wrote x - mean / std, which divides first. Put brackets around (x - mean).")
def forgets_brackets(x, mean, std):
    return np.where(std > 0, x - quotient(mean, std), 0).astype(np.float32)


@standardize.mistake("You divided by the variance, std². Divide by std.")
def divides_by_the_variance(x, mean, std):
    return quotient(x - mean, std * std)


@standardize.mistake("You multiplied by std. Divide by it: a feature that varies much has to become smaller.")
def multiplies_by_std(x, mean, std):
    return (x - mean) * std


@standardize.mistake("Your sign is turned: values above the mean become positive, x - mean.")
def turns_the_sign(x, mean, std):
    return quotient(mean - x, std)


@standardize.mistake(
    "You left x - mean where std is 0. A feature that never changed in training is to be 0, for new values too."
)
def keeps_the_difference_of_constants(x, mean, std):
    return (x - mean) / np.where(std > 0, std, np.float32(1))


@standardize.mistake("You left a constant feature as it is. It becomes 0.")
def leaves_constants_alone(x, mean, std):
    return np.where(std > 0, quotient(x - mean, std), x).astype(np.float32)


@standardize.mistake(
    "You added a small number to std. A new value of a constant feature then becomes huge: write 0 where std is 0."
)
def adds_a_small_number(x, mean, std):
    return (x - mean) / (std + np.float32(1e-7))


@standardize.keras_twin
def standardize_in_keras(keras, x, mean, std):
    layer = keras.layers.Normalization(axis=-1, mean=mean, variance=np.square(std, dtype=np.float64))
    layer.build(x.shape)
    # Keras divides by 1e-7 where a feature was constant, which is as good as 0 only while it stays so
    return keras.ops.where(std > 0, layer(x), 0)


# --- min-max --------------------------------------------------------------------------------------------------------

min_max_scale = chapter.exercise("min_max_scale", points=1, returns="scaled")


@min_max_scale.cases
def min_max_scale_cases(draw):
    yield Case("to [-1, 1]", x=draw.array([[1, 5], [3, 5], [2, 5]]), lo=-1.0, hi=1.0)
    yield Case("to [0, 1]", x=features(draw, 6, 0.1, 4.0, 60.0), lo=0.0, hi=1.0)
    yield Case("to another range", x=features(draw, 5, 2.0, 9.0), lo=2.0, hi=5.0)
    yield Case("to a negative range", x=draw.normal(4, 4), lo=-3.5, hi=-1.25)
    yield Case("the ends come first and last", x=draw.array([[-2, 8], [1, 5], [0, 3], [6, 2]]), lo=0.0, hi=1.0)
    yield Case("one sample", x=draw.normal(1, 3), lo=0.5, hi=2.0, hidden=True)
    yield Case("negative values only", x=-draw.uniform(2, 9, 5, 2), lo=0.0, hi=255.0, hidden=True)
    yield Case("one outlier", x=draw.array([[1], [2], [3], [1000]]), lo=0.0, hi=1.0, hidden=True)


def shares(x, axis=0):
    """Where each value lies between the ends, from 0 to 1; 0 where the two are the same."""
    smallest, largest = x.min(axis=axis, keepdims=True), x.max(axis=axis, keepdims=True)
    return quotient(x - smallest, largest - smallest)


@min_max_scale.mistake("You took both ends from the whole table. Every feature has its own smallest and largest value.")
def scales_the_whole_table(x, lo, hi):
    return np.float32(lo) + np.float32(hi - lo) * shares(x, axis=None)


@min_max_scale.mistake("You took the ends of each sample. Features are columns: smallest and largest over axis 0.")
def scales_the_samples(x, lo, hi):
    return np.float32(lo) + np.float32(hi - lo) * shares(x, axis=1)


@min_max_scale.mistake("You always scaled to [0, 1]. The range is from lo to hi.")
def ignores_the_range(x, lo, hi):
    return shares(x)


@min_max_scale.mistake("You forgot to add lo at the end: the smallest value becomes lo, not 0.")
def forgets_lo(x, lo, hi):
    return np.float32(hi - lo) * shares(x)


@min_max_scale.mistake("You multiplied by hi. The range is hi - lo wide.")
def stretches_by_hi(x, lo, hi):
    return np.float32(lo) + np.float32(hi) * shares(x)


@min_max_scale.mistake("You divided by the largest value. Subtract the smallest, divide by the difference of the two.")
def divides_by_the_largest(x, lo, hi):
    return np.float32(lo) + np.float32(hi - lo) * quotient(x - x.min(axis=0), x.max(axis=0))


@min_max_scale.mistake("You did not subtract the smallest value, so that it does not become lo.")
def forgets_the_smallest(x, lo, hi):
    extent = x.max(axis=0) - x.min(axis=0)
    return np.float32(lo) + np.float32(hi - lo) * quotient(x, extent)


@min_max_scale.mistake("A constant feature made 0 / 0 = NaN. It becomes lo.")
def divides_zero_by_zero(x, lo, hi):
    smallest, largest = x.min(axis=0), x.max(axis=0)
    return np.float32(lo) + np.float32(hi - lo) * ((x - smallest) / (largest - smallest))


@min_max_scale.mistake("You wrote 0 for a constant feature. That need not lie in the range: it becomes lo.")
def writes_zero_for_constants(x, lo, hi):
    constant = x.max(axis=0) == x.min(axis=0)
    return np.where(constant, 0, np.float32(lo) + np.float32(hi - lo) * shares(x)).astype(np.float32)


@min_max_scale.mistake("You left a constant feature as it is. It becomes lo.")
def leaves_constants_as_they_are(x, lo, hi):
    constant = x.max(axis=0) == x.min(axis=0)
    return np.where(constant, x, np.float32(lo) + np.float32(hi - lo) * shares(x)).astype(np.float32)


@min_max_scale.mistake("You have it upside down: the smallest value becomes lo, the largest hi.")
def turns_upside_down(x, lo, hi):
    return np.float32(hi) - np.float32(hi - lo) * shares(x)


@min_max_scale.mistake("You cut off what is outside of [lo, hi]. Scaling moves and stretches all values.")
def clips_to_the_range(x, lo, hi):
    return np.clip(x, np.float32(lo), np.float32(hi))


@min_max_scale.keras_twin
def min_max_scale_in_scikit_learn(keras, x, lo, hi):
    from sklearn.preprocessing import MinMaxScaler

    return MinMaxScaler(feature_range=(lo, hi)).fit_transform(x)


# --- missing values -------------------------------------------------------------------------------------------------


def with_holes(draw, n, d, places):
    """A table with NaN at these (row, column) places."""
    x = draw.normal(n, d, scale=3.0)
    for row, column in places:
        x[row, column] = NAN
    return x


impute_missing = chapter.exercise("impute_missing", points=1, returns="filled")


@impute_missing.cases
def impute_missing_cases(draw):
    yield Case("two holes", x=draw.array([[1, NAN], [NAN, 4]]), fill=draw.array([7, 9]))
    holes = [(0, 2), (1, 0), (3, 2), (4, 1)]
    yield Case("a few holes", x=with_holes(draw, 5, 3, holes), fill=draw.normal(3))
    yield Case("nothing is missing", x=draw.normal(3, 4), fill=draw.normal(4))
    yield Case("zeros are values", x=draw.array([[0, NAN, 2], [NAN, 0, 0]]), fill=draw.array([5, -1, 3]))
    ends = [(0, 0), (3, 3), (0, 3), (3, 0)]
    yield Case("the corners of a square table", x=with_holes(draw, 4, 4, ends), fill=draw.normal(4))
    column = [(row, 1) for row in range(4)]
    yield Case("a feature without any value", x=with_holes(draw, 4, 3, column), fill=draw.normal(3), hidden=True)
    yield Case(
        "infinities are values", x=draw.array([[np.inf, NAN], [-np.inf, 1]]), fill=draw.array([2, 3]), hidden=True
    )
    yield Case("no samples", x=draw.array(np.zeros((0, 3))), fill=draw.normal(3), hidden=True)


@impute_missing.mistake("You filled with 0. Every feature has its value in fill.")
def fills_with_zero(x, fill):
    return np.where(np.isnan(x), np.float32(0), x)


@impute_missing.mistake("You compared with x == np.nan, which is never true: NaN equals nothing. Use np.isnan(x).")
def compares_with_nan(x, fill):
    return np.where(x == NAN, fill, x)


@impute_missing.mistake(
    "You filled with the means of x itself. They may be a test set's: use fill, which comes from the training set."
)
def fills_with_own_means(x, fill):
    known = ~np.isnan(x)
    means = np.where(known, x, 0).sum(axis=0) / np.maximum(known.sum(axis=0), 1)
    return np.where(known, x, means).astype(np.float32)


@impute_missing.mistake("You filled every hole with fill[0]. Use the value of the hole's own feature: fill[j].")
def fills_with_the_first(x, fill):
    return np.where(np.isnan(x), fill[0], x)


@impute_missing.mistake("You took the fill value by the sample's number. It goes by the feature: fill[j].")
def fills_by_sample(x, fill):
    by_row = fill[np.arange(len(x)) % len(fill)]
    return np.where(np.isnan(x), by_row[:, np.newaxis], x)


@impute_missing.mistake("You filled zeros too. 0 is a value like any other; only NaN is missing.")
def fills_zeros_too(x, fill):
    return np.where(np.isnan(x) | (x == 0), fill, x)


@impute_missing.mistake("You filled infinities too. Only NaN means missing: np.isnan, not ~np.isfinite.")
def fills_infinities_too(x, fill):
    return np.where(np.isfinite(x), x, fill)


@impute_missing.mistake("You replaced the values and kept the holes. Replace where np.isnan(x) is true.")
def replaces_the_values(x, fill):
    return np.where(np.isnan(x), x, fill)


@impute_missing.mistake("You filled with the value above, as in a time series. Use fill.")
def carries_the_last_value_on(x, fill):
    filled = x.copy()
    for i in range(len(x)):
        filled[i] = np.where(np.isnan(x[i]), filled[i - 1] if i else fill, x[i])
    return filled


@impute_missing.keras_twin
def impute_missing_in_scikit_learn(keras, x, fill):
    from sklearn.impute import SimpleImputer

    if len(x) == 0 or np.isinf(x).any():  # scikit-learn refuses both
        return keras.ops.where(keras.ops.isnan(x), fill, x)
    # fitted to a training set of one sample, whose means are the values to fill with
    return SimpleImputer().fit(fill[np.newaxis]).transform(x)


drop_incomplete = chapter.exercise("drop_incomplete", points=1, returns="rows")


@drop_incomplete.cases
def drop_incomplete_cases(draw):
    yield Case("one of three has a hole", x=draw.array([[1, 2], [NAN, 4], [5, 6]]))
    yield Case("holes in every column", x=with_holes(draw, 7, 3, [(1, 0), (3, 1), (4, 2), (4, 1)]))
    yield Case("nothing is missing", x=draw.normal(3, 4))
    yield Case("zeros are values", x=draw.array([[0, 0, 0], [1, 0, NAN], [0, 2, 3]]))
    yield Case("first and last row", x=with_holes(draw, 4, 4, [(0, 3), (3, 0)]))
    yield Case("a row of holes", x=with_holes(draw, 4, 2, [(2, 0), (2, 1), (0, 1)]))
    yield Case("no row is complete", x=with_holes(draw, 3, 3, [(0, 1), (1, 2), (2, 0)]), hidden=True)
    yield Case("infinities are values", x=draw.array([[np.inf, 1], [2, NAN], [-np.inf, 3]]), hidden=True)
    yield Case("no samples", x=draw.array(np.zeros((0, 3))), hidden=True)


@drop_incomplete.mistake("You left out the incomplete features. The samples, that is the rows, are to go.")
def drops_columns(x):
    return np.ascontiguousarray(x[:, ~np.isnan(x).any(axis=0)])


@drop_incomplete.mistake("You left out only rows without any value. One missing value is enough.")
def drops_empty_rows(x):
    return x[~np.isnan(x).all(axis=1)]


@drop_incomplete.mistake("You kept the incomplete rows. Keep the complete ones.")
def keeps_the_incomplete(x):
    return x[np.isnan(x).any(axis=1)]


@drop_incomplete.mistake("You compared with x == np.nan, which is never true: NaN equals nothing. Use np.isnan(x).")
def finds_no_nan(x):
    return x.copy()


@drop_incomplete.mistake("You left out rows with a 0 too. 0 is a value; only NaN is missing.")
def drops_zeros_too(x):
    return x[~(np.isnan(x) | (x == 0)).any(axis=1)]


@drop_incomplete.mistake("You left out rows with an infinity too. Only NaN means missing.")
def drops_infinities_too(x):
    return x[np.isfinite(x).all(axis=1)]


@drop_incomplete.mistake("You looked at the first feature only. A hole anywhere in the row counts.")
def looks_at_the_first_feature(x):
    return x[~np.isnan(x[:, 0])]


@drop_incomplete.mistake("You put zeros in place of incomplete rows. Leave them out: the table becomes shorter.")
def blanks_the_rows(x):
    return np.where(np.isnan(x).any(axis=1, keepdims=True), np.float32(0), x)


@drop_incomplete.mistake("You cut the table off at the first incomplete row. Complete rows further down stay.")
def stops_at_the_first_hole(x):
    incomplete = np.isnan(x).any(axis=1)
    return x[: np.argmax(incomplete) if incomplete.any() else len(x)]


@drop_incomplete.keras_twin
def drop_incomplete_in_keras(keras, x):
    return x[~np.asarray(keras.ops.any(keras.ops.isnan(x), axis=1))]


# --- copies ---------------------------------------------------------------------------------------------------------


def pairs(a, b):
    """[i, j] is true where row i of a equals row j of b."""
    return (a[:, np.newaxis] == b[np.newaxis]).all(axis=2)


duplicate_rows = chapter.exercise("duplicate_rows", points=1, returns="copies")


@duplicate_rows.cases
def duplicate_rows_cases(draw):
    yield Case("one row three times", x=draw.array([[1, 2], [3, 4], [1, 2], [1, 2]]))
    rows = draw.normal(4, 3)
    yield Case("copies further down", x=rows[[0, 1, 2, 0, 3, 1, 0, 3]])
    yield Case("no copies", x=draw.normal(5, 2))
    yield Case("neighbours", x=rows[[2, 2, 1, 1, 1]])
    yield Case("equal in all but one feature", x=draw.array([[1, 2, 3], [1, 2, 4], [0, 2, 3], [1, 5, 3], [1, 2, 3]]))
    yield Case("the same values in another order", x=draw.array([[1, 2, 3], [3, 2, 1], [2, 1, 3], [2, 2, 2]]))
    yield Case("the same row everywhere", x=rows[[1, 1, 1, 1]], hidden=True)
    yield Case("holes equal nothing", x=draw.array([[1, NAN], [1, NAN], [2, 3], [2, 3]]), hidden=True)
    yield Case("nearly the same", x=draw.array([[1, 2], [1, 2.0001], [1.0001, 2], [1, 2]]), hidden=True)
    yield Case("one sample", x=draw.normal(1, 3), hidden=True)
    yield Case("no samples", x=draw.array(np.zeros((0, 3))), hidden=True)


@duplicate_rows.mistake("You marked the first of equal rows too. It stays: only the later ones are copies.")
def marks_the_first_too(x):
    return pairs(x, x).sum(axis=1) > 1


@duplicate_rows.mistake("You marked the earlier rows and kept the last one. The first of equal rows stays.")
def keeps_the_last(x):
    return np.triu(pairs(x, x), 1).any(axis=1)


@duplicate_rows.mistake("You compared neighbours only. A copy may stand anywhere further down.")
def compares_neighbours(x):
    return np.concatenate([np.zeros(min(1, len(x)), bool), (x[1:] == x[:-1]).all(axis=1)])


@duplicate_rows.mistake("You compared with the first row only. Every earlier row counts.")
def compares_with_the_first_row(x):
    return (x == x[:1]).all(axis=1) & (np.arange(len(x)) > 0)


@duplicate_rows.mistake("You compared the first feature only. A copy is equal in every feature.")
def compares_the_first_feature(x):
    return np.tril(x[:, :1] == x[:, :1].T, -1).any(axis=1)


@duplicate_rows.mistake("One equal feature was enough for you. A copy is equal in every feature: all, not any.")
def is_content_with_one_feature(x):
    return np.tril((x[:, np.newaxis] == x[np.newaxis]).any(axis=2), -1).any(axis=1)


@duplicate_rows.mistake("You compared the rows' sums. The same values in another order are another sample.")
def compares_sums(x):
    sums = x.sum(axis=1)
    return np.tril(sums[:, np.newaxis] == sums, -1).any(axis=1)


@duplicate_rows.mistake("You compared every row with itself: then all are copies. Compare with the rows before it.")
def compares_rows_with_themselves(x):
    return pairs(x, x).any(axis=1)


@duplicate_rows.mistake("You marked the rows to keep. True stands for a copy.")
def marks_the_rows_to_keep(x):
    return ~np.tril(pairs(x, x), -1).any(axis=1)


@duplicate_rows.mistake("You took nearly equal rows for copies. Only equal numbers are: no tolerance.")
def is_content_with_nearly(x):
    return np.tril(np.isclose(x[:, np.newaxis], x[np.newaxis], 1e-3).all(axis=2), -1).any(axis=1)


@duplicate_rows.keras_twin
def duplicate_rows_in_keras(keras, x):
    equal = keras.ops.all(keras.ops.equal(x[:, np.newaxis], x[np.newaxis]), axis=2)
    earlier = keras.ops.tril(keras.ops.cast(equal, "int32"), -1)
    return keras.ops.any(keras.ops.cast(earlier, "bool"), axis=1)


leaked_rows = chapter.exercise("leaked_rows", points=1, returns="leaked")


@leaked_rows.cases
def leaked_rows_cases(draw):
    yield Case("one of two", train=draw.array([[1, 2], [3, 4]]), test=draw.array([[3, 4], [1, 4]]))
    train, new = draw.normal(6, 3), draw.normal(3, 3)
    yield Case("some leaked", train=train, test=np.concatenate([new[:1], train[[5, 0]], new[1:], train[[0]]]))
    yield Case("none leaked", train=train, test=new)
    yield Case("copies within the test set", train=train[:4], test=np.concatenate([new[[0, 0]], train[[1, 1]]]))
    yield Case("copies within the training set", train=train[[2, 2, 4, 4]], test=np.concatenate([new[:2], train[[4]]]))
    known = draw.array([[1, 2, 4], [9, 9, 8], [5, 2, 3], [3, 2, 1]])
    parts = draw.array([[1, 2, 3], [3, 2, 1], [9, 9, 9], [1, 1, 3], [7, 2, 5]])
    yield Case("equal in some of the features", train=known, test=parts)
    yield Case("as many rows on both sides", train=train[[0, 1, 2]], test=train[[2, 1, 5]])
    yield Case("all leaked", train=train, test=train[[3, 3, 5]], hidden=True)
    yield Case("holes equal nothing", train=draw.array([[1, NAN], [2, 3]]), test=draw.array([[1, NAN]]), hidden=True)
    yield Case("nearly the same", train=draw.array([[1, 2]]), test=draw.array([[1, 2.0001], [1, 2]]), hidden=True)
    yield Case("no test samples", train=train, test=draw.array(np.zeros((0, 3))), hidden=True)
    yield Case("no training samples", train=draw.array(np.zeros((0, 3))), test=new, hidden=True)


@leaked_rows.mistake("Your mask is over the training set. It is asked for over the test set, one answer per test row.")
def marks_the_training_rows(train, test):
    return pairs(train, test).any(axis=1)


@leaked_rows.mistake("You compared rows at the same place only. A test row may equal any training row.")
def compares_the_same_place(train, test):
    leaked = np.zeros(len(test), bool)
    shared = min(len(train), len(test))
    leaked[:shared] = (train[:shared] == test[:shared]).all(axis=1)
    return leaked


@leaked_rows.mistake("One equal feature was enough for you. A leaked row is equal in every feature: all, not any.")
def is_content_with_one_equal_feature(train, test):
    return (test[:, np.newaxis] == train[np.newaxis]).any(axis=(1, 2))


@leaked_rows.mistake(
    "You looked for each value anywhere in its feature. All of a row's values must come from the same training row."
)
def looks_for_values_one_by_one(train, test):
    return (test[:, np.newaxis] == train[np.newaxis]).any(axis=1).all(axis=1)


@leaked_rows.mistake("You compared the first feature only. A leaked row is equal in every feature.")
def compares_only_the_first_feature(train, test):
    return pairs(test[:, :1], train[:, :1]).any(axis=1)


@leaked_rows.mistake("You marked copies within the test set too. Only what stands in the training set has leaked.")
def marks_copies_too(train, test):
    return pairs(test, train).any(axis=1) | np.tril(pairs(test, test), -1).any(axis=1)


@leaked_rows.mistake("You marked a leaked row only once. Its copies in the test set have leaked as well.")
def marks_only_the_first_leak(train, test):
    return pairs(test, train).any(axis=1) & ~np.tril(pairs(test, test), -1).any(axis=1)


@leaked_rows.mistake("You marked the rows that are new. True stands for a leaked one.")
def marks_the_new_rows(train, test):
    return ~pairs(test, train).any(axis=1)


@leaked_rows.mistake("You compared the rows' sums. The same values in another order are another sample.")
def compares_the_sums(train, test):
    return (test.sum(axis=1)[:, np.newaxis] == train.sum(axis=1)).any(axis=1)


@leaked_rows.mistake(
    "Only the last training row counted: each comparison undid what an earlier one had found. Keep a True."
)
def lets_the_last_row_decide(train, test):
    return pairs(test, train[-1:]).any(axis=1)


@leaked_rows.mistake("You took nearly equal rows for leaked. Only equal numbers are: no tolerance.")
def is_content_with_nearly_equal(train, test):
    return np.isclose(test[:, np.newaxis], train[np.newaxis], 1e-3).all(axis=2).any(axis=1)


@leaked_rows.keras_twin
def leaked_rows_in_keras(keras, train, test):
    equal = keras.ops.all(keras.ops.equal(test[:, np.newaxis], train[np.newaxis]), axis=2)
    return keras.ops.any(equal, axis=1)


# --- outliers -------------------------------------------------------------------------------------------------------

outlier_mask = chapter.exercise("outlier_mask", points=2, returns="mask")


def with_outliers(draw, n, d):
    """A table with a value far below and one far above in each feature, at places of their own."""
    x = draw.normal(n, d)
    for j in range(d):
        x[(2 * j) % n, j] -= 9
        x[(2 * j + 3) % n, j] += 9
    return x


@outlier_mask.cases
def outlier_mask_cases(draw):
    yield Case("30 is outside", x=draw.array([[1], [2], [3], [4], [30]]), k=1.5)
    yield Case("far below and far above", x=with_outliers(draw, 9, 2), k=1.5)
    yield Case("quartiles between two values", x=with_outliers(draw, 12, 3), k=1.5)
    yield Case("features of different sizes", x=with_outliers(draw, 11, 3) * draw.array([1, 50, 0.02]), k=1.5)
    yield Case("on the fence, and just beyond", x=draw.array([[0, 0], [2, 2], [4, 4], [6, 6], [12, 12.5]]), k=1.5)
    yield Case("on the lower fence", x=draw.array([[-4, -4.5], [2, 2], [4, 4], [6, 6], [8, 8]]), k=1.5)
    yield Case("a narrow fence", x=draw.normal(10, 4), k=0.25)
    yield Case("the middle half", x=draw.normal(8, 3), k=0.0)
    yield Case("a wide fence", x=with_outliers(draw, 14, 2) * draw.array([1, 0.5]), k=3.0)
    yield Case("four values", x=draw.array([[0, 0], [1, 1], [3, 3], [5.9, 6.1]]), k=0.75, hidden=True)
    yield Case("a constant feature, and nearly one", x=draw.array([[4, 4]] * 6 + [[4, 5]]), k=2.0, hidden=True)
    yield Case("one sample", x=draw.normal(1, 3), k=1.5, hidden=True)
    yield Case("two samples", x=draw.normal(2, 3), k=0.4, hidden=True)
    yield Case("as many samples as features", x=with_outliers(draw, 7, 7), k=1.0, hidden=True)


def outside(x, q1, q3, reach):
    return (x < q1 - reach) | (x > q3 + reach)


def quartiles(x, **how):
    return np.percentile(x, [25, 75], axis=0, **how)


@outlier_mask.mistake(
    "You measured in standard deviations from the mean. An outlier enlarges the deviation itself: use the quartiles."
)
def measures_in_deviations(x, k):
    return np.abs(x - x.mean(axis=0)) > np.float32(k) * x.std(axis=0)


@outlier_mask.mistake("You took the quartiles of the whole table. Every feature has its own.")
def takes_quartiles_of_the_table(x, k):
    q1, q3 = np.percentile(x, [25, 75])
    return outside(x, q1, q3, k * (q3 - q1))


@outlier_mask.mistake("You took the quartiles of each sample. Features are columns: quartiles over axis 0.")
def takes_quartiles_of_the_samples(x, k):
    q1, q3 = np.percentile(x, [25, 75], axis=1, keepdims=True)
    return outside(x, q1, q3, k * (q3 - q1))


@outlier_mask.mistake("You looked above only. A value may lie far below as well.")
def looks_above_only(x, k):
    q1, q3 = quartiles(x)
    return x > q3 + k * (q3 - q1)


@outlier_mask.mistake("You looked below only. A value may lie far above as well.")
def looks_below_only(x, k):
    q1, q3 = quartiles(x)
    return x < q1 - k * (q3 - q1)


@outlier_mask.mistake("You marked what lies inside the fences. True stands for an outlier.")
def marks_the_inside(x, k):
    q1, q3 = quartiles(x)
    return ~outside(x, q1, q3, k * (q3 - q1))


@outlier_mask.mistake("You measured from the median. The fences stand at k ranges outside the quartiles.")
def measures_from_the_median(x, k):
    q1, q3 = quartiles(x)
    median = np.median(x, axis=0)
    return outside(x, median, median, k * (q3 - q1))


@outlier_mask.mistake("You counted values that stand on the fence. An outlier is beyond it: < and >.")
def counts_the_fence(x, k):
    q1, q3 = quartiles(x)
    return (x <= q1 - k * (q3 - q1)) | (x >= q3 + k * (q3 - q1))


@outlier_mask.mistake("You always used k = 1.5. It is an argument.")
def always_uses_the_usual_k(x, k):
    q1, q3 = quartiles(x)
    return outside(x, q1, q3, 1.5 * (q3 - q1))


@outlier_mask.mistake("You wrote k * q3 - q1, which multiplies q3 alone. Put brackets: k * (q3 - q1).")
def forgets_the_brackets(x, k):
    q1, q3 = quartiles(x)
    return outside(x, q1, q3, k * q3 - q1)


@outlier_mask.mistake("Your quartile is the nearest value below its place. Follow the line between its two neighbours.")
def takes_the_value_below(x, k):
    q1, q3 = quartiles(x, method="lower")
    return outside(x, q1, q3, k * (q3 - q1))


@outlier_mask.mistake(
    "You took the value at place q * n, rounded down. The n values have the places 0 to n - 1, so the quartile lies at "
    "q * (n - 1), and between two places on the line between their values."
)
def counts_places_to_n(x, k):
    ordered = np.sort(x, axis=0)
    n = len(x)
    q1, q3 = ordered[min(n // 4, n - 1)], ordered[min(3 * n // 4, n - 1)]
    return outside(x, q1, q3, k * (q3 - q1))


@outlier_mask.mistake("You did not sort. Quartiles are places in the sorted values of a feature.")
def forgets_to_sort(x, k):
    n = len(x)
    place = np.arange(n)
    q1, q3 = (np.array([np.interp(q * (n - 1), place, x[:, j]) for j in range(x.shape[1])]) for q in (0.25, 0.75))
    return outside(x, q1, q3, k * (q3 - q1))


@outlier_mask.mistake("You marked whole samples. The mask has a place for every value.")
def marks_whole_samples(x, k):
    q1, q3 = quartiles(x)
    return outside(x, q1, q3, k * (q3 - q1)).any(axis=1)


@outlier_mask.keras_twin
def outlier_mask_in_keras(keras, x, k):
    q1, q3 = keras.ops.quantile(x, np.array([0.25, 0.75], np.float32), axis=0, method="linear")
    reach = k * (q3 - q1)
    return keras.ops.logical_or(keras.ops.less(x, q1 - reach), keras.ops.greater(x, q3 + reach))


# --- class weights --------------------------------------------------------------------------------------------------

class_weights = chapter.exercise("class_weights", points=1, returns="weights")


@class_weights.cases
def class_weights_cases(draw):
    yield Case("three of one class, one of the other", labels=np.array([0, 0, 0, 1]), num_classes=2)
    yield Case("five classes", labels=draw.labels(23, 5), num_classes=5)
    yield Case("equally frequent classes", labels=draw.order(12) % 4, num_classes=4)
    yield Case("one rare class", labels=np.repeat([1, 2, 0], [1, 4, 25])[draw.order(30)], num_classes=3)
    yield Case("a class without samples", labels=np.array([2, 0, 0, 2, 2, 2, 3]), num_classes=4)
    yield Case("the last classes do not occur", labels=draw.labels(9, 3), num_classes=6)
    yield Case("one class only", labels=np.zeros(5, np.int64), num_classes=1, hidden=True)
    yield Case("as many labels as classes", labels=draw.order(7), num_classes=7, hidden=True)
    yield Case("no labels", labels=np.zeros(0, np.int64), num_classes=3, hidden=True)


def occurrences(labels, num_classes):
    return np.bincount(labels, minlength=num_classes).astype(np.float32)


def inverse(counts):
    return quotient(np.ones_like(counts), counts)


@class_weights.mistake("You returned how frequent each class is. A rare class needs the larger weight: turn it over.")
def returns_the_frequencies(labels, num_classes):
    return occurrences(labels, num_classes) / np.float32(max(1, labels.size))


@class_weights.mistake("You returned 1 / count. Multiply by n / num_classes, so that an average sample weighs 1.")
def forgets_the_size(labels, num_classes):
    return inverse(occurrences(labels, num_classes))


@class_weights.mistake("You forgot to divide by the number of classes: n / (num_classes * count).")
def forgets_the_number_of_classes(labels, num_classes):
    return labels.size * inverse(occurrences(labels, num_classes))


@class_weights.mistake("You made the weights add up to 1. An average sample should weigh 1: n / (num_classes * count).")
def makes_them_add_up_to_one(labels, num_classes):
    weights = inverse(occurrences(labels, num_classes))
    return weights / np.float32(max(weights.sum(), 1e-7))


@class_weights.mistake("You gave the largest class 1. Balanced is n / (num_classes * count), less than 1 for it.")
def compares_with_the_largest(labels, num_classes):
    counts = occurrences(labels, num_classes)
    return counts.max() * inverse(counts)


@class_weights.mistake("You counted only the classes that occur. The formula has num_classes.")
def counts_only_what_occurs(labels, num_classes):
    counts = occurrences(labels, num_classes)
    return np.float32(labels.size / max(1, np.count_nonzero(counts))) * inverse(counts)


@class_weights.mistake("You divided by a count of 0. A class that does not occur gets 0.")
def divides_by_no_samples(labels, num_classes):
    return np.float32(labels.size) / (np.float32(num_classes) * occurrences(labels, num_classes))


@class_weights.mistake("You gave a class that does not occur the weight 1. It gets 0.")
def gives_one_to_absent_classes(labels, num_classes):
    counts = occurrences(labels, num_classes)
    return np.where(counts > 0, np.float32(labels.size / num_classes) * inverse(counts), 1).astype(np.float32)


@class_weights.mistake("You counted every class once more to avoid 0. Count as it is, and give absent classes 0.")
def adds_one_to_the_counts(labels, num_classes):
    return np.float32(labels.size) / (np.float32(num_classes) * (occurrences(labels, num_classes) + 1))


@class_weights.mistake("You took the square root, which balances only halfway. It is n / (num_classes * count).")
def balances_halfway(labels, num_classes):
    return np.sqrt(np.float32(labels.size / num_classes) * inverse(occurrences(labels, num_classes)))


@class_weights.mistake("You returned a weight per sample. One per class is asked for.")
def returns_a_weight_per_sample(labels, num_classes):
    return (np.float32(labels.size / num_classes) * inverse(occurrences(labels, num_classes)))[labels]


@class_weights.keras_twin
def class_weights_in_scikit_learn(keras, labels, num_classes):
    from sklearn.utils.class_weight import compute_class_weight

    present = np.unique(labels)
    weights = np.zeros(num_classes)
    if present.size:
        # scikit-learn knows only the classes that occur
        balanced = compute_class_weight("balanced", classes=present, y=labels)
        weights[present] = balanced * present.size / num_classes
    return weights

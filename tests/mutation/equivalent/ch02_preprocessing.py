"""Mutants of ch02_preprocessing that no case can tell from the solution."""

from __future__ import annotations

from .reasons import CYCLIC_ROWS, MASK, NAN_HAS_NO_SIGN, SPARE, START_OF_SUM, WIDER

EQUIVALENT: dict[str, str] = {
    "ch02_preprocessing.fit_standardizer:5 total = np.float64(0) -> total = 0": START_OF_SUM,
    "ch02_preprocessing.fit_standardizer:7 train[i, j] -> train[i - 1, j]": CYCLIC_ROWS,
    "ch02_preprocessing.fit_standardizer:9 squares = np.float64(0) -> squares = 0": START_OF_SUM,
    "ch02_preprocessing.fit_standardizer:11 train[i, j] -> train[i - 1, j]": CYCLIC_ROWS,
    "ch02_preprocessing.min_max_scale:3 np.float32(hi - lo) -> hi - lo": WIDER,
    "ch02_preprocessing.min_max_scale:5 x[0, j] -> x[-1, j]": "Any value of the feature will do to start from: the loop compares all of them.",
    "ch02_preprocessing.min_max_scale:6 range(n) -> range(1, n)": "The first value is what the loop starts from.",
    "ch02_preprocessing.min_max_scale:7 x[i, j] -> x[i - 1, j]": CYCLIC_ROWS,
    "ch02_preprocessing.min_max_scale:8 x[i, j] -> x[i - 1, j]": CYCLIC_ROWS,
    "ch02_preprocessing.impute_missing:5 np.isnan(x[i, j]) -> np.isnan(-x[i, j])": NAN_HAS_NO_SIGN,
    "ch02_preprocessing.drop_incomplete:4 np.isnan(x[i]) -> np.isnan(-x[i])": NAN_HAS_NO_SIGN,
    "ch02_preprocessing.duplicate_rows:3 range(n) -> range(1, n)": "No row stands before the first one.",
    "ch02_preprocessing.leaked_rows:5 train[j] -> train[j - 1]": CYCLIC_ROWS,
    "ch02_preprocessing.outlier_mask:3 np.empty(2, np.float32) -> np.empty(2, np.float64)": MASK,
    "ch02_preprocessing.outlier_mask:3 np.empty(2, np.float32) -> np.empty(3, np.float32)": SPARE,
    "ch02_preprocessing.outlier_mask:3 np.empty(2, np.float32) -> np.empty(4, np.float32)": SPARE,
    "ch02_preprocessing.outlier_mask:12 np.float32(place - below) -> place - below": MASK,
    "ch02_preprocessing.outlier_mask:13 np.float32(k) * (quartiles[1] - quartiles[0]) -> k * (quartiles[1] - quartiles[0])": MASK,
}

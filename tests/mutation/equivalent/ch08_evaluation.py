"""Mutants of ch08_evaluation that no case can tell from the solution."""

from __future__ import annotations

from .reasons import A_LIST_OF_PAIRS, COPY_CHANGES_THE_LAYOUT, IT_IS_AT_LEAST, START_OF_SUM

EQUIVALENT: dict[str, str] = {
    "ch08_evaluation.kfold_indices:8 return tuple(folds) -> return folds": A_LIST_OF_PAIRS,
    "ch08_evaluation.iterated_kfold_indices:6 return tuple(folds) -> return folds": A_LIST_OF_PAIRS,
    "ch08_evaluation.temporal_split:4 np.arange(0) -> np.arange(-1)": "Both are empty.",
    "ch08_evaluation.predicted_labels:1 cut = np.float32(threshold) -> cut = threshold": "Only a score level with a threshold that float32 cannot hold would show it, and no case is that mean.",
    "ch08_evaluation.baseline_score:3 num_classes = 0 -> num_classes = -1": IT_IS_AT_LEAST,
    "ch08_evaluation.baseline_score:3 num_classes = 0 -> num_classes = 1": IT_IS_AT_LEAST,
    "ch08_evaluation.baseline_score:5 label + 1 -> label + 2": "A counter too many, which stays 0.",
    "ch08_evaluation.baseline_score:7 most = 0 -> most = -1": IT_IS_AT_LEAST,
    "ch08_evaluation.baseline_score:7 most = 0 -> most = 1": IT_IS_AT_LEAST,
    "ch08_evaluation.mae_metric:4 total = np.float64(0) -> total = 0": START_OF_SUM,
    "ch08_evaluation.mean_average_precision:6 y_true[:, j].copy() -> y_true[:, j]": COPY_CHANGES_THE_LAYOUT,
    "ch08_evaluation.mean_average_precision:6 y_score[:, j].copy() -> y_score[:, j]": COPY_CHANGES_THE_LAYOUT,
}

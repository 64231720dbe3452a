"""Mutants of projects.boston that no case can tell from the solution."""

from __future__ import annotations

from .reasons import ANY_NEGATIVE_LENGTH_MEANS, FACTORS, THE_DIFFERENCE_IS_SQUARED, WIDER

ONE_UNIT = "The last layer has one unit: its first bias is its last."

EQUIVALENT: dict[str, str] = {
    "projects.boston.evaluate:1 mae_metric(targets, predict(x, params).reshape(-1)) -> mae_metric(predict(x, params).reshape(-1), targets)": "A distance has no direction.",
    "projects.boston.evaluate:1 -1 -> -2": ANY_NEGATIVE_LENGTH_MEANS,
    "projects.boston.train_step:4 -1 -> -2": ANY_NEGATIVE_LENGTH_MEANS,
    "projects.boston.train_step:5 mse(wanted, prices) -> mse(prices, wanted)": THE_DIFFERENCE_IS_SQUARED,
    "projects.boston.fast_epoch:6 -1 -> -2": ANY_NEGATIVE_LENGTH_MEANS,
    "projects.boston.fast_epoch:6 out, dout = (w3.reshape(-1), dw3.reshape(-1)) -> out, dout = (w3.reshape(-1), dw3)": "A row of the gradient of w3 is one number: adding to rows or to numbers is the same.",
    "projects.boston.fast_epoch:6 -1 -> -2 (2)": ANY_NEGATIVE_LENGTH_MEANS,
    "projects.boston.fast_epoch:12 size = np.float32(rows.size) -> size = rows.size": WIDER,
    "projects.boston.fast_epoch:25 first[k] > 0 -> first[k] >= 0": "A unit at zero adds zero times its weights.",
    "projects.boston.fast_epoch:28 max(second[k], np.float32(0)) -> max(second[k], 0)": WIDER,
    "projects.boston.fast_epoch:29 dot(second, out) -> dot(out, second)": FACTORS,
    "projects.boston.fast_epoch:29 b3[0] -> b3[-1]": ONE_UNIT,
    "projects.boston.fast_epoch:32 np.float32(2) * error -> 2 * error": WIDER,
    "projects.boston.fast_epoch:33 db3[0] -> db3[-1]": ONE_UNIT,
    "projects.boston.fast_epoch:36 slope * out[k] if second[k] > 0 else np.float32(0) -> slope * out[k] if second[k] > 0 else 0": WIDER,
    "projects.boston.fast_epoch:37 add_scaled(db2, np.float32(1), dsecond) -> add_scaled(db2, 1, dsecond)": WIDER,
    "projects.boston.fast_epoch:42 dot(w2[k], dsecond) -> dot(dsecond, w2[k])": FACTORS,
    "projects.boston.fast_epoch:43 add_scaled(db1, np.float32(1), dfirst) -> add_scaled(db1, 1, dfirst)": WIDER,
    "projects.boston.best_epoch:1 int(np.argmin(scores.mean(axis=0))) -> np.argmin(scores.mean(axis=0))": "An integer of NumPy is an integer.",
    "projects.boston.best_epoch:1 scores.mean(axis=0) -> scores.sum(axis=0)": "The sum over the networks is lowest where their mean is.",
}

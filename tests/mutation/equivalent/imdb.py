"""Mutants of projects.imdb that no case can tell from the solution."""

from __future__ import annotations

from .reasons import ANY_NEGATIVE_LENGTH_MEANS, FACTORS, LAYOUT, SAME_SCALAR, SPARE, WIDER

MINUS_TWO = "No review has a negative number: -2 is as good a mark for a word not met yet."
INT_ROWS = "Numba subtracts an int64 array from a float32 one in float32, and a label is 0 or 1 either way."
STEP_WIDER = "The gradient is wider than float32, what is stored is float32: the same within rounding."
INT_LABELS = "A label is 0 or 1 as an int too, and the loss has no dtype of its own for a caller."
SAME_ELEMENTS = "The loss goes over all elements, whatever their shape."
FEWER_FOURS = "Rows that no turn of four takes are added one by one: slower, the same sum."
LAST_FOUR = "The last turn of four begins four rows before the end."
ORDER = "The rows of one turn are added in another order: the same within rounding."
FIRST_WORD = "The reviews of word 0 begin at 0, and adding 0 to a count changes nothing."

EQUIVALENT: dict[str, str] = {
    "projects.imdb.upper_backward:2 labels.astype(np.float32).reshape(-1, 1) -> labels.reshape(-1, 1)": INT_ROWS,
    "projects.imdb.upper_backward:2 -1 -> -2": ANY_NEGATIVE_LENGTH_MEANS,
    "projects.imdb.upper_backward:3 (probabilities - targets) / np.float32(labels.size) -> (probabilities - targets) / labels.size": WIDER,
    "projects.imdb.train_step:4 binary_crossentropy(labels.astype(np.float32), probabilities.ravel()) -> binary_crossentropy(labels, probabilities.ravel())": INT_LABELS,
    "projects.imdb.train_step:4 labels.astype(np.float32) -> labels.astype(np.float64)": SAME_SCALAR,
    "projects.imdb.train_step:4 binary_crossentropy(labels.astype(np.float32), probabilities.ravel()) -> binary_crossentropy(labels.astype(np.float32), probabilities)": SAME_ELEMENTS,
    "projects.imdb.sparse_step:4 binary_crossentropy(labels.astype(np.float32), probabilities.ravel()) -> binary_crossentropy(labels, probabilities.ravel())": INT_LABELS,
    "projects.imdb.sparse_step:4 labels.astype(np.float32) -> labels.astype(np.float64)": SAME_SCALAR,
    "projects.imdb.sparse_step:4 binary_crossentropy(labels.astype(np.float32), probabilities.ravel()) -> binary_crossentropy(labels.astype(np.float32), probabilities)": SAME_ELEMENTS,
    "projects.imdb.distinct_words:2 offsets[n] - offsets[0] -> offsets[n] + offsets[0]": SPARE,
    "projects.imdb.distinct_words:2 offsets[n] - offsets[0] -> offsets[n]": SPARE,
    "projects.imdb.distinct_words:4 -1 -> -2": MINUS_TWO,
    "projects.imdb.distinct_words:13 words[:count].copy() -> words[:count]": LAYOUT,
    "projects.imdb.add_rows:1 rows.size - rows.size % 4 -> rows.size - rows.size": FEWER_FOURS,
    "projects.imdb.add_rows:1 rows.size % 4 -> rows.size % 8": FEWER_FOURS,
    "projects.imdb.add_rows:2 range(0, fours, 4) -> range(0, fours - 1, 4)": LAST_FOUR,
    "projects.imdb.add_rows:3 first, second, third, fourth = (table[rows[k]], table[rows[k + 1]], table[rows[k + 2]], table[rows[k + 3]]) -> second, first, third, fourth = (table[rows[k]], table[rows[k + 1]], table[rows[k + 2]], table[rows[k + 3]])": ORDER,
    "projects.imdb.add_rows:3 first, second, third, fourth = (table[rows[k]], table[rows[k + 1]], table[rows[k + 2]], table[rows[k + 3]]) -> first, third, second, fourth = (table[rows[k]], table[rows[k + 1]], table[rows[k + 2]], table[rows[k + 3]])": ORDER,
    "projects.imdb.add_rows:3 first, second, third, fourth = (table[rows[k]], table[rows[k + 1]], table[rows[k + 2]], table[rows[k + 3]]) -> first, second, fourth, third = (table[rows[k]], table[rows[k + 1]], table[rows[k + 2]], table[rows[k + 3]])": ORDER,
    "projects.imdb.inverted_index:5 range(dimension) -> range(1, dimension)": FIRST_WORD,
    "projects.imdb.first_layer_step:1 rate, keep, blend = (np.float32(lr), np.float32(rho), np.float32(1.0 - rho)) -> rate, keep, blend = (lr, np.float32(rho), np.float32(1.0 - rho))": WIDER,
    "projects.imdb.first_layer_step:1 rate, keep, blend = (np.float32(lr), np.float32(rho), np.float32(1.0 - rho)) -> rate, keep, blend = (np.float32(lr), rho, np.float32(1.0 - rho))": WIDER,
    "projects.imdb.first_layer_step:1 np.float32(1.0 - rho) -> 1.0 - rho": WIDER,
    "projects.imdb.first_layer_step:2 floor, pull = (np.float32(eps), np.float32(2 * l2)) -> floor, pull = (eps, np.float32(2 * l2))": WIDER,
    "projects.imdb.first_layer_step:2 np.float32(2 * l2) -> 2 * l2": WIDER,
    "projects.imdb.first_layer_step:6 np.empty(units, np.float32) -> np.empty(units, np.float64)": WIDER,
    "projects.imdb.l2_step:4 binary_crossentropy(labels.astype(np.float32), probabilities.ravel()) -> binary_crossentropy(labels, probabilities.ravel())": INT_LABELS,
    "projects.imdb.l2_step:4 labels.astype(np.float32) -> labels.astype(np.float64)": SAME_SCALAR,
    "projects.imdb.l2_step:4 binary_crossentropy(labels.astype(np.float32), probabilities.ravel()) -> binary_crossentropy(labels.astype(np.float32), probabilities)": SAME_ELEMENTS,
    "projects.imdb.l2_step:7 l2_gradient(w2, l2) -> l2_gradient(l2, w2)": FACTORS,
    "projects.imdb.dropout_step:7 labels.astype(np.float32).reshape(-1, 1) -> labels.reshape(-1, 1)": STEP_WIDER,
    "projects.imdb.dropout_step:7 labels.astype(np.float32) -> labels.astype(np.float64)": STEP_WIDER,
    "projects.imdb.dropout_step:7 -1 -> -2": ANY_NEGATIVE_LENGTH_MEANS,
    "projects.imdb.dropout_step:9 np.float32(len(labels)) -> len(labels)": WIDER,
}

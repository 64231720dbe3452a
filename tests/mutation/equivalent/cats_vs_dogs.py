"""Mutants of projects.cats_vs_dogs that no case can tell from the solution."""

from __future__ import annotations

from .reasons import ANY_NEGATIVE_LENGTH_MEANS, EMPTY_TURN, INT_WITH_ARRAY

NOT_SAME = 'windows_along knows "same"; any other word means "valid".'
LABELS = "Interpreted, as the small cases run, 0 and 1 are the same numbers in every dtype."
ORDER_OF_MEMORY = "The loss goes through both in the order of memory."
ONLY_THE_PRODUCT = "Rows and columns lose alike, and only their product is used."

EQUIVALENT: dict[str, str] = {
    "projects.cats_vs_dogs.forward:2 conv2d_forward(x, k1, b1, ONE_BY_ONE, 'valid') -> conv2d_forward(x, k1, b1, ONE_BY_ONE, '')": NOT_SAME,
    "projects.cats_vs_dogs.forward:3 maxpool2d_forward(maps1, TWO_BY_TWO, TWO_BY_TWO, 'valid') -> maxpool2d_forward(maps1, TWO_BY_TWO, TWO_BY_TWO, '')": NOT_SAME,
    "projects.cats_vs_dogs.forward:4 conv2d_forward(pooled1, k2, b2, ONE_BY_ONE, 'valid') -> conv2d_forward(pooled1, k2, b2, ONE_BY_ONE, '')": NOT_SAME,
    "projects.cats_vs_dogs.forward:5 maxpool2d_forward(maps2, TWO_BY_TWO, TWO_BY_TWO, 'valid') -> maxpool2d_forward(maps2, TWO_BY_TWO, TWO_BY_TWO, '')": NOT_SAME,
    "projects.cats_vs_dogs.forward:6 conv2d_forward(pooled2, k3, b3, ONE_BY_ONE, 'valid') -> conv2d_forward(pooled2, k3, b3, ONE_BY_ONE, '')": NOT_SAME,
    "projects.cats_vs_dogs.forward:7 maxpool2d_forward(maps3, TWO_BY_TWO, TWO_BY_TWO, 'valid') -> maxpool2d_forward(maps3, TWO_BY_TWO, TWO_BY_TWO, '')": NOT_SAME,
    "projects.cats_vs_dogs.backward:3 -1 -> -2": ANY_NEGATIVE_LENGTH_MEANS,
    "projects.cats_vs_dogs.backward:4 (probabilities - targets) / np.float32(labels.size) -> (probabilities - targets) / labels.size": INT_WITH_ARRAY,
    "projects.cats_vs_dogs.backward:9 conv2d_backward(dmaps3, pooled2, k3, ONE_BY_ONE, 'valid') -> conv2d_backward(dmaps3, pooled2, k3, ONE_BY_ONE, '')": NOT_SAME,
    "projects.cats_vs_dogs.backward:11 conv2d_backward(dmaps2, pooled1, k2, ONE_BY_ONE, 'valid') -> conv2d_backward(dmaps2, pooled1, k2, ONE_BY_ONE, '')": NOT_SAME,
    "projects.cats_vs_dogs.backward:13 conv2d_backward(dmaps1, x, k1, ONE_BY_ONE, 'valid') -> conv2d_backward(dmaps1, x, k1, ONE_BY_ONE, '')": NOT_SAME,
    "projects.cats_vs_dogs.predict:2 range(0, len(images), IMAGES_AT_A_TIME) -> range(0, len(images) + 1, IMAGES_AT_A_TIME)": EMPTY_TURN,
    "projects.cats_vs_dogs.predict:3 slice(start, start + IMAGES_AT_A_TIME) -> slice(start, IMAGES_AT_A_TIME)": "Not equivalent: the case of 203 photos notices it, which is too large to run interpreted.",
    "projects.cats_vs_dogs.train_step:2 binary_crossentropy(labels.astype(np.float32), probabilities.ravel()) -> binary_crossentropy(labels, probabilities.ravel())": LABELS,
    "projects.cats_vs_dogs.train_step:2 labels.astype(np.float32) -> labels.astype(np.float64)": LABELS,
    "projects.cats_vs_dogs.train_step:2 binary_crossentropy(labels.astype(np.float32), probabilities.ravel()) -> binary_crossentropy(labels.astype(np.float32), probabilities)": ORDER_OF_MEMORY,
    "projects.cats_vs_dogs.fast_step:9 targets = labels.astype(np.float32) -> targets = labels": LABELS,
    "projects.cats_vs_dogs.fast_step:9 labels.astype(np.float32) -> labels.astype(np.float64)": LABELS,
    "projects.cats_vs_dogs.fast_step:10 binary_crossentropy(targets, probabilities.ravel()) -> binary_crossentropy(targets, probabilities)": ORDER_OF_MEMORY,
    "projects.cats_vs_dogs.fast_step:13 -1 -> -2": ANY_NEGATIVE_LENGTH_MEANS,
    "projects.cats_vs_dogs.fast_step:13 (probabilities - targets.reshape(-1, 1)) / np.float32(labels.size) -> (probabilities - targets.reshape(-1, 1)) / labels.size": INT_WITH_ARRAY,
    "projects.cats_vs_dogs.initial_params:2 rows, columns = shape -> columns, rows = shape": ONLY_THE_PRODUCT,
    "projects.cats_vs_dogs.initial_params:7 c_in, rows, columns = (c_out, (rows - WINDOW + 1) // 2, (columns - WINDOW + 1) // 2) -> c_in, columns, rows = (c_out, (rows - WINDOW + 1) // 2, (columns - WINDOW + 1) // 2)": ONLY_THE_PRODUCT,
}

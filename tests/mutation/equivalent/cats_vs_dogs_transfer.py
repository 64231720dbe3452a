"""Mutants of projects.cats_vs_dogs_transfer that no case can tell from the solution."""

from __future__ import annotations

from .reasons import ANY_NEGATIVE_LENGTH_MEANS, EMPTY_TURN, FACTORS, INT_WITH_ARRAY, WIDER

ONE_PER_CHANNEL = "All but the kernel have one number per channel, and only their count is used."
IN_PLACE = "The gradient is then computed in float64, and changes float32 arrays in place: the same within rounding."

EQUIVALENT: dict[str, str] = {
    "projects.cats_vs_dogs_transfer.preprocess:1 images / np.float32(127.5) - np.float32(1) -> images / np.float32(127.5) - 1": INT_WITH_ARRAY,
    "projects.cats_vs_dogs_transfer.relu6:2 -1 -> -2": ANY_NEGATIVE_LENGTH_MEANS,
    "projects.cats_vs_dogs_transfer.relu6:2 -1 -> -2 (2)": ANY_NEGATIVE_LENGTH_MEANS,
    "projects.cats_vs_dogs_transfer.relu6:4 max(source[i], np.float32(0)) -> max(source[i], 0)": WIDER,
    "projects.cats_vs_dogs_transfer.relu6:4 min(max(source[i], np.float32(0)), np.float32(6)) -> min(max(source[i], np.float32(0)), 6)": WIDER,
    "projects.cats_vs_dogs_transfer.depthwise_conv2d:15 pixel, weights = (x[s, row, column], kernel[row - first_row, column - first_column]) -> weights, pixel = (x[s, row, column], kernel[row - first_row, column - first_column])": FACTORS,
    "projects.cats_vs_dogs_transfer.extract_features:1 base[-1][2] -> base[-1][1]": ONE_PER_CHANNEL,
    "projects.cats_vs_dogs_transfer.extract_features:1 base[-1][2] -> base[-1][3]": ONE_PER_CHANNEL,
    "projects.cats_vs_dogs_transfer.extract_features:1 base[-1][2] -> base[-1][4]": ONE_PER_CHANNEL,
    "projects.cats_vs_dogs_transfer.extract_features:2 range(0, len(images), batch_size) -> range(0, len(images) + 1, batch_size)": EMPTY_TURN,
    "projects.cats_vs_dogs_transfer.train_step:2 answers = labels.astype(np.float32) -> answers = labels": IN_PLACE,
    "projects.cats_vs_dogs_transfer.train_step:2 labels.astype(np.float32) -> labels.astype(np.float64)": IN_PLACE,
    "projects.cats_vs_dogs_transfer.train_step:3 binary_crossentropy(answers, probabilities.ravel()) -> binary_crossentropy(answers, probabilities)": "binary_crossentropy goes through both in the order of memory.",
    "projects.cats_vs_dogs_transfer.train_step:4 (probabilities - answers[:, None]) / np.float32(labels.size) -> (probabilities - answers[:, None]) / labels.size": INT_WITH_ARRAY,
}

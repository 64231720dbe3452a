"""Mutants of ch15_augmentation that no case can tell from the solution."""

from __future__ import annotations

from .reasons import WIDER

VIEW = "A view has the same numbers, and what leaves the guest is a copy."
WHOLE_TURN = "A whole turn is no turn, within rounding."

EQUIVALENT: dict[str, str] = {
    "ch15_augmentation.horizontal_flip:1 images[:, :, ::-1].copy() -> images[:, :, ::-1]": VIEW,
    "ch15_augmentation.vertical_flip:1 images[:, ::-1].copy() -> images[:, ::-1]": VIEW,
    "ch15_augmentation.affine:11 np.float32(x - left) -> x - left": WIDER,
    "ch15_augmentation.affine:11 np.float32(y - top) -> y - top": WIDER,
    "ch15_augmentation.transform_matrix:2 np.cos(angle) -> np.cos(-angle)": "cos(-angle) is cos(angle).",
    "ch15_augmentation.translate:2 transform_matrix(height, width, 0.0, NEITHER, NEITHER, (height_factor, width_factor)) -> transform_matrix(height, width, 1.0, NEITHER, NEITHER, (height_factor, width_factor))": WHOLE_TURN,
    "ch15_augmentation.shear:2 transform_matrix(height, width, 0.0, (x_factor, y_factor), NEITHER, NEITHER) -> transform_matrix(height, width, 1.0, (x_factor, y_factor), NEITHER, NEITHER)": WHOLE_TURN,
    "ch15_augmentation.zoom:2 transform_matrix(height, width, 0.0, NEITHER, (height_factor, width_factor), NEITHER) -> transform_matrix(height, width, 1.0, NEITHER, (height_factor, width_factor), NEITHER)": WHOLE_TURN,
    "ch15_augmentation.augment_batch:3 np.empty((n, 2, 3), np.float32) -> np.empty((n, 2, 3), np.float64)": WIDER,
    "ch15_augmentation.augment_batch:5 rng.random() < flip -> rng.random() <= flip": "A random number is exactly the flip once in 2 ** 53 draws.",
    "ch15_augmentation.augment_batch:13 affine(mirrored, matrices, 'nearest', 0.0) -> affine(mirrored, matrices, 'nearest', 1.0)": 'With "nearest" the fill_value is not used.',
}

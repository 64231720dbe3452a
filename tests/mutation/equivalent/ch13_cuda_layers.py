"""Mutants of ch13_cuda_layers that no case can tell from the solution; of the part that is run."""

from __future__ import annotations

OTHER_TILE = (
    "Along the inner axis the other tile holds 0 there, and elsewhere the guard keeps the sum out of the result."
)

EQUIVALENT: dict[str, str] = {
    "ch13_cuda_layers.matmul_registers_kernel:18 np.float32(0) -> np.float32(1)": OTHER_TILE,
    "ch13_cuda_layers.dense_forward_kernel:9 np.float32(0) -> np.float32(-1)": OTHER_TILE,
    "ch13_cuda_layers.dense_dx_kernel:10 np.float32(0) -> np.float32(1)": OTHER_TILE,
    "ch13_cuda_layers.dense_dw_kernel:11 np.float32(0) -> np.float32(-1)": OTHER_TILE,
}

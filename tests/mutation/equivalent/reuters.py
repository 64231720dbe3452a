"""Mutants of projects.reuters that no case can tell from the solution."""

from __future__ import annotations

from .reasons import WIDER

EQUIVALENT: dict[str, str] = {
    "projects.reuters.upper_backward:3 probabilities / np.float32(n) -> probabilities / n": WIDER,
    "projects.reuters.upper_backward:5 np.float32(1) / np.float32(n) -> 1 / np.float32(n)": WIDER,
    "projects.reuters.upper_backward:5 np.float32(1) / np.float32(n) -> np.float32(1) / n": WIDER,
}

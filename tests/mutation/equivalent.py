"""Mutants that no case can tell from the solution, each with the reason.

A mutant is listed here when it gives the same answer for every input, or when the difference drowns in rounding. An
entry whose mutant is gone, or is noticed after all, is stale: the test says so.
"""

from __future__ import annotations

EQUIVALENT: dict[str, str] = {}

"""How far an answer may be off, and why."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Tolerance:
    """An answer `a` is right for `e` where |a - e| <= absolute + relative * |e|, element by element.

    `scaled` is counted in units of the largest finite |e| of the array and added to the absolute part: the
    terms of a sum may cancel, and what is then left of it carries the rounding error of its largest terms.
    """

    relative: float = 1e-4
    absolute: float = 1e-7
    scaled: float = 2e-6


# float32 carries 6e-8 per operation; the longest sums of the cases add about a thousand terms, whose error grows
# like sqrt(n) to n times that, so that 1e-4 leaves room for any order of summation and still sees a wrong constant.
FLOAT32 = Tolerance()
EXACT = Tolerance(0.0, 0.0, 0.0)

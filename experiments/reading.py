"""What curves say, in words."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from experiments.comparison import Compared
from experiments.training import lowest

SKIPPED = 10  # one in so many epochs is left out where a curve is smoothed: the beginning would weigh on all the rest
SETTLED = 0.05  # a loss that ends so little above its lowest value has not risen


def smoothed(smooth_curve: Callable[[np.ndarray, float], np.ndarray], values: np.ndarray, factor: float) -> np.ndarray:
    """A curve without its noise, by ch07's smooth_curve; NaN in the first tenth, which is left out."""
    begin = len(values) // SKIPPED
    rest: np.ndarray = smooth_curve(values[begin:], factor)
    return np.concatenate([np.full(begin, np.nan, np.float32), rest])


def overfitting(values: np.ndarray, what: str) -> str:
    """Where a loss on held-out samples is lowest, and what that means."""
    best, count = lowest(values), len(values)
    if best is None:
        return f"The {what} is not a number (NaN)."
    least, last = values[best - 1], values[-1]
    if best == count:
        return f"The {what} is lowest after the last epoch ({least:.4f}): more epochs may still help."
    if last < (1 + SETTLED) * least:
        return (
            f"The {what} is lowest after epoch {best} ({least:.4f}) and hardly moves from there: {last:.4f} in the end."
        )
    return (
        f"The {what} is lowest after epoch {best} ({least:.4f}), then it rises to {last:.4f} after epoch {count}: "
        f"from epoch {best + 1} on the network overfits."
    )


def each(done: Sequence[Compared]) -> list[str]:
    """`overfitting` of every network."""
    return [f"{one.label}: {overfitting(one.val_loss, 'validation loss')}" for one in done]


def order(done: Sequence[Compared]) -> list[str]:
    """Which networks overfit first and which last, and how much; nothing where that cannot be told."""
    known = [one for one in done if one.best is not None]
    bests = sorted({one.best for one in known if one.best is not None})
    if len(bests) < 2:
        return []
    first, last = (" and ".join(one.label for one in known if one.best == best) for best in (bests[0], bests[-1]))
    rises = ", ".join(f"{one.rise:.3f} with {one.label}" for one in known)
    return [
        f"First to overfit, after epoch {bests[0]}: {first}. Last, after epoch {bests[-1]}: {last}.",
        f"The validation loss ends above its lowest value by {rises}.",
    ]


def remedy(done: Sequence[Compared]) -> list[str]:
    """Whether the second network overfits less than the first; nothing before both are there."""
    if len(done) < 2:
        return []
    without, remedied = done
    helps = remedied.rise < without.rise
    return [
        f"In the end the validation loss lies {without.rise:.3f} above its lowest value {without.label}, "
        f"{remedied.rise:.3f} {remedied.label}: "
        + ("that holds overfitting back." if helps else "here that does not hold overfitting back.")
    ]

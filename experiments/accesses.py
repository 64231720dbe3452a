"""A picture of a kernel's accesses: which element each thread of the first block touches, step by step."""

from __future__ import annotations

from typing import TYPE_CHECKING

from experiments.pictures import canvas

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from grader.trace import Trace

WARP = 32
MOST_FIELDS = 4


def picture(trace: Trace) -> Figure:
    """A field for each array: threads to the right, elements upwards, early steps dark and late ones light.

    Neighbours that touch neighbours lie on a line that rises by one; a column of dots far apart is a scattered warp.
    """
    points = {name: own for name, own in trace.noticed.points.items() if own}
    names = list(points)[:MOST_FIELDS]
    figure, fields = canvas(4.2 * max(1, len(names)), 4.4, f"{trace.exercise.name}: {trace.case.rationale}", len(names))
    for field, name in zip(fields, names, strict=True):
        threads, steps, elements = zip(*points[name], strict=True)
        field.scatter(threads, elements, c=steps, cmap="viridis", s=9, linewidths=0)
        for edge in range(WARP, max(threads) + 1, WARP):
            field.axvline(edge - 0.5, color="#7d8597", linewidth=0.8, linestyle=":")
        field.set_title(name)
        field.set_xlabel("thread of the block; dotted: the warps")
        field.set_ylabel("element, in the order of memory")
    return figure

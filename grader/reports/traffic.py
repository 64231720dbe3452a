"""A trace on a terminal: how often each array is read and written, and how well a warp's accesses fit together."""

from __future__ import annotations

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from grader import budget
from grader.reports.terminal import plain
from grader.trace import Trace
from grader.worker.answer import ArrayTraffic

COALESCED = "1.0 is perfectly coalesced or free of bank conflicts; more is time that memory takes for nothing."


def shown(trace: Trace) -> RenderableType:
    """A title, a row for each array of each kernel, and what the numbers mean."""
    rows = trace.noticed.traffic
    several = len({row.kernel for row in rows}) > 1
    table = Table(box=None, pad_edge=False, padding=(0, 2))
    for name in (*(["kernel"] if several else []), "array", "memory", "elements"):
        table.add_column(name, justify="right" if name == "elements" else "left")
    for name in ("reads", "writes", "atomics", "per element", "detour"):
        table.add_column(name, justify="right")
    for row in rows:
        table.add_row(*([row.kernel] if several else []), *_cells(row))
    copies = trace.noticed.copies
    lines: list[RenderableType] = [title(trace), table, Text(f"detour: {COALESCED}", style="dim")]
    if trace.exercise.cuda == "host":
        lines.append(Text(f"{copies} copies between host and device, {len(trace.noticed.launches)} kinds of launches"))
    return Group(*lines)


def title(trace: Trace) -> Text:
    """The case, and how it is launched."""
    launch = trace.case.launch
    how = f"  grid {_dims(launch.grid)}, block {_dims(launch.block)}" if launch else ""
    return plain(f"{trace.exercise.name}: {trace.case.rationale}", style="bold") + plain(how)


def _cells(row: ArrayTraffic) -> list[str]:
    share = (row.reads + row.writes + row.updates) / row.elements if row.elements else 0.0
    return [
        *(row.array, row.space, str(row.elements), str(row.reads), str(row.writes), str(row.updates)),
        *(f"{share:.2f}", detour(row)),
    ]


def detour(row: ArrayTraffic) -> str:
    """How many times as much memory is moved, or as many turns are taken, as need be."""
    if row.space == "shared":
        return f"{row.turns / row.best_turns:.1f}" if row.best_turns else ""
    return f"{budget.ratio(row, 'sectors'):.1f}" if row.fewest else ""


def _dims(dims: tuple[int, ...]) -> str:
    return " × ".join(map(str, dims))

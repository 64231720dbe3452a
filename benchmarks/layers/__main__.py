"""Every layer's forward and backward pass against Keras on TensorFlow and PyTorch, on the CPU, in one run.

python -m benchmarks.layers [NAME …] [--repeats N]

forward            : one call of the layer.
forward + backward : the output and the gradients of everything that goes in. No library offers the backward pass alone.
step               : one step of an optimizer; for dense_step_fused the backward pass of a dense layer with it.

First all are asked for their answers, which must be equal. Then they take turns, N of them each: a pause, a call that
does not count, and calls for 20 ms, whose mean is one measurement. Compiling, tracing and turning arrays round for
PyTorch are not timed. `of Keras` is our median in times of Keras's, of the faster one of its two forms: below 1 we are
ahead. `share` is what the machine would need at least, in per cent of our time; see README.md.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from contextlib import ExitStack
from importlib.util import find_spec

import numpy as np
from rich.progress import track
from rich.table import Table

from benchmarks import machine, roofline
from benchmarks.layers import rows
from benchmarks.layers.rows import TARGETS, Row
from benchmarks.turns import Side

OURS, KERAS, TORCH, MACHINE = "ours", "Keras", "PyTorch", "machine"
MODULES = {
    OURS: "benchmarks.layers.in_numba",
    KERAS: "benchmarks.layers.in_keras",
    TORCH: "benchmarks.layers.in_torch",
    MACHINE: "benchmarks.roofline",
}
NEEDS = {KERAS: "tensorflow", TORCH: "torch"}
FORMS = {OURS: ("numba",), KERAS: ("graph", "XLA"), TORCH: ("eager",), MACHINE: (roofline.COPY, roofline.PRODUCT)}
TOLERANCE = 2e-4  # of the largest number: float32 sums over ten thousand numbers in another order
STRAYS = 1e-4
Contestant = tuple[str, str]  # a library and its form
Seconds = dict[Contestant, list[float]]


def main() -> None:
    parser = machine.arguments(__doc__, repeats=5)
    parser.add_argument("names", nargs="*", help="layers, by the beginning of their names; all for none")
    options = parser.parse_args()
    before = machine.load()
    tasks = [(row, which) for row in selected(options.names) for which in row.passes]
    if not tasks:
        parser.error(f"no layer begins with {' or '.join(options.names)}. Layers: {', '.join(names())}.")
    libraries = [name for name in MODULES if find_spec(NEEDS.get(name, "numpy"))]
    for name in MODULES.keys() - libraries:
        print(f"{name} is not installed, so its column is empty. For it: pip install {NEEDS[name]}.")
    with ExitStack() as stack:
        sides = {name: stack.enter_context(Side(MODULES[name])) for name in libraries}
        measured = [
            (row, which, measure(sides, row, which, options.repeats))
            for row, which in track(tasks, "Measuring", transient=True)
        ]
    machine.show([_table(measured, before)])


def selected(beginnings: Sequence[str]) -> list[Row]:
    """The rows whose layer's name begins with one of these; all for none."""
    return [row for row in rows.rows() if not beginnings or row.layer.startswith(tuple(beginnings))]


def names() -> list[str]:
    """Every layer's name once."""
    return list(dict.fromkeys(row.layer for row in rows.rows()))


def measure(sides: dict[str, Side], row: Row, which: str, repeats: int) -> Seconds:
    """The seconds per call of every contestant, one number per turn.

    Raises
    ------
    AssertionError : two libraries do not compute the same
    """
    libraries = [(name, form) for name in sides if name != MACHINE for form in FORMS[name]]
    answers = {(name, form): sides[name].prepare(form, row, which) for name, form in libraries}
    ours = answers[libraries[0]]
    for (name, form), theirs in answers.items():
        agree(f"{row.layer}, {which}: {name} {form}", ours, theirs)
    moved = row.bytes(which, ours)
    limits = [(MACHINE, form) for form in FORMS[MACHINE] if form == roofline.COPY or row.flops]
    for name, form in limits:
        sides[name].prepare(form, *([moved] if form == roofline.COPY else []))
    seconds: Seconds = {contestant: [] for contestant in (*libraries, *limits)}
    for _ in range(repeats):
        for name, form in seconds:
            seconds[name, form].append(sides[name].turn(form))
    return seconds


def agree(what: str, ours: list[np.ndarray], theirs: list[np.ndarray]) -> None:
    """Raise AssertionError unless both have the same numbers in the same order, whatever the shapes.

    Where a largest number is chosen, rounding may choose another one of two that are equal. So one number in 10,000
    may differ.
    """
    for number, (mine, other) in enumerate(zip(ours, theirs, strict=True)):
        distance = np.abs(mine.reshape(-1) - other.reshape(-1))
        allowed = TOLERANCE * max(1e-3, float(np.abs(other).max()))
        share = 1 - float(np.mean(distance <= allowed))  # NaN is never within
        assert share <= STRAYS, f"{what}: {share:.2%} of result {number} differ, by up to {distance.max():.3g}"


def _table(measured: list[tuple[Row, str, Seconds]], load: str) -> Table:
    columns = ("pass", OURS, KERAS, TORCH, f"of {KERAS}", f"of {TORCH}", "target", "share")
    made = machine.table(f"Milliseconds per call, median and range ({load})", "layer", *columns)
    reached: dict[str, list[bool]] = {}
    for row, which, seconds in measured:
        ours = _fastest(seconds, OURS)[1]
        ratios = [ours / _fastest(seconds, name)[1] for name in (KERAS, TORCH)]
        target = TARGETS[row.kind]
        reached.setdefault(row.kind, []).append(max(ratios) <= target)
        made.add_row(
            f"{row.layer}\n{row.size}",
            which.replace(" + ", "\n+ "),
            *(_times(seconds, name) for name in (OURS, KERAS, TORCH)),
            *(f"{ratio:.2f}" if ratio else "–" for ratio in ratios),
            f"{target:g}{'' if max(ratios) <= target else ' missed'}",
            f"{_share(row, which, seconds):.0%}",
        )
    made.caption = "; ".join(
        f"{kind}: {sum(those)} of {len(those)} reach the target" for kind, those in reached.items()
    )
    return made


def _fastest(seconds: Seconds, library: str) -> tuple[str, float]:
    """The library's fastest form and its median; infinitely slow for a library that is not there."""
    medians = {form: statistics.median(times) for (name, form), times in seconds.items() if name == library}
    return min(medians.items(), key=lambda item: item[1], default=("", math.inf))


def _times(seconds: Seconds, library: str) -> str:
    """The times of the library's fastest form, with its name where there are several."""
    form, middle = _fastest(seconds, library)
    if not form:
        return "–"
    low, high = min(seconds[library, form]), max(seconds[library, form])
    name = f"{form} " if len(FORMS[library]) > 1 else ""
    return f"{name}{1e3 * middle:.3f}\n{1e3 * low:.3f} … {1e3 * high:.3f}"


def _share(row: Row, which: str, seconds: Seconds) -> float:
    middle = {form: statistics.median(times) for (name, form), times in seconds.items() if name == MACHINE}
    product = middle.get(roofline.PRODUCT, 0.0)
    return roofline.share(_fastest(seconds, OURS)[1], middle[roofline.COPY], product, row.work(which))


if __name__ == "__main__":
    main()

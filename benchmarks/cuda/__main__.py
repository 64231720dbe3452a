"""All CUDA checks on this machine's device, in one table: python -m benchmarks.cuda

Every kernel runs at full size and is compared with NumPy; then it is timed by events, and set beside the device's own
copy (or PyTorch's float32 product without tensor cores) and beside PyTorch doing the same work. At the end a network
learns MNIST on the device. `--simulate` does all of it at tiny sizes where there is no device, and times nothing.
Needs NumPy and numba with its CUDA part; PyTorch, CuPy and Keras where they are. Ends with 1 where an answer is wrong.
"""

from __future__ import annotations

import argparse
import sys
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from types import SimpleNamespace
from typing import Any

import numpy as np

RELATIVE, SCALED = 1e-4, 3e-5  # of each element, and of the largest one: sums of thousands in another order
COLUMNS = ("kernel", "answers", "time", "rate", "share", "PyTorch", "ratio")
WIDTHS = (30, 8, 11, 14, 8, 11, 7)


def main(arguments: Sequence[str] | None = None) -> int:
    options = parsed(arguments)
    warnings.simplefilter("ignore")  # numba's advice on small grids
    from .place import Device, Simulated

    place: Any = Simulated() if options.simulate else Device()
    if not place.here:
        return refuse("No CUDA device can be used here: --simulate checks the answers without one.")
    from . import limits, rows

    unknown = sorted(set(options.only) - {rows.name_of(make) for make in rows.every(rows.SMALL)})
    if unknown:
        return refuse(f"There is no row {', '.join(unknown)}: rows are called like kernels, such as relu_kernel.")
    started = time.perf_counter()
    torch = limits.torch_here() if place.timed else None
    copy = limits.copy_rate(place) if place.timed else float("nan")
    product = limits.product_rate(place, torch) if place.timed else float("nan")
    print(place)
    launch = f", an empty kernel's launch {1e6 * limits.launch_seconds(place):.1f} µs" if place.timed else ""
    print(f"copy {told(copy, 1e9)} GB/s, float32 product {told(product, 1e12)} TFLOP/s{launch}\n")
    print(line(COLUMNS))
    right = True
    for make in chosen(options, place):
        fine, cells = measured(place, torch, make(), copy, product)
        right &= fine
        print(line(cells), flush=True)
    if not options.only:
        from .digits import report

        print()
        for text, fine in report(place, torch, options.simulate):
            print(f"{text}{'' if fine else '   WRONG'}", flush=True)
            right &= fine
    print(f"\n{'all answers are right' if right else 'SOMETHING IS WRONG'}, {time.perf_counter() - started:.0f} s")
    return 0 if right else 1


def refuse(why: str) -> int:
    print(why, file=sys.stderr)
    return 2


def parsed(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--simulate", action="store_true", help="tiny sizes on the simulator, without times")
    parser.add_argument("--only", nargs="*", metavar="KERNEL", default=(), help="these kernels, and no training")
    return parser.parse_args(arguments)


def chosen(options: argparse.Namespace, place: Any) -> Iterator[Callable[[], Any]]:
    """The rows that are asked for, each made when its turn comes."""
    from .rows import SMALL, every, full, name_of

    for make in every(SMALL if options.simulate else full(place.free_bytes())):
        if not options.only or name_of(make) in options.only:
            yield make


def measured(place: Any, torch: Any, row: Any, copy: float, product: float) -> tuple[bool, tuple[str, ...]]:
    """Whether a kernel's answers are right, and its line of the table."""
    arrays = {name: place.put(value) for name, value in row.arguments.items()}
    launch = row.kernel[row.grid, row.block, 0, row.shared]

    def call() -> None:
        launch(*arrays.values())

    call()
    wrong = [name for name, right in row.right().items() if not close(arrays[name].copy_to_host(), right)]
    answers = f"WRONG: {', '.join(wrong)}" if wrong else "right"
    if not place.timed or wrong:
        return not wrong, (row.name, answers)
    seconds = place.seconds(call)
    rate, best, unit = (row.flops, product, 1e12) if row.flops else (row.bytes, copy, 1e9)
    figure = f"{told(rate / seconds, unit)} {'TFLOP/s' if row.flops else 'GB/s'}"
    theirs = rival_seconds(place, torch, row)
    share = f"{100 * rate / seconds / best:.0f} %" if best == best else "–"
    ratio = f"{theirs / seconds:.2f}" if theirs == theirs else "–"
    return True, (row.name, answers, milliseconds(seconds), figure, share, milliseconds(theirs), ratio)


def rival_seconds(place: Any, torch: Any, row: Any) -> float:
    """PyTorch's time for the same work; NaN where there is none."""
    if torch is None or row.rival is None:
        return float("nan")
    tensors = {
        name: torch.from_numpy(value).cuda() for name, value in row.arguments.items() if isinstance(value, np.ndarray)
    }
    return float(place.seconds(row.rival(torch, SimpleNamespace(**tensors))))


def close(found: Any, right: Any) -> bool:
    """Whether two arrays are the same but for rounding."""
    if found.shape != right.shape:
        return False
    room = RELATIVE * np.abs(right) + SCALED * (np.abs(right).max() if right.size else 0)
    return bool((np.abs(found - right) <= room).all())  # NaN is not


def told(rate: float, unit: float) -> str:
    return f"{rate / unit:.1f}" if rate == rate else "–"


def milliseconds(seconds: float) -> str:
    return f"{1000 * seconds:.3f} ms" if seconds == seconds else "–"


def line(cells: Sequence[str]) -> str:
    """Cells side by side: the first two to the left, figures to the right."""
    pairs = enumerate(zip(cells, WIDTHS, strict=False))
    return "".join(f"{cell:<{width}}" if number < 2 else f"{cell:>{width}}" for number, (cell, width) in pairs)


if __name__ == "__main__":
    sys.exit(main())

"""Which machine and which versions a figure belongs to, and what the benchmarks share: options, medians, tables.

python -m benchmarks.machine
"""

from __future__ import annotations

import argparse
import importlib.metadata
import os
import platform
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

INSTRUCTION_SETS = ("avx", "avx2", "fma", "avx512f", "neon", "sve")
WARMING_SECONDS = 30.0  # a warm worker compiles in its pauses; meanwhile it answers, a second or two later
PACKAGES = ("numba", "llvmlite", "numpy", "keras", "tensorflow", "torch")


@dataclass(frozen=True)
class Machine:
    """What a time depends on besides the code.

    Parameters
    ----------
    processor : its name, as the system tells it, and as LLVM compiles for it
    cores : cores that this process may use
    instructions : the vector instruction sets among `INSTRUCTION_SETS` that it has
    versions : package -> version, "not installed" for one that is missing
    """

    processor: str
    cores: int
    instructions: tuple[str, ...]
    system: str
    python: str
    versions: dict[str, str]

    def __str__(self) -> str:
        kit = ", ".join(f"{name} {version}" for name, version in self.versions.items())
        sets = " ".join(self.instructions) or "no vector instructions known"
        return f"{self.processor}, {self.cores} cores, {sets}\n{self.system}, Python {self.python}, {kit}"


def describe() -> Machine:
    """This machine."""
    import llvmlite.binding as llvm

    features = llvm.get_host_cpu_features()
    return Machine(
        f"{_processor()} ({llvm.get_host_cpu_name()})",
        len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1,
        tuple(name for name in INSTRUCTION_SETS if features.get(name)),
        f"{platform.system()} {platform.release()} {platform.machine()}",
        platform.python_version(),
        {name: _version(name) for name in PACKAGES},
    )


def _processor() -> str:
    """The model's name; Python itself knows it on few systems."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        return next(line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or "unknown processor"


def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return "not installed"


def load() -> str:
    """What else runs here: a figure from a busy machine is a figure of the other programs."""
    if not hasattr(os, "getloadavg"):
        return "load average unknown on this system"
    return f"load average {os.getloadavg()[0]:.1f}"


def arguments(description: str | None, repeats: int) -> argparse.ArgumentParser:
    """A parser with the option that every benchmark has."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=repeats, help=f"measurements of each kind ({repeats})")
    return parser


def median(seconds: Sequence[float]) -> str:
    """The median and the range of some times, as text."""
    if not seconds:
        return "–"
    return f"{statistics.median(seconds):.3f} s\n{min(seconds):.3f} … {max(seconds):.3f}"


def table(title: str, *columns: str) -> Table:
    """An empty table, its first column to the left and the figures to the right."""
    made = Table(title=title, title_justify="left", title_style="bold")
    for number, column in enumerate(columns):
        made.add_column(column, justify="right" if number else "left")
    return made


def show(tables: Iterable[Table]) -> None:
    """Print the machine, then each table as soon as it is made, then how busy the machine is by now."""
    console = Console(highlight=False)
    console.print(str(describe()), style="dim")
    for one in tables:
        console.print(one)
    console.print(f"At the end: {load()}.", style="dim")


if __name__ == "__main__":
    print(describe())
    print(load())

"""Pictures as files: drawn by matplotlib where it is installed, without any window."""

from __future__ import annotations

import io
import itertools
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console

from grader.problem import Problem
from grader.result import write_bytes_atomically

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MISSING = "No picture: matplotlib is not installed. Install it: pip install 'deepkata[pictures]'."
DOTS_PER_INCH = 120
# Dark and light in turn, each with a dash of its own: a copy in grey still tells them apart.
STYLES: tuple[dict[str, Any], ...] = (
    {"color": "#10375c", "linestyle": "-"},
    {"color": "#e07a1f", "linestyle": "--"},
    {"color": "#7d8597", "linestyle": "-."},
    {"color": "#8c1c13", "linestyle": ":"},
    {"color": "#3ba272", "linestyle": (0, (5, 1, 1, 1, 1, 1))},
    {"color": "#b08cd9", "linestyle": (0, (1, 3))},
    {"color": "#000000", "linestyle": (0, (8, 3))},
)
MARKERS = "osD^vPX"


def available() -> bool:
    """Whether pictures can be drawn here."""
    try:
        import matplotlib.figure  # noqa: F401
    except ImportError:
        return False
    return True


def canvas(width: float, height: float, title: str, columns: int = 1) -> tuple[Figure, list[Axes]]:
    """An empty picture of so many inches, with fields side by side."""
    from matplotlib.figure import Figure

    figure = Figure((width, height), layout="constrained")
    figure.suptitle(title)
    fields = figure.subplots(1, columns, squeeze=False)
    return figure, list(itertools.chain(*fields))


def style(number: int) -> dict[str, Any]:
    """How the n-th curve of a field is drawn."""
    return {"linewidth": 1.8, **STYLES[number % len(STYLES)]}


def make_folder(path: Path) -> None:
    """See that pictures can be written there, if there will be any: before a training begins, not after.

    Raises
    ------
    Problem : nothing can be written there
    """
    if not available():
        return
    try:
        path.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=path) as file:
            file.write(b"\0")
    except OSError as error:
        raise Problem(f"Nothing can be written into {path} ({error.strerror}).", "Choose another --out.") from None


def show(console: Console, make: Callable[[], Figure], path: Path) -> None:
    """Draw and save a picture, and say where it is; where none can be drawn, say how to get one."""
    told = f"Picture: {save(make(), path)}" if available() else MISSING
    console.print(told, markup=False, soft_wrap=True)


def save(figure: Figure, path: Path) -> Path:
    """Write a picture as PNG.

    Raises
    ------
    Problem : the file cannot be written
    """
    content = io.BytesIO()
    figure.savefig(content, format="png", dpi=DOTS_PER_INCH)
    write_bytes_atomically(path, content.getvalue())
    return path

"""`kata experiment`: one experiment of the lectures: a table, a picture, and what they show."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

from experiments import pictures

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class Request:
    """How an experiment is to be made.

    Parameters
    ----------
    epochs : how long each network is trained
    seed : of everything that is drawn
    sample : on the bundled sample, though the real data is here
    """

    epochs: int
    seed: int
    sample: bool
    console: Console


@dataclass(frozen=True)
class Outcome:
    """What came of it.

    Parameters
    ----------
    sentences : what one should see, computed from the figures
    draw : makes the picture
    stopped : whether Ctrl-C ended it early; then this is what was finished
    """

    tables: Sequence[Table] = ()
    sentences: Sequence[str] = ()
    draw: Callable[[], Figure] | None = None
    stopped: bool = False


@dataclass(frozen=True)
class Experiment:
    """One experiment.

    Parameters
    ----------
    name : as it is asked for
    title : the question that it answers, in a line
    epochs : how long each network is trained, unless somebody asks for another number
    make : makes it
    """

    name: str
    title: str
    epochs: int
    make: Callable[[Request], Outcome]


def run(experiment: Experiment, epochs: int | None, seed: int, sample: bool, out: Path, console: Console) -> bool:
    """Make an experiment and show what came of it; False when Ctrl-C stopped it.

    Raises
    ------
    Problem : damaged data, no solutions, or a folder that cannot be written
    """
    pictures.make_folder(out)
    console.print(experiment.title, style="bold", markup=False)
    outcome = experiment.make(Request(epochs or experiment.epochs, seed, sample, console))
    for table in outcome.tables:
        console.print(table)
    if outcome.stopped:
        console.print(
            "You stopped it" + (": this is what was finished." if outcome.tables else " before there was a result.")
        )
    for sentence in outcome.sentences:
        console.print(sentence, markup=False)
    if outcome.draw is not None:
        pictures.show(console, outcome.draw, out / f"{experiment.name}.png")
    return not outcome.stopped

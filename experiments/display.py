"""The training loop on a terminal: a progress bar, and a table that grows by a line per epoch."""

from __future__ import annotations

import math
from types import TracebackType

import numpy as np
from rich.console import Console, Group
from rich.live import Live
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

from experiments.training import Training, lowest

ROWS = 20  # of the table; more epochs are shown in steps


class Display:
    """Watches one training after the other, each with a bar of its own.

    Parameters
    ----------
    console : where
    metric : what is measured; with it each epoch gets a line in a table, without it there are the bars alone
    """

    def __init__(self, console: Console, metric: str = ""):
        self.console, self.metric = console, metric
        self.title = ""
        self.table: Table | None = None
        self.progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TaskProgressColumn(),
            TimeElapsedColumn(),
            TimeRemainingColumn(compact=True, elapsed_when_finished=False),
            TextColumn("{task.fields[told]}"),
            console=console,
        )
        self.live = Live(console=console, get_renderable=self._shown, refresh_per_second=8)

    def __enter__(self) -> Display:
        self.live.start(refresh=True)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.live.stop()
        if not self.console.is_terminal:
            self.console.line()  # which Live leaves out there

    def begin(self, epochs: int, samples: int) -> None:
        """A training of so many epochs begins."""
        self.epochs, self.samples, self.finished = epochs, samples, 0
        self.task = self.progress.add_task(self._told(), total=epochs * samples, told="")

    def piece(self, samples: int, loss: float) -> None:
        """So many samples of the epoch have been seen, with this loss on average."""
        done = self.finished * self.samples + samples
        self.progress.update(self.task, completed=done, told=f"loss {loss:.4f}", description=self._told())

    def epoch(self, training: Training) -> None:
        """An epoch has ended."""
        self.finished = len(training.epochs)
        if self.metric:
            self.table = epoch_table(training, self.metric, lowest(training.curve("val_loss")), latest=True)

    def show(self, table: Table) -> None:
        """Leave this table behind, in place of the one that grew."""
        self.table = table

    def _told(self) -> str:
        number = min(self.finished + 1, self.epochs)
        return f"{self.title} epoch {number} of {self.epochs}".strip()

    def _shown(self) -> Group:
        return Group(*([self.table] if self.table else []), self.progress)


def epoch_table(training: Training, metric: str, best: int | None, latest: bool = False) -> Table:
    """A line per epoch: the latest ones while the training runs, else some from all over it; the best one is marked."""
    table = figures("epoch", "loss", "validation loss", metric, f"validation {metric}", "")
    for number in chosen(len(training.epochs), best, latest):
        epoch = training.epochs[number - 1]
        values = (epoch.loss, epoch.val_loss, epoch.metric, epoch.val_metric)
        mark = "lowest" if number == best else ""
        table.add_row(str(number), *map(figure, values), mark, style="bold" if mark else "")
    return table


def chosen(count: int, best: int | None, latest: bool) -> list[int]:
    """Which of so many epochs are shown."""
    if count <= ROWS or latest:
        return list(range(max(1, count - ROWS + 1), count + 1))
    spread = {int(number) for number in np.linspace(1, count, ROWS).round()}
    return sorted(spread | ({best} if best else set()))


def figures(*columns: str, title: str | None = None) -> Table:
    """An empty table, its first column to the left and the figures to the right."""
    table = Table(title=title, title_justify="left", title_style="bold")
    for number, column in enumerate(columns):
        table.add_column(column, justify="right" if number else "left")
    return table


def figure(value: float) -> str:
    """A figure as tables show it."""
    return "–" if math.isnan(value) else f"{value:.4f}"

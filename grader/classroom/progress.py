"""How far a grading is: how many are done, running and failed, how fast it goes, how long it will take."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator

from rich.console import Console
from rich.live import Live
from rich.text import Text

from grader.result import ExerciseResult
from grader.text import harmless

LOG_SECONDS = 60.0  # between the lines in a log file
FEW_SECONDS = 100.0


class Progress:
    """Counts submissions; several threads may tell it.

    Parameters
    ----------
    clock : seconds, from wherever they are counted
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic):
        self._clock = clock
        self._lock = threading.Lock()
        self._began: float | None = None  # when the first one was taken up
        self._running: dict[str, str] = {}  # submission -> the exercise that was judged last
        self.total = self.done = self.failed = self.unchanged = 0

    def expect(self, total: int) -> None:
        """So many submissions there are."""
        with self._lock:
            self.total = total

    def started(self, name: str) -> None:
        """A submission is being judged."""
        with self._lock:
            self._running.setdefault(name, "")
            self._began = self._clock() if self._began is None else self._began

    def judged(self, name: str, result: ExerciseResult) -> None:
        """One of its exercises has been."""
        with self._lock:
            self._running[name] = f"{result.id} {result.status}"

    def ended(self, name: str, failed: bool = False, unchanged: bool = False) -> None:
        """A submission is done with: graded, or not to be graded, or graded by an earlier run."""
        with self._lock:
            self._running.pop(name, None)
            self.done += 1
            self.failed += failed
            self.unchanged += unchanged

    @property
    def rate(self) -> float:
        """Submissions per second that were really judged; 0 as long as there is none."""
        seconds = 0.0 if self._began is None else self._clock() - self._began
        return (self.done - self.unchanged) / seconds if seconds > 0 else 0.0

    @property
    def seconds_left(self) -> float | None:
        """How long the rest takes at this rate; None as long as nobody knows."""
        rest = self.total - self.done
        return rest / self.rate if self.rate and rest else None

    def line(self) -> str:
        """All of it in one line."""
        with self._lock:
            parts = [f"{self.done} of {self.total} done", f"{len(self._running)} running", f"{self.failed} failed"]
            if self.unchanged:
                parts.append(f"{self.unchanged} unchanged")
            if self.rate:
                parts.append(f"{self.rate:.1f} per second" if self.rate >= 1 else f"{60 * self.rate:.1f} per minute")
            if self.seconds_left is not None:
                parts.append(f"{duration(self.seconds_left)} left")
            return ", ".join(parts)

    def display(self) -> Text:
        """The line, and below it what each lane is at."""
        with self._lock:
            running = [Text(harmless(f"\n{name}: {exercise}"), style="dim") for name, exercise in self._running.items()]
        return Text.assemble(self.line(), *running)


def duration(seconds: float) -> str:
    """As people say it: 35 s, 12 min, 2 h 5 min."""
    if seconds < FEW_SECONDS:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


@contextlib.contextmanager
def shown(progress: Progress, console: Console, interval: float = LOG_SECONDS) -> Iterator[None]:
    """Show it: at the foot of a terminal, all the time; in a log file as a line now and then."""
    if console.is_terminal:
        with Live(get_renderable=progress.display, console=console, transient=True):
            yield
        return
    over = threading.Event()

    def log() -> None:
        while not over.wait(interval):
            console.print(f"{time.strftime('%H:%M:%S')}  {progress.line()}", style="dim")

    thread = threading.Thread(target=log, name="progress")
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()

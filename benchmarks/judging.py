"""Judging all the solutions: how long, how many exercises per second, and how much of it numba compiles.

python -m benchmarks.judging [NAME …] [--repeats N]

With and without the warm parent, alternating. What the solutions answer is known beforehand, as it is from the second
submission of a class on; each measurement judges every exercise with public and hidden cases in fresh guests. A warm
parent gets half a minute first, which counts for nothing: in a class it is spent once.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from statistics import median
from typing import Any

from rich.table import Table

from benchmarks import machine
from grader import catalogue, kit, submission
from grader.exercise import Exercise
from grader.judge import Judge
from grader.oracle import Oracle
from grader.result import PASSED
from grader.worker.host import ALL_KERNELS, Channel, Worker


@dataclass(frozen=True)
class Round:
    """One measurement, in seconds: starting the worker, judging, and what of the judging was spent compiling."""

    start: float
    judging: float
    compiling: float
    passed: int


def main() -> None:
    parser = machine.arguments(__doc__, repeats=3)
    parser.add_argument("names", nargs="*", help="chapters or exercises; all for none")
    options = parser.parse_args()
    before = machine.load()
    handed_in = submission.read(kit.SOLUTIONS)
    exercises = [one for one in catalogue.select(options.names) if one.module in handed_in.modules]
    rounds: dict[bool, list[Round]] = {False: [], True: []}
    with Worker() as reference:
        oracle = Oracle(reference)
        judge_all(exercises, oracle, warm=False)  # the oracle learns the answers
        for _ in range(options.repeats):
            for warm, measured in rounds.items():
                measured.append(judge_all(exercises, oracle, warm))
        oracle.close()
    machine.show([_table(rounds, len(exercises), before)])


def judge_all(exercises: Sequence[Exercise], oracle: Oracle, warm: bool) -> Round:
    """Judge the solutions as a submission, in a worker of its own."""
    begun = time.perf_counter()
    with Worker(kernels=ALL_KERNELS if warm else 0) as worker, compile_clock() as clock:
        worker.open().close()  # waits until the parent is ready
        start = time.perf_counter() - begun
        if warm:
            time.sleep(machine.WARMING_SECONDS)
        ready = time.perf_counter()
        with Judge(submission.read(kit.SOLUTIONS), worker, oracle, kit.DEFAULT_SECRET) as judge:
            results = list(judge.results(exercises))
        judging = time.perf_counter() - ready
    return Round(start, judging, clock["compile"], sum(result.status == PASSED for result in results))


@contextmanager
def compile_clock() -> Iterator[Counter[str]]:
    """Adds up the seconds of every kind of request that guests are sent."""
    seconds: Counter[str] = Counter()
    request = Channel.request

    def timed(self: Channel, header: dict[str, Any], value: Any, limit: float) -> tuple[dict[str, Any], Any]:
        started = time.perf_counter()
        try:
            return request(self, header, value, limit)
        finally:
            seconds[header["do"]] += time.perf_counter() - started

    Channel.request = timed  # type: ignore[method-assign]
    try:
        yield seconds
    finally:
        Channel.request = request  # type: ignore[method-assign]


def _table(rounds: dict[bool, list[Round]], count: int, load: str) -> Table:
    columns = ("parent", "start", "judging", "exercises/s", "compiling", "passed")
    made = machine.table(f"Judging the solutions of {count} exercises ({load})", *columns)
    for warm, measured in rounds.items():
        speed = count / median(one.judging for one in measured)
        share = median(one.compiling / one.judging for one in measured)
        made.add_row(
            "warm" if warm else "plain",
            machine.median([one.start for one in measured]),
            machine.median([one.judging for one in measured]),
            f"{speed:.2f}",
            f"{share:.0%}",
            f"{min(one.passed for one in measured)}/{count}",
        )
    plain, warm = (median(one.judging for one in rounds[kind]) for kind in (False, True))
    made.caption = f"judging alone, warm parent against plain: {plain / warm:.2f} times as fast"
    return made


if __name__ == "__main__":
    main()

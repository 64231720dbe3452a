"""What stays between the notebooks of an autograde run: workers, one per lane, and the oracle that they share."""

from __future__ import annotations

import atexit
import functools
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

from grader.classroom.engine import Outcome, examine, guarded
from grader.exercise import Exercise
from grader.oracle import Oracle
from grader.submission import Submission
from grader.worker.host import Worker
from grader.worker.isolation import choose


class Bench:
    """Judges submissions, several at a time.

    Parameters
    ----------
    isolation : auto, required or none
    jobs : lanes

    Raises
    ------
    Problem : that isolation cannot be had here
    """

    def __init__(self, isolation: str, jobs: int):
        self.jobs = jobs
        self._wrapping = choose(isolation)
        self._reference = Worker(self._wrapping)
        self._reference.start()
        self._oracle = Oracle(self._reference)
        self._lanes = ThreadPoolExecutor(jobs)
        self._lane = threading.local()  # a process goes with the thread that has started it
        self._workers: list[Worker] = []

    def close(self) -> None:
        self._lanes.shutdown(cancel_futures=True)
        self._oracle.close()
        for worker in (self._reference, *self._workers):
            worker.close()

    def judge(
        self, name: str, read: Callable[[], Submission], secret: str, exercises: Sequence[Exercise]
    ) -> Future[Outcome]:
        """Judge a submission in the first lane that is free; what keeps it from being read is the outcome's problem."""
        return self._lanes.submit(self._judge, name, read, secret, exercises)

    def _judge(self, name: str, read: Callable[[], Submission], secret: str, exercises: Sequence[Exercise]) -> Outcome:
        only = {exercise.id for exercise in exercises}
        return guarded(name, lambda: examine(name, read(), only, self._worker(), self._oracle, secret))

    def _worker(self) -> Worker:
        """This lane's own."""
        if not hasattr(self._lane, "worker"):
            self._lane.worker = Worker(self._wrapping, kernels=1)
            self._workers.append(self._lane.worker)
        worker: Worker = self._lane.worker
        return worker


@functools.cache
def bench_for(isolation: str, jobs: int) -> Bench:
    """The one bench of this process; raises Problem where that isolation cannot be had."""
    bench = Bench(isolation, jobs)
    atexit.register(bench.close)
    return bench

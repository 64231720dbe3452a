"""The engine for one machine: lanes, which are threads that feed a worker process each."""

from __future__ import annotations

import os
import queue
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from grader import levels
from grader.classroom.engine import Outcome, Task, examine, guarded
from grader.classroom.progress import Progress
from grader.oracle import Oracle
from grader.result import ExerciseResult
from grader.worker.host import ALL_KERNELS, Worker
from grader.worker.isolation import Isolation

MANY = 20  # submissions for each lane, for which it pays to compile whatever kernels may help


def default_jobs() -> int:
    """One submission per core."""
    return os.cpu_count() or 1


def worthwhile_kernels(submissions: int, lanes: int) -> int:
    """How many kernels a lane's worker should compile in advance: none where each lane has one submission."""
    if submissions >= MANY * lanes:
        return ALL_KERNELS
    return 1 if submissions > lanes else 0


@dataclass(frozen=True)
class LocalEngine:
    """Judges on this machine.

    Parameters
    ----------
    secret : seed of the hidden cases
    isolation : what guests are wrapped in
    jobs : submissions at a time
    levels : exercise id -> the level at which it must be judged, where that is not left to the machine
    """

    secret: str
    isolation: Isolation
    jobs: int = 1
    levels: Mapping[str, str] = field(default_factory=dict)

    def run(self, tasks: Sequence[Task], finish: Callable[[Outcome], None], progress: Progress) -> None:
        """Judge every task; an interruption lets each lane finish the exercise that it is at.

        Raises
        ------
        Problem : this machine cannot judge at a level that is required
        """
        with Worker(self.isolation) as reference:
            reference.start()  # in this thread: a process goes with the thread that started it
            levels.refuse(reference, self.levels)
            oracle = Oracle(reference)
            Run(self, tasks, oracle, finish, progress).judge()
            oracle.close()


class Stopped(BaseException):
    """Another lane has failed, or somebody has interrupted the grading."""


class Run:
    """One class on its way through the lanes."""

    def __init__(
        self,
        engine: LocalEngine,
        tasks: Sequence[Task],
        oracle: Oracle,
        finish: Callable[[Outcome], None],
        progress: Progress,
    ):
        self.engine = engine
        self.oracle = oracle
        self.finish = finish
        self.progress = progress
        self._lanes = min(engine.jobs, len(tasks))
        self._kernels = worthwhile_kernels(len(tasks), engine.jobs)
        self._waiting: queue.SimpleQueue[Task] = queue.SimpleQueue()
        self._finishing = threading.Lock()
        self._failures: list[BaseException] = []
        for task in tasks:
            self._waiting.put(task)

    def judge(self) -> None:
        """Start the lanes and wait for them; raises what has stopped them."""
        lanes = [threading.Thread(target=self._lane, name=f"lane {number}") for number in range(self._lanes)]
        for lane in lanes:
            lane.start()
        for lane in lanes:
            try:
                lane.join()
            except KeyboardInterrupt as interruption:
                self._failures.append(interruption)
                lane.join()
        if self._failures:
            raise self._failures[0]

    def _lane(self) -> None:
        """Judge one task after the other, until none waits or something has failed."""
        try:
            with Worker(self.engine.isolation, self._kernels) as worker:
                while not self._failures:
                    task = self._waiting.get_nowait()
                    self.progress.started(task.name)
                    outcome = self._outcome(task, worker)
                    with self._finishing:
                        self.finish(outcome)
        except (queue.Empty, Stopped):
            return
        except BaseException as error:  # of the ledger or the kit: it must not pass for a graded class
            self._failures.append(error)

    def _outcome(self, task: Task, worker: Worker) -> Outcome:
        def judge() -> Outcome:
            return examine(task.name, task.read(), task.only, worker, self.oracle, self.engine.secret, self._told)

        return guarded(task.name, judge)

    def _told(self, name: str, result: ExerciseResult) -> None:
        if self._failures:
            raise Stopped
        self.progress.judged(name, result)

"""The engine for many machines: every submission is a task for the workers of a Dask scheduler.

Dask's workers are trusted as this machine is: each has the kit, gets the course's secret, and runs submissions in
isolated guests of its own. It may run a task more than once (a worker that died had perhaps finished it); it is here,
where the ledger is, that one result is taken and all others are not.

Nothing that Dask shows or logs tells more than a task's number: a task has no readable form, and its key no name.
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import importlib.metadata
import logging
import platform
import queue
import secrets
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import CancelledError
from dataclasses import dataclass, field, replace
from typing import Any

from grader import kit, levels
from grader.classroom.engine import Outcome, Task, examine, exercises_of, guarded
from grader.classroom.progress import Progress
from grader.oracle import Oracle
from grader.problem import Problem
from grader.result import Record, is_sound
from grader.submission import Module, Submission
from grader.worker.host import ALL_KERNELS, Worker
from grader.worker.isolation import choose

CONNECT_SECONDS = 10
LOOK_SECONDS = 5.0  # between two looks at whether there is anybody left to wait for
LONELY_LOOKS = 24  # so many without any worker are enough
GATHER_SECONDS = 60
AHEAD = 2  # tasks in Dask's hands beyond those that its threads are at, so that none of them waits for us


@dataclass(frozen=True, repr=False)
class Errand:
    """All that a Dask worker needs to judge one submission. It has no readable form: Dask logs what has one."""

    name: str
    modules: dict[str, Module]
    notes: list[str]
    whole: bool
    only: frozenset[str] | None
    secret: str
    isolation: str
    kit: dict[str, str]

    @classmethod
    def of(cls, task: Task, secret: str, isolation: str) -> Errand:
        handed_in = task.read()
        modules = {name: replace(module) for name, module in handed_in.modules.items()}  # without their trees
        return cls(task.name, modules, handed_in.notes, handed_in.whole, task.only, secret, isolation, kit_here())

    def submission(self) -> Submission:
        """What was handed in."""
        return Submission(self.name, dict(self.modules), list(self.notes), self.whole)

    def __repr__(self) -> str:
        return "<a submission>"


@functools.cache
def kit_here() -> dict[str, str]:
    """What must be the same on every machine, for equal code to get equal verdicts."""
    packages = {name: importlib.metadata.version(name) for name in ("numba", "numpy")}
    return {"kit": kit.version(), "Python": platform.python_version(), **packages, "files": kit.fingerprint()[:12]}


# --- on a Dask worker -------------------------------------------------------------------------------------------------


class Bench:
    """What a Dask worker keeps between tasks: idle workers, one per thread, and the oracle that they share."""

    def __init__(self, isolation: str):
        self.isolation = isolation
        self.idle: queue.LifoQueue[Worker] = queue.LifoQueue()
        self.oracle = Oracle(self._new_worker(kernels=0))

    @contextlib.contextmanager
    def worker(self) -> Iterator[Worker]:
        """A worker for one submission."""
        try:
            worker = self.idle.get_nowait()
        except queue.Empty:
            worker = self._new_worker()
        try:
            yield worker
        finally:
            self.idle.put(worker)

    def _new_worker(self, kernels: int = ALL_KERNELS) -> Worker:
        worker = Worker(choose(self.isolation), kernels)
        atexit.register(worker.close)
        return worker


_BENCHES: dict[str, Bench] = {}
_BUILDING = threading.Lock()


def bench(isolation: str) -> Bench:
    """The one of this process; its threads share it."""
    with _BUILDING:
        if isolation not in _BENCHES:
            _BENCHES[isolation] = Bench(isolation)
        return _BENCHES[isolation]


def judge_errand(errand: Errand) -> dict[str, Any]:
    """Judge a submission on a Dask worker. Whatever happens is told in plain data: what is raised would be logged."""
    try:
        told = look_around(errand.isolation)
        if told != errand.kit:
            raise foreign("that came later", told, errand.kit)
    except Problem as problem:
        return {"unfit": [problem.defect, problem.action]}
    tools = bench(errand.isolation)

    def judge() -> Outcome:
        with tools.worker() as worker:
            return examine(errand.name, errand.submission(), errand.only, worker, tools.oracle, errand.secret)

    outcome = guarded(errand.name, judge)
    if outcome.problem is not None:
        return {"problem": [outcome.problem.defect, outcome.problem.action]}
    assert outcome.record is not None
    return {"record": outcome.record.to_json(), "faults": outcome.faults}


def look_around(isolation: str, wanted: Mapping[str, str] | None = None) -> dict[str, str]:
    """Which kit a Dask worker has; raises Problem where it cannot isolate, or judge kernels, as is wished."""
    choose(isolation)
    if wanted:
        with bench(isolation).worker() as worker:
            levels.refuse(worker, wanted)
    return kit_here()


# --- where the ledger is ----------------------------------------------------------------------------------------------


@dataclass
class DaskEngine:
    """Judges on the workers of a Dask scheduler.

    Parameters
    ----------
    secret : seed of the hidden cases
    scheduler : its address
    isolation : auto, required or none, as each worker's machine can
    jobs : submissions at a time; None for as many as the workers have threads
    levels : exercise id -> the level at which a CUDA kernel must be judged
    """

    secret: str
    scheduler: str
    isolation: str
    jobs: int | None = None
    levels: Mapping[str, str] = field(default_factory=dict)

    def run(self, tasks: Sequence[Task], finish: Callable[[Outcome], None], progress: Progress) -> None:
        """Judge every task.

        Raises
        ------
        Problem : no scheduler, no workers, another kit there, or the connection is lost
        """
        with silence(), self._client() as client:
            try:
                check_workers(client, self.scheduler, self.isolation, self.levels)
                Run(self, client, finish, progress).judge(tasks)
            except (CancelledError, OSError):
                raise self.lost() from None

    def lost(self) -> Problem:
        return Problem(
            f"The connection to the Dask scheduler at {self.scheduler} is lost.",
            "Run the same command again when it is back: what was graded is kept.",
        )

    @contextlib.contextmanager
    def _client(self) -> Iterator[Any]:
        try:
            from distributed import Client
            from distributed.comm.registry import backends
        except ImportError:
            raise Problem("Dask is not here.", "Install it: pip install 'deepkata[scale]'.") from None
        try:
            if "://" in self.scheduler and self.scheduler.partition("://")[0] not in backends:
                raise OSError  # with such an address, Dask's client would neither start nor end
            client = Client(self.scheduler, timeout=CONNECT_SECONDS, set_as_default=False, name="kata")
        except (OSError, ValueError):
            raise Problem(
                f"There is no Dask scheduler at {self.scheduler}.",
                "Start one (`dask scheduler`) and give the address that it tells.",
            ) from None
        try:
            yield client
        finally:
            client.close(timeout=LOOK_SECONDS)


@contextlib.contextmanager
def silence() -> Iterator[None]:
    """Keep Dask's client from logging tracebacks among the results: what goes wrong is told by a Problem."""
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        logging.disable(before)


def check_workers(client: Any, scheduler: str, isolation: str, wanted: Mapping[str, str]) -> None:
    """Refuse workers that would judge otherwise than this machine.

    Raises
    ------
    Problem : there are none, or one has another kit, or cannot isolate or judge kernels as is wished
    """
    try:
        client.wait_for_workers(1, timeout=CONNECT_SECONDS)
    except TimeoutError:
        raise Problem(
            f"The Dask scheduler at {scheduler} has no workers.", f"Start some: `dask worker {scheduler}`."
        ) from None
    for address, told in client.run(look_around, isolation, wanted, on_error="return").items():
        if isinstance(told, Problem):
            raise Problem(f"The Dask worker {address}: {told.defect}", told.action)
        if isinstance(told, BaseException):
            raise unable(address, told)
        if told != kit_here():
            raise foreign(address, told, kit_here())


def unable(address: str, error: BaseException) -> Problem:
    """What to say of a worker that has no kit at all."""
    return Problem(
        f"The Dask worker {address} cannot run the kit ({type(error).__name__}: {error}).",
        "Install the same kit there, and start the worker again.",
    )


def foreign(address: str, told: dict[str, str], here: dict[str, str]) -> Problem:
    """What to say of a worker with another kit."""
    others = [f"{name} {told.get(name)} instead of {value}" for name, value in here.items() if told.get(name) != value]
    return Problem(
        f"The Dask worker {address} has another kit: {', '.join(others)}.",
        "Install the same kit, packages and data there, and start the worker again.",
    )


@dataclass(frozen=True)
class Sent:
    """A task that Dask has in hand, and what its result must tell."""

    task: Task
    future: Any
    digest: str
    asked: list[str]


class Run:
    """One class on its way through Dask."""

    def __init__(self, engine: DaskEngine, client: Any, finish: Callable[[Outcome], None], progress: Progress):
        self.engine = engine
        self.client = client
        self.finish = finish
        self.progress = progress
        self._sent: dict[str, Sent] = {}
        self._ended: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._name = secrets.token_hex(4)
        self._count = 0

    def judge(self, tasks: Sequence[Task]) -> None:
        """Judge all; those whose workers died are tried again one at a time, so that nobody pays for a neighbour."""
        for task in self._judge(tasks):
            for deadly in self._judge([task]):
                problem = Problem(
                    f"{deadly.name}: every Dask worker that judged it died.", "Look at it, and grade it by itself."
                )
                self.finish(Outcome(deadly.name, problem=problem))

    def _judge(self, tasks: Sequence[Task]) -> list[Task]:
        """Judge these; return the tasks whose workers died, time and again."""
        from distributed.scheduler import KilledWorker

        waiting, deadly = deque(tasks), []
        while waiting or self._sent:
            while waiting and len(self._sent) < self._at_once():
                self._send(waiting.popleft())
            if not self._sent:
                continue
            sent = self._next()
            try:
                told = sent.future.result(timeout=GATHER_SECONDS)
            except KilledWorker:
                deadly.append(sent.task)
            except TimeoutError:  # the worker died before it could hand the result over
                waiting.append(sent.task)
            except (CancelledError, OSError):
                raise
            except Exception as error:
                raise unable("that came later", error) from None
            else:
                self.finish(self._outcome(sent, told))
        return deadly

    def _at_once(self) -> int:
        return self.engine.jobs or sum(self.client.nthreads().values()) + AHEAD

    def _send(self, task: Task) -> None:
        """Hand a task over; one that cannot be read any more is done with."""
        self.progress.started(task.name)
        try:
            errand = Errand.of(task, self.engine.secret, self.engine.isolation)
        except Problem as problem:
            self.finish(Outcome(task.name, problem=problem))
            return
        self._count += 1
        key = f"kata-{self._name}-{self._count}"
        future = self.client.submit(judge_errand, errand, key=key, pure=False)
        handed_in = errand.submission()
        asked = [exercise.id for exercise in exercises_of(handed_in, task.only)]
        self._sent[key] = Sent(task, future, handed_in.digest, asked)
        future.add_done_callback(self._ended.put)

    def _next(self) -> Sent:
        """The next task that Dask is done with, as long as there is somebody to do it."""
        lonely = 0
        while lonely < LONELY_LOOKS:
            try:
                return self._sent.pop(self._ended.get(timeout=LOOK_SECONDS).key)
            except queue.Empty:
                if self.client.status != "running":
                    raise self.engine.lost() from None
                lonely = 0 if self.client.nthreads() else lonely + 1
        raise Problem(
            f"All workers of the Dask scheduler at {self.engine.scheduler} are gone.",
            "Start some, and run the same command again: what was graded is kept.",
        )

    def _outcome(self, sent: Sent, told: dict[str, Any]) -> Outcome:
        """What a worker tells, as far as it can be the result of this task."""
        name = sent.task.name
        if "unfit" in told:
            raise Problem(*told["unfit"])
        if "problem" in told:
            return Outcome(name, problem=Problem(*told["problem"]))
        record = Record.from_json(told["record"])
        wanted = name, sent.digest, kit.exam_hash(self.engine.secret), sent.asked
        found = record.submission, record.submission_hash, record.exam_hash, [result.id for result in record.exercises]
        if found != wanted or not all(is_sound(result) for result in record.exercises):
            return Outcome(name, problem=Problem(f"{name}: a Dask worker told no result of it.", "Grade it again."))
        return Outcome(name, record, told["faults"])

"""Grade submissions: read, judge with public and hidden cases, write one record each, resume where it stopped."""

from __future__ import annotations

import errno
import hashlib
import os
import queue
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from grader import catalogue, kit, submission
from grader.exercise import Exercise
from grader.judge import Judge, record_of
from grader.oracle import Oracle
from grader.problem import Problem
from grader.result import ExerciseResult, Record
from grader.submission import Submission
from grader.worker.host import Worker
from grader.worker.isolation import Isolation


@dataclass(frozen=True)
class Graded:
    """One submission's end: its record, or the problem that kept it from being graded."""

    name: str
    record: Record | None = None
    problem: Problem | None = None
    resumed: bool = False


@dataclass
class Grading:
    """How to grade.

    Parameters
    ----------
    secret : seed of the hidden cases
    isolation : what guests are wrapped in
    out : where records are written, and looked for when resuming; None writes none
    jobs : submissions at a time
    again : grade also what an earlier run has graded by the same kit and secret
    judged : told of every single verdict, from several threads
    """

    secret: str
    isolation: Isolation
    out: Path | None = None
    jobs: int = 1
    again: bool = False
    judged: Callable[[str, ExerciseResult], None] = lambda name, result: None
    _failures: list[BaseException] = field(default_factory=list)

    def run(self, paths: Sequence[Path], done: Callable[[Graded], None]) -> list[Graded]:
        """Grade every submission; `done` is told of each as it ends. The order of the result is that of `paths`."""
        named = name_submissions(expand(paths))
        if self.out is not None:
            _prepare(self.out)
        self._failures.clear()
        ends: dict[str, Graded] = {}
        waiting: queue.SimpleQueue[tuple[str, Path]] = queue.SimpleQueue()
        lock = threading.Lock()

        def finish(graded: Graded) -> None:
            with lock:
                ends[graded.name] = graded
                done(graded)

        for name, path in named.items():
            waiting.put((name, path))
        self._run_lanes(waiting, finish)
        return [ends[name] for name in named]

    def _run_lanes(self, waiting: queue.SimpleQueue[tuple[str, Path]], finish: Callable[[Graded], None]) -> None:
        lanes = max(1, min(self.jobs, waiting.qsize()))
        with Worker(self.isolation) as reference:
            oracle = Oracle(reference)

            def lane() -> None:
                try:
                    with Worker(self.isolation) as worker:
                        while not self._failures:
                            finish(self._end_of(*waiting.get_nowait(), worker, oracle))
                except queue.Empty:
                    return
                except BaseException as error:  # an error of the kit itself must not pass for a graded class
                    self._failures.append(error)

            threads = [threading.Thread(target=lane, name=f"lane {number}") for number in range(lanes)]
            for thread in threads:
                thread.start()
            self._wait_for(threads)
            oracle.close()
        if self._failures:
            raise self._failures[0]

    def _wait_for(self, threads: Sequence[threading.Thread]) -> None:
        """Wait for the lanes; an interruption lets each of them finish the exercise that it is at."""
        for thread in threads:
            try:
                thread.join()
            except KeyboardInterrupt as interruption:
                self._failures.append(interruption)
                thread.join()

    def _end_of(self, name: str, path: Path, worker: Worker, oracle: Oracle) -> Graded:
        """Read one submission, and grade it unless an earlier run did."""
        try:
            handed_in = submission.read(path)
        except Problem as problem:
            return Graded(name, problem=problem)
        earlier = self._earlier(name, handed_in)
        return Graded(name, earlier, resumed=True) if earlier else self._grade(name, handed_in, worker, oracle)

    def _grade(self, name: str, handed_in: Submission, worker: Worker, oracle: Oracle) -> Graded:
        started = time.perf_counter()
        with Judge(handed_in, worker, oracle, self.secret) as judge:
            results = list(self._verdicts(name, judge, exercises_of(handed_in)))
        record = record_of(handed_in, results, worker, self.secret, name, time.perf_counter() - started)
        if self.out is not None:
            try:
                record.write(self.out / f"{name}.json")
            except Problem as problem:
                return Graded(name, record, problem)
        return Graded(name, record, _fault(name, judge.faults))

    def _verdicts(self, name: str, judge: Judge, exercises: Sequence[Exercise]) -> Iterator[ExerciseResult]:
        for result in judge.results(exercises):
            if self._failures:
                raise InterruptedError("another lane has stopped")
            self.judged(name, result)
            yield result

    def _earlier(self, name: str, handed_in: Submission) -> Record | None:
        """The record of an earlier run on the same code by the same exam."""
        if self.out is None or self.again:
            return None
        try:
            record = Record.read(self.out / f"{name}.json")
        except Problem:
            return None
        same = record.submission_hash == handed_in.digest and record.exam_hash == kit.exam_hash(self.secret)
        return record if same else None


def _fault(name: str, faults: Mapping[str, str]) -> Problem | None:
    """What to tell whoever runs the grading where the kit itself has failed; the exercises concerned scored nothing."""
    if not faults:
        return None
    told = "; ".join(f"{exercise}: {fault}" for exercise, fault in faults.items())
    return Problem(f"{name}: the grader failed on {told}.", "Look at that submission, and report it.")


def _prepare(folder: Path) -> None:
    """Find out that records cannot be written before hours of grading, not after."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not os.access(folder, os.W_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    except OSError as error:
        raise Problem(f"Records cannot be written to {folder} ({error.strerror}).", "Choose another folder.") from None


def exercises_of(handed_in: Submission) -> list[Exercise]:
    """What a submission is judged on: everything for a folder, its own chapters for a single file."""
    everything = catalogue.exercises().values()
    return [exercise for exercise in everything if handed_in.whole or exercise.module in handed_in.modules]


def expand(paths: Sequence[Path]) -> list[Path]:
    """Replace a folder of submissions by the submissions in it; a submission's own folder stays as it is.

    Beside submissions, a folder with code that is laid out otherwise is one too: its author is told, not passed over.
    """
    found: list[Path] = []
    for path in paths:
        children = sorted(path.iterdir()) if path.is_dir() and not _holds_modules(path) else []
        inner = [child for child in children if not _is_passed_over(child) and _holds_code(child)]
        found += inner if any(child.is_file() or _holds_modules(child) for child in inner) else [path]
    return found


def _is_passed_over(path: Path) -> bool:
    """Hidden files, caches, and links: what a student hands in cannot be somebody else's."""
    return path.name.startswith((".", "__")) or path.is_symlink()


def _holds_code(path: Path) -> bool:
    files = path.rglob("*") if path.is_dir() else [path]
    return any(file.suffix in (".py", ".ipynb") for file in files)


def _holds_modules(folder: Path) -> bool:
    return any((folder / (chapter.module.replace(".", "/") + ".py")).exists() for chapter in catalogue.chapters())


def name_submissions(paths: Sequence[Path]) -> dict[str, Path]:
    """A name for each submission, with as many parent folders as tell them apart; the same path counts once."""
    unique = list(dict.fromkeys(path.resolve() for path in paths))
    deepest = max((len(path.parts) for path in unique), default=1)
    for depth in range(1, deepest + 1):
        names = [_name(path, depth) for path in unique]
        if len({name.lower() for name in names}) == len(names):  # some disks do not tell Alice from alice
            return dict(zip(names, unique, strict=True))
    # alice.py beside alice.ipynb, or names that differ in nothing but where the hyphens stand
    return {f"{_name(path, 1)}-{hashlib.sha256(str(path).encode()).hexdigest()[:8]}": path for path in unique}


def _name(path: Path, depth: int) -> str:
    parts = [*path.parent.parts[1:], path.stem if path.is_file() else path.name]
    return "-".join(parts[-depth:])


def default_jobs() -> int:
    """One submission per core."""
    return os.cpu_count() or 1

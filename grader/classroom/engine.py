"""What judges a class: how one submission is examined, and what an engine does with many.

An engine judges and tells; it writes nothing. Records are written by the one process that has the ledger.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Container, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from grader import catalogue, words
from grader.classroom.progress import Progress
from grader.exercise import Exercise
from grader.judge import Judge, record_of
from grader.oracle import Oracle
from grader.problem import Problem
from grader.result import BLOCKED, CRASHED, TIMEOUT, ExerciseResult, Record
from grader.submission import Submission
from grader.worker.host import Worker

Told = Callable[[str, ExerciseResult], None]

CROWDED = 1.25  # threads that want to run, for each core; a grading by itself has one


@dataclass(frozen=True)
class Task:
    """One submission to judge.

    Parameters
    ----------
    read : reads it, so that a large class need not be in memory at once
    only : ids of the exercises that it is judged on; None for all that it can be
    """

    name: str
    read: Callable[[], Submission]
    only: frozenset[str] | None = None


@dataclass(frozen=True)
class Outcome:
    """What became of a task.

    Parameters
    ----------
    record : the verdicts, if there are any
    faults : exercise id -> what of the kit itself failed there
    problem : why there is no record
    """

    name: str
    record: Record | None = None
    faults: dict[str, str] = field(default_factory=dict)
    problem: Problem | None = None


class Engine(Protocol):
    """Judges tasks, several at a time. `finish` is called once for each, never twice at the same time.

    What `finish` raises stops the engine, and is raised by `run`.
    """

    def run(self, tasks: Sequence[Task], finish: Callable[[Outcome], None], progress: Progress) -> None: ...


def exercises_of(handed_in: Submission, only: Container[str] | None = None) -> list[Exercise]:
    """What a submission is judged on: everything for a folder, its own chapters for a single file; of these, `only`.

    Raises
    ------
    Problem : nothing is left
    """
    everything = catalogue.exercises().values()
    own = [exercise for exercise in everything if handed_in.whole or exercise.module in handed_in.modules]
    asked = [exercise for exercise in own if only is None or exercise.id in only]
    if not asked:
        raise Problem(
            f"{handed_in.name} has none of the exercises that are to be graded.",
            "Grade others (--only), or leave it out.",
        )
    return asked


def examine(
    name: str,
    handed_in: Submission,
    only: Container[str] | None,
    worker: Worker,
    oracle: Oracle,
    secret: str,
    told: Told = lambda name, result: None,
) -> Outcome:
    """Judge a submission on all that is asked of it.

    What a crash or a failure of the kit has touched is judged a second time, and that verdict counts: memory may have
    run out, or somebody may have killed the process. Code that crashes by itself does so again. So is what did not end
    in time on a crowded machine: it may have waited for somebody else.
    """
    started = time.perf_counter()
    exercises = exercises_of(handed_in, only)
    results, faults = _judge(name, handed_in, exercises, worker, oracle, secret, told)
    doubtful = (CRASHED, TIMEOUT) if crowded() else (CRASHED,)
    if faults or any(result.status in doubtful for result in results.values()):
        shaky = [e for e in exercises if e.id in faults or results[e.id].status in (*doubtful, BLOCKED)]
        again, faults = _judge(name, handed_in, shaky, worker, oracle, secret, told)
        results |= {exercise.id: again[exercise.id] for exercise in shaky}
    seconds = time.perf_counter() - started
    return Outcome(name, record_of(handed_in, list(results.values()), worker, secret, name, seconds), faults)


def crowded() -> bool:
    """Whether more wanted to run in the last minute than the machine has cores for, where the system tells."""
    return hasattr(os, "getloadavg") and os.getloadavg()[0] > CROWDED * (os.cpu_count() or 1)


def _judge(
    name: str,
    handed_in: Submission,
    exercises: Sequence[Exercise],
    worker: Worker,
    oracle: Oracle,
    secret: str,
    told: Told,
) -> tuple[dict[str, ExerciseResult], dict[str, str]]:
    with Judge(handed_in, worker, oracle, secret) as judge:
        results = {}
        for result in judge.results(exercises):
            results[result.id] = result
            told(name, result)
        return results, judge.faults


def guarded(name: str, judge: Callable[[], Outcome]) -> Outcome:
    """What judging a submission comes to: an unreadable submission and a fault of the kit are outcomes as well."""
    try:
        return judge()
    except Problem as problem:
        return Outcome(name, problem=problem)
    except Exception as error:
        return failure(name, error)


def failure(name: str, error: Exception) -> Outcome:
    """The outcome where the kit itself has failed on a submission: that costs nobody else anything."""
    return Outcome(name, problem=Problem(f"{name}: the grader failed on it: {words.origin(error)}.", "Report it."))

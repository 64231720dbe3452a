"""What a kernel asks of memory: one of its cases, traced in the simulator."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from grader import words
from grader.exercise import Case, Exercise
from grader.judge import static_problem
from grader.problem import Problem
from grader.submission import Submission
from grader.worker.answer import Noticed, Returned
from grader.worker.host import Limits, Session, Worker, launch_of


@dataclass(frozen=True)
class Trace:
    """One case, and what the simulated device noticed."""

    exercise: Exercise
    case: Case
    noticed: Noticed


def trace(worker: Worker, handed_in: Submission, exercise: Exercise) -> Trace:
    """Trace a kernel on its largest public case.

    Raises
    ------
    Problem : it is no kernel, or does not come to an end
    """
    if not exercise.cuda:
        raise Problem(f"{exercise.name} is no CUDA kernel.", "Only kernels are traced.")
    wrong = static_problem(handed_in, exercise)
    if wrong:
        raise Problem(wrong[1] or f"{exercise.name} is not written yet.", wrong[2] or "Write it first.")
    case = max(exercise.public_cases(), key=_size)
    with Session(worker, handed_in.sources, "simulated", Limits()) as session:
        answer = session.call(
            *(exercise.module, exercise.name, case.arguments, exercise.changes, False),
            case.seconds,
            launch_of(case.launch, trace=True, points=True),
        )
    if not isinstance(answer, Returned) or answer.noticed is None:
        _, message, advice = words.explain(exercise, answer)
        raise Problem(message, advice)
    return Trace(exercise, case, answer.noticed)


def _size(case: Case) -> int:
    return sum(value.size for value in case.arguments.values() if isinstance(value, np.ndarray))

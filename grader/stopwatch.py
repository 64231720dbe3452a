"""Timing a right answer beside the solution: the same fresh inputs, call by call in turn, by the host's clock.

The host's clock also counts carrying the arrays to the guest and back, which is the same for both. How long that
takes is known from the solution's guest, whose word on the call alone can be trusted, and is taken off. While the
solution runs, the student's guest stands still.
"""

from __future__ import annotations

import secrets
import threading
import time
from dataclasses import dataclass
from statistics import median

from grader.draw import Draw
from grader.exercise import Case, Exercise
from grader.oracle import Oracle
from grader.result import NATIVE, PASSED, CaseResult
from grader.verdict import Outcome, Verdict, assess
from grader.worker.answer import Answer, Returned, TimedOut
from grader.worker.host import Session

ROUNDS = 5
ATTEMPTS = 3  # a busy moment of the machine must not cost a point: the best of three counts
PATIENCE = 30.0  # seconds; no further attempt is begun after it
HIGHEST = 10.0  # no ratio above it is told: a pause of the machine fell into the difference
_ONE_AT_A_TIME = threading.Lock()  # two measurements at once would measure each other


@dataclass(frozen=True)
class Timing:
    """Median seconds of a call as the student wrote it, and of the solution's beside it."""

    yours: float
    solution: float

    @property
    def ratio(self) -> float:
        """How many times as fast as the solution: 2 is twice as fast."""
        return self.solution / self.yours


@dataclass(frozen=True)
class Wrong:
    """What was wrong with an answer that was timed."""

    verdict: Verdict
    cases: list[CaseResult]


class Stopwatch:
    """Times one submission's functions.

    Parameters
    ----------
    session : the student's guest, native
    oracle : has the solution's
    seconds : a call's limit
    hidden : whether the inputs are to be kept from the student
    """

    def __init__(self, session: Session, oracle: Oracle, seconds: float, hidden: bool = False):
        self.session = session
        self.oracle = oracle
        self.seconds = seconds
        self.hidden = hidden

    def best(self, exercise: Exercise) -> Timing | Wrong:
        """The best of a few measurements, or what was wrong with an answer.

        What does not end in time is very slow, not wrong.
        """
        assert exercise.speed is not None
        best = None
        end = time.monotonic() + PATIENCE
        with _ONE_AT_A_TIME:
            for _ in range(ATTEMPTS):
                timing = self.measure(exercise)
                if isinstance(timing, Wrong):
                    return timing
                best = timing if best is None or timing.ratio > best.ratio else best
                settled = best.ratio >= exercise.speed.full or best.ratio <= exercise.speed.floor / 2
                if settled or time.monotonic() > end:
                    break
        assert best is not None
        return best

    def measure(self, exercise: Exercise) -> Timing | Wrong:
        """One measurement: a call of each to warm up, then `ROUNDS` of each, taking turns at being the first."""
        yours, solution = [], []
        for number in range(ROUNDS + 1):
            case = self._fresh_case(exercise)
            right, answer = self._pair(exercise, case, yours_first=bool(number % 2))
            if isinstance(answer, TimedOut):
                return Timing(answer.seconds, right.inside)
            verdict, seen = assess(exercise, [Outcome(case, (right.value, right.changed), answer)], NATIVE)
            if verdict.status != PASSED or not isinstance(answer, Returned):
                return Wrong(verdict, seen)
            if number:
                yours.append(answer.seconds - (right.seconds - right.inside))
                solution.append(right.inside)
        return Timing(max(median(yours), median(solution) / HIGHEST), median(solution))

    def _pair(self, exercise: Exercise, case: Case, yours_first: bool) -> tuple[Returned, Answer]:
        """The solution's answer and the student's, one right after the other."""

        def yours() -> Answer:
            return self.session.call(
                exercise.module, exercise.name, case.arguments, exercise.changes, exercise.compiled, self.seconds
            )

        def solution() -> Returned:
            with self.session.standing_still():
                return self.oracle.timed(exercise, case)

        if yours_first:
            answer = yours()
            return solution(), answer
        right = solution()
        return right, yours()

    def _fresh_case(self, exercise: Exercise) -> Case:
        """Inputs that nobody has seen or can foresee, so that nothing is gained by remembering answers."""
        assert exercise.speed is not None
        case = exercise.speed.make_case(Draw(secrets.token_hex()))
        case.large, case.hidden = True, self.hidden
        return case

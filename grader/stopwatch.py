"""Timing a right answer beside the solution: the same fresh inputs, call by call in turn, by the host's clock.

The host's clock also counts carrying the arrays to the guest and back, which is the same for both. How long that
takes is known from the solution's guest, whose word on the call alone can be trusted, and is taken off both times.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from statistics import median

from grader.draw import Draw
from grader.exercise import Case, Exercise
from grader.oracle import Oracle
from grader.result import NATIVE, PASSED
from grader.verdict import Outcome, Verdict, assess
from grader.worker.answer import Answer, Returned, TimedOut
from grader.worker.host import Session

ROUNDS = 8
ATTEMPTS = 3  # a busy moment of the machine must not cost a point: the best of three counts
HIGHEST = 10.0  # the ratio beyond which nothing is believed: a pause of the machine fell into the difference
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


class Stopwatch:
    """Times one submission's functions.

    Parameters
    ----------
    session : the student's guest, native
    oracle : has the solution's
    seed : what the fresh inputs are drawn from
    seconds : a call's limit
    """

    def __init__(self, session: Session, oracle: Oracle, seed: str, seconds: float):
        self.session = session
        self.oracle = oracle
        self.seed = seed
        self.seconds = seconds

    def best(self, exercise: Exercise) -> Timing | Verdict:
        """The best of a few measurements, or what was wrong with an answer.

        A call that does not end in time is a very slow one, not a wrong one.
        """
        assert exercise.speed is not None
        best = None
        with _ONE_AT_A_TIME:
            for attempt in range(ATTEMPTS):
                timing = self.measure(exercise, attempt)
                if isinstance(timing, Verdict):
                    return timing
                best = timing if best is None or timing.ratio > best.ratio else best
                if best.ratio >= exercise.speed.full or best.ratio <= exercise.speed.floor / 2:
                    break
        assert best is not None
        return best

    def measure(self, exercise: Exercise, attempt: int = 0) -> Timing | Verdict:
        """One measurement: a call of each to warm up, then `ROUNDS` of each, taking turns at being the first."""
        yours, solution = [], []
        for number, case in enumerate(self._cases(exercise, attempt)):
            right, answer = self._pair(exercise, case, yours_first=bool(number % 2))
            if isinstance(answer, TimedOut) and answer.step == "call":
                return Timing(self.seconds, right.inside)
            verdict, _ = assess(exercise, [Outcome(case, (right.value, right.changed), answer)], NATIVE)
            if verdict.status != PASSED or not isinstance(answer, Returned):
                return verdict
            if number:
                yours.append(answer.seconds - (right.seconds - right.inside))
                solution.append(right.inside)
        return Timing(max(median(yours), median(solution) / HIGHEST), median(solution))

    def _pair(self, exercise: Exercise, case: Case, yours_first: bool) -> tuple[Returned, Answer]:
        """The solution's answer and the student's, one right after the other."""

        def ask() -> Answer:
            return self.session.call(
                exercise.module, exercise.name, case.arguments, exercise.changes, exercise.compiled, self.seconds
            )

        if yours_first:
            answer = ask()
            return self.oracle.timed(exercise, case), answer
        right = self.oracle.timed(exercise, case)
        return right, ask()

    def _cases(self, exercise: Exercise, attempt: int) -> Iterator[Case]:
        """Inputs that no call has seen, so that nothing is gained by remembering answers."""
        assert exercise.speed is not None
        for number in range(ROUNDS + 1):
            case = exercise.speed.make_case(Draw(f"{self.seed} {exercise.id} timed {attempt} {number}"))
            case.large = True
            yield case

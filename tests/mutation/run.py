"""Do the cases notice every mutant? `python -m tests.mutation.run [CHAPTER…]`

A mutant runs where a student's code runs, in a guest, interpreted, on all small cases of its exercise, and is dropped
at the first that it fails. Interpreted code shows no dtype, so what is left is judged once more, compiled; CUDA kernels
run on the simulated device, with their budgets. A survivor then asks for another case, or is explained in
`equivalent.py`. Exits with 1 when a survivor is unexplained.
"""

from __future__ import annotations

import dataclasses
import queue
import sys
import zlib
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

from grader import catalogue
from grader.exercise import Case, Chapter, Exercise
from grader.kernels import ORDERS
from grader.oracle import Oracle, solutions
from grader.result import PASSED, SIMULATED
from grader.verdict import Outcome, Verdict, assess
from grader.worker.answer import Returned
from grader.worker.host import Limits, Session, Worker, launch_of

from .equivalent import EQUIVALENT
from .mutants import Mutant, mutants_of

LANES = 2
SECRET = "mutation"
HANG_SECONDS = 2.0  # at least; longer where the solution itself is slow
MODES = {"interpreted": "interpreted", "compiled": "checked", SIMULATED: "simulated"}


@dataclasses.dataclass
class Report:
    """What became of one chapter's mutants."""

    module: str
    total: int
    survivors: list[str]
    left_out: frozenset[str] = frozenset()

    @property
    def unexplained(self) -> list[str]:
        return [description for description in self.survivors if description not in EQUIVALENT]

    @property
    def stale(self) -> list[str]:
        """What is called equivalent, but is no mutant any more or is noticed."""
        still = {*self.survivors, *self.left_out}
        return [entry for entry in EQUIVALENT if entry.startswith(f"{self.module}.") and entry not in still]

    def __str__(self) -> str:
        same = len(self.survivors) - len(self.unexplained)
        return f"{self.module}: {self.total - len(self.survivors)}/{self.total} killed, {same} equivalent"


class Exam:
    """An exercise's small cases with the right answers, drawn once for all of its mutants."""

    def __init__(self, exercise: Exercise, oracle: Oracle):
        cases = [case for case in _all_cases(exercise) if _is_small(exercise, case)]
        # A wrong answer need not be explained here, and the numeric gradient only looks for what the comparison with
        # the reference sees more sharply. A whole network's small cases are answered interpreted: that saves minutes.
        self.exercise = dataclasses.replace(exercise, mistakes=[], make_objective=None, whole=False)
        self.cases = list(zip(cases, oracle.expected(self.exercise, cases), strict=True))
        self.stage = SIMULATED if exercise.cuda else "interpreted"
        self.seconds = HANG_SECONDS
        self._calibrate(oracle.worker)

    def mutants(self) -> list[Mutant]:
        module = self.exercise.module
        return mutants_of(module, solutions().modules[module].text, self.exercise.name)

    def passes(self, text: str, worker: Worker, stage: str) -> bool:
        """Whether the module's text, in place of the solution's own, gets every case right."""
        return all(self._verdict(outcome, stage).status == PASSED for outcome in self._outcomes(text, worker, stage))

    def _verdict(self, outcome: Outcome, stage: str) -> Verdict:
        return assess(self.exercise, [outcome], stage)[0]

    def _outcomes(self, text: str, worker: Worker, stage: str) -> Iterator[Outcome]:
        exercise = self.exercise
        sources = {**solutions().sources, exercise.module: (f"{exercise.module}.py", text)}
        with Session(worker, sources, MODES[stage], Limits(call=self.seconds)) as session:
            for case, right in self.cases:
                asked = (exercise.module, exercise.name, case.arguments, exercise.changes, exercise.compiled)
                orders = ORDERS if exercise.cuda == "kernel" else ORDERS[:1]
                for order in orders:
                    launch = launch_of(case.launch, order, trace=order == 0) if exercise.cuda else None
                    yield Outcome(case, right, session.call(*asked, self.seconds, launch))

    def _calibrate(self, worker: Worker) -> None:
        """Let the solution itself through: if it fails, every mutant would count as killed for the wrong reason."""
        self.seconds = 60.0
        outcomes = list(self._outcomes(solutions().modules[self.exercise.module].text, worker, self.stage))
        verdicts = [self._verdict(outcome, self.stage) for outcome in outcomes]
        wrong = [verdict.message for verdict in verdicts if verdict.status != PASSED]
        if wrong or not outcomes:
            raise AssertionError(f"{self.exercise.id}: the solution fails: {wrong[0] if wrong else 'no small cases'}")
        slowest = max(outcome.answer.seconds for outcome in outcomes if isinstance(outcome.answer, Returned))
        self.seconds = max(HANG_SECONDS, 10 * slowest)


def _all_cases(exercise: Exercise) -> list[Case]:
    return exercise.public_cases() + exercise.hidden_cases(SECRET)


def _is_small(exercise: Exercise, case: Case) -> bool:
    return not case.large and not (exercise.whole and case.expected is not None)


def judge(chapters: Iterable[Chapter], every: int = 1) -> Iterator[Report]:
    """Run the mutants of all exercises, chapter by chapter: all of them, or a fixed one of so many."""
    with ExitStack() as stack:
        workers: queue.SimpleQueue[Worker] = queue.SimpleQueue()
        for _ in range(LANES):
            workers.put(stack.enter_context(Worker()))
        lanes = stack.enter_context(ThreadPoolExecutor(LANES))
        for chapter in chapters:
            yield _judge_chapter(chapter, workers, lanes, every)


def is_chosen(mutant: Mutant, every: int) -> bool:
    """Whether a mutant belongs to the fixed part that is run; its description alone decides."""
    return zlib.crc32(mutant.description.encode()) % every == 0


def _judge_chapter(
    chapter: Chapter, workers: queue.SimpleQueue[Worker], lanes: ThreadPoolExecutor, every: int
) -> Report:
    def exam_of(exercise: Exercise) -> Exam:
        worker = workers.get()
        try:
            oracle = Oracle(worker)
            exam = Exam(exercise, oracle)
            oracle.close()
            return exam
        finally:
            workers.put(worker)

    def survives(sitting: tuple[Exam, Mutant]) -> bool:
        exam, mutant = sitting
        worker = workers.get()
        try:
            if not exam.passes(mutant.text, worker, exam.stage):
                return False
            if mutant.description in EQUIVALENT or not exam.exercise.compiled:
                return True
            return exam.passes(mutant.text, worker, "compiled")
        finally:
            workers.put(worker)

    exams = list(lanes.map(exam_of, chapter.exercises))
    everything = [(exam, mutant) for exam in exams for mutant in exam.mutants()]
    sittings = [(exam, mutant) for exam, mutant in everything if is_chosen(mutant, every)]
    left_out = frozenset(mutant.description for _, mutant in everything if not is_chosen(mutant, every))
    outcomes = lanes.map(survives, sittings)
    survivors = [mutant.description for (_, mutant), alive in zip(sittings, outcomes, strict=True) if alive]
    return Report(chapter.module, len(sittings), survivors, left_out)


def main(names: list[str]) -> int:
    wanted = {exercise.module for exercise in catalogue.select(names)}
    unexplained = 0
    for report in judge(chapter for chapter in catalogue.chapters() if chapter.module in wanted):
        print(report)
        for description in report.unexplained:
            print(f"  survives: {description}")
        for entry in report.stale:
            print(f"  stale in equivalent.py: {entry}")
        unexplained += len(report.unexplained)
    return 1 if unexplained else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""What the CUDA kernels of one submission go through: a simulated device, a compiler, a real device.

simulated : every case, a kernel's with the threads in several orders, of which the first is traced for its budgets
compiled : for several targets, with the types of the arguments that the simulated device has seen
device : every case again, on the GPU of this machine
"""

from __future__ import annotations

from typing import Any

from grader import budget, kernel_words, levels, words
from grader.exercise import Case, Exercise
from grader.result import COMPILED, DEVICE, PASSED, SIMULATED, ExerciseResult
from grader.submission import Submission
from grader.verdict import Outcome, Verdict, assess
from grader.worker.answer import Answer, Garbled, Raised, Returned
from grader.worker.guest.gpu.guard import describe
from grader.worker.host import Limits, Session, Worker, launch_of

ORDERS = (0, 1)  # of a kernel's threads: the natural one, and one that is shuffled anew behind each barrier


class DeviceTrouble(Exception):
    """The device, and not the kernel, is what failed."""


class Kernels:
    """The kernels of one submission.

    Parameters
    ----------
    submission, worker, limits : as the judge has them
    """

    def __init__(self, submission: Submission, worker: Worker, limits: Limits):
        self.submission = submission
        self.worker = worker
        self.limits = limits
        self._sessions: dict[str, Session] = {}
        self._launches: dict[str, list[tuple[str, str, Any]]] = {}  # exercise id -> kernels and their argument types
        self._compiled: dict[
            str, tuple[int, str, Verdict]
        ] = {}  # exercise id -> how many of these, and what came of it

    def close(self) -> None:
        for session in self._sessions.values():
            session.close()

    def session(self, level: str) -> Session:
        """The guest of a level, opened when first needed."""
        if level not in self._sessions:
            worker = self.worker.for_device() if level == DEVICE else self.worker
            self._sessions[level] = Session(worker, self.submission.sources, levels.MODES[level], self.limits)
        return self._sessions[level]

    def run(self, exercise: Exercise, level: str, case: Case, right: object) -> Outcome:
        """One case of a kernel, or of what launches kernels.

        Raises
        ------
        DeviceTrouble : the device is busy, full or broken
        """
        seconds = case.seconds or self.limits.call
        if level == DEVICE:
            seconds += self.limits.compile  # the first call makes the driver ready and compiles
        asked = (exercise.module, exercise.name, case.arguments, exercise.changes, False, seconds)
        session = self.session(level)
        budgeted = bool(exercise.reads or exercise.writes or exercise.sectors)
        # What a host function launches are exercises of their own, which were tried in other orders.
        several = level == SIMULATED and exercise.cuda == "kernel"
        for order in ORDERS if several else ORDERS[:1]:
            traced = budgeted and level == SIMULATED and order == 0
            answer = session.call(*asked, launch_of(case.launch, order, trace=traced))
            outcome = Outcome(case, right, _counted(exercise, answer) if traced else answer, order > 0)
            if assess(exercise, [outcome], level)[0].status != PASSED:
                break
        if level == DEVICE and isinstance(outcome.answer, Raised):
            session.close()  # after an error the device answers nothing from this process
            if kernel_words.is_trouble(outcome.answer.message) and levels.device_obstacle(self.worker):
                raise DeviceTrouble(outcome.answer.message)
        self._note_launches(exercise, case, outcome.answer)
        return outcome

    def compile(self, exercise: Exercise) -> Verdict:
        """What a compiler says of the kernels that ran on the simulated device."""
        kernels = self._launches.get(exercise.id, [])
        count, _, verdict = self._compiled.get(exercise.id, (0, "", Verdict(PASSED)))
        if count == len(kernels):
            return verdict
        answer = self.session(COMPILED).assemble(exercise.module, exercise.name, kernels)
        if not isinstance(answer, tuple):
            return Verdict(*words.explain(exercise, answer))
        for kernel in answer:
            if kernel.problem:
                failure = Raised("compile", "CompileError", kernel.problem)
                return Verdict(*kernel_words.not_compiled(kernel, *words.explain(exercise, failure)))
        verdict = Verdict(PASSED, help=kernel_words.doubles(answer))
        told = kernel_words.compiled(answer) if answer else ""  # kernels made within functions cannot be found
        self._compiled[exercise.id] = len(kernels), told, verdict
        return verdict

    def tell(self, exercise: Exercise, result: ExerciseResult, trouble: str = "") -> None:
        """Say of a right kernel how far it was tried, what it was not tried on, and why."""
        tools = levels.tools(self.worker)
        told = self._compiled[exercise.id][1] if exercise.id in self._compiled else ""
        if not told and result.level == COMPILED:
            result.level = SIMULATED
        missing, obstacle = (levels.UNDONE[DEVICE], kernel_words.trouble(trouble)) if trouble else tools.missing
        on = "" if missing else tools.facts.get("device", "")
        result.message = kernel_words.level(exercise, told, missing, obstacle, on)

    def _note_launches(self, exercise: Exercise, case: Case, answer: Answer) -> None:
        """Which kernels a compiler is to be shown, and for which types of arguments."""
        known = self._launches.setdefault(exercise.id, [])
        if exercise.cuda == "kernel":
            found = [(exercise.module, exercise.name, [describe(value) for value in case.arguments.values()])]
        else:
            noticed = answer.noticed if isinstance(answer, Returned) else None
            found = list(noticed.launches) if noticed else []
        known += [launch for launch in found if launch not in known]


def _counted(exercise: Exercise, answer: Answer) -> Answer:
    """The answer to a call whose traffic was to be counted; none where an array with a budget is left out."""
    if isinstance(answer, Returned) and answer.noticed is not None:
        untold = budget.untold(exercise, answer.noticed)
        if untold:
            return Garbled("call", f"no count of how often {untold} is read and written")
    return answer

"""A submission through its exercises: static look, interpreted, compiled, as written -> results.

interpreted : plain Python; real tracebacks, a first verdict at once
compiled : nopython mode proven, bounds checked, every case, the dtype
native : as the student wrote it: for parallel functions (a race shows) and for whole networks
simulated, compiled, device : what CUDA kernels go through instead, see levels.py
Where points grow with speed, a right answer is then timed beside the solution, as written.
"""

from __future__ import annotations

import ast
import functools
import time
from collections.abc import Callable, Iterable, Sequence
from types import TracebackType

from grader import catalogue, kit, levels, rules, words
from grader.exercise import Case, Exercise
from grader.kernels import DeviceTrouble, Kernels
from grader.memory import Memory
from grader.oracle import Oracle
from grader.result import (
    BLOCKED,
    COMPILED,
    FAILED,
    INTERPRETED,
    NATIVE,
    PASSED,
    TIMED,
    TODO,
    CaseResult,
    ExerciseResult,
    Record,
)
from grader.speed import RIGHT_SHARE
from grader.stopwatch import Stopwatch, Wrong
from grader.submission import Submission, is_stub
from grader.syntax import SyntaxProblem
from grader.verdict import Outcome, Verdict, assess
from grader.worker.answer import NotCompiled, Raised, Returned, TimedOut
from grader.worker.host import Limits, Session, Worker

MODES = {INTERPRETED: "interpreted", COMPILED: "checked", NATIVE: "native"}
RACE_REPEATS = 4
INTERPRETED_SECONDS = 5.0
WHOLE_INTERPRETED_SECONDS = 30.0  # a small case of a network takes up to a second, on a busy machine several
RANDOMNESS = ("rng", "uniforms")  # the arguments that bring randomness with them

StageWatcher = Callable[[Exercise, str, Verdict], None]


class Judge:
    """Judges one submission.

    Parameters
    ----------
    submission : what was handed in
    worker : where it runs
    oracle : what is right
    secret : seed of the hidden cases; None judges the public cases only
    watch : told of every stage's verdict as soon as it is there
    memory : verdicts of earlier checks, recalled where they still hold, and where new ones are kept
    """

    def __init__(
        self,
        submission: Submission,
        worker: Worker,
        oracle: Oracle,
        secret: str | None = None,
        limits: Limits | None = None,
        watch: StageWatcher | None = None,
        memory: Memory | None = None,
    ):
        self.submission = submission
        self.oracle = oracle
        self.secret = secret
        self.limits = limits or Limits()
        self.watch = watch or (lambda exercise, stage, verdict: None)
        self.memory = memory
        self.worker = worker
        self._sessions = {
            stage: Session(worker, submission.sources, mode, self.limits) for stage, mode in MODES.items()
        }
        self._kernels = Kernels(submission, worker, self.limits)
        self.faults: dict[str, str] = {}  # exercise id -> what of the kit itself failed there, for whoever runs it
        self._asked: list[Exercise] = []
        self._results: dict[str, ExerciseResult] = {}
        self._end = 0.0

    def __enter__(self) -> Judge:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close()

    def results(self, exercises: Iterable[Exercise]) -> Iterable[ExerciseResult]:
        """One result after the other, as they come."""
        self._asked = list(exercises)
        for exercise in self._asked:
            yield self.result(exercise)

    def result(self, exercise: Exercise) -> ExerciseResult:
        """The verdict on one exercise; a failure is blamed on a prerequisite where one that it calls fails too."""
        if exercise.id not in self._results:
            self._judge_group(self._group(exercise))
        return self._results[exercise.id]

    def _group(self, exercise: Exercise) -> list[Exercise]:
        """What is judged together: one exercise, or, where there are hidden cases, all that is asked of its module."""
        if self.secret is None:
            return [exercise]
        asked = [other for other in self._asked if other.module == exercise.module and other.id not in self._results]
        return asked if exercise in asked else [*asked, exercise]

    def _judge_group(self, group: list[Exercise]) -> None:
        """The public cases of all, then the hidden ones of those that are right so far.

        In this order a function that has seen hidden inputs cannot pass them to a neighbour in the same guest, whose
        numbers and words the student gets to read.
        """
        judged = []
        for exercise in group:
            known = self.memory.recall(self.submission, exercise) if self.memory else None
            self._results[exercise.id] = known or ExerciseResult(exercise.id, exercise.points)
            if known is None:
                judged.append(exercise)
                self._guarded(exercise, functools.partial(self._judge, exercise.public_cases))
            elif known.status == PASSED and known.score < known.points:
                judged.append(exercise)  # it was too slow a moment ago; the machine may be less busy now
        for exercise in judged:
            if self.secret is not None and self._results[exercise.id].status == PASSED:
                hidden = functools.partial(exercise.hidden_cases, self.secret)
                self._guarded(exercise, functools.partial(self._judge, hidden))
        for exercise in judged:
            result = self._results[exercise.id]
            if exercise.speed is not None and result.status == PASSED:
                self._time(exercise, result)
            if result.status == FAILED and not result.mistake:
                self._blame_randomness(exercise, result)
                self._blame_memory(exercise, result)
            if result.status not in (PASSED, TODO):
                self._blame_prerequisites(exercise, result)
            messages: list[ExerciseResult | CaseResult] = [result, *result.cases]
            for told in messages:
                told.message = self.submission.located(told.message)
            if self.memory and exercise.id not in self.faults:
                self.memory.keep(self.submission, exercise, result)

    def _guarded(self, exercise: Exercise, step: Callable[[Exercise, ExerciseResult], None]) -> None:
        """Take a step of the judging; a failure of the kit itself costs this exercise, and is noted, but nothing else.

        What a step leaves as passed has its full score, unless it says otherwise.
        """
        result = self._results[exercise.id]
        started = time.perf_counter()
        result.score = exercise.points
        try:
            step(exercise, result)
        except Exception as fault:
            result.status, result.message, result.help = words.fault(exercise, fault)
            self.faults[exercise.id] = words.origin(fault)
            self._close()
        if result.status != PASSED:
            result.score = 0.0
        result.seconds += time.perf_counter() - started

    def _judge(self, make_cases: Callable[[], list[Case]], exercise: Exercise, result: ExerciseResult) -> None:
        began = time.monotonic()
        problem = static_problem(self.submission, exercise)
        looked = time.monotonic() - began  # counts as the student's; making the cases does not
        if problem:
            result.status, result.message, result.help = problem
            return
        cases = make_cases()
        self._end = time.monotonic() + self._budget(exercise) - looked
        for stage in self._stages(exercise):
            chosen = _cases_of(exercise, stage, cases)
            if not chosen:
                continue
            if self._must_be_numbas(exercise, stage) and not rules.is_numbas(self.submission, exercise):
                result.status, result.message, result.help = words.explain(exercise, NotCompiled())
                break
            try:
                verdict, seen = self._run_stage(exercise, stage, chosen)
            except DeviceTrouble as trouble:
                self._kernels.tell(exercise, result, str(trouble))
                return
            result.cases = _merge(result.cases, seen)
            self.watch(exercise, stage, verdict)
            result.status, result.message, result.help = verdict.status, verdict.message, verdict.help
            result.mistake, result.output = verdict.mistake, verdict.output
            result.level = stage if exercise.cuda else ""
            if verdict.status != PASSED:
                break
        if exercise.cuda and result.status == PASSED:
            self._kernels.tell(exercise, result)

    def _time(self, exercise: Exercise, result: ExerciseResult) -> None:
        """Points by speed; an answer that is wrong only when it is timed is wrong."""
        assert exercise.speed is not None
        self.watch(exercise, TIMED, Verdict(PASSED))
        started = time.perf_counter()
        hidden = self.secret is not None
        try:
            timing = Stopwatch(self._sessions[NATIVE], self.oracle, self.limits.call, hidden).best(exercise)
        except Exception as fault:  # of the kit: what was proven right before keeps its share
            self.faults[exercise.id] = words.origin(fault)
            result.score = round(exercise.points * RIGHT_SHARE, 1)
            result.message, result.help = words.untimed(exercise, result.score)
            return
        finally:
            result.seconds += time.perf_counter() - started
        if isinstance(timing, Wrong):
            verdict = timing.verdict
            result.cases = _merge(result.cases, timing.cases)
            result.status, result.message, result.help = verdict.status, verdict.message, verdict.help
            result.score = 0.0
            return
        result.ratio = round(timing.ratio, 3)
        result.score = round(exercise.points * exercise.speed.share(timing.ratio), 1)
        result.message, result.help = words.speed(exercise, timing.ratio, result.score)

    def _budget(self, exercise: Exercise) -> float:
        return self.limits.whole if exercise.whole else self.limits.exercise

    def _stages(self, exercise: Exercise) -> Sequence[str]:
        if exercise.cuda:
            return levels.tools(self.worker).stages
        if exercise.whole:
            return INTERPRETED, NATIVE
        if not exercise.compiled:
            return (INTERPRETED,)
        if self._is_parallel(exercise):
            return INTERPRETED, COMPILED, NATIVE
        return INTERPRETED, COMPILED

    @staticmethod
    def _must_be_numbas(exercise: Exercise, stage: str) -> bool:
        """Whether one of numba's decorators must stand above the function."""
        return exercise.cuda == "kernel" or (stage != INTERPRETED and exercise.compiled)

    def _is_parallel(self, exercise: Exercise) -> bool:
        """Whether the function itself asks numba for threads; one that only calls such a function cannot race."""
        function = self.submission.modules[exercise.module].functions[exercise.name]
        keywords = [
            keyword
            for decorator in function.decorator_list
            if isinstance(decorator, ast.Call)
            for keyword in decorator.keywords
        ]
        return any(
            keyword.arg == "parallel" and not (isinstance(keyword.value, ast.Constant) and not keyword.value.value)
            for keyword in keywords
        )

    def _run_stage(self, exercise: Exercise, stage: str, cases: list[Case]) -> tuple[Verdict, list[CaseResult]]:
        """One stage; what fails where other functions have run before is looked at again where none has."""
        if exercise.cuda and stage == COMPILED:
            return self._kernels.compile(exercise), []
        verdict, seen = self._run_cases(exercise, stage, cases)
        session = self._kernels.session(stage) if exercise.cuda else self._sessions[stage]
        if verdict.status != PASSED and not verdict.mistake and session.shared(exercise.name):
            session.close()  # a neighbour may have tampered with numpy
            verdict, seen = self._run_cases(exercise, stage, cases)
        return verdict, seen

    def _run_cases(self, exercise: Exercise, stage: str, cases: list[Case]) -> tuple[Verdict, list[CaseResult]]:
        expected = self.oracle.expected(exercise, cases)
        outcomes = []
        for case, right in zip(cases, expected, strict=True):
            if time.monotonic() > self._end:
                outcomes.append(Outcome(case, right, TimedOut("exercise", self._budget(exercise))))
                break
            outcome = self._run_case(exercise, stage, case, right)
            outcomes.append(outcome)
            if not isinstance(outcome.answer, (Returned, Raised)):
                break  # a hang or a crash would come again with every case
            if isinstance(outcome.answer, Raised) and outcome.answer.step != "call":
                break
        verdict, seen = assess(exercise, outcomes, stage)
        if stage == NATIVE and verdict.status == FAILED and not exercise.whole and not verdict.mistake:
            verdict.message, verdict.help = words.race(exercise)
        return verdict, seen

    def _run_case(self, exercise: Exercise, stage: str, case: Case, right: object) -> Outcome:
        if exercise.cuda:
            return self._kernels.run(exercise, stage, case, right)
        session = self._sessions[stage]
        seconds = self._seconds(exercise, stage, case)
        repeats = RACE_REPEATS if stage == NATIVE and not exercise.whole else 1
        for _ in range(repeats):
            answer = session.call(
                exercise.module, exercise.name, case.arguments, exercise.changes, exercise.compiled, seconds
            )
            outcome = Outcome(case, right, answer)
            if repeats > 1 and assess(exercise, [outcome], stage)[0].status != PASSED:
                break
        return outcome

    def _close(self) -> None:
        """End all guests; new ones begin where they are needed."""
        for session in self._sessions.values():
            session.close()
        self._kernels.close()

    def _seconds(self, exercise: Exercise, stage: str, case: Case) -> float:
        """How long a call may take."""
        seconds = case.seconds or self.limits.call
        if stage == INTERPRETED:
            return min(WHOLE_INTERPRETED_SECONDS if exercise.whole else INTERPRETED_SECONDS, seconds)
        # A whole network is plain Python over compiled functions, which compile inside its first call.
        return seconds if exercise.compiled else self.limits.compile + seconds

    def _blame_randomness(self, exercise: Exercise, result: ExerciseResult) -> None:
        """Say so where a function that is given its randomness draws it from NumPy's global generator."""
        given = [name for name in exercise.parameters if name in RANDOMNESS]
        function = self.submission.modules[exercise.module].functions[exercise.name]
        names = {ast.unparse(node) for node in ast.walk(function) if isinstance(node, ast.Attribute)}
        if given and names & {"np.random", "numpy.random"}:
            result.help = words.foreign_randomness(given[0])

    def _blame_memory(self, exercise: Exercise, result: ExerciseResult) -> None:
        """Say so where a wrong function adds to an array that began with whatever lay in memory."""
        function = self.submission.modules[exercise.module].functions[exercise.name]
        names = sorted(made_empty(function) & added_to(function))
        if names:
            result.help = words.added_to_empty(names[0])

    def _blame_prerequisites(self, exercise: Exercise, result: ExerciseResult) -> None:
        """Turn a failure into *blocked* where a prerequisite that the function calls is missing or wrong."""
        called = {f"{module}.{name}" for module, name in self.submission.closure(exercise.module, exercise.name)}
        failing = {}
        for other in catalogue.exercises().values():
            if other.id in called - {exercise.id}:
                status = self.result(other).status
                if status not in (PASSED, BLOCKED):
                    failing[other.name] = status
        if failing:
            several, found = len(failing) > 1, set(failing.values())
            if found == {TODO}:
                why = "are not written yet" if several else "is not written yet"
            else:
                why = "are not right yet" if TODO in found else "fail too" if several else "fails too"
            result.status, result.message, result.help = words.blocked(exercise, list(failing), why)
            result.mistake = ""


def record_of(
    handed_in: Submission,
    results: Sequence[ExerciseResult],
    worker: Worker,
    secret: str | None = None,
    name: str = "",
    seconds: float = 0.0,
) -> Record:
    """The results on a submission as one record; `name` is what it is called, where it is not by its own."""
    return Record(
        name or handed_in.name,
        kit.version(),
        worker.isolation.name,
        list(results),
        handed_in.digest,
        kit.exam_hash(secret),
        handed_in.notes,
        seconds,
    )


def static_problem(submission: Submission, exercise: Exercise) -> tuple[str, str, str] | None:
    """Status, message and advice that a look at the syntax tree gives before anything runs; None where all is well."""
    module = submission.modules.get(exercise.module)
    if module is None:
        return words.missing_module(exercise)
    broken = module.tree if isinstance(module.tree, SyntaxProblem) else module.broken.get(exercise.name)
    if broken:
        return words.syntax_error(exercise, module.path, broken.line, broken.message, broken.source)
    function = module.functions.get(exercise.name)
    if function is None:
        return words.missing_function(exercise, module.path)
    if is_stub(function):
        return TODO, "", ""
    breach = rules.breach(submission, exercise)
    if breach:
        return words.breach(exercise, breach)
    names = _parameters(function)
    if names is not None and names != list(exercise.parameters):
        return words.wrong_parameters(exercise, module.path, function.lineno, names)
    return None


def made_empty(function: ast.FunctionDef) -> set[str]:
    """The names of arrays that np.empty or np.empty_like made."""
    return {
        target.id
        for node in ast.walk(function)
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call)
        if ast.unparse(node.value.func).endswith((".empty", ".empty_like"))
        for target in node.targets
        if isinstance(target, ast.Name)
    }


def added_to(function: ast.FunctionDef) -> set[str]:
    """The names of arrays to whose elements something is added, and into which nothing is only written."""
    added, written = set(), set()
    for node in ast.walk(function):
        match node:
            case ast.AugAssign(target=ast.Subscript(value=ast.Name(id=name))):
                added.add(name)
            case ast.Assign(targets=[ast.Subscript(value=ast.Name(id=name))]):
                written.add(name)
    return added - written


def _cases_of(exercise: Exercise, stage: str, cases: list[Case]) -> list[Case]:
    """Which cases a stage runs: the small ones interpreted, all of them compiled, the large ones for races."""
    if stage == INTERPRETED and (exercise.compiled or exercise.whole):
        return [case for case in cases if not case.large and (case.expected is None or not exercise.whole)]
    if stage == NATIVE and not exercise.whole:
        return [case for case in cases if case.large] or cases
    return cases


def _merge(earlier: list[CaseResult], later: list[CaseResult]) -> list[CaseResult]:
    """One entry per case: what the latest stage that ran it saw."""
    merged = {(case.case, case.hidden): case for case in earlier}
    merged |= {(case.case, case.hidden): case for case in later}
    return list(merged.values())


def _parameters(function: ast.FunctionDef) -> list[str] | None:
    """The argument names, or None where defaults, * or ** make the signature a matter of the call."""
    arguments = function.args
    if arguments.vararg or arguments.kwarg or arguments.kwonlyargs:
        return None
    return [argument.arg for argument in (*arguments.posonlyargs, *arguments.args)]

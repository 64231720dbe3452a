"""The student's loop: judge what changed, tell it at once, and again whenever a file is saved."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from grader import submission
from grader.exercise import Exercise
from grader.judge import Judge, StageWatcher, record_of, static_problem
from grader.memory import Memory
from grader.oracle import Oracle, default_folder
from grader.problem import Problem
from grader.result import NATIVE, ExerciseResult, Record
from grader.stopwatch import Stopwatch, Timing, Wrong
from grader.submission import Submission
from grader.verdict import Verdict
from grader.worker.host import ALL_KERNELS, Limits, Session, Worker


class Checker:
    """Judges public cases of one folder of exercises, with a worker that stays.

    Parameters
    ----------
    path : the folder, module or notebook to check
    warm : compile common kernels once, for checking again and again
    """

    def __init__(self, path: Path, warm: bool = False):
        self.path = path
        self.worker = Worker(kernels=ALL_KERNELS if warm else 0)
        self.worker.start()
        self.oracle = Oracle(self.worker, default_folder())
        self.memory = Memory(path if path.is_dir() else path.parent)

    def __enter__(self) -> Checker:
        return self

    def __exit__(self, *_: object) -> None:
        self.oracle.close()
        self.worker.close()

    def read(self) -> Submission:
        """What is in the folder now."""
        return submission.read(self.path)

    def results(
        self,
        handed_in: Submission,
        exercises: Sequence[Exercise],
        watch: StageWatcher | None = None,
        again: bool = False,
    ) -> Iterator[ExerciseResult]:
        """Results one by one; a verdict on unchanged code is recalled unless `again`."""
        if not handed_in.whole:
            exercises = [exercise for exercise in exercises if exercise.module in handed_in.modules]
        if again:
            self.memory.forget(exercises)
        with Judge(handed_in, self.worker, self.oracle, watch=watch, memory=self.memory) as judge:
            for exercise in exercises:
                yield judge.result(exercise)

    def timings(self, handed_in: Submission, exercises: Sequence[Exercise]) -> Iterator[Timing | Verdict]:
        """Each exercise timed beside its solution, or why it cannot be."""
        limits = Limits()
        with Session(self.worker, handed_in.sources, NATIVE, limits) as session:
            stopwatch = Stopwatch(session, self.oracle, limits.call)
            for exercise in exercises:
                problem = static_problem(handed_in, exercise)
                timing = Verdict(*problem) if problem else stopwatch.best(exercise)
                yield timing.verdict if isinstance(timing, Wrong) else timing

    def record(self, handed_in: Submission, results: Sequence[ExerciseResult]) -> Record:
        """The results on this submission as one record."""
        return record_of(handed_in, results, self.worker)


def changes(path: Path) -> Iterator[None]:
    """Yield whenever a Python file or notebook under `path` was saved.

    Raises
    ------
    Problem : the folder cannot be watched
    """
    import watchfiles

    def is_code(_: watchfiles.Change, name: str) -> bool:
        return name.endswith((".py", ".ipynb"))

    try:
        for _ in watchfiles.watch(path, watch_filter=is_code, debounce=60, step=10, rust_timeout=1000):
            yield
    except (OSError, RuntimeError) as error:
        raise Problem(f"{path} cannot be watched ({error}).", "Run `kata check` after each change instead.") from None

"""pytest as a face: `pytest exercises/ch05_dense.py` gives the verdicts of `kata check`, one test per case.

An untouched stub is *todo*, not a failure. Exercise modules are never imported here: the judge runs them in a guest.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from grader.catalogue import MODULES
from grader.problem import Problem

if TYPE_CHECKING:
    from grader.exercise import Exercise
    from grader.result import CaseResult, ExerciseResult

# The kit's own files about a chapter bear its name as well.
NOT_EXERCISES = [Path(__file__).resolve().parent, Path(__file__).resolve().parent.parent / "tests"]
FILES = {name.removeprefix("chapters.").replace(".", "/") + ".py" for name in MODULES}


class Judging:
    """The judges of one pytest run, one per submission folder, on one worker."""

    def __init__(self) -> None:
        self._checkers: dict[Path, Any] = {}
        self._judges: dict[Path, Any] = {}
        self.results: dict[str, ExerciseResult] = {}

    def result(self, folder: Path, exercise: Exercise) -> ExerciseResult:
        """The verdict on an exercise; judged once per run."""
        from grader import submission
        from grader.check import Checker
        from grader.judge import Judge

        if folder not in self._judges:
            checker = self._checkers[folder] = Checker(folder)
            self._judges[folder] = Judge(submission.read(folder), checker.worker, checker.oracle)
        result: ExerciseResult = self._judges[folder].result(exercise)
        self.results[f"{folder}:{exercise.id}"] = result
        return result

    def close(self) -> None:
        for judge in self._judges.values():
            judge.__exit__(None, None, None)
        for checker in self._checkers.values():
            checker.__exit__()


JUDGING = pytest.StashKey[Judging]()


class WrongAnswer(Exception):
    """A case that did not pass."""

    def __init__(self, result: ExerciseResult, case: CaseResult | None):
        super().__init__(result.message)
        self.result = result
        self.case = case


class ExerciseModule(pytest.File):
    """A module of exercises, the student's or the solutions'."""

    def collect(self) -> Iterator[pytest.Item]:
        from grader import catalogue, submission
        from grader.submission import is_stub
        from grader.syntax import SyntaxProblem

        folder, name = submission.place_of(self.path)
        module = submission.read(folder).modules.get(name)
        for exercise in catalogue.exercises().values():
            if exercise.module != name:
                continue
            function = module.functions.get(exercise.name) if module else None
            broken = module is None or isinstance(module.tree, SyntaxProblem)
            if function is None or broken or is_stub(function):
                yield self._item(exercise.name, exercise, folder, None)
            else:
                for case in exercise.public_cases():
                    yield self._item(f"{exercise.name}[{case.rationale}]", exercise, folder, case.rationale)

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        return str(excinfo.value) if isinstance(excinfo.value, Problem) else super().repr_failure(excinfo)

    def _item(self, name: str, exercise: Exercise, folder: Path, case: str | None) -> CaseItem:
        item: CaseItem = CaseItem.from_parent(self, name=name, exercise=exercise, folder=folder, case=case)
        item.add_marker(exercise.name)
        item.add_marker(exercise.module.rpartition(".")[2])
        return item


class CaseItem(pytest.Item):
    """One public case of one exercise; `case` None stands for the exercise where it has no cases to run."""

    def __init__(self, *, exercise: Exercise, folder: Path, case: str | None, **rest: Any):
        super().__init__(**rest)
        self.exercise = exercise
        self.folder = folder
        self.case = case

    def runtest(self) -> None:
        result = self.config.stash[JUDGING].result(self.folder, self.exercise)
        if result.status == "todo":
            pytest.skip(f"todo: {self.exercise.name}")
        own = [case for case in result.cases if case.case == self.case]
        if result.status == "passed" or (own and own[0].status == "passed" and self._is_told_elsewhere(result)):
            return
        if not own and self._is_told_elsewhere(result):
            pytest.skip("not run: an earlier case ended the exercise")
        raise WrongAnswer(result, own[0] if own else None)

    @staticmethod
    def _is_told_elsewhere(result: ExerciseResult) -> bool:
        """Whether another case's test shows the failure."""
        return any(case.status != "passed" for case in result.cases)

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        from grader.reports.terminal import plain

        error = excinfo.value
        if not isinstance(error, WrongAnswer):
            return super().repr_failure(excinfo, style)
        message = (error.case.message if error.case else "") or error.result.message
        first = next((case for case in error.result.cases if case.status != "passed"), None)
        told = error.case is first  # help and prints are those of the first case that failed
        lines = [message, f"→ {error.result.help}" if error.result.help and (told or error.result.mistake) else ""]
        if error.case:
            lines.append(f"case: {error.case.case} ({error.case.stage})")
        if told and error.result.output.strip():
            lines.append("you printed: " + error.result.output.strip())
        return plain("\n".join(line for line in lines if line)).plain

    def reportinfo(self) -> tuple[Path, int | None, str]:
        return self.path, None, self.name


@pytest.hookimpl(wrapper=True)
def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> Generator[None, list[Any], list[Any]]:
    """Take the exercise modules, also from pytest itself, which imports a file that it is given by name."""
    collectors = yield
    if not _is_exercise_module(file_path):
        return collectors
    return [ExerciseModule.from_parent(parent, path=file_path)]


def _is_exercise_module(path: Path) -> bool:
    names = {path.name, f"{path.parent.name}/{path.name}"}
    if not names & FILES or path.parent.name == "tests":
        return False
    return not any(path.is_relative_to(folder) for folder in NOT_EXERCISES)


def pytest_configure(config: pytest.Config) -> None:
    """Register a marker per exercise and chapter, so that `-m relu` selects it."""
    from grader import catalogue

    config.stash[JUDGING] = Judging()
    for chapter in catalogue.chapters():
        config.addinivalue_line("markers", f"{chapter.module.rpartition('.')[2]}: {chapter.title}")
        for exercise in chapter.exercises:
            config.addinivalue_line("markers", f"{exercise.name}: the exercise {exercise.id}")


def pytest_unconfigure(config: pytest.Config) -> None:
    judging = config.stash.get(JUDGING, None)
    if judging:
        judging.close()


def pytest_report_teststatus(report: pytest.CollectReport | pytest.TestReport) -> tuple[str, str, Any] | None:
    if report.skipped and isinstance(report.longrepr, tuple) and "todo: " in report.longrepr[2]:
        return "todo", "·", ("TODO", {"cyan": True})
    return None


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """One line per exercise."""
    results = config.stash[JUDGING].results
    if not results:
        return
    from grader.reports.terminal import FAILURE, SIGNS

    terminalreporter.section("exercises", sep="-")
    for result in results.values():
        sign, _ = SIGNS.get(result.status, FAILURE)
        color = {"passed": {"green": True}, "todo": {"cyan": True}}.get(result.status, {"red": True})
        passed = sum(case.status == "passed" for case in result.cases)
        cases = f"{passed}/{len(result.cases)} cases" if result.cases else ""
        terminalreporter.line(f"  {sign} {result.id:<44} {result.status:<14}{cases}", **color)
        if result.ratio is not None:
            terminalreporter.line(f"      {result.message} {result.help}".rstrip())

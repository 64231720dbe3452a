"""Grade a class: find what was handed in, judge what is not graded yet, write one record each.

Every submission is judged by itself, also where two hold the same code: a message names the files of its own author.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from grader import catalogue, kit, levels, stubs
from grader.classroom import handin, late, likeness
from grader.classroom.engine import Engine, Outcome, Task, exercises_of, failure
from grader.classroom.handin import Handin
from grader.classroom.late import Policy
from grader.classroom.ledger import Ledger
from grader.classroom.parcel import File
from grader.classroom.progress import Progress
from grader.oracle import solutions
from grader.problem import Problem
from grader.result import Record
from grader.submission import MAX_FILE, Module, Submission
from grader.worker.isolation import KINDS


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
    engine : what judges
    out : where records are written, and looked for when resuming; None writes none
    again : grade also what an earlier run has graded by the same kit and secret
    isolated : grade also what an earlier run has graded without isolation
    policy : what being late costs; None for nothing
    only : ids of the exercises that count; None for all
    levels : exercise id -> the level at which a CUDA kernel must have been judged
    progress : told how far it is
    remark : told of what was found damaged, and of where being late may have cost too little
    """

    secret: str
    engine: Engine
    out: Path | None = None
    again: bool = False
    isolated: bool = False
    policy: Policy | None = None
    only: frozenset[str] | None = None
    levels: Mapping[str, str] = field(default_factory=dict)
    progress: Progress = field(default_factory=Progress)
    remark: Callable[[str], None] = lambda text: None
    _late: Counter[str] = field(default_factory=Counter, init=False, repr=False)  # "records", "untimed", "dropped"

    def run(self, paths: Sequence[Path], done: Callable[[Graded], None]) -> None:
        """Grade every submission; `done` is told of each once, as it ends.

        Raises
        ------
        Problem : records cannot be written, or would lose exercises, or the engine cannot go on; what was graded
            before is kept
        """
        self._late.clear()
        found = {one.name: one for one in handin.find(paths)}
        self.progress.expect(len(found))

        def end(graded: Graded) -> None:
            self.progress.ended(graded.name, graded.problem is not None, graded.resumed)
            if graded.record is not None:
                self._late.update(records=1, untimed=late.UNKNOWN in graded.record.notes)
            done(graded)

        with self._ledger(found) as ledger:
            tasks = []
            for one in found.values():
                graded = self._known(one, ledger)
                if graded is not None:
                    end(graded)
                else:
                    tasks.append(Task(one.name, one.read, self.only))

            if self._late["dropped"]:  # told at once: a run that is stopped has taken them out, too
                self.remark(late.dropped(self._late["dropped"]))

            def finish(outcome: Outcome) -> None:
                end(self._end_of(found[outcome.name], outcome, ledger))

            if tasks:
                if ledger is not None:
                    ledger.doubt_pairs()
                self.engine.run(tasks, finish, self.progress)
            if ledger is not None and (tasks or not ledger.has_pairs):
                ledger.note_pairs(likeness.pairs(Readings(found), given()), found)
        if self.policy is not None:
            students = [one.student for one in found.values()]
            for text in late.remarks(self.policy, students, self._late["records"], self._late["untimed"]):
                self.remark(text)

    @contextlib.contextmanager
    def _ledger(self, found: Mapping[str, Handin]) -> Iterator[Ledger | None]:
        if self.out is None:
            yield None
            return
        with Ledger(self.out, kit.exam_hash(self.secret), self.remark) as ledger:
            if self.only is not None:
                ledger.keep_whole(found, catalogue.exercises().keys() - self.only)
            ledger.clear_away(found)
            yield ledger

    def _known(self, one: Handin, ledger: Ledger | None) -> Graded | None:
        """The end of a submission that need not be judged: it cannot be read, or an earlier run has graded it.

        A record of an earlier submission does not stand for one whose content is refused.
        """
        handed_in: Submission | None = None
        try:
            handed_in = one.read()
            asked = exercises_of(handed_in, self.only)
        except Problem as problem:
            if ledger is not None and handed_in is None and _is_refused(one, problem):
                ledger.withdraw(one.name)
            return Graded(one.name, problem=problem)
        except Exception as error:
            return Graded(one.name, problem=failure(one.name, error).problem)
        earlier = ledger.find(one.name) if ledger is not None else None
        if ledger is None or earlier is None:
            return None
        self._late["dropped"] += self.policy is None and any(map(late.is_note, earlier.notes))
        if self.again or not ledger.counts(earlier, one.name, handed_in.digest, asked):
            return None
        if self.isolated and earlier.isolation not in KINDS:
            return None
        if levels.too_low(earlier.exercises, self.levels):
            return None
        record = self._stamp(earlier, one, handed_in.notes)
        if record != earlier:
            ledger.keep(record)
        return Graded(one.name, record, resumed=True)

    def _end_of(self, one: Handin, outcome: Outcome, ledger: Ledger | None) -> Graded:
        """Write the record of what was judged.

        Where the kit itself has failed, the record does not count as final: the next run judges the submission again.
        """
        if outcome.record is None:
            return Graded(one.name, problem=outcome.problem)
        record = self._stamp(outcome.record, one, outcome.record.notes)
        low = levels.too_low(record.exercises, self.levels)
        if outcome.faults or low:
            record = dataclasses.replace(record, exam_hash="")
        if ledger is not None:
            ledger.keep(record)
        return Graded(one.name, record, _fault(one.name, outcome.faults) or _too_low(one.name, low))

    def _stamp(self, record: Record, one: Handin, notes: Sequence[str]) -> Record:
        """The record with whose it is, when it was handed in, and what being late costs."""
        penalty, why = self.policy.penalty(one.student, one.submitted) if self.policy else (0.0, "")
        told = [*notes, why] if why else list(notes)
        return dataclasses.replace(record, student=one.student, submitted=one.submitted, penalty=penalty, notes=told)


def _is_refused(one: Handin, problem: Problem) -> bool:
    """Whether a problem is of what was handed in, and not that nothing is there, or that it cannot be got at now."""
    if isinstance(problem.__context__, OSError):
        return False
    if one.problem is not None:  # no reading led to it: there is nothing, or a closed folder, or a broken zip file
        return one.path is not None and os.path.isfile(one.path)
    return bool(one.parcel.files) and all(_can_be_reached(file) for file in one.parcel.files)


def _can_be_reached(file: File) -> bool:
    try:
        file.read(MAX_FILE)
    except Problem as problem:
        return not isinstance(problem.__context__, OSError)
    return True


def _fault(name: str, faults: Mapping[str, str]) -> Problem | None:
    """What to tell whoever runs the grading where the kit itself has failed; those exercises scored too little."""
    if not faults:
        return None
    told = "; ".join(f"{exercise}: {fault}" for exercise, fault in faults.items())
    return Problem(f"{name}: the grader failed on {told}.", "Look at that submission, and report it.")


def _too_low(name: str, found: Sequence[str]) -> Problem | None:
    """What to tell whoever runs the grading where kernels passed at a lower level than is required."""
    if not found:
        return None
    return Problem(f"{name}: judged at too low a level: {', '.join(found)}.", "See its record for why; grade it again.")


class Readings(Mapping[str, Submission]):
    """Submissions by name, read when asked for: a large class need not be in memory at once."""

    def __init__(self, found: Mapping[str, Handin]):
        self._found = found

    def __getitem__(self, name: str) -> Submission:
        try:
            return self._found[name].read()
        except Exception:  # it was told when the submission was to be judged
            return Submission(name, {})

    def __iter__(self) -> Iterator[str]:
        return iter(self._found)

    def __len__(self) -> int:
        return len(self._found)


def given() -> list[Submission]:
    """What looks alike in every submission, for a good reason: the stubs, and the solutions."""
    texts = {path.relative_to(kit.EXERCISES).with_suffix("").parts: text for path, text in stubs.wanted().items()}
    modules = {".".join(parts): Module(parts[-1], text) for parts, text in texts.items()}
    return [Submission("stubs", modules), solutions()]

"""The records of a class, one file per submission. They are the ledger too: what is recorded is graded.

A submission counts as graded when the record of its name is there, is sound, and tells the same hash of the same code,
judged by the same exam (kit and secret) on the same exercises. A second book, a database beside the files, could only
contradict them: each file is written whole or not at all, and one that is damaged takes no other along.

Whatever else the grader keeps lies in the folder `.deepkata` among the records.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Callable, Container, Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from grader.problem import Problem
from grader.result import Record, read_sound, write_atomically
from grader.text import counted

if TYPE_CHECKING:
    from grader.classroom.likeness import Pair
    from grader.exercise import Exercise
    from grader.result import ExerciseResult

STATE = ".deepkata"
FORMER_PAIRS = "pairs.former.json"  # the same of an earlier run, while a new one is under way
PAIRS = "pairs.json"  # in there: the submissions that look alike, see likeness.py
MOST_UNWRITTEN = 20


class Ledger:
    """The records in one folder, which is this ledger's alone from `with` to its end.

    Parameters
    ----------
    folder : where the records lie
    exam_hash : what submissions are judged by
    remark : told of every record that was found damaged, and what became of it
    """

    def __init__(self, folder: Path, exam_hash: str, remark: Callable[[str], None] = lambda text: None):
        self.folder = folder
        self.exam_hash = exam_hash
        self.remark = remark
        self._unwritten: dict[str, Record] = {}
        self._obstacle: Problem | None = None
        self._lock: Any = None

    def __enter__(self) -> Ledger:
        """Find out that records cannot be written before hours of grading, not after."""
        from filelock import FileLock, Timeout  # here: reports read this module's names, and lock nothing

        try:
            (self.folder / STATE).mkdir(parents=True, exist_ok=True)
            self._lock = FileLock(self.folder / STATE / "lock")
            self._lock.acquire(timeout=0)
        except Timeout:
            raise Problem(
                f"Another `kata grade` is writing records to {self.folder}.",
                "Wait until it has ended, or choose another folder.",
            ) from None
        except (OSError, NotImplementedError) as error:  # the latter from a file system without locks
            reason = getattr(error, "strerror", None) or str(error)
            raise Problem(f"Records cannot be written to {self.folder} ({reason}).", "Choose another folder.") from None
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self._write_what_waits()
        finally:
            self._lock.release()
        if self._unwritten and (error is None or isinstance(error, (Problem, KeyboardInterrupt))):
            raise self._unwritable()

    def keep_whole(self, names: Iterable[str], others: Container[str]) -> None:
        """See to it that no record of these submissions is written over by one of fewer exercises.

        Parameters
        ----------
        names : of the submissions that are to be graded
        others : ids of the exercises that they are not to be graded on

        Raises
        ------
        Problem : a record tells of one of these
        """
        lost = [(name, result.id) for name in names for result in self._results(name) if result.id in others]
        if lost:
            name, exercise = lost[0]
            count = len({name for name, _ in lost})
            raise Problem(
                f"{self.folder} has {counted(count, 'record')} with scores for other exercises than "
                f"--only names, which would be lost ({name}: {exercise}).",
                "Give another --out, or name those exercises as well.",
            )

    def find(self, name: str) -> Record | None:
        """The record of this name, whatever it was judged by.

        A file that is no sound record is set aside, so that nothing of it is lost, and remarked on.
        """
        path = self._path(name)
        if not os.path.lexists(path):
            return None
        try:
            return read_sound(path)
        except Problem as damage:
            self._set_aside(path, damage.defect, "The submission is graded again.")
            return None

    def counts(self, record: Record, name: str, digest: str, exercises: Sequence[Exercise]) -> bool:
        """Whether a record is of this very code, judged by the same exam on these exercises."""
        asked = [exercise.id for exercise in exercises]
        same = (record.submission, record.submission_hash, record.exam_hash) == (name, digest, self.exam_hash)
        return same and [result.id for result in record.exercises] == asked

    def keep(self, record: Record) -> None:
        """Write a record. One that cannot be written waits, and is tried again with every later one and at the end.

        Raises
        ------
        Problem : so many wait that more grading would be in vain
        """
        self._unwritten[record.submission] = record
        self._write_what_waits()
        if len(self._unwritten) >= MOST_UNWRITTEN:
            raise self._unwritable()

    @property
    def has_pairs(self) -> bool:
        """Whether it was noted already which submissions look alike."""
        return (self.folder / STATE / PAIRS).exists()

    def doubt_pairs(self) -> None:
        """Submissions are about to change: what is noted of which look alike is out of date, but not forgotten."""
        if self.has_pairs:
            with contextlib.suppress(OSError):
                (self.folder / STATE / PAIRS).replace(self.folder / STATE / FORMER_PAIRS)

    def note_pairs(self, pairs: Iterable[Pair], names: Iterable[str]) -> None:
        """Note which of these submissions look alike, for the reports; what was noted of others stays.

        Raises
        ------
        Problem : it cannot be written
        """
        former, known = self.folder / STATE / FORMER_PAIRS, set(names)
        try:
            noted = json.loads(former.read_text(encoding="utf-8"))
            kept = [pair for pair in noted if not {pair["one"], pair["other"]} <= known]
        except (OSError, ValueError, KeyError, TypeError):
            kept = []  # nothing was noted, or it is damaged
        found = [*kept, *(asdict(pair) for pair in pairs)]
        write_atomically(self.folder / STATE / PAIRS, json.dumps(found, indent=1) + "\n")
        former.unlink(missing_ok=True)

    def withdraw(self, name: str) -> None:
        """Set aside the record of a submission that was replaced by something whose content is refused."""
        path = self._path(name)
        if os.path.lexists(path):
            self._set_aside(path, f"{path} is about an earlier submission.", "What is there now cannot be graded.")

    def clear_away(self, names: Iterable[str]) -> None:
        """Delete the half-written files that a killed grader has left of these submissions."""
        beginnings = {f".{self._path(name).name[:40]}" for name in names}
        for path in self.folder.iterdir():
            beginning, _, end = path.name.rpartition(".")
            if beginning in beginnings and len(end) == 8 and path.is_file():
                path.unlink(missing_ok=True)

    def _results(self, name: str) -> list[ExerciseResult]:
        """What the record of this name tells; nothing where there is none, or none that is sound, see `find`."""
        try:
            return read_sound(self._path(name)).exercises
        except Problem:
            return []

    def _path(self, name: str) -> Path:
        return self.folder / f"{name}.json"

    def _write_what_waits(self) -> None:
        for name, record in list(self._unwritten.items()):
            try:
                record.write(self._path(name))
            except Problem as problem:
                self._obstacle = problem
                return
            del self._unwritten[name]

    def _unwritable(self) -> Problem:
        assert self._obstacle is not None
        count = len(self._unwritten)
        return Problem(
            f"{self._obstacle.defect} {count} record{' is' if count == 1 else 's are'} missing.",
            "Free some space and run the same command again: what was written is whole, and kept.",
        )

    def _set_aside(self, path: Path, defect: str, what_then: str) -> None:
        """Move a record that counts no longer out of the way, under a name that is free."""
        for number in range(1, 1000):
            place = self.folder / STATE / "damaged" / f"{path.stem}-{number}.json"
            if not os.path.lexists(place):
                break
        try:
            place.parent.mkdir(exist_ok=True)
            path.rename(place)
        except OSError as error:
            raise Problem(f"{defect} It cannot be set aside ({error.strerror}).", "Move it away.") from None
        self.remark(f"{defect} It was set aside as {place}. {what_then}")

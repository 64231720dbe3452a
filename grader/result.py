"""The one result record. Every face and report renders it; none computes a verdict of its own."""

from __future__ import annotations

import json
import math
import os
import tempfile
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from grader.problem import Problem

SCHEMA = 1
PASSED, FAILED, TODO, BLOCKED = "passed", "failed", "todo", "blocked"
COMPILE_ERROR, ERROR, TIMEOUT, CRASHED, VIOLATION = "compile-error", "error", "timeout", "crashed", "violation"
INTERPRETED, COMPILED, NATIVE, TIMED = "interpreted", "compiled", "native", "timed"  # the stages, see judge.py
SIMULATED, DEVICE = "simulated", "device"  # for CUDA kernels, with COMPILED between; their levels, see levels.py
COMPUTED = ("score", "final_score", "max_score")  # of the record, told in its JSON form
STATUSES = (PASSED, FAILED, TODO, BLOCKED, COMPILE_ERROR, ERROR, TIMEOUT, CRASHED, VIOLATION)
_KINDS: dict[str, Any] = {"str": str, "bool": bool, "float": (int, float), "float | None": (int, float, type(None))}


@dataclass
class CaseResult:
    """One case: its rationale, and what became of it. `stage` is where that was seen: interpreted, compiled, native,
    simulated, device.

    The message of a hidden case never tells its inputs or its numbers.
    """

    case: str
    status: str
    hidden: bool = False
    stage: str = ""
    message: str = ""
    seconds: float = 0.0


@dataclass
class ExerciseResult:
    """One exercise: `message` is the defect, `help` the action, `mistake` the name of the known mistake, if any.

    `ratio` is how many times as fast as the solution it ran, where points grow with speed. `level` is the highest at
    which a CUDA kernel was judged: simulated, compiled or device; "" for everything else.
    """

    id: str
    points: float
    score: float = 0.0
    status: str = TODO
    message: str = ""
    help: str = ""
    mistake: str = ""
    output: str = ""
    seconds: float = 0.0
    ratio: float | None = None
    level: str = ""
    cases: list[CaseResult] = field(default_factory=list)


@dataclass
class Record:
    """One submission, exercise by exercise. `submission_hash` and `exam_hash` say what was judged by what.

    `student` is who handed it in, where that is known, and `submitted` when (ISO 8601, with the offset from UTC).
    `penalty` is the share of the score that being late costs; `final_score` is what is left.
    """

    submission: str
    kit_version: str
    isolation: str
    exercises: list[ExerciseResult] = field(default_factory=list)
    submission_hash: str = ""
    exam_hash: str = ""
    notes: list[str] = field(default_factory=list)
    seconds: float = 0.0
    student: str = ""
    submitted: str = ""
    penalty: float = 0.0

    @property
    def score(self) -> float:
        return round(sum(exercise.score for exercise in self.exercises), 2)

    @property
    def final_score(self) -> float:
        return round(self.score * (1 - self.penalty), 2)

    @property
    def max_score(self) -> float:
        return sum(exercise.points for exercise in self.exercises)

    def count(self, *statuses: str) -> int:
        """How many exercises have one of these statuses."""
        return sum(exercise.status in statuses for exercise in self.exercises)

    def to_json(self) -> dict[str, Any]:
        head = {"schema": SCHEMA, "submission": self.submission}
        return head | {name: getattr(self, name) for name in COMPUTED} | asdict(self)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Record:
        """The record from its JSON form; raises ValueError, KeyError or TypeError where it is none."""
        if data.get("schema") != SCHEMA:
            raise ValueError(f"schema {data.get('schema')!r}, not {SCHEMA}")
        exercises = [
            ExerciseResult(**{**item, "cases": [CaseResult(**case) for case in item["cases"]]})
            for item in data["exercises"]
        ]
        facts = {name: value for name, value in data.items() if name not in ("schema", *COMPUTED)}
        return cls(**{**facts, "exercises": exercises})

    def write(self, path: Path) -> None:
        """Write the JSON form in one step: a reader never sees half a file.

        Raises
        ------
        Problem : the folder cannot be written
        """
        write_atomically(path, json.dumps(self.to_json(), indent=1) + "\n")

    @classmethod
    def read(cls, path: Path) -> Record:
        """Read a record; raises Problem where the file is missing or no record."""
        return _read(path)[0]


def read_sound(path: Path) -> Record:
    """Read a record, and believe it only where all of it fits together: for whoever takes its scores for granted.

    Raises
    ------
    Problem : it cannot be read, or is not what the grader has written
    """
    record, told = _read(path)
    parts: list[Record | ExerciseResult | CaseResult] = [record, *record.exercises]
    parts += [case for result in record.exercises for case in result.cases]
    if not all(_is_of_its_kinds(part) for part in parts) or not all(isinstance(note, str) for note in record.notes):
        raise Problem(f"{path} is no result record (a value is of another kind).", "Grade the submission again.")
    possible = 0 <= record.penalty <= 1 and all(is_sound(result) for result in record.exercises)
    if not possible or record.to_json() != told:
        raise Problem(f"{path} contradicts itself.", "Grade the submission again.")
    return record


def is_sound(result: ExerciseResult) -> bool:
    """Whether a result is one that the grader can have given."""
    numbers = (result.score, result.points, result.seconds)
    if not all(isinstance(number, (int, float)) and math.isfinite(number) for number in numbers):
        return False
    return result.status in STATUSES and 0 <= result.score <= result.points


def _read(path: Path) -> tuple[Record, Any]:
    """A record, and the JSON form that it was read from."""
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
        return Record.from_json(told), told
    except OSError as error:
        raise Problem(f"{path} cannot be read ({error.strerror}).", "Check the path.") from None
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise Problem(f"{path} is no result record ({error}).", "Grade the submission again.") from None


def _is_of_its_kinds(part: Record | ExerciseResult | CaseResult) -> bool:
    """Whether each value of a record, a result or a case is of the kind that its field declares."""
    for declared in fields(part):
        value = getattr(part, declared.name)
        if not isinstance(value, _KINDS.get(str(declared.type), list)):
            return False
        if isinstance(value, float) and not math.isfinite(value):
            return False
    return True


def write_atomically(path: Path, text: str) -> None:
    """Write text to a temporary name beside `path` and rename; raises Problem where that fails."""
    write_bytes_atomically(path, text.encode())


def write_bytes_atomically(path: Path, content: bytes) -> None:
    """Write bytes to a temporary name beside `path` and rename; raises Problem where that fails."""
    temporary = ""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name[:40]}.")
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        os.replace(temporary, path)
    except OSError as error:
        if temporary:
            Path(temporary).unlink(missing_ok=True)
        raise Problem(
            f"{path} cannot be written ({error.strerror}).", "Free some space, or choose another folder."
        ) from None

"""Verdicts of earlier checks: a function that has not changed, nor anything that it reaches, is not run again."""

from __future__ import annotations

import ast
import hashlib
import json
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from grader import kit, levels
from grader.exercise import Exercise
from grader.problem import Problem
from grader.result import CRASHED, PASSED, TIMEOUT, TODO, CaseResult, ExerciseResult, write_atomically
from grader.submission import Submission


class Memory:
    """The verdicts on one folder of exercises, kept in its `.deepkata/verdicts.json`.

    A file that is missing, broken or from another kit version is an empty memory, never an error.
    """

    def __init__(self, folder: Path):
        self.path = folder / ".deepkata" / "verdicts.json"
        self._verdicts: dict[str, Any] = {}
        try:
            content = json.loads(self.path.read_text(encoding="utf-8"))
            if content["kit"] == kit.fingerprint():
                self._verdicts = dict(content["verdicts"])
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            pass

    def recall(self, submission: Submission, exercise: Exercise) -> ExerciseResult | None:
        """The verdict on exactly this code, if there is one."""
        try:
            kept = self._verdicts[exercise.id]
            if kept["code"] != _code(submission, exercise, kept["result"]["status"] == PASSED):
                return None
            facts = {**kept["result"], "cases": [CaseResult(**case) for case in kept["result"]["cases"]]}
            return ExerciseResult(**facts)
        except (KeyError, TypeError):
            return None

    def keep(self, submission: Submission, exercise: Exercise, result: ExerciseResult) -> None:
        """Remember a verdict and write the file; a folder that cannot be written only costs speed.

        Hangs and crashes may be the machine's doing: they are looked at again each time.
        """
        if result.status in (TODO, TIMEOUT, CRASHED):
            return
        self._verdicts[exercise.id] = {
            "code": _code(submission, exercise, result.status == PASSED),
            "result": asdict(result),
        }
        try:
            write_atomically(self.path, json.dumps({"kit": kit.fingerprint(), "verdicts": self._verdicts}))
        except Problem:
            return

    def forget(self, exercises: Iterable[Exercise]) -> None:
        """Have these judged anew."""
        for exercise in exercises:
            self._verdicts.pop(exercise.id, None)


def _code(submission: Submission, exercise: Exercise, passed: bool) -> str:
    """The code that a verdict holds for; a failure's message names lines, so that they count there as well."""
    text = submission.fingerprint(exercise.module, exercise.name)
    if exercise.cuda:
        text += levels.fingerprint()
    if not passed:
        for module, name in submission.closure(exercise.module, exercise.name):
            text += ast.dump(submission.modules[module].functions[name], include_attributes=True)
    return hashlib.sha256(text.encode()).hexdigest()

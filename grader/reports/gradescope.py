"""Gradescope: the results.json that its autograder reads, as its specification has it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from grader.reports.outline import module_of, name_of
from grader.reports.telling import feedback, headline
from grader.result import PASSED, ExerciseResult, Record, write_atomically
from grader.text import one_line

FILE = "results.json"


def write(record: Record, path: Path) -> None:
    """Write one submission's results.json: a test per exercise, and the score that counts.

    Raises
    ------
    Problem : it cannot be written
    """
    results = {
        "score": record.final_score,
        "execution_time": round(record.seconds, 2),
        "output": "\n".join([headline(record), *(one_line(note) for note in record.notes)]),
        "output_format": "text",
        "visibility": "visible",
        "stdout_visibility": "hidden",
        "tests": [_test(result) for result in record.exercises],
        "extra_data": {"kit_version": record.kit_version, "penalty": record.penalty, "score": record.score},
    }
    write_atomically(path, json.dumps(results, indent=1) + "\n")


def _test(result: ExerciseResult) -> dict[str, Any]:
    return {
        "name": one_line(f"{name_of(module_of(result.id))}: {name_of(result.id)}"),
        "score": result.score,
        "max_score": result.points,
        "status": "passed" if result.status == PASSED else "failed",
        "output": "\n".join(feedback(result)),
        "output_format": "text",
        "tags": [one_line(name_of(module_of(result.id))), result.status],
        "visibility": "visible",
    }

"""Classroom 50, the successor of GitHub Classroom: the result.json of its schema classroom50/result/v1."""

from __future__ import annotations

import datetime
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from grader.reports.telling import feedback
from grader.result import PASSED, ExerciseResult, Record, write_atomically
from grader.text import one_line, when, who

FILE = "result.json"
SCHEMA = "classroom50/result/v1"
SCALE = 100  # its scores are integers: hundredths of a point
MODES = ("individual", "group", "team")
UNKNOWN = "unknown"  # outside of its workflow nobody says which classroom, which commit


def write(record: Record, path: Path, workflow: Mapping[str, str] | None = None) -> None:
    """Write one submission's result.json: a test per exercise, in hundredths of a point.

    Parameters
    ----------
    record : the record
    path : where to write it, in one step
    workflow : what the workflow tells of itself (CLASSROOM, ASSIGNMENT, SUBMISSION_TAG, COMMIT_URL, RELEASE_URL,
        REVIEW_URL, MODE); None for this process's environment

    Raises
    ------
    Problem : it cannot be written
    """
    told = os.environ if workflow is None else workflow
    commit = told.get("COMMIT_URL") or UNKNOWN
    mode = told.get("MODE", "").strip().lower()
    moment = when(record) or datetime.datetime.now(datetime.UTC)
    result = {
        "schema": SCHEMA,
        "classroom": told.get("CLASSROOM") or UNKNOWN,
        "assignment": told.get("ASSIGNMENT") or UNKNOWN,
        "assignment_type": mode if mode in MODES else MODES[0],
        "owner": who(record),
        "submission": told.get("SUBMISSION_TAG") or f"submit/{one_line(record.submission)}",
        "commit": commit,
        "release": told.get("RELEASE_URL") or UNKNOWN,
        "review": told.get("REVIEW_URL") or commit,
        "datetime": moment.astimezone(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "score": round(record.final_score * SCALE),
        "max-score": round(record.max_score * SCALE),
        "tests": [_test(result) for result in record.exercises],
    }
    write_atomically(path, json.dumps(result, indent=1) + "\n")


def _test(result: ExerciseResult) -> dict[str, Any]:
    return {
        "test-name": one_line(result.id),
        "passed": result.status == PASSED,
        "score": round(result.score * SCALE),
        "max-score": round(result.points * SCALE),
        "output": "\n".join(feedback(result)),
    }

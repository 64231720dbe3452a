"""Where expected values come from: recorded in the case, remembered from an earlier run, or computed by the solutions.

The solutions run in a guest of their own, so that the trusted process imports neither them nor numba. What they
answered is kept on disk under the hash of the solution and of the case's inputs; `Oracle(folder=None)` keeps nothing.
"""

from __future__ import annotations

import functools
import hashlib
import io
import os
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from grader import kit, submission
from grader.exercise import Case, Exercise
from grader.problem import Problem
from grader.result import write_bytes_atomically
from grader.submission import Submission
from grader.worker.answer import Answer, Died, Raised, Returned, TimedOut
from grader.worker.guest import wire
from grader.worker.host import Limits, Session, Worker, launch_of, portable

PATIENT = Limits(load=120, compile=300, call=600)


@functools.cache
def solutions() -> Submission:
    """The reference solutions, as a submission like any other."""
    return submission.read(kit.SOLUTIONS)


def default_folder() -> Path:
    """Where answers of the solutions are remembered between runs."""
    return Path(os.environ.get("DEEPKATA_CACHE") or Path.home() / ".cache" / "deepkata") / "answers"


class Oracle:
    """Answers "what is right?" for cases.

    Parameters
    ----------
    worker : where the solutions may be run
    folder : where answers are remembered between runs; None keeps them in memory only
    """

    def __init__(self, worker: Worker, folder: Path | None = None):
        self.worker = worker
        self.folder = folder
        self._known: dict[str, Any] = {}
        self._sessions: dict[str, Session] = {}
        self._lock = threading.Lock()  # one oracle serves all lanes of a grading

    def close(self) -> None:
        for session in self._sessions.values():
            session.close()
        self._sessions.clear()

    def expected(self, exercise: Exercise, cases: Sequence[Case]) -> list[Any]:
        """What each case's answer should be: the recorded value, else `(returned, {changed name: value})`."""
        with self._lock:
            return [case.expected if case.expected is not None else self._answer(exercise, case) for case in cases]

    def timed(self, exercise: Exercise, case: Case) -> Returned:
        """What the solution answers as it is written, compiled in full, with the time it takes; never remembered."""
        with self._lock:
            return self._call(exercise, case, "native")

    def _answer(self, exercise: Exercise, case: Case) -> tuple[Any, dict[str, Any]]:
        key = _key(exercise, case)
        if key not in self._known:
            remembered = self._recall(key)
            self._known[key] = self._compute(exercise, case) if remembered is None else remembered
            if remembered is None:
                self._remember(key, self._known[key])
        answer: tuple[Any, dict[str, Any]] = self._known[key]
        return answer

    def _compute(self, exercise: Exercise, case: Case) -> tuple[Any, dict[str, Any]]:
        # A small case takes less time interpreted than compiling takes; the numbers are the same.
        mode = "interpreted" if not case.large else "native" if exercise.whole else "checked"
        mode = "simulated" if exercise.cuda else mode
        answer = self._call(exercise, case, mode)
        return answer.value, answer.changed

    def _call(self, exercise: Exercise, case: Case, mode: str) -> Returned:
        session = self._sessions.get(mode)
        if session is None:
            session = self._sessions[mode] = Session(self.worker, solutions().sources, mode, PATIENT)

        launch = launch_of(case.launch) if exercise.cuda else None
        asked = (exercise.module, exercise.name, case.arguments, exercise.changes, exercise.compiled)

        def ask() -> Answer:
            return session.call(*asked, PATIENT.call, launch)

        answer = ask()
        if isinstance(answer, (Died, TimedOut)):
            answer = ask()  # in a fresh guest: this one has used up its CPU time in a long class, or was killed
        if not isinstance(answer, Returned):
            detail = f"{answer.error}: {answer.message}" if isinstance(answer, Raised) else type(answer).__name__
            raise Problem(
                f"The solution of {exercise.id} gives no answer to its case {case.rationale!r} ({detail}).",
                f"Mend solutions/{exercise.module.replace('.', '/')}.py.",
            )
        return answer

    def _recall(self, key: str) -> tuple[Any, dict[str, Any]] | None:
        if self.folder is None:
            return None
        try:
            content = io.BytesIO((self.folder / key).read_bytes())
            _, (value, changed) = wire.unpack(functools.partial(_exactly, content))
            return value, changed
        except (OSError, EOFError, ValueError, TypeError, wire.WireError):
            return None

    def _remember(self, key: str, answer: tuple[Any, dict[str, Any]]) -> None:
        if self.folder is not None:
            try:
                write_bytes_atomically(self.folder / key, b"".join(wire.pack({}, answer)))
            except Problem:
                self.folder = None  # a full or read-only disk costs speed, not verdicts


def _key(exercise: Exercise, case: Case) -> str:
    digest = hashlib.sha256(solutions().fingerprint(exercise.module, exercise.name).encode())
    digest.update(exercise.id.encode())
    digest.update(repr(case.launch).encode())
    for piece in wire.pack({}, {name: portable(value) for name, value in case.arguments.items()}):
        digest.update(piece)
    return digest.hexdigest()


def _exactly(content: io.BytesIO, size: int) -> bytes:
    data = content.read(size)
    if len(data) != size:
        raise EOFError
    return data

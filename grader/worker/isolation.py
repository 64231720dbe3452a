"""What a guest process is wrapped in. One place: a new kind of isolation is a new class here and nothing else.

Today there is one kind. Limits (memory, CPU, file size, open files; see guest/limits.py) and deadlines enforced by the
host keep an accident or a crude attack to the exercise it hit; they hide no files and close no network.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Protocol

from grader.problem import Problem

KEPT = ("PATH", "SYSTEMROOT", "NUMBA_NUM_THREADS")
GUEST = Path(__file__).parent / "guest"


class Isolation(Protocol):
    """How to start a guest process."""

    name: str

    def command(self, arguments: list[str]) -> list[str]:
        """The command line that runs the guest with these arguments."""
        ...

    def environment(self, home: Path) -> dict[str, str]:
        """The whole environment of the guest; `home` is the worker's folder, in which each session gets its own."""
        ...


class LimitsOnly:
    """The guest is an ordinary process of this user, with limits."""

    name = "limits"

    def command(self, arguments: list[str]) -> list[str]:
        return [sys.executable, "-I", "-B", str(GUEST), *arguments]

    def environment(self, home: Path) -> dict[str, str]:
        kept = {name: os.environ[name] for name in KEPT if name in os.environ}
        # One BLAS thread, and OpenMP threads that sleep while they wait: threads that spin on a busy machine slow
        # everything down many times over.
        return kept | {
            "HOME": str(home),
            "USERPROFILE": str(home),
            "TMPDIR": str(home),
            "TEMP": str(home),
            "TMP": str(home),
            "LANG": "C.UTF-8",
            "OPENBLAS_NUM_THREADS": "1",
            "OMP_WAIT_POLICY": "passive",
            # Memory that was never written to holds large numbers rather than lucky zeros.
            "MALLOC_PERTURB_": "128",
        }


def choose(wish: str) -> Isolation:
    """The isolation for a wish of auto, required or none.

    Raises
    ------
    Problem : required, and this machine or version cannot
    """
    if wish == "required":
        raise Problem(
            "Isolation was required, and this version has none beyond process limits.",
            "Grade trusted submissions with `--isolation=auto`, or run kata itself inside a container.",
        )
    return LimitsOnly()

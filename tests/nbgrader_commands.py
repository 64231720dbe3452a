"""nbgrader's own command, for the tests."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from faces import Run, run

from grader import kit


def nbgrader(*arguments: object, cwd: Path) -> Run:
    """Run a command of nbgrader's, with what is installed beside it on the path, as in an active environment."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    modules = os.pathsep.join([str(kit.ROOT), os.environ.get("PYTHONPATH", "")])
    return run(sys.executable, "-m", "nbgrader", *arguments, cwd=cwd, PATH=path, PYTHONPATH=modules)

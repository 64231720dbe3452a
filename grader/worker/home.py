"""A worker's folder: its own while it lives, and cleared away by the next worker where it was killed."""

from __future__ import annotations

import contextlib
import os
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from filelock import FileLock, Timeout

from grader.worker.guest import scratch

PREFIX = "deepkata-worker-"
LOCK = ".owner"  # held by whoever has the folder; the system lets go of it when that one ends, however it ends
YOUNG = 60.0  # seconds; a folder may have been made a moment ago, and not be locked yet


class Home:
    """A folder that no other worker touches until `close`."""

    def __init__(self) -> None:
        clear_orphans()
        self.path = Path(tempfile.mkdtemp(prefix=PREFIX))
        self._lock = FileLock(self.path / LOCK)
        self._lock.acquire()

    def close(self) -> None:
        """Remove the folder and what is in it."""
        self._lock.release()
        scratch.remove(str(self.path))


def clear_orphans() -> None:
    """Remove the folders of workers that ended without doing so."""
    for folder in orphans():
        with contextlib.suppress(Timeout, OSError, NotImplementedError), FileLock(folder / LOCK, timeout=0):
            scratch.remove(str(folder))


def orphans() -> Iterator[Path]:
    """Folders of this user's workers that may have been left behind."""
    for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        with contextlib.suppress(OSError):
            found = os.lstat(folder)
            mine = not hasattr(os, "geteuid") or found.st_uid == os.geteuid()
            if mine and (folder / LOCK).is_file() and time.time() - found.st_mtime > YOUNG:
                yield folder

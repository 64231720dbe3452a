"""A session's own folder: made, kept within bounds, and removed whatever was left in it."""

from __future__ import annotations

import contextlib
import os
import secrets
import tempfile

BYTES = 256 << 20
FILES = 10_000
LEVELS = 10
LONGEST_PATH = 2000  # characters; systems take twice that, or more


def make(home: str) -> str:
    return tempfile.mkdtemp(prefix="session-", dir=home)


def overfull(folder: str) -> bool:
    """Whether a session has written more than it may, or where nobody can look."""
    size, files, level = 0, 0, [folder]
    for _ in range(LEVELS):
        below = []
        for path in level:
            try:
                for entry in os.scandir(path):
                    with contextlib.suppress(FileNotFoundError):  # it may just have been removed
                        size += 512 * entry.stat(follow_symlinks=False).st_blocks
                    files += 1
                    if size > BYTES or files > FILES:
                        return True
                    if entry.is_dir(follow_symlinks=False):
                        below.append(entry.path)
            except FileNotFoundError:
                continue
            except OSError:
                return True
        level = below
    return bool(level)


def remove(folder: str) -> None:
    """Remove a folder as far as that can be done, whatever rights were taken from it and however deep it goes."""
    if os.path.islink(folder):
        os.unlink(folder)
        return
    found, waiting = [], [folder]
    while waiting:
        current = waiting.pop()
        found.append(current)
        for inner in emptied(current):
            waiting.append(inner if len(inner) < LONGEST_PATH else raised(inner, folder))
    for current in reversed(found):
        with contextlib.suppress(OSError):
            os.rmdir(current)


def emptied(folder: str) -> list[str]:
    """The folders in a folder, from which everything else has been removed."""
    folders = []
    with contextlib.suppress(OSError):
        unlock(folder)
        for entry in list(os.scandir(folder)):
            if entry.is_dir(follow_symlinks=False):
                folders.append(entry.path)
            else:
                with contextlib.suppress(OSError):
                    os.unlink(entry.path)
    return folders


def raised(folder: str, top: str) -> str:
    """The path of a folder after it was moved to the top, so that no path below it is longer than the system takes."""
    path = os.path.join(top, secrets.token_hex(8))
    with contextlib.suppress(OSError):
        unlock(folder)  # what may not be written to cannot be moved either
        os.rename(folder, path)
    return path


def unlock(folder: str) -> None:
    if os.stat(folder).st_mode & 0o700 != 0o700:
        os.chmod(folder, 0o700)

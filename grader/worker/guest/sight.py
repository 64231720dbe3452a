"""What of the host every guest may read: Python, libraries, programs, a CUDA toolkit, and nothing that people keep.

Of /usr only these folders: a container's clone and its submissions may well lie in /usr/src.
"""

from __future__ import annotations

import glob
import os
import sys
from collections.abc import Iterator

SYSTEM = (
    *("/bin", "/sbin", "/lib", "/lib32", "/lib64"),
    *("/usr/bin", "/usr/sbin", "/usr/lib", "/usr/lib32", "/usr/lib64", "/usr/libexec"),
    *("/usr/local/lib", "/usr/local/lib64", "/usr/local/cuda*"),
)
FILES = ("/etc/ld.so.cache", "/etc/localtime", "/etc/alternatives")
SHARED = ("/usr", "/usr/local")  # where Python lies among other things
OF_PYTHON = ("bin", "lib", "lib64")


def system_folders() -> list[str]:
    """The folders of programs and libraries that there are."""
    return [path for pattern in SYSTEM for path in sorted(glob.glob(pattern)) if os.path.isdir(path)]


def python_folders() -> list[str]:
    """Where Python and its packages lie."""
    return list(dict.fromkeys(path for prefix in (sys.base_prefix, sys.prefix) for path in _parts(prefix)))


def _parts(prefix: str) -> Iterator[str]:
    prefix = os.path.abspath(prefix)
    parts = [os.path.join(prefix, part) for part in OF_PYTHON] if prefix in SHARED else [prefix]
    yield from filter(os.path.isdir, parts)

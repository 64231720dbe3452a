"""Where a machine keeps its GPUs: what a session must be let at, for a CUDA driver to work."""

from __future__ import annotations

import glob
import os

DEVICES = ("/dev/nvidia*", "/dev/nvidia-caps/*", "/dev/dxg")
# What a driver reads.
FACTS = (
    *("/proc/driver", "/proc/devices", "/proc/modules", "/proc/cpuinfo", "/proc/meminfo", "/proc/sys/vm", "/proc/self"),
    "/sys",
)


def devices() -> list[str]:
    """The device files of the GPUs that are here."""
    return [path for pattern in DEVICES for path in sorted(glob.glob(pattern)) if not os.path.isdir(path)]

"""Where the kernels run: a device with its clock, or the simulator, which has none."""

from __future__ import annotations

import importlib.metadata
import platform
import statistics
from collections.abc import Callable
from typing import Any

import numpy as np

PACKAGES = ("numba", "numba-cuda", "numpy", "torch", "cupy-cuda13x", "cupy-cuda12x", "keras")
WARMING, BATCHES, BATCH_SECONDS, MOST_CALLS = 3, 7, 0.02, 50


class Device:
    """The first CUDA device."""

    timed = True

    def __init__(self) -> None:
        from numba import cuda

        self.cuda = cuda
        self.here = bool(cuda.is_available())

    def free_bytes(self) -> int:
        """Memory of the device that nobody has."""
        return int(self.cuda.current_context().get_memory_info()[0])

    def __str__(self) -> str:
        device = self.cuda.get_current_device()
        name = device.name.decode() if isinstance(device.name, bytes) else device.name
        major, minor = device.compute_capability[:2]
        driver = ".".join(map(str, self.cuda.cudadrv.driver.driver.get_version()))
        return f"{name}, sm_{major}{minor}, CUDA {driver} of the driver\n{versions()}"

    def put(self, value: Any) -> Any:
        """An array on the device; anything else as it is."""
        return self.cuda.to_device(value) if isinstance(value, np.ndarray) else value

    def seconds(self, call: Callable[[], Any]) -> float:
        """The median time of a call on the device, by events around batches of calls."""
        for _ in range(WARMING):
            call()
        count = max(1, min(MOST_CALLS, int(BATCH_SECONDS / self._batch(call, 1))))
        return statistics.median(self._batch(call, count) for _ in range(BATCHES))

    def _batch(self, call: Callable[[], Any], count: int) -> float:
        """Seconds for each of some calls that follow each other; launching one overlaps with running the other."""
        start, end = self.cuda.event(), self.cuda.event()
        self.cuda.synchronize()
        start.record()
        for _ in range(count):
            call()
        end.record()
        end.synchronize()
        return max(self.cuda.event_elapsed_time(start, end) / 1000 / count, 1e-9)


class Simulated:
    """The kit's simulator. Must be made before a kernel is imported."""

    timed, here = False, True

    def __init__(self) -> None:
        import numba

        numba.config.ENABLE_CUDASIM = True
        from numba import cuda

        from grader.worker.guest.gpu.simulator import Simulator

        Simulator().install()
        self.cuda: Any = cuda

    def __str__(self) -> str:
        return f"simulated, at tiny sizes: the answers count, there are no times\n{versions()}"

    def put(self, value: Any) -> Any:
        """As a device has it: a copy."""
        return self.cuda.to_device(value) if isinstance(value, np.ndarray) else value

    def seconds(self, call: Callable[[], Any]) -> float:
        """No time: a simulation has none of its own."""
        call()
        return float("nan")


def versions() -> str:
    """What the figures depend on besides the device."""
    found = [f"{name} {version}" for name in PACKAGES if (version := _version(name))]
    return f"{platform.system()} {platform.release()}, Python {platform.python_version()}, {', '.join(found)}"


def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return ""

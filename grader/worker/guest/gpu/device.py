"""Kernels on a real device: arrays inside margins that nobody may write to, everything waited for, errors told."""

from __future__ import annotations

from typing import Any

import numpy as np

from .guard import CANARY, MARGIN, each_array, each_part, intact


class Device:
    """Runs kernels, and host functions that launch kernels, on the first device."""

    def __init__(self) -> None:
        self.finding: list[Any] | None = None

    def install(self) -> None:
        """Have numba keep nothing on disk; else its own launches are what is wanted."""
        from numba import cuda

        jit: Any = cuda.jit

        def fresh(*arguments: Any, **options: Any) -> Any:
            return jit(*arguments, **{name: value for name, value in options.items() if name != "cache"})

        setattr(cuda, "jit", fresh)  # noqa: B010 (numba declares it as a function of its own)

    def tools(self) -> dict[str, str]:
        """The device's name, and what keeps kernels from running on it, "" where nothing does."""
        try:
            from numba import cuda

            device = cuda.get_current_device()
            name = device.name.decode() if isinstance(device.name, bytes) else device.name
            cuda.to_device(np.zeros(1, np.float32)).copy_to_host()
            major, minor = device.compute_capability[:2]
        except Exception as error:  # every library on the way has errors of its own
            return {"obstacle": f"the GPU cannot be used ({type(error).__name__}: {str(error).strip()})"}
        return {"obstacle": "", "device": name, "capability": f"sm_{major}{minor}"}

    def run(self, function: Any, arguments: dict[str, Any], how: dict[str, Any]) -> Any:
        """Call a kernel as `how` says, or a host function with its arrays on the device; arrays change in place."""
        from numba import cuda

        self.finding = None
        placed: list[tuple[str, np.ndarray, Any]] = []

        def put(name: str, own: np.ndarray) -> Any:
            inner, buffer = placed_on(own)
            placed.append((name, own, buffer))
            return inner

        given = [each_array(name, value, put) for name, value in arguments.items()]
        if "grid" in how:
            returned = function[tuple(how["grid"]), tuple(how["block"]), 0, how["shared"]](*given)
        else:
            returned = function(*given)
        cuda.synchronize()
        for name, own, buffer in placed:
            if buffer is None:
                continue
            bytes_now = buffer.copy_to_host()
            if not intact(bytes_now):
                self.finding = ["canary", {"array": name}]
            own[...] = bytes_now[MARGIN : MARGIN + own.nbytes].view(own.dtype).reshape(own.shape)
        return each_part(returned, on_host)

    def report(self) -> dict[str, Any]:
        """What was noticed in the last call."""
        return {"finding": self.finding}


def placed_on(array: np.ndarray) -> tuple[Any, Any]:
    """An array on the device inside a larger buffer, and that buffer; an empty array has none."""
    from numba import cuda

    if not array.size:
        return cuda.to_device(array), None
    buffer = np.full(array.nbytes + 2 * MARGIN, CANARY, np.uint8)
    buffer[MARGIN : MARGIN + array.nbytes] = np.ascontiguousarray(array).reshape(-1).view(np.uint8)
    there = cuda.to_device(buffer)
    inner = there[MARGIN : MARGIN + array.nbytes].view(array.dtype).reshape(*array.shape)
    return inner, there


def on_host(value: Any) -> Any:
    """The same where it can be sent from, if it is an array on the device."""
    return value.copy_to_host() if hasattr(value, "copy_to_host") else value

"""What a kernel calls `cuda` while it is simulated: numba's own stand-in, with warps, watched memory, real barriers."""

from __future__ import annotations

import linecache
import re
import sys
from collections.abc import Callable
from types import FrameType
from typing import TYPE_CHECKING, Any

import numpy as np
from numba.cuda.simulator.kernelapi import (
    Dim3,
    FakeCUDAAtomic,
    FakeCUDACg,
    FakeCUDALocal,
    FakeCUDAModule,
    FakeCUDAShared,
)

from .block import ALL_LANES, WARP, Thread
from .faults import Fault, place
from .memory import Array, Private, Region, poisoned

if TYPE_CHECKING:
    from .simulator import Launching

SHARED_BYTES = 48 << 10  # what a block may have without asking for more


class Intrinsics(FakeCUDAModule):
    """`cuda` of one launch.

    Parameters
    ----------
    launching : the launch, which knows who is running
    """

    def __init__(self, launching: Launching):
        super().__init__(launching.grid, launching.block, launching.shared)
        self._launching = launching
        self._shared = Shared(launching)
        self._local = Local(launching)
        self._atomic = Atomics()
        self._cg = Groups(launching)
        self._places: dict[tuple[int, int, int], Dim3] = {}

    @property
    def _thread(self) -> Thread:
        return self._launching.thread

    @property
    def threadIdx(self) -> Dim3:  # noqa: N802 (numba's names)
        return self._dim3(self._thread.place)

    @property
    def blockIdx(self) -> Dim3:  # noqa: N802
        return self._dim3(self._thread.block.place)

    @property
    def laneid(self) -> int:
        return self._thread.lane

    def _dim3(self, place: tuple[int, int, int]) -> Dim3:
        if place not in self._places:
            self._places[place] = Dim3(*place)
        return self._places[place]

    # --- barriers -----------------------------------------------------------------------------------------------

    def syncthreads(self) -> None:
        self._thread.meet("syncthreads", ALL_LANES, None, sys._getframe(1))

    def syncthreads_count(self, predicate: Any) -> int:
        return sum(self._thread.meet("syncthreads_count", ALL_LANES, bool(predicate), sys._getframe(1)))

    def syncthreads_and(self, predicate: Any) -> int:
        return int(all(self._thread.meet("syncthreads_and", ALL_LANES, bool(predicate), sys._getframe(1))))

    def syncthreads_or(self, predicate: Any) -> int:
        return int(any(self._thread.meet("syncthreads_or", ALL_LANES, bool(predicate), sys._getframe(1))))

    # --- warps --------------------------------------------------------------------------------------------------

    def syncwarp(self, mask: int = ALL_LANES) -> None:
        self._exchange("syncwarp", mask, None, sys._getframe(1))

    def shfl_sync(self, mask: int, value: Any, source: int) -> Any:
        return self._from_lane("shfl_sync", mask, value, int(source) % WARP, sys._getframe(1))

    def shfl_up_sync(self, mask: int, value: Any, delta: int) -> Any:
        return self._from_lane("shfl_up_sync", mask, value, self.laneid - int(delta), sys._getframe(1))

    def shfl_down_sync(self, mask: int, value: Any, delta: int) -> Any:
        return self._from_lane("shfl_down_sync", mask, value, self.laneid + int(delta), sys._getframe(1))

    def shfl_xor_sync(self, mask: int, value: Any, lane_mask: int) -> Any:
        return self._from_lane("shfl_xor_sync", mask, value, self.laneid ^ int(lane_mask), sys._getframe(1))

    def all_sync(self, mask: int, predicate: Any) -> bool:
        return all(self._exchange("all_sync", mask, bool(predicate), sys._getframe(1)).values())

    def any_sync(self, mask: int, predicate: Any) -> bool:
        return any(self._exchange("any_sync", mask, bool(predicate), sys._getframe(1)).values())

    def eq_sync(self, mask: int, predicate: Any) -> bool:
        return len(set(self._exchange("eq_sync", mask, bool(predicate), sys._getframe(1)).values())) == 1

    def ballot_sync(self, mask: int, predicate: Any) -> int:
        votes = self._exchange("ballot_sync", mask, bool(predicate), sys._getframe(1))
        return sum(1 << lane for lane, vote in votes.items() if vote)

    def match_any_sync(self, mask: int, value: Any) -> int:
        brought = self._exchange("match_any_sync", mask, value, sys._getframe(1))
        return sum(1 << lane for lane, other in brought.items() if other == value)

    def match_all_sync(self, mask: int, value: Any) -> tuple[int, bool]:
        brought = self._exchange("match_all_sync", mask, value, sys._getframe(1))
        same = all(other == value for other in brought.values())
        return (sum(1 << lane for lane in brought) if same else 0), same

    def activemask(self) -> int:
        """The lanes that have not ended; which of them run together is never certain."""
        thread = self._thread
        first = thread.number - thread.lane
        return sum(1 << other.lane for other in thread.block.threads[first : first + WARP] if not other.ended)

    def lanemask_lt(self) -> int:
        return (1 << self.laneid) - 1

    def nanosleep(self, _nanoseconds: int) -> None:
        """Nothing is gained by waiting here."""

    def _exchange(self, call: str, mask: int, value: Any, frame: FrameType) -> dict[int, Any]:
        thread = self._thread
        mask = int(mask) & ALL_LANES
        if not mask >> thread.lane & 1:
            raise Fault("mask", call=call, mask=hex(mask), lane=thread.lane, thread=place(thread.place))
        brought: dict[int, Any] = thread.meet(call, mask, value, frame)
        return brought

    def _from_lane(self, call: str, mask: int, value: Any, source: int, frame: FrameType) -> Any:
        brought = self._exchange(call, mask, value, frame)
        if not 0 <= source < WARP:
            return value  # beyond the warp there is nobody: a lane keeps its own
        return brought[source] if source in brought else _undefined(value)


class Groups(FakeCUDACg):
    """Cooperative groups: a grid that waits for all its blocks; as in numba's simulator, it may have one only."""

    def __init__(self, launching: Launching):
        self._launching = launching

    def this_grid(self) -> Groups:
        return self

    def sync(self) -> None:
        self._launching.thread.meet("grid.sync", ALL_LANES, None, sys._getframe(1))


class Shared(FakeCUDAShared):
    """Memory of a block: one array for each place in the code that asks for one, poisoned."""

    def __init__(self, launching: Launching):
        self._launching = launching

    def array(self, shape: Any, dtype: Any, alignment: int | None = None) -> Array:
        block = self._launching.thread.block
        frame = sys._getframe(1)
        kind = as_dtype(dtype)
        dynamic = shape in (0, (0,))
        key = "dynamic" if dynamic else (frame.f_code, frame.f_lasti)
        if key not in block.shared:
            poison = self._launching.simulator.poison
            memory = poisoned(self._launching.shared, np.uint8, poison) if dynamic else poisoned(shape, kind, poison)
            self._afford(block.shared, memory)
            block.shared[key] = memory, self._launching.region(array_name(frame), "shared", memory)
        memory, region = block.shared[key]
        if dynamic:
            region.width = max(region.width, kind.itemsize)
            memory = memory[: memory.size // kind.itemsize * kind.itemsize].view(kind)
            region.shape = memory.shape
        return Array(memory, region)

    def _afford(self, arrays: dict[Any, Any], memory: np.ndarray) -> None:
        asked = memory.nbytes + sum(other.nbytes for other, _ in arrays.values())
        if asked > SHARED_BYTES:
            raise Fault("shared", asked=asked, most=SHARED_BYTES)


class Local(FakeCUDALocal):
    """A thread's own arrays, which nobody else can touch: new ones each time, poisoned."""

    def __init__(self, launching: Launching):
        self._launching = launching
        self._regions: dict[Any, Region] = {}  # one for each place in the code that asks for one

    def array(self, shape: Any, dtype: Any, alignment: int | None = None) -> Array:
        frame = sys._getframe(1)
        memory = poisoned(shape, as_dtype(dtype), self._launching.simulator.poison)
        place = frame.f_code, frame.f_lasti
        if place not in self._regions:
            self._regions[place] = Region(array_name(frame), "local", memory, self._launching)
        return Private(memory, self._regions[place])


class Atomics(FakeCUDAAtomic):
    """Atomic updates: numba's own, on memory that knows they are."""

    def compare_and_swap(self, array: Array, old: Any, value: Any) -> Any:
        return self.cas(array, (0,) * array.ndim, old, value)


def _atomic(name: str) -> Callable[..., Any]:
    """numba's method of that name, for one of our arrays."""
    change = getattr(FakeCUDAAtomic, name)

    def update(self: Atomics, array: Array, index: Any, *values: Any) -> Any:
        return array._update(index, lambda data, at: change(self, data, at, *values), sys._getframe(1))

    return update


for _name in dir(FakeCUDAAtomic):
    if not _name.startswith("_") and _name != "compare_and_swap":
        setattr(Atomics, _name, _atomic(_name))


def as_dtype(kind: Any) -> np.dtype[Any]:
    """NumPy's type for one of numba's or NumPy's."""
    if isinstance(kind, (np.dtype, type)):
        return np.dtype(kind)
    return np.dtype(getattr(kind, "dtype", None) or str(kind))


def array_name(frame: FrameType) -> str:
    """The name that a line of code gives to the array it makes."""
    positions = list(frame.f_code.co_positions())[frame.f_lasti // 2]
    line, start = positions[0] or frame.f_lineno, positions[2] or 0
    before = linecache.getline(frame.f_code.co_filename, line).encode()[:start].decode()
    found = re.search(r"(\w+)\s*=\s*$", before)
    return found[1] if found else f"the array of line {line}"


def _undefined(value: Any) -> Any:
    """What nobody brought: NaN where that can be, else what is never meant."""
    return type(value)(np.nan) if isinstance(value, (float, np.floating)) else type(value)(-1 & 0x7FFF_FFFF)

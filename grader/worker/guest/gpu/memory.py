"""The arrays of a kernel: every access is checked against the shape, watched for races, and counted.

An array is a view of a region of memory, which knows its name and what was done to it. NumPy would take an index below
zero as counted from the end, and so does numba; in a kernel it is never meant, and in CUDA it leads elsewhere.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from types import FrameType
from typing import TYPE_CHECKING, Any

import numpy as np

from . import races
from .block import Thread
from .faults import Fault, place, told
from .races import Watch
from .traffic import READ, UPDATE, WRITE, Row, Traffic

if TYPE_CHECKING:
    from .simulator import Launching

NAN_BYTE = 0xFF  # all bytes so are NaN as a float, and -1 as an integer
LARGE_BYTE = 0x7F  # near the largest number there is, as a float and as an integer: a maximum that ignores NaN sees it

LARGEST_SHARE = 64  # elements that one thread may have for its own: 8 * 8 sums of a product


class Region:
    """One piece of memory and what happens to it.

    Parameters
    ----------
    name : what the student calls it
    space : global or shared
    data : the memory itself
    launching : the launch, which knows who is running
    traffic, row : where accesses are counted, if they are
    """

    def __init__(
        self,
        name: str,
        space: str,
        data: np.ndarray,
        launching: Launching,
        traffic: Traffic | None = None,
        row: Row | None = None,
    ):
        self.name, self.space, self.shape = name, space, data.shape
        self.start, self.width = address(data), data.itemsize
        self.launching = launching
        self.traffic, self.row = traffic, row
        self.watch = Watch()
        self.contiguous = bool(data.flags.c_contiguous)
        self._writers: list[Thread] = []  # the first two

    def read(self, offset: int, frame: FrameType) -> None:
        """A thread reads what lies `offset` bytes from the start."""
        thread = self.launching.thread
        if thread.loaded.get(self) == offset:
            return  # a compiler keeps it in a register
        thread.loaded[self] = offset
        collision = self.watch.read(offset, thread.stamp, frame)
        if collision is not None:
            self._note("race", offset, races.facts(collision))
        elif self.space == "shared" and not self.watch.written(offset):
            self._note("unwritten", offset, self._place(thread, frame))
        if self.traffic is not None:
            self.traffic.note(self.row, READ, offset, self.width, thread, frame)

    def write(self, offset: int, frame: FrameType, same: bool) -> None:
        """A thread writes there; `same`: what was there before."""
        thread = self.launching.thread
        self._written_by(thread)
        collision = self.watch.write(offset, thread.stamp, frame, same)
        if collision is not None:
            self._note("race", offset, races.facts(collision))
        if self.traffic is not None:
            self.traffic.note(self.row, WRITE, offset, self.width, thread, frame)

    def update(self, offset: int, frame: FrameType) -> None:
        """A thread updates it atomically."""
        thread = self.launching.thread
        self._written_by(thread)
        collision = self.watch.update(offset, thread.stamp, frame)
        if collision is not None:
            self._note("race", offset, races.facts(collision))
        if self.traffic is not None:
            self.traffic.note(self.row, UPDATE, offset, self.width, thread, frame)

    def _written_by(self, thread: Thread) -> None:
        thread.loaded.clear()
        if len(self._writers) < 2 and thread not in self._writers:
            self._writers.append(thread)

    def lone_writer(self) -> Thread | None:
        """Who alone has written more than any one thread's share; None where nobody has."""
        lone = len(self._writers) == 1 and self.watch.elements_written() > LARGEST_SHARE
        return self._writers[0] if lone else None

    def refuse(self, kind: str, index: Any, axis: int, shape: tuple[int, ...]) -> Fault:
        """For an index outside."""
        thread = self.launching.thread
        return Fault(
            kind,
            array=self.name,
            index=told(index),
            axis=axis,
            shape=str(shape),
            space=self.space,
            thread=place(thread.place),
            block=place(thread.block.place),
        )

    def _note(self, kind: str, offset: int, facts: dict[str, Any]) -> None:
        number = offset // self.width
        index = np.unravel_index(number, self.shape) if self.contiguous and len(self.shape) > 1 else (number,)
        self.launching.simulator.note(
            kind, {"array": self.name, "index": told(tuple(index)), "space": self.space, **facts}
        )

    @staticmethod
    def _place(thread: Thread, frame: FrameType) -> dict[str, Any]:
        return {
            "thread": place(thread.place),
            "block": place(thread.block.place),
            "file": frame.f_code.co_filename,
            "line": frame.f_lineno,
        }


class Array:
    """What a kernel sees of an array, or of a part of one."""

    __slots__ = ("_data", "_offset", "_region", "_shape", "_strides", "_widened")

    def __init__(self, data: np.ndarray, region: Region):
        self._data, self._region = data, region
        self._shape, self._strides = data.shape, data.strides
        self._offset = address(data) - region.start
        self._widened = widened(data.dtype)

    def __getitem__(self, index: Any) -> Any:
        offset = self._find(index)
        if offset is None:
            return self._part(index)
        self._region.read(offset, sys._getframe(1))
        value = self._data[index]
        return value if self._widened is None else self._widened(value)

    def __setitem__(self, index: Any, value: Any) -> None:
        offset = self._find(index)
        if offset is None:
            raise Fault("whole", array=self._region.name)
        data = self._data
        before = data[index].tobytes()
        data[index] = value
        self._region.write(offset, sys._getframe(1), before == data[index].tobytes())

    def _update(self, index: Any, change: Callable[[np.ndarray, Any], Any], frame: FrameType) -> Any:
        """Change one element atomically; `change` gets the memory and the index."""
        offset = self._find(index)
        if offset is None:
            raise Fault("whole", array=self._region.name)
        self._region.update(offset, frame)
        before = change(self._data, index)
        return before if self._widened is None else self._widened(before)

    def _find(self, index: Any) -> int | None:
        """How many bytes from the region's start an element lies; None for an index that means more than one."""
        shape, strides = self._shape, self._strides
        if type(index) is tuple and len(index) == len(shape) == 2:  # what inner loops are made of, quickly
            i, j = index
            if type(i) is type(j) is int and 0 <= i < shape[0] and 0 <= j < shape[1]:
                return self._offset + i * strides[0] + j * strides[1]
        elif type(index) is int and len(shape) == 1 and 0 <= index < shape[0]:
            return self._offset + index * strides[0]
        return self._find_any(index)

    def _find_any(self, index: Any) -> int | None:
        """The same for an index of any form."""
        indices = index if type(index) is tuple else (index,)
        if len(indices) != len(self._shape):
            if len(indices) > len(self._shape):
                raise self._region.refuse("dimensions", index, len(indices), self._shape)
            return None
        offset = self._offset
        for number, extent, stride in zip(indices, self._shape, self._strides, strict=True):
            if type(number) is int and 0 <= number < extent:
                offset += number * stride
            elif isinstance(number, np.integer) and 0 <= number < extent:
                offset += int(number) * stride
            else:
                self._unusual(index, indices)
                return None
        return offset

    def _unusual(self, index: Any, indices: tuple[Any, ...]) -> None:
        """Refuse an index that leaves the array or is no whole number; slices and the like may pass."""
        for axis, (number, extent) in enumerate(zip(indices, self._shape, strict=False)):
            if isinstance(number, (float, np.floating)):
                raise self._region.refuse("fraction", index, axis, self._shape)
            if isinstance(number, (int, np.integer)) and not 0 <= number < extent:
                raise self._region.refuse("negative" if number < 0 else "range", index, axis, self._shape)

    def _part(self, index: Any) -> Any:
        """A row, a slice: another view of the same region."""
        self._unusual(index, index if type(index) is tuple else (index,))
        return type(self)(self._data[index], self._region)

    @property
    def shape(self) -> tuple[int, ...]:
        return self._shape

    @property
    def strides(self) -> tuple[int, ...]:
        return self._strides

    @property
    def size(self) -> int:
        return self._data.size

    @property
    def ndim(self) -> int:
        return len(self._shape)

    @property
    def dtype(self) -> Any:
        return self._data.dtype

    @property
    def T(self) -> Array:  # noqa: N802
        return type(self)(self._data.T, self._region)

    @property
    def flat(self) -> Array:
        return self.reshape(-1)

    def ravel(self) -> Array:
        return self.reshape(-1)

    def reshape(self, *shape: Any) -> Array:
        if not self._data.flags.c_contiguous:
            raise Fault("whole", array=self._region.name)
        return type(self)(self._data.reshape(*shape), self._region)

    def view(self, dtype: Any) -> Array:
        return type(self)(self._data.view(dtype), self._region)

    def __len__(self) -> int:
        return self._shape[0]

    def __iter__(self) -> Iterator[Any]:
        return (self[index] for index in range(len(self)))

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        raise Fault("attribute", array=self._region.name, name=name)


class Private(Array):
    """A thread's own array: nobody else can touch it, so that only its indices are looked at."""

    __slots__ = ()

    def __getitem__(self, index: Any) -> Any:
        if self._find(index) is None:
            return self._part(index)
        value = self._data[index]
        return value if self._widened is None else self._widened(value)

    def __setitem__(self, index: Any, value: Any) -> None:
        if self._find(index) is None:
            raise Fault("whole", array=self._region.name)
        self._data[index] = value


def address(data: np.ndarray) -> int:
    """Where an array begins in memory."""
    return int(data.__array_interface__["data"][0])


def widened(dtype: Any) -> Callable[[Any], Any] | None:
    """What numba computes with where an element is a small integer or a bool; None for the element's own type."""
    if dtype.kind == "b":
        return bool
    return np.int64 if dtype.kind in "iu" and dtype.itemsize < 8 else None


def poisoned(shape: Any, dtype: Any, byte: int = NAN_BYTE) -> np.ndarray:
    """Memory that nobody has written to: every byte of it the same."""
    dtype = np.dtype(dtype)
    size = int(np.prod(shape, dtype=np.int64)) * dtype.itemsize
    return np.full(size, byte, np.uint8).view(dtype).reshape(shape)

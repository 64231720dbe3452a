"""Frames between the trusted host and the untrusted guest: JSON and raw arrays, never pickle.

    frame = header length (4 bytes, little endian) | JSON header | the bytes of the arrays, in the header's order

Reading a frame trusts nothing: header, depth, item count, dtype, shape and total size are checked before memory is
asked for, and one absolute deadline covers the whole frame, so that a peer that drips bytes cannot stretch it.
This file is all that host and guest share; it needs nothing but numpy.
"""

from __future__ import annotations

import json
import math
import socket
import struct
import time
from collections.abc import Callable
from typing import Any

import numpy as np

DTYPES = frozenset(["|b1", "|i1", "|u1", "<i2", "<u2", "<i4", "<u4", "<i8", "<u8", "<f2", "<f4", "<f8"])
MAX_HEADER = 1 << 23
MAX_BYTES = 1 << 28
MAX_DIMENSIONS = 8
MAX_ITEMS = 4096
MAX_DEPTH = 6


class WireError(Exception):
    """The peer sent something that is no valid frame."""


class Unsendable(TypeError):
    """A value that cannot travel; the message names its type."""


def send(channel: socket.socket, header: dict[str, Any], value: Any = None, deadline: float | None = None) -> None:
    """Write one frame to a socket; TimeoutError where the peer has not taken the whole of it by the deadline."""
    for piece in pack(header, value):
        channel.settimeout(_left(deadline))
        channel.sendall(piece)


def receive(channel: socket.socket, deadline: float | None = None) -> tuple[dict[str, Any], Any]:
    """Read one frame and return its header and value.

    Parameters
    ----------
    channel : a stream socket
    deadline : `time.monotonic()` by which the whole frame must be here; None waits for ever

    Raises
    ------
    TimeoutError, EOFError, OSError, WireError
    """
    return unpack(lambda size: _read(channel, size, deadline))


def pack(header: dict[str, Any], value: Any) -> list[bytes | memoryview]:
    """One frame: a plain JSON `header` and one `value` (None, scalars, text, arrays, nested tuples, lists or dicts).

    Raises
    ------
    Unsendable : the value has a part of another kind, or is too large
    """
    arrays: list[np.ndarray] = []
    text = json.dumps({**header, "value": _encode(value, arrays, 0)}, separators=(",", ":"), ensure_ascii=False)
    head = text.encode("utf-8", "replace")
    if len(head) > MAX_HEADER:
        raise Unsendable("a value with more parts than any exercise asks for")
    if sum(array.nbytes for array in arrays) > MAX_BYTES:
        raise Unsendable(f"more than {MAX_BYTES >> 20} MB")
    bodies = [array.data.cast("B") for array in arrays if array.size]
    return [struct.pack("<I", len(head)) + head, *bodies]


def unpack(read: Callable[[int], bytes | bytearray]) -> tuple[dict[str, Any], Any]:
    """Decode one frame; `read(size)` gives exactly so many bytes or raises."""
    (length,) = struct.unpack("<I", read(4))
    if length > MAX_HEADER:
        raise WireError("a header that is too long")
    try:
        header = json.loads(bytes(read(length)))
    except (ValueError, RecursionError):
        raise WireError("a header that is not JSON") from None
    if not isinstance(header, dict):
        raise WireError("a header that is no record")
    return header, _Reader(read).decode(header.pop("value", None), 0)


def _encode(value: Any, arrays: list[np.ndarray], depth: int) -> Any:
    if depth > MAX_DEPTH:
        raise Unsendable("a value nested too deeply")
    if value is None or isinstance(value, (bool, str)):
        return {"plain": value}
    if isinstance(value, int):
        return {"plain": value} if abs(value) < 2**63 else {"plain": float(value)}
    if isinstance(value, float):
        return {"float": value.hex()}  # survives nan and infinity, and every bit
    if isinstance(value, (np.ndarray, np.generic)):
        array = np.ascontiguousarray(value)
        if array.dtype.byteorder == ">":
            array = array.astype(array.dtype.newbyteorder("<"))
        if array.dtype.str not in DTYPES:
            raise Unsendable(f"an array of dtype {array.dtype}")
        arrays.append(array)
        return {"array": array.dtype.str, "shape": list(np.shape(value)), "scalar": isinstance(value, np.generic)}
    if isinstance(value, (tuple, list)):
        return {type(value).__name__: [_encode(item, arrays, depth + 1) for item in value]}
    if isinstance(value, dict) and all(isinstance(key, str) for key in value):
        return {"dict": {key: _encode(item, arrays, depth + 1) for key, item in value.items()}}
    raise Unsendable(f"a value of type {type(value).__name__}")


class _Reader:
    """Decodes one frame's value; counts what it has taken."""

    def __init__(self, read: Callable[[int], bytes | bytearray]):
        self.read = read
        self.bytes_left = MAX_BYTES
        self.items_left = MAX_ITEMS

    def decode(self, code: Any, depth: int) -> Any:
        self.items_left -= 1
        if not isinstance(code, dict) or depth > MAX_DEPTH or self.items_left < 0:
            raise WireError("a value that is malformed, too deep or too long")
        match code:
            case {"plain": int() as number} if abs(number) >= 2**63:
                raise WireError("a number that no array holds")
            case {"plain": None | bool() | int() | str() as plain}:
                return plain
            case {"float": str() as text}:
                return self._float(text)
            case {"array": str() as dtype, "shape": list() as shape}:
                array = self._array(dtype, shape)
                return array[()] if code.get("scalar") is True and array.ndim == 0 else array
            case {"tuple": list() as items}:
                return tuple(self.decode(item, depth + 1) for item in items)
            case {"list": list() as items}:
                return [self.decode(item, depth + 1) for item in items]
            case {"dict": dict() as items}:
                return {key: self.decode(item, depth + 1) for key, item in items.items()}
        raise WireError("a value of an unknown kind")

    @staticmethod
    def _float(text: str) -> float:
        try:
            return float.fromhex(text)
        except (ValueError, OverflowError):
            raise WireError("a number that is none") from None

    def _array(self, dtype: str, shape: list[Any]) -> np.ndarray:
        if dtype not in DTYPES or len(shape) > MAX_DIMENSIONS:
            raise WireError("an array of a forbidden kind")
        if not all(type(extent) is int and 0 <= extent < 2**40 for extent in shape):
            raise WireError("an array of a forbidden shape")
        size = np.dtype(dtype).itemsize * math.prod(shape)
        if size > self.bytes_left:
            raise WireError("more data than any answer needs")
        self.bytes_left -= size
        data = self.read(size)
        try:
            return np.frombuffer(data, dtype).reshape(shape)
        except ValueError:  # an empty array whose other extents numpy cannot multiply
            raise WireError("an array of a forbidden shape") from None


def _read(channel: socket.socket, size: int, deadline: float | None) -> bytearray:
    buffer = bytearray(size)
    view, got = memoryview(buffer), 0
    while got < size:
        channel.settimeout(_left(deadline))
        received = channel.recv_into(view[got:], min(size - got, 1 << 20))
        if received == 0:
            raise EOFError
        got += received
    return buffer


def _left(deadline: float | None) -> float | None:
    if deadline is None:
        return None
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left

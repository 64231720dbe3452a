"""Memory with a margin on both sides that nobody may write to."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

MARGIN = 256  # bytes; as far as a device aligns what it hands out
CANARY = 0xA5


def guarded(array: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A copy of an array inside a larger buffer, and that buffer."""
    buffer = np.full(array.nbytes + 2 * MARGIN, CANARY, np.uint8)
    inner = buffer[MARGIN : MARGIN + array.nbytes].view(array.dtype).reshape(array.shape)
    inner[...] = array
    return inner, buffer


def intact(buffer: np.ndarray) -> bool:
    """Whether both margins are as they were."""
    return bool((buffer[:MARGIN] == CANARY).all() and (buffer[-MARGIN:] == CANARY).all())


def each_array(name: str, value: Any, put: Callable[[str, np.ndarray], Any]) -> Any:
    """An argument with `put(name, array)` in the place of every array, also of those in tuples."""
    if isinstance(value, np.ndarray):
        return put(name, value)
    if isinstance(value, tuple):
        return tuple(each_array(name, part, put) for part in value)
    return value


def each_part(value: Any, change: Callable[[Any], Any]) -> Any:
    """What a host function returns with `change` made to every part of it, also in tuples, lists and dicts."""
    if isinstance(value, (tuple, list)):
        return type(value)(each_part(part, change) for part in value)
    if isinstance(value, dict):
        return {name: each_part(part, change) for name, part in value.items()}
    return change(value)


def describe(argument: Any) -> list[Any]:
    """What a compiler needs to know of an argument: its type and, for an array, dimensions and whether it is dense.

    The type of a tuple of numbers is written as a tuple of their types.
    """
    if isinstance(argument, tuple):
        return [f"({', '.join(describe(part)[0] for part in argument)})", 0, True]
    if isinstance(argument, np.ndarray):
        return [str(argument.dtype), argument.ndim, bool(argument.flags.c_contiguous)]
    if isinstance(argument, np.generic):
        return [str(argument.dtype), 0, True]
    names = {bool: "bool", int: "int64", float: "float64"}
    return [names.get(type(argument), type(argument).__name__), 0, True]

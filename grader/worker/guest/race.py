"""A prange that notices when two of its iterations write to the same array element.

Timing alone shows a race now and then; this shows it every time. In interpreted mode `numba.prange` is replaced by a
generator that looks, after each iteration, at which elements of the caller's arrays have changed. An element changed by
two iterations is a race as soon as the loop runs in parallel. `array += …` on a whole array is a reduction, which numba
handles, and is left out.
"""

from __future__ import annotations

import ast
import functools
import linecache
import sys
from collections.abc import Callable, Iterator
from types import CodeType, FrameType
from typing import Any

import numpy as np

MAX_ELEMENTS = 20_000
MAX_ITERATIONS = 64


class RaceWatch:
    """Collects the first collision since `reset`: (function, array name, index, one iteration, another).

    Without `parallel=True` numba runs a prange as a range, so that only functions decorated with it are watched.
    """

    def __init__(self) -> None:
        self.collision: list[Any] | None = None
        self.parallel: set[CodeType] = set()

    def noting(self, decorator: Callable[..., Any]) -> Callable[..., Any]:
        """numba's `jit` or `njit`, with a note of the functions that ask for threads."""

        def decorate(*arguments: Any, **options: Any) -> Any:
            if not options.get("parallel") or arguments:
                return decorator(*arguments, **options)
            return lambda function: self._note(decorator(**options)(function))

        return decorate

    def _note(self, function: Any) -> Any:
        self.parallel.add(function.__code__)
        return function

    def reset(self) -> None:
        self.collision = None

    def prange(self, *bounds: int) -> Iterator[int]:
        """Iterate like `range`, watching the arrays of the function that loops; the first iterations suffice."""
        frame = sys._getframe(1)
        if frame.f_code not in self.parallel:
            yield from range(*bounds)
            return
        reductions = reduced_names(frame.f_code)
        owners: dict[int, tuple[np.ndarray, np.ndarray]] = {}  # with the array: its id is its own while it lives
        for count, index in enumerate(range(*bounds)):
            if count >= MAX_ITERATIONS or self.collision is not None:
                yield index
                continue
            before = arrays_of(frame, reductions)
            kept = {name: array.copy() for name, array in before.items()}
            yield index
            for name, array in before.items():
                old = kept[name]
                changed = (array != old) & ((array == array) | (old == old))  # NaN in np.empty's memory is no change
                _, owner = owners.setdefault(id(array), (array, np.full(array.shape, -1)))
                twice = changed & (owner >= 0)
                if twice.any() and self.collision is None:
                    where = [int(i) for i in np.argwhere(twice)[0]]
                    self.collision = [frame.f_code.co_name, name, where, int(owner[tuple(where)]), int(index)]
                owner[changed] = index


def arrays_of(frame: FrameType, skipped: frozenset[str]) -> dict[str, np.ndarray]:
    """The arrays among a function's local names that are small enough to be compared after each iteration."""
    return {
        name: value
        for name, value in frame.f_locals.items()
        if type(value) is np.ndarray and name not in skipped and value.ndim and value.size <= MAX_ELEMENTS
    }


@functools.cache  # parsing takes longer than most loops
def reduced_names(code: CodeType) -> frozenset[str]:
    """The names that the function reduces into as a whole, as in `total += x[i]`."""
    source = "".join(linecache.getlines(code.co_filename))
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef) and node.name == code.co_name:
            loops = [inner for inner in ast.walk(node) if isinstance(inner, ast.AugAssign)]
            return frozenset(loop.target.id for loop in loops if isinstance(loop.target, ast.Name))
    return frozenset()

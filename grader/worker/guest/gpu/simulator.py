"""Launches on numba's simulator, block by block: its kernels, its `cuda`, our threads and our memory."""

from __future__ import annotations

import importlib
import inspect
import math
import random
import sys
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from . import strand
from .arithmetic import BY_FUNCTION, arithmetic
from .block import Block, Thread
from .faults import Fault, place
from .guard import describe, each_array, each_part, guarded, intact
from .hostside import ARRAYS, fit
from .memory import LARGE_BYTE, NAN_BYTE, Array, Region
from .traffic import Traffic

PACKAGE = "exercises"  # what a submission's modules are in
MOST_THREADS = 1024  # of a block, on every device there is
MOST_LAUNCHES = 64  # that are told to the compiler


class Launching:
    """One launch that is under way.

    Parameters
    ----------
    simulator : whose it is
    kernel : the kernel's name
    grid, block, shared : how it was started
    """

    def __init__(self, simulator: Simulator, kernel: str, grid: Sequence[int], block: Sequence[int], shared: int):
        self.simulator = simulator
        self.kernel = kernel
        self.grid, self.block, self.shared = _checked(grid, "grid"), _checked(block, "block"), int(shared)
        if math.prod(self.block) > MOST_THREADS:
            raise Fault("launch", what="block", dims=str(self.block), most=MOST_THREADS)
        self.thread: Any = None  # who is running
        self._swapped: list[tuple[dict[str, Any], str, Any]] = []
        self._seen: set[int] = set()
        self._given: list[Region] = []  # the arrays that it was launched with

    def run(self, function: Callable[..., None], arguments: Sequence[Any]) -> None:
        """Run all blocks, one after the other."""
        from .intrinsics import Intrinsics

        self.intrinsics = Intrinsics(self)
        self.lend(function)
        places = [(x, y, z) for z in range(self.grid[2]) for y in range(self.grid[1]) for x in range(self.grid[0])]
        numbered = list(enumerate(places))
        order = self.simulator.order
        if order is not None:
            order.shuffle(numbered)
        try:
            for number, at in numbered:
                Block(number, at, self.block, lambda: function(*arguments), self._enter, order).run()
                if self.simulator.traffic is not None:
                    self.simulator.traffic.settle()
        finally:
            self._give_back()
        self._see_who_worked()

    def given(self, name: str, memory: np.ndarray) -> Array:
        """An argument as the kernel sees it."""
        self._given.append(self.region(name, "global", memory))
        return Array(memory, self._given[-1])

    def _see_who_worked(self) -> None:
        threads = math.prod(self.grid) * math.prod(self.block)
        for region in self._given if threads > 1 else ():
            thread = region.lone_writer()
            if thread is not None:
                facts = {"thread": place(thread.place), "block": place(thread.block.place), "threads": threads}
                self.simulator.note("alone", {"array": region.name, **facts})

    def region(self, name: str, space: str, memory: np.ndarray) -> Region:
        """A piece of memory that is watched."""
        traffic = self.simulator.traffic
        row = traffic.row(self.kernel, name, space) if traffic is not None else None
        if row is not None:
            row.elements += memory.size
        return Region(name, space, memory, self, traffic, row)

    def lend(self, function: Any) -> None:
        """Give a function's module our `cuda` and `math` until the launch is over."""
        names = function.__globals__
        if id(names) in self._seen:
            return
        self._seen.add(id(names))
        for name, value in list(names.items()):
            if value is self.simulator.module:
                self._put(names, name, self.intrinsics)
            elif value is self.simulator.numba:
                self._put(names, name, Numba(value, self.intrinsics))
            elif isinstance(value, Named) and not value.is_property:
                self._put(names, name, getattr(self.intrinsics, value.name))
            elif value is math:
                self._put(names, name, arithmetic)
            elif id(value) in BY_FUNCTION:
                self._put(names, name, BY_FUNCTION[id(value)])

    def _put(self, names: dict[str, Any], name: str, value: Any) -> None:
        self._swapped.append((names, name, names[name]))
        names[name] = value

    def _give_back(self) -> None:
        for names, name, value in self._swapped:
            names[name] = value

    def _enter(self, thread: Thread) -> None:
        self.thread = thread


class Numba:
    """In the place of the module `numba` while a kernel runs."""

    def __init__(self, module: Any, cuda: Any):
        self._module, self.cuda = module, cuda

    def __getattr__(self, name: str) -> Any:
        return getattr(self._module, name)


class Named:
    """What `from numba.cuda import` finds where numba's simulator has nothing: threadIdx, grid and the like."""

    def __init__(self, simulator: Simulator, name: str, is_property: bool):
        self.name, self.is_property = name, is_property
        self._simulator = simulator

    def __getattr__(self, name: str) -> Any:
        return getattr(getattr(self._simulator.intrinsics, self.name), name)


class Simulator:
    """Runs kernels, and host functions that launch kernels, in the place of a device.

    Attributes of the last call: `finding` is the first thing that was wrong though it came to an end, `launches` the
    kernels with the types of their arguments, `copies` how often arrays went between host and device, `traffic` what
    was asked of memory.
    """

    def __init__(self) -> None:
        self.module: Any = None
        self.numba: Any = None
        self.order: random.Random | None = None
        self.traffic: Traffic | None = None
        self.finding: list[Any] | None = None
        self.launches: dict[str, list[Any]] = {}
        self.copies = 0
        self._launching: Launching | None = None

    def install(self) -> None:
        """Take the place of numba's own launches; numba must have been told to simulate before."""
        self.module = numbas_cuda()
        self.numba = importlib.import_module("numba")
        kernel: Any = importlib.import_module("numba.cuda.simulator.kernel")
        simulator = self

        def call(fake: Any, *arguments: Any) -> Any:
            return simulator.launch(fake, arguments)

        kernel.FakeCUDAKernel.__call__ = call
        self.module.jit = deaf(self.module.jit)
        fit(self.module, self._copied)
        self._quicken_random()
        self._name_intrinsics()

    def _name_intrinsics(self) -> None:
        from .intrinsics import Intrinsics

        for name in dir(Intrinsics):
            if not name.startswith("_") and not hasattr(self.module, name):
                setattr(self.module, name, Named(self, name, isinstance(getattr(Intrinsics, name), property)))

    def run(self, function: Any, arguments: dict[str, Any], how: dict[str, Any]) -> Any:
        """Call a kernel as `how` says, or a host function with its arrays on the device; arrays change in place."""
        self._reset(how)
        placed: list[tuple[str, np.ndarray, np.ndarray, np.ndarray]] = []

        def put(name: str, own: np.ndarray) -> Any:
            inner, buffer = guarded(own)
            placed.append((name, own, inner, buffer))
            return self._to_device(inner)

        given = [each_array(name, value, put) for name, value in arguments.items()]
        try:
            if "grid" in how:
                _configured(function, how)(*given)
                returned = None
            else:
                returned = function(*given)
        finally:
            self._launching = None
        for name, own, inner, buffer in placed:
            own[...] = inner
            if not intact(buffer):
                self.note("canary", {"array": name})
        return each_part(returned, _bare)

    @property
    def intrinsics(self) -> Any:
        """`cuda` of the launch that is under way."""
        if self._launching is None:
            raise Fault("no-launch", name="a kernel")
        return self._launching.intrinsics

    def report(self) -> dict[str, Any]:
        """What was noticed in the last call."""
        return {
            "finding": self.finding,
            "launches": list(self.launches.values())[:MOST_LAUNCHES],
            "copies": self.copies,
            "traffic": self.traffic.report() if self.traffic is not None else None,
            "threads": strand.KIND,
        }

    def note(self, kind: str, facts: dict[str, Any]) -> None:
        """Something is wrong; the first thing counts, and reading what nobody wrote only where nothing else is."""
        if self.finding is None or (self.finding[0] == "unwritten" and kind != "unwritten"):
            self.finding = [kind, facts]

    def launch(self, kernel: Any, arguments: Sequence[Any]) -> Any:
        """What calling a kernel does, or a device function."""
        if self._launching is not None:
            self._launching.lend(kernel.fn)
            return kernel.fn(*arguments)
        if kernel._device:
            raise Fault("device-function", name=kernel.fn.__name__)
        if kernel.grid_dim is None:
            raise Fault("no-launch", name=kernel.fn.__name__)
        name = kernel.fn.__name__
        launching = Launching(self, name, kernel.grid_dim, kernel.block_dim, kernel.dynshared_size)
        names = list(inspect.signature(kernel.fn).parameters)
        if len(names) != len(arguments):
            raise TypeError(f"{name}() takes {len(names)} arguments but {len(arguments)} were given")
        bare = [_bare(argument) for argument in arguments]
        self.copies += 2 * sum(isinstance(argument, np.ndarray) for argument in arguments)  # there and back
        self._record(kernel.fn, launching, bare)
        self._launching = launching
        try:
            launching.run(kernel.fn, [_seen(*pair, launching) for pair in zip(names, bare, strict=True)])
        finally:
            self._launching = None
        return None

    def _reset(self, how: dict[str, Any]) -> None:
        seed = how.get("seed", 0)
        self.order = random.Random(seed) if seed else None
        self.traffic = Traffic(bool(how.get("points"))) if how.get("trace") else None
        self.finding, self.launches, self.copies = None, {}, 0

    def _record(self, function: Any, launching: Launching, arguments: Sequence[Any]) -> None:
        types = [describe(argument) for argument in arguments]
        package, _, module = function.__module__.partition(".")
        if package == PACKAGE and len(self.launches) < MOST_LAUNCHES:
            self.launches[f"{module}.{function.__name__} {types}"] = [module, function.__name__, types]

    @staticmethod
    def _to_device(inner: np.ndarray) -> Any:
        return importlib.import_module(ARRAYS).FakeCUDAArray(inner)

    @staticmethod
    def _quicken_random() -> None:
        """Have numba's generators cast numbers by NumPy: numba's own casts take most of the time of every draw."""
        generators: Any = importlib.import_module("numba.cuda.random")
        for name in ("int64", "uint32", "uint64", "float32", "float64"):
            setattr(generators, name, getattr(np, name))

    @property
    def poison(self) -> int:
        """What memory begins with: one thing in the natural order of the threads, another in a shuffled one."""
        return NAN_BYTE if self.order is None else LARGE_BYTE

    def _copied(self) -> None:
        self.copies += 1


def numbas_cuda() -> Any:
    """numba's module; the one that comes with numba itself where numba-cuda lacks something that it needs."""
    try:
        return importlib.import_module("numba.cuda")
    except ImportError:
        sys.meta_path[:] = [one for one in sys.meta_path if type(one).__name__ != "NumbaCudaFinder"]
        for name in [name for name in sys.modules if name.startswith("numba.cuda")]:
            del sys.modules[name]
        return importlib.import_module("numba.cuda")


def deaf(jit: Callable[..., Any]) -> Callable[..., Any]:
    """numba's decorator, deaf to what means nothing in a simulation, such as the number of registers."""

    def decorate(function_or_signature: Any = None, device: bool = False, **_options: Any) -> Any:
        return jit(function_or_signature, device=device)

    return decorate


def _configured(function: Any, how: dict[str, Any]) -> Any:
    """A kernel, ready to be called."""
    if not hasattr(function, "fn") and not hasattr(function, "py_func"):
        raise Fault("no-kernel")
    return function[tuple(how["grid"]), tuple(how["block"]), 0, how["shared"]]


def _bare(value: Any) -> Any:
    """The memory behind one of numba's simulated device arrays."""
    return value._ary if hasattr(value, "_ary") else value


def _seen(name: str, argument: Any, launching: Launching) -> Any:
    """An argument as the kernel sees it."""
    if isinstance(argument, np.ndarray) and argument.ndim:
        return launching.given(name, argument)
    return argument


def _checked(dims: Sequence[int], what: str) -> tuple[int, int, int]:
    """Three numbers, all of them at least 1."""
    three = tuple(int(number) for number in dims) + (1,) * (3 - len(dims))
    if min(three) < 1:
        raise Fault("launch", what=what, dims=str(tuple(dims)), most=0)
    return three  # type: ignore[return-value]

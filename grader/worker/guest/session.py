"""One session of the guest: import a submission, answer calls, until the host hangs up.

Everything here is in reach of the student's code, so nothing here is trusted: the host scores nothing but the numbers
that come back, and times and kills from outside. That a function is compiled, changed no argument and did not race are
the guest's own word: they guide an honest student, and code that sets out to deceive can forge them.
"""

from __future__ import annotations

import contextlib
import functools
import importlib
import io
import signal
import socket
import sys
import threading
import time
import traceback
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import wire
from library import PACKAGE, Library
from race import RaceWatch

MAX_OUTPUT = 2000
MAX_MESSAGE = 6000
PLAIN = ("interpreted", "simulated")  # the modes in which numba compiles nothing


class StillRunning(BaseException):
    """Raised inside interpreted code that runs too long, so that the student learns on which line."""


class Output(io.TextIOBase):
    """What the student printed; keeps the beginning and forgets the rest."""

    def __init__(self) -> None:
        self.kept = ""

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        self.kept += text[: MAX_OUTPUT - len(self.kept)]
        return len(text)


class Session:
    """Serves one host over one channel."""

    def __init__(self, channel: socket.socket):
        self.channel = channel
        self.output = Output()
        self.mode = "interpreted"
        self.races = RaceWatch()
        self.machine: Any = None  # what stands for a device, in the modes that have one
        self.dispatcher: Any = None  # numba's class of compiled functions, as it was before the student's code ran
        self.paths: set[str] = set()

    def serve(self) -> None:
        """Answer requests until the channel closes."""
        sys.stdout = sys.stderr = self.output
        warnings.simplefilter("ignore")  # numba's advice on speed is not the student's output
        while True:
            try:
                request, value = wire.receive(self.channel)
            except (EOFError, OSError):
                return
            reply, result = self._answer(request, value)
            reply["output"], self.output.kept = self.output.kept, ""
            reply["question"] = request.get("question")
            try:
                wire.send(self.channel, reply, result)
            except wire.Unsendable as problem:
                wire.send(self.channel, {**reply, "problem": "Unsendable", "message": str(problem)})

    def _answer(self, request: dict[str, Any], value: Any) -> tuple[dict[str, Any], Any]:
        action: Callable[[dict[str, Any], Any], Any] = getattr(self, f"_{request['do']}")
        try:
            with soft_deadline(request.get("soft_seconds", 0)), np.errstate(all="ignore"):
                reply, result = action(request, value)
        except BaseException as error:
            if isinstance(error, StillRunning):
                reply, result = {"problem": "StillRunning"}, None
            else:
                reply, result = {"problem": type(error).__name__, "message": str(error)[:MAX_MESSAGE]}, None
            reply["kind"] = [base.__name__ for base in type(error).__mro__]
            reply["frames"] = student_frames(error, self.paths)
            reply["facts"] = getattr(error, "facts", None)
            if isinstance(error, SyntaxError):
                reply["frames"] = [[str(error.filename), int(error.lineno or 0), "", str(error.text or "").strip()]]
        return reply, result

    def _begin(self, request: dict[str, Any], value: Any) -> tuple[dict[str, Any], Any]:
        self.mode = request["mode"]
        configure_numba(self.mode, self.races)
        self.machine = machine_for(self.mode)
        from numba.core.registry import CPUDispatcher

        self.dispatcher = CPUDispatcher
        self.paths = {path for path, _ in value.values()}
        Library({name: (path, text) for name, (path, text) in value.items()}).install()
        return {}, None

    def _load(self, request: dict[str, Any], value: Any) -> tuple[dict[str, Any], Any]:
        """Import the module; says whether the function is there and whether numba has it."""
        module = importlib.import_module(f"{PACKAGE}.{request['module']}")
        function = getattr(module, request["function"], None)
        return {"found": callable(function), "jitted": type(function) is self.dispatcher}, None

    def _compile(self, request: dict[str, Any], value: Any) -> tuple[dict[str, Any], Any]:
        """Compile for these arguments, so that the call's clock does not pay for it."""
        from numba import typeof

        function = self._function(request)
        if type(function) is not self.dispatcher:
            return {"nopython": False}, None
        self.dispatcher.compile(function, tuple(typeof(argument) for argument in build(value).values()))
        return {"nopython": bool(self.dispatcher.nopython_signatures.fget(function))}, None

    def _call(self, request: dict[str, Any], value: Any) -> tuple[dict[str, Any], Any]:
        arguments = build(value)
        function, launch = self._function(request), request.get("launch")
        self.races.reset()
        started = time.perf_counter()
        run = functools.partial(function, *arguments.values())
        returned = run() if launch is None else self.machine.run(function, arguments, launch)
        inside = time.perf_counter() - started
        changes = request["changes"]
        spoiled = [name for name in arguments if name not in changes and not same(arguments[name], value[name])]
        changed = {name: arguments[name] for name in changes}
        noticed = None if launch is None else self.machine.report()
        reply = {"spoiled": spoiled, "collision": self.races.collision, "inside": inside, "noticed": noticed}
        return reply, (returned, changed)

    def _assemble(self, request: dict[str, Any], value: Any) -> tuple[dict[str, Any], Any]:
        """Compile kernels for devices that need not be here."""
        kernels = []
        for module, name, types in request["kernels"]:
            kernel = getattr(importlib.import_module(f"{PACKAGE}.{module}"), name, None)
            if kernel is not None:  # one that a function makes for itself has no place to be found at
                kernels += self.machine.assemble(name, kernel, types)
        return {"kernels": kernels}, None

    def _look(self, request: dict[str, Any], value: Any) -> tuple[dict[str, Any], Any]:
        """What this machine can do for kernels, by trying."""
        return {"tools": self.machine.tools()}, None

    def _function(self, request: dict[str, Any]) -> Any:
        return getattr(sys.modules[f"{PACKAGE}.{request['module']}"], request["function"])


def build(value: Any) -> dict[str, Any]:
    """Fresh, writable arguments from what came over the wire."""
    return {name: revive(item) for name, item in value.items()}


def revive(item: Any) -> Any:
    """A copy of an argument that the student may keep; random generators and functions are built here."""
    if isinstance(item, np.ndarray):
        return item.copy()
    if isinstance(item, dict) and "generator" in item:
        return np.random.default_rng(item["generator"])
    if isinstance(item, dict) and "function" in item:
        namespace: dict[str, Any] = {"np": np}
        exec(compile(item["source"], f"<{item['function']}>", "exec"), namespace)
        return namespace[item["function"]]
    if isinstance(item, tuple):
        return tuple(revive(part) for part in item)
    return item


def same(one: Any, other: Any) -> bool:
    """Whether an argument still is what it was; anything but arrays cannot be changed in a way that matters."""
    if isinstance(one, np.ndarray):
        return one.shape == other.shape and bool((raw(one) == raw(other)).all())
    if isinstance(one, tuple):
        return all(same(a, b) for a, b in zip(one, other, strict=True))
    return True


def raw(array: Any) -> Any:
    """The bytes of an array, so that NaN equals NaN."""
    return np.ascontiguousarray(array).reshape(-1).view(np.uint8)


def machine_for(mode: str) -> Any:
    """What runs or compiles kernels in this mode, if anything does."""
    if mode == "simulated":
        from gpu.simulator import Simulator as Machine
    elif mode == "assembled":
        from gpu.compiler import Compiler as Machine
    elif mode == "device":
        from gpu.device import Device as Machine
    else:
        return None
    machine = Machine()
    machine.install()
    return machine


def configure_numba(mode: str, races: RaceWatch) -> None:
    """Set numba to one of its ways of running a submission, before the submission's modules are imported.

    interpreted : decorators do nothing; real tracebacks, IndexError for an index out of range
    checked : compiled without optimization or threads, with bounds checks; compiles several times faster
    native : compiled as the student wrote it
    simulated : interpreted, with kernels on a simulated device
    assembled : kernels are compiled and not run
    device : kernels run on a real device
    Caching on disk is off in every mode: a cache file is a pickle, and never trusted across edits.
    """
    import numba

    config: Any = numba.config
    if mode == "simulated":
        config.ENABLE_CUDASIM = True
    if mode in PLAIN:
        config.DISABLE_JIT = True
        setattr(numba, "prange", races.prange)  # noqa: B010 (numba declares it as a class)
    if mode == "checked":
        check_quickly()
    dropped = {"cache", "parallel"} if mode == "checked" else {"cache"}
    for name in ("jit", "njit"):
        decorator = without_options(getattr(numba, name), dropped)
        setattr(numba, name, races.noting(decorator) if mode in PLAIN else decorator)


def check_quickly() -> None:
    """Set numba to compile quickly, with bounds checks, from its first function on."""
    import numba

    config: Any = numba.config
    config.OPT = type(config.OPT)(0)
    config.BOUNDSCHECK = 1


def without_options(decorator: Callable[..., Any], dropped: set[str]) -> Callable[..., Any]:
    """`decorator`, deaf to some of its options."""

    def decorate(*arguments: Any, **options: Any) -> Any:
        return decorator(*arguments, **{name: value for name, value in options.items() if name not in dropped})

    return decorate


def student_frames(error: BaseException, paths: set[str]) -> list[list[Any]]:
    """The traceback's frames that lie in the submission, outermost first: path, line, function, source."""
    frames = []
    for frame in traceback.extract_tb(error.__traceback__):
        if frame.filename in paths:
            frames.append([frame.filename, frame.lineno or 0, frame.name, frame.line or ""])
    return frames[-20:]


@contextlib.contextmanager
def soft_deadline(seconds: float) -> Iterator[None]:
    """Raise `StillRunning` in the code that is running after `seconds`; 0, or no such signal here, means never.

    Only a courtesy to name the line: compiled code never sees it, and the host's own deadline is what ends a hang.
    """
    if seconds <= 0 or not hasattr(signal, "setitimer") or threading.current_thread() is not threading.main_thread():
        yield
        return

    def interrupt(_number: int, _frame: Any) -> None:
        raise StillRunning

    signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)

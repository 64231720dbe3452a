"""The trusted side of a worker: starts guests, feeds them, times them and kills them."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any

import numpy as np

from grader.draw import Function, Generator
from grader.exercise import Launch
from grader.problem import Problem
from grader.worker import noticed
from grader.worker.answer import (
    Answer,
    Assembled,
    Collision,
    Died,
    Frame,
    Garbled,
    Missing,
    NotCompiled,
    Raised,
    Returned,
    TimedOut,
)
from grader.worker.guest import wire
from grader.worker.home import Home
from grader.worker.isolation import Isolation, LimitsOnly, environment

# macOS has a fork, but not one that Python and its math libraries survive.
FORKS_SAFELY = sys.platform.startswith("linux")
START_SECONDS = 120.0
CONTROL_SECONDS = 20.0
BROKEN = (OSError, EOFError, ValueError, KeyError)  # what a parent that is gone, or out of step, looks like
ALL_KERNELS = 1000  # more than there are
INHERITING = ("interpreted", "simulated", "checked")  # modes of guests whose parent may have compiled for checking
DYING_SECONDS = 2.0  # a process that crashes lets go of its socket a moment before it has an exit code


@dataclass(frozen=True)
class Limits:
    """Wall-clock limits in seconds. Importing and compiling have their own, so that a call's stays short."""

    load: float = 20.0
    compile: float = 60.0
    call: float = 10.0
    exercise: float = 300.0  # all cases of one exercise together
    whole: float = 1800.0  # the same for a whole network


class Worker:
    """Where guest sessions come from: a warm parent that forks them, or a fresh process for each.

    Parameters
    ----------
    isolation : what guests are wrapped in
    kernels : how many common kernels the parent compiles while nothing else is to do, from the first guest on that
        compiles, for those to come to inherit what numba learns by it; the first is worth a second to each of them, all
        take a quarter of a minute, and pay where the worker stays: in watching, and for a large class
    fork : whether to use a parent; None for wherever the platform forks safely
    device : whether guests may use a GPU, which needs files and memory that others are better without
    """

    def __init__(
        self,
        isolation: Isolation | None = None,
        kernels: int = 0,
        fork: bool | None = None,
        device: bool = False,
    ):
        self.isolation = isolation or LimitsOnly()
        self.kernels = kernels
        self.fork = FORKS_SAFELY if fork is None else fork
        self._home = Home()
        self.home = self._home.path
        self._parent: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None
        self._ready = False
        self.device = device
        self._besides: dict[bool, Worker] = {}  # by whether their guests may use a GPU
        self.remembered: dict[str, Any] = {}  # what others have found out about its guests

    def __enter__(self) -> Worker:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End every guest and remove the private folder."""
        for beside in self._besides.values():
            beside.close()
        self._stop_parent()
        self._home.close()

    def for_device(self) -> Worker:
        """The worker beside this one whose guests may use a GPU."""
        return self._beside(device=True)

    def without_kernels(self) -> Worker:
        """The worker beside this one whose guests find numba unused.

        What numba has compiled for checking, it would take for compiled as well where speed is asked for, and it is up
        to forty times as slow.
        """
        return self._beside(self.device)

    def _beside(self, device: bool) -> Worker:
        if device not in self._besides:
            self._besides[device] = Worker(self.isolation, fork=self.fork, device=device)
        return self._besides[device]

    def start(self) -> None:
        """Start the parent now, so that the first session does not wait for numba's import; safe to call again."""
        if self.fork and self._parent is None:
            here, there = socket.socketpair()
            self._parent = self._spawn(there, ["fork", str(self.kernels)])
            self._control, self._ready = here, False

    def open(self, mode: str) -> Channel:
        """A channel to a fresh guest process for this mode."""
        if self.kernels and mode not in INHERITING:
            return self.without_kernels().open(mode)
        here, there = socket.socketpair()
        if not self.fork:
            process = self._spawn(there, ["serve"])
            return Channel(here, _ProcessEnd(process))
        for attempt in (1, 2):
            try:
                pid = self._ask({"do": "open", "checks": mode == "checked"}, there)["pid"]
                break
            except BROKEN as error:
                self._stop_parent()  # a submission may have killed it; a new one costs a second
                if attempt == 2:
                    raise Problem(
                        f"No process can be started for the submission ({type(error).__name__}: {error}).",
                        "Look for processes or a full disk that an earlier one has left; `kata doctor` tells more.",
                    ) from None
        there.close()
        return Channel(here, _ForkEnd(self, pid))

    def _ask(self, request: dict[str, Any], handed: socket.socket | None = None) -> dict[str, Any]:
        self.start()
        assert self._control is not None
        if not self._ready:
            self._receive_control(START_SECONDS)
            self._ready = True
        message = json.dumps(request).encode()
        if handed is not None:
            socket.send_fds(self._control, [message], [handed.fileno()])
        else:
            self._control.sendall(message)
        return self._receive_control(CONTROL_SECONDS)

    def _receive_control(self, seconds: float) -> dict[str, Any]:
        assert self._control is not None
        self._control.settimeout(seconds)
        message = self._control.recv(4096)
        if not message:
            raise EOFError("the guest parent ended")
        reply: dict[str, Any] = json.loads(message)
        return reply

    def _spawn(self, there: socket.socket, role: list[str]) -> subprocess.Popen[bytes]:
        role = [*role, "device"] if self.device else role
        inherits = hasattr(os, "fork")
        where = str(there.fileno()) if inherits else "stdin"
        process = subprocess.Popen(
            self.isolation.command([where, *role], self.home),
            stdin=subprocess.DEVNULL if inherits else subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=environment(self.home),
            cwd=self.home,
            pass_fds=[there.fileno()] if inherits else [],
            start_new_session=inherits,
        )
        if not inherits:
            assert process.stdin is not None
            with process.stdin as pipe:
                pipe.write(there.share(process.pid))  # type: ignore[attr-defined,unused-ignore]
        there.close()
        return process

    def _stop_parent(self) -> None:
        if self._control is not None:
            self._control.close()  # the parent sees the end and kills its children
        if self._parent is not None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._parent.wait(timeout=5)
            self._parent.kill()
            self._parent.wait()
        self._control = self._parent = None


class _ForkEnd:
    """Ends a session that the parent forked."""

    def __init__(self, worker: Worker, pid: int):
        self.worker = worker
        self.parent = worker._parent
        self.pid = pid

    def orphaned(self) -> bool:
        """Whether the parent that forked it is gone, which takes it along."""
        return self.worker._parent is not self.parent

    def signal(self, name: str) -> None:
        if not self.orphaned():
            try:
                self.worker._ask({"do": "signal", "pid": self.pid, "signal": name})
            except BROKEN:  # an answer that comes later would be taken for the next one's
                self.worker._stop_parent()

    def kill(self, patience: float) -> int:
        if self.orphaned():
            return 0  # a new parent knows nothing of it, and must not be started for that
        try:
            return int(self.worker._ask({"do": "close", "pid": self.pid, "patience": patience})["status"])
        except BROKEN:
            self.worker._stop_parent()
            return 0


class _ProcessEnd:
    """Ends a session that is a process of its own."""

    def __init__(self, process: subprocess.Popen[bytes]):
        self.process = process
        self.pid = process.pid

    def orphaned(self) -> bool:
        return False

    def signal(self, name: str) -> None:
        if hasattr(os, "killpg"):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.pid, getattr(signal, name))

    def kill(self, patience: float) -> int:
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(timeout=patience)
        ended = self.process.returncode
        if hasattr(os, "killpg"):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.process.pid, signal.SIGKILL)
        self.process.kill()
        self.process.wait()
        return ended or 0


class Channel:
    """One guest process and the socket to it."""

    def __init__(self, channel: socket.socket, end: _ForkEnd | _ProcessEnd):
        self.socket = channel
        self.end = end

    def request(self, header: dict[str, Any], value: Any, seconds: float) -> tuple[dict[str, Any], Any]:
        """Send one request and wait at most `seconds` for the answer to be complete."""
        deadline = time.monotonic() + seconds
        question = secrets.token_hex(8)  # not to be foreseen, so that no answer to a later question can be forged
        wire.send(self.socket, {**header, "question": question}, value, deadline)
        reply, result = wire.receive(self.socket, deadline)
        if reply.get("question") != question:
            raise wire.WireError("an answer to another question")
        return reply, result

    def alive(self) -> bool:
        """Whether the guest holds its end open and owes nothing: bytes that nobody asked for are forged ones."""
        readable, _, _ = select.select([self.socket], [], [], 0)
        return not readable and not self.end.orphaned()

    def signal(self, name: str) -> None:
        """Send a signal to the guest and what it started, where there are such signals."""
        self.end.signal(name)

    def close(self, patience: float = 0.0) -> int:
        """Kill the guest and what it started; return its exit code, 0 where it was still alive after `patience`."""
        self.socket.close()
        return self.end.kill(patience)


class Session:
    """A submission in one mode. A guest that hangs or dies is replaced, so that only the call it hit is lost.

    Parameters
    ----------
    sources : module name -> (path to show, source text)
    mode : interpreted, checked or native; see `guest/session.py`
    """

    def __init__(self, worker: Worker, sources: dict[str, tuple[str, str]], mode: str, limits: Limits | None = None):
        self.worker = worker
        self.sources = sources
        self.mode = mode
        self.limits = limits or Limits()
        self._channel: Channel | None = None
        self._module = ""  # what this guest has imported: a module's tampering must not reach the next one
        self._loaded: set[tuple[str, bool]] = set()  # the functions that this guest has, and whether compiled ones
        self._compiled: set[str] = set()  # and for which arguments they are compiled
        self._served: set[str] = set()  # the functions that it has run
        self._broken: dict[str, Answer] = {}

    def __enter__(self) -> Session:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        if self._channel is not None:
            self._channel.close()
            self._channel = None

    @contextlib.contextmanager
    def standing_still(self) -> Iterator[None]:
        """Stop the guest for a while, so that it takes nothing from another one; only where there are such signals."""
        if self._channel is not None:
            self._channel.signal("SIGSTOP")
        try:
            yield
        finally:
            if self._channel is not None:
                self._channel.signal("SIGCONT")

    def shared(self, function: str) -> bool:
        """Whether the open guest has run anything but this function."""
        return self._channel is not None and bool(self._served - {function})

    def load(self, module: str, function: str, compiled: bool) -> Answer | None:
        """Import the module; None when the function is there and of the right kind.

        An import that fails or hangs is charged once: its answer is remembered for the module.
        """
        if module in self._broken:
            return self._broken[module]
        self._open(module)
        if (function, compiled) in self._loaded:
            return None
        reply, _ = self._request({"do": "load", "module": module, "function": function}, None, self.limits.load)
        if not isinstance(reply, dict):
            if not self._served:  # else it may be the doing of a function that ran before
                self._broken[module] = reply
            return reply
        if reply.get("found") is not True:
            return Missing()
        if compiled and self.mode != "interpreted" and reply.get("jitted") is not True:
            return NotCompiled()
        self._loaded.add((function, compiled))
        return None

    def call(
        self,
        module: str,
        function: str,
        arguments: dict[str, Any],
        changes: tuple[str, ...] = (),
        compiled: bool = True,
        seconds: float | None = None,
        launch: dict[str, Any] | None = None,
    ) -> Answer:
        """Call the function with these arguments, in a guest that has its module loaded.

        `launch` is how to start it where it is a kernel, see `launch_of`.

        A guest that is lost after it ran another function may have been undone by what that one left behind (a thread,
        a forged frame); the call is then repeated in a guest of its own, so that nobody pays for a neighbour.
        """
        if self._module != module or (self._channel is not None and not self._channel.alive()):
            self.close()
        shared = self.shared(function)
        answer = self._attempt(module, function, arguments, changes, compiled, seconds, launch)
        if shared and self._channel is None:
            answer = self._attempt(module, function, arguments, changes, compiled, seconds, launch)
        return answer

    def assemble(
        self, module: str, function: str, kernels: Sequence[tuple[str, str, Any]]
    ) -> Answer | tuple[Assembled, ...]:
        """Have kernels compiled to machine code, each (module, name, types of its arguments); what came of it."""
        if self._module != module:
            self.close()
        problem = self.load(module, function, False)
        if problem is not None:
            return problem
        self._served.add(function)
        reply, _ = self._request({"do": "assemble", "kernels": list(kernels)}, None, self.limits.compile)
        if not isinstance(reply, dict):
            return reply
        return noticed.assembled(reply.get("kernels"), _text)

    def look(self) -> dict[str, Any] | Answer:
        """What the guest's machine can do for kernels; to be asked of a session that has no submission."""
        self._open("")
        reply, _ = self._request({"do": "look"}, None, self.limits.compile)
        if not isinstance(reply, dict):
            return reply
        tools = reply.get("tools")
        return tools if isinstance(tools, dict) else {}

    def _attempt(
        self,
        module: str,
        function: str,
        arguments: dict[str, Any],
        changes: tuple[str, ...],
        compiled: bool,
        seconds: float | None,
        launch: dict[str, Any] | None,
    ) -> Answer:
        problem = self.load(module, function, compiled)
        if problem is not None:
            return problem
        self._served.add(function)
        where = {"module": module, "function": function}
        value = {name: portable(item) for name, item in arguments.items()}
        if compiled and self.mode != "interpreted":
            # What it is to compute shall not be known before the clock runs, only its type.
            problem = self._compile(where, {name: stand_in(item) for name, item in value.items()})
            if problem is not None:
                return problem
        limit = seconds or self.limits.call
        request = {"do": "call", **where, "changes": list(changes), "launch": launch}
        started = time.perf_counter()
        reply, result = self._request(request, value, limit)
        if not isinstance(reply, dict):
            return reply
        if launch is not None and not isinstance(reply.get("noticed"), dict):
            return Garbled("call", "no report of what the kernel did")
        return _returned(reply, result, changes, time.perf_counter() - started)

    def _compile(self, where: dict[str, str], shapeless: dict[str, Any]) -> Answer | None:
        """Have the guest compile the function for arguments of these types, unless it has; None where it can."""
        signature = f"{where['function']}({', '.join(map(describe, shapeless.values()))})"
        if signature in self._compiled:
            return None
        reply, _ = self._request({"do": "compile", **where}, shapeless, self.limits.compile)
        if not isinstance(reply, dict):
            return reply
        if reply.get("nopython") is not True:
            return NotCompiled()
        self._compiled.add(signature)
        return None

    def _request(self, request: dict[str, Any], value: Any, seconds: float) -> tuple[dict[str, Any] | Answer, Any]:
        """The guest's reply and value, or an `Answer` that says what went wrong."""
        step = request["do"]
        if self.mode in ("interpreted", "simulated"):
            request = {**request, "soft_seconds": 0.8 * seconds}
        try:
            if self._channel is None:
                raise EOFError
            reply, result = self._channel.request(request, value, seconds)
        except TimeoutError:
            self.close()
            return TimedOut(step, seconds), None
        except (EOFError, OSError):
            return Died(step, self._exit_code()), None
        except wire.WireError as problem:
            self.close()
            return Garbled(step, str(problem)), None
        if "problem" not in reply:
            return reply, result
        return _raised(reply, step, seconds), None

    def _exit_code(self) -> int:
        channel, self._channel = self._channel, None
        return channel.close(DYING_SECONDS) if channel is not None else 0

    def _open(self, module: str) -> None:
        """Have a guest for the module: the open one, or a new one that has begun."""
        if self._channel is None:
            self._channel, self._module = self.worker.open(self.mode), module
            self._loaded, self._compiled, self._served = set(), set(), set()
            reply, _ = self._request({"do": "begin", "mode": self.mode}, self.sources, START_SECONDS)
            if not isinstance(reply, dict):
                raise Problem(
                    f"The process for the submission did not begin ({reply}).", "`kata doctor` tells what is missing."
                )


def portable(item: Any) -> Any:
    """An argument in the form in which it travels."""
    if isinstance(item, Generator):
        return {"generator": item.seed}
    if isinstance(item, Function):
        return {"function": item.name, "source": item.source}
    if isinstance(item, tuple):
        return tuple(portable(part) for part in item)
    return item


def stand_in(item: Any) -> Any:
    """A value of the same type for numba, with nothing in it."""
    if isinstance(item, np.ndarray) and item.ndim:
        return np.empty((0,) * item.ndim, item.dtype)
    if isinstance(item, tuple):
        return tuple(stand_in(part) for part in item)
    return item


def describe(item: Any) -> str:
    """What numba compiles for: two arguments that are described alike need no second compilation."""
    if isinstance(item, (np.ndarray, np.generic)):
        return f"{item.dtype}[{item.ndim}]"
    if isinstance(item, tuple):
        return f"({', '.join(map(describe, item))})"
    return repr(item) if isinstance(item, (str, dict)) else type(item).__name__


def launch_of(launch: Launch | None, seed: int = 0, trace: bool = False, points: bool = False) -> dict[str, Any]:
    """How to run a case on a device, in the form in which it travels.

    Parameters
    ----------
    launch : how to start a kernel; None for a host function
    seed : of the order in which a simulated device runs blocks and threads; 0 for the natural one
    trace : whether to count what is asked of memory
    points : whether to tell the accesses of the first block one by one
    """
    how: dict[str, Any] = {"seed": seed, "trace": trace, "points": points}
    if launch is not None:
        how |= {"grid": list(launch.grid), "block": list(launch.block), "shared": launch.shared}
    return how


def _raised(reply: dict[str, Any], step: str, seconds: float) -> Answer:
    """The guest's report of an exception, with nothing in it taken at its word but text."""
    frames = []
    told = reply.get("frames")
    for frame in told[-20:] if isinstance(told, list) else []:
        match frame:
            case [str() as path, int() as line, str() as function, str() as source] if 0 <= line < 1e7:
                frames.append(Frame(_text(path, 300), line, _text(function, 100), _text(source, 300)))
    if reply["problem"] == "StillRunning":
        return TimedOut(step, seconds, frames[-1] if frames else None)
    kinds = reply.get("kind")
    return Raised(
        step,
        _text(reply["problem"], 100),
        _text(reply.get("message", ""), 6000),
        tuple(_text(kind, 100) for kind in kinds[:20]) if isinstance(kinds, list) else (),
        tuple(frames),
        _text(reply.get("output", ""), 2000),
        noticed.finding(reply.get("message"), reply.get("facts"), _text) if reply["problem"] == "Fault" else None,
    )


def _returned(reply: dict[str, Any], result: Any, changes: tuple[str, ...], seconds: float) -> Answer:
    match result:
        case (value, dict() as changed) if set(changed) == set(changes):
            pass
        case _:
            return Garbled("call", "an answer that is not of the agreed form")
    spoiled, inside = reply.get("spoiled"), reply.get("inside")
    return Returned(
        value,
        changed,
        tuple(_text(name, 100) for name in spoiled[:20]) if isinstance(spoiled, list) else (),
        _collision(reply.get("collision")),
        seconds,
        inside if isinstance(inside, float) else 0.0,
        _text(reply.get("output", ""), 2000),
        noticed.read(reply.get("noticed"), _text),
    )


def _text(told: Any, length: int) -> str:
    """What the guest tells, cut, and without what a terminal would obey or UTF-8 cannot hold."""
    shown = str(told)[:length] if isinstance(told, (str, int, float)) else ""
    return "".join(c if c.isprintable() or c in "\n\t" else "\ufffd" for c in shown)


def _collision(report: Any) -> Collision | None:
    match report:
        case [str() as function, str() as array, list() as index, int() as one, int() as other]:
            return Collision(
                _text(function, 100),
                _text(array, 100),
                tuple(int(i) for i in index[:8] if isinstance(i, int)),
                (one, other),
            )
    return None

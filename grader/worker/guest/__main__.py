"""The guest process: `python -I -B <this folder> ISOLATION SOCKET serve|fork|probe …`.

serve [device] : be one session, and end with it; works on every platform
fork N [device] : stay warm (numba imported, up to N kernels compiled between requests) and fork a session per request
device : as an option, let sessions use a GPU
probe FILE … : confine itself as a session does, and tell what of it can be read or done after all

ISOLATION is the name of what it is wrapped in, see `worker/isolation.py`; a session does its own part of that.
SOCKET is a descriptor that was inherited, or "stdin" where sockets cannot be inherited (Windows): then the socket
comes shared over standard input.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import socket
import sys
import time
from collections.abc import Iterator

import limits
import scratch

LOOK_SECONDS = 0.2  # between two looks at what sessions write


def main() -> None:
    limits.go_first()
    isolation, where, role, *options = sys.argv[1:]
    if role == "probe":
        sys.exit(probe(isolation, *options))
    channel = receive_socket(where)
    hide_the_kit()
    if role == "serve":
        be_session(channel, isolation, scratch.make(os.getcwd()), "device" in options)
    else:
        become_parent(isolation)
        Parent(channel, isolation, chores(int(options[0])), "device" in options).serve()


def probe(isolation: str, *secrets: str) -> str | None:
    """What can be done in spite of this isolation; None where nothing can."""
    import confine

    folder = scratch.make(os.getcwd())
    confine.confine(isolation, folder)
    return confine.weakness(secrets, folder) or None


def receive_socket(where: str) -> socket.socket:
    if where == "stdin":
        return socket.fromshare(sys.stdin.buffer.read())  # type: ignore[attr-defined,unused-ignore]
    return socket.socket(fileno=int(where))


def hide_the_kit() -> None:
    """Forget where the kit is installed: a submission must not import `solutions` by mistake.

    No protection against malice: that is the isolation's work, which hides the files.
    """
    kit = os.path.dirname(os.path.dirname(os.path.dirname(sys.path[0])))
    sys.path[:] = [entry for entry in sys.path if os.path.abspath(entry) != kit]
    sys.meta_path[:] = [finder for finder in sys.meta_path if "__editable__" not in getattr(finder, "__module__", "")]


def become_parent(isolation: str) -> None:
    """Import what every session needs."""
    import confine
    import numba  # noqa: F401
    import session  # noqa: F401

    confine.prepare(isolation)
    limits.adopt_orphans()
    limits.hide_memory()
    limits.spare_memory()


def chores(kernels: int) -> Iterator[None] | None:
    """What a parent does in its pauses, so that its children need not; such a parent's children are for checking."""
    if not kernels:
        return None
    from session import check_quickly

    check_quickly()  # before the first function that is to be compiled: numba keeps to the settings that it finds then
    import warmup

    return warmup.steps(kernels)


def be_session(channel: socket.socket, isolation: str, folder: str, device: bool = False) -> None:
    """Serve one host from a folder of its own, and end with it."""
    import confine

    os.chdir(folder)
    os.environ.update(dict.fromkeys(("HOME", "USERPROFILE", "TMPDIR", "TEMP", "TMP"), folder))
    limits.silence()
    limits.apply(device)
    confine.confine(isolation, folder, device)
    from session import Session

    Session(channel).serve()


class Parent:
    """Forks sessions, kills them when told, and reaps them.

    Parameters
    ----------
    control : the socket to the host
    isolation : the name of what sessions are wrapped in
    chores : work to do between requests, a step at a time, for the good of the children to come that are for checking;
        it begins with the first of them; None when all is done
    device : whether sessions may use a GPU
    """

    def __init__(self, control: socket.socket, isolation: str, chores: Iterator[None] | None, device: bool = False):
        self.control = control
        self.isolation = isolation
        self.chores = chores
        self.device = device
        self.checks = False
        self.home = os.getcwd()
        self.children: dict[int, str] = {}  # with the folder that each of them has

    def serve(self) -> None:
        """Answer `open` (with a socket), `signal` and `close` until the host hangs up; then end every child."""
        self._reply({"ready": True})
        while True:
            self._use_the_pause()
            self._watch_the_folders()
            message, descriptors, _, _ = socket.recv_fds(self.control, 4096, 1)
            if not message:
                break
            request = json.loads(message)
            if request["do"] == "open":
                self.checks |= request["checks"]
                self._reply({"pid": self._open(descriptors[0])})
            elif request["do"] == "signal":
                self._reply({"sent": self._signal(request["pid"], request["signal"])})
            else:
                self._reply({"status": self._close(request["pid"], request["patience"])})
        for pid in list(self.children):
            self._close(pid)

    def _use_the_pause(self) -> None:
        """Do chores as long as they are of use, there are any, and the host asks for nothing."""
        while self.checks and self.chores is not None and not select.select([self.control], [], [], 0)[0]:
            if next(self.chores, "done") == "done":
                self.chores = None
                limits.spare_memory()

    def _watch_the_folders(self) -> None:
        """Until the host asks for something, end each session that writes too much."""
        while self.children and not select.select([self.control], [], [], LOOK_SECONDS)[0]:
            for pid, folder in self.children.items():
                if scratch.overfull(folder):
                    os.kill(pid, signal.SIGKILL)

    def _open(self, descriptor: int) -> int:
        folder = scratch.make(self.home)
        pid = os.fork()
        if pid == 0:
            try:
                os.setsid()
                self.control.close()
                be_session(socket.socket(fileno=descriptor), self.isolation, folder, self.device)
            finally:
                os._exit(0)
        os.close(descriptor)
        self.children[pid] = folder
        return pid

    def _signal(self, pid: int, name: str) -> bool:
        """Send a signal to a child and what it started."""
        if pid not in self.children:
            return False
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(pid, getattr(signal, name))
        return True

    def _close(self, pid: int, patience: float = 0.0) -> int:
        """Kill a child and its process group; return its exit code, negative for a signal.

        0 for one that was still alive after `patience` seconds.
        """
        if pid not in self.children:
            return 0
        folder = self.children.pop(pid)
        deadline = time.monotonic() + patience
        ended, status = os.waitpid(pid, os.WNOHANG)
        while ended == 0 and time.monotonic() < deadline:
            time.sleep(0.002)
            ended, status = os.waitpid(pid, os.WNOHANG)
        if ended == 0:
            os.kill(pid, signal.SIGKILL)  # by itself too: it may not have made its group yet
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(pid, signal.SIGKILL)
        if ended == 0:
            os.waitpid(pid, 0)
        self._end_strays()
        scratch.remove(folder)
        return os.waitstatus_to_exitcode(status)

    def _end_strays(self) -> None:
        """Kill what a session left behind in groups of its own; Linux hands such orphans to this process."""
        while strays := own_children() - self.children.keys():
            for pid in strays:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
                with contextlib.suppress(ChildProcessError):
                    os.waitpid(pid, 0)

    def _reply(self, record: dict[str, object]) -> None:
        self.control.sendall(json.dumps(record).encode())


def own_children() -> set[int]:
    """The processes whose parent is this one, as far as the system tells."""
    try:
        with open(f"/proc/self/task/{os.getpid()}/children", encoding="ascii") as file:
            return {int(pid) for pid in file.read().split()}
    except OSError:
        return set()


main()

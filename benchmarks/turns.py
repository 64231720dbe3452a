"""Contestants that take turns, each in a process of its own, so that no library's threads are in another's way.

Every library here keeps a pool of threads, and most of them let an idle thread spin for a while, waiting for more
work. In one process, on few cores, each pool would take the cores from the next: a factor of 20 has been seen. Passive
waiting would mend that and slow down all who are used to spin. So every library has a process, with its own defaults;
one works, the others sleep, and between two turns there is a pause that outlasts the spinning.

All processes keep the memory that they have freed. Otherwise the C library gives large arrays back to the system after
every call, and the system clears them page by page for the next one: nine tenths of the time of our batch normalization
went that way.
"""

from __future__ import annotations

import gc
import importlib
import multiprocessing
import os
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from types import ModuleType, TracebackType
from typing import Any

PAUSE_SECONDS = 0.05
TURN_SECONDS = 0.02
CALLS_AT_LEAST = 2
KEEP_MEMORY = {"MALLOC_TRIM_THRESHOLD_": str(2**30), "MALLOC_MMAP_THRESHOLD_": str(2**25)}  # glibc's; bytes
Prepared = tuple[Callable[[], Any], Callable[[Any], Any]]  # the call to be timed, and what makes arrays of its result


class Side:
    """Contestants of one library, in a process of its own.

    Parameters
    ----------
    module : the name of the module that has them. `FORMS` there maps the name of each to a function that makes, of a
        task, the call to be timed and the function that turns what it returned into arrays to compare.
    """

    def __init__(self, module: str):
        os.environ.update(KEEP_MEMORY)  # a new process reads them as it starts
        spawn = multiprocessing.get_context("spawn")
        self._connection, theirs = spawn.Pipe()
        self._process = spawn.Process(target=_serve, args=(module, theirs), daemon=True)
        self._process.start()
        theirs.close()

    def prepare(self, form: str, *task: Any) -> Any:
        """Make the call that the form's next turns time, run it once, and return what it answered."""
        return self._ask("prepare", form, *task)

    def turn(self, form: str) -> float:
        """Seconds per call: the mean over one turn, after a pause and a call that does not count."""
        time.sleep(PAUSE_SECONDS)
        return self._ask("turn", form)

    def _ask(self, *request: Any) -> Any:
        self._connection.send(request)
        answer = self._connection.recv()
        if isinstance(answer, Exception):
            raise answer
        return answer

    def __enter__(self) -> Side:
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._connection.close()
        self._process.join()


class _Server:
    """The other end of a Side."""

    def __init__(self, module: ModuleType):
        self.module = module
        self.calls: dict[str, Callable[[], Any]] = {}

    def prepare(self, form: str, *task: Any) -> Any:
        self.calls[form], read = self.module.FORMS[form](*task)
        return read(self.calls[form]())

    def turn(self, form: str) -> float:
        call = self.calls[form]
        gc.collect()
        call()
        calls = 0
        begun = time.perf_counter()
        while calls < CALLS_AT_LEAST or time.perf_counter() - begun < TURN_SECONDS:
            call()
            calls += 1
        return (time.perf_counter() - begun) / calls


def _serve(module: str, connection: Connection) -> None:
    """What the process does until the connection ends."""
    server = _Server(importlib.import_module(module))
    while True:
        try:
            request, *arguments = connection.recv()
        except EOFError:
            return
        try:
            connection.send(getattr(server, request)(*arguments))
        except Exception as error:
            connection.send(error)

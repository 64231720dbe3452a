"""The worker: values come back whole, and whatever the code does costs the call it does it in, and nothing else.

Nothing here looks at a clock: that something ended is proven by the answer, which says so, and by the call after it.
"""

from __future__ import annotations

import atexit
import functools
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from build import HEAD

from grader import kit
from grader.draw import Function, Generator
from grader.problem import Problem
from grader.worker.answer import Answer, Died, Garbled, Missing, NotCompiled, Raised, Returned, TimedOut
from grader.worker.home import clear_orphans
from grader.worker.host import Limits, Session, Worker
from grader.worker.isolation import LimitsOnly

X = np.array([[1.0, 2.0], [3.0, 4.0]], np.float32)
LIMITS = Limits(load=20, compile=60, call=1.0)
RIGHT = "\ndef right(x):\n    return x + 1\n"
POSIX = pytest.mark.skipif(os.name == "nt", reason="Windows has neither fork nor these signals")
FORKS = hasattr(os, "fork") and hasattr(socket, "send_fds")

both_kinds = pytest.mark.parametrize(
    "fork",
    [pytest.param(True, marks=pytest.mark.skipif(not FORKS, reason="no fork here")), False],
    ids=["fork", "spawn"],
)


@functools.cache
def worker(fork: bool) -> Worker:
    shared = Worker(fork=fork)
    atexit.register(shared.close)
    return shared


def session(
    text: str, fork: bool = FORKS, mode: str = "interpreted", limits: Limits = LIMITS, on: Worker | None = None
) -> Session:
    """A session of one module `m` with this text below the usual imports."""
    return Session(on or worker(fork), {"m": ("m.py", HEAD + text)}, mode, limits)


def call(guest: Session, function: str = "f", *, compiled: bool | None = None, **options: Any) -> Answer:
    """Call a function of the module; compiled ones only where the session compiles, unless told otherwise."""
    arguments = options.pop("arguments", {"x": X})
    return guest.call("m", function, arguments, compiled=bool(compiled), **options)


def still_serves(guest: Session) -> bool:
    """Whether the neighbour of what went wrong gets its answer."""
    answer = call(guest, "right")
    return isinstance(answer, Returned) and np.array_equal(answer.value, X + 1)


def indented(body: str) -> str:
    return "".join(f"    {line}\n" for line in body.strip().splitlines())


def function(body: str) -> str:
    return f"\ndef f(x):\n{indented(body)}"


# --- values -----------------------------------------------------------------------------------------------------------

VALUES = {
    "an array": X,
    "an integer array": np.arange(6).reshape(2, 3),
    "a truth array": np.array([True, False]),
    "an empty array": np.zeros((0, 3), np.float32),
    "not a number": np.array([np.nan, np.inf, -0.0], np.float32),
    "a tuple of arrays": (X, (X, np.ones(1))),
    "a number": 2.5,
    "text": "ädam",
    "nothing": None,
}


@both_kinds
def test_a_value_makes_the_round_trip(fork):
    with session(function("return x") + RIGHT, fork) as guest:
        for value in VALUES.values():
            answer = call(guest, arguments={"x": value})
            assert isinstance(answer, Returned)
            assert repr(answer.value) == repr(value)
            assert answer.spoiled == ()


@both_kinds
def test_compiled_code_makes_the_round_trip(fork):
    with session("@njit(cache=True)\ndef f(x):\n    return 2 * x, x.sum()\n", fork, "checked") as guest:
        answer = call(guest, compiled=True)
        assert isinstance(answer, Returned)
        np.testing.assert_array_equal(answer.value[0], 2 * X)
        assert answer.value[1] == 10


def test_an_in_place_change_comes_back_as_the_answer():
    with session(function("x += 1")) as guest:
        answer = call(guest, changes=("x",))
        assert isinstance(answer, Returned)
        np.testing.assert_array_equal(answer.changed["x"], X + 1)
        assert answer.spoiled == ()


def test_a_change_that_was_not_asked_for_is_seen():
    with session(function("x += 1; return x")) as guest:
        answer = call(guest)
        assert isinstance(answer, Returned)
        assert answer.spoiled == ("x",)


def test_generators_and_functions_are_built_on_the_other_side():
    square = Function("square", "def square(x):\n    return x * x\n")
    with session("def f(rng, g):\n    return g(rng.normal(size=3))\n") as guest:
        answer = call(guest, arguments={"rng": Generator(3), "g": square})
        assert isinstance(answer, Returned)
        np.testing.assert_array_equal(answer.value, np.random.default_rng(3).normal(size=3) ** 2)


def test_what_is_printed_comes_along():
    with session(function("print('here', x.shape); return x")) as guest:
        answer = call(guest)
        assert isinstance(answer, Returned)
        assert answer.output == "here (2, 2)\n"
        assert call(guest).output == "here (2, 2)\n"


def test_a_missing_function_and_a_plain_one_are_told_apart():
    with session(RIGHT, mode="checked") as guest:
        assert call(guest, "f") == Missing()
        assert call(guest, "right", compiled=True) == NotCompiled()


# --- what goes wrong --------------------------------------------------------------------------------------------------


def died(how: int) -> Callable[[Answer], bool]:
    return lambda answer: isinstance(answer, Died) and answer.how == how and answer.step == "call"


def raised(error: str) -> Callable[[Answer], bool]:
    return lambda answer: isinstance(answer, Raised) and answer.error == error and answer.step == "call"


def returned(answer: Answer) -> bool:
    return isinstance(answer, Returned)


def timed_out(answer: Answer) -> bool:
    return isinstance(answer, TimedOut) and answer.step == "call"


def garbled(answer: Answer) -> bool:
    return isinstance(answer, Garbled)


SOCKETS = """
import socket, stat
for d in range(3, 64):
    try:
        if stat.S_ISSOCK(os.fstat(d).st_mode):
            {act}
    except OSError:
        pass
return x + 1
"""

ACTS: dict[str, tuple[str, Callable[[Answer], bool]]] = {
    "an endless loop": ("while True:\n    pass", timed_out),
    "an endless loop that catches everything": (
        "while True:\n    try:\n        while True:\n            pass\n    except BaseException:\n        pass",
        timed_out,
    ),
    "a sleep": ("import time\ntime.sleep(1000)", timed_out),
    "a signal that is blocked": (
        "import signal\nsignal.signal(signal.SIGALRM, signal.SIG_IGN)\nwhile True:\n    pass",
        timed_out,
    ),
    "a stopped process": ("import signal\nos.kill(os.getpid(), signal.SIGSTOP)", timed_out),
    "a segmentation fault": ("import ctypes\nctypes.string_at(0)", died(-signal.SIGSEGV)),
    "os._exit(0)": ("os._exit(0)", died(0)),
    "os._exit(3)": ("os._exit(3)", died(3)),
    "os.abort": ("os.abort()", died(-signal.SIGABRT)),
    "suicide": ("os.kill(os.getpid(), 9)", died(-signal.SIGKILL)),
    "sys.exit": ("sys.exit(0)", raised("SystemExit")),
    "an interrupt": ("raise KeyboardInterrupt", raised("KeyboardInterrupt")),
    "an exception": ("return x[5, 5]", raised("IndexError")),
    "an exception whose text fails": (
        "class E(Exception):\n    def __str__(self):\n        raise ValueError\nraise E",
        lambda answer: not isinstance(answer, Returned),
    ),
    "endless recursion": ("return f(x)", raised("RecursionError")),
    "20 GB": ("return np.ones((20, 1 << 27))", raised("MemoryError")),
    "20 GB of list": ("return [0] * (20 << 27)", raised("MemoryError")),
    "a full disk's worth": (
        "with open('big', 'wb') as file:\n    for _ in range(100):\n        file.write(bytes(1 << 20))",
        lambda answer: not isinstance(answer, Returned),
    ),
    "a flood of prints": ("for _ in range(200_000):\n    print('flood')\nreturn x", returned),
    "a flood past print": ("for _ in range(20_000):\n    os.write(1, b'flood' * 100)\nreturn x", returned),
    "a generator": ("return (row for row in x)", raised("Unsendable")),
    "objects": ("return np.array([object()])", raised("Unsendable")),
    "more data than any answer needs": ("return np.zeros((1 << 28) + 1, np.int8)", raised("Unsendable")),
    "a closed socket": ("os.closerange(3, 256)\nreturn x", died(0)),
    "junk in the socket": (SOCKETS.format(act="os.write(d, b'\\xff' * 64)"), garbled),
    "an endless header in the socket": (SOCKETS.format(act="os.write(d, b'\\x00\\x00\\x10\\x00 ')"), timed_out),
    "another header in the socket": (SOCKETS.format(act="os.write(d, b'\\x02\\x00\\x00\\x00[]')"), garbled),
    "a wire that says nothing": ("import wire\nwire.send = lambda *a: None\nreturn x + 1", timed_out),
    "a wire that pickles": (
        "import pickle, wire\nwire.pack = lambda *a: [b'\\xff\\xff\\xff\\xff' + pickle.dumps(1)]\nreturn x + 1",
        garbled,
    ),
    "a wire that answers another question": (
        "import wire\nold = wire.pack\nwire.pack = lambda head, v: old({**head, 'question': '1'}, v)\nreturn x + 1",
        garbled,
    ),
}
DETAILS_DIFFER_WHEN_SPAWNED = {"a closed socket"}
TAKE_THEIR_TIME = {"more data than any answer needs": 20.0, "a flood of prints": 20.0}  # on a busy machine


@POSIX
@both_kinds
@pytest.mark.parametrize("act", ACTS)
def test_what_a_call_does_costs_that_call_only(act, fork):
    body, expected = ACTS[act]
    with session(function(body) + RIGHT, fork) as guest:
        assert still_serves(guest)
        answer = call(guest, seconds=TAKE_THEIR_TIME.get(act))
        if act in DETAILS_DIFFER_WHEN_SPAWNED and not fork:
            assert isinstance(answer, Died)
        else:
            assert expected(answer), answer
        assert still_serves(guest)


@POSIX
def test_an_endless_interpreted_loop_names_its_line():
    with session(function("i = 0\nwhile i < 3:\n    i = i * 2\nreturn i")) as guest:
        answer = call(guest)
        assert isinstance(answer, TimedOut)
        assert answer.frame is not None
        assert answer.frame.source in ("while i < 3:", "i = i * 2")
        assert answer.frame.path == "m.py"
        assert (HEAD + "\n\n").count("\n") + 1 <= answer.frame.line <= (HEAD + "\n\n").count("\n") + 4


def test_an_exception_names_its_line():
    with session(function("y = x + 1\nreturn y[7]")) as guest:
        answer = call(guest)
        assert isinstance(answer, Raised)
        assert (answer.frames[-1].source, answer.frames[-1].function) == ("return y[7]", "f")
        assert "LookupError" in answer.kinds


COMPILED_ACTS = {
    "an endless loop": ("i = 0\nwhile i >= 0:\n    i = i ^ 1\nreturn i", timed_out),
    "an index out of range": ("return x[7, 7]", raised("IndexError")),
    "a flood of prints": ("for i in range(50_000):\n    print(i)\nreturn x", returned),
    "20 GB": ("return np.ones((20, 1 << 27))", raised("MemoryError")),
}


@both_kinds
@pytest.mark.parametrize("act", COMPILED_ACTS)
def test_what_a_compiled_call_does_costs_that_call_only(act, fork):
    body, expected = COMPILED_ACTS[act]
    text = f"@njit\ndef f(x):\n{indented(body)}\n\n@njit\ndef right(x):\n    return x + 1\n"
    with session(text, fork, "checked") as guest:
        answer = call(guest, compiled=True, seconds=3.0)
        assert expected(answer), answer
        neighbour = call(guest, "right", compiled=True, seconds=3.0)
        assert isinstance(neighbour, Returned)
        np.testing.assert_array_equal(neighbour.value, X + 1)


def test_a_compile_error_is_told_as_one():
    with session("@njit\ndef f(x):\n    return x + nothing\n", mode="checked") as guest:
        answer = call(guest, compiled=True)
        assert isinstance(answer, Raised)
        assert answer.step == "compile"
        assert "nothing" in answer.message


# --- imports ----------------------------------------------------------------------------------------------------------


@POSIX
@both_kinds
def test_an_import_that_never_returns_is_charged_once(fork):
    limits = Limits(load=2.0, call=1.0)
    with session(
        "try:\n    while True: pass\nexcept BaseException:\n    while True: pass\n", fork, limits=limits
    ) as guest:
        answer = call(guest)
        assert isinstance(answer, TimedOut)
        assert (answer.step, answer.seconds) == ("load", 2.0)
        assert call(guest, "another") is answer  # remembered, not run again


@both_kinds
def test_an_import_that_ends_the_process_is_told(fork):
    with session("os._exit(7)\n" + RIGHT, fork) as guest:
        assert call(guest) == Died("load", 7)
        assert call(guest, "right") == Died("load", 7)


def test_an_import_that_fails_says_where():
    with session("table = [1, 2][5]\n" + RIGHT) as guest:
        answer = call(guest, "right")
        assert isinstance(answer, Raised)
        assert (answer.step, answer.error, answer.frames[-1].source) == ("load", "IndexError", "table = [1, 2][5]")


@pytest.mark.parametrize("package", ["solutions", "grader", "datasets"])
def test_a_submission_does_not_find_the_kit(package):
    with session(f"import {package}\n" + RIGHT) as guest:
        answer = call(guest, "right")
        assert isinstance(answer, Raised)
        assert answer.error == "ModuleNotFoundError"


def test_what_a_module_tampers_with_does_not_reach_the_next_module():
    evil = HEAD + "np.add = np.ndarray.sum = None\nsys.modules['numba'] = None\nsys.modules['math'] = None\n" + RIGHT
    good = HEAD + "def f(x):\n    return np.add(x, 1)\n"
    for mode in ("interpreted", "checked"):
        with Session(worker(FORKS), {"m": ("m.py", evil), "n": ("n.py", good)}, mode, LIMITS) as guest:
            guest.call("m", "right", {"x": X}, compiled=False)
            answer = guest.call("n", "f", {"x": X}, compiled=False)
            assert isinstance(answer, Returned), answer
            np.testing.assert_array_equal(answer.value, X + 1)


def test_modules_of_a_submission_find_each_other():
    sources = {
        "m": ("m.py", HEAD + RIGHT),
        "n": ("n.py", "from exercises.m import right\ndef f(x):\n    return right(x)\n"),
    }
    with Session(worker(FORKS), sources, "interpreted", LIMITS) as guest:
        answer = guest.call("n", "f", {"x": X}, compiled=False)
        assert isinstance(answer, Returned)


# --- what is left behind ----------------------------------------------------------------------------------------------


@both_kinds
def test_a_thread_left_behind_costs_its_neighbour_nothing(fork):
    text = function("import threading\nthreading.Timer(0.2, os._exit, [0]).start()\nreturn x")
    text += "\ndef right(x):\n    import time\n    time.sleep(0.6)\n    return x + 1\n"
    with session(text, fork, limits=Limits(call=5.0)) as guest:
        assert isinstance(call(guest), Returned)
        assert still_serves(guest)


FORGED = """
import wire
frame = sys._getframe()
while 'question' not in frame.f_locals.get('request', {{}}):
    frame = frame.f_back
question = frame.f_locals['request']['question']
while 'self' not in frame.f_locals or not hasattr(frame.f_locals['self'], 'channel'):
    frame = frame.f_back
channel = frame.f_locals['self'].channel
for _ in range(9):
    wire.send(channel, {{'question': question, {fields}}}, {value})
return x
"""


@POSIX
@pytest.mark.parametrize(
    "fields",
    [
        "'found': True, 'jitted': True, 'nopython': True",
        "'spoiled': 5, 'output': {'a': 1}",
        "'collision': ['c', [10 ** 300, 'x'], 10 ** 300, True], 'spoiled': [[1], {}]",
        "'output': chr(27) + '[2J' + chr(0xd800)",
        "'problem': ['a'], 'frames': 5, 'kind': 7, 'message': {}",
        "'problem': 'IndexError', 'frames': [1, [2], ['m.py', 10 ** 300, 'f', 'x' * 10 ** 6]], 'kind': [[]]",
        "'status': 'passed', 'score': 100",
    ],
)
@pytest.mark.parametrize("value", ["(x + 100, {})", "((x, [x]), {})", "(x, {'y': x})", "'passed'", "None"])
def test_a_forged_frame_is_worth_its_numbers_and_stays_with_its_call(fields, value):
    with session(function(FORGED.format(fields=fields, value=value)) + RIGHT) as guest:
        answer = call(guest)
        assert isinstance(answer, (Returned, Raised, Garbled)), answer
        if isinstance(answer, Returned):
            assert 0 <= answer.seconds < 1e6
            assert answer.output.isprintable()
        assert still_serves(guest)
        assert still_serves(guest)


@POSIX
@pytest.mark.skipif(not FORKS, reason="no parent without fork")
def test_a_killed_parent_is_replaced_and_nobody_else_pays():
    with Worker(fork=True) as own:
        innocent = session(RIGHT, on=own)
        guilty = session(function("os.kill(os.getppid(), 9)\nwhile True:\n    pass") + RIGHT, on=own)
        with innocent, guilty:
            assert still_serves(innocent)
            assert isinstance(call(guilty), (Died, TimedOut))
            assert still_serves(innocent)
            assert still_serves(guilty)


@POSIX
@both_kinds
def test_no_process_and_no_folder_is_left_after_closing(fork):
    started = "import subprocess\nreturn os.getpid(), os.getppid() * {0}, subprocess.Popen(['sleep', '1000']).pid"
    own = Worker(fork=fork)
    guest = session(
        function(started.format(int(fork))) + function("while True: pass").replace("f(", "g("), fork, on=own
    )
    answer = call(guest)
    assert isinstance(answer, Returned)
    call(guest, "g")
    last = call(guest)
    assert isinstance(last, Returned)
    own.close()
    guest.close()
    pids = [pid for pid in (*answer.value, *last.value) if pid]
    assert not [pid for pid in pids if runs(pid)]
    assert not own.home.exists()


def test_a_session_closed_after_its_worker_starts_nothing():
    own = Worker()
    guest = session(RIGHT, on=own)
    assert still_serves(guest)
    own.close()
    guest.close()
    assert own._parent is None


def test_a_worker_may_be_started_ahead():
    with Worker() as own:
        own.start()
        own.start()
        with session(RIGHT, on=own) as guest:
            assert still_serves(guest)


@pytest.mark.skipif(not FORKS, reason="without a fork nobody inherits anything")
def test_what_was_compiled_for_checking_stays_with_checking():
    """numba would call it where speed is asked for, too: slow code, with bounds checks, in the student's own time."""
    text = """
def f(x):
    import os
    from numba import config
    return np.array([os.getppid(), int(config.OPT), int(config.BOUNDSCHECK or 0)])
"""
    with Worker(kernels=1) as warm:
        found = {}
        for mode in ("interpreted", "checked", "native"):
            with session(text, on=warm, mode=mode) as guest:
                answer = call(guest)
                assert isinstance(answer, Returned)
                found[mode] = answer.value.tolist()
        parent, beside = warm._parent, warm.without_kernels()._parent
        assert parent is not None
        assert beside is not None
        assert found["interpreted"][0] == found["checked"][0] != found["native"][0]
        assert found["checked"][1:3] == [0, 1]
        assert found["native"][1:3] == [3, 0]
    assert parent.poll() is not None
    assert beside.poll() is not None


def test_the_hosts_environment_stays_with_the_host(monkeypatch):
    monkeypatch.setenv("COURSE_SECRET", "42")
    with Worker() as own, session("def f(x):\n    return sorted(os.environ)\n", on=own) as guest:
        answer = call(guest)
        assert isinstance(answer, Returned)
        assert "COURSE_SECRET" not in answer.value


def runs(pid: int) -> bool:
    """Whether a process still runs, a moment after it was told to end; one that only waits to be reaped does not."""
    for _ in range(100):
        try:
            os.kill(pid, 0)
            state = Path(f"/proc/{pid}/stat")
            if state.exists() and state.read_text().rpartition(")")[2].split()[0] == "Z":
                return False
        except (ProcessLookupError, FileNotFoundError):
            return False
        time.sleep(0.05)
    return True


@pytest.mark.skipif(not FORKS, reason="no parent without fork")
def test_a_worker_that_cannot_start_anything_says_so():
    class Nothing(LimitsOnly):
        def command(self, arguments: list[str], home: Path) -> list[str]:
            return [sys.executable, "-c", "pass"]

    refused = pytest.raises(Problem, match="No process can be started")
    with Worker(Nothing(), fork=True) as own, session(RIGHT, on=own) as guest, refused:
        call(guest, "right")


def test_the_folder_of_a_killed_worker_is_cleared_away_and_a_living_ones_is_not(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    make = "import time; from grader.worker.home import Home; own = Home(); print(own.path, flush=True); time.sleep(60)"
    command = [sys.executable, "-c", f"import tempfile; tempfile.tempdir = {str(tmp_path)!r}; {make}"]
    with subprocess.Popen(command, cwd=kit.ROOT, stdout=subprocess.PIPE, text=True) as other, Worker() as living:
        theirs = Path(other.stdout.readline().strip())
        for folder in (theirs, living.home):
            os.utime(folder, (0, 0))
        clear_orphans()
        assert theirs.is_dir()
        assert living.home.is_dir()
        other.kill()
        other.wait()
        clear_orphans()
        assert not theirs.exists()
        assert living.home.is_dir()
    assert not living.home.exists()


def test_what_only_has_such_a_name_is_left_alone(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    (tmp_path / "deepkata-worker-mine").mkdir()
    os.utime(tmp_path / "deepkata-worker-mine", (0, 0))
    clear_orphans()
    assert (tmp_path / "deepkata-worker-mine").is_dir()

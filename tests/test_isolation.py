"""What guests are wrapped in: which kind is chosen, what each takes away, and that honest code misses nothing."""

from __future__ import annotations

import functools
import json
import os
import pwd
import shutil
import socket
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from grader.problem import Problem
from grader.worker import isolation
from grader.worker.answer import Answer, Returned
from grader.worker.guest import scratch, sight, wire
from grader.worker.host import Limits, Session, Worker
from grader.worker.isolation import GUEST, KINDS, Bubblewrap, Landlock, LimitsOnly, choose, obstacles

landlock, pyseccomp = pytest.importorskip("landlock"), pytest.importorskip("pyseccomp")
pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="isolation is Linux's")

X = np.array([[1.0, 2.0], [3.0, 4.0]], np.float32)
PATIENT = Limits(load=60, compile=120, call=60)
each_kind = pytest.mark.parametrize("kind", ["limits", *KINDS])
each_isolation = pytest.mark.parametrize("kind", KINDS)


@functools.cache
def of(kind: str) -> isolation.Isolation:
    if kind != "limits" and obstacles()[kind]:
        pytest.skip(f"{kind}: {obstacles()[kind]}")
    return LimitsOnly() if kind == "limits" else KINDS[kind]


@pytest.fixture
def fresh() -> Iterator[None]:
    """What was found out about this machine is found out anew, before and after."""
    isolation.obstacle_to.cache_clear()
    yield
    isolation.obstacle_to.cache_clear()


# --- which one --------------------------------------------------------------------------------------------------------


def test_none_is_none_whatever_there_is():
    assert choose("none").name == "limits"


def test_the_best_that_works_is_chosen(monkeypatch):
    for found, chosen in (
        ({"bubblewrap": "", "landlock": ""}, "bubblewrap"),
        ({"bubblewrap": "no", "landlock": ""}, "landlock"),
        ({"bubblewrap": "no", "landlock": "no"}, "limits"),
    ):
        monkeypatch.setattr(isolation, "obstacle_to", found.get)
        assert choose("auto").name == chosen


def test_isolation_that_is_required_and_missing_is_told_with_its_reasons(monkeypatch):
    monkeypatch.setattr(isolation, "obstacle_to", {"bubblewrap": "no bwrap", "landlock": "too old"}.get)
    with pytest.raises(Problem, match="required") as told:
        choose("required")
    assert "no bwrap" in str(told.value)
    assert "too old" in str(told.value)


def test_what_is_required_and_there_is_taken(monkeypatch):
    monkeypatch.setattr(isolation, "obstacle_to", {"bubblewrap": "no bwrap", "landlock": ""}.get)
    assert choose("required").name == "landlock"


@pytest.mark.usefixtures("fresh")
def test_a_machine_without_bwrap_says_so(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert obstacles()["bubblewrap"] == "bwrap is not installed"


@pytest.mark.parametrize(
    ("script", "told"),
    [
        ("echo 'No permissions to create a new namespace' >&2; exit 1", "No permissions to create a new namespace"),
        ("exit 3", "exit code 3"),
        ('while [ "$1" != -- ]; do shift; done; shift; exec "$@"', "it "),  # wraps nothing: the probe sees through it
        ("kill -9 $$", "exit code -9"),
    ],
    ids=["refused", "fails silently", "wraps nothing", "killed"],
)
def test_a_bwrap_that_does_not_work_is_an_obstacle(monkeypatch, tmp_path, script, told):
    program = tmp_path / "bwrap"
    program.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    if "exec" in script:
        monkeypatch.setattr(Bubblewrap, "name", "limits")  # the session does nothing for itself either
    assert told in Bubblewrap().obstacle()


def test_limits_alone_do_not_pass_the_probe():
    assert isolation.probe(LimitsOnly()).startswith("it reads")


def test_a_hanging_probe_ends(monkeypatch):
    class Hangs(LimitsOnly):
        def command(self, arguments: list[str], home: Path) -> list[str]:
            return [sys.executable, "-c", "while True: pass"]

    monkeypatch.setattr(isolation, "PROBE_SECONDS", 0.2)
    assert "timed out" in isolation.probe(Hangs())


in_sight = pytest.mark.parametrize("place", [sys.prefix, "/usr/lib/python3"])


@in_sight
def test_landlock_hides_no_kit_that_lies_where_guests_may_look(monkeypatch, place):
    monkeypatch.setattr(isolation, "HIDDEN", (Path(place) / "lib" / "solutions",))
    assert "the kit lies where Python or the system lies" in Landlock().obstacle()


@in_sight
def test_bubblewrap_hides_what_lies_where_guests_may_look(monkeypatch, tmp_path, place):
    inside = Path(place) / "lib" / "solutions"
    monkeypatch.setattr(isolation, "HIDDEN", (inside,))
    command = Bubblewrap().command([], tmp_path)
    assert command[command.index(str(inside)) - 1] == "--tmpfs"


@pytest.mark.parametrize("prefix", ["/usr", "/usr/local"])
def test_what_people_keep_beside_python_is_out_of_sight(monkeypatch, prefix):
    """As in a container whose Python lies in /usr/local and whose submissions lie in /usr/src."""
    monkeypatch.setattr(sys, "prefix", prefix)
    monkeypatch.setattr(sys, "base_prefix", prefix)
    seen = [Path(path) for path in (*sight.system_folders(), *sight.python_folders())]
    assert Path(prefix, "lib") in seen
    for kept in ("/usr/src/class", "/usr/local/src/class", "/usr/share/class", "/usr/local/class", "/srv/class"):
        assert not [path for path in seen if Path(kept).is_relative_to(path)], kept


# --- what it takes away -----------------------------------------------------------------------------------------------

LOOK = """
import json, os, resource, sys
sys.path.insert(0, sys.argv[1])
import confine, scratch
folder = scratch.make(os.getcwd())
os.chdir(folder)
confine.confine(sys.argv[2], folder)

def works(act):
    try:
        act()
    except OSError:
        return False
    return True

print(json.dumps({
    "user": os.getuid(),
    "group": [os.getgid(), *os.getgroups()],
    "writes here": works(lambda: open("here", "w").close()),
    "changes rights": works(lambda: os.chmod("here", 0)),
    "signals itself": works(lambda: os.kill(os.getpid(), 0)),
    "signals its parent": works(lambda: os.kill(os.getppid(), 0)),
    "has files in memory": works(lambda: os.memfd_create("x")),
    "becomes root": works(lambda: os.setuid(0)) and os.getuid() == 0,
    "truncates": works(lambda: os.truncate("here", 0)),
    "writes beside its folder": works(lambda: open("../left-for-the-next", "w").close()),
    "threads": resource.getrlimit(resource.RLIMIT_NPROC)[0],
    "limit": confine.THREADS,
    "reads its own status": works(lambda: open("/proc/self/status").close()),
}))
"""


@functools.cache
def confined(kind: str) -> dict[str, object]:
    """What a child process finds that confines itself as a session does."""
    with tempfile.TemporaryDirectory() as home:
        command = [sys.executable, "-I", "-B", "-c", LOOK, str(GUEST), kind]
        run = subprocess.run(command, cwd=home, capture_output=True, text=True, check=True)
        left = {path.name.partition("-")[0]: path.stat() for path in Path(home).iterdir()}
        assert stat.S_IMODE(left["session"].st_mode) == 0o700
        found: dict[str, object] = json.loads(run.stdout)
        assert left["session"].st_uid == found["user"]
    return found


@each_isolation
def test_a_confined_process_keeps_its_folder_and_itself(kind):
    of(kind)
    found = confined(kind)
    assert found["writes here"]
    assert found["signals itself"]


@each_isolation
@pytest.mark.parametrize(
    "act", ["changes rights", "truncates", "signals its parent", "has files in memory", "writes beside its folder"]
)
def test_a_confined_process_may_not(kind, act):
    of(kind)
    assert confined("limits")[act]
    assert not confined(kind)[act]


@each_isolation
@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_root_becomes_a_user_whom_nobody_else_is(kind):
    of(kind)
    confined.cache_clear()
    first = confined(kind)
    confined.cache_clear()
    second = confined(kind)
    assert first["user"] not in {found.pw_uid for found in pwd.getpwall()}
    assert first["user"] != second["user"]
    assert first["group"] == [first["user"]]
    assert not first["becomes root"]
    assert first["threads"] == first["limit"]


def test_landlock_leaves_nothing_of_proc_to_be_read():
    of("landlock")
    assert not confined("landlock")["reads its own status"]


# --- what honest code needs -------------------------------------------------------------------------------------------

HONEST = {
    "numba's threads": (
        "from numba import njit, prange\n@njit(parallel=True)\ndef f(x):\n    y = np.empty_like(x)\n"
        "    for i in prange(x.shape[0]):\n        y[i] = x[i] + 1\n    return y\n"
    ),
    "BLAS": "def f(x):\n    return np.linalg.inv(np.linalg.inv(x)) @ np.eye(2, dtype=np.float32) + 1\n",
    "BLAS in numba": "from numba import njit\n@njit\ndef f(x):\n    return x @ np.eye(2, dtype=np.float32) + 1\n",
    "Python's threads": (
        "from concurrent.futures import ThreadPoolExecutor\ndef f(x):\n"
        "    with ThreadPoolExecutor(8) as pool:\n        return np.stack(list(pool.map(lambda row: row + 1, x)))\n"
    ),
    "what is imported late": (
        "def f(x):\n    import decimal, multiprocessing, numpy.fft, numpy.polynomial, scipy.signal, sqlite3\n"
        "    import numba.stencils, numba.typed, scipy.special, scipy.stats\n"
        "    numba.typed.List([1])\n    return np.fft.ifft(np.fft.fft(x)).real.astype(np.float32) + 1\n"
    ),
    "files of its own": (
        "import tempfile\ndef f(x):\n    np.save('kept.npy', x)\n"
        "    with tempfile.TemporaryFile() as file:\n        np.save(file, x)\n    return np.load('kept.npy') + 1\n"
    ),
    "what time it is": "import time\ndef f(x):\n    time.sleep(0.001)\n    return x + bool(time.time())\n",
    "randomness": "import secrets\ndef f(x):\n    return x + 1 + np.random.random(2) // (2 + secrets.randbelow(9))\n",
}


@pytest.fixture(scope="module")
def workers() -> Iterator[dict[str, Worker]]:
    opened: dict[str, Worker] = {}
    yield opened
    for worker in opened.values():
        worker.close()


@each_kind
@pytest.mark.parametrize("need", HONEST)
def test_honest_code_misses_nothing(workers, kind, need):
    answer = answered(workers.setdefault(kind, Worker(of(kind))), HONEST[need])
    assert isinstance(answer, Returned), answer
    np.testing.assert_allclose(answer.value, X + 1, rtol=1e-5)


@each_kind
def test_a_guest_that_is_no_fork_misses_nothing_either(kind):
    with Worker(of(kind), fork=False) as worker:
        assert isinstance(answered(worker, HONEST["files of its own"]), Returned)


def test_the_kernel_ends_a_guest_before_anything_else_when_memory_runs_out():
    text = "def f(x):\n    return int(open('/proc/self/oom_score_adj').read())\n"
    with Worker() as worker:
        answer = answered(worker, text)
    assert isinstance(answer, Returned)
    assert answer.value == 1000


def test_a_frame_is_not_sent_after_its_deadline():
    here, there = socket.socketpair()
    with here, there:
        with pytest.raises(TimeoutError):
            wire.send(here, {}, X, deadline=time.monotonic())
        there.setblocking(False)
        with pytest.raises(BlockingIOError):
            there.recv(1)


def test_a_peer_that_does_not_read_is_given_up():
    here, there = socket.socketpair()
    with here, there, pytest.raises(TimeoutError):
        wire.send(here, {}, [np.zeros(1 << 22)] * 2, deadline=time.monotonic() + 0.1)


@each_kind
def test_a_worker_leaves_nothing(kind):
    worker = Worker(of(kind))
    assert isinstance(answered(worker, "def f(x):\n    open('left', 'w').close()\n    return x\n"), Returned)
    worker.close()
    assert not worker.home.exists()


def answered(worker: Worker, text: str) -> Answer:
    """What a module's `f` answers as it is written."""
    with Session(worker, {"m": ("m.py", "import numpy as np\n" + text)}, "native", PATIENT) as session:
        return session.call("m", "f", {"x": X}, compiled="njit" in text)


@pytest.fixture(scope="module")
def somebody() -> Iterator[str]:
    """An ordinary user, who is there only as long as this test."""
    if os.geteuid() != 0 or not shutil.which("useradd") or not shutil.which("runuser"):
        pytest.skip("only root can make a user")
    name = "deepkata-test"
    subprocess.run(["useradd", "--no-create-home", name], check=True, capture_output=True)
    yield name
    subprocess.run(["userdel", name], check=True, capture_output=True)


@pytest.fixture(scope="module")
def public_python(somebody) -> Iterator[str]:
    """A Python that everybody can use and that has what a probe needs: this one, or one made of the system's."""
    if usable(somebody, sys.executable):
        yield sys.executable
        return
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        made = subprocess.run(["/usr/bin/python3", "-m", "venv", "--without-pip", folder], capture_output=True)
        if made.returncode:
            pytest.skip(f"no Python here that {somebody} could use")
        (packages,) = Path(folder).glob("lib/python*/site-packages")
        for module in (landlock, pyseccomp):
            copy = shutil.copytree if Path(module.__file__).name == "__init__.py" else shutil.copy
            source = Path(module.__file__)
            copy(*((source.parent, packages / module.__name__) if copy is shutil.copytree else (source, packages)))
        yield f"{folder}/bin/python"


def usable(user: str, python: str) -> bool:
    return (
        subprocess.run(["runuser", "-u", user, "--", python, "-c", "import numpy"], capture_output=True).returncode == 0
    )


PROBE = """
import os, sys
sys.path += sys.argv[2:]
from grader.worker import isolation
assert os.geteuid() != 0
print(isolation.KINDS[sys.argv[1]].obstacle())
"""


@each_isolation
def test_an_ordinary_user_is_isolated_too(kind, somebody, public_python):
    places = [str(GUEST.parents[2]), str(Path(np.__file__).parents[1])]
    command = ["runuser", "-u", somebody, "--", public_python, "-B", "-c", PROBE, kind, *places]
    run = subprocess.run(command, cwd="/", capture_output=True, text=True)
    if run.returncode:
        pytest.skip(f"{somebody} cannot run the kit here: {run.stderr.strip().splitlines()[-1]}")
    if "namespace" in run.stdout:
        pytest.skip(f"this machine gives ordinary users none: {run.stdout}")
    assert run.stdout.strip() == ""


# --- a session's folder -----------------------------------------------------------------------------------------------


def test_a_folder_is_removed_whatever_is_left_in_it(tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "file").write_text("kept", encoding="utf-8")
    folder = Path(scratch.make(str(tmp_path)))
    (folder / "link").symlink_to(outside)
    os.link(outside / "file", folder / "hard link")
    (folder / "locked" / "inner").mkdir(parents=True)
    (folder / "locked" / "inner" / "file").touch()
    here = os.open(folder, os.O_RDONLY)
    deep = here
    for _ in range(1200):
        os.mkdir("deeper", dir_fd=deep)
        inner = os.open("deeper", os.O_RDONLY, dir_fd=deep)
        os.close(deep)
        deep = inner
    os.close(deep)
    (folder / "locked" / "inner").chmod(0)
    (folder / "locked").chmod(0)
    scratch.remove(str(folder))
    assert not folder.exists()
    assert (outside / "file").read_text(encoding="utf-8") == "kept"
    assert list(tmp_path.iterdir()) == [outside]


def test_a_folder_that_has_become_a_link_is_removed_and_not_what_it_leads_to(tmp_path):
    (tmp_path / "kit").mkdir(mode=0o755)
    (tmp_path / "kit" / "file").touch()
    (tmp_path / "session").symlink_to(tmp_path / "kit")
    scratch.remove(str(tmp_path / "session"))
    assert not (tmp_path / "session").is_symlink()
    assert (tmp_path / "kit" / "file").exists()


def test_a_folder_is_overfull_by_size_by_number_and_by_depth(tmp_path, monkeypatch):
    monkeypatch.setattr(scratch, "BYTES", 1 << 16)
    monkeypatch.setattr(scratch, "FILES", 20)
    for name in ("much", "many", "deep", "little"):
        (tmp_path / name).mkdir()
    (tmp_path / "much" / "file").write_bytes(bytes(1 << 17))
    for number in range(30):
        (tmp_path / "many" / str(number)).touch()
    (tmp_path / "deep").joinpath(*"abcdefghijk").mkdir(parents=True)
    (tmp_path / "little").joinpath(*"abcde").mkdir(parents=True)
    (tmp_path / "little" / "file").write_bytes(bytes(1 << 12))
    found = {folder.name: scratch.overfull(str(folder)) for folder in tmp_path.iterdir()}
    assert found == {"much": True, "many": True, "deep": True, "little": False}

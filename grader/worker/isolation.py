"""What a guest process is wrapped in. One place: a new kind of isolation is a new class here and nothing else.

bubblewrap : a file system of its own with nothing in it but Python, no network, no other process in sight
landlock : the kernel refuses all files but Python's, on the file system that is there
limits : an ordinary process of this user
Within bubblewrap, sessions are kept apart by a user each where root has started the kit, and by Landlock else.
In the first two a filter of system calls lets the guest start no process and open no socket; in all of them memory, CPU
time, file size and open files are limited (guest/limits.py), and the host keeps the deadlines.
"""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from grader import kit
from grader.problem import Problem
from grader.worker.guest import scratch, sight
from grader.worker.guest.gpu import files

# The last ones say where a CUDA toolkit and driver are, and which GPU may be used.
KEPT = (
    *("PATH", "SYSTEMROOT", "NUMBA_NUM_THREADS"),
    *("CUDA_HOME", "CUDA_PATH", "CUDA_VISIBLE_DEVICES", "CUDA_DEVICE_ORDER", "LD_LIBRARY_PATH"),
)
GUEST = Path(__file__).parent / "guest"
HIDDEN = (kit.SOLUTIONS, kit.ROOT / "grader", kit.ROOT / "datasets")  # no guest needs a look at these
# Libraries that have the answers, and that nothing a submission needs is made of.
LIBRARIES = ("keras", "tensorflow", "torch", "jax", "sklearn", "statsmodels", "cupy", "cv2", "skimage")
PROBE_SECONDS = 30.0
# As root, what the parent needs to hand a session over to somebody else, to end it, and to clear up behind it.
CAPABILITIES = (
    *("CAP_SETUID", "CAP_SETGID", "CAP_CHOWN", "CAP_KILL"),
    *("CAP_DAC_OVERRIDE", "CAP_DAC_READ_SEARCH", "CAP_FOWNER"),
)


class Isolation(Protocol):
    """How to start a guest process."""

    name: str

    def command(self, arguments: list[str], home: Path) -> list[str]:
        """The command line that runs the guest with these arguments; `home` is the worker's folder."""
        ...


class LimitsOnly:
    """The guest is an ordinary process of this user, with limits."""

    name = "limits"

    def command(self, arguments: list[str], home: Path) -> list[str]:
        return guest_command(self.name, arguments)


class Landlock:
    """The guest locks itself in, before it sees any of the student's code."""

    name = "landlock"

    def command(self, arguments: list[str], home: Path) -> list[str]:
        return guest_command(self.name, arguments)

    def obstacle(self) -> str:
        """What keeps it from working here; "" where nothing does."""
        if hidden_in_sight():
            return "the kit lies where Python or the system lies, which a guest must be able to read"
        return probe(self)


class Bubblewrap:
    """The guest sees Python, a scratch folder in memory, and nothing else."""

    name = "bubblewrap"

    def command(self, arguments: list[str], home: Path) -> list[str]:
        options = [*self._rights(), *self._surroundings(home), *self._files(home, "device" in arguments)]
        return ["bwrap", *options, "--", *guest_command(self.name, arguments)]

    def obstacle(self) -> str:
        """What keeps it from working here; "" where nothing does."""
        return probe(self) if shutil.which("bwrap") else "bwrap is not installed"

    def _rights(self) -> Iterator[str]:
        """What it may do: as root next to nothing of what root may, else nothing."""
        if os.geteuid() != 0:
            yield from ("--unshare-user", "--disable-userns")
            return
        yield from ("--cap-drop", "ALL")
        for capability in CAPABILITIES:
            yield from ("--cap-add", capability)

    def _surroundings(self, home: Path) -> Iterator[str]:
        """Processes, network and environment of its own."""
        yield from ("--unshare-pid", "--unshare-net", "--unshare-ipc", "--unshare-uts", "--unshare-cgroup-try")
        yield from ("--die-with-parent", "--new-session", "--clearenv", "--proc", "/proc", "--dev", "/dev")
        for name, value in environment(home).items():
            yield from ("--setenv", name, value)

    def _files(self, home: Path, device: bool) -> Iterator[str]:
        """A file system with Python in it; nothing can be written but in the scratch folder, and to a GPU if wanted."""
        for path in sight.system_folders():
            if os.path.islink(path):
                yield from ("--symlink", os.readlink(path), path)
            else:
                yield from bind(Path(path))
        for path in sight.FILES:
            yield from bind(Path(path), "--ro-bind-try")
        for path in sight.python_folders():
            yield from bind(Path(path))
        for hidden in (*hidden_in_sight(), *installed_libraries()):
            yield from ("--tmpfs", str(hidden))
        yield from bind(GUEST)
        yield from ("--size", str(scratch.BYTES), "--tmpfs", str(home), "--chdir", str(home))
        if device:
            yield from ("--ro-bind-try", "/sys", "/sys")
            for path in files.devices():
                yield from ("--dev-bind-try", path, path)
        yield from ("--remount-ro", "/dev", "--remount-ro", "/")


def guest_command(isolation: str, arguments: list[str]) -> list[str]:
    return [sys.executable, "-I", "-B", str(GUEST), isolation, *arguments]


def bind(path: Path, option: str = "--ro-bind") -> Iterator[str]:
    """Options that show a folder or file of the host, below folders that everybody may enter."""
    for parent in reversed(path.parents[:-1]):
        yield from ("--perms", "0755", "--dir", str(parent))
    yield from (option, str(path), str(path))


def environment(home: Path) -> dict[str, str]:
    """The whole environment of a guest; `home` is the worker's folder, in which each session gets its own."""
    kept = {name: os.environ[name] for name in KEPT if name in os.environ}
    # One BLAS thread, and OpenMP threads that sleep while they wait: threads that spin on a busy machine slow
    # everything down many times over.
    return kept | {
        "HOME": str(home),
        "USERPROFILE": str(home),
        "TMPDIR": str(home),
        "TEMP": str(home),
        "TMP": str(home),
        "LANG": "C.UTF-8",
        "OPENBLAS_NUM_THREADS": "1",
        "OMP_WAIT_POLICY": "passive",
        # Memory that was never written to holds large numbers rather than lucky zeros.
        "MALLOC_PERTURB_": "128",
    }


def hidden_in_sight() -> list[Path]:
    """Which of the folders to hide lie where guests may look: those of a kit that was not installed from a clone."""
    folders = [Path(path).resolve() for path in (*sight.system_folders(), *sight.python_folders())]
    return [hidden for hidden in HIDDEN if any(hidden.resolve().is_relative_to(folder) for folder in folders)]


def installed_libraries() -> list[Path]:
    """The folders of those libraries that have the answers and are installed here."""
    sites = {Path(sysconfig.get_path(name)) for name in ("purelib", "platlib")}
    return [site / name for site in sorted(sites) for name in LIBRARIES if (site / name).is_dir()]


def probe(isolation: Isolation) -> str:
    """Start a guest that tries what it must not be able to do; what came of it, "" where all was refused."""
    with tempfile.TemporaryDirectory() as private, tempfile.TemporaryDirectory() as home:
        secret = Path(private) / "secret"
        secret.write_text("not for guests", encoding="utf-8")
        command = isolation.command(["-", "probe", str(secret), kit.__file__], Path(home))
        try:
            run = subprocess.run(
                command, capture_output=True, text=True, timeout=PROBE_SECONDS, env=environment(Path(home)), cwd=home
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            return str(error)
    told = (run.stdout + run.stderr).strip().splitlines()
    return "" if run.returncode == 0 else told[-1] if told else f"it ended with exit code {run.returncode}"


@functools.cache
def obstacle_to(name: str) -> str:
    """What keeps a kind of isolation from working here, "" where nothing does; found out once, by trying."""
    return KINDS[name].obstacle() if sys.platform.startswith("linux") else "only Linux has it"


def obstacles() -> dict[str, str]:
    """The kinds of isolation beyond limits, the best first, and what keeps each from working here."""
    return {name: obstacle_to(name) for name in KINDS}


KINDS = {kind.name: kind for kind in (Bubblewrap(), Landlock())}


def choose(wish: str) -> Isolation:
    """The isolation for a wish of auto, required or none.

    Raises
    ------
    Problem : required, and this machine has none
    """
    if wish == "none":
        return LimitsOnly()
    for name, kind in KINDS.items():
        if not obstacle_to(name):
            return kind
    if wish == "required":
        found = "; ".join(f"{name}: {obstacle}" for name, obstacle in obstacles().items())
        raise Problem(
            f"Isolation was required, and this machine has none ({found}).",
            "Install bubblewrap (e.g. `apt install bubblewrap`), or run kata itself inside a container.",
        )
    return LimitsOnly()

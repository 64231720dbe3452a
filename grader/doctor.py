"""What this machine offers to the kit, and how to get what is missing."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import platform
import sys
from collections.abc import Iterator
from pathlib import Path

from rich.text import Text

from grader import kit, levels
from grader.result import COMPILED, DEVICE
from grader.worker.host import FORKS_SAFELY, Worker
from grader.worker.isolation import choose, obstacles

OWN_PACKAGES = ("grader", "datasets", "exercises", "experiments", "solutions")
OPTIONAL = (
    ("tensorflow", "Keras: twins, training scripts, `kata data fetch`", "pip install 'deepkata[keras]'"),
    ("matplotlib", "pictures of `kata train` and `kata experiment`", "pip install 'deepkata[pictures]'"),
    ("distributed", "`kata grade --engine dask`", "pip install 'deepkata[scale]'"),
    ("nbgrader", "`kata nbgrader`, `kata notebook`, `kata grade --gradebook`", "pip install 'deepkata[nbgrader]'"),
)

HOW_TO_ISOLATE = {
    "bubblewrap": "apt install bubblewrap libseccomp2, or your system's like",
    "landlock": "use Linux 5.13 or later with Landlock switched on, and libseccomp2",
}

COMPILERS = ("numba-cuda", "nvidia-nvvm", "nvidia-nvjitlink")
OLDEST = "sm_70"

Finding = tuple[bool, str, str]


def report() -> Text:
    """One line per finding: what was looked at, what was found, what to do."""
    lines = []
    for good, found, action in findings():
        sign = Text("✓ ", style="green") if good else Text("· ", style="yellow")
        lines.append(sign + Text(found) + Text(f" → {action}" if action else "", style="cyan"))
    return Text("\n").join(lines)


def findings() -> Iterator[Finding]:
    """Whether it is well, what was found, and how to get more."""
    supported = (3, 11) <= sys.version_info[:2] <= (3, 13)
    action = "" if supported else "use Python 3.11, 3.12 or 3.13"
    yield supported, f"Python {platform.python_version()} on {platform.system()}, {os.cpu_count()} cores", action
    for name in ("numba", "numpy"):
        yield True, f"{name} {importlib.metadata.version(name)}", ""
    yield from _shadowed()
    warm = "a warm worker" if FORKS_SAFELY else "no warm worker (no safe fork here): every check starts a process"
    yield FORKS_SAFELY, warm, ""
    yield from _isolation()
    for module, purpose, how in OPTIONAL:
        there = importlib.util.find_spec(module) is not None
        version = importlib.metadata.version(module) if there else "not installed"
        yield there, f"{module} {version} ({purpose})", "" if there else how
    yield from _kernels()
    yield from _data()


def _shadowed() -> Iterator[Finding]:
    """Whether a foreign distribution has taken one of the kit's package names."""
    for name in OWN_PACKAGES:
        spec = importlib.util.find_spec(name)
        origin = Path(spec.origin) if spec and spec.origin else None
        if origin is None or not origin.resolve().is_relative_to(kit.ROOT):
            where = f"comes from {origin}" if origin else "is not found"
            yield False, f"the package {name} {where}, not from this kit", "use a virtual environment of its own"


def _isolation() -> Iterator[Finding]:
    """What submissions can be wrapped in here, and what keeps them from the rest."""
    for name, obstacle in obstacles().items():
        action = HOW_TO_ISOLATE[name] if obstacle else ""
        yield not obstacle, f"isolation by {name}" + (f": {obstacle}" if obstacle else ""), action
    used = choose("auto").name
    told = "memory, CPU, files and wall-clock limits" + (
        "" if used == "limits" else ", no files but Python's, no network"
    )
    tip = "grade code that you do not trust inside a container of its own" if used == "limits" else ""
    yield used != "limits", f"`kata grade` isolates by {used} ({told})", tip


def _kernels() -> Iterator[Finding]:
    """How CUDA kernels are judged here: what simulates, what compiles, what runs them."""
    quick = importlib.util.find_spec("greenlet") is not None
    simulator = "greenlets" if quick else "threads of the system, many times slower than greenlets"
    yield quick, f"CUDA kernels are simulated on {simulator}", "" if quick else "pip install greenlet"
    with Worker() as worker:
        tools = levels.tools(worker)
    obstacle, facts = tools.obstacles[COMPILED], tools.facts
    versions = [f"{name} {facts[name]}" for name in COMPILERS if facts.get(name)]
    told = f"and compiled for {facts.get('targets')} by {', '.join(versions)}"
    if not obstacle and OLDEST not in facts.get("targets", ""):
        told += f" (CUDA {facts.get('nvidia-nvvm', '').partition('.')[0]} has left {OLDEST} behind)"
    yield not obstacle, obstacle or told, levels.HOW[COMPILED] if obstacle else ""
    if not obstacle and not facts.get("code"):
        yield False, "no nvJitLink: registers and spills of kernels are not told", levels.HOW[COMPILED]
    obstacle = tools.obstacles[DEVICE]
    found = f"and run on {facts.get('device')} ({facts.get('capability')}), driver {driver_version()}"
    yield not obstacle, obstacle or found, ""


def driver_version() -> str:
    """The version of the NVIDIA driver, as the system tells it; "unknown" where it does not."""
    try:
        words = Path("/proc/driver/nvidia/version").read_text(encoding="utf-8").split()
    except OSError:
        return "unknown"
    return next((word for word in words if word[0].isdigit() and "." in word), "unknown")


def _data() -> Iterator[Finding]:
    import datasets

    for state in datasets.status():
        if state.defect:
            yield False, f"data set {state.name}: {state.defect}", ""
        elif state.origin == "sample":
            yield False, f"data set {state.name}: the bundled sample only", f"kata data fetch {state.name}"
        else:
            yield True, f"data set {state.name}: {state.path}", ""

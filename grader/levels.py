"""At which level CUDA kernels are judged here: simulated everywhere, compiled with a compiler, on a device with one.

What this machine can do is found out by trying, in a guest, once per worker.
"""

from __future__ import annotations

import functools
import importlib.metadata
import os
import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from grader import catalogue
from grader.exercise import Exercise
from grader.problem import Problem
from grader.result import COMPILED, DEVICE, SIMULATED
from grader.worker.answer import Answer, Died, Raised
from grader.worker.guest.gpu import files
from grader.worker.host import Session, Worker

LEVELS = (SIMULATED, COMPILED, DEVICE)  # each includes those before it
MODES = {SIMULATED: "simulated", COMPILED: "assembled", DEVICE: "device"}
HOW = {COMPILED: "pip install 'deepkata[cuda]'", DEVICE: "use a machine with an NVIDIA GPU and its driver"}
# What makes the difference between two machines that run the same kit.
DISTRIBUTIONS = ("numba", "numba-cuda", "cuda-bindings", "nvidia-nvvm", "nvidia-nvjitlink", "nvidia-cuda-nvcc-cu12")


@dataclass(frozen=True)
class Tools:
    """What one machine has for kernels.

    Parameters
    ----------
    obstacles : level -> what keeps kernels from being judged there; "" where nothing does
    facts : what was found, for whoever asks: versions, targets, the device's name
    """

    obstacles: Mapping[str, str]
    facts: Mapping[str, str]

    @property
    def highest(self) -> str:
        """The highest level that is to be had."""
        return [level for level in LEVELS if not self.obstacles[level]][-1]

    @property
    def stages(self) -> tuple[str, ...]:
        """The levels that a kernel goes through here."""
        return tuple(level for level in LEVELS if not self.obstacles[level])

    @property
    def next_obstacle(self) -> str:
        """What keeps kernels from the level above, and what to do; "" at the top."""
        missing = [level for level in LEVELS if self.obstacles[level]]
        return f"{self.obstacles[missing[0]]}: {HOW[missing[0]]}" if missing else ""


def tools(worker: Worker) -> Tools:
    """What is here, as guests of this worker see it."""
    if "tools" not in worker.remembered:
        worker.remembered["tools"] = _look(worker)
    found: Tools = worker.remembered["tools"]
    return found


def _look(worker: Worker) -> Tools:
    compiler, facts = _ask(worker, COMPILED)
    device, more = ("no NVIDIA GPU here", {}) if not has_device() else _ask(worker.for_device(), DEVICE)
    return Tools({SIMULATED: "", COMPILED: compiler, DEVICE: device}, {**facts, **more})


def _ask(worker: Worker, level: str) -> tuple[str, dict[str, str]]:
    """What keeps kernels from a level, and what a guest found."""
    with Session(worker, {}, MODES[level]) as session:
        told = session.look()
    if not isinstance(told, dict):
        return _failure(level, told), {}
    facts = {str(name)[:40]: _line(value) for name, value in list(told.items())[:20]}
    return facts.pop("obstacle", ""), facts


def _failure(level: str, answer: Answer) -> str:
    """Why a guest of a mode could not even begin."""
    what = {COMPILED: "the CUDA compiler", DEVICE: "the GPU"}[level]
    if isinstance(answer, Raised):
        return f"{what} cannot be used ({answer.error}: {_line(answer.message)})"
    if isinstance(answer, Died):
        return f"{what} ended the process that tried it"
    return f"{what} did not answer in time"


def _line(told: Any) -> str:
    return str(told).strip().partition("\n")[0][:200]


def has_device() -> bool:
    """Whether an NVIDIA GPU may be here; only trying tells."""
    return bool(files.devices()) or (os.name == "nt" and bool(shutil.which("nvidia-smi")))


@functools.cache
def fingerprint() -> str:
    """Changes with whatever decides at which level kernels are judged here."""
    found = []
    for name in DISTRIBUTIONS:
        try:
            found.append(f"{name} {importlib.metadata.version(name)}")
        except importlib.metadata.PackageNotFoundError:
            continue
    return ", ".join([*found, "a device" if has_device() else "no device"])


def at_least(level: str, wanted: str) -> bool:
    """Whether a level is the wanted one or above."""
    return level in LEVELS and LEVELS.index(level) >= LEVELS.index(wanted)


def required(wishes: Sequence[str]) -> dict[str, str]:
    """Exercise id -> the level at which it must be judged, from `LEVEL` and `NAME=LEVEL`; the last word counts.

    Raises
    ------
    Problem : no such level, no such exercise, or none of the named is a kernel
    """
    found: dict[str, str] = {}
    for wish in wishes:
        name, _, level = wish.rpartition("=")
        if level not in LEVELS:
            raise Problem(f"There is no level {level!r}.", f"The levels are {', '.join(LEVELS)}.")
        kernels = [exercise for exercise in catalogue.select([name] if name else []) if exercise.cuda]
        if not kernels:
            raise Problem(f"{name or 'The kit'} has no CUDA kernels.", "A level is asked of kernels only.")
        found |= {exercise.id: level for exercise in kernels}
    return found


def refuse(found: Tools, wanted: Mapping[str, str], exercises: Iterable[Exercise]) -> None:
    """Raise Problem where one of the exercises must be judged at a level that this machine has not."""
    for exercise in exercises:
        level = wanted.get(exercise.id, SIMULATED)
        if found.obstacles[level]:
            raise Problem(
                f"{exercise.id} is to be judged at the level {level}, and this machine cannot: "
                f"{found.obstacles[level]}.",
                f"{HOW[level][0].upper()}{HOW[level][1:]}, or ask for another --level.",
            )

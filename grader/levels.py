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

from grader import catalogue, kernel_words
from grader.problem import Problem
from grader.result import COMPILED, DEVICE, PASSED, SIMULATED, ExerciseResult
from grader.worker.answer import Answer, Died, Raised
from grader.worker.guest.gpu import files
from grader.worker.host import Session, Worker

LEVELS = (SIMULATED, COMPILED, DEVICE)  # each includes those before it
MODES = {SIMULATED: "simulated", COMPILED: "assembled", DEVICE: "device"}
UNDONE = {COMPILED: "compiled", DEVICE: "run on a device"}
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
    def missing(self) -> tuple[str, str]:
        """What is not done with kernels here, and why, with the way to it; ("", "") where nothing is left out."""
        for level in LEVELS:
            if self.obstacles[level]:
                way = f" ({HOW[level]})" if level == COMPILED else ""
                return UNDONE[level], f"{self.obstacles[level]}{way}"
        return "", ""


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


def device_obstacle(worker: Worker) -> str:
    """What keeps the device from working at this moment, as a guest without a submission finds it; "" if nothing."""
    return _ask(worker.for_device(), DEVICE)[0]


def _ask(worker: Worker, level: str) -> tuple[str, dict[str, str]]:
    """What keeps kernels from a level, and what a guest found."""
    with Session(worker, {}, MODES[level]) as session:
        told = session.look()
    if not isinstance(told, dict):
        return _failure(level, told), {}
    facts = {str(name)[:40]: _line(value) for name, value in list(told.items())[:20]}
    return kernel_words.trouble(facts.pop("obstacle", "")), facts


def _failure(level: str, answer: Answer) -> str:
    """Why a guest of a mode could not even begin."""
    what = {COMPILED: "the CUDA compiler", DEVICE: "the GPU"}[level]
    if isinstance(answer, Raised):
        return f"{what} cannot be used ({answer.error}: {kernel_words.trouble(answer.message)})"
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


def refuse(worker: Worker, wanted: Mapping[str, str]) -> None:
    """Raise Problem where an exercise must be judged at a level that this machine has not."""
    for name, level in wanted.items():
        obstacle = tools(worker).obstacles[level]
        if obstacle:
            raise Problem(
                f"{name} is to be judged at the level {level}, and this machine cannot: {obstacle}.",
                f"{HOW[level][0].upper()}{HOW[level][1:]}, or ask for another --level.",
            )


def too_low(results: Iterable[ExerciseResult], wanted: Mapping[str, str]) -> list[str]:
    """The exercises that passed at a lower level than is required."""
    return [
        f"{result.id} ({result.level} instead of {wanted[result.id]})"
        for result in results
        if result.status == PASSED and result.id in wanted and not at_least(result.level, wanted[result.id])
    ]

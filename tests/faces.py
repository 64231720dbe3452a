"""Builders for the tests of the faces: folders of exercises in a temporary place, and runs of the real commands."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from build import solved

from grader import kit, stubs
from grader.submission import Module

KATA = (sys.executable, "-c", "from grader.cli import main; main()")
PATIENCE = 300


@dataclass
class Run:
    """What a command did."""

    code: int
    out: str
    err: str

    @property
    def told(self) -> list[str]:
        """The lines on standard error."""
        return self.err.splitlines()


def run(*command: object, cwd: Path, **environment: str) -> Run:
    """Run a command to its end."""
    done = subprocess.run(
        [str(word) for word in command],
        cwd=cwd,
        env=os.environ | {"PYTHONDONTWRITEBYTECODE": "1", "COLUMNS": "120"} | environment,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    return Run(done.returncode, done.stdout, done.stderr)


def kata(*arguments: object, cwd: Path, root: Path | None = None, **environment: str) -> Run:
    """Run `kata`, this repository's own or that of the kit at `root`."""
    return run(*KATA, *arguments, cwd=cwd, **({"PYTHONPATH": str(root)} if root else {}), **environment)


def stub_of(module: str) -> str:
    """A module as a student gets it."""
    return stubs.make_stub((kit.SOLUTIONS / (module.replace(".", "/") + ".py")).read_text(encoding="utf-8"))


def written(module: str, **functions: str) -> str:
    """A stub module with some functions written: source text, or "" for the solution's own."""
    text = stub_of(module)
    for name, source in functions.items():
        source = source or _lines(solved(module), name)[1]
        text = text.replace(_lines(text, name)[1], source.strip("\n") + "\n")
    return text


def hand_in(folder: Path, modules: Mapping[str, str] = {}) -> Path:
    """A folder laid out like exercises/: untouched stubs, but for these modules."""
    texts = {path.relative_to(kit.EXERCISES).as_posix(): text for path, text in stubs.wanted().items()}
    texts |= {name.replace(".", "/") + ".py": text for name, text in modules.items()}
    for name, text in texts.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder


def hand_in_relu(folder: Path, source: str) -> Path:
    """A folder of stubs in which only relu has been written."""
    return hand_in(folder, {"ch03_activations": written("ch03_activations", relu=source)})


def kit_copy(root: Path) -> Path:
    """A kit of its own, for commands that write into exercises/."""
    for name in ("grader", "datasets", "experiments", "solutions"):
        shutil.copytree(kit.ROOT / name, root / name, ignore=shutil.ignore_patterns("__pycache__"))
    hand_in(root / "exercises")
    return root


def records(folder: Path) -> dict[str, dict]:
    """The records in a folder, by file name."""
    return {path.name: json.loads(path.read_text(encoding="utf-8")) for path in sorted(folder.glob("*.json"))}


def found_in(record: Mapping, exercise: str) -> dict:
    """What a record says about one exercise."""
    (result,) = [result for result in record["exercises"] if result["id"].endswith("." + exercise)]
    return result


def escape_free(text: str) -> bool:
    """Whether a terminal would only print this."""
    return re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]", text) is None


def _lines(text: str, function: str) -> tuple[int, str]:
    """Where a top-level function begins, and its lines with the decorators."""
    node = Module("", text).functions[function]
    first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
    lines = text.splitlines(keepends=True)
    return first, "".join(lines[first - 1 : node.end_lineno])

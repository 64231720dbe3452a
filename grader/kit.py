"""This installation of the kit: where it lies, which version it is, and a fingerprint of everything that judges."""

from __future__ import annotations

import functools
import hashlib
import importlib.metadata
import sys
from pathlib import Path

import datasets.base
import datasets.catalogue
import datasets.files
from grader.problem import Problem

ROOT = Path(__file__).resolve().parent.parent
EXERCISES = ROOT / "exercises"
SOLUTIONS = ROOT / "solutions"
DEFAULT_SECRET = "deepkata"
GIVEN = ("simd",)  # modules that come with the exercises and hold none


@functools.cache
def version() -> str:
    """The version of the installed distribution."""
    try:
        return importlib.metadata.version("deepkata")
    except importlib.metadata.PackageNotFoundError:
        return "not installed"


@functools.cache
def given() -> dict[str, tuple[str, str]]:
    """The given modules, by name: (path to show, source text). Whatever a submission made of them, these are used."""
    try:
        texts = {name: (SOLUTIONS / f"{name}.py").read_text(encoding="utf-8") for name in GIVEN}
    except OSError as error:
        raise Problem(f"{error.filename} cannot be read ({error.strerror}).", "Restore it from the kit.") from None
    return {name: (f"exercises/{name}.py", text) for name, text in texts.items()}


@functools.cache
def fingerprint() -> str:
    """Changes with whatever can change a verdict: the engine, exercises, solutions, data, models, numba and numpy."""
    versions = [importlib.metadata.version(name) for name in ("numba", "numpy")]
    versions += [one.version for one in importlib.metadata.distributions(name="numba-cuda")]
    # Whether real data is here, not where: only files with the published checksum are read.
    found = [datasets.files.find(entry) is not None for entry in datasets.catalogue.ENTRIES.values()]
    found.append(datasets.base.find() is not None)
    digest = hashlib.sha256(repr((sys.version_info, versions, found)).encode())
    for folder in ("grader", "solutions", "datasets"):
        for path in sorted((ROOT / folder).rglob("*")):
            if path.suffix in (".py", ".npz", ".json", ".zip"):
                digest.update(path.relative_to(ROOT).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def secret(seed_file: Path | None) -> str:
    """The course's secret for hidden cases, from its file; the kit's own where there is none.

    Raises
    ------
    Problem : the file cannot be read, or has nothing in it
    """
    if seed_file is None:
        return DEFAULT_SECRET
    try:
        text = seed_file.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise Problem(f"The seed file {seed_file} cannot be read ({error.strerror}).", "Check the path.") from None
    except UnicodeDecodeError:
        raise Problem(f"The seed file {seed_file} is not text.", "Write a line of UTF-8 text into it.") from None
    if not text:
        raise Problem(f"The seed file {seed_file} is empty.", "Write a line that nobody can guess into it.")
    return text


@functools.cache
def exam_hash(secret: str | None) -> str:
    """What a submission was judged by: this kit and the course's secret, which takes long to guess from it."""
    return hashlib.scrypt(repr(secret).encode(), salt=fingerprint().encode(), n=2**14, r=8, p=1, dklen=32).hex()

"""What one student handed in, as files by their names: zip files are opened, and the exercises are looked for in it."""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from grader import catalogue
from grader import submission as submissions
from grader.classroom import archive, names
from grader.classroom.archive import Archive, Member
from grader.problem import Problem
from grader.submission import MAX_FILE, SINGLE, Submission

EXERCISES = "exercises"
ZIP = ".zip"
FOREIGN = (".rar", ".7z", ".tar", ".gz", ".tgz", ".xz", ".bz2")  # archives that are not opened
MAX_ZIPS = 5
MAX_SINGLE = 20  # modules and notebooks that lie about without a folder


@dataclass(frozen=True)
class File:
    """One file of a parcel.

    Parameters
    ----------
    path : below what was handed in, with `/` between the folders
    read : at most how many bytes -> the content; raises Problem
    member : what it is in a zip file of the whole class
    box : the zip file of the student's that it lies in
    number : grows with every upload, where a platform counts them
    """

    path: str
    read: Callable[[int], bytes]
    member: Member | None = None
    box: str = ""
    number: int = 0

    @property
    def shown(self) -> str:
        """Where the student finds it."""
        return names.plain(f"{self.box}/{self.path}" if self.box else self.path)


@dataclass(frozen=True)
class Parcel:
    """All of what one student handed in; `loose` where it was uploaded without a folder of its own.

    A module or a notebook that is uploaded alone answers for its own chapter only.
    """

    files: Sequence[File]
    loose: bool = False
    notes: Sequence[str] = ()

    def open(self, name: str) -> Submission:
        """The submission in it.

        Raises
        ------
        Problem : a file that is refused, nothing that the catalogue knows, or two answers to one question
        """
        archive.check((file.member for file in self.files if file.member), name)
        files = [file for file in _unpacked(self.files, name) if not archive.is_clutter(file.path.split("/"))]
        files, twice = _latest(files)
        code = [file for file in files if file.path.endswith(SINGLE)]
        places = _places(code)
        if places and not (self.loose and len(code) == 1 and places.keys() == {("", ())}):
            opened = _laid_out(name, code, places)
        else:
            shallow = [file for file in code if file.path.count("/") <= 1]
            opened = _loose(name, shallow or _nothing_in(files, name))
        opened.notes[:0] = [*self.notes, *twice]
        return opened


def is_laid_out(files: Iterable[File]) -> bool:
    """Whether these are one submission's: exercises lie at the top, or in a folder called exercises."""
    return any(root in ((), (EXERCISES,)) for _, root in _places(files))


def _unpacked(files: Sequence[File], name: str) -> list[File]:
    """The files with those of the zip files among them in their place."""
    boxes = [file for file in files if file.path.lower().endswith(ZIP)]
    if len(boxes) > MAX_ZIPS:
        raise Problem(f"{name} holds more than {MAX_ZIPS} zip files.", archive.HAND_IN_AGAIN)
    found = [file for file in files if file not in boxes]
    for box in boxes:
        opened = Archive(box.read(archive.MAX_PACKED), f"{name}/{box.shown}", archive.MAX_MEMBERS)
        archive.check(opened.members, opened.shown)
        plain = [member for member in opened.members if not member.name.endswith("/")]
        found += [
            File(member.name, functools.partial(opened.read, member), box=box.path, number=box.number)
            for member in plain
        ]
    return found


def _latest(files: Sequence[File]) -> tuple[list[File], list[str]]:
    """Of uploads of one name the last, and notes on the others."""
    last = {(file.box, file.path): file for file in sorted(files, key=lambda file: file.number)}
    counted = Counter((file.box, file.path) for file in files)
    often = [file.shown for key, file in last.items() if counted[key] > 1]
    return list(last.values()), [f"{shown} was handed in more than once: the last upload counts." for shown in often]


def _places(files: Iterable[File]) -> dict[tuple[str, tuple[str, ...]], None]:
    """Where modules of the catalogue lie: the zip file and the folders above them, no more than one and `exercises`."""
    known = {tuple(chapter.module.split(".")) for chapter in catalogue.chapters()}
    found: dict[tuple[str, tuple[str, ...]], None] = {}
    for file in files:
        parts = tuple(file.path.removesuffix(".py").split("/")) if file.path.endswith(".py") else ()
        for length in (1, 2):
            root = parts[:-length]
            deepest = 3 if root[-1:] == (EXERCISES,) else 1
            if parts[len(root) :] in known and len(root) <= deepest:
                found[file.box, root] = None
    return found


def _laid_out(name: str, code: Sequence[File], places: Iterable[tuple[str, tuple[str, ...]]]) -> Submission:
    """The submission of modules that lie where the exercises' modules lie; notebooks beside them are left out."""
    shallow = sorted(places, key=lambda place: len(place[1]))  # a copy in a folder below the exercises is none of them
    chosen = [place for place in shallow if place[1][-1:] == (EXERCISES,)] or shallow
    taken: dict[str, File] = {}
    left_out = []
    for file in code:
        inner = [_below(file, place) for place in chosen]
        path = next((path for path in inner if path and submissions.is_module(path)), None)
        if path is None:
            left_out.append(file)
        elif path in taken:
            raise Problem(
                f"{name} has two of {path}: {taken[path].shown} and {file.shown}.", "Hand in the one that counts."
            )
        else:
            taken[path] = file
    readers = {path: functools.partial(file.read, MAX_FILE) for path, file in taken.items()}
    opened = submissions.laid_out(name, readers, name)
    opened.notes += [f"{file.shown} was left out: it does not lie with the exercises." for file in left_out[:10]]
    return opened


def _below(file: File, place: tuple[str, tuple[str, ...]]) -> str:
    """The path of a file below a place; "" where it does not lie there."""
    box, root = place
    start = "".join(f"{part}/" for part in root)
    return file.path.removeprefix(start) if file.box == box and file.path.startswith(start) else ""


def _loose(name: str, code: Sequence[File]) -> Submission:
    """The submission of modules and notebooks that are named after the exercises, or answer some."""
    if len(code) > MAX_SINGLE:
        raise Problem(f"{name} has none of the exercise modules, but {len(code)} others.", archive.HAND_IN_AGAIN)
    together = Submission(name, {}, whole=len(code) > 1)
    for file in code:
        base = file.path.rpartition("/")[2]
        try:
            one = submissions.single(name, base, file.read(submissions.most_of(base)), f"{name}/{file.shown}")
        except Problem as problem:
            if len(code) == 1:
                raise
            together.notes.append(problem.defect)
            continue
        twice = next((module for module in one.modules if module in together.modules), None)
        if twice is not None:
            raise Problem(f"{name} has two of {twice}.", "Hand in the one that counts.")
        together.modules |= one.modules
    if not together.modules:
        raise Problem(f"{name} has nothing that can be read. {together.notes[0]}", "Hand in the exercises' modules.")
    return together


def _nothing_in(files: Sequence[File], name: str) -> Sequence[File]:
    """Say what was handed in instead of code."""
    inner = next((file for file in files if file.box and file.path.lower().endswith(ZIP)), None)
    if inner is not None:
        raise Problem(f"{name} holds a zip file in a zip file, {inner.shown}.", archive.HAND_IN_AGAIN)
    foreign = next((file for file in files if file.path.lower().endswith(FOREIGN)), None)
    if foreign is not None:
        raise Problem(f"{name} holds {foreign.shown}, which is no zip file.", archive.HAND_IN_AGAIN)
    if len(files) == 1 and not files[0].path.endswith(SINGLE):
        shown = files[0].shown
        raise Problem(f"{name} is {shown} alone: no module, notebook or zip file.", "Hand in the exercises' modules.")
    first = catalogue.chapters()[0].module
    raise Problem(
        f"{name} has none of the exercise modules ({first}.py …).", "Hand in the folder that holds them itself."
    )

"""What a class handed in: folders, modules, notebooks and zip files, as a learning platform hands them out.

What is found
-------------
- a folder laid out like `exercises/`, or with that folder in it, is one submission; so is a zip file of one, where it
  may lie below two more folders (as in a download from a repository), and so are a module and a notebook;
- any other folder or zip file is a class: each folder, zip file, module and notebook in it is a submission, and what is
  named as Moodle or Canvas names it belongs to the student in its name;
- a zip file that a student handed in is opened, one in it is not.

What is trusted
---------------
Who handed in is told by the platform: by the names of Moodle's and Canvas's downloads, and by Gradescope's
`submission_metadata.yml`, which counts at the top of a class only. (A platform that lets students choose their names
lets them choose one of this form; that is for the platform to prevent.) When it was handed in is told by Gradescope
alone: the members of Moodle's and Canvas's downloads carry the time of the download. That Canvas has marked something
late is noted. The dates of a student's own files are never looked at: their owner sets them. Times that the platform
shows in other places go into the late policy.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from grader.classroom import archive, names
from grader.classroom.archive import Archive
from grader.classroom.parcel import EXERCISES, FOREIGN, ZIP, File, Parcel, is_laid_out
from grader.problem import Problem
from grader.submission import SINGLE, Submission, content_of

METADATA = "submission_metadata.yml"
MAX_METADATA = 256 << 20
LATE_NOTE = "Canvas has marked it late; its download does not tell when it was handed in."


@dataclass(frozen=True)
class Handin:
    """One submission that was found.

    Parameters
    ----------
    name : unlike every other's, and safe as a file's name
    student : who handed it in, as far as that is known: "Ada Lovelace (123)", see `names.parts`
    submitted : when, in ISO 8601 with the offset from UTC; "" where nothing that can be trusted tells it
    path : the file or folder that it was found in
    problem : why it cannot be read, where that is known already
    """

    name: str
    student: str
    submitted: str
    path: Path | None
    problem: Problem | None = None
    parcel: Parcel = field(default=Parcel([]), repr=False)

    def read(self) -> Submission:
        """What was handed in; raises Problem where it cannot be read."""
        if self.problem is not None:
            raise self.problem
        return self.parcel.open(self.name)


@dataclass
class _Found:
    """A submission that has no name yet; `wishes` are names for it, the best first, the last its own alone."""

    wishes: list[str]
    path: Path
    student: str = ""
    submitted: str = ""
    files: list[File] = field(default_factory=list)
    loose: bool = False
    notes: list[str] = field(default_factory=list)
    problem: Problem | None = None

    def named(self, name: str) -> Handin:
        parcel = Parcel(self.files, self.loose, self.notes)
        return Handin(name, self.student, self.submitted, self.path, self.problem, parcel)


def find(paths: Sequence[Path]) -> list[Handin]:
    """Find the submissions in these folders and files, in this order; the same path counts once.

    Whatever is wrong with one of them is its own `problem`, or raised by its `read`.

    Raises
    ------
    Problem : Gradescope's metadata of a class cannot be read
    """
    found = [one for path in dict.fromkeys(path.resolve() for path in paths) for one in _found_in(path)]
    return [one.named(name) for one, name in zip(found, names.distinct([one.wishes for one in found]), strict=True)]


def _found_in(path: Path) -> list[_Found]:
    if path.is_dir():
        return _found_in_folder(path)
    alone = _Found(_wishes(path, path.stem), path, names.label(path.stem, ""), loose=True)
    if not path.exists():
        problem = Problem(
            f"There is no submission at {names.plain(str(path))}.", "Give a folder, a .py, an .ipynb or a .zip file."
        )
        return [replace(alone, problem=problem)]
    alone.files = [File(path.name, functools.partial(content_of, path, names.plain(path.name)))]
    if path.suffix.lower() != ZIP:
        return [alone]
    try:
        return _found_in_zip(path) or [alone]
    except Problem as problem:
        return [replace(alone, problem=problem)]


def _found_in_folder(path: Path) -> list[_Found]:
    below, closed = _files_below(path)
    files = [File(name, functools.partial(content_of, path / name, names.plain(name))) for name in below]
    student = "" if path.name == EXERCISES else names.label(path.name, "")
    alone = _Found(_wishes(path, path.name), path, student, files=files, problem=closed.get(""))
    return [alone] if is_laid_out(files) else _class_in(path, _without_wrapper(files), closed) or [alone]


def _found_in_zip(path: Path) -> list[_Found]:
    """The submissions of a class; none where the zip file is one submission."""
    opened = Archive(path, path.name)
    members = [member for member in opened.members if member.defect or not member.name.endswith("/")]
    files = [File(member.name, functools.partial(opened.read, member), member) for member in members]
    whole = [file for file in files if _is_broken(file) or not archive.is_clutter(_parts(file))]
    unwrapped = _without_wrapper(_without_wrapper(whole))
    found = [] if is_laid_out(unwrapped) else _class_in(path, unwrapped, {})
    if not found:
        opened.close()
    return found


def _files_below(path: Path) -> tuple[list[str], dict[str, Problem]]:
    """The files in a folder, and by the first folder on the way what cannot be read; links are not followed."""
    found: list[str] = []
    closed: dict[str, Problem] = {}

    def note(error: OSError) -> None:
        inner = Path(error.filename).relative_to(path).parts
        shown = names.plain("/".join(inner) or path.name)
        closed["".join(inner[:1])] = Problem(f"{shown} cannot be read ({error.strerror}).", "Check its permissions.")

    for folder, inner, files in os.walk(path, onerror=note):
        inner[:] = sorted(name for name in inner if not archive.is_clutter([name]))
        here = Path(folder)
        kept = (here / name for name in sorted(files) if not archive.is_clutter([name]))
        found += [file.relative_to(path).as_posix() for file in kept if not file.is_symlink()]
    return found, closed


# --- a class ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Claim:
    """Whose a file of a class is: `key` is equal for what one submission has, `path` is the file's place in it."""

    key: str
    path: str
    wish: str
    student: str
    submitted: str = ""
    number: int = 0
    late: bool = False
    loose: bool = True
    certain: bool = True  # a platform says so; what else lies about need not be a submission


def _class_in(path: Path, files: Sequence[File], closed: Mapping[str, Problem]) -> list[_Found]:
    """The submissions in a folder or zip file of a class; those folders in it that cannot be read have a problem."""
    told = _gradescope(files)
    found: dict[str, _Found] = {}
    certain = set(closed)
    for top, problem in closed.items():
        found[top] = _Found(_wishes(path / top, top), path / top, names.label(top, ""), problem=problem)
    for file in files:
        claim = _claim(_parts(file) or [path.stem], told)
        if claim.key not in found:
            wishes = _wishes(path / claim.key, claim.wish)
            found[claim.key] = _Found(wishes, path, claim.student, claim.submitted, loose=claim.loose)
        one = found[claim.key]
        one.files.append(replace(file, path=claim.path, number=claim.number))
        if claim.late and LATE_NOTE not in one.notes:
            one.notes.append(LATE_NOTE)
        if claim.certain or _is_broken(file) or claim.path.lower().endswith((*SINGLE, ZIP, *FOREIGN)):
            certain.add(claim.key)
    return sorted((one for key, one in found.items() if key in certain), key=lambda one: one.wishes)


def _claim(parts: Sequence[str], told: Mapping[str, _Claim]) -> _Claim:
    top, below = parts[0], "/".join(parts[1:])
    if below and top in told:
        return replace(told[top], path=below)
    moodle, canvas = names.moodle_owner(top), None if below else names.canvas_owner(top)
    if moodle is not None:
        return _Claim(moodle.label, below or moodle.file or top, moodle.wish, moodle.label)
    if canvas is not None:
        stem, dot, suffix = canvas.file.rpartition(".")
        own = names.without_copy_mark(stem) + dot + suffix
        return _Claim(canvas.label, own, canvas.wish, canvas.label, number=canvas.number, late=canvas.late)
    if below:
        return _Claim(top, below, top, names.label(top, ""), loose=False, certain=False)
    stem = Path(top).stem
    return _Claim(top, top, stem, names.label(stem, ""), certain=False)


def _gradescope(files: Sequence[File]) -> dict[str, _Claim]:
    """What Gradescope's metadata says of each folder, if there are any.

    The file is its own: "submission_1: {:submitters: [{:name: …, :sid: …, :email: …}], :created_at: …}", in YAML.
    """
    metadata = next((file for file in files if file.path == METADATA), None)
    if metadata is None:
        return {}
    import yaml  # for classes only: no student's check needs it

    try:
        loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
        table = yaml.load(metadata.read(MAX_METADATA), Loader=loader)
        return {folder: _told(folder, entry) for folder, entry in table.items()}
    except (yaml.YAMLError, UnicodeError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        reason = type(error).__name__
        raise Problem(
            f"{METADATA} is not as Gradescope writes it ({reason}).",
            "Export the submissions again, or delete it and grade without names and times.",
        ) from None


def _told(folder: str, entry: Mapping[str, Any]) -> _Claim:
    members = [
        (str(one[":name"]), str(one.get(":sid") or one.get(":email") or "")) for one in entry[":submitters"] or []
    ]
    student = names.TOGETHER.join(names.label(*member) for member in members)
    wish = names.TOGETHER.join(names.joined(*member) for member in members) or folder
    time = entry.get(":created_at")
    submitted = ""
    if isinstance(time, datetime):
        submitted = time.replace(tzinfo=time.tzinfo or UTC).astimezone(UTC).isoformat(timespec="seconds")
    return _Claim(folder, "", wish, student, submitted)


def _without_wrapper(files: Sequence[File]) -> Sequence[File]:
    """The files without the folder around all of them, unless it is a student's."""
    tops = {file.path.partition("/")[0] for file in files}
    if len(tops) != 1 or not all("/" in file.path for file in files) or names.moodle_owner(*tops):
        return files
    inner = [replace(file, path=file.path.partition("/")[2]) for file in files]
    return files if is_laid_out(inner) and not inner[0].member else inner


def _parts(file: File) -> list[str]:
    """The folders and the name of a file, also where these lead elsewhere and will be refused."""
    return [part for part in file.path.split("/") if part not in ("", ".", "..")]


def _is_broken(file: File) -> bool:
    return bool(file.member and file.member.defect)


def _wishes(path: Path, wish: str) -> list[str]:
    """Names for what lies at a path: as wished, then with as many parent folders as it takes."""
    above = path.parent.parts[1:]
    return ["-".join([*above[len(above) - depth :], wish]) for depth in range(min(4, len(above)) + 1)] + [str(path)]

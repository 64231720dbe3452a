"""What a class handed in: folders, modules, notebooks and zip files, as a learning platform hands them out.

What is found
-------------
- a folder laid out like `exercises/`, or with that folder in it, is one submission; so is a zip file of one, where it
  may lie below two more folders (as in a download from a repository), and so are a module and a notebook;
- any other folder or zip file is a class, where it is the only path: each folder, zip file, module and notebook in it
  is a submission, and what is named as Moodle or Canvas names it belongs to the student in its name;
- of several paths each is one submission, as everything in a class is: `class/*.zip` is what students handed in;
- a zip file that a student handed in is opened, one in it is not.

What is trusted
---------------
Who handed in is told by the platform: by the names of Moodle's and Canvas's downloads, and by Gradescope's
`submission_metadata.yml`. Both count at the top of a class only: a student can write them into a folder or a zip file
of their own. (So nothing tells a student's zip file from a class's where it is the only path; and a platform that lets
students choose their names lets them choose one of this form, which is for the platform to prevent.) Of Gradescope's
export the top is in the folder that Gradescope puts around it. When it was handed in is told by Gradescope
alone: the members of Moodle's and Canvas's downloads carry the time of the download. That Canvas has marked something
late is noted. The dates of a student's own files are never looked at: their owner sets them. Times that the platform
shows in other places go into the late policy.
"""

from __future__ import annotations

import functools
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from grader import catalogue
from grader.classroom import archive, names
from grader.classroom.archive import Archive
from grader.classroom.parcel import EXERCISES, FOREIGN, ZIP, File, Parcel, is_laid_out
from grader.problem import Problem
from grader.submission import SINGLE, Submission, content_of

METADATA = "submission_metadata.yml"
MAX_METADATA = 256 << 20
MAX_GROUP = 100  # members
_EXPORT = re.compile(r"assignment_\d+_export")  # the folder that Gradescope puts around a class
_WRAPPERS = 2  # folders that may lie around what is in a zip file
_SEVERAL, _WRAPPED = "it was given with other paths", "a folder lies around it"
_GIVE_CLASS = "Give the class itself, as the only path."
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
    doubt : it looks like a class; why it is one submission all the same
    """

    name: str
    student: str
    submitted: str
    path: Path | None
    problem: Problem | None = None
    doubt: str = ""
    parcel: Parcel = field(default=Parcel([]), repr=False)

    def read(self) -> Submission:
        """What was handed in; raises Problem where it cannot be read."""
        if self.problem is not None:
            raise self.problem
        try:
            return self.parcel.open(self.name)
        except Problem as problem:
            if not self.doubt:
                raise
            raise Problem(f"{problem.defect} It looks like a class, but {self.doubt}.", _GIVE_CLASS) from None


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
    doubt: str = ""

    def named(self, name: str) -> Handin:
        parcel = Parcel(self.files, self.loose, self.notes)
        return Handin(name, self.student, self.submitted, self.path, self.problem, self.doubt, parcel)


def find(paths: Sequence[Path]) -> list[Handin]:
    """Find the submissions in these folders and files, in this order; the same path counts once.

    Whatever is wrong with one of them is its own `problem`, or raised by its `read`.

    Raises
    ------
    Problem : Gradescope's metadata of a class cannot be read
    """
    given = list(dict.fromkeys(path.resolve() for path in paths))
    found = [one for path in given for one in _found_in(path, only=len(given) == 1)]
    return [one.named(name) for one, name in zip(found, names.distinct([one.wishes for one in found]), strict=True)]


def _found_in(path: Path, only: bool) -> list[_Found]:
    """The submissions at a path, which may be a class where it is the only one."""
    if path.is_dir():
        return _found_in_folder(path, only)
    alone = _alone(path)
    if not path.exists():
        problem = Problem(
            f"There is no submission at {names.plain(str(path))}.", "Give a folder, a .py, an .ipynb or a .zip file."
        )
        return [replace(alone, problem=problem)]
    alone.files = [File(path.name, functools.partial(content_of, path, names.plain(path.name)))]
    if path.suffix.lower() != ZIP:
        return [alone]
    try:
        return _found_in_zip(alone, only)
    except Problem as problem:
        return [replace(alone, problem=problem)]


def _alone(path: Path) -> _Found:
    """The submission of one file. One called after its chapter is named by its folder too, and tells nobody's name."""
    wishes = _wishes(path, path.stem)
    if path.stem not in {catalogue.last_part(chapter) for chapter in catalogue.chapters()}:
        return _Found(wishes, path, names.label(path.stem, ""), loose=True)
    telling = 2 if path.parent.name == EXERCISES else 1
    return _Found(wishes[min(telling, len(wishes) - 1) :], path, loose=True)


def _found_in_folder(path: Path, only: bool) -> list[_Found]:
    below, closed = _files_below(path)
    files = [File(name, functools.partial(content_of, path / name, names.plain(name))) for name in below]
    student = "" if path.name == EXERCISES else names.label(path.name, "")
    alone = _Found(_wishes(path, path.name), path, student, files=files, problem=closed.get(""))
    return [alone] if is_laid_out(files) else _one_or_class(alone, _without_wrappers(files, 0), closed, only)


def _found_in_zip(alone: _Found, only: bool) -> list[_Found]:
    opened = Archive(alone.path, alone.path.name)
    members = [member for member in opened.members if member.defect or not member.name.endswith("/")]
    files = [File(member.name, functools.partial(opened.read, member), member) for member in members]
    whole = [file for file in files if _is_broken(file) or not archive.is_clutter(_parts(file))]
    inner = _without_wrappers(whole, _WRAPPERS)
    found = [alone] if is_laid_out(inner) else _one_or_class(alone, inner, {}, only)
    if found[0] is alone:
        opened.close()
    return found


def _one_or_class(alone: _Found, files: Sequence[File], closed: Mapping[str, Problem], only: bool) -> list[_Found]:
    """What is not laid out is a class, where it is the only path; else it is one submission."""
    if not only:  # a folder in it that cannot be read is missing from it
        alone.problem = next(iter(closed.values()), None)
        _doubt(alone, files, _SEVERAL)
        return [alone]
    found = _class_in(alone.path, files, closed) or [alone]
    top, inner = _wrapper(files)
    if len(found) == 1 and top and not names.moodle_owner(top):
        _doubt(found[0], inner, _WRAPPED)
    return found


def _doubt(one: _Found, files: Sequence[File], why: str) -> None:
    """Tell of a submission that looks like a class why it is none; several people's work is not graded as one's."""
    levels = [files]
    while len(levels) <= _WRAPPERS and (wrapped := _wrapper(levels[-1]))[0]:
        levels.append(wrapped[1])
    code = [file for file in levels[-1] if file.path.lower().endswith((*SINGLE, ZIP))]
    several = len({_claim(_parts(file) or [""], {}).key for file in code}) > 1
    one.doubt = why if several else ""
    if not any(map(_is_export, levels)):
        return
    if several:
        shown = names.plain(one.wishes[0])
        one.problem = one.problem or Problem(f"{shown} looks like a class, but {why}.", _GIVE_CLASS)
    else:
        one.notes.append(f"It looks like a platform's export, but {why}: it is graded as one submission. {_GIVE_CLASS}")


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

    class Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
        """Without merge keys, which copy what they name: few lines of them would fill the memory."""

        def flatten_mapping(self, node: yaml.MappingNode) -> None:
            pass

    try:
        table = yaml.load(metadata.read(MAX_METADATA), Loader=Loader)
        return {folder: _told(folder, entry) for folder, entry in table.items()}
    except (yaml.YAMLError, UnicodeError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        reason = type(error).__name__
        raise Problem(
            f"{METADATA} is not as Gradescope writes it ({reason}).",
            "Export the submissions again, or delete it and grade without names and times.",
        ) from None


def _told(folder: str, entry: Mapping[str, Any]) -> _Claim:
    members = [(_text(one[":name"]), _text(one.get(":sid") or one.get(":email") or "")) for one in _members(entry)]
    student = names.TOGETHER.join(names.label(*member) for member in members)
    wish = names.TOGETHER.join(names.joined(*member) for member in members) or folder
    time = entry.get(":created_at")
    submitted = ""
    if isinstance(time, datetime):
        submitted = time.replace(tzinfo=time.tzinfo or UTC).astimezone(UTC).isoformat(timespec="seconds")
    return _Claim(folder, "", wish, student, submitted)


def _members(entry: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    members = entry[":submitters"] or []
    if len(members) > MAX_GROUP:
        raise ValueError
    return members


def _text(value: object) -> str:
    """A text of the metadata; nothing else is made one, for a list that names itself over and over has no end."""
    if not isinstance(value, str):
        raise TypeError
    return value


def _is_export(files: Iterable[File]) -> bool:
    """Whether names or metadata stand at the top that would count if a platform had written them."""
    for file in files:
        top, _, below = file.path.partition("/")
        if METADATA in (file.path, below if _EXPORT.fullmatch(top) else "") or names.moodle_owner(top):
            return True
        if not below and top.lower().endswith((*SINGLE, ZIP)) and names.canvas_owner(top):
            return True
    return False


def _wrapper(files: Sequence[File]) -> tuple[str, Sequence[File]]:
    """The folder around all of these files and the files in it; "" and the files where there is none."""
    tops = {file.path.partition("/")[0] for file in files}
    if len(tops) != 1 or not all("/" in file.path for file in files):
        return "", files
    return tops.pop(), [replace(file, path=file.path.partition("/")[2]) for file in files]


def _without_wrappers(files: Sequence[File], most: int) -> Sequence[File]:
    """The files without at most so many folders around all of them, or without Gradescope's own.

    A folder around a platform's names or metadata stays: a student could have made both.
    """
    top, inner = _wrapper(files)
    if _EXPORT.fullmatch(top) and any(file.path == METADATA for file in inner):
        return inner
    for _ in range(most):
        top, inner = _wrapper(files)
        if not top or names.moodle_owner(top) or (_is_export(inner) and not is_laid_out(inner)):
            break
        files = inner
    return files


def _parts(file: File) -> list[str]:
    """The folders and the name of a file, also where these lead elsewhere and will be refused."""
    return [part for part in file.path.split("/") if part not in ("", ".", "..")]


def _is_broken(file: File) -> bool:
    return bool(file.member and file.member.defect)


def _wishes(path: Path, wish: str) -> list[str]:
    """Names for what lies at a path: as wished, then with as many parent folders as it takes."""
    above = path.parent.parts[1:]
    return ["-".join([*above[len(above) - depth :], wish]) for depth in range(min(4, len(above)) + 1)] + [str(path)]

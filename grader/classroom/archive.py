"""Zip files from students, read in memory: every member is checked before it is read, and nothing is ever unpacked to
disk.

A member is refused for what its name would do elsewhere (absolute, `..`, a drive, a device of Windows, control
characters), for what it is (a link, a device, encrypted, compressed in a way that no common tool uses), and for what it
would cost (one of too many, too large, a bomb). Sizes are those declared, and while reading nothing goes beyond them.
"""

from __future__ import annotations

import contextlib
import io
import re
import stat
import threading
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from grader.classroom import names
from grader.problem import Problem
from grader.submission import too_large

MAX_MEMBERS = 10_000  # of one submission
MAX_PACKED = 16 << 20  # bytes of a submission's own zip file: of what is larger, the list alone takes too long
MAX_UNPACKED = 512 << 20  # bytes that all its members declare
MAX_RATIO = 200  # of these two, where it unpacks to more than MAX_HARMLESS; text reaches 20
MAX_HARMLESS = 16 << 20
MAX_NAME = 255  # letters of a file's or folder's name
MAX_PATH = 1024  # bytes of a member's whole name: macOS has none longer, and Unicode makes long ones slow to compose
UTF8_NAME, ENCRYPTED = 0x800, 0x1  # bits of a member's flags
CLUTTER = re.compile(
    r"\.(?!\.?$)|__|(venv|env|node_modules|site-packages)$"
)  # begins a name that no submission's code has
_DRIVE = re.compile(r"[A-Za-z]:")
_READABLE = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_PLAIN_KINDS = (0, stat.S_IFREG, stat.S_IFDIR)  # 0: written where there are no such kinds
HAND_IN_AGAIN = "Make a zip file of the exercises folder alone, and hand that in."


@dataclass(frozen=True)
class Member:
    """One member: its name with `/` between the folders, and what is wrong with it, if anything."""

    name: str
    info: zipfile.ZipInfo
    defect: str = ""

    @property
    def parts(self) -> list[str]:
        return self.name.split("/")


class Archive:
    """A zip file whose members can be listed and read.

    Parameters
    ----------
    source : its path, or its bytes where it lies in another
    shown : what messages call it
    most : members that it may have; None where it is a whole class's

    Raises
    ------
    Problem : it cannot be read, is no zip file, or has too many members
    """

    def __init__(self, source: Path | bytes, shown: str, most: int | None = None):
        self.shown = shown
        self._lock = threading.Lock()
        try:
            self._zip = zipfile.ZipFile(io.BytesIO(source) if isinstance(source, bytes) else source)
        except OSError as error:
            raise Problem(f"{shown} cannot be read ({error.strerror}).", "Check its permissions.") from None
        except (zipfile.BadZipFile, ValueError, NotImplementedError, EOFError, MemoryError, OverflowError):
            raise Problem(f"{shown} is no zip file, or a damaged one.", HAND_IN_AGAIN) from None
        if most is not None and len(self._zip.infolist()) > most:
            raise _too_many(shown)
        self.members = [_member(info) for info in self._zip.infolist()]

    def read(self, member: Member, most: int) -> bytes:
        """The content of a member.

        Raises
        ------
        Problem : larger than `most` bytes, refused, or damaged
        """
        if member.defect:
            raise Problem(f"{self.shown} {member.defect}.", HAND_IN_AGAIN)
        if member.info.file_size > most:
            raise too_large(f"{_quoted(member.name)} in {self.shown}", member.name, most)
        try:
            with self._lock, self._zip.open(member.info) as file:
                return file.read(most + 1)
        except (OSError, RuntimeError, ValueError, EOFError, zlib.error, zipfile.BadZipFile, MemoryError):
            raise Problem(f"{_quoted(member.name)} in {self.shown} is damaged.", HAND_IN_AGAIN) from None

    def close(self) -> None:
        self._zip.close()


def check(members: Iterable[Member], shown: str) -> None:
    """Look over all that one submission has in a zip file.

    Raises
    ------
    Problem : a member is refused, two have one name, or all together are too many or too large
    """
    found = list(members)
    for member in found:
        if member.defect:
            raise Problem(f"{shown} {member.defect}.", HAND_IN_AGAIN)
    counted = Counter(names.folded(member.name.rstrip("/")) for member in found)
    twice = next((member for member in found if counted[names.folded(member.name.rstrip("/"))] > 1), None)
    if twice is not None:
        raise Problem(f"{shown} has two members called {_quoted(twice.name)}.", HAND_IN_AGAIN)
    if len(found) > MAX_MEMBERS:
        raise _too_many(shown)
    packed = sum(member.info.compress_size for member in found)
    unpacked = sum(member.info.file_size for member in found)
    if unpacked > MAX_UNPACKED or (unpacked > MAX_HARMLESS and unpacked > MAX_RATIO * packed):
        raise Problem(f"{shown} would unpack to {unpacked >> 20} MB from {packed >> 10} KB.", HAND_IN_AGAIN)


def is_clutter(parts: Iterable[str]) -> bool:
    """Whether a path leads through hidden files, caches or somebody else's packages, which are passed over."""
    return any(CLUTTER.match(part) for part in parts)


def _too_many(shown: str) -> Problem:
    return Problem(f"{shown} has more than {MAX_MEMBERS} members.", HAND_IN_AGAIN)


def _member(info: zipfile.ZipInfo) -> Member:
    if _is_too_long(info):
        name = _name(info.orig_filename[:MAX_NAME], info)
        return Member(name, info, f"has a member whose name is longer than {MAX_PATH} bytes, {_quoted(name)}")
    name = _name(info.orig_filename, info)
    return Member(name, info, _defect(name, info))


def _is_too_long(info: zipfile.ZipInfo) -> bool:
    """Whether the name, as the archive has it, is longer than any disk's."""
    encoding = "utf-8" if info.flag_bits & UTF8_NAME else "cp437"
    return len(info.orig_filename.encode(encoding, errors="replace")) > MAX_PATH


def _name(name: str, info: zipfile.ZipInfo) -> str:
    """A member's name. Where nothing says how it is encoded, UTF-8 is tried before the format's old code page 437."""
    if not info.flag_bits & UTF8_NAME:
        with contextlib.suppress(UnicodeError):
            name = name.encode("cp437").decode("utf-8")
    name = name.replace("\\", "/")  # some tools on Windows write their own separator
    return names.composed(name.removeprefix("./"))


def _defect(name: str, info: zipfile.ZipInfo) -> str:
    """What is wrong with a member, as the end of a sentence on the archive."""
    told = _quoted(name)
    parts = name.removesuffix("/").split("/")
    if not name or name.startswith("/") or _DRIVE.match(name) or ".." in parts:
        return f"has a member that leads out of it, {told}"
    if names.has_control(name):
        return f"has a member with control characters in its name, {told}"
    if is_clutter(parts):
        return ""
    if any(part in ("", ".") or len(part) > MAX_NAME or part != part.rstrip(" .") for part in parts):
        return f"has a member whose name not every disk can hold, {told}"
    if any(names.is_device(part) for part in parts):
        return f"has a member with a name that Windows keeps for a device, {told}"
    if stat.S_IFMT(info.external_attr >> 16) not in _PLAIN_KINDS:
        return f"has a member that is no ordinary file, {told}"
    if info.flag_bits & ENCRYPTED:
        return f"is encrypted ({told})"
    if info.compress_type not in _READABLE:
        return f"has a member that is compressed in an unusual way, {told}"
    return ""


def _quoted(name: str) -> str:
    """A name as a message shows it: short, and without what a terminal obeys."""
    shown = names.plain(name)
    return repr(shown if len(shown) <= 80 else f"{shown[:60]}…{shown[-16:]}")

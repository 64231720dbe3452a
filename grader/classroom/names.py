"""Names of people and files: safe on every platform, and taken apart where a learning platform put them together."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

LONGEST = 100  # bytes of a name in UTF-8: ".json" and a temporary name's letters still fit into the 255 of a file name
CUT_MARK = 8  # hexadecimal digits that tell apart what was cut or would clash
TOGETHER = " + "  # between the members of a group
# What makes a reader see other letters than there are.
_REORDERING = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
_JOINERS = "\u200c\u200d"  # belong to the spelling of names in some scripts
_UNSHOWN = ("Cc", "Cs", "Cn", "Co")  # controls, halves of letters, and what no font need have
_NO_FILE_NAME = re.compile(r'[<>:"/\\|?*]')
_DEVICE = re.compile(r"(con|prn|aux|nul|conin\$|conout\$|(com|lpt)[0-9¹²³])\s*(\.|$)", re.IGNORECASE)
_LABEL = re.compile(r"(?P<name>.*?) ?\((?P<identifier>[^()]*)\)")

# As the platforms' own code writes them: Moodle's mod/assign/classes/downloader.php ("Ada Lovelace_123_assignsubmission
# _file_", as a folder or in front of the file's name; a group has its name and number there, the default group no
# number), and Canvas's lib/content_zipper.rb (the sortable name without anything but letters, LATE, the user's number,
# the attachment's number; where students are anonymous, "anon_" and five characters).
_MOODLE = re.compile(r"(?P<name>[^/]+?)(_(?P<identifier>\d+))?_assignsubmission_[a-z0-9]+(_(?P<file>[^/]*))?")
_CANVAS = re.compile(
    r"((?!LATE_)(?P<name>\w+?)_)?(?P<late>LATE_)?(?P<identifier>\d+|anon_[0-9A-Za-z]+)_(?P<number>\d+)_(?P<file>[^/]+)"
)
_COPY = re.compile(r"(?<=.)(-\d{1,3}| ?\(\d{1,3}\))$")  # Canvas names the second of a name so, and so do browsers


@dataclass(frozen=True)
class Owner:
    """Whom a platform's download says that a file belongs to.

    Parameters
    ----------
    name : as the platform writes it; empty where it keeps students anonymous
    identifier : the platform's own number of the student
    file : the file's own name; empty where a whole folder is meant
    number : grows with every upload, where the platform counts them
    late : the platform has marked it late
    """

    name: str
    identifier: str
    file: str = ""
    number: int = 0
    late: bool = False

    @property
    def label(self) -> str:
        """What reports call the student."""
        return label(self.name, self.identifier)

    @property
    def wish(self) -> str:
        """What the submission would be called."""
        return joined(self.name, self.identifier)


def moodle_owner(name: str) -> Owner | None:
    """The owner in the name of a folder or a file of Moodle's download; None where it is none of Moodle's."""
    found = _MOODLE.fullmatch(name)
    return Owner(found["name"], found["identifier"] or "", found["file"] or "") if found else None


def canvas_owner(name: str) -> Owner | None:
    """The owner in the name of a file of Canvas's download; None where it is none of Canvas's."""
    found = _CANVAS.fullmatch(name)
    if not found:
        return None
    return Owner(found["name"] or "", found["identifier"], found["file"], int(found["number"]), bool(found["late"]))


def without_copy_mark(stem: str) -> str:
    """A file's stem without the "-1" or "(1)" that tells it from an earlier upload of its name."""
    return _COPY.sub("", stem)


def label(name: str, identifier: str) -> str:
    """Who it is, for people and for gradebooks: "Ada Lovelace (123)". `parts` takes it apart again."""
    name = plain(name).replace(TOGETHER, " & ")
    if not identifier:  # nobody's chosen name may pass for a number
        return name.replace("(", "[").replace(")", "]")
    return f"{name} ({plain(identifier)})".strip()


def joined(name: str, identifier: str) -> str:
    """The same for a file's name, "Ada Lovelace_123"."""
    return "_".join(filter(None, (name, identifier)))


def parts(student: str) -> list[tuple[str, str]]:
    """The name and the platform's number of each member of a group, of one member mostly."""
    found = [(member, _LABEL.fullmatch(member)) for member in student.split(TOGETHER)]
    return [(match["name"], match["identifier"]) if match else (member, "") for member, match in found]


def safe(text: str) -> str:
    """The text as a file's name, on Linux, macOS and Windows alike; not yet one that no other text has."""
    name = _NO_FILE_NAME.sub("_", plain(text)).strip(" .").lstrip("-~") or "submission"
    name = f"_{name}" if _DEVICE.match(name) else name
    if len(name.encode()) <= LONGEST:
        return name
    return f"{name.encode()[: LONGEST - CUT_MARK - 1].decode(errors='ignore').rstrip(' .')}-{_mark(text)}"


def distinct(candidates: Sequence[Sequence[str]]) -> list[str]:
    """A safe name for each, the first of its candidates that no other has: some disks do not tell Alice from alice.

    The last candidate is the one that cannot be shared, e.g. a whole path; of it only a digest is shown.
    """
    choices = [[*map(safe, texts[:-1]), safe(f"{texts[0][: LONGEST // 4]}-{_mark(texts[-1])}")] for texts in candidates]
    while True:
        counted = Counter(folded(texts[0]) for texts in choices)
        if len(counted) == len(choices):
            return [texts[0] for texts in choices]
        choices = [texts[1:] if counted[folded(texts[0])] > 1 and len(texts) > 1 else texts for texts in choices]


def plain(text: str) -> str:
    """Composed, in one line, and without what a terminal obeys."""
    if text.isascii() and text.isprintable():
        return " ".join(text.split())
    kinds = [(letter, unicodedata.category(letter)) for letter in composed(text)]
    kept = ("_" if kind in _UNSHOWN else letter for letter, kind in kinds if kind != "Cf" or letter in _JOINERS)
    return " ".join("".join(kept).split())


def composed(text: str) -> str:
    """The one of Unicode's spellings that is compared: macOS writes "e" and an accent where others write "é"."""
    return unicodedata.normalize("NFC", text)


def folded(name: str) -> str:
    """Equal for names that some disk takes for the same."""
    return composed(composed(name).casefold())


def is_device(name: str) -> bool:
    """Whether Windows keeps a file's name for itself."""
    return bool(_DEVICE.match(name))


def has_control(text: str) -> bool:
    """Whether a text holds what a terminal obeys, or what makes a reader see other letters than there are."""
    if text.isprintable():
        return False
    return any(unicodedata.category(letter) in ("Cc", "Cs") or letter in _REORDERING for letter in text)


def _mark(text: str) -> str:
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()[:CUT_MARK]

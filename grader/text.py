"""Text from a student, made harmless: nothing in it acts on a terminal, a page, a spreadsheet or an XML parser."""

from __future__ import annotations

import datetime
import re

from grader.result import Record

LONGEST = 2000  # characters of one message
OUTPUT_LINES = 8
_TERMINAL = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[ -/]*[0-~])")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_DIRECTION = re.compile(r"[\u202a-\u202e\u2066-\u2069]")  # a line reads in another order with them
_UNWRITABLE = re.compile(r"[\ud800-\udfff\ufffe\uffff]")  # no UTF-8, or no XML


def harmless(text: str) -> str:
    """The same without terminal escapes and control characters but tab and line feed; what turns a line is shown."""
    if text.isprintable():  # most is, and a class has hundreds of thousands of these
        return text
    text = _CONTROL.sub("", _TERMINAL.sub("", text))
    return _UNWRITABLE.sub("\ufffd", _DIRECTION.sub(lambda found: f"[U+{ord(found[0]):04X}]", text))


def one_line(text: str, longest: int = LONGEST) -> str:
    """Harmless, in one line, and not longer than that."""
    line = " ".join(harmless(text).split())
    return line if len(line) <= longest else line[: longest - 1] + "…"


def counted(count: int, noun: str) -> str:
    """So many of a thing: "1 record", "2 records"."""
    return f"{count} {noun}{'' if count == 1 else 's'}"


def printed(text: str) -> str:
    """The first lines of what a student printed."""
    lines = harmless(text).strip().splitlines()[:OUTPUT_LINES]
    return "\n".join(lines)[:LONGEST]


def who(record: Record) -> str:
    """Whose record it is: the student, where that is known, else the submission's name."""
    return one_line(record.student, 100) or one_line(record.submission, 100) or "(no name)"


def when(record: Record) -> datetime.datetime | None:
    """When it was handed in, where that is known; a moment without an offset is taken as UTC."""
    try:
        moment = datetime.datetime.fromisoformat(record.submitted)
        moment = moment if moment.tzinfo else moment.replace(tzinfo=datetime.UTC)
        moment.astimezone(datetime.UTC)
    except (ValueError, OverflowError):  # the latter at both ends of the calendar
        return None
    return moment

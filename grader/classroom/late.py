"""What being late costs: a deadline, a grace, a share of the score per day, a cap, and extensions.

The policy is a small TOML file::

    deadline = 2026-11-20T23:59:59            # or with an offset: 2026-11-20T23:59:59+01:00
    timezone = "Europe/Berlin"                # for every time here that has no offset
    grace_minutes = 15                        # late by less than this is not late
    per_day = 0.1                             # the share of the score that each day costs, counted by the second
    cap = 0.5                                 # never more than this

    [extensions]                              # a later deadline, or so many days more (of 24 hours)
    "Ada Lovelace" = 2026-11-27T23:59:59
    "123456" = 3

    [submitted]                               # when it was handed in, where the platform's download does not tell
    "Bob Noyce" = 2026-11-21T08:30:00

Students are named as in the results: by the whole text, the name alone, or the platform's number. The time in
`[submitted]` goes before the one that came with the submission. An extension that ends before the deadline is none.
"""

from __future__ import annotations

import math
import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from grader.classroom import names
from grader.problem import Problem
from grader.text import counted

DAY = timedelta(days=1)
MINUTES_OF_A_YEAR = 365 * 24 * 60
KEYS = ("deadline", "timezone", "grace_minutes", "per_day", "cap", "extensions", "submitted")
UNKNOWN = "When it was handed in is not known, so nothing was taken off."
HANDED_IN = "Handed in"  # so begins every other note, with the year behind it
FEW = 5


@dataclass(frozen=True)
class Policy:
    """What being late costs.

    Parameters
    ----------
    deadline : with its offset from UTC; an extension moves it for one student
    grace : late by no more than this costs nothing; by more, it counts from the deadline
    per_day : the share of the score that 24 hours cost; a part of a day costs its part
    cap : the largest share that being late can cost
    extensions : student -> their own deadline
    submitted : student -> when they handed in, where it is known better than from the submission
    zone : what times are shown in
    """

    deadline: datetime
    grace: timedelta = timedelta()
    per_day: float = 0.0
    cap: float = 1.0
    extensions: Mapping[str, datetime] = field(default_factory=dict)
    submitted: Mapping[str, datetime] = field(default_factory=dict)
    zone: tzinfo = UTC

    def penalty(self, student: str, submitted: str) -> tuple[float, str]:
        """The share of the score that is lost, and why, in a sentence for the student.

        Parameters
        ----------
        student : as in the record; of a group, the latest extension counts
        submitted : ISO 8601 with an offset from UTC; "" where it is not known, which costs nothing
        """
        known = _of(self.submitted, student)
        at = known[0] if known else _time_of(submitted)
        if at is None:
            return 0.0, UNKNOWN
        deadline = max([self.deadline, *_of(self.extensions, student)])
        late = at - deadline  # between times with offsets: a change of the clocks makes no hour longer
        if late <= timedelta():
            return 0.0, f"{HANDED_IN} {self._shown(at)}, in time."
        if late <= self.grace:
            return 0.0, f"{HANDED_IN} {self._shown(at)}, {_length(late)} late: within the grace, nothing was taken off."
        lost = min(self.cap, self.per_day * (late / DAY))
        return lost, f"{HANDED_IN} {self._shown(at)}, {_length(late)} late: this costs {_percent(lost)} of the score."

    def unused(self, students: Iterable[str]) -> list[str]:
        """The lines under `[extensions]` and `[submitted]` that are about none of these students."""
        known = {_spelt(name) for student in students for name in _names(student)}
        tables = {"extensions": self.extensions, "submitted": self.submitted}
        return [f'{table}."{name}"' for table, lines in tables.items() for name in lines if _spelt(name) not in known]

    def _shown(self, time: datetime) -> str:
        return time.astimezone(self.zone).strftime("%Y-%m-%d %H:%M %Z")


def is_note(text: str) -> bool:
    """Whether a record's note is a policy's, see `penalty`."""
    return text == UNKNOWN or text.startswith(f"{HANDED_IN} 20")


def dropped(count: int) -> str:
    """What to tell where so many records were written by a run with a policy, and now there is none."""
    told = (
        f"Without --late, nothing is taken off any more in {counted(count, 'record')} of an earlier run with a policy."
    )
    return f"{told} Run it again with --late: nothing is judged anew."


def remarks(policy: Policy, students: Iterable[str], records: int, untimed: int) -> list[str]:
    """What to tell where a policy takes off less than it seems to.

    Parameters
    ----------
    students : whose submissions were found
    records : of so many submissions there is one
    untimed : of so many of them the time of hand-in is not known
    """
    found = []
    unused = policy.unused(students)
    if unused:
        shown = ", ".join(unused[:FEW]) + (f" and {len(unused) - FEW} more" if len(unused) > FEW else "")
        found.append(f"The late policy has lines about nobody here: {shown}. Write names as they are in the results.")
    if untimed:
        told = f"{untimed} of {counted(records, 'record')} had nothing taken off: when it was handed in is not known."
        found.append(f"{told} Write the times under [submitted] in the late policy.")
    return found


def read(path: Path) -> Policy:
    """Read a policy from a TOML file.

    Raises
    ------
    Problem : no such file, no TOML, or a value that means nothing; the sentence names it
    """
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise Problem(f"The late policy {path} cannot be read ({error.strerror}).", "Check the path.") from None
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise Problem(f"The late policy {path} is no TOML ({error}).", "Mend that line.") from None
    unknown = sorted(table.keys() - set(KEYS))
    if unknown:
        raise _problem(path, unknown[0], "means nothing", f"Known are {', '.join(KEYS)}.")
    zone = _zone(path, table)
    if "deadline" not in table:
        raise _problem(path, "deadline", "is missing", "Add a line such as deadline = 2026-11-20T23:59:59+01:00.")
    deadline = _moment(path, "deadline", table["deadline"], zone)
    return Policy(
        deadline,
        timedelta(minutes=_number(path, table, "grace_minutes", 0.0, MINUTES_OF_A_YEAR)),
        _number(path, table, "per_day", 0.0, 1.0),
        _number(path, table, "cap", 1.0, 1.0),
        {name: _extension(path, name, value, zone, deadline) for name, value in _entries(path, table, "extensions")},
        {
            name: _moment(path, f"submitted.{name}", value, zone, min)
            for name, value in _entries(path, table, "submitted")
        },
        zone or table["deadline"].tzinfo or UTC,
    )


def _of(table: Mapping[str, datetime], student: str) -> list[datetime]:
    """What a table has for a student, or for the members of a group: found by label, name or number."""
    known = {_spelt(name): value for name, value in table.items()}
    return [known[name] for name in dict.fromkeys(map(_spelt, _names(student))) if name in known]


def _names(student: str) -> list[str]:
    """What a student, or each member of a group, may be called in a policy."""
    wanted = [student, *(text for member in names.parts(student) for text in (names.label(*member), *member))]
    return [text for text in wanted if text]


def _spelt(name: str) -> str:
    return names.folded(names.plain(name))


def _time_of(submitted: str) -> datetime | None:
    try:
        time = datetime.fromisoformat(submitted)
    except ValueError:
        return None
    return time if time.tzinfo else None


def _zone(path: Path, table: Mapping[str, Any]) -> tzinfo | None:
    if "timezone" not in table:
        return None
    try:
        return ZoneInfo(table["timezone"])
    except (ZoneInfoNotFoundError, ValueError, TypeError, AttributeError, OSError):
        raise _problem(path, "timezone", "is no time zone that is known here", 'Write e.g. "Europe/Berlin".') from None


def _moment(path: Path, key: str, value: Any, zone: tzinfo | None, pick: Callable[..., datetime] = max) -> datetime:
    """A date and time with its offset; of an hour that the clocks strike twice, `pick` takes the student's side."""
    if not isinstance(value, datetime):
        raise _problem(path, key, "is no date with a time", "Write e.g. 2026-11-20T23:59:59, without quotes.")
    if value.tzinfo is None and zone is None:
        raise _problem(path, key, "has no time zone", 'Add its offset (+01:00), or timezone = "Europe/Berlin" above.')
    try:
        return pick(value.replace(tzinfo=value.tzinfo or zone, fold=fold).astimezone(UTC) for fold in (0, 1))
    except OverflowError:
        raise _problem(path, key, "is no date that can be", "Check the year.") from None


def _extension(path: Path, name: str, value: Any, zone: tzinfo | None, deadline: datetime) -> datetime:
    if not _is_number(value):
        return _moment(path, f"extensions.{name}", value, zone)
    try:
        return deadline + value * DAY
    except OverflowError:
        raise _problem(path, f"extensions.{name}", "is no number of days that can be", "Mend that line.") from None


def _number(path: Path, table: Mapping[str, Any], key: str, default: float, most: float) -> float:
    value = table.get(key, default)
    if not _is_number(value) or not 0 <= value <= most:
        raise _problem(path, key, f"is no number from 0 to {most:g}", "Mend that line.")
    return float(value)


def _entries(path: Path, table: Mapping[str, Any], key: str) -> list[tuple[str, Any]]:
    entries = table.get(key, {})
    if not isinstance(entries, dict):
        raise _problem(path, key, "is no table", f'Write [{key}], and below it a line per student: "Ada" = …')
    return list(entries.items())


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and not math.isnan(value)


def _problem(path: Path, key: str, defect: str, action: str) -> Problem:
    return Problem(f"The late policy {path}: {key} {defect}.", action)


def _length(late: timedelta) -> str:
    """A length of time in its two largest units, parts of a minute as a whole one."""
    minutes = math.ceil(late / timedelta(minutes=1))
    counts = {"day": minutes // 1440, "hour": minutes // 60 % 24, "minute": minutes % 60}
    words = [counted(count, unit) for unit, count in counts.items() if count]
    return " ".join(words[:2])


def _percent(share: float) -> str:
    return f"{100 * share:.1f}".removesuffix(".0") + "%"

"""What being late costs: the policy's file, and what holds for every policy and every time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from grader.classroom import handin, late
from grader.classroom.late import Policy
from grader.problem import Problem

DEADLINE = datetime(2026, 11, 20, 22, 59, 59, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")

moments = st.datetimes(datetime(2026, 10, 1), datetime(2027, 5, 1), timezones=st.just(UTC))
shares = st.floats(0, 1)
policies = st.builds(
    Policy,
    deadline=moments,
    grace=st.timedeltas(timedelta(), timedelta(days=2)),
    per_day=shares,
    cap=shares,
)


def lost(policy: Policy, at: datetime, student: str = "Ada") -> float:
    return policy.penalty(student, at.isoformat())[0]


def written(tmp_path, text: str) -> Path:
    path = tmp_path / "late.toml"
    path.write_text(text, encoding="utf-8")
    return path


# --- what holds always ------------------------------------------------------------------------------------------------


@given(policies, moments, moments)
def test_later_never_costs_less_and_nothing_costs_more_than_the_cap(policy, one, other):
    earlier, later = sorted((one, other))
    assert 0 <= lost(policy, earlier) <= lost(policy, later) <= policy.cap


@given(policies, moments)
def test_in_time_and_within_the_grace_costs_nothing(policy, at):
    assume(at <= policy.deadline + policy.grace)
    assert lost(policy, at) == 0


@given(policies, moments, moments)
def test_an_extension_never_hurts_and_helps_nobody_else(policy, extension, at):
    extended = Policy(policy.deadline, policy.grace, policy.per_day, policy.cap, {"Ada": extension})
    assert lost(extended, at, "Ada") <= lost(policy, at, "Ada")
    assert lost(extended, at, "Bob") == lost(policy, at, "Bob")
    if at <= extension:
        assert lost(extended, at, "Ada") == 0


@given(policies, moments, st.sampled_from(["Europe/Berlin", "America/New_York", "Asia/Kolkata", "UTC"]))
def test_where_the_clock_hangs_does_not_matter(policy, at, zone):
    assert lost(policy, at.astimezone(ZoneInfo(zone))) == lost(policy, at)


@given(st.floats(0.01, 1), st.integers(1, 47))
def test_a_day_has_24_hours_also_when_the_clocks_are_changed(per_day, hours):
    """In Berlin, 2026-10-25 has 25 hours: late by the same time costs the same as in a week without a change."""
    late_by = timedelta(hours=hours)
    changed, plain = (datetime(2026, 10, day, 12, tzinfo=BERLIN).astimezone(UTC) for day in (24, 14))
    costs = [lost(Policy(deadline, per_day=per_day), deadline + late_by) for deadline in (changed, plain)]
    assert costs[0] == costs[1] == pytest.approx(min(1, per_day * hours / 24))


@given(policies, moments, st.text(max_size=20))
def test_the_sentence_is_one_line_that_ends(policy, at, student):
    for submitted in (at.isoformat(), "", "yesterday", at.replace(tzinfo=None).isoformat()):
        penalty, sentence = policy.penalty(student, submitted)
        assert 0 <= penalty <= 1
        assert sentence.endswith(".")
        assert "\n" not in sentence


# --- examples ---------------------------------------------------------------------------------------------------------

POLICY = Policy(DEADLINE, timedelta(minutes=15), per_day=0.1, cap=0.5, zone=BERLIN)


@pytest.mark.parametrize(
    ("late_by", "penalty", "words"),
    [
        (timedelta(hours=-1), 0, "2026-11-20 22:59 CET, in time."),
        (timedelta(), 0, "in time."),
        (timedelta(minutes=15), 0, "15 minutes late: within the grace, nothing was taken off."),
        (timedelta(hours=12), 0.05, "12 hours late: this costs 5% of the score."),
        (timedelta(days=1, minutes=1), 0.1 * (1 + 1 / 1440), "1 day 1 minute late: this costs 10% of the score."),
        (timedelta(days=40), 0.5, "40 days late: this costs 50% of the score."),
    ],
    ids=str,
)
def test_what_a_student_reads(late_by, penalty, words):
    share, sentence = POLICY.penalty("Ada", (DEADLINE + late_by).isoformat())
    assert share == pytest.approx(penalty)
    assert sentence.startswith("Handed in 20")
    assert sentence.endswith(words)


@pytest.mark.parametrize("submitted", ["", "soon", "2026-12-24T12:00:00"])
def test_a_time_that_is_not_known_costs_nothing_and_says_so(submitted):
    assert POLICY.penalty("Ada", submitted) == (0.0, late.UNKNOWN)


@pytest.mark.parametrize(
    "student", ["Ada Lovelace", "Ada  Lovelace", "Ada Lovelace (7)", "X (123)", "Bob + Ada Lovelace (7)"]
)
def test_a_student_is_found_by_name_by_number_and_in_a_group(student):
    later = DEADLINE + timedelta(days=7)
    policy = Policy(DEADLINE, per_day=0.1, extensions={"ada lovelace": later, "123": later})
    assert lost(policy, later, student) == 0
    assert lost(policy, later, "Eve (7)") == pytest.approx(0.7)


def test_a_line_about_nobody_is_found_whoever_is_meant():
    later = DEADLINE + timedelta(days=7)
    lines = dict.fromkeys(("ada LOVELACE", "123", "Bob Noyce (9)", "Bob Noyse", "124"), later)
    policy = Policy(DEADLINE, extensions=lines, submitted={"Eve": later})
    found = policy.unused(["Ada Lovelace (7) + X (123)", "Bob Noyce (9)", "", "Mallory"])
    assert found == ['extensions."Bob Noyse"', 'extensions."124"', 'submitted."Eve"']


@given(policies, st.one_of(moments.map(datetime.isoformat), st.just("")))
def test_a_policys_notes_are_told_from_others(policy, submitted):
    assert late.is_note(policy.penalty("Ada", submitted)[1])
    assert not late.is_note(handin.LATE_NOTE)


# --- the file ---------------------------------------------------------------------------------------------------------

WHOLE = """
deadline = 2026-11-20T23:59:59
timezone = "Europe/Berlin"
grace_minutes = 15
per_day = 0.1
cap = 0.5

[extensions]
"Ada Lovelace" = 2026-11-27T23:59:59
"123456" = 3

[submitted]
"Bob Noyce" = 2026-11-21T11:59:59
"""


def test_the_whole_file_is_read(tmp_path):
    policy = late.read(written(tmp_path, WHOLE))
    assert (policy.deadline, policy.grace) == (DEADLINE, timedelta(minutes=15))
    assert (policy.per_day, policy.cap) == (0.1, 0.5)
    assert policy.extensions["Ada Lovelace"] == DEADLINE + timedelta(days=7)
    assert policy.extensions["123456"] == DEADLINE + timedelta(days=3)
    assert policy.penalty("Bob Noyce (9)", "2026-11-01T00:00:00+00:00")[0] == pytest.approx(0.05)


def test_the_example_in_the_documentation_is_one(tmp_path):
    example = late.__doc__.split("::\n")[1].split("\n\nStudents")[0]
    policy = late.read(written(tmp_path, "\n".join(line.removeprefix("    ") for line in example.splitlines())))
    assert policy.cap == 0.5


def test_a_deadline_alone_is_a_policy_that_costs_nothing(tmp_path):
    policy = late.read(written(tmp_path, "\ufeffdeadline = 2026-11-20T23:59:59+01:00"))
    assert policy.deadline == DEADLINE
    assert lost(policy, DEADLINE + timedelta(days=9)) == 0


def test_an_hour_that_the_clocks_strike_twice_is_taken_as_the_student_likes_it(tmp_path):
    text = 'timezone = "Europe/Berlin"\ndeadline = 2026-10-25T02:30:00\n[submitted]\nAda = 2026-10-25T02:30:00\n'
    policy = late.read(written(tmp_path, text))
    assert policy.deadline == datetime(2026, 10, 25, 1, 30, tzinfo=UTC)
    assert policy.submitted["Ada"] == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)


BROKEN = {
    "deadline = ": "is no TOML",
    "": "deadline is missing",
    "deadline = 2026-11-20T23:59:59": "deadline has no time zone",
    "deadline = 2026-11-20": "deadline is no date with a time",
    'deadline = "tomorrow"': "deadline is no date with a time",
    "deadline = 0001-01-01T00:00:00+14:00": "deadline is no date that can be",
    'deadline = 2026-11-20T23:59:59\ntimezone = "Middle/Earth"': "timezone is no time zone",
    'deadline = 2026-11-20T23:59:59\ntimezone = "../../etc/passwd"': "timezone is no time zone",
    "deadline = 2026-11-20T23:59:59Z\ntimezone = 1": "timezone is no time zone",
    "deadline = 2026-11-20T23:59:59Z\nper_day = 10": "per_day is no number from 0 to 1",
    "deadline = 2026-11-20T23:59:59Z\nper_day = nan": "per_day is no number",
    "deadline = 2026-11-20T23:59:59Z\ncap = -0.1": "cap is no number from 0 to 1",
    "deadline = 2026-11-20T23:59:59Z\ncap = true": "cap is no number",
    "deadline = 2026-11-20T23:59:59Z\ngrace_minutes = -1": "grace_minutes is no number from 0 to",
    "deadline = 2026-11-20T23:59:59Z\ngrace_minutes = inf": "grace_minutes is no number",
    "deadline = 2026-11-20T23:59:59Z\ngrace_minutes = 1e300": "grace_minutes is no number",
    "deadline = 2026-11-20T23:59:59Z\ngrace = 5": "grace means nothing",
    "deadline = 2026-11-20T23:59:59Z\nextensions = 3": "extensions is no table",
    'deadline = 2026-11-20T23:59:59Z\n[extensions]\nAda = "a week"': "extensions.Ada is no date with a time",
    "deadline = 2026-11-20T23:59:59Z\n[extensions]\nAda = 2026-11-27T00:00:00": "extensions.Ada has no time zone",
    "deadline = 2026-11-20T23:59:59Z\n[extensions]\nAda = 1e300": "extensions.Ada is no number of days",
    "deadline = 2026-11-20T23:59:59Z\n[submitted]\nAda = 3": "submitted.Ada is no date with a time",
}


@pytest.mark.parametrize("text", BROKEN)
def test_a_broken_file_is_told_in_one_line(tmp_path, text):
    with pytest.raises(Problem) as caught:
        late.read(written(tmp_path, text))
    assert BROKEN[text] in caught.value.defect
    assert "late.toml" in caught.value.defect
    assert caught.value.action.endswith((".", "…"))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("content", [None, b"\xff\xfe\x00"])
def test_a_file_that_cannot_be_read_is_told(tmp_path, content):
    path = tmp_path / "late.toml"
    if content:
        path.write_bytes(content)
    with pytest.raises(Problem, match="The late policy"):
        late.read(path)

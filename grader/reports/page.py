"""Pages to read in a browser: one for a class, one for a student. Each is a single file that needs nothing else.

Whatever came from a student is text on them: made harmless, then escaped; and a Content-Security-Policy lets nothing
run or load but the page's own style and its own script, which sorts tables and is not needed to read them.
"""

from __future__ import annotations

import base64
import functools
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import jinja2
from markupsafe import Markup, escape

from grader.classroom.likeness import Pair
from grader.exercise import Chapter
from grader.reports import heatmap, outline, overview, telling
from grader.reports.lectures import lecture_of
from grader.reports.outline import name_of
from grader.reports.shades import OPEN, RIGHT, SHADES, SLOW, Shade, level_of, shade_of
from grader.result import BLOCKED, PASSED, TODO, ExerciseResult, Record, write_atomically
from grader.text import harmless, one_line, printed, when, who

TEMPLATES = Path(__file__).parent / "templates"
NAMED_EXERCISES = 6  # of a pair of similar submissions


@dataclass(frozen=True)
class StudentRow:
    """A student in the table of the class; `shares` has one entry per chapter, None for nothing written there."""

    record: Record
    tried: int
    shares: list[float | None]


@dataclass(frozen=True)
class ChapterMap:
    """A chapter unfolded: a row of cells for everybody who has written something in it."""

    chapter: Chapter
    exercises: list[str]
    share: float
    rows: list[tuple[Record, Markup]]
    idle: int


@dataclass(frozen=True)
class Told:
    """An exercise as its student reads of it; `repeated` is what another one has said in full."""

    result: ExerciseResult
    shade: Shade
    message: str
    case: str
    output: str
    lecture: str
    repeated: bool


@dataclass(frozen=True)
class ToldChapter:
    """A chapter as its student reads of it: what is to be mended, what is right, what is not written yet."""

    chapter: Chapter
    score: float
    points: float
    mend: list[Told]
    right: list[ExerciseResult]
    todo: list[ExerciseResult]


def write_class(
    records: Sequence[Record], pairs: Sequence[Pair], path: Path, links: Mapping[str, str] | None = None
) -> None:
    """Write the page of a class.

    Parameters
    ----------
    records : the class's records
    pairs : similar submissions, the most similar first
    path : where to write it, in one step
    links : where a student's own page lies, relative to this one, by submission

    Raises
    ------
    Problem : it cannot be written
    """
    write_atomically(path, _render("class.html", _class_facts(records, pairs, links or {})))


def write_student(record: Record, path: Path) -> None:
    """Write a student's own page: what they got, why, and what to read. Hidden cases are not on it.

    Raises
    ------
    Problem : it cannot be written
    """
    chapters = list(_told_chapters(record))
    facts = {"record": record, "chapters": chapters, "next_step": _next_step(chapters)}
    write_atomically(path, _render("student.html", facts))


def _class_facts(records: Sequence[Record], pairs: Sequence[Pair], links: Mapping[str, str]) -> dict[str, Any]:
    """What the template of a class's page is given, the best student first."""
    records = sorted(records, key=lambda record: (-record.final_score, who(record).casefold()))
    chapters = outline.exercises_asked(records)
    counts = overview.exercise_counts(records)
    shades = [{result.id: shade_of(result) for result in record.exercises} for record in records]
    told = {
        exercise: f"{name_of(exercise)}: {count.passed} of {count.tried} who tried it passed"
        for exercise, count in counts.items()
    }
    return {
        "records": records,
        "max_score": max((record.max_score for record in records), default=0),
        "figures": overview.figures(records),
        "bins": overview.distribution(records),
        "at_risk": overview.at_risk(records),
        "mistakes": overview.mistakes(records),
        "slowest": overview.slowest(records),
        "chapters": chapters,
        "counts": counts,
        "students": [_student_row(record, chapters) for record in records],
        "late": any(record.penalty for record in records),
        "dated": any(record.submitted for record in records),
        "map": heatmap.draw(records, told),
        "unfolded": [_chapter_map(chapter, own, records, shades, counts) for chapter, own in chapters],
        "pairs": pairs,
        "by_name": {record.submission: record for record in records},
        "links": {submission: quote(link) for submission, link in links.items()},
    }


def _student_row(record: Record, chapters: Sequence[tuple[Chapter, list[str]]]) -> StudentRow:
    shares = overview.chapter_shares(record)
    begun = {outline.module_of(result.id) for result in record.exercises if result.status != TODO}
    by_chapter = [shares.get(chapter.module) if chapter.module in begun else None for chapter, _ in chapters]
    return StudentRow(record, len(record.exercises) - record.count(TODO), by_chapter)


def _chapter_map(
    chapter: Chapter,
    exercises: list[str],
    records: Sequence[Record],
    shades: Sequence[Mapping[str, Shade]],
    counts: Mapping[str, overview.ExerciseCount],
) -> ChapterMap:
    rows = []
    for record, by_exercise in zip(records, shades, strict=True):
        own = [by_exercise.get(exercise, OPEN) for exercise in exercises]
        if any(shade is not OPEN for shade in own):
            rows.append((record, Markup("".join(_CELLS[shade.letter] for shade in own))))
    points = sum(counts[exercise].points for exercise in exercises)
    reached = sum(counts[exercise].share * counts[exercise].points for exercise in exercises)
    return ChapterMap(chapter, exercises, reached / points if points else 0.0, rows, len(records) - len(rows))


def _told_chapters(record: Record) -> Iterable[ToldChapter]:
    for chapter, results in outline.by_chapter(record.exercises):
        mend: list[Told] = []
        for result in results:
            if result.status == TODO or shade_of(result) is RIGHT:
                continue
            case = telling.failing_case(result)
            earlier = [told.result for told in mend]
            mend.append(
                Told(
                    result,
                    shade_of(result),
                    result.message.removeprefix(f"{name_of(result.id)}: "),
                    case.case if case else "",
                    printed(result.output),
                    lecture_of(result.id),
                    telling.repeats(result, earlier),
                )
            )
        yield ToldChapter(
            chapter,
            round(sum(result.score for result in results), 2),
            sum(result.points for result in results),
            mend,
            [result for result in results if result.status == PASSED and result.score >= result.points],
            [result for result in results if result.status == TODO],
        )


def _next_step(chapters: Sequence[ToldChapter]) -> tuple[str, str]:
    """What to do next, as a verb and an exercise's id: mend what has failed before writing what is untouched."""
    mend = [told for chapter in chapters for told in chapter.mend]
    failed = [told.result.id for told in mend if told.shade is not SLOW and told.result.status != BLOCKED]
    untouched = [result.id for chapter in chapters for result in chapter.todo]
    slow = [told.result.id for told in mend if told.shade is SLOW]
    for verb, found in (("Mend", failed), ("Write", untouched), ("Speed up", slow)):
        if found:
            return verb, found[0]
    return "", ""


# Rows of the unfolded map are made of nothing else, so that a page for a thousand students stays small: the most
# frequent cells have no class of their own.
_CELLS = {
    shade.letter: f"<td>{shade.sign}" if shade in (RIGHT, OPEN) else f"<td class={shade.letter}>{shade.sign}"
    for shade in SHADES
}


def _render(template: str, facts: Mapping[str, Any]) -> str:
    return _environment().get_template(template).render(**facts, **_constants())


@functools.cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        finalize=_finalize,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "points": telling.points,
        "percent": lambda share: f"{100 * share:.0f}",
        "seconds": lambda value: f"{value:.1f}",
        "moment": _moment,
        "name": name_of,
        "who": who,
        "line": one_line,
        "level": level_of,
        "breakable": _breakable,
        "coded": _coded,
    }
    return environment


def _finalize(value: Any) -> Any:
    """What every expression of a template passes through before it is escaped."""
    return harmless(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _moment(record: Record) -> str:
    """When it was handed in, as its student's clock had it."""
    moment = when(record)
    return f"{moment:%Y-%m-%d %H:%M}" if moment else one_line(record.submitted, 40)


def _coded(text: str) -> Markup:
    """A sentence in one line; what stands between backticks is code."""
    parts = [escape(part) for part in one_line(text).split("`")]
    closed = len(parts) % 2  # a backtick without its partner stays one
    spans = [Markup("<code>{}</code>").format(part) if place % 2 else part for place, part in enumerate(parts)]
    return Markup("").join(spans) if closed else Markup("`").join(parts)


def _breakable(identifier: str) -> Markup:
    """A long name that may be broken where it has an underscore."""
    return Markup("_<wbr>").join(harmless(identifier).split("_"))


@functools.cache
def _constants() -> dict[str, Any]:
    """What is the same on every page: style, script, and the policy that names both by their hashes."""
    style, script = ((TEMPLATES / name).read_text(encoding="utf-8") for name in ("style.css", "sort.js"))
    policy = {
        "default-src": "'none'",
        "style-src": _hash(style),
        "script-src": _hash(script),
        "base-uri": "'none'",
        "form-action": "'none'",
    }
    return {
        "style": Markup(style),
        "script": Markup(script),
        "policy": Markup("; ".join(f"{name} {value}" for name, value in policy.items())),
        "shades": SHADES,
        "named_exercises": NAMED_EXERCISES,
    }


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"

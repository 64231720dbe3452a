"""Records on a terminal. Whatever came from a student is shown as plain text, without control characters."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterable, Sequence

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from grader.exercise import Chapter, Exercise
from grader.reports import overview
from grader.reports.outline import by_chapter, name_of
from grader.reports.telling import failing_case, repeats
from grader.result import BLOCKED, PASSED, STATUSES, TODO, ExerciseResult, Record
from grader.stopwatch import Timing
from grader.submission import Submission
from grader.text import OUTPUT_LINES, harmless
from grader.verdict import Verdict

SIGNS = {PASSED: ("✓", "green"), TODO: ("·", "dim"), BLOCKED: ("↑", "yellow")}
FAILURE = ("✗", "red")
BAR_WIDTH = 16
LOG_WIDTH = 120  # of a pipe or a log file, which has none of its own
MOST_MISTAKES = 10
console = Console(highlight=False, width=None if sys.stdout.isatty() else LOG_WIDTH)
errors = Console(stderr=True, highlight=False, soft_wrap=True)


def plain(text: str, style: str = "") -> Text:
    """Text as it is: no markup, no control characters."""
    return Text(harmless(text), style=style)


def as_text(*parts: RenderableType, width: int = LOG_WIDTH) -> str:
    """What a terminal would show, as plain text without colours."""
    page = Console(file=io.StringIO(), width=width, color_system=None, highlight=False, force_jupyter=False)
    with page.capture() as shown:
        page.print(*parts, sep="\n")
    return "\n".join(line.rstrip() for line in shown.get().splitlines())


def result_lines(result: ExerciseResult, details: bool = True) -> RenderableType:
    """One exercise: a line, and for a failure what is wrong, why, and what the student printed."""
    sign, style = SIGNS.get(result.status, FAILURE)
    name = name_of(result.id)
    line = Text(f"  {sign} ", style=style) + plain(f"{name:<34}")
    worth = f"{result.score:g}/{result.points:g}"
    line += Text(f"{worth:>7}  ", style="dim") + Text(*_verdict(result, style))
    line.rstrip()
    if not details or (result.status in (PASSED, TODO) and not result.message):
        return line
    parts: list[RenderableType] = [plain(result.message)]
    if result.help:
        parts.append(Text("→ ", style="cyan") + plain(result.help))
    case = failing_case(result)
    if case:
        parts.append(plain(f"case: {case.case} ({case.stage})", style="dim"))
    if result.output.strip():
        lines = result.output.strip().splitlines()
        parts.append(plain("you printed: " + "\n             ".join(lines[:OUTPUT_LINES]), style="dim"))
    return Group(line, Padding(Group(*parts), (0, 0, 0, 6)))


def _verdict(result: ExerciseResult, style: str) -> tuple[str, str]:
    """The last word of a result's line: what became of it; of a right kernel, at which level it was judged."""
    return (result.level, "dim") if result.status == PASSED else (result.status, style)


def timing_line(exercise: Exercise, timing: Timing | Verdict) -> RenderableType:
    """One function's time beside the solution's, or why there is none."""
    line = Text("  ") + plain(f"{exercise.name:<28}")
    if isinstance(timing, Verdict):
        told = "not written yet" if timing.status == TODO else f"{timing.status}: {timing.message}"
        return line + plain(told, style="dim" if timing.status == TODO else FAILURE[1])
    assert exercise.speed is not None
    worth = exercise.points * exercise.speed.share(timing.ratio)
    line += Text(f"{1e3 * timing.yours:9.2f} ms   solution {1e3 * timing.solution:9.2f} ms   ")
    return line + Text(f"ratio {timing.ratio:5.2f}   {worth:.1f} of {exercise.points:g} points")


def bar(done: float, total: float, width: int = BAR_WIDTH) -> Text:
    """How much of `total` is done."""
    filled = round(width * done / total) if total else 0
    return Text("━" * filled, style="green") + Text("━" * (width - filled), style="bright_black")


def chapter_table(results: Sequence[ExerciseResult]) -> Table:
    """One line per chapter: a bar, the points and what is open."""
    table = Table.grid(padding=(0, 2))
    for column in range(5):
        table.add_column(no_wrap=column not in (1, 4))  # title and counts give way on a narrow terminal
    for chapter, own in by_chapter(results):
        table.add_row(*_chapter_row(chapter, own))
    return table


def _chapter_row(chapter: Chapter, results: Sequence[ExerciseResult]) -> Iterable[RenderableType]:
    score, points = sum(r.score for r in results), sum(r.points for r in results)
    counts = [f"{sum(r.status == status for r in results)} {status}" for status in STATUSES]
    open_counts = [count for count in counts if not count.startswith("0 ") and not count.endswith(PASSED)]
    if not open_counts and score < points:
        open_counts = ["all right, some too slow"]
    done = Text(", ".join(open_counts)) if open_counts else Text("all passed", style="green")
    module = plain(name_of(chapter.module), style="bold")
    return module, Text(chapter.title, style="dim"), bar(score, points), Text(f"{score:g}/{points:g}"), done


def print_record(console: Console, record: Record, details: bool = True) -> None:
    """A whole record: failures in full, then the chapters, then the score."""
    console.print()
    for note in record.notes:
        console.print(plain(note, style="yellow"))
    if details:
        for number, result in enumerate(record.exercises):
            if result.status not in (PASSED, TODO):
                console.print(result_lines(result, not repeats(result, record.exercises[:number])))
        if record.count(*(set(STATUSES) - {PASSED, TODO})):
            console.print()
    console.print(chapter_table(record.exercises))
    console.print()
    console.print(summary(record))


def summary(record: Record) -> Text:
    """The last line: name, score, counts."""
    passed, total = record.count(PASSED), len(record.exercises)
    line = plain(record.submission, style="bold") + Text(f"  {record.score:g} of {record.max_score:g} points")
    line += Text(f"  {passed} of {total} exercises passed", style="green" if passed == total else "")
    if record.penalty:
        line += Text(f"  late: {record.penalty:.0%} off, {record.final_score:g} points count", style="yellow")
    return line + Text(f"  ({record.isolation}, {record.seconds:.1f} s)" if record.seconds else "", style="dim")


def print_class(console: Console, records: Sequence[Record]) -> None:
    """A class: a line for every submission, who is at risk, what went wrong most often."""
    for record in sorted(records, key=lambda record: -record.final_score):
        console.print(summary(record))
    at_risk, mistakes = overview.at_risk(records), overview.mistakes(records)
    if at_risk:
        console.print(Text("\nAt risk", style="bold"))
    for found in at_risk:
        console.print(plain(f"  {found.record.submission}: {'; '.join(found.reasons)}"))
    if mistakes:
        console.print(Text("\nMost frequent mistakes", style="bold"))
    for mistake in mistakes[:MOST_MISTAKES]:
        told = f"  {mistake.made} of {mistake.tried}  {name_of(mistake.exercise)}: {mistake.belief}"
        console.print(plain(told))
    numbers = overview.figures(records)
    told = f"\n{numbers.count} submissions, median {numbers.median:g} points, mean {numbers.mean:.1f}"
    console.print(plain(told, style="bold"))


def next_step(results: Sequence[tuple[Exercise, ExerciseResult]], handed_in: Submission, folder: str = "") -> Text:
    """What to do next: mend what has failed before writing what is untouched.

    `folder` is what `kata check` must be told where the exercises are not the kit's own.
    """
    failed = [exercise for exercise, result in results if result.status not in (PASSED, TODO, BLOCKED)]
    untouched = [exercise for exercise, result in results if result.status == TODO]
    slow = [exercise for exercise, result in results if result.status == PASSED and result.score < result.points]
    if not failed and not untouched and slow:
        return Text("Next: ", style="bold") + plain(f"speed up {slow[0].name}; `kata bench` times it.")
    if not failed and not untouched:
        return Text("Everything here is solved.", style="green")
    exercise = (failed or untouched)[0]
    module = handed_in.modules.get(exercise.module)
    path = module.path if module else exercise.module.replace(".", "/") + ".py"
    verb = "mend" if failed else "write"
    command = f"{folder} {exercise.name}".strip()
    return Text("Next: ", style="bold") + plain(f"{verb} {exercise.name} in {path}, then `kata check {command}`.")

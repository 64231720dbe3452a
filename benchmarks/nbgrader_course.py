"""nbgrader's autograde step: its own, which runs each notebook, beside ours, which judges the functions in it.

python -m benchmarks.nbgrader_course [--nbgrader PROGRAM] [--functions 3 10] [--submissions N] [--repeats N] [--class N]

Both grade the same answers to the same functions, three and ten of ch03_activations, by the same public and hidden
cases, in turns, with the same nbgrader, which must be in an environment that has the kit. Then ours grades a class.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import median
from typing import Any

from rich.table import Table

from benchmarks import machine
from benchmarks.rivals import IMPORTS, Nbgrader, cell, check_source, clean, marks
from benchmarks.throughput import ASSIGNMENTS, CHAPTER, answers_of, assignment
from grader import kit
from grader.exercise import Exercise
from grader.nbgrader_bridge.identity import points_id, solution_id
from grader.oracle import Oracle
from grader.worker.host import Worker


def main() -> None:
    parser = machine.arguments(__doc__, repeats=3)
    parser.add_argument("--functions", type=int, nargs="*", choices=ASSIGNMENTS, default=[*ASSIGNMENTS])
    parser.add_argument("--submissions", type=int, default=12, help="graded by both")
    parser.add_argument("--class", type=int, default=50, dest="size", help="graded by ours alone")
    beside = Path(sys.executable).with_name("nbgrader")
    parser.add_argument("--nbgrader", type=Path, default=beside, help="the executable, in an environment with the kit")
    options = parser.parse_args()
    if shutil.which(options.nbgrader) is None:
        parser.error(f"there is no {options.nbgrader}; pip install 'deepkata[nbgrader]'")
    assignments = [assignment(count) for count in options.functions]
    machine.show(tables(options.nbgrader, assignments, options.submissions, options.repeats, options.size))


def tables(
    program: Path, assignments: Sequence[Sequence[Exercise]], submissions: int, repeats: int, size: int
) -> Iterator[Table]:
    """One after the other, as they are measured; the class gets the last assignment."""
    for exercises in assignments:
        yield compare(program, exercises, submissions, repeats)
    yield whole_class(program, assignments[-1], size)


class Judged(Nbgrader):
    """`nbgrader autograde` with our judge in the place of the notebook's kernel."""

    name = "judged by the kit"
    assignment = stem = CHAPTER
    config = f"{Nbgrader.config}from grader.nbgrader_bridge import config\nconfig.apply(c)\n"

    def cells(self, functions: dict[str, str]) -> list[dict[str, Any]]:
        """The notebook's cells, with these functions in the student's."""
        cells = [cell("imports", IMPORTS)]
        for exercise in self.exercises:
            answer, graded = solution_id(exercise), points_id(exercise)
            cells.append(cell(answer, functions[exercise.name], nbgrader=marks(answer, solution=True)))
            facts = marks(graded, grade=True, locked=True) | {"points": exercise.points}
            cells.append(cell(graded, f'check("{exercise.name}")', nbgrader=facts))
        return cells


def compare(program: Path, exercises: Sequence[Exercise], submissions: int, repeats: int) -> Table:
    """Both on the same exercises, in turns."""
    with Worker() as reference:
        oracle = Oracle(reference)
        checks = [check_source(exercise, oracle, kit.DEFAULT_SECRET) for exercise in exercises]
        oracle.close()
    title = f"nbgrader autograde: {len(exercises)} functions, {submissions} submissions ({machine.load()})"
    made = machine.table(title, "steps", "seconds", "seconds/submission", "scores")
    contestants = [Judged(program, exercises, ()), Nbgrader(program, exercises, checks)]
    seconds: dict[str, list[float]] = {one.name: [] for one in contestants}
    scores: dict[str, list[float]] = {}
    for _ in range(repeats):
        for one in contestants:
            taken, scores[one.name] = graded(one, answers_of(exercises, submissions))
            seconds[one.name].append(taken)
    for one in contestants:
        taken = median(seconds[one.name])
        told = f"{len(scores[one.name])} × {min(scores[one.name]):.0%}"
        made.add_row(one.name, machine.median(seconds[one.name]), f"{taken / submissions:.2f}", told)
    ours, theirs = (median(seconds[one.name]) for one in contestants)
    made.caption = f"ours takes {ours / theirs:.2f} of the time"
    return made


def whole_class(program: Path, exercises: Sequence[Exercise], size: int) -> Table:
    """A class of right answers through our step."""
    made = machine.table(f"a class of {size} ({machine.load()})", "steps", "seconds", "scores")
    one = Judged(program, exercises, ())
    taken, scores = graded(one, answers_of(exercises, size))
    made.add_row(one.name, f"{taken:.1f}", f"{len(scores)} × {min(scores):.0%}")
    return made


def graded(one: Nbgrader, answers: Sequence[dict[str, str]]) -> tuple[float, list[float]]:
    """The seconds that a class takes in a new course, and its scores."""
    with tempfile.TemporaryDirectory() as folder:
        one.prepare(clean(Path(folder) / "class"), answers)
        begun = time.perf_counter()
        one.grade()
        return time.perf_counter() - begun, one.scores()


if __name__ == "__main__":
    main()

"""Grading a class: submissions per second beside nbgrader and otter-grader, memory per lane, and cost by size.

python -m benchmarks.throughput [--nbgrader PROGRAM] [--otter PROGRAM] [--functions 3 10] [--submissions N]
                                [--repeats N] [--sizes N …]

The contestants grade the same answers to the same functions, three and ten of ch03_activations, by the same public and
hidden cases, in turns. PROGRAM is the executable `nbgrader` or `otter` in an environment that has numba as well; a
contestant that is not there is left out. `kata grade` runs as a command, in as many lanes as there are cores, and with
one; nbgrader and otter grade one notebook after the other, as they do. Nobody may keep what was compiled: in a class no
two answers are the same, so every answer's text is its own, and numba's cache is off.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from statistics import median

from rich.table import Table

from benchmarks import machine
from benchmarks.rivals import Contestant, Nbgrader, Otter, check_source, clean
from grader import catalogue, kit
from grader.exercise import Exercise
from grader.oracle import Oracle, solutions
from grader.stubs import make_stub
from grader.submission import Module
from grader.worker.host import Worker
from tests.generate_class import write_class

CHAPTER = "ch03_activations"
ALL = tuple(exercise.name for exercise in catalogue.select([CHAPTER]))
ASSIGNMENTS = {3: ("relu", "sigmoid", "softmax"), len(ALL): ALL}
KATA = (sys.executable, "-c", "from grader.cli import main; main()")
Rivals = Mapping[type[Nbgrader] | type[Otter], Path | None]
MEMORY_SECONDS = 0.05  # between two looks at the memory


def main() -> None:
    parser = machine.arguments(__doc__, repeats=3)
    parser.add_argument("--functions", type=int, nargs="*", choices=ASSIGNMENTS, default=[*ASSIGNMENTS])
    parser.add_argument("--submissions", type=int, default=12, help="in the class of each contestant")
    parser.add_argument("--nbgrader", type=Path, help="the executable, in its own environment")
    parser.add_argument("--otter", type=Path, help="the executable, in its own environment")
    parser.add_argument("--sizes", type=int, nargs="*", default=[10, 100], help="classes to measure the cost by size")
    options = parser.parse_args()
    rivals: Rivals = {Nbgrader: options.nbgrader, Otter: options.otter}
    assignments = [assignment(count) for count in options.functions]
    machine.show(tables(assignments, rivals, options.submissions, options.repeats, options.sizes))


def assignment(count: int) -> list[Exercise]:
    """The exercises of an assignment of so many functions."""
    return catalogue.select([f"{CHAPTER}.{name}" for name in ASSIGNMENTS[count]])


def tables(
    assignments: Sequence[Sequence[Exercise]], rivals: Rivals, submissions: int, repeats: int, sizes: Sequence[int]
) -> Iterator[Table]:
    """One after the other, as they are measured."""
    for exercises in assignments:
        yield compare(exercises, rivals, submissions, repeats)
    yield memory(submissions)
    yield by_size(sizes)


class Kata:
    """`kata grade`, in some lanes."""

    def __init__(self, exercises: Sequence[Exercise], lanes: int):
        self.exercises = exercises
        self.lanes = lanes
        self.name = f"kata grade --jobs {lanes}"
        self.folder = Path()

    def prepare(self, folder: Path, answers: Sequence[dict[str, str]]) -> None:
        self.folder = folder
        (folder / "class").mkdir()
        for number, functions in enumerate(answers):
            (folder / "class" / f"s{number}_{CHAPTER}.py").write_text(module_with(functions), encoding="utf-8")

    def command(self) -> list[str]:
        return [*KATA, "grade", "class", "--out", "out", "--jobs", str(self.lanes)]

    def grade(self) -> None:
        subprocess.run(self.command(), cwd=self.folder, check=True, stdout=subprocess.DEVNULL, env=environment())

    def scores(self) -> list[float]:
        most = sum(exercise.points for exercise in self.exercises)
        return [json.loads(path.read_text())["score"] / most for path in (self.folder / "out").glob("*.json")]


def environment() -> dict[str, str]:
    return os.environ | {"PYTHONPATH": str(kit.ROOT)}


def answers_of(exercises: Sequence[Exercise], count: int) -> list[dict[str, str]]:
    """The solutions, as so many students have written them: the same code in different texts, without numba's cache."""
    texts = {}
    for exercise in exercises:
        node = Module("", solutions().modules[exercise.module].text).functions[exercise.name]
        lines = solutions().modules[exercise.module].text.splitlines()
        texts[exercise.name] = "\n".join(lines[node.lineno - 1 : node.end_lineno])
    return [
        {name: f"@njit\n{text}\n    # student {number}\n" for name, text in texts.items()} for number in range(count)
    ]


def module_with(functions: Mapping[str, str]) -> str:
    """The chapter's stub with some functions written."""
    text = make_stub(solutions().modules[CHAPTER].text)
    for name, source in functions.items():
        node = Module("", text).functions[name]
        first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
        lines = text.splitlines(keepends=True)
        text = "".join([*lines[: first - 1], source, *lines[node.end_lineno :]])
    return text


def compare(exercises: Sequence[Exercise], rivals: Rivals, submissions: int, repeats: int) -> Table:
    """All contestants on the same exercises, in turns."""
    contestants: list[Contestant] = [Kata(exercises, os.cpu_count() or 1), Kata(exercises, 1)]
    with Worker() as reference:
        oracle = Oracle(reference)
        checks = [check_source(exercise, oracle, kit.DEFAULT_SECRET) for exercise in exercises]
        oracle.close()
    title = f"{len(exercises)} functions, {submissions} submissions ({machine.load()})"
    made = machine.table(title, "contestant", "seconds", "submissions/s", "kata is", "scores")
    for kind, program in rivals.items():
        if program is None or shutil.which(program) is None:
            made.add_row(kind.name, "not here", "", "", "")
        else:
            contestants.append(kind(Path(program).absolute(), exercises, checks))
    seconds: dict[str, list[float]] = {one.name: [] for one in contestants}
    scores: dict[str, list[float]] = {}
    answers = answers_of(exercises, submissions)
    for _ in range(repeats):
        for one in contestants:
            with tempfile.TemporaryDirectory() as folder:
                one.prepare(clean(Path(folder) / "class"), answers)
                begun = time.perf_counter()
                one.grade()
                seconds[one.name].append(time.perf_counter() - begun)
                scores[one.name] = one.scores()
    best = median(seconds[contestants[0].name])
    for one in contestants:
        taken = seconds[one.name]
        rate = f"{submissions / median(taken):.2f}"
        told = f"{len(scores[one.name])} × {min(scores[one.name]):.0%}"
        made.add_row(one.name, machine.median(taken), rate, f"{median(taken) / best:.1f}× as fast", told)
    return made


def memory(submissions: int) -> Table:
    """The proportional share of memory of all processes of a grading, at its peak; a lane more costs the difference."""
    exercises = catalogue.select([CHAPTER])
    peaks = {}
    for lanes in (1, 2):
        with tempfile.TemporaryDirectory() as folder:
            one = Kata(exercises, lanes)
            one.prepare(clean(Path(folder) / "class"), answers_of(exercises, max(2, submissions // 2)))
            peaks[lanes] = peak_of(one)
    made = machine.table("Memory of `kata grade`, all processes, at its peak", "lanes", "MB")
    for lanes, peak in peaks.items():
        made.add_row(str(lanes), f"{peak / 2**20:.0f}")
    made.caption = f"per lane: {(peaks[2] - peaks[1]) / 2**20:.0f} MB"
    return made


def peak_of(one: Kata) -> int:
    """Bytes; 0 where the system does not tell (it is Linux that does)."""
    process = subprocess.Popen(one.command(), cwd=one.folder, stdout=subprocess.DEVNULL, env=environment())
    peak, over = 0, threading.Event()

    def look() -> None:
        nonlocal peak
        while not over.wait(MEMORY_SECONDS):
            peak = max(peak, sum(map(share_of_memory, family(process.pid))))

    watching = threading.Thread(target=look)
    watching.start()
    process.wait()
    over.set()
    watching.join()
    return peak


def family(pid: int) -> list[int]:
    """A process and all its descendants."""
    parents = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            parents[int(stat.parent.name)] = int(stat.read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
    found, waiting = [], [pid]
    while waiting:
        found.append(waiting.pop())
        waiting += [child for child, parent in parents.items() if parent == found[-1]]
    return found


def share_of_memory(pid: int) -> int:
    """Bytes of a process, where pages that several share count in parts."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) << 10 for line in lines if line.startswith("Pss:"))


def by_size(sizes: Sequence[int]) -> Table:
    """Seconds per submission for generated classes of plain Python, right, wrong and hostile."""
    made = machine.table("Cost by size, generated classes (tests/generate_class.py)", "submissions", "seconds", "each")
    for size in sizes:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            write_class(folder / "class", size)
            begun = time.perf_counter()
            command = [*KATA, "grade", "class", "--out", "out"]
            subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL, env=environment())
            taken = time.perf_counter() - begun
        made.add_row(str(size), f"{taken:.1f}", f"{taken / size:.3f}")
    return made


if __name__ == "__main__":
    main()

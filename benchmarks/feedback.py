"""From saving a file to the verdict: the student's loop, warm and cold.

python -m benchmarks.feedback [--repeats N]

warm : what `kata check NAME --watch` does, in this process. One function is saved over and over, and never the same
       text twice: every second save is right, the others are wrong. The clock runs from just before the file is
       written to the verdict of each stage: `interpreted` for both kinds, `compiled` for the right ones. `told` is when
       the result of a wrong one is there to be shown, after its prerequisites were asked whether it is their fault.
cold : the whole command `kata check`, from its start to the first line that names the exercise and to its end.
"""

from __future__ import annotations

import queue
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.table import Table

from benchmarks import machine
from grader import catalogue, kit
from grader.check import Checker, changes
from grader.exercise import Exercise
from grader.judge import COMPILED, INTERPRETED
from grader.result import PASSED
from grader.stubs import BEGIN
from grader.verdict import Verdict

# A line that makes each function wrong, whatever way it is written.
SPOILERS = {
    "ch03_activations.relu": "x = -x",
    "ch03_activations.softmax": "x = x - x",
    "ch05_dense.dense_backward": "dy = -dy",
    "ch06_optimizers.adam_step": "lr = 2 * lr",
    "ch07_training.train_epoch": "lr = 2 * lr",
}
COLD = "ch03_activations.relu"
TOLD, DONE = "told", "done"
TARGETS = {INTERPRETED: 0.1, COMPILED: 0.5}
COLD_TARGET = 1.5
SETTLE_SECONDS = 0.4  # between saves: a person does not save while the last verdict is still being worked on
PATIENCE = 300.0


def main() -> None:
    options = machine.arguments(__doc__, repeats=9).parse_args()
    before = machine.load()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / "exercises"
        shutil.copytree(kit.SOLUTIONS, folder, ignore=shutil.ignore_patterns("__pycache__"))
        warm = measure_warm(folder, options.repeats)
        cold = measure_cold(folder, options.repeats)
    machine.show([_warm_table(warm, before), _cold_table(cold)])


def measure_warm(folder: Path, repeats: int) -> dict[str, dict[str, list[float]]]:
    """Exercise id -> stage -> seconds; `repeats` saves of either kind."""
    seconds: dict[str, dict[str, list[float]]] = {}
    with Checker(folder, warm=True) as checker:
        time.sleep(machine.WARMING_SECONDS)
        for name in SPOILERS:
            exercise = catalogue.exercises()[name]
            seconds[name] = {INTERPRETED: [], COMPILED: [], TOLD: []}
            with watching(checker, folder, exercise) as told:
                for number in range(2 * repeats):
                    saved = save(folder, exercise, number, wrong=number % 2 == 1)
                    for stage, moment in _verdicts(told):
                        seconds[name][stage].append(moment - saved)
                    time.sleep(SETTLE_SECONDS)
    return seconds


@contextmanager
def watching(checker: Checker, folder: Path, exercise: Exercise) -> Iterator[queue.Queue[tuple[str, float]]]:
    """The loop of `kata check --watch` in a thread; the queue tells (stage, moment)."""
    told: queue.Queue[tuple[str, float]] = queue.Queue()
    over = threading.Event()

    def note(judged: Exercise, stage: str, _: Verdict) -> None:
        if judged is exercise:  # a wrong one has its prerequisites judged too
            told.put((stage, time.perf_counter()))

    def loop() -> None:
        for _ in changes(folder):
            if over.is_set():
                return
            for result in checker.results(checker.read(), [exercise], watch=note):
                told.put((TOLD if result.status != PASSED else "", time.perf_counter()))
            told.put((DONE, time.perf_counter()))

    save(folder, exercise, -1, wrong=True)
    list(checker.results(checker.read(), [exercise]))  # its prerequisites' verdicts are kept from now on
    save(folder, exercise, -2, wrong=False)
    list(checker.results(checker.read(), [exercise]))  # what the solution answers is known from now on
    thread = threading.Thread(target=loop, daemon=True)
    thread.start()
    time.sleep(2 * SETTLE_SECONDS)  # the watch begins a moment after the thread
    yield told
    over.set()
    save(folder, exercise, -3, wrong=False)
    thread.join(PATIENCE)


def save(folder: Path, exercise: Exercise, number: int, wrong: bool) -> float:
    """Write the module with one line of the function changed; returns the moment just before."""
    name = exercise.module.replace(".", "/") + ".py"
    solution = (kit.SOLUTIONS / name).read_text(encoding="utf-8")
    head, definition, rest = solution.partition(f"\ndef {exercise.name}(")
    docstring, mark, body = rest.partition(f"{BEGIN}\n")
    line = f"    save = {number}{'; ' + SPOILERS[exercise.id] if wrong else ''}\n"
    text = head + definition + docstring + mark + line + body
    moment = time.perf_counter()
    (folder / name).write_text(text, encoding="utf-8")
    return moment


def _verdicts(told: queue.Queue[tuple[str, float]]) -> Iterator[tuple[str, float]]:
    while True:
        stage, moment = told.get(timeout=PATIENCE)
        if stage == DONE:
            return
        if stage in (*TARGETS, TOLD):
            yield stage, moment


def measure_cold(folder: Path, repeats: int) -> dict[str, dict[str, list[float]]]:
    """ "wrong" or "right" code -> "verdict" or "end" -> seconds, alternating."""
    exercise = catalogue.exercises()[COLD]
    seconds: dict[str, dict[str, list[float]]] = {code: {"verdict": [], "end": []} for code in ("wrong", "right")}
    for number in range(2 * repeats):
        code = "wrong" if number % 2 else "right"
        save(folder, exercise, 1000 + number, wrong=code == "wrong")
        started = time.perf_counter()
        verdict, end = run_check(folder, exercise)
        seconds[code]["verdict"].append(verdict - started)
        seconds[code]["end"].append(end - started)
    return seconds


def run_check(folder: Path, exercise: Exercise) -> tuple[float, float]:
    """Run `kata check FOLDER NAME`: the moments of its first line about the exercise and of its end."""
    command = [sys.executable, "-c", "from grader.cli import main; main()", "check", str(folder), exercise.name]
    verdict = None
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, encoding="utf-8", cwd=kit.ROOT) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if verdict is None and exercise.name in line:
                verdict = time.perf_counter()
    end = time.perf_counter()
    return verdict or end, end


def _warm_table(seconds: dict[str, dict[str, list[float]]], load: str) -> Table:
    columns = (f"interpreted\n(target {TARGETS[INTERPRETED]} s)", f"compiled\n(target {TARGETS[COMPILED]} s)")
    made = machine.table(f"From save to verdict, warm ({load})", "function", *columns, "wrong code: told")
    for name, stages in seconds.items():
        made.add_row(name.rpartition(".")[2], *(machine.median(stages[stage]) for stage in (*TARGETS, TOLD)))
    return made


def _cold_table(seconds: dict[str, dict[str, list[float]]]) -> Table:
    title = f"The whole command `kata check relu` ({machine.load()})"
    made = machine.table(title, "code", f"first verdict\n(target {COLD_TARGET} s)", "end")
    for code, moments in seconds.items():
        made.add_row(code, machine.median(moments["verdict"]), machine.median(moments["end"]))
    return made


if __name__ == "__main__":
    main()

"""A class through `kata grade`: whatever is killed, full or broken, every submission gets one record, the same one.

The classes come from `generate_class.py`. With DEEPKATA_LONG=1 those in which something is killed have a thousand
submissions, some of them attacks that take their time.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from build import SECRET, oracle, solved, submission
from faces import KATA, kata, kit_copy, records, written
from generate_class import CHAPTER, write_class
from rich.console import Console

from grader import catalogue, kit
from grader.classroom import engine, engine_dask, late, progress
from grader.classroom.engine_dask import DaskEngine, Errand
from grader.classroom.grade import Graded, Grading
from grader.classroom.handin import Handin
from grader.classroom.ledger import MOST_UNWRITTEN, STATE, Ledger
from grader.classroom.progress import Progress
from grader.problem import Problem
from grader.result import CRASHED, PASSED, TIMEOUT, ExerciseResult, Record
from grader.worker.host import Worker
from grader.worker.isolation import KINDS, choose

LONG = bool(os.environ.get("DEEPKATA_LONG"))
COUNT, HOSTILE = 12, 4
PATIENCE = 7200 if LONG else 300
COURSE_SECRET = "a line that nobody guesses"
LINUX = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks for processes in /proc")


@dataclass
class Class:
    """A class in a folder, and what a run that nobody disturbed makes of it."""

    folder: Path
    secret: Path
    out: Path

    @property
    def names(self) -> list[str]:
        return sorted(path.stem for path in self.folder.iterdir())

    def command(self, out: Path, *more: object) -> list[str]:
        words = [*KATA, "grade", self.folder, "--out", out, "--seed-file", self.secret, "--jobs", 2, *more]
        return [str(word) for word in words]

    def grade(self, out: Path, *more: object, remarks: int = 0) -> str:
        """Grade to the end, all of them, with so many remarks; what was printed."""
        run = subprocess.run(self.command(out, *more), cwd=out.parent, capture_output=True, text=True, timeout=PATIENCE)
        assert (run.returncode, len(run.stderr.splitlines())) == (0, remarks), run
        return run.stdout


def graded(root: Path, count: int, hostile: int | None, slow: bool = False) -> Class:
    """A class that was graded."""
    (root / "secret").write_text(COURSE_SECRET)
    write_class(root / "class", count, hostile, slow=slow)
    made = Class(root / "class", root / "secret", root / "out")
    made.grade(made.out)
    return made


@pytest.fixture(scope="module")
def course(tmp_path_factory) -> Class:
    return graded(tmp_path_factory.mktemp("course"), COUNT, HOSTILE)


@pytest.fixture(scope="module")
def large_course(tmp_path_factory, request) -> Class:
    """A class of a thousand, where there is time for it."""
    if not LONG:
        return request.getfixturevalue("course")
    return graded(tmp_path_factory.mktemp("large"), 1000, None, slow=True)


def verdicts(out: Path) -> dict[str, Any]:
    """What the records in a folder say, but for how long it took."""
    return {name: without_seconds(record) for name, record in records(out).items()}


def without_seconds(told: Any) -> Any:
    if isinstance(told, dict):
        return {key: without_seconds(value) for key, value in told.items() if key != "seconds"}
    return [without_seconds(item) for item in told] if isinstance(told, list) else told


def contents(out: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in out.glob("*.json")}


@contextlib.contextmanager
def grading(command: list[str], cwd: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A grader at work; it is killed in the end, if it has not ended."""
    with subprocess.Popen(command, cwd=cwd, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as process:
        try:
            yield process
        finally:
            process.kill()


def wait_for_records(out: Path, count: int, process: subprocess.Popen[bytes]) -> None:
    """Wait until so many records are there."""
    end = time.monotonic() + PATIENCE
    while len(list(out.glob("*.json"))) < count:
        assert process.poll() is None, "it ended before it was disturbed"
        assert time.monotonic() < end, f"{len(list(out.glob('*.json')))} records after {PATIENCE} s"
        time.sleep(0.01)


def moments(times: int, course: Class) -> list[int]:
    """After how many records something is to happen, so many times: at random, the same in every run."""
    return sorted(random.Random(5).sample(range(1, len(course.names) - 4), times))


# --- killed -----------------------------------------------------------------------------------------------------------


def test_a_class_gets_one_record_each_of_all_kinds(large_course):
    found = records(large_course.out)
    assert sorted(found) == [f"{name}.json" for name in large_course.names]
    assert len(found) == (1000 if LONG else COUNT)
    asked = [exercise.id for exercise in catalogue.select([CHAPTER])]
    assert all([result["id"] for result in record["exercises"]] == asked for record in found.values())
    statuses = {result["status"] for record in found.values() for result in record["exercises"]}
    assert {"passed", "failed", "todo", "crashed"} <= statuses


def test_a_grader_that_is_killed_again_and_again_loses_nothing_and_does_nothing_twice(large_course, tmp_path):
    out = tmp_path / "out"
    kept: dict[str, bytes] = {}
    for moment in moments(3, large_course):
        with grading(large_course.command(out), tmp_path) as process:
            wait_for_records(out, moment, process)
            process.send_signal(signal.SIGKILL)
            process.wait()
        found = contents(out)
        assert all(json.loads(content) for content in found.values()), "half a record"
        assert {name: found[name] for name in kept} == kept, "a record that was there was written again"
        kept = found
    told = large_course.grade(out)
    assert told.count("unchanged since the last run") == len(kept)
    found = contents(out)
    assert {name: found[name] for name in kept} == kept
    assert verdicts(out) == verdicts(large_course.out)
    assert [path for path in out.iterdir() if path.name.startswith(".")] == [out / STATE]


@LINUX
def test_a_worker_that_somebody_kills_costs_nobody_anything(large_course, tmp_path):
    """One of the processes that submissions are forked from, or that the solutions run in."""
    out = tmp_path / "out"
    draw = random.Random(3)
    with grading(large_course.command(out), tmp_path) as process:
        for moment in moments(3, large_course):
            wait_for_records(out, moment, process)
            children = children_of(process.pid)
            if children:
                os.kill(draw.choice(children), signal.SIGKILL)
        _, err = process.communicate(timeout=PATIENCE)
    assert (process.returncode, err) == (0, b"")
    assert verdicts(out) == verdicts(large_course.out)


def children_of(pid: int) -> list[int]:
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            parent = stat.read_text().rpartition(")")[2].split()[1]
            found += [int(stat.parent.name)] if int(parent) == pid else []
    return found


@LINUX
def test_a_crash_is_looked_at_twice():
    """Whoever has their process killed from outside pays nothing; whoever ends it pays, however often it is asked."""
    asked = {exercise.id for exercise in catalogue.select(["conv_output_size", "dense_params"])}
    slow = "import time\n\ntime.sleep(1)\n" + solved(CHAPTER)
    ends = solved(CHAPTER, {"conv_output_size": "def conv_output_size(n, f, p, s):\n    os._exit(0)\n"})
    statuses = []
    with Worker() as worker:
        for text in (slow, ends):
            worker.open("interpreted").close()  # now the process that sessions are forked from is there
            assert worker._parent is not None
            killer = threading.Timer(0.5, os.kill, (worker._parent.pid, signal.SIGKILL))
            killer.start()
            handed_in = submission("ada", **{CHAPTER: text})
            outcome = engine.examine("ada", handed_in, asked, worker, oracle(), SECRET)
            killer.join()
            assert outcome.record is not None
            assert not outcome.faults
            statuses.append([result.status for result in outcome.record.exercises])
    assert statuses == [[PASSED, PASSED], [CRASHED, PASSED]]


@pytest.mark.parametrize(("threads", "looks"), [(0.5, 1), (64.0, 2)])
def test_what_does_not_end_is_looked_at_twice_where_it_may_have_waited_for_others(monkeypatch, threads, looks):
    monkeypatch.setattr("grader.judge.INTERPRETED_SECONDS", 0.3)
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    monkeypatch.setattr(os, "getloadavg", lambda: (threads, 0.0, 0.0))
    asked = {exercise.id for exercise in catalogue.select(["conv_output_size", "dense_params"])}
    endless = "def conv_output_size(n, f, p, s):\n    while True:\n        pass\n"
    text = solved(CHAPTER, {"conv_output_size": endless})
    told = []
    with Worker() as worker:
        handed_in = submission("ada", **{CHAPTER: text})
        outcome = engine.examine(
            "ada", handed_in, asked, worker, oracle(), SECRET, lambda name, result: told.append(result.status)
        )
    assert [result.status for result in outcome.record.exercises] == [TIMEOUT, PASSED]
    assert told.count(TIMEOUT) == looks
    assert told.count(PASSED) == 1


# --- Dask -------------------------------------------------------------------------------------------------------------


class Cluster:
    """A scheduler and workers, processes of their own on this machine."""

    def __init__(self, folder: Path):
        pytest.importorskip("distributed", reason="needs Dask: pip install 'deepkata[scale]'")
        self.folder = folder
        self.log = (folder / "cluster.log").open("w+")
        told = folder / "scheduler.json"
        self.scheduler = self._start("scheduler", "--port", "0", "--no-dashboard", "--scheduler-file", str(told))
        self.workers: list[subprocess.Popen[bytes]] = []
        self.address = self._address(told)

    def _address(self, told: Path) -> str:
        """Where the scheduler says that it is, as soon as it has said so to the end."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            with contextlib.suppress(OSError, ValueError):
                return str(json.loads(told.read_text())["address"])
            time.sleep(0.05)
        raise AssertionError("the scheduler did not start")

    def add_worker(self, **environment: str) -> None:
        options = ("--nthreads", "1", "--no-nanny", "--no-dashboard")
        self.workers.append(self._start("worker", self.address, *options, **environment))

    def _start(self, *words: str, **environment: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "dask", *words]
        known = {"PYTHONPATH": str(kit.ROOT)} | environment  # and not this process's own folder
        return subprocess.Popen(command, stdout=self.log, stderr=self.log, env=os.environ | known, cwd=self.folder)

    def said(self) -> str:
        self.log.flush()
        return Path(self.log.name).read_text()

    def state(self) -> str:
        """What the scheduler keeps of tasks, and a dashboard could show."""
        from distributed import Client

        def told(dask_scheduler: Any) -> str:
            return repr([list(dask_scheduler.transition_log), dask_scheduler.get_events(), dask_scheduler.tasks])

        with Client(self.address, set_as_default=False) as client:
            return client.run_on_scheduler(told)

    def close(self) -> None:
        for process in (*self.workers, self.scheduler):
            process.kill()
            process.wait()
        self.log.close()


@pytest.fixture
def cluster(tmp_path):
    made = Cluster(tmp_path)
    yield made
    made.close()


def test_on_dask_killed_graders_and_a_killed_worker_change_nothing(large_course, cluster, tmp_path):
    out = tmp_path / "out"
    on_dask = ("--engine", "dask", "--scheduler", cluster.address)
    for _ in range(2):
        cluster.add_worker()
    *killing, dying = moments(4, large_course)
    for moment in killing:
        with grading(large_course.command(out, *on_dask), tmp_path) as process:
            wait_for_records(out, moment, process)
    kept = contents(out)
    with grading(large_course.command(out, *on_dask), tmp_path) as process:
        wait_for_records(out, dying, process)
        cluster.workers[0].kill()
        _, err = process.communicate(timeout=PATIENCE)
    assert (process.returncode, err) == (0, b"")
    found = contents(out)
    assert {name: found[name] for name in kept} == kept
    assert verdicts(out) == verdicts(large_course.out)
    shown = cluster.said() + cluster.state()
    assert "kata-" in shown, "the tasks' keys are there"
    assert COURSE_SECRET not in shown
    assert not any(name in shown for name in large_course.names)


def test_nothing_that_dask_shows_of_a_task_tells_the_secret_or_the_student(course):
    (one,) = [path for path in course.folder.iterdir() if path.stem == course.names[0]]
    from grader import submission as submissions

    errand = Errand.of(engine.Task(one.stem, lambda: submissions.read(one)), COURSE_SECRET, "auto")
    assert errand.submission().digest == submissions.read(one).digest
    shown = f"{errand} {errand!r} {(errand,)} {vars(type(errand))['__repr__'](errand)}"
    assert COURSE_SECRET not in shown
    assert one.stem not in shown


def test_a_worker_with_another_kit_is_refused(cluster, tmp_path):
    root = kit_copy(tmp_path / "kit")
    with (root / "grader" / "judge.py").open("a") as file:
        file.write("# another one\n")
    cluster.add_worker(PYTHONPATH=str(root))
    (tmp_path / "ch10_shapes.py").write_text("")
    run = kata("grade", "ch10_shapes.py", "--engine", "dask", "--scheduler", cluster.address, cwd=tmp_path)
    assert (run.code, len(run.told)) == (2, 1), run
    assert "has another kit: files" in run.err
    assert "Install the same kit" in run.err


def test_a_scheduler_that_goes_takes_nothing_along(course, cluster, tmp_path):
    out = tmp_path / "out"
    cluster.add_worker()
    with grading(course.command(out, "--engine", "dask", "--scheduler", cluster.address), tmp_path) as process:
        wait_for_records(out, 2, process)
        cluster.scheduler.kill()
        _, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 2
    assert "Traceback" not in err.decode()
    assert "what was graded is kept" in err.decode().splitlines()[-1]
    found = contents(out)
    assert 2 <= len(found) < COUNT
    assert all(json.loads(content)["exercises"] for content in found.values())


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--engine", "dask"], "The Dask engine has no scheduler."),
        (["--scheduler", "tcp://127.0.0.1:1"], "A scheduler was given, and the local engine has none."),
        (["--engine", "dask", "--scheduler", "nonsense://x"], "There is no Dask scheduler at nonsense://x"),
        (["--late", "nowhere.toml"], "nowhere.toml cannot be read"),
        (["--only", "conv_output_sise"], "Did you mean conv_output_size?"),
        (["--only", "ch03"], "has none of the exercises that are to be graded"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_bad_options_get_one_line(tmp_path, options, words):
    (tmp_path / "ch10_shapes.py").write_text("")
    run = kata("grade", "ch10_shapes.py", *options, cwd=tmp_path)
    assert (run.code, len(run.told)) == (2, 1), run
    assert words in run.err


def test_no_scheduler_and_no_workers_are_told(monkeypatch, cluster):
    monkeypatch.setattr(engine_dask, "CONNECT_SECONDS", 1)
    for address, words in (("tcp://127.0.0.1:1", "There is no Dask scheduler"), (cluster.address, "has no workers")):
        with pytest.raises(Problem, match=words):
            DaskEngine("s", address, "auto").run([], lambda outcome: None, Progress())


# --- the ledger -------------------------------------------------------------------------------------------------------


def copy_of(course: Class, folder: Path) -> Path:
    return Path(shutil.copytree(course.out, folder / "out"))


def test_damaged_records_are_set_aside_and_only_those_are_graded_again(course, tmp_path):
    out = copy_of(course, tmp_path)
    paths = sorted(out.glob("*.json"))
    truncated, garbage, contradicting, missing, replaced, *others = paths
    truncated.write_bytes(truncated.read_bytes()[:1000])
    garbage.write_bytes(b"\xff\x00")
    told = json.loads(contradicting.read_text())
    told["exercises"][0]["score"] += 1  # now the sum is wrong
    contradicting.write_text(json.dumps(told))
    missing.unlink()
    replaced.unlink()
    replaced.mkdir()
    (out / f".{missing.name}.abcd1234").write_text("half a rec")
    before = {path: path.read_bytes() for path in others}
    run = kata(*course.command(out)[len(KATA) :], cwd=tmp_path)
    assert run.code == 0
    damaged = [truncated, garbage, contradicting, replaced]
    assert all("was set aside as" in line for line in run.told)
    assert [path.name for path in damaged] == [path.name for line in run.told for path in paths if path.name in line]
    assert {path: path.read_bytes() for path in others} == before
    assert verdicts(out) == verdicts(course.out)
    assert len(list((out / STATE / "damaged").iterdir())) == len(damaged)
    assert [path for path in out.iterdir() if path.name.startswith(".")] == [out / STATE]


def test_a_folder_serves_one_grader_at_a_time(course, tmp_path):
    out = copy_of(course, tmp_path)
    before = contents(out)
    with Ledger(out, "another exam"):
        run = kata(*course.command(out)[len(KATA) :], cwd=tmp_path)
    assert (run.code, len(run.told)) == (2, 1), run
    assert "Another `kata grade` is writing records to" in run.err
    assert contents(out) == before
    assert course.grade(out).count("unchanged") == COUNT


@pytest.mark.skipif(os.name == "nt", reason="Windows has no limit on the size of files")
def test_a_full_disk_costs_what_does_not_fit_and_nothing_else(course, tmp_path):
    """The limit on the size of files stands for the disk: the larger half of the records cannot be written.

    The smallest record is there already: the others come in no certain order, and the first may be too large.
    """
    out = copy_of(course, tmp_path)
    sizes = {name: len(content) for name, content in contents(out).items()}
    smallest, middle = min(sizes, key=lambda name: sizes[name]), sorted(sizes.values())[COUNT // 2]
    for name in sizes.keys() - {smallest}:
        (out / name).unlink()
    limit = f"import resource; resource.setrlimit(resource.RLIMIT_FSIZE, ({middle}, {middle})); "
    command = course.command(out)
    with grading([command[0], "-c", limit + command[2], *command[3:]], tmp_path) as process:
        _, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 2
    (line,) = err.decode().splitlines()
    assert "cannot be written (File too large)" in line
    assert "Free some space and run the same command again" in line
    kept = contents(out)
    assert smallest in kept
    assert len(kept) < COUNT
    course.grade(out)
    found = contents(out)
    assert {name: found[name] for name in kept} == kept
    assert verdicts(out) == verdicts(course.out)


def record(name: str) -> Record:
    return Record(name, kit.version(), "limits", [ExerciseResult("ch10_shapes.dense_params", 1.0)], "digest", "exam")


@contextlib.contextmanager
def read_only(folder: Path) -> Iterator[None]:
    """A folder that this process cannot write to, though root."""
    user = os.geteuid()
    folder.chmod(0o555)
    if user == 0:
        os.seteuid(65534)
    try:
        yield
    finally:
        if user == 0:
            os.seteuid(user)
        folder.chmod(0o755)


@pytest.mark.skipif(os.name == "nt", reason="Windows has other permissions")
def test_what_cannot_be_written_for_a_while_is_written_later():
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        with Ledger(folder, "exam") as ledger:
            ledger.keep(record("ada"))
            with read_only(folder):
                ledger.keep(record("bob"))
            assert list(contents(folder)) == ["ada.json"]
            ledger.keep(record("carl"))
            assert sorted(contents(folder)) == ["ada.json", "bob.json", "carl.json"]
        assert "Permission denied" in unwritten(folder, 1)
        assert f"{MOST_UNWRITTEN} records are missing" in unwritten(folder, MOST_UNWRITTEN + 1)
        assert len(contents(folder)) == 3


def unwritten(folder: Path, count: int) -> str:
    """What is told where so many records cannot be written to the end."""
    ledger = Ledger(folder, "exam").__enter__()
    try:
        with read_only(folder), contextlib.ExitStack() as stack:
            stack.push(ledger.__exit__)
            for number in range(count):
                ledger.keep(record(f"many {number}"))
    except Problem as problem:
        return str(problem)
    return ""


@pytest.mark.skipif(choose("auto").name not in KINDS, reason="this machine has no isolation, see `kata doctor`")
def test_what_was_judged_without_isolation_does_not_count_where_it_is_required(tmp_path):
    (tmp_path / f"{CHAPTER}.py").write_text(written(CHAPTER, dense_params=""))
    seen = []
    for wish in ("none", "auto", "required", "required"):
        run = kata("grade", f"{CHAPTER}.py", "--out", "out", "--isolation", wish, cwd=tmp_path)
        (found,) = records(tmp_path / "out").values()
        seen.append((found["isolation"] in KINDS, "unchanged" in run.out))
    assert seen == [(False, False), (False, True), (True, False), (True, True)]


def test_where_more_exercises_are_asked_for_all_are_judged_again(tmp_path):
    (tmp_path / f"{CHAPTER}.py").write_text(solved(CHAPTER))
    seen = []
    for only in (["conv_output_size"], ["conv_output_size", "dense_params"], ["dense_params", "conv_output_size"]):
        options = [word for name in only for word in ("--only", name)]
        run = kata("grade", f"{CHAPTER}.py", "--out", "out", *options, cwd=tmp_path)
        (found,) = records(tmp_path / "out").values()
        seen.append((len(found["exercises"]), found["score"] == found["max_score"], "unchanged" in run.out))
    assert seen == [(1, True, False), (2, True, False), (2, True, True)]


class Generous:
    """An engine that judges nothing: every submission passes all that it is asked."""

    def run(self, tasks, finish, progress):
        for task in tasks:
            handed_in = task.read()
            results = [
                ExerciseResult(e.id, e.points, e.points, PASSED) for e in engine.exercises_of(handed_in, task.only)
            ]
            exam = kit.exam_hash(COURSE_SECRET)
            record = Record(task.name, kit.version(), "limits", results, handed_in.digest, exam, handed_in.notes)
            finish(engine.Outcome(task.name, record))


def grade(folder: Path, *, of: str = "class", only: str = "", **options: Any) -> tuple[list[Graded], list[str]]:
    """Grade what lies in a folder with that engine, into its folder `out`: what ended, and what was remarked."""
    ended: list[Graded] = []
    remarks: list[str] = []
    asked = frozenset(exercise.id for exercise in catalogue.select(only.split())) if only else None
    run = Grading(COURSE_SECRET, Generous(), folder / "out", only=asked, remark=remarks.append, **options)
    run.run([folder / of], ended.append)
    return ended, remarks


def hand_in_class(folder: Path, **modules: str) -> None:
    """A class in which each student hands in one module, called after them, untouched."""
    (folder / "class").mkdir(exist_ok=True)
    for student, module in modules.items():
        (folder / "class" / f"{student}.py").write_text(written(module))


@pytest.mark.parametrize("again", [False, True])
def test_a_run_that_asks_for_less_than_the_records_hold_is_refused_before_it_begins(tmp_path, again):
    hand_in_class(tmp_path, ada=CHAPTER, bob=CHAPTER)
    grade(tmp_path)
    before = contents(tmp_path / "out")
    (tmp_path / "class" / "bob.py").write_text("# handed in once more\n" + written(CHAPTER))
    with pytest.raises(Problem) as caught:
        grade(tmp_path, only="dense_params", again=again)
    assert "out has 2 records with scores for other exercises than --only names" in caught.value.defect
    assert "Give another --out" in caught.value.action
    assert contents(tmp_path / "out") == before
    grade(tmp_path, only=CHAPTER)
    assert contents(tmp_path / "out").keys() == before.keys()
    hand_in_class(tmp_path, carl=CHAPTER)
    grade(tmp_path, of="class/carl.py", only="dense_params")
    assert len(records(tmp_path / "out")["carl.json"]["exercises"]) == 1, "the others' records are not in the way"


def cannot_be_read(self: Path, *_: Any) -> None:
    raise PermissionError(13, "Permission denied", str(self))


def test_a_record_stays_where_a_submission_is_not_there_or_cannot_be_got_at(tmp_path, monkeypatch):
    hand_in_class(tmp_path, ada=CHAPTER)
    (tmp_path / "class" / "bob").mkdir()
    (tmp_path / "class" / "bob" / f"{CHAPTER}.py").write_text(written(CHAPTER))
    grade(tmp_path)
    before = contents(tmp_path / "out")
    assert len(before) == 2
    told = [grade(tmp_path, of=f"elsewhere/{name}") for name in ("ada.py", "bob")]
    with monkeypatch.context() as patched:
        patched.setattr(Path, "open", cannot_be_read)
        told.append(grade(tmp_path))
    with monkeypatch.context() as patched:
        patched.setattr(os, "scandir", lambda path: cannot_be_read(path))
        told.append(grade(tmp_path, of="class/bob"))
    words = ("There is no submission", "There is no submission", "Permission denied", "Permission denied")
    for (ended, remarks), expected in zip(told, words, strict=True):
        assert all(expected in one.problem.defect for one in ended)
        assert (len(ended) > 0, remarks) == (True, [])
    assert contents(tmp_path / "out") == before


def test_a_record_stays_where_the_submission_has_none_of_what_is_asked_for(tmp_path):
    hand_in_class(tmp_path, ada=CHAPTER)
    grade(tmp_path, only="dense_params")
    before = contents(tmp_path / "out")
    hand_in_class(tmp_path, ada="ch03_activations")
    ended, remarks = grade(tmp_path, only="dense_params")
    assert "has none of the exercises" in ended[0].problem.defect
    assert (contents(tmp_path / "out"), remarks) == (before, [])


@pytest.mark.parametrize("content", [b"\xff\xfe\x00", b"x" * (2 << 20)])
def test_a_record_is_withdrawn_where_what_was_handed_in_since_is_refused(tmp_path, content):
    hand_in_class(tmp_path, ada=CHAPTER, bob=CHAPTER)
    grade(tmp_path)
    (tmp_path / "class" / "ada.py").write_bytes(content)
    _, (remark,) = grade(tmp_path)
    assert "ada.json is about an earlier submission. It was set aside as" in remark
    assert list(contents(tmp_path / "out")) == ["bob.json"]
    (tmp_path / "class" / "bob.zip").write_bytes(b"no zip file")
    _, (remark,) = grade(tmp_path, of="class/bob.zip")
    assert "bob.json is about an earlier submission." in remark


# --- late -------------------------------------------------------------------------------------------------------------


def test_a_penalty_changes_records_without_judging_again(course, tmp_path):
    out = copy_of(course, tmp_path)
    before = records(out)
    name = max(before, key=lambda name: before[name]["score"])
    student = before[name]["student"]
    policy = tmp_path / "late.toml"
    text = "deadline = 2026-01-01T12:00:00Z\nper_day = {}\n[submitted]\n{} = 2026-01-03T12:00:00Z\n"
    for per_day, off in ((0.1, 0.2), (0.2, 0.4)):
        policy.write_text(text.format(per_day, json.dumps(student)))
        told = course.grade(out, "--late", policy, remarks=1)
        assert told.count("unchanged since the last run") == COUNT
        assert f"late: {off:.0%} off" in told
        found = records(out)[name]
        assert found["penalty"] == pytest.approx(off)
        assert found["final_score"] == pytest.approx((1 - off) * found["score"], abs=0.01)
        assert any("late" in note for note in found["notes"])
    course.grade(out, remarks=1)
    assert records(out) == before, "without a policy it is as it was, to the second"
    course.grade(out)


def test_a_policy_that_takes_nothing_off_says_so(tmp_path):
    hand_in_class(tmp_path, ada=CHAPTER, bob=CHAPTER)
    deadline = datetime(2026, 1, 1, tzinfo=UTC)
    times = {name: deadline + timedelta(days=1) for name in ("ada", "bobb")}
    policy = late.Policy(deadline, per_day=0.5, extensions={"eve": deadline}, submitted=times)
    for _ in range(2):  # also where nothing is judged
        ended, (unused, untimed) = grade(tmp_path, policy=policy)
        assert [one.record.penalty for one in ended] == [0.5, 0]
        assert 'nobody here: extensions."eve", submitted."bobb".' in unused
        assert untimed.startswith("1 of 2 records had nothing taken off")
        assert "[submitted]" in untimed
    times["bob"] = times.pop("bobb")
    assert grade(tmp_path, policy=late.Policy(deadline, per_day=0.5, submitted=times))[1] == []


@pytest.mark.parametrize("again", [False, True])
def test_to_leave_the_policy_out_is_told_where_it_wipes_penalties(tmp_path, again):
    hand_in_class(tmp_path, ada=CHAPTER, bob=CHAPTER)
    deadline = datetime(2026, 1, 1, tzinfo=UTC)
    policy = late.Policy(deadline, per_day=0.5, submitted=dict.fromkeys(("ada", "bob"), deadline + timedelta(days=1)))
    assert grade(tmp_path)[1] == []
    assert grade(tmp_path, policy=policy)[1] == []
    _, (remark,) = grade(tmp_path, again=again)
    assert "Without --late, nothing is taken off any more in 2 records" in remark
    assert "Run it again with --late" in remark


# --- progress ---------------------------------------------------------------------------------------------------------


def test_a_file_that_cannot_be_read_costs_nobody_else_anything(tmp_path):
    (tmp_path / "class").mkdir()
    for name, constant in {"ada": "0x1", "bob": f"0x{'f' * 5000}"}.items():
        (tmp_path / "class" / f"{name}_ch03_activations.py").write_text(f"def relu(x):\n    return {constant}\n")
    done = kata("grade", "class", "--out", "out", "--only", "relu", cwd=tmp_path)
    assert "Traceback" not in done.err
    told = {name: found["exercises"][0]["message"] for name, found in records(tmp_path / "out").items()}
    assert told.keys() == {"ada_ch03_activations.json", "bob_ch03_activations.json"}
    assert told["bob_ch03_activations.json"].endswith("line 1: a number is too long here.")


def test_what_the_kit_fails_on_is_told_and_costs_nobody_else_anything(tmp_path, monkeypatch):
    for name in ("ada", "bob"):
        (tmp_path / f"{name}.py").write_text("def conv_output_size(n, f, p, s):\n    return 1\n")
    monkeypatch.setattr(Handin, "read", lambda self: 1 / 0)
    ended = []
    Grading("a secret", NoEngine(), tmp_path / "out").run([tmp_path], ended.append)
    assert [one.name for one in ended] == ["ada", "bob"]
    assert all("the grader failed on it: ZeroDivisionError" in one.problem.defect for one in ended)


class NoEngine:
    """Judges nothing."""

    def run(self, *_):
        raise AssertionError("nothing is to be judged")


def test_progress_counts_what_is_done_running_and_failed_and_knows_when_it_ends():
    now = [100.0]
    at = Progress(clock=lambda: now[0])
    at.expect(12)
    for name in "ab":
        at.ended(name, unchanged=True)
    assert at.line() == "2 of 12 done, 0 running, 0 failed, 2 unchanged"
    now[0] += 50  # what was there already says nothing about how fast it goes
    for name in "cdef":
        at.started(name)
    now[0] += 4
    at.ended("c")
    at.ended("d", failed=True)
    at.judged("e", ExerciseResult("ch10_shapes.dense_params", 1.0, status=PASSED))
    assert at.line() == "4 of 12 done, 2 running, 1 failed, 2 unchanged, 30.0 per minute, 16 s left"
    assert "e: ch10_shapes.dense_params passed" in at.display().plain


def test_a_time_is_told_as_people_tell_it():
    told = {35: "35 s", 99: "99 s", 100: "2 min", 3500: "58 min", 3600: "1 h 0 min", 7500: "2 h 5 min"}
    assert {seconds: progress.duration(seconds) for seconds in told} == told


def test_a_log_file_gets_plain_lines_now_and_then():
    told, at = io.StringIO(), Progress()
    at.expect(3)
    with progress.shown(at, Console(file=told, width=120), interval=0.01):
        while told.getvalue().count("\n") < 2:
            time.sleep(0.01)
    assert "\x1b" not in told.getvalue()
    assert "0 of 3 done, 0 running, 0 failed" in told.getvalue()

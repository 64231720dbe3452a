"""Hostile submissions, one module each in `attacks/`: none gains a point, reads a secret, harms another, outlives its
deadline, or leaves a process or a file behind.

attacks/limits : limits and deadlines hold them, under every kind of isolation
attacks/isolation : only isolation holds them; that the limits alone do not is shown too, and told in the README
attacks/machine : the same, but the machine that runs the tests would suffer where they succeed: never run without
attacks/rules : no process can tell them from right answers; the rules refuse what they are written like

The rules would refuse most of the others too, before they run. For these they are off: the worker must hold.
An attack says BREACH where it did what it must not be able to do.
"""

from __future__ import annotations

import ast
import contextlib
import ctypes
import functools
import json
import os
import secrets
import socket
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pytest
from build import SECRET, exercise, oracle, solved
from faces import KATA, escape_free, found_in, records, run

from grader import catalogue, kit, rules
from grader.judge import Judge
from grader.result import PASSED, STATUSES
from grader.submission import Module, Submission
from grader.worker.guest.limits import PR_SET_CHILD_SUBREAPER
from grader.worker.host import Limits, Worker
from grader.worker.isolation import GUEST, KINDS, Isolation, LimitsOnly, choose, obstacles

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="isolation is Linux's, as the attacks are")

FOLDER = Path(__file__).parent / "attacks"
BRISK = Limits(load=3, compile=30, call=1.0, exercise=20)
BESIDE = {"ch08_evaluation": "kfold_data", "ch03_activations": "tanh"}  # right functions of the modules attacked
ELSEWHERE = "conv_output_size"  # a right function of another module, by the same student
SPOILED = {"exits_on_import", "hangs_on_import"}  # attacks that take their own module along
INNOCENT = Submission("innocent", {"ch08_evaluation": Module("ch08_evaluation.py", solved("ch08_evaluation"))})


def attacks(kind: str) -> list[str]:
    return sorted(path.stem for path in (FOLDER / kind).glob("*.py"))


RULES = {name: getattr(rules, name) for name in ("breach", "is_numbas")}
LONG = bool(os.environ.get("DEEPKATA_LONG"))
HELD_BY_LIMITS, HELD_BY_ISOLATION = attacks("limits"), attacks("isolation") + attacks("machine")


@functools.cache
def worker(kind: str) -> Worker:
    """One worker for all attacks on a kind of isolation: what one of them leaves behind would show in the next."""
    isolation: Isolation = LimitsOnly() if kind == "limits" else KINDS[kind]
    return Worker(isolation)


# --- what there is to be stolen, and what there is to be spoiled ------------------------------------------------------


@dataclass
class Surroundings:
    """A grader's machine in small: folders of its own, secrets in all the usual places, services that listen."""

    folder: Path
    tokens: list[str]
    secret_files: list[Path]
    public_file: Path
    mark: str
    targets: str

    def told(self, text: str) -> list[str]:
        """Which of the secrets a text tells."""
        return [token for token in self.tokens if token in text]

    def files(self) -> set[str]:
        """All there is in the grader's own folders, and what bears the attacks' mark anywhere else."""
        folders = [path for path in self.folder.iterdir() if path.name != "workers"]
        own = {str(path) for folder in folders for path in (folder, *folder.rglob("*"))}
        places = [*POISONABLE, "/tmp", "/dev/shm", "/run", str(self.folder)]
        return own | {str(found) for place in places for found in Path(place).glob(f"{self.mark}*")}

    def mend(self) -> None:
        """Undo what an attack did that nothing was to hold."""
        self.public_file.write_text(PUBLIC, encoding="utf-8")
        self.public_file.chmod(0o644)

    def unharmed(self) -> bool:
        """Whether the secrets are as they were, and the public file too."""
        told = [path.read_text(encoding="utf-8") for path in self.secret_files]
        stat, text = self.public_file.stat(), self.public_file.read_text(encoding="utf-8")
        as_before = (stat.st_mode & 0o777, stat.st_uid, text) == (0o644, os.getuid(), PUBLIC)
        return as_before and told == self.tokens[: len(told)]


PUBLIC = "for everybody"
KIT_FOLDERS = [str(kit.SOLUTIONS), str(kit.ROOT / "grader")]
POISONABLE = [*KIT_FOLDERS, str(GUEST), str(Path(pytest.__file__).parent), str(Path(tempfile.__file__).parent)]


@pytest.fixture(scope="module")
def surroundings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Surroundings]:
    oracle()  # its worker lies where the other tests' things lie
    folder, mark = tmp_path_factory.mktemp("grading"), f"attack-{secrets.token_hex(6)}"
    for name in ("home", "out", "workers", "here"):
        (folder / name).mkdir()
    kit_folder = kit.SOLUTIONS if os.access(kit.SOLUTIONS, os.W_OK) else folder
    planted = kit_folder / f"canary-{secrets.token_hex(6)}.txt"
    secret_files = [planted, folder / "seed.txt", folder / "home" / "notes.txt", folder / "out" / "somebody.json"]
    public_file = folder / "public.txt"
    tokens = [secrets.token_hex(16) for _ in range(len(secret_files) + 2)]
    memory = ctypes.create_string_buffer(tokens[-1].encode())
    with pytest.MonkeyPatch.context() as patch, listening(folder / "service") as (port, abstract):
        for path, token in zip(secret_files, tokens, strict=False):
            path.write_text(token, encoding="utf-8")
        patch.setenv("COURSE_SECRET", tokens[-2])
        patch.setenv("HOME", str(folder / "home"))
        patch.chdir(folder / "here")
        patch.setattr(tempfile, "tempdir", str(folder / "workers"))
        patch.setattr(rules, "breach", lambda *_: None)
        patch.setattr(rules, "is_numbas", lambda *_: True)
        targets = {
            "SECRET_FILES": [str(path) for path in secret_files],
            "PUBLIC_FILE": str(public_file),
            "KIT_FOLDERS": KIT_FOLDERS,
            "POISONABLE": POISONABLE,
            "MARK": mark,
            "HOST": os.getpid(),
            "ADDRESS": ctypes.addressof(memory),
            "SIZE": len(tokens[-1]),
            "PORT": port,
            "SOCKET": str(folder / "service"),
            "ABSTRACT": abstract,
        }
        text = "".join(f"{name} = {value!r}\n" for name, value in targets.items())
        made = Surroundings(folder, tokens, secret_files, public_file, mark, text)
        made.mend()
        yield made
        for kind in ("limits", *KINDS):
            worker(kind).close()
        left = list((folder / "workers").iterdir())
        planted.unlink()
        for place in POISONABLE:
            for poison in Path(place).glob(f"{mark}*"):
                poison.unlink()
    assert left == []


@contextlib.contextmanager
def listening(path: Path) -> Iterator[tuple[int, str]]:
    """Services of this machine that nobody should reach: a TCP port, a Unix socket, and an abstract one's name."""
    name = f"attack-{secrets.token_hex(6)}"
    with socket.socket() as tcp, socket.socket(socket.AF_UNIX) as unix, socket.socket(socket.AF_UNIX) as hidden:
        tcp.bind(("127.0.0.1", 0))
        unix.bind(str(path))
        hidden.bind("\0" + name)
        for service in (tcp, unix, hidden):
            service.listen()
        yield tcp.getsockname()[1], name


@pytest.fixture(scope="module", autouse=True)
def adopting() -> Iterator[None]:
    """Make every process that loses its parent a child of this one, so that none gets out of sight."""
    libc = ctypes.CDLL(None)
    libc.prctl(PR_SET_CHILD_SUBREAPER, 1)
    yield
    libc.prctl(PR_SET_CHILD_SUBREAPER, 0)


def descendants(pid: int | str = "self") -> list[int]:
    """The processes below one that still run; one that only waits to be reaped does not."""
    found = []
    with contextlib.suppress(OSError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            for child in (task / "children").read_text().split():
                found += descendants(child)
                if (Path("/proc") / child / "stat").read_text().rpartition(")")[2].split()[0] != "Z":
                    found.append(int(child))
    return found


def settled(count: int) -> bool:
    """Whether there are no more processes than before, a moment after the last one was told to end."""
    end = time.monotonic() + 10
    while len(descendants()) > count and time.monotonic() < end:
        time.sleep(0.02)
    return len(descendants()) <= count


# --- the attack -------------------------------------------------------------------------------------------------------


def hostile(kind: str, name: str, targets: str) -> tuple[Submission, str]:
    """The submission of an attack, which is right but for the function that attacks, and that function's name."""
    text = (FOLDER / kind / f"{name}.py").read_text(encoding="utf-8")
    known = {exercise.name: exercise for exercise in catalogue.exercises().values()}
    functions = [node.name for node in ast.parse(text).body if isinstance(node, ast.FunctionDef)]
    (attacked,) = known.keys() & set(functions)
    module, other = known[attacked].module, exercise(ELSEWHERE).module
    modules = {
        module: Module(f"{module}.py", solved(module, {attacked: text})),
        other: Module(f"{other}.py", solved(other)),
        "targets": Module("targets.py", targets),
    }
    return Submission("hostile", modules), attacked


def judged(kind: str, handed_in: Submission, *names: str) -> list[dict[str, Any]]:
    """The results, without the time they took."""
    with Judge(handed_in, worker(kind), oracle(), SECRET, BRISK) as judge:
        results = [asdict(result) for result in judge.results([exercise(name) for name in names])]
    for result in results:
        del result["seconds"]
        for case in result["cases"]:
            del case["seconds"]
    return results


@functools.cache
def alone(kind: str, name: str) -> dict[str, Any]:
    """What a right function gets that has no attack beside it."""
    module = exercise(name).module
    (result,) = judged(kind, Submission("alone", {module: Module(f"{module}.py", solved(module))}), name)
    assert result["status"] == PASSED
    return result


def attack(surroundings: Surroundings, kind: str, folder: str, name: str) -> list[str]:
    """Run an attack between right functions, and show what it must not change; which breaches it tells of."""
    handed_in, attacked = hostile(folder, name, surroundings.targets)
    beside = BESIDE[exercise(attacked).module]
    expected = [alone(kind, beside), alone(kind, ELSEWHERE)]
    surroundings.mend()
    files, processes = surroundings.files(), len(descendants())

    result, *others = judged(kind, handed_in, attacked, beside, ELSEWHERE)
    (later,) = judged(kind, INNOCENT, BESIDE["ch08_evaluation"])

    assert result["status"] in STATUSES
    assert (result["status"] == PASSED, result["score"]) == (False, 0.0), result
    assert others[name in SPOILED :] == expected[name in SPOILED :]
    assert later == alone(kind, BESIDE["ch08_evaluation"])
    assert settled(processes)
    assert surroundings.unharmed()
    told = json.dumps([result, *others])
    if kind != "limits":
        assert surroundings.files() == files
        assert not surroundings.told(told)
    assert all(character.isprintable() or character in "\n\t" for character in texts(result))
    return breaches(result)


def breaches(result: dict[str, Any]) -> list[str]:
    return [line for line in result["output"].splitlines() if "BREACH" in line]


def texts(result: dict[str, Any]) -> str:
    """All that a record tells in words."""
    words = [result[field] for field in ("status", "message", "help", "mistake", "output")]
    return "".join([*words, *(case["message"] for case in result["cases"])])


@pytest.mark.parametrize("name", HELD_BY_LIMITS)
@pytest.mark.parametrize("kind", ["limits", *KINDS])
def test_an_attack_is_held_everywhere(surroundings, kind, name):
    skip_unless_there(kind)
    if kind == "landlock" and not LONG and not obstacles()["bubblewrap"]:
        pytest.skip("the limits are those that held under bubblewrap: run it with DEEPKATA_LONG=1")
    assert attack(surroundings, kind, "limits", name) == []


@pytest.mark.parametrize("name", HELD_BY_ISOLATION)
@pytest.mark.parametrize("kind", KINDS)
def test_an_attack_is_held_by_isolation(surroundings, kind, name):
    skip_unless_there(kind)
    if (kind, name) == ("landlock", "bombs_with_threads") and os.geteuid() != 0:
        pytest.skip("not held: the kernel counts threads by user, and Landlock gives no user of one's own")
    folder = "machine" if (FOLDER / "machine" / f"{name}.py").exists() else "isolation"
    assert attack(surroundings, kind, folder, name) == []


@pytest.mark.parametrize("name", attacks("rules"))
def test_an_attack_is_held_by_the_rules(surroundings, name):
    handed_in, attacked = hostile("rules", name, surroundings.targets)
    (let_through,) = judged("limits", handed_in, attacked)
    assert let_through["status"] == PASSED
    with pytest.MonkeyPatch.context() as patch:
        for rule, check in RULES.items():
            patch.setattr(rules, rule, check)
        (refused,) = judged("limits", handed_in, attacked)
    assert (refused["status"] == PASSED, refused["score"]) == (False, 0)


def setting(path: str) -> str:
    """A setting of this machine's kernel; "0" where it has none."""
    with contextlib.suppress(OSError):
        return Path("/proc/sys/kernel", path).read_text(encoding="ascii").strip()
    return "0"


OTHERWISE_HELD = {  # attack -> whether the machine itself may forbid it, whatever wraps it
    **dict.fromkeys(
        ("traces_its_parent", "reads_the_graders_memory", "copies_the_graders_memory"), "yama/ptrace_scope"
    ),
    "uses_io_uring": "io_uring_disabled",
}


@pytest.mark.parametrize("name", attacks("isolation"))
def test_limits_alone_do_not_hold_it(surroundings, name):
    """If one of these fails, limits have become better than the README says."""
    if setting(OTHERWISE_HELD.get(name, "")) != "0" and os.geteuid() != 0:
        pytest.skip(f"this machine forbids it to everybody: kernel.{OTHERWISE_HELD[name]}")
    handed_in, attacked = hostile("isolation", name, surroundings.targets)
    (result,) = judged("limits", handed_in, attacked)
    assert result["score"] == 0
    assert breaches(result)


# --- a whole class ----------------------------------------------------------------------------------------------------

CLASS = (
    *("limits/ends_its_process", "limits/injects_into_reports", "limits/locks_its_folder"),
    *("isolation/reads_secret_files", "isolation/opens_a_listener", "isolation/leaves_a_daemon"),
)
COMPILED = {one.name: "" for one in catalogue.exercises().values() if one.module == "ch08_evaluation" and one.compiled}
EVIL = "=HYPERLINK('evil') <script>alert(1)<|script> \x1b[2J \u202exe"


def test_a_class_with_hostile_students_in_it(surroundings):
    """As a learning platform hands it out, through the command line, with the rules in force."""
    folder = surroundings.folder / "class"
    for number, name in enumerate((*CLASS, "", EVIL)):
        student = folder / f"{name.rpartition('/')[2] or 'honest'}_{number}_assignsubmission_file_"
        student.mkdir(parents=True)
        attack = (FOLDER / f"{name}.py").read_text(encoding="utf-8") if name in CLASS else None
        text = solved("ch08_evaluation", COMPILED | ({"temporal_split": attack} if attack else {}))
        (student / "ch08_evaluation.py").write_text(text, encoding="utf-8")
        (student / "targets.py").write_text(surroundings.targets, encoding="utf-8")
    out, page, table = (surroundings.folder / "here" / name for name in ("out", "page.html", "table.csv"))
    surroundings.mend()
    processes = len(descendants())

    workers = {"TMPDIR": str(surroundings.folder / "workers")}
    seed = "--seed-file", surroundings.secret_files[1]
    grade = run(*KATA, "grade", folder, "--out", out, *seed, "--isolation", "auto", cwd=folder, **workers)
    report = run(*KATA, "report", out, "--html", page, "--csv", table, cwd=folder)

    assert (grade.code, report.code) == (0, 0), grade.err + report.err
    found = {record["student"].partition(" (")[0]: record for record in records(out).values()}
    assert len(found) == len(CLASS) + 2
    right = marks(found["honest"])
    assert right["ch08_evaluation.temporal_split"] == right["ch08_evaluation.kfold_data"] == PASSED
    for name, record in found.items():
        expected = dict(right)
        if any(name == attack.rpartition("/")[2] for attack in CLASS):
            assert found_in(record, "temporal_split")["score"] == 0
            expected.pop("ch08_evaluation.temporal_split")
        assert {key: status for key, status in marks(record).items() if key in expected} == expected, name
    written = [path.read_text(encoding="utf-8") for path in (*out.glob("*.json"), page, table)]
    confined = choose("auto").name != "limits"
    assert not confined or not surroundings.told("".join([*written, grade.out, grade.err]))
    assert escape_free(grade.out + grade.err + report.out)
    assert "<script>alert" not in written[-2]
    assert not [line for line in written[-1].splitlines() if line.startswith(("=", '"='))]
    assert settled(processes)
    assert surroundings.unharmed()


def marks(record: dict[str, Any]) -> dict[str, str]:
    """What became of each exercise of the chapter that was handed in."""
    return {one["id"]: one["status"] for one in record["exercises"] if one["id"].startswith("ch08_evaluation.")}


def skip_unless_there(kind: str) -> None:
    if kind != "limits" and obstacles()[kind]:
        pytest.skip(f"{kind}: {obstacles()[kind]}")

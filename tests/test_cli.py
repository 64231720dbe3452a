"""The `kata` command, as it is typed: what it prints, what it writes, how it exits."""

from __future__ import annotations

import functools
import json
import signal
import subprocess
import time
from pathlib import Path

import pytest
from faces import KATA, escape_free, found_in, hand_in, hand_in_relu, kata, kit_copy, records, stub_of, written

from grader import catalogue, kit
from grader.result import SCHEMA, STATUSES, Record

RIGHT = "@njit\ndef relu(x):\n    return np.maximum(x, np.float32(0))\n"
MIRRORS = "@njit\ndef relu(x):\n    return np.abs(x)\n"
REMARKED = "@njit\ndef relu(x):\n    # my own remark\n    return np.abs(x)\n"
BACKWARD = "@njit\ndef relu_backward(dy, x):\n    return np.where(x > 0, dy, np.float32(0))\n"
IN_PYTHON = "def relu(x):\n{body}\n    return np.maximum(x, np.float32(0))\n"
MAX_SCORE = sum(exercise.points for exercise in catalogue.exercises().values())
RELU_POINTS = catalogue.exercises()["ch03_activations.relu"].points


def is_one_plain_line(run, *words: str) -> bool:
    """Whether bad input got what it should: exit code 2, one line that says these words, and no traceback."""
    assert run.code == 2, run
    assert len(run.told) == 1, run.err
    assert "Traceback" not in run.out + run.err
    assert all(word in run.err for word in words), run.err
    return True


# --- grade ------------------------------------------------------------------------------------------------------------


def test_untouched_stubs_are_to_do_and_no_failure(tmp_path):
    run = kata("grade", hand_in(tmp_path / "exercises"), "--out", tmp_path / "out", cwd=tmp_path)
    assert (run.code, run.err) == (0, "")
    assert f"0 of {MAX_SCORE:g} points" in run.out
    record = records(tmp_path / "out")["exercises.json"]
    assert record["score"] == 0
    assert {result["status"] for result in record["exercises"]} == {"todo"}
    assert [result["id"] for result in record["exercises"]] == list(catalogue.exercises())


def test_a_class_is_graded_into_one_record_each_and_resumed_where_something_changed(tmp_path):
    hand_in_relu(tmp_path / "class" / "ada", RIGHT)
    hand_in_relu(tmp_path / "class" / "bob", MIRRORS)
    (tmp_path / "class" / "notes.txt").write_text("no submission")
    grade = functools.partial(kata, "grade", tmp_path / "class", "--out", tmp_path / "out", cwd=tmp_path)

    first = grade()
    assert (first.code, first.err) == (0, "")
    before = records(tmp_path / "out")
    assert list(before) == ["ada.json", "bob.json"]
    assert before["ada.json"]["score"] == RELU_POINTS
    for name, record in before.items():
        assert record["schema"] == SCHEMA
        assert record["submission"] == name.removesuffix(".json")
        assert record["max_score"] == MAX_SCORE
        assert record["kit_version"] == kit.version()
        assert record["score"] == sum(result["score"] for result in record["exercises"])
        assert {result["status"] for result in record["exercises"]} <= set(STATUSES)
        assert Record.from_json(record).to_json() == record
    bob = found_in(before["bob.json"], "relu")
    assert (bob["status"], bob["mistake"], bob["score"]) == ("failed", "mirrors_negatives", 0)

    assert grade().out.count("unchanged since the last run") == 2
    assert records(tmp_path / "out") == before

    hand_in_relu(tmp_path / "class" / "bob", RIGHT)
    again = grade()
    assert again.out.count("unchanged since the last run") == 1
    after = records(tmp_path / "out")
    assert after["ada.json"] == before["ada.json"]
    assert found_in(after["bob.json"], "relu")["status"] == "passed"


def test_another_secret_grades_again(tmp_path):
    hand_in(tmp_path / "ada")
    (tmp_path / "secret").write_text("nobody guesses this")
    kata("grade", "ada", "--out", "out", cwd=tmp_path)
    run = kata("grade", "ada", "--out", "out", "--seed-file", "secret", cwd=tmp_path)
    assert run.code == 0
    assert "unchanged" not in run.out
    assert "nobody guesses this" not in run.out + (tmp_path / "out" / "ada.json").read_text()


def test_submissions_of_one_name_get_a_record_each(tmp_path):
    """In two folders, and as a module beside a notebook: nobody's work is written over."""
    for group in ("monday", "friday"):
        hand_in(tmp_path / group / "ada")
    text = stub_of("ch03_activations")
    cell = {"cell_type": "code", "source": text}
    (tmp_path / "bob_ch03_activations.py").write_text(text)
    (tmp_path / "bob_ch03_activations.ipynb").write_text(json.dumps({"cells": [cell]}))
    two = kata("grade", "monday/ada", "friday/ada", "monday/ada", "--out", "folders", cwd=tmp_path)
    assert two.code == 0
    assert list(records(tmp_path / "folders")) == ["friday-ada.json", "monday-ada.json"]
    files = kata("grade", "bob_ch03_activations.py", "bob_ch03_activations.ipynb", "--out", "files", cwd=tmp_path)
    assert files.code == 0
    assert len(records(tmp_path / "files")) == 2
    chapter = [exercise.id for exercise in catalogue.select(["ch03_activations"])]
    for record in records(tmp_path / "files").values():
        assert [result["id"] for result in record["exercises"]] == chapter  # a file answers for its own chapter only


def test_a_submission_that_cannot_be_read_does_not_stop_the_others(tmp_path):
    """Nor is it passed over: its author's folder is named."""
    hand_in(tmp_path / "class" / "ada")
    hand_in(tmp_path / "class" / "bob" / "too" / "deep")
    (tmp_path / "class" / "carl.ipynb").write_text("{")
    run = kata("grade", "class", "--out", "out", cwd=tmp_path)
    assert run.code == 2
    assert list(records(tmp_path / "out")) == ["ada.json"]
    assert [("bob" in line, "carl" in line) for line in run.told] == [(True, False), (False, True)]
    assert "Traceback" not in run.err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nowhere"], ["There is no submission at", "nowhere"]),
        (["ada", "--seed-file", "nowhere"], ["seed file nowhere cannot be read"]),
        (["ada", "--seed-file", "ada"], ["seed file ada cannot be read"]),
        (["ada", "--seed-file", "empty"], ["seed file empty is empty"]),
        (["ada", "--seed-file", "binary"], ["seed file binary is not text"]),
        (["ada", "--out", "empty/out"], ["Records cannot be written to empty/out", "Choose another folder"]),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_bad_input_to_grade_gets_one_line(tmp_path, arguments, words):
    hand_in(tmp_path / "ada")
    (tmp_path / "empty").write_text(" \n")
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00")
    assert is_one_plain_line(kata("grade", *arguments, cwd=tmp_path), *words)


def test_a_wrong_option_is_told_with_the_right_ones(tmp_path):
    run = kata("grade", hand_in(tmp_path / "ada"), "--isolation", "total", cwd=tmp_path)
    assert run.code == 2
    assert all(word in run.err for word in ("--isolation", "total", "auto", "required", "none"))
    assert "Traceback" not in run.err


def test_hidden_numbers_appear_nowhere_in_a_record(tmp_path):
    """Code that fails on hidden inputs only, and tells them in every way it has."""
    tells = "    if x.size == 0 or x.max() > 100:\n        print('told', x.sum())\n        raise ValueError('told')"
    returns = "    if x.size and np.abs(x).max() > 100:\n        return x * 3"
    hand_in_relu(tmp_path / "tells", "@njit\n" + IN_PYTHON.format(body=tells))
    hand_in_relu(tmp_path / "returns", "@njit\n" + IN_PYTHON.format(body=returns))
    run = kata("grade", "tells", "returns", "--out", "out", cwd=tmp_path)
    assert run.code == 0
    for name, became in (("tells", "raises an exception"), ("returns", "is wrong")):
        result = found_in(records(tmp_path / "out")[f"{name}.json"], "relu")
        assert result["status"] != "passed"
        assert f"it {became} on a hidden one" in result["message"]
        assert result["output"] == ""
        assert {case["message"] for case in result["cases"] if case["hidden"]} == {""}
        texts = json.dumps([result["message"], result["help"], [case["case"] for case in result["cases"]]])
        assert "told" not in texts
        assert "e+30" not in texts
        assert "1000000" not in texts


# --- what comes from a student ----------------------------------------------------------------------------------------


def test_nothing_of_a_students_is_obeyed_by_the_terminal(tmp_path):
    r"""Escape sequences from output, exceptions, source lines and folder names, and rich's own [markup]."""
    prints = (
        "    print('\\x1b[31mred\\x1b]0;title\\x07 [bold red]bold[/bold red]')\n    raise ValueError('\\x1b[2J [/]')"
    )
    folder = hand_in_relu(tmp_path / "[bold]ada", IN_PYTHON.format(body=prints))
    broken = stub_of("ch05_dense").replace('"""The dense', '\x1b[31m [blink] = (\n"""The dense')
    (folder / "ch05_dense.py").write_text(broken)
    graded, checked = kata("grade", folder, cwd=tmp_path), kata("check", f"{folder}/", cwd=tmp_path)
    for run in (graded, checked):
        assert run.code == 0, run
        assert escape_free(run.out + run.err)
        assert "[bold red]bold[/bold red]" in run.out
        assert "[blink]" in run.out
    assert "[bold]ada  0 of" in graded.out


# --- check ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["rellu"], ["no exercise or chapter called 'rellu'", "Did you mean relu?"]),
        (["ch03_activation"], ["Did you mean ch03_activations?"]),
        (["qwertyuiop"], ["no exercise or chapter", "Run `kata` for a list."]),
        (["nowhere/ch03_activations.py"], ["no file or folder nowhere/ch03_activations.py"]),
        (["empty"], ["none of the exercise modules"]),
        (["ada/ch03_activations.py", "bob/ch05_dense.py"], ["different folders"]),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_bad_input_to_check_gets_one_line(tmp_path, arguments, words):
    hand_in(tmp_path / "ada")
    hand_in(tmp_path / "bob")
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / "other.py").write_text("")
    assert is_one_plain_line(kata("check", *arguments, cwd=tmp_path), *words)


def test_check_tells_what_is_wrong_and_writes_what_grade_would_read(tmp_path):
    """A failure as in STYLE: the function, the index, both numbers, what was believed."""
    text = written("ch03_activations", relu=MIRRORS, relu_backward=BACKWARD)
    hand_in(tmp_path / "mine", {"ch03_activations": text})
    run = kata("check", "mine", "relu", "relu_backward", "--json", "out/record.json", cwd=tmp_path)
    assert (run.code, run.err) == (0, "")
    assert "✗ relu" in run.out
    assert "✓ relu_backward" in run.out
    assert "relu: y[0] should be 0.0, yours is 2.0" in run.out
    assert "→ You mirrored the negative values." in run.out
    assert "Public cases only; hidden cases are checked when you hand in." in run.out
    assert "then `kata check mine relu`" in run.out
    record = Record.read(tmp_path / "out" / "record.json")
    assert [(result.id, result.status) for result in record.exercises] == [
        ("ch03_activations.relu", "failed"),
        ("ch03_activations.relu_backward", "passed"),
    ]
    assert not any(case.hidden for result in record.exercises for case in result.cases)
    assert record.max_score == sum(result.points for result in record.exercises)


def test_a_path_means_its_folder_or_its_chapter(tmp_path):
    """A folder, a module in it, and a module under a name of the student's own."""
    hand_in_relu(tmp_path / "mine", RIGHT)
    (tmp_path / "ada_ch03_activations.py").write_text((tmp_path / "mine" / "ch03_activations.py").read_text())
    chapter = [exercise.id for exercise in catalogue.select(["ch03_activations"])]
    wanted = {
        "mine": list(catalogue.exercises()),
        "mine/ch03_activations.py": chapter,
        "ada_ch03_activations.py": chapter,
    }
    for path, ids in wanted.items():
        assert kata("check", path, "--json", "record.json", cwd=tmp_path).code == 0
        record = Record.read(tmp_path / "record.json")
        assert [result.id for result in record.exercises] == ids
        assert record.count("passed") == 1


IKJ = """
@njit
def matmul_ikj(a, b):
    c = np.zeros((a.shape[0], b.shape[1]), np.float32)
    for i in range(a.shape[0]):
        for k in range(a.shape[1]):
            for j in range(b.shape[1]):
                c[i, j] += a[i, k] * b[k, j]
    return c
"""


def test_bench_times_what_is_written_and_nothing_else(tmp_path):
    hand_in(tmp_path / "mine", {"ch20_speed": written("ch20_speed", matmul_ikj=IKJ)})
    run = kata("bench", "mine", "matmul_ikj", "matmul_blocked", "matmul_ijk", cwd=tmp_path)
    assert (run.code, run.err) == (0, "")
    timed, untouched = run.out.splitlines()
    assert "ratio" in timed
    assert "of 2 points" in timed
    assert "not written yet" in untouched
    told = kata("check", "mine", "matmul_ikj", cwd=tmp_path).out
    assert "✓ matmul_ikj" in told
    assert "matmul_ikj: right, at" in told
    assert is_one_plain_line(kata("bench", "relu", cwd=tmp_path), "grow with speed", "matmul_ikj")


def test_a_line_that_breaks_a_whole_file_is_told_once(tmp_path):
    broken = stub_of("ch03_activations").replace("import numpy", "imprt numpy")
    hand_in(tmp_path / "mine", {"ch03_activations": broken})
    run = kata("check", "mine", "ch03", cwd=tmp_path)
    assert run.out.count("imprt numpy as np") == 1
    assert run.out.count("error") > 5
    assert "then `kata check mine relu`" in run.out


def test_what_has_not_changed_is_not_run_again(tmp_path):
    """A recalled verdict carries the seconds of its first run, to the last digit; one that was run again cannot."""
    glorot = "def glorot_uniform(rng, fan_in, fan_out):\n    limit = bound(fan_in + fan_out)\n"
    glorot += "    return rng.uniform(-limit, limit, (fan_in, fan_out)).astype(np.float32)\n"
    dense = written("ch05_dense", glorot_uniform=glorot)
    dense = dense.replace("import numpy as np\n", "import numpy as np\n\nfrom exercises.tools import bound\n", 1)
    tools = "def bound(fans):\n    return ({} / fans) ** 0.5\n"
    losses = written("ch04_losses", last_layer_for="")
    folder = hand_in(tmp_path / "mine", {"ch05_dense": dense, "ch04_losses": losses, "tools": tools.format(6)})

    def seconds(*more: str) -> tuple[float, float]:
        run = kata("check", "mine", "glorot_uniform", "last_layer_for", "--json", "record.json", *more, cwd=tmp_path)
        assert run.code == 0, run.err
        unrelated, caller = Record.read(tmp_path / "record.json").exercises
        assert (caller.status, unrelated.status) == ("passed", "passed"), run.out
        return caller.seconds, unrelated.seconds

    first = seconds()
    assert seconds() == first
    (folder / "tools.py").write_text("# a comment changes nothing\n" + tools.format(6))
    assert seconds() == first
    (folder / "tools.py").write_text(tools.format("2 * 3"))
    changed = seconds()
    assert changed[0] != first[0], "glorot_uniform calls what was changed"
    assert changed[1] == first[1], "last_layer_for does not"
    again = seconds("--again")
    assert (again[0] != changed[0], again[1] != changed[1]) == (True, True)
    (folder / ".deepkata" / "verdicts.json").write_text("{broken")
    assert seconds()[0] != again[0], "a broken memory is an empty one"


def test_watching_ends_with_a_word_and_keeps_what_was_finished(tmp_path):
    """Ctrl-C is how it is meant to end; what a saved file changed is told before."""
    folder = hand_in_relu(tmp_path / "mine", MIRRORS)
    with subprocess.Popen(
        [*KATA, "check", "mine", "relu", "--watch"],
        cwd=tmp_path,
        text=True,
        bufsize=1,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as watching:
        assert watching.stdout is not None
        try:
            seen = until(watching.stdout, "Watching.")
            assert "You mirrored the negative values." in seen
            time.sleep(0.5)  # until the watch has begun; the word is printed just before
            hand_in_relu(folder, RIGHT)
            assert "✓ relu" in until(watching.stdout, "all passed", "1/1")
            watching.send_signal(signal.SIGINT)
            _, err = watching.communicate(timeout=60)
        finally:
            watching.kill()
    assert watching.returncode == 130
    assert err.strip() == "Stopped. What was finished is kept."


def until(stream, *words: str) -> str:
    """What a process prints up to a line that has one of these words."""
    seen = ""
    for line in stream:
        seen += line
        if any(word in line for word in words):
            return seen
    raise AssertionError(f"it ended before it said {words}: {seen}")


# --- the student's own kit --------------------------------------------------------------------------------------------


def test_the_student_finds_out_where_they_are_and_starts_over(tmp_path):
    """`kata`, `kata reset` and `kata sync` on a kit of their own."""
    root = kit_copy(tmp_path / "kit")
    mine = root / "exercises" / "ch03_activations.py"
    mine.write_text(written("ch03_activations", relu=REMARKED, relu_backward=BACKWARD))

    status = kata(cwd=tmp_path, root=root)
    assert status.code == 0
    assert all(chapter.title in status.out for chapter in catalogue.chapters())
    assert "Not checked since the last change: relu, relu_backward" in status.out
    assert kata("check", "relu", "relu_backward", cwd=tmp_path, root=root).code == 0
    status = kata(cwd=tmp_path, root=root)
    assert "Not checked" not in status.out
    assert "1 failed" in status.out
    assert "Next: mend relu in exercises/ch03_activations.py" in status.out

    refused = kata("sync", cwd=tmp_path, root=root)
    assert is_one_plain_line(refused, "exercises/ch03_activations.py holds work that a new stub would overwrite")
    assert "my own remark" in mine.read_text()

    assert is_one_plain_line(kata("reset", "ch03", cwd=tmp_path, root=root), "ch03 is a whole chapter")
    reset = kata("reset", "relu", cwd=tmp_path, root=root)
    assert reset.code == 0
    assert "relu is a stub again" in reset.out
    kept = root / "exercises" / ".deepkata" / "replaced" / "relu-1.py"
    assert "np.abs(x)" in kept.read_text()
    assert mine.read_text() == written("ch03_activations", relu_backward=BACKWARD)


# --- the rest ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (["doctor"], ["Python 3.", "numba", "`kata grade` isolates by", "data set mnist"]),
        (["lint"], [f"{len(catalogue.exercises())} exercises, nothing to mend."]),
        (["sync", "--check"], ["All stubs are in step."]),
        (["data", "status"], ["mnist"]),
        (["--help"], ["check", "grade", "doctor", "reset"]),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_command_says_what_it_is_asked(tmp_path, command, words):
    run = kata(*command, cwd=tmp_path, DEEPKATA_DATA="")  # the bundled samples: all real data takes four times as long
    assert (run.code, run.err) == (0, ""), run.out
    assert all(word in run.out for word in words), run.out
    assert "Status(" not in run.out
    assert escape_free(run.out)


def test_an_unknown_data_set_gets_one_line(tmp_path: Path):
    assert is_one_plain_line(kata("data", "fetch", "mnits", cwd=tmp_path), "mnist")

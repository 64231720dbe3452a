"""pytest as a face: the verdicts of `kata check`, one test per case, and untouched stubs as to do.

Every run is a real `pytest` in a process of its own, on a temporary copy of exercises/.
"""

from __future__ import annotations

import re
import sys
from collections import Counter
from pathlib import Path
from xml.etree import ElementTree

import pytest
from faces import Run, escape_free, found_in, hand_in, kata, run, stub_of, written

from grader import catalogue, submission
from grader.result import Record

MIRRORS = "@njit\ndef relu(x):\n    return np.abs(x)\n"
SPEAKS = 'def relu(x):\n    print("\\x1b[31mhere")\n    return x\n'
BACKWARD = "@njit\ndef relu_backward(dy, x):\n    return np.where(x > 0, dy, np.float32(0))\n"
LEAKY_RAISES = "def leaky_relu(x, alpha):\n    return x[0, 0, 0, 0, 0]\n"
RELU = catalogue.exercises()["ch03_activations.relu"]
RELU_BACKWARD = catalogue.exercises()["ch03_activations.relu_backward"]


def py_test(folder: Path, *arguments: object) -> Run:
    """Run pytest below a folder, with nothing of this repository's own configuration."""
    (folder / "pytest.ini").write_text("[pytest]\n")
    return run(sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-rA", *arguments, cwd=folder)


def counts(done: Run) -> dict[str, int]:
    """The numbers of pytest's last line."""
    last = done.out.strip().splitlines()[-1]
    return {word: int(number) for number, word in re.findall(r"(\d+) (passed|failed|todo|skipped|errors?)", last)}


def told(done: Run) -> list[str]:
    """The lines of the section with one line per exercise."""
    lines = done.out.splitlines()
    start = next(index for index, line in enumerate(lines) if re.fullmatch(r"-+ exercises -+", line))
    return [line for line in lines[start + 1 :] if line.startswith("  ")]


def test_untouched_stubs_are_to_do_and_no_failure(tmp_path):
    hand_in(tmp_path / "exercises")
    done = py_test(tmp_path, "exercises")
    assert done.code == 0, done.out
    assert counts(done) == {"todo": len(catalogue.exercises())}
    assert sorted(line.split()[1] for line in told(done)) == sorted(catalogue.exercises())
    assert {line.split()[2] for line in told(done)} == {"todo"}


def test_right_and_wrong_functions_are_told_case_by_case_as_kata_check_tells_them(tmp_path):
    text = written(
        "ch03_activations", relu=MIRRORS, relu_backward=BACKWARD, leaky_relu=LEAKY_RAISES, leaky_relu_backward=""
    )
    folder = hand_in(tmp_path / "exercises", {"ch03_activations": text})
    done = py_test(tmp_path, "exercises/ch03_activations.py", "--junitxml", "results.xml")
    assert kata("check", "exercises/ch03_activations.py", "--json", "record.json", cwd=tmp_path).code == 0
    record = Record.read(tmp_path / "record.json")

    assert done.code == 1
    assert "relu: y[0] should be 0.0, yours is 2.0" in done.out
    assert "→ You mirrored the negative values. ReLU cuts them to zero." in done.out
    assert "case: negatives, zero, positives (interpreted)" in done.out
    assert "Traceback" not in done.out

    statuses = {result.id: result.status for result in record.exercises}
    assert {line.split()[1]: line.split()[2] for line in told(done)} == statuses
    assert Counter(statuses.values()) == {"todo": 6, "passed": 2, "failed": 1, "error": 1}
    tests = ElementTree.parse(tmp_path / "results.xml").getroot().findall(".//testcase")
    outcome = {test.get("name"): {child.tag for child in test} - {"system-out"} for test in tests}
    for result in record.exercises:
        for case in result.cases:
            name = f"{result.id.rpartition('.')[2]}[{case.case}]"
            assert ("failure" in outcome[name]) == (case.status != "passed"), name
    for exercise in (RELU, RELU_BACKWARD):
        names = [name for name in outcome if name.startswith(f"{exercise.name}[")]
        assert names == [f"{exercise.name}[{case.rationale}]" for case in exercise.public_cases()]
    assert folder.joinpath("ch03_activations.py").read_text() == text


def test_a_syntax_error_is_one_failure_per_exercise_that_names_the_line(tmp_path):
    text = stub_of("ch05_dense")
    line = next(number for number, code in enumerate(text.splitlines(), 1) if code.startswith("def glorot_uniform"))
    broken = text.replace(
        "def glorot_uniform(rng, fan_in, fan_out):", "def glorot_uniform(rng, fan_in, fan_out: \x1b[31m"
    )
    hand_in(tmp_path / "exercises", {"ch05_dense": broken})
    done = py_test(tmp_path, "exercises/ch05_dense.py", "exercises/ch04_losses.py")
    per_module = Counter(exercise.module for exercise in catalogue.exercises().values())
    assert done.code == 1
    assert counts(done) == {"failed": per_module["ch05_dense"], "todo": per_module["ch04_losses"]}
    assert f"ch05_dense.py, line {line}: " in done.out
    assert "→ Python cannot read the file; mend this line first" in done.out
    assert "Traceback" not in done.out
    assert escape_free(done.out)


def test_a_deleted_function_and_a_changed_signature_are_failures_with_a_way_out(tmp_path):
    text = written("ch03_activations", relu="\n", tanh="def tanh(x, y):\n    return x\n")
    hand_in(tmp_path / "exercises", {"ch03_activations": text})
    done = py_test(tmp_path, "exercises", "-m", "relu or tanh")
    assert done.code == 1
    assert "has no function of that name." in done.out
    assert "→ Was it renamed or deleted? `kata reset relu` brings the stub back." in done.out
    assert "tanh: its arguments are (x, y), asked for is (x)" in done.out
    assert found_in({"exercises": [{"id": line.split()[1]} for line in told(done)]}, "tanh")


@pytest.mark.parametrize(
    ("selection", "names"),
    [
        (["-m", "relu"], ["relu"]),
        (["-m", "ch05_dense"], [e.name for e in catalogue.exercises().values() if e.module == "ch05_dense"]),
        (["-k", "perceptron"], ["perceptron"]),
        (["-m", "relu or mnist_mlp and not ch03_activations", "-k", "relu"], ["relu"]),
    ],
    ids=lambda value: " ".join(value),
)
def test_an_exercise_or_a_chapter_can_be_selected(tmp_path, selection, names):
    hand_in(tmp_path / "exercises")
    done = py_test(tmp_path, "exercises", "--strict-markers", *selection)
    assert (done.code, done.err) == (0, "")
    assert [line.split()[1].rpartition(".")[2] for line in told(done)] == names
    assert "PytestUnknownMarkWarning" not in done.out


def test_what_a_student_prints_is_shown_and_not_obeyed(tmp_path):
    hand_in(tmp_path / "exercises", {"ch03_activations": written("ch03_activations", relu=SPEAKS)})
    done = py_test(tmp_path, "exercises", "-m", "relu")
    assert done.code == 1
    assert re.search(r"you printed: .?\[31mhere", done.out)
    assert escape_free(done.out)


def test_what_is_no_exercise_stays_pytests_own_business(tmp_path):
    """Other tests run as ever, and a folder of tests never starts the engine."""
    tests = tmp_path / "tests"
    tests.mkdir()
    (tests / "test_own.py").write_text("def test_sum():\n    assert 1 + 1 == 2\n")
    (tests / "ch03_activations.py").write_text("raise SystemExit('imported')\n")
    done = py_test(tmp_path)
    assert done.code == 0, done.out
    assert counts(done) == {"passed": 1}
    assert "exercises" not in done.out


def test_a_folder_that_cannot_be_read_is_told_in_a_sentence(tmp_path):
    folder = hand_in(tmp_path / "exercises")
    for number in range(submission.MAX_FILES):
        (folder / f"m{number}.py").write_text("")
    done = py_test(tmp_path, "exercises/ch03_activations.py")
    assert done.code == 2
    assert f"holds more than {submission.MAX_FILES} modules. Give the submission's own folder only." in done.out
    assert "Traceback" not in done.out


def test_an_exercise_module_is_never_imported_by_pytest(tmp_path):
    """Not even one that is given by name, which pytest takes for a file of tests."""
    text = stub_of("ch03_activations") + "\n\nimport pathlib\npathlib.Path('imported').touch()\n"
    hand_in(tmp_path / "exercises", {"ch03_activations": text})
    assert py_test(tmp_path, "exercises/ch03_activations.py").code == 0
    assert not (tmp_path / "imported").exists()

"""A made-up class for the tests of the reports: records as `kata grade` writes them, of real exercises and mistakes."""

from __future__ import annotations

import random
from collections.abc import Sequence

from grader import catalogue, kit, words
from grader.exercise import Exercise
from grader.result import (
    BLOCKED,
    COMPILE_ERROR,
    COMPILED,
    CRASHED,
    ERROR,
    FAILED,
    INTERPRETED,
    PASSED,
    TIMEOUT,
    TODO,
    VIOLATION,
    CaseResult,
    ExerciseResult,
    Record,
)

FIRST = ("Ada", "Björn", "Chiara", "Dmitri", "Elif", "Fatima", "Grete", "Håkon", "Inés", "Jun", "Katrín", "Łukasz")
LAST = ("Okafor", "Müller", "Nguyễn", "O'Neill", "Şahin", "García Márquez", "Lindqvist", "Kowalska", "Tanaka", "Zhou")
HIDDEN = "one row, one column"
HOSTILE = {
    "student": '=HYPERLINK("http://evil.example","click")<script>document.title=\'owned\'</script>',
    "message": "relu: <img src=x onerror=\"document.title='owned'\"> \x1b[31mred\x1b[0m \u202etxt.exe",
    "output": "</pre><script>document.title='owned'</script>\x1b]0;owned\x07\x00\ud800 ]]>\ufffe",
}


def classroom(students: int = 40, seed: int = 7, chapters: Sequence[str] = ()) -> list[Record]:
    """The records of a class; the same for the same seed."""
    chance = random.Random(seed)
    exercises = catalogue.select(chapters)
    return [record(number, chance, exercises) for number in range(students)]


def record(number: int, chance: random.Random, exercises: Sequence[Exercise]) -> Record:
    """One student, with an ability of their own, who stops writing somewhere."""
    ability = min(0.98, max(0.15, chance.gauss(0.75, 0.2)))
    last = len(exercises) * min(1.0, max(0.02, chance.gauss(0.45 + 0.5 * ability, 0.2)))
    name = f"{FIRST[number % len(FIRST)]} {LAST[number * 7 // len(FIRST) % len(LAST)]}"
    results = [_result(exercise, ability, place < last, chance) for place, exercise in enumerate(exercises)]
    late = chance.random() < 0.15
    return Record(
        submission=f"s{number:04d}",
        kit_version=kit.version(),
        isolation="bubblewrap",
        exercises=results,
        submission_hash=f"{chance.getrandbits(256):064x}",
        exam_hash="e" * 64,
        notes=["Handed in 5 hours late."] if late else [],
        seconds=round(sum(result.seconds for result in results) + 2, 2),
        student=name,
        submitted=f"2026-11-{20 + late}T{chance.randrange(24):02d}:{chance.randrange(60):02d}:00+01:00",
        penalty=0.1 if late else 0.0,
    )


def hostile(exercises: Sequence[Exercise]) -> Record:
    """A student whose name, messages, help, printed lines and mistake's name want to be run."""
    made = record(0, random.Random(1), exercises)
    made.submission, made.student, made.notes = "hostile", HOSTILE["student"], [HOSTILE["message"]]
    made.submitted = "<script>document.title='owned'</script>"
    first, second = made.exercises[:2]
    first.status, first.score, first.message = FAILED, 0.0, HOSTILE["message"]
    first.help, first.output, first.mistake = HOSTILE["message"], HOSTILE["output"], "<b>bold</b>"
    first.cases = [CaseResult(HOSTILE["message"], FAILED, stage=INTERPRETED, message=HOSTILE["message"])]
    second.id, second.status = (
        "<script>document.title='owned'</script>.\"><img src=x onerror=alert(1)>\u202e\x07",
        ERROR,
    )
    second.message = HOSTILE["message"]
    return made


def _result(exercise: Exercise, ability: float, begun: bool, chance: random.Random) -> ExerciseResult:
    result = ExerciseResult(exercise.id, exercise.points, status=TODO)
    if not begun or chance.random() < 0.05:
        result.message, result.help = f"{exercise.name}: not written yet.", "Open the file and begin."
        return result
    result.seconds = round(chance.lognormvariate(0, 0.8), 3)
    result.cases = [CaseResult(case, PASSED, stage=COMPILED, seconds=0.01) for case in ("small", "a batch")]
    if chance.random() < ability:
        result.status, result.score = PASSED, exercise.points
        if exercise.speed is not None:
            result.ratio = round(chance.uniform(0.1, 1.2), 3)
            result.score = round(exercise.points * exercise.speed.share(result.ratio), 1)
            result.message, result.help = words.speed(exercise, result.ratio, result.score)
        return result
    _fail(exercise, result, chance)
    return result


def _fail(exercise: Exercise, result: ExerciseResult, chance: random.Random) -> None:
    name = exercise.name
    result.status = chance.choices((FAILED, COMPILE_ERROR, ERROR, TIMEOUT, CRASHED, VIOLATION), (70, 8, 12, 4, 2, 4))[0]
    if result.status == FAILED and exercise.requires and chance.random() < 0.2:
        result.status, result.message, result.help = words.blocked(exercise, ["relu"], "fails")
        assert result.status == BLOCKED
        return
    if result.status == FAILED:
        known = chance.choices(exercise.mistakes, [3.0**-place for place in range(len(exercise.mistakes))])
        result.mistake, result.help = known[0].name, known[0].belief
        if chance.random() < 0.2:
            result.cases.append(CaseResult(HIDDEN, FAILED, hidden=True, stage=COMPILED))
            result.message = words.hidden_failure(exercise, HIDDEN, FAILED)
            return
        result.message = f"{name}: result[0, 2] should be {chance.random():.4g}, yours is {chance.random():.4g}."
        result.output = "debug: x=3\n" * chance.randrange(3)
    else:
        result.message = {
            COMPILE_ERROR: f"{name}: numba cannot use the global scale ({exercise.module}.py, line 40).",
            ERROR: f"{name}: IndexError at {exercise.module}.py, line 41: `y[i + 1]`: index 4 is out of bounds.",
            TIMEOUT: f"{name}: still running after 5 s. It was at {exercise.module}.py, line 44: `while i >= 0:`.",
            CRASHED: f"{name}: it crashed on memory that is not its own (segmentation fault).",
            VIOLATION: f"{name}: {exercise.module}.py, line 44 uses np.cumsum, which does what is asked of you here.",
        }[result.status]
        result.help = "Look at that line once more: what is in the array there, and how long is it?"
    result.cases.append(CaseResult("negatives, zero, positives", result.status, stage=INTERPRETED))

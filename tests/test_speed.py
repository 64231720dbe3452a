"""Points that grow with speed: how a ratio becomes points, and how it is measured."""

import dataclasses
import itertools
import time

import build
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader import kit
from grader.draw import Draw
from grader.exercise import Case
from grader.judge import Judge
from grader.memory import Memory
from grader.result import FAILED, PASSED, TODO
from grader.speed import FULL, RIGHT_SHARE, Speed
from grader.stopwatch import Stopwatch, Timing, Wrong
from grader.verdict import Verdict
from grader.worker.answer import Returned
from grader.worker.host import Limits, Session

PATIENT = Limits()
SOLVED = build.solved("ch05_dense")
LAZY = """
@njit
def matmul(a, b):
    waste = np.float32(0)
    for _ in range({times}):
        for i in range(a.shape[0]):
            for j in range(b.shape[1]):
                for k in range(a.shape[1]):
                    waste += a[i, k] * b[k, j]
    out = np.zeros((a.shape[0], b.shape[1]), np.float32)
    for i in range(a.shape[0]):
        for k in range(a.shape[1]):
            for j in range(b.shape[1]):
                out[i, j] += a[i, k] * b[k, j]
    if np.isnan(waste):
        out[:] = waste
    return out
"""
WRONG_AT_SCALE = """
@njit
def matmul(a, b):
    out = np.zeros((a.shape[0], b.shape[1]), np.float32)
    for i in range(min(a.shape[0], 200)):
        for k in range(a.shape[1]):
            for j in range(b.shape[1]):
                out[i, j] += a[i, k] * b[k, j]
    return out
"""
ENDLESS_AT_SCALE = """
@njit
def matmul(a, b):
    out = np.zeros((a.shape[0], b.shape[1]), np.float32)
    while a.shape[0] > 200:
        out[0, 0] += 1
    for i in range(a.shape[0]):
        for k in range(a.shape[1]):
            for j in range(b.shape[1]):
                out[i, j] += a[i, k] * b[k, j]
    return out
"""


def large_case(draw):
    return Case("240 rows", a=draw.normal(240, 100), b=draw.normal(100, 100))


def timed_matmul(floor=0.05, full=0.5):
    return dataclasses.replace(build.exercise("matmul"), points=4.0, speed=Speed(large_case, floor, full))


def judged(source, secret=None, limits=PATIENT, **bounds):
    handed_in = build.submission(ch05_dense={"matmul": source} if source else SOLVED)
    with Judge(handed_in, build.worker(), build.oracle(), secret, limits) as judge:
        return judge.result(timed_matmul(**bounds))


def measured(source, limits=PATIENT, **bounds):
    handed_in = build.submission(ch05_dense={"matmul": source})
    with Session(build.worker(), handed_in.sources, "native", limits) as session:
        timing = Stopwatch(session, build.oracle(), limits.call).best(timed_matmul(**bounds))
        return timing.verdict if isinstance(timing, Wrong) else timing


@given(st.floats(1e-6, 1e6), st.floats(1e-6, 1e6))
def test_points_grow_with_the_ratio_and_never_leave_their_bounds(one, other):
    speed = Speed(large_case, 0.05, 0.75)
    slow, fast = sorted((one, other))
    assert RIGHT_SHARE <= speed.share(slow) <= speed.share(fast) <= 1


def test_every_doubling_is_worth_the_same():
    speed = Speed(large_case, 0.05, 0.8)
    shares = [speed.share(0.05 * 2**step) for step in range(5)]
    steps = [after - before for before, after in itertools.pairwise(shares)]
    assert shares[0] == RIGHT_SHARE
    assert shares[-1] == pytest.approx(1)
    assert steps == pytest.approx([(1 - RIGHT_SHARE) / 4] * 4)


@pytest.mark.parametrize("secret", [None, build.SECRET])
def test_the_solution_beside_itself_earns_all_points(secret):
    result = judged("", secret, full=0.3)
    assert (result.status, result.score) == (PASSED, 4.0), result.message
    assert result.ratio > 0.3
    assert "4 of 4 points" in result.message
    assert not result.help


def test_a_slow_right_answer_earns_a_part_and_is_told_so():
    result = judged(LAZY.format(times=40), floor=0.001, full=0.9)
    assert result.status == PASSED
    assert 4 * RIGHT_SHARE < result.score < 4
    assert "of the solution's speed" in result.message
    assert "90%" in result.help


def test_more_work_is_measured_as_slower():
    once, often = (measured(LAZY.format(times=times), full=1e6) for times in (5, 50))
    assert often.ratio < once.ratio


def test_an_answer_that_is_wrong_only_when_it_is_timed_is_wrong():
    result = judged(WRONG_AT_SCALE)
    assert (result.status, result.score, result.ratio) == (FAILED, 0, None)
    assert "matmul" in result.message
    assert [case.case for case in result.cases if case.status != PASSED] == ["240 rows"]
    assert "hidden" in judged(WRONG_AT_SCALE, build.SECRET).message


def test_a_call_that_does_not_end_in_time_is_a_very_slow_one():
    result = judged(ENDLESS_AT_SCALE, limits=Limits(call=1.0))
    assert (result.status, result.score) == (PASSED, 4 * RIGHT_SHARE), result.message


def test_no_two_timed_calls_get_the_same_numbers():
    stopwatches = (Stopwatch(None, build.oracle(), 1) for _ in range(20))
    cases = {stopwatch._fresh_case(timed_matmul()).arguments["a"].tobytes() for stopwatch in stopwatches}
    assert len(cases) == 20


def test_what_is_to_be_computed_is_not_told_before_the_clock_runs():
    """The numbers of a request to compile have no size: nothing can be computed from them."""
    sent = []
    handed_in = build.submission(ch05_dense=SOLVED)
    with Session(build.worker(), handed_in.sources, "native", PATIENT) as session:
        request = session._request
        session._request = lambda what, value, seconds: (sent.append((what, value)), request(what, value, seconds))[1]
        answer = session.call("ch05_dense", "matmul", large_case(Draw("any")).arguments)
    assert isinstance(answer, Returned)
    counted = [(what["do"], value) for what, value in sent if what["do"] in ("compile", "call")]
    sizes = {step: [item.size for item in value.values()] for step, value in counted}
    assert sizes["compile"] == [0, 0]
    assert sizes["call"] == [24_000, 10_000]


def test_a_guest_stands_still_while_the_solution_runs():
    counting = "import threading, time\nCOUNT = np.zeros(1)\n\ndef count():\n    while True:\n        COUNT[0] += 1\n"
    counting += "        time.sleep(0.001)\n\nthreading.Thread(target=count, daemon=True).start()\n\n"
    counting += "def matmul(a, b):\n    return COUNT.copy()\n"
    handed_in = build.submission(ch05_dense=f"{build.HEAD}{counting}")
    empty = {"a": np.zeros(1), "b": np.zeros(1)}
    with Session(build.worker(), handed_in.sources, "native", PATIENT) as session:
        before = session.call("ch05_dense", "matmul", empty, compiled=False).value[0]
        with session.standing_still():
            time.sleep(1.0)
        after = session.call("ch05_dense", "matmul", empty, compiled=False).value[0]
        time.sleep(1.0)
        later = session.call("ch05_dense", "matmul", empty, compiled=False).value[0]
    assert after - before < (later - after) / 2


def test_a_fault_of_the_kit_while_timing_costs_a_right_answer_its_speed_and_no_more(monkeypatch):
    monkeypatch.setattr(Stopwatch, "best", lambda *_: 1 / 0)
    with Judge(build.submission(ch05_dense=SOLVED), build.worker(), build.oracle(), None, PATIENT) as judge:
        result = judge.result(timed_matmul())
    assert (result.status, result.score, result.ratio) == (PASSED, 4 * RIGHT_SHARE, None)
    assert "could not be timed" in result.message
    assert "ZeroDivisionError" in judge.faults[result.id]


def test_a_remembered_answer_that_was_too_slow_is_timed_again(tmp_path, monkeypatch):
    timings = [Timing(10.0, 1.0), Timing(1.0, 1.0)]
    monkeypatch.setattr(Stopwatch, "best", lambda *_: timings.pop(0))
    handed_in, scores = build.submission(ch05_dense=SOLVED), []
    for _ in range(3):
        with Judge(handed_in, build.worker(), build.oracle(), limits=PATIENT, memory=Memory(tmp_path)) as judge:
            scores.append(judge.result(timed_matmul()).score)
    assert scores[0] < scores[1] == scores[2] == 4.0
    assert not timings, "the fast answer is remembered, the slow one is not"


def test_the_readme_says_what_speed_is_worth():
    text = " ".join((kit.ROOT / "README.md").read_text(encoding="utf-8").split())
    assert f"From {FULL:.0%} of the solution's speed on" in text
    assert {0.25: "a quarter of the points"}[RIGHT_SHARE] in text


def test_a_wrong_answer_has_no_time():
    assert isinstance(measured(WRONG_AT_SCALE), Verdict)
    timing = measured(LAZY.format(times=1))
    assert isinstance(timing, Timing)
    assert timing.yours > 0
    assert timing.ratio == pytest.approx(timing.solution / timing.yours)


def test_a_stub_is_todo_and_not_timed():
    result = judged("def matmul(a, b):\n    raise NotImplementedError('matmul')")
    assert (result.status, result.score, result.ratio) == (TODO, 0, None)

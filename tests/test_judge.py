"""A submission through the judge: every status is reached, right code passes however it is written, and whatever an
exercise does costs that exercise only."""

from __future__ import annotations

import re

import numpy as np
import pytest
from build import (
    HEAD,
    SECRET,
    exercise,
    judge_exercises,
    judge_one,
    judge_relu,
    oracle,
    statuses,
    submission,
    worker,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from test_compare import whatever

from grader import catalogue, result, rules
from grader.exercise import Case, Exercise
from grader.judge import Judge
from grader.result import (
    BLOCKED,
    COMPILE_ERROR,
    CRASHED,
    ERROR,
    FAILED,
    PASSED,
    STATUSES,
    TIMEOUT,
    TODO,
    VIOLATION,
)
from grader.verdict import Outcome, assess
from grader.worker.answer import Died, Garbled, Raised, Returned, TimedOut
from grader.worker.host import Limits

NEIGHBOURS = ("tanh", "tanh_backward")  # the two that compile fastest


def relu(*lines: str, decorator: str = "@njit(cache=True)") -> str:
    body = "\n".join(f"    {line}" for text in lines for line in text.strip("\n").splitlines())
    return f"{decorator}\ndef relu(x):\n{body}\n"


def plain(*lines: str) -> str:
    """A relu that numba never sees, for what only Python can do."""
    return relu(*lines, decorator="")


@pytest.fixture
def fooled_rules(monkeypatch):
    """Let everything pass that the rules would have refused before it runs: what is behind them must hold as well."""
    monkeypatch.setattr(rules, "breach", lambda *_: None)


# --- one for each status ----------------------------------------------------------------------------------------------

REACHED = {
    "right": (relu("return np.maximum(x, np.float32(0))"), PASSED, ""),
    "wrong": (relu("return np.abs(x)"), FAILED, "relu: y["),
    "untouched": (relu("raise NotImplementedError('relu')"), TODO, ""),
    "only a docstring": (relu('"""Later."""'), TODO, ""),
    "numba cannot": (relu("return np.maximum({1: x, 'a': x}[1], np.float32(0))"), COMPILE_ERROR, "relu: "),
    "no @njit": (plain("return np.maximum(x, np.float32(0))"), COMPILE_ERROR, "it is plain Python"),
    "raises": (relu("return x[999]"), ERROR, "IndexError"),
    "hangs": (relu("while True:\n    pass"), TIMEOUT, "still running after"),
    "crashes": (plain("import ctypes", "ctypes.string_at(0)"), CRASHED, "segmentation fault"),
    "exits": (plain("os._exit(0)"), CRASHED, "its process ended in the middle of the call (exit code 0)"),
    "junk frame": (plain("import wire", "wire.pack = lambda *a: [b'junk' * 9]"), VIOLATION, "what came back was"),
}


@pytest.mark.usefixtures("fooled_rules")
@pytest.mark.parametrize("what", REACHED)
def test_a_submission_reaches_every_status(what):
    source, status, words = REACHED[what]
    judged = judge_relu(source)
    assert (judged.status, judged.score) == (status, judged.points if status == PASSED else 0), judged.message
    assert words in judged.message


def test_no_status_is_without_a_test():
    assert {status for _, status, _ in REACHED.values()} | {BLOCKED} == set(STATUSES)


@pytest.mark.parametrize(
    ("product", "told"),
    [("a @ b", "uses @"), ("np.dot(a, b)", "uses dot"), ("a.dot(b)", "uses dot"), ("product(a, b)", "uses matmul")],
)
def test_a_library_call_that_does_the_exercise_is_refused_with_its_line(product, told):
    called = f"def matmul(a, b):\n    from numpy import matmul as product\n    return {product}\n"
    (judged,) = judge_exercises(submission(ch05_dense={"matmul": called}), "matmul")
    assert (judged.status, judged.score) == (VIOLATION, 0)
    assert told in judged.message
    assert "line" in judged.message


def test_randomness_from_elsewhere_than_the_argument_is_told():
    draws = "def glorot_uniform(rng, fan_in, fan_out):\n    limit = np.sqrt(6 / (fan_in + fan_out))\n"
    draws += "    return np.random.uniform(-limit, limit, (fan_in, fan_out)).astype(np.float32)\n"
    (judged,) = judge_exercises(submission(ch05_dense={"glorot_uniform": draws}), "glorot_uniform")
    assert judged.status == FAILED
    assert "np.random is another generator than rng" in judged.help


ADDS_UP = """
@njit
def matmul(a, b):
    out = {maker}((a.shape[0], b.shape[1]), np.float32)
    for i in range(a.shape[0]):
        for j in range(b.shape[1]):
            {begin}
            for k in range(a.shape[1] - {short}):
                out[i, j] += a[i, k] * b[k, j]
    return out
"""


@pytest.mark.parametrize(
    ("maker", "begin", "short", "told"),
    [("np.empty", "pass", 0, True), ("np.zeros", "pass", 1, False), ("np.empty", "out[i, j] = 0", 1, False)],
)
def test_adding_to_memory_that_nobody_cleared_is_told(maker, begin, short, told):
    source = ADDS_UP.format(maker=maker, begin=begin, short=short)
    (judged,) = judge_exercises(submission(ch05_dense={"matmul": source}), "matmul")
    assert judged.status == FAILED
    assert ("begins as np.empty" in judged.help) == told


# --- costs only the exercise it sits in -------------------------------------------------------------------------------

RIGHT = "return np.where(x > 0, x, 0).astype(np.float32)"
HARMFUL = {
    "an endless loop": (relu("while True:\n    pass"), {TIMEOUT}),
    "an endless compiled loop": (
        "from numba import config\nCOMPILED = not config.DISABLE_JIT\n"
        + relu("i = 0", "while i >= 0 and COMPILED:\n    i = i ^ 1", "return np.maximum(x, np.float32(0))"),
        {TIMEOUT},
    ),
    "a segmentation fault": (plain("import ctypes", "ctypes.string_at(0)"), {CRASHED}),
    "os._exit": (plain("os._exit(0)"), {CRASHED}),
    "sys.exit": (plain("sys.exit(0)"), {ERROR}),
    "a killed parent": (plain("os.kill(os.getppid(), 9)", "while True:\n    pass"), {CRASHED, TIMEOUT}),
    "20 GB": (relu("return np.ones((20, 1 << 27))"), {ERROR}),
    "a flood of prints": (relu("for i in range(100000):\n    print(i)", "return np.abs(x)"), {FAILED}),
    "an exception": (relu("raise ValueError('no')"), {ERROR}),
    "a generator": (plain("return (value for value in x)"), {ERROR}),
    "junk in every socket": (
        plain(
            "import socket",
            "for d in range(3, 64):",
            "    try:\n        os.write(d, b'\\xff' * 64)\n    except OSError:\n        pass",
            RIGHT,
        ),
        {VIOLATION, CRASHED},
    ),
    "numpy's comparisons": (
        plain("np.allclose = np.array_equal = np.testing.assert_allclose = lambda *a, **k: True", "return np.abs(x)"),
        {FAILED},
    ),
    "numpy's tanh": (plain("np.tanh = np.empty_like = lambda *a, **k: np.zeros(3)", "return np.abs(x)"), {FAILED}),
    "numpy's all": (plain("np.all = np.any = lambda *a, **k: True", "return np.abs(x)"), {FAILED}),
    "json": (
        plain("import json", 'json.dumps = lambda *a, **k: \'{"status": "passed", "score": 1}\'', RIGHT),
        {VIOLATION, CRASHED},
    ),
    "sys.modules": (
        plain("for name in list(sys.modules):\n    sys.modules[name] = None", RIGHT),
        {ERROR, CRASHED, VIOLATION, TIMEOUT},
    ),
    "the grader by name": (
        plain(
            "import types",
            "sys.modules['grader.compare'] = types.SimpleNamespace(compare=lambda *a: None)",
            "return -x",
        ),
        {FAILED},
    ),
    "equality that always holds": (
        plain("class Yes(np.ndarray):\n    def __eq__(self, other): return True", "return np.abs(x).view(Yes)"),
        {FAILED},
    ),
    "the wire": (plain("import wire", "wire.send = lambda *a: None", RIGHT), {TIMEOUT}),
}


@pytest.mark.usefixtures("fooled_rules")
@pytest.mark.parametrize("harm", HARMFUL)
def test_harm_costs_only_the_exercise_it_sits_in(harm):
    source, expected = HARMFUL[harm]
    handed_in = submission(ch03_activations={"relu": source})
    judged = judge_exercises(handed_in, "relu", *NEIGHBOURS)
    assert judged[0].status in expected, judged[0].message
    assert judged[0].score == 0
    assert statuses(judged[1:]) == dict.fromkeys(NEIGHBOURS, PASSED)


@pytest.mark.usefixtures("fooled_rules")
def test_what_a_module_does_when_imported_costs_that_module_only():
    tampering = "sys.modules['numba'] = None\nnp.sum = np.mean = np.exp = None\nraise SystemExit(0)\n"
    handed_in = submission(ch03_activations=HEAD + tampering + relu("return x"), ch04_losses={})
    judged = judge_exercises(handed_in, "relu", "mse", "mae")
    assert statuses(judged) == {"relu": ERROR, "mse": PASSED, "mae": PASSED}
    assert "SystemExit" in judged[0].message


def test_an_import_that_hangs_is_charged_once_and_told_for_each():
    text = HEAD + "while True:\n    pass\n" + relu("return x") + relu("return x").replace("relu", "tanh")
    judged = judge_exercises(submission(ch03_activations=text), "relu", "tanh", limits=Limits(load=1.0))
    assert statuses(judged) == {"relu": TIMEOUT, "tanh": TIMEOUT}
    assert "importing its module did not end" in judged[0].message


def test_hidden_inputs_never_reach_a_message():
    judged = judge_relu(relu(LEAKY), secret="s")
    assert judged.status == ERROR
    assert "public cases pass" in judged.message
    assert "LEAK" not in judged.message + judged.help + judged.output + repr(judged.cases)


LEAKY = """
print("LEAK", x)
for value in x.flat:
    if value > 1e29:
        raise ValueError("LEAK")
return np.where(x > 0, x, np.float32(0))
"""


# --- right code -------------------------------------------------------------------------------------------------------

RIGHT_RELUS = {
    "NumPy": relu("return np.maximum(x, np.float32(0))"),
    "explicit loops": relu(
        "flat = x.ravel()",
        "y = np.empty(flat.size, np.float32)",
        "for i in range(flat.size):\n    y[i] = flat[i] if flat[i] > 0 else 0",
        "return y.reshape(x.shape)",
    ),
    "prange": relu(
        "flat = x.ravel()",
        "y = np.empty(flat.size, np.float32)",
        "for i in prange(flat.size):\n    y[i] = max(flat[i], np.float32(0))",
        "return y.reshape(x.shape)",
        decorator="from numba import prange\n\n\n@njit(parallel=True, fastmath=True)",
    ),
    "a float64 detour": relu("return np.maximum(x.astype(np.float64), 0.0).astype(np.float32)"),
    "a view that is not contiguous": relu(
        "wide = np.empty((x.size, 2), np.float32)",
        "flat = x.ravel()",
        "for i in range(flat.size):\n    wide[i, 0] = max(flat[i], np.float32(0))",
        "return wide[:, 0].copy().reshape(x.shape)",
    ),
    "other names for imports": relu(
        "return numpy.maximum(x, numpy.float32(0))",
        decorator="import numba as nb\nimport numpy\n\n\n@nb.njit",
    ),
    "jit(nopython=True)": relu(
        "return np.where(x > 0, x, np.float32(0))", decorator="import numba\n\n\n@numba.jit(nopython=True)"
    ),
    "a helper": relu(
        "return cut(x)", decorator="@njit\ndef cut(x):\n    return np.maximum(x, np.float32(0))\n\n\n@njit"
    ),
}


@pytest.mark.parametrize("style", RIGHT_RELUS)
def test_right_code_passes_however_it_is_written(style):
    judged = judge_relu(RIGHT_RELUS[style])
    assert judged.status == PASSED, f"{judged.message} {judged.help}"
    assert judged.score == judged.points


def test_a_view_that_is_not_contiguous_may_be_returned():
    source = """
@njit
def softmax_backward(dy, y):
    wide = np.empty((y.shape[1], y.shape[0]), np.float32)
    for i in range(y.shape[0]):
        weighted = 0.0
        for j in range(y.shape[1]):
            weighted += dy[i, j] * y[i, j]
        for j in range(y.shape[1]):
            wide[j, i] = y[i, j] * (dy[i, j] - weighted)
    return wide.T
"""
    judged = judge_one(submission(ch03_activations={"softmax_backward": source}), "softmax_backward", secret="s")
    assert judged.status == PASSED, f"{judged.message} {judged.help}"


def test_the_solutions_pass_their_own_hidden_cases():
    names = [name for name in catalogue.exercises() if name.startswith("ch03_activations.")]
    judged = judge_exercises(submission(ch03_activations={}), *names, secret="s", limits=Limits())
    assert set(statuses(judged).values()) == {PASSED}


# --- what the student is told -----------------------------------------------------------------------------------------


def test_float64_is_told_as_a_dtype_and_the_numbers_as_right():
    judged = judge_relu(relu("return np.maximum(x, 0.0).astype(np.float64)"))
    assert judged.status == FAILED
    assert "y is float64, and float32 is asked for. The numbers are right." in judged.message


def test_a_changed_input_is_told():
    judged = judge_relu(
        relu("for i in range(x.size):\n    x.flat[i] = max(x.flat[i], np.float32(0))", "return x.copy()")
    )
    assert judged.status == FAILED
    assert "the argument x was changed" in judged.message
    assert judged.help


def test_a_known_mistake_is_told_as_what_was_believed():
    judged = judge_relu(relu("return np.abs(x)"))
    assert (judged.status, judged.mistake) == (FAILED, "mirrors_negatives")
    assert "ReLU cuts them to zero" in judged.help


COMPILE_ERRORS = {
    "an unknown name": ("return np.maximum(x, zero)", "NameError", "zero"),
    "a variable of two types": (
        "y = 0\nif x.size > 999:\n    y = 'many'\nprint(y)\nreturn np.maximum(x, np.float32(0))",
        "the variable y is",
        "one type throughout",
    ),
    "an attribute numba lacks": (
        "return np.maximum(x, np.float32(0)) + 0 * x.nbytes.bit_length()",
        "numba",
        "loop",
    ),
    "a function numba lacks": ("return np.maximum(np.apply_over_axes(np.sum, x, []), np.float32(0))", "numba", "loop"),
}


@pytest.mark.parametrize("what", COMPILE_ERRORS)
def test_a_compile_error_names_line_and_reason_in_plain_words(what):
    body, reason, advice = COMPILE_ERRORS[what]
    judged = judge_relu(relu(body))
    assert judged.status in (COMPILE_ERROR, ERROR)
    assert reason in judged.message
    assert advice in judged.message + judged.help
    assert "line " in judged.message
    assert "ch03_activations.py" in judged.message
    assert len(judged.message) < 400
    for jargon in ("TypingError", "nopython mode pipeline", "Traceback", "numba/core"):
        assert jargon not in judged.message


def test_a_hang_names_its_line():
    judged = judge_relu(relu("i = 0", "while i < 10:\n    i = i * 2", "return x"))
    assert judged.status == TIMEOUT
    assert "`while i < 10:`" in judged.message or "`i = i * 2`" in judged.message


# --- prerequisites ----------------------------------------------------------------------------------------------------

WRONG_MATMUL = "@njit\ndef matmul(a, b):\n    return np.ones((a.shape[0], b.shape[1]), np.float32)\n"
OWN_PRODUCT = "@njit\ndef dense_forward(x, w, b):\n    return np.dot(x, w) + b\n"


def test_a_failure_is_blocked_where_a_function_that_it_calls_fails():
    handed_in = submission(ch05_dense={"matmul": WRONG_MATMUL})
    judged = judge_exercises(handed_in, "matmul", "dense_forward", "dense_backward")
    assert statuses(judged) == {"matmul": FAILED, "dense_forward": BLOCKED, "dense_backward": BLOCKED}
    assert "it calls matmul, which fails too" in judged[1].message
    assert "Mend matmul first" in judged[1].help


def test_a_failure_is_blocked_where_a_function_that_it_calls_is_not_written():
    stub = "@njit\ndef matmul(a, b):\n    raise NotImplementedError('matmul')\n"
    judged = judge_exercises(submission(ch05_dense={"matmul": stub}), "dense_forward")
    assert statuses(judged) == {"dense_forward": BLOCKED}
    assert "matmul, which is not written yet" in judged[0].message


def test_right_code_is_never_blocked():
    handed_in = submission(ch05_dense={"matmul": WRONG_MATMUL, "dense_forward": OWN_PRODUCT})
    judged = judge_exercises(handed_in, "matmul", "dense_forward")
    assert statuses(judged) == {"matmul": FAILED, "dense_forward": PASSED}


def test_a_function_that_does_not_call_its_failing_prerequisite_fails_by_itself():
    own_and_wrong = OWN_PRODUCT.replace("+ b", "- b")
    handed_in = submission(ch05_dense={"matmul": WRONG_MATMUL, "dense_forward": own_and_wrong})
    judged = judge_exercises(handed_in, "dense_forward")
    assert statuses(judged) == {"dense_forward": FAILED}
    assert judged[0].mistake == "subtracts_the_bias"


# --- races ------------------------------------------------------------------------------------------------------------

RACING_MATMUL = """
@njit(parallel=True)
def matmul(a, b):
    c = np.zeros((a.shape[0], b.shape[1]), np.float32)
    for k in prange(a.shape[1]):
        for i in range(a.shape[0]):
            for j in range(b.shape[1]):
                c[i, j] += a[i, k] * b[k, j]
    return c
"""


def test_a_race_under_prange_is_told_as_a_race():
    judged = judge_one(submission(ch05_dense={"matmul": RACING_MATMUL}), "matmul", limits=Limits())
    assert judged.status == FAILED
    assert "prange" in judged.message + judged.help
    assert "own what it writes" in judged.help


def test_a_race_is_blamed_on_the_function_that_races():
    handed_in = submission(ch05_dense={"matmul": RACING_MATMUL, "dense_forward": OWN_PRODUCT})
    assert statuses(judge_exercises(handed_in, "dense_forward", limits=Limits())) == {"dense_forward": PASSED}


# --- whatever comes back ----------------------------------------------------------------------------------------------

junk = st.recursive(
    st.one_of(whatever, st.text(max_size=5)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.lists(inner, max_size=3).map(tuple),
        st.dictionaries(st.text(max_size=2), inner, max_size=2),
    ),
    max_leaves=5,
)


@pytest.mark.parametrize("name", catalogue.exercises())
@settings(deadline=None, max_examples=8)
@given(data=st.data())
def test_no_answer_however_odd_breaks_the_verdict(name, data):
    asked = exercise(name)
    cases = [case for case in asked.public_cases() if not case.large and case.expected is None][:2]
    expected = oracle().expected(asked, cases)
    answers = st.one_of(
        st.builds(Returned, junk, st.fixed_dictionaries(dict.fromkeys(asked.changes, junk))),
        st.builds(Died, st.sampled_from(["load", "compile", "call"]), st.integers(-64, 255)),
        st.builds(TimedOut, st.sampled_from(["load", "compile", "call"]), st.floats(0, 10)),
        st.builds(Garbled, st.just("call"), st.text(max_size=5)),
        st.builds(Raised, st.sampled_from(["load", "compile", "call"]), st.text(max_size=5), st.text(max_size=30)),
    )
    outcomes = [Outcome(case, right, data.draw(answers)) for case, right in zip(cases, expected, strict=True)]
    verdict, seen = assess(asked, outcomes, data.draw(st.sampled_from(["interpreted", "compiled", "native"])))
    assert verdict.status in STATUSES
    assert verdict.status == PASSED or verdict.message
    assert len(seen) == len(outcomes)


def test_one_result_per_exercise_in_the_order_asked():
    names = ("tanh", "relu")
    judged = judge_exercises(submission(ch03_activations={}), *names)
    assert [one.id for one in judged] == [f"ch03_activations.{name}" for name in names]
    assert all(isinstance(one, result.ExerciseResult) for one in judged)


def test_a_case_declared_by_hand_is_judged_like_any_other():
    asked = Exercise("ch03_activations", "double", compiled=False)
    asked.cases(lambda draw: [Case("two", x=np.float32(2), expected=np.float32(4))])
    handed_in = submission(ch03_activations="def double(x):\n    return 2 * x\n")
    with Judge(handed_in, worker(), oracle()) as judge:
        assert judge.result(asked).status == PASSED


def test_a_function_that_has_seen_hidden_inputs_cannot_tell_them_through_a_neighbour():
    remembers = """
SEEN = []
def glorot_uniform(rng, fan_in, fan_out):
    SEEN.append(fan_in)
    limit = np.sqrt(6 / (fan_in + fan_out))
    return rng.uniform(-limit, limit, (fan_in, fan_out)).astype(np.float32)
"""
    tells = """
@njit
def matmul(a, b):
    print(SEEN)
    return np.zeros((a.shape[0], b.shape[1]), np.float32)
"""
    handed_in = submission(ch05_dense={"glorot_uniform": remembers, "matmul": tells})
    _, told = judge_exercises(handed_in, "glorot_uniform", "matmul", secret=SECRET)
    public = {case.arguments["fan_in"] for case in exercise("glorot_uniform").public_cases()}
    assert told.status == "failed"
    assert {int(number) for number in re.findall(r"\d+", told.output)} <= public


def test_two_functions_that_call_each_other_get_a_verdict():
    sigmoid = "@njit\ndef sigmoid(x):\n    return (tanh(x / 2) + 1) / 2\n"
    tanh = "@njit\ndef tanh(x):\n    return 2 * sigmoid(2 * x) - 1\n"
    handed_in = submission(ch03_activations={"sigmoid": sigmoid, "tanh": tanh})
    results = judge_exercises(handed_in, "sigmoid", "tanh", "relu", secret=SECRET)
    assert [result.status for result in results][2] == "passed"
    assert {result.status for result in results[:2]} <= {"error", "blocked", "crashed", "compile-error"}


def test_a_failure_of_the_kit_costs_one_exercise_and_is_told(monkeypatch):
    def fails(*_):
        raise OverflowError("the kit's own")

    monkeypatch.setattr("grader.judge.assess", fails)
    handed_in = submission(ch03_activations={})
    with Judge(handed_in, worker(), oracle(), SECRET) as judge:
        result = judge.result(exercise("relu"))
        assert (result.status, result.score) == ("error", 0)
        assert "OverflowError" in result.message
        assert len(judge.faults) == 1


def test_a_decorator_nested_beyond_python_s_own_depth_is_told_and_harms_nobody():
    deep = "@njit(debug=" + "+".join(["1"] * 700) + ")\ndef relu(x):\n    return x\n"
    result = judge_relu(deep)
    assert result.status == "error"
    assert "nested too deeply" in result.message


@pytest.mark.parametrize("number", ["1.79e308", "-1.79e308", "1e-308"])
def test_numbers_at_the_edge_of_float64_are_wrong_and_nothing_more(number):
    source = f"@njit\ndef sigmoid(x):\n    return np.full(x.shape, {number})\n"
    (result,) = judge_exercises(submission(ch03_activations={"sigmoid": source}), "sigmoid", secret=SECRET)
    assert result.status == "failed"


def test_a_function_that_only_claims_to_be_compiled_is_not():
    claims = "def relu(x):\n    return np.maximum(x, np.float32(0))\n"
    claims += "relu.nopython_signatures = [1]\nrelu.compile = lambda s: None\n"
    assert judge_relu(claims).status == "compile-error"

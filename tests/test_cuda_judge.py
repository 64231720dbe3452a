"""Kernels through the judge: compiled without a device, levels told and required, hostile ones that gain nothing."""

import functools
import importlib.util
import json
import subprocess
import sys

import build
import numpy as np
import pytest
from faces import kata
from kernels import HEAD, MODULE, Told, judged, line, numbers, poison, simulating

from grader import budget, catalogue, kernel_words, levels, oracle, rules
from grader.exercise import Case, Exercise, Launch
from grader.kernels import Kernels
from grader.memory import Memory
from grader.problem import Problem
from grader.reports import traffic
from grader.result import COMPILE_ERROR, COMPILED, DEVICE, ERROR, FAILED, PASSED, SIMULATED, VIOLATION, ExerciseResult
from grader.submission import Module, Submission
from grader.trace import trace
from grader.worker import isolation, noticed
from grader.worker.answer import Raised, Returned
from grader.worker.host import Limits, Session, Worker, launch_of

COMPILER = importlib.util.find_spec("numba_cuda") is not None
needs_compiler = pytest.mark.skipif(not COMPILER, reason="no CUDA compiler here: pip install 'deepkata[cuda]'")
needs_device = pytest.mark.skipif(not levels.has_device(), reason="no NVIDIA GPU here: use a machine that has one")
RIGHT = """
@cuda.jit
def kernel(x, out):
    i = cuda.grid(1)
    if i < x.size:
        out[i] = np.float32(2) * x[i]
"""


def doubled(x, out):
    out[...] = 2 * x


def vector_case(size=50):
    return Case("a vector", launch=line(2, 32), x=numbers(size), out=poison(size))


def compiled(source, right=doubled, *cases, **facts):
    """The verdict where there is a compiler and no device, whatever this machine has."""
    return judged(source, right, *(cases or [vector_case()]), worker=compiling(), **facts)


@functools.cache
def compiling() -> Worker:
    worker = build.worker()
    found = levels.tools(worker)
    worker.remembered["tools"] = levels.Tools({**found.obstacles, DEVICE: "no device in this test"}, found.facts)
    return worker


# --- compiled -------------------------------------------------------------------------------------------------------


@needs_compiler
def test_a_right_kernel_is_compiled_for_devices_that_are_not_here():
    result = compiled(RIGHT)
    assert (result.status, result.level) == (PASSED, COMPILED), result.message
    assert "sm_80, sm_90" in result.message
    assert "registers" in result.message
    assert "not run on a device: no device in this test" in result.message


@needs_compiler
def test_shared_memory_and_device_functions_are_compiled_too():
    result = compiled(
        """
SIDE = 32

@cuda.jit(device=True)
def twice(value):
    return value + value

@cuda.jit
def kernel(x, out):
    tile = cuda.shared.array(SIDE, float32)
    t, i = cuda.threadIdx.x, cuda.grid(1)
    tile[t] = x[i] if i < x.size else np.float32(0)
    cuda.syncthreads()
    if i < x.size:
        out[i] = twice(tile[t])
"""
    )
    assert result.status == PASSED, result.message
    assert "128 bytes shared" in result.message


REFUSED = {
    "a shape that is not constant": (
        "    tile = cuda.shared.array((SIDE, SIDE + 1), float32)\n    tile[0, 0] = x[0]\n",
        "the shape of a shared array is not constant, on sm_",
    ),
    "a function of plain Python": ("    plain()\n", "does not know the name plain"),
    "a dict": ("    table = {'a': [1]}\n    table['b'] = x\n", "numba has no version of setitem"),
}


@needs_compiler
@pytest.mark.parametrize("what", REFUSED)
def test_what_the_simulator_runs_and_no_compiler_takes_is_a_compile_error(what):
    lines, message = REFUSED[what]
    source = "SIDE = 8\n\ndef plain():\n    pass\n" + RIGHT.replace("    i = cuda", f"{lines}    i = cuda")
    result = compiled(source)
    assert (result.status, result.level) == (COMPILE_ERROR, COMPILED)
    assert message in result.message, result.message
    assert result.help


@needs_compiler
def test_float64_in_a_kernel_is_remarked_and_costs_nothing():
    source = RIGHT.replace("np.float32(2) * x[i]", "math.sqrt(4.1 * x[i] * x[i])")
    result = compiled(source, lambda x, out: out.__setitem__(..., np.sqrt(4.1 * x.astype(np.float64) ** 2)))
    assert result.status == PASSED, result.message
    assert "computes in float64" in result.help
    assert not compiled(RIGHT).help


@needs_compiler
def test_the_kernels_of_a_host_function_are_compiled_for_what_they_were_launched_with():
    source = RIGHT.replace("kernel(x", "double(x") + "\ndef kernel(x, out):\n    double[2, 32](x, out)\n"
    result = compiled(source, doubled, Case("a vector", x=numbers(50), out=poison(50)), cuda="host")
    assert (result.status, result.level) == (PASSED, COMPILED), result.message
    assert "registers" in result.message
    wrong = source.replace("np.float32(2)", "np.float32(plain())") + "\ndef plain():\n    return 2\n"
    result = compiled(wrong, doubled, Case("a vector", x=numbers(50), out=poison(50)), cuda="host")
    assert result.status == COMPILE_ERROR
    assert "does not know the name plain" in result.message
    assert "@cuda.jit(device=True)" in result.help


WITHOUT = """
import sys
sys.path.insert(0, "grader/worker/guest")
{before}
from gpu.compiler import Compiler
compiler = Compiler()
compiler.install()
{after}
print(compiler.tools()["obstacle"])
"""
NO_NVVM = "from numba.cuda.cudadrv import nvvm\ndel nvvm.NVVM.__new__\nnvvm.NVVM.__new__ = lambda *_: 1 / 0"
MISSING = {
    "its bindings": ('sys.modules["cuda.bindings"] = None', "", "NVIDIA CUDA Python bindings not found"),
    "libNVVM": ("", NO_NVVM, "division by zero"),
}


@needs_compiler
@pytest.mark.parametrize("what", MISSING)
def test_a_compiler_that_lacks_something_says_what(what):
    before, after, told = MISSING[what]
    command = [sys.executable, "-c", WITHOUT.format(before=before, after=after)]
    run = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, cwd=oracle.kit.ROOT)
    assert "does not work with numba" in run.stdout, run.stderr
    assert told in run.stdout


@needs_compiler
def test_options_of_the_decorator_and_kernels_within_functions_cost_nothing():
    options = RIGHT.replace("@cuda.jit", "@cuda.jit(max_registers=32, lineinfo=True, cache=True)")
    assert compiled(options).status == PASSED
    source = """
def kernel(x, out):
    @cuda.jit
    def inner(x, out):
        i = cuda.grid(1)
        if i < x.size:
            out[i] = np.float32(2) * x[i]

    inner[2, 32](x, out)
"""
    result = compiled(source, doubled, Case("a vector", x=numbers(50), out=poison(50)), cuda="host")
    assert (result.status, result.level) == (PASSED, SIMULATED), result.message


# --- rules ----------------------------------------------------------------------------------------------------------


def test_a_kernel_stands_under_numbas_own_decorator():
    result = judged(RIGHT.replace("@cuda.jit\n", ""), doubled, vector_case())
    assert (result.status, result.message) == (COMPILE_ERROR, "kernel: it is no kernel.")
    assert "@cuda.jit" in result.help


@pytest.mark.parametrize(
    ("imports", "decorator"),
    [
        ("from numba import cuda", "cuda.jit"),
        ("from numba import cuda as gpu", "gpu.jit(fastmath=True)"),
        ("import numba", "numba.cuda.jit"),
        ("import numba.cuda", "numba.cuda.jit()"),
        ("import numba as nb", "nb.cuda.jit"),
        ("import numba.cuda as nc", "nc.jit"),
        ("from numba.cuda import jit", "jit"),
    ],
)
def test_every_way_to_write_the_decorator_counts(imports, decorator):
    source = f"{imports}\n\n@{decorator}\ndef kernel(x, out):\n    out[0] = x[0]\n"
    handed_in = Submission("student", {MODULE: Module("kernels.py", source)})
    assert rules.is_numbas(handed_in, Exercise(MODULE, "kernel", cuda="kernel", compiled=False))
    assert not rules.is_numbas(handed_in, Exercise(MODULE, "kernel"))


@pytest.mark.parametrize(
    "line_of_code",
    [
        "    out._data[...] = 2 * x._data",
        "    np.float32 = np.float64",
        "    cuda.grid = len",
        "    eval('out')",
        "    import sys\n    sys.exit()",
    ],
)
def test_a_kernel_that_reaches_behind_the_device_is_refused(line_of_code):
    result = judged(RIGHT + line_of_code + "\n", doubled, vector_case())
    assert result.status in (VIOLATION, ERROR), result.message
    assert result.score == 0


# Right, and over its budget.
WASTEFUL = RIGHT.replace("* x[i]", "* x[i] + np.float32(0) * x[0]")
HOSTILE = {
    "one that ends the process": "import os\n\n@cuda.jit\ndef kernel(x, out):\n    os._exit(0)\n",
    "one that asks for all memory": "@cuda.jit\ndef kernel(x, out):\n    a = np.zeros(1 << 40)\n    out[0] = a[0]\n",
    "one that lies about its launches": WASTEFUL
    + "import gpu.simulator\ngpu.simulator.Simulator.report = lambda self: {'finding': None, 'launches': [[1]] * 99}\n",
    "one that replaces the simulator": WASTEFUL
    + "import gpu.memory\nkept = gpu.memory.Region\nkept.read = lambda self, offset, frame: None\n",
    "one that reaches for the memory itself": WASTEFUL.replace("x[i]", "x._update(i, lambda data, at: data[at], None)"),
}


@pytest.mark.parametrize("what", HOSTILE)
def test_a_hostile_kernel_gains_nothing(what):
    assert judged(WASTEFUL, doubled, vector_case()).status == PASSED
    result = judged(HOSTILE[what], doubled, vector_case(), reads={"x": 1})
    assert result.status != PASSED
    assert result.score == 0
    assert result.message


REPORTS = {
    "no report": (None, "no report of what the kernel did"),
    "no rows": ({"finding": None, "traffic": {"rows": []}}, "no count of how often x is read"),
}


@pytest.mark.parametrize("what", REPORTS)
def test_a_report_that_leaves_out_what_counts_is_no_answer(what, monkeypatch):
    told, message = REPORTS[what]
    request = Session._request

    def forged(self, header, value, seconds):
        reply, result = request(self, header, value, seconds)
        return ({**reply, "noticed": told} if header["do"] == "call" else reply), result

    monkeypatch.setattr(Session, "_request", forged)
    result = judged(RIGHT, doubled, vector_case(), reads={"x": 1})
    assert result.status == VIOLATION
    assert message in result.message


@pytest.mark.parametrize(("obstacle", "status"), [("", ERROR), ("the GPU's memory is full", PASSED)])
def test_a_full_device_is_trouble_only_where_a_guest_of_the_kits_own_meets_it_too(obstacle, status, monkeypatch):
    def full(*_asked):
        return Raised("call", "CudaAPIError", "[2] Call to cuMemAlloc results in CUDA_ERROR_OUT_OF_MEMORY")

    worker = build.worker()
    here = levels.Tools(dict.fromkeys((SIMULATED, DEVICE), "") | {COMPILED: "none in this test"}, {"device": "a GPU"})
    monkeypatch.setitem(worker.remembered, "tools", here)
    monkeypatch.setattr(levels, "device_obstacle", lambda _: obstacle)
    call = Session.call
    monkeypatch.setattr(Session, "call", lambda self, *a: (full if self.mode == "device" else call)(self, *a))
    result = judged(RIGHT, doubled, vector_case(), worker=worker)
    assert result.status == status, result.message
    assert "memory" in result.message


def test_what_a_guest_reports_is_read_as_plain_facts_or_not_at_all():
    def text(told, length):
        return str(told)[:length]

    forged = {
        "finding": ["race", {"array": "x" * 9999, "deep": {"a": 1}, "n": 2**80, **{f"f{i}": i for i in range(99)}}],
        "launches": [["m", "k", [["float32", 1, True], "nonsense", ["f", -3, 1]]], ["m"], 7, *[["m", "k", []]] * 999],
        "copies": -5,
        "traffic": {"rows": [["k", "a", "global", *[1] * 8], ["k", 2], "row", ["k", "a", "s", *[-1] * 8]], "points": 3},
    }
    seen = noticed.read(forged, text)
    assert seen is not None
    assert seen.finding is not None
    assert len(seen.finding.facts) <= noticed.MOST_FACTS
    assert all(isinstance(value, int) or len(value) <= noticed.LONGEST for value in seen.finding.facts.values())
    assert len(seen.launches) == noticed.MOST_LAUNCHES - 2
    assert seen.copies == 0
    assert [row.array for row in seen.traffic] == ["a"]
    assert seen.points == {}
    assert noticed.read([1], text) is None
    words = kernel_words.finding(Exercise(MODULE, "kernel"), seen.finding)
    assert all(isinstance(part, str) for part in words)  # facts that are missing leave gaps, and stop nothing


# --- levels ---------------------------------------------------------------------------------------------------------


def test_a_level_is_asked_of_a_chapter_or_of_everything_and_the_last_word_counts():
    everything = levels.required(["compiled"])
    assert set(everything) == {name for name, one in catalogue.exercises().items() if one.cuda}
    assert set(everything.values()) == {COMPILED}
    mixed = levels.required(["simulated", "ch12_cuda_basics=device"])
    assert {level for name, level in mixed.items() if name.startswith("ch12")} == {DEVICE}
    assert {level for name, level in mixed.items() if not name.startswith("ch12")} <= {SIMULATED}


@pytest.mark.parametrize("wish", ["gpu", "ch12=gpu", "relu=compiled", "nonsense=device"])
def test_a_level_that_means_nothing_is_refused(wish):
    with pytest.raises(Problem):
        levels.required([wish])


@pytest.mark.skipif(levels.has_device(), reason="needs a machine that has no GPU; this one has")
def test_a_level_that_this_machine_has_not_is_refused_before_grading(tmp_path):
    hand_in = tmp_path / "ch12_cuda_basics.py"
    hand_in.write_text(oracle.solutions().modules["ch12_cuda_basics"].text, encoding="utf-8")
    run = kata("grade", hand_in, "--level", "device", "--out", tmp_path / "out", cwd=tmp_path)
    assert run.code == 2
    (told,) = run.told
    assert "to be judged at the level device, and this machine cannot: no NVIDIA GPU here" in told
    assert not list((tmp_path / "out").glob("*.json"))


def test_a_kernel_that_passed_at_too_low_a_level_does_not_count_as_graded():
    results = [
        ExerciseResult("a", 1, status=PASSED, level=SIMULATED),
        ExerciseResult("b", 1, status=PASSED, level=DEVICE),
        ExerciseResult("c", 1, status=FAILED, level=SIMULATED),
        ExerciseResult("d", 1, status=PASSED, level=SIMULATED),
    ]
    wanted = dict.fromkeys("abc", COMPILED)
    assert levels.too_low(results, wanted) == ["a (simulated instead of compiled)"]


# --- devices --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "told"),
    [
        ("[2] Call to cuMemAlloc results in CUDA_ERROR_OUT_OF_MEMORY", "memory is full"),
        ("[46] Call to cuCtxCreate results in CUDA_ERROR_DEVICE_UNAVAILABLE", "busy"),
        ("CUDA_ERROR_SYSTEM_DRIVER_MISMATCH", "restart the machine"),
        ("[222] CUDA_ERROR_UNSUPPORTED_PTX_VERSION: the provided PTX", "newer than the NVIDIA driver"),
    ],
)
def test_what_ails_a_device_is_told_in_words_and_is_not_the_kernels_fault(error, told):
    assert kernel_words.is_trouble(error)
    assert told in kernel_words.trouble(error)
    kernels = Kernels(Submission("student", {}), simulating(), build.BRISK)
    result = ExerciseResult("kernel", 1, status=PASSED, level=SIMULATED)
    kernels.tell(Exercise(MODULE, "kernel"), result, error)
    assert "not run on a device" in result.message
    assert told in result.message


def test_what_a_kernel_does_wrong_on_a_device_is_told_in_words():
    answer = Raised("call", "CudaAPIError", "[700] Call to cuMemcpyDtoH results in CUDA_ERROR_ILLEGAL_ADDRESS")
    assert not kernel_words.is_trouble(answer.message)
    message, advice = kernel_words.device_failure(Exercise(MODULE, "kernel"), answer) or ("", "")
    assert "memory that is not its own" in message
    assert "guard" in advice


ON_THE_STOCK_SIMULATOR = """
import sys
sys.path.insert(0, "grader/worker/guest")
import numba
numba.config.ENABLE_CUDASIM = True
import numpy as np
from gpu.device import Device
from numba import cuda

@cuda.jit
def kernel(x, out, table):
    i = cuda.grid(1)
    if i < x.size:
        out[i] = 2 * x[i]
        table[i % 2, i // 2] = i

def host(x, out, table):
    kernel[2, 8](x, out, table)
    return out

device = Device()
plain = cuda.jit
seen = []
cuda.jit = lambda *given, **options: seen.append(options) or plain(*given, **options)
device.install()
cuda.jit(cache=True, fastmath=True)(len)
assert seen == [{"fastmath": True}], seen
for function, how in ((kernel, {"grid": [2], "block": [8], "shared": 0}), (host, {})):
    for size in (12, 0):
        x = np.arange(size, dtype=np.float32)
        arguments = {"x": x, "out": np.full(size, np.nan, np.float32), "table": np.zeros((2, size // 2), np.int64)}
        returned = device.run(function, arguments, how)
        np.testing.assert_array_equal(arguments["out"], 2 * x)
        np.testing.assert_array_equal(arguments["table"], np.arange(size).reshape(-1, 2).T)
        assert how or (returned == 2 * x).all()
        assert device.report() == {"finding": None}
print("right")
"""


def test_arrays_go_to_a_device_and_come_back():
    command = [sys.executable, "-c", ON_THE_STOCK_SIMULATOR]
    run = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, cwd=oracle.kit.ROOT)
    assert run.stdout.strip() == "right", run.stderr


@pytest.mark.parametrize("kind", isolation.KINDS)
def test_a_guest_that_may_use_a_device_may_do_nothing_else(kind, tmp_path):
    if isolation.obstacle_to(kind):
        pytest.skip(f"{kind}: {isolation.obstacle_to(kind)}; `kata doctor` tells how to get it")
    secret, home = tmp_path / "secret", tmp_path / "home"
    secret.write_text("not for guests", encoding="utf-8")
    home.mkdir()
    run = subprocess.run(
        isolation.KINDS[kind].command(["-", "probe", str(secret), "device"], home),
        env=isolation.environment(home),
        cwd=home,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert run.returncode == 0, run.stderr


IOCTL = """
import fcntl, os, sys, tempfile
sys.path.insert(0, "grader/worker/guest")
import confine, limits
from gpu import files
files.devices = lambda: ["/dev/ptmx"] if sys.argv[1] == "device" else []
confine.prepare("landlock")
confine.forbid_files(tempfile.mkdtemp(), device=True)
try:
    fcntl.ioctl(os.open("/dev/ptmx", os.O_RDWR), 0x80045430, bytes(4))
except PermissionError:
    print("refused")
else:
    print("done")
"""


@pytest.mark.skipif(bool(isolation.obstacle_to("landlock")), reason="needs Landlock; `kata doctor` tells how to get it")
@pytest.mark.parametrize(("given", "told"), [("device", "done"), ("none", "refused")])
def test_a_driver_may_talk_to_its_device_files(given, told):
    command = [sys.executable, "-c", IOCTL, given]
    run = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, cwd=oracle.kit.ROOT)
    assert run.stdout.strip() == told, run.stderr


def test_a_first_call_on_a_device_has_time_to_compile():
    asked = []

    class Asked:
        def call(self, *about):
            asked.append(about[5])
            return Raised("call", "ValueError", "")

        def close(self):
            pass

    limits = Limits(compile=7.0, call=2.0)
    kernels = Kernels(Submission("student", {}), simulating(), limits)
    kernels._sessions = {SIMULATED: Asked(), DEVICE: Asked()}
    for level in (SIMULATED, DEVICE):
        kernels.run(Exercise(MODULE, "kernel", cuda="kernel"), level, vector_case(), None)
    assert asked == [2.0, 9.0]


@needs_device
def test_a_right_kernel_runs_on_the_device():
    result = judged(RIGHT, doubled, vector_case(), worker=build.worker())
    assert (result.status, result.level) == (PASSED, DEVICE), result.message


# --- traces ---------------------------------------------------------------------------------------------------------


def test_a_trace_counts_what_a_kernel_asks_of_memory():
    exercise = Exercise(MODULE, "kernel", changes=("out",), returns=(), cuda="kernel", compiled=False)
    case = Case("a matrix", launch=Launch((2, 2), (16, 8)), x=numbers(16, 32), out=poison(32, 16))
    exercise.make_cases = lambda draw: [case]
    source = "@cuda.jit\ndef kernel(x, out):\n    j, i = cuda.grid(2)\n    out[j, i] = x[i, j]\n"
    found = trace(simulating(), Submission("student", {MODULE: Module("kernels.py", HEAD + source)}), exercise)
    rows = budget.by_array(found.noticed.traffic)
    assert (rows["x"].reads, rows["x"].writes, rows["out"].writes) == (512, 0, 512)
    assert budget.ratio(rows["x"], "sectors") == 1  # rows of 16 threads: two sectors, and none half used
    assert budget.ratio(rows["out"], "sectors") == 4  # two neighbours of the warp's rows share a sector of eight
    assert len(found.noticed.points["x"]) == 128  # the first block's
    shown = traffic.title(found).plain
    assert "grid 2 × 2, block 16 × 8" in shown


# --- the stock simulator --------------------------------------------------------------------------------------------

STOCK = """
import json, sys, warnings
warnings.simplefilter("ignore")
import numba
numba.config.ENABLE_CUDASIM = True
numba.config.DISABLE_JIT = True
import importlib, numpy as np
sys.path.insert(0, sys.argv[1])
answers = {}
for task in np.load(sys.argv[2], allow_pickle=False)["tasks"]:
    module, name, grid, block, shared, arguments = json.loads(str(task))
    values = [np.array(v["data"], v["dtype"]).reshape(v["shape"]) if isinstance(v, dict) else v for v in arguments]
    kernel = getattr(importlib.import_module("solutions." + module), name)
    try:
        kernel[tuple(grid), tuple(block), 0, shared](*values)
    except AttributeError as error:
        if "shfl" not in str(error):  # which it has not
            raise
        continue
    answers[name] = [v.astype(np.float64).ravel().tolist() if hasattr(v, "ravel") else v for v in values]
print(json.dumps(answers))
"""
SMALL = 96  # threads in all: the stock simulator starts one of the system's for each


def small_launches():
    """The smallest case of each kernel that the stock simulator can run soon."""
    for exercise in catalogue.exercises().values():
        launches = [case for case in exercise.public_cases() if exercise.cuda == "kernel" and case.launch]
        small = [case for case in launches if np.prod(case.launch.grid) * np.prod(case.launch.block) <= SMALL]
        if small:
            yield exercise, min(small, key=lambda case: sum(getattr(v, "size", 0) for v in case.arguments.values()))


def test_the_solutions_give_what_numbas_own_simulator_gives(tmp_path):
    asked = list(small_launches())
    tasks, ours = [], {}
    with Session(simulating(), oracle.solutions().sources, "simulated") as session:
        for exercise, case in asked:
            told = [
                {"data": v.ravel().tolist(), "dtype": str(v.dtype), "shape": v.shape}
                if isinstance(v, np.ndarray)
                else v
                for v in case.arguments.values()
            ]
            if any(isinstance(value, np.generic) for value in told):
                told = [v.item() if isinstance(v, np.generic) else v for v in told]
            launch = case.launch
            tasks.append(json.dumps([exercise.module, exercise.name, launch.grid, launch.block, launch.shared, told]))
            names = tuple(name for name, value in case.arguments.items() if isinstance(value, np.ndarray))
            answer = session.call(exercise.module, exercise.name, case.arguments, names, False, 20, launch_of(launch))
            assert isinstance(answer, Returned), answer
            ours[exercise.name] = answer.changed
    np.savez(tmp_path / "tasks.npz", tasks=np.array(tasks))
    run = subprocess.run(
        [sys.executable, "-c", STOCK, str(oracle.kit.ROOT), str(tmp_path / "tasks.npz")],
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    assert run.returncode == 0, run.stderr[-2000:]
    stock = json.loads(run.stdout)
    assert len(stock) >= 8  # those that stay out use shuffles, which the stock simulator has not
    by_name = {exercise.name: case for exercise, case in asked}
    for name, values in stock.items():
        for argument, value in zip(by_name[name].arguments, values, strict=True):
            if argument in ours[name]:
                mine = ours[name][argument].astype(np.float64).ravel()
                np.testing.assert_allclose(mine, np.array(value), rtol=1e-6, atol=1e-6, err_msg=name)


def test_expected_values_of_the_builders_are_numpys():
    case = vector_case()
    ((_, changed),) = Told(doubled).expected(Exercise(MODULE, "kernel", changes=("out",)), [case])
    np.testing.assert_array_equal(changed["out"], 2 * case.arguments["x"])
    assert np.isnan(case.arguments["out"]).all()


# --- the command ------------------------------------------------------------------------------------------------------


def test_a_trace_is_a_table_and_a_picture(tmp_path):
    (tmp_path / "exercises").mkdir()
    hand_in = tmp_path / "exercises" / "ch12_cuda_basics.py"
    hand_in.write_text(oracle.solutions().modules["ch12_cuda_basics"].text, encoding="utf-8")
    run = kata("trace", "exercises/", "transpose_kernel", "--picture", "--out", tmp_path / "pictures", cwd=tmp_path)
    assert run.code == 0, run.err
    assert "transpose_kernel: " in run.out
    assert "tile" in run.out
    if importlib.util.find_spec("matplotlib"):
        assert (tmp_path / "pictures" / "transpose_kernel_accesses.png").stat().st_size > 5000


def test_only_kernels_are_traced(tmp_path):
    run = kata("trace", "relu", cwd=tmp_path)
    assert run.code == 2
    assert run.told == ["relu is no CUDA kernel. Only kernels are traced."]


def test_the_doctor_tells_how_kernels_are_judged_here(tmp_path):
    run = kata("doctor", cwd=tmp_path)
    assert "CUDA kernels are simulated on greenlets" in run.out
    assert ("compiled for sm_" in run.out) == COMPILER
    assert ("no NVIDIA GPU here" in run.out) != levels.has_device()


def test_a_verdict_is_not_recalled_where_another_level_is_to_be_had(tmp_path, monkeypatch):
    handed_in = oracle.solutions()
    exercise = catalogue.exercises()["ch12_cuda_basics.relu_kernel"]
    memory = Memory(tmp_path)
    memory.keep(handed_in, exercise, ExerciseResult(exercise.id, 1, 1, PASSED, level=SIMULATED))
    assert memory.recall(handed_in, exercise) is not None
    monkeypatch.setattr(levels, "fingerprint", lambda: "a machine with a compiler")
    assert memory.recall(handed_in, exercise) is None

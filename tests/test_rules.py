"""What is refused from the syntax tree, with its rule and line; and what honest code may do."""

from __future__ import annotations

import build
import pytest

from grader import catalogue, kit, rules, submission
from grader.judge import static_problem
from grader.result import COMPILE_ERROR, INTERPRETED, VIOLATION

RELU = "@njit\ndef relu(x):\n    return np.maximum(x, np.float32(0))\n"


def verdict(source: str, name: str = "relu", module: str = "ch03_activations"):
    """What a look at the tree says of an exercise whose module has this text below the usual imports."""
    return static_problem(build.submission(**{module: build.HEAD + source}), build.exercise(name))


TELLS_HOW = (rules.PLAIN_CODE, "tells how numba runs")
REFUSED = {
    "a library that has the answers": ("import keras\n" + RELU, rules.BY_HAND, "imports keras"),
    "… a part of it": ("from scipy.special import softmax as best\n" + RELU, rules.BY_HAND, "imports scipy"),
    "… inside the function": (
        "@njit\ndef relu(x):\n    import torch\n    return torch.relu(x)\n",
        rules.BY_HAND,
        "imports torch",
    ),
    "… inside a function that it calls": (
        "def helper(x):\n    from sklearn import metrics\n    return x\n@njit\ndef relu(x):\n    return helper(x)\n",
        rules.BY_HAND,
        "imports sklearn",
    ),
    "exec": (f"exec('relu = abs')\n{RELU}", rules.PLAIN_CODE, "uses exec"),
    "globals": (f"{RELU}globals()['relu'] = abs\n", rules.PLAIN_CODE, "uses globals"),
    "setattr on numba": (f"setattr(np, 'maximum', max)\n{RELU}", rules.PLAIN_CODE, "uses setattr"),
    "an import by name": (f"k = __import__('ke' + 'ras')\n{RELU}", rules.PLAIN_CODE, "uses __import__"),
    "sys.modules": (f"{RELU}del sys.modules['numba']\n", rules.PLAIN_CODE, "uses sys"),
    "frames": (f"import inspect\n{RELU}STACK = inspect.stack()\n", rules.PLAIN_CODE, "uses inspect"),
    "dunder attributes": (f"f = np.float32.__subclasses__\n{RELU}", rules.PLAIN_CODE, "uses __subclasses__"),
    "a patched library": (f"np.maximum = max\n{RELU}", rules.PLAIN_CODE, "replaces np.maximum"),
    "… in a decorator": (
        f"def mark(f):\n    np.testing.assert_equal = print\n    return f\n{RELU}\n@mark\ndef tanh(x):\n    return x\n",
        rules.PLAIN_CODE,
        "replaces np.testing.assert_equal",
    ),
    "a function bound again": (f"{RELU}relu = abs\n", rules.PLAIN_CODE, "binds relu again"),
    "… by an import": (f"{RELU}from math import fabs as relu\n", rules.PLAIN_CODE, "binds relu again"),
    "… in a branch": (f"{RELU}if True:\n    def relu(x):\n        return x\n", rules.PLAIN_CODE, "binds relu again"),
    "… from a function": (
        f"{RELU}def later():\n    global relu\n    relu = abs\nlater()\n",
        rules.PLAIN_CODE,
        "binds relu again",
    ),
    "locals": (f"{RELU}locals()['relu'] = abs\n", rules.PLAIN_CODE, "uses locals"),
    "how numba runs": (
        f"PLAIN = numba.config.DISABLE_JIT\nimport numba\n{RELU}",
        rules.PLAIN_CODE,
        "uses DISABLE_JIT",
    ),
    "… by a setting's name": (
        f"import os\nPLAIN = os.environ.get('NUMBA_ENABLE_CUDASIM')\n{RELU}",
        rules.PLAIN_CODE,
        "uses NUMBA_ENABLE_CUDASIM",
    ),
    "… from where it is kept": (f"from numba.core import config\n{RELU}", *TELLS_HOW),
    "a part of the judge": (f"import gpu.simulator\nkept = gpu.simulator\n{RELU}", rules.PLAIN_CODE, "imports gpu"),
    "… its messages": (f"from wire import send\n{RELU}", rules.PLAIN_CODE, "imports wire"),
    "builtins by their dunder": (f"__builtins__['exec']('')\n{RELU}", rules.PLAIN_CODE, "uses __builtins__"),
    "a default value": (f"{RELU}def spare(x=globals()):\n    return x\n", rules.PLAIN_CODE, "uses globals"),
    "a decorator's own code": (
        f"{RELU}@(lambda f: exec('') or f)\ndef spare(x):\n    return x\n",
        "plain code",
        "exec",
    ),
    "a pattern": (f"{RELU}match abs:\n    case relu:\n        pass\n", rules.PLAIN_CODE, "binds relu again"),
    "a module that calls itself a program": (
        f"__name__ = '__main__'\nif __name__ == '__main__':\n    exec('relu = abs')\n{RELU}",
        rules.PLAIN_CODE,
        "binds __name__",
    ),
    "frames of generators": (f"g = (i for i in 'a')\ng.gi_frame\n{RELU}", rules.PLAIN_CODE, "uses gi_frame"),
    "exec in a nested function's shade": (
        "@njit\ndef relu(x):\n    def g():\n        exec = 1\n        return exec\n    exec('x = 1')\n    return x\n",
        rules.PLAIN_CODE,
        "uses exec",
    ),
    "objmode by its other name": (
        f"from numba.core.withcontexts import objmode_context as other\n{RELU}",
        rules.COMPILED,
        "uses objmode_context",
    ),
    "forceobj, truthy": ("@jit(forceobj=1)\ndef relu(x):\n    return x\n", rules.COMPILED, "forceobj"),
    "objmode": (
        "from numba import objmode\n@njit\ndef relu(x):\n    with objmode():\n        pass\n    return x\n",
        rules.COMPILED,
        "uses objmode",
    ),
    "forceobj": ("@jit(forceobj=True)\ndef relu(x):\n    return x\n", rules.COMPILED, "forceobj"),
    "nopython=False": ("@jit(nopython=False)\ndef relu(x):\n    return x\n", rules.COMPILED, "nopython=False"),
    "a decorator of one's own": (f"def njit(f):\n    return f\n{RELU}", rules.COMPILED, "binds njit again"),
    "… assigned": (f"njit = lambda f: f\n{RELU}", rules.COMPILED, "binds njit again"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_breaks_a_rule_is_refused_with_rule_and_line(what):
    source, rule, told = REFUSED[what]
    status, message, action = verdict(source)
    assert status == VIOLATION
    assert told in message
    assert f"rule: {rule}" in message
    line = int(message.partition("line ")[2].split()[0])
    shown = (build.HEAD + source).splitlines()[line - 1]
    assert any(word in shown for word in told.replace(".", " ").split())
    assert action.endswith(".")


PLAIN = {
    "no decorator": "def relu(x):\n    return np.maximum(x, 0)\n",
    "somebody else's decorator": "def mark(f):\n    return f\n@mark\ndef relu(x):\n    return np.maximum(x, 0)\n",
}


@pytest.mark.parametrize("what", PLAIN)
def test_what_numba_does_not_compile_is_told(what):
    judged = build.judge_one(build.submission(ch03_activations=build.HEAD + PLAIN[what]), "relu")
    assert (judged.status, judged.cases[0].stage) == (COMPILE_ERROR, INTERPRETED), "the numbers are told first"
    assert "plain Python" in judged.message
    assert "@njit" in judged.help


HONEST = {
    "as the stub has it": RELU,
    "with options": "@njit(cache=True, fastmath={'nsz'})\ndef relu(x):\n    return np.maximum(x, 0)\n",
    "numba by another name": "import numba as nb\n@nb.njit\ndef relu(x):\n    return np.maximum(x, 0)\n",
    "a decorator made once": "fast = njit(cache=True)\n@fast\ndef relu(x):\n    return np.maximum(x, 0)\n",
    "a partial": "import functools\nfast = functools.partial(njit, cache=True)\n@fast()\ndef relu(x):\n    y = 1\n",
    "a local name like the function": "@njit\ndef relu(x):\n    relu = x\n    return relu\n",
    "timing it oneself": f"import time\n{RELU}if __name__ == '__main__':\n    print(time.time())\n",
    "an import that is not used": f"import sys\nimport inspect\n{RELU}",
    "a neighbour that breaks a rule": f"{RELU}def tanh(x):\n    import scipy\n    return eval('x')\n",
    "what runs as a program only": f"{RELU}if __name__ == '__main__':\n    import keras\n    exec('print(1)')\n",
    "the path of modules": f"import sys\nsys.path.append('..')\n{RELU}",
    "variances": "@njit\ndef relu(x):\n    vars = x * x\n    return vars\n",
    "numba's submodules": "import numba.typed\n@numba.njit\ndef relu(x):\n    return np.maximum(x, 0)\n",
    "an annotated decorator": "fast: object = njit(cache=True)\n@fast\ndef relu(x):\n    return np.maximum(x, 0)\n",
    "array attributes": "@njit\ndef relu(x):\n    out = np.empty_like(x)\n    out.flat[0] = 1\n    return out\n",
}


@pytest.mark.parametrize("what", HONEST)
def test_honest_code_breaks_no_rule(what):
    assert verdict(HONEST[what]) is None


PRODUCT = "@njit\ndef matmul(a, b):\n    return mm(a, b)\n"
PRODUCTS = {
    "by another name": f"mm = np.dot\n{PRODUCT}",
    "in a lambda": f"mm = njit(lambda a, b: a @ b)\n{PRODUCT}",
    "in a branch": f"if True:\n    @njit\n    def mm(a, b):\n        return a @ b\n{PRODUCT}",
    "by a star": "from numpy import *\n@njit\ndef matmul(a, b):\n    return dot(a, b)\n",
    "of several": "@njit\ndef matmul(a, b):\n    return np.linalg.multi_dot([a, b])\n",
}


@pytest.mark.parametrize("how", PRODUCTS)
def test_a_product_is_refused_however_it_is_called(how):
    status, message, _ = verdict(PRODUCTS[how], "matmul", "ch05_dense")
    assert (status, f"rule: {rules.BY_HAND}" in message) == (VIOLATION, True)


def test_a_product_that_another_exercise_uses_is_its_own_business():
    source = "dot = np.dot\n@njit\ndef matmul(a, b):\n    return a + b\n@njit\ndef other(a, b):\n    return dot(a, b)\n"
    assert verdict(source, "matmul", "ch05_dense") is None


def test_a_star_below_the_function_binds_it_again():
    status, message, _ = verdict(f"{RELU}from math import *\n")
    assert (status, "binds relu again" in message) == (VIOLATION, True)


def test_plain_python_may_not_reach_into_running_code_either():
    source = "def glorot_uniform(rng, fan_in, fan_out):\n    return getattr(rng, 'uniform')(0, 1, (fan_in, fan_out))\n"
    status, message, _ = verdict(source, "glorot_uniform", "ch05_dense")
    assert (status, "uses getattr" in message) == (VIOLATION, True)


KERNELS = "from numba import cuda\nROWS = np.mean\n"
COMPUTED = {
    "a product": "    if cuda.grid(1) == 0:\n        c[0, 0] = ([a[0, 0]] @ [b[0, 0]])",
    "a sum": "    c[0, 0] = np.sum([a[0, 0]])",
    "a matrix": "    c[0, 0] = np.matrix([1.0])[0, 0]",
    "a ufunc's method": "    c[0, 0] = np.add.reduce([a[0, 0]])",
    "a name of its own": "    c[0, 0] = ROWS([a[0, 0]])",
}


@pytest.mark.parametrize("what", COMPUTED)
def test_a_kernel_computes_element_by_element(what):
    source = f"{KERNELS}@cuda.jit\ndef matmul_registers_kernel(a, b, c):\n{COMPUTED[what]}\n"
    problem = verdict(source, "matmul_registers_kernel", "ch13_cuda_layers")
    assert problem is not None
    assert problem[0] == VIOLATION


def test_a_kernel_has_types_constants_and_functions_of_numbers():
    source = f"{KERNELS}@cuda.jit\ndef matmul_registers_kernel(a, b, c):\n    c[0, 0] = np.float32(np.exp(-np.inf))\n"
    assert verdict(source, "matmul_registers_kernel", "ch13_cuda_layers") is None


def test_the_solutions_break_no_rule():
    handed_in = submission.read(kit.SOLUTIONS)
    found = {one.id: static_problem(handed_in, one) for one in catalogue.exercises().values()}
    assert {name: problem for name, problem in found.items() if problem} == {}

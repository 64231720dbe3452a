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
    "breakpoint": (f"f = breakpoint('dot')\n{RELU}", rules.PLAIN_CODE, "uses breakpoint"),
    "code in a pickle": (f"import pickle\npickle.loads(b'')\n{RELU}", rules.PLAIN_CODE, "uses pickle"),
    "sys from elsewhere": (f"os.sys.modules.clear()\n{RELU}", rules.PLAIN_CODE, "uses sys"),
    "… by its name": (f"from typing import sys as s\ns.modules.clear()\n{RELU}", rules.PLAIN_CODE, "uses s"),
    "evaluated annotations": (f"import typing\ntyping.get_type_hints(1)\n{RELU}", rules.PLAIN_CODE, "get_type_hints"),
    "a computed annotation": (f"def spare(x: exec('')):\n    return x\n{RELU}", rules.PLAIN_CODE, "uses exec"),
    "a pattern's attribute": (
        f"match abs:\n    case object(__self__=b):\n        pass\n{RELU}",
        rules.PLAIN_CODE,
        "uses __self__",
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
    "by a pattern": f"match np:\n    case object(dot=mm):\n        pass\n{PRODUCT}",
    "of several": "@njit\ndef matmul(a, b):\n    return np.linalg.multi_dot([a, b])\n",
}


@pytest.mark.parametrize("how", PRODUCTS)
def test_a_product_is_refused_however_it_is_called(how):
    status, message, _ = verdict(PRODUCTS[how], "matmul", "ch05_dense")
    assert (status, f"rule: {rules.BY_HAND}" in message) == (VIOLATION, True)


LOOKED_UP = {  # how a product comes in, and what is told of it
    "by its name": (f"import pkgutil\nmm = pkgutil.resolve_name('numpy:d' + 'ot')\n{PRODUCT}", "pkgutil.resolve_name"),
    "from a pickle": (f"import pickle\nmm = pickle.loads(b'cnumpy\\nd' + b'ot\\n.')\n{PRODUCT}", "pickle.loads"),
    "by pydoc": (f"from pydoc import locate as find\nmm = find('numpy.d' + 'ot')\n{PRODUCT}", "pydoc.locate"),
    "by timeit": (
        f"import timeit\nBOX = []\ntimeit.timeit('box.append(n.d' 'ot)', 'import numpy as n', globals={{'box': BOX}})\n"
        f"mm = BOX[0]\n{PRODUCT}",
        "timeit.timeit",
    ),
    "by marshal": (f"import marshal as m\nmm = njit(m.loads(b''))\n{PRODUCT}", "marshal.loads"),
    "by attrgetter": (
        f"import operator\nmm = operator.attrgetter('d' + 'ot')(GIVEN)\n{PRODUCT}",
        "operator.attrgetter",
    ),
    "by an operator": (f"from operator import imatmul as mm\n{PRODUCT}", "operator.imatmul"),
    "in a function": ("@njit\ndef matmul(a, b):\n    import secret\n    return secret.mm(a, b)\n", "secret.mm"),
    "in a helper": (f"import secret\ndef make():\n    return secret.mm\nmm = make()\n{PRODUCT}", "secret.mm"),
    "in a class": (f"import secret\nclass Box:\n    mm = secret.mm\nmm = Box.mm\n{PRODUCT}", "secret.mm"),
    "in a default": ("import secret\n@njit\ndef matmul(a, b, mm=secret.mm):\n    return mm(a, b)\n", "secret.mm"),
    "in a decorator": (f"import secret\n@secret.mark\ndef mm(a, b):\n    return a\n{PRODUCT}", "secret.mark"),
    "in a lambda": (f"import secret\nmm = njit(lambda a, b: secret.mm(a, b))\n{PRODUCT}", "secret.mm"),
    "in a loop": (f"import secret\nfor mm in secret.all:\n    pass\n{PRODUCT}", "secret.all"),
    "in a try": (f"try:\n    from secret import mm\nexcept OSError:\n    mm = 1\n{PRODUCT}", "secret.mm"),
    "in a with": (f"import secret\nwith secret.open() as mm:\n    pass\n{PRODUCT}", "secret.open"),
    "in a match": (f"import secret\nmatch secret.mm:\n    case mm:\n        pass\n{PRODUCT}", "secret.mm"),
    "in a walrus": (f"import secret\ndef other(x=(mm := secret.mm)):\n    return x\n{PRODUCT}", "secret.mm"),
    "in an annotation": (f"import secret\ndef other(x: (mm := secret.mm)):\n    return x\n{PRODUCT}", "secret.mm"),
    "by a star": (f"from secret import *\n{PRODUCT}", "secret.*"),
    "by a star over one's own": (f"def mm(a, b):\n    return a\nfrom secret import *\n{PRODUCT}", "secret.*"),
    "in a list": (f"import secret\nBOX = []\nBOX.append(secret.mm)\nmm = BOX[0]\n{PRODUCT}", "secret.mm"),
    "in a list's other name": (
        f"import secret\nBOX = []\nother = BOX\nother.append(secret.mm)\nmm = BOX[0]\n{PRODUCT}",
        "secret.mm",
    ),
    "in a list that a function fills": (
        f"import secret\nBOX = []\ndef fill():\n    BOX.append(secret.mm)\nfill()\nmm = BOX[0]\n{PRODUCT}",
        "secret.mm",
    ),
    "as a global name": (
        f"import secret\ndef fill():\n    global mm\n    mm = secret.mm\nfill()\n{PRODUCT}",
        "secret.mm",
    ),
    "as an imported global name": (
        f"def fill():\n    global mm\n    from secret import mm\nfill()\n{PRODUCT}",
        "secret.mm",
    ),
    "by NumPy's own loader": (f"mm = np.load('mm.npy', allow_pickle=True)[0]\n{PRODUCT}", "numpy.load"),
    "by another library's sys": (f"import typing\nmm = typing.sys.modules['n'].mm\n{PRODUCT}", "typing.sys.modules"),
    "by NumPy's other name": (f"n = np\nmm = n.testing.mm\n{PRODUCT}", "numpy.testing.mm"),
    "by NumPy as a whole": (f"mm = [np][0].testing\n{PRODUCT}", "numpy"),
    "by a pattern's attribute": (f"match np:\n    case object(testing=mm):\n        pass\n{PRODUCT}", "numpy"),
}


@pytest.mark.parametrize("how", LOOKED_UP)
def test_what_nobody_can_read_is_refused_wherever_a_product_is_asked_for(how):
    source, told = LOOKED_UP[how]
    status, message, action = verdict(source, "matmul", "ch05_dense")
    assert status == VIOLATION
    assert f"{told}, which may be anything (rule: {rules.BY_HAND})" in message
    assert action == "Write it with NumPy's elementary functions, numba and math."


@pytest.mark.parametrize(
    "brought", ["from .helpers import mm", "from .helpers import *", "from . import helpers\nmm = helpers.mm"]
)
@pytest.mark.parametrize("made", ["mm = np.dot", "import secret\nmm = secret.mm"])
def test_a_product_of_another_module_is_refused(brought, made):
    modules = {"ch05_dense": f"{build.HEAD}{brought}\n{PRODUCT}", "helpers": f"{build.HEAD}{made}\n"}
    status, message, _ = static_problem(build.submission(**modules), build.exercise("matmul"))
    assert (status, "helpers.py" in message, f"rule: {rules.BY_HAND}" in message) == (VIOLATION, True, True)


def test_a_chapters_own_product_is_used_by_its_name():
    own = f"{build.HEAD}@njit\ndef dot(a, b):\n    return a + b\n"
    for brought, call in {"from exercises.helpers import dot": "dot", "from . import helpers": "helpers.dot"}.items():
        text = f"{build.HEAD}{brought}\n@njit\ndef matmul(a, b):\n    return {call}(a, b)\n"
        assert static_problem(build.submission(ch05_dense=text, helpers=own), build.exercise("matmul")) is None


LOOPS = """@njit
def matmul(a, b):
    c = np.zeros((a.shape[0], b.shape[1]), a.dtype)
    for i in range(c.size):
        c[i // c.shape[1], i % c.shape[1]] = (a[i // c.shape[1]] * b[:, i % c.shape[1]]).sum()
    return c
"""
BESIDE = {
    "an import that is not used": f"import os\nimport secret\n{LOOPS}",
    "a plot in a demo": f"import matplotlib.pyplot as plt\n{LOOPS}def demo():\n    plt.imshow(np.dot(C, C))\n",
    "a plot at the top": f"import matplotlib.pyplot as plt\n{LOOPS}y = matmul(np.eye(3), np.eye(3))\nplt.imshow(y)\n",
    "annotations": (
        "from typing import Optional\nfrom pathlib import Path\nimport numpy.typing as npt\n@njit\n"
        "def matmul(a: npt.NDArray[np.float32], b: Optional[Path]) -> 'Path | None':\n    return helper(a, b)\n"
        "@njit\ndef helper(a: Path, b):\n    n: Path = a\n    return n\n"
    ),
    "a single function": (
        "from math import sqrt\nfrom collections import namedtuple\nfrom functools import partial\n"
        "fast = partial(njit, cache=True)\nPair = namedtuple('Pair', 'a b')\n"
        "@fast()\ndef matmul(a, b):\n    return Pair(sqrt(a), b).a\n"
    ),
    "no warnings": f"import warnings\nwarnings.filterwarnings('ignore')\n{LOOPS}",
    "a seed": f"import random\nrandom.seed(0)\nnp.random.seed(0)\n{LOOPS}",
    "a program": f"{LOOPS}if __name__ == '__main__':\n    import timeit\n    print(timeit.timeit('1'), np.dot(1, 2))\n",
    "a timing": (
        f"import time\nfrom timeit import default_timer\nstarted = time.perf_counter(), default_timer()\n{LOOPS}"
        "matmul(np.eye(3), np.eye(3))\nprint(time.perf_counter() - started[0])\n"
    ),
    "a block's size": (
        "import os\nfrom os import environ\nTHREADS = os.cpu_count() or 1\nSIZE = 8\nBLOCK = 4 * SIZE\n"
        "print(BLOCK, environ.get('HOME'))\n@njit\ndef matmul(a, b):\n    return a[:BLOCK] + THREADS\n"
    ),
    "everything of a library": (
        "from numpy import *\nfrom math import *\n@njit\ndef matmul(a, b):\n    return zeros(3) + fsum(a) + mistyped\n"
    ),
    "numba by other names": (
        "import numba as nb\nfrom numba import float32, types\nfrom numba.typed import List\nxp = np\n"
        "@nb.njit\ndef matmul(a, b):\n    return xp.sum(a) + nb.float32(1) + types.int64(2) + xp.linalg.norm(b)\n"
    ),
    "a file of a neighbour": f"import json\nCONFIG = json.loads('[]')\n{LOOPS}def other():\n    return CONFIG\n",
    "a namesake of a library": (
        "import secret\n@njit\ndef helper(secret):\n    return secret.T\n"
        "@njit\ndef matmul(a, b):\n    return helper(a)\n"
    ),
}


@pytest.mark.parametrize("what", BESIDE)
def test_other_libraries_may_stand_beside_what_is_written_by_hand(what):
    assert verdict(BESIDE[what], "matmul", "ch05_dense") is None


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

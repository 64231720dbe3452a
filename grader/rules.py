"""What a submission may not do, read from its syntax tree before anything runs.

by hand : the library call that does the exercise, or a library that has it, is refused; where a call is asked for by
    hand, so is all that does not come from `allowed.OPEN`, as far as the function's answer depends on it
plain code : what the code does can be read in it: nothing is made, bound or replaced behind the reader's back
compiled : where numba must compile a function, it is numba's own decorator that stands above it
"""

from __future__ import annotations

import ast
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from grader.allowed import OPEN, is_open
from grader.dependence import (
    FRAME,
    Part,
    Piece,
    annotations_in,
    behind,
    brought,
    imported_names,
    is_library,
    is_plain,
    line_of,
    nodes_of,
    parts,
    remembered,
    sources,
)
from grader.exercise import Exercise
from grader.submission import Submission
from grader.syntax import cut, dotted, global_names, names_bound, root
from grader.worker.isolation import GUEST, LIBRARIES

READY_MADE = (*LIBRARIES, "scipy")  # numba itself needs SciPy, so that no isolation can hide it
# Modules that reach into running code, or make code of text.
INSIDES = (
    *("bdb", "builtins", "cloudpickle", "code", "codeop", "copyreg", "ctypes", "doctest", "f2py", "gc", "importlib"),
    *("inspect", "marshal", "pdb", "pickle", "pkgutil", "pydoc", "runpy", "shelve", "sys"),
    *("timeit", "types", "unittest"),
)
MAKERS = ("breakpoint", "compile", "delattr", "eval", "exec", "getattr", "globals", "locals", "setattr", "vars")
REACHING = (  # attributes
    *("attrgetter", "f_back", "f_globals", "f_locals", "get_type_hints", "gi_frame", "methodcaller"),
    *("runstring", "tb_frame"),
)
KNOWN_DUNDERS = (
    *("__all__", "__author__", "__class__", "__contains__", "__doc__", "__enter__", "__eq__", "__exit__", "__file__"),
    *("__getitem__", "__init__", "__iter__", "__len__", "__main__", "__name__", "__next__", "__post_init__"),
    *("__repr__", "__setitem__", "__str__", "__version__"),
)
DECORATORS = ("njit", "jit")
# The modules of a guest: what watches a call can be reached there.
GUESTS = {path.stem for path in GUEST.iterdir()} - {"__main__", "__pycache__"}
# What tells how numba runs, or is that itself.
NUMBAS_INSIDES = ("config", "simulator")
SETTINGS = ("ENABLE_CUDASIM", "NUMBA_ENABLE_CUDASIM", "DISABLE_JIT", "NUMBA_DISABLE_JIT")

BY_HAND, PLAIN_CODE, COMPILED = "by hand", "plain code", "compiled"


@dataclass(frozen=True)
class Breach:
    """Which rule was broken where: `what` goes on from "line 7 …"; `action` is what to do."""

    rule: str
    path: str
    line: int
    what: str
    action: str


Seen = tuple[ast.AST, str]  # what breaks a rule, and how that is told


def breach(submission: Submission, exercise: Exercise) -> Breach | None:
    """The first rule that the function, or anything it depends on, breaks; None where it breaks none."""
    for piece in behind(submission, exercise) if exercise.forbids else ():
        path = submission.modules[piece[0]].path
        for node, what in uses_what_is_asked(submission, exercise, piece):
            return Breach(BY_HAND, path, line_of(node), what, "Write it yourself, with loops: that is the exercise.")
        for node, what in brings_in(submission, piece):
            return Breach(
                BY_HAND, path, line_of(node), what, "Write it with NumPy's elementary functions, numba and math."
            )
    for part in parts(submission, exercise):
        path = submission.modules[part[0]].path
        for node, what in looks_inside(submission, exercise, part):
            return Breach(PLAIN_CODE, path, line_of(node), what, "A kernel's arrays have elements, a shape and a size.")
        for node, what in computes_on_the_host(submission, exercise, part):
            return Breach(
                PLAIN_CODE, path, line_of(node), what, "Write a loop over elements; for numbers there is `math`."
            )
        for node, what in binds_again(submission, exercise, part):
            return Breach(PLAIN_CODE, path, line_of(node), what, "Give it a name of its own.")
        for found in always(submission, part):
            if exercise.compiled or found.rule != COMPILED:
                return found
    return None


@remembered
def always(submission: Submission, part: Part) -> tuple[Breach, ...]:
    """What a part does that is refused whatever the exercise."""
    module = submission.modules[part[0]]
    origin = imported_names(submission, part[0])
    numbas = {name.partition(".")[0] for name in numba_names(submission, part[0])} if part[1] == FRAME else set()
    nodes = nodes_of(submission, part)
    builtin = set(MAKERS) if part[1] == FRAME else global_names(module.functions[part[1]])
    harmless = {id(node.value) for node in nodes if isinstance(node, ast.Attribute) and is_open(dotted(node))}
    found = []
    for node in nodes:
        told = ready_made(node) or looks_at_the_judge(node, origin)
        told = told or replaces(node, origin) or disguised(node, numbas)
        if not told and id(node) not in harmless:
            told = makes_code(node, origin, builtin)
        if told:
            found.append(Breach(told[0], module.path, line_of(node), told[1], ACTIONS[told[0]]))
    return tuple(found)


ACTIONS = {
    BY_HAND: "Remove the import: NumPy and numba are all that an exercise needs.",
    PLAIN_CODE: "Write it out plainly, with NumPy and numba.",
    COMPILED: "Let numba's own @njit compile the whole function.",
}


# --- the rules: what breaks them, and how it is told ----------------------------------------------------------------


def uses_what_is_asked(submission: Submission, exercise: Exercise, piece: Piece) -> Iterator[Seen]:
    """A library call that does the exercise."""
    told = "uses {}, which does what is asked of you here"
    mine = set()
    for node, path in brought(submission, piece):
        if not is_library(path):
            mine.add(id(node))
        elif isinstance(node, ast.Name) and path.rpartition(".")[2] in exercise.forbids:
            yield node, told.format(path.rpartition(".")[2])
    for node in ast.walk(piece[1]):
        match node:
            case ast.BinOp(op=ast.MatMult()) | ast.AugAssign(op=ast.MatMult()) if "@" in exercise.forbids:
                yield node, told.format("@")
            case ast.Attribute(attr=name) if name in exercise.forbids and id(node) not in mine:
                yield node, told.format(name)
            case ast.MatchClass(kwd_attrs=names) if not set(names).isdisjoint(exercise.forbids):
                yield node, told.format(next(name for name in names if name in exercise.forbids))


def brings_in(submission: Submission, piece: Piece) -> Iterator[Seen]:
    """What does not come from `OPEN`, NumPy handed on as a whole included: nobody can read what it is."""
    plain = [one for one in annotations_in(piece[1]) if is_plain(one)]
    renaming = {
        id(node.value) for node in ast.walk(piece[1]) if isinstance(node, ast.Assign) and len(node.targets) == 1
    }
    annotating = {id(node) for one in plain for node in ast.walk(one)}
    for node, path in brought(submission, piece):
        renamed = path in OPEN and id(node) in renaming
        if is_library(path) and not (is_open(path) or renamed or id(node) in annotating):
            yield node, f"brings in {path}, which may be anything"


def looks_inside(submission: Submission, exercise: Exercise, part: Part) -> Iterator[Seen]:
    """In what is called by kernels: something that is inside the device, real or simulated."""
    if not exercise.cuda:
        return
    for node in nodes_of(submission, part):
        if isinstance(node, ast.Attribute) and node.attr.startswith("_") and not node.attr.startswith("__"):
            yield node, f"uses {node.attr}, which is inside the device"


def computes_on_the_host(submission: Submission, exercise: Exercise, part: Part) -> Iterator[Seen]:
    """In a kernel or what it calls: anything of NumPy's but types, constants and what is computed number by number."""
    if part[1] == FRAME or not (exercise.cuda == "kernel" or is_kernel(submission, part)):
        return
    modules, names = numpy_names(submission, part[0])
    for node in nodes_of(submission, part):
        match node:
            case ast.Attribute(value=ast.Name(id=root), attr=name) if root in modules and not _in_kernels(name):
                yield node, f"uses {root}.{name}, which no kernel has"
            case ast.Attribute(value=ast.Attribute(value=ast.Name(id=root), attr=name)) if root in modules:
                yield node, f"uses {cut(ast.unparse(node))}, which no kernel has"
            case ast.Name(id=name) if name in names and not _in_kernels(names[name]):
                yield node, f"uses NumPy's {names[name]}, which no kernel has"


def _in_kernels(name: str) -> bool:
    """Whether numba has it in kernels: a type, a constant, or a function of single numbers."""
    found = getattr(np, name, None)
    if isinstance(found, type):
        return issubclass(found, np.generic)
    return isinstance(found, float) or (isinstance(found, np.ufunc) and found.signature is None)


def binds_again(submission: Submission, exercise: Exercise, part: Part) -> Iterator[Seen]:
    """Something put in the place of the function that is asked for."""
    if part[0] != exercise.module:
        return
    name, told = exercise.name, f"binds {exercise.name} again"
    function = submission.modules[exercise.module].functions[name]
    for node in nodes_of(submission, part):
        declared = isinstance(node, ast.Global) and name in node.names
        starred = part[1] == FRAME and "*" in names_bound(node) and line_of(node) > function.lineno
        bound = part[1] == FRAME and node is not function and name in names_bound(node)
        if declared or starred or bound:
            yield node, told


def ready_made(node: ast.AST) -> tuple[str, str] | None:
    """A library that has the answers."""
    for _, package in sources(node):
        if package in READY_MADE:
            return BY_HAND, f"imports {package}, which has what is asked of you here"
    return None


def looks_at_the_judge(node: ast.AST, origin: Mapping[str, str]) -> tuple[str, str] | None:
    """What runs the code, or how it is run: what the code does may not depend on that."""
    for _, package in sources(node):
        if package in GUESTS:
            return PLAIN_CODE, f"imports {package}, which is a part of what judges it"
    match node:
        case ast.Import(names=names) if any(_is_inside_numba(alias.name) for alias in names):
            return PLAIN_CODE, "imports what tells how numba runs"
        case ast.ImportFrom(module=str() as module, names=names, level=0):
            if any(_is_inside_numba(f"{module}.{alias.name}") for alias in names):
                return PLAIN_CODE, "imports what tells how numba runs"
        case ast.Attribute(attr=name) if name in NUMBAS_INSIDES and f"{origin.get(root(node))}.".startswith("numba."):
            return PLAIN_CODE, f"uses {cut(ast.unparse(node))}, which tells how numba runs"
        case ast.Attribute(attr=name) | ast.Constant(value=str() as name) if name in SETTINGS:
            return PLAIN_CODE, f"uses {name}, which tells how numba runs"
    return None


def _is_inside_numba(path: str) -> bool:
    package, *rest = path.split(".")
    return package == "numba" and any(name in NUMBAS_INSIDES for name in rest)


def makes_code(node: ast.AST, origin: Mapping[str, str], builtin: Container[str]) -> tuple[str, str] | None:
    """Code, names or attributes that are made while it runs; `builtin` has the names that are no local variables."""
    if "__name__" in names_bound(node):  # what runs as a program only would run in a guest
        return PLAIN_CODE, "binds __name__, which says what runs"
    match node:
        case ast.Name(id=name, ctx=ast.Load()) if name in origin and (inside := _inside(origin[name])):
            return PLAIN_CODE, f"uses {inside}, which reaches into running code"
        case ast.Attribute(attr=name) if is_library(origin.get(dotted(node).partition(".")[0])) and _inside(f".{name}"):
            return PLAIN_CODE, f"uses {name}, which reaches into running code"
        case ast.Name(id=name, ctx=ast.Load()) if name in MAKERS and name in builtin:
            return PLAIN_CODE, f"uses {name}, so that nobody can read what runs"
    for name in _names_in(node):
        if name in REACHING or _is_inner(name):
            return PLAIN_CODE, f"uses {name}, which reaches into running code"
    return None


def _names_in(node: ast.AST) -> Sequence[str]:
    """The names that a node itself spells, of variables and of attributes."""
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name) | ast.alias(name=name):
            return (name,)
        case ast.MatchClass(kwd_attrs=names):
            return names
    return ()


def _inside(path: str) -> str:
    """The module of `INSIDES` that something is of, "" for none; libraries hand theirs on, as "os.sys"."""
    package, *rest = path.split(".")
    if not is_library(path) or is_open(path):
        return ""
    further = [name for name in rest if name != "types"]  # which is numba's own
    return next((name for name in (package, *further) if name in INSIDES), "")


def replaces(node: ast.AST, origin: Container[str]) -> tuple[str, str] | None:
    """Something of a library put in another's place."""
    if isinstance(node, ast.Attribute) and not isinstance(node.ctx, ast.Load) and root(node) in origin:
        return PLAIN_CODE, f"replaces {cut(ast.unparse(node))}"
    return None


def disguised(node: ast.AST, numbas: set[str]) -> tuple[str, str] | None:
    """Plain Python that passes for compiled code."""
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name) | ast.alias(name=name) if name.startswith("objmode"):
            return COMPILED, f"uses {name}, which is plain Python inside compiled code"
        case ast.keyword(arg="forceobj", value=value) if not _is_constant(value, truth=False):
            return COMPILED, "asks for forceobj, which is plain Python"
        case ast.keyword(arg="nopython", value=value) if not _is_constant(value, truth=True):
            return COMPILED, "asks for nopython=False, which is plain Python"
    again = [] if isinstance(node, (ast.Import, ast.ImportFrom)) else sorted(numbas.intersection(names_bound(node)))
    return (COMPILED, f"binds {again[0]} again, which is numba's") if again else None


# --- who compiles ---------------------------------------------------------------------------------------------------


def is_numbas(submission: Submission, exercise: Exercise) -> bool:
    """Whether one of numba's decorators that compile stands above the function; above a kernel, the one for kernels."""
    compilers = (_kernel_compilers if exercise.cuda else _compilers)(submission, exercise.module)
    return _stands_under(submission, (exercise.module, exercise.name), compilers)


def is_kernel(submission: Submission, part: Part) -> bool:
    """Whether numba's decorator of kernels and device functions stands above a function."""
    return _stands_under(submission, part, _kernel_compilers(submission, part[0]))


def _stands_under(submission: Submission, part: Part, compilers: set[str]) -> bool:
    function = submission.modules[part[0]].functions[part[1]]
    return any(_leads_to(decorator, compilers) for decorator in function.decorator_list)


@remembered
def _compilers(submission: Submission, module: str) -> set[str]:
    """All that stands for numba's decorators in a module."""
    return _with_other_names(submission, module, numba_names(submission, module))


@remembered
def _kernel_compilers(submission: Submission, module: str) -> set[str]:
    """All that stands for numba's decorator of kernels in a module."""
    return _with_other_names(submission, module, kernel_names(submission, module))


def _with_other_names(submission: Submission, module: str, names: set[str]) -> set[str]:
    """These names of a module's, and those that it gives to the same things."""
    for node in ast.walk(submission.modules[module].frame_tree):
        if isinstance(node, (ast.Assign, ast.AnnAssign)) and node.value and _leads_to(node.value, names):
            names = names.union(*(names_bound(target) for target in ast.walk(node)))
    return names


def numba_names(submission: Submission, module: str) -> set[str]:
    """What a module calls numba's decorators, as it would be written: "njit", "nb.jit"."""
    found = set()
    for node in submission.modules[module].imports:
        match node:
            case ast.ImportFrom(module="numba", names=names):
                found |= {alias.asname or alias.name for alias in names if alias.name in DECORATORS}
                found |= {name for name in DECORATORS if any(alias.name == "*" for alias in names)}
            case ast.Import(names=names):
                mine = [alias for alias in names if alias.name == "numba" or not alias.asname]
                modules = [name for name, package in sources(ast.Import(mine)) if package == "numba"]
                found |= {f"{module}.{name}" for module in modules for name in DECORATORS}
    return found


def kernel_names(submission: Submission, module: str) -> set[str]:
    """What a module calls numba's decorator of kernels: "cuda.jit", or as it was imported."""
    found = set()
    for node in submission.modules[module].imports:
        match node:
            case ast.ImportFrom(module="numba", names=names):
                found |= {f"{alias.asname or alias.name}.jit" for alias in names if alias.name == "cuda"}
            case ast.ImportFrom(module="numba.cuda", names=names):
                found |= {alias.asname or alias.name for alias in names if alias.name == "jit"}
            case ast.Import(names=names):
                for alias in names:
                    if alias.name in ("numba", "numba.cuda"):
                        inner = "" if alias.name == "numba.cuda" and alias.asname else ".cuda"
                        found.add(f"{alias.asname or 'numba'}{inner}.jit")
    return found


@remembered
def numpy_names(submission: Submission, module: str) -> tuple[set[str], dict[str, str]]:
    """What a module calls NumPy, and what it calls single things of NumPy's, each with NumPy's name for it."""
    imports = submission.modules[module].imports
    aliases = [alias for node in imports if isinstance(node, ast.Import) for alias in node.names]
    modules = {alias.asname or alias.name for alias in aliases if alias.name == "numpy"}
    names = {
        alias.asname or alias.name: alias.name
        for node in imports
        if isinstance(node, ast.ImportFrom) and node.module == "numpy" and not node.level
        for alias in node.names
    }
    for node in submission.modules[module].frame_tree.body:
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Attribute(value=ast.Name(id=root), attr=attribute)):
                names |= {name: attribute} if root in modules else {}
    return modules, names


def _leads_to(node: ast.AST, names: set[str]) -> bool:
    """Whether an expression is one of the names, or a call of one, or of `partial` with one."""
    if isinstance(node, ast.Call):
        return any(_leads_to(part, names) for part in (node.func, *node.args[:1]))
    return ast.unparse(node) in names


# --- a single node --------------------------------------------------------------------------------------------------


def _is_inner(name: str) -> bool:
    return name.startswith("__") and name not in KNOWN_DUNDERS


def _is_constant(node: ast.AST, truth: bool) -> bool:
    return isinstance(node, ast.Constant) and bool(node.value) == truth

"""What a submission may not do, read from its syntax tree before anything runs.

by hand : the library call that does the exercise, or a library that has it, is refused
plain code : what the code does can be read in it: nothing is made, bound or replaced behind the reader's back
compiled : where numba must compile a function, it is numba's own decorator that stands above it
"""

from __future__ import annotations

import ast
import functools
from collections.abc import Callable, Container, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar, cast

import numpy as np

from grader import kit
from grader.exercise import Exercise
from grader.submission import Submission, global_names
from grader.worker.isolation import GUEST, LIBRARIES

READY_MADE = (*LIBRARIES, "scipy")  # numba itself needs SciPy, so that no isolation can hide it
# Modules that reach into running code, and what of them does not.
INSIDES = ("builtins", "code", "codeop", "ctypes", "gc", "importlib", "inspect", "runpy", "sys", "types")
OUTSIDE = ("sys.argv", "sys.float_info", "sys.maxsize", "sys.path", "sys.stderr", "sys.stdout", "sys.version_info")
MAKERS = ("compile", "delattr", "eval", "exec", "getattr", "globals", "locals", "setattr", "vars")
REACHING = ("attrgetter", "f_back", "f_globals", "f_locals", "gi_frame", "methodcaller", "tb_frame")  # attributes
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
FRAME = ""  # in the place of a function's name: what a module does when it is imported


@dataclass(frozen=True)
class Breach:
    """Which rule was broken where: `what` goes on from "line 7 …"; `action` is what to do."""

    rule: str
    path: str
    line: int
    what: str
    action: str


Looked = TypeVar("Looked")
Part = tuple[str, str]  # a module of the submission, and a function there or `FRAME`
Seen = tuple[ast.AST, str]  # what breaks a rule, and how that is told


def remembered(look: Callable[[Submission, Any], Looked]) -> Callable[[Submission, Any], Looked]:
    """What was found out about a part of a submission, kept as long as the submission: its exercises share parts."""

    @functools.wraps(look)
    def once(submission: Submission, subject: Any) -> Looked:
        key = (look.__name__, subject)
        if key not in submission.remembered:
            submission.remembered[key] = look(submission, subject)
        return cast(Looked, submission.remembered[key])

    return once


def breach(submission: Submission, exercise: Exercise) -> Breach | None:
    """The first rule that the function, or anything it depends on, breaks; None where it breaks none."""
    for part in parts(submission, exercise):
        path = submission.modules[part[0]].path
        for node, what in uses_what_is_asked(submission, exercise, part):
            return Breach(BY_HAND, path, _line(node), what, "Write it yourself, with loops: that is the exercise.")
        for node, what in looks_inside(submission, exercise, part):
            return Breach(PLAIN_CODE, path, _line(node), what, "A kernel's arrays have elements, a shape and a size.")
        for node, what in computes_on_the_host(submission, exercise, part):
            return Breach(
                PLAIN_CODE, path, _line(node), what, "Write a loop over elements; for numbers there is `math`."
            )
        for node, what in binds_again(submission, exercise, part):
            return Breach(PLAIN_CODE, path, _line(node), what, "Give it a name of its own.")
        for found in always(submission, part):
            if exercise.compiled or found.rule != COMPILED:
                return found
    return None


@remembered
def parts(submission: Submission, exercise: Exercise) -> tuple[Part, ...]:
    """What an exercise's verdict depends on: the function and what it calls, and what importing its modules does."""
    found = dict.fromkeys(submission.closure(exercise.module, exercise.name))
    for module in submission.imported_from(exercise.module):
        found |= dict.fromkeys(of_import(submission, module))
    return tuple(part for part in found if part[0] not in kit.GIVEN)


@remembered
def of_import(submission: Submission, module: str) -> tuple[Part, ...]:
    """What runs when a module is imported: its frame, decorators and default values, and what these call."""
    functions = submission.modules[module].functions.values()
    frame = submission.modules[module].frame_tree
    heads = [piece for function in functions for piece in head_of(function)]
    return ((module, FRAME), *submission.reached_by(module, frame, *heads))


@remembered
def always(submission: Submission, part: Part) -> tuple[Breach, ...]:
    """What a part does that is refused whatever the exercise."""
    module = submission.modules[part[0]]
    imported = {name: package for node in module.imports for name, package in sources(node)}
    numbas = {name.partition(".")[0] for name in numba_names(submission, part[0])} if part[1] == FRAME else set()
    nodes = nodes_of(submission, part)
    builtin = set(MAKERS) if part[1] == FRAME else global_names(module.functions[part[1]])
    harmless = {id(node.value) for node in nodes if isinstance(node, ast.Attribute) and _dotted(node) in OUTSIDE}
    found = []
    for node in nodes:
        told = ready_made(node) or looks_at_the_judge(node, imported)
        told = told or replaces(node, imported) or disguised(node, numbas)
        if not told and id(node) not in harmless:
            told = makes_code(node, imported, builtin)
        if told:
            found.append(Breach(told[0], module.path, _line(node), told[1], ACTIONS[told[0]]))
    return tuple(found)


ACTIONS = {
    BY_HAND: "Remove the import: NumPy and numba are all that an exercise needs.",
    PLAIN_CODE: "Write it out plainly, with NumPy and numba.",
    COMPILED: "Let numba's own @njit compile the whole function.",
}


# --- the rules: what breaks them, and how it is told ----------------------------------------------------------------


def uses_what_is_asked(submission: Submission, exercise: Exercise, part: Part) -> Iterator[Seen]:
    """A library call that does the exercise; at the top of a module, where it has a name that the function uses."""
    if not exercise.forbids:
        return
    imported = {
        alias.asname or alias.name: alias.name
        for node in submission.modules[part[0]].imports
        if isinstance(node, ast.ImportFrom) and not node.level
        for alias in node.names
    }
    if any(("*", "numpy") in sources(node) for node in submission.modules[part[0]].imports):
        imported |= {name: name for name in exercise.forbids}
    for node in nodes_of(submission, part) if part[1] != FRAME else nodes_behind(submission, exercise, part[0]):
        match node:
            case ast.BinOp(op=ast.MatMult()) | ast.AugAssign(op=ast.MatMult()) if "@" in exercise.forbids:
                yield node, "uses @, which does what is asked of you here"
            case ast.Attribute(attr=name) if name in exercise.forbids:
                yield node, f"uses {name}, which does what is asked of you here"
            case ast.Name(id=name) if imported.get(name) in exercise.forbids:
                yield node, f"uses {imported[name]}, which does what is asked of you here"


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
                yield node, f"uses {ast.unparse(node)}, which no kernel has"
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
        starred = part[1] == FRAME and "*" in names_bound(node) and _line(node) > function.lineno
        bound = part[1] == FRAME and node is not function and name in names_bound(node)
        if declared or starred or bound:
            yield node, told


def ready_made(node: ast.AST) -> tuple[str, str] | None:
    """A library that has the answers."""
    for _, package in sources(node):
        if package in READY_MADE:
            return BY_HAND, f"imports {package}, which has what is asked of you here"
    return None


def looks_at_the_judge(node: ast.AST, imported: Mapping[str, str]) -> tuple[str, str] | None:
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
        case ast.Attribute(attr=name) if name in NUMBAS_INSIDES and imported.get(_root(node)) == "numba":
            return PLAIN_CODE, f"uses {ast.unparse(node)}, which tells how numba runs"
        case ast.Attribute(attr=name) | ast.Constant(value=str() as name) if name in SETTINGS:
            return PLAIN_CODE, f"uses {name}, which tells how numba runs"
    return None


def _is_inside_numba(path: str) -> bool:
    package, *rest = path.split(".")
    return package == "numba" and any(name in NUMBAS_INSIDES for name in rest)


def makes_code(node: ast.AST, imported: Mapping[str, str], builtin: Container[str]) -> tuple[str, str] | None:
    """Code, names or attributes that are made while it runs; `builtin` has the names that are no local variables."""
    if "__name__" in names_bound(node):  # what runs as a program only would run in a guest
        return PLAIN_CODE, "binds __name__, which says what runs"
    match node:
        case ast.Name(id=name, ctx=ast.Load()) if imported.get(name) in INSIDES:
            return PLAIN_CODE, f"uses {imported[name]}, which reaches into running code"
        case ast.Name(id=name, ctx=ast.Load()) if name in MAKERS and name in builtin:
            return PLAIN_CODE, f"uses {name}, so that nobody can read what runs"
        case ast.Name(id=name) | ast.Attribute(attr=name) | ast.alias(name=name) if name in REACHING or _is_inner(name):
            return PLAIN_CODE, f"uses {name}, which reaches into running code"
    return None


def replaces(node: ast.AST, imported: Container[str]) -> tuple[str, str] | None:
    """Something of a library put in another's place."""
    if isinstance(node, ast.Attribute) and not isinstance(node.ctx, ast.Load) and _root(node) in imported:
        return PLAIN_CODE, f"replaces {ast.unparse(node)}"
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
    names = (kernel_names if exercise.cuda else numba_names)(submission, exercise.module)
    return _stands_under(submission, (exercise.module, exercise.name), names)


def is_kernel(submission: Submission, part: Part) -> bool:
    """Whether numba's decorator of kernels and device functions stands above a function."""
    return _stands_under(submission, part, kernel_names(submission, part[0]))


def _stands_under(submission: Submission, part: Part, compilers: set[str]) -> bool:
    module = submission.modules[part[0]]
    for node in ast.walk(module.frame_tree):
        if isinstance(node, (ast.Assign, ast.AnnAssign)) and node.value and _leads_to(node.value, compilers):
            compilers = compilers.union(*(names_bound(target) for target in ast.walk(node)))
    return any(_leads_to(decorator, compilers) for decorator in module.functions[part[1]].decorator_list)


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


# --- reading a tree -------------------------------------------------------------------------------------------------


@remembered
def nodes_of(submission: Submission, part: Part) -> list[ast.AST]:
    """Everything in a part; of a module's frame, what a guest runs of it, and the heads of its functions."""
    module = submission.modules[part[0]]
    if part[1] != FRAME:
        return list(ast.walk(module.functions[part[1]]))
    found = [node for statement in module.frame_tree.body if not _is_main(statement) for node in ast.walk(statement)]
    for function in module.functions.values():
        found += [function, *(node for piece in head_of(function) for node in ast.walk(piece))]
    return found


def nodes_behind(submission: Submission, exercise: Exercise, module: str) -> list[ast.AST]:
    """What stands at the top of a module in statements that give something a name which the function uses."""
    owner = submission.modules[module]
    functions = [
        owner.functions[name] for at, name in submission.closure(exercise.module, exercise.name) if at == module
    ]
    used = {name for function in functions for name in global_names(function)}
    found = []
    for statement in owner.frame_tree.body:
        nodes = list(ast.walk(statement))
        if any(name in used for node in nodes for name in names_bound(node)):
            found += nodes
    return found


def head_of(function: ast.FunctionDef) -> list[ast.AST]:
    """What of a function runs where it is defined."""
    arguments = function.args
    return [*function.decorator_list, *arguments.defaults, *(value for value in arguments.kw_defaults if value)]


def sources(node: ast.AST) -> list[tuple[str, str]]:
    """The names that an import statement binds, each with the package it comes from; "" is the submission itself."""
    match node:
        case ast.Import(names=names):
            packages = [(alias, alias.name.partition(".")[0]) for alias in names]
            return [(alias.asname or package, package) for alias, package in packages]
        case ast.ImportFrom(module=module, names=names, level=level):
            package = "" if level else (module or "").partition(".")[0]
            return [(alias.asname or alias.name, package) for alias in names]
    return []


def names_bound(node: ast.AST) -> list[str]:
    """The names that a node binds where it stands."""
    match node:
        case ast.Name(id=name, ctx=ast.Store()) | ast.FunctionDef(name=name) | ast.ClassDef(name=name):
            return [name]
        case ast.AsyncFunctionDef(name=name) | ast.MatchAs(name=str() as name) | ast.MatchStar(name=str() as name):
            return [name]
    return [name for name, _ in sources(node)]


def _dotted(node: ast.Attribute) -> str:
    return f"{node.value.id}.{node.attr}" if isinstance(node.value, ast.Name) else ""


def _is_inner(name: str) -> bool:
    return name.startswith("__") and name not in KNOWN_DUNDERS


def _is_constant(node: ast.AST, truth: bool) -> bool:
    return isinstance(node, ast.Constant) and bool(node.value) == truth


def _is_main(statement: ast.stmt) -> bool:
    """Whether it is what runs as a program only: `if __name__ == "__main__":`, with nothing else to it."""
    if not isinstance(statement, ast.If) or statement.orelse:
        return False
    return ast.unparse(statement.test) in ("__name__ == '__main__'", "'__main__' == __name__")


def _root(node: ast.AST) -> str:
    while isinstance(node, (ast.Attribute, ast.Subscript, ast.Call)):
        node = node.func if isinstance(node, ast.Call) else node.value
    return node.id if isinstance(node, ast.Name) else ""


def _line(node: ast.AST) -> int:
    return int(getattr(node, "lineno", 1))

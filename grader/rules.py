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

from grader import kit
from grader.exercise import Exercise
from grader.submission import Submission
from grader.worker.isolation import LIBRARIES

READY_MADE = (*LIBRARIES, "scipy")  # numba itself needs SciPy, so that no isolation can hide it
INSIDES = ("builtins", "ctypes", "gc", "importlib", "inspect", "sys")  # modules that reach into running code
MAKERS = ("__import__", "compile", "delattr", "eval", "exec", "getattr", "globals", "setattr", "vars")
KNOWN_DUNDERS = ("__name__", "__doc__", "__version__", "__init__", "__post_init__", "__class__")
DECORATORS = ("njit", "jit")


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
    """What runs when a module is imported: its frame, the decorators, and what these call."""
    functions = submission.modules[module].functions.values()
    frame = submission.modules[module].frame_tree
    decorators = [decorator for function in functions for decorator in function.decorator_list]
    reached = [part for code in (frame, *decorators) for part in submission.reached_by(module, code)]
    return ((module, FRAME), *dict.fromkeys(reached))


@remembered
def always(submission: Submission, part: Part) -> tuple[Breach, ...]:
    """What a part does that is refused whatever the exercise."""
    module = submission.modules[part[0]]
    imported = {name: package for node in module.imports for name, package in sources(node)}
    numbas = {name.partition(".")[0] for name in numba_names(submission, part[0])} if part[1] == FRAME else set()
    nodes = ast.walk(tree_of(submission, part))
    heads = module.functions.values() if part[1] == FRAME else ()
    found = []
    for node in (*nodes, *heads):
        told = ready_made(node) or makes_code(node, imported) or replaces(node, imported) or disguised(node, numbas)
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
    """A library call that does the exercise."""
    if not exercise.forbids or part[1] == FRAME:
        return
    imported = {
        alias.asname or alias.name: alias.name
        for node in submission.modules[part[0]].imports
        if isinstance(node, ast.ImportFrom) and not node.level
        for alias in node.names
    }
    for node in ast.walk(tree_of(submission, part)):
        match node:
            case ast.BinOp(op=ast.MatMult()) | ast.AugAssign(op=ast.MatMult()) if "@" in exercise.forbids:
                yield node, "uses @, which does what is asked of you here"
            case ast.Attribute(attr=name) if name in exercise.forbids:
                yield node, f"uses {name}, which does what is asked of you here"
            case ast.Name(id=name) if imported.get(name) in exercise.forbids:
                yield node, f"uses {imported[name]}, which does what is asked of you here"


def binds_again(submission: Submission, exercise: Exercise, part: Part) -> Iterator[Seen]:
    """Something put in the place of the function that is asked for."""
    if part[0] != exercise.module:
        return
    name, told = exercise.name, f"binds {exercise.name} again"
    for node in ast.walk(tree_of(submission, part)):
        declared = isinstance(node, ast.Global) and name in node.names
        if declared or (part[1] == FRAME and name in names_bound(node)):
            yield node, told


def ready_made(node: ast.AST) -> tuple[str, str] | None:
    """A library that has the answers."""
    for _, package in sources(node):
        if package in READY_MADE:
            return BY_HAND, f"imports {package}, which has what is asked of you here"
    return None


def makes_code(node: ast.AST, imported: Mapping[str, str]) -> tuple[str, str] | None:
    """Code, names or attributes that are made while it runs."""
    match node:
        case ast.Name(id=name, ctx=ast.Load()) if imported.get(name) in INSIDES:
            return PLAIN_CODE, f"uses {imported[name]}, which reaches into running code"
        case ast.Name(id=name, ctx=ast.Load()) if name in MAKERS:
            return PLAIN_CODE, f"uses {name}, so that nobody can read what runs"
        case ast.Attribute(attr=name) if name.startswith("__") and name not in KNOWN_DUNDERS:
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
        case ast.Name(id="objmode") | ast.Attribute(attr="objmode") | ast.alias(name="objmode"):
            return COMPILED, "uses objmode, which is plain Python inside compiled code"
        case ast.keyword(arg="forceobj", value=ast.Constant(value=True)):
            return COMPILED, "asks for forceobj, which is plain Python"
        case ast.keyword(arg="nopython", value=ast.Constant(value=False)):
            return COMPILED, "asks for nopython=False, which is plain Python"
    again = [] if isinstance(node, (ast.Import, ast.ImportFrom)) else sorted(numbas.intersection(names_bound(node)))
    return (COMPILED, f"binds {again[0]} again, which is numba's") if again else None


# --- who compiles ---------------------------------------------------------------------------------------------------


def is_numbas(submission: Submission, exercise: Exercise) -> bool:
    """Whether one of numba's decorators that compile stands above the function."""
    module = submission.modules[exercise.module]
    compilers = numba_names(submission, exercise.module)
    made = [
        node for node in module.frame_tree.body if isinstance(node, ast.Assign) and _leads_to(node.value, compilers)
    ]
    compilers = compilers | {target.id for node in made for target in node.targets if isinstance(target, ast.Name)}
    return any(_leads_to(decorator, compilers) for decorator in module.functions[exercise.name].decorator_list)


def numba_names(submission: Submission, module: str) -> set[str]:
    """What a module calls numba's decorators, as it would be written: "njit", "nb.jit"."""
    found = set()
    for node in submission.modules[module].imports:
        match node:
            case ast.ImportFrom(module="numba", names=names):
                found |= {alias.asname or alias.name for alias in names if alias.name in DECORATORS}
                found |= {name for name in DECORATORS if any(alias.name == "*" for alias in names)}
            case ast.Import(names=names):
                modules = [alias.asname or alias.name for alias in names if alias.name == "numba"]
                found |= {f"{module}.{name}" for module in modules for name in DECORATORS}
    return found


def _leads_to(node: ast.AST, names: set[str]) -> bool:
    """Whether an expression is one of the names, or a call of one, or of `partial` with one."""
    if isinstance(node, ast.Call):
        return any(_leads_to(part, names) for part in (node.func, *node.args[:1]))
    return ast.unparse(node) in names


# --- reading a tree -------------------------------------------------------------------------------------------------


def tree_of(submission: Submission, part: Part) -> ast.AST:
    module = submission.modules[part[0]]
    return module.frame_tree if part[1] == FRAME else module.functions[part[1]]


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
    return [name for name, _ in sources(node)]


def _root(node: ast.AST) -> str:
    while isinstance(node, (ast.Attribute, ast.Subscript, ast.Call)):
        node = node.func if isinstance(node, ast.Call) else node.value
    return node.id if isinstance(node, ast.Name) else ""


def _line(node: ast.AST) -> int:
    return int(getattr(node, "lineno", 1))

"""What a submission's function depends on, read from the syntax trees: statements, names, what libraries bring."""

from __future__ import annotations

import ast
import builtins
import functools
import importlib
from collections.abc import Callable, Container, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar, cast

from grader import kit
from grader.allowed import OPEN
from grader.exercise import Exercise
from grader.submission import PACKAGE, Submission, source_of
from grader.syntax import bound_by, dotted, global_names, names_bound

FRAME = ""  # in the place of a function's name: what a module does when it is imported

Looked = TypeVar("Looked")
Part = tuple[str, str]  # a module of the submission, and a function there or `FRAME`
Place = tuple[str, str]  # a module of the submission, and a name there
Piece = tuple[str, ast.stmt]  # a module of the submission, and a statement at its top


@dataclass(frozen=True)
class Stars:
    """What a module has by `import *`.

    Parameters
    ----------
    own : the submission's modules of which it imports everything
    known : the libraries that are in `OPEN`
    others : all other libraries
    below : the names that are bound below the last of these imports
    """

    own: Sequence[str]
    known: Sequence[str]
    others: Sequence[str]
    below: Container[str]


def remembered(look: Callable[[Submission, Any], Looked]) -> Callable[[Submission, Any], Looked]:
    """What was found out about a part of a submission, kept as long as the submission: its exercises share parts."""

    @functools.wraps(look)
    def once(submission: Submission, subject: Any) -> Looked:
        key = (look.__name__, subject)
        if key not in submission.remembered:
            submission.remembered[key] = look(submission, subject)
        return cast(Looked, submission.remembered[key])

    return once


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
def nodes_of(submission: Submission, part: Part) -> list[ast.AST]:
    """Everything in a part; of a module's frame, what a guest runs of it, and the heads of its functions."""
    module = submission.modules[part[0]]
    if part[1] != FRAME:
        return list(ast.walk(module.functions[part[1]]))
    found = [node for statement in module.frame_tree.body if not _is_main(statement) for node in ast.walk(statement)]
    for function in module.functions.values():
        found += [function, *(node for piece in head_of(function) for node in ast.walk(piece))]
    return found


@remembered
def behind(submission: Submission, exercise: Exercise) -> tuple[Piece, ...]:
    """The statements that a function's answer depends on: itself, those that give its names a value, and so on."""
    found: dict[Piece, None] = {}
    waiting: list[Place] = [(exercise.module, exercise.name)]
    seen = set()
    while waiting:
        place = waiting.pop()
        if place in seen or place[0] in kit.GIVEN or place[0] not in submission.modules:
            continue
        seen.add(place)
        module, name = place
        if name == "*":
            waiting += [(module, given) for given in givers(submission, module)]
        for statement in givers(submission, module).get(name, ()):
            if (module, statement) not in found:
                found[module, statement] = None
                waiting += leads(submission, (module, statement))
        waiting += places(submission, imports_at_the_top(submission, module).get(name, ()))
        waiting += [(star, name) for star in stars(submission, module).own]
    return tuple(found)


def leads(submission: Submission, piece: Piece) -> list[Place]:
    """Where the names in a statement are given their values, in its own module or another of the submission."""
    paths = [path for _, path in brought(submission, piece)]
    return [(piece[0], name) for name in sorted(global_names(piece[1]))] + places(submission, paths)


def places(submission: Submission, paths: Iterable[str]) -> list[Place]:
    """Where these paths lead to in the submission's own modules; a module as a whole leads to all that it has."""
    found = []
    for path in paths:
        if path.startswith(PACKAGE):
            parts = path.removeprefix(PACKAGE).split(".")
            modules = [".".join(parts[:count]) for count in range(len(parts), 0, -1)]
            module = next((module for module in modules if module in submission.modules), "")
            rest = parts[module.count(".") + 1 :]
            found.append((module, rest[0] if rest else "*"))
    return found


@remembered
def givers(submission: Submission, module: str) -> dict[str, list[ast.stmt]]:
    """Each name at the top of a module, with the statements that give it a value or may change the value it has."""
    body = [node for node in _body(submission, module) if not _is_main(node)]
    running = {name for owner, name in of_import(submission, module) if owner == module}
    changeable = _changeable(body)
    found: dict[str, list[ast.stmt]] = {}
    for statement in body:
        if isinstance(statement, (ast.Import, ast.ImportFrom)):
            continue
        names = bound_by(statement) | _bound_around(statement)
        if not isinstance(statement, ast.FunctionDef) or statement.name in running:
            names |= global_names(statement) & changeable
        for name in names:
            found.setdefault(name, []).append(statement)
    return found


def _bound_around(statement: ast.stmt) -> set[str]:
    """The names that a definition binds beside its own: in what runs where it stands, and as global ones."""
    nodes = [node for piece in head_of(statement) for node in ast.walk(piece)]
    declared = {name for node in ast.walk(statement) if isinstance(node, ast.Global) for name in node.names}
    return declared.union(*(names_bound(node) for node in nodes))


def _changeable(body: Sequence[ast.stmt]) -> set[str]:
    """The names whose values statements can change that do not bind them: all but functions, modules and numbers."""
    numbers: set[str] = set()
    changeable: set[str] = set()
    for statement in body:
        match statement:
            case ast.Import() | ast.ImportFrom() | ast.FunctionDef():
                pass
            case ast.Assign(targets=[ast.Name(id=name)], value=value) if _is_number(value, numbers):
                numbers.add(name)
            case _:
                changeable |= bound_by(statement)
    return changeable


def _is_number(node: ast.expr, numbers: Container[str]) -> bool:
    """Whether an expression is made of constants, and of names for what is."""
    match node:
        case ast.Constant():
            return True
        case ast.Name(id=name):
            return name in numbers
        case ast.UnaryOp(operand=operand):
            return _is_number(operand, numbers)
        case ast.BinOp(left=left, right=right):
            return _is_number(left, numbers) and _is_number(right, numbers)
    return False


@remembered
def imported_names(submission: Submission, module: str) -> dict[str, str]:
    """The names that a module's imports bind, those inside functions as well, each with its path."""
    return {name: path for node in submission.modules[module].imports for name, path in origins(node, module)}


@remembered
def brought(submission: Submission, piece: Piece) -> tuple[tuple[ast.AST, str], ...]:
    """What of other modules a statement uses: where, and its path, as "numpy.linalg.norm"."""
    module, statement = piece
    at_the_top, own = imports_at_the_top(submission, module), imports_in(submission, piece)
    names = global_names(statement)
    nodes = list(ast.walk(statement))
    inner = {id(node.value) for node in nodes if isinstance(node, ast.Attribute)}
    found = []
    for node in nodes:
        name, dot, rest = dotted(node).partition(".") if id(node) not in inner else ("", "", "")
        if name in names:
            paths = {*at_the_top.get(name, ()), *own.get(name, ()), *_starred(submission, module, name)}
            found += [(node, path + dot + rest) for path in sorted(paths)]
    return tuple(found)


@remembered
def imports_at_the_top(submission: Submission, module: str) -> dict[str, set[str]]:
    """The names at the top of a module that stand for something of another, with the paths of what they stand for."""
    functions = submission.modules[module].functions.values()
    declaring = [one for one in functions if any(isinstance(node, ast.Global) for node in ast.walk(one))]
    return imports_in(submission, (module, ast.Module([*submission.modules[module].frame_tree.body, *declaring], [])))


@remembered
def imports_in(submission: Submission, where: tuple[str, ast.AST]) -> dict[str, set[str]]:
    """The same of any code in a module; other names for modules are among them, and "*"."""
    module, code = where
    found: dict[str, set[str]] = {}
    for node in ast.walk(code):
        for name, path in origins(node, module):
            found.setdefault(name, set()).add(path)
    for node in ast.walk(code):
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                start, dot, rest = dotted(value).partition(".")
                paths = {path + dot + rest for path in found.get(start, ())}
                found.setdefault(name, set()).update(path for path in paths if _is_module(submission, path))
    return found


def _is_module(submission: Submission, path: str) -> bool:
    return path in OPEN or path.removeprefix(PACKAGE) in submission.modules


def _starred(submission: Submission, module: str, name: str) -> list[str]:
    """The paths of what a name may be by an `import *` from a library."""
    found = stars(submission, module)
    if name in found.below or hasattr(builtins, name):
        return []
    known = [f"{star}.{name}" for star in found.known if name in OPEN[star] or _has(star, name)]
    return known + [f"{star}.*" for star in found.others[:1]]


@remembered
def stars(submission: Submission, module: str) -> Stars:
    """What a module imports everything of."""
    body = _body(submission, module)
    line = max((line_of(node) for one in body for node in ast.walk(one) if "*" in names_bound(node)), default=0)
    paths = sorted(path.removesuffix(".*") for path in imports_at_the_top(submission, module).get("*", ()))
    libraries = [path for path in paths if is_library(f"{path}.")]
    return Stars(
        own=[own for path in paths if (own := path.removeprefix(PACKAGE)) in submission.modules],
        known=[path for path in libraries if path in OPEN],
        others=[path for path in libraries if path not in OPEN],
        below={name for statement in body if statement.lineno > line for name in bound_by(statement)},
    )


def _has(module: str, name: str) -> bool:
    """Whether a library's module has a name; numba is not imported only to ask it, and hands out little by a star."""
    return not module.startswith("numba") and hasattr(importlib.import_module(module), name)


def _body(submission: Submission, module: str) -> list[ast.stmt]:
    tree = submission.modules[module].tree
    return tree.body if isinstance(tree, ast.Module) else []


def head_of(statement: ast.stmt) -> list[ast.expr]:
    """What of a definition runs where it stands; annotations do, but only what is computed in one could do anything."""
    match statement:
        case ast.FunctionDef(args=arguments) | ast.AsyncFunctionDef(args=arguments):
            values = [*arguments.defaults, *(value for value in arguments.kw_defaults if value)]
            computed = [one for one in annotations_in(statement) if not is_plain(one)]
            return [*statement.decorator_list, *values, *computed]
        case ast.ClassDef():
            return [*statement.decorator_list, *statement.bases, *(keyword.value for keyword in statement.keywords)]
    return []


def annotations_in(code: ast.AST) -> list[ast.expr]:
    """All the annotations in a piece of code."""
    found: list[ast.expr | None] = []
    for node in ast.walk(code):
        match node:
            case ast.arg(annotation=annotation) | ast.AnnAssign(annotation=annotation):
                found.append(annotation)
            case ast.FunctionDef(returns=annotation) | ast.AsyncFunctionDef(returns=annotation):
                found.append(annotation)
    return [annotation for annotation in found if annotation]


def is_plain(annotation: ast.expr) -> bool:
    """Whether an annotation only names things, as `list[int] | None`."""
    naming = (ast.Name, ast.Attribute, ast.Subscript, ast.Tuple, ast.List, ast.Constant, ast.BinOp)
    return all(isinstance(node, (*naming, ast.operator, ast.expr_context)) for node in ast.walk(annotation))


def sources(node: ast.AST) -> list[tuple[str, str]]:
    """The names that an import statement binds, each with the package it comes from."""
    return [(name, path.partition(".")[0]) for name, path in origins(node)]


def origins(node: ast.AST, module: str = "") -> list[tuple[str, str]]:
    """The names that an import statement in a module binds, each with its path; the student's begin with `PACKAGE`."""
    match node:
        case ast.Import(names=names):
            return [
                (name, alias.name if alias.asname else name)
                for alias in names
                for name in names_bound(ast.Import([alias]))
            ]
        case ast.ImportFrom(names=names):
            own = source_of(module, node)
            base = (node.module or "") if own is None else (PACKAGE + own).strip(".")
            return [(alias.asname or alias.name, f"{base}.{alias.name}") for alias in names]
    return []


def _is_main(statement: ast.stmt) -> bool:
    """Whether it is what runs as a program only: `if __name__ == "__main__":`, with nothing else to it."""
    if not isinstance(statement, ast.If) or statement.orelse:
        return False
    return ast.unparse(statement.test) in ("__name__ == '__main__'", "'__main__' == __name__")


def line_of(node: ast.AST) -> int:
    return int(getattr(node, "lineno", 1))


def is_library(path: str | None) -> bool:
    """Whether a path leads to a library, not to a module of the submission."""
    return path is not None and not path.startswith(PACKAGE)

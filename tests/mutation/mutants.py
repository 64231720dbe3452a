"""Mutants: a solution with one small fault each, made from its syntax tree.

Whatever a mutant does wrong, a student may do wrong. A mutant that passes all cases of its exercise shows a case that
is missing. The faults are those that slip into numerical code: a wrong sign, a wrong operator, an index or a bound that
is off by one, swapped axes or arguments, a step left out.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

Replacements = Iterator[ast.AST]


@dataclass(frozen=True)
class Mutant:
    """One fault: `description` names it the same way on every run, `text` is the whole module with the fault in it."""

    description: str
    text: str


def mutants_of(module: str, text: str, function: str) -> list[Mutant]:
    """All mutants of one top-level function of a module, each of them once.

    Parameters
    ----------
    module : what descriptions call the module, e.g. "ch03_activations"
    text : its source
    function : the function's name

    A description is `module.function:line before -> after`; the line counts from the first one after the docstring, so
    that nothing written above it makes descriptions stale.
    """
    body = _Body(text, function)
    seen = {body.text}
    counts: Counter[str] = Counter()
    mutants = []
    for place in body.places():
        for replacement in replacements_of(place.node):
            place.put(replacement)
            mutated = body.text
            place.put(place.node)
            if mutated in seen:
                continue
            seen.add(mutated)
            line = place.line - body.first_line + 1
            description = f"{module}.{function}:{line} {place.difference(replacement)}"
            counts[description] += 1
            if counts[description] > 1:
                description += f" ({counts[description]})"  # the same expression twice in a line
            mutants.append(Mutant(description, body.module_with(mutated)))
    return mutants


class _Body:
    """The function under mutation, and how its module's text looks with another version of it."""

    def __init__(self, text: str, name: str):
        tree = ast.parse(text)
        self.function = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == name][-1]
        if ast.get_docstring(self.function) is not None:
            self.function.body = self.function.body[1:]
        self.first_line = self.function.body[0].lineno
        start = min(node.lineno for node in (self.function, *self.function.decorator_list))
        lines = text.splitlines(keepends=True)
        self._above, self._below = "".join(lines[: start - 1]), "".join(lines[self.function.end_lineno :])

    @property
    def text(self) -> str:
        return ast.unparse(self.function)

    def module_with(self, function: str) -> str:
        return f"{self._above}{function}\n{self._below}"

    def places(self) -> Iterator[_Place]:
        for index, statement in enumerate(self.function.body):
            yield from _places(_Place(statement, self.function.body, index, (statement,)))


@dataclass(frozen=True)
class _Place:
    """A node of the tree and where it hangs: `holder` is a list, or a node whose field `key` it is."""

    node: ast.AST
    holder: Any
    key: Any
    path: tuple[ast.AST, ...]

    def put(self, node: ast.AST) -> None:
        if isinstance(self.holder, list):
            self.holder[self.key] = node
        else:
            setattr(self.holder, self.key, node)

    def difference(self, replacement: ast.AST) -> str:
        """`before -> after` of the smallest expression that says something, or of the head of its statement."""
        if isinstance(replacement, ast.Pass):
            return f"{_head(self.node)} -> nothing"
        if isinstance(self.node, _TELLING) and isinstance(replacement, _TELLING):
            return f"{_head(self.node)} -> {_head(replacement)}"
        around = next(node for node in reversed(self.path[:-1]) if isinstance(node, _TELLING))
        before = _head(around)
        self.put(replacement)
        after = _head(around)
        self.put(self.node)
        return f"{before} -> {after}"

    @property
    def line(self) -> int:
        return next(node.lineno for node in reversed(self.path) if hasattr(node, "lineno"))


_TELLING = (ast.stmt, ast.BinOp, ast.BoolOp, ast.Call, ast.Compare, ast.IfExp, ast.Subscript, ast.UnaryOp)


def _head(node: ast.AST) -> str:
    """The first line of a statement; all of an expression."""
    match node:
        case ast.If(body=body) if isinstance(body[0], ast.Pass):
            return f"if {ast.unparse(node.test)}: pass"
    return ast.unparse(node).partition("\n")[0]


def _places(place: _Place) -> Iterator[_Place]:
    """The place and all below it.

    An error message may say what it likes, so `raise` is seen from outside only; `strict` checks what is true here.
    """
    if isinstance(place.node, ast.keyword) and place.node.arg == "strict":
        return
    yield place
    if isinstance(place.node, (ast.Raise, ast.JoinedStr)):
        return
    for field, value in ast.iter_fields(place.node):
        if isinstance(value, ast.AST):
            yield from _places(_Place(value, place.node, field, (*place.path, value)))
        elif isinstance(value, list):
            for index, item in enumerate(value):
                if isinstance(item, ast.AST):
                    yield from _places(_Place(item, value, index, (*place.path, item)))


def replacements_of(node: ast.AST) -> Replacements:
    """Everything that could stand in a node's place by a small mistake."""
    for mistake in _MISTAKES:
        yield from mistake(node)


def changed(node: Any, **fields: Any) -> Any:
    """A copy of a node with other fields; the children are shared."""
    return ast.copy_location(type(node)(**{**dict(ast.iter_fields(node)), **fields}), node)


# --- expressions ----------------------------------------------------------------------------------------------------

_OPERATORS: dict[type[ast.AST], tuple[type[ast.AST], ...]] = {
    ast.Add: (ast.Sub,),
    ast.Sub: (ast.Add,),
    ast.Mult: (ast.Div, ast.Add),
    ast.Div: (ast.Mult,),
    ast.FloorDiv: (ast.Mult, ast.Div),
    ast.Mod: (ast.FloorDiv,),
    ast.Pow: (ast.Mult,),
    ast.MatMult: (ast.Mult,),
    ast.Lt: (ast.LtE, ast.GtE),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
    ast.And: (ast.Or,),
    ast.Or: (ast.And,),
}


def operator(node: ast.AST) -> Replacements:
    """a + b -> a - b, a < b -> a <= b, a and b -> a or b, a += b -> a -= b"""
    match node:
        case ast.BinOp(op=op) | ast.AugAssign(op=op) | ast.BoolOp(op=op):
            for other in _OPERATORS.get(type(op), ()):
                yield changed(node, op=other())
        case ast.Compare(ops=[op]):
            for other in _OPERATORS[type(op)]:
                yield changed(node, ops=[other()])


def operand(node: ast.AST) -> Replacements:
    """a * b -> a, a if c else b -> a, not a -> a, -a -> a"""
    match node:
        case ast.BinOp(left=left, right=right):
            yield from (left, right)
        case ast.BoolOp(values=values):
            yield from values
        case ast.IfExp(body=body, orelse=orelse):
            yield from (body, orelse)
        case ast.UnaryOp(operand=inner):
            yield inner


def sign(node: ast.AST) -> Replacements:
    """y = a * b -> y = -(a * b), exp(a) -> exp(-a)"""
    match node:
        case ast.Assign(value=ast.BinOp() | ast.Call() as value) | ast.Return(value=ast.BinOp() | ast.Call() as value):
            if not _is_signless(value):
                yield changed(node, value=ast.UnaryOp(ast.USub(), value))
        case ast.Call(func=ast.Attribute(), args=[ast.Name() | ast.BinOp() | ast.Subscript() as argument], keywords=[]):
            if not _is_signless(node):
                yield changed(node, args=[ast.UnaryOp(ast.USub(), argument)])


_SIGNLESS = frozenset({"empty", "zeros", "empty_like", "zeros_like", "ones_like"})


def _is_signless(node: ast.AST) -> bool:
    """Whether it makes memory, or zero, whose sign means nothing."""
    match node:
        case ast.Call(func=ast.Attribute(attr=name)) if name in _SIGNLESS:
            return True
        case ast.Call(args=[ast.Constant(value=0)]):
            return True
    return False


def constant(node: ast.AST) -> Replacements:
    """0 -> 1, 1 -> 0, 1 -> 2, c -> c + 1, c -> 2 * c, True -> False, 'text' -> ''"""
    match node:
        case ast.Constant(value=bool() as value):
            yield ast.Constant(not value)
        case ast.Constant(value=int() as value):
            yield from (ast.Constant(other) for other in (value - 1, value + 1, 2 * value) if other != value)
        case ast.Constant(value=float() as value):
            yield from (ast.Constant(other) for other in (2 * value, value + 1, 0.0) if other != value)
        case ast.Constant(value=str() as value) if value:
            yield ast.Constant("")


def index(node: ast.AST) -> Replacements:
    """x[i] -> x[i + 1], x[i - 1]; x[i, j] -> x[j, i]; x[a:b] -> x[a + 1:b], x[a:b - 1] …"""
    if not isinstance(node, ast.Subscript):
        return
    parts = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
    for position, part in enumerate(parts):
        for other in _off_by_one(part):
            elements = [*parts[:position], other, *parts[position + 1 :]]
            yield changed(node, slice=ast.Tuple(elements, ast.Load()) if len(elements) > 1 else other)
    for elements in _swapped(parts):
        yield changed(node, slice=ast.Tuple(elements, ast.Load()))


def _off_by_one(part: ast.expr) -> Iterator[ast.expr]:
    match part:
        case ast.Slice(lower=lower, upper=upper):
            yield changed(part, lower=ast.Constant(1) if lower is None else _plus(lower, 1))
            if upper is None:
                yield changed(part, upper=ast.Constant(-1))
            else:
                yield from (changed(part, upper=_plus(upper, step)) for step in (1, -1))
        case ast.Constant() | ast.UnaryOp(operand=ast.Constant()):
            return  # constants have their own rule
        case _:
            yield from (_plus(part, step) for step in (1, -1))


def _plus(node: ast.expr, step: int) -> ast.expr:
    return ast.BinOp(node, ast.Add() if step > 0 else ast.Sub(), ast.Constant(abs(step)))


def _swapped(items: list[Any]) -> Iterator[list[Any]]:
    for left in range(len(items) - 1):
        yield [*items[:left], items[left + 1], items[left], *items[left + 2 :]]


_SORTS_ITS_ARGUMENTS_OUT = frozenset({"max", "min", "maximum", "minimum"})
_RANGES = frozenset({"range", "prange"})
_LOOKALIKES = (
    ("max", "min"),
    ("maximum", "minimum"),
    ("argmax", "argmin"),
    ("any", "all"),
    ("floor", "ceil"),
    ("sum", "mean"),
    ("zeros", "ones"),
    ("zeros_like", "ones_like"),
    ("log", "log1p"),
    ("exp", "expm1"),
)
_LOOKS_LIKE = dict(_LOOKALIKES) | {second: first for first, second in _LOOKALIKES}


def call(node: ast.AST) -> Replacements:
    """f(a, b) -> f(b, a), max(a, b) -> min(a, b), exp(a) -> a, x.copy() -> x, w.T -> w, f(a, axis=0) -> f(a)"""
    match node:
        case ast.Attribute(value=value, attr="T"):
            yield value
        case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name) as function, args=args, keywords=keywords):
            if name in _LOOKS_LIKE:
                field = "id" if isinstance(function, ast.Name) else "attr"
                yield changed(node, func=changed(function, **{field: _LOOKS_LIKE[name]}))
            if name not in _SORTS_ITS_ARGUMENTS_OUT:
                yield from (changed(node, args=other) for other in _swapped(args))
            for keyword in keywords:
                if keyword.arg != "strict":
                    yield changed(node, keywords=[other for other in keywords if other is not keyword])
            yield from _unwrapped(function, name, args)


def _unwrapped(function: ast.expr, name: str, args: list[ast.expr]) -> Replacements:
    """What a call works on: its only argument, or the array whose method it is."""
    if isinstance(function, ast.Attribute) and not _is_numpy(function.value):
        yield function.value
    elif len(args) == 1 and name not in _RANGES:
        yield args[0]


def _is_numpy(node: ast.expr) -> bool:
    return isinstance(node, ast.Name) and node.id == "np"


def bound(node: ast.AST) -> Replacements:
    """range(n) -> range(1, n), range(n - 1), range(n + 1); range(a, b) -> range(a + 1, b) …"""
    match node:
        case ast.Call(func=ast.Name(id="range" | "prange"), args=[stop]):
            yield changed(node, args=[ast.Constant(1), stop])
            yield from (changed(node, args=[_plus(stop, step)]) for step in (-1, 1))
        case ast.Call(func=ast.Name(id="range" | "prange"), args=[start, stop, *rest]):
            yield changed(node, args=[_plus(start, 1), stop, *rest])
            yield from (changed(node, args=[start, _plus(stop, step), *rest]) for step in (-1, 1))


def width(node: ast.AST) -> Replacements:
    """np.zeros(n, np.float32) -> np.zeros(n, np.float64)"""
    match node:
        case ast.Call(args=args):
            for position, argument in enumerate(args):
                if isinstance(argument, ast.Attribute) and argument.attr == "float32":
                    other = changed(argument, attr="float64")
                    yield changed(node, args=[*args[:position], other, *args[position + 1 :]])


# --- statements -----------------------------------------------------------------------------------------------------


def left_out(node: ast.AST) -> Replacements:
    """A statement, a loop, or the body of an `if` is left out."""
    match node:
        case ast.Assign() | ast.AugAssign() | ast.Expr() | ast.For() | ast.While() | ast.Raise():
            yield ast.Pass()
        case ast.Break() | ast.Continue():
            yield ast.Pass()
        case ast.If(orelse=orelse):
            yield changed(node, body=[ast.Pass()])
            yield changed(node, test=ast.Constant(True))
            if orelse:
                yield changed(node, orelse=[])


def accumulation(node: ast.AST) -> Replacements:
    """total += x -> total = x"""
    match node:
        case ast.AugAssign(target=target, value=value):
            yield ast.Assign([target], value, lineno=node.lineno)


def order(node: ast.AST) -> Replacements:
    """return a, b -> return b, a; n, m = x.shape -> m, n = x.shape"""
    match node:
        case ast.Return(value=ast.Tuple(elts=parts) as value):
            yield from (changed(node, value=changed(value, elts=other)) for other in _swapped(parts))
        case ast.Assign(targets=[ast.Tuple(elts=parts) as target]):
            yield from (changed(node, targets=[changed(target, elts=other)]) for other in _swapped(parts))


_MISTAKES: tuple[Callable[[Any], Replacements], ...] = (
    left_out,
    accumulation,
    order,
    operator,
    operand,
    sign,
    constant,
    index,
    call,
    bound,
    width,
)

"""Python source as a syntax tree, and what its names mean. Nothing is ever run here."""

from __future__ import annotations

import ast
import symtable
from dataclasses import dataclass

MAX_DEPTH = 200  # of a syntax tree; deeper ones exhaust Python's own recursion
MAX_SHOWN = 200  # characters of code in a message: every exercise of its file may repeat them


@dataclass(frozen=True)
class SyntaxProblem:
    """Why a source text cannot be parsed; of the line in question, `source` has the beginning."""

    line: int
    message: str
    source: str


def parsed(text: str) -> ast.Module | SyntaxProblem:
    """The tree of a source text, or why there is none; whatever has one can be written out again by `ast.unparse`."""
    try:
        tree = ast.parse(text)
    except SyntaxError as error:
        return SyntaxProblem(error.lineno or 0, cut(error.msg), cut((error.text or "").strip()))
    except (ValueError, RecursionError, MemoryError) as error:
        return SyntaxProblem(0, str(error) or "it is nested too deeply", "")
    if _is_deeper(tree, MAX_DEPTH):
        return SyntaxProblem(0, "it is nested too deeply", "")
    return _unwritable(tree) or tree


def cut(text: str) -> str:
    """Code as a message shows it."""
    return text if len(text) <= MAX_SHOWN else f"{text[: MAX_SHOWN - 1]}…"


def global_names(code: ast.AST) -> set[str]:
    """The names in a piece of code that mean something of the module: a local variable of that name does not."""
    names = {node.id for node in ast.walk(code) if isinstance(node, ast.Name)}
    if not isinstance(code, ast.FunctionDef):
        return names
    imports = [node for node in ast.walk(code) if isinstance(node, (ast.Import, ast.ImportFrom))]
    found = {alias.asname or alias.name.partition(".")[0] for node in imports for alias in node.names}
    try:
        waiting = [symtable.symtable(ast.unparse(code), code.name, "exec")]
    except (SyntaxError, ValueError):  # e.g. `import *` inside a function, which Python can parse and will not run
        return names
    while waiting:
        table = waiting.pop()
        # Not `get_symbols`: it looks at all children for each symbol, and thousands of both would keep the grader busy.
        found |= set(table.get_globals() if isinstance(table, symtable.Function) else table.get_identifiers())
        waiting += table.get_children()
    return found & names


def names_bound(node: ast.AST) -> list[str]:
    """The names that a node binds where it stands, "*" for all names of a module."""
    match node:
        case ast.Name(id=name, ctx=ast.Store()) | ast.FunctionDef(name=name) | ast.ClassDef(name=name):
            return [name]
        case ast.AsyncFunctionDef(name=name) | ast.MatchAs(name=str() as name) | ast.MatchStar(name=str() as name):
            return [name]
        case ast.MatchMapping(rest=str() as name) | ast.ExceptHandler(name=str() as name):
            return [name]
        case ast.Import(names=names):
            return [alias.asname or alias.name.partition(".")[0] for alias in names]
        case ast.ImportFrom(names=names):
            return [alias.asname or alias.name for alias in names]
    return []


def bound_by(statement: ast.stmt) -> set[str]:
    """The names at the top of a module that a statement gives a value, wholly or in part."""
    if isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        return {statement.name}
    nodes = list(ast.walk(statement))
    parts = [node for node in nodes if isinstance(node, (ast.Attribute, ast.Subscript))]
    changed = {root(node) for node in parts if isinstance(node.ctx, ast.Store)}
    return changed.union(*(names_bound(node) for node in nodes))


def dotted(node: ast.AST) -> str:
    """A name that is read, with what is asked of it, as "np.linalg.norm"; "" for any other expression."""
    match node:
        case ast.Name(id=name, ctx=ast.Load()):
            return name
        case ast.Attribute(value=value, attr=name):
            return f"{start}.{name}" if (start := dotted(value)) else ""
    return ""


def root(node: ast.AST) -> str:
    """The name that an expression like `table[0].rows` or `table(3).rows` begins with, "" for none."""
    while isinstance(node, (ast.Attribute, ast.Subscript, ast.Call)):
        node = node.func if isinstance(node, ast.Call) else node.value
    return node.id if isinstance(node, ast.Name) else ""


def _unwritable(tree: ast.Module) -> SyntaxProblem | None:
    """Why a tree cannot be written out again: Python can parse longer numbers than it writes, and odder f-strings."""
    for statement in tree.body:
        try:
            ast.unparse(statement)
        except ValueError as error:
            what = "a number is too long" if "digits" in str(error) else "an f-string holds a character that is too odd"
            return SyntaxProblem(statement.lineno, f"{what} here", "")
    return None


def _is_deeper(tree: ast.AST, depth: int) -> bool:
    """Whether a tree has more than so many levels; counted level by level, so that no depth is too much."""
    level: list[ast.AST] = [tree]
    while level and depth:
        level = [child for node in level for child in ast.iter_child_nodes(node)]
        depth -= 1
    return bool(level)

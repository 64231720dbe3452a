"""A submission: the student's modules as text and as syntax trees. Nothing of it is ever run here."""

from __future__ import annotations

import ast
import functools
import hashlib
import json
import symtable
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from grader import catalogue, kit
from grader.problem import Problem

MAX_FILE = 1 << 20
MAX_FILES = 200
MAX_DEPTH = 200  # of a syntax tree; deeper ones exhaust Python's own recursion
PACKAGE = "exercises."  # what the submission's modules are imported from
PYTHON_CELLS = ("%%time", "%%timeit", "%%capture", "%%prun")  # cell magics over ordinary code


@dataclass(frozen=True)
class SyntaxProblem:
    """Why a module cannot be parsed."""

    line: int
    message: str
    source: str


@dataclass
class Module:
    """One module of a submission; `path` is what messages show: it begins at the submission, wherever that lies."""

    path: str
    text: str

    @functools.cached_property
    def tree(self) -> ast.Module | SyntaxProblem:
        try:
            tree = ast.parse(self.text)
            if _is_deeper(tree, MAX_DEPTH):
                return SyntaxProblem(0, "it is nested too deeply", "")
            return tree
        except SyntaxError as error:
            return SyntaxProblem(error.lineno or 0, error.msg, (error.text or "").strip())
        except (ValueError, RecursionError, MemoryError) as error:
            return SyntaxProblem(0, str(error) or "it is nested too deeply", "")

    @functools.cached_property
    def functions(self) -> dict[str, ast.FunctionDef]:
        """The top-level functions; the last definition of a name counts, as in Python."""
        body = [] if isinstance(self.tree, SyntaxProblem) else self.tree.body
        return {node.name: node for node in body if isinstance(node, ast.FunctionDef)}

    @functools.cached_property
    def imports(self) -> list[ast.Import | ast.ImportFrom]:
        """The import statements, also those inside functions."""
        nodes = [] if isinstance(self.tree, SyntaxProblem) else ast.walk(self.tree)
        return [node for node in nodes if isinstance(node, (ast.Import, ast.ImportFrom))]

    @functools.cached_property
    def frame(self) -> str:
        """All of the module that is no top-level function: imports, constants, classes."""
        return self.text if isinstance(self.tree, SyntaxProblem) else ast.unparse(self.frame_tree)

    @functools.cached_property
    def frame_tree(self) -> ast.Module:
        """The same as a tree; empty where the module cannot be parsed."""
        body = [] if isinstance(self.tree, SyntaxProblem) else self.tree.body
        return ast.Module([node for node in body if not isinstance(node, ast.FunctionDef)], [])


@dataclass(frozen=True)
class Scope:
    """What one module has from the submission's other modules.

    Parameters
    ----------
    names : local name -> (module, its name there)
    aliases : a module as the text spells it ("act", "exercises.ch03_activations") -> module
    stars : modules of which every name was imported
    """

    names: dict[str, tuple[str, str]] = field(default_factory=dict)
    aliases: dict[str, str] = field(default_factory=dict)
    stars: list[str] = field(default_factory=list)

    @property
    def modules(self) -> set[str]:
        """Every module that something comes from."""
        return {module for module, _ in self.names.values()} | {*self.aliases.values(), *self.stars}


@dataclass(eq=False)
class Submission:
    """What somebody handed in.

    Parameters
    ----------
    name : what records and reports call it
    modules : module name ("ch05_dense", "projects.mnist_mlp") -> module
    notes : remarks on what was left out, for the record
    whole : true for a folder, where a missing chapter counts as not done; false for single files
    """

    name: str
    modules: dict[str, Module]
    notes: list[str] = field(default_factory=list)
    whole: bool = True
    _scopes: dict[str, Scope] = field(default_factory=dict, repr=False)
    _closures: dict[tuple[str, str], list[tuple[str, str]]] = field(default_factory=dict, repr=False)
    _fingerprints: dict[tuple[str, str], str] = field(default_factory=dict, repr=False)

    @property
    def sources(self) -> dict[str, tuple[str, str]]:
        """The form in which a guest receives it: its own modules, and the given ones as the kit has them."""
        return {name: (module.path, module.text) for name, module in self.modules.items()} | kit.given()

    @functools.cached_property
    def digest(self) -> str:
        """Equal for equal content."""
        text = json.dumps(sorted((name, module.text) for name, module in self.modules.items()))
        return hashlib.sha256(text.encode()).hexdigest()

    def closure(self, module: str, function: str) -> list[tuple[str, str]]:
        """The function and all of the submission's functions that it reaches by name, itself first."""
        if (module, function) not in self._closures:
            self._closures[module, function] = self._reach(module, function)
        return self._closures[module, function]

    def _reach(self, module: str, function: str) -> list[tuple[str, str]]:
        found: dict[tuple[str, str], None] = {}
        waiting, seen = [(module, function)], set()
        while waiting:
            where = waiting.pop()
            owner = self.modules.get(where[0])
            if where in seen or owner is None:
                continue
            seen.add(where)
            if where[1] in owner.functions:
                found[where] = None
                waiting += self._named_in(where[0], owner.functions[where[1]])
            elif where[1] in self._scope(where[0]).names:  # imported there from yet another module
                waiting.append(self._scope(where[0]).names[where[1]])
        return list(found)

    def _named_in(self, module: str, code: ast.AST) -> list[tuple[str, str]]:
        """Where each name in a piece of a module's code leads to, if it leads to a module of the submission."""
        scope, own = self._scope(module), self.modules[module].functions
        nodes = list(ast.walk(code))
        names = sorted(_global_names(code))
        places = [(module, name) for name in names if name in own]
        places += [scope.names[name] for name in names if name in scope.names]
        places += [(star, name) for star in scope.stars for name in names if name not in own]
        if scope.aliases:
            attributes = {(ast.unparse(node.value), node.attr) for node in nodes if isinstance(node, ast.Attribute)}
            places += [(scope.aliases[text], name) for text, name in sorted(attributes) if text in scope.aliases]
        return places

    def _scope(self, module: str) -> Scope:
        if module not in self._scopes:
            scope = self._scopes[module] = Scope()
            for node in self.modules[module].imports:
                self._take_in(scope, module, node)
        return self._scopes[module]

    def _take_in(self, scope: Scope, module: str, node: ast.Import | ast.ImportFrom) -> None:
        """Note what one import statement of a module brings in."""
        if isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name.startswith(PACKAGE):
                    scope.aliases[alias.asname or alias.name] = alias.name.removeprefix(PACKAGE)
            return
        source = _source(module, node)
        if source is None:
            return
        for alias in node.names:
            whole = f"{source}.{alias.name}".strip(".")
            if alias.name == "*":
                scope.stars.append(source)
            elif whole in self.modules:
                scope.aliases[alias.asname or alias.name] = whole
            else:
                scope.names[alias.asname or alias.name] = (source, alias.name)

    def fingerprint(self, module: str, function: str) -> str:
        """Equal as long as nothing that the function can reach has changed; comments and layout do not count."""
        if (module, function) not in self._fingerprints:
            self._fingerprints[module, function] = self._hash(module, function)
        return self._fingerprints[module, function]

    def _hash(self, module: str, function: str) -> str:
        """Over the functions that are reached, and over what the modules on the way do when they are imported."""
        modules = self._imported_from(module)
        reached = dict.fromkeys(self.closure(module, function))
        for owner in modules:
            for place in self._named_in(owner, self.modules[owner].frame_tree):
                reached |= dict.fromkeys(self.closure(*place))
        parts = [f"{owner}.{ast.unparse(self.modules[owner].functions[name])}" for owner, name in reached]
        parts += [f"{owner}.{self.modules[owner].frame}" for owner in modules]
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()

    def _imported_from(self, module: str) -> list[str]:
        """The module and all those of the submission that importing it imports."""
        found: set[str] = set()
        waiting = [module]
        while waiting:
            name = waiting.pop()
            if name in self.modules and name not in found:
                found.add(name)
                waiting += self._scope(name).modules
        return sorted(found)


def _global_names(code: ast.AST) -> set[str]:
    """The names in a piece of code that mean something of the module: a local variable of that name does not."""
    names = {node.id for node in ast.walk(code) if isinstance(node, ast.Name)}
    if not isinstance(code, ast.FunctionDef):
        return names
    found: set[str] = set()
    try:
        waiting = [symtable.symtable(ast.unparse(code), code.name, "exec")]
    except SyntaxError:  # e.g. `import *` inside a function, which Python can parse and will not run
        return names
    while waiting:
        table = waiting.pop()
        found |= {symbol.get_name() for symbol in table.get_symbols() if symbol.is_global() or symbol.is_imported()}
        waiting += table.get_children()
    return found & names


def _source(module: str, node: ast.ImportFrom) -> str | None:
    """The submission's module that a from-import names, "" for the package itself; None for somebody else's."""
    name = node.module or ""
    if not node.level:
        return name.removeprefix(PACKAGE[:-1]).removeprefix(".") if f"{name}.".startswith(PACKAGE) else None
    above = module.split(".")[: -node.level]
    return ".".join([*above, name] if name else above)


def _is_deeper(tree: ast.AST, depth: int) -> bool:
    """Whether a tree has more than so many levels; counted level by level, so that no depth is too much."""
    level: list[ast.AST] = [tree]
    while level and depth:
        level = [child for node in level for child in ast.iter_child_nodes(node)]
        depth -= 1
    return bool(level)


def is_stub(function: ast.FunctionDef) -> bool:
    """Whether nothing has been written yet: no statement but a docstring, `pass`, `...` or a NotImplementedError."""
    body = [node for node in function.body if not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))]
    if all(isinstance(node, ast.Pass) for node in body):
        return True
    match body:
        case [ast.Raise(exc=ast.Call(func=ast.Name(id="NotImplementedError")) | ast.Name(id="NotImplementedError"))]:
            return True
    return False


def read(path: Path) -> Submission:
    """Read a submission from a folder laid out like `exercises/`, a module, or a notebook.

    Raises
    ------
    Problem : nothing there, or nothing in it that the catalogue knows
    """
    if path.is_dir():
        return _read_folder(path)
    if not path.exists():
        raise Problem(f"There is no submission at {path}.", "Give a folder, a .py file or an .ipynb file.")
    if path.suffix == ".py":
        return _assign(path, _read_text(path))
    if path.suffix == ".ipynb":
        return _assign(path, _notebook_code(path))
    raise Problem(f"{path} is neither a folder, a .py file nor an .ipynb file.", "Hand in one of these.")


def place_of(path: Path) -> tuple[Path, str]:
    """The submission's folder that a module file lies in, and the module's name there."""
    if path.parent.name == "projects":
        return path.parent.parent, f"projects.{path.stem}"
    return path.parent, path.stem


def _read_folder(folder: Path) -> Submission:
    modules: dict[str, Module] = {}
    notes = []
    for path in sorted(_python_files(folder)):
        name = ".".join(path.relative_to(folder).with_suffix("").parts)
        try:
            modules[name] = Module(f"{folder.resolve().name}/{path.relative_to(folder).as_posix()}", _read_text(path))
        except Problem as problem:
            notes.append(problem.defect)
    if sum(len(module.text) for module in modules.values()) > MAX_FILE:
        raise Problem(f"{folder} holds more than {MAX_FILE >> 20} MB of source.", "Hand in the exercises only.")
    known = {chapter.module for chapter in catalogue.chapters()}
    if not known & modules.keys():
        first = catalogue.chapters()[0].module
        raise Problem(
            f"{folder} has none of the exercise modules ({first}.py …).", "Give the folder that holds them itself."
        )
    for name, (_, text) in kit.given().items():
        if name in modules and modules[name].text != text:
            notes.append(f"{name}.py is given: the kit's own was used, not the one in the submission.")
    return Submission(folder.resolve().name, modules, notes)


def _python_files(folder: Path) -> Iterator[Path]:
    """The folder's own modules; links and hidden or cache folders are passed over."""
    count = 0
    for path in folder.rglob("*.py"):
        parts = path.relative_to(folder).parts
        if any(part.startswith((".", "__pycache__")) for part in parts) or not path.is_file():
            continue
        if path.is_symlink() or any(parent.is_symlink() for parent in path.parents if parent.is_relative_to(folder)):
            continue
        if not all(part.removesuffix(".py").isidentifier() for part in parts) or parts[-1] == "__init__.py":
            continue
        count += 1
        if count > MAX_FILES:
            raise Problem(f"{folder} holds more than {MAX_FILES} modules.", "Give the submission's own folder only.")
        yield path


def _read_text(path: Path) -> str:
    try:
        if not path.is_file():
            raise Problem(f"{path} is no ordinary file.", "Hand in ordinary files.")
        with path.open("rb") as file:
            content = file.read(MAX_FILE + 1)
        if len(content) > MAX_FILE:
            raise Problem(f"{path} is larger than {MAX_FILE >> 20} MB: that is no source file.", "Take it out.")
        return content.decode("utf-8-sig")
    except OSError as error:
        raise Problem(f"{path} cannot be read ({error.strerror}).", "Check its permissions.") from None
    except UnicodeDecodeError:
        raise Problem(f"{path} is not UTF-8 text.", "Save it as UTF-8.") from None


def _notebook_code(path: Path) -> str:
    """The code cells of a notebook as one text; magics become comments so that line counts stay."""
    try:
        cells = json.loads(_read_text(path))["cells"]
        codes = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise Problem(f"{path} is not a readable notebook.", "Save it from Jupyter again (format 4).") from None
    return "\n".join(line for code in codes for line in _plain_python(code)) + "\n"


def _plain_python(code: str) -> list[str]:
    """The lines of a cell, with what only IPython understands as comments."""
    lines = code.splitlines()
    try:
        ast.parse(code)
        return lines  # also where a line happens to begin with the operator %
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        pass
    kind = code.split(maxsplit=1)[0] if code.strip() else ""
    foreign = kind.startswith("%%") and kind not in PYTHON_CELLS
    return [
        f"# {line}" if foreign or line.lstrip().startswith(("%", "!", "?")) or line.rstrip().endswith("?") else line
        for line in lines
    ]


def _assign(path: Path, text: str) -> Submission:
    """A single text stands for the module it is named after, else for every chapter of which it defines a function."""
    module = Module(path.name, text)
    named = [c.module for c in catalogue.chapters() if path.stem.endswith(c.module.rpartition(".")[2])]
    defined = module.functions.keys()
    meant = named or [c.module for c in catalogue.chapters() if defined & {exercise.name for exercise in c.exercises}]
    if not meant:
        raise Problem(
            f"{path} is named after no chapter and defines no function that an exercise asks for.",
            "Name it like the stub, e.g. ch03_activations.py.",
        )
    return Submission(path.stem, {name: Module(module.path, text) for name in meant}, whole=False)

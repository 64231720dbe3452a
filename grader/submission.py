"""A submission: the student's modules as text and as syntax trees. Nothing of it is ever run here."""

from __future__ import annotations

import ast
import bisect
import codecs
import functools
import hashlib
import io
import itertools
import json
import re
import tokenize
import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from grader import catalogue, cells, kit
from grader.cells import Code
from grader.problem import Problem
from grader.syntax import SyntaxProblem, dotted, global_names, parsed

MAX_FILE = 256 << 10  # of one module, or of a notebook's code; the longest solution has 47 KB
MAX_SOURCE = 1 << 20  # of a folder's modules together
MAX_NOTEBOOK = 32 << 20  # most of a large one is pictures, which are not read
MAX_FILES = 200
PACKAGE = "exercises."  # what the submission's modules are imported from
SINGLE = (".py", ".ipynb")  # what a file that is handed in alone may be
ENCODINGS = ("utf-8", "utf-8-sig", "ascii", "iso8859-1", "cp1252")  # as codecs calls them; some others take forever
SHORTER = "Hand in a file for each chapter, with nothing in it that no exercise needs."
CLEARED = "Clear its outputs, and save it again."

_trees: weakref.WeakValueDictionary[str, ast.Module | SyntaxProblem] = weakref.WeakValueDictionary()  # by their text


@dataclass
class Module:
    """One module of a submission.

    Parameters
    ----------
    path : what messages show; it begins at the submission, wherever that lies
    text : the source
    broken : functions in cells of a notebook that Python cannot read; the others can be judged all the same
    starts : of a notebook, the line of the text in which each code cell begins
    """

    path: str
    text: str
    broken: dict[str, SyntaxProblem] = field(default_factory=dict)
    starts: Sequence[int] = ()

    def located(self, message: str) -> str:
        """A message about this module; a line of a notebook is told as a line of its cell, as students see it."""

        def place(found: re.Match[str]) -> str:
            line = int(found[1])
            cell = bisect.bisect(self.starts, line)
            return f"{self.path}, code cell {cell}, line {line - self.starts[cell - 1] + 1}"

        return re.sub(rf"{re.escape(self.path)}, line ([1-9]\d*)", place, message) if self.starts else message

    @functools.cached_property
    def tree(self) -> ast.Module | SyntaxProblem:
        """What the text is parsed to: one tree, however many modules have this text."""
        tree = _trees.get(self.text)
        if tree is None:
            tree = _trees[self.text] = parsed(self.text)
        return tree

    @functools.cached_property
    def functions(self) -> dict[str, ast.FunctionDef]:
        """The top-level functions; the last definition of a name counts, as in Python."""
        body = [] if isinstance(self.tree, SyntaxProblem) else self.tree.body
        return {node.name: node for node in body if isinstance(node, ast.FunctionDef)}

    @functools.cached_property
    def written(self) -> dict[str, str]:
        """The same written out, without comments and layout."""
        return {name: ast.unparse(node) for name, node in self.functions.items()}

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
    stars : the submission's modules of which every name was imported
    absent : modules of which every name was imported, and that the submission does not have
    """

    names: dict[str, tuple[str, str]] = field(default_factory=dict)
    aliases: dict[str, str] = field(default_factory=dict)
    stars: set[str] = field(default_factory=set)
    absent: set[str] = field(default_factory=set)

    @property
    def modules(self) -> set[str]:
        """Every module that something comes from."""
        return {module for module, _ in self.names.values()} | {*self.aliases.values()} | self.stars | self.absent


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
    remembered: dict[tuple[str, Any], Any] = field(default_factory=dict, repr=False)  # by rules.py
    _scopes: dict[str, Scope] = field(default_factory=dict, repr=False)
    _offers: dict[str, dict[str, tuple[str, str]]] = field(default_factory=dict, repr=False)
    _calls: dict[tuple[str, str], list[tuple[str, str]]] = field(default_factory=dict, repr=False)
    _closures: dict[tuple[str, str], list[tuple[str, str]]] = field(default_factory=dict, repr=False)
    _fingerprints: dict[tuple[str, str], str] = field(default_factory=dict, repr=False)

    @property
    def sources(self) -> dict[str, tuple[str, str]]:
        """The form in which a guest receives it: its own modules, and the given ones as the kit has them."""
        return {name: (module.path, module.text) for name, module in self.modules.items()} | kit.given()

    def located(self, message: str) -> str:
        """A message in which the lines of notebooks are told as lines of their cells."""
        for module in self.modules.values():
            message = module.located(message)
        return message

    @functools.cached_property
    def digest(self) -> str:
        """Equal for equal content."""
        text = json.dumps(sorted((name, module.text) for name, module in self.modules.items()))
        return hashlib.sha256(text.encode()).hexdigest()

    def closure(self, module: str, function: str) -> list[tuple[str, str]]:
        """The function and all of the submission's functions that it reaches by name, itself first."""
        if (module, function) not in self._closures:
            self._closures[module, function] = self._reach([(module, function)])
        return self._closures[module, function]

    def _reach(self, places: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
        """The functions at these places and all that they reach, each once; those of the first place come first."""
        found: dict[tuple[str, str], None] = {}
        waiting, seen = [*places][::-1], set()
        while waiting:
            where = waiting.pop()
            owner = self.modules.get(where[0])
            if where in seen or owner is None:
                continue
            seen.add(where)
            if where[1] in owner.functions:
                found[where] = None
                waiting += self._called_by(where)
            elif where[1] in self._scope(where[0]).names:  # imported there from yet another module
                waiting.append(self._scope(where[0]).names[where[1]])
        return list(found)

    def _called_by(self, where: tuple[str, str]) -> list[tuple[str, str]]:
        """The functions that one of the submission's functions names itself."""
        if where not in self._calls:
            self._calls[where] = self._named_in(where[0], [self.modules[where[0]].functions[where[1]]])
        return self._calls[where]

    def reached_by(self, module: str, *code: ast.AST) -> list[tuple[str, str]]:
        """The submission's functions that pieces of a module's code reach by name, each once."""
        return self._reach(self._named_in(module, code))

    def _named_in(self, module: str, code: Iterable[ast.AST]) -> list[tuple[str, str]]:
        """Where each name in pieces of a module's code leads to, if it leads to a module of the submission."""
        scope, own = self._scope(module), self.modules[module].functions
        used = {name for piece in code for name in global_names(piece)}
        names = sorted(used)
        places = [(module, name) for name in names if name in own]
        places += [scope.names[name] for name in names if name in scope.names]
        used -= own.keys()
        for star in sorted(scope.stars):
            offers = self._offered_by(star)
            places += [offers[name] for name in sorted(offers.keys() & used)]
        if scope.aliases:
            nodes = (node for piece in code for node in ast.walk(piece) if isinstance(node, ast.Attribute))
            attributes = {(dotted(node.value), node.attr) for node in nodes}
            places += [(scope.aliases[text], name) for text, name in sorted(attributes) if text in scope.aliases]
        return places

    def _offered_by(self, module: str) -> dict[str, tuple[str, str]]:
        """Where the names lead to that a module gives to those which import everything from it."""
        if module not in self._offers:
            own = {name: (module, name) for name in self.modules[module].functions}
            self._offers[module] = self._scope(module).names | own
        return self._offers[module]

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
        source = source_of(module, node)
        if source is None:
            return
        for alias in node.names:
            whole = f"{source}.{alias.name}".strip(".")
            if alias.name == "*":
                (scope.stars if source in self.modules else scope.absent).add(source)
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
        modules = self.imported_from(module)
        reached = dict.fromkeys(self.closure(module, function))
        for owner in modules:
            reached |= dict.fromkeys(self.reached_by(owner, self.modules[owner].frame_tree))
        parts = [f"{owner}.{self.modules[owner].written[name]}" for owner, name in reached]
        parts += [f"{owner}.{self.modules[owner].frame}" for owner in modules]
        return hashlib.sha256("\0".join(parts).encode(errors="surrogatepass")).hexdigest()

    def named_in(self, module: str) -> set[str]:
        """The modules of the package that a module imports from, whether the submission has them or not."""
        return self._scope(module).modules

    def imported_from(self, module: str) -> list[str]:
        """The module and all those of the submission that importing it imports."""
        found: set[str] = set()
        waiting = [module]
        while waiting:
            name = waiting.pop()
            if name in self.modules and name not in found:
                found.add(name)
                waiting += self._scope(name).modules
        return sorted(found)


def source_of(module: str, node: ast.ImportFrom) -> str | None:
    """The submission's module that a from-import names, "" for the package itself; None for somebody else's."""
    name = node.module or ""
    if not node.level:
        return name.removeprefix(PACKAGE[:-1]).removeprefix(".") if f"{name}.".startswith(PACKAGE) else None
    above = module.split(".")[: -node.level]
    return ".".join([*above, name] if name else above)


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
        paths = itertools.islice(_python_files(path), MAX_FILES + 1)
        files = {
            found.relative_to(path).as_posix(): functools.partial(content_of, found, str(found)) for found in paths
        }
        return laid_out(path.resolve().name, files, str(path))
    if not path.exists():
        raise Problem(f"There is no submission at {path}.", "Give a folder, a .py file or an .ipynb file.")
    if path.suffix not in SINGLE:
        raise Problem(f"{path} is neither a folder, a .py file nor an .ipynb file.", "Hand in one of these.")
    return single(path.stem, path.name, content_of(path, str(path), most_of(path.name)), str(path))


def place_of(path: Path) -> tuple[Path, str]:
    """The submission's folder that a module file lies in, and the module's name there."""
    if path.parent.name == "projects":
        return path.parent.parent, f"projects.{path.stem}"
    return path.parent, path.stem


def laid_out(name: str, files: Mapping[str, Callable[[], bytes]], shown: str) -> Submission:
    """The submission of files laid out like `exercises/`.

    Parameters
    ----------
    name : of the submission
    files : path below the folder ("projects/boston.py") -> what reads it
    shown : what messages call the folder

    Raises
    ------
    Problem : too much, or nothing that the catalogue knows; a file that cannot be read is left out with a note
    """
    modules: dict[str, Module] = {}
    notes = []
    total = 0
    chosen = sorted(path for path in files if is_module(path))
    if len(chosen) > MAX_FILES:
        raise Problem(f"{shown} holds more than {MAX_FILES} modules.", "Give the submission's own folder only.")
    for path in chosen:
        try:
            text = _text_of(files[path](), f"{shown}/{path}")
            modules[path.removesuffix(".py").replace("/", ".")] = Module(f"{name}/{path}", text)
        except Problem as problem:
            notes.append(problem.defect)
            continue
        total += len(text)
        if total > MAX_SOURCE:
            raise Problem(f"{shown} holds more than {size(MAX_SOURCE)} of source.", "Hand in the exercises only.")
    known = {chapter.module for chapter in catalogue.chapters()}
    if not known & modules.keys():
        first = catalogue.chapters()[0].module
        if notes:
            raise Problem(f"{shown} has no exercise module that can be read. {notes[0]}", "Hand it in again.")
        raise Problem(
            f"{shown} has none of the exercise modules ({first}.py …).", "Give the folder that holds them itself."
        )
    for given, (_, text) in kit.given().items():
        if given in modules and modules[given].text != text:
            notes.append(f"{given}.py is given: the kit's own was used, not the one in the submission.")
    return Submission(name, modules, notes)


def single(name: str, file: str, content: bytes, shown: str) -> Submission:
    """The submission of one module or notebook, called `file`.

    Raises
    ------
    Problem : no text, no notebook, or nothing in it that the catalogue knows
    """
    text = _text_of(content, shown)
    stem, _, suffix = file.rpartition(".")
    if suffix != "ipynb":
        return _assign(name, stem, Module(file, text), shown)
    sources = code_cells(text, shown)
    if sum(len(source) + 1 for source in sources) > MAX_FILE:  # of empty cells, too, there may be too many
        raise Problem(f"{shown} holds more than {size(MAX_FILE)} of code.", SHORTER)
    code = notebook_code(sources)
    return _assign(name, stem, Module(file, code.text, code.broken, code.starts), shown)


def is_module(path: str) -> bool:
    """Whether a file below the submission's folder can be imported as a module of its own."""
    parts = path.split("/")
    if not path.endswith(".py") or parts[-1] == "__init__.py":
        return False
    return all(part.removesuffix(".py").isidentifier() and part != "__pycache__" for part in parts)


def _python_files(folder: Path) -> Iterator[Path]:
    """The folder's own modules; links and what no module can be called are passed over."""
    for path in folder.rglob("*.py"):
        if not is_module(path.relative_to(folder).as_posix()) or not path.is_file() or path.is_symlink():
            continue
        if not any(parent.is_symlink() for parent in path.parents if parent.is_relative_to(folder)):
            yield path


def most_of(file: str) -> int:
    """How many bytes a file of that name may have."""
    return MAX_NOTEBOOK if file.endswith(".ipynb") else MAX_FILE


def size(count: int) -> str:
    """So many bytes, as messages tell it."""
    return f"{count >> 20} MB" if count >= 1 << 20 else f"{count >> 10} KB"


def too_large(shown: str, file: str, most: int) -> Problem:
    """What is told of a file, called `file`, that has more than `most` bytes."""
    action = SHORTER if file.endswith(".py") else CLEARED if file.endswith(".ipynb") else "Take it out."
    return Problem(f"{shown} is larger than {size(most)}.", action)


def content_of(path: Path, shown: str, most: int = MAX_FILE) -> bytes:
    """The bytes of an ordinary file; raises Problem where it is none, cannot be read, or has more than `most`."""
    try:
        if not path.is_file():
            raise Problem(f"{shown} is no ordinary file.", "Hand in ordinary files.")
        with path.open("rb") as file:
            content = file.read(most + 1)
    except OSError as error:
        raise Problem(f"{shown} cannot be read ({error.strerror}).", "Check its permissions.") from None
    if len(content) > most:
        raise too_large(shown, path.name, most)
    return content


def _text_of(content: bytes, shown: str) -> str:
    """Source text in the encoding that it declares, if that is one of `ENCODINGS`; UTF-8 unless it declares one."""
    try:
        encoding = codecs.lookup(tokenize.detect_encoding(io.BytesIO(content).readline)[0]).name
        if encoding in ENCODINGS:
            return content.decode(encoding)
        raise Problem(
            f"{shown} declares the encoding {encoding}, which is not read.",
            "Save it as UTF-8, and take out the line that declares another.",
        )
    except (SyntaxError, UnicodeError, LookupError):
        raise Problem(f"{shown} is not UTF-8 text.", "Save it as UTF-8.") from None


def notebook_code(sources: Sequence[str]) -> Code:
    """What the code cells of a notebook come to, as far as exercises need it."""
    return cells.read(sources, {exercise.name for exercise in catalogue.exercises().values()})


def is_thin(text: str) -> bool:
    """Whether a notebook was released without cells to write code in: what was written is the module beside it."""
    try:
        cells_of_code = [cell for cell in json.loads(text)["cells"] if cell["cell_type"] == "code"]
        marks = [cell["metadata"].get("nbgrader", {}) for cell in cells_of_code]
        return any(mark.get("grade") for mark in marks) and not any(mark.get("solution") for mark in marks)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return False


def code_cells(text: str, shown: str) -> list[str]:
    """The sources of a notebook's code cells; raises Problem where the text is no notebook."""
    try:
        found = json.loads(text)["cells"]
        return ["".join(cell["source"]) for cell in found if cell["cell_type"] == "code"]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise Problem(f"{shown} is not a readable notebook.", "Save it from Jupyter again (format 4).") from None


def _assign(name: str, stem: str, module: Module, shown: str) -> Submission:
    """A single text stands for the module it is named after, else for every chapter of which it defines a function.

    However many chapters that are, it is one module, which is parsed once.
    """
    named = [chapter.module for chapter in catalogue.chapters_in(stem)]
    defined = module.functions.keys() | module.broken.keys()
    meant = named or [c.module for c in catalogue.chapters() if defined & {exercise.name for exercise in c.exercises}]
    if not meant:
        raise Problem(
            f"{shown} is named after no chapter and defines no function that an exercise asks for.",
            "Name it like the stub, e.g. ch03_activations.py.",
        )
    return Submission(name, dict.fromkeys(meant, module), whole=False)

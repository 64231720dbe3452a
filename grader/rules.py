"""What a submission may not do, read from its syntax tree before anything runs.

by hand : the library call that does the exercise, or a library that has it, is refused; where a call is asked for by
    hand, so is all that does not come from `OPEN`, as far as the function's answer depends on it
plain code : what the code does can be read in it: nothing is made, bound or replaced behind the reader's back
compiled : where numba must compile a function, it is numba's own decorator that stands above it
"""

from __future__ import annotations

import ast
import builtins
import cmath
import collections.abc
import functools
import importlib
import itertools
import math
import re
import time
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Any, TypeVar, cast

import numpy as np

from grader import kit
from grader.exercise import Exercise
from grader.submission import PACKAGE, Submission, source_of
from grader.syntax import bound_by, global_names, names_bound, root
from grader.worker.isolation import GUEST, LIBRARIES

READY_MADE = (*LIBRARIES, "scipy")  # numba itself needs SciPy, so that no isolation can hide it
# Modules that reach into running code, or make code of text.
INSIDES = (
    *("bdb", "builtins", "cloudpickle", "code", "codeop", "copyreg", "ctypes", "doctest", "f2py", "gc", "importlib"),
    *(
        "inspect",
        "marshal",
        "pdb",
        "pickle",
        "pkgutil",
        "pydoc",
        "runpy",
        "shelve",
        "sys",
        "timeit",
        "types",
        "unittest",
    ),
)
MAKERS = ("breakpoint", "compile", "delattr", "eval", "exec", "getattr", "globals", "locals", "setattr", "vars")
REACHING = (  # attributes
    *("attrgetter", "f_back", "f_globals", "f_locals", "get_type_hints", "gi_frame", "methodcaller", "runstring"),
    "tb_frame",
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


def _public(module: ModuleType, *but: str) -> frozenset[str]:
    """The names that a library's module has for its users; its inner modules are none."""
    inner = {name for name in dir(module) if name.startswith("_") or isinstance(getattr(module, name), ModuleType)}
    return frozenset(dir(module)) - inner - set(but)


# What code may use that is to be written by hand: names that bring in what they say, no code that text describes.
TYPES = """
b1 boolean byte c16 c8 char double f4 f8 i1 i2 i4 i8 int_ none optional size_t ssize_t u1 u2 u4 u8 uchar void
Array DictType FunctionType List ListType Literal Optional Tuple UniTuple unicode_type
"""
LISTED = f"""
collections : ChainMap Counter OrderedDict defaultdict deque namedtuple
copy : copy deepcopy
dataclasses : asdict astuple dataclass field replace
enum : Enum IntEnum auto
functools : cache lru_cache partial reduce wraps
multiprocessing : cpu_count
numba : {TYPES} from_dtype get_num_threads get_thread_id guvectorize jit literal_unroll literally njit pndindex prange
    set_num_threads stencil typeof vectorize
numba.core.types : {TYPES}
numba.cuda : {TYPES} activemask all_sync any_sync atomic ballot_sync blockDim blockIdx brev cbrt clz const
    current_context device_array device_array_like eq_sync event event_elapsed_time ffs fma fp16 get_current_device grid
    gridDim gridsize is_available jit laneid lanemask_lt local mapped_array match_all_sync match_any_sync nanosleep
    pinned_array popc select_device selp shared shfl_down_sync shfl_sync shfl_up_sync shfl_xor_sync stream synchronize
    syncthreads syncthreads_and syncthreads_count syncthreads_or syncwarp threadIdx threadfence threadfence_block
    threadfence_system to_device warpsize
numba.extending : register_jitable
numba.typed : Dict List
numba.types : {TYPES}
numpy.lib.stride_tricks : as_strided sliding_window_view
numpy.typing : ArrayLike DTypeLike NDArray
operator : abs add and_ eq floordiv ge gt index itemgetter le lt mod mul ne neg not_ or_ pos pow sub truediv xor
os : cpu_count
random : Random choice gauss randint random randrange sample seed shuffle uniform
sys : argv float_info maxsize path stderr stdout version_info
timeit : default_timer
typing : Annotated Any Callable ClassVar Dict Final Generic Iterable Iterator List Literal Mapping NamedTuple NoReturn
    Optional Protocol Self Sequence Set Tuple Type TYPE_CHECKING TypeAlias TypeVar TypedDict Union cast final overload
warnings : filterwarnings simplefilter warn
"""


def _open() -> dict[str, frozenset[str]]:
    """Each module that may be used, with the names of it that may."""
    numbers = {name for name, value in vars(np).items() if isinstance(value, type) and issubclass(value, np.generic)}
    found = {module.__name__: _public(module) for module in (cmath, collections.abc, itertools, math, time)}
    found |= {module.__name__: _public(module, "test") for module in (np.fft, np.linalg, np.random)}
    found["numpy"] = _public(np, "asmatrix", "bmat", "load", "matrix", "test")
    for module, names in re.findall(r"^(\S+) : ((?:.|\n(?!\S+ : ))*)", LISTED, re.MULTILINE):
        found[module] = frozenset(names.split()) | (numbers if "boolean" in names else set())
    return found


OPEN = _open()

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


Looked = TypeVar("Looked")
Part = tuple[str, str]  # a module of the submission, and a function there or `FRAME`
Place = tuple[str, str]  # a module of the submission, and a name there
Piece = tuple[str, ast.stmt]  # a module of the submission, and a statement at its top
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
    for piece in behind(submission, exercise) if exercise.forbids else ():
        path = submission.modules[piece[0]].path
        for node, what in uses_what_is_asked(submission, exercise, piece):
            return Breach(BY_HAND, path, _line(node), what, "Write it yourself, with loops: that is the exercise.")
        for node, what in brings_in(submission, piece):
            return Breach(
                BY_HAND, path, _line(node), what, "Write it with NumPy's elementary functions, numba and math."
            )
    for part in parts(submission, exercise):
        path = submission.modules[part[0]].path
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
    origin = {name: path for node in module.imports for name, path in origins(node, part[0])}
    imported = {name: path.partition(".")[0] for name, path in origin.items()}
    numbas = {name.partition(".")[0] for name in numba_names(submission, part[0])} if part[1] == FRAME else set()
    nodes = nodes_of(submission, part)
    builtin = set(MAKERS) if part[1] == FRAME else global_names(module.functions[part[1]])
    harmless = {id(node.value) for node in nodes if isinstance(node, ast.Attribute) and is_open(_dotted(node))}
    found = []
    for node in nodes:
        told = ready_made(node) or looks_at_the_judge(node, imported)
        told = told or replaces(node, imported) or disguised(node, numbas)
        if not told and id(node) not in harmless:
            told = makes_code(node, origin, builtin)
        if told:
            found.append(Breach(told[0], module.path, _line(node), told[1], ACTIONS[told[0]]))
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
        if not _library(path):
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
    plain = [one for one in _annotations(piece[1]) if _is_plain(one)]
    renaming = {
        id(node.value) for node in ast.walk(piece[1]) if isinstance(node, ast.Assign) and len(node.targets) == 1
    }
    annotating = {id(node) for one in plain for node in ast.walk(one)}
    for node, path in brought(submission, piece):
        renamed = path in OPEN and id(node) in renaming
        if _library(path) and not (is_open(path) or renamed or id(node) in annotating):
            yield node, f"brings in {path}, which may be anything"


def is_open(path: str) -> bool:
    """Whether something of a library, as "numpy.random.default_rng", is what may be used in code written by hand."""
    parts = path.split(".")
    modules = [".".join(parts[:count]) for count in range(len(parts) - 1, 0, -1)]
    longest = next((module for module in modules if module in OPEN), "")
    return bool(longest) and parts[longest.count(".") + 1] in OPEN[longest]


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
        case ast.Attribute(attr=name) if name in NUMBAS_INSIDES and imported.get(root(node)) == "numba":
            return PLAIN_CODE, f"uses {ast.unparse(node)}, which tells how numba runs"
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
        case ast.Attribute(attr=name) if _library(origin.get(_dotted(node).partition(".")[0])) and _inside(f".{name}"):
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


def _library(path: str | None) -> bool:
    """Whether a path leads to a library, not to a module of the submission."""
    return path is not None and not path.startswith(PACKAGE)


def _inside(path: str) -> str:
    """The module of `INSIDES` that something is of, "" for none; libraries hand theirs on, as "os.sys"."""
    package, *rest = path.split(".")
    if not _library(path) or is_open(path):
        return ""
    further = [name for name in rest if name != "types"]  # which is numba's own
    return next((name for name in (package, *further) if name in INSIDES), "")


def replaces(node: ast.AST, imported: Container[str]) -> tuple[str, str] | None:
    """Something of a library put in another's place."""
    if isinstance(node, ast.Attribute) and not isinstance(node.ctx, ast.Load) and root(node) in imported:
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
def brought(submission: Submission, piece: Piece) -> tuple[tuple[ast.AST, str], ...]:
    """What of other modules a statement uses: where, and its path, as "numpy.linalg.norm"."""
    module, statement = piece
    at_the_top, own = imports_at_the_top(submission, module), imports_in(submission, piece)
    names = global_names(statement)
    nodes = list(ast.walk(statement))
    inner = {id(node.value) for node in nodes if isinstance(node, ast.Attribute)}
    found = []
    for node in nodes:
        name, dot, rest = _dotted(node).partition(".") if id(node) not in inner else ("", "", "")
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
                start, dot, rest = _dotted(value).partition(".")
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
    line = max((_line(node) for one in body for node in ast.walk(one) if "*" in names_bound(node)), default=0)
    paths = sorted(path.removesuffix(".*") for path in imports_at_the_top(submission, module).get("*", ()))
    libraries = [path for path in paths if _library(f"{path}.")]
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
            computed = [one for one in _annotations(statement) if not _is_plain(one)]
            return [*statement.decorator_list, *values, *computed]
        case ast.ClassDef():
            return [*statement.decorator_list, *statement.bases, *(keyword.value for keyword in statement.keywords)]
    return []


def _annotations(code: ast.AST) -> list[ast.expr]:
    """All the annotations in a piece of code."""
    found: list[ast.expr | None] = []
    for node in ast.walk(code):
        match node:
            case ast.arg(annotation=annotation) | ast.AnnAssign(annotation=annotation):
                found.append(annotation)
            case ast.FunctionDef(returns=annotation) | ast.AsyncFunctionDef(returns=annotation):
                found.append(annotation)
    return [annotation for annotation in found if annotation]


def _is_plain(annotation: ast.expr) -> bool:
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


def _dotted(node: ast.AST) -> str:
    """A name that is read, with what is asked of it, as "np.linalg.norm"; "" for any other expression."""
    match node:
        case ast.Name(id=name, ctx=ast.Load()):
            return name
        case ast.Attribute(value=value, attr=name):
            return f"{start}.{name}" if (start := _dotted(value)) else ""
    return ""


def _is_inner(name: str) -> bool:
    return name.startswith("__") and name not in KNOWN_DUNDERS


def _is_constant(node: ast.AST, truth: bool) -> bool:
    return isinstance(node, ast.Constant) and bool(node.value) == truth


def _is_main(statement: ast.stmt) -> bool:
    """Whether it is what runs as a program only: `if __name__ == "__main__":`, with nothing else to it."""
    if not isinstance(statement, ast.If) or statement.orelse:
        return False
    return ast.unparse(statement.test) in ("__name__ == '__main__'", "'__main__' == __name__")


def _line(node: ast.AST) -> int:
    return int(getattr(node, "lineno", 1))

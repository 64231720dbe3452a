"""Which submissions look like copies of each other: a place to look, not a verdict.

Every function is reduced to the sequence of its syntax tree's nodes, without names, numbers, texts, annotations,
docstrings, comments and statements that do nothing; what is left of names are attributes and keywords, which nobody can
rename. Each run of `RUN` nodes of it is a print (Schleimer, Wilkerson, Aiken, "Winnowing", SIGMOD 2003). What is rare
tells, and what is rare is seen in the class: a print weighs -log2 of the share of those who have it, and nothing where
the stubs or the solutions have it. A pair is listed where one of two things would hardly happen by chance once in the
class: that so many functions are alike, each of which is alike in few pairs; or that so much of all they wrote is the
same, compared with all other pairs.
"""

from __future__ import annotations

import ast
import hashlib
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from grader import kit
from grader.submission import Module, Submission

RUN = 12  # nodes, about two statements; each node lies in as many prints
LONGEST = 5000  # prints of a function; of a longer one the smallest numbers, which are the same in a copy
BLOCK = 4096  # prints at a time
LONG_ENOUGH = 12  # prints that tell, in a function
ALIKE = 0.75  # of the weight of the smaller of two functions, for them to be alike
NEAR = 0.6  # of the weight of the smaller of two submissions, at least, for them to be alike as a whole
WEIGHT = 10 * RUN  # that they have in common then, at least
MARGIN_BITS, MARGIN_DEVIATIONS = 3.0, 1.5  # beyond what the unlikeliest pair of a class shows by chance
# What is believed before anything of a class is seen: of some authors, how many have a given print; of some pairs, how
# many are alike in a given function; and how much of all that they wrote some pairs have in common.
PRIOR_AUTHORS, PRIOR_SHARE = 4, 0.3
PRIOR_PAIRS, PRIOR_ALIKE = 5, 0.1
PRIOR_SHARES = (0.1, 0.15, 0.2, 0.25, 0.3, 0.3, 0.35, 0.4, 0.45, 0.5)


@dataclass(frozen=True)
class Pair:
    """Two submissions that look alike.

    Parameters
    ----------
    one, other : their names
    share : of what the smaller of them has and not everybody, the share that is in both
    exercises : the functions that are alike ("ch05_dense.dense_forward"; a module where helpers are), first the longest
    """

    one: str
    other: str
    share: float
    exercises: tuple[str, ...]


def pairs(submissions: Mapping[str, Submission], stubs: Iterable[Submission]) -> list[Pair]:
    """The pairs of submissions to look at, the most alike first.

    Parameters
    ----------
    submissions : by name; read one after the other, so that a mapping that reads when asked keeps one in memory
    stubs : what nobody is to blame for: the stubs, and the solutions where there are any. Their functions are compared
        each with its namesakes; all others of a module together, since a helper can have any name
    """
    given = list(stubs)
    press = _Press(
        {f"{name}.{function}" for one in given for name, m in one.modules.items() for function in m.functions}
    )
    common = {value for one in given for values in press.prints(one).values() for value in values.tolist()}
    found = _Class(list(submissions))
    units: dict[str, dict[int, np.ndarray]] = {}
    for author, name in enumerate(found.names):
        for unit, values in press.prints(submissions[name]).items():
            units.setdefault(unit, {})[author] = values
    for unit, prints in units.items():
        found.add(unit, prints, common)
    return found.listed()


# --- prints -----------------------------------------------------------------------------------------------------------


class _Press:
    """Makes prints; of equal code equal ones, whichever submission it is in."""

    def __init__(self, functions: set[str]):
        self._functions = functions
        self._numbers: dict[object, int] = {}
        self._seen: dict[tuple[str, bytes], dict[str, np.ndarray]] = {}  # what was not touched is the same in many
        self._factors = np.random.default_rng(0).integers(0, 2**63, RUN, np.uint64) * np.uint64(2) + np.uint64(1)

    def prints(self, handed_in: Submission) -> dict[str, np.ndarray]:
        """The prints of each function of a submission, or of the other functions of a module together."""
        found: dict[str, np.ndarray] = {}
        for name, module in handed_in.modules.items():
            if name not in kit.GIVEN:
                found |= self._of_module(name, module)
        return found

    def _of_module(self, name: str, module: Module) -> dict[str, np.ndarray]:
        key = (name, hashlib.sha256(module.text.encode(errors="surrogatepass")).digest())
        if key not in self._seen:
            parts: dict[str, list[np.ndarray]] = {}
            for node in _body(module.text):
                if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
                    own = f"{name}.{node.name}"
                    parts.setdefault(own if own in self._functions else name, []).append(self._of_function(node))
            self._seen[key] = {unit: np.unique(np.concatenate(values))[:LONGEST] for unit, values in parts.items()}
        return self._seen[key]

    def _of_function(self, function: ast.FunctionDef | ast.ClassDef) -> np.ndarray:
        labels = np.array([self._number(label) for label in _labels(function)], np.uint64)
        if len(labels) < RUN:
            return np.empty(0, np.uint64)
        return (sliding_window_view(labels, RUN) * self._factors).sum(axis=1, dtype=np.uint64)

    def _number(self, label: object) -> int:
        """A large number for a label, so that sums of products tell sequences apart."""
        return self._numbers.setdefault(label, (len(self._numbers) + 1) * 0x9E3779B97F4A7C15 % 2**64)


def _body(text: str) -> list[ast.stmt]:
    """What a module consists of; nothing where it cannot be parsed. Its tree is not kept: a thousand take gigabytes."""
    try:
        return ast.parse(text).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return []


def _labels(function: ast.FunctionDef | ast.ClassDef) -> Iterator[object]:
    """The nodes of a function's body in the order of its text, as what nobody can rename."""
    names = (node for node in ast.walk(function) if isinstance(node, ast.Name))
    used = {node.id for node in names if isinstance(node.ctx, ast.Load)}
    waiting = _children(function, used, ("body",))
    while waiting:
        node = waiting.pop()
        match node:
            case ast.Attribute(attr=name) | ast.keyword(arg=name):
                yield name
            case ast.Constant(value=value) if not isinstance(value, (int, float, complex)) or isinstance(value, bool):
                yield type(value)
            case ast.AnnAssign():
                yield ast.Assign
            case _:
                yield type(node)
        waiting += _children(node, used, node._fields)


def _children(node: ast.AST, used: set[str], fields: Iterable[str]) -> list[ast.AST]:
    """The nodes below, the last first, without annotations and without what does nothing."""
    found: list[ast.AST] = []
    for field in fields:
        value = getattr(node, field, None)
        if isinstance(value, list):
            found += [child for child in value if isinstance(child, ast.AST) and not _is_idle(child, used)]
        elif isinstance(value, ast.AST) and field not in ("ctx", "annotation", "returns"):
            found.append(value)
    return found[::-1]


def _is_idle(node: ast.AST, used: set[str]) -> bool:
    """Whether a node is a statement that does nothing: a docstring, `pass`, a number for a name that nothing reads."""
    match node:
        case ast.Pass() | ast.Expr(value=ast.Constant() | ast.Name()):
            return True
        case ast.Assign(targets=[ast.Name(id=name)], value=ast.Constant()):
            return name not in used
    return False


# --- pairs ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Alike:
    """The pairs whose functions of one name are alike.

    Parameters
    ----------
    ones, others : the authors of each pair, the smaller number first
    weights : of what each pair has in common
    bits : what it tells that a pair is among these, from how many other pairs are
    """

    ones: np.ndarray
    others: np.ndarray
    weights: np.ndarray
    bits: float


class _Class:
    """What is known of all pairs of a class: the weight of what they have in common, and what each of them has."""

    def __init__(self, names: Sequence[str]):
        self.names = names
        self.weight = np.zeros((len(names), len(names)))
        self.own = np.zeros(len(names))
        self.alike: dict[str, _Alike] = {}

    def add(self, unit: str, prints: Mapping[int, np.ndarray], common: set[int]) -> None:
        """Take in one function: the prints of those who wrote it."""
        size, authors = len(prints), np.array(list(prints))
        rows = np.repeat(np.arange(size), [len(values) for values in prints.values()])
        values, columns, counts = np.unique(
            np.concatenate(list(prints.values())), return_inverse=True, return_counts=True
        )
        weights = np.log2((size + PRIOR_AUTHORS) / (counts + PRIOR_AUTHORS * PRIOR_SHARE)).clip(0)
        weights[[value in common for value in values.tolist()]] = 0
        weight = _in_common(rows, columns, np.where(counts > 1, weights, 0), size)
        own = np.bincount(rows, weights[columns], size)
        self.weight[np.ix_(authors, authors)] += weight
        self.own[authors] += own
        telling = np.bincount(rows, weights[columns] > 0, size) >= LONG_ENOUGH
        alike = (_share(weight, own) >= ALIKE) & np.logical_and.outer(telling, telling)
        ones, others = np.nonzero(np.triu(alike, 1))
        chance = (max(len(ones) - 1, 0) + PRIOR_PAIRS * PRIOR_ALIKE) / (max(_pairs_of(size) - 1, 0) + PRIOR_PAIRS)
        self.alike[unit] = _Alike(authors[ones], authors[others], weight[ones, others], max(-math.log2(chance), 0.0))

    def listed(self) -> list[Pair]:
        """The pairs that agree in too many functions, or in too much of everything."""
        size = len(self.names)
        bits = np.zeros((size, size))
        for one in self.alike.values():
            bits[one.ones, one.others] += one.bits
        among = max(_pairs_of(size), 1)
        share = _share(self.weight, self.own)
        seen = np.concatenate([share[np.triu_indices(size, 1)], PRIOR_SHARES])
        middle = np.median(seen)
        deviation = 1.4826 * np.median(np.abs(seen - middle))  # of a normal distribution, whatever its few outliers are
        near = max(NEAR, middle + deviation * (math.sqrt(2 * math.log(among)) + MARGIN_DEVIATIONS))
        many = bits >= _enough(math.log2(among), [one.bits for one in self.alike.values()])
        much = (share >= near) & (self.weight >= WEIGHT)
        found = [
            Pair(self.names[one], self.names[other], round(float(share[one, other]), 4), self._functions(one, other))
            for one, other in np.argwhere(np.triu(many | much, 1)).tolist()
        ]
        return sorted(found, key=lambda pair: (-pair.share, pair.one, pair.other))

    def _functions(self, one: int, other: int) -> tuple[str, ...]:
        """The functions in which two are alike, those first that have most in common."""
        told: dict[str, float] = {}
        for unit, alike in self.alike.items():
            for weight in alike.weights[(alike.ones == one) & (alike.others == other)]:
                told[unit] = float(weight)
        return tuple(sorted(told, key=lambda unit: -told[unit]))


def _enough(among: float, bits: Sequence[float]) -> float:
    """How many bits no pair of 2**among has by chance, if each function is alike with a chance of 2**-bits.

    Chernoff's bound: log2 P(sum >= x) <= sum log2(1 - p + p 2**(s bits)) - s x, for every s > 0; the best is taken.
    """
    slopes = np.linspace(0.2, 1.5, 27)
    chance = 2.0 ** -np.array(bits)
    sums = np.log2(1 - chance + chance * 2.0 ** np.outer(slopes, bits)).sum(axis=1)
    return float(((among + MARGIN_BITS + sums) / slopes).min())


def _in_common(rows: np.ndarray, columns: np.ndarray, weights: np.ndarray, size: int) -> np.ndarray:
    """The weight of the columns that each two of `size` rows share; a row has a column where both are listed."""
    total = np.zeros((size, size), np.float32)
    telling = np.flatnonzero(weights)
    place = np.full(len(weights), -1)
    place[telling] = np.arange(len(telling))
    for start in range(0, len(telling), BLOCK):
        inside = (place[columns] >= start) & (place[columns] < start + BLOCK)
        present = np.zeros((size, BLOCK), np.float32)
        present[rows[inside], place[columns[inside]] - start] = 1
        part = np.zeros(BLOCK, np.float32)
        part[: len(telling[start : start + BLOCK])] = weights[telling[start : start + BLOCK]]
        total += (present * part) @ present.T
    return total


def _pairs_of(size: int) -> float:
    return size * (size - 1) / 2


def _share(weight: np.ndarray, own: np.ndarray) -> np.ndarray:
    """Of the smaller of two, the share that both have."""
    smaller = np.minimum.outer(own, own)
    return np.divide(weight, smaller, out=np.zeros(weight.shape), where=smaller > 0)

"""What is asked: chapters, exercises, cases and known mistakes. Plain data, no engine in it.

A chapter file under `grader/chapters` (or `grader/projects`) declares its exercises once; pytest, `kata`,
the class grader and the author's lint all read the same declaration.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from grader.draw import Draw
from grader.speed import FULL, Speed
from grader.tolerance import FLOAT32, Tolerance

CaseMaker = Callable[[Draw], Iterable["Case"]]
Objective = Callable[..., tuple[Callable[..., float], dict[str, Any]]]

# For `Exercise.forbids`, where the student writes the matrix product, or what is made of one.
MATRIX_PRODUCTS = (
    *("@", "dot", "matmul", "vdot", "vecdot", "matvec", "vecmat", "multi_dot", "matrix_power"),
    *("inner", "outer", "einsum", "tensordot", "kron", "convolve", "correlate"),
)


@dataclass(frozen=True)
class Launch:
    """How a kernel is started, as `kernel[grid, block, stream, shared]` has it.

    Parameters
    ----------
    grid : blocks in each direction, x first
    block : threads of a block in each direction, x first
    shared : bytes of dynamic shared memory, what `cuda.shared.array(0, …)` is made of
    """

    grid: tuple[int, ...]
    block: tuple[int, ...]
    shared: int = 0


# How much a kernel may ask of an argument: a number, or how to tell it from the case's arguments.
Budget = float | Callable[..., float]


class Case:
    """One call of the student's function.

    Parameters
    ----------
    rationale : what this case is about; the student reads it, also for hidden cases
    hidden : true for a case the student never sees; only its rationale is ever shown
    large : true for a case that is worth running compiled only (races show at 64 and more)
    expected : the answer, where it is recorded rather than computed by the solution
    select : what part of an answer is compared, e.g. a few probes of a large weight matrix
    seconds : wall-clock limit of the call; None for the engine's own
    launch : how the kernel is started, where the function is one
    arguments : the call's arguments by name, in the order of the signature
    """

    def __init__(
        self,
        rationale: str,
        /,
        *,
        hidden: bool = False,
        large: bool = False,
        expected: Any = None,
        select: Callable[[Any], Any] | None = None,
        seconds: float | None = None,
        launch: Launch | None = None,
        **arguments: Any,
    ):
        self.rationale = rationale
        self.hidden = hidden
        self.large = large
        self.expected = expected
        self.select = select
        self.seconds = seconds
        self.launch = launch
        self.arguments = arguments

    def __repr__(self) -> str:
        return f"Case({self.rationale!r}{', hidden' if self.hidden else ''})"


@dataclass(frozen=True)
class Mistake:
    """A small wrong implementation: `belief` says in words what its author believed, and what is right."""

    belief: str
    function: Callable[..., Any]

    @property
    def name(self) -> str:
        return self.function.__name__


@dataclass(eq=False)
class Exercise:
    """One function to write.

    Parameters
    ----------
    module : the module it lives in, relative to `exercises/`, e.g. "ch03_activations" or "projects.mnist_mlp"
    name : the function
    points : what it is worth
    returns : the names of what it returns, as messages use them; empty for a function that only works in place
    changes : the arguments that it updates in place; their values after the call count as part of the answer
    compiled : whether numba must compile it in nopython mode
    requires : ids of the exercises that it calls
    tolerance : how far an answer may be off
    few_mistakes : why fewer than three known mistakes are plausible, where that is so
    whole : true for a whole-network task: its small cases run interpreted, all of them as the student wrote it
    forbids : what the function and all it calls may not use, because it is what the student is to write: names of
        NumPy's functions, and "@"
    cuda : "kernel" for a kernel that the grader launches, "host" for plain Python that gets its arrays on the device
        and launches kernels itself; "" for everything else
    reads : how often a kernel may load each element of an argument from global memory, on average over the elements
    writes : the same for stores
    sectors : how many 32-byte pieces of memory the warps may ask for, as a multiple of the fewest that could hold what
        they load and store of an argument: 1 is perfectly coalesced, 8 is one float32 in each
    copies : how many copies between host and device a "host" function may make
    """

    module: str
    name: str
    points: float = 1.0
    returns: tuple[str, ...] = ("result",)
    changes: tuple[str, ...] = ()
    compiled: bool = True
    requires: tuple[str, ...] = ()
    tolerance: Tolerance = FLOAT32
    few_mistakes: str = ""
    whole: bool = False
    forbids: tuple[str, ...] = ()
    cuda: str = ""
    reads: Mapping[str, Budget] = field(default_factory=dict)
    writes: Mapping[str, Budget] = field(default_factory=dict)
    sectors: Mapping[str, Budget] = field(default_factory=dict)
    copies: int = 0
    mistakes: list[Mistake] = field(default_factory=list)
    make_cases: CaseMaker | None = None
    twin: Callable[..., Any] | None = None
    make_objective: Objective | None = None
    speed: Speed | None = None

    @property
    def id(self) -> str:
        return f"{self.module}.{self.name}"

    def cases(self, make: CaseMaker) -> CaseMaker:
        """Decorator: the generator of this exercise's cases, given a seeded `Draw`."""
        self.make_cases = make
        return make

    def mistake(self, belief: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        """Decorator: a known wrong implementation, with what its author believed."""

        def keep(function: Callable[..., Any]) -> Callable[..., Any]:
            self.mistakes.append(Mistake(belief, function))
            return function

        return keep

    def keras_twin(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Decorator: the same computed by Keras; first argument is a `grader.keras_twin.Keras`."""
        self.twin = function
        return function

    def objective(self, function: Objective) -> Objective:
        """Decorator: the scalar whose gradient is asked, as `(function, {returned name: point})` in float64."""
        self.make_objective = function
        return function

    def timed(self, floor: float, full: float = FULL) -> Callable[[Callable[[Draw], Case]], Callable[[Draw], Case]]:
        """Decorator: a large case, fresh for every timed call; the points grow with the speed, see `Speed`."""

        def keep(make: Callable[[Draw], Case]) -> Callable[[Draw], Case]:
            self.speed = Speed(make, floor, full)
            return make

        return keep

    @functools.cached_property
    def parameters(self) -> tuple[str, ...]:
        """The argument names of the signature, as its cases spell them."""
        return tuple(self.public_cases()[0].arguments)

    @functools.cache  # noqa: B019 (exercises live as long as the process)
    def public_cases(self) -> list[Case]:
        """The cases that a student sees; the same for everybody."""
        return [case for case in self._draw_cases("public") if not case.hidden]

    @functools.cache  # noqa: B019
    def hidden_cases(self, secret: str) -> list[Case]:
        """The hidden cases, and the public ones drawn anew from the course's secret.

        A public case that draws nothing would be the same again and is left out.
        """
        shown = {_fingerprint(case) for case in self.public_cases()}
        hidden = []
        for case in self._draw_cases(f"hidden {secret}"):
            if case.hidden or _fingerprint(case) not in shown:
                case.hidden = True
                hidden.append(case)
        return hidden

    def _draw_cases(self, seed: str) -> list[Case]:
        if self.make_cases is None:
            raise LookupError(f"{self.id} declares no cases: add a function under @{self.name}.cases")
        return list(self.make_cases(Draw(f"{seed} {self.id}")))


class Chapter:
    """A module of exercises, in the order in which they are taught."""

    def __init__(self, module: str, title: str):
        self.module = module
        self.title = title
        self.exercises: list[Exercise] = []

    def exercise(self, name: str, **facts: Any) -> Exercise:
        """Declare one exercise of this chapter; `facts` are the fields of `Exercise`.

        `returns` and `changes` may be a single name; a prerequisite without a dot belongs to this chapter.
        """
        for names in ("returns", "changes"):
            if isinstance(facts.get(names), str):
                facts[names] = (facts[names],)
        facts["requires"] = tuple(
            other if "." in other else f"{self.module}.{other}" for other in facts.pop("requires", ())
        )
        exercise = Exercise(self.module, name, **facts)
        self.exercises.append(exercise)
        return exercise

    def kernel(self, name: str, **facts: Any) -> Exercise:
        """Declare a CUDA kernel; its cases bring a `launch`, and what it computes are the arguments it `changes`."""
        return self.exercise(name, cuda="kernel", compiled=False, returns=(), **facts)


def _fingerprint(case: Case) -> tuple[Any, ...]:
    """Equal for equal arguments and launches; arrays count by dtype, shape and content."""
    return (case.launch, *((name, _freeze(value)) for name, value in case.arguments.items()))


def _freeze(value: Any) -> Any:
    if hasattr(value, "tobytes"):
        return (str(value.dtype), value.shape, value.tobytes())
    if isinstance(value, (tuple, list)):
        return tuple(_freeze(item) for item in value)
    if isinstance(value, dict):
        return tuple((key, _freeze(item)) for key, item in value.items())
    return value

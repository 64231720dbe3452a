"""What went wrong, in plain words: exceptions, compile errors, hangs and crashes. One place for every such sentence."""

from __future__ import annotations

import re
import signal
import traceback
from pathlib import Path
from typing import Any

import numpy as np

from grader import kernel_words
from grader.exercise import Exercise
from grader.result import BLOCKED, COMPILE_ERROR, CRASHED, ERROR, TIMEOUT, TODO, VIOLATION
from grader.rules import Breach
from grader.worker.answer import (
    Answer,
    Collision,
    Died,
    Finding,
    Frame,
    Garbled,
    Missing,
    NotCompiled,
    Raised,
    TimedOut,
)
from grader.worker.guest.limits import MEMORY

HIDDEN_HELP = "Which inputs does the docstring allow that the public cases do not try? Test them by hand."
KILLED_HELP = "Too much memory, CPU time or data on disk ends a process so: is a shape wrong, or a loop too long?"
EXPLAINED_EXCEPTIONS = {
    "IndexError": "Which index leaves the array? Check the loop's bounds against the shape.",
    "ZeroDivisionError": "What if the divisor is zero: an empty array, or a sum of zeros?",
    "RecursionError": "The function calls itself without end.",
    "MemoryError": f"It asked for more memory than a process may have ({MEMORY >> 30} GB): is a shape wrong?",
    "NameError": "Is it spelled as it was defined, and imported at the top of the file?",
    "UnboundLocalError": "It is read before it was given a value.",
    "KeyError": "The dict has no such key: is it spelled right, and always there? d.get(key, default) has a default.",
    "UFuncTypeError": "x /= … keeps the dtype of x, and changes x itself: write x = x / …, which makes a new array.",
    "AttributeError": "Is it spelled as NumPy spells it?",
    "ValueError": "Print the shapes above that line: axis by axis they must be equal, or one of them 1.",
    "TypeError": "Print the types above that line: which of them is not what you think?",
    "SystemExit": "Do not end the program: return the result.",
    "KeyboardInterrupt": "Do not interrupt the program: return the result.",
}


def explain(exercise: Exercise, answer: Answer) -> tuple[str, str, str]:
    """Status, message and advice for a call that did not come back with a value."""
    name = exercise.name
    match answer:
        case Missing():
            return ERROR, f"{name}: the function is not there.", f"`kata reset {name}` brings its stub back."
        case NotCompiled() if exercise.cuda:
            return COMPILE_ERROR, *kernel_words.finding(exercise, Finding("no-kernel"))
        case NotCompiled():
            return (
                COMPILE_ERROR,
                f"{name}: it is plain Python, and numba must compile it.",
                "Put @njit above the def, as the stub has it, and do not wrap it in another function.",
            )
        case TimedOut():
            return TIMEOUT, *_timeout(name, answer)
        case Died():
            return CRASHED, *_death(name, answer)
        case Garbled(_, what):
            return VIOLATION, f"{name}: what came back was {what}.", "Return plain arrays and numbers, nothing else."
        case Raised() if exercise.cuda and (failure := kernel_words.device_failure(exercise, answer)):
            return ERROR, *failure
        case Raised(finding=Finding()):
            return kernel_words.explain(exercise, answer)
        case Raised("load"):
            return ERROR, *_import_failure(name, answer)
        case Raised("compile"):
            return COMPILE_ERROR, *_compile_failure(name, answer)
        case Raised():
            return ERROR, *_exception(name, answer)
    raise TypeError(f"{answer!r} came back")


def missing_module(exercise: Exercise) -> tuple[str, str, str]:
    """For a chapter that a submission does not have."""
    path = exercise.module.replace(".", "/") + ".py"
    return TODO, f"{exercise.name}: {path} is not in the submission.", "Hand in the whole folder."


def missing_function(exercise: Exercise, path: str) -> tuple[str, str, str]:
    """For a stub that was deleted or renamed."""
    return (
        ERROR,
        f"{exercise.name}: {path} has no function of that name.",
        f"Was it renamed or deleted? `kata reset {exercise.name}` brings the stub back.",
    )


def wrong_parameters(exercise: Exercise, path: str, line: int, found: list[str]) -> tuple[str, str, str]:
    """For a signature that differs from the contract."""
    return (
        ERROR,
        f"{exercise.name}: its arguments are ({', '.join(found)}), asked for is ({', '.join(exercise.parameters)}) "
        f"({path}, line {line}).",
        "Keep the stub's signature: names and order.",
    )


def breach(exercise: Exercise, found: Breach) -> tuple[str, str, str]:
    """For code that breaks a rule, whatever it computes."""
    message = f"{exercise.name}: {found.path}, line {found.line} {found.what} (rule: {found.rule})."
    return VIOLATION, message, found.action


def syntax_error(exercise: Exercise, path: str, line: int, message: str, source: str) -> tuple[str, str, str]:
    """For a module, or a notebook's cell, that Python cannot read."""
    shown = f": `{source}`" if source else ""
    what = "cell" if path.endswith(".ipynb") else "file"
    return (
        ERROR,
        f"{exercise.name}: {path}, line {line}: {message}{shown}.",
        f"Python cannot read the {what}; mend this line first, then all its exercises are checked.",
    )


def blocked(exercise: Exercise, culprits: list[str], why: str) -> tuple[str, str, str]:
    """For a function that fails while one that it calls fails too."""
    names = " and ".join(culprits)
    return BLOCKED, f"{exercise.name}: it calls {names}, which {why}.", f"Mend {names} first, then check again."


def race(exercise: Exercise, collision: Collision | None = None) -> tuple[str, str]:
    """For a parallel function whose answer is right only as long as it runs in one thread."""
    if collision is not None:
        one, other = collision.iterations
        index = ", ".join(str(i) for i in collision.index)
        text = f"iterations {one} and {other} of prange both write {collision.array}[{index}]"
    else:
        text = "as you wrote it, in parallel, the result is wrong; compiled without threads it is right"
    return (
        f"{exercise.name}: {text}.",
        "Two iterations of prange write to the same element. Let each own what it writes, or use range there.",
    )


def speed(exercise: Exercise, ratio: float, score: float) -> tuple[str, str]:
    """For a right answer whose points grow with its speed."""
    fast = f"{ratio:.2g} times as fast as the solution" if ratio >= 1 else f"{ratio:.0%} of the solution's speed"
    message = f"{exercise.name}: right, at {fast}: {score:g} of {exercise.points:g} points."
    if score >= exercise.points:
        return message, ""
    assert exercise.speed is not None
    return message, f"All points from {exercise.speed.full:.0%} on: which step of the docstring's ladder is missing?"


def untimed(exercise: Exercise, score: float) -> tuple[str, str]:
    """For a right answer whose speed the kit failed to measure."""
    message = f"{exercise.name}: right, but it could not be timed: {score:g} of {exercise.points:g} points so far."
    return message, "That is a fault of the kit, not yours. Check it again; report it if it stays."


def foreign_randomness(source: str) -> str:
    """Advice for wrong numbers from a function that is given its randomness and takes it from elsewhere."""
    return f"np.random is another generator than {source}. Draw from the argument: then the same seed gives the same."


def added_to_empty(name: str) -> str:
    """Advice for wrong numbers from a function that adds to an array which began as np.empty."""
    return f"{name} begins as np.empty: with whatever lay in memory. To add to it, begin with np.zeros."


def hidden_failure(exercise: Exercise, rationale: str, status: str) -> str:
    """The message for a hidden case: its rationale, never its inputs or numbers."""
    became = {
        ERROR: "raises an exception",
        TIMEOUT: "does not end",
        CRASHED: "crashes",
        COMPILE_ERROR: "does not compile",
        VIOLATION: "gives no valid answer",
    }.get(status, "is wrong")
    return f"{exercise.name}: public cases pass; it {became} on a hidden one ({rationale})."


def fault(exercise: Exercise, error: Exception) -> tuple[str, str, str]:
    """For an answer on which the kit itself fails."""
    return (
        ERROR,
        f"{exercise.name}: the grader could not judge the answer ({type(error).__name__}).",
        "Show it to your instructor: this is a defect of the kit, or something that it cannot do here.",
    )


def origin(error: Exception) -> str:
    """What a failure of the kit was and where, in one line."""
    frames = traceback.extract_tb(error.__traceback__)
    place = f" ({Path(frames[-1].filename).name}, line {frames[-1].lineno})" if frames else ""
    return f"{type(error).__name__}: {_first_line(str(error))}{place}"


def describe_parts(value: Any) -> str:
    """The shape of an answer, for a message."""
    if isinstance(value, tuple):
        return f"a tuple of {len(value)}"
    return f"an array of shape {value.shape}" if isinstance(value, np.ndarray) else f"a {type(value).__name__}"


def _timeout(name: str, answer: TimedOut) -> tuple[str, str]:
    if answer.step == "exercise":
        return f"{name}: its cases together took more than {answer.seconds:g} s.", "Is a loop longer than it must be?"
    if answer.step == "load":
        return f"{name}: importing its module did not end.", "Keep the top of the file to imports and constants."
    if answer.step == "compile":
        return f"{name}: compiling took more than {answer.seconds:g} s.", "Split the function into smaller ones."
    where = f" It was at {_place(answer.frame)}." if answer.frame else ""
    return f"{name}: still running after {answer.seconds:g} s.{where}", "Does the loop's condition ever become false?"


def _death(name: str, answer: Died) -> tuple[str, str]:
    during = {"load": "while its module was imported", "compile": "while it was compiled"}.get(answer.step, "")
    if answer.how in (-signal.SIGSEGV, -getattr(signal, "SIGBUS", signal.SIGSEGV)):
        return (
            f"{name}: it crashed {during or 'on memory that is not its own'} (segmentation fault).",
            "An index leaves its array, or a pointer was forged: check the bounds.",
        )
    if answer.how < 0:
        return f"{name}: its process was killed {during}".rstrip() + f" (signal {-answer.how}).", KILLED_HELP
    return (
        f"{name}: its process ended {during or 'in the middle of the call'} (exit code {answer.how}).",
        "Return the result; do not call os._exit.",
    )


def _import_failure(name: str, answer: Raised) -> tuple[str, str]:
    place = f" ({_place(answer.frames[-1])})" if answer.frames else ""
    if answer.error == "ModuleNotFoundError":
        missing = re.search(r"'([^']+)'", answer.message)
        module = missing.group(1).removeprefix("exercises.") if missing else "another module"
        action = "Hand in the whole folder." if "exercises." in answer.message else "Only numpy and numba are there."
        return f"{name}: its module imports {module}, which is not there{place}.", action
    message = f"{name}: its module cannot be imported: {answer.error}: {_first_line(answer.message)}{place}."
    return message, "Mend that line first; every exercise of the file waits for it."


def _exception(name: str, answer: Raised) -> tuple[str, str]:
    frame = answer.frames[-1] if answer.frames else None
    place = f" at {_place(frame)}" if frame else ""
    if answer.error == "Unsendable":
        return f"{name}: it returned {answer.message}.", "Return what the docstring lists, no other kind of value."
    if answer.error == "TypeError" and not answer.frames and "argument" in answer.message:
        return f"{name}: {_first_line(answer.message)}.", "Keep the stub's signature: names and order."
    if answer.error == "TypeError" and re.search(r"\(\) (missing|takes|got)", answer.message):
        advice = "Compare this call with the function's def: how many arguments, in which order, of which names?"
        return f"{name}: {answer.error}{place}: {_first_line(answer.message)}", advice
    if answer.error == "NotImplementedError":
        return f"{name}: it calls {_first_line(answer.message)}, which is not written yet.", "Write that one first."
    advice = next((EXPLAINED_EXCEPTIONS[k] for k in (answer.error, *answer.kinds) if k in EXPLAINED_EXCEPTIONS), "")
    return f"{name}: {answer.error}{place}: {_first_line(answer.message)}", advice


def _compile_failure(name: str, answer: Raised) -> tuple[str, str]:
    """numba's long reports, cut to the sentence that matters and the student's line."""
    text = answer.message
    lines = re.findall(r'File "([^"]+)", line (\d+)', text)
    place = f" ({lines[-1][0]}, line {lines[-1][1]})" if lines else ""
    for pattern, message, advice in _COMPILE_WORDS:
        found = re.search(pattern, text)
        if found:
            return f"{name}: {message.format(*filter(None, found.groups()))}{place}.", advice
    reason = next((line.strip() for line in text.splitlines() if line.strip() and "Failed in" not in line), text)
    return f"{name}: numba cannot compile it: {reason[:200]}{place}.", "Does it run with plain loops and arrays?"


_COMPILE_WORDS = (
    (
        r"Function\(<function (shared|local)\.array",
        "the shape of a {0} array is not constant",
        "Write numbers, or names that the module gives to numbers: what is computed in place is not constant.",
    ),
    (
        r"Invalid use of BoundFunction\(array\.astype for [^\n]*?<class '(\w+)'>",
        "numba's astype does not know Python's {0}",
        "Give it NumPy's type, e.g. astype(np.int64) or astype(np.float32).",
    ),
    (
        r"Invalid use of BoundFunction\(array\.(\w+) for",
        "numba's {0} of an array does not take these arguments",
        "Check their types and keywords (axis= and keepdims= are often not there): write that step as a loop.",
    ),
    (
        r"NameError: name '(\w+)' is not defined|Untyped global name '(\w+)': Cannot determine",
        "numba does not know the name {0}",
        "Is it defined in this file or imported above, and is it decorated with @njit itself?",
    ),
    (
        r"Untyped global name '(\w+)'",
        "numba cannot use the global {0}",
        "Only numbers, arrays and functions with @njit may be used from outside.",
    ),
    (
        r"Cannot unify ([^\n]{1,60}?) and ([^\n]{1,60}?) for '([^'.]+)",
        "the variable {2} is {0} in one place and {1} in another",
        "Give a variable one type throughout: start sums with np.float32(0), and do not reuse a name.",
    ),
    (
        r"Unknown attribute '([^']+)' of type ([^\n]{1,60})",
        "numba knows no {0} on {1}",
        "Not all of NumPy is there: write that step as a loop.",
    ),
    (
        r"No implementation of function Function\(<(?:built-in |class )*(?:function |ufunc )?'?"
        r"(?:array_|np_)?([\w.]+)[^>]*>\)",
        "numba has no version of {0} for these arguments",
        "Check the arguments' types and keywords (axis= and keepdims= are often not there): write that step as a loop.",
    ),
    (
        r"Cannot determine Numba type of <class '([^']+)'>",
        "numba cannot handle a {0} here",
        "Pass arrays, numbers and tuples only.",
    ),
    (r"(Type of variable '[^']+' cannot be determined)", "{0}", "Is it given a value on every path?"),
)


def _place(frame: Frame | None) -> str:
    if frame is None:
        return ""
    source = f": `{frame.source[:100]}`" if frame.source else ""
    return f"{frame.path}, line {frame.line}{source}"


def _first_line(text: str) -> str:
    return text.strip().partition("\n")[0][:300]

"""What is wrong with a CUDA kernel, in plain words: what a simulated device found, budgets, levels, compilers, devices.

A finding's `kind` is the key of `FINDINGS`, its facts fill in the sentences.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from grader.exercise import Exercise
from grader.result import ERROR, FAILED
from grader.worker.answer import ArrayTraffic, Assembled, Finding, Raised

WRONG_WHATEVER_THE_NUMBERS = ("race", "canary", "alone")

# kind -> the defect, the action.
FINDINGS: Mapping[str, tuple[str, str]] = {
    "range": (
        "thread {thread} of block {block} asks for {array}[{index}], which has the shape {shape}",
        "There are often more threads than elements: guard the access with `if i < n:`. Or is an axis mixed up?",
    ),
    "tile": (
        "thread {thread} of block {block} asks for {array}[{index}], and the {space} array has the shape {shape}",
        "It is too small for this block, or the indices are those of the whole matrix and not of the tile.",
    ),
    "negative": (
        "thread {thread} of block {block} asks for {array}[{index}], which lies before its beginning",
        "numba counts from the end, CUDA C leaves the array, and neither is meant: guard it, `if i >= 0:`.",
    ),
    "fraction": (
        "{array}[{index}] has an index that is no whole number",
        "`/` gives a fraction: divide indices with `//`.",
    ),
    "dimensions": (
        "{array}[{index}] has {axis} indices, and the shape is {shape}",
        "As many indices as the array has axes.",
    ),
    "whole": (
        "{array} is used as a whole where a kernel has single elements only",
        "Each thread reads and writes elements: {array}[i], with numbers for all axes.",
    ),
    "attribute": (
        "a kernel's array {array} has no {name}",
        "There is its shape, size, ndim and dtype; everything else is a loop over elements.",
    ),
    "divergence": (
        "{waiting} of block {block} wait at {call}, line {line}, and the rest of the block never comes there{where}",
        "All threads of a block must reach the same {call}: take it out of the `if` or loop that only some enter, and "
        "let no thread return before it.",
    ),
    "mask": (
        "lane {lane} calls {call} with the mask {mask}, which leaves it out",
        "The mask names all lanes that take part, with one bit each: 0xffffffff for the whole warp.",
    ),
    "race": (
        "a race on {array}[{index}]: {one} {one_verb} it (line {one_line}), {other} {other_verb} it (line "
        "{other_line}), and nothing says who comes first",
        "",
    ),
    "canary": (
        "something was written beside {array}",
        "An index leaves the array: guard it against the shape.",
    ),
    "alone": (
        "of {threads} threads, thread {thread} of block {block} does all the work on {array}; the others have nothing "
        "to do",
        "Share the elements out: each thread computes those of its own index, such as cuda.grid(1).",
    ),
    "shared": (
        "its shared arrays take {asked} bytes, and a block has {most}",
        "Make the tile smaller.",
    ),
    "launch": (
        "it is launched with a {what} of {dims}",
        "A grid has at least one block, and a block between 1 and 1024 threads in all.",
    ),
    "host": (
        "it asks a device array for {what}, which only the host's arrays have",
        "Launch a kernel that does it: nothing else computes on a device.",
    ),
    "no-kernel": (
        "it is no kernel",
        "Put @cuda.jit above the def, as the stub has it.",
    ),
    "no-launch": (
        "the kernel {name} is called without a launch",
        "Say how many blocks of how many threads: {name}[blocks, threads](…).",
    ),
    "device-function": (
        "{name} is a device function, and is called from the host",
        "Only kernels call it. A kernel is @cuda.jit without device=True.",
    ),
}

RACES = {
    "global-blocks": "Blocks run in any order, and none waits for another. Let each block write what is its own, use "
    "cuda.atomic, or do the second step in a kernel of its own, not in the block that a ticket makes the last one.",
    "global": "Two threads of a block meet there. Let each own what it writes, use cuda.atomic.add for a sum of many, "
    "or put cuda.syncthreads() between the two steps.",
    "shared": "Put cuda.syncthreads() between filling a tile and reading it, and again before it is filled anew.",
}
UNWRITTEN = (
    "{array}[{index}], read in line {line} by thread {thread} of block {block}, was never written: shared memory "
    "begins with whatever lies there. Is a part of the tile not filled, or a cuda.syncthreads() missing?"
)
ORDER_HELP = "With the threads in their natural order it is right. Nobody promises that order: what depends on it?"


def explain(exercise: Exercise, answer: Raised) -> tuple[str, str, str]:
    """Status, message and advice for what a simulated device refused to go on with."""
    assert answer.finding is not None
    message, advice = finding(exercise, answer.finding)
    frame = answer.frames[-1] if answer.frames else None
    if frame is not None and "line" not in answer.finding.facts:
        message = message.removesuffix(".") + f" ({frame.path}, line {frame.line}: `{frame.source[:100]}`)."
    return (FAILED if answer.finding.kind == "divergence" else ERROR), message, advice


def finding(exercise: Exercise, found: Finding) -> tuple[str, str]:
    """The defect and the action."""
    facts = {name: str(value) for name, value in found.facts.items()}
    kind = "tile" if found.kind == "range" and facts.get("space") in ("shared", "local") else found.kind
    defect, action = FINDINGS.get(kind, ("the simulated device stopped it ({kind})", ""))
    if kind == "race":
        action = _race(facts)
    if kind == "divergence":
        facts["where"] = _where(facts)
    known = _Known({"kind": kind, **facts})
    return f"{exercise.name}: {defect.format_map(known)}.", action.format_map(known)


def unsettled(found: Finding | None) -> str:
    """Advice for wrong numbers from shared memory that nobody wrote, or from an order that nobody promised."""
    if found is None:
        return ORDER_HELP
    return UNWRITTEN.format_map(_Known({name: str(value) for name, value in found.facts.items()}))


class _Known(dict[str, str]):
    """Facts; a guest that leaves one out gets a gap instead of stopping the grader."""

    def __missing__(self, name: str) -> str:
        return "…"


def _race(facts: dict[str, str]) -> str:
    """Name both threads, and choose the advice."""
    same_block = facts.get("same_block") == "1"
    for side in ("one", "other"):
        block = "" if same_block else f" of block {facts.get(f'{side}_block')}"
        facts[side] = f"thread {facts.get(f'{side}_thread')}{block}"
        if facts.get(f"{side}_verb") == "updates":
            facts[f"{side}_verb"] = "atomically updates"
    if facts.get("space") == "shared":
        return RACES["shared"]
    return RACES["global" if same_block else "global-blocks"]


def _where(facts: dict[str, str]) -> str:
    """Where the others are."""
    pieces = [f"{facts['ended']} ended before"] if facts.get("ended") else []
    pieces += [f"{facts['elsewhere']} instead"] if facts.get("elsewhere") else []
    return f": {'; '.join(pieces)}" if pieces else ""


# --- budgets --------------------------------------------------------------------------------------------------------


def over_budget(exercise: Exercise, row: ArrayTraffic, what: str, actual: float, allowed: float) -> tuple[str, str]:
    """For a kernel that asks too much of memory."""
    if what == "sectors":
        return (
            f"{exercise.name}: a warp's accesses to {row.array} are scattered: {actual:.1f} times the memory they need "
            f"is moved; at most {allowed:g} times is asked for.",
            "Let neighbouring threads (threadIdx.x) touch neighbouring elements: the last axis of the array.",
        )
    verb, noun = ("read", "load") if what == "reads" else ("written", "store")
    return (
        f"{exercise.name}: {row.array} is {verb} {actual:.3g} times per element; {allowed:.3g} is enough.",
        f"Every {noun} goes to global memory: keep the value in a variable, or a tile in shared memory.",
    )


def copies(exercise: Exercise, count: int) -> tuple[str, str]:
    """For a host function that moves arrays between host and device."""
    times = "once" if count == 1 else f"{count} times"
    allowed = f"{exercise.copies} is allowed" if exercise.copies else "nothing needs to"
    return (
        f"{exercise.name}: an array goes between host and device {times}; {allowed}.",
        "Keep everything in device arrays, and launch kernels on them.",
    )


# --- levels ---------------------------------------------------------------------------------------------------------


def nothing_launched(exercise: Exercise) -> tuple[str, str]:
    """For a host function that does without a device."""
    return f"{exercise.name}: it launches no kernel.", "All that is computed is computed by kernels: launch them here."


def compiled(kernels: Sequence[Assembled]) -> str:
    """What the compiler says of right kernels."""
    targets = ", ".join(dict.fromkeys(kernel.target for kernel in kernels))
    names = {kernel.name for kernel in kernels}
    told = [f"{len(names)} kernels"] if len(names) > 1 else []
    told += [_span([k.registers for k in kernels], "registers"), _span([k.shared for k in kernels], "bytes shared")]
    spilled = max(kernel.spills or 0 for kernel in kernels)
    told += [f"{spilled} bytes spilled"] if spilled else []
    return f"compiles for {targets} ({', '.join(filter(None, told))})"


def doubles(kernels: Sequence[Assembled]) -> str:
    """Advice for right kernels that compute in float64 though none of their arguments is one."""
    names = sorted({kernel.name for kernel in kernels if kernel.doubles})
    if not names:
        return ""
    verb = "computes" if len(names) == 1 else "compute"
    return f"{' and '.join(names)} {verb} in float64, which a GPU does slowly: write constants as np.float32(0.5)."


def _span(numbers: Sequence[int | None], unit: str) -> str:
    known = sorted({number for number in numbers if number is not None})
    if not known:
        return ""
    return f"{known[0]} {unit}" if len(known) == 1 else f"{known[0]} to {known[-1]} {unit}"


def not_compiled(kernel: Assembled, status: str, message: str, advice: str) -> tuple[str, str, str]:
    """For a kernel that the simulator runs and the compiler refuses: the same words as on a CPU, with the target."""
    if "too much shared" in kernel.problem:
        advice = "Make the shared arrays smaller."
    advice = advice.replace("@njit", "@cuda.jit(device=True)")
    return status, message.removesuffix(".") + f", on {kernel.target}.", advice


def level(exercise: Exercise, told: str, missing: str, obstacle: str, device: str) -> str:
    """For a right kernel: how far it was tried, what it was not tried on, and why."""
    left = f"; not {missing}: {obstacle}" if missing else f"; ran on {device}"
    return f"{exercise.name}: right; {told or 'simulated'}{left}."


# --- devices --------------------------------------------------------------------------------------------------------

# What a CUDA driver calls it -> the defect, the action; of kernels.
DEVICE_ERRORS: Mapping[str, tuple[str, str]] = {
    "ILLEGAL_ADDRESS": (
        "on the GPU it touches memory that is not its own",
        "An index leaves its array: guard every access against the shape.",
    ),
    "MISALIGNED_ADDRESS": (
        "on the GPU it reads memory at an address that does not fit the type",
        "Is an array viewed as another type, from the middle of an element?",
    ),
    "LAUNCH_OUT_OF_RESOURCES": (
        "it asks for more registers or shared memory than a block may have on this GPU",
        "Fewer variables per thread, smaller tiles, or cuda.jit(max_registers=…).",
    ),
    "OUT_OF_MEMORY": (
        "it asks for more memory than the GPU has",
        "Make fewer device arrays, or smaller ones, and give back those that are done with.",
    ),
    "LAUNCH_TIMEOUT": ("it ran too long on the GPU", "Does every thread's loop come to an end?"),
    "LAUNCH_FAILED": (
        "it failed on the GPU",
        "The usual reasons are an index that leaves shared memory, and a barrier that some threads never reach.",
    ),
    "INVALID_VALUE": ("the GPU refuses its launch", "Is the grid or block empty, or too large?"),
}
# The same of devices.
TROUBLES: Mapping[str, str] = {
    "OUT_OF_MEMORY": "the GPU's memory is full; see in `nvidia-smi` who has it",
    "DEVICE_UNAVAILABLE": "the GPU is busy and serves one process at a time; wait, or see `nvidia-smi`",
    "SYSTEM_DRIVER_MISMATCH": "the NVIDIA driver and its libraries are of two versions; restart the machine",
    "UNSUPPORTED_PTX_VERSION": "the compiler is newer than the NVIDIA driver; update the driver, or install an older "
    "numba-cuda toolkit",
    "NO_BINARY_FOR_GPU": "the compiler knows nothing of this GPU; install another numba-cuda toolkit",
    "NO_DEVICE": "no NVIDIA GPU is to be seen; is CUDA_VISIBLE_DEVICES empty?",
    "SYSTEM_NOT_READY": "the NVIDIA driver is not ready yet; is its fabric manager or persistence daemon running?",
    "COMPAT_NOT_SUPPORTED_ON_DEVICE": "the CUDA libraries are newer than this GPU's driver allows; update the driver",
    "ECC_UNCORRECTABLE": "the GPU's memory is defective",
}


def is_trouble(message: str) -> bool:
    """Whether a CUDA error is the machine's, and not the kernel's."""
    return any(f"CUDA_ERROR_{name}" in message for name in TROUBLES)


def trouble(message: str) -> str:
    """What is wrong with a device, by the driver's word for it."""
    if "driver library cannot be found" in message:
        return "the NVIDIA driver is not installed, or not where libraries are"
    known = [told for name, told in TROUBLES.items() if f"CUDA_ERROR_{name}" in message]
    return known[0] if known else message.strip().partition("\n")[0][:200]


def device_failure(exercise: Exercise, answer: Raised) -> tuple[str, str] | None:
    """For an error of a real device; None where it is none."""
    for name, (defect, action) in DEVICE_ERRORS.items():
        if f"CUDA_ERROR_{name}" in answer.message:
            return f"{exercise.name}: {defect}.", action
    return None

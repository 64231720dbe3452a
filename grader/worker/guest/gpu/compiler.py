"""Kernels to PTX and machine code, without a device: numba-cuda, NVIDIA's libNVVM and, where it is there, nvJitLink."""

from __future__ import annotations

import contextlib
import importlib
import importlib.metadata
import re
from collections.abc import Callable, Iterator, Sequence
from types import SimpleNamespace
from typing import Any

TARGETS = ((7, 0), (8, 0), (9, 0))
SHARED = re.compile(r"^\s*(?:\.visible\s+)?\.shared\s+\.align\s+\d+\s+\.b8\s+[^\[\s]+\[(\d+)\]", re.MULTILINE)
DOUBLE = re.compile(r"^\s*(?:@\S+\s+)?(?!ld|st|mov)[a-z][\w.]*\.f64\b", re.MULTILINE)
VERSIONS = ("numba", "numba-cuda", "cuda-bindings", "nvidia-nvvm", "nvidia-nvjitlink")


class Compiler:
    """Compiles a submission's kernels, and runs nothing."""

    def __init__(self) -> None:
        self.defect = ""  # why numba has no CUDA target here at all

    def install(self) -> None:
        """Have numba compile for devices that are not here, and nothing before it is asked."""
        try:
            cuda = numbas("numba.cuda")
        except Exception as error:  # its libraries are missing, or do not go with each other
            self.defect = f"{type(error).__name__}: {error}".partition("\n")[0]
            return
        jit = cuda.jit

        def when_asked(function_or_signature: Any = None, **options: Any) -> Any:
            kept = {name: value for name, value in options.items() if name not in ("cache", "boundscheck")}
            return jit(function_or_signature if callable(function_or_signature) else None, **kept)

        cuda.jit = when_asked

    def tools(self) -> dict[str, str]:
        """What is here, and what keeps kernels from being compiled, "" where nothing does."""
        found = {name: version_of(name) for name in VERSIONS}
        if not found["numba-cuda"]:
            return {"obstacle": "no CUDA compiler here"}
        does_not_work = f"numba-cuda {found['numba-cuda']} does not work with numba {found['numba']} here"
        if self.defect:
            return {"obstacle": f"{does_not_work} ({self.defect})", **found}
        try:
            targets = self.targets()
            rows = self.assemble("nothing", SimpleNamespace(py_func=_nothing, targetoptions={}), [["float32", 1, True]])
            problem = next((row[2] for row in rows if row[2]), "")
        except Exception as error:  # libraries that are missing, or do not go with each other
            problem = f"{type(error).__name__}: {error}"
        if problem:
            return {"obstacle": f"{does_not_work} ({problem.partition(chr(10))[0]})", **found}
        return {"obstacle": "", **found, "targets": ", ".join(map(name_of, targets)), "code": _linker_words()}

    @staticmethod
    def targets() -> list[tuple[int, int]]:
        """What kernels are compiled for; for one that this compiler has left behind, the oldest it still knows."""
        known = [tuple(one) for one in numbas("numba.cuda.cudadrv.nvrtc").get_supported_ccs()]
        return sorted({min(one for one in known if one >= target) for target in TARGETS})

    def assemble(self, name: str, kernel: Any, types: Sequence[Any]) -> list[list[Any]]:
        """One row for each target: name, target, what is wrong, registers, bytes shared and spilled, float64 work."""
        targets = self.targets()
        try:
            sources = self._ptx(kernel, signature(types), targets)
        except Exception as error:
            return [[name, name_of(targets[0]), str(error) or type(error).__name__, None, None, None, None]]
        return [self._row(name, target, ptx, types) for target, ptx in zip(targets, sources, strict=True)]

    def _row(self, name: str, target: tuple[int, int], ptx: str, types: Sequence[Any]) -> list[Any]:
        try:
            registers, spills = machine_code(ptx, target)
        except Exception as error:
            return [name, name_of(target), str(error), None, None, None, None]
        meant = any(kind[0] == "float64" for kind in types)
        doubles = 0 if meant else len(DOUBLE.findall(ptx))
        return [name, name_of(target), "", registers, sum(map(int, SHARED.findall(ptx))), spills, doubles]

    def _ptx(self, kernel: Any, arguments: Any, targets: Sequence[tuple[int, int]]) -> list[str]:
        """PTX for each target. The front end takes nearly all the time, and what it makes serves all of them."""
        options = kernel.targetoptions
        with standing_in(targets[0]), seen_by_nvvm() as seen:
            first, _ = numbas("numba.cuda").compile(
                kernel.py_func,
                arguments,
                device=False,
                abi="numba",
                cc=targets[0],
                fastmath=bool(options.get("fastmath")),
                output="ptx",
            )
        again, modules, asked = seen[-1]
        others = [again(modules, **{**asked, "arch": f"compute_{a}{b}"}) for a, b in targets[1:]]
        return [first, *(ptx.decode().strip("\0 \n") for ptx in others)]


def signature(types: Sequence[Any]) -> Any:
    """numba's signature for arguments that are described as in `guard.describe`."""
    kinds = numbas("numba.cuda.types")

    def kind_of(name: str) -> Any:
        if name.startswith("("):
            return kinds.BaseTuple.from_types(tuple(map(kind_of, name.strip("()").split(", "))))
        return getattr(kinds, "boolean" if name == "bool" else name)

    found = []
    for name, dimensions, dense in types:
        kind = kind_of(name)
        found.append(kinds.Array(kind, dimensions, "C" if dense else "A") if dimensions else kind)
    return kinds.void(*found)


@contextlib.contextmanager
def standing_in(target: tuple[int, int]) -> Iterator[None]:
    """Where numba asks which device is here, as it does for device functions, answer with this one."""
    modules = [numbas("numba.cuda.compiler"), numbas("numba.cuda.dispatcher")]
    places = [module for module in modules if hasattr(module, "get_current_device")]
    before = [module.get_current_device for module in places]
    for module in places:
        module.get_current_device = lambda: SimpleNamespace(compute_capability=target)
    try:
        yield
    finally:
        for module, function in zip(places, before, strict=True):
            module.get_current_device = function


@contextlib.contextmanager
def seen_by_nvvm() -> Iterator[list[tuple[Callable[..., bytes], Any, dict[str, Any]]]]:
    """What numba's front end hands to libNVVM: the function called, the modules, the options."""
    nvvm = numbas("numba.cuda.cudadrv.nvvm")
    seen: list[tuple[Callable[..., bytes], Any, dict[str, Any]]] = []
    compile_ir = nvvm.compile_ir

    def note(modules: Any, **options: Any) -> bytes:
        seen.append((compile_ir, modules, dict(options)))
        return compile_ir(modules, **options)

    nvvm.compile_ir = note
    try:
        yield seen
    finally:
        nvvm.compile_ir = compile_ir


def machine_code(ptx: str, target: tuple[int, int]) -> tuple[int | None, int | None]:
    """Registers and spilled bytes of the machine code; None for both where nothing here makes any.

    Raises
    ------
    RuntimeError : it cannot be made, with the assembler's reason
    """
    try:
        from cuda.bindings import nvjitlink
    except ImportError:
        return None, None
    code = ptx.encode()
    linker = nvjitlink.create(2, [f"-arch={name_of(target)}", "-verbose"])
    try:
        nvjitlink.add_data(linker, nvjitlink.InputType.PTX, code, len(code), "kernel")
        nvjitlink.complete(linker)
        log = _log(nvjitlink.get_info_log_size, nvjitlink.get_info_log, linker)
    except nvjitlink.nvJitLinkError:
        log = _log(nvjitlink.get_error_log_size, nvjitlink.get_error_log, linker)
        raise RuntimeError(log.partition("\n")[0]) from None
    finally:
        nvjitlink.destroy(linker)
    registers = re.findall(r"[Uu]sed (\d+) registers", log)
    spills = re.findall(r"(\d+) bytes spill stores", log)
    return max(map(int, registers), default=None), sum(map(int, spills))


def _log(size: Callable[[Any], int], fetch: Callable[[Any, Any], None], linker: Any) -> str:
    text = bytearray(size(linker))
    fetch(linker, text)
    return text.decode(errors="replace").strip("\0 \n")


def _linker_words() -> str:
    try:
        from cuda.bindings import nvjitlink

        return "nvJitLink {}.{}".format(*nvjitlink.version())
    except Exception:  # a library that is missing shows in several ways
        return ""


def numbas(name: str) -> Any:
    """A module of numba's for CUDA; which of the two distributions it comes from is not known before."""
    return importlib.import_module(name)


def name_of(target: tuple[int, int]) -> str:
    return f"sm_{target[0]}{target[1]}"


def version_of(distribution: str) -> str:
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return ""


def _nothing(x):  # type: ignore[no-untyped-def]
    """A kernel to try the compiler on."""
    x[0] = 0

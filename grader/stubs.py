"""Stubs: the solutions without what lies between the marks. `exercises/` is made of them and of nothing else."""

from __future__ import annotations

import ast
import difflib
import itertools
import re
from pathlib import Path

from grader import kit
from grader.problem import Problem
from grader.result import write_atomically
from grader.submission import is_stub

BEGIN, END = "### BEGIN SOLUTION", "### END SOLUTION"
_REGION = re.compile(rf"^([ ]*){BEGIN}\n.*?^[ ]*{END}\n", re.DOTALL | re.MULTILINE)
_DEFINITION = re.compile(r"^def (\w+)\(", re.MULTILINE)


def make_stub(solution: str) -> str:
    """The text of a stub module: every marked region becomes one `raise NotImplementedError("<function>")`.

    Raises
    ------
    ValueError : a mark without its partner
    """

    def replace(region: re.Match[str]) -> str:
        name = _DEFINITION.findall(solution, 0, region.start())[-1]
        return f'{region[1]}raise NotImplementedError("{name}")\n'

    stub = _REGION.sub(replace, solution)
    if BEGIN in stub or END in stub:
        raise ValueError("a solution mark without its partner")
    return stub


def wanted() -> dict[Path, str]:
    """Every stub file by its path in `exercises/`, as the solutions say it should be."""
    if not kit.SOLUTIONS.is_dir():
        raise Problem(f"There are no solutions at {kit.SOLUTIONS}.", "Stubs are made in the authors' repository.")
    stubs = {}
    for path in sorted(kit.SOLUTIONS.rglob("*.py")):
        if path.name == "__init__.py":
            continue
        try:
            stubs[kit.EXERCISES / path.relative_to(kit.SOLUTIONS)] = make_stub(path.read_text(encoding="utf-8"))
        except (ValueError, IndexError):
            raise Problem(f"{path} has a solution mark without its partner.", f"Pair {BEGIN} with {END}.") from None
    return stubs


def out_of_step() -> list[Path]:
    """The stub files that differ from what the solutions say."""
    return [path for path, text in wanted().items() if not path.exists() or path.read_text(encoding="utf-8") != text]


def sync(force: bool = False) -> list[Path]:
    """Rewrite the stubs that are out of step and return them.

    Raises
    ------
    Problem : a stub holds somebody's work, and `force` is not given
    """
    stale = out_of_step()
    worked_on = [path for path in stale if path.exists() and _has_work(path, wanted()[path])]
    if worked_on and not force:
        raise Problem(
            f"{_shown(worked_on[0])} holds work that a new stub would overwrite.",
            "Move it away, or overwrite it with `kata sync --force`.",
        )
    for path in stale:
        write_atomically(path, wanted()[path])
    return stale


def reset(module: str, function: str) -> tuple[Path, Path | None]:
    """Put one function's stub back into the student's module; return the path, and where the old text is kept.

    The old text is saved before the module is touched.

    Raises
    ------
    Problem : no solutions to make the stub from, or a module that Python cannot read
    """
    path = kit.EXERCISES / (module.replace(".", "/") + ".py")
    fresh = wanted()[path]
    if not path.exists():
        write_atomically(path, fresh)
        return path, None
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError:
        raise Problem(f"{_shown(path)} is not UTF-8 text.", "Save it as UTF-8.") from None
    new, old = _lines_of(fresh, function), _lines_of(text, function)
    if new is None:
        raise Problem(f"{module} has no function {function}.", "Run `kata` for a list.")
    lines = _lines(text)
    start, stop = old or (len(lines), len(lines))
    stub = _lines(fresh)[new[0] : new[1]]
    gap = ["\n", "\n"] if old is None else []
    kept = keep_aside(function, "".join(lines[start:stop])) if old else None
    write_atomically(path, "".join(lines[:start] + gap + stub + lines[stop:]))
    return path, kept


def keep_aside(function: str, text: str) -> Path:
    """Save what `reset` takes out under `.deepkata/`, one file per reset, and return its path."""
    folder = kit.EXERCISES / ".deepkata" / "replaced"
    names = (folder / f"{function}-{number}.py" for number in itertools.count(1))
    path = next(name for name in names if not name.exists())
    write_atomically(path, text)
    return path


def difference(path: Path) -> str:
    """What `kata sync` would change in a stub, as a unified diff."""
    now = path.read_text(encoding="utf-8") if path.exists() else ""
    return "".join(
        difflib.unified_diff(
            now.splitlines(keepends=True), wanted()[path].splitlines(keepends=True), "now", "from the solution", n=1
        )
    )


def _lines_of(text: str, function: str) -> tuple[int, int] | None:
    """First and one-past-last line index of a top-level function with its decorators."""
    try:
        tree = ast.parse(text)
    except SyntaxError as error:
        raise Problem(
            f"The module cannot be read by Python (line {error.lineno}: {error.msg}).",
            "Mend that line, or delete the file.",
        ) from None
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and node.name == function:
            first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
            return first - 1, node.end_lineno or node.lineno
    return None


def _lines(text: str) -> list[str]:
    """The lines as Python counts them, which str.splitlines does not: it also ends them at form feeds and the like."""
    return re.split(r"(?<=\n)", text)


def _has_work(path: Path, stub: str) -> bool:
    """Whether a module holds more than stubs and the helpers that come with them."""
    given = {node.name for node in ast.parse(stub).body if isinstance(node, ast.FunctionDef) and not is_stub(node)}
    try:
        body = ast.parse(path.read_text(encoding="utf-8")).body
    except (SyntaxError, ValueError):
        return True
    return any(isinstance(node, ast.FunctionDef) and not is_stub(node) and node.name not in given for node in body)


def _shown(path: Path) -> str:
    return path.relative_to(kit.ROOT).as_posix()

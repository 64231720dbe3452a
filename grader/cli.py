"""The `kata` command. Each verb parses its arguments, calls one module and prints what comes back."""

from __future__ import annotations

import contextlib
import enum
import functools
import io
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from grader import catalogue, kit
from grader.nbgrader_bridge.command import nbgrader_app, notebook_app
from grader.problem import Problem
from grader.reports import terminal
from grader.reports.command import report
from grader.reports.terminal import console, errors
from grader.result import INTERPRETED, PASSED, SIMULATED, TIMED, TODO, ExerciseResult, Record

if TYPE_CHECKING:
    from grader.check import Checker
    from grader.classroom.engine import Engine
    from grader.classroom.grade import Graded
    from grader.exercise import Exercise
    from grader.nbgrader_bridge.gradebook import Book
    from grader.verdict import Verdict

INTERRUPTED = 130
FEW = 3
app = typer.Typer(
    help="Deep learning by hand: check your functions, see what is wrong and why.",
    no_args_is_help=False,
    add_completion=False,
    pretty_exceptions_enable=False,
)
data_app = typer.Typer(help="The data sets: what is here, and how to fetch the rest.", no_args_is_help=True)
app.add_typer(data_app, name="data")
models_app = typer.Typer(help="The models that Keras trained, for the projects.", no_args_is_help=True)
app.add_typer(models_app, name="models")
app.add_typer(nbgrader_app, name="nbgrader")
app.add_typer(notebook_app, name="notebook")


app.command()(report)


class IsolationWish(enum.StrEnum):
    """How submissions are to be isolated."""

    auto = "auto"
    required = "required"
    none = "none"


class EngineName(enum.StrEnum):
    """What judges a class."""

    local = "local"
    dask = "dask"


def main() -> None:
    """Run the command; bad input is one line on standard error and exit code 2."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a code page that has no ✓ must not end the program
    try:
        app()
    except Problem as problem:
        errors.print(terminal.plain(f"{problem.defect} {problem.action}"))
        sys.exit(2)
    except SystemExit as end:
        if end.code == INTERRUPTED:  # typer has turned the KeyboardInterrupt into this
            errors.print("Stopped. What was finished is kept.")
        raise
    except KeyboardInterrupt:
        errors.print("Stopped. What was finished is kept.")
        sys.exit(INTERRUPTED)


@app.callback(invoke_without_command=True)
def status(context: typer.Context) -> None:
    """Where am I, and what next: the chapters with what the last check saw."""
    if context.invoked_subcommand is not None:
        return
    from grader import submission
    from grader.judge import static_problem
    from grader.memory import Memory

    handed_in = submission.read(kit.EXERCISES)
    memory = Memory(kit.EXERCISES)
    results, changed = [], []
    for exercise in catalogue.exercises().values():
        problem = static_problem(handed_in, exercise)
        known = memory.recall(handed_in, exercise)
        if problem or known is None:
            known = ExerciseResult(exercise.id, exercise.points, status=problem[0] if problem else TODO)
            if problem is None:
                changed.append(exercise.name)
        results.append(known)
    console.print()
    console.print(terminal.chapter_table(results))
    console.print()
    if changed:
        console.print(terminal.plain(f"Not checked since the last change: {', '.join(changed)}. Run `kata check`."))
    console.print(terminal.next_step([(catalogue.exercises()[r.id], r) for r in results], handed_in))


@app.command()
def check(
    names: Annotated[list[str] | None, typer.Argument(help="chapters, exercises or files; all for none")] = None,
    watch: Annotated[bool, typer.Option("--watch", help="check again whenever a file is saved")] = False,
    json_file: Annotated[Path | None, typer.Option("--json", help="write the result record here")] = None,
    again: Annotated[bool, typer.Option("--again", help="judge unchanged functions too")] = False,
) -> None:
    """Check your own functions against the public cases."""
    from grader.check import Checker, changes

    path, exercises = _what_to_check(names or [])
    with Checker(path, warm=watch) as checker:
        _check_once(checker, exercises, json_file, again)
        if watch:
            console.print("\nWatching. Save a file to check it; Ctrl-C to stop.", style="dim")
            for _ in changes(path):
                console.rule(style="dim")
                try:
                    _check_once(checker, exercises, json_file, again=False, watching=True)
                except Problem as problem:
                    errors.print(terminal.plain(str(problem)))


def _what_to_check(names: list[str]) -> tuple[Path, list[Exercise]]:
    """The folder (or single file) and the exercises that the arguments mean."""
    from grader import submission

    paths = [Path(name) for name in names if _is_path(name)]
    for path in paths:
        if not path.exists():
            raise Problem(f"There is no file or folder {path}.", "Check the path.")
    others = [name for name in names if Path(name) not in paths]
    if not paths:
        return kit.EXERCISES, catalogue.select(others)
    path = paths[0]
    stems = {chapter.module.rpartition(".")[2] for chapter in catalogue.chapters()}
    if len(paths) == 1 and (path.is_dir() or path.suffix == ".ipynb" or path.stem not in stems):
        return path, catalogue.select(others)
    folders = {submission.place_of(path)[0] for path in paths}
    if len(folders) > 1:
        raise Problem("These files lie in different folders.", "Check one folder at a time.")
    return folders.pop(), catalogue.select([*others, *(path.name for path in paths)])


def _is_path(name: str) -> bool:
    """Whether an argument means a file or folder; a name of the catalogue's does not, whatever lies about here."""
    if "/" in name or "\\" in name or name.endswith((".py", ".ipynb")):
        return True
    known = {chapter.module for chapter in catalogue.chapters()} | {e.name for e in catalogue.exercises().values()}
    return Path(name).is_dir() and name not in known


def _check_once(
    checker: Checker, exercises: list[Exercise], json_file: Path | None, again: bool, watching: bool = False
) -> None:
    def tell_first(exercise: Exercise, stage: str, verdict: Verdict) -> None:
        if stage == INTERPRETED and verdict.status == PASSED and exercise.compiled:
            console.print(terminal.plain(f"  … {exercise.name}: right in plain Python, compiling", style="dim"))
        if stage == SIMULATED and verdict.status == PASSED:
            console.print(terminal.plain(f"  … {exercise.name}: right on the simulated device", style="dim"))
        if stage == TIMED:
            console.print(terminal.plain(f"  … {exercise.name}: right, timing it beside the solution", style="dim"))

    handed_in = checker.read()
    results: list[ExerciseResult] = []
    # One line before the verdict is welcome where somebody waits for a few, and noise in a long list.
    watch = tell_first if len(exercises) <= FEW or watching else None
    for result in checker.results(handed_in, exercises, watch, again):
        if result.status != TODO or len(exercises) == 1:
            console.print(terminal.result_lines(result, not terminal.repeats(result, results)))
        results.append(result)
    record = checker.record(handed_in, results)
    console.print()
    console.print(terminal.chapter_table(results))
    if any(result.status == PASSED for result in results):
        console.print("\nPublic cases only; hidden cases are checked when you hand in.", style="dim")
    folder = "" if checker.path == kit.EXERCISES else str(checker.path)
    console.print(terminal.next_step([(catalogue.exercises()[r.id], r) for r in results], handed_in, folder))
    if json_file:
        record.write(json_file)


@app.command()
def bench(
    names: Annotated[list[str] | None, typer.Argument(help="exercises, chapters or files; all for none")] = None,
) -> None:
    """Time your functions beside the solutions, where points grow with speed."""
    from grader.check import Checker

    path, exercises = _what_to_check(names or [])
    timed = [exercise for exercise in exercises if exercise.speed is not None]
    if not timed:
        known = ", ".join(e.name for e in catalogue.exercises().values() if e.speed is not None)
        raise Problem("The points of none of these grow with speed.", f"These have a clock: {known}.")
    with Checker(path) as checker:
        for exercise, timing in zip(timed, checker.timings(checker.read(), timed), strict=True):
            console.print(terminal.timing_line(exercise, timing))


@app.command()
def trace(
    names: Annotated[list[str], typer.Argument(help="kernels, or files and kernels")],
    picture: Annotated[bool, typer.Option("--picture", help="draw which thread touches which element")] = False,
    out: Annotated[Path, typer.Option(help="the folder for pictures")] = Path("pictures"),
) -> None:
    """Count what your CUDA kernels ask of memory, and how well neighbouring threads' accesses fit together."""
    from experiments import pictures
    from experiments.accesses import picture as draw
    from grader.check import Checker
    from grader.reports import traffic
    from grader.trace import trace as traced

    path, exercises = _what_to_check(names)
    if picture:
        pictures.make_folder(out)
    with Checker(path) as checker:
        for exercise in exercises if len(exercises) == 1 else [one for one in exercises if one.cuda]:
            found = traced(checker.worker, checker.read(), exercise)
            console.print(traffic.shown(found))
            if picture:
                pictures.show(console, functools.partial(draw, found), out / f"{exercise.name}_accesses.png")


@app.command()
def grade(
    submissions: Annotated[
        list[Path], typer.Argument(help="folders, .py or .ipynb files, zip files, or folders of these")
    ],
    out: Annotated[Path | None, typer.Option(help="write DIR/<submission>.json, and resume from there")] = None,
    jobs: Annotated[int | None, typer.Option(min=1, help="submissions at a time; default one per core")] = None,
    engine: Annotated[EngineName, typer.Option(help="dask: on the workers of a Dask scheduler")] = EngineName.local,
    scheduler: Annotated[str | None, typer.Option(help="the Dask scheduler's address, tcp://HOST:8786")] = None,
    isolation: Annotated[IsolationWish, typer.Option(help="auto: the best there is here")] = IsolationWish.auto,
    seed_file: Annotated[Path | None, typer.Option(help="text file with the course's secret for hidden cases")] = None,
    late_file: Annotated[Path | None, typer.Option("--late", help="TOML file that says what being late costs")] = None,
    only: Annotated[
        list[str] | None, typer.Option(help="a chapter or exercise that counts; may be given several times")
    ] = None,
    gradebook: Annotated[
        str | None, typer.Option(metavar="URL", help="nbgrader's gradebook, sqlite:///gradebook.db: write scores there")
    ] = None,
    level: Annotated[
        list[str] | None,
        typer.Option(metavar="[NAME=]LEVEL", help="judge CUDA kernels at least simulated, compiled or on a device"),
    ] = None,
    again: Annotated[bool, typer.Option("--again", help="also grade what an earlier run has graded")] = False,
) -> None:
    """Grade submissions with public and hidden cases."""
    from grader import levels
    from grader.classroom import late, progress
    from grader.classroom.grade import Grading

    secret = kit.secret(seed_file)
    policy = late.read(late_file) if late_file else None
    wanted = levels.required(level or [])
    judging = _engine(engine, scheduler, secret, isolation, jobs, wanted)
    required = isolation is IsolationWish.required

    def remark(text: str) -> None:
        errors.print(terminal.plain(text))

    chosen = frozenset(exercise.id for exercise in catalogue.select(only)) if only else None
    grading = Grading(secret, judging, out, again, required, policy, chosen, wanted, remark=remark)
    records, problems = 0, 0
    last: Record | None = None
    book = _open_gradebook(gradebook) if gradebook else None

    def tell(graded: Graded) -> None:
        nonlocal records, problems, last
        if graded.record is not None:
            records, last = records + 1, graded.record
            line = terminal.summary(graded.record) + Text("  unchanged since the last run" if graded.resumed else "")
            console.print(Text(f"{records:>4}  ", style="dim") + line, soft_wrap=True)
        for problem in (graded.problem, _unwritten(book, graded, policy is not None) if book else None):
            if problem is not None:
                problems += 1
                errors.print(terminal.plain(str(problem)))

    with book or contextlib.nullcontext(), progress.shown(grading.progress, console):
        grading.run(submissions, tell)
    if last is not None and records == 1:
        terminal.print_record(console, last)
    if book:
        for text in book.remarks:
            remark(text)
        console.print(terminal.plain(f"Gradebook: {book.url}"), style="dim")
    if seed_file is None and records:
        console.print(
            "Hidden cases came from the kit's own seed, which anybody can look up: use --seed-file.", style="dim"
        )
    if out is not None and records:
        console.print(terminal.plain(f"Records: {out}/"), style="dim")
    if problems:
        raise typer.Exit(2)


def _open_gradebook(url: str) -> Book:
    """nbgrader's gradebook, before hours of grading and not after."""
    from grader.nbgrader_bridge.gradebook import Book

    return Book(url)


def _unwritten(book: Book, graded: Graded, late_policy: bool) -> Problem | None:
    """Write the scores of one submission into the gradebook; what kept them out of it."""
    if graded.record is None:
        return None
    if not graded.record.exam_hash:
        return Problem(f"{graded.name}: its scores are not final, and not in the gradebook.", "Grade it again.")
    try:
        book.write(graded.record, late_policy)
    except Problem as problem:
        return problem
    return None


def _engine(
    name: EngineName,
    scheduler: str | None,
    secret: str,
    isolation: IsolationWish,
    jobs: int | None,
    wanted: Mapping[str, str],
) -> Engine:
    """What judges the class, as the options say."""
    if name is EngineName.dask:
        from grader.classroom.engine_dask import DaskEngine

        if scheduler is None:
            raise Problem("The Dask engine has no scheduler.", "Say where it is: --scheduler tcp://HOST:8786.")
        return DaskEngine(secret, scheduler, isolation.value, jobs, wanted)
    from grader.classroom.engine_local import LocalEngine, default_jobs
    from grader.worker.isolation import choose

    if scheduler is not None:
        raise Problem("A scheduler was given, and the local engine has none.", "Add --engine dask.")
    return LocalEngine(secret, choose(isolation.value), jobs or default_jobs(), wanted)


@app.command()
def reset(name: Annotated[str, typer.Argument(help="the exercise")]) -> None:
    """Put the stub of one exercise back; what was there is kept in exercises/.deepkata/replaced/."""
    from grader import stubs

    found = catalogue.select([name])
    if len(found) != 1:
        raise Problem(f"{name} is a whole chapter.", "Name one exercise.")
    path, kept = stubs.reset(found[0].module, found[0].name)
    if kept:
        console.print(terminal.plain(f"{path.name}: {found[0].name} is a stub again; yours is kept in {kept}."))
    else:
        console.print(terminal.plain(f"{path.name}: the stub of {found[0].name} is back."))


@app.command()
def sync(
    check_only: Annotated[bool, typer.Option("--check", help="only tell; exit 1 if a stub is out of step")] = False,
    force: Annotated[bool, typer.Option("--force", help="overwrite stubs that hold somebody's work")] = False,
) -> None:
    """Make the stubs in exercises/ from solutions/ (for authors)."""
    from grader import stubs

    if check_only:
        stale = stubs.out_of_step()
        for path in stale:
            console.print(terminal.plain(f"{path.relative_to(kit.ROOT)} is out of step with its solution."))
            console.print(terminal.plain(stubs.difference(path)), style="dim")
        console.print("Run `kata sync`." if stale else "All stubs are in step.")
        raise typer.Exit(1 if stale else 0)
    written = stubs.sync(force)
    for path in written:
        console.print(terminal.plain(f"wrote {path.relative_to(kit.ROOT)}"))
    if not written:
        console.print("All stubs are in step.")


@app.command()
def lint() -> None:
    """Check the content: cases, mistakes, docstrings, prerequisites (for authors)."""
    from grader.lint import findings

    found = findings()
    for line in found:
        console.print(terminal.plain(line))
    count = len(catalogue.exercises())
    console.print(f"{len(found)} findings in {count} exercises." if found else f"{count} exercises, nothing to mend.")
    raise typer.Exit(1 if found else 0)


@app.command()
def doctor() -> None:
    """What this machine offers, and how to get more."""
    from grader.doctor import report

    console.print(report())


@app.command()
def train(
    project: Annotated[str, typer.Argument(help="the network, e.g. mnist_mlp")],
    yours: Annotated[bool, typer.Option("--yours", help="your own network, from exercises/")] = False,
    epochs: Annotated[int | None, typer.Option(min=1, help="how long to watch it")] = None,
    seed: Annotated[int | None, typer.Option(min=0, help="of the first weights and the orders")] = None,
    sample: Annotated[bool, typer.Option("--sample", help="on the bundled sample")] = False,
    out: Annotated[Path, typer.Option(help="the folder for pictures")] = Path("pictures"),
) -> None:
    """Train a whole network before your eyes: progress, curves, predictions, the test metric."""
    from experiments.train import Wish, run

    if not run(Wish(project, yours, epochs, seed, sample, out), console):
        raise typer.Exit(INTERRUPTED)


@app.command()
def experiment(
    name: Annotated[str | None, typer.Argument(help="which one; none lists them")] = None,
    epochs: Annotated[int | None, typer.Option(min=1, help="how long each network is trained")] = None,
    seed: Annotated[int, typer.Option(min=0, help="of everything that is drawn")] = 1,
    sample: Annotated[bool, typer.Option("--sample", help="on the bundled sample")] = False,
    out: Annotated[Path, typer.Option(help="the folder for the picture")] = Path("pictures"),
) -> None:
    """Make one of the lectures' experiments: a table, a picture, and what they show."""
    from experiments import catalogue as known
    from experiments.experiment import run

    if name is None:
        for one in map(known.experiment, known.NAMES):
            console.print(terminal.plain(f"{one.name:<16}{one.title}"))
    elif not run(known.experiment(name), epochs, seed, sample, out, console):
        raise typer.Exit(INTERRUPTED)


@data_app.command("fetch")
def data_fetch(name: Annotated[str, typer.Argument(help="the data set, e.g. mnist")]) -> None:
    """Download a data set, or MobileNet's weights, with Keras's own loader and check what came."""
    import datasets

    try:
        console.print(terminal.plain(f"{name} is at {datasets.fetch(name)}."))
    except datasets.DataError as error:
        raise Problem(str(error), "") from None


@data_app.command("status")
def data_status() -> None:
    """Which data sets and weights are here, and which are served by a bundled sample."""
    import datasets

    for state in (*datasets.status(), datasets.base.status()):
        console.print(terminal.plain(f"{state.name}: {_told(state.origin)}, {state.path}"))
        if state.defect:
            console.print(terminal.plain(f"  {state.defect}"), style="yellow")


@models_app.command("train")
def models_train(
    name: Annotated[str, typer.Argument(help="the project, e.g. mnist_mlp")],
    sample: Annotated[
        bool, typer.Option("--sample", help="on the bundled sample, though the real data is here")
    ] = False,
) -> None:
    """Have Keras train a reference model again, and record the run (for authors)."""
    import datasets
    from datasets.model import save_model
    from datasets.recipes import recipe

    try:
        found = recipe(name)
        data = found.load(sample)
        console.print(terminal.plain(data.note))
        path = save_model(found.train(data, lambda line: console.print(terminal.plain(line))))
    except datasets.DataError as error:
        raise Problem(str(error), "") from None
    except ImportError as error:
        raise Problem(f"Keras is not here ({error}).", "Install it: pip install 'deepkata[keras]'.") from None
    console.print(terminal.plain(f"{path.name}: {path.stat().st_size:,} bytes"))


def _told(origin: str) -> str:
    return "the bundled sample" if origin == "sample" else "the real data"

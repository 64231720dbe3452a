"""What an author may forget: every finding is one line, the defect and the action."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from grader import catalogue, oracle, stubs
from grader.exercise import Exercise
from grader.problem import Problem
from grader.submission import Module
from grader.syntax import SyntaxProblem

SECTIONS = ("Approach:", "Example:", "Trap:", "Lecture:")
MIN_CASES, MIN_MISTAKES = 3, 3


def findings() -> list[str]:
    """Everything that is wrong with the content; empty when all is well."""
    found = [line for exercise in catalogue.exercises().values() for line in _of_exercise(exercise)]
    found += list(_of_modules())
    try:
        found += [f"{path.name} is out of step with its solution. Run `kata sync`." for path in stubs.out_of_step()]
    except Problem as problem:
        found.append(str(problem))
    return found


def _of_exercise(exercise: Exercise) -> Iterator[str]:
    module = oracle.solutions().modules.get(exercise.module)
    function = module.functions.get(exercise.name) if module else None
    if module is None or function is None:
        yield f"{exercise.id} has no solution. Write it in solutions/{exercise.module.replace('.', '/')}.py."
        return
    try:
        shown = exercise.public_cases()
    except LookupError as error:
        yield f"{error}."
        return
    if not shown:
        yield f"{exercise.id} has no public case. Show the student at least one."
        return
    yield from _of_cases(exercise)
    yield from _of_mistakes(exercise)
    yield from _of_function(exercise, function)
    called = {f"{owner}.{name}" for owner, name in oracle.solutions().closure(exercise.module, exercise.name)}
    called = {name for name in called if name in catalogue.exercises() and name != exercise.id}
    for missing in set(exercise.requires) - called:
        yield f"{exercise.id} requires {missing}, which its solution never calls. Take it out of `requires`."
    direct = {name for name in called if name not in _reached_by(called)}
    for missing in direct - set(exercise.requires):
        yield f"{exercise.id} calls {missing}. Name it in `requires`."
    if exercise.points <= 0:
        yield f"{exercise.id} is worth {exercise.points} points. Give it more than none."


def _reached_by(called: set[str]) -> set[str]:
    """What these exercises' own solutions call."""
    reached = set()
    for other in called:
        owner, _, name = other.rpartition(".")
        reached |= {f"{m}.{n}" for m, n in oracle.solutions().closure(owner, name)} - {other}
    return reached


def _of_cases(exercise: Exercise) -> Iterator[str]:
    public, hidden = exercise.public_cases(), exercise.hidden_cases("lint")
    if len(public) + len(hidden) < MIN_CASES or not hidden:
        yield f"{exercise.id} has {len(public)} public and {len(hidden)} hidden cases. Add some that defeat wrong code."
    for cases in (public, hidden):
        rationales = [case.rationale for case in cases]
        for twice in {rationale for rationale in rationales if rationales.count(rationale) > 1}:
            yield f"{exercise.id} has two cases called {twice!r}. Give each its own rationale."
    for case in public + hidden:
        if tuple(case.arguments) != exercise.parameters:
            yield f"{exercise.id}: the case {case.rationale!r} has other arguments than the first. Name them alike."
    if any(name not in exercise.parameters for name in exercise.changes):
        yield f"{exercise.id} changes an argument that it does not have. Correct `changes`."


def _of_mistakes(exercise: Exercise) -> Iterator[str]:
    if len(exercise.mistakes) < MIN_MISTAKES and not exercise.few_mistakes:
        yield f"{exercise.id} knows {len(exercise.mistakes)} mistakes. Add some, or say in `few_mistakes` why not."
    for mistake in exercise.mistakes:
        code = mistake.function.__code__
        asked = tuple(name for name in code.co_varnames[: code.co_argcount] if name != "launch")
        if asked != exercise.parameters:
            yield f"{exercise.id}: the mistake {mistake.name} has another signature. Use {exercise.parameters}."
        if not mistake.belief.strip().endswith((".", "?", "!", ")")):
            yield f"{exercise.id}: the belief of {mistake.name} is no sentence. End it with a full stop."


def _of_function(exercise: Exercise, function: ast.FunctionDef) -> Iterator[str]:
    names = tuple(argument.arg for argument in function.args.args)
    if names != exercise.parameters:
        yield f"{exercise.id}: the solution takes {names}, the cases give {exercise.parameters}. Make them equal."
    docstring = ast.get_docstring(function) or ""
    for section in (*SECTIONS, "Parameters\n---", "Returns\n---" if exercise.returns else "Parameters"):
        if section not in docstring:
            yield f"{exercise.id}: the docstring has no {section.partition(chr(10))[0]!r}. Write it."
    for name in exercise.parameters:
        if f"\n{name} : " not in docstring and f"\n{name}, " not in docstring and f", {name}" not in docstring:
            yield f"{exercise.id}: the docstring does not tell the argument {name}. Add its dtype and shape."
    compiled = any("njit" in ast.unparse(decorator) for decorator in function.decorator_list)
    if compiled != exercise.compiled:
        yield f"{exercise.id}: its solution is {'' if compiled else 'not '}compiled. Make `compiled` say the same."


def _of_modules() -> Iterator[str]:
    for name, module in oracle.solutions().modules.items():
        if isinstance(module.tree, SyntaxProblem):
            yield f"{name}, line {module.tree.line}: {module.tree.message}. Mend the line."
        elif not ast.get_docstring(module.tree):
            yield f"{name} has no docstring. Say what the chapter teaches and which lecture it follows."
        else:
            yield from _marks(name, module)


def _marks(name: str, module: Module) -> Iterator[str]:
    """Every exercise of the module must have its solution between marks."""
    lines = module.text.splitlines()
    for exercise in catalogue.exercises().values():
        if exercise.module == name and exercise.name in module.functions:
            function = module.functions[exercise.name]
            body = "\n".join(lines[function.lineno - 1 : function.end_lineno or function.lineno])
            if stubs.BEGIN not in body:
                yield f"{exercise.id} has no solution marks. Put {stubs.BEGIN} and {stubs.END} around the answer."

"""What a student handed in for an assignment, as a submission.

It is read as `kata grade` reads it, so that the same code gets the same score: the code cells of the notebook, or the
module beside it where the notebook has only text and checks, which its metadata tell. Nothing of it is run here, and
its outputs are not looked at.

A chapter that builds on earlier ones finds them as in a folder of exercises: the student's own, from their earlier
assignments in the course, else what the instructor has put beside the assignment's source.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from grader import catalogue
from grader import submission as submissions
from grader.exercise import Chapter
from grader.nbgrader_bridge.identity import assignment_of
from grader.problem import Problem
from grader.submission import Module, Submission


def submission_of(chapter: Chapter, student: str, folder_of: Callable[[str], Path], given: Path) -> Submission:
    """The submission of a chapter's assignment.

    Parameters
    ----------
    folder_of : assignment -> the folder in which this student handed it in
    given : the folder of the assignment's source, with the modules that every student was given

    Raises
    ------
    Problem : there is no notebook, or it cannot be read
    """
    assignment = assignment_of(chapter)
    own = handed_in(folder_of(assignment), assignment, student)
    modules = dict(_earlier(chapter, student, folder_of, given))
    return Submission(student, modules | own.modules, own.notes, whole=False)


def handed_in(folder: Path, assignment: str, student: str) -> Submission:
    """What is in the folder of one assignment; raises Problem where that cannot be read."""
    notebook, module = folder / f"{assignment}.ipynb", folder / f"{assignment}.py"
    for path in (notebook, module, folder, folder.parent):
        if path.is_symlink():  # it may lead to somebody else's work
            raise Problem(f"{path.name} is a link, which is not followed.", "Hand in the file itself.")
    content = submissions.content_of(notebook, notebook.name, submissions.most_of(notebook.name))
    found = submissions.single(student, notebook.name, content, notebook.name)
    thin = submissions.is_thin(content.decode("utf-8", "replace"))
    if module.is_file() and (thin or not any(one.functions for one in found.modules.values())):
        return submissions.single(student, module.name, submissions.content_of(module, module.name), module.name)
    return found


def _earlier(
    chapter: Chapter, student: str, folder_of: Callable[[str], Path], given: Path
) -> Iterator[tuple[str, Module]]:
    for earlier in catalogue.chapters()[: catalogue.chapters().index(chapter)]:
        module = _own_or_given(assignment_of(earlier), student, folder_of, given).get(earlier.module)
        if module is not None:
            yield earlier.module, module


def _own_or_given(assignment: str, student: str, folder_of: Callable[[str], Path], given: Path) -> dict[str, Module]:
    try:
        return handed_in(folder_of(assignment), assignment, student).modules
    except Problem:  # not handed in; what is wrong with it is told where that assignment is graded
        module = given / f"{assignment}.py"
    if not module.is_file():
        return {}
    return submissions.single(student, module.name, submissions.content_of(module, module.name), module.name).modules

"""What a course's `nbgrader_config.py` must say for the kit to release and grade it."""

from __future__ import annotations

from collections.abc import Mapping

from nbgrader.converters import Autograde, GenerateAssignment
from nbgrader.converters.base import BaseConverter
from nbgrader.preprocessors import ClearSolutions, Execute
from traitlets import HasTraits
from traitlets.config import Config

from grader.nbgrader_bridge import release
from grader.nbgrader_bridge.preprocessor import Judge
from grader.nbgrader_bridge.restore import Restore

Step = type[HasTraits]


def apply(c: Config, seed_file: str = "", isolation: str = "auto") -> None:
    """Put our steps into nbgrader's lists; what else is configured stays.

    Parameters
    ----------
    seed_file : a text file with the course's secret for the hidden cases; a relative path begins at the course
    isolation : auto, required or none
    """
    c.GenerateAssignment.preprocessors = _steps(
        GenerateAssignment, "preprocessors", {ClearSolutions: release.ClearSolutions}
    )
    c.Autograde.sanitize_preprocessors = [Restore, *_steps(Autograde, "sanitize_preprocessors", {})]
    c.Autograde.autograde_preprocessors = _steps(Autograde, "autograde_preprocessors", {Execute: Judge})
    c.Judge.seed_file = seed_file
    c.Judge.isolation = isolation
    c.HTMLExporter.sanitize_html = True


def _steps(converter: type[BaseConverter], name: str, ours: Mapping[Step, Step]) -> list[Step]:
    """nbgrader's own steps, whichever its version has, with ours in the place of some."""
    return [ours.get(step, step) for step in converter.class_traits()[name].default()]

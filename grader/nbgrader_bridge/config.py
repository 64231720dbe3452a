"""What a course's `nbgrader_config.py` must say for the kit to grade it."""

from __future__ import annotations

from nbgrader.converters import Autograde
from nbgrader.preprocessors import Execute
from traitlets import HasTraits
from traitlets.config import Config

from grader.nbgrader_bridge.preprocessor import Judge
from grader.nbgrader_bridge.restore import Restore


def apply(c: Config, seed_file: str = "", isolation: str = "auto") -> None:
    """Put our steps into nbgrader's lists; what else is configured stays.

    Parameters
    ----------
    seed_file : a text file with the course's secret for the hidden cases
    isolation : auto, required or none
    """
    sanitizing, grading = _steps("sanitize_preprocessors"), _steps("autograde_preprocessors")
    c.Autograde.sanitize_preprocessors = [Restore, *sanitizing]
    c.Autograde.autograde_preprocessors = [Judge if step is Execute else step for step in grading]
    c.Judge.seed_file = seed_file
    c.Judge.isolation = isolation
    c.HTMLExporter.sanitize_html = True


def _steps(name: str) -> list[type[HasTraits]]:
    """nbgrader's own steps, whichever its version has."""
    steps: list[type[HasTraits]] = Autograde.class_traits()[name].default()
    return steps

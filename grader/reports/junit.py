"""JUnit XML, which continuous integration shows: a suite per submission, a case per exercise."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from xml.etree import ElementTree

from grader.reports.outline import module_of, name_of
from grader.reports.telling import feedback
from grader.result import CRASHED, ERROR, PASSED, TIMEOUT, TODO, ExerciseResult, Record, write_bytes_atomically
from grader.text import one_line, printed

ELEMENTS = {TODO: "skipped", ERROR: "error", TIMEOUT: "error", CRASHED: "error"}
COUNTED = {"failure": "failures", "error": "errors", "skipped": "skipped"}


def write(records: Sequence[Record], path: Path) -> None:
    """Write all records into one file.

    Raises
    ------
    Problem : it cannot be written
    """
    root = ElementTree.Element("testsuites", name="deepkata")
    for record in records:
        root.append(_suite(record))
    for name in ("tests", *COUNTED.values()):
        root.set(name, str(sum(int(suite.get(name, "0")) for suite in root)))
    root.set("time", f"{sum(record.seconds for record in records):.3f}")
    ElementTree.indent(root, " ")
    write_bytes_atomically(path, ElementTree.tostring(root, encoding="utf-8", xml_declaration=True) + b"\n")


def _suite(record: Record) -> ElementTree.Element:
    suite = ElementTree.Element("testsuite", name=one_line(record.submission), time=f"{record.seconds:.3f}")
    properties = ElementTree.SubElement(suite, "properties")
    facts = {"student": record.student, "submitted": record.submitted, "kit_version": record.kit_version}
    scores = {name: f"{getattr(record, name):g}" for name in ("score", "penalty", "final_score", "max_score")}
    for name, value in {**facts, "isolation": record.isolation, **scores}.items():
        ElementTree.SubElement(properties, "property", name=name, value=one_line(value))
    cases = [_case(result) for result in record.exercises]
    suite.extend(cases)
    suite.set("tests", str(len(cases)))
    for element, name in COUNTED.items():
        suite.set(name, str(sum(case.find(element) is not None for case in cases)))
    return suite


def _case(result: ExerciseResult) -> ElementTree.Element:
    place = {"classname": one_line(module_of(result.id)), "name": one_line(name_of(result.id))}
    case = ElementTree.Element("testcase", place, time=f"{result.seconds:.3f}")
    properties = ElementTree.SubElement(case, "properties")
    ElementTree.SubElement(properties, "property", name="points", value=f"{result.score:g}/{result.points:g}")
    if result.status != PASSED:
        lines = feedback(result)
        element = ElementTree.SubElement(case, ELEMENTS.get(result.status, "failure"))
        element.set("type", result.status)
        element.set("message", lines[0] if lines else result.status)
        element.text = "\n".join(lines)
    if result.output:
        ElementTree.SubElement(case, "system-out").text = printed(result.output)
    return case

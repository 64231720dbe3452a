"""A course in which nbgrader has graded a class, for the tests, and the same class graded by `kata grade`."""

from __future__ import annotations

import contextlib
import copy
import csv
import functools
import json
import os
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
from faces import Run, kata, records
from filelock import FileLock
from nbgrader.api import Gradebook
from nbgrader_class import ASKED, CHAPTER, STUDENTS, cell_of, class_of, write
from nbgrader_commands import nbgrader
from traitlets.config import Config

from grader import catalogue
from grader.nbgrader_bridge import config

SECRET = "a course's own secret"
POINTS = {name: catalogue.exercises()[f"{CHAPTER}.{name}"].points for name in ASKED}


def names_of(cell: Mapping) -> set[str]:
    name = cell["metadata"]["nbgrader"]["grade_id"]
    return {name, name.removesuffix("-points"), name.removesuffix("-text")}


def of_another_kit(points: dict) -> dict:
    """A cell for an exercise that this kit does not have."""
    cell = copy.deepcopy(points)
    cell["metadata"]["nbgrader"] |= {"grade_id": "swish-points", "points": 2}
    return cell | {"id": "swish-points", "source": 'check("swish")'}


class Course:
    """A course of one assignment with few exercises."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.seed = folder.parent / "secret.txt"
        self.log_file = folder.parent / "autograde.log"
        self.url = f"sqlite:///{folder / 'gradebook.db'}"

    def build(self) -> None:
        """The chapter's assignment, of which the instructor takes the exercises that are not asked out."""
        self.seed.write_text(SECRET)
        options = ("--course", self.folder, "--chapters", CHAPTER, "--seed-file", self.seed)
        done = kata("nbgrader", "build", *options, cwd=self.folder.parent)
        assert done.code == 0, done.err
        path = self.folder / "source" / CHAPTER / f"{CHAPTER}.ipynb"
        notebook = json.loads(path.read_text())
        unwanted = {e.name for e in catalogue.select([CHAPTER])} - set(ASKED)
        cells = [cell for cell in notebook["cells"] if names_of(cell).isdisjoint(unwanted)]
        write({**notebook, "cells": [*cells, of_another_kit(cells[-1])]}, path)

    def settings(self, **options: str) -> Config:
        """The same configuration for nbgrader's interface for programs."""
        settings = Config()
        config.apply(settings, **options)
        settings.CourseDirectory.root, settings.CourseDirectory.course_id = str(self.folder), self.folder.name
        return settings

    def do(self, *arguments: object) -> Run:
        done = nbgrader(*arguments, cwd=self.folder)
        assert done.code == 0, done.err
        return done

    @property
    def log(self) -> str:
        """What `nbgrader autograde` said."""
        return self.log_file.read_text()

    @property
    def released(self) -> dict:
        return json.loads((self.folder / "release" / CHAPTER / f"{CHAPTER}.ipynb").read_text())

    def hand_in(self, student: str, notebook: Mapping) -> Path:
        return write(notebook, self.folder / "submitted" / student / CHAPTER / f"{CHAPTER}.ipynb")

    def exported(self) -> dict[str, dict[str, str]]:
        """What `nbgrader export` tells, by student."""
        self.do("export", "--to", "grades.csv")
        with (self.folder / "grades.csv").open() as file:
            return {row["student_id"]: row for row in csv.DictReader(file) if row["assignment"] == CHAPTER}

    def autograded(self, student: str) -> dict:
        return json.loads((self.folder / "autograded" / student / CHAPTER / f"{CHAPTER}.ipynb").read_text())

    def told(self, student: str, exercise: str) -> str:
        """What stands in the cell with the points of an exercise."""
        words, _ = cell_of(self.autograded(student), f"{exercise}-points")["outputs"]
        return "".join(words["text"])

    @contextlib.contextmanager
    def gradebook(self):
        with Gradebook(self.url, self.folder.name) as book:
            yield book

    def grades(self, student: str) -> dict[str, float | None]:
        """The autograder's score of each exercise."""
        with self.gradebook() as book:
            return {name: book.find_grade(f"{name}-points", CHAPTER, CHAPTER, student).auto_score for name in ASKED}


def graded_course(folder: Path) -> Course:
    """A course that was released, handed in, graded and answered, as an instructor does it."""
    made = Course(folder / "course")
    made.build()
    made.do("generate_assignment", CHAPTER)
    for student, notebook in class_of(made.released, made.folder / "gradebook.db").items():
        made.hand_in(student, notebook)
    made.log_file.write_text(made.do("autograde", CHAPTER).err)
    made.do("generate_feedback", CHAPTER)
    return made


@dataclass
class Kata:
    """What `kata grade` says of the same files, in records and in a gradebook of its own."""

    folder: Path

    @property
    def url(self) -> str:
        return f"sqlite:///{self.folder / 'kata.db'}"

    def grade(self, course: Course) -> None:
        """Grade the files that nbgrader has graded."""
        for student in STUDENTS:
            path = course.folder / "submitted" / student / CHAPTER / f"{CHAPTER}.ipynb"
            (self.folder / "class").mkdir(parents=True, exist_ok=True)
            shutil.copy(path, self.folder / "class" / f"{student}_{CHAPTER}.ipynb")
        options = ("--out", "out", "--gradebook", self.url, "--seed-file", course.seed)
        done = kata("grade", "class", *options, cwd=self.folder)
        assert done.code == 0, done.err

    @functools.cached_property
    def results(self) -> dict[str, dict[str, dict]]:
        """Student -> exercise -> result."""
        return {
            name.partition("_")[0]: {result["id"].rpartition(".")[2]: result for result in record["exercises"]}
            for name, record in records(self.folder / "out").items()
        }


def once(folders: pytest.TempPathFactory, name: str, make: Callable[[Path], object]) -> Path:
    """A folder that is made once, also where several processes share the tests."""
    base = folders.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / name
    with FileLock(f"{folder}.lock"):
        if not (folder / "made").exists():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            make(folder)
            (folder / "made").touch()
    return folder

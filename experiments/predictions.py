"""What a network answers to some test samples, shown: digits, reviews, newswires, houses."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from rich.table import Table
from rich.text import Text

import datasets
from experiments.display import figures
from experiments.learner import Learner
from experiments.pictures import canvas
from grader.problem import Problem

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SOME, WORST = 5, 3  # test samples from all over, then those that the network was most wrong about
WORDS = 40  # of a text
START = 1  # the mark before every text


class Shown(NamedTuple):
    """A table of answers, what it is, and, for images, what draws them."""

    title: str
    table: Table
    draw: Callable[[], Figure] | None = None


Show = Callable[[Learner, np.ndarray], Shown]  # of the answers to all test samples


def digits(learner: Learner, probabilities: np.ndarray) -> Shown:
    """Images of digits with the probabilities of the likeliest two."""
    labels = learner.y["test"]
    rows = examples(wrongness(probabilities, labels))
    table = figures("test image", "it says", "probability", "else", "probability", "it is")
    for row in rows:
        second, first = np.argsort(probabilities[row])[-2:]
        told = (f"{first}", f"{probabilities[row, first]:.3f}", f"{second}", f"{probabilities[row, second]:.3f}")
        table.add_row(str(row), *told, f"{labels[row]}", style=mood(first == labels[row]))
    captions = [
        f"{row.argmax()} ({row.max():.3f})\n" + ("right" if row.argmax() == label else f"wrong: it is {label}")
        for row, label in zip(probabilities[rows], labels[rows], strict=True)
    ]
    return Shown(TITLE, table, lambda: images_picture(learner.data.x_test[rows], captions))


def photos(learner: Learner, answers: np.ndarray) -> Shown:
    """Photographs with the probability of the second class, a dog."""
    probabilities, labels, classes = answers.reshape(-1), learner.y["test"], learner.data.classes
    rows = examples(np.abs(probabilities - labels))
    table = figures("test photo", f"P({classes[1]})", "it is")
    for row in rows:
        right = (probabilities[row] > 0.5) == labels[row]
        table.add_row(str(row), f"{probabilities[row]:.3f}", classes[labels[row]], style=mood(right))
    captions = [f"P({classes[1]}) = {probabilities[row]:.3f}\nit is a {classes[labels[row]]}" for row in rows]
    return Shown(TITLE, table, lambda: images_picture(learner.data.x_test[rows], captions))


def images_picture(images: np.ndarray, captions: Sequence[str]) -> Figure:
    """Images of 0 … 255 side by side, each with its caption."""
    figure, fields = canvas(1.5 * len(images), 2.4, "Test images, and what the network says", columns=len(images))
    for field, image, caption in zip(fields, images, captions, strict=True):
        field.imshow(image.astype(np.uint8), cmap="gray_r")
        field.set(xticks=[], yticks=[])
        field.set_xlabel(caption)
    return figure


def reviews(learner: Learner, answers: np.ndarray) -> Shown:
    """Film reviews in words, with the probability of praise."""
    probabilities, labels = answers.reshape(-1), learner.y["test"]
    words = words_of(learner)
    table = figures("P(praise)", "it is", "the review begins")
    for column in table.columns[1:]:
        column.justify = "left"
    for row in examples(np.abs(probabilities - labels)):
        kind = "praise" if labels[row] else "a slating"
        text = decoded(learner.data.x_test[row], words)
        table.add_row(f"{probabilities[row]:.3f}", kind, text, style=mood((probabilities[row] > 0.5) == labels[row]))
    return Shown(TITLE, table)


def newswires(learner: Learner, probabilities: np.ndarray) -> Shown:
    """Newswires in words, with the three likeliest topics."""
    labels = learner.y["test"]
    words, topics = words_of(learner), learner.data.classes
    table = figures("it says", "it is", "the newswire begins")
    for column in table.columns[1:]:
        column.justify = "left"
    for row in examples(wrongness(probabilities, labels)):
        likeliest = np.argsort(probabilities[row])[::-1][:3]
        told = "\n".join(f"{topics[topic]} {probabilities[row, topic]:.3f}" for topic in likeliest)
        text = decoded(learner.data.x_test[row], words)
        table.add_row(told, topics[labels[row]], text, style=mood(likeliest[0] == labels[row]))
    return Shown(TITLE, table)


def houses(learner: Learner, answers: np.ndarray) -> Shown:
    """Prices in thousands of dollars, with the error."""
    prices, targets = answers.reshape(-1), learner.y["test"]
    table = figures("test suburb", "price said", "price", "error")
    for row in examples(np.abs(prices - targets)):
        table.add_row(str(row), f"{prices[row]:.1f}", f"{targets[row]:.1f}", f"{prices[row] - targets[row]:+.1f}")
    return Shown(f"{TITLE}, in thousands of dollars", table)


TITLE = f"{SOME} test samples, and the {WORST} that it was most wrong about"


def examples(errors: np.ndarray) -> np.ndarray:
    """Samples from all over, then those with the largest errors."""
    some = np.linspace(0, len(errors) - 1, min(SOME, len(errors))).astype(np.int64)
    worst = np.argsort(-errors, kind="stable")
    others = worst[(errors[worst] > 0) & ~np.isin(worst, some)]
    return np.concatenate([some, others[:WORST]])


def wrongness(probabilities: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """How sure the network was of its answer where that is wrong, 0 where it is right."""
    return np.where(probabilities.argmax(axis=1) == labels, 0, probabilities.max(axis=1))


def words_of(learner: Learner) -> tuple[str, ...]:
    """The word of each number of the learner's texts.

    Raises
    ------
    Problem : the file that numbers them is missing or damaged
    """
    try:
        return datasets.load_words(learner.data.name, sample=learner.data.origin == "sample")
    except datasets.DataError as error:
        raise Problem(str(error), "") from None


def decoded(ids: np.ndarray, words: tuple[str, ...]) -> Text:
    """The first words of a text."""
    told = [words[number] for number in ids if number != START]
    return Text(" ".join(told[:WORDS]) + (" …" if len(told) > WORDS else ""))


def mood(right: bool) -> str:
    """How an answer's line is printed."""
    return "" if right else "red"

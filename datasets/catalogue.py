"""Which data sets there are: their files, as Keras publishes and pins them.

The checksums are those in Keras's own source (`keras/src/datasets`). Nothing is read that does not match.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from datasets.error import DataError

SAMPLES = Path(__file__).parent / "samples"


@dataclass(frozen=True)
class Entry:
    """One data set of the catalogue.

    Parameters
    ----------
    name : what `load` is asked for
    title : how messages call it
    file : the file's name, in every folder that may hold it
    url : where Keras downloads it
    size : its bytes
    sha256 : its checksum
    arrays : the arrays inside, each with its dtype and the shape of one item
    sample_title : what the bundled sample is
    """

    name: str
    title: str
    file: str
    url: str
    size: int
    sha256: str
    arrays: dict[str, tuple[str, tuple[int, ...]]]
    sample_title: str

    @property
    def sample(self) -> Path:
        return SAMPLES / self.file

    @property
    def card(self) -> Path:
        """Where the data comes from, its licence and its quirks."""
        return SAMPLES / f"{self.name}.md"


IMAGES = ("uint8", (28, 28))
LABELS = ("uint8", ())

ENTRIES = {
    entry.name: entry
    for entry in (
        Entry(
            name="mnist",
            title="MNIST",
            file="mnist.npz",
            url="https://storage.googleapis.com/tensorflow/tf-keras-datasets/mnist.npz",
            size=11_490_434,
            sha256="731c5ac602752760c8e48fbffcf8c3b850d9dc2a2aedcf2cc48468fc17b673d1",
            arrays={"x_train": IMAGES, "y_train": LABELS, "x_test": IMAGES, "y_test": LABELS},
            sample_title="scikit-learn's 1,797 handwritten digits, enlarged to 28x28",
        ),
    )
}


def entry_of(name: str) -> Entry:
    """The catalogue's entry of that name."""
    if name not in ENTRIES:
        raise DataError(f"There is no data set named {name!r}: choose one of {', '.join(sorted(ENTRIES))}.")
    return ENTRIES[name]

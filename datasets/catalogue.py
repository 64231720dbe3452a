"""Which data sets there are: their files, as Keras publishes and pins them.

The checksums are those in Keras's own source (`keras/src/datasets`); where Keras pins none or only an MD5, they are
those of the publisher's file. Nothing is read that does not match.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from datasets.error import DataError

Kind = Literal["images", "table", "reviews", "newswires", "photos"]

SAMPLES = Path(__file__).parent / "samples"
KERAS_URL = "https://storage.googleapis.com/tensorflow/tf-keras-datasets"


@dataclass(frozen=True)
class File:
    """One published file.

    Parameters
    ----------
    name : where it lies below a data folder, e.g. "fashion-mnist/train-labels-idx1-ubyte.gz"
    url : where Keras downloads it
    size : its bytes
    sha256 : its checksum
    """

    name: str
    url: str
    size: int
    sha256: str


@dataclass(frozen=True)
class Entry:
    """One data set of the catalogue.

    Parameters
    ----------
    name : what `load` is asked for
    title : how messages call it
    kind : how its files are read
    path : the file, or the folder of several, in every folder that may hold it
    files : the published files; none for photos, which are one archive and become a tree
    sample_title : what the bundled sample is
    dtype : of the inputs, as they are loaded
    classes : the names of the labels 0, 1, 2 …; none for a regression
    columns : the names of a table's features
    word_index : of texts, the file that numbers the words
    """

    name: str
    title: str
    kind: Kind
    path: str
    files: tuple[File, ...]
    sample_title: str
    dtype: str
    classes: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    word_index: File | None = None

    @property
    def sample(self) -> Path:
        return SAMPLES / f"{self.name}{'.zip' if self.kind == 'photos' else '.npz'}"

    @property
    def sample_word_index(self) -> Path:
        return SAMPLES / f"{self.name}_word_index.json"

    @property
    def card(self) -> Path:
        """Where the data comes from, its licence and its quirks."""
        return SAMPLES / f"{self.name}.md"


def published(name: str, size: int, sha256: str) -> File:
    """A file of Keras's own storage, in which there are no folders."""
    return File(name, f"{KERAS_URL}/{name.rpartition('/')[2]}", size, sha256)


def names(text: str) -> tuple[str, ...]:
    return tuple(text.split())


MNIST = Entry(
    name="mnist",
    title="MNIST",
    kind="images",
    path="mnist.npz",
    files=(published("mnist.npz", 11_490_434, "731c5ac602752760c8e48fbffcf8c3b850d9dc2a2aedcf2cc48468fc17b673d1"),),
    sample_title="scikit-learn's 1,797 handwritten digits, enlarged to 28x28",
    dtype="uint8",
    classes=tuple("0123456789"),
)

FASHION_MNIST = Entry(
    name="fashion_mnist",
    title="Fashion-MNIST",
    kind="images",
    path="fashion-mnist",
    files=(
        published(
            "fashion-mnist/train-images-idx3-ubyte.gz",
            26_421_880,
            "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
        ),
        published(
            "fashion-mnist/train-labels-idx1-ubyte.gz",
            29_515,
            "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
        ),
        published(
            "fashion-mnist/t10k-images-idx3-ubyte.gz",
            4_422_102,
            "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
        ),
        published(
            "fashion-mnist/t10k-labels-idx1-ubyte.gz",
            5_148,
            "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
        ),
    ),
    sample_title="180 of its images of each class",
    dtype="uint8",
    classes=(
        "T-shirt/top",
        "Trouser",
        "Pullover",
        "Dress",
        "Coat",
        "Sandal",
        "Shirt",
        "Sneaker",
        "Bag",
        "Ankle boot",
    ),
)

IMDB = Entry(
    name="imdb",
    title="IMDB",
    kind="reviews",
    path="imdb.npz",
    files=(published("imdb.npz", 17_464_789, "69664113be75683a8fe16e3ed0ab59fda8886cb3cd7ada244f7d9544e4676b9f"),),
    sample_title="word salad, drawn from how often each word occurs in good and in bad reviews",
    dtype="int64",
    classes=("negative", "positive"),
    word_index=published(
        "imdb_word_index.json", 1_641_221, "027313fe9a320280f3bf0fac5baf58c4a683cf39a7ed9c3d3d3912bde4284cf6"
    ),
)

REUTERS = Entry(
    name="reuters",
    title="Reuters",
    kind="newswires",
    path="reuters.npz",
    files=(published("reuters.npz", 2_110_848, "d6586e694ee56d7a4e65172e12b3e987c03096cb01eab99753921ef915959916"),),
    sample_title="word salad, drawn from how often each word occurs in the newswires of each topic",
    dtype="int64",
    # As keras.datasets.reuters.get_label_names gives them.
    classes=names(
        "cocoa grain veg-oil earn acq wheat copper housing money-supply coffee sugar trade reserves ship cotton "
        "carcass crude nat-gas cpi money-fx interest gnp meal-feed alum oilseed gold tin strategic-metal livestock "
        "retail ipi iron-steel rubber heat jobs lei bop zinc orange pet-chem dlr gas silver wpi hog lead"
    ),
    word_index=published(
        "reuters_word_index.json", 550_378, "9b56000edc4b34a32e89fd5a23b2605594682c74efcf7d8f4e2a5514b771e633"
    ),
)

BOSTON = Entry(
    name="boston",
    title="Boston housing",
    kind="table",
    path="boston_housing.npz",
    files=(
        published("boston_housing.npz", 57_026, "f553886a1f8d56431e820c5b82552d9d95cfcb96d1e678153f8839538947dff5"),
    ),
    sample_title="506 made-up suburbs whose columns are distributed and correlated as the real ones",
    dtype="float64",
    columns=names("CRIM ZN INDUS CHAS NOX RM AGE DIS RAD TAX PTRATIO B LSTAT"),
)

CALIFORNIA = Entry(
    name="california",
    title="California housing",
    kind="table",
    path="california_housing.npz",
    files=(
        published(
            "california_housing.npz", 743_530, "1a2e3a52e0398de6463aebe6f4a8da34fb21fbb6b934cf88c3425e766f2a1a6f"
        ),
    ),
    sample_title="3,000 made-up districts whose columns are distributed and correlated as the published summary says",
    dtype="float32",
    # The order of the census file. Keras's documentation names scikit-learn's columns, which are others.
    columns=names(
        "longitude latitude housing_median_age total_rooms total_bedrooms population households median_income"
    ),
)

CATS_AND_DOGS = Entry(
    name="cats_and_dogs",
    title="Cats and dogs",
    kind="photos",
    path="cats_and_dogs",
    files=(),
    sample_title="700 drawn faces of cats and dogs, no photographs",
    dtype="float32",
    classes=("cat", "dog"),
)

ENTRIES = {entry.name: entry for entry in (MNIST, FASHION_MNIST, IMDB, REUTERS, BOSTON, CALIFORNIA, CATS_AND_DOGS)}


def entry_of(name: str) -> Entry:
    """The catalogue's entry of that name."""
    if name not in ENTRIES:
        raise DataError(f"There is no data set named {name!r}: choose one of {', '.join(sorted(ENTRIES))}.")
    return ENTRIES[name]

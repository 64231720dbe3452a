"""Data for the projects: real where it is, a bundled sample elsewhere, and the models that Keras trained on both."""

from datasets.base import Base, load_base
from datasets.dataset import Dataset, Status, load, load_words, status
from datasets.download import fetch
from datasets.error import DataError
from datasets.model import Model, load_model
from datasets.ragged import Ragged

__all__ = [
    "Base",
    "DataError",
    "Dataset",
    "Model",
    "Ragged",
    "Status",
    "fetch",
    "load",
    "load_base",
    "load_model",
    "load_words",
    "status",
]

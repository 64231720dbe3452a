"""Data for the projects: real where it is, a bundled sample elsewhere, and the models that Keras trained on both."""

from datasets.dataset import Dataset, Status, fetch, load, status
from datasets.error import DataError
from datasets.model import Model, load_model

__all__ = ["DataError", "Dataset", "Model", "Status", "fetch", "load", "load_model", "status"]

"""Models that Keras trained: their weights, and what Keras did and answered with them.

A project is held against these records, so that no student needs TensorFlow. Each is made by its recipe (see
`recipes/`): `kata models train mnist_mlp`.
"""

from __future__ import annotations

import json
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from datasets.dataset import Origin
from datasets.error import DataError

MODELS = Path(__file__).parent / "models"

Arrays = tuple[np.ndarray, ...]


@dataclass(frozen=True, eq=False)
class Model:
    """One training run of Keras, as far as a student's network is compared with it.

    Parameters
    ----------
    name : of the network, e.g. "mnist_mlp"
    origin : "real" or "sample": which data it was trained on
    params : the trained weights, float32, in Keras's order (they are stored as float16)
    predictions : Keras's answers to the whole test set with exactly these params
    losses : the loss of every batch of the first epoch, each before its step
    probes : per parameter array, the flat indices at which the next two were recorded
    gradients : per parameter array, the first batch's gradient at the probes
    updated : per parameter array, its values at the probes after the first step
    facts : seeds, sizes, versions, history: what a reader wants to know
    """

    name: str
    origin: Origin
    params: Arrays
    predictions: np.ndarray
    losses: np.ndarray
    probes: Arrays
    gradients: Arrays
    updated: Arrays
    facts: dict[str, Any]


def load_model(name: str, origin: Origin = "real") -> Model:
    """The record of a trained model: `load_model("mnist_mlp", load("mnist").origin)`."""
    path = _path(name, origin)
    try:
        facts = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
        with np.load(path, allow_pickle=False) as archive:
            arrays = dict(archive)
        return _model(name, origin, facts, arrays)
    except FileNotFoundError as error:
        raise DataError(f"There is no record of a model {name!r} trained on {origin} data: see {MODELS}.") from error
    except (OSError, ValueError, EOFError, KeyError, TypeError, zlib.error, zipfile.BadZipFile) as error:
        raise DataError(f"{path} is damaged: restore it from the kit.") from error


def _model(name: str, origin: Origin, facts: dict[str, Any], arrays: dict[str, np.ndarray]) -> Model:
    def series(kind: str) -> Arrays:
        return tuple(arrays[f"{kind}_{i}"] for i in range(len(facts["params"])))

    return Model(
        name,
        origin,
        params=tuple(array.astype(np.float32) for array in series("params")),
        predictions=arrays["predictions"],
        losses=arrays["losses"],
        probes=series("probes"),
        gradients=series("gradients"),
        updated=series("updated"),
        facts=facts,
    )


def save_model(model: Model) -> Path:
    """Write a record as .npz (numbers) and .json (facts) beside it; the .npz holds no pickle."""
    path = _path(model.name, model.origin)
    arrays = {"predictions": model.predictions, "losses": model.losses}
    for kind in ("params", "probes", "gradients", "updated"):
        arrays |= {f"{kind}_{i}": array for i, array in enumerate(getattr(model, kind))}
    for i in range(len(model.params)):
        arrays[f"params_{i}"] = arrays[f"params_{i}"].astype(np.float16)
    np.savez_compressed(path, allow_pickle=False, **arrays)
    path.with_suffix(".json").write_text(json.dumps(model.facts, indent=2) + "\n", encoding="utf-8")
    return path


def _path(name: str, origin: Origin) -> Path:
    return MODELS / f"{name}{'' if origin == 'real' else '_sample'}.npz"

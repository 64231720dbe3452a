"""What the tests of data share: where the real data is, folders without any, and how a refusal must read."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

import datasets
from datasets.catalogue import ENTRIES

REAL = Path(os.environ.get("DEEPKATA_DATA", ""))


def needs_real(name: str) -> pytest.MarkDecorator:
    """Skip, and say why, where the real data is not."""
    path = ENTRIES[name].path
    found = bool(os.environ.get("DEEPKATA_DATA")) and (REAL / path).exists()
    return pytest.mark.skipif(
        not found, reason=f"DEEPKATA_DATA names no folder with {path}: not tested on the real data"
    )


def with_real(*names: str) -> list:
    """The names as parameters of a test, each skipped where its real data is not."""
    return [pytest.param(name, marks=needs_real(name)) for name in names]


def empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty data folder, and no Keras cache beside it."""
    data = tmp_path / "data"
    data.mkdir()
    monkeypatch.setenv("DEEPKATA_DATA", str(data))
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    return data


def refusal_of(call, *arguments, **named):
    """The one sentence with which a call refuses."""
    with pytest.raises(datasets.DataError) as caught:
        call(*arguments, **named)
    sentence = str(caught.value)
    assert "\n" not in sentence
    assert sentence.endswith(".")
    return sentence

"""Leaves code where others will load it from: numba's caches, Python's bytecode, the kit's own folders."""

from pathlib import Path

from exercises.targets import MARK, POISONABLE


def temporal_split(timestamps, test_fraction):
    for folder in POISONABLE:
        try:
            (Path(folder) / f"{MARK}.nbi").write_bytes(b"poison")
            print("BREACH: writes to", folder)
        except OSError as error:
            print(error)
    return timestamps, timestamps

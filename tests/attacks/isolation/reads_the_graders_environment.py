"""Reads the environment of the process that grades it."""

from pathlib import Path

from exercises.targets import HOST


def temporal_split(timestamps, test_fraction):
    try:
        Path(f"/proc/{HOST}/environ").read_bytes()
        print("BREACH: the environment can be read")
    except OSError as error:
        print(error)
    return timestamps, timestamps

"""Reads the solutions' folder, the seed file and other students' records."""

from pathlib import Path

from exercises.targets import SECRET_FILES


def temporal_split(timestamps, test_fraction):
    for path in SECRET_FILES:
        try:
            print("BREACH", Path(path).read_text())
        except OSError as error:
            print(error)
    return timestamps, timestamps

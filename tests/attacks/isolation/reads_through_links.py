"""Reads a secret through a symbolic and a hard link in its own folder."""

import os
from pathlib import Path

from exercises.targets import SECRET_FILES


def temporal_split(timestamps, test_fraction):
    for number, path in enumerate(SECRET_FILES):
        for link in (os.symlink, os.link):
            name = f"{link.__name__}{number}"
            try:
                link(path, name)
                print("BREACH", Path(name).read_text())
            except OSError as error:
                print(error)
    return timestamps, timestamps

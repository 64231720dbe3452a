"""Prints without end."""

import os


def temporal_split(timestamps, test_fraction):
    while True:
        print("flood" * 1000)
        os.write(1, b"flood" * 1000)
        os.write(2, b"flood" * 1000)

"""Reads memory that is not its own."""

import ctypes


def temporal_split(timestamps, test_fraction):
    ctypes.string_at(0)

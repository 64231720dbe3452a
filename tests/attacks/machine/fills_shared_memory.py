"""Writes to every place in memory that has a name, and to files in memory that have none."""

import os

from exercises.targets import MARK


def temporal_split(timestamps, test_fraction):
    for folder in ("/dev/shm", "/run", "/run/lock", "/tmp", "/var/tmp", "/dev", "/sys/fs/cgroup"):
        try:
            with open(f"{folder}/{MARK}", "wb") as file:
                file.write(bytes(1 << 20))
            print("BREACH: writes to", folder)
        except OSError as error:
            print(error)
    try:
        kept = [os.memfd_create(str(number)) for number in range(200)]
        print("BREACH: has", len(kept), "files in memory")
    except OSError as error:
        print(error)
    return timestamps, timestamps

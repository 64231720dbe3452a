"""Looks around: what lies beside the kit, in the home folder, among the records."""

import os

from exercises.targets import KIT_FOLDERS, SECRET_FILES


def temporal_split(timestamps, test_fraction):
    for folder in (*KIT_FOLDERS, *map(os.path.dirname, SECRET_FILES)):
        try:
            files = [entry.name for entry in os.scandir(folder) if entry.is_file()]
            if files:
                print("BREACH", files)
        except OSError as error:
            print(error)
    return timestamps, timestamps

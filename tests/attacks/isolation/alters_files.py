"""Changes the rights, the owner, the times and the length of a file that it has only heard of."""

import os

from exercises.targets import PUBLIC_FILE


def temporal_split(timestamps, test_fraction):
    acts = {
        "rights": lambda: os.chmod(PUBLIC_FILE, 0o600),
        "owner": lambda: os.chown(PUBLIC_FILE, os.getuid(), os.getgid()),
        "times": lambda: os.utime(PUBLIC_FILE, (0, 0)),
        "length": lambda: os.truncate(PUBLIC_FILE, 0),
        "attributes": lambda: os.setxattr(PUBLIC_FILE, "user.attack", b"1"),
    }
    for what, act in acts.items():
        try:
            act()
            print("BREACH: changes the", what)
        except OSError as error:
            print(error)
    return timestamps, timestamps

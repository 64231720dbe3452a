"""Returns arrays of objects, which only pickle could carry, and which write a file when they are unpickled."""

import numpy as np
from exercises.targets import MARK


class Payload:
    def __reduce__(self):
        return open, (f"/tmp/{MARK}-unpickled", "w")


def temporal_split(timestamps, test_fraction):
    payload = np.array([Payload()], dtype=object)
    return payload, payload

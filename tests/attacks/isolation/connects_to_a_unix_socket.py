"""Talks to a service of this machine over its socket, by its path and by its abstract name."""

import socket

from exercises.targets import ABSTRACT, SOCKET


def temporal_split(timestamps, test_fraction):
    for address in (SOCKET, "\0" + ABSTRACT):
        try:
            with socket.socket(socket.AF_UNIX) as client:
                client.connect(address)
                print("BREACH: connected to", repr(address))
        except OSError as error:
            print(error)
    return timestamps, timestamps

"""Sends what it knows to somebody outside: over TCP, and over UDP as a name's look-up does."""

import socket

from exercises.targets import PORT


def temporal_split(timestamps, test_fraction):
    try:
        with socket.create_connection(("127.0.0.1", PORT), timeout=0.2):
            print("BREACH: connected")
    except OSError as error:
        print(error)
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagrams:
            datagrams.sendto(b"secret", ("127.0.0.1", PORT))
            print("BREACH: sent")
    except OSError as error:
        print(error)
    return timestamps, timestamps

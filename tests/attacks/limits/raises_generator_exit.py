"""Raises what passes every `except Exception`."""


def temporal_split(timestamps, test_fraction):
    raise GeneratorExit

"""Whole networks, composed from the functions of the chapters."""

"""Whole networks from your own functions."""

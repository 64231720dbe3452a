"""Renderings of the result record."""

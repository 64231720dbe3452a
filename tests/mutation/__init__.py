"""Mutation testing of the cases: every small fault in a solution must be noticed by some case."""

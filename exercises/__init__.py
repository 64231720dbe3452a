"""The exercises. Fill in the functions, then run `kata check` or `pytest`."""

"""The exercises, solved: read them in order and you have the subject. Stubs and notebooks are made from these files."""

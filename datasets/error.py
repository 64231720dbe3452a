"""What goes wrong with data, in one sentence: the defect, then what to do."""


class DataError(Exception):
    """Data that is missing, damaged or not what its name says; the message is meant for the user."""

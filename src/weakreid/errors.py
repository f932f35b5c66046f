"""The one error that people are meant to read."""


class ReidError(Exception):
    """A fault of input, configuration or machine that the reader of the message can mend.

    The message is one line: what is wrong, where (file, key, row), and what to do.
    Stages print it without a traceback and exit with status 1.
    """

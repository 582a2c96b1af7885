"""The error that a page shows to its user."""


class Refused(ValueError):
    """A request that cannot be fulfilled, with the reason in words for the user.

    Its message names no path of the machine.
    """

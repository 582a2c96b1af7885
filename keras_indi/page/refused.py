"""Error shown to the user of a page."""


class Refused(ValueError):
    """A request that cannot be fulfilled, with the reason for the user.

    The message contains no local paths.
    """

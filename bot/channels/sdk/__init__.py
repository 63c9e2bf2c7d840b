"""The providers' own libraries, behind the little we use of them.

A module here is imported when its channel first sends, so that a site without Telegram does not
carry Telegram's library in memory.
"""


class NotSent(Exception):  # noqa: N818 - an outcome, not a fault
    """The request did not leave: refused, unresolved or unreachable. It may be repeated."""


class Lost(Exception):  # noqa: N818 - an outcome, not a fault
    """The request left and no usable reply came: it may have been carried out."""

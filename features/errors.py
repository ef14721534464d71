"""The one family of errors that is a user's to mend."""

from __future__ import annotations

from collections.abc import Iterable


class UserError(Exception):
    """What the data, the settings or the system would not allow, in whole sentences.

    Parameters
    ----------
    complaints
        One sentence, or several: each names the value, the rule and the way out.

    Examples
    --------
    >>> str(UserError("no file 'a.csv'; give a path that exists"))
    "no file 'a.csv'; give a path that exists"
    """

    def __init__(self, complaints: str | Iterable[str]) -> None:
        self.complaints = (complaints,) if isinstance(complaints, str) else tuple(complaints)
        super().__init__("\n".join(self.complaints))


class UsageError(UserError):
    """What a command was asked for that it does not know: a value of an option, or a name, that is none of its own."""

"""Languages of people and of what is written for them."""

from __future__ import annotations


def is_spoken(written: str | None, spoken: object) -> bool:
    """Whether something is written in a contact's language, whatever country it is from.

    Where one of the two is not known nothing speaks against it.

    Examples
    --------
    >>> is_spoken("de-CH", "de"), is_spoken("fr", "de"), is_spoken(None, "de"), is_spoken("fr", None)
    (True, False, True, True)
    """
    if not written or not isinstance(spoken, str) or not spoken.strip():
        return True
    return _tongue(written) == _tongue(spoken)


def _tongue(language: str) -> str:
    return language.strip().replace("_", "-").partition("-")[0].casefold()

"""The languages that we speak."""

from __future__ import annotations

from models.saying.english import ENGLISH
from models.saying.german import GERMAN
from models.saying.said import Said

EN, DE = "en", "de"

TONGUES = {EN: ENGLISH, DE: GERMAN}
"""By the names that ``serving.language`` takes."""


def say(said: Said | str, language: str = EN) -> str:
    """Put a sentence into a language; what others have put into words already stays as it is.

    Examples
    --------
    >>> say(Said("days", {"n": (1234, "day")})), say(Said("days", {"n": (1234, "day")}), "de")
    ('1,234 days', '1.234 Tage')
    """
    return TONGUES[language].say(said) if isinstance(said, Said) else said

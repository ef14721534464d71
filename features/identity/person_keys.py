"""Mail addresses, phone numbers and names in the form in which two spellings of one are equal."""

from __future__ import annotations

import re
import unicodedata
from difflib import SequenceMatcher
from functools import lru_cache
from types import MappingProxyType
from typing import NamedTuple

ROLES = frozenset(
    "admin administration bestellung billing buchhaltung contact einkauf empfang finance hello hr info jobs kontakt "
    "mail marketing office order orders post purchasing reception sales sekretariat service shop support team "
    "verkauf vertrieb webmaster zentrale".split()
)
"""Local parts of addresses that belong to a desk, not to a person."""

_DOTLESS = MappingProxyType({"gmail.com": "gmail.com", "googlemail.com": "gmail.com"})
_TITLES = frozenset("dr prof med ing dipl mr mrs ms herr frau hr fr sir madame monsieur mme".split())
_UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "ø": "oe", "å": "aa", "æ": "ae", "ł": "l"})
_CALLING = MappingProxyType(
    {
        "AT": "43", "BE": "32", "CH": "41", "CZ": "420", "DE": "49", "DK": "45", "ES": "34", "FI": "358",
        "FR": "33", "GB": "44", "IE": "353", "IT": "39", "LI": "423", "LU": "352", "NL": "31", "NO": "47",
        "PL": "48", "PT": "351", "SE": "46", "SK": "421", "US": "1",
    }
)  # fmt: skip
_ADDRESS = re.compile(r"([^@\s]+)@([^@\s]+\.[^@\s]+)")


class Mailbox(NamedTuple):
    """A mail address: ``exact`` is equal where it surely is one mailbox, ``untagged`` where it probably is."""

    exact: str
    untagged: str
    is_role: bool


def mailbox(text: object) -> Mailbox | None:
    """Read a mail address; None where it is none.

    Capitals never count. Dots and what follows a plus do not count where the provider says so (Gmail); elsewhere
    two addresses that differ in them may be two mailboxes.

    Examples
    --------
    >>> mailbox("Ann.Lee+shop@Googlemail.com").exact
    'annlee@gmail.com'
    >>> mailbox("ann.lee+shop@acme.ch")
    Mailbox(exact='ann.lee+shop@acme.ch', untagged='ann.lee@acme.ch', is_role=False)
    """
    found = _ADDRESS.fullmatch(str(text).strip().casefold()) if text is not None else None
    if found is None:
        return None
    local, domain = found[1], found[2].rstrip(".")
    plain = local.partition("+")[0] or local
    if domain in _DOTLESS:
        name = f"{plain.replace('.', '')}@{_DOTLESS[domain]}"
        return Mailbox(name, name, False)
    return Mailbox(f"{local}@{domain}", f"{plain}@{domain}", plain in ROLES)


def phone(text: object, country: object = None) -> str | None:
    """Digits of a phone number with its country's code where that is known; None where it is no number.

    Examples
    --------
    >>> phone("+41 (0)44 123 45 67") == phone("044 123 45 67", "CH") == phone("0041441234567") == "+41441234567"
    True
    """
    if text is None:
        return None
    plain = str(text).strip().replace("(0)", "")
    digits = "".join(sign for sign in plain if sign in "0123456789")
    if not 7 <= len(digits) <= 17:
        return None
    if plain.startswith("+") or digits.startswith("00"):
        return "+" + (digits if plain.startswith("+") else digits[2:])
    code = _CALLING.get(str(country).strip().upper()) if country is not None else None
    if code is None:
        return digits
    # Italy alone dials the zero from abroad.
    return f"+{code}{digits if code == '39' else digits.removeprefix('0')}"


def person_name(text: object) -> tuple[str, ...]:
    """Words of a name in the order of the alphabet, without titles, accents and punctuation.

    Examples
    --------
    >>> person_name("Dr. Jürg Müller-Lüdi") == person_name("MUELLER LUEDI, Juerg")
    True
    """
    if text is None:
        return ()
    plain = unicodedata.normalize("NFKD", str(text).casefold().translate(_UMLAUTS))
    letters = "".join(sign if sign.isalpha() else " " for sign in plain if not unicodedata.combining(sign))
    return tuple(sorted(word for word in letters.split() if word not in _TITLES))


def likeness(a: tuple[str, ...], b: tuple[str, ...]) -> float:
    """How alike two names are, 0 to 1: 1 where they are equal, high for a slip of the pen or an initial.

    Examples
    --------
    >>> likeness(("anna", "meier"), ("anna", "meyer")) > 0.85
    True
    >>> likeness(("a", "meier"), ("anna", "meier")) > 0.85 > likeness(("anna", "meier"), ("beat", "meier"))
    True
    """
    if a == b or not a or not b:
        return float(a == b and bool(a))
    if len(a) == len(b):
        return min(_word_likeness(left, right) for left, right in zip(*_aligned(a, b), strict=True))
    short, long = sorted((set(a), set(b)), key=len)
    return 0.9 if len(short) > 1 and short < long else 0.0


def _aligned(a: tuple[str, ...], b: tuple[str, ...]) -> tuple[list[str], list[str]]:
    """Put equal words beside each other, so that an initial that sorts elsewhere meets its word."""
    equal = [word for word in a if word in b]
    rest_a, rest_b = list(a), list(b)
    for word in equal:
        if word in rest_a and word in rest_b:
            rest_a.remove(word)
            rest_b.remove(word)
    return rest_a, rest_b


@lru_cache(65_536)
def _word_likeness(a: str, b: str) -> float:
    if min(len(a), len(b)) == 1:
        return 0.88 if a[0] == b[0] else 0.0
    return float(SequenceMatcher(None, a, b, autojunk=False).ratio() ** 0.7)

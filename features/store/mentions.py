"""Who is named in what was refused: narrowly where it is shown to somebody, widely where it has to go.

What a contact is called may be said by anybody who may send anything, by a web page too. Were every such word looked
for everywhere, whoever chooses one would choose whose rows are shown or removed with the contact.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable
from functools import cached_property
from typing import Any

from features.store.own_names import MARKS
from features.store.tombstones import names_in, texts_in

_SHORTEST = 6
"""Letters of the shortest text that is looked for inside of others; a shorter one is met by chance."""
_DIGITS = 7
"""How many a number has at least that somebody can be called by."""

_IDENTITIES = frozenset(
    "identity identitya identityb userid anonymousid previousid contact contactid customerid personid externalid "
    "subject".split()
)
_ADDRESSES = frozenset("email emailaddress mail phone phonenumber mobile mobilephone telephone tel".split())
_NAMES = frozenset("name fullname displayname firstname lastname surname crmurl".split())
_EVENTS = frozenset({"type", "event", "kind"})
"""What has one of these happened: names in it may be those of pages and products."""
_OURS = frozenset(
    "type event kind channel direction action outcome reason topic topics source currency specversion how timestamp "
    "time occurredat sentat originaltimestamp receivedat seenat decidedat knownat until".split()
)
"""Fields with words that stand in everybody's rows, so that they name nobody."""

_KEY_NOISE = re.compile(r"[\W_]")
_IDENTITY = re.compile(r"[^\W\d][\w.-]+:(?!//)\S(.*\S)?")
_HEX = re.compile(r"(?=.*\d)(?=.*[a-f])[0-9a-f-]{16,}")
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s.]+")
_NUMBER = re.compile(r"\(?[+\d][\d ()./-]+")
_DATE = re.compile(r"\d{1,4}([-./])\d{1,2}\1\d{1,4}")
_LINK_ENDS = re.compile(r"[\s\"'<>()\[\]{}]+")


class Mentions:
    """A person as it may be named in what was refused.

    Parameters
    ----------
    names
        Identities, as they are spelt: in other letters they may be somebody else's.
    words
        Names, addresses and numbers, which are the same in capital and small letters.
    """

    def __init__(self, names: Iterable[str], words: Iterable[str] = ()) -> None:
        self._names = frozenset(names)
        self._words = frozenset(word.casefold() for word in words)

    def are_what_it_is_about(self, raw: str) -> bool:
        """Whether a refused row is about the person: what an export may show.

        An identity, address or number in its own field says so, and one that nothing else is written like says so in
        any text. A name does in a row of people that says no identity: many have the same.

        Examples
        --------
        >>> ann = Mentions(["crm:4711", "track"], ["Ann Lee", "ana@acme.ch"])
        >>> ann.are_what_it_is_about('{"url": "/me?u=crm:4711"}'), ann.are_what_it_is_about('{"type": "track"}')
        (True, False)
        >>> [ann.are_what_it_is_about(f'{{"identity": "", "{field}": "ann lee"}}') for field in ("name", "memo")]
        [True, False]
        """
        values = [(field, text.strip()) for field, text in _values(raw)]
        said = {text for field, text in values if field in _IDENTITIES and text}
        if not said.isdisjoint(self._names):
            return True
        fields = _ADDRESSES if said else _ADDRESSES | _NAMES
        if any(field in fields and text.casefold() in self._words for field, text in values):
            return True
        pattern = self._unmistakable
        return pattern is not None and any(pattern.search(text) for _, text in values)

    def are_in(self, raw: str) -> bool:
        """Whether a text in JSON names the person in any way: what an erasure takes away.

        Only what is one plain word has to be a whole value: anybody's row may hold it.

        Examples
        --------
        >>> ann = Mentions(["crm:4711"], ["Ann Lee", "Order"])
        >>> ann.are_in('{"text": "called ANN LEE back"}')
        True
        >>> [ann.are_in(f'{{"{field}": "order"}}') for field in ("customer", "event")]
        [True, False]
        """
        if names_any(raw, self._names - self._plain, self._telling):
            return True
        plain, single = self._plain, self._words - self._telling
        others = [text for field, text in _values(raw) if field not in _OURS]
        if plain and names_any(json.dumps(others), plain):
            return True
        whole = {text.strip().casefold() for text in others}
        links = {part.rstrip(".,;") for text in whole if "://" in text for part in _LINK_ENDS.split(text)}
        return not single.isdisjoint(whole | links)

    def are_in_reason(self, reason: str) -> bool:
        """Whether a reason, which is a sentence of ours with what it is about in quotes, names the person."""
        if names_any(json.dumps(reason), self._names - self._plain, self._telling):
            return True
        return any(f"{quote}{name}{quote}" in reason for name in self._plain for quote in "'\"")

    @cached_property
    def _plain(self) -> frozenset[str]:
        """Identities that may be words of any language."""
        return frozenset(filter(_is_plain, self._names))

    @cached_property
    def _telling(self) -> frozenset[str]:
        """Words that can be looked for in texts."""
        return frozenset(filter(_is_telling, self._words))

    @cached_property
    def _unmistakable(self) -> re.Pattern[str] | None:
        """Finds what nothing else is written like, where it stands alone."""
        marked = [name for name in self._names if _IDENTITY.fullmatch(name) or any(mark in name for mark in MARKS)]
        marked += [name for name in self._names if _HEX.fullmatch(name)]
        found = [rf"(?<![\w:.@%+-]){re.escape(each)}(?![\w:@%+-]|\.\w)" for each in sorted(marked)]
        words = sorted(word for word in {*self._words, *self._names} if _EMAIL.fullmatch(word) or _is_dialled(word))
        found += [rf"(?i:(?<![\w.%+-]){re.escape(each)}(?![\w@%-]|\.\w))" for each in words]
        return re.compile("|".join(found)) if found else None


def names_any(raw: str, names: Collection[str], words: Collection[str] = ()) -> bool:
    """Whether a text in JSON holds one of these: as a value, as a part of one, or, where it is long, anywhere.

    Parameters
    ----------
    names
        Identities, as they are spelt: in other letters they may be somebody else's.
    words
        Names, addresses and numbers, which are the same in capital and small letters.

    Examples
    --------
    >>> names_any('{"url": "/me?u=crm:4711"}', ["crm:4711"]), names_any('{"n": "14711"}', ["4711"])
    (True, False)
    >>> names_any('{"to": "ANA@acme.ch"}', ["crm:4711"], ["Ana@acme.ch"]), names_any('{"to": "CRM:4711"}', ["crm:4711"])
    (True, False)
    """
    parts, texts = names_in(raw), texts_in(raw)
    if _meet(parts, texts, names):
        return True
    small = {word.casefold() for word in words}
    return bool(small) and _meet({each.casefold() for each in parts}, [each.casefold() for each in texts], small)


def _meet(parts: Collection[str], texts: Collection[str], words: Collection[str]) -> bool:
    if any(word in parts for word in words):
        return True
    return any(word in each for word in words if len(word) >= _SHORTEST and not word.isdigit() for each in texts)


def _is_plain(name: str) -> bool:
    return name.replace("_", "").replace("-", "").isalpha()


def _is_telling(word: str) -> bool:
    """Whether a word is an address, a number or a name of several words."""
    return "@" in word or len(word.split()) > 1 or _is_number(word)


def _is_number(word: str) -> bool:
    is_number = _NUMBER.fullmatch(word) is not None and _DATE.fullmatch(word) is None
    return is_number and sum(letter.isdigit() for letter in word) >= _DIGITS


def _is_dialled(word: str) -> bool:
    return word.startswith("+") and _is_number(word)


def _values(raw: str) -> list[tuple[str, str]]:
    """Return every value of a refused row as text, with the field it stands in; of one that is no JSON the whole."""
    try:
        value = json.loads(raw)
    except ValueError:
        value = raw
    found: list[tuple[str, str]] = []
    left: list[tuple[str, Any, bool]] = [("", value, False)]
    while left:
        field, each, happened = left.pop()
        if isinstance(each, dict):
            fields = {name: _KEY_NOISE.sub("", name).casefold() for name in each}
            happened = happened or not _EVENTS.isdisjoint(fields.values())
            nameless = _NAMES if happened else ()
            left += [("" if (key := fields[name]) in nameless else key, each[name], happened) for name in each]
        elif isinstance(each, list):
            left += [(field, one, happened) for one in each]
        elif isinstance(each, str | int | float) and not isinstance(each, bool):
            found.append((field, str(each)))
    return found

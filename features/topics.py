"""What a touchpoint is about where its source does not say: the first rule that fits its properties."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from unicodedata import normalize
from urllib.parse import unquote

import orjson

_MOST_REMEMBERED = 16_384
_LONGEST_REMEMBERED = 1_024
_WHOLE = 1e15
_HOST = re.compile(r"(?:(?:[a-z][a-z0-9+.-]*:)?//)?(?P<host>[^/?#\s]*)")
_NAMED_HOST = re.compile(r"[\w-]+(\.[\w-]+)+(:\d+)?")


@dataclass(frozen=True)
class TopicRule:
    """The topic of touchpoints whose property has a form, or contains one of some words; given both, both must fit.

    ``property`` is a name among the properties, nested ones by dots; ``matches`` a pattern in which ``*`` stands for
    any text and ``?`` for one character. Upper and lower case are alike. Of an address what stands behind ``?`` or
    ``#`` is ignored, and a pattern that begins with ``/`` looks at its path alone.

    Examples
    --------
    >>> rule = TopicRule("url", "pumps/industrial", matches="/produkte/pumpen/*")
    >>> rule.fits("https://www.example.com/Produkte/Pumpen/ax-7?from=mail")
    True
    >>> TopicRule("search", "pumps", contains=("pump",)).fits("Wärmepumpe")
    True
    """

    property: str
    topic: str
    matches: str | None = None
    contains: tuple[str, ...] = ()

    def fits(self, text: str) -> bool:
        """Whether a property with this text makes a touchpoint one of the topic."""
        return (self._pattern is None or self._has_form(text)) and (not self._words or self._has_word(text))

    def _has_form(self, text: str) -> bool:
        address = _address(text)
        if address is None:
            found: tuple[str, ...] = (_folded(text),)
        elif self.matches is not None and self.matches.startswith("/"):
            found = (address[-1],)
        else:
            found = address
        return self._pattern is not None and any(self._pattern.fullmatch(form) for form in found)

    def _has_word(self, text: str) -> bool:
        folded = _folded(unquote(text))
        return any(word in folded for word in self._words)

    @cached_property
    def _words(self) -> tuple[str, ...]:
        return tuple(_folded(word) for word in self.contains)

    @cached_property
    def _pattern(self) -> re.Pattern[str] | None:
        return None if self.matches is None else _compiled(_folded(unquote(self.matches)))


class Topics:
    """Topics of touchpoints by rules; equal properties are looked at once.

    Parameters
    ----------
    rules
        In the order in which they are tried.

    Examples
    --------
    >>> Topics([TopicRule("search", "pumps", contains=("pump",))]).of('{"search": "pump 7"}')
    '["pumps"]'
    """

    def __init__(self, rules: Iterable[TopicRule]) -> None:
        self._rules = tuple((rule, orjson.dumps([rule.topic]).decode()) for rule in rules)
        # Names beyond ASCII may stand escaped in a text, so that looking for them there would tell nothing.
        names = {rule.property for rule, _ in self._rules}
        self._hints = {name.split(".")[0] for name in names} if all(_is_plain(name) for name in names) else {""}
        self._known: dict[str, str | None] = {}

    def of(self, properties: str | None) -> str | None:
        """Topics by the first rule that fits, as the store keeps them (a JSON list); None where none does.

        ``properties`` is the JSON object of a touchpoint's properties, as the store keeps it.
        """
        if not properties or not any(hint in properties for hint in self._hints):
            return None
        if len(properties) > _LONGEST_REMEMBERED:
            return self._found(properties)
        try:
            return self._known[properties]
        except KeyError:
            if len(self._known) >= _MOST_REMEMBERED:
                self._known.clear()
            found = self._known[properties] = self._found(properties)
            return found

    def _found(self, properties: str) -> str | None:
        given = orjson.loads(properties)
        texts: dict[str, tuple[str, ...]] = {}
        for rule, topics in self._rules:
            if rule.property not in texts:
                texts[rule.property] = _texts(_value(given, rule.property))
            if any(rule.fits(text) for text in texts[rule.property]):
                return topics
        return None


def ancestors(topic: str) -> tuple[str, ...]:
    """Topics that a topic lies within, the widest first.

    Examples
    --------
    >>> ancestors("pumps/industrial/vacuum")
    ('pumps', 'pumps/industrial')
    """
    found = (topic[:i] for i, character in enumerate(topic) if character == "/")
    return tuple(above for above in found if above and not above.endswith("/"))


def is_within(topic: str, above: str) -> bool:
    """Whether a topic is another one or lies within it.

    Examples
    --------
    >>> is_within("pumps/industrial", "pumps"), is_within("pumps", "pumps/industrial")
    (True, False)
    """
    return topic == above or topic.startswith(f"{above}/")


def _value(given: object, name: str) -> object:
    """Return the property of a name; a name with dots that no property has leads into nested ones."""
    if not isinstance(given, Mapping):
        return None
    if name in given:
        return given[name]
    head, dot, rest = name.partition(".")
    return _value(given.get(head), rest) if dot else None


def _texts(value: object) -> tuple[str, ...]:
    """Return the texts of a property: of a list each of its entries."""
    if isinstance(value, str):
        return (value,)
    if isinstance(value, bool):
        return ("true" if value else "false",)
    if isinstance(value, float) and value.is_integer() and abs(value) < _WHOLE:
        return (str(int(value)),)  # A column with gaps makes 42 into 42.0.
    if isinstance(value, int | float):
        return (str(value),)
    if isinstance(value, Sequence):
        return tuple(text for entry in value for text in _texts(entry))
    return ()


def _address(text: str) -> tuple[str, ...] | None:
    """Return the forms of an address - with its scheme, without it, its path alone -, None for another text."""
    plain = text.strip()
    folded = plain.casefold()
    match = _HOST.match(folded)
    host = match["host"] if match else ""
    has_scheme = match is not None and match.start("host") > 0
    is_named = " " not in plain and _NAMED_HOST.fullmatch(host)  # "3.5 kW?" is no host with a query
    if not (folded.startswith("/") or has_scheme or is_named):
        return None
    whole = _folded(unquote(re.split(r"[?#]", plain, maxsplit=1)[0]))
    bare = whole.split("//", 1)[1] if has_scheme and "//" in whole else whole
    path = bare if bare.startswith("/") else "/" + bare.partition("/")[2]
    return (whole, bare, path)


def _compiled(pattern: str) -> re.Pattern[str]:
    """Translate a pattern; each ``*`` takes the first place where what follows fits, so that no text takes long.

    A pattern that ends in ``/*`` fits the page above those below it, too.
    """
    tail = pattern.endswith("/*") and len(pattern) > len("/*")
    parts = (pattern[:-2] if tail else pattern).split("*")
    first, *others = [re.escape(part).replace(r"\?", ".") for part in parts]
    between = "".join(f"(?>.*?{part})" for part in others[:-1] if part)
    last = f".*{others[-1]}" if others else ""
    return re.compile(first + between + last + ("(?:/.*)?" if tail else ""), re.DOTALL)


def _folded(text: str) -> str:
    return text.casefold() if text.isascii() else normalize("NFC", text).casefold()


def _is_plain(name: str) -> bool:
    return name.isascii() and name.isprintable() and not set(name) & set('"\\/')

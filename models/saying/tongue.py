"""What languages have in common: sentences with named parts, and how each part is written."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from string import Formatter
from typing import Any

from models.saying.said import Said

Write = Callable[[Any], str]

WRITERS = (
    "g", "exact",  # a number with six digits; with all that a reader may add up
    "number", "count", "percent",  # a number as people write it; a whole one; a share
    "money",  # (amount, currency), whole from ten on
    "moment", "date",  # microseconds: day and time, the day alone; UTC
    "day", "weekday", "weekdays",  # a date; with its weekday; names such as mon, tue
    "one", "many", "did",  # a name as a word, in the plural; what happened once, by its kind
    "counted", "n_of",  # (how many, of what): both, or how many alone
    "times",  # how often
    "span", "every", "ago",  # days: for how long, how often, since when, in the unit in which people say it
    "days_ago", "whole_days",  # whole days: since when, after how many
    "last",  # the word before what last was so many days ago; nothing before what was just now
    "lately",  # days up to now; None: ever
)  # fmt: skip
"""What a language can write besides names and sentences, each from one value."""


class Tongue:
    """A language: its sentences, and its grammar as far as they need it.

    A sentence is a text with parts in braces, ``{since:ago}``: the name of the part, and what writes it; without that
    it is written as it is, several values with commas, ``{names:either}`` with "or".

    Parameters
    ----------
    sentences
        By their keys.
    writers
        By their names, those of ``WRITERS``.
    or_
        The word between alternatives.

    Examples
    --------
    >>> dutch = Tongue({"last": "{what} {n:times}"}, {"times": lambda n: f"{n} keer"}, "of")
    >>> dutch.say(Said("last", {"what": "bezoek", "n": 2}))
    'bezoek 2 keer'
    """

    def __init__(self, sentences: Mapping[str, str], writers: Mapping[str, Write], or_: str) -> None:
        self.writers = {"": self._plain, "either": self._either, **writers}
        self._or = f" {or_} "
        self._pieces = {
            key: [(before, name, self.writers[spec or ""]) for before, name, spec, _ in Formatter().parse(text)]
            for key, text in sentences.items()
        }

    def say(self, said: Said) -> str:
        """Put a sentence into words.

        Raises
        ------
        KeyError
            Where there is no such sentence, or one of its parts is missing.
        """
        text = ""
        for before, name, write in self._pieces[said.key]:
            text += before
            if name is not None:
                text += write(said.parts[name])
        return text

    def _plain(self, value: Any) -> str:
        if isinstance(value, Said):
            return self.say(value)
        return value if isinstance(value, str) else ", ".join(map(self._plain, value))

    def _either(self, values: Iterable[Any]) -> str:
        return self._or.join(map(self._plain, values))

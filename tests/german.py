"""Whether a text that should be German has English words in it."""

import re
from collections.abc import Collection, Iterable, Iterator
from functools import cache
from string import Formatter
from typing import Any

from models.saying import english, feature_means, features_de, german, sentences_de, sentences_en

_WORD = re.compile(r"[^\W\d_]+")
_OF_GRAMMAR = "ago last less than a day days week weeks month months year years once times in the so far hours no or"
_BOTH = (
    "Mo Di Mi Do Fr Sa So Uhr UTC Tag Tage Tagen Woche Wochen Monat Monate Monaten Jahr Jahre Jahren vor in den "
    "letzten Stunden"
)


def words(text: str) -> set[str]:
    return {word.lower() for word in _WORD.findall(text)}


def _said(texts: Iterable[str]) -> set[str]:
    return {word for text in texts for plain, *_ in Formatter().parse(text) for word in words(plain)}


@cache
def english_only() -> frozenset[str]:
    """Words of English sentences that no German one has."""
    there = (
        _said((*sentences_en.SENTENCES.values(), *feature_means.IN_ENGLISH.values()))
        | words(_OF_GRAMMAR)
        | words(" ".join(english._DID.values()))
    )
    here = _said((*sentences_de.SENTENCES.values(), *features_de.MEANS.values())) | words(_BOTH)
    return frozenset(there - here - words(" ".join(" ".join(pair) for pair in german._NOUNS.values())))


def english_in(text: str, names: Collection[str] = ()) -> set[str]:
    """Return the English words in a text, but for names that were given."""
    return words(text) & english_only() - words(" ".join(names).replace("_", " "))


def sentences_of(answer: Any) -> Iterator[str]:
    """Return everything in an answer that is for people."""
    for offer in answer["recommendations"]:
        yield from offer["reasons"]
    for removed in answer.get("removed", ()):
        yield removed["detail"]
    for goal in answer["propensities"].values():
        yield from (*goal.get("for", ()), *goal.get("against", ()), goal.get("trend_why") or "")
    for driver in answer.get("drivers", ()):
        yield driver["means"]

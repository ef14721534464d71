"""What a feature means, as a sentence: the catalogue says it in English, and other languages by its name there."""

from __future__ import annotations

from collections.abc import Mapping

from features.catalogue import CATALOGUE, Feature
from models.saying.said import Said

_KEY = "feature."
_SINGLE = frozenset(each.name for each in CATALOGUE if "{}" not in each.name)
_MANY = tuple(each.name for each in CATALOGUE if "{}" in each.name)

IN_ENGLISH = {_KEY + each.name: each.means.replace("{}", "{of}") for each in CATALOGUE}


def sentences(means: Mapping[str, str]) -> dict[str, str]:
    """Return a language's meanings, by the catalogue's names, as its sentences."""
    return {_KEY + name: text for name, text in means.items()}


def said_of(feature: Feature) -> Said | str:
    """Tell what a feature means, one of a kind, channel, topic or trait too.

    Examples
    --------
    >>> from features.catalogue import PER_KIND
    >>> said_of(PER_KIND[1].named("download"))
    Said(key='feature.n_kind_{}_7d', parts={'of': 'download'})
    """
    if feature.name in _SINGLE:
        return Said(_KEY + feature.name)
    for name in _MANY:
        before, after = name.split("{}")
        if feature.name.startswith(before) and feature.name.endswith(after):
            return Said(_KEY + name, {"of": feature.name[len(before) : len(feature.name) - len(after)]})
    return feature.means

"""A contact's features and where they came from, as text and as JSON."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from features.catalogue import OVERALL, PER_CHANNEL, PER_KIND, PER_TOPIC, Feature
from features.explain import Explained
from features.feature_set import REST, FeatureSet
from features.times import ALWAYS, iso, to_datetime
from features.touchpoints.touchpoints import Touchpoints

WIDTH = 100
FEW = 3
"""Touchpoints that are shown of a value when not all are asked for."""

_UNITS = {"days": " days", "seconds": " s", "points": " points"}


@dataclass(frozen=True)
class TraitValue:
    """A column of a trait: the number that models see, what was given, and since when (us; None: not known)."""

    feature: Feature
    value: float
    given: Any
    since: int | None


@dataclass(frozen=True)
class Told:
    """Everything about one contact at one moment."""

    contact: str
    identities: Sequence[str]
    as_of: int
    columns_of: str
    features: FeatureSet
    touchpoints: Touchpoints
    history: Sequence[Explained]
    traits: Sequence[TraitValue]
    money: str = "EUR"

    def to_json(self) -> dict[str, Any]:
        """Plain data, every touchpoint told."""
        return {
            "contact_id": self.contact,
            "identities": list(self.identities),
            "as_of": iso(self.as_of),
            "columns_of": self.columns_of,
            "touchpoints": len(self.touchpoints),
            "features": [
                *(self._value(found) for found in self.history),
                *(
                    {
                        **asdict(trait.feature),
                        "value": trait.value,
                        "given": trait.given,
                        "known_since": None if trait.since in (None, ALWAYS) else iso(trait.since or 0),
                    }
                    for trait in self.traits
                ),
            ],
        }

    def _value(self, found: Explained) -> dict[str, Any]:
        shares = [None] * len(found.touchpoints) if found.shares is None else found.shares.tolist()
        touchpoints = [
            {**_plain(self.touchpoints, row), "adds": adds}
            for row, adds in zip(found.touchpoints.tolist(), shares, strict=True)
        ]
        return {**asdict(found.feature), "value": found.value, "touchpoints": touchpoints}

    def lines(self, *, whole: bool = False) -> Iterator[str]:
        """Text for people; ``whole`` tells every touchpoint and what is empty, too."""
        several = f" ({len(self.identities)} identities: {', '.join(self.identities)})" * (len(self.identities) > 1)
        yield from _wrapped(f"{self.contact}{several} as of {iso(self.as_of)}", "  ")
        n = len(self.touchpoints)
        yield f"{n} touchpoint{'s' * (n != 1)}; {self.columns_of}"
        empty: list[str] = []
        last_title, last_sources = "", ""
        for title, found in zip(_titles(self.features), self.history, strict=True):
            if _is_empty(found):
                empty.append(found.feature.name)
                continue
            if title != last_title:
                yield from ("", title.upper())
            sources = self._sources(found, None if whole else FEW)
            yield from _wrapped(f"{self._number(found)}  {found.feature.means} [{found.feature.name}]", "    ")
            same = "the same" if sources == last_sources and title == last_title else sources
            yield from _wrapped(f"    from {same}", "         ")
            last_title, last_sources = title, sources
        known = [trait for trait in self.traits if trait.given is not None]
        if known:
            yield from ("", "TRAITS")
        for trait in known:
            yield from self._trait(trait)
        empty += [trait.feature.name for trait in self.traits if trait.given is None]
        yield from self._empty(empty, whole)

    def _sources(self, found: Explained, most: int | None) -> str:
        order = _telling(found)
        shown = order if most is None else order[:most]
        shares = None if found.shares is None or (found.shares == 1.0).all() else found.shares
        parts = [
            _short(self.touchpoints, int(found.touchpoints[i])) + ("" if shares is None else f" {shares[i]:+.4g}")
            for i in shown
        ]
        if len(order) > len(shown):
            parts.append(f"and {len(order) - len(shown)} more")
        return "; ".join(parts) or "nothing that happened"

    def _trait(self, trait: TraitValue) -> Iterator[str]:
        since = "always known" if trait.since in (None, ALWAYS) else f"known since {_minute(trait.since or 0)}"
        coded = "" if trait.value == trait.given else f", {_trait_number(trait)} for the models"
        yield from _wrapped(f"{trait.given}  {trait.feature.means} [{trait.feature.name}]", "    ")
        yield f"    {since}{coded}"

    def _empty(self, names: Sequence[str], whole: bool) -> Iterator[str]:
        if not names:
            return
        yield ""
        if whole:
            yield from _wrapped(f"Zero or not known: {', '.join(names)}", "    ")
        else:
            yield f"{len(names)} more are zero or not known; --all lists them, and every touchpoint."

    def _number(self, found: Explained) -> str:
        value, unit = found.value, found.feature.unit
        if unit == "share":
            return f"{value:.1%}"
        if unit == "money":
            return f"{value:,.2f} {self.money}"
        return (f"{value:.4g}" if abs(value) < 10_000 else f"{value:,.0f}") + _UNITS.get(unit, "")


def _titles(features: FeatureSet) -> list[str]:
    """Say of each column of history what it is about."""
    return [
        *(f"kind {name}" for name in (*features.kinds, REST) for _ in PER_KIND),
        *(f"channel {name}" for name in (*features.channels, REST) for _ in PER_CHANNEL),
        *(f"topic {name}" for name in (*features.topics, REST) for _ in PER_TOPIC),
        *("all together" for _ in OVERALL),
    ]


def _telling(found: Explained) -> list[int]:
    """Order in which touchpoints are told: the largest share first, then the newest."""
    size = np.zeros(len(found.touchpoints)) if found.shares is None else np.abs(found.shares)
    return [int(i) for i in np.lexsort((-found.touchpoints, -size))]


def _is_empty(found: Explained) -> bool:
    return bool(np.isnan(found.value)) or (found.value == 0.0 and not len(found.touchpoints))


def _short(t: Touchpoints, row: int) -> str:
    about = [t.channels[t.channel[row]]] if t.channel[row] >= 0 else []
    about += _topics(t, row)
    return f"{_minute(int(t.occurred_at[row]))} {t.kinds[t.kind[row]]}" + (f" ({', '.join(about)})" if about else "")


def _plain(t: Touchpoints, row: int) -> Mapping[str, Any]:
    return {
        "touchpoint_id": t.touchpoint_id[row],
        "occurred_at": iso(int(t.occurred_at[row])),
        "kind": t.kinds[t.kind[row]],
        "channel": t.channels[t.channel[row]] if t.channel[row] >= 0 else None,
        "topics": _topics(t, row),
    }


def _topics(t: Touchpoints, row: int) -> list[str]:
    return [t.topics[code] for code in t.topic[t.topic_start[row] : t.topic_start[row + 1]].tolist()]


def _trait_number(trait: TraitValue) -> str:
    return "not known" if np.isnan(trait.value) else f"{trait.value:.6g}"


def _minute(us: int) -> str:
    return to_datetime(us).strftime("%Y-%m-%d %H:%M")


def _wrapped(text: str, indent: str) -> Iterable[str]:
    return textwrap.wrap(text, WIDTH, subsequent_indent=indent, break_on_hyphens=False, break_long_words=False)

"""Rows of the worklist that were worked out a moment ago: who reads a list again finds its rows without waiting.

A row holds for a minute, and no longer than nothing new is known of its contact. What happened with others meanwhile -
a colleague who was called, the last room that was taken - is seen when the minute is over; what somebody does about a
row is looked at anew in any case (``serving.worked``).
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from features.identity.members import members_of
from features.rows.row_types import ScoreRow
from features.store.news import News, news_of
from features.times import MINUTE, iso, parse_time
from nba.actions import Catalogue
from nba.settings import Settings
from nba.worklist import Wanted, Worklist, sober

HOLDS = MINUTE
MOST = 4_096
"""Rows that are kept, of some kilobytes each."""


@dataclass(frozen=True)
class _Kept:
    row: dict[str, Any] | None
    at: int
    by: tuple[object, ...]
    news: Mapping[str, News]
    """Of each identity of the contact, as it was before the row was worked out."""


class KeptRows:
    """What was worked out last of each contact, for each who looks; used by one thread."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[object, ...], _Kept] = OrderedDict()
        self._sober: tuple[Settings, Catalogue] | None = None

    def catalogue(self, settings: Settings) -> Catalogue:
        """Return the catalogue of a list under these settings, made ready once."""
        if self._sober is None or self._sober[0] is not settings:
            self._sober = settings, sober(settings)
        return self._sober[1]

    def row(
        self, rows: Worklist, identity: str, scored: ScoreRow | None, wanted: Wanted, changes: Mapping[str, int]
    ) -> dict[str, Any] | None:
        """Return a contact as it stands in the list, as ``Worklist.row`` does.

        Parameters
        ----------
        changes
            ``record_changes`` of the store, as it was when the list began to be read.
        """
        key = identity, rows.viewer, rows.language, wanted.owner, wanted.partner
        by = rows.catalogue, rows.belief, scored, changes, rows.store.generation
        found = self._kept.get(key)
        if found is None or not _holds(found, rows, by):
            news = _news(rows, identity)
            found = self._kept[key] = _Kept(rows.row(identity, scored, wanted), rows.as_of, by, news)
            self._kept.move_to_end(key)
            self._forget_old(rows.as_of)
        return _as_of(found, rows.as_of)

    def forget(self, identity: str) -> None:
        """Forget all rows that a contact may be in."""
        for key in [key for key, each in self._kept.items() if identity == key[0] or identity in each.news]:
            del self._kept[key]

    def _forget_old(self, now: int) -> None:
        while self._kept and (len(self._kept) > MOST or not _is_young(next(iter(self._kept.values())), now)):
            self._kept.popitem(last=False)


def _is_young(kept: _Kept, now: int) -> bool:
    return kept.at <= now < kept.at + HOLDS


def _holds(kept: _Kept, rows: Worklist, by: tuple[object, ...]) -> bool:
    """Whether a row would be worked out by the same, from the same, and is neither old nor over."""
    catalogue, belief, *others = by
    is_same = kept.by[0] is catalogue and kept.by[1] is belief and list(kept.by[2:]) == others
    if not is_same or not _is_young(kept, rows.as_of) or _is_over(kept.row, rows.as_of):
        return False
    return all(news_of(rows.store, name) == news for name, news in kept.news.items())


def _is_over(row: Mapping[str, Any] | None, now: int) -> bool:
    return row is not None and row["valid_until"] is not None and parse_time(row["valid_until"]) <= now


def _news(rows: Worklist, identity: str) -> Mapping[str, News]:
    members = members_of(rows.store, identity, rows.as_of, rows.catalogue.settings.touchpoints).members
    return {name: news_of(rows.store, name) for name in members}


def _as_of(kept: _Kept, now: int) -> dict[str, Any] | None:
    """Return a row as it stands now: what may begin at once may begin now."""
    row = kept.row
    if row is None or row["not_before"] is None or parse_time(row["not_before"]) >= now:
        return row
    return {**row, "not_before": iso(now)}

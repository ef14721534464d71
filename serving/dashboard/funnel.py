"""Visits of several weeks together: how far they went, and with what they broke off."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

_ENTRIES = 8
"""Kinds of first touchpoints that are told one by one."""


@dataclass(frozen=True)
class Funnel:
    """What became of visits.

    Attributes
    ----------
    steps
        How many came to one kind of touchpoint at the least, to two, and so on.
    kinds
        By kind of touchpoint, in the order in which visits come to them: ``visits`` that had it, ``ended`` with it,
        ``went_on``; of a kind that is what the visit is for (``is_goal``) an end is no break.
    entries
        By the kind of the first touchpoint, the most frequent first: ``visits``, ``steps``, and ``ended``: the kinds
        that most of them ended with.
    """

    visits: int
    steps: tuple[int, ...]
    kinds: tuple[Mapping[str, Any], ...]
    entries: tuple[Mapping[str, Any], ...]

    @classmethod
    def of(cls, parts: Iterable[Mapping[str, Any]], goals: Collection[str]) -> Funnel:
        """Add parts up, as ``nba pipeline`` counts them.

        Parameters
        ----------
        goals
            The kinds that visits are for.
        """
        told = list(parts)
        visits, ended, places = Counter[str](), Counter[str](), Counter[str]()
        for part in told:
            for kind, n in part["kinds"].items():
                visits[kind] += n["visits"]
                ended[kind] += n["ended"]
                places[kind] += n["visits"] * n["place"]
        kinds: list[dict[str, Any]] = [
            {
                "kind": kind,
                "visits": n,
                "ended": ended[kind],
                "went_on": n - ended[kind],
                "is_goal": kind in goals,
            }
            for kind, n in visits.items()
        ]
        kinds.sort(key=lambda row: (places[row["kind"]] / row["visits"], -row["visits"], row["kind"]))
        return cls(
            visits=sum(part["visits"] for part in told),
            steps=_added(part["steps"] for part in told),
            kinds=tuple(kinds),
            entries=_entries([part["entries"] for part in told]),
        )


def _entries(parts: list[Mapping[str, Mapping[str, Any]]]) -> tuple[Mapping[str, Any], ...]:
    found: list[dict[str, Any]] = []
    for kind in {kind for part in parts for kind in part}:
        here = [part[kind] for part in parts if kind in part]
        ended = sum((Counter(part["ended"]) for part in here), Counter[str]())
        most = sorted(ended.items(), key=lambda pair: (-pair[1], pair[0]))[:3]
        row: dict[str, Any] = {"kind": kind, "visits": sum(part["visits"] for part in here)}
        found.append({**row, "steps": _added(part["steps"] for part in here), "ended": most})
    found.sort(key=lambda row: (-row["visits"], row["kind"]))
    return tuple(found[:_ENTRIES])


def _added(parts: Iterable[list[int]]) -> tuple[int, ...]:
    found = list(parts)
    return tuple(
        sum(part[i] for part in found if i < len(part)) for i in range(max((len(part) for part in found), default=0))
    )

"""Named groups of contacts, decided anew at every request; ``[segments]`` of ``nba.toml``.

Who objects to profiling is in none. A segment with ``topics`` is for contacts with an interest in one of them that has
not faded: their own touchpoints about it, or about a part of it, add up to an eighth at least, where each counts one
and fades by half in ``topics.half_life``. So one touchpoint lasts for three half-lives.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

from features.topics import is_within
from nba.conditions import unmet
from nba.last_look import last_look

if TYPE_CHECKING:
    from nba.past import Past
    from nba.settings.conditions import Segment
    from nba.situation import Situation

LEAST_INTEREST = 0.125
"""What one touchpoint has faded to after three half-lives."""


def segments_of(at: Situation) -> tuple[str, ...]:
    """Return the names of the segments that a contact is in, in the order of the settings."""
    if not at.catalogue.segments or at.known is not at.past:
        return ()
    return tuple([segment.name for segment, asked in at.catalogue.segments if _is_in(segment, asked, at)])


def _is_in(segment: Segment, asked: Sequence[str], at: Situation) -> bool:
    """Whether a contact meets everything that a segment asks, the cheapest first."""
    if segment.stages and at.stage not in segment.stages and at.rule_stage not in segment.stages:
        return False
    if unmet(segment, asked, at, at.catalogue.usual_goal) is not None:
        return False
    if not segment.topics:
        return True
    half_life_us = at.catalogue.settings.topics.half_life_us
    return interest(at.known, segment.topics, at.as_of, half_life_us, LEAST_INTEREST) >= LEAST_INTEREST


def interest(known: Past, topics: Sequence[str], as_of: int, half_life_us: int, enough: float = float("inf")) -> float:
    """Add up a contact's own touchpoints about topics, each 1 and fading by half in ``half_life_us``.

    What is about a part of a topic is about the topic, too; what is about several of them counts once.

    Parameters
    ----------
    enough
        From where on no more is added up, beginning with the newest.
    """
    t, found, wanted = known.touchpoints, 0.0, tuple(topics)
    about = [_is_about(name, wanted) for name in t.topics]
    row, silent = len(t) if any(about) else 0, [False] * len(t.kinds)
    while row > 0 and (row := last_look(t, about, silent, row)) >= 0:
        found += 0.5 ** ((as_of - known.times[row]) / half_life_us)
        if found >= enough:
            break
    return found


# Every contact's touchpoints are about the same topics.
@lru_cache(maxsize=16_384)
def _is_about(name: str, topics: tuple[str, ...]) -> bool:
    return any([is_within(name, topic) for topic in topics])

"""Why each planned action is done and what it is about, in words and ids, as an answer of the service tells it."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import NamedTuple

from nba.actions import Catalogue
from nba.consent import Ledger
from nba.occurrence import Calls, Occurrence
from nba.past import Past
from nba.reasons import Story
from nba.request import Request
from nba.settings import Settings
from nba.settings.actions import Action
from nba.situation import Situation
from nba.subject import Subjects
from nba.tables.tables import Subject, Tables
from training.everybody.everybody import Everybody
from training.everybody.wire import packed, unpacked
from training.parallel import Work, run

_AT_ONCE = 2048
"""Contacts that are told of together."""


class Planned(NamedTuple):
    """What is planned for one contact, and where it stands."""

    name: str
    points: float
    stage: str | None
    rule_stage: str | None
    by_points: bool
    """Whether the points table chooses for it."""
    actions: Sequence[tuple[int, Occurrence | None]]
    """Column in the catalogue, and what calls for it at this time."""


class Told(NamedTuple):
    """What a planned action is about, and why it is done."""

    topic: str | None
    subject: Subject
    reasons: Sequence[str]


@dataclass(frozen=True)
class _Common:
    settings: Settings
    tables: Tables


def tell(
    everybody: Everybody, settings: Settings, planned: Sequence[Planned], *, advance: Callable[[int], None]
) -> Iterator[list[Told]]:
    """Tell of each contact's actions, in their order, where ``[scale]`` says.

    Parameters
    ----------
    advance
        Told of actions as they are done.
    """
    catalogue = Catalogue.of(settings)
    # What went out to the others of an account tells nothing of what an action is about.
    bare = replace(everybody.under(catalogue), sent={})
    parts = [planned[low : low + _AT_ONCE] for low in range(0, len(planned), _AT_ONCE)]

    def make(i: int) -> bytes:
        return packed(bare.part([each.name for each in parts[i]], catalogue), parts[i])

    common = pickle.dumps(_Common(settings, everybody.surrounding.tables), protocol=5)
    for part, result in zip(
        parts, run(Work(_told, common, make, len(parts), len(planned)), settings.scale), strict=True
    ):
        yield from pickle.loads(result)
        advance(sum(len(each.actions) for each in part))


def _told(common: bytes, task: bytes) -> bytes:
    catalogue, tables = _made_ready(common)
    part, (planned,) = unpacked(task, tables)
    return pickle.dumps([_of_contact(part, catalogue, each) for each in planned], protocol=5)


@lru_cache(maxsize=1)
def _made_ready(common: bytes) -> tuple[Catalogue, Tables]:
    found: _Common = pickle.loads(common)
    return Catalogue.of(found.settings), found.tables


def _of_contact(everybody: Everybody, catalogue: Catalogue, planned: Planned) -> list[Told]:
    past, as_of = everybody.past(planned.name), everybody.as_of
    ledger = Ledger(past.touchpoints, as_of, catalogue.channel_of)
    known = past if ledger.may_profile(catalogue.settings.contact_policy.consent) else Past.nothing()
    at = Situation(
        catalogue=catalogue,
        request=Request(planned.name),
        past=past,
        known=known,
        as_of=as_of,
        ledger=ledger,
        points=planned.points,
        stage=planned.stage,
        rule_stage=planned.rule_stage,
    )
    # What calls for an action was found out when it was weighed, and a model may have had a say in it.
    at.calls.update({catalogue.action(c).name: Calls(now=calling) for c, calling in planned.actions})
    story, subjects = Story(known, as_of, at.language), Subjects(at)
    found = []
    for column, calling in planned.actions:
        action = catalogue.action(column)
        topic = story.topic(action, None)
        reasons = story.reasons(
            action,
            points=planned.points,
            by_points=planned.by_points and _calls(catalogue, planned.points, column),
            misses=_misses(catalogue, action),
            occasion=None if calling is None else calling.said,
        )
        found.append(Told(topic, subjects.of(action, topic), reasons))
    return found


def _misses(catalogue: Catalogue, action: Action) -> Sequence[str]:
    """Kinds whose absence an action works against."""
    goal = catalogue.settings.goals.get(action.goal or "")
    return goal.absence_of if goal is not None else ()


def _calls(catalogue: Catalogue, points: float, column: int) -> bool:
    """Whether the points table calls for an action."""
    return any(column in columns and threshold.holds(points) for threshold, columns in catalogue.thresholds)

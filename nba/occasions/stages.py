"""Occasions by a change of the stage of the journey.

By rule, the stage is known at every earlier moment: the rules are asked again. Where a model tells the stage and has
learnt this one, the stage before is that of the contact's scorings (`nba score`) by the same model. The change then
lies after the last scoring in another stage, which is when the occasion begins.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from features.compiled import I64, compiled
from features.times import DAY
from models.saying.said import Said
from models.stages.rules import StageRules
from nba.occasions.spells import count_before, followed, holding
from nba.occurrence import Occurrence
from nba.past import Past
from nba.settings.actions import Action
from nba.settings.occasions import Occasion
from nba.situation import Situation
from nba.trend import left_at


def by_stage(when: Occasion, action: Action, at: Situation) -> Sequence[Occurrence]:
    """Find changes of the stage to one."""
    wanted = str(when.of)
    if at.model_version is None or at.rule_stage == wanted:
        found = spells_by_rule(at.catalogue.settings.stages.rules, at.known, wanted, when.lasts_us, at.as_of)
    elif at.stage == wanted:
        left = left_at(at.known.scored, wanted, at.model_version, at.as_of)
        found = [] if left is None else [(left + 1, left + 1 + when.lasts_us)]
    else:
        return ()
    said, lasts = Said("occasion.stage", {"stage": wanted}), when.lasts_us
    return [
        Occurrence(begins, ends, said, of="stage_to", used_from=begins - lasts)
        for begins, ends in found
        if ends > at.as_of
    ]


def warm_up() -> None:
    """Look at nobody once, so that what is compiled at first use is ready before a request needs it."""
    nothing = np.zeros(0, dtype=np.int64)
    _spells(Seen(nothing, nothing, nothing, nothing), nothing, 0, DAY, DAY)


class Seen(NamedTuple):
    """When each rule's kinds were seen, one rule after the other, as far as what has happened so far decides it."""

    times: I64
    start: I64
    """``times[start[i]:start[i + 1]]`` are those of rule ``i``."""
    within: I64
    stage: I64
    """Place of the rule's stage among the names."""


def spells_by_rule(rules: StageRules, known: Past, wanted: str, length: int, as_of: int) -> list[tuple[int, int]]:
    """Return when a contact comes to be in a stage by rule and leaves it, at the latest after ``length``."""
    t = known.touchpoints
    seen = [
        t.occurred_at[np.array([kind in rule.seen for kind in t.kinds], dtype=np.bool_)[t.kind]] for rule in rules.rules
    ]
    told = Seen(
        np.concatenate([np.zeros(0, dtype=np.int64), *seen]),
        np.cumsum([0, *map(len, seen)], dtype=np.int64),
        np.array([rule.within_us for rule in rules.rules], dtype=np.int64),
        np.array([rules.names.index(rule.name) for rule in rules.rules], dtype=np.int64),
    )
    turns = np.sort(np.concatenate((told.times, told.times + np.repeat(told.within, np.diff(told.start)))))
    return [(begins, ends) for begins, ends in _spells(told, turns, rules.names.index(wanted), length, as_of).tolist()]


@compiled
def _is_stage(told: tuple[Seen, int], moment: int) -> bool:
    seen, wanted = told
    for rule in range(len(seen.stage)):
        times = seen.times[seen.start[rule] : seen.start[rule + 1]]
        if count_before(times, moment) > count_before(times, moment - seen.within[rule]):
            return bool(seen.stage[rule] == wanted)
    return wanted == 0


@compiled
def _spells(seen: Seen, turns: I64, wanted: int, length: int, as_of: int) -> I64:
    track = followed(turns, np.array((0,)), as_of - length, _is_stage, (seen, wanted))
    return holding(track, length, as_of, _is_stage, (seen, wanted))

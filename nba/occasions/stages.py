"""Occasions by a change of the stage of the journey.

By rule, the stage is known at every earlier moment: the rules are asked again. Where a model tells the stage and has
learnt this one, the stage before is that of the contact's scorings (`nba score`) by the same model. The change then
lies after the last scoring in another stage, which is when the occasion begins.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import numpy as np
from numpy.typing import ArrayLike, NDArray

from models.stages.rules import StageRule, StageRules
from nba.occasions.spells import Track, spells
from nba.occurrence import Occurrence
from nba.past import Past
from nba.settings.actions import Action
from nba.settings.occasions import Occasion
from nba.situation import Situation
from nba.trend import left_at


def by_stage(when: Occasion, action: Action, at: Situation) -> Iterator[Occurrence]:
    """Find changes of the stage to one."""
    wanted = str(when.of)
    about = f"moved to the stage {wanted}"
    if at.model_version is None or at.rule_stage == wanted:
        by_rule = StageByRule(at.catalogue.settings.stages.rules, at.known)
        track = by_rule.track(wanted, at.as_of - when.lasts_us)
        found = list(spells(track, when.lasts_us, at.as_of, lambda moment: bool(by_rule.holds(wanted, [moment])[0])))
    elif at.stage == wanted:
        left = left_at(at.known.scored, wanted, at.model_version, at.as_of)
        found = [] if left is None else [(left + 1, left + 1 + when.lasts_us)]
    else:
        found = []
    for begins, ends in found:
        if ends > at.as_of:
            yield Occurrence(begins, ends, about, of="stage_to", used_from=begins - when.lasts_us)


class StageByRule:
    """The stage that the rules tell at any moment, as far as what has happened so far decides it.

    Parameters
    ----------
    known
        What happened with the contact.
    """

    def __init__(self, rules: StageRules, known: Past) -> None:
        t = known.touchpoints
        self._rules = rules
        self._each: list[tuple[NDArray[np.int64], StageRule]] = [
            (t.occurred_at[np.array([kind in rule.seen for kind in t.kinds], dtype=np.bool_)[t.kind]], rule)
            for rule in rules.rules
        ]

    def holds(self, wanted: str, moments: ArrayLike) -> NDArray[np.bool_]:
        """Whether it is a stage at moments, shape (n,)."""
        holds: NDArray[np.bool_] = self._codes(moments) == self._rules.names.index(wanted)
        return holds

    def track(self, wanted: str, since: int) -> Track:
        """Whether it is a stage, from a moment on."""
        turns = [seen + wait for seen, rule in self._each for wait in (0, rule.within_us)]
        times = np.concatenate(turns) if turns else np.zeros(0, dtype=np.int64)
        return Track.of(partial(self.holds, wanted), times, (0,), since)

    def _codes(self, moments: ArrayLike) -> NDArray[np.int64]:
        """Place of the stage in the rules' names, shape (n,)."""
        at = np.asarray(moments, dtype=np.int64)
        found = np.zeros(len(at), dtype=np.int64)
        for seen, rule in reversed(self._each):
            holds = seen.searchsorted(at) > seen.searchsorted(at - rule.within_us)
            found[holds] = self._rules.names.index(rule.name)
        return found

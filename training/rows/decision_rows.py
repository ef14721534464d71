"""Past decisions as rows: who was decided about when, which action was taken with which chance, and what came of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from features.feature_set import FeatureSet
from features.matrix import History
from features.rows.row_types import DecisionRow
from features.touchpoints.touchpoints import Touchpoints
from models.stages.column import fill_stage
from models.stages.stages import StageModel
from nba.actions import DO_NOTHING
from nba.settings import Settings
from nba.settings.actions import INFOCENTER
from nba.settings.goals import Goal
from training.past import Past
from training.rows.decision_chances import allowed, chances, probabilities
from training.rows.decision_contacts import clusters_of, contacts_at
from training.rows.decision_outcomes import Outcome, outcome_of
from training.rows.decision_parts import Parts, split

I64 = NDArray[np.int64]
Flags = NDArray[np.bool_]
Floats = NDArray[np.float64]

NOTHING_TOO = ("nothing", "none", "no_action", "control")
"""How other systems call "do nothing"; read so unless ``nba.toml`` has an action of that name."""
NOT_CHOSEN = ("mandatory", "default", INFOCENTER)
"""Policies of the log that serve whatever ranks: nothing was chosen there that another ranking would change."""


@dataclass(frozen=True)
class DecisionRows:
    """One row per past decision, in the order of time; n rows, k actions.

    ``actions`` begins with "do nothing" and the actions of ``nba.toml`` in their order, so that a column here is the
    column of ``Catalogue``; behind them stand actions that were taken once and are not in ``nba.toml`` any more:
    ``servable`` is false there. ``contact`` codes ``contacts``, of which the first are those of ``past.touchpoints``
    (versions, where identities were linked); ``cluster`` is the same for everything that was ever one contact.
    """

    contacts: tuple[str, ...]
    actions: tuple[str, ...]
    servable: Flags
    """Shape (k,)."""
    contact: I64
    decided_at: I64
    """Microseconds; features are cut strictly before it, outcomes begin at it."""
    action: I64
    """Code of the action that was taken, shape (n,)."""
    probability: Floats
    """Chance that the action had when it was drawn, shape (n,); NaN where it is not known."""
    chances: Floats
    """Chance of each action then, shape (n, k); NaN where it is not known, 0 for what was not allowed."""
    allowed: Flags
    """Shape (n, k); where it is not known, every action that was ever taken."""
    told: Flags
    """Whether it is on record what was allowed, shape (n,)."""
    cluster: I64
    goals: tuple[str, ...]
    """The goals that the actions which were taken work for: what a decision is judged by."""
    outcomes: Mapping[str, Outcome]
    """What came of each decision, for every goal of ``nba.toml``."""
    parts: Parts
    made: tuple[DecisionRow, ...] = ()
    """The decisions as they were logged, in the same order."""

    def __len__(self) -> int:
        return len(self.decided_at)

    @property
    def held_out(self) -> Flags:
        """Decisions that policies are valued on: the last in time, or those of some contacts; all outcomes known."""
        return self.parts.held_out

    @property
    def complete(self) -> Flags:
        """Decisions whose outcomes for all of ``goals`` are known."""
        return _all_known(self.outcomes, self.goals, len(self))

    @property
    def censored(self) -> int:
        """Decisions whose outcome for some of ``goals`` was not known by the end of the data."""
        return int((~self.complete).sum())

    def train(self, goal: str) -> Flags:
        """Decisions that may teach about a goal before the held-out ones are looked at."""
        found = self.outcomes[goal]
        return self.parts.before(found.known, found.until)

    @property
    def taken(self) -> I64:
        """How often each action was taken, shape (k,)."""
        return np.bincount(self.action, minlength=len(self.actions)).astype(np.int64)

    @property
    def evidence(self) -> str:
        """How strong the decisions are: randomised, logged, observational or none; see ``evidence_of``."""
        return evidence_of(self.action, self.probability)

    def only(self, which: Flags) -> DecisionRows:
        """Take some rows, a mask or places."""
        columns = ("contact", "decided_at", "action", "probability", "chances", "allowed", "told", "cluster")
        return replace(
            self,
            **{name: getattr(self, name)[which] for name in columns},
            outcomes={goal: found.only(which) for goal, found in self.outcomes.items()},
            parts=self.parts.only(which),
            made=tuple(self.made[at] for at in np.arange(len(self.made))[which].tolist()) if self.made else (),
        )

    def matrix(self, past: Past, features: FeatureSet, stages: StageModel | None = None) -> NDArray[np.float32]:
        """Features of each row, strictly before its decision; shape (n, len(features.columns)).

        Parameters
        ----------
        stages
            What fills the column of the stage; NaN without.

        Raises
        ------
        ValueError
            Where the feature set has columns about a row's own action: a decision's row knows of none.
        """
        if features.own:
            raise ValueError("a decision's row says what was known before any action; give a feature set without `own`")
        seen = np.where(self.contact < len(past.touchpoints.contacts), self.contact, -1)
        X = np.full((len(self), len(features.columns)), np.nan, dtype=np.float32)
        if len(self):
            History(past.touchpoints, features).fill_history(seen, self.decided_at, X, None)
        if features.traits:
            at = len(features.history)
            X[:, at : at + len(features.traits)] = self._traits(past, features)
        known = seen >= 0
        if features.account and known.any():
            about = X[known]
            past.fill_account(features, seen[known], self.decided_at[known], about)
            X[known] = about
        if features.stage:
            fill_stage(stages, features, X)
        return X

    def _traits(self, past: Past, features: FeatureSet) -> Floats:
        """Traits by the contact's name: somebody without touchpoints has traits too."""
        names = History(_nobody(self.contacts), features)
        values = past.traits.values(names, self.contact, self.decided_at, features.traits)
        named = set(past.traits.identities())
        unnamed = np.array([name not in named for name in self.contacts], dtype=np.bool_)[self.contact]
        if past.versions is not None and unnamed.any():
            rows = np.flatnonzero(unnamed)
            values[rows] = past.recorded_traits.values(
                names, self.contact[rows], self.decided_at[rows], features.traits
            )
        return values


def decision_rows(past: Past, settings: Settings) -> DecisionRows:
    """Rows of every decision that was chosen among actions.

    What had to be done (``mandatory``) and what unknown contacts were answered with (``default``) was no choice,
    things to read (``infocenter``) are chosen by a rule of their own, and what was deferred and never activated was
    not done.

    Raises
    ------
    UserError
        Where a probability is none.
    """
    chosen = [row for row in past.decisions if was_chosen(row)]
    chosen.sort(key=lambda row: (row.decided_at, row.identity, row.decision_id))
    decided_at = np.array([row.decided_at for row in chosen], dtype=np.int64)
    names = _names(chosen, settings)
    actions = (DO_NOTHING, *settings.actions, *sorted({*names} - {DO_NOTHING, *settings.actions}))
    column = {name: i for i, name in enumerate(actions)}
    action = np.array([column[name] for name in names], dtype=np.int64)
    contacts, contact = contacts_at(past, [row.identity for row in chosen], decided_at)
    cluster = clusters_of(past, contact)
    probability = probabilities(chosen)
    outcomes = {
        name: outcome_of(past, goal, settings.touchpoints, chosen, contact, decided_at)
        for name, goal in settings.goals.items()
    }
    goals = _goals(settings, {*names})
    until = np.max([outcomes[goal].until for goal in goals] or [decided_at], axis=0)
    return DecisionRows(
        contacts=contacts,
        actions=actions,
        servable=np.array([i <= len(settings.actions) for i in range(len(actions))], dtype=np.bool_),
        contact=contact,
        decided_at=decided_at,
        action=action,
        probability=probability,
        chances=chances(chosen, column, action, probability),
        allowed=allowed(chosen, column, action),
        told=np.array([row.allowed is not None or bool(row.chances) for row in chosen], dtype=np.bool_),
        cluster=cluster,
        goals=goals,
        outcomes=outcomes,
        parts=split(
            decided_at,
            until,
            _all_known(outcomes, goals, len(chosen)),
            cluster,
            [row.identity for row in chosen],
            _rule(settings, goals),
        ),
        made=tuple(chosen),
    )


def was_chosen(row: DecisionRow) -> bool:
    """Whether a decision was chosen among actions, and done."""
    return row.policy not in NOT_CHOSEN and row.carried_out_at is not None


def evidence_of(action: I64, probability: Floats) -> str:
    """How strong decisions are as evidence of what actions change.

    Returns
    -------
    ``none`` without decisions; ``observational`` where a chance is not known; ``randomised`` where an action's chance
    never depends on the contact; else ``logged``.

    Examples
    --------
    >>> evidence_of(np.array([0, 1, 1]), np.array([0.5, 0.5, 0.5]))
    'randomised'
    """
    if not len(action):
        return "none"
    if np.isnan(probability).any():
        return "observational"
    pairs = {(int(a), round(float(p), 6)) for a, p in zip(action, probability, strict=True)}
    return "randomised" if len(pairs) == len({a for a, _ in pairs}) else "logged"


def _names(chosen: Sequence[Any], settings: Settings) -> list[str]:
    same = {name: DO_NOTHING for name in NOTHING_TOO if name not in settings.actions}
    return [same.get(row.action, row.action) for row in chosen]


def _goals(settings: Settings, taken: Iterable[str]) -> tuple[str, ...]:
    """Goals of the actions that were taken; of all actions where none of them was."""
    used = {action.goal for name, action in settings.actions.items() if name in taken}
    used = used or {action.goal for action in settings.actions.values()} or {*settings.goals}
    return tuple(name for name in settings.goals if name in used)


def _rule(settings: Settings, goals: Sequence[str]) -> Goal | None:
    """Whose share and first day of the test hold for decisions: those of the first goal that is judged by."""
    return settings.goals[goals[0]] if goals else None


def _all_known(outcomes: Mapping[str, Outcome], goals: Iterable[str], n: int) -> Flags:
    found = np.ones(n, dtype=np.bool_)
    for goal in goals:
        found &= outcomes[goal].known
    return found


def _nobody(contacts: Sequence[str]) -> Touchpoints:
    none = np.zeros(0, dtype=np.int64)
    return Touchpoints.from_columns(contacts, none, none, kind=none, kinds=[])

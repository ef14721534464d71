"""What a bundle believes of one contact: stage, propensities, and what each action would make of them."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from features.digest import digests
from features.feature_set import FeatureSet
from features.matrix import History, Own
from features.own_rows import last_of, own_of
from features.touchpoints.touchpoints import Touchpoints
from features.traits import row_values
from models.asked import Asked, OwnRows
from models.bundle import Bundle
from models.effect.start import fill_effects
from models.estimate import Candidate, Estimate
from models.forest.chances import Chances
from models.local import local_champion
from models.logistic import logit
from models.reasons.why import Answered, Why, why
from models.stages.column import Places, fill_stage, places_of

NO_EVIDENCE = "none"


AccountColumns = Callable[[FeatureSet, int], NDArray[np.float32]]
"""The columns about one contact's account as of a moment (microseconds), shape (len(features.account_features),)."""


class Belief:
    """A bundle made ready to answer.

    Parameters
    ----------
    bundle
        Verified; ``Belief.load`` reads one from its folder.
    version
        Of the registry; None for one that was never registered.
    """

    def __init__(self, bundle: Bundle, version: str | None = None) -> None:
        self.bundle = bundle
        self.manifest: Mapping[str, Any] = bundle.manifest
        self.version = version
        self.sha256 = bundle.sha256
        self.features = FeatureSet.from_json(self.manifest["features"])
        self.goals: Mapping[str, Mapping[str, Any]] = self.manifest["goals"]
        self.profiles: Mapping[str, Mapping[str, Any]] = self.manifest.get("actions", {})
        self.serves: str = self.manifest["policies"]["serves"]
        self.evidence: str = self.manifest["policies"]["evidence"]
        self._asked: Asked | None = None

    @classmethod
    def load(cls, folder: Path, version: str | None = None) -> Self:
        """Belief of the bundle in a folder.

        Raises
        ------
        BundleError
            Where the folder is no whole bundle.
        """
        return cls(Bundle.load(folder), version)

    @classmethod
    def installed(cls, folder: Path) -> Self | None:
        """Belief of the champion on this machine, beside ``nba.toml`` in a folder; None where there is none.

        Raises
        ------
        BundleError
            Where it is no whole bundle.
        """
        found = local_champion(folder)
        return None if found is None else cls.load(*found)

    @cached_property
    def own_features(self) -> Mapping[str, FeatureSet]:
        """The feature set of each goal that looks at the action itself."""
        return {
            name: replace(
                self.features,
                own=True,
                types=tuple(goal["own"]["types"]),
                own_channels=tuple(goal["own"]["own_channels"]),
                numbers=tuple(goal["own"]["numbers"]),
            )
            for name, goal in self.goals.items()
            if goal.get("own") is not None
        }

    @cached_property
    def stage_columns(self) -> Places | None:
        """Where the stages' columns stand in the matrix; None where none could be learnt."""
        return None if self.bundle.stages is None else places_of(self.bundle.stages, self.features)

    @cached_property
    def learnt_stages(self) -> tuple[str, ...]:
        """Names of the stages; none where none could be learnt."""
        return () if self.bundle.stages is None else self.bundle.stages.names

    def stages_of(self, X: NDArray[np.float32]) -> list[str | None]:
        """Name the stage of each row of the matrix, and write its place into the column for it where there is one."""
        stages = self.bundle.stages
        codes = fill_stage(stages, self.features, X, self.stage_columns)
        return [None] * len(X) if stages is None or codes is None else [stages.names[code] for code in codes.tolist()]

    def estimate(
        self,
        touchpoints: Touchpoints,
        traits: Mapping[str, Any],
        as_of: int,
        candidates: Sequence[Candidate],
        *,
        explain: bool = False,
        account: AccountColumns | None = None,
    ) -> Estimate:
        """Estimate one contact's chances.

        Parameters
        ----------
        touchpoints
            Of that contact alone; those at or after ``as_of`` are not looked at.
        traits
            As known strictly before ``as_of``.
        as_of
            Microseconds.
        candidates
            The actions to compare.
        explain
            Whether to say what drives each propensity; costs a second prediction per goal.
        account
            Asked for the columns about the contact's account, where the feature set has them.
        """
        history = History(touchpoints, self.features)
        row = self._row(history, traits, as_of)
        if self.features.account and account is not None:
            first = len(self.features.columns) - len(self.features.own_features)
            row[0, first - len(self.features.account_features) : first] = account(self.features, as_of)
        stage = self.stages_of(row)[0]
        own = {goal: self._own_rows(goal, history, row, as_of, candidates) for goal in self.own_features}
        asked = self.asked(candidates)
        chances = self._chances(row, {goal: rows.happened for goal, rows in own.items()})
        without = np.array((*chances, np.nan))[asked.goal]
        propensity = asked.moved(without)
        propensities = dict(zip(self.bundle.propensities, chances, strict=True))
        for goal, rows in own.items():
            if rows.at:
                self._fill_actions(goal, rows, propensity, without)
                propensities[goal] = float(propensity[rows.at].max())
            elif not len(rows.happened):
                del propensities[goal]
        error = np.full(len(candidates), np.nan)
        fill_effects(self.bundle.effects, row, candidates, propensity[None], without[None], error[None])
        told = why(self._answered(row, own), touchpoints, as_of, stage) if explain else Why()
        return Estimate(
            stage=stage,
            propensities=propensities,
            grades={goal: self.grade(goal, p) for goal, p in propensities.items()},
            propensity=propensity,
            without_action=without,
            evidence=asked.evidence,
            drivers=told.drivers,
            reasons=told.reasons,
            effect_error=error,
            learnt_stages=self.learnt_stages,
            features_sha=digests(row)[0],
        )

    def grade(self, goal: str, p: float) -> str:
        """Grade a chance: A to D for a goal to be reached, low to high risk for one to be avoided."""
        described = self.goals[goal]
        bounds = described["grades"]
        if described["is_absence"]:
            return ("low", "medium", "high")[sum(p >= bound for bound in bounds)]
        return "DCBA"[sum(p >= bound for bound in bounds)]

    def _row(self, history: History, traits: Mapping[str, Any], as_of: int) -> NDArray[np.float32]:
        contact = 0 if len(history.touchpoints.contacts) else -1
        row = history.matrix(np.array([contact], dtype=np.int64), np.array([as_of], dtype=np.int64))
        if self.features.traits:
            at = len(self.features.history)
            row[0, at : at + len(self.features.traits)] = row_values(traits, as_of, self.features.traits)
        return row

    def _own_rows(
        self,
        goal: str,
        history: History,
        row: NDArray[np.float32],
        as_of: int,
        candidates: Sequence[Candidate],
    ) -> OwnRows:
        """Rows of a goal that looks at the action itself, and of the contact's last touchpoint of its kind.

        Only actions that the model was trained on have a row: of others it knows nothing.
        """
        features = self.own_features[goal]
        at = [i for i, c in enumerate(candidates) if c.goal == goal and c.action in features.types]
        ready, contact = history.with_own(features), 0 if len(history.touchpoints.contacts) else -1
        wide = np.full((1, len(features.columns)), np.nan, dtype=np.float32)
        wide[:, : row.shape[1]] = row
        actions = ready.actions(wide, contact, as_of, self.profile_of([candidates[i] for i in at])) if at else wide[:0]
        last = last_of(history.touchpoints, self.goals[goal].get("after_kind"), as_of)
        happened = wide[:0] if last is None else ready.actions(wide, contact, as_of, own_of(history.touchpoints, last))
        return OwnRows(at, actions, happened)

    @cached_property
    def _chances(self) -> Chances:
        """Propensity of each goal that is learnt; of one that looks at actions, after what last happened, else NaN."""
        return Chances(self.bundle.propensities, tuple(self.own_features))

    def _fill_actions(
        self, goal: str, own: OwnRows, propensity: NDArray[np.float64], without: NDArray[np.float64]
    ) -> None:
        """Fill what is known of each action that a goal's model was trained on."""
        propensity[own.at] = self.bundle.propensities[goal].predict(own.actions)
        without[own.at] = 0.0 if self.goals[goal]["linked"] else self._least(propensity[own.at])

    def profile_of(self, candidates: Sequence[Candidate]) -> Own:
        """Say what actions are about, as rows about them know it."""
        profiles = [self.profiles.get(c.action, {}) for c in candidates]
        return Own(
            type=[c.action for c in candidates],
            channel=[c.channel for c in candidates],
            topics=[
                tuple(p.get("topics", ())) if c.topics is None else c.topics
                for c, p in zip(candidates, profiles, strict=True)
            ],
            numbers=[p.get("numbers", {}) for p in profiles],
        )

    def asked(self, candidates: Sequence[Candidate]) -> Asked:
        """Make candidates ready; those that were asked about last are."""
        found = self._asked
        if found is None or found.candidates is not candidates:
            goals = self.bundle.propensities
            place = {goal: i for i, goal in enumerate(goals)}
            learnt = [c.goal is not None and c.goal in goals for c in candidates]
            shifts = [self.shift(str(c.goal), c) if is_ else None for c, is_ in zip(candidates, learnt, strict=True)]
            shift = np.array([math.nan if each is None else each for each in shifts], dtype=np.float64)
            found = Asked(
                candidates,
                np.array([place.get(str(c.goal), len(place)) for c in candidates], dtype=np.intp),
                shift,
                np.flatnonzero(np.isnan(shift)),
                tuple(
                    self.evidence_of(str(c.goal), c) if is_ else NO_EVIDENCE
                    for c, is_ in zip(candidates, learnt, strict=True)
                ),
            )
            # What can be changed may say something else the next time.
            self._asked = found if isinstance(candidates, tuple) else None
        return found

    def shift(self, goal: str, candidate: Candidate) -> float | None:
        """By how much an action moves the log-odds of a goal; None where nothing is believed of it.

        The data's mean effect and the belief at the start are weighed by their numbers of decisions.
        """
        seen = self.goals[goal].get("effects", {}).get(candidate.action)
        shift = weight = 0.0
        if seen is not None:
            shift, weight = seen["shift"] * seen["n"], seen["n"]
        if candidate.start is not None:
            prior = logit(np.array([candidate.start.propensity, self.goals[goal]["base_rate"]]))
            shift += float(prior[0] - prior[1]) * candidate.start.evidence
            weight += candidate.start.evidence
        return None if weight == 0.0 else shift / weight

    def evidence_of(self, goal: str, candidate: Candidate) -> str:
        """Where what is believed of an action comes from."""
        goals = self.goals[goal]
        if goal in self.bundle.effects:
            return self.bundle.effects[goal].evidence.get(candidate.action, NO_EVIDENCE)
        if goal in self.own_features:
            return self.evidence if candidate.action in goals["own"]["types"] else NO_EVIDENCE
        return self.evidence if candidate.action in goals.get("effects", {}) else NO_EVIDENCE

    @staticmethod
    def _least(propensity: NDArray[np.float64]) -> float:
        """Without an experiment an action is credited with no more than its lead over the weakest one."""
        return float(propensity.min())

    def _answered(self, row: NDArray[np.float32], own: Mapping[str, OwnRows]) -> Iterator[Answered]:
        """Row that answered each goal: of several actions the likeliest."""
        for goal, model in self.bundle.propensities.items():
            features, rows = self.own_features.get(goal, self.features), row
            if goal in own:
                rows = own[goal].actions if own[goal].at else own[goal].happened
            if len(rows):
                likeliest = 0 if len(rows) == 1 else int(model.predict(rows).argmax())
                yield Answered(goal, model, features, rows[likeliest][None, :])

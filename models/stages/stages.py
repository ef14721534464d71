"""Journey stages: learnt as clusters of behaviour, named by the rules beside them and by the names they had."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from models.stages.clusters import best_number, k_means, nearest, spread, stabilities, still_steady
from models.stages.names import Named, named, stage_of
from models.stages.rules import StageRules
from models.stages.space import StageSpace

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

SAMPLE = 20_000
"""Rows that clusters are sought on; more add time, not stages."""
STARTS = 10
AS_CLOSE = 1.05
"""The centres before are moved on, not sought anew, while they lie about as close to the rows as new ones."""


@dataclass(frozen=True, eq=False)
class StageModel:
    """Clusters of behaviour in the order of the journey; arrays only, so that predicting needs only numpy.

    Attributes
    ----------
    names
        Stage of each cluster; the codes of ``predict`` index it.
    space
        How behaviour becomes points.
    centres
        Cluster centres, shape (clusters, dimensions of the space).
    sizes
        Contacts by name.
    stability
        Mean adjusted Rand index between clusterings of bootstrap resamples; 1 is always the same.
    agreement
        Share of the contacts whose learnt stage is the one by rule.
    rules
        Which the names were given by; None where that was not written down.
    """

    names: tuple[str, ...]
    space: StageSpace
    centres: Floats
    sizes: Mapping[str, int]
    stability: float
    agreement: float
    rules: StageRules | None = None

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the matrix's columns, in order."""
        return self.space.columns

    @classmethod
    def fit(
        cls,
        X: ArrayLike,
        columns: Sequence[str],
        rule_stage: ArrayLike,
        names: Sequence[str],
        clusters: int | None = None,
        seed: int = 0,
        *,
        kinds: int = 0,
        contact: ArrayLike | None = None,
        counts: ArrayLike | None = None,
        usual: int | None = None,
        rules: StageRules | None = None,
        before: StageModel | None = None,
        stage_before: ArrayLike | None = None,
    ) -> Self:
        """Find, order and name the clusters of behaviour.

        Parameters
        ----------
        X
            Behaviour, float (n, F), NaN where missing.
        rule_stage
            Stage by rule of each row, codes into ``names``, shape (n,).
        names
            Stages in the order of the journey.
        clusters
            Their number; None for 3 to 8 (at most one a name) by stability.
        kinds
            How many kinds the first columns count; see ``StageSpace``.
        contact
            Whose row each is, shape (n,), where a contact has several.
        counts
            Which rows sizes and agreement are told of, flags (n,); all where left out.
        usual
            The number of clusters so far, which is kept where it is about as steady.
        rules
            Written down with the names.
        before
            Stages that served until now. Where they are of the same columns, number and rules and still about as
            steady and close, their centres move on and keep their names; else names are matched.
        stage_before
            Code in ``before`` of each row, shape (n,): needed to match names where the columns are others.

        Raises
        ------
        ValueError
            Where shapes do not fit, or fewer rows differ than clusters are wanted.
        """
        matrix, rule = np.asarray(X, dtype=np.float64), np.asarray(rule_stage, dtype=np.int64)
        if matrix.ndim != 2 or matrix.shape != (len(rule), len(columns)):
            raise ValueError(f"behaviour has shape {matrix.shape}; it must be ({len(rule)}, {len(columns)})")
        whose = np.arange(len(rule)) if contact is None else np.asarray(contact, dtype=np.int64)
        search = _Search(matrix, columns, kinds, whose, seed)
        numbers = [clusters] if clusters else range(3, min(8, len(names)) + 1)
        found = search.anew(numbers, usual)
        kept = search.moved_on(before, found) if before is not None and _fit_to(before, names, rules, numbers) else None
        if kept is not None and before is not None:
            space, centres, stability = kept
            labels, codes = before.names, nearest(space.points(matrix), centres)
            stage = np.array([stage_of(label, names) for label in labels], dtype=np.int64)
        else:
            space, centres, stability = found
            known = None if before is None else _known(before, space, matrix, stage_before)
            chosen, codes = _named(space, centres, matrix, rule, names, known)
            centres, labels, stage = centres[chosen.order], chosen.labels, chosen.stage
        told = np.ones(len(rule), dtype=np.bool_) if counts is None else np.asarray(counts, dtype=np.bool_)
        counted = np.bincount(codes[told], minlength=len(labels))
        return cls(
            labels,
            space,
            centres=centres,
            sizes={label: int(count) for label, count in zip(labels, counted, strict=True)},
            stability=stability,
            agreement=float(np.mean(stage[codes[told]] == rule[told])) if told.any() else 0.0,
            rules=rules,
        )

    def predict(self, X: ArrayLike) -> Ints:
        """Code of the stage of each row, shape (n,); the same for a row alone and among others."""
        matrix = np.asarray(X, dtype=np.float64)
        if matrix.ndim != 2 or matrix.shape[1] != len(self.columns):
            raise ValueError(f"the matrix has shape {matrix.shape}; the stages want (n, {len(self.columns)})")
        return nearest(self.space.points(matrix), self.centres)

    def to_json(self) -> dict[str, Any]:
        """Plain values; floats survive JSON to the last bit."""
        return {
            "names": list(self.names),
            **self.space.to_json(),
            "centres": self.centres.tolist(),
            "sizes": dict(self.sizes),
            "stability": self.stability,
            "agreement": self.agreement,
            "rules": None if self.rules is None else self.rules.to_json(),
        }

    @classmethod
    def from_json(cls, plain: dict[str, Any]) -> Self:
        """Read what ``to_json`` wrote, now or before there were a mix and rules in it.

        Raises
        ------
        ValueError
            Where the arrays do not fit together.
        """
        names, space = tuple(plain["names"]), StageSpace.from_json(plain)
        centres = np.array(plain["centres"], dtype=np.float64)
        if centres.shape != (len(names), space.width):
            raise ValueError(f"stages with {len(names)} names and {space.width} dimensions have arrays of other shapes")
        return cls(
            names,
            space,
            centres,
            sizes={str(name): int(count) for name, count in plain["sizes"].items()},
            stability=float(plain["stability"]),
            agreement=float(plain["agreement"]),
            rules=StageRules.from_json(plain["rules"]) if plain.get("rules") else None,
        )


Found = tuple[StageSpace, Floats, float]
"""A space, centres in it, and how steady they are."""


@dataclass(frozen=True, eq=False)
class _Search:
    """The rows that clusters are sought on."""

    X: Floats
    columns: Sequence[str]
    kinds: int
    contact: Ints
    seed: int

    def anew(self, numbers: Sequence[int], usual: int | None) -> Found:
        """Clusters in a space of their own, as many as resamples agree on."""
        space = StageSpace.fit(self.X, self.columns, self.kinds)
        points, of = self._sample(space)
        number, stability = best_number(points, numbers, self.seed, of, usual)
        return space, k_means(points, number, self.seed, STARTS), stability

    def moved_on(self, before: StageModel, found: Found) -> Found | None:
        """Clusters that go on from those before, in their space and number; None where they do not hold any more."""
        if not before.space.same(self.columns) or not before.space.fits(found[0]):
            return None
        points, of = self._sample(before.space)
        number = len(before.names)
        try:
            stability, _ = stabilities(points, [number], self.seed, of)[number]
            centres = k_means(points, number, self.seed, begin=before.centres)
        except ValueError:
            return None
        close = spread(points, centres) <= AS_CLOSE * spread(points, k_means(points, number, self.seed, STARTS))
        return (before.space, centres, stability) if close and still_steady(stability, found[2]) else None

    def _sample(self, space: StageSpace) -> tuple[Floats, Ints]:
        if len(self.X) <= SAMPLE:
            return space.points(self.X), self.contact
        few = np.sort(np.random.default_rng(self.seed).choice(len(self.X), SAMPLE, replace=False))
        return space.points(self.X[few]), self.contact[few]


def _fit_to(before: StageModel, names: Sequence[str], rules: StageRules | None, numbers: Sequence[int]) -> bool:
    """Whether stages are still of this journey: its names in their order, named by the same rules."""
    stage = [stage_of(label, names) for label in before.names]
    in_order = None not in stage and stage == sorted(stage, key=lambda code: code or 0)
    same_rules = rules is None or before.rules is None or rules == before.rules
    return in_order and same_rules and len(before.names) in numbers


def _known(
    before: StageModel, space: StageSpace, X: Floats, stage_before: ArrayLike | None
) -> tuple[Sequence[str], Ints] | None:
    """Names that the rows had; None where the stages before say nothing of them any more."""
    if before.space.same(space.columns):
        # Rows that lie outside of where the old centres were all look alike to them.
        return (before.names, before.predict(X)) if before.space.fits(space) else None
    return None if stage_before is None else (before.names, np.asarray(stage_before, dtype=np.int64))


def _named(
    space: StageSpace,
    centres: Floats,
    X: Floats,
    rule: Ints,
    names: Sequence[str],
    known: tuple[Sequence[str], Ints] | None,
) -> tuple[Named, Ints]:
    """Name the clusters; the codes of the rows are those of the order that comes of it."""
    points = space.points(X)
    codes = nearest(points, centres)
    chosen = named(codes, rule, space.activity(X), names, len(centres), known)
    place = np.empty(len(centres), dtype=np.int64)
    place[chosen.order] = np.arange(len(centres))
    return chosen, place[codes]

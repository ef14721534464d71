"""What drift is measured from: rows as they were at the training, kept as plain numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from features.feature_set import FeatureSet
from training.rows.bins import Bins

Matrix = NDArray[np.float32]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Sample:
    """Rows of one goal at one time, as drift looks at them.

    ``X`` has shape (n, columns), ``contact`` (n,) tells rows apart that are not independent; ``score`` are
    probabilities by a model that has not seen their truth, ``label`` truths of these or of other rows, with
    ``label_contact``; both None where there are none.
    """

    X: Matrix
    contact: NDArray[np.int64]
    score: Floats | None = None
    score_contact: NDArray[np.int64] | None = None
    label: NDArray[np.bool_] | None = None
    label_contact: NDArray[np.int64] | None = None


@dataclass(frozen=True)
class Rate:
    """Share of positives among rows, with its standard error by contact."""

    share: float
    error: float
    rows: int

    @classmethod
    def of(cls, label: NDArray[np.bool_], contact: NDArray[np.int64]) -> Self:
        """Share and its error; rows of one contact may depend on each other."""
        n = len(label)
        if not n:
            return cls(0.0, 0.0, 0)
        share = float(label.mean())
        _, group = np.unique(contact, return_inverse=True)
        sums = np.bincount(group, label - share)
        # One row of either class more: without a single positive the error would be zero, which is no certainty.
        smoothed = (label.sum() + 1.0) / (n + 2.0)
        least = smoothed * (1.0 - smoothed) / n
        return cls(share, float(np.sqrt(max(np.sum(sums**2) / n**2, least))), n)


@dataclass(frozen=True)
class Reference:
    """The distributions at training, as plain numbers.

    ``since`` and ``until`` are the moments (microseconds) between which its rows lie, but for the oldest tenth;
    ``contacts`` is how many contacts they are of.
    """

    columns: Mapping[str, Bins]
    score: Bins | None
    score_contacts: int
    outcome: Rate
    contacts: int
    since: int
    until: int
    records_from: int

    @classmethod
    def of(cls, sample: Sample, features: FeatureSet, as_of: NDArray[np.int64], records_from: int) -> Self:
        """Keep a training's rows in parts.

        Parameters
        ----------
        as_of
            Moments of the rows, in any order.
        records_from
            When the records begin, microseconds: what looks back further than that grows by itself.
        """
        coded = {*features.categorical}
        columns = {name: Bins.of(sample.X[:, i], is_category=name in coded) for i, name in enumerate(features.columns)}
        label = np.zeros(0, dtype=np.bool_) if sample.label is None else sample.label
        who = sample.contact if sample.label_contact is None else sample.label_contact
        return cls(
            columns=columns,
            score=None if sample.score is None else Bins.of(sample.score),
            score_contacts=0 if sample.score is None else contacts_of(sample.score_contact, sample.contact),
            outcome=Rate.of(label, who[: len(label)]),
            contacts=len(np.unique(sample.contact)),
            since=int(np.quantile(as_of, 0.1)),
            until=int(as_of.max()),
            records_from=records_from,
        )

    def to_json(self) -> dict[str, Any]:
        """Plain data for the bundle's manifest."""
        return {
            "columns": {name: bins.to_json() for name, bins in self.columns.items()},
            "score": None if self.score is None else self.score.to_json(),
            "score_contacts": self.score_contacts,
            "outcome": [self.outcome.share, self.outcome.error, self.outcome.rows],
            "contacts": self.contacts,
            "since_us": self.since,
            "until_us": self.until,
            "records_from_us": self.records_from,
        }

    @classmethod
    def from_json(cls, plain: Mapping[str, Any]) -> Self:
        """Read what ``to_json`` wrote."""
        share, error, rows = plain["outcome"]
        return cls(
            columns={name: Bins.from_json(bins) for name, bins in plain["columns"].items()},
            score=None if plain["score"] is None else Bins.from_json(plain["score"]),
            score_contacts=int(plain["score_contacts"]),
            outcome=Rate(float(share), float(error), int(rows)),
            contacts=int(plain["contacts"]),
            since=int(plain["since_us"]),
            until=int(plain["until_us"]),
            records_from=int(plain["records_from_us"]),
        )


def contacts_of(own: NDArray[np.int64] | None, otherwise: NDArray[np.int64]) -> int:
    """How many contacts rows are of: those of their own, else those of the sample."""
    return len(np.unique(otherwise if own is None else own))

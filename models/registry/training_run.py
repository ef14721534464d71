"""What a training tells MLflow about itself, as plain values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from features.times import DAY

COMMIT = "mlflow.source.git.commit"
"""MLflow's own tag for the commit of the code, shown beside a run."""


@dataclass(frozen=True)
class DataUsed:
    """What a training learnt from; becomes the run's dataset in MLflow.

    Attributes
    ----------
    source
        Where it lies, without a password.
    digest
        At most 36 letters and digits; the same for the same touchpoints, traits and decisions.
    counts
        Such as touchpoints, contacts, decisions.
    since, until
        ISO 8601: the first touchpoint, and where the data end.
    """

    source: str
    digest: str
    counts: Mapping[str, int]
    since: str
    until: str
    name: str = "touchpoints"


@dataclass(frozen=True)
class TrainingRun:
    """Everything of a training beside its bundle.

    Attributes
    ----------
    params, metrics
        Of the run; metrics must be finite.
    report
        JSON-able; stored as ``report.json`` with ``bundle`` (version and hash) filled in.
    plots
        File name to PNG.
    tags
        Of run and version, beside ``bundle_sha256`` and ``schema_version``.
    data
        What was learnt from; None where nobody says.
    at
        Moment the training stands for, in microseconds. Metrics are logged at this time, and their step is its
        day since 1970, so that runs compared in MLflow lie along the days, however often one trains.
    """

    params: Mapping[str, object] = field(default_factory=dict)
    metrics: Mapping[str, float] = field(default_factory=dict)
    report: Mapping[str, Any] = field(default_factory=dict)
    plots: Mapping[str, bytes] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    data: DataUsed | None = None
    at: int = 0

    @property
    def step(self) -> int:
        """Day of ``at`` since 1970.

        Examples
        --------
        >>> TrainingRun(at=86_400_000_000 * 20_000).step
        20000
        """
        return self.at // DAY


@dataclass(frozen=True)
class PastTraining:
    """A version as a list of trainings shows it; ``metrics`` are those of its run."""

    version: str
    aliases: tuple[str, ...]
    step: int | None
    tags: Mapping[str, str]
    metrics: Mapping[str, float]
    experiment_id: str = ""
    run_id: str = ""

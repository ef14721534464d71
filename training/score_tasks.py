"""Scoring one partition of contacts: what a worker is sent, what it does, and what it sends back."""

from __future__ import annotations

import io
import pickle
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from features.rows.row_types import ScoreRow
from features.touchpoints.touchpoints import Touchpoints
from features.touchpoints.wire import from_bytes, to_bytes
from models.belief import Belief
from models.bundle import Bundle
from models.effect.files import effect_files, read_effects
from models.estimates import foresee
from models.propensity import Propensity
from models.stages.stages import StageModel
from nba.draw import Draw
from nba.engine import decide
from nba.past import Past
from nba.request import Request
from nba.settings import Settings
from nba.tables.surroundings import Alone
from nba.tables.tables import Tables
from nba.worklist import sober

MOST_ACTIONS = 3


@dataclass(frozen=True)
class Scorer:
    """What the scores of all contacts have in common."""

    settings: Settings
    belief: Belief | None
    now: int
    tables: Tables = field(default_factory=Tables)

    def to_bytes(self) -> bytes:
        """Return settings and models as plain data, which every worker makes ready once."""
        bundle = None
        if self.belief is not None:
            found = self.belief.bundle
            bundle = {
                "manifest": dict(found.manifest),
                "propensities": {goal: (model.to_json(), model.text) for goal, model in found.propensities.items()},
                "stages": None if found.stages is None else found.stages.to_json(),
                "effects": effect_files(found.effects),
                "sha256": found.sha256,
                "version": self.belief.version,
            }
        return pickle.dumps(
            {"settings": self.settings, "bundle": bundle, "now": self.now, "tables": self.tables}, protocol=5
        )

    @classmethod
    def from_bytes(cls, blob: bytes) -> Scorer:
        """Make ready what ``to_bytes`` wrote; the bundle was verified where it was loaded."""
        found = pickle.loads(blob)
        plain, belief = found["bundle"], None
        if plain is not None:
            models = {goal: Propensity.from_json(*model) for goal, model in plain["propensities"].items()}
            stages = None if plain["stages"] is None else StageModel.from_json(plain["stages"])
            effects = read_effects(plain["effects"])
            bundle = Bundle(plain["manifest"], models, stages, plain["sha256"], effects=effects)
            belief = Belief(bundle, plain["version"])
        return cls(found["settings"], belief, found["now"], found["tables"])

    def score(
        self,
        touchpoints: Touchpoints,
        names: Sequence[str],
        traits: Sequence[Mapping[str, Any]],
        account: NDArray[np.float32] | None = None,
    ) -> pa.Table:
        """Score contacts: what the service would answer each, nothing explored and nothing logged.

        They are scored by the catalogue of the worklist: what is put into the line by another policy would be looked
        at, and left out, each time the list is read.

        Parameters
        ----------
        touchpoints
            Of those contacts that have any.
        names, traits
            Of every contact, and what was known of it.
        account
            The columns about the account of each of ``touchpoints.contacts``, where the belief has them.
        """
        catalogue, draw, belief = sober(self.settings), Draw(b"", "score"), self.belief
        codes = {name: code for code, name in enumerate(touchpoints.contacts)}
        if belief is not None:
            known = dict(zip(names, traits, strict=True))
            each = [known[name] for name in touchpoints.contacts]
            belief = foresee(belief, touchpoints, each, self.now, catalogue.candidates, account)
        nobody, around = Past.nothing().touchpoints, _Catalogues(self.tables)
        rows = []
        for name, known_of in zip(names, traits, strict=True):
            contact = codes.get(name)
            past = Past(nobody if contact is None else touchpoints.only(contact), known_of, around=around)
            request = Request(contact=name, limit=MOST_ACTIONS)
            decision = decide(request, past, belief, catalogue, self.now, draw, report=_raise)
            rows.append(row_of(decision.to_json(), self.settings, self.now))
        return table_of(rows, self.settings)


@dataclass(frozen=True)
class _Catalogues(Alone):
    """Of all that lies around a contact the catalogues alone, which are the same for everybody."""

    known: Tables

    def tables(self) -> Tables:
        return self.known


def task(
    touchpoints: Touchpoints,
    names: Sequence[str],
    traits: Sequence[Mapping[str, Any]],
    account: NDArray[np.float32] | None = None,
) -> bytes:
    """Bytes of a partition."""
    return pickle.dumps((to_bytes(touchpoints, properties=True), list(names), list(traits), account), protocol=5)


def score_partition(common: bytes, task: bytes) -> bytes:
    """Score a partition where its task was sent; returns the scores as an Arrow stream."""
    touchpoints, names, traits, account = pickle.loads(task)
    table = _scorer(common).score(from_bytes(touchpoints), names, traits, account)
    sink = io.BytesIO()
    with pa.ipc.new_stream(sink, table.schema) as stream:
        stream.write_table(table)
    return sink.getvalue()


def read_scores(result: bytes) -> pa.Table:
    """Scores as ``score_partition`` sent them."""
    return pa.ipc.open_stream(result).read_all()


@lru_cache(maxsize=1)
def _scorer(common: bytes) -> Scorer:
    return Scorer.from_bytes(common)


def _raise(error: Exception) -> None:
    # A request is answered in any case; a whole scoring by a broken model must not be.
    raise error


def row_of(answer: Mapping[str, Any], settings: Settings, as_of: int) -> ScoreRow:
    """Fill the columns; an action's priority is null where no model can tell it."""
    body: dict[str, Any] = {
        f"p_{goal}": answer["propensities"].get(goal, {}).get("probability") for goal in settings.goals
    }
    offers = answer["recommendations"]
    priorities = [offer["priority"] for offer in offers if offer["priority"] is not None]
    body["expected_value"] = max([0.0, *priorities])
    for i in range(MOST_ACTIONS):
        offer = offers[i] if i < len(offers) else None
        body[f"action_{i + 1}"] = offer["action"] if offer else None
        body[f"priority_{i + 1}"] = offer["priority"] if offer else None
    body["segments"] = answer["segments"]
    return ScoreRow(
        contact_id=answer["contact_id"],
        as_of=as_of,
        stage=answer["stage"] or answer["stage_by_rule"],
        points=answer["points"]["total"],
        body=body,
        model_version=answer["model_version"],
    )


def schema_of(settings: Settings) -> pa.Schema:
    """Return the file's columns, in the contract's order."""
    offers = [
        (f"{what}_{i + 1}", pa.string() if what == "action" else pa.float64())
        for i in range(MOST_ACTIONS)
        for what in ("action", "priority")
    ]
    return pa.schema(
        [
            ("contact_id", pa.string()),
            ("as_of", pa.timestamp("us", tz="UTC")),
            ("stage", pa.string()),
            ("points", pa.float64()),
            *((f"p_{goal}", pa.float64()) for goal in settings.goals),
            ("expected_value", pa.float64()),
            *offers,
            ("model_version", pa.string()),
        ]
    )


def told_schema_of(settings: Settings) -> pa.Schema:
    """Return the columns of all that is worked out: those of the file, and what is for the store alone."""
    return schema_of(settings).append(pa.field("segments", pa.list_(pa.string())))


def table_of(rows: Sequence[ScoreRow], settings: Settings) -> pa.Table:
    """Lay out rows as columns."""
    schema = told_schema_of(settings)
    fixed = {name: [getattr(row, name) for row in rows] for name in ScoreRow._fields if name != "body"}
    return pa.table(
        [
            pa.array(fixed[field.name] if field.name in fixed else [row.body[field.name] for row in rows], field.type)
            for field in schema
        ],
        schema=schema,
    )

"""Export: everything that is known of a person under all identities, with where it came from and what it led to."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import orjson

from features.lake.history import contact_rows
from features.rows.row_types import DecisionRow, OutcomeRow, QuarantineRow, RecordRow, ScoreRow
from features.store.mentions import Mentions
from features.store.store import Store
from features.times import iso
from models.saying.said import Said
from models.saying.tongues import say
from nba.actions import Catalogue
from nba.contact_traits import traits_of
from nba.past import Past
from nba.privacy.consents import consents, standing
from nba.privacy.person import EVER, Person, since
from nba.privacy.reasoning import in_words, reasons
from nba.privacy.trail import entries_about
from nba.settings import Settings

_COLUMNS = (
    "identity", "occurred_at", "touchpoint_id", "kind", "channel", "direction", "topics", "value", "currency", "margin",
    "duration", "decision_id", "action", "properties",
)  # fmt: skip
_EXPLAINED = ("identities", "traits", "touchpoints", "consents", "decisions", "scores", "quarantine", "acts")


def export(
    store: Store,
    person: Person,
    settings: Settings,
    now: int,
    language: str | None = None,
    own: Callable[[str], bool] | None = None,
) -> dict[str, Any]:
    """Lay out everything about a person as JSON.

    Parameters
    ----------
    now
        Microseconds; what was stored is there whatever its time.
    language
        Of what is said in words; None: that of the settings.
    own
        For whoever sees some contacts only: whether a name was given by this side. Of what was refused only rows with
        such a name are shown. None: for whoever sees everybody.

    Raises
    ------
    LakeError
        Where a lake of the store cannot be read.
    """
    members, language = person.identities, language or settings.serving.language
    touchpoints = [_touchpoint(row) for each in members for row in contact_rows(store, each, EVER)]
    touchpoints.sort(key=lambda row: (row["occurred_at"], str(row["touchpoint_id"])))
    traits = traits_of(store, members, EVER)
    past = Past.read(store, person.asked, now, settings.touchpoints)
    channel_of = Catalogue.of(settings).channel_of
    person_type = traits.get("person_type")
    decisions = [row for each in members for row in store.decisions_of(each, EVER)]
    return {
        "contact_id": person.contact.contact_id,
        "asked_for": person.asked,
        "as_of": iso(now),
        "erased_before": person.was_erased,
        "explained": {name: say(Said(f"export.{name}"), language) for name in _EXPLAINED},
        "identities": list(members),
        "links": [_link(row) for each in members for row in store.links_of(each, EVER, 10_000)],
        "splits": [_plain(row._asdict(), "at") for each in members for row in store.splits_of(each, EVER)],
        "traits": {
            "now": dict(traits),
            "history": [_known(row) for each in members for row in store.traits_of(each, EVER)],
        },
        "touchpoints": touchpoints,
        "consents": {
            "now": standing(past.touchpoints, now, channel_of, settings.contact_policy.consent, person_type, language),
            "words": consents(touchpoints),
        },
        "decisions": [_decision(store, row, language) for row in sorted(decisions, key=lambda row: row.decided_at)],
        "scores": [_score(row) for each in members if (row := store.scores_of(each)) is not None],
        "assets": [_known(row, "asset_id") for each in members for row in store.assets_of("identity", each, EVER)],
        "quarantine": _quarantine(store, person, own),
        "acts": [_act(row._asdict()) for row in entries_about(store, members)],
    }


def _touchpoint(row: tuple[Any, ...]) -> dict[str, Any]:
    found = dict(zip(_COLUMNS, row, strict=True))
    found["occurred_at"] = iso(found["occurred_at"])
    for name in ("topics", "properties"):
        if isinstance(found[name], str):
            found[name] = orjson.loads(found[name])
    return found


def _link(row: Any) -> dict[str, Any]:
    return {
        "identity_a": row.identity_a,
        "identity_b": row.identity_b,
        "since": since(row.seen_at),
        "how": row.how or None,
        "confidence": row.confidence,
    }


def _known(row: RecordRow, key: str = "identity") -> dict[str, Any]:
    return {key: row.key, "known_since": since(row.known_at), "values": dict(row.body)}


def _decision(store: Store, row: DecisionRow, language: str) -> dict[str, Any]:
    return {
        "decision_id": row.decision_id,
        "identity": row.identity,
        "decided_at": iso(row.decided_at),
        "action": row.action,
        "in_words": in_words(row, language),
        "reasons": list(reasons(row)),
        "chances": dict(row.chances or {}),
        "terms": dict(row.terms or {}),
        "policy": row.policy,
        "mode": row.mode,
        "placement": row.placement,
        "model_version": row.model_version,
        "topics": list(row.topics or ()),
        "properties": dict(row.properties or {}),
        "outcomes": [_outcome(each) for each in store.outcomes_of(row.decision_id)],
    }


def _outcome(row: OutcomeRow) -> dict[str, Any]:
    found = _plain(row._asdict(), "occurred_at", "received_at", "until")
    found.pop("decision_id")
    return found


def _score(row: ScoreRow) -> dict[str, Any]:
    return _plain(row._asdict(), "as_of")


def _refused(row: QuarantineRow) -> dict[str, Any]:
    return {
        "table": row.table,
        "row": orjson.loads(row.raw) if _is_json(row.raw) else row.raw,
        "reason": row.reason,
        "refused_at": iso(row.refused_at),
        "from": row.file,
    }


def _quarantine(store: Store, person: Person, own: Callable[[str], bool] | None) -> list[dict[str, Any]]:
    # Who brought a row is not on record: what a side calls the person could be said in anybody's.
    told = Mentions(person.identities, person.words) if own is None else Mentions(filter(own, person.identities))
    return [_refused(row) for row in store.quarantine_rows() if told.are_what_it_is_about(row.raw)]


def _is_json(raw: str) -> bool:
    # Lone surrogates, which sources do send, can be read by some readers and written by none.
    try:
        orjson.loads(raw)
    except orjson.JSONDecodeError:
        return False
    return True


def _act(row: Mapping[str, Any]) -> dict[str, Any]:
    return {"at": iso(row["at"]), "what": row["what"], "reason": row["reason"], "by": row["by"]}


def _plain(found: Mapping[str, Any], *times: str) -> dict[str, Any]:
    return {name: since(value) if name in times and value is not None else value for name, value in found.items()}

"""Scoring every contact: what the service would answer each at one moment, without logging anything."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from features.row_types import ScoreRow
from features.times import to_datetime
from models.belief import Belief
from nba.actions import Catalogue
from nba.draw import Draw
from nba.engine import decide
from nba.past import Past as OnePast
from nba.request import Request
from nba.settings import Settings
from training.past import Past, only

MOST_ACTIONS = 3


def score_all(
    past: Past, settings: Settings, belief: Belief | None, *, advance: Callable[[int], None]
) -> Iterator[ScoreRow]:
    """One row a contact, those without a touchpoint too, in order of name.

    Decisions made before are left aside, and nothing is explored or held out: a score says what is worth doing,
    not what was lately promised or what the log could learn from.
    """
    settings = replace(settings, ranking=replace(settings.ranking, epsilon=0.0, holdout=0.0))
    catalogue = Catalogue.of(settings)
    draw = Draw(b"", "score")
    codes = {name: code for code, name in enumerate(past.touchpoints.contacts)}
    nobody = OnePast.nothing().touchpoints
    for name in contact_names(past):
        contact = codes.get(name)
        touchpoints = nobody if contact is None else only(past.touchpoints, contact)
        one = OnePast(touchpoints, past.traits.known(name, past.now))
        request = Request(contact=name, limit=MOST_ACTIONS)
        decision = decide(request, one, belief, catalogue, past.now, draw, report=_raise)
        yield _row(decision.to_json(), settings, past.now)
        advance(1)


def contact_names(past: Past) -> list[str]:
    """Everybody who has touchpoints or traits."""
    return sorted({*past.touchpoints.contacts, *past.traits.identities()})


def _raise(error: Exception) -> None:
    # A request is answered in any case; a whole scoring by a broken model must not be.
    raise error


def _row(answer: dict[str, Any], settings: Settings, as_of: int) -> ScoreRow:
    """Fill the contract's columns; an action's priority is null where no model can tell it."""
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
    return ScoreRow(
        contact_id=answer["contact_id"],
        as_of=as_of,
        stage=answer["stage"] or answer["stage_by_rule"],
        points=answer["points"]["total"],
        body=body,
        model_version=answer["model_version"],
    )


def columns_of(rows: list[ScoreRow], settings: Settings) -> dict[str, list[Any]]:
    """Lay out the file's columns, in the contract's order."""
    names = [f"p_{goal}" for goal in settings.goals] + ["expected_value"]
    names += [f"{what}_{i + 1}" for i in range(MOST_ACTIONS) for what in ("action", "priority")]
    return {
        "contact_id": [row.contact_id for row in rows],
        "as_of": [to_datetime(row.as_of) for row in rows],
        "stage": [row.stage for row in rows],
        "points": [row.points for row in rows],
        **{name: [row.body[name] for row in rows] for name in names},
        "model_version": [row.model_version for row in rows],
    }

"""Whom the demo asks about, and how it shows the answers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from features.store.store import Store
from models.belief import Belief
from nba.settings import Settings
from training.past import read_past
from training.scoring import score_all


def chosen_contacts(store: Store, settings: Settings, as_of: int) -> list[tuple[str, str]]:
    """Five contacts that differ, each with what it is an example of."""
    belief = Belief.installed(settings.folder)
    rows = list(score_all(read_past(store, settings, as_of), settings, belief, advance=lambda n: None))
    store.save_scores(rows)
    chosen: dict[str, str] = {}

    def take(ordered: list[Any], why: str) -> None:
        for row in ordered:
            if row.contact_id not in chosen:
                chosen[row.contact_id] = why
                return

    def by(name: str, *, rising: bool = False) -> list[Any]:
        known = [row for row in rows if row.body.get(name) is not None]
        return sorted(known, key=lambda row: row.body[name], reverse=not rising)

    take(by("p_conversion"), "the likeliest to redeem a coupon")
    take(
        [row for row in by("p_conversion") if row.body["action_1"] is not None][40:],
        "another likely one, mailed less",
    )
    take(by("p_churn"), "the likeliest to stay away")
    take(by("p_churn", rising=True), "the likeliest to come back")
    take(by("p_conversion", rising=True), "the least interested in coupons")
    return list(chosen.items())


def shown_answer(answer: Mapping[str, Any], why: str) -> str:
    """One answer of the service as text."""
    lines = [
        "",
        f"{answer['contact_id']} - {why}",
        f"  stage {answer['stage']} (by rule: {answer['stage_by_rule']}), "
        f"points {answer['points']['total']:g}, mode {answer['mode']}, model version {answer['model_version']}",
    ]
    for goal, chance in answer["propensities"].items():
        grade = chance.get("grade") or chance.get("risk")
        lines.append(f"  {goal}: {chance['probability']:.1%} ({grade})")
    for offer in answer["recommendations"]:
        terms = offer["terms"]
        lines.append(
            f"  {offer['rank']}. {offer['action']} by {offer['channel']}, priority {_figure(offer['priority'])}"
        )
        if terms["propensity"] is not None:
            lines.append(
                f"     = ({terms['propensity']:g} - {terms['without_action']:g}) x {terms['value']:g} "
                f"x {terms['lever']:g} x {terms['context']:g} - {terms['cost']:g}"
            )
        if offer["probability"] is not None:
            lines.append(f"     drawn with probability {offer['probability']:.3f}")
        lines += [f"     - {reason}" for reason in offer["reasons"]]
    if answer["do_nothing"]:
        lines.append(f"  do nothing; ask again at {answer['again_at']}")
    for removed in answer.get("removed", []):
        lines.append(f"  not offered: {removed['action']} ({removed['rule']})")
    return "\n".join(lines)


def _figure(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"

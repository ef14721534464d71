"""What to do about a contact now, why not something else, and what would change that; nothing is drawn or logged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from features.times import DAY
from nba.decision import Decision
from nba.draw import Draw
from nba.engine import decide
from nba.partners.seen_answer import seen_answer
from nba.request import MOST_RECOMMENDATIONS, Request
from nba.settings import Settings
from nba.worklist import Worklist, sober
from serving.dashboard.numbers import Numbers
from serving.dashboard.visit import Visit
from serving.portrait import Portrait


@dataclass(frozen=True)
class Outlook:
    """What a list would say of a contact.

    Attributes
    ----------
    item
        How it stands in the list; None: it does not.
    answer
        As a recommendation is answered, with what was removed, as far as the reader sees it.
    until
        Until when a rule stands against an action, where the clock alone tells; microseconds.
    """

    item: Mapping[str, Any] | None
    answer: Mapping[str, Any]
    until: Mapping[str, int]

    @property
    def removed(self) -> list[dict[str, Any]]:
        """Every action that is not offered, with its rule, and until when that stands."""
        return [{**each, "until": self.until.get(each["action"])} for each in self.answer["removed"]]


def outlook(visit: Visit, found: Portrait) -> Outlook:
    """Look at what is best by what is known now, by the same rules as the list of today."""
    service, past = visit.service, found.past
    catalogue = sober(service.settings)
    name = found.identity if past.contact is None else past.contact.contact_id
    belief = service.bundles.current
    rows = Worklist(service.store, catalogue, belief, visit.viewer, visit.now, visit.language)
    item = rows.row(name, past.scored)
    # A decision that waits for its outcome must not be in its own way, as in caps it would.
    waits = None if item is None else item["decision_id"]
    before = replace(past, decisions=tuple(row for row in past.decisions if row.decision_id != waits))
    asked = Request(contact=name, limit=MOST_RECOMMENDATIONS, explain=True, language=visit.language)
    decision = decide(asked, before, belief, catalogue, visit.now, Draw(b"", "worklist"))
    answer = seen_answer(decision.to_json(), found.sight, name, service.settings, decision.language)
    shows_until = found.sight.shows("recommendations") and found.sight.shows("removed.detail")
    return Outlook(item, answer, _until(decision) if shows_until else {})


def _until(decision: Decision) -> dict[str, int]:
    refusals = (*decision.verdict.refusals, *decision.passed_over)
    return {each.action: each.until for each in refusals if each.until is not None}


def thresholds(settings: Settings, total: float) -> list[dict[str, Any]]:
    """Return what the points table calls for from which total on, and how far the contact is from it."""
    return [
        {
            "from": each.from_,
            "below": each.below,
            "actions": each.actions,
            "holds": each.holds(total),
            "missing": each.from_ - total if each.from_ is not None and total < each.from_ else None,
        }
        for each in settings.points.thresholds
    ]


def changes(visit: Visit, found: Portrait, seen: Outlook, levels: Sequence[Mapping[str, Any]]) -> list[str]:
    """Say what would change the recommendation, as far as the engine knows it."""
    w, n, said = visit.words, visit.numbers, list[str]()
    nearest = min((each for each in levels if each["missing"]), key=lambda each: float(each["missing"]), default=None)
    if nearest is not None:
        named = ", ".join(w.named("action", action) for action in nearest["actions"])
        said.append(
            w.change_points.format(missing=points(n, nearest["missing"]), of=points(n, nearest["from"]), actions=named)
        )
    for each in sorted(seen.removed, key=lambda each: each["until"] or 0):
        if each["until"] is not None and each["until"] > visit.now:
            action, rule = w.named("action", each["action"]), w.named("rule", plain_rule(each["rule"]))
            said.append(w.change_until.format(action=action, at=n.time(each["until"]), rule=rule))
    by_consent = [w.named("action", each["action"]) for each in seen.removed if each["rule"] == "consent"]
    if by_consent:
        said.append(w.change_consent.format(actions=", ".join(by_consent)))
    said += _next_stage(visit, found)
    again = seen.answer.get("again_at")
    if again is not None:
        said.append(w.change_again.format(at=n.time(again)))
    return said


def _next_stage(visit: Visit, found: Portrait) -> list[str]:
    """Say what would move the contact on, by the rules."""
    rules, w = visit.service.settings.stages.rules, visit.words
    now = found.profile.get("stage_by_rule")
    if now not in rules.names or now == rules.names[-1]:
        return []
    following = rules.names[rules.names.index(now) + 1]
    rule = next((each for each in rules.rules if each.name == following), None)
    if rule is None:
        return []
    kinds = ", ".join(w.named("kind", kind) for kind in rule.seen)
    return [w.change_stage.format(stage=w.named("stage", following), kinds=kinds, days=rule.within_us // DAY)]


def plain_rule(rule: str) -> str:
    """Return a rule without what it is about: a cap's name has its channel and time behind a colon.

    Examples
    --------
    >>> plain_rule("cap:email/7d")
    'cap'
    """
    return rule.partition(":")[0]


def points(numbers: Numbers, value: float) -> str:
    """Write points so that what is shown adds up: whole, else to cents, as the engine rounds them."""
    return numbers.number(value, 0 if value == int(value) else 2)

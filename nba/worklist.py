"""The worklist: whom people should turn to now, each with what to do, when, why, and what is known.

Where a contact stands was worked out when it was scored (``nba.in_line``). Whether the action is still right is worked
out when the list is read, by the same rules as a recommendation; nothing is drawn, and nothing is logged.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import orjson

from features.frozen import Frozen
from features.times import DAY, iso
from features.touchpoints.touchpoints import NONE
from nba.actions import Catalogue
from nba.approach_rule import OUTBOUND
from nba.decision import Decision
from nba.draw import Draw
from nba.engine import decide
from nba.in_line import is_for_people
from nba.partners.seen_answer import seen_answer
from nba.partners.visibility import Sight, Viewer, sight_in
from nba.past import Past
from nba.request import MOST_RECOMMENDATIONS, Request
from nba.settings import Settings
from nba.settings.actions import Action

if TYPE_CHECKING:
    from features.rows.row_types import DecisionRow, OutcomeRow, ScoreRow
    from features.store.store import Store
    from models.belief import Belief

OPEN_FOR = 14 * DAY
"""How long a decision that nobody has told the outcome of waits for somebody."""

SNOOZED = "snoozed"
OVER = (
    "done", "accepted", "converted", "rejected", "not_reached", "wrong_person", "wrong_number", "not_responsible",
    "no_need", "unsubscribed",
)  # fmt: skip
"""Outcomes after which there is nothing more to do until the contact is scored anew."""

_NOTHING: Mapping[str, Any] = Frozen()


def sober(settings: Settings) -> Catalogue:
    """Return the catalogue of a list: nothing is explored or held out, and no earlier choice is given again.

    Where the settings leave it to the points table, that still decides.
    """
    policy = "points" if settings.ranking.policy == "points" else "greedy"
    ranking = replace(settings.ranking, policy=policy, epsilon=0.0, holdout=0.0, sticky_us=0)
    return Catalogue.of(replace(settings, ranking=ranking))


@dataclass(frozen=True)
class Wanted:
    """Whose contacts are asked for; None: everybody's that the viewer sees.

    ``stage`` and ``action`` are those of the last scoring; who has an open decision and no score has neither.
    """

    owner: str | None = None
    partner: str | None = None
    stage: str | None = None
    action: str | None = None

    def takes(self, traits: Mapping[str, Any], sight: Sight) -> bool:
        """Whether a contact is among them; by what the viewer does not see nothing is told apart."""
        asked = (("owner", self.owner), ("partner", self.partner))
        return all(name is None or (sight.shows(of) and str(traits.get(of) or "") == name) for of, name in asked)


_ALL = Wanted()


@dataclass(frozen=True)
class Worklist:
    """What rows are made of, at one moment, for one viewer.

    Parameters
    ----------
    catalogue
        As ``sober`` makes it.
    """

    store: Store
    catalogue: Catalogue
    belief: Belief | None
    viewer: Viewer
    as_of: int
    language: str | None = None
    """What reasons are told in; None: the settings' language."""

    def row(self, identity: str, scored: ScoreRow | None, wanted: Wanted = _ALL) -> dict[str, Any] | None:
        """Return a contact as it stands in the list; None where there is nothing for people to do, or to see.

        Parameters
        ----------
        scored
            Its score; None where it has none and stands there because of an open decision.
        """
        catalogue, as_of = self.catalogue, self.as_of
        past = Past.read(
            self.store,
            identity,
            as_of,
            catalogue.settings.touchpoints,
            memory_us=max(catalogue.memory_of(OUTBOUND), OPEN_FOR),
            counted=catalogue.approach_rule,
        )
        sight = sight_in(self.viewer, past, catalogue.settings.partners, as_of)
        if sight.is_nothing or _stands_elsewhere(past, identity, scored) or not wanted.takes(past.traits, sight):
            return None
        outcomes = self._outcomes(past)
        open_ = _open(past, outcomes, catalogue.settings.actions, as_of)
        name = open_.action if open_ is not None else None if scored is None else scored.work
        action = catalogue.settings.actions.get(name or "")
        if action is None or (scored is not None and self._is_over(past, outcomes, action, scored.as_of)):
            return None
        return self._told(past, sight, identity, action, open_, scored)

    def _told(
        self,
        past: Past,
        sight: Sight,
        identity: str,
        action: Action,
        open_: DecisionRow | None,
        scored: ScoreRow | None,
    ) -> dict[str, Any] | None:
        # A decision that waits must not be in its own way, as in caps it would.
        before = replace(past, decisions=tuple(row for row in past.decisions if row is not open_))
        decision = self._decided(before, identity, action)
        offer = self._offer(decision, action, open_)
        if offer is None:
            return None
        priority = offer["priority"] if scored is None or scored.behind is None else -scored.behind
        whole = decision.to_json() | {"recommendations": [offer | {"rank": 1, "priority": priority}]}
        seen = seen_answer(whole, sight, identity, self.catalogue.settings, decision.language)
        if not seen["recommendations"]:
            return None
        return _row(past, sight, seen, open_)

    def _decided(self, past: Past, identity: str, action: Action) -> Decision:
        """Decide for a contact as a recommendation does, for one action alone where that says the same of it.

        What is allowed is found out for each action by itself, and of those that are worth more than doing nothing
        each is offered. Of one that is worth less only the others can tell whether anything is.
        """
        asked = Request(contact=identity, limit=MOST_RECOMMENDATIONS, language=self.language)
        draw = Draw(b"", "worklist")
        if self._is_theirs(action):
            alone = replace(asked, only=action.name)
            found = decide(alone, past, self.belief, self.catalogue, self.as_of, draw)
            if found.recommendations or not found.verdict.allowed[self.catalogue.column[action.name]]:
                return found
        return decide(asked, past, self.belief, self.catalogue, self.as_of, draw)

    def _is_theirs(self, action: Action) -> bool:
        """Whether an action is for the viewer: a partner's list is of what the partner itself carries out."""
        return self.viewer.partner is None or action.executor == "partner"

    def _offer(self, decision: Decision, action: Action, open_: DecisionRow | None) -> dict[str, Any] | None:
        """Return what is offered now of an action; of one that was decided for, else what was offered then."""
        found = [each.to_json(1) for each in decision.recommendations]
        if not self._is_theirs(action):
            return next((each for each in found if each["executor"] == "partner"), None)
        fits = [each for each in found if each["action"] == action.name]
        return fits[0] if fits else None if open_ is None else _offered_then(open_)

    def _outcomes(self, past: Past) -> Mapping[str, Sequence[OutcomeRow]]:
        """Return what came of the decisions for people that are looked at."""
        actions = self.catalogue.settings.actions
        ids = [row.decision_id for row in past.decisions if is_for_people(actions.get(row.action))]
        return {each: self.store.outcomes_of(each) for each in ids}

    def _is_over(self, past: Past, outcomes: Mapping[str, Sequence[OutcomeRow]], action: Action, since: int) -> bool:
        """Whether it was done, refused or tried in vain since a moment; what is snoozed rests by its own gate."""
        told = [each for found in outcomes.values() for each in found]
        if any(each.outcome in OVER and each.occurred_at >= since for each in told):
            return True
        t = past.touchpoints
        for row in range(int(t.occurred_at.searchsorted(since)), len(t)):
            named = t.actions[int(t.action[row])] if t.action[row] != NONE else None
            channel = t.channels[int(t.channel[row])] if t.channel[row] != NONE else None
            is_about = named == action.name if named is not None else channel == action.channel
            if is_about and (t.outbound[row] or t.kinds[int(t.kind[row])] in OVER):
                return True
        return False


def _stands_elsewhere(past: Past, identity: str, scored: ScoreRow | None) -> bool:
    """Whether the contact has got another name meanwhile, under which it is in the line."""
    if past.contact is None or past.contact.contact_id == identity or past.scored is None:
        return False
    return scored is None or past.scored.behind is not None


def _open(
    past: Past, outcomes: Mapping[str, Sequence[OutcomeRow]], actions: Mapping[str, Action], as_of: int
) -> DecisionRow | None:
    """Return the newest decision for people that waits for its outcome."""
    for row in reversed(past.decisions):
        at = row.carried_out_at
        if not is_for_people(actions.get(row.action)) or row.chances is None or at is None:
            continue
        if as_of - OPEN_FOR < at and (row.placement or OUTBOUND) == OUTBOUND:
            return row if not any(_ends(each, as_of) for each in outcomes[row.decision_id]) else None
    return None


def _ends(outcome: OutcomeRow, as_of: int) -> bool:
    if outcome.outcome == SNOOZED:
        return outcome.until is None or as_of < outcome.until
    return outcome.outcome in OVER


def _offered_then(decision: DecisionRow) -> dict[str, Any] | None:
    told = orjson.loads(decision.answer).get("recommendations", ()) if decision.answer else ()
    return next((dict(each) for each in told if each.get("action") == decision.action), None)


def _row(past: Past, sight: Sight, seen: Mapping[str, Any], open_: DecisionRow | None) -> dict[str, Any]:
    offer = seen["recommendations"][0]
    goal = offer.get("goal")
    chance = seen["propensities"].get(goal)
    return {
        "contact_id": seen["contact_id"],
        **{name: past.traits.get(name) if sight.shows(name) else None for name in _TRAITS},
        "partner": past.traits.get("partner"),
        "stage": seen["stage"] or seen["stage_by_rule"],
        "points": seen["points"]["total"],
        **{name: offer.get(name) for name in _OF_THE_OFFER},
        "reasons": offer.get("reasons", []),
        "propensity": None if chance is None else {"goal": goal, **{name: chance.get(name) for name in _OF_A_CHANCE}},
        "last_contact": _last_contact(past) if sight.shows("timeline") else None,
        "decision_id": None if open_ is None else open_.decision_id,
    }


_TRAITS = ("name", "account", "owner", "phone", "email", "crm_url")
_OF_THE_OFFER = ("action", "channel", "executor", "topic", "not_before", "valid_until", "priority", "evidence")
_OF_A_CHANCE = ("probability", "grade", "risk", "trend")


def _last_contact(past: Past) -> dict[str, Any] | None:
    if past.is_empty:
        return None
    t, row = past.touchpoints, len(past.touchpoints) - 1
    return {
        "at": iso(int(t.occurred_at[row])),
        "kind": t.kinds[int(t.kind[row])],
        "channel": t.channels[int(t.channel[row])] if t.channel[row] != NONE else None,
        "direction": "outbound" if t.outbound[row] else "inbound",
    }

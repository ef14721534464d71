"""What ``bench_pages.py`` looks at: any number of contacts with histories, decisions, outcomes, scores and sights.

Histories are copies of some hundred made-up ones, each a little later or earlier than its like, and the scores are what
``nba score`` finds for these, moved a little: so what is in line is nearly always still to be done.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from bench.http_world import MORE, RULES
from features.rows.row_types import ContactRow, DecisionRow, KeyRow, OutcomeRow, RecordRow, ScoreRow, TouchpointRow
from features.store.keys import store_key
from features.store.store import Store
from features.times import DAY, HOUR, MINUTE
from features.touchpoints.touchpoints import Touchpoints
from models.belief import Belief
from nba.actions import Catalogue
from nba.draw import Draw
from nba.engine import decide
from nba.in_line import in_line, is_for_people
from nba.partners.owner_sights import put_down
from nba.past import Past
from nba.request import Request
from nba.settings import Settings
from serving.keys import digest_of
from training.score_tasks import Scorer
from training.scoring import rows_of

TEMPLATES, PER_ACCOUNT, PER_OWNER, DEALERS = 400, 4, 2_000, 200
WEEKS = 4
_CHUNK = 40_000
"""Contacts that are stored together."""
_DECIDED = 10
"""One contact in so many has a decision of the last weeks."""
_SCOPES = ("read", "recommend", "feedback", "ingest")
_BUSY = 0.9
"""How much histories differ in length: standard deviation of the logarithm."""
_SYLLABLES = ("ba", "ber", "da", "den", "fa", "ger", "ha", "hof", "ka", "lin", "ma", "mey", "na", "ner", "ro", "sen")
_FIRST = ("Anna", "Beat", "Carla", "Dario", "Eva", "Felix", "Gina", "Hugo", "Ines", "Jonas", "Karin", "Luca", "Mara")
_OTHERWISE = (
    ('sticky = "1h"', 'sticky = "0s"\nholdout = 0.0'),
    ('policy = "thompson"', 'policy = "epsilon"'),
    ("capacity = { total = 30 }", 'capacity = { per = "1d", count = 100000 }'),
    ("value = 400.0", "value = 4000.0"),
    ("value = 500.0", "value = 5000.0"),
)
"""Calls that are worth their cost and find room: else there would be nothing to do for anybody."""


def settings_text(store: str) -> str:
    """Return the settings: every kind of rule, calls that are worth it, and roles in an account."""
    rules = RULES
    for what, by in _OTHERWISE:
        rules = rules.replace(what, by)
    return f'{rules}{MORE}[store]\nurl = "{store}"\n[accounts]\nroles = ["buyer", "engineer", "manager"]\n'


def name_of(contact: int) -> str:
    """Name of a contact; names are in the order of their numbers."""
    return f"crm:{contact:08}"


def person_of(contact: int) -> str:
    """Return what a contact is called: thousands share a first name, dozens a last one."""
    rest, parts = contact * 7_919 % 65_521, []
    for _ in range(3):
        rest, at = divmod(rest, len(_SYLLABLES))
        parts.append(_SYLLABLES[at])
    return f"{_FIRST[contact % len(_FIRST)]} {''.join(parts).title()}"


def traits_of(contact: int, like: int) -> dict[str, object]:
    """Traits of a contact whose history is that of a template; every other one belongs to a dealer."""
    account = contact // PER_ACCOUNT
    found: dict[str, object] = {
        "name": person_of(contact),
        "email": f"p{contact}@firm{account}.example",
        "phone": f"+41 44 {contact % 1_000_000_000:09}",
        "account": f"account:{account}",
        "role": ("buyer", "engineer", "manager", "user")[contact % PER_ACCOUNT],
        "owner": owner_of(contact),
        "person_type": "business",
        "country": ("CH", "DE", "AT")[like % 3],
        "born_on": f"1980-{1 + like % 12:02}-15",
    }
    return found | ({"partner": dealer_of(contact)} if account % 2 else {})


def owner_of(contact: int) -> str:
    """Name of who is in charge of a contact."""
    return f"owner:{contact // PER_OWNER}"


def dealer_of(contact: int) -> str:
    """Name of the dealer that a contact would belong to."""
    return f"dealer:{contact // PER_ACCOUNT // 2 % DEALERS}"


@dataclass(frozen=True)
class Histories:
    """Templates of histories, one after the other, and which one each contact has.

    Attributes
    ----------
    columns
        ``occurred_at`` and, as lists would hold them, ``kind``, ``channel``, ``topics``, ``value``, ``action`` and
        ``properties`` of all rows.
    start
        Where each template begins, shape (templates + 1,).
    like
        Of each contact the template, shape (contacts,).
    """

    columns: dict[str, NDArray[Any]]
    start: NDArray[np.int64]
    like: NDArray[np.int64]

    @classmethod
    def made_up(cls, contacts: int, touchpoints: int, now: int) -> Histories:
        """Make up histories that come, all contacts together, to about so many touchpoints."""
        rng = np.random.default_rng(7)
        length = rng.lognormal(0.0, _BUSY, TEMPLATES)
        length = np.maximum(8, length * touchpoints / contacts / length.mean()).round().astype(np.int64)
        rows = [row for i, n in enumerate(length.tolist()) for row in _history(np.random.default_rng(i), n, now)]
        names = ("kind", "channel", "topics", "value", "action", "properties")
        columns = {name: np.array([row[i + 1] for row in rows], dtype=object) for i, name in enumerate(names)}
        columns["occurred_at"] = np.array([row[0] for row in rows], dtype=np.int64)
        return cls(columns, np.concatenate([[0], np.cumsum(length)]), rng.integers(0, TEMPLATES, contacts))

    def rows(self, low: int, high: int) -> list[list[Any]]:
        """Return the columns of ``TouchpointRow`` of the contacts ``[low, high)``, in the order of the table."""
        like = self.like[low:high]
        length = (self.start[1:] - self.start[:-1])[like]
        first = np.cumsum(length) - length
        nth = np.arange(length.sum()) - np.repeat(first, length)
        place = np.repeat(self.start[like], length) + nth
        # Nobody did the very same thing at the very same moment.
        apart = np.random.default_rng(low).integers(0, 60, high - low) * MINUTE
        at = self.columns["occurred_at"][place] - np.repeat(apart, length)
        whose = [name_of(contact) for contact in range(low, high)]
        who = np.repeat(np.arange(high - low), length).tolist()
        found = {name: values[place].tolist() for name, values in self.columns.items()}
        found |= {"occurred_at": at.tolist(), "identity": [whose[each] for each in who], "source": [""] * len(who)}
        found["touchpoint_id"] = [f"{low + i:08}-{n:03}" for i, n in zip(who, nth.tolist(), strict=True)]
        nothing = [None] * len(who)
        return [found.get(name, nothing) for name in TouchpointRow._fields]

    def of_templates(self) -> list[TouchpointRow]:
        """Return each template once, as the history of a contact with the template's number."""
        columns = replace(self, like=np.arange(TEMPLATES)).rows(0, TEMPLATES)
        return [TouchpointRow._make(row) for row in zip(*columns, strict=True)]


def _history(rng: np.random.Generator, n: int, now: int) -> list[tuple[Any, ...]]:
    """Make up a year of somebody who reads, asks, buys, agrees and is written to; rows by time."""
    told: list[tuple[str, str | None]] = [("consent_given", "email"), ("consent_confirmed", "email")]
    told.append(("consent_presumed", "phone"))
    kinds, channels = ("page_view", "visit", "newsletter_open", "download", "service_call", "order", "email_sent"), []
    for i in rng.choice(len(kinds), n - len(told), p=(0.4, 0.15, 0.15, 0.1, 0.06, 0.07, 0.07)).tolist():
        channels.append(("web", "web", "email", "web", "phone", "shop", "email")[i])
        told.append((kinds[i], channels[-1]))
    at = np.sort(now - 3 * HOUR - rng.integers(0, 365 * DAY, n))
    order = [0, 1, 2, *(3 + rng.permutation(n - 3)).tolist()]
    topics = ('["pumps/industrial"]', '["service"]', '["valves"]')
    return [
        (
            when,
            *told[i],
            topics[i % 3] if i > 2 else None,
            float(rng.integers(20, 900)) if told[i][0] == "order" else None,
            "mail_1" if told[i][0] == "email_sent" else None,
            '{"ground":"met at a fair"}' if told[i][0] == "consent_presumed" else None,
        )
        for when, i in zip(at.tolist(), order, strict=True)
    ]


def fill(store: Store, settings: Settings, belief: Belief, contacts: int, touchpoints: int, now: int) -> None:
    """Store everybody, what was decided for some of them, everybody's score, and who may see whom."""
    histories = Histories.made_up(contacts, touchpoints, now)
    with store.loading() as loading:
        dealers = [RecordRow(f"dealer:{i}", now - 400 * DAY, {"name": f"Dealer {i}"}) for i in range(DEALERS)]
        loading.records("partners", dealers)
        accounts = range(-(-contacts // PER_ACCOUNT))
        named = ((f"account:{i}", {"name": f"{person_of(i)[-6:].title()} Ltd {i}"}) for i in accounts)
        loading.records("accounts", [RecordRow(key, now - 400 * DAY, body) for key, body in named])
        events = [RecordRow("e1", now - 400 * DAY, {"starts_at": "2099-01-01T10:00:00Z", "topics": ["pumps"]})]
        loading.records("events", events)
        for low, high in _parts(contacts):
            like = histories.like[low:high].tolist()
            each = zip(range(low, high), like, strict=True)
            loading.contacts([ContactRow(name_of(i), now - 400 * DAY, traits_of(i, of)) for i, of in each])
    for low, high in _parts(contacts):
        with store.loading() as loading:
            loading.touchpoint_columns(histories.rows(low, high))
            loading.settle()
    found = _Found.of(histories, settings, belief, now)
    _decide(store, histories, found, now)
    store.save_scores(_scores(histories, found, settings, now))
    put_down(store, settings, now)


def _parts(contacts: int) -> Iterator[tuple[int, int]]:
    return ((low, min(low + _CHUNK, contacts)) for low in range(0, contacts, _CHUNK))


@dataclass(frozen=True)
class _Found:
    """What was found for each template: its score, and a decision as the service logs it."""

    scores: Sequence[ScoreRow]
    decisions: Sequence[DecisionRow]

    @classmethod
    def of(cls, histories: Histories, settings: Settings, belief: Belief, now: int) -> _Found:
        """Score the templates, and decide for them as of yesterday."""
        touchpoints = Touchpoints.from_rows([row[:14] for row in histories.of_templates()], settings.touchpoints)
        names, traits = [name_of(i) for i in range(TEMPLATES)], [traits_of(i, i) for i in range(TEMPLATES)]
        table = Scorer(settings, belief, now).score(touchpoints, names, traits)
        catalogue, draw, decisions = Catalogue.of(settings), Draw(b"bench", "bench"), []
        for i, (name, known) in enumerate(zip(names, traits, strict=True)):
            past = Past(touchpoints.only(i), known)
            request = Request(contact=name, placement="outbound")
            decision = decide(request, past, belief, catalogue, now - DAY, draw)
            answer = orjson.dumps(decision.to_json(), option=orjson.OPT_SERIALIZE_NUMPY)
            decisions.append(decision.row(key="shop", request_hash=None, answer=answer))
        return cls(list(rows_of(table)), decisions)


def _decide(store: Store, histories: Histories, found: _Found, now: int) -> None:
    """Store decisions of the last weeks and what came of them; a few calls of the last days wait for their outcome."""
    rng = np.random.default_rng(11)
    contacts = np.arange(0, len(histories.like), _DECIDED)
    at = now - 2 * HOUR - rng.integers(0, WEEKS * 7 * DAY, len(contacts))
    come = rng.choice(np.array(["", "done", "accepted", "rejected", "converted"]), len(contacts), p=(0.6, *(0.1,) * 4))
    for low in range(0, len(contacts), _CHUNK // _DECIDED):
        part = slice(low, low + _CHUNK // _DECIDED)
        decisions, outcomes = [], []
        for i, moment, outcome in zip(contacts[part].tolist(), at[part].tolist(), come[part].tolist(), strict=True):
            like = found.decisions[int(histories.like[i])]
            row = replace(like, decision_id=f"bench-{i:08}", identity=name_of(i), decided_at=moment, as_of=moment)
            decisions.append(row)
            if outcome:
                then = moment + HOUR
                outcomes.append(OutcomeRow(f"f-{i:08}", row.decision_id, outcome, then, then, row.action))
        with store.writing() as writing:
            writing.decisions(decisions)
            writing.outcomes(outcomes)


def _scores(histories: Histories, found: _Found, settings: Settings, now: int) -> Iterator[ScoreRow]:
    """Return everybody's score: the template's, moved a little."""
    moved = np.random.default_rng(13).lognormal(0.0, 0.2, len(histories.like)).tolist()
    for i, (like, factor) in enumerate(zip(histories.like.tolist(), moved, strict=True)):
        row = found.scores[like]
        body = {
            name: value * factor if name.startswith("priority_") and isinstance(value, float) else value
            for name, value in row.body.items()
        }
        yield in_line(row._replace(contact_id=name_of(i), body=body), settings.actions, traits_of(i, like))


def add_key(
    store: Store, name: str, key: str, now: int, *, owner: str | None = None, partner: str | None = None
) -> None:
    """Store a key; the digest is all that the store is told of it."""
    digest = digest_of(key)
    row = KeyRow(digest[:16], name, digest, _SCOPES, partner, owner, False, (), None, now)
    with store.writing() as writing:
        store_key(writing, row)


def actions_for_people(settings: Settings) -> list[str]:
    """Names of the actions that people carry out."""
    return [name for name, action in settings.actions.items() if is_for_people(action)]

"""Views about single contacts."""

from __future__ import annotations

from features.store.view_types import NUMBER, TEXT, Column, View, moment, moments
from features.store.view_words import AGREES, Words

_CONTACT = Column("contact_id", TEXT, "The contact's name: one of its identities.")
_ACCOUNT = Column("account", TEXT, "The account that it buys for.")
_SCORED = moment("scored", "The moment that the score is for (`as_of`): what happened before it counts.")
_VERSION = Column("model_version", TEXT, "The model that scored; null where it was the points table.")
_CHOICES = (1, 2, 3)


def _next_best_action(words: Words) -> str:
    choices = ", ".join(
        f"CASE WHEN {words.seen(f'action_{i}')} THEN {_in_body(f'action_{i}', words)} END AS action_{i}, "
        f"CASE WHEN {words.seen(f'priority_{i}')} THEN {_number(f'priority_{i}', words)} END AS priority_{i}"
        for i in _CHOICES
    )
    return (
        "SELECT s.contact_id AS contact_id, "
        f"CASE WHEN {words.seen('account')} THEN w.account END AS account, "
        f"CASE WHEN {words.seen('owner')} THEN w.owner END AS owner, "
        f"w.partner AS partner, {moments(words, 's.as_of', 'scored')}, "
        f"CASE WHEN {words.seen('stage')} THEN s.stage END AS stage, "
        f"CASE WHEN {words.seen('points')} THEN s.points END AS points, "
        f"CASE WHEN {words.seen('expected_value')} THEN {_number('expected_value', words)} END AS expected_value, "
        f"{choices}, s.model_version AS model_version "
        f"FROM scores AS s JOIN owner_sights AS w ON w.identity = s.contact_id WHERE {words.stands} AND {AGREES}"
    )


def _in_body(name: str, words: Words) -> str:
    return words.said.format(text="s.body", name=name)


def _number(name: str, words: Words) -> str:
    return words.number.format(text="s.body", name=name)


def _propensities(words: Words) -> str:
    goal = "substr(member.key, 3)"
    listed = words.place.format(a="w.shows", b="'|' || member.key || '|'")
    seen = f"(w.shows = '*' OR {listed} > 0)"
    return (
        f"SELECT s.contact_id AS contact_id, {goal} AS goal, CAST(member.value AS DOUBLE PRECISION) AS probability, "
        f"{words.entry.format(text='s.body', name='grades', key=goal)} AS grade, "
        f"{moments(words, 's.as_of', 'scored')}, s.model_version AS model_version "
        f"FROM scores AS s JOIN owner_sights AS w ON w.identity = s.contact_id "
        f"CROSS JOIN {words.members.format(text='s.body')} "
        f"WHERE substr(member.key, 1, 2) = 'p_' AND member.value IS NOT NULL AND {seen} AND {words.stands} AND {AGREES}"
    )


def _timeline(words: Words) -> str:
    return (
        "SELECT w.contact_id AS contact_id, "
        f"CASE WHEN {words.seen('identities')} THEN t.identity END AS identity, "
        f"{moments(words, 't.occurred_at', 'occurred')}, t.kind AS kind, t.channel AS channel, "
        f"t.direction AS direction, {words.listed.format(text='t.topics')} AS topics, t.value AS value, "
        "t.currency AS currency, t.margin AS margin, t.duration AS duration, "
        "coalesce(t.action, d.action) AS action, t.decision_id AS decision_id, t.touchpoint_id AS touchpoint_id, "
        "t.source AS source "
        "FROM touchpoints AS t JOIN owner_sights AS w ON w.identity = t.identity "
        f"LEFT JOIN decisions AS d ON d.decision_id = t.decision_id WHERE {words.stands} AND {words.seen('timeline')}"
    )


NEXT_BEST_ACTION = View(
    "v_next_best_action",
    "A contact with its newest score and the best of what is allowed for it.",
    "Filled by `nba score`. `action_1` is null where doing nothing is best. Who has objected, unsubscribed, "
    "withdrawn a consent or had processing restricted since the score, or earlier where the word came in only since, "
    "is not in it before the next scoring, if then.",
    (
        _CONTACT,
        _ACCOUNT,
        Column("owner", TEXT, "Who of us looks after it (trait `owner`)."),
        Column("partner", TEXT, "The dealer that looks after it, while its agreement is in force."),
        *_SCORED,
        Column("stage", TEXT, "Where in the journey it is."),
        Column("points", NUMBER, "Its total by the points table."),
        Column("expected_value", NUMBER, "The highest priority among its actions, 0 where there is none above."),
        *(
            column
            for i in _CHOICES
            for column in (
                Column(f"action_{i}", TEXT, ("The best action.", "The second.", "The third.")[i - 1]),
                Column(f"priority_{i}", NUMBER, f"What `action_{i}` is worth, in the currency of `[money]`."),
            )
        ),
        _VERSION,
    ),
    _next_best_action,
)

PROPENSITIES = View(
    "v_propensities",
    "A contact's chance of one goal, by its newest score.",
    "Filled by `nba score`; empty where no model serves. As many rows a contact as `nba.toml` has goals, of contacts "
    "that are in `v_next_best_action`.",
    (
        _CONTACT,
        Column("goal", TEXT, "The goal, as under `[goals]`."),
        Column("probability", NUMBER, "The chance that it is reached within its horizon, 0 to 1."),
        Column("grade", TEXT, "A to D; for a goal that is an absence, such as churn, low, medium or high."),
        *_SCORED,
        _VERSION,
    ),
    _propensities,
)

TIMELINE = View(
    "v_contact_timeline",
    "A touchpoint of a contact.",
    "Ask for one contact, or for a span of `occurred_us`: it is as long as the table of touchpoints. Touchpoints that "
    "lie in a [lake](scale.md) are not in it.",
    (
        _CONTACT,
        Column("identity", TEXT, "The identity that the source knew it by."),
        *moment("occurred", "When it happened."),
        Column("kind", TEXT, "Such as visit, order, newsletter_open."),
        Column("channel", TEXT, "Such as web, email, phone."),
        Column("direction", TEXT, "inbound or outbound, where the source said so."),
        Column("topics", TEXT, "What it was about, with commas between."),
        Column("value", NUMBER, "Money, in `currency`."),
        Column("currency", TEXT, "Of `value` and `margin`; null: that of `[money]`."),
        Column("margin", NUMBER, "Money, in `currency`."),
        Column("duration", NUMBER, "Seconds."),
        Column("action", TEXT, "The action that it belongs to, else that of its decision."),
        Column("decision_id", TEXT, "The decision that it belongs to."),
        Column("touchpoint_id", TEXT, "Its id, once for each source."),
        Column("source", TEXT, "Who sent it."),
    ),
    _timeline,
)

VIEWS = (NEXT_BEST_ACTION, PROPENSITIES, TIMELINE)

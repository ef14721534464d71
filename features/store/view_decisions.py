"""Views that count decisions and what came of them."""

from __future__ import annotations

from features.store.view_types import DAY, FLAG, NUMBER, TEXT, WHOLE, Column, View
from features.store.view_words import COUNTS, Words

_FEWEST_GROUPS, _FEWEST_OUTCOMES = 20, 5
"""Fewer groups, successes or failures give no interval that could be relied on."""
_WIDTH = 1.959963984540054
"""Standard errors to each side of a two-sided 95 % interval."""
ALL = "(all)"

# What came of each decision; feedback for a decision that is not known is pending and counts nowhere.
_CAME = (
    "came AS (SELECT o.decision_id, max(CASE WHEN o.outcome = 'accepted' THEN 1 ELSE 0 END) AS accepted, "
    "max(CASE WHEN o.outcome = 'converted' THEN 1 ELSE 0 END) AS converted, "
    "max(CASE WHEN o.outcome = 'rejected' THEN 1 ELSE 0 END) AS rejected, "
    "sum(CASE WHEN o.outcome = 'converted' THEN o.value END) AS value "
    "FROM outcomes AS o WHERE NOT o.pending GROUP BY o.decision_id)"
)
_HELD = "CASE WHEN d.holdout THEN 1 ELSE 0 END"
_DONE = "CASE WHEN d.deferred AND d.activated_at IS NULL THEN 0 ELSE 1 END"
_SUCCEEDED = "CASE WHEN c.accepted = 1 OR c.converted = 1 THEN 1 ELSE 0 END"
_FROM = (
    "FROM decisions AS d JOIN owner_sights AS w ON w.identity = d.identity "
    "LEFT JOIN came AS c ON c.decision_id = d.decision_id"
)


def _daily(words: Words) -> str:
    keys = (
        f"{words.day.format(us='d.decided_at')} AS day, d.action AS action, "
        "coalesce(d.placement, 'outbound') AS placement, d.mode AS mode, d.policy AS policy, "
        f"d.model_version AS model_version, {_HELD} AS holdout, "
        "CASE WHEN d.chances IS NULL THEN 1 ELSE 0 END AS loaded"
    )
    return (
        f"WITH {_CAME}, each AS (SELECT {keys}, d.probability AS probability, w.contact_id AS contact_id, "
        f"{_DONE} AS carried_out, CASE WHEN c.decision_id IS NULL THEN 0 ELSE 1 END AS answered, "
        "coalesce(c.accepted, 0) AS accepted, coalesce(c.converted, 0) AS converted, "
        f"coalesce(c.rejected, 0) AS rejected, c.value AS value {_FROM} "
        f"WHERE {COUNTS} AND {words.stands} AND {words.seen('recommendations')}) "
        "SELECT day, action, placement, mode, policy, model_version, holdout, loaded, count(*) AS decisions, "
        "count(DISTINCT contact_id) AS contacts, sum(carried_out) AS carried_out, sum(answered) AS answered, "
        "sum(accepted) AS accepted, sum(converted) AS converted, sum(rejected) AS rejected, "
        "sum(value) AS value, avg(probability) AS mean_probability "
        "FROM each GROUP BY day, action, placement, mode, policy, model_version, holdout, loaded"
    )


def _lift(words: Words) -> str:
    each = (
        "each AS (SELECT coalesce(d.placement, 'outbound') AS placement, d.action AS action, "
        f"{_HELD} AS holdout, coalesce(w.account, w.contact_id) AS unit, w.contact_id AS contact_id, "
        f"CASE WHEN c.decision_id IS NULL THEN 0 ELSE 1 END AS answered, {_SUCCEEDED} AS success {_FROM} "
        f"WHERE d.chances IS NOT NULL AND {COUNTS} AND {_DONE} = 1 "
        f"AND {words.stands} AND {words.seen('recommendations')})"
    )
    both = (
        "both_kinds AS (SELECT placement, action, 0 AS whole, holdout, unit, answered, success FROM each "
        f"UNION ALL SELECT placement, '{ALL}', 1, holdout, unit, answered, success FROM each)"
    )
    units = (
        "units AS (SELECT placement, action, whole, holdout, count(*) AS n, sum(answered) AS a, sum(success) AS s "
        "FROM both_kinds GROUP BY placement, action, whole, holdout, unit)"
    )
    sums = ", ".join(
        f"{_real(f'sum(CASE WHEN holdout = {held} THEN {what} ELSE 0 END)')} AS {name}{held}"
        for held in (0, 1)
        for name, what in (
            ("m", "1"),
            ("n", "n"),
            ("a", "a"),
            ("s", "s"),
            ("ss", "s * s"),
            ("sn", "s * n"),
            ("nn", "n * n"),
        )
    )
    rates = ", ".join(f"CASE WHEN n{held} > 0 THEN s{held} / n{held} END AS r{held}" for held in (0, 1))
    return (
        f"WITH {_CAME}, {each}, {both}, {units}, "
        f"sums AS (SELECT placement, action, whole, {sums} FROM units GROUP BY placement, action, whole), "
        f"rates AS (SELECT sums.*, {rates} FROM sums), "
        f"errors AS (SELECT rates.*, {_why()} AS why, {_variance(0)} + {_variance(1)} AS variance FROM rates), "
        "found AS (SELECT errors.*, CASE WHEN why IS NULL THEN r0 - r1 END AS lift, CASE WHEN why IS NULL THEN "
        f"{_WIDTH} * sqrt(CASE WHEN variance > 0 THEN variance ELSE 0 END) END AS half FROM errors) "
        "SELECT placement, action, CASE WHEN whole = 1 THEN 'randomised' ELSE 'observational' END AS evidence, "
        f"{_integer('n0')} AS decisions, {_integer('m0')} AS units, {_integer('a0')} AS answered, "
        f"{_integer('s0')} AS successes, r0 AS success_rate, {_integer('n1')} AS holdout_decisions, "
        f"{_integer('m1')} AS holdout_units, {_integer('s1')} AS holdout_successes, r1 AS holdout_success_rate, "
        "lift, lift - half AS lift_low, lift + half AS lift_high, why FROM found"
    )


def _variance(held: int) -> str:
    """Variance of a ratio of sums over groups drawn as a whole (Cochran 1977, Sampling Techniques, 6.4)."""
    spread = f"(ss{held} - 2 * r{held} * sn{held} + r{held} * r{held} * nn{held})"
    return f"CASE WHEN m{held} > 1 THEN m{held} / (m{held} - 1) * {spread} / (n{held} * n{held}) ELSE 0 END"


def _why() -> str:
    few = " OR ".join(f"s{held} < {_FEWEST_OUTCOMES} OR n{held} - s{held} < {_FEWEST_OUTCOMES}" for held in (0, 1))
    return (
        "CASE WHEN n1 = 0 THEN 'nothing was held out' WHEN n0 = 0 THEN 'everything was held out' "
        f"WHEN m0 < {_FEWEST_GROUPS} OR m1 < {_FEWEST_GROUPS} THEN 'fewer than {_FEWEST_GROUPS} accounts or contacts' "
        f"WHEN {few} THEN 'fewer than {_FEWEST_OUTCOMES} successes or failures' END"
    )


def _real(sql: str) -> str:
    return f"CAST({sql} AS DOUBLE PRECISION)"


def _integer(sql: str) -> str:
    return f"CAST({sql} AS BIGINT)"


DAILY = View(
    "v_decisions_daily",
    "A day (UTC), action, placement, mode, policy, model version, holdout or not, loaded or not.",
    "A repeated answer is the same decision and counts once.",
    (
        Column("day", DAY, "When it was decided."),
        Column("action", TEXT, "The action that was drawn; `do_nothing` is one."),
        Column("placement", TEXT, "`outbound`, `infocenter` or another."),
        Column("mode", TEXT, "The rung that answered: learned, constant, points, default."),
        Column("policy", TEXT, "How it was drawn."),
        Column("model_version", TEXT, "The model that answered; null where none did."),
        Column("holdout", FLAG, "1 where the contact was held out."),
        Column("loaded", FLAG, "1 where it is a past decision out of a file, 0 where this service decided."),
        Column("decisions", WHOLE, "How many decisions."),
        Column("contacts", WHOLE, "Of how many contacts."),
        Column("carried_out", WHOLE, "Those that were not deferred, or were activated."),
        Column("answered", WHOLE, "Those of which any outcome was reported."),
        Column("accepted", WHOLE, "Those with the outcome `accepted`."),
        Column("converted", WHOLE, "Those with the outcome `converted`."),
        Column("rejected", WHOLE, "Those with the outcome `rejected`."),
        Column("value", NUMBER, "Sum of the values of outcomes `converted`; null where none has one."),
        Column("mean_probability", NUMBER, "Mean probability that the action had when it was drawn."),
    ),
    _daily,
)

LIFT = View(
    "v_action_lift",
    f"An action in a placement, and `{ALL}` for all actions of the placement together.",
    "Decisions of this service that were carried out, ever since. A success is a decision with an outcome `accepted` "
    "or `converted`. Held out are contacts, by their accounts, for whom the points table decides. Only the row "
    f"`{ALL}` compares like with like: who is held out was drawn. An action's own row compares whom the policy chose "
    "it for with whom the points table chose it for; they are other people, so it shows where to look and proves "
    "nothing. `nba evaluate policies` judges better. The interval counts accounts (contacts without one), because "
    "decisions for one account are alike; it needs the function `sqrt`, which SQLite has where it was built with its "
    "mathematical functions.",
    (
        Column("placement", TEXT, "`outbound`, `infocenter` or another."),
        Column("action", TEXT, f"The action, or `{ALL}`."),
        Column("evidence", TEXT, f"`randomised` for `{ALL}`, `observational` for single actions."),
        Column("decisions", WHOLE, "Decisions that were not held out."),
        Column("units", WHOLE, "The accounts, or contacts without one, that they are about."),
        Column("answered", WHOLE, "Those of which any outcome was reported."),
        Column("successes", WHOLE, "Those that succeeded."),
        Column("success_rate", NUMBER, "`successes` in `decisions`."),
        Column("holdout_decisions", WHOLE, "Decisions that were held out."),
        Column("holdout_units", WHOLE, "The accounts, or contacts without one, that those are about."),
        Column("holdout_successes", WHOLE, "Those that succeeded."),
        Column("holdout_success_rate", NUMBER, "`holdout_successes` in `holdout_decisions`."),
        Column("lift", NUMBER, "`success_rate` less `holdout_success_rate`; null where `why` says why."),
        Column("lift_low", NUMBER, "Lower end of its two-sided 95 % interval."),
        Column("lift_high", NUMBER, "Upper end."),
        Column(
            "why",
            TEXT,
            f"Why there is no lift: nothing, or everything, was held out; fewer than {_FEWEST_GROUPS} accounts or "
            f"contacts; fewer than {_FEWEST_OUTCOMES} successes or failures.",
        ),
    ),
    _lift,
)

VIEWS = (DAILY, LIFT)

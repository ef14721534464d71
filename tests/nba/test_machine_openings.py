"""A mail that a machine opened is neither an answer of the contact nor an approach of ours."""

from features.times import DAY
from features.touchpoints.touchpoints import BY_MACHINE, TouchpointRules, Touchpoints
from nba.approach_rule import ApproachRule

NOW = 1_764_000_000_000_000


def row(name, kind, direction, days):
    return ("crm:1", NOW - days * DAY, name, kind, "email", direction, None, None, None, None, None, None, None, None)


def test_it_counts_in_no_cap():
    sent, opened = row("a", "email_sent", None, 2), row("b", BY_MACHINE, "outbound", 1)
    history = Touchpoints.from_rows([sent, opened], TouchpointRules())
    assert history.outbound.tolist() == [True, True]
    assert [found.at for found in ApproachRule().approaches(history, (), NOW)] == [NOW - 2 * DAY]


def test_what_only_machines_did_is_no_approach():
    history = Touchpoints.from_rows([row("b", BY_MACHINE, "outbound", 1)], TouchpointRules())
    assert ApproachRule().approaches(history, (), NOW) == ()

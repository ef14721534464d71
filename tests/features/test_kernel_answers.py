"""Claims about answers: by decision id, else by channel within two weeks, and only to what lies before."""

from dataclasses import replace

import numpy as np
import pytest

from features.matrix import ANSWER_WITHIN, History
from features.touchpoints.touchpoints import Touchpoints
from tests.features.worlds import FEATURES, NOW, RULES, row


def answers(*rows):
    """The row that each one answers, -1 for none, and whether it is the first to."""
    back = History(Touchpoints.from_rows(rows, RULES), FEATURES).events["answers"]
    return [i - abs(b) if b else -1 for i, b in enumerate(back.tolist())], (back > 0).tolist()


def sent(at, number, **more):
    return row("ann", NOW + at, number, "email_sent", more.pop("channel", "email"), **more)


def came(at, number, **more):
    return row(more.pop("who", "ann"), NOW + at, number, "email_open", more.pop("channel", "email"), **more)


@pytest.mark.parametrize(
    ("rows", "linked"),
    [
        ([sent(0, 1, decision="d"), sent(1, 2), came(2, 3, decision="d")], [-1, -1, 0]),
        ([sent(0, 1, decision="d"), sent(1, 2, decision="d"), came(2, 3, decision="d")], [-1, -1, 1]),
        ([sent(0, 1), sent(1, 2), came(2, 3)], [-1, -1, 1]),
        ([sent(0, 1), came(1, 2, decision="unknown")], [-1, -1]),
        ([sent(0, 1), came(1, 2, channel="web")], [-1, -1]),
        ([sent(0, 1, channel=None), came(1, 2, channel=None)], [-1, -1]),
        ([came(0, 1), sent(1, 2)], [-1, -1]),
        ([sent(0, 1, decision="d"), came(1, 2, decision="d", who="bob")], [-1, -1]),
        ([sent(0, 1), came(ANSWER_WITHIN, 2)], [-1, 0]),
        ([sent(0, 1), came(ANSWER_WITHIN + 1, 2)], [-1, -1]),
        ([sent(0, 1, decision="d"), came(9 * ANSWER_WITHIN, 2, decision="d")], [-1, 0]),
        ([sent(0, 1), came(0, 2)], [-1, 0]),
        ([sent(0, 2), came(0, 1)], [-1, -1]),
    ],
)
def test_what_an_inbound_touchpoint_answers(rows, linked):
    assert answers(*rows)[0] == linked


def test_only_the_first_answer_is_the_first():
    assert answers(sent(0, 1), came(1, 2), came(2, 3), sent(3, 4), came(4, 5))[1] == [False, True, False, False, True]


def test_an_answer_stands_as_soon_as_it_has_happened():
    history = History(Touchpoints.from_rows([sent(0, 1), came(10, 2), came(20, 3)], RULES), FEATURES)
    plain = replace(FEATURES, own=False)
    X = history.with_own(plain).matrix(np.zeros(3, dtype=np.int64), NOW + np.array([10, 11, 21]))
    assert X[:, FEATURES.columns.index("answer_rate")].tolist() == [0.0, 1.0, 1.0]


def test_an_answer_is_seen_with_what_it_answers_or_not_at_all():
    """Two people of an account: what was sent to the one who came later is answered by that one only."""
    rows = [sent(0, 1), sent(1, 2), came(2, 3), came(3, 4)]
    known = Touchpoints.from_rows(rows, RULES)
    always, later = -(2**62), NOW + 10
    known = replace(
        known,
        visible_from=np.array([always, later, always, later]),
        visible_to=np.full(4, 2**62),
    )
    history = History(known, replace(FEATURES, own=False))
    assert history.events["answers"].tolist() == [0, 0, 2, 2]
    X = history.matrix(np.zeros(2, dtype=np.int64), np.array([later, later + 1]))
    of = dict(zip(history.features.columns, X.T.tolist(), strict=True))
    assert of["n_inbound_ever"] == [1, 2] and of["n_outbound_7d"] == [1, 2] and of["n_answered_365d"] == [1, 2]

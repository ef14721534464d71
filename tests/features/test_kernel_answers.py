"""Claims about answers: by decision id, else by channel within two weeks, and only to what lies before."""

from dataclasses import replace

import numpy as np
import pytest

from features.matrix import ANSWER_WITHIN, History
from features.touchpoints import Touchpoints
from tests.features.worlds import FEATURES, NOW, RULES, row


def answers(*rows):
    events = History(Touchpoints.from_rows(rows, RULES), FEATURES).events
    return events.answers.tolist(), events.first_answer.tolist()


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

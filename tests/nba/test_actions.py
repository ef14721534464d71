import pytest

from nba.actions import DO_NOTHING, about_same

TOML = """
[goals.churn]
absence_of = ["order"]
horizon = "30d"
[goals.sale]
kinds = ["order"]
horizon = "30d"
[points]
thresholds = [{ from = 10, actions = ["call", "mail"] }]
[actions.mail]
channel = "email"
[actions.call]
channel = "phone"
goal = "churn"
start = { propensity = 0.1, evidence = 50 }
class = "transactional"
"""


def test_column_0_is_do_nothing_and_the_rest_follow_the_file(catalogue_of) -> None:
    catalogue = catalogue_of(TOML)
    assert catalogue.names == (DO_NOTHING, "mail", "call")
    assert [catalogue.column[name] for name in catalogue.names] == [0, 1, 2]
    assert catalogue.action(2).name == "call"
    assert catalogue.thresholds[0][1] == (2, 1)
    assert catalogue.transactional == {"call"}
    assert catalogue.usual_goal == "sale"


def test_candidates_are_in_the_order_of_the_columns(catalogue_of) -> None:
    mail, call = catalogue_of(TOML).candidates
    assert (mail.action, mail.channel, mail.goal, mail.start) == ("mail", "email", "churn", None)
    assert call.start is not None and (call.start.propensity, call.start.evidence) == (0.1, 50)


def test_no_actions_is_a_catalogue_too(catalogue_of) -> None:
    assert catalogue_of("").names == (DO_NOTHING,)


@pytest.mark.parametrize(
    ("topic", "topics", "expected"),
    [
        ("pumps", ["pumps"], True),
        ("pumps", ["pumps/industrial"], True),
        ("pumps/industrial", ["pumps"], True),
        ("pumps/industrial", ["pumps/used"], False),
        ("pump", ["pumps"], False),
        ("pumps", [], False),
    ],
)
def test_topics_and_their_parts(topic: str, topics: list[str], expected: bool) -> None:
    assert about_same(topic, topics) is expected

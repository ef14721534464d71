"""When a contact last looked at some topics itself is what going through its touchpoints one by one finds."""

from hypothesis import given, settings
from hypothesis import strategies as st

from nba.last_look import last_look
from tests.examples import examples

TOPICS = ("pumps", "pumps/used", "valves")
touchpoints = st.lists(
    st.tuples(st.sampled_from(["visit", "email_sent", "rejected"]), st.lists(st.sampled_from(TOPICS), unique=True)),
    min_size=1,
    max_size=12,
)


@settings(max_examples=examples(100), deadline=None)
@given(rows=touchpoints, wanted=st.sets(st.sampled_from(TOPICS)), silent=st.booleans(), cut=st.integers(0, 12))
def test_it_is_the_last_own_touchpoint_about_a_topic(past_of, row, rows, wanted, silent, cut) -> None:
    past = past_of(*(row(1000 + at, kind, topics=topics) for at, (kind, topics) in enumerate(rows)))
    t, before = past.touchpoints, min(cut, len(rows))
    about, quiet = [name in wanted for name in t.topics], [silent and kind == "rejected" for kind in t.kinds]
    right = [
        at
        for at, (kind, topics) in enumerate(rows[:before])
        if kind != "email_sent" and not (silent and kind == "rejected") and wanted & set(topics)
    ]
    assert last_look(t, about, quiet, before) == max(right, default=-1)

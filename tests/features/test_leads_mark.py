"""What is kept of leads holds for as long as their mark does: whatever comes or goes changes it."""

from features.rows.row_types import TouchpointRow
from features.store.leads import lead_rows, leads_mark
from features.store.store import Store

SINCE, NOW = 2_000_000_000, 9_000_000_000


def lead(n, at, kind="lead_offered"):
    return TouchpointRow(f"c{n}", at, f"t{n}", kind, source="s", properties='{"partner": "north"}')


def test_a_mark_changes_with_what_it_is_of(store_url):
    with Store.open(store_url) as store:
        seen = [(leads_mark(store, SINCE, NOW), lead_rows(store, SINCE, NOW, 99))]

        def after(*rows):
            with store.writing() as writing:
                writing.touchpoints(rows)
            seen.append((leads_mark(store, SINCE, NOW), lead_rows(store, SINCE, NOW, 99)))

        after(lead(1, 3_000_000_000))
        # Later in arrival, earlier in time.
        after(lead(2, 2_500_000_000, "lead_accepted"))
        after(lead(3, 8_000_000_000, "lead_declined"))
        assert len({mark for mark, _ in seen}) == 4
        assert [len(rows) for _, rows in seen] == [0, 1, 2, 3]
        # What is of something else, or of another time, changes neither.
        after(lead(4, 4_000_000_000, "visit"), lead(5, 1_999_999_999), lead(6, NOW))
        assert seen[-1] == seen[-2]
        # A span that has moved on past the first of them has another mark.
        assert leads_mark(store, 2_600_000_000, NOW) != leads_mark(store, SINCE, NOW)

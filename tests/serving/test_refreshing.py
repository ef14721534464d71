"""Views are brought up to date by the running service: when they are a day old, and when partners' terms changed."""

import asyncio
import time

from features.rows.row_types import RecordRow
from features.store.sights import are_behind_terms, sight_rows
from features.store.store import Store
from features.times import DAY
from nba.door import now_us
from nba.partners.owner_sights import put_down
from serving.refreshing import refreshing
from tests.nba.bi_world import NOW, SETTINGS, fill


def terms(store, **body):
    with store.writing() as writing:
        writing.records("partners", [RecordRow("open", body.pop("at", 2), body)])


def test_only_terms_put_what_was_put_down_behind(store_url):
    with Store.open(store_url) as store:
        fill(store)
        assert not are_behind_terms(store, NOW), "nobody has looked at views yet"
        put_down(store, SETTINGS, NOW)
        assert not are_behind_terms(store, NOW)
        with store.writing() as writing:
            writing.records("accounts", [RecordRow("acme", 2, {"name": "Acme"})])
        assert not are_behind_terms(store, NOW)
        terms(store, visible='["stage"]')
        assert are_behind_terms(store, NOW)
        put_down(store, SETTINGS, NOW)
        assert not are_behind_terms(store, NOW)


def test_terms_that_end_by_themselves_put_it_behind(store_url):
    with Store.open(store_url) as store:
        fill(store)
        ends = (NOW + DAY) // DAY * DAY
        terms(store, agreement_to=ends // 1_000_000)
        put_down(store, SETTINGS, NOW)
        assert not are_behind_terms(store, ends - 1) and are_behind_terms(store, ends + DAY)
        put_down(store, SETTINGS, ends + DAY)
        assert not are_behind_terms(store, ends + DAY)


async def until(condition, seconds=60.0):
    began = time.monotonic()
    while not condition():
        await asyncio.sleep(0.05)
        assert time.monotonic() - began < seconds


def test_the_service_has_it_done_by_a_child_process(tmp_path):
    (tmp_path / "nba.toml").write_text(
        f'[store]\nurl = "sqlite:///{tmp_path}/nba.db"\n[goals.conversion]\nkinds = ["order"]\nhorizon = "30d"\n'
    )
    with Store.open(f"sqlite:///{tmp_path}/nba.db") as store:
        fill(store)

        def changed():
            return store.record_changes().get("owner_sights", 0)

        async def journey():
            task = asyncio.create_task(refreshing(str(tmp_path / "nba.toml"), store, now_us, 0.0, 0.05).run())
            await until(lambda: any(row.shows is not None for row in sight_rows(store)))
            before = changed()
            await asyncio.sleep(0.3)
            assert changed() == before, "a day has not gone by, and no terms were changed"
            terms(store, at=3, visible='["stage"]')
            await until(lambda: not are_behind_terms(store, now_us()))
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            return before, changed()

        before, after = asyncio.run(journey())
        assert after == before + 1

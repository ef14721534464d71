"""A service whose people, firms, partners and touchpoints are called whatever somebody writes, by every way in."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import orjson

from features.rows.row_types import KeyRow, ScoreRow
from features.store.keys import store_key
from features.store.store import Store
from features.times import DAY, iso
from models.kept import Kept
from models.local import COUNTS
from nba.cli import main
from nba.in_line import in_line
from nba.partners.owner_sights import put_down
from nba.request import UNFIT
from serving.keys import digest_of
from tests.serving.conftest import NOW, SETTINGS, Local
from training.counts import count

KEY, NORTH = ("nba_" + letter * 43 for letter in "an")
AT_ONCE = 8
"""Texts that one contact has done something about."""
_SCOPES = ("read", "recommend", "feedback", "ingest")
_MORE = """
[partners]
visible_to_owner = "contact"
[accounts]
roles = ["user"]
"""


class Written(Local):
    """A service full of texts; ``said[i]`` is what everything of number ``i`` is called."""

    def __init__(self, folder: Path, said: list[str]) -> None:
        text = SETTINGS.replace("epsilon = 0.2", "epsilon = 0.0\nholdout = 0.0") + _MORE
        super().__init__(folder, text)
        (folder / "nba.toml").write_text(text)
        self.said, self.tick = said, 0
        self.busy = range(-(-len(said) // AT_ONCE))
        """Contacts that did something; the others are only known."""
        with Store.open(self.settings.store.url) as store, store.writing() as writing:
            ann = KeyRow("id-ann", "ann", digest_of(KEY), _SCOPES, None, None, False, (), None, 0)
            store_key(writing, ann)
            store_key(writing, ann._replace(key_id="id-n", name="north", digest=digest_of(NORTH), partner="north"))
        self._load()

    def _load(self) -> None:
        """Bring in by files what files bring."""
        self._file("contacts", (self._person(i) for i in range(len(self.said))))
        names = [{"account": f"acc{i:03}", "name": text, "known_at": _LONG_AGO} for i, text in enumerate(self.said)]
        self._file(
            "accounts", [*names, *({**each, "account": f"zz{i:03}{each['name']}"} for i, each in enumerate(names))]
        )
        partners = [{"partner": f"p{i:03}", "name": text, "known_at": _LONG_AGO} for i, text in enumerate(self.said)]
        self._file("partners", [*partners, {"partner": "north", "name": self.said[0], "known_at": _LONG_AGO}])
        self._file(
            "events",
            [
                {
                    "event_id": text,
                    "starts_at": iso(NOW + 9 * DAY),
                    "place": text,
                    "topics": f'["{i}"]',
                    "known_at": _LONG_AGO,
                }
                for i, text in enumerate(self.said)
            ],
        )
        self._file(
            "content",
            [
                {"content_id": f"c{i}", "title": text, "url": text, "topics": '["pumps"]', "known_at": _LONG_AGO}
                for i, text in enumerate(self.said)
            ],
        )
        rows = [self._touchpoint(i, "loaded") for i in range(len(self.said))]
        self._file("touchpoints", [{**row, "topics": orjson.dumps(row["topics"]).decode()} for row in rows])

    def _person(self, i: int) -> Mapping[str, str]:
        text = self.said[i]
        return {
            "identity": f"crm:{i}",
            "name": text,
            "account": f"acc{i // 8:03}",
            "role": text,
            "owner": text,
            "email": f"{text}@x.example",
            "phone": f"{text} 044 768 10 1{i % 10}",
            "crm_url": text,
            "motto": text,
            "known_at": _LONG_AGO,
            "partner": "north" if i % 7 == 3 else "",
        }

    def _touchpoint(self, i: int, way: str) -> dict[str, Any]:
        text = self.said[i]
        return {
            "touchpoint_id": f"{way}{i}",
            "identity": f"crm:{i // AT_ONCE}",
            "occurred_at": iso(self.now - (i % AT_ONCE + 2) * DAY),
            "kind": text,
            "channel": text,
            "topics": [f"{i}{text}"],
            "title": text,
            "color": text,
        }

    def _file(self, table: str, rows: Iterable[Mapping[str, Any]]) -> None:
        path = self.settings.folder / f"{table}.jsonl"
        path.write_bytes(b"".join(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE) for row in rows))
        assert main(["--config", str(self.settings.folder / "nba.toml"), "load", table, str(path)]) == 0

    async def live(self, client: Any) -> None:
        """Bring in by the service what it takes: touchpoints, identified people, feedback, a list; and score."""
        ours = {"Authorization": f"Bearer {KEY}"}
        sent = [self._touchpoint(i, "sent") | {"identity": f"web:{i:03}{text}"} for i, text in enumerate(self.said)]
        sent += [self.touchpoint(f"call{i}", "service_call", 1.0, f"crm:{i}") for i in range(len(self.said))]
        sent += [
            self.touchpoint(f"o{i}", "lead_offered", 2.0, f"crm:{i}", topics=[text], properties={"partner": "north"})
            for i, text in enumerate(self.said)
            if i % 7 == 3
        ]
        sent += [{"touchpoint_id": "bad", "identity": text, "kind": text} for text in self.said[:9]]
        for rows in (sent[:250], sent[250:]):
            assert (await client.post("/v1/touchpoints", json=rows, headers=ours)).status_code == 200
        for i, text in enumerate(self.said[:40]):
            told = {
                # Whoever could not be asked for is refused.
                "userId": f"seen-{i:03}{UNFIT.sub('', text)}",
                "messageId": f"m{i}",
                "traits": {"name": text, "email": text, "company": {"name": text}, "motto": text},
            }
            assert (await client.post("/v1/identify", json=told, headers=ours)).status_code == 200
        for i in self.busy:
            asked = {"contact": f"crm:{i}", "decision_id": f"d{i}"}
            found = (await client.post("/v1/recommend", json=asked, headers=ours)).json()
            for text in self.said[i * AT_ONCE : (i + 1) * AT_ONCE] if found["recommendations"] else ():
                told = {"decision_id": f"d{i}", "outcome": "clicked", "reason": text, "note": text, "feedback_id": text}
                answer = await client.post("/v1/feedback", json=told, headers=ours)
                assert answer.status_code == 200, answer.text
        self._count()

    def _count(self) -> None:
        """Score everybody, and some who are called by nothing but a text, and count."""
        store, actions, rows = self.service.store, self.settings.actions, []
        for i, text in enumerate(self.said):
            best = {"action_1": "sales_call", "priority_1": 900.0 - i}
            row = ScoreRow(f"crm:{i}", self.now, "need", 250.0, best, None)
            told = {"owner": text, **({"partner": "north"} if i % 7 == 3 else {})}
            alone = ScoreRow(text, self.now, text, 5.0, {"action_1": text, "priority_1": -9.0}, None)
            rows += [in_line(row, actions, told), alone]
        store.save_scores(rows)
        put_down(store, self.settings, 2**60)
        counted = count(store, self.settings, None, self.now)
        assert Kept(self.settings.folder / COUNTS).put(counted | {"took_seconds": 0.1})

    def list_of_people(self) -> bytes:
        """A list as a spreadsheet saves it, with a row of each text, some of them faulty."""
        file = io.StringIO(newline="")
        written = csv.writer(file)
        written.writerow(["name", "email", "account", "topic", "note", "kind", *self.said[:3]])
        for i, text in enumerate(self.said):
            kind, email = ("fair_visit", f"a{i}@x.example") if i % 3 == 0 else (text, f"{text}@x.example")
            written.writerow([text, email, text, text, text, kind, "", "", ""])
        return file.getvalue().encode()


Journey = Callable[[Any], Any]
_LONG_AGO = iso(NOW - 900 * DAY)

"""A service with a person whose traces are in every corner of it, and a search for them in every byte."""

from __future__ import annotations

from pathlib import Path

import orjson
import pyarrow.parquet as pq

from features.loading.loading import load_files
from features.rows.row_types import RecordRow, SplitRow
from features.store.store import Store
from serving.issuing import Rights, issue
from tests.serving.conftest import NOW, SETTINGS, Local

PLANTED = (
    "crm:plant-4711", "email:plant.max@muster.example", "cookie:plant-9f2c", "cookie:plant-77aa", "device:plant-ipad",
    "Maximilian Planthuber", "max.plant@muster.example", "+41 79 plant 55", "https://crm.example/plant/4711",
    "touch-plant-1", "plant wrote in the form", "note: plant is on holiday", "reason of plant", "decision-plant-1",
    "feedback-plant-1", "plant-serial-0815", "split because of plant", "lake-plant-property", "plantstreet 12",
    "plant-in-bad-row",
)  # fmt: skip
CRM, EMAIL, COOKIE, OTHER_COOKIE, DEVICE, NAME, MAIL, PHONE, URL = PLANTED[:9]
CONTACT = "/v1/privacy/crm:plant-4711"


class Planted(Local):
    """A service with keys, and a person whose traces are in every corner of it."""

    def __init__(self, folder: Path, url: str) -> None:
        super().__init__(folder, SETTINGS + f'\n[store]\nurl = "{url}"\n')
        self.folder, self.url = folder, url
        with Store.open(url) as store:
            rights = ("privacy", "ingest", "recommend", "feedback", "read")
            self.key = issue(store, Rights("officer", rights), by="test", now_us=NOW).key
            self.north = issue(store, Rights("north", rights, partner="north"), by="test", now_us=NOW).key
        self._load_files()

    def _load_files(self) -> None:
        far = self.folder / "sent"
        far.mkdir()
        (far / "lake.jsonl").write_bytes(
            b"\n".join(
                orjson.dumps({"identity": who, "occurred_at": f"2025-10-{day:02}", "kind": "visit", "memo": memo})
                for day in range(1, 9)
                for who, memo in ((COOKIE, PLANTED[17]), ("crm:other", "x"))
            )
        )
        (far / "bad.csv").write_text(
            f"identity,occurred_at,kind,memo\n{CRM},never,visit,{PLANTED[19]}\ncrm:2,never,a,\n"
        )
        (far / "links.csv").write_text(
            f"identity_a,identity_b,seen_at,how\n{CRM},{EMAIL},2025-01-01,login\n{EMAIL},{COOKIE},2025-01-02,click\n"
            f"{CRM},{OTHER_COOKIE},2025-01-03,login\n{DEVICE},{CRM},2025-01-04,login\n"
        )
        rules = self.settings.touchpoints
        with Store.open(self.url) as store:
            load_files(store, "touchpoints", [far / "lake.jsonl"], now_us=NOW, rules=rules, lake=self.folder / "lake")
            load_files(store, "touchpoints", [far / "bad.csv"], now_us=NOW, rules=rules)
            load_files(store, "links", [far / "links.csv"], now_us=NOW, rules=rules)
            with store.writing() as writing:
                told = {"name": NAME, "email": MAIL, "phone": PHONE, "crm_url": URL, "street": PLANTED[18]}
                writing.contacts(
                    [RecordRow(CRM, 0, {**told, "account": "acme"}), RecordRow("crm:2", 0, {"name": "Eva"})]
                )
                writing.splits([SplitRow(CRM, "crm:2", 1, PLANTED[16], "ann")])
                writing.records("assets", [RecordRow("saw", 0, {"identity": CRM, "serial": PLANTED[15]})])
        for path in far.iterdir():
            path.unlink()
        far.rmdir()

    def head(self, key: str | None = None) -> dict[str, str]:
        return {"Authorization": f"Bearer {key or self.key}"}

    def events(self, n: int) -> list[dict[str, object]]:
        who = (CRM, EMAIL, COOKIE, OTHER_COOKIE, DEVICE)
        return [self.touchpoint(f"again-{i}", contact=who[i % 5], memo=NAME) for i in range(n)]

    async def live(self, client) -> None:
        """Let the person do and suffer everything that leaves a trace."""
        rows = [self.touchpoint(PLANTED[9], contact=CRM, memo=PLANTED[10])]
        rows += [self.touchpoint(f"t{i}", days=2 + i, contact=EMAIL) for i in range(10)]
        rows += [self.touchpoint("c1", "consent_given", contact=CRM, channel="email", text_version="v3")]
        rows += [self.touchpoint("other", contact="crm:2"), {"identity": CRM, "kind": "visit", "memo": PLANTED[19]}]
        assert (await client.post("/v1/touchpoints", json=rows, headers=self.head())).json()["quarantined"] == 1
        broken = b'[{"identity": "' + CRM.encode() + b'", "kind": NaN}]'
        await client.post("/v1/touchpoints", content=broken, headers=self.head())
        for contact in (CRM, "crm:2"):
            asked = {"contact": contact, "decision_id": PLANTED[13] if contact == CRM else "d2"}
            found = (await client.post("/v1/recommend", json=asked, headers=self.head())).json()
            note, reason, name = (*PLANTED[11:13], PLANTED[14]) if contact == CRM else ("fine", "price", "f2")
            said = {**asked, "outcome": "rejected", "feedback_id": name, "note": note, "reason": reason}
            said.pop("contact")
            if found["recommendations"]:
                assert (await client.post("/v1/feedback", json=said, headers=self.head())).status_code == 200


def dump(planted: Planted) -> bytes:
    """Everything there is: each file as it lies, Parquet also unpacked, and each table of PostgreSQL."""
    found = []
    for path in sorted(planted.folder.rglob("*")):
        if path.is_file():
            found.append(path.read_bytes())
            if path.suffix == ".parquet":
                found.append(repr(pq.read_table(path).to_pylist()).encode())
    if planted.url.startswith("postgresql"):
        import psycopg

        with psycopg.connect(planted.url) as connection:
            tables = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
            for (table,) in tables:
                found += [repr(row).encode() for row in connection.execute(f'SELECT * FROM "{table}"').fetchall()]
    return b"\n".join(found)


def left_of(planted: Planted) -> list[str]:
    everything = dump(planted)
    return [word for word in PLANTED if word.encode() in everything]

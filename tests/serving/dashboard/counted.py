"""A service with decisions, feedback and bad rows, counted as `nba evaluate counts --keep` does."""

from __future__ import annotations

from typing import Any

from models.kept import Kept
from models.local import COUNTS
from nba.partners.owner_sights import put_down
from training.counts import count

CONTACTS = 20
EVIL = '"><script>alert(1)</script><img src=x onerror=alert(2)>'


async def lived(client: Any, local: Any) -> dict[str, Any]:
    """Let some contacts be asked about, answer for some, send what is wrong, and count; what was counted."""
    points = [local.touchpoint(f"t{i}", contact=f"crm:{i}", days=2.0) for i in range(CONTACTS)]
    points += [local.touchpoint("evil", kind=EVIL[:60], contact="crm:1", days=1.0)]
    assert (await client.post("/v1/touchpoints", json=points)).status_code == 200
    await client.post("/v1/touchpoints", json=[{"touchpoint_id": "bad", "identity": "crm:1", "kind": "visit"}])
    for i in range(CONTACTS):
        found = (await client.post("/v1/recommend", json={"contact": f"crm:{i}", "decision_id": f"d{i}"})).json()
        if found["recommendations"] and i % 3:
            told = {"decision_id": f"d{i}", "outcome": "converted" if i % 2 else "rejected", "value": 100.0 + i}
            assert (await client.post("/v1/feedback", json=told)).status_code == 200
    store = local.service.store
    put_down(store, local.settings, 2**60)
    counted = count(store, local.settings, None, local.now)
    assert Kept(local.settings.folder / COUNTS).put(counted | {"took_seconds": 0.1})
    return counted

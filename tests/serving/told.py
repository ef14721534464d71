"""What the calls that every tracking client makes in these tests must become, field by field."""

from __future__ import annotations

import json
from typing import Any

from features.store.store import Store

USER, VISITOR, ACCOUNT = "crm:4711", "anon-9", "acct-77"
LONG_AGO_US = 1_760_000_000_123_000
LONG_AGO = "2025-10-09T08:53:20.123Z"

TOUCHPOINTS: dict[str, dict[str, Any]] = {
    "product_added": {
        "identity": USER,
        "topics": ["pumps"],
        "value": 9.5,
        "currency": "CHF",
        "properties": {"productId": "prime-100mg", "colours": ["red", "blue"], "size": {"width": 2}},
    },
    "email_opened": {"identity": f"anonymous:{VISITOR}", "channel": "email", "properties": {"subject": "Grüße 🎉"}},
    "visit": {
        "identity": USER,
        "channel": "web",
        "properties": {"url": "https://ex.com/pumps", "name": "Pricing", "category": "Docs"},
    },
    "numeric_id": {"identity": "42"},
}


def touchpoint_of(store: Store | OfMessages, kind: str, **wanted: Any) -> dict[str, Any]:
    """Return the only touchpoint of a kind (with these fields), as a dict."""
    found = [
        dict(zip(_NAMES, row, strict=True))
        for row in store.touchpoint_rows()
        if row[3] == kind and all(dict(zip(_NAMES, row, strict=True))[name] == value for name, value in wanted.items())
    ]
    assert len(found) == 1, f"{len(found)} touchpoints of {kind} {wanted}"
    row = found[0]
    row["topics"] = json.loads(row["topics"]) if row["topics"] else []
    row["properties"] = json.loads(row["properties"]) if row["properties"] else {}
    return row


_NAMES = (
    "identity", "occurred_at", "touchpoint_id", "kind", "channel", "direction", "topics", "value", "currency", "margin",
    "duration", "decision_id", "action", "properties",
)  # fmt: skip


def check(store: Store | OfMessages, *, channel: str, sent_between: tuple[int, int], is_browser: bool = False) -> None:
    """Claim that everything is stored once, as it was told.

    Parameters
    ----------
    channel
        Of a track call.
    sent_between
        Microseconds: when the calls were made.
    is_browser
        Whether the library writes ids and times by itself.
    """
    for kind, wanted in TOUCHPOINTS.items():
        if is_browser and kind == "numeric_id":
            continue
        row = touchpoint_of(store, kind, **({"channel": "web"} if kind == "visit" else {}))
        expected = {"channel": channel, **wanted}
        properties = expected.pop("properties", {})
        if is_browser and kind != "product_added":
            # Done before the login; a library may send it afterwards, as the user.
            assert row["identity"] == USER or row["identity"].startswith("anonymous:")
            del expected["identity"]
        assert {name: row[name] for name in expected} == expected
        assert properties.items() <= row["properties"].items()
        low, high = sent_between
        if kind == "product_added" and not is_browser:
            low = high = LONG_AGO_US
            # What a call takes to arrive is part of the published rule.
            high += 5_000_000
        assert low - 1_000_000 <= row["occurred_at"] <= high + 1_000_000, kind
        assert row["touchpoint_id"]
    _check_people(store, is_browser=is_browser)


def _check_people(store: Store | OfMessages, *, is_browser: bool) -> None:
    ever = 2**62
    traits = store.traits(USER, ever)
    wanted = {"name": "Ana Meier", "email": "ana@example.com", "company_employees": 120, "account": ACCOUNT}
    assert {name: traits.get(name) for name in wanted} == wanted
    assert store.record("accounts", ACCOUNT, ever) == {"name": "Acme", "plan": "enterprise"}
    pairs = {(link.identity_a, link.identity_b, link.how) for link in store.link_rows()}
    if is_browser:
        assert any(a.startswith("anonymous:") and b == USER and how == "login" for a, b, how in pairs)
        # What a public key may not is the only thing that is kept aside.
        assert all("public key" in row.reason for row in store.quarantine_rows())
    else:
        assert (f"anonymous:{VISITOR}", USER, "alias") in pairs
        assert not list(store.quarantine_rows())


class OfMessages:
    """A store as if only the touchpoints with these ids were in it."""

    def __init__(self, store: Store | OfMessages, ids: set[str]) -> None:
        self._store, self._ids = store, ids

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def touchpoint_rows(self) -> list[tuple[Any, ...]]:
        return [row for row in self._store.touchpoint_rows() if row[2] in self._ids]

    @property
    def n(self) -> int:
        return len(self.touchpoint_rows())

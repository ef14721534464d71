"""Making, renewing and ending keys in the store, each with its entry in the audit log."""

from __future__ import annotations

import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from features.errors import UserError
from features.store import audit
from features.store.keys import revoke_key, store_key, stored_keys
from features.times import iso
from serving.caller import SCOPES
from serving.keys import PREFIX, digest_of, is_live, new_key

if TYPE_CHECKING:
    from features.rows.row_types import KeyRow
    from features.store.reading import Reading
    from features.store.store import Store
    from features.store.writing import Writing

MOST_LIVE = 2
"""How many live keys of one name there may be: the one in use, and the one that takes its place."""

PUBLIC_SCOPES = ("ingest",)
MOST_PER_SECOND = 1_000_000.0

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_PORTS = {"http": 80, "https": 443}


class IssuingError(UserError):
    """A key that cannot be made or ended as it was asked for."""


@dataclass(frozen=True)
class Rights:
    """What a key is to be: for whom, what it may do, and until when.

    ``rate`` is in calls a second, ``expires_at`` in microseconds; None: without a limit.
    """

    name: str
    scopes: tuple[str, ...]
    partner: str | None = None
    owner: str | None = None
    public: bool = False
    origins: tuple[str, ...] = ()
    rate: float | None = None
    expires_at: int | None = None


@dataclass(frozen=True)
class Issued:
    """A key that was just made; ``key`` is told once, ``beside`` are the other live ones of its name."""

    key: str
    row: KeyRow
    beside: tuple[KeyRow, ...]


def issue(store: Store, rights: Rights, *, by: str, now_us: int) -> Issued:
    """Make a key; a second one of a name stays beside the first until that is revoked.

    Raises
    ------
    IssuingError
        Every fault at once; where the name has two live keys; where the name is another partner's or owner's.
    """
    rights = checked(rights, now_us)
    with store.writing() as writing:
        return _issue(writing, rights, "key added", by, now_us)


def rotate(store: Store, name: str, *, by: str, now_us: int, expires_at: int | None = None) -> Issued:
    """Make a second key with the rights of the newest live one of a name.

    Raises
    ------
    IssuingError
        Where there is no live one, or there are two already.
    """
    with store.writing() as writing:
        live = _live(writing.seen, name, now_us)
        if not live:
            raise IssuingError(f"there is no live key named {name!r}; `nba keys add` makes one")
        last = live[-1]
        rights = Rights(name, last.scopes, last.partner, last.owner, last.public, last.origins, last.rate, expires_at)
        return _issue(writing, rights, "key rotated", by, now_us)


def revoke(store: Store, asked: str, *, reason: str, by: str, now_us: int) -> KeyRow:
    """End a key for ever.

    Parameters
    ----------
    asked
        Its id, or its name where only one live key has it; the key itself, too, where somebody found one.

    Raises
    ------
    IssuingError
        Where no live key is meant, or two are; where no reason is given.
    """
    if not reason.strip():
        raise IssuingError("--reason is empty; write why, for whoever looks at it later")
    with store.writing() as writing:
        row = _meant(writing.seen, asked, now_us)
        revoke_key(writing, row.key_id, now_us)
        audit.append(writing, at=now_us, by=by, what="key revoked", subject=_subject(row), reason=reason.strip())
    return row


def checked(rights: Rights, now_us: int) -> Rights:
    """Return the rights in their one spelling.

    Raises
    ------
    IssuingError
        A sentence for everything that is wrong.
    """
    origins, faults = _origins(rights.origins)
    faults = [*_faults_of_name(rights.name), *_faults_of_scopes(rights), *faults]
    if rights.partner is not None and rights.owner is not None:
        faults.append("a key is bound to a partner or to an owner; leave --partner or --owner out")
    faults += [f"--{what} is empty; name one" for what in ("partner", "owner") if getattr(rights, what) == ""]
    if rights.public and not origins and not faults:
        faults.append("a public key needs the pages that may use it; add --origin https://shop.example")
    if rights.origins and not rights.public:
        faults.append("--origin is for keys that stand in web pages; add --public, or leave it out")
    if rights.rate is not None and not 0 < rights.rate <= MOST_PER_SECOND:
        bounds = f"above 0 and up to {MOST_PER_SECOND:,.0f}"
        faults.append(f"--rate {rights.rate:g} is out of bounds; give calls a second, {bounds}")
    if rights.expires_at is not None and rights.expires_at <= now_us:
        faults.append("--expires lies in the past; give how long the key shall hold, such as 90d")
    if faults:
        raise IssuingError(faults)
    scopes = tuple(scope for scope in SCOPES if scope in rights.scopes)
    return replace(rights, scopes=scopes, origins=origins)


def _issue(writing: Writing, rights: Rights, what: str, by: str, now_us: int) -> Issued:
    rows = stored_keys(writing.seen)
    _check_same_side(rows, rights)
    beside = _live(writing.seen, rights.name, now_us)
    if len(beside) >= MOST_LIVE:
        ids = " and ".join(row.key_id for row in beside)
        raise IssuingError(
            f"{rights.name!r} has {len(beside)} live keys already ({ids}); revoke the older one first, "
            f"`nba keys revoke {beside[0].key_id} --reason ...`"
        )
    key = new_key()
    row = _row(rights, key, now_us)
    store_key(writing, row)
    details = {name: value for name, value in row._asdict().items() if name in _TOLD and value not in (None, (), False)}
    audit.append(writing, at=now_us, by=by, what=what, subject=_subject(row), reason="as asked", details=details)
    return Issued(key, row, tuple(beside))


_TOLD = ("scopes", "partner", "owner", "public", "origins", "rate", "expires_at")


def _row(rights: Rights, key: str, now_us: int) -> KeyRow:
    from features.rows.row_types import KeyRow

    return KeyRow(
        key_id=f"k-{secrets.token_hex(6)}",
        name=rights.name,
        digest=digest_of(key),
        scopes=rights.scopes,
        partner=rights.partner,
        owner=rights.owner,
        public=rights.public,
        origins=rights.origins,
        rate=rights.rate,
        created_at=now_us,
        expires_at=rights.expires_at,
    )


def _check_same_side(rows: Sequence[KeyRow], rights: Rights) -> None:
    """Refuse a name that stood for somebody else: what was decided under it can be asked for again under it."""
    for row in rows:
        if row.name == rights.name and (row.partner, row.owner) != (rights.partner, rights.owner):
            raise IssuingError(
                f"the name {rights.name!r} stands for a key {_side(row)} since {iso(row.created_at)}; take another name"
            )


def _side(row: KeyRow) -> str:
    if row.partner is not None:
        return f"of partner {row.partner!r}"
    return "that is bound to nobody" if row.owner is None else f"of owner {row.owner!r}"


def _live(reading: Reading, name: str, now_us: int) -> list[KeyRow]:
    return [row for row in stored_keys(reading) if row.name == name and is_live(row, now_us)]


def _meant(reading: Reading, asked: str, now_us: int) -> KeyRow:
    rows = [row for row in stored_keys(reading) if row.revoked_at is None]
    digest = digest_of(asked)
    for row in rows:
        if row.key_id == asked or row.digest == digest:
            return row
    named = [row for row in rows if row.name == asked]
    live = [row for row in named if is_live(row, now_us)] or named
    if not live:
        is_key = asked.startswith(PREFIX)
        shown = "this is none, or it is revoked" if is_key else f"{asked!r} is neither name nor id of one"
        raise IssuingError(f"no such key: {shown}; `nba keys list` shows all")
    if len(live) > 1:
        told = ", ".join(f"{row.key_id} of {iso(row.created_at)}" for row in live)
        raise IssuingError(f"{asked!r} has {len(live)} keys; name one by its id: {told}")
    return live[0]


def _subject(row: KeyRow) -> str:
    return f"key {row.name} ({row.key_id})"


def _faults_of_name(name: str) -> list[str]:
    if name.startswith(PREFIX):
        return ["that looks like a key, not like the name of one; name the system that will use it, such as crm"]
    if _NAME.fullmatch(name) is None:
        return [f"{name[:70]!r} is not a name for a key; write up to 64 letters, digits, '.', '_' and '-'"]
    return []


def _faults_of_scopes(rights: Rights) -> list[str]:
    unknown = [scope for scope in rights.scopes if scope not in SCOPES]
    faults = [f"--scopes: {scope!r} is not a scope; there are {', '.join(SCOPES)}" for scope in unknown]
    if not rights.scopes:
        faults.append(f"--scopes is empty; name what the key may do, of {', '.join(SCOPES)}")
    wrong = [scope for scope in rights.scopes if scope in SCOPES and scope not in PUBLIC_SCOPES]
    if rights.public and wrong:
        faults.append(f"a public key can be read by everybody, so it may only ingest; leave out {', '.join(wrong)}")
    if (rights.partner or rights.owner) and "admin" in rights.scopes:
        faults.append("admin is for the whole service; a key of a partner or an owner cannot have it")
    return faults


def _origins(given: Sequence[str]) -> tuple[tuple[str, ...], list[str]]:
    """Return the origins as browsers spell them, and a sentence for each that is none."""
    found, faults = [], []
    for origin in given:
        spelt = _origin(origin)
        if spelt is None:
            faults.append(f"--origin {origin[:100]!r} is not an origin; write https://shop.example, without a path")
        else:
            found.append(spelt)
    return tuple(dict.fromkeys(found)), faults


def _origin(given: str) -> str | None:
    try:
        parts = urlsplit(given)
        port = parts.port
    except ValueError:
        return None
    host = parts.hostname
    is_bare = parts.path in ("", "/") and not (parts.query or parts.fragment or parts.username or parts.password)
    if parts.scheme not in _PORTS or not host or not host.isascii() or not is_bare or "*" in host:
        return None
    shown = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{shown}" + ("" if port in (None, _PORTS[parts.scheme]) else f":{port}")

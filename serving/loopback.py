"""The door while there are no keys: this machine only, and no browser page of somebody else's."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable

from features.errors import UserError
from serving.problems import Problem

_HOST = re.compile(rb"(localhost|127\.0\.0\.1|\[::1\])(:\d{1,5})?", re.IGNORECASE)
_FOREIGN = (b"origin", b"forwarded")
_PROXIED = b"x-forwarded-"


class NotLoopbackError(UserError):
    """The service was asked to answer other machines without having keys."""


def is_loopback(host: str) -> bool:
    """Whether nobody but this machine can call a host.

    Examples
    --------
    >>> is_loopback("localhost"), is_loopback("[::1]"), is_loopback("0.0.0.0")
    (True, True, False)
    """
    try:
        return host.lower() == "localhost" or ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def require_loopback(host: str) -> None:
    """Refuse to listen where other machines could call.

    Raises
    ------
    NotLoopbackError
        For every host but localhost and the loopback addresses.
    """
    if not is_loopback(host):
        raise NotLoopbackError(
            f"host {host!r} would let other machines call without a key, and there is no live one; "
            'make one with `nba keys add`, or listen on "127.0.0.1" (serving.host, or --host)'
        )


def check(headers: Iterable[tuple[bytes, bytes]]) -> None:
    """Let pass what came straight from this machine.

    A page in a browser on this machine could call us too, under a name of its own that points here: hence
    the check of Host and Origin. A proxy would bring other machines' calls: hence that of what proxies add.

    Raises
    ------
    Problem
        403 for everything else.
    """
    refusal = _refusal(headers)
    if refusal is not None:
        raise refusal


def _refusal(headers: Iterable[tuple[bytes, bytes]]) -> Problem | None:
    hosts = 0
    for name, value in headers:
        if name == b"host":
            hosts += 1
            if _HOST.fullmatch(value) is None:
                return _forbidden("Host", "is neither localhost, 127.0.0.1 nor [::1]")
        elif name in _FOREIGN or name.startswith(_PROXIED):
            return _forbidden(name.decode("latin-1").title(), "shows that the call comes from elsewhere")
    return None if hosts == 1 else _forbidden("Host", "must be sent exactly once")


def _forbidden(header: str, why: str) -> Problem:
    detail = f"without keys the service answers this machine only, and the header {header} {why}"
    return Problem(403, "loopback-only", detail, errors=[(f"header {header}", why)])

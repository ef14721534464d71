"""Signatures of webhooks: made over the bytes as they came, compared without telling by the time it takes."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from urllib.parse import unquote

TOLERANCE = 300.0
"""Seconds by which a signed time may be off."""

_DECODED = re.compile(r"%(?:3A|2F|3F|40|21|24|27|28|29|2A|2C|3B)", re.IGNORECASE)


def mautic_is_right(body: bytes, signature: str, secret: str) -> bool:
    """Whether Mautic's ``Webhook-Signature`` is that of a body: base64 of its HMAC-SHA256.

    Examples
    --------
    >>> mautic_is_right(b"{}", "Gj5bWrfTLXQ7bBkBs2hWhpwRCvcJ/pS6Eqg3kwETyNw=", "secret")
    False
    """
    return _is_equal(_hmac(secret, body), signature)


def hubspot_is_right(
    method: str, address: str, body: bytes, *, signature: str, timestamp: str, secret: str, now: float
) -> bool:
    """Whether HubSpot's ``X-HubSpot-Signature-v3`` is that of a request, and young.

    It is the base64 of the HMAC-SHA256 of method, address, body and ``X-HubSpot-Request-Timestamp``
    (https://developers.hubspot.com/docs/apps/legacy-apps/authentication/validating-requests).

    Parameters
    ----------
    address
        The whole of it, as HubSpot was told it.
    timestamp
        Milliseconds since 1970, as sent.
    now
        Seconds since 1970.
    """
    if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) < 16):
        return False
    if abs(now - int(timestamp) / 1000) > TOLERANCE:
        return False
    plain = _DECODED.sub(lambda found: unquote(found[0]), address)
    return _is_equal(_hmac(secret, method.encode() + plain.encode() + body + timestamp.encode()), signature)


def _hmac(secret: str, told: bytes) -> str:
    return base64.b64encode(hmac.new(secret.encode(), told, hashlib.sha256).digest()).decode()


def _is_equal(right: str, given: str) -> bool:
    return hmac.compare_digest(right.encode(), given.strip().encode(errors="replace"))

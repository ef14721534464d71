"""Headers by which a webhook proves whose it is."""

import base64
import hashlib
import hmac
import time

SECRET = "what is agreed with the other tool"
ENVIRON = {"NBA_MAUTIC_SECRET": SECRET, "NBA_HUBSPOT_SECRET": SECRET}


def signed(url: str, body: bytes) -> dict[str, str]:
    """Sign a POST as Mautic does, and as HubSpot does; each reads its own headers only."""
    now = str(int(time.time() * 1000))
    return {
        "Webhook-Signature": _seal(body),
        "X-HubSpot-Request-Timestamp": now,
        "X-HubSpot-Signature-v3": _seal(b"POST" + url.encode() + body + now.encode()),
    }


def _seal(told: bytes) -> str:
    return base64.b64encode(hmac.new(SECRET.encode(), told, hashlib.sha256).digest()).decode()

"""The manifest's own seal, so that one changed digit in it is found where nothing else names its hash.

It finds accidents, not forgers: who can write the manifest can seal it anew. Against those stand the hash that the
registry keeps with the version, and the golden rows.
"""

from __future__ import annotations

import hashlib

SEAL = "seal"
BLANK = "0" * 64
"""What stands in the seal's place while it is worked out."""


def sealed(content: bytes) -> bytes:
    """Put a seal on JSON text whose ``seal`` is ``BLANK``.

    Examples
    --------
    >>> import json
    >>> content = sealed(json.dumps({"schema": 2, "seal": BLANK}).encode())
    >>> is_whole(content, json.loads(content)["seal"]), is_whole(content.replace(b"2", b"3", 1), BLANK)
    (True, False)
    """
    return content.replace(_place(BLANK), _place(hashlib.sha256(content).hexdigest()), 1)


def is_whole(content: bytes, seal: object) -> bool:
    """Whether JSON text that carries this seal is, byte for byte, what was sealed."""
    if not isinstance(seal, str) or content.count(_place(seal)) != 1:
        return False
    return hashlib.sha256(content.replace(_place(seal), _place(BLANK))).hexdigest() == seal


def _place(seal: str) -> bytes:
    return f'"{SEAL}": "{seal}"'.encode()

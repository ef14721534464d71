"""Mail domains that tell nothing of whom somebody works for: everybody gets an address there."""

from __future__ import annotations

_WITH_ANY_END = frozenset(
    {
        "aol", "fastmail", "freemail", "gmail", "gmx", "googlemail", "hotmail", "hushmail", "icloud", "inbox", "live",
        "mail", "mailbox", "msn", "outlook", "passport", "posteo", "proton", "protonmail", "rocketmail", "runbox",
        "tuta", "tutanota", "yahoo", "yandex", "ymail", "zoho",
    }
)  # fmt: skip
"""First parts of names that such houses have under many ends: gmx.ch, gmx.net; yahoo.co.uk."""
_WHOLE = frozenset(
    {
        "126.com", "163.com", "arcor.de", "bigpond.com", "bluemail.ch", "bluewin.ch", "bt.com", "btinternet.com",
        "chello.at", "comcast.net", "cox.net", "duck.com", "email.com", "email.de", "free.fr", "freenet.de",
        "hispeed.ch", "interia.pl", "kabelmail.de", "laposte.net", "libero.it", "mac.com", "me.com", "neuf.fr",
        "o2.pl", "onet.pl", "online.de", "orange.fr", "pm.me", "qq.com", "rediffmail.com", "rr.com", "sbcglobal.net",
        "seznam.cz", "sfr.fr", "sky.com", "sunrise.ch", "swissonline.ch", "t-online.de", "telenet.be", "tiscali.it",
        "unitybox.de", "verizon.net", "versanet.de", "virgilio.it", "vodafone.de", "vtxmail.ch", "wanadoo.fr",
        "web.de", "wp.pl", "ziggo.nl",
    }
)  # fmt: skip


def is_free(domain: str) -> bool:
    """Whether everybody gets an address there.

    Examples
    --------
    >>> is_free("gmx.ch"), is_free("web.de"), is_free("yahoo.co.uk"), is_free("mail.acme.ch"), is_free("acme.ch")
    (True, True, True, False, False)
    """
    first, _, end = domain.partition(".")
    # A mail.acme.ch is a house's own; ends are of one part, or of two short ones.
    is_end = "." not in end or all(len(part) <= 3 for part in end.split("."))
    return domain in _WHOLE or (first in _WITH_ANY_END and is_end)

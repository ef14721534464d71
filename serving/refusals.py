"""Which calls are refused before anything is looked at but their address, and what they are told.

Everything runs in one thread. In a flood of calls the refusals take the time that answers need, and each waits for
those before it: so a refusal must cost next to nothing. It needs no key, because it tells nothing; which calls may wait
and which are refused, ``serving.limits`` says.
"""

from __future__ import annotations

import asyncio
import logging
import os
import re
from collections import Counter
from collections.abc import Iterable
from functools import lru_cache
from http import HTTPStatus
from typing import NamedTuple

from serving.door import SEALS
from serving.lanes import BOUNDS, kind_of
from serving.limits import REPEATABLE, Limits
from serving.metrics import Metrics
from serving.operations import Operation
from serving.origins import Header
from serving.overload import Overload
from serving.problems import MEDIA_TYPE
from serving.same_calls import may_have_ids

TELL_SECONDS = 1.0
LONG_WAY = frozenset((b"origin", b"traceparent"))
"""Headers of calls whose refusal has to say more: to a page that may read it, or to a trace."""

_WHOLE = re.compile(rb"(GET|POST) (/[A-Za-z0-9_./-]*) HTTP/1\.1\r\n")
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d{1,5})\r\n", re.IGNORECASE)
_ANY_LENGTH = re.compile(rb"content-length", re.IGNORECASE)
_MORE = re.compile(
    rb"\r\n(?:origin|traceparent|expect|upgrade|transfer-encoding|x-request-id|connection:(?! *keep-alive\r))",
    re.IGNORECASE,
)

log = logging.getLogger("nba.serving")


class Place(NamedTuple):
    """An operation as far as a refusal looks at it."""

    kind: str
    route: str
    path: str
    needs_body: bool
    """Whether it depends on the body: the very same call as one that is being answered gets its answer."""

    @property
    def status(self) -> int:
        """Of the refusal."""
        return BOUNDS[self.kind].status


class Refusals:
    """What is refused, counted together, once a second; no log has a line for each.

    Parameters
    ----------
    operations
        All there are; those with parts in their path are left to ``serving.limits``.
    """

    def __init__(self, operations: Iterable[Operation], metrics: Metrics) -> None:
        self.limits: Limits | None = None
        self._metrics = metrics
        self._places = {
            (each.method, each.path): Place(
                kind, f"{each.method} {each.path}", each.path, kind == REPEATABLE and each.request is not None
            )
            for each in operations
            if "{" not in each.path and not each.unbounded and (kind := kind_of(each.scope)) is not None
        }
        self._refused: Counter[Place] = Counter()

    def due(self, method: str, path: str) -> Place | None:
        """Return where a call goes that there is no place for; None where there is one, or nobody knows."""
        place = self._places.get((method, path))
        if place is None or self.limits is None or not self.limits.is_full(place.kind):
            return None
        return place

    def answers_now(self, place: Place, body: bytes) -> bool:
        """Whether the very same call is being answered, whoever made it."""
        return may_have_ids(body) and self.limits is not None and self.limits.answers_now(place.path, body)

    def _may_be_answered_now(self, place: Place, body: bytes) -> bool:
        # The very same call may be among those that nobody has looked at yet.
        are_coming = self.limits is not None and self.limits.are_coming
        return self.answers_now(place, body) or (are_coming and place.needs_body and may_have_ids(body))

    def noted(self, place: Place) -> None:
        """Count a refusal."""
        if not self._refused:
            asyncio.get_running_loop().call_later(TELL_SECONDS, self._tell)
        self._refused[place] += 1
        # Only here: a call that goes the long way is asked about more than once before it is refused.
        if self.limits is not None:
            self.limits.refused(place.kind)

    def bytes_for(self, data: bytes, more: Iterable[Header]) -> bytes | None:
        """Return the refusal of a whole call that came in one piece; None for anything else.

        What is odd about a call in any way is read by those who know how.

        Parameters
        ----------
        data
            All that has come.
        more
            Headers of every answer.
        """
        begin = _WHOLE.match(data)
        place = None if begin is None else self._places.get((begin[1].decode(), begin[2].decode()))
        if place is None or self.limits is None or self.limits.lets_in(place.kind):
            return None
        body = _body(data)
        if body is None or self._may_be_answered_now(place, body):
            return None
        self.noted(place)
        lines = [b"%b: %b" % header for header in (*more, (b"x-request-id", os.urandom(8).hex().encode()))]
        head, told = _spelt_out(place)
        return b"\r\n".join((head, *lines, b"", told))

    def _tell(self) -> None:
        refused, self._refused = self._refused, Counter()
        for place, n in refused.items():
            self._metrics.turned_away(place.kind, place.route, place.status, n)
            log.warning("%d calls of %s were refused at once: there were more than can be answered", n, place.route)


@lru_cache(maxsize=256)
def laid_out(place: Place) -> tuple[list[Header], bytes]:
    """Return the headers and the body of a refusal."""
    problem = Overload(place.kind, place.status)
    body = problem.dumps(place.path)
    headers = [(b"content-type", MEDIA_TYPE.encode()), (b"content-length", str(len(body)).encode())]
    headers += [(name.lower().encode(), value.encode()) for name, value in problem.headers.items()]
    return [*headers, *SEALS], body


@lru_cache(maxsize=256)
def _spelt_out(place: Place) -> tuple[bytes, bytes]:
    headers, body = laid_out(place)
    begin = f"HTTP/1.1 {place.status} {HTTPStatus(place.status).phrase}".encode()
    return b"\r\n".join((begin, *(b"%b: %b" % header for header in headers))), body


def _body(data: bytes) -> bytes | None:
    r"""Return the body of a whole and plain call; None where it is anything else.

    Examples
    --------
    >>> _body(b"POST / HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}"), _body(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    (b'{}', b'')
    >>> _body(b"POST / HTTP/1.1\r\nContent-Length: 3\r\n\r\n{}") is None
    True
    """
    end = data.find(b"\r\n\r\n")
    head = data[: end + 2]
    if end < 0 or _MORE.search(head):
        return None
    told = _LENGTH.findall(head)
    if len(_ANY_LENGTH.findall(head)) != len(told) or len(told) > 1:
        return None
    body = data[end + 4 :]
    return body if len(body) == (int(told[0]) if told else 0) else None

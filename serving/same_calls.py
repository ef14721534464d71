"""Calls that ask the very same while the first of them is being answered share its answer.

Only where each question in them has an id of its own: the same id again is the same question, and without one each call
is a new one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import NamedTuple

import orjson
from starlette.responses import Response

from nba.once import once

_ID = "decision_id"
_NAMED = b'"decision_id"'


class Asked(NamedTuple):
    """All of a call that its answer depends on."""

    path: str
    key_id: str
    """Of who makes it."""
    body: bytes
    language: bytes = b""
    """What ``Accept-Language`` says."""
    packed: bytes = b""
    """What ``Content-Encoding`` says."""


class SameCalls:
    """Answers under way, by what was asked.

    A caller that repeats itself a thousand times at once costs little more than one that asks once, and takes no
    other caller's place.
    """

    def __init__(self) -> None:
        self._underway: dict[Asked, _Answer] = {}

    def answers_now(self, path: str, body: bytes) -> bool:
        """Whether this is being answered and may be shared, whoever has asked it."""
        return any(
            asked.path == path and asked.body == body and answer.may_be_shared
            for asked, answer in self._underway.items()
        )

    async def answer(self, asked: Asked, work: Callable[[], Awaitable[Response]]) -> Response:
        """Answer once and for all who ask this by now; an error is everybody's too."""
        before = self._underway.get(asked)
        if before is not None:
            # Whoever gives up waiting must not end the work of the others.
            return await (asyncio.shield(before.found) if before.may_be_shared else work())
        found: asyncio.Future[Response] = asyncio.get_running_loop().create_future()
        self._underway[asked] = _Answer(asked.body, found)
        try:
            response = await work()
        except BaseException as error:
            found.set_exception(error if isinstance(error, Exception) else _Given())
            found.exception()
            raise
        else:
            found.set_result(response)
            return response
        finally:
            del self._underway[asked]


def may_have_ids(body: bytes) -> bool:
    """Whether a body may name ids; to ask costs next to nothing, and what has none is mostly told by it."""
    return _NAMED in body


class _Answer:
    """An answer under way."""

    def __init__(self, body: bytes, found: asyncio.Future[Response]) -> None:
        self.found = found
        self._body = body

    # The body is read for this only where a second call with the same one has come, which is seldom.
    @once
    def may_be_shared(self) -> bool:
        return _has_ids(self._body)


def _has_ids(body: bytes) -> bool:
    """Whether each question in a body has an id.

    Examples
    --------
    >>> _has_ids(b'{"contact": "a", "decision_id": "d"}'), _has_ids(b'{"context": {"decision_id": "d"}}')
    (True, False)
    >>> _has_ids(b'{"requests": [{"decision_id": "d"}, {"decision_id": "e"}]}'), _has_ids(b'[{"decision_id": "d"}, {}]')
    (True, False)
    """
    try:
        told = orjson.loads(body)
    except orjson.JSONDecodeError:
        return False
    questions = told.get("requests", told) if isinstance(told, dict) else told
    if not isinstance(questions, list):
        questions = [questions]
    return all(isinstance(each, dict) and isinstance(each.get(_ID), str) for each in questions)


class _Given(RuntimeError):
    """The first of several same calls ended without an answer."""

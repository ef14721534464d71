"""Problems: what a caller is told when something is wrong (RFC 9457), and which error becomes which."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

import orjson
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from features.errors import UserError
from features.store.store import StoreError
from serving.intake.strict_json import MalformedBody
from serving.journal.journal import JournalFullError

MEDIA_TYPE = "application/problem+json"
RETRY_SECONDS = 5

log = logging.getLogger("nba.serving")


class Problem(Exception):
    """An answer that is not what was asked for.

    Parameters
    ----------
    status
        HTTP status.
    code
        A word for the kind of problem, for programs; it never changes.
    detail
        A sentence for people: the value, the rule and the way out.
    errors
        (place, sentence) of each fault, where there are several or a place can be named.
    """

    def __init__(
        self,
        status: int,
        code: str,
        detail: str,
        *,
        errors: Sequence[tuple[str, str]] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.code = code
        self.detail = detail
        self.errors = tuple(errors)
        self.headers = dict(headers or {})

    def body(self, instance: str) -> dict[str, Any]:
        """Lay out the answer; ``code`` and ``message`` are what tracking clients look for."""
        return {
            "type": f"urn:nba:problem:{self.code}",
            "title": HTTPStatus(self.status).phrase,
            "status": self.status,
            "detail": self.detail,
            "instance": instance,
            "code": self.code,
            "message": self.detail,
            "errors": [{"place": place, "message": sentence} for place, sentence in self.errors],
        }

    def dumps(self, instance: str) -> bytes:
        """Write the answer; texts that no encoding can hold are spelt out."""
        return orjson.dumps({key: _encodable(value) for key, value in self.body(instance).items()})

    def response(self, instance: str) -> Response:
        """Make the answer to a request."""
        return Response(self.dumps(instance), self.status, self.headers, MEDIA_TYPE)


def _encodable(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode(errors="backslashreplace").decode()
    if isinstance(value, list):
        return [_encodable(item) for item in value]
    if isinstance(value, dict):
        return {key: _encodable(item) for key, item in value.items()}
    return value


def unacceptable(error: UserError) -> Problem:
    """Refuse a request whose fields are not what they must be: every complaint at once."""
    return Problem(
        422,
        "invalid-request",
        error.complaints[0] if len(error.complaints) == 1 else f"{len(error.complaints)} faults in the request",
        errors=[_placed(complaint) for complaint in error.complaints],
    )


def _placed(complaint: str) -> tuple[str, str]:
    """Split "field: sentence"; what names no field is about the body."""
    place, colon, sentence = complaint.partition(": ")
    return (f"/{place}", sentence) if colon and " " not in place else ("body", complaint)


def malformed(error: MalformedBody) -> Problem:
    """Refuse a body that is not strict JSON."""
    return Problem(400, "malformed-body", f"the body cannot be read: {error}", errors=[(error.place, error.fault)])


def unavailable(error: StoreError) -> Problem:
    """Say that the store would not take or give what it was asked for."""
    log.error("store: %s", error)
    return Problem(
        429 if isinstance(error, JournalFullError) else 503,
        "store-unavailable",
        f"the store cannot be used at the moment; try again in {RETRY_SECONDS} seconds",
        headers={"Retry-After": str(RETRY_SECONDS)},
    )


def from_http(error: HTTPException) -> Problem:
    """Spell out what the router itself refuses."""
    details = {404: ("no-such-address", "nothing is at this address; GET / names what there is")}
    details[405] = ("method-not-allowed", "this address does not know the method; see Allow")
    code, detail = details.get(error.status_code, ("refused", str(error.detail)))
    return Problem(error.status_code, code, detail, headers=error.headers)


def unexpected(error: Exception) -> Problem:
    """Own up to a fault of ours; what it was stands in the log, by its kind and place only."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    where = f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}" if trace else "an unknown place"
    # Values may be a person's data, so the message of the error stays out of the log.
    log.error("unexpected %s at %s", type(error).__name__, where)
    return Problem(500, "internal-error", "the service made a mistake; its log has the place")


def problem_of(error: Exception) -> Problem:
    """Turn any error into its problem: the one table of them."""
    if isinstance(error, Problem):
        return error
    if isinstance(error, MalformedBody):
        return malformed(error)
    if isinstance(error, StoreError):
        return unavailable(error)
    if isinstance(error, UserError):
        return unacceptable(error)
    if isinstance(error, HTTPException):
        return from_http(error)
    return unexpected(error)


def on_problem(request: Request, error: Exception) -> Response:
    """Answer with the problem that an error is."""
    return problem_of(error).response(request.url.path)


HANDLED: tuple[type[Exception], ...] = (Problem, MalformedBody, UserError, HTTPException)

"""A person's rights: to see everything, to have it corrected, restricted or erased."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping
from functools import partial
from typing import Any, TypeVar

from starlette.requests import Request
from starlette.responses import Response

from nba.partners.visibility import sight_in
from nba.past import Past
from nba.privacy.correction import correct
from nba.privacy.erasure import erase
from nba.privacy.export import export
from nba.privacy.person import ErasedPersonError, Person, UnknownPersonError, person_of
from nba.privacy.restriction import restrict
from serving import schemas
from serving.caller import Caller, caller_of
from serving.intake.body import read_body
from serving.intake.strict_json import parse
from serving.operations import Operation, Parameter, reply
from serving.own_names import is_own
from serving.problems import Problem
from serving.queried import text
from serving.reach import Reach
from serving.service import Service, service_of
from serving.wished import wished_language

T = TypeVar("T")

_LONGEST_REASON = 500
_SAY_WHY = "say why, without the person's name"


async def get_export(request: Request) -> Response:
    """Give everything that is known of a person; nothing is worked out for it."""
    service, person = await _person(request)
    now = service.now_us()
    language = wished_language(request, service.settings.serving.language)
    own = _own(caller_of(request))
    return reply(await asyncio.to_thread(export, service.store, person, service.settings, now, language, own))


async def delete_person(request: Request) -> Response:
    """Erase a person under all identities, and refuse what is sent again."""
    reason = _reason(text(request, "reason", _LONGEST_REASON, _SAY_WHY), "query reason")
    service, person = await _person(request)
    now, caller = service.now_us(), caller_of(request)
    folder = None if caller.is_bound else service.settings.folder
    found = await asyncio.to_thread(
        erase, service.store, person, reason=reason, by=_by(caller), now=now, folder=folder, own=_own(caller)
    )
    _forget(service, person)
    notes = found.sentences(lambda path: path.name)
    return reply({"success": True, "erased": True, "removed": dict(found.removed), "notes": notes})


async def post_restrict(request: Request) -> Response:
    """Restrict the processing of a person's data, or lift the restriction."""
    body = await _body(request, ("reason", "lift"))
    lift = body.get("lift", False)
    if not isinstance(lift, bool):
        raise _refused("/lift", "is neither true nor false")
    reason = _reason(body.get("reason"), "/reason")
    service, person = await _person(request)
    now, by = service.now_us(), _by(caller_of(request))
    await _unless_erased(asyncio.to_thread(restrict, service.store, person, reason=reason, by=by, now=now, lift=lift))
    _forget(service, person)
    return reply({"success": True, "restricted": not lift})


async def post_correct(request: Request) -> Response:
    """Set traits to their right values from now on; what was known before stays as what was known then."""
    body = await _body(request, ("reason", "set"))
    values = body.get("set")
    if not isinstance(values, dict):
        raise _refused("/set", 'is not an object of traits; send one such as {"country": "CH"}')
    reason = _reason(body.get("reason"), "/reason")
    service, person = await _person(request)
    now, caller = service.now_us(), caller_of(request)
    doing = asyncio.to_thread(
        correct, service.store, person, values, reason=reason, by=_by(caller), now=now, own=_own(caller)
    )
    found = await _unless_erased(doing)
    _forget(service, person)
    return reply({"success": True, "before": dict(found.before), "now": dict(found.now)})


async def _unless_erased(doing: Awaitable[T]) -> T:
    """Wait for an act about a person.

    Raises
    ------
    Problem
        409 where the person was erased.
    """
    try:
        return await doing
    except ErasedPersonError as error:
        raise Problem(409, "erased", str(error)) from error


async def _person(request: Request) -> tuple[Service, Person]:
    """Find whom a request is about.

    Raises
    ------
    Problem
        404 where nothing is known of them, or the caller does not see them whole: for it they do not exist.
    """
    service, caller = service_of(request), caller_of(request)
    person = await asyncio.to_thread(_found, service, caller, request.path_params["contact_id"])
    if person is None:
        raise Problem(404, "no-such-contact", "nothing is known of a contact with this identity")
    return service, person


def _found(service: Service, caller: Caller, asked: str) -> Person | None:
    now, settings = service.now_us(), service.settings
    identity = Reach(service.store, caller.viewer, settings, now).contact(asked)
    if caller.is_bound:
        past = Past.read(service.store, identity, now, settings.touchpoints)
        if not sight_in(caller.viewer, past, settings.partners, now).is_whole:
            return None
    try:
        return person_of(service.store, identity, settings.touchpoints)
    except UnknownPersonError:
        return None


def _forget(service: Service, person: Person) -> None:
    """Forget what this process remembers of a person: it was read before the act."""
    for identity in (*person.identities, person.asked):
        service.recent.forget(identity)
        service.kept_rows.forget(identity)


def _own(caller: Caller) -> Callable[[str], bool] | None:
    """Return what tells the names that a bound caller's side gave; None for whoever sees everybody."""
    return partial(is_own, caller.viewer) if caller.is_bound else None


def _by(caller: Caller) -> str:
    return f"key {caller.name}"


async def _body(request: Request, known: Collection[str]) -> Mapping[str, Any]:
    found = parse(await read_body(request))
    if not isinstance(found, dict):
        raise _refused("body", f"is not an object; it has {' and '.join(known)}")
    unknown = [name for name in found if name not in known]
    if unknown:
        raise _refused(f"/{unknown[0][:60]}", f"is not a field; there are {', '.join(known)}")
    return found


def _reason(given: object, place: str) -> str:
    if not isinstance(given, str) or not given.strip():
        raise _refused(place, f"is missing; {_SAY_WHY}")
    if len(given) > _LONGEST_REASON:
        raise _refused(place, f"is longer than {_LONGEST_REASON} characters")
    return given


def _refused(place: str, sentence: str) -> Problem:
    return Problem(422, "invalid-request", f"{place}: {sentence}", errors=[(place, sentence)])


_CONTACT = Parameter("contact_id", "Any identity of the contact.", schemas.NAME, "crm:4711")
_REASON = {"type": "string", "minLength": 1, "maxLength": _LONGEST_REASON}
_COUNTS = {"type": "object", "additionalProperties": {"type": "integer"}}
_DONE = {"type": "boolean"}

OPERATIONS = (
    Operation(
        id="exportPerson",
        method="GET",
        scope="privacy",
        path="/v1/privacy/{contact_id}/export",
        handler=get_export,
        means="Everything that is known of a person under all identities, and why things were recommended, in words.",
        parameters=(_CONTACT,),
        response=schemas.ANYTHING,
        response_example={
            "contact_id": "crm:4711",
            "as_of": "2026-11-21T10:00:00Z",
            "identities": ["cookie:9f2", "crm:4711"],
            "traits": {"now": {"country": "CH"}, "history": []},
            "touchpoints": [],
            "consents": {"now": {"restricted": False, "profiling": True, "channels": {}}, "words": []},
            "decisions": [],
        },
        answers=(404,),
    ),
    Operation(
        id="erasePerson",
        method="DELETE",
        scope="privacy",
        path="/v1/privacy/{contact_id}",
        handler=delete_person,
        means="Erase a person under all identities for good; what is sent of them again is refused.",
        parameters=(
            _CONTACT,
            Parameter("reason", "Why, without the person's name.", _REASON, "asked by letter", place="query"),
        ),
        response={
            "type": "object",
            "required": ["success", "erased", "removed", "notes"],
            "properties": {
                "success": _DONE,
                "erased": _DONE,
                "removed": _COUNTS,
                "notes": {"type": "array", "items": schemas.TEXT},
            },
        },
        response_example={"success": True, "erased": True, "removed": {"touchpoints": 14, "traits": 2}, "notes": []},
        answers=(404, 422),
    ),
    Operation(
        id="restrictPerson",
        method="POST",
        scope="privacy",
        path="/v1/privacy/{contact_id}/restrict",
        handler=post_restrict,
        means="Keep a person's data without using them, or lift that again.",
        parameters=(_CONTACT,),
        request={
            "type": "object",
            "required": ["reason"],
            "additionalProperties": False,
            "properties": {"reason": _REASON, "lift": {"type": "boolean", "default": False}},
        },
        request_example={"reason": "disputes that the data are right"},
        response={
            "type": "object",
            "required": ["success", "restricted"],
            "properties": {"success": _DONE, "restricted": _DONE},
        },
        response_example={"success": True, "restricted": True},
        answers=(400, 404, 409, 413, 415, 422),
    ),
    Operation(
        id="correctPerson",
        method="POST",
        scope="privacy",
        path="/v1/privacy/{contact_id}/correct",
        handler=post_correct,
        means="Set traits of a person to their right values from now on.",
        parameters=(_CONTACT,),
        request={
            "type": "object",
            "required": ["reason", "set"],
            "additionalProperties": False,
            "properties": {"reason": _REASON, "set": {**schemas.ANYTHING, "minProperties": 1}},
        },
        request_example={"reason": "told us on the phone", "set": {"country": "CH"}},
        response={
            "type": "object",
            "required": ["success", "before", "now"],
            "properties": {"success": _DONE, "before": schemas.ANYTHING, "now": schemas.ANYTHING},
        },
        response_example={"success": True, "before": {"country": "DE"}, "now": {"country": "CH"}},
        answers=(400, 404, 409, 413, 415, 422),
    ),
)

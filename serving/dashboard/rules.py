"""Rules: points and thresholds beside what they are worth; draft a change, see its effect, publish it, take it back."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from starlette.responses import FileResponse, Response

from features.store.published import drop_draft, newest_number, settings_versions
from features.store.store import Writing
from features.times import iso
from nba.published import in_force, refused, to_blame, with_values
from nba.publishing import Draft, keep_draft, published_by, with_draft
from nba.settings.changes import overlaid, value_of
from nba.settings.differences import difference, toml_of
from serving import comparing
from serving.child import nba_beside
from serving.dashboard.pages import Page
from serving.dashboard.rules_fields import SECTIONS, read, whole
from serving.dashboard.rules_state import RulesState, faults_of, state_of
from serving.dashboard.rules_worth import labels, ladder, outcome
from serving.dashboard.visit import SEALS, Visit
from serving.in_force import take_up
from serving.problems import Problem
from serving.service import service_of

PATH = "/rules"
_LONGEST_REASON = 500


async def rules(visit: Visit) -> Response:
    """Show the rules in force, the reader's draft and what it would change, and every version."""
    return await _shown(await _fresh(visit))


async def edit(visit: Visit) -> Response:
    """Put what was typed into a section into the draft; what the settings refuse is shown beside its field."""
    visit = await _fresh(visit)
    typed = await visit.form()
    section = typed.get("section", "")
    if section not in SECTIONS:
        raise Problem(422, "invalid-request", visit.words.no_such)
    state = await asyncio.to_thread(state_of, visit)
    fields = {each.key: each for each in state.fields(section) if each.key in typed}
    values = {key: read(typed[key], each) for key, each in fields.items() if typed[key] != each.text}
    return await _drafted(visit, state, values, typed)


async def set_key(visit: Visit) -> Response:
    """Put any other key that may be published into the draft."""
    visit = await _fresh(visit)
    typed = await visit.form()
    key = typed.get("key", "")
    state = await asyncio.to_thread(state_of, visit)
    try:
        value = value_of(typed.get("value", ""))
    except ValueError as error:
        return await _shown(visit, 422, typed=typed, wrong={"key": [str(error)]})
    if faults := refused([key]):
        return await _shown(visit, 422, typed=typed, wrong={"key": faults})
    return await _drafted(visit, state, {key: value}, typed, beside="key")


async def drop(visit: Visit) -> Response:
    """Forget the draft."""
    await visit.form()
    key_id = visit.caller.key_id
    await visit.service.writer.write(lambda writing: drop_draft(writing, key_id))
    return visit.back(PATH)


async def compare(visit: Visit) -> Response:
    """Have it worked out what the draft would change over the last month."""
    visit = await _fresh(visit)
    await visit.form()
    state = await asyncio.to_thread(state_of, visit)
    if not state.draft.values or state.faults:
        return visit.back(PATH)
    source, folder = state.settings.source, state.settings.folder
    assignments = {key: toml_of(value) for key, value in state.draft.values.items()}
    begun = comparing.begin(folder, source.path, state.name, assignments, visit.now)
    return visit.back(f"{PATH}#compared" if begun else f"{PATH}?busy=1#compared")


async def comparison(visit: Visit) -> Response:
    """Show how far the comparison is, for a script that asks again and again."""
    state = await asyncio.to_thread(state_of, visit)
    return visit.shown("rules_compared.html", s=state, outcome=outcome(visit, state.compared))


async def contacts(visit: Visit) -> Response:
    """Give the contacts whose recommendation a comparison found changed, as a file."""
    name, folder = visit.query("of"), visit.service.settings.folder
    file = comparing.contacts_file(folder, name)
    if not comparing.is_name(name) or not file.is_file():
        raise Problem(404, "not-found", visit.words.no_such)
    return FileResponse(file, media_type="text/csv; charset=utf-8", filename="changed.csv", headers=SEALS)


async def publish(visit: Visit) -> Response:
    """Publish the draft with a reason, where nobody else was first."""
    visit = await _fresh(visit)
    typed = await visit.form()
    state = await asyncio.to_thread(state_of, visit)
    reason, on = _reason(typed), _number(typed.get("on", ""))
    if not state.draft.values:
        return visit.back(PATH)
    if not reason:
        return await _shown(visit, 422, typed=typed, wrong={"reason": [visit.words.reason_missing]})
    if state.faults:
        return await _shown(visit, 422, typed=typed)
    if state.number != on:
        return await _shown(visit, 409, typed=typed, was_late=True)
    changes = dict(with_draft(state.settings, state.draft.values).source.changes)
    return await _published(visit, typed, changes, on, reason)


async def undo(visit: Visit) -> Response:
    """Go back to the values before a version."""
    visit = await _fresh(visit)
    typed = await visit.form()
    versions = {row.number: row for row in await asyncio.to_thread(settings_versions, visit.service.store)}
    undone, on, reason = _number(typed.get("number", "")), _number(typed.get("on", "")), _reason(typed)
    if undone not in versions:
        raise Problem(404, "not-found", visit.words.no_such)
    reason = reason or visit.words.undo_reason.format(number=undone)
    before = versions.get(undone - 1)
    # What would not fit the file any more is not published anew.
    changes = {} if before is None else dict(in_force(visit.service.settings, before).source.changes)
    return await _published(visit, typed, changes, on, reason, undoes=undone)


async def _fresh(visit: Visit) -> Visit:
    """Return the visit with what was published last in force: another worker may have taken it up before this one."""
    await take_up(visit.request.app)
    return replace(visit, service=service_of(visit.request))


async def _published(
    visit: Visit, typed: Mapping[str, str], changes: Mapping[str, Any], on: int, reason: str, undoes: int | None = None
) -> Response:
    service, by, at, key_id = visit.service, visit.caller.name, visit.now, visit.caller.key_id
    with_values(service.settings, changes)

    def work(writing: Writing) -> bool:
        if newest_number(writing.seen) != on:
            return False
        is_first = published_by(writing, changes, number=on + 1, by=by, reason=reason, at=at, undoes=undoes)
        if is_first and undoes is None:
            drop_draft(writing, key_id)
        return is_first

    is_first = await service.writer.write(work)
    if not is_first:
        return await _shown(await _fresh(visit), 409, typed=typed, was_late=True)
    await take_up(visit.request.app)
    source = service.settings.source
    config = None if source.path is None else str(source.path)
    comparing.beside(nba_beside(config, "points", "check", "--keep", "--as-of", iso(at)))
    return visit.back(f"{PATH}?told={'undone' if undoes is not None else 'published'}")


async def _drafted(
    visit: Visit, state: RulesState, values: Mapping[str, Any], typed: Mapping[str, str], beside: str | None = None
) -> Response:
    """Put values into the draft, or show why they cannot be."""
    base = state.drafted
    if any(key.startswith("points.kinds.") for key in values):
        base = whole(base, state.settings)
    document, faults = overlaid(base, values)
    complaints: Sequence[str] = [f"{key}: {why}" for key, why in faults.items()]
    wanted = difference(state.document, document)
    complaints = complaints or faults_of(state.settings, wanted)
    if complaints:
        wrong: dict[str, list[str]] = {}
        for complaint in complaints:
            keys = [beside] if beside is not None else to_blame(complaint, list(values)) or [""]
            for key in keys:
                wrong.setdefault(key, []).append(complaint)
        return await _shown(visit, 422, typed=typed, wrong=wrong)
    draft, key_id, at = Draft(state.number, wanted), visit.caller.key_id, visit.now
    await visit.service.writer.write(lambda writing: keep_draft(writing, key_id, draft, at))
    return visit.back(f"{PATH}#draft")


async def _shown(
    visit: Visit,
    status: int = 200,
    *,
    typed: Mapping[str, str] | None = None,
    wrong: Mapping[str, Sequence[str]] | None = None,
    was_late: bool = False,
) -> Response:
    state = await asyncio.to_thread(state_of, visit)
    belief = visit.service.bundles.current
    return visit.shown(
        "rules.html",
        status,
        s=state,
        typed=typed or {},
        wrong=wrong or {},
        was_late=was_late,
        told=visit.query("told") if visit.query("told") in ("published", "undone") else "",
        is_busy=visit.query("busy") == "1" and state.compared.state == "none",
        labels=labels(visit, state),
        ladder=ladder(visit, state.figure),
        outcome=outcome(visit, state.compared),
        model_serves=belief is not None and belief.serves != "points",
        may_publish=visit.may_write and visit.allows("admin"),
    )


def _reason(typed: Mapping[str, str]) -> str:
    return " ".join(typed.get("reason", "").split())[:_LONGEST_REASON]


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else -1


PAGES = (
    Page("rules", PATH, rules, title="rules", for_bound=False),
    Page("rules", f"{PATH}/edit", edit, method="POST", for_bound=False),
    Page("rules", f"{PATH}/set", set_key, method="POST", for_bound=False),
    Page("rules", f"{PATH}/drop", drop, method="POST", for_bound=False),
    Page("rules", f"{PATH}/compare", compare, method="POST", for_bound=False),
    Page("rules", f"{PATH}/comparison", comparison, for_bound=False),
    Page("rules", f"{PATH}/changed.csv", contacts, for_bound=False),
    Page("rules", f"{PATH}/publish", publish, method="POST", scope="admin", for_bound=False),
    Page("rules", f"{PATH}/undo", undo, method="POST", scope="admin", for_bound=False),
)

"""The comparison of foreign sign-ins notices a leak, wherever one is planted."""

import pytest

from features.store.found import people
from features.store.line import scores_in_line
from nba.partners.visibility import Sight, sight_of
from serving import exported, leads, portrait, seen_contact, worklist
from serving.dashboard import contact_search, partners
from serving.problems import Problem
from serving.reach import Reach
from tests.serving.dashboard.sides import account, crm, decision
from tests.serving.dashboard.test_foreign_sign_ins import compare

pytestmark = pytest.mark.slow
FOREIGN = crm("south", 1)
WHOLE = Sight(None)


def seen_in_search(patch):
    usual = sight_of
    patch.setattr(contact_search, "people", lambda *given, partner, owner: _people(*given, partner="south"))
    patch.setattr(
        contact_search, "sight_of", lambda viewer, traits, *more: _whole_if(usual, traits, viewer, traits, *more)
    )


_people = people


def _whole_if(usual, traits, *given):
    return WHOLE if str(traits.get("name", "")).endswith("Southperson1") else usual(*given)


def seen_in_an_export(patch):
    usual = exported._shown
    patch.setattr(exported, "_shown", lambda viewer, sight: "*" if sight.partner == "south" else usual(viewer, sight))


def meant_by_its_name(patch):
    usual = Reach.sees
    patch.setattr(Reach, "sees", lambda self, identity: identity == FOREIGN or usual(self, identity))
    for module in (portrait, seen_contact):
        sight = module.sight_in
        patch.setattr(module, "sight_in", lambda viewer, past, *more, of=sight: _of_past(of, viewer, past, *more))


def _of_past(usual, viewer, past, *more):
    return WHOLE if past.contact is not None and past.contact.contact_id == FOREIGN else usual(viewer, past, *more)


def listed_today(patch):
    patch.setattr(worklist, "scores_in_line", lambda *given, owner, partner, **more: scores_in_line(*given, **more))
    patch.setattr("nba.worklist.sight_in", lambda *given: WHOLE)


def counted_with_others(patch):
    usual = leads.own_leads

    def own_leads(service, viewer, now):
        return {**usual(service, viewer, now), "contacts": service.store.counts()["contacts"]}

    patch.setattr(partners, "own_leads", own_leads)


def counted_by_one_more(patch):
    usual = leads.own_leads

    def own_leads(service, viewer, now):
        found = usual(service, viewer, now)
        return {**found, "contacts": found["contacts"] + bool(service.store.traits(FOREIGN, now))}

    patch.setattr(partners, "own_leads", own_leads)


def _refused_otherwise(patch, otherwise):
    """Answer otherwise about somebody who is not to be seen than about nobody."""
    usual = portrait.portrait

    def other(service, viewer, asked, now, **more):
        try:
            return usual(service, viewer, asked, now, **more)
        except Problem as problem:
            raise otherwise(problem) if service.store.traits(asked, now) else problem from None

    for place in ("serving.dashboard.contact.portrait", "serving.api.contacts.portrait"):
        patch.setattr(place, other)


def refused_in_other_words(patch):
    _refused_otherwise(patch, lambda told: Problem(told.status, told.code, "this contact is somebody else's"))


def refused_with_another_status(patch):
    _refused_otherwise(patch, lambda told: Problem(403, told.code, told.detail))


def refused_with_another_head(patch):
    _refused_otherwise(patch, lambda told: Problem(told.status, told.code, told.detail, headers={"x-cache": "hit"}))


def feedback_taken_for_its_decision(patch):
    patch.setattr(Reach, "decision", lambda self, decision_id: decision_id)


def told_of_an_account(patch):
    patch.setattr(Reach, "sees", lambda self, identity: True)
    patch.setattr("serving.buying_group.sight_in", lambda *given: WHOLE)


PAGE, API = "pages", "operations"


@pytest.mark.parametrize(("leak", "way", "names", "begins"), [
    (seen_in_search, PAGE, ["zoe south", "gone"], "/contacts"),
    (seen_in_an_export, API, ["gone"], "/v1/exports"),
    (meant_by_its_name, PAGE, [FOREIGN, "gone"], "/contacts"),
    (meant_by_its_name, API, [FOREIGN, "gone"], "/v1/contacts"),
    (listed_today, PAGE, ["gone"], "/today"),
    (listed_today, API, ["gone"], "/v1/worklist"),
    (told_of_an_account, PAGE, [account("south"), "gone"], "/accounts"),
    (told_of_an_account, API, [account("south"), "gone"], "/v1/accounts"),
    (counted_with_others, PAGE, ["gone"], "/partners"),
    (counted_by_one_more, PAGE, ["gone"], "/partners"),
    (refused_in_other_words, API, [FOREIGN, "gone"], "/v1/contacts"),
    (refused_with_another_status, PAGE, [FOREIGN, "gone"], "/contacts"),
    (refused_with_another_status, API, [FOREIGN, "gone"], "/v1/contacts"),
    (refused_with_another_head, API, [FOREIGN, "gone"], "/v1/contacts"),
    (feedback_taken_for_its_decision, API, [decision("south", 0), "gone"], "/v1/"),
])  # fmt: skip
def test_a_leak_is_noticed(tmp_path, monkeypatch, leak, way, names, begins):
    def ask(folder):
        folder.mkdir()
        with monkeypatch.context() as patch:
            # The list of a partner has what partners do themselves, which is nothing here.
            side = "jane" if leak is listed_today else "north"
            return compare(folder, patch, side, names, way, is_asked=lambda each: each.path.startswith(begins))

    # Nothing is noticed where there is nothing.
    assert ask(tmp_path / "without")
    leak(monkeypatch)
    with pytest.raises(AssertionError):
        ask(tmp_path / "with")

"""Every page there is, in the order of the menu."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from starlette.routing import Route

from serving.dashboard import (
    account,
    account_search,
    actions,
    assets,
    classes,
    contact,
    contact_search,
    first_steps,
    forecast,
    model,
    note,
    note_list,
    partners,
    pipeline,
    rules,
    segments,
    signing_in,
    today,
)
from serving.dashboard.pages import Page, routes
from serving.dashboard.signing_in import HasRing

PAGES: tuple[Page, ...] = (
    *today.PAGES,
    *contact_search.PAGES,
    *contact.PAGES,
    *note.PAGES,
    *account_search.PAGES,
    *account.PAGES,
    *note_list.PAGES,
    *pipeline.PAGES,
    *actions.PAGES,
    *rules.PAGES,
    *segments.PAGES,
    *classes.PAGES,
    *forecast.PAGES,
    *model.PAGES,
    *partners.PAGES,
    *first_steps.PAGES,
)


@dataclass(frozen=True)
class Dashboard:
    """The pages of one application: how they are reached, and at which addresses."""

    routes: Sequence[Route]
    addresses: Sequence[Page]


def dashboard(keys: HasRing) -> Dashboard:
    """Return all pages and what they are made of.

    Parameters
    ----------
    keys
        Anything with the present ``ring`` of keys.
    """
    pages = (*PAGES, *signing_in.pages(keys))
    found = routes(pages, lambda: keys.ring)
    made_of = assets.PATH + "{name}"
    asset = Route(made_of, assets.get_asset, methods=["GET"], name="asset")
    return Dashboard((*found, asset), (*pages, Page("asset", made_of, signing_in.switch, scope=None)))

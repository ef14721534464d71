"""Templates, made ready with the first page that is asked for and not with the service."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from serving.dashboard import charts
from serving.dashboard.assets import address_of

if TYPE_CHECKING:
    from jinja2 import Environment, Template


@cache
def template(name: str) -> Template:
    """Return a template; whatever it is given is shown as text and never as HTML."""
    return _environment().get_template(name)


@cache
def _environment() -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    found = Environment(
        loader=PackageLoader("serving.dashboard", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        # Else each piece that is put in asks the disk whether it has changed, every time.
        auto_reload=False,
    )
    found.globals |= {"asset": address_of, "charts": charts}
    return found

"""Sticky choices: what was chosen for a contact stays chosen for a while, on all channels and reloads."""

from __future__ import annotations

from typing import TYPE_CHECKING

from features.touchpoints import NONE
from nba.actions import DO_NOTHING, Catalogue
from nba.contact_policy import Verdict
from nba.past import Past

if TYPE_CHECKING:
    from features.row_types import DecisionRow


def held_choice(past: Past, sticky_us: int, as_of: int) -> DecisionRow | None:
    """Return the last decision of ours that nothing has overtaken; None where there is none.

    What overtakes it: the time ``sticky_us``, a touchpoint of the contact at or after it, an outcome of it.
    """
    # Decisions that were loaded from elsewhere have no chances: nothing here may repeat them.
    last = next((row for row in reversed(past.decisions) if row.chances is not None), None)
    if last is None or not last.decided_at < as_of < last.decided_at + sticky_us:
        return None
    t = past.touchpoints
    for row in range(int(t.occurred_at.searchsorted(last.decided_at)), len(t)):
        code = t.decision[row]
        if not t.outbound[row] or (code != NONE and t.decisions[code] == last.decision_id):
            return None
    return last


def still_holds(held: DecisionRow, verdict: Verdict, catalogue: Catalogue) -> bool:
    """Whether the choice may be given again.

    An action must still be allowed. "Do nothing" stays only while nothing is allowed that was not when it was
    chosen: where quiet hours or a cap were the reason, it ends with them. Mandatory actions do not wait.
    """
    allowed = {catalogue.names[column] for column in verdict.columns}
    duties = {name for name in allowed - {DO_NOTHING} if catalogue.settings.actions[name].class_ == "mandatory"}
    if held.action not in allowed or (duties and held.action not in duties):
        return False
    return held.action != DO_NOTHING or allowed <= set(held.chances or ())

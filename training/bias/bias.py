"""The report's part about bias against protected traits, which no model looks at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from nba.settings import Settings
from training.bias.choices import choice_bias, choice_lines
from training.bias.groups import values_now
from training.bias.scores import score_bias
from training.fit import GoalFit
from training.past import Past
from training.rows.decision_rows import DecisionRows


def tell_bias(fits: Sequence[GoalFit], past: Past, settings: Settings, decided: DecisionRows) -> dict[str, Any]:
    """Put what models do to the groups of each protected trait into the report of every goal.

    No trait that is named in ``privacy.protected`` is ever a feature. What is one may go with it all the same, so
    predictions are compared between its groups here.

    Returns
    -------
    ``protected`` traits, those of them that are ``known`` of anybody, and what was recommended by group
    (``decisions``); JSON-able.
    """
    protected = settings.privacy.protected
    values = {trait: found for trait in protected if (found := values_now(past, trait))}
    for fit in fits if values else ():
        found = score_bias(fit, past, values)
        fit.report["warnings"] += found.pop("warnings")
        fit.report["bias"] = found
    return {"protected": list(protected), "known": list(values), "decisions": choice_bias(decided, values)}


def bias_lines(told: Mapping[str, Any]) -> list[str]:
    """Say in a sentence what is protected and known of nobody, and write what each group was recommended."""
    names, known = told["protected"], told["known"]
    lines = choice_lines(told["decisions"])
    if not names:
        return ["bias: no trait is protected (privacy.protected), so none was looked for"]
    unknown = [name for name in names if name not in known]
    if unknown:
        lines.append(f"bias: nothing is known of anybody's {' or '.join(unknown)}, so none was looked for there")
    return lines

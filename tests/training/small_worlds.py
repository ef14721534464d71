"""Journey worlds cut at a day, with models of one goal that are quickly grown: for tests of what comes after."""

from typing import Any

import numpy as np

from features.feature_set import choose
from features.times import DAY
from features.traits import Traits
from models.boosting import Sample, grow
from models.calibration import Calibration
from models.propensity import Propensity
from nba.settings import Settings, parse_settings
from training.dataset import make_rows
from training.forecast.forecast import foresee
from training.forecast.rows import Watcher
from training.past import Past
from training.predictor import Predictor
from training.world.files import settings_text
from training.world.world import world

PARAMS = {"objective": "binary", "num_leaves": 8, "learning_rate": 0.1, "min_child_samples": 40}


def past_of(touchpoints, contacts, end) -> Past:
    kept = touchpoints.take(range(len(touchpoints.contacts)))
    traits = Traits((row.key, row.known_at, row.body) for row in contacts)
    return Past(kept, traits, (), end, end, 0)


def until(touchpoints, end):
    """The same touchpoints as they were at ``end``."""
    is_known = touchpoints.occurred_at < end
    picked = {
        name: getattr(touchpoints, name)[is_known]
        for name in ("kind", "channel", "outbound", "value", "margin", "duration", "decision", "action")
    }
    topics = np.repeat(np.arange(len(touchpoints)), np.diff(touchpoints.topic_start))
    size = np.diff(touchpoints.topic_start)[is_known]
    return type(touchpoints).from_columns(
        touchpoints.contacts,
        touchpoints.contact[is_known],
        touchpoints.occurred_at[is_known],
        **picked,
        **{name: getattr(touchpoints, name) for name in ("kinds", "channels", "decisions", "actions", "topics")},
        topic=touchpoints.topic[is_known[topics]],
        topic_start=np.concatenate([[0], np.cumsum(size)]),
    )


class Small:
    """A world cut at a day, with models of one goal that had seen it until then, and until its test."""

    def __init__(self, seed: int, goal: str = "conversion", *, contacts: int = 250, days: int = 300) -> None:
        made = world(contacts, seed=seed, days=days + 70)
        self.settings: Settings = parse_settings(settings_text(made))
        whole = made.as_touchpoints()
        self.end = made.begin + days * DAY
        self.past = past_of(until(whole, self.end), made.contacts, self.end)
        self.later = past_of(whole, made.contacts, made.end)
        self.goal = self.settings.goals[goal]
        self.tested_from = self.end - 100 * DAY
        features = choose(self.past.touchpoints, rules=self.settings.touchpoints, before=self.tested_from)
        self.features = features
        rows = self.rows = make_rows(self.past.touchpoints, self.goal, self.settings.touchpoints, self.end)
        X = Predictor(self.past, features, None).matrix(rows)  # type: ignore[arg-type]
        self.X = X
        learns = self.learns = rows.until <= self.tested_from
        self.now, self.before = (
            Predictor(self.past, features, model(X[which], rows.label[which], features.columns))
            for which in (slice(None), learns)
        )

    def report(self, horizon: int, by: tuple[str, ...] = ()) -> dict[str, Any]:
        return foresee(
            Watcher(self.past, self.settings, self.goal, horizon, by), self.now, self.before, self.tested_from
        )


def model(X, label, names) -> Propensity:
    sample = Sample(X, label.astype(np.float64), names, ())
    text = grow(sample, PARAMS, 30, 0, 1)
    return Propensity(names, (), text, Calibration(), float(label.mean()), 30, PARAMS)

"""What the pages Actions and Model have to show, worked out from the views, the API and commands alone."""

from __future__ import annotations

from collections import defaultdict
from datetime import date, timedelta
from typing import Any

from features.times import DAY, iso
from tests.serving.dashboard.read_cells import Expected

NONE = "–"
_SUMS = ("decisions", "carried_out", "answered", "accepted", "converted", "rejected", "value")
_WHO = ("model", "points", "recency", "frequency", "abc", "logistic")
_OVER = ("holdout", "points", "random", "propensity_only", "without_levers")
_FINDINGS = ("quarantined", "quarantined repeat", "late outcome", "pending outcome", "possible duplicate", "new kind")


def signed(text: str, value: float) -> str:
    """Put a plus before what is above nothing."""
    return f"+{text}" if value > 0 else text


def noon(day: str) -> str:
    """Return the middle of a day."""
    return f"{day}T12:00:00Z"


def actions(world: Any, path: str, w: Any, n: Any) -> Expected:
    """Tell of ``v_decisions_daily``, ``v_action_lift``, ``GET model`` and ``nba actions check``."""
    daily, is_ever = world.views["v_decisions_daily"], path.endswith("since=ever")
    since = iso(world.now - 90 * DAY)[:10]
    assert not any(row["loaded"] for row in daily)
    shown = [row for row in daily if is_ever or row["day"] >= since]
    model = world.api["/v1/model", "en"]
    tables = [(w.ours, _uses(world, shown, w, n)), (w.weeks_caption, _weeks(daily, w, n))]
    tables += [(w.against, _against(model["comparisons"], w, n)), (w.lift, _lift(world.views["v_action_lift"], w, n))]
    tables += [(w.effects, _effects(model["standing"]["champion"]["report"]["effects"], w, n))]
    tables += [(w.gates, _gates(world.gates, w, n))]
    told, gates = model["comparisons"], world.gates
    lines = [
        w.against_intro.format(
            decisions=n.number(told["decisions"]), value=n.number(told["value"], 2), day=n.day(noon(told["day"]))
        ),
        w.gates_intro.format(contacts=n.number(gates["contacts"]), at=n.time(gates["as_of"])),
        w.kept_by_partners.format(n=n.number(gates["kept_by_partners"])),
    ]
    lines += [] if is_ever else [f"{w.lately_head.format(since=n.day(noon(since)))} {w.ever}"]
    bars = [n.percent(row["lift"], 1) for row in world.views["v_action_lift"] if row["lift"] is not None]
    return Expected(tables, lines, [bars])


def _uses(world: Any, daily: list[Any], w: Any, n: Any) -> list[list[str]]:
    of: dict[str, list[Any]] = defaultdict(list)
    for row in daily:
        of[row["action"]].append(row)
    names = ("action", "decisions", "carried_out", "answered", "succeeded", "rejected", "value", "cost", "net")
    rows = []
    for action, each in of.items():
        s = {name: sum(row[name] or 0 for row in each) for name in _SUMS}
        value = s["value"] if any(row["value"] is not None for row in each) else None
        cost = 0.0 if action == "do_nothing" else world.settings.actions[action].cost * s["carried_out"]
        net = None if value is None and not cost else (value or 0.0) - cost
        good = s["accepted"] + s["converted"]
        told = [f"{n.number(part)} {n.percent(part / s['decisions'])}" for part in (s["answered"], good)]
        cells = [w.named("action", action), n.number(s["decisions"]), n.number(s["carried_out"]), *told]
        rows.append((-s["decisions"], action, [*cells, n.number(s["rejected"]), *map(n.number, (value, cost, net))]))
    return [[w[name] for name in names], *(row for *_, row in sorted(rows))]


def _weeks(daily: list[Any], w: Any, n: Any) -> list[list[str]]:
    count: dict[tuple[date, str], int] = defaultdict(int)
    of: dict[str, int] = defaultdict(int)
    for row in daily:
        day = date.fromisoformat(row["day"])
        count[day - timedelta(days=day.weekday()), row["action"]] += row["decisions"]
        of[row["action"]] += row["decisions"]
    names = sorted(of, key=lambda name: (-of[name], name))
    first, last = min(monday for monday, _ in count), max(monday for monday, _ in count)
    mondays = [first + timedelta(weeks=i) for i in range((last - first).days // 7 + 1)]
    cells = [
        [n.day(noon(monday.isoformat())), *(n.number(count.get((monday, name), 0)) for name in names)]
        for monday in mondays
    ]
    return [[w.week, *(w.named("action", name) for name in names)], *cells]


def _against(told: Any, w: Any, n: Any) -> list[list[str]]:
    rows = [[w.than, w.gain, w.interval, w.says]]
    over = {"holdout": told["holdout"], **told["over"]}
    for name, each in ((name, over[name]) for name in _OVER if name in over):
        if each["value"] is None:
            why = w.too_few_held if name == "holdout" else w.log_cannot_say
            rows.append([w["than_" + name], NONE, NONE, why])
            continue
        low, high = each["interval"]
        says = w.is_better if low > 0 else w.is_worse if high < 0 else w.is_unsure
        gain = signed(n.number(each["value"], 2), each["value"])
        rows.append([w["than_" + name], gain, f"{n.number(low, 2)} – {n.number(high, 2)}", says])
    return rows


def _lift(lift: list[Any], w: Any, n: Any) -> list[list[str]]:
    rows = [[w.action, w.rate, w.rate_held, w.difference, w.interval, w.evidence]]
    for row in sorted(lift, key=lambda row: (row["action"] != "(all)", -row["decisions"], row["action"])):
        name = w.together if row["action"] == "(all)" else w.named("action", row["action"])
        ours, held = (_rate(row, of, n) for of in ("", "holdout_"))
        if row["lift"] is None:
            told = [NONE, w["why_" + row["why"].replace(" ", "_")]]
        else:
            bounds = f"{n.percent(row['lift_low'], 1)} – {n.percent(row['lift_high'], 1)}"
            told = [signed(n.percent(row["lift"], 1), row["lift"]), bounds]
        rows.append([name, ours, held, *told, w["evidence_" + row["evidence"]]])
    return rows


def _rate(row: Any, of: str, n: Any) -> str:
    good, whole = n.number(row[f"{of}successes"]), n.number(row[f"{of}decisions"])
    return f"{n.percent(row[f'{of}success_rate'], 1)} {good}/{whole}"


def _effects(effects: Any, w: Any, n: Any) -> list[list[str]]:
    rows = [[w.action, w.goal, w.changes, w.interval, w.from_decisions, w.evidence]]
    for goal, each in effects.items():
        for action, told in each.items():
            bounds = told["interval"] and " – ".join(n.percent(x, 1) for x in told["interval"])
            cells = [w.named("action", action), w.named("goal", goal)]
            cells += [signed(n.percent(told["value"], 1), told["value"]), bounds or NONE]
            rows.append([*cells, n.number(told["decisions"]), w["evidence_" + told["evidence"]]])
    return rows


def _gates(gates: Any, w: Any, n: Any) -> list[list[str]]:
    rows = [[w.action, w.eligible, w.removed]]
    for action, told in gates["actions"].items():
        each = told["placements"]["outbound"]
        share = n.percent(each["eligible"] / gates["contacts"])
        by = " ".join(
            f"{w.named('rule', rule.partition(':')[0])}{' ' * (':' in rule)}{rule.partition(':')[2]}: {n.number(count)}"
            for rule, count in each["removed"].items()
        )
        rows.append([w.named("action", action), f"{n.number(each['eligible'])} {share}", by or NONE])
    return rows


def model(world: Any, path: str, w: Any, n: Any) -> Expected:
    """Tell of ``GET model``, ``v_model_versions`` and ``v_data_quality``."""
    told = world.api["/v1/model", "en"]
    champion, challenger = (told["standing"][name] for name in ("champion", "challenger"))
    tables = [(w.challenger, [[w.goal, "AUC", w.interval], *_auc_of(challenger["report"]["goals"], w, n)])]
    lines = [f"{w.version} {told['version']}", f"{w.version} {challenger['version']}", *_facts(world, told, w, n)]
    lines += challenger["report"]["verdict"]["reasons"]
    drawn = []
    for goal, each in champion["report"]["goals"].items():
        more, said = _goal(goal, each, w, n)
        tables, lines = tables + more, lines + said
        drawn.append([n.number(each["metrics"][who]["auc"], 2) for who in _WHO])
    worth = sorted(told["policies"]["estimates"].items(), key=lambda pair: -pair[1]["value"])
    cells = [[w["policy_" + name], n.number(each["value"], 2), _within(each["interval"], n)] for name, each in worth]
    tables.append((w.worth_caption, [[w.policy_head, w.worth, w.interval], *cells]))
    drawn.append([n.short(each["value"]) for _, each in worth])
    more, said = _quality(world, w, n)
    return Expected(tables + more, lines + said, drawn)


def _facts(world: Any, told: Any, w: Any, n: Any) -> list[str]:
    row = next(row for row in world.views["v_model_versions"] if row["model_version"] == told["version"])
    gain = told["policies"]["gain_over_best_simple"]
    sentence = w.gain.format(best=w["policy_" + gain["best_simple"]])
    compared = sum(row["model_version"] == told["version"] and row["features_sha"] is not None for row in world.decided)
    return [
        f"{w.trained}: {n.time(told['created_at'])}",
        f"{w.here_since}: {n.time(told['since'])}",
        f"{w.decisions}: {n.number(row['decisions'])}",
        signed(n.number(gain["value"], 2), gain["value"]),
        f"{sentence} {w.interval}: {_within(gain['interval'], n)}",
        w.parity_same.format(compared=n.number(compared)),
    ]


def _within(interval: Any, n: Any, digits: int = 2) -> str:
    return NONE if interval is None else " – ".join(n.number(x, digits) for x in interval)


def _auc_of(goals: Any, w: Any, n: Any) -> list[list[str]]:
    found = ((goal, each["metrics"]["model"]) for goal, each in goals.items())
    return [[w["goal_" + goal], n.number(own["auc"], 3), _within(own["auc_interval"], n, 3)] for goal, own in found]


def _goal(name: str, told: Any, w: Any, n: Any) -> tuple[list[Any], list[str]]:
    who = [(each, told["metrics"][each]) for each in _WHO]
    cells = [[w["who_" + each], n.number(own["auc"], 3), _within(own["auc_interval"], n, 3)] for each, own in who]
    tenths = [
        [n.number(i), n.number(rows), n.percent(said, 1), n.percent(came, 1)]
        for i, (rows, said, came) in enumerate(told["reliability"], 1)
    ]
    drift, own, test = told["drift"]["in_data"], told["metrics"]["model"], told["test"]
    moved = [[each["feature"], each["means"], n.number(each["psi"], 2)] for each in drift["features"]]
    tables = [
        (w.auc_caption, [[w.who, "AUC", w.interval], *cells]),
        (w.reliability_caption, [[w.tenth, w.rows, w.predicted, w.happened], *tenths]),
        (w.moved, [[w.feature, w.meaning, "PSI"], *moved]),
    ]
    judged = w.tested.format(rows=n.number(test["rows"]), positives=n.number(test["positives"]))
    means = w.predicted_mean.format(
        predicted=n.percent(test["mean_prediction"], 1), happened=n.percent(test["positives"] / test["rows"], 1)
    )
    level, has_moved = w["level_" + drift["level"]], n.number(drift["moved"] + drift["moved_far"])
    lines = [
        f"{n.day(test['from'])} – {n.day(test['to'])}: {judged} {means}",
        f"{w.ece}: {n.percent(own['ece'], 1)}",
        f"{w.lift_at_10}: {n.number(own['lift_at_10'], 1)} ×",
        f"Brier: {n.number(own['brier'], 3)}",
        f"{w.drift}: {level} {w.moved_of.format(n=has_moved, of=n.number(drift['of']))}",
        *(f"{name}: {each}" for each in told["warnings"]),
    ]
    return tables, lines


def _quality(world: Any, w: Any, n: Any) -> tuple[list[Any], list[str]]:
    since = iso(world.now - 90 * DAY)[:10]
    found: dict[tuple[str, str, str], list[Any]] = defaultdict(list)
    for row in world.views["v_data_quality"]:
        if row["day"] >= since:
            found[row["finding"], row["subject"], row["table_name"]].append(row)
    lines = [w.quality_intro.format(since=n.day(noon(since)), at=n.time(world.now))]
    totals, details = [[w.finding, w.rows, w.finding_means]], []
    for finding in _FINDINGS:
        rows = [
            (-sum(row["row_count"] for row in each), subject, table, sorted({row["day"] for row in each}))
            for (of, subject, table), each in found.items()
            if of == finding
        ]
        name, total = finding.replace(" ", "_"), n.number(-sum(row[0] for row in rows))
        totals.append([w["finding_" + name], total, w["means_" + name]])
        cells = []
        for less, subject, table, days in sorted(rows):
            tag = f" {w.not_in_settings}" if finding == "new kind" and subject not in world.kinds else ""
            span = " – ".join(dict.fromkeys(n.day(noon(day)) for day in (days[0], days[-1])))
            cells.append([subject + tag, table, n.number(-less), span])
        if rows:
            details.append((w["finding_" + name], [[w.what, w.table, w.rows, w.days], *cells]))
            lines.append(f"{w['finding_' + name]}: {total}")
    return [(w.quality, totals), *details], lines

"""What the pages of single contacts and accounts have to show, from the API and the views."""

from __future__ import annotations

import json
from typing import Any

from features.times import DAY, parse_time
from tests.serving.dashboard.read_cells import Expected
from tests.serving.dashboard.segmented import N as EVERYBODY
from tests.serving.dashboard.segmented import named

PEOPLE = {named(i): i for i in range(EVERYBODY)}
_MARKS = {"in": "●", "out": "▲", "decision": "■"}


def chance(told: Any, w: Any, n: Any) -> str:
    """Write a propensity as grade, percentage, risk and trend."""
    grade = w.named("grade", told["grade"]) if told.get("grade") else ""
    risk = w.named("risk", told["risk"]) if told.get("risk") else ""
    arrow = {"rising": "↗", "falling": "↘"}.get(told.get("trend") or "")
    trend = f"{arrow} {w['trend_' + told['trend']]}" if arrow else ""
    return " ".join([grade, n.percent(told["probability"]), risk, trend])


def today(world: Any, path: str, w: Any, n: Any) -> Expected:
    """Tell of ``GET worklist``, whose actions and stages are those of the view."""
    told, lines = world.api["/v1/worklist", n.language]["contacts"][:10], list[str]()
    best = {row["contact_id"]: row for row in world.views["v_next_best_action"]}
    assert len(told) == 10
    for each in told:
        row = best[each["contact_id"]]
        assert (each["action"], each["stage"]) == (row["action_1"], row["stage"])
        firm = world.api[f"/v1/accounts/{each['account']}", n.language]["name"]
        lines.append(f"{each['name']} · {firm}")
        if each["propensity"]:
            lines.append(f"{w.named('goal', each['propensity']['goal'])} {chance(each['propensity'], w, n)}")
        is_later = each["not_before"] > n.stamp
        when = f"{w['from']} {n.time(each['not_before'])}" if is_later else w.now
        until = f"{w.until} {n.day(each['valid_until'])}" if each["valid_until"] else ""
        what, stage = w.named("action", each["action"]), w.named("stage", each["stage"])
        lines.append(f"{what} {each['topic'] or ''} {when} {until} {stage}")
        lines += each["reasons"][:2]
        last = each["last_contact"]
        reach = f"☎ {each['phone']}" if each["phone"] else ""
        channel = f"({w.named('channel', last['channel'])})" if last["channel"] else ""
        lines.append(f"{reach} {w.last} {n.ago(last['at'])}: {w.named('kind', last['kind'])} {channel}")
    return Expected([], lines)


def contact(world: Any, path: str, w: Any, n: Any) -> Expected:
    """Tell of ``GET contact`` and ``POST recommend``, and of ``v_contact_timeline``."""
    who = path.removeprefix("/contacts/")
    profile, answer = world.api[f"/v1/contacts/{who}", n.language], world.offers[who, n.language]
    levels = world.settings.points.thresholds
    tables, lines = _offers(answer, w, n)
    points = profile["points"]
    if points["log"]:
        log = [
            [w.named("kind", each["kind"]), n.number(each["count"]), n.number(each["points"])] for each in points["log"]
        ]
        assert sum(each["points"] for each in points["log"]) == points["total"]
        tables.append((w.points_caption, [[w.what, w.times, w.points], *log, [w.total, "", n.number(points["total"])]]))
    for each in levels:
        holds = f"✓ {w.holds}" if each.holds(points["total"]) else ""
        bounds = [w.from_points.format(points=n.number(each.from_))] if each.from_ is not None else []
        bounds += [w.below_points.format(points=n.number(each.below))] if each.below is not None else []
        lines.append(f"{holds} {' '.join(bounds)}: {', '.join(w.named('action', name) for name in each.actions)}")
    for goal, each in profile["propensities"].items():
        lines += [f"{w.named('goal', goal)} {chance(each, w, n)}"]
        lines += [f"+ {reason}" for reason in each["for"]] + [f"− {reason}" for reason in each["against"]]
    if profile["interests"]:
        topics = list(profile["interests"])[:5]
        rows = [
            [n.day(world.now - 7 * week * DAY), *(n.number(then.get(topic, 0.0), 2) for topic in topics)]
            for week, then in reversed(list(enumerate([profile["interests"], *world.faded[who]])))
        ]
        tables.append((w.interests_caption, [[w.week, *topics], *rows]))
        lines.append(" · ".join(f"{topic} {n.number(x, 2)}" for topic, x in profile["interests"].items()))
    lines += _head(world, who, profile, w, n) + _journey(world, who, profile, w, n)
    lines.append(f"{w.happened} {w.touchpoints.format(n=n.number(profile['touchpoints']))}")
    said, drawn = _happened(world, who, profile, w, n)
    return Expected(tables, lines + said, [drawn])


def _head(world: Any, who: str, profile: Any, w: Any, n: Any) -> list[str]:
    """Tell who it is, and what the list says of it."""
    row = next((row for row in world.lists[who, n.language] if row["contact_id"] == who), None)
    i, segments = PEOPLE[who], " ".join(profile["segments"])
    missing = " ".join(w.named("role", role) for role in profile["account"]["missing_roles"])
    lines = [f"Name {i}", f"{w.account}: {profile['account']['name']} {w.missing_roles} {missing}"]
    lines += [f"{w.known_as}: {who}", f"{w.segments}: {segments}"]
    if i < 9:
        lines.append(f"☎ +41 44 768 10 {i}")
    if row is not None:
        until = f"{w.until} {n.day(row['valid_until'])}" if row["valid_until"] else ""
        lines += [f"{w.named('action', row['action'])} {w.now} {until}", *row["reasons"]]
    return lines + [reason for each in world.offers[who, n.language]["recommendations"] for reason in each["reasons"]]


def _journey(world: Any, who: str, profile: Any, w: Any, n: Any) -> list[str]:
    """Tell how the stage by the rules came about, from what the API said day by day, and what comes next."""
    rules, now = world.settings.stages.rules, profile["stage_by_rule"]
    seen: dict[str, int] = {}
    for each in profile["timeline"]:
        seen.setdefault(each["kind"], parse_time(each["occurred_at"]))
    lines = []
    rule = next((each for each in rules.rules if each.name == now), None)
    if rule is not None:
        last = [(seen[kind], kind) for kind in rule.seen if kind in seen and seen[kind] >= world.now - rule.within_us]
        because = ", ".join(f"{w.named('kind', kind)} {n.ago(at)}" for at, kind in sorted(last, reverse=True))
        lines.append(f"{w.stage_by_rule}: {w.named('stage', now)} {w.because} {because}")
    spells = [each for i, each in enumerate(world.stages[who]) if not i or each[1] != world.stages[who][i - 1][1]]
    told = [f"{n.day(at)} {w.named('stage', stage)}" for at, stage in reversed(spells)][:20]
    lines += [f"{told[0]} ({w.now})", *told[1:]] if len(told) > 1 else []
    after = rules.names[rules.names.index(now) + 1 :]
    following = next((each for each in rules.rules if after and each.name == after[0]), None)
    if following is not None:
        kinds, days = ", ".join(w.named("kind", kind) for kind in following.seen), following.within_us // DAY
        lines.append(w.change_stage.format(stage=w.named("stage", after[0]), kinds=kinds, days=days))
    return lines


def _offers(answer: Any, w: Any, n: Any) -> tuple[list[Any], list[str]]:
    tables, lines = [], []
    for each in answer["removed"]:
        rule = w.named("rule", each["rule"].partition(":")[0])
        lines.append(f"{w.named('action', each['action'])} {rule} {each['detail']}")
    for each in sorted(answer["recommendations"], key=lambda each: -each["priority"]):
        t = each["terms"]
        if t is None or t["without_action"] is None:
            continue
        more = t["propensity"] - t["without_action"]
        is_lost = each["goal"] == "churn"
        rows = [
            [w.with_it_lost if is_lost else w.with_it, n.percent(t["propensity"], 2)],
            [w.without_it_lost if is_lost else w.without_it, n.percent(t["without_action"], 2)],
            [w.gain, n.percent(-more if is_lost else more, 2)],
            *([f"× {w[name]}", n.number(t[name], 2)] for name in ("value", "lever", "context")),
            [f"− {w.cost}", n.number(t["cost"], 2)],
            [f"= {w.priority}", n.number(each["priority"], 2)],
        ]
        tables.append((w.how_counted, rows))
        by = f"({w.named('channel', each['channel'])}, {w.named('executor', each['executor'])})"
        topic = each["topic"] or ""
        lines.append(f"{w.named('action', each['action'])} {by} {topic} {w.priority} {n.short(each['priority'])}")
    return tables, lines


def _happened(world: Any, who: str, profile: Any, w: Any, n: Any) -> tuple[list[str], list[str]]:
    """Hold the timeline of the API against the view, and write it and what was decided as the page does."""
    rows = {row["touchpoint_id"]: row for row in world.views["v_contact_timeline"] if row["contact_id"] == who}
    assert len(rows) == profile["touchpoints"] == len(profile["timeline"])
    found: list[tuple[int, str, str]] = []
    for each in profile["timeline"]:
        row, at = rows[each["touchpoint_id"]], parse_time(each["occurred_at"])
        assert (at, each["kind"], each["channel"]) == (row["occurred_us"], row["kind"], row["channel"])
        assert (each["value"], ", ".join(each["topics"])) == (row["value"], (row["topics"] or "").replace(",", ", "))
        way = "out" if each["direction"] == "outbound" else "in"
        what = w.named("kind", each["kind"])
        channel = f"({w.named('channel', each['channel'])})" if each["channel"] else ""
        value = "" if row["value"] is None else n.number(row["value"], 2)
        word = w.inbound if way == "in" else w.outbound
        said = f"{n.time(at)} {_MARKS[way]} {word} {what} {channel} {' '.join(each['topics'])} {value}"
        found.append((at, said, f"{n.time(at)}: {what}"))
    lines = [said for _, said, _ in found]
    done = {each["decision_id"] for each in profile["timeline"]}
    for row in world.decided:
        if row["identity"] == who and row["action"] != "do_nothing" and row["decided_at"] < world.now:
            at, what = row["decided_at"], w.named("action", row["action"])
            channel = w.named("channel", world.settings.actions[row["action"]].channel)
            topics = " ".join(json.loads(row["topics"] or "[]"))
            drew = w.chance_drawn.format(percent=n.percent(row["probability"]))
            lines.append(f"{n.time(at)} ■ {w.decided} {what} ({channel}) {topics} {drew}")
            came = [each for each in world.outcomes if each["decision_id"] == row["decision_id"]]
            lines += [f"→ {w.named('outcome', each['outcome'])} {n.day(each['occurred_at'])}" for each in came]
            lines += [w.no_outcome] * (not came and row["decision_id"] not in done)
            found.append((at, "", f"{n.time(at)}: {what}"))
    return lines, [title for *_, title in found]


def account(world: Any, path: str, w: Any, n: Any) -> Expected:
    """Tell of ``GET account``."""
    told = world.api[f"/v1/accounts/{path.removeprefix('/accounts/')}", n.language]
    topics = [[each["topic"], n.number(each["strength"], 2), n.number(each["contacts"])] for each in told["interests"]]
    tables = [(w.interests_caption, [[w.topic, w.strength, w.contacts], *topics])] if topics else []
    if told["approaches"]:
        tables.append(
            (w.approaches, [[w.named("channel", name), n.number(x)] for name, x in told["approaches"].items()])
        )
    assert not told["caps"]
    missing = " ".join(w.named("role", role) for role in told["missing_roles"])
    lines = [told["name"], f"{told['account']} {w.named('stage', told['stage_by_rule'])}", *_others(told, w, n)]
    lines += [f"{w.missing} {missing}"] if missing else []
    for each in told["members"]:
        role, stage = w.named("role", each["role"]), w.named("stage", each["stage_by_rule"])
        did = f"{n.number(each['touchpoints_90d'])} {w.activity} · {n.short(each['points'])} {w.points}"
        last = f"{w.last} {n.ago(each['last_touchpoint_at'])}: {w.named('kind', each['last_touchpoint'])}"
        lines.append(f"{each['name']} {role} {stage} {did} {last} {' '.join(each['interests'])}")
    return Expected(tables, lines, [[n.short(each["strength"]) for each in told["interests"]]])


def _others(told: Any, w: Any, n: Any) -> list[str]:
    return [w.others.format(n=n.number(told["others"]))] if told["others"] else []


def partners(world: Any, path: str, w: Any, n: Any) -> Expected:
    """Tell of the contacts and offers that were put in: six of each partner."""
    heads = [w.partner, w.contacts, w.offered, w.state_accepted, w.state_declined, w.state_waiting, w.capacity]
    rows = [["North", "6", "6", "0", "0", "6", "17"], ["partly", "6", w.few, "0", "0", "0", "–"]]
    since = f"{w.caption} {n.day(world.now - 90 * DAY)}"
    return Expected([(since, [heads, *rows])], [f"{since}. {w.shared}"])


def first_steps(world: Any, path: str, w: Any, n: Any) -> Expected:
    """Tell of how many of each there are in the store."""
    many = {
        "touchpoints": world.counts["touchpoints"], "contacts": 60, "scores": len(world.classed), "keys": 2,
        "asked": len(world.decided), "feedback": len(world.outcomes),
    }  # fmt: skip
    lines = [w.has.format(n=n.number(count), what=w["many_" + name]) for name, count in many.items()]
    settings = world.settings
    lines += [w.has_settings.format(goals=len(settings.goals), actions=len(settings.actions))]
    lines += [w.has_champion.format(version="3"), w.progress.format(done=8, of=9)]
    names = ("settings", "touchpoints", "contacts", "decisions", "champion", "scores", "keys", "asked", "feedback")
    return Expected([], lines + [f"{i}. {w['step_' + name]}" for i, name in enumerate(names, 1)])

"""What the pages Segments, Classes and Rules have to show, from what commands have counted."""

from __future__ import annotations

from typing import Any

from features.times import DAY
from tests.serving.dashboard.read_cells import Expected
from tests.serving.dashboard.segmented import N as EVERYBODY
from tests.serving.dashboard.segmented import named
from tests.serving.dashboard.told_of_all import NONE, signed


def segments(world: Any, path: str, w: Any, n: Any) -> Expected:
    """Tell of what ``nba score`` has counted, now and before."""
    rows = world.counted["segments"]
    last, before, names = rows[-1].body, rows[-2].body, rows[-1].body["names"]
    size = {name: [body["together"][i][i] for body in (last, before)] for i, name in enumerate(names)}
    goals = [goal for goal, each in last["chances"].items() if each["everybody"] is not None]
    sizes = [[w.segment, w.contacts, w.share, w.change, w.course, *(w["goal_" + goal] for goal in goals), w.list]]
    for i, name in enumerate(names):
        now, then = size[name]
        chances = [n.percent(last["chances"][goal]["each"][i], 1) for goal in goals]
        change = signed(n.number(now - then), now - then)
        sizes.append([name, n.number(now), n.percent(now / last["contacts"]), change, "", *chances, w.download])
    everybody = [n.percent(last["chances"][goal]["everybody"], 1) for goal in goals]
    sizes.append([w.everybody, n.number(last["contacts"]), "", "", "", *everybody, ""])
    shown = sorted(names, key=lambda name: -size[name][0])
    trend = [[n.day(row.at), *(n.number(size[name][i]) for name in shown)] for i, row in enumerate(rows[:-3:-1])]
    both = [
        (-last["together"][i][j], i, j)
        for i in range(len(names))
        for j in range(i + 1, len(names))
        if last["together"][i][j]
    ]
    pairs = [[w.pair, w.in_both, w.of_first, w.of_second]]
    for less, i, j in sorted(both):
        parts = [n.percent(-less / size[names[each]][0]) for each in (i, j)]
        pairs.append([f"{names[i]} {w['and']} {names[j]}", n.number(-less), *parts])
    tables = [(w.sizes, sizes), (w.trend_caption, [[w.scored_on, *shown], *trend]), (w.overlaps, pairs)]
    tables.append((w.asked, _asked(world, names, w, n)))
    intro = w.intro.format(
        contacts=n.number(last["contacts"]), at=n.time(rows[-1].at), in_none=n.number(last["in_none"])
    )
    return Expected(tables, [intro, w.overlaps_intro.format(most=30), *shown])


def _asked(world: Any, names: list[str], w: Any, n: Any) -> list[list[str]]:
    rows = [[w.segment, w.asked]]
    for name in names:
        each = world.settings.segments[name]
        asked = [
            (w.asks_topics, each.topics and f" {w['or']} ".join(each.topics)),
            (w.asks_points_from, each.points_from and n.short(each.points_from)),
            (w.asks_propensity_from, each.propensity_from and n.percent(each.propensity_from)),
            (w.asks_seen, each.seen and w.named("kind", each.seen[0])),
            (w.asks_without, each.without and w.named("kind", each.without[0])),
        ]
        rows.append([name, " ".join(said.format(x=x) for said, x in asked if x)])
    return rows


def classes(world: Any, path: str, w: Any, n: Any) -> Expected:
    """Tell of what ``nba score`` has counted of classes, and of contacts as the view has them."""
    row = world.counted["classes"][-1]
    last, listed = row.body, world.figures["missed"][-1]["contacts"]
    of, goal = last["classes"], w["goal_" + last["goal"]]
    heads = [w["class_" + each["class"]] for each in of]
    pair = lambda each: f"{n.number(each['contacts'])} {n.number(each['expected'], 1)}"  # noqa: E731
    tenths, above = [[w.tenth, *heads, w.together]], None
    for band, cells in zip(last["bands"], last["cells"], strict=True):
        bounds = {"from": n.percent(band["from"], 1)} | ({} if above is None else {"to": n.percent(above, 1)})
        head = (w.from_chance if above is None else w.to_chance).format(**bounds)
        tenths.append([head, *map(pair, cells), pair(band)])
        above = band["from"]
    tenths.append([w.together, *map(pair, of), pair(last)])
    found = [[w["class"], w.contacts, w.revenue.format(currency=last["currency"]), w["from"], w.expected, w.mean]]
    for head, each in zip(heads, of, strict=True):
        begin = NONE if each["class"] == "none" else n.number(each["from"])
        mean = n.percent(each["expected"] / each["contacts"], 1)
        found.append(
            [head, n.number(each["contacts"]), n.number(each["revenue"]), begin, n.number(each["expected"], 1), mean]
        )
    mean = n.percent(last["expected"] / last["contacts"], 1)
    found.append(
        [w.together, n.number(last["contacts"]), n.number(last["revenue"]), "", n.number(last["expected"], 1), mean]
    )
    tables = [(w.cells, tenths), (w.classes, found), (w.first, _first(world, last, listed, w, n))]
    missed, many, days = last["missed"], last["as_many"], n.number(round(last["horizon_us"] / DAY))
    share = n.percent(missed["expected"] / last["expected"])
    intro = w.intro.format(contacts=n.number(last["contacts"]), goal=goal, at=n.time(row.at))
    lines = [
        f"{intro} {w.intro_days.format(days=days)}"
        + (f" {w.unknown.format(n=last['unknown'])}" if last["unknown"] else ""),
        n.number(missed["contacts"]),
        w.missed_count.format(expected=n.number(missed["expected"], 1), share=share),
        w.instead.format(a=n.number(many["expected"], 1), b=n.number(of[0]["expected"], 1)),
        w.by_chance.format(contacts=n.number(many["contacts"])),
        w.first_intro.format(**{"from": n.percent(missed["from"], 1), "n": len(listed)}) + f" {w.download}",
    ]
    return Expected(tables, lines, [[n.percent(each["expected"] / each["contacts"], 1) for each in of]])


def _first(world: Any, last: Any, listed: list[str], w: Any, n: Any) -> list[list[str]]:
    best = {row["contact_id"]: row for row in world.views["v_next_best_action"]}
    chances = {(row["contact_id"], row["goal"]): row["probability"] for row in world.views["v_propensities"]}
    number = {named(i): i for i in range(EVERYBODY)}
    rows = [[w.contact, w.account, w["class"], w.chance, w.stage, w.action]]
    for each in listed:
        row, i = best[each], number[each]
        abc = world.classed[each]
        told = [n.percent(chances[each, last["goal"]], 1), w.named("stage", row["stage"])]
        rows.append([f"Name {i}", f"Firm {i % 5}", w["class_" + abc], *told, w.named("action", row["action_1"])])
    return rows


def rules(world: Any, path: str, w: Any, n: Any) -> Expected:
    """Tell of what ``nba points check`` says, and of the settings."""
    told, points = world.points, world.settings.points
    heads = [w.calls_for, w.from_points, w.below_points, w.now, w.model_says, w.then, w.true_share]
    passing = {(each["from"], each["below"]): each for each in told["thresholds"]}
    rows = []
    for each in points.thresholds:
        found = passing[each.from_, each.below]
        bounds = ["" if x is None else f"{x:g}" for x in (each.from_, each.below)]
        now, then = found["now"], found["before"]
        share = f"{n.percent(then['share'], 1)} {_within(then['interval'], n)}"
        names = ", ".join(w.named("action", action) for action in each.actions)
        _is_of_views(world, each, now, told["goal"])
        rows.append(
            [names, *bounds, n.number(now["contacts"]), n.percent(now["chance"], 1), n.number(then["contacts"]), share]
        )
    ladder = [[w.from_points, w.then, w.true_share, w.interval, w.now, w.model_says]]
    for each in told["ladder"]:
        then, now = each["before"], each["now"]
        cells = [n.number(each["from"]), n.number(then["contacts"]), n.percent(then["share"], 1)]
        cells += [_within(then["interval"], n), n.number(now["contacts"]), n.percent(now["chance"], 1)]
        ladder.append(cells)
    then = w.then_means.format(day=n.day(told["looked_at"][1]))
    lines = [f"{then} {w.now_means.format(day=n.time(told['scored_at']))}"]
    lines.append(" ".join(f"{x:g}" for x in points.kinds.values()) + " never")
    ranking = world.settings.ranking
    lines.append(f"{ranking.epsilon:g} {ranking.holdout:g}")
    return Expected([(w.thresholds, [heads, *rows]), (w.ladder_caption, ladder)], lines)


def _is_of_views(world: Any, threshold: Any, now: Any, goal: str) -> None:
    """Hold who passes a threshold against the views."""
    points = {row["contact_id"]: row["points"] for row in world.views["v_next_best_action"]}
    found = [
        row["probability"]
        for row in world.views["v_propensities"]
        if row["goal"] == goal and threshold.holds(points[row["contact_id"]])
    ]
    assert (now["contacts"], now["chance"]) == (len(found), round(sum(found) / len(found), 4))


def _within(interval: Any, n: Any) -> str:
    return NONE if interval is None else " – ".join(n.percent(x, 1) for x in interval)

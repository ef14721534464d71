"""What the page Pipeline has to show, from what commands have counted."""

from __future__ import annotations

from collections import Counter
from typing import Any

from features.times import DAY
from tests.serving.dashboard.read_cells import Expected
from tests.serving.dashboard.told_of_all import NONE

_RISKS, _WORTHS = ("high", "medium", "low"), ("large", "middle", "small", "none")


def pipeline(world: Any, path: str, w: Any, n: Any) -> Expected:
    """Tell of the figures that ``nba pipeline`` and ``nba score`` have put into the store."""
    weeks, scored = [row for row in world.counted["pipeline_7d"] if row.body["contacts"]], world.counted["scored"][-1]
    last, now = weeks[-1].body, scored.body
    stages = list(last["stages"])
    heads = [w.named("stage", stage) for stage in stages]
    over = [
        [n.day(row.at), *(n.number(row.body["stages"][each]) for each in stages), n.number(row.body["contacts"])]
        for row in reversed(weeks)
    ]
    stuck = [[w.stage, w.contacts, w.usual_days, w.long_days, w.is_stuck], *_stuck(last, w, n)]
    leaving = [[w.stage, w.contacts, w.silent, w.fell_silent]]
    for stage, told in last["leaving"].items():
        of = last["stages"][stage]
        share = f" {n.percent(told['silent'] / of)}" if told["silent"] else ""
        leaving.append(
            [w.named("stage", stage), n.number(of), n.number(told["silent"]) + share, n.number(told["fell_silent"])]
        )
    tables = [
        (w.over_time_caption, [[w.as_of_day, *heads, w.together], *over]),
        (w.moves_table, _moves(last, stages, w, n)),
        (w.stuck, stuck),
        (w.leaving, leaving),
        (w.matrix, _matrix(now["matrix"], w, n)),
        *_visits([row.body["visits"] for row in weeks[-4:]], w, n),
    ]
    moved, new, gone = _moved(last)
    since = now["moves"]
    lines = [
        w.now_intro.format(contacts=n.number(now["contacts"]), at=n.time(scored.at)),
        *(n.number(count) for count in now["stages"].values()),
        *(n.percent(count / now["contacts"]) for count in now["stages"].values()),
        w.since_scored.format(
            moved=n.number(sum(m["contacts"] for m in since if m["from"] and m["from"] != m["to"])),
            new=n.number(sum(m["contacts"] for m in since if not m["from"])),
            since=n.time(now["since"]),
        ),
        w.moved.format(moved=n.number(moved), contacts=n.number(last["contacts"]))
        + (" " + w.moved_new.format(n=n.number(new)) if new else "")
        + (" " + w.moved_gone.format(n=n.number(gone)) if gone else ""),
        f"{n.day(last['since'])} – {n.day(weeks[-1].at)} {w.week_before}",
        w.matrix_intro.format(
            goal=w.named("goal", now["matrix"]["goal"]),
            contacts=n.number(sum(cell["contacts"] for cell in now["matrix"]["cells"])),
            at=n.time(scored.at),
        ),
        w.visits_intro.format(
            visits=n.number(sum(row.body["visits"]["visits"] for row in weeks[-4:])),
            since=n.day(weeks[-4].at - 7 * DAY),
            until=n.day(weeks[-1].at),
        ),
    ]
    lines.append(w.matrix_note.format(currency=now["matrix"]["currency"]))
    drawn = []
    for move in last["moves"]:
        if move["from"] != move["to"]:
            begin, end = (w.named("stage", move[side]) for side in ("from", "to"))
            drawn.append(f"{begin} → {end}: {n.number(move['contacts'])}")
    for side in ("from", "to"):
        sums = Counter[str]()
        for move in last["moves"]:
            sums[move[side]] += move["contacts"] if move["from"] != move["to"] else 0
        drawn += [n.number(count) for count in sums.values() if count]
    for goal, told in last["lost"].items():
        share = n.percent(told["lost"] / told["customers"])
        lost = {name: n.number(told[name]) for name in ("customers", "days", "lost")}
        lines.append(w.lost.format(goal=w.named("goal", goal), share=share, **lost))
    return Expected(tables, lines, [drawn])


def _moved(body: Any) -> tuple[int, int, int]:
    moves = [move for move in body["moves"] if move["from"] != move["to"]]
    return (
        sum(move["contacts"] for move in moves if move["from"] and move["to"]),
        sum(move["contacts"] for move in moves if not move["from"]),
        sum(move["contacts"] for move in moves if not move["to"]),
    )


def _moves(body: Any, stages: list[str], w: Any, n: Any) -> list[list[str]]:
    count = {(move["from"], move["to"]): move["contacts"] for move in body["moves"]}
    assert not any(end is None or begin is None for begin, end in count), "nobody came or went in this world"
    heads = [w.named("stage", stage) for stage in stages]
    rows = [
        [
            head,
            *(n.number(count[begin, end]) if (begin, end) in count else "·" for end in stages),
            n.number(sum(count.get((begin, end), 0) for end in stages)),
        ]
        for head, begin in zip(heads, stages, strict=True)
    ]
    sums = [n.number(sum(count.get((begin, end), 0) for begin in stages)) for end in stages]
    return [[w.from_to, *heads, w.together], *rows, [w.together, *sums, ""]]


def _stuck(body: Any, w: Any, n: Any) -> list[list[str]]:
    rows = []
    for stage, told in body["lengths"].items():
        days = [w.not_known if told[of] is None else n.number(told[of]) for of in ("usual_days", "long_days")]
        stuck = NONE if told["stuck"] is None else n.number(told["stuck"])
        share = (
            "" if told["stuck"] is None or not told["contacts"] else f" {n.percent(told['stuck'] / told['contacts'])}"
        )
        rows.append([w.named("stage", stage), n.number(body["stages"][stage]), *days, stuck + share])
    return rows


def _matrix(told: Any, w: Any, n: Any) -> list[list[str]]:
    cells = {(cell["risk"], cell["worth"]): cell for cell in told["cells"]}
    assert len(cells) == len(_RISKS) * len(_WORTHS)
    heads = [
        w["worth_" + worth]
        + (" " + w.worth_from.format(amount=n.number(told["worth_from"][worth])) if worth in told["worth_from"] else "")
        for worth in _WORTHS
    ]
    rows = []
    for risk in _RISKS:
        here = [cells[risk, worth] for worth in _WORTHS]
        revenue = [f" {n.number(each['revenue'])}" if each["revenue"] else "" for each in here]
        both = [sum(each[name] for each in here) for name in ("contacts", "revenue")]
        each_cell = [n.number(each["contacts"]) + more for each, more in zip(here, revenue, strict=True)]
        rows.append([w["risk_" + risk], *each_cell, f"{n.number(both[0])} {n.number(both[1])}"])
    sums = [sum(cells[risk, worth]["contacts"] for risk in _RISKS) for worth in _WORTHS]
    return [
        [f"{w.risk} ╲ {w.worth}", *heads, w.together],
        *rows,
        [w.together, *map(n.number, sums), n.number(sum(sums))],
    ]


def _visits(parts: list[Any], w: Any, n: Any) -> list[Any]:
    steps = [sum(part["steps"][i] for part in parts if i < len(part["steps"])) for i in range(9)]
    far = [
        [_steps(i + 1, w), n.number(count), NONE if i == 0 else n.percent(count / steps[i - 1], 1)]
        for i, count in enumerate(steps)
        if count
    ]
    visits, ended = Counter[str](), Counter[str]()
    places: dict[str, float] = {}
    for part in parts:
        for kind, told in part["kinds"].items():
            visits[kind] += told["visits"]
            ended[kind] += told["ended"]
            places[kind] = places.get(kind, 0.0) + told["visits"] * told["place"]
    off = []
    for kind in sorted(visits, key=lambda kind: (places[kind] / visits[kind], -visits[kind], kind)):
        of, end = visits[kind], ended[kind]
        shares = [f"{n.number(each)} {n.percent(each / of)}" for each in (of - end, end)]
        off.append([w.named("kind", kind) + (f" {w.is_goal}" if kind == "order" else ""), n.number(of), *shares])
    return [
        (w.how_far, [[w.visits_with, w.visits_n, w.of_before], *far]),
        (w.where_off, [[w.kind, w.visits_n, w.went_on, w.ended], *off]),
        (w.by_entry, [[w.entry, w.visits_n, w.to_second, w.to_third, w.mostly_ended], *_entries(parts, w, n)]),
    ]


def _steps(count: int, w: Any) -> str:
    return str(w.step_one if count == 1 else w.step_many.format(n=count))


def _entries(parts: list[Any], w: Any, n: Any) -> list[list[str]]:
    visits, ended, steps = Counter[str](), dict[str, Counter[str]](), dict[str, Counter[int]]()
    for part in parts:
        for kind, told in part["entries"].items():
            visits[kind] += told["visits"]
            ended.setdefault(kind, Counter()).update(told["ended"])
            steps.setdefault(kind, Counter()).update(dict(enumerate(told["steps"])))
    rows = []
    for kind, of in sorted(visits.items(), key=lambda pair: (-pair[1], pair[0])):
        far = [
            f"{n.number(steps[kind][i])} {n.percent(steps[kind][i] / of, 1)}" if i in steps[kind] else "0"
            for i in (1, 2)
        ]
        most = sorted(ended[kind].items(), key=lambda pair: (-pair[1], pair[0]))[:3]
        last = " ".join(f"{w.named('kind', each)}: {n.percent(m / of)}" for each, m in most if m / of >= 0.005)
        rows.append([w.named("kind", kind), n.number(of), *far, last])
    return rows

import asyncio
import re
import socket

import pytest
import uvloop
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.requests import Request
from starlette.responses import Response

from serving.caller import SCOPES
from serving.held_up import COMMON, HeldUp
from serving.intake.body import SHORT
from serving.lanes import BOUNDS, PATIENCE, Bound, kind_of
from serving.limits import WEIGHING, Limits
from serving.metrics import Metrics
from serving.problems import Problem

SMALL = {"recommend": Bound(inside=2, row=1, burst=3), "intake": Bound(inside=2, row=1, burst=1, status=429)}

NOTHING = Request({"type": "http", "headers": []})


class Calls:
    """Calls into limits; each is worked on until it is let go."""

    def __init__(self, bounds=SMALL, **more):
        self.now = 0.0
        self.metrics = Metrics()
        self.limits = Limits(self.metrics, lambda: self.now, bounds, **more)
        self.inside = []
        self.most = 0
        self.order = []
        self._let_go = {}

    async def call(self, name, kind="recommend", body=b"{}", length=True, pieces=None, headers=()):
        pieces = [body] if pieces is None else pieces

        async def receive():
            if callable(pieces):
                return await pieces()
            piece = pieces.pop(0) if pieces else b""
            return {"type": "http.request", "body": piece, "more_body": bool(pieces)}

        headers = [*headers, *([(b"content-length", str(len(body)).encode())] if length else [])]
        scope = {"type": "http", "method": "POST", "path": "/x", "query_string": b"", "headers": headers}
        return await self.limits.answer(self._work(name), kind, Request(scope, receive), has_body=True)

    def start(self, name, **more):
        return asyncio.create_task(self.call(name, **more))

    def _work(self, name):
        async def work(request):
            await request.body()
            self.inside.append(name)
            self.order.append(name)
            self.most = max(self.most, len(self.inside))
            self._let_go[name] = asyncio.Event()
            try:
                await self._let_go[name].wait()
            finally:
                self.inside.remove(name)
            return Response(name)

        return work

    async def settle(self):
        for _ in range(20):
            await asyncio.sleep(0)

    async def let_go(self, *names):
        for name in names:
            self._let_go[name].set()
        await self.settle()

    def told(self, line):
        return line.encode() in self.metrics.text()

    def told_number(self, name, kind="recommend"):
        return float(re.findall(rf'{name}{{kind="{kind}"}} (\S+)', self.metrics.text().decode())[0])


def test_so_many_are_worked_on_and_the_next_begins_when_one_ends():
    async def journey():
        calls = Calls()
        tasks = [calls.start(name) for name in "abcd"]
        await calls.settle()
        assert calls.inside == ["a", "b"]
        assert calls.told('nba_requests_waiting{kind="recommend"} 2.0')
        await calls.let_go("a")
        assert calls.inside == ["b", "c"]
        await calls.let_go("b", "c")
        await calls.let_go("d")
        assert [(await task).body for task in tasks] == [b"a", b"b", b"c", b"d"]
        assert calls.told('nba_requests_inside{kind="recommend"} 0.0')

    asyncio.run(journey())


@pytest.mark.parametrize(("kind", "status"), [("recommend", 503), ("intake", 429)])
def test_who_finds_no_place_is_told_at_once_when_to_come_again(kind, status):
    async def journey():
        calls = Calls()
        room = SMALL[kind].inside + SMALL[kind].burst
        tasks = [calls.start(str(n), kind=kind) for n in range(room)]
        await calls.settle()
        with pytest.raises(Problem) as refusal:
            await calls.call("one too many", kind=kind)
        assert (refusal.value.status, refusal.value.headers) == (status, {"Retry-After": "1"})
        assert calls.told(f'nba_overload_refusals_total{{kind="{kind}"}} 1.0')
        for n in range(room):
            await calls.let_go(str(n))
        assert [(await task).status_code for task in tasks] == [200] * room

    asyncio.run(journey())


def test_a_row_that_stands_too_long_is_no_burst_any_more():
    async def journey():
        calls = Calls()
        tasks = [calls.start(name) for name in "abc"]
        await calls.settle()
        calls.now = PATIENCE + 0.01
        with pytest.raises(Problem, match="too many"):
            await calls.call("d")
        # Once nobody waits, a burst may wait again.
        await calls.let_go("a")
        tasks += [calls.start(name) for name in "de"]
        await calls.settle()
        for name in "bcde":
            await calls.let_go(name)
        assert all([(await task).status_code == 200 for task in tasks])

    asyncio.run(journey())


@pytest.mark.parametrize("names", [["first", "new"], ["first", "second", "new"]])
@pytest.mark.parametrize("loop", [asyncio.new_event_loop, uvloop.new_event_loop])
def test_in_a_flood_what_came_while_a_call_computed_is_read_before_the_next_computes(loop, names):
    wait = len(names) - 1

    async def journey():
        limits = Limits(Metrics(), lambda: 0.0, {"recommend": Bound(inside=1, row=wait, burst=wait)})
        order, go_on = [], asyncio.Event()
        theirs, ours = socket.socketpair()

        def read():
            order.append(ours.recv(4).decode())

        async def long(request):
            await go_on.wait()

        def start(name):
            async def compute(request):
                order.append(name)
                theirs.send(b"read")

            return asyncio.create_task(limits.answer(compute, "recommend", NOTHING, has_body=False))

        with theirs, ours:
            asyncio.get_running_loop().add_reader(ours, read)
            tasks = [asyncio.create_task(limits.answer(long, "recommend", NOTHING, has_body=False))]
            await asyncio.sleep(0)
            tasks += [start(name) for name in names[:wait]]
            await asyncio.sleep(0)
            assert limits.is_full("recommend")
            for _ in range(40):
                limits.refused("recommend")
            go_on.set()
            await asyncio.sleep(0)
            # One that is new just when the next of those that waited is about to begin.
            tasks.append(start(names[wait]))
            await asyncio.gather(*tasks)
            while len(order) < 2 * len(names):
                await asyncio.sleep(0)
            asyncio.get_running_loop().remove_reader(ours)
        assert order == [each for name in names for each in (name, "read")]

    with asyncio.Runner(loop_factory=loop) as runner:
        runner.run(journey())


def test_of_calls_that_are_read_together_only_those_come_that_find_a_place():
    async def journey():
        limits = Limits(Metrics(), lambda: 0.0, SMALL)
        room = SMALL["recommend"].inside + SMALL["recommend"].burst
        assert [limits.lets_in("recommend") for _ in range(room + 2)] == [True] * room + [False, False]
        assert limits.lets_in("intake")
        coming = [limits.are_coming]
        # By the next look at the network they have places or none.
        await asyncio.sleep(0)
        assert [*coming, limits.are_coming] == [True, False]
        assert limits.lets_in("recommend")

    asyncio.run(journey())


def test_after_a_flood_and_a_second_without_a_call_it_is_as_before():
    async def journey():
        calls = Calls({"recommend": Bound(inside=20, row=1, burst=1)})
        tasks = [calls.start(str(n)) for n in range(21)]
        await calls.settle()
        for _ in range(100):
            with pytest.raises(Problem, match="too many"):
                await calls.call("too many")
        while calls.inside:
            await calls.let_go(calls.inside[0])
        calls.now += 1.5
        tasks += [calls.start(f"after {n}") for n in range(20)]
        await calls.settle()
        assert len(calls.inside) == 20
        await calls.let_go(*calls.inside)
        assert all([(await task).status_code == 200 for task in tasks])

    asyncio.run(journey())


def test_a_kind_that_is_full_keeps_no_other_from_its_places():
    async def journey():
        calls = Calls()
        flood = [calls.start(str(n), kind="intake") for n in range(3)]
        await calls.settle()
        asked = calls.start("asked")
        await calls.settle()
        assert "asked" in calls.inside
        await calls.let_go("asked", "0", "1")
        await calls.let_go("2")
        await asyncio.gather(asked, *flood)

    asyncio.run(journey())


def test_kinds_begin_in_turn():
    async def journey():
        bounds = {kind: Bound(inside=9, row=9, burst=9) for kind in ("intake", "recommend")}
        calls = Calls(bounds)
        tasks = [calls.start(f"i{n}", kind="intake") for n in range(9)] + [calls.start(f"r{n}") for n in range(2)]
        await calls.settle()
        assert calls.order.index("r1") < calls.order.index("i8")
        await calls.let_go(*calls.order)
        await asyncio.gather(*tasks)

    asyncio.run(journey())


def test_a_slow_body_holds_no_place_and_is_not_waited_for_for_ever():
    async def journey():
        calls = Calls(body_seconds=0.05)

        async def never():
            await asyncio.Event().wait()

        slow = [calls.start(f"slow {n}", pieces=never, length=n % 2 == 0) for n in range(4)]
        quick = [calls.start(name) for name in "ab"]
        await calls.settle()
        assert calls.inside == ["a", "b"]
        for task in slow:
            with pytest.raises(Problem) as refusal:
                await task
            assert (refusal.value.status, refusal.value.code) == (408, "body-too-slow")
        await calls.let_go("a", "b")
        await asyncio.gather(*quick)

    asyncio.run(journey())


@pytest.mark.parametrize("length", [True, False])
def test_a_large_body_counts_as_several_calls(length):
    async def journey():
        calls = Calls()
        large = calls.start("large", body=b" " * WEIGHING, length=length)
        await calls.settle()
        small = calls.start("small")
        await calls.settle()
        assert calls.inside == ["large"]
        await calls.let_go("large")
        await calls.let_go("small")
        assert {(await large).body, (await small).body} == {b"large", b"small"}

    asyncio.run(journey())


def test_a_body_in_pieces_takes_its_place_with_the_last():
    async def journey():
        calls = Calls()
        tasks = [calls.start(name, pieces=[b"{", b"", b"}"], length=False) for name in "ab"]
        await calls.settle()
        assert calls.inside == ["a", "b"]
        await calls.let_go("a", "b")
        await asyncio.gather(*tasks)

    asyncio.run(journey())


@pytest.mark.parametrize("at", ["inside", "waiting", "woken"])
def test_who_goes_away_leaves_its_place(at):
    async def journey():
        calls = Calls()
        tasks = {name: calls.start(name) for name in "abc"}
        await calls.settle()
        if at == "woken":
            calls._let_go["a"].set()
            await asyncio.sleep(0)
        gone = "a" if at == "inside" else "c"
        tasks[gone].cancel()
        await calls.settle()
        after = calls.start("d")
        await calls.settle()
        await calls.let_go(*[name for name in "abcd" if name in calls.inside])
        await calls.let_go(*calls.inside)
        assert (await after).body == b"d"
        assert calls.told('nba_requests_inside{kind="recommend"} 0.0')
        assert calls.told('nba_requests_waiting{kind="recommend"} 0.0')
        await asyncio.gather(*tasks.values(), return_exceptions=True)

    asyncio.run(journey())


def test_a_failure_gives_the_place_back():
    async def journey():
        calls = Calls({"recommend": Bound(1, 0, 0)})

        async def failing(request):
            raise ValueError("no")

        for _ in range(3):
            request = Request({"type": "http", "headers": []})
            with pytest.raises(ValueError, match="no"):
                await calls.limits.answer(failing, "recommend", request, has_body=False)

    asyncio.run(journey())


@settings(max_examples=30)
@given(
    st.lists(st.tuples(st.sampled_from(sorted(SMALL)), st.integers(0, 3 * WEIGHING), st.integers(0, 6)), max_size=12)
)
def test_whatever_comes_is_answered_or_refused_and_leaves_everything_free(arrivals):
    async def journey():
        calls = Calls()

        async def one(name, kind, length, rounds):
            for _ in range(rounds):
                await asyncio.sleep(0)
            try:
                return await calls.call(name, kind=kind, body=b" " * length)
            except Problem as refusal:
                return refusal

        tasks = [asyncio.create_task(one(str(n), *each)) for n, each in enumerate(arrivals)]
        while not all(task.done() for task in tasks):
            await calls.settle()
            assert len(calls.inside) <= 4
            await calls.let_go(*calls.inside)
        for kind in SMALL:
            assert calls.told(f'nba_requests_inside{{kind="{kind}"}} 0.0') or kind not in {each[0] for each in arrivals}
        assert all(isinstance(task.result(), Response | Problem) for task in tasks)

    asyncio.run(journey())


def test_same_calls_with_an_id_take_one_place_and_get_one_answer():
    async def journey():
        calls = Calls()
        body = b'{"contact": "a", "decision_id": "d"}'
        same = [calls.start("same", body=body) for _ in range(50)]
        other = calls.start("other", body=body.replace(b'"d"', b'"e"'))
        await calls.settle()
        assert sorted(calls.inside) == ["other", "same"]
        await calls.let_go("same", "other")
        assert len({id(await task) for task in same}) == 1
        assert (await other).body == b"other"

    asyncio.run(journey())


@pytest.mark.parametrize(
    "body",
    [
        b'{"contact": "a", "context": {"about": "decision_id"}}',
        b'{"contact": "a", "context": {"decision_id": "d"}}',
        b'{"contact": "a", "decision_id": null}',
        b'{"requests": [{"contact": "a", "decision_id": "d"}, {"contact": "b"}]}',
        b'"decision_id"',
        b'{"decision_id": "d"',
    ],
)
def test_calls_in_which_a_question_has_no_id_are_answered_each_for_itself(body):
    async def journey():
        calls = Calls()
        tasks = [calls.start(name, body=body) for name in "ab"]
        await calls.settle()
        assert calls.inside == ["a", "b"] and not calls.limits.answers_now("/x", body)
        await calls.let_go("a", "b")
        assert [(await task).body for task in tasks] == [b"a", b"b"]

    asyncio.run(journey())


@pytest.mark.parametrize("header", [b"accept-language", b"content-encoding"])
def test_calls_that_are_read_otherwise_are_not_the_same(header):
    async def journey():
        calls = Calls()
        body = b'{"requests": [{"decision_id": "d"}]}'
        tasks = [calls.start(name, body=body, headers=[(header, name.encode())]) for name in ("de", "en", "en")]
        await calls.settle()
        assert calls.inside == ["de", "en"] and calls.limits.answers_now("/x", body)
        await calls.let_go("de", "en")
        assert [(await task).body for task in tasks] == [b"de", b"en", b"en"]

    asyncio.run(journey())


def test_same_calls_fail_together_and_the_next_begins_anew():
    async def journey():
        calls = Calls()
        body = b'{"decision_id": "d"}'
        same = [calls.start("same", body=body) for _ in range(3)]
        await calls.settle()
        same[1].cancel()
        await calls.settle()
        assert calls.inside == ["same"]
        same[0].cancel()
        found = await asyncio.gather(*same, return_exceptions=True)
        assert all(isinstance(each, asyncio.CancelledError | RuntimeError) for each in found)
        again = calls.start("again", body=body)
        await calls.settle()
        await calls.let_go("again")
        assert (await again).body == b"again"

    asyncio.run(journey())


def test_every_scope_has_a_kind_and_every_kind_its_bounds():
    assert {kind_of(scope) for scope in SCOPES} == set(BOUNDS)
    assert kind_of(None) is None
    assert SHORT < WEIGHING


def test_refusals_come_as_problems(local):
    async def journey(client):
        local.app.state.limits = Limits(Metrics(), lambda: 0.0, dict.fromkeys(BOUNDS, Bound(0, 0, 0, 503)))
        return [
            await client.post("/v1/recommend", json={"contact": "a"}),
            await client.get("/v1/model"),
            await client.get("/healthz"),
            await client.get("/metrics"),
        ]

    recommend, model, *rest = local.run(journey)
    for refused in (recommend, model):
        assert (refused.status_code, refused.headers["retry-after"]) == (503, "1")
        assert refused.json()["code"] == "overload"
    assert [each.status_code for each in rest] == [200, 200]


def test_while_more_are_refused_than_answered_only_a_few_are_taken_in_hand():
    async def journey():
        calls = Calls({"recommend": Bound(inside=20, row=1, burst=1)})
        tasks = [calls.start(str(n)) for n in range(21)]
        await calls.settle()
        for _ in range(40):
            with pytest.raises(Problem, match="too many"):
                await calls.call("too many")
        # A call ends every hundredth of a second: no more are taken than can be done in the time that is at hand.
        for n in range(20):
            calls.now += 0.01
            await calls.let_go(str(n))
            if len(calls.inside) >= 4:
                with pytest.raises(Problem, match="too many"):
                    await calls.call("too many")
        assert len(calls.inside) == 1
        tasks += [calls.start(f"after {n}") for n in range(3)]
        await calls.settle()
        assert len(calls.inside) == 4
        with pytest.raises(Problem, match="too many"):
            await calls.call("too many")
        # As soon as more are answered than refused it is as before.
        for n in range(30):
            await calls.let_go(calls.inside[0])
            tasks.append(calls.start(f"later {n}"))
            await calls.settle()
        tasks += [calls.start(f"last {n}") for n in range(16)]
        await calls.settle()
        assert len(calls.inside) == 20
        while calls.inside:
            await calls.let_go(calls.inside[0])
        assert all([(await task).status_code == 200 for task in tasks])

    asyncio.run(journey())


def test_a_row_that_was_held_up_may_stand_for_as_much_longer():
    async def journey():
        held_up = HeldUp(lambda: calls.now)
        calls = Calls(bounds={"recommend": Bound(inside=2, row=1, burst=50)}, held_up=held_up)
        with held_up.writing():
            tasks = [calls.start(str(n)) for n in range(3)]
            await calls.settle()
            calls.now = COMMON + 2.0
            # Nobody has been answered for two seconds, and that says nothing about how many may wait.
            tasks += [calls.start(str(n)) for n in range(3, 23)]
            await calls.settle()
        n_refused = [task.done() for task in tasks].count(True)
        assert n_refused == 0
        calls.now += 2.0
        tasks += [calls.start("23")]
        await calls.settle()
        assert not tasks[-1].done()
        calls.now += PATIENCE + 0.01
        with pytest.raises(Problem, match="too many"):
            await calls.call("24")
        for n in range(24):
            await calls.let_go(str(n))
        assert all([(await task).status_code == 200 for task in tasks])

    asyncio.run(journey())


def test_as_many_as_a_burst_wait_for_what_is_held_up_and_no_more():
    async def journey():
        held_up = HeldUp(lambda: calls.now)
        calls = Calls(held_up=held_up)
        with held_up.writing():
            tasks = [calls.start(str(n)) for n in range(5)]
            await calls.settle()
            calls.now = 60.0
            with pytest.raises(Problem, match="too many"):
                await calls.call("one too many")
        for n in range(5):
            await calls.let_go(str(n))
        assert all([(await task).status_code == 200 for task in tasks])

    asyncio.run(journey())


@given(st.integers(20, 200), st.floats(0.2, 0.5))
def test_the_end_of_a_stall_refuses_nobody(n, stall):
    """As many as came in a stall are worked off while more come as often; nobody is refused while there is room."""

    async def journey():
        held_up = HeldUp(lambda: calls.now)
        calls = Calls(bounds={"recommend": Bound(inside=16, row=8, burst=256)}, held_up=held_up)
        tasks = []

        async def come(name):
            tasks.append(calls.start(name))
            await calls.settle()

        for k in range(40):
            await come(f"before{k}")
            calls.now += stall / n
            await calls.let_go(f"before{k}")
        with held_up.writing():
            for k in range(n):
                await come(f"in{k}")
                calls.now += stall / n
        for k in range(n):
            calls.now += stall / n / 4
            await calls.let_go(f"in{k}")
            if k % 4 == 3:
                await come(f"after{k}")
        for k in range(3, n, 4):
            await calls.let_go(f"after{k}")
        assert all([(await task).status_code == 200 for task in tasks])

    asyncio.run(journey())


def test_who_waits_for_no_writer_is_refused_by_its_own_pace_while_writing_is_held_up():
    async def journey():
        held_up = HeldUp(lambda: calls.now)
        calls = Calls(bounds={"recommend": Bound(inside=1, row=1, burst=50)}, held_up=held_up)

        async def flood(n):
            tasks = [calls.start(f"{n}-{k}") for k in range(12)]
            await calls.settle()
            calls.now += 0.01
            if calls.inside:
                await calls.let_go(calls.inside[0])
            return sum(task.done() for task in tasks)

        for n in range(30):
            await flood(n)
        waits = int(calls.told_number("nba_requests_waiting"))
        with held_up.writing():
            for n in range(30, 90):
                await flood(n)
            assert int(calls.told_number("nba_requests_waiting")) <= waits + 1
        while calls.inside:
            await calls.let_go(calls.inside[0])

    asyncio.run(journey())

import asyncio

import pytest

from serving.begun import Begun


async def waits(times, ends_with):
    for _ in range(times):
        await asyncio.sleep(0)
    if isinstance(ends_with, Exception):
        raise ends_with
    return ends_with


async def outcome(times, ends_with):
    begun = Begun(waits(times, ends_with))
    return begun.is_done, begun.result if begun.is_done else await begun.rest()


@pytest.mark.parametrize("times", [0, 1, 3])
def test_it_ends_as_if_it_had_been_awaited(times):
    assert asyncio.run(outcome(times, "found")) == (times == 0, "found")
    with pytest.raises(KeyError, match="faulty"):
        asyncio.run(outcome(times, KeyError("faulty")))


@pytest.mark.parametrize("how", ["timeout", "cancel"])
def test_what_waits_too_long_is_interrupted_where_it_waits(how):
    seen = []

    async def stands():
        try:
            await asyncio.get_running_loop().create_future()
        except asyncio.CancelledError:
            seen.append("interrupted")
            raise

    async def journey():
        begun = Begun(stands())
        assert not begun.is_done
        if how == "timeout":
            async with asyncio.timeout(0.001):
                await begun.rest()
        task = asyncio.ensure_future(begun.rest())
        await asyncio.sleep(0)
        task.cancel()
        await task

    with pytest.raises(TimeoutError if how == "timeout" else asyncio.CancelledError):
        asyncio.run(journey())
    assert seen == ["interrupted"]


def test_a_future_wakes_it():
    async def journey():
        turn = asyncio.get_running_loop().create_future()

        async def stands():
            return [await turn, await asyncio.sleep(0, "and later")]

        begun = Begun(stands())
        asyncio.get_running_loop().call_soon(turn.set_result, "woken")
        return await begun.rest()

    assert asyncio.run(journey()) == ["woken", "and later"]

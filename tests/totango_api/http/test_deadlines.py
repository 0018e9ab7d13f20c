"""Calls that take too long are ended, and only these."""

from __future__ import annotations

import asyncio

import pytest

from totango_api.http.aiohttp_connections import Deadline

SECONDS = 0.05


def test_a_call_that_takes_too_long_is_ended_and_its_task_goes_on() -> None:
    async def calls() -> list[int]:
        deadline = Deadline(asyncio.get_running_loop(), SECONDS)
        answered = []
        for number in range(3):
            with pytest.raises(TimeoutError):
                await deadline.wait_for(asyncio.Event().wait())
            answered.append(await deadline.wait_for(asyncio.sleep(0, number)))
        return answered

    assert asyncio.run(calls()) == [0, 1, 2]


def test_calls_that_follow_one_another_may_take_longer_together() -> None:
    async def calls() -> None:
        loop = asyncio.get_running_loop()
        deadline = Deadline(loop, SECONDS)
        end = loop.time() + 3 * SECONDS
        while loop.time() < end:
            await deadline.wait_for(asyncio.sleep(0))

    asyncio.run(calls())


def test_what_is_cancelled_by_others_is_no_timeout() -> None:
    async def calls() -> None:
        deadline = Deadline(asyncio.get_running_loop(), SECONDS)
        task = asyncio.ensure_future(deadline.wait_for(asyncio.Event().wait()))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(calls())

"""The loop that is run in steps: what it waits for, and that it hides no mistake."""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING

import pytest

from totango_api.http.call_loop import CallLoop

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def loop() -> Iterator[CallLoop]:
    made = CallLoop()
    yield made
    made.close()


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    ends = os.pipe()
    yield ends
    for end in ends:
        os.close(end)


def test_a_poll_takes_in_what_has_arrived_and_waits_for_nothing(loop: CallLoop, pipe) -> None:
    seen: list[str] = []
    loop.inner.add_reader(pipe[0], lambda: seen.append("read"))
    loop.poll()
    assert seen == []
    os.write(pipe[1], b"x")
    loop.poll()
    assert seen == ["read"]


def test_what_can_be_read_ends_a_wait(loop: CallLoop, pipe) -> None:
    loop.inner.call_later(0.05, os.write, pipe[1], b"x")
    assert loop.wait_readable(pipe[0], 30)
    assert loop.wait_readable(pipe[0], 0)
    assert os.read(pipe[0], 9) == b"x"
    assert not loop.wait_readable(pipe[0], 0.01)


def test_the_end_of_the_input_can_be_read(loop: CallLoop) -> None:
    source, sink = os.pipe()
    loop.inner.call_later(0.05, os.close, sink)
    assert loop.wait_readable(source, 30)
    os.close(source)


def test_a_file_can_always_be_read(loop: CallLoop, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.touch()
    with path.open() as file:
        assert loop.wait_readable(file.fileno(), 30)


def test_what_is_under_way_goes_on_while_it_waits(loop: CallLoop, pipe) -> None:
    seen: list[int] = []

    async def work() -> None:
        for number in range(3):
            await asyncio.sleep(0.01)
            seen.append(number)

    loop.spawn(work())
    assert not loop.wait_readable(pipe[0], 0.3)
    assert seen == [0, 1, 2]


def test_a_mistake_in_a_callback_is_raised_to_whoever_runs_the_loop(loop: CallLoop) -> None:
    loop.soon(lambda: {}[0])
    with pytest.raises(KeyError):
        loop.poll()
    loop.poll()


def test_a_mistake_in_a_coroutine_is_raised_too(loop: CallLoop) -> None:
    async def work() -> None:
        raise KeyError

    loop.spawn(work())
    with pytest.raises(KeyError):
        loop.step()


def test_no_step_is_longer_than_a_tick(loop: CallLoop) -> None:
    ticks: list[int] = []
    loop.every_tick(lambda: ticks.append(len(ticks)))
    for _ in range(3):
        loop.step()
    assert ticks == [0, 1, 2]


def test_closing_cancels_what_still_runs() -> None:
    loop, said = CallLoop(), []

    async def work() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            said.append("cancelled")

    loop.spawn(work())
    loop.poll()
    loop.close()
    loop.close()
    assert said == ["cancelled"]

"""Which signals reach a run, and how often."""

from __future__ import annotations

import signal
import sys
import time
import weakref
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from totango_api.command import handle_signals

if TYPE_CHECKING:
    from collections.abc import Iterator

HUP, INT, TERM = signal.SIGHUP, signal.SIGINT, signal.SIGTERM


@pytest.fixture(autouse=True)
def restored() -> Iterator[None]:
    handlers = {number: signal.getsignal(number) for number in (HUP, INT, TERM)}
    hook = sys.unraisablehook
    yield
    sys.unraisablehook = hook
    for number, handler in handlers.items():
        signal.signal(number, handler)


@pytest.mark.parametrize(
    ("sent", "got"),
    [
        ([HUP], [HUP]),
        ([TERM], [TERM]),
        ([INT, TERM], [INT, TERM]),
        ([HUP, HUP], [HUP]),
        ([TERM, HUP], [TERM]),
        ([HUP, TERM], [HUP]),
    ],
    ids=str,
)
def test_a_hangup_ends_a_run_and_is_no_second_signal(
    sent: list[signal.Signals], got: list[signal.Signals]
) -> None:
    came: list[int] = []
    handle_signals(lambda number, _: came.append(number))
    for number in sent:
        signal.raise_signal(number)
    assert came == got


def test_another_thread_leaves_signals_alone() -> None:
    handlers = [signal.getsignal(number) for number in (HUP, INT, TERM)]
    with ThreadPoolExecutor(1) as pool:
        pool.submit(handle_signals, lambda *_: None).result()
    assert [signal.getsignal(number) for number in (HUP, INT, TERM)] == handlers


def test_a_hangup_that_is_ignored_stays_so() -> None:
    signal.signal(HUP, signal.SIG_IGN)
    came: list[int] = []
    handle_signals(lambda number, _: came.append(number))
    signal.raise_signal(HUP)
    signal.raise_signal(TERM)
    assert came == [TERM]


class Stop(BaseException):
    """Ends a run."""


@pytest.mark.parametrize("number", [HUP, TERM])
def test_what_a_handler_raises_is_not_lost_in_the_callback_of_a_weak_reference(
    number: signal.Signals,
) -> None:
    def stop(*_: object) -> None:
        raise Stop

    handle_signals(stop)
    owner = set[int]()
    reference = weakref.ref(owner, lambda _: signal.raise_signal(number))
    with pytest.raises(Stop):  # noqa: PT012 (the exception comes in between)
        del owner
        assert reference() is None
        time.sleep(10)

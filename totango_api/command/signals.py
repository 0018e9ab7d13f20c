"""Which signals end a run in order."""

from __future__ import annotations

import signal
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType


def handle_signals(handler: Callable[[int, FrameType | None], None]) -> None:
    """Call a handler for SIGINT, SIGTERM and SIGHUP; in the main thread, or else do nothing.

    A SIGHUP that is ignored stays so (`nohup`). It is no second signal, nor is what follows it: a
    terminal that closes may send two, and systemd one beside SIGTERM.
    """
    if threading.current_thread() is not threading.main_thread():
        return
    first: int | None = None

    def handle(number: int, frame: FrameType | None) -> None:
        nonlocal first
        if first is not None and signal.SIGHUP in {first, number}:
            return
        first = number
        handler(number, frame)

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, handle)

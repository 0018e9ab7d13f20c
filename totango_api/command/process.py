"""Sets up the process of a command: its log, without secrets and idle lines, and its signals."""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from totango_api.redaction import scrub_logs

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

_IDLE: Final = ("env var", "Skipping deselected stream")
"""Parts of the lines in which the SDK says that it reads the environment, or no stream."""

_AGAIN_SECONDS: Final = 0.05
"""How long after it a signal is sent again that came to nothing."""


def command_of(plugin: Any) -> Any:
    """Return the command line of a plugin class, which logs as it should from now on."""
    if not sys.stderr:  # closed: its number must not go to a file or a connection
        sys.stderr = Path(os.devnull).open("w")  # noqa: SIM115 (for the rest of the process)
    command = plugin.cli  # sets up the log
    scrub_logs()
    for name in (plugin.name, "singer_sdk.configuration._dict_config"):
        logging.getLogger(name).addFilter(_is_of_use)
    return command


def _is_of_use(record: logging.LogRecord) -> bool:
    """Return whether a line says anything that a run is about; all do to who asks for all."""
    if logging.getLogger(record.name).isEnabledFor(logging.DEBUG):
        return True
    return not any(words in str(record.msg) for words in _IDLE)


def handle_signals(handler: Callable[[int, FrameType | None], None]) -> None:
    """Call a handler for SIGINT, SIGTERM and SIGHUP; in the main thread, or else do nothing.

    A SIGHUP that is ignored stays so (`nohup`). It is no second signal, nor is what follows it: a
    terminal that closes may send two, and systemd one beside SIGTERM.

    What the handler raises is lost where a signal arrives in a finalizer or in the callback of a
    weak reference, as there are in every import. The signal is sent again then.
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

    show = sys.unraisablehook

    def unraisable(lost: sys.UnraisableHookArgs) -> None:
        nonlocal first
        if first is None or issubclass(lost.exc_type, Exception):
            show(lost)
            return
        number, first = first, None
        threading.Timer(_AGAIN_SECONDS, os.kill, (os.getpid(), number)).start()

    sys.unraisablehook = unraisable
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, handle)

"""A command's `main()` run in this process: as a process would, without the time to start one.

What a command changes of the process is put back afterwards: arguments, standard streams, log
handlers and levels, warnings, signal handlers, hooks, registered secrets, how often the
interpreter looks for garbage and switches threads. Connections are closed, and threads that still
wait for answers are waited for, so that nothing of one run reaches the next.
"""

from __future__ import annotations

import gc
import io
import logging
import os
import signal
import sys
import tempfile
import threading
import time
import warnings
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING
from unittest.mock import patch

from totango_api import redaction
from totango_api.http.client import ApiClient

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

THREADS_END_SECONDS = 10


@dataclass(frozen=True)
class Ended:
    """Exit code and output of a command."""

    code: int
    stdout: str
    stderr: str


def run_main(
    main: Callable[[], None], program: str, *arguments: str, stdin: str | None = None
) -> Ended:
    """Run a command to its end.

    Args:
        main: Its entry point.
        program: Its name.
        arguments: What follows the name on the command line.
        stdin: What it may read; None leaves pytest's.
    """
    out, err = _standard_stream(), _standard_stream()
    with ExitStack() as stack:
        if stdin is not None:
            stack.enter_context(_standard_input(stdin))
        stack.enter_context(_process_state_restored())
        stack.enter_context(_no_thread_left())
        stack.enter_context(_clients_closed())
        stack.enter_context(patch.object(sys, "argv", [program, *arguments]))
        stack.enter_context(patch.object(sys, "stdout", out))
        stack.enter_context(patch.object(sys, "stderr", err))
        # Raises instead of ending pytest as well.
        stack.enter_context(patch.object(os, "_exit", sys.exit))
        # What a command froze would never be collected; to unfreeze it would unfreeze all tests.
        stack.enter_context(patch.object(gc, "freeze"))
        code = _exit_code(main)
    return Ended(code, _text(out), _text(err))


def _exit_code(main: Callable[[], None]) -> int:
    try:
        main()
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    return 0


def _standard_stream() -> io.TextIOWrapper:
    return io.TextIOWrapper(io.BytesIO(), encoding="utf-8", newline="\n", write_through=True)


@contextmanager
def _standard_input(text: str) -> Iterator[None]:
    """Put text in the place of standard input, behind a descriptor as always."""
    with tempfile.TemporaryFile("w+", encoding="utf-8", newline="\n") as file:
        file.write(text)
        file.seek(0)
        with patch.object(sys, "stdin", file):
            yield


def _text(stream: io.TextIOWrapper) -> str:
    stream.flush()
    written = stream.detach()
    assert isinstance(written, io.BytesIO)
    return written.getvalue().decode()


@contextmanager
def _process_state_restored() -> Iterator[None]:
    root, urllib3 = logging.getLogger(), logging.getLogger("urllib3")
    handlers, levels = root.handlers, [(logger, logger.level) for logger in (root, urllib3)]
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    signals = {number: signal.getsignal(number) for number in numbers}
    hooks, secrets = (sys.excepthook, sys.unraisablehook), set(redaction._secrets)
    threshold, interval = gc.get_threshold(), sys.getswitchinterval()
    root.handlers = []
    try:
        with warnings.catch_warnings():
            yield
            logging.captureWarnings(capture=False)
    finally:
        logging.captureWarnings(capture=False)
        root.handlers = handlers
        for logger, level in levels:
            logger.setLevel(level)
        for number, handler in signals.items():
            signal.signal(number, handler)
        sys.excepthook, sys.unraisablehook = hooks
        gc.set_threshold(*threshold)
        sys.setswitchinterval(interval)
        redaction._secrets.clear()
        redaction._secrets.update(secrets)


@contextmanager
def _clients_closed() -> Iterator[None]:
    made: list[ApiClient] = []
    init = ApiClient.__init__

    def noting(self: ApiClient, *args: object, **kwargs: object) -> None:
        made.append(self)
        init(self, *args, **kwargs)  # type: ignore[arg-type]

    with patch.object(ApiClient, "__init__", noting):
        try:
            yield
        finally:
            for client in made:
                client.close()


@contextmanager
def _no_thread_left() -> Iterator[None]:
    before = set(threading.enumerate())
    yield
    deadline = time.monotonic() + THREADS_END_SECONDS
    for thread in set(threading.enumerate()) - before:
        thread.join(max(deadline - time.monotonic(), 0))
        assert not thread.is_alive(), f"{thread.name} outlives the run"

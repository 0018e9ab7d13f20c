"""How far a program is: a line that moves on a terminal, lines in a log."""

from __future__ import annotations

import errno
import fcntl
import io
import logging
import os
import pty
import struct
import termios
import threading
from types import SimpleNamespace
from typing import TYPE_CHECKING
from unittest.mock import Mock

import pytest

from totango_api.command import ProgressLine, pace
from totango_api.command import progress as module

if TYPE_CHECKING:
    from collections.abc import Iterator


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True

    def shown(self) -> list[str]:
        """The lines that somebody sees on it."""
        lines = self.getvalue().split("\n")
        return [line.rpartition("\r\x1b[K")[2] for line in lines]


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Iterator[Terminal]:
    screen = Terminal()
    monkeypatch.setattr(module, "sys", SimpleNamespace(stderr=screen))
    monkeypatch.setattr(module, "TERMINAL_SECONDS", 0)
    monkeypatch.setattr(module, "IDLE_TERMINAL_SECONDS", 0.01)
    handler, root = logging.StreamHandler(screen), logging.getLogger()
    handlers, level = root.handlers, root.level
    root.handlers = [handler]
    root.setLevel(logging.INFO)
    yield screen
    root.handlers = handlers
    root.setLevel(level)


def test_a_terminal_has_one_line_that_moves(terminal: Terminal) -> None:
    line = ProgressLine(logging.getLogger("test"))
    assert line.is_due()
    line.show("10 rows")
    line.show("20 rows")
    assert terminal.shown() == ["20 rows"]
    line.close()
    assert terminal.shown() == [""]


def test_a_terminal_that_closes_ends_nothing(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    line = ProgressLine(logging.getLogger("test"))
    line.show("10 rows")
    monkeypatch.setattr(terminal, "flush", Mock(side_effect=OSError(errno.EIO, "closed")))
    line.show("20 rows")
    line.close()


def test_what_is_logged_meanwhile_stands_alone(terminal: Terminal) -> None:
    line = ProgressLine(logging.getLogger("test"))
    line.show("10 rows")
    logging.getLogger("other").warning("something odd")
    line.show("20 rows")
    assert terminal.shown() == ["something odd", "20 rows"]
    line.close()
    assert logging.getLogger().handlers[0].filters == []


def test_the_line_is_never_wrapped(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "20")
    ProgressLine(logging.getLogger("test")).show("x" * 100)
    assert terminal.shown() == ["x" * 19]


def test_a_terminal_that_does_not_tell_its_width_has_80(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    ProgressLine(logging.getLogger("test")).show("x" * 100)
    assert terminal.shown() == ["x" * 79]


def test_the_width_is_that_of_standard_error(terminal: Terminal, monkeypatch) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    leader, follower = pty.openpty()
    fcntl.ioctl(follower, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 30, 0, 0))
    monkeypatch.setattr(terminal, "fileno", lambda: follower, raising=False)
    ProgressLine(logging.getLogger("test")).show("x" * 100)
    os.close(leader)
    os.close(follower)
    assert terminal.shown() == ["x" * 29]


def test_a_line_is_kept_while_nothing_happens(terminal: Terminal) -> None:
    line, shown = ProgressLine(logging.getLogger("test")), threading.Event()

    def text() -> str:
        shown.set()
        return "0 calls left"

    line.keep(text)
    assert shown.wait(60)
    line.close()
    assert terminal.shown() == [""]
    shown.clear()
    assert not shown.wait(0.1)


def test_no_line_is_kept_right_after_another(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked = threading.Semaphore(0)

    def monotonic() -> float:
        looked.release()
        return 0.0

    monkeypatch.setattr(module.time, "monotonic", monotonic)
    line = ProgressLine(logging.getLogger("test"))
    line.show("10 rows")
    line.keep(lambda: "20 rows")
    assert all(looked.acquire(timeout=60) for _ in range(6))  # twice by what was called here
    assert terminal.shown() == ["10 rows"]
    line.close()


def test_a_log_has_lines(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    line = ProgressLine(logging.getLogger("test"))
    assert not line.is_due()
    line.show("10 rows")
    line.show("20 rows")
    line.close()
    assert [record.getMessage() for record in caplog.records] == ["10 rows", "20 rows"]


@pytest.mark.parametrize(
    ("share", "said"),
    [
        (0.5, "about 40 s left"),
        (0.25, "about 2 min 0 s left"),
        (0.001, "about 11 h 6 min left"),
        (1, None),
        (0, None),
        (None, None),
    ],
)
def test_pace(share: float | None, said: str | None) -> None:
    found = pace(rows=80_000, seconds=40, left=86, share=share)
    assert found == ["2,000 rows/s", *([said] if said else []), "86 calls left in this minute"]

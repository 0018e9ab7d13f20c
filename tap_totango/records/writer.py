"""What leaves the process: whole lines on stdout, and one sentence when it ends badly."""

from __future__ import annotations

import logging
import os
import signal
import sys
from typing import TYPE_CHECKING, Final, NoReturn

from singer_sdk.contrib.msgspec import MsgSpecWriter

from totango_api.redaction import scrub

if TYPE_CHECKING:
    from singer_sdk.singerlib import Message


class Stopped(BaseException):
    """The tap was told to stop by a signal."""

    def __init__(self, signum: int) -> None:
        super().__init__(signal.Signals(signum).name)
        self.exit_code = 128 + signum


UNREAD: Final = "Nobody reads the output any more: the program behind the pipe has ended."


class UnreadError(Exception):
    """Nobody takes what is written. Not an OSError: click ends those without a word."""


class WholeLines(MsgSpecWriter):
    """Writes messages; a signal that arrives meanwhile waits for the end of what is written.

    Attributes:
        writing: Whether lines are being written.
        stopped: What to raise at their end.
    """

    def __init__(self) -> None:
        super().__init__()
        self.writing = False
        self.stopped: Stopped | None = None

    def write_message(self, message: Message) -> None:
        """Write a message whole.

        Raises:
            Stopped: If a signal arrived meanwhile.
            UnreadError: If nobody reads what is written.
        """
        self.write_lines(bytes(self.format_message(message)))

    def write_lines(self, lines: bytes) -> None:
        """Write messages whole, each a line.

        Raises:
            Stopped: If a signal arrived meanwhile.
            UnreadError: If nobody reads what is written.
        """
        if not sys.stdout:
            msg = "Standard output is closed, so there is nowhere to write to."
            raise UnreadError(msg)
        self.writing = True
        try:
            while lines:
                # Unbuffered, as in many containers, a signal ends a write before its end.
                lines = lines[sys.stdout.buffer.write(lines) :]
            sys.stdout.flush()
        except BrokenPipeError:
            raise UnreadError(UNREAD) from None
        except OSError as error:
            msg = f"Standard output cannot be written: {error.strerror}."
            raise UnreadError(msg) from None
        finally:
            self.writing = False
        if self.stopped is not None:
            raise self.stopped


def leave(sentence: str, code: int) -> NoReturn:
    """Say why and leave at once: threads may still wait for answers that nobody needs."""
    logging.getLogger("tap-totango").error("%s", scrub(sentence))
    for stream in (sys.stderr, sys.stdout):
        try:
            if stream:
                stream.flush()
        except OSError:
            continue
    os._exit(code)

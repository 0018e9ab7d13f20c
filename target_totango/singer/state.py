"""Holds STATE messages until every row before them is complete, then writes them."""

from __future__ import annotations

import json
import os
import sys
import time
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import msgspec

from totango_api.errors import TotangoError

if TYPE_CHECKING:
    from collections.abc import Sequence

EMIT_EVERY_SECONDS: Final = 1.0

_encode: Final = msgspec.json.Encoder(decimal_format="number").encode
_CLOSED: Final = "Standard output was closed, so no state can be stored."


@dataclass(frozen=True)
class HeldState:
    """States that were read and not emitted.

    Attributes:
        first: The first of them.
        count: How many.
        rows: Rows before the first one.
    """

    first: Any
    count: int
    rows: int


class StateCheckpointer:
    """Holds STATE messages back until the rows before them are confirmed or in the rejects file.

    Rows are numbered in input order and may become complete in any order, each once. What is
    complete beyond the first row that is not is kept in runs, by their first and last row. Used by
    one thread.

    Attributes:
        emitted: How many states went out.
        passed: Rows that the newest of them covers.
    """

    def __init__(self) -> None:
        self._read = 0
        self._complete = 0
        self._low = 0
        self._ahead: dict[int, int] = {}
        self._waiting: deque[tuple[int, Any]] = deque()
        self._undelivered: int | None = None
        self._held: HeldState | None = None
        self._last: Any = None
        self._last_at = 0.0
        self.emitted = 0
        self.passed = 0

    @property
    def rows(self) -> int:
        """How many rows were read."""
        return self._read

    @property
    def incomplete(self) -> int:
        """How many rows are neither confirmed nor rejected."""
        return self._read - self._complete

    @property
    def held(self) -> HeldState | None:
        """The states that wait, or that undelivered rows hold for good."""
        held = self._held
        if not self._waiting:
            return held
        position, first = self._waiting[0]
        return HeldState(first, len(self._waiting) + (held.count if held else 0), position)

    def next_row(self) -> int:
        """Return the number of the next row, from 1."""
        self._read += 1
        return self._read

    def complete(self, seqs: Sequence[int]) -> None:
        """Note that rows need no further attention."""
        self._complete += len(seqs)
        if self._undelivered is not None:
            seqs = [seq for seq in seqs if seq < self._undelivered]
        if not seqs:
            return
        seqs = sorted(seqs)
        first, last = seqs[0], seqs[-1]
        if last - first + 1 == len(seqs) and seqs == list(range(first, last + 1)):
            # Rows that go out together mostly came together.
            self._ahead[first] = last
        else:
            self._ahead.update(zip(seqs, seqs, strict=True))
        while (end := self._ahead.pop(self._low + 1, None)) is not None:
            self._low = end

    def hold(self, seq: int) -> None:
        """Note that a row is not delivered: no STATE that covers it goes out in this run."""
        if self._undelivered is not None and seq > self._undelivered:
            return
        self._undelivered = seq
        self._ahead = {first: last for first, last in self._ahead.items() if first < seq}
        while self._waiting and self._waiting[-1][0] >= seq:
            position, value = self._waiting.pop()
            count = self._held.count if self._held else 0
            self._held = HeldState(value, count + 1, position)

    def put(self, value: Any) -> None:
        """Take a state that covers every row read so far; an empty one is ignored.

        An empty state would wipe the bookmarks that an earlier run stored.
        """
        if not value:
            return
        if self._undelivered is not None:
            held = self._held or HeldState(value, 0, self._read)
            self._held = HeldState(held.first, held.count + 1, held.rows)
            return
        if self._waiting and self._waiting[-1][0] == self._read:
            self._waiting.pop()
        self._waiting.append((self._read, value))

    def due(self, *, now: bool = False) -> Any | None:
        """Return the newest state that may go out; at most one a second, unless `now`.

        Whatever is complete must be durable before it does.
        """
        if not self._waiting or self._waiting[0][0] > self._low:
            return None
        if not now and time.monotonic() - self._last_at < EMIT_EVERY_SECONDS:
            return None
        value = None
        while self._waiting and self._waiting[0][0] <= self._low:
            self.passed, value = self._waiting.popleft()
        self._last_at = time.monotonic()
        if value == self._last:
            return None
        self._last = value
        self.emitted += 1
        return value


class OutputError(TotangoError):
    """Nobody takes what is written to standard output."""


def emit(value: Any) -> None:
    """Write a state to standard output.

    Raises:
        OutputError: If nobody takes it.
    """
    line = _line(value)
    if not sys.stdout:
        raise OutputError(_CLOSED)
    try:
        # Bytes, since the encoding of standard output depends on the locale.
        sys.stdout.flush()
        sys.stdout.buffer.write(line)
        sys.stdout.buffer.flush()
    except (OSError, ValueError) as error:
        # What is still buffered must not raise once more when Python exits.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        if isinstance(error, OSError) and not isinstance(error, BrokenPipeError):
            msg = f"The state cannot be written to standard output: {error.strerror}."
            raise OutputError(msg, remedy="Make room where it is stored, and run again.") from error
        raise OutputError(_CLOSED) from error


def _line(value: Any) -> bytes:
    try:
        return _encode(value) + b"\n"
    except UnicodeEncodeError:
        # Half a surrogate pair survives as its escape only.
        return json.dumps(value, default=str).encode() + b"\n"

"""The state gate: a STATE goes out only when every row before it is settled."""

from __future__ import annotations

import time
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable

EMIT_EVERY_SECONDS: Final = 1.0


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

    Rows draw tickets in input order and may be settled in any order. Used by one thread.

    Args:
        emit: Writes one state.
        make_durable: Called right before each emission: whatever counts as settled must
            survive a crash from then on.

    Attributes:
        emitted: How many states were emitted.
    """

    def __init__(
        self, emit: Callable[[Any], None], make_durable: Callable[[], None] | None = None
    ) -> None:
        self._emit = emit
        self._make_durable = make_durable
        self._drawn = 0
        self._settled = 0
        self._low = 0
        self._ahead: set[int] = set()
        self._waiting: deque[tuple[int, Any]] = deque()
        self._undelivered: int | None = None
        self._held: HeldState | None = None
        self._last: Any = None
        self._last_at = 0.0
        self.emitted = 0

    @property
    def unsettled(self) -> int:
        """How many rows are neither confirmed nor rejected."""
        return self._drawn - self._settled

    @property
    def held(self) -> HeldState | None:
        """The states that wait, or that undelivered rows hold for good."""
        held = self._held
        if not self._waiting:
            return held
        position, first = self._waiting[0]
        return HeldState(first, len(self._waiting) + (held.count if held else 0), position)

    def draw(self) -> int:
        """Return the ticket of the next row."""
        self._drawn += 1
        return self._drawn

    def settle(self, ticket: int) -> None:
        """Note that a row needs no further attention."""
        self._settled += 1
        if self._undelivered is not None and ticket > self._undelivered:
            return
        if ticket == self._low + 1:
            self._low = ticket
        else:
            self._ahead.add(ticket)
        while self._ahead and self._low + 1 in self._ahead:
            self._low += 1
            self._ahead.discard(self._low)

    def hold(self, ticket: int) -> None:
        """Note that a row is not delivered: no STATE that covers it goes out in this run."""
        if self._undelivered is not None and ticket > self._undelivered:
            return
        self._undelivered = ticket
        self._ahead = {each for each in self._ahead if each < ticket}
        while self._waiting and self._waiting[-1][0] >= ticket:
            position, value = self._waiting.pop()
            count = self._held.count if self._held else 0
            self._held = HeldState(value, count + 1, position)

    def put(self, value: Any) -> None:
        """Take a state that covers every row drawn so far; an empty one is ignored.

        An empty state would wipe the bookmarks that an earlier run stored.
        """
        if not value:
            return
        if self._undelivered is not None:
            held = self._held or HeldState(value, 0, self._drawn)
            self._held = HeldState(held.first, held.count + 1, held.rows)
            return
        if self._waiting and self._waiting[-1][0] == self._drawn:
            self._waiting.pop()
        self._waiting.append((self._drawn, value))

    def emit_due(self, *, now: bool = False) -> None:
        """Emit the newest state that may go; at most one a second, unless `now`."""
        if not self._waiting or self._waiting[0][0] > self._low:
            return
        if not now and time.monotonic() - self._last_at < EMIT_EVERY_SECONDS:
            return
        value = None
        while self._waiting and self._waiting[0][0] <= self._low:
            value = self._waiting.popleft()[1]
        self._last_at = time.monotonic()
        if value == self._last:
            return
        if self._make_durable is not None:
            self._make_durable()
        self._emit(value)
        self._last = value
        self.emitted += 1

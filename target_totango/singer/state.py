"""The state gate: a STATE goes out only when every row before it is settled."""

from __future__ import annotations

import time
from collections import deque
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable

EMIT_EVERY_SECONDS: Final = 1.0


class StateCheckpointer:
    """Holds STATE messages back until the rows before them are confirmed or in the rejects file.

    Rows draw tickets in input order and may be settled in any order. Used by one thread.

    Args:
        emit: Writes one state.
        make_durable: Called right before each emission: whatever counts as settled must
            survive a crash from then on.
    """

    def __init__(
        self, emit: Callable[[Any], None], make_durable: Callable[[], None] | None = None
    ) -> None:
        self._emit = emit
        self._make_durable = make_durable
        self._drawn = 0
        self._low = 0
        self._ahead: set[int] = set()
        self._waiting: deque[tuple[int, Any]] = deque()
        self._last: Any = None
        self._last_at = 0.0
        self.emitted = 0

    @property
    def unsettled(self) -> int:
        """How many rows are neither confirmed nor rejected."""
        return self._drawn - self._low - len(self._ahead)

    @property
    def held(self) -> bool:
        """Whether a state waits."""
        return bool(self._waiting)

    def draw(self) -> int:
        """Return the ticket of the next row."""
        self._drawn += 1
        return self._drawn

    def settle(self, ticket: int) -> None:
        """Note that a row needs no further attention."""
        if ticket == self._low + 1:
            self._low = ticket
        else:
            self._ahead.add(ticket)
        while self._ahead and self._low + 1 in self._ahead:
            self._low += 1
            self._ahead.discard(self._low)

    def put(self, value: Any) -> None:
        """Take a state that covers every row drawn so far; an empty one is ignored.

        An empty state would wipe the bookmarks that an earlier run stored.
        """
        if not value:
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

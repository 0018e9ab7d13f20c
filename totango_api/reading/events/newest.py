"""Reading towards the newest events, though more come than can be read: where that ends.

And reading these once more, where pages did not show what was edited meanwhile.
"""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING, Final

from totango_api.reading.events.pages import since
from totango_api.reading.events.places import spots

if TYPE_CHECKING:
    from collections.abc import Iterator

    from totango_api.reading.events.pages import EventPages
    from totango_api.reading.events.times import TimePages
    from totango_api.search import Hit, Page

FIRST_LOOK: Final = 60
"""Pages after which a read of which no end is in sight looks ahead."""

SLOW: Final = 100
"""It looks sooner where a page spans less than one part in so many of what pages did before."""

AHEAD: Final = 16
"""It looks so many times as far ahead as a page came; then twice that, and so on."""

LOOKS: Final = 12
"""So often at a time."""

FRONTS: Final = 5
"""How often the newest events are read once more, until they fit on one page."""

MOST_CALLS: Final = 3
"""Of all events, the newest may take so many times as many calls."""


class Horizon:
    """Tells where a read towards the newest events may end.

    Where nothing stands yet, everything lies before that moment that was there when the read
    began, unless it was edited since.

    Args:
        times: Fetches pages.
        first: The first one.
    """

    def __init__(self, times: TimePages, first: Page) -> None:
        self._times = times
        self._begin = times.time(first.hits[0])
        self._reached = times.time(first.hits[-1])
        self._looked_from = self._reached
        self._pages = self._looked_at = 1
        self._next_look = 4
        self._end: float = math.inf

    def is_behind(self, reached: int) -> bool:
        """Return whether a read that has come to a time has passed the end."""
        if self._times.sign < 0:
            return False
        span, usual = reached - self._reached, (reached - self._begin) / (self._pages + 1)
        self._reached, self._pages = reached, self._pages + 1
        is_late = self._end == math.inf and self._pages >= FIRST_LOOK
        is_slow = SLOW * span < usual
        if self._pages >= self._next_look and (is_slow or is_late):
            since_look = (reached - self._looked_from) // (self._pages - self._looked_at)
            pace = span if is_slow and self._looked_at == 1 else since_look
            self._look(reached, max(pace, 1) * (1 if is_slow else AHEAD))
            self._next_look, self._looked_at = 2 * self._pages, self._pages
            self._looked_from = reached
        return reached > self._end

    def _look(self, reached: int, span: int) -> None:
        for doubled in range(LOOKS):
            moment = reached + (span << doubled)
            if moment >= self._end:
                return
            if not self._times.asked(since(moment), count=1).rows:
                self._end = moment
                return


def newest_of(pages: EventPages, times: TimePages) -> Iterator[list[Hit]]:
    """Ask for the newest events until they fit on one page.

    Where ever more come, the read ends: what is newer than its beginning is left to the next.
    """
    newest = times.mark
    most = MOST_CALLS * pages.result.calls
    for _ in range(FRONTS):
        started = time.time_ns() // 1_000_000
        page = times.asked(since(newest))
        yield pages.new(page)
        first = page
        while page.rows >= pages.size:
            rows = spots(page)
            page = times.next(rows, since(newest)).page
            yield pages.new(page)
            if spots(page)[-1][1] == rows[-1][1]:
                break
        if page is first:
            return
        newest = started if times.sign > 0 else min(-times.time(first.hits[0]), started)
        if pages.result.calls > most:
            break
    pages.result.leaves_newer = True

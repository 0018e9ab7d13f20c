"""Reading the newest events once more, where pages did not show what was edited meanwhile."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from totango_api.reading.events.pages import rows_on, since
from totango_api.reading.events.places import spots

if TYPE_CHECKING:
    from collections.abc import Iterator

    from totango_api.reading.events.pages import EventPages
    from totango_api.reading.events.times import TimePages
    from totango_api.search import Hit

FRONTS: Final = 5
"""How often the newest events are read once more, until they fit on one page."""

MOST_CALLS: Final = 3
"""Of all events, the newest may take so many times as many calls."""


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
        while rows_on(page) >= pages.size:
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

"""Pages fetched before they are asked for."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from concurrent.futures import Future

    from totango_api.search import Page

SLOW_SECONDS: Final = 0.5
"""A server that takes longer for a page does not keep up with a hundred calls a minute."""


class PagesAhead:
    """Gives one page after another, and fetches those that are likely to follow meanwhile.

    Args:
        fetch: Fetches the page at an offset; called in several threads.
        in_flight: Pages fetched at once.
    """

    def __init__(self, fetch: Callable[[int], Page], in_flight: int) -> None:
        self._fetch = fetch
        self._in_flight = in_flight
        self._pool = ThreadPoolExecutor(in_flight, thread_name_prefix="ahead")
        self._waiting: dict[int, Future[Page]] = {}
        self.calls = 0
        self.is_slow = False

    def page(self, offset: int, following: Iterable[int] = ()) -> Page:
        """Return the page at an offset.

        Args:
            offset: Which one.
            following: Offsets of pages that are expected to be asked for next.

        Raises:
            ApiError: If the page cannot be had; others that cannot matter only when asked for.
        """
        if offset not in self._waiting:
            self.forget()  # the wrong ones were expected
            self._start(offset)
        for other in following:
            if len(self._waiting) >= self._in_flight:
                break
            if other not in self._waiting:
                self._start(other)
        return self._waiting.pop(offset).result()

    def forget(self) -> None:
        """Do not wait for what was expected."""
        for future in self._waiting.values():
            future.cancel()
        self._waiting.clear()

    def close(self) -> None:
        """Start nothing more; calls under way end by themselves."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _start(self, offset: int) -> None:
        self.calls += 1
        self._waiting[offset] = self._pool.submit(self._timed, offset)

    def _timed(self, offset: int) -> Page:
        started = time.monotonic()
        page = self._fetch(offset)
        self.is_slow = time.monotonic() - started > SLOW_SECONDS
        return page

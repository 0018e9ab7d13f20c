"""Reads the remainder of a query: its rows but those that came, by a filter on their ids.

Ids do not change, and one response that holds all of the remainder is a snapshot. So it shows that
no row is missing, wherever rows moved before. The filter is *inferred*: `identifier` is seen with
`in_list`, and `not_in_list` with the stages of a lifecycle. Therefore some rows that came are not
left out: they have to come again, and none of the others.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

from totango_api.errors import ApiError
from totango_api.reading.pages import PROBE_SECONDS, is_whole
from totango_api.search import ACCOUNTS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from totango_api.reading.pages import Pages
    from totango_api.reading.result import Proof, RecordBatch
    from totango_api.search import Key, Page, Query

logger = logging.getLogger(__name__)

MOST_IDS: Final = 30_000
"""Ids in one filter: with 18 characters each they fill 800 KB, and servers often take 1 MB."""

MOST_SENT: Final = 500_000
"""Ids in all filters of a read together: they grow with the square of its pages."""

CONTROLS: Final = 10
"""Rows, at most, that are not left out though they came."""

SPARE: Final = 4
"""Pages that are not full and yet do not hold all that is left: then the server does not say."""

DOUBTS: Final = 3
"""How often rows that are not left out may stay away, each time others: they may have gone."""


class Remainder:
    """Reads what is left of a query, until one response holds all of it.

    Users cannot be read so: two of them, of different accounts, may have one id.

    Args:
        pages: Fetches pages.
    """

    def __init__(self, pages: Pages) -> None:
        self._pages = pages
        self._ids: dict[str, None] = {}
        self._is_possible = pages.search.stream == ACCOUNTS

    @property
    def is_possible(self) -> bool:
        """Whether rows can be left out, as far as is known."""
        return self._is_possible and not self._pages.refuses_exclusion

    def is_worth_it(self, total: int) -> bool:
        """Return whether so many rows may be read by leaving out those that came."""
        is_short = total <= MOST_IDS and total**2 / (2 * self._pages.size) <= MOST_SENT
        return self.is_possible and is_short

    def add(self, keys: Iterable[Key | None]) -> None:
        """Take in the keys of rows that came."""
        if self.is_possible:
            self._ids.update(dict.fromkeys(_ids_in(keys)))
            if len(self._ids) > MOST_IDS:
                self._is_possible, self._ids = False, {}

    def batches(self, query: Query, total: int | None, new: Callable[[Page], RecordBatch]) -> Proof:
        """Yield the rows of a query that are left; return whether it is shown that none is missing.

        Args:
            query: What is read.
            total: Its rows, as counted before; None if they are not.
            new: Makes a batch of those rows of a page that were not given before.
        """
        pages, unreadable, spare, doubts = self._pages, self._pages.unreadable_hits, SPARE, DOUBTS
        while self._ids and self.is_possible and spare:
            is_last = total is None or total - len(self._ids) < pages.size
            controls = self._controls(spare + doubts) if is_last else set()
            listed = [one for one in self._ids if one not in controls]
            page = self._page(query, listed)
            if page is None:
                break
            yield new(page)
            pages.unreadable_hits = max(unreadable, page.unreadable_hits)
            came = _ids_in(page.keys)
            is_new = not came <= self._ids.keys()
            self.add(page.keys)
            if _is_all(page, pages.size):
                if controls and 2 * len(came & controls) >= len(controls):
                    return True
                doubts -= bool(controls)
            elif not is_new:
                break
            if not doubts:
                self._refuse("the rows that should come did not")
            spare -= page.rows < pages.size
            total = None if page.total_hits is None else len(listed) + page.total_hits
        return False

    def _controls(self, start: int) -> set[str]:
        """Return some of the rows that came, others for each start."""
        came = list(self._ids)
        number = max(min(CONTROLS, self._pages.size // 5, len(came) // 2), 1)
        step = max(len(came) // number, 1)
        return set(came[start % step :: step][:number])

    def _page(self, query: Query, listed: list[str]) -> Page | None:
        """Fetch the first page of all rows but those listed; None if these are not left out."""
        term = {"type": "string", "term": "identifier", "not_in_list": listed}
        try:
            page = self._pages.first(query.narrowed(term), max_retry_seconds=PROBE_SECONDS)
        except ApiError as error:
            self._refuse(f"it is refused: {error}")
            return None
        if not _ids_in(page.keys).isdisjoint(listed):
            self._refuse("the server ignores it")
            return None
        return page

    def _refuse(self, why: str) -> None:
        logger.info("Not leaving out rows that came: %s", why)
        self._pages.refuses_exclusion = True


def _ids_in(keys: Iterable[Key | None]) -> set[str]:
    return {key[0] for key in keys if key is not None}


def _is_all(page: Page, size: int) -> bool:
    """Return whether a page holds everything; where rows are not counted, one that is not full."""
    return page.rows < size if page.total_hits is None else is_whole(page, size)

"""Reads every row of a list of which only the request is known, or says what is not known.

Each page begins with the last row of the one before, so that rows that move up are noticed. Pages
that are asked for by number cannot: they are read twice, and must hold the same. The end is where
responses count as many rows, or where nothing follows the last one.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from totango_api import limits
from totango_api.errors import ResponseError
from totango_api.reading.deduplication import KeySet
from totango_api.search import ListPage, list_in, whole_number
from totango_api.text import counted

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from totango_api.http import ApiClient
    from totango_api.reading.lists.parameters import PageParameters
    from totango_api.search import Key, PastedRequest, Row

_PASSES: Final = 3
_MOST_STEPS_BACK: Final = 20
"""A pass is given up where rows go away so often."""

_MOVABLE: Final = 2
"""Rows move from page to page where there are so many."""

_ROUND: Final = 100
"""A single response with a multiple of so many rows may have been cut."""

_OTHER_KEY: Final = "Name what tells rows apart in `key`, or none."


@dataclass
class ListResult:
    """The result of a read.

    Attributes:
        total: Rows that the last response counted; None if none did.
        rows: Different rows.
        calls: Calls used.
        doubt: Why rows may be missing; empty if none are.
        note: What is not known, where nothing speaks for missing rows.
    """

    total: int | None = None
    rows: int = 0
    calls: int = 0
    doubt: str = ""
    note: str = ""


@dataclass
class _Pass:
    """One way through all pages.

    Attributes:
        keys: What tells the rows apart that came.
        first: That of the first page.
        before: That of the page before.
        offset: Rows that the next page skips.
        totals: What responses counted for the whole list.
        claimed: The most that any number called a total said.
        steps_back: How often rows had gone away before a page.
        is_stuck: Whether a page was the first one again, or brought nothing new.
        digest: Of which rows stood on which page.
    """

    keys: KeySet = field(default_factory=KeySet)
    first: Sequence[Key] = ()
    before: Sequence[Key] = ()
    pages: int = 0
    offset: int = 0
    totals: set[int] = field(default_factory=set)
    claimed: int = 0
    steps_back: int = 0
    is_stuck: bool = False
    digest: int = 0

    @property
    def rows(self) -> int:
        """Different rows."""
        return len(self.keys)

    def joins(self, keys: Sequence[Key]) -> bool:
        """Return whether a page goes on where the one before ended.

        It begins with rows of that one, in their order. Where a server does not sort, pages share
        rows by chance: then most of the rows up to the last shared one are not shared.
        """
        places = {key: place for place, key in enumerate(self.before)}
        shared = [(place, places[key]) for place, key in enumerate(keys) if key in places]
        in_order = [before for _, before in shared] == sorted(before for _, before in shared)
        return not places or bool(shared and in_order and 2 * len(shared) > shared[-1][0])

    def take(self, page: ListPage, keys: Sequence[Key], *, overlap: int) -> None:
        """Count a page in."""
        repeats = self.keys.add_all(keys).count(False)
        self.claimed = max(self.claimed, page.total or 0)
        if page.total is not None and page.counts_list:
            self.totals.add(page.total)
        self.is_stuck = bool(self.pages and len(keys) > overlap) and (
            keys == self.first or (not overlap and repeats == len(keys))
        )
        self.first = keys if not self.pages else self.first
        self.before = keys
        self.digest = hash((self.digest, *keys))
        self.pages += 1


class ListRead:
    """One read of a list.

    Args:
        client: Calls the service.
        request: What it is asked, for the first page.
        parameters: How another page is asked for.
        place: Where the rows are in a response; None = where a list is found.
        page_size: Most rows on a page.
    """

    def __init__(
        self,
        client: ApiClient,
        request: PastedRequest,
        parameters: PageParameters,
        *,
        place: str | None = None,
        page_size: int = limits.PAGE_ROWS,
    ) -> None:
        self._client = client
        self._request = request
        self._parameters = parameters
        self._key: Sequence[tuple[str, ...]] = ()
        self._place = place
        asked = whole_number(request.parameter(parameters.count)) if parameters.count else None
        self._count = min(asked or page_size, page_size)
        self._seen = KeySet()
        self.result = ListResult()

    def first(self) -> ListPage:
        """Return the first page.

        Raises:
            ApiError: If the service does not give it.
        """
        return self._fetch(0, 0)

    def pages(
        self, key: Sequence[tuple[str, ...]] = (), first: ListPage | None = None
    ) -> Iterator[list[Row]]:
        """Yield the rows of each page that did not come before.

        Args:
            key: Where the parts of a row's key are; none = the whole row tells it apart.
            first: The first page, if it was fetched before.

        Raises:
            ApiError: If the service does not give a page.
            ResponseError: If a row has no key, or two of a page have the same.
        """
        self._key = key
        before: int | None = None
        for _ in range(_PASSES):
            done = _Pass()
            yield from self._pass(done, first)
            first = None
            done.keys.close()
            self.result.doubt = self._doubt_about(done, before)
            before = done.digest
            if not self.result.doubt or done.pages < _MOVABLE:
                break
        self._seen.close()

    def _pass(self, done: _Pass, page: ListPage | None) -> Iterator[list[Row]]:
        """Go through all pages; each begins with the last row of the one before.

        While rows keep their order, nothing that was there throughout is passed over then.
        """
        back = self._overlap
        goes_on = True
        while goes_on:
            page = page or self._fetch(done.pages, done.offset)
            keys = self._keys_of(page.rows)
            if self._overlap and done.offset and not done.joins(keys):
                if done.steps_back == _MOST_STEPS_BACK:
                    break
                done.steps_back += 1
                done.offset, back, page = max(done.offset - back, 0), back * 2, None
                continue  # rows went away before this page, and others moved up
            back = self._overlap
            done.take(page, keys, overlap=self._overlap)
            fresh = self._seen.add_all(keys)
            self.result.total, self.result.rows = page.total, len(self._seen)
            yield [row for row, is_new in zip(page.rows, fresh, strict=True) if is_new]
            is_all = page.counts_list and done.offset + len(keys) >= (page.total or 0)
            advance = len(keys) - self._overlap
            goes_on = self._parameters.are_known and advance > 0 and not (is_all or done.is_stuck)
            done.offset, page = done.offset + max(advance, 0), None

    @property
    def _overlap(self) -> int:
        """Rows that a page has in common with the one before."""
        return int(bool(self._parameters.offset) and self._count > 1)

    def _fetch(self, pages: int, offset: int) -> ListPage:
        """Fetch the page behind so many pages, or rows."""
        names, values = self._parameters, dict[str, int]()
        if names.offset:
            values[names.offset] = offset
        if names.page:
            values[names.page] = (whole_number(self._request.parameter(names.page)) or 0) + pages
        if names.count:
            left = limits.WINDOW_ROWS - offset if self._request.search is not None else 0
            values[names.count] = min(self._count, left) if left > 0 else self._count
        self.result.calls += 1
        request = self._request.with_parameters(values)
        page = list_in(request.send(self._client), request.endpoint, self._place)
        if count := page.unreadable:
            reason = f"{counted(count, 'entry', 'entries')} of the response cannot be a row"
            raise ResponseError(request.endpoint, reason=reason)
        return page

    def _doubt_about(self, done: _Pass, before: int | None) -> str:
        """Return why rows may be missing after a pass; empty if none are.

        Args:
            done: The pass.
            before: Digest of the pass before it; None = there was none.
        """
        name = self._parameters.offset or self._parameters.page
        if done.is_stuck:
            return (
                f"Page {done.pages} repeats earlier rows, as if {name} did not ask for others: "
                f"no more than {counted(done.rows, 'row')} can be had."
            )
        is_at_edge = self._request.search is not None and not done.totals
        if limits.WINDOW_ROWS in done.totals or (is_at_edge and done.rows >= limits.WINDOW_ROWS):
            came = counted(done.rows, "row")
            return f"{came} came, as far as a search reaches; more may lie behind them."
        # Rows that came after others had been read need not be here.
        least = min(done.totals) if done.totals and self._overlap else done.claimed
        if done.rows < least:
            return f"{least - done.rows} of {least} rows could not be read."
        is_numbered = self._parameters.page and done.rows > len(done.first)
        if (is_numbered and done.digest != before) or done.steps_back == _MOST_STEPS_BACK:
            return "Rows moved while others were read, and some may have been passed over."
        if self._parameters.are_known or self._parameters.is_whole or done.totals:
            return ""
        return self._doubt_about_one_page(done.rows)

    def _doubt_about_one_page(self, rows: int) -> str:
        self.result.note = f"Only one page, of {counted(rows, 'row')}, is known to exist."
        is_full = self._parameters.count and rows >= self._count
        if is_full or (rows and rows % _ROUND == 0):
            number = counted(rows, "row")
            return f"The only page that is known to exist has {number}, and may have been cut."
        return ""

    def _keys_of(self, rows: Sequence[Row]) -> list[Key]:
        """Return what tells the rows of a page apart.

        Raises:
            ResponseError: If a row has no key, or two have the same.
        """
        if not self._key:
            return _contents(rows)
        keys = [tuple(_text_at(row, path) for path in self._key) for row in rows]
        named = ", ".join(".".join(path) for path in self._key)
        if not all(map(all, keys)):
            reason = f"a row has no {named}"
            raise ResponseError(self._request.endpoint, reason=reason, remedy=_OTHER_KEY)
        if len(set(keys)) < len(keys):
            reason = f"two rows of one page have the same {named}"
            raise ResponseError(self._request.endpoint, reason=reason, remedy=_OTHER_KEY)
        return keys


def _contents(rows: Sequence[Row]) -> list[Key]:
    """Return rows as keys; equal ones differ by their number on the page."""
    often: Counter[str] = Counter()
    keys: list[Key] = []
    for row in rows:
        text = repr(sorted(row.items()))
        often[text] += 1
        keys.append((text, str(often[text])))
    return keys


def _text_at(row: Any, path: Sequence[str]) -> str:
    for key in path:
        row = row.get(key) if isinstance(row, dict) else None
    is_plain = isinstance(row, (str, int)) and not isinstance(row, bool)
    return str(row) if is_plain else ""

"""Reads every row of a list of which only the request is known, or says what is not known.

A list comes to an end as known where its answers count its rows, or where a page is empty. Pages
are gone through again where rows moved from one to another meanwhile.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from totango_api import limits
from totango_api.errors import ResponseError
from totango_api.reading.keyset import KeySet
from totango_api.search import ListAnswer, list_in, whole_number

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from totango_api.http import ApiClient
    from totango_api.search import Key, PastedRequest, Row

OFFSET: Final = "offset"
COUNT: Final = "count"
_COUNTS: Final = (COUNT, "limit", "length", "size", "page_size", "pageSize", "per_page")
_PASSES: Final = 3
_MOVABLE: Final = 2
"""Rows move from page to page where there are so many."""

_ROUND: Final = 100
"""A single answer with a multiple of so many rows may have been cut."""

_OTHER_KEY: Final = "Name what tells rows apart in `key`, or none."


@dataclass(frozen=True)
class PageParameters:
    """What the parameters are called that ask for another page; empty where there are none.

    Attributes:
        offset: Rows to skip.
        page: Number of the page, instead of an offset.
        count: Rows on a page.
        is_guess: Whether nobody said so: an offset may as well count pages.
        is_whole: Whether one answer is known to hold the whole list.
    """

    offset: str = ""
    page: str = ""
    count: str = ""
    is_guess: bool = False
    is_whole: bool = False

    @property
    def are_known(self) -> bool:
        """Whether another page can be asked for."""
        return bool(self.offset or self.page)


def parameters_of(request: PastedRequest) -> PageParameters:
    """Return what can be seen of a request: an `offset`, and how many rows it asks for."""
    counts = (name for name in _COUNTS if whole_number(request.parameter(name)))
    is_search = request.search is not None and isinstance(request.search.get("terms"), list)
    offset = OFFSET if is_search or request.parameter(OFFSET) is not None else ""
    count = next(counts, COUNT if is_search else "")
    return PageParameters(offset, count=count, is_guess=True)


@dataclass
class ListResult:
    """What a read came to.

    Attributes:
        total: Rows that the last answer counted; None if none did.
        rows: Rows told apart.
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
        received: Rows, those that came before included.
        totals: What answers counted for the whole list.
        claimed: The most that any number called a total said.
        repeats: Rows that came on an earlier page.
        is_stuck: Whether a page brought nothing but such rows.
    """

    keys: KeySet = field(default_factory=KeySet)
    pages: int = 0
    received: int = 0
    totals: set[int] = field(default_factory=set)
    claimed: int = 0
    repeats: int = 0
    is_stuck: bool = False

    @property
    def rows(self) -> int:
        """Rows told apart."""
        return len(self.keys)

    def take(self, page: ListAnswer, keys: Sequence[Key]) -> bool:
        """Count a page in; tell whether it brings anything new."""
        repeats = self.keys.add_all(keys).count(False)
        self.pages += 1
        self.received += len(keys)
        self.repeats += repeats
        self.claimed = max(self.claimed, page.total or 0)
        if page.total is not None and page.counts_list:
            self.totals.add(page.total)
        self.is_stuck = 0 < len(keys) == repeats
        return repeats < len(keys)


class ListRead:
    """One read of a list.

    Args:
        client: Calls the service.
        request: What it is asked, for the first page.
        parameters: How another page is asked for.
        place: Where the rows are in an answer; None = where a list is found.
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
        self._first_rows = 0
        self.result = ListResult()

    def first(self) -> ListAnswer:
        """Return the first page.

        Raises:
            ApiError: If the service does not give it.
        """
        return self._fetch(_Pass())

    def pages(
        self, key: Sequence[tuple[str, ...]] = (), first: ListAnswer | None = None
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
        for _ in range(_PASSES):
            done = _Pass()
            yield from self._pass(done, first)
            first = None
            done.keys.close()
            self.result.doubt = self._doubt_about(done)
            is_hopeless = done.rows == self._first_rows and not done.claimed
            if not self.result.doubt or done.pages < _MOVABLE or is_hopeless:
                break
        self._seen.close()

    def _pass(self, done: _Pass, page: ListAnswer | None) -> Iterator[list[Row]]:
        goes_on = True
        while goes_on:
            page = page or self._fetch(done)
            keys = self._keys_of(page.rows)
            if not done.pages:
                self._first_rows = len(keys)
            brings_news = done.take(page, keys)
            fresh = self._seen.add_all(keys)
            self.result.total = page.total
            self.result.rows = len(self._seen)
            yield [row for row, is_new in zip(page.rows, fresh, strict=True) if is_new]
            is_all = page.counts_list and done.received >= (page.total or 0)
            goes_on = self._parameters.are_known and brings_news and not is_all
            page = None

    def _fetch(self, done: _Pass) -> ListAnswer:
        """Fetch the page behind those of a pass."""
        names, values = self._parameters, dict[str, int]()
        if names.offset:
            values[names.offset] = done.received
        if names.page:
            values[names.page] = (
                whole_number(self._request.parameter(names.page)) or 0
            ) + done.pages
        if names.count:
            values[names.count] = self._count
        self.result.calls += 1
        request = self._request.with_parameters(values)
        answer = list_in(request.send(self._client), request.endpoint, self._place)
        if answer.odd:
            reason = f"{answer.odd} rows of the answer are no objects"
            raise ResponseError(request.endpoint, reason=reason)
        return answer

    def _doubt_about(self, done: _Pass) -> str:
        """Return why rows may be missing after a pass; empty if none are."""
        if done.rows < done.claimed:
            return f"{done.claimed - done.rows} of {done.claimed} rows could not be read."
        if done.is_stuck:
            return (
                f"Page {done.pages} repeats earlier rows, as if the service did not heed "
                f"{self._parameters.offset or self._parameters.page}: only {done.rows} rows are "
                "known to exist."
            )
        if done.repeats or len(done.totals) > 1:
            return "Rows moved while others were read, and some may have been passed over."
        if done.totals or self._parameters.is_whole:
            return ""
        if not self._parameters.are_known:
            return self._doubt_about_one_page(done.rows)
        is_full = self._parameters.count and done.rows == self._count
        if is_full and self._parameters.is_guess:
            return (
                f"Behind a full page of {done.rows} rows there is none, as if "
                f"{self._parameters.offset} counted pages."
            )
        return ""

    def _doubt_about_one_page(self, rows: int) -> str:
        self.result.note = f"Only one page, of {rows} rows, is known to exist."
        is_full = self._parameters.count and rows >= self._count
        if is_full or (rows and rows % _ROUND == 0):
            return f"The only page that is known to exist has {rows} rows, and may have been cut."
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
    """Return rows as keys; those that are equal are told apart by their number on the page."""
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

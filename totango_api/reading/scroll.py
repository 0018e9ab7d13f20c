"""Reads accounts through the scroll endpoint, which knows no 10,000-row window.

Undocumented; what is known of it is what one public client sends and parses: form fields
`query` and `scroll_id`, a response with `scroll-id`, `total_hits` and keyed attributes. Whether
a scroll id may be used twice is unknown, so no step is ever repeated: a failed scroll starts
again from the beginning.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, Final

from totango_api.errors import ApiError, ResponseError
from totango_api.reading.deduplication import KeySet
from totango_api.reading.result import ReadResult, RecordBatch
from totango_api.search import ACCOUNTS, hits_in, key_of, whole_number

if TYPE_CHECKING:
    from collections.abc import Iterator

    from totango_api.http import ApiClient
    from totango_api.search import FieldSpec, Hit, Query

logger = logging.getLogger(__name__)

PATH: Final = "/api/v2/accounts/scan_and_scroll_search_accounts"
_ENDPOINT: Final = f"POST {PATH}"
ATTEMPTS: Final = 3


class ScrollRead:
    """One read of all accounts that a query matches; in use like a `CompleteRead`.

    Args:
        client: Makes the calls.
        query: Its terms and fields; `count` is the size of a step.
        team_id: Sent as form field `team_id` when not None.
    """

    def __init__(self, client: ApiClient, query: Query, *, team_id: str | None = None) -> None:
        self._client = client
        self._query = query
        self._team_id = team_id
        self._seen = KeySet()
        self._is_at_the_end = False
        self.result = ReadResult(missing=None)
        self.result.ways["by scroll, counted against the total"] += 1

    def batches(self) -> Iterator[RecordBatch]:
        """Yield rows, each key once; `result` is whole afterwards.

        Raises:
            ApiError: If the scroll failed several times.
        """
        for attempt in range(1, ATTEMPTS + 1):
            try:
                yield from self._scroll()
                break
            except ApiError as error:
                if not error.retriable or attempt == ATTEMPTS:
                    raise
                logger.warning("%s Starting the scroll again.", error)
        self.result.rows = len(self._seen)
        if self.result.total is not None:
            read = self.result.rows + self.result.unreadable
            self.result.missing = max(self.result.total - read, 0)
        elif self._is_at_the_end:
            self.result.missing = 0
        self._seen.close()

    def _scroll(self) -> Iterator[RecordBatch]:
        scroll_id: str | None = None
        while True:
            decoded = self._step(scroll_id)
            accounts = hits_in(decoded, ACCOUNTS)
            if accounts is None:
                raise ResponseError(_ENDPOINT, reason="the response holds no list of accounts")
            self.result.total = whole_number(decoded.get("total_hits"))
            self._seen.reserve(self.result.total or 0)
            if not accounts:
                self._is_at_the_end = True
                return
            yield self._new(accounts)
            following = decoded.get("scroll-id") or decoded.get("scroll_id")
            if not isinstance(following, str):
                return
            scroll_id = following

    def _step(self, scroll_id: str | None) -> dict[str, Any]:
        self.result.calls += 1
        form = self._query.at(0, self._query.count, None).form(
            team_id=self._team_id, scroll_id=scroll_id
        )
        seconds = None if scroll_id is None else 0.0
        decoded = self._client.post_form(PATH, form, max_retry_seconds=seconds)
        if not isinstance(decoded, dict):
            raise ResponseError(_ENDPOINT, reason="the response is not an object")
        return decoded

    def _new(self, accounts: list[Any]) -> RecordBatch:
        batch = RecordBatch([], [])
        for account in accounts:
            hit = hit_of(account, self._query.fields) if isinstance(account, dict) else {}
            key = key_of(ACCOUNTS, hit)
            if key is None:
                self.result.unreadable += 1
            elif self._seen.add(key):
                batch.hits.append(hit)
                batch.keys.append(key)
        return batch


def hit_of(account: dict[str, Any], fields: tuple[FieldSpec, ...]) -> Hit:
    """Return a scrolled account in the form in which a search returns it."""
    return {
        "name": account.get("id"),
        "display_name": account.get("display_name"),
        "last_activity_time": account.get("last_activity_time"),
        "selected_fields": [_value(account, field) for field in fields],
    }


def _value(account: dict[str, Any], field: FieldSpec) -> Any:
    if "attribute" in field:
        found = _entry(account, "attributes", field["attribute"])
        return found.get("val") if isinstance(found, dict) else found
    if "metric" in field:
        found = _entry(account, "metrics", field["metric"])
        return found.get("curr") if isinstance(found, dict) else found
    found = account.get(str(field.get("term", field["type"])))
    return found.get("curr") if isinstance(found, dict) else found


def _entry(account: dict[str, Any], group: str, name: str) -> Any:
    entries = account.get(group)
    return entries.get(name) if isinstance(entries, dict) else None

"""The stream `accounts`."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from tap_totango.schema import base_columns
from tap_totango.streams.search import SearchStream
from totango_api.reading import ScrollRead
from totango_api.search import ACCOUNTS

if TYPE_CHECKING:
    from tap_totango.state import Start
    from totango_api.reading import CompleteRead
    from totango_api.search import Query


class AccountsStream(SearchStream):
    """Accounts, by `account_id`."""

    name = ACCOUNTS
    searches = ACCOUNTS
    keys: ClassVar[tuple[str, ...]] = ("account_id",)
    base = base_columns(ACCOUNTS)

    def _reader(
        self, query: Query, start: Start, filtered_by: str | None
    ) -> CompleteRead | ScrollRead:
        if self.config.get("accounts_method") != "scroll":
            return super()._reader(query, start, filtered_by)
        query = query.at(0, self._paging().page_size, None)
        return ScrollRead(self.run.client, query, team_id=self._team_id())

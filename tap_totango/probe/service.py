"""Fetches once what several questions look at: first pages and attribute definitions."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

from totango_api.errors import ApiError
from totango_api.limits import PAGE_ROWS
from totango_api.reading import EVENTS_PATH, event_key_of
from totango_api.search import (
    ACCOUNTS,
    ATTRIBUTES_PATH,
    USERS,
    FieldSpec,
    Query,
    account_id_of,
    definitions,
    page_in,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tap_totango.own_requests import OwnRequest
    from totango_api.probe import Caller
    from totango_api.search import Attribute, Page, Term

EVENTS: Final = "events"
SAMPLE: Final = 100
"""Rows of a page that only shows what rows look like."""

EVENT_SAMPLE: Final = 20

ALL_TEAMS: Final = "-1"
"""Team id that asks for the rows of every team."""

LISTED: Final = 6
"""Accounts that are asked for by their ids."""

_PLAIN: Final = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-")


class ProbedService:
    """A service that is asked.

    Args:
        caller: Makes the calls.
        own_requests: Those of the setting `streams`.
    """

    def __init__(self, caller: Caller, own_requests: Sequence[OwnRequest] = ()) -> None:
        self.caller = caller
        self.own_requests = own_requests
        self.page_rows = PAGE_ROWS
        self.large_page_error: ApiError | None = None
        self.parent_error: ApiError | None = None
        self._second_look: Page | None = None
        self._teams_error: ApiError | None = None

    def accounts(self) -> Page:
        """Return the first page of accounts; a small one where a large one is refused."""
        return self.caller.once("accounts", self._accounts)

    def _accounts(self) -> Page:
        page = self.caller.tried(self.first_page)
        if not isinstance(page, ApiError):
            return page
        self.large_page_error, self.page_rows = page, SAMPLE
        return self.first_page()

    def first_page(self) -> Page:
        """Fetch the first page of accounts."""
        return self.caller.search(ACCOUNTS, Query(count=self.page_rows))

    def look_again(self, fields: tuple[FieldSpec, ...]) -> Page:
        """Fetch the first page of accounts of all teams, with columns.

        Raises:
            ApiError: If it is refused.
        """
        query = Query(fields=fields, count=self.page_rows)
        team_id = None if self._teams_error else ALL_TEAMS
        page = self.caller.search(ACCOUNTS, query, team_id=team_id)
        if self._second_look is None and self._teams_error is None:
            self._second_look = page
        return page

    def all_teams(self) -> Page:
        """Return the first page of accounts of all teams.

        Raises:
            ApiError: If it is refused.
        """
        if self._teams_error is not None:
            raise self._teams_error
        return self._second_look or self.look_again(())

    def refuses_all_teams(self) -> bool:
        """Return whether accounts of all teams are refused, whatever the columns."""
        page = self.caller.tried(self.all_teams)
        if isinstance(page, ApiError):
            self._teams_error = page
        return self._teams_error is not None

    def users(self) -> Page:
        """Return some users, with a column of their account where that is not refused."""
        return self.caller.once("users", self._users)

    def _users(self) -> Page:
        parent = ({"type": "string", "term": "identifier"},)
        query = Query(parent_account_fields=parent, count=SAMPLE)
        page = self.caller.tried(lambda: self.caller.search(USERS, query))
        if not isinstance(page, ApiError):
            return page
        self.parent_error = page
        return self.caller.search(USERS, Query(count=SAMPLE))

    def events(self) -> Page:
        """Return the first page of events."""
        return self.caller.once("events", lambda: self.events_at(0))

    def events_at(self, offset: int, *terms: Term) -> Page:
        """Return a page of events."""
        query = Query(terms=terms).at(offset, EVENT_SAMPLE, None)
        response = self.caller.post(EVENTS_PATH, query.form())
        return page_in(response, EVENTS, endpoint=f"POST {EVENTS_PATH}", key=event_key_of)

    def definitions(self) -> Any:
        """Return what the endpoint of attribute definitions answers."""
        return self.caller.once("definitions", lambda: self.caller.get(ATTRIBUTES_PATH))

    def attributes(self) -> list[Attribute]:
        """Return the attributes that are defined; none where the response has another shape.

        Raises:
            ApiError: If the service does not answer.
        """
        response = self.definitions()
        listed = response.get("list") if isinstance(response, dict) else None
        return list(definitions(listed if isinstance(listed, list) else ()))

    def filtered(self, stream: str, *terms: Term, fields: tuple[FieldSpec, ...] = ()) -> Page:
        """Return some rows that match filters."""
        return self.caller.search(stream, Query(terms=terms, fields=fields, count=SAMPLE))

    def listed_ids(self) -> list[str]:
        """Return ids of a few accounts that need no encoding."""
        ids = [one for hit in self.accounts().hits if (one := account_id_of(hit))]
        return [one for one in dict.fromkeys(ids) if _PLAIN.issuperset(one)][:LISTED]

    def listed(self) -> Page:
        """Return accounts asked for by a list of ids, of which the last one is percent-encoded.

        Encoded once more than a form asks for, it is found only where the query is decoded twice.
        """

        def fetch() -> Page:
            *ids, last = self.listed_ids()
            coded = "".join(f"%{byte:02X}" for byte in last.encode())
            term = {"type": "string", "term": "identifier", "in_list": [*ids, coded]}
            query = {"terms": [term], "fields": [], "count": SAMPLE, "offset": 0}
            form = {"query": json.dumps(query)}
            if self.caller.team_id is not None:
                form["team_id"] = self.caller.team_id
            path = f"/api/v1/search/{ACCOUNTS}"
            response = self.caller.post(path, urlencode(form).encode())
            return page_in(response, ACCOUNTS, endpoint=f"POST {path}")

        return self.caller.once("listed", fetch)


def event_ids(page: Page) -> list[str]:
    """Return the ids of the events of a page, as far as they have one."""
    return [key[0] for key in page.keys if key is not None]

"""Fetches one page of accounts or users from the Search API.

Facts: "Search API (accounts and users)" and public clients for the shape of the response.
"""

from __future__ import annotations

import itertools
import logging
import math
import threading
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from totango_api.errors import ResponseError
from totango_api.redaction import excerpt

if TYPE_CHECKING:
    from collections.abc import Callable

    from totango_api.http import ApiClient
    from totango_api.search.query import Query

Hit: TypeAlias = dict[str, Any]
Key: TypeAlias = tuple[str, ...]

logger = logging.getLogger(__name__)

MOST_NAMED: Final = 10
"""So many rows without an id are named."""

ACCOUNTS: Final = "accounts"
USERS: Final = "users"

STAFF_PATH: Final = "/api/v1/search/users/internal"
"""Answers with the people who work in Totango, as one public client asks for them."""


@dataclass(frozen=True)
class Page:
    """Rows of one response.

    Attributes:
        hits: The rows that are objects.
        total_hits: Rows that the whole query has, as the server counts; None if it does not.
        unreadable_hits: Rows that are not objects, and so cannot be read.
        respelled_ids: Rows whose ids came as numbers such as 5.0, and are 5 now.
        key_of: Returns the key of a hit; None when it has none.
    """

    hits: list[Hit]
    total_hits: int | None
    unreadable_hits: int = 0
    respelled_ids: int = 0
    key_of: Callable[[Hit], Key | None] = field(kw_only=True, repr=False)

    @property
    def rows(self) -> int:
        """How many rows came, those that cannot be read included."""
        return len(self.hits) + self.unreadable_hits

    @cached_property
    def keys(self) -> list[Key | None]:
        """The key of each hit; None where it has none."""
        return list(map(self.key_of, self.hits))

    @cached_property
    def sort_names(self) -> list[str]:
        """The name by which each hit is sorted: alike where a server may sort them alike."""
        names = [hit.get("display_name") for hit in self.hits]
        return [str(name or "").strip().casefold() for name in names]


def account_id_of(hit: Hit) -> str | None:
    """Return the account id of an account hit: it is called `name`."""
    value = hit.get("name")
    if isinstance(value, str):
        return value or None
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return None


def account_key_of(hit: Hit) -> Key | None:
    """Return (account id,) of an account hit; None when it is missing."""
    value = hit.get("name")
    if type(value) is str and value:  # as in nearly every row
        return (value,)
    account_id = account_id_of(hit)
    return None if account_id is None else (account_id,)


def user_key_of(hit: Hit) -> Key | None:
    """Return (account id, user id) of a user hit; None when one is missing."""
    account = hit.get("account")
    account_id = account_id_of(account) if isinstance(account, dict) else None
    user_id = account_id_of(hit)  # called `name` as well
    return (account_id, user_id) if account_id is not None and user_id is not None else None


def key_of(stream: str, hit: Hit) -> Key | None:
    """Return the key of a hit of `accounts` or `users`; None when it has none."""
    return _KEYS[stream](hit)


_KEYS: Final[dict[str, Callable[[Hit], Key | None]]] = {
    ACCOUNTS: account_key_of,
    USERS: user_key_of,
}


class Search:
    """A search endpoint that answers with accounts or with users.

    Args:
        client: Calls the service.
        stream: `accounts` or `users`.
        team_id: Sent as form field `team_id` when not None.
        path: Path of the endpoint; None = that of the stream.
        key: Returns the key of a hit, None when it has none; by default that of the stream.

    Attributes:
        path: Path of the endpoint.
        key: Returns the key of a hit; None when it has none.
        calls: Calls made.
    """

    def __init__(
        self,
        client: ApiClient,
        stream: str,
        *,
        team_id: str | None = None,
        path: str | None = None,
        key: Callable[[Hit], Key | None] | None = None,
    ) -> None:
        self._client = client
        self.stream = stream
        self.path = path or f"/api/v1/search/{stream}"
        self.key = key or _KEYS[stream]
        self._team_id = team_id
        self._counting = threading.Lock()
        name_of = _nameless_user if stream == USERS else _account_name
        self._unreadable_rows = UnreadableRowLog(stream, name_of)
        self.calls = 0

    def page(self, query: Query, *, max_retry_seconds: float | None = None) -> Page:
        """Fetch one page.

        Args:
            query: Offset and count included.
            max_retry_seconds: Lowers the connection's, for calls that may well be refused.

        Raises:
            ApiError: If the server did not answer with rows.
        """
        with self._counting:
            self.calls += 1
        decoded = self._client.post_form(
            self.path, query.form(team_id=self._team_id), max_retry_seconds=max_retry_seconds
        )
        page = page_in(decoded, self.stream, endpoint=f"POST {self.path}", key=self.key)
        self._unreadable_rows.log(page, query.offset)
        return page


def staff_search(client: ApiClient) -> Search:
    """Return the search for the people who work in Totango; the key of a hit is the login."""
    return Search(client, USERS, team_id="-1", path=STAFF_PATH, key=account_key_of)


class UnreadableRowLog:
    """Names the first rows without an id, and says once that ids were respelled.

    Args:
        stream: Whose rows they are.
        name_of: Returns what a row is called in a log.
    """

    def __init__(self, stream: str, name_of: Callable[[Hit], str]) -> None:
        self._stream = stream
        self._name_of = name_of
        self._named: set[str] = set()
        self._has_respelled_ids = False

    def log(self, page: Page, rows_before: int) -> None:
        """Log what is wrong with the rows of a page, unless that was logged before."""
        if page.respelled_ids and not self._has_respelled_ids:
            self._has_respelled_ids = True
            logger.warning("%s: ids came as numbers such as 5.0, and are read as 5.", self._stream)
        if None not in page.keys:
            return
        for row, (hit, key) in enumerate(zip(page.hits, page.keys, strict=True), rows_before + 1):
            if key is not None or len(self._named) >= MOST_NAMED:
                continue
            if (text := repr(hit)) not in self._named:
                self._named.add(text)
                name = self._name_of(hit)
                logger.warning("%s: row %s, %r, has no id.", self._stream, f"{row:,}", name)


def _account_name(hit: Hit) -> str:
    return excerpt(hit.get("display_name") or "without a name")


def _nameless_user(hit: Hit) -> str:
    """Return what a user is called in a log: by the account, since names are personal data."""
    account = hit.get("account")
    name = account.get("display_name") if isinstance(account, dict) else None
    return excerpt(f"user of {name or 'an unnamed account'}")


def page_in(
    decoded: Any, stream: str, *, endpoint: str, key: Callable[[Hit], Key | None] | None = None
) -> Page:
    """Take the rows out of `response.<stream>.hits`.

    Args:
        decoded: The response.
        stream: What it holds.
        endpoint: Named in the error.
        key: Returns the key of a hit, None when it has none; by default that of the stream.

    Raises:
        ResponseError: If there are none, not even an empty list.
    """
    response = decoded.get("response") if isinstance(decoded, dict) else None
    body = response.get(stream) if isinstance(response, dict) else None
    hits = hits_in(body) if isinstance(body, dict) else None
    if not isinstance(body, dict) or hits is None:
        said = (
            ", ".join(sorted(map(str, decoded))) if isinstance(decoded, dict) else excerpt(decoded)
        )
        raise ResponseError(
            endpoint,
            reason=f"the response holds no response.{stream}.hits (it holds: {excerpt(said)})",
            remedy="Check api_url: is it really Totango's API?",
        )
    rows = [hit for hit in hits if isinstance(hit, dict)]
    return Page(
        rows,
        whole_number(body.get("total_hits")),
        len(hits) - len(rows),
        _respell_ids(rows),
        key_of=key or _KEYS[stream],
    )


def hits_in(body: dict[str, Any], name: str = "hits") -> list[Any] | None:
    """Return the rows of a response: none where it counts none, though its list is null or absent.

    Returns:
        None where there is no list, and not because nothing matched.
    """
    hits = body.get(name)
    if hits is None and whole_number(body.get("total_hits")) == 0:
        return []
    return hits if isinstance(hits, list) else None


def _respell_ids(hits: list[Hit]) -> int:
    """Spell ids that came as 5.0 as 5; return how many there were."""
    accounts = [one for hit in hits if isinstance(one := hit.get("account"), dict)]
    respelled = 0
    for holder, key in itertools.product((hits, accounts), ("name", "id")):
        for one in holder:
            if type(one.get(key)) not in _FRACTIONS:
                continue
            if (number := whole_number(one[key])) is not None:
                one[key] = str(number)
                respelled += 1
    return respelled


_FRACTIONS: Final = frozenset({float, Decimal})


def whole_number(value: object) -> int | None:
    """Return a count that may have come as text or as 12.0; None if it is none."""
    if isinstance(value, bool) or not isinstance(value, (int, float, Decimal, str)):
        return None
    try:
        number = float(value)
    except ValueError:
        return None
    if not math.isfinite(number) or number < 0 or number != int(number):
        return None
    return int(number)

"""The Integration Hub: accounts, users, activities and collections, many rows a call.

Its reference is not public. Paths, headers and the rows of accounts, activities and collections
are what public clients send; the users endpoint is *inferred* from them. No source names a limit
of calls: hub calls count as REST calls, which is the safe reading.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from totango_api import limits
from totango_api.errors import (
    AuthenticationError,
    RateLimitError,
    RefusedError,
    ResponseError,
    SettingsError,
    UnavailableError,
)
from totango_api.http import Request
from totango_api.redaction import excerpt
from totango_api.writing.batch_bisection import TOO_LARGE, BatchBisection
from totango_api.writing.hub_responses import (
    FORBIDDEN,
    HubResponse,
    UnclearResponseError,
    refusal_in,
    response_in,
    response_without_json,
)
from totango_api.writing.hub_rows import (
    ENVELOPE_BYTES,
    HubBatch,
    HubRow,
    RowAccepted,
    RowRefused,
    RowUncertain,
    batches,
)
from totango_api.writing.named_rows import BatchRows

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from totango_api.config import Connection
    from totango_api.http import ApiClient, Response
    from totango_api.writing.batch_bisection import RowsResult

_APPEND_ONLY: Final = "usage"
_NOT_ABOUT_ROWS: Final = frozenset({402, 405, 406, 407, 411, 415, 417, 421, 425, 426, 428, 431})
"""About the method, the headers, the proxy or the bill: what rows hold changes none of these."""

_NOT_FOUND: Final = 404

SPLIT_RETRY_SECONDS: Final = 1.0
"""How long parts of a batch are retried: the whole one was retried for as long as is set."""


def hub_headers(connection: Connection) -> dict[str, str]:
    """Return the headers of every call of the hub.

    Raises:
        SettingsError: If the token or the service id is not set.
    """
    return {
        "Content-Type": "application/json",
        "Accept": "application/json",
        "Authorization": f"app-token {connection.require_token()}",
        "service_id": connection.require_service_id().number,
    }


class HubClient:
    """Delivers rows in batches and finds out the result of each row.

    A refused batch is split until its bad rows are found, so that the good ones land. Safe to
    share between threads.

    Args:
        client: Sends them.
        max_rows: Most rows of a batch.
        max_bytes: Most bytes of a request body.
        repeats_activities: Whether an activity is sent again that may have been counted.

    Raises:
        SettingsError: If the token or the service id is not set.
    """

    def __init__(
        self,
        client: ApiClient,
        *,
        max_rows: int = limits.HUB_BATCH_ROWS,
        max_bytes: int = limits.HUB_BATCH_BYTES,
        repeats_activities: bool = False,
    ) -> None:
        self._headers = hub_headers(client.connection)
        self._client = client
        self._max_bytes = max_bytes
        self.max_rows = max_rows
        self.repeats_activities = repeats_activities
        # What the server turned out to take: halved whenever it answers 413.
        self._rows_taken = max_rows
        self._bytes_taken = max_bytes
        self._hopeless_kinds: dict[str, str | None] = {}
        self._taking: set[str] = set()

    def results(self, batch: HubBatch) -> Iterator[RowsResult]:
        """Deliver rows and yield the positions of those that share a result, once it is known.

        Raises:
            ApiError: If calls are not accepted at all: a wrong token, no connection, too many
                calls. An activity without a result by then was certainly not taken.
            SettingsError: If rows of a collection come without its type.
        """
        rows, url = batch.rows, self._url(batch)
        if batch.body is not None and self._takes(len(rows), len(batch.body)):
            yield from self._settled(batch, url, range(len(rows)))
            return
        sendable = []
        for at, row in enumerate(rows):
            if refused := self._unsendable(row):
                yield [at], refused
            else:
                sendable.append(at)
        while sendable:
            taken = self._rows_taken, self._bytes_taken
            encoded = (rows[at].encoded() for at in sendable)
            size = len(next(batches(encoded, max_rows=taken[0], max_bytes=taken[1])))
            places, sendable = sendable[:size], sendable[size:]
            yield from self._settled(batch, url, places)

    def _takes(self, rows: int, size: int) -> bool:
        """Return whether rows may go out together."""
        return 0 < rows <= self._rows_taken and size <= self._bytes_taken

    def _settled(self, batch: HubBatch, url: str, whole: Sequence[int]) -> Iterator[RowsResult]:
        """Send the rows at some places together, and yield the results of each of them."""
        bisection = BatchBisection(
            partial(self._send, batch, url, len(whole)),
            idempotent=self._is_idempotent(batch),
            hopeless_kind=self._hopeless_kinds.get(url),
            is_taking=url in self._taking,
        )
        unsure: list[tuple[Sequence[int], RowUncertain]] = []
        for places, result in bisection.results(whole):
            if isinstance(result, RowUncertain):
                unsure.append((places, result))
                continue
            if isinstance(result, RowAccepted):
                self._taking.add(url)
            yield places, result
        self._hopeless_kinds[url] = bisection.hopeless_kind
        for places, result in unsure:
            is_about_row = result.is_about_row and len(places) == 1 and url in self._taking
            yield places, replace(result, is_about_row=is_about_row)

    def _is_idempotent(self, batch: HubBatch) -> bool:
        return batch.object != _APPEND_ONLY or self.repeats_activities

    def _send(self, batch: HubBatch, url: str, whole: int, places: Sequence[int]) -> HubResponse:
        """Send the rows at these places: so many as were to go out together, or a part of them."""
        body = batch.encoded(places)
        seconds = None if len(places) == whole else SPLIT_RETRY_SECONDS
        idempotent = self._is_idempotent(batch)
        request = Request("hub", "POST", url, body, self._headers, seconds, idempotent=idempotent)
        hub_response = self._post(request, BatchRows([batch.rows[at] for at in places]))
        if hub_response.status == TOO_LARGE:
            self._rows_taken = max(min(self._rows_taken, len(places) // 2), 1)
            self._bytes_taken = max(min(self._bytes_taken, len(body) // 2), 1)
        return hub_response

    def _post(self, request: Request, rows: BatchRows) -> HubResponse:
        """Send a batch."""
        try:
            try:
                return self._client.send(request, self._reading(request, rows))
            except RateLimitError:
                if request.max_retry_seconds is None:
                    raise
                whole = replace(request, max_retry_seconds=None)
                return self._client.send(whole, self._reading(whole, rows))
        except UnclearResponseError as error:
            return error.response
        except AuthenticationError as error:
            if error.status != FORBIDDEN:
                raise
            return refusal_in(error)
        except (RefusedError, UnavailableError) as error:
            return self._refusal(error)
        except ResponseError as error:
            if not error.retriable:  # A redirect: nothing will ever be taken there.
                raise
            return response_without_json(error)

    def _reading(self, request: Request, rows: BatchRows) -> Callable[[str, Response], HubResponse]:
        """Return a reader of 2xx responses, which retries passing faults."""
        region = self._client.connection.region

        def read(endpoint: str, response: Response) -> HubResponse:
            try:
                hub_response = response_in(endpoint, response, rows, region=region)
            except ResponseError as error:
                if request.idempotent:
                    raise
                return response_without_json(error)
            if hub_response.may_pass and request.idempotent:
                raise UnclearResponseError(endpoint, hub_response)
            return hub_response

        return read

    def _refusal(self, error: RefusedError | UnavailableError) -> HubResponse:
        """Return the response of a call that failed, as far as it is about rows.

        Raises:
            ApiError: If it is certainly not done, and not for the sake of a row.
        """
        if isinstance(error, UnavailableError) and not error.may_have_succeeded:
            raise error
        hub_response = refusal_in(error)
        if error.status == _NOT_FOUND and not hub_response.faults:
            error.remedy = (
                "The hub has no such endpoint: let the mapping of these rows say delivery: "
                "tracking, or check hub_url and collection_type."
            )
            raise error
        if error.status in _NOT_ABOUT_ROWS:
            raise error
        return hub_response

    def _url(self, batch: HubBatch) -> str:
        url = f"{self._client.connection.hosts.hub}/api/v1/{batch.object}"
        collection_type = batch.collection_type
        if batch.object != "collections":
            return url
        if not collection_type or collection_type in {".", ".."}:
            msg = "Rows of a collection need the collection's type."
            raise SettingsError(msg, remedy="Set collection_type in the mapping.")
        return f"{url}/{quote(collection_type, safe='')}"

    def _unsendable(self, row: HubRow) -> RowRefused | None:
        try:
            size = len(row.encoded()) + ENVELOPE_BYTES
        except ValueError as error:
            return RowRefused(f"the row cannot be written as JSON: {excerpt(error)}")
        if size > self._max_bytes:
            return RowRefused(f"the row has {size:,} bytes; a batch may have {self._max_bytes:,}")
        return None

"""Reads touchpoints and tasks by events of their type, for an account or all of them.

Facts: "Search API (events)", and public clients for what such an event holds.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from totango_api.reading.events.pages import EventPages, event_id_of, of_types, since
from totango_api.reading.events.read import EventsRead
from totango_api.search import Query

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from totango_api.http import ApiClient
    from totango_api.search import Hit


@dataclass(frozen=True)
class EngagementEvent:
    """An event of a touchpoint or a task.

    Attributes:
        event_id: The event's own id.
        engagement_id: The id of the touchpoint or task.
        timestamp: Epoch milliseconds; None where there is none.
        account_id: Its account; None where there is none.
        content: `note_content` or `task_content`.
        properties: What else the event says.
    """

    event_id: str
    engagement_id: str
    timestamp: int | None
    account_id: str | None
    content: dict[str, Any]
    properties: dict[str, Any]


def engagement_events(
    client: ApiClient,
    event_type: str,
    *,
    account_id: str | None = None,
    start: int | None = None,
) -> Iterator[list[EngagementEvent]]:
    """Yield events of touchpoints (`note`) or tasks (`task`), a page at a time.

    Args:
        client: Makes the calls.
        event_type: Which.
        account_id: Only this account's events, when given.
        start: Only events from this moment on, in epoch milliseconds, when given.

    Raises:
        ApiError: If the server does not answer.
    """
    query = _query(event_type, start)
    for batch in EventsRead(client, query, account_id=account_id).batches():
        yield _events(batch, event_type)


def first_engagement_events(
    client: ApiClient, event_type: str, *, account_id: str, start: int
) -> list[EngagementEvent]:
    """Return the events on the first page of those that `engagement_events` yields, with one call.

    Raises:
        ApiError: If the server does not answer.
    """
    page = EventPages(client, _query(event_type, start), account_id).fetch()
    return _events(page.hits, event_type)


def _query(event_type: str, start: int | None) -> Query:
    terms = [of_types([event_type]), *([] if start is None else [since(start)])]
    return Query(terms=tuple(terms), sort_order=None)


def _events(hits: Iterable[Hit], event_type: str) -> list[EngagementEvent]:
    return [event for hit in hits if (event := _event(hit, event_type)) is not None]


def _event(hit: Hit, event_type: str) -> EngagementEvent | None:
    """Return what an event says of a touchpoint or task; None if it is about none."""
    content, event_id = _object(hit.get(f"{event_type}_content")), event_id_of(hit)
    engagement_id, account = content.get(f"{event_type}_id"), _object(hit.get("account")).get("id")
    if event_id is None or engagement_id is None:
        return None
    timestamp = hit.get("timestamp")
    return EngagementEvent(
        event_id,
        str(engagement_id),
        timestamp if isinstance(timestamp, int) else None,
        None if account is None else str(account),
        content,
        _object(hit.get("properties")),
    )


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}

"""The people who work in Totango: their login, an e-mail address, and their full name.

Facts: one public client reads them by `POST /api/v1/search/users/internal` with `team_id=-1`, in
the envelope of searches for users.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from totango_api.limits import PAGE_ROWS
from totango_api.search.endpoint import USERS, page_in
from totango_api.search.query import Query
from totango_api.search.reference_lists import Reference

if TYPE_CHECKING:
    from collections.abc import Iterator

    from totango_api.http import ApiClient
    from totango_api.search.endpoint import Page

STAFF_PATH: Final = "/api/v1/search/users/internal"


def staff_pages(client: ApiClient, query: Query, page_size: int) -> Iterator[Page]:
    """Yield pages, up to the number that the service counts or a page that brings nobody new.

    Args:
        client: Makes the calls.
        query: The fields that are asked for.
        page_size: Rows of a page.

    Raises:
        ApiError: If one is not answered.
    """
    offset, seen, before = 0, set[str](), -1
    total: int | None = None
    while len(seen) > before and (total is None or offset < total):
        form = query.at(offset, page_size).form(team_id="-1")
        page = page_in(client.post_form(STAFF_PATH, form), USERS, endpoint=f"POST {STAFF_PATH}")
        yield page
        before = len(seen)
        seen |= {str(hit.get("name")) for hit in page.hits}
        total = page.total_hits
        offset += len(page.hits) + page.odd_hits


def read_staff(client: ApiClient) -> list[Reference]:
    """Return everybody: the login as id, and the full name.

    Raises:
        ApiError: If they are not answered.
    """
    return list(
        dict.fromkeys(
            Reference(str(hit["name"]), str(hit.get("display_name") or hit["name"]))
            for page in staff_pages(client, Query(), PAGE_ROWS)
            for hit in page.hits
            if hit.get("name")
        )
    )

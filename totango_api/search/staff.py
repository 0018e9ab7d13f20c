"""The people who work in Totango: their login, an e-mail address, and their full name.

Facts: one public client reads them by `POST /api/v1/search/users/internal` with `team_id=-1`, in
the envelope of searches for users.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from totango_api import limits
from totango_api.search.endpoint import USERS, page_in
from totango_api.search.query import Query
from totango_api.search.reference_lists import Reference

if TYPE_CHECKING:
    from totango_api.http import ApiClient

STAFF_PATH: Final = "/api/v1/search/users/internal"


def read_staff(transport: ApiClient) -> list[Reference]:
    """Return everybody: the login as id, and the full name.

    Raises:
        ApiError: If they are not answered.
    """
    staff: list[Reference] = []
    offset = 0
    while offset < limits.WINDOW_ROWS:
        form = Query().at(offset, limits.PAGE_ROWS).form(team_id="-1")
        page = page_in(transport.post_form(STAFF_PATH, form), USERS, endpoint=f"POST {STAFF_PATH}")
        staff += [
            Reference(str(hit["name"]), str(hit.get("display_name") or hit["name"]))
            for hit in page.hits
            if hit.get("name")
        ]
        offset += len(page.hits) + page.odd_hits
        if not page.hits or (page.total_hits is not None and page.total_hits <= offset):
            break
    return list(dict.fromkeys(staff))

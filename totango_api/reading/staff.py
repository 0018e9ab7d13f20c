"""Reads the names of the people who work in Totango."""

from __future__ import annotations

from typing import TYPE_CHECKING

from totango_api.reading.complete_read import CompleteRead
from totango_api.search import Query, Reference, staff_search

if TYPE_CHECKING:
    from totango_api.http import ApiClient


def read_staff(client: ApiClient) -> list[Reference]:
    """Return everybody: the login as id, and the full name.

    Raises:
        ApiError: If they are not answered.
    """
    names = {
        key[0]: str(hit.get("display_name") or key[0])
        for batch in CompleteRead(staff_search(client), Query()).batches()
        for key, hit in zip(batch.keys, batch.hits, strict=True)
    }
    return [Reference(login, name) for login, name in names.items()]

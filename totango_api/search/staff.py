"""The people who work in Totango: their login, an e-mail address, and their full name.

Facts: one public client reads them by `POST /api/v1/search/users/internal` with `team_id=-1`, in
the envelope of searches for users.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from totango_api.search.endpoint import USERS, Search, account_id_of

if TYPE_CHECKING:
    from totango_api.http import ApiClient
    from totango_api.search.endpoint import Hit, Key

STAFF_PATH: Final = "/api/v1/search/users/internal"


class StaffSearch(Search):
    """The search endpoint of the people who work in Totango.

    Args:
        client: Calls the service.
    """

    def __init__(self, client: ApiClient) -> None:
        super().__init__(client, USERS, team_id="-1")

    @property
    def path(self) -> str:
        """Path of the endpoint."""
        return STAFF_PATH

    def key(self, hit: Hit) -> Key | None:
        """Return the login of a person; None where there is none."""
        login = account_id_of(hit)  # called `name`, as ids of accounts are
        return None if login is None else (login,)

"""Streams of the user's own that a search for accounts or users answers: read as those are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from tap_totango.streams.accounts import AccountsStream
from tap_totango.streams.search import SearchStream
from tap_totango.streams.users import UsersStream

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tap_totango.own_requests import OwnRequest
    from totango_api.search import PastedQuery


class OwnSearchStream(SearchStream):
    """Accounts or users that a request of the user's own selects: read whole, every time.

    Which rows belong to a list says no date, so there is none to go on from.
    """

    own: ClassVar[OwnRequest]
    incremental_on = None

    @property
    def query_setting(self) -> str:
        """The setting that holds the query."""
        return self.own.setting

    def _query_of(self, config: Mapping[str, Any]) -> PastedQuery:  # noqa: ARG002
        return self.own.query

    def _has_own_fields_only(self, config: Mapping[str, Any]) -> bool:  # noqa: ARG002
        return True

    def _team_id(self) -> str | None:
        return self.own.query.team_id or super()._team_id()

    @property
    def _is_table(self) -> bool:
        """A full read has every row of the list, whatever selects them."""
        return True


class OwnAccountsStream(OwnSearchStream, AccountsStream):
    """Accounts of a list of the user's own."""


class OwnUsersStream(OwnSearchStream, UsersStream):
    """Users of a list of the user's own."""

"""The stream `users`."""

from __future__ import annotations

from typing import ClassVar

from tap_totango.schema import base_columns
from tap_totango.streams.search import SearchStream
from totango_api.search import USERS


class UsersStream(SearchStream):
    """Users, by `account_id` and `user_id`: a person may sit in several accounts."""

    name = USERS
    searches = USERS
    keys: ClassVar[tuple[str, ...]] = ("account_id", "user_id")
    base = base_columns(USERS)

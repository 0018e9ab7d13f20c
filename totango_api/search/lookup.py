"""Looks accounts and users up by id, in batches: which exist, and what Totango holds for them."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Final

from totango_api.errors import RefusedError
from totango_api.search.attributes import CORE_ATTRIBUTES, TEXT, Attribute
from totango_api.search.endpoint import ACCOUNTS, USERS, Search
from totango_api.search.key_lookup import KeyLookup, LookupRequest, LookupResult

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from totango_api.http import ApiClient
    from totango_api.search.endpoint import Key

IDS_PER_QUERY: Final = 500
"""Half a page: leaves room for users that exist in two accounts."""


class Lookup:
    """Finds accounts and users by their ids, within the rate limit.

    Not to be shared between threads.

    Args:
        client: Makes the calls.
    """

    def __init__(self, client: ApiClient) -> None:
        self._lookups = {stream: KeyLookup(Search(client, stream)) for stream in (ACCOUNTS, USERS)}

    def find(
        self, stream: str, keys: Iterable[Key], attributes: Iterable[str | Attribute] = ()
    ) -> dict[Key, LookupResult]:
        """Return the rows that exist, by key.

        Args:
            stream: `accounts` or `users`.
            keys: Account id, and user id of users, as Totango has them, case included.
            attributes: Attributes whose values are asked for, or their API names.

        Raises:
            AnswerError: If the server does not filter by id.
            IncompleteReadError: If one user id has more hits than a query can reach.
            ApiError: If a call failed.
        """
        return dict(self._found(stream, keys, attributes))

    def _found(
        self, stream: str, keys: Iterable[Key], attributes: Iterable[str | Attribute]
    ) -> Iterator[tuple[Key, LookupResult]]:
        lookup = self._lookups[stream]
        columns = [_attribute(stream, attribute) for attribute in attributes]
        remaining = iter(dict.fromkeys(keys))
        while batch := list(islice(remaining, IDS_PER_QUERY)):
            request = LookupRequest(set(batch), columns)
            try:
                lookup.find(request)
            except RefusedError:
                # A server may refuse a column that nobody has written yet: without it, then.
                usable = lookup.usable(batch[0], columns)
                if len(usable) == len(columns):
                    raise
                columns = usable
                request = LookupRequest(set(batch), columns)
                lookup.find(request)
            yield from request.results.items()


def _attribute(stream: str, attribute: str | Attribute) -> Attribute:
    if isinstance(attribute, Attribute):
        return attribute
    return _CORE[stream].get(attribute) or Attribute(stream, attribute, TEXT)


_CORE: Final = {
    stream: {attribute.api_name: attribute for attribute in attributes}
    for stream, attributes in CORE_ATTRIBUTES.items()
}

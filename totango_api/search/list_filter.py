"""Filters by any of many values: with a list where the server takes one, else a term for each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from totango_api.errors import RefusedError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from totango_api.search.endpoint import Page
    from totango_api.search.query import Term


class ListFilter:
    """Finds out whether a server takes lists, and remembers it.

    Attributes:
        takes_lists: Whether it is asked with lists.
    """

    def __init__(self) -> None:
        self.takes_lists = True

    def among(self, term: Term, values: Sequence[str]) -> Term:
        """Return the filter for rows whose term is one of some values."""
        if self.takes_lists:
            return {**term, "in_list": list(values)}
        each = [{**term, "eq": value} for value in values]
        return {"type": "or", "or": each} if len(each) > 1 else each[0]

    def page(self, ask: Callable[[], Page]) -> Page:
        """Return a page; where a filter is refused, without lists.

        Args:
            ask: Asks for it, with a new filter each time.

        Raises:
            RefusedError: If it is refused in either way.
        """
        try:
            return ask()
        except RefusedError as error:
            if not self.takes_lists:
                raise
            refused = error
        self.takes_lists = False
        try:
            return ask()
        except RefusedError:
            self.takes_lists = True
            raise refused from None

"""A piece of a query: the terms that narrow it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from totango_api.search.query import Term


@dataclass(frozen=True)
class Piece:
    """A smaller query: terms by the name of the splitter that set them.

    A splitter that cuts a piece again replaces its own terms.
    """

    terms: dict[str, tuple[Term, ...]]

    def all_terms(self) -> tuple[Term, ...]:
        """Return every term, to be ANDed to the query."""
        return tuple(term for terms in self.terms.values() for term in terms)

    def cut(self, name: str, *terms: Term) -> Piece:
        """Return this piece cut further."""
        return Piece({**self.terms, name: terms})


WHOLE: Final = Piece({})

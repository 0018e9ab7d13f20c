"""Cutting a query by lists of values: known ones, those of an attribute, or ids of accounts."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, Final

from totango_api.reading.splitting import Splitter, largest_of, share_of
from totango_api.reading.walks import FILL, ListWalk
from totango_api.search.endpoint import account_id_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from totango_api.reading.pieces import Piece
    from totango_api.reading.walks import Walk
    from totango_api.search.endpoint import Hit
    from totango_api.search.query import FieldSpec, Term

IN_LIST_LENGTH: Final = 500
"""Values in one `in_list`: no source states a limit."""


class FixedValues(Splitter):
    """A property with few known values, such as `status_group` or `health`.

    Evidenced: `{"type": "string", "term": "status_group", "in_list": ["paying"]}`.

    Args:
        term: The property.
        values: Its values; one that a server may not know comes last.
        share: The share of rows that are expected to have one of them.
    """

    def __init__(self, term: str, values: Sequence[str], share: float) -> None:
        self.name = term
        self._values = values
        self._share = share

    def coverage(self, sample: Sequence[Hit]) -> float:  # noqa: ARG002 (it cannot be seen)
        """Return the share that is expected: hits do not show the value."""
        return self._share

    def fits(self, sample: Sequence[Hit], total: int, reach: int) -> bool:  # noqa: ARG002
        """Tell whether one value may well have half of the rows within reach."""
        return total <= 2 * reach

    def covered(self) -> Term:
        """Return a term that matches all the values."""
        return {"type": "string", "term": self.name, "in_list": list(self._values)}

    def walk(
        self,
        piece: Piece,
        sample: Sequence[Hit],  # noqa: ARG002 (values are known)
        total: int,  # noqa: ARG002
        reach: int,  # noqa: ARG002
    ) -> Walk | None:
        """Cut into one piece a value."""
        if self.name in piece.terms:
            return None
        term = {"type": "string", "term": self.name}
        return ListWalk([piece.cut(self.name, {**term, "in_list": [one]}) for one in self._values])


class AttributeValues(Splitter):
    """The values of an attribute, as seen in the rows.

    Evidenced: `{"type": "string_attribute", "attribute": "Success Manager", "in_list": [...]}`.

    Args:
        field: The requested field whose values are used.
        position: Where its value stands in `selected_fields`.
    """

    def __init__(self, field: FieldSpec, position: int) -> None:
        self.name = f"attribute:{field['attribute']}"
        self._term = {"type": field["type"], "attribute": field["attribute"]}
        self._position = position
        self._known: set[str] = set()

    def _counts(self, sample: Sequence[Hit]) -> Counter[str]:
        return Counter(value for hit in sample if (value := self._value(hit)) is not None)

    def fits(self, sample: Sequence[Hit], total: int, reach: int) -> bool:
        """Tell whether no single value has more rows than are in reach."""
        return largest_of(self._counts(sample)) * total <= reach * len(sample)

    def covered(self) -> Term | None:
        """Return a term that matches all the values seen, unless they are too many."""
        if len(self._known) > IN_LIST_LENGTH:
            return None
        return {**self._term, "in_list": sorted(self._known)}

    def _value(self, hit: Hit) -> str | None:
        values = hit.get("selected_fields")
        if not isinstance(values, list) or self._position >= len(values):
            return None
        value = values[self._position]
        return value if isinstance(value, str) and value else None

    def coverage(self, sample: Sequence[Hit]) -> float:
        """Return the share of rows whose value was seen twice (Good and Turing's estimate)."""
        counts = self._counts(sample)
        repeated = sum(count for count in counts.values() if count > 1)
        return share_of(repeated, len(sample)) if len(counts) > 1 else 0.0

    def walk(self, piece: Piece, sample: Sequence[Hit], total: int, reach: int) -> Walk | None:
        """Pack values into lists that are expected to be within reach."""
        counts = self._counts(sample)
        room = reach * FILL * share_of(len(sample), total)
        groups = _packed(counts.most_common(), room)
        if len(groups) < 2:
            return None
        lists = [[value for value, _ in group] for group in groups]
        self._known.update(counts)
        return ListWalk([piece.cut(self.name, {**self._term, "in_list": one}) for one in lists])

    def honoured(self, piece: Piece, hit: Hit) -> bool:
        """Tell whether the row has one of the values (lists may hold several)."""
        terms = piece.terms.get(self.name)
        value = self._value(hit)
        if not terms or value is None or self._term["type"] != "string_attribute":
            return True
        return value in terms[0]["in_list"]


class ParentAccounts(Splitter):
    """Users by the accounts they belong to: every user is in exactly one piece.

    Evidenced: `{"type": "parent_account", "terms": [{"type": "string", "term": "identifier",
    "in_list": [...]}]}`.

    Args:
        account_ids: Reads the ids of all accounts; asked once, and only when needed.
    """

    name = "parent_account"

    def __init__(self, account_ids: Callable[[], list[str]]) -> None:
        self._ask = account_ids
        self._ids: list[str] | None = None

    def coverage(self, sample: Sequence[Hit]) -> float:  # noqa: ARG002 (users have accounts)
        """Return all of them."""
        return 1.0

    def walk(
        self,
        piece: Piece,
        sample: Sequence[Hit],  # noqa: ARG002 (ids are known)
        total: int,
        reach: int,
    ) -> Walk | None:
        """Cut the list of ids into lists that are expected to be within reach."""
        ids = self._ids_of(piece)
        if len(ids) < 2:
            return None
        count = max(int(total / (reach * FILL)) + 1, -(-len(ids) // IN_LIST_LENGTH), 2)
        size = -(-len(ids) // count)
        lists = [ids[start : start + size] for start in range(0, len(ids), size)]
        return ListWalk([piece.cut(self.name, self._term(some)) for some in lists])

    def _ids_of(self, piece: Piece) -> list[str]:
        if terms := piece.terms.get(self.name):
            inner: Any = terms[0]["terms"][0]["in_list"]
            return list(inner)
        if self._ids is None:
            self._ids = self._ask()
        return self._ids

    @staticmethod
    def _term(ids: list[str]) -> Term:
        return {
            "type": "parent_account",
            "terms": [{"type": "string", "term": "identifier", "in_list": ids}],
        }

    def honoured(self, piece: Piece, hit: Hit) -> bool:
        """Tell whether the user's account is in the list."""
        account = hit.get("account")
        account_id = account_id_of(account) if isinstance(account, dict) else None
        return account_id is None or account_id in self._ids_of(piece)


def _packed(counts: Iterable[tuple[str, int]], room: float) -> list[list[tuple[str, int]]]:
    """Pack values into groups whose counts stay within room: first fit, largest first."""
    groups: list[list[tuple[str, int]]] = []
    sizes: list[int] = []
    for value, count in counts:
        for index, size in enumerate(sizes):
            if size + count <= room and len(groups[index]) < IN_LIST_LENGTH:
                groups[index].append((value, count))
                sizes[index] += count
                break
        else:
            groups.append([(value, count)])
            sizes.append(count)
    return groups

"""Reads a query in partitions by the values that its rows have, where no date serves.

What partitions really match is seen from what comes back, so that a filter which a server refuses
or ignores costs calls, never rows. Which terms are evidenced and which inferred: see each class.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from totango_api.reading.partitions.packing import IN_LIST_LENGTH, cover, packed
from totango_api.search import USERS, account_id_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from totango_api.search import FieldSpec, Hit, Term

FILL: Final = 0.85
"""Share of what a partition may have that it is planned to have: samples err."""


@dataclass(frozen=True)
class Partition:
    """A partition of a query: filters, and the values that they select."""

    terms: tuple[Term, ...]
    values: tuple[str, ...] = ()


class Partitioner(ABC):
    """One way to read a query in partitions.

    Attributes:
        name: Tells ways apart.
        is_partition: Whether each row is in one partition, always.
        is_disjoint: Whether no row is in two partitions, so that their counts may be added.
    """

    name: str
    is_partition = False
    is_disjoint = True

    @abstractmethod
    def share(self, hits: Sequence[Hit]) -> float:
        """Return the share of rows that the partitions are expected to hold, 0 to 1."""

    @abstractmethod
    def partitions(self, hits: Sequence[Hit], total: int, most: int) -> list[Partition]:
        """Return partitions of hardly ever more than so many rows, as far as that can be.

        Args:
            hits: Some of the rows.
            total: Rows in all.
            most: Rows that a partition may have.
        """

    def halves(self, partition: Partition) -> list[Partition]:
        """Return a partition in two; nothing where that cannot be."""
        middle = len(partition.values) // 2
        if not middle:
            return []
        return [
            self.partition(partition.values[:middle]),
            self.partition(partition.values[middle:]),
        ]

    def partition(self, values: Sequence[str]) -> Partition:
        """Return the partition of the rows that have one of these values."""
        return Partition((self.term(values),), tuple(values))

    def term(self, values: Sequence[str]) -> Term:
        """Return the filter for some values."""
        raise NotImplementedError

    def holds(self, partition: Partition, hit: Hit) -> bool:  # noqa: ARG002 (for subclasses)
        """Return whether a row may be in a partition: if not, the server ignores the filter."""
        return True


class UserPartitions(Partitioner):
    """Partitions that the user names: a list of filters for each."""

    name = "partitions"
    is_disjoint = False

    def __init__(self, partitions: Sequence[Sequence[Term]]) -> None:
        self._partitions = partitions

    def share(self, hits: Sequence[Hit]) -> float:  # noqa: ARG002 (the user knows)
        """Return more than any other: the user's word comes first."""
        return 2.0

    def partitions(self, hits: Sequence[Hit], total: int, most: int) -> list[Partition]:  # noqa: ARG002
        """Return them."""
        return [Partition(tuple(terms)) for terms in self._partitions]


class KnownValues(Partitioner):
    """A property with few known values, such as `status_group` or `health`.

    Evidenced: `{"type": "string", "term": "status_group", "in_list": ["paying"]}`.

    Args:
        name: The property.
        values: Its values; one that a server may not know comes last.
        share: The share of rows that are expected to have one of them.
    """

    def __init__(self, name: str, values: Sequence[str], share: float) -> None:
        self.name = name
        self._values = values
        self._share = share

    def share(self, hits: Sequence[Hit]) -> float:  # noqa: ARG002 (hits do not show the value)
        """Return the share that is expected."""
        return self._share

    def partitions(self, hits: Sequence[Hit], total: int, most: int) -> list[Partition]:  # noqa: ARG002
        """Return one partition a value."""
        return [self.partition([value]) for value in self._values]

    def term(self, values: Sequence[str]) -> Term:
        """Return the filter for some values."""
        return {"type": "string", "term": self.name, "in_list": list(values)}


class AttributeValues(Partitioner):
    """The values of an attribute, as seen in the rows.

    Evidenced: `{"type": "string_attribute", "attribute": "Success Manager", "in_list": [...]}`.

    Args:
        field: The requested field whose values are used.
        position: Where its value stands in `selected_fields`.
    """

    def __init__(self, field: FieldSpec, position: int) -> None:
        self.name = f"attribute:{field['attribute']}"
        self._type = field["type"]
        self.is_disjoint = self._type == "string_attribute"
        self._attribute = field["attribute"]
        self._position = position

    def share(self, hits: Sequence[Hit]) -> float:
        """Return the share of rows whose value was seen twice (Good and Turing's estimate)."""
        counts = self._counts(hits)
        repeated = sum(count for count in counts.values() if count > 1)
        return repeated / len(hits) if len(counts) > 1 else 0.0

    def partitions(self, hits: Sequence[Hit], total: int, most: int) -> list[Partition]:
        """Pack values into lists."""
        room = most * FILL * len(hits) / max(total, 1)
        groups = packed(self._counts(hits).most_common(), room)
        return [self.partition(values) for values in groups] if len(groups) > 1 else []

    def term(self, values: Sequence[str]) -> Term:
        """Return the filter for some values."""
        return {"type": self._type, "attribute": self._attribute, "in_list": list(values)}

    def holds(self, partition: Partition, hit: Hit) -> bool:
        """Return whether the row has one of the values (lists may hold several)."""
        value = self._value(hit)
        return value is None or self._type != "string_attribute" or value in partition.values

    def _counts(self, hits: Iterable[Hit]) -> Counter[str]:
        return Counter(value for hit in hits if (value := self._value(hit)) is not None)

    def _value(self, hit: Hit) -> str | None:
        values = hit.get("selected_fields")
        if not isinstance(values, list) or self._position >= len(values):
            return None
        value = values[self._position]
        return value if isinstance(value, str) and value else None


class ParentAccounts(Partitioner):
    """Users by the accounts they belong to.

    Evidenced: `{"type": "parent_account", "terms": [{"type": "string", "term": "identifier",
    "in_list": [...]}]}`.

    Args:
        account_ids: Reads the ids of all accounts; asked once, and only when needed.
    """

    name = "parent_account"
    is_partition = True

    def __init__(self, account_ids: Callable[[], list[str]]) -> None:
        self._ask = account_ids
        self._ids: list[str] | None = None

    def share(self, hits: Sequence[Hit]) -> float:  # noqa: ARG002 (users have accounts)
        """Return all of them."""
        return 1.0

    def partitions(self, hits: Sequence[Hit], total: int, most: int) -> list[Partition]:  # noqa: ARG002
        """Cut the list of ids into lists."""
        if self._ids is None:
            self._ids = self._ask()
        ids = self._ids
        count = max(int(total / (most * FILL)) + 1, -(-len(ids) // IN_LIST_LENGTH))
        size = max(-(-len(ids) // count), 1)
        return [self.partition(ids[start : start + size]) for start in range(0, len(ids), size)]

    def term(self, values: Sequence[str]) -> Term:
        """Return the filter for some ids."""
        identifiers = {"type": "string", "term": "identifier", "in_list": list(values)}
        return {"type": "parent_account", "terms": [identifiers]}

    def holds(self, partition: Partition, hit: Hit) -> bool:
        """Return whether the user's account is in the list."""
        account = hit.get("account")
        account_id = account_id_of(account) if isinstance(account, dict) else None
        return account_id is None or account_id in partition.values


class NameParts(Partitioner):
    """Parts of names, as seen in the rows; a row may be in several.

    Evidenced: `{"type": "string", "term": "search_name", "contains": "..."}`.
    """

    name = "search_name"
    is_disjoint = False

    def share(self, hits: Sequence[Hit]) -> float:
        """Return little: this is for when nothing else helps."""
        return 0.1 if hits else 0.0

    def partitions(self, hits: Sequence[Hit], total: int, most: int) -> list[Partition]:
        """Cover the names seen with parts of names, greedily."""
        room = max(most * FILL * len(hits) / max(total, 1), 1.0)
        names = [str(hit.get("display_name") or "") for hit in hits]
        term = {"type": "string", "term": "search_name"}
        return [Partition(({**term, "contains": one},)) for one in cover(names, room)]


def partitioners_of(
    stream: str, fields: Sequence[FieldSpec], account_ids: Callable[[], list[str]]
) -> list[Partitioner]:
    """Return the ways in which rows of a stream may be read in partitions.

    Args:
        stream: `accounts` or `users`.
        fields: Columns asked for, whose values hits hold by position.
        account_ids: Reads the ids of all accounts.
    """
    found: list[Partitioner] = []
    if stream == USERS:
        found.append(ParentAccounts(account_ids))
    else:
        # "Contract statuses": an account without a valid status counts as Unknown; how a search
        # spells that is inferred.
        found.append(KnownValues("status_group", ("paying", "free", "canceled", "unknown"), 0.99))
        found.append(KnownValues("health", ("green", "yellow", "red"), 0.9))
    for position, one in enumerate(fields):
        if one.get("type") in {"string_attribute", "list_attribute"} and "attribute" in one:
            found.append(AttributeValues(one, position))
    return [*found, NameParts()]


def ranked(ways: Sequence[Partitioner], hits: Sequence[Hit]) -> list[Partitioner]:
    """Return the ways whose partitions hold any rows, those with the largest share first."""
    found = [(way.share(hits), way) for way in ways]
    holding = sorted((one for one in found if one[0] > 0), key=lambda one: -round(one[0], 2))
    return [way for _, way in holding]

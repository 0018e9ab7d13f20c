"""Ways to cut a query whose rows are out of reach into smaller ones.

A splitter proposes terms; what they really match is seen from the counts and rows that come
back, so that a term which a server refuses or ignores costs calls, never rows. Which terms are
evidenced and which inferred: see each class.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from totango_api.search import USERS, account_id_of
from totango_api.walks import FILL, ListWalk, Walk
from totango_api.windows import WindowWalk

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from totango_api.pieces import Piece
    from totango_api.queries import FieldSpec, Term
    from totango_api.search import Hit

Bounds: TypeAlias = tuple[int | None, int | None]
"""First and last epoch millisecond of a window; None = open."""

IN_LIST_LENGTH: Final = 500
"""Values in one `in_list`: no source states a limit."""


class Splitter(ABC):
    """One way to cut.

    Attributes:
        name: Tells splitters apart.
        disjoint: Whether no row can be in two pieces.
    """

    name: str
    disjoint = True

    @abstractmethod
    def coverage(self, sample: Sequence[Hit]) -> float:
        """Return the share of rows that the pieces are expected to hold, 0 to 1."""

    @abstractmethod
    def walk(self, piece: Piece, sample: Sequence[Hit], total: int, reach: int) -> Walk | None:
        """Cut a piece.

        Args:
            piece: What to cut.
            sample: Some of its rows.
            total: How many rows it has.
            reach: Rows that can be read of one query.

        Returns:
            The smaller pieces; None when it cannot be cut this way.
        """

    def fits(self, sample: Sequence[Hit], total: int, reach: int) -> bool:  # noqa: ARG002
        """Tell whether the pieces are expected to be within reach."""
        return True

    def covered(self) -> Term | None:
        """Return a term that matches every row of every piece; None if there is none."""
        return None

    def honoured(self, piece: Piece, hit: Hit) -> bool:  # noqa: ARG002 (for subclasses)
        """Tell whether a row may be in a piece: if not, the server ignores the term."""
        return True


class DateWindows(Splitter):
    """Windows on a date, cut at the quantiles of the rows seen.

    *Inferred*: `gte` is evidenced for events, `lte` by analogy; the type and name of the term
    as in the field of the same date.

    Args:
        name: Tells this splitter apart.
        term: Type and name of the term, without operators.
        value: Reads the date off a hit, in epoch milliseconds.
    """

    def __init__(self, name: str, term: Term, value: Callable[[Hit], int | None]) -> None:
        self.name = name
        self._term = term
        self._value = value

    def coverage(self, sample: Sequence[Hit]) -> float:
        """Return the share of rows that have the date."""
        return _share(sum(self._value(hit) is not None for hit in sample), len(sample))

    def walk(self, piece: Piece, sample: Sequence[Hit], total: int, reach: int) -> Walk | None:
        """Cut into windows; the outer ones stay open, so that no row falls beside them."""
        dates = [date for hit in sample if (date := self._value(hit)) is not None]
        low, high = self._bounds(piece)
        if not dates or (low is not None and low == high):
            return None
        return WindowWalk(
            dates,
            share=_share(len(sample), total),
            total=total,
            reach=reach,
            bounds=(low, high),
            window=lambda first, last: piece.cut(self.name, self.window(first, last)),
            value=self._value,
        )

    def window(self, first: int | None, last: int | None) -> Term:
        """Return the term of a window, both ends included."""
        term = dict(self._term)
        if first is not None:
            term["gte"] = first
        if last is not None:
            term["lte"] = last
        return term

    def fits(self, sample: Sequence[Hit], total: int, reach: int) -> bool:
        """Tell whether no single moment has more rows than are in reach."""
        counts = Counter(date for hit in sample if (date := self._value(hit)) is not None)
        return _largest(counts) * total <= reach * len(sample)

    def covered(self) -> Term:
        """Return a term that every row with a date matches."""
        return {**self._term, "gte": _LONG_AGO}

    def honoured(self, piece: Piece, hit: Hit) -> bool:
        """Tell whether the row's date lies in the window."""
        low, high = self._bounds(piece)
        date = self._value(hit)
        if date is None:
            return low is None and high is None
        return (low is None or date >= low) and (high is None or date <= high)

    def _bounds(self, piece: Piece) -> Bounds:
        terms = piece.terms.get(self.name)
        return (terms[0].get("gte"), terms[0].get("lte")) if terms else (None, None)


_LONG_AGO: Final = -62_135_596_800_000
"""The first millisecond of the year 1."""


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
        return _largest(self._counts(sample)) * total <= reach * len(sample)

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
        return _share(repeated, len(sample)) if len(counts) > 1 else 0.0

    def walk(self, piece: Piece, sample: Sequence[Hit], total: int, reach: int) -> Walk | None:
        """Pack values into lists that are expected to be within reach."""
        counts = self._counts(sample)
        room = reach * FILL * _share(len(sample), total)
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


class NameParts(Splitter):
    """Parts of names, as seen in the rows; pieces overlap.

    Evidenced: `{"type": "string", "term": "search_name", "contains": "..."}`.
    """

    name = "search_name"
    disjoint = False

    def coverage(self, sample: Sequence[Hit]) -> float:
        """Return little: this is for when nothing else helps."""
        return 0.1 if sample else 0.0

    def walk(self, piece: Piece, sample: Sequence[Hit], total: int, reach: int) -> Walk | None:
        """Cover the names seen with parts that are expected to be within reach, greedily."""
        if self.name in piece.terms:
            return None
        room = max(reach * FILL * _share(len(sample), total), 1.0)
        names = [str(hit.get("display_name") or "") for hit in sample]
        term = {"type": "string", "term": "search_name"}
        parts = _cover(names, room)
        return ListWalk([piece.cut(self.name, {**term, "contains": part}) for part in parts])


def named_like(names: Sequence[str]) -> Term:
    """Return a term that rows of any of these names match.

    Evidenced: `or`, and `{"type": "string", "term": "search_name", "contains": "..."}`.
    """
    terms = [{"type": "string", "term": "search_name", "contains": name} for name in names]
    return terms[0] if len(terms) == 1 else {"type": "or", "or": terms}


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


class Partitions(Splitter):
    """Partitions that the user names: lists of terms, one list a partition."""

    name = "partitions"
    disjoint = False

    def __init__(self, partitions: Sequence[Sequence[Term]]) -> None:
        self._partitions = partitions

    def coverage(self, sample: Sequence[Hit]) -> float:  # noqa: ARG002 (the user knows)
        """Return more than any other: the user's word comes first."""
        return 2.0

    def walk(
        self,
        piece: Piece,
        sample: Sequence[Hit],  # noqa: ARG002 (they are named)
        total: int,  # noqa: ARG002
        reach: int,  # noqa: ARG002
    ) -> Walk | None:
        """Return the partitions, once."""
        if self.name in piece.terms:
            return None
        return ListWalk([piece.cut(self.name, *terms) for terms in self._partitions])


def date_in(name: str) -> Callable[[Hit], int | None]:
    """Return a reader of a date that hits carry under a name of their own."""
    return lambda hit: _milliseconds(hit.get(name))


def date_at(position: int) -> Callable[[Hit], int | None]:
    """Return a reader of a date in `selected_fields`."""

    def read(hit: Hit) -> int | None:
        values = hit.get("selected_fields")
        at_hand = isinstance(values, list) and position < len(values)
        return _milliseconds(values[position]) if at_hand and values else None

    return read


def splitters_for(
    stream: str, fields: Sequence[FieldSpec], account_ids: Callable[[], list[str]]
) -> list[Splitter]:
    """Return the ways in which rows of a stream may be cut, given the fields asked for."""
    found: list[Splitter] = [_hit_date("last_activity_time")]
    if stream == USERS:
        found += [_hit_date("first_activity_time"), ParentAccounts(account_ids)]
    else:
        found += [
            # "Contract statuses": an account without a valid status counts as Unknown; how a
            # search spells that is inferred.
            FixedValues("status_group", ("paying", "free", "canceled", "unknown"), 0.99),
            FixedValues("health", ("green", "yellow", "red"), 0.9),
        ]
    for position, field in enumerate(fields):
        if field.get("type") in {"string_attribute", "list_attribute"} and "attribute" in field:
            found.append(AttributeValues(field, position))
        elif field.get("type") == "date_attribute" and "attribute" in field:
            term = {"type": "date_attribute", "attribute": field["attribute"]}
            found.append(DateWindows(f"date:{field['attribute']}", term, date_at(position)))
    found.append(NameParts())
    return found


def _hit_date(name: str) -> DateWindows:
    return DateWindows(name, {"type": "date", "term": name}, date_in(name))


def _milliseconds(value: object) -> int | None:
    return int(value) if isinstance(value, int) and not isinstance(value, bool) else None


def _largest(counts: Counter[Any]) -> int:
    return max(counts.values(), default=0)


def _share(part: float, whole: float) -> float:
    return part / whole if whole else 0.0


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


_PART_LENGTHS: Final = range(1, 6)


def _cover(names: Sequence[str], room: float) -> list[str]:
    """Return parts of which every name holds one, each held by few enough names."""
    holders: dict[str, set[int]] = {}
    for index, name in enumerate(names):
        parts = {
            name[start : start + length]
            for length in _PART_LENGTHS
            for start in range(len(name) - length + 1)
        }
        for part in parts:
            holders.setdefault(part, set()).add(index)
    fitting = {part: held for part, held in holders.items() if len(held) <= room and part.strip()}
    uncovered = set(range(len(names)))
    chosen = []
    while uncovered and fitting:
        best = max(fitting, key=lambda part: (len(fitting[part] & uncovered), part))
        if not fitting[best] & uncovered:
            break
        uncovered -= fitting.pop(best)
        chosen.append(best)
    return chosen

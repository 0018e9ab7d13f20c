"""Gives columns their names, and lets them keep them: a column never changes its meaning.

A name belongs to the column that had it first. The state remembers earlier runs, and a catalog says
by its titles what each of its columns was made of. A newcomer whose name is taken gets a suffix.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

from totango_api.text import snake

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from tap_totango.schema.columns import Column

SNAKE: Final = "snake"
ORIGINAL: Final = "original"

MOST_BYTES: Final = 63
"""PostgreSQL cuts what is longer, without a word ("Identifiers and Key Words")."""

RESERVED: Final = frozenset(
    {
        *("tableoid", "oid", "xmin", "cmin", "xmax", "cmax", "ctid"),
        *("_sdc_extracted_at", "_sdc_received_at", "_sdc_batched_at", "_sdc_deleted_at"),
        *("_sdc_sequence", "_sdc_table_version", "_sdc_sync_started_at"),
    }
)
"""System columns of PostgreSQL ("System Columns"), and columns that targets add."""

MOST_REMEMBERED: Final = 2000
"""So many names of a stream are remembered; beyond them, the oldest that are gone are forgotten."""


@dataclass(frozen=True)
class Naming:
    """How names are made of labels.

    Attributes:
        style: `snake` or `original`.
        is_safe: Whether every database must be able to hold them.
    """

    style: str = SNAKE
    is_safe: bool = True

    @property
    def key(self) -> str:
        """Name under which the names of this kind are remembered."""
        return self.style if self.is_safe else f"{self.style}, any name"

    def wanted(self, label: str) -> str:
        """Return the name that a label asks for."""
        name = snake(label) if self.style == SNAKE else label
        if not self.is_safe:
            return name
        return _cut(name, MOST_BYTES) if name.strip() else "unnamed"

    def free(self, name: str, used: Collection[str]) -> str:
        """Return a name, numbered if it is used.

        Args:
            name: The name wanted.
            used: Names that are not to be had, case-folded.
        """
        found, number = name, 2
        while found.casefold() in used or (self.is_safe and found.casefold() in RESERVED):
            suffix = f"_{number}"
            kept = _cut(name, MOST_BYTES - len(suffix)) if self.is_safe else name
            found, number = f"{kept}{suffix}", number + 1
        return found


def _cut(name: str, most_bytes: int) -> str:
    return name.encode()[:most_bytes].decode(errors="ignore")


@dataclass(frozen=True)
class Remembered:
    """What a name stands for.

    Attributes:
        identity: Of the column (:attr:`Column.identity`).
        kind: Of its values; None if it is no attribute, or the service no longer has it.
    """

    identity: str
    kind: str | None


@dataclass(frozen=True)
class KnownColumns:
    """What is known of a stream's columns before the service is asked.

    Attributes:
        remembered: What earlier runs called them, by name, in the order in which they came.
        catalogued: Their JSON schemas in the catalog, by name; None if there is no catalog.
    """

    remembered: Mapping[str, Remembered] = field(default_factory=dict)
    catalogued: Mapping[str, Mapping[str, Any]] | None = None

    @classmethod
    def from_state(
        cls, saved: Any, catalogued: Mapping[str, Mapping[str, Any]] | None = None
    ) -> KnownColumns:
        """Read what :meth:`to_state` returned."""
        entries = saved.items() if isinstance(saved, dict) else ()
        remembered = {name: Remembered(identity, kind) for name, (kind, identity) in entries}
        return cls(remembered, catalogued)

    def title(self, name: str) -> str | None:
        """Return the title of a column of the catalog."""
        title = (self.catalogued or {}).get(name, {}).get("title")
        return None if title is None else str(title)


def remember(
    known: KnownColumns, columns: Iterable[Column], *, is_whole: bool
) -> dict[str, tuple[str | None, str]]:
    """Return what the state remembers from now on: kind and identity of each name.

    Args:
        known: What was known before.
        columns: The columns there are now.
        is_whole: Whether these are all that the service has.
    """
    live = {
        column.name: (None if column.is_computed else column.kind, column.identity)
        for column in columns
    }
    entries: dict[str, tuple[str | None, str]] = {
        name: (None if is_whole else one.kind, one.identity)
        for name, one in known.remembered.items()
    }
    entries |= live
    gone = [name for name in entries if name not in live]
    for name in gone[: max(len(entries) - MOST_REMEMBERED, 0)]:
        del entries[name]
    return entries


def retyped(known: KnownColumns, columns: Iterable[Column]) -> Iterator[tuple[Column, str]]:
    """Yield columns whose values were of another kind in earlier runs, and that kind."""
    for column in columns:
        before = known.remembered.get(column.name)
        if before is None or before.kind is None or before.identity != column.identity:
            continue
        if before.kind != column.kind and not column.is_computed:
            yield column, before.kind


@dataclass(frozen=True)
class NamedColumns:
    """Columns and their names.

    Attributes:
        columns: In the order in which they were given.
        numbered: Newcomers whose own name belongs to another.
    """

    columns: Sequence[Column]
    numbered: Sequence[Column]


def name_columns(
    columns: Sequence[Column],
    naming: Naming,
    known: KnownColumns,
    *,
    taken: Collection[str],
) -> NamedColumns:
    """Give every column a name that differs from all others by more than case.

    Args:
        columns: Each with an identity of its own.
        naming: How names are made.
        known: Who has a name already.
        taken: Names that are not to be had.
    """
    owners = _owners(columns, naming, known, taken)
    names = _kept_names({column.identity for column in columns}, owners, known)
    used = {name.casefold() for name in (*taken, *owners)}
    numbered = set()
    newcomers = [column for column in columns if column.identity not in names]
    for column in sorted(newcomers, key=lambda one: _order(one, naming)):
        wanted = naming.wanted(column.wanted_label)
        name = naming.free(wanted, used)
        used.add(name.casefold())
        names[column.identity] = name
        if name != wanted:
            numbered.add(column.identity)
    named = [replace(column, name=names[column.identity]) for column in columns]
    return NamedColumns(named, [column for column in named if column.identity in numbered])


def _kept_names(
    identities: Collection[str], owners: Mapping[str, str | None], known: KnownColumns
) -> dict[str, str]:
    """Return the name that each column has already: that of the catalog, else its latest."""
    names: dict[str, str] = {}
    catalogued = known.catalogued or {}
    for name, identity in owners.items():
        if identity is None or identity not in identities:
            continue
        if name in catalogued or names.get(identity) not in catalogued:
            names[identity] = name
    return names


def _order(column: Column, naming: Naming) -> tuple[str, bool, str]:
    """Order newcomers by nothing but their labels; who is spelled as its column comes first."""
    wanted = naming.wanted(column.wanted_label)
    return wanted.casefold(), wanted != column.wanted_label, column.wanted_label


def _owners(
    columns: Sequence[Column], naming: Naming, known: KnownColumns, taken: Collection[str]
) -> dict[str, str | None]:
    """Return who has each name: the identity of a column, or None for one that is gone.

    What earlier runs called a column counts more than the title in a catalog, which may have been
    discovered since. A name of the catalog whose column has another name there is free.
    """
    owners: dict[str, str | None] = {name: one.identity for name, one in known.remembered.items()}
    if known.catalogued is None:
        return owners
    spelled = {name.casefold(): one.identity for name, one in known.remembered.items()}
    kept = {spelled.get(name.casefold()) for name in known.catalogued}
    often = Counter(column.title for column in columns)
    by_title = {one.title: one.identity for one in columns if often[one.title] == 1}
    fresh = _fresh_names(columns, naming, taken)
    for name in known.catalogued:
        if name.casefold() in spelled:
            owners[name] = spelled[name.casefold()]
            continue
        title = known.title(name)
        identity = by_title.get(title) if title is not None else None
        if identity is None and name in fresh and title in {None, fresh[name].title}:
            identity = fresh[name].identity
        if identity is None or identity not in kept:
            owners[name] = identity
    return owners


def _fresh_names(
    columns: Sequence[Column], naming: Naming, taken: Collection[str]
) -> dict[str, Column]:
    """Return the column of each name as it would be if none had ever been given."""
    named = name_columns(columns, naming, KnownColumns(), taken=taken)
    return {column.name: column for column in named.columns}

"""Moves rows after every search call, as often as the switches say, and keeps a journal of it."""

from __future__ import annotations

import random
from collections import Counter
from typing import TYPE_CHECKING, Any, Final, Protocol

from totango_sandbox import dates
from totango_sandbox.movement.events import EventMover
from totango_sandbox.movement.rows import RowMover

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from totango_sandbox.storage import Store
    from totango_sandbox.switches import Switches

Move = dict[str, Any]
_OBJECTS: Final = ("accounts", "users", "events")
_KINDS: Final = ("out", "in", "backdated", "replaced", "renamed", "active", "edited")


class Mover(Protocol):
    """Moves one row at a time and returns what moved, as entries of the journal."""

    def move(self, kind: str, *, first: bool) -> Iterable[Move]:
        """Make one move; ``first`` means where rows sort first."""


class Movement:
    """A tenant that lives.

    Every search call on an object is followed by the moves that the ``moves_…`` switches ask for,
    chosen by ``moves_seed``. The journal says of each move after how many search calls on its
    object it happened, so that a test can tell which rows were there during a whole read.

    Attributes:
        searches: answered search calls for each object.
        journal: all moves, oldest first.
    """

    def __init__(self, store: Store, switches: Switches) -> None:
        self._store = store
        self._switches = switches
        self._clock = dates.Clock()
        self.clear()

    def clear(self) -> None:
        """Forget all moves and start counting again."""
        self.searches: Counter[str] = Counter(dict.fromkeys(_OBJECTS, 0))
        self.journal: list[Move] = []
        self._revision = -1
        self._seed = ""
        self._movers: dict[str, Mover] = {}

    def after_search(self, name: str) -> int:
        """Count one search call on an object and make the moves that follow it.

        Returns:
            The number of the call, counted from 1.
        """
        self.searches[name] += 1
        if self._revision != self._switches.revision:
            self._read_switches()
        first = self._switches.text("moves_where") == "first"
        for kind in self._due(name):
            self.move(name, kind, first=first)
        return self.searches[name]

    def move(self, name: str, kind: str, *, first: bool = False) -> None:
        """Make one move of an object and write it down.

        Args:
            name: the object.
            kind: as in the names of the switches.
            first: whether the row comes or goes where rows sort first.
        """
        if not self._movers:
            self._read_switches()
        for entry in self._movers[name].move(kind, first=first):
            searches = self.searches[entry["object"]]
            self.journal.append({"sequence": len(self.journal), "after_search": searches, **entry})

    def _due(self, name: str) -> Iterator[str]:
        """Return the kinds of the moves that are due; fractions add up from call to call."""
        if name not in self._moving:
            return
        for kind, rate in self._rates.items():
            owed = self._owed[name, kind] + rate
            self._owed[name, kind] = owed - int(owed)
            for _ in range(int(owed)):
                yield kind

    def _read_switches(self) -> None:
        switches = self._switches
        self._revision = switches.revision
        self._moving = switches.listed("moves_on")
        rates = {kind: switches.number(f"moves_{kind}") for kind in _KINDS}
        self._rates = {kind: rate for kind, rate in rates.items() if rate}
        if self._seed == switches.text("moves_seed"):
            return
        self._seed = switches.text("moves_seed")
        self._owed: dict[tuple[str, str], float] = {
            (name, kind): 0.0 for name in _OBJECTS for kind in _KINDS
        }
        dice = [random.Random(f"{self._seed} {name}") for name in _OBJECTS]  # noqa: S311 (repeatable on purpose)
        self._movers = {
            "accounts": RowMover(self._store, self._store.accounts, dice[0], self._clock),
            "users": RowMover(self._store, self._store.users, dice[1], self._clock),
            "events": EventMover(self._store, dice[2], self._clock),
        }

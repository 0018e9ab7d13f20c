"""Events that come, go and are edited."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from totango_sandbox import dates
from totango_sandbox.seed import EventMaker

if TYPE_CHECKING:
    import random

    from totango_sandbox.storage import Store

Move = dict[str, Any]
_PAST_DAYS: Final = 60
# Ids of touchpoints and tasks are counted from here: those of the seed end far below.
_FIRST_NUMBER: Final = 1_000_000


class EventMover:
    """Moves events, one at a time."""

    def __init__(self, store: Store, dice: random.Random, clock: dates.Clock) -> None:
        self._store = store
        self._dice = dice
        self._maker = EventMaker(dice)
        self._serial = 0
        self._clock = clock

    def move(self, kind: str, *, first: bool) -> list[Move]:  # noqa: ARG002 (events sort by time)
        """Make one move and return the journal's entries of it."""
        if kind == "replaced":
            return self._go() + self._come(0)
        if kind == "in":
            return self._come(0)
        if kind == "backdated":
            return self._come(self._dice.randrange(1, _PAST_DAYS) * dates.DAY)
        if kind == "out":
            return self._go()
        return self._edit() if kind == "edited" else []

    def _come(self, age: int) -> list[Move]:
        moment = self._clock.now()
        self._serial += 1
        event = self._maker.make(_FIRST_NUMBER + self._serial, self._account(), moment)
        event["timestamp"] = moment - age
        event["id"] = self._new_id()
        self._store.events.put(event)
        return [_entry("in", event["id"], moment)]

    def _go(self) -> list[Move]:
        if not self._store.events:
            return []
        event_id = self._dice.choice(list(self._store.events))
        self._store.events.remove(event_id)
        return [_entry("out", event_id, self._clock.now())]

    def _edit(self) -> list[Move]:
        """Change the subject of an event; ``event_edits`` decides its timestamp."""
        if not self._store.events:
            return []
        before = self._store.events[self._dice.choice(list(self._store.events))]
        moment, mode = self._clock.now(), self._store.switches.text("event_edits")
        self._serial += 1
        changed = {"subject": f"edited {self._serial}", "last_edit_time": moment}
        event = {**before, "properties": {**before.get("properties", {}), **changed}}
        if mode != "keep":
            event["timestamp"] = moment
        if mode == "new":
            event["id"] = self._new_id()
        self._store.events.put(event)
        return [{**_entry("edited", before["id"], moment), "new_event_id": event["id"]}]

    def _new_id(self) -> str:
        while True:
            self._serial += 1
            event_id = f"evt-{self._dice.getrandbits(32):08x}-{self._serial}"
            if event_id not in self._store.events:
                return event_id

    def _account(self) -> dict[str, Any]:
        accounts = self._store.accounts
        if not len(accounts):
            return {"id": "somebody", "display_name": "Somebody"}
        account_id = self._dice.choice(list(accounts.rows_by_key))
        row = accounts.rows_by_key[account_id]
        return {"id": account_id, "display_name": accounts.base["display"][row]}


def _entry(move: str, event_id: str, moment: int) -> Move:
    return {"object": "events", "move": move, "event_id": event_id, "time": moment}

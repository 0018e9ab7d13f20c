"""Everything that one running sandbox consists of, in one place for the handlers."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from totango_sandbox.faults import FaultInjector
from totango_sandbox.http import CallLog, RateLimit
from totango_sandbox.movement import Movement
from totango_sandbox.search import Searcher

if TYPE_CHECKING:
    from totango_sandbox.storage import Store
    from totango_sandbox.switches import Switches

_PARTS: Final = 3


@dataclass(slots=True)
class Service:
    """One emulated Totango service.

    Attributes:
        token: the app token that is accepted.
        service_id: the full service id, ``SP-12345-01``.
        scrolls: open scrolls, by id.
    """

    token: str
    service_id: str
    switches: Switches
    store: Store
    faults: FaultInjector = field(default_factory=FaultInjector)
    limit: RateLimit = field(default_factory=RateLimit)
    calls: CallLog = field(default_factory=CallLog)
    scrolls: dict[str, Any] = field(default_factory=dict)
    searcher: Searcher = field(init=False)
    movement: Movement = field(init=False)

    def __post_init__(self) -> None:
        self.searcher = Searcher(self.store, self.switches)
        self.movement = Movement(self.store, self.switches)

    @property
    def number(self) -> str:
        """The middle part of the service id, which the hub wants (Integration Hub clients)."""
        parts = self.service_id.split("-")
        return parts[1] if len(parts) == _PARTS else self.service_id

    def clear(self) -> None:
        """Empty the service: rows, calls and all counters; switches and faults stay."""
        self.store.reset()
        self.calls.clear()
        self.limit.clear()
        self.faults.restart()
        self.scrolls.clear()
        self.searcher.clear()
        self.movement.clear()

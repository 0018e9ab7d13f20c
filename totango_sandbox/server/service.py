"""Everything that one running sandbox consists of, in one place for the handlers."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from totango_sandbox.faults import Chaos
from totango_sandbox.movement import Movement
from totango_sandbox.server.call_log import Ledger
from totango_sandbox.server.rate_limit import RateLimit

if TYPE_CHECKING:
    from totango_sandbox.storage.store import Store
    from totango_sandbox.switches import Switches


@dataclass(slots=True)
class Service:
    """One emulated Totango service.

    Attributes:
        token: the app token that is accepted.
        service_id: the full service id, ``SP-12345-01``.
    """

    token: str
    service_id: str
    switches: Switches
    store: Store
    chaos: Chaos = field(default_factory=Chaos)
    limit: RateLimit = field(default_factory=RateLimit)
    ledger: Ledger = field(default_factory=Ledger)
    requests_served: int = 0
    answers: dict[str, tuple[Any, list[int]]] = field(default_factory=dict)
    totals: dict[str, Any] = field(default_factory=dict)
    scrolls: dict[str, Any] = field(default_factory=dict)
    movement: Movement = field(init=False)

    def __post_init__(self) -> None:
        self.movement = Movement(self.store, self.switches)

    @property
    def service_number(self) -> str:
        """The middle part of the service id, which the hub wants (Integration Hub clients)."""
        parts = self.service_id.split("-")
        return parts[1] if len(parts) == 3 else self.service_id

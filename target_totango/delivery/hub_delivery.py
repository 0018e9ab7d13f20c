"""Batches of the Integration Hub, and what becomes of their rows."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from target_totango.delivery.base import written
from target_totango.delivery.results import Confirmed, Failed, Refused, Uncertain, WriteResult
from target_totango.objects import OBJECTS, HubForm
from totango_api.errors import ApiError, TotangoError, UnavailableError
from totango_api.writing import hub

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterator, Sequence

    from target_totango.models import Row
    from totango_api.writing.hub import First, Hub, HubRow
    from totango_api.writing.hub_rows import HubObject

Outcomes: TypeAlias = "list[tuple[Sequence[int], WriteResult]]"
"""What became of the rows of a batch, by their places."""


@dataclass(eq=False)
class Batch:
    """Rows of one kind that go out together.

    Attributes:
        kind: Their object, and the type of their collection.
        writes: Keys that they change.
        after: Keys that they follow.
        since: When the first one came.
    """

    kind: tuple[str, str | None]
    rows: list[Row] = field(default_factory=list)
    writes: set[Hashable] = field(default_factory=set)
    after: set[Hashable] = field(default_factory=set)
    since: float = field(default_factory=time.monotonic)

    @property
    def idempotent(self) -> bool:
        """Whether sending it twice does no harm."""
        return OBJECTS[self.kind[0]].is_idempotent

    @property
    def object(self) -> HubObject:
        """What the hub calls its rows."""
        return self._form.surface

    def hub_rows(self) -> list[HubRow]:
        """Return its rows as the hub takes them."""
        hub_row = self._form.row
        return [hub_row(written(row)) for row in self.rows]

    @property
    def _form(self) -> HubForm:
        form = OBJECTS[self.kind[0]].hub
        if form is None:
            msg = f"{self.kind[0]} do not go through the hub"
            raise AssertionError(msg)
        return form


class HubDelivery:
    """Delivers batches. Safe to share between threads.

    Args:
        hub_client: The hub.
        prepare: Called with the rows of a batch right before it goes out.
    """

    def __init__(self, hub_client: Hub, prepare: Callable[[list[Row]], None]) -> None:
        self.hub = hub_client
        self._prepare = prepare

    def prepared(self, batch: Batch) -> bytes | None:
        """Prepare a batch, and return its body; None if it cannot go out in one call.

        Raises:
            TotangoError: If it must not go out.
        """
        body = self.hub.body(batch.object, batch.hub_rows())
        if body is not None:
            self._prepare(batch.rows)
        return body

    def deliver(self, batch: Batch, first: First | None = None) -> Outcomes:
        """Return what became of every row, with as many calls as it takes.

        Args:
            batch: The rows.
            first: What came of sending the whole batch, where that was done before.
        """
        found: Outcomes = []
        try:
            if first is None:
                self._prepare(batch.rows)
            found.extend(self._outcomes(batch, first))  # what was known before an error counts
        except TotangoError as error:
            status = error.status if isinstance(error, ApiError) else None
            missing = Failed(error, status)
        else:
            missing = Failed(UnavailableError("The hub", reason="said nothing about the row"))
        known = {at for places, _ in found for at in places}
        if len(known) < len(batch.rows):
            found.append(([at for at in range(len(batch.rows)) if at not in known], missing))
        return found

    def _outcomes(
        self, batch: Batch, first: First | None
    ) -> Iterator[tuple[Sequence[int], WriteResult]]:
        said = self.hub.outcomes(
            batch.object, batch.hub_rows(), collection_type=batch.kind[1], first=first
        )
        for places, outcome in said:
            match outcome:
                case hub.Accepted():
                    yield places, Confirmed()
                case hub.Refused(reason, status):
                    yield places, Refused(reason, status)
                case hub.Uncertain(reason):
                    # Rows of one call share its error, by which failed calls are counted.
                    error = UnavailableError("The hub", reason=reason)
                    yield places, Failed(error) if batch.idempotent else Uncertain(error)

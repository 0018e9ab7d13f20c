"""Results of a destination, kept until they are collected."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from target_totango.delivery.hub import HubDestination
    from target_totango.delivery.results import WriteResult
    from target_totango.delivery.tracking import TrackingDestination
    from target_totango.models import Row


class CollectedResults:
    """A destination that returns results instead of handing them on.

    Attributes:
        destination: Where rows go.
    """

    destination: HubDestination | TrackingDestination

    def __init__(self) -> None:
        self._results: list[tuple[Row, WriteResult]] = []

    def add(self, row: Row, result: WriteResult) -> None:
        """Keep the result of a row."""
        self._results.append((row, result))

    def add_all(self, rows: Sequence[Row], result: WriteResult) -> None:
        """Keep the result that rows share."""
        self._results += [(row, result) for row in rows]

    @property
    def busy(self) -> bool:
        """Whether a call is under way, or a result was not collected yet."""
        return bool(self._results) or self.destination.busy

    @property
    def has_results(self) -> bool:
        """Whether results wait to be collected."""
        return bool(self._results)

    def put(self, row: Row) -> None:
        """Take a row; waits while too many are under way."""
        self.destination.put(row)

    def collect(self) -> list[tuple[Row, WriteResult]]:
        """Return the results that are known, without waiting."""
        self.destination.collect()
        results, self._results = self._results, []
        return results

    def drain(self, *, until: float) -> bool:
        """Finish every row; return False if `until` came first."""
        return self.destination.drain(until=until)

    def cancel(self) -> None:
        """Start nothing new."""
        self.destination.cancel()

    def close(self) -> None:
        """End the threads and connections."""
        self.destination.close()

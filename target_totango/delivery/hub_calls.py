"""Integration Hub batches sent from an event loop, as long as all goes well."""

from __future__ import annotations

import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from target_totango.delivery.hub_delivery import Batch, Outcomes
from target_totango.delivery.ordered_calls import OrderedCalls
from target_totango.delivery.results import Confirmed, Failed
from totango_api.errors import TotangoError

if TYPE_CHECKING:
    from collections.abc import Callable

    from target_totango.delivery.hub_delivery import HubDelivery
    from target_totango.delivery.ordering import Task
    from totango_api.errors import ApiError
    from totango_api.http.async_client import Poster
    from totango_api.http.call_loop import CallLoop
    from totango_api.writing.hub import First
    from totango_api.writing.hub_responses import Reply


class HubCalls(OrderedCalls[Batch, Outcomes]):
    """Sends whole batches from an event loop; a refused one is taken apart in a thread.

    Args:
        delivery: Delivers them.
        loop: Runs the calls.
        settle: Takes each batch and what became of its rows.
        in_flight: Batches at once.
        ahead: Batches that wait for each of them.
        interrupted: Asked while `submit` waits: whether to wait no longer.
    """

    def __init__(
        self,
        delivery: HubDelivery,
        loop: CallLoop,
        settle: Callable[[Batch, Outcomes], None],
        *,
        in_flight: int,
        ahead: int,
        interrupted: Callable[[], bool],
    ) -> None:
        super().__init__(
            loop,
            prepare=lambda _: None,
            start=self._post,
            settle=settle,
            in_flight=in_flight,
            ahead=ahead,
            interrupted=interrupted,
        )
        self._delivery = delivery
        self._calls = loop
        self._limit = in_flight
        self._posters: dict[str, Poster[Reply]] = {}

    def close(self) -> None:
        """End the connections."""
        for poster in self._posters.values():
            poster.close()

    def _post(self, task: Task[Batch]) -> None:
        batch = task.job
        if batch.kind[1] is not None:
            # Every collection has a URL, and so connections, of its own: too many to keep.
            self._apart(task)
            return
        try:
            body = self._delivery.prepared(batch)
        except TotangoError as error:
            self.finish(task, [(range(len(batch.rows)), Failed(error))])
            return
        if body is None:
            self._apart(task)
        else:
            self._poster(batch).post(body, task, idempotent=batch.idempotent)

    def _poster(self, batch: Batch) -> Poster[Reply]:
        poster = self._posters.get(batch.object)
        if poster is None:
            poster = self._posters[batch.object] = self._delivery.hub.poster(
                self._calls, batch.object, self._answered, limit=self._limit
            )
        return poster

    def _answered(self, task: Task[Batch], error: ApiError | None, reply: Reply | None) -> None:
        if reply is not None and reply.clean:
            self.finish(task, [(range(len(task.job.rows)), Confirmed())])
            return

        def first() -> Reply:
            if reply is None:
                raise error or AssertionError
            return reply

        self._apart(task, first)

    def _apart(self, task: Task[Batch], first: First | None = None) -> None:
        """Find out in a thread what became of each row: that may take many calls."""

        def work() -> None:
            try:
                found = self._delivery.deliver(task.job, first)
            except Exception as error:  # noqa: BLE001 (raised again in the loop's thread)
                self._soon(_raise, error)
            else:
                self._soon(self.finish, task, found)

        threading.Thread(target=work, daemon=True, name="totango-call").start()

    def _soon(self, callback: Callable[..., None], *arguments: Any) -> None:
        with suppress(RuntimeError):  # the run is over, and the loop closed
            self._calls.inner.call_soon_threadsafe(callback, *arguments)


def _raise(error: Exception) -> None:
    raise error

"""Reads events once for all streams made of them."""

from __future__ import annotations

import functools
import pickle
import tempfile
from typing import IO, TYPE_CHECKING, Any, Final, Protocol

from tap_totango.report import Progress
from tap_totango.schema import milliseconds_of
from tap_totango.streams.reads import incomplete, unless_refused
from totango_api.errors import TotangoError
from totango_api.limits import PAGE_ROWS
from totango_api.reading import EventsRead, of_types, since
from totango_api.search import Query
from totango_api.text import calls, rows

if TYPE_CHECKING:
    import logging
    from collections.abc import Iterator, Mapping, Sequence

    from tap_totango.report import StreamMetrics
    from tap_totango.state import Start
    from totango_api.http import ApiClient
    from totango_api.search import Hit, PastedQuery

_IN_MEMORY: Final = 16 * 1024 * 1024
"""Bytes of the events kept for a stream; beyond, they are in a temporary file."""


class EventConsumer(Protocol):
    """A stream that wants events."""

    name: str

    @property
    def logger(self) -> logging.Logger: ...  # noqa: D102
    @property
    def config(self) -> Mapping[str, Any]: ...  # noqa: D102
    @property
    def client(self) -> ApiClient: ...  # noqa: D102
    @property
    def start(self) -> Start: ...  # noqa: D102
    @property
    def pasted(self) -> PastedQuery: ...  # noqa: D102
    @property
    def types(self) -> Sequence[str]: ...  # noqa: D102
    @property
    def metrics(self) -> StreamMetrics: ...  # noqa: D102
    def chosen(self, hits: Sequence[Hit]) -> list[Hit]: ...  # noqa: D102
    def log_query(self, total: int | None) -> None: ...  # noqa: D102


class EventsPass:
    """Reads events once for all streams that want them.

    The stream that is read first gets its events as they arrive. Those of the others are kept
    until their turn.

    Attributes:
        error: Why the read is not complete; None where it is.
        leaves_newer: Whether what was edited while it was read may be left to the next run.
    """

    def __init__(self) -> None:
        self._kept: dict[str, IO[bytes]] = {}
        self._served: set[str] = set()
        self.error: TotangoError | None = None
        self.leaves_newer = False

    def pages(self, view: EventConsumer, views: Sequence[EventConsumer]) -> Iterator[Sequence[Hit]]:
        """Yield the events that a stream wants, each once.

        Args:
            view: The stream.
            views: All streams that are read in this run.

        Raises:
            TotangoError: If not all could be read.
        """
        self._served.add(view.name)
        if view.name in self._kept:
            view.metrics.how = "out of the one read of events"
            yield from self._pages_kept(self._kept.pop(view.name))
        else:
            self.error, self.leaves_newer = None, False
            yield from self._pages_read(
                view, [one for one in views if one.name not in self._served]
            )
        if self.error is not None:
            raise self.error

    @staticmethod
    def _pages_kept(file: IO[bytes]) -> Iterator[Sequence[Hit]]:
        with file:
            file.seek(0)
            while True:
                try:
                    yield pickle.load(file)  # noqa: S301 (written by this process)
                except EOFError:
                    return

    def _pages_read(
        self, view: EventConsumer, others: Sequence[EventConsumer]
    ) -> Iterator[Sequence[Hit]]:
        kept: dict[str, IO[bytes]] = {
            one.name: tempfile.SpooledTemporaryFile(_IN_MEMORY)  # noqa: SIM115 (read later)
            for one in others
        }
        try:
            for hits in self._read(view, [view, *others]):
                for other in others:
                    if wanted := other.chosen(hits):
                        pickle.dump(wanted, kept[other.name])
                if wanted := view.chosen(hits):
                    yield wanted
        except TotangoError as error:
            self.error = error
        except BaseException:  # nobody reads on: the others read for themselves
            for file in kept.values():
                file.close()
            raise
        self._kept = kept

    def _read(self, view: EventConsumer, views: Sequence[EventConsumer]) -> Iterator[Sequence[Hit]]:
        floors = [one.start.since for one in views]
        floor = min((one for one in floors if one is not None), default=None)
        floor = None if None in floors else floor
        view.logger.info(
            "%s: reading events from %s.",
            ", ".join(sorted(one.name for one in views)),
            floor or "the first on",
        )
        for account_id in view.config.get("account_ids") or [view.pasted.account_id]:
            query = _query(view, views)
            if floor is None:
                yield from self._hits(view, query, account_id)
                continue
            yield from unless_refused(
                self._hits(view, query.narrowed(since(milliseconds_of(floor))), account_id),
                functools.partial(self._hits, view, query, account_id),
                functools.partial(
                    view.logger.warning,
                    "events: Totango refuses to filter by time, so everything is read, and older "
                    "rows are dropped here. %s",
                ),
            )

    def _hits(
        self, view: EventConsumer, query: Query, account_id: str | None
    ) -> Iterator[Sequence[Hit]]:
        """Yield events.

        Raises:
            IncompleteReadError: If some may be missing.
        """
        reading = EventsRead(view.client, query, account_id=account_id)
        result = reading.result
        with Progress(view.logger, "events", view.client) as progress:
            for hits in reading.batches():
                view.log_query(result.total)
                if hits:
                    yield hits
                progress.advance(len(hits), result.total, result.calls)
        view.log_query(result.total)
        view.metrics.note_result(result)
        self.leaves_newer |= result.leaves_newer
        view.logger.info("events: %s in %s.", rows(result.rows), calls(result.calls))
        if not result.is_complete:
            raise incomplete(result, "Set on_incomplete: warn to go on without them.")


def _query(view: EventConsumer, views: Sequence[EventConsumer]) -> Query:
    """Return a query for what all of the streams want."""
    size = view.config.get("page_size") or PAGE_ROWS
    query = Query(terms=view.pasted.terms, count=size, sort_order=None)
    if all(one.types for one in views):
        query = query.narrowed(of_types(sorted({kind for one in views for kind in one.types})))
    return query

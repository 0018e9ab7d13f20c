"""The stream `audit_log`: who looked at or changed personal data ("Audit log API")."""

from __future__ import annotations

import hashlib
import json
import math
from contextlib import suppress
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, ClassVar, Final

from tap_totango.schema import OBJECT, TEXT, TIMESTAMP, Column, ConversionError, convert, moment_of
from tap_totango.state import Bookmark
from tap_totango.streams.lists.base import ListedStream
from totango_api.errors import IncompleteReadError, RefusedError, ResponseError
from totango_api.search import Query

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_PATH: Final = "/api/v2/audit"
_ENDPOINT: Final = f"GET {_PATH}"
_FIRST: Final = date(2018, 5, 3)
_LOOKBACK_SECONDS: Final = 2 * 86_400
_ROUND: Final = 1000
"""Responses are said to have no limit; one with a multiple of so many rows may have been cut."""

_SUSPICIOUS: Final = 50
"""One for several days with a multiple of so many is compared with those for each of them."""


class AuditLogStream(ListedStream):
    """Entries of the audit log, by `row_id`: a hash of the entry, which has no id."""

    name = "audit_log"
    keys: ClassVar[tuple[str, ...]] = ("row_id",)
    incremental_on = "timestamp"
    calls = (
        "one for each month, first from 2018 or `start_date` on, then from two days before the "
        "bookmark; a month whose response may have been cut is asked for day by day"
    )
    base = (
        Column("row_id", TEXT, "Hash of the entry", ("row_id",)),
        Column("timestamp", TIMESTAMP, "Time", ("timestamp",)),
        Column("action", TEXT, "Action", ("action",)),
        Column("entry", OBJECT, "Whole entry", ("entry",)),
    )

    def rows(self) -> Iterator[Sequence[dict[str, Any]]]:
        """Yield entries from two days before the bookmark up to now, a month or a day with a call.

        Raises:
            ApiError: If the service does not give them.
        """
        key = self.replication_key if self.replication_method == "INCREMENTAL" else None
        self._bookmark = Bookmark(self.stream_state, key, self.run.started_at)
        self._start = self._bookmark.start(
            Query(),
            every_hours=None,
            lookback_seconds=max(_LOOKBACK_SECONDS, self.config.get("lookback_seconds") or 0),
            start_date=self.config.get("start_date"),
        )
        since = self._start.since
        self._greatest: str | None = None
        self._cut: list[date] = []
        self._limit: float = self.run.known_service.audit_rows or math.inf
        self._unasked: list[date] = []
        day = max(moment_of(since).date(), _FIRST) if since else _FIRST
        end = self.run.started_at.date() + timedelta(days=1)
        while day < end:
            stop = min(_next_month(day), end)
            if stop.year > day.year and (stop - day).days > 1:
                stop -= timedelta(days=1)  # both dates have to be in one year
            yield from self._of(day, stop)
            day = stop

    def _of(self, day: date, stop: date) -> Iterator[Sequence[dict[str, Any]]]:
        """Yield the entries of some days; day by day where the response may have been cut."""
        entries = self._entries(day, stop)
        rows, days = len(entries), (stop - day).days
        if days == 1 or not rows or (rows % _SUSPICIOUS and rows < self._limit):
            self._cut += [day] if days == 1 and self._may_be_cut(rows) else []
            yield self._kept(entries)
            return
        counts, held = {}, set(map(_text_of, entries))
        settled = self.run.started_at.date() - timedelta(seconds=_LOOKBACK_SECONDS)
        for first in (day + timedelta(days=number) for number in range(days)):
            entries = self._entries(first, first + timedelta(days=1))
            counts[first] = len(entries)
            yield self._kept(entries)
            if first < settled and not held.issuperset(map(_text_of, entries)):
                self._limit = min(self._limit, rows)
        self._cut += [first for first, count in counts.items() if self._may_be_cut(count)]

    def _may_be_cut(self, rows: int) -> bool:
        """Return whether a response for one day may have been cut."""
        return rows > 0 and (rows % _ROUND == 0 or rows >= self._limit)

    def _entries(self, day: date, stop: date) -> list[dict[str, Any]]:
        """Return the entries of some days.

        A call for 31 December ends in another year. Where that is refused, the day is asked for as
        its own end, which shows its entries if the end counts after all; if not, it is not read.
        """
        try:
            return self._asked(day, stop)
        except RefusedError as error:
            if stop.year == day.year:
                raise
            self.logger.info("audit_log: %s ends in another year: %s", day, error)
        with suppress(RefusedError):
            if entries := self._asked(day, day):
                return entries
        self._unasked.append(day)
        return []

    def _asked(self, day: date, stop: date) -> list[dict[str, Any]]:
        decoded = self.run.client.api("GET", f"{_PATH}?startDate={day}&endDate={stop}")
        if not isinstance(decoded, list) or not all(isinstance(one, dict) for one in decoded):
            raise ResponseError(_ENDPOINT, reason="the response is not a list of entries")
        return decoded

    def _kept(self, entries: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
        """Return entries as rows, and note the latest time."""
        rows = []
        for entry in entries:
            row_id = hashlib.sha256(_text_of(entry).encode()).hexdigest()[:32]
            moment = entry.get("timestamp")
            row = {"row_id": row_id, "timestamp": moment, "entry": entry}
            rows.append({**row, "action": entry.get("action")})
            with suppress(ConversionError):
                reached = convert(TIMESTAMP, moment)
                self._greatest = max(reached or "", self._greatest or "") or None
        return rows

    def finish(self) -> None:
        """Move the bookmark.

        Raises:
            IncompleteReadError: If a day could not be asked for, or its response may have been cut,
                unless the user said to go on.
        """
        if self.is_only_tried:
            return
        if not (self._cut or self._unasked):
            ahead = self.run.client.clock.ahead
            self._bookmark.finished(self._start, self._greatest, ahead)
            return
        remedy = "Set on_incomplete: warn to go on; the bookmark stays where it was."
        said = []
        if self._cut:
            days = ", ".join(map(str, self._cut))
            said.append(
                f"The responses for {days} may have been cut: they hold a multiple of {_ROUND} "
                "entries, or as many as a response was seen to be cut at."
            )
        if self._unasked:
            days = ", ".join(map(str, self._unasked))
            said.append(
                f"Totango refuses to give {days}: a call for a year's last day ends in the next."
            )
            first = self._unasked[-1] + timedelta(days=1)
            remedy = f"Set start_date: {first} to read on from there, or on_incomplete: warn; "
            remedy += "the bookmark stays where it was."
        self.go_on_without(IncompleteReadError(" ".join(said), remedy=remedy))


def _text_of(entry: dict[str, Any]) -> str:
    return json.dumps(entry, sort_keys=True, default=str)


def _next_month(day: date) -> date:
    """Return the first day of the month after a day."""
    return (day.replace(day=1) + timedelta(days=32)).replace(day=1)

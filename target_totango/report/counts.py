"""Counts what a run of the target does, and shows it as a table and as JSON."""

from __future__ import annotations

import datetime as dt
import time
from collections import Counter
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any, Final

from totango_api.report import Examples

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from target_totango.models import Row, ValidationError

DONE: Final = ("sent", "unchanged", "skipped", "deleted", "rejected", "uncertain")
"""The counts of which each row is in one, unless it was not delivered."""

_REASONS: Final = ("reasons", "skip_reasons", "left_out_reasons")
_ALWAYS: Final = frozenset({"received", "sent", "rejected"})
_TABLE_ROWS: Final = 20


@dataclass(slots=True)
class StreamMetrics:
    """The counts of one stream and object.

    Attributes:
        received: Rows read.
        sent: Rows that Totango took.
        created: Of those, rows about something new, where that is known.
        updated: Of those, rows about something that existed, where that is known.
        unchanged: Rows not sent because the same was confirmed before.
        repeated: Rows about something that an earlier row of the run was about.
        case_variants: Rows about something whose ids came before in another case.
        skipped: Rows not sent because a mode or setting says so, a more recent row of the key
            came before, or the rejects file marks them as superseded.
        deleted: Rows whose user was deleted.
        vanished: Users deleted because a new version of their stream no longer holds them.
        rejected: Rows in the rejects file, other than uncertain ones.
        superseded: Of those, rows that later ones made outdated, so that a replay skips them.
        uncertain: Rows that may or may not have arrived.
        undelivered: Rows that were not delivered for a reason outside them: STATE is held.
        verified: Rows read back and found as they were sent.
        different: Rows read back and found otherwise.
        missing: Rows not found when read back.
        truncated: Texts cut, as asked.
        converted: Salesforce ids converted, as asked.
        controls: Texts with control characters, kept or removed as asked.
        blanks: Texts of nothing but blanks, kept or counted as null as asked.
        incomplete: Templates of which a part was missing.
        unknown_options: Values of lists that are none of their options, sent as asked.
        unchecked_owners: Rows with an owner that was compared with no list of Totango's users.
        left_out: Attributes left out because they could not be written, as asked.
        marked_deleted: Rows with a well-known mark that they are deleted, which no setting names:
            they were written.
        unannounced: Rows with fields that their SCHEMA does not name: those are not written.
        reasons: Errors of rejected rows by field and code.
        skip_reasons: Why rows were skipped.
        left_out_reasons: Errors of attributes that were left out, by field and code.
        note: What the mapping's author says of it.
    """

    received: int = 0
    sent: int = 0
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    repeated: int = 0
    case_variants: int = 0
    skipped: int = 0
    deleted: int = 0
    vanished: int = 0
    rejected: int = 0
    superseded: int = 0
    uncertain: int = 0
    undelivered: int = 0
    verified: int = 0
    different: int = 0
    missing: int = 0
    truncated: int = 0
    converted: int = 0
    controls: int = 0
    blanks: int = 0
    incomplete: int = 0
    unknown_options: int = 0
    unchecked_owners: int = 0
    left_out: int = 0
    unannounced: int = 0
    marked_deleted: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    skip_reasons: Counter[str] = field(default_factory=Counter)
    left_out_reasons: Counter[str] = field(default_factory=Counter)
    note: str = ""

    def reject(self, errors: Sequence[ValidationError]) -> None:
        """Count a rejected row and each of its errors."""
        self.rejected += 1
        self.reasons.update(error.reason for error in errors)

    def leave_out(self, errors: Sequence[ValidationError]) -> None:
        """Count attributes that were left out of a row, and why."""
        self.left_out += len(errors)
        self.left_out_reasons.update(error.reason for error in errors)

    def skip(self, reason: str) -> None:
        """Count a skipped row."""
        self.skipped += 1
        self.skip_reasons[reason] += 1

    def close(self) -> None:
        """Count what is left of the rows read: they were not delivered."""
        done = sum(getattr(self, name) for name in DONE)
        self.undelivered = self.received - done

    def as_dict(self) -> dict[str, Any]:
        """Return the counts for JSON; those that are zero only where that says something."""
        counts: dict[str, Any] = {name: getattr(self, name) for name in COUNTS}
        kept = {
            name: count
            for name, count in counts.items()
            if count or name in {"received", "sent", "rejected", "uncertain"}
        }
        details: dict[str, Any] = {"note": self.note} | {
            name: dict(getattr(self, name).most_common()) for name in _REASONS
        }
        return kept | {name: detail for name, detail in details.items() if detail}


COUNTS: Final = tuple(one.name for one in fields(StreamMetrics) if one.type == "int")
"""The names of the counts, in the order in which they are shown."""


class Report:
    """The counts of a run.

    Args:
        shows_values: Whether examples of rows keep their values.

    Attributes:
        understood: What is made of each stream, as lines.
    """

    def __init__(self, *, shows_values: bool = False) -> None:
        self.started = time.monotonic()
        self.started_at = dt.datetime.now(tz=dt.UTC)
        self.understood: dict[str, list[str]] = {}
        self._examples = Examples(shows_values=shows_values)
        self.ignored_streams: Counter[str] = Counter()
        self._streams: dict[tuple[str, str], StreamMetrics] = {}

    def metrics(self, stream: str, object_: str) -> StreamMetrics:
        """Return the counts of a stream and object."""
        metrics = self._streams.get((stream, object_))
        if metrics is None:
            metrics = self._streams[stream, object_] = StreamMetrics()
        return metrics

    def add(self, count: str, rows: Sequence[Row]) -> None:
        """Count rows in one of the counts of their streams and objects."""
        streams = {row.stream for row in rows}
        objects = {row.object for row in rows}
        if len(streams) == len(objects) == 1:
            numbers = {(*streams, *objects): len(rows)}
        else:
            numbers = Counter((row.stream, row.object) for row in rows)
        for about, number in numbers.items():
            metrics = self.metrics(*about)
            setattr(metrics, count, getattr(metrics, count) + number)

    def __iter__(self) -> Iterator[tuple[str, str, StreamMetrics]]:
        for (stream, object_), metrics in self._streams.items():
            yield stream, object_, metrics

    def total(self, name: str) -> int:
        """Return one count over all streams."""
        return sum(getattr(metrics, name) for metrics in self._streams.values())

    def note_examples(self, row: Row, errors: Iterable[ValidationError]) -> None:
        """Keep a row as an example of each of its errors."""
        record = row.message.get("record") or {}
        for error in errors:
            self._examples.note(
                row.stream,
                error.reason,
                row=row.seq,
                record=record,
                field=error.field,
                message=error.message,
            )

    def close(self) -> None:
        """Count the rows that were not delivered."""
        for metrics in self._streams.values():
            metrics.close()

    def reasons(self, name: str) -> Counter[tuple[str, str]]:
        """Return how often each reason stands in the counter `name` of each stream."""
        found: Counter[tuple[str, str]] = Counter()
        for stream, _, metrics in self:
            for reason, rows in getattr(metrics, name).items():
                found[stream, reason] += rows
        return found

    def sent(self, object_: str) -> int:
        """Return how many rows about an object Totango took."""
        return sum(metrics.sent for _, each, metrics in self if each == object_)

    @property
    def seconds(self) -> float:
        """How long the run has taken so far."""
        return time.monotonic() - self.started

    def as_dict(self) -> dict[str, Any]:
        """Return the report for JSON."""
        received = self.total("received")
        return {
            "started_at": self.started_at.isoformat(timespec="seconds"),
            "seconds": round(self.seconds, 3),
            "rows_per_second": round(received / max(self.seconds, 1e-9), 1),
            "totals": {name: self.total(name) for name in COUNTS},
            "streams": [
                {"stream": stream, "object": object_, **metrics.as_dict()}
                for stream, object_, metrics in self
            ],
            "ignored_streams": dict(self.ignored_streams),
            "understood": self.understood,
            "examples": self._examples.as_list(self.reasons("reasons")),
            "shows_values": self._examples.shows_values,
        }

    def table(self) -> list[str]:
        """Return the report as lines of a table; streams beyond the first 20 are summed up."""
        shown = [name for name in COUNTS if name in _ALWAYS or self.total(name)]
        rows = [["stream", "object", *shown]]
        streams = list(self)
        for stream, object_, metrics in streams[:_TABLE_ROWS]:
            rows.append([stream, object_, *(str(getattr(metrics, name)) for name in shown)])
        if len(streams) > 1:
            label = f"all {len(streams)} streams"
            rows.append([label, "", *(str(self.total(name)) for name in shown)])
        widths = [max(len(row[place]) for row in rows) for place in range(len(rows[0]))]
        return [
            "  ".join(
                cell.ljust(width) if place < 2 else cell.rjust(width)
                for place, (cell, width) in enumerate(zip(row, widths, strict=True))
            ).rstrip()
            for row in rows
        ]

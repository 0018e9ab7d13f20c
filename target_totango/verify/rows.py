"""Reads accounts and users back: are they there, with the values that were sent?"""

from __future__ import annotations

import logging
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, Literal

from target_totango.objects import OBJECTS
from target_totango.verify.compare import compare, is_number, milliseconds, unshown
from target_totango.verify.polling import Sent, Verdict, Verifier, pauses
from totango_api.errors import ApiError, IncompleteReadError
from totango_api.search import CORE_ATTRIBUTES, DATE, NUMBER, TEXT, Attribute

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from target_totango.models import Row
    from totango_api.search import Lookup, LookupResult

logger = logging.getLogger("target-totango")

ROWS_AT_ONCE: Final = 500
LOOK_SECONDS: Final = 30.0
"""How long rows may take to become visible; they are sent again by a later run if they are not."""

NAMES: Final = {
    object_.name: object_.display_name
    for object_ in OBJECTS.values()
    if object_.display_name is not None
}
"""Of what can be read back, the attribute that comes back as a row's display name."""

_CORE: Final = tuple(attribute for stream in CORE_ATTRIBUTES.values() for attribute in stream)


class RowVerifier(Verifier):
    """Reads accounts and users back by the Search API and compares them with what was sent.

    An attribute is read in the type that its definition names. Without one the type is guessed
    from the values that were sent, and what then differs is read once more as text: a date that
    is read as text may lack its time, and a number its last zeros.

    Args:
        lookup: Reads rows by their ids.
        timeout: See :class:`Verifier`.
        definitions: Attributes whose kind is known, beside the core ones.
    """

    rows_at_once = ROWS_AT_ONCE

    def __init__(
        self, lookup: Lookup, *, timeout: float, definitions: Iterable[Attribute] = ()
    ) -> None:
        super().__init__(timeout=timeout)
        self._lookup = lookup
        self._known = {
            (attribute.object, attribute.api_name): attribute
            for attribute in (*_CORE, *definitions)
            if attribute.searchable
        }

    def check(self, writes: Sequence[Sent]) -> list[Verdict]:
        """Return a verdict for each of a few writes, read once.

        Raises:
            ApiError: If reading fails.
        """
        verdicts = {}
        for stream in NAMES:
            of_stream = [sent for sent in writes if sent.key[0] == stream]
            if of_stream:
                columns = self._columns(stream, of_stream)
                verdicts.update(self._stream_verdicts(stream, of_stream, columns))
        return [verdicts[id(sent)] for sent in writes]

    def _stream_verdicts(
        self, stream: str, writes: Sequence[Sent], columns: Sequence[Attribute]
    ) -> dict[int, Verdict]:
        found = self._found(stream, writes, columns)
        verdicts = {id(sent): _verdict(sent, found.get(sent.key)) for sent in writes}
        guessed = {
            column.api_name: Attribute(stream, column.api_name, TEXT)
            for column in columns
            if column.kind != TEXT and (stream, column.api_name) not in self._known
        }
        doubtful = [
            sent
            for sent in writes
            if any(each.attribute in guessed for each in verdicts[id(sent)].differences)
        ]
        if not doubtful:
            return verdicts
        found = self._found(stream, doubtful, list(guessed.values()))
        for sent in doubtful:
            verdict = verdicts[id(sent)]
            row = found.get(sent.key)
            verdicts[id(sent)] = _without_equal(verdict, row.values if row else {})
        return verdicts

    def _found(
        self, stream: str, writes: Iterable[Sent], columns: Sequence[Attribute]
    ) -> dict[tuple[str, ...], LookupResult]:
        rows = self._lookup.find(stream, (sent.key[1:] for sent in writes), columns)
        return {(stream, *key): row for key, row in rows.items()}

    def _columns(self, stream: str, writes: Iterable[Sent]) -> list[Attribute]:
        values: dict[str, list[str]] = {}
        for sent in writes:
            for name, value in sent.attributes.items():
                values.setdefault(name, []).append(value)
        values.pop(NAMES[stream], None)
        return [
            self._known.get((stream, name)) or Attribute(stream, name, _kind_of(texts))
            for name, texts in values.items()
        ]


class ArrivalCheck:
    """Finds out which rows are in Totango as they were sent. Safe to share between threads.

    Args:
        verifier: Returns what compares them.
        seconds: How long they may take to become visible.
    """

    def __init__(self, verifier: Callable[[], Verifier], *, seconds: float) -> None:
        self._verifier = verifier
        self._seconds = min(seconds, LOOK_SECONDS)

    def arrived(self, rows: Sequence[Row]) -> set[int]:
        """Return the numbers (`seq`) of the rows that are in Totango as they were sent."""
        waiting = {row.seq: Sent.of(row) for row in rows if row.object in NAMES}
        arrived: set[int] = set()
        for pause in pauses(self._seconds):
            if not waiting:
                break
            time.sleep(pause)
            try:
                verdicts = self._verifier().check(list(waiting.values()))
            except (ApiError, IncompleteReadError) as error:
                logger.warning("Rows without a receipt cannot be read back: %s", error)
                break
            for seq, verdict in zip(list(waiting), verdicts, strict=True):
                if verdict.result == "confirmed":
                    arrived.add(seq)
                    del waiting[seq]
        if not arrived and rows:
            self._seconds = 0.0  # Rows do not arrive: waiting for each batch would take hours.
        return arrived


def _kind_of(values: Iterable[str]) -> str:
    """Guess what kind of attribute holds these values."""
    texts = {value for value in values if value}
    if texts and all(map(is_number, texts)):
        return NUMBER
    if texts and all("T" in text and milliseconds(text) is not None for text in texts):
        return DATE
    return TEXT


def _verdict(sent: Sent, found: LookupResult | None) -> Verdict:
    if found is None:
        return Verdict(sent.key, "missing")
    values = {**found.values, NAMES[sent.key[0]]: found.name}
    differences = tuple(compare(sent.attributes, values))
    result: Literal["different", "confirmed"] = "different" if differences else "confirmed"
    return Verdict(sent.key, result, differences, unshown(sent.attributes, values))


def _without_equal(verdict: Verdict, values: Mapping[str, Any]) -> Verdict:
    """Return a verdict without the differences that another reading does not confirm."""
    differences = tuple(
        difference
        for difference in verdict.differences
        if difference.attribute not in values
        or compare({difference.attribute: difference.sent}, values)
    )
    result: Literal["different", "confirmed"] = "different" if differences else "confirmed"
    return replace(verdict, result=result, differences=differences)

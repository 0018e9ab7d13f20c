"""Reading back what was sent: is it there, and is it the same?"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from itertools import islice
from typing import TYPE_CHECKING, Any, Final, Literal

from target_totango.objects import OBJECTS
from target_totango.verify.compare import (
    Difference,
    compare,
    is_number,
    milliseconds,
    unshown,
)
from totango_api.search import CORE_ATTRIBUTES, DATE, NUMBER, TEXT, Attribute

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence

    from totango_api.search import Lookup, LookupResult

__all__ = ["Difference", "Sent", "Verdict", "Verifier", "compare"]

ROWS_AT_ONCE: Final = 500
LONGEST_PAUSE: Final = 30.0

NAMES: Final = {
    object_.name: object_.display_name
    for object_ in OBJECTS.values()
    if object_.display_name is not None
}
"""Of what can be read back, the attribute that comes back as a row's display name."""

_CORE: Final = tuple(attribute for stream in CORE_ATTRIBUTES.values() for attribute in stream)


@dataclass(frozen=True)
class Sent:
    """What was delivered for a key.

    Attributes:
        key: `("accounts", account id)` or `("users", account id, user id)`.
        attributes: Text by API name. If the key was sent more than once: what it should hold
            now.
    """

    key: tuple[str, ...]
    attributes: Mapping[str, str]


@dataclass(frozen=True)
class Verdict:
    """What reading back found for a key.

    Attributes:
        result: `confirmed`; `different` when the row is there with other values; `missing`.
        differences: The other values.
        unshown: Attributes that could not be compared.
    """

    key: tuple[str, ...]
    result: Literal["confirmed", "different", "missing"]
    differences: tuple[Difference, ...] = ()
    unshown: tuple[str, ...] = ()


def pauses(seconds: float, first: float = 1.0) -> Iterator[float]:
    """Yield pauses, each twice as long as the one before, until so many seconds are over."""
    deadline = time.monotonic() + seconds
    pause = first
    while (left := deadline - time.monotonic()) > 0:
        yield min(pause, left)
        pause = min(2 * pause, LONGEST_PAUSE)


class Verifier:
    """Reads rows back by the Search API and compares them with what was sent.

    An attribute is read in the type that its definition names. Without one the type is guessed
    from the values that were sent, and what then differs is read once more as text: a date that
    is read as text may lack its time, and a number its last zeros.

    Args:
        lookup: Reads rows by their ids.
        timeout: Seconds for which a write may stay invisible, counted from when every row has
            been read once.
        poll: Seconds between two readings at first; the pause doubles from one to the next.
        definitions: Attributes whose kind is known, beside the core ones.
    """

    def __init__(
        self,
        lookup: Lookup,
        *,
        timeout: float,
        poll: float = 1.0,
        definitions: Iterable[Attribute] = (),
    ) -> None:
        self._lookup = lookup
        self._timeout = timeout
        self._poll = poll
        self._known = {
            (attribute.object, attribute.api_name): attribute
            for attribute in (*_CORE, *definitions)
            if attribute.searchable
        }

    def verify(
        self, writes: Iterable[Sent], wait: Callable[[float], None] = time.sleep
    ) -> Iterator[Verdict]:
        """Yield a verdict for every write, the confirmed ones as soon as they are.

        Only what is not yet confirmed is kept in memory and read again, until the time is up.

        Args:
            writes: What was sent.
            wait: Waits so many seconds.

        Raises:
            ApiError: If reading fails.
        """
        waiting = yield from self._read(writes)
        for pause in pauses(self._timeout, self._poll):
            if not waiting:
                return
            wait(pause)
            waiting = yield from self._read([sent for sent, _ in waiting])
        yield from (verdict for _, verdict in waiting)

    def check(self, writes: Sequence[Sent]) -> list[Verdict]:
        """Return a verdict for each of a few writes, read once.

        Raises:
            ApiError: If reading fails.
        """
        return list(self._verdicts(writes))

    def _read(self, writes: Iterable[Sent]) -> Generator[Verdict, None, list[tuple[Sent, Verdict]]]:
        """Read rows once, yield the confirmed and return the others."""
        waiting = []
        remaining = iter(writes)
        while batch := list(islice(remaining, ROWS_AT_ONCE)):
            for sent, verdict in zip(batch, self._verdicts(batch), strict=True):
                if verdict.result == "confirmed":
                    yield verdict
                else:
                    waiting.append((sent, verdict))
        return waiting

    def _verdicts(self, batch: Sequence[Sent]) -> Iterator[Verdict]:
        verdicts = {}
        for stream in NAMES:
            writes = [sent for sent in batch if sent.key[0] == stream]
            if writes:
                columns = self._columns(stream, writes)
                verdicts.update(self._stream_verdicts(stream, writes, columns))
        return (verdicts[id(sent)] for sent in batch)

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

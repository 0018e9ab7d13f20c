"""Finds the rows of a batch that a response names.

No source shows how the Integration Hub names rows. So the likely forms are read, keys in any
spelling: a list of failures, a result for each row, statuses in the order of the rows.
"""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import msgspec

from totango_api.redaction import excerpt

if TYPE_CHECKING:
    from collections.abc import Iterator

    from totango_api.writing.hub_rows import HubRow

NO_REASON: Final = "no reason given"
SUCCESSES: Final = frozenset(
    {"success", "successful", "succeeded", "ok", "accepted", "created", "updated", "done"}
)
FAILURES: Final = frozenset(
    {"failed", "failure", "fail", "error", "rejected", "refused", "invalid", "denied"}
)
FAULTS: Final = frozenset(
    {"error", "errors", "failed", "rejected", "failures", "invalid", "details", "faults"}
    | {"failedrows", "rejectedrows", "invalidrows", "badrows", "denied", "refused"}
    | {"failedrecords", "rejectedrecords", "invalidrecords"}
)
_INDEXES: Final = ("index", "rowindex", "row", "position", "rownumber")
_IDS: Final = ("id", "rowid", "recordid", "externalid", "userid", "accountid", "key")
_REASONS: Final = ("reason", "message", "error", "errors", "description", "detail")
_VERDICTS: Final = frozenset(
    {"status", "state", "result", "outcome", "success", "ok", "accepted", "code", "statuscode"}
)
_DEPTH: Final = 4
_OK: Final = range(200, 300)
_BAD: Final = range(400, 600)


class BatchRows:
    """The rows of a batch, as a response may name them.

    Args:
        rows: What was sent.
    """

    def __init__(self, rows: Sequence[HubRow]) -> None:
        self.size = len(rows)
        self._rows = rows

    # Most responses name no row: then nothing is looked up.

    @functools.cached_property
    def _ids(self) -> set[str | None]:
        return {row.id for row in self._rows}

    @functools.cached_property
    def _places(self) -> dict[str, int]:
        """Places by ids that no two rows share."""
        often = Counter(row.id for row in self._rows)
        return {
            row.id: place
            for place, row in enumerate(self._rows)
            if row.id is not None and often[row.id] == 1
        }

    @functools.cached_property
    def _places_of_pairs(self) -> dict[tuple[Any, str], int]:
        """Places by account and id."""
        return {
            (row.account_id, row.id): place
            for place, row in enumerate(self._rows)
            if row.id is not None
        }

    def has_id(self, value: Any) -> bool:
        """Return whether a value is the id of a row."""
        return str(value) in self._ids

    def place_of(self, entry: Any) -> int | None:
        """Return the place of the row that an entry of a response names, from 0.

        Raises:
            IndexError: If it names none of the batch: then it counts in another way.
        """
        if isinstance(entry, str):
            return self._places.get(entry)
        if is_whole(entry):
            return self._checked(entry)
        if not isinstance(entry, Mapping):
            return None
        said = plain(entry)
        for name in _INDEXES:
            if is_whole(said.get(name)):
                return self._checked(said[name])
        texts = {name: value for name, value in said.items() if isinstance(value, str)}
        account = texts.get("accountid")
        for text in (texts[name] for name in _IDS if name in texts):
            if (account, text) in self._places_of_pairs:
                return self._places_of_pairs[account, text]
            place = self._places.get(text)
            if place is not None and None in {account, self._rows[place].account_id}:
                return place
        return None

    def _checked(self, place: int) -> int:
        if not 0 <= place < self.size:
            raise IndexError
        return place


def faults_in(decoded: Any, rows: BatchRows) -> dict[int, str]:
    """Return the reasons that a decoded response gives for single rows, by their places.

    Where it names a row that is not there, nothing that it says of rows can be trusted.
    """
    faults: dict[int, str] = {}
    try:
        _read(decoded, rows, faults, _DEPTH)
    except IndexError:
        return {}
    return faults


def results_in(entries: Sequence[Any], rows: BatchRows) -> Iterator[tuple[int, bool, str]]:
    """Yield the place of each row of a list of results, whether it was taken, and else why not.

    Results have the names of their rows, or there is one for each row in their order.

    Raises:
        IndexError: If one names a row that is not there.
    """
    in_order = len(entries) == rows.size
    for number, entry in enumerate(entries):
        verdict = verdict_in(entry)
        if verdict is None:
            continue
        place = rows.place_of(entry) if isinstance(entry, Mapping) else None
        if place is None and in_order and not _has_name(entry):
            place = number
        if place is not None:
            yield place, verdict, _reason_in(entry)


def plain(holder: Mapping[Any, Any]) -> dict[str, Any]:
    """Return an object with normalised keys: `rowIndex` and `row_index` are the same."""
    return {"".join(filter(str.isalnum, str(key))).lower(): value for key, value in holder.items()}


def is_word(text: str) -> bool:
    """Return whether a text is a word for success or failure."""
    return text.strip().lower() in SUCCESSES | FAILURES | {"partial"}


def _read(decoded: Any, rows: BatchRows, faults: dict[int, str], depth: int) -> None:
    if depth == 0:
        return
    if isinstance(decoded, list):
        for place, is_taken, reason in results_in(decoded, rows):
            if not is_taken:
                faults.setdefault(place, reason)
    if not isinstance(decoded, Mapping):
        return
    for name, value in plain(decoded).items():
        if name in FAULTS:
            _read_faults(value, rows, faults)
        if isinstance(value, Mapping) or (isinstance(value, list) and name not in FAULTS):
            _read(value, rows, faults, depth - 1)


def _read_faults(value: Any, rows: BatchRows, faults: dict[int, str]) -> None:
    if isinstance(value, Mapping) and rows.place_of(value) is not None:
        value = [value]
    for entry, reason in _entries(value):
        place = rows.place_of(entry)
        if place is not None and verdict_in(entry) is not True:
            faults.setdefault(place, reason)


def _entries(value: Any) -> Iterator[tuple[Any, str]]:
    """Yield what is in a list of failures, or in an object of reasons by id or place."""
    if isinstance(value, list):
        yield from ((entry, _reason_in(entry)) for entry in value)
    elif isinstance(value, Mapping):
        for key, reason in value.items():
            yield (int(key) if str(key).isdecimal() else key), _said(reason)


def _has_name(entry: Any) -> bool:
    return isinstance(entry, Mapping) and not plain(entry).keys().isdisjoint((*_IDS, *_INDEXES))


def verdict_in(entry: Any) -> bool | None:
    """Return whether an entry says that its row was taken; None if it does not say."""
    if not isinstance(entry, Mapping):
        return _vote(entry) if isinstance(entry, str) else None
    said = plain(entry)
    votes = [_vote(said[name]) for name in _VERDICTS & said.keys()]
    if False in votes or any(said.get(name) for name in ("error", "errors")):
        return False
    return True if votes and None not in votes else None


def _vote(value: Any) -> bool | None:
    if isinstance(value, bool):
        return value
    if isinstance(value, int):
        return True if value in _OK else False if value in _BAD else None
    if isinstance(value, str):
        word = value.strip().lower()
        return True if word in SUCCESSES else False if word in FAILURES else None
    return None


def _reason_in(entry: Any) -> str:
    if not isinstance(entry, Mapping):
        return NO_REASON
    said = plain(entry)
    return _said(next((said[name] for name in _REASONS if said.get(name)), None))


def _said(reason: Any) -> str:
    if reason is None:
        return NO_REASON
    return excerpt(reason if isinstance(reason, str) else msgspec.json.encode(reason).decode())


def is_whole(value: Any) -> bool:
    """Return whether a value is a whole number."""
    return isinstance(value, int) and not isinstance(value, bool)

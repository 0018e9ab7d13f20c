"""Reads back what was written, once everything is delivered."""

from __future__ import annotations

import hashlib
import json
import logging
from collections import Counter
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

import msgspec

from target_totango.models import ALL, OFF, SAMPLE, Row, ValidationError
from target_totango.objects import ENGAGEMENTS
from target_totango.verify.polling import Sent
from target_totango.verify.rows import NAMES
from totango_api.text import rows

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from target_totango.config import Settings
    from target_totango.models import SourceStream
    from target_totango.storage import RunStore
    from target_totango.verify.polling import Verdict, Verifier

logger = logging.getLogger("target-totango")

_encode = msgspec.json.Encoder(decimal_format="number", enc_hook=str).encode
_decode = msgspec.json.Decoder(float_hook=Decimal).decode
_HASHES: Final = 1 << 32

NOT_FOUND: Final = ""
"""Stands for the id of what was made without one, and is not certainly found by its events."""

_NOT_CERTAIN: Final = (
    "Totango took the row without saying an id, and no event is certainly about what it made"
)


@dataclass(frozen=True)
class ReadBackResult:
    """The final result of reading a row back.

    Attributes:
        row: The last row that was confirmed for it.
        key: What the ledger knows it by.
        result: `confirmed`, `different` or `missing`.
        is_whole: Whether everything that the row carried was compared.
        errors: What is not as it was sent.
    """

    row: Row
    key: tuple[str, ...]
    result: str
    is_whole: bool
    errors: list[ValidationError]


class ReadBack:
    """Remembers what was confirmed, and compares it with what Totango holds in the end.

    Args:
        settings: The target's settings.
        store: Where rows wait.

    Attributes:
        is_on: Whether anything is to be read back.
    """

    def __init__(self, settings: Settings, store: RunStore) -> None:
        self.is_on = any(options.verify != OFF for options in settings.options)
        self._share = settings.verify_share
        self._store = store
        self._sources: list[SourceStream] = []
        self._first: dict[str, tuple[str, ...]] = {}
        self._logged: set[str] = set()
        self._unshown: Counter[tuple[str, str]] = Counter()

    def note(self, rows: Iterable[Row]) -> None:
        """Remember those of some confirmed rows that are to be read back."""
        for row in rows if self.is_on else ():
            if row.options.verify != OFF or self._was_noted(row):
                self._note(row)

    def _note(self, row: Row) -> None:
        request, key = row.request, row.request.key
        if row.object in ENGAGEMENTS and row.engagement_id is not None:
            key = (*key, row.engagement_id)
        elif row.object in ENGAGEMENTS and row.options.verify == ALL:
            key = (*key, NOT_FOUND, *(row.fingerprint or (str(row.seq),)))
        elif row.object not in NAMES:
            self._log_unread(f"{row.object} cannot be read back, so they")
            return
        if not request.is_about_itself:
            self._log_unread(f"Account attributes that rows of {row.object} carry")
        # The first one of each object always: a sample of a few rows would often be empty.
        is_first = self._first.setdefault(row.object, key) == key
        if row.options.verify == SAMPLE and not (is_first or self._is_sampled(key)):
            return
        if not self._sources or self._sources[-1] is not row.source:
            self._sources.append(row.source)
        kept = {
            "source": len(self._sources) - 1,
            "message": row.message,
            "is_whole": request.is_about_itself,
            "ledger_key": row.ledger_key,
        }
        self._store.note_sent(
            row.stream, row.object, key[1:], request.attributes, _encode(kept).decode()
        )

    def verify(
        self, rows_by: Verifier, engagements_by: Verifier, wait: Callable[[float], None]
    ) -> Iterator[ReadBackResult]:
        """Read everything back, and yield what was found of each key.

        Args:
            rows_by: Reads accounts and users.
            engagements_by: Reads touchpoints and tasks.
            wait: Waits so many seconds.

        Raises:
            ApiError: If reading fails.
        """
        logger.info("Reading back what was written.")
        for verifier, objects in ((rows_by, NAMES), (engagements_by, ENGAGEMENTS)):
            for verdict in verifier.verify(self._sent(objects), wait):
                yield self._checked(verdict)
        for (object_, name), count in sorted(self._unshown.items()):
            logger.warning(
                "%s that %s of %s carried cannot be verified: no search shows it, and Totango "
                "documents it as not editable.",
                name,
                rows(count),
                object_,
            )

    def _log_unread(self, what: str) -> None:
        if what not in self._logged:
            self._logged.add(what)
            logger.warning("%s are not verified.", what)

    def _sent(self, objects: Iterable[str]) -> Iterator[Sent]:
        for object_ in objects:
            for key, texts in self._store.sent(object_):
                yield Sent((object_, *key), texts)

    def _checked(self, verdict: Verdict) -> ReadBackResult:
        object_, *ids = verdict.key
        stream, text = self._store.sent_row(object_, ids)
        kept: dict[str, Any] = _decode(text)
        row = Row(0, self._sources[kept["source"]], kept["message"], stream, object_)
        key = tuple(kept["ledger_key"] or (stream, *verdict.key))
        self._unshown.update((object_, name) for name in verdict.unshown)
        is_whole = kept["is_whole"] and not verdict.unshown
        return ReadBackResult(row, key, verdict.result, is_whole, _errors(verdict))

    def _was_noted(self, row: Row) -> bool:
        """Return whether an earlier row of the key is to be read back, by another mapping."""
        return row.object in self._first and self._store.has_sent(row.object, row.request.key[1:])

    def _is_sampled(self, key: tuple[str, ...]) -> bool:
        hashed = hashlib.blake2b(json.dumps(key).encode(), digest_size=4).digest()
        return int.from_bytes(hashed) < self._share * _HASHES


def _errors(verdict: Verdict) -> list[ValidationError]:
    if verdict.result == "missing" and verdict.key[2:3] == (NOT_FOUND,):
        return [ValidationError("", "missing", _NOT_CERTAIN)]
    if verdict.result == "missing":
        return [ValidationError("", "missing", "Totango took the row, but it is not there")]
    return [
        ValidationError(
            difference.attribute,
            "different",
            f"{difference.attribute}: sent {difference.sent!r}, found {difference.found!r}",
        )
        for difference in verdict.differences
    ]

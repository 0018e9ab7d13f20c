"""Reading back what was written, once everything is delivered."""

from __future__ import annotations

import hashlib
import json
import logging
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

import msgspec

from target_totango.config import ALL, OFF
from target_totango.delivery.base import written
from target_totango.models import ACCOUNT, Row, ValidationError
from target_totango.verify.verification import NAMES, Sent, Verdict, Verifier

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from target_totango.clients import Clients
    from target_totango.config import Settings
    from target_totango.models import SourceStream
    from target_totango.report import Report
    from target_totango.storage.run_store import RunStore

logger = logging.getLogger("target-totango")

_encode = msgspec.json.Encoder(decimal_format="number", enc_hook=str).encode
_HASHES: Final = 1 << 32


class ReadBack:
    """Remembers what was confirmed, and compares it with what Totango holds in the end.

    Args:
        settings: The target's settings.
        services: Who to ask.
        journal: Where rows wait.
        report: Counts verdicts.
        keep: Takes rows that are not in Totango as they were sent, with the reasons.
    """

    def __init__(
        self,
        settings: Settings,
        services: Clients,
        journal: RunStore,
        report: Report,
        keep: Callable[[Row, Sequence[ValidationError]], None],
    ) -> None:
        self._settings = settings
        self._services = services
        self._journal = journal
        self._report = report
        self._keep = keep
        self._sources: list[SourceStream] = []
        self._unread: set[str] = set()

    def note(self, row: Row) -> None:
        """Remember a confirmed row, if it is to be read back."""
        if self._settings.verify == OFF:
            return
        if row.object not in NAMES:
            self._say_unread(f"{row.object} cannot be read back, so they")
            return
        write = written(row)
        if write.scope != ACCOUNT and write.account:
            self._say_unread(f"Account attributes that rows of {row.object} carry")
        key = write.key
        if self._settings.verify != ALL and not self._is_sampled(key):
            return
        if not self._sources or self._sources[-1] is not row.source:
            self._sources.append(row.source)
        kept = {"source": len(self._sources) - 1, "stream": row.stream, "message": row.message}
        self._journal.note_sent(
            row.stream, row.object, key[1:], write.attributes, _encode(kept).decode()
        )

    def _say_unread(self, what: str) -> None:
        if what not in self._unread:
            self._unread.add(what)
            logger.warning("%s are not verified.", what)

    def run(self) -> None:
        """Read everything back.

        Raises:
            ApiError: If reading fails.
        """
        if self._settings.verify == OFF:
            return
        verifier = Verifier(
            self._services.lookup,
            timeout=self._settings.verify_timeout,
            definitions=self._services.known.definitions(),
        )
        logger.info("Reading back what was written.")
        for verdict in verifier.verify(self._sent()):
            self._settle(verdict)

    def _sent(self) -> Iterator[Sent]:
        for object_ in NAMES:
            for key, texts in self._journal.sent(object_):
                yield Sent((object_, *key), texts)

    def _settle(self, verdict: Verdict) -> None:
        object_, *key = verdict.key
        stream, row = self._journal.sent_row(object_, key)
        tally = self._report.tally(stream, object_)
        if verdict.result == "confirmed":
            tally.verified += 1
            return
        if (ledger := self._services.ledger) is not None:
            # It was delivered, but is not there: the next run must not take it for unchanged.
            ledger.forget((stream, *verdict.key))
        if verdict.result == "missing":
            tally.missing += 1
            faults = [ValidationError("", "missing", "Totango took the row, but it is not there")]
        else:
            tally.different += 1
            faults = [
                ValidationError(
                    difference.attribute,
                    "different",
                    f"{difference.attribute}: sent {difference.sent!r}, found {difference.found!r}",
                )
                for difference in verdict.differences
            ]
        tally.reasons.update(fault.reason for fault in faults)
        if self._services.ledger is not None:
            # Or else the next run would take it for unchanged.
            self._services.ledger.forget((stream, object_, *key))
        self._keep(self._revived(row, object_), faults)

    def _revived(self, text: str, object_: str) -> Row:
        kept: dict[str, Any] = _decode(text)
        return Row(0, self._sources[kept["source"]], kept["message"], kept["stream"], object_)

    def _is_sampled(self, key: tuple[str, ...]) -> bool:
        hashed = hashlib.blake2b(json.dumps(key).encode(), digest_size=4).digest()
        return int.from_bytes(hashed) < self._settings.verify_share * _HASHES


_decode = msgspec.json.Decoder(float_hook=Decimal).decode

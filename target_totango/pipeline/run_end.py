"""Ends a run: logs its table, writes its report, and says whether everything was done."""

from __future__ import annotations

import datetime as dt
import json
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from target_totango.objects import OBJECTS, REPEATABLE
from totango_api.errors import TotangoError
from totango_api.notifications import publish
from totango_api.redaction import excerpt, sentence_of
from totango_api.text import counted, rows, rows_were

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Mapping

    from target_totango.clients import Clients
    from target_totango.config import Settings
    from target_totango.delivery import DryRunSummary
    from target_totango.report import Report
    from target_totango.singer import StateCheckpointer
    from target_totango.storage import RunFiles, SingerFile
    from totango_api.notifications import Notifier

logger = logging.getLogger("target-totango")

REASONS_LOGGED: Final = 10


class IncompleteRunError(TotangoError):
    """Not everything that was asked for was done."""


@dataclass(frozen=True)
class RunEnd:
    """What is known of a run at its end.

    Attributes:
        first_failure: Why the first row that was not delivered was not.
        dry_run: What a dry run found.
        canary: What reading first rows back came to, by object and delivery.
        is_verified: Whether what was written was read back.
    """

    settings: Settings
    report: Report
    states: StateCheckpointer
    files: RunFiles
    first_failure: TotangoError | None
    dry_run: DryRunSummary | None
    canary: Mapping[tuple[str, str], dict[str, Any]] | None
    is_verified: bool

    def log(self) -> None:
        """Log the table of the run, where its rejects are, and which STATE is held."""
        self._log_counts()
        self._log_held_state()
        if self.dry_run is not None:
            self.dry_run.show(rejected=self.report.total("rejected"))

    def as_dict(self, *, is_complete: bool, calls: dict[str, Any]) -> dict[str, Any]:
        """Return the report for JSON.

        Args:
            is_complete: Whether the input was read to its end and everything done.
            calls: Calls of each surface.
        """
        held = self.states.held
        report: dict[str, Any] = {"program": "target-totango", **self.report.as_dict()}
        report["totals"] |= dict.fromkeys(self._not_looked_up)
        report["finished_at"] = dt.datetime.now(tz=dt.UTC).isoformat(timespec="seconds")
        report["complete"] = is_complete and not self.states.incomplete
        report["rejects_path"] = _path_of(self.files.rejects)
        report["sent_path"] = _path_of(self.files.sent)
        report["skipped_path"] = _path_of(self.files.skipped)
        report["states_emitted"] = self.states.emitted
        report["states_held"] = held.count if held else 0
        report["undelivered"] = self.states.incomplete
        report["canary"] = None
        if self.canary is not None:
            report["canary"] = [
                {"object": object_, "delivery": delivery, **finding}
                for (object_, delivery), finding in self.canary.items()
            ]
        report["calls"] = calls
        if self.dry_run is not None:
            report["plan"] = self.dry_run.as_dict(rejected=self.report.total("rejected"))
        return report

    def conclude(
        self,
        failure: BaseException | None,
        signal: int | None,
        clients: Clients,
        notifier: Notifier,
    ) -> BaseException | None:
        """Write the report, tell people, and return what was not done; None if all was.

        Args:
            failure: Why not every row was delivered or rejected.
            signal: The signal that stopped the run.
            clients: What was called, and how often.
            notifier: Tells people.
        """
        is_complete = failure is None and signal is None
        if signal is not None and isinstance(failure, (InterruptedError, type(None))):
            said = f"Stopped by signal {signal} before everything was done"
            failure = SystemExit(128 + signal)
            logger.error("%s; %s not delivered.", said, rows_were(self.states.incomplete))
        else:
            failure = failure or self.verdict()
            said = "" if failure is None else sentence_of(failure)
        report = self.as_dict(is_complete=is_complete, calls=clients.usage())
        report["failure"] = said or None
        report["calls_per_minute"] = clients.calls_per_minute
        shows_values = self.settings.report_values or self.dry_run is not None
        unwritten = publish(report, self.files.report, notifier, is_private=shows_values)
        if unwritten is not None and failure is not None:
            logger.error("%s", unwritten)
        return failure or unwritten

    @property
    def _not_looked_up(self) -> list[str]:
        """Counts of which nobody knows, since nobody asked."""
        asked = self.settings.looks_up
        names = [name for name in ("created", "updated") if not (asked or self.report.total(name))]
        return names if self.is_verified else [*names, "verified", "different", "missing"]

    def verdict(self) -> TotangoError | None:
        """Return what was not done; None if everything was."""
        if self.report.total("undelivered"):
            return self._undelivered()
        problems = self._problems()
        if not problems:
            return None
        path = _path_of(self.files.rejects)
        where = f": see {path}" if path else ""
        remedy = "Correct the rows and pipe that file back in." if path else "Nothing was written."
        if self.report.total("uncertain"):
            remedy += " First take out the rows that Totango did take: a replay writes them again."
        return IncompleteRunError(f"{' and '.join(problems)}{where}.", remedy=remedy)

    def _undelivered(self) -> TotangoError:
        failure = self.first_failure or TotangoError("it is not known why.")
        msg = f"{rows_were(self.report.total('undelivered'))} not delivered: {failure.message}"
        remedy = "Run again: their STATE is held, so the tap sends them again."
        return IncompleteRunError(msg, remedy=f"{failure.remedy} {remedy}".strip())

    def _problems(self) -> list[str]:
        report, problems = self.report, []
        rejected = report.total("rejected")
        received = report.total("received")
        if not self.settings.max_rejected.allows(rejected, received=received):
            problems.append(f"{rows_were(rejected)} rejected")
        if uncertain := report.total("uncertain"):
            problems.append(f"{rows(uncertain)} may or may not have been written")
        unverified = report.total("different") + report.total("missing")
        if unverified and self.settings.warn_on_mismatch:
            logger.warning("%s not found in Totango as sent.", rows_were(unverified))
        elif unverified:
            problems.append(f"{rows_were(unverified)} not found in Totango as sent")
        return problems

    def _log_counts(self) -> None:
        for line in self.report.table():
            logger.info("%s", line)
        for stream, ignored in self.report.ignored_streams.items():
            logger.info("Stream %r was ignored: %s.", stream, rows(ignored))
        self._log_marks()
        self._log_reasons("rejected", self.report.reasons("reasons"))
        self._log_reasons("left out", self.report.reasons("left_out_reasons"))
        self._log_reasons("skipped", self.report.reasons("skip_reasons"))
        for file in (self.files.rejects, self.files.skipped, self.files.sent):
            if file is not None and file.rows:
                logger.info("%s written to %s.", rows_were(file.rows), file.path)
            if file is not None and file.moved_to is not None:
                logger.info("An older file was moved to %s.", file.moved_to)
        if superseded := self.report.total("superseded"):
            logger.info(
                "%d of them are outdated, since later rows of the same key were confirmed: "
                "a replay skips them.",
                superseded,
            )

    def _log_marks(self) -> None:
        if marked := self.report.total("marked_deleted"):
            logger.warning(
                "%s marked as deleted at the source and written like all others: deleted_when says "
                "which rows are gone.",
                rows_were(marked),
            )

        if unchecked := self.report.total("unchecked_owners"):
            logger.warning(
                "%s sent with an owner who was not looked for among the users of Totango, which "
                "asks for the full name of one of them.",
                rows_were(unchecked),
            )

    def _log_reasons(self, kind: str, reasons: Counter[tuple[str, str]]) -> None:
        """Log why most rows were rejected or skipped: the stream, the field and the code."""
        for (stream, reason), count in reasons.most_common(REASONS_LOGGED):
            logger.info("%s in stream %r: %s (%s).", kind.capitalize(), stream, reason, rows(count))
        if (more := len(reasons) - REASONS_LOGGED) > 0:
            logger.info(
                "%s for %s: see report_path.", kind.capitalize(), counted(more, "more reason")
            )

    def _log_held_state(self) -> None:
        held = self.states.held
        if held is None:
            return
        why = "the run did not end in order"
        if self.states.incomplete:
            why = f"{rows_were(self.states.incomplete)} not delivered"
        logger.warning(
            "STATE is held: %d of the input's STATE messages, the first after row %d (%s), "
            "are not emitted, because %s%s",
            held.count,
            held.rows,
            excerpt(json.dumps(held.first, default=str)),
            why,
            f": {self.first_failure.message}" if self.first_failure else ".",
        )
        for name in OBJECTS.keys() - REPEATABLE if self.files.ledger is None else ():
            if sent := self.report.sent(name):
                logger.warning(
                    "%d %s were delivered without ledger_path: those that the tap sends again "
                    "count again.",
                    sent,
                    name,
                )


def _path_of(file: SingerFile | None) -> str | None:
    return str(file.path) if file is not None and file.rows else None

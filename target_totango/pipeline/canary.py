"""Reads the first written row of each object and delivery back before the rest goes out."""

from __future__ import annotations

import logging
import time
from collections import Counter
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from target_totango.delivery import Confirmed, Failed, Refused
from target_totango.models import HUB, Row
from target_totango.pipeline.watched_row import WatchedRow
from target_totango.verify import NAMES, Sent, Verdict, pauses
from totango_api.errors import ApiError, IncompleteReadError, TotangoError
from totango_api.writing import NoReceiptError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from target_totango.clients import Clients
    from target_totango.config import Settings
    from target_totango.pipeline.decisions import RowResult

    SendAlone = Callable[[Row], RowResult]
    Wait = Callable[[float], None]

logger = logging.getLogger("target-totango")

LOOKS: Final = 3
"""Batches of rows that are all in Totango already, after which no other one is looked at."""

CONTROL_SECONDS: Final = 10.0
"""When a second row is sent: it tells a service that drops rows from an account that takes none."""

FIRST_PAUSE: Final = 0.5

_TOKEN: Final = "sdr_token (Settings, SDR tokens), "  # noqa: S105 (the name of a setting)
_REMEDY: Final = (
    "Check {}service_id and region; whether the account is blocked or archived; and whether the "
    "owner of app_token may see it. If Totango only takes longer, raise verify_timeout; canary: "
    "false sends rows without this look."
)

Group: TypeAlias = tuple[str, str]
"""Object and delivery."""

_group: Final = attrgetter("object", "delivery")


class CanaryError(TotangoError):
    """The first row was acknowledged and is not in Totango as it was sent: nothing else is sent."""


class Canary:
    """Decides which rows are read back at once, and what follows for all others.

    Args:
        clients: What it reads with.
        settings: The target's settings.

    Attributes:
        findings: What came of it for each object and delivery.
    """

    def __init__(self, clients: Clients, settings: Settings) -> None:
        self._clients = clients
        self._settings = settings
        self._before: dict[int, Verdict] = {}
        self._looks: Counter[Group] = Counter()
        self._done: set[Group] = set()
        self.findings: dict[Group, dict[str, Any]] = {}

    def has_to_look(self, rows: Sequence[Row]) -> bool:
        """Return whether one of these rows may have to be read back."""
        groups = set(map(_group, rows))
        return any(group[0] in NAMES and group not in self._done for group in groups)

    def prepare(self, rows: Sequence[Row]) -> bool:
        """Look up what Totango holds of rows of which one is to be read back.

        Returns:
            Whether there are any.
        """
        self._before.clear()
        for group in dict.fromkeys(map(_group, rows)):
            if group[0] in NAMES and group not in self._done:
                self._look_up(group, [row for row in rows if _group(row) == group])
        return bool(self._before)

    def is_due(self, row: Row) -> bool:
        """Return whether a row is to be read back before any other goes out."""
        return row.seq in self._before and _group(row) not in self._done

    def prove(
        self, row: Row, later: Sequence[Row], send_alone: SendAlone, wait: Wait
    ) -> list[tuple[Row, RowResult]]:
        """Send a row, and return its result once it was read back.

        Where it does not show, a later row about another account is sent as well.

        Args:
            row: The row.
            later: Rows that follow it.
            send_alone: Sends a row and returns its result.
            wait: Waits so many seconds.

        Raises:
            CanaryError: If rows are acknowledged and do not arrive.
        """
        result = send_alone(row)
        if isinstance(result, Failed) and isinstance(result.error, NoReceiptError):
            return [(row, self._look_for(row, result, result.error, wait))]
        if not isinstance(result, Confirmed):
            if not isinstance(result, Refused):
                # One after the other would take long in an outage: the others go out together.
                self._before.clear()
            return [(row, result)]
        return self._watch(row, self._control(row, later), send_alone, wait)

    def _watch(
        self, row: Row, control: Row | None, send_alone: SendAlone, wait: Wait
    ) -> list[tuple[Row, RowResult]]:
        """Read a row back until it shows, and send another one where it does not for a while.

        Raises:
            CanaryError: If rows are acknowledged and do not arrive.
        """
        started = time.monotonic()
        timeout = self._settings.verify_timeout
        watched = [self._watched(row)]
        results: list[tuple[Row, RowResult]] = []
        for pause in pauses(timeout, FIRST_PAUSE):
            until_control = started + CONTROL_SECONDS - time.monotonic()
            wait(min(pause, until_control) if until_control > 0 else pause)
            if not self._read(watched):
                return [*results, *((each.row, Confirmed()) for each in watched)]
            if _is_decided(watched):
                break
            seconds = time.monotonic() - started
            # Not after the last look: nobody would see whether it arrives.
            if control is not None and CONTROL_SECONDS <= seconds < timeout:
                result = send_alone(control)
                if isinstance(result, Confirmed):
                    watched.append(self._watched(control))
                else:
                    results.append((control, result))
                control = None
        return [*results, *self._concluded(watched, time.monotonic() - started)]

    def _look_for(self, row: Row, result: Failed, error: NoReceiptError, wait: Wait) -> RowResult:
        """Return the result of a row that was not answered with a receipt.

        If it is there, whatever is answered so was taken.
        """
        group = _group(row)
        self._done.add(group)
        self.findings[group] = {"result": "no receipt"}
        if not error.may_be_receipt:
            return result
        watched = self._watched(row)
        for pause in pauses(self._settings.verify_timeout, FIRST_PAUSE):
            wait(pause)
            if not self._read([watched]):
                return result
            if watched.is_decided:
                break
        if watched.visible_at is None:
            return result
        self._clients.tracking.prove(error)
        self.findings[group] = {"result": watched.latest.result}
        logger.warning(
            "The service answers tracking calls with something other than a GIF. The first row of "
            "%s is there, so the same response counts as a receipt.",
            group[0],
        )
        return Confirmed(is_seen=watched.latest.result == "confirmed")

    def _look_up(self, group: Group, rows: Sequence[Row]) -> None:
        """Look up rows before they are sent: those that are there already would prove nothing."""
        self._looks[group] += 1
        try:
            verdicts = self._clients.verifier.check([Sent.of(row) for row in rows])
        except (ApiError, IncompleteReadError) as error:
            self._give_up(group, error)
            return
        changing = {
            row.seq: verdict
            for row, verdict in zip(rows, verdicts, strict=True)
            if verdict.result != "confirmed"
        }
        self._before |= changing
        if not changing:
            self.findings[group] = {"result": "unchanged"}
            if self._looks[group] == LOOKS:
                self._done.add(group)
                logger.info("The first rows of %s by %s are in Totango already.", *group)

    def _give_up(self, group: Group, error: TotangoError) -> None:
        self._done.add(group)
        self.findings[group] = {"result": "unreadable"}
        logger.warning(
            "The first row of %s by %s is not read back, so nothing proves that rows arrive: %s",
            *group,
            error,
        )

    def _watched(self, row: Row) -> WatchedRow:
        before = self._before[row.seq]
        return WatchedRow(row, before, before)

    def _control(self, row: Row, later: Sequence[Row]) -> Row | None:
        """Return the first later row that is about another account than all rows before it."""
        accounts = {row.request.account_id}
        for each in later:
            if each.request.account_id not in accounts and self.is_due(each):
                return each if _group(each) == _group(row) else None
            accounts.add(each.request.account_id)
        return None

    def _read(self, watched: Sequence[WatchedRow]) -> bool:
        """Read rows back; return False if they cannot be read."""
        try:
            verdicts = self._clients.verifier.check([Sent.of(each.row) for each in watched])
        except (ApiError, IncompleteReadError) as error:
            self._give_up(_group(watched[0].row), error)
            return False
        for each, verdict in zip(watched, verdicts, strict=True):
            each.update(verdict)
        return True

    def _concluded(
        self, watched: Sequence[WatchedRow], seconds: float
    ) -> list[tuple[Row, RowResult]]:
        """Return the results of rows that were sent.

        Raises:
            CanaryError: If none of them is there as it was sent.
        """
        first = watched[0]
        visible = [each for each in watched if each.visible_at is not None]
        if not visible and not self._lacks_attributes(first):
            raise _missing(watched, seconds)
        group = _group(first.row)
        self._check_attributes(visible[0] if visible else first)
        self._done.add(group)
        self.findings[group] = {"result": first.latest.result, "seconds": round(seconds, 1)}
        logger.info("The first row of %s by %s was found after %.1f s.", *group, seconds)
        return [(each.row, each.result(seconds)) for each in watched]

    def _unknown(self, watched: WatchedRow) -> list[str]:
        """Return the ignored attributes that Totango does not have."""
        try:
            return self._clients.unknown_names(watched.row.object, watched.ignored)
        except ApiError:
            return []

    def _lacks_attributes(self, watched: WatchedRow) -> bool:
        """Return whether a row that was there could not change, for want of its attributes."""
        return watched.before.result == "different" and (self._unknown(watched) == watched.ignored)

    def _check_attributes(self, watched: WatchedRow) -> None:
        """Check that no attribute was ignored because Totango does not have it.

        Raises:
            CanaryError: If one was, unless that is only to be warned of.
        """
        if watched.latest.result == "confirmed":
            return
        row, unknown = watched.row, self._unknown(watched)
        names = ", ".join(unknown or [each.attribute for each in watched.latest.differences])
        msg = (
            f"Of the first row of {row.object} by {row.delivery}, this is not in Totango as it "
            f"was sent: {names}."
        )
        if not unknown or self._settings.warn_on_mismatch:
            logger.warning("%s", msg)
            return
        msg += " Totango does not have such attributes. Nothing else was sent."
        remedy = "Create them, or correct the names in mappings; verify_mismatch: warn goes on."
        raise CanaryError(msg, remedy=remedy)


def _is_decided(watched: Sequence[WatchedRow]) -> bool:
    """Return whether the first row is, or another one while the first had time to follow."""
    return watched[0].is_decided or any(each.has_settled for each in watched)


def _missing(watched: Sequence[WatchedRow], seconds: float) -> CanaryError:
    row = watched[0].row
    msg = (
        f"The first row of {row.object} by {row.delivery} was acknowledged, but after "
        f"{seconds:.0f} s it is not in Totango"
        f"{', nor is a second one' if len(watched) > 1 else ''}. Nothing else was sent."
    )
    return CanaryError(msg, remedy=_REMEDY.format("" if row.delivery == HUB else _TOKEN))

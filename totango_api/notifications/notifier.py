"""Decides whether a run is notified, and notifies by every channel that is set."""

from __future__ import annotations

import logging
import threading
import time
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from totango_api.errors import TotangoError
from totango_api.notifications.notice import notice_of
from totango_api.notifications.senders import NotDeliveredError, mail, post, run
from totango_api.notifications.settings import ALWAYS, REJECTS, Channels
from totango_api.redaction import sentence_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from totango_api.notifications.notice import Notice
    from totango_api.report import ReportFiles

logger = logging.getLogger(__name__)

SECONDS: Final = 15.0
"""For all of it: a user who stops a program does not wait long."""


class Notifier:
    """Notifies people of a run.

    Args:
        channels: When and how.
    """

    def __init__(self, channels: Channels) -> None:
        self._channels = channels

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Notifier:
        """Return the notifier of a plugin's settings.

        Raises:
            SettingsError: If one cannot be used.
        """
        return cls(Channels.from_config(config))

    def notify(self, report: Mapping[str, Any], report_path: str | None = None) -> None:
        """Notify of a run if the settings ask for it; a failure to do so is a warning.

        Args:
            report: As :func:`totango_api.report.render_page` takes it.
            report_path: Where it is written.
        """
        if not self._is_notified(report):
            return
        threads = {
            name: threading.Thread(target=_guarded, args=(name, send), daemon=True)
            for name, send in self._senders(notice_of(report, report_path)).items()
        }
        for thread in threads.values():
            thread.start()
        until = time.monotonic() + SECONDS
        for name, thread in threads.items():
            thread.join(max(until - time.monotonic(), 0))
            if thread.is_alive():
                _warn(name, "it took too long")

    def _is_notified(self, report: Mapping[str, Any]) -> bool:
        if self._channels.on == ALWAYS or report.get("failure"):
            return True
        totals = report.get("totals") or {}
        rejected, received = totals.get("rejected") or 0, totals.get("received") or 0
        is_above: bool = rejected > self._channels.above * received
        return self._channels.on == REJECTS and is_above

    def _senders(self, notice: Notice) -> dict[str, Callable[[], None]]:
        """Return what sends a notice by each channel, by the setting that names it."""
        channels, senders = self._channels, dict[str, "Callable[[], None]"]()
        if channels.webhook:
            senders["notify_webhook"] = partial(post, channels.webhook, notice)
        if channels.command:
            senders["notify_command"] = partial(run, channels.command, notice, seconds=SECONDS - 1)
        if channels.email:
            senders["notify_email_to"] = partial(mail, channels.email, notice)
        return senders


def publish(
    report: dict[str, Any], files: ReportFiles, notifier: Notifier, *, is_private: bool = False
) -> TotangoError | None:
    """Write the report of a run, and notify; return why it could not be written.

    Args:
        report: As :func:`totango_api.report.render_page` takes it. Its `failure` is set, if it has
            none and cannot be written.
        files: Where it goes.
        notifier: Tells people.
        is_private: Whether it holds values of rows.
    """
    unwritten = None
    try:
        files.write(report, is_private=is_private)
    except TotangoError as error:
        unwritten = error
        report["failure"] = report["failure"] or sentence_of(error)
    notifier.notify(report, None if files.report is None else str(files.report))
    return unwritten


@contextmanager
def notifying_of_failures(program: str, config: Mapping[str, Any]) -> Iterator[None]:
    """Notify of a run that fails before it can count anything.

    Raises:
        SettingsError: If the settings about notifications cannot be used.
    """
    notifier = Notifier.from_config(config)
    try:
        yield
    except TotangoError as error:
        notifier.notify({"program": program, "failure": sentence_of(error)})
        raise


def _guarded(name: str, send: Callable[[], None]) -> None:
    try:
        send()
    except (NotDeliveredError, TotangoError) as error:
        _warn(name, str(error).rstrip("."))
    except Exception as error:  # noqa: BLE001 (a run never fails for it; texts may hold addresses)
        _warn(name, f"it failed ({type(error).__name__})")


def _warn(name: str, why: str) -> None:
    logger.warning("Nobody was notified by %s: %s.", name, why)

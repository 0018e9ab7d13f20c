"""Moves bookmarks: what a run starts from, and where the next one does.

A bookmark is the greatest replication value that a finished, complete run has read. Beside it
stands when everything was read last, and, while a long read is under way, what is left of it.
"""

from __future__ import annotations

import hashlib
import logging
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import msgspec

from tap_totango.schema import ConversionError, moment_of, timestamp
from totango_api.errors import InputError
from totango_api.reading import ResumePoint
from totango_api.redaction import scrub

if TYPE_CHECKING:
    from collections.abc import Sequence

    from totango_api.search import Query

logger = logging.getLogger(__name__)

KEY: Final = "replication_key"
VALUE: Final = "replication_key_value"
FULL_AT: Final = "full_refresh_at"
FULL_SINCE: Final = "full_refresh_anchor"
READING: Final = "full_read"
COLUMNS: Final = "columns"
PART: Final = "part"
UNDISCOVERED: Final = "attributes_undiscovered"
REFUSED: Final = "refused_columns"

EARLY: Final = 8
"""A full refresh may come early by one part in this many of its period: schedules jitter."""

LONGEST_HOURS: Final = 100 * 365 * 24
"""A period longer than this is as good as never."""

OLDEST: Final = "1973-03-03T09:46:40.000000Z"
"""Seconds of this century are milliseconds before this moment, when no service was: 10**11."""

AHEAD_SECONDS: Final = 60
"""A clock that is further ahead than this is said."""

LONGEST_RESUME: Final = timedelta(hours=24)
"""An interrupted read older than this begins again."""


@dataclass(frozen=True)
class Start:
    """What a run starts from.

    Attributes:
        since: Replication value from which rows are read; None = everything.
        full: Whether this is a full refresh.
        resume: Where an interrupted full read goes on.
        version: Version of the table, in epoch milliseconds.
        at: When this read began: for a resumed one, when that one did.
    """

    since: str | None
    full: bool
    version: int
    at: datetime
    resume: ResumePoint | None = None


class Bookmark:
    """The bookmark of one stream, inside the tap's state.

    Args:
        state: The stream's own part of the state; changed in place.
        replication_key: The column whose values are kept.
        now: When the run started.
    """

    def __init__(self, state: dict[str, Any], replication_key: str | None, now: datetime) -> None:
        self._state = state
        self._key = replication_key
        self._now = now
        self._is_discovered: bool | None = None
        self._counts_as_full = True

    @property
    def value(self) -> str | None:
        """The bookmark, in its canonical form; None if there is none for this key."""
        if self._key is None or self._state.get(KEY) != self._key:
            return None
        return canonical(self._state.get(VALUE))

    def start(
        self,
        query: Query,
        *,
        every_hours: float | None,
        lookback_seconds: float,
        start_date: str | None,
        is_discovered: bool | None = None,
        keeps_columns: bool = False,
    ) -> Start:
        """Decide what this run reads.

        Args:
            query: What the stream reads, without any bookmark.
            every_hours: How often everything is read; 0 = always, None = never again.
            lookback_seconds: How far before the bookmark reading begins.
            start_date: Before which rows are not wanted.
            is_discovered: Whether the service named its attributes; None if it was not asked.
            keeps_columns: Whether it did not, and columns known from earlier are read.
        """
        floor = canonical(start_date)
        if floor is not None and floor > timestamp(self._now):
            logger.warning("start_date %s lies in the future: until then nothing is read.", floor)
        value = self.value
        if value is not None and value > timestamp(self._now):
            logger.warning(
                "The bookmark %s lies in the future: what changes until then is read by full "
                "refreshes only. Remove replication_key_value from the state to begin again.",
                value,
            )
        is_discovered_again = self._note_discovery(
            is_discovered=is_discovered, keeps_columns=keeps_columns
        )
        due = is_discovered_again or self._due(every_hours)
        if value is None or self._key is None or due or self._reading(query):
            never = every_hours is None and floor is not None and self._key is not None
            since = floor if never else None
            return self._resumed(query) or Start(since, since is None, self._version, self._now)
        looked_back = _before(value, lookback_seconds)
        return Start(max(looked_back, floor or looked_back), False, self._version, self._now)

    def _note_discovery(self, *, is_discovered: bool | None, keeps_columns: bool) -> bool:
        """Note whether attributes are known; return whether they are again, after they were not.

        Then everything is read. A read of columns that are known from earlier only is no full
        refresh the first time: the service may have others.
        """
        self._is_discovered = is_discovered
        was_undiscovered = bool(self._state.get(UNDISCOVERED))
        self._counts_as_full = was_undiscovered or not keeps_columns
        if is_discovered is False:
            self._state[UNDISCOVERED] = True
        return was_undiscovered and bool(is_discovered)

    @property
    def _version(self) -> int:
        return int(self._now.timestamp() * 1000)

    def _due(self, every_hours: float | None) -> bool:
        """Return whether a full refresh is due.

        Periods are counted from the first one, so that they do not drift: every run that is
        the first of a period, or of the last part of the one before, is full.
        """
        if every_hours is None:
            return False
        last, anchor = self._state.get(FULL_AT), self._state.get(FULL_SINCE)
        if not last or not anchor or every_hours <= 0:
            return True
        if moment_of(last) > self._now:
            return True  # a clock was wrong
        period = timedelta(hours=min(every_hours, LONGEST_HOURS))
        if not period:
            return True
        # Not the moment at which a period begins, which a state may place before all others.
        now, then = (
            one - moment_of(anchor) + period / EARLY for one in (self._now, moment_of(last))
        )
        return now // period > then // period

    def _reading(self, query: Query) -> bool:
        return self._resumed(query) is not None

    def _resumed(self, query: Query) -> Start | None:
        """Return where an interrupted full read of the same query goes on."""
        reading = self._state.get(READING)
        if not isinstance(reading, dict) or reading.get("query") != fingerprint(query):
            return None
        if "resume" not in reading:
            return None  # an earlier version of this tap left it
        began = moment_of(reading["started_at"])
        if not timedelta(0) <= self._now - began <= LONGEST_RESUME:
            return None
        resume = msgspec.convert(reading["resume"], ResumePoint)
        return Start(None, full=True, version=int(reading["version"]), at=began, resume=resume)

    def note_refused(self, kinds: Sequence[str]) -> None:
        """Remember which kinds of columns were refused: the next run asks for these first."""
        self._state.pop(REFUSED, None)
        if kinds:
            self._state[REFUSED] = list(kinds)

    def progressed(self, start: Start, query: Query, resume: ResumePoint) -> None:
        """Keep what is left of a full read."""
        self._state[READING] = {
            "started_at": timestamp(start.at),
            "version": start.version,
            "query": fingerprint(query),
            "resume": msgspec.to_builtins(resume),
        }

    def finished(self, start: Start, greatest: str | None, clock_ahead: float = 0.0) -> None:
        """Move the bookmark after a complete read; never backwards, never past its start.

        Args:
            start: What the run started from.
            greatest: The greatest replication value read.
            clock_ahead: Seconds by which this machine's clock is ahead of the service's: what is
                active there while a read is under way must not pass for read.
        """
        self._state.pop(READING, None)
        if start.full and self._is_discovered:
            self._state.pop(UNDISCOVERED, None)
        if start.full and self._counts_as_full:
            self._state[FULL_AT] = timestamp(start.at)
            self._state.setdefault(FULL_SINCE, timestamp(start.at))
        if self._key is None or greatest is None:
            return
        if greatest < OLDEST:
            logger.warning(
                "The latest %s of all is %s: the service seems to give times in seconds, and they "
                "are read as milliseconds. Multiply them by 1,000 behind the tap, and report it.",
                self._key,
                greatest,
            )
        if clock_ahead > AHEAD_SECONDS:
            logger.warning(
                "This machine's clock is %.0f s ahead of the service's: the bookmark stays behind.",
                clock_ahead,
            )
        reached = min(greatest, timestamp(start.at - timedelta(seconds=clock_ahead)))
        value = self.value
        self._state[KEY] = self._key
        self._state[VALUE] = reached if value is None else max(value, reached)


def _before(value: str, seconds: float) -> str:
    """Return the moment so many seconds earlier, or as early as moments go."""
    try:
        return timestamp(moment_of(value) - timedelta(seconds=seconds))
    except OverflowError:
        return timestamp(datetime.min.replace(tzinfo=UTC))


def canonical(value: Any, where: str = "the state") -> str | None:
    """Return a date in the one form that bookmarks have.

    Args:
        value: The date, as text.
        where: Where it stands, for messages.

    Raises:
        InputError: If it is no date.
    """
    if value is None:
        return None
    try:
        return timestamp(moment_of(str(value)))
    except ConversionError:
        msg = f"{scrub(value)[:40]!r}, in {where}, is no date."
        raise InputError(msg, remedy="Use ISO 8601, such as 2026-01-31T00:00:00Z.") from None


def fingerprint(query: Query) -> str:
    """Return a short text that tells queries apart."""
    return hashlib.blake2b(query.at(0, 0).form(), digest_size=8).hexdigest()


def utc_now() -> datetime:
    """Return the present moment."""
    return datetime.now(UTC)

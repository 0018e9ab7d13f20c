"""Questions about the audit log: its last day of a year, its longest response, and how late it is.

The last 30 days are asked for: first the later half, then all, then the earlier half. Entries that
the halves show and the whole does not were cut from it. Where one call is left, all are asked for.
"""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any, Final

from tap_totango.probe.responses import duration, shape_of, tried
from totango_api.errors import ApiError, RefusedError
from totango_api.probe import Answer, Question, does_not_arise, status_text
from totango_api.text import counted, parse_moment

if TYPE_CHECKING:
    from tap_totango.probe.service import ProbedService

_PATH: Final = "/api/v2/audit"
_DAYS: Final = 30
_CLOCK_SECONDS: Final = 2.0
"""By how much two readings of the service's clock may differ."""

_BAD_REQUEST: Final = 400


@dataclass(frozen=True)
class _Entries:
    """What answered a call for some days.

    Attributes:
        moments: Of each entry, in one spelling, in epoch seconds; None where it has none.
        rows: Entries that came, equal ones included.
        asked_at: The latest that it can have been at the service before the call.
        came_at: And after it.
    """

    moments: dict[str, float | None]
    rows: int
    asked_at: float
    came_at: float

    @property
    def known_moments(self) -> list[float]:
        """Moments, in the order in which the entries came."""
        return [moment for moment in self.moments.values() if moment is not None]

    @property
    def is_in_order(self) -> bool:
        """Whether the oldest entry comes first: a cut then takes from the later half."""
        return self.known_moments == sorted(self.known_moments)


@dataclass(frozen=True)
class _Log:
    """What answered a call for the later half of the last days, for all, for the earlier half."""

    middle: float
    later: _Entries
    whole: _Entries
    earlier: _Entries | None

    @property
    def cut(self) -> int:
        """How many entries of the halves the response for all days did not hold."""
        halves = [*self.later.moments, *(self.earlier.moments if self.earlier else ())]
        return sum(entry not in self.whole.moments for entry in halves)

    @property
    def shows_a_cut(self) -> bool:
        """Whether a cut of the response for all days would have been seen."""
        if not self.later.moments or self.later.rows == self.whole.rows:
            return False
        return self.whole.is_in_order or bool(self.earlier and self.earlier.moments)

    @property
    def late(self) -> float | None:
        """The moment of the newest entry that came after the first call, and is from before it."""
        before = self.later.asked_at - _CLOCK_SECONDS
        late = [
            moment
            for entry, moment in self.whole.moments.items()
            if entry not in self.later.moments
            if moment is not None and self.middle <= moment < before
        ]
        return None if self.cut else max(late, default=None)


def _log(service: ProbedService) -> _Log | Answer:
    """Return the entries of the last days; where there are none, the answer that says why."""
    return service.caller.once("audit", lambda: _read(service))


def _read(service: ProbedService) -> _Log | Answer:
    today = datetime.fromtimestamp(service.caller.client.clock.latest, UTC).date()
    if today < today.replace(month=1, day=1 + _DAYS // 2):  # both dates have to be in one year
        today = today.replace(year=today.year - 1, month=12, day=31)
    start = max(today - timedelta(days=_DAYS), today.replace(month=1, day=1))
    end = min(today + timedelta(days=1), today.replace(month=12, day=31))
    middle = start + (end - start) // 2 if service.caller.spare > 1 else start
    later = _asked(service, middle, end)
    if isinstance(later, Answer):
        return later
    whole = later if middle == start else _asked(service, start, end)
    if isinstance(whole, Answer):
        return whole
    earlier = None
    is_unclear = later.rows == whole.rows or not whole.is_in_order
    if is_unclear and middle > start and service.caller.spare > 1:
        asked = _asked(service, start, middle)
        earlier = None if isinstance(asked, Answer) else asked
    midnight = datetime.combine(middle, time(), UTC).timestamp()
    return _Log(midnight, later, whole, earlier)


def _asked(service: ProbedService, start: date, end: date) -> _Entries | Answer:
    """Return the entries of some days, or why there are none."""
    clock = service.caller.client.clock
    asked_at = clock.latest
    response = tried(service, f"{_PATH}?startDate={start}&endDate={end}")
    if isinstance(response, ApiError):
        return does_not_arise(f"no audit log: {status_text(response)}")
    if not isinstance(response, list):
        return does_not_arise(f"the audit log is no list: {shape_of(response)}")
    return _Entries(dict(map(_spelt, response)), len(response), asked_at, clock.latest)


def _spelt(entry: Any) -> tuple[str, float | None]:
    said = entry.get("timestamp") if isinstance(entry, dict) else None
    moment = None
    if isinstance(said, str):
        with suppress(ValueError):
            moment = parse_moment(said).timestamp()
    return json.dumps(entry, sort_keys=True, default=str), moment


def audit_limit(service: ProbedService) -> Answer:
    """Compare the entries of the last days with those of their halves."""
    log = _log(service)
    if isinstance(log, Answer):
        return log
    rows = log.whole.rows
    if not (rows or log.cut):
        return does_not_arise(f"no entry of the last {_DAYS} days")
    came = f"{counted(rows, 'entry', 'entries')} of the last {_DAYS} days came"
    if log.cut:
        return Answer(
            f"cut at {rows}", f"{came}, {log.cut} more of parts of them", details=[str(rows)]
        )
    halves = "no more of their halves" if log.shows_a_cut else "too few to see a limit behind them"
    return Answer(f"at least {rows}", f"{came}; {halves}")


def audit_delay(service: ProbedService) -> Answer:
    """Look for an entry that came late, and how old the newest one is."""
    log = _log(service)
    if isinstance(log, Answer):
        return log
    if (late := log.late) is not None:
        least = duration(log.later.asked_at - _CLOCK_SECONDS - late)
        most = duration(log.whole.came_at - late)
        return Answer(f"{least} to {most}", "so old was an entry when it came between two calls")
    moments = [*log.later.known_moments, *log.whole.known_moments]
    if not moments:
        return does_not_arise(f"no entry of the last {_DAYS} days has a time")
    age = duration(log.whole.came_at - max(moments))
    return Answer(f"within {age}", "so old is the newest entry that is seen; none came late")


def audit_year(service: ProbedService) -> Answer:
    """Ask the audit log for 31 December of last year, which ends on the first day of this one."""
    year = datetime.now(UTC).year
    response = tried(service, f"{_PATH}?startDate={year - 1}-12-31&endDate={year}-01-01")
    if not isinstance(response, ApiError):
        rows = len(response) if isinstance(response, list) else 0
        return Answer("given", counted(rows, "entry", "entries"))
    if isinstance(response, RefusedError) and response.status in {200, _BAD_REQUEST}:
        return Answer("refused", status_text(response))
    return Answer("no audit log", status_text(response))


QUESTIONS: Final = (Question("audit_year", "Is 31 December in the audit log?", 1, audit_year),)
OF_WHAT_IS_LEFT: Final = (
    Question("audit_limit", "How many entries does an audit call give?", 0, audit_limit),
    Question("audit_delay", "How late is an audit entry seen?", 0, audit_delay),
)

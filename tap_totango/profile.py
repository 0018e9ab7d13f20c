"""Reads from a profile (`probe_path`) what the tap need not ask.

Nothing in it can make a read less complete: a filter said to be refused is not tried, which costs
calls; a column said to be refused is left out only after it was refused again; what may be cut is
read in smaller parts; and every read is proven as ever. The offset of events is found out from the
answers of each read in any case.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from totango_api.limits import PAGE_ROWS
from totango_api.probe import Profile
from totango_api.reading import CREATE_DATE, NO_HINTS, Hints
from totango_api.search import ACCOUNTS, USERS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from totango_api.config import Connection

PROFILE_SETTINGS: Final = frozenset({"team_id", "page_size"})
"""Settings that a profile may give, where they are not set."""

_REFUSED: Final = frozenset({"refused", "ignored"})
_NOT_BOTH: Final = _REFUSED | {"gte only", "finds nothing"}
_CLOSED: Final = frozenset({"refused", "empty"})
_NOT_NAMED: Final = frozenset({"refused", "missing", "no JSON", "another shape"})
_DATES: Final = {
    ACCOUNTS: {
        "activity_filter": "last_activity_time",
        "creation_filter": f"date:{CREATE_DATE}",
    },
    USERS: {"first_activity_filter": "first_activity_time"},
}
"""Names of the keys of reads by the question about their filters, for the object it was about."""


@dataclass(frozen=True)
class KnownService:
    """What is known of the service before the first call.

    Attributes:
        hints: For reads of accounts and of users: calls that they need not try.
        refuses_since: Streams whose rows cannot be filtered by their last activity.
        names_no_attributes: Whether the attribute definitions were not given.
        suspect_columns: Kinds of columns that were refused.
        team_id: For searches, where no setting and no query says another.
        page_size: Rows on a page, where the setting is left at its default.
        audit_rows: Entries at which an answer of the audit log is cut.
        window_rows: Rows that one query reaches.
    """

    hints: Mapping[str, Hints] = field(default_factory=dict)
    refuses_since: frozenset[str] = frozenset()
    names_no_attributes: bool = False
    suspect_columns: frozenset[str] = frozenset()
    team_id: str | None = None
    page_size: int | None = None
    audit_rows: int | None = None
    window_rows: int | None = None

    @classmethod
    def of(cls, config: Mapping[str, Any], connection: Connection) -> KnownService:
        """Return what the profile says that is named in the settings; nothing where none is.

        Raises:
            SettingsError: If it cannot be used, or is about another service.
        """
        path = config.get("probe_path")
        if not path:
            return cls()
        profile = Profile.read(path, "tap-totango", connection, settings=PROFILE_SETTINGS)
        answers = profile.answers
        suspects = set(profile.details.get("columns", ()))
        if answers.get("unknown_column") == "refused":
            suspects.add("string_attribute")
        team_id, page_size = (profile.settings.get(name) for name in ("team_id", "page_size"))
        return cls(
            hints={stream: _hints(answers, dates) for stream, dates in _DATES.items()},
            refuses_since=frozenset(
                {ACCOUNTS} if answers.get("activity_filter") == "refused" else ()
            ),
            names_no_attributes=answers.get("attributes") in _NOT_NAMED,
            suspect_columns=frozenset(suspects),
            team_id=None if team_id is None else str(team_id),
            page_size=page_size if isinstance(page_size, int) and page_size > 0 else None,
            audit_rows=_number(profile, "audit_limit"),
            window_rows=_number(profile, "window_rows"),
        )

    def hints_of(self, stream: str) -> Hints:
        """Return the hints for a read of accounts or users: calls that it need not try."""
        return self.hints.get(stream, NO_HINTS)

    def rows_of_page(self, setting: int | None) -> int:
        """Return how many rows a page may have; the setting's default is no word of the user."""
        is_set = setting not in {None, PAGE_ROWS}
        return (setting if is_set else self.page_size) or PAGE_ROWS


def _number(profile: Profile, question: str) -> int | None:
    """Return the number that belongs to an answer, if one does."""
    text = str(next(iter(profile.details.get(question, ())), ""))
    return int(text) if text.isdecimal() and int(text) else None


def _hints(answers: Mapping[str, str], dates: Mapping[str, str]) -> Hints:
    refused = {name for asked, name in dates.items() if answers.get(asked) in _NOT_BOTH}
    is_closed = answers.get("page_behind_window") in _CLOSED
    is_known = answers.get("window_rows", "").isdecimal()
    return Hints(is_closed or is_known, frozenset(refused))


UNKNOWN: Final = KnownService()

"""The one tree of errors, each with what happened, where, and what to do about it.

```
TotangoError
├── SettingsError            a setting is missing, malformed or contradicts another
│   └── QueryError           a pasted query or a term cannot be used
├── ApiError                 a call did not do what it was asked
│   ├── AuthenticationError  401, 403
│   ├── RefusedError         another 4xx, or a failure reported inside a 200
│   ├── RateLimitError       429
│   ├── UnavailableError     5xx, timeouts, dropped or truncated responses
│   └── ResponseError        a response that is not what the documentation shows
├── IncompleteReadError      rows are missing and cannot be had
└── InputError               Singer input, catalog or state that cannot be used
```

Messages hold no secret, no e-mail address and no response body: who builds one from outside
text passes it through :func:`totango_api.redaction.scrub` first.
"""

from __future__ import annotations

import errno
import sqlite3
from typing import Final


class TotangoError(Exception):
    """Root of the tree.

    Attributes:
        message: What happened, and where.
        remedy: What the user can do about it; may be empty.
    """

    def __init__(self, message: str, *, remedy: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.message} {self.remedy}".rstrip()


class SettingsError(TotangoError):
    """A setting is missing, malformed or contradicts another."""


class QueryError(SettingsError):
    """A query that a user pasted cannot be used; the message names the place of the fault."""


class InputError(TotangoError):
    """Singer input, a catalog or a state file cannot be used."""


class IncompleteReadError(TotangoError):
    """Rows that the server counts could not be read.

    Attributes:
        missing: How many rows are known to be missing; None when that cannot be told.
    """

    def __init__(self, message: str, *, missing: int | None = None, remedy: str = "") -> None:
        super().__init__(message, remedy=remedy)
        self.missing = missing


class ApiError(TotangoError):
    """A call did not do what it was asked.

    Attributes:
        endpoint: Method and path, never the query string.
        status: HTTP status; None when no response arrived.
        reason: What the server said, scrubbed and cut.
        retriable: Whether the same call may succeed later.
        may_have_succeeded: Whether the server may have carried the call out nevertheless.
        max_tries: How often the call is sent before this is believed; None = no limit.
    """

    retriable = False
    may_have_succeeded = False
    max_tries: int | None = None

    def __init__(
        self,
        endpoint: str,
        *,
        status: int | None = None,
        reason: str = "",
        request_id: str = "",
        remedy: str = "",
        retriable: bool | None = None,
        may_have_succeeded: bool | None = None,
        max_tries: int | None = None,
    ) -> None:
        said = f": {reason}" if reason else ""
        answered = f" answered {status}" if status is not None else " failed"
        identified = f" (request id {request_id})" if request_id else ""
        super().__init__(f"{endpoint}{answered}{said}{identified}.", remedy=remedy)
        self.endpoint = endpoint
        self.status = status
        self.reason = reason
        if retriable is not None:
            self.retriable = retriable
        if may_have_succeeded is not None:
            self.may_have_succeeded = may_have_succeeded
        self.max_tries = max_tries

    @property
    def is_refusal(self) -> bool:
        """Whether the service answered that it does not do this: no outage, and no bad token."""
        return False


class AuthenticationError(ApiError):
    """Totango did not accept the token (401) or its rights (403)."""

    @property
    def is_refusal(self) -> bool:
        """Whether the token is accepted, and may only not do this."""
        return self.status != _UNAUTHORIZED


class RefusedError(ApiError):
    """Totango understood the call and refused it."""

    @property
    def is_refusal(self) -> bool:
        """Whether the call was made at all."""
        return self.status is not None


class RateLimitError(ApiError):
    """Too many calls (429).

    Attributes:
        wait: Seconds that the server asked to wait; None if it named none.
    """

    retriable = True

    def __init__(self, endpoint: str, *, wait: float | None, remedy: str = "") -> None:
        super().__init__(endpoint, status=429, reason="too many requests", remedy=remedy)
        self.wait = wait


class UnavailableError(ApiError):
    """The server could not answer: 5xx, a timeout, a dropped or truncated connection.

    `may_have_succeeded` is False only when no connection came about, or none of the call (408).
    """

    retriable = True
    may_have_succeeded = True


class ResponseError(ApiError):
    """The response is not what the documentation shows; `retriable` when it is not even JSON."""

    @property
    def is_refusal(self) -> bool:
        """Whether the service does not do this: it answers in another way than documented."""
        return True


_UNAUTHORIZED: Final = 401
_NO_ROOM: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS})
_NO_FOLDER: Final = "No usable temporary directory"


def temporary_file_error(error: BaseException) -> TotangoError | None:
    """Return the error for a temporary file that could not be written; None for other causes."""
    if isinstance(error, sqlite3.OperationalError):
        why = str(error)
    elif isinstance(error, OSError) and error.errno in _NO_ROOM:
        why = error.strerror or str(error)
    elif isinstance(error, FileNotFoundError) and _NO_FOLDER in str(error):
        why = "there is no folder for it"
    else:
        return None
    msg = f"What does not fit into memory cannot be kept in a temporary file: {why}."
    return TotangoError(msg, remedy="Make room, or set TMPDIR to a folder that has it.")

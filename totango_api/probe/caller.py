"""Makes the calls of a probe: counted, each asked for once, never more than the budget."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final, TypeVar

from totango_api.errors import (
    ApiError,
    RateLimitError,
    ResponseError,
    TotangoError,
    UnavailableError,
)
from totango_api.search import Search

if TYPE_CHECKING:
    from collections.abc import Callable

    from totango_api.http import ApiClient
    from totango_api.search import Page, Query

T = TypeVar("T")

PAUSE_SECONDS: Final = 1.0
LONGEST_PAUSE_SECONDS: Final = 60.0
_SERVER_FAULT: Final = 500


class BudgetSpentError(TotangoError):
    """No call is left."""


class Caller:
    """Makes calls, and remembers what answered those that several questions look at.

    Args:
        client: Sends them; it must not retry by itself, or calls would go uncounted.
        max_calls: Calls that may be made.
        team_id: Form field of every search; None = not sent.

    Attributes:
        calls: Calls that were made.
        reserved: Calls that the questions to come need.
    """

    def __init__(self, client: ApiClient, max_calls: int, *, team_id: str | None = None) -> None:
        self.client = client
        self.team_id = team_id
        self.calls = 0
        self.max_calls = max_calls
        self.reserved = 0
        self._known: dict[str, Any] = {}

    @property
    def spare(self) -> int:
        """Calls that may be made beside those that the questions to come need."""
        return max(0, self.max_calls - self.calls - self.reserved)

    def search(self, stream: str, query: Query, *, team_id: str | None = None) -> Page:
        """Fetch one page of accounts or users.

        Raises:
            ApiError: If the service does not answer with rows.
        """
        endpoint = Search(self.client, stream, team_id=team_id or self.team_id)
        return self.call(lambda: endpoint.page(query))

    def get(self, path: str) -> Any:
        """GET from the REST API.

        Raises:
            ApiError: If the service does not answer with JSON.
        """
        return self.call(lambda: self.client.api("GET", path))

    def post(self, path: str, form: bytes) -> Any:
        """POST a form to the REST API.

        Raises:
            ApiError: If the service does not answer with JSON.
        """
        return self.call(lambda: self.client.post_form(path, form))

    def call(self, send: Callable[[], T], *, idempotent: bool = True) -> T:
        """Make a call; once more where the service was busy or could not be reached.

        Args:
            send: Makes it.
            idempotent: Whether it may be made twice; if not, only what was certainly not carried
                out is.

        Raises:
            ApiError: If it failed.
            BudgetSpentError: If no call is left.
        """
        try:
            return self._counted(send)
        except (RateLimitError, UnavailableError) as error:
            if is_refusal(error) or (error.may_have_succeeded and not idempotent):
                raise
            wait = getattr(error, "wait", None) or PAUSE_SECONDS
            time.sleep(min(wait, LONGEST_PAUSE_SECONDS))
        return self._counted(send)

    def _counted(self, send: Callable[[], T]) -> T:
        if self.calls >= self.max_calls:
            msg = "No call was left."
            raise BudgetSpentError(msg)
        self.calls += 1
        return send()

    def tried(self, fetch: Callable[[], T]) -> T | ApiError:
        """Return what a function returns, or the refusal that it raises.

        Raises:
            ApiError: If the service did not even refuse.
        """
        try:
            return fetch()
        except ApiError as error:
            if not is_refusal(error):
                raise
            return error

    def once(self, name: str, fetch: Callable[[], T]) -> T:
        """Return what a function returned or raised the first time.

        Raises:
            TotangoError: If it did so then.
        """
        if name not in self._known:
            try:
                self._known[name] = fetch()
            except BudgetSpentError:
                raise
            except ApiError as error:
                self._known[name] = error
        known = self._known[name]
        if isinstance(known, ApiError):
            raise known
        found: T = known
        return found


def is_refusal(error: ApiError) -> bool:
    """Return whether an error is an answer to the question, and not a failure to ask it.

    A 500 is: so do servers answer what they do not understand.
    """
    return error.is_refusal or error.status == _SERVER_FAULT


def status_text(error: ApiError) -> str:
    """Return the status of a refusal as text, without the service's words."""
    if isinstance(error, ResponseError):
        return "a response of another shape" if error.status is None else "no JSON"
    return f"status {error.status}" if error.status is not None else "no answer"

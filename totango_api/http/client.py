"""The one way out: kept connections, a call budget, retries, and what counts as an answer.

Facts: "API rate limit" (429 and its headers), "Totango HTTP API" (anything but 200 is to be
sent again), Totango's own Zendesk app and public clients (failures inside a 200).
"""

from __future__ import annotations

import functools
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Self, TypeVar

from totango_api.errors import ApiError, RateLimitError
from totango_api.http.rate_limit import RateLimiter
from totango_api.http.responses import Response, error_for, json_of
from totango_api.http.retry import retried
from totango_api.http.wire import Wire
from totango_api.redaction import scrub

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import TracebackType

    from totango_api.config import Connection

T = TypeVar("T")

FORM: Final = "application/x-www-form-urlencoded"


@dataclass
class Usage:
    """What a surface (`api`, `tracking`, `hub`) has cost so far."""

    calls: int = 0
    retries: int = 0
    failures: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True)
class Request:
    """One HTTP call.

    Attributes:
        surface: `api`, `tracking` or `hub`: whose usage it counts to. Only `api` and `hub`
            calls take from the budget.
        method: HTTP method.
        url: Without query string, so that it can be named in errors.
        body: Encoded body, or None.
        headers: Beside the User-Agent.
        max_retry_seconds: Lowers the connection's; 0 = sent once.
        idempotent: Whether a second delivery does no harm. Otherwise the request is sent again
            only when it certainly was not carried out.
    """

    surface: str
    method: str
    url: str
    body: bytes | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    max_retry_seconds: float | None = None
    idempotent: bool = True

    @functools.cached_property
    def endpoint(self) -> str:
        """Method and URL, for messages. Ids in the path are scrubbed as any text is."""
        return scrub(f"{self.method} {self.url}")


class ApiClient:
    """Sends requests: paced, retried, timed out, never redirected, always over verified TLS.

    Safe to share between threads.

    Args:
        connection: The shared settings.
        pool_size: Connections kept alive for each host.
    """

    def __init__(self, connection: Connection, *, pool_size: int = 8) -> None:
        self.connection = connection
        self.budget = RateLimiter(connection.calls_per_minute)
        self.usage = {"api": Usage(), "tracking": Usage(), "hub": Usage()}
        self._usage_lock = threading.Lock()
        self._wire = Wire(pool_size=pool_size, timeout=connection.timeout)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close every kept connection."""
        self._wire.close()

    def post_form(self, path: str, form: bytes, *, max_retry_seconds: float | None = None) -> Any:
        """POST an encoded form to the REST API and return the decoded JSON.

        Raises:
            ApiError: If the API did not do what it was asked.
        """
        return self.api(
            "POST", path, body=form, content_type=FORM, max_retry_seconds=max_retry_seconds
        )

    def api(
        self,
        method: str,
        path: str,
        *,
        body: bytes | None = None,
        content_type: str | None = None,
        max_retry_seconds: float | None = None,
    ) -> Any:
        """Call the REST API and return the decoded JSON.

        Raises:
            ApiError: If the API did not do what it was asked.
        """
        headers = {"app-token": self.connection.require_token(), "Accept": "application/json"}
        headers["Accept-Encoding"] = "gzip, deflate"
        if content_type:
            headers["Content-Type"] = content_type
        url = f"{self.connection.hosts.api}{path}"
        read = functools.partial(json_of, region=self.connection.region)
        return self.send(Request("api", method, url, body, headers, max_retry_seconds), read)

    def send(self, request: Request, read: Callable[[str, Response], T]) -> T:
        """Send a request until it is answered, refused, or out of time.

        Args:
            request: What to send.
            read: Makes a result of the endpoint's name and a 2xx answer. It may raise a
                retriable :class:`ApiError`, and the request is sent again.

        Raises:
            ApiError: If it was refused, or not answered in time.
        """
        seconds = self.connection.max_retry_seconds
        if request.max_retry_seconds is not None:
            seconds = min(seconds, request.max_retry_seconds)

        started = time.monotonic()
        try:
            try:
                return self._attempt(request, read)
            except ApiError as error:
                # The ordinary call needs none of the machinery of retries.
                spent = time.monotonic() - started
                return self._retried(request, read, error, seconds=seconds, spent=spent)
        except ApiError as error:
            with self._usage_lock:
                self.usage[request.surface].failures[str(error.status or "no answer")] += 1
            raise

    def _retried(
        self,
        request: Request,
        read: Callable[[str, Response], T],
        error: ApiError,
        *,
        seconds: float,
        spent: float,
    ) -> T:
        """Send a request again whose first attempt failed."""
        first: ApiError | None = error

        def attempt() -> T:
            nonlocal first
            if first is not None:
                failed, first = first, None
                raise failed
            return self._attempt(request, read)

        again = retried(
            attempt,
            seconds=seconds,
            idempotent=request.idempotent,
            note=lambda: self._note_retry(request),
            spent=spent,
        )
        return again()

    def _attempt(self, request: Request, read: Callable[[str, Response], T]) -> T:
        with self._usage_lock:
            self.usage[request.surface].calls += 1
        if request.surface == "tracking":
            answer = self._exchange(request)
        else:
            with self.budget.call():
                answer = self._exchange(request)
                self.budget.observe(answer.headers)
        error = self.error_for(request.endpoint, answer)
        if error is None:
            return read(request.endpoint, answer)
        raise error

    def error_for(self, endpoint: str, answer: Response) -> ApiError | None:
        """Return the error that a status stands for; None for 2xx.

        After a 429, from whichever surface, calls of the API wait as well.
        """
        error = error_for(endpoint, answer, region=self.connection.region)
        if isinstance(error, RateLimitError):
            self.budget.hold(min(error.wait, self.connection.max_retry_seconds))
        return error

    def _exchange(self, request: Request) -> Response:
        headers = {"User-Agent": self.connection.user_agent, **request.headers}
        return self._wire.exchange(
            request.endpoint, request.method, request.url, request.body, headers
        )

    def _note_retry(self, request: Request) -> None:
        with self._usage_lock:
            self.usage[request.surface].retries += 1

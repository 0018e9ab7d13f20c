"""Sends REST and Integration Hub calls: paced, retried, timed out, over verified TLS.

Facts: "API rate limit" (429 and its headers), "Totango HTTP API" (anything but 200 is sent again),
Totango's own Zendesk app and public clients (failures inside a 200).
"""

from __future__ import annotations

import datetime as dt
import functools
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Self, TypeVar

from totango_api.errors import ApiError, RateLimitError
from totango_api.http.headers import ServiceClock
from totango_api.http.json_bodies import json_of
from totango_api.http.rate_limit import RateLimiter
from totango_api.http.requests_adapter import Adapter
from totango_api.http.responses import Response, error_for
from totango_api.http.retry import RetryLog, retried
from totango_api.redaction import scrub

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import TracebackType

    from totango_api.config import Connection

T = TypeVar("T")

FORM: Final = "application/x-www-form-urlencoded"


@dataclass(frozen=True)
class Request:
    """One HTTP call.

    Attributes:
        surface: `api`, `tracking` or `hub`: whose usage it counts to. Only `api` and `hub`
            calls count against the rate limit.
        method: HTTP method.
        url: Errors name it without its query string.
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
        return scrub(f"{self.method} {self.url.partition('?')[0]}")


class Usage:
    """Counts the calls of a surface (`api`, `tracking`, `hub`). Safe to share between threads.

    Attributes:
        calls: Calls that went out, those sent again included.
        retries: Calls sent again.
        failures: Calls that failed for good, by status or `no answer`.
    """

    def __init__(self) -> None:
        self.calls = 0
        self.retries = 0
        self.failures: Counter[str] = Counter()
        self._by_minute: Counter[int] = Counter()
        self._lock = threading.Lock()

    def count_call(self) -> None:
        """Count a call that goes out now."""
        with self._lock:
            self.calls += 1
            self._by_minute[int(time.time()) // 60] += 1

    def count_retry(self) -> None:
        """Count a call that will be sent again."""
        with self._lock:
            self.retries += 1

    def count_failure(self, error: ApiError) -> None:
        """Count a call that will not be sent again."""
        with self._lock:
            self.failures[str(error.status or "no answer")] += 1

    def as_dict(self) -> dict[str, Any]:
        """Return the counts for a report."""
        return {
            "calls": self.calls,
            "retries": self.retries,
            "failures": dict(self.failures),
            "by_minute": {
                f"{dt.datetime.fromtimestamp(minute * 60, dt.UTC):%Y-%m-%dT%H:%MZ}": calls
                for minute, calls in sorted(self._by_minute.items())
            },
        }


class ApiClient:
    """Sends requests and reads their responses. Safe to share between threads.

    Args:
        connection: The shared settings.
        pool_size: Connections kept alive for each host.

    Attributes:
        rate_limiter: Paces the calls of the REST API and the hub.
        clock: How far this machine's clock is ahead of the REST API's.
        usage: Calls, retries and failures by surface.
        retry_log: Logs retries, also those of :class:`totango_api.http.AsyncPoster`.
    """

    def __init__(self, connection: Connection, *, pool_size: int = 8) -> None:
        self.connection = connection
        self.rate_limiter = RateLimiter(connection.calls_per_minute)
        self.clock = ServiceClock()
        self.usage = {"api": Usage(), "tracking": Usage(), "hub": Usage()}
        self.retry_log = RetryLog()
        self._adapter = Adapter(connection.timeout, pool_size)

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
        self._adapter.close()

    def usage_report(self) -> dict[str, dict[str, Any]]:
        """Return the counts of calls of each surface that was called, for a report."""
        return {name: usage.as_dict() for name, usage in self.usage.items() if usage.calls}

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
            read: Makes a result of the endpoint's name and a 2xx response. It may raise a
                retriable :class:`ApiError`, and the request is sent again.

        Raises:
            ApiError: If it was refused, or not answered in time.
        """
        started = time.monotonic()
        try:
            try:
                return self._attempt(request, read)
            except ApiError as error:
                # The ordinary call needs none of the machinery of retries.
                return self._retry(request, read, error, spent=time.monotonic() - started)
        except ApiError as error:
            self.usage[request.surface].count_failure(error)
            raise

    def _retry(
        self,
        request: Request,
        read: Callable[[str, Response], T],
        error: ApiError,
        *,
        spent: float,
    ) -> T:
        """Send a request again whose first attempt failed with an error."""
        seconds = self.connection.max_retry_seconds
        if request.max_retry_seconds is not None:
            seconds = min(seconds, request.max_retry_seconds)
        first = [error]

        def attempt() -> T:
            if first:
                raise first.pop()
            return self._attempt(request, read)

        def note(failed: ApiError, wait: float) -> None:
            self.usage[request.surface].count_retry()
            self.retry_log.note(failed, wait)

        again = retried(
            attempt, seconds=seconds, idempotent=request.idempotent, note=note, spent=spent
        )
        return again()

    def send_once(self, request: Request) -> Response:
        """Send a request once, and return its response whatever its status.

        Raises:
            ApiError: If no whole response came.
        """
        self.usage[request.surface].count_call()
        if request.surface == "tracking":
            return self._exchange(request)
        with self.rate_limiter.call():
            response = self._exchange(request)
            self.rate_limiter.observe(response.headers)
        self.clock.observe(response.headers)
        return response

    def _attempt(self, request: Request, read: Callable[[str, Response], T]) -> T:
        response = self.send_once(request)
        error = self.error_for(request, response)
        if error is None:
            return read(request.endpoint, response)
        raise error

    def error_for(self, request: Request, response: Response) -> ApiError | None:
        """Return the error that a status stands for; None for 2xx.

        After a 429 of the REST API or the hub, their other calls wait as well.
        """
        region, surface = self.connection.region, request.surface
        error = error_for(request.endpoint, response, region=region, surface=surface)
        if isinstance(error, RateLimitError) and error.wait is not None and surface != "tracking":
            self.rate_limiter.hold(min(error.wait, self.connection.max_retry_seconds))
        return error

    def _exchange(self, request: Request) -> Response:
        headers = {"User-Agent": self.connection.user_agent, **request.headers}
        return self._adapter.exchange(
            request.endpoint, request.method, request.url, request.body, headers
        )

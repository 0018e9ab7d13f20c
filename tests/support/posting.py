"""Both clients, asked in the same way: each call's outcome is None, or its error."""

from __future__ import annotations

import functools
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol

from totango_api.config import Connection
from totango_api.errors import ApiError
from totango_api.http import FORM, ApiClient, AsyncPoster, Request

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from totango_api.http import Response

    Read = Callable[[str, Response], Any]


class Asking(Protocol):
    """A client."""

    client: ApiClient

    def outcome(self, *, idempotent: bool = True) -> ApiError | None:
        """Send a body; return None, or the error."""

    @property
    def usage(self) -> tuple[int, int, dict[str, int]]:
        """Calls, retries, and failures by status."""


class _Asking:
    def __init__(self, url: str, surface: str, **settings: Any) -> None:
        config = {"max_retry_seconds": 0, "rate_limit_per_minute": 0, **settings}
        self.client = ApiClient(Connection.from_config(config, user_agent="test/1"))
        self.request = Request(surface, "POST", f"{url}/x", headers={"Content-Type": FORM})

    @property
    def usage(self) -> tuple[int, int, dict[str, int]]:
        usage = self.client.usage[self.request.surface]
        return usage.calls, usage.retries, dict(usage.failures)


class Single(_Asking):
    """Calls of the synchronous client."""

    def __init__(self, url: str, read: Read, **settings: Any) -> None:
        super().__init__(url, "hub", **settings)
        self._read = read

    def outcome(self, *, idempotent: bool = True) -> ApiError | None:
        request = Request(
            "hub", "POST", self.request.url, b"job=0", self.request.headers, idempotent=idempotent
        )
        try:
            self.client.send(request, self._read)
        except ApiError as error:
            return error
        return None

    def close(self) -> None:
        self.client.close()


class Posting(_Asking):
    """Calls of the asynchronous client.

    Attributes:
        answered: The outcome of every job, in the order in which they came.
    """

    def __init__(self, url: str, read: Read, *, limit: int = 1, **settings: Any) -> None:
        super().__init__(url, "tracking", **settings)
        self.answered: dict[Any, Any] = {}
        self._changed = threading.Condition()
        try:
            self.poster = AsyncPoster(self.client, self.request, read, max_in_flight=limit)
        except BaseException:
            self.client.close()
            raise

    def _done(self, job: Any, result: Any) -> None:
        with self._changed:
            self.answered[job] = result
            self._changed.notify_all()

    def post(self, job: Any, *, idempotent: bool = True) -> None:
        """Send a body that names a job."""
        done = functools.partial(self._done, job)
        self.poster.post(b"job=%r" % job, done, idempotent=idempotent)

    def wait(self, answers: int) -> None:
        """Wait until so many jobs are over."""
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.answered) >= answers, 30), "no answer"

    def outcome(self, *, idempotent: bool = True) -> ApiError | None:
        job = len(self.answered)
        self.post(job, idempotent=idempotent)
        self.wait(job + 1)
        result: ApiError | None = self.answered[job]
        return result

    def close(self) -> None:
        self.poster.close()
        self.client.close()


def any_body(endpoint: str, response: Response) -> None:
    """Take every 2xx."""


@contextmanager
def asking(kind: str, url: str, read: Read = any_body, **settings: Any) -> Iterator[Any]:
    """Yield a `Single` or a `Posting`."""
    made = (Single if kind == "single" else Posting)(url, read, **settings)
    try:
        yield made
    finally:
        made.close()

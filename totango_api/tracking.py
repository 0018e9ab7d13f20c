"""Tracking calls: one account, at most one user, at most one activity, by POST form.

Sources: "Totango HTTP API", "HTTP API Quick Reference", and Totango's own tracker (`api-token`,
200 and 201 as success).
"""

from __future__ import annotations

import functools
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from totango_api.errors import AnswerError, SettingsError
from totango_api.redaction import register_secret
from totango_api.transport import FORM, Request, Transport

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from totango_api.answers import Answer

PIXEL: Final = "/pixel.gif"
DELIVERED: Final = (200, 201)

FOREIGN_ID: Final = "ofid"
"""API name of the foreign id, which has a parameter of its own for accounts (`sdr_ofid`)."""


@dataclass(frozen=True, slots=True)
class TrackingCall:
    """What one call says. All values are text; the names are API names.

    Attributes:
        account_id: Always sent.
        user_id: None for a call about an account alone.
        account: Account attributes, `account_name`, `parent_id`, `product_id` and `ofid` among
            them.
        user: User attributes, `name` among them.
        activity: What the user did; needs `user_id` and `module`.
        module: Where in the product.
    """

    account_id: str
    user_id: str | None = None
    account: Mapping[str, str] = field(default_factory=dict)
    user: Mapping[str, str] = field(default_factory=dict)
    activity: str | None = None
    module: str | None = None

    @property
    def repeatable(self) -> bool:
        """Whether a second delivery changes nothing: an activity would be counted twice."""
        return self.activity is None

    def parameters(self) -> Iterator[tuple[str, str]]:
        """Yield the parameters that the call adds to service id and token."""
        yield "sdr_o", self.account_id
        if self.user_id is not None:
            yield "sdr_u", self.user_id
        if self.activity is not None:
            yield "sdr_a", self.activity
        if self.module is not None:
            yield "sdr_m", self.module
        for name, value in self.account.items():
            yield "sdr_ofid" if name == FOREIGN_ID else f"sdr_o.{name}", value
        for name, value in self.user.items():
            yield f"sdr_u.{name}", value


@functools.lru_cache(maxsize=10_000)
def _quoted(name: str) -> str:
    return quote(name, safe="")


class Tracker:
    """Delivers tracking calls of one service. Safe to share between threads.

    Args:
        transport: Sends them; tracking calls take nothing from its budget.
        token: SDR token, for services that ask for one. It travels in the body, never in the
            URL.

    Raises:
        SettingsError: If the connection does not know the full service id.
    """

    def __init__(self, transport: Transport, *, token: str | None = None) -> None:
        connection = transport.connection
        if connection.service_id is None:
            msg = "service_id is not set."
            raise SettingsError(msg, remedy="Tracking calls need it whole, like SP-25001-01.")
        self._transport = transport
        self._url = f"{connection.hosts.tracking}{PIXEL}"
        self._start = f"sdr_s={quote(connection.service_id.require_full(), safe='')}"
        if token:
            register_secret(token)
            self._start += f"&api-token={quote(token, safe='')}"

    def form(self, call: TrackingCall) -> bytes:
        """Return the body of a call."""
        parts = [self._start]
        parts.extend(
            f"{_quoted(name)}={quote(value, safe='')}" for name, value in call.parameters()
        )
        return "&".join(parts).encode()

    def deliver(self, call: TrackingCall) -> None:
        """Deliver a call.

        An activity is sent again only when it certainly did not arrive.

        Raises:
            ApiError: If it was refused or not answered in time. With `maybe_done` it may have
                arrived all the same.
        """
        request = Request(
            "tracking",
            "POST",
            self._url,
            self.form(call),
            {"Content-Type": FORM},
            repeatable=call.repeatable,
        )
        self._transport.send(request, _delivered)


def _delivered(endpoint: str, answer: Answer) -> None:
    if answer.status not in DELIVERED:
        reason = "neither 200 nor 201, so the call counts as lost"
        raise AnswerError(endpoint, status=answer.status, reason=reason)

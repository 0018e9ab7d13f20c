"""Tracking calls: one account, at most one user, at most one activity, by POST form.

Sources: "Totango HTTP API", "HTTP API Quick Reference", and Totango's own tracker (`api-token`,
200 and 201 as success).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from totango_api.errors import ResponseError, SettingsError
from totango_api.http.async_client import Poster
from totango_api.http.client import FORM, ApiClient, Request
from totango_api.http.environment import uses_proxy
from totango_api.redaction import register_secret
from totango_api.writing.form import form_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from totango_api.errors import ApiError
    from totango_api.http.call_loop import CallLoop
    from totango_api.http.responses import Response

PIXEL: Final = "/pixel.gif"
DELIVERED: Final = (200, 201)

FOREIGN_ID: Final = "ofid"
"""API name of the foreign id, which has a parameter of its own for accounts (`sdr_ofid`)."""


@dataclass(slots=True)
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
    def idempotent(self) -> bool:
        """Whether a second delivery changes nothing: an activity would be counted twice."""
        return self.activity is None

    @property
    def subject(self) -> dict[str, str]:
        """Whom and what the call is about: its parameters beside the attributes."""
        named = {"sdr_o": self.account_id}
        if self.user_id is not None:
            named["sdr_u"] = self.user_id
        if self.activity is not None:
            named["sdr_a"] = self.activity
        if self.module is not None:
            named["sdr_m"] = self.module
        return named

    def parameters(self) -> Iterator[tuple[str, str]]:
        """Yield the parameters that the call adds to service id and token."""
        yield from self.subject.items()
        for name, value in self.account.items():
            yield "sdr_ofid" if name == FOREIGN_ID else f"sdr_o.{name}", value
        for name, value in self.user.items():
            yield f"sdr_u.{name}", value


class Tracker:
    """Delivers tracking calls of one service. Safe to share between threads.

    Args:
        transport: Sends them; tracking calls take nothing from its budget.
        token: SDR token, for services that ask for one. It travels in the body, never in the
            URL.

    Raises:
        SettingsError: If the connection does not know the full service id.
    """

    def __init__(self, transport: ApiClient, *, token: str | None = None) -> None:
        connection = transport.connection
        if connection.service_id is None:
            msg = "service_id is not set."
            raise SettingsError(msg, remedy="Tracking calls need it whole, like SP-25001-01.")
        self._transport = transport
        self._request = Request(
            "tracking",
            "POST",
            f"{connection.hosts.tracking}{PIXEL}",
            headers={"Content-Type": FORM},
        )
        start = f"sdr_s={quote(connection.service_id.require_full(), safe='')}"
        if token:
            register_secret(token)
            start += f"&api-token={quote(token, safe='')}"
        self._start = f"{start}&".encode()

    @property
    def uses_proxy(self) -> bool:
        """Whether calls go through a proxy, which :meth:`poster` cannot."""
        return uses_proxy(self._request.url)

    def form(self, call: TrackingCall) -> bytes:
        """Return the body of a call."""
        if FOREIGN_ID in call.account:
            return self._start + form_of(("", dict(call.parameters())))
        return self._start + form_of(
            ("", call.subject), ("sdr_o.", call.account), ("sdr_u.", call.user)
        )

    def deliver(self, call: TrackingCall) -> None:
        """Deliver a call.

        An activity is sent again only when it certainly did not arrive.

        Raises:
            ApiError: If it was refused or not answered in time. With `may_have_succeeded` it
                may have arrived all the same.
        """
        request = replace(self._request, body=self.form(call), idempotent=call.idempotent)
        self._transport.send(request, _delivered)

    def poster(
        self, loop: CallLoop, answered: Callable[[Any, ApiError | None, None], None], *, limit: int
    ) -> Poster[None]:
        """Return what posts the bodies of many calls at once, as `deliver` would each.

        Args:
            loop: Runs it.
            answered: Called with the job of each call that is over, and the error if it failed.
            limit: Calls at once.
        """
        return Poster(
            self._transport,
            loop,
            self._request,
            limit=limit,
            fine=DELIVERED,
            read=_delivered,
            answered=answered,
        )


def _delivered(endpoint: str, answer: Response) -> None:
    if answer.status not in DELIVERED:
        reason = "neither 200 nor 201, so the call counts as lost"
        raise ResponseError(endpoint, status=answer.status, reason=reason)

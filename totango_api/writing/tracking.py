"""Tracking calls: one account, at most one user, at most one activity, by POST form.

Sources: "Totango HTTP API" (a call is answered 200 and a small GIF), "HTTP API Quick Reference",
and Totango's own tracker (`api-token`, 200 and 201 as success).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from totango_api import http
from totango_api.errors import ResponseError
from totango_api.redaction import excerpt, register_secret

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from totango_api.http import ApiClient, AsyncPoster, Response

PIXEL: Final = "/pixel.gif"
DELIVERED: Final = (200, 201)
RECEIPTS: Final = (b"GIF89a", b"GIF87a")
"""How the body of a receipt begins: no other response tells that Totango has taken a call."""

TRIES: Final = 4
"""How often a call is sent until a response without a receipt is believed, unless it is a page."""

_SAYS_NO: Final = re.compile(
    r"(?i)fail|err|denied|deny|forbid|refus|reject|invalid|unauth|unavail|not |false|null|"
    r"too many|limit|busy|expired|log ?in|sign ?in|\b[45]\d\d\b"
)

FOREIGN_ID: Final = "ofid"
"""API name of the foreign id, which has a parameter of its own for accounts (`sdr_ofid`)."""

_IDS: Final = {"account_id": "sdr_o", "user_id": "sdr_u", "activity": "sdr_a", "module": "sdr_m"}
"""Parameters that say what a call is about, by our names of them."""

_NONE: Final[Mapping[str, str]] = {}


def tracking_parameters(
    ids: Mapping[str, str], account: Mapping[str, str], user: Mapping[str, str]
) -> Iterator[tuple[str, str]]:
    """Yield the parameters that a call adds to service id and token.

    Args:
        ids: `account_id`; for a call that is not about the account alone `user_id`; and for what
            the user did `activity` and `module`.
        account: Account attributes by API name, `account_name`, `parent_id`, `product_id` and
            `ofid` among them.
        user: User attributes by API name, `name` among them.
    """
    for name, value in ids.items():
        yield _IDS[name], value
    for name, value in account.items():
        yield "sdr_ofid" if name == FOREIGN_ID else f"sdr_o.{name}", value
    for name, value in user.items():
        yield f"sdr_u.{name}", value


class NoReceiptError(ResponseError):
    """A tracking call was answered with something else than a receipt.

    It may or may not have been taken.

    Attributes:
        body: The response, without surrounding blanks.
    """

    def __init__(self, endpoint: str, response: Response) -> None:
        self.body = response.body.strip()
        is_page = self.body.startswith(b"<")
        quoted = excerpt(self.body)
        super().__init__(
            endpoint,
            status=response.status,
            reason=f"no receipt, which is a GIF, but {quoted!r}" if quoted else "an empty body",
            remedy=_WRONG_PLACE if is_page else _OTHER_RECEIPT,
            retriable=True,
            may_have_succeeded=True,
            max_tries=None if is_page else TRIES,
        )

    @property
    def may_be_receipt(self) -> bool:
        """Whether a service might answer so what it has taken: not with a page or a failure."""
        return not self.body.startswith(b"<") and not _SAYS_NO.search(self.body.decode("latin-1"))


_WRONG_PLACE: Final = "Check region and tracking_url, and whether a proxy asks for a login."
_OTHER_RECEIPT: Final = "If the service answers so what it has taken, set tracking_receipt."


class TrackingClient:
    """Delivers tracking calls of one service.

    Args:
        client: Lends its settings. Tracking calls do not count against the rate limit.
        token: SDR token, for services that ask for one. It travels in the body, never in the
            URL.
        receipt: Fits what a service answers instead of a GIF, without surrounding blanks.

    Raises:
        SettingsError: If the connection does not know the full service id.
    """

    def __init__(
        self,
        client: ApiClient,
        *,
        token: str | None = None,
        receipt: re.Pattern[str] | None = None,
    ) -> None:
        connection = client.connection
        self._client = client
        self._receipt = receipt
        self._proven: bytes | None = None
        self._answers_with_gif = False
        self._request = http.Request(
            "tracking",
            "POST",
            f"{connection.hosts.tracking}{PIXEL}",
            headers={"Content-Type": http.FORM},
        )
        start = f"sdr_s={quote(connection.require_service_id().require_full(), safe='')}"
        if token:
            register_secret(token)
            start += f"&api-token={quote(token, safe='')}"
        self._start = f"{start}&".encode()

    def form(
        self,
        ids: Mapping[str, str],
        account: Mapping[str, str] = _NONE,
        user: Mapping[str, str] = _NONE,
    ) -> bytes:
        """Return the body of a call: see `tracking_parameters`."""
        if FOREIGN_ID in account:
            return self._start + encode_form(("", dict(tracking_parameters(ids, account, user))))
        about = {_IDS[name]: text for name, text in ids.items()}
        return self._start + encode_form(("", about), ("sdr_o.", account), ("sdr_u.", user))

    def poster(self, *, max_in_flight: int) -> AsyncPoster[None]:
        """Return a client that posts the bodies of calls concurrently.

        An activity is sent again only when it certainly did not arrive.

        Args:
            max_in_flight: Most calls at once.
        """
        return http.AsyncPoster(
            self._client, self._request, self._check, max_in_flight=max_in_flight
        )

    def prove(self, error: NoReceiptError) -> None:
        """Accept a response as a receipt from now on, since the row that got it is in Totango.

        From the first GIF on, only a GIF is a receipt: then that was another response's place.
        """
        self._proven = error.body

    def _check(self, endpoint: str, response: Response) -> None:
        """Check that a response is a receipt.

        Raises:
            NoReceiptError: If it is not.
        """
        if response.status in DELIVERED:
            body = response.body
            if body.startswith(RECEIPTS):
                self._answers_with_gif = True
                return
            body = body.strip()
            if self._receipt and self._receipt.fullmatch(body.decode("utf-8", "replace")):
                return
            if body == self._proven and not self._answers_with_gif:
                return
        raise NoReceiptError(endpoint, response)


# Encoded forms ---------------------------------------------------------------------------------

_EQUALS: Final = "\x1e"
_AND: Final = "\x1f"
"""Stand for the form's own signs until all is quoted; hardly any text holds them."""

_PLAIN: Final = (
    b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-~\x1e\x1f"  # RFC 3986
)
_PERCENT: Final = ord("%")
_QUOTED: Final = {byte: (bytes([byte]), b"%%%02X" % byte) for byte in range(256)}


def encode_form(*groups: tuple[str, Mapping[str, str]]) -> bytes:
    """Return a form in which everything but the unreserved characters is quoted.

    Args:
        groups: Texts by name; and what comes before each of these names.

    Raises:
        UnicodeEncodeError: If a text is not Unicode.
    """
    text = _AND.join(
        [
            prefix + f"{_AND}{prefix}".join(map(_EQUALS.join, texts.items()))
            for prefix, texts in groups
            if texts
        ]
    )
    parameters = sum([len(texts) for _, texts in groups])
    if text.count(_EQUALS) != parameters or text.count(_AND) != max(parameters - 1, 0):
        return _one_by_one(groups)
    form = text.encode()
    found = set(form.translate(None, _PLAIN))
    if _PERCENT in found:
        found.remove(_PERCENT)
        form = form.replace(b"%", b"%25")
    for byte in found:
        form = form.replace(*_QUOTED[byte])
    return form.replace(b"\x1e", b"=").replace(b"\x1f", b"&")


def _one_by_one(groups: tuple[tuple[str, Mapping[str, str]], ...]) -> bytes:
    return "&".join(
        f"{quote(prefix + name, safe='')}={quote(text, safe='')}"
        for prefix, texts in groups
        for name, text in texts.items()
    ).encode()

"""Writes to the one account of a probe, waits until writes are seen, and puts things back.

Every write carries a new mark in the account's name. Once the mark is seen, all else of that write
is as it will stay, so that what is not seen then was not taken.
"""

from __future__ import annotations

import json
import secrets
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from target_totango.probe.existing_value import text_of
from target_totango.verify import pauses
from totango_api.errors import ApiError
from totango_api.http import FORM, Request
from totango_api.probe import is_refusal
from totango_api.search import ACCOUNTS, Query, account_id_of
from totango_api.writing import PIXEL, TrackingClient, hub_headers

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from target_totango.probe.existing_value import ExistingValue
    from totango_api.http import Response
    from totango_api.probe import Caller
    from totango_api.search import FieldSpec, Hit

TEXT_ATTRIBUTE: Final = "Singer Probe Text"
NUMBER_ATTRIBUTE: Final = "Singer Probe Number"
"""Attributes of the probe's own: no other is written, beside the account's name."""

_NAME: Final = "account_name"
FIRST_PAUSE: Final = 0.2
"""Seconds between the first two looks for a write."""

FEWEST_SECONDS: Final = 2.0
"""How long a write is waited for that is not expected to be seen."""


@dataclass(frozen=True)
class Seen:
    """The account, as a search shows it."""

    name: str | None
    text: Any = None
    number: Any = None


@dataclass(frozen=True)
class Written:
    """A write that was seen.

    Attributes:
        account: What was seen then.
        seconds: How long that took.
    """

    account: Seen
    seconds: float


class ProbedAccount:
    """The account, and the ways to write to it.

    Args:
        caller: Makes the calls.
        account_id: The account.
        sdr_token: For tracking calls, if the service asks for one.
        wait_seconds: How long a write is waited for.

    Attributes:
        writes: Writes that were sent.
        left_behind: What was made and stays, for people.
        to_restore: Values that are to be written back, by API name.
        wait_seconds: How long a write is waited for.
    """

    def __init__(
        self, caller: Caller, account_id: str, *, sdr_token: str | None, wait_seconds: float
    ) -> None:
        self.caller = caller
        self.id = account_id
        self.writes = 0
        self._sdr_token = sdr_token
        self.left_behind: list[str] = []
        self.to_restore: dict[str, ExistingValue] = {}
        self.wait_seconds = wait_seconds
        self._usual_seconds = 0.0
        self._run = secrets.token_hex(3)
        self._connection = caller.client.connection

    @property
    def has_sdr_token(self) -> bool:
        """Whether tracking calls carry a token."""
        return self._sdr_token is not None

    def mark(self) -> str:
        """Return a name that the account never had."""
        self.writes += 1
        return f"Singer probe {self._run}-{self.writes}"

    # Reading ------------------------------------------------------------------------------------

    def read(self) -> Seen | None:
        """Return what is seen of the account; None if it is not there.

        Raises:
            ApiError: If it cannot be read.
        """
        text: FieldSpec = {"type": "string_attribute", "attribute": TEXT_ATTRIBUTE}
        number: FieldSpec = {"type": "string_attribute", "attribute": NUMBER_ATTRIBUTE}
        try:
            return self._read(text, number)
        except ApiError as error:
            if not is_refusal(error):
                raise
        return self._read()  # columns that nobody has written yet may be refused

    def _read(self, *fields: FieldSpec) -> Seen | None:
        hit = self._hit(*fields)
        if hit is None:
            return None
        values = [*(hit.get("selected_fields") or ()), None, None]
        return Seen(hit.get("display_name"), *values[:2])

    def _hit(self, *fields: FieldSpec) -> Hit | None:
        term = {"type": "string", "term": "identifier", "in_list": [self.id]}
        page = self.caller.search(ACCOUNTS, Query(terms=(term,), fields=fields, count=10))
        return next((hit for hit in page.hits if account_id_of(hit) == self.id), None)

    def values(self, *fields: FieldSpec) -> list[Any]:
        """Return what some fields show of the account; nothing if it is not there.

        Raises:
            ApiError: If it cannot be read.
        """
        hit = self._hit(*fields)
        return [] if hit is None else list(hit.get("selected_fields") or ())

    def value(self, field: FieldSpec) -> Any:
        """Return what one field shows of the account; None if it shows nothing.

        Raises:
            ApiError: If it cannot be read.
        """
        return next(iter(self.values(field)), None)

    def wait_for(self, mark: str, seconds: float | None = None) -> Written | None:
        """Read until a mark is seen; None if it is not in time.

        Raises:
            ApiError: If the account cannot be read.
        """
        started = time.monotonic()
        for _ in polls(self.wait_seconds if seconds is None else seconds, self._usual_seconds):
            seen = self.read()
            if seen is not None and seen.name == mark:
                written = Written(seen, time.monotonic() - started)
                self._usual_seconds = self._usual_seconds or written.seconds
                return written
        return None

    def is_taken(self, mark: str, earlier: Written | None) -> bool:
        """Return whether a write is seen that may well have been refused.

        Args:
            mark: Its mark.
            earlier: A write that was seen; it is waited for twice as long.

        Raises:
            ApiError: If the account cannot be read.
        """
        return self.wait_for(mark, self.patience(earlier.seconds if earlier else 0.0)) is not None

    def patience(self, seconds: float) -> float:
        """Return how long a write is waited for that may well have been refused.

        Args:
            seconds: How long an earlier write took to be seen.
        """
        return min(max(2 * seconds, FEWEST_SECONDS), self.wait_seconds)

    # Writing ------------------------------------------------------------------------------------

    def track(self, values: Mapping[str, str], *, sdr_token: str | None = None) -> Response:
        """Send a tracking call about the account.

        Args:
            values: Values by API name.
            sdr_token: Instead of the one of the settings.

        Raises:
            ApiError: If no answer came.
        """
        tracking = TrackingClient(self.caller.client, token=sdr_token or self._sdr_token)
        body = tracking.form({"account_id": self.id}, values)
        url = f"{self._connection.hosts.tracking}{PIXEL}"
        request = Request("tracking", "POST", url, body, {"Content-Type": FORM})
        return self.caller.call(lambda: self.caller.client.send_once(request))

    def tracked(self, **values: str) -> Written | None:
        """Write values by a tracking call, and wait until it is seen; None if it is not.

        Args:
            values: `text` and `number`.

        Raises:
            ApiError: If the service does not answer.
        """
        named = {"text": TEXT_ATTRIBUTE, "number": NUMBER_ATTRIBUTE}
        return self.tracked_values({named[key]: value for key, value in values.items()})

    def tracked_values(self, values: Mapping[str, str]) -> Written | None:
        """Write any values by a tracking call, and wait until it is seen; None if it is not.

        Raises:
            ApiError: If the service does not answer.
        """
        mark = self.mark()
        self.track({_NAME: mark, **values})
        return self.wait_for(mark)

    def post(self, kind: str, rows: list[dict[str, Any]]) -> Response:
        """Send a batch to the Integration Hub.

        Args:
            kind: `accounts`, `users` or `usage`.
            rows: About this account only.

        Raises:
            ApiError: If no answer came.
        """
        url = f"{self._connection.hosts.hub}/api/v1/{kind}"
        body = json.dumps({"usages" if kind == "usage" else kind: rows}).encode()
        request = Request("hub", "POST", url, body, hub_headers(self._connection))
        return self.caller.call(lambda: self.caller.client.send_once(request))

    def row(self, mark: str, **attributes: Any) -> dict[str, Any]:
        """Return a row for the hub with a mark."""
        return {"id": self.id, "attributes": {_NAME: mark, **attributes}}

    def restore(self, before: Seen | None) -> list[str]:
        """Write what the account had before; return what it still has that it did not.

        By the hub, where tracking calls are not taken.

        Raises:
            ApiError: If the service does not answer.
        """
        name = (before.name if before else None) or self.id
        text, number = (before.text, before.number) if before else (None, None)
        values = {TEXT_ATTRIBUTE: _text(text), NUMBER_ATTRIBUTE: _text(number)}
        values |= {api_name: existing.text for api_name, existing in self.to_restore.items()}
        self.writes += 1
        self.track({_NAME: name, **values})
        found = self.wait_for(name)
        if found is None and self.read() is not None:
            self.post("accounts", [{"id": self.id, "attributes": {_NAME: name, **values}}])
            found = self.wait_for(name)
        seen = found.account if found else self.read()
        if seen is None:
            return []
        left = [] if before else ["the account itself, which was not there: archive it in Totango"]
        if seen.name != name:
            left.append("its name")
        now_and_then = {TEXT_ATTRIBUTE: (seen.text, text), NUMBER_ATTRIBUTE: (seen.number, number)}
        left += [
            f"a value of the attribute {attribute!r}"
            for attribute, (now, then) in now_and_then.items()
            if _text(now) != _text(then)
        ]
        return left + [
            f"another value of the attribute {existing.api_name!r}"
            for existing in self.to_restore.values()
            if text_of(self.value(existing.field)) != existing.text
        ]


def polls(seconds: float, usual: float) -> Iterator[None]:
    """Sleep before each look for a write, the first time for as long as an earlier one took.

    Looking sooner would spend calls.

    Args:
        seconds: How long to go on.
        usual: How long an earlier write took to be seen; 0 = not known.
    """
    time.sleep(min(usual, seconds))
    for pause in pauses(seconds - min(usual, seconds), FIRST_PAUSE):
        time.sleep(pause)
        yield


def _text(value: Any) -> str:
    return "" if value is None else str(value)

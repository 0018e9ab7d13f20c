"""Delivers engagements (touchpoints and tasks): one REST call a row, within the rate limit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from target_totango.delivery.base import (
    Confirmed,
    Failed,
    Refused,
    Uncertain,
    WriteResult,
    result_of,
)
from target_totango.delivery.engagement_search import (
    EngagementNotes,
    EngagementSearch,
    fingerprint_of,
)
from target_totango.delivery.executor import KeyedExecutor
from target_totango.delivery.thread_worker import ThreadWorker
from target_totango.models import ACCOUNTS, ALL
from target_totango.objects import OBJECTS
from totango_api.errors import ApiError, RateLimitError, TotangoError, UnavailableError
from totango_api.reading import engagement_events
from totango_api.writing import EngagementClient

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from target_totango.models import Row
    from target_totango.objects import EngagementForm
    from target_totango.storage import Ledger
    from totango_api.http import ApiClient

CALLS: Final = 4
"""Calls at once: all REST calls share one rate limit, so more would only queue there."""

ROWS_AHEAD: Final = 8
"""Rows that wait for each call."""

_BAD_REQUEST: Final = 400
_NOT_FOUND_STATUS: Final = 404
_GONE: Final = "what it is about is not in Totango, or not any more"
_NO_ACCOUNT: Final = "account not found"
"""What answers a row about an account that Totango does not have ("Tasks API")."""

_ID_UNKNOWN: Final = (
    "an earlier row of the same key made it, Totango did not answer with its id, and no event of "
    "its account is certainly about it, so that it cannot be changed: map {}, or change it there"
)
_CUT_OFF: Final = (
    "An earlier call for it was cut off or not answered, and it is not found by its events. "
    "Replaying this row sends it again."
)
_NOT_FOUND: Final = "{} It was looked for by its events, and not found."
_NOT_LOOKED_FOR: Final = "{} It was not looked for, since events are not answered."


class EngagementDestination(KeyedExecutor["Row", WriteResult]):
    """Creates engagements, and updates those whose id the row or the ledger knows.

    Args:
        api: Makes the calls.
        ledger: Knows what was made.
        prepare: Called with a row before something is made of it, in any thread.
        is_interrupted: Asked while `put` waits: whether to wait no longer.
        visible_seconds: How long something may take to become visible.
    """

    def __init__(
        self,
        api: ApiClient,
        *,
        ledger: Ledger,
        prepare: Callable[[list[Row]], None],
        is_interrupted: Callable[[], bool],
        visible_seconds: float,
    ) -> None:
        self._api = api
        self._client = EngagementClient(api)
        self._ledger = ledger
        self._notes = EngagementNotes(ledger)
        self._search = EngagementSearch(api, self._notes, seconds=visible_seconds)
        self._prepare = prepare
        self._cut_off = TotangoError(_CUT_OFF)
        worker: ThreadWorker[Row, WriteResult] = ThreadWorker(self._deliver, threads=CALLS)
        super().__init__(worker, capacity=CALLS * ROWS_AHEAD, is_interrupted=is_interrupted)

    def put(self, row: Row) -> bool:
        """Take a row; waits while too many are under way. Return whether results are to collect.

        Rows with one key of their stream go out one after the other: the first makes what the
        others change. So do rows that look alike: of what is found, it is known whose it is.
        """
        form, request = _form_of(row), row.request
        writes: list[Hashable]
        if known := request.fields.get(form.id_name):
            writes = [(row.object, known)]
        else:
            texts = (request.fields.get(name) for name in form.endpoint.identifying)
            writes = [fingerprint_of(row), (row.object, request.account_id, *texts)]
        self.submit(row, writes=writes, after=[(ACCOUNTS, request.account_id)])
        return self.has_results

    # In the threads of calls ---------------------------------------------------------------------

    def _deliver(self, row: Row) -> WriteResult:
        """Make or change what a row is about, and note its id in the row."""
        form = _form_of(row)
        try:
            row.engagement_id = row.request.fields.get(form.id_name) or self._id_of_made(row, form)
            row.existed = row.engagement_id is not None
            if row.engagement_id is not None:
                self._update(row, form, row.engagement_id)
                return Confirmed()
            state = self._ledger.activity_state(fingerprint_of(row))
            if state == "done":
                row.existed = True
                if isinstance(self._search.error, (UnavailableError, RateLimitError)):
                    return Failed(self._search.error)
                reason = _ID_UNKNOWN.format(_id_setting(row))
                return Refused(reason, is_about_row=True, code="id unknown")
            if state == "sending" and not row.is_replayed:
                return Uncertain(self._cut_off)
            return self._create(row, form)
        except ApiError as error:
            return _result(error, idempotent=bool(row.existed))
        except TotangoError as error:  # the ledger cannot be written
            return Failed(error)

    def _id_of_made(self, row: Row, form: EngagementForm) -> str | None:
        """Return the id of what an earlier call made, where something was or may have been."""
        fingerprint = fingerprint_of(row)
        engagement_id = self._notes.engagement_id(fingerprint)
        if engagement_id is None and self._ledger.activity_state(fingerprint) is not None:
            engagement_id = self._found(row, form)
        return engagement_id

    def _create(self, row: Row, form: EngagementForm) -> WriteResult:
        self._search.note_call(row, form.endpoint)
        self._prepare([row])
        sent = _without_ids(form, row.request.fields)
        try:
            engagement_id = self._client.create(form.endpoint, row.request.account_id, sent)
        except ApiError as error:
            result = _result(error, idempotent=False)
            if not isinstance(result, Uncertain):
                return result
            if (engagement_id := self._found(row, form)) is None:
                unfound = _NOT_FOUND if self._search.error is None else _NOT_LOOKED_FOR
                return Uncertain(TotangoError(unfound.format(error.message)))
        row.engagement_id = engagement_id
        if engagement_id is not None:
            self._notes.note_engagement_id(fingerprint_of(row), row.object, engagement_id)
        self._ledger.finish(fingerprint_of(row))
        if engagement_id is None and row.options.verify == ALL:
            row.engagement_id = self._found(row, form)
        return Confirmed()

    def _found(self, row: Row, form: EngagementForm) -> str | None:
        """Look for what the last call for a row made, and note its id."""
        engagement_id = self._search.find(row, form.endpoint)
        if engagement_id is not None:
            self._notes.note_engagement_id(fingerprint_of(row), row.object, engagement_id)
            self._ledger.finish(fingerprint_of(row))
        return engagement_id

    def _update(self, row: Row, form: EngagementForm, engagement_id: str) -> None:
        request = row.request
        if row.forgotten:
            self._ledger.flush()
        event_id = None
        if name := form.endpoint.event_id_field:
            event_id = request.fields.get(name) or self._event_id(row, engagement_id)
        self._client.update(
            form.endpoint,
            engagement_id,
            request.account_id,
            _without_ids(form, request.fields),
            event_id=event_id,
        )

    def _event_id(self, row: Row, engagement_id: str) -> str | None:
        """Return the id of the event by which something is read; None if there is none."""
        account_id = row.request.account_id
        pages = engagement_events(
            self._api, _form_of(row).endpoint.event_type, account_id=account_id
        )
        found = (
            each.event_id for page in pages for each in page if each.engagement_id == engagement_id
        )
        return next(found, None)


def _form_of(row: Row) -> EngagementForm:
    form = OBJECTS[row.object].engagement
    assert form is not None  # noqa: S101 (others do not come here)
    return form


def _id_setting(row: Row) -> str:
    """Return the setting of mappings that holds the id of what a row is about."""
    form = _form_of(row)
    return next(each.setting for each in OBJECTS[row.object].named if each.api_name == form.id_name)


def _without_ids(form: EngagementForm, fields: dict[str, str]) -> dict[str, str]:
    ids = {form.id_name, form.endpoint.event_id_field}
    return {name: text for name, text in fields.items() if name not in ids}


def _result(error: ApiError, *, idempotent: bool) -> WriteResult:
    """Return the result of a row whose call ended in an error."""
    if error.status == _BAD_REQUEST and _NO_ACCOUNT in error.reason.lower():
        return Refused(error.reason, error.status, is_about_row=True)
    if error.status == _NOT_FOUND_STATUS and idempotent:
        return Refused(f"{_GONE}: {error.reason}", error.status, is_about_row=True)
    return result_of(error, idempotent=idempotent)

"""Objects that are made and changed one by one: one call a row, within the limit of REST calls."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from target_totango.delivery.base import ExecutorDestination
from target_totango.delivery.executor import KeyedExecutor, ThreadWorker
from target_totango.delivery.results import (
    Confirmed,
    Failed,
    Refused,
    Uncertain,
    WriteResult,
    result_of,
)
from target_totango.models import ACCOUNTS
from target_totango.objects import OBJECTS
from totango_api.errors import ApiError, TotangoError, UnavailableError
from totango_api.reading import record_events
from totango_api.writing import RecordClient

if TYPE_CHECKING:
    from collections.abc import Callable

    from target_totango.models import Row
    from target_totango.objects import RecordForm
    from target_totango.storage import Ledger
    from totango_api.http import ApiClient

CALLS: Final = 4
"""Calls at once: all REST calls share one rate limit, so more would only queue there."""

ROWS_AHEAD: Final = 8
"""Rows that wait for each call."""

_BAD_REQUEST: Final = 400
_NO_ACCOUNT: Final = "account not found"
"""What answers a row about an account that Totango does not have ("Tasks API")."""

_MADE_BEFORE: Final = (
    "an earlier row of the same key made it, and Totango did not answer with its id, so that it "
    "cannot be changed"
)


class RecordDestination(ExecutorDestination["Row", WriteResult]):
    """Makes what is new, and changes what the row or the ledger knows the id of.

    Args:
        transport: The way out.
        ledger: Knows what was made.
        prepare: Called with a row before something is made of it, in any thread.
        is_interrupted: Asked while `put` waits: whether to wait no longer.
    """

    def __init__(
        self,
        transport: ApiClient,
        *,
        ledger: Ledger,
        prepare: Callable[[list[Row]], None],
        is_interrupted: Callable[[], bool],
    ) -> None:
        self._transport = transport
        self._client = RecordClient(transport)
        self._ledger = ledger
        self._prepare = prepare
        worker: ThreadWorker[Row, WriteResult] = ThreadWorker(self._deliver, threads=CALLS)
        capacity = CALLS * ROWS_AHEAD
        super().__init__(KeyedExecutor(worker, capacity=capacity, is_interrupted=is_interrupted))

    def put(self, row: Row) -> None:
        """Take a row; waits while too many are under way.

        Rows with one key of their stream go out one after the other: the first makes what the
        others change.
        """
        key = row.fingerprint or (row.object, str(row.seq))
        known = row.request.fields.get(_form_of(row).id_name)
        writes = [key] if known is None else [key, (row.object, known)]
        self._executor.submit(row, writes=writes, after=[(ACCOUNTS, row.request.account_id)])

    def collect(self) -> list[tuple[Row, WriteResult]]:
        """Return the results that are known, without waiting."""
        return self._executor.collect()

    # In the threads of calls ---------------------------------------------------------------------

    def _deliver(self, row: Row) -> WriteResult:
        """Make or change what a row is about, and note its id in the row."""
        form, fields = _form_of(row), row.request.fields
        row.record_id = fields.get(form.id_name) or self._known_id(row)
        row.existed = row.record_id is not None
        try:
            if row.record_id is not None:
                self._update(row, form, row.record_id)
                return Confirmed()
            return self._create(row, form)
        except ApiError as error:
            return _result(error, idempotent=row.existed)
        except TotangoError as error:  # the ledger cannot be written
            return Failed(error)

    def _known_id(self, row: Row) -> str | None:
        return None if row.fingerprint is None else self._ledger.record_id(row.fingerprint)

    def _create(self, row: Row, form: RecordForm) -> WriteResult:
        state = self._ledger.activity_state(row.fingerprint) if row.fingerprint else None
        if state == "done":
            row.existed = True
            return Refused(_MADE_BEFORE, is_about_row=True)
        if state == "sending":
            reason = "what became of an earlier row of the same key is not known"
            return Uncertain(UnavailableError(f"POST {form.endpoint.path}", reason=reason))
        self._prepare([row])
        sent = _without_ids(form, row.request.fields)
        row.record_id = self._client.create(form.endpoint, row.request.account_id, sent)
        if row.fingerprint is not None:
            if row.record_id is not None:
                self._ledger.note_record_id(row.fingerprint, row.record_id)
            self._ledger.finish(row.fingerprint)
        return Confirmed()

    def _update(self, row: Row, form: RecordForm, record_id: str) -> None:
        request = row.request
        if row.forgotten:
            self._ledger.flush()
        event_id = None
        if form.event_id_name is not None:
            event_id = request.fields.get(form.event_id_name) or self._event_id(row, record_id)
        self._client.update(
            form.endpoint,
            record_id,
            request.account_id,
            _without_ids(form, request.fields),
            event_id=event_id,
        )

    def _event_id(self, row: Row, record_id: str) -> str | None:
        """Return the id of the event by which something is read; None if there is none."""
        account_id = row.request.account_id
        events = record_events(
            self._transport, _form_of(row).endpoint.event_type, account_id=account_id
        )
        return next((each.event_id for each in events if each.record_id == record_id), None)


def _form_of(row: Row) -> RecordForm:
    form = OBJECTS[row.object].record
    if form is None:
        msg = f"{row.object} are not written one by one"
        raise AssertionError(msg)
    return form


def _without_ids(form: RecordForm, fields: dict[str, str]) -> dict[str, str]:
    ids = {form.id_name, form.event_id_name}
    return {name: text for name, text in fields.items() if name not in ids}


def _result(error: ApiError, *, idempotent: bool) -> WriteResult:
    """Return what an error says about a row."""
    if error.status == _BAD_REQUEST and _NO_ACCOUNT in error.reason.lower():
        return Refused(error.reason, error.status, is_about_row=True)
    return result_of(error, idempotent=idempotent)

"""Reading touchpoints and tasks back, by the events in which Totango shows them."""

from __future__ import annotations

import itertools
import json
import time
from typing import TYPE_CHECKING, Any, Final

from target_totango.objects import OBJECTS, RECORDED
from target_totango.verify.compare import compare
from target_totango.verify.verification import Sent, Verdict, pauses
from totango_api.reading import record_events

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from totango_api.http import ApiClient
    from totango_api.reading import RecordEvent
    from totango_api.writing import RecordEndpoint

MOST_ACCOUNTS: Final = 20
"""Rows about more accounts are read with one pass over the events of all accounts."""

CLOCK_MILLISECONDS: Final = 86_400_000
"""How far the clock of the service may be behind this one."""


class RecordVerifier:
    """Compares touchpoints and tasks with what was sent of them.

    Args:
        client: Makes the calls.
        timeout: Seconds for which a write may stay invisible.
    """

    def __init__(self, client: ApiClient, *, timeout: float) -> None:
        self._client = client
        self._timeout = timeout
        self._started = int(time.time() * 1000)

    def verify(self, sent: Iterable[Sent], wait: Callable[[float], None]) -> Iterator[Verdict]:
        """Yield a verdict for every write, the confirmed ones as soon as they are.

        Args:
            sent: What was sent: the key is the object, the account and the id.
            wait: Waits so many seconds.

        Raises:
            ApiError: If reading fails.
        """
        waiting, open_ = list(sent), dict[tuple[str, ...], Verdict]()
        for pause in itertools.chain((0.0,), pauses(self._timeout)):
            if not waiting:
                return
            wait(pause)
            verdicts = [
                verdict
                for object_ in RECORDED
                for verdict in self._verdicts(
                    object_, [each for each in waiting if each.key[0] == object_]
                )
            ]
            yield from (each for each in verdicts if each.result == "confirmed")
            open_ = {each.key: each for each in verdicts if each.result != "confirmed"}
            waiting = [each for each in waiting if each.key in open_]
        yield from open_.values()

    def _verdicts(self, object_: str, sent: Sequence[Sent]) -> Iterator[Verdict]:
        form = OBJECTS[object_].record
        if form is None or not sent:
            return
        latest = self._latest(form.endpoint, sent)
        for each in sent:
            events = latest.get(each.key[-1])
            yield _verdict(each, [form.endpoint.shown(event) for event in events or ()])

    def _latest(
        self, endpoint: RecordEndpoint, sent: Sequence[Sent]
    ) -> dict[str, list[RecordEvent]]:
        """Return the latest events by what they are about: several where they are of one moment."""
        wanted = {each.key[-1] for each in sent}
        latest: dict[str, list[RecordEvent]] = {}
        for event in self._events(endpoint, sent):
            if event.record_id not in wanted:
                continue
            known = latest.setdefault(event.record_id, [])
            if known and (event.timestamp or 0) < (known[0].timestamp or 0):
                continue
            if known and (event.timestamp or 0) > (known[0].timestamp or 0):
                known.clear()
            known.append(event)
        return latest

    def _events(self, endpoint: RecordEndpoint, sent: Sequence[Sent]) -> Iterator[RecordEvent]:
        """Yield events among which those of what was sent are."""
        accounts = {each.key[1] for each in sent}
        if len(accounts) <= MOST_ACCOUNTS:
            for account_id in sorted(accounts):
                yield from record_events(self._client, endpoint.event_type, account_id=account_id)
            return
        moments = [int(text) for each in sent if (text := each.attributes.get("create_date"))]
        start = min([self._started, *moments]) - CLOCK_MILLISECONDS
        yield from record_events(self._client, endpoint.event_type, start=start)


def _verdict(sent: Sent, shown: Sequence[Mapping[str, Any]]) -> Verdict:
    if not shown:
        return Verdict(sent.key, "missing")
    differing = []
    for values in shown:
        texts = {name: _comparable(text) for name, text in sent.attributes.items()}
        found = {name: _comparable(value) for name, value in values.items()}
        told = {name: text for name, text in texts.items() if name in found}
        differences = compare(told, found)
        if not differences:
            return Verdict(sent.key, "confirmed")
        differing.append(tuple(differences))
    return Verdict(sent.key, "different", min(differing, key=len))


def _comparable(value: Any) -> Any:
    """Return a list as text, whose order means nothing, and a text without its blank ends."""
    if isinstance(value, str) and value.startswith("["):
        try:
            value = json.loads(value)
        except ValueError:
            return value.strip()
    if isinstance(value, list):
        return json.dumps(sorted(map(str, value)))
    return value.strip() if isinstance(value, str) else value

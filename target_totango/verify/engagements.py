"""Reads touchpoints and tasks back, by the events in which Totango shows them."""

from __future__ import annotations

import itertools
import json
import time
from typing import TYPE_CHECKING, Any, Final

from target_totango.objects import ENGAGEMENTS, OBJECTS
from target_totango.verify.compare import compare
from target_totango.verify.polling import Sent, Verdict, Verifier
from totango_api.reading import engagement_events

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from totango_api.http import ApiClient
    from totango_api.reading import EngagementEvent
    from totango_api.writing import EngagementEndpoint

MOST_ACCOUNTS: Final = 20
"""Rows about more accounts are read with one pass over the events of all accounts."""

CLOCK_MILLISECONDS: Final = 86_400_000
"""How far the clock of the service may be behind this one."""


class EngagementVerifier(Verifier):
    """Reads touchpoints and tasks back by their events and compares them with what was sent.

    Args:
        client: Makes the calls.
        timeout: See :class:`Verifier`.
    """

    def __init__(self, client: ApiClient, *, timeout: float) -> None:
        super().__init__(timeout=timeout)
        self._client = client
        self._started = int(time.time() * 1000)

    def check(self, writes: Sequence[Sent]) -> list[Verdict]:
        """Return a verdict for each of some writes, read once.

        Raises:
            ApiError: If reading fails.
        """
        verdicts = {
            verdict.key: verdict
            for object_ in ENGAGEMENTS
            for verdict in self._verdicts(object_, [one for one in writes if one.key[0] == object_])
        }
        return [verdicts[sent.key] for sent in writes]

    def _verdicts(self, object_: str, sent: Sequence[Sent]) -> Iterator[Verdict]:
        form = OBJECTS[object_].engagement
        if form is None or not sent:
            return
        latest = self._latest(form.endpoint, sent)
        for each in sent:
            events = latest.get(each.key[2])
            yield _verdict(each, [form.endpoint.fields_in(event) for event in events or ()])

    def _latest(
        self, endpoint: EngagementEndpoint, sent: Sequence[Sent]
    ) -> dict[str, list[EngagementEvent]]:
        """Return the latest events of each engagement: several where they have the same time."""
        wanted = {each.key[2] for each in sent}
        latest: dict[str, list[EngagementEvent]] = {}
        for event in itertools.chain.from_iterable(self._pages(endpoint, sent)):
            if event.engagement_id not in wanted:
                continue
            known = latest.setdefault(event.engagement_id, [])
            if known and (event.timestamp or 0) < (known[0].timestamp or 0):
                continue
            if known and (event.timestamp or 0) > (known[0].timestamp or 0):
                known.clear()
            known.append(event)
        return latest

    def _pages(
        self, endpoint: EngagementEndpoint, sent: Sequence[Sent]
    ) -> Iterator[list[EngagementEvent]]:
        """Yield pages of events that hold those of the engagements sent."""
        accounts = {each.key[1] for each in sent}
        if len(accounts) <= MOST_ACCOUNTS:
            for account_id in sorted(accounts):
                yield from engagement_events(
                    self._client, endpoint.event_type, account_id=account_id
                )
            return
        moments = [int(text) for each in sent if (text := each.attributes.get("create_date"))]
        start = min([self._started, *moments]) - CLOCK_MILLISECONDS
        yield from engagement_events(self._client, endpoint.event_type, start=start)


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

"""Questions about events: what an offset counts, their order, and whether they are counted."""

from __future__ import annotations

from typing import Final

from tap_totango.probe.filters import OF_EVENTS
from tap_totango.probe.service import ProbedService, event_ids
from totango_api.probe import Answer, Question, does_not_arise


def events_offset(service: ProbedService) -> Answer:
    """Ask for offset 1: the next page, or the same page a row further on."""
    first = event_ids(service.events())
    if len(first) < 2:
        return does_not_arise(f"{len(first)} events")
    second = event_ids(service.events_at(1))
    again = len(set(first) & set(second))
    evidence = f"{again} of {len(second)} events of offset 1 had come with offset 0"
    if again > len(first) // 3:
        return Answer("rows", evidence)
    return Answer("pages", evidence)


def events_order(service: ProbedService) -> Answer:
    """Look at the times of the first events."""
    moments = [hit.get("timestamp") for hit in service.events().hits]
    known = [moment for moment in moments if isinstance(moment, int)]
    if len(set(known)) < 2:
        return does_not_arise("no two events of different times")
    if known == sorted(known, reverse=True):
        return Answer("newest first", f"{len(known)} events")
    in_order = known == sorted(known)
    return Answer("oldest first" if in_order else "in no order", f"{len(known)} events")


def events_total(service: ProbedService) -> Answer:
    """Look for a count."""
    page = service.events()
    if page.total_hits is None:
        return Answer("not counted", f"no total_hits beside {len(page.hits)} events")
    return Answer("counted", f"total_hits {page.total_hits} beside {len(page.hits)} events")


QUESTIONS: Final = (
    Question("events_offset", "What does the offset of events count?", 2, events_offset),
    Question("events_order", "In which order do events come?", 0, events_order),
    Question("events_total", "Are events counted?", 0, events_total),
    OF_EVENTS,
)

"""Questions about the endpoint that scrolls: is it there, and may a step be asked for twice?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from tap_totango.probe.responses import shape_of, tried
from totango_api.errors import ApiError
from totango_api.probe import Answer, Question, does_not_arise, said_of
from totango_api.reading import SCROLL_PATH
from totango_api.search import Query

if TYPE_CHECKING:
    from tap_totango.probe.service import ProbedService


def scroll(service: ProbedService) -> Answer:
    """Begin to scroll through accounts."""
    response = _begun(service)
    if isinstance(response, ApiError):
        return Answer("not there", said_of(response))
    rows = _rows(response)
    if rows is None:
        return Answer("another shape", f"the response is {shape_of(response)}")
    return Answer("there", f"{len(rows)} accounts came", "accounts_method: scroll is possible")


def scroll_retry(service: ProbedService) -> Answer:
    """Ask for the second step twice, and compare the accounts that come."""
    first = _begun(service)
    if _rows(first) is None:
        return does_not_arise("no scroll began")
    scroll_id = first.get("scroll-id") or first.get("scroll_id")
    if not isinstance(scroll_id, str):
        return does_not_arise("the first step does not name the next one")
    rows = _rows(_step(service, scroll_id))
    if not rows:
        return does_not_arise("no second step came: it takes two accounts")
    again = _step(service, scroll_id)
    if isinstance(again, ApiError):
        return Answer("refused", f"a step that was asked for twice: {said_of(again)}")
    if _rows(again) == rows:
        return Answer("repeats", "a step that was asked for twice brought the same account again")
    return Answer("advances", "a step that was asked for twice did not bring its account again")


def _begun(service: ProbedService) -> Any:
    """Return the first step, or the refusal of it."""
    return service.caller.once("scroll", lambda: [_step(service, None)])[0]


def _step(service: ProbedService, scroll_id: str | None) -> Any:
    """Return a step of one account, or the refusal of it."""
    return tried(service, SCROLL_PATH, Query().at(0, 1, None).form(scroll_id=scroll_id))


def _rows(response: Any) -> list[Any] | None:
    """Return the ids of the accounts of a step; None where it holds no list of them."""
    rows = response.get("accounts") if isinstance(response, dict) else None
    if not isinstance(rows, list):
        return None
    return [row.get("id", row) if isinstance(row, dict) else row for row in rows]


QUESTIONS: Final = (Question("scroll", "Is there a scroll endpoint?", 1, scroll),)
OF_WHAT_IS_LEFT: Final = (
    Question("scroll_retry", "May a step of a scroll be asked for twice?", 0, scroll_retry),
)

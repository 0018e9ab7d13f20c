"""Questions about pages, those of events and of a scroll too: rows, their order, their count."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from tap_totango.probe.responses import duration, shape_of, tried
from tap_totango.probe.service import ALL_TEAMS, SAMPLE, ProbedService, event_ids
from totango_api.errors import ApiError
from totango_api.limits import PAGE_ROWS
from totango_api.probe import Answer, Question, does_not_arise, status_text
from totango_api.reading import SCROLL_PATH
from totango_api.search import Page, Query, account_id_of
from totango_api.text import counted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from totango_api.search import Hit

FEWEST_LISTED: Final = 2


def page_size(service: ProbedService) -> Answer:
    """Ask for the largest page; where that is refused, for a small one."""
    page = service.accounts()
    rows, total = page.rows, page.total_hits
    if service.large_page_error is not None:
        refusal = status_text(service.large_page_error)
        return Answer(
            "refused",
            f"{PAGE_ROWS} rows: {refusal}; {counted(rows, 'row')} came when asked for {SAMPLE}",
            f"page_size: {SAMPLE}",
            settings={"page_size": SAMPLE},
        )
    if rows < PAGE_ROWS and total is not None and total > rows:
        return Answer("fewer", f"{rows} of {total} rows came when asked for {PAGE_ROWS}")
    return Answer("as asked", f"{counted(rows, 'row')} came when asked for {PAGE_ROWS}")


def ties(service: ProbedService) -> Answer:
    """Look at the first page again, and compare the order of rows with the same name."""
    first = _tied(service.accounts().hits)
    if not first:
        return does_not_arise("no two of the first accounts share a name")
    page = service.first_page() if service.refuses_all_teams() else service.all_teams()
    again = _tied(page.hits)
    same = [name for name in first if sorted(first[name]) == sorted(again.get(name, []))]
    if not same:
        return does_not_arise("rows that share a name changed in between")
    moved = sum(first[name] != again[name] for name in same)
    evidence = f"{moved} of {len(same)} groups of rows with one name came in another order"
    return Answer("unstable" if moved else "stable", evidence)


def _tied(hits: Sequence[Hit]) -> dict[str, list[str]]:
    """Return the ids of rows that share a name, in their order, by that name."""
    groups: dict[str, list[str]] = {}
    for hit in hits:
        if (account_id := account_id_of(hit)) is not None:
            groups.setdefault(str(hit.get("display_name")), []).append(account_id)
    return {name: ids for name, ids in groups.items() if len(ids) > 1}


def total_hits(service: ProbedService) -> Answer:
    """Compare a count with rows: of accounts asked for by their ids, or of all, if they are few."""
    first = service.accounts()
    if first.total_hits is None:
        return Answer("missing", "no total_hits", "nothing is called complete without it")
    ids = service.listed_ids()
    page = None if len(ids) < FEWEST_LISTED else _listed(service, ids)
    if page is None and first.total_hits < SAMPLE:
        page = first
    if page is None:
        return does_not_arise("no query was found of which all rows fit one page")
    surplus = (page.total_hits or 0) - page.rows
    evidence = f"{page.total_hits} counted, {len(page.hits)} came"
    if not surplus:
        return Answer("right", evidence)
    return Answer(f"off by {surplus}", evidence, "nothing counts as complete by it alone")


def _listed(service: ProbedService, ids: Sequence[str]) -> Page | None:
    """Return the accounts asked for by their ids; None where that is refused or ignored."""
    page = service.caller.tried(service.listed)
    if isinstance(page, ApiError):
        return None
    is_honoured = bool(page.hits) and all(account_id_of(hit) in ids for hit in page.hits)
    return page if is_honoured else None


def double_decoding(service: ProbedService) -> Answer:
    """Ask for an account by its id, encoded once more than it has to be."""
    ids = service.listed_ids()
    if len(ids) < FEWEST_LISTED:
        return does_not_arise("fewer than two accounts")
    page = _listed(service, ids)
    if page is None:
        return does_not_arise("accounts cannot be asked for by their ids")
    found = [account_id_of(hit) for hit in page.hits]
    is_found = ids[-1] in found
    evidence = (
        f"an id encoded twice was {'' if is_found else 'not '}found, {counted(len(found), 'other')}"
    )
    return Answer("twice" if is_found else "once", evidence)


def teams(service: ProbedService) -> Answer:
    """Count the accounts of all teams."""
    if service.refuses_all_teams():
        return Answer("refused", f"team_id {ALL_TEAMS} is refused")
    seen, every = service.accounts().total_hits, service.all_teams().total_hits
    if seen is None or every is None:
        return does_not_arise("rows are not counted")
    evidence = f"{counted(seen, 'account')}, {every} with team_id -1"
    if every <= seen:
        return Answer("all seen", evidence)
    settings = {"team_id": ALL_TEAMS}
    return Answer("some unseen", evidence, "team_id: -1", settings=settings)


def activity_delay(service: ProbedService) -> Answer:
    """Look how old the newest last activity is, of accounts and users that came."""
    hits = [*service.accounts().hits, *service.users().hits]
    moments = [one for hit in hits if isinstance(one := hit.get("last_activity_time"), int)]
    if not moments:
        return does_not_arise("no row has a last activity")
    age = duration(service.caller.client.clock.latest - max(moments) / 1000)
    return Answer(
        f"within {age}",
        f"so old is the newest of {counted(len(moments), 'last activity', 'last activities')}",
    )


def events_offset(service: ProbedService) -> Answer:
    """Ask for offset 1: the next page, or the same page a row further on."""
    first = event_ids(service.events())
    if len(first) < 2:
        return does_not_arise(counted(len(first), "event"))
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
        return Answer("newest first", counted(len(known), "event"))
    in_order = known == sorted(known)
    return Answer("oldest first" if in_order else "in no order", counted(len(known), "event"))


def events_total(service: ProbedService) -> Answer:
    """Look for a count."""
    page = service.events()
    if page.total_hits is None:
        return Answer("not counted", f"no total_hits beside {counted(len(page.hits), 'event')}")
    return Answer(
        "counted", f"total_hits {page.total_hits} beside {counted(len(page.hits), 'event')}"
    )


def scroll(service: ProbedService) -> Answer:
    """Begin to scroll through accounts."""
    response = _scroll_begun(service)
    if isinstance(response, ApiError):
        return Answer("not there", status_text(response))
    rows = _scrolled(response)
    if rows is None:
        return Answer("another shape", f"the response is {shape_of(response)}")
    return Answer(
        "there", f"{counted(len(rows), 'account')} came", "accounts_method: scroll is possible"
    )


def scroll_retry(service: ProbedService) -> Answer:
    """Ask for the second step twice, and compare the accounts that come."""
    first = _scroll_begun(service)
    if _scrolled(first) is None:
        return does_not_arise("no scroll began")
    scroll_id = first.get("scroll-id") or first.get("scroll_id")
    if not isinstance(scroll_id, str):
        return does_not_arise("the first step does not name the next one")
    rows = _scrolled(_scroll_step(service, scroll_id))
    if not rows:
        return does_not_arise("no second step came: it takes two accounts")
    again = _scroll_step(service, scroll_id)
    if isinstance(again, ApiError):
        return Answer("refused", f"a step that was asked for twice: {status_text(again)}")
    if _scrolled(again) == rows:
        return Answer("repeats", "a step that was asked for twice brought the same account again")
    return Answer("advances", "a step that was asked for twice did not bring its account again")


def _scroll_begun(service: ProbedService) -> Any:
    """Return the first step, or the refusal of it."""
    return service.caller.once("scroll", lambda: [_scroll_step(service, None)])[0]


def _scroll_step(service: ProbedService, scroll_id: str | None) -> Any:
    """Return a step of one account, or the refusal of it."""
    return tried(service, SCROLL_PATH, Query().at(0, 1, None).form(scroll_id=scroll_id))


def _scrolled(response: Any) -> list[Any] | None:
    """Return the ids of the accounts of a step; None where it holds no list of them."""
    rows = response.get("accounts") if isinstance(response, dict) else None
    if not isinstance(rows, list):
        return None
    return [row.get("id", row) if isinstance(row, dict) else row for row in rows]


QUESTIONS: Final = (
    Question("page_size", "May a page have 1,000 rows?", 1, page_size),
    Question("total_hits", "Is total_hits there, and right?", 1, total_hits),
    Question("double_decoding", "How often is a query URL-decoded?", 0, double_decoding),
)
OF_A_SECOND_LOOK: Final = (
    Question("teams", "Are all accounts seen without team_id?", 0, teams),
    Question("ties", "Do rows with equal names keep their order?", 0, ties),
    Question("activity_delay", "How late is a last activity seen?", 0, activity_delay),
)
"""Questions that the page answers with which columns are asked for."""
OF_EVENTS: Final = (
    Question("events_offset", "What does the offset of events count?", 2, events_offset),
    Question("events_order", "In which order do events come?", 0, events_order),
    Question("events_total", "Are events counted?", 0, events_total),
)
OF_A_SCROLL: Final = (Question("scroll", "Is there a scroll endpoint?", 1, scroll),)
OF_WHAT_IS_LEFT: Final = (
    Question("scroll_retry", "May a step of a scroll be asked for twice?", 0, scroll_retry),
)

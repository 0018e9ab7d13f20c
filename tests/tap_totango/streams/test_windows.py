"""Beyond what one query can reach: everything, or a word about what is missing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
import sandboxes

from tap_totango.streams import search
from totango_api.reading import Paging

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sandboxes import Sandbox

ROWS, WINDOW, PAGE = 500, 200, 20
"""A 50th of what they are in Totango: `test_kills.py` reads as many rows as there may be."""

DEFAULTS = {
    "terms": "all",
    "unsupported_term": "error",
    "beyond_window": "error",
    "total_hits": "true",
    "ties": "unstable",
    "page_max": PAGE,
    "window_rows": WINDOW,
    "scroll": "on",
    "term.date": "on",
    "term.string": "on",
    "term.string_attribute": "on",
    "term.list_attribute": "on",
    "term.date_attribute": "on",
    "op.string.not_in_list": "on",
}
UNCUTTABLE = {name: "off" for name in DEFAULTS if name.startswith("term.")}


@dataclass(frozen=True)
class SmallPaging(Paging):
    """Knows how many rows the sandbox here lets a query reach."""

    window: int = WINDOW


@pytest.fixture(scope="module")
def _many(tmp_path_factory: pytest.TempPathFactory, commands: Path) -> Iterator[Sandbox]:
    seed = f"accounts={ROWS},users=0,events=0"
    with sandboxes.sandbox(
        tmp_path_factory.mktemp("many"), seed=seed, commands=commands
    ) as running:
        yield running


@pytest.fixture(autouse=True)
def _small_paging(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search, "Paging", SmallPaging)


@pytest.fixture
def small(service: Sandbox) -> Sandbox:
    """An empty sandbox with small pages and a small window."""
    service.set(page_max=PAGE, window_rows=WINDOW)
    return service


@pytest.fixture
def many(_many: Sandbox) -> Sandbox:
    """A sandbox of more accounts than a query reaches."""
    _many.set(**DEFAULTS)
    _many.chaos()
    return _many


@pytest.fixture
def read(many, tap):
    """`read(setting=value, …)`: a run over all accounts."""
    return lambda **settings: tap(
        config=many.config(max_retry_seconds=5, page_size=PAGE, **settings)
    )


def assert_everything(ran, service: Sandbox) -> None:
    keys = ran.ok().keys("accounts")
    assert len(keys) == len(set(keys))
    assert set(keys) == {(row["account_id"],) for row in service.dump("accounts")}
    assert len(ran.of("ACTIVATE_VERSION", "accounts")) == 1
    assert "full_refresh_at" in ran.bookmark("accounts")
    assert "full_read" not in ran.bookmark("accounts")


@pytest.mark.parametrize(
    "switches",
    [
        {},
        {"beyond_window": "empty"},
        {"beyond_window": "serve"},
        {"terms": "evidenced"},
        {"terms": "evidenced", "unsupported_term": "ignore"},
        {"terms": "evidenced", "beyond_window": "empty", "page_max": 40},
        {"term.date": "off", "term.date_attribute": "off", "unsupported_term": "ignore"},
    ],
    ids=lambda switches: (
        ", ".join(f"{name}={value}" for name, value in switches.items()) or "as is"
    ),
)
def test_everything_is_read(many, read, switches: dict[str, Any]) -> None:
    many.set(**switches)
    assert_everything(read(), many)


def test_by_scroll(many, read) -> None:
    before = len(many.calls("accounts"))
    assert_everything(read(accounts_method="scroll"), many)
    assert len(many.calls("accounts")) == before


def test_what_cannot_be_cut_is_told_with_its_number_and_its_remedy(many, read) -> None:
    many.set(**UNCUTTABLE)
    ran = read()
    missing = ROWS - len(set(ran.keys("accounts")))
    ran.failed(f"{missing} of {ROWS}", "accounts_partitions", "accounts_method: scroll")
    assert missing >= ROWS - 2 * WINDOW
    assert not ran.of("ACTIVATE_VERSION", "accounts")
    assert ran.value("accounts") is None


def test_what_is_missing_may_be_done_without(many, read) -> None:
    many.set(**UNCUTTABLE)
    ran = read(on_incomplete="warn").ok()
    assert "accounts_partitions" in ran.said
    assert ran.value("accounts") is None
    assert not ran.of("ACTIVATE_VERSION", "accounts")


def test_partitions_of_the_user(many, read) -> None:
    many.set(**UNCUTTABLE)
    term = {"type": "number_attribute", "attribute": "Contract Value"}
    values = [row["attributes"].get("Contract Value") for row in many.dump("accounts")]
    middle = sorted(value for value in values if value is not None)[len(values) // 2]
    halves = [[{**term, "lte": middle}], [{**term, "gt": middle}]]
    ran = read(accounts_partitions=halves)
    found = set(ran.sound().keys("accounts"))
    valued = {
        (row["account_id"],)
        for row in many.dump("accounts")
        if row["attributes"].get("Contract Value") is not None
    }
    assert valued <= found
    missing = ROWS - len(found)
    assert ran.code == (1 if missing else 0)
    assert not missing or f"{missing} of {ROWS}" in ran.last


def test_partitions_that_are_refused_are_told(many, read) -> None:
    many.set(**UNCUTTABLE)
    ran = read(accounts_partitions=[[{"type": "nonsense"}]]).failed("could not be read")
    assert "partitions" in ran.said


def test_no_count_and_no_end(many, read) -> None:
    many.set(total_hits="missing", **{"op.string.not_in_list": "off"})
    read().failed("does not count", "accounts_partitions")


def test_no_count_but_an_end_when_what_came_is_left_out(many, read) -> None:
    many.set(total_hits="missing")
    assert len(read().ok().keys("accounts")) == ROWS


@pytest.mark.parametrize("rows", [PAGE - 1, PAGE, PAGE + 1, 2 * PAGE])
@pytest.mark.parametrize("said", ["true", "missing", "off_by:-3", "off_by:3", "off_by:-3000"])
def test_around_the_end_of_a_page(small, tap, rows: int, said: str) -> None:
    small.load(
        accounts=[{"account_id": f"a-{n}", "account_name": f"Company {n}"} for n in range(rows)]
    )
    small.set(total_hits=said, **UNCUTTABLE)
    ran = tap(page_size=PAGE).sound()
    assert len(ran.keys("accounts")) == rows
    assert ran.code == (1 if said == "off_by:3" else 0), ran.said[-2000:]


@pytest.mark.parametrize("rows", [1, PAGE - 1, PAGE, PAGE + 1, 3 * PAGE + 20])
@pytest.mark.parametrize("over", ["clamp", "error"])
def test_pages_smaller_than_asked(small, tap, rows: int, over: str) -> None:
    small.load(accounts=[{"account_id": f"a-{n}", "account_name": f"A {n}"} for n in range(rows)])
    small.set(count_over=over)
    ran = tap(page_size=PAGE if over == "error" else 1000).ok()
    assert len(ran.keys("accounts")) == rows


def test_users_by_their_accounts_when_all_are_alike(small, tap, discover) -> None:
    accounts, each = 11, PAGE
    small.load(
        accounts=[{"account_id": f"a-{n}", "account_name": f"A {n}"} for n in range(accounts)],
        users=[
            {
                "account_id": f"a-{n}",
                "user_id": f"u{m}@example.com",
                "user_name": "Same",
                "first_activity_time": 1_700_000_000_000,
                "last_activity_time": 1_700_000_000_000,
            }
            for n in range(accounts)
            for m in range(each)
        ],
    )
    catalog = discover().deselect("accounts")
    ran = tap(catalog=catalog, page_size=PAGE).ok()
    assert len(set(ran.keys("users"))) == accounts * each
    assert len(ran.of("ACTIVATE_VERSION", "users")) == 1


@pytest.mark.parametrize("twist", ["duplicate-page", "short-page"])
def test_a_page_that_went_wrong_is_made_good_or_told(small, tap, twist: str) -> None:
    small.load(
        accounts=[{"account_id": f"a-{n}", "account_name": f"Company {n}"} for n in range(140)]
    )
    small.chaos(f"{twist}@accounts:3")
    assert len(tap(page_size=PAGE).ok().keys("accounts")) == 140


@pytest.mark.parametrize("at", [2, 3, 4])
def test_rows_that_come_and_go_while_reading_cost_no_other_row(small, tap, at: int) -> None:
    rows = [{"account_id": f"a-{n}", "account_name": f"Company {n:03d}"} for n in range(140)]
    small.load(accounts=rows)
    small.chaos(f"shift-delete@accounts:{at}", "slow=0.05@accounts")
    ran = tap(page_size=PAGE, max_in_flight=1).sound()
    there = {(row["account_id"],) for row in small.dump("accounts")}
    assert len(there) == 139
    assert ran.code == 1 or there <= set(ran.keys("accounts"))


def test_at_most_so_many_pages_at_once(small, tap) -> None:
    rows = [{"account_id": f"a-{n}", "account_name": f"Company {n}"} for n in range(300)]
    for most in (1, 3):
        small.reset()
        small.load(accounts=rows)
        small.chaos("slow=0.05@accounts")
        tap(page_size=20, max_in_flight=most).ok()
        assert small.stats()["max_in_flight"]["accounts"] == most


def test_a_list_of_the_users_own_is_read_as_accounts_are(many, tap, discover) -> None:
    query = {"terms": [], "fields": [{"type": "string", "term": "health"}], "count": 1000}
    entry = {"method": "POST", "url": "/api/v1/search/accounts", "form": {"query": query}}
    config = many.config(page_size=PAGE, streams={"mine": entry})
    ran = tap(config=config, catalog=discover(config=config).deselect("accounts", "users")).ok()
    assert {*ran.keys("mine")} == {(row["account_id"],) for row in many.dump("accounts")}
    assert {*ran.records("mine")[0]} == {
        *("account_id", "account_name", "last_activity_time", "health", "_extra")
    }

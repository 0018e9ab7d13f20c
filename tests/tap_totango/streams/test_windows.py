"""Beyond what one query can reach: everything, or a word about what is missing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import sandboxes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandboxes import Sandbox

pytestmark = pytest.mark.slow

ROWS = 25_000
DEFAULTS = {
    "terms": "all",
    "unsupported_term": "error",
    "beyond_window": "error",
    "total_hits": "true",
    "ties": "unstable",
    "page_max": 1000,
    "scroll": "on",
    "term.date": "on",
    "term.string": "on",
    "term.string_attribute": "on",
    "term.list_attribute": "on",
    "term.date_attribute": "on",
}
UNCUTTABLE = {name: "off" for name in DEFAULTS if name.startswith("term.")}


@pytest.fixture(scope="module")
def _many(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    seed = f"accounts={ROWS},users=0,events=0"
    with sandboxes.sandbox(tmp_path_factory.mktemp("many"), seed=seed) as running:
        yield running


@pytest.fixture
def many(_many: Sandbox) -> Sandbox:
    """A sandbox of 25,000 accounts, set as it starts."""
    _many.set(**DEFAULTS)
    _many.chaos()
    return _many


@pytest.fixture
def read(many, tap):
    """`read(setting=value, …)`: a run over the 25,000 accounts."""
    return lambda **settings: tap(config=many.config(max_retry_seconds=5, **settings))


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
        {"terms": "evidenced", "beyond_window": "empty", "page_max": 400},
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
    assert missing >= ROWS - 20_000
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
    many.set(total_hits="missing")
    read().failed("does not count", "accounts_partitions")


@pytest.mark.parametrize("rows", [999, 1000, 1001, 2000])
@pytest.mark.parametrize("said", ["true", "missing", "off_by:-3", "off_by:3", "off_by:-3000"])
def test_around_the_end_of_a_page(service, tap, rows: int, said: str) -> None:
    service.load(
        accounts=[{"account_id": f"a-{n}", "account_name": f"Company {n}"} for n in range(rows)]
    )
    service.set(total_hits=said)
    ran = tap().sound()
    assert len(ran.keys("accounts")) == rows
    assert ran.code == (1 if said == "off_by:3" else 0), ran.said[-2000:]


@pytest.mark.parametrize("rows", [1, 99, 100, 101, 350])
@pytest.mark.parametrize("over", ["clamp", "error"])
def test_pages_smaller_than_asked(service, tap, rows: int, over: str) -> None:
    service.load(accounts=[{"account_id": f"a-{n}", "account_name": f"A {n}"} for n in range(rows)])
    service.set(page_max=100, count_over=over)
    ran = tap(page_size=100 if over == "error" else 1000).ok()
    assert len(ran.keys("accounts")) == rows


def test_users_by_their_accounts_when_all_are_alike(service, tap, discover) -> None:
    accounts, each = 210, 100
    service.load(
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
    ran = tap(catalog=catalog).ok()
    assert len(set(ran.keys("users"))) == accounts * each
    assert len(ran.of("ACTIVATE_VERSION", "users")) == 1


@pytest.mark.parametrize("twist", ["duplicate-page", "short-page"])
def test_a_page_that_went_wrong_is_made_good_or_told(service, tap, twist: str) -> None:
    service.load(
        accounts=[{"account_id": f"a-{n}", "account_name": f"Company {n}"} for n in range(3500)]
    )
    service.chaos(f"{twist}@accounts:3")
    assert len(tap().ok().keys("accounts")) == 3500


@pytest.mark.parametrize("at", [2, 3, 4])
def test_rows_that_come_and_go_while_reading_cost_no_other_row(service, tap, at: int) -> None:
    rows = [{"account_id": f"a-{n}", "account_name": f"Company {n:05d}"} for n in range(3500)]
    service.load(accounts=rows)
    service.chaos(f"shift-delete@accounts:{at}", "slow=0.05@accounts")
    ran = tap(max_in_flight=1).sound()
    there = {(row["account_id"],) for row in service.dump("accounts")}
    assert len(there) == 3499
    assert ran.code == 1 or there <= set(ran.keys("accounts"))


def test_at_most_so_many_pages_at_once(service, tap) -> None:
    rows = [{"account_id": f"a-{n}", "account_name": f"Company {n}"} for n in range(900)]
    for most in (1, 3):
        service.reset()
        service.load(accounts=rows)
        service.chaos("slow=0.05@accounts")
        tap(page_size=50, max_in_flight=most).ok()
        assert service.stats()["max_in_flight"]["accounts"] == most

"""Runs over a service on which people work meanwhile: whole, green and complete.

Rows move in every way at once; `totango_api/reading/test_living_tenants.py` takes each by itself.
"""

from __future__ import annotations

from contextlib import ExitStack
from functools import cache
from typing import TYPE_CHECKING, Any

import pytest
import sandboxes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from sandboxes import Sandbox

    Seeded = Callable[[str], Sandbox]

pytestmark = pytest.mark.slow

ROWS, PAGE = 500, 50
MOVES = ("in", "out", "renamed", "replaced", "active")
SEEDS = {"dated": "created=all,activity=spread", "undated": "created=none"}
KINDS = ("attributes", "accounts", "users", "events")
KEYS = {"accounts": ("account_id",), "users": ("account_id", "user_id")}


def assert_later_versions(records: list[dict[str, Any]], keys: tuple[str, ...]) -> None:
    """A row comes again only where it has been active since."""
    latest: dict[tuple[Any, ...], str] = {}
    for record in records:
        key, active = tuple(record[name] for name in keys), record["last_activity_time"] or ""
        assert key not in latest or active > latest[key]
        latest[key] = active


@pytest.fixture(scope="module")
def seeded(tmp_path_factory: pytest.TempPathFactory, commands: Path) -> Iterator[Seeded]:
    """`seeded(seed)`: a sandbox as it was seeded; there is one for each seed."""
    with ExitStack() as stack:

        @cache
        def started(seed: str) -> tuple[Sandbox, dict[str, list[dict[str, Any]]]]:
            home = tmp_path_factory.mktemp("living")
            running = stack.enter_context(sandboxes.sandbox(home, seed=seed, commands=commands))
            return running, {kind: running.dump(kind) for kind in KINDS}

        def as_seeded(seed: str) -> Sandbox:
            running, rows = started(seed)
            running._ask("/sandbox/reset", {"settings": True})
            running.load(**rows)
            return running

        yield as_seeded


@pytest.fixture(params=SEEDS)
def living(request, seeded: Seeded) -> Sandbox:
    """A sandbox in which every row has a date that lasts, or accounts and some users have none."""
    return seeded(f"accounts={ROWS},users={ROWS},events=0,{SEEDS[request.param]}")


@pytest.mark.parametrize("in_flight", [1, 4])
def test_what_lasts_is_read_and_the_run_is_green(living, tap, in_flight: int) -> None:
    living.set(page_max=PAGE, ties="unstable")
    before = {kind: living.dump(kind) for kind in KEYS}
    living.set(**{f"moves_{move}": 1 for move in MOVES})
    ran = tap(config=living.config(page_size=PAGE, max_in_flight=in_flight))
    assert ran.code == 0, ran.said[-2000:]
    for kind, keys in KEYS.items():
        assert_later_versions(ran.records(kind), keys)
        assert living.lasting(kind, before[kind]) <= set(ran.keys(kind))
        assert len(ran.of("ACTIVATE_VERSION", kind)) == 1
        assert "full_refresh_at" in ran.bookmark(kind)


@pytest.mark.parametrize("in_flight", [1, 4])
def test_an_interrupted_read_and_the_next_one_lose_nothing_that_lasts(
    request, living, tap, in_flight: int
) -> None:
    """Where every row has a date it goes on in the window that it was in, else it begins anew.

    What came cannot be left out here: else the read would need no windows.
    """
    is_dated = request.node.callspec.params["living"] == "dated"
    living.set(page_max=PAGE, ties="unstable")
    before = {kind: living.dump(kind) for kind in KEYS}
    living.set(**{f"moves_{move}": 1 for move in MOVES}, **{"op.string.not_in_list": "off"})
    living.chaos("500@accounts:9", "500@users:9")
    config = living.config(page_size=PAGE, max_in_flight=in_flight, max_retry_seconds=0)
    stopped = tap(config=config)
    assert stopped.code == 1
    assert not stopped.of("ACTIVATE_VERSION")
    assert stopped.said.count("answered 500") >= len(KEYS)
    living.chaos()
    finished = tap(config=config, state=stopped.state)
    assert finished.code == 0, finished.said[-2000:]
    for kind in KEYS:
        read = set(stopped.keys(kind)) | set(finished.keys(kind))
        assert living.lasting(kind, before[kind]) <= read
        (activated,) = finished.of("ACTIVATE_VERSION", kind)
        assert (f"{kind}: reading everything (resumed)." in finished.said) is is_dated
        versions = {one["version"] for one in stopped.of("RECORD", kind)}
        assert (versions == {activated["version"]}) is is_dated


@pytest.mark.parametrize("order", ["desc", "asc"])
def test_events_that_last_are_read_in_few_calls_and_the_run_is_green(
    seeded, tap, discover, order: str
) -> None:
    service = seeded("accounts=20,users=0,events=2000")
    config = service.config(page_size=100)
    catalog = discover(config=config).select("events").deselect("accounts", "users")
    before = service.dump("events")
    moves = dict.fromkeys(("in", "out", "backdated", "edited"), 1)
    service.set(events_order=order, ties="unstable", event_edits="move")
    service.set(**{f"moves_{move}": rate for move, rate in moves.items()})
    ran = tap(config=config, catalog=catalog)
    assert ran.code == 0, ran.said[-2000:]
    assert service.lasting("events", before) <= set(ran.keys("events"))
    assert len(service.calls("events")) <= 20 * 1.05 + 3
    assert len(ran.of("ACTIVATE_VERSION", "events")) == 1

from __future__ import annotations

import itertools

import pytest


def pages(sandbox, count, **query):
    for offset in itertools.count(0, count):
        hits = sandbox.search("accounts", count=count, offset=offset, **query)["hits"]
        yield [hit["name"] for hit in hits]
        if len(hits) < count:
            return


def test_pages_cover_every_row_once(sandbox):
    sandbox.load_accounts(25)
    read = list(pages(sandbox, 10))
    assert [len(page) for page in read] == [10, 10, 5]
    assert list(itertools.chain(*read)) == [f"a{at:04}" for at in range(25)]
    assert sandbox.search("accounts", offset=100)["hits"] == []


def test_count_over_the_page_is_clamped_or_refused(sandbox):
    sandbox.load_accounts(10)
    sandbox.set(page_max=4)
    assert len(sandbox.names("accounts", count=5)) == 4
    assert len(sandbox.names("accounts")) == 4
    sandbox.set(count_over="error")
    assert sandbox.post_search("accounts", count=5).status_code == 400
    assert sandbox.post_search("accounts", count=4).status_code == 200


def test_ceiling_is_an_error_by_default(sandbox):
    sandbox.load_accounts(20)
    sandbox.set(window_rows=10)
    assert len(sandbox.names("accounts", offset=5, count=5)) == 5
    answer = sandbox.post_search("accounts", offset=6, count=5)
    assert (answer.status_code, answer.json()["status"]) == (400, "failed")
    assert sandbox.search("accounts", count=1)["total_hits"] == 20


def test_ceiling_can_be_silent_or_absent(sandbox):
    sandbox.load_accounts(20)
    sandbox.set(window_rows=10, beyond_window="empty")
    beyond = sandbox.search("accounts", offset=10, count=5)
    assert (beyond["hits"], beyond["total_hits"]) == ([], 20)
    sandbox.set(beyond_window="serve")
    assert sandbox.names("accounts", offset=18, count=5) == ["a0018", "a0019"]


def test_sorting_puts_rows_without_a_value_last_both_ways(sandbox):
    times = {"a": 3, "b": None, "c": 1, "d": 2}
    rows = [
        {"account_id": name, "account_name": f"Z{name}", "last_activity_time": time}
        for name, time in times.items()
    ]
    sandbox.load(accounts=rows)
    by_time = {"sort_by": "last_activity_time"}
    assert sandbox.names("accounts", **by_time) == ["c", "d", "a", "b"]
    assert sandbox.names("accounts", **by_time, sort_order="DESC") == ["a", "d", "c", "b"]
    assert sandbox.names("accounts", sort_by="identifier", sort_order="DESC") == list("dcba")
    sandbox.track(**{"sdr_o": "c", "sdr_o.account_name": "Zzz"})
    assert sandbox.names("accounts") == ["a", "b", "d", "c"]


def test_rows_that_sort_equal_move_between_requests(sandbox):
    sandbox.load_accounts(40, account_name="Same")
    orders = {tuple(sandbox.names("accounts", count=40)) for _ in range(6)}
    assert len(orders) > 1
    assert {frozenset(order) for order in orders} == {frozenset(f"a{at:04}" for at in range(40))}
    sandbox.set(ties="stable")
    assert len({tuple(sandbox.names("accounts", count=40)) for _ in range(6)}) == 1


def test_only_rows_that_sort_equal_move(sandbox):
    sandbox.load(
        accounts=[
            {"account_id": f"{name}{at}", "account_name": name}
            for name in ("A", "B", "C")
            for at in range(7)
        ]
    )
    for offset in range(15):
        page = sandbox.names("accounts", offset=offset, count=6)
        assert [name[0] for name in page] == list("AAAAAAABBBBBBBCCCCCCC"[offset : offset + 6])
        assert len(set(page)) == 6


@pytest.mark.parametrize(("mode", "shown"), [("true", 7), ("off_by:-2", 5), ("missing", None)])
def test_total_hits_can_be_wrong_or_missing(sandbox, mode, shown):
    sandbox.load_accounts(7)
    sandbox.set(total_hits=mode)
    assert sandbox.search("accounts", count=2).get("total_hits") == shown


def test_scroll_reads_a_snapshot_with_attributes_by_name(sandbox):
    sandbox.load_accounts(5, attributes={"Plan": "Pro"})
    first = sandbox.post_search("scroll", count=2).json()
    assert first["total_hits"] == 5
    assert first["accounts"][0]["attributes"] == {"Plan": {"val": "Pro"}}
    sandbox.track(sdr_o="new")
    seen = [one["id"] for one in first["accounts"]]
    scroll_id = first["scroll-id"]
    while True:
        step = sandbox.post_search("scroll", form={"scroll_id": scroll_id}, count=2).json()
        if not step["accounts"]:
            break
        seen += [one["id"] for one in step["accounts"]]
        scroll_id = step["scroll-id"]
    assert sorted(seen) == [f"a{at:04}" for at in range(5)]
    assert sandbox.post_search("scroll", form={"scroll_id": "gone"}).status_code == 400
    sandbox.set(scroll="off")
    assert sandbox.post_search("scroll").status_code == 404


def test_a_scroll_needs_no_fields_where_a_search_does(sandbox):
    sandbox.load_accounts(1)
    assert len(sandbox.post_search("scroll", fields=None).json()["accounts"]) == 1
    assert sandbox.post_search("accounts", fields=None).status_code == 400


def test_a_scroll_id_used_twice_advances_or_repeats(sandbox):
    sandbox.load_accounts(6)

    def step(scroll_id):
        form = {"scroll_id": scroll_id}
        answer = sandbox.post_search("scroll", form=form, count=2).json()
        return [one["id"] for one in answer["accounts"]]

    first = sandbox.post_search("scroll", count=2).json()["scroll-id"]
    assert step(first) == ["a0002", "a0003"]
    assert step(first) == ["a0004", "a0005"]
    sandbox.set(scroll_retry="repeat")
    first = sandbox.post_search("scroll", count=2).json()["scroll-id"]
    assert step(first) == step(first) == ["a0002", "a0003"]

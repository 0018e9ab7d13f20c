"""Who is deleted, and who is not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from target_runs import held, record, schema, state

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from sandboxes import Sandbox
    from target_runs import Delivered

    Deliver = Callable[..., Delivered]

GONE = "2024-07-01T00:00:00Z"
USERS = schema("users", "account_id", "user_id", "Title", "_sdc_deleted_at")
ON = {"hard_delete": True}


def user(name: str, stream: str = "users", **fields: Any) -> dict[str, Any]:
    return record(stream, account_id="a", user_id=name, **fields)


def version(number: int, stream: str = "users") -> dict[str, Any]:
    return {"type": "ACTIVATE_VERSION", "stream": stream, "version": number}


def users_of(service: Sandbox) -> set[str]:
    return {name for _, name in held(service, "users")}


# What says that a user is gone -----------------------------------------------------------------


@pytest.mark.parametrize(
    "mark",
    ["None", "false", "0", "null", False, True, 0, 1, "yes", "soon", [1]],
    ids=lambda mark: f"{type(mark).__name__} {mark}",
)
@pytest.mark.parametrize("hard_delete", [False, True])
def test_what_is_no_moment_deletes_nobody(
    deliver: Deliver, service: Sandbox, mark: Any, hard_delete: bool
) -> None:
    deliver(USERS, user("stays", Title="x"), user("goes", Title="x")).ok()
    rows = [user("stays", Title="y", _sdc_deleted_at=mark), user("goes", _sdc_deleted_at=GONE)]
    done = deliver(USERS, *rows, state(1), hard_delete=hard_delete)
    assert users_of(service) == {"stays"} | (set() if hard_delete else {"goes"})
    assert done.codes == [{("_sdc_deleted_at", "not a moment")}]
    assert done.states == [state(1)["value"]]


@pytest.mark.parametrize(
    "mark",
    [
        GONE,
        "2024-07-01",
        "2024-07-01 10:00:00+02",
        "2019-12-18T13:19:44+00:00+00:00",
        1719792000000,
    ],
)
def test_a_moment_deletes(deliver: Deliver, service: Sandbox, mark: Any) -> None:
    deliver(USERS, user("goes")).ok()
    deliver(USERS, user("goes", _sdc_deleted_at=mark), **ON).ok()
    assert users_of(service) == set()


@pytest.mark.parametrize("mark", [None, ""])
def test_no_mark_deletes_nobody(deliver: Deliver, service: Sandbox, mark: Any) -> None:
    deliver(USERS, user("stays", Title="x", _sdc_deleted_at=mark), **ON).ok()
    assert users_of(service) == {"stays"}


@pytest.mark.parametrize(
    ("deleted_when", "gone", "living", "unclear"),
    [
        ("IsDeleted", [True, "true", "T", 1, "1", GONE], [False, "false", 0, "0", None, ""], "?"),
        ({"field": "IsDeleted", "equals": "closed"}, ["closed"], ["open", "Closed", None], None),
        ({"field": "IsDeleted", "equals": [3, True]}, [3, "3", True], [4, False, "true?"], None),
        ({"path": "IsDeleted.at"}, [{"at": GONE}], [{"at": None}, {}, None], {"at": "never"}),
    ],
)
@pytest.mark.parametrize("where", ["mapping", "setting"])
def test_a_source_may_have_a_mark_of_its_own(
    deliver: Deliver,
    service: Sandbox,
    deleted_when: Any,
    gone: list[Any],
    living: list[Any],
    unclear: Any,
    where: str,
) -> None:
    fields = schema("users", "account_id", "user_id", "IsDeleted", "Title")
    rows = [user(f"gone-{n}", IsDeleted=mark) for n, mark in enumerate(gone)]
    rows += [user(f"living-{n}", IsDeleted=mark, Title="y") for n, mark in enumerate(living)]
    names = [row["record"]["user_id"] for row in rows]
    deliver(USERS, *(user(name, Title="x") for name in names), canary=False).ok()
    own = {"deleted_when": deleted_when}
    settings = own if where == "setting" else {"mappings": [{"stream": "users", **own}]}
    unclear_rows = [user("unclear", IsDeleted=unclear)] if unclear is not None else []
    done = deliver(fields, *rows, *unclear_rows, **settings, **ON)
    assert users_of(service) == {name for name in names if name.startswith("living")}
    assert all(row == {"Title": "y"} for row in held(service, "users").values())
    assert [row["user_id"] for row in done.rejected] == ["unclear"] * len(unclear_rows)


def test_a_mark_that_the_stream_does_not_have_is_an_error(deliver: Deliver) -> None:
    mapping = {"stream": "users", "deleted_when": "IsDelted"}
    done = deliver(USERS, user("u"), mappings=[mapping])
    assert "deleted_when: the stream has no field 'IsDelted'" in str(done.error)
    assert deliver(USERS, user("u"), deleted_when="IsDelted").error is None
    assert "deleted_when" in str(deliver(USERS, deleted_when={"equals": 1}).error)


@pytest.mark.parametrize("name", ["IsDeleted", "_fivetran_deleted", "__deleted", "deleted_at"])
def test_well_known_marks_are_counted_and_logged(
    deliver: Deliver, service: Sandbox, name: str
) -> None:
    fields = schema("users", "account_id", "user_id", name)
    mark = GONE if name == "deleted_at" else True
    rows = [user("gone"), user("living")]
    rows[0]["record"][name], rows[1]["record"][name] = mark, None
    done = deliver(fields, *rows, **ON).ok()
    assert users_of(service) == {"gone", "living"}
    assert done.totals["marked_deleted"] == 1
    assert done.said.count("deleted_when says which rows are gone") == 1
    named = deliver(fields, *rows, deleted_when=name, **ON).ok()
    assert "marked_deleted" not in named.totals
    assert users_of(service) == {"living"}


# What a new version no longer holds ------------------------------------------------------------


@pytest.fixture
def kept(deliver: Deliver, tmp_path: Path) -> dict[str, Any]:
    """Settings with a ledger that knows the users a, b and c in version 1 of their stream."""
    settings = {**ON, "ledger_path": str(tmp_path / "ledger.db")}
    rows = [user(name, Title="x") | {"version": 1} for name in "abc"]
    deliver(USERS, *rows, version(1), **settings).ok()
    return settings


def second(*names: str, **fields: Any) -> list[dict[str, Any]]:
    rows = [user(name, Title="y", **fields) | {"version": 2} for name in names]
    return [USERS, *rows, version(2)]


def test_who_is_gone_is_deleted(deliver: Deliver, service: Sandbox, kept: dict[str, Any]) -> None:
    assert deliver(*second("a", "b"), **kept).ok().totals["vanished"] == 1
    assert users_of(service) == {"a", "b"}


def test_without_a_ledger_nobody_knows_who_is_gone(deliver: Deliver, service: Sandbox) -> None:
    deliver(USERS, user("a") | {"version": 1}, user("b") | {"version": 1}, version(1), **ON).ok()
    done = deliver(*second("a"), **ON).ok()
    assert "is only deleted with ledger_path" in done.said
    assert users_of(service) == {"a", "b"}


@pytest.mark.parametrize(
    "change",
    [
        {"mappings": [{"stream": "users", "user_id": "{user_id}@x.com"}]},
        {"stream_maps": {"users": {"__filter__": "user_id != 'a'"}}},
        {"stream_maps": {"users": {"user_id": "user_id + '@x.com'"}}},
        {"mappings": [{"stream": "users", "user_id": {"field": "user_id", "lower": True}}]},
    ],
    ids=["id", "filter", "stream map", "lower case"],
)
def test_another_way_of_making_users_deletes_nobody(
    deliver: Deliver, service: Sandbox, kept: dict[str, Any], change: dict[str, Any]
) -> None:
    done = deliver(*second("a", "b"), **kept, **change).ok()
    assert {"a", "b", "c"} <= users_of(service)
    assert "vanished" not in done.totals
    assert done.said.count("in another way than in the run before") == 1
    # From then on, the new way is compared with itself.
    third = [user("b", Title="z") | {"version": 3}]
    again = deliver(USERS, *third, version(3), **kept, **change).ok()
    assert "in another way" not in again.said
    assert "c" in users_of(service)


def test_rows_without_an_id_delete_nobody(
    deliver: Deliver, service: Sandbox, kept: dict[str, Any]
) -> None:
    nameless = record("users", account_id="a", user_id=None) | {"version": 2}
    done = deliver(USERS, nameless, *second("a")[1:], **kept)
    assert users_of(service) == {"a", "b", "c"}
    assert "1 row had no id that can be used" in done.said


@pytest.mark.parametrize("name", ["c @acme.example", "None", "c" * 101])
def test_rows_with_an_id_that_cannot_be_used_delete_nobody(
    deliver: Deliver, service: Sandbox, kept: dict[str, Any], name: str
) -> None:
    """Found where a slip in an address deleted the user who had the right one."""
    done = deliver(*second("a", "b", name), **kept)
    assert users_of(service) == {"a", "b", "c"}
    assert "1 row had no id that can be used" in done.said


def test_such_an_id_names_nobody_either_where_the_mark_is_unclear(
    deliver: Deliver, service: Sandbox, kept: dict[str, Any]
) -> None:
    unclear = user("c @acme.example", _sdc_deleted_at="soon") | {"version": 2}
    done = deliver(USERS, unclear, *second("a", "b")[1:], **kept)
    assert users_of(service) == {"a", "b", "c"}
    assert "1 row had no id that can be used" in done.said


def test_a_row_that_is_marked_as_deleted_and_rejected_names_nobody_who_is_there(
    deliver: Deliver, service: Sandbox, kept: dict[str, Any]
) -> None:
    gone = record("users", account_id="a", user_id=None, _sdc_deleted_at=GONE) | {"version": 2}
    done = deliver(USERS, gone, *second("a", "b")[1:], **kept)
    assert (done.totals["rejected"], done.totals["vanished"]) == (1, 1)
    assert users_of(service) == {"a", "b"}


def test_who_is_in_another_stream_is_not_deleted(
    deliver: Deliver, service: Sandbox, tmp_path: Path
) -> None:
    settings = {**ON, "ledger_path": str(tmp_path / "ledger.db")}
    more = schema("more-users", "account_id", "user_id", "Title")

    def rows(number: int, here: str, there: str) -> list[dict[str, Any]]:
        return [
            USERS,
            *(user(name, Title="x") | {"version": number} for name in here),
            version(number),
            more,
            *(user(name, "more-users", Title="x") | {"version": number + 10} for name in there),
            version(number + 10, "more-users"),
        ]

    deliver(*rows(1, "abc", "bcd"), **settings).ok()
    deliver(*rows(2, "a", "bd"), **settings).ok()
    assert users_of(service) == {"a", "b", "d"}
    deliver(*rows(3, "a", "d"), **settings).ok()
    assert users_of(service) == {"a", "d"}


def test_streams_that_share_an_alias_have_their_own_versions(
    deliver: Deliver, service: Sandbox, tmp_path: Path
) -> None:
    maps = {name: {"__alias__": "users"} for name in ("east", "west")}
    settings = {**ON, "ledger_path": str(tmp_path / "ledger.db"), "stream_maps": maps}

    def rows(number: int, **names: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        for place, (stream, letters) in enumerate(names.items()):
            found.append(schema(stream, "account_id", "user_id", "Title"))
            own = number + 10 * place
            found += [user(each, stream, Title="x") | {"version": own} for each in letters]
            found.append(version(own, stream))
        return found

    deliver(*rows(1, east="ab", west="cd"), **settings).ok()
    assert users_of(service) == set("abcd")
    deliver(*rows(2, east="a", west="cd"), **settings).ok()
    assert users_of(service) == set("acd")


# Whether it was done ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "fault",
    [
        'answer@delete:say={"success": false}',
        'answer@delete:say={"deleted": 0}',
        "answer@delete:say=Not permitted",
        "answer@delete:status=404:say=<html>no such page</html>",
        "answer@delete:say={}",
    ],
)
def test_a_deletion_is_looked_up_again(deliver: Deliver, service: Sandbox, fault: str) -> None:
    deliver(USERS, user("goes")).ok()
    service.chaos(fault)
    done = deliver(USERS, user("goes", _sdc_deleted_at=GONE), state(1), verify_timeout=0, **ON)
    assert done.error is not None
    assert done.totals == {"received": 1, "undelivered": 1}
    assert done.states == []
    service.chaos()
    deliver(USERS, user("goes", _sdc_deleted_at=GONE), state(1), **ON).ok()
    assert users_of(service) == set()


@pytest.mark.parametrize(
    ("answer", "advice"),
    [("403@delete", "Check app_token"), ("answer@delete:say=Not permitted", "Not permitted")],
)
def test_what_keeps_a_user_from_being_deleted_is_said(
    deliver: Deliver, service: Sandbox, answer: str, advice: str
) -> None:
    deliver(USERS, user("stays")).ok()
    service.chaos(answer)
    done = deliver(USERS, user("stays", _sdc_deleted_at=GONE), state(1), verify_timeout=0, **ON)
    assert advice in str(done.error)
    assert "sdr_token" not in str(done.error)


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("answer@delete:say={}", "1 user gone at the source"),
        ("403@delete", "Check app_token"),
    ],
)
def test_what_vanished_is_looked_up_again_too(
    deliver: Deliver, service: Sandbox, kept: dict[str, Any], fault: str, words: str
) -> None:
    service.chaos(fault)
    done = deliver(*second("a", "b"), state(1), verify_timeout=0, **kept)
    assert words in str(done.error)
    service.chaos()
    third = [row | {"version": 3} for row in second("a", "b")[1:3]]
    deliver(USERS, *third, version(3), state(1), **kept).ok()
    assert users_of(service) == {"a", "b"}


def test_a_deletion_that_cannot_be_looked_up_is_believed(
    deliver: Deliver, service: Sandbox
) -> None:
    deliver(USERS, user("goes")).ok()
    service.chaos("403@users")
    done = deliver(USERS, user("goes", _sdc_deleted_at=GONE), state(1), **ON).ok()
    assert "cannot be looked up" in done.said
    assert done.totals == {"received": 1, "deleted": 1}


@pytest.mark.parametrize("say", ['{"success": false}', "Not permitted", "null"])
def test_an_answer_that_says_nothing_is_not_believed(
    deliver: Deliver, service: Sandbox, kept: dict[str, Any], say: str
) -> None:
    service.chaos("403@users", f"answer@delete:say={say}")
    goes = user("goes", _sdc_deleted_at=GONE)
    done = deliver(USERS, goes, state(1), **ON)
    assert done.totals == {"received": 1, "undelivered": 1}
    assert (done.states, say in str(done.error)) == ([], True)
    done = deliver(*second("a", "b"), state(1), **kept, canary=False)
    assert "1 user gone at the source" in str(done.error)
    assert done.states != []


@pytest.mark.parametrize("equals", [None, [], {}, [None], [["x"]]])
def test_a_mark_that_equals_no_value_is_an_error(deliver: Deliver, equals: Any) -> None:
    done = deliver(USERS, deleted_when={"field": "IsDeleted", "equals": equals})
    assert "equals is a value, or a list of values" in str(done.error)


def test_a_well_known_mark_that_says_nothing_clear_counts_nobody(deliver: Deliver) -> None:
    fields = schema("users", "account_id", "user_id", "is_deleted")
    done = deliver(fields, user("u", is_deleted="perhaps"))
    assert "marked_deleted" not in done.totals

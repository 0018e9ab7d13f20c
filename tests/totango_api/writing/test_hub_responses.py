"""Which answers of the Integration Hub confirm a batch, and which rows they name."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from requests.structures import CaseInsensitiveDict

from totango_api.errors import AuthenticationError, ResponseError
from totango_api.http.responses import Response
from totango_api.writing.hub_responses import response_in
from totango_api.writing.hub_rows import HubRow
from totango_api.writing.named_rows import BatchRows

if TYPE_CHECKING:
    from totango_api.writing.hub_responses import HubResponse

ROWS = BatchRows([HubRow("A1", attributes={}), HubRow("A2", attributes={})])
USERS = BatchRows([HubRow("ann", "A1"), HubRow("ann", "A2"), HubRow("bob")])
USAGE = BatchRows([HubRow(None, "A1", None, "u", "y", "x")] * 3)


def response_to(body: Any, rows: BatchRows = ROWS, status: int = 202) -> HubResponse:
    text = body if isinstance(body, bytes) else json.dumps(body).encode()
    return response_in("POST /", Response(status, CaseInsensitiveDict(), text), rows)


RECEIPTS: list[dict[str, Any]] = [
    {"status": "success", "time_received": "2023-07-12T10:24:13.207Z", "batch_id": 7},
    {"status": "success"},
    {"status": "success", "batchId": "b"},
    {"status": "SUCCESS", "transaction_id": "x", "timeReceived": "12:01"},
    {"status": "success", "errors": []},
    {"status": "success", "accepted": 2, "failed": 0, "total": 2},
    {"status": "success", "id": "9f", "errors": None},
]


@pytest.mark.parametrize("body", RECEIPTS, ids=json.dumps)
def test_a_receipt_is_read_under_any_likely_name(body: Any) -> None:
    assert response_to(body).all_taken


NO_RECEIPTS: list[Any] = [
    {"success": False},
    {"success": True},
    {"message": "Forbidden"},
    {"statusCode": 500},
    {"response": {"status": "failed"}},
    {"response": {"status": "success"}},
    {"status": "partial"},
    {"status": "FAIL"},
    {"status": "denied"},
    {"status": "failed"},
    {"status": "queued"},
    {"status": 200},
    {"status": True},
    {"status": ["success"]},
    {"status": "success", "failed": 1},
    {"status": "success", "failed": True},
    {"status": "success", "accepted": 0},
    {"status": "success", "accepted": 1},
    {"status": "success", "accepted": 3},
    {"status": "success", "accepted": 2.0},
    {"status": "success", "processed": 1, "total": 2},
    {"status": "success", "id": "A2"},
    {"status": "success", "batch_id": ""},
    {"status": "success", "batch_id": "failed"},
    {"status": "success", "time_received": "never"},
    {"status": "success", "batch_id": None},
    {"status": "success", "batch_id": {"status": "failed"}},
    {"status": "success", "time_received": {"error": "x"}},
    {"status": "success", "warning": "1 row was dropped"},
    {"status": "success", "message": "Forbidden"},
    {"status": "success", "response": {"failed": 1}},
    {"status": "success", "data": {"errors": ["x"]}},
    {"status": "success", "error": "no"},
    {"status": "success", "Failed": [{"Id": "A2"}]},
    {"status": "success", "batch_id": "b", "Batch_Id": "c"},
    {"Status": "success"},
    {"STATUS": "Failed"},
    {"results": []},
    {"invalid_rows": []},
    {},
    [],
    ["success"],
    ["success", "success", "success"],
    "success",
    "Too many requests",
    200,
    True,
    None,
]


@pytest.mark.parametrize("body", NO_RECEIPTS, ids=json.dumps)
def test_any_other_answer_confirms_no_row(body: Any) -> None:
    response = response_to(body)
    assert not response.all_taken
    assert not response.taken


@pytest.mark.parametrize("status", [203, 204, 206, 207, 226])
def test_a_receipt_comes_with_one_of_three_statuses(status: int) -> None:
    assert not response_to({"status": "success"}, status=status).all_taken


def test_an_empty_body_is_no_receipt() -> None:
    assert not response_to(b" \n").all_taken


@pytest.mark.parametrize("body", [b"Too many requests", b"<html>", b'{"status": "succ'])
def test_what_is_no_json_is_an_error(body: bytes) -> None:
    with pytest.raises(ResponseError) as caught:
        response_to(body)
    assert caught.value.retriable


def test_a_token_that_is_not_accepted_is_an_error() -> None:
    with pytest.raises(AuthenticationError):
        response_to(
            {"status": "failed", "error": {"type": "authentication_failed", "message": "x"}}
        )


NAMED: list[tuple[Any, dict[int, str], set[int]]] = [
    ({"status": "success", "failed": [{"id": "A2", "reason": "no"}]}, {1: "no"}, set()),
    ({"status": "success", "rejected": ["A2"]}, {1: "no reason given"}, set()),
    ({"status": "partial", "invalid_rows": [1]}, {1: "no reason given"}, set()),
    ({"Status": "Partial", "Errors": [{"Id": "A2", "Message": "no"}]}, {1: "no"}, set()),
    ({"errors": {"0": "no", "x": "y"}}, {0: "no"}, set()),
    ({"errors": {"A2": ["no", "nay"]}}, {1: '["no","nay"]'}, set()),
    ({"error": {"id": "A2", "message": "no"}}, {1: "no"}, set()),
    ({"response": {"rejected": [{"index": 1}]}}, {1: "no reason given"}, set()),
    ({"data": {"result": {"errors": [{"row_index": 0, "error": "no"}]}}}, {0: "no"}, set()),
    (
        {"status": "success", "results": [{"id": "A1", "status": "ok"}, {"id": "A2", "code": 422}]},
        {1: "no reason given"},
        {0},
    ),
    ([{"id": "A2", "success": True}, {"id": "A1", "success": False}], {0: "no reason given"}, {1}),
    (["success", "error"], {1: "no reason given"}, set()),
    (["ok", "ok"], {}, set()),
    ({"results": ["success", {"status": "success"}]}, {}, set()),
    ({"statuses": [{"status": 200}, {"status": 400, "message": "no"}]}, {1: "no"}, {0}),
    ({"results": [{"id": "A1", "status": "success"}]}, {}, {0}),
    ({"results": [{"id": "A1", "status": "success", "error": "no"}]}, {0: "no"}, set()),
    ({"results": [{"id": "A1", "status": "pending"}]}, {}, set()),
    # Doubt about the whole is doubt about its parts.
    ({"status": "failed", "results": [{"id": "A1", "status": "success"}]}, {}, set()),
    ({"persisted": False, "results": [{"id": "A1", "status": "success"}]}, {}, set()),
    ({"failed": 2, "results": [{"id": "A1", "status": "success"}]}, {}, set()),
    ({"accepted": 2, "results": [{"id": "A1", "status": "success"}]}, {}, set()),
    ({"validation": [{"id": "A1", "status": "success"}]}, {}, set()),
    # Who counts from one, or of another batch, names nobody.
    ({"errors": [{"index": 2, "message": "no"}]}, {}, set()),
    ({"errors": [{"index": -1}, {"index": 0}]}, {}, set()),
    ({"errors": [{"index": True, "message": "no"}]}, {}, set()),
    ({"errors": ["no"]}, {}, set()),
    ({"errors": [{"id": "A3"}]}, {}, set()),
    ({"errors": [{"id": "A2", "account_id": ["A1"]}]}, {1: "no reason given"}, set()),
    ({"results": [{"index": 2, "status": "ok"}, {"index": 1, "status": "ok"}]}, {}, set()),
    # What is no verdict, or lies deeper than any receipt, says nothing.
    ({"results": [{"id": "A1", "status": ["ok"]}]}, {}, set()),
    ({"a": {"b": {"c": {"d": {"errors": [{"id": "A1"}]}}}}}, {}, set()),
]


@pytest.mark.parametrize(("body", "faults", "taken"), NAMED, ids=lambda one: json.dumps(str(one)))
def test_what_names_rows_settles_those(body: Any, faults: dict[int, str], taken: set[int]) -> None:
    response = response_to(body)
    assert not response.all_taken
    assert (response.faults, response.taken) == (faults, taken)


def test_users_of_the_same_name_are_told_by_their_account() -> None:
    assert response_to({"failed": ["ann", "bob"]}, USERS).faults.keys() == {2}
    named = {"failed": [{"id": "ann", "account_id": "A2"}]}
    assert response_to(named, USERS).faults.keys() == {1}
    one = BatchRows([HubRow("ann", "A1")])
    assert response_to({"failed": [{"id": "ann"}]}, one).faults.keys() == {0}
    assert response_to(named, one).faults == {}


def test_activities_have_no_name_but_their_place() -> None:
    response = response_to(
        {"results": [{"status": "ok"}, {"status": "error"}, {"status": "ok"}]}, USAGE
    )
    assert (set(response.faults), response.taken) == ({1}, {0, 2})
    assert response_to({"failed": ["u", {"user_id": "u"}]}, USAGE).faults == {}


@pytest.mark.parametrize(
    ("body", "may_pass"),
    [
        ({"message": "Too many requests"}, True),
        ({"statusCode": 503}, True),
        ({"message": "temporarily unavailable"}, True),
        ({"message": "Forbidden"}, False),
        ({"status": "failed", "errors": [{"index": 1, "message": "internal"}]}, False),
    ],
)
def test_an_answer_may_say_that_it_passes(body: Any, may_pass: bool) -> None:
    assert response_to(body).may_pass is may_pass


# Anything ----------------------------------------------------------------------------------

_WORDS = ("success", "ok", "failed", "partial", "A1", "A2", "t", "b-1", "")
_KEYS = (
    *(
        "status",
        "Status",
        "success",
        "time_received",
        "batch_id",
        "batchId",
        "id",
        "index",
        "error",
    ),
    *("errors", "failed", "rejected", "accepted", "total", "results", "rows", "response", "data"),
    *("message", "code", "statusCode", "invalid_rows", "A1", "A2", "0", "1", "x"),
)
_scalars = st.none() | st.booleans() | st.integers(-1, 3) | st.sampled_from(_WORDS)
_bodies = st.recursive(
    _scalars,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(_KEYS), inner, max_size=4)
    ),
    max_leaves=12,
)
_HARMLESS: dict[str, Any] = {
    "time_received": lambda value: value == "b-1" or type(value) is int,
    **dict.fromkeys(
        ("batch_id", "batchId", "id"), lambda value: value in {"t", "b-1", *range(-1, 4)}
    ),
    **dict.fromkeys(("accepted", "total", "rows"), lambda value: value == 2 or value in ([], {})),
    **dict.fromkeys(
        ("error", "errors", "failed", "rejected", "invalid_rows"),
        lambda value: value is None or (value in ([], {}, 0) and value is not False),
    ),
}


@example({"status": "success", "time_received": "A1"})
@given(
    _bodies
    | st.dictionaries(st.sampled_from(_KEYS), _scalars).map(lambda d: {**d, "status": "success"})
)
def test_nothing_outside_the_grammar_of_receipts_confirms_a_row(body: Any) -> None:
    response = response_to(body)
    if response.all_taken:
        assert isinstance(body, dict)
        assert body["status"] == "success"
        for name, value in body.items():
            assert name == "status" or _HARMLESS[name](value), (name, value)
    for place in response.taken:
        # There is a list that says so of this row.
        lists = (
            [body] if isinstance(body, list) else [v for v in body.values() if isinstance(v, list)]
        )
        [results] = [each for each in lists if each]
        mine = [
            entry
            for number, entry in enumerate(results)
            if (f'"A{place + 1}"' in json.dumps(entry) or '"index"' in json.dumps(entry))
            or number == place
        ]
        assert any(word in json.dumps(mine) for word in ('"success"', '"ok"', "true"))
        assert isinstance(body, list) or body.get("status", "ok") not in {"failed", ""}
    assert not (response.taken & response.faults.keys())


_BAD = ("fail", "partial", "false", "-1", "3")


@example(extra="b-1", name="time_received")
@given(_bodies, st.sampled_from(_KEYS))
def test_what_a_receipt_says_beside_it_casts_no_doubt(extra: Any, name: str) -> None:
    response = response_to(
        {"status": "success", "time_received": "2023-07-12", "batch_id": "b", name: extra}
    )
    if response.all_taken and not isinstance(extra, int):
        said = json.dumps(extra).lower().replace("b-1", "an id")
        assert not any(bad in said for bad in _BAD)

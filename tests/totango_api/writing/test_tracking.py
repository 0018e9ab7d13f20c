"""Tracking calls: what travels, and what counts as delivered."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

import pytest
import sandboxes
from deliveries import deliver_call
from hypothesis import given
from hypothesis import strategies as st
from requests.structures import CaseInsensitiveDict

from totango_api.config import Connection
from totango_api.errors import ResponseError, SettingsError, UnavailableError
from totango_api.http.client import ApiClient
from totango_api.http.responses import Response
from totango_api.writing.tracking import NoReceiptError, TrackingClient

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sandboxes import Sandbox


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory, commands: Path) -> Iterator[Sandbox]:
    with sandboxes.sandbox(tmp_path_factory.mktemp("tracking"), commands=commands) as running:
        yield running


@pytest.fixture
def transport(service: Sandbox) -> Iterator[ApiClient]:
    service._ask("/sandbox/reset", {"settings": True})
    connection = Connection.from_config(service.config(max_retry_seconds=10), user_agent="test")
    with ApiClient(connection) as way_out:
        yield way_out


def unconnected(service_id: str | None = "SP-12345-01") -> ApiClient:
    return ApiClient(Connection.from_config({"service_id": service_id}, user_agent="test"))


texts = st.text(st.characters(exclude_categories=["Cs"]))
names = st.text(st.characters(exclude_categories=["Cs"]), min_size=1)


@given(texts, texts, st.dictionaries(names, texts), st.dictionaries(names, texts))
def test_a_body_says_exactly_what_the_call_says(
    account_id: str, user_id: str, account: dict[str, str], user: dict[str, str]
) -> None:
    with unconnected() as transport:
        body = TrackingClient(transport, token="t&=+ %").form(
            {"account_id": account_id, "user_id": user_id, "activity": "Pay", "module": "Billing"},
            account,
            user,
        )
    said = parse_qsl(body.decode("ascii"), keep_blank_values=True, strict_parsing=True)
    expected = [
        ("sdr_s", "SP-12345-01"),
        ("api-token", "t&=+ %"),
        ("sdr_o", account_id),
        ("sdr_u", user_id),
        ("sdr_a", "Pay"),
        ("sdr_m", "Billing"),
    ]
    expected += [
        ("sdr_ofid" if name == "ofid" else f"sdr_o.{name}", value)
        for name, value in account.items()
    ]
    expected += [(f"sdr_u.{name}", value) for name, value in user.items()]
    assert said == expected


def test_an_account_alone_names_no_user() -> None:
    with unconnected() as transport:
        body = TrackingClient(transport).form({"account_id": "a"}, {"Plan": "x"})
    assert body == b"sdr_s=SP-12345-01&sdr_o=a&sdr_o.Plan=x"


@pytest.mark.parametrize("service_id", [None, "12345"])
def test_the_whole_service_id_is_needed(service_id: str | None) -> None:
    with unconnected(service_id) as transport, pytest.raises(SettingsError, match="SP-"):
        TrackingClient(transport)


@given(st.binary() | st.sampled_from([b"GIF", b" GIF89a", b"gif89a", b'{"status":"success"}']))
def test_no_body_but_a_gif_confirms_a_call(body: bytes) -> None:
    headers: CaseInsensitiveDict[str] = CaseInsensitiveDict()
    with unconnected() as transport:
        client = TrackingClient(transport)
        for status in range(200, 300):
            response = Response(status, headers, body)
            if status < 202 and body.startswith((b"GIF87a", b"GIF89a")):
                client._check("POST /", response)
                continue
            with pytest.raises(NoReceiptError) as caught:
                client._check("POST /", response)
            assert caught.value.may_have_succeeded


def test_calls_arrive(transport: ApiClient, service: Sandbox) -> None:
    deliver_call(
        TrackingClient(transport),
        "a",
        account={"account_name": "A"},
        user={"name": "U"},
        user_id="u",
        activity="Pay",
        module="Billing",
    )
    assert service.writable("accounts") == {("a",): {"account_name": "A"}}
    assert service.writable("users") == {("a", "u"): {"user_name": "U"}}
    assert [row["activity"] for row in service.dump("activities")] == ["Pay"]
    assert transport.usage["tracking"].calls == 1


def test_an_sdr_token_is_accepted_from_the_body(transport: ApiClient, service: Sandbox) -> None:
    service.set(sdr_token="s3cret", sdr_token_status=401)
    deliver_call(TrackingClient(transport, token="s3cret"), "a")
    assert set(service.writable("accounts")) == {("a",)}
    assert all("s3cret" not in call["path"] for call in service.calls("tracking"))


def test_attributes_are_sent_again_after_a_dropped_answer(
    transport: ApiClient, service: Sandbox
) -> None:
    service.chaos("drop@tracking:1")
    deliver_call(TrackingClient(transport), "a", account={"Plan": "x"})
    assert len(service.calls("tracking")) == 2


def test_an_activity_is_not_sent_again_after_a_dropped_answer(
    transport: ApiClient, service: Sandbox
) -> None:
    service.chaos("drop@tracking:1")
    with pytest.raises(UnavailableError) as caught:
        deliver_call(TrackingClient(transport), "a", user_id="u", activity="Pay", module="Billing")
    assert caught.value.may_have_succeeded
    assert len(service.dump("activities")) == 1


def test_an_activity_is_sent_again_after_a_429(transport: ApiClient, service: Sandbox) -> None:
    service.chaos("429@tracking:1")
    deliver_call(TrackingClient(transport), "a", user_id="u", activity="Pay", module="Billing")
    assert len(service.dump("activities")) == 1


def test_a_redirect_is_no_delivery(transport: ApiClient, service: Sandbox) -> None:
    service.chaos("redirect@tracking:to=http://127.0.0.1:9/")
    with pytest.raises(ResponseError):
        deliver_call(TrackingClient(transport), "a")

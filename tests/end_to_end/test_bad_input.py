"""What a user gets wrong costs one clear sentence and exit code 1, and nothing that was done."""

from __future__ import annotations

import json
import socket
from typing import Any

import pytest
import toolbox

TOKEN = "{v2}5ecret/to.ken+x@example.com"
MAIL = "jane.doe@example.com"

SCHEMA = {
    "type": "SCHEMA",
    "stream": "accounts",
    "schema": {
        "type": "object",
        "properties": {
            "account_id": {"type": ["string", "null"]},
            "account_name": {"type": ["string", "null"]},
        },
    },
    "key_properties": ["account_id"],
}
USERS = {
    "type": "SCHEMA",
    "stream": "users",
    "schema": {
        "type": "object",
        "properties": {
            "account_id": {"type": ["string", "null"]},
            "user_id": {"type": ["string", "null"]},
        },
    },
    "key_properties": ["account_id", "user_id"],
}


def account(identifier: str | None) -> dict[str, Any]:
    record = {"account_id": identifier, "account_name": f"Account {identifier}"}
    return {"type": "RECORD", "stream": "accounts", "record": record}


def user(account_id: str, identifier: str) -> dict[str, Any]:
    record = {"account_id": account_id, "user_id": identifier}
    return {"type": "RECORD", "stream": "users", "record": record}


def state(value: int) -> dict[str, Any]:
    return {"type": "STATE", "value": {"bookmarks": {"accounts": {"at": value}}}}


def singer(*messages: dict[str, Any] | str) -> str:
    lines = (one if isinstance(one, str) else json.dumps(one) for one in messages)
    return "".join(f"{line}\n" for line in lines)


def assert_one_sentence(ran, *words: str) -> None:
    """The command failed, and its last line says why, in words a user can act on."""
    assert ran.returncode == 1, ran.stderr[-3000:]
    assert "Traceback" not in ran.stderr, ran.stderr[-3000:]
    assert TOKEN not in ran.stderr + ran.stdout
    assert MAIL not in ran.stderr
    last = ran.stderr.strip().split("\n")[-1]
    for word in words:
        assert word in last, ran.stderr[-3000:]


@pytest.fixture
def tap(run_here, config_file):
    """`tap(settings, …)`: tap-totango on these settings."""
    return lambda settings, *more: run_here("tap-totango", "--config", config_file(settings), *more)


@pytest.fixture
def target(run_here, config_file):
    """`target(settings, singer text)`: target-totango on these settings and this input."""
    return lambda settings, text: run_here(
        "target-totango", "--config", config_file(settings), stdin=text
    )


NOWHERE = {"app_token": TOKEN, "service_id": "SP-12345-01", "api_url": "http://127.0.0.1:9"}


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        pytest.param({"app_token": None}, ["app_token"], id="no token"),
        pytest.param({"region": "mars"}, ["region", "eu"], id="no such region"),
        pytest.param({"service_id": "SP-nonsense"}, ["service_id"], id="malformed service id"),
        pytest.param({"app_tokn": "x"}, ["app_tokn"], id="unknown setting"),
        pytest.param({"api_url": "http://api.example.com"}, ["api_url", "https"], id="plain http"),
    ],
)
def test_tap_settings(tap, settings, words) -> None:
    merged = {name: value for name, value in (NOWHERE | settings).items() if value is not None}
    assert_one_sentence(tap(merged), *words)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        pytest.param({"service_id": None}, ["service_id"], id="no service id"),
        pytest.param({"service_id": "12345"}, ["service_id", "SP-"], id="half a service id"),
        pytest.param({"region": "mars"}, ["region", "eu"], id="no such region"),
        pytest.param({"service_idd": "x"}, ["service_idd"], id="unknown setting"),
    ],
)
def test_target_settings(target, settings, words) -> None:
    merged = NOWHERE | {"tracking_url": "http://127.0.0.1:9"} | settings
    merged = {name: value for name, value in merged.items() if value is not None}
    ran = target(merged, singer(SCHEMA, account("a-1")))
    assert_one_sentence(ran, *words)


def test_wrong_token_is_told_with_the_region_as_the_other_suspect(tap, service) -> None:
    ran = tap(service.config(app_token=TOKEN, max_retry_seconds=0))
    assert_one_sentence(ran, "app_token", "region: eu")


@pytest.mark.parametrize("content", ["", "no json {", "[]", '{"streams": 7}'])
def test_unreadable_catalog(tap, tmp_path, service, content) -> None:
    path = tmp_path / "catalog.json"
    path.write_text(content)
    assert_one_sentence(tap(service.config(), "--catalog", path), "catalog")


@pytest.mark.parametrize("content", ["no json {", "[]", '{"bookmarks": 7}'])
def test_unreadable_state(tap, tmp_path, service, content) -> None:
    path = tmp_path / "state.json"
    path.write_text(content)
    assert_one_sentence(tap(service.config(), "--state", path), "state")


@pytest.mark.parametrize("option", ["--catalog", "--state"])
def test_catalog_or_state_that_is_not_there(tap, service, option) -> None:
    ran = tap(service.config(), option, "/nowhere/at-all.json")
    assert ran.returncode in {1, 2}
    assert "Traceback" not in ran.stderr
    assert "at-all.json" in ran.stderr


def test_config_that_is_no_json(run_here, tmp_path) -> None:
    path = tmp_path / "config.json"
    path.write_text("{app_token: 1")
    for command in ("tap-totango", "target-totango"):
        assert_one_sentence(run_here(command, "--config", path), "config")


@pytest.mark.parametrize(
    ("messages", "words"),
    [
        pytest.param(["this is no JSON"], ["JSON"], id="not JSON"),
        pytest.param([account("b-1") | {"stream": "late"}], ["late", "SCHEMA"], id="no schema"),
        pytest.param([{"type": "RECORD", "stream": "accounts"}], ["record"], id="no record"),
        pytest.param([{"type": "SURPRISE", "stream": "accounts"}], ["SURPRISE"], id="no such type"),
        pytest.param(["[1, 2]"], ["object"], id="not an object"),
    ],
)
def test_broken_singer_input_keeps_what_was_delivered(target, service, messages, words) -> None:
    good = [SCHEMA, account("a-1"), account("a-2"), state(1)]
    ran = target(service.config(), singer(*good, *messages, account("a-3"), state(2)))
    assert_one_sentence(ran, *words)
    assert set(service.writable("accounts")) >= {("a-1",), ("a-2",)}
    states = [json.loads(line) for line in ran.stdout.split("\n") if line]
    assert state(2)["value"] not in states
    assert states == [state(1)["value"]], "what was confirmed is not said"


@pytest.mark.parametrize(
    ("message", "words"),
    [
        pytest.param(account(None), ["account_id"], id="no key"),
        pytest.param(account("a/1"), ["a/1"], id="forbidden character"),
        pytest.param(account("a" * 481), ["480"], id="account id too long"),
        pytest.param(user("a-1", "x" * 101), ["100"], id="user id too long"),
        pytest.param(user("a-1", "jane doe"), ["jane doe"], id="forbidden character in user"),
    ],
)
def test_bad_rows_are_rejected_with_the_reason_and_the_rest_arrives(
    target, service, tmp_path, message, words
) -> None:
    rejects = tmp_path / "rejects.singer"
    rows = [SCHEMA, USERS, account("a-1"), message, account("a-2"), state(1)]
    ran = target(service.config(rejects_path=str(rejects)), singer(*rows))
    assert_one_sentence(ran, "reject")
    assert set(service.writable("accounts")) == {("a-1",), ("a-2",)}
    assert [json.loads(line) for line in ran.stdout.split("\n") if line] == [state(1)["value"]]
    text = rejects.read_text()
    assert all(word in text for word in words)


def test_record_that_lacks_its_key_is_rejected(target, service, tmp_path) -> None:
    rejects = tmp_path / "rejects.singer"
    nameless = {"type": "RECORD", "stream": "accounts", "record": {"account_name": "No key"}}
    ran = target(service.config(rejects_path=str(rejects)), singer(SCHEMA, nameless, account("a")))
    assert_one_sentence(ran, "reject")
    assert set(service.writable("accounts")) == {("a",)}
    assert "No key" in rejects.read_text()


def test_mail_address_of_a_rejected_row_is_not_logged(target, service) -> None:
    bad = f"{MAIL} (old)"
    ran = target(service.config(), singer(USERS, user("a-1", bad)))
    assert_one_sentence(ran, "reject")


def test_stream_that_fits_nothing_is_named(target, service) -> None:
    odd = {"type": "object", "properties": {"price": {"type": "number"}}}
    schema = {"type": "SCHEMA", "stream": "invoices", "schema": odd, "key_properties": []}
    ran = target(service.config(), singer(schema))
    assert_one_sentence(ran, "invoices", "unmapped_streams")


def test_sandbox_on_a_port_that_is_taken(run) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ran = run("totango-sandbox", "serve", "--port", str(port), "--seed", "none")
    assert_one_sentence(ran, str(port), "--port")
    assert len(ran.stderr.strip().split("\n")) == 1


@pytest.fixture
def redirected(run, config_file, tmp_path):
    """`redirected(service, program, redirection)`: a command whose streams a shell sets."""
    text = tmp_path / "input.singer"
    text.write_text(singer(SCHEMA, account("a"), state(1)))

    def start(service, program: str, redirection: str):
        command = f'exec "{toolbox.BIN / program}" --config "{config_file(service.config())}"'
        return run("sh", "-c", f"{command} {redirection.format(input=text)}")

    return start


@pytest.mark.parametrize(
    ("program", "redirection", "words"),
    [
        ("target-totango", "<{input} >/dev/full", "cannot be written to standard output: No space"),
        ("target-totango", "<{input} >&-", "Standard output was closed"),
        ("target-totango", "<&-", "Standard input is closed"),
        ("tap-totango", ">/dev/full", "Standard output cannot be written: No space"),
        ("tap-totango", ">&-", "Standard output is closed"),
    ],
)
def test_standard_streams_that_cannot_be_used(
    redirected, service, program: str, redirection: str, words: str
) -> None:
    assert_one_sentence(redirected(service, program, redirection), words)


def test_a_command_whose_log_nobody_takes_does_its_work(redirected, service) -> None:
    assert redirected(service, "target-totango", "<{input} 2>&-").returncode == 0
    ran = redirected(service, "tap-totango", "2>&-").ok()
    assert [row["account_id"] for row in ran.records("accounts")] == ["a"]

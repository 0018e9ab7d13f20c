"""`target-totango check`, and the stream with which Meltano tries loaders."""

from __future__ import annotations

import json
from typing import Any

import pytest
from in_process import run_main
from stub_totango import serving
from target_runs import schema, state

from target_totango.cli import main

TOKEN = "{v2}5ec/ret.t$ken@x+y"


@pytest.fixture
def check(config_file, service):
    """`check(option, …, setting=value)`: what `target-totango check` says."""

    def ask(*options: str, **settings: Any):
        path = str(config_file(service.config(max_retry_seconds=0, **settings)))
        return run_main(main, "target-totango", "--config", path, "check", *options)

    return ask


def test_check_says_what_fits_and_writes_nothing(service, check) -> None:
    service.load(accounts=[{"account_id": f"a-{n}"} for n in range(12)])
    ran = check()
    assert ran.code == 0, ran.stderr
    assert "Token accepted" in ran.stdout
    assert "Service 12345 is in region us, as set." in ran.stdout
    assert "answers" in ran.stdout
    assert "Rows visible in accounts: 12" in ran.stdout
    assert {call["surface"] for call in service.dump("calls")} <= {"accounts", "domains", "hub", ""}
    assert len(service.dump("accounts")) == 12


@pytest.mark.parametrize(("account_id", "words"), [("a-1", "is there"), ("zz", "is not there")])
def test_check_reads_the_account_that_is_named(service, check, account_id, words) -> None:
    service.load(accounts=[{"account_id": "a-1"}])
    ran = check("--account-id", account_id)
    assert ran.code == 0
    assert words in ran.stdout


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"app_token": TOKEN}, ["app_token"]),
        ({"app_token": None}, ["app_token is not set"]),
        ({"service_id": None}, ["service_id is not set"]),
        ({"service_id": "12345"}, ["SP-12345-01"]),
        ({"region": "eu"}, ["region us", "region: us"]),
        ({"delivery": "hub", "hub_url": "http://127.0.0.1:9"}, ["no connection"]),
        ({"delivry": "hub"}, ["delivry"]),
    ],
    ids=lambda value: json.dumps(value) if isinstance(value, dict) else "",
)
def test_what_does_not_fit(check, settings, words) -> None:
    ran = check(**settings)
    assert ran.code == 1, ran.stdout
    assert TOKEN not in ran.stdout + ran.stderr
    for word in words:
        assert word in ran.stderr


def test_a_hub_that_does_not_answer_matters_only_where_it_is_used(check) -> None:
    ran = check(hub_url="http://127.0.0.1:9")
    assert ran.code == 0
    assert "no answer" in ran.stdout


@pytest.mark.parametrize("word", ["check", "probe", "rejects"])
def test_words_stand_in_help(word) -> None:
    assert f"  {word}  " in run_main(main, "target-totango", "--help").stdout


TEST_STREAM = [
    schema("meltano_test_stream", "id", "name", "created_at", keys=("id",)),
    {
        "type": "RECORD",
        "stream": "meltano_test_stream",
        "record": {"id": 1, "name": "Meltano Test Record", "created_at": "2025-09-29T00:00:00Z"},
    },
    state(1),
    {"type": "ACTIVATE_VERSION", "stream": "meltano_test_stream", "version": 1},
]


def test_meltano_s_test_checks_and_writes_nothing(service, deliver) -> None:
    done = deliver(*TEST_STREAM)
    assert done.error is None
    assert "Token accepted" in done.said
    assert not service.dump("accounts")
    assert not [call for call in service.dump("calls") if call["surface"] == "tracking"]


def test_meltano_s_test_fails_where_the_token_does_not_fit(deliver) -> None:
    assert "app_token" in str(deliver(*TEST_STREAM, app_token=TOKEN).error)


def test_a_mapping_of_that_name_is_heeded(service, deliver) -> None:
    mapping = {"stream": "meltano_test_stream", "object": "accounts", "account_id": "id"}
    assert deliver(*TEST_STREAM, mappings=[mapping]).error is None
    assert [row["account_id"] for row in service.dump("accounts")] == ["1"]


def test_meltano_s_test_without_a_token_asks_nothing(service, deliver) -> None:
    done = deliver(*TEST_STREAM, app_token=None)
    assert done.error is None
    assert "nothing that could be asked" in done.said
    assert not service.dump("calls")


@pytest.mark.parametrize(("settings", "code"), [({}, 0), ({"delivery": "hub"}, 1)])
def test_a_hub_that_refuses_the_token_matters_only_where_it_is_used(check, settings, code) -> None:
    with serving(lambda _: (401, {}, b"")) as hub:
        ran = check(hub_url=hub.url, **settings)
    assert ran.code == code, ran.stdout + ran.stderr
    assert ("it does not accept the token" in ran.stdout) == (code == 0)
    assert ("app_token" in ran.stderr) == (code == 1)


def test_a_region_that_cannot_be_looked_up_is_that_of_the_settings(service, check) -> None:
    service.chaos("404@domains")
    ran = check()
    assert ran.code == 0
    assert "its region cannot be looked up; settings say us" in ran.stdout

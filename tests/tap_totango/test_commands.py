"""What the command line says: `check`, `--about`, `--test`, `--discover`, settings, exit codes."""

from __future__ import annotations

import json
import signal
import tempfile
from typing import Any

import pytest

from tap_totango.streams import STREAMS
from tap_totango.tap import TapTotango
from totango_api.reading.deduplication import KeySet

TOKEN = "{v2}5ec/ret.t$ken@x+y"


@pytest.fixture
def check(tap_command, config_file, service):
    """`check(setting=value, …)`: what `tap-totango check` says."""

    def ask(**settings: Any):
        config = config_file(service.config(**settings))
        return tap_command("check", "--config", config)

    return ask


@pytest.fixture
def filled(service):
    service.load(
        accounts=[{"account_id": f"a-{n}"} for n in range(1234)],
        users=[{"account_id": "a-1", "user_id": f"u{n}"} for n in range(3)],
    )
    return service


def test_check_says_who_is_seen(filled, check) -> None:
    ran = check()
    assert ran.code == 0
    assert "Token accepted" in ran.stdout
    assert "Rows visible in accounts: 1,234" in ran.stdout
    assert "Rows visible in users: 3" in ran.stdout
    assert len(filled.dump("calls")) <= 2


def test_where_settings_come_from_is_not_logged(tap_command, filled, monkeypatch) -> None:
    for name, value in filled.config().items():
        monkeypatch.setenv(f"TAP_TOTANGO_{name.upper()}", str(value))
    ran = tap_command("--config", "ENV", "--test")
    assert ran.code == 0, ran.said
    assert "env var" not in ran.said
    assert "env variable" not in ran.said


@pytest.mark.parametrize("level", ["INFO", "DEBUG"])
def test_streams_that_are_not_selected_are_logged_on_request_alone(
    tap_command, config_file, filled, monkeypatch, level
) -> None:
    monkeypatch.setenv("TAP_TOTANGO_LOGLEVEL", level)
    ran = tap_command("--config", config_file(filled.config()))
    assert ran.code == 0, ran.said
    assert ("Skipping deselected stream" in ran.said) is (level == "DEBUG")
    assert "Beginning sync of 'accounts'" in ran.said


def test_check_of_an_empty_view_names_the_team(service, check) -> None:
    ran = check()
    assert ran.code == 0
    assert "team_id: -1" in ran.stdout


def test_check_without_the_count(filled, check) -> None:
    filled.set(total_hits="missing")
    ran = check()
    assert ran.code == 0
    assert "not counted" in ran.stdout


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"app_token": TOKEN}, ["app_token", "region: eu"]),
        ({"app_token": None}, ["app_token is not set"]),
        ({"app_token": ""}, ["app_token is not set"]),
        ({"app_token": 5}, ["app_token"]),
        ({"app_token": [TOKEN]}, ["app_token"]),
        ({"rate_limit_per_minute": "many"}, ["rate_limit_per_minute"]),
        ({"request_timeout": 0}, ["request_timeout"]),
        ({"region": "mars"}, ["region"]),
        ({"service_id": "nonsense"}, ["service_id"]),
        ({"app_tokn": "x"}, ["app_tokn"]),
        ({"api_url": "http://api.example.com"}, ["api_url", "https"]),
    ],
    ids=lambda value: json.dumps(value) if isinstance(value, dict) else "",
)
@pytest.mark.parametrize("command", ["check", "read"])
def test_settings_that_cannot_be_used(tap, check, service, command, settings, words) -> None:
    ran = check(**settings) if command == "check" else tap(max_retry_seconds=0, **settings)
    assert TOKEN not in ran.said + ran.stdout
    ran.failed(*words)


@pytest.mark.parametrize("command", ["check", "read"])
def test_words_of_settings_in_any_spelling(filled, tap, check, command: str) -> None:
    settings = {"region": " EU", "column_names": "Original", "on_incomplete": "WARN"}
    ran = check(**settings) if command == "check" else tap(**settings)
    assert ran.code == 0, ran.said


@pytest.mark.parametrize("start_date", ["yesterday", "2026-02-30", "01.02.2026", ""])
def test_a_bad_start_date_ends_the_run_before_the_first_call(service, tap, start_date: str) -> None:
    tap(start_date=start_date).failed("start_date")
    assert not service.dump("calls")


def test_nothing_selected(service, tap, discover) -> None:
    catalog = discover().deselect("accounts", "users")
    ran = tap(catalog=catalog).failed("selects no stream")
    assert not ran.messages


def test_a_state_as_meltano_prints_it(service, tap) -> None:
    service.load(
        attributes=[{"key_name": "Plan", "type": "text", "object": "accounts"}],
        accounts=[{"account_id": f"a-{n}", "last_activity_time": n * 10**9} for n in (1, 2)],
    )
    state = tap().ok().state
    assert len(tap(state={"singer_state": state}).ok().records("accounts")) == 1


def test_check_of_a_server_that_is_not_there(check) -> None:
    check(api_url="http://127.0.0.1:9", max_retry_seconds=0).failed("no connection")


def test_about_as_json_and_markdown(tap_command) -> None:
    about = json.loads(tap_command("--about", "--format", "json").stdout)
    properties = about["settings"]["properties"]
    page = tap_command("--about", "--format", "markdown").stdout
    for name, setting in properties.items():
        assert f"{name}" in page
        assert setting.get("description"), name
    assert properties["app_token"]["secret"] is True
    assert about["version"] != "[could not be detected]"
    assert "batch_config" not in properties


def test_test_reads_one_record_of_each_stream(filled, tap) -> None:
    ran = tap("--test")
    assert ran.code == 0, ran.said
    assert "Traceback" not in ran.said
    written = [message["stream"] for message in ran.of("RECORD")]
    assert {"accounts", "users"} <= {*written}
    assert len(written) == len({*written})


def test_test_writes_the_schema_of_each_stream(filled, tap) -> None:
    ran = tap("--test=schema")
    assert ran.code == 0, ran.said
    assert {message["stream"] for message in ran.of("SCHEMA")} == {one.name for one in STREAMS}


def test_test_fails_where_a_stream_fails(filled, tap) -> None:
    filled.chaos("403@users")
    ran = tap("--test", max_retry_seconds=0)
    assert ran.code == 1, ran.said
    assert "403" in ran.said


def test_discovery_with_a_token_that_is_not_accepted(service, tap) -> None:
    ran = tap("--discover", app_token=TOKEN)
    assert ran.code == 1
    assert "app_token" in ran.last
    assert TOKEN not in ran.said
    assert ran.stdout == ""


def test_a_run_that_fails_says_why_last_and_exits_1(service, config_file, run_here) -> None:
    config = config_file(service.config(app_token=TOKEN, max_retry_seconds=0))
    ran = run_here("tap-totango", "--config", config)
    assert ran.returncode == 1
    assert "app_token" in ran.stderr.strip().split("\n")[-1]
    assert TOKEN not in ran.stderr


def test_numbers_lists_and_objects_in_the_environment_are_text(
    service, tap_command, monkeypatch: pytest.MonkeyPatch
) -> None:
    service.load(accounts=[{"account_id": one} for one in "ab"])
    settings = {
        "request_timeout": "12.5",
        "page_size": "1",
        "full_refresh_every_hours": " 0.5 ",
        "emit_activate_version_messages": "No",
        "accounts_partitions": '[[{"type": "string", "term": "health", "eq": "green"}]]',
        "account_ids": "a, b",
        "stream_maps": '{"accounts": {"twice": "2 * 2"}}',
        "accounts_query": '{"terms": [], "fields": []}',
        "events_lookback_days": "",
    }
    for name, text in service.environment("tap-totango", **settings).items():
        monkeypatch.setenv(name, text)
    ran = tap_command("--config", "ENV")
    assert ran.code == 0, ran.said
    assert {record["twice"] for record in ran.records("accounts")} == {4}
    assert not ran.of("ACTIVATE_VERSION")


@pytest.mark.parametrize(
    ("name", "text"), [("page_size", "many"), ("account_ids", "[1"), ("stream_maps", "x")]
)
def test_a_variable_that_stands_for_no_value_is_named(
    service, tap_command, monkeypatch: pytest.MonkeyPatch, name: str, text: str
) -> None:
    for variable, value in service.environment("tap-totango", **{name: text}).items():
        monkeypatch.setenv(variable, value)
    ran = tap_command("--config", "ENV")
    assert ran.code == 1
    assert name in ran.last
    assert "Traceback" not in ran.said


@pytest.mark.parametrize("region", ["us", "eu"])
def test_the_region_is_looked_up(service, tap, region: str) -> None:
    service.set(region=region)
    service.load(accounts=[{"account_id": "a"}])
    ran = tap(region="auto").ok()
    assert ran.keys("accounts") == [("a",)]
    (call,) = service.calls("domains")
    assert "12345" in call["path"] or call["status"] == 200


def test_a_region_that_cannot_be_looked_up(service, tap) -> None:
    service.chaos("404@domains")
    ran = tap(region="auto")
    assert ran.code == 1
    assert "Set region to us or eu" in ran.last
    tap(config={"app_token": "x", "region": "auto"}).failed("service_id")


def test_all_teams(filled, tap) -> None:
    filled.set(global_team="required")
    assert len(tap(team_id=-1).ok().keys("accounts")) == 1234
    assert len(tap().ok().keys("accounts")) < 1234


def test_a_reader_that_leaves_early_is_told(filled, config_file, pipe) -> None:
    command = ["tap-totango", "--config", config_file(filled.config())]
    ran = pipe(command, ["head", "-c", "100"])
    assert ran.returncodes[0] == 1
    assert "Nobody reads the output" in ran.stderr
    assert "Traceback" not in ran.stderr


def test_a_tap_without_a_folder_for_temporary_files(
    tap_command, config_file, filled, monkeypatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", None)
    monkeypatch.setattr(tempfile, "_candidate_tempdir_list", lambda: ["/proc"])
    monkeypatch.setattr(KeySet.__init__, "__defaults__", (5,))
    ran = tap_command("--config", config_file(filled.config()))
    assert ran.code == 1
    assert "cannot be kept in a temporary file: there is no folder for it." in ran.last
    assert "Traceback" not in ran.said


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGTERM])
def test_a_signal_ends_a_run_in_order(
    tap_command, config_file, filled, monkeypatch, number
) -> None:
    monkeypatch.setattr(TapTotango, "sync_all", lambda _: signal.raise_signal(number))
    ran = tap_command("--config", config_file(filled.config()))
    assert ran.code == 128 + number
    assert f"Stopped by {number.name}" in ran.said

"""`probe_path` of the target: what a profile says before the first row, and what it sets."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from target_totango.config import Settings
from target_totango.profile import with_profile
from totango_api.config import Connection
from totango_api.errors import SettingsError
from totango_api.probe.profile import Profile

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

URL = "http://127.0.0.1:1"
PROFILE = {
    "version": 1,
    "plugin": "target-totango",
    "probed_at": "2026-01-01T00:00:00Z",
    "api_url": URL,
    "service": "12345",
}
CONFIG = {"app_token": "t", "service_id": "SP-12345-01", "api_url": URL}

SFID = {"stream": "firms", "object": "accounts", "account_id": "id", "sfid": "crm_id"}
TASK = {
    "stream": "todos",
    "object": "tasks",
    "account_id": "id",
    "title": "title",
    "activity_type": "flow",
}
TASKS = {"mappings": [TASK], "ledger_path": "ledger.sqlite"}


@pytest.fixture
def known(tmp_path: Path) -> Callable[..., Settings]:
    """`known(answers, settings, name=value)`: the settings that a profile makes of others."""

    def read(
        answers: dict[str, str] | None = None,
        settings: dict[str, Any] | None = None,
        about: dict[str, Any] | None = None,
        **config: Any,
    ) -> Settings:
        path = tmp_path / "profile.json"
        document = PROFILE | {"answers": answers or {}, "settings": settings or {}}
        path.write_text(json.dumps(document | (about or {})))
        given = CONFIG | {"probe_path": str(path)} | config
        connection = Connection.from_config(given, user_agent="test")
        return with_profile(Settings.from_config(given), given, connection)

    return read


def test_what_suits_the_service_takes_the_place_of_defaults(known) -> None:
    suits = {"verify_timeout": 400, "hub_batch_size": 25}
    settings = known(settings=suits)
    assert (settings.verify_timeout, settings.hub_batch_size) == (400, 25)
    settings = known(settings=suits, verify_timeout=7, hub_batch_size=9)
    assert (settings.verify_timeout, settings.hub_batch_size) == (7, 9)


@pytest.mark.parametrize(
    ("answers", "config", "warning"),
    [
        ({"empty_values": "ignored"}, {"null_policy": "clear"}, "null_policy: clear"),
        ({"empty_values": "ignored"}, {}, ""),
        ({"empty_values": "cleared"}, {"null_policy": "clear"}, ""),
        ({"unknown_attributes": "dropped"}, {}, "define them in Totango"),
        ({"hub_accounts": "refused"}, {"delivery": "hub"}, "does not take an account"),
        ({"hub_accounts": "refused"}, {}, ""),
        ({"hub_users": "not there"}, {"delivery": "hub"}, "no endpoint for users"),
        ({"hub_users": "there"}, {"delivery": "hub"}, ""),
        ({"sfid_writes": "ignored"}, {"mappings": [SFID]}, "ignore a Salesforce id"),
        ({"sfid_writes": "taken"}, {"mappings": [SFID]}, ""),
        ({"sfid_writes": "ignored"}, {}, ""),
        (
            {"task_answer": "something else"},
            TASKS,
            "No new task",
        ),
        ({"task_answer": "Success"}, TASKS, ""),
        ({"task_answer": "something else"}, {}, ""),
    ],
    ids=str,
)
def test_what_cannot_work_is_said(known, caplog, answers, config, warning) -> None:
    known(answers, **config)
    told = [one.message for one in caplog.records if one.levelname == "WARNING"]
    assert len(told) == bool(warning)
    assert warning in "".join(told)


def test_a_missing_sdr_token_ends_the_run(known) -> None:
    with pytest.raises(SettingsError, match="Set sdr_token"):
        known({"sdr_token": "required"})
    known({"sdr_token": "required"}, sdr_token="s")
    known({"sdr_token": "required"}, delivery="hub")
    known({"sdr_token": "required"}, dry_run=True)


@pytest.mark.parametrize(
    ("about", "words"),
    [
        ({"service": "99999"}, "service 99999, not 12345"),
        ({"plugin": "tap-totango"}, "is of tap-totango"),
        ({"settings": {"dry_run": True}}, "settings that no profile may give: dry_run"),
    ],
    ids=str,
)
def test_a_profile_that_cannot_be_used(known, about, words) -> None:
    with pytest.raises(SettingsError, match=words):
        known(about=about)


@pytest.mark.parametrize(
    ("text", "words"),
    [("{", "is no JSON"), ("[]", "is no profile"), ('{"version": 1}', "lacks a key")],
)
def test_a_file_that_is_no_profile(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "profile.json"
    path.write_text(text)
    config = CONFIG | {"probe_path": str(path)}
    connection = Connection.from_config(config, user_agent="test")
    with pytest.raises(SettingsError, match=words):
        with_profile(Settings.from_config(config), config, connection)


def test_a_profile_that_cannot_be_written_is_an_error_that_names_the_option(
    tmp_path: Path,
) -> None:
    profile = Profile("target-totango", "2026-01-01T00:00:00Z", URL)
    with pytest.raises(SettingsError, match=r"Is a directory.*--output"):
        profile.write(tmp_path)


def test_without_a_profile_nothing_changes() -> None:
    settings = Settings.from_config(CONFIG)
    connection = Connection.from_config(CONFIG, user_agent="test")
    assert with_profile(settings, CONFIG, connection) is settings

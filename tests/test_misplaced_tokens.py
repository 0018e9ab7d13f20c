"""A token that was pasted in the place of another setting is in no error that says so."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from in_process import run_main
from target_runs import ACCOUNTS, lines_of, record

from tap_totango import cli as tap_cli
from tap_totango.config_schema import CONFIG_SCHEMA as TAP
from target_totango import cli as target_cli
from target_totango.config_schema import CONFIG_SCHEMA as TARGET

if TYPE_CHECKING:
    from pathlib import Path

PERSONAL = "{v2}3f9a1c52-77aa-4bce-9d01-aa55bb66cc77"
TOKENS = [
    PERSONAL,
    "{bcrypt}$2a$10$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy",
    "8f14e45fceea167a5a36dedd4bea2543b1946ac9jane@example.com",
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.dozjgNryP4J3jVmNHl0w5N",
    "q3Zr81LmXc0VtB7nYh4KsD2f",
]
NOWHERE = {
    "app_token": "another-token",
    "service_id": "SP-12345-01",
    **dict.fromkeys(("api_url", "tracking_url", "hub_url"), "http://127.0.0.1:9"),
    "max_retry_seconds": 0,
}
PLUGINS = {
    "tap-totango": (tap_cli.main, ("--discover",), TAP),
    "target-totango": (target_cli.main, (), TARGET),
}
PLACES = [
    (plugin, name)
    for plugin, (_, _, schema) in PLUGINS.items()
    for name, one in schema["properties"].items()
    if not one.get("secret")
]


def said(folder: Path, plugin: str, **settings: Any) -> str:
    """Return what a plugin says with a setting that it has no use for."""
    main, arguments, _ = PLUGINS[plugin]
    path = folder / "config.json"
    path.write_text(json.dumps({**NOWHERE, **settings}))
    rows = lines_of((ACCOUNTS, record("accounts", account_id="a", Plan="x")))
    ended = run_main(main, plugin, "--config", str(path), *arguments, stdin=rows)
    return ended.stdout + ended.stderr


def shows(text: str, token: str) -> bool:
    """Return whether a text holds so much of a token that it could be told."""
    return any(token[place : place + 8] in text for place in range(8, len(token) - 8))


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Files whose name is a token are not written into the repository."""
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(("plugin", "name"), PLACES)
def test_wherever_it_was_pasted(tmp_path: Path, plugin: str, name: str) -> None:
    for value in (PERSONAL, [{PERSONAL: PERSONAL}]):
        assert not shows(said(tmp_path, plugin, **{name: value}), PERSONAL)


@pytest.mark.parametrize("plugin", PLUGINS)
@pytest.mark.parametrize("token", TOKENS)
@pytest.mark.parametrize("name", ["service_id", "region", "probe_path", "request_timeout"])
def test_whatever_it_looks_like(tmp_path: Path, plugin: str, token: str, name: str) -> None:
    text = said(tmp_path, plugin, **{name: token})
    assert name in text
    assert not shows(text, token)


@pytest.mark.parametrize("plugin", PLUGINS)
def test_what_looks_like_no_token_at_all(tmp_path: Path, plugin: str) -> None:
    text = said(tmp_path, plugin, service_id="open sesame")
    assert "service_id, a text of 11 characters, is not a Totango service id" in text
    assert "sesame" not in text


@pytest.mark.parametrize("key", ["stream", "account_id", "time_zone", "deleted_when", "match_on"])
def test_within_a_mapping(tmp_path: Path, key: str) -> None:
    for value in (PERSONAL, {PERSONAL: "x"}):
        mapping = {"stream": "accounts", "object": "accounts", key: value}
        assert not shows(said(tmp_path, "target-totango", mappings=[mapping]), PERSONAL)

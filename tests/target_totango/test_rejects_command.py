"""`target-totango rejects`: reasons, parts and replays of a rejects file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from target_runs import ACCOUNTS, USERS, held, record

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from sandboxes import Sandbox


@pytest.fixture
def rejects(deliver: Callable[..., Any], tmp_path: Path) -> Path:
    """Accounts with ids that cannot be, a long plan that is outdated, a user without account."""
    rows = [
        record("accounts", account_id="secret one", Plan="x"),
        record("accounts", account_id="secret two", Plan="y" * 600),
        record("accounts", account_id="a", Plan="z" * 600),
        record("accounts", account_id="a", Plan="new"),
        record("users", account_id=None, user_id="jo@x.com"),
    ]
    deliver(ACCOUNTS, USERS, *rows, canary=False)
    path = tmp_path / "kept.singer"
    (tmp_path / "rejects.singer").rename(path)
    return path


def test_reasons_are_counted_without_values(run_here: Any, rejects: Path) -> None:
    shown = run_here("target-totango", "rejects", rejects).ok().stdout
    lines = shown.splitlines()
    assert lines[0] == "4 rows"
    assert "     2  accounts: account_id: characters" in lines
    assert "     2  accounts: Plan: too long, 1 of them outdated" in lines
    assert "     1  users: account_id: missing" in lines
    assert shown.count("        line ") == 5
    assert "secret" not in shown
    assert "jo@x.com" not in shown


def test_values_are_shown_when_asked_for(run_here: Any, rejects: Path) -> None:
    asked = ["--values", "--reason", "characters", "--examples", "1"]
    shown = run_here("target-totango", "rejects", rejects, *asked).ok().stdout
    assert shown.startswith("2 rows\n")
    assert '{"account_id": "secret one", "Plan": "x"}' in shown
    assert "secret two" not in shown


def test_a_number_of_any_length_is_read(run_here: Any, rejects: Path) -> None:
    text = rejects.read_text()
    assert '"Plan":"x"' in text
    rejects.write_text(text.replace('"Plan":"x"', f'"Plan":{"7" * 5000}'))
    shown = run_here("target-totango", "rejects", rejects).ok().stdout
    assert shown.splitlines()[0] == "4 rows"


def test_a_file_is_split_by_reason(run_here: Any, rejects: Path, tmp_path: Path) -> None:
    folder = tmp_path / "parts"
    named = (
        run_here("target-totango", "rejects", rejects, "--split", folder).ok().stdout.splitlines()
    )
    assert named == sorted(map(str, folder.iterdir()))
    rows = {path.name: path.read_text().count('"RECORD"') for path in folder.iterdir()}
    assert rows == {
        "accounts-account_id-characters.singer": 2,
        "accounts-Plan-too-long.singer": 1,
        "users-account_id-missing.singer": 1,
    }
    assert all(path.stat().st_mode & 0o777 == 0o600 for path in folder.iterdir())
    again = run_here("target-totango", "rejects", rejects, "--split", folder)
    assert again.returncode == 1
    assert "Give --split a new folder" in again.stderr


def test_what_is_current_is_sent_again(
    run_here: Any, rejects: Path, service: Sandbox, config_file: Any
) -> None:
    rejects.write_text(rejects.read_text().replace("secret ", "secret_"))
    config = config_file(service.config(too_long="truncate"))
    replay = ["--replay", "--config", config, "--reason", "accounts"]
    run_here("target-totango", "rejects", rejects, *replay).ok()
    assert {key[0]: row["Plan"][:3] for key, row in held(service, "accounts").items()} == {
        "a": "new",
        "secret_one": "x",
        "secret_two": "yyy",
    }
    assert run_here("target-totango", "rejects", rejects, "--replay").returncode == 1


@pytest.mark.parametrize("text", ["no JSON", "[1]", '{"type":"RECORD","stream":"s","record":{}}'])
def test_what_is_no_rejects_file_is_said_in_a_sentence(
    run_here: Any, tmp_path: Path, text: str
) -> None:
    path = tmp_path / "some.txt"
    path.write_text(text)
    done = run_here("target-totango", "rejects", path)
    assert done.returncode == 1
    assert f"Line 1 of {path} is no message of a rejects file. If it is one" in done.stderr
    assert "Traceback" not in done.stderr
    done = run_here("target-totango", "rejects", tmp_path / "none")
    assert done.returncode == 1
    assert "Name a file that a run has written." in done.stderr

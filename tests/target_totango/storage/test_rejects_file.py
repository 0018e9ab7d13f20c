"""Files of rejected rows: whose they are, where they may be, and what a replay makes of them."""

from __future__ import annotations

import errno
import json
import os
import resource
import socket
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from target_runs import ACCOUNTS, USERS, held, record, schema, state

from target_totango.models import Row, SourceStream, ValidationError
from target_totango.storage.rejects_file import RejectsFile
from totango_api.command import checked_paths
from totango_api.errors import SettingsError, TotangoError

if TYPE_CHECKING:
    from collections.abc import Callable

    from sandboxes import Sandbox
    from target_runs import Delivered

    Deliver = Callable[..., Delivered]

SOURCE = SourceStream("accounts", {"properties": {}}, ("account_id",))
WHY = [ValidationError("account_id", "bad", "it is bad")]


def account(identifier: str, **attributes: Any) -> dict[str, Any]:
    return record("accounts", account_id=identifier, **attributes)


def row(name: str) -> Row:
    message = {"type": "RECORD", "stream": "accounts", "record": {"account_id": name}}
    return Row(1, SOURCE, message, "accounts", "accounts")


def ids_in(path: Path) -> list[str]:
    messages = [json.loads(line) for line in path.read_text().splitlines()]
    return [each["record"]["account_id"] for each in messages if each["type"] == "RECORD"]


# Whose file it is ------------------------------------------------------------------------------


def test_runs_at_the_same_time_each_have_a_file(tmp_path: Path) -> None:
    path = tmp_path / "rejects.singer"
    first, second = RejectsFile(path, "one"), RejectsFile(path, "two")
    first.write(row("a"), WHY)
    second.write(row("b"), WHY)
    first.write(row("c"), WHY)
    second.mark({0: None})
    first.mark({1: None})
    first.close()
    second.close()
    assert (first.path, second.path) == (path, tmp_path / "rejects.two.singer")
    assert (first.moved_to, second.moved_to) == (None, None)
    assert (ids_in(first.path), ids_in(second.path)) == (["a", "c"], ["b"])
    assert [line.count('"superseded":true') for line in path.read_text().splitlines()] == [0, 0, 1]
    assert sorted(each.name for each in tmp_path.iterdir()) == [
        "rejects.singer",
        "rejects.two.singer",
    ]


def test_runs_one_after_the_other_keep_each_others_rows(tmp_path: Path) -> None:
    path = tmp_path / "rejects.singer"
    for name in "abc":
        file = RejectsFile(path, name)
        file.write(row(name), WHY)
        file.close()
    assert ids_in(path) == ["c"]
    older = [each for each in tmp_path.iterdir() if each != path]
    assert sorted(ids_in(each)[0] for each in older) == ["a", "b"]
    assert all(each.match("rejects.*Z*.singer") for each in older)
    assert all(each.stat().st_mode & 0o777 == 0o600 for each in tmp_path.iterdir())


def test_a_file_that_was_taken_away_is_not_marked(tmp_path: Path) -> None:
    path = tmp_path / "rejects.singer"
    file = RejectsFile(path, "run")
    file.write(row("a"), WHY)
    path.rename(tmp_path / "mine.singer")
    path.write_text("another's")
    assert not file.mark({0: None})
    assert path.read_text() == "another's"
    file.close()
    assert ids_in(tmp_path / "mine.singer") == ["a"]


def test_a_file_that_cannot_be_marked_stays_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "rejects.singer"
    file = RejectsFile(path, "run")
    file.write(row("a"), WHY)
    file.sync()
    before = path.read_bytes()

    def fail(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as full:
        full.setattr(os, "fsync", fail)
        with pytest.raises(TotangoError, match="cannot be written: No space left"):
            file.mark({0: None})
    file.close()
    assert [each.name for each in tmp_path.iterdir()] == ["rejects.singer"]
    assert path.read_bytes() == before


def a_removed(path: Path) -> None:
    path.unlink()


def a_replaced(path: Path) -> None:
    path.unlink()
    path.write_text("another's")


def an_emptied(path: Path) -> None:
    path.write_bytes(b"")


@pytest.mark.parametrize("harmed", [a_removed, a_replaced, an_emptied])
@pytest.mark.parametrize("then", [[], ["b"]], ids=["at the end", "between rows"])
def test_a_file_that_loses_its_rows_lets_no_state_pass(
    tmp_path: Path, harmed: Callable[[Path], None], then: list[str]
) -> None:
    path = tmp_path / "rejects.singer"
    file = RejectsFile(path, "run")
    file.write(row("a"), WHY)
    file.sync()
    harmed(path)
    for name in then:
        file.write(row(name), WHY)
    for step in (file.sync, file.close):
        with pytest.raises(TotangoError, match="was removed or emptied") as raised:
            step()
        assert raised.value.remedy


@pytest.mark.slow
def test_two_processes_in_one_directory_lose_no_row(
    service: Sandbox, commands: Path, config_file: Any, tmp_path: Path
) -> None:
    import subprocess

    config = config_file(service.config(canary=False))
    runs = []
    for name in "ab":
        lines = [ACCOUNTS, *(account(f"{name} {n}") for n in range(300)), state(1)]
        text = tmp_path / f"{name}.singer"
        text.write_text("".join(json.dumps(line) + "\n" for line in lines))
        with text.open() as stdin:
            command = [commands / "target-totango", "--config", config]
            runs.append(subprocess.Popen(command, stdin=stdin, cwd=tmp_path))
    assert [each.wait(60) for each in runs] == [1, 1]
    kept = [name for file in tmp_path.glob("target-totango-rejects*") for name in ids_in(file)]
    assert sorted(kept) == sorted(f"{name} {n}" for name in "ab" for n in range(300))


# Where it may be -------------------------------------------------------------------------------


@pytest.mark.parametrize("setting", ["rejects_path", "skipped_path", "report_path", "ledger_path"])
@pytest.mark.parametrize("kind", ["folder", "pipe", "socket", "below a file", "loop", "stdout"])
def test_what_is_no_file_is_refused_before_the_first_message(
    deliver: Deliver, service: Sandbox, tmp_path: Path, setting: str, kind: str
) -> None:
    path = tmp_path / "place"
    if kind == "folder":
        (path / "inside").mkdir(parents=True)
    elif kind == "pipe":
        os.mkfifo(path)
    elif kind == "socket":
        with socket.socket(socket.AF_UNIX) as listening:
            listening.bind(str(path))
    elif kind == "loop":
        path.symlink_to(path)
    elif kind == "below a file":
        path.write_text("x")
        path /= "deeper/file"
    else:
        path = tmp_path / "/dev/stdout"
    before = sorted(tmp_path.rglob("*"))
    done = deliver(ACCOUNTS, account("a"), account("b c"), **{setting: str(path)})
    assert isinstance(done.error, SettingsError)
    assert setting in str(done.error)
    assert held(service, "accounts") == {}
    assert sorted(tmp_path.rglob("*")) == before


def test_a_symbolic_link_stays_one(deliver: Deliver, tmp_path: Path) -> None:
    (tmp_path / "store").mkdir()
    for name in ("rejects", "report"):
        (tmp_path / f"{name}.link").symlink_to(tmp_path / "store" / name)
    links = {
        "rejects_path": str(tmp_path / "rejects.link"),
        "report_path": str(tmp_path / "report.link"),
    }
    for _ in range(2):
        deliver(ACCOUNTS, account("b c"), **links)
        assert (tmp_path / "rejects.link").is_symlink()
        assert (tmp_path / "report.link").is_symlink()
    assert ids_in(tmp_path / "store" / "rejects") == ["b c"]
    assert json.loads((tmp_path / "store" / "report").read_text())["totals"]["rejected"] == 1
    assert len(list((tmp_path / "store").iterdir())) == 3


def test_a_device_is_written_through(deliver: Deliver) -> None:
    devices = {"rejects_path": "/dev/null", "report_path": "/dev/null"}
    rows = [account("a", Plan="x" * 600), account("a", Plan="y"), state(1)]
    done = deliver(ACCOUNTS, *rows, **devices)
    assert done.states == [state(1)["value"]]
    assert "1 row was rejected" in str(done.error)
    assert Path("/dev/null").is_char_device()


def test_a_full_disk_ends_the_run_and_holds_state(deliver: Deliver) -> None:
    done = deliver(ACCOUNTS, account("b c"), state(1), rejects_path="/dev/full")
    assert "/dev/full cannot be written" in str(done.error)
    assert done.states == []


def write_rows(file: RejectsFile, number: int) -> None:
    for n in range(number):
        file.write(row(f"account {n}"), WHY)


def test_a_full_disk_leaves_whole_lines_and_their_number(tmp_path: Path) -> None:
    path = tmp_path / "rejects.singer"
    file = RejectsFile(path, "run")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, hard))
    try:
        with pytest.raises(TotangoError, match="cannot be written: File too large"):
            write_rows(file, 1000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert ids_in(path) == [f"account {number}" for number in range(file.rows)]
    assert 10_000 - 1000 < path.stat().st_size < 10_000
    assert path.read_text().endswith("\n")
    file.close()


@pytest.mark.parametrize("make", [os.mkdir, os.mkfifo])
def test_what_took_the_name_of_a_file_meanwhile_is_left_alone(
    tmp_path: Path, make: Callable[[Path], None]
) -> None:
    path = tmp_path / "rejects.singer"
    file = RejectsFile(path, "run")
    make(path)
    with pytest.raises(TotangoError, match="something has its name that is no file"):
        file.write(row("a"), WHY)
    assert list(tmp_path.iterdir()) == [path]


def test_a_working_directory_that_is_gone_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    with pytest.raises(SettingsError, match="the working directory is gone"):
        checked_paths({"rejects_path": "rejects.singer"})
    there = str(tmp_path / "rejects.singer")
    assert checked_paths({"rejects_path": there}) == {"rejects_path": Path(there)}


def test_two_settings_for_one_file_are_refused(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "file")
    paths = {"rejects_path": str(tmp_path / "file"), "report_path": str(tmp_path / "link")}
    with pytest.raises(SettingsError, match="rejects_path and report_path are the same file"):
        checked_paths(paths, databases=frozenset())


# What a replay makes of it ---------------------------------------------------------------------


def replayed(deliver: Deliver, done: Delivered, change: Any = None, **settings: Any) -> Delivered:
    lines = [json.dumps(message) for message in done.rejects]
    return deliver(*(change(line) if change else line for line in lines), **settings)


@pytest.mark.parametrize("flattens", [False, True])
def test_reasons_are_no_data(deliver: Deliver, service: Sandbox, flattens: bool) -> None:
    service.set(unknown_attributes="create")
    tier = {"type": ["object", "null"], "properties": {"tier": {"type": ["string", "null"]}}}
    closed = schema("accounts", "account_id", "Plan", keys=("account_id",), Detail=tier)
    closed["schema"]["additionalProperties"] = False
    rows = [account("A1", Plan="Pro", Detail={"tier": "1"})]
    rows.append(account("A 6", Plan="Free", Detail={"tier": "2"}))
    flat = {"flattening_enabled": True, "flattening_max_depth": 2} if flattens else {}
    done = deliver(closed, *rows, state(1), **flat)
    assert done.rejects[0]["schema"] == closed["schema"]
    again = replayed(deliver, done, lambda line: line.replace("A 6", "A6"), **flat).ok()
    assert again.totals == {"received": 1, "sent": 1}
    expected = {"Plan": "Free"} | ({"Detail__tier": 2} if flattens else {})
    found = held(service, "accounts")[("A6",)]
    assert {name: found.get(name) for name in expected} == expected
    assert not [name for name in found if "reject" in name]


def test_a_replay_leaves_out_what_a_later_run_confirmed(
    deliver: Deliver, service: Sandbox, tmp_path: Path
) -> None:
    ledger = {"ledger_path": str(tmp_path / "ledger.db"), "skip_unchanged": True}
    rows = [account("a", Plan="x" * 600), account("b c", Plan="old"), account("d", Plan="o" * 600)]
    first = deliver(ACCOUNTS, *rows, **ledger)
    deliver(ACCOUNTS, account("a", Plan="new"), account("bc", Plan="new"), **ledger).ok()

    def mended(line: str) -> str:
        return line.replace("x" * 600, "old").replace("o" * 600, "mended").replace("b c", "bc")

    again = replayed(deliver, first, mended, **ledger).ok()
    assert again.totals == {"received": 3, "sent": 1, "skipped": 2}
    plans = {key[0]: row["Plan"] for key, row in held(service, "accounts").items()}
    assert plans == {"a": "new", "bc": "new", "d": "mended"}
    # What was replayed may be mended and replayed once more.
    once_more = replayed(deliver, first, lambda line: mended(line).replace("mended", "at last"))
    assert once_more.error is None
    once_more = replayed(deliver, first, lambda line: line.replace("o" * 600, "third"), **ledger)
    assert held(service, "accounts")[("d",)]["Plan"] == "third"


def test_a_row_that_is_as_it_was_outdates_a_reject_too(
    deliver: Deliver, service: Sandbox, tmp_path: Path
) -> None:
    ledger = {"ledger_path": str(tmp_path / "ledger.db"), "skip_unchanged": True}
    deliver(ACCOUNTS, account("a", Plan="right"), **ledger).ok()
    rejected = deliver(ACCOUNTS, account("a", Plan="x" * 600), **ledger)
    back = deliver(ACCOUNTS, account("a", Plan="right"), **ledger).ok()
    assert back.totals["unchanged"] == 1
    replayed(deliver, rejected, lambda line: line.replace("x" * 600, "wrong"), **ledger).ok()
    assert held(service, "accounts")[("a",)]["Plan"] == "right"


def test_a_replay_does_not_bring_back_a_user_that_a_later_run_deleted(
    deliver: Deliver, service: Sandbox, tmp_path: Path
) -> None:
    ledger = {"ledger_path": str(tmp_path / "ledger.db"), "hard_delete": True}
    fields = schema("users", "account_id", "user_id", "Title", "_sdc_deleted_at")
    deliver(fields, record("users", account_id="a", user_id="u", Title="x"), **ledger).ok()
    bad = record("users", account_id="a", user_id="u", Title="x" * 600)
    rejected = deliver(fields, bad, **ledger)
    gone = record("users", account_id="a", user_id="u", _sdc_deleted_at="2024-01-01T00:00:00Z")
    deliver(fields, gone, **ledger).ok()
    again = replayed(deliver, rejected, lambda line: line.replace("x" * 600, "y"), **ledger).ok()
    assert again.totals == {"received": 1, "skipped": 1}
    assert held(service, "users") == {}


def test_a_field_of_that_name_is_data_like_any_other(deliver: Deliver, service: Sandbox) -> None:
    named = schema("accounts", "account_id", "_reject")
    deliver(named, account("a", _reject="why not")).ok()
    assert held(service, "accounts")[("a",)] == {"_reject": "why not"}


# Rows that a mode skips ------------------------------------------------------------------------


def test_rows_that_a_mode_skips_can_be_found(
    deliver: Deliver, service: Sandbox, tmp_path: Path
) -> None:
    skipped = tmp_path / "skipped.singer"
    deliver(ACCOUNTS, account("old")).ok()
    rows = [account("old", Plan="x"), account("new", Plan="x"), account("newer", Plan="x")]
    done = deliver(ACCOUNTS, USERS, *rows, sync_mode="update_only", skipped_path=str(skipped)).ok()
    assert ids_in(skipped) == ["new", "newer"]
    assert done.report["skipped_path"] == str(skipped)
    reasons = json.loads(skipped.read_text().splitlines()[1])["_reject"]
    assert reasons["reason"] == reasons["faults"][0]["code"] == "update_only: not in Totango"
    deliver(*skipped.read_text().splitlines()).ok()
    assert len(held(service, "accounts")) == 3

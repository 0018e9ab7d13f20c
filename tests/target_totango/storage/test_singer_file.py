"""The file of what was written."""

from __future__ import annotations

import errno
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from target_runs import ACCOUNTS, USERS, held, record

from target_totango.models import SourceStream
from target_totango.storage import SingerFile
from totango_api.errors import TotangoError

if TYPE_CHECKING:
    from collections.abc import Callable

    from sandboxes import Sandbox
    from target_runs import Delivered

    Deliver = Callable[..., Delivered]


def kept(path: Path) -> list[dict[str, Any]]:
    messages = [json.loads(line) for line in path.read_text().splitlines()]
    return [message for message in messages if message["type"] == "RECORD"]


def test_what_was_written_is_kept_and_can_be_piped_in_again(
    deliver: Deliver, service: Sandbox, tmp_path: Path
) -> None:
    sent = tmp_path / "kept" / "sent.singer"
    rows = [
        record("accounts", account_id="a", Contract__Value=5),
        record("accounts", account_id="b c"),
        record("users", account_id="a", user_id="u", Title="Boss"),
    ]
    done = deliver(ACCOUNTS, rows[0], rows[1], USERS, rows[2], sent_path=str(sent))
    assert done.report["sent_path"] == str(sent)
    assert sent.stat().st_mode & 0o777 == 0o600
    account, user = kept(sent)
    assert account["record"] == rows[0]["record"]
    assert account["_sent"]["what"] == "written"
    assert account["_sent"]["ids"] == {"account_id": "a"}
    assert account["_sent"]["values"] == {"account": {"Contract Value": "5"}}
    assert user["_sent"]["ids"] == {"account_id": "a", "user_id": "u"}
    before = held(service, "accounts"), held(service, "users")
    service.reset()
    deliver(sent.read_text().strip()).ok()
    assert (held(service, "accounts"), held(service, "users")) == before


def test_a_dry_run_keeps_nothing(deliver: Deliver, tmp_path: Path) -> None:
    sent = tmp_path / "sent.singer"
    deliver(ACCOUNTS, record("accounts", account_id="a"), dry_run=True, sent_path=str(sent)).ok()
    assert not sent.exists()


def test_a_row_that_cannot_be_kept_holds_state(deliver: Deliver, tmp_path: Path) -> None:
    state = {"type": "STATE", "value": {"n": 1}}
    row = record("accounts", account_id="a")
    done = deliver(ACCOUNTS, row, state, sent_path="/dev/full")
    assert "The file /dev/full cannot be written" in str(done.error)
    assert "Set sent_path to a place that can be." in str(done.error)
    assert done.states == []


def test_rows_that_are_delivered_are_not_said_to_hold_state(
    deliver: Deliver, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(self: SingerFile) -> None:
        raise self.failure(OSError(errno.EIO, "it broke"))

    monkeypatch.setattr(SingerFile, "sync", fail)
    done = deliver(
        ACCOUNTS, record("accounts", account_id="a"), {"type": "STATE", "value": {"n": 1}}
    )
    assert "it broke" in str(done.error)
    assert done.states == []
    assert "are not emitted, because the run did not end in order." in caplog.text


SOURCE = SourceStream("accounts", {"properties": {}}, ("account_id",))
MESSAGE = {"stream": "accounts", "record": {"account_id": "a"}}


def test_what_a_disk_does_not_keep_is_not_taken_for_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: int) -> None:
        raise OSError(errno.EIO, "it broke")

    file = SingerFile(tmp_path / "sent.singer", "run", "sent_path")
    file.write_record(SOURCE, MESSAGE)
    with monkeypatch.context() as broken:
        broken.setattr(os, "fsync", fail)
        for _ in range(2):
            with pytest.raises(TotangoError, match=r"sent\.singer cannot be written: it broke"):
                file.sync()
    file.close()


def test_a_terminal_that_is_gone_is_named(tmp_path: Path) -> None:
    master, slave = os.openpty()
    file = SingerFile(Path(os.ttyname(slave)), "run", "sent_path")
    file.write_record(SOURCE, MESSAGE)
    os.close(master)
    with pytest.raises(TotangoError, match="cannot be written"):
        file.write_record(SOURCE, MESSAGE)
    with pytest.raises(TotangoError, match="cannot be written"):
        file.close()
    os.close(slave)

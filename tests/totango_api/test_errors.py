"""What is said where the machine fails, and not the service."""

from __future__ import annotations

import errno
import os
import sqlite3
import tempfile
from typing import TYPE_CHECKING

import pytest

from totango_api.errors import (
    ApiError,
    AuthenticationError,
    RateLimitError,
    RefusedError,
    ResponseError,
    UnavailableError,
    temporary_file_error,
)
from totango_api.reading.deduplication import KeySet
from totango_api.redaction import sentence_of

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS])
def test_a_disk_without_room_is_said(number: int) -> None:
    said = sentence_of(OSError(number, os.strerror(number)))
    assert os.strerror(number) in said
    assert "TMPDIR" in said


@pytest.mark.parametrize("error", [OSError(errno.EPIPE, "Broken pipe"), ValueError("no room")])
def test_what_is_another_failure_stays_one(error: Exception) -> None:
    assert temporary_file_error(error) is None
    assert "Unexpected failure" in sentence_of(error)


def test_a_temporary_database_without_room(tmp_path: Path) -> None:
    database = sqlite3.connect(tmp_path / "small", isolation_level=None)
    database.execute("PRAGMA max_page_count = 3")
    database.execute("CREATE TABLE kept (text TEXT)")
    with pytest.raises(sqlite3.OperationalError) as raised:
        database.execute("INSERT INTO kept VALUES (?)", ("x" * 100_000,))
    database.close()
    assert "database or disk is full" in sentence_of(raised.value)


def test_keys_without_a_folder_for_temporary_files(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", None)
    monkeypatch.setattr(tempfile, "_candidate_tempdir_list", lambda: ["/proc"])
    keys = KeySet(2)
    keys.add_all([("a",), ("b",)])
    with pytest.raises(FileNotFoundError) as raised:
        keys.add(("c",))
    assert "there is no folder for it" in sentence_of(raised.value)


@pytest.mark.parametrize(
    ("error", "is_refusal"),
    [
        (AuthenticationError("GET /", status=401), False),
        (AuthenticationError("GET /", status=403), True),
        (RefusedError("GET /", status=400), True),
        (RefusedError("GET /", reason="no such id can be"), False),
        (ResponseError("GET /", status=200), True),
        (UnavailableError("GET /", status=503), False),
        (RateLimitError("GET /", wait=None), False),
    ],
)
def test_only_what_a_service_answers_for_good_is_a_refusal(
    error: ApiError, is_refusal: bool
) -> None:
    assert error.is_refusal is is_refusal

"""Files that one run has for itself, whatever others do to them meanwhile."""

from __future__ import annotations

import errno
import fcntl
import os
from typing import TYPE_CHECKING, Any

import pytest

from target_totango.models import SourceStream
from target_totango.storage import SingerFile
from totango_api.errors import TotangoError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

SOURCE = SourceStream("accounts", {"properties": {}}, ("account_id",))


def write(file: SingerFile) -> None:
    file.write_record(SOURCE, {"stream": "accounts", "record": {"account_id": "a"}})


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "rejects.singer"


@pytest.fixture
def before_lock(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], object]], None]:
    """`before_lock(do)`: what another run does after this one opens a file and before it locks."""
    lock = fcntl.flock

    def set_action(do: Callable[[], object]) -> None:
        def locked(*about: Any) -> None:
            do()
            lock(*about)

        monkeypatch.setattr(fcntl, "flock", locked)

    return set_action


def test_where_there_are_no_locks_a_file_is_written_all_the_same(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unknown(*_: Any) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(fcntl, "flock", unknown)
    file = SingerFile(path, "run", "rejects_path")
    write(file)
    file.close()
    assert (file.path, path.read_text().count("RECORD")) == (path, 1)


def test_an_empty_file_makes_room_and_is_not_kept(path: Path) -> None:
    path.touch()
    file = SingerFile(path, "run", "rejects_path")
    write(file)
    file.close()
    assert file.moved_to is None
    assert list(path.parent.iterdir()) == [path]


def test_a_file_that_another_run_moves_away_first_is_not_moved_twice(
    path: Path, before_lock: Callable[[Callable[[], object]], None]
) -> None:
    path.write_text("older")

    def taken_first() -> None:
        if path.exists() and path.read_text() == "older":
            path.rename(path.with_name("moved"))
            path.write_text("another run's")

    before_lock(taken_first)
    file = SingerFile(path, "run", "rejects_path")
    write(file)
    file.close()
    assert (path.read_text(), path.with_name("moved").read_text()) == ("another run's", "older")
    assert file.path == path.with_name("rejects.run.singer")
    assert file.path.read_text().count("RECORD") == 1


def test_a_file_that_is_always_taken_away_is_named(
    path: Path, before_lock: Callable[[Callable[[], object]], None]
) -> None:
    def taken_away() -> None:
        for each in path.parent.iterdir():
            each.unlink()

    before_lock(taken_away)
    with pytest.raises(TotangoError, match="cannot be written: File exists"):
        write(SingerFile(path, "run", "rejects_path"))

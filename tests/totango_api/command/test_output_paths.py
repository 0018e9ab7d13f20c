"""Places that files may be written to, or not, are known before the first row is read."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from totango_api.command import checked_paths
from totango_api.command.output_paths import check_replaced
from totango_api.errors import SettingsError

if TYPE_CHECKING:
    from pathlib import Path


def refusal_of(text: str) -> str:
    with pytest.raises(SettingsError) as caught:
        checked_paths({"report_path": text})
    return str(caught.value)


def test_a_home_that_nobody_has_is_named(tmp_path: Path) -> None:
    assert "home directory" in refusal_of("~nobody-of-this-name/report.json")
    assert checked_paths({"report_path": f"{tmp_path}/report.json"})


def test_what_the_user_may_not_write_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = tmp_path / "report.json"
    there.touch()
    protected = {str(there), str(tmp_path)}
    may = os.access
    monkeypatch.setattr(
        os, "access", lambda path, mode: str(path) not in protected and may(path, mode)
    )
    assert "it cannot be written" in refusal_of(str(there))
    new = str(tmp_path / "reports" / "of-today.json")
    assert f"nothing can be written in {tmp_path}" in refusal_of(new)


def test_a_place_below_a_file_is_none(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert "Not a directory" in refusal_of(f"{tmp_path}/file/report.json")
    below = f"{tmp_path}/none/../file/report.json"
    assert f"nothing can be written in {tmp_path / 'file'}" in refusal_of(below)


def test_a_file_may_be_written_where_standard_output_is_closed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = tmp_path / "report.json"
    there.touch()
    monkeypatch.setattr("totango_api.command.output_paths._STDOUT", -1)
    assert checked_paths({"report_path": str(there)}) == {"report_path": there}


def test_what_cannot_be_read_is_not_replaced(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="Is a directory"):
        check_replaced("--output", tmp_path, kind="profile", keys=frozenset({"version"}))

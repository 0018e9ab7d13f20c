"""Writes reports to files, each in the form that the file's name asks for."""

from __future__ import annotations

import fcntl
import json
import os
from collections import deque
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from totango_api.command import check_replaced, is_device
from totango_api.errors import TotangoError
from totango_api.plugin_config import setting
from totango_api.report.page import render_page

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

PAGE: Final = ".html"
HISTORY: Final = ".jsonl"
RUNS_SHOWN: Final = 30

PRIVATE: Final = 0o600
"""A report that holds values of rows is personal data."""

_KEYS: Final = frozenset({"program", "totals"})
"""What the JSON of every report holds."""

_BESIDE: Final = "the JSON beside report_path"
_LONGEST_HISTORY: Final = 4 * 1024 * 1024
"""Bytes at the end of a history in which its last runs are looked for."""


def report_settings() -> dict[str, dict[str, Any]]:
    """Return the JSON Schema of the settings about reports, by name."""
    return {
        "report_path": setting(
            "string",
            "Report",
            "Where to write the run's report: as JSON; as a page where the name ends in `.html`, "
            "with the JSON beside it; in a history, a line a run, where it ends in `.jsonl`.",
        ),
        "report_history_path": setting(
            "string",
            "History of reports",
            "A `.jsonl` file that gets a line for each run, beside the report. The page shows its "
            f"last {RUNS_SHOWN} runs.",
        ),
    }


@dataclass(frozen=True)
class ReportFiles:
    """The files that the report of a run goes to; None = nowhere."""

    report: Path | None = None
    beside: Path | None = None
    history: Path | None = None

    @staticmethod
    def paths(config: Mapping[str, Any]) -> dict[str, str | None]:
        """Return the files that settings ask for, by what they are called, to be checked."""
        report, history = (_text(config, name) for name in ("report_path", "report_history_path"))
        is_page = report is not None and Path(report).suffix == PAGE
        return {
            "report_path": report,
            _BESIDE: str(Path(report).with_suffix(".json")) if report and is_page else None,
            "report_history_path": history,
        }

    @classmethod
    def of(cls, checked: Mapping[str, Path | None]) -> ReportFiles:
        """Take the paths of :meth:`paths`, once they are checked.

        Raises:
            SettingsError: If a report would replace what is none.
        """
        for name in ("report_path", _BESIDE):
            path = checked[name]
            if path is not None and path.suffix not in {PAGE, HISTORY}:
                check_replaced(name, path, kind="report of a run", keys=_KEYS)
        return cls(checked["report_path"], checked[_BESIDE], checked["report_history_path"])

    def write(self, report: Mapping[str, Any], *, is_private: bool = False) -> None:
        """Write the report: each file whole or not at all, but for a history's line.

        Args:
            report: What :func:`totango_api.report.render_page` shows.
            is_private: Whether it holds values of rows.

        Raises:
            TotangoError: If a file cannot be written. The others are, as far as they can.
        """
        mode = PRIVATE if is_private else 0o666
        try:
            if self.history is not None:
                line = _line(report)
                _saying(self.history, _append, line, mode, setting="report_history_path")
        finally:
            self._write_report(report, mode)

    def _write_report(self, report: Mapping[str, Any], mode: int) -> None:
        if self.report is None:
            return
        document = json.dumps(report, indent=2, ensure_ascii=False, default=str) + "\n"
        if self.report.suffix == HISTORY or is_device(self.report):
            _saying(self.report, _append, _line(report), mode)
        elif self.beside is None:
            _saying(self.report, _replace, document, mode)
        else:
            _saying(self.beside, _replace, document, mode)
            # What the page shows is what the JSON holds, where dates are text.
            page = render_page(json.loads(document), list(_earlier(self.history)))
            _saying(self.report, _replace, page, mode)


def _text(config: Mapping[str, Any], name: str) -> str | None:
    """Return a path; the schema refuses anything else."""
    value = config.get(name)
    return value if isinstance(value, str) and value else None


def _line(report: Mapping[str, Any]) -> str:
    return json.dumps(report, ensure_ascii=False, default=str) + "\n"


def _saying(path: Path, write: Any, text: str, mode: int, *, setting: str = "report_path") -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write(path, text.encode(errors="backslashreplace"), mode)
    except OSError as error:
        msg = f"The report {path} cannot be written: {error.strerror or error}."
        raise TotangoError(msg, remedy=f"Set {setting} to a place that can be.") from error


def _append(path: Path, content: bytes, mode: int) -> None:
    """Write a line at the end of a file with one call, behind whole lines alone.

    Runs that end together wait for each other: a line that is half written looks like a cut one.
    """
    flags = os.O_APPEND | (os.O_WRONLY if is_device(path) else os.O_CREAT | os.O_RDWR)
    with os.fdopen(os.open(path, flags, mode), "ab", buffering=0) as history:
        if not is_device(path):
            with suppress(OSError):  # a file system without locks
                fcntl.flock(history, fcntl.LOCK_EX)
            size = os.fstat(history.fileno()).st_size
            is_cut = size > 0 and os.pread(history.fileno(), 1, size - 1) != b"\n"
            content = b"\n" * is_cut + content
        written = history.write(content) or 0
        if written < len(content):  # the disk is full: the second call says so
            history.write(content[written:])


def _replace(path: Path, content: bytes, mode: int) -> None:
    beside = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    try:
        with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
            file.write(content)
        beside.replace(path)
    except OSError:
        beside.unlink(missing_ok=True)
        raise


def _earlier(history: Path | None) -> Iterator[dict[str, Any]]:
    """Yield the last runs of a history; what is no report is passed over."""
    if history is None or is_device(history):
        return
    try:
        with history.open("rb") as file:
            file.seek(max(history.stat().st_size - _LONGEST_HISTORY, 0))
            lines = deque(file, RUNS_SHOWN)
    except OSError:  # the write of this run's line has said so
        return
    for line in lines:
        try:
            run = json.loads(line)
        except ValueError:  # the first one may be cut, the last one of a run that was killed
            continue
        if isinstance(run, dict) and isinstance(run.get("totals"), dict):
            yield run

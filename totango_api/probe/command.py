"""Shared by the probe commands of both plugins: options, connection, and the table of answers."""

from __future__ import annotations

import shutil
import textwrap
from typing import TYPE_CHECKING, Any, Final

from totango_api.command import config_parser
from totango_api.probe.profile import Profile
from totango_api.probe.questions import summary
from totango_api.region import connected

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from totango_api.config import Connection
    from totango_api.probe.caller import Caller
    from totango_api.probe.questions import Result


def probe_parser(plugin: str, description: str, *, max_calls: int) -> argparse.ArgumentParser:
    """Return a parser with the options of every probe."""
    parser = config_parser(plugin, "probe", description)
    parser.add_argument(
        "--max-calls", type=int, default=max_calls, help=f"calls at most (default {max_calls})"
    )
    parser.add_argument(
        "--output",
        metavar="FILE",
        help=f"the profile (default: probe_path, else {_default_profile(plugin)})",
    )
    return parser


def probed(
    plugin: str, options: argparse.Namespace, config: Mapping[str, Any]
) -> tuple[Connection, Path]:
    """Return how the service is reached, without retries, and where the profile goes.

    Raises:
        SettingsError: If a setting cannot be used, or the profile cannot go there.
    """
    connection = connected(config, user_agent=f"{plugin} probe", max_retry_seconds=0)
    place = options.output or config.get("probe_path") or _default_profile(plugin)
    return connection, Profile.check_place(place)


def conclude(plugin: str, caller: Caller, results: Sequence[Result], path: Path) -> str:
    """Write the profile; return the answers as a table, with a sentence about all of them.

    Raises:
        SettingsError: If the profile cannot be written.
    """
    Profile.of(plugin, caller.client.connection, results).write(path)
    return f"{_table(results)}\n{summary(results, caller.calls)}\n"


def are_settled(results: Sequence[Result]) -> bool:
    """Return whether every question was answered, or does not arise."""
    return all(one.is_settled for one in results)


def _default_profile(plugin: str) -> str:
    return f"{plugin}-probe.json"


_HEAD: Final = ("question", "answer", "evidence", "suggests")
_WIDEST: Final = 160
_NARROWEST: Final = 100
_NAMES: Final = 44
_GAP: Final = "  "


def _table(results: Sequence[Result]) -> str:
    """Return the answers as a table with a head."""
    rows = [
        (f"{one.name}: {one.text}", one.answer.value, one.answer.evidence, one.answer.advice)
        for one in results
    ]
    width = min(max(shutil.get_terminal_size((_WIDEST, 24)).columns, _NARROWEST), _WIDEST)
    answers = min(max([len(row[1]) for row in rows] + [len(_HEAD[1])]), 24)
    rest = width - _NAMES - answers - 3 * len(_GAP)
    widths = (_NAMES, answers, rest // 2, rest - rest // 2)
    lines = list(_wrapped(_HEAD, widths))
    lines.append(_GAP.join("-" * one for one in widths))
    for row in rows:
        lines += _wrapped(row, widths)
    return "\n".join(lines)


def _wrapped(cells: Sequence[str], widths: Sequence[int]) -> Iterator[str]:
    columns = [
        textwrap.wrap(cell, width) or [""] for cell, width in zip(cells, widths, strict=True)
    ]
    for at in range(max(map(len, columns))):
        parts = [column[at] if at < len(column) else "" for column in columns]
        padded = [part.ljust(width) for part, width in zip(parts, widths, strict=True)]
        yield _GAP.join(padded).rstrip()

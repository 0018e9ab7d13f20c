"""Shared by the probe commands of both plugins: options, connection, and how they end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from totango_api.command import config_parser
from totango_api.probe.profile import Profile
from totango_api.probe.questions import summary
from totango_api.probe.table import table
from totango_api.region import connected

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping, Sequence
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
    return f"{table(results)}\n{summary(results, caller.calls)}\n"


def are_settled(results: Sequence[Result]) -> bool:
    """Return whether every question was answered, or does not arise."""
    return all(one.is_settled for one in results)


def _default_profile(plugin: str) -> str:
    return f"{plugin}-probe.json"

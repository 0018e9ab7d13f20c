"""Shared by the probe commands of both plugins: their options, and how they end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from totango_api.command import config_parser
from totango_api.probe.profile import Profile
from totango_api.probe.questions import summary
from totango_api.probe.table import table

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence
    from pathlib import Path

    from totango_api.probe.caller import Caller
    from totango_api.probe.questions import Result


def probe_parser(plugin: str, description: str, *, max_calls: int) -> argparse.ArgumentParser:
    """Return a parser with the options of every probe, but for where its profile goes."""
    parser = config_parser(plugin, "probe", description)
    parser.add_argument(
        "--max-calls", type=int, default=max_calls, help=f"calls at most (default {max_calls})"
    )
    return parser


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

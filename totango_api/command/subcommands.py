"""Finds subcommands on a plugin's command line: `check`, `probe` and others.

The options of a plugin stand on either side of a subcommand: it is the first argument that is
neither an option nor the value of one.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_VALUED: Final = frozenset(
    {"--config", "--catalog", "--properties", "--state", "--format", "--input"}
)
"""Options of the plugins that take a value."""


def command_in(
    arguments: Sequence[str], commands: Mapping[str, str]
) -> tuple[str | None, Sequence[str]]:
    """Return the subcommand on a command line, if there is one, and the arguments without it.

    Args:
        arguments: What follows the program's name.
        commands: The subcommands that there are.
    """
    is_value = False
    for at, argument in enumerate(arguments):
        if not is_value and not argument.startswith("-"):
            if argument not in commands:
                break
            return argument, [*arguments[:at], *arguments[at + 1 :]]
        is_value = not is_value and argument in _VALUED
    return None, arguments


def help_on(commands: Mapping[str, str]) -> str:
    """Return the part of `--help` about the subcommands."""
    width = max(map(len, commands))
    lines = [f"  {name.ljust(width)}  {does}" for name, does in commands.items()]
    return "\n".join(["\b", "Commands (each has its own --help):", *lines])


def config_parser(plugin: str, subcommand: str, description: str) -> argparse.ArgumentParser:
    """Return the parser of a subcommand that is run with a configuration."""
    parser = argparse.ArgumentParser(prog=f"{plugin} {subcommand}", description=description)
    parser.add_argument("--config", action="append", default=[], help="file, or ENV; repeatable")
    return parser

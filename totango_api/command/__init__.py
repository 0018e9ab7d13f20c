"""Shared by the commands of both plugins: subcommands, output files, parts, progress."""

from totango_api.command.log_lines import hide_lines
from totango_api.command.output_paths import checked_paths, is_device
from totango_api.command.parts import PART_PATTERN, Part
from totango_api.command.progress import ProgressLine, pace
from totango_api.command.subcommands import command_in, help_on

__all__ = [
    "PART_PATTERN",
    "Part",
    "ProgressLine",
    "checked_paths",
    "command_in",
    "help_on",
    "hide_lines",
    "is_device",
    "pace",
]

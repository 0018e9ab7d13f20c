"""Shared by both plugins' commands: subcommands, log, output files, parts, progress, signals."""

from totango_api.command.output_paths import check_replaced, checked_paths, is_device
from totango_api.command.parts import PART_PATTERN, Part
from totango_api.command.process import command_of, handle_signals
from totango_api.command.progress import ProgressLine, pace
from totango_api.command.subcommands import command_in, config_parser, help_on

__all__ = [
    "PART_PATTERN",
    "Part",
    "ProgressLine",
    "check_replaced",
    "checked_paths",
    "command_in",
    "command_of",
    "config_parser",
    "handle_signals",
    "help_on",
    "is_device",
    "pace",
]

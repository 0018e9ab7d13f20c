"""The command `target-totango`, and its exit codes: every failure is one sentence and code 1."""

from __future__ import annotations

import functools
import gc
import logging
import sys
from typing import Final

from target_totango.check import check
from target_totango.config_schema import COMMANDS
from target_totango.probe import probe
from target_totango.rejects_command import rejects
from target_totango.target import TargetTotango
from totango_api.command import command_in, command_of
from totango_api.errors import TotangoError, temporary_file_error
from totango_api.plugin_config import read_config

logger = logging.getLogger("target-totango")

GARBAGE_THRESHOLD: Final = 10_000
"""Objects that come on top before garbage is looked for: rows leave none that needs it."""

SWITCH_SECONDS: Final = 0.001
"""How long reading rows may keep the interpreter from calls under way, and these from it."""


def main() -> None:
    """Run the command: one sentence and exit code 1 for whatever goes wrong."""
    try:
        command = command_of(TargetTotango)
        # What is imported lives as long as the program: looking through it again and again for
        # garbage would take an eighth of the time that a row takes.
        gc.freeze()
        gc.set_threshold(GARBAGE_THRESHOLD)
        sys.setswitchinterval(SWITCH_SECONDS)
        read = functools.partial(read_config, TargetTotango)
        subcommand, arguments = command_in(sys.argv[1:], COMMANDS)
        if subcommand == "rejects":
            sys.exit(rejects(arguments, command))
        if subcommand is not None:
            sys.exit({"check": check, "probe": probe}[subcommand](arguments, read))
        command()
    except Exception as error:
        known = error if isinstance(error, TotangoError) else temporary_file_error(error)
        if known is None:
            logger.exception("target-totango failed in a way that it should not.")
        else:
            logger.error("%s", known)  # noqa: TRY400 (a sentence, no traceback)
        sys.exit(1)

"""The command `tap-totango`, and its exit codes: every failure is one sentence and exit code 1."""

from __future__ import annotations

import functools
import logging
import os
import sys
from typing import NoReturn

from tap_totango.check import check
from tap_totango.config_schema import COMMANDS
from tap_totango.probe import probe
from tap_totango.records import UNREAD, Stopped, UnreadError
from tap_totango.tap import TapTotango
from totango_api.command import command_in, command_of
from totango_api.errors import TotangoError, temporary_file_error
from totango_api.plugin_config import read_config
from totango_api.redaction import scrub


def main() -> None:
    """Run the command and end the process."""
    command = command_of(TapTotango)
    try:
        read = functools.partial(read_config, TapTotango)
        subcommand, arguments = command_in(sys.argv[1:], COMMANDS)
        if subcommand is not None:
            sys.exit({"check": check, "probe": probe}[subcommand](arguments, read))
        command()
    except TotangoError as error:
        leave(str(error), 1)
    except (UnreadError, BrokenPipeError) as error:
        leave(str(error) or UNREAD, 1)
    except Stopped as stopped:
        leave(f"Stopped by {stopped}; a later run goes on from the last state.", stopped.exit_code)
    except Exception as error:
        if (known := temporary_file_error(error)) is not None:
            leave(str(known), 1)
        logging.getLogger(TapTotango.name).exception("Unexpected failure.")
        leave(f"Unexpected failure ({type(error).__name__}); please report the lines above.", 1)


def leave(sentence: str, code: int) -> NoReturn:
    """Log why and end the process at once: threads may still wait for responses nobody needs."""
    logging.getLogger(TapTotango.name).error("%s", scrub(sentence))
    for stream in (sys.stderr, sys.stdout):
        try:
            if stream:
                stream.flush()
        except OSError:
            continue
    os._exit(code)

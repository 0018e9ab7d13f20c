"""Sets up the log of a command: on standard error, without secrets, without idle lines."""

from __future__ import annotations

import logging
import os
import sys
from pathlib import Path
from typing import Any, Final

from totango_api.redaction import scrub_logs

_IDLE: Final = ("env var", "Skipping deselected stream")
"""Parts of the lines in which the SDK says that it reads the environment, or no stream."""


def command_of(plugin: Any) -> Any:
    """Return the command line of a plugin class, which logs as it should from now on."""
    if not sys.stderr:  # closed: its number must not go to a file or a connection
        sys.stderr = Path(os.devnull).open("w")  # noqa: SIM115 (for the rest of the process)
    command = plugin.cli  # sets up the log
    scrub_logs()
    for name in (plugin.name, "singer_sdk.configuration._dict_config"):
        logging.getLogger(name).addFilter(_is_of_use)
    return command


def _is_of_use(record: logging.LogRecord) -> bool:
    """Return whether a line says anything that a run is about; all do to who asks for all."""
    if logging.getLogger(record.name).isEnabledFor(logging.DEBUG):
        return True
    return not any(words in str(record.msg) for words in _IDLE)

"""States on standard output."""

from __future__ import annotations

import os
import sys
from typing import Any, Final

import msgspec

from totango_api.errors import TotangoError

_encode: Final = msgspec.json.Encoder(decimal_format="number").encode


class OutputError(TotangoError):
    """Nobody reads standard output any more."""


def emit(value: Any) -> None:
    """Write a state to standard output.

    Raises:
        OutputError: If nobody reads it.
    """
    try:
        sys.stdout.write(_encode(value).decode() + "\n")
        sys.stdout.flush()
    except (BrokenPipeError, ValueError) as error:
        # What is still buffered must not raise once more when Python exits.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        msg = "Standard output was closed, so no state can be stored."
        raise OutputError(msg) from error

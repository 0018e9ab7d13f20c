"""States on standard output."""

from __future__ import annotations

import json
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
    line = _line(value)
    try:
        # Bytes, since the encoding of standard output depends on the locale.
        sys.stdout.flush()
        sys.stdout.buffer.write(line)
        sys.stdout.buffer.flush()
    except (BrokenPipeError, ValueError) as error:
        # What is still buffered must not raise once more when Python exits.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        msg = "Standard output was closed, so no state can be stored."
        raise OutputError(msg) from error


def _line(value: Any) -> bytes:
    try:
        return _encode(value) + b"\n"
    except UnicodeEncodeError:
        # Half a surrogate pair survives as its escape only.
        return json.dumps(value, default=str).encode() + b"\n"

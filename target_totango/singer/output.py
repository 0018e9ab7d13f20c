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
    """Nobody takes what is written to standard output."""


def emit(value: Any) -> None:
    """Write a state to standard output.

    Raises:
        OutputError: If nobody takes it.
    """
    line = _line(value)
    if not sys.stdout:
        raise OutputError(_CLOSED)
    try:
        # Bytes, since the encoding of standard output depends on the locale.
        sys.stdout.flush()
        sys.stdout.buffer.write(line)
        sys.stdout.buffer.flush()
    except (OSError, ValueError) as error:
        # What is still buffered must not raise once more when Python exits.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        if isinstance(error, OSError) and not isinstance(error, BrokenPipeError):
            msg = f"The state cannot be written to standard output: {error.strerror}."
            raise OutputError(msg) from error
        raise OutputError(_CLOSED) from error


_CLOSED: Final = "Standard output was closed, so no state can be stored."


def _line(value: Any) -> bytes:
    try:
        return _encode(value) + b"\n"
    except UnicodeEncodeError:
        # Half a surrogate pair survives as its escape only.
        return json.dumps(value, default=str).encode() + b"\n"

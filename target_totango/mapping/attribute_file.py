"""Reads attribute definitions from a file, for runs that cannot ask the service for them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from totango_api.errors import SettingsError
from totango_api.search import Attribute, definitions

if TYPE_CHECKING:
    from collections.abc import Iterator

_REMEDY = "Write it with tap-totango, stream attributes: its messages, or one record a line."


def read_attributes(path: str) -> list[Attribute]:
    """Return the definitions in a file.

    Args:
        path: What `tap-totango` writes of its stream `attributes`: Singer messages, JSON lines of
            records, or a JSON list; also what Totango itself answers.

    Raises:
        SettingsError: If it cannot be read or holds none.
    """
    try:
        text = Path(path).expanduser().read_text(encoding="utf-8-sig")
        found = list(definitions(_entries(text)))
    except (OSError, ValueError) as error:
        reason = (
            error.strerror if isinstance(error, OSError) else "it is neither JSON nor JSON lines"
        )
        msg = f"attributes_path {path} cannot be read: {reason}."
        raise SettingsError(msg, remedy=_REMEDY) from None
    if not found:
        msg = f"attributes_path {path} holds no attribute with an api_name."
        raise SettingsError(msg, remedy=_REMEDY)
    return found


def _entries(text: str) -> Iterator[Any]:
    """Yield what may be definitions.

    Raises:
        ValueError: If the text is neither JSON nor JSON lines.
    """
    try:
        documents = [json.loads(text)]
    except ValueError:
        documents = [json.loads(line) for line in text.splitlines() if line.strip()]
    for document in documents:
        if isinstance(document, list):
            yield from document
        elif isinstance(document, dict) and isinstance(document.get("list"), list):
            yield from document["list"]
        elif isinstance(document, dict) and isinstance(document.get("record"), dict):
            yield document["record"]
        else:
            yield document

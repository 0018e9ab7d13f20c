"""Reads from the words of a refusal what it may be about: where to look next, never an answer."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


def named_in(refusal: str, asked: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Return what a refusal names, of all that was asked for: by its name, else by its type.

    Args:
        refusal: What the service said.
        asked: Columns or terms as they were sent, by what they are called here.
    """
    by_name = [
        called
        for called, sent in asked.items()
        if any(_holds(refusal, value) for key, value in sent.items() if key != "type")
    ]
    return by_name or [called for called, sent in asked.items() if _holds(refusal, sent["type"])]


def _holds(text: str, name: Any) -> bool:
    """Return whether a name stands in a text as a word of its own."""
    return re.search(rf"(?<![\w:]){re.escape(str(name))}(?![\w:])", text) is not None

"""Announces fields that a SCHEMA describes by patterns of their names."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

MOST_FIELDS: Final = 1_000
"""More fields of that kind are data of their own, not attributes: they are not written."""


class PatternFields:
    """Adds each field that `patternProperties` describes to a schema when it first comes.

    Args:
        schema: The schema of a stream.
    """

    def __init__(self, schema: Mapping[str, Any]) -> None:
        patterns = schema.get("patternProperties")
        self._patterns = [
            (re.compile(pattern), described)
            for pattern, described in (patterns if isinstance(patterns, dict) else {}).items()
        ]
        self._named = set(schema.get("properties") or {})
        self._found: dict[str, Any] = {}

    def __bool__(self) -> bool:
        return bool(self._patterns)

    def find(self, record: Mapping[str, Any]) -> bool:
        """Note the fields of a record that patterns describe; return whether one of them is new."""
        new = [name for name in record if name not in self._named]
        self._named.update(new)
        before = len(self._found)
        for name in new:
            for pattern, described in self._patterns:
                if pattern.search(name) and len(self._found) < MOST_FIELDS:
                    self._found[name] = described
                    break
        return len(self._found) > before

    def added_to(self, schema: dict[str, Any]) -> dict[str, Any]:
        """Return a schema with the fields that were found."""
        if not self._found:
            return schema
        return {**schema, "properties": {**(schema.get("properties") or {}), **self._found}}

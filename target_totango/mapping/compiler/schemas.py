"""Reads the types and formats of a field from a SCHEMA, in every form that they have there.

`{"anyOf": [{"type": "integer"}, {"type": "null"}]}` says the same as `{"type": ["integer",
"null"]}`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

_BRANCHES: Final = ("anyOf", "oneOf", "allOf")
_DEEPEST: Final = 20
"""References further down than this go round in circles."""


class StreamSchema:
    """The SCHEMA of a stream.

    Args:
        schema: JSON schema of its records.

    Attributes:
        fields: Schema of each field that it names.
    """

    def __init__(self, schema: Mapping[str, Any]) -> None:
        self._root = schema
        named = schema.get("properties")
        self.fields: Mapping[str, Any] = named if isinstance(named, dict) else {}

    def title(self, name: str) -> str | None:
        """Return the title of a field."""
        schema = self.fields.get(name)
        title = schema.get("title") if isinstance(schema, dict) else None
        return title if isinstance(title, str) else None

    def is_read_only(self, name: str) -> bool:
        """Return whether a field says that nobody writes it."""
        return any(branch.get("readOnly") for branch in self._branches(self.fields.get(name)))

    def types(self, name: str) -> set[str]:
        """Return the types of a field; none if it may be anything."""
        return {kind for branch in self._branches(self.fields.get(name)) for kind in _types(branch)}

    def formats(self, name: str) -> set[str]:
        """Return the formats of a field, such as `date-time`."""
        branches = self._branches(self.fields.get(name))
        return {str(branch["format"]) for branch in branches if "format" in branch}

    def is_whole(self, name: str | None) -> bool:
        """Return whether a field holds whole numbers, so that 5.0 is 5."""
        types = self.types(name) if name is not None else set()
        return "integer" in types and "number" not in types

    def holds(self, path: str) -> bool:
        """Return whether records may have a field or a dotted path."""
        if path in self.fields:
            return True
        return self._holds(self._root, path.split("."))

    def _holds(self, schema: Any, steps: Sequence[str]) -> bool:
        if not steps:
            return True
        branches = [branch for branch in self._branches(schema) if _types(branch) != {"null"}]
        return not branches or any(self._branch_holds(branch, steps) for branch in branches)

    def _branch_holds(self, schema: Mapping[str, Any], steps: Sequence[str]) -> bool:
        properties, items = schema.get("properties"), schema.get("items")
        if isinstance(properties, dict) and steps[0] in properties:
            return self._holds(properties[steps[0]], steps[1:])
        if items is not None and steps[0].isdecimal():
            return self._holds(items, steps[1:]) if isinstance(items, dict) else True
        if properties or items is not None:
            return bool(schema.get("additionalProperties") or schema.get("patternProperties"))
        types = _types(schema)
        return not types or not types.isdisjoint({"object", "array"})

    def _branches(self, schema: Any, depth: int = 0) -> Iterator[Mapping[str, Any]]:
        """Yield a schema and every alternative in it, behind references."""
        if not isinstance(schema, dict) or depth > _DEEPEST:
            return
        if isinstance(reference := schema.get("$ref"), str):
            yield from self._branches(self._referred(reference), depth + 1)
        alternatives = [
            each
            for name in _BRANCHES
            if isinstance(schema.get(name), list)
            for each in schema[name]
        ]
        if set(schema) - {"$ref", *_BRANCHES}:
            yield schema
        for each in alternatives:
            yield from self._branches(each, depth + 1)

    def _referred(self, reference: str) -> Any:
        schema: Any = self._root
        if not reference.startswith("#"):
            return None
        for step in reference[1:].split("/")[1:]:
            name = step.replace("~1", "/").replace("~0", "~")
            schema = schema.get(name) if isinstance(schema, dict) else None
        return schema


def _types(schema: Mapping[str, Any]) -> set[str]:
    types = schema.get("type", ())
    return {types} if isinstance(types, str) else {str(kind) for kind in types}

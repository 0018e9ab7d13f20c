"""Compiles the mappings of a stream against its SCHEMA: which field of a record goes where.

Records become one object or several, parents first.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from target_totango.mapping.compiler.auto import recognise
from target_totango.mapping.compiler.mapping import compile_mapping
from target_totango.objects import OBJECTS
from totango_api.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from target_totango.mapping.compiler.stream_mapping import StreamMapping
    from target_totango.mapping.config import MappingConfig
    from target_totango.mapping.known_attributes import KnownAttributes

__all__ = ["compile_mapping", "compile_stream"]


def compile_stream(
    stream: str,
    configs: Sequence[MappingConfig],
    *,
    schema: Mapping[str, Any],
    keys: Sequence[str],
    known: KnownAttributes,
) -> list[StreamMapping]:
    """Compile the mappings of a stream; none if it fits no object.

    Args:
        stream: Its name.
        configs: The entries for it.
        schema: JSON schema of its records.
        keys: Its key properties.
        known: The service's attributes.

    Raises:
        InputError: If a mapping cannot be used, or two write the same.
    """
    recognised = recognise(stream, schema.get("properties") or {}, keys)
    objects = [config.object or recognised for config in configs]
    if None in objects:
        return []
    mappings: list[StreamMapping] = []
    for config, object_ in zip(configs, map(str, objects), strict=True):
        number = sum(mapping.object == object_ for mapping in mappings)
        mapping = compile_mapping(
            replace(config, is_alone=len(configs) == 1),
            object_=object_,
            # Counts, ledger and rejects tell two mappings to one object apart by this name.
            stream=f"{stream} ({number + 1})" if number else stream,
            schema=schema,
            known=known,
        )
        mappings.append(mapping)
    _check_distinct(stream, mappings)
    return sorted(mappings, key=lambda mapping: OBJECTS[mapping.object].rank)


def _check_distinct(stream: str, mappings: Sequence[StreamMapping]) -> None:
    """Check that no two mappings write to the same rows of an object.

    Raises:
        InputError: If two do.
    """
    seen: set[tuple[str, ...]] = set()
    for mapping in mappings:
        same = (mapping.object, *(column.source.label for column in mapping.ids))
        if same in seen:
            msg = f"Stream {stream!r} has two mappings to the same {mapping.object}."
            raise InputError(msg, remedy="Make one of them, or give one another id.")
        seen.add(same)

"""A record turned into a write request by itself, and all that is said of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from target_totango.mapping.transform import Transformer
from target_totango.models import Row, SourceStream

if TYPE_CHECKING:
    from collections.abc import Mapping

    from target_totango.mapping.compiler.stream_mapping import StreamMapping
    from target_totango.models import ValidationError, WriteRequest


class Transformed(NamedTuple):
    """What a row is given, and what the transformer says of it."""

    request: WriteRequest
    errors: tuple[ValidationError, ...]
    failed: tuple[str, ...]
    left_out: tuple[ValidationError, ...]
    changes: Mapping[str, int]


def transform(
    how: StreamMapping | Transformer,
    record: Mapping[str, Any],
    *,
    ids_alone: bool = False,
    is_plain: bool = False,
) -> Transformed:
    """Transform a record by a mapping, or by a transformer that has seen others before."""
    transformer = how if isinstance(how, Transformer) else Transformer(how)
    row = Row(1, SourceStream("s", {}, ()), {}, "s", "accounts")
    if ids_alone:
        transformer.transform_ids(record, row)
    else:
        transformer.transform(record, row, is_plain=is_plain)
    left_out = tuple(transformer.left_out)
    return Transformed(row.request, row.errors, row.faulty, left_out, dict(transformer.changes))

"""Says which rows a run of one of several parts writes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from target_totango.models import Row
    from totango_api.command import Part


def is_of_part(row: Row, part: Part | None) -> bool:
    """Return whether a run of this part writes the row, or rejects it."""
    if part is None:
        return True
    if row.write is not None and row.write.account_id:
        return part.holds(row.write.account_id)
    record = json.dumps(row.message.get("record"), sort_keys=True, default=str)
    return part.holds(record)

"""Names the settings on which it depends which accounts and users a stream holds."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any, Final

from target_totango.mapping.config import fits

if TYPE_CHECKING:
    from collections.abc import Mapping

_OF_MAPPINGS: Final = (
    "object",
    "account_id",
    "user_id",
    "deleted_when",
    "match_on",
    "create",
    "salesforce_ids",
    "accidental_ids",
    "incomplete_templates",
)
"""Keys of mappings, which are settings as well."""

_OF_STREAMS: Final = (
    "preset",
    "stream_maps",
    "stream_map_config",
    "flattening_enabled",
    "flattening_max_depth",
    "flattening_separator",
)


def identity_of(stream: str, config: Mapping[str, Any]) -> str:
    """Return what stands for how the ids of a stream are made and its rows filtered."""
    entries = [
        {key: entry.get(key) for key in (*_OF_MAPPINGS, "stream")}
        for entry in config.get("mappings") or []
        if fits(str(entry.get("stream")), stream)
    ]
    named = {key: config.get(key) for key in (*_OF_MAPPINGS, *_OF_STREAMS)}
    text = json.dumps([entries, named], sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()

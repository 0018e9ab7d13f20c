"""Compiles the mappings of a run, as the SCHEMA of each stream comes."""

from __future__ import annotations

import functools
import hashlib
import json
import logging
from typing import TYPE_CHECKING, Any, Final

from target_totango.config_schema import SEGMENT
from target_totango.mapping import Segment, compile_stream, fits, log_mapping, mappings_of
from totango_api.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from target_totango.clients import Clients
    from target_totango.config import Settings
    from target_totango.mapping import SegmentStream, StreamMapping
    from target_totango.storage import KnownGroups

STREAMS_LOGGED: Final = 100
"""Of streams beyond this number, the mapping is not logged any more."""

MELTANO_TEST: Final = "meltano_test_stream"
"""The stream with which `meltano config test` tries loaders: a made-up row."""

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

logger = logging.getLogger("target-totango")


class CompiledMappings:
    """Compiles the mappings of streams, and notes which entries were of use.

    Args:
        settings: The target's settings.
        clients: Which attributes the service has.
        known_groups: Which group each user was last in, where that is remembered.
    """

    def __init__(
        self, settings: Settings, clients: Clients, known_groups: KnownGroups | None
    ) -> None:
        self._settings = settings
        self._clients = clients
        self._known_groups = known_groups
        self._streams: set[str] = set()

    def compile(
        self, stream: str, schema: Mapping[str, Any], keys: Sequence[str]
    ) -> list[StreamMapping]:
        """Return the mappings of a stream; none when it is to be ignored.

        Raises:
            InputError: If it fits nothing, or its mapping cannot be used.
        """
        self._streams.add(stream)
        if self.is_only_a_test(stream):
            logger.info("%s is how Meltano tries loaders: nothing of it is written.", stream)
            return []
        mappings = compile_stream(
            stream,
            self._settings.mappings_for(stream),
            schema=schema,
            keys=keys,
            known=self._clients.known,
        )
        if not mappings and self._settings.ignore_unmapped:
            logger.warning("Stream %r fits no object and is ignored.", stream)
        elif not mappings:
            msg = f"Stream {stream!r} fits no object of Totango and no mapping."
            raise InputError(
                msg, remedy="Give it one in mappings, or set unmapped_streams: ignore."
            )
        for mapping in mappings if len(self._streams) <= STREAMS_LOGGED else ():
            log_mapping(mapping)
        return mappings

    def is_only_a_test(self, stream: str) -> bool:
        """Return whether Meltano sends a stream to try the target, and no mapping names it."""
        named = any(config.stream == stream for config in self._settings.mappings)
        return stream == MELTANO_TEST and not named

    def segment_of(self, stream: str, fields: Mapping[str, Any]) -> SegmentStream | None:
        """Return the preset's reader of a stream; None if it holds no calls of Segment.

        A mapping that says where the account comes from takes the place of the preset.
        """
        if self._segment is None:
            return None
        configs = mappings_of(stream, self._settings.mappings)
        if any("account_id" in config.sources for config in configs):
            return None
        self._streams.add(stream)
        return self._segment.stream(stream, fields, configs)

    @functools.cached_property
    def _segment(self) -> Segment | None:
        settings = self._settings
        if settings.preset != SEGMENT:
            return None
        return Segment(
            self._clients.known, settings.default_mapping, settings.segment, self._known_groups
        )

    def log_unused(self) -> None:
        """Log the entries that fitted no stream."""
        for entry in self._settings.mappings:
            if not any(entry.fits(stream) for stream in self._streams):
                logger.warning("The mapping for %r fitted no stream.", entry.stream)


def identity_of(stream: str, config: Mapping[str, Any]) -> str:
    """Return a digest of the settings by which a stream's ids are made and its rows filtered."""
    entries = [
        {key: entry.get(key) for key in (*_OF_MAPPINGS, "stream")}
        for entry in config.get("mappings") or []
        if fits(str(entry.get("stream")), stream)
    ]
    named = {key: config.get(key) for key in (*_OF_MAPPINGS, *_OF_STREAMS)}
    text = json.dumps([entries, named], sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()

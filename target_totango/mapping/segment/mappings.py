"""Maps Segment's calls: mappings grow with the traits that come, since no SCHEMA names them all."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from target_totango.mapping import expressions
from target_totango.mapping.compiler import compile_mapping
from target_totango.mapping.compiler.description import log_mapping
from target_totango.mapping.config import DROP, MappingConfig
from target_totango.mapping.policy import LEAVE_OUT
from target_totango.mapping.sources import Source
from target_totango.mapping.values.dates import EPOCH, ISO
from target_totango.models import ACCOUNTS
from target_totango.objects import OBJECTS
from totango_api.search import attributes as kinds

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from target_totango.mapping.compiler.stream_mapping import StreamMapping
    from target_totango.mapping.known_attributes import KnownAttributes

GROUP_ID_FIELD: Final = "context.groupId"
USER_ID_FIELD: Final = "userId"
TIME: Final = "timestamp"
RECORD: Final = ""
"""Fields of a flat record beside names of attributes.

The last one holds the record as it came, with its traits beside its columns.
"""

ATTRIBUTES_LOGGED: Final = 500
"""Of traits beyond this number, what becomes of them is not logged any more."""

_IDS: Final = {"account_id": GROUP_ID_FIELD, "user_id": USER_ID_FIELD}
_DATES: Final = (ISO, EPOCH)


class GrowingMapping:
    """Maps a stream's calls to one object; every new trait becomes another attribute.

    Args:
        stream: The stream's name.
        object_: The object.
        config: What holds for it. What its sources say is added, and read from the record itself.
        known: The service's attributes.
        on_create: Attributes of accounts that rows create without naming them.
    """

    def __init__(
        self,
        stream: str,
        object_: str,
        config: MappingConfig,
        known: KnownAttributes,
        on_create: Mapping[str, str],
    ) -> None:
        self._stream = stream
        self._on_create = on_create
        self._object = OBJECTS[object_]
        self._config = config
        self._known = known
        self._ids = {
            identifier.name: _IDS.get(identifier.name, identifier.name)
            for identifier in self._object.ids
        }
        self._beside = {*self._ids.values(), GROUP_ID_FIELD, USER_ID_FIELD, RECORD}
        self._names: dict[str, None] = {}
        self._mapping: StreamMapping | None = None

    def of(self, fields: Mapping[str, Any], unused: Callable[[], Sequence[str]]) -> StreamMapping:
        """Return the mapping for a flat record.

        Args:
            fields: The record.
            unused: Returns what of the call is not written, for the log.
        """
        new = [name for name in fields if name not in self._names and name not in self._beside]
        if new or self._mapping is None:
            if len(self._names) < ATTRIBUTES_LOGGED:
                log_mapping(replace(self._compiled(new), left_out=tuple(unused())))
            self._names.update(dict.fromkeys(new))
            self._mapping = self._compiled(self._names)
        return self._mapping

    def _compiled(self, names: Collection[str]) -> StreamMapping:
        named = {attribute.setting for attribute in self._object.named}
        settings = self._ids | {name: name for name in names if name in named}
        sources = {name: Source(expressions.field(field)) for name, field in settings.items()}
        if TIME in names:
            sources["activity_time"] = Source(expressions.field(TIME), _DATES)
        attributes = {
            name: self._attribute(name) for name in names if name not in named and name != TIME
        }
        config = self._config
        if self._object.name == (config.object or ACCOUNTS):
            sources |= {name: _of_record(source) for name, source in config.sources.items()}
            attributes |= {name: _of_record(source) for name, source in config.attributes.items()}
        mapping = compile_mapping(
            replace(
                config,
                sources=sources,
                attributes=attributes,
                unmapped=DROP,
                # One odd trait is no reason to lose the others.
                policy=replace(config.policy, invalid_attributes=LEAVE_OUT),
            ),
            object_=self._object.name,
            stream=self._stream,
            schema={},
            known=self._known,
        )
        return replace(mapping, on_create=self._on_create)

    def _attribute(self, name: str) -> Source:
        attribute = self._known.get(self._object.name, name)
        is_date = attribute is not None and attribute.kind == kinds.DATE
        return Source(expressions.field(name), _DATES if is_date else ())


def _of_record(source: Source) -> Source:
    """Return a source that reads the original record instead of the flattened one."""
    expression = source.expression

    def read(fields: Mapping[str, Any]) -> Any:
        return expression.read(fields[RECORD])

    return replace(source, expression=replace(expression, read=read, field=None))

"""Compiles a mapping against a SCHEMA: which field of a record goes where in Totango."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from target_totango.mapping import expressions
from target_totango.mapping.compiler.auto import attribute_fields, find_field, find_time
from target_totango.mapping.compiler.conversions import Conversions
from target_totango.mapping.compiler.schemas import StreamSchema
from target_totango.mapping.compiler.stream_mapping import (
    MATCH,
    AttributeColumn,
    IdColumn,
    StreamMapping,
    TimeColumn,
    match_column,
    match_of,
)
from target_totango.mapping.deletion import DEFAULT_MARK, well_known_marks
from target_totango.mapping.sources import Source
from target_totango.mapping.values.named import record_problems
from target_totango.models import HUB, TRACKING
from target_totango.objects import OBJECTS, SCOPES, TEXT, NamedAttribute, TotangoObject
from totango_api.errors import InputError
from totango_api.writing import attribute_name_problems, has_blank_end

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from target_totango.mapping.config import MappingConfig
    from target_totango.mapping.deletion import DeletionMark
    from target_totango.mapping.expressions import Expression
    from target_totango.mapping.known_attributes import KnownAttributes


def compile_mapping(
    config: MappingConfig,
    *,
    object_: str,
    stream: str,
    schema: Mapping[str, Any],
    known: KnownAttributes,
) -> StreamMapping:
    """Compile a mapping against a stream's SCHEMA.

    Raises:
        InputError: With every problem at once.
    """
    compiler = _Compiler(config, OBJECTS[object_], StreamSchema(schema), known)
    mapping = compiler.mapping(stream)
    if compiler.problems:
        listed = "; ".join(f"({n}) {text}" for n, text in enumerate(compiler.problems, start=1))
        msg = f"Stream {stream!r} cannot be written as {object_}: {listed}."
        raise InputError(msg)
    return mapping


class _Compiler:
    """Compiles one mapping, and collects all of its problems."""

    def __init__(
        self,
        config: MappingConfig,
        object_: TotangoObject,
        schema: StreamSchema,
        known: KnownAttributes,
    ) -> None:
        self.problems: list[str] = []
        self._config = config
        self._object = object_
        self._schema = schema
        self._known = known
        self._match = None if config.match is None else match_of(config.match, object_)
        self._conversions = Conversions(schema, known, config.policy)

    def mapping(self, stream: str) -> StreamMapping:
        config, fields = self._config, self._schema.fields
        delivery = self._delivery()
        ids, columns = tuple(self._ids()), tuple(self._columns())
        sources = [*(column.source for column in ids), *(column.source for column in columns)]
        used = {name for source in sources for name in source.fields}
        sent = {column.source.field for column in columns}
        unknown = [column for column in columns if self._is_unknown(column)]
        return StreamMapping(
            stream=stream,
            object=self._object.name,
            delivery=delivery,
            ids=ids,
            columns=columns,
            policy=config.policy,
            options=config.options,
            recency=self._mapped("recency_field"),
            deletion=self._deletion(),
            marks=well_known_marks(fields) if config.deletion is DEFAULT_MARK else (),
            activity_time=self._activity_time(),
            left_out=tuple(name for name in fields if name not in used),
            nested=tuple(n for n in fields if n in sent and "object" in self._schema.types(n)),
            new=tuple(c.api_name for c in unknown if self._is_listed(c)),
            guessed=tuple(c.api_name for c in unknown if not self._is_listed(c)),
            blank_ends=tuple(c.api_name for c in columns if has_blank_end(c.api_name)),
            match=self._match,
            note=config.note,
            announced=frozenset(fields) if config.includes_unmapped else None,
        )

    def _deletion(self) -> DeletionMark:
        """Return the deletion mark; check that the stream has the field that the mapping names."""
        mark = self._config.deletion
        if mark.is_own:
            self._checked(Source(mark.expression), "deleted_when")
        return mark

    def _delivery(self) -> str:
        allowed = self._object.deliveries
        if {TRACKING, HUB}.isdisjoint(allowed):
            return allowed[0]  # there is no choice
        if self._config.delivery not in allowed:
            self.problems.append(f"{self._object.name} need delivery: {' or '.join(allowed)}")
        return self._config.delivery

    def _mapped(self, setting: str) -> Expression | None:
        """Return the expression of a setting; check that the stream has its fields."""
        source = self._config.sources.get(setting)
        return None if source is None else self._checked(source, setting).expression

    def _checked(self, source: Source, setting: str) -> Source:
        self.problems += [
            f"{setting}: the stream has no field {path!r}"
            for path in source.expression.paths
            if not self._schema.holds(path)
        ]
        return source

    def _ids(self) -> Iterator[IdColumn]:
        if self._config.match is not None:
            value = self._checked(self._config.match.source, MATCH).expression
            yield match_column(self._config.match, is_whole=self._schema.is_whole(value.field))
        for identifier in self._object.ids:
            name = identifier.name
            match, source = self._match, self._mapped(name)
            if source is None and match is not None and not match.creates and name in match.ids:
                continue
            source = source or self._found_id(name)
            if source is None:
                self.problems.append(f"{name} is missing: map it, as in {{{name!r}: 'your_field'}}")
                continue
            is_whole = self._schema.is_whole(source.field)
            yield IdColumn(name, source, is_whole, identifier.is_id, identifier.problems_of)

    def _found_id(self, name: str) -> Expression | None:
        column = find_field(name, self._schema.fields)
        if column is None and name == "user_id":
            column = find_field("email", self._schema.fields)
        return None if column is None else expressions.field(column)

    def _columns(self) -> list[AttributeColumn]:
        columns = [*self._named()]
        if self._object.engagement is not None:
            mapped = {column.api_name for column in columns}
            self.problems += record_problems(self._object, self._config.attributes, mapped)
        elif (scope := self._object.scope) is not None:
            for api_name, source in self._config.attributes.items():
                self._checked(source, f"attributes[{api_name!r}]")
                columns.append(self._column(api_name, scope, source))
            columns += self._unmapped(scope, columns)
        self._check_names(columns)
        return columns

    def _named(self) -> Iterator[AttributeColumn]:
        """Yield the attributes that have a setting of their own, mapped or found."""
        for attribute in self._object.named:
            source = self._config.sources.get(attribute.setting)
            if self._config.delivery == HUB and attribute.scope != self._object.scope:
                # A hub row is about one object.
                if source is not None:
                    whom = f"{attribute.setting} cannot travel with {self._object.name}"
                    self.problems.append(f"{whom} through the hub")
                continue
            if source is not None:
                self._checked(source, attribute.setting)
            else:
                source = self._found(attribute)
            if source is not None:
                column = self._column(attribute.api_name, attribute.scope, source)
                yield self._as_named(column, attribute, source)

    def _as_named(
        self, column: AttributeColumn, attribute: NamedAttribute, source: Source
    ) -> AttributeColumn:
        """Return a column with the conversion, the length and the checks of its attribute."""
        limit, convert = attribute.max_length or column.limit, column.convert
        if attribute.kind != TEXT or attribute.choices:
            convert = self._conversions.of_named(attribute, source)
            limit = sys.maxsize  # what it becomes is no text of the row's
        return replace(column, convert=convert, limit=limit, problems_of=attribute.problems_of)

    def _found(self, attribute: NamedAttribute) -> Source | None:
        if not (self._config.finds_named and attribute.is_found):
            return None
        mapped = self._consumed([*self._config.sources.values(), *self._config.attributes.values()])
        free = [name for name in self._schema.fields if name not in mapped]
        for spelling in (attribute.setting, *attribute.spellings):
            if (column := find_field(spelling, free)) is not None:
                return Source(expressions.field(column))
        return None

    def _unmapped(self, scope: str, columns: Collection[AttributeColumn]) -> list[AttributeColumn]:
        """Return columns for the fields that no setting maps, where those are included."""
        if not self._config.includes_unmapped:
            return []
        taken = {name for column in columns for name in column.source.consumes}
        taken.update(self._config.deletion.expression.consumes)
        if self._config.match is not None:
            taken.update(self._config.match.source.expression.consumes)
        for name, source in self._config.sources.items():
            # An e-mail address that is the user's id stays an attribute too.
            if name != "user_id" or "email" not in source.expression.fields:
                taken.update(source.expression.consumes)
        for identifier in self._object.ids:
            column = find_field(identifier.name, self._schema.fields)
            if identifier.name not in self._config.sources and column is not None:
                taken.add(column)
        explicit = {(column.scope, column.api_name) for column in columns}
        found = []
        for name in attribute_fields(self._schema, taken):
            api_name = self._known.api_name_for(self._object.name, name, self._schema.title(name))
            if (scope, api_name) not in explicit:
                found.append(self._column(api_name, scope, Source(expressions.field(name))))
        return found

    def _column(self, api_name: str, scope: str, source: Source) -> AttributeColumn:
        object_ = self._object_of(scope)
        convert = self._conversions.of_attribute(object_, api_name, source)
        # Whatever brings it: an id is checked as one.
        checks = (
            each.problems_of
            for each in object_.named
            if (each.scope, each.api_name) == (scope, api_name)
        )
        return AttributeColumn(
            api_name,
            scope,
            source.expression,
            convert,
            object_.max_length,
            next(checks, None),
            self._conversions.options_of(object_, api_name),
        )

    def _activity_time(self) -> TimeColumn | None:
        """Return the column with the time of activities; None if there is none."""
        if self._object.is_idempotent:
            return None
        source = self._config.sources.get("activity_time")
        if source is not None:
            self._checked(source, "activity_time")
        elif (name := find_time(self._schema)) is not None:
            source = Source(expressions.field(name))
        if source is None:
            return None
        return TimeColumn(source.expression, self._conversions.of_moment(source))

    def _object_of(self, scope: str) -> TotangoObject:
        return SCOPES.get(scope, self._object)

    def _is_unknown(self, column: AttributeColumn) -> bool:
        """Return whether the service is not known to have an attribute."""
        object_ = SCOPES.get(column.scope)
        return object_ is not None and self._known.is_unknown(object_.name, column.api_name)

    def _is_listed(self, column: AttributeColumn) -> bool:
        """Return whether the service lists the attributes of what a column is about."""
        return SCOPES[column.scope].name in self._known.listed

    def _check_names(self, columns: Collection[AttributeColumn]) -> None:
        seen: dict[tuple[str, str], AttributeColumn] = {}
        for column in columns:
            self.problems += [
                f"the attribute name {column.api_name!r} cannot be used: {problem.message}"
                for problem in attribute_name_problems(column.api_name)
            ]
            other = seen.setdefault((column.scope, column.api_name), column)
            if other is not column:
                self.problems.append(
                    f"{other.source.label!r} and {column.source.label!r} both go to the "
                    f"attribute {column.api_name!r}"
                )

    @staticmethod
    def _consumed(sources: Collection[Source]) -> set[str]:
        return {name for source in sources for name in source.expression.consumes}

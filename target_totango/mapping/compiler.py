"""A mapping, compiled against a SCHEMA: which field of a record goes where in Totango."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

from target_totango.mapping.auto import KnownAttributes, attribute_fields, find_field
from target_totango.mapping.convert import Conversion, to_number, to_text, to_yes_no
from target_totango.mapping.dates import to_date
from target_totango.mapping.expressions import Expression, FieldExpression
from target_totango.models import HUB, REJECT_FIELD
from target_totango.objects import OBJECTS, SCOPES, NamedAttribute, TotangoObject
from totango_api import limits
from totango_api.errors import InputError
from totango_api.search import attributes as kinds
from totango_api.writing.validation import IdProblem, attribute_name_flaws, length_flaws

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from target_totango.mapping.config import ExpressionConfig, MappingConfig

_BLANK: Final = " \N{NO-BREAK SPACE}"


@dataclass(frozen=True, slots=True)
class IdColumn:
    """Where an id, or another part of the key, comes from.

    Attributes:
        whole: Whether the schema says that it is an integer.
    """

    name: str
    source: Expression
    whole: bool
    problems_of: Callable[[str], list[IdProblem]]


@dataclass(frozen=True, slots=True)
class AttributeColumn:
    """Where an attribute comes from, and how it becomes text.

    Attributes:
        scope: `account`, `user` or `fields`.
        limit: Characters that Totango keeps.
        problems_of: For attributes that are ids themselves, which are never cut.
    """

    api_name: str
    scope: str
    source: Expression
    convert: Conversion[str]
    limit: int
    problems_of: Callable[[str], list[IdProblem]] | None = None


@dataclass(frozen=True, slots=True)
class StreamMapping:
    """What becomes of the records of one stream.

    Attributes:
        recency: Source of the moment of a row, by which the most recent one wins.
        left_out: Fields that are not written, for the log.
        nested: Fields that go out as JSON text.
        new: API names that the service does not know yet.
        blank_ends: API names that begin or end with a blank.
        announced: Fields that the SCHEMA names, where all of them are wanted: what a record holds
            beside them is not written.
    """

    stream: str
    object: str
    delivery: str
    ids: tuple[IdColumn, ...]
    columns: tuple[AttributeColumn, ...]
    recency: Expression | None = None
    left_out: tuple[str, ...] = ()
    nested: tuple[str, ...] = ()
    new: tuple[str, ...] = ()
    blank_ends: tuple[str, ...] = ()
    announced: frozenset[str] | None = None


@dataclass
class _Compiler:
    """Collects every problem of a mapping before it says any."""

    spec: MappingConfig
    object: TotangoObject
    stream: str
    schema: Mapping[str, Any]
    known: KnownAttributes
    problems: list[str] = field(default_factory=list)

    @property
    def fields(self) -> Mapping[str, Any]:
        found = self.schema.get("properties")
        return found if isinstance(found, dict) else {}

    @property
    def open(self) -> bool:
        """Whether records may hold fields that the SCHEMA does not name."""
        if not self.fields or "$ref" in self.schema:
            return True
        extra = self.schema.get("additionalProperties")
        return bool(extra) or bool(self.schema.get("patternProperties"))

    def check(self, source: Expression, setting: str) -> Expression:
        for name in source.fields:
            whole = source.label if source.label in self.fields else name
            if whole not in self.fields and not self.open:
                self.problems.append(f"{setting}: the stream has no field {name!r}")
        return source

    def ids(self) -> tuple[IdColumn, ...]:
        found = []
        for identifier in self.object.ids:
            name = identifier.name
            source = self._id_source(name)
            if source is None:
                self.problems.append(f"{name} is missing: map it, as in {{{name!r}: 'your_field'}}")
                continue
            whole = _is_whole(self.fields.get(source.label))
            found.append(IdColumn(name, source, whole, identifier.problems_of))
        return tuple(found)

    def _id_source(self, name: str) -> Expression | None:
        if name in self.spec.sources:
            return self.check(self.spec.sources[name].source, name)
        column = find_field(name, self.fields)
        if column is None and name == "user_id":
            column = find_field("email", self.fields)
        return FieldExpression(column) if column is not None else None

    def columns(self) -> list[AttributeColumn]:
        named: list[AttributeColumn] = []
        scope = self.object.scope
        for attribute in self.object.named:
            setting = attribute.setting
            if self.spec.delivery == HUB and attribute.scope != scope:
                # A hub row is about one object.
                if setting in self.spec.sources:
                    self.problems.append(
                        f"{setting} cannot travel with {self.object.name} through the hub"
                    )
                continue
            if setting in self.spec.sources:
                spec = self.spec.sources[setting]
                self.check(spec.source, setting)
                named.append(self._named(attribute, spec.source, spec))
            elif (column := self._automatic(setting)) is not None:
                named.append(self._named(attribute, FieldExpression(column), None))
        if scope is not None:
            for api_name, spec in self.spec.attributes.items():
                self.check(spec.source, f"attributes[{api_name!r}]")
                named.append(self._column(api_name, scope, spec.source, spec))
            named += self._unmapped(scope, named)
        self._clashes(named)
        return named

    def _automatic(self, name: str) -> str | None:
        column = find_field(name, self.fields) if self.spec.includes else None
        explicit = [*self.spec.sources.values(), *self.spec.attributes.values()]
        if column is None or any(column in spec.source.consumes for spec in explicit):
            return None
        return column

    def _unmapped(self, scope: str, named: list[AttributeColumn]) -> list[AttributeColumn]:
        if not self.spec.includes:
            return []
        taken = {name for column in named for name in column.source.consumes}
        for name, id_spec in self.spec.sources.items():
            if name != "user_id" or "email" not in id_spec.source.fields:
                taken.update(id_spec.source.consumes)
        for identifier in self.object.ids:
            name = identifier.name
            if name not in self.spec.sources and (column := find_field(name, self.fields)):
                taken.add(column)
        explicit = {(column.scope, column.api_name) for column in named}
        found = []
        for name in attribute_fields(self.fields, taken):
            schema = self.fields[name] if isinstance(self.fields[name], dict) else {}
            api_name = self.known.api_name_for(self.object.name, name, schema.get("title"))
            if (scope, api_name) not in explicit:
                found.append(self._column(api_name, scope, FieldExpression(name), None))
        return found

    def _named(
        self, attribute: NamedAttribute, source: Expression, spec: ExpressionConfig | None
    ) -> AttributeColumn:
        column = self._column(attribute.api_name, attribute.scope, source, spec)
        limit = attribute.max_length or column.limit
        return replace(column, limit=limit, problems_of=attribute.problems_of)

    def _column(
        self, api_name: str, scope: str, source: Expression, spec: ExpressionConfig | None
    ) -> AttributeColumn:
        for flaw in _name_flaws(api_name):
            self.problems.append(f"the attribute name {api_name!r} cannot be used: {flaw.message}")
        convert = spec.convert if spec is not None else None
        if convert is None:
            convert = self._conversion(api_name, scope, source)
        limit = self._object_of(scope).max_length
        return AttributeColumn(api_name, scope, source, convert, limit)

    def _object_of(self, scope: str) -> TotangoObject:
        return SCOPES.get(scope, self.object)

    def _conversion(self, api_name: str, scope: str, source: Expression) -> Conversion[str]:
        object_ = self._object_of(scope)
        if api_name in object_.yes_no:
            return to_yes_no
        attribute = self.known.get(object_.name, api_name)
        if attribute is not None:
            by_kind = {kinds.DATE: to_date, kinds.NUMBER: to_number}
            return by_kind.get(attribute.kind, to_text)
        schema = self.fields.get(source.label)
        if isinstance(schema, dict) and schema.get("format") in {"date", "date-time"}:
            return to_date
        return to_text

    def _clashes(self, columns: list[AttributeColumn]) -> None:
        seen: dict[tuple[str, str], AttributeColumn] = {}
        for column in columns:
            other = seen.setdefault((column.scope, column.api_name), column)
            if other is not column:
                self.problems.append(
                    f"{other.source.label!r} and {column.source.label!r} both go to the "
                    f"attribute {column.api_name!r}"
                )


def compile_mapping(
    spec: MappingConfig,
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
    compiler = _Compiler(spec, OBJECTS[object_], stream, schema, known)
    ids, columns = compiler.ids(), compiler.columns()
    recency = None
    if spec.recency is not None:
        recency = compiler.check(spec.recency, "recency_field")
    deliveries = OBJECTS[object_].deliveries
    if spec.delivery not in deliveries:
        compiler.problems.append(f"{object_} need delivery: {' or '.join(deliveries)}")
    if compiler.problems:
        listed = "; ".join(f"({n}) {text}" for n, text in enumerate(compiler.problems, start=1))
        msg = f"Stream {stream!r} cannot be written as {object_}: {listed}."
        raise InputError(msg)
    fields = compiler.fields
    sources = [column.source for column in ids] + [column.source for column in columns]
    used = {name for source in sources for name in source.fields}
    sent = {column.source.label for column in columns}
    return StreamMapping(
        stream=stream,
        object=object_,
        delivery=spec.delivery,
        ids=ids,
        columns=tuple(columns),
        recency=recency,
        left_out=tuple(n for n in fields if n not in used and n != REJECT_FIELD),
        nested=tuple(n for n in fields if n in sent and _may_nest(fields[n])),
        new=_new_names(columns, known),
        blank_ends=tuple(c.api_name for c in columns if _has_blank_end(c.api_name)),
        announced=frozenset({*fields, REJECT_FIELD}) if spec.includes else None,
    )


def _name_flaws(name: str) -> list[IdProblem]:
    """Return why an attribute cannot have a name.

    A blank at an end is not among the reasons: it is odd, but no source says that Totango does
    not take it, and a tenant may have such a name.
    """
    if _has_blank_end(name) and name.strip():
        return attribute_name_flaws(name.strip(_BLANK)) + length_flaws(
            name, limits.ATTRIBUTE_NAME_LENGTH
        )
    return attribute_name_flaws(name)


def _has_blank_end(name: str) -> bool:
    return name != name.strip(_BLANK)


def _new_names(columns: list[AttributeColumn], known: KnownAttributes) -> tuple[str, ...]:
    if not known.defined:
        return ()
    built_in = {named.api_name for each in OBJECTS.values() for named in each.named}
    return tuple(
        column.api_name
        for column in columns
        if column.scope in SCOPES
        and column.api_name not in built_in
        and known.get(SCOPES[column.scope].name, column.api_name) is None
    )


def _types(schema: Any) -> set[str]:
    if not isinstance(schema, dict):
        return set()
    found = schema.get("type", [])
    return {found} if isinstance(found, str) else set(found)


def _is_whole(schema: Any) -> bool:
    return "integer" in _types(schema) and "number" not in _types(schema)


def _may_nest(schema: Any) -> bool:
    return "object" in _types(schema)

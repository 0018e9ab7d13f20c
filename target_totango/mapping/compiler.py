"""A mapping, compiled against a SCHEMA: which field of a record goes where in Totango."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from target_totango.mapping.auto import KnownAttributes, attribute_fields, find_field
from target_totango.mapping.convert import Conversion, to_number, to_text, to_yes_no
from target_totango.mapping.dates import to_date
from target_totango.mapping.expressions import Expression, FieldExpression
from target_totango.models import ACCOUNTS, ACTIVITIES, COLLECTIONS, HUB, REJECT_FIELD, USERS
from totango_api import limits
from totango_api.errors import InputError
from totango_api.search import attributes as kinds
from totango_api.writing.validation import (
    IdProblem,
    account_id_flaws,
    attribute_name_flaws,
    length_flaws,
    product_id_flaws,
    user_id_flaws,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from target_totango.mapping.config import ExpressionConfig, MappingConfig

ACCOUNT: Final = "account"
USER: Final = "user"
COLLECTION: Final = "collection"

IDS_OF: Final = {
    ACCOUNTS: ("account_id",),
    USERS: ("account_id", "user_id"),
    ACTIVITIES: ("account_id", "user_id", "activity", "module"),
    COLLECTIONS: ("account_id", "collection_type", "collection_id"),
}
"""What a row about each object cannot do without."""

_NAMED_OF: Final = {
    ACCOUNTS: ("account_name", "parent_id", "product_id", "ofid"),
    USERS: ("account_name", "user_name", "ofid"),
    ACTIVITIES: (),
    COLLECTIONS: (),
}
"""Attributes that have a setting of their own in a mapping."""

_OWN_SCOPE: Final = {ACCOUNTS: ACCOUNT, USERS: USER, COLLECTIONS: COLLECTION}
_OBJECT_OF: Final = {ACCOUNT: ACCOUNTS, USER: USERS, COLLECTION: COLLECTIONS}
_TEXT_LENGTHS: Final = {
    ACCOUNT: limits.ACCOUNT_TEXT_LENGTH,
    USER: limits.USER_TEXT_LENGTH,
    COLLECTION: limits.COLLECTION_TEXT_LENGTH,
}
_BLANK: Final = " \N{NO-BREAK SPACE}"
_YES_NO: Final = frozenset({"Contact", "Key Contact"})

_ID_FLAWS: Final[dict[str, Callable[[str], list[IdProblem]]]] = {
    "account_id": account_id_flaws,
    "user_id": user_id_flaws,
    "activity": lambda text: length_flaws(text, limits.ACTIVITY_NAME_LENGTH),
    "module": lambda text: length_flaws(text, limits.MODULE_NAME_LENGTH),
    "collection_type": lambda text: length_flaws(text, limits.COLLECTION_TYPE_LENGTH),
    "collection_id": lambda text: length_flaws(text, limits.COLLECTION_ID_LENGTH),
}


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
        scope: `account`, `user` or `collection`.
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
    object: str
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
        for name in IDS_OF[self.object]:
            source = self._id_source(name)
            if source is None:
                self.problems.append(f"{name} is missing: map it, as in {{{name!r}: 'your_field'}}")
                continue
            whole = _is_whole(self.fields.get(source.label))
            found.append(IdColumn(name, source, whole, _ID_FLAWS[name]))
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
        for name in _NAMED_OF[self.object]:
            if (self.spec.delivery, self.object, name) == (HUB, USERS, "account_name"):
                # A hub row is about one object.
                if name in self.spec.sources:
                    self.problems.append("account_name cannot travel with users through the hub")
                continue
            if name in self.spec.sources:
                spec = self.spec.sources[name]
                self.check(spec.source, name)
                named.append(self._named(name, spec.source, spec))
            elif (column := self._automatic(name)) is not None:
                named.append(self._named(name, FieldExpression(column), None))
        if self.object in _OWN_SCOPE:
            scope = _OWN_SCOPE[self.object]
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
        for name in IDS_OF[self.object]:
            if name not in self.spec.sources and (column := find_field(name, self.fields)):
                taken.add(column)
        explicit = {(column.scope, column.api_name) for column in named}
        found = []
        for name in attribute_fields(self.fields, taken):
            schema = self.fields[name] if isinstance(self.fields[name], dict) else {}
            api_name = self.known.api_name_for(self.object, name, schema.get("title"))
            if (scope, api_name) not in explicit:
                found.append(self._column(api_name, scope, FieldExpression(name), None))
        return found

    def _named(
        self, name: str, source: Expression, spec: ExpressionConfig | None
    ) -> AttributeColumn:
        if name == "user_name":
            return self._column("name", USER, source, spec)
        scope = ACCOUNT if name == "account_name" else _OWN_SCOPE[self.object]
        return self._column(name, scope, source, spec)

    def _column(
        self, api_name: str, scope: str, source: Expression, spec: ExpressionConfig | None
    ) -> AttributeColumn:
        for flaw in _name_flaws(api_name):
            self.problems.append(f"the attribute name {api_name!r} cannot be used: {flaw.message}")
        convert = spec.convert if spec is not None else None
        if convert is None:
            convert = self._conversion(api_name, scope, source)
        limit = _TEXT_LENGTHS[scope]
        if (scope, api_name) == (ACCOUNT, "account_name"):
            limit = limits.ACCOUNT_NAME_LENGTH
        problems_of = None
        if scope == ACCOUNT and api_name in {"parent_id", "product_id"}:
            problems_of = account_id_flaws if api_name == "parent_id" else product_id_flaws
        return AttributeColumn(api_name, scope, source, convert, limit, problems_of)

    def _conversion(self, api_name: str, scope: str, source: Expression) -> Conversion[str]:
        if scope == USER and api_name in _YES_NO:
            return to_yes_no
        attribute = self.known.get(_OBJECT_OF[scope], api_name)
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
    compiler = _Compiler(spec, object_, stream, schema, known)
    ids, columns = compiler.ids(), compiler.columns()
    recency = None
    if spec.recency is not None:
        recency = compiler.check(spec.recency, "recency_field")
    if object_ == COLLECTIONS and spec.delivery != HUB:
        compiler.problems.append("collections go through the Integration Hub only: delivery: hub")
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
    built_in = {"account_name", "name", "parent_id", "product_id", "ofid"}
    return tuple(
        column.api_name
        for column in columns
        if column.scope != COLLECTION
        and column.api_name not in built_in
        and known.get(_OBJECT_OF[column.scope], column.api_name) is None
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

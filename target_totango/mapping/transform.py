"""Turns a record into a write request, or into all of its validation errors.

Converters are compiled once for each mapping, because this runs for every row
(benchmarks/transform.py measures it).
"""

from __future__ import annotations

import sys
from collections import Counter
from dataclasses import dataclass, replace
from types import NoneType
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from msgspec import Struct

from target_totango.mapping.convert import (
    Conversion,
    UnfitValueError,
    to_id,
    to_text,
    to_whole_id,
    unicode_text,
)
from target_totango.mapping.expressions import MISSING, Expression, FieldExpression, Missing
from target_totango.models import ACCOUNT, FIELDS, USER, ValidationError, WriteRequest
from target_totango.objects import OBJECTS
from totango_api.writing.validation import (
    SALESFORCE_SHORT,
    IdProblem,
    is_short_salesforce_id,
    length_flaws,
    salesforce_long_id,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from target_totango.mapping.compiler import AttributeColumn, IdColumn, StreamMapping

SKIP: Final = "skip"
CLEAR: Final = "clear"
REJECT: Final = "reject"
TRUNCATE: Final = "truncate"
CONVERT: Final = "convert"
KEEP: Final = "keep"

SALESFORCE_IDS: Final = frozenset({"account_id", "user_id", "parent_id"})
"""Ids that are often those of Salesforce."""

TRUNCATED: Final = "truncated"
CONVERTED: Final = "converted"


@dataclass(frozen=True)
class Policy:
    """What to do where a row is not quite as it should be.

    Attributes:
        null: `skip`, `clear` or `reject` a null. Empty text and empty lists count as null:
            what Totango does with an empty value is not known.
        too_long: `reject` or `truncate` a text that is longer than Totango keeps.
        salesforce: `reject`, `convert` or `keep` a 15-character Salesforce id.
    """

    null: str = SKIP
    too_long: str = REJECT
    salesforce: str = REJECT


class Transformed(Struct):
    """The write request of a record, or why it cannot be sent.

    Attributes:
        request: What could be converted; only complete without errors.
        errors: Everything that is wrong with the record.
        failed: Attributes that have an error, as `account.Plan`.
        changes: How many values were changed as the policy says, by the report's name for it.
    """

    request: WriteRequest
    errors: list[ValidationError] = []
    failed: list[str] = []
    changes: Mapping[str, int] = {}


_Reader: TypeAlias = "Callable[[Mapping[str, Any]], Any]"

_Column: TypeAlias = "tuple[str | int, str, int, Conversion[str | None], int, str]"
"""How one attribute is read, converted and checked.

The field it is read from, or the number of its expression; its API name; how long a text may be
that is sent as it is (0: none is); its conversion, which returns None where nothing is sent; how
many characters Totango keeps; the name that errors give its source. A tuple, because taking apart
anything else takes twice as long.
"""

_Id: TypeAlias = "tuple[str, _Reader, Conversion[str], Callable[[str], str], str]"
"""How an id is read, converted and checked.

Its name, its reader, its conversion, its check, and the name that errors give its source.
"""

_SHORT_SALESFORCE_ID: Final = (
    "a Salesforce id of 15 characters, and Totango asks for the one of 18: {} "
    "(salesforce_ids: convert does this for all rows)"
)


class Transformer:
    """Turns the records of one mapping into write requests. Not thread-safe.

    Args:
        mapping: Which field goes where.
        policy: What to do with what is not quite right.
    """

    def __init__(self, mapping: StreamMapping, policy: Policy) -> None:
        self._mapping = mapping
        self._policy = policy
        self._changes: Counter[str] = Counter()
        self._object = mapping.object
        self._scope = OBJECTS[mapping.object].scope or ACCOUNT
        self._ids = [self._id(column) for column in mapping.ids]
        self._expressions: dict[int, Expression] = {}
        # Most mappings have attributes of one scope only.
        self._scopes = {
            scope: [self._compiled(column) for column in columns]
            for scope in (ACCOUNT, USER, FIELDS)
            if (columns := [column for column in mapping.columns if column.scope == scope])
        }

    def without(self, names: Collection[str]) -> Transformer:
        """Return a transformer that leaves out attributes, given as `account.Plan`."""
        columns = tuple(
            column
            for column in self._mapping.columns
            if f"{column.scope}.{column.api_name}" not in names
        )
        return Transformer(replace(self._mapping, columns=columns), self._policy)

    def transform(self, record: Mapping[str, Any]) -> Transformed:
        """Return what a record asks for, and everything that is wrong with it."""
        result = self.transform_ids(record)
        values: Mapping[Any, Any] = record
        if self._expressions:
            values = {**record, **self._read(record)}
        for scope, columns in self._scopes.items():
            setattr(result.request, scope, self._texts(values, scope, columns, result))
        if self._changes:
            result.changes = dict(self._changes)
            self._changes.clear()
        return result

    def transform_ids(self, record: Mapping[str, Any]) -> Transformed:
        """Return what a record is about, without its attributes."""
        errors: list[ValidationError] = []
        texts: dict[str, str] = {}
        for name, read, conversion, check, label in self._ids:
            try:
                value = read(record)
                texts[name] = text = conversion[type(value)](value)
                texts[name] = check(text)
            except UnfitValueError as error:
                texts.setdefault(name, "")
                errors += _errors(label, name, error)
        account_id, user_id = texts.pop("account_id"), texts.pop("user_id", None)
        return Transformed(
            WriteRequest(self._object, account_id, user_id, self._scope, texts), errors
        )

    def _read(self, record: Mapping[str, Any]) -> dict[int, Any]:
        """Return the values of expressions, or the errors that they end in, by number."""
        values: dict[int, Any] = {}
        for number, expression in self._expressions.items():
            try:
                values[number] = expression.read(record)
            except UnfitValueError as error:
                values[number] = error
        return values

    def _texts(
        self,
        values: Mapping[Any, Any],
        scope: str,
        columns: Sequence[_Column],
        result: Transformed,
    ) -> dict[str, str]:
        texts: dict[str, str] = {}
        read, missing = values.get, MISSING
        for name, api_name, sent_as_is, conversion, limit, label in columns:
            value: Any = read(name, missing)
            kind = type(value)
            if kind is str and 0 < len(value) <= sent_as_is:
                texts[api_name] = value
                continue
            try:
                text = conversion[kind](value)
                if text is not None:
                    texts[api_name] = text if len(text) <= limit else self._cut(text, limit)
            except UnfitValueError as error:
                result.errors += _errors(label, api_name, error)
                result.failed.append(f"{scope}.{api_name}")
        if not "".join(texts.values()).isascii():
            _refuse_half_pairs(texts, scope, columns, result)
        return texts

    def _cut(self, text: str, limit: int) -> str:
        if self._policy.too_long == TRUNCATE:
            self._changes[TRUNCATED] += 1
            return text[:limit]
        raise _unfit(length_flaws(text, limit))

    def _id_check(
        self, name: str, problems_of: Callable[[str], list[IdProblem]]
    ) -> Callable[[str], str]:
        """Return what checks the text of an id, and converts a short Salesforce id."""
        may_be_short = name in SALESFORCE_IDS and self._policy.salesforce != KEEP

        def check(text: str) -> str:
            problems = problems_of(text)
            if len(text) == SALESFORCE_SHORT and may_be_short and is_short_salesforce_id(text):
                whole = salesforce_long_id(text)
                if self._policy.salesforce == CONVERT:
                    self._changes[CONVERTED] += 1
                    return whole
                problems.append(
                    IdProblem("short Salesforce id", _SHORT_SALESFORCE_ID.format(whole))
                )
            if problems:
                raise _unfit(problems)
            return text

        return check

    def _compiled(self, column: AttributeColumn) -> _Column:
        expression = column.source
        name: str | int
        if isinstance(expression, FieldExpression):
            name = expression.name
        else:
            name = len(self._expressions)
            self._expressions[name] = expression
        conversion: Conversion[str] = column.convert
        limit = column.limit
        if column.problems_of is not None:
            check = self._id_check(column.api_name, column.problems_of)
            conversion = Conversion({object: lambda value: check(column.convert(value))})
            limit = sys.maxsize
        sent_as_is = limit if conversion is to_text else 0
        converters = _unless_null(conversion, _NULLS[self._policy.null])
        return name, column.api_name, sent_as_is, converters, limit, expression.label

    def _id(self, column: IdColumn) -> _Id:
        conversion: Conversion[str] = Conversion(to_whole_id if column.whole else to_id)
        conversion[Missing] = conversion[NoneType]
        check = self._id_check(column.name, column.problems_of)
        return column.name, column.source.read, conversion, check, column.source.label


def _unless_null(
    conversion: Conversion[str], null: Callable[[Any], str | None]
) -> Conversion[str | None]:
    """Return a conversion that sends no null, empty text or empty list as it is."""
    compiled: Conversion[str | None] = Conversion(conversion)
    for kind in (str, list):
        compiled[kind] = _unless_empty(conversion[kind], null)
    compiled[NoneType] = null
    compiled[Missing] = _nothing
    compiled[UnfitValueError] = _raise
    return compiled


def _unless_empty(
    convert: Callable[[Any], str], null: Callable[[Any], str | None]
) -> Callable[[Any], str | None]:
    return lambda value: convert(value) if value else null(value)


def _nothing(value: Any) -> None:
    del value


def _clear(value: Any) -> str:
    del value
    return ""


def _reject_null(value: Any) -> str:
    del value
    code = "null"
    raise UnfitValueError(code, "no value")


def _raise(error: UnfitValueError) -> str:
    raise error


_NULLS: Final[dict[str, Callable[[Any], str | None]]] = {
    SKIP: _nothing,
    CLEAR: _clear,
    REJECT: _reject_null,
}


def _refuse_half_pairs(
    texts: Mapping[str, str], scope: str, columns: Sequence[_Column], result: Transformed
) -> None:
    """Add an error for each text that cannot be encoded: half a surrogate pair in it."""
    for _, api_name, _, _, _, label in columns:
        try:
            unicode_text(texts.get(api_name, ""))
        except UnfitValueError as error:
            result.errors += _errors(label, api_name, error)
            result.failed.append(f"{scope}.{api_name}")


def _unfit(problems: Sequence[IdProblem]) -> UnfitValueError:
    first, *others = [(problem.code, problem.message) for problem in problems]
    return UnfitValueError(*first, *others)


def _errors(label: str, name: str, error: UnfitValueError) -> list[ValidationError]:
    return [ValidationError(label, code, f"{name}: {message}") for code, message in error.problems]

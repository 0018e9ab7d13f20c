"""Gives a row its write request, or all of its validation errors.

Converters are compiled once for each mapping, because this runs for every row
(benchmarks/long/transform.py measures it).
"""

from __future__ import annotations

import datetime as dt
import sys
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from target_totango.mapping.compiler.rules import Rules
from target_totango.mapping.compiler.stream_mapping import MATCH
from target_totango.mapping.expressions import MISSING
from target_totango.mapping.policy import LEAVE_OUT, SKIP
from target_totango.mapping.values.convert import Conversion, ConversionError, unicode_text
from target_totango.models import ACCOUNT, FIELDS, SUBJECT_IDS, USER, ValidationError
from target_totango.objects import OBJECTS
from totango_api.text import counted

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from target_totango.mapping.compiler.stream_mapping import (
        AttributeColumn,
        IdColumn,
        StreamMapping,
        TimeColumn,
    )
    from target_totango.mapping.expressions import Expression
    from target_totango.models import Row, WriteRequest

_SECONDS_PER_DAY: Final = 86_400


_Convert: TypeAlias = "Callable[[Any], str | None]"
_Column: TypeAlias = "tuple[str | int, str, int, _Convert, Conversion[str | None], int, str]"
"""How one attribute is read, converted and checked.

The field it is read from, or the number of its expression; its API name; how long a text may be
that is sent as it is (-1: none is); what converts texts that begin with a visible character; its
conversion, which returns None where nothing is sent; how many characters Totango keeps; the name
that errors give its source. A tuple, because taking apart anything else takes twice as long.
"""

_Id: TypeAlias = (
    "tuple[str, str | int, Callable[[str], object], Conversion[str], Callable[[str], str], str]"
)
"""How one id is read, converted and checked.

Its name; its field; what knows texts that are taken as they are; conversion, check, source.
"""


class Transformer:
    """Turns the records of one mapping into write requests. Not thread-safe.

    Args:
        mapping: Which field goes where.

    Attributes:
        changes: How many values of the last record were changed as the policy says, by the
            report's name for it.
        left_out: What is wrong with attributes of it that are left out, as `invalid_attributes`
            says.
    """

    def __init__(self, mapping: StreamMapping) -> None:
        self.changes: Counter[str] = Counter()
        self.left_out: list[ValidationError] = []
        self._mapping = mapping
        self._object = mapping.object
        self._scope = OBJECTS[mapping.object].scope or ACCOUNT
        self._rules = Rules(mapping.policy, self.changes)
        self._time = mapping.activity_time
        self._match = mapping.match
        self._max_age = mapping.policy.max_activity_age_days
        self._is_special = self._max_age is not None or bool(mapping.on_create)
        self._skips_nulls = mapping.policy.null_policy == SKIP
        self._leaves_out = mapping.policy.invalid_attributes == LEAVE_OUT
        self._expressions: dict[int, Expression] = {}
        self._ids = [self._compiled_id(column) for column in mapping.ids]
        # Most mappings have attributes of one scope only.
        self._scopes = [
            (scope, [self._compiled(column) for column in columns])
            for scope in (ACCOUNT, USER, FIELDS)
            if (columns := [column for column in mapping.columns if column.scope == scope])
        ]
        # Of plain texts, no conversion makes others; expressions may add a constant.
        keeps_plain = mapping.policy.list_separator.isprintable()
        self._keeps_plain = keeps_plain and not self._expressions

    def without(self, names: Collection[str]) -> Transformer:
        """Return a transformer that leaves out attributes, given as `account.Plan`."""
        columns = tuple(
            column
            for column in self._mapping.columns
            if f"{column.scope}.{column.api_name}" not in names
        )
        return Transformer(replace(self._mapping, columns=columns))

    def transform(self, record: Mapping[str, Any], row: Row, *, is_plain: bool = False) -> None:
        """Give a row the write request of a record, and all of its errors: then it is not whole.

        Args:
            record: The record.
            row: The row.
            is_plain: Whether all texts of the record are plain: see `MessageReader`.
        """
        values = self._evaluated(record) if self._expressions else record
        request = self._about(values, row)
        for scope, columns in self._scopes:
            texts = self._texts(values, scope, columns, row)
            # Control characters, half surrogate pairs and blanks other than " " are not printable.
            is_clean = (is_plain and self._keeps_plain) or "".join(texts.values()).isprintable()
            if not is_clean:
                self._clean(texts, scope, columns, row)
            setattr(request, scope, texts)
        if self._is_special:
            self._add_special(record, request, row)

    def transform_ids(self, record: Mapping[str, Any], row: Row) -> None:
        """Give a row the ids of a record without its attributes, and their errors."""
        self._about(self._evaluated(record), row)

    def _add_special(self, record: Mapping[str, Any], request: WriteRequest, row: Row) -> None:
        """Add what few mappings set: the oldest activity, and defaults of new accounts."""
        if self._max_age is not None and self._time is not None:
            row.errors += _age_errors(record, self._time, self._max_age)
        request.on_create = {
            name: text
            for name, text in self._mapping.on_create.items()
            if name not in request.account
        }

    def _about(self, values: Mapping[Any, Any], row: Row) -> WriteRequest:
        """Give a row's write request the ids of a record, and return it."""
        if self.changes or self.left_out:
            self.changes.clear()
            self.left_out.clear()
        texts: dict[str, str] = {}
        for name, field, is_ordinary, conversion, check, label in self._ids:
            value = values.get(field, MISSING)
            if type(value) is str and is_ordinary(value):
                texts[name] = value
                continue
            try:
                texts[name] = text = conversion[type(value)](value)
                texts[name] = check(text)
            except ConversionError as error:
                texts.setdefault(name, "")
                row.errors += _errors(label, name, error)
                row.faulty += (name,) if name in SUBJECT_IDS else ()
        request = row.request
        request.object, request.scope = self._object, self._scope
        request.account_id = texts.pop("account_id", "")
        request.user_id = texts.pop("user_id", None)
        request.parts = texts
        if self._match is not None:
            request.match = self._match._replace(value=texts.pop(MATCH))
        return request

    def _evaluated(self, record: Mapping[str, Any]) -> Mapping[Any, Any]:
        """Return a record with the values of expressions by number, or the errors they end in."""
        values: dict[Any, Any] = {**record}
        for number, expression in self._expressions.items():
            try:
                values[number] = expression.read(record)
            except ConversionError as error:
                values[number] = error
        return values

    def _texts(
        self,
        values: Mapping[Any, Any],
        scope: str,
        columns: Sequence[_Column],
        row: Row,
    ) -> dict[str, str]:
        texts: dict[str, str] = {}
        read, skips_nulls = values.get, self._skips_nulls
        missing = None if skips_nulls else MISSING
        for name, api_name, sent_as_is, of_visible, conversion, limit, label in columns:
            value: Any = read(name, missing)
            # What begins with a blank may be blank as a whole.
            if type(value) is str and value >= "!":
                if len(value) <= sent_as_is:
                    texts[api_name] = value
                    continue
                # Blanks beyond ASCII are no less blank.
                convert = of_visible if value < "\x7f" else conversion[str]
            elif value is None and skips_nulls:
                continue
            else:
                convert = conversion[type(value)]
            try:
                text = convert(value)
                if text is not None:
                    texts[api_name] = (
                        text if len(text) <= limit else self._rules.shorten(text, limit)
                    )
            except ConversionError as error:
                self._add_error(error, scope, api_name, label, row)
        return texts

    def _clean(
        self,
        texts: dict[str, str],
        scope: str,
        columns: Sequence[_Column],
        row: Row,
    ) -> None:
        """Look at each text for half surrogate pairs, control characters, and blanks alone."""
        for _, api_name, *_, label in columns:
            text = texts.pop(api_name, None)
            if text is None:
                continue
            try:
                cleaned = self._rules.clean(text) if text else text
                if cleaned is not None:
                    texts[api_name] = cleaned
            except ConversionError as error:
                self._add_error(error, scope, api_name, label, row)

    def _add_error(
        self, error: ConversionError, scope: str, api_name: str, label: str, row: Row
    ) -> None:
        if self._leaves_out:
            self.left_out += _errors(label, api_name, error)
            return
        row.errors += _errors(label, api_name, error)
        row.faulty += (f"{scope}.{api_name}",)

    def _compiled(self, column: AttributeColumn) -> _Column:
        name = self._field(column.source)
        limit = column.limit if column.problems_of is None else sys.maxsize
        is_checked = column.problems_of is not None or column.options is not None
        is_text = not is_checked and column.convert[str] is unicode_text
        sent_as_is = limit if is_text else -1
        conversion = self._rules.attribute(column)
        of_visible = self._rules.visible_text(column)
        return name, column.api_name, sent_as_is, of_visible, conversion, limit, column.source.label

    def _compiled_id(self, column: IdColumn) -> _Id:
        source, is_ordinary, conversion, check = self._rules.identifier(column)
        return column.name, self._field(source), is_ordinary, conversion, check, source.label

    def _field(self, source: Expression) -> str | int:
        """Return the field that an expression is, or the number by which its value is found."""
        if source.field is not None:
            return source.field
        number = len(self._expressions)
        self._expressions[number] = source
        return number


def _age_errors(
    record: Mapping[str, Any], column: TimeColumn, days: float
) -> tuple[ValidationError, ...]:
    """Return why an activity is too old to be counted now."""
    label = column.source.label
    try:
        value = column.source.read(record)
        if value is None or value is MISSING or value == "":
            return ()
        happened = dt.datetime.fromisoformat(column.convert(value))
    except ConversionError as error:
        return _errors(label, "activity_time", error)
    if happened.tzinfo is None:
        happened = happened.replace(tzinfo=dt.UTC)
    if (dt.datetime.now(tz=dt.UTC) - happened).total_seconds() <= days * _SECONDS_PER_DAY:
        return ()
    message = f"happened more than {counted(days, 'day', form='g')} ago (max_activity_age_days)"
    return (ValidationError(label, "too old", message),)


def _errors(label: str, name: str, error: ConversionError) -> tuple[ValidationError, ...]:
    return tuple(
        ValidationError(label, code, f"{name}: {message}") for code, message in error.problems
    )

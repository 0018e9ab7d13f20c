"""Builds the conversion of a column: that of its type, adjusted by the policy for odd values.

A conversion is a table from the type of a value to what converts it, so that each value is looked
at once.
"""

from __future__ import annotations

import re
from dataclasses import replace
from types import NoneType
from typing import TYPE_CHECKING, Any, Final

from target_totango.mapping.expressions import Incomplete, Missing
from target_totango.mapping.policy import (
    CLEAR,
    CONVERT,
    KEEP,
    NULL,
    REJECT,
    SKIP,
    TRUNCATE,
    Policy,
)
from target_totango.mapping.values.convert import (
    Conversion,
    ConversionError,
    refuse,
    shown,
    to_id,
    to_text,
    to_whole_id,
    unicode_text,
)
from totango_api.writing import (
    SALESFORCE_SHORT,
    IdProblem,
    is_short_salesforce_id,
    length_problems,
    salesforce_long_id,
    user_id_problems,
)

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Callable, Mapping, Sequence

    from target_totango.mapping.compiler.stream_mapping import AttributeColumn, IdColumn
    from target_totango.mapping.expressions import Expression
    from target_totango.mapping.values.named import Options

    Reader = Callable[[Mapping[str, Any]], Any]

TRUNCATED: Final = "truncated"
CONVERTED: Final = "converted"
CONTROLS: Final = "controls"
BLANKS: Final = "blanks"
INCOMPLETE: Final = "incomplete"
UNKNOWN_OPTIONS: Final = "unknown_options"

_NOTHING: Final = frozenset(
    {
        *("null", "none", "nil", "nan", "nat", "undefined", "n/a", "#n/a", "\\n"),
        *("(null)", "(none)", "<null>", "[null]", "[object object]"),
    }
)
"""What programs write for nothing."""

_FLOAT: Final = re.compile(r"-?\d+\.0+|-?\d+(?:\.\d+)?e\+?\d+", re.ASCII | re.IGNORECASE)
_ORDINARY_ID: Final = re.compile(r"(?![NUnu]|.{15}\Z)[A-Za-z0-9_-]{1,100}")
_ORDINARY_USER_ID: Final = re.compile(r"(?![NUnu\d-]|.{15}\Z)[A-Za-z0-9_@.-]{1,100}", re.ASCII)
"""Ids that no rule refuses, neither as an accident nor as a Salesforce id: most are so."""

_CONTROLS: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
_SHORT_SALESFORCE_ID: Final = (
    "is a Salesforce id of 15 characters, and Totango asks for the one of 18: {} "
    "(salesforce_ids: convert does this for all rows)"
)


class Rules:
    """Applies the policy of a mapping to values, and counts what it changes.

    Args:
        policy: What to do with what is not quite right.
        changes: Counts values that were changed, by the report's name for it.
    """

    def __init__(self, policy: Policy, changes: Counter[str]) -> None:
        self._policy = policy
        self._changes = changes
        self._null = {SKIP: _skip, CLEAR: _clear, REJECT: _reject_null}[policy.null_policy]

    def attribute(self, column: AttributeColumn) -> Conversion[str | None]:
        """Return the conversion of an attribute; where it returns None nothing is sent."""
        conversion = self._plain(column)
        compiled: Conversion[str | None] = Conversion(conversion)
        for kind in (str, list, tuple):
            compiled[kind] = self._unless_null(conversion[kind])
        compiled[Incomplete] = self._incomplete(compiled[str])
        compiled[NoneType] = self._null
        compiled[Missing] = _skip
        compiled[ConversionError] = _raise
        return compiled

    def visible_text(self, column: AttributeColumn) -> Callable[[Any], str | None]:
        """Return the conversion of an attribute's texts that begin with a visible character.

        Such a text is neither null nor blank, nor is what it becomes.
        """
        return self._plain(column)[str]

    def _plain(self, column: AttributeColumn) -> Conversion[str]:
        """Return the conversion of an attribute's values that are not null."""
        conversion = column.convert
        if column.problems_of is not None:
            check = self._id_check(column.problems_of, is_id=True)
            conversion = Conversion({object: lambda value: check(to_text(value))})
        if column.options is not None:
            conversion = self._among(column.options, conversion)
        return conversion

    def identifier(
        self, column: IdColumn
    ) -> tuple[Expression, Callable[[str], object], Conversion[str], Callable[[str], str]]:
        """Return how an id is read, what knows ordinary ones, and how others are checked."""
        conversion: Conversion[str] = Conversion(to_whole_id if column.is_whole else to_id)
        conversion[Missing] = conversion[NoneType]
        conversion[Incomplete] = _incomplete_id
        conversion[ConversionError] = _raise
        source = column.source
        if source.parts and self._rejects_accidents(column.is_id):
            source = replace(source, read=_reading_no_accident(source.read, source.parts))
        is_user = column.problems_of is user_id_problems
        is_ordinary = (_ORDINARY_USER_ID if is_user else _ORDINARY_ID).fullmatch
        check = self._id_check(column.problems_of, is_id=column.is_id)
        return source, is_ordinary, conversion, check

    def shorten(self, text: str, limit: int) -> str:
        """Return a long text, truncated to what Totango keeps.

        Raises:
            ConversionError: If it is not to be cut.
        """
        if self._policy.too_long == TRUNCATE:
            self._changes[TRUNCATED] += 1
            return text[:limit]
        raise _unfit(length_problems(text, limit))

    def clean(self, text: str) -> str | None:
        """Return a text without what cannot be sent; None if nothing is left to send.

        Raises:
            ConversionError: If it cannot be sent.
        """
        cleaned = self._without_controls(text) if _CONTROLS.search(text) else unicode_text(text)
        # What begins with a blank or nothing was looked at when it was converted.
        return self._unless_blank(cleaned) if cleaned >= "!" or cleaned != text else cleaned

    def _without_controls(self, text: str) -> str:
        """Return a text without its control characters, or with them, as the policy says.

        Raises:
            ConversionError: If it may hold none.
        """
        if self._policy.control_characters == REJECT:
            found = " ".join(map(repr, sorted(set(_CONTROLS.findall(text)))))
            refuse("control character", f"holds {found} (see control_characters)")
        self._changes[CONTROLS] += 1
        text = unicode_text(text)
        return text if self._policy.control_characters == KEEP else _CONTROLS.sub("", text)

    def _unless_blank(self, text: str) -> str | None:
        if text.isspace():
            self._changes[BLANKS] += 1
            return self._null(text) if self._policy.blank_texts == NULL else text
        return text or self._null(text)

    def _unless_null(self, convert: Callable[[Any], str]) -> Callable[[Any], str | None]:
        """Return a conversion for texts and lists, of which the empty ones are nulls."""

        def converted(value: Any) -> str | None:
            if not value:
                return self._null(value)
            text = value if isinstance(value, str) and value.isspace() else convert(value)
            return text if text >= "!" else self._unless_blank(text)

        return converted

    def _among(self, options: Options, conversion: Conversion[str]) -> Conversion[str]:
        """Return a conversion that checks values against the options of an attribute."""

        def converted(value: Any) -> str:
            text = conversion(value)
            if unknown := options.unknown(text):
                if self._policy.unknown_options == REJECT:
                    listed = ", ".join(map(shown, unknown))
                    refuse("unknown option", f"{listed} is none of its options: {options}")
                self._changes[UNKNOWN_OPTIONS] += 1
            return text

        return Conversion(dict.fromkeys((*conversion, object), converted))

    def _incomplete(self, convert: Callable[[Any], str | None]) -> Callable[[Any], str | None]:
        def converted(value: Incomplete) -> str | None:
            self._changes[INCOMPLETE] += 1
            return convert(str(value))

        return converted

    def _rejects_accidents(self, is_id: bool) -> bool:
        return is_id and self._policy.accidental_ids == REJECT

    def _id_check(
        self, problems_of: Callable[[str], list[IdProblem]], *, is_id: bool
    ) -> Callable[[str], str]:
        """Return a check of the text of an id, which converts short Salesforce ids if asked."""
        may_be_short = is_id and self._policy.salesforce_ids != KEEP
        rejects_accidents = self._rejects_accidents(is_id)

        def check(text: str) -> str:
            problems = problems_of(text)
            if rejects_accidents and is_accident(text):
                problems.append(_accident(text))
            if len(text) == SALESFORCE_SHORT and may_be_short and is_short_salesforce_id(text):
                whole = salesforce_long_id(text)
                if self._policy.salesforce_ids == CONVERT:
                    self._changes[CONVERTED] += 1
                    return whole
                message = _SHORT_SALESFORCE_ID.format(whole)
                problems.append(IdProblem("short Salesforce id", message))
            if problems:
                raise _unfit(problems)
            return text

        return check


def is_accident(text: str) -> bool:
    """Return whether an id looks like a program's mistake: `None`, `12345.0`."""
    if text.lower() in _NOTHING:
        return True
    return ("." in text or "+" in text) and _FLOAT.fullmatch(text) is not None


def _reading_no_accident(read: Reader, parts: Sequence[Expression]) -> Reader:
    """Return a reader of a template that refuses accidental ids among its parts."""

    def read_checked(record: Mapping[str, Any]) -> Any:
        for part in parts:
            value = part.read(record)
            if value is not None and value is not Missing.MISSING:
                text = to_text(value)
                if text and is_accident(text):
                    raise _unfit([_accident(text)])
        return read(record)

    return read_checked


def _accident(text: str) -> IdProblem:
    return IdProblem(
        "accidental id",
        f"{shown(text)} looks like an accident, not like an id (accidental_ids: keep takes it)",
    )


def _incomplete_id(_: Incomplete) -> str:
    refuse("missing", "a part of its template is missing")


def _skip(_: Any) -> None:
    return None


def _clear(_: Any) -> str:
    return ""


def _reject_null(_: Any) -> str:
    refuse("null", "no value")


def _raise(error: ConversionError) -> str:
    raise error


def _unfit(problems: Sequence[IdProblem]) -> ConversionError:
    first, *others = [(problem.code, problem.message) for problem in problems]
    return ConversionError(*first, *others)

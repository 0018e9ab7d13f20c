"""What a JavaScript `fetch(…)` sends, as browsers, Node.js and Postman write it.

Only values are evaluated: literals, template literals, `+`, variables, `JSON.stringify`,
`encodeURIComponent`, `URLSearchParams` and `FormData`. Nothing is executed.
"""

from __future__ import annotations

import json
import re
from contextlib import suppress
from typing import Any, Final
from urllib.parse import parse_qsl, quote

from totango_api.search.pasted.cursor import Cursor, joined_surrogates
from totango_api.search.pasted.payload import Payload

_FETCH: Final = r"\bfetch\s*\("
_BLANKS: Final = r"(?:\s|//[^\n]*|/\*(?s:.*?)\*/)*"
_NAME: Final = r"[A-Za-z_$][\w$]*"
_STRING: Final = r"""(?s:"((?:[^"\\\n]|\\\r\n|\\.)*)"|'((?:[^'\\\n]|\\\r\n|\\.)*)')"""
_TEMPLATE_TEXT: Final = r"(?s:[^`\\$]|\\.|\$(?!\{))*"
_ESCAPE: Final = re.compile(
    r"""\\(?: u\{([0-9A-Fa-f]+)\} | u([0-9A-Fa-f]{4}) | x([0-9A-Fa-f]{2})
        | (\r\n|[\n\r\u2028\u2029]) | (0)(?![0-9]) | ((?s:.)) )""",
    re.VERBOSE,
)
_LETTERS: Final = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}
_WORDS: Final = {"true": True, "false": False, "null": None, "undefined": None}


def is_fetch(text: str) -> bool:
    """Return whether a text calls `fetch`."""
    return re.search(_FETCH, text) is not None


def payload_of(text: str) -> Payload:
    """Return what the first `fetch(…)` of a text sends.

    Raises:
        PasteError: If it cannot be read.
    """
    script = _Script(text)
    arguments = script.arguments_of_fetch()
    url = str(arguments[0] or "") if arguments else ""
    options = arguments[1] if len(arguments) > 1 and isinstance(arguments[1], dict) else {}
    method, body = str(options.get("method") or "").upper(), options.get("body")
    if isinstance(body, _Pairs):
        return Payload(fields=tuple(body), url=url, method=method)
    return Payload(body=body if isinstance(body, str) else "", url=url, method=method)


class _Pairs(list[tuple[str, str]]):
    """Form fields: a `URLSearchParams` or a `FormData`."""


class _Script:
    """Evaluates values in a script."""

    def __init__(self, text: str, variables: frozenset[str] = frozenset()) -> None:
        self._text = text
        self._cursor = Cursor(text, blanks=_BLANKS, language="JavaScript")
        self._evaluating = variables

    def arguments_of_fetch(self) -> list[Any]:
        """Return the arguments of the first call."""
        match = re.search(_FETCH, self._text)
        self._cursor.place = match.end() if match else len(self._text)
        return self._values(r"\)")

    def _values(self, end: str) -> list[Any]:
        """Return values separated by commas, up to a closing bracket."""
        values: list[Any] = []
        while not self._cursor.take_token(end):
            values.append(self._value())
            if not self._cursor.take_token(","):
                self._cursor.need(end, "a comma or a closing bracket")
                break
        return values

    def _value(self) -> Any:
        value = self._operand()
        while self._cursor.take_token(r"\+"):
            value = f"{value}{self._operand()}"
        return value

    def _operand(self) -> Any:
        value = self._literal()
        while match := self._cursor.take_token(r"\.\s*(?:toString|trim)\(\)"):
            value = str(value).strip() if "trim" in match.group() else value
        if self._cursor.take_token(rf"(?=\.\s*{_NAME}\s*\()"):
            msg = "a method that is not evaluated"
            raise self._cursor.error(msg)
        return value

    def _literal(self) -> Any:
        cursor = self._cursor
        if match := cursor.take_token(_STRING):
            return _unescaped(match.group()[1:-1])
        if cursor.take_token("`"):
            return self._template()
        if cursor.take_token(r"\{"):
            return self._object()
        if cursor.take_token(r"\["):
            return self._values(r"\]")
        if cursor.take_token(r"\("):
            (value,) = self._values(r"\)")[-1:] or [None]
            return value
        if match := cursor.take_token(r"[-+]?[\d.][\w.]*"):
            return self._number(match.group())
        new = bool(cursor.take_token(r"new\s+"))
        name = cursor.need(rf"{_NAME}(?:\s*\.\s*{_NAME})*", "a value").group()
        if cursor.take_token(r"\("):
            return self._called(re.sub(r"\s", "", name), self._values(r"\)"), new=new)
        return _WORDS[name] if name in _WORDS else self._variable(name.partition(".")[0])

    def _number(self, text: str) -> int | float:
        for read in (lambda: int(text.removesuffix("n"), 0), lambda: float(text)):
            with suppress(ValueError):
                return read()
        msg = "a number expected"
        raise self._cursor.error(msg)

    def _template(self) -> str:
        """Return what a template literal comes to, its expressions included."""
        parts: list[str] = []
        while True:
            text = self._cursor.take(_TEMPLATE_TEXT)
            parts.append(_unescaped(text.group()) if text else "")
            if not self._cursor.take(r"\$\{"):
                break
            parts.append(str(self._value()))
            self._cursor.need(r"\}", "}")
        self._cursor.need("`", "the end of a template literal")
        return "".join(parts)

    def _object(self) -> dict[str, Any]:
        found: dict[str, Any] = {}
        while not self._cursor.take_token(r"\}"):
            key = self._cursor.need(rf"{_STRING}|({_NAME}|\d+)", "a key")
            name = key.group(3) or _unescaped(key.group()[1:-1])
            if self._cursor.take_token(":"):
                found[name] = self._value()
            else:
                found[name] = self._variable(name)
            if not self._cursor.take_token(","):
                self._cursor.need(r"\}", "a comma or }")
                break
        return found

    def _called(self, name: str, arguments: list[Any], *, new: bool) -> Any:
        first = arguments[0] if arguments else None
        if new and name in {"URLSearchParams", "FormData", "window.URLSearchParams"}:
            return _pairs(first)
        if name == "JSON.stringify":
            return json.dumps(first)
        if name in {"encodeURIComponent", "encodeURI"}:
            return quote(str(first), safe="!'()*~-._")
        return self._variable(name.partition(".")[0]) if name.endswith(".toString") else None

    def _variable(self, name: str) -> Any:
        """Return the value that the text gives a variable; None if it gives it none."""
        match = re.search(rf"\b(?:const|let|var)\s+{re.escape(name)}\s*=(?!=)", self._text)
        if match is None or name in self._evaluating:
            return None
        script = _Script(self._text, self._evaluating | {name})
        script._cursor.place = match.end()
        value = script._value()
        if isinstance(value, _Pairs):
            value.extend(self._appended(name))
        return value

    def _appended(self, name: str) -> list[tuple[str, str]]:
        """Return the fields that calls of `append` or `set` add to a form."""
        added = []
        for match in re.finditer(rf"\b{re.escape(name)}\.(?:append|set)\s*\(", self._text):
            script = _Script(self._text, self._evaluating | {name})
            script._cursor.place = match.end()
            field, value, *_ = [*script._values(r"\)"), "", ""]
            added.append((str(field), str(value)))
        return added


def _pairs(value: Any) -> _Pairs:
    if isinstance(value, dict):
        return _Pairs((name, str(one)) for name, one in value.items())
    if isinstance(value, str):
        return _Pairs(parse_qsl(value.lstrip("?"), keep_blank_values=True))
    return _Pairs((str(one[0]), str(one[1])) for one in value or [] if len(one) > 1)


def _unescaped(text: str) -> str:
    """Decode the escapes of a string literal; halves of UTF-16 become whole characters."""
    return joined_surrogates(_ESCAPE.sub(_character, text))


def _character(match: re.Match[str]) -> str:
    braces, four, two, line_end, zero, other = match.groups()
    if code := braces or four or two:
        number = int(code, 16)
        return chr(number) if number <= 0x10FFFF else "\ufffd"
    if line_end is not None:
        return ""
    return "\0" if zero else _LETTERS.get(other, other)

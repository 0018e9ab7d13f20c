"""JSON as people paste it: through documents and chats that change blanks and quotes."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final

from totango_api.redaction import scrub
from totango_api.search.pasted.payload import PasteError

if TYPE_CHECKING:
    from collections.abc import Iterator

_CLOSING: Final = {
    '"': '"',
    "\u201c": '\u201c\u201d"',
    "\u201d": '\u201c\u201d"',
    "\u201e": '\u201c\u201d"',
    "\u201f": '\u201d\u201f"',
    "\u2033": '\u2033"',
    "\uff02": '\uff02"',
}
"""What ends a string, by the quote that opens it."""

_UNICODE_BLANK: Final = re.compile(
    "[\u00a0\u1680\u2000-\u200d\u2028\u2029\u202f\u205f\u2060\u3000\ufeff]"
)


_FENCED: Final = re.compile(r"(?s)```\w*\s+(.*?)\s*```")
_QUOTED: Final = re.compile(
    r"(?s)(?:```|[`'\"\u2018-\u201f\u00ab\u00bb])\s*(?=\{|query|curl|\$|fetch|invoke)(.*?)"
    r"\s*(?:```|[`'\"\u2018-\u201f\u00ab\u00bb])",
    re.IGNORECASE,
)


def without_quotes(text: str) -> str:
    """Take away the blanks, quotes or code fences that a whole paste stands between."""
    stripped = text.strip().lstrip("\ufeff").strip()
    fenced = _FENCED.fullmatch(stripped)
    if fenced:
        return without_quotes(fenced.group(1))
    quoted = _QUOTED.fullmatch(stripped)
    return quoted.group(1) if quoted else stripped


def json_in(text: str) -> Any:
    """Read a JSON value, and nothing behind it.

    Raises:
        PasteError: If it is not JSON, with the place; or if a key stands twice in one object.
    """
    fault: json.JSONDecodeError | None = None
    for candidate in _candidates(text.strip()):
        try:
            return json.loads(candidate, object_pairs_hook=_object)
        except json.JSONDecodeError as error:
            fault = fault or error
        except RecursionError:
            break
    if fault is None:
        msg = "it is nested too deeply"
        raise PasteError(msg)
    where = f"at line {fault.lineno}, column {fault.colno}"
    if fault.msg == "Extra data":
        msg = f"something stands behind the JSON {where}"
    elif text.lstrip()[:1] in {"{", "["}:
        msg = f"it is not JSON {where}: {fault.msg}"
    else:
        msg = "it holds no JSON object"
    raise PasteError(msg)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return an object; a key that stands there twice would hide the first, perhaps a filter.

    Raises:
        PasteError: If one does.
    """
    found = dict(pairs)
    if len(found) < len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        msg = f"the key {scrub(twice)[:40]} stands twice in one object"
        raise PasteError(msg)
    return found


def _candidates(text: str) -> Iterator[str]:
    """Yield a text as it is, with straight quotes, and without the escapes of source code."""
    yield text
    yield _straightened(text)
    if re.match(r'[{\[]\s*\\"', text):
        yield re.sub(r'\\([\\"])', r"\1", text)


def _straightened(text: str) -> str:
    """Replace typographic quotes and unusual blanks, but not those inside a string."""
    pieces: list[str] = []
    closing, escaped = "", False
    for char in text:
        if closing:
            ends = char in closing and not escaped
            pieces.append('"' if ends else f"\\{char}" if char == '"' and not escaped else char)
            closing = "" if ends else closing
            escaped = char == "\\" and not escaped
        elif char in _CLOSING:
            closing = _CLOSING[char]
            pieces.append('"')
        else:
            pieces.append(_UNICODE_BLANK.sub(" ", char))
    return "".join(pieces)

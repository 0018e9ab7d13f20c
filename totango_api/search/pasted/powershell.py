"""What a PowerShell command sends: `Invoke-WebRequest`, `Invoke-RestMethod` or curl.

Only values are evaluated: strings of every kind, here-strings, hash tables, arrays, variables, `+`,
casts and a few functions. Nothing is executed. Quoting as in `about_Quoting_Rules` and
`about_Special_Characters`.
"""

from __future__ import annotations

import contextlib
import json
import re
from typing import Any, Final
from urllib.parse import quote

from totango_api.search.pasted import curl
from totango_api.search.pasted.cursor import Cursor, joined_surrogates
from totango_api.search.pasted.payload import PasteError, Payload

_WEB_REQUEST: Final = "(?:Invoke-WebRequest|Invoke-RestMethod|iwr|irm)"
_SWITCHES: Final = {"-usebasicparsing", "-skipcertificatecheck", "-usedefaultcredentials"}
_COMMAND: Final = rf"(?i)(?:{_WEB_REQUEST}|curl(?:\.exe)?)(?![\w.-])"
_BLANKS: Final = r"(?:[^\S\n]|`\r?\n|<#(?s:.*?)#>|#[^\n]*)*"
_LINES: Final = r"(?:\s|;|`\r?\n|<#(?s:.*?)#>|#[^\n]*)*"
_HERE: Final = r"""(?s:@(["'])[^\S\n]*\n(.*?)\r?\n\1@)"""
_REST_OF_STATEMENT: Final = r"""(?:"(?:[^"`]|`(?s:.))*"|'[^']*'|`(?s:.)|[^\n])*"""
_SINGLE: Final = r"'((?:[^']|'')*)'"
_DOUBLE: Final = r'''"((?:[^"`]|`(?s:.)|"")*)"'''
_NUMBER: Final = r"-?(?:0|[1-9]\d*)(?:\.\d+)?(?=[\s;|)},]|$)"
_LETTERS: Final = {
    "0": "\0",
    "a": "\a",
    "b": "\b",
    "e": "\x1b",
    "f": "\f",
    "n": "\n",
    "r": "\r",
    "t": "\t",
    "v": "\v",
    "\n": "",
}
_VARIABLE: Final = r"\$(?:\{([^}]*)\}|((?:\w+:)?\w+))"
_EXPANDED: Final = re.compile(
    r"""
      `u\{ (?P<code> [0-9A-Fa-f]+ ) \}
    | ` (?P<escaped> \r?\n | (?s:.) )
    | \$\( (?P<expression> [^()]* (?: \([^()]*\) [^()]* )* ) \)
    | \$\{ (?P<braced> [^}]* ) \}
    | \$ (?P<plain> (?:\w+:)? \w+ )
    | " (?P<twice> " )
    """,
    re.VERBOSE,
)


def is_powershell(text: str) -> bool:
    """Return whether a text holds a command of PowerShell."""
    if curl.is_curl(text):
        return re.search(r"`[ \t]*\r?\n", text) is not None
    return re.search(rf"(?im)^\s*(?:{_VARIABLE}\s*=\s*)?{_WEB_REQUEST}\b", text) is not None


def payload_of(text: str) -> Payload:
    """Return what the first command of a text sends.

    Raises:
        PasteError: If there is no request, or it cannot be read.
    """
    script = _Script(text)
    script.run()
    if script.payload is None:
        msg = "the PowerShell command sends no body"
        raise PasteError(msg)
    return script.payload


class _Script:
    """Reads statements until one sends something."""

    def __init__(self, text: str) -> None:
        self._cursor = Cursor(text, blanks=_BLANKS, language="PowerShell")
        self._variables: dict[str, Any] = {"true": True, "false": False, "null": None}
        self.payload: Payload | None = None

    def run(self) -> None:
        """Read statements: assignments are kept, the first web request that sends data decides."""
        cursor = self._cursor
        while self.payload is None or not (self.payload.body or self.payload.fields):
            cursor.take(_LINES)
            if cursor.at_end():
                return
            assigned = cursor.take(rf"{_VARIABLE}[^\S\n]*=")
            cursor.skip_blanks()
            if match := cursor.take(_COMMAND):
                request = self._request(match.group())
                if self.payload is None or (request and (request.body or request.fields)):
                    self.payload = request
                continue
            if assigned:
                self._assign(assigned.group(1) or assigned.group(2))
            cursor.take(_REST_OF_STATEMENT)

    def _assign(self, name: str) -> None:
        """Keep the value of a variable, if it is one that can be evaluated."""
        with contextlib.suppress(PasteError):
            self._variables[name.lower()] = self._value()

    def _request(self, command: str) -> Payload | None:
        words = self._words()
        options = _options(words)
        if command.lower().startswith("curl") and not {"body", "form", "uri"} & options.keys():
            return curl.payload_of([command, *map(str, words)])
        bare = (str(word) for word in words if re.match(r"https?://", str(word)))
        url = str(options.get("uri") or next(bare, ""))
        method = str(options.get("method") or "").upper()
        return _payload(options.get("body") or options.get("form"), url, method)

    def _words(self) -> list[Any]:
        """Return the words of a command, evaluated, up to the end of its line."""
        cursor = self._cursor
        words: list[Any] = []
        while not cursor.at_end() and not cursor.take_token(r"[\r\n;|]"):
            if match := cursor.take_token(r"-[A-Za-z][\w-]*:?(?=[\s:'\"$@(])|--?[\w-]+"):
                words.append(match.group())
            elif match := cursor.take_token(r"@(\w+)"):
                words.append(self._variables.get(match.group(1).lower()))
            else:
                words.append(self._value())
        return words

    def _value(self) -> Any:
        value = self._operand()
        while self._cursor.take_token(r"\+(?=[\s'\"$@(\[])"):
            value = f"{value}{self._operand()}"
        if self._cursor.take_token(r"(?i)\|\s*ConvertTo-Json\b[^)}\n|;]*"):
            return json.dumps(value)
        return value

    def _operand(self) -> Any:
        value = self._literal()
        while match := self._cursor.take(r"(?i)\.(?:ToString|Trim)\(\)"):
            value = str(value).strip() if "trim" in match.group().lower() else value
        if self._cursor.take(r"(?=\.\w)"):
            msg = "a method or property that is not evaluated"
            raise self._cursor.error(msg)
        return value

    def _literal(self) -> Any:
        cursor = self._cursor
        if match := cursor.take_token(_HERE):
            literal = match.group(1) == "'"
            # Quotes are not doubled in a here-string: double them, and one expansion serves both.
            text = match.group(2)
            return text if literal else self._expanded(text.replace('"', '""'))
        if match := cursor.take_token(_SINGLE):
            return match.group(1).replace("''", "'")
        if match := cursor.take_token(_DOUBLE):
            return self._expanded(match.group(1))
        if match := cursor.take_token(_VARIABLE):
            return self._variables.get((match.group(1) or match.group(2)).lower())
        if cursor.take_token(r"@\{"):
            return self._hash_table()
        if cursor.take_token(r"@\("):
            return self._values(r"\)")
        if cursor.take_token(r"\$?\("):
            values = self._values(r"\)")
            return values[0] if values else None
        if match := cursor.take_token(r"\[([\w.]+)(?:\[\])?\]"):
            return self._typed(match.group(1).lower())
        if match := cursor.take_token(_NUMBER):
            return json.loads(match.group())
        return cursor.need(r"[^\s;|(){}'\"`,]+|,", "a value").group()

    def _typed(self, kind: str) -> Any:
        """Return the value of a cast, or of a static method."""
        if match := self._cursor.take(r"::(?:\w+\.)*(\w+)"):  # such as [Text.Encoding]::UTF8
            name = match.group(1)
            if not self._cursor.take(r"\("):
                return name
            first = (self._values(r"\)") or [None])[0]
            if re.match(r"(?i)Escape|UrlEncode", name):
                return quote(str(first), safe="")
            if name.lower() == "getbytes":
                return first
            msg = f"{name} is not evaluated"
            raise self._cursor.error(msg)
        value = self._operand()
        if kind in {"char", "system.char"} and re.fullmatch(r"(?i)0x[\da-f]+|\d+", str(value)):
            return chr(int(str(value), 0))
        return value

    def _values(self, end: str) -> list[Any]:
        values = []
        while not self._cursor.take_token(rf"\s*(?:{end})"):
            self._cursor.take(_LINES)
            values.append(self._value())
            if not self._cursor.take_token(r"\s*[,;]\s*|\s*\n\s*"):
                self._cursor.need(rf"\s*(?:{end})", "a comma or a closing bracket")
                break
        return values

    def _hash_table(self) -> dict[str, Any]:
        found: dict[str, Any] = {}
        while not self._cursor.take_token(r"[\s;]*\}"):
            self._cursor.take(_LINES)
            key = str(self._literal() if self._cursor.take(r"(?=['\"$])") else self._key())
            self._cursor.need("=", "an equals sign")
            self._cursor.take(_LINES)
            found[key] = self._value()
        return found

    def _key(self) -> str:
        return self._cursor.need(r"[\w.-]+", "a key").group()

    def _evaluated(self, expression: str) -> Any:
        inner = _Script(expression)
        inner._variables = self._variables
        return inner._value()

    def _expanded(self, text: str) -> str:
        """Replace escapes, variables and expressions in a text that was between double quotes."""
        return joined_surrogates(_EXPANDED.sub(self._expansion, text))

    def _expansion(self, match: re.Match[str]) -> str:
        kind, text = str(match.lastgroup), match.group(str(match.lastgroup))
        if kind == "code":
            return chr(min(int(text, 16), 0x10FFFF))
        if kind == "escaped":
            return _LETTERS.get(text.replace("\r", ""), text)
        if kind == "expression":
            return str(self._evaluated(text))
        if kind == "twice":
            return text
        value = self._variables.get(text.lower())
        return match.group() if value is None else str(value)


def _option(word: Any) -> str:
    """Return a word as the name of an option, such as `-body`; empty if it is a value."""
    text = str(word).rstrip(":").lower()
    return text if re.fullmatch(r"-[a-z][\w-]*", text) else ""


def _options(words: list[Any]) -> dict[str, Any]:
    """Return the options of a web request by their names."""
    found: dict[str, Any] = {}
    for splatted in (word for word in words if isinstance(word, dict)):
        found |= {str(key).lower(): value for key, value in splatted.items()}
    place = 0
    while place < len(words):
        name = _option(words[place])
        if name in _SWITCHES:
            place += 1
        elif name:
            found[name[1:]] = words[place + 1] if place + 1 < len(words) else None
            place += 2
        else:
            place += 1
    return found


def _payload(body: Any, url: str, method: str) -> Payload | None:
    if isinstance(body, dict):
        fields = tuple((name, str(value)) for name, value in body.items())
        return Payload(fields=fields, url=url, method=method)
    if isinstance(body, str) and body:
        return Payload(body=body, url=url, method=method)
    return Payload(url=url, method=method) if url else None

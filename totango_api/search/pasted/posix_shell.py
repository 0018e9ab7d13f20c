r"""Words of a command for bash, zsh or another POSIX shell.

Quoting as the bash manual has it, "Quoting": backslash, single and double quotes, ANSI-C quoting
(`$'…'`) and locale translation (`$"…"`). :mod:`shlex` knows neither of the last two, and keeps the
backslash of `\$` in double quotes.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from totango_api.search.pasted.payload import PasteError

if TYPE_CHECKING:
    from collections.abc import Iterator

_PIECE: Final = re.compile(
    r"""
      (?P<continued> \\ [ \t]* \r?\n )
    | (?P<escaped> \\ (?s:.) )
    | \$' (?P<ansi> (?: [^'\\] | \\ (?s:.) )* ) '
    | ' (?P<single> [^']* ) '
    | \$? " (?P<double> (?: [^"\\] | \\ (?s:.) )* ) "
    | (?P<blank> [^\S\r\n]+ )
    | (?P<end> [\r\n;|&<>]+ | $ )
    | (?P<open> \$?['"] )
    | (?P<plain> (?s:.) )
    """,
    re.VERBOSE,
)
_ANSI_ESCAPE: Final = re.compile(
    r"""\\ (?:
      u (?P<pair> [dD][89abAB][0-9A-Fa-f]{2} \\ u [dD][c-fC-F][0-9A-Fa-f]{2} )
    | (?P<octal> [0-7]{1,3} )
    | x (?P<hex> [0-9A-Fa-f]{1,2} )
    | u (?P<unicode> [0-9A-Fa-f]{1,4} )
    | U (?P<long> [0-9A-Fa-f]{1,8} )
    | c (?P<control> (?s:.) )
    | (?P<letter> (?s:.) )
    )""",
    re.VERBOSE,
)
_LETTERS: Final = {
    "a": "\a",
    "b": "\b",
    "e": "\x1b",
    "E": "\x1b",
    "f": "\f",
    "n": "\n",
    "r": "\r",
    "t": "\t",
    "v": "\v",
    "\\": "\\",
    "'": "'",
    '"': '"',
    "?": "?",
}


def words(command: str) -> list[str]:
    """Split the first command of a text into words, without their quotes.

    Raises:
        PasteError: If a quote is not closed.
    """
    found: list[str] = []
    word: str | None = None
    for kind, text in _pieces(command):
        if kind in {"blank", "end"}:
            found += [] if word is None else [word]
            word = None
            if kind == "end":
                break
        elif kind != "continued":
            word = (word or "") + text
    return found


def _pieces(command: str) -> Iterator[tuple[str, str]]:
    for match in _PIECE.finditer(command):
        kind = str(match.lastgroup)
        text = match.group(kind)
        if kind == "open":
            msg = f"the quote at character {match.start() + 1} of the command is not closed"
            raise PasteError(msg)
        if kind == "escaped":
            text = text[1:]
        elif kind == "double":
            text = re.sub(r'\\(?:\r?\n|([$`"\\]))', lambda inner: inner.group(1) or "", text)
        elif kind == "ansi":
            text = _ansi_c(text)
        yield kind, text


def _ansi_c(text: str) -> str:
    r"""Decode what stands between `$'` and `'`.

    Octal and hexadecimal codes are bytes of UTF-8. Firefox writes `\xe9` for `é` all the same:
    bytes that are no UTF-8 are taken for characters.
    """
    decoded = _ANSI_ESCAPE.sub(_ansi_character, text)
    return _BYTES.sub(_characters, decoded)


_BYTES: Final = re.compile("[\udc80-\udcff]+")
"""Bytes beyond ASCII, as `surrogateescape` keeps them."""


def _characters(match: re.Match[str]) -> str:
    raw = match.group().encode("utf-8", "surrogateescape")
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw.decode("latin-1")


def _ansi_character(match: re.Match[str]) -> str:
    kind, code = str(match.lastgroup), match.group(str(match.lastgroup))
    if kind == "letter":
        return _LETTERS.get(code, f"\\{code}")
    if kind == "control":
        if code == "?":
            return "\x7f"
        return chr(ord(code.upper()) & 0x1F)
    if kind == "pair":  # Chrome escapes the halves of UTF-16
        high, low = (int(half, 16) for half in code.split("\\u"))
        return chr(0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00))
    number = int(code, 8 if kind == "octal" else 16)
    if kind in {"octal", "hex"}:
        return bytes([number & 0xFF]).decode("utf-8", "surrogateescape")
    is_character = number <= 0x10FFFF and not 0xD800 <= number <= 0xDFFF
    return chr(number) if is_character else "\ufffd"

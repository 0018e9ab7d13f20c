r"""Words of a command for a shell, without its quotes: of POSIX, such as bash, and cmd.exe.

POSIX quoting as the bash manual has it, "Quoting": backslash, single and double quotes, ANSI-C
quoting (`$'…'`) and locale translation (`$"…"`). :mod:`shlex` knows neither of the last two, and
keeps the backslash of `\$` in double quotes.

Two programs read a line for cmd.exe: it takes `^` away (outside quotes), then the program splits
words by the rules of Microsoft's C runtime. Browsers double every backslash, which no program
takes back: their copies are told by that, and undone. Newer copies open with `^"` and put `^`
before every unusual character; older ones double quotes and write `"%"` for a percent sign; those
in between put `^` inside plain quotes.
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
    | (?P<blank> [^\S\r\n]+ | [\r\n;|&<>] (?s:.*) | $ )  # nothing counts behind a command
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


def posix_words(command: str) -> list[str]:
    """Split the first command of a text into words, without their quotes.

    Raises:
        PasteError: If a quote is not closed.
    """
    found: list[str] = []
    word: str | None = None
    for kind, text in _pieces(command):
        if kind == "blank":
            found += [] if word is None else [word]
            word = None
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


# cmd.exe --------------------------------------------------------------------------------------

_CONTINUATION: Final = re.compile(r"\^[ \t]*\r?\n(\r?\n)?")
_OLD_LINE_END: Final = re.compile(r'"\^([\r\n]+)"')
_CARET: Final = re.compile(r"\^((?s:.))")
_BROWSERS_MARK: Final = re.compile(r'\^[^\s]|""')
_LONE_BACKSLASH: Final = re.compile(r'(?<!\\)\\(?:\\\\)*(?![\\"])')
_CMD_PIECE: Final = r"""
      (?P<odd> \\(?:\\\\)* ) "
    | (?P<even> (?:\\\\)+ ) (?=")
    | (?P<slashes> \\+ )
    | (?P<quote> " )
    | (?P<blank> \s )
    | (?P<plain> (?s:.) )
    """
_OUTSIDE_QUOTES: Final = re.compile(_CMD_PIECE, re.VERBOSE)
_INSIDE_QUOTES: Final = re.compile(f'(?P<twice> "" ) | {_CMD_PIECE}', re.VERBOSE)


def cmd_words(command: str) -> list[str]:
    """Split a command into words, as cmd.exe and a program read it."""
    joined = _joined(command)
    return _split_cmd(_without_carets(joined), is_browsers=_has_browsers_mark(joined))


def browsers_cmd_words(command: str) -> list[str]:
    """Split a command into words, as a browser meant it that puts `^` inside plain quotes too."""
    return _split_cmd(_CARET.sub(r"\1", _joined(command)), is_browsers=True)


def _joined(command: str) -> str:
    """Join the lines of a command; a line end that is part of a word stays one."""
    command = _OLD_LINE_END.sub(r"\1", command)
    return _CONTINUATION.sub(lambda match: "^\n" if match.group(1) else "", command)


def _has_browsers_mark(command: str) -> bool:
    return _BROWSERS_MARK.search(command) is not None


def _without_carets(command: str) -> str:
    """Take carets away where cmd.exe does: outside quotes."""
    pieces, quoted, escaped = [], False, False
    for char in command:
        if char == "^" and not quoted and not escaped:
            escaped = True
            continue
        quoted ^= char == '"' and not escaped
        escaped = False
        pieces.append(char)
    return "".join(pieces)


def _split_cmd(line: str, *, is_browsers: bool) -> list[str]:
    """Split a line by the rules of Microsoft's C runtime ("Parsing C command-line arguments").

    Args:
        line: Without what cmd.exe takes away.
        is_browsers: Whether a browser wrote it; backslashes are doubled then, unless one is not.
    """
    doubled = is_browsers and not _LONE_BACKSLASH.search(line)
    found: list[str] = []
    word: str | None = None
    quoted = False
    place = 0
    while match := (_INSIDE_QUOTES if quoted else _OUTSIDE_QUOTES).match(line, place):
        place = match.end()
        kind, text = str(match.lastgroup), match.group(str(match.lastgroup))
        if kind == "blank" and not quoted:
            found += [] if word is None else [word]
            word = None
            continue
        quoted ^= kind == "quote"
        word = (word or "") + _cmd_text(kind, text, doubled=doubled)
    return found if word is None else [*found, word]


def _cmd_text(kind: str, text: str, *, doubled: bool) -> str:
    if kind in {"plain", "blank"}:
        return text
    if kind in {"quote", "twice"}:
        return '"' if kind == "twice" else ""
    halved = text[: len(text) // 2]
    if kind == "odd":
        return f'{halved}"'
    return halved if kind == "even" or doubled else text

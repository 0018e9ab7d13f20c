"""Words of a command for cmd.exe, as browsers and people write them.

Two programs read such a line: cmd.exe takes `^` away (outside quotes), then the program splits
words by the rules of Microsoft's C runtime. Browsers double every backslash, which no program
takes back: their copies are told by that, and undone.

Newer copies open with `^"` and put `^` before every unusual character; older ones double quotes and
write `"%"` for a percent sign; those in between put `^` inside plain quotes.
"""

from __future__ import annotations

import re
from typing import Final

_CONTINUATION: Final = re.compile(r"\^[ \t]*\r?\n(\r?\n)?")
_OLD_LINE_END: Final = re.compile(r'"\^([\r\n]+)"')
_CARET: Final = re.compile(r"\^((?s:.))")
_BROWSERS_MARK: Final = re.compile(r'\^[^\s]|""')
_LONE_BACKSLASH: Final = re.compile(r'(?<!\\)\\(?:\\\\)*(?![\\"])')
_PIECE: Final = r"""
      (?P<odd> \\(?:\\\\)* ) "
    | (?P<even> (?:\\\\)+ ) (?=")
    | (?P<slashes> \\+ )
    | (?P<quote> " )
    | (?P<blank> \s )
    | (?P<plain> (?s:.) )
    """
_OUTSIDE_QUOTES: Final = re.compile(_PIECE, re.VERBOSE)
_INSIDE_QUOTES: Final = re.compile(f'(?P<twice> "" ) | {_PIECE}', re.VERBOSE)


def words(command: str) -> list[str]:
    """Split a command into words, as cmd.exe and a program read it."""
    joined = _joined(command)
    return _words(_without_carets(joined), is_browsers=_has_browsers_mark(joined))


def words_of_browser(command: str) -> list[str]:
    """Split a command into words, as a browser meant it that puts `^` inside plain quotes too."""
    return _words(_CARET.sub(r"\1", _joined(command)), is_browsers=True)


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


def _words(line: str, *, is_browsers: bool) -> list[str]:
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
        word = (word or "") + _text(kind, text, doubled=doubled)
    return found if word is None else [*found, word]


def _text(kind: str, text: str, *, doubled: bool) -> str:
    if kind in {"plain", "blank"}:
        return text
    if kind in {"quote", "twice"}:
        return '"' if kind == "twice" else ""
    halved = text[: len(text) // 2]
    if kind == "odd":
        return f'{halved}"'
    return halved if kind == "even" or doubled else text

"""What a curl command sends; see curl's manual for its options."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote_plus

from totango_api.search.pasted.payload import PasteError, Payload

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_COMMAND: Final = re.compile(r"(?:[$>%#]\s+)?(?:\S*[/\\])?curl(?:\.exe)?", re.IGNORECASE)

_RAW: Final = {"--data", "--data-ascii", "--data-binary", "--data-raw", "--json", "-d"}
_NAMED: Final = {"--data-urlencode", "--url-query"}
_GET: Final = {"--get", "-G"}
_FORM: Final = {"--form", "--form-string", "-F"}
_WITH_VALUE: Final = {
    *("--header", "--cookie", "--cookie-jar", "--user-agent", "--referer", "--request", "--output"),
    *(
        "--proxy",
        "--user",
        "--url",
        "--max-time",
        "--connect-timeout",
        "--cert",
        "--key",
        "--cacert",
    ),
    *("--config", "--write-out", "--resolve", "--retry", "--upload-file", "--ciphers", "--range"),
}
"""Options of several letters whose value is no business of ours."""

_SHORT_WITH_VALUE: Final = frozenset("ACDEFHKPQTUXYbcdehmortuwxyz")
_FROM_FILE: Final = "the curl command reads its data from a file; paste what is in the file instead"


def is_curl(text: str) -> bool:
    """Return whether a text begins like a curl command."""
    return re.match(rf"{_COMMAND.pattern}[\s^`]", text, re.IGNORECASE) is not None


@dataclass
class _Sent:
    bodies: list[str] = field(default_factory=list)
    fields: list[tuple[str, str]] = field(default_factory=list)
    urls: list[str] = field(default_factory=list)
    method: str = ""


def payload_of(words: Sequence[str]) -> Payload:
    """Return what a command sends.

    Args:
        words: Of the command, without quotes.

    Raises:
        PasteError: If it sends a file.
    """
    sent = _Sent()
    command = next((at for at, word in enumerate(words) if _COMMAND.fullmatch(word)), 0)
    for option, value in _options(iter(words[command + 1 :])):
        _take(sent, option, value)
    url = next((one for one in sent.urls if "?" in one), next(iter(sent.urls), ""))
    return Payload(tuple(sent.fields), "&".join(sent.bodies), url, sent.method)


def _take(sent: _Sent, option: str, value: str) -> None:
    if option in _RAW:
        if value.startswith("@") and option not in {"--data-raw", "--json"}:
            raise PasteError(_FROM_FILE)
        sent.bodies.append(value)
    elif option in _NAMED:
        _take_named(sent, value)
    elif option in _FORM:
        name, _, content = value.partition("=")
        sent.fields.append((name, content if option == "--form-string" else _form_content(content)))
    elif option in {"", "--url"}:
        sent.urls.append(value)
    elif option in {"-X", "--request"}:
        sent.method = value.upper()
    elif option in _GET:
        sent.method = sent.method or "GET"


def _take_named(sent: _Sent, value: str) -> None:
    """Take the value of `--data-urlencode`: `content`, `=content`, `name=content` or a file."""
    if re.match(r"[^=@]*@", value):
        raise PasteError(_FROM_FILE)
    name, equals, content = value.partition("=")
    if not equals or name.lstrip().startswith(
        "{"
    ):  # curl would take JSON that holds `=` for a name
        sent.bodies.append(value)
    elif not name:
        sent.bodies.append(content)
    else:
        sent.fields.append((unquote_plus(name), content))


def _form_content(content: str) -> str:
    """Return the content of a `--form` part: perhaps quoted, perhaps with its type behind it."""
    if content.startswith(("@", "<")):
        raise PasteError(_FROM_FILE)
    if quoted := re.match(r'"((?:[^"\\]|\\(?s:.))*)"\s*(?:;|$)', content):
        return re.sub(r'\\([\\"])', r"\1", quoted.group(1))
    return re.sub(r";\s*(?:type|filename|headers|encoder)=[^{}]*$", "", content)


def _options(words: Iterator[str]) -> Iterator[tuple[str, str]]:
    """Yield options with their values; what is no option has an empty name."""
    for word in words:
        if word.startswith("--"):
            name, equals, value = word.partition("=")
            if name in _RAW | _NAMED | _FORM | _WITH_VALUE:
                yield name, value if equals else next(words, "")
            elif name in _GET:
                yield name, ""
        elif word.startswith("-") and len(word) > 1:
            yield from _short_options(word[1:], words)
        else:
            yield "", word


def _short_options(letters: str, words: Iterator[str]) -> Iterator[tuple[str, str]]:
    """Yield the options in one word, such as `-sSd`, that matter: only the last has a value."""
    for place, letter in enumerate(letters):
        if letter in _SHORT_WITH_VALUE:
            yield f"-{letter}", letters[place + 1 :] or next(words, "")
            return
        yield f"-{letter}", ""

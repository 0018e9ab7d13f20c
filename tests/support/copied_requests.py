"""Requests as browsers and other programs copy them: their own escaping, written out again.

After Chromium's NetworkLogView and Firefox's Curl.sys.mjs, in the generations that are about.
"""

from __future__ import annotations

import json
import re
from typing import Any

URL = "https://app.totango.com/t01/api/v1/search/accounts"
TOKEN = "11111111-2222-3333-4444-555555555555"
FORM = "application/x-www-form-urlencoded; charset=UTF-8"


def _units(text: str) -> list[int]:
    raw = text.encode("utf-16-be")
    return [int.from_bytes(raw[place : place + 2], "big") for place in range(0, len(raw), 2)]


def _escaped_units(char: str) -> str:
    return "".join(f"\\u{unit:04x}" for unit in _units(char))


def _ansi_c(text: str, unusual: str, escape: Any) -> str:
    """A POSIX word: single quotes, or `$'…'` where something unusual is in it."""
    if not re.search(f"{unusual}|'", text):
        return f"'{text}'"
    text = text.replace("\\", "\\\\").replace("'", "\\'").replace("\n", "\\n").replace("\r", "\\r")
    return "$'" + re.sub(unusual, lambda match: escape(match.group()), text) + "'"


def chrome_bash(text: str) -> str:
    return _ansi_c(text, "[\x00-\x1f\x7f-\x9f!]", _escaped_units)


def old_chrome_bash(text: str) -> str:
    return _ansi_c(text, "[^\x20-\x7e]|!", _escaped_units)


def firefox_bash(text: str) -> str:
    def escape(char: str) -> str:
        if char == "!":
            return "\\041"
        return f"\\x{ord(char):02x}" if ord(char) < 256 else _escaped_units(char)

    return _ansi_c(text, "[^\x20-\x7e]|!", escape)


def plain_bash(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"


def double_quoted_bash(text: str) -> str:
    return '"' + re.sub(r'([\\"$`])', r"\\\1", text) + '"'


def chrome_cmd(text: str, quote: str = '^"') -> str:
    text = text.replace("\\", "\\\\").replace('"', '\\"')
    text = re.sub(r"[^a-zA-Z0-9\s_\-:=+~'/.',?;()*`]", r"^\g<0>", text)
    text = re.sub(r"%(?=[a-zA-Z0-9_])", "%^", text)
    return quote + re.sub(r"\r?\n", "^\n\n", text) + quote


def chrome_cmd_in_between(text: str) -> str:
    return chrome_cmd(text, '"')


def doubled_cmd(text: str) -> str:
    text = text.replace('"', '""').replace("%", '"%"').replace("\\", "\\\\")
    return '"' + re.sub(r"[\r\n]+", r'"^\g<0>"', text) + '"'


def typed_cmd(text: str) -> str:
    """As a person, or Microsoft's own list2cmdline, quotes an argument."""
    text = re.sub(r'(\\*)"', r'\1\1\\"', text)
    return '"' + re.sub(r"(\\+)$", r"\1\1", text) + '"'


def powershell(text: str) -> str:
    escaped = re.sub(r'[`$"]', r"`\g<0>", text)
    return (
        '"'
        + "".join(
            char
            if "\x20" <= char <= "\x7e"
            else "".join(f"$([char]{unit})" for unit in _units(char))
            for char in escaped
        )
        + '"'
    )


def doubled_powershell(text: str) -> str:
    return '"' + re.sub(r"[`$]", r"`\g<0>", text).replace('"', '""') + '"'


def single_powershell(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def powershell_value(value: Any) -> str:
    """Any value of JSON, as hash tables, arrays and literals."""
    if isinstance(value, dict):
        pairs = (f"{single_powershell(key)} = {powershell_value(value[key])}" for key in value)
        return "@{ " + "; ".join(pairs) + " }"
    if isinstance(value, list):
        return "@(" + ", ".join(map(powershell_value, value)) + ")"
    if isinstance(value, str):
        return single_powershell(value)
    return f"${json.dumps(value)}" if value is None or isinstance(value, bool) else repr(value)


def javascript(text: str) -> str:
    return json.dumps(text)


def single_javascript(text: str) -> str:
    body = json.dumps(text)[1:-1].replace('\\"', '"').replace("'", "\\'")
    return "'" + body + "'"


def template_javascript(text: str) -> str:
    return "`" + text.replace("\\", "\\\\").replace("`", "\\`").replace("${", "\\${") + "`"


def curl(word: Any, options: str, continued: str = " \\\n  ") -> str:
    """A curl command whose words are quoted by `word`; `options` stands for those of the data."""
    parts = [
        f"curl {word(URL)}",
        f"-H {word('accept: application/json')}",
        f"-H {word(f'app-token: {TOKEN}')}",
        f"-H {word('cookie: a=b; query=1')}",
        f"-H {word(f'content-type: {FORM}')}",
        options,
        "--compressed",
    ]
    return continued.join(parts)


def fetch(body: str, node: bool = False) -> str:
    headers = {"accept": "*/*", "app-token": TOKEN, **({"cookie": "query=1"} if node else {})}
    rest = "" if node else '  "mode": "cors",\n  "credentials": "include",\n'
    return (
        f'fetch("{URL}", {{\n  "headers": {json.dumps(headers, indent=4)},\n'
        f'  "body": {body},\n{rest}  "method": "POST"\n}});'
    )


def web_request(body: str) -> str:
    return (
        "$session = New-Object Microsoft.PowerShell.Commands.WebRequestSession\n"
        '$session.UserAgent = "Mozilla/5.0 (X11; Linux x86_64)"\n'
        '$session.Cookies.Add((New-Object System.Net.Cookie("a", "b", "/", ".totango.com")))\n'
        f'Invoke-WebRequest -UseBasicParsing -Uri "{URL}" `\n'
        '-Method "POST" `\n-WebSession $session `\n'
        f'-Headers @{{\n"accept"="*/*"\n  "app-token"="{TOKEN}"\n'
        '  "sec-ch-ua"="`"Chromium`";v=`"1`""\n} `\n'
        f'-ContentType "{FORM}" `\n-Body {body}'
    )


def multipart(fields: dict[str, str]) -> str:
    boundary = "----WebKitFormBoundaryAbC123"
    parts = [
        f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in fields.items()
    ]
    return "".join(parts) + f"--{boundary}--\r\n"

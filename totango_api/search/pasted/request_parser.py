"""Any request that reads a list, as users copy it: where it goes, and what it sends.

Of a paste, path, parameters and form are used. Its host and whatever names a token are not: the
call goes to the host of the settings, with their token.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote, urlencode, urlsplit

from totango_api.errors import QueryError
from totango_api.redaction import register_secret
from totango_api.search.pasted.json_text import json_in, without_quotes
from totango_api.search.pasted.paste import read_paste
from totango_api.search.pasted.payload import PasteError, Payload, decoded, pairs_in
from totango_api.search.query import encoded

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from totango_api.http import ApiClient

Pairs = tuple[tuple[str, str], ...]

QUERY: Final = "query"
"""The form field in which searches send JSON."""

_METHODS: Final = ("GET", "POST")
_PATH: Final = re.compile(r"(?:/t\d+)?(/api/[\w.~!$&'()*+,;=:@%/-]*)")
"""Totango's own pages put the number of a server before the path of the API."""

_TOKEN: Final = re.compile(
    r"(?i)(?:x-)?(?:(?:app|api|access|auth|csrf|xsrf|id|sdr|service)[-_]?)?token"
    r"|(?:app|api|access)[-_]?(?:key|secret)|authorization|password|cookie"
)
_FIELD: Final = re.compile(r"[\w.\[\]$-]+")
_WRITES: Final = (
    "/api/v3/touchpoints",
    "/api/v3/tasks",
    "/api/v3/objectives-collection",
    "/api/v2/automations",
    "/api/v1/collections",
)
"""A POST to these, or below them, writes."""

_TEXT: Final = re.compile(
    r"(?:(?P<method>(?i:GET|POST|PUT|PATCH|DELETE|HEAD))\s+)?(?P<address>(?:https?:/)?/[^\s?]*(?:\?[^\r\n]*)?)"
    r"(?:\s*\r?\n(?P<rest>.*))?",
    re.DOTALL,
)
_VERSION: Final = re.compile(r"\s+HTTP/[\d.]+\s*$")
_HEADERS: Final = re.compile(r"(?:[A-Za-z][\w-]*:[^\r\n]*(?:\r?\n|$))*\s*")

_COPY: Final = (
    "Copy it whole: cURL, an address with the form below it, the request of a HAR file, or an "
    "object with method, url and form."
)


@dataclass(frozen=True)
class PastedRequest:
    """A call that reads a list.

    Attributes:
        method: GET or POST.
        path: Begins with `/api/`.
        parameters: Of the address.
        form: What a POST sends, but for the search.
        search: The decoded form field `query`, if there is one that is an object.
        body: What a POST sends as JSON instead of a form.
    """

    method: str
    path: str
    parameters: Pairs = ()
    form: Pairs = ()
    search: Mapping[str, Any] | None = None
    body: Mapping[str, Any] | None = None

    @property
    def endpoint(self) -> str:
        """Method and path, for messages."""
        return f"{self.method} {self.path}"

    def parameter(self, name: str) -> Any:
        """Return what the request sends under a name; None if it does not send it."""
        for place in (self.search, self.body, dict(self.form), dict(self.parameters)):
            if place is not None and name in place:
                return place[name]
        return None

    def with_parameters(self, values: Mapping[str, int]) -> PastedRequest:
        """Return this request with other numbers, each where it sends the name already."""
        request = self
        for name, value in values.items():
            request = request._with(name, value)
        return request

    def _with(self, name: str, value: int) -> PastedRequest:
        if self.search is not None and (name in self.search or self.parameter(name) is None):
            return replace(self, search={**self.search, name: value})
        if self.body is not None and (name in self.body or self.parameter(name) is None):
            return replace(self, body={**self.body, name: value})
        if name in dict(self.parameters):
            return replace(self, parameters=_set(self.parameters, name, value))
        return replace(self, form=_set(self.form, name, value))

    def send(self, client: ApiClient) -> Any:
        """Return what the service answers.

        Raises:
            ApiError: If it does not do what it was asked.
        """
        search = [] if self.search is None else [(QUERY, encoded(self.search))]
        form = [*search, *self.form]
        address = list(self.parameters) + (form if self.method == "GET" else [])
        path = f"{self.path}?{urlencode(address)}" if address else self.path
        if self.method == "GET":
            return client.api("GET", path)
        if self.body is not None:
            body = json.dumps(self.body).encode()
            return client.api("POST", path, body=body, content_type="application/json")
        return client.post_form(path, urlencode(form).encode("ascii"))


def _set(pairs: Pairs, name: str, value: int) -> Pairs:
    return (*((key, one) for key, one in pairs if key != name), (name, str(value)))


def request_from(value: object, *, setting: str) -> PastedRequest:
    """Read a request from an object or from pasted text.

    Args:
        value: Text (:mod:`totango_api.search.pasted.paste`; or an address, with the form below it),
            the request of a HAR file, or an object with `method`, `url` or `path`, and `form`.
        setting: Name of the setting, for messages.

    Raises:
        QueryError: If it is no request that may be sent; no message shows what it sends.
    """
    try:
        return _in_text(value) if isinstance(value, str) else _of_object(value)
    except PasteError as error:
        msg = f"{setting}: {error}."
        raise QueryError(msg, remedy=_COPY) from None


def _in_text(text: str) -> PastedRequest:
    bare = without_quotes(text)
    if bare.startswith("{"):
        found = json_in(bare)
        return _of_object(found)
    if _TEXT.match(bare):
        return _request_of(_address_and_form(bare))
    return read_paste(bare, _request_of)


def _address_and_form(text: str) -> Payload:
    """Read `POST https://… HTTP/1.1`, headers, and the form below them.

    Raises:
        PasteError: If something else stands behind the address.
    """
    match = _TEXT.fullmatch(text)
    if match is None:
        msg = "something stands behind the address"
        raise PasteError(msg)
    address = _VERSION.sub("", match["address"])
    rest = (match["rest"] or "").lstrip()
    headers = _HEADERS.match(rest)
    body = rest[headers.end() :] if headers else rest
    return Payload(body=body.strip(), url=address, method=(match["method"] or "").upper())


def _of_object(value: object) -> PastedRequest:
    """Read an object: the request of a HAR file, or one that was written by hand."""
    inner = value["request"] if isinstance(value, dict) and value.keys() == {"request"} else value
    url = inner.get("url") or inner.get("path") if isinstance(inner, dict) else None
    if not isinstance(inner, dict) or not isinstance(url, str):
        msg = "it is no object that names a url or a path"
        raise PasteError(msg)
    posted = inner.get("postData", inner.get("body"))
    fields = _named(inner.get("form"))
    if isinstance(posted, dict) and ("text" in posted or "params" in posted):
        fields = fields or _named(posted.get("params"))
        posted = posted.get("text")
    body = "" if fields or posted is None else posted
    body = body if isinstance(body, str) else json.dumps(body)
    return _request_of(Payload(fields, body, url, str(inner.get("method") or "").upper()))


def _named(listed: Any) -> Pairs:
    """Return fields that an object, or a list of names and values, holds."""
    if isinstance(listed, dict):
        return tuple((str(name), _text(one)) for name, one in listed.items())
    entries = listed if isinstance(listed, list) else []
    found = [one for one in entries if isinstance(one, dict)]
    return tuple((str(one.get("name")), _text(one.get("value"))) for one in found)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _request_of(payload: Payload) -> PastedRequest:
    """Make a request of what a paste sends.

    Raises:
        PasteError: If it may not be sent.
    """
    if not payload.url:
        msg = "it names no address to send to"
        raise PasteError(msg)
    has_host = "://" in payload.url or payload.url.startswith("/")
    try:
        address = urlsplit(payload.url if has_host else f"//{payload.url}")
    except ValueError:
        msg = "its address cannot be read"
        raise PasteError(msg) from None
    parameters = _without_tokens(pairs_in(address.query))
    body, form = _body_of(payload)
    sends = bool(form) or body is not None
    method = payload.method or ("POST" if sends or QUERY in dict(parameters) else "GET")
    path = _checked_path(address.path, method)
    if method == "GET" or not sends:  # a form is a form, wherever the paste has it
        form, parameters = (*form, *parameters), ()
    search, form = _search_in(form)
    return PastedRequest(method, path, parameters, form, search, body)


def _body_of(payload: Payload) -> tuple[Mapping[str, Any] | None, Pairs]:
    """Return the JSON that a paste sends, or else its form."""
    text = payload.body.strip().lstrip("\ufeff")
    if not text.startswith("{"):
        return None, _without_tokens([*payload.fields, *pairs_in(text)])
    found = json_in(text)
    if isinstance(found.get("terms"), list):  # the query alone, as searches send it in a form
        found = {QUERY: text}
    if QUERY in found:
        return None, _without_tokens([*payload.fields, *_named(found)])
    named = {name: found[name] for name in found if not _is_token(name, found[name])}
    return named, _without_tokens(payload.fields)


def _search_in(form: Pairs) -> tuple[Mapping[str, Any] | None, Pairs]:
    """Part a form into the search that it sends, decoded, and the rest.

    Raises:
        PasteError: If it is no form, such as one that was read by the rules of another shell.
    """
    if odd := [name for name, _ in form if not _FIELD.fullmatch(name)]:
        msg = f"it is no form: no field is called {odd[0][:20]}"
        raise PasteError(msg)
    text = dict(form).get(QUERY, "").strip()
    if not text.startswith("{") and "terms" not in text:
        return None, form
    return json_in(text), tuple(pair for pair in form if pair[0] != QUERY)


def _checked_path(path: str, method: str) -> str:
    if method not in _METHODS:
        msg = f"it is a {method[:10]}, and only GET and POST may read"
        raise PasteError(msg)
    match = _PATH.fullmatch(path)
    if match is None or ".." in unquote(path) or "//" in unquote(path):
        msg = "its path does not begin with /api/"
        raise PasteError(msg)
    found = match[1]
    if method == "POST" and any(f"{found.rstrip('/')}/".startswith(f"{one}/") for one in _WRITES):
        msg = f"POST {found} writes, and a tap only reads"
        raise PasteError(msg)
    return found


def _without_tokens(pairs: Iterable[tuple[str, str]]) -> Pairs:
    return tuple((name, decoded(value)) for name, value in pairs if not _is_token(name, value))


def _is_token(name: str, value: Any) -> bool:
    """Return whether a field holds a token; what it holds is never shown."""
    if not _TOKEN.fullmatch(name):
        return False
    register_secret(value if isinstance(value, str) else None)
    return True

"""The sandbox's own surface, ``/sandbox/…``: no token, no limit, no chaos."""

from __future__ import annotations

import gc
import json
from itertools import islice
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote

from totango_sandbox.errors import FaultRuleError, LoadError, SandboxError, UsageError
from totango_sandbox.http import NDJSON, Request, Response, reply
from totango_sandbox.storage import KINDS, all_rows, count_rows, load

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from totango_sandbox.service import Service

_BAD: Final = 400
_LINES_AT_ONCE: Final = 500
_RECORDS: Final = {
    "activities": ("account_id", "user_id", "activity", "module", "time"),
    "log": ("time", "surface", "reason", "detail"),
}
_OTHERS: Final = ("calls", "moves")


def answer_control(service: Service, request: Request) -> Response:
    """Answer a call to the sandbox itself."""
    handlers = {
        ("GET", "dump"): _dump,
        ("GET", "stats"): _stats,
        ("POST", "load"): _load,
        ("POST", "reset"): _reset,
        ("GET", "set"): _show_switches,
        ("POST", "set"): _set,
        ("POST", "settle"): _settle,
        ("POST", "chaos"): _chaos,
    }
    name = request.path.removeprefix("/sandbox/").strip("/")
    handler = handlers.get((request.method, name))
    if handler is None:
        return reply({"error": f"there is no {request.method} {request.path}"}, 404)
    try:
        return handler(service, request)
    except SandboxError as error:
        return reply({"error": str(error)}, _BAD)
    except (ValueError, AttributeError, TypeError) as error:
        return reply({"error": f"the body is not what {name} takes: {error}"}, _BAD)


def _dump(service: Service, request: Request) -> Response:
    """Return rows as lines of JSON, streamed."""
    kind = unquote(request.form().get("object", ""))
    store = service.store
    store.settle()
    found: Iterable[dict[str, Any]]
    if kind in KINDS:
        found = all_rows(store, kind)
    elif kind in _RECORDS:
        records = list(store.database.records(kind))
        found = (_record(kind, record) for record in records)
    elif kind == "calls":
        found = service.calls.calls()
    elif kind == "moves":
        found = list(service.movement.journal)
    else:
        known = ", ".join([*KINDS, *_RECORDS, *_OTHERS])
        msg = f"object {kind!r} cannot be dumped; {known} can"
        raise UsageError(msg)
    return Response(200, _lines(found), [NDJSON])


def _record(kind: str, record: tuple[Any, ...]) -> dict[str, Any]:
    row = dict(zip(_RECORDS[kind], record, strict=True))
    if kind == "log":
        row.update(json.loads(row.pop("detail")))
    return row


def _lines(found: Iterable[dict[str, Any]]) -> Iterator[bytes]:
    source = iter(found)
    while batch := list(islice(source, _LINES_AT_ONCE)):
        yield "".join([json.dumps(row, ensure_ascii=False) + "\n" for row in batch]).encode()


def _stats(service: Service, _request: Request) -> Response:
    store = service.store
    store.settle()
    return reply(
        {
            **service.calls.totals(),
            "rows": {
                **count_rows(store),
                "activities": store.database.count("activities"),
                "log": store.database.count("log"),
            },
            "delayed_writes": store.delayed,
            "searches": service.movement.searches,
            "switches": service.switches.changed(),
            "chaos": [
                {"spec": rule.spec, "seen": rule.seen, "struck": rule.struck}
                for rule in service.faults.rules
            ],
        }
    )


def _load(service: Service, request: Request) -> Response:
    document = request.json()
    if not isinstance(document, dict):
        msg = "an object with lists of rows is needed"
        raise LoadError(msg)
    service.store.settle(everything=True)
    loaded = load(service.store, document)
    gc.freeze()
    return reply({"loaded": loaded})


def _reset(service: Service, request: Request) -> Response:
    """Empty everything; ``{"settings": true}`` also takes back switches and chaos.

    ``{"settings": true, "rows": false}`` takes back these alone.
    """
    wanted = request.json() if request.body else {}
    if wanted.get("settings"):
        service.switches.restore()
        service.faults.restore()
    if wanted.get("rows", True):
        service.clear()
    return reply({"reset": True})


def _settle(service: Service, _request: Request) -> Response:
    settled = service.store.delayed
    service.store.settle(everything=True)
    return reply({"settled": settled})


def _show_switches(service: Service, _request: Request) -> Response:
    return reply(service.switches.changed())


def _set(service: Service, request: Request) -> Response:
    service.switches.set_all({name: str(value) for name, value in request.json().items()})
    return reply(service.switches.changed())


def _chaos(service: Service, request: Request) -> Response:
    specs = request.json()["specs"]
    if not isinstance(specs, list):
        msg = "specs has to be a list of texts"
        raise FaultRuleError(msg)
    service.faults.replace([str(spec) for spec in specs])
    return reply({"specs": [rule.spec for rule in service.faults.rules]})

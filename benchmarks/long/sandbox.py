"""How fast the sandbox is, over a real socket.

Run with ``python benchmarks/long/sandbox.py [--accounts 200000]``. It starts a sandbox of its own,
on the same machine: with two cores or more the client does not take time away from the server.
"""

from __future__ import annotations

import argparse
import http.client
import json
import socket
import statistics
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode, urlsplit

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "scripts"))

from sandboxes import Sandbox, sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator

FIELDS: list[dict[str, Any]] = [
    {"type": "string", "term": "health"},
    {"type": "string", "term": "status"},
    {"type": "owner", "account_role": "Success Manager"},
    {"type": "health_trend"},
    *(
        {"type": "string_attribute", "attribute": name}
        for name in ("Plan", "plan", "Größe", "Country", "Notes", "Is Reference", "Account Type")
    ),
    *(
        {"type": "number_attribute", "attribute": name}
        for name in ("Contract Value", "Licenses", "Company Size", "NPS (last)", "ARR %")
    ),
    *(
        {"type": "date_attribute", "attribute": name}
        for name in ("Create Date", "Contract Start Date", "Cancellation Date")
    ),
    *(
        {"type": "simple_date_attribute", "attribute": name}
        for name in ("Contract Renewal Date", "Last Contract Value Change Date")
    ),
    {"type": "lifecycle_attribute", "attribute": "Customer Journey Stage"},
    {"type": "list_attribute", "attribute": "Products in use"},
    {"type": "date", "term": "last_activity_time"},
    {"type": "string_attribute", "attribute": "Sales Manager"},
]
FILTERS: dict[str, list[dict[str, Any]]] = {
    "status_group": [{"type": "string", "term": "status_group", "in_list": ["paying"]}],
    "two attributes": [
        {"type": "string_attribute", "attribute": "Plan", "in_list": ["Pro", "Basic"]},
        {"type": "number_attribute", "attribute": "Licenses", "gte": 500},
    ],
    "last activity": [{"type": "date", "term": "last_activity_time", "gte": 1_764_000_000_000}],
}
DEFAULT_SEED = "accounts=2500,users=4000,events=300"
TRACKING_CALLS = 20_000
PIPELINE = 50


@contextmanager
def running(*arguments: str, seed: str = "none") -> Iterator[tuple[Sandbox, float]]:
    """A sandbox of our own and the seconds that it took to start."""
    started = time.perf_counter()
    with (
        tempfile.TemporaryDirectory() as folder,
        sandbox(Path(folder), *arguments, seed=seed) as service,
    ):
        yield service, time.perf_counter() - started


def search(service: Sandbox, connection: http.client.HTTPConnection, **query: Any) -> float:
    """Milliseconds of one search."""
    body = urlencode({"query": json.dumps({"terms": [], "fields": [], **query})})
    headers = {"app-token": service.token, "content-type": "application/x-www-form-urlencoded"}
    started = time.perf_counter()
    connection.request("POST", "/api/v1/search/accounts", body, headers)
    answer = connection.getresponse()
    answer.read()
    took = (time.perf_counter() - started) * 1000
    if answer.status != http.client.OK:
        sys.exit(f"a search was answered with {answer.status}")
    return took


def tracking_rate(service: Sandbox) -> float:
    """Tracking calls a second: forms of 20 attributes, sent ahead on one connection.

    Sending ahead keeps this client so cheap that what is measured is the server.
    """
    url = urlsplit(service.url)
    calls = [_tracking_call(service, number) for number in range(2_000)]
    with socket.create_connection((url.hostname, url.port)) as connection:
        started = time.perf_counter()
        for first in range(0, TRACKING_CALLS, PIPELINE):
            batch = (calls[(first + at) % len(calls)] for at in range(PIPELINE))
            connection.sendall(b"".join(batch))
            answers = b""
            while answers.count(b"HTTP/1.1 200") < PIPELINE or not answers.endswith(b";"):
                answers += connection.recv(1 << 16)
        return TRACKING_CALLS / (time.perf_counter() - started)


def _tracking_call(service: Sandbox, number: int) -> bytes:
    form = {"sdr_s": service.service_id, "sdr_o": f"bench-{number}"}
    form |= {f"sdr_o.Attribute {at}": f"value {number} of {at} & more" for at in range(20)}
    body = urlencode(form).encode()
    head = (
        "POST /pixel.gif HTTP/1.1\r\nhost: sandbox\r\n"
        "content-type: application/x-www-form-urlencoded\r\n"
        f"content-length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def _requests_rate(service: Sandbox) -> float:
    """Tracking calls a second, one after the other: the client is most of it."""
    url = urlsplit(service.url)
    connection = http.client.HTTPConnection(url.hostname or "", url.port)
    body = _tracking_call(service, 1).partition(b"\r\n\r\n")[2]
    headers = {"content-type": "application/x-www-form-urlencoded"}
    started = time.perf_counter()
    for _ in range(3_000):
        connection.request("POST", "/pixel.gif", body, headers)
        connection.getresponse().read()
    return 3_000 / (time.perf_counter() - started)


def _memory(pid: int) -> str:
    status = Path(f"/proc/{pid}/status")
    if not status.exists():
        return "unknown"
    line = next(line for line in status.read_text().splitlines() if line.startswith("VmRSS"))
    return f"{int(line.split()[1]) / 1024:,.0f} MB"


def _searches(service: Sandbox) -> None:
    url = urlsplit(service.url)
    connection = http.client.HTTPConnection(url.hostname or "", url.port)
    print(f"first search (sorts all):   {search(service, connection, count=1):8.1f} ms")
    pages = [
        search(service, connection, fields=FIELDS, count=1000, offset=page * 1000)
        for page in range(9)
    ]
    print(f"page of 1000 x {len(FIELDS)} fields:    {statistics.median(pages):8.1f} ms")
    for name, terms in FILTERS.items():
        fresh = search(service, connection, terms=terms, count=1)
        again = search(service, connection, terms=terms, count=1)
        print(f"filter {name:20} {fresh:8.1f} ms, again {again:.1f} ms")
    by_time = {"sort_by": "last_activity_time", "sort_order": "DESC", "count": 1000}
    print(f"first by last activity:     {search(service, connection, **by_time):8.1f} ms")


def _load(service: Sandbox, accounts: int) -> None:
    url = urlsplit(service.url)
    connection = http.client.HTTPConnection(url.hostname or "", url.port)
    names = [f"Attribute {at}" for at in range(25)]
    rows = [
        {
            "account_id": f"load-{number}",
            "account_name": f"Loaded {number}",
            "last_activity_time": number,
            "attributes": {name: f"{name} {number % 97}" for name in names},
        }
        for number in range(accounts)
    ]
    body = json.dumps({"accounts": rows})
    started = time.perf_counter()
    connection.request("POST", "/sandbox/load", body)
    connection.getresponse().read()
    print(f"load of {accounts:,} rows:    {time.perf_counter() - started:8.1f} s")
    print(f"memory after that:          {_memory(service.pid):>8}")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--accounts", type=int, default=200_000)
    accounts = parser.parse_args().accounts
    with running(seed=DEFAULT_SEED) as (service, seconds):
        print(f"start, default seed:        {seconds:8.2f} s")
        print(f"tracking calls, sent ahead: {tracking_rate(service):8,.0f} a second")
        print(f"tracking calls, one by one: {_requests_rate(service):8,.0f} a second")
    with (
        tempfile.TemporaryDirectory() as folder,
        running("--db", f"{folder}/bench.db", seed=DEFAULT_SEED) as (service, _),
    ):
        print(f"the same into a file:       {tracking_rate(service):8,.0f} a second")
    with running(seed=f"accounts={accounts},users=0,events=0") as (service, seconds):
        print(f"start, {accounts:,} accounts:   {seconds:8.2f} s")
        print(f"memory:                     {_memory(service.pid):>8}")
        _searches(service)
    with running() as (service, _):
        _load(service, accounts)


if __name__ == "__main__":
    main()

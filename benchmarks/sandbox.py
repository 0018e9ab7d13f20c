"""How fast the sandbox is, over a real socket.

Run with ``python benchmarks/sandbox.py [--accounts 200000]``. It starts a sandbox of its own, on
the same machine: with two cores or more the client does not take time away from the server.
"""

from __future__ import annotations

import argparse
import http.client
import json
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode, urlsplit

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
TRACKING_CALLS = 20_000
PIPELINE = 50


@contextmanager
def running(*arguments: str) -> Iterator[tuple[dict[str, Any], float]]:
    """A sandbox of our own and the seconds that it took to start."""
    with tempfile.TemporaryDirectory() as folder:
        ready = Path(folder, "ready.json")
        command = [sys.executable, "-m", "totango_sandbox", "serve", "--port", "0"]
        command += ["--rate-limit", "0", "--ready-file", str(ready), *arguments]
        started = time.perf_counter()
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        try:
            while not ready.exists():
                if process.poll() is not None:
                    sys.exit("the sandbox did not start")
                time.sleep(0.005)
            yield json.loads(ready.read_text()), time.perf_counter() - started
        finally:
            process.terminate()
            process.wait()


def search(info: dict[str, Any], connection: http.client.HTTPConnection, **query: Any) -> float:
    """Milliseconds of one search."""
    body = urlencode({"query": json.dumps({"terms": [], "fields": [], **query})})
    headers = {"app-token": info["token"], "content-type": "application/x-www-form-urlencoded"}
    started = time.perf_counter()
    connection.request("POST", "/api/v1/search/accounts", body, headers)
    answer = connection.getresponse()
    answer.read()
    took = (time.perf_counter() - started) * 1000
    if answer.status != http.client.OK:
        sys.exit(f"a search was answered with {answer.status}")
    return took


def tracking_rate(info: dict[str, Any]) -> float:
    """Tracking calls a second: forms of 20 attributes, sent ahead on one connection.

    Sending ahead keeps this client so cheap that what is measured is the server.
    """
    url = urlsplit(info["url"])
    calls = [_tracking_call(info, number) for number in range(2_000)]
    with socket.create_connection((url.hostname, url.port)) as connection:
        started = time.perf_counter()
        for first in range(0, TRACKING_CALLS, PIPELINE):
            batch = (calls[(first + at) % len(calls)] for at in range(PIPELINE))
            connection.sendall(b"".join(batch))
            answers = b""
            while answers.count(b"HTTP/1.1 200") < PIPELINE or not answers.endswith(b";"):
                answers += connection.recv(1 << 16)
        return TRACKING_CALLS / (time.perf_counter() - started)


def _tracking_call(info: dict[str, Any], number: int) -> bytes:
    form = {"sdr_s": info["service_id"], "sdr_o": f"bench-{number}"}
    form |= {f"sdr_o.Attribute {at}": f"value {number} of {at} & more" for at in range(20)}
    body = urlencode(form).encode()
    head = (
        "POST /pixel.gif HTTP/1.1\r\nhost: sandbox\r\n"
        "content-type: application/x-www-form-urlencoded\r\n"
        f"content-length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def _requests_rate(info: dict[str, Any]) -> float:
    """Tracking calls a second, one after the other: the client is most of it."""
    url = urlsplit(info["url"])
    connection = http.client.HTTPConnection(url.hostname or "", url.port)
    body = _tracking_call(info, 1).partition(b"\r\n\r\n")[2]
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


def _searches(info: dict[str, Any]) -> None:
    url = urlsplit(info["url"])
    connection = http.client.HTTPConnection(url.hostname or "", url.port)
    print(f"first search (sorts all):   {search(info, connection, count=1):8.1f} ms")
    pages = [
        search(info, connection, fields=FIELDS, count=1000, offset=page * 1000) for page in range(9)
    ]
    print(f"page of 1000 x {len(FIELDS)} fields:    {statistics.median(pages):8.1f} ms")
    for name, terms in FILTERS.items():
        fresh = search(info, connection, terms=terms, count=1)
        again = search(info, connection, terms=terms, count=1)
        print(f"filter {name:20} {fresh:8.1f} ms, again {again:.1f} ms")
    by_time = {"sort_by": "last_activity_time", "sort_order": "DESC", "count": 1000}
    print(f"first by last activity:     {search(info, connection, **by_time):8.1f} ms")


def _load(info: dict[str, Any], accounts: int) -> None:
    url = urlsplit(info["url"])
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
    print(f"memory after that:          {_memory(info['pid']):>8}")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--accounts", type=int, default=200_000)
    accounts = parser.parse_args().accounts
    with running() as (info, seconds):
        print(f"start, default seed:        {seconds:8.2f} s")
        print(f"tracking calls, sent ahead: {tracking_rate(info):8,.0f} a second")
        print(f"tracking calls, one by one: {_requests_rate(info):8,.0f} a second")
    with (
        tempfile.TemporaryDirectory() as folder,
        running("--db", f"{folder}/bench.db") as (info, _),
    ):
        print(f"the same into a file:       {tracking_rate(info):8,.0f} a second")
    with running("--seed", f"accounts={accounts},users=0,events=0") as (info, seconds):
        print(f"start, {accounts:,} accounts:   {seconds:8.2f} s")
        print(f"memory:                     {_memory(info['pid']):>8}")
        _searches(info)
    with running("--seed", "none") as (info, _):
        _load(info, accounts)


if __name__ == "__main__":
    main()

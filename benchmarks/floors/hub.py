"""Post accounts to the hub with msgspec and requests: ``hub.py URL`` with Singer lines on stdin.

Columns become attributes of the same names as in the target, all values text, nulls left out.
"""

from __future__ import annotations

import sys
from typing import Any

import msgspec
import requests

BATCH = 100
HEADERS = {
    "Content-Type": "application/json",
    "Authorization": "app-token none",
    "service_id": "12345",
}


def main() -> None:
    """Post batch after batch."""
    url = sys.argv[1]
    decode, encode = msgspec.json.Decoder().decode, msgspec.json.Encoder().encode
    session = requests.Session()
    session.headers.update(HEADERS)
    listed = decode(session.get(f"{url}/api/v1/attributes.json").content)["list"]
    names = {one["key_name"].lower().replace(" ", "_"): one["key_name"] for one in listed}
    dates = {one["key_name"] for one in listed if one["type"] == "date"}
    names["account_name"] = "account_name"

    def post() -> None:
        answer = session.post(f"{url}/api/v1/accounts", data=encode({"accounts": batch}))
        answer.raise_for_status()
        batch.clear()

    batch: list[dict[str, Any]] = []
    for line in sys.stdin.buffer:
        message = decode(line)
        if message["type"] == "RECORD":
            batch.append(_row(message["record"], names, dates))
        if len(batch) == BATCH:
            post()
    if batch:
        post()


def _row(record: dict[str, Any], names: dict[str, str], dates: set[str]) -> dict[str, Any]:
    attributes = {
        name: value if isinstance(value, str) else str(value)
        for column, name in names.items()
        if (value := record[column]) is not None
    }
    for name in dates & attributes.keys():
        attributes[name] = _moment(attributes[name])
    return {"id": record["account_id"], "attributes": attributes}


def _moment(text: str) -> str:
    """Write a moment of microseconds as the target does: milliseconds, unless there are none."""
    return f"{text[:19]}Z" if text.endswith(".000000Z") else f"{text[:23]}Z"


if __name__ == "__main__":
    main()

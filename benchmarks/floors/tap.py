"""Read accounts with requests and msgspec: ``tap.py URL [ATTRIBUTE …]``; all of them by default.

Pages become RECORD lines as a target needs them: named columns, times in one canonical form.
"""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import requests

EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 (UTC, like everything here)
TYPES = {"text": "string_attribute", "numeric": "number_attribute", "date": "date_attribute"}
PAGE = 1000


def main() -> None:
    """Read page after page."""
    url, *wanted = sys.argv[1:]
    decode, encode = msgspec.json.Decoder().decode, msgspec.json.Encoder().encode_lines
    session = requests.Session()
    session.headers["app-token"] = "none"
    listed = decode(session.get(f"{url}/api/v1/attributes.json").content)["list"]
    attributes = [one for one in listed if not wanted or one["key_name"] in wanted]
    fields = [{"type": TYPES[one["type"]], "attribute": one["key_name"]} for one in attributes]
    names = [one["key_name"].lower().replace(" ", "_") for one in attributes]
    dates = [at for at, one in enumerate(attributes) if one["type"] == "date"]
    offset, total = 0, 1
    while offset < total:
        query = {"terms": [], "fields": fields, "count": PAGE, "offset": offset}
        form = {"query": json.dumps(query)}
        answer = session.post(f"{url}/api/v1/search/accounts", data=form)
        answer.raise_for_status()
        body = decode(answer.content)["response"]["accounts"]
        now = datetime.now(UTC).isoformat().replace("+00:00", "Z")
        messages = [_message(hit, names, dates, now) for hit in body["hits"]]
        sys.stdout.buffer.write(encode(messages))
        offset, total = offset + len(messages), body["total_hits"]


def _message(hit: dict[str, Any], names: list[str], dates: list[int], now: str) -> dict[str, Any]:
    values = hit["selected_fields"]
    for at in dates:
        values[at] = _time(values[at])
    record = {
        "account_id": hit["name"],
        "account_name": hit["display_name"],
        "last_activity_time": _time(hit["last_activity_time"]),
        **dict(zip(names, values, strict=True)),
    }
    return {"type": "RECORD", "stream": "accounts", "record": record, "time_extracted": now}


def _time(milliseconds: int | None) -> str | None:
    if milliseconds is None:
        return None
    moment = EPOCH + timedelta(milliseconds=milliseconds)
    return moment.isoformat(timespec="microseconds") + "Z"


if __name__ == "__main__":
    main()

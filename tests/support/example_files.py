"""What the example files mean, read with nothing but the csv module."""

from __future__ import annotations

import csv
import json
import re
from typing import Any

import toolbox

CSV = toolbox.ROOT / "examples" / "csv"
_TAP = toolbox.ROOT / "examples" / "csv-to-totango" / "tap-csv-folder.json"

REJECTED = {
    ("NW 1060/B", None),
    ("NW 1060/B", "zoe.patel@tworivers.example.com"),
    ("NW-1028", "grace.hopper+newsletter@c1028.example.com"),
    (
        "NW-1038",
        (
            "the-most-thoroughly-documented-mailbox-of-the-whole-purchasing-department-"
            "of-the-western-region@c1038.example.com"
        ),
    ),
    ("", "walk.in@example.net"),
}
"""Rows of the example files that break one of Totango's rules, by account and user."""

_COMPANY = {
    "Status": "Status",
    "Plan": "Plan",
    "Contract Value": "Contract Value",
    "Licenses": "Seats",
    "Create Date": "Signed On",
    "Contract Renewal Date": "Renews On",
    "Success Manager": "Account Manager",
    "Industry": "Industry",
    "Country": "Country",
    "Notes": "Notes",
}
_CONTACT = {
    "First Name": "First Name",
    "Last Name": "Last Name",
    "Email": "E-Mail",
    "Job Title": "Job Title",
    "Phone": "Phone",
    "Language": "Language",
    "Key Contact": "Key Contact",
    "NPS": "NPS",
    "Last Survey": "Last Survey",
}


def companies() -> dict[tuple[str, ...], dict[str, Any]]:
    """The accounts that the example file means."""
    return {
        (row["Customer No"],): {"account_name": row["Company"], **_cells(row, _COMPANY)}
        for row in _rows("companies.csv")
        if (row["Customer No"], None) not in REJECTED
    }


def contacts() -> dict[tuple[str, ...], dict[str, Any]]:
    """The users that the example file means."""
    return {
        (row["Customer No"], row["E-Mail"].lower()): {
            "user_name": f"{row['First Name']} {row['Last Name']}",
            **_cells(row, _CONTACT),
        }
        for row in _rows("contacts.csv")
        if (row["Customer No"], row["E-Mail"].lower()) not in REJECTED
    }


def _rows(name: str) -> list[dict[str, str]]:
    with (CSV / name).open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def _cells(row: dict[str, str], columns: dict[str, str]) -> dict[str, Any]:
    """Attributes as a service keeps them: an empty cell is no attribute."""
    return {attribute: _stored(row[column]) for attribute, column in columns.items() if row[column]}


def _stored(cell: str) -> float | str:
    plain = re.fullmatch(r"\d{1,3}(,\d{3})*(\.\d+)?|\d+(\.\d+)?", cell)
    if plain:
        return float(cell.replace(",", ""))
    return re.sub(r"(T\d\d:\d\d:\d\d)Z$", r"\1.000Z", cell)


def tap_settings() -> dict[str, Any]:
    """Return the example's settings of tap-csv-folder, for a run from any folder."""
    settings: dict[str, Any] = json.loads(_TAP.read_text(encoding="utf-8"))
    return settings | {"path": str(CSV)}

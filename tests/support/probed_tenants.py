"""A tenant whose account has a value of everything that a probe of writes asks about."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from target_runs import PROBED

if TYPE_CHECKING:
    from sandboxes import Sandbox

SHORT_SFID = "0015000000GkX1p"
HELD = {
    "Tier": "Gold",
    "sfid": SHORT_SFID,
    "Success Manager": "Dana Doe",
    "Sales Manager": "Sam Roe",
}


def fill(service: Sandbox, **held: str) -> None:
    """Load the account of a probe with values, and what they and records refer to."""
    definitions = [
        {"key_name": name, "type": "text", "object": "accounts"} for name in HELD if name != "Tier"
    ]
    tier = {"key_name": "Tier", "type": "list", "object": "accounts", "options": ["Gold", "Tin"]}
    service.load(
        accounts=[{"account_id": PROBED, "account_name": "Tested", "attributes": held}],
        attributes=[tier, *definitions],
        touchpoint_types=[{"id": "type-1", "display_name": "Web Meeting"}],
        activity_types=[{"activity_type_id": "renewal", "display_name": "Renewal"}],
        staff=[
            {"staff_id": f"{name.split()[0].lower()}@example.com", "staff_name": name}
            for name in ("Dana Doe", "Sam Roe")
        ],
    )


def held_by(service: Sandbox) -> dict[str, Any]:
    """Return what the account holds of the values that it may be given."""
    written = service.writable("accounts")[(PROBED,)]
    return {name: written.get(name) for name in HELD}

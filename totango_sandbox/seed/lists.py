"""Made-up settings of a tenant: reference lists, staff, teams, import jobs, the audit log."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from totango_sandbox import dates
from totango_sandbox.seed import words
from totango_sandbox.storage import owner_mail

if TYPE_CHECKING:
    import random

    from totango_sandbox.storage import Store

CONNECTOR: Final = "0b4a8c1e-5d3f-4a77-9c1b-2f6f0e6f1a01"
_ACTIONS: Final = ("USER_PROFILE_VIEW", "USER_LIST_EXPORT", "USER_EDIT", "USER_DELETE")
_AUDITED_DAYS: Final = 500
_TEAMS: Final = ("Customer Success", "Sales", "Support")


def fill_lists(store: Store, dice: random.Random, present: int) -> None:
    """Put everything but customers into a store."""
    documents = _reference_lists(present) | {
        "teams": [_team(number, name) for number, name in enumerate(_TEAMS, start=1)],
        "jobs": [
            _job(1, "Nightly accounts", "accounts", 0, present),
            _job(2, "Usage", "usage", 3, present),
        ],
        "audit": [_audit_row(dice, present) for _ in range(200)],
    }
    for kind, rows in documents.items():
        for row in sorted(rows, key=lambda row: str(row.get("timestamp", ""))):
            store.documents.put(kind, row)
    _fill_staff(store, present)


def _reference_lists(present: int) -> dict[str, list[dict[str, Any]]]:
    return {
        "touchpoint_types": _touchpoint_types(present),
        "touchpoint_tags": [
            {"id": identifier, "display_name": name} for identifier, name in words.TOUCHPOINT_TAGS
        ],
        "activity_types": _activity_types(),
        "objective_statuses": _objective_settings(words.OBJECTIVE_STATUSES, present),
        "objective_categories": _objective_settings(words.OBJECTIVE_CATEGORIES, present),
    }


def _touchpoint_types(present: int) -> list[dict[str, Any]]:
    return [
        {
            "id": identifier,
            "display_name": name,
            "icon": "icon-note",
            "is_default": number == 0,
            "non_editable": number == 0,
            "used": True,
            "created_at": dates.time_text(present - 900 * dates.DAY),
            "created_by": owner_mail(words.OWNERS[0]),
            "updated_at": None,
            "updated_by": None,
        }
        for number, (identifier, name) in enumerate(words.TOUCHPOINT_TYPES)
    ]


def _activity_types() -> list[dict[str, Any]]:
    return [
        {
            "activity_type_id": identifier,
            "display_name": name,
            "num_of_activities_assign_to": 7 * number,
            "icon_class": f"icon-{identifier}",
            "system_type": number < 2,
            "default_type": number == 0,
            "disabled": False,
        }
        for number, (identifier, name) in enumerate(words.ACTIVITY_TYPES)
    ]


def _objective_settings(names: tuple[tuple[str, str], ...], present: int) -> list[dict[str, Any]]:
    created = dates.time_text(present - 900 * dates.DAY)
    return [
        {
            "id": identifier,
            "displayName": name,
            "createdBy": owner_mail(words.OWNERS[0]),
            "updatedBy": "",  # nobody (Totango: Objectives API)
            "createdAt": created,
            "updatedAt": created,
        }
        for identifier, name in names
    ]


def _team(number: int, name: str) -> dict[str, Any]:
    members = [owner_mail(owner) for owner in words.OWNERS[number - 1 :: 3]]
    return {
        "id": number,
        "service_id": 12345,
        "display_name": name,
        "terms": '[{"type":"string","term":"status_group","in_list":["paying"]}]',
        "extended_terms": "[]",
        "members_terms": "[]",
        "description": None,
        "icon": "icon-team",
        "goal": "",
        "color": "#336699",
        "extended_accounts_selection": "none",
        "extended_search_enabled": number % 2,
        "type": "custom",
        "team_type_id": number,
        "include_entire_hierarchy": 0,
        "default_manager_role_id": 1,
        "default_role_id": 2,
        "team_members": [_member(number, at, member) for at, member in enumerate(members)],
        "team_role_settings": [_role_setting(number)],
    }


def _member(team: int, number: int, login: str) -> dict[str, Any]:
    return {
        "id": team * 100 + number,
        "service_id": 12345,
        "team_id": team,
        "username": login,
        "is_default": 1,
        "is_admin": int(number == 0),
        "role_id": 1 + (number > 0),
        "is_auto_generated": 0,
        "homepage": None,
    }


def _role_setting(team: int) -> dict[str, Any]:
    return {
        "id": team * 10,
        "service_id": "12345",  # a text only here (Totango: Teams API)
        "team_id": team,
        "role_id": 1,
        "can_edit_portfolio": 1,
        "default_portfolio_data": None,
        "default_portfolio_selection": "all",
        "default_portfolio_account_types": "",
    }


def _job(number: int, name: str, data: str, invalid: int, present: int) -> dict[str, Any]:
    return {
        "id": f"job-{number}",
        "connector_id": CONNECTOR,
        "integration_type": "csv_file",
        "job_configuration": {
            "name": name,
            "description": "",
            "notificationsEmail": owner_mail(words.OWNERS[0]),
        },
        "scheduling": {"scheduleType": "daily"},
        "execution": _execution(number, data, invalid, present - 6 * 3_600_000),
    }


def _execution(number: int, data: str, invalid: int, started: int) -> dict[str, Any]:
    error = {
        "code": "INVALID_DATE",
        "description": "A date that is none",
        "linesNum": invalid,
        "extraInfo": {"accountId": "acc-000001", "lastLine": 17},
    }
    return {
        "transactionId": f"transaction-{number}",
        "triggerType": "SCHEDULED",
        "result": "PARTIAL" if invalid else "SUCCESS",
        "dataType": data,
        "startTime": dates.time_text(started),
        "finishTimeProcessing": dates.time_text(started + 60_000),
        "finishTimeIndexing": dates.time_text(started + 90_000),
        "ingestionDetails": {
            "totalRecords": 100,
            "validRecords": 100 - invalid,
            "invalidRecords": invalid,
            "processedRecords": 100 - invalid,
            "duplicateRecords": 0,
        },
        "additionalInfo": {"fileSizeInBytes": 20_480},
        "errors": [error] if invalid else [],
    }


def _audit_row(dice: random.Random, present: int) -> dict[str, Any]:
    moment = present - dice.randrange(_AUDITED_DAYS * dates.DAY)
    return {
        "timestamp": dates.time_text(moment),
        "action": dice.choice(_ACTIONS),
        "user": owner_mail(dice.choice(words.OWNERS)),
        "sensitive": dice.random() < 0.2,
        "details": {"account": f"acc-{dice.randrange(1, 50):06}"},
    }


def _fill_staff(store: Store, present: int) -> None:
    table = store.staff
    for number, name in enumerate(words.OWNERS):
        first, last = name.split(" ", 1)
        row = store.staff_row(owner_mail(name))
        store.name_row(table, row, name)
        table.set_base(row, "first_activity_time", present - 800 * dates.DAY)
        table.set_base(row, "last_activity_time", present - number * dates.DAY)
        cells = {
            "First Name": first,
            "Last Name": last,
            "License": "Full" if number % 3 else "Light",
            "__internal_status": "active" if number % 5 else "disabled",
            "__internal_role": "Global Admin" if number == 0 else "CSM",
            "__internal_teams": "Customer Success,Sales" if number % 2 else "Customer Success",
            "Region": "EMEA",
            "Country": words.COUNTRIES[number],
        }
        for attribute, value in cells.items():
            table.attribute_column(attribute)[row] = value
    table.touch()

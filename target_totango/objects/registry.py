"""Registry of what the target can write: one entry for each object of Totango.

A new object is one entry here, beside the modules that write it.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import Final

from target_totango.models import (
    ACCOUNT,
    ACCOUNTS,
    ACTIVITIES,
    API,
    COLLECTIONS,
    FIELDS,
    HUB,
    TASKS,
    TOUCHPOINTS,
    USER,
    USERS,
)
from target_totango.objects.forms import (
    DAY,
    LIST,
    MOMENT,
    TRUTH,
    EngagementForm,
    HubForm,
    Identifier,
    NamedAttribute,
    TotangoObject,
    no_longer_than,
)
from totango_api import limits, writing
from totango_api.writing import (
    HubRow,
    account_id_problems,
    product_id_problems,
    user_id_problems,
)

_ACCOUNT_ID: Final = Identifier("account_id", account_id_problems)
_USER_ID: Final = Identifier("user_id", user_id_problems)
_ACCOUNT_NAME: Final = NamedAttribute(
    "account_name", ACCOUNT, "account_name", limits.ACCOUNT_NAME_LENGTH
)
_ACTIVITY_TYPE: Final = NamedAttribute(
    "activity_type", FIELDS, "activity_type_id", reference="activity_types"
)
"""A flow, as the user interface calls it."""

STAFF: Final = "staff"
"""The list of the people who work in Totango: addresses by full name."""

_PRIORITIES: Final = {"high": "1", "normal": "2", "medium": "2", "low": "3"}
_STATUSES: Final = {"open": "open", "closed": "closed"}


def _foreign_ids(scope: str, length: int) -> tuple[NamedAttribute, ...]:
    """Return the ids that an account or user has in another system and in Salesforce."""
    problems_of = no_longer_than(length)
    return tuple(
        NamedAttribute(name, scope, name, problems_of=problems_of) for name in ("ofid", "sfid")
    )


_ALL: Final = (
    TotangoObject(
        ACCOUNTS,
        ids=(_ACCOUNT_ID,),
        rank=0,
        scope=ACCOUNT,
        named=(
            replace(_ACCOUNT_NAME, spellings=("name", "display_name", "company_name")),
            NamedAttribute("parent_id", ACCOUNT, "parent_id", problems_of=account_id_problems),
            NamedAttribute("product_id", ACCOUNT, "product_id", problems_of=product_id_problems),
            *_foreign_ids(ACCOUNT, limits.ACCOUNT_TEXT_LENGTH),
        ),
        max_length=limits.ACCOUNT_TEXT_LENGTH,
        hub=HubForm("accounts", lambda write: HubRow(write.account_id, attributes=write.account)),
        display_name="account_name",
    ),
    TotangoObject(
        USERS,
        ids=(_ACCOUNT_ID, _USER_ID),
        rank=1,
        scope=USER,
        named=(
            _ACCOUNT_NAME,
            NamedAttribute(
                "user_name", USER, "name", spellings=("name", "display_name", "full_name")
            ),
            *_foreign_ids(USER, limits.USER_TEXT_LENGTH),
        ),
        max_length=limits.USER_TEXT_LENGTH,
        yes_no=frozenset({"Contact", "Key Contact"}),
        hub=HubForm("users", lambda write: HubRow(write.user_id, write.account_id, write.user)),
        is_deletable=True,
        display_name="name",
    ),
    TotangoObject(
        COLLECTIONS,
        ids=(
            _ACCOUNT_ID,
            Identifier("collection_type", no_longer_than(limits.COLLECTION_TYPE_LENGTH), False),
            Identifier("collection_id", no_longer_than(limits.COLLECTION_ID_LENGTH)),
        ),
        rank=1,
        scope=FIELDS,
        max_length=limits.COLLECTION_TEXT_LENGTH,
        deliveries=(HUB,),
        hub=HubForm(
            "collections",
            lambda write: HubRow(write.parts["collection_id"], write.account_id, write.fields),
        ),
    ),
    TotangoObject(
        ACTIVITIES,
        ids=(
            _ACCOUNT_ID,
            _USER_ID,
            Identifier("activity", no_longer_than(limits.ACTIVITY_NAME_LENGTH), False),
            Identifier("module", no_longer_than(limits.MODULE_NAME_LENGTH), False),
        ),
        rank=2,
        hub=HubForm(
            "usage",
            lambda write: HubRow(
                account_id=write.account_id,
                user_id=write.user_id,
                module=write.parts["module"],
                activity=write.parts["activity"],
            ),
        ),
        is_idempotent=False,
    ),
    TotangoObject(
        TOUCHPOINTS,
        ids=(_ACCOUNT_ID,),
        rank=2,
        scope=FIELDS,
        named=(
            NamedAttribute("touchpoint_id", FIELDS, "note_id", is_found=False),
            NamedAttribute("event_id", FIELDS, "event_id", is_found=False),
            NamedAttribute("content", FIELDS, "content", is_required=True),
            NamedAttribute("subject", FIELDS, "subject"),
            _ACTIVITY_TYPE,
            NamedAttribute("created_by", FIELDS, "created_by"),
            NamedAttribute("create_date", FIELDS, "create_date", kind=MOMENT),
            NamedAttribute(
                "touchpoint_type", FIELDS, "touchpointType", reference="touchpoint_types"
            ),
            NamedAttribute(
                "touchpoint_tags",
                FIELDS,
                "touchpoint_tags",
                kind=LIST,
                reference="touchpoint_tags",
            ),
            NamedAttribute("participants", FIELDS, "participantList", kind=LIST),
            NamedAttribute("parent_touchpoint", FIELDS, "parentId", is_found=False),
            NamedAttribute("disable_sync", FIELDS, "disable_sync", kind=TRUTH),
        ),
        max_length=limits.TOUCHPOINT_CONTENT_LENGTH,
        deliveries=(API,),
        engagement=EngagementForm(writing.TOUCHPOINT_ENDPOINT, "note_id"),
        is_idempotent=False,
    ),
    TotangoObject(
        TASKS,
        ids=(_ACCOUNT_ID,),
        rank=2,
        scope=FIELDS,
        named=(
            NamedAttribute("task_id", FIELDS, "task_id", is_found=False),
            NamedAttribute("title", FIELDS, "title", is_required=True),
            NamedAttribute("description", FIELDS, "description"),
            NamedAttribute("due_date", FIELDS, "due_date", kind=DAY),
            NamedAttribute("priority", FIELDS, "priority", choices=_PRIORITIES),
            NamedAttribute("status", FIELDS, "status", choices=_STATUSES),
            NamedAttribute("status_label", FIELDS, "status_label_id", is_found=False),
            NamedAttribute("assignee", FIELDS, "assignee", reference=STAFF),
            replace(_ACTIVITY_TYPE, is_required=True),
        ),
        max_length=sys.maxsize,  # none is documented
        deliveries=(API,),
        engagement=EngagementForm(writing.TASK_ENDPOINT, "task_id"),
        is_idempotent=False,
    ),
)

OBJECTS: Final[dict[str, TotangoObject]] = {each.name: each for each in _ALL}
"""Every object by its name, in the order of their ranks."""

REPEATABLE: Final = frozenset(each.name for each in _ALL if each.is_idempotent)
"""Objects whose rows may be written twice: others, like activities, would count twice."""

DELETABLE: Final = frozenset(each.name for each in _ALL if each.is_deletable)
"""Objects of which an API deletes single ones."""

ENGAGEMENTS: Final = frozenset(each.name for each in _ALL if each.engagement is not None)
"""Objects that are made and changed by a call each, with an id that Totango gives them."""

SCOPES: Final[dict[str, TotangoObject]] = {ACCOUNT: OBJECTS[ACCOUNTS], USER: OBJECTS[USERS]}
"""Whose attributes rows of other objects may carry along, by scope."""

IDENTIFIERS: Final = tuple(
    dict.fromkeys(identifier.name for each in _ALL for identifier in each.ids)
)
NAMED_SETTINGS: Final = tuple(
    dict.fromkeys(attribute.setting for each in _ALL for attribute in each.named)
)
"""Settings of mappings that hold a source, beside `attributes`."""

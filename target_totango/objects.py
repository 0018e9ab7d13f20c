"""What the target can write: one entry for each object of Totango.

A new object is one entry here, beside the modules that write it.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from target_totango.models import (
    ACCOUNT,
    ACCOUNTS,
    ACTIVITIES,
    COLLECTIONS,
    FIELDS,
    HUB,
    TRACKING,
    USER,
    USERS,
    WriteRequest,
)
from totango_api import limits
from totango_api.writing.hub_rows import HubObject, HubRow
from totango_api.writing.validation import (
    IdProblem,
    account_id_flaws,
    length_flaws,
    product_id_flaws,
    user_id_flaws,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    ProblemsOf = Callable[[str], list[IdProblem]]


@dataclass(frozen=True, slots=True)
class Identifier:
    """A part of what a row is about. Each is a setting of mappings.

    Attributes:
        problems_of: Returns why Totango would not take a text.
        is_id: Whether it is an id, and no name.
    """

    name: str
    problems_of: ProblemsOf
    is_id: bool = True


@dataclass(frozen=True, slots=True)
class NamedAttribute:
    """An attribute for which mappings have a setting.

    Attributes:
        setting: Name of the setting, and of the field that is taken for it without a mapping.
        scope: Whose attribute it is: `account`, `user` or `fields`.
        max_length: Characters that Totango keeps, where that is not the object's number.
        problems_of: For attributes that are ids themselves.
        spellings: Other fields that are taken for it, in this order.
    """

    setting: str
    scope: str
    api_name: str
    max_length: int | None = None
    problems_of: ProblemsOf | None = None
    spellings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class HubForm:
    """How an object goes through the Integration Hub.

    Attributes:
        surface: What the hub calls it.
        row: Returns the row of a write request.
    """

    surface: HubObject
    row: Callable[[WriteRequest], HubRow]


@dataclass(frozen=True, slots=True)
class TotangoObject:
    """One object of Totango.

    Attributes:
        name: What mappings call it.
        ids: What a row cannot do without.
        rank: Rows follow rows of lower rank that are about the same account.
        scope: Where its own attributes are in a write request; None if it has none.
        named: Attributes for which mappings have a setting.
        max_length: Characters of a text attribute that Totango keeps.
        yes_no: Attributes that are `yes` or `no`.
        deliveries: How it can be written.
        hub: Its form in the Integration Hub.
        is_idempotent: Whether writing a row twice changes nothing.
        is_deletable: Whether an API deletes it.
        display_name: The attribute that searches return as a row's name; None if no search
            returns such rows, so that they can neither be looked up nor read back.
    """

    name: str
    ids: tuple[Identifier, ...]
    rank: int
    scope: str | None = None
    named: tuple[NamedAttribute, ...] = ()
    max_length: int = 0
    yes_no: frozenset[str] = frozenset()
    deliveries: tuple[str, ...] = (TRACKING, HUB)
    hub: HubForm | None = None
    is_idempotent: bool = True
    is_deletable: bool = False
    display_name: str | None = None


def _no_longer_than(length: int) -> ProblemsOf:
    def problems_of(text: str) -> list[IdProblem]:
        problems = length_flaws(text, length)
        if not text.isprintable() and any(unicodedata.category(each) == "Cc" for each in text):
            problems.append(IdProblem("control character", "holds a control character"))
        if text.isspace():
            problems.append(IdProblem("missing", "is blank"))
        return problems

    return problems_of


_ACCOUNT_ID: Final = Identifier("account_id", account_id_flaws)
_USER_ID: Final = Identifier("user_id", user_id_flaws)
_ACCOUNT_NAME: Final = NamedAttribute(
    "account_name", ACCOUNT, "account_name", limits.ACCOUNT_NAME_LENGTH
)

_ALL: Final = (
    TotangoObject(
        ACCOUNTS,
        ids=(_ACCOUNT_ID,),
        rank=0,
        scope=ACCOUNT,
        named=(
            replace(_ACCOUNT_NAME, spellings=("name", "display_name", "company_name")),
            NamedAttribute("parent_id", ACCOUNT, "parent_id", problems_of=account_id_flaws),
            NamedAttribute("product_id", ACCOUNT, "product_id", problems_of=product_id_flaws),
            NamedAttribute("ofid", ACCOUNT, "ofid"),
        ),
        max_length=limits.ACCOUNT_TEXT_LENGTH,
        hub=HubForm("accounts", lambda write: HubRow.account(write.account_id, write.account)),
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
            NamedAttribute("ofid", USER, "ofid"),
        ),
        max_length=limits.USER_TEXT_LENGTH,
        yes_no=frozenset({"Contact", "Key Contact"}),
        hub=HubForm(
            "users", lambda write: HubRow.user(write.account_id, write.user_id or "", write.user)
        ),
        is_deletable=True,
        display_name="name",
    ),
    TotangoObject(
        COLLECTIONS,
        ids=(
            _ACCOUNT_ID,
            Identifier("collection_type", _no_longer_than(limits.COLLECTION_TYPE_LENGTH), False),
            Identifier("collection_id", _no_longer_than(limits.COLLECTION_ID_LENGTH)),
        ),
        rank=1,
        scope=FIELDS,
        max_length=limits.COLLECTION_TEXT_LENGTH,
        deliveries=(HUB,),
        hub=HubForm(
            "collections",
            lambda write: HubRow.item(write.parts["collection_id"], write.account_id, write.fields),
        ),
    ),
    TotangoObject(
        ACTIVITIES,
        ids=(
            _ACCOUNT_ID,
            _USER_ID,
            Identifier("activity", _no_longer_than(limits.ACTIVITY_NAME_LENGTH), False),
            Identifier("module", _no_longer_than(limits.MODULE_NAME_LENGTH), False),
        ),
        rank=2,
        hub=HubForm(
            "usage",
            lambda write: HubRow.activity(
                write.account_id,
                write.user_id or "",
                write.parts["module"],
                write.parts["activity"],
            ),
        ),
        is_idempotent=False,
    ),
)

OBJECTS: Final[dict[str, TotangoObject]] = {each.name: each for each in _ALL}
"""Every object by its name, in the order of their ranks."""

REPEATABLE: Final = frozenset(each.name for each in _ALL if each.is_idempotent)
"""Objects whose rows may be written twice: others, like activities, would count twice."""

DELETABLE: Final = frozenset(each.name for each in _ALL if each.is_deletable)
"""Objects of which an API deletes single ones."""

SCOPES: Final[dict[str, TotangoObject]] = {ACCOUNT: OBJECTS[ACCOUNTS], USER: OBJECTS[USERS]}
"""Whose attributes rows of other objects may carry along, by scope."""

IDENTIFIERS: Final = tuple(
    dict.fromkeys(identifier.name for each in _ALL for identifier in each.ids)
)
NAMED_SETTINGS: Final = tuple(
    dict.fromkeys(attribute.setting for each in _ALL for attribute in each.named)
)
"""Settings of mappings that hold a source, beside `attributes`."""

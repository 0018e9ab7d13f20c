"""Values that the account of a probe has: read, and for a moment changed to another one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from totango_api.errors import ApiError
from totango_api.probe import is_refusal

if TYPE_CHECKING:
    from target_totango.probe.account import ProbedAccount
    from totango_api.search import FieldSpec


@dataclass(frozen=True)
class Held:
    """A value that the account has.

    Attributes:
        api_name: How it is written.
        field: The search field that shows it.
        text: As it is written.
    """

    api_name: str
    field: FieldSpec
    text: str


def text_of(value: Any) -> str | None:
    """Return the text of a value; None where there is none. Owners are objects."""
    if isinstance(value, dict):
        value = value.get("owner_value")
    return value if isinstance(value, str) and value else None


def values_of(account: ProbedAccount, *fields: FieldSpec) -> list[Any]:
    """Return what the account shows in some fields; nothing where a field is refused.

    Raises:
        ApiError: If the service does not answer.
    """
    try:
        return account.values(*fields)
    except ApiError as error:
        if is_refusal(error):
            return []
        raise


@dataclass(frozen=True)
class Lent:
    """What came of another value.

    Attributes:
        shown: What was shown then; None where nothing was.
        is_back: Whether the first value was seen again.
    """

    shown: str | None
    is_back: bool


def lend(account: ProbedAccount, held: Held, text: str) -> Lent | None:
    """Write another value, look at it, and write the first one back.

    Where that ends early, or does not succeed, `put_back` of the account writes it once more.

    Returns:
        None where the write was not seen.

    Raises:
        ApiError: If the service does not answer.
    """
    account.lent[held.api_name] = held
    if account.tracked_values({held.api_name: text}) is None:
        return None
    shown = text_of(account.value(held.field))
    is_back = shown == held.text
    if not is_back:
        account.tracked_values({held.api_name: held.text})
        is_back = text_of(account.value(held.field)) == held.text
    if is_back:
        del account.lent[held.api_name]
    return Lent(shown, is_back)

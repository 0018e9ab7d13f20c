"""Questions about values that the account has: each is another one for a moment.

Nothing is asked where no value can be read that could be written back.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from target_totango.probe.existing_value import ExistingValue, text_of
from target_totango.probe.tracking import definitions, first, unseen
from totango_api.errors import ApiError
from totango_api.probe import Answer, Question, does_not_arise, is_refusal, status_text
from totango_api.search import ACCOUNTS, CORE_ATTRIBUTES, LIST, discover
from totango_api.writing import SALESFORCE_SHORT, is_short_salesforce_id, salesforce_long_id

if TYPE_CHECKING:
    from target_totango.probe.account import ProbedAccount
    from totango_api.search import Attribute, FieldSpec

NO_OPTION: Final = "Singer probe: no option"
_MOST_LISTS: Final = 20
_SFID: Final = "sfid"
_SFID_FIELD: Final[FieldSpec] = {"type": "string_attribute", "attribute": _SFID}
_ROLES: Final = ("Success Manager", "Sales Manager")
_UNSEEN: Final = "the write was not seen"


def unknown_option(account: ProbedAccount) -> Answer:
    """Write a text that is no option into a list of the service's own that has a value.

    Lists that Totango gives a meaning are left alone, and lifecycles, which remember stages.
    """
    if first(account) is None:
        return unseen()
    try:
        known = definitions(account)
    except ApiError as error:
        return does_not_arise(f"attributes are not named: {status_text(error)}")
    core = {one.api_name for one in CORE_ATTRIBUTES[ACCOUNTS]}
    lists = [
        one
        for one in known
        if one.object == ACCOUNTS
        and one.kind == LIST
        and one.options
        and one.api_name not in core
        and NO_OPTION not in one.options
    ]
    existing = _held_option(account, lists[:_MOST_LISTS])
    if existing is None:
        return does_not_arise("the account has no value in a list that names its options")
    replaced = _replace(account, existing, NO_OPTION)
    if replaced is None:
        return unseen(_UNSEEN)
    if replaced.shown == NO_OPTION:
        what = "a text that is no option was seen"
        if _is_option_now(account, existing):
            account.left_behind.append(
                f"the option {NO_OPTION!r} of the attribute {existing.api_name!r}"
            )
            what = "a text that was no option was seen, and became one"
        return Answer("kept", _evidence(what, is_back=replaced.is_back))
    if replaced.shown == existing.text:
        return Answer("dropped", "the value was still there")
    what = "emptied" if replaced.shown is None else "changed"
    return Answer(what, _evidence("another value was seen", is_back=replaced.is_back))


def _held_option(account: ProbedAccount, lists: list[Attribute]) -> ExistingValue | None:
    """Return the first value that is an option of its list."""
    if not lists:
        return None
    values = _values_of(account, *(one.search_field for one in lists))
    for one, value in zip(lists, values, strict=False):
        if (text := text_of(value)) in one.options:
            return ExistingValue(one.api_name, one.search_field, str(text))
    return None


def _is_option_now(account: ProbedAccount, existing: ExistingValue) -> bool:
    client = account.caller.client
    known = account.caller.call(lambda: discover(client, seconds=0))
    return any(one.api_name == existing.api_name and NO_OPTION in one.options for one in known)


def sfid_writes(account: ProbedAccount) -> Answer:
    """Write the account's own Salesforce id in its other spelling: it means the same record."""
    if first(account) is None:
        return unseen()
    shown = next(iter(_values_of(account, _SFID_FIELD)), None)
    text = text_of(shown)
    other = None if text is None else _other_spelling(text)
    if text is None or other is None:
        return does_not_arise("the account shows no Salesforce id, and one could not be taken away")
    replaced = _replace(account, ExistingValue(_SFID, _SFID_FIELD, text), other)
    if replaced is None:
        return unseen(_UNSEEN)
    if replaced.shown == text:
        return Answer("ignored", "the same id in its other spelling was not seen")
    return Answer("taken", _evidence("the same id was seen otherwise", is_back=replaced.is_back))


def _other_spelling(text: str) -> str | None:
    """Return the long form of a short Salesforce id or the reverse; None for what is neither."""
    if is_short_salesforce_id(text):
        return salesforce_long_id(text)
    short = text[:SALESFORCE_SHORT]
    is_long = is_short_salesforce_id(short) and salesforce_long_id(short) == text
    return short if is_long else None


def owner_values(account: ProbedAccount) -> Answer:
    """Write the e-mail of an owner in place of the name, then that of the other owner.

    Nobody becomes an owner of the account who was none, and most of what is asked changes none.
    """
    if first(account) is None:
        return unseen()
    fields: list[FieldSpec] = [{"type": "owner", "account_role": role} for role in _ROLES]
    owners = [
        (ExistingValue(role, field, name), email)
        for role, field, value in zip(_ROLES, fields, _values_of(account, *fields), strict=False)
        if (name := text_of(value)) and (email := _email_of(value)) and email != name
    ]
    if not owners:
        return does_not_arise("the account shows no owner with an e-mail")
    (existing, email), *others = owners
    replaced = _replace(account, existing, email)
    if replaced is None:
        return unseen(_UNSEEN)
    if replaced.shown == email:
        return Answer("any text", _evidence("an e-mail became the name", is_back=replaced.is_back))
    other = next((other for other, _ in others if other.text != existing.text), None)
    if other is None or not replaced.is_back:
        return Answer("names of users", "an e-mail did not become the name")
    replaced = _replace(account, other, email)
    if replaced is None:
        return unseen(_UNSEEN)
    if replaced.shown == existing.text:
        evidence = _evidence("an e-mail was taken for its user", is_back=replaced.is_back)
        return Answer("names or e-mails", evidence)
    return Answer("names of users", "the e-mail of another owner changed nothing")


def _email_of(value: Any) -> str | None:
    email = value.get("owner_tid_value") if isinstance(value, dict) else None
    return email if isinstance(email, str) and "@" in email else None


def _evidence(what: str, *, is_back: bool) -> str:
    return f"{what}, and is put back" if is_back else f"{what}; see what is left"


# Writing another value for a moment ---------------------------------------------------------------


def _values_of(account: ProbedAccount, *fields: FieldSpec) -> list[Any]:
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
class _Replaced:
    """The result of writing another value in place of one.

    Attributes:
        shown: What was shown then; None where nothing was.
        is_back: Whether the first value was seen again.
    """

    shown: str | None
    is_back: bool


def _replace(account: ProbedAccount, existing: ExistingValue, text: str) -> _Replaced | None:
    """Write another value, look at it, and write the first one back.

    Where that ends early, or does not succeed, `restore` of the account writes it once more.

    Returns:
        None where the write was not seen.

    Raises:
        ApiError: If the service does not answer.
    """
    account.to_restore[existing.api_name] = existing
    if account.tracked_values({existing.api_name: text}) is None:
        return None
    shown = text_of(account.value(existing.field))
    is_back = shown == existing.text
    if not is_back:
        account.tracked_values({existing.api_name: existing.text})
        is_back = text_of(account.value(existing.field)) == existing.text
    if is_back:
        del account.to_restore[existing.api_name]
    return _Replaced(shown, is_back)


QUESTIONS: Final = (
    Question("unknown_option", "Is a text kept that is no option?", 0, unknown_option),
    Question("sfid_writes", "Is a Salesforce id taken?", 1, sfid_writes),
    Question("owner_values", "Who is taken as an owner?", 1, owner_values),
)

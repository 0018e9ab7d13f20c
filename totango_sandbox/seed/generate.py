"""Made-up customers: always the same for the same amounts and seed, column by column for speed."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final

from totango_sandbox import dates
from totango_sandbox.seed import words
from totango_sandbox.seed.events import EventMaker
from totango_sandbox.seed.lists import fill_lists

if TYPE_CHECKING:
    from totango_sandbox.seed.amounts import Amounts
    from totango_sandbox.storage import Store, Table

# A fixed "present", so that the same seed gives the same rows on every day.
PRESENT: Final = 1_764_547_200_000  # 2025-12-01
_HOUR: Final = 3_600_000
_OLD: Final = -94_694_400_000  # 1967-01-01
_FAR: Final = 4_102_444_800_000  # 2100-01-01


_CREATED: Final = "Create Date"

Make = Callable[[random.Random, int], list[Any]]


def _one_of(values: Sequence[Any], empty: float = 0.0) -> Make:
    return lambda dice, size: _with_holes(dice, dice.choices(values, k=size), empty)


def _numbers(low: int, high: int, divisor: int = 1, empty: float = 0.0) -> Make:
    def make(dice: random.Random, size: int) -> list[Any]:
        drawn = dice.choices(range(low, high), k=size)
        cells = drawn if divisor == 1 else [number / divisor for number in drawn]
        return _with_holes(dice, cells, empty)

    return make


def _days(first: int, last: int, empty: float = 0.0) -> Make:
    """Return dates between two days counted from the present; a few lie far outside."""

    def make(dice: random.Random, size: int) -> list[Any]:
        cells = [PRESENT + day * dates.DAY for day in dice.choices(range(first, last), k=size)]
        for row in range(97, size, 401):
            cells[row] = (_OLD, _FAR)[row % 2]
        return _with_holes(dice, cells, empty)

    return make


def _several(values: Sequence[str], empty: float) -> Make:
    sets = [f"{one},{two}" for one in values for two in values if one < two] + list(values)
    return _one_of(sets, empty)


def _with_holes(dice: random.Random, cells: list[Any], empty: float) -> list[Any]:
    if empty:
        for row, chance in enumerate([dice.random() for _ in cells]):
            if chance < empty:
                cells[row] = None
    return cells


# API name, type, how cells are made. Core names as in "System and core attributes"; the others are
# what customers do to themselves: names that differ by case, signs, booleans as text.
_ACCOUNT_ATTRIBUTES: Final[tuple[tuple[str, str, Make], ...]] = (
    ("Status", "list", _one_of(words.STATUSES, 0.03)),
    ("Account Type", "list", _one_of(words.ACCOUNT_TYPES, 0.05)),
    ("Success Manager", "text", _one_of(words.OWNERS, 0.1)),
    ("Sales Manager", "text", _one_of(words.OWNERS, 0.4)),
    ("Contract Value", "currency", _numbers(0, 500_000, empty=0.2)),
    ("Licenses", "number", _numbers(0, 2_000, empty=0.15)),
    (_CREATED, "date", _days(-2_500, -1, 0.02)),
    ("Contract Start Date", "date", _days(-1_500, 0, 0.1)),
    ("Contract Renewal Date", "date", _days(-100, 700, 0.1)),
    ("Cancellation Date", "date", _days(-700, 0, 0.9)),
    ("Last Contract Value Change Date", "date", _days(-700, 0, 0.5)),
    ("Customer Journey Stage", "lifecycle", _one_of(words.STAGES, 0.1)),
    ("Company Size", "number", _numbers(1, 90_000, empty=0.3)),
    ("Plan", "list", _one_of(words.PLANS, 0.1)),
    ("plan", "text", _one_of(("monthly", "yearly"), 0.5)),
    ("NPS (last)", "number", _numbers(-100, 101, empty=0.4)),
    ("ARR %", "number", _numbers(-5_000, 20_000, 100, 0.3)),
    ("Größe", "text", _one_of(("klein", "mittel", "groß"), 0.3)),
    ("Products in use", "multi_list", _several(words.PRODUCTS, 0.2)),
    ("Is Reference", "text", _one_of(("true", "false"), 0.2)),
    ("Country", "text", _one_of(words.COUNTRIES, 0.1)),
    ("Notes", "text", _one_of(words.NOTES, 0.6)),
    ("Discount-Rate", "number", _numbers(0, 10_000, 10_000, 0.6)),
)
_USER_ATTRIBUTES: Final[tuple[tuple[str, str, Make], ...]] = (
    ("First Name", "text", _one_of(words.FIRST_NAMES, 0.1)),
    ("Last Name", "text", _one_of(words.LAST_NAMES, 0.1)),
    ("Contact", "text", _one_of(("yes", "no"), 0.6)),
    ("Key Contact", "text", _one_of(("yes", "no"), 0.8)),
    ("Role", "list", _one_of(words.ROLES, 0.2)),
    ("role", "text", _one_of(("owner", "member"), 0.7)),
    ("Logins (30d)", "number", _numbers(0, 400, empty=0.3)),
    ("Birthday", "date", _days(-25_000, -7_000, 0.7)),
)


def fill(store: Store, amounts: Amounts) -> None:
    """Put made-up rows into an empty store."""
    dice = random.Random(amounts.seed)  # noqa: S311 (repeatable on purpose)
    _fill_accounts(store, dice, amounts)
    _fill_users(store, dice, amounts)
    accounts = store.accounts.base
    maker = EventMaker(dice)
    for number in range(amounts.events):
        row = dice.randrange(amounts.accounts)
        account = {"id": accounts["id"][row], "display_name": accounts["display"][row]}
        value = store.accounts.attributes["Contract Value"][row]
        if number % 2 and value is not None:
            account["contract_value"] = value
        store.events.put(maker.make(number, account, PRESENT))
    for task in maker.tasks.values():
        store.documents.put("tasks", task)
    _fill_collections(store, dice, amounts)
    fill_lists(store, dice, PRESENT)


def _fill_accounts(store: Store, dice: random.Random, amounts: Amounts) -> None:
    table, size = store.accounts, amounts.accounts
    table.reserve(size)
    heads = dice.choices(words.COMPANY_HEADS, k=size)
    tails = dice.choices(words.COMPANY_TAILS, k=size)
    for number in range(size):
        row = store.account_row(f"acc-{number + 1:06}")
        # Every seventh name repeats, as customers' names do.
        serial = "" if number % 7 == 0 else f" {number + 1}"
        if number % 53:
            store.name_row(table, row, f"{heads[number]} {tails[number]}".strip() + serial)
        if number % 40 == 39:
            table.base["parent_id"][row] = f"acc-{number // 40 * 40 + 1:06}"
            if number % 80 == 79:
                table.base["product_id"][row] = words.PRODUCTS[number % 3]
    _fill_times(table, dice, size, amounts.activity)
    health = _with_holes(dice, dice.choices(words.HEALTHS, k=size), 0.1)
    table.base["health"][:size] = health
    table.base["health_prev"][:size] = dice.choices(words.HEALTHS, k=size)
    table.base["health_change"][:size] = _days(-400, 0)(dice, size)
    _fill_attributes(store, table, dice, _ACCOUNT_ATTRIBUTES)
    _fill_created(table, size, amounts.created)
    if amounts.keys == "all":
        _fill_keys(store, size)


def _fill_users(store: Store, dice: random.Random, amounts: Amounts) -> None:
    table, accounts, size = store.users, store.accounts, amounts.users
    table.reserve(size)
    owners = dice.choices(range(accounts.size), k=size) if size else []
    firsts = dice.choices(words.FIRST_NAMES, k=size)
    lasts = dice.choices(words.LAST_NAMES, k=size)
    for number in range(size):
        # Every tenth person also sits in the next account, under the same address.
        person = number - 1 if number % 10 == 9 else number
        account = (owners[person] + (person != number)) % accounts.size
        row = store.user_row(accounts.base["id"][account], f"user{person + 1}@mail.example")
        if number % 31:
            store.name_row(table, row, f"{firsts[person]} {lasts[person]}")
    _fill_times(table, dice, table.size, amounts.activity)
    _fill_attributes(store, table, dice, _USER_ATTRIBUTES)
    column = table.attribute_column("Email")
    column[: table.size] = table.base["id"][: table.size]
    _define(store, "users", "Email", "text")


def _fill_times(table: Table, dice: random.Random, size: int, which: str) -> None:
    """Draw last activities by the hour, so that many are equal; a twelfth of some has none."""
    if which == "none":
        return
    hours = dice.choices(range(1, 24 * 120), k=size)
    last = [PRESENT - hour * _HOUR for hour in hours]
    bulk = range(size // 3)  # one import touched these at the same moment
    for row in bulk if which != "spread" else ():
        last[row] = PRESENT - 48 * _HOUR
    if which == "spread":
        last = [moment - row for row, moment in enumerate(last)]
    first = [moment - hour * _HOUR for moment, hour in zip(last, reversed(hours), strict=True)]
    table.base["last_activity_time"][:size] = last
    table.base["first_activity_time"][:size] = first
    for row in range(11, size, 12) if which == "some" else ():
        for name in ("last_activity_time", "first_activity_time"):
            table.base[name][row] = None


def _fill_created(table: Table, size: int, which: str) -> None:
    """Give every account a ``Create Date``, or take it from every one."""
    column = table.attributes[_CREATED]
    for row in range(size):
        if which == "none":
            column[row] = None
        elif which == "all" and column[row] is None:
            column[row] = PRESENT - (row % 2_500) * dates.DAY


def _fill_keys(store: Store, size: int) -> None:
    """Give every account a foreign key and a Salesforce id of 18 characters."""
    foreign = store.accounts.attribute_column("ofid")
    salesforce = store.accounts.attribute_column("sfid")
    for row in range(size):
        foreign[row] = f"crm-{row + 1:07}"
        salesforce[row] = f"0015g00000{row + 1:05}AAA"
    _define(store, "accounts", "ofid", "text")
    _define(store, "accounts", "sfid", "text")


def _fill_collections(store: Store, dice: random.Random, amounts: Amounts) -> None:
    accounts = store.accounts.base["id"]
    for number in range(amounts.collections):
        row = {
            "collection_type": "tickets",
            "id": f"T-{number + 1:06}",
            "account_id": accounts[dice.randrange(amounts.accounts)],
            "attributes": {
                "Title": dice.choice(words.SUBJECTS),
                "Priority": dice.choice(("low", "normal", "high")),
                "Hours": dice.randrange(40),
                "Opened": dates.day_text(PRESENT - dice.randrange(700) * dates.DAY),
            },
        }
        store.documents.put("collections", row)


def _fill_attributes(
    store: Store, table: Table, dice: random.Random, made: Sequence[tuple[str, str, Make]]
) -> None:
    for name, type_name, make in made:
        table.attribute_column(name)[: table.size] = make(dice, table.size)
        _define(store, table.kind, name, type_name)
    for key in table.rows_by_key:
        store.database.mark(table.kind, key)
    table.touch()


def _define(store: Store, kind: str, name: str, type_name: str) -> None:
    store.definitions.define({"key_name": name, "type": type_name, "object": kind})
    store.database.mark("attributes", (kind, name))

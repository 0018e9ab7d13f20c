"""Filters: every ``type`` of term, which operators it has, and what it selects.

A compiled filter takes positions of rows, in any order, and returns those that match in the same
order. A row without a value matches no range, equality or list.
"""

from __future__ import annotations

import operator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from totango_sandbox import dates
from totango_sandbox.errors import ApiError
from totango_sandbox.search.capabilities import checked_operators
from totango_sandbox.search.operators import (
    COMPARE,
    Select,
    day_number,
    joker_days,
    listed,
    numbers,
    texts,
    wanted_values,
)
from totango_sandbox.storage import (
    STATUS_GROUPS,
    UNKNOWN_STATUS,
    attribute_column,
    made_up,
    owner_mail,
    role_columns,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from totango_sandbox.storage import Column, Store, Table

Term = dict[str, Any]

_SEGMENTS: Final = 10


def compile_terms(store: Store, table: Table, terms: Sequence[Term]) -> Select | None:
    """Return one filter that demands all terms; None when there is nothing to filter.

    Raises:
        ApiError: a term or an operator is unknown, switched off or malformed.
    """
    selects = [
        select for term in terms if (select := Compiler(store, table).compile(term)) is not None
    ]
    if not selects:
        return None

    def every(rows: Sequence[int]) -> list[int]:
        for select in selects:
            rows = select(rows)
        return list(rows)

    return every


@dataclass(slots=True)
class Compiler:
    """Compiles the terms of one table."""

    store: Store
    table: Table

    def compile(self, term: Term) -> Select | None:
        """Return one filter, or None for a term that selects everything."""
        kind = term.get("type")
        if kind is None and "or" in term:
            kind = "or"
        compilers: dict[str, Callable[[Term, dict[str, Any]], Select | None]] = {
            "string": self._string,
            "string_attribute": self._attribute_text,
            "list_attribute": self._attribute_text,
            "date": self._date,
            "date_attribute": self._attribute_number,
            "number": self._number,
            "number_attribute": self._attribute_number,
            "simple_date_attribute": self._simple_date,
            "owner": self._owner,
            "totango_user_scope": self._owner,
            "active_list": self._active_list,
            "lifecycle_attribute_stage_by_id": self._stage,
            "parent_account": self._parent_account,
            "or": self._or,
        }
        switches = self.store.switches
        try:
            operators = checked_operators(switches, str(kind), term, compilers)
            return compilers[str(kind)](term, operators)
        except ApiError:
            if switches.text("unsupported_term") == "ignore":
                return None
            raise

    def _string(self, term: Term, operators: dict[str, Any]) -> Select:
        name, base = term.get("term"), self.table.base
        if name == "identifier":
            return texts(base["id"], operators)
        if name == "search_name":
            return texts(base["display"], operators)
        if self.table.kind == "accounts" and name == "health":
            return texts(base["health"], operators)
        if self.table.kind == "accounts" and name == "status_group":
            return self._status_group(operators)
        if self.table.kind == "collections" and name == "collection_type":
            return texts(base["collection_type"], operators)
        msg = f"unknown string term {name!r}"
        raise ApiError(msg)

    def _status_group(self, operators: dict[str, Any]) -> Select:
        column = self.table.attributes.get("Status")
        groups, unknown = STATUS_GROUPS, UNKNOWN_STATUS
        wanted = wanted_values(operators)

        def select(rows: Sequence[int]) -> list[int]:
            if column is None:
                return list(rows) if unknown in wanted else []
            return [row for row in rows if groups.get(column[row], unknown) in wanted]

        return select

    def _attribute_text(self, term: Term, operators: dict[str, Any]) -> Select:
        return texts(self._column(term), operators)

    def _attribute_number(self, term: Term, operators: dict[str, Any]) -> Select:
        return numbers(self._column(term), operators)

    def _number(self, term: Term, operators: dict[str, Any]) -> Select:
        name = term.get("term")
        if name == "contract_value":
            return numbers(self.table.attributes.get("Contract Value"), operators)
        if name == "score":
            return numbers(self.table.attributes.get("score"), operators)
        msg = f"unknown number term {name!r}"
        raise ApiError(msg)

    def _date(self, term: Term, operators: dict[str, Any]) -> Select | None:
        name = term.get("term")
        if name == "date":
            # The "as of" day of a search: 0 is today, and the sandbox keeps no other.
            if operators == {"eq": 0}:
                return None
            msg = "term 'date' is understood with eq 0 only"
            raise ApiError(msg)
        if name == "create_date":
            return numbers(self.table.attributes.get("Create Date"), operators)
        # No other one has operators.
        return numbers(self.table.base[str(name)], operators)

    def _simple_date(self, term: Term, operators: dict[str, Any]) -> Select:
        column, tests = self._column(term), []
        for name, value in operators.items():
            if name == "joker":
                first, last = joker_days(value)
                tests += [(operator.ge, first), (operator.le, last)]
            else:
                tests.append((COMPARE[name], day_number(value)))

        def select(rows: Sequence[int]) -> list[int]:
            if column is None:
                return []
            kept = [row for row in rows if isinstance(column[row], int)]
            for test, bound in tests:
                kept = [row for row in kept if test(column[row] // dates.DAY, bound)]
            return kept

        return select

    def _owner(self, term: Term, operators: dict[str, Any]) -> Select:
        role, wanted = term.get("account_role"), wanted_values(operators)
        found = role_columns(self.store.accounts, role)

        def select(rows: Sequence[int]) -> list[int]:
            return [
                row
                for row in rows
                if any(
                    column[row] is not None and owner_mail(column[row]) in wanted
                    for column in found
                )
            ]

        return self._of_accounts(select)

    def _active_list(self, _term: Term, operators: dict[str, Any]) -> Select:
        wanted = wanted_values(operators)
        ids = self.store.accounts.base["id"]

        def select(rows: Sequence[int]) -> list[int]:
            if 1 in wanted:  # list 1 = all accounts (Totango: List API)
                return list(rows)
            return [
                row
                for row in rows
                if any(
                    made_up(ids[row], "segment") % _SEGMENTS == int(segment) % _SEGMENTS
                    for segment in wanted
                )
            ]

        return self._of_accounts(select)

    def _stage(self, term: Term, operators: dict[str, Any]) -> Select:
        column = self._column(term)
        tests = [(name == "in_list", listed(value)) for name, value in operators.items()]

        def select(rows: Sequence[int]) -> list[int]:
            kept = list(rows)
            for inside, stages in tests:
                if column is None:
                    kept = [] if inside else kept
                else:
                    kept = [row for row in kept if (column[row] in stages) == inside]
            return kept

        return select

    def _parent_account(self, _term: Term, operators: dict[str, Any]) -> Select:
        if self.table.kind != "users":
            msg = "parent_account is for users"
            raise ApiError(msg)
        terms = operators["terms"]
        if not isinstance(terms, list):
            msg = "parent_account needs a list of terms"
            raise ApiError(msg)
        inner = compile_terms(self.store, self.store.accounts, terms)
        return self._of_accounts(inner or list)

    def _or(self, _term: Term, operators: dict[str, Any]) -> Select:
        terms = operators["or"]
        if not isinstance(terms, list) or not terms:
            msg = "or needs a list of terms"
            raise ApiError(msg)
        selects = [self.compile(term) for term in terms]

        def select(rows: Sequence[int]) -> list[int]:
            hits: set[int] = set()
            for one in selects:
                hits.update(rows if one is None else one(rows))
            return [row for row in rows if row in hits]

        return select

    def _column(self, term: Term) -> Column | None:
        name = term.get("attribute")
        if not isinstance(name, str):
            msg = f"term {term.get('type')!r} needs an attribute"
            raise ApiError(msg)
        return attribute_column(self.table, name)

    def _of_accounts(self, select: Select) -> Select:
        """Apply a filter of accounts; on users, to the account that each belongs to."""
        if self.table.kind == "accounts":
            return select
        accounts, users = self.store.accounts, self.table.base["account_row"]

        def through(rows: Sequence[int]) -> list[int]:
            hits = set(select(list(accounts.live_rows())))
            return [row for row in rows if users[row] in hits]

        return through
